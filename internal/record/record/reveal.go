package record

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// Reveal reads personal fields of one record in clear: canonical values by field, without those that have none. It asks
// for the right, counts against the actor's hourly allowance, and is recorded by the Auditor before anything is given
// out.
func (s *Service) Reveal(ctx context.Context, object string, rec id.ID, fields []string) (map[string]any, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err == nil {
		err = may(ctx, obj, access.Reveal)
	}
	if err != nil {
		return nil, err
	}
	sh := s.shape(obj)
	var bad []*fault.Fault
	for i, key := range fields {
		j, ok := sh.index[key]
		if x := access.From(ctx).Field(object, key); !ok || !sh.fields[j].f.Personal || x == access.FieldHidden || x == access.FieldMasked {
			bad = append(bad, fault.InvalidField("record.not_personal", fmt.Sprintf("fields.%d", i), fault.Params{"field": key}))
		}
	}
	if len(fields) == 0 {
		bad = append(bad, fault.InvalidField("record.fields_missing", "fields", nil))
	}
	if bad != nil {
		return nil, fault.Join("record.invalid", bad)
	}
	rows, err := s.readSeen(ctx, obj, []id.ID{rec}, true, access.Read, access.Reveal)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFound(obj, rec)
	}
	if err := s.limiter.take(access.From(ctx), s.revealLimit(ctx)); err != nil {
		return nil, err
	}
	subject := sh.subject(&rows[0])
	keys := map[id.ID]*crypt.Key{subject: s.cfg.Keys.Cached(subject)}
	if keys[subject] == nil {
		if err := s.unwrap(ctx, []id.ID{subject}, keys); err != nil {
			return nil, err
		}
	}
	out := make(map[string]any, len(fields))
	for _, key := range fields {
		v, err := s.openValue(sh, &rows[0], sh.index[key], keys[subject])
		if err != nil {
			return nil, fmt.Errorf("reveal %s.%s: %w", object, key, err)
		}
		if v != nil {
			out[key] = v
		}
	}
	if err := s.audit(ctx, AuditEntry{Action: "record.reveal", Object: object, Record: rec, Fields: fields, Count: 1}); err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) revealLimit(ctx context.Context) int {
	if s.cfg.RevealLimit == nil {
		return s.cfg.RevealsPerHour
	}
	return s.cfg.RevealLimit(ctx, access.From(ctx))
}

func (s *Service) audit(ctx context.Context, e AuditEntry) error {
	if s.cfg.Auditor == nil {
		return fault.New(fault.Forbidden, "record.not_audited", nil)
	}
	if err := s.cfg.Auditor.Audit(ctx, e); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

// PlainValue reads one personal field of many records in clear, for an engine that sends messages or compares people.
// It belongs to the program alone (access.System), which answers for what it does with the values.
func (s *Service) PlainValue(ctx context.Context, object, field string, ids []id.ID) (map[id.ID]any, error) {
	if access.From(ctx).Kind != access.BySystem {
		return nil, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.PersonalReveal)})
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	sh := s.shape(obj)
	i, ok := sh.index[field]
	if !ok || sh.fields[i].n == 0 {
		return nil, fault.InvalidField("record.unknown_field", "field", fault.Params{"field": field})
	}
	rows, err := s.rows(ctx, obj, ids, false)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysFor(ctx, sh, rows, &presentation{fields: map[string]bool{field: true}})
	if err != nil {
		return nil, err
	}
	out := make(map[id.ID]any, len(rows))
	for j := range rows {
		v := schema.Decode(sh.fields[i].f, sh.cols(rows[j].Cols, i))
		if sh.fields[i].f.Personal {
			if v, err = s.openValue(sh, &rows[j], i, keys[sh.subject(&rows[j])]); err != nil {
				s.cfg.Log.Error("a personal value cannot be opened", "object", object, "field", field, "record", int64(rows[j].ID), "error", err)
				continue
			}
		}
		if v != nil {
			out[rows[j].ID] = v
		}
	}
	return out, nil
}

// limiter gives every actor an allowance that fills up evenly over an hour.
type limiter struct {
	mu    sync.Mutex
	clock clock.Clock
	used  map[actorKey]*bucket
}

type actorKey struct {
	kind access.ActorKind
	id   id.ID
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the memory: past it those that are full again are dropped.
const maxBuckets = 10_000

func (l *limiter) take(a access.Actor, rate int) error {
	if rate <= 0 {
		return fault.New(fault.Forbidden, "record.reveal_none", nil)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, k := l.clock.Now(), actorKey{a.Kind, a.ID}
	b := l.used[k]
	if b == nil {
		if len(l.used) >= maxBuckets {
			for other, x := range l.used {
				if now.Sub(x.at) > time.Hour {
					delete(l.used, other)
				}
			}
		}
		b = &bucket{left: float64(rate), at: now}
		l.used[k] = b
	}
	perSecond := float64(rate) / 3600
	b.left = math.Min(float64(rate), b.left+now.Sub(b.at).Seconds()*perSecond)
	b.at = now
	if b.left < 1 {
		wait := int(math.Ceil((1 - b.left) / perSecond))
		return fault.New(fault.RateLimited, "record.reveal_limit", fault.Params{"retry_after": wait, "max": rate})
	}
	b.left--
	return nil
}

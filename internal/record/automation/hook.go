package automation

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// MaxHookBody is the most bytes that another system may send to begin a run.
const MaxHookBody = 64 << 10

// Secrets are what a rule shares with other systems.
type Secrets struct {
	Token   string // begins runs
	Signing string // signs requests
}

// Secrets of a rule, for those who may manage it.
func (s *Service) Secrets(ctx context.Context, key id.ID) (Secrets, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return Secrets{}, err
	}
	return Secrets{Token: s.cfg.Token(r.ID, r.HookSerial), Signing: s.cfg.Secret(r.ID)}, nil
}

// Rotate gives a rule another token; the old one begins nothing any more.
func (s *Service) Rotate(ctx context.Context, key id.ID) (Secrets, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return Secrets{}, err
	}
	r.Version++
	r.HookSerial++
	r.UpdatedBy, r.UpdatedAt = person(access.From(ctx)), s.cfg.Clock.Now().Truncate(time.Millisecond)
	if err := s.cfg.Store.UpdateRule(ctx, r); err != nil {
		return Secrets{}, err
	}
	return s.Secrets(ctx, key)
}

// Hook begins a run for another system: token proves it, body names the record as the rule says, request names the call, so that a
// repetition begins nothing ("" for a call that is never repeated). Faults: Unauthenticated automation.bad_token, also for a rule that there is
// not; Conflict automation.not_on; NotFound automation.hook_no_record.
func (s *Service) Hook(ctx context.Context, key id.ID, token string, body []byte, request string) (bool, error) {
	r, err := s.cfg.Store.Rule(ctx, key, s.today())
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return false, err
	}
	want := s.cfg.Token(key, r.HookSerial)
	if subtle.ConstantTimeCompare([]byte(want), []byte(token)) != 1 || err != nil || r.Definition.Trigger.Kind != OnHook {
		return false, fault.New(fault.Unauthenticated, "automation.bad_token", nil)
	}
	if r.State != On {
		return false, fault.New(fault.Conflict, "automation.not_on", nil)
	}
	if len(body) > MaxHookBody {
		return false, fault.New(fault.TooLarge, "automation.hook_too_large", fault.Params{"max": MaxHookBody >> 10})
	}
	acting, prog, err := s.acting(ctx, &r, r.Revision)
	if err != nil {
		return false, err
	}
	rec, err := s.named(acting, prog, body)
	if err != nil {
		return false, err
	}
	if request == "" {
		request = id.Format(RunPrefix, s.cfg.IDs.Next())
	}
	run := s.fresh(&r, prog, rec, "h"+request)
	run.Input.Body = body
	n, err := s.cfg.Store.Start(ctx, []Run{run})
	s.cfg.Notify()
	return n > 0, err
}

// named is the record that a call is about.
func (s *Service) named(ctx context.Context, p *program, body []byte) (id.ID, error) {
	t := &p.def.Trigger
	v := inside(body, strings.Split(t.Path, "."))
	missing := fault.New(fault.NotFound, "automation.hook_no_record", fault.Params{"path": t.Path})
	text, ok := v.(string)
	if n, is := v.(json.Number); is {
		text, ok = n.String(), true
	}
	if !ok || text == "" {
		return 0, missing
	}
	var found []id.ID
	if t.Match == "id" {
		key, err := id.Parse(p.obj.Prefix, text)
		if err != nil {
			return 0, missing
		}
		found = []id.ID{key}
	} else {
		if _, bad := schema.ParseJSON(p.obj.Field(t.Match), text, s.cfg.Records.Env(ctx)); bad != nil {
			return 0, missing
		}
		value, err := json.Marshal(text)
		if err != nil {
			return 0, missing
		}
		err = s.cfg.Conditions.All(ctx, p.obj.Key, &query.Node{Field: t.Match, Op: "=", Value: value}, func(ids []id.ID) error {
			found = append(found, ids...)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	if len(found) != 1 {
		return 0, missing
	}
	holds, err := s.cfg.Conditions.Holding(ctx, p.obj.Key, p.def.Where, found, false)
	if err == nil && !holds[found[0]] {
		err = fault.New(fault.NotFound, "automation.hook_unfit", nil)
	}
	return found[0], err
}

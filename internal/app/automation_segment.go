package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// ruleSegments shows the segments of a workspace to rules.
type ruleSegments struct{ w *workspace }

// stored reads a segment as it is saved, not as the vocabulary remembers it.
func (s ruleSegments) stored(ctx context.Context, key string) (segment.Segment, error) {
	seg, ok, err := sqlstore.NewSegments(s.w.store, s.w.zoneOf).Find(ctx, key)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "segment.not_found", fault.Params{"key": key})
	}
	return seg, err
}

// Find implements automation.Segments.
func (s ruleSegments) Find(ctx context.Context, key string) (automation.Segment, error) {
	seg, err := s.stored(ctx, key)
	if err != nil {
		return automation.Segment{}, err
	}
	out := automation.Segment{Key: key, Label: seg.Label, Static: seg.Kind == segment.Static, Broken: seg.Broken != ""}
	var all strings.Builder
	if out.Wide, err = s.spell(ctx, &seg, &all, []string{key}); err != nil {
		return out, err
	}
	sum := sha256.Sum256([]byte(all.String()))
	out.Mark = hex.EncodeToString(sum[:16])
	return out, nil
}

// spell writes the condition of a segment and of those it is built on, and says whether one of them is wide: asks of a record that the
// customer or something of it points at, or of a place among all customers.
func (s ruleSegments) spell(ctx context.Context, seg *segment.Segment, out *strings.Builder, within []string) (wide bool, err error) {
	out.WriteString(seg.Key + string(seg.Kind) + string(seg.Raw()))
	if seg.Kind == segment.Static || seg.Where == nil {
		return false, nil
	}
	traits := s.w.words.Catalogue()
	var named []string
	query.Walk(seg.Where, func(n *query.Node, _ string) bool {
		wide = wide || n.Top != nil || n.Random != nil || strings.Contains(n.Field, ".")
		if d, ok := traits.Find(n.Trait); ok && n.Trait != "" && (d.Table == analytics.FamilyRFM || d.Table == analytics.FamilyClass) {
			wide = true
		}
		if n.Segment != "" && !slices.Contains(within, n.Segment) {
			named = append(named, n.Segment)
		}
		return true
	})
	for _, key := range named {
		other, err := s.stored(ctx, key)
		if fault.KindOf(err) == fault.NotFound && err != nil {
			continue
		}
		if err != nil {
			return wide, err
		}
		more, err := s.spell(ctx, &other, out, append(within, key))
		if err != nil {
			return wide, err
		}
		wide = wide || more
	}
	return wide, nil
}

// Touched implements automation.Segments.
func (s ruleSegments) Touched(ctx context.Context) ([]id.ID, error) {
	return s.w.audience.Touched(system(ctx))
}

// condition is what says who is in a segment, without those who are only stored.
func (s ruleSegments) condition(ctx context.Context, key string) (*query.Node, error) {
	seg, err := s.stored(ctx, key)
	if err != nil {
		return nil, err
	}
	return privacy.Processed(seg.Node()), nil
}

// Among implements automation.Segments.
func (s ruleSegments) Among(ctx context.Context, key string, customers []id.ID) (map[id.ID]bool, error) {
	where, err := s.condition(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.among(ctx, where, customers)
}

// among are those of customers that a condition finds.
func (s ruleSegments) among(ctx context.Context, where *query.Node, customers []id.ID) (map[id.ID]bool, error) {
	obj := s.w.registry().Object(query.Customer)
	limits := &query.Limits{Rows: query.Among{Slot: query.Slot{Object: obj, Field: schema.System("id"), Role: schema.Main}, IDs: access.IDs(customers)}}
	found, err := s.w.audience.Seen(system(ctx), where, limits, 0, len(customers))
	out := make(map[id.ID]bool, len(found))
	for _, v := range found {
		out[v] = true
	}
	return out, err
}

// Members implements automation.Segments.
func (s ruleSegments) Members(ctx context.Context, key string, after id.ID, limit int) ([]id.ID, error) {
	where, err := s.condition(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.w.audience.IDs(system(ctx), where, after, limit)
}

// Whole implements automation.Segments.
func (s ruleSegments) Whole(ctx context.Context, within bool) (bool, error) {
	if !s.w.feed.Ready() {
		return false, nil
	}
	st, err := s.w.traits.State(ctx)
	return err == nil && st.Known && !st.Refilled && (within || !st.Unfinished), err
}

// Settle implements automation.Segments.
func (s ruleSegments) Settle(ctx context.Context) error {
	head, err := s.w.store.Log().Head(ctx)
	if err == nil && s.w.app.embedded() {
		s.w.feed.WaitFor(ctx, head, behindAtMost)
	}
	return err
}

// Head implements automation.Segments.
func (s ruleSegments) Head(ctx context.Context) (change.Position, error) {
	return s.w.store.Log().Head(ctx)
}

// watchersOf names the rules that keep a segment from being deleted.
func (w *workspace) watchersOf(ctx context.Context, key string) ([]string, error) {
	if w.edge == nil || w.edge.Automations == nil {
		return nil, nil
	}
	uses, err := w.edge.Automations.UsesOfSegment(ctx, key)
	out := make([]string, len(uses))
	for i, u := range uses {
		out[i] = u.Name
	}
	return out, err
}

// segmentChanged lets rules take the members of watched segments anew before anybody is moved by another condition. Where it fails the watcher
// does it a moment later.
func (w *workspace) segmentChanged(key string) {
	if w.edge == nil || w.edge.Automations == nil {
		return
	}
	if err := w.edge.Automations.SegmentsChanged(system(w.ctx)); err != nil && w.ctx.Err() == nil {
		w.app.Log.Error("members of watched segments", "segment", key, "error", err)
	}
}

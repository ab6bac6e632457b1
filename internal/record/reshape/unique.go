package reshape

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// uniqueSpec names the check of a rule that a work is.
type uniqueSpec struct {
	Physical string `json:"physical"`
}

// Begin adds a work for each unique rule that is to be checked and has none, for a person (0: the program).
func (s *Service) Begin(ctx context.Context, reg *schema.Registry, person id.ID) error {
	for _, o := range reg.Tables() {
		for _, u := range o.UniqueRules {
			if u.State != schema.UniqueChecking {
				continue
			}
			if err := s.begin(ctx, o.Key, u, person); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) begin(ctx context.Context, object string, u *schema.UniqueRule, person id.ID) error {
	works, err := s.cfg.Store.List(ctx, object, 100)
	if err != nil {
		return err
	}
	spec, err := json.Marshal(uniqueSpec{u.Physical})
	if err != nil {
		return err
	}
	for _, w := range works {
		if w.Kind == Unique && w.Spec == string(spec) {
			return nil
		}
	}
	_, err = s.add(ctx, Work{Kind: Unique, Object: object, Target: u.Key, Spec: string(spec), By: person}, s.cfg.Clock.Now().Add(s.cfg.Settled))
	return err
}

// Clashes is the newest check of a unique rule, ok is false for a rule that has none.
func (s *Service) Clashes(ctx context.Context, object, rule string) (w Work, ok bool, err error) {
	if err := may(ctx); err != nil {
		return w, false, err
	}
	works, err := s.cfg.Store.List(ctx, object, 100)
	for _, w := range works {
		if w.Kind == Unique && w.Target == rule && w.State != Cancelled {
			return w, true, nil
		}
	}
	return Work{}, false, err
}

// maxLeft is how many records that stand in the way are kept; all are counted.
const maxLeft = 10_000

// unique claims the keys of the records of before. New writes claim theirs since the rule was made.
func (t *turn) unique(ctx context.Context) error {
	var spec uniqueSpec
	if err := json.Unmarshal([]byte(t.w.Spec), &spec); err != nil {
		return err
	}
	w := t.w
	for more := true; more; {
		obj := t.s.cfg.Registry().Object(w.Object)
		if obj == nil || obj.UniqueRule(w.Target) == nil || obj.UniqueRule(w.Target).Physical != spec.Physical {
			return t.end(ctx, Cancelled)
		}
		got, err := t.s.cfg.Records.ClaimRule(ctx, w.Object, w.Target, w.After)
		if err != nil {
			return err
		}
		w.Seen += int64(got.Seen)
		left := make([]Left, len(got.Clashes))
		for i, c := range got.Clashes {
			left[i] = Left{Record: c.Record, Other: c.Holder}
		}
		if w.Found += int64(len(left)); w.Found > maxLeft {
			left = left[:max(0, len(left)-int(w.Found-maxLeft))]
		}
		if got.Last != 0 {
			w.After = got.Last
		}
		more = got.More
		if err := t.step(ctx, left, more); err != nil {
			return err
		}
	}
	if err := t.s.cfg.Metadata.SettleUnique(ctx, w.Object, w.Target, spec.Physical, w.Found > 0); err != nil {
		return err
	}
	return t.end(ctx, Done)
}

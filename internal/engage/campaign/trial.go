package campaign

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Trial is what a campaign would do if it started now: the audience is the sum of its gates and of Reached.
type Trial struct {
	Audience int64
	Gates    map[Gate]int64
	Arms     map[string]int64 // of those reached
	Reached  int64
	Waiting  int64 // of those reached: until quiet hours end, or a cap lets them
	Samples  []id.ID
	Took     time.Duration
}

const trialSamples = 10

// Try goes over the audience without writing anything down.
func (s *Service) Try(ctx context.Context, key id.ID) (Trial, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Trial{}, err
	}
	c, err := s.cfg.Store.Campaign(ctx, key)
	if err != nil {
		return Trial{}, err
	}
	out := Trial{Gates: map[Gate]int64{}, Arms: map[string]int64{}}
	rules, err := s.cfg.Rules(ctx)
	if err != nil {
		return out, err
	}
	began := s.cfg.Clock.Now()
	if c.StartAt = c.Plan.Start; c.StartAt.Before(s.now()) {
		c.StartAt = s.now()
	}
	seen := map[id.ID]bool{}
	for cursor := ""; cursor != done; {
		var members []id.ID
		if members, cursor, err = s.page(ctx, &c, cursor); err != nil {
			return out, err
		}
		fresh := members[:0:0]
		for _, m := range members {
			if !seen[m] {
				seen[m] = true
				fresh = append(fresh, m)
			}
		}
		if err := s.try(ctx, &c, &rules, fresh, &out); err != nil {
			return out, err
		}
	}
	out.Took = s.cfg.Clock.Now().Sub(began)
	return out, nil
}

func (s *Service) try(ctx context.Context, c *Campaign, rules *Rules, members []id.ID, out *Trial) error {
	list, err := s.plan(ctx, c, rules, members)
	if err != nil {
		return err
	}
	b := &batch{s: s, c: c, rules: rules, now: c.StartAt}
	var ids []id.ID
	for i := range list {
		if list[i].State == Queued {
			b.due, ids = append(b.due, list[i]), append(ids, list[i].Customer)
		}
		out.Audience++
		if list[i].Gate != "" {
			out.Gates[list[i].Gate]++
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if b.people, err = s.cfg.People.Look(ctx, c.Channel, c.Plan.Purpose, ids); err != nil {
		return err
	}
	caps, got, err := b.counted(ctx, ids)
	if err != nil {
		return err
	}
	for i := range b.due {
		it := &b.due[i]
		p := b.people[it.Customer]
		var days map[string]map[clock.Day]int
		if got != nil {
			days = got[it.Customer]
		}
		switch h := b.gate(it, &p, true, caps, days); h.State {
		case Held:
			out.Gates[h.Gate]++
			continue
		case Queued:
			out.Waiting++
		}
		out.Reached++
		out.Arms[it.Arm]++
		if len(out.Samples) < trialSamples {
			out.Samples = append(out.Samples, it.Customer)
		}
	}
	return nil
}

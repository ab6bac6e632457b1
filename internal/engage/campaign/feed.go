package campaign

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// A step of a journey that sends has a run: a campaign without an audience, whose people come when they reach the step. Everything else is that of
// any campaign: its lines are unique for run, person and entry, and they pass the same gates.

// Feed makes the run of a step of a journey. Faults: those of a campaign that cannot start.
func (s *Service) Feed(ctx context.Context, name, channel string, p Plan) (Campaign, error) {
	if err := may(ctx, access.CampaignSend); err != nil {
		return Campaign{}, err
	}
	now, who := s.now(), access.From(ctx).ID
	c := Campaign{ID: s.cfg.IDs.Next(), Name: name, Channel: channel, Status: Sending, Plan: p, Version: 1, Cursor: done, CreatedBy: who, UpdatedBy: who, StartedBy: who, CreatedAt: now, UpdatedAt: now, StartAt: now, BeganAt: now}
	if err := check(&c); err != nil {
		return c, err
	}
	if err := s.cfg.Writer.Ready(ctx, &c); err != nil {
		return c, err
	}
	return c, s.cfg.Store.Insert(ctx, c)
}

// Fit refuses a plan that could not be sent.
func (s *Service) Fit(ctx context.Context, channel string, p Plan) error {
	c := Campaign{Name: "-", Channel: channel, Plan: p}
	if err := check(&c); err != nil {
		return err
	}
	return s.cfg.Writer.Ready(ctx, &c)
}

// Come is somebody who reaches the step of a run.
type Come struct {
	Customer id.ID
	Step     int
}

// Coming are the lines of people who come to a run, with the gates that do not depend on the hour; they are in the same order and not written yet.
func (s *Service) Coming(ctx context.Context, run id.ID, list []Come) ([]Intent, error) {
	c, err := s.cfg.Store.Campaign(ctx, run)
	if err != nil {
		return nil, err
	}
	rules, err := s.cfg.Rules(ctx)
	if err != nil {
		return nil, err
	}
	members := make([]id.ID, len(list))
	for i := range list {
		members[i] = list[i].Customer
	}
	c.StartAt = s.now()
	out, err := s.plan(ctx, &c, &rules, members)
	for i := range out {
		out[i].Step = list[i].Step
	}
	return out, err
}

// Would says which gates would stop people now, "" for none.
func (s *Service) Would(ctx context.Context, channel string, p Plan, list []id.ID) ([]Gate, error) {
	rules, err := s.cfg.Rules(ctx)
	if err != nil {
		return nil, err
	}
	c := Campaign{Channel: channel, Plan: p, StartAt: s.now()}
	lines, err := s.plan(ctx, &c, &rules, list)
	if err != nil {
		return nil, err
	}
	b := &batch{s: s, c: &c, rules: &rules, now: s.now()}
	if b.people, err = s.cfg.People.Look(ctx, channel, p.Purpose, list); err != nil {
		return nil, err
	}
	caps, got, err := b.counted(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]Gate, len(list))
	for i := range lines {
		if out[i] = lines[i].Gate; out[i] == "" {
			who := b.people[list[i]]
			h := b.gate(&lines[i], &who, true, caps, got[list[i]])
			out[i] = h.Gate
		}
	}
	return out, nil
}

// Wake has what was written looked at soon.
func (s *Service) Wake() { s.notify() }

// HoldRun, LetRun and EndRun pause, resume and stop the run of a step with its journey.
func (s *Service) HoldRun(ctx context.Context, run id.ID) error {
	return s.moveRun(ctx, run, Paused, Sending)
}

// LetRun goes on with a run.
func (s *Service) LetRun(ctx context.Context, run id.ID) error {
	return s.moveRun(ctx, run, Sending, Paused)
}

// EndRun ends a run: what waits is not sent any more.
func (s *Service) EndRun(ctx context.Context, run id.ID) error {
	if err := s.moveRun(ctx, run, Stopped, Sending, Paused); err != nil {
		return err
	}
	return s.cfg.Store.Cancel(ctx, run, s.now())
}

func (s *Service) moveRun(ctx context.Context, run id.ID, to Status, from ...Status) error {
	c, err := s.cfg.Store.Campaign(ctx, run)
	if err != nil {
		return err
	}
	c.Status, c.Reason = to, ""
	if to == Stopped {
		c.EndedAt = s.now()
	}
	if _, err := s.cfg.Store.Move(ctx, c, from...); err != nil {
		return err
	}
	s.cfg.Publish(run)
	s.notify()
	return nil
}

// Spared says whom nobody markets to.
func (s *Service) Spared(ctx context.Context) (func(customer id.ID) bool, error) {
	rules, err := s.cfg.Rules(ctx)
	return func(customer id.ID) bool { return spared(&rules, customer) }, err
}

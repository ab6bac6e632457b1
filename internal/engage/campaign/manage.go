package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Bounds of a plan.
const (
	maxName     = 100
	maxVariants = 8
	maxDays     = 90
	maxPerMin   = 100_000
	maxTitle    = 200
	maxText     = 2000
	maxDue      = 365
)

// List are all of them, the newest first, without the runs of journeys.
func (s *Service) List(ctx context.Context) ([]Campaign, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	list, err := s.cfg.Store.Campaigns(ctx)
	return slices.DeleteFunc(list, func(c Campaign) bool { return c.Plan.Journey != 0 }), err
}

// Get is one.
func (s *Service) Get(ctx context.Context, key id.ID) (Campaign, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Campaign{}, err
	}
	return s.cfg.Store.Campaign(ctx, key)
}

// Create makes a draft. Faults: campaign.invalid with every place that needs a change.
func (s *Service) Create(ctx context.Context, name, channel string, p Plan) (Campaign, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Campaign{}, err
	}
	now, who := s.now(), access.From(ctx).ID
	c := Campaign{ID: s.cfg.IDs.Next(), Name: strings.TrimSpace(name), Channel: channel, Status: Draft, Plan: p, Version: 1, CreatedBy: who, UpdatedBy: who, CreatedAt: now, UpdatedAt: now}
	if err := check(&c); err != nil {
		return c, err
	}
	if err := s.cfg.Store.Insert(ctx, c); err != nil {
		return c, err
	}
	s.cfg.Publish(c.ID)
	return c, s.cfg.Note(ctx, "campaign.create", c.ID, map[string]any{"name": c.Name})
}

// Update changes a draft, or the name, the rate and the money of one that is under way, over the version that the caller saw.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, name string, p Plan) (Campaign, error) {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return Campaign{}, err
	}
	c, err := s.cfg.Store.Campaign(ctx, key)
	if err != nil {
		return c, err
	}
	if c.Version != version {
		return c, fault.New(fault.Stale, "campaign.stale", nil)
	}
	if c.Status != Draft {
		q := c.Plan
		q.PerMinute, q.Cost, q.Fixed, q.Margin = p.PerMinute, p.Cost, p.Fixed, p.Margin
		p = q
	}
	c.Name, c.Plan = strings.TrimSpace(name), p
	if err := check(&c); err != nil {
		return c, err
	}
	c.Version++
	c.UpdatedBy, c.UpdatedAt = access.From(ctx).ID, s.now()
	if err := s.cfg.Store.Update(ctx, c); err != nil {
		return c, err
	}
	s.results.forget(key)
	s.cfg.Publish(c.ID)
	return c, s.cfg.Note(ctx, "campaign.update", c.ID, map[string]any{"version": c.Version})
}

// Delete removes a draft; what was sent stays.
func (s *Service) Delete(ctx context.Context, key id.ID) error {
	if err := may(ctx, access.CampaignWrite); err != nil {
		return err
	}
	c, err := s.cfg.Store.Campaign(ctx, key)
	if err != nil {
		return err
	}
	if c.Status != Draft {
		return fault.New(fault.Conflict, "campaign.not_draft", nil)
	}
	if err := s.cfg.Store.Delete(ctx, key); err != nil {
		return err
	}
	s.cfg.Publish(key)
	return s.cfg.Note(ctx, "campaign.delete", key, map[string]any{"name": c.Name})
}

func check(c *Campaign) error {
	var bad []*fault.Fault
	add := func(ok bool, code, field string, p fault.Params) {
		if !ok {
			bad = append(bad, fault.InvalidField("campaign."+code, field, p))
		}
	}
	p := &c.Plan
	add(c.Name != "" && utf8.RuneCountInString(c.Name) <= maxName, "bad_name", "name", fault.Params{"max": maxName})
	add(slices.Contains(Channels(), c.Channel), "bad_channel", "channel", nil)
	add(len(p.Segments) <= 20 && len(p.Except) <= 20, "too_many_segments", "segments", fault.Params{"max": 20})
	add(p.Holdout >= 0 && p.Holdout <= 90, "bad_holdout", "holdout", fault.Params{"max": 90})
	add(p.Days >= 1 && p.Days <= maxDays, "bad_days", "days", fault.Params{"max": maxDays})
	add(p.PerMinute >= 0 && p.PerMinute <= maxPerMin, "bad_rate", "per_minute", fault.Params{"max": maxPerMin})
	add(p.Margin >= 0 && p.Margin <= 100 && p.Cost >= 0 && p.Fixed >= 0, "bad_money", "margin", nil)
	add(p.Due >= 0 && p.Due <= maxDue, "bad_due", "due", fault.Params{"max": maxDue})
	add(len(p.Variants) >= 1 && len(p.Variants) <= maxVariants, "bad_variants", "variants", fault.Params{"max": maxVariants})
	seen := map[string]bool{}
	for i, v := range p.Variants {
		at := fmt.Sprintf("variants.%d", i)
		add(len(v.Key) == 1 && v.Key[0] >= 'a' && v.Key[0] <= 'h' && !seen[v.Key], "bad_variants", at, fault.Params{"max": maxVariants})
		add(utf8.RuneCountInString(v.Title) <= maxTitle, "bad_title", at, fault.Params{"max": maxTitle})
		add(utf8.RuneCountInString(v.Text) <= maxText, "bad_text", at, fault.Params{"max": maxText})
		add(v.Weight >= 1 && v.Weight <= 1000, "bad_weight", at, nil)
		seen[v.Key] = true
	}
	if f := fault.Join("campaign.invalid", bad); f != nil {
		return f
	}
	return nil
}

// Start lets a draft go, at the hour of its plan. Faults: campaign.incomplete with what is missing, Conflict campaign.not_draft and
// campaign.four_eyes, those of the writer.
func (s *Service) Start(ctx context.Context, key id.ID, version int64) (Campaign, error) {
	if err := may(ctx, access.CampaignSend); err != nil {
		return Campaign{}, err
	}
	c, err := s.cfg.Store.Campaign(ctx, key)
	if err != nil {
		return c, err
	}
	switch {
	case c.Version != version:
		return c, fault.New(fault.Stale, "campaign.stale", nil)
	case c.Status != Draft:
		return c, fault.New(fault.Conflict, "campaign.not_draft", nil)
	}
	rules, err := s.cfg.Rules(ctx)
	if err != nil {
		return c, err
	}
	who := access.From(ctx)
	if rules.FourEyes && who.ID == c.UpdatedBy {
		return c, fault.New(fault.Conflict, "campaign.four_eyes", nil)
	}
	if err := s.complete(ctx, &c); err != nil {
		return c, err
	}
	c.Status, c.StartedBy, c.StartAt = Scheduled, who.ID, c.Plan.Start
	if c.StartAt.Before(s.now()) {
		c.StartAt = s.now()
	}
	c.Version++
	if err := s.cfg.Store.Update(ctx, c); err != nil {
		return c, err
	}
	s.cfg.Publish(c.ID)
	s.notify()
	return c, s.cfg.Note(ctx, "campaign.start", c.ID, map[string]any{"name": c.Name, "at": c.StartAt})
}

// complete refuses a plan that cannot be done.
func (s *Service) complete(ctx context.Context, c *Campaign) error {
	if len(c.Plan.Segments) == 0 {
		return fault.InvalidField("campaign.no_audience", "segments", nil)
	}
	for i, key := range c.Plan.Segments {
		if err := s.cfg.Audience.Exists(ctx, key); err != nil {
			return at(err, fmt.Sprintf("segments.%d", i))
		}
	}
	for i, key := range c.Plan.Except {
		if err := s.cfg.Audience.Exists(ctx, key); err != nil {
			return at(err, fmt.Sprintf("except.%d", i))
		}
	}
	return s.cfg.Writer.Ready(ctx, c)
}

func at(err error, field string) error {
	if f, ok := fault.Find(err); ok {
		return fault.InvalidField("campaign.bad_segment", field, f.Params)
	}
	return err
}

// Pause stops what has not been handed over; Resume goes on, Stop ends it for good.
func (s *Service) Pause(ctx context.Context, key id.ID) (Campaign, error) {
	return s.move(ctx, key, Paused, Scheduled, Planning, Sending)
}

// Resume goes on with what was paused.
func (s *Service) Resume(ctx context.Context, key id.ID) (Campaign, error) {
	return s.move(ctx, key, Scheduled, Paused)
}

// Stop ends a campaign: what waits is not sent any more.
func (s *Service) Stop(ctx context.Context, key id.ID) (Campaign, error) {
	c, err := s.move(ctx, key, Stopped, Scheduled, Planning, Sending, Paused)
	if err != nil {
		return c, err
	}
	return c, s.cfg.Store.Cancel(ctx, key, s.now())
}

func (s *Service) move(ctx context.Context, key id.ID, to Status, from ...Status) (Campaign, error) {
	if err := may(ctx, access.CampaignSend); err != nil {
		return Campaign{}, err
	}
	c, err := s.cfg.Store.Campaign(ctx, key)
	if err != nil {
		return c, err
	}
	c.Status, c.Reason = to, ""
	if to == Stopped {
		c.EndedAt = s.now()
	}
	ok, err := s.cfg.Store.Move(ctx, c, from...)
	if err != nil {
		return c, err
	}
	if !ok {
		return c, fault.New(fault.Conflict, "campaign.wrong_status", nil)
	}
	s.cfg.Publish(c.ID)
	s.notify()
	return c, s.cfg.Note(ctx, "campaign."+string(to), c.ID, map[string]any{"name": c.Name})
}

// Lines are the people of a campaign in a state or behind a gate.
func (s *Service) Lines(ctx context.Context, key id.ID, state State, gate Gate, before id.ID, limit int) ([]Intent, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return nil, err
	}
	return s.cfg.Store.Lines(ctx, key, state, gate, before, limit)
}

// Seen writes an open or a click down. machine is what the address of a program says; what comes within seconds of the handing over is a program's too.
func (s *Service) Seen(ctx context.Context, intent id.ID, link int, address string, machine bool) (bool, error) {
	return s.cfg.Store.Seen(ctx, Sight{Intent: intent, Link: link, URL: address, Machine: machine, At: s.now()})
}

// Bounce notes that a mail came back.
func (s *Service) Bounce(ctx context.Context, mailID id.ID, hard, complaint bool, reason string) error {
	return s.cfg.Store.Bounce(ctx, mailID, hard, complaint, reason, s.now())
}

// Reported writes down what a provider says became of a message; false for one that is not of the account.
func (s *Service) Reported(ctx context.Context, v Report) (bool, error) {
	run, found, err := s.cfg.Store.Report(ctx, v, s.now())
	if err == nil && found {
		s.results.forget(run)
		s.cfg.Publish(run)
	}
	return found, err
}

const (
	// doubtFrom and doubtFor are how long after it was handed over a provider is asked what became of a message of which nobody knows.
	doubtFrom = 2 * time.Minute
	doubtFor  = 72 * time.Hour
	// doubtMost is how often, doubtBatch about how many at a time.
	doubtMost  = 12
	doubtBatch = 50
)

// Clear asks about messages of which nobody knows whether they were taken. They are never sent again: ask says what became of one; not found leaves it.
func (s *Service) Clear(ctx context.Context, ask func(ctx context.Context, d Doubt) (Report, bool, error)) (cleared int, err error) {
	now := s.now()
	list, err := s.cfg.Store.Doubts(ctx, now.Add(-doubtFor), now.Add(-doubtFrom), doubtMost, doubtBatch)
	if err != nil {
		return 0, err
	}
	for _, d := range list {
		r, found, err := ask(ctx, d)
		if ctx.Err() != nil {
			return cleared, ctx.Err()
		}
		if err == nil && found {
			if found, err = s.Reported(ctx, r); err != nil {
				return cleared, err
			}
			if found {
				cleared++
			}
			continue
		}
		if err := s.cfg.Store.Asked(ctx, d.Intent); err != nil {
			return cleared, err
		}
	}
	return cleared, nil
}

// soon is how far ahead of now the worker looks.
const soon = 2 * time.Second

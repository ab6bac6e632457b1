package webhook

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

const (
	outboxEvery = time.Second
	outboxBatch = 500
)

// Outbox turns what was written down beside the change log into deliveries, and forgets what nobody asked for. Only one need run in a
// workspace; two do nothing twice.
type Outbox struct{ Collector *Collector }

// Run looks until ctx ends or a batch fails.
func (o *Outbox) Run(ctx context.Context) error {
	for {
		n, err := o.Step(ctx)
		if err != nil {
			return fmt.Errorf("tell of what happened: %w", err)
		}
		if n == outboxBatch {
			continue
		}
		if err := clock.Pause(ctx, outboxEvery, nil); err != nil {
			return err
		}
	}
}

// Step takes one batch and says how many it was.
func (o *Outbox) Step(ctx context.Context) (int, error) {
	c := o.Collector
	list, err := c.cfg.Store.Happenings(ctx, outboxBatch)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	subs, err := c.collecting(ctx)
	if err != nil {
		return 0, err
	}
	var wanted []Happening
	for i := range list {
		if slices.ContainsFunc(subs, func(s Subscription) bool {
			return slices.ContainsFunc(s.Rules, func(r Rule) bool { return r.wants(list[i].Object, list[i].Type) })
		}) {
			wanted = append(wanted, list[i])
		}
	}
	var queue []Delivery
	broken := map[id.ID]string{}
	if len(wanted) > 0 {
		if queue, err = o.queue(ctx, wanted, subs, broken); err != nil {
			return 0, err
		}
	}
	err = c.cfg.Store.Tell(ctx, queue, broken, list)
	if fault.CodeOf(err) == "webhook.stale" { // another process told of them
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("queue deliveries: %w", err)
	}
	for i := range subs {
		if reason := broken[subs[i].ID]; reason != "" && c.cfg.Disabled != nil {
			c.cfg.Disabled(ctx, subs[i], reason)
		}
	}
	if len(queue) > 0 && c.cfg.Queued != nil {
		c.cfg.Queued()
	}
	return len(list), nil
}

// queue makes the deliveries of happenings, and names the subscriptions whose condition cannot be asked.
func (o *Outbox) queue(ctx context.Context, list []Happening, subs []Subscription, broken map[id.ID]string) ([]Delivery, error) {
	c := o.Collector
	stories, err := c.cfg.Source.Explain(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("explain what happened: %w", err)
	}
	var queue []Delivery
	for i := range list {
		if stories[i] == nil {
			continue
		}
		for j := range subs {
			s := &subs[j]
			ok, err := s.hears(&list[i], stories[i])
			switch {
			case broken[s.ID] != "":
			case err != nil && fault.KindOf(err) == fault.Invalid:
				broken[s.ID] = ReasonCondition
			case err != nil:
				return nil, err
			case ok:
				d, err := o.delivery(s, &list[i], stories[i])
				if err != nil {
					return nil, err
				}
				queue = append(queue, d)
			}
		}
	}
	return queue, nil
}

// hears reports whether a subscription is told of a happening.
func (s *Subscription) hears(h *Happening, story *Story) (bool, error) {
	for i := range s.Rules {
		r := &s.Rules[i]
		if !r.wants(h.Object, h.Type) {
			continue
		}
		if r.Where == nil {
			return true, nil
		}
		if ok, err := story.Holds(r.Where); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (o *Outbox) delivery(s *Subscription, h *Happening, story *Story) (Delivery, error) {
	c := o.Collector
	data := maps.Clone(story.Data)
	data["object"] = h.Object
	raw, err := encode(map[string]any{"type": h.Type, "timestamp": h.At.UTC(), "workspace": c.cfg.Workspace, "data": data})
	if err != nil {
		return Delivery{}, fmt.Errorf("body of an event: %w", err)
	}
	return Delivery{ID: c.cfg.IDs.Next(), Webhook: s.ID, Type: string(h.Type), Object: h.Object, Record: h.Record, At: h.At, Body: string(raw), Masked: []string{},
		State: Waiting, NextAt: c.cfg.Clock.Now()}, nil
}

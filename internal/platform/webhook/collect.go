package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Consumer is the name under which the position in the change log is kept.
const Consumer = "webhook"

// CollectorConfig is what a Collector needs; Log may be nil.
type CollectorConfig struct {
	Workspace string
	Store     Store
	Changes   change.Feed
	Source    Source
	Clock     clock.Clock
	IDs       *id.Generator
	Log       *slog.Logger
	Batch     int // change rows in one step, 500 when 0
	// Queued is told when there is something new to send.
	Queued func()
	// Disabled is told that a subscription was disabled, and why.
	Disabled func(ctx context.Context, s Subscription, reason string)
}

// Collector turns changes into deliveries. Only one may run at a time in a workspace.
type Collector struct{ cfg CollectorConfig }

// NewCollector makes a Collector.
func NewCollector(cfg CollectorConfig) *Collector {
	if cfg.Batch <= 0 {
		cfg.Batch = 500
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Collector{cfg: cfg}
}

// Run follows the log until ctx ends or a batch fails; run again, it goes on with that batch.
func (c *Collector) Run(ctx context.Context) error {
	return fmt.Errorf("collect webhook events: %w", c.walk().Run(ctx))
}

func (c *Collector) walk() *change.Follower {
	// The first time: what happened before the first subscription is nobody's, and is not walked through.
	begin := func(ctx context.Context) (change.Position, error) { return c.leap(ctx, change.Position{}) }
	return &change.Follower{Feed: c.cfg.Changes, Name: Consumer, Clock: c.cfg.Clock, Batch: c.cfg.Batch, Begin: begin, Step: c.step}
}

// leap goes to the head of the log where nobody subscribes. The head is read first: a change that somebody who subscribes in
// between is to be told of lies behind it.
func (c *Collector) leap(ctx context.Context, pos change.Position) (change.Position, error) {
	head, err := c.cfg.Changes.Head(ctx)
	if err != nil {
		return pos, fmt.Errorf("read head of changes: %w", err)
	}
	subs, err := c.collecting(ctx)
	if err != nil || len(subs) > 0 {
		return pos, err
	}
	return c.walk().Leap(ctx, pos, head)
}

func (c *Collector) collecting(ctx context.Context) ([]Subscription, error) {
	subs, err := c.cfg.Store.Webhooks(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return slices.DeleteFunc(subs, func(s Subscription) bool { return s.State == Disabled }), nil
}

// step takes one batch of changes and says how many it was; none where nobody subscribes and the position leapt.
func (c *Collector) step(ctx context.Context, after change.Position) (change.Position, int, error) {
	next, err := c.leap(ctx, after)
	if err != nil || next != after {
		return next, 0, err
	}
	rows, err := c.cfg.Changes.Read(ctx, after, c.cfg.Batch)
	if err != nil || len(rows) == 0 {
		return after, 0, err
	}
	// Listed after reading: whoever subscribes later is not told of what was there before.
	subs, err := c.collecting(ctx)
	if err != nil {
		return after, 0, err
	}
	queue, broken, err := c.queue(ctx, rows, subs)
	if err != nil {
		return after, 0, err
	}
	to := rows[len(rows)-1].Position
	if err := c.cfg.Store.Collect(ctx, queue, broken, to); err != nil {
		return after, 0, fmt.Errorf("queue deliveries: %w", err)
	}
	for i := range subs {
		if reason := broken[subs[i].ID]; reason != "" && c.cfg.Disabled != nil {
			c.cfg.Disabled(ctx, subs[i], reason)
		}
	}
	if len(queue) > 0 && c.cfg.Queued != nil {
		c.cfg.Queued()
	}
	return to, len(rows), nil
}

// wants reports whether a rule asks for events of this kind.
func (r *Rule) wants(object string, kind Kind) bool {
	return r.Object == object && slices.Contains(r.Kinds, kind)
}

// queue makes the deliveries of a batch, and names the subscriptions whose condition cannot be asked.
func (c *Collector) queue(ctx context.Context, rows []change.Row, subs []Subscription) ([]Delivery, map[id.ID]string, error) {
	wanted := make([]change.Row, 0, len(rows))
	for i := range rows {
		kind := KindOf(rows[i].Op)
		if slices.ContainsFunc(subs, func(s Subscription) bool {
			return slices.ContainsFunc(s.Rules, func(r Rule) bool { return r.wants(rows[i].Object, kind) })
		}) {
			wanted = append(wanted, rows[i])
		}
	}
	if len(wanted) == 0 {
		return nil, nil, nil
	}
	shots, err := c.cfg.Source.Describe(ctx, wanted)
	if err != nil {
		return nil, nil, fmt.Errorf("describe changes: %w", err)
	}
	var queue []Delivery
	broken := map[id.ID]string{}
	for i := range wanted {
		if shots[i] == nil {
			continue
		}
		for j := range subs {
			s := &subs[j]
			if broken[s.ID] != "" {
				continue
			}
			passes, err := s.passes(&wanted[i], shots[i])
			switch {
			case fault.KindOf(err) == fault.Invalid && err != nil:
				c.cfg.Log.Warn("the condition of a webhook cannot be asked any more", "webhook", id.Format(Prefix, s.ID), "error", err)
				broken[s.ID] = ReasonCondition
			case err != nil:
				return nil, nil, err
			case passes:
				d, err := c.delivery(s, &wanted[i], shots[i])
				if err != nil {
					return nil, nil, err
				}
				queue = append(queue, d)
			}
		}
	}
	return queue, broken, nil
}

func (s *Subscription) passes(row *change.Row, shot *Snapshot) (bool, error) {
	kind := KindOf(row.Op)
	if change.IsReshaped(row.After) { // the same values in another form
		return false, nil
	}
	for i := range s.Rules {
		r := &s.Rules[i]
		if !r.wants(row.Object, kind) {
			continue
		}
		if kind == Updated && len(r.Fields) > 0 && !slices.ContainsFunc(r.Fields, func(f string) bool { return slices.Contains(shot.Changed, f) }) {
			continue
		}
		if r.Where == nil {
			return true, nil
		}
		if shot.Holds == nil {
			continue
		}
		if ok, err := shot.Holds(r.Where); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// body is the JSON form of a message.
type body struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Workspace string    `json:"workspace"`
	Data      data      `json:"data"`
}

type data struct {
	Object  string         `json:"object,omitempty"`
	ID      string         `json:"id,omitempty"`
	Version int64          `json:"version,omitempty"`
	Fields  map[string]any `json:"fields,omitzero"`
	Changed []string       `json:"changed,omitzero"`
	File    string         `json:"file,omitempty"` // of FileAdded and FileRemoved
}

func (c *Collector) delivery(s *Subscription, row *change.Row, shot *Snapshot) (Delivery, error) {
	at := time.UnixMilli(row.At).UTC()
	b := body{Type: row.Object + "." + string(KindOf(row.Op)), Timestamp: at, Workspace: c.cfg.Workspace,
		Data: data{Object: row.Object, ID: shot.ID, Version: row.Version, Fields: shot.Fields, Changed: shot.Changed, File: shot.File}}
	raw, err := encode(b)
	if err != nil {
		return Delivery{}, fmt.Errorf("body of an event: %w", err)
	}
	return Delivery{ID: c.cfg.IDs.Next(), Webhook: s.ID, Type: b.Type, Object: row.Object, Record: row.Record, At: at, Body: string(raw), Masked: shot.Masked,
		State: Waiting, NextAt: c.cfg.Clock.Now()}, nil
}

func encode(v any) ([]byte, error) { return json.Marshal(v) }

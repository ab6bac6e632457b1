package automation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

const (
	timerEvery = 20 * time.Second
	// timerBack is how far back a start makes up for instants that passed while nobody was there.
	timerBack = 3 * 24 * time.Hour
)

// Timer begins runs of rules that go by the calendar. Only one may run at a time in a workspace; what two of them would begin is begun once.
type Timer struct {
	Service *Service
	Log     *slog.Logger
}

// Run looks at the clock until ctx ends.
func (t *Timer) Run(ctx context.Context) error {
	for {
		if err := t.Tick(ctx); err != nil {
			return fmt.Errorf("begin timed automations: %w", err)
		}
		if err := clock.Pause(ctx, timerEvery, nil); err != nil {
			return err
		}
	}
}

// Tick begins what is due now.
func (t *Timer) Tick(ctx context.Context) error {
	s := t.Service
	rules, err := s.cfg.Store.Rules(ctx, false, time.Time{})
	if err != nil {
		return err
	}
	for i := range rules {
		r := &rules[i]
		if k := r.Definition.Trigger.Kind; r.State != On || k != OnDate && k != OnSchedule {
			continue
		}
		if err := t.rule(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// rule begins the runs of every instant between the rule's cursor and now.
func (t *Timer) rule(ctx context.Context, r *Rule) error {
	s := t.Service
	now := s.cfg.Clock.Now()
	from := r.CursorAt
	if oldest := now.Add(-timerBack); from.Before(oldest) {
		from = oldest
	}
	slots := r.Definition.Trigger.slots(from, now, s.cfg.Zone())
	if len(slots) == 0 {
		return nil
	}
	acting, prog, err := s.acting(ctx, r, r.Revision)
	for _, slot := range slots {
		if err == nil {
			err = t.slot(acting, r, prog, slot)
		}
		if reason := pauseFor(err); reason != "" {
			if err := s.cfg.Store.PauseRule(ctx, r.ID, reason, now); err != nil {
				return err
			}
			s.paused(ctx, r.ID, reason)
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.cfg.Store.SetCursor(ctx, r.ID, slot); err != nil {
			return err
		}
	}
	return nil
}

// slots are the instants of a trigger after from and not after until.
func (t *Trigger) slots(from, until time.Time, zone *time.Location) []time.Time {
	m, ok := parseMinute(t.At)
	if !ok {
		return nil
	}
	var out []time.Time
	for day := clock.DayOf(from, zone); day <= clock.DayOf(until, zone); day++ {
		at := m.on(day, zone)
		if at.After(from) && !at.After(until) && (t.Kind == OnDate || t.onDay(day)) {
			out = append(out, at)
		}
	}
	return out
}

// onDay reports whether a calendar names a day.
func (t *Trigger) onDay(day clock.Day) bool {
	d := day.Time()
	switch t.Every {
	case "week":
		weekday := int(d.Weekday())
		if weekday == 0 {
			weekday = 7
		}
		return slices.Contains(t.Weekdays, weekday)
	case "month":
		last := time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return d.Day() == min(t.MonthDay, last)
	}
	return t.Every == "day"
}

// slot begins the runs of one instant.
func (t *Timer) slot(ctx context.Context, r *Rule, p *program, at time.Time) error {
	s := t.Service
	where, occasion := p.def.Where, "s"+strconv.FormatInt(at.UnixMilli(), 10)
	if p.def.Trigger.Kind == OnDate {
		day := clock.DayOf(at, s.cfg.Zone()) - clock.Day(p.def.Trigger.Days) //nolint:gosec // bounded when it was checked
		where, occasion = p.def.Trigger.onDate(day, where), "d"+day.String()
	}
	return s.cfg.Conditions.All(ctx, p.obj.Key, where, func(ids []id.ID) error {
		runs := make([]Run, len(ids))
		for i, v := range ids {
			runs[i] = s.fresh(r, p, v, occasion)
		}
		n, err := s.cfg.Store.Start(ctx, runs)
		if n > 0 {
			s.cfg.Notify()
		}
		return err
	})
}

// onDate is the condition of the records whose date is a day, beside the rule's own.
func (t *Trigger) onDate(day clock.Day, where *query.Node) *query.Node {
	var leaf *query.Node
	if t.Yearly {
		value, _ := json.Marshal(map[string]string{"from": day.String(), "to": day.String()}) //nolint:errchkjson // texts
		leaf = &query.Node{Field: t.Field, Op: "anniversary_within", Value: value}
	} else {
		value, _ := json.Marshal(day.String()) //nolint:errchkjson // a text
		leaf = &query.Node{Field: t.Field, Op: "=", Value: value}
	}
	if where == nil {
		return leaf
	}
	return &query.Node{All: []*query.Node{leaf, where}}
}

// NextAt is when a rule that goes by the calendar looks next; zero for others.
func (s *Service) NextAt(r *Rule) time.Time {
	t := &r.Definition.Trigger
	if r.State != On || t.Kind != OnDate && t.Kind != OnSchedule {
		return time.Time{}
	}
	now := s.cfg.Clock.Now()
	if slots := t.slots(now, now.Add(32*24*time.Hour), s.cfg.Zone()); len(slots) > 0 {
		return slots[0]
	}
	return time.Time{}
}

func gone(err error) bool {
	k := fault.KindOf(err)
	return err != nil && (k == fault.NotFound || k == fault.Forbidden)
}

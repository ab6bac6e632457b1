package automation_test

import (
	"context"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

// plane is a segment whose members may be missing for a while, as when analytics are made anew, and what rules remember of it.
type plane struct {
	automation.Store
	members  []id.ID
	whole    func(within bool) bool
	watches  []automation.Watch
	had      []id.ID
	crossing []automation.Crossing
	trigger  automation.TriggerKind
}

func (p *plane) Rules(context.Context, bool, time.Time) ([]automation.Rule, error) {
	return []automation.Rule{{ID: 1, State: automation.On, Definition: automation.Definition{Object: "customer", Trigger: automation.Trigger{Kind: p.trigger, Segment: "vip"}}}}, nil
}

func (p *plane) Find(context.Context, string) (automation.Segment, error) {
	return automation.Segment{Key: "vip", Mark: "one"}, nil
}
func (p *plane) Touched(context.Context) ([]id.ID, error)            { return p.had, nil }
func (p *plane) Whole(_ context.Context, within bool) (bool, error)  { return p.whole(within), nil }
func (p *plane) Settle(context.Context) error                        { return nil }
func (p *plane) Head(context.Context) (change.Position, error)       { return change.Position{Seq: 7}, nil }
func (p *plane) Watches(context.Context) ([]automation.Watch, error) { return p.watches, nil }
func (p *plane) DropWatch(context.Context, string) error             { p.watches, p.had = nil, nil; return nil }
func (p *plane) PutWatch(_ context.Context, w automation.Watch) error {
	p.watches = []automation.Watch{w}
	return nil
}
func (p *plane) Cross(_ context.Context, c automation.Crossing) error {
	p.crossing = append(p.crossing, c)
	return nil
}

func (p *plane) Among(context.Context, string, []id.ID) (map[id.ID]bool, error) {
	out := map[id.ID]bool{}
	for _, v := range p.members {
		out[v] = true
	}
	return out, nil
}

func (p *plane) Members(_ context.Context, _ string, after id.ID, _ int) ([]id.ID, error) {
	return behind(p.members, after), nil
}

func (p *plane) Watched(context.Context, string, []id.ID) ([]id.ID, error) { return p.had, nil }

func (p *plane) WatchedAfter(_ context.Context, _ string, after id.ID, _ int) ([]id.ID, error) {
	return behind(p.had, after), nil
}

func behind(list []id.ID, after id.ID) (out []id.ID) {
	for _, v := range list {
		if v > after {
			out = append(out, v)
		}
	}
	return out
}

// Nobody has left a segment whose members are missing since analytics are made anew, and nobody enters when they are back.
func TestNobodyMovesWhileAnalyticsAreMadeAnew(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		whole func(within bool) bool
		do    func(w *automation.Watcher) error
	}{
		{"by the clock", func(bool) bool { return false }, func(w *automation.Watcher) error { return w.Tick(t.Context()) }},
		{"by the clock, while classes are given", func(within bool) bool { return within }, func(w *automation.Watcher) error { return w.Tick(t.Context()) }},
		{"after a small pass", func(bool) bool { return false }, func(w *automation.Watcher) error { return w.Passed(t.Context(), false) }},
		{"after a full pass", func(bool) bool { return false }, func(w *automation.Watcher) error { return w.Passed(t.Context(), true) }},
		{"that began in the middle", once(), func(w *automation.Watcher) error { return w.Passed(t.Context(), true) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &plane{whole: c.whole, had: []id.ID{1, 2, 3}, trigger: automation.OnLeaves,
				watches: []automation.Watch{{Segment: "vip", Mark: "one", Since: day.Add(-24 * time.Hour), LookedAt: day.Add(-2 * time.Hour)}}}
			w := &automation.Watcher{Service: automation.New(automation.Config{Store: p, Segments: p, Watches: p, Clock: clock.NewFake(day)})}
			if err := c.do(w); err != nil {
				t.Fatal(err)
			}
			if len(p.crossing) > 0 || len(p.watches) != 1 || !p.watches[0].LookedAt.Equal(day.Add(-2*time.Hour)) {
				t.Errorf("crossed %+v, watches %+v", p.crossing, p.watches)
			}
		})
	}
}

// once is whole when it is asked first, and not any more.
func once() func(bool) bool {
	asked := 0
	return func(bool) bool { asked++; return asked == 1 }
}

// Members that were taken while a part of them was missing are not kept: the clock takes them when all is there.
func TestFirstMembersAreAllOfThem(t *testing.T) {
	t.Parallel()
	p := &plane{whole: once(), members: []id.ID{1}, trigger: automation.OnEnters}
	w := &automation.Watcher{Service: automation.New(automation.Config{Store: p, Segments: p, Watches: p, Clock: clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))})}
	if err := w.Tick(t.Context()); err != nil || len(p.watches) != 0 {
		t.Fatalf("kept %+v, %v", p.watches, err)
	}
	p.whole, p.members = func(bool) bool { return true }, []id.ID{1, 2, 3}
	if err := w.Tick(t.Context()); err != nil || len(p.watches) != 1 {
		t.Fatalf("kept %+v, %v", p.watches, err)
	}
	if last := p.crossing[len(p.crossing)-1]; len(last.Entered) != 3 || len(last.Runs) != 0 {
		t.Errorf("%+v", last)
	}
}

// A comparison that could not be made is made up for as soon as all is there, not only at the next full hour.
func TestMissedComparisonIsMadeUpFor(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	p := &plane{had: []id.ID{1, 2}, members: []id.ID{1, 2}, trigger: automation.OnEnters}
	w := &automation.Watcher{Service: automation.New(automation.Config{Store: p, Segments: p, Watches: p, Clock: clock.NewFake(day)})}
	tick := func() error { return w.Tick(t.Context()) }
	pass := func() error { return w.Passed(t.Context(), false) }
	for i, step := range []struct {
		whole    bool
		do       func() error
		everyone bool // are compared
	}{
		{true, tick, true}, // the first time of a process
		{true, tick, false},
		{false, pass, false},
		{false, tick, false},
		{true, tick, true},
		{true, tick, false},
	} {
		p.whole = func(bool) bool { return step.whole }
		p.watches = []automation.Watch{{Segment: "vip", Mark: "one", Since: day.Add(-24 * time.Hour), LookedAt: day.Add(-time.Minute)}}
		if err := step.do(); err != nil || p.watches[0].LookedAt.Equal(day) != step.everyone || len(p.crossing) > 0 {
			t.Fatalf("step %d: %+v, crossed %+v, %v", i+1, p.watches, p.crossing, err)
		}
	}
}

// After each segment that was computed it is asked whether a watched one has another condition: unless it has, nothing is waited for, even while a
// pass goes on; where it has, its members are taken anew without anybody moving.
func TestOnlyAnotherConditionIsWaitedFor(t *testing.T) {
	t.Parallel()
	asked := 0
	p := &plane{whole: func(bool) bool { asked++; return asked > 1 }, had: []id.ID{1}, members: []id.ID{2, 3}, trigger: automation.OnEnters}
	s := automation.New(automation.Config{Store: p, Segments: p, Watches: p, Clock: clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))})
	for _, watches := range [][]automation.Watch{nil, {{Segment: "vip", Mark: "one"}}} {
		p.watches = watches
		if err := s.SegmentsChanged(t.Context()); err != nil || asked != 0 || len(p.crossing) != 0 {
			t.Fatalf("%+v: asked %d times, %+v, %v", watches, asked, p.crossing, err)
		}
	}
	p.watches = []automation.Watch{{Segment: "vip", Mark: "another"}}
	if err := s.SegmentsChanged(t.Context()); err != nil || asked < 2 || p.watches[0].Mark != "one" || len(p.crossing) != 1 {
		t.Fatalf("asked %d times, %+v, %+v, %v", asked, p.watches, p.crossing, err)
	}
	if c := p.crossing[0]; len(c.Entered) != 2 || len(c.Runs) != 0 {
		t.Errorf("%+v", c)
	}
}

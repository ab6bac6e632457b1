package storetest

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// JourneySpeed lets people through a journey of a wait, a branch, a split, a send and a wait for an event, and says how many steps a minute that
// was, how much memory was in use at the end, and how long it takes to count who is where.
func JourneySpeed(b *testing.B, db sqlstore.DB, people int) {
	b.Helper()
	w := NewWorld(b, db)
	now := clock.NewFake(T0)
	ids := id.NewGenerator(now, 1)
	c := &crowd{people: people, store: w.Store, ids: ids, gone: map[id.ID]bool{}}
	store := sqlstore.NewJourneys(w.Store)
	svc := journey.New(journey.Config{Store: store, People: c, Desk: others{c}, Sender: post{c}, Offers: giver{c}, Caller: called{}, Clock: now, Zone: func() *time.Location { return time.UTC }, IDs: ids,
		Log: slog.New(slog.DiscardHandler), Note: func(context.Context, string, id.ID, map[string]any) error { return nil }, Publish: func(id.ID) {}, Wake: func() {}})
	ctx := access.With(context.Background(), access.System())
	d := journey.Definition{Trigger: journey.Trigger{Kind: journey.OnSchedule, Every: journey.Daily, At: "09:00"}, Reentry: journey.Reentry{Kind: journey.ReOnce}, Start: "a", Steps: []journey.Step{
		{Key: "a", Kind: journey.Wait, Wait: &journey.Waiting{Hours: 1}, Next: "b"},
		{Key: "b", Kind: journey.Branch, Ways: []journey.Way{{Key: "x", Where: number("1"), Next: "c"}}, Next: "c"},
		{Key: "c", Kind: journey.Split, Ways: []journey.Way{{Key: "p", Share: 50, Next: "s"}, {Key: "q", Share: 50, Next: "e"}}},
		{Key: "s", Kind: journey.Send, Template: "t", Run: 9000, Next: "e"},
		{Key: "e", Kind: journey.Wait, Wait: &journey.Waiting{Days: 2, Event: "Came"}, Ways: []journey.Way{{Key: "y", Next: "end"}}, Next: "end"}, {Key: "end", Kind: journey.End}}}
	j, err := svc.Create(ctx, "j", d)
	if err != nil {
		b.Fatal(err)
	}
	if j, err = svc.Go(ctx, j.ID, 1, journey.Finish); err != nil {
		b.Fatal(err)
	}
	work := func() time.Duration {
		began := clock.System{}.Now()
		for busy := true; busy; {
			if busy, err = svc.Work(ctx); err != nil {
				b.Fatal(err)
			}
		}
		return clock.System{}.Now().Sub(began)
	}
	now.Advance(24 * time.Hour)
	entered := work() // all enter and begin to wait
	now.Advance(2 * time.Hour)
	moved := work()
	now.Advance(72 * time.Hour)
	moved += work()
	tallies, err := store.Tallies(ctx, j.ID)
	if err != nil {
		b.Fatal(err)
	}
	steps := int64(0)
	for _, t := range tallies {
		if t.Step != "" && t.Step != "end" {
			steps += t.N
		}
	}
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	began := clock.System{}.Now()
	st, _, err := store.Standing(ctx, j.ID)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(steps)/moved.Minutes(), "steps/min")
	b.ReportMetric(float64(st.Entered)/entered.Minutes(), "entries/min")
	b.ReportMetric(float64(mem.HeapInuse)/(1<<20), "MB-heap")
	b.ReportMetric(float64(mem.Sys)/(1<<20), "MB-sys")
	b.ReportMetric(float64(clock.System{}.Now().Sub(began).Milliseconds()), "count-ms")
	b.ReportMetric(0, "ns/op")
	if st.Done+st.Held != st.Entered {
		b.Fatalf("%+v", st)
	}
}

package forecast_test

import (
	"context"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// keeper keeps watches in memory.
type keeper struct {
	list []forecast.Watch
	said map[id.ID]map[clock.Day]forecast.Said
}

func (k *keeper) Watches(context.Context) ([]forecast.Watch, error) { return k.list, nil }

func (k *keeper) Add(_ context.Context, w forecast.Watch) error {
	k.list = append(k.list, w)
	return nil
}

func (k *keeper) Tell(_ context.Context, watch id.ID, users []id.ID) error {
	for i := range k.list {
		if k.list[i].ID == watch {
			k.list[i].Told = users
		}
	}
	return nil
}

func (k *keeper) Drop(context.Context, id.ID) error { k.list = nil; return nil }

func (k *keeper) Said(_ context.Context, watch id.ID) (out []forecast.Said, err error) {
	for d := clock.Day(0); d < 30_000; d++ {
		if s, ok := k.said[watch][d]; ok {
			out = append(out, s)
		}
	}
	return out, nil
}

func (k *keeper) Say(_ context.Context, watch id.ID, list []forecast.Said) error {
	if k.said[watch] == nil {
		k.said[watch] = map[clock.Day]forecast.Said{}
	}
	for _, s := range list {
		k.said[watch][s.From] = s
	}
	return nil
}

// A watch has a past at once, what is said stays, and a day that nobody expected is an anomaly.
func TestWatch(t *testing.T) {
	t.Parallel()
	s := company(t, "2025-03-01", "2026-06-10", 8)
	k := &keeper{said: map[id.ID]map[clock.Day]forecast.Said{}}
	f := service(s, day(t, "2026-06-11")).Watching(k, func() id.ID { return 9 })
	w, err := f.Watch(reader(), forecast.Ask{Figure: forecast.Revenue, Period: forecast.Day})
	if err != nil {
		t.Fatal(err)
	}
	first, err := f.Watches(reader())
	if err != nil || len(first) != 1 || len(first[0].Said) != 13 || first[0].Odd > 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	last := first[0].Said[12]
	if last.Came != nil || last.From != day(t, "2026-06-11") || first[0].Error == nil || *first[0].Error > 0.5 {
		t.Errorf("%+v", last)
	}
	for _, v := range first[0].Said[:12] {
		if v.Came == nil || v.Made >= v.From {
			t.Errorf("%+v", v)
		}
	}
	// The next day brings ten times as much.
	for i := range int64(120) {
		s.sales = append(s.sales, sale{day: day(t, "2026-06-11"), customer: i, amount: 30_000, pieces: 1})
	}
	s.anchor = day(t, "2026-06-12")
	g := service(s, s.anchor).Watching(k, func() id.ID { return 10 })
	if n, err := g.Look(reader()); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	second, err := g.Watches(reader())
	if err != nil {
		t.Fatal(err)
	}
	judged := second[0].Said[12]
	if judged.Came == nil || !judged.Odd() || judged.Mean != last.Mean || second[0].Odd != first[0].Odd+1 || len(second[0].Said) != 14 {
		t.Errorf("%+v, %d odd", judged, second[0].Odd)
	}
	if _, err := g.Watch(context.Background(), forecast.Ask{Figure: forecast.Revenue, Period: forecast.Day}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("without a right: %v", err)
	}
	if err := g.Unwatch(reader(), w.ID); err != nil {
		t.Error(err)
	}
}

func TestModelMeasures(t *testing.T) {
	t.Parallel()
	s := company(t, "2024-01-01", "2026-06-10", 9)
	k := &keeper{said: map[id.ID]map[clock.Day]forecast.Said{}}
	m := forecast.NewModel(service(s, day(t, "2026-06-11")).Watching(k, func() id.ID { return 9 }))
	got, err := m.Fit(reader(), predict.Request{Until: s.anchor})
	if err != nil || len(got.Card.Measures) != 3 || len(got.Card.Charts[0].X) != 12 {
		t.Fatalf("%+v, %v", got.Card, err)
	}
	if v := got.Card.Measures[0]; v.Peer == nil || v.Value >= *v.Peer {
		t.Errorf("%+v", v)
	}
	if _, err := m.Score(reader(), predict.ScoreRequest{}); err != nil {
		t.Error(err)
	}
	empty := forecast.NewModel(service(&shop{anchor: 20_000}, 20_000).Watching(k, nil))
	if got, err := empty.Fit(reader(), predict.Request{Until: 20_000}); err != nil || len(got.Card.Notes) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

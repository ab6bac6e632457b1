package analytics_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// rollAll rolls every day up that has been quiet and says how many there were.
func rollAll(t testing.TB, f *analytics.Events) (n int) {
	t.Helper()
	for {
		did, err := f.Rollup(t.Context())
		must(t, err)
		if did == 0 {
			return n
		}
		n++
	}
}

func webOf(b *bench) *analytics.Web {
	env := func() compile.Env {
		return compile.Env{Registry: b.reg, Now: b.clock.Now(), Zone: time.UTC, Base: "CNY"}
	}
	a := analytics.NewAudience(b.store, env, func(context.Context) (report.Freshness, error) { return report.Freshness{}, nil })
	return analytics.NewWeb(b.db, a, func() *time.Location { return time.UTC })
}

// reports are the answers of every report that rollups give.
func reports(t *testing.T, w *analytics.Web, q web.Question) map[string]any {
	t.Helper()
	ctx, out := t.Context(), map[string]any{}
	put := func(name string) func(v any, err error) {
		return func(v any, err error) {
			must(t, err)
			out[name] = v
		}
	}
	totals, err := w.Totals(ctx, q)
	put("totals")(totals, err)
	trend, err := w.Trend(ctx, q, false)
	put("trend")(trend, err)
	for _, d := range []web.Dimension{web.Channel, web.Campaign, web.Entry, web.Exit, web.Host, web.Device, web.Referrer} {
		rows, err := w.Breakdown(ctx, q, d, 3)
		put("by "+string(d))(rows, err)
	}
	pages, err := w.Pages(ctx, q, 100)
	put("pages")(pages, err)
	events, err := w.Events(ctx, q, 100)
	put("events")(events, err)
	for _, r := range []web.Retention{{Start: web.OfVisit, Return: web.OfVisit, Period: "day"}, {Start: "Product Added", Return: web.OfVisit, Period: "week"},
		{Start: web.OfVisit, Return: analytics.OrderCompleted, Period: "month"}, {Start: web.OfPurchase, Return: web.OfVisit, Period: "month"}} {
		cells, err := w.Retention(ctx, q, r)
		put(fmt.Sprint("retention ", r))(cells, err)
	}
	for _, only := range []string{"", "bounced", "converted"} {
		list, err := w.People(ctx, q, web.Behind{Visits: true, Only: only}, web.PeoplePage{Anonymous: only == "", After: 1_000_050, Limit: 7, Count: true})
		put("visitors "+only)(list, err)
	}
	if q.Goal != "" || len(q.Is) > 0 { // strips leave these to the facts, or do not ask about them
		return out
	}
	steps := []web.Step{{Event: "Page Viewed", Path: "/a*"}, {Event: "Product Added"}, {Event: "Page Viewed"}, {Event: analytics.OrderCompleted}}
	for n := 2; n <= len(steps); n++ {
		reached, err := w.Funnel(ctx, q, web.Funnel{Steps: steps[:n], Window: n - 1})
		put(fmt.Sprint("funnel of ", n))(reached, err)
	}
	reached, err := w.Funnel(ctx, q, web.Funnel{Steps: steps, Window: 4, By: "device"})
	put("funnel by device")(reached, err)
	for _, p := range []web.Paths{{Nodes: web.PathPages, Depth: 4, Top: 9}, {Nodes: web.PathEvents, Depth: 3, Top: 9}, {Nodes: web.PathBoth, Backward: true, Depth: 6, Top: 9},
		{Nodes: web.PathBoth, Node: "Product Added", Backward: true, Depth: 4, Top: 9}, {Nodes: web.PathPages, Node: "/a", Depth: 5, Top: 9}} {
		links, err := w.Paths(ctx, q, p)
		put(fmt.Sprint("paths ", p))(links, err)
	}
	for i, behind := range []web.Behind{{Funnel: &web.FunnelStep{Funnel: web.Funnel{Steps: steps, Window: 4}, Step: 1, Lost: true}},
		{Funnel: &web.FunnelStep{Funnel: web.Funnel{Steps: steps, Window: 4, By: "device"}, Step: 2, Grouped: true, Group: "mobile"}},
		{Way: &web.Way{Paths: web.Paths{Nodes: web.PathPages, Depth: 4, Top: 9}, Step: 2, From: "/", To: "/a"}}, {Way: &web.Way{Paths: web.Paths{Nodes: web.PathPages, Depth: 4, Top: 9}, Step: 1, From: "/", Ended: true}}} {
		list, err := w.People(ctx, q, behind, web.PeoplePage{Anonymous: true, After: 1_000_050, Limit: 7, Count: true})
		put(fmt.Sprint("people ", i))(list, err)
	}
	return out
}

// rollQuestions are whole spans and parts of them, with what rollups answer and what they leave to the facts.
func rollQuestions(span web.Span) []web.Question {
	is := func(d web.Dimension, v string) web.Filter { return web.Filter{Is: map[web.Dimension]string{d: v}} }
	return []web.Question{
		{Span: span}, {Span: span, Goal: "Product Added"}, {Span: span, Goal: "identify"}, {Span: span, Goal: "never"}, {Span: web.Span{From: span.From + 1, To: span.From + 1}},
		{Span: span, Filter: is(web.Channel, "search")}, {Span: span, Filter: is(web.Campaign, "")}, {Span: span, Filter: is(web.Host, "shop.example")}, {Span: span, Filter: is(web.Host, "")},
		{Span: span, Filter: is(web.Device, "mobile"), Goal: "Product Added"}, {Span: span, Filter: web.Filter{Through: 1}}, {Span: span, Filter: web.Filter{Through: 2, Is: map[web.Dimension]string{web.Channel: "direct"}}},
	}
}

// Whatever comes in whatever order, moves to other owners or goes for good: what rollups answer is what the facts say, at every moment, and once
// everything is quiet no day is left to its facts.
func TestRollupsEqualTheirFacts(t *testing.T) {
	t.Parallel()
	onBoth(t, rollupsEqualTheirFacts)
}

func rollupsEqualTheirFacts(t *testing.T, b *bench) {
	ctx := t.Context()
	f := &facts{Events: analytics.NewEvents(b.db, b.clock)}
	w := webOf(b)
	plain := w.FromFacts()
	rnd := rand.New(rand.NewPCG(11, 4))
	var next atomic.Int64
	next.Store(1_000_000)
	must(t, f.visits(ctx, false))
	span := web.Span{From: clock.NewDay(2026, time.March, 1), To: clock.NewDay(2026, time.March, 20)}
	var waiting []deed
	var profiles []int64
	lives := rapid.Custom(func(r *rapid.T) []deed {
		list, _ := life(r, &next)
		return list
	})
	equal := func(moment string) {
		t.Helper()
		for i, q := range rollQuestions(span) {
			got, want := reports(t, w, q), reports(t, plain, q)
			for name := range want {
				if !reflect.DeepEqual(tidied(got[name]), tidied(want[name])) {
					t.Fatalf("%s, question %d, %s:\n got %+v\nwant %+v", moment, i, name, got[name], want[name])
				}
			}
		}
	}
	for round := range 10 {
		list := lives.Example(round)
		for i := range list {
			list[i].at -= int64(rnd.IntN(3)) * int64(24*time.Hour/time.Millisecond) * int64(round%4)
			if rnd.IntN(12) == 0 {
				list[i].flags |= 64
			}
			profiles = append(profiles, list[i].profile)
		}
		waiting = append(waiting, list...)
		rnd.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		n := rnd.IntN(len(waiting)) + 1
		must(t, f.load(ctx, waiting[:n]))
		waiting = waiting[n:]
		if round%3 > 0 {
			must(t, f.visits(ctx, round > 6))
		}
		slices.Sort(profiles)
		profiles = slices.Compact(profiles)
		who := id.ID(profiles[rnd.IntN(len(profiles))])
		switch round % 4 {
		case 1, 3:
			_, err := f.Move(ctx, map[id.ID]analytics.Owner{who: {ID: id.ID(7_000_000 + rnd.IntN(3)), Known: true}}, int64(round))
			must(t, err)
		case 2:
			_, err := f.Drop(ctx, analytics.Gone{Profiles: []id.ID{who}})
			must(t, err)
		}
		if round%2 == 1 {
			b.clock.Advance(30 * time.Second)
			if n := rollAll(t, f.Events); n == 0 {
				t.Errorf("round %d: nothing was rolled up", round)
			}
		}
		if round > 4 && round != 6 {
			equal(fmt.Sprint("round ", round))
		}
	}
	_, err := f.Drop(ctx, analytics.Gone{Before: map[id.ID]int64{1: int64(span.From) + 1}})
	must(t, err)
	must(t, f.visits(ctx, false))
	b.clock.Advance(30 * time.Second)
	rollAll(t, f.Events)
	equal("at the end")
	c, err := f.CheckRollups(ctx, 1000)
	must(t, err)
	if c.Stale != 0 || c.Days < 5 || len(c.Compared) != c.Days || len(c.Differing) > 0 {
		t.Errorf("%+v", c)
	}
	// What is damaged is told, and a rebuild repairs it.
	must(t, write(ctx, b.db, fmt.Sprintf("UPDATE web_day SET views = views + 1 WHERE kind = 'all' AND day = %d", c.Compared[1])))
	if d, err := f.CheckRollups(ctx, 1000); err != nil || !slices.Equal(d.Differing, c.Compared[1:2]) {
		t.Errorf("%+v differ, %v", d.Differing, err)
	}
	must(t, f.RemakeRollups(ctx))
	equal("without rollups")
	rollAll(t, f.Events)
	if d, err := f.CheckRollups(ctx, 1000); err != nil || len(d.Differing) > 0 || d.Days != c.Days {
		t.Errorf("%+v after a rebuild, %v", d, err)
	}
}

// tidied brings what has no order into one.
func tidied(v any) any {
	if cells, ok := v.([]web.Cell); ok {
		out := slices.Clone(cells)
		slices.SortFunc(out, func(a, b web.Cell) int {
			return int(a.Cohort-b.Cohort)*1000 + a.Period - b.Period
		})
		return out
	}
	if links, ok := v.([]web.Link); ok {
		out := make([]string, len(links))
		for i, l := range links {
			to := "(end)"
			if l.To != nil {
				to = fmt.Sprint(*l.To)
			}
			out[i] = fmt.Sprint(l.Step, *l.From, to, l.Count)
		}
		slices.Sort(out)
		return out
	}
	return v
}

// A day that changes all the time waits until it is quiet, at most an hour.
func TestADayIsRolledUpWhenItIsQuiet(t *testing.T) {
	t.Parallel()
	onBoth(t, rolledUpWhenQuiet)
}

func rolledUpWhenQuiet(t *testing.T, b *bench) {
	ctx := t.Context()
	f := &facts{Events: analytics.NewEvents(b.db, b.clock)}
	rollAll(t, f.Events)
	at := noon(20_000).UnixMilli()
	come := func(n int64) {
		t.Helper()
		must(t, f.load(ctx, []deed{{id: n, profile: 1, owner: 1, at: at + n, source: 1, kind: "page", name: "Page Viewed", path: "/"}}))
	}
	come(1)
	if n := rollAll(t, f.Events); n != 0 {
		t.Errorf("%d days were rolled up at once", n)
	}
	rolled, rounds := 0, 0
	for n := int64(2); rolled == 0 && rounds < 1000; n++ {
		b.clock.Advance(15 * time.Second)
		come(n)
		rolled, rounds = rollAll(t, f.Events), rounds+1
	}
	if took := time.Duration(rounds) * 15 * time.Second; took < 59*time.Minute || took > 61*time.Minute {
		t.Errorf("it took %s", took)
	}
	come(2000)
	b.clock.Advance(21 * time.Second)
	if n := rollAll(t, f.Events); n != 1 {
		t.Errorf("%d days were rolled up once it was quiet", n)
	}
}

// Of whoever is taken out nothing stands in the rollups: their days go with the facts and are made anew without them.
func TestRollupsForgetWhoIsTakenOut(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		b.clock.Set(noon(20_001))
		f := analytics.NewEvents(b.db, b.clock)
		var list []analytics.Row
		at := int64(20_000) * wholeDay
		for i, d := range []deed{{profile: 1, path: "/zqxcanary"}, {profile: 1, path: "/shared"}, {profile: 2, path: "/shared"}, {profile: 2, path: "/other"}} {
			d.id, d.owner, d.at, d.source, d.kind, d.name, d.host, d.channel = int64(i+1), d.profile, at+int64(i)*minute, 1, "page", "Page Viewed", "shop.example", "search"
			list = append(list, d.row())
		}
		must(t, f.Load(t.Context(), list, change.Position{}, change.Position{Seq: 1}))
		made := func() {
			t.Helper()
			for {
				n, err := f.Visits(t.Context(), analytics.VisitOptions{})
				must(t, err)
				if n == 0 {
					break
				}
			}
			b.clock.Advance(2 * time.Hour)
			if rollAll(t, f) == 0 {
				t.Fatal("nothing was rolled up")
			}
		}
		made()
		found := func() int {
			n := strings.Count(b.table(t, "SELECT kind, place, host, value, title FROM web_day"), "zqxcanary")
			rows, err := b.db.Query(t.Context(), "SELECT body FROM web_strip")
			must(t, err)
			defer rows.Close()
			for rows.Next() {
				var body []byte
				must(t, rows.Scan(&body))
				n += strings.Count(string(body), "zqxcanary")
			}
			must(t, rows.Err())
			return n
		}
		q := web.Question{Span: web.Span{From: 19_999, To: 20_001}}
		if found() == 0 {
			t.Fatal("the page is in no rollup, so this proves nothing")
		}
		_, err := f.Drop(t.Context(), analytics.Gone{Profiles: []id.ID{1}})
		must(t, err)
		if n := found(); n != 0 {
			t.Errorf("%d places name the page of whoever is gone", n)
		}
		made()
		if n := found(); n != 0 {
			t.Errorf("%d places name the page once the day is made anew", n)
		}
		totals, err := webOf(b).Totals(t.Context(), q)
		must(t, err)
		if totals.Visitors != 1 || totals.Views != 2 {
			t.Errorf("the day has %+v, want the other visitor alone", totals)
		}
	})
}

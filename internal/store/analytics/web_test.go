package analytics_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// webBench is a plane with traffic, of whom the even ones are customers; every fourth of these is a company.
func webBench(t *testing.T, b *bench) (*traffic, *analytics.Web) {
	t.Helper()
	tr := makeTraffic(3)
	must(t, tr.load(t.Context(), b))
	b.load(t, "customer", []string{"id", "version", "created_at", "created_at_day", "created_by", "updated_at", "updated_at_day", "kind"}, func(yield func([]any, error) bool) {
		for who := int64(2); who <= 90; who += 2 {
			kind := "person"
			if who%4 == 0 {
				kind = "company"
			}
			if !yield([]any{who, int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), kind}, nil) {
				return
			}
		}
	})
	rollAll(t, analytics.NewEvents(b.db, b.clock)) // most days rolled up, some left to their facts
	for _, day := range []clock.Day{trafficFrom + 2, trafficFrom + 5, trafficFrom + 30} {
		must(t, write(t.Context(), b.db, fmt.Sprintf("DELETE FROM web_day WHERE day = %d", day), fmt.Sprintf("INSERT INTO web_stale (day, batch, since, changed) VALUES (%d, 1, 0, 0)", day)))
	}
	// Few events at a time: what is summed of several parts is the same.
	return tr, webOf(b).AtOnce(150)
}

// webQuestions are spans with filters of every sort.
func webQuestions(t *testing.T) []asks {
	t.Helper()
	companies, err := query.Parse([]byte(`{"field":"kind","op":"=","value":"company"}`))
	must(t, err)
	span := web.Span{From: trafficFrom + 1, To: trafficFrom + trafficDays - 3}
	all := web.Span{From: trafficFrom - 5, To: trafficFrom + 2*trafficDays}
	return []asks{
		{Question: web.Question{Span: all}},
		{Question: web.Question{Span: span, Goal: "Added"}},
		{Question: web.Question{Span: span, Filter: web.Filter{Is: map[web.Dimension]string{web.Channel: "search"}}, Goal: "Added"}},
		{Question: web.Question{Span: all, Filter: web.Filter{Is: map[web.Dimension]string{web.Device: "mobile", web.Channel: ""}}}},
		{Question: web.Question{Span: span, Filter: web.Filter{Is: map[web.Dimension]string{web.Device: ""}, Through: 5}}},
		{Question: web.Question{Span: all, Filter: web.Filter{Through: 6}}, members: func(int64) bool { return false }},
		{Question: web.Question{Span: span, Filter: web.Filter{}.Among(companies)}, members: func(who int64) bool { return who%4 == 0 }},
	}
}

func TestWebFiguresAreThoseOfANaiveCount(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		tr, w := webBench(t, b)
		for i, q := range webQuestions(t) {
			got, err := w.Totals(t.Context(), q.Question)
			must(t, err)
			if want := tr.totals(q, tr.in(q, true)); got != want {
				t.Errorf("question %d: totals %+v, not %+v", i, got, want)
			}
			tr.wantTrend(t, w, i, q)
			rows, err := w.Breakdown(t.Context(), q.Question, web.Channel, 100)
			must(t, err)
			var sum int64
			for _, r := range rows {
				sum += r.Visits
				narrow := slices.DeleteFunc(tr.in(q, true), func(v *webVisit) bool { return v.channel != r.Value })
				if want := tr.totals(q, narrow); r.Totals != want {
					t.Errorf("question %d, channel %q: %+v, not %+v", i, r.Value, r.Totals, want)
				}
			}
			if sum != got.Visits {
				t.Errorf("question %d: the channels have %d visits, not %d", i, sum, got.Visits)
			}
			pages, err := w.Pages(t.Context(), q.Question, 100)
			must(t, err)
			var lines []string
			for _, p := range pages {
				lines = append(lines, fmt.Sprintln(p.Path, p.Views, p.Visitors, p.Entries, p.Exits, p.Bounced, p.Dwell))
			}
			slices.Sort(lines)
			if got, want := strings.Join(lines, ""), tr.pages(q); got != want {
				t.Errorf("question %d: pages\n%snot\n%s", i, got, want)
			}
			tr.wantEvents(t, w, i, q)
		}
	})
}

func (tr *traffic) wantTrend(t *testing.T, w *analytics.Web, i int, q asks) {
	t.Helper()
	for _, hours := range []bool{false, true} {
		got, err := w.Trend(t.Context(), q.Question, hours)
		must(t, err)
		if hours && len(got) != 24*q.Days() || !hours && len(got) != q.Days() {
			t.Errorf("question %d: %d buckets of %d days", i, len(got), q.Days())
		}
		for _, g := range got {
			in := slices.DeleteFunc(tr.in(q, true), func(v *webVisit) bool {
				return v.day != g.Day || hours && v.from/3_600_000 != g.At.UnixMilli()/3_600_000
			})
			if want := tr.totals(q, in); g.Visits != want.Visits || g.Visitors != want.Visitors || g.Views != want.Views {
				t.Errorf("question %d, %s %v: %+v, not %+v", i, g.Day, g.At, g, want)
			}
		}
	}
}

func (tr *traffic) wantEvents(t *testing.T, w *analytics.Web, i int, q asks) {
	t.Helper()
	got, err := w.Events(t.Context(), q.Question, 100)
	must(t, err)
	want := map[string]web.Event{}
	who := map[string]people{}
	for _, e := range tr.of(q, 8, q.From, q.To) {
		if e.name == "Page Engaged" {
			continue
		}
		if who[e.name] == nil {
			who[e.name] = people{}
		}
		who[e.name][e.who] = true
		one := want[e.name]
		want[e.name] = web.Event{Name: e.name, Count: one.Count + 1, Visitors: int64(len(who[e.name])), Amount: one.Amount + e.amount}
	}
	if len(got) != len(want) {
		t.Errorf("question %d: %d events, not %d", i, len(got), len(want))
	}
	for _, e := range got {
		if e != want[e.Name] {
			t.Errorf("question %d: %+v, not %+v", i, e, want[e.Name])
		}
	}
}

func TestFunnelsReachAsFarAsTheBestBeginning(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		tr, w := webBench(t, b)
		view := web.Step{Event: "Page Viewed"}
		where := func(property, op, value string) web.Step {
			return web.Step{Event: "Page Viewed", Where: []web.Match{{Property: property, Op: op, Value: value}}}
		}
		funnels := []web.Funnel{
			{Steps: []web.Step{view, {Event: "Added"}, {Event: "Bought"}}, Window: 1},
			{Steps: []web.Step{view, view, view, {Event: "Bought"}}, Window: 7},
			{Steps: []web.Step{{Event: "Page Viewed", Path: "/"}, {Event: "Page Viewed", Path: "/d*"}, {Event: "Added"}, view, {Event: "Bought"}}, Window: 3},
			{Steps: []web.Step{where("price", ">", "20"), where("color", "contains", "红"), where("color", "!=", "red"), where("price", "<=", "10.5")}, Window: 30},
			{Steps: []web.Step{where("color", "starts_with", "深"), where("price", "is_set", ""), where("color", "=", "blue")}, Window: 2},
			{Steps: []web.Step{{Event: "Nothing"}, view}, Window: 2},
		}
		for i, q := range webQuestions(t) {
			for j, f := range funnels {
				at := fmt.Sprint("question ", i, ", funnel ", j)
				depth, gaps := tr.funnel(q, f)
				got, err := w.Funnel(t.Context(), q.Question, f)
				must(t, err)
				for k, r := range got {
					want := int64(0)
					for _, n := range depth {
						if n > k {
							want++
						}
					}
					median := int64(0)
					if slices.Sort(gaps[k]); len(gaps[k]) > 0 {
						median = gaps[k][(len(gaps[k])-1)/2]
					}
					if r.Step != k+1 || r.Count != want || r.Median != median {
						t.Errorf("%s: %+v, not %d in %d", at, r, want, median)
					}
				}
				if len(got) != len(f.Steps) {
					t.Errorf("%s: %d steps", at, len(got))
				}
				if j == i%len(funnels) { // each funnel with some question
					tr.wantSplit(t, w, q, f, got)
					tr.wantSteps(t, w, q, f, depth)
				}
			}
		}
	})
}

// wantSplit holds that the groups of a split sum to the whole.
func (tr *traffic) wantSplit(t *testing.T, w *analytics.Web, q asks, f web.Funnel, whole []web.Reached) {
	t.Helper()
	f.By = "channel"
	split, err := w.Funnel(t.Context(), q.Question, f)
	must(t, err)
	sums := map[int]int64{}
	for _, r := range split {
		sums[r.Step] += r.Count
	}
	for _, r := range whole {
		if sums[r.Step] != r.Count {
			t.Errorf("step %d: the groups sum to %d, not %d", r.Step, sums[r.Step], r.Count)
		}
	}
}

// wantSteps holds that the people behind a step are those who took it.
func (tr *traffic) wantSteps(t *testing.T, w *analytics.Web, q asks, f web.Funnel, depth map[int64]int) {
	t.Helper()
	for step := 1; step <= len(f.Steps); step++ {
		for _, lost := range []bool{false, true} {
			if lost && step == len(f.Steps) {
				continue
			}
			want := people{}
			for who, n := range depth {
				if n == step || n > step && !lost {
					want[who] = true
				}
			}
			wantPeople(t, w, q.Question, web.Behind{Funnel: &web.FunnelStep{Funnel: f, Step: step, Lost: lost}}, want)
		}
	}
}

// wantPeople reads the people of a figure in small pages.
func wantPeople(t *testing.T, w *analytics.Web, q web.Question, b web.Behind, want people) {
	t.Helper()
	got := people{}
	for _, anonymous := range []bool{false, true} {
		page := web.PeoplePage{Anonymous: anonymous, Limit: 20, Count: true}
		for {
			p, err := w.People(t.Context(), q, b, page)
			must(t, err)
			for _, who := range p.IDs {
				if got[int64(who)] || anonymous == (who%2 == 0) {
					t.Errorf("%+v: %d comes twice or as what it is not", b, who)
				}
				got[int64(who)] = true
			}
			if n := int64(len(want)); page.Count && p.Customers+p.Anonymous != n {
				t.Errorf("%+v: %d customers and %d others of %d", b, p.Customers, p.Anonymous, n)
			}
			if len(p.IDs) < page.Limit {
				break
			}
			page.After, page.Count = p.IDs[len(p.IDs)-1], false
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v: %v, not %v", b, got, want)
	}
}

func TestWaysAreThoseOfANaiveWalk(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		tr, w := webBench(t, b)
		for i, q := range webQuestions(t) {
			for _, p := range []web.Paths{
				{Nodes: web.PathPages, Depth: 3, Top: 20}, {Nodes: web.PathPages, Backward: true, Depth: 5, Top: 20}, {Nodes: web.PathPages, Node: "/a", Depth: 6, Top: 20},
				{Nodes: web.PathBoth, Node: "Added", Backward: true, Depth: 4, Top: 20}, {Nodes: web.PathBoth, Depth: 4, Top: 20}, {Nodes: web.PathEvents, Depth: 3, Top: 20},
				{Nodes: web.PathPages, Node: "/nowhere", Depth: 3, Top: 20},
			} {
				links, err := w.Paths(t.Context(), q.Question, p)
				must(t, err)
				got := map[string]int64{}
				for _, l := range links {
					to := "(end)"
					if l.To != nil {
						to = l.To.Name
					}
					got[fmt.Sprint(l.Step, " ", l.From.Name, " ", to)] += l.Count
				}
				if want := tr.ways(q, p); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("question %d, %+v:\n got %v\nwant %v", i, p, got, want)
				}
			}
		}
		q := webQuestions(t)[0]
		p := web.Paths{Nodes: web.PathPages, Node: "/a", Depth: 3, Top: 5}
		want, ended := people{}, people{}
		for who := int64(1); who <= 90; who++ {
			one := q
			one.members = func(w int64) bool { return w == who }
			ways := tr.ways(one, p)
			if ways["2 /b /c"] > 0 {
				want[who] = true
			}
			if ways["1 /a (end)"] > 0 {
				ended[who] = true
			}
		}
		wantPeople(t, w, q.Question, web.Behind{Way: &web.Way{Paths: p, Step: 2, From: "/b", To: "/c"}}, want)
		wantPeople(t, w, q.Question, web.Behind{Way: &web.Way{Paths: p, Step: 1, From: "/a", Ended: true}}, ended)
	})
}

func TestRetentionIsThatOfANaiveCount(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		tr, w := webBench(t, b)
		for i, q := range webQuestions(t) {
			for _, r := range []web.Retention{{Start: web.OfVisit, Return: web.OfVisit, Period: "day"}, {Start: web.OfVisit, Return: "Bought", Period: "week"}, {Start: "Added", Return: web.OfVisit, Period: "month"}} {
				cells, err := w.Retention(t.Context(), q.Question, r)
				must(t, err)
				want := tr.back(q, r)
				if len(cells) != len(want) {
					t.Errorf("question %d, %+v: %d cells, not %d", i, r, len(cells), len(want))
				}
				for _, c := range cells {
					behind := want[fmt.Sprint(c.Cohort, " ", c.Period)]
					if int64(len(behind)) != c.Count {
						t.Errorf("question %d, %+v, %s after %d: %d, not %d", i, r, c.Cohort, c.Period, c.Count, len(behind))
					}
					if c.Period < 2 {
						wantPeople(t, w, q.Question, web.Behind{Cohort: &web.CohortCell{Retention: r, Cohort: c.Cohort, Period: c.Period}}, behind)
					}
				}
			}
		}
	})
}

func TestPeopleBehindFigures(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		tr, w := webBench(t, b)
		for _, q := range webQuestions(t) {
			all, bounced, won, saw, did := people{}, people{}, people{}, people{}, people{}
			for _, v := range tr.in(q, true) {
				all[v.who] = true
				if v.bounced == 1 {
					bounced[v.who] = true
				}
				if tr.totals(q, []*webVisit{v}).Converters > 0 {
					won[v.who] = true
				}
			}
			for _, e := range tr.of(q, 72, q.From, q.To) {
				if e.kind == "page" && e.path == "/a" {
					saw[e.who] = true
				}
				if e.name == "Added" {
					did[e.who] = true
				}
			}
			wantPeople(t, w, q.Question, web.Behind{Visits: true}, all)
			wantPeople(t, w, q.Question, web.Behind{Visits: true, Only: "bounced"}, bounced)
			wantPeople(t, w, q.Question, web.Behind{Visits: true, Only: "converted"}, won)
			wantPeople(t, w, q.Question, web.Behind{Path: &web.PagePath{Host: "shop.example", Path: "/a"}}, saw)
			wantPeople(t, w, q.Question, web.Behind{Event: "Added"}, did)
		}
		got, err := w.Visitors(t.Context(), []id.ID{3, 2_000_000, 1})
		must(t, err)
		for i, who := range []int64{3, 2_000_000, 1} {
			visits := int64(0)
			for _, v := range tr.visits {
				if v.who == who {
					visits++
				}
			}
			if int64(got[i].ID) != who || got[i].Visits != visits {
				t.Errorf("visitor %d: %+v, not %d visits", who, got[i], visits)
			}
		}
	})
}

// The hours of a day are those of the zone, whatever part of an hour it is off by.
func TestHoursOfTheTrendAreLocal(t *testing.T) {
	t.Parallel()
	b := duckBench(t, 0)
	tr, _ := webBench(t, b)
	for _, name := range []string{"Asia/Shanghai", "Asia/Kolkata", "America/New_York"} {
		zone, err := time.LoadLocation(name)
		must(t, err)
		env := func() compile.Env { return compile.Env{Registry: b.reg, Now: b.clock.Now(), Zone: zone, Base: "CNY"} }
		w := analytics.NewWeb(b.db, analytics.NewAudience(b.store, env, nil), func() *time.Location { return zone })
		day := trafficFrom + 2
		got, err := w.Trend(t.Context(), web.Question{Span: web.Span{From: day, To: day}}, true)
		must(t, err)
		for _, g := range got {
			want := int64(0)
			for _, v := range tr.visits {
				if at := time.UnixMilli(v.from); v.day == day && !at.Before(g.At) && at.Before(g.At.Add(time.Hour)) {
					want++
				}
			}
			if g.Visits != want || clock.DayOf(g.At, zone) != day {
				t.Errorf("%s: %v has %d visits, not %d", name, g.At, g.Visits, want)
			}
		}
	}
}

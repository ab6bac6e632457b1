package analytics_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// What the page of a customer reads of behaviour is what plain loops find, page by page, for one owner and for several.
func TestBehaviourOfOwners(t *testing.T) {
	t.Parallel()
	onBoth(t, behaviourOfOwners)
}

func behaviourOfOwners(t *testing.T, b *bench) {
	ctx := t.Context()
	b.clock.Set(noon(20_000))
	e := analytics.NewEvents(b.db, b.clock)
	var list []deed
	begin := int64(19_900) * wholeDay
	for i := range int64(240) { // forty visits, of four owners in turn, two of which begin in the same millisecond
		visit := i / 6
		d := deed{id: i + 1, profile: 100 + visit%4, owner: 1 + visit%4, at: begin + visit/2*wholeDay + i%6*minute, source: 1, kind: "page", name: "Page Viewed", host: "shop.example",
			path: fmt.Sprint("/p/", i%6), channel: "search", device: "mobile"}
		switch i % 6 {
		case 4:
			d.kind, d.name = "track", event.Engaged
			d.dwell = 5000
		case 5:
			d.kind, d.name, d.flags = "track", "Scraped", int64(event.Bot)
		}
		list = append(list, d)
	}
	rows := make([]analytics.Row, len(list))
	for i, d := range list {
		rows[i] = d.row()
	}
	must(t, e.Load(ctx, rows, change.Position{}, change.Position{Seq: 1}))
	for {
		n, err := e.Visits(ctx, analytics.VisitOptions{})
		must(t, err)
		if n == 0 {
			break
		}
	}
	for _, owners := range [][]id.ID{{1}, {1, 2, 3}, {4, 77}} {
		whole, err := analytics.AllVisits(ctx, b.db, owners, 1000)
		must(t, err)
		var paged []analytics.Seen
		at := analytics.SeenBefore{At: 1 << 60}
		for {
			page, err := analytics.Visits(ctx, b.db, owners, at, 3)
			must(t, err)
			paged = append(paged, page...)
			if len(page) < 3 {
				break
			}
			at = analytics.SeenBefore{At: page[2].Start, ID: int64(page[2].ID)}
		}
		if !slices.Equal(whole, paged) {
			t.Fatalf("%v: pages hold %d visits that differ from all %d", owners, len(paged), len(whole))
		}
		if !slices.IsSortedFunc(whole, func(x, y analytics.Seen) int { return cmp.Or(cmp.Compare(y.Start, x.Start), cmp.Compare(y.ID, x.ID)) }) {
			t.Fatalf("%v: not in order", owners)
		}
		want := 10 * len(slices.DeleteFunc(slices.Clone(owners), func(v id.ID) bool { return v > 4 }))
		if len(whole) != want {
			t.Fatalf("%v: %d visits, want %d", owners, len(whole), want)
		}
		for _, v := range whole {
			if v.Views != 4 || v.Events != 4 || v.Engaged != 5000 || v.Host != "shop.example" || v.Entry != "/p/0" || v.Exit != "/p/3" || v.Device != "mobile" || v.Bounced != 0 {
				t.Fatalf("a visit %+v", v)
			}
		}
		one := whole[0]
		if got, ok, err := analytics.Visit(ctx, b.db, owners, one.ID); err != nil || !ok || got != one {
			t.Fatalf("one visit: %+v, %v, %v", got, ok, err)
		}
		acts, err := analytics.Acts(ctx, b.db, analytics.ActsAsked{Owners: []id.ID{one.Owner}, Days: []clock.Day{one.Day}, From: one.Start, To: one.End, Limit: 100})
		must(t, err)
		var paths []string
		for _, a := range acts {
			paths = append(paths, a.Path)
		}
		if !slices.Equal(paths, []string{"/p/3", "/p/2", "/p/1", "/p/0"}) {
			t.Fatalf("acts %v", paths)
		}
	}
	if _, ok, err := analytics.Visit(ctx, b.db, []id.ID{2}, 1); ok || err != nil {
		t.Fatalf("a visit of somebody else: %v, %v", ok, err)
	}
	before, err := analytics.Stirred(ctx, b.db, []id.ID{1, 2, 99})
	must(t, err)
	late := deed{id: 900, profile: 100, owner: 1, at: list[0].at + 2*minute, source: 1, kind: "page", name: "Page Viewed", host: "shop.example", path: "/late"}
	must(t, e.Load(ctx, []analytics.Row{late.row()}, change.Position{Seq: 1}, change.Position{Seq: 2}))
	_, err = e.Visits(ctx, analytics.VisitOptions{})
	must(t, err)
	after, err := analytics.Stirred(ctx, b.db, []id.ID{1, 2, 99})
	must(t, err)
	if before[1] == after[1] || before[2] != after[2] || len(before) != 2 || after[1].Events != before[1].Events+1 {
		t.Fatalf("stirred %+v, then %+v", before, after)
	}
}

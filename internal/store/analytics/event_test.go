package analytics_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

const (
	minute   = int64(60_000)
	wholeDay = 24 * 60 * minute
)

// deed is something that happened, as plain values.
type deed struct {
	id, profile, owner, at, source int64
	kind, name, path, host         string
	campaign, channel, device      string
	order                          string
	flags, dwell, amount           int64
}

func (d deed) day() clock.Day { return clock.DayOf(time.UnixMilli(d.at), time.UTC) }

func (d deed) row() analytics.Row {
	v := map[string]any{"id": d.id, "customer_id": d.owner, "profile_id": d.profile, "at": d.at, "day": int64(d.day()), "received_at": d.at, "source_id": d.source, "kind": d.kind, "name": d.name,
		"flags": d.flags, "host": d.host, "path": d.path, "channel": d.channel, "utm_campaign": d.campaign, "device": d.device, "properties": "{}", "context": "{}", "referrer_host": "ref." + d.channel}
	if d.name == event.Engaged {
		v["dwell_ms"] = d.dwell
	}
	if d.order != "" {
		v["properties"], v["amount"] = `{"order_id":"`+d.order+`"}`, d.amount
	}
	columns := analytics.EventColumns()
	r := analytics.Row{Profile: id.ID(d.profile), Customer: analytics.Owner{ID: id.ID(d.owner), Known: d.owner != d.profile}, At: d.at, Day: d.day(), Values: make([]any, len(columns))}
	for i, c := range columns {
		switch value, ok := v[c]; {
		case ok:
			r.Values[i] = value
		case c != "dwell_ms" && c != "amount":
			r.Values[i] = ""
		}
	}
	return r
}

// visit is one row of f_session, as a text.
type visit struct {
	id, owner, profile, start, end, day, source, views, events, engaged, orders, amount int64
	bounced, active                                                                     bool
	host, entry, exit, referrer, channel, campaign, device                              string
}

func (v visit) String() string {
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return fmt.Sprint(v.profile, " ", v.id, " of ", v.owner, ": ", v.start, "-", v.end, " day ", v.day, " source ", v.source, " views ", v.views, " events ", v.events, " engaged ", v.engaged, " ", flag(v.bounced),
		" ", flag(v.active), " orders ", v.orders, "/", v.amount, " ", v.host, " ", v.entry, ">", v.exit, " ", v.referrer, " ", v.channel, " ", v.campaign, " ", v.device)
}

// piece is a visit while plain loops work it out.
type piece struct {
	deeds   []deed
	engaged int64
}

// pieces work out the visits of one profile by reading what happened to it once, in order.
func pieces(deeds []deed, midnight bool) (out []*piece) {
	var current map[int64]*piece // by whole days since the visit began; nil while none goes on
	var began int64
	force := ""
	at := func(d deed) *piece {
		n := (d.at - began) / wholeDay
		if current[n] == nil {
			current[n] = &piece{}
			out = append(out, current[n])
		}
		return current[n]
	}
	for i, d := range deeds {
		if i == 0 || d.at-deeds[i-1].at > 30*minute || midnight && d.day() != deeds[i-1].day() {
			current, force = nil, ""
		}
		if d.name == event.Engaged {
			if current != nil {
				at(d).engaged += d.dwell
			}
			continue
		}
		if current == nil || d.campaign != "" && d.campaign != force {
			current, began = map[int64]*piece{}, d.at
		}
		if d.campaign != "" {
			force = d.campaign
		}
		p := at(d)
		p.deeds = append(p.deeds, d)
	}
	return out
}

func (p *piece) visit() visit {
	first, last := p.deeds[0], p.deeds[len(p.deeds)-1]
	v := visit{id: first.id, owner: first.owner, profile: first.profile, start: first.at, end: last.at, day: int64(first.day()), events: int64(len(p.deeds)), engaged: p.engaged}
	lead, acts := first, 0
	orders := map[string]int64{}
	for _, d := range p.deeds {
		if d.kind != "track" {
			if v.views == 0 {
				lead, v.entry = d, d.path
			}
			v.views++
			v.exit = d.path
			continue
		}
		if d.flags&int64(event.Passive) == 0 {
			acts++
		}
		if d.name == analytics.OrderCompleted {
			orders[d.order] = max(orders[d.order], d.amount)
		}
	}
	v.source, v.host, v.channel, v.campaign, v.device, v.referrer = lead.source, lead.host, lead.channel, lead.campaign, lead.device, "ref."+lead.channel
	if v.channel == "internal" {
		v.channel, v.referrer = "direct", ""
	}
	for _, amount := range orders {
		v.orders++
		v.amount += amount
	}
	v.bounced = v.views <= 1 && acts == 0
	v.active = v.engaged > 10_000 || v.views >= 2 || v.orders > 0
	return v
}

// naive are the visits of what happened, worked out by plain loops.
func naive(list []deed, midnight bool) []string {
	byProfile := map[int64][]deed{}
	for _, d := range list {
		elsewhere := d.kind == "track" && d.host == "" && slices.Contains(event.Elsewhere(), d.name)
		if slices.Contains([]string{"track", "page", "screen"}, d.kind) && d.flags&int64(event.Bot) == 0 && !elsewhere {
			byProfile[d.profile] = append(byProfile[d.profile], d)
		}
	}
	var out []string
	for _, deeds := range byProfile {
		slices.SortFunc(deeds, func(a, b deed) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
		for _, p := range pieces(deeds, midnight) {
			if len(p.deeds) > 0 {
				out = append(out, p.visit().String())
			}
		}
	}
	slices.Sort(out)
	return out
}

// visitsOf are the visits that the plane has of profiles, of all for none.
func visitsOf(ctx context.Context, db analytics.DB, profiles ...int64) ([]string, error) {
	where := ""
	if len(profiles) > 0 {
		where = " WHERE profile_id IN (" + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(profiles)), ","), "[]") + ")"
	}
	rows, err := db.Query(ctx, "SELECT id, customer_id, profile_id, started_at, ended_at, day, source_id, views, events, engaged_ms, orders, amount, bounced, engaged, host, entry_path, exit_path, referrer_host, channel,"+
		" utm_campaign, device FROM f_session"+where)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var v visit
		var bounced, active int64
		if err := rows.Scan(&v.id, &v.owner, &v.profile, &v.start, &v.end, &v.day, &v.source, &v.views, &v.events, &v.engaged, &v.orders, &v.amount, &bounced, &active, &v.host, &v.entry, &v.exit,
			&v.referrer, &v.channel, &v.campaign, &v.device); err != nil {
			return nil, err
		}
		v.bounced, v.active = bounced == 1, active == 1
		out = append(out, v.String())
	}
	slices.Sort(out)
	return out, rows.Err()
}

// facts carries events into a plane under test.
type facts struct {
	*analytics.Events
	at change.Position
}

func (f *facts) load(ctx context.Context, list []deed) error {
	rows := make([]analytics.Row, len(list))
	for i, d := range list {
		rows[i] = d.row()
	}
	next := change.Position{Seq: f.at.Seq + int64(len(list))}
	err := f.Load(ctx, rows, f.at, next)
	f.at = next
	return err
}

func (f *facts) visits(ctx context.Context, midnight bool) error {
	for {
		n, err := f.Visits(ctx, analytics.VisitOptions{Midnight: midnight})
		if err != nil || n == 0 {
			return err
		}
	}
}

// life makes up what happens to some profiles.
func life(t *rapid.T, next *atomic.Int64) (list []deed, profiles []int64) {
	gaps := []int64{0, 1, 1000, 20_000, 5 * minute, 29 * minute, 30 * minute, 30*minute + 1, 3 * 60 * minute, 23 * 60 * minute, 30 * 60 * minute, 9 * 24 * 60 * minute}
	for range rapid.IntRange(1, 4).Draw(t, "profiles") {
		profile := next.Add(1)
		owner := rapid.SampledFrom([]int64{profile, profile + 5_000_000}).Draw(t, "owner")
		profiles = append(profiles, profile)
		at := time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC).UnixMilli()
		busy := rapid.Bool().Draw(t, "busy") // without rests, so that a visit goes on for days
		most := 30
		if busy {
			most = 120
		}
		for range rapid.IntRange(1, most).Draw(t, "events") {
			gap := rapid.SampledFrom(gaps).Draw(t, "gap")
			if busy {
				gap = rapid.SampledFrom(gaps[5:7]).Draw(t, "short gap")
			}
			at += gap
			d := deed{id: next.Add(1), profile: profile, owner: owner, at: at, source: rapid.Int64Range(1, 2).Draw(t, "source"), kind: rapid.SampledFrom([]string{"page", "page", "track", "screen", "identify", "beat"}).Draw(t, "kind"),
				channel: rapid.SampledFrom([]string{"direct", "search", "internal"}).Draw(t, "channel"), device: rapid.SampledFrom([]string{"mobile", "desktop"}).Draw(t, "device"),
				campaign: rapid.SampledFrom([]string{"", "", "", "spring", "双11"}).Draw(t, "campaign"), host: "shop.example"}
			switch d.kind {
			case "beat":
				d.kind, d.name, d.dwell = "track", event.Engaged, rapid.Int64Range(0, 15_000).Draw(t, "dwell")
			case "track":
				d.name = rapid.SampledFrom([]string{"Product Added", analytics.OrderCompleted, event.StoreVisited, event.ContentLiked}).Draw(t, "name")
				if d.name == event.StoreVisited {
					d.host = ""
				}
				if d.name == analytics.OrderCompleted {
					d.order, d.amount = rapid.SampledFrom([]string{"A", "B"}).Draw(t, "order"), rapid.Int64Range(0, 5000).Draw(t, "amount")
				}
			case "identify":
				d.name = event.Identified
			default:
				d.name, d.path = event.PageViewed, rapid.SampledFrom([]string{"/", "/a", "/货", ""}).Draw(t, "path")
			}
			d.flags = int64(rapid.SampledFrom([]event.Flags{0, 0, 0, 0, event.Bot, event.Passive}).Draw(t, "flags"))
			list = append(list, d)
		}
	}
	return list, profiles
}

func TestVisitsEqualANaiveReading(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		f := &facts{Events: analytics.NewEvents(b.db, b.clock)}
		var next atomic.Int64
		next.Store(1_000_000)
		var everything []deed
		must(t, f.visits(t.Context(), false))
		rapid.Check(t, func(r *rapid.T) {
			ctx := context.Background()
			list, profiles := life(r, &next)
			arrival := rapid.Permutation(list).Draw(r, "arrival")
			f.AtOnce(0).MarksAtOnce(rapid.SampledFrom([]int64{0, 1, 2, 5}).Draw(r, "marks"))
			if rapid.IntRange(0, 9).Draw(r, "at once") == 0 { // most of what happened is behind the first mark: everybody's again
				f.AtOnce(40 + int64(len(everything))/3)
			}
			for len(arrival) > 0 { // in whatever order they come, visits are made anew after some batches
				n := rapid.IntRange(1, len(arrival)).Draw(r, "batch")
				if err := f.load(ctx, arrival[:n]); err != nil {
					r.Fatal(err)
				}
				if arrival = arrival[n:]; len(arrival) > 0 && rapid.Bool().Draw(r, "later") {
					continue
				}
				if err := f.visits(ctx, false); err != nil {
					r.Fatal(err)
				}
			}
			got, err := visitsOf(ctx, b.db, profiles...)
			if err != nil {
				r.Fatal(err)
			}
			if want := naive(list, false); !slices.Equal(got, want) {
				r.Fatalf("visits differ:\ngot\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			everything = append(everything, list...)
		})
		// All profiles give the same, in one slice of time or many, and with the split at midnight what the plain loops say.
		for i, midnight := range []bool{false, true, false, true} {
			f.AtOnce([]int64{0, int64(len(everything)) / 3, int64(len(everything)) / 12, 0}[i])
			must(t, f.RemakeVisits(t.Context()))
			must(t, f.visits(t.Context(), midnight))
			got, err := visitsOf(t.Context(), b.db)
			must(t, err)
			want := naive(everything, midnight)
			if !slices.Equal(got, want) {
				t.Errorf("midnight %v: %d visits in a pass, %d by plain loops", midnight, len(got), len(want))
				for i := range got {
					if i < len(want) && got[i] != want[i] {
						t.Fatalf("got  %s\nwant %s", got[i], want[i])
					}
				}
			}
		}
	})
}

func TestEventsFollowTheirOwners(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		f := &facts{Events: analytics.NewEvents(b.db, b.clock)}
		at := noon(20_000).UnixMilli()
		var list []deed
		for i := range int64(12) {
			list = append(list, deed{id: 100 + i, profile: 1 + i%3, owner: 1 + i%3, at: at + i*minute, source: 1, kind: "page", name: event.PageViewed, path: "/", channel: "direct"})
		}
		must(t, f.visits(t.Context(), false))
		must(t, f.load(t.Context(), list[:9]))
		must(t, f.visits(t.Context(), false))
		must(t, f.load(t.Context(), list[9:])) // marked, its visits not made yet
		n, err := f.Move(t.Context(), map[id.ID]analytics.Owner{1: {ID: 900, Known: true}, 2: {ID: 900, Known: true}}, 7)
		must(t, err)
		if n != 8 {
			t.Errorf("%d events moved, want 8", n)
		}
		must(t, f.visits(t.Context(), false))
		for i := range list {
			if list[i].profile != 3 {
				list[i].owner = 900
			}
		}
		got, err := visitsOf(t.Context(), b.db)
		must(t, err)
		if want := naive(list, false); !slices.Equal(got, want) {
			t.Errorf("after the move:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if got := numbers(t, b.db, "SELECT DISTINCT customer_id FROM trait_touched ORDER BY customer_id"); !slices.Equal(got, []int64{1, 2, 900}) {
			t.Errorf("traits of %v are marked", got)
		}
		// One of them goes back; the other stays.
		if n, err = f.Move(t.Context(), map[id.ID]analytics.Owner{2: {ID: 2}}, 8); err != nil || n != 4 {
			t.Errorf("%d events went back, %v", n, err)
		}
		if got := numbers(t, b.db, "SELECT count(*) FROM f_event WHERE customer_id = 900"); got[0] != 4 {
			t.Errorf("%d events stayed, want 4", got[0])
		}
		if got := numbers(t, b.db, "SELECT DISTINCT customer_id FROM f_session ORDER BY customer_id"); !slices.Equal(got, []int64{2, 3, 900}) {
			t.Errorf("visits are of %v", got)
		}
		if up, err := f.Followed(t.Context()); err != nil || up != 8 {
			t.Errorf("followed up to %d, %v", up, err)
		}
		// Moving again is harmless.
		if n, err = f.Move(t.Context(), map[id.ID]analytics.Owner{2: {ID: 2}, 1: {ID: 900, Known: true}}, 8); err != nil || n != 0 {
			t.Errorf("%d events moved twice, %v", n, err)
		}
	})
}

func TestLoadingTwiceAddsNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		f := analytics.NewEvents(b.db, b.clock)
		d := deed{id: 5, profile: 1, owner: 1, at: noon(20_000).UnixMilli(), kind: "page", name: event.PageViewed}
		for range 2 { // as two processes would that read from the same position
			must(t, f.Load(t.Context(), []analytics.Row{d.row()}, change.Position{}, change.Position{Seq: 1}))
		}
		if got := numbers(t, b.db, "SELECT count(*) FROM f_event"); got[0] != 1 {
			t.Errorf("%d events", got[0])
		}
		if p, ok, err := f.Loaded(t.Context()); err != nil || !ok || p != (change.Position{Seq: 1}) {
			t.Errorf("loaded up to %v, %v, %v", p, ok, err)
		}
	})
}

func TestEventsOfSourcesGoByAge(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bench) {
		f := &facts{Events: analytics.NewEvents(b.db, b.clock)}
		var list []deed
		for i := range int64(100) { // some nine months
			day := noon(19_900 + clock.Day(i*3))
			list = append(list, deed{id: 1 + i, profile: 1, owner: 1, at: day.UnixMilli(), source: 1 + i%2, kind: "page", name: event.PageViewed, path: "/"},
				deed{id: 1001 + i, profile: 1, owner: 1, at: time.Date(1999, 1, int(i+1), 0, 0, 0, 0, time.UTC).UnixMilli(), source: 1, kind: "page", name: event.PageViewed})
		}
		must(t, f.load(t.Context(), list))
		must(t, f.visits(t.Context(), false))
		n, err := f.Drop(t.Context(), analytics.Gone{Before: map[id.ID]int64{1: 20_000, 2: 19_000}})
		must(t, err)
		left := slices.DeleteFunc(slices.Clone(list), func(d deed) bool { return d.source == 1 && d.day() < 20_000 })
		if int(n) != len(list)-len(left) {
			t.Errorf("%d events went, want %d", n, len(list)-len(left))
		}
		if got := numbers(t, b.db, "SELECT count(*) FROM f_event"); int(got[0]) != len(left) {
			t.Errorf("%d events are left, want %d", got[0], len(left))
		}
		got, err := visitsOf(t.Context(), b.db)
		must(t, err)
		if want := naive(left, false); !slices.Equal(got, want) {
			t.Errorf("%d visits are left, want %d", len(got), len(want))
		}
		if !b.db.Dialect().Mirrored() {
			if parts := numbers(t, b.db, "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = 'f_event_before'"); parts[0] != 0 {
				t.Error("the part of which nothing stayed is still there")
			}
		}
		if n, err = f.Drop(t.Context(), analytics.Gone{Profiles: []id.ID{1}}); err != nil || int(n) != len(left) {
			t.Errorf("%d events of the profile went, %v", n, err)
		}
	})
}

// A workspace of a version that did not part the events keeps them.
func TestAPlainTableBecomesOneOfParts(t *testing.T) {
	t.Parallel()
	b := postgresBench(t)
	if b.citus() {
		return
	}
	must(t, write(t.Context(), b.db, "CREATE TABLE as_it_was AS SELECT * FROM f_event", "DROP TABLE f_event", "ALTER TABLE as_it_was RENAME TO f_event",
		"ALTER TABLE f_event ADD CONSTRAINT f_event_pkey PRIMARY KEY (customer_id, day, id)",
		"INSERT INTO f_event (customer_id, day, id, profile_id, at) VALUES (1, 20000, 1, 1, 0), (1, 20100, 2, 1, 0), (2, 100, 3, 2, 0)"))
	for range 2 {
		must(t, b.store.Ensure(t.Context(), b.reg, trait.Defaults()))
	}
	if got := numbers(t, b.db, "SELECT id FROM f_event ORDER BY id"); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("events %v are left", got)
	}
	if got := numbers(t, b.db, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'f_event'::regclass"); got[0] != 3 {
		t.Errorf("%d parts", got[0])
	}
	f := &facts{Events: analytics.NewEvents(b.db, b.clock)}
	must(t, f.load(t.Context(), []deed{{id: 9, profile: 3, owner: 3, at: noon(20_050).UnixMilli(), kind: "page", name: event.PageViewed}}))
	if got := numbers(t, b.db, "SELECT count(*) FROM f_event"); got[0] != 4 {
		t.Errorf("%d events", got[0])
	}
}

func numbers(t testing.TB, db analytics.DB, query string) (out []int64) {
	t.Helper()
	rows, err := db.Query(t.Context(), query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var v sql.NullInt64
		must(t, rows.Scan(&v))
		out = append(out, v.Int64)
	}
	must(t, rows.Err())
	return out
}

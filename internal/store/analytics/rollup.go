package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

// Rollups: what reports of behaviour sum, day by day, since a walk over the facts of ninety days takes seconds.
//
// web_day holds for every local day the figures of all visits, of the visits by the values of each dimension, of pages and of events. What sums
// exactly is a number. Whom it was is an exact set of persons, so that visitors of any run of days are counted and never estimated: 6 to 8
// bytes for each person and day.
//
// web_stale names the days whose facts changed since they were rolled up. The mark is written in the transaction that changes facts, whatever changes
// them: loading, late events, visits made anew, owners that change, erasure, retention. A day with a mark is answered from the facts. Rolling up reads
// without holding writers back and commits only when the mark is still the one it began with, so a day without a mark equals its facts.
//
// The tables are derived and lie on the coordinator of a cluster.
const (
	rollupTable = "web_day"
	staleTable  = "web_stale"
	rollupKey   = "web_rollup" // in plane_state: a rollupState
	// rollupFormat is what the rows are made by; another number makes all of them anew.
	rollupFormat = 2
)

// The kinds of rows besides the dimensions.
const (
	rollAll     = "all"     // every visit of the day
	rollThrough = "through" // by event source
	rollPage    = "page"    // by host and path
	rollEvent   = "event"   // by name, what people did
	rollOther   = "other"   // by name, what is not counted as done
)

// among is the kind of what happened in visits of one channel, or through one source: the two that everything else is asked within most.
func among(kind, by, value string) string { return kind + "@" + by + ":" + value }

// amongKinds are the dimensions that are rolled up within a channel and a source, besides pages and events.
func amongKinds() []string {
	return []string{string(web.Entry), string(web.Exit), string(web.Source), string(web.Medium), string(web.Campaign), string(web.Referrer)}
}

// Rests of rolling up, in milliseconds: a day that changes is left alone until it has been quiet, or has waited for long.
const (
	rollQuiet = 20_000
	rollLate  = 3_600_000
)

// How many days of a span may be answered from their visits alone, or from their events too; with more of them the whole question is left to the facts.
const (
	staleVisits = 40
	staleEvents = 12
)

type rollupState struct {
	Format int `json:"format"`
}

// rollupTables: place numbers the rows of a day and a kind, who and buyers are sets of persons (see people), kept is that of those who may be followed,
// nothing where it equals who. Of pages engaged_ms is the dwell and bounced are visits that entered there; of events events are how often.
func rollupTables() []table {
	return append(stripTables(), dayTable(), table{name: staleTable, key: []string{"day"}, local: true, columns: ints("day", "batch", "since", "changed")})
}

func dayTable() table {
	day := table{name: rollupTable, key: []string{"kind", "day", "place"}, local: true}
	day.columns = append(day.columns, texts("kind")...)
	day.columns = append(day.columns, ints("day", "place")...)
	day.columns = append(day.columns, texts("host", "value", "title")...)
	day.columns = append(day.columns, ints(sumColumns()...)...)
	day.columns = append(day.columns, ints("visitors")...)
	day.columns = append(day.columns, blobs("who", "buyers", "kept")...)
	return day
}

// rolled is what one row of web_day holds.
type rolled struct {
	key              rolledKey
	title            string
	sums             sums
	who, buyers, set people // set is kept
}

type rolledKey struct{ host, value string }

// sums are the figures that add up over days.
type sums struct {
	visits, views, events, bounced, engaged, duration, engagedTime, orders, amount, entries, exits int64
}

func sumColumns() []string {
	return []string{"visits", "views", "events", "bounced", "engaged", "duration", "engaged_ms", "orders", "amount", "entries", "exits"}
}

// fields are the sums in the order of sumColumns.
func (s *sums) fields() []*int64 {
	return []*int64{&s.visits, &s.views, &s.events, &s.bounced, &s.engaged, &s.duration, &s.engagedTime, &s.orders, &s.amount, &s.entries, &s.exits}
}

func (s *sums) dst() []any {
	out := make([]any, 0, 11)
	for _, f := range s.fields() {
		out = append(out, f)
	}
	return out
}

func (s *sums) add(o sums) {
	from := o.fields()
	for i, f := range s.fields() {
		*f += *from[i]
	}
}

// totals are the sums as a report shows them.
func (s sums) totals() web.Totals {
	return web.Totals{Visits: s.visits, Views: s.views, Events: s.events, Bounced: s.bounced, Engaged: s.engaged, Duration: s.duration, EngagedTime: s.engagedTime, Orders: s.orders, Amount: s.amount}
}

// roll collects the rows of one kind of one day.
type roll map[rolledKey]*rolled

func (r roll) at(k rolledKey) *rolled {
	v := r[k]
	if v == nil {
		v = &rolled{key: k}
		r[k] = v
	}
	return v
}

// dayRoll is one day: figures by kinds, and the strips of its events.
type dayRoll struct {
	kinds map[string]roll
	strip *stripDay
}

func newDayRoll() dayRoll { return dayRoll{map[string]roll{}, &stripDay{}} }

func (d dayRoll) kind(k string) roll {
	r := d.kinds[k]
	if r == nil {
		r = roll{}
		d.kinds[k] = r
	}
	return r
}

// sorted are the rows of a kind in the order of their places.
func (r roll) sorted() []*rolled {
	out := make([]*rolled, 0, len(r))
	for _, v := range r {
		v.who, v.buyers, v.set = v.who.tidy(), v.buyers.tidy(), v.set.tidy()
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *rolled) int {
		return cmp.Or(cmp.Compare(b.sums.visits+b.sums.views+b.sums.events, a.sums.visits+a.sums.views+a.sums.events), cmp.Compare(a.key.value, b.key.value), cmp.Compare(a.key.host, b.key.host))
	})
	return out
}

// visitKinds are the kinds of what visits say, with the column each is read from.
func visitKinds() (kinds, columns []string) {
	for _, d := range web.Dimensions() {
		column, _ := webColumn(d)
		kinds, columns = append(kinds, string(d)), append(columns, "COALESCE(s."+column+", '')")
	}
	return kinds, columns
}

const rollEvents = `SELECT e.customer_id, e.at, e.id, e.source_id, e.flags, CASE WHEN ` + isView + ` THEN 1 ELSE 0 END, CASE WHEN ` + isDone + ` THEN 1 ELSE 0 END, COALESCE(e.name, ''), COALESCE(e.host, ''), COALESCE(e.path, ''),
 COALESCE(e.title, ''), COALESCE(e.dwell_ms, 0), COALESCE(e.amount, 0) FROM f_event e WHERE ` + notBot + ` AND e.day = ` + asInt

const rollWithin = `SELECT e.customer_id, CASE WHEN ` + isView + ` THEN 1 ELSE 0 END, CASE WHEN ` + isDone + ` THEN 1 ELSE 0 END, COALESCE(e.name, ''), COALESCE(e.host, ''), COALESCE(e.path, ''),
 COALESCE(e.title, ''), COALESCE(e.dwell_ms, 0), COALESCE(e.amount, 0), COALESCE(v.channel, '') FROM f_event e
JOIN (SELECT s.customer_id, s.profile_id, s.started_at, s.ended_at, s.channel FROM f_session s WHERE s.day >= ` + asInt + ` AND s.day <= ` + asInt + `) v
ON v.customer_id = e.customer_id AND v.profile_id = e.profile_id AND e.at >= v.started_at AND e.at <= v.ended_at WHERE ` + notBot + ` AND e.day = ` + asInt

func rollVisitsText() string {
	_, columns := visitKinds()
	return `SELECT s.customer_id, s.source_id, s.views, s.events, s.bounced, s.engaged, CASE WHEN s.bounced = 1 THEN 0 ELSE s.ended_at - s.started_at END, s.engaged_ms, s.orders, s.amount, ` +
		strings.Join(columns, ", ") + ` FROM f_session s WHERE s.day = ` + asInt
}

// rollVisits reads the visits of a day.
func (d dayRoll) rollVisits(ctx context.Context, q Querier, day clock.Day) error {
	kinds, _ := visitKinds()
	values := make([]string, len(kinds))
	var who, source int64
	var s sums
	dst := []any{&who, &source, &s.views, &s.events, &s.bounced, &s.engaged, &s.duration, &s.engagedTime, &s.orders, &s.amount}
	for i := range values {
		dst = append(dst, &values[i])
	}
	host, entry, exit := slices.Index(kinds, string(web.Host)), slices.Index(kinds, string(web.Entry)), slices.Index(kinds, string(web.Exit))
	channel := slices.Index(kinds, string(web.Channel))
	narrow := make([]int, 0, len(kinds)) // the kinds that are rolled up within others
	for _, k := range amongKinds() {
		narrow = append(narrow, slices.Index(kinds, k))
	}
	put := func(kind, value string) {
		r := d.kind(kind).at(rolledKey{value: value})
		r.sums.add(s)
		r.who = r.who.with(who)
		if s.orders > 0 {
			r.buyers = r.buyers.with(who)
		}
	}
	d.kind(rollAll)
	err := each(ctx, q, rollVisitsText(), []any{int64(day)}, func(rows *sql.Rows) error {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		s.visits = 1
		put(rollAll, "")
		put(rollThrough, sourceValue(source))
		for i, k := range kinds {
			put(k, values[i])
		}
		pages := []string{rollPage}
		for _, w := range [][2]string{{string(web.Channel), values[channel]}, {rollThrough, sourceValue(source)}} {
			for _, i := range narrow {
				put(among(kinds[i], w[0], w[1]), values[i])
			}
			pages = append(pages, among(rollPage, w[0], w[1]))
		}
		if s.views == 0 {
			return nil
		}
		for _, kind := range pages {
			in := d.kind(kind).at(rolledKey{values[host], values[entry]})
			in.sums.entries++
			in.sums.bounced += s.bounced
			d.kind(kind).at(rolledKey{values[host], values[exit]}).sums.exits++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("roll up visits: %w", err)
	}
	return nil
}

// seen is an event as rollups count it.
type seen struct {
	who, view, done, dwell, amount int64
	name, host, path, title        string
}

// page and deed count an event among those of a kind.
func (d dayRoll) page(kind string, v *seen) {
	if v.path == "" && v.view == 0 {
		return
	}
	p := d.kind(kind).at(rolledKey{v.host, v.path})
	p.title = max(p.title, v.title)
	p.sums.engagedTime += v.dwell
	if p.sums.views += v.view; v.view == 1 {
		p.who = p.who.with(v.who)
	}
}

func (d dayRoll) deed(kind string, v *seen) *rolled {
	e := d.kind(kind).at(rolledKey{value: v.name})
	e.sums.events++
	e.sums.amount += v.amount
	e.who = e.who.with(v.who)
	return e
}

// rollEvents reads the events of a day.
func (d dayRoll) rollEvents(ctx context.Context, q Querier, day clock.Day) error {
	var v seen
	var at, number, source, flags int64
	err := each(ctx, q, rollEvents, []any{int64(day)}, func(rows *sql.Rows) error {
		if err := rows.Scan(&v.who, &at, &number, &source, &flags, &v.view, &v.done, &v.name, &v.host, &v.path, &v.title, &v.dwell, &v.amount); err != nil {
			return err
		}
		through := sourceValue(source)
		d.page(rollPage, &v)
		d.page(among(rollPage, rollThrough, through), &v)
		kind := rollOther
		if v.done == 1 {
			kind = rollEvent
			d.deed(among(rollEvent, rollThrough, through), &v)
		}
		e := d.deed(kind, &v)
		if flags&refusedFlag == 0 {
			e.set = e.set.with(v.who)
			k := deedKind{bits: uint64(v.view*kindView + v.done*kindDone), source: source, name: v.name, path: v.path} //nolint:gosec // two bits
			if v.path == "" {
				k.title = v.title
			}
			d.strip.add(k, deedRow{who: v.who, at: at, id: number})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("roll up events: %w", err)
	}
	return d.rollWithin(ctx, q, day)
}

// rollWithin reads the events of a day with the channel of the visit around each.
func (d dayRoll) rollWithin(ctx context.Context, q Querier, day clock.Day) error {
	var v seen
	var channel string
	err := each(ctx, q, rollWithin, []any{int64(day) - 1, int64(day), int64(day)}, func(rows *sql.Rows) error {
		if err := rows.Scan(&v.who, &v.view, &v.done, &v.name, &v.host, &v.path, &v.title, &v.dwell, &v.amount, &channel); err != nil {
			return err
		}
		d.page(among(rollPage, string(web.Channel), channel), &v)
		if v.done == 1 {
			d.deed(among(rollEvent, string(web.Channel), channel), &v)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("roll up events of channels: %w", err)
	}
	return nil
}

// refusedFlag marks events of those who refused to be analysed, which ofPerson leaves out besides robots.
const refusedFlag = 64

// rollDay rolls one day up from its facts.
func rollDay(ctx context.Context, q Querier, day clock.Day) (dayRoll, error) {
	d := newDayRoll()
	if err := d.rollVisits(ctx, q, day); err != nil {
		return d, err
	}
	return d, d.rollEvents(ctx, q, day)
}

// rows are the rows of a day as web_day holds them.
func (d dayRoll) rows(day clock.Day) [][]any {
	var out [][]any
	for kind, r := range d.kinds {
		for i, v := range r.sorted() {
			row := []any{kind, int64(day), int64(i), v.key.host, v.key.value, v.title}
			for _, f := range v.sums.fields() {
				row = append(row, *f)
			}
			var kept any
			if kind == rollEvent || kind == rollOther {
				if !slices.Equal(v.who, v.set) {
					kept = v.set.bytes()
				}
			}
			out = append(out, append(row, int64(len(v.who)), v.who.bytes(), v.buyers.bytes(), kept))
		}
	}
	slices.SortFunc(out, func(a, b []any) int {
		return cmp.Or(strings.Compare(text(a[0]), text(b[0])), cmp.Compare(number(a[2]), number(b[2])))
	})
	return out
}

func text(v any) string  { s, _ := v.(string); return s }
func number(v any) int64 { n, _ := v.(int64); return n }

package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/facet"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Events are the facts of behaviour of one workspace. It is used by one goroutine at a time.
//
// What must not happen twice or get lost stands in plane_state beside the rows, in the transaction that writes them: up to where the inbox was
// loaded, up to where the map from profiles to customers was followed, and by which definition visits were made.
type Events struct {
	db     DB
	clock  clock.Clock
	atOnce int64
	marks  int64
}

// NewEvents works on an open plane that Ensure was called for.
func NewEvents(db DB, c clock.Clock) *Events { return &Events{db: db, clock: c} }

// Owner is to whom a profile belongs. Known says that it is a customer; otherwise it is the profile that this one was joined to, or itself.
type Owner struct {
	ID    id.ID
	Known bool
}

// Row is an event as it is loaded: the values of f_event in the order of EventColumns.
type Row struct {
	Profile  id.ID
	Customer Owner
	At       int64
	Day      clock.Day
	Values   []any // the caller keeps it until Load has returned
}

// NewRow is an event with its owner and facets as it is loaded.
func NewRow(e *event.Event, o Owner, f facet.Facets) Row {
	flags := e.Flags
	if f.Passive {
		flags |= event.Passive
	}
	if f.Bot {
		flags |= event.Bot
	}
	var dwell, amount any
	if f.HasDwell {
		dwell = f.Dwell
	}
	if f.HasAmount {
		amount = f.Amount
	}
	return Row{Profile: e.Profile, Customer: o, At: e.At, Day: e.Day, Values: []any{int64(e.ID), int64(o.ID), int64(e.Profile), e.At, int64(e.Day), e.ReceivedAt, int64(e.Source),
		string(e.Kind), e.Name, int64(flags), f.Host, f.Path, f.Title, f.Referrer, f.Channel, f.UTMSource, f.UTMMedium, f.UTMCampaign, f.UTMTerm, f.UTMContent,
		f.Device, f.Browser, f.OS, f.Language, f.Country, f.Region, dwell, amount, f.Content, f.Platform, string(f.Properties), string(f.Context)}}
}

// EventColumns are the columns of f_event in the order of Row.Values.
func EventColumns() []string { return eventTable().names() }

// The keys of plane_state.
const (
	loadedKey   = "events_loaded"   // a change.Position
	movedKey    = "events_moved"    // up to where the map of profiles was followed
	restoredKey = "events_restored" // while files are read back: the last one
	visitsKey   = "events_visits"   // a VisitState
)

// Loaded is up to where the inbox was loaded; ok is false for a plane that holds nothing yet and must be restored.
func (e *Events) Loaded(ctx context.Context) (p change.Position, ok bool, err error) {
	ok, err = getJSON(ctx, e.db, loadedKey, &p)
	return p, ok, err
}

// Load adds events, marks the profiles whose visits change and the customers whose traits do, and stores the position, all or nothing. Where
// another process has loaded meanwhile, so that the position is not the one from which the events were read, nothing is done.
func (e *Events) Load(ctx context.Context, rows []Row, from, upTo change.Position) error {
	return e.db.Write(ctx, func(tx Tx) error {
		var at change.Position
		if _, err := getJSON(ctx, tx, loadedKey, &at); err != nil || at != from {
			return err
		}
		if err := e.add(ctx, tx, rows); err != nil {
			return err
		}
		return setJSON(ctx, tx, loadedKey, upTo)
	})
}

func (e *Events) add(ctx context.Context, tx Tx, rows []Row) error {
	type who struct{ customer, profile id.ID }
	first, known, days := map[who]int64{}, map[id.ID]bool{}, map[clock.Day]bool{}
	for i := range rows {
		r := &rows[i]
		k := who{r.Customer.ID, r.Profile}
		if at, ok := first[k]; !ok || r.At < at {
			first[k] = r.At
		}
		if r.Customer.Known {
			known[r.Customer.ID] = true
		}
		days[r.Day] = true
	}
	if err := e.mark(ctx, tx, days); err != nil {
		return err
	}
	today := clock.DayOf(e.clock.Now(), time.UTC)
	days[today], days[today+31] = true, true // the next month is made ahead
	if err := makeMonths(ctx, tx, e.db.Dialect(), EventTable, sortedKeys(days)); err != nil {
		return err
	}
	err := tx.Append(ctx, EventTable, EventColumns(), func(yield func([]any, error) bool) {
		for i := range rows {
			if !yield(rows[i].Values, nil) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	batch, err := e.nextTouched(ctx, tx)
	if err != nil {
		return err
	}
	err = tx.Append(ctx, "event_touched", []string{"customer_id", "profile_id", "batch", "from_at"}, func(yield func([]any, error) bool) {
		row := make([]any, 4)
		for k, at := range first {
			row[0], row[1], row[2], row[3] = int64(k.customer), int64(k.profile), batch, at
			if !yield(row, nil) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("mark profiles: %w", err)
	}
	return touch(ctx, tx, known)
}

func sortedKeys[K ~int32 | ~int64](m map[K]bool) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (e *Events) nextTouched(ctx context.Context, q Querier) (int64, error) {
	var n int64
	_, err := one(ctx, q, "SELECT COALESCE(max(batch), 0) + 1 FROM event_touched", nil, &n)
	return n, err
}

// touch marks customers for the traits.
func touch(ctx context.Context, tx Tx, customers map[id.ID]bool) error {
	if len(customers) == 0 {
		return nil
	}
	batch, err := nextBatch(ctx, tx)
	if err != nil {
		return err
	}
	err = tx.Append(ctx, "trait_touched", []string{"customer_id", "batch"}, func(yield func([]any, error) bool) {
		row := make([]any, 2)
		for _, c := range sortedKeys(customers) {
			row[0], row[1] = int64(c), batch
			if !yield(row, nil) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("mark customers: %w", err)
	}
	return nil
}

// Followed is up to where the map from profiles to customers was followed.
func (e *Events) Followed(ctx context.Context) (n int64, err error) {
	_, err = getJSON(ctx, e.db, movedKey, &n)
	return n, err
}

// moveTexts move the rows of a table to the owners that event_owner says: what moves is put aside, taken away, and put back.
func moveTexts(t table) []string {
	names := t.names()
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = "e." + Quote(n)
		if n == "customer_id" {
			list[i] = "o.customer_id"
		}
	}
	selected := ""
	for i, c := range list {
		if i > 0 {
			selected += ", "
		}
		selected += c
	}
	all := quoteAll(names, "")
	return []string{
		"INSERT INTO " + moved(t.name) + " (" + all + ") SELECT " + selected + " FROM " + t.name + " e JOIN event_owner o ON o.profile_id = e.profile_id WHERE e.customer_id <> o.customer_id",
		"DELETE FROM " + t.name + " USING event_owner o WHERE o.profile_id = " + t.name + ".profile_id AND " + t.name + ".customer_id <> o.customer_id",
		"INSERT INTO " + t.name + " (" + all + ") SELECT " + all + " FROM " + moved(t.name),
	}
}

const (
	clearOwners = `DELETE FROM event_owner`
	ownersWas   = `SELECT DISTINCT e.customer_id FROM f_event e JOIN event_owner o ON o.profile_id = e.profile_id WHERE e.customer_id <> o.customer_id`
)

// Move gives the rows of profiles to their owners as they are now, events and visits alike, marks the customers on both sides, and stores up to
// where the map was followed. It says how many events moved; those of nobody else are touched.
func (e *Events) Move(ctx context.Context, owners map[id.ID]Owner, upTo int64) (events int64, err error) {
	d := e.db.Dialect()
	err = e.db.Write(ctx, func(tx Tx) error {
		events = 0
		if len(owners) > 0 {
			if err := setOwners(ctx, tx, owners); err != nil {
				return err
			}
			touched := map[id.ID]bool{}
			err := each(ctx, tx, ownersWas, nil, func(r *sql.Rows) error {
				var v int64
				err := r.Scan(&v)
				touched[id.ID(v)] = true
				return err
			})
			if err != nil {
				return err
			}
			if events, err = e.moveAll(ctx, tx, d); err != nil {
				return err
			}
			for _, o := range owners {
				if o.Known {
					touched[o.ID] = true
				}
			}
			if events > 0 {
				if err := touch(ctx, tx, touched); err != nil {
					return err
				}
			}
		}
		return setJSON(ctx, tx, movedKey, upTo)
	})
	return events, err
}

func (e *Events) moveAll(ctx context.Context, tx Tx, d Dialect) (events int64, err error) {
	empty := func() error {
		for _, text := range scratch(d, movedTables()) {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}
	if err := empty(); err != nil {
		return 0, err
	}
	for i, t := range ownedTables() {
		for j, text := range moveTexts(t) {
			n, err := tx.Exec(ctx, text)
			if err != nil {
				return 0, fmt.Errorf("move %s: %w", t.name, err)
			}
			if i == 0 && j == 0 {
				events = n
			}
		}
	}
	days, err := daysOf(ctx, tx, movedDays)
	if err == nil {
		err = e.mark(ctx, tx, days)
	}
	if err != nil {
		return 0, err
	}
	if _, err = tx.Exec(ctx, clearOwners); err == nil {
		err = empty() // an erasure does not look there
	}
	return events, err
}

func setOwners(ctx context.Context, tx Tx, owners map[id.ID]Owner) error {
	if _, err := tx.Exec(ctx, clearOwners); err != nil {
		return err
	}
	return tx.Append(ctx, "event_owner", []string{"profile_id", "customer_id"}, func(yield func([]any, error) bool) {
		row := make([]any, 2)
		for p, o := range owners {
			row[0], row[1] = int64(p), int64(o.ID)
			if !yield(row, nil) {
				return
			}
		}
	})
}

// VisitState is how visits were made: those of all profiles by a definition, or some slices of them already.
type VisitState struct {
	Definition string `json:"definition"` // "" for none yet
	Slices     int64  `json:"slices"`     // 0 when complete
	Done       int64  `json:"done"`       // of them, from the newest on
	// Bounds are the instants between the slices, in milliseconds, the newest first.
	Bounds []int64 `json:"bounds,omitempty"`
}

// begun reports a pass over all profiles that goes on by its bounds.
func (st VisitState) begun() bool { return st.Slices > 0 && st.Slices == int64(len(st.Bounds))+1 }

// span are the bounds of the next slice: from one up to, not including, the other.
func (st VisitState) span() (from, to int64) {
	from, to = farPast, -farPast
	if st.Done > 0 {
		to = st.Bounds[st.Done-1]
	}
	if st.Done < int64(len(st.Bounds)) {
		from = st.Bounds[st.Done]
	}
	return from, to
}

// VisitOptions are what a workspace decides about visits.
type VisitOptions struct {
	Midnight bool // a new local day begins a new visit
	// Changed is told in the same transaction on which local days visits came, went or changed; nil for nobody.
	Changed func(ctx context.Context, tx Tx, days []clock.Day) error
}

// definition names what the visits were made by; another number makes them all anew.
func (o VisitOptions) definition() string {
	if o.Midnight {
		return "1 midnight"
	}
	return "1"
}

// sliceEvents is about how many events a pass over all profiles takes at once: their half hours are held in memory, and each slice ends with a commit, which
// puts the file in order.
const sliceEvents = 4_000_000

func (e *Events) sliceOf() int64 { return cmp.Or(e.atOnce, sliceEvents) }

// AtOnce sets how many events a pass over all profiles takes at once.
func (e *Events) AtOnce(n int64) *Events {
	e.atOnce = n
	return e
}

// Visits makes the visits of touched profiles anew, or, where none were made by the definition yet, those of a slice of all profiles. It says how many
// marks or events it worked off, 0 when there was nothing to do.
func (e *Events) Visits(ctx context.Context, opt VisitOptions) (did int, err error) {
	var st VisitState
	if _, err := getJSON(ctx, e.db, visitsKey, &st); err != nil {
		return 0, err
	}
	if st.Definition != opt.definition() || st.Slices > 0 {
		return e.slice(ctx, opt, st, 0)
	}
	var touched, batch, from int64
	if _, err := one(ctx, e.db, countTouchedSet, nil, &touched, &batch, &from); err != nil || touched == 0 {
		return 0, err
	}
	if touched > e.marksOf() {
		var all bool
		if all, touched, batch, from, err = e.backlog(ctx, batch, from); err != nil {
			return 0, err
		}
		if all {
			return e.slice(ctx, opt, VisitState{}, batch)
		}
	}
	err = e.db.Write(ctx, func(tx Tx) error { return e.touchedVisits(ctx, tx, opt, batch, from) })
	return int(touched), err
}

// touchedMarks is how many marks are worked off at once: what happened to those profiles is put in order in memory.
const touchedMarks = 100_000

func (e *Events) marksOf() int64 { return cmp.Or(e.marks, touchedMarks) }

// MarksAtOnce sets about how many marks of touched profiles are worked off at once.
func (e *Events) MarksAtOnce(n int64) *Events {
	e.marks = n
	return e
}

// backlog is what to do with more marks than are worked off at once: everybody's visits anew where most of what happened lies behind the first mark, as after
// a history was loaded, or the marks of the first batches.
func (e *Events) backlog(ctx context.Context, batch, from int64) (all bool, touched, upTo, since int64, err error) {
	var behind, events int64
	if _, err := one(ctx, e.db, countBehind, []any{dayBefore(from, 0)}, &behind, &events); err != nil {
		return false, 0, 0, 0, fmt.Errorf("count what was touched: %w", err)
	}
	if events > e.sliceOf() && behind > events/2 {
		return true, 0, batch, 0, nil
	}
	full := false
	err = each(ctx, e.db, countTouchedBatches, nil, func(r *sql.Rows) error {
		var key, n, first int64
		if err := r.Scan(&key, &n, &first); err != nil {
			return err
		}
		if full = full || touched > 0 && touched+n > e.marksOf(); full {
			return nil
		}
		if touched == 0 || first < since {
			since = first
		}
		touched, upTo = touched+n, key
		return nil
	})
	return false, touched, upTo, since, err
}

func (e *Events) touchedVisits(ctx context.Context, tx Tx, opt VisitOptions, batch, from int64) error {
	d := e.db.Dialect()
	for _, text := range scratch(d, visitTables()) {
		if _, err := tx.Exec(ctx, text); err != nil {
			return err
		}
	}
	texts := visitTexts(d, visitTouched, opt.Midnight)
	if _, err := tx.Exec(ctx, texts[0], batch, dayBefore(from, lookBack)); err != nil {
		return fmt.Errorf("find touched visits: %w", err)
	}
	if err := settle(ctx, tx, d, "visit_scope"); err != nil {
		return err
	}
	days, err := daysOf(ctx, tx, touchedDaysBefore)
	if err != nil {
		return err
	}
	var since int64
	if _, err := one(ctx, tx, "SELECT COALESCE(min(from_at), 0) FROM visit_scope", nil, &since); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, dropTouchedVisits); err != nil {
		return fmt.Errorf("take visits away: %w", err)
	}
	if err := e.makeVisits(ctx, tx, texts[1:], [][]any{{dayBefore(since, 1)}}, days, opt); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, dropTouchedMark, batch)
	return err
}

// dayBefore is some days before the local day of an instant, whatever the zone.
func dayBefore(ms int64, days int64) int64 {
	if ms <= farPast {
		return math.MinInt32
	}
	return floorDiv(ms, visitMost) - 1 - days
}

// dayAfter is the day after every local day of an instant, whatever the zone.
func dayAfter(ms int64) int64 {
	if ms >= -farPast {
		return math.MaxInt32
	}
	return floorDiv(ms, visitMost) + 1
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// makeVisits runs the statements of a pass; args belong to them in their order, as far as they go.
func (e *Events) makeVisits(ctx context.Context, tx Tx, texts []string, args [][]any, days map[clock.Day]bool, opt VisitOptions) error {
	d := e.db.Dialect()
	filled := []string{"visit_read", "visit_mark", "visit_event", "visit_long", "visit_order", "visit_whole", ""}
	for i, text := range texts {
		var with []any
		if i < len(args) {
			with = args[i]
		}
		if _, err := tx.Exec(ctx, text, with...); err != nil {
			return fmt.Errorf("make visits, step %d: %w", i+1, err)
		}
		if filled[i] != "" {
			if err := settle(ctx, tx, d, filled[i]); err != nil {
				return err
			}
		}
	}
	after, err := daysOf(ctx, tx, daysAfter)
	if err != nil {
		return err
	}
	for day := range after {
		days[day] = true
	}
	if len(days) == 0 {
		return nil
	}
	if err := e.mark(ctx, tx, withNext(days)); err != nil || opt.Changed == nil {
		return err
	}
	return opt.Changed(ctx, tx, sortedKeys(days))
}

func settle(ctx context.Context, tx Tx, d Dialect, name string) error {
	text := d.Settle(name)
	if text == "" {
		return nil
	}
	_, err := tx.Exec(ctx, text)
	return err
}

func daysOf(ctx context.Context, q Querier, text string, args ...any) (map[clock.Day]bool, error) {
	out := map[clock.Day]bool{}
	err := each(ctx, q, text, args, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out[clock.Day(v)] = true //nolint:gosec // a day fits
		return err
	})
	return out, err
}

// RemakeVisits has the next calls of Visits make those of all profiles anew.
func (e *Events) RemakeVisits(ctx context.Context) error {
	return e.db.Write(ctx, func(tx Tx) error {
		_, err := tx.Exec(ctx, dropState, visitsKey)
		return err
	})
}

// eventTexts are the statements on the facts of behaviour.
func eventTexts(d Dialect) []Text {
	out := []Text{{"owners as they were", ownersWas}, {"clear owners", clearOwners}, {"drop touched visits", dropTouchedVisits}, {"drop visits of a slice", dropSliceVisits},
		{"drop marks of visits", dropTouchedMark}, {"days of touched visits", touchedDaysBefore}, {"days of a slice", sliceDaysBefore}, {"days of visits", daysAfter},
		{"clear gone events", clearGone}, {"whose gone events are", goneFrom}, {"what was refused", refusedText(2)}, {"count marks of visits", countTouchedSet}, {"count marks by the batch", countTouchedBatches}, {"count behind a mark", countBehind}, {"count events by the hour", countHours}, {"mark visits that go on", markUnended}, {"mark runs that go on", markUnendedRuns}}
	for _, t := range ownedTables() {
		for i, text := range moveTexts(t) {
			out = append(out, Text{fmt.Sprintf("move %s %d", t.name, i), text})
		}
	}
	for i, s := range runSteps(d) {
		out = append(out, Text{fmt.Sprintf("runs of a slice %d", i), s.text})
	}
	for _, midnight := range []bool{false, true} {
		for i, text := range visitTexts(d, visitTouched, midnight) {
			out = append(out, Text{fmt.Sprintf("touched visits %d", i), text})
		}
		for i, text := range visitTexts(d, visitSlice, midnight)[1:] {
			out = append(out, Text{fmt.Sprintf("visits of a slice %d", i+1), text})
		}
	}
	return out
}

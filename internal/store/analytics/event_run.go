package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Visits of everybody.
//
// They are made slice by slice of time, the newest first, since events lie in the order of time. A slice makes what
// began, after a rest, between two instants. It reads from one rest before the first, so that it sees where rests ended, to half a
// day behind the second; whoever was still there then is marked, and made anew by the next pass over those. Visits that began after a
// slice without a rest of their own come when the slices behind it are done, so that nothing takes them away again.
//
// A run is what happened to a profile from one rest to the next. Two things that happened in the same half hour of the clock have no rest between
// them, so everything is summed by half hours first (visit_bit), which needs no order of all events; half hours without a rest between
// them (visit_link) are joined to runs (visit_run). Most runs are plain: one visit, of one local day and under 24 hours, without a second campaign.
// Those that are not (visit_hard) go the way of touched profiles, event by event.

// bitColumns: first_ms and last_ms bound everything, began_at and ended_at what is no beat; id is the first such event, shown and gone are the first and
// last page or screen; beat_at is the first beat.
func bitColumns() []string {
	return []string{"customer_id", "profile_id", "bucket", "first_ms", "last_ms", "day", "last_day", "began_at", "id", "ended_at", "shown_at", "shown", "gone_at", "gone", "beat_at", "views", "acts", "happened", "engaged_ms"}
}

func runColumns() []string {
	return []string{"customer_id", "profile_id", "first_ms", "last_ms", "day", "last_day", "began_at", "id", "ended_at", "shown", "gone", "beat_at", "views", "acts", "happened", "engaged_ms"}
}

// ofSlice are the days and instants that are read for a slice, $1 to $4.
const ofSlice = ` WHERE e.day >= CAST($1 AS BIGINT) AND e.day <= CAST($2 AS BIGINT) AND e.at >= CAST($3 AS BIGINT) AND e.at < CAST($4 AS BIGINT)`

const runBits = `INSERT INTO visit_bit ({columns})
SELECT customer_id, profile_id, bucket, first_ms, last_ms, day, last_day, {did_at}, {did}, ended_at, {shown_at}, {shown}, {gone_at}, {gone}, beat_at, views, acts, happened, engaged_ms
FROM (
 SELECT customer_id, profile_id, bucket, min(ms) AS first_ms, max(ms) AS last_ms, min(day) AS day, max(day) AS last_day,
  min(place) FILTER (WHERE beat = 0) AS first_did, max(ms) FILTER (WHERE beat = 0) AS ended_at, min(place) FILTER (WHERE seen = 1) AS first_seen, max(place) FILTER (WHERE seen = 1) AS last_seen,
  min(ms) FILTER (WHERE beat = 1) AS beat_at, count(*) FILTER (WHERE seen = 1) AS views, count(*) FILTER (WHERE seen = 0 AND beat = 0 AND passive = 0) AS acts,
  count(*) FILTER (WHERE beat = 0) AS happened, CAST(COALESCE(sum(dwell_ms) FILTER (WHERE beat = 1), 0) AS BIGINT) AS engaged_ms
 FROM (
  SELECT e.customer_id, e.profile_id, e.at AS ms, e.at - (e.at - ({past})) % {rest} AS bucket, {place} AS place, e.day, (e.flags & {passive}) AS passive, COALESCE(e.dwell_ms, 0) AS dwell_ms,
   CASE WHEN e.kind = 'track' THEN 0 ELSE 1 END AS seen, CASE WHEN e.kind = 'track' AND e.name = {engaged} THEN 1 ELSE 0 END AS beat
  FROM f_event e` + ofSlice + ` AND ` + happened + `) z
 GROUP BY customer_id, profile_id, bucket) x`

// Without a rest between them only half hours that follow each other can be.
const runLinks = `INSERT INTO visit_link (customer_id, profile_id, bucket, following)
SELECT a.customer_id, a.profile_id, a.bucket, b.bucket FROM visit_bit a JOIN visit_bit b ON b.customer_id = a.customer_id AND b.profile_id = a.profile_id AND b.bucket = a.bucket + {rest}
WHERE b.first_ms - a.last_ms <= {rest}`

const runsAlone = `INSERT INTO visit_run ({columns})
SELECT {of_bit} FROM visit_bit b
LEFT JOIN visit_link n ON n.customer_id = b.customer_id AND n.profile_id = b.profile_id AND n.bucket = b.bucket
LEFT JOIN visit_link p ON p.customer_id = b.customer_id AND p.profile_id = b.profile_id AND p.following = b.bucket
WHERE n.bucket IS NULL AND p.bucket IS NULL`

const runsJoined = `INSERT INTO visit_run ({columns})
SELECT customer_id, profile_id, min(first_ms), max(last_ms), min(day), max(last_day), min(began_at), {first_id}, max(ended_at), {first_shown}, {last_gone}, min(beat_at),
 CAST(sum(views) AS BIGINT), CAST(sum(acts) AS BIGINT), CAST(sum(happened) AS BIGINT), CAST(sum(engaged_ms) AS BIGINT)
FROM (
 SELECT b.*, sum(CASE WHEN p.bucket IS NULL THEN 1 ELSE 0 END) OVER (PARTITION BY b.customer_id, b.profile_id ORDER BY b.bucket ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
 FROM visit_bit b
 LEFT JOIN visit_link n ON n.customer_id = b.customer_id AND n.profile_id = b.profile_id AND n.bucket = b.bucket
 LEFT JOIN visit_link p ON p.customer_id = b.customer_id AND p.profile_id = b.profile_id AND p.following = b.bucket
 WHERE n.bucket IS NOT NULL OR p.bucket IS NOT NULL) x
GROUP BY customer_id, profile_id, run`

// campaigned is what names a campaign, which a beat does not.
const campaigned = ` AND (e.utm_source <> '' OR e.utm_medium <> '' OR e.utm_campaign <> '') AND (e.kind <> 'track' OR e.name <> {engaged})`

// A campaign splits no run that began with it and has no other.
const runsHard = `INSERT INTO visit_hard (customer_id, profile_id, from_at, to_at)
SELECT r.customer_id, r.profile_id, r.first_ms, r.last_ms FROM visit_run r WHERE r.day <> r.last_day OR r.last_ms - r.first_ms >= {most}
UNION SELECT r.customer_id, r.profile_id, r.first_ms, r.last_ms FROM visit_run r
JOIN (SELECT e.customer_id, e.profile_id, e.id, e.at AS ms, e.utm_source || ' | ' || e.utm_medium || ' | ' || e.utm_campaign AS campaign FROM f_event e` + ofSlice + ` AND ` + happened + campaigned + `) c
ON c.customer_id = r.customer_id AND c.profile_id = r.profile_id AND c.ms >= r.first_ms AND c.ms <= r.last_ms
GROUP BY r.customer_id, r.profile_id, r.first_ms, r.last_ms
HAVING min(c.campaign) <> max(c.campaign) OR min(CASE WHEN c.id = r.id THEN 0 ELSE 1 END) = 1 OR min(r.beat_at) <= min(r.began_at)`

const runsPlain = `DELETE FROM visit_run USING visit_hard h
WHERE visit_run.customer_id = h.customer_id AND visit_run.profile_id = h.profile_id AND visit_run.first_ms = h.from_at`

// runMade are the runs that began in a slice, from $1 up to $2, and are visits.
const runMade = ` r.began_at IS NOT NULL AND r.first_ms >= CAST($1 AS BIGINT) AND r.first_ms < CAST($2 AS BIGINT)`

// The number of a run's visit is none that windows give. Beats before anything else happened are none of the visit's time.
const runWhole = `INSERT INTO visit_whole (customer_id, profile_id, visit, piece, id, day, shown, shown_day, gone, gone_day, began_at, ended_at, views, acts, happened, engaged_ms)
SELECT r.customer_id, r.profile_id, -r.id, 0, r.id, r.day, COALESCE(r.shown, r.id), r.day, r.gone, r.day, r.began_at, r.ended_at, r.views, r.acts, r.happened,
 CASE WHEN r.beat_at <= r.began_at THEN COALESCE(b.dwell_ms, 0) ELSE r.engaged_ms END
FROM visit_run r LEFT JOIN (
 SELECT w.customer_id, w.profile_id, w.id, CAST(sum(e.dwell_ms) AS BIGINT) AS dwell_ms FROM visit_run w
 JOIN f_event e ON e.customer_id = w.customer_id AND e.profile_id = w.profile_id AND e.at >= w.began_at AND e.at <= w.last_ms AND (e.at > w.began_at OR e.id > w.id)
` + ofRead + ` AND w.beat_at <= w.began_at AND e.kind = 'track' AND e.name = {engaged} AND ` + happened + `
 GROUP BY w.customer_id, w.profile_id, w.id) b ON b.customer_id = r.customer_id AND b.profile_id = r.profile_id AND b.id = r.id
WHERE` + runMade

const runOrder = `INSERT INTO visit_order (customer_id, profile_id, visit, piece, orders, amount)
SELECT customer_id, profile_id, -id, 0, count(*), CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM (
 SELECT r.customer_id, r.profile_id, r.id, COALESCE({order_id}, CAST(e.id AS TEXT)) AS named, max(e.amount) AS amount
 FROM visit_run r JOIN f_event e ON e.customer_id = r.customer_id AND e.profile_id = r.profile_id AND e.at >= r.began_at AND e.at <= r.ended_at
` + ofRead + ` AND e.kind = 'track' AND e.name = {order} AND ` + happened + ` AND` + runMade + `
 GROUP BY r.customer_id, r.profile_id, r.id, COALESCE({order_id}, CAST(e.id AS TEXT))) x
GROUP BY customer_id, profile_id, id`

// ofRead is ofSlice behind the bounds of the slice, $3 to $6.
const ofRead = ` WHERE e.day >= CAST($3 AS BIGINT) AND e.day <= CAST($4 AS BIGINT) AND e.at >= CAST($5 AS BIGINT) AND e.at < CAST($6 AS BIGINT)`

// markUnendedRuns is markUnended for plain runs.
const markUnendedRuns = `INSERT INTO event_touched (customer_id, profile_id, batch, from_at)
SELECT r.customer_id, r.profile_id, CAST($4 AS BIGINT), r.first_ms FROM visit_run r
WHERE r.last_ms > CAST($3 AS BIGINT) AND r.first_ms >= CAST($1 AS BIGINT) AND r.first_ms < CAST($2 AS BIGINT)`

// runStep is a statement of a slice, the table that it fills, and which parameters it takes.
type runStep struct {
	text, fills string
	with        int
}

// The parameters of a step.
const (
	runAlone = iota
	runRead  // the days and instants that are read
	runBoth  // the bounds, and those
)

// runSteps find the plain runs of a slice and its visits of them, and leave the others in visit_hard.
func runSteps(d Dialect) []runStep {
	didAt, did := d.Halves("first_did")
	shownAt, shown := d.Halves("first_seen")
	goneAt, gone := d.Halves("last_seen")
	fill := func(text, columns string) string {
		return strings.NewReplacer(append(visitWords(d), "{past}", fmt.Sprint(farPast), "{columns}", columns, "{place}", d.Pair("e.at", "e.id"), "{did_at}", didAt, "{did}", did, "{shown_at}", shownAt, "{shown}", shown,
			"{gone_at}", goneAt, "{gone}", gone, "{of_bit}", quoteAll(runColumns(), "b."), "{first_id}", d.Least("id", "began_at", "began_at IS NOT NULL"), "{first_shown}", d.Least("shown", "shown_at", "shown_at IS NOT NULL"),
			"{last_gone}", d.Least("gone", "-gone_at", "gone_at IS NOT NULL"))...).Replace(text)
	}
	bits, runs := quoteAll(bitColumns(), ""), quoteAll(runColumns(), "")
	return []runStep{
		{fill(runBits, bits), "visit_bit", runRead}, {fill(runLinks, ""), "visit_link", runAlone}, {fill(runsAlone, runs), "", runAlone}, {fill(runsJoined, runs), "visit_run", runAlone},
		{fill(runsHard, ""), "visit_hard", runRead}, {fill(runsPlain, ""), "", runAlone}, {fill(runWhole, ""), "", runBoth}, {fill(runOrder, ""), "", runBoth},
	}
}

// sliceVisits makes the visits of a slice.
func (e *Events) sliceVisits(ctx context.Context, tx Tx, opt VisitOptions, st VisitState) error {
	d := e.db.Dialect()
	texts := scratch(d, visitTables())
	if text := d.WholeSet(); text != "" {
		texts = append(texts, text)
	}
	for _, text := range texts {
		if _, err := tx.Exec(ctx, text); err != nil {
			return err
		}
	}
	from, to := st.span()
	days, err := daysOf(ctx, tx, sliceDaysBefore, from, to)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, dropSliceVisits, from, to); err != nil {
		return err
	}
	first, last := from, to
	if st.Done < int64(len(st.Bounds)) {
		first -= visitRest
	}
	if st.Done > 0 {
		last += lookAhead
	}
	read := []any{dayBefore(first, 0), dayAfter(last), first, last}
	if err := e.runs(ctx, tx, []any{from, to}, read); err != nil {
		return err
	}
	if err := e.makeVisits(ctx, tx, visitTexts(d, visitSlice, opt.Midnight)[1:], [][]any{read, 2: {from, to}}, days, opt); err != nil || st.Done == 0 {
		return err
	}
	return e.unended(ctx, tx, from, to, last-visitRest-1)
}

// runs runs the steps.
func (e *Events) runs(ctx context.Context, tx Tx, bounds, read []any) error {
	d := e.db.Dialect()
	with := [][]any{runAlone: nil, runRead: read, runBoth: append(bounds, read...)}
	for i, s := range runSteps(d) {
		if _, err := tx.Exec(ctx, s.text, with[s.with]...); err != nil {
			return fmt.Errorf("make runs, step %d: %w", i+1, err)
		}
		if s.fills != "" {
			if err := settle(ctx, tx, d, s.fills); err != nil {
				return err
			}
		}
	}
	return nil
}

// unended marks whose last run began in a slice and may go on behind what was read.
func (e *Events) unended(ctx context.Context, tx Tx, from, to, last int64) error {
	batch, err := e.nextTouched(ctx, tx)
	if err != nil {
		return err
	}
	for _, text := range []string{markUnended, markUnendedRuns} {
		if _, err := tx.Exec(ctx, text, from, to, last, batch); err != nil {
			return fmt.Errorf("mark visits that go on: %w", err)
		}
	}
	return nil
}

// visitBounds cuts time so that about sliceEvents events lie between two bounds, hours by hours.
func (e *Events) visitBounds(ctx context.Context) ([]int64, error) {
	var out []int64
	sum := int64(0)
	err := each(ctx, e.db, countHours, nil, func(r *sql.Rows) error {
		var hour, n int64
		if err := r.Scan(&hour, &n); err != nil {
			return err
		}
		if sum += n; sum >= e.sliceOf() {
			out, sum = append(out, hour), 0
		}
		return nil
	})
	return out, err
}

// slice makes the visits of the next slice of all profiles. Marks up to a batch are dropped, since a pass that begins works them off.
func (e *Events) slice(ctx context.Context, opt VisitOptions, st VisitState, marks int64) (did int, err error) {
	if st.Definition != opt.definition() || !st.begun() {
		bounds, err := e.visitBounds(ctx)
		if err != nil {
			return 0, fmt.Errorf("slice visits: %w", err)
		}
		st = VisitState{Definition: opt.definition(), Slices: int64(len(bounds)) + 1, Bounds: bounds}
	}
	err = e.db.Write(ctx, func(tx Tx) error {
		if marks > 0 {
			if _, err := tx.Exec(ctx, dropTouchedMark, marks); err != nil {
				return err
			}
		}
		if err := e.sliceVisits(ctx, tx, opt, st); err != nil {
			return err
		}
		next := st
		if next.Done++; next.Done == next.Slices {
			next.Slices, next.Done, next.Bounds = 0, 0, nil
		}
		return setJSON(ctx, tx, visitsKey, next)
	})
	return 1, err
}

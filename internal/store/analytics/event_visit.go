package analytics

import (
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Visits, by the definitions of web analytics.
//
// What happened to one profile (pages, screens and interactions that no robot sent) is put in the order of time, then of
// acceptance. A visit begins with the first of them, after more than 30 minutes in which nothing happened, with a campaign other
// than the one in force since such a rest, and, where a workspace wants that, with a new local day. One that goes on without a
// rest is cut every 24 hours after it began. "Page Engaged" tells that somebody was still there: it keeps a visit awake and adds to its
// engaged time, but it begins none, is no event of it and does not move its end; after a rest it belongs to none until something
// else happens.
//
// A visit is described by its first page or screen, by its first event where it has none; coming from the site itself is coming
// directly. Its orders are the different ones that "Order Completed" named.
//
// Everything that decides where a visit begins lies before it. So a late event changes nothing before the last rest before it,
// and from there on the visits of its profile are made anew: both ways give the same rows.
//
// A pass copies what it works on into narrow work tables, step by step: visit_read (what happened, and where a rest ended),
// visit_mark (where the campaign changed), visit_event (to which visit each belongs), visit_long (visits that may be cut),
// visit_order, visit_whole (the visits), and then f_session. Windows run over profiles. A pass over everybody takes the shorter way that
// event_run.go tells of, and this one for what is not plain.

// Bounds of a visit, in milliseconds.
const (
	visitRest = 30 * 60 * 1000
	visitMost = 24 * 60 * 60 * 1000
	// engagedFrom is more than how long somebody must have looked for a visit to count as engaged.
	engagedFrom = 10_000
	// farPast stands for "from the beginning".
	farPast = -9_000_000_000_000_000
	// lookBack is how many days are searched for the last rest before an event; without one everything is made anew.
	lookBack = 3
	// lookAhead is how far behind its end a slice follows what began in it.
	lookAhead = 12 * 60 * 60 * 1000
)

// OrderCompleted is the event that counts as an order, named so by the specification that shops follow.
const OrderCompleted = "Order Completed"

// The scopes of a pass: the profiles in visit_scope, each from a time on; or the runs in visit_hard that began between two instants.
const (
	visitTouched = "touched"
	visitSlice   = "slice"
)

// happened is what visits are made of: not what happened elsewhere, which names no page.
const happened = `e.kind IN ('track', 'page', 'screen') AND (e.flags & {bot}) = 0 AND (COALESCE(e.host, '') <> '' OR e.kind <> 'track' OR COALESCE(e.name, '') NOT IN ({elsewhere}))`

// touchedScope finds the last rest before the touched events; $1 is the last batch, $2 the first day that is searched. What comes first of a profile, two days or
// more behind the beginning of that day in whatever zone, has a rest before it too: whoever returns has only the visit made that begins now.
const touchedScope = `INSERT INTO visit_scope (customer_id, profile_id, from_at)
SELECT t.customer_id, t.profile_id, COALESCE(max(b.ms), {past}) FROM (
 SELECT customer_id, profile_id, min(from_at) AS from_at FROM event_touched WHERE batch <= CAST($1 AS BIGINT) GROUP BY customer_id, profile_id) t
LEFT JOIN (
 SELECT e.customer_id, e.profile_id, e.at AS ms, COALESCE(e.at - lag(e.at) OVER (PARTITION BY e.customer_id, e.profile_id ORDER BY e.at, e.id),
  CASE WHEN e.at >= (CAST($2 AS BIGINT) + 2) * {most} THEN {rest} + 1 END) AS rested
 FROM f_event e JOIN (SELECT DISTINCT customer_id, profile_id FROM event_touched WHERE batch <= CAST($1 AS BIGINT)) s
 ON s.customer_id = e.customer_id AND s.profile_id = e.profile_id
 WHERE e.day >= CAST($2 AS BIGINT) AND ` + happened + `) b
ON b.customer_id = t.customer_id AND b.profile_id = t.profile_id AND b.rested > {rest} AND b.ms <= t.from_at
GROUP BY t.customer_id, t.profile_id`

// What a row says is worked out before the windows, so that they carry numbers.
const visitRead = `INSERT INTO visit_read (customer_id, profile_id, id, ms, day, place, rest, beat, seen, act, buys, dwell_ms, campaign)
SELECT customer_id, profile_id, id, ms, day, place, CASE WHEN was_ms IS NULL OR ms - was_ms > {rest}{midnight} THEN 1 ELSE 0 END, beat, seen, act, buys, dwell_ms, campaign
FROM (
 SELECT customer_id, profile_id, id, ms, day, beat, seen, act, buys, dwell_ms, campaign,
  lag(ms) OVER (PARTITION BY customer_id, profile_id ORDER BY ms, id) AS was_ms{was_day},
  row_number() OVER (PARTITION BY customer_id, profile_id ORDER BY ms, id) AS place
 FROM (
  SELECT customer_id, profile_id, id, ms, day, beat, CASE WHEN tracked THEN 0 ELSE 1 END AS seen, CASE WHEN tracked AND beat = 0 AND passive = 0 THEN 1 ELSE 0 END AS act,
   CASE WHEN tracked AND name = {order} THEN 1 ELSE 0 END AS buys, CASE WHEN beat = 1 THEN dwell_ms ELSE 0 END AS dwell_ms,
   CASE WHEN beat = 1 OR utm_source = '' AND utm_medium = '' AND utm_campaign = '' THEN '' ELSE utm_source || ' | ' || utm_medium || ' | ' || utm_campaign END AS campaign
  FROM (
   SELECT e.customer_id, e.profile_id, e.id, e.at AS ms, e.day, e.kind = 'track' AS tracked, e.name, (e.flags & {passive}) AS passive, COALESCE(e.dwell_ms, 0) AS dwell_ms,
    CASE WHEN e.kind = 'track' AND e.name = {engaged} THEN 1 ELSE 0 END AS beat, e.utm_source, e.utm_medium, e.utm_campaign
   FROM f_event e{scope} AND ` + happened + `) z) y) x`

// Before the first campaign after a rest none is in force.
const visitMark = `INSERT INTO visit_mark (customer_id, profile_id, id)
SELECT customer_id, profile_id, id FROM (
 SELECT customer_id, profile_id, id, rest, campaign, lag(campaign) OVER (PARTITION BY customer_id, profile_id ORDER BY place) AS was
 FROM visit_read WHERE rest = 1 OR campaign <> '') x
WHERE rest = 0 AND campaign <> '' AND campaign <> was`

// What happened last and when the last rest ended tell whether anything but a beat has happened since.
const visitEvent = `INSERT INTO visit_event (customer_id, profile_id, id, ms, day, place, visit, beat, seen, act, buys, dwell_ms)
SELECT customer_id, profile_id, id, ms, day, place, visit, beat, seen, act, buys, dwell_ms FROM (
 SELECT customer_id, profile_id, id, ms, day, place, beat, seen, act, buys, dwell_ms,
  CAST(sum(begins) OVER (PARTITION BY customer_id, profile_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS visit,
  max(CASE WHEN beat = 0 THEN ms END) OVER (PARTITION BY customer_id, profile_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS did,
  max(CASE WHEN rest = 1 THEN ms END) OVER (PARTITION BY customer_id, profile_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
 FROM (
  SELECT r.customer_id, r.profile_id, r.id, r.ms, r.day, r.place, r.rest, r.beat, r.seen, r.act, r.buys, r.dwell_ms,
   CASE WHEN r.rest = 1 OR m.id IS NOT NULL THEN 1 ELSE 0 END AS begins
  FROM visit_read r LEFT JOIN visit_mark m ON m.customer_id = r.customer_id AND m.profile_id = r.profile_id AND m.id = r.id) y) x
WHERE (beat = 0 OR did >= run){began}`

// inSlice keeps what happened after a rest that ended between $1 and $2.
const inSlice = ` AND run >= CAST($1 AS BIGINT) AND run < CAST($2 AS BIGINT)`

// markUnended marks whose last run began in a slice, from $1 up to $2, and may go on behind what was read: the last of it lies behind $3. $4 is the batch.
const markUnended = `INSERT INTO event_touched (customer_id, profile_id, batch, from_at)
SELECT customer_id, profile_id, CAST($4 AS BIGINT), max(CASE WHEN rest = 1 THEN ms END) FROM visit_read GROUP BY customer_id, profile_id
HAVING max(ms) > CAST($3 AS BIGINT) AND max(CASE WHEN rest = 1 THEN ms END) >= CAST($1 AS BIGINT) AND max(CASE WHEN rest = 1 THEN ms END) < CAST($2 AS BIGINT)`

const visitLong = `INSERT INTO visit_long (customer_id, profile_id, visit, began_at)
SELECT customer_id, profile_id, visit, min(ms) FILTER (WHERE beat = 0) FROM visit_event
GROUP BY customer_id, profile_id, visit HAVING max(ms) - min(ms) >= {most}`

// pieceOf is how many milliseconds of whole days lie between the beginning of a visit and an event of it.
const pieceOf = `COALESCE(w.ms - l.began_at - (w.ms - l.began_at) % {most}, 0)`

const withLong = ` w LEFT JOIN visit_long l ON l.customer_id = w.customer_id AND l.profile_id = w.profile_id AND l.visit = w.visit`

const visitOrder = `INSERT INTO visit_order (customer_id, profile_id, visit, piece, orders, amount)
SELECT customer_id, profile_id, visit, piece, count(*), CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM (
 SELECT w.customer_id, w.profile_id, w.visit, ` + pieceOf + ` AS piece, COALESCE({order_id}, CAST(e.id AS TEXT)) AS named, max(e.amount) AS amount
 FROM (SELECT * FROM visit_event WHERE buys = 1)` + withLong + `
 JOIN f_event e ON e.customer_id = w.customer_id AND e.id = w.id AND e.day = w.day
 WHERE e.kind = 'track' AND e.name = {order}
 GROUP BY w.customer_id, w.profile_id, w.visit, ` + pieceOf + `, COALESCE({order_id}, CAST(e.id AS TEXT))) x
GROUP BY customer_id, profile_id, visit, piece`

const visitWhole = `INSERT INTO visit_whole (customer_id, profile_id, visit, piece, id, day, shown, shown_day, gone, gone_day, began_at, ended_at, views, acts, happened, engaged_ms)
SELECT customer_id, profile_id, visit, piece, {first_id}, {first_day}, COALESCE({seen_id}, {first_id}), COALESCE({seen_day}, {first_day}), {last_id}, {last_day},
 min(ms) FILTER (WHERE beat = 0), max(ms) FILTER (WHERE beat = 0), CAST(sum(seen) AS BIGINT), CAST(sum(act) AS BIGINT), count(*) FILTER (WHERE beat = 0), CAST(sum(dwell_ms) AS BIGINT)
FROM (SELECT w.customer_id, w.profile_id, w.visit, ` + pieceOf + ` AS piece, w.id, w.ms, w.day, w.place, w.beat, w.seen, w.act, w.dwell_ms FROM visit_event` + withLong + `) x
GROUP BY customer_id, profile_id, visit, piece HAVING count(*) FILTER (WHERE beat = 0) > 0`

// visitInsert describes visits by the events that show them, last of all, since that is wide. Where one page was all, it is read once.
const visitInsert = `INSERT INTO f_session ({columns})
SELECT v.id, v.customer_id, v.profile_id, v.began_at, v.ended_at, v.day, l.source_id, v.views, v.happened, v.engaged_ms,
 CASE WHEN v.views <= 1 AND v.acts = 0 THEN 1 ELSE 0 END,
 CASE WHEN v.engaged_ms > {engaged_from} OR v.views >= 2 OR v.orders > 0 THEN 1 ELSE 0 END,
 COALESCE(v.orders, 0), COALESCE(v.amount, 0), l.host, CASE WHEN v.views > 0 THEN l.path ELSE '' END, CASE WHEN v.gone = v.shown THEN COALESCE(l.path, '') ELSE COALESCE(v.exit_path, '') END,
 CASE WHEN l.channel = 'internal' THEN '' ELSE l.referrer_host END, CASE WHEN l.channel = 'internal' THEN 'direct' ELSE l.channel END,
 l.utm_source, l.utm_medium, l.utm_campaign, l.device, l.browser, l.os, l.language, l.country, l.region
FROM (
 SELECT w.id, w.customer_id, w.profile_id, w.began_at, w.ended_at, w.day, w.shown, w.shown_day, w.gone, w.views, w.acts, w.happened, w.engaged_ms, x.path AS exit_path, o.orders, o.amount
 FROM visit_whole w LEFT JOIN f_event x ON x.customer_id = w.customer_id AND x.day = w.gone_day AND x.id = NULLIF(w.gone, w.shown)
 LEFT JOIN visit_order o ON o.customer_id = w.customer_id AND o.profile_id = w.profile_id AND o.visit = w.visit AND o.piece = w.piece) v
JOIN f_event l ON l.customer_id = v.customer_id AND l.day = v.shown_day AND l.id = v.shown`

const (
	dropTouchedVisits = `DELETE FROM f_session USING visit_scope s
WHERE f_session.customer_id = s.customer_id AND f_session.profile_id = s.profile_id AND f_session.started_at >= s.from_at`
	dropSliceVisits = `DELETE FROM f_session WHERE started_at >= CAST($1 AS BIGINT) AND started_at < CAST($2 AS BIGINT)`
	dropTouchedMark = `DELETE FROM event_touched WHERE batch <= CAST($1 AS BIGINT)`
	// The days whose visits a pass takes away, and those it has made.
	touchedDaysBefore = `SELECT DISTINCT f.day FROM f_session f JOIN visit_scope s ON s.customer_id = f.customer_id AND s.profile_id = f.profile_id WHERE f.started_at >= s.from_at`
	sliceDaysBefore   = `SELECT DISTINCT day FROM f_session WHERE started_at >= CAST($1 AS BIGINT) AND started_at < CAST($2 AS BIGINT)`
	daysAfter         = `SELECT DISTINCT day FROM visit_whole`
	countTouchedSet   = `SELECT count(*), COALESCE(max(batch), 0), COALESCE(min(from_at), 0) FROM event_touched`
	// What happened from a day on, and in all.
	countBehind         = `SELECT count(*) FILTER (WHERE e.day >= CAST($1 AS BIGINT)), count(*) FROM f_event e`
	countTouchedBatches = `SELECT batch, count(*), min(from_at) FROM event_touched GROUP BY batch ORDER BY batch`
	countHours          = `SELECT x.hour, count(*) FROM (SELECT e.at - e.at % 3600000 AS hour FROM f_event e) x GROUP BY x.hour ORDER BY x.hour DESC`
)

// visitTexts are the statements of a pass in their order. Of touched profiles the first after the scope takes the first day; of a slice, whose plain
// runs are found before, it takes the days and instants that are read, and visitEvent the bounds.
func visitTexts(d Dialect, scope string, midnight bool) []string {
	began := ""
	where := ` JOIN visit_scope s ON s.customer_id = e.customer_id AND s.profile_id = e.profile_id AND e.at >= s.from_at WHERE e.day >= CAST($1 AS BIGINT)`
	if scope == visitSlice {
		where = ` JOIN visit_hard s ON s.customer_id = e.customer_id AND s.profile_id = e.profile_id AND e.at >= s.from_at AND e.at <= s.to_at` + ofSlice
		began = inSlice
	}
	split, wasDay := "", ""
	if midnight {
		split, wasDay = " OR day <> was_day", ", lag(day) OVER (PARTITION BY customer_id, profile_id ORDER BY ms, id) AS was_day"
	}
	words := append(visitWords(d), "{scope}", where, "{midnight}", split, "{was_day}", wasDay, "{began}", began, "{past}", strconv.Itoa(farPast), "{engaged_from}", strconv.Itoa(engagedFrom),
		"{first_id}", d.Least("id", "place", "beat = 0"), "{seen_id}", d.Least("id", "place", "seen = 1"), "{last_id}", d.Least("id", "-place", "seen = 1"),
		"{first_day}", d.Least("day", "place", "beat = 0"), "{seen_day}", d.Least("day", "place", "seen = 1"), "{last_day}", d.Least("day", "-place", "seen = 1"), "{columns}", quoteAll(sessionTable().names(), ""))
	fill := strings.NewReplacer(words...)
	var out []string
	for _, text := range []string{touchedScope, visitRead, visitMark, visitEvent, visitLong, visitOrder, visitWhole, visitInsert} {
		out = append(out, fill.Replace(text))
	}
	return out
}

// visitWords are what the texts of both ways name alike.
func visitWords(d Dialect) []string {
	return []string{"{bot}", strconv.Itoa(int(event.Bot)), "{elsewhere}", elsewhere(), "{passive}", strconv.Itoa(int(event.Passive)), "{rest}", strconv.Itoa(visitRest), "{most}", strconv.Itoa(visitMost),
		"{engaged}", literal(event.Engaged), "{order}", literal(OrderCompleted), "{order_id}", d.Property("e.properties", "order_id")}
}

// elsewhere are the names of what is no part of a visit, as texts of a statement.
func elsewhere() string { return "'" + strings.Join(event.Elsewhere(), "', '") + "'" }

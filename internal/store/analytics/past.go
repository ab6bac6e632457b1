package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

var _ classify.Past = (*Audience)(nil)

// The log of classes holds a row for each day on which a customer came into another class of a classification. The class of a
// day is that of the newest row up to it; ” is no class.
func pastTables() []table {
	log := table{name: "class_log", key: []string{"classification", "customer_id", "day"}, columns: []column{
		{"classification", schema.String}, {"customer_id", schema.Int64}, {"day", schema.Int64}, {"class_key", schema.String}}}
	last := table{name: "past_member", key: []string{"classification", "customer_id"}, staging: true, columns: []column{
		{"classification", schema.String}, {"customer_id", schema.Int64}, {"class_key", schema.String}}}
	out := []table{log, last}
	for _, f := range computedFamilies() {
		out = append(out, f.past())
	}
	return out
}

// past is the twin of a family in which the traits of an earlier day are computed.
func (t table) past() table {
	t.name, t.family, t.staging = earlier(t.name), false, true
	return t
}

func earlier(family string) string { return "past_" + family }

const (
	// {query} gives a class, or '' for none, for everyone who was known. Parameters: the classification, the day, those of the
	// query, the classification.
	logDifferent = `INSERT INTO class_log (classification, customer_id, day, class_key)
SELECT CAST(? AS TEXT), n.customer_id, CAST(? AS BIGINT), n.class_key FROM ({query}) n
LEFT JOIN (SELECT customer_id, class_key FROM past_member WHERE classification = ?) m ON m.customer_id = n.customer_id
WHERE m.class_key IS DISTINCT FROM n.class_key`
	dropPassed  = `DELETE FROM past_member WHERE classification = ? AND customer_id IN (SELECT customer_id FROM class_log WHERE classification = ? AND day = ?)`
	takePassed  = `INSERT INTO past_member (classification, customer_id, class_key) SELECT classification, customer_id, class_key FROM class_log WHERE classification = ? AND day = ?`
	clearPassed = `DELETE FROM past_member`
	dropLog     = `DELETE FROM class_log WHERE classification = ?`
	pruneLog    = `DELETE FROM class_log WHERE customer_id IN (SELECT l.customer_id FROM (SELECT DISTINCT customer_id FROM class_log) l LEFT JOIN a_customer c ON c.id = l.customer_id WHERE c.id IS NULL)`
	presentLog  = `SELECT customer_id, class_key FROM class_member WHERE classification = ?`
	firstBought = `SELECT min(first_order_day) FROM t_order`
	// Whom the company knew on a day: entered, acquired, or with a purchase.
	knownThen = ` IN (SELECT c.id FROM a_customer c LEFT JOIN past_t_order o ON o.customer_id = c.id
WHERE c.created_at_day <= ? OR c.acquired_on <= ? OR o.orders > 0)`

	// The moves of a pass, on the day of analysis.
	logMovedDrop = `DELETE FROM class_log WHERE classification = ? AND day = ? AND customer_id IN (SELECT customer_id FROM class_move)`
	logMoved     = `INSERT INTO class_log (classification, customer_id, day, class_key)
SELECT CAST(? AS TEXT), customer_id, CAST(? AS BIGINT), COALESCE(class_key, '') FROM class_move`
)

// monthsBack is how many ends of months a classification is decided anew for.
const monthsBack = 24

// syncFacts is up to how many orders and lines a past is made as soon as rules change; above, with the nightly pass.
const syncFacts = 3_000_000

// stateLog is the entry of the plane's state that says of which classifications the past is known.
const stateLog = "class_log"

type logState map[string]classify.Known

// logMoves writes the moves of class_move into the log.
func logMoves(ctx context.Context, tx Tx, classification string) error {
	st, err := loadState(ctx, tx)
	if err != nil || !st.Known {
		return err
	}
	day := int64(st.Anchor)
	return run(ctx, tx, exec{logMovedDrop, []any{classification, day}}, exec{logMoved, []any{classification, day}})
}

// Days implements classify.Past.
func (a *Audience) Days(ctx context.Context) (now, first clock.Day, err error) {
	st, err := a.store.State(ctx)
	if err != nil {
		return 0, 0, err
	}
	var day sql.NullInt64
	_, err = one(ctx, a.store.db, firstBought, nil, &day)
	return st.Anchor, clock.Day(day.Int64), err
}

// Known implements classify.Past.
func (a *Audience) Known(ctx context.Context, key string) (classify.Known, bool, error) {
	st := logState{}
	_, err := getJSON(ctx, a.store.db, stateLog, &st)
	k, ok := st[key]
	return k, ok, err
}

// Remember implements classify.Past.
func (a *Audience) Remember(ctx context.Context, defs []classify.Classification, _ time.Time) error {
	now, first, err := a.Days(ctx)
	if err != nil || now == 0 {
		return err
	}
	st := logState{}
	if _, err := getJSON(ctx, a.store.db, stateLog, &st); err != nil {
		return err
	}
	var anew []classify.Classification
	changed := false
	for _, d := range defs {
		k, ok := st[d.Key]
		switch {
		case ok && k.Version == d.Version:
			continue
		case a.replayable(&d) && first > 0:
			anew = append(anew, d)
			continue
		case !ok:
			k.Since = now
		}
		k.Version, changed = d.Version, true
		st[d.Key] = k
	}
	if len(anew) > 0 {
		since, until, err := a.replay(ctx, anew, first, now)
		if err != nil {
			return fmt.Errorf("decide classes of earlier days: %w", err)
		}
		for _, d := range anew {
			st[d.Key], changed = classify.Known{Since: since, Replayed: until, Version: d.Version}, true
		}
	}
	return a.store.db.Write(ctx, func(tx Tx) error {
		if err := run(ctx, tx, exec{pruneLog, nil}); err != nil || !changed {
			return err
		}
		return setJSON(ctx, tx, stateLog, st)
	})
}

// TooLarge reports a plane whose past is not made while somebody waits.
func (a *Audience) TooLarge(ctx context.Context) (bool, error) {
	var n int64
	_, err := one(ctx, a.store.db, countFacts, nil, &n)
	return n > syncFacts, err
}

// replayable reports conditions that ask only of traits of purchases, and of records and events by their time.
func (a *Audience) replayable(d *classify.Classification) bool {
	ok := true
	traits := a.env().Traits
	for _, c := range d.Classes {
		query.Walk(c.Where, func(n *query.Node, _ string) bool {
			switch n.Kind() {
			case "trait":
				t, found := traits.Trait(n.Trait)
				ok = ok && found && isComputed(t.Table)
			case "field", "segment", "list", "random", "top", "":
				ok = false
			case "record", "event":
				return false // the rows are chosen by what they are
			case "first", "stopped", "resumed", "sequence":
				return false
			}
			return ok
		})
	}
	return ok
}

func isComputed(name string) bool {
	return slices.ContainsFunc(computedFamilies(), func(f table) bool { return f.name == name })
}

// monthEnds are the last days of months from the month of one day up to the day before another, the latest ones.
func monthEnds(first, now clock.Day) []clock.Day {
	var out []clock.Day
	t := first.Time()
	for y, m := t.Year(), t.Month(); ; m++ {
		end := clock.NewDay(y, m+1, 1) - 1
		if end >= now {
			break
		}
		out = append(out, end)
	}
	return out[max(0, len(out)-monthsBack):]
}

// replay decides classifications for the ends of past months, then for now as they stand.
func (a *Audience) replay(ctx context.Context, defs []classify.Classification, first, now clock.Day) (since, until clock.Day, err error) {
	a.past.Lock()
	defer a.past.Unlock()
	days := monthEnds(first, now)
	steps := []exec{{clearPassed, nil}}
	for _, d := range defs {
		steps = append(steps, exec{dropLog, []any{d.Key}})
	}
	if err := a.store.db.Write(ctx, func(tx Tx) error { return run(ctx, tx, steps...) }); err != nil {
		return 0, 0, err
	}
	for _, day := range days {
		if err := a.store.computeThen(ctx, day); err != nil {
			return 0, 0, err
		}
		env := a.then(day)
		for _, d := range defs {
			q, err := a.classesIn(env, &d, knownThen, []any{int64(day), int64(day)}, true)
			if err == nil {
				err = a.store.db.Write(ctx, func(tx Tx) error { return logAll(ctx, tx, d.Key, day, q) })
			}
			if err != nil {
				return 0, 0, err
			}
		}
	}
	err = a.store.db.Write(ctx, func(tx Tx) error {
		for _, d := range defs {
			if err := logAll(ctx, tx, d.Key, now, Select{presentLog, []any{d.Key}}); err != nil {
				return err
			}
		}
		steps := []exec{{clearPassed, nil}}
		for _, f := range computedFamilies() {
			steps = append(steps, exec{"DELETE FROM " + earlier(f.name), nil})
		}
		return run(ctx, tx, steps...)
	})
	if len(days) == 0 {
		return now, now, err
	}
	return days[0], days[len(days)-1], err
}

func logAll(ctx context.Context, tx Tx, key string, day clock.Day, q Select) error {
	return run(ctx, tx, exec{logText(q.SQL), append(append([]any{key, int64(day)}, q.Args...), key)},
		exec{dropPassed, []any{key, key, int64(day)}}, exec{takePassed, []any{key, int64(day)}})
}

// then is the environment of an earlier day.
func (a *Audience) then(day clock.Day) compile.Env {
	env := a.env()
	env.Now, env.Until, env.Traits = (day + 1).Start(env.Zone).Add(-time.Millisecond), day, pastTraits{env.Traits}
	return env
}

// pastTraits are the traits of purchases, as of an earlier day.
type pastTraits struct{ query.Traits }

// Trait implements query.Traits.
func (p pastTraits) Trait(key string) (query.Trait, bool) {
	t, ok := p.Traits.Trait(key)
	if ok && isComputed(t.Table) {
		t.Table = earlier(t.Table)
	}
	return t, ok
}

// computeThen computes the families of traits as they were at the end of a day.
func (s *Store) computeThen(ctx context.Context, day clock.Day) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.State(ctx)
	if err != nil {
		return err
	}
	bounds, err := s.slices(ctx, rowsPerSlice)
	if err != nil {
		return err
	}
	p := trait.Pass{Anchor: day, At: s.clock.Now(), Settings: st.Settings}
	err = s.db.Write(ctx, func(tx Tx) error {
		var steps []exec
		for _, f := range computedFamilies() {
			steps = append(steps, exec{"DELETE FROM " + earlier(f.name), nil})
		}
		return run(ctx, tx, steps...)
	})
	whole := exec{s.db.Dialect().WholeSet(), nil}
	for i := 0; err == nil && i+1 < len(bounds); i++ {
		err = s.db.Write(ctx, func(tx Tx) error { return s.fillSlice(ctx, tx, bounds[i], bounds[i+1], day) })
		if err != nil {
			break
		}
		steps := append([]exec{whole}, s.familySteps(earlier(FamilyOrder), earlier(FamilyTaste), p)...)
		steps = append(steps, s.emptySteps()...)
		err = s.db.Write(ctx, func(tx Tx) error { return run(ctx, tx, steps...) })
	}
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx Tx) error {
		r, err := cut(ctx, tx, p.Settings, earlier(FamilyOrder))
		if err != nil {
			return err
		}
		text := rfmText(earlier(FamilyRFM), earlier(FamilyOrder), monetary(p.Settings), scopeAll)
		return run(ctx, tx, whole, exec{text, append(cutArgs(r.Cuts), p.At.UnixMilli())})
	})
}

func logText(query string) string { return strings.ReplaceAll(logDifferent, "{query}", query) }

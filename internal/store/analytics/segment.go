package analytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// memberState is what plane_state says of a segment, in the transaction that stores its members: by which condition they are, since when, and
// the local day on which everybody was looked at last.
type memberState struct {
	Mark  string
	Since int64
	Day   clock.Day
}

func segmentState(key string) string { return "segment " + key }

const (
	tellBatch = 5000
	// reasonsAtMost is of how many customers at a time it is asked which part of a condition decided: of more nobody reads it.
	reasonsAtMost = 2000
	partsAtMost   = 30
)

// Replace implements segment.Audience.
func (a *Audience) Replace(ctx context.Context, t segment.Turn) (segment.Point, error) {
	text, args, err := a.from(customer, t.Where)
	if err != nil {
		return segment.Point{}, err
	}
	return a.ReplaceMembers(ctx, t, Select{SQL: "SELECT t.id AS customer_id" + text, Args: args})
}

// SetMembership implements segment.Audience. Members that are no customers any more are left out.
func (a *Audience) SetMembership(ctx context.Context, t segment.Turn, ids []id.ID) (segment.Point, error) {
	err := a.store.db.Write(ctx, func(tx Tx) error {
		if _, err := tx.Exec(ctx, clearStatic); err != nil {
			return err
		}
		return tx.Append(ctx, "segment_list", []string{"customer_id"}, oneColumn(ids))
	})
	if err != nil {
		return segment.Point{}, fmt.Errorf("stage members of %s: %w", t.Key, err)
	}
	return a.ReplaceMembers(ctx, t, Select{SQL: selectStatic})
}

func oneColumn(ids []id.ID) Source {
	return func(yield func([]any, error) bool) {
		row := make([]any, 1)
		for _, v := range ids {
			row[0] = int64(v)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// ReplaceMembers makes the result of a query (column customer_id) the members of a segment. The first members, and those of another condition
// than before, are told to nobody.
func (a *Audience) ReplaceMembers(ctx context.Context, t segment.Turn, q Select) (segment.Point, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	p := segment.Point{At: t.At}
	err := a.store.db.Write(ctx, func(tx Tx) error {
		var was memberState
		known, err := getJSON(ctx, tx, segmentState(t.Key), &was)
		if err != nil {
			return err
		}
		known = known && was.Mark == t.Mark
		err = run(ctx, tx, exec{clearSegmentNext, nil}, exec{clearSegmentMove, nil}, exec{fillSegmentNext + q.SQL + ") q", q.Args},
			exec{findEntered, []any{t.Key}}, exec{findLeft, []any{t.Key}})
		if err != nil {
			return err
		}
		if _, err := one(ctx, tx, countSegmentMoves, nil, &p.Entered, &p.Left); err != nil {
			return err
		}
		p.SameDay = known && was.Day == t.Day
		is := memberState{Mark: t.Mark, Since: t.At.UnixMilli(), Day: t.Day}
		if known {
			is.Since = was.Since
			if err := a.tellMoves(ctx, tx, t, time.UnixMilli(was.Since), p.Entered+p.Left); err != nil {
				return err
			}
		}
		if is != was {
			if err := setJSON(ctx, tx, segmentState(t.Key), is); err != nil {
				return err
			}
		}
		if err := a.keepMoves(ctx, tx, t); err != nil {
			return err
		}
		_, err = one(ctx, tx, countSegment, []any{t.Key}, &p.Size)
		return err
	})
	if err != nil {
		return segment.Point{}, fmt.Errorf("replace members of %s: %w", t.Key, err)
	}
	return p, nil
}

// keepMoves stores what segment_move says.
func (a *Audience) keepMoves(ctx context.Context, tx Tx, t segment.Turn) error {
	return run(ctx, tx, exec{dropLeft, []any{t.Key}}, exec{addEntered, []any{t.Key, t.At.UnixMilli()}}, exec{clearSegmentNext, nil})
}

// tellMoves hands over what segment_move says, with the parts of the condition that decided where few moved.
func (a *Audience) tellMoves(ctx context.Context, tx Tx, t segment.Turn, since time.Time, moved int) error {
	if moved == 0 || t.Tell == nil {
		return nil
	}
	reasons := map[id.ID]*query.Node{}
	if moved <= reasonsAtMost {
		var err error
		if reasons, err = a.reasons(ctx, tx, t); err != nil {
			return err
		}
	}
	batch := make([]segment.Passage, 0, min(moved, tellBatch))
	err := each(ctx, tx, readSegmentMoves, nil, func(r *sql.Rows) error {
		var c int64
		var p segment.Passage
		if err := r.Scan(&c, &p.Entered); err != nil {
			return err
		}
		p.Customer = id.ID(c)
		if p.Entered == t.Any { // one branch of many brings somebody in, or keeps him out
			p.Leaf = reasons[p.Customer]
		}
		batch = append(batch, p)
		if len(batch) < tellBatch {
			return nil
		}
		err := t.Tell(ctx, since, batch)
		batch = batch[:0]
		return err
	})
	if err == nil && len(batch) > 0 {
		err = t.Tell(ctx, since, batch)
	}
	return err
}

// reasons are the first part of a condition that holds (Any) or does not, by who moved.
func (a *Audience) reasons(ctx context.Context, tx Tx, t segment.Turn) (map[id.ID]*query.Node, error) {
	out := map[id.ID]*query.Node{}
	if len(t.Parts) < 2 || len(t.Parts) > partsAtMost {
		return out, nil
	}
	cases, err := a.cases(t.Parts)
	if err != nil {
		return nil, err
	}
	text := "SELECT t.id" + cases.columns + " FROM a_customer t" + cases.Joins + " WHERE t.id IN (SELECT customer_id FROM segment_move)"
	err = cases.each(ctx, tx, text, nil, func(customer id.ID, holds []bool) {
		for i, h := range holds {
			if h == t.Any {
				out[customer] = t.Parts[i]
				return
			}
		}
	})
	return out, err
}

// several are conditions about customers as columns of one statement.
type several struct {
	compile.Cases
	columns string
	args    []any // of the columns
}

func (a *Audience) cases(nodes []*query.Node) (several, error) {
	env := a.env()
	c, err := compile.AnalyticsCases(env, env.Registry.Object(customer), nodes)
	if err != nil {
		return several{}, err
	}
	out := several{Cases: c}
	var b strings.Builder
	for i, w := range c.When {
		b.WriteString(", COALESCE(" + w.Where + ", FALSE) AS h" + strconv.Itoa(i))
		out.args = append(out.args, w.Args...)
	}
	out.columns = b.String()
	return out, nil
}

// each reads the rows of a text that begins with the id and the columns; more are its last parameters.
func (c *several) each(ctx context.Context, q Querier, text string, more []any, fn func(customer id.ID, holds []bool)) error {
	var customer int64
	holds := make([]bool, len(c.When))
	dst := []any{&customer}
	for i := range holds {
		dst = append(dst, &holds[i])
	}
	return each(ctx, q, text, slices.Concat(c.args, c.JoinArgs, more), func(r *sql.Rows) error {
		err := r.Scan(dst...)
		if err == nil {
			fn(id.ID(customer), holds)
		}
		return err
	})
}

// followed is a segment while its members among some customers are compared.
type followed struct {
	at    int // its place among the turns
	since time.Time
	had   map[id.ID]bool
	in    map[id.ID]bool
}

// Follow implements segment.Audience.
func (a *Audience) Follow(ctx context.Context, turns []segment.Turn) ([]segment.Point, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	points := make([]segment.Point, len(turns))
	for i := range points {
		points[i] = segment.Point{At: turns[i].At, Size: -1}
	}
	err := a.store.db.Write(ctx, func(tx Tx) error {
		list, err := a.compared(ctx, tx, turns)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			f := &list[i]
			if points[f.at], err = a.moveSome(ctx, tx, turns[f.at], f); err != nil {
				return fmt.Errorf("segment %s: %w", turns[f.at].Key, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("follow segments: %w", err)
	}
	return points, nil
}

// compared says who of the customers of the last small pass is in each segment whose members are of the same condition, and who was.
func (a *Audience) compared(ctx context.Context, tx Tx, turns []segment.Turn) ([]followed, error) {
	var list []followed
	var nodes []*query.Node
	byKey := map[string]*followed{}
	for i, t := range turns {
		var was memberState
		known, err := getJSON(ctx, tx, segmentState(t.Key), &was)
		if err != nil {
			return nil, err
		}
		if known && was.Mark == t.Mark {
			list = append(list, followed{at: i, since: time.UnixMilli(was.Since), had: map[id.ID]bool{}, in: map[id.ID]bool{}})
			nodes = append(nodes, t.Where)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	for i := range list {
		byKey[turns[list[i].at].Key] = &list[i]
	}
	cases, err := a.cases(nodes)
	if err != nil {
		return nil, err
	}
	who, err := takenUp(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, one := range who.each(whoText(who.scope)) {
		text := "SELECT t.id" + cases.columns + " FROM a_customer t" + cases.Joins + " WHERE t.id" + one.text
		err := cases.each(ctx, tx, text, one.args, func(customer id.ID, holds []bool) {
			for i, h := range holds {
				if h {
					list[i].in[customer] = true
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return list, each(ctx, tx, readMembersNow, nil, func(r *sql.Rows) error {
		var key string
		var customer int64
		err := r.Scan(&key, &customer)
		if f := byKey[key]; f != nil {
			f.had[id.ID(customer)] = true
		}
		return err
	})
}

// moveSome stores and tells how one segment's members among some customers changed.
func (a *Audience) moveSome(ctx context.Context, tx Tx, t segment.Turn, f *followed) (segment.Point, error) {
	p := segment.Point{At: t.At}
	var rows [][]any
	for c := range f.in {
		if !f.had[c] {
			rows = append(rows, []any{int64(c), true})
			p.Entered++
		}
	}
	for c := range f.had {
		if !f.in[c] {
			rows = append(rows, []any{int64(c), false})
			p.Left++
		}
	}
	if len(rows) == 0 {
		return p, nil
	}
	slices.SortFunc(rows, func(x, y []any) int { return int(x[0].(int64) - y[0].(int64)) })
	if _, err := tx.Exec(ctx, clearSegmentMove); err != nil {
		return p, err
	}
	err := tx.Append(ctx, "segment_move", []string{"customer_id", "entered"}, Rows(rows))
	if err == nil {
		err = a.tellMoves(ctx, tx, t, f.since, len(rows))
	}
	if err == nil {
		err = a.keepMoves(ctx, tx, t)
	}
	if err == nil {
		_, err = one(ctx, tx, countSegment, []any{t.Key}, &p.Size)
	}
	return p, err
}

// DropMembership implements segment.Audience.
func (a *Audience) DropMembership(ctx context.Context, key string) error {
	return a.store.DropMembers(ctx, key)
}

// Parts implements segment.Audience.
func (a *Audience) Parts(ctx context.Context, nodes []*query.Node) ([]int, error) {
	cases, err := a.cases(nodes)
	if err != nil {
		return nil, err
	}
	sums := make([]string, len(nodes))
	out, dst := make([]int, len(nodes)), make([]any, len(nodes))
	for i := range nodes {
		sums[i] = "count(*) FILTER (WHERE h" + strconv.Itoa(i) + ")"
		dst[i] = &out[i]
	}
	text := "SELECT " + strings.Join(sums, ", ") + " FROM (SELECT t.id" + cases.columns + " FROM a_customer t" + cases.Joins + ") q"
	err = a.alone(ctx, func() error {
		_, err := one(ctx, a.store.db, text, slices.Concat(cases.args, cases.JoinArgs), dst...)
		return err
	})
	return out, err
}

// Plan implements segment.Audience.
func (a *Audience) Plan(ctx context.Context, where *query.Node) (string, error) {
	text, args, err := a.from(customer, where)
	if err != nil {
		return "", err
	}
	rows, err := a.store.db.Query(ctx, "EXPLAIN SELECT count(*)"+text, args...)
	if err != nil {
		return "", fmt.Errorf("explain an audience: %w", err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	values, dst := make([]string, len(columns)), make([]any, len(columns))
	for i := range values {
		dst[i] = &values[i]
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return "", err
		}
		out = append(out, values[len(values)-1]) // the last column is the plan, in both engines
	}
	return strings.Join(out, "\n"), rows.Err()
}

// Overlaps implements segment.Audience.
func (a *Audience) Overlaps(ctx context.Context, nodes []*query.Node) ([][]int, error) {
	if len(nodes) == 0 {
		return nil, errors.New("no segments")
	}
	cases, err := a.cases(nodes)
	if err != nil {
		return nil, err
	}
	var sums []string
	var dst []any
	out := make([][]int, len(nodes))
	for i := range nodes {
		out[i] = make([]int, len(nodes))
	}
	for i := range nodes {
		for j := i; j < len(nodes); j++ {
			sums = append(sums, fmt.Sprintf("count(*) FILTER (WHERE h%d AND h%d)", i, j))
			dst = append(dst, &out[i][j])
		}
	}
	text := "SELECT " + strings.Join(sums, ", ") + " FROM (SELECT t.id" + cases.columns + " FROM a_customer t" + cases.Joins + ") q"
	err = a.alone(ctx, func() error {
		_, err := one(ctx, a.store.db, text, slices.Concat(cases.args, cases.JoinArgs), dst...)
		return err
	})
	for i := range nodes {
		for j := range i {
			out[i][j] = out[j][i]
		}
	}
	return out, err
}

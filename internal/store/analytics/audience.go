package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/report"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// Audience answers conditions about records of analytic objects: how many, which, in which class. It implements
// segment.Audience and classify.Board, and List for lists that name a trait, a segment or an aggregate.
type Audience struct {
	store *Store
	env   func() compile.Env
	fresh func(context.Context) (report.Freshness, error)
	clock clock.Clock
}

var (
	_ segment.Audience = (*Audience)(nil)
	_ classify.Board   = (*Audience)(nil)
)

// NewAudience compiles conditions against env, asked anew for every question; fresh says how old the plane is.
func NewAudience(s *Store, env func() compile.Env, fresh func(context.Context) (report.Freshness, error)) *Audience {
	return &Audience{store: s, env: env, fresh: fresh, clock: s.clock}
}

const customer = "customer"

// from compiles a condition (nil: all) into the text from FROM on, and its parameters.
func (a *Audience) from(object string, where *query.Node) (text string, args []any, err error) {
	env := a.env()
	obj := env.Registry.Object(object)
	if obj == nil {
		return "", nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	f := compile.Fragment{Where: "TRUE"}
	if where != nil {
		if f, err = compile.Analytics(env, obj, where); err != nil {
			return "", nil, err
		}
	}
	return " FROM " + Quote(RelationName(object)) + " t" + f.Joins + " WHERE " + f.Where, f.Args, nil
}

func (a *Audience) count(ctx context.Context, object string, where *query.Node) (int, error) {
	text, args, err := a.from(object, where)
	if err != nil {
		return 0, err
	}
	var n int
	_, err = one(ctx, a.store.db, "SELECT count(*)"+text, args, &n)
	return n, err
}

// Count implements segment.Audience.
func (a *Audience) Count(ctx context.Context, where *query.Node) (segment.Count, error) {
	begin := a.clock.Now()
	c := segment.Count{Plan: a.store.db.Dialect().Name()}
	var err error
	if c.Count, err = a.count(ctx, customer, where); err != nil {
		return c, fmt.Errorf("count an audience: %w", err)
	}
	if c.Total, err = a.count(ctx, customer, nil); err != nil {
		return c, fmt.Errorf("count customers: %w", err)
	}
	f, err := a.fresh(ctx)
	c.AsOf, c.Lag, c.Took = f.AsOf, f.Lag, a.clock.Now().Sub(begin)
	return c, err
}

// IDs implements segment.Audience.
func (a *Audience) IDs(ctx context.Context, where *query.Node, after id.ID, limit int) ([]id.ID, error) {
	text, args, err := a.from(customer, where)
	if err != nil {
		return nil, err
	}
	return a.ids(ctx, "SELECT t.id"+text+" AND t.id > ? ORDER BY t.id LIMIT ?", append(args, int64(after), int64(limit)))
}

func (a *Audience) ids(ctx context.Context, text string, args []any) ([]id.ID, error) {
	out := []id.ID{}
	err := each(ctx, a.store.db, text, args, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out = append(out, id.ID(v))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list an audience: %w", err)
	}
	return out, nil
}

// Reach implements segment.Audience; a personal field counts by whether there is a value.
func (a *Audience) Reach(ctx context.Context, where *query.Node, fields []string) (map[string]int, error) {
	text, args, err := a.from(customer, where)
	if err != nil {
		return nil, err
	}
	obj := a.env().Registry.Object(customer)
	cols := make([]string, len(fields))
	counts := make([]int, len(fields))
	dst := make([]any, len(fields))
	for i, f := range fields {
		c, ok := obj.Column(f, schema.Main)
		if !ok {
			return nil, fault.New(fault.Invalid, "record.unknown_field", fault.Params{"field": f})
		}
		cols[i] = "count(t." + Quote(c.Name) + ")"
		if c.Kind == schema.Bytes {
			cols[i] = "count(*) FILTER (WHERE t." + Quote(c.Name+"_set") + ")"
		}
		dst[i] = &counts[i]
	}
	if _, err := one(ctx, a.store.db, "SELECT "+strings.Join(cols, ", ")+text, args, dst...); err != nil {
		return nil, fmt.Errorf("count reach: %w", err)
	}
	out := map[string]int{}
	for i, f := range fields {
		out[f] = counts[i]
	}
	return out, nil
}

// Replace implements segment.Audience.
func (a *Audience) Replace(ctx context.Context, key string, where *query.Node, at time.Time) (segment.Point, error) {
	text, args, err := a.from(customer, where)
	if err != nil {
		return segment.Point{}, err
	}
	return a.replace(ctx, key, Select{SQL: "SELECT t.id AS customer_id" + text, Args: args}, at)
}

func (a *Audience) replace(ctx context.Context, key string, q Select, at time.Time) (segment.Point, error) {
	size, entered, left, err := a.store.ReplaceMembers(ctx, key, q, Everyone, at, func(Passage) error { return nil })
	return segment.Point{At: at, Size: int(size), Entered: int(entered), Left: int(left)}, err
}

// SetMembership implements segment.Audience. The list goes through trait-free staging: members that are no customers any
// more are left out.
func (a *Audience) SetMembership(ctx context.Context, key string, ids []id.ID, at time.Time) (segment.Point, error) {
	err := a.store.db.Write(ctx, func(tx Tx) error {
		if _, err := tx.Exec(ctx, clearStatic); err != nil {
			return err
		}
		return tx.Append(ctx, "segment_list", []string{"customer_id"}, func(yield func([]any, error) bool) {
			row := make([]any, 1)
			for _, v := range ids {
				row[0] = int64(v)
				if !yield(row, nil) {
					return
				}
			}
		})
	})
	if err != nil {
		return segment.Point{}, fmt.Errorf("stage members of %s: %w", key, err)
	}
	return a.replace(ctx, key, Select{SQL: selectStatic}, at)
}

const (
	clearStatic  = `DELETE FROM segment_list`
	selectStatic = `SELECT s.customer_id FROM segment_list s JOIN a_customer c ON c.id = s.customer_id`
)

// DropMembership implements segment.Audience.
func (a *Audience) DropMembership(ctx context.Context, key string) error {
	return a.store.DropMembers(ctx, key)
}

// Overlap implements segment.Audience.
func (a *Audience) Overlap(ctx context.Context, x, y *query.Node) (onlyX, both, onlyY int, err error) {
	env := a.env()
	cases, err := compile.AnalyticsCases(env, env.Registry.Object(customer), []*query.Node{x, y})
	if err != nil {
		return 0, 0, 0, err
	}
	text := "SELECT count(*) FILTER (WHERE x AND NOT y), count(*) FILTER (WHERE x AND y), count(*) FILTER (WHERE y AND NOT x) FROM (SELECT " +
		cases.When[0].Where + " AS x, " + cases.When[1].Where + " AS y FROM a_customer t" + cases.Joins + ") q"
	args := slices.Concat(cases.When[0].Args, cases.When[1].Args, cases.JoinArgs)
	_, err = one(ctx, a.store.db, text, args, &onlyX, &both, &onlyY)
	return onlyX, both, onlyY, err
}

// classes is the query of everyone's class of a classification. A customer whom no class takes has no row.
func (a *Audience) classes(def classify.Classification, touched bool) (Select, error) {
	nodes := make([]*query.Node, len(def.Classes))
	for i, c := range def.Classes {
		nodes[i] = c.Where
	}
	env := a.env()
	cases, err := compile.AnalyticsCases(env, env.Registry.Object(customer), nodes)
	if err != nil {
		return Select{}, fmt.Errorf("classification %s: %w", def.Key, err)
	}
	var b strings.Builder
	var args []any
	b.WriteString("SELECT customer_id, class_key FROM (SELECT t.id AS customer_id, CASE")
	for i, c := range def.Classes {
		b.WriteString(" WHEN " + cases.When[i].Where + " THEN CAST(? AS TEXT)")
		args = append(append(args, cases.When[i].Args...), c.Key)
	}
	b.WriteString(" END AS class_key FROM a_customer t" + cases.Joins)
	args = append(args, cases.JoinArgs...)
	if touched {
		b.WriteString(" WHERE t.id IN (SELECT customer_id FROM trait_now)")
	}
	b.WriteString(") k WHERE class_key IS NOT NULL")
	return Select{SQL: b.String(), Args: args}, nil
}

const moveBatch = 5000

// Apply implements classify.Board.
func (a *Audience) Apply(ctx context.Context, defs []classify.Classification, touched bool, at time.Time, moves func([]classify.Move) error) (map[string]map[string]int, error) {
	out := map[string]map[string]int{}
	who := Everyone
	if touched {
		who = Touched
	}
	for _, def := range defs {
		q, err := a.classes(def, touched)
		if err != nil {
			return nil, err
		}
		var batch []classify.Move
		flush := func() error {
			err := moves(batch)
			batch = batch[:0]
			return err
		}
		_, err = a.store.ReplaceClasses(ctx, def.Key, q, who, at, func(m Move) error {
			if m.Was == "" {
				return nil // a first class is no move
			}
			batch = append(batch, classify.Move{Customer: m.Customer, Classification: def.Key, From: m.Was, To: m.Class})
			if len(batch) == moveBatch {
				return flush()
			}
			return nil
		})
		if err == nil && len(batch) > 0 {
			err = flush()
		}
		if err != nil {
			return nil, err
		}
		if touched {
			continue
		}
		if out[def.Key], err = a.Counts(ctx, def.Key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Preview implements classify.Board.
func (a *Audience) Preview(ctx context.Context, def classify.Classification) (map[string]int, int, error) {
	q, err := a.classes(def, false)
	if err != nil {
		return nil, 0, err
	}
	text := "SELECT COALESCE(n.class_key, ''), count(*), count(*) FILTER (WHERE m.class_key IS NOT NULL AND m.class_key <> n.class_key) FROM (" + q.SQL +
		") n LEFT JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?) m ON m.customer_id = n.customer_id GROUP BY n.class_key"
	counts, moved := map[string]int{}, 0
	err = each(ctx, a.store.db, text, append(q.Args, def.Key), func(r *sql.Rows) error {
		var k string
		var n, changed int
		err := r.Scan(&k, &n, &changed)
		counts[k] += n
		moved += changed
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("preview classification %s: %w", def.Key, err)
	}
	return counts, moved, nil
}

// Counts implements classify.Board.
func (a *Audience) Counts(ctx context.Context, key string) (map[string]int, error) {
	got, err := a.store.ClassCounts(ctx, key)
	out := make(map[string]int, len(got))
	for k, n := range got {
		out[k] = int(n)
	}
	return out, err
}

// MembersSince implements classify.Board.
func (a *Audience) MembersSince(ctx context.Context, customer id.ID) (map[string]classify.Member, error) {
	got, err := a.store.Classes(ctx, customer)
	out := make(map[string]classify.Member, len(got))
	for k, c := range got {
		out[k] = classify.Member{Class: c.Key, Since: c.Since}
	}
	return out, err
}

// Page is one page of a list answered by the analytics plane.
type Page struct {
	IDs   []id.ID
	Total int // -1 when it was not asked for
	Fresh report.Freshness
}

// ListQuery asks for a page: in the order of Sort (fields and traits; without a value last), the id as last key.
type ListQuery struct {
	Object        string
	Where         *query.Node
	Sort          []schema.Sort
	Offset, Limit int
	Count         bool
}

// List answers one page.
func (a *Audience) List(ctx context.Context, q ListQuery) (Page, error) {
	text, args, err := a.from(q.Object, q.Where)
	if err != nil {
		return Page{}, err
	}
	p := Page{Total: -1}
	if q.Count {
		if _, err := one(ctx, a.store.db, "SELECT count(*)"+text, args, &p.Total); err != nil {
			return Page{}, fmt.Errorf("count a list: %w", err)
		}
	}
	order, joins, err := a.order(q.Object, q.Sort)
	if err != nil {
		return Page{}, err
	}
	head, tail, _ := strings.Cut(text, " t")
	text = "SELECT t.id" + head + " t" + joins + tail + " ORDER BY " + order + " LIMIT ? OFFSET ?"
	if p.IDs, err = a.ids(ctx, text, append(args, int64(q.Limit), int64(q.Offset))); err != nil {
		return Page{}, err
	}
	p.Fresh, err = a.fresh(ctx)
	return p, err
}

// order is the ORDER BY of a list, with the joins of the trait families it names.
func (a *Audience) order(object string, sorts []schema.Sort) (order, joins string, err error) {
	env := a.env()
	obj := env.Registry.Object(object)
	var keys []string
	direction := func(desc bool) string {
		if desc {
			return " DESC NULLS LAST"
		}
		return " NULLS LAST"
	}
	joined := map[string]string{}
	last := true // newest first where nothing is asked
	for i, s := range sorts {
		if i == 0 {
			last = s.Desc
		}
		if s.Trait == "" {
			found, err := compile.SortKeys(obj, []schema.Sort{s})
			if err != nil {
				return "", "", err
			}
			column := "t." + Quote(found[0].Column)
			if found[0].Text {
				column += ` COLLATE "C"`
			}
			keys = append(keys, column+direction(s.Desc))
			continue
		}
		t, ok := env.Traits.Trait(s.Trait)
		if !ok || object != customer {
			return "", "", fault.New(fault.Invalid, "query.not_sortable", fault.Params{"field": s.Trait})
		}
		alias, ok := joined[t.Table]
		if !ok {
			alias = fmt.Sprintf("o%d", len(joined))
			joined[t.Table] = alias
			joins += " LEFT JOIN " + Quote(t.Table) + " " + alias + " ON " + alias + ".customer_id = t.id"
		}
		keys = append(keys, alias+"."+Quote(t.Column)+direction(s.Desc))
	}
	return strings.Join(append(keys, "t.id"+direction(last)), ", "), joins, nil
}

const segmentsOf = `SELECT segment_key FROM segment_member WHERE customer_id = ? ORDER BY segment_key`

// SegmentsOf are the keys of the segments a customer is in, by stored membership.
func (a *Audience) SegmentsOf(ctx context.Context, customer id.ID) ([]string, error) {
	var out []string
	err := each(ctx, a.store.db, segmentsOf, []any{int64(customer)}, func(r *sql.Rows) error {
		var k string
		err := r.Scan(&k)
		out = append(out, k)
		return err
	})
	return out, err
}

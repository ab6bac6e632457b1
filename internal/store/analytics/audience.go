package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
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
	// turn is held while an audience is counted, nil where the database shares its processors out itself. In DuckDB one such
	// question uses all processors: several at once end no sooner, and each as late as the last.
	turn chan struct{}
	// past is held by whoever works on the traits of earlier days.
	past sync.Mutex
}

var (
	_ segment.Audience = (*Audience)(nil)
	_ classify.Board   = (*Audience)(nil)
)

// NewAudience compiles conditions against env, asked anew for every question; fresh says how old the plane is.
func NewAudience(s *Store, env func() compile.Env, fresh func(context.Context) (report.Freshness, error)) *Audience {
	a := &Audience{store: s, env: env, fresh: fresh, clock: s.clock}
	if s.db.Dialect().Mirrored() {
		a.turn = make(chan struct{}, 1)
	}
	return a
}

const customer = "customer"

// from compiles a condition (nil: all) into the text from FROM on, and its parameters.
func (a *Audience) from(object string, where *query.Node) (text string, args []any, err error) {
	return a.within(object, where, nil)
}

// within is from under a reader's limits.
func (a *Audience) within(object string, where *query.Node, l *query.Limits) (text string, args []any, err error) {
	env := a.env()
	obj := env.Registry.Object(object)
	if obj == nil {
		return "", nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	f := compile.Fragment{Where: "TRUE"}
	if where != nil || l != nil {
		if f, err = compile.AnalyticsWithin(env, obj, where, l); err != nil {
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

// Count implements segment.Audience: one statement evaluates the condition once for the numbers and the sample. A personal
// field counts by whether there is a value.
func (a *Audience) Count(ctx context.Context, where *query.Node, fields []string, sample int) (segment.Count, error) {
	begin := a.clock.Now()
	c := segment.Count{Plan: a.store.db.Dialect().Name(), Reach: map[string]int{}}
	text, args, err := a.from(customer, where)
	if err != nil {
		return c, err
	}
	head, sums, dst := "t.id", "count(*) AS n", make([]any, len(fields)+1)
	counts := make([]int, len(fields))
	obj := a.env().Registry.Object(customer)
	dst[0] = &c.Count
	for i, f := range fields {
		has, err := presence(obj, f)
		if err != nil {
			return c, err
		}
		name := fmt.Sprintf("f%d", i)
		head += ", " + has + " AS " + name
		sums += ", count(*) FILTER (WHERE " + name + ")"
		dst[i+1] = &counts[i]
	}
	found := sql.NullInt64{}
	text = "WITH m AS MATERIALIZED (SELECT " + head + text + ") SELECT c.*, s.id FROM (SELECT " + sums + " FROM m) c LEFT JOIN (SELECT id FROM m ORDER BY id LIMIT ?) s ON TRUE ORDER BY s.id"
	err = a.alone(ctx, func() error {
		return each(ctx, a.store.db, text, append(args, int64(sample)), func(r *sql.Rows) error {
			err := r.Scan(append(dst, &found)...)
			if found.Valid {
				c.Sample = append(c.Sample, id.ID(found.Int64))
			}
			return err
		})
	})
	if err != nil {
		return c, fmt.Errorf("count an audience: %w", err)
	}
	for i, f := range fields {
		c.Reach[f] = counts[i]
	}
	if c.Total, err = a.count(ctx, customer, nil); err != nil {
		return c, fmt.Errorf("count customers: %w", err)
	}
	f, err := a.fresh(ctx)
	c.AsOf, c.Lag, c.Took = f.AsOf, f.Lag, a.clock.Now().Sub(begin)
	return c, err
}

// alone runs a question when it is its turn.
func (a *Audience) alone(ctx context.Context, ask func() error) error {
	if a.turn == nil {
		return ask()
	}
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.turn }()
	return ask()
}

// presence asks whether a customer "t" has a value in a field.
func presence(obj *schema.Object, field string) (string, error) {
	c, ok := obj.Column(field, schema.Main)
	if !ok {
		return "", fault.New(fault.Invalid, "record.unknown_field", fault.Params{"field": field})
	}
	if c.Kind == schema.Bytes {
		return "t." + Quote(c.Name+"_set"), nil
	}
	return "(t." + Quote(c.Name) + " IS NOT NULL)", nil
}

// IDs implements segment.Audience.
func (a *Audience) IDs(ctx context.Context, where *query.Node, after id.ID, limit int) ([]id.ID, error) {
	return a.Seen(ctx, where, nil, after, limit)
}

// Seen implements segment.Audience.
func (a *Audience) Seen(ctx context.Context, where *query.Node, l *query.Limits, after id.ID, limit int) ([]id.ID, error) {
	text, args, err := a.within(customer, where, l)
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

// Touched are the customers of the last small pass of the traits, in the order of ids.
func (a *Audience) Touched(ctx context.Context) ([]id.ID, error) {
	return a.ids(ctx, "SELECT customer_id FROM trait_now ORDER BY customer_id", nil)
}

const (
	clearStatic  = `DELETE FROM segment_list`
	selectStatic = `SELECT s.customer_id FROM segment_list s JOIN a_customer c ON c.id = s.customer_id`
)

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

// classes is the query of a classification: of everyone's class, or of those whose id fulfils a condition. A customer whom no
// class takes has no row.
func (a *Audience) classes(def classify.Classification, who string, whoArgs []any) (Select, error) {
	return a.classesIn(a.env(), &def, who, whoArgs, false)
}

// classesIn is classes in an environment; with all, a customer whom no class takes is in the class ”.
func (a *Audience) classesIn(env compile.Env, def *classify.Classification, who string, whoArgs []any, all bool) (Select, error) {
	nodes := make([]*query.Node, len(def.Classes))
	for i, c := range def.Classes {
		nodes[i] = c.Where
	}
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
	if all {
		b.WriteString(" ELSE ''")
	}
	b.WriteString(" END AS class_key FROM a_customer t" + cases.Joins)
	args = append(args, cases.JoinArgs...)
	if who != "" {
		b.WriteString(" WHERE t.id" + who)
		args = append(args, whoArgs...)
	}
	b.WriteString(") k WHERE class_key IS NOT NULL")
	return Select{SQL: b.String(), Args: args}, nil
}

const moveBatch = 5000

// Apply implements classify.Board.
func (a *Audience) Apply(ctx context.Context, defs []classify.Classification, touched bool, at time.Time, moves func([]classify.Move) error) (map[string]map[string]int, error) {
	if touched {
		return map[string]map[string]int{}, a.applyTouched(ctx, defs, at, moves)
	}
	out := map[string]map[string]int{}
	for _, def := range defs {
		q, err := a.classes(def, "", nil)
		if err != nil {
			return nil, err
		}
		var batch []classify.Move
		flush := func() error {
			err := moves(batch)
			batch = batch[:0]
			return err
		}
		_, err = a.store.ReplaceClasses(ctx, def.Key, q, Everyone, at, func(m Move) error {
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
		if out[def.Key], err = a.Counts(ctx, def.Key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (a *Audience) applyTouched(ctx context.Context, defs []classify.Classification, at time.Time, moves func([]classify.Move) error) error {
	keys := make([]string, len(defs))
	for i, d := range defs {
		keys[i] = d.Key
	}
	var all []classify.Move
	queries := func(i int, who string, args []any) (Select, error) { return a.classes(defs[i], who, args) }
	return a.store.replaceTouched(ctx, keys, at, queries, func(i int, m Move) {
		all = append(all, classify.Move{Customer: m.Customer, Classification: keys[i], From: m.Was, To: m.Class})
	}, func() error {
		for part := range slices.Chunk(all, moveBatch) {
			if err := moves(part); err != nil {
				return err
			}
		}
		return nil
	})
}

// Preview implements classify.Board.
func (a *Audience) Preview(ctx context.Context, def classify.Classification) (map[string]int, int, error) {
	q, err := a.classes(def, "", nil)
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
	Limits        *query.Limits // what the reader sees, nil for everything
}

// List answers one page.
func (a *Audience) List(ctx context.Context, q ListQuery) (Page, error) {
	text, args, from, err := a.narrowest(q)
	if err != nil {
		return Page{}, err
	}
	p := Page{Total: -1}
	if q.Count {
		if _, err := one(ctx, a.store.db, "SELECT count(*)"+text, args, &p.Total); err != nil {
			return Page{}, fmt.Errorf("count a list: %w", err)
		}
	}
	order, joins, err := a.order(q.Object, q.Sort, from)
	if err != nil {
		return Page{}, err
	}
	head, tail, _ := strings.Cut(text, " t")
	text = "SELECT t." + from.id + head + " t" + joins + tail + " ORDER BY " + order + " LIMIT ? OFFSET ?"
	if p.IDs, err = a.ids(ctx, text, append(args, int64(q.Limit), int64(q.Offset))); err != nil {
		return Page{}, err
	}
	p.Fresh, err = a.fresh(ctx)
	return p, err
}

// source is the table "t" of a list: its column of the record's id, and the trait family that it is, if any.
type source struct{ id, family string }

// narrowest compiles a list over the trait table that it is sorted by where that alone can answer, else over the records.
func (a *Audience) narrowest(q ListQuery) (text string, args []any, from source, err error) {
	env := a.env()
	if q.Object == customer && q.Where != nil && q.Limits == nil && len(q.Sort) > 0 && !slices.ContainsFunc(q.Sort, func(s schema.Sort) bool { return s.Trait == "" }) {
		if t, ok := env.Traits.Trait(q.Sort[0].Trait); ok && t.Table != "" && t.Table != FamilyConsent { // which keeps rows of those in the bin
			f, ok, err := compile.Family(env, t.Table, q.Where)
			if err != nil {
				return "", nil, source{}, err
			}
			if ok {
				return " FROM " + Quote(t.Table) + " t" + f.Joins + " WHERE " + f.Where, f.Args, source{"customer_id", t.Table}, nil
			}
		}
	}
	text, args, err = a.within(q.Object, q.Where, q.Limits)
	return text, args, source{id: "id"}, err
}

// order is the ORDER BY of a list, with the joins of the trait families it names.
func (a *Audience) order(object string, sorts []schema.Sort, from source) (order, joins string, err error) {
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
	if from.family != "" {
		joined[from.family] = "t"
	}
	own := slices.DeleteFunc(slices.Clone(sorts), func(s schema.Sort) bool { return s.Trait != "" })
	found, joins, err := compile.Sorting(env, obj, own, true)
	if err != nil {
		return "", "", err
	}
	next := 0
	last := true // newest first where nothing is asked
	for i, s := range sorts {
		if i == 0 {
			last = s.Desc
		}
		if s.Trait == "" {
			if next == len(found) {
				break // nothing after the id can matter
			}
			k := found[next]
			next++
			column := "t." + Quote(k.Column)
			if k.Computed != nil {
				column = k.Expr
			}
			if k.Text {
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
			joins += " LEFT JOIN " + Quote(t.Table) + " " + alias + " ON " + alias + ".customer_id = t." + from.id
		}
		keys = append(keys, alias+"."+Quote(t.Column)+direction(s.Desc))
	}
	return strings.Join(append(keys, "t."+from.id+direction(last)), ", "), joins, nil
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

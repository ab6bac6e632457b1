package compile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// builder compiles one tree for one plane.
type builder struct {
	dialect   Dialect
	registry  *schema.Registry
	analytics bool
	env       Env
	aliases   int // numbers of aliases are not reused inside a text
}

// scope is one table of the text and what is joined to it.
type scope struct {
	alias  string
	object *schema.Object
	key    string // the customer's id as seen from here, "" for none
	joins  []piece
	known  map[string]string // what is joined already → its alias
	groups []*group          // analytics: grouped subqueries, rendered last
}

func newScope(alias string, obj *schema.Object) *scope {
	return &scope{alias: alias, object: obj, known: map[string]string{}}
}

func (b *builder) alias(letter string) string {
	b.aliases++
	return letter + strconv.Itoa(b.aliases)
}

// table is the relation of an object in this plane.
func (b *builder) table(obj *schema.Object) string {
	if !b.analytics {
		return quote(obj.Physical)
	}
	name := quote("a_" + obj.Key)
	if f := obj.Field(obj.TimeField); b.env.Until != 0 && f != nil {
		day := f.Key
		if f.Type != schema.Date {
			day += "_day"
		}
		return "(SELECT * FROM " + name + " WHERE " + quote(day) + " <= " + strconv.FormatInt(int64(b.env.Until), 10) + ")"
	}
	return name
}

// events is the relation of events.
func (b *builder) events() string {
	if b.env.Until != 0 {
		return "(SELECT * FROM " + EventTable + ` WHERE "day" <= ` + strconv.FormatInt(int64(b.env.Until), 10) + ")"
	}
	return EventTable
}

// selection compiles a whole bound tree over the table with alias t.
func (b *builder) selection(c *query.Checked) (joins, where piece, err error) {
	s := newScope("t", c.Object)
	s.key = b.customerKey(s, c)
	where, err = b.expr(s, c.Root)
	if err != nil {
		return joins, where, err
	}
	if where.text == no.text { // whatever is joined
		return raw(""), b.nobody(s.alias, where), nil
	}
	return s.joined(b), where, nil
}

// joined are all joins of the scope.
func (s *scope) joined(b *builder) piece {
	all := append([]piece{}, s.joins...)
	for _, g := range s.groups {
		all = append(all, g.render(b))
	}
	return joined("", all)
}

// nobody is a condition that no row of a table fulfils, as a condition on the rows: a cluster answers no question with outer joins
// in which a constant stands for it.
func (b *builder) nobody(alias string, where piece) piece {
	if where.text == no.text && b.dialect.engine() == postgresEngine {
		return raw(alias + `."id" < 0`) // ids are positive
	}
	return where
}

func (b *builder) expr(s *scope, e query.Expr) (piece, error) {
	switch e := e.(type) {
	case query.All:
		ps, err := b.each(s, e.Items)
		return and(ps...), err
	case query.Any:
		ps, err := b.each(s, e.Items)
		return or(ps...), err
	case query.Not:
		p, err := b.expr(s, e.Item)
		return not(p), err
	case query.Leaf:
		return b.leaf(s, &e)
	case query.Among:
		return b.among(s, &e)
	case query.Aggregated:
		return b.aggregated(s, &e)
	case query.NoRows:
		return b.noRows(s, &e)
	case query.Resumed:
		return b.resumed(s, &e)
	case query.Member:
		return b.member(s, &e)
	case query.Sample:
		return b.sample(s, &e)
	case query.Best:
		return b.best(s, &e)
	case query.Steps:
		return b.steps(s, &e)
	}
	return piece{}, fmt.Errorf("condition of unknown kind %T", e)
}

func (b *builder) each(s *scope, items []query.Expr) ([]piece, error) {
	ps := make([]piece, 0, len(items))
	for _, it := range items {
		p, err := b.expr(s, it)
		if err != nil {
			return nil, err
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// needsAnalytics is the fault of a leaf that the records plane cannot answer.
func needsAnalytics(kind string) error {
	return fault.New(fault.Invalid, "query.needs_analytics", fault.Params{"kind": kind})
}

// name is a column of a field.
func (b *builder) name(alias string, obj *schema.Object, f *schema.Field, role schema.Role) string {
	column := f.Physical
	if schema.System(f.Key) == f {
		if role == schema.DayRole {
			column += "_day"
		}
	} else if c, ok := obj.Column(f.Key, role); ok {
		column = c.Name
	}
	return alias + "." + quote(column)
}

// column is the expression of a slot, with the joins it needs.
func (b *builder) column(s *scope, slot *query.Slot, role schema.Role) (string, error) {
	if slot.Trait != nil {
		return b.trait(s, slot.Trait)
	}
	if slot.Event != nil {
		return b.event(s, slot.Event)
	}
	if slot.Field.Computed() {
		x, err := b.formula(s, slot.Hops, formula.Of(slot.Field))
		return "(" + x + ")", err
	}
	x, err := b.reach(s, slot.Hops, slot.Field, role)
	if err == nil && len(slot.Hops) > 0 && common(slot.Field) {
		x = b.dialect.Beside(s.alias, x)
	}
	return x, err
}

// reach is a stored column over relations, which are joined once.
func (b *builder) reach(s *scope, hops []query.Hop, f *schema.Field, role schema.Role) (string, error) {
	alias, obj, path := s.alias, s.object, ""
	for _, h := range hops {
		path += "." + h.Field.Key
		known, ok := s.known[path]
		if !ok {
			if b.analytics && !h.Target.Analytic {
				return "", notInAnalytics(h.Target.Key)
			}
			known = b.alias("j")
			on := known + `."id" = ` + b.name(alias, obj, h.Field, schema.Main)
			if !b.analytics {
				on += " AND " + known + `."deleted_at" IS NULL`
			}
			table := b.table(h.Target)
			if b.dialect.Spread() && (!beside(obj, h) || s.known[apartSign+alias] != "" && spread(h.Target)) {
				table = "(SELECT * FROM " + table + ")"
				s.known[apartSign+known] = known
			}
			s.joins = append(s.joins, raw(" LEFT JOIN "+table+" "+known+" ON "+on))
			s.known[path] = known
		}
		alias, obj = known, h.Target
	}
	if b.analytics && f.Key == "updated_by" && schema.System("updated_by") == f {
		return "", notInAnalytics(f.Key)
	}
	return b.name(alias, obj, f, role), nil
}

// beside reports whether the rows that a relation leads to are found on the machine of those that it comes from: those of a
// customer lie together, and what belongs to none is everywhere.
func beside(from *schema.Object, h query.Hop) bool {
	if h.Target.Key == query.Customer {
		return from.CustomerField == h.Field.Key
	}
	return !spread(h.Target)
}

// spread reports whether the rows of an object lie by customer, each on one machine.
func spread(obj *schema.Object) bool { return obj.Key == query.Customer || obj.CustomerField != "" }

// apartSign begins what a scope knows of an alias that was found by a subquery: nothing lies beside it.
const apartSign = "apart "

// common reports fields whose values many records share.
func common(f *schema.Field) bool {
	return f.Type == schema.Region || f.Type == schema.Choice || f.Type == schema.Bool
}

func (b *builder) trait(s *scope, t *query.Trait) (string, error) {
	if !b.analytics {
		return "", needsAnalytics("trait")
	}
	if t.Table == "" || t.Column == "" || s.key == "" {
		return "", notInAnalytics(t.Key)
	}
	alias, ok := s.known["trait "+t.Table]
	if !ok {
		alias = b.alias("x")
		s.joins = append(s.joins, raw(" LEFT JOIN "+quote(t.Table)+" "+alias+" ON "+alias+`."customer_id" = `+s.key))
		s.known["trait "+t.Table] = alias
	}
	return alias + "." + quote(t.Column), nil
}

func (b *builder) leaf(s *scope, l *query.Leaf) (piece, error) {
	x, err := b.column(s, &l.Slot, l.Slot.Role)
	if err != nil {
		return piece{}, err
	}
	switch l.Test.Kind {
	case query.IsSet, query.IsNotSet:
		p := raw(present(x, &l.Slot))
		if b.sealed(&l.Slot) {
			// The mirror holds no ciphertext, only whether there is one.
			p = raw("coalesce(" + strings.TrimSuffix(x, `"`) + `_set", FALSE)`)
		}
		if l.Test.Kind == query.IsNotSet {
			return not(p), nil
		}
		return p, nil
	case query.MonthDays:
		cal, err := b.column(s, &l.Slot, schema.Calendar)
		if err != nil {
			return piece{}, err
		}
		return monthDays(x, cal, &l.Test), nil
	}
	return and(raw(present(x, &l.Slot)), b.test(x, &l.Test)), nil
}

// maxListed is how many ids are written out one by one; a longer list is one parameter, which engines take in whole.
const maxListed = 64

// among asks whether a column holds one of many ids.
func (b *builder) among(s *scope, a *query.Among) (piece, error) {
	if len(a.IDs) == 0 {
		return no, nil
	}
	x, err := b.column(s, &a.Slot, a.Slot.Role)
	if err != nil {
		return piece{}, err
	}
	set := raw(present(x, &a.Slot))
	if len(a.IDs) > maxListed {
		return and(set, piece{b.dialect.Among(x), []any{b.dialect.List(a.IDs)}}), nil
	}
	args := make([]any, len(a.IDs))
	for i, v := range a.IDs {
		args[i] = v
	}
	return and(set, among(x, args)), nil
}

// present asks whether a column has a value. A fact's customer is 0 for none where it is part of the key (PostgreSQL) and
// NULL elsewhere; ids are positive.
func present(x string, slot *query.Slot) string {
	if slot.Field != nil && slot.Field.Type == schema.Relation && slot.Object.CustomerField == slot.Field.Key {
		return "coalesce(" + x + ", 0) > 0"
	}
	return x + " IS NOT NULL"
}

// sealed reports whether the analytics plane keeps only that a value is there.
func (b *builder) sealed(slot *query.Slot) bool {
	if !b.analytics || slot.Field == nil || slot.Role != schema.Main {
		return false
	}
	c, ok := slot.Object.Column(slot.Field.Key, schema.Main)
	return ok && (c.Kind == schema.Bytes || slot.Field.Personal)
}

func monthDays(md, cal string, t *query.Test) piece {
	in := func(calendar lunar.Calendar, ranges []query.Range) piece {
		ps := make([]piece, 0, len(ranges))
		for _, r := range ranges {
			ps = append(ps, rangeOf(md, r))
		}
		return and(piece{cal + " = ?", []any{string(calendar)}}, or(ps...))
	}
	return and(raw(md+" IS NOT NULL"), raw(cal+" IS NOT NULL"), or(in(lunar.Solar, t.Solar), in(lunar.Lunar, t.Lunar)))
}

// member asks for membership in a segment: its own condition, written here for customers and as a subquery elsewhere,
// or the stored members.
func (b *builder) member(s *scope, m *query.Member) (piece, error) {
	if !b.analytics {
		return piece{}, needsAnalytics("segment")
	}
	if m.Of != nil && s.object.Key == query.Customer {
		return b.expr(s, m.Of)
	}
	known, ok := s.known["segment "+m.Key]
	if !ok {
		known = b.alias("m")
		join := piece{
			" LEFT JOIN \"segment_member\" " + known + " ON " + known + `."segment_key" = ? AND ` + known + `."customer_id" = ` + s.key,
			[]any{m.Key},
		}
		if m.Of != nil {
			in, err := b.customers(m.Of, raw(""), yes)
			if err != nil {
				return piece{}, err
			}
			join = wrap(" LEFT JOIN (", in, ") "+known+" ON "+known+`."customer_id" = `+s.key)
		}
		s.joins = append(s.joins, join)
		s.known["segment "+m.Key] = known
	}
	return raw(known + `."customer_id" IS NOT NULL`), nil
}

// customers is a subquery of the ids of the customers that satisfy a condition; tail follows, more is asked besides.
func (b *builder) customers(of query.Expr, tail, more piece) (piece, error) {
	return b.customersIn(newCustomers(b), of, tail, more)
}

func newCustomers(b *builder) *scope {
	s := newScope("t", b.registry.Object(query.Customer))
	s.key = `t."id"`
	return s
}

func (b *builder) customersIn(s *scope, of query.Expr, tail, more piece) (piece, error) {
	if of == nil {
		of = query.All{}
	}
	where, err := b.expr(s, of)
	if err != nil {
		return piece{}, err
	}
	return joined("", []piece{
		raw(`SELECT t."id" AS "customer_id" FROM ` + b.table(s.object) + " t"), s.joined(b), wrap(" WHERE ", b.nobody(s.alias, and(where, more)), ""), tail,
	}), nil
}

// best joins the ids of a top list.
func (b *builder) best(s *scope, e *query.Best) (piece, error) {
	if !b.analytics {
		return piece{}, needsAnalytics("top")
	}
	in := newCustomers(b)
	x, err := b.trait(in, &e.Trait)
	if err != nil {
		return piece{}, err
	}
	tail, err := b.firsts(e, x)
	if err != nil {
		return piece{}, err
	}
	sub, err := b.customersIn(in, e.Of, tail, raw(x+" IS NOT NULL"))
	if err != nil {
		return piece{}, err
	}
	alias, ok := s.known["top "+sub.key()]
	if !ok {
		alias = b.alias("b")
		s.joins = append(s.joins, wrap(" LEFT JOIN (", sub, ") "+alias+" ON "+alias+`."customer_id" = `+s.key))
		s.known["top "+sub.key()] = alias
	}
	return raw(alias + `."customer_id" IS NOT NULL`), nil
}

// firsts orders the customers of a top list and cuts it off: x is the value that they are ordered by. A share is rounded half up; "/" of a
// multiple means the same in all engines.
func (b *builder) firsts(e *query.Best, x string) (piece, error) {
	tail := piece{" ORDER BY " + x + ` DESC NULLS LAST, t."id" LIMIT ?`, []any{int64(e.Count)}}
	if e.Share == 0 {
		return tail, nil
	}
	in := newCustomers(b)
	value, err := b.trait(in, &e.Trait)
	if err != nil {
		return piece{}, err
	}
	all, err := b.customersIn(in, e.Of, raw(""), raw(value+" IS NOT NULL"))
	if err != nil {
		return piece{}, err
	}
	head := piece{" ORDER BY " + x + ` DESC NULLS LAST, t."id" LIMIT (SELECT greatest(1, CAST((n.twice - n.twice % 2000000) / 2000000 AS BIGINT)) FROM (SELECT 2 * count(*) * CAST(? AS BIGINT) + 1000000 AS twice FROM (`, []any{e.Share}}
	return joined("", []piece{head, all, raw(") m) n)")}), nil
}

// sample compares the first sixteen hexadecimal digits of the hash as text.
func (b *builder) sample(s *scope, e *query.Sample) (piece, error) {
	if !b.analytics {
		return piece{}, needsAnalytics("random")
	}
	if e.Everyone {
		return yes, nil
	}
	hash := "substr(md5(CAST(? AS TEXT) || CAST(" + s.alias + `."id" AS TEXT)), 1, 16)`
	return piece{b.dialect.Bytes(hash) + " < ?", []any{e.Salt + ":", fmt.Sprintf("%016x", e.Below)}}, nil
}

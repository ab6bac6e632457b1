// Package compile turns checked condition trees into SQL.
//
// Records compiles for the records plane (SQLite and PostgreSQL: to-one joins and correlated subqueries, friendly to
// keyset paging); Analytics compiles for the analytics plane (DuckDB and PostgreSQL, one text for both: left joins of
// one grouped subquery for all aggregate leaves over the same records). Order and Keyset make the order of lists and
// the predicate of their next page. Values are always parameters, written "?"; the store rebinds them. Identifiers are
// the machine-made names of the schema, quoted.
//
// Guarantees: a condition is two-valued, so its expression is never NULL; everything is integer arithmetic; texts are
// compared by bytes; the same condition finds the same records in every engine and in query.Eval (the oracle test).
// Analytics text joins facts of a customer by the customer's id only and uses neither NOT EXISTS, recursion nor
// grouping sets, so that it runs distributed.
//
// SQLite needs a function regexp(pattern, text) registered by the store, Go's regexp.MatchString, and FormulaFunction.
package compile

import (
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Env is what a tree is compiled against.
type Env struct {
	Registry *schema.Registry
	Traits   query.Traits // nil where traits are not allowed
	Now      time.Time
	Zone     *time.Location
	// Base is the workspace's base currency.
	Base string
	// Convert turns other currencies into minor units of Base; nil where only Base is understood.
	Convert func(money.Money) (int64, bool)
	// Blind is the keyed blind index of a normalised personal value, the same that the record engine stores.
	Blind func(f *schema.Field, normalised string) string
	// Blinds are all that a stored value may stand under; nil for Blind alone.
	Blinds func(f *schema.Field, normalised string) []string
	// Segment gives the condition of a dynamic segment, or ok false when its stored membership is to be used.
	Segment func(key string) (*query.Node, bool)
	// Dialect is the engine of the records plane, SQLite when nil. Analytics does not ask.
	Dialect Dialect
	// Columnar says that the analytics plane is DuckDB; false is PostgreSQL. Computed fields and properties of events differ.
	Columnar bool
	// Until leaves out of the analytics plane the records with a time of their own, and the events, that came after this day; 0
	// for none. With Now at its end a condition answers as of that day, as far as it asks of nothing that has no time.
	Until clock.Day
}

// Today is the local day of Now.
func (e Env) Today() clock.Day { return clock.DayOf(e.Now, e.Zone) }

// Check is the environment in which trees are resolved for compiling.
func (e Env) check(obj *schema.Object) query.CheckEnv {
	return query.CheckEnv{
		Registry: e.Registry, Object: obj.Key, Traits: e.Traits, Segments: segments{e.Segment}, Base: e.Base,
		Convert: e.Convert, Blind: e.Blind, Blinds: e.Blinds, Behaviour: true,
	}
}

// segments gives conditions to query.Resolve; a segment without one is asked by its stored membership.
type segments struct {
	find func(key string) (*query.Node, bool)
}

func (s segments) Segment(key string) (query.Segment, bool) {
	out := query.Segment{Key: key}
	if s.find != nil {
		if n, ok := s.find(key); ok {
			out.Where = n
		}
	}
	return out, true
}

// Fragment is a piece of a SELECT over one object's table, whose alias is "t".
type Fragment struct {
	Joins string // " LEFT JOIN … " clauses, "" for none
	Where string // a boolean expression, never NULL; "TRUE" for no condition
	Args  []any  // of Joins first, then of Where
	// JoinArgs is how many of Args belong to Joins.
	JoinArgs int
}

// Planes reports whether a condition needs the analytics plane: it names a trait, a segment, a list, an event, a random
// share or a top list. Everything else both planes answer.
func Planes(n *query.Node) (analytics bool) { return query.NeedsAnalytics(n) }

// Records compiles a condition on the object for the records plane. The caller adds "deleted_at IS NULL" for the object
// itself; related records in the recycle bin are left out here. Faults: those of query.Check; query.needs_analytics for
// a leaf that Planes tells of.
func Records(env Env, obj *schema.Object, n *query.Node) (Fragment, error) {
	c, err := query.Resolve(n, env.check(obj))
	if err != nil {
		return Fragment{}, err
	}
	return RecordsOf(env, c)
}

// RecordsWithin is Records under a reader's limits, which may be nil.
func RecordsWithin(env Env, obj *schema.Object, n *query.Node, l *query.Limits) (Fragment, error) {
	c, err := query.Resolve(n, env.check(obj))
	if err != nil {
		return Fragment{}, err
	}
	return RecordsOf(env, c.Within(l))
}

// RecordsOf is Records of a tree that is resolved already, with the same Registry, Base and Blind.
func RecordsOf(env Env, c *query.Checked) (Fragment, error) {
	d := env.Dialect
	if d == nil {
		d = SQLite{}
	}
	b := &builder{dialect: d, registry: env.Registry, env: env}
	return b.fragment(env, c)
}

// Analytics compiles a condition on the object for the analytics plane: the text to follow "FROM a_<object> t". Every
// join keeps the number of rows. Faults: those of query.Check; query.not_in_analytics for what the analytics plane does
// not hold (objects that are not analytic, updated_by) or cannot ask (records of other objects than customers).
func Analytics(env Env, obj *schema.Object, n *query.Node) (Fragment, error) {
	c, err := query.Resolve(n, env.check(obj))
	if err != nil {
		return Fragment{}, err
	}
	return AnalyticsOf(env, c)
}

// AnalyticsWithin is Analytics under a reader's limits, which may be nil.
func AnalyticsWithin(env Env, obj *schema.Object, n *query.Node, l *query.Limits) (Fragment, error) {
	c, err := query.Resolve(n, env.check(obj))
	if err != nil {
		return Fragment{}, err
	}
	return AnalyticsOf(env, c.Within(l))
}

// AnalyticsOf is Analytics of a tree that is resolved already, with the same Registry, Traits, Base, Blind and segments.
func AnalyticsOf(env Env, c *query.Checked) (Fragment, error) {
	b := &builder{dialect: analytic{columnar: env.Columnar}, registry: env.Registry, analytics: true, env: env}
	return b.fragment(env, c)
}

func (b *builder) fragment(env Env, c *query.Checked) (Fragment, error) {
	if b.analytics && !c.Object.Analytic {
		return Fragment{}, notInAnalytics(c.Object.Key)
	}
	joins, where, err := b.selection(c.At(query.Moment{Now: env.Now, Zone: env.Zone}))
	if err != nil {
		return Fragment{}, err
	}
	return Fragment{
		Joins: joins.text, Where: where.text, JoinArgs: len(joins.args),
		Args: append(append([]any{}, joins.args...), where.args...),
	}, nil
}

// Family compiles a condition on customers for one trait table alone, with alias "t": what follows "FROM <table> t". ok is
// false unless the condition joins leaves of traits by "all", each of which asks for a value and one of them for one of that
// table, so that whoever fulfils it has a row there. The customers themselves are not looked at: a row of one who was
// deleted a moment ago may be among the rows.
func Family(env Env, table string, n *query.Node) (f Fragment, ok bool, err error) {
	c, err := query.Resolve(n, env.check(env.Registry.Object(query.Customer)))
	if err != nil {
		return Fragment{}, false, err
	}
	c = c.At(query.Moment{Now: env.Now, Zone: env.Zone})
	if !traitsOnly(c.Root, table, &ok) || !ok {
		return Fragment{}, false, nil
	}
	b := &builder{dialect: analytic{columnar: env.Columnar}, registry: env.Registry, analytics: true, env: env}
	s := newScope("t", c.Object)
	s.key, s.known["trait "+table] = `t."customer_id"`, "t"
	where, err := b.expr(s, c.Root)
	if err != nil {
		return Fragment{}, false, err
	}
	joins := s.joined(b)
	return Fragment{Joins: joins.text, Where: where.text, Args: append(append([]any{}, joins.args...), where.args...), JoinArgs: len(joins.args)}, true, nil
}

// traitsOnly reports whether an expression is leaves of traits joined by All, and whether one is of the table.
func traitsOnly(e query.Expr, table string, own *bool) bool {
	switch e := e.(type) {
	case query.All:
		for _, item := range e.Items {
			if !traitsOnly(item, table, own) {
				return false
			}
		}
		return true
	case query.Leaf:
		if e.Slot.Trait == nil || e.Test.Kind == query.IsNotSet {
			return false
		}
		*own = *own || e.Slot.Trait.Table == table
		return true
	}
	return false
}

func notInAnalytics(what string) error {
	return fault.New(fault.Invalid, "query.not_in_analytics", fault.Params{"what": what})
}

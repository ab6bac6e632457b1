package compile

import (
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// FigureText is a question for figures over one object's table, whose alias is "t": the caller writes
// "SELECT " + Columns + " FROM <table> t" + Joins + " WHERE … AND (" + Where + ")" + Tail. Args begin with those of Columns.
type FigureText struct {
	Fragment
	// Columns are the keys of the groups, the count, then for each measure its value and how many records have one.
	Columns string
	Width   int // how many columns
	// Tail groups; where Limited it also orders the largest groups first, and the caller may add " LIMIT ?".
	Tail    string
	Limited bool
}

// Figures compiles a question for figures for one plane, under a reader's limits, which may be nil. A measure of sum or avg gives the sum, min and max the value, filled, empty
// and has nothing: the caller works out the rest of the count beside it. Days are grouped day by day, regions by code; the
// caller joins them to wider groups, since that is the same arithmetic for every engine.
func Figures(env Env, f *query.Figures, n *query.Node, l *query.Limits, analytics bool) (FigureText, error) {
	c, err := query.Resolve(n, env.check(f.Object))
	if err != nil {
		return FigureText{}, err
	}
	b := &builder{dialect: env.Dialect, registry: env.Registry, analytics: analytics}
	if analytics {
		b.dialect = analytic{columnar: env.Columnar}
		if !f.Object.Analytic {
			return FigureText{}, notInAnalytics(f.Object.Key)
		}
	} else if b.dialect == nil {
		b.dialect = SQLite{}
	}
	c = c.Within(l).At(query.Moment{Now: env.Now, Zone: env.Zone})
	s := newScope("t", c.Object)
	s.key = b.customerKey(s, c)
	where, err := b.expr(s, c.Root)
	if err != nil {
		return FigureText{}, err
	}
	out := FigureText{Limited: false}
	var cols, keys []string
	var args []any
	for i := range f.Groups {
		x, err := b.groupKey(s, &f.Groups[i])
		if err != nil {
			return FigureText{}, err
		}
		cols, keys = append(cols, x), append(keys, strconv.Itoa(i+1))
		out.Limited = out.Limited || f.Groups[i].Kind == query.ByRecord
	}
	cols = append(cols, "count(*)")
	for i := range f.Measures {
		value, filled, err := b.measure(s, &f.Measures[i])
		if err != nil {
			return FigureText{}, err
		}
		cols, args = append(cols, value, filled.text), append(args, filled.args...)
	}
	joins, where := s.joined(b), b.nobody(s.alias, where)
	out.Fragment = Fragment{Joins: joins.text, Where: where.text, JoinArgs: len(joins.args), Args: append(append(args, joins.args...), where.args...)}
	out.Columns, out.Width = strings.Join(cols, ", "), len(cols)
	if len(keys) > 0 {
		out.Tail = " GROUP BY " + strings.Join(keys, ", ")
	}
	if out.Limited {
		out.Tail += " ORDER BY count(*) DESC, " + strings.Join(keys, ", ")
	}
	return out, nil
}

// groupKey is the column that a group is made by.
func (b *builder) groupKey(s *scope, g *query.GroupSlot) (string, error) {
	x, err := b.column(s, &g.Slot, g.Role)
	if err != nil {
		return "", err
	}
	return someone(x, &g.Slot), nil
}

// someone is NULL for the 0 that stands for no customer.
func someone(x string, slot *query.Slot) string {
	if slot.Trait == nil && slot.Field.Type == schema.Relation && slot.Object.CustomerField == slot.Field.Key {
		return "nullif(" + x + ", 0)"
	}
	return x
}

func (b *builder) measure(s *scope, m *query.MeasureSlot) (value string, filled piece, err error) {
	if m.Measure.Func == "count" {
		return "NULL", raw("count(*)"), nil
	}
	x, err := b.column(s, &m.Slot, m.Role)
	if err != nil {
		return "", piece{}, err
	}
	filled = raw("count(" + someone(x, &m.Slot) + ")")
	if b.sealed(&m.Slot) {
		// The mirror holds no ciphertext, only whether there is one.
		filled = raw("count(CASE WHEN " + strings.TrimSuffix(x, `"`) + `_set" THEN 1 END)`)
	}
	switch m.Measure.Func {
	case "has":
		one := b.has(x, []string{m.Measure.Value})[0]
		filled = piece{"count(CASE WHEN " + one.text + " THEN 1 END)", one.args}
	case "sum", "avg":
		return "CAST(sum(" + x + ") AS BIGINT)", filled, nil
	case "min", "max":
		return m.Measure.Func + "(" + x + ")", filled, nil
	}
	return "NULL", filled, nil
}

package compile

import (
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Cases are several conditions on the same object compiled together for the analytics plane, so that they share joins and
// grouped subqueries: one scan answers all of them.
type Cases struct {
	Joins    string // to follow "FROM a_<object> t"
	JoinArgs []any
	When     []Fragment // one boolean expression each: Where and its Args; Joins are empty
}

// AnalyticsCases compiles conditions together; a nil one is TRUE. Faults are those of Analytics.
func AnalyticsCases(env Env, obj *schema.Object, nodes []*query.Node) (Cases, error) {
	if !obj.Analytic {
		return Cases{}, notInAnalytics(obj.Key)
	}
	b := &builder{dialect: analytic{columnar: env.Columnar}, registry: env.Registry, analytics: true, env: env}
	s := newScope("t", obj)
	var out Cases
	for _, n := range nodes {
		if n == nil {
			out.When = append(out.When, Fragment{Where: yes.text})
			continue
		}
		c, err := query.Resolve(n, env.check(obj))
		if err != nil {
			return Cases{}, err
		}
		c = c.At(query.Moment{Now: env.Now, Zone: env.Zone})
		if s.key == "" {
			s.key = b.customerKey(s, c)
		}
		p, err := b.expr(s, c.Root)
		if err != nil {
			return Cases{}, err
		}
		out.When = append(out.When, Fragment{Where: p.text, Args: p.args})
	}
	j := s.joined(b)
	out.Joins, out.JoinArgs = j.text, j.args
	return out, nil
}

// customerKey is the customer's id as seen from the rows of a condition's object, "" for none.
func (b *builder) customerKey(s *scope, c *query.Checked) string {
	switch {
	case c.Owner != nil:
		return b.name(s.alias, c.Object, c.Owner, schema.Main)
	case c.Object.Key == query.Customer:
		return s.alias + `."id"`
	}
	return ""
}

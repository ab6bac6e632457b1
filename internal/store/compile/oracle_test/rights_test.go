package oracle_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// somebody draws a person with a role.
type somebody struct {
	*tree
	owners []int64
}

func (g *somebody) people() []id.ID {
	out := []id.ID{}
	for range g.number(0, 3) {
		out = append(out, id.ID(draw(g.tree, g.owners...)))
	}
	if g.number(0, 9) == 0 { // more than are written out one by one
		for i := range 200 {
			out = append(out, id.ID(900_000+i))
		}
	}
	return out
}

func (g *somebody) actor() access.Actor {
	person := id.ID(draw(g.tree, g.owners...))
	h := &access.Held{Person: person, Role: &access.Definition{Key: "rol_x", Objects: map[string]access.Grants{}}, Shared: map[string]access.Shared{}}
	h.Team, h.Department = access.IDs(append(g.people(), person)), access.IDs(append(g.people(), person))
	for _, object := range []string{"customer", "order", "order_line", "store", access.Everything} {
		grants := access.Grants{Actions: map[access.Action]access.Grant{}}
		for _, x := range []access.Action{access.Read, access.Update, access.Export} {
			grant := access.Grant{Scope: draw(g.tree, access.Scopes()...)}
			if grant.Scope == access.Condition {
				grant.Where = g.right(object)
			}
			grants.Actions[x] = grant
		}
		h.Role.Objects[object] = grants
		var shared []id.ID
		for range g.number(0, 2) {
			if rows := g.w.rows[object]; len(rows) > 0 {
				shared = append(shared, rows[g.number(0, len(rows)-1)].RecordID)
			}
		}
		h.Shared[object] = access.Shared{Read: access.IDs(shared), Write: access.IDs(shared[:len(shared)/2])}
	}
	return access.Actor{Kind: access.ByUser, ID: person, Person: person, Role: "rol_x", Held: h}
}

// right draws a condition that a role may use: fields and groups of them. Everything has none of its own.
func (g *somebody) right(object string) *query.Node {
	if object == access.Everything || object == "store" {
		return nil
	}
	var leaf func(depth int) node
	leaf = func(depth int) node {
		switch g.number(0, 4) {
		case 0:
			if depth > 0 {
				return node{"all": []node{leaf(depth - 1), leaf(depth - 1)}}
			}
		case 1:
			if depth > 0 {
				return node{"any": []node{leaf(depth - 1), leaf(depth - 1)}}
			}
		case 2:
			if depth > 0 {
				return node{"not": leaf(depth - 1)}
			}
		}
		return g.field(object)
	}
	n, _ := parse(rapidFailer{g.t}, leaf(2))
	return n
}

type rapidFailer struct{ *rapid.T }

// naive is who reaches a record, said once more without conditions; known is false where the role has one.
func (l *lab) naive(a access.Actor, x access.Action, r *record) (reaches, known bool) {
	obj := r.object
	grant := a.Held.Role.Of(obj.Key).Actions[x]
	customer := r.ToOne[obj.CustomerField]
	if obj.Key == query.Customer {
		customer = nil
	}
	of := func(f *query.Facts, key string) (id.ID, bool) { v, ok := f.Values[key].(id.ID); return v, ok }
	mine := func(people []int64) bool {
		key := "created_by"
		if obj.Field("owner") != nil {
			key = "owner"
		}
		if v, ok := of(&r.Facts, key); ok && slices.Contains(people, int64(v)) {
			return true
		}
		if customer == nil || l.w.byFacts[customer].deleted {
			return false
		}
		v, ok := of(customer, "owner")
		return ok && slices.Contains(people, int64(v))
	}
	switch grant.Scope {
	case access.None:
		return false, true
	case access.All:
		return true, true
	case access.Own:
		reaches = mine([]int64{int64(a.Person)})
	case access.Team:
		reaches = mine(a.Held.Team)
	case access.Department:
		reaches = mine(a.Held.Department)
	case access.Customer:
		if customer != nil && !l.w.byFacts[customer].deleted {
			if reaches, known = l.naive(a, x, l.w.byFacts[customer]); !known {
				return false, false
			}
		}
	case access.Condition:
		return false, false
	}
	shared := func(object string, v id.ID) bool {
		list := a.Held.Shared[object].Read
		if x == access.Update {
			list = a.Held.Shared[object].Write
		}
		return x != access.Export && slices.Contains(list, int64(v))
	}
	reaches = reaches || shared(obj.Key, r.RecordID)
	if v, ok := of(&r.Facts, obj.CustomerField); ok && obj.CustomerField != "" && x == access.Read && grant.Scope != access.Customer {
		reaches = reaches || shared(query.Customer, v)
	}
	return reaches, true
}

// What a role reaches is the same in every engine and in memory, alone and as part of any question, and where the role has no
// condition it is what the plain rules say.
func TestRightsEverywhereTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		l := newLab(t, seed)
		owners := map[int64]bool{}
		for _, r := range l.w.rows["customer"] {
			if v, ok := r.Values["owner"].(id.ID); ok {
				owners[int64(v)] = true
			}
		}
		for _, object := range []string{"customer", "order", "order_line"} {
			obj := l.w.registry.Object(object)
			rapid.Check(t, func(t *rapid.T) {
				g := &somebody{tree: &tree{t: t, w: l.w}, owners: slices.Sorted(maps.Keys(owners))}
				a := g.actor()
				x := draw(g.tree, access.Read, access.Update, access.Export)
				l.agreeRights(t, obj, a, x, nil)
				g.tree.analytics = object == "customer"
				n, _ := parse(t, g.condition(object, 2))
				l.agreeRights(t, obj, a, x, n)
			})
		}
	}
}

func (l *lab) agreeRights(t failer, obj *schema.Object, a access.Actor, x access.Action, n *query.Node) {
	t.Helper()
	env := l.checkEnv(obj.Key)
	limits := access.Limits(a, obj, env, x)
	role, _ := json.Marshal(a.Held)
	where, _ := json.Marshal(n)
	text := string(x) + " " + string(role) + "\n" + string(where)
	c, err := query.Resolve(n, env)
	if err != nil {
		t.Fatalf("resolve: %v\n%s", err, text)
	}
	e := c.Within(limits).Evaluator(query.EvalEnv{CheckEnv: env, Moment: query.Moment{Now: l.w.now, Zone: l.w.zone}})
	want := map[id.ID]bool{}
	for _, r := range l.w.rows[obj.Key] {
		in, err := e.Eval(r.stored)
		if err != nil {
			t.Fatalf("eval: %v\n%s", err, text)
		}
		if plain, known := l.naive(a, x, r); n == nil && known && plain != in {
			t.Fatalf("record %d: %v, the rules say %v\n%s\n%v", r.RecordID, in, plain, text, r.Values)
		}
		if in && !r.deleted {
			want[r.RecordID] = true
		}
	}
	if n == nil || !compile.Planes(n) {
		for _, e := range l.records {
			f, err := compile.RecordsWithin(l.env(dialect(e)), obj, n, limits)
			if err != nil {
				t.Fatalf("compile: %v\n%s", err, text)
			}
			agree(t, e, quoted(obj.Physical), "t.deleted_at IS NULL AND ", f, want, text)
		}
	}
	for _, e := range l.analytic {
		env := l.env(nil)
		env.Columnar = e.name == "duckdb"
		f, err := compile.AnalyticsWithin(env, obj, n, limits)
		if err != nil {
			if n != nil { // what only the records plane can ask
				return
			}
			t.Fatalf("compile: %v\n%s", err, text)
		}
		agree(t, e, quoted("a_"+obj.Key), "", f, want, text)
	}
}

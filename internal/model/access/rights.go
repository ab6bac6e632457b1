package access

import (
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Held are the rights of one person: a made role applied to them. They are immutable and of one moment.
type Held struct {
	Role   *Definition
	Person id.ID
	// Team and Department are whose records the scopes of those names reach, the person among them; ascending.
	Team, Department []int64
	// Shared are the records shared with the person, by object.
	Shared map[string]Shared
}

// Shared are ids of records, ascending. Write is part of Read.
type Shared struct{ Read, Write []int64 }

// people are whose records a scope reaches; ok is false for scopes that are not about people.
func (r *Held) people(s Scope) (ids []int64, ok bool) {
	switch s {
	case Own:
		return []int64{int64(r.Person)}, true
	case Team:
		return r.Team, true
	case Department:
		return r.Department, true
	}
	return nil, false
}

// Owner is the field that says whose a record of an object is: the declared one, a user field named "owner", else who made it.
func Owner(obj *schema.Object) *schema.Field {
	for _, key := range []string{obj.OwnerField, "owner"} {
		if f := obj.Field(key); key != "" && f != nil && f.Type == schema.User {
			return f
		}
	}
	return schema.System("created_by")
}

// nobody is the condition that no record fulfils.
func nobody() query.Expr { return query.Any{} }

// Rule is one reason why an actor reaches records.
type Rule string

// The rules.
const (
	RuleAll            Rule = "all"   // the role reaches every record
	RuleNone           Rule = "none"  // the role reaches none
	RuleOwner          Rule = "owner" // of the people of the scope, the record's owner is one
	RuleCustomerOwner  Rule = "customer_owner"
	RuleCustomer       Rule = "customer" // the same action reaches the record's customer
	RuleCondition      Rule = "condition"
	RuleBroken         Rule = "broken" // the role's condition no longer checks
	RuleShared         Rule = "shared"
	RuleSharedCustomer Rule = "shared_customer"
)

// Piece is a rule with its condition; nil holds for every record.
type Piece struct {
	Rule Rule
	Expr query.Expr
}

// Limit is which records of an object the actor reaches with an action, as a condition; nil for all. A right that the actor
// does not hold, or a condition of the role that no longer checks, reaches none. env is what conditions are checked against;
// its object and use are set here.
func Limit(a Actor, obj *schema.Object, action Action, env query.CheckEnv) query.Expr {
	var any []query.Expr
	for _, p := range Pieces(a, obj, action, env) {
		if p.Expr == nil {
			return nil
		}
		any = append(any, p.Expr)
	}
	if len(any) == 1 {
		return any[0]
	}
	return query.Any{Items: any}
}

// Pieces are the rules that Limit is made of: a record is reached when one of them holds.
func Pieces(a Actor, obj *schema.Object, action Action, env query.CheckEnv) []Piece {
	g := a.Grant(obj.Key, action)
	if g.Scope == All {
		return []Piece{{Rule: RuleAll}}
	}
	if g.Scope == None || a.Held == nil {
		return []Piece{{RuleNone, nobody()}}
	}
	out := a.granted(obj, action, g, env)
	if ids := a.shared(obj.Key, action); len(ids) > 0 {
		out = append(out, Piece{RuleShared, query.Among{Slot: slot(nil, obj, schema.System("id")), IDs: ids}})
	}
	if c := customerOf(obj, env.Registry); c != nil && action == Read && g.Scope != Customer {
		// What is under a customer that was shared is part of what was shared.
		if ids := a.shared(query.Customer, Read); len(ids) > 0 {
			out = append(out, Piece{RuleSharedCustomer, query.Among{Slot: slot(nil, obj, c.Field), IDs: ids}})
		}
	}
	return out
}

// granted are the rules of the scope itself.
func (a Actor) granted(obj *schema.Object, action Action, g Grant, env query.CheckEnv) []Piece {
	customer := customerOf(obj, env.Registry)
	if people, ok := a.Held.people(g.Scope); ok {
		out := []Piece{{RuleOwner, query.Among{Slot: slot(nil, obj, Owner(obj)), IDs: people}}}
		if customer != nil {
			out = append(out, Piece{RuleCustomerOwner, query.Among{Slot: slot([]query.Hop{*customer}, customer.Target, Owner(customer.Target)), IDs: people}})
		}
		return out
	}
	switch g.Scope {
	case Customer:
		if customer == nil {
			break
		}
		of := Limit(a, customer.Target, action, env)
		if of == nil { // every customer; a record without one is under nobody's
			of = query.All{}
		}
		return []Piece{{RuleCustomer, query.Reached(of, []query.Hop{*customer})}}
	case Condition:
		env.Object, env.Use, env.Can, env.Self = obj.Key, query.ForRight, nil, ""
		if c, err := query.Resolve(g.Where, env); err == nil && g.Where != nil {
			return []Piece{{RuleCondition, c.Root}}
		}
	}
	return []Piece{{RuleBroken, nobody()}}
}

// shared are the records of an object that were shared with the actor for an action.
func (a Actor) shared(object string, action Action) []int64 {
	switch action {
	case Read:
		return a.Held.Shared[object].Read
	case Update:
		return a.Held.Shared[object].Write
	}
	return nil
}

// customerOf is the relation of an object to the customer, nil for customers themselves and what belongs to none.
func customerOf(obj *schema.Object, reg *schema.Registry) *query.Hop {
	if obj.Key == query.Customer || obj.CustomerField == "" {
		return nil
	}
	f := obj.Field(obj.CustomerField)
	target := reg.Object(query.Customer)
	if f == nil || target == nil || f.Type != schema.Relation || f.Target != query.Customer {
		return nil
	}
	return &query.Hop{Field: f, Target: target}
}

func slot(hops []query.Hop, obj *schema.Object, f *schema.Field) query.Slot {
	return query.Slot{Hops: hops, Object: obj, Field: f, Role: schema.Main}
}

// Limits are everything that questions about an object are asked under: its own records by all of the actions, those of
// other objects by reading. nil for an actor that reads everything.
func Limits(a Actor, obj *schema.Object, env query.CheckEnv, actions ...Action) *query.Limits {
	if a.Unlimited() {
		for _, x := range actions {
			if !a.May(obj.Key, x) {
				return &query.Limits{Rows: nobody()}
			}
		}
		return nil
	}
	var all []query.Expr
	for _, x := range actions {
		if e := Limit(a, obj, x, env); e != nil {
			all = append(all, e)
		}
	}
	l := &query.Limits{Of: func(o *schema.Object) query.Expr { return Limit(a, o, Read, env) }}
	switch len(all) {
	case 0:
	case 1:
		l.Rows = all[0]
	default:
		l.Rows = query.All{Items: all}
	}
	return l
}

// IDs are ids as Held keeps them: ascending, each once.
func IDs(ids []id.ID) []int64 {
	out := make([]int64, len(ids))
	for i, v := range ids {
		out[i] = int64(v)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Asking is what an actor's conditions may name, for query.CheckEnv.Can: fields it may ask about, of objects it may read.
func Asking(a Actor, reg *schema.Registry) func(object, field string) bool {
	return func(object, field string) bool {
		if !a.May(object, Read) {
			return false
		}
		if field == "" {
			return true
		}
		obj := reg.Object(object)
		if obj == nil {
			return false
		}
		f := obj.Field(field)
		return f != nil && a.MayAsk(object, f)
	}
}

package access

import (
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Action is what may be done with a record.
type Action string

// The actions.
const (
	Read   Action = "read"
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete" // also restore
	Export Action = "export" // read as a file, apart from reading
	Reveal Action = "reveal" // personal values in clear
	Assign Action = "assign" // another owner
	Share  Action = "share"
)

// Actions lists every action, in a fixed order.
func Actions() []Action {
	return []Action{Read, Create, Update, Delete, Export, Reveal, Assign, Share}
}

// Right is the right that goes with an action.
func (a Action) Right() Right {
	switch a {
	case Read:
		return RecordRead
	case Create:
		return RecordCreate
	case Update:
		return RecordUpdate
	case Delete:
		return RecordDelete
	case Export:
		return ExportRun
	case Reveal:
		return PersonalReveal
	case Assign:
		return RecordAssign
	case Share:
		return RecordShare
	}
	return ""
}

// ActionOf is the action that a right is about; ok is false for rights of the workspace as a whole.
func ActionOf(r Right) (a Action, ok bool) {
	for _, a := range Actions() {
		if a.Right() == r {
			return a, true
		}
	}
	return "", false
}

// General are the rights of the workspace as a whole that a made role may hold, in a fixed order. Managing roles, webhooks, which
// are told of every record, mail servers and the machine stays with administrators.
func General() []Right {
	return []Right{SegmentRead, SegmentWrite, ReportRead, WebRead, ClassificationEdit, ViewShare, ImportRun, RecordMerge, AuditRead, UserManage, KeyManage, SchemaManage, MailSend, PrivacyManage, PrivacyCopy, ConsentRead, ConsentWrite, ConsentManage, EventRead, EventManage, CampaignRead, CampaignWrite, CampaignSend, OfferRead, OfferWrite, OfferUse}
}

// Scope is which records an action reaches.
type Scope string

// The scopes. Whose a record is says its owner field, else who made it; a record under a customer is also the customer's
// owner's.
const (
	None       Scope = "none"
	Own        Scope = "own"
	Team       Scope = "team"       // of everybody in the person's teams
	Department Scope = "department" // of everybody in the person's departments and those below
	Customer   Scope = "customer"   // those whose customer the same action reaches
	Condition  Scope = "condition"
	All        Scope = "all"
)

// Scopes lists every scope, from the narrowest.
func Scopes() []Scope { return []Scope{None, Own, Team, Department, Customer, Condition, All} }

// Grant is what a role reaches with one action.
type Grant struct {
	Scope Scope       `json:"scope"`
	Where *query.Node `json:"where,omitempty"` // of Condition: fields, also over to-one relations
}

// FieldAccess is how much a role sees of a field.
type FieldAccess string

// The levels. A personal field is masked in any case; with Masked it cannot be revealed either.
const (
	FieldHidden FieldAccess = "hidden"
	FieldMasked FieldAccess = "masked" // only that there is a value
	FieldRead   FieldAccess = "read"
	FieldWrite  FieldAccess = "write"
)

// Grants are what a role may do with an object.
type Grants struct {
	Actions map[Action]Grant       `json:"actions"`
	Fields  map[string]FieldAccess `json:"fields,omitempty"` // those not named are FieldWrite
}

// Everything is the key of the grants of objects that a role does not name.
const Everything = "*"

// Definition is a role as data.
type Definition struct {
	Key         Role              `json:"key"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Rights      []Right           `json:"rights"` // of General
	Objects     map[string]Grants `json:"objects"`
}

// Builtin is a built-in role as data, nil for any other: the templates of made roles.
func Builtin(r Role) *Definition {
	if !r.Known() {
		return nil
	}
	d := &Definition{Key: r, Name: string(r), Rights: []Right{}, Objects: map[string]Grants{}}
	for _, g := range General() {
		if r.Can(g) {
			d.Rights = append(d.Rights, g)
		}
	}
	all := Grants{Actions: map[Action]Grant{}}
	for _, a := range Actions() {
		all.Actions[a] = Grant{Scope: None}
		if r.Can(a.Right()) {
			all.Actions[a] = Grant{Scope: All}
		}
	}
	d.Objects[Everything] = all
	return d
}

// Can reports whether the role holds a right, for some object at least where it is one to records.
func (d *Definition) Can(right Right) bool {
	if d == nil {
		return false
	}
	a, ok := ActionOf(right)
	if !ok {
		return slices.Contains(d.Rights, right) && slices.Contains(General(), right)
	}
	for _, g := range d.Objects {
		if g.reaches(a) {
			return true
		}
	}
	return false
}

func (g Grants) reaches(a Action) bool {
	s := g.Actions[a].Scope
	return s != "" && s != None
}

// Of are the grants for an object.
func (d *Definition) Of(object string) Grants {
	if g, ok := d.Objects[object]; ok {
		return g
	}
	return d.Objects[Everything]
}

// Grant is what the actor reaches with an action on an object.
func (a Actor) Grant(object string, action Action) Grant {
	none := Grant{Scope: None}
	switch {
	case !a.Can(action.Right()):
		return none
	case a.Held == nil:
		return Grant{Scope: All}
	}
	g, ok := a.Held.Role.Of(object).Actions[action]
	if !ok || g.Scope == "" {
		return none
	}
	return g
}

// May reports whether an action on an object reaches any record.
func (a Actor) May(object string, action Action) bool {
	return a.Grant(object, action).Scope != None
}

// Field is how much the actor sees of a field of an object it may read. System fields are read by everybody.
func (a Actor) Field(object, field string) FieldAccess {
	if a.Held == nil {
		return FieldWrite
	}
	switch f := a.Held.Role.Of(object).Fields[field]; f {
	case "":
		return FieldWrite
	case FieldHidden, FieldMasked, FieldRead, FieldWrite:
		return f
	}
	return FieldHidden
}

// MayAsk reports whether the actor's conditions, sorts and searches may name a field: what is only shown masked would be
// found out by asking, but for a personal field, which is compared as a whole by everybody.
func (a Actor) MayAsk(object string, f *schema.Field) bool {
	switch a.FieldOf(object, f) {
	case FieldHidden:
		return false
	case FieldMasked:
		return f.Personal
	}
	return true
}

// Unlimited reports an actor whose role is built in: whatever right it holds reaches every record and every field.
func (a Actor) Unlimited() bool { return a.Held == nil }

package query

import (
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// operators are all operators of fields and traits.
var operators = map[string]bool{
	"=": true, "!=": true, ">": true, "<": true, ">=": true, "<=": true, "in": true, "not_in": true, "between": true,
	"contains": true, "not_contains": true, "starts_with": true, "ends_with": true, "matches": true, "is_set": true,
	"is_not_set": true, "within_last": true, "within_next": true, "before": true, "after": true, "anniversary_within": true,
}

// class is a family of types whose values are compared alike.
type class uint8

const (
	textClass    class = iota // compared folded (a trait: as it is)
	exactClass                // machine-made texts: numbers of documents, currencies, operators, domains
	pointerClass              // printed ids of records of any object
	choiceClass               // one of the options
	setClass                  // several keys
	numberClass
	moneyClass
	boolClass
	dateClass
	instantClass
	idClass // relations, users, the id
	regionClass
	birthdayClass
	yearClass // of a birthday
	personalClass
	opaqueClass // only set or not
	filesClass  // the folded names of files
)

// operand is what a leaf compares: where it is stored and the rules of its class.
type operand struct {
	slot    Slot
	class   class
	scale   int
	options []schema.Option
	prefix  string // idClass: of the ids, "" for any
	days    bool   // instantClass: a column of local days stands beside
}

// operatorsOf are the operators that a class allows, in the order in which an editor shows them.
func operatorsOf(c class) []string {
	set := []string{"is_set", "is_not_set"}
	switch c {
	case textClass, exactClass:
		return append([]string{"=", "!=", "contains", "not_contains", "starts_with", "ends_with", "matches", "in", "not_in", ">", ">=", "<", "<=", "between"}, set...)
	case filesClass:
		return append([]string{"contains", "not_contains"}, set...)
	case choiceClass, idClass, regionClass, pointerClass:
		return append([]string{"=", "!=", "in", "not_in"}, set...)
	case setClass:
		return append([]string{"contains", "not_contains", "in", "not_in", "=", "!="}, set...)
	case numberClass, moneyClass, yearClass:
		return append([]string{"=", "!=", ">", ">=", "<", "<=", "between", "in", "not_in"}, set...)
	case boolClass:
		return append([]string{"=", "!="}, set...)
	case dateClass, instantClass:
		return append([]string{"within_last", "within_next", "=", "!=", "before", "after", ">", ">=", "<", "<=", "between", "anniversary_within"}, set...)
	case birthdayClass:
		return append([]string{"anniversary_within"}, set...)
	case personalClass:
		return append([]string{"=", "in"}, set...)
	}
	return set
}

// Operators are the operators that a condition may use on a field, none where a field cannot be asked about.
func Operators(f *schema.Field) []string {
	v, ok := operandOf(Slot{Field: f}, "")
	if !ok {
		return nil
	}
	return operatorsOf(v.class)
}

// TraitOperators are the operators that a condition may use on a trait.
func TraitOperators(t Trait) []string {
	v, ok := operandOfTrait(t)
	if !ok {
		return nil
	}
	return operatorsOf(v.class)
}

// Attributes are the pseudo-attributes of a field that a path may end in: "tier" of a region, "operator" of a personal
// phone number, "domain" of a personal e-mail address, "region" of an address, "currency" of money, "year" of a birthday, "count" of files.
func Attributes(f *schema.Field) []string {
	var out []string
	for _, a := range [...]string{"tier", "operator", "domain", "region", "currency", "year", "count"} {
		if _, ok := operandOf(Slot{Field: f}, a); ok {
			out = append(out, a)
		}
	}
	return out
}

// operandOf chooses column and class; ok is false for an attribute that the field does not have and for fields without
// columns.
func operandOf(slot Slot, attr string) (operand, bool) {
	f := slot.Field
	v := operand{slot: slot, scale: f.Scale, options: f.Options}
	at := func(role schema.Role, c class) (operand, bool) {
		v.slot.Role, v.class = role, c
		return v, true
	}
	if f.Computed() {
		return v.computed(f, attr)
	}
	if attr != "" {
		return attribute(f, attr, at)
	}
	if schema.System(f.Key) == f && f.Key == "id" {
		if slot.Object != nil {
			v.prefix = slot.Object.Prefix
		}
		return at(schema.Main, idClass)
	}
	if f.Personal && hasRole(f, schema.BlindRole) {
		return at(schema.BlindRole, personalClass)
	}
	switch f.Type {
	case schema.Text, schema.LongText, schema.URL, schema.Phone, schema.Email:
		return at(schema.FoldRole, textClass)
	case schema.Number, schema.Percent, schema.Duration, schema.Rating:
		return at(schema.Main, numberClass)
	case schema.Money:
		return at(schema.Base, moneyClass)
	case schema.Bool:
		return at(schema.Main, boolClass)
	case schema.Date:
		return at(schema.Main, dateClass)
	case schema.DateTime:
		v.days = true
		return at(schema.Main, instantClass)
	case schema.Choice:
		return at(schema.Main, choiceClass)
	case schema.MultiChoice, schema.Tags:
		return at(schema.Main, setClass)
	case schema.Region:
		return at(schema.Main, regionClass)
	case schema.Relation, schema.User:
		return at(schema.Main, idClass)
	case schema.AutoNumber:
		return at(schema.Main, exactClass)
	case schema.Record:
		return at(schema.Main, pointerClass)
	case schema.Birthday:
		return at(schema.MonthDay, birthdayClass)
	case schema.Address, schema.JSON:
		return at(schema.Main, opaqueClass)
	case schema.File, schema.Image:
		return at(schema.FoldRole, filesClass)
	case schema.RelationMany:
		return v, false
	}
	return v, false
}

// computed is the operand of a computed field. Its texts are compared as they are, and it has no attributes.
func (v operand) computed(f *schema.Field, attr string) (operand, bool) {
	classes := map[schema.Type]class{
		schema.Text: exactClass, schema.Number: numberClass, schema.Percent: numberClass, schema.Duration: numberClass, schema.Rating: numberClass,
		schema.Money: moneyClass, schema.Bool: boolClass, schema.Date: dateClass, schema.DateTime: instantClass, schema.Choice: choiceClass,
		schema.MultiChoice: setClass, schema.Tags: setClass, schema.Relation: idClass, schema.User: idClass, schema.Region: regionClass,
	}
	c, ok := classes[f.Type]
	if v.slot.Role, v.class = schema.Main, c; c == moneyClass {
		v.slot.Role = schema.Base
	}
	v.scale = f.Scale
	return v, ok && attr == ""
}

func attribute(f *schema.Field, attr string, at func(schema.Role, class) (operand, bool)) (operand, bool) {
	switch {
	case f.Type == schema.Region && attr == "tier",
		f.Type == schema.Phone && attr == "operator" && f.Personal,
		f.Type == schema.Email && attr == "domain" && f.Personal:
		return at(schema.ClassRole, exactClass)
	case f.Type == schema.Address && attr == "region":
		return at(schema.RegionRole, regionClass)
	case f.Type == schema.Money && attr == "currency":
		return at(schema.Currency, exactClass)
	case f.Type == schema.Birthday && attr == "year":
		return at(schema.Main, yearClass)
	case f.HoldsFiles() && attr == "count":
		return at(schema.CountRole, numberClass)
	}
	return operand{}, false
}

func hasRole(f *schema.Field, role schema.Role) bool {
	return slices.ContainsFunc(schema.FieldColumns(f), func(c schema.Column) bool { return c.Role == role })
}

func operandOfTrait(t Trait) (operand, bool) {
	v := operand{slot: Slot{Trait: &t}, scale: t.Scale, options: t.Options}
	classes := map[schema.Type]class{
		schema.Number: numberClass, schema.Money: moneyClass, schema.Date: dateClass, schema.DateTime: instantClass,
		schema.Choice: choiceClass, schema.Text: exactClass, schema.Bool: boolClass, schema.MultiChoice: setClass,
		schema.Tags: setClass, schema.Region: regionClass,
	}
	c, ok := classes[t.Type]
	v.class = c
	return v, ok
}

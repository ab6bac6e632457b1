package mapping

import (
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Part is where in a mapping a target stands.
type Part string

// The parts.
const (
	OrderPart Part = "order"
	LinePart  Part = "line"
	FieldPart Part = "fields"
)

// Target is something that a column can be mapped to.
type Target struct {
	Key      string // "order.customer.phone", "line.quantity"; of plain objects the field alone: "phone", "store.code"
	Part     Part
	Name     string // the key within its part
	Object   string // whose field it is
	Field    *schema.Field
	Via      string // the relation field over which a plain object reaches Object, else ""
	Label    schema.Label
	Group    schema.Label
	Required bool
}

// OrderObject is the object whose files are flat purchase files.
const OrderObject = "order"

// aliases are the short names of order and line targets in mapping files.
var aliases = map[Part]map[string]string{
	OrderPart: {"at": "placed_at", "date": "placed_at", "total": "net_amount", "discount": "discount_amount", "gross": "gross_amount",
		"store": "store.name", "channel": "channel.name", "customer": "customer.external_id"},
	LinePart: {"price": "unit_price", "total": "amount", "discount": "discount_amount", "cost": "cost_amount", "product.color": "product.colour",
		"product": "product.name", "variant.color": "variant.colour"},
}

// shownAs is the name under which a target is offered, where that is an alias.
var shownAs = map[string]string{"order.placed_at": "order.at", "order.net_amount": "order.total", "order.discount_amount": "order.discount"}

// variantFields of a product are those of its variant.
var variantFields = []string{"sku", "barcode", "size", "colour", "price"}

// Resolve finds a target by its name within a part of the mapping of an object; ok is false when there is none.
func Resolve(reg *schema.Registry, object string, part Part, name string) (Target, bool) {
	if part == FieldPart {
		return plainTarget(reg, object, name)
	}
	if a, ok := aliases[part][name]; ok {
		name = a
	}
	own := OrderObject
	if part == LinePart {
		own = "order_line"
	}
	prefix, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		if part == OrderPart && name == "refund_of" {
			return Target{Key: "order.refund_of", Part: part, Name: name, Object: "refund", Field: reg.Object("refund").Field("order"),
				Label: schema.Label{"zh-CN": "原订单号（退款）", "en": "Order refunded"}, Group: reg.Object("refund").Label}, true
		}
		if part == LinePart && name == "reason" {
			return fieldTarget(reg, part, "reason", "refund", "reason")
		}
		if slices.Contains(derived[own], name) {
			return Target{}, false
		}
		return fieldTarget(reg, part, name, own, name)
	}
	switch {
	case part == OrderPart && (prefix == "customer" || prefix == "store" || prefix == "channel" || prefix == "contact" && rest == "external_id"):
		return fieldTarget(reg, part, name, prefix, rest)
	case part == LinePart && prefix == "product" && slices.Contains(variantFields, rest):
		return fieldTarget(reg, part, name, "variant", rest)
	case part == LinePart && (prefix == "product" || prefix == "variant"):
		return fieldTarget(reg, part, name, prefix, rest)
	}
	return Target{}, false
}

// derived are order and line fields that the importer works out by itself.
var derived = map[string][]string{
	"order":      {"customer", "contact", "store", "channel", "quantity", "line_count", "source", "sales_person"},
	"order_line": {"order", "customer", "variant", "product", "placed_at", "status", "position"},
}

func fieldTarget(reg *schema.Registry, part Part, name, object, field string) (Target, bool) {
	o := reg.Object(object)
	if o == nil {
		return Target{}, false
	}
	f := o.Field(field)
	if f == nil || !importable(f) {
		return Target{}, false
	}
	key := string(part) + "." + name
	if s, ok := shownAs[key]; ok {
		key = s
	}
	group := o.Label
	if object == "variant" {
		group = reg.Object("product").Label
	}
	return Target{Key: key, Part: part, Name: name, Object: object, Field: f, Label: f.Label, Group: group}, true
}

func importable(f *schema.Field) bool {
	return !f.ReadOnly && !f.OperationOnly && f.Type != schema.RelationMany && f.Type != schema.User && !f.HoldsFiles() && schema.System(f.Key) == nil
}

// personOf reports fields that name a person of the workspace. An owner is one: a new record may be given to somebody, and whoever
// may give records to others may do so for existing ones.
func personOf(f *schema.Field) bool {
	return f.Type == schema.User && !f.ReadOnly && schema.System(f.Key) == nil && (!f.OperationOnly || f.Key == "owner")
}

// Naming reports fields of an object by which files name its records: those that are unique, phone numbers, e-mail addresses, and the
// title where it is a text.
func Naming(o *schema.Object, f *schema.Field) bool {
	if o == nil || o.Virtual || schema.System(f.Key) != nil || f.Hidden {
		return false
	}
	return Matchable(f) || f.Key == o.TitleField && f.Type == schema.Text
}

// plainTarget finds a field of an object, or "relation.field": a relation found by a unique field of its target.
func plainTarget(reg *schema.Registry, object, name string) (Target, bool) {
	o := reg.Object(object)
	if o == nil {
		return Target{}, false
	}
	key, by, dotted := strings.Cut(name, ".")
	f := o.Field(key)
	if f == nil || !importable(f) && !personOf(f) {
		return Target{}, false
	}
	t := Target{Key: name, Part: FieldPart, Name: name, Object: object, Field: f, Label: f.Label, Group: o.Label, Required: f.Required && f.Default == nil}
	if !dotted {
		return t, true
	}
	if f.Type != schema.Relation {
		return Target{}, false
	}
	target := reg.Object(f.Target)
	u := target.Field(by)
	if u == nil || !Naming(target, u) {
		return Target{}, false
	}
	t.Via, t.Object, t.Field, t.Required = key, f.Target, u, false // one of them suffices
	t.Label = schema.Label{"zh-CN": f.Label.In("zh-CN") + "：" + u.Label.In("zh-CN"), "en": f.Label.In("en") + ": " + u.Label.In("en")}
	return t, true
}

// Targets lists what the columns of a file of an object can be mapped to, in the order of a menu.
func Targets(reg *schema.Registry, object string) []Target {
	if object != OrderObject {
		return plainTargets(reg, object)
	}
	var out []Target
	add := func(part Part, prefix, object string, skip ...string) {
		o := reg.Object(object)
		if o == nil {
			return
		}
		for _, f := range o.Fields {
			if slices.Contains(skip, f.Key) || f.Type == schema.Relation || f.Type == schema.JSON || f.HoldsFiles() {
				continue
			}
			if t, ok := Resolve(reg, OrderObject, part, prefix+f.Key); ok {
				t.Required = t.Key == "order.at"
				out = append(out, t)
			}
		}
	}
	add(OrderPart, "", "order")
	if t, ok := Resolve(reg, OrderObject, OrderPart, "refund_of"); ok {
		out = append(out, t)
	}
	add(OrderPart, "customer.", "customer")
	add(OrderPart, "store.", "store")
	add(OrderPart, "channel.", "channel")
	add(LinePart, "product.", "variant")
	add(LinePart, "product.", "product")
	add(LinePart, "", "order_line", "sku")
	if t, ok := Resolve(reg, OrderObject, LinePart, "reason"); ok {
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b Target) int { return strings.Compare(a.Key[:4], b.Key[:4]) * -1 })
	return dedupe(out)
}

// dedupe keeps the first of each key: a product's sku and barcode are its variant's.
func dedupe(in []Target) []Target {
	seen := map[string]bool{}
	return slices.DeleteFunc(in, func(t Target) bool {
		was := seen[t.Key]
		seen[t.Key] = true
		return was
	})
}

func plainTargets(reg *schema.Registry, object string) []Target {
	o := reg.Object(object)
	if o == nil {
		return nil
	}
	var out []Target
	for _, f := range o.Fields {
		t, ok := plainTarget(reg, object, f.Key)
		if !ok {
			continue
		}
		out = append(out, t)
		if f.Type != schema.Relation {
			continue
		}
		for _, u := range reg.Object(f.Target).Fields {
			if !Naming(reg.Object(f.Target), u) {
				continue
			}
			if t, ok := plainTarget(reg, object, f.Key+"."+u.Key); ok {
				out = append(out, t)
			}
		}
	}
	return out
}

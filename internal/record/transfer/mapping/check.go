package mapping

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Plan is a mapping that has been checked against the columns of a file: which cells make which values.
type Plan struct {
	Object  string
	Values  []Value  // of all parts, in a fixed order
	Matches []*Value // of plain objects: the values by which existing records are found, the surest first; nil to create always
	Refund  Rule
	Options Options
	Zone    *time.Location // of the file; nil means the workspace's
}

// Value is one mapped value.
type Value struct {
	Target
	Columns []int  // cells, joined by a space when several
	Header  string // of the first column, for reports
	Treatment
	options  map[string]string // folded text → match
	made     map[string]string // label → key of options that the import made
	disarmed bool
}

// Text is the value's text in a row, trimmed; it shares memory with the cells unless it is joined.
func (v *Value) Text(cells [][]byte) []byte {
	if len(v.Columns) == 1 {
		return v.arm(trim(cells[v.Columns[0]]))
	}
	var out []byte
	for _, c := range v.Columns {
		if t := v.arm(trim(cells[c])); len(t) > 0 {
			if len(out) > 0 {
				out = append(out, ' ')
			}
			out = append(out, t...)
		}
	}
	return out
}

// arm takes back the apostrophe that a file of rejected rows has before what looks like a formula.
func (v *Value) arm(t []byte) []byte {
	if v.disarmed && len(t) > 1 && t[0] == '\'' && bytes.IndexAny(t[1:min(5, len(t))], "=+-@＝＋－＠\t\r\n") == 0 {
		return t[1:]
	}
	return t
}

func trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// Check finds every mistake of a mapping; its faults are located at "mapping.order.number" and so on.
func Check(reg *schema.Registry, object string, m Mapping, columns []string) error {
	_, err := Compile(reg, object, m, columns)
	return err
}

// Compile checks a mapping and makes a plan of it.
func Compile(reg *schema.Registry, object string, m Mapping, columns []string) (*Plan, error) {
	o := reg.Object(object)
	if o == nil || o.NoImport {
		return nil, fault.New(fault.Invalid, "import.unknown_object", fault.Params{"object": object})
	}
	c := compiler{reg: reg, object: object, columns: columns, plan: &Plan{Object: object, Options: m.Options}}
	if object == OrderObject {
		c.part(OrderPart, m.Order)
		c.part(LinePart, m.Line)
		if len(m.Fields) > 0 {
			c.bad("import.part_not_used", "fields", fault.Params{"part": "fields"})
		}
		c.order(m)
	} else {
		c.part(FieldPart, m.Fields)
		if len(m.Order)+len(m.Line) > 0 {
			c.bad("import.part_not_used", "order", fault.Params{"part": "order"})
		}
		c.plain(o, m)
	}
	c.treat(m.Rules)
	c.relations()
	c.options(m.Options)
	if f := fault.Join("import.mapping_invalid", c.faults); f != nil {
		return nil, f
	}
	return c.plan, nil
}

type compiler struct {
	reg     *schema.Registry
	object  string
	columns []string
	plan    *Plan
	faults  []*fault.Fault
}

func (c *compiler) bad(code, place string, p fault.Params) {
	c.faults = append(c.faults, fault.InvalidField(code, "mapping."+place, p))
}

func (c *compiler) part(part Part, in map[string]Column) {
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		place := string(part) + "." + name
		t, ok := Resolve(c.reg, c.object, part, name)
		if !ok {
			c.bad("import.unknown_target", place, fault.Params{"target": clip(name, 60)})
			continue
		}
		if other, ok := taken[t.Key]; ok {
			c.bad("import.target_twice", place, fault.Params{"target": name, "other": other})
			continue
		}
		taken[t.Key] = name
		v := Value{Target: t, disarmed: c.plan.Options.Disarmed}
		for _, col := range in[name] {
			i, ok := Find(c.columns, col)
			if !ok {
				c.bad("import.unknown_column", place, fault.Params{"column": clip(col, 60)})
				continue
			}
			v.Columns = append(v.Columns, i)
		}
		if len(v.Columns) > 0 {
			v.Header = c.columns[v.Columns[0]]
		}
		c.plan.Values = append(c.plan.Values, v) // with an unknown column too: that is one mistake, not two
	}
}

// Value finds the value of a target key; nil when it is not mapped.
func (p *Plan) Value(key string) *Value {
	for i := range p.Values {
		if p.Values[i].Key == key {
			return &p.Values[i]
		}
	}
	return nil
}

// uniqueOf lists the mapped unique fields of an object within the order part.
func (p *Plan) uniqueOf(object string) bool {
	return slices.ContainsFunc(p.Values, func(v Value) bool { return v.Object == object && v.Field.Unique })
}

func (c *compiler) order(m Mapping) {
	p := c.plan
	if len(m.Order) > 0 && p.Value("order.at") == nil {
		c.bad("import.target_missing", "order.at", fault.Params{"target": "order.at"})
	}
	if p.Value("order.number") == nil && p.Value("order.external_id") == nil && len(m.Options.OrderKey) == 0 {
		c.bad("import.order_key_missing", "order.number", nil)
	}
	if len(m.Order) == 0 {
		c.bad("import.nothing_mapped", "order", nil)
	}
	hasCustomer := slices.ContainsFunc(p.Values, func(v Value) bool { return v.Object == "customer" })
	if hasCustomer && !p.identifies("customer") {
		c.bad("import.customer_key_missing", "order.customer", nil)
	}
	hasAmount := p.Value("order.total") != nil || p.Value("order.gross_amount") != nil || p.Value("line.amount") != nil ||
		p.Value("line.unit_price") != nil
	if !hasAmount && len(m.Order) > 0 {
		c.bad("import.amount_missing", "order.total", nil)
	}
	for _, k := range m.Options.OrderKey {
		switch k {
		case "customer":
			if !hasCustomer {
				c.bad("import.bad_order_key", "options.order_key", fault.Params{"key": k})
			}
		case "date":
		default:
			if t, ok := Resolve(c.reg, OrderObject, OrderPart, k); !ok || p.Value(t.Key) == nil {
				c.bad("import.bad_order_key", "options.order_key", fault.Params{"key": clip(k, 60)})
			}
		}
	}
	rule, err := ParseRule(m.Options.RefundWhen)
	if err != nil {
		c.bad("import.bad_refund_rule", "options.refund_when", fault.Params{"rule": clip(m.Options.RefundWhen, 100)})
	}
	p.Refund = rule
}

// identifies reports whether the mapped fields of an object can tell one record from another: a unique field, or a
// phone number or e-mail address.
func (p *Plan) identifies(object string) bool {
	return p.uniqueOf(object) || slices.ContainsFunc(p.Values, func(v Value) bool {
		return v.Object == object && (v.Field.Type == schema.Phone || v.Field.Type == schema.Email)
	})
}

func (c *compiler) plain(o *schema.Object, m Mapping) {
	if len(m.Fields) == 0 {
		c.bad("import.nothing_mapped", "fields", nil)
		return
	}
	for i, key := range m.Options.Match {
		f := o.Field(key)
		switch v := c.plan.Value(key); {
		case f == nil || !Matchable(f):
			c.bad("import.match_not_unique", "options.match", fault.Params{"field": clip(key, 60)})
		case v == nil:
			c.bad("import.match_not_mapped", "options.match", fault.Params{"field": key})
		case slices.Contains(m.Options.Match[:i], key):
			c.bad("import.target_twice", "options.match", fault.Params{"target": key, "other": key})
		default:
			c.plan.Matches = append(c.plan.Matches, v)
		}
	}
	if len(m.Options.Match) == 0 && m.Options.Mode != Upsert {
		c.bad("import.mode_needs_match", "options.mode", fault.Params{"mode": clip(m.Options.Mode, 20)})
	}
	for _, f := range o.Fields {
		if f.Required && f.Default == nil && importable(f) && !c.fills(f.Key) && c.plan.Matches == nil {
			c.bad("import.target_missing", "fields."+f.Key, fault.Params{"target": f.Key})
		}
	}
	for _, v := range c.plan.Values {
		if v.Via != "" && c.plan.Value(v.Via) != nil {
			c.bad("import.target_twice", "fields."+v.Name, fault.Params{"target": v.Name, "other": v.Via})
		}
	}
}

func (c *compiler) fills(field string) bool {
	return slices.ContainsFunc(c.plan.Values, func(v Value) bool { return v.Key == field || v.Via == field })
}

func (c *compiler) options(o Options) {
	oneOf := func(v, place string, allowed ...string) {
		if v != "" && !slices.Contains(allowed, v) {
			c.bad("import.bad_option", "options."+place, fault.Params{"value": clip(v, 60), "allowed": strings.Join(allowed, ", ")})
		}
	}
	oneOf(o.OnError, "on_error", "skip", "stop")
	oneOf(o.Duplicates, "duplicates", "create", "skip", "update", "mark", "review")
	oneOf(o.Mode, "mode", OnlyCreate, OnlyUpdate)
	oneOf(o.AnonymousCustomer, "anonymous_customer", "keep", "skip")
	oneOf(o.FreeLines, "free_lines", "keep", "skip")
	oneOf(o.DateOrder, "date_order", "dmy", "mdy")
	if o.Currency != "" && !money.Known(o.Currency) {
		c.bad("import.bad_currency", "options.currency", fault.Params{"currency": clip(o.Currency, 20)})
	}
	if o.Timezone != "" {
		zone, err := time.LoadLocation(o.Timezone)
		if err != nil || o.Timezone == "Local" {
			c.bad("import.bad_timezone", "options.timezone", fault.Params{"timezone": clip(o.Timezone, 60)})
		}
		c.plan.Zone = zone
	}
}

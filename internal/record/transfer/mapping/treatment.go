package mapping

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// What becomes of a row whose related record is not found.
const (
	MissingError  = "error" // the row is not imported; the default
	MissingEmpty  = "empty" // the relation stays empty
	MissingCreate = "create"
)

// What an import does with the records that its match fields find.
const (
	Upsert     = "" // those that are there are updated, others made
	OnlyCreate = "create"
	OnlyUpdate = "update"
)

// Ways to write decimals.
const (
	Point = "point"
	Comma = "comma"
)

// Treatment says how the texts of a column become values of its target. The zero value is what the options and the format of
// the file say.
type Treatment struct {
	Missing   string `json:"missing,omitempty"`    // of a relation: error, empty or create
	OnlyEmpty bool   `json:"only_empty,omitempty"` // a record that has a value keeps it
	Date      string `json:"date,omitempty"`       // layout, as in the format of the file
	Decimal   string `json:"decimal,omitempty"`    // point or comma
	// Options gives texts of a choice column their option: a key of one, "" for no value, or "+Label" for one that the import
	// makes. Texts that are not named are read as keys and labels are.
	Options map[string]string `json:"options,omitempty"`
}

// maxOptions is how many texts of a column may be matched.
const maxOptions = 2000

// NewOption is the label of an option that a match asks to be made.
func NewOption(match string) (label string, ok bool) {
	label, ok = strings.CutPrefix(match, "+")
	return strings.TrimSpace(label), ok
}

// Match names the fields by which existing records are found, the surest first. In JSON one is a text, several are a list.
type Match []string

// MarshalJSON writes one name as a text.
func (m Match) MarshalJSON() ([]byte, error) {
	if len(m) == 1 {
		return json.Marshal(m[0])
	}
	return json.Marshal([]string(m))
}

// UnmarshalJSON reads a text or a list of texts; "" and null are none.
func (m *Match) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		if *m = nil; one != "" {
			*m = Match{one}
		}
		return nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*m = list
	return nil
}

// Matchable reports fields by which an existing record may be found: those that are unique, and phone numbers and e-mail
// addresses, of which a value that several records have is an error of its row.
func Matchable(f *schema.Field) bool {
	return f.Unique && schema.System(f.Key) == nil || f.Type == schema.Phone || f.Type == schema.Email
}

// Optioned reports fields whose texts are matched with options.
func Optioned(f *schema.Field) bool {
	return f.Type == schema.Choice || f.Type == schema.MultiChoice
}

func dated(t schema.Type) bool {
	return t == schema.Date || t == schema.DateTime || t == schema.Birthday
}

func figured(t schema.Type) bool {
	return t == schema.Number || t == schema.Money || t == schema.Percent
}

// Dated and Figured report values whose notation can be told by column.
func (v *Value) Dated() bool   { return dated(v.Field.Type) }
func (v *Value) Figured() bool { return figured(v.Field.Type) }

// Option is the match of a text of a choice column; ok is false when the text is read like any other.
func (v *Value) Option(text string) (match string, ok bool) {
	if v.options == nil {
		return "", false
	}
	match, ok = v.options[lang.Fold(strings.TrimSpace(text))]
	return match, ok
}

// treat checks the treatments and gives them to their values.
func (c *compiler) treat(in map[string]Treatment) {
	for _, name := range slices.Sorted(maps.Keys(in)) {
		t := in[name]
		place := "rules." + name
		v := c.plan.Value(name)
		if v == nil {
			c.bad("import.rule_not_mapped", place, fault.Params{"target": clip(name, 60)})
			continue
		}
		one := func(value, member string, allowed ...string) {
			if value != "" && !slices.Contains(allowed, value) {
				c.bad("import.bad_option", place+"."+member, fault.Params{"value": clip(value, 60), "allowed": strings.Join(allowed, ", ")})
			}
		}
		one(t.Missing, "missing", MissingError, MissingEmpty, MissingCreate)
		one(t.Decimal, "decimal", Point, Comma)
		if t.Decimal != "" && c.object == OrderObject || t.Date != "" && c.object == OrderObject && name != "order.at" {
			c.bad("import.rule_not_of_type", place, fault.Params{"label": v.Label})
		}
		related := v.Via != "" || v.Field.Type == schema.Relation || v.Field.Type == schema.User
		if t.Missing != "" && !related || t.Missing == MissingCreate && v.Field.Type == schema.User {
			c.bad("import.rule_not_of_type", place+".missing", fault.Params{"label": v.Label})
		}
		if len(t.Options) > 0 && !Optioned(v.Field) {
			c.bad("import.rule_not_of_type", place+".options", fault.Params{"label": v.Label})
		}
		if len(t.Options) > maxOptions {
			c.bad("import.too_many_options", place+".options", fault.Params{"max": maxOptions})
		}
		v.Treatment = t
		c.optionsOf(v, place)
	}
}

// optionsOf checks the matches of a choice column.
func (c *compiler) optionsOf(v *Value, place string) {
	if !Optioned(v.Field) {
		return
	}
	for _, text := range slices.Sorted(maps.Keys(v.Treatment.Options)) {
		match := v.Treatment.Options[text]
		label, make := NewOption(match)
		switch _, known := v.Field.Option(match); {
		case make && (label == "" || len([]rune(label)) > 60):
			c.bad("import.bad_new_option", place+".options", fault.Params{"value": clip(text, 60)})
			continue
		case match != "" && !make && !known:
			c.bad("import.unknown_option", place+".options", fault.Params{"option": clip(match, 60), "label": v.Label})
			continue
		}
		if v.options == nil {
			v.options = map[string]string{}
		}
		v.options[lang.Fold(strings.TrimSpace(text))] = match
	}
}

// NewOptions are the labels of the options that a plan asks to be made, by object and field.
func (p *Plan) NewOptions() map[[2]string][]string {
	out := map[[2]string][]string{}
	for i := range p.Values {
		v := &p.Values[i]
		for _, text := range slices.Sorted(maps.Keys(v.options)) {
			if label, ok := NewOption(v.options[text]); ok {
				at := [2]string{v.Object, v.Field.Key}
				if !slices.Contains(out[at], label) {
					out[at] = append(out[at], label)
				}
			}
		}
	}
	return out
}

// relations checks that a record which is to be made where none is found gets what it needs.
func (c *compiler) relations() {
	for i := range c.plan.Values {
		v := &c.plan.Values[i]
		if v.Treatment.Missing != MissingCreate {
			continue
		}
		target := c.reg.Object(v.Object)
		if v.Via == "" {
			target = c.reg.Object(v.Field.Target)
		}
		place := "rules." + v.Key + ".missing"
		if target == nil || target.Virtual || target.NoCreate || target.NoImport {
			c.bad("import.target_not_made", place, fault.Params{"label": v.Label})
			continue
		}
		given := func(key string) bool {
			if v.Via == "" {
				return key == target.TitleField
			}
			return slices.ContainsFunc(c.plan.Values, func(w Value) bool { return w.Via == v.Via && w.Field.Key == key })
		}
		if title := target.Field(target.TitleField); v.Via == "" && (title == nil || title.Type != schema.Text) {
			c.bad("import.target_not_made", place, fault.Params{"label": v.Label})
			continue
		}
		for _, f := range target.Fields {
			named := f.Key == target.TitleField && f.Type == schema.Text && v.Via != "" && !v.Field.Personal
			if f.Required && f.Default == nil && f.Type != schema.AutoNumber && !given(f.Key) && !named {
				c.bad("import.target_needs", place, fault.Params{"label": target.Label, "field": f.Label})
			}
		}
	}
}

// Fit is a mapping without what names columns that a file does not have, and what hangs on these.
func (m Mapping) Fit(reg *schema.Registry, object string, columns []string) Mapping {
	out := m
	fit := func(part Part, in map[string]Column) map[string]Column {
		kept := maps.Clone(in)
		maps.DeleteFunc(kept, func(name string, c Column) bool {
			_, ok := Resolve(reg, object, part, name)
			return !ok || slices.ContainsFunc(c, func(n string) bool { _, there := Find(columns, n); return !there })
		})
		return kept
	}
	out.Order, out.Line, out.Fields = fit(OrderPart, m.Order), fit(LinePart, m.Line), fit(FieldPart, m.Fields)
	keys := map[string]*schema.Field{}
	for part, in := range map[Part]map[string]Column{OrderPart: out.Order, LinePart: out.Line, FieldPart: out.Fields} {
		for name := range in {
			if t, ok := Resolve(reg, object, part, name); ok {
				keys[t.Key] = t.Field
			}
		}
	}
	out.Rules = maps.Clone(m.Rules)
	maps.DeleteFunc(out.Rules, func(key string, _ Treatment) bool { return keys[key] == nil })
	for key, t := range out.Rules {
		t.Options = maps.Clone(t.Options)
		maps.DeleteFunc(t.Options, func(_, match string) bool { // an option that was archived for good
			_, known := keys[key].Option(match)
			_, make := NewOption(match)
			return match != "" && !known && !make
		})
		out.Rules[key] = t
	}
	out.Options.Match = slices.DeleteFunc(slices.Clone(m.Options.Match), func(key string) bool { return keys[key] == nil })
	if len(out.Options.Match) == 0 {
		out.Options.Match, out.Options.Mode = nil, Upsert
	}
	return out
}

// Matched reports whether texts of the value are matched with options.
func (v *Value) Matched() bool { return v.options != nil }

// SetMade tells the keys of the options that were made, by label. Until then, a text whose option is to be made has no value.
func (p *Plan) SetMade(object, field string, made map[string]string) {
	for i := range p.Values {
		if v := &p.Values[i]; v.Object == object && v.Field.Key == field {
			v.made = made
		}
	}
}

// Choose is the value of a text of a choice column by its matches; handled is false when they say nothing of it.
func (v *Value) Choose(text string, env *schema.ParseEnv) (value any, handled bool, bad *fault.Fault) {
	if key, ok := v.chosen(text); ok {
		switch {
		case key == "":
			return nil, true, nil
		case v.Field.Type == schema.MultiChoice:
			return []string{key}, true, nil
		}
		return key, true, nil
	}
	if v.Field.Type != schema.MultiChoice {
		return nil, false, nil
	}
	var list []string
	for _, part := range SplitList(text) {
		if key, ok := v.chosen(part); ok {
			handled = true
			if key != "" {
				list = append(list, key)
			}
			continue
		}
		one, bad := schema.ParseTextWith(v.Field, part, env)
		if bad != nil {
			return nil, true, bad
		}
		keys, _ := one.([]string)
		list = append(list, keys...)
	}
	if !handled {
		return nil, false, nil
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return nil, true, nil
	}
	return list, true, nil
}

// chosen is the key of the option that a text is matched with, "" for none.
func (v *Value) chosen(text string) (string, bool) {
	match, ok := v.Option(text)
	if !ok {
		return "", false
	}
	if label, make := NewOption(match); make {
		return v.made[label], true
	}
	return match, true
}

// SplitList parts the members of a list in a cell.
func SplitList(text string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("|,，;；、\n", r) }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

package metadata

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// CreateField adds a field to an object and answers its key, which is made of the label when empty. In holds what a
// declaration holds; its Physical is ignored. Faults: Forbidden; NotFound metadata.object_unknown; Invalid metadata.*, each
// naming its member; Conflict metadata.field_taken.
func (s *Service) CreateField(ctx context.Context, object string, in schema.Field) (string, error) {
	if in.Key == "" {
		in.Key = keyOf(in.Label)
	}
	in.Physical, in.Custom = s.physical(), false
	err := s.change(ctx, "field.create", object, in.Key, func(d *draft) error {
		obj := d.reg.Object(object)
		if obj == nil || obj.Virtual {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
		}
		var bad []*fault.Fault
		switch {
		case in.Key == "" && len(in.Label) == 0: // that the label is missing says enough
		case !keyShape.MatchString(in.Key) || schema.System(in.Key) != nil:
			bad = append(bad, fault.InvalidField("metadata.bad_key", "key", fault.Params{"key": in.Key}))
		case obj.Field(in.Key) != nil || d.find(object, in.Key) >= 0:
			bad = append(bad, &fault.Fault{Kind: fault.Conflict, Code: "metadata.field_taken", Field: "key", Params: fault.Params{"key": in.Key}})
		}
		if d.fields(object) >= MaxFields {
			bad = append(bad, fault.New(fault.Invalid, "metadata.too_many_fields", fault.Params{"max": MaxFields}))
		}
		if err := joined(append(bad, checkField(d.reg, obj, &in)...)); err != nil {
			return err
		}
		return d.put(object, in.Key, schema.FieldSpec{Field: in})
	})
	return in.Key, err
}

func (d *draft) fields(object string) (n int) {
	for _, r := range d.rows {
		if r.Object == object && r.Field != "" {
			n++
		}
	}
	return n
}

// Types are the field types that can be made at run time, in the order in which they are offered.
func Types() []schema.Type {
	return []schema.Type{schema.Text, schema.LongText, schema.Number, schema.Money, schema.Bool, schema.Date, schema.DateTime, schema.Choice, schema.MultiChoice,
		schema.Tags, schema.Relation, schema.RelationMany, schema.User, schema.Phone, schema.Email, schema.URL, schema.Region, schema.Address, schema.Birthday,
		schema.AutoNumber, schema.JSON, schema.Percent, schema.Duration, schema.Rating, schema.File, schema.Image}
}

// checkField says everything that is wrong with a description.
func checkField(reg *schema.Registry, obj *schema.Object, f *schema.Field) []*fault.Fault {
	bad := []*fault.Fault{checkLabel("label", f.Label, true), checkLabel("help", f.Help, false)}
	bad = append(bad, checkConditions(reg, obj, f)...)
	if f.Formula != "" {
		return append(bad, checkFormula(reg, obj, f)...)
	}
	if f.Rollup != nil {
		return append(bad, checkRollup(reg, obj, f)...)
	}
	add := func(code, member string, params fault.Params) {
		bad = append(bad, fault.InvalidField(code, member, params))
	}
	if !slices.Contains(Types(), f.Type) {
		add("metadata.unknown_type", "type", fault.Params{"type": string(f.Type)})
		return bad
	}
	cols := schema.FieldColumns(f)
	switch {
	case f.Personal && !personal(f.Type):
		add("metadata.not_personal", "personal", fault.Params{"type": string(f.Type)})
	case f.Unique && !unique(f.Type):
		add("metadata.not_unique", "unique", fault.Params{"type": string(f.Type)})
	case f.Indexed && (len(cols) == 0 || f.Type == schema.JSON || f.Type == schema.LongText || f.HoldsFiles()):
		add("metadata.not_indexed", "indexed", fault.Params{"type": string(f.Type)})
	}
	if f.Type == schema.Address { // always encrypted
		f.Personal = true
	}
	if f.Scale < 0 || f.Scale > 6 {
		add("metadata.bad_scale", "scale", fault.Params{"max": 6})
	}
	bad = append(bad, checkMost(f)...)
	if f.MaxLength < 0 || f.MaxLength > 100_000 {
		add("metadata.bad_length", "max_length", fault.Params{"max": 100_000})
	}
	if f.HoldsFiles() && f.Searchable {
		add("metadata.not_searchable", "searchable", fault.Params{"type": string(f.Type)})
	}
	if f.Pinyin = f.Type == schema.Text && f.Searchable && !f.Personal; f.Width < 0 || f.Width > 800 {
		add("metadata.bad_width", "width", fault.Params{"max": 800})
	}
	bad = append(bad, checkOptions(f)...)
	bad = append(bad, checkTarget(reg, obj, f))
	if f.Type == schema.AutoNumber && schema.CheckPattern(f.Pattern) != nil {
		add("metadata.bad_pattern", "pattern", fault.Params{"pattern": f.Pattern})
	}
	if f.Default != nil && !(f.Default == "now" && (f.Type == schema.Date || f.Type == schema.DateTime)) {
		if _, wrong := schema.ParseJSON(f, f.Default, schema.ParseEnv{}); wrong != nil {
			add("metadata.bad_default", "default", nil)
		}
	}
	return bad
}

// maxFileMB is the largest limit of a field in MiB; the program's own limit counts besides.
const maxFileMB = 1024

// checkMost checks the limits of ratings and of fields that hold files.
func checkMost(f *schema.Field) (bad []*fault.Fault) {
	most := 10
	if f.HoldsFiles() {
		most = schema.MaxFiles
	}
	if f.Max < 0 || f.Max > most || f.Max != 0 && f.Type != schema.Rating && !f.HoldsFiles() {
		bad = append(bad, fault.InvalidField("metadata.bad_max", "max", fault.Params{"max": most}))
	}
	if f.MaxMB < 0 || f.MaxMB > maxFileMB || f.MaxMB != 0 && !f.HoldsFiles() {
		bad = append(bad, fault.InvalidField("metadata.bad_max_mb", "max_mb", fault.Params{"max": maxFileMB}))
	}
	for _, k := range f.Kinds {
		if f.Type != schema.File || !slices.Contains(schema.FileKinds(), k) {
			bad = append(bad, fault.InvalidField("metadata.bad_kind", "kinds", fault.Params{"kind": k}))
		}
	}
	return bad
}

func personal(t schema.Type) bool {
	return slices.Contains([]schema.Type{schema.Text, schema.LongText, schema.URL, schema.Phone, schema.Email, schema.Address}, t)
}

func unique(t schema.Type) bool {
	return slices.Contains([]schema.Type{schema.Text, schema.URL, schema.Phone, schema.Email, schema.AutoNumber}, t)
}

func checkOptions(f *schema.Field) (bad []*fault.Fault) {
	if f.Type != schema.Choice && f.Type != schema.MultiChoice {
		return nil
	}
	if len(f.Options) == 0 || len(f.Options) > MaxOptions {
		return []*fault.Fault{fault.InvalidField("metadata.options_count", "options", fault.Params{"max": MaxOptions})}
	}
	seen := map[string]bool{}
	for i := range f.Options {
		o := &f.Options[i]
		if o.Key == "" {
			o.Key = keyOf(o.Label)
		}
		at := "options." + strconv.Itoa(i)
		switch {
		case !keyShape.MatchString(o.Key):
			bad = append(bad, fault.InvalidField("metadata.bad_key", at+".key", fault.Params{"key": o.Key}))
		case seen[o.Key]:
			bad = append(bad, fault.InvalidField("metadata.option_twice", at+".key", fault.Params{"key": o.Key}))
		}
		seen[o.Key] = true
		bad = append(bad, checkLabel(at+".label", o.Label, true))
	}
	return bad
}

func checkTarget(reg *schema.Registry, obj *schema.Object, f *schema.Field) *fault.Fault {
	switch f.Type {
	case schema.Relation:
		if reg.Object(f.Target) == nil {
			return fault.InvalidField("metadata.target_unknown", "target", fault.Params{"object": f.Target})
		}
	case schema.RelationMany:
		t := reg.Object(f.Target)
		if t == nil {
			return fault.InvalidField("metadata.target_unknown", "target", fault.Params{"object": f.Target})
		}
		if via := t.Field(f.Via); via == nil || via.Type != schema.Relation || via.Target != obj.Key {
			return fault.InvalidField("metadata.bad_via", "via", fault.Params{"field": f.Via, "object": f.Target})
		}
	}
	return nil
}

// FieldChange is what is to be another; nil members stay.
type FieldChange struct {
	Label, Help       schema.Label
	Section           *string
	Required, Indexed *bool
	Searchable        *bool
	Hidden            *bool // of a declared field
	Options           []schema.Option
	Default           any
	NoDefault         bool
	MaxLength, Width  *int
	Pattern           *string
	Position          *int // among the fields made at run time, from 0
	// Of a computed field only; its type and scale follow when they are empty.
	Formula *string
	Type    schema.Type
	Scale   *int
	Rollup  *schema.Rollup // of a rollup: another definition whose result is of the same type
	// Of a field that holds files: how many, how large and of which kinds those are that are added from then on.
	Max, MaxMB *int
	Kinds      *[]string
	// Conditions; null takes one away, nil leaves it.
	ShownWhen, RequiredWhen json.RawMessage
}

// UpdateField changes a field. What decides about its columns (type, target, scale, personal, unique) stays as it was made.
func (s *Service) UpdateField(ctx context.Context, object, key string, in FieldChange) error {
	return s.change(ctx, "field.update", object, key, func(d *draft) error {
		obj := d.reg.Object(object)
		if obj == nil {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
		}
		now := obj.Field(key)
		if now == nil || schema.System(key) == now {
			return fault.New(fault.NotFound, "metadata.field_unknown", fault.Params{"field": key})
		}
		spec, err := d.field(object, key)
		if err != nil {
			return err
		}
		want := *now // as it would be
		in.apply(&spec, &want)
		if bad := in.compute(&want); bad != nil {
			return bad
		}
		bad := checkField(d.reg, obj, &want)
		spec.ShownWhen, spec.RequiredWhen = want.ShownWhen, want.RequiredWhen // in their one spelling
		if !now.Custom {
			bad = append(bad, in.checkDeclared(d.declared(object), key, &want)...)
		}
		for _, o := range now.Options {
			if in.Options != nil && !slices.ContainsFunc(want.Options, func(n schema.Option) bool { return n.Key == o.Key }) {
				bad = append(bad, fault.InvalidField("metadata.option_gone", "options", fault.Params{"key": o.Key}))
			}
		}
		if key == obj.TitleField && want.Hidden {
			bad = append(bad, fault.InvalidField("metadata.title_hidden", "hidden", nil))
		}
		if err := joined(bad); err != nil {
			return err
		}
		if in.Rollup != nil {
			if want.Type != now.Type || want.Scale != now.Scale || want.Target != now.Target {
				return fault.InvalidField("metadata.rollup_other_type", "rollup", fault.Params{"label": now.Label})
			}
			spec.Rollup = want.Rollup
		}
		if want.Computed() {
			spec.Formula, spec.Type, spec.Scale = want.Formula, want.Type, want.Scale
		}
		d.follows.Search = d.follows.Search || want.Searchable != now.Searchable
		if err := d.put(object, key, spec); err != nil {
			return err
		}
		if in.Position != nil && now.Custom {
			d.move(object, key, *in.Position)
		}
		return nil
	})
}

// checkDeclared refuses to take from a declared field what the program relies on.
func (c *FieldChange) checkDeclared(declared *schema.Object, key string, want *schema.Field) []*fault.Fault {
	var bad []*fault.Fault
	for _, f := range declared.Fields {
		if f.Key != key {
			continue
		}
		for member, lost := range map[string]bool{"required": f.Required && !want.Required, "indexed": f.Indexed && !want.Indexed,
			"searchable": f.Searchable && !want.Searchable, "hidden": want.Hidden && f.Required} {
			if lost {
				bad = append(bad, fault.InvalidField("metadata.declared_member", member, nil))
			}
		}
		if c.MaxLength != nil {
			bad = append(bad, fault.InvalidField("metadata.declared_member", "max_length", nil))
		}
		for member, given := range map[string]bool{"max": c.Max != nil, "max_mb": c.MaxMB != nil, "kinds": c.Kinds != nil} {
			if given {
				bad = append(bad, fault.InvalidField("metadata.declared_member", member, nil))
			}
		}
		if c.Pattern != nil {
			bad = append(bad, fault.InvalidField("metadata.declared_member", "pattern", nil))
		}
	}
	return bad
}

// apply writes the change into what is stored and into the field as it is now.
func (c *FieldChange) apply(spec *schema.FieldSpec, now *schema.Field) {
	for _, f := range []*schema.Field{&spec.Field, now} {
		if len(c.Label) > 0 {
			f.Label = c.Label
		}
		if c.Help != nil {
			f.Help = c.Help
		}
		set(&f.Section, c.Section)
		set(&f.Required, c.Required)
		set(&f.Indexed, c.Indexed)
		set(&f.Searchable, c.Searchable)
		set(&f.Hidden, c.Hidden)
		set(&f.MaxLength, c.MaxLength)
		set(&f.Width, c.Width)
		set(&f.Pattern, c.Pattern)
		if now.HoldsFiles() {
			set(&f.Max, c.Max)
			set(&f.MaxMB, c.MaxMB)
			set(&f.Kinds, c.Kinds)
		}
		if c.Options != nil {
			f.Options = c.Options
		}
		if c.Default != nil || c.NoDefault {
			f.Default = c.Default
		}
		if c.ShownWhen != nil {
			f.ShownWhen = c.ShownWhen
		}
		if c.RequiredWhen != nil {
			f.RequiredWhen = c.RequiredWhen
		}
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// field is the stored declaration of a field, empty for a declared one of which nothing is said.
func (d *draft) field(object, key string) (spec schema.FieldSpec, err error) {
	if i := d.find(object, key); i >= 0 {
		err = json.Unmarshal(d.rows[i].Spec, &spec)
	}
	return spec, err
}

// move puts a field at a place among those made at run time; archived ones do not count.
func (d *draft) move(object, key string, to int) {
	var own []int
	for i, r := range d.rows {
		if f := d.reg.Object(object).Field(r.Field); r.Object == object && r.Field != "" && f != nil && f.Custom {
			own = append(own, i)
		}
	}
	slices.SortStableFunc(own, func(a, b int) int { return int(d.rows[a].Position - d.rows[b].Position) })
	from := slices.IndexFunc(own, func(i int) bool { return d.rows[i].Field == key })
	moved := own[from]
	own = slices.Delete(own, from, from+1)
	own = slices.Insert(own, min(max(to, 0), len(own)), moved)
	for place, i := range own {
		if at := int64(place + 1); d.rows[i].Position != at {
			d.rows[i].Position = at
			if !d.changed[i] {
				d.rows[i].Version++
				d.changed[i] = true
			}
		}
	}
}

// ArchiveField takes a field made at run time out of use; its values stay. Conflict metadata.field_used says what needs it.
func (s *Service) ArchiveField(ctx context.Context, object, key string) error {
	return s.change(ctx, "field.archive", object, key, func(d *draft) error {
		obj := d.reg.Object(object)
		if obj == nil {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
		}
		f := obj.Field(key)
		switch {
		case f == nil || schema.System(key) == f:
			return fault.New(fault.NotFound, "metadata.field_unknown", fault.Params{"field": key})
		case !f.Custom:
			return fault.New(fault.Conflict, "metadata.declared", fault.Params{"label": f.Label})
		case obj.TitleField == key || obj.CustomerField == key || obj.TimeField == key:
			return fault.New(fault.Conflict, "metadata.field_needed", fault.Params{"label": f.Label, "object": obj.Label})
		}
		for _, o := range d.reg.Objects() {
			for _, other := range o.Fields {
				if other.Type == schema.RelationMany && other.Target == object && other.Via == key {
					return fault.New(fault.Conflict, "metadata.field_used", fault.Params{"label": f.Label, "object": o.Label, "field": other.Label})
				}
			}
		}
		if users := formula.Users(d.reg, object, key); len(users) > 0 {
			return usedBy(f, users)
		}
		if rules := ruleUsers(d.reg, object, key); len(rules) > 0 {
			return inRules(f, rules)
		}
		if users := rollupUsers(d.reg, object, key); len(users) > 0 {
			return usedBy(f, users)
		}
		if rules := uniqueUsers(obj, key); rules != nil {
			return inRules(f, rules)
		}
		if err := d.forget(obj, key); err != nil {
			return err
		}
		spec, err := d.field(object, key)
		if err != nil {
			return err
		}
		spec.Archived = true
		return d.put(object, key, spec)
	})
}

// forget takes a field out of the columns, the subtitle and the order of its object.
func (d *draft) forget(obj *schema.Object, key string) error {
	spec, err := d.object(obj.Key)
	if err != nil {
		return err
	}
	not := func(k string) bool { return k == key }
	named := slices.Contains(obj.DefaultColumns, key) || slices.Contains(obj.SubtitleFields, key)
	sorted := slices.ContainsFunc(obj.DefaultSort, func(s schema.Sort) bool { return s.Field == key })
	if !named && !sorted {
		return nil
	}
	spec.DefaultColumns = slices.DeleteFunc(slices.Clone(obj.DefaultColumns), not)
	spec.SubtitleFields = slices.DeleteFunc(slices.Clone(obj.SubtitleFields), not)
	if sorted {
		spec.DefaultSort = []schema.Sort{{Field: "created_at", Desc: true}}
	}
	return d.put(obj.Key, "", spec)
}

// RestoreField takes an archived field into use again, with its values.
func (s *Service) RestoreField(ctx context.Context, object, key string) error {
	return s.change(ctx, "field.restore", object, key, func(d *draft) error {
		obj := d.reg.Object(object)
		if obj == nil {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
		}
		spec, err := d.field(object, key)
		if err != nil {
			return err
		}
		if !spec.Archived {
			return fault.New(fault.NotFound, "metadata.field_unknown", fault.Params{"field": key})
		}
		if f := checkTarget(d.reg, obj, &spec.Field); f != nil {
			return f
		}
		spec.Archived = false
		d.follows.Back = append(d.follows.Back, object)
		return d.put(object, key, spec)
	})
}

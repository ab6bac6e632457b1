package app

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/blueprint"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
)

// step is one change of an import.
type step struct {
	pointer string
	run     func() error
}

// inOrder runs steps until none succeeds any more: what needs another comes after it, whatever the order in the file. The
// faults of the rest are given with their pointers.
func inOrder(steps []step) ([]*fault.Fault, error) {
	for len(steps) > 0 {
		var left []step
		var bad []*fault.Fault
		for _, s := range steps {
			err := s.run()
			if err == nil {
				continue
			}
			found := problemsAt(s.pointer, err)
			if found == nil {
				return nil, err
			}
			left, bad = append(left, s), append(bad, found...)
		}
		if len(left) == len(steps) {
			return bad, nil
		}
		steps = left
	}
	return nil, nil
}

// problemsAt are the faults of an error with where in the file each is; nil for a failure that is nobody's input.
func problemsAt(pointer string, err error) []*fault.Fault {
	f, ok := fault.Find(err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return nil
	}
	if len(f.Items) == 0 {
		one := *f
		one.Field = pointer
		if at := strings.Trim(strings.ReplaceAll(f.Field, ".", "/"), "/"); at != "" {
			one.Field += "/" + at
		}
		return []*fault.Fault{&one}
	}
	var out []*fault.Fault
	for _, item := range f.Items {
		out = append(out, problemsAt(pointer, item)...)
	}
	return out
}

// read turns an item into a value. A member of another kind is Invalid blueprint.bad_value.
func read(item blueprint.Item, into any) error {
	raw, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		at := ""
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			at = wrong.Field
		}
		return fault.InvalidField("blueprint.bad_value", at, nil)
	}
	return nil
}

// shaping is the part of an import that changes metadata.
type shaping struct {
	ctx    context.Context
	all    *metadata.Service
	g      *gathered
	reg    func() *schema.Registry
	chosen []blueprint.Difference
}

// run makes the chosen differences of objects.
func (s *shaping) run() ([]*fault.Fault, error) {
	var objects, fields, settings, rules, uniques, orders, gone []step
	for _, d := range s.chosen {
		parts := blueprint.Parts(d.Pointer)
		object := parts[1]
		add := func(to *[]step, run func() error) { *to = append(*to, step{d.Pointer, run}) }
		switch {
		case d.Change == blueprint.OnlyHere:
			add(&gone, func() error { return s.archive(parts) })
		case parts[2] == blueprint.Settings:
			if d.After["made_here"] == true {
				add(&objects, func() error { return s.object(object, d.After) })
			}
			add(&settings, func() error { return s.settings(object, d.After, d.Change == blueprint.Added) })
			add(&orders, func() error { return s.order(object, d.After) })
		case parts[2] == blueprint.Fields:
			add(&fields, func() error { return s.field(object, parts[3], d.After) })
		case parts[2] == blueprint.Rules:
			add(&rules, func() error { return s.rule(object, parts[3], d.After) })
		case parts[2] == blueprint.Uniques:
			add(&uniques, func() error { return s.unique(object, parts[3], d.After) })
		}
	}
	var bad []*fault.Fault
	for _, stage := range [][]step{objects, fields, settings, rules, uniques, orders, gone} {
		found, err := inOrder(stage)
		if err != nil {
			return nil, err
		}
		bad = append(bad, found...)
	}
	return bad, nil
}

// archived reports a declaration that is out of use here.
func (s *shaping) archived(object, field string) bool {
	i := slices.IndexFunc(s.g.rows, func(r metadata.Row) bool { return r.Object == object && r.Field == field })
	if i < 0 {
		return false
	}
	var spec struct {
		Archived bool `json:"archived"`
	}
	return json.Unmarshal(s.g.rows[i].Spec, &spec) == nil && spec.Archived
}

// object makes an object that is not here, or takes an archived one into use again. Its first field is what the file says of
// "name", in the form in which an object is made.
func (s *shaping) object(key string, item blueprint.Item) error {
	if s.reg().Object(key) != nil {
		return nil
	}
	if s.archived(key, "") {
		return s.all.RestoreObject(s.ctx, key)
	}
	var spec schema.ObjectSpec
	if err := read(item, &spec); err != nil {
		return err
	}
	in := metadata.NewObject{Key: key, Label: spec.Label, Plural: spec.Plural, Icon: spec.Icon, OfCustomer: spec.CustomerField != ""}
	for _, d := range s.chosen {
		if d.Pointer != blueprint.Pointer(blueprint.Objects, key, blueprint.Fields, "name") || d.After == nil {
			continue
		}
		var title schema.Field
		if err := read(d.After, &title); err != nil {
			return err
		}
		if in.Title = title.Label; title.Type == schema.AutoNumber {
			in.TitleNumber = title.Pattern
		}
	}
	_, err := s.all.CreateObject(s.ctx, in)
	return err
}

func (s *shaping) settings(key string, item blueprint.Item, added bool) error {
	obj := s.reg().Object(key)
	if obj == nil {
		return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": key})
	}
	var spec schema.ObjectSpec
	if err := read(item, &spec); err != nil {
		return err
	}
	in := metadata.ObjectChange{Label: spec.Label, Plural: spec.Plural, Icon: &spec.Icon, SubtitleFields: spec.SubtitleFields, DefaultColumns: spec.DefaultColumns, DefaultSort: spec.DefaultSort}
	if !obj.Standard && spec.TitleField != "" && spec.TitleField != obj.TitleField {
		in.TitleField = &spec.TitleField
	}
	if (obj.CustomerField != "") != (spec.CustomerField != "") && !obj.Standard {
		return fault.InvalidField("blueprint.other_owner", "customer_field", nil)
	}
	if err := s.all.UpdateObject(s.ctx, key, in); err != nil {
		return err
	}
	order, _ := item["field_order"].([]any)
	if added && in.TitleField != nil && len(order) > 0 && !slices.Contains(order, any("name")) { // the title is another field
		return s.all.ArchiveField(s.ctx, key, "name")
	}
	return nil
}

// order puts the fields made at run time in the order of the file; those that it does not name follow.
func (s *shaping) order(key string, item blueprint.Item) error {
	want, _ := item["field_order"].([]any)
	place := 0
	for _, v := range want {
		name, _ := v.(string)
		obj := s.reg().Object(key)
		if obj == nil {
			return nil
		}
		now := ownOrder(obj)
		if at := slices.Index(now, any(name)); at < 0 {
			continue
		} else if at != place {
			if err := s.all.UpdateField(s.ctx, key, name, metadata.FieldChange{Position: &place}); err != nil {
				return err
			}
		}
		place++
	}
	return nil
}

// field makes a field or changes it. What decides about its columns must be the same.
func (s *shaping) field(object, key string, item blueprint.Item) error {
	var want schema.Field
	if err := read(item, &want); err != nil {
		return err
	}
	want.Key = key
	obj := s.reg().Object(object)
	if obj != nil && obj.Field(key) == nil && s.archived(object, key) {
		if err := s.all.RestoreField(s.ctx, object, key); err != nil {
			return err
		}
		obj = s.reg().Object(object)
	}
	if obj == nil || obj.Field(key) == nil {
		_, err := s.all.CreateField(s.ctx, object, want)
		return err
	}
	now := obj.Field(key)
	in := metadata.FieldChange{Label: want.Label, Help: want.Help, Section: &want.Section, Required: &want.Required, Indexed: &want.Indexed,
		Searchable: &want.Searchable, Width: &want.Width, Default: want.Default, NoDefault: want.Default == nil,
		ShownWhen: orNull(want.ShownWhen), RequiredWhen: orNull(want.RequiredWhen)}
	if in.Help == nil {
		in.Help = schema.Label{}
	}
	if len(want.Options) > 0 {
		in.Options = both(want.Options, now.Options)
	}
	if !now.Custom {
		if want.Type != "" {
			return fault.InvalidField("blueprint.declared", "type", fault.Params{"label": now.Label})
		}
		in.Required, in.Indexed, in.Searchable = or(want.Required, now.Required), or(want.Indexed, now.Indexed), or(want.Searchable, now.Searchable)
		in.Hidden = &want.Hidden
		return s.all.UpdateField(s.ctx, object, key, in)
	}
	if bad := otherColumns(now, &want); bad != nil {
		return bad
	}
	in.MaxLength, in.Pattern, in.Rollup = &want.MaxLength, &want.Pattern, want.Rollup
	if now.HoldsFiles() {
		in.Max, in.MaxMB, in.Kinds = &want.Max, &want.MaxMB, &want.Kinds
	}
	if want.Computed() {
		in.Formula, in.Type, in.Scale = &want.Formula, want.Type, &want.Scale
	}
	return s.all.UpdateField(s.ctx, object, key, in)
}

// orNull is a condition, or that there is none.
func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

func or(want, declared bool) *bool {
	out := want || declared
	return &out
}

// both are the options of the file with those that only are here behind them.
func both(file, here []schema.Option) []schema.Option {
	out := slices.Clone(file)
	for _, o := range here {
		if !slices.ContainsFunc(file, func(f schema.Option) bool { return f.Key == o.Key }) {
			out = append(out, o)
		}
	}
	return out
}

// otherColumns refuses a field whose values are kept otherwise than here.
func otherColumns(now, want *schema.Field) error {
	if now.Computed() != want.Computed() || (now.Rollup != nil) != (want.Rollup != nil) || !now.Computed() && now.Type != want.Type {
		return fault.InvalidField("blueprint.other_type", "type", fault.Params{"label": now.Label, "here": string(now.Type), "file": string(want.Type)})
	}
	if now.Computed() {
		return nil
	}
	for member, other := range map[string]bool{"target": now.Target != want.Target, "via": now.Via != want.Via, "scale": now.Scale != want.Scale,
		"personal": now.Personal != want.Personal, "unique": now.Unique != want.Unique, "max": now.Max != want.Max && !now.HoldsFiles()} {
		if other {
			return fault.InvalidField("blueprint.fixed_member", member, fault.Params{"label": now.Label})
		}
	}
	return nil
}

// rule puts one validation rule among those of its object.
func (s *shaping) rule(object, key string, item blueprint.Item) error {
	var want schema.Rule
	if err := read(item, &want); err != nil {
		return err
	}
	want.Key = key
	return s.setRule(object, want)
}

func (s *shaping) setRule(object string, want schema.Rule) error {
	obj := s.reg().Object(object)
	if obj == nil {
		return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
	}
	var rules []schema.Rule
	found := false
	for _, r := range obj.Rules {
		if r.Key == want.Key {
			rules, found = append(rules, want), true
			continue
		}
		rules = append(rules, *r)
	}
	if !found {
		rules = append(rules, want)
	}
	err := s.all.UpdateObject(s.ctx, object, metadata.ObjectChange{Rules: rules})
	if f, ok := fault.Find(err); ok && f.Kind == fault.Invalid { // of this rule, wherever it stands
		one := *f
		if i := strings.LastIndexByte(one.Field, '.'); i >= 0 {
			one.Field = one.Field[i+1:]
		}
		return &one
	}
	return err
}

// archive takes out of use what is only here.
func (s *shaping) archive(parts []string) error {
	switch {
	case parts[2] == blueprint.Settings:
		return s.all.ArchiveObject(s.ctx, parts[1])
	case s.reg().Object(parts[1]) == nil: // went with its object
		return nil
	case parts[2] == blueprint.Fields:
		return s.all.ArchiveField(s.ctx, parts[1], parts[3])
	case parts[2] == blueprint.Layouts:
		return s.all.RemoveLayout(s.ctx, parts[1], roleKey(s.g, parts[3]))
	case parts[2] == blueprint.Uniques:
		return s.unique(parts[1], parts[3], nil)
	}
	for _, r := range s.reg().Object(parts[1]).Rules {
		if r.Key == parts[3] {
			off := *r
			off.Off = true
			return s.setRule(parts[1], off)
		}
	}
	return nil
}

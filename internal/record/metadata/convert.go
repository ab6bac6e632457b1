package metadata

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Conversion says what a field is to become.
type Conversion struct {
	Type      schema.Type
	Options   []schema.Option // of choices; empty keeps those of the field, or leaves them to be made of its values
	Scale     int
	Max       int
	MaxLength int
}

// Plan is the field as it would be after a conversion; nothing is stored. A choice that is to get its options from the values has none
// yet. Faults: Forbidden; NotFound; Conflict metadata.convert_*; Invalid metadata.*.
func (s *Service) Plan(ctx context.Context, reg *schema.Registry, object, key string, in Conversion) (schema.Field, error) {
	if err := may(ctx); err != nil {
		return schema.Field{}, err
	}
	obj := reg.Object(object)
	if obj == nil {
		return schema.Field{}, fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
	}
	f := obj.Field(key)
	if f == nil || schema.System(key) == f {
		return schema.Field{}, fault.New(fault.NotFound, "metadata.field_unknown", fault.Params{"field": key})
	}
	if !slices.Contains(schema.Conversions(f), in.Type) {
		return schema.Field{}, fault.New(fault.Conflict, "metadata.convert_type", fault.Params{"label": f.Label})
	}
	if key == obj.TitleField && in.Type != schema.Text {
		return schema.Field{}, fault.New(fault.Conflict, "metadata.convert_title", fault.Params{"label": f.Label})
	}
	want := *f
	want.Type, want.Scale, want.Max, want.MaxLength, want.Options = in.Type, in.Scale, in.Max, in.MaxLength, nil
	want.Default, want.Pattern, want.Width, want.Physical = nil, "", 0, ""
	text := in.Type == schema.Text || in.Type == schema.LongText || in.Type == schema.URL || in.Type == schema.Phone || in.Type == schema.Email
	want.Searchable = f.Searchable && text
	want.Indexed = f.Indexed && in.Type != schema.LongText
	chooses := in.Type == schema.Choice || in.Type == schema.MultiChoice
	if chooses {
		if want.Options = slices.Clone(in.Options); len(want.Options) == 0 {
			want.Options = slices.Clone(f.Options)
		}
	}
	made := chooses && len(want.Options) == 0
	if made { // of the values, later
		want.Options = []schema.Option{{Key: "later", Label: schema.Label{"en": "later"}}}
	}
	bad := checkField(reg, obj, &want)
	if made {
		want.Options = nil
	}
	return want, joined(bad)
}

// OptionsOf makes options of texts, those that stand there most often first, at most MaxOptions.
func OptionsOf(texts map[string]int) []schema.Option {
	list := slices.SortedFunc(maps.Keys(texts), func(a, b string) int {
		if d := texts[b] - texts[a]; d != 0 {
			return d
		}
		if a < b {
			return -1
		}
		return 1
	})
	colors := []string{"blue", "teal", "green", "amber", "red", "pink", "violet", "cyan"}
	var out []schema.Option
	taken := map[string]bool{}
	for _, text := range list {
		if len(out) == MaxOptions {
			break
		}
		if n := len([]rune(text)); n == 0 || n > maxLabel {
			continue
		}
		label := schema.Label{"zh-CN": text, "en": text}
		key := keyOf(label)
		if !keyShape.MatchString(key) || taken[key] {
			for n := len(out) + 1; ; n++ {
				if key = "option_" + strconv.Itoa(n); !taken[key] {
					break
				}
			}
		}
		taken[key] = true
		out = append(out, schema.Option{Key: key, Label: label, Color: colors[len(out)%len(colors)]})
	}
	return out
}

// Preview is the registry as it would be with a field in the place of the one of its key, and what of the metadata itself would not
// hold any more, by what it is called. Nothing is stored. A nil field takes the one there away.
func (s *Service) Preview(ctx context.Context, object, key string, want *schema.Field) (*schema.Registry, []Loss, error) {
	if err := may(ctx); err != nil {
		return nil, nil, err
	}
	rows, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load metadata: %w", err)
	}
	old, before, err := build(s.cfg.Standard, rows)
	if err != nil {
		return nil, nil, fmt.Errorf("stored metadata: %w", err)
	}
	d := &draft{standard: s.cfg.Standard, rows: slices.Clone(rows), changed: map[int]bool{}}
	spec, err := d.field(object, key)
	if err != nil {
		return nil, nil, err
	}
	if want == nil {
		spec.Archived = true
	} else {
		physical := spec.Physical
		spec.Field = *want
		spec.Physical = physical
	}
	obj := old.Object(object)
	if want == nil && obj != nil {
		if err := d.forget(obj, key); err != nil {
			return nil, nil, err
		}
	}
	if err := d.put(object, key, spec); err != nil {
		return nil, nil, err
	}
	next, after, err := build(d.standard, d.rows)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Conflict, "metadata.contradiction", err)
	}
	return next, lossesOf(old, next, before, after), nil
}

// Loss is something that could be asked under one registry and cannot under another.
type Loss struct {
	Kind   string // formula, rule, rollup, condition, unique, segment, classification, webhook, role or view
	Name   schema.Label
	Object string // whose it is, where it is an object's
	Key    string
}

// lossesOf are those of the metadata itself.
func lossesOf(old, next *schema.Registry, before, after []formula.Broken) (out []Loss) {
	for _, b := range after {
		if slices.ContainsFunc(before, func(o formula.Broken) bool { return o.Name() == b.Name() }) {
			continue
		}
		if b.Rule != nil {
			out = append(out, Loss{"rule", b.Rule.Message, b.Object.Key, b.Rule.Key})
		} else {
			out = append(out, Loss{"formula", b.Field.Label, b.Object.Key, b.Field.Key})
		}
	}
	for _, o := range next.Objects() {
		was := old.Object(o.Key)
		if was == nil {
			continue
		}
		for _, f := range o.Fields {
			if conditionLost(old, next, was, o, f) {
				out = append(out, Loss{"condition", f.Label, o.Key, f.Key})
			}
			if f.Rollup != nil && was.Field(f.Key) != nil && !rollupStands(next, o, f) && rollupStands(old, was, was.Field(f.Key)) {
				out = append(out, Loss{"rollup", f.Label, o.Key, f.Key})
			}
		}
		for _, u := range was.UniqueRules {
			if !uniqueStands(was, o, u) {
				out = append(out, Loss{"unique", u.Label, o.Key, u.Key})
			}
		}
	}
	return out
}

// rollupStands reports a rollup whose result is what the field says.
func rollupStands(reg *schema.Registry, o *schema.Object, f *schema.Field) bool {
	again, r := *f, *f.Rollup
	again.Rollup = &r
	return len(checkRollup(reg, o, &again)) == 0 && again.Type == f.Type && again.Scale == f.Scale
}

// uniqueStands reports a rule whose keys stay as they are: its fields are there and of the types they had.
func uniqueStands(was, now *schema.Object, u *schema.UniqueRule) bool {
	return !slices.ContainsFunc(u.Fields, func(k string) bool {
		before, after := was.Field(k), now.Field(k)
		return before != nil && (after == nil || after.Type != before.Type || after.Scale != before.Scale)
	})
}

func conditionLost(old, next *schema.Registry, was, o *schema.Object, f *schema.Field) bool {
	before := was.Field(f.Key)
	if before == nil || before.ShownWhen == nil && before.RequiredWhen == nil {
		return false
	}
	for _, raw := range []json.RawMessage{f.ShownWhen, f.RequiredWhen} {
		if len(raw) > 0 && checkCondition(old, was, f.Key, raw) == nil && checkCondition(next, o, f.Key, raw) != nil {
			return true
		}
	}
	return false
}

// StagingKey is a key for the field that is filled beside another one; when they change places it is the archived one's.
func (s *Service) StagingKey(ctx context.Context, object, key string) (string, error) {
	rows, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return "", fmt.Errorf("load metadata: %w", err)
	}
	d := &draft{rows: rows}
	base := key[:min(len(key), 34)] + "_was"
	for n := 1; ; n++ {
		out := base
		if n > 1 {
			out += strconv.Itoa(n)
		}
		if d.find(object, out) < 0 {
			return out, nil
		}
	}
}

// Stage makes the field that is filled with the values of another one, under a staging key. Done before, it does nothing.
func (s *Service) Stage(ctx context.Context, object, key, staging string, want schema.Field, locale string) error {
	return s.change(ctx, "field.convert", object, key, func(d *draft) error {
		obj := d.reg.Object(object)
		if obj == nil || obj.Field(key) == nil {
			return fault.New(fault.NotFound, "metadata.field_unknown", fault.Params{"field": key})
		}
		if d.find(object, staging) >= 0 {
			return nil
		}
		if d.fields(object) >= MaxFields {
			return fault.New(fault.Conflict, "metadata.too_many_fields", fault.Params{"max": MaxFields})
		}
		want.Key, want.Physical = staging, s.physical()
		want.ReadOnly, want.Hidden, want.Required, want.Indexed = true, true, false, false
		want.ShownWhen, want.RequiredWhen = nil, nil
		want.Becoming = &schema.Becoming{Of: key, Locale: locale}
		return d.put(object, staging, schema.FieldSpec{Field: want})
	})
}

// Unstage gives a conversion up before the fields change places: what was converted is archived. Without one it does nothing.
func (s *Service) Unstage(ctx context.Context, object, staging string) error {
	return s.change(ctx, "field.unconvert", object, staging, func(d *draft) error {
		spec, err := d.field(object, staging)
		if err != nil || spec.Becoming == nil || spec.Archived {
			return err
		}
		spec.Archived, spec.Becoming, spec.ReadOnly, spec.Hidden = true, nil, false, false
		return d.put(object, staging, spec)
	})
}

// before is said behind the name of the field that keeps the values of before, after behind one whose conversion was taken back.
var beforeLabel = schema.Label{"zh-CN": "（转换前）", "en": " (before conversion)"} //nolint:gochecknoglobals // read only

var afterLabel = schema.Label{"zh-CN": "（转换后）", "en": " (converted)"} //nolint:gochecknoglobals // read only

// Swap lets a field and the one that was filled beside it change places: the first is archived with the values of before. back takes
// that back. Done before, it does nothing. Conflict names what could not be asked any more.
func (s *Service) Swap(ctx context.Context, object, key, staging string, back bool) error {
	return s.change(ctx, "field.converted", object, key, func(d *draft) error {
		obj := d.reg.Object(object)
		if obj == nil || obj.Field(key) == nil {
			return fault.New(fault.NotFound, "metadata.field_unknown", fault.Params{"field": key})
		}
		here, err := d.field(object, key)
		if err != nil {
			return err
		}
		there, err := d.field(object, staging)
		if err != nil {
			return err
		}
		if !back && there.Becoming == nil {
			return nil // done
		}
		if back && !there.Archived {
			return fault.New(fault.Conflict, "metadata.convert_restored", fault.Params{"label": here.Label})
		}
		if rules := uniqueUsers(obj, key); rules != nil {
			return inRules(&here.Field, rules)
		}
		next, kept := there, here
		next.Archived, next.Becoming, next.ReadOnly, next.Hidden = false, nil, false, here.Hidden
		next.Label, next.Help, next.Section, next.Required = here.Label, here.Help, here.Section, here.Required
		next.ShownWhen, next.RequiredWhen = here.ShownWhen, here.RequiredWhen
		next.Indexed = here.Indexed && next.Type != schema.LongText && next.Type != schema.JSON
		kept.Archived, kept.Required, kept.Indexed, kept.ShownWhen, kept.RequiredWhen = true, false, false, nil, nil
		kept.Label = schema.Label{}
		suffix := beforeLabel
		if back {
			suffix = afterLabel
		}
		for l, text := range here.Label {
			kept.Label[l] = text + suffix.In(l)
		}
		if err := d.put(object, key, next); err != nil {
			return err
		}
		if err := d.put(object, staging, kept); err != nil {
			return err
		}
		d.follows.Search = d.follows.Search || here.Searchable || next.Searchable
		if back {
			d.follows.Back = append(d.follows.Back, object)
		}
		return d.unsort(obj, key, &next.Field)
	})
}

// unsort lets an object be sorted by another field where its own cannot be any more.
func (d *draft) unsort(obj *schema.Object, key string, now *schema.Field) error {
	if schema.Sortable(now) || !slices.ContainsFunc(obj.DefaultSort, func(s schema.Sort) bool { return s.Field == key }) {
		return nil
	}
	spec, err := d.object(obj.Key)
	if err != nil {
		return err
	}
	spec.DefaultSort = []schema.Sort{{Field: "created_at", Desc: true}}
	return d.put(obj.Key, "", spec)
}

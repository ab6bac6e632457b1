package metadata

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Limits of a workspace.
const (
	MaxObjects = 500 // made at run time
	MaxFields  = 500 // of one object, archived ones too
	MaxOptions = 500
	maxLabel   = 80 // characters
)

// NewObject describes an object to be made. Its first field is its title.
type NewObject struct {
	Key    string // made of the label when empty
	Label  schema.Label
	Plural schema.Label // the label when empty
	Icon   string
	// Title is the label of the title field, "名称"/"Name" when empty; TitleNumber makes it an automatic number of this pattern.
	Title       schema.Label
	TitleNumber string
	// OfCustomer gives it a required field "customer": its records belong to a customer and are read with him.
	OfCustomer bool
}

// CreateObject makes an object with its title field and answers its key. Faults: Forbidden; Invalid metadata.*, each naming
// its field; Conflict metadata.key_taken.
func (s *Service) CreateObject(ctx context.Context, in NewObject) (string, error) {
	key := in.Key
	if key == "" {
		key = keyOf(in.Label)
	}
	err := s.change(ctx, "object.create", key, "", func(d *draft) error {
		if bad := checkNewObject(d, key, &in); bad != nil {
			return bad
		}
		if len(in.Plural) == 0 {
			in.Plural = in.Label
		}
		if len(in.Title) == 0 {
			in.Title = schema.Label{"zh-CN": "名称", "en": "Name"}
		}
		spec := schema.ObjectSpec{Label: in.Label, Plural: in.Plural, Icon: in.Icon, Prefix: d.prefix(key), Physical: "r_" + s.physical(), TitleField: "name",
			DefaultColumns: []string{"name", "created_at"}, DefaultSort: []schema.Sort{{Field: "created_at", Desc: true}}}
		title := schema.Field{Type: schema.Text, Label: in.Title, Required: true, Searchable: true, Pinyin: true, Indexed: true, MaxLength: 200, Width: 220}
		if in.TitleNumber != "" {
			title = schema.Field{Type: schema.AutoNumber, Label: in.Title, Unique: true, Searchable: true, Pattern: in.TitleNumber, Width: 170}
		}
		title.Key, title.Section, title.Physical = "name", "basic", s.physical()
		if in.OfCustomer {
			spec.CustomerField, spec.SubtitleFields, spec.DefaultColumns = "customer", []string{"customer"}, []string{"name", "customer", "created_at"}
			owner := schema.Field{Key: "customer", Type: schema.Relation, Label: d.reg.Object("customer").Label, Section: "basic", Target: "customer", Required: true,
				Indexed: true, Width: 200, Physical: s.physical()}
			if err := d.put(key, "customer", schema.FieldSpec{Field: owner}); err != nil {
				return err
			}
		}
		if err := d.put(key, "name", schema.FieldSpec{Field: title}); err != nil {
			return err
		}
		return d.put(key, "", spec)
	})
	return key, err
}

func (s *Service) physical() string { return "x" + strconv.FormatInt(int64(s.cfg.IDs.Next()), 36) }

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// reservedKeys are objects' keys that mean something else in addresses and conditions.
var reservedKeys = []string{"customer", "trait", "segment", "event", "record", "user", "id", "all", "any", "not", "archived"}

func checkNewObject(d *draft, key string, in *NewObject) error {
	var bad []*fault.Fault
	switch {
	case key == "" && len(in.Label) == 0: // that the label is missing says enough
	case !keyShape.MatchString(key), slices.Contains(reservedKeys, key):
		bad = append(bad, fault.InvalidField("metadata.bad_key", "key", fault.Params{"key": key}))
	case d.reg.Object(key) != nil || d.find(key, "") >= 0:
		bad = append(bad, &fault.Fault{Kind: fault.Conflict, Code: "metadata.key_taken", Field: "key", Params: fault.Params{"key": key}})
	}
	bad = append(bad, checkLabel("label", in.Label, true), checkLabel("plural", in.Plural, false), checkLabel("title", in.Title, false))
	if in.TitleNumber != "" && schema.CheckPattern(in.TitleNumber) != nil {
		bad = append(bad, fault.InvalidField("metadata.bad_pattern", "title_number", fault.Params{"pattern": in.TitleNumber}))
	}
	own := 0
	for _, r := range d.rows {
		if r.Field == "" && d.declared(r.Object) == nil {
			own++
		}
	}
	if own >= MaxObjects {
		bad = append(bad, fault.New(fault.Invalid, "metadata.too_many_objects", fault.Params{"max": MaxObjects}))
	}
	return joined(bad)
}

// joined is nil, the only fault, or one over all; a conflict stands alone.
func joined(bad []*fault.Fault) error {
	bad = slices.DeleteFunc(bad, func(f *fault.Fault) bool { return f == nil })
	for _, f := range bad {
		if f.Kind != fault.Invalid {
			return f
		}
	}
	if f := fault.Join("metadata.invalid", bad); f != nil {
		return f
	}
	return nil
}

func checkLabel(field string, l schema.Label, required bool) *fault.Fault {
	if len(l) == 0 {
		if required {
			return fault.InvalidField("metadata.label_required", field, nil)
		}
		return nil
	}
	for _, text := range l {
		if n := len([]rune(strings.TrimSpace(text))); n == 0 || n > maxLabel {
			return fault.InvalidField("metadata.bad_label", field, fault.Params{"max": maxLabel})
		}
	}
	return nil
}

// keyOf makes a key of a label: Latin letters of the English one, else the pinyin of any.
func keyOf(l schema.Label) string {
	text := l["en"]
	if text == "" {
		for _, k := range slices.Sorted(maps.Keys(l)) {
			text = l[k]
		}
	}
	var b strings.Builder
	for _, r := range lang.Pinyin(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	key := strings.Trim(b.String(), "_")
	return strings.TrimRight(key[:min(len(key), 40)], "_")
}

// prefix is a prefix of ids that no object has or had.
func (d *draft) prefix(key string) string {
	taken := map[string]bool{}
	for _, o := range d.standard {
		taken[o.Prefix] = true
	}
	for _, r := range d.rows {
		var spec schema.ObjectSpec
		if r.Field == "" && json.Unmarshal(r.Spec, &spec) == nil {
			taken[spec.Prefix] = true
		}
	}
	letters := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, key)
	base := (letters + "xxx")[:3]
	for n := 0; ; n++ {
		p := base
		if n > 0 {
			p += letter(n)
		}
		if !taken[p] {
			return p
		}
	}
}

// letter numbers prefixes in letters: b, c … z, bb …
func letter(n int) string {
	out := ""
	for ; n > 0; n = (n - 1) / 25 {
		out = string(rune('b'+(n-1)%25)) + out
	}
	return out
}

// ObjectChange is what is to be another; nil members stay.
type ObjectChange struct {
	Label, Plural  schema.Label
	Icon           *string
	TitleField     *string // not of a declared object
	SubtitleFields []string
	DefaultColumns []string
	DefaultSort    []schema.Sort
	Rules          []schema.Rule // all of them; empty takes them away, nil leaves them
	// UniqueRules are all of them, likewise. A rule that is new, was off or names other fields is checked against the records first;
	// State "off" switches one off.
	UniqueRules []schema.UniqueRule
}

// UpdateObject changes what an object is called and how it is shown.
func (s *Service) UpdateObject(ctx context.Context, key string, in ObjectChange) error {
	return s.change(ctx, "object.update", key, "", func(d *draft) error {
		obj := d.reg.Object(key)
		if obj == nil {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": key})
		}
		spec, err := d.object(key)
		if err != nil {
			return err
		}
		bad := []*fault.Fault{checkLabel("label", in.Label, false), checkLabel("plural", in.Plural, false)}
		for i, c := range in.DefaultColumns {
			if obj.Field(c) == nil {
				bad = append(bad, unknownField("default_columns."+strconv.Itoa(i), c))
			}
		}
		for i, c := range in.SubtitleFields {
			if obj.Field(c) == nil {
				bad = append(bad, unknownField("subtitle_fields."+strconv.Itoa(i), c))
			}
		}
		for i, k := range in.DefaultSort {
			if f := obj.Field(k.Field); f == nil || schema.System(k.Field) == nil && !schema.Sortable(f) {
				bad = append(bad, unknownField("default_sort."+strconv.Itoa(i), k.Field))
			}
		}
		if in.TitleField != nil {
			if f := obj.Field(*in.TitleField); obj.Standard || f == nil || schema.System(f.Key) == f || f.Personal || f.Type != schema.Text && f.Type != schema.AutoNumber {
				bad = append(bad, fault.InvalidField("metadata.bad_title", "title_field", fault.Params{"field": *in.TitleField}))
			}
		}
		if in.Rules != nil {
			in.Rules = slices.Clone(in.Rules)
			bad = append(bad, checkRules(d.reg, obj, in.Rules)...)
		}
		if in.UniqueRules != nil {
			in.UniqueRules = slices.Clone(in.UniqueRules)
			bad = append(bad, s.checkUnique(obj, in.UniqueRules)...)
		}
		if err := joined(bad); err != nil {
			return err
		}
		in.apply(&spec)
		return d.put(key, "", spec)
	})
}

func unknownField(at, field string) *fault.Fault {
	return fault.InvalidField("metadata.field_unknown", at, fault.Params{"field": field})
}

func (c *ObjectChange) apply(spec *schema.ObjectSpec) {
	if len(c.Label) > 0 {
		spec.Label = c.Label
	}
	if len(c.Plural) > 0 {
		spec.Plural = c.Plural
	}
	if c.Icon != nil {
		spec.Icon = *c.Icon
	}
	if c.TitleField != nil {
		spec.TitleField = *c.TitleField
	}
	if c.SubtitleFields != nil {
		spec.SubtitleFields = c.SubtitleFields
	}
	if c.DefaultColumns != nil {
		spec.DefaultColumns = c.DefaultColumns
	}
	if c.DefaultSort != nil {
		spec.DefaultSort = c.DefaultSort
	}
	if c.Rules != nil {
		spec.Rules = c.Rules
	}
	if c.UniqueRules != nil {
		spec.UniqueRules = c.UniqueRules
	}
}

// object is the stored declaration of an object, empty for a declared one of which nothing is said.
func (d *draft) object(key string) (spec schema.ObjectSpec, err error) {
	if i := d.find(key, ""); i >= 0 {
		err = json.Unmarshal(d.rows[i].Spec, &spec)
	}
	return spec, err
}

// ArchiveObject takes an object made at run time out of use; its records stay. Conflict metadata.object_used names a field of
// another object that points at it.
func (s *Service) ArchiveObject(ctx context.Context, key string) error {
	return s.change(ctx, "object.archive", key, "", func(d *draft) error {
		obj := d.reg.Object(key)
		if obj == nil {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": key})
		}
		if obj.Standard {
			return fault.New(fault.Conflict, "metadata.declared", fault.Params{"label": obj.Label})
		}
		for _, o := range d.reg.Objects() {
			for _, f := range o.Fields {
				if (f.Target == key || f.Rollup != nil && f.Rollup.Object == key) && o.Key != key {
					return fault.New(fault.Conflict, "metadata.object_used", fault.Params{"object": o.Label, "field": f.Label})
				}
			}
		}
		spec, err := d.object(key)
		if err != nil {
			return err
		}
		spec.Archived = true
		return d.put(key, "", spec)
	})
}

// RestoreObject takes an archived object into use again, with its records.
func (s *Service) RestoreObject(ctx context.Context, key string) error {
	return s.change(ctx, "object.restore", key, "", func(d *draft) error {
		spec, err := d.object(key)
		if err != nil {
			return err
		}
		if !spec.Archived {
			return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": key})
		}
		spec.Archived = false
		d.follows.Back = append(d.follows.Back, key)
		return d.put(key, "", spec)
	})
}

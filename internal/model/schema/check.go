package schema

import (
	"errors"
	"fmt"
	"regexp"
)

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// check reports every defect of the declarations at once.
func check(r *Registry) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(r.byKey) != len(r.objects) || len(r.prefix) != len(r.objects) {
		bad("two objects share a key or an id prefix")
	}
	for _, o := range r.objects {
		if !keyShape.MatchString(o.Key) {
			bad("object key %q", o.Key)
		}
		if o.Field(o.TitleField) == nil {
			bad("%s: title field %q does not exist", o.Key, o.TitleField)
		}
		if len(o.byKey) != len(o.Fields) {
			bad("%s: two fields share a key", o.Key)
		}
		for _, f := range o.Fields {
			checkField(r, o, f, bad)
		}
		checkUses(o, bad)
	}
	return errors.Join(errs...)
}

func checkField(r *Registry, o *Object, f *Field, bad func(string, ...any)) {
	if !keyShape.MatchString(f.Key) || System(f.Key) != nil {
		bad("%s: field key %q", o.Key, f.Key)
	}
	if plain := (Field{Type: f.Type, Personal: f.Personal}); len(FieldColumns(&plain)) == 0 && f.Type != RelationMany {
		bad("%s.%s: unknown type %q", o.Key, f.Key, f.Type)
	}
	if f.Personal && !canBePersonal(f.Type) {
		bad("%s.%s: a field of type %s cannot be personal", o.Key, f.Key, f.Type)
	}
	if f.Unique && !canBeUnique(f.Type) {
		bad("%s.%s: a field of type %s cannot be unique", o.Key, f.Key, f.Type)
	}
	if f.Scale < 0 || f.Scale > 9 {
		bad("%s.%s: scale %d", o.Key, f.Key, f.Scale)
	}
	switch f.Type {
	case AutoNumber:
		if err := CheckPattern(f.Pattern); err != nil {
			bad("%s.%s: %w", o.Key, f.Key, err)
		}
	case Relation:
		if r.Object(f.Target) == nil && f.Formula == "" {
			bad("%s.%s: target %q does not exist", o.Key, f.Key, f.Target)
		}
	case RelationMany:
		t := r.Object(f.Target)
		if t == nil || t.Field(f.Via) == nil || t.Field(f.Via).Target != o.Key {
			bad("%s.%s: %s.%s does not point here", o.Key, f.Key, f.Target, f.Via)
		}
	case Choice, MultiChoice:
		if len(f.Options) == 0 && f.Formula == "" {
			bad("%s.%s: a choice without options", o.Key, f.Key)
		}
	}
}

// checkUses checks what an object says about its own fields.
func checkUses(o *Object, bad func(string, ...any)) {
	known := func(what, key string) {
		if key != "" && o.Field(key) == nil {
			bad("%s: %s %q does not exist", o.Key, what, key)
		}
	}
	for _, k := range o.SubtitleFields {
		known("subtitle field", k)
	}
	for _, k := range o.DefaultColumns {
		known("column", k)
	}
	for _, s := range o.DefaultSort {
		known("sort field", s.Field)
	}
	known("customer field", o.CustomerField)
	known("time field", o.TimeField)
	known("owner field", o.OwnerField)
}

func canBePersonal(t Type) bool {
	switch t {
	case Text, LongText, URL, Phone, Email, Address:
		return true
	}
	return false
}

func canBeUnique(t Type) bool {
	switch t {
	case Text, URL, Phone, Email, AutoNumber:
		return true
	}
	return false
}

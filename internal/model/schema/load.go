package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// order is how the standard objects are shown; files that are not named here follow by name.
var order = []string{"customer", "contact", "order", "order_line", "refund", "product", "variant", "store", "channel", "tag", "user"}

// Load reads every *.json at the root of a file system, one object declaration each. An unknown member in a file is an
// error, so that a misspelt property is not silently lost. The objects are not yet checked against each other: that is
// NewRegistry.
func Load(files fs.FS) ([]*Object, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list object declarations: %w", err)
	}
	var out []*Object
	var errs []error
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read object declaration %s: %w", name, err)
		}
		o, err := ParseObject(data)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("object declaration %s: %w", name, err))
		case o.Key+".json" != path.Base(name):
			errs = append(errs, fmt.Errorf("object declaration %s: holds object %q", name, o.Key))
		default:
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b *Object) int {
		if d := rank(a.Key) - rank(b.Key); d != 0 {
			return d
		}
		return strings.Compare(a.Key, b.Key)
	})
	return out, errors.Join(errs...)
}

func rank(key string) int {
	if i := slices.Index(order, key); i >= 0 {
		return i
	}
	return len(order)
}

// ParseObject reads one declaration.
func ParseObject(data []byte) (*Object, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	o := new(Object)
	if err := dec.Decode(o); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse: more than one document")
	}
	return o, nil
}

// Merge adds stored metadata to the standard objects: a stored object with the key of a standard one adds its fields to
// it (custom fields), any other becomes an object of its own. A custom field never replaces a declared one. The inputs
// are not changed.
func Merge(standard []*Object, stored [][]byte) ([]*Object, error) {
	out := make([]*Object, 0, len(standard)+len(stored))
	for _, o := range standard {
		out = append(out, o.clone())
	}
	for _, data := range stored {
		o, err := ParseObject(data)
		if err != nil {
			return nil, fmt.Errorf("stored object: %w", err)
		}
		i := slices.IndexFunc(out, func(x *Object) bool { return x.Key == o.Key })
		if i < 0 {
			o.Standard = false
			out = append(out, o)
			continue
		}
		for _, f := range o.Fields {
			if slices.ContainsFunc(out[i].Fields, func(x *Field) bool { return x.Key == f.Key }) {
				return nil, fmt.Errorf("stored object %s: field %s is declared already", o.Key, f.Key)
			}
			out[i].Fields = append(out[i].Fields, f)
		}
	}
	return out, nil
}

// clone copies an object and its list of fields; the fields themselves are copied too, because a Registry prepares them.
func (o *Object) clone() *Object {
	c := *o
	c.Fields = make([]*Field, len(o.Fields))
	for i, f := range o.Fields {
		g := *f
		c.Fields[i] = &g
	}
	c.byKey, c.columns, c.offset = nil, nil, nil
	return &c
}

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
var order = []string{"customer", "contact", "order", "order_line", "refund", "product", "variant", "store", "channel", "content", "feedback",
	"task", "call", "meeting", "visit", "note", "churn_reason", "tag", "user"}

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

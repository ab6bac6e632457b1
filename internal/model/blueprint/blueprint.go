// Package blueprint is the configuration of a workspace as a document: what an administrator shaped, as items that are named
// by key and never by id, and the difference between two such documents.
//
// The printed form is JSON with sorted members and a final line break: the same configuration is the same bytes. An item is
// addressed by a JSON Pointer (RFC 6901): "/objects/customer/fields/level", "/segments/loyal". What an item means is not
// known here.
package blueprint

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Format is the version of the printed form; another one is refused.
const Format = 1

// The sections of a document.
const (
	Objects         = "objects"
	Views           = "views"
	DefaultViews    = "default_views"
	Segments        = "segments"
	Classifications = "classifications"
	Analysis        = "analysis"
	Roles           = "roles"
	Departments     = "departments"
	Teams           = "teams"
	Approvals       = "approvals" // processes by name
	Stages          = "stages"    // processes by object
	Automations     = "automations"
	Plays           = "plays"
)

// The parts of an object.
const (
	Settings = "settings"
	Fields   = "fields"
	Rules    = "rules"
	Uniques  = "unique_rules"
	Layouts  = "layouts"
)

// Item is what is said of one thing: JSON values, numbers as they are written.
type Item = map[string]any

// Document is a configuration. Items are by pointer.
type Document struct {
	Items map[string]Item
	// LeftOut are pointers of what cannot be carried because it names single records, people or personal values.
	LeftOut []string
}

// Pointer is the address of the parts.
func Pointer(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(Escape(p))
	}
	return b.String()
}

// Escape makes a text one part of a pointer.
func Escape(part string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(part) }

// Parts are those of a pointer.
func Parts(pointer string) []string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts
}

// isItem reports whether parts address an item, and whether they lead to one.
func isItem(parts []string) (item, leads bool) {
	switch parts[0] {
	case Objects:
		switch {
		case len(parts) < 3:
			return false, true
		case parts[2] == Settings:
			return len(parts) == 3, false
		case parts[2] == Fields, parts[2] == Rules, parts[2] == Uniques, parts[2] == Layouts:
			return len(parts) == 4, len(parts) < 4
		}
		return false, false
	case Views:
		return len(parts) == 3, len(parts) < 3
	case DefaultViews, Segments, Classifications, Analysis, Roles, Departments, Teams, Approvals, Stages, Automations, Plays:
		return len(parts) == 2, len(parts) < 2
	}
	return false, false
}

// Print writes a document.
func Print(d Document) ([]byte, error) {
	root := map[string]any{"guanxi": "configuration", "version": Format}
	if len(d.LeftOut) > 0 {
		root["left_out"] = slices.Sorted(slices.Values(d.LeftOut))
	}
	for pointer, item := range d.Items {
		at, parts := root, Parts(pointer)
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[p] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = item
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root)
	return b.Bytes(), err
}

// Parse reads a document. Faults: Invalid blueprint.not_one, blueprint.version, blueprint.unknown_part, each with the pointer.
func Parse(raw []byte) (Document, error) {
	d := Document{Items: map[string]Item{}}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var root map[string]any
	if err := dec.Decode(&root); err != nil || root["guanxi"] != "configuration" {
		return d, fault.InvalidField("blueprint.not_one", "file", nil)
	}
	if v, _ := root["version"].(json.Number); v != "1" {
		return d, fault.InvalidField("blueprint.version", "/version", fault.Params{"version": v.String()})
	}
	delete(root, "guanxi")
	delete(root, "version")
	delete(root, "left_out")
	var bad []*fault.Fault
	d.read(nil, root, &bad)
	if f := fault.Join("blueprint.invalid", bad); f != nil {
		return d, f
	}
	return d, nil
}

func (d *Document) read(above []string, at map[string]any, bad *[]*fault.Fault) {
	for _, key := range slices.Sorted(maps.Keys(at)) {
		parts := append(slices.Clone(above), key)
		value, isMap := at[key].(map[string]any)
		switch item, leads := isItem(parts); {
		case isMap && item && key != "":
			d.Items[Pointer(parts...)] = value
		case isMap && leads && key != "":
			d.read(parts, value, bad)
		default:
			*bad = append(*bad, fault.InvalidField("blueprint.unknown_part", Pointer(parts...), fault.Params{"part": key}))
		}
	}
}

// Change is how an item differs.
type Change string

// The changes.
const (
	Added    Change = "added"     // only in the file
	Changed  Change = "changed"   // in both
	OnlyHere Change = "only_here" // not in the file
)

// Member is one value of an item that differs; nil where it is not said.
type Member struct {
	Path          string // "options.gold.label.en"
	Before, After any
}

// Difference is an item that differs.
type Difference struct {
	Pointer       string
	Change        Change
	Members       []Member
	Before, After Item // nil where there is none
}

// Compare tells what a file says differently of what is here, by pointer.
func Compare(here, file Document) []Difference {
	all := map[string]bool{}
	for _, d := range []Document{here, file} {
		for p := range d.Items {
			all[p] = true
		}
	}
	var out []Difference
	for _, p := range slices.Sorted(maps.Keys(all)) {
		before, was := here.Items[p]
		after, is := file.Items[p]
		d := Difference{Pointer: p, Change: Changed, Before: before, After: after}
		switch {
		case !was:
			d.Change = Added
		case !is:
			d.Change = OnlyHere
		}
		members(&d.Members, "", before, after)
		if d.Change != Changed || len(d.Members) > 0 {
			out = append(out, d)
		}
	}
	return out
}

func members(out *[]Member, at string, before, after map[string]any) {
	keys := map[string]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range after {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		a, b := before[k], after[k]
		if same(a, b) || nothing(a) && nothing(b) {
			continue
		}
		path := k
		if at != "" {
			path = at + "." + k
		}
		am, aOrder := keyed(a)
		bm, bOrder := keyed(b)
		if am == nil || bm == nil {
			*out = append(*out, Member{path, a, b})
			continue
		}
		members(out, path, am, bm)
		if !slices.Equal(aOrder, bOrder) && sameKeys(aOrder, bOrder) {
			*out = append(*out, Member{path, strings.Join(aOrder, ", "), strings.Join(bOrder, ", ")})
		}
	}
}

// keyed is a value as members: of an object its own, of a list of things that have a key those by key with their order.
func keyed(v any) (map[string]any, []string) {
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case []any:
		out := map[string]any{}
		var order []string
		for _, x := range v {
			m, ok := x.(map[string]any)
			key, has := m["key"].(string)
			if !ok || !has || out[key] != nil {
				return nil, nil
			}
			out[key] = m
			order = append(order, key)
		}
		return out, order
	}
	return nil, nil
}

func sameKeys(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// nothing reports a member that says nothing: an export leaves it out, and who writes a file by hand may not.
func nothing(v any) bool { return v == nil || v == "" }

func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

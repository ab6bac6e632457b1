// Package trait is the one place for what is computed about customers: the catalogue of traits, when they are computed,
// and how a value is explained.
//
// A trait has a key, a type, a definition in words, and a place in the analytics plane (a family table and a column).
// Everything about purchases follows the workspace's one definition of a purchase and ends on one day, the anchor: today,
// or for imported history the day after its last order, so that windows and recency mean something there too.
//
// Values are kept in narrow family tables. Changed customers are recomputed a moment after the change; when the day, the
// anchor or a setting changes, everyone is. A full pass at an unchanged anchor must find what the small passes left, and
// says how many rows differed.
//
// The package computes nothing itself: Store does, by SQL (store/analytics).
package trait

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// base.json comes first; the traits of models stand in a file for each.
//
//go:embed catalogue/*.json
var catalogueFiles embed.FS

// Group is a heading under which traits are shown.
type Group struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
}

// Def is one trait.
type Def struct {
	Key        string          `json:"key"`
	Group      string          `json:"group"`
	Type       schema.Type     `json:"type"`
	Scale      int             `json:"scale,omitempty"` // decimals of a number; shares have 4
	Table      string          `json:"table"`
	Column     string          `json:"column"`
	Label      schema.Label    `json:"label"`
	Unit       schema.Label    `json:"unit,omitempty"`
	Definition schema.Label    `json:"definition"`
	Explain    schema.Label    `json:"explain,omitempty"` // a sentence with {trait keys}, {value}, {value_percent}, {anchor}, {from_N}
	Absent     schema.Label    `json:"absent,omitempty"`  // the sentence when there is no value
	Options    []schema.Option `json:"options,omitempty"`
}

// Catalogue is an immutable set of traits; it is a query.Traits.
type Catalogue struct {
	groups []Group
	defs   []Def
	byKey  map[string]int
}

var _ query.Traits = (*Catalogue)(nil)

// Standard is the catalogue of the traits that the program computes itself.
func Standard() (*Catalogue, error) {
	names, err := fs.Glob(catalogueFiles, "catalogue/*.json") // in byte order: base is the first
	if err != nil {
		return nil, fmt.Errorf("trait catalogue: %w", err)
	}
	var groups []Group
	var defs []Def
	for _, name := range names {
		var file struct {
			Groups []Group `json:"groups"`
			Traits []Def   `json:"traits"`
		}
		content, err := catalogueFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("trait catalogue: %w", err)
		}
		if err := json.Unmarshal(content, &file); err != nil {
			return nil, fmt.Errorf("trait %s: %w", name, err)
		}
		groups, defs = append(groups, file.Groups...), append(defs, file.Traits...)
	}
	return newCatalogue(groups, defs)
}

func newCatalogue(groups []Group, defs []Def) (*Catalogue, error) {
	c := &Catalogue{groups: groups, defs: defs, byKey: make(map[string]int, len(defs))}
	known := map[string]bool{}
	for _, g := range groups {
		known[g.Key] = true
	}
	for i, d := range defs {
		if _, dup := c.byKey[d.Key]; dup || d.Key == "" || d.Table == "" || d.Column == "" || !known[d.Group] {
			return nil, fmt.Errorf("trait catalogue: %q is declared twice, incomplete or in no group", d.Key)
		}
		c.byKey[d.Key] = i
	}
	return c, nil
}

// With is a catalogue with further traits; one of the same key takes the place of the standard one (a classification
// brings its own label and options).
func (c *Catalogue) With(extra ...Def) (*Catalogue, error) {
	defs := slices.Clone(c.defs)
	at := maps.Clone(c.byKey)
	for _, d := range extra {
		if i, ok := at[d.Key]; ok {
			defs[i] = merge(defs[i], d)
			continue
		}
		at[d.Key] = len(defs)
		defs = append(defs, d)
	}
	return newCatalogue(c.groups, defs)
}

// merge keeps of the old what the new one leaves open.
func merge(old, d Def) Def {
	if d.Definition == nil {
		d.Definition = old.Definition
	}
	if d.Explain == nil {
		d.Explain = old.Explain
	}
	if d.Absent == nil {
		d.Absent = old.Absent
	}
	if d.Group == "" {
		d.Group = old.Group
	}
	if d.Table == "" {
		d.Table, d.Column = old.Table, old.Column
	}
	return d
}

// Groups are the headings in order.
func (c *Catalogue) Groups() []Group { return slices.Clone(c.groups) }

// List are all traits in order.
func (c *Catalogue) List() []Def { return slices.Clone(c.defs) }

// Find finds a trait by key.
func (c *Catalogue) Find(key string) (Def, bool) {
	i, ok := c.byKey[key]
	if !ok {
		return Def{}, false
	}
	return c.defs[i], true
}

// Trait implements query.Traits.
func (c *Catalogue) Trait(key string) (query.Trait, bool) {
	d, ok := c.Find(key)
	if !ok {
		return query.Trait{}, false
	}
	return query.Trait{Key: d.Key, Label: d.Label, Type: d.Type, Scale: d.Scale, Options: d.Options, Table: d.Table, Column: d.Column}, true
}

// Option is the label of a choice's option; the key stands for an option that is gone.
func (d Def) Option(key string) schema.Label {
	for _, o := range d.Options {
		if o.Key == key {
			return o.Label
		}
	}
	return schema.Label{"zh-CN": key, "en": key}
}

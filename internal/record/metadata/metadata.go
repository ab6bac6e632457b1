// Package metadata lets an administrator shape a workspace while it runs: objects and fields of its own, and what it says
// differently of the declared ones (labels, options, required, index). Nothing is ever dropped: what is archived leaves the
// registry, while its tables, columns and values stay and come back when it is restored.
//
// A change is checked as a whole: the new registry is built first, then tables, columns and indexes are made, then the
// declaration is stored under its version, then the registry is put to work. A crash between two of these leaves at most
// an unused table or column, whose name no later one can have: physical names are made of ids, never of a person's text.
package metadata

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Row is one stored declaration.
type Row struct {
	schema.Stored
	Position int64 // of fields among those of their object, of objects among themselves
	Version  int64
}

// Store keeps declarations.
type Store interface {
	// Load reads all rows by position.
	Load(ctx context.Context) ([]Row, error)
	// Save writes rows in one transaction. Version 1 is a new row, else the stored one must have Version-1: a Stale fault.
	Save(ctx context.Context, rows []Row) error
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Standard []*schema.Object // the declared objects
	IDs      *id.Generator
	// Check refuses a registry that takes away what is used; nil allows everything.
	Check func(ctx context.Context, old, next *schema.Registry) error
	// Ensure makes the tables, columns and indexes of a registry; Use puts it to work and brings about what follows.
	Ensure func(ctx context.Context, reg *schema.Registry) error
	Use    func(ctx context.Context, reg *schema.Registry, follows Effect) error
	// Note records in the trail what was done.
	Note func(ctx context.Context, action, object, field string) error
}

// Effect is what follows from a change of metadata for what is derived from the records.
type Effect struct {
	// Back are the objects that came back, or whose fields did, with values that the analytics plane does not hold.
	Back []string
	// Search says that stored records are found by another field than before.
	Search bool
}

// Service changes metadata. It is safe for concurrent use.
type Service struct {
	cfg  Config
	mu   sync.Mutex
	seen int64 // stamp of the rows at work

	draft *draft // of a Service inside Together
}

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Build is the registry that declared and stored objects make together.
// Formulas that do not hold leave their fields blank.
func Build(standard []*schema.Object, rows []Row) (*schema.Registry, error) {
	reg, _, err := build(standard, rows)
	return reg, err
}

func build(standard []*schema.Object, rows []Row) (*schema.Registry, []formula.Broken, error) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Position, b.Position) })
	stored := make([]schema.Stored, len(rows))
	for i, r := range rows {
		stored[i] = r.Stored
	}
	objects, err := schema.Merge(standard, stored)
	if err != nil {
		return nil, nil, err
	}
	reg, err := schema.NewRegistry(objects)
	if err != nil {
		return nil, nil, err
	}
	return reg, formula.LinkAll(reg), nil
}

// Registry builds the registry of what is stored now.
func (s *Service) Registry(ctx context.Context) (*schema.Registry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load metadata: %w", err)
	}
	s.seen = stamp(rows)
	return Build(s.cfg.Standard, rows)
}

// Newer is the registry of what is stored now when another process has changed it since it was last built here, else nil.
func (s *Service) Newer(ctx context.Context) (*schema.Registry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load metadata: %w", err)
	}
	if stamp(rows) == s.seen {
		return nil, nil //nolint:nilnil // nothing is newer
	}
	s.seen = stamp(rows)
	return Build(s.cfg.Standard, rows)
}

// stamp grows with every change: rows never go, and versions only rise.
func stamp(rows []Row) (sum int64) {
	for _, r := range rows {
		sum += r.Version
	}
	return sum
}

// Archive is what has been archived: objects, and fields of objects that are not.
type Archive struct {
	Objects []ArchivedObject
	Fields  []ArchivedField
}

// ArchivedObject is an object that can be restored.
type ArchivedObject struct {
	Key     string
	Spec    schema.ObjectSpec
	Version int64
}

// ArchivedField is a field that can be restored.
type ArchivedField struct {
	Object, Key string
	Spec        schema.FieldSpec
	Version     int64
}

// Archive lists what has been archived.
func (s *Service) Archive(ctx context.Context) (a Archive, err error) {
	if err := may(ctx); err != nil {
		return a, err
	}
	rows, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return a, fmt.Errorf("load metadata: %w", err)
	}
	gone := map[string]bool{}
	for _, r := range rows {
		if r.Field != "" {
			continue
		}
		var spec schema.ObjectSpec
		if err := json.Unmarshal(r.Spec, &spec); err != nil {
			return a, fmt.Errorf("stored object %s: %w", r.Object, err)
		}
		if spec.Archived {
			gone[r.Object] = true
			a.Objects = append(a.Objects, ArchivedObject{r.Object, spec, r.Version})
		}
	}
	for _, r := range rows {
		if r.Field == "" || gone[r.Object] {
			continue
		}
		var spec schema.FieldSpec
		if err := json.Unmarshal(r.Spec, &spec); err != nil {
			return a, fmt.Errorf("stored field %s.%s: %w", r.Object, r.Field, err)
		}
		if spec.Archived {
			a.Fields = append(a.Fields, ArchivedField{r.Object, r.Field, spec, r.Version})
		}
	}
	return a, nil
}

func may(ctx context.Context) error {
	if access.From(ctx).Can(access.SchemaManage) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SchemaManage)})
}

// draft is the stored metadata on its way to another state.
type draft struct {
	standard []*schema.Object
	rows     []Row
	changed  map[int]bool // indexes into rows
	follows  Effect
	reg      *schema.Registry // of the changes so far
	broken   []formula.Broken // formulas that do not hold in reg
	notes    []note
}

func (d *draft) find(object, field string) int {
	return slices.IndexFunc(d.rows, func(r Row) bool { return r.Object == object && r.Field == field })
}

func (d *draft) declared(object string) *schema.Object {
	for _, o := range d.standard {
		if o.Key == object {
			return o
		}
	}
	return nil
}

// put stores a declaration in the place of an earlier one.
func (d *draft) put(object, field string, spec any) error {
	raw, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	i := d.find(object, field)
	if i < 0 {
		last := int64(0)
		for _, r := range d.rows {
			if r.Field == "" == (field == "") && (field == "" || r.Object == object) {
				last = max(last, r.Position)
			}
		}
		i = len(d.rows)
		d.rows = append(d.rows, Row{Stored: schema.Stored{Object: object, Field: field}, Position: last + 1})
	}
	d.rows[i].Spec = raw
	if !d.changed[i] {
		d.rows[i].Version++
		d.changed[i] = true
	}
	return nil
}

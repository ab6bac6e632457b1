// Package view keeps saved views of records: which kind, which columns, which condition, which order, grouping, totals and the
// settings of boards and calendars.
//
// A view belongs to the user who made it, who shares it with persons, teams and departments (with those below), to be looked through or
// changed; with everyone or the holders of a role only who holds the right view.share. A view shared in that wide way is changed by
// holders of view.share too. A view gives nobody a right: records and fields are those of whoever looks, what is hidden from a reader is
// no part of the view for them (Seen), and who does not see all of a view does not change it. Handing over gives all views of a person who leaves to another.
// Built-in views come with the program, have ids like "builtin:all" and cannot be changed.
// Columns and sort keys are fields of the object, or traits of customers written "trait.KEY"; conditions are checked
// whenever a view is saved. One view may be the default of an object for oneself, a team, a department, the holders of a role, and everybody: the
// nearest counts. A stored view whose field or trait has gone since is still listed; opening it tells the user.
package view

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Prefix is that of the printed ids of saved views.
const Prefix = "viw"

// Limits of a view.
const (
	MaxColumns = 60
	MaxName    = 80 // characters
	MaxViews   = 200
)

// View is one saved view.
type View struct {
	ID        id.ID  // 0 for a built-in one
	Builtin   string // key of a built-in one, "" else
	Object    string
	Name      string
	Label     schema.Label // of a built-in one
	Owner     id.ID        // 0 for built-in views and those made by no user
	Shared    bool         // with everyone
	Shares    []Share      // everyone among them
	Columns   []string
	Where     *query.Node
	Sort      []schema.Sort
	Kind      Kind
	Options   Settings
	Pinned    bool // stands among the tabs
	Position  int
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Key is how a view is addressed: "viw_…" or "builtin:…".
func (v *View) Key() string {
	if v.Builtin != "" {
		return "builtin:" + v.Builtin
	}
	return id.Format(Prefix, v.ID)
}

// Store keeps saved views.
type Store interface {
	// ListViews gives the views of an object that a user owns or that are shared with one of some, by position, then id.
	ListViews(ctx context.Context, object string, owner id.ID, with []Grantee) ([]View, error)
	// GetView is the fault NotFound view.not_found when there is none.
	GetView(ctx context.Context, v id.ID) (View, error)
	InsertView(ctx context.Context, v View) error
	// UpdateView writes v if the stored version is v.Version-1, else the fault Stale view.stale.
	UpdateView(ctx context.Context, v View) error
	// DeleteView removes a view and wherever it was the default.
	DeleteView(ctx context.Context, v id.ID) error
	// Usuals are the default views of an object for some; nil is for all but single persons.
	Usuals(ctx context.Context, object string, of []Grantee) ([]Usual, error)
	// SetUsual makes a view the default of an object for somebody; "" takes it away.
	SetUsual(ctx context.Context, object string, of Grantee, view string) error
	// MoveViews gives the views of a person to another one, who is then no sharer of them any more.
	MoveViews(ctx context.Context, from, to id.ID, now time.Time) (int, error)
	// CountOwned is how many views each person has.
	CountOwned(ctx context.Context) (map[id.ID]int, error)
}

// Config is what a Service needs; Traits, Belongs, Known and Note may be nil, all else must be set.
type Config struct {
	Store    Store
	Registry func() *schema.Registry
	Traits   func() query.Traits
	// Check refuses conditions that are wrong or that the actor may not ask.
	Check func(ctx context.Context, object string, where *query.Node) error
	Clock clock.Clock
	IDs   *id.Generator
	// Belongs are the actor's person, teams and departments, nearest first; nil is the person alone.
	Belongs func(ctx context.Context) ([]Grantee, error)
	// Known reports whether there is such a person, unit or role; nil knows all.
	Known func(ctx context.Context, g Grantee) (bool, error)
	// Note leaves an entry in the trail.
	Note func(ctx context.Context, action string, view id.ID, detail map[string]any) error
}

// Service keeps the views of a workspace. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Patch is a change of a view; what is nil stays.
type Patch struct {
	Name     *string
	Shared   *bool    // with everyone, to look through
	Shares   *[]Share // all of them, in the place of those of before
	Columns  []string
	Where    **query.Node // a pointer to nil clears the condition
	Sort     []schema.Sort
	Kind     Kind // "" stays
	Options  *Settings
	Pinned   *bool
	Position *int
}

// List gives the built-in views of an object, then those that the actor owns or that are shared.
func (s *Service) List(ctx context.Context, object string) ([]View, error) {
	obj, err := s.object(ctx, object)
	if err != nil {
		return nil, err
	}
	with, err := s.readers(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := s.cfg.Store.ListViews(ctx, object, owner(ctx), with)
	if err != nil {
		return nil, fmt.Errorf("list views of %s: %w", object, err)
	}
	return append(s.builtin(obj), stored...), nil
}

// Get reads a view by its key.
func (s *Service) Get(ctx context.Context, object, key string) (View, error) {
	obj, err := s.object(ctx, object)
	if err != nil {
		return View{}, err
	}
	if name, ok := strings.CutPrefix(key, "builtin:"); ok {
		for _, v := range s.builtin(obj) {
			if v.Builtin == name {
				return v, nil
			}
		}
		return View{}, notFound()
	}
	v, err := s.stored(ctx, key)
	if err != nil {
		return View{}, err
	}
	if v.Object != object {
		return View{}, notFound()
	}
	return v, nil
}

// Mine reports whether the actor made a view.
func Mine(ctx context.Context, v *View) bool { return v.Owner != 0 && v.Owner == owner(ctx) }

// Create saves a new view of the actor. ID, Owner, Version and times of v are set here.
func (s *Service) Create(ctx context.Context, v View) (View, error) {
	if _, err := s.object(ctx, v.Object); err != nil {
		return View{}, err
	}
	var toAll *bool
	shared := v.Shared
	if v.Shared {
		toAll = &shared
	}
	settle(&v, toAll, nil)
	if err := mayShare(ctx, nil, v.Shares); err != nil {
		return View{}, err
	}
	have, err := s.cfg.Store.ListViews(ctx, v.Object, owner(ctx), nil)
	if err != nil {
		return View{}, fmt.Errorf("list views of %s: %w", v.Object, err)
	}
	if len(have) >= MaxViews {
		return View{}, fault.New(fault.TooLarge, "view.too_many", fault.Params{"max": MaxViews})
	}
	now := s.cfg.Clock.Now().UTC().Truncate(time.Millisecond)
	v.ID, v.Builtin, v.Label, v.Owner, v.Version, v.CreatedAt, v.UpdatedAt = s.cfg.IDs.Next(), "", nil, owner(ctx), 1, now, now
	if v.Kind == "" {
		v.Kind = List
	}
	if v, err = s.clean(ctx, v, nil); err != nil {
		return View{}, err
	}
	if err := s.cfg.Store.InsertView(ctx, v); err != nil {
		return View{}, fmt.Errorf("save view: %w", err)
	}
	return v, s.noteShares(ctx, &v, nil)
}

// Update changes a view. version is the one the caller saw; 0 takes any.
func (s *Service) Update(ctx context.Context, key string, version int64, p Patch) (View, error) {
	v, err := s.editable(ctx, key, version, p.Shared != nil || p.Shares != nil)
	if err != nil {
		return View{}, err
	}
	before := slices.Clone(v.Shares)
	settle(&v, p.Shared, p.Shares)
	if err := mayShare(ctx, before, v.Shares); err != nil {
		return View{}, err
	}
	p.onto(&v)
	if v, err = s.clean(ctx, v, before); err != nil {
		return View{}, err
	}
	v.Version++
	v.UpdatedAt = s.cfg.Clock.Now().UTC().Truncate(time.Millisecond)
	if err := s.cfg.Store.UpdateView(ctx, v); err != nil {
		return View{}, fmt.Errorf("save view: %w", err)
	}
	return v, s.noteShares(ctx, &v, before)
}

// onto changes all of a view but whom it is shared with.
func (p *Patch) onto(v *View) {
	if p.Name != nil {
		v.Name = *p.Name
	}
	if p.Columns != nil {
		v.Columns = p.Columns
	}
	if p.Where != nil {
		v.Where = *p.Where
	}
	if p.Sort != nil {
		v.Sort = p.Sort
	}
	if p.Kind != "" {
		v.Kind = p.Kind
	}
	if p.Options != nil {
		v.Options = *p.Options
	}
	if p.Pinned != nil {
		v.Pinned = *p.Pinned
	}
	if p.Position != nil {
		v.Position = *p.Position
	}
}

// Delete removes a view.
func (s *Service) Delete(ctx context.Context, key string) error {
	v, err := s.editable(ctx, key, 0, true)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.DeleteView(ctx, v.ID); err != nil {
		return fmt.Errorf("delete view: %w", err)
	}
	return nil
}

// editable reads a view that the actor may change, or that it may also share and delete.
func (s *Service) editable(ctx context.Context, key string, version int64, manage bool) (View, error) {
	if strings.HasPrefix(key, "builtin:") {
		return View{}, fault.New(fault.Forbidden, "view.builtin", nil)
	}
	v, err := s.stored(ctx, key)
	if err != nil {
		return View{}, err
	}
	edits, manages, err := s.May(ctx, &v)
	if err != nil {
		return View{}, err
	}
	switch _, whole := s.Seen(ctx, &v); {
	case manage && !manages:
		return View{}, fault.New(fault.Forbidden, "view.not_yours", nil)
	case !manage && !edits && !whole:
		return View{}, fault.New(fault.Forbidden, "view.partly_hidden", nil)
	case !manage && !edits:
		return View{}, fault.New(fault.Forbidden, "view.read_only", nil)
	}
	if version != 0 && version != v.Version {
		return View{}, fault.New(fault.Stale, "view.stale", fault.Params{"current": v.Version})
	}
	return v, nil
}

// stored reads a saved view that the actor may see.
func (s *Service) stored(ctx context.Context, key string) (View, error) {
	if err := allow(ctx, access.RecordRead); err != nil {
		return View{}, err
	}
	n, err := id.Parse(Prefix, key)
	if err != nil {
		return View{}, notFound()
	}
	v, err := s.cfg.Store.GetView(ctx, n)
	if err != nil {
		return View{}, fmt.Errorf("read view: %w", err)
	}
	seen, err := s.sees(ctx, &v)
	if err != nil {
		return View{}, err
	}
	if !seen {
		return View{}, notFound()
	}
	return v, nil
}

// clean checks a view whole and reports all faults together. before are the shares that are stored.
func (s *Service) clean(ctx context.Context, v View, before []Share) (View, error) {
	obj := s.cfg.Registry().Object(v.Object)
	if obj == nil {
		return v, notFound()
	}
	var bad []*fault.Fault
	v.Name = strings.TrimSpace(v.Name)
	switch {
	case v.Name == "":
		bad = append(bad, fault.InvalidField("view.name_missing", "name", nil))
	case utf8.RuneCountInString(v.Name) > MaxName || !utf8.ValidString(v.Name) || strings.ContainsFunc(v.Name, unicode.IsControl):
		bad = append(bad, fault.InvalidField("view.name_invalid", "name", fault.Params{"max": MaxName}))
	}
	if len(v.Columns) == 0 {
		v.Columns = slices.Clone(obj.DefaultColumns)
	}
	if len(v.Columns) > MaxColumns {
		bad = append(bad, fault.InvalidField("view.columns_many", "columns", fault.Params{"max": MaxColumns}))
	}
	seen := map[string]bool{}
	for i, c := range v.Columns {
		if !s.columnKnown(obj, c) || seen[c] {
			bad = append(bad, fault.InvalidField("view.column_unknown", fmt.Sprintf("columns.%d", i), fault.Params{"column": c}))
		}
		seen[c] = true
	}
	for i, k := range v.Sort {
		if !s.sortable(obj, k) {
			bad = append(bad, fault.InvalidField("view.sort_unknown", fmt.Sprintf("sort.%d", i), fault.Params{"field": k.Field + k.Trait}))
		}
	}
	if f := badKind(v.Kind); f != nil {
		bad = append(bad, f)
	}
	bad = append(bad, s.badOptions(obj, &v.Options)...)
	bad = append(bad, s.checkShares(ctx, &v, before)...)
	if v.Where != nil && s.cfg.Check != nil {
		if err := s.cfg.Check(ctx, v.Object, v.Where); err != nil {
			f, ok := fault.Find(err)
			if !ok || f.Kind != fault.Invalid && f.Kind != fault.Forbidden {
				return v, fmt.Errorf("check condition of view: %w", err)
			}
			bad = append(bad, f.At("where"))
		}
	}
	if err := fault.Join("view.invalid", bad); err != nil {
		return v, err
	}
	return v, nil
}

func (s *Service) trait(obj *schema.Object, key string) (query.Trait, bool) {
	if s.cfg.Traits == nil || obj.Key != query.Customer {
		return query.Trait{}, false
	}
	all := s.cfg.Traits()
	if all == nil {
		return query.Trait{}, false
	}
	return all.Trait(key)
}

func (s *Service) columnKnown(obj *schema.Object, column string) bool {
	if key, ok := strings.CutPrefix(column, "trait."); ok {
		_, known := s.trait(obj, key)
		return known
	}
	f := obj.Field(column)
	return f != nil && f.Type != schema.RelationMany
}

func (s *Service) sortable(obj *schema.Object, k schema.Sort) bool {
	if k.Trait != "" {
		_, ok := s.trait(obj, k.Trait)
		return ok && k.Field == ""
	}
	f := obj.Field(k.Field)
	return f != nil && (schema.System(k.Field) == f || schema.Sortable(f))
}

func (s *Service) object(ctx context.Context, key string) (*schema.Object, error) {
	if err := allow(ctx, access.RecordRead); err != nil {
		return nil, err
	}
	obj := s.cfg.Registry().Object(key)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": key})
	}
	return obj, nil
}

func allow(ctx context.Context, right access.Right) error {
	if !access.From(ctx).Can(right) {
		return fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(right)})
	}
	return nil
}

// owner is the user who acts, 0 when it is no user.
func owner(ctx context.Context) id.ID {
	if a := access.From(ctx); a.Kind == access.ByUser {
		return a.ID
	}
	return 0
}

func notFound() *fault.Fault { return fault.New(fault.NotFound, "view.not_found", nil) }

// label is a text in both languages.
func label(zh, en string) schema.Label {
	return schema.Label{lang.ChineseSimplified: zh, lang.English: en}
}

// Check refuses a view as Create and Update would, under another registry than the one at work.
func (s *Service) Check(ctx context.Context, v View, reg *schema.Registry, check func(ctx context.Context, object string, where *query.Node) error) error {
	cfg := s.cfg
	cfg.Registry, cfg.Check = func() *schema.Registry { return reg }, check
	_, err := New(cfg).clean(ctx, v, v.Shares)
	return err
}

// Shared are the views of an object that are shared with everyone, and the key of everybody's default view, "" for none.
func (s *Service) Shared(ctx context.Context, object string) (views []View, usual string, err error) {
	if _, err := s.object(ctx, object); err != nil {
		return nil, "", err
	}
	all := []Grantee{All()}
	if views, err = s.cfg.Store.ListViews(ctx, object, 0, all); err != nil {
		return nil, "", fmt.Errorf("list views of %s: %w", object, err)
	}
	usuals, err := s.cfg.Store.Usuals(ctx, object, all)
	if err != nil {
		return nil, "", fmt.Errorf("default views of %s: %w", object, err)
	}
	for _, u := range usuals {
		usual = u.View
	}
	return views, usual, nil
}

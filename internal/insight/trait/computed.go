package trait

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// ComputedGroup is the heading of the traits that a workspace defines itself.
const ComputedGroup = "computed"

// Computed is a trait that a workspace defines: a figure over the events or records of each customer. Its windows end today, like
// those of conditions. Key is its address and never changes.
type Computed struct {
	Key         string         `json:"key"`
	Label       schema.Label   `json:"label"`
	Description schema.Label   `json:"description,omitempty"`
	Figure      query.Computed `json:"figure"`
	Type        schema.Type    `json:"type,omitempty"` // of the values, as it was when the definition was saved
	Scale       int            `json:"scale,omitempty"`
	Place       int            `json:"-"` // see Place in migrations/0029: family and column
	Version     int64          `json:"-"`
	CreatedAt   time.Time      `json:"-"`
	CreatedBy   id.ID          `json:"-"`
	UpdatedAt   time.Time      `json:"-"`
	UpdatedBy   id.ID          `json:"-"`
}

// The shape of a family of computed traits: twenty columns for integers, then ten for texts.
const (
	FamilyInts    = 20
	FamilyTexts   = 10
	FamilyColumns = FamilyInts + FamilyTexts
	maxFamilies   = 4
)

// MaxComputed is how many traits a workspace may define.
const MaxComputed = maxFamilies * FamilyColumns

// Family is the number of the family that holds the values, from 1.
func (c *Computed) Family() int { return c.Place/FamilyColumns + 1 }

// Column is the column in it, from 0.
func (c *Computed) Column() int { return c.Place % FamilyColumns }

// ComputedStore keeps definitions and the history of passes in the records plane.
type ComputedStore interface {
	ListComputed(ctx context.Context) ([]Computed, error) // by key
	// InsertComputed fails with fault.Conflict when the key or the place is taken.
	InsertComputed(ctx context.Context, c Computed) error
	// UpdateComputed replaces a definition whose stored version is c.Version-1, else fault.Stale.
	UpdateComputed(ctx context.Context, c Computed) error
	DeleteComputed(ctx context.Context, key string, version int64) error
	SavePass(ctx context.Context, p PassRecord) error
	Passes(ctx context.Context, limit int) ([]PassRecord, error) // newest first
}

// PassRecord is what is remembered of a pass over everyone. Kind is "full" or "computed".
type PassRecord struct {
	At        time.Time
	Kind      string
	Anchor    clock.Day
	Customers int64
	Took      time.Duration
	Verified  bool
	Differing int64
}

// Row is a record or event that counted for a value.
type Row struct {
	Event string // its name, "" of a record
	ID    id.ID
	At    int64 // milliseconds, or a local day where Days
	Days  bool
	Value any // int64, string or nil
}

// Preview is what a definition would give: a value for a customer with the rows that counted, newest first, and how its values lie.
type Preview struct {
	Figure   *query.ComputedFigure
	Customer id.ID
	Value    any
	Rows     []Row
	// Of a sample of Sampled customers so many have a value; Low, Middle and High are those of integers, Common the most frequent texts.
	Sampled, Having   int64
	Low, Middle, High int64
	Common            []Common
	Took              time.Duration
}

// Common is a text and how many of a sample have it.
type Common struct {
	Text  string
	Count int64
}

// Previewer computes definitions that are not saved; store/analytics implements it.
type Previewer interface {
	PreviewFigure(ctx context.Context, f *query.ComputedFigure, customer id.ID) (Preview, error)
	// FigureRows are the newest rows that count for a customer.
	FigureRows(ctx context.Context, f *query.ComputedFigure, customer id.ID, limit int) ([]Row, error)
}

// Definitions are the computed traits of a workspace: their life, not their values.
type Definitions struct{ c DefinitionConfig }

// DefinitionConfig is what Definitions are made of; all parts are required.
type DefinitionConfig struct {
	Store   ComputedStore
	Preview Previewer
	// Resolve checks a figure for the actor of the context.
	Resolve func(ctx context.Context, d query.Computed) (*query.ComputedFigure, error)
	// Catalogue are all traits, whose keys are taken.
	Catalogue func() *Catalogue
	// Uses names what speaks of a trait.
	Uses func(ctx context.Context, key string) ([]Use, error)
	// Changed is told when definitions changed.
	Changed func()
	Clock   clock.Clock
}

// Use is something that speaks of a trait. Kind is segment, class, view or rule.
type Use struct {
	Kind string
	Key  string
	Name string
}

// NewDefinitions makes Definitions.
func NewDefinitions(c DefinitionConfig) *Definitions { return &Definitions{c: c} }

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

const (
	maxLabel       = 60
	maxDescription = 500
)

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

// List gives all definitions, by key.
func (d *Definitions) List(ctx context.Context) ([]Computed, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	return d.c.Store.ListComputed(ctx)
}

// Get finds one definition: fault.NotFound trait.unknown.
func (d *Definitions) Get(ctx context.Context, key string) (Computed, error) {
	all, err := d.List(ctx)
	if err != nil {
		return Computed{}, err
	}
	for _, c := range all {
		if c.Key == key {
			return c, nil
		}
	}
	return Computed{}, unknown(key)
}

// Create checks and stores a definition; its values are computed for everyone a moment later.
func (d *Definitions) Create(ctx context.Context, c Computed) (Computed, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return c, err
	}
	f, err := d.check(ctx, &c, true)
	if err != nil {
		return c, err
	}
	all, err := d.c.Store.ListComputed(ctx)
	if err != nil {
		return c, err
	}
	c.Type, c.Scale = f.Type, f.Scale
	place, ok := freePlace(all, f)
	if !ok {
		return c, fault.New(fault.Conflict, "trait.too_many_computed", fault.Params{"limit": MaxComputed})
	}
	now := d.c.Clock.Now()
	c.Place, c.Version, c.CreatedAt, c.UpdatedAt = place, 1, now, now
	c.CreatedBy = access.From(ctx).ID
	c.UpdatedBy = c.CreatedBy
	if err := d.c.Store.InsertComputed(ctx, c); err != nil {
		return c, err
	}
	d.c.Changed()
	return c, nil
}

// Textual reports a figure whose value is kept as text.
func Textual(f *query.ComputedFigure) bool {
	return f.Type == schema.Text || f.Type == schema.Choice || f.Type == schema.Tags
}

func freePlace(all []Computed, f *query.ComputedFigure) (int, bool) {
	for place := range MaxComputed {
		text := place%FamilyColumns >= FamilyInts
		if text == Textual(f) && !slices.ContainsFunc(all, func(c Computed) bool { return c.Place == place }) {
			return place, true
		}
	}
	return 0, false
}

// Update replaces a definition whose version the caller has seen (0 for any). Its values may become texts where they were
// integers only by another place, which it then takes.
func (d *Definitions) Update(ctx context.Context, key string, version int64, next Computed) (Computed, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return next, err
	}
	old, err := d.Get(ctx, key)
	if err != nil {
		return next, err
	}
	if version != 0 && version != old.Version {
		return next, fault.New(fault.Stale, "trait.stale", fault.Params{"key": key, "version": old.Version})
	}
	next.Key = key
	f, err := d.check(ctx, &next, false)
	if err != nil {
		return next, err
	}
	next.Type, next.Scale = f.Type, f.Scale
	next.Place, next.CreatedAt, next.CreatedBy = old.Place, old.CreatedAt, old.CreatedBy
	if (old.Column() >= FamilyInts) != Textual(f) {
		all, err := d.c.Store.ListComputed(ctx)
		if err != nil {
			return next, err
		}
		place, ok := freePlace(all, f)
		if !ok {
			return next, fault.New(fault.Conflict, "trait.too_many_computed", fault.Params{"limit": MaxComputed})
		}
		next.Place = place
	}
	next.Version, next.UpdatedAt, next.UpdatedBy = old.Version+1, d.c.Clock.Now(), access.From(ctx).ID
	if err := d.c.Store.UpdateComputed(ctx, next); err != nil {
		return next, err
	}
	d.c.Changed()
	return next, nil
}

// Delete removes a definition that nothing speaks of: trait.in_use names what does.
func (d *Definitions) Delete(ctx context.Context, key string) error {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return err
	}
	c, err := d.Get(ctx, key)
	if err != nil {
		return err
	}
	uses, err := d.c.Uses(ctx, key)
	if err != nil {
		return err
	}
	if len(uses) > 0 {
		names := make([]string, len(uses))
		for i, u := range uses {
			names[i] = u.Name
		}
		return fault.New(fault.Conflict, "trait.in_use", fault.Params{"key": key, "uses": strings.Join(names, " · ")})
	}
	if err := d.c.Store.DeleteComputed(ctx, key, c.Version); err != nil {
		return err
	}
	d.c.Changed()
	return nil
}

// Uses names what speaks of a computed trait.
func (d *Definitions) Uses(ctx context.Context, key string) ([]Use, error) {
	if _, err := d.Get(ctx, key); err != nil {
		return nil, err
	}
	return d.c.Uses(ctx, key)
}

// Passes are the last passes over everyone, newest first.
func (d *Definitions) Passes(ctx context.Context, limit int) ([]PassRecord, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	return d.c.Store.Passes(ctx, limit)
}

// Preview computes a definition that need not be saved, for a customer (0: for a sample alone).
func (d *Definitions) Preview(ctx context.Context, figure query.Computed, customer id.ID) (Preview, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Preview{}, err
	}
	f, err := d.c.Resolve(ctx, figure)
	if err != nil {
		return Preview{}, at(err)
	}
	return d.c.Preview.PreviewFigure(ctx, f, customer)
}

// Check reports why a figure cannot be worked out, nil when it can.
func (d *Definitions) Check(ctx context.Context, figure query.Computed) error {
	_, err := d.c.Resolve(ctx, figure)
	return err
}

// at puts a fault of a figure in its place in a definition.
func at(err error) error {
	if f, ok := fault.Find(err); ok {
		return f.At("figure")
	}
	return err
}

func (d *Definitions) check(ctx context.Context, c *Computed, fresh bool) (*query.ComputedFigure, error) {
	var bad []*fault.Fault
	c.Label, c.Description = trimmed(c.Label), trimmed(c.Description)
	if !keyShape.MatchString(c.Key) {
		bad = append(bad, fault.InvalidField("trait.bad_key", "key", nil))
	} else if _, taken := d.c.Catalogue().Find(c.Key); taken && fresh {
		bad = append(bad, fault.InvalidField("trait.key_taken", "key", fault.Params{"key": c.Key}))
	}
	if len(c.Label) == 0 {
		bad = append(bad, fault.InvalidField("trait.label_required", "label", nil))
	}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		if len([]rune(c.Label[loc])) > maxLabel {
			bad = append(bad, fault.InvalidField("trait.label_too_long", "label", fault.Params{"max": maxLabel}))
		}
		if len([]rune(c.Description[loc])) > maxDescription {
			bad = append(bad, fault.InvalidField("trait.description_too_long", "description", fault.Params{"max": maxDescription}))
		}
	}
	f, err := d.c.Resolve(ctx, c.Figure)
	if err != nil {
		g, ok := fault.Find(err)
		if !ok {
			return nil, err
		}
		bad = append(bad, g.At("figure"))
	}
	if g := fault.Join("trait.invalid", bad); g != nil {
		return nil, g
	}
	return f, nil
}

// trimmed is a label without empty words; one language stands for a missing other.
func trimmed(l schema.Label) schema.Label {
	out := schema.Label{}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		if t := strings.TrimSpace(l[loc]); t != "" {
			out[loc] = t
		}
	}
	return out
}

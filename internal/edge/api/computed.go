package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// ComputedTrait is a trait that the workspace defines itself.
type ComputedTrait struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Description schema.Label `json:"description"`
	Figure      Figure       `json:"figure"`
	Type        string       `json:"type"`
	Sentence    schema.Label `json:"sentence"`
	Version     int64        `json:"version"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
	// Broken says why the definition does not work any more; its values stay as they were.
	Broken *string `json:"broken"`
}

func (t ComputedTrait) etag() string { return Segment{Version: t.Version}.etag() }

// Figure is what is worked out about each customer: over the events or records of "of", a condition of one leaf with where and within.
type Figure struct {
	Of     *query.Node `json:"of"`
	Kind   string      `json:"kind" enum:"counter,days,time_since,sum,average,min,max,first,last,most_frequent,unique_list,unique_count"`
	Field  string      `json:"field,omitempty"`
	Number bool        `json:"number,omitempty"`
}

type figureIn struct {
	Of     Condition `json:"of"`
	Kind   string    `json:"kind"`
	Field  string    `json:"field,omitempty"`
	Number bool      `json:"number,omitempty"`
}

func (f figureIn) read() (query.Computed, error) {
	of, err := f.Of.node("figure/of")
	return query.Computed{Of: of, Kind: query.ComputedKind(f.Kind), Field: f.Field, Number: f.Number}, err
}

// ComputedTraits are the traits that the workspace defines itself.
type ComputedTraits struct {
	Items []ComputedTrait `json:"items"`
}

func (a *API) showComputed(ctx context.Context, c *call, d trait.Computed) ComputedTrait {
	out := ComputedTrait{Key: d.Key, Label: d.Label, Description: d.Description, Type: traitType(d.Type, d.Scale), Version: d.Version, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
		Figure: Figure{Of: d.Figure.Of, Kind: string(d.Figure.Kind), Field: d.Figure.Field, Number: d.Figure.Number}, Sentence: c.ws.Conditions.Figure(d.Figure)}
	if out.Description == nil {
		out.Description = schema.Label{}
	}
	if err := c.ws.Computed.Check(ctx, d.Figure); err != nil {
		text := ""
		for i, item := range a.problem(c.locale, err).Errors {
			if i == 0 {
				text = item.Message
			}
		}
		if text == "" {
			text = a.Words.Text(localeOf(c.locale), fault.CodeOf(err), nil)
		}
		out.Broken = &text
	}
	return out
}

func (a *API) listComputed(ctx context.Context, c *call, _ struct{}) (ComputedTraits, error) {
	all, err := c.ws.Computed.List(ctx)
	out := ComputedTraits{Items: []ComputedTrait{}}
	for _, d := range all {
		out.Items = append(out.Items, a.showComputed(ctx, c, d))
	}
	return out, err
}

func (a *API) getComputed(ctx context.Context, c *call, in keyIn) (ComputedTrait, error) {
	d, err := c.ws.Computed.Get(ctx, in.Key)
	if err != nil {
		return ComputedTrait{}, err
	}
	return a.showComputed(ctx, c, d), nil
}

type computedBody struct {
	Key         string       `json:"key,omitempty"`
	Label       schema.Label `json:"label"`
	Description schema.Label `json:"description,omitempty"`
	Figure      figureIn     `json:"figure"`
	Version     int64        `json:"version,omitempty"`
}

func (b computedBody) read() (trait.Computed, error) {
	f, err := b.Figure.read()
	return trait.Computed{Key: b.Key, Label: b.Label, Description: b.Description, Figure: f}, err
}

type createComputedIn struct {
	Body computedBody
}

func (a *API) createComputed(ctx context.Context, c *call, in createComputedIn) (ComputedTrait, error) {
	d, err := in.Body.read()
	if err != nil {
		return ComputedTrait{}, err
	}
	if d, err = c.ws.Computed.Create(ctx, d); err != nil {
		return ComputedTrait{}, err
	}
	return a.showComputed(ctx, c, d), a.Auth.Note(ctx, c.who.Workspace.Key, "trait.create", "trait", 0, map[string]any{"key": d.Key})
}

type changeComputedIn struct {
	Key     string `path:"key"`
	IfMatch string `header:"If-Match"`
	Body    computedBody
}

func (a *API) changeComputed(ctx context.Context, c *call, in changeComputedIn) (ComputedTrait, error) {
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return ComputedTrait{}, err
	}
	if in.Body.Key != "" && in.Body.Key != in.Key {
		return ComputedTrait{}, fault.InvalidField("api.unchangeable", "key", nil)
	}
	d, err := in.Body.read()
	if err != nil {
		return ComputedTrait{}, err
	}
	if d, err = c.ws.Computed.Update(ctx, in.Key, version, d); err != nil {
		return ComputedTrait{}, err
	}
	return a.showComputed(ctx, c, d), a.Auth.Note(ctx, c.who.Workspace.Key, "trait.update", "trait", 0, map[string]any{"key": d.Key})
}

func (a *API) deleteComputed(ctx context.Context, c *call, in keyIn) (empty, error) {
	if err := c.ws.Computed.Delete(ctx, in.Key); err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "trait.delete", "trait", 0, map[string]any{"key": in.Key})
}

// TraitUses are what speaks of a trait.
type TraitUses struct {
	Items []TraitUse `json:"items"`
}

// TraitUse is something that speaks of a trait.
type TraitUse struct {
	Kind string `json:"kind" enum:"segment,class,view,rule"`
	Key  string `json:"key"`
	Name string `json:"name"`
}

func (a *API) usesOfComputed(ctx context.Context, c *call, in keyIn) (TraitUses, error) {
	uses, err := c.ws.Computed.Uses(ctx, in.Key)
	out := TraitUses{Items: []TraitUse{}}
	for _, u := range uses {
		out.Items = append(out.Items, TraitUse(u))
	}
	return out, err
}

// TraitPass is a pass over everyone. Differing is how many rows it found otherwise than the small passes had left them, where it
// could tell (verified): that must be 0.
type TraitPass struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind" enum:"full,computed"`
	Anchor    string    `json:"anchor"`
	Customers int64     `json:"customers"`
	Seconds   float64   `json:"seconds"`
	Verified  bool      `json:"verified"`
	Differing int64     `json:"differing"`
}

// TraitPasses are the last passes over everyone, newest first.
type TraitPasses struct {
	Items []TraitPass `json:"items"`
}

const passesShown = 60

func (a *API) listPasses(ctx context.Context, c *call, _ struct{}) (TraitPasses, error) {
	all, err := c.ws.Computed.Passes(ctx, passesShown)
	out := TraitPasses{Items: []TraitPass{}}
	for _, p := range all {
		out.Items = append(out.Items, TraitPass{At: p.At, Kind: p.Kind, Anchor: p.Anchor.String(), Customers: p.Customers, Seconds: p.Took.Seconds(), Verified: p.Verified, Differing: p.Differing})
	}
	return out, err
}

// TraitPreview is what a definition would give.
type TraitPreview struct {
	Type     string       `json:"type"`
	Sentence schema.Label `json:"sentence"`
	// Value is that of the customer asked about, Rows the newest that count for it.
	Value   any          `json:"value"`
	Rows    []PreviewRow `json:"rows"`
	Sampled int64        `json:"sampled"`
	Having  int64        `json:"having"`
	// Low, Middle and High are of the values of the sample, Common its most frequent texts.
	Low     any           `json:"low"`
	Middle  any           `json:"middle"`
	High    any           `json:"high"`
	Common  []PreviewText `json:"common"`
	Seconds float64       `json:"seconds"`
}

// PreviewRow is an event or record that counts.
type PreviewRow struct {
	Title string `json:"title"`
	At    string `json:"at"`
	Value any    `json:"value"`
}

// PreviewText is a value and how many of the sample have it.
type PreviewText struct {
	Text  any   `json:"text"`
	Count int64 `json:"count"`
}

type previewComputedIn struct {
	Body struct {
		Figure   figureIn `json:"figure"`
		Customer string   `json:"customer,omitempty"`
	}
}

func (a *API) previewComputed(ctx context.Context, c *call, in previewComputedIn) (TraitPreview, error) {
	figure, err := in.Body.Figure.read()
	if err != nil {
		return TraitPreview{}, err
	}
	var customer id.ID
	if in.Body.Customer != "" {
		if customer, err = id.Parse(c.ws.Registry().Object(query.Customer).Prefix, in.Body.Customer); err != nil {
			return TraitPreview{}, fault.InvalidField("query.expects_id", "customer", nil)
		}
		if _, err := c.ws.Records.Get(ctx, query.Customer, customer); err != nil { // whom one does not see one does not ask about
			return TraitPreview{}, err
		}
	}
	p, err := c.ws.Computed.Preview(ctx, figure, customer)
	if err != nil {
		return TraitPreview{}, err
	}
	def := trait.Def{Type: p.Figure.Type, Scale: p.Figure.Scale, Options: p.Figure.Options}
	currency := c.who.Workspace.Currency
	out := TraitPreview{Type: traitType(def.Type, def.Scale), Sentence: c.ws.Conditions.Figure(figure), Value: TraitValue(def, p.Value, currency), Rows: []PreviewRow{}, Common: []PreviewText{},
		Sampled: p.Sampled, Having: p.Having, Seconds: p.Took.Seconds()}
	if p.Having > 0 && !trait.Textual(p.Figure) {
		out.Low, out.Middle, out.High = TraitValue(def, p.Low, currency), TraitValue(def, p.Middle, currency), TraitValue(def, p.High, currency)
	}
	for _, t := range p.Common {
		out.Common = append(out.Common, PreviewText{Text: TraitValue(def, t.Text, currency), Count: t.Count})
	}
	out.Rows, err = c.previewRows(ctx, p)
	return out, err
}

// previewRows names the rows that count. A record that the reader does not see has no title and is left out.
func (c *call) previewRows(ctx context.Context, p trait.Preview) ([]PreviewRow, error) {
	out := []PreviewRow{}
	object := p.Figure.Rows.Object
	titles := map[id.ID]string{}
	if object != nil && len(p.Rows) > 0 {
		refs := make([]record.Ref, len(p.Rows))
		for i, r := range p.Rows {
			refs[i] = record.Ref{Object: object.Key, ID: r.ID}
		}
		if err := c.ws.Records.Titles(ctx, refs); err != nil {
			return nil, err
		}
		for _, r := range refs {
			titles[r.ID] = r.Title
		}
	}
	def := trait.Def{Type: p.Figure.Type, Scale: p.Figure.Scale, Options: p.Figure.Options}
	if p.Figure.Kind == query.Average && p.Figure.Slot.Field != nil {
		def.Scale = p.Figure.Slot.Field.Scale
	}
	for _, r := range p.Rows {
		row := PreviewRow{Title: r.Event, At: clock.Day(r.At).String()} //nolint:gosec // a calendar day where it is one
		if object != nil {
			if row.Title = titles[r.ID]; row.Title == "" {
				continue
			}
		}
		if !r.Days {
			row.At = time.UnixMilli(r.At).UTC().Format(time.RFC3339)
		}
		switch {
		case r.Value == nil:
		case p.Figure.Kind == query.UniqueCount || p.Figure.Kind == query.UniqueList:
			row.Value = r.Value
		default:
			row.Value = TraitValue(def, r.Value, c.who.Workspace.Currency)
		}
		out = append(out, row)
	}
	return out, nil
}

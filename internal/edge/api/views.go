package api

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/view"
)

type viewsIn struct {
	Object string `query:"object"`
}

// Views is the list of saved views.
type Views struct {
	Items []View `json:"items"`
}

func (a *API) listViews(ctx context.Context, c *call, in viewsIn) (Views, error) {
	objects := []string{in.Object}
	if in.Object == "" {
		objects = nil
		for _, o := range c.ws.Registry().Tables() {
			objects = append(objects, o.Key)
		}
	}
	out := Views{Items: []View{}}
	for _, o := range objects {
		vs, err := c.ws.Views.List(ctx, o)
		if err != nil {
			return Views{}, err
		}
		mine, all, err := c.ws.Views.Defaults(ctx, o)
		if err != nil {
			return Views{}, err
		}
		for i := range vs {
			v := c.showView(ctx, &vs[i])
			switch v.ID {
			case mine:
				v.Default = view.ForMe
			case all:
				v.Default = view.ForEveryone
			}
			out.Items = append(out.Items, v)
		}
	}
	return out, nil
}

func (c *call) showView(ctx context.Context, v *view.View) View {
	columns, sorts, settings := v.Columns, v.Sort, v.Options
	if o := c.ws.Registry().Object(v.Object); o != nil && !c.who.Actor.Unlimited() { // what the reader does not see is no part of the view
		hidden := func(k string) bool { return c.who.Actor.Field(o.Key, k) == access.FieldHidden }
		columns = slices.DeleteFunc(slices.Clone(columns), hidden)
		sorts = slices.DeleteFunc(slices.Clone(sorts), func(s schema.Sort) bool { return c.maySort(o, []schema.Sort{s}) != nil })
		settings = settings.Without(hidden)
	}
	out := View{ID: v.Key(), Object: v.Object, Name: v.Name, Label: v.Label, Shared: v.Shared, Mine: view.Mine(ctx, v), Builtin: v.Builtin != "",
		Columns: list(columns), Where: v.Where, Sort: list(sorts), Kind: string(v.Kind), Options: settings, Pinned: v.Pinned, Position: v.Position, Version: v.Version}
	if out.Builtin {
		out.Name = v.Label.In(localeOf(c.locale))
	}
	return out
}

type viewBody struct {
	Object   string         `json:"object,omitempty"`
	Name     *string        `json:"name,omitempty"`
	Shared   *bool          `json:"shared,omitempty"`
	Columns  *[]string      `json:"columns,omitempty"`
	Where    Condition      `json:"where,omitempty"`
	Sort     *[]schema.Sort `json:"sort,omitempty"`
	Kind     string         `json:"kind,omitempty" enum:"list,board,calendar,cards"`
	Options  *view.Settings `json:"options,omitempty"`
	Pinned   *bool          `json:"pinned,omitempty"`
	Position *int           `json:"position,omitempty"`
	Version  int64          `json:"version,omitempty"`
}

type createViewIn struct {
	Object string `query:"object"`
	Body   viewBody
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func (a *API) createView(ctx context.Context, c *call, in createViewIn) (View, error) {
	b := in.Body
	where, err := b.Where.node("where")
	if err != nil {
		return View{}, err
	}
	v, err := c.ws.Views.Create(ctx, view.View{Object: or(b.Object, in.Object), Name: value(b.Name), Shared: value(b.Shared), Columns: value(b.Columns), Where: where,
		Sort: value(b.Sort), Kind: view.Kind(b.Kind), Options: value(b.Options), Pinned: b.Pinned == nil || *b.Pinned, Position: value(b.Position)})
	if err != nil {
		return View{}, err
	}
	return c.showView(ctx, &v), nil
}

type patchViewIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    viewBody
}

func (a *API) patchView(ctx context.Context, c *call, in patchViewIn) (View, error) {
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return View{}, err
	}
	where, err := in.Body.Where.node("where")
	if err != nil {
		return View{}, err
	}
	b := in.Body
	p := view.Patch{Name: b.Name, Shared: b.Shared, Columns: value(b.Columns), Sort: value(b.Sort), Kind: view.Kind(b.Kind), Options: b.Options, Pinned: b.Pinned, Position: b.Position}
	if where != nil || string(b.Where) == "null" {
		p.Where = &where
	}
	v, err := c.ws.Views.Update(ctx, in.ID, version, p)
	if err != nil {
		return View{}, err
	}
	return c.showView(ctx, &v), nil
}

func (a *API) deleteView(ctx context.Context, c *call, in idIn) (empty, error) {
	return empty{}, c.ws.Views.Delete(ctx, in.ID)
}

type defaultViewIn struct {
	ID   string `path:"id"`
	Body struct {
		Object string `json:"object"`
		For    string `json:"for" enum:"me,everyone"`
		On     bool   `json:"on"`
	}
}

func (a *API) defaultView(ctx context.Context, c *call, in defaultViewIn) (empty, error) {
	return empty{}, c.ws.Views.SetDefault(ctx, in.Body.Object, in.ID, in.Body.For, in.Body.On)
}

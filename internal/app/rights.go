package app

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
	"github.com/guanxi-crm/guanxi/internal/record/view"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newRights makes the keeper of departments, roles and shared records.
func (w *workspace) newRights() *rights.Service {
	a := w.app
	return rights.New(rights.Config{Store: sqlstore.NewRights(w.store), Registry: w.registry, Records: func() rights.Records { return w.records },
		People: people{a, w.info.Key}, Clock: a.Clock, IDs: a.ids, Sentence: w.words.Sentence, Text: a.words.Text,
		Env: func() query.CheckEnv {
			return query.CheckEnv{Registry: w.registry(), Base: w.info.Currency, Blind: w.blind, Blinds: w.blinds}
		},
		Answerable: w.answerable,
		Note: func(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, object, rec, detail)
		},
		Changed: func() { a.hub.Publish(w.info.Key, api.Event{Kind: "rights"}) }})
}

// answerable refuses a condition of a role that the analytics plane cannot ask, since lists may come from there.
func (w *workspace) answerable(object string, where *query.Node) error {
	obj := w.registry().Object(object)
	if obj == nil || !obj.Analytic {
		return nil
	}
	_, err := compile.Analytics(w.env(), obj, where)
	return err
}

// Member implements rights.People.
func (p people) Member(ctx context.Context, person id.ID) (rights.Member, error) {
	u, err := p.app.instance.GetUser(ctx, p.workspace, person)
	return rights.Member{ID: u.ID, Name: u.Name, Role: u.Role, Disabled: u.Disabled}, err
}

// Members implements rights.People.
func (p people) Members(ctx context.Context) ([]rights.Member, error) {
	us, err := p.app.instance.ListUsers(ctx, p.workspace)
	out := make([]rights.Member, len(us))
	for i, u := range us {
		out[i] = rights.Member{ID: u.ID, Name: u.Name, Role: u.Role, Disabled: u.Disabled}
	}
	return out, err
}

// Holders implements rights.People.
func (p people) Holders(ctx context.Context, role access.Role) (n int, err error) {
	us, err := p.Members(ctx)
	if err != nil {
		return 0, err
	}
	for _, u := range us {
		if u.Role == role {
			n++
		}
	}
	keys, err := p.app.instance.ListKeys(ctx, p.workspace)
	for _, k := range keys {
		if k.Role == role && k.RevokedAt.IsZero() {
			n++
		}
	}
	return n, err
}

// mayGive refuses a role that there is not, or that the actor may not hand out. The first person of an instance and whoever
// owns the machine are not asked.
func (a *App) mayGive(ctx context.Context, workspace string, role access.Role) error {
	w, err := a.workspace(ctx, workspace)
	if err != nil {
		return err
	}
	if who := access.From(ctx); who.Kind == access.ByCLI || who.Kind == access.BySystem {
		ctx = system(ctx)
	}
	return w.edge.Rights.MayGive(ctx, role)
}

// actor is who a background job acts for, with the rights of now: a person who left or was shut out holds none.
func (w *workspace) actor(ctx context.Context, a access.Actor) (access.Actor, error) {
	if a.Kind == access.ByUser {
		m, err := people{w.app, w.info.Key}.Member(ctx, a.ID)
		if err != nil {
			return access.Actor{}, err
		}
		if m.Disabled {
			return access.Actor{}, fault.New(fault.Forbidden, "rights.person_disabled", nil)
		}
		a.Role, a.Name = m.Role, m.Name
	}
	return w.edge.Rights.Resolve(ctx, a)
}

// newViews makes the keeper of saved views.
func (w *workspace) newViews() *view.Service {
	a := w.app
	return view.New(view.Config{Store: sqlstore.NewViews(w.store), Registry: w.registry, Traits: func() query.Traits { return w.words.Catalogue() }, Check: w.words.Check,
		Clock: a.Clock, IDs: a.ids, Belongs: w.belongs, Known: w.grantee,
		Note: func(ctx context.Context, action string, v id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, "view", v, detail)
		}})
}

// belongs are the person who acts, and the person's units.
func (w *workspace) belongs(ctx context.Context) ([]view.Grantee, error) {
	who := access.From(ctx)
	if who.Kind != access.ByUser || who.ID == 0 {
		return nil, nil
	}
	list, err := w.edge.Rights.Belonging(ctx, who.ID)
	out := make([]view.Grantee, len(list))
	for i, g := range list {
		out[i] = view.Grantee{Kind: string(g.Kind), ID: g.ID}
	}
	return out, err
}

// grantee reports whether there is somebody to share a view with. A person who was shut out is nobody.
func (w *workspace) grantee(ctx context.Context, g view.Grantee) (bool, error) {
	switch g.Kind {
	case view.Person:
		m, err := people{w.app, w.info.Key}.Member(ctx, g.ID)
		if fault.KindOf(err) == fault.NotFound {
			return false, nil
		}
		return err == nil && !m.Disabled, err
	case view.ByRole:
		names, err := w.edge.Rights.Names(ctx)
		_, made := names[access.Role(g.Role)]
		return made || access.Role(g.Role).Known(), err
	}
	units, err := w.edge.Rights.Units(ctx)
	return slices.ContainsFunc(units, func(u rights.Unit) bool { return u.ID == g.ID && string(u.Kind) == g.Kind }), err
}

package api

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
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
	names, err := c.grantees(ctx)
	if err != nil {
		return Views{}, err
	}
	out := Views{Items: []View{}}
	for _, o := range objects {
		if err := c.addViews(ctx, o, names, &out); err != nil {
			return Views{}, err
		}
	}
	return out, nil
}

// addViews adds the views of an object with whose default they are.
func (c *call) addViews(ctx context.Context, object string, names *granteeNames, out *Views) error {
	vs, err := c.ws.Views.List(ctx, object)
	if err != nil {
		return err
	}
	usual, err := c.ws.Views.Defaults(ctx, object)
	if err != nil {
		return err
	}
	var all []view.Usual
	if c.who.Actor.Can(access.ViewShare) {
		if all, err = c.ws.Views.AllDefaults(ctx, object); err != nil {
			return err
		}
	}
	if err := names.people(ctx, c, vs); err != nil {
		return err
	}
	near := map[string]string{} // view by kind: of several departments the nearest counts
	for _, u := range usual {
		if _, taken := near[u.For.Kind]; !taken && slices.ContainsFunc(vs, func(v view.View) bool { return v.Key() == u.View }) {
			near[u.For.Kind] = u.View
		}
	}
	for i := range vs {
		v, err := c.showView(ctx, &vs[i], names)
		if err != nil {
			return err
		}
		for _, kind := range []string{view.Person, view.Team, view.Department, view.ByRole, view.Everyone} {
			if v.Default == "" && near[kind] == v.ID {
				v.Default = kind
			}
		}
		if v.Default == view.Person {
			v.Default = forMe
		}
		for _, u := range all {
			if u.View == v.ID {
				v.Defaults = append(v.Defaults, names.show(view.Share{Grantee: u.For}))
			}
		}
		out.Items = append(out.Items, v)
	}
	return nil
}

// forMe is whose default a view is that the reader chose.
const forMe = "me"

// granteeNames are the names of those whom views are shared with.
type granteeNames struct {
	users map[id.ID]string
	units map[id.ID]string
	roles map[access.Role]string
}

func (c *call) grantees(ctx context.Context) (*granteeNames, error) {
	n := &granteeNames{users: map[id.ID]string{}, units: map[id.ID]string{}}
	units, err := c.ws.Rights.Units(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		n.units[u.ID] = u.Name
	}
	n.roles, err = c.ws.Rights.Names(ctx)
	return n, err
}

// people adds the names of the people of some views.
func (n *granteeNames) people(ctx context.Context, c *call, vs []view.View) error {
	var refs []record.Ref
	add := func(who id.ID) {
		if _, known := n.users[who]; who != 0 && !known {
			n.users[who] = ""
			refs = append(refs, record.Ref{Object: "user", ID: who})
		}
	}
	for i := range vs {
		add(vs[i].Owner)
		for _, x := range vs[i].Shares {
			if x.Kind == view.Person {
				add(x.ID)
			}
		}
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return err
	}
	for _, r := range refs {
		n.users[r.ID] = r.Title
	}
	return nil
}

func (n *granteeNames) show(x view.Share) ViewShare {
	out := ViewShare{Kind: x.Kind, Access: "read"}
	if x.Writes {
		out.Access = "write"
	}
	switch x.Kind {
	case view.Person:
		out.To, out.Name = id.Format(auth.UserPrefix, x.ID), n.users[x.ID]
	case view.Team, view.Department:
		out.To, out.Name = id.Format(rights.UnitPrefix, x.ID), n.units[x.ID]
	case view.ByRole:
		out.To, out.Name = x.Role, n.roles[access.Role(x.Role)]
	}
	return out
}

func (c *call) showView(ctx context.Context, stored *view.View, names *granteeNames) (View, error) {
	edit, manage, err := c.ws.Views.May(ctx, stored)
	if err != nil {
		return View{}, err
	}
	v, whole := c.ws.Views.Seen(ctx, stored)
	out := View{ID: v.Key(), Object: v.Object, Name: v.Name, Label: v.Label, Shared: v.Shared, Mine: view.Mine(ctx, &v), Builtin: v.Builtin != "",
		Columns: list(v.Columns), Where: v.Where, Sort: list(v.Sort), Kind: string(v.Kind), Options: v.Options, Pinned: v.Pinned, Position: v.Position, Version: v.Version,
		Edit: edit, Manage: manage, Partial: !whole, Shares: []ViewShare{}, Defaults: []ViewShare{}}
	if out.Builtin {
		out.Name = v.Label.In(localeOf(c.locale))
	}
	if v.Owner != 0 {
		out.Owner = &Ref{ID: id.Format(auth.UserPrefix, v.Owner), Title: names.users[v.Owner], Object: "user"}
	}
	for _, x := range v.Shares {
		out.Shares = append(out.Shares, names.show(x))
	}
	return out, nil
}

// answerView is one view that was saved.
func (c *call) answerView(ctx context.Context, v *view.View) (View, error) {
	names, err := c.grantees(ctx)
	if err != nil {
		return View{}, err
	}
	if err := names.people(ctx, c, []view.View{*v}); err != nil {
		return View{}, err
	}
	return c.showView(ctx, v, names)
}

// viewShareBody is one grantee in a request.
type viewShareBody struct {
	Kind   string `json:"kind" enum:"user,team,department,role,everyone"`
	To     string `json:"to,omitempty" doc:"id of the person or unit, key of the role; none for everyone"`
	Access string `json:"access,omitempty" enum:"read,write" doc:"read when absent"`
}

// granteeOf reads who is meant; a text that is no id is nobody.
func granteeOf(kind, to, at string) (view.Grantee, error) {
	g := view.Grantee{Kind: kind}
	prefix := ""
	switch kind {
	case view.Person:
		prefix = auth.UserPrefix
	case view.Team, view.Department:
		prefix = rights.UnitPrefix
	case view.ByRole:
		g.Role = to
	case view.Everyone:
	default:
		return g, fault.InvalidField("view.share_kind", at+"kind", nil)
	}
	if prefix == "" {
		return g, nil
	}
	v, err := id.Parse(prefix, to)
	if err != nil {
		return g, fault.InvalidField("view.share_unknown", at+"to", nil)
	}
	g.ID = v
	return g, nil
}

func sharesOf(body *[]viewShareBody) (*[]view.Share, error) {
	if body == nil {
		return nil, nil //nolint:nilnil // nothing was said about shares
	}
	out := make([]view.Share, 0, len(*body))
	for i, b := range *body {
		at := "shares." + strconv.Itoa(i) + "."
		g, err := granteeOf(b.Kind, b.To, at)
		if err != nil {
			return nil, err
		}
		if b.Access != "" && b.Access != "read" && b.Access != "write" {
			return nil, fault.InvalidField("view.share_access", at+"access", nil)
		}
		out = append(out, view.Share{Grantee: g, Writes: b.Access == "write"})
	}
	return &out, nil
}

type viewBody struct {
	Object   string           `json:"object,omitempty"`
	Name     *string          `json:"name,omitempty"`
	Shared   *bool            `json:"shared,omitempty" doc:"with everyone, to look through"`
	Shares   *[]viewShareBody `json:"shares,omitempty" doc:"whom it is shared with, in the place of those of before"`
	Columns  *[]string        `json:"columns,omitempty"`
	Where    Condition        `json:"where,omitempty"`
	Sort     *[]schema.Sort   `json:"sort,omitempty"`
	Kind     string           `json:"kind,omitempty" enum:"list,board,calendar,cards"`
	Options  *view.Settings   `json:"options,omitempty"`
	Pinned   *bool            `json:"pinned,omitempty"`
	Position *int             `json:"position,omitempty"`
	Version  int64            `json:"version,omitempty"`
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
	shares, err := sharesOf(b.Shares)
	if err != nil {
		return View{}, err
	}
	v, err := c.ws.Views.Create(ctx, view.View{Object: or(b.Object, in.Object), Name: value(b.Name), Shared: value(b.Shared), Shares: value(shares), Columns: value(b.Columns), Where: where,
		Sort: value(b.Sort), Kind: view.Kind(b.Kind), Options: value(b.Options), Pinned: b.Pinned == nil || *b.Pinned, Position: value(b.Position)})
	if err != nil {
		return View{}, err
	}
	return c.answerView(ctx, &v)
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
	shares, err := sharesOf(b.Shares)
	if err != nil {
		return View{}, err
	}
	p := view.Patch{Name: b.Name, Shared: b.Shared, Shares: shares, Columns: value(b.Columns), Sort: value(b.Sort), Kind: view.Kind(b.Kind), Options: b.Options, Pinned: b.Pinned, Position: b.Position}
	if where != nil || string(b.Where) == "null" {
		p.Where = &where
	}
	v, err := c.ws.Views.Update(ctx, in.ID, version, p)
	if err != nil {
		return View{}, err
	}
	return c.answerView(ctx, &v)
}

func (a *API) deleteView(ctx context.Context, c *call, in idIn) (empty, error) {
	return empty{}, c.ws.Views.Delete(ctx, in.ID)
}

type defaultViewIn struct {
	ID   string `path:"id"`
	Body struct {
		Object string `json:"object"`
		For    string `json:"for" enum:"me,team,department,role,everyone"`
		To     string `json:"to,omitempty" doc:"id of the team or department, key of the role"`
		On     bool   `json:"on"`
	}
}

func (a *API) defaultView(ctx context.Context, c *call, in defaultViewIn) (empty, error) {
	to := view.Grantee{Kind: view.Person}
	if in.Body.For != forMe {
		var err error
		if to, err = granteeOf(in.Body.For, in.Body.To, ""); err != nil || to.Kind == view.Person {
			return empty{}, fault.InvalidField("view.default_for", "for", nil)
		}
	}
	return empty{}, c.ws.Views.SetDefault(ctx, in.Body.Object, in.ID, to, in.Body.On)
}

// ViewRole is a role that views can be shared with.
type ViewRole struct {
	Key  string `json:"key"`
	Name string `json:"name" doc:"of a role made in the workspace; built-in ones have their names in every language"`
}

// ViewRoles are the roles that views can be shared with.
type ViewRoles struct {
	Items []ViewRole `json:"items"`
}

func (a *API) viewRoles(ctx context.Context, c *call, _ struct{}) (ViewRoles, error) {
	names, err := c.ws.Rights.Names(ctx)
	out := ViewRoles{}
	for _, r := range []access.Role{access.Administrator, access.Manager, access.Member, access.ReadOnly} {
		out.Items = append(out.Items, ViewRole{Key: string(r)})
	}
	for _, k := range slices.Sorted(maps.Keys(names)) {
		out.Items = append(out.Items, ViewRole{Key: string(k), Name: names[k]})
	}
	return out, err
}

// ViewOwner is a person with how many views are theirs.
type ViewOwner struct {
	User  string `json:"user"`
	Views int    `json:"views"`
}

// ViewOwners are the people who have views.
type ViewOwners struct {
	Items []ViewOwner `json:"items"`
}

func (a *API) viewOwners(ctx context.Context, c *call, _ struct{}) (ViewOwners, error) {
	owned, err := c.ws.Views.Owned(ctx)
	out := ViewOwners{Items: []ViewOwner{}}
	for _, who := range slices.Sorted(maps.Keys(owned)) {
		out.Items = append(out.Items, ViewOwner{User: id.Format(auth.UserPrefix, who), Views: owned[who]})
	}
	return out, err
}

type handOverViewsIn struct {
	Body struct {
		From string `json:"from" doc:"id of the person who leaves"`
		To   string `json:"to" doc:"id of the person who gets the views"`
	}
}

// HandedOver is how many views changed hands.
type HandedOver struct {
	Views int `json:"views"`
}

func (a *API) handOverViews(ctx context.Context, c *call, in handOverViewsIn) (HandedOver, error) {
	from, err := id.Parse(auth.UserPrefix, in.Body.From)
	if err != nil {
		return HandedOver{}, fault.InvalidField("view.share_unknown", "from", nil)
	}
	to, err := id.Parse(auth.UserPrefix, in.Body.To)
	if err != nil {
		return HandedOver{}, fault.InvalidField("view.share_unknown", "to", nil)
	}
	n, err := c.ws.Views.HandOver(ctx, from, to)
	return HandedOver{Views: n}, err
}

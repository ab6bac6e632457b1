package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
)

// rightsRoutes are about who may do what: units, roles, shared records, owners, explanations.
func (a *API) rightsRoutes() []route {
	return []route{
		{method: get, path: "/org", need: signedIn, run: op(a.org), doc: "Departments and teams with who is in them"},
		{method: post, path: "/org/units", need: right, right: access.UserManage, run: op(a.createUnit), doc: "Make a department or a team", status: http.StatusCreated},
		{method: patch, path: "/org/units/{id}", need: right, right: access.UserManage, run: op(a.patchUnit), doc: "Rename or move a department or team, and change who is in it"},
		{method: del, path: "/org/units/{id}", need: right, right: access.UserManage, run: op(a.deleteUnit), doc: "Remove a team, or a department without any below it"},
		{method: get, path: "/roles", need: right, right: access.UserManage, run: op(a.listRoles), doc: "Roles: the built-in ones, which are templates, and those made here"},
		{method: post, path: "/roles", need: right, right: access.RoleManage, run: op(a.createRole), doc: "Make a role", status: http.StatusCreated},
		{method: patch, path: "/roles/{key}", need: right, right: access.RoleManage, run: op(a.patchRole), doc: "Replace the definition of a role"},
		{method: del, path: "/roles/{key}", need: right, right: access.RoleManage, run: op(a.deleteRole), doc: "Remove a role that nobody has"},
		{method: post, path: "/roles/preview", need: right, right: access.RoleManage, run: op(a.previewRole), doc: "How much somebody would see with a role, saved or not", secret: true},
		{method: get, path: "/rights/explain", need: right, right: access.RecordRead, run: op(a.explain), doc: "Why somebody may or may not do things with a record"},
		{method: post, path: "/records/{object}/{id}/assign", need: right, right: access.RecordAssign, run: op(a.assign), doc: "Give a record another owner"},
		{method: get, path: "/records/{object}/{id}/shares", need: right, right: access.RecordRead, run: op(a.listShares), doc: "Whom a record is shared with"},
		{method: post, path: "/records/{object}/{id}/shares", need: right, right: access.RecordShare, run: op(a.createShare), doc: "Share a record, or change how it is shared", status: http.StatusCreated},
		{method: del, path: "/records/{object}/{id}/shares/{share}", need: right, right: access.RecordShare, run: op(a.deleteShare), doc: "Share a record no more"},
	}
}

// Unit is a department or a team.
type Unit struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind" enum:"department,team"`
	Parent   *string  `json:"parent"`
	Name     string   `json:"name"`
	Position int      `json:"position"`
	Members  []string `json:"members" doc:"ids of people"`
	Head     *string  `json:"head" doc:"the person who leads it"`
	Version  int64    `json:"version"`
}

// Org is the departments and teams, by place.
type Org struct {
	Items []Unit `json:"items"`
}

func showUnit(u rights.Unit) Unit {
	out := Unit{ID: id.Format(rights.UnitPrefix, u.ID), Kind: string(u.Kind), Name: u.Name, Position: u.Position, Version: u.Version, Members: []string{}}
	if u.Parent != 0 {
		p := id.Format(rights.UnitPrefix, u.Parent)
		out.Parent = &p
	}
	for _, m := range u.Members {
		out.Members = append(out.Members, id.Format(auth.UserPrefix, m))
	}
	if u.Head != 0 {
		h := id.Format(auth.UserPrefix, u.Head)
		out.Head = &h
	}
	return out
}

func (a *API) org(ctx context.Context, c *call, _ struct{}) (Org, error) {
	us, err := c.ws.Rights.Units(ctx)
	out := Org{Items: []Unit{}}
	for _, u := range us {
		out.Items = append(out.Items, showUnit(u))
	}
	return out, err
}

type unitBody struct {
	Kind     string    `json:"kind,omitempty" enum:"department,team"`
	Name     *string   `json:"name,omitempty"`
	Parent   *string   `json:"parent,omitempty" doc:"of a department; an empty text puts it at the top"`
	Position *int      `json:"position,omitempty"`
	Head     *string   `json:"head,omitempty" doc:"the person who leads it; an empty text is nobody"`
	Add      *[]string `json:"add,omitempty" doc:"ids of people who come in"`
	Remove   *[]string `json:"remove,omitempty" doc:"ids of people who leave"`
	Version  int64     `json:"version,omitempty"`
}

func (b unitBody) change() (rights.UnitChange, error) {
	out := rights.UnitChange{Name: b.Name, Position: b.Position, Version: b.Version}
	if b.Parent != nil {
		var p id.ID
		if *b.Parent != "" {
			var err error
			if p, err = id.Parse(rights.UnitPrefix, *b.Parent); err != nil {
				return out, fault.InvalidField("rights.unit_parent", "parent", nil)
			}
		}
		out.Parent = &p
	}
	if b.Head != nil {
		var h id.ID
		if *b.Head != "" {
			var err error
			if h, err = id.Parse(auth.UserPrefix, *b.Head); err != nil {
				return out, fault.InvalidField("rights.person_unknown", "head", nil)
			}
		}
		out.Head = &h
	}
	for _, part := range []struct {
		from *[]string
		to   *[]id.ID
		at   string
	}{{b.Add, &out.Add, "add"}, {b.Remove, &out.Remove, "remove"}} {
		for _, text := range value(part.from) {
			v, err := id.Parse(auth.UserPrefix, text)
			if err != nil {
				return out, fault.InvalidField("rights.person_unknown", part.at, nil)
			}
			*part.to = append(*part.to, v)
		}
	}
	return out, nil
}

type createUnitIn struct {
	Body unitBody
}

func (a *API) createUnit(ctx context.Context, c *call, in createUnitIn) (Unit, error) {
	ch, err := in.Body.change()
	if err != nil {
		return Unit{}, err
	}
	u, err := c.ws.Rights.CreateUnit(ctx, rights.Kind(in.Body.Kind), ch)
	if err != nil {
		return Unit{}, err
	}
	return showUnit(u), nil
}

type patchUnitIn struct {
	ID   string `path:"id"`
	Body unitBody
}

func unitID(text string) (id.ID, error) {
	v, err := id.Parse(rights.UnitPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "rights.unit_unknown", nil)
	}
	return v, nil
}

func (a *API) patchUnit(ctx context.Context, c *call, in patchUnitIn) (Unit, error) {
	v, err := unitID(in.ID)
	if err != nil {
		return Unit{}, err
	}
	ch, err := in.Body.change()
	if err != nil {
		return Unit{}, err
	}
	u, err := c.ws.Rights.ChangeUnit(ctx, v, ch)
	if err != nil {
		return Unit{}, err
	}
	return showUnit(u), nil
}

func (a *API) deleteUnit(ctx context.Context, c *call, in idIn) (empty, error) {
	v, err := unitID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Rights.DeleteUnit(ctx, v)
}

// AccessRole is a role with what it may do.
type AccessRole struct {
	Key         string                   `json:"key"`
	Name        schema.Label             `json:"name"`
	Description string                   `json:"description"`
	Builtin     bool                     `json:"builtin"`
	Rights      []access.Right           `json:"rights" doc:"of the workspace as a whole"`
	Objects     map[string]access.Grants `json:"objects" doc:"by object; * stands for those not named"`
	Holders     int                      `json:"holders" doc:"people who have it"`
	Version     int64                    `json:"version"`
	Broken      bool                     `json:"broken,omitempty"`
}

func (r AccessRole) etag() string { return `"` + strconv.FormatInt(r.Version, 10) + `"` }

// AccessRoles are all roles, with what a role can be made of.
type AccessRoles struct {
	Items   []AccessRole    `json:"items"`
	General []access.Right  `json:"general" doc:"rights of the workspace that a role may hold"`
	Actions []access.Action `json:"actions"`
	Scopes  []access.Scope  `json:"scopes"`
}

func (a *API) builtinRole(r access.Role) AccessRole {
	d := access.Builtin(r)
	out := AccessRole{Key: string(r), Builtin: true, Rights: d.Rights, Objects: d.Objects, Name: schema.Label{}}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		out.Name[loc] = a.Words.Text(loc, "rights.role_"+string(r), nil)
	}
	return out
}

func showRole(r rights.Role) AccessRole {
	out := AccessRole{Key: string(r.Key), Description: r.Description, Rights: list(r.Rights), Objects: r.Objects, Version: r.Version, Broken: r.Broken, Name: schema.Label{}}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		out.Name[loc] = r.Name
	}
	if out.Objects == nil {
		out.Objects = map[string]access.Grants{}
	}
	return out
}

func (a *API) listRoles(ctx context.Context, c *call, _ struct{}) (AccessRoles, error) {
	made, err := c.ws.Rights.Roles(ctx)
	if err != nil {
		return AccessRoles{}, err
	}
	out := AccessRoles{Items: []AccessRole{}, General: access.General(), Actions: access.Actions(), Scopes: access.Scopes()}
	for _, r := range []access.Role{access.Administrator, access.Manager, access.Member, access.ReadOnly} {
		out.Items = append(out.Items, a.builtinRole(r))
	}
	for _, r := range made {
		out.Items = append(out.Items, showRole(r))
	}
	people, err := a.Auth.Store.ListUsers(ctx, c.who.Workspace.Key)
	for _, p := range people {
		if i := slices.IndexFunc(out.Items, func(r AccessRole) bool { return r.Key == string(p.Role) }); i >= 0 {
			out.Items[i].Holders++
		}
	}
	return out, err
}

type roleBody struct {
	Name        string                   `json:"name"`
	Description string                   `json:"description,omitempty"`
	Rights      []access.Right           `json:"rights"`
	Objects     map[string]access.Grants `json:"objects"`
	Version     int64                    `json:"version,omitempty"`
}

func (b roleBody) definition(key string) access.Definition {
	return access.Definition{Key: access.Role(key), Name: b.Name, Description: b.Description, Rights: b.Rights, Objects: b.Objects}
}

type createRoleIn struct {
	Body roleBody
}

func (a *API) createRole(ctx context.Context, c *call, in createRoleIn) (AccessRole, error) {
	r, err := c.ws.Rights.CreateRole(ctx, in.Body.definition(""))
	if err != nil {
		return AccessRole{}, err
	}
	return showRole(r), nil
}

type patchRoleIn struct {
	Key     string `path:"key"`
	IfMatch string `header:"If-Match"`
	Body    roleBody
}

func (a *API) patchRole(ctx context.Context, c *call, in patchRoleIn) (AccessRole, error) {
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return AccessRole{}, err
	}
	if access.Role(in.Key).Known() {
		return AccessRole{}, fault.New(fault.Conflict, "rights.role_builtin", nil)
	}
	r, err := c.ws.Rights.ChangeRole(ctx, in.Body.definition(in.Key), version)
	if err != nil {
		return AccessRole{}, err
	}
	return showRole(r), nil
}

func (a *API) deleteRole(ctx context.Context, c *call, in keyIn) (empty, error) {
	if access.Role(in.Key).Known() {
		return empty{}, fault.New(fault.Conflict, "rights.role_builtin", nil)
	}
	return empty{}, c.ws.Rights.DeleteRole(ctx, access.Role(in.Key))
}

type previewRoleIn struct {
	Body struct {
		Role roleBody `json:"role"`
		User string   `json:"user,omitempty" doc:"as whom to look; the caller when empty"`
	}
}

// RolePreview is how much somebody would see.
type RolePreview struct {
	Items []RoleSight `json:"items"`
}

// RoleSight is how much of one object.
type RoleSight struct {
	Object    string   `json:"object"`
	Seen      int      `json:"seen"`
	SeenMore  bool     `json:"seen_more" doc:"there are more than that"`
	Total     int      `json:"total"`
	TotalMore bool     `json:"total_more"`
	Hidden    []string `json:"hidden" doc:"fields"`
	Masked    []string `json:"masked"`
}

func keysOf(fields []*schema.Field) []string {
	out := []string{}
	for _, f := range fields {
		out = append(out, f.Key)
	}
	return out
}

func (a *API) previewRole(ctx context.Context, c *call, in previewRoleIn) (RolePreview, error) {
	person, err := c.person(in.Body.User)
	if err != nil {
		return RolePreview{}, err
	}
	sights, err := c.ws.Rights.Preview(ctx, in.Body.Role.definition("preview"), person)
	out := RolePreview{Items: []RoleSight{}}
	for _, x := range sights {
		out.Items = append(out.Items, RoleSight{Object: x.Object.Key, Seen: x.Seen, SeenMore: x.SeenMore, Total: x.Total, TotalMore: x.TotalMore, Hidden: keysOf(x.Hidden), Masked: keysOf(x.Masked)})
	}
	return out, err
}

// person reads the id of a person, the caller's when it is empty.
func (c *call) person(text string) (id.ID, error) {
	if text == "" {
		return c.who.Actor.Person, nil
	}
	v, err := id.Parse(auth.UserPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "auth.user_unknown", nil)
	}
	return v, nil
}

type explainIn struct {
	User   string `query:"user"`
	Object string `query:"object"`
	Record string `query:"record"`
}

// Explanation is why somebody may or may not do things with a record.
type Explanation struct {
	User    Ref              `json:"user"`
	Role    schema.Label     `json:"role"`
	Actions []ExplainedVerb  `json:"actions"`
	Hidden  []ExplainedField `json:"hidden"`
	Masked  []ExplainedField `json:"masked"`
}

// ExplainedVerb is one action with the rules that decide it.
type ExplainedVerb struct {
	Action  access.Action   `json:"action"`
	Granted bool            `json:"granted"`
	Rules   []ExplainedRule `json:"rules"`
}

// ExplainedRule is one rule in words.
type ExplainedRule struct {
	Rule   access.Rule  `json:"rule"`
	Grants bool         `json:"grants"`
	Text   schema.Label `json:"text"`
}

// ExplainedField is a field that is not seen as it is.
type ExplainedField struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
}

func (a *API) explain(ctx context.Context, c *call, in explainIn) (Explanation, error) {
	person, err := c.person(in.User)
	if err != nil {
		return Explanation{}, err
	}
	o, v, err := recordIn{in.Object, in.Record}.find(c)
	if err != nil {
		return Explanation{}, err
	}
	e, err := c.ws.Rights.Explain(ctx, person, o.Key, v)
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{User: Ref{ID: id.Format(auth.UserPrefix, e.Person.ID), Title: e.Person.Name, Object: "user"}, Role: e.Role,
		Actions: []ExplainedVerb{}, Hidden: []ExplainedField{}, Masked: []ExplainedField{}}
	for _, x := range e.Actions {
		verb := ExplainedVerb{Action: x.Action, Granted: x.Granted, Rules: []ExplainedRule{}}
		for _, l := range x.Lines {
			verb.Rules = append(verb.Rules, ExplainedRule{l.Rule, l.Grants, l.Text})
		}
		out.Actions = append(out.Actions, verb)
	}
	for _, f := range e.Hidden {
		out.Hidden = append(out.Hidden, ExplainedField{f.Key, f.Label})
	}
	for _, f := range e.Masked {
		out.Masked = append(out.Masked, ExplainedField{f.Key, f.Label})
	}
	return out, nil
}

type assignIn struct {
	Object  string `path:"object"`
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Owner   *string `json:"owner" doc:"id of a person, null for nobody"`
		Version int64   `json:"version,omitempty"`
	}
}

// Assigned is the record after it got another owner; null when the caller does not see it any more.
type Assigned struct {
	Record *Record `json:"record"`
}

func (a *API) assign(ctx context.Context, c *call, in assignIn) (Assigned, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return Assigned{}, err
	}
	version, err := required(in.IfMatch, in.Body.Version)
	if err != nil {
		return Assigned{}, err
	}
	var owner id.ID
	if in.Body.Owner != nil {
		if owner, err = id.Parse(auth.UserPrefix, *in.Body.Owner); err != nil {
			return Assigned{}, fault.InvalidField("record.relation_unknown", "owner", fault.Params{"object": "user"})
		}
	}
	c.onConflict(o, v)
	r, err := c.ws.Records.Assign(ctx, o.Key, v, owner, version)
	if err != nil {
		return Assigned{}, err
	}
	a.wrote(c, r.Position)
	if r, err = c.ws.Records.Get(ctx, o.Key, v); fault.KindOf(err) == fault.NotFound && err != nil {
		return Assigned{}, nil
	}
	if err != nil {
		return Assigned{}, err
	}
	shown, err := c.showRecord(ctx, o, r)
	return Assigned{Record: shown}, err
}

// RecordShare is one way in which a record is shared.
type RecordShare struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" enum:"user,team,department"`
	To        string     `json:"to"`
	Name      string     `json:"name"`
	Access    string     `json:"access" enum:"read,write"`
	Until     *time.Time `json:"until"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy *Ref       `json:"created_by"`
}

// RecordShares are all of them.
type RecordShares struct {
	Items []RecordShare `json:"items"`
}

func (c *call) showShares(ctx context.Context, shares []rights.Share) ([]RecordShare, error) {
	refs := make([]record.Ref, 0, 2*len(shares))
	for _, x := range shares {
		refs = append(refs, record.Ref{Object: "user", ID: x.CreatedBy}, record.Ref{Object: "user", ID: x.Grantee})
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	units, err := c.ws.Rights.Units(ctx)
	if err != nil {
		return nil, err
	}
	out := []RecordShare{}
	for i, x := range shares {
		v := RecordShare{ID: id.Format(rights.SharePrefix, x.ID), Kind: string(x.Kind), To: id.Format(auth.UserPrefix, x.Grantee), Name: refs[2*i+1].Title,
			Access: "read", Until: optional(x.Until), CreatedAt: x.CreatedAt}
		if x.Kind != rights.Person {
			v.To, v.Name = id.Format(rights.UnitPrefix, x.Grantee), ""
			if j := slices.IndexFunc(units, func(u rights.Unit) bool { return u.ID == x.Grantee }); j >= 0 {
				v.Name = units[j].Name
			}
		}
		if x.Writes {
			v.Access = "write"
		}
		if x.CreatedBy != 0 {
			v.CreatedBy = &Ref{ID: id.Format(auth.UserPrefix, x.CreatedBy), Title: refs[2*i].Title, Object: "user"}
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *API) listShares(ctx context.Context, c *call, in recordIn) (RecordShares, error) {
	o, v, err := in.find(c)
	if err != nil {
		return RecordShares{}, err
	}
	shares, err := c.ws.Rights.Shares(ctx, o.Key, v)
	if err != nil {
		return RecordShares{}, err
	}
	items, err := c.showShares(ctx, shares)
	return RecordShares{Items: items}, err
}

type createShareIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		Kind   string     `json:"kind" enum:"user,team,department"`
		To     string     `json:"to"`
		Access string     `json:"access" enum:"read,write"`
		Until  *time.Time `json:"until,omitempty" doc:"shared until then; for good when absent"`
	}
}

func (a *API) createShare(ctx context.Context, c *call, in createShareIn) (RecordShare, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return RecordShare{}, err
	}
	b := in.Body
	prefix, code := rights.UnitPrefix, "rights.unit_unknown"
	if rights.Kind(b.Kind) == rights.Person {
		prefix, code = auth.UserPrefix, "rights.person_unknown"
	}
	to, err := id.Parse(prefix, b.To)
	if err != nil {
		return RecordShare{}, fault.InvalidField(code, "to", nil)
	}
	if b.Access != "read" && b.Access != "write" {
		return RecordShare{}, fault.InvalidField("api.bad_parameter", "access", nil)
	}
	x := rights.Share{Object: o.Key, Record: v, Kind: rights.Kind(b.Kind), Grantee: to, Writes: b.Access == "write"}
	if b.Until != nil {
		x.Until = *b.Until
	}
	if x, err = c.ws.Rights.Share(ctx, x); err != nil {
		return RecordShare{}, err
	}
	shown, err := c.showShares(ctx, []rights.Share{x})
	if err != nil {
		return RecordShare{}, err
	}
	return shown[0], nil
}

type deleteShareIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Share  string `path:"share"`
}

func (a *API) deleteShare(ctx context.Context, c *call, in deleteShareIn) (empty, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return empty{}, err
	}
	share, err := id.Parse(rights.SharePrefix, in.Share)
	if err != nil {
		return empty{}, fault.New(fault.NotFound, "rights.share_unknown", nil)
	}
	return empty{}, c.ws.Rights.Unshare(ctx, o.Key, v, share)
}

// recordActions are the actions that a record's page offers.
func recordActions() []access.Action {
	return []access.Action{access.Update, access.Delete, access.Reveal, access.Assign, access.Share, access.Export}
}

// addReach tells what the caller may do with a record.
func (c *call) addReach(ctx context.Context, o *schema.Object, r *Record) error {
	if c.ws.Records.ReachesAll(ctx, o, recordActions()...) {
		r.May = map[string]bool{}
		for _, x := range recordActions() {
			r.May[string(x)] = true
		}
		return nil
	}
	may, err := c.ws.Records.Reaches(ctx, o.Key, r.id, recordActions()...)
	if err != nil {
		return err
	}
	r.May = map[string]bool{}
	for x, ok := range may {
		r.May[string(x)] = ok
	}
	return nil
}

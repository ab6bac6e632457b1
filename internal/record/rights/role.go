package rights

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Roles are the made roles by name.
func (s *Service) Roles(ctx context.Context) ([]Role, error) {
	if !access.From(ctx).Can(access.RoleManage) {
		if err := allow(ctx, access.UserManage); err != nil {
			return nil, err
		}
	}
	st, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	var out []Role
	for _, k := range slices.Sorted(maps.Keys(st.roles)) {
		out = append(out, *st.roles[k])
	}
	slices.SortStableFunc(out, func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Names are the names of the made roles, for whoever lists people.
func (s *Service) Names(ctx context.Context) (map[access.Role]string, error) {
	st, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[access.Role]string, len(st.roles))
	for k, r := range st.roles {
		out[k] = r.Name
	}
	return out, nil
}

// CreateRole stores a new role; its key is made here.
func (s *Service) CreateRole(ctx context.Context, d access.Definition) (Role, error) {
	if err := allow(ctx, access.RoleManage); err != nil {
		return Role{}, err
	}
	st, err := s.now(ctx)
	if err != nil {
		return Role{}, err
	}
	if len(st.roles) >= maxRoles {
		return Role{}, fault.New(fault.Conflict, "rights.too_many_roles", fault.Params{"max": maxRoles})
	}
	d.Key = access.Role(id.Format("rol", s.cfg.IDs.Next()))
	return s.putRole(ctx, st, Role{Definition: d, Version: 1}, "role.create")
}

// ChangeRole replaces a role's definition; version is the one the caller saw, 0 for any.
func (s *Service) ChangeRole(ctx context.Context, d access.Definition, version int64) (Role, error) {
	if err := allow(ctx, access.RoleManage); err != nil {
		return Role{}, err
	}
	st, r, err := s.role(ctx, d.Key)
	if err != nil {
		return Role{}, err
	}
	if version != 0 && version != r.Version {
		return Role{}, fault.New(fault.Stale, "rights.stale", nil)
	}
	return s.putRole(ctx, st, Role{Definition: d, Version: r.Version + 1}, "role.update")
}

func (s *Service) role(ctx context.Context, key access.Role) (*state, Role, error) {
	st, err := s.now(ctx)
	if err != nil {
		return nil, Role{}, err
	}
	r := st.roles[key]
	if r == nil {
		return nil, Role{}, fault.New(fault.NotFound, "rights.role_unknown", fault.Params{"role": string(key)})
	}
	return st, *r, nil
}

func (s *Service) putRole(ctx context.Context, st *state, r Role, action string) (Role, error) {
	if err := s.checkRole(st, &r.Definition); err != nil {
		return Role{}, err
	}
	if err := s.cfg.Store.PutRole(ctx, r); err != nil {
		return Role{}, err
	}
	return r, s.changed(ctx, action, "role", 0, map[string]any{"role": string(r.Key), "name": r.Name, "definition": r.Definition})
}

// DeleteRole removes a role that nobody has.
func (s *Service) DeleteRole(ctx context.Context, key access.Role) error {
	if err := allow(ctx, access.RoleManage); err != nil {
		return err
	}
	_, r, err := s.role(ctx, key)
	if err != nil {
		return err
	}
	n, err := s.cfg.People.Holders(ctx, key)
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.New(fault.Conflict, "rights.role_in_use", fault.Params{"count": n})
	}
	if err := s.cfg.Store.DeleteRole(ctx, key); err != nil {
		return err
	}
	return s.changed(ctx, "role.delete", "role", 0, map[string]any{"role": string(key), "name": r.Name})
}

// checkRole reports everything that is wrong with a definition.
func (s *Service) checkRole(st *state, d *access.Definition) error {
	var bad []*fault.Fault
	fail := func(code, at string, p fault.Params) { bad = append(bad, fault.InvalidField("rights."+code, at, p)) }
	d.Name, d.Description = strings.TrimSpace(d.Name), strings.TrimSpace(d.Description)
	if n := utf8.RuneCountInString(d.Name); n == 0 || n > maxName {
		fail("name_length", "name", fault.Params{"max": maxName})
	}
	if utf8.RuneCountInString(d.Description) > 500 {
		fail("name_length", "description", fault.Params{"max": 500})
	}
	for _, other := range st.roles {
		if other.Key != d.Key && other.Name == d.Name {
			fail("role_name_taken", "name", nil)
		}
	}
	if d.Rights == nil {
		d.Rights = []access.Right{}
	}
	for _, r := range d.Rights {
		if !slices.Contains(access.General(), r) {
			fail("right_unknown", "rights", fault.Params{"right": string(r)})
		}
	}
	if d.Objects == nil {
		d.Objects = map[string]access.Grants{}
	}
	reg := s.cfg.Registry()
	for _, key := range slices.Sorted(maps.Keys(d.Objects)) {
		c := checking{s: s, obj: reg.Object(key), at: "objects." + key, fail: fail}
		if key != access.Everything && (c.obj == nil || c.obj.Virtual) {
			fail("object_unknown", c.at, fault.Params{"object": key})
			continue
		}
		c.grants(d.Objects[key])
	}
	if f := fault.Join("rights.invalid", bad); f != nil {
		return f
	}
	return nil
}

// checking is the grants of one object on their way through checkRole; obj is nil for those of everything else.
type checking struct {
	s    *Service
	obj  *schema.Object
	at   string
	fail func(code, at string, p fault.Params)
}

func (c *checking) grants(g access.Grants) {
	reads := g.Actions[access.Read].Scope
	for _, a := range slices.Sorted(maps.Keys(g.Actions)) {
		at := c.at + ".actions." + string(a)
		if a.Right() == "" {
			c.fail("action_unknown", at, fault.Params{"action": string(a)})
			continue
		}
		c.grant(g.Actions[a], at)
		if s := g.Actions[a].Scope; a != access.Read && s != access.None && s != "" && (reads == "" || reads == access.None) {
			c.fail("read_first", at, nil)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(g.Fields)) {
		c.field(key, g, c.at+".fields."+key)
	}
}

func (c *checking) grant(g access.Grant, at string) {
	if g.Scope != "" && !slices.Contains(access.Scopes(), g.Scope) {
		c.fail("scope_unknown", at, fault.Params{"scope": string(g.Scope)})
	}
	switch {
	case g.Scope == access.Customer && (c.obj == nil || c.obj.CustomerField == "" || c.obj.Key == query.Customer):
		c.fail("no_customer", at, nil)
	case g.Scope != access.Condition && g.Where != nil:
		c.fail("where_unused", at, nil)
	case g.Scope != access.Condition:
	case c.obj == nil:
		c.fail("where_of_all", at, nil)
	case g.Where == nil:
		c.fail("where_needed", at, nil)
	default:
		c.where(g.Where, at+".where")
	}
}

func (c *checking) where(where *query.Node, at string) {
	env := c.s.cfg.Env()
	env.Object, env.Use, env.Can = c.obj.Key, query.ForRight, nil
	err := query.Check(where, env)
	if err == nil && c.s.cfg.Answerable != nil {
		err = c.s.cfg.Answerable(c.obj.Key, where)
	}
	if f, ok := fault.Find(err); ok {
		c.fail("where_wrong", at, fault.Params{"reason": f.Code})
	} else if err != nil {
		c.fail("where_wrong", at, fault.Params{"reason": "query.invalid"})
	}
}

func (c *checking) field(key string, g access.Grants, at string) {
	x := g.Fields[key]
	if c.obj == nil {
		c.fail("fields_of_all", at, nil)
		return
	}
	f := c.obj.Field(key)
	if f == nil || schema.System(key) == f {
		c.fail("field_unknown", at, fault.Params{"field": key})
		return
	}
	switch x {
	case access.FieldHidden, access.FieldMasked, access.FieldRead, access.FieldWrite:
	default:
		c.fail("field_access", at, nil)
		return
	}
	if (x == access.FieldHidden || x == access.FieldMasked) && (key == c.obj.TitleField || key == c.obj.CustomerField) {
		c.fail("field_needed", at, fault.Params{"label": f.Label})
	}
	creates := g.Actions[access.Create].Scope
	if x != access.FieldWrite && f.Required && f.Default == nil && f.Type != schema.AutoNumber && creates != "" && creates != access.None {
		c.fail("field_required", at, fault.Params{"label": f.Label})
	}
}

// MayGive refuses a role that the actor may not hand out: one that there is not, and one that reaches further than the
// actor's own. Administrators hand out every role.
func (s *Service) MayGive(ctx context.Context, role access.Role) error {
	a := access.From(ctx)
	def := access.Builtin(role)
	if def == nil {
		_, r, err := s.role(ctx, role)
		if err != nil {
			return fault.InvalidField("auth.role_unknown", "role", nil)
		}
		def = &r.Definition
	}
	if a.Role == access.Administrator {
		return nil
	}
	own := access.Builtin(a.Role)
	if a.Held != nil {
		own = a.Held.Role
	}
	if role == access.Administrator || own == nil || !within(def, own) {
		return fault.New(fault.Forbidden, "rights.role_beyond", nil)
	}
	return nil
}

// within reports whether a role reaches nowhere that another does not. Scopes that cannot be compared count as further.
func within(d, of *access.Definition) bool {
	for _, r := range d.Rights {
		if !of.Can(r) {
			return false
		}
	}
	objects := map[string]bool{access.Everything: true}
	for _, m := range []map[string]access.Grants{d.Objects, of.Objects} {
		for k := range m {
			objects[k] = true
		}
	}
	for k := range objects {
		a, b := d.Of(k), of.Of(k)
		for _, x := range access.Actions() {
			if !reachesNoFurther(a.Actions[x], b.Actions[x]) {
				return false
			}
		}
		for field, level := range b.Fields {
			given, ok := a.Fields[field]
			if !ok {
				given = access.FieldWrite
			}
			if fieldRank(given) > fieldRank(level) {
				return false
			}
		}
	}
	return true
}

func reachesNoFurther(a, b access.Grant) bool {
	ranks := map[access.Scope]int{"": 0, access.None: 0, access.Own: 1, access.Team: 2, access.Department: 2, access.All: 9}
	ra, known := ranks[a.Scope]
	rb, comparable := ranks[b.Scope]
	switch {
	case b.Scope == access.All || known && ra == 0:
		return true
	case a.Scope == b.Scope:
		return a.Scope != access.Condition || same(a.Where, b.Where)
	}
	return known && comparable && ra < rb
}

func same(a, b *query.Node) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func fieldRank(x access.FieldAccess) int {
	return slices.Index([]access.FieldAccess{access.FieldHidden, access.FieldMasked, access.FieldRead, access.FieldWrite}, x)
}

// Uses tells the name of a made role whose conditions no longer check against a registry, although they do against the one of
// now; "" when there is none.
func (s *Service) Uses(ctx context.Context, next *schema.Registry) (string, error) {
	st, err := s.now(ctx)
	if err != nil {
		return "", err
	}
	checks := func(reg *schema.Registry, object string, where *query.Node) bool {
		env := s.cfg.Env()
		env.Registry, env.Object, env.Use, env.Can = reg, object, query.ForRight, nil
		return reg.Object(object) != nil && query.Check(where, env) == nil
	}
	for _, r := range st.roles {
		for object, g := range r.Objects {
			for _, x := range g.Actions {
				if x.Where != nil && checks(s.cfg.Registry(), object, x.Where) && next.Object(object) != nil && !checks(next, object, x.Where) {
					return r.Name, nil
				}
			}
		}
	}
	return "", nil
}

// CheckRole refuses a definition as CreateRole and ChangeRole would, under another registry than the one at work.
func (s *Service) CheckRole(ctx context.Context, d access.Definition, reg *schema.Registry) error {
	st, err := s.now(ctx)
	if err != nil {
		return err
	}
	cfg := s.cfg
	cfg.Registry, cfg.Answerable = func() *schema.Registry { return reg }, nil
	cfg.Env = func() query.CheckEnv {
		env := s.cfg.Env()
		env.Registry = reg
		return env
	}
	return New(cfg).checkRole(st, &d)
}

package rights

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// UnitPrefix is the prefix of printed ids of units.
const UnitPrefix = "unt"

// Units are all departments and teams by place and name. Whoever works here may know them.
func (s *Service) Units(ctx context.Context) ([]Unit, error) {
	st, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Unit, 0, len(st.order))
	for _, v := range st.order {
		out = append(out, *st.units[v])
	}
	slices.SortStableFunc(out, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Belonging are a person and the units that what is shared reaches the person through, nearest first: teams, departments, then those above.
func (s *Service) Belonging(ctx context.Context, person id.ID) ([]Grantee, error) {
	st, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	out := st.grantees(person)
	depth := func(g Grantee) int {
		n := 0
		for u := st.units[g.ID]; u != nil && u.Parent != 0 && n < len(st.units); u = st.units[u.Parent] {
			n++
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b Grantee) int {
		if a.Kind != Department || b.Kind != Department {
			return 0
		}
		return depth(b) - depth(a)
	})
	return out, nil
}

// UnitChange names what to change; nil leaves a thing as it is.
type UnitChange struct {
	Name        *string
	Parent      *id.ID
	Position    *int
	Add, Remove []id.ID // people
	Head        *id.ID  // 0 for nobody
	Version     int64   // that the caller saw, 0 for any
}

// CreateUnit makes a department or a team.
func (s *Service) CreateUnit(ctx context.Context, kind Kind, c UnitChange) (Unit, error) {
	if err := allow(ctx, access.UserManage); err != nil {
		return Unit{}, err
	}
	if kind != Department && kind != Team {
		return Unit{}, fault.InvalidField("rights.unit_kind", "kind", nil)
	}
	st, err := s.now(ctx)
	if err != nil {
		return Unit{}, err
	}
	if len(st.units) >= maxUnits {
		return Unit{}, fault.New(fault.Conflict, "rights.too_many_units", fault.Params{"max": maxUnits})
	}
	u := Unit{ID: s.cfg.IDs.Next(), Kind: kind, Version: 1, Position: len(st.units)}
	if c.Name == nil {
		c.Name = new(string)
	}
	return s.put(ctx, st, u, c, "unit.create")
}

// ChangeUnit renames and moves a unit, and changes who is in it.
func (s *Service) ChangeUnit(ctx context.Context, unit id.ID, c UnitChange) (Unit, error) {
	if err := allow(ctx, access.UserManage); err != nil {
		return Unit{}, err
	}
	st, u, err := s.unit(ctx, unit)
	if err != nil {
		return Unit{}, err
	}
	if c.Version != 0 && c.Version != u.Version {
		return Unit{}, fault.New(fault.Stale, "rights.stale", nil)
	}
	u.Version++
	return s.put(ctx, st, u, c, "unit.update")
}

func (s *Service) unit(ctx context.Context, unit id.ID) (*state, Unit, error) {
	st, err := s.now(ctx)
	if err != nil {
		return nil, Unit{}, err
	}
	u := st.units[unit]
	if u == nil {
		return nil, Unit{}, fault.New(fault.NotFound, "rights.unit_unknown", nil)
	}
	return st, *u, nil
}

func (s *Service) put(ctx context.Context, st *state, u Unit, c UnitChange, action string) (Unit, error) {
	var bad []*fault.Fault
	if c.Name != nil {
		u.Name = strings.TrimSpace(*c.Name)
		if n := utf8.RuneCountInString(u.Name); n == 0 || n > maxName {
			bad = append(bad, fault.InvalidField("rights.name_length", "name", fault.Params{"max": maxName}))
		}
	}
	if c.Position != nil {
		u.Position = *c.Position
	}
	if c.Parent != nil && *c.Parent != 0 {
		p := st.units[*c.Parent]
		switch {
		case u.Kind != Department || p == nil || p.Kind != Department:
			bad = append(bad, fault.InvalidField("rights.unit_parent", "parent", nil))
		case p.ID == u.ID || st.under(p.ID, map[id.ID]bool{u.ID: true}):
			bad = append(bad, fault.InvalidField("rights.unit_circle", "parent", nil))
		}
	}
	if c.Parent != nil {
		u.Parent = *c.Parent
	}
	if c.Head != nil {
		if *c.Head != 0 {
			if _, err := s.cfg.People.Member(ctx, *c.Head); err != nil {
				bad = append(bad, fault.InvalidField("rights.person_unknown", "head", nil))
			}
		}
		u.Head = *c.Head
	}
	for _, v := range c.Add {
		if _, err := s.cfg.People.Member(ctx, v); err != nil {
			bad = append(bad, fault.InvalidField("rights.person_unknown", "add", nil))
			break
		}
	}
	if f := fault.Join("rights.invalid", bad); f != nil {
		return Unit{}, f
	}
	if err := s.cfg.Store.PutUnit(ctx, u); err != nil {
		return Unit{}, err
	}
	if len(c.Add)+len(c.Remove) > 0 {
		if err := s.cfg.Store.ChangeMembers(ctx, places(u.ID, c.Add), places(u.ID, c.Remove)); err != nil {
			return Unit{}, err
		}
	}
	err := s.changed(ctx, action, "unit", u.ID, map[string]any{"kind": string(u.Kind), "name": u.Name, "added": printed(c.Add), "removed": printed(c.Remove)})
	if err != nil {
		return Unit{}, err
	}
	_, u, err = s.unit(ctx, u.ID)
	return u, err
}

func places(unit id.ID, people []id.ID) []Place {
	out := make([]Place, len(people))
	for i, v := range people {
		out[i] = Place{unit, v}
	}
	return out
}

// printed are ids of people for the trail.
func printed(people []id.ID) []string {
	out := make([]string, len(people))
	for i, v := range people {
		out[i] = id.Format("usr", v)
	}
	return out
}

// DeleteUnit removes a team, or a department without any below it. What was shared with it is shared no more.
func (s *Service) DeleteUnit(ctx context.Context, unit id.ID) error {
	if err := allow(ctx, access.UserManage); err != nil {
		return err
	}
	st, u, err := s.unit(ctx, unit)
	if err != nil {
		return err
	}
	for _, other := range st.units {
		if other.Parent == unit {
			return fault.New(fault.Conflict, "rights.unit_has_units", fault.Params{"name": other.Name})
		}
	}
	if err := s.cfg.Store.DeleteUnit(ctx, unit); err != nil {
		return err
	}
	return s.changed(ctx, "unit.delete", "unit", unit, map[string]any{"kind": string(u.Kind), "name": u.Name})
}

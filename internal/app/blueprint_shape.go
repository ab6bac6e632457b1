package app

import (
	"context"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/blueprint"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
)

// uniqueItem is a unique rule in the document: where its check stands is not part of the configuration.
type uniqueItem struct {
	Label  schema.Label `json:"label"`
	Fields []string     `json:"fields"`
	Off    bool         `json:"off,omitempty"`
}

// everyone is the name of the layout for everyone in a document.
const everyone = "default"

// roleName is what a document calls the role of a layout; false for a role that is gone or not told to the reader.
func (b blueprints) roleName(ctx context.Context, key string) (string, bool, error) {
	switch actor := access.From(ctx); {
	case key == "":
		return everyone, true, nil
	case access.Role(key).Known():
		return key, true, nil
	case !actor.Can(access.RoleManage) && !actor.Can(access.UserManage):
		return key, false, nil
	}
	names, err := b.w.edge.Rights.Names(ctx)
	name, ok := names[access.Role(key)]
	return name, ok, err
}

// roleKey is the opposite.
func roleKey(g *gathered, name string) string {
	if r, ok := g.roles[name]; ok {
		return string(r.Key)
	}
	if name == everyone {
		return ""
	}
	return name
}

// gatherShape adds the unique rules and layouts of an object. A layout whose role is gone, or is not told to the reader, stays here.
func (b blueprints) gatherShape(ctx context.Context, g *gathered, object string, spec *schema.ObjectSpec) error {
	for _, u := range spec.UniqueRules {
		item := uniqueItem{u.Label, u.Fields, u.State == schema.UniqueOff}
		if err := b.put(g, false, item, blueprint.Objects, object, blueprint.Uniques, u.Key); err != nil {
			return err
		}
	}
	for _, l := range spec.Layouts {
		name, told, err := b.roleName(ctx, l.Role)
		if err != nil {
			return err
		}
		if !told {
			g.LeftOut = append(g.LeftOut, blueprint.Pointer(blueprint.Objects, object, blueprint.Layouts, l.Role))
			continue
		}
		l.Role = ""
		if err := b.put(g, false, l, blueprint.Objects, object, blueprint.Layouts, name); err != nil {
			return err
		}
	}
	return nil
}

// unique puts one unique rule among those of its object; without an item it is switched off.
func (s *shaping) unique(object, key string, item blueprint.Item) error {
	obj := s.reg().Object(object)
	if obj == nil {
		return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
	}
	var want uniqueItem
	if err := read(item, &want); err != nil {
		return err
	}
	rule := schema.UniqueRule{Key: key, Label: want.Label, Fields: want.Fields}
	if want.Off {
		rule.State = schema.UniqueOff
	}
	rules := []schema.UniqueRule{}
	found := false
	for _, r := range obj.UniqueRules {
		one := *r
		if r.Key == key {
			found = true
			if item == nil {
				one.State = schema.UniqueOff
			} else {
				one = rule
			}
		}
		rules = append(rules, one)
	}
	if !found {
		rules = append(rules, rule)
	}
	return s.all.UpdateObject(s.ctx, object, metadata.ObjectChange{UniqueRules: rules})
}

// layouts are the steps that set the chosen layouts, behind the roles that they are for. With a registry they only check.
func (m *importing) layouts(next *schema.Registry) (steps []step) {
	coming := maps.Clone(m.g.roles)
	for _, d := range m.of(blueprint.Roles) {
		name := blueprint.Parts(d.Pointer)[1]
		if _, ok := coming[name]; !ok {
			r := coming[name]
			r.Key = access.Role(name)
			coming[name] = r
		}
	}
	for _, d := range m.of(blueprint.Objects) {
		parts := blueprint.Parts(d.Pointer)
		if parts[2] != blueprint.Layouts || d.Change == blueprint.OnlyHere {
			continue
		}
		steps = append(steps, step{d.Pointer, func() error {
			var l schema.Layout
			if err := read(d.After, &l); err != nil {
				return err
			}
			l.Role = roleKey(m.g, parts[3])
			if _, ok := coming[parts[3]]; !ok && l.Role != "" && !access.Role(l.Role).Known() {
				return fault.New(fault.NotFound, "rights.role_unknown", fault.Params{"role": parts[3]})
			}
			if next != nil {
				return metadata.CheckLayout(next.Object(parts[1]), &l)
			}
			if l.Role == parts[3] && !access.Role(l.Role).Known() { // made by this import
				names, err := m.w.edge.Rights.Names(m.ctx)
				if err != nil {
					return err
				}
				keys := slices.Collect(maps.Keys(names))
				if i := slices.IndexFunc(keys, func(k access.Role) bool { return names[k] == parts[3] }); i >= 0 {
					l.Role = string(keys[i])
				}
			}
			return m.w.metadata.SetLayout(m.ctx, parts[1], l)
		}})
	}
	return steps
}

package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/blueprint"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
	"github.com/guanxi-crm/guanxi/internal/record/view"
)

// blueprints are the configuration of a workspace as a document.
type blueprints struct{ w *workspace }

// Export implements api.Blueprints.
func (b blueprints) Export(ctx context.Context) ([]byte, error) {
	now, err := b.gather(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.w.app.auth.Note(ctx, b.w.info.Key, "config.export", "", 0, map[string]any{"items": len(now.Items)}); err != nil {
		return nil, err
	}
	return blueprint.Print(now.Document)
}

// Compare implements api.Blueprints.
func (b blueprints) Compare(ctx context.Context, file, with []byte) (api.Differences, error) {
	theirs, err := blueprint.Parse(file)
	if err != nil {
		return api.Differences{}, err
	}
	var ours blueprint.Document
	if with != nil {
		ours, err = blueprint.Parse(with)
	} else {
		var now *gathered
		if now, err = b.gather(ctx); err == nil {
			ours = now.Document
		}
	}
	if err != nil {
		return api.Differences{}, err
	}
	out := api.Differences{Items: []api.Difference{}, LeftOut: ours.LeftOut}
	for _, d := range blueprint.Compare(ours, theirs) {
		x := api.Difference{Path: d.Pointer, Change: string(d.Change), Archivable: d.Change == blueprint.OnlyHere && archivable(d), Label: labelOf(d)}
		for _, m := range d.Members {
			x.Members = append(x.Members, api.DifferentMember(m))
		}
		out.Items = append(out.Items, x)
	}
	return out, nil
}

// labelOf is what people call an item.
func labelOf(d blueprint.Difference) schema.Label {
	from := d.After
	if from == nil {
		from = d.Before
	}
	for _, key := range []string{"label", "message", "name"} {
		switch v := from[key].(type) {
		case string:
			return schema.Label{"zh-CN": v, "en": v}
		case map[string]any:
			out := schema.Label{}
			for l, text := range v {
				if s, ok := text.(string); ok {
					out[lang.Locale(l)] = s
				}
			}
			return out
		}
	}
	return nil
}

// archivable reports whether what is only here can be taken out of use without losing anything.
func archivable(d blueprint.Difference) bool {
	parts := blueprint.Parts(d.Pointer)
	if parts[0] != blueprint.Objects {
		return false
	}
	switch parts[2] {
	case blueprint.Settings:
		return d.Before["made_here"] == true
	case blueprint.Fields:
		return d.Before["type"] != nil
	}
	return d.Before["off"] != true
}

// gathered is the configuration of now with what is needed to change it.
type gathered struct {
	blueprint.Document
	rows   []metadata.Row
	views  map[string]view.View        // by pointer
	roles  map[string]rights.Role      // by name
	units  map[string]map[string]id.ID // by section and path
	usual  map[string]string           // key of everybody's default view by object
	byView map[string]string           // pointer by view key
	waits  map[string]approval.Process // by pointer
	rules  map[string]automation.Rule  // by name
}

func (b blueprints) gather(ctx context.Context) (*gathered, error) {
	g := &gathered{Document: blueprint.Document{Items: map[string]blueprint.Item{}}, views: map[string]view.View{}, roles: map[string]rights.Role{},
		units: map[string]map[string]id.ID{blueprint.Departments: {}, blueprint.Teams: {}}, usual: map[string]string{}, byView: map[string]string{}, waits: map[string]approval.Process{}, rules: map[string]automation.Rule{}}
	for _, part := range []func(context.Context, *gathered) error{b.gatherObjects, b.gatherViews, b.gatherInsight, b.gatherRights, b.gatherProcesses, b.gatherAutomations, b.gatherPlays} {
		if err := part(ctx, g); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// put adds an item, or notes that it cannot be carried.
func (b blueprints) put(g *gathered, personal bool, item any, parts ...string) error {
	at := blueprint.Pointer(parts...)
	m, err := asItem(item)
	if err != nil || len(m) == 0 {
		return err
	}
	if personal || namesOne(m) {
		g.LeftOut = append(g.LeftOut, at)
		return nil
	}
	g.Items[at] = m
	return nil
}

// asItem is a value as JSON, without members that say nothing.
func asItem(v any) (blueprint.Item, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var m blueprint.Item
	if err := dec.Decode(&m); err != nil {
		return nil, err
	}
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil || v == "" })
	return m, nil
}

// namesOne reports a value that is the id of a record or a person.
func namesOne(v any) bool {
	switch v := v.(type) {
	case string:
		_, _, err := id.ParseAny(v)
		return err == nil
	case []any:
		return slices.ContainsFunc(v, namesOne)
	case map[string]any:
		for _, x := range v {
			if namesOne(x) {
				return true
			}
		}
	}
	return false
}

// personal reports a condition on a personal field: its value would be somebody's.
func (b blueprints) personal(object string, where *query.Node) bool {
	found := false
	query.Walk(where, func(n *query.Node, _ string) bool {
		parts := strings.Split(n.Field, ".")
		for _, o := range b.w.registry().Objects() {
			if f := o.Field(parts[len(parts)-1]); f != nil && f.Personal && n.Value != nil && (len(parts) > 1 || o.Key == object) {
				found = true
			}
		}
		if n.Record != "" && n.Where != nil {
			found = found || b.personal(n.Record, n.Where)
		}
		return true
	})
	return found
}

func (b blueprints) gatherObjects(ctx context.Context, g *gathered) (err error) {
	if g.rows, err = b.w.metadata.Stored(system(ctx)); err != nil {
		return err
	}
	reg := b.w.registry()
	for _, r := range g.rows {
		obj := reg.Object(r.Object)
		if obj == nil {
			continue
		}
		if r.Field != "" {
			if err := b.gatherField(g, obj, r); err != nil {
				return err
			}
			continue
		}
		var spec schema.ObjectSpec
		if err := json.Unmarshal(r.Spec, &spec); err != nil {
			return err
		}
		for _, rule := range spec.Rules {
			key := rule.Key
			rule.Key = ""
			if err := b.put(g, false, rule, blueprint.Objects, r.Object, blueprint.Rules, key); err != nil {
				return err
			}
		}
		if err := b.gatherShape(ctx, g, r.Object, &spec); err != nil {
			return err
		}
		spec.Prefix, spec.Physical, spec.Rules, spec.UniqueRules, spec.Layouts = "", "", nil, nil, nil
		if err := b.put(g, false, spec, blueprint.Objects, r.Object, blueprint.Settings); err != nil {
			return err
		}
	}
	for _, obj := range reg.Tables() {
		at := blueprint.Pointer(blueprint.Objects, obj.Key, blueprint.Settings)
		item := g.Items[at]
		if item == nil {
			item = blueprint.Item{}
		}
		if order := ownOrder(obj); len(order) > 1 {
			item["field_order"] = order
		}
		if !obj.Standard {
			item["made_here"] = true
		}
		if len(item) > 0 {
			g.Items[at] = item
		}
	}
	return nil
}

// ownOrder are the fields made at run time in their order.
func ownOrder(obj *schema.Object) []any {
	var out []any
	for _, f := range obj.Fields {
		if f.Custom {
			out = append(out, f.Key)
		}
	}
	return out
}

func (b blueprints) gatherField(g *gathered, obj *schema.Object, r metadata.Row) error {
	f := obj.Field(r.Field)
	if f == nil {
		return nil
	}
	var spec schema.FieldSpec
	if err := json.Unmarshal(r.Spec, &spec); err != nil || spec.Archived {
		return err
	}
	spec.Key, spec.Physical, spec.Pinyin = "", "", false
	if f.Type == schema.Relation || f.Type == schema.User { // a default of these is a record or a person
		spec.Default = nil
	}
	personal := false
	for _, raw := range []json.RawMessage{spec.ShownWhen, spec.RequiredWhen} {
		if len(raw) == 0 {
			continue
		}
		where, err := query.Parse(raw)
		if err != nil {
			return err
		}
		personal = personal || b.personal(obj.Key, where)
	}
	if spec.Rollup != nil && len(spec.Rollup.Where) > 0 {
		where, err := query.Parse(spec.Rollup.Where)
		if err != nil {
			return err
		}
		personal = personal || b.personal(spec.Rollup.Object, where)
	}
	return b.put(g, personal, spec, blueprint.Objects, obj.Key, blueprint.Fields, r.Field)
}

// viewItem is a shared view in the document.
type viewItem struct {
	Name     string        `json:"name"`
	Kind     view.Kind     `json:"kind"`
	Columns  []string      `json:"columns"`
	Where    *query.Node   `json:"where"`
	Sort     []schema.Sort `json:"sort"`
	Options  view.Settings `json:"options"`
	Pinned   bool          `json:"pinned"`
	Position int           `json:"position"`
}

func (b blueprints) gatherViews(ctx context.Context, g *gathered) error {
	for _, obj := range b.w.registry().Tables() {
		views, usual, err := b.w.edge.Views.Shared(system(ctx), obj.Key)
		if err != nil {
			return err
		}
		slices.SortFunc(views, func(a, b view.View) int { return cmp.Compare(a.ID, b.ID) })
		for _, v := range views {
			at := blueprint.Pointer(blueprint.Views, obj.Key, v.Name)
			key := v.Name
			for n := 2; ; n++ {
				if _, taken := g.views[at]; !taken {
					break
				}
				key = v.Name + "#" + strconv.Itoa(n)
				at = blueprint.Pointer(blueprint.Views, obj.Key, key)
			}
			g.views[at], g.byView[v.Key()] = v, at
			item := viewItem{v.Name, v.Kind, v.Columns, v.Where, v.Sort, v.Options, v.Pinned, v.Position}
			if err := b.put(g, b.personal(obj.Key, v.Where), item, blueprint.Views, obj.Key, key); err != nil {
				return err
			}
		}
		g.usual[obj.Key] = usual
		if usual == "" {
			continue
		}
		var named map[string]any
		if builtin, ok := strings.CutPrefix(usual, "builtin:"); ok {
			named = map[string]any{"builtin": builtin}
		} else if at := g.byView[usual]; g.Items[at] != nil {
			named = map[string]any{"view": blueprint.Parts(at)[2]}
		} else { // the view itself cannot be carried
			continue
		}
		g.Items[blueprint.Pointer(blueprint.DefaultViews, obj.Key)] = named
	}
	return nil
}

func (b blueprints) gatherInsight(ctx context.Context, g *gathered) error {
	if !access.From(ctx).Can(access.SegmentRead) {
		g.LeftOut = append(g.LeftOut, "/"+blueprint.Segments, "/"+blueprint.Classifications)
		return nil
	}
	segs, err := b.w.segments.List(ctx)
	if err != nil {
		return err
	}
	for _, s := range segs {
		item := map[string]any{"label": s.Label, "description": s.Description, "kind": s.Kind, "where": s.Where}
		if err := b.put(g, b.personal(query.Customer, s.Where), item, blueprint.Segments, s.Key); err != nil {
			return err
		}
	}
	classes, err := b.w.classes.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range classes {
		personal := slices.ContainsFunc(c.Classes, func(x classify.Class) bool { return b.personal(query.Customer, x.Where) })
		item := map[string]any{"label": c.Label, "description": c.Description, "classes": c.Classes}
		if err := b.put(g, personal, item, blueprint.Classifications, c.Key); err != nil {
			return err
		}
	}
	s, err := b.w.settings(ctx)
	if err != nil {
		return err
	}
	rfm := map[string]any{"monetary": s.Monetary, "mode": s.Mode}
	if s.Mode == "saved" {
		rfm["cuts"] = showCuts(s.Cuts)
	}
	for key, item := range map[string]any{"purchases": map[string]any{"statuses": s.Statuses}, "anchor": map[string]any{"day": s.Anchor}, "rfm": rfm} {
		if err := b.put(g, false, item, blueprint.Analysis, key); err != nil {
			return err
		}
	}
	return nil
}

func (b blueprints) gatherRights(ctx context.Context, g *gathered) error {
	actor := access.From(ctx)
	if !actor.Can(access.RoleManage) && !actor.Can(access.UserManage) {
		g.LeftOut = append(g.LeftOut, "/"+blueprint.Roles, "/"+blueprint.Departments, "/"+blueprint.Teams)
		return nil
	}
	roles, err := b.w.edge.Rights.Roles(ctx)
	if err != nil {
		return err
	}
	for _, r := range roles {
		g.roles[r.Name] = r
		if r.Broken {
			g.LeftOut = append(g.LeftOut, blueprint.Pointer(blueprint.Roles, r.Name))
			continue
		}
		d := r.Definition
		d.Key = ""
		d.Rights = slices.Sorted(slices.Values(d.Rights))
		if err := b.put(g, b.personalRole(d), d, blueprint.Roles, r.Name); err != nil {
			return err
		}
	}
	units, err := b.w.edge.Rights.Units(ctx)
	if err != nil {
		return err
	}
	byID := map[id.ID]rights.Unit{}
	for _, u := range units {
		byID[u.ID] = u
	}
	slices.SortFunc(units, func(a, b rights.Unit) int { return cmp.Compare(a.ID, b.ID) })
	for _, u := range units {
		section, path := blueprint.Teams, blueprint.Escape(u.Name)
		if u.Kind == rights.Department {
			section = blueprint.Departments
			for up, n := byID[u.Parent], 0; up.ID != 0 && n < len(units); up, n = byID[up.Parent], n+1 {
				path = blueprint.Escape(up.Name) + "/" + path
			}
		}
		if _, twice := g.units[section][path]; twice {
			g.LeftOut = append(g.LeftOut, blueprint.Pointer(section, path))
			continue
		}
		g.units[section][path] = u.ID
		if err := b.put(g, false, map[string]any{"name": u.Name, "position": u.Position}, section, path); err != nil {
			return err
		}
	}
	return nil
}

// personalRole reports a role with a condition that names personal values.
func (b blueprints) personalRole(d access.Definition) bool {
	for object, g := range d.Objects {
		for _, x := range g.Actions {
			if b.personal(object, x.Where) {
				return true
			}
		}
	}
	return false
}

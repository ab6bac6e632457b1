package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/blueprint"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
	"github.com/guanxi-crm/guanxi/internal/record/view"
)

// errDry ends a dry run of a change of metadata.
var errDry = errors.New("dry run")

// Import implements api.Blueprints. Everything chosen is checked against the metadata as it would be before anything is written, and
// everything that is wrong is told together. It happens whole or not at all, also when the process ends in the middle (see whole).
func (b blueprints) Import(ctx context.Context, file []byte, chosen []string, dry bool) (int, error) {
	theirs, err := blueprint.Parse(file)
	if err != nil {
		return 0, err
	}
	m, err := b.ready(ctx, theirs, chosen)
	if err != nil || dry || len(m.chosen) == 0 {
		if m == nil {
			return 0, err
		}
		return len(m.chosen), err
	}
	err = b.w.whole(ctx, func() error {
		if m, err = b.ready(ctx, theirs, chosen); err != nil { // somebody may have changed something since
			return err
		}
		_, bad, err := m.shape(false)
		if err == nil && len(bad) == 0 {
			bad, err = m.rest()
		}
		return errors.Join(err, joinedProblems(bad))
	})
	if err != nil {
		return 0, err
	}
	b.w.traits.Notify()
	paths := make([]string, len(m.chosen))
	for i, d := range m.chosen {
		paths[i] = d.Pointer
	}
	return len(m.chosen), b.w.app.auth.Note(ctx, b.w.info.Key, "config.import", "", 0, map[string]any{"paths": paths})
}

// ready compares a document with what is here, picks what is chosen and checks all of it. The import is there with the fault too.
func (b blueprints) ready(ctx context.Context, theirs blueprint.Document, chosen []string) (*importing, error) {
	g, err := b.gather(ctx)
	if err != nil {
		return nil, err
	}
	m := &importing{blueprints: b, ctx: ctx, g: g}
	bad := m.choose(blueprint.Compare(g.Document, theirs), chosen)
	next, more, err := m.shape(true)
	if err != nil {
		return nil, err
	}
	return m, joinedProblems(slices.Concat(bad, more, m.check(next)))
}

// joinedProblems is nil without problems; even a single one is told with its place.
func joinedProblems(bad []*fault.Fault) error {
	if len(bad) == 0 {
		return nil
	}
	return &fault.Fault{Kind: fault.Invalid, Code: "blueprint.invalid", Items: bad}
}

// importing is one import on its way.
type importing struct {
	blueprints
	ctx    context.Context
	g      *gathered
	chosen []blueprint.Difference
}

// choose picks the differences to make and refuses those that cannot be made by anybody or not by the actor.
func (m *importing) choose(all []blueprint.Difference, chosen []string) []*fault.Fault {
	var bad []*fault.Fault
	for _, d := range all {
		if chosen != nil && !slices.Contains(chosen, d.Pointer) || chosen == nil && d.Change == blueprint.OnlyHere {
			continue
		}
		if d.Change == blueprint.OnlyHere && !archivable(d) {
			bad = append(bad, fault.InvalidField("blueprint.stays", d.Pointer, nil))
			continue
		}
		if slices.ContainsFunc(m.g.LeftOut, func(p string) bool { return p == d.Pointer }) {
			bad = append(bad, fault.InvalidField("blueprint.left_out", d.Pointer, nil))
			continue
		}
		if right := needs(blueprint.Parts(d.Pointer)[0]); !access.From(m.ctx).Can(right) {
			bad = append(bad, fault.InvalidField("blueprint.forbidden", d.Pointer, fault.Params{"right": string(right)}))
			continue
		}
		m.chosen = append(m.chosen, d)
	}
	return bad
}

// needs is the right to change a section.
func needs(section string) access.Right {
	switch section {
	case blueprint.Views, blueprint.DefaultViews:
		return access.ViewShare
	case blueprint.Segments:
		return access.SegmentWrite
	case blueprint.Classifications, blueprint.Analysis, blueprint.Plays:
		return access.ClassificationEdit
	case blueprint.Roles:
		return access.RoleManage
	case blueprint.Departments, blueprint.Teams:
		return access.UserManage
	case blueprint.Automations:
		return access.AutomationManage
	}
	return access.SchemaManage
}

// of are the chosen differences of a section.
func (m *importing) of(section string) (out []blueprint.Difference) {
	for _, d := range m.chosen {
		if blueprint.Parts(d.Pointer)[0] == section {
			out = append(out, d)
		}
	}
	return out
}

// shape changes the metadata, or only tells what it would be.
func (m *importing) shape(dry bool) (*schema.Registry, []*fault.Fault, error) {
	mine := m.of(blueprint.Objects)
	if len(mine) == 0 {
		return m.w.registry(), nil, nil
	}
	var bad []*fault.Fault
	next, err := m.w.metadata.Together(m.ctx, dry, func(all *metadata.Service) (err error) {
		s := shaping{ctx: m.ctx, all: all, g: m.g, reg: all.Drafted, chosen: mine}
		if bad, err = s.run(); err == nil && len(bad) > 0 {
			err = errDry
		}
		return err
	})
	if next == nil {
		next = m.w.registry()
	}
	if errors.Is(err, errDry) { // the registry has what could be made
		return next, bad, nil
	}
	if found := problemsAt("/"+blueprint.Objects, err); err != nil && found != nil {
		return next, found, nil
	}
	return next, nil, err
}

// future is the vocabulary as it will be after an import.
type future struct {
	language
	reg  *schema.Registry
	segs map[string]segment.Segment
}

func (f *future) env(ctx context.Context, object, self string) query.CheckEnv {
	env := f.vocabulary.env(ctx, object, self)
	env.Registry, env.Can = f.reg, access.Asking(access.From(ctx), f.reg)
	if env.Segments != nil {
		env.Segments = f
	}
	return env
}

// Segment implements query.Segments.
func (f *future) Segment(key string) (query.Segment, bool) {
	s, ok := f.segs[key]
	if !ok {
		return f.vocabulary.Segment(key)
	}
	out := query.Segment{Key: key, Label: schema.Label{"zh-CN": s.Label, "en": s.Label}}
	if s.Kind == segment.Dynamic {
		out.Where = s.Where
	}
	return out, true
}

// Check implements segment.Language and classify.Language.
func (f *future) Check(ctx context.Context, where *query.Node, self string) error {
	env := f.env(ctx, query.Customer, self)
	env.Use = query.ForSegment
	return query.Check(where, env)
}

func (f *future) list(ctx context.Context, object string, where *query.Node) error {
	if where == nil {
		return nil
	}
	return query.Check(where, f.env(ctx, object, ""))
}

// check finds what stands against the parts that are no metadata, under the metadata as it would be.
func (m *importing) check(next *schema.Registry) []*fault.Fault {
	f := &future{language: language{m.w.words}, reg: next, segs: map[string]segment.Segment{}}
	var steps []step
	add := func(d blueprint.Difference, run func() error) { steps = append(steps, step{d.Pointer, run}) }
	for _, d := range m.of(blueprint.Segments) {
		seg, err := segmentOf(d)
		if err == nil {
			f.segs[seg.Key] = seg
		}
		add(d, func() error {
			if err != nil {
				return err
			}
			return m.w.segments.Check(m.ctx, seg, f)
		})
	}
	for _, d := range m.of(blueprint.Classifications) {
		add(d, func() error {
			c, err := m.classOf(d)
			if err != nil {
				return err
			}
			return m.w.classes.Check(m.ctx, c, f)
		})
	}
	for _, d := range m.of(blueprint.Views) {
		add(d, func() error {
			v, err := viewOf(d)
			if err != nil {
				return err
			}
			return m.w.edge.Views.Check(m.ctx, v, next, f.list)
		})
	}
	for _, d := range m.of(blueprint.Roles) {
		add(d, func() error {
			def, err := m.roleOf(d)
			if err != nil {
				return err
			}
			return m.w.edge.Rights.CheckRole(m.ctx, def, next)
		})
	}
	for _, d := range append(m.of(blueprint.Departments), m.of(blueprint.Teams)...) {
		add(d, func() error { return m.checkUnit(d) })
	}
	for _, d := range m.of(blueprint.Analysis) {
		add(d, func() error {
			s, err := m.w.settings(m.ctx)
			if err != nil {
				return err
			}
			return errors.Join(analyse(&s, d), s.Check())
		})
	}
	for _, d := range append(m.of(blueprint.Approvals), m.of(blueprint.Stages)...) {
		add(d, func() error { return m.checkProcess(d, next) })
	}
	for _, d := range m.of(blueprint.DefaultViews) {
		add(d, func() error { return m.checkUsual(d, next) })
	}
	steps = append(steps, m.layouts(next)...)
	steps = append(steps, m.rules(f)...)
	var bad []*fault.Fault
	for _, s := range steps {
		if err := s.run(); err != nil {
			found := problemsAt(s.pointer, err)
			if found == nil {
				found = []*fault.Fault{{Kind: fault.Invalid, Code: "blueprint.unchecked", Field: s.pointer, Cause: err}}
			}
			bad = append(bad, found...)
		}
	}
	return bad
}

func segmentOf(d blueprint.Difference) (segment.Segment, error) {
	var in struct {
		Label, Description string
		Kind               segment.Kind
		Where              *query.Node
	}
	err := read(d.After, &in)
	if err == nil && d.Before != nil && d.Before["kind"] != string(in.Kind) {
		err = fault.InvalidField("blueprint.fixed_member", "kind", fault.Params{"label": schema.Label{"zh-CN": in.Label, "en": in.Label}})
	}
	return segment.Segment{Key: blueprint.Parts(d.Pointer)[1], Label: strings.TrimSpace(in.Label), Description: in.Description, Kind: in.Kind, Where: in.Where}, err
}

func (m *importing) classOf(d blueprint.Difference) (classify.Classification, error) {
	var in classify.Classification
	if err := read(d.After, &in); err != nil {
		return in, err
	}
	now, err := m.w.classes.Get(m.ctx, blueprint.Parts(d.Pointer)[1])
	now.Label, now.Classes = in.Label, in.Classes
	return now, err
}

func viewOf(d blueprint.Difference) (view.View, error) {
	var in viewItem
	err := read(d.After, &in)
	if key := blueprint.Parts(d.Pointer)[2]; err == nil && in.Name != key && !strings.HasPrefix(key, in.Name+"#") {
		err = fault.InvalidField("blueprint.name_is_key", "name", nil)
	}
	return view.View{Object: blueprint.Parts(d.Pointer)[1], Name: in.Name, Shared: true, Kind: in.Kind, Columns: in.Columns, Where: in.Where, Sort: in.Sort,
		Options: in.Options, Pinned: in.Pinned, Position: in.Position}, err
}

func (m *importing) roleOf(d blueprint.Difference) (access.Definition, error) {
	var def access.Definition
	if err := read(d.After, &def); err != nil {
		return def, err
	}
	name := blueprint.Parts(d.Pointer)[1]
	def.Key = m.g.roles[name].Key
	if def.Name != name {
		return def, fault.InvalidField("blueprint.name_is_key", "name", nil)
	}
	return def, nil
}

// above is the path of the department over one, "" at the top.
func above(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}

func (m *importing) checkUnit(d blueprint.Difference) error {
	parts := blueprint.Parts(d.Pointer)
	up := above(parts[1])
	if parts[0] == blueprint.Teams {
		up = ""
	}
	name := blueprint.Parts("/" + strings.TrimPrefix(strings.TrimPrefix(parts[1], up), "/"))[0]
	if d.After["name"] != name || name == "" || len([]rune(name)) > 100 {
		return fault.InvalidField("blueprint.name_is_key", "name", nil)
	}
	_, here := m.g.units[parts[0]][up]
	if up != "" && !here && !slices.ContainsFunc(m.chosen, func(o blueprint.Difference) bool { return o.Pointer == blueprint.Pointer(parts[0], up) }) {
		return fault.InvalidField("blueprint.no_parent", "", fault.Params{"name": up})
	}
	return read(d.After, &unitItem{})
}

type unitItem struct {
	Name     string `json:"name"`
	Position int    `json:"position"`
}

// analyse puts one part of the analysis into settings.
func analyse(s *trait.Settings, d blueprint.Difference) error {
	var in struct {
		Statuses       []string
		Day            string
		Monetary, Mode string
		Cuts           *api.RFMCuts
	}
	if err := read(d.After, &in); err != nil {
		return err
	}
	switch blueprint.Parts(d.Pointer)[1] {
	case "purchases":
		s.Statuses = in.Statuses
	case "anchor":
		s.Anchor = in.Day
	case "rfm":
		if s.Monetary, s.Mode = in.Monetary, in.Mode; in.Cuts != nil {
			cuts, err := readCuts(*in.Cuts)
			s.Cuts = cuts
			return err
		}
	default:
		return fault.InvalidField("blueprint.unknown_part", "", fault.Params{"part": blueprint.Parts(d.Pointer)[1]})
	}
	return nil
}

// checkUsual refuses a default view that there will not be.
func (m *importing) checkUsual(d blueprint.Difference, next *schema.Registry) error {
	object := blueprint.Parts(d.Pointer)[1]
	if next.Object(object) == nil {
		return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": object})
	}
	if name, ok := d.After["view"].(string); ok {
		at := blueprint.Pointer(blueprint.Views, object, name)
		_, here := m.g.views[at]
		if !here && !slices.ContainsFunc(m.chosen, func(o blueprint.Difference) bool { return o.Pointer == at }) {
			return fault.InvalidField("blueprint.no_view", "view", fault.Params{"name": name})
		}
	}
	return nil
}

// rest makes the chosen differences that are no metadata, each after what it names.
func (m *importing) rest() ([]*fault.Fault, error) {
	var bad []*fault.Fault
	for _, part := range []struct {
		section string
		run     func(blueprint.Difference) error
	}{{blueprint.Departments, m.unit}, {blueprint.Teams, m.unit}, {blueprint.Roles, m.role}, {blueprint.Segments, m.segment},
		{blueprint.Classifications, m.class}, {blueprint.Views, m.view}, {blueprint.DefaultViews, m.usual},
		{blueprint.Stages, m.stages}, {blueprint.Approvals, m.approval}, {blueprint.Automations, m.rule}, {blueprint.Plays, m.play}} {
		var steps []step
		for _, d := range m.of(part.section) {
			steps = append(steps, step{d.Pointer, func() error { return part.run(d) }})
		}
		found, err := inOrder(steps)
		if err != nil {
			return nil, err
		}
		bad = append(bad, found...)
	}
	found, err := inOrder(m.layouts(nil))
	if err != nil {
		return nil, err
	}
	return append(bad, found...), m.analysis()
}

func (m *importing) unit(d blueprint.Difference) error {
	parts := blueprint.Parts(d.Pointer)
	units := m.g.units[parts[0]]
	var in unitItem
	if err := read(d.After, &in); err != nil {
		return err
	}
	change := rights.UnitChange{Name: &in.Name, Position: &in.Position}
	if have, ok := units[parts[1]]; ok {
		_, err := m.w.edge.Rights.ChangeUnit(m.ctx, have, change)
		return err
	}
	kind := rights.Team
	if parts[0] == blueprint.Departments {
		kind = rights.Department
		if up := above(parts[1]); up != "" {
			parent, ok := units[up]
			if !ok {
				return fault.InvalidField("blueprint.no_parent", "", fault.Params{"name": up})
			}
			change.Parent = &parent
		}
	}
	u, err := m.w.edge.Rights.CreateUnit(m.ctx, kind, change)
	if err == nil {
		units[parts[1]] = u.ID
	}
	return err
}

func (m *importing) role(d blueprint.Difference) error {
	def, err := m.roleOf(d)
	if err != nil {
		return err
	}
	if def.Key == "" {
		_, err = m.w.edge.Rights.CreateRole(m.ctx, def)
	} else {
		_, err = m.w.edge.Rights.ChangeRole(m.ctx, def, 0)
	}
	return err
}

func (m *importing) segment(d blueprint.Difference) error {
	seg, err := segmentOf(d)
	if err != nil {
		return err
	}
	draft := segment.Draft{Key: seg.Key, Label: &seg.Label, Description: &seg.Description, Kind: seg.Kind, Where: seg.Where}
	if d.Before == nil {
		_, err = m.w.segments.Create(m.ctx, draft)
	} else {
		_, err = m.w.segments.Update(m.ctx, seg.Key, 0, draft)
	}
	return err
}

func (m *importing) class(d blueprint.Difference) error {
	c, err := m.classOf(d)
	if err != nil {
		return err
	}
	_, err = m.w.classes.Update(m.ctx, c.Key, 0, c.Label, c.Classes)
	return err
}

func (m *importing) view(d blueprint.Difference) error {
	v, err := viewOf(d)
	if err != nil {
		return err
	}
	old, here := m.g.views[d.Pointer]
	if !here {
		v, err = m.w.edge.Views.Create(m.ctx, v)
		if err == nil {
			m.g.views[d.Pointer] = v
		}
		return err
	}
	columns, sort := v.Columns, v.Sort
	if sort == nil {
		sort = []schema.Sort{}
	}
	_, err = m.w.edge.Views.Update(m.ctx, old.Key(), 0, view.Patch{Name: &v.Name, Columns: columns, Where: &v.Where, Sort: sort, Kind: v.Kind,
		Options: &v.Options, Pinned: &v.Pinned, Position: &v.Position})
	return err
}

func (m *importing) usual(d blueprint.Difference) error {
	object := blueprint.Parts(d.Pointer)[1]
	key := ""
	if name, ok := d.After["builtin"].(string); ok {
		key = "builtin:" + name
	}
	if name, ok := d.After["view"].(string); ok {
		v := m.g.views[blueprint.Pointer(blueprint.Views, object, name)]
		key = id.Format(view.Prefix, v.ID)
	}
	return m.w.edge.Views.SetDefault(m.ctx, object, key, view.All(), true)
}

// analysis stores all its parts at once and works the traits out anew.
func (m *importing) analysis() error {
	mine := m.of(blueprint.Analysis)
	if len(mine) == 0 {
		return nil
	}
	s, err := m.w.settings(m.ctx)
	if err != nil {
		return err
	}
	for _, d := range mine {
		if err := analyse(&s, d); err != nil {
			return err
		}
	}
	if err := s.Check(); err != nil {
		return err
	}
	if err := m.w.store.SetSetting(m.ctx, analysisKey, s); err != nil {
		return err
	}
	_, _, err = m.w.traits.Tick(system(m.ctx))
	return err
}

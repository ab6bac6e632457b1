package approval

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Bounds of a process.
const (
	maxProcesses = 200 // of one object
	maxSteps     = 20
	maxApprovers = 20 // of a step
	maxHours     = 8760
	maxLevel     = 10
	maxName      = 100
)

// state is the processes at one version.
type state struct {
	version  int64
	list     []Process
	byObject map[string][]*Process // those switched on, in order
	ever     map[string]bool       // objects that may have open requests
}

// present is the state of this moment, or as of a transaction of records.
func (s *Service) present(ctx context.Context, in record.Reader) (*state, error) {
	version, err := s.cfg.Store.Version(ctx, in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	if st != nil && st.version == version {
		return st, nil
	}
	st = &state{byObject: map[string][]*Process{}, ever: map[string]bool{}}
	var ever []string
	if st.version, st.list, ever, err = s.cfg.Store.Processes(ctx, in); err != nil {
		return nil, err
	}
	for _, o := range ever {
		st.ever[o] = true
	}
	for i := range st.list {
		if p := &st.list[i]; p.Enabled {
			st.byObject[p.Object] = append(st.byObject[p.Object], p)
		}
	}
	if in != nil { // what a transaction sees may yet be taken back
		s.behind.Store(true)
		return st, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil || s.state.version < st.version {
		s.state = st
	}
	return st, nil
}

// Prepare implements record.Preparer.
func (s *Service) Prepare(ctx context.Context) error {
	if !s.behind.CompareAndSwap(true, false) {
		return nil
	}
	_, err := s.present(ctx, nil)
	return err
}

// Forget drops what was read of the processes: they may be as they were before a change that was taken back.
func (s *Service) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = nil
}

// Processes are the present ones, those of one object or all, oldest first. Whoever works here may know them.
func (s *Service) Processes(ctx context.Context, object string) ([]Process, error) {
	st, err := s.present(ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []Process
	for _, p := range st.list {
		if object == "" || p.Object == object {
			out = append(out, p)
		}
	}
	return out, nil
}

// Guarded are the actions on an object that may need agreement.
func (s *Service) Guarded(ctx context.Context, object string) ([]Action, error) {
	st, err := s.present(ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []Action
	for _, p := range st.byObject[object] {
		if !slices.Contains(out, p.Action) {
			out = append(out, p.Action)
		}
	}
	return out, nil
}

// CreateProcess stores a new process. Invalid approval.*.
func (s *Service) CreateProcess(ctx context.Context, spec ProcessSpec) (Process, error) {
	if err := allow(ctx, access.SchemaManage); err != nil {
		return Process{}, err
	}
	list, err := s.Processes(ctx, spec.Object)
	if err != nil {
		return Process{}, err
	}
	if len(list) >= maxProcesses {
		return Process{}, fault.New(fault.Conflict, "approval.too_many_processes", fault.Params{"max": maxProcesses})
	}
	return s.put(ctx, Process{ID: s.cfg.IDs.Next(), Version: 1, ProcessSpec: spec}, "approval.process_create")
}

// ChangeProcess stores another version; version is the one that the caller saw, 0 for any.
func (s *Service) ChangeProcess(ctx context.Context, process id.ID, version int64, spec ProcessSpec) (Process, error) {
	if err := allow(ctx, access.SchemaManage); err != nil {
		return Process{}, err
	}
	p, err := s.process(ctx, process)
	if err != nil {
		return Process{}, err
	}
	if version != 0 && version != p.Version {
		return Process{}, fault.New(fault.Stale, "approval.stale", nil)
	}
	if spec.Object != p.Object {
		return Process{}, fault.InvalidField("approval.object_fixed", "object", nil)
	}
	p.ProcessSpec, p.Version = spec, p.Version+1
	return s.put(ctx, p, "approval.process_update")
}

// DeleteProcess takes a process out of use. Requests that are under way go on.
func (s *Service) DeleteProcess(ctx context.Context, process id.ID) error {
	if err := allow(ctx, access.SchemaManage); err != nil {
		return err
	}
	p, err := s.process(ctx, process)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.DropProcess(ctx, process, p.Version); err != nil {
		return err
	}
	return s.cfg.Note(ctx, "approval.process_delete", p.Object, 0, map[string]any{"process": id.Format(ProcessPrefix, process), "name": p.Name})
}

func (s *Service) process(ctx context.Context, process id.ID) (Process, error) {
	list, err := s.Processes(ctx, "")
	if err != nil {
		return Process{}, err
	}
	for _, p := range list {
		if p.ID == process {
			return p, nil
		}
	}
	return Process{}, fault.New(fault.NotFound, "approval.process_unknown", nil)
}

func (s *Service) put(ctx context.Context, p Process, action string) (Process, error) {
	if err := s.Check(ctx, &p.ProcessSpec, s.cfg.Registry()); err != nil {
		return Process{}, err
	}
	p.At, p.By = s.now(), access.From(ctx).ID
	if err := s.cfg.Store.PutProcess(ctx, p); err != nil {
		return Process{}, err
	}
	if _, err := s.present(ctx, nil); err != nil {
		return Process{}, err
	}
	return p, s.cfg.Note(ctx, action, p.Object, 0, map[string]any{"process": id.Format(ProcessPrefix, p.ID), "name": p.Name, "version": p.Version, "definition": p.ProcessSpec})
}

// checking collects what is wrong with a process.
type checking struct {
	s     *Service
	ctx   context.Context
	obj   *schema.Object
	spec  *ProcessSpec
	units map[id.ID]bool
	users map[id.ID]bool
	bad   []*fault.Fault
}

func (c *checking) fail(code, at string, p fault.Params) {
	c.bad = append(c.bad, fault.InvalidField("approval."+code, at, p))
}

// Check reports everything that is wrong with a process under a registry, and puts its texts in order.
func (s *Service) Check(ctx context.Context, spec *ProcessSpec, reg *schema.Registry) error {
	c := &checking{s: s, ctx: ctx, obj: reg.Object(spec.Object), spec: spec, units: map[id.ID]bool{}, users: map[id.ID]bool{}}
	spec.Name = strings.TrimSpace(spec.Name)
	if n := utf8.RuneCountInString(spec.Name); n == 0 || n > maxName {
		c.fail("name_length", "name", fault.Params{"max": maxName})
	}
	if c.obj == nil || c.obj.Virtual {
		c.fail("object_unknown", "object", fault.Params{"object": spec.Object})
		return fault.Join("approval.invalid", c.bad)
	}
	if err := c.directory(); err != nil {
		return err
	}
	if spec.Own == "" {
		spec.Own = OwnLeaves
	}
	if spec.Own != OwnLeaves && spec.Own != OwnAgrees && spec.Own != OwnAsked {
		c.fail("own_unknown", "own", nil)
	}
	c.action()
	c.where(spec.Where, "where")
	c.where(spec.Free, "free")
	for name, list := range map[string][]Approver{"for": spec.For, "except": spec.Except} {
		for i, a := range list {
			at := name + "." + strconv.Itoa(i)
			if a.Kind != ByPerson && a.Kind != ByRole && a.Kind != ByUnit {
				c.fail("for_kind", at, nil)
				continue
			}
			c.approver(a, at)
		}
	}
	if len(spec.Steps) == 0 || len(spec.Steps) > maxSteps {
		c.fail("steps_number", "steps", fault.Params{"max": maxSteps})
	}
	for i := range spec.Steps {
		c.step(&spec.Steps[i], "steps."+strconv.Itoa(i))
	}
	if f := fault.Join("approval.invalid", c.bad); f != nil {
		return f
	}
	return nil
}

func (c *checking) directory() error {
	units, err := c.s.cfg.People.Units(c.ctx)
	if err != nil {
		return err
	}
	people, err := c.s.cfg.People.People(c.ctx)
	if err != nil {
		return err
	}
	for _, u := range units {
		c.units[u.ID] = true
	}
	for _, p := range people {
		c.users[p.ID] = true
	}
	return nil
}

func (c *checking) action() {
	s := c.spec
	if !slices.Contains(Actions(), s.Action) {
		c.fail("action_unknown", "action", nil)
		return
	}
	if s.Action != Update && s.Action != Move && len(s.Fields) > 0 {
		c.fail("fields_unused", "fields", nil)
	}
	if s.Action != Move && len(s.From)+len(s.To) > 0 {
		c.fail("fields_unused", "to", nil)
	}
	if s.Action == Export && (s.Where != nil || s.Free != nil) {
		c.fail("export_where", "where", nil)
	}
	for i, key := range s.Fields {
		f := c.obj.Field(key)
		if f == nil || f.Hidden || schema.System(key) == f || c.obj.Offset(key) < 0 || f.ReadOnly {
			c.fail("field_unknown", "fields."+strconv.Itoa(i), fault.Params{"field": key})
		}
	}
	if s.Action != Move {
		return
	}
	if len(s.Fields) != 1 {
		c.fail("move_field", "fields", nil)
		return
	}
	f := c.obj.Field(s.Fields[0])
	if f == nil || f.Type != schema.Choice {
		c.fail("move_field", "fields.0", nil)
		return
	}
	for name, list := range map[string][]string{"from": s.From, "to": s.To} {
		for i, key := range list {
			if !slices.ContainsFunc(f.Options, func(o schema.Option) bool { return o.Key == key }) {
				c.fail("option_unknown", name+"."+strconv.Itoa(i), fault.Params{"option": key})
			}
		}
	}
}

func (c *checking) where(n *query.Node, at string) {
	if n == nil {
		return
	}
	if err := c.s.cfg.Records.CheckCondition(c.obj.Key, n); err != nil {
		code := fault.CodeOf(err)
		if code == "" {
			code = "query.invalid"
		}
		c.fail("where_wrong", at, fault.Params{"reason": code})
	}
}

func (c *checking) step(st *ProcessStep, at string) {
	st.Name = strings.TrimSpace(st.Name)
	if n := utf8.RuneCountInString(st.Name); n == 0 || n > maxName {
		c.fail("name_length", at+".name", fault.Params{"max": maxName})
	}
	if st.Mode == "" {
		st.Mode = First
	}
	if st.Nobody == "" {
		st.Nobody = AskAdministrators
	}
	if st.Mode != First && st.Mode != All && st.Mode != Majority && st.Mode != Sequence {
		c.fail("mode_unknown", at+".mode", nil)
	}
	if st.Nobody != AskAdministrators && st.Nobody != SkipStep && st.Nobody != RefuseRequest {
		c.fail("nobody_unknown", at+".nobody", nil)
	}
	if c.spec.Action == Export && st.Where != nil {
		c.fail("export_where", at+".where", nil)
	} else {
		c.where(st.Where, at+".where")
	}
	c.approvers(st.Who, at+".who", true)
	if st.Hours < 0 || st.Hours > maxHours {
		c.fail("hours_range", at+".hours", fault.Params{"max": maxHours})
	}
	switch {
	case st.Hours == 0 && st.Late != "":
		c.fail("late_without_hours", at+".late", nil)
	case st.Hours > 0 && st.Late != Remind && st.Late != Escalate && st.Late != Agree && st.Late != Refuse:
		c.fail("late_unknown", at+".late", nil)
	}
	c.approvers(st.Escalate, at+".escalate", st.Late == Escalate)
}

func (c *checking) approvers(list []Approver, at string, needed bool) {
	if needed && len(list) == 0 || len(list) > maxApprovers {
		c.fail("approvers_number", at, fault.Params{"max": maxApprovers})
	}
	for i, a := range list {
		c.approver(a, at+"."+strconv.Itoa(i))
	}
}

func (c *checking) approver(a Approver, at string) {
	level := func() {
		if a.Level < 1 || a.Level > maxLevel {
			c.fail("level_range", at+".level", fault.Params{"max": maxLevel})
		}
	}
	switch a.Kind {
	case ByPerson:
		if v, err := id.Parse("usr", a.User); err != nil || !c.users[v] {
			c.fail("user_unknown", at+".user", nil)
		}
	case ByRole:
		ok, err := c.s.cfg.People.Role(c.ctx, access.Role(a.Role))
		if err != nil || !ok {
			c.fail("role_unknown", at+".role", nil)
		}
	case ByUnit, ByHead:
		if v, err := id.Parse("unt", a.Unit); err != nil || !c.units[v] {
			c.fail("unit_unknown", at+".unit", nil)
		}
	case ByManager, ByChain:
		level()
	case ByField, ByFieldHead:
		f := c.obj.Field(a.Field)
		if f == nil || f.Type != schema.User || c.spec.Action == Export {
			c.fail("field_no_person", at+".field", fault.Params{"field": a.Field})
		}
		if a.Kind == ByFieldHead {
			level()
		}
	default:
		c.fail("kind_unknown", at+".kind", nil)
	}
}

package automation

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

func itoa(i int) string { return strconv.Itoa(i) }

// endPC is where a run is at its end.
const endPC = -1

// program is a definition that was checked. It is immutable.
type program struct {
	obj     *schema.Object
	def     Definition
	changes []fieldTest
	code    []instr
	start   int
	olds    []*schema.Field // fields whose former values the texts name
}

// instr is a step with where to go on.
type instr struct {
	step  *Step
	next  int
	other int // of a branch: where the condition does not hold
	on    *schema.Field
	obj   *schema.Object // of the record that is written
	set   []setter
	text  *template
	mail  *letterform
	field *schema.Field // tags, or the owner that is given
	names []*schema.Field
}

// setter is a Setting that was checked.
type setter struct {
	field   *schema.Field
	con     any // a JSON value
	isCon   bool
	formula *schema.Field // carries the program
	from    *path
	text    *template
	after   *Span
}

// path is a field of the record, or of one that a relation of it leads to; field nil is the record itself.
type path struct {
	hop   *schema.Field
	obj   *schema.Object
	field *schema.Field
	title bool
	old   bool
	body  []string
}

// minute is a local time of day.
type minute struct{ hour, min int }

func parseMinute(text string) (minute, bool) {
	if text == "" {
		return minute{9, 0}, true
	}
	t, err := time.Parse("15:04", text)
	return minute{t.Hour(), t.Minute()}, err == nil
}

// fieldTest is a FieldChange that was checked.
type fieldTest struct {
	field    *schema.Field
	from, to *query.Checked
}

// checker gathers what is wrong with a definition.
type checker struct {
	s    *Service
	ctx  context.Context //nolint:containedctx // of one call of compile
	reg  *schema.Registry
	prog *program
	bad  []*fault.Fault
	ids  map[string]bool
	n    int
}

func (c *checker) fail(code, at string, p fault.Params) {
	c.bad = append(c.bad, fault.InvalidField("automation."+code, "definition."+at, p))
}

// relocated keeps the faults of another package at a place.
func (c *checker) relocated(err error, at string) error {
	f, ok := fault.Find(err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return err
	}
	items := f.Items
	if len(items) == 0 {
		items = []*fault.Fault{f}
	}
	for _, it := range items {
		moved := it.At("definition." + at)
		moved.Kind = fault.Invalid
		c.bad = append(c.bad, moved)
	}
	return nil
}

// compile checks a definition under the rights of the actor in the context. Faults: Invalid automation.invalid over the single ones.
func (s *Service) compile(ctx context.Context, d Definition) (*program, error) {
	c := &checker{s: s, ctx: ctx, reg: s.cfg.Registry(), ids: map[string]bool{}}
	obj := c.reg.Object(d.Object)
	if obj == nil || obj.Virtual || !access.From(ctx).May(obj.Key, access.Read) {
		return nil, fault.InvalidField("automation.unknown_object", "definition.object", fault.Params{"object": d.Object})
	}
	c.prog = &program{obj: obj, def: d}
	if err := c.trigger(&d.Trigger); err != nil {
		return nil, err
	}
	if d.Where != nil {
		if err := c.condition(d.Where, "where"); err != nil {
			return nil, err
		}
	}
	if d.PerHour < 0 || d.PerHour > 1_000_000 {
		c.fail("bad_per_hour", "per_hour", fault.Params{"max": 1_000_000})
	}
	if len(d.Steps) == 0 {
		c.fail("no_steps", "steps", nil)
	}
	start, err := c.steps(c.prog.def.Steps, "steps", endPC, 0)
	if err != nil {
		return nil, err
	}
	c.prog.start = start
	if c.n > MaxSteps {
		c.fail("too_many_steps", "steps", fault.Params{"max": MaxSteps})
	}
	if f := fault.Join("automation.invalid", c.bad); f != nil {
		return nil, f
	}
	return c.prog, nil
}

func (c *checker) condition(where *query.Node, at string) error {
	return c.relocated(c.s.cfg.Conditions.Check(c.ctx, c.prog.obj.Key, where), at)
}

func (c *checker) trigger(t *Trigger) error {
	obj := c.prog.obj
	if _, ok := parseMinute(t.At); !ok {
		c.fail("bad_time", "trigger.at", nil)
	}
	switch t.Kind {
	case OnCreated, OnDeleted, OnRestored, OnFile, OnFileGone, OnManual:
	case OnChanged:
		return c.changes(t.Changes)
	case OnDate:
		f := obj.Field(t.Field)
		if f == nil || f.Computed() || f.Type != schema.Date && f.Type != schema.DateTime && (f.Type != schema.Birthday || !t.Yearly) || !access.From(c.ctx).MayAsk(obj.Key, f) {
			c.fail("needs_date", "trigger.field", fault.Params{"field": t.Field})
		}
		if t.Days < -366 || t.Days > 366 {
			c.fail("bad_days", "trigger.days", fault.Params{"max": 366})
		}
	case OnSchedule:
		switch {
		case t.Every == "week" && len(t.Weekdays) == 0, slices.ContainsFunc(t.Weekdays, func(d int) bool { return d < 1 || d > 7 }):
			c.fail("bad_weekdays", "trigger.weekdays", nil)
		case t.Every == "month" && (t.MonthDay < 1 || t.MonthDay > 31):
			c.fail("bad_month_day", "trigger.month_day", nil)
		case t.Every != "day" && t.Every != "week" && t.Every != "month":
			c.fail("bad_every", "trigger.every", nil)
		}
	case OnEnters, OnLeaves:
		return c.segment(t)
	case OnHook:
		f := obj.Field(t.Match)
		if t.Match != "id" && (f == nil || !f.Unique) {
			c.fail("needs_unique", "trigger.match", fault.Params{"field": t.Match})
		}
		if strings.TrimSpace(t.Path) == "" || len(t.Path) > 200 {
			c.fail("needs_path", "trigger.path", nil)
		}
	default:
		c.fail("bad_trigger", "trigger.kind", nil)
	}
	return nil
}

// segment checks the segment that a trigger watches.
func (c *checker) segment(t *Trigger) error {
	if c.prog.obj.Key != query.Customer {
		c.fail("segment_object", "trigger.kind", nil)
		return nil
	}
	if !access.From(c.ctx).Can(access.SegmentRead) {
		c.fail("may_not_segment", "trigger.segment", nil)
		return nil
	}
	seg, err := c.s.cfg.Segments.Find(c.ctx, t.Segment)
	switch {
	case t.Segment == "" || err != nil && fault.KindOf(err) == fault.NotFound:
		c.fail("unknown_segment", "trigger.segment", nil)
	case err != nil:
		return err
	case seg.Static:
		c.fail("segment_static", "trigger.segment", fault.Params{"label": seg.Label})
	case seg.Broken:
		c.fail("segment_broken", "trigger.segment", fault.Params{"label": seg.Label})
	}
	return nil
}

func (c *checker) changes(list []FieldChange) error {
	if len(list) > maxValues {
		c.fail("too_many_values", "trigger.changes", fault.Params{"max": maxValues})
		return nil
	}
	env := query.CheckEnv{Registry: c.reg, Object: c.prog.obj.Key, Use: query.ForRight, Base: c.s.cfg.Base(), Can: access.Asking(access.From(c.ctx), c.reg)}
	for i, ch := range list {
		at := "trigger.changes." + itoa(i)
		f := c.prog.obj.Field(ch.Field)
		if f == nil || f.Computed() || f.Rollup != nil || schema.System(f.Key) == f || !access.From(c.ctx).MayAsk(c.prog.obj.Key, f) {
			c.fail("unknown_field", at+".field", fault.Params{"field": ch.Field})
			continue
		}
		test := fieldTest{field: f}
		for _, side := range []struct {
			name string
			test *Test
			to   **query.Checked
		}{{"from", ch.From, &test.from}, {"to", ch.To, &test.to}} {
			if side.test == nil {
				continue
			}
			if f.Personal {
				c.fail("personal_value", at+"."+side.name, fault.Params{"field": f.Label})
				continue
			}
			checked, err := query.Resolve(&query.Node{Field: f.Key, Op: side.test.Op, Value: side.test.Value}, env)
			if err != nil {
				if err := c.relocated(err, at+"."+side.name); err != nil {
					return err
				}
				continue
			}
			*side.to = checked
		}
		c.prog.changes = append(c.prog.changes, test)
	}
	return nil
}

// steps compiles a list backwards, so that each knows where it goes on; it answers where the list begins.
func (c *checker) steps(list []Step, at string, cont, depth int) (int, error) {
	if depth > 8 {
		c.fail("too_deep", at, nil)
		return cont, nil
	}
	for i := len(list) - 1; i >= 0; i-- {
		st, here := &list[i], at+"."+itoa(i)
		c.n++
		if st.ID == "" || len(st.ID) > 40 || c.ids[st.ID] {
			c.fail("bad_step_id", here+".id", nil)
		}
		c.ids[st.ID] = true
		in := instr{step: st, next: cont, other: cont, obj: c.prog.obj}
		if st.Kind == DoBranch {
			var err error
			if in.next, err = c.steps(st.Then, here+".then", cont, depth+1); err != nil {
				return 0, err
			}
			if in.other, err = c.steps(st.Else, here+".else", cont, depth+1); err != nil {
				return 0, err
			}
		}
		if st.Kind == DoStop {
			in.next = endPC
		}
		if err := c.step(&in, here); err != nil {
			return 0, err
		}
		c.prog.code = append(c.prog.code, in)
		cont = len(c.prog.code) - 1
	}
	return cont, nil
}

func (c *checker) step(in *instr, at string) error {
	st := in.step
	switch st.Kind {
	case DoUpdate:
		c.target(in, at)
		return c.values(in, at, access.Update)
	case DoCreate:
		in.obj = c.reg.Object(st.Object)
		if in.obj == nil || in.obj.Virtual || in.obj.NoCreate {
			c.fail("unknown_object", at+".object", fault.Params{"object": st.Object})
			return nil
		}
		return c.values(in, at, access.Create)
	case DoAssign:
		c.assign(in, at)
	case DoTag:
		c.tag(in, at)
	case DoNotify:
		in.text = c.template(st.Text, at+".text")
		if strings.TrimSpace(st.Text) == "" {
			c.fail("needs_text", at+".text", nil)
		}
		if len(st.To)+len(st.People) == 0 && st.Team == "" {
			c.fail("needs_people", at+".people", nil)
		}
		for i, to := range st.To {
			if to != ReaderOwner && to != ReaderCustomerOwner && to != ReaderRunner {
				c.fail("bad_reader", at+".to."+itoa(i), nil)
			}
		}
		c.people(st, at)
	case DoMail:
		return c.mail(in, at)
	case DoCall:
		return c.call(in, at)
	case DoWait:
		return c.wait(in, at)
	case DoBranch:
		if st.Where == nil {
			c.fail("needs_condition", at+".where", nil)
			return nil
		}
		return c.condition(st.Where, at+".where")
	case DoStop:
	default:
		c.fail("bad_step", at+".kind", nil)
	}
	return nil
}

// target finds the record that a step writes.
func (c *checker) target(in *instr, at string) {
	if in.step.On == "" {
		return
	}
	f := c.prog.obj.Field(in.step.On)
	if f == nil || f.Type != schema.Relation || c.reg.Object(f.Target) == nil {
		c.fail("needs_relation", at+".on", fault.Params{"field": in.step.On})
		return
	}
	in.on, in.obj = f, c.reg.Object(f.Target)
}

func (c *checker) values(in *instr, at string, action access.Action) error {
	list := in.step.Values
	if len(list) == 0 && action == access.Update {
		c.fail("no_values", at+".values", nil)
	}
	if len(list) > maxValues {
		c.fail("too_many_values", at+".values", fault.Params{"max": maxValues})
		return nil
	}
	if !access.From(c.ctx).May(in.obj.Key, action) {
		c.fail("may_not", at, fault.Params{"object": in.obj.Label, "right": string(action.Right())})
	}
	seen := map[string]bool{}
	for i, v := range list {
		here := at + ".values." + itoa(i)
		f := in.obj.Field(v.Field)
		switch {
		case f == nil || schema.System(f.Key) == f || f.Hidden:
			c.fail("unknown_field", here+".field", fault.Params{"field": v.Field})
			continue
		case f.Computed() || f.Rollup != nil || f.ReadOnly || f.Type == schema.RelationMany || f.Type == schema.AutoNumber || f.OperationOnly && action == access.Update:
			c.fail("not_writable", here+".field", fault.Params{"field": f.Label})
			continue
		case seen[v.Field]:
			c.fail("twice", here+".field", fault.Params{"field": f.Label})
			continue
		}
		seen[v.Field] = true
		set, err := c.setter(f, v, here)
		if err != nil {
			return err
		}
		in.set = append(in.set, set)
	}
	if action == access.Create {
		for _, f := range in.obj.Fields {
			if f.Required && f.Default == nil && !f.ReadOnly && !seen[f.Key] && f.Type != schema.AutoNumber {
				c.fail("required", at+".values", fault.Params{"field": f.Label})
			}
		}
	}
	return nil
}

func (c *checker) setter(f *schema.Field, v Setting, at string) (setter, error) {
	set := setter{field: f}
	given := 0
	for _, is := range []bool{v.Value != nil, v.Formula != "", v.From != "", v.Text != "", v.After != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		c.fail("one_value", at, fault.Params{"field": f.Label})
		return set, nil
	}
	switch {
	case v.Value != nil:
		dec := json.NewDecoder(strings.NewReader(string(v.Value)))
		dec.UseNumber()
		if err := dec.Decode(&set.con); err != nil {
			c.fail("bad_value", at+".value", fault.Params{"field": f.Label})
			return set, nil
		}
		set.isCon = true
		if set.con != nil {
			if _, bad := schema.ParseJSON(f, set.con, c.s.cfg.Records.Env(c.ctx)); bad != nil {
				moved := *bad
				moved.Field = "definition." + at + ".value"
				c.bad = append(c.bad, &moved)
			}
		} else if f.Required {
			c.fail("required", at+".value", fault.Params{"field": f.Label})
		}
	case v.Formula != "":
		set.formula = c.formula(f, v.Formula, at+".formula")
	case v.From != "":
		set.from = c.path(v.From, at+".from", false)
		if set.from != nil && !fits(f, set.from, c.prog.obj) {
			c.fail("types_differ", at+".from", fault.Params{"field": f.Label, "from": v.From})
		}
	case v.Text != "":
		if f.Type != schema.Text && f.Type != schema.LongText {
			c.fail("needs_text_field", at+".text", fault.Params{"field": f.Label})
		}
		set.text = c.template(v.Text, at+".text")
	default:
		if f.Type != schema.Date && f.Type != schema.DateTime {
			c.fail("needs_date", at+".after", fault.Params{"field": f.Label})
		}
		if _, ok := parseMinute(v.After.At); !ok {
			c.fail("bad_time", at+".after.at", nil)
		}
		if v.After.Days < -3660 || v.After.Days > 3660 {
			c.fail("bad_days", at+".after.days", fault.Params{"max": 3660})
		}
		set.after = v.After
	}
	return set, nil
}

// formula makes a field that carries the program of a source text, of the type of the field it is for.
func (c *checker) formula(f *schema.Field, source, at string) *schema.Field {
	p, bad := formula.Check(source, formula.CheckEnv{Registry: c.reg, Object: c.prog.obj, Can: access.Asking(access.From(c.ctx), c.reg)})
	carrier := &schema.Field{Key: f.Key, Type: f.Type, Scale: f.Scale, Formula: source, Label: f.Label, Target: f.Target}
	switch {
	case bad != nil:
	case f.Type == schema.LongText && p.Root.Type.Kind == formula.Text:
	case f.Type == schema.Choice && p.Root.Type.Kind == formula.Text: // the key of an option, looked at when it is written
		carrier.Type = schema.Text
	default:
		bad = p.Settle(c.reg, carrier)
	}
	for _, b := range bad {
		x := b.Fault()
		x.Field = "definition." + at
		c.bad = append(c.bad, x)
	}
	if bad != nil {
		return nil
	}
	carrier.SetProgram(p)
	return carrier
}

// fits reports whether values of a path can stand in a field.
func fits(f *schema.Field, p *path, own *schema.Object) bool {
	if p.field == nil || p.field.Key == "id" { // the record itself
		target := own
		if p.hop != nil {
			target = p.obj
		}
		return !p.title && (f.Type == schema.Record || f.Type == schema.Relation && f.Target == target.Key) || p.title && (f.Type == schema.Text || f.Type == schema.LongText)
	}
	from := p.field
	switch f.Type {
	case schema.Text, schema.LongText:
		return from.Type == schema.Text || from.Type == schema.LongText || from.Type == schema.URL || from.Type == schema.AutoNumber
	case schema.Relation:
		return from.Type == schema.Relation && from.Target == f.Target
	case schema.Date, schema.DateTime:
		return from.Type == schema.Date || from.Type == schema.DateTime
	case schema.Number:
		return from.Type == schema.Number && from.Scale <= f.Scale
	case schema.Choice:
		return from.Type == schema.Choice && slices.EqualFunc(from.Options, f.Options, func(a, b schema.Option) bool { return a.Key == b.Key })
	}
	return from.Type == f.Type
}

// path reads "field", "relation", "relation.field", "title", and where texts are made also "old.field" and "body.…".
func (c *checker) path(text, at string, inText bool) *path {
	obj := c.prog.obj
	first, rest, dotted := strings.Cut(text, ".")
	if inText && dotted && first == "body" {
		return &path{body: strings.Split(rest, ".")}
	}
	p := &path{obj: obj}
	if inText && dotted && first == "old" {
		p.old = true
		first, dotted = rest, false
	}
	if dotted {
		hop := obj.Field(first)
		if hop == nil || hop.Type != schema.Relation || c.reg.Object(hop.Target) == nil {
			c.fail("unknown_path", at, fault.Params{"path": text})
			return nil
		}
		p.hop, p.obj, first = hop, c.reg.Object(hop.Target), rest
	}
	if first == "title" && p.obj.Field("title") == nil {
		p.title = true
		return p
	}
	f := p.obj.Field(first)
	if f == nil || f.Hidden || f.Type == schema.RelationMany || f.Type == schema.JSON || !access.From(c.ctx).MayAsk(p.obj.Key, f) {
		c.fail("unknown_path", at, fault.Params{"path": text})
		return nil
	}
	if f.Personal && !inText {
		c.fail("personal_value", at, fault.Params{"field": f.Label})
		return nil
	}
	if p.old && f.Personal {
		c.fail("personal_value", at, fault.Params{"field": f.Label})
		return nil
	}
	if p.old && !slices.Contains(c.prog.olds, f) {
		c.prog.olds = append(c.prog.olds, f)
	}
	p.field = f
	return p
}

func (c *checker) assign(in *instr, at string) {
	c.target(in, at)
	in.field = access.Owner(in.obj)
	if schema.System(in.field.Key) == in.field {
		c.fail("no_owner", at, fault.Params{"object": in.obj.Label})
		return
	}
	if !access.From(c.ctx).May(in.obj.Key, access.Assign) {
		c.fail("may_not", at, fault.Params{"object": in.obj.Label, "right": string(access.RecordAssign)})
	}
	st := in.step
	c.people(st, at)
	switch st.How {
	case ToPerson:
		if len(st.People) != 1 {
			c.fail("needs_person", at+".people", nil)
		}
	case InTurn, ByLoad:
		if len(st.People) == 0 && st.Team == "" {
			c.fail("needs_people", at+".people", nil)
		}
	case ToCustomerOwner:
		if c.customer() == nil {
			c.fail("no_customer", at+".how", fault.Params{"object": c.prog.obj.Label})
		}
	default:
		c.fail("bad_how", at+".how", nil)
	}
}

// customer is the relation of the object to the customer, nil for none.
func (c *checker) customer() *schema.Field {
	f := c.prog.obj.Field(c.prog.obj.CustomerField)
	if c.prog.obj.CustomerField == "" || f == nil || f.Type != schema.Relation {
		return nil
	}
	return f
}

func (c *checker) people(st *Step, at string) {
	if len(st.People) > maxPeople {
		c.fail("too_many_people", at+".people", fault.Params{"max": maxPeople})
	}
	for i, p := range st.People {
		if _, err := id.Parse("usr", p); err != nil {
			c.fail("unknown_person", at+".people."+itoa(i), nil)
		}
	}
	if st.Team != "" {
		if _, _, err := id.ParseAny(st.Team); err != nil {
			c.fail("unknown_team", at+".team", nil)
		}
	}
}

func (c *checker) tag(in *instr, at string) {
	c.target(in, at)
	in.field = in.obj.Field(in.step.Field)
	if in.field == nil || in.field.Type != schema.Tags && in.field.Type != schema.MultiChoice || in.field.ReadOnly {
		c.fail("needs_tags", at+".field", fault.Params{"field": in.step.Field})
		return
	}
	if len(in.step.Add)+len(in.step.Remove) == 0 {
		c.fail("no_tags", at+".add", nil)
	}
	if !access.From(c.ctx).May(in.obj.Key, access.Update) {
		c.fail("may_not", at, fault.Params{"object": in.obj.Label, "right": string(access.RecordUpdate)})
	}
	for _, part := range []struct {
		name string
		list []string
	}{{"add", in.step.Add}, {"remove", in.step.Remove}} {
		if len(part.list) == 0 {
			continue
		}
		values := make([]any, len(part.list))
		for i, v := range part.list {
			values[i] = v
		}
		if _, bad := schema.ParseJSON(in.field, values, c.s.cfg.Records.Env(c.ctx)); bad != nil {
			moved := *bad
			moved.Field = "definition." + at + "." + part.name
			c.bad = append(c.bad, &moved)
		}
	}
}

func (c *checker) call(in *instr, at string) error {
	if err := c.relocated(c.s.cfg.Outbound.CheckURL(c.ctx, in.step.URL), at+".url"); err != nil {
		return err
	}
	for i, key := range in.step.Fields {
		f := c.prog.obj.Field(key)
		if f == nil || f.Hidden || !access.From(c.ctx).MayAsk(c.prog.obj.Key, f) {
			c.fail("unknown_field", at+".fields."+itoa(i), fault.Params{"field": key})
			continue
		}
		in.names = append(in.names, f)
	}
	return nil
}

func (c *checker) wait(in *instr, at string) error {
	w := in.step.Wait
	if w == nil {
		c.fail("needs_wait", at+".wait", nil)
		return nil
	}
	at += ".wait"
	switch w.Kind {
	case "time", "condition":
		if d, ok := w.span(); !ok || d <= 0 || d > maxWaitFor {
			c.fail("bad_span", at+".amount", nil)
		}
		if w.Kind == "time" {
			return nil
		}
		if w.Expired != "continue" && w.Expired != "stop" {
			c.fail("bad_expired", at+".expired", nil)
		}
		if w.Where == nil {
			c.fail("needs_condition", at+".where", nil)
			return nil
		}
		return c.condition(w.Where, at+".where")
	case "date":
		f := c.prog.obj.Field(w.Field)
		if f == nil || f.Type != schema.Date && f.Type != schema.DateTime || !access.From(c.ctx).MayAsk(c.prog.obj.Key, f) {
			c.fail("needs_date", at+".field", fault.Params{"field": w.Field})
		}
		in.field = f
		if w.Amount < -366 || w.Amount > 366 {
			c.fail("bad_days", at+".amount", fault.Params{"max": 366})
		}
		if _, ok := parseMinute(w.At); !ok {
			c.fail("bad_time", at+".at", nil)
		}
	default:
		c.fail("bad_wait", at+".kind", nil)
	}
	return nil
}

// span is Amount of Unit.
func (w *Wait) span() (time.Duration, bool) {
	unit, ok := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[w.Unit]
	if !ok || w.Amount > 1_000_000 || w.Amount < -1_000_000 {
		return 0, false
	}
	return time.Duration(w.Amount) * unit, true
}

// template is a text with places: {field}, {relation.field}, {title}, {old.field}, {body.path}.
type template struct{ parts []part }

type part struct {
	text string
	path *path
}

func (c *checker) template(text, at string) *template { return c.longTemplate(text, maxText, at) }

// longTemplate is template of a text of at most so many characters.
func (c *checker) longTemplate(text string, most int, at string) *template {
	if len([]rune(text)) > most {
		c.fail("text_too_long", at, fault.Params{"max": most})
		return nil
	}
	t := &template{}
	for text != "" {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			t.parts = append(t.parts, part{text: text})
			break
		}
		end := strings.IndexByte(text[open:], '}')
		if end < 0 {
			c.fail("brace_open", at, nil)
			return nil
		}
		if open > 0 {
			t.parts = append(t.parts, part{text: text[:open]})
		}
		if p := c.path(strings.TrimSpace(text[open+1:open+end]), at, true); p != nil {
			t.parts = append(t.parts, part{path: p})
		}
		text = text[open+end+1:]
	}
	return t
}

package automation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// batch are runs that stand at the same step.
type batch struct {
	s    *Service
	rule *Rule
	prog *program
	in   *instr
	runs []Run
	now  time.Time

	recs     map[id.ID]*record.Record
	related  map[string]map[id.ID]*record.Record // by object
	computed map[*schema.Field]map[id.ID]any
	lost     []Move // runs whose record is gone
}

// run takes the step.
func (b *batch) run(ctx context.Context) error {
	if err := b.read(ctx); err != nil {
		return err
	}
	if err := b.s.move(ctx, b.lost); err != nil || len(b.runs) == 0 {
		return err
	}
	switch b.in.step.Kind {
	case DoUpdate, DoTag, DoAssign, DoCreate:
		if err := b.settle(ctx); err != nil || len(b.runs) == 0 {
			return err
		}
	}
	switch b.in.step.Kind {
	case DoUpdate, DoTag:
		return b.write(ctx)
	case DoAssign:
		return b.assign(ctx)
	case DoCreate:
		return b.create(ctx)
	case DoNotify:
		return b.notify(ctx)
	case DoMail:
		return b.mail(ctx)
	case DoCall:
		return b.call(ctx)
	case DoWait:
		return b.wait(ctx)
	case DoBranch:
		return b.branch(ctx)
	case DoStop:
		return b.s.move(ctx, b.s.mapMoves(b.runs, func(run Run) Move {
			m := b.s.ended(run, Stopped)
			m.Step = b.log(&m.Run, OutStopped, Detail{})
			return m
		}))
	}
	return errNoProgram
}

// log is a line about a run that has been moved.
func (b *batch) log(run *Run, out Outcome, d Detail) *Log {
	return &Log{Number: run.Moves, Step: b.in.step.ID, Kind: b.in.step.Kind, Outcome: out, Detail: d, At: b.now}
}

// passed is a run that goes on at another place.
func (b *batch) passed(run Run, pc int, out Outcome, d Detail) Move {
	run.Moves++
	run.PC, run.State, run.DueAt, run.Deadline, run.Watch, run.Tries, run.Problem = pc, Ready, b.now, time.Time{}, false, 0, nil
	if pc == endPC {
		run.State, run.EndedAt = Done, b.now
	}
	m := Move{Run: run}
	m.Step = b.log(&m.Run, out, d)
	return m
}

// read brings the records of the runs and what the step names of others.
func (b *batch) read(ctx context.Context) error {
	ids := make([]id.ID, 0, len(b.runs))
	for i := range b.runs {
		ids = append(ids, b.runs[i].Record)
	}
	slices.Sort(ids)
	found, err := b.s.cfg.Records.GetMany(ctx, b.prog.obj.Key, slices.Compact(ids), nil)
	if err != nil {
		return fmt.Errorf("read records of an automation: %w", err)
	}
	b.recs = map[id.ID]*record.Record{}
	for _, r := range found {
		b.recs[r.ID] = r
	}
	var there []Run
	for _, run := range b.runs {
		if b.recs[run.Record] == nil && b.prog.def.Trigger.Kind == OnDeleted {
			r, err := b.s.cfg.Records.Get(ctx, b.prog.obj.Key, run.Record)
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
			if err == nil {
				b.recs[run.Record] = r
			}
		}
		if b.recs[run.Record] != nil {
			there = append(there, run)
			continue
		}
		m := b.s.ended(run, Stopped)
		m.Problem = &Problem{Code: "automation.record_gone", Step: b.in.step.ID}
		m.Step = b.log(&m.Run, OutStopped, Detail{Code: "automation.record_gone"})
		b.lost = append(b.lost, m)
	}
	b.runs = there
	return b.readRelated(ctx)
}

// paths are all that a step reads.
func (in *instr) paths() []*path {
	var out []*path
	add := func(t *template) {
		if t == nil {
			return
		}
		for _, p := range t.parts {
			if p.path != nil {
				out = append(out, p.path)
			}
		}
	}
	add(in.text)
	if in.mail != nil {
		for _, w := range in.mail.words {
			add(w.subject)
			add(w.text)
		}
		if in.mail.to != nil {
			out = append(out, in.mail.to)
		}
	}
	for i := range in.set {
		if in.set[i].from != nil {
			out = append(out, in.set[i].from)
		}
		add(in.set[i].text)
	}
	return out
}

func (b *batch) readRelated(ctx context.Context) error {
	b.related = map[string]map[id.ID]*record.Record{}
	hops := map[string]*schema.Field{}
	for _, p := range b.in.paths() {
		if p.hop != nil {
			hops[p.hop.Key] = p.hop
		}
	}
	if b.in.on != nil {
		hops[b.in.on.Key] = b.in.on
	}
	if c := b.customerField(); c != nil && (b.in.step.How == ToCustomerOwner || slices.Contains(b.in.step.To, ReaderCustomerOwner) || b.in.mail != nil && b.in.mail.reply == ReaderCustomerOwner) {
		hops[c.Key] = c
	}
	wanted := map[string]map[id.ID]bool{}
	for _, h := range hops {
		for _, r := range b.recs {
			if v, ok := r.Values[h.Key].(id.ID); ok {
				if wanted[h.Target] == nil {
					wanted[h.Target] = map[id.ID]bool{}
				}
				wanted[h.Target][v] = true
			}
		}
	}
	for object, ids := range wanted {
		found, err := b.s.cfg.Records.GetMany(ctx, object, slices.Sorted(maps.Keys(ids)), nil)
		if err != nil {
			return fmt.Errorf("read related records of an automation: %w", err)
		}
		b.related[object] = map[id.ID]*record.Record{}
		for _, r := range found {
			b.related[object][r.ID] = r
		}
	}
	b.computed = map[*schema.Field]map[id.ID]any{}
	for i := range b.in.set {
		f := b.in.set[i].formula
		if f == nil {
			continue
		}
		values, err := b.s.cfg.Records.Evaluate(ctx, b.prog.obj.Key, f, slices.Collect(maps.Keys(b.recs)))
		if err != nil {
			return fmt.Errorf("work out a formula of an automation: %w", err)
		}
		b.computed[f] = values
	}
	return nil
}

func (b *batch) customerField() *schema.Field {
	return (&checker{prog: b.prog}).customer()
}

// target is the record that a step writes for a run; 0 when the relation is empty or out of sight.
func (b *batch) target(run *Run) id.ID {
	if r := b.at(b.recs[run.Record], b.in.on); r != nil {
		return r.ID
	}
	return 0
}

// write makes updates: one operation for each run that has a record to write.
func (b *batch) write(ctx context.Context) error {
	var ops []record.BatchOp
	of := make([]int, len(b.runs)) // the operation of a run, -1 for none
	for i := range b.runs {
		of[i] = -1
		op, ok, err := b.operation(ctx, &b.runs[i])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		of[i] = len(ops)
		ops = append(ops, op)
	}
	return b.commit(ctx, ops, of, false, nil)
}

// operation is what a step writes for a run by itself; false when there is nothing to write to.
func (b *batch) operation(ctx context.Context, run *Run) (op record.BatchOp, ok bool, err error) {
	op = record.BatchOp{Op: change.Update, Object: b.in.obj.Key}
	if b.in.step.Kind == DoCreate {
		op.Op, op.Input = change.Create, b.input(ctx, run)
		for k, v := range op.Input { // an empty value takes the default
			if v == nil || v == "" {
				delete(op.Input, k)
			}
		}
		return op, true, nil
	}
	if op.ID = b.target(run); op.ID == 0 {
		return op, false, nil
	}
	switch b.in.step.Kind {
	case DoTag:
		op.Input = record.Input{b.in.field.Key: record.Delta{Add: anyList(b.in.step.Add), Remove: anyList(b.in.step.Remove)}}
	case DoAssign:
		one := *b
		one.runs = []Run{*run}
		chosen, _, err := one.choose(ctx)
		if err != nil || chosen[0] == 0 {
			return op, false, err
		}
		op.Input = record.Input{b.in.field.Key: chosen[0]}
	default:
		op.Input = b.input(ctx, run)
	}
	return op, true, nil
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// commit writes records and the steps that did it in one transaction.
func (b *batch) commit(ctx context.Context, ops []record.BatchOp, of []int, assign bool, turn *Turn) error {
	then := func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
		moves := make([]Move, len(b.runs))
		for i, run := range b.runs {
			if of[i] < 0 {
				moves[i] = b.passed(run, b.in.next, OutNobody, Detail{})
				continue
			}
			moves[i] = b.written(run, &ops[of[i]], &results[of[i]])
		}
		return b.s.cfg.Store.Move(ctx, tx, moves, turn)
	}
	if len(ops) == 0 {
		return b.s.move(ctx, b.s.mapMoves(b.runs, func(run Run) Move { return b.passed(run, b.in.next, OutNobody, Detail{}) }))
	}
	_, _, err := b.s.cfg.Records.Mass(ctx, ops, record.MassCall{Assign: assign, Then: then})
	return err
}

// written is what follows from an operation.
func (b *batch) written(run Run, op *record.BatchOp, res *record.BulkResult) Move {
	if b.askable(res.Err) {
		return b.asked(run)
	}
	if res.Err != nil {
		return b.s.failed(run, b.in, res.Err)
	}
	d := Detail{Fields: slices.Sorted(maps.Keys(op.Input))}
	if b.in.on != nil || op.Op == change.Create {
		d.Object, d.Record = b.in.obj.Key, id.Format(b.in.obj.Prefix, res.ID)
	}
	if b.in.step.Kind == DoAssign {
		if who, ok := op.Input[b.in.field.Key].(id.ID); ok {
			d.People = []string{id.Format("usr", who)}
		}
	}
	out := OutDone
	if !res.Changed {
		out = OutSame
	}
	m := b.passed(run, b.in.next, out, d)
	if res.Changed {
		m.Effect = []Effect{{res.ID, res.Version}}
	}
	return m
}

func (b *batch) create(ctx context.Context) error {
	ops, of := make([]record.BatchOp, len(b.runs)), make([]int, len(b.runs))
	for i := range b.runs {
		op, _, err := b.operation(ctx, &b.runs[i])
		if err != nil {
			return err
		}
		of[i], ops[i] = i, op
	}
	return b.commit(ctx, ops, of, false, nil)
}

// candidates are the people that a step may choose from, each once, who are here.
func (b *batch) candidates(ctx context.Context) ([]id.ID, error) {
	var out []id.ID
	add := func(v id.ID) {
		if v != 0 && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	for _, text := range b.in.step.People {
		if v, err := id.Parse("usr", text); err == nil {
			add(v)
		}
	}
	if b.in.step.Team != "" {
		_, unit, err := id.ParseAny(b.in.step.Team)
		if err != nil {
			return nil, fault.New(fault.Invalid, "automation.unknown_team", nil)
		}
		members, err := b.s.cfg.People.Members(ctx, unit)
		if err != nil {
			return nil, err
		}
		for _, v := range members {
			add(v)
		}
	}
	return b.present(ctx, out)
}

func (b *batch) present(ctx context.Context, people []id.ID) ([]id.ID, error) {
	here, err := b.s.cfg.People.Present(ctx, people)
	return slices.DeleteFunc(people, func(v id.ID) bool { return !here[v] }), err
}

// assign gives the records to somebody.
func (b *batch) assign(ctx context.Context) error {
	chosen, turn, err := b.choose(ctx)
	if err != nil {
		return err
	}
	var ops []record.BatchOp
	of := make([]int, len(b.runs))
	for i := range b.runs {
		of[i] = -1
		rec := b.target(&b.runs[i])
		if rec == 0 || chosen[i] == 0 {
			continue
		}
		of[i] = len(ops)
		ops = append(ops, record.BatchOp{Op: change.Update, Object: b.in.obj.Key, ID: rec, Input: record.Input{b.in.field.Key: chosen[i]}})
	}
	return b.commit(ctx, ops, of, true, turn)
}

// choose says who gets the record of each run; 0 for nobody.
func (b *batch) choose(ctx context.Context) ([]id.ID, *Turn, error) {
	out := make([]id.ID, len(b.runs))
	if b.in.step.How == ToCustomerOwner {
		return out, nil, b.owners(ctx, out)
	}
	people, err := b.candidates(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(people) == 0 {
		return nil, nil, fault.New(fault.Conflict, "automation.nobody", nil)
	}
	switch b.in.step.How {
	case InTurn:
		from, err := b.s.cfg.Store.Turn(ctx, b.rule.ID, b.in.step.ID)
		if err != nil {
			return nil, nil, err
		}
		n := int64(len(people))
		for i := range out {
			out[i] = people[(from+int64(i))%n]
		}
		return out, &Turn{Rule: b.rule.ID, Step: b.in.step.ID, From: from, To: (from + int64(len(out))) % n}, nil
	case ByLoad:
		load, err := b.s.cfg.People.Load(ctx, b.in.obj.Key, b.in.field.Key, people)
		if err != nil {
			return nil, nil, err
		}
		for i := range out {
			out[i] = slices.MinFunc(people, func(x, y id.ID) int { return load[x] - load[y] })
			load[out[i]]++
		}
	default:
		for i := range out {
			out[i] = people[0]
		}
	}
	return out, nil, nil
}

// owners fills in who looks after the customer of each run's record.
func (b *batch) owners(ctx context.Context, out []id.ID) error {
	c := b.customerField()
	if c == nil {
		return fault.New(fault.Conflict, "automation.no_customer", fault.Params{"object": b.prog.obj.Label})
	}
	owner := access.Owner(b.s.cfg.Registry().Object(c.Target))
	var all []id.ID
	for i := range b.runs {
		if r := b.at(b.recs[b.runs[i].Record], c); r != nil {
			out[i], _ = fieldValue(r, owner).(id.ID)
			all = append(all, out[i])
		}
	}
	here, err := b.s.cfg.People.Present(ctx, all)
	for i := range out {
		if !here[out[i]] {
			out[i] = 0
		}
	}
	return err
}

// notify tells people; the key of a message keeps it from being told twice.
func (b *batch) notify(ctx context.Context) error {
	fixed, err := b.candidates(ctx)
	if err != nil {
		return err
	}
	var list []Message
	moves := make([]Move, len(b.runs))
	for i := range b.runs {
		run := &b.runs[i]
		to, err := b.readers(ctx, run, fixed)
		if err != nil {
			return err
		}
		if len(to) == 0 {
			moves[i] = b.passed(*run, b.in.next, OutNobody, Detail{})
			continue
		}
		list = append(list, Message{Rule: b.rule.Name, RuleID: b.rule.ID, Object: b.prog.obj.Key, Record: run.Record, To: to, Text: b.fill(ctx, b.in.text, run),
			Once: "rule:" + strconv.FormatInt(int64(run.ID), 36) + ":" + b.in.step.ID})
		moves[i] = b.passed(*run, b.in.next, OutDone, Detail{People: printed(to)})
	}
	if err := b.s.cfg.Notices.Notify(ctx, list); err != nil {
		return fmt.Errorf("tell of an automation: %w", err)
	}
	return b.s.move(ctx, moves)
}

func printed(people []id.ID) []string {
	out := make([]string, len(people))
	for i, p := range people {
		out[i] = id.Format("usr", p)
	}
	return out
}

// readers are who is told about a run.
func (b *batch) readers(ctx context.Context, run *Run, fixed []id.ID) ([]id.ID, error) {
	rec := b.recs[run.Record]
	var more []id.ID
	for _, to := range b.in.step.To {
		switch to {
		case ReaderOwner:
			v, _ := fieldValue(rec, access.Owner(b.prog.obj)).(id.ID)
			more = append(more, v)
		case ReaderCustomerOwner:
			if c := b.customerField(); c != nil {
				if r := b.at(rec, c); r != nil {
					v, _ := fieldValue(r, access.Owner(b.s.cfg.Registry().Object(c.Target))).(id.ID)
					more = append(more, v)
				}
			}
		case ReaderRunner:
			more = append(more, run.By)
		}
	}
	more, err := b.present(ctx, more)
	out := slices.Clone(fixed)
	for _, v := range more {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, err
}

// branch asks a condition of all at once.
func (b *batch) branch(ctx context.Context) error {
	holds, err := b.holding(ctx, b.in.step.Where)
	if err != nil {
		return err
	}
	return b.s.move(ctx, b.s.mapMoves(b.runs, func(run Run) Move {
		if holds[run.Record] {
			return b.passed(run, b.in.next, OutYes, Detail{})
		}
		return b.passed(run, b.in.other, OutNo, Detail{})
	}))
}

func (b *batch) holding(ctx context.Context, where *query.Node) (map[id.ID]bool, error) {
	ids := make([]id.ID, len(b.runs))
	for i := range b.runs {
		ids[i] = b.runs[i].Record
	}
	slices.Sort(ids)
	return b.s.cfg.Conditions.Holding(ctx, b.prog.obj.Key, where, slices.Compact(ids), b.prog.def.Trigger.Kind == OnDeleted)
}

// pause is a run that waits until an instant.
func (b *batch) pause(run Run, until time.Time, watch, tell bool) Move {
	run.Moves++
	run.State, run.DueAt, run.Watch = Waiting, until, watch
	m := Move{Run: run}
	if tell {
		shown := until
		if !run.Deadline.IsZero() {
			shown = run.Deadline
		}
		m.Step = b.log(&m.Run, OutWaiting, Detail{Until: &shown})
	}
	return m
}

func (b *batch) wait(ctx context.Context) error {
	w := b.in.step.Wait
	switch w.Kind {
	case "time":
		d, _ := w.span()
		return b.s.move(ctx, b.s.mapMoves(b.runs, func(run Run) Move {
			if run.State == Waiting {
				return b.passed(run, b.in.next, OutPassed, Detail{})
			}
			return b.pause(run, b.now.Add(d), false, true)
		}))
	case "date":
		return b.s.move(ctx, b.s.mapMoves(b.runs, func(run Run) Move {
			until, ok := b.until(b.recs[run.Record], w)
			if !ok || !until.After(b.now) { // without a date there is nothing to wait for
				return b.passed(run, b.in.next, OutPassed, Detail{})
			}
			return b.pause(run, until, true, run.State != Waiting)
		}))
	}
	holds, err := b.holding(ctx, w.Where)
	if err != nil {
		return err
	}
	d, _ := w.span()
	return b.s.move(ctx, b.s.mapMoves(b.runs, func(run Run) Move {
		first := run.State != Waiting
		if first {
			run.Deadline = b.now.Add(d)
		}
		switch {
		case holds[run.Record]:
			return b.passed(run, b.in.next, OutPassed, Detail{})
		case b.now.Before(run.Deadline):
			until := b.now.Add(lookAgain)
			if run.Deadline.Before(until) {
				until = run.Deadline
			}
			return b.pause(run, until, true, first)
		case w.Expired == "stop":
			m := b.s.ended(run, Stopped)
			m.Step = b.log(&m.Run, OutExpired, Detail{})
			return m
		}
		return b.passed(run, b.in.next, OutExpired, Detail{})
	}))
}

// until is when a wait for a date is over.
func (b *batch) until(rec *record.Record, w *Wait) (time.Time, bool) {
	zone := b.s.cfg.Zone()
	var day clock.Day
	switch v := fieldValue(rec, b.in.field).(type) {
	case clock.Day:
		day = v
	case time.Time:
		day = clock.DayOf(v, zone)
	default:
		return time.Time{}, false
	}
	m, _ := parseMinute(w.At)
	return m.on(day+clock.Day(w.Amount), zone), true //nolint:gosec // bounded when it was checked
}

package automation

import (
	"context"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Trial is what a step would do with a record. Nothing is written, told or sent, and a later step sees the record as it is now.
type Trial struct {
	Step    string
	Kind    StepKind
	Outcome Outcome
	Object  string // of the record that is written or made
	Record  id.ID
	Title   string
	// Before and After are fields that would change, canonical; Titles name what they point at, by field.
	Before, After map[string]any
	Titles        map[string]record.Ref
	Masked        []string // fields of Before that are out of sight
	People        []id.ID
	Text          string
	Mail          *TrialMail
	Until         *time.Time
	Body          map[string]any
	Problem       *Problem
}

// Trying is what a rule would do with a record.
type Trying struct {
	Fits  bool // the record fulfils the condition and is in sight of whom the rule runs as
	Steps []Trial
}

// Try takes a record through a definition without doing anything. The actor must see the record.
func (s *Service) Try(ctx context.Context, d Definition, as, rec id.ID) (Trying, error) {
	if err := s.Check(ctx, d, as); err != nil {
		return Trying{}, err
	}
	if _, err := s.cfg.Records.Get(ctx, d.Object, rec); err != nil {
		return Trying{}, err
	}
	actor, err := s.actor(ctx, 0, "", as)
	if err != nil {
		return Trying{}, err
	}
	acting := access.With(ctx, actor)
	prog, err := s.compile(acting, d)
	if err != nil {
		return Trying{}, err
	}
	holds, err := s.cfg.Conditions.Holding(acting, d.Object, d.Where, []id.ID{rec}, d.Trigger.Kind == OnDeleted)
	if err != nil {
		return Trying{}, err
	}
	out := Trying{Fits: holds[rec]}
	rule := &Rule{Definition: d, RunAs: as}
	run := s.fresh(rule, prog, rec, "try")
	run.By = person(access.From(ctx))
	for pc := prog.start; pc != endPC; {
		in := &prog.code[pc]
		b := &batch{s: s, rule: rule, prog: prog, in: in, runs: []Run{run}, now: s.cfg.Clock.Now().Truncate(time.Millisecond)}
		t := Trial{Step: in.step.ID, Kind: in.step.Kind, Outcome: OutDone}
		pc = in.next
		if err := b.try(acting, &t); err != nil {
			if !lasting(err) {
				return out, err
			}
			t.Outcome, t.Problem = OutFailed, problemOf(err)
		}
		if t.Outcome == OutNo {
			pc = in.other
		}
		out.Steps = append(out.Steps, t)
		if t.Outcome == OutFailed || in.step.Kind == DoStop || len(out.Steps) > MaxSteps {
			break
		}
	}
	return out, nil
}

// try works out one step.
func (b *batch) try(ctx context.Context, t *Trial) error {
	if err := b.read(ctx); err != nil {
		return err
	}
	if len(b.runs) == 0 {
		return fault.New(fault.NotFound, "automation.record_gone", nil)
	}
	run := &b.runs[0]
	switch b.in.step.Kind {
	case DoUpdate, DoTag, DoAssign:
		return b.tryWrite(ctx, run, t)
	case DoCreate:
		return b.tryCreate(ctx, run, t)
	case DoNotify:
		fixed, err := b.candidates(ctx)
		if err == nil {
			t.People, err = b.readers(ctx, run, fixed)
		}
		if t.Text = b.fill(ctx, b.in.text, run); len(t.People) == 0 {
			t.Outcome = OutNobody
		}
		return err
	case DoMail:
		return b.tryMail(ctx, run, t)
	case DoCall:
		t.Outcome, t.Text, t.Body = OutSending, hostOf(b.in.step.URL), b.body(ctx, run)
	case DoBranch:
		holds, err := b.holding(ctx, b.in.step.Where)
		t.Outcome = OutNo
		if holds[run.Record] {
			t.Outcome = OutYes
		}
		return err
	case DoWait:
		return b.tryWait(ctx, run, t)
	case DoStop:
		t.Outcome = OutStopped
	}
	return nil
}

func (b *batch) tryWait(ctx context.Context, run *Run, t *Trial) error {
	w := b.in.step.Wait
	t.Outcome = OutWaiting
	d, _ := w.span()
	until := b.now.Add(d)
	switch w.Kind {
	case "date":
		at, ok := b.until(b.recs[run.Record], w)
		if until = at; !ok || !at.After(b.now) {
			t.Outcome = OutPassed
			return nil
		}
	case "condition":
		holds, err := b.holding(ctx, w.Where)
		if holds[run.Record] {
			t.Outcome = OutPassed
			return nil
		}
		if err != nil {
			return err
		}
	}
	t.Until = &until
	return nil
}

func (b *batch) tryWrite(ctx context.Context, run *Run, t *Trial) error {
	t.Object, t.Record = b.in.obj.Key, b.target(run)
	if t.Record == 0 {
		t.Outcome = OutNobody
		return nil
	}
	var in record.Input
	assign := b.in.step.Kind == DoAssign
	switch b.in.step.Kind {
	case DoTag:
		in = record.Input{b.in.field.Key: record.Delta{Add: anyList(b.in.step.Add), Remove: anyList(b.in.step.Remove)}}
	case DoAssign:
		chosen, _, err := b.choose(ctx)
		if err != nil {
			return err
		}
		if chosen[0] == 0 {
			t.Outcome = OutNobody
			return nil
		}
		t.People = chosen
		in = record.Input{b.in.field.Key: chosen[0]}
	default:
		in = b.input(ctx, run)
	}
	found, err := b.s.cfg.Records.Foresee(ctx, t.Object, []id.ID{t.Record}, in, assign)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fault.New(fault.NotFound, "automation.record_gone", nil)
	}
	o := found[0]
	if o.Err != nil {
		return o.Err
	}
	t.Title, t.Before, t.After, t.Titles = o.Title, map[string]any{}, o.After, map[string]record.Ref{}
	for key := range o.After {
		if v, ok := o.Values[key]; ok {
			t.Before[key] = v
		}
		if _, masked := o.Masks[key]; masked {
			t.Masked = append(t.Masked, key)
		}
		if ref, ok := o.Titles[key]; ok {
			t.Titles[key] = ref
		}
	}
	slices.Sort(t.Masked)
	if o.Same {
		t.Outcome = OutSame
	}
	return nil
}

func (b *batch) tryCreate(ctx context.Context, run *Run, t *Trial) error {
	t.Object, t.After = b.in.obj.Key, map[string]any{}
	env := b.s.cfg.Records.Env(ctx)
	for key, v := range b.input(ctx, run) {
		if v == nil || v == "" {
			continue
		}
		parsed, bad := schema.ParseJSON(b.in.obj.Field(key), v, env)
		if bad != nil {
			return bad
		}
		t.After[key] = parsed
	}
	return nil
}

// Looked is how often a rule would have begun.
type Looked struct {
	Runs     int
	Records  int
	Complete bool // the whole span was looked through
	Since    time.Time
	// Now says that Runs are the records that fit at the moment: of a rule that people or other systems begin.
	Now bool
}

// lookBack is the span of a look back.
const lookBack = 30 * 24 * time.Hour

// LookBack says how often a definition would have begun in the last 30 days, as far as the change log tells; its condition is asked of the
// records as they are now.
func (s *Service) LookBack(ctx context.Context, d Definition, as id.ID) (Looked, error) {
	if err := s.Check(ctx, d, as); err != nil {
		return Looked{}, err
	}
	actor, err := s.actor(ctx, 0, "", as)
	if err != nil {
		return Looked{}, err
	}
	acting := access.With(ctx, actor)
	prog, err := s.compile(acting, d)
	if err != nil {
		return Looked{}, err
	}
	now := s.cfg.Clock.Now()
	out := Looked{Since: now.Add(-lookBack), Complete: true}
	switch d.Trigger.Kind {
	case OnDate:
		return out, s.lookDates(acting, prog, now, &out)
	case OnSchedule:
		n, more, err := s.cfg.Records.Count(acting, d.Object, d.Where, "", false)
		slots := len(d.Trigger.slots(out.Since, now, s.cfg.Zone()))
		out.Records, out.Runs, out.Complete = n, n*slots, !more
		return out, err
	case OnManual, OnHook:
		n, more, err := s.cfg.Records.Count(acting, d.Object, d.Where, "", false)
		out.Records, out.Runs, out.Complete, out.Now = n, n, !more, true
		return out, err
	}
	if d.Trigger.crossings() {
		return out, s.lookMembers(acting, prog, &out)
	}
	seen := map[id.ID]bool{}
	r := &Rule{Definition: d}
	out.Complete, err = s.cfg.Past(ctx, d.Object, out.Since, func(rows []change.Row) error {
		cand, err := s.matching(prog, rows, mine(r, rows))
		if err == nil {
			cand, err = s.fulfilling(acting, prog, rows, cand)
		}
		for _, at := range cand {
			seen[rows[at].Record] = true
		}
		out.Runs += len(cand)
		return err
	})
	out.Records = len(seen)
	return out, err
}

// lookMembers counts who is in the segment of a trigger at the moment and fulfils the condition: the log does not tell who came and went.
func (s *Service) lookMembers(ctx context.Context, p *program, out *Looked) error {
	out.Now = true
	for after := id.ID(0); ; {
		page, err := s.cfg.Segments.Members(ctx, p.def.Trigger.Segment, after, walkMany)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1]
		for part := range slices.Chunk(page, crossMany) {
			holds, err := s.cfg.Conditions.Holding(ctx, p.obj.Key, p.def.Where, part, false)
			if err != nil {
				return err
			}
			out.Runs += len(holds)
		}
		out.Records = out.Runs
	}
}

func (s *Service) lookDates(ctx context.Context, p *program, now time.Time, out *Looked) error {
	for _, slot := range p.def.Trigger.slots(out.Since, now, s.cfg.Zone()) {
		day := clock.DayOf(slot, s.cfg.Zone()) - clock.Day(p.def.Trigger.Days) //nolint:gosec // bounded when it was checked
		n, more, err := s.cfg.Records.Count(ctx, p.obj.Key, p.def.Trigger.onDate(day, p.def.Where), "", false)
		if err != nil {
			return err
		}
		out.Runs += n
		out.Complete = out.Complete && !more
	}
	out.Records = out.Runs
	return nil
}

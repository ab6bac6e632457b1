package approval

import (
	"context"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// flow moves one request on in memory; the caller saves it.
type flow struct {
	s    *Service
	ctx  context.Context
	r    *Request
	spec *ProcessSpec
	dir  *directory
	now  time.Time
}

func (s *Service) flow(ctx context.Context, r *Request) (*flow, error) {
	p, err := s.cfg.Store.Process(ctx, r.Process, r.Version)
	if err != nil {
		return nil, err
	}
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	return &flow{s: s, ctx: ctx, r: r, spec: &p.ProcessSpec, dir: d, now: s.now()}, nil
}

func (f *flow) event(e Event) {
	e.ID, e.Request, e.Record, e.At = f.s.cfg.IDs.Next(), f.r.ID, f.r.Record, f.now
	f.r.Events = append(f.r.Events, e)
	f.r.Told = false
}

// mine makes an event of the actor's.
func (f *flow) mine(kind EventKind, comment string) Event {
	a := access.From(f.ctx)
	return Event{Kind: kind, ByKind: a.Kind, By: a.ID, Step: f.stepName(), Comment: comment}
}

// auto is an event of the program's.
func (f *flow) auto(kind EventKind) Event {
	return Event{Kind: kind, ByKind: access.BySystem, Step: f.stepName()}
}

func (f *flow) step() *ProcessStep {
	if f.r.Step >= len(f.r.Plan) || f.r.Plan[f.r.Step] >= len(f.spec.Steps) {
		return nil
	}
	return &f.spec.Steps[f.r.Plan[f.r.Step]]
}

func (f *flow) stepName() string {
	if st := f.step(); st != nil {
		return st.Name
	}
	return ""
}

// current are the tasks of the step at which the request is.
func (f *flow) current() []*Task {
	var out []*Task
	for i := range f.r.Tasks {
		if t := &f.r.Tasks[i]; t.Round == f.r.Round && t.Step == f.r.Step {
			out = append(out, t)
		}
	}
	return out
}

// advance goes on as far as nobody has to be asked.
func (f *flow) advance() error {
	for f.r.State == Pending {
		st := f.step()
		if st == nil {
			f.r.State = Approved
			return nil
		}
		if len(f.current()) == 0 {
			if err := f.ask(st); err != nil {
				return err
			}
			if f.r.State != Pending {
				return nil
			}
			if len(f.current()) == 0 { // skipped
				f.r.Step++
				continue
			}
		}
		f.wake(st)
		switch f.verdict(st) {
		case 0:
			return nil
		case 1:
			f.cancel()
			f.r.Step++
		default:
			f.cancel()
			f.end(Rejected)
			return nil
		}
	}
	return nil
}

// ask makes the tasks of a step.
func (f *flow) ask(st *ProcessStep) error {
	people, err := f.s.seeing(f.ctx, f.r, f.dir.found(st.Who, f.r))
	if err != nil {
		return err
	}
	me := f.r.By.Person
	own := slices.Contains(people, me) && me != 0
	if own && f.spec.Own == OwnLeaves {
		people = slices.DeleteFunc(people, func(v id.ID) bool { return v == me })
	}
	if len(people) == 0 {
		switch st.Nobody {
		case SkipStep:
			f.event(f.auto(EvSkipped))
			return nil
		case RefuseRequest:
			f.event(f.auto(EvNobody))
			f.end(Rejected)
			return nil
		case AskAdministrators:
		}
		people = f.dir.administrators()
		if f.spec.Own == OwnLeaves && len(people) > 1 { // the only administrator is asked about the own requests too
			people = slices.DeleteFunc(people, func(v id.ID) bool { return v == me })
		}
		if len(people) == 0 {
			f.event(f.auto(EvNobody))
			f.end(Rejected)
			return nil
		}
	}
	agreed := map[id.ID]bool{}
	if f.spec.Once {
		for _, t := range f.r.Tasks {
			if t.Round == f.r.Round && t.State == TaskApproved && !t.Auto {
				agreed[t.Person] = true
			}
		}
	}
	for i, v := range people {
		t := f.task(v, i)
		if agreed[v] || v == me && f.spec.Own == OwnAgrees {
			t.State, t.Auto, t.Decided, t.Told = TaskApproved, true, f.now, true
		}
		f.r.Tasks = append(f.r.Tasks, t)
	}
	f.r.Told = false
	return nil
}

func (f *flow) task(person id.ID, place int) Task {
	t := Task{ID: f.s.cfg.IDs.Next(), Person: person, State: TaskPending, Round: f.r.Round, Step: f.r.Step, Place: place, At: f.now}
	if st := f.step(); st != nil && st.Hours > 0 {
		t.Due = f.now.Add(time.Duration(st.Hours) * time.Hour)
	}
	return t
}

// wake opens the tasks whose turn it is, and lets the others wait.
func (f *flow) wake(st *ProcessStep) {
	list := f.current()
	slices.SortStableFunc(list, func(a, b *Task) int { return byPlace(*a, *b) })
	byID := map[id.ID]*Task{}
	for _, t := range list {
		byID[t.ID] = t
	}
	turn := true // of the next one in a sequence
	for _, t := range list {
		if !t.State.open() {
			continue
		}
		ready := true
		for _, v := range t.Behind {
			if b := byID[v]; b != nil && b.State.open() {
				ready = false
			}
		}
		if st.Mode == Sequence && !t.Extra {
			ready = ready && turn
			turn = false
		}
		switch {
		case ready && t.State == TaskWaits:
			t.State, t.At, t.Told = TaskPending, f.now, false
			if st.Hours > 0 {
				t.Due = f.now.Add(time.Duration(st.Hours) * time.Hour)
			}
			f.r.Told = false
		case !ready:
			t.State, t.Due = TaskWaits, time.Time{}
		}
	}
}

// verdict is 1 when the step agrees, -1 when it refuses, 0 while it is open.
func (f *flow) verdict(st *ProcessStep) int {
	var agreed, refused, all int
	var first *Task
	extra := 0
	for _, t := range f.current() {
		if t.State == TaskHanded || t.State == TaskEscalated || t.State == TaskCancelled {
			continue
		}
		if t.Extra {
			switch {
			case t.State == TaskRejected:
				return -1
			case t.State.open():
				extra++
			}
			continue
		}
		all++
		switch t.State {
		case TaskApproved:
			agreed++
		case TaskRejected:
			refused++
		default:
			continue
		}
		if first == nil || t.Decided.Before(first.Decided) {
			first = t
		}
	}
	out := 0
	switch st.Mode {
	case First:
		if first != nil {
			out = 1
			if first.State == TaskRejected {
				out = -1
			}
		}
	case Majority:
		if agreed*2 > all {
			out = 1
		} else if refused*2 >= all {
			out = -1
		}
	default:
		if refused > 0 {
			out = -1
		} else if agreed == all {
			out = 1
		}
	}
	if out == 1 && extra > 0 {
		return 0
	}
	return out
}

// cancel closes the questions of the step that are still open.
func (f *flow) cancel() {
	for _, t := range f.current() {
		if t.State.open() {
			t.State = TaskCancelled
		}
	}
}

// end closes the request.
func (f *flow) end(to State) {
	for i := range f.r.Tasks {
		if f.r.Tasks[i].State.open() {
			f.r.Tasks[i].State = TaskCancelled
		}
	}
	f.r.State, f.r.EndedAt, f.r.Told = to, f.now, false
}

// late deals with questions that were not answered in time; changed is false when there are none.
func (f *flow) late() (changed bool, err error) {
	st := f.step()
	if st == nil || f.r.State != Pending {
		return false, nil
	}
	var due []*Task
	for _, t := range f.current() {
		if t.State == TaskPending && !t.Due.IsZero() && !t.Due.After(f.now) {
			due = append(due, t)
		}
	}
	if len(due) == 0 {
		return false, nil
	}
	switch st.Late {
	case Escalate:
		return true, f.escalate(st, due)
	case Agree, Refuse:
		for _, t := range due {
			t.State, t.Auto, t.Decided, t.Due = TaskApproved, true, f.now, time.Time{}
			if st.Late == Refuse {
				t.State = TaskRejected
			}
		}
		e := f.auto(EvExpired)
		e.Code = string(st.Late)
		f.event(e)
		return true, f.advance()
	case Remind:
	}
	e := f.auto(EvReminded)
	for _, t := range due {
		t.Due, t.Told = f.now.Add(time.Duration(st.Hours)*time.Hour), false
		e.People = append(e.People, t.Person)
	}
	f.event(e)
	return true, nil
}

// escalate asks others in the place of those who did not answer. Where nobody else can be asked, they are reminded.
func (f *flow) escalate(st *ProcessStep, due []*Task) error {
	people, err := f.s.seeing(f.ctx, f.r, f.dir.found(st.Escalate, f.r))
	if err != nil {
		return err
	}
	asked := map[id.ID]bool{f.r.By.Person: f.spec.Own == OwnLeaves}
	for _, t := range f.current() {
		if t.State.open() || t.State == TaskApproved {
			asked[t.Person] = true
		}
	}
	people = slices.DeleteFunc(people, func(v id.ID) bool { return asked[v] })
	if len(people) == 0 {
		e := f.auto(EvReminded)
		for _, t := range due {
			t.Due, t.Told = f.now.Add(time.Duration(st.Hours)*time.Hour), false
			e.People = append(e.People, t.Person)
		}
		f.event(e)
		return nil
	}
	place := 0
	extra := false
	for _, t := range due {
		t.State, t.Due = TaskEscalated, time.Time{}
		place, extra = t.Place, extra || t.Extra
	}
	for _, v := range people {
		t := f.task(v, place)
		t.Extra = extra
		f.r.Tasks = append(f.r.Tasks, t)
	}
	e := f.auto(EvEscalated)
	e.People = people
	f.event(e)
	return f.advance()
}

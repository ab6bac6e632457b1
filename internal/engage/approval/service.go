package approval

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

const (
	maxComment = 2000
	maxFiles   = 20
	maxAdded   = 20
	// MaxPage is the most requests of one page, and of one decision about several.
	MaxPage = 100
	// maxTries is how often a change of a request is tried again that somebody else moved meanwhile.
	maxTries = 5
)

// Proposal is a write that is to be agreed to.
type Proposal struct {
	Op      change.Op
	Assign  bool
	Object  string
	Record  id.ID
	Version int64 // that the requester saw, 0 for any
	Input   record.Input
	Comment string
	Files   []id.ID
	// ID is that of the request, 0 for a fresh one, and Origin says what asks in the name of the actor, in the words of that.
	ID     id.ID
	Origin string
}

func (p *Proposal) op() record.BatchOp {
	return record.BatchOp{Op: p.Op, Object: p.Object, ID: p.Record, Version: p.Version, Input: p.Input}
}

func (s *Service) comment(text string) (string, error) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > maxComment {
		return "", fault.InvalidField("approval.comment_length", "comment", fault.Params{"max": maxComment})
	}
	return text, nil
}

// probe runs a write as far as the guard, which says what it must wait for. Whatever else is wrong with it is the fault.
func (s *Service) probe(ctx context.Context, p *Proposal, self id.ID, passed []id.ID) (*need, error) {
	pr := &probe{fields: inputFields(p.Input), passed: passed, self: self}
	_, err := s.cfg.Records.Carry(context.WithValue(ctx, probeKey{}, pr), p.op(), p.Assign, func(context.Context, record.Tx, []record.BulkResult) error {
		return fault.New(fault.Conflict, "approval.not_needed", nil) // nothing would change: it never came to the guard
	})
	if code := fault.CodeOf(err); code == "approval.needed" && pr.found != nil {
		return pr.found, nil
	}
	if err == nil {
		err = fault.New(fault.Conflict, "approval.not_needed", nil)
	}
	return nil, err
}

// Submit proposes a write. Conflict approval.not_needed when nothing keeps it from being made, approval.locked when another
// request is about the same; besides whatever the write itself would be refused for.
func (s *Service) Submit(ctx context.Context, p Proposal) (*Request, error) {
	n, err := s.probe(ctx, &p, 0, nil)
	if err != nil {
		return nil, err
	}
	if p.Comment, err = s.comment(p.Comment); err != nil {
		return nil, err
	}
	if len(p.Files) > maxFiles {
		return nil, fault.InvalidField("approval.too_many_files", "files", fault.Params{"max": maxFiles})
	}
	r := s.request(ctx, p.Object)
	r.Record, r.Op, r.Assign, r.Files, r.Origin = p.Record, p.Op, p.Assign, p.Files, p.Origin
	if p.ID != 0 {
		r.ID = p.ID
	}
	if p.Op == change.Create {
		r.Record = 0
	}
	if err := s.content(r, &Content{Input: p.Input}, n); err != nil {
		return nil, err
	}
	return s.begin(ctx, r, n, p.Comment)
}

// SubmitExport proposes an export; order is what the exporter is given, about what people read of it.
func (s *Service) SubmitExport(ctx context.Context, object string, order []byte, about, comment string) (*Request, error) {
	n, err := s.exportNeed(ctx, object)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, fault.New(fault.Conflict, "approval.not_needed", nil)
	}
	if comment, err = s.comment(comment); err != nil {
		return nil, err
	}
	r := s.request(ctx, object)
	r.Job = s.cfg.IDs.Next()
	if err := s.seal(r, &Content{Order: order, About: about}); err != nil {
		return nil, err
	}
	return s.begin(ctx, r, n, comment)
}

func (s *Service) request(ctx context.Context, object string) *Request {
	a := access.From(ctx)
	by := Actor{Kind: a.Kind, ID: a.ID, Person: a.Person, Locale: a.Locale}
	if a.Kind == access.ByUser {
		by.Person = a.ID
	}
	return &Request{ID: s.cfg.IDs.Next(), Object: object, State: Pending, By: by, At: s.now()}
}

// adopt makes a request go by a process.
func (r *Request) adopt(n *need) {
	r.Process, r.Version, r.Name, r.Action = n.process.ID, n.process.Version, n.process.Name, n.process.Action
	r.Plan, r.Step, r.Locks, r.People, r.Revision = n.plan, 0, n.locks, n.people, n.version
	if r.Plan == nil {
		r.Plan = []int{}
	}
}

// begin stores a new request and asks the first people.
func (s *Service) begin(ctx context.Context, r *Request, n *need, comment string) (*Request, error) {
	r.adopt(n)
	r.Comment = comment
	f, err := s.flow(ctx, r)
	if err != nil {
		return nil, err
	}
	f.event(Event{Kind: EvSubmitted, ByKind: r.By.Kind, By: r.By.ID, Process: r.Name, Comment: comment})
	if err := f.advance(); err != nil {
		return nil, err
	}
	if err := s.scrub(ctx, r); err != nil {
		return nil, err
	}
	if err := s.cfg.Store.Add(ctx, r); err != nil {
		return nil, err
	}
	if err := s.cfg.Note(ctx, "approval.submit", r.Object, r.Record, r.detail()); err != nil {
		return nil, err
	}
	return s.after(ctx, r)
}

func (r *Request) detail() map[string]any {
	return map[string]any{"request": id.Format(Prefix, r.ID), "process": r.Name, "action": string(r.Action)}
}

// content seals what is proposed with what the record holds in its place.
func (s *Service) content(r *Request, c *Content, n *need) error {
	c.Before = nil
	if r.Op != change.Create {
		c.Before = n.before
	}
	return s.seal(r, c)
}

func (s *Service) seal(r *Request, c *Content) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a proposal: %w", err)
	}
	r.Content, err = s.cfg.Vault.Seal(r.ID, raw)
	return err
}

// Opened is what a request proposes.
func (s *Service) opened(r *Request) (*Content, error) {
	raw, err := s.cfg.Vault.Open(r.ID, r.Content)
	if err != nil {
		return nil, fmt.Errorf("open a proposal: %w", err)
	}
	c := &Content{}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if err := dec.Decode(c); err != nil {
		return nil, fmt.Errorf("decode a proposal: %w", err)
	}
	for k, v := range c.Masked {
		if c.Input == nil {
			c.Input = record.Input{}
		}
		c.Input[k] = record.MaskedValue(v)
	}
	return c, nil
}

// scrub takes personal values out of what is kept of a request that has ended.
func (s *Service) scrub(ctx context.Context, r *Request) error {
	if r.State.Open() {
		return nil
	}
	c, err := s.opened(r)
	if err != nil {
		return err
	}
	if r.Action == Export {
		return s.seal(r, &Content{About: c.About})
	}
	out := &Content{Input: record.Input{}, Before: c.Before, Masked: map[string]string{}}
	for k, v := range s.cfg.Records.Masked(ctx, r.Object, c.Input) {
		if m, ok := v.(record.MaskedValue); ok {
			out.Masked[k] = string(m)
		} else {
			out.Input[k] = v
		}
	}
	return s.seal(r, out)
}

// after tells of a request that moved and carries out what was agreed to.
func (s *Service) after(ctx context.Context, r *Request) (*Request, error) {
	ctx = context.WithoutCancel(ctx)
	if r.State == Approved {
		if err := s.apply(ctx, r.ID); err != nil {
			s.cfg.Log.Error("approved request not carried out", "request", id.Format(Prefix, r.ID), "error", err)
			s.notify()
		}
	}
	now, err := s.cfg.Store.Get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	if err := s.tell(ctx, now); err != nil {
		s.cfg.Log.Error("told nobody of a request", "request", id.Format(Prefix, r.ID), "error", err)
	}
	s.cfg.Publish(now)
	return now, nil
}

// change moves a request on and stores it; what somebody else did meanwhile is taken into account.
func (s *Service) change(ctx context.Context, request id.ID, move func(f *flow) error) (*Request, error) {
	for try := 1; ; try++ {
		r, err := s.cfg.Store.Get(ctx, request)
		if err != nil {
			return nil, err
		}
		r.Events = nil
		f, err := s.flow(ctx, r)
		if err != nil {
			return nil, err
		}
		if err := move(f); err != nil {
			return nil, err
		}
		if err := s.scrub(ctx, r); err != nil {
			return nil, err
		}
		err = s.cfg.Store.Save(ctx, nil, r)
		if fault.CodeOf(err) == "approval.moved" && try < maxTries {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.after(ctx, r)
	}
}

// Look is a request as it stands, for programs. NotFound approval.unknown.
func (s *Service) Look(ctx context.Context, request id.ID) (*Request, error) {
	return s.cfg.Store.Get(ctx, request)
}

// Answer is what somebody says to a request.
type Answer string

// The answers.
const (
	Yes  Answer = "approve"
	No   Answer = "reject"
	Back Answer = "return"
)

// ToRequester is the place to which a request goes back for correction.
const ToRequester = -1

// Decide answers the question that the actor, or somebody whose deputy the actor is, was asked. To is where a request goes back to:
// ToRequester, or an earlier step of its plan. Faults: Forbidden approval.not_asked, Conflict approval.not_pending.
func (s *Service) Decide(ctx context.Context, request id.ID, a Answer, comment string, to int) (*Request, error) {
	comment, err := s.comment(comment)
	if err != nil {
		return nil, err
	}
	if a != Yes && a != No && a != Back {
		return nil, fault.InvalidField("approval.answer_unknown", "answer", nil)
	}
	if a == Back && comment == "" {
		return nil, fault.InvalidField("approval.comment_needed", "comment", nil)
	}
	return s.change(ctx, request, func(f *flow) error {
		t, err := f.asked()
		if err != nil {
			return err
		}
		me := access.From(ctx).ID
		t.By, t.Decided, t.Comment = me, f.now, comment
		kind := EvApproved
		switch a {
		case Yes:
			t.State = TaskApproved
		case No:
			t.State, kind = TaskRejected, EvRejected
		case Back:
			t.State, kind = TaskReturned, EvReturned
		}
		e := f.mine(kind, comment)
		if t.Person != me {
			e.For = t.Person
		}
		f.event(e)
		if a != Back {
			return f.advance()
		}
		if to != ToRequester && (to < 0 || to >= f.r.Step) {
			return fault.InvalidField("approval.step_unknown", "to", nil)
		}
		f.cancel()
		f.r.Round++
		if to == ToRequester {
			f.r.State = Returned
			return nil
		}
		f.r.Step = to
		return f.advance()
	})
}

// asked is the open question that the actor may answer.
func (f *flow) asked() (*Task, error) {
	who := access.From(f.ctx)
	if who.Kind != access.ByUser {
		return nil, fault.New(fault.Forbidden, "approval.person_only", nil)
	}
	if f.r.State != Pending {
		return nil, fault.New(fault.Conflict, "approval.not_pending", fault.Params{"state": string(f.r.State)})
	}
	people, err := f.s.standsFor(f.ctx, who.ID)
	if err != nil {
		return nil, err
	}
	var found *Task
	for _, t := range f.current() {
		if t.State == TaskPending && slices.Contains(people, t.Person) && (found == nil || t.Person == who.ID) {
			found = t
		}
	}
	if found == nil {
		return nil, fault.New(fault.Forbidden, "approval.not_asked", nil)
	}
	if found.Person != who.ID && f.r.By.Person == who.ID {
		return nil, fault.New(fault.Forbidden, "approval.own_request", nil)
	}
	ok, err := f.s.sees(f.ctx, f.r, who.ID)
	if err == nil && !ok {
		err = fault.New(fault.Forbidden, "approval.out_of_sight", nil)
	}
	return found, err
}

// candidate refuses somebody who cannot be asked in the present step.
func (f *flow) candidate(person id.ID, at string) error {
	ok, err := f.s.sees(f.ctx, f.r, person)
	switch {
	case err != nil:
		return err
	case !f.dir.active(person):
		return fault.InvalidField("approval.user_unknown", at, nil)
	case !ok:
		return fault.InvalidField("approval.person_blind", at, fault.Params{"name": f.dir.people[person].Name})
	case person == f.r.By.Person && f.spec.Own == OwnLeaves:
		return fault.InvalidField("approval.person_requester", at, fault.Params{"name": f.dir.people[person].Name})
	}
	for _, t := range f.current() {
		if t.Person == person && t.State.open() {
			return fault.InvalidField("approval.person_asked", at, fault.Params{"name": f.dir.people[person].Name})
		}
	}
	return nil
}

// HandOver lets somebody else answer in the actor's place.
func (s *Service) HandOver(ctx context.Context, request, person id.ID, comment string) (*Request, error) {
	comment, err := s.comment(comment)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, request, func(f *flow) error {
		t, err := f.asked()
		if err != nil {
			return err
		}
		if err := f.candidate(person, "person"); err != nil {
			return err
		}
		me := access.From(ctx).ID
		t.State, t.By, t.Decided, t.Comment = TaskHanded, me, f.now, comment
		n := f.task(person, t.Place)
		n.Extra, n.Behind, n.From = t.Extra, t.Behind, me
		for _, other := range f.current() { // what waited for the one waits for the other
			for i, v := range other.Behind {
				if v == t.ID {
					other.Behind[i] = n.ID
				}
			}
		}
		f.r.Tasks = append(f.r.Tasks, n)
		e := f.mine(EvHanded, comment)
		e.People = []id.ID{person}
		f.event(e)
		return f.advance()
	})
}

// When somebody who is added is asked.
const (
	BeforeMe = "before"
	WithMe   = "with"
	AfterMe  = "after"
)

// Add asks more people in the present step; each of them must agree besides.
func (s *Service) Add(ctx context.Context, request id.ID, people []id.ID, when, comment string) (*Request, error) {
	comment, err := s.comment(comment)
	if err != nil {
		return nil, err
	}
	if when != BeforeMe && when != WithMe && when != AfterMe {
		return nil, fault.InvalidField("approval.when_unknown", "when", nil)
	}
	if len(people) == 0 || len(people) > maxAdded {
		return nil, fault.InvalidField("approval.approvers_number", "people", fault.Params{"max": maxAdded})
	}
	return s.change(ctx, request, func(f *flow) error {
		t, err := f.asked()
		if err != nil {
			return err
		}
		mine, place := t.ID, t.Place
		var made []Task
		for _, p := range people {
			if err := f.candidate(p, "people"); err != nil {
				return err
			}
			n := f.task(p, place)
			n.Extra, n.From = true, access.From(ctx).ID
			if when == AfterMe {
				n.Behind = []id.ID{mine}
			}
			if when == BeforeMe {
				t.Behind = append(t.Behind, n.ID)
			}
			made = append(made, n)
		}
		f.r.Tasks = append(f.r.Tasks, made...)
		e := f.mine(EvAdded, comment)
		e.People, e.Code = people, when
		f.event(e)
		return f.advance()
	})
}

// mineAlone refuses whoever did not make a request.
func (f *flow) mineAlone() error {
	a := access.From(f.ctx)
	if a.Kind == f.r.By.Kind && a.ID == f.r.By.ID || a.Kind == access.ByUser && a.ID == f.r.By.Person {
		return nil
	}
	return fault.New(fault.Forbidden, "approval.not_yours", nil)
}

// Withdraw ends an own request; who manages processes may end anybody's.
func (s *Service) Withdraw(ctx context.Context, request id.ID, comment string) (*Request, error) {
	comment, err := s.comment(comment)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, request, func(f *flow) error {
		if err := f.mineAlone(); err != nil && !access.From(ctx).Can(access.SchemaManage) {
			return err
		}
		if f.r.State != Pending && f.r.State != Returned {
			return fault.New(fault.Conflict, "approval.not_pending", fault.Params{"state": string(f.r.State)})
		}
		f.event(f.mine(EvWithdrawn, comment))
		f.end(Withdrawn)
		return nil
	})
}

// Resubmit sends a request that came back on its way again. The input is laid over the one before; fields of drop are taken out
// of it.
func (s *Service) Resubmit(ctx context.Context, request id.ID, in record.Input, drop []string, comment string) (*Request, error) {
	comment, err := s.comment(comment)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, request, func(f *flow) error {
		r := f.r
		if err := f.mineAlone(); err != nil {
			return err
		}
		if r.State != Returned {
			return fault.New(fault.Conflict, "approval.not_pending", fault.Params{"state": string(r.State)})
		}
		if r.Action != Export {
			if err := s.correct(ctx, r, in, drop); err != nil {
				return err
			}
			p, err := s.cfg.Store.Process(ctx, r.Process, r.Version)
			if err != nil {
				return err
			}
			f.spec = &p.ProcessSpec
		}
		r.State, r.Step = Pending, 0
		if comment != "" {
			r.Comment = comment
		}
		f.event(Event{Kind: EvResubmitted, ByKind: r.By.Kind, By: r.By.ID, Comment: comment})
		return f.advance()
	})
}

// correct replaces what a request proposes.
func (s *Service) correct(ctx context.Context, r *Request, in record.Input, drop []string) error {
	c, err := s.opened(r)
	if err != nil {
		return err
	}
	next := record.Input{}
	for k, v := range c.Input {
		if !slices.Contains(drop, k) {
			next[k] = v
		}
	}
	for k, v := range in {
		next[k] = v
	}
	p := Proposal{Op: r.Op, Assign: r.Assign, Object: r.Object, Record: r.Record, Input: next}
	n, err := s.probe(ctx, &p, r.ID, r.Passed)
	if err != nil {
		return err
	}
	r.adopt(n)
	return s.content(r, &Content{Input: next}, n)
}

// Comment says something about a request.
func (s *Service) Comment(ctx context.Context, request id.ID, comment string) (*Request, error) {
	comment, err := s.comment(comment)
	if err != nil {
		return nil, err
	}
	if comment == "" {
		return nil, fault.InvalidField("approval.comment_needed", "comment", nil)
	}
	return s.change(ctx, request, func(f *flow) error {
		ok, err := s.maySee(ctx, f.r)
		if err == nil && !ok {
			err = unknown(request)
		}
		if err != nil {
			return err
		}
		f.event(f.mine(EvCommented, comment))
		return nil
	})
}

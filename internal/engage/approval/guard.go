package approval

import (
	"bytes"
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// need is a process that a write must wait for, with what it will want to know of the record.
type need struct {
	process *Process
	plan    []int
	locks   []string // none for the whole record
	people  map[string]id.ID
	before  []byte
	version int64
	fields  []string
}

// probe asks what a write would need, and keeps it from being stored.
type probe struct {
	fields []string // that the proposal names
	passed []id.ID
	self   id.ID // the request whose own lock does not count
	found  *need
}

// pass lets the write of a request through that was agreed to.
type pass struct {
	request *Request
	content *Content
	next    *need // a further process that must agree
}

type (
	probeKey struct{}
	passKey  struct{}
)

// Guard implements record.Guard.
func (s *Service) Guard(ctx context.Context, tx record.Reader, writes []*record.Pending) error {
	who := access.From(ctx)
	pr, _ := ctx.Value(probeKey{}).(*probe)
	ps, _ := ctx.Value(passKey{}).(*pass)
	if who.Kind == access.BySystem && pr == nil && ps == nil {
		return nil
	}
	st, err := s.present(ctx, tx)
	if err != nil {
		return err
	}
	locks, err := s.locks(ctx, st, tx, writes)
	if err != nil {
		return err
	}
	for _, w := range writes {
		self := id.ID(0)
		var passed []id.ID
		switch {
		case ps != nil:
			self, passed = ps.request.ID, append(slices.Clone(ps.request.Passed), ps.request.Process)
		case pr != nil:
			self, passed = pr.self, pr.passed
		}
		if f := locked(locks[w.ID()], w, self); f != nil {
			w.Refuse(f)
			continue
		}
		if ps != nil && w.Op() == change.Update && !bytes.Equal(w.Image(inputFields(ps.content.Input)), ps.content.Before) ||
			ps != nil && w.Op() == change.Delete && !bytes.Equal(w.Image(nil), ps.content.Before) {
			w.Refuse(fault.New(fault.Conflict, "approval.changed_since", nil))
			continue
		}
		n, err := s.needs(ctx, st, w, passed)
		if err != nil {
			return err
		}
		if n != nil && (pr != nil || ps != nil) {
			n.before = before(w, pr, ps)
		}
		s.answer(w, n, pr, ps)
	}
	return nil
}

// before is what the record holds in the fields that a proposal names.
func before(w *record.Pending, pr *probe, ps *pass) []byte {
	switch {
	case w.Op() == change.Delete:
		return w.Image(nil)
	case pr != nil:
		return w.Image(pr.fields)
	}
	return ps.content.Before
}

// answer refuses a write that must wait, and tells whoever asked what for.
func (s *Service) answer(w *record.Pending, n *need, pr *probe, ps *pass) {
	switch {
	case pr != nil:
		pr.found = n
		code := "approval.needed"
		if n == nil {
			code = "approval.not_needed"
		}
		w.Refuse(fault.New(fault.Conflict, code, nil))
	case n == nil:
	case ps != nil:
		ps.next = n
		w.Refuse(fault.New(fault.Conflict, "approval.needed", fault.Params{"process": n.process.Name}))
	default:
		w.Refuse(fault.New(fault.Conflict, "approval.needed", fault.Params{"process": n.process.Name, "action": string(n.process.Action)}))
	}
}

// locks are the open requests about the records that are written.
func (s *Service) locks(ctx context.Context, st *state, tx record.Reader, writes []*record.Pending) (map[id.ID][]Lock, error) {
	var ids []id.ID
	for _, w := range writes {
		if w.Op() != change.Create && st.ever[w.Object().Key] {
			ids = append(ids, w.ID())
		}
	}
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // none
	}
	list, err := s.cfg.Store.Locks(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	out := map[id.ID][]Lock{}
	for _, l := range list {
		out[l.Record] = append(out[l.Record], l)
	}
	return out, nil
}

// Holds reports whether an open request holds a field of a record, or the whole of it; in reads as of a transaction of records.
func (s *Service) Holds(ctx context.Context, in record.Reader, rec id.ID, field string) (bool, error) {
	list, err := s.cfg.Store.Locks(ctx, in, []id.ID{rec})
	return slices.ContainsFunc(list, func(l Lock) bool { return l.Whole || slices.Contains(l.Fields, field) }), err
}

// locked is the fault of a write to what an open request is about.
func locked(list []Lock, w *record.Pending, self id.ID) *fault.Fault {
	for _, l := range list {
		if l.Request == self {
			continue
		}
		p := fault.Params{"process": l.Name, "request": id.Format(Prefix, l.Request)}
		if l.Whole || w.Op() == change.Delete {
			return fault.New(fault.Conflict, "approval.locked", p)
		}
		for _, key := range w.Changed() {
			if f := w.Object().Field(key); slices.Contains(l.Fields, key) {
				p["label"] = f.Label
				return &fault.Fault{Kind: fault.Conflict, Code: "approval.locked_field", Field: "fields." + key, Params: p}
			}
		}
	}
	return nil
}

// needs is the first process that a write must wait for, of those that have not agreed already; nil for none.
func (s *Service) needs(ctx context.Context, st *state, w *record.Pending, passed []id.ID) (*need, error) {
	for _, p := range st.byObject[w.Object().Key] {
		if slices.Contains(passed, p.ID) || !p.guards(w) {
			continue
		}
		if ok, err := s.concerns(ctx, p); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		// A condition that does not check any more lets nothing through.
		if ok, err := holds(ctx, w, p.Where, true); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		if p.Free != nil {
			if ok, err := holds(ctx, w, p.Free, false); err != nil || ok {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		return s.plan(ctx, p, w)
	}
	return nil, nil //nolint:nilnil // nothing to wait for
}

// holds asks a condition; broken is the answer of one that does not check.
func holds(ctx context.Context, w *record.Pending, where *query.Node, broken bool) (bool, error) {
	ok, err := w.Holds(ctx, where)
	if f, is := fault.Find(err); is && (f.Kind == fault.Invalid || f.Kind == fault.NotFound || f.Kind == fault.Forbidden) {
		return broken, nil
	}
	return ok, err
}

// plan is what a request in a process will need to know of the record.
func (s *Service) plan(ctx context.Context, p *Process, w *record.Pending) (*need, error) {
	n := &need{process: p, people: map[string]id.ID{}, version: w.Version(), fields: w.Changed()}
	for i := range p.Steps {
		ok, err := holds(ctx, w, p.Steps[i].Where, true)
		if err != nil {
			return nil, err
		}
		if ok {
			n.plan = append(n.plan, i)
		}
		for _, a := range slices.Concat(p.Steps[i].Who, p.Steps[i].Escalate) {
			if v, ok := w.Value(a.Field).(id.ID); ok && a.Field != "" {
				n.people[a.Field] = v
			}
		}
	}
	if w.Op() == change.Update && !p.Whole && (p.Action == Move || len(p.Fields) > 0) {
		n.locks = slices.Clone(p.Fields)
		for _, f := range n.fields {
			if !slices.Contains(n.locks, f) {
				n.locks = append(n.locks, f)
			}
		}
	}
	return n, nil
}

// guards reports whether a write is what a process guards, its conditions aside.
func (p *Process) guards(w *record.Pending) bool {
	switch p.Action {
	case Create:
		return w.Op() == change.Create
	case Delete:
		return w.Op() == change.Delete
	case Update:
		if w.Op() != change.Update {
			return false
		}
		changed := w.Changed()
		if len(p.Fields) == 0 {
			return len(changed) > 0
		}
		return slices.ContainsFunc(changed, func(f string) bool { return slices.Contains(p.Fields, f) })
	case Move:
		if w.Op() != change.Update || len(p.Fields) != 1 || !slices.Contains(w.Changed(), p.Fields[0]) {
			return false
		}
		return oneOf(p.From, w.Old(p.Fields[0])) && oneOf(p.To, w.Value(p.Fields[0]))
	case Export:
	}
	return false
}

func oneOf(options []string, v any) bool {
	text, _ := v.(string)
	return len(options) == 0 || slices.Contains(options, text)
}

// concerns reports whether the writes of the actor are guarded by a process.
func (s *Service) concerns(ctx context.Context, p *Process) (bool, error) {
	if len(p.For)+len(p.Except) == 0 {
		return true, nil
	}
	d, err := s.directory(ctx)
	if err != nil {
		return false, err
	}
	who := access.From(ctx)
	if len(p.For) > 0 && !d.among(p.For, who) {
		return false, nil
	}
	return !d.among(p.Except, who), nil
}

// inputFields are the fields that an input names, in a fixed order.
func inputFields(in record.Input) []string {
	out := make([]string, 0, len(in))
	for k := range in {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// ExportNeeds is the name of the process that an export of the actor must wait for; "" for none.
func (s *Service) ExportNeeds(ctx context.Context, object string) (string, error) {
	n, err := s.exportNeed(ctx, object)
	if n == nil {
		return "", err
	}
	return n.process.Name, err
}

func (s *Service) exportNeed(ctx context.Context, object string) (*need, error) {
	st, err := s.present(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, p := range st.byObject[object] {
		if p.Action != Export {
			continue
		}
		ok, err := s.concerns(ctx, p)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		n := &need{process: p}
		for i := range p.Steps {
			n.plan = append(n.plan, i)
		}
		return n, nil
	}
	return nil, nil //nolint:nilnil // nothing to wait for
}

// Uses tells the name of a process that would no longer check under another registry, although it does now; "" for none.
func (s *Service) Uses(ctx context.Context, next *schema.Registry) (string, error) {
	list, err := s.Processes(ctx, "")
	if err != nil {
		return "", err
	}
	for _, p := range list {
		obj := next.Object(p.Object)
		if !p.Enabled || obj == nil {
			continue
		}
		for _, f := range p.Fields {
			if now := s.cfg.Registry().Object(p.Object); now != nil && now.Field(f) != nil && obj.Field(f) == nil {
				return p.Name, nil
			}
		}
	}
	return "", nil
}

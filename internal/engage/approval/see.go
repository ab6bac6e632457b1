package approval

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// maySee reports whether the actor may know of a request: the requester, whoever was asked in it, whoever sees the record, and who
// manages processes.
func (s *Service) maySee(ctx context.Context, r *Request) (bool, error) {
	a := access.From(ctx)
	if a.Can(access.SchemaManage) || a.Kind == r.By.Kind && a.ID == r.By.ID || a.Person != 0 && a.Person == r.By.Person {
		return true, nil
	}
	person := a.Person
	if a.Kind == access.ByUser {
		person = a.ID
	}
	if person != 0 {
		people, err := s.standsFor(ctx, person)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(r.Tasks, func(t Task) bool { return slices.Contains(people, t.Person) || t.By == person }) {
			return true, nil
		}
	}
	if r.Record == 0 || !a.May(r.Object, access.Read) {
		return false, nil
	}
	got, err := s.cfg.Records.Reaches(ctx, r.Object, r.Record, access.Read)
	return got[access.Read], err
}

// Seen is a request as the actor sees it.
type Seen struct {
	*Request
	ProcessSpec *ProcessSpec
	Title       string               // of the record, "" where it is out of sight
	Visible     bool                 // the record, or for a new one the object
	Changes     []record.FieldChange // what is proposed
	About       string               // of an export
	Stale       bool                 // the record was changed since
	Answer      bool                 // the actor is asked now
	For         id.ID                // for whom, when it is somebody else
	Own         bool
	Deputy      map[id.ID]id.ID // who answers for people now
	// Order is what an export is asked to do, for whoever asked for it.
	Order []byte
}

// Get reads a request with everything that the actor may see of it.
func (s *Service) Get(ctx context.Context, request id.ID) (*Seen, error) {
	r, err := s.cfg.Store.Get(ctx, request)
	if err != nil {
		return nil, err
	}
	ok, err := s.maySee(ctx, r)
	if err == nil && !ok {
		err = unknown(request)
	}
	if err != nil {
		return nil, err
	}
	list, err := s.see(ctx, []*Request{r})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// List reads a page of requests, newest first. Every needs the right to manage processes.
func (s *Service) List(ctx context.Context, q Query) ([]*Seen, id.ID, error) {
	a := access.From(ctx)
	q.Me = a.Person
	if a.Kind == access.ByUser {
		q.Me = a.ID
	}
	if q.Limit <= 0 || q.Limit > MaxPage {
		q.Limit = 50
	}
	var err error
	switch {
	case q.Record != 0:
		got, err := s.cfg.Records.Reaches(ctx, q.Object, q.Record, access.Read)
		if err != nil || !got[access.Read] {
			return nil, 0, err
		}
	case q.Tab == Every:
		if err := allow(ctx, access.SchemaManage); err != nil {
			return nil, 0, err
		}
	case q.Tab != Waiting && q.Tab != Mine && q.Tab != Done:
		return nil, 0, fault.InvalidField("approval.tab_unknown", "tab", nil)
	case q.Me == 0:
		return nil, 0, nil
	}
	if q.Tab == Waiting {
		if q.People, err = s.standsFor(ctx, q.Me); err != nil {
			return nil, 0, err
		}
	}
	q.Limit++
	list, err := s.cfg.Store.List(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	var next id.ID
	if len(list) == q.Limit {
		list = list[:len(list)-1]
		next = list[len(list)-1].ID
	}
	out, err := s.see(ctx, list)
	return out, next, err
}

// Count is how many requests wait for the actor.
func (s *Service) Count(ctx context.Context) (int, error) {
	a := access.From(ctx)
	if a.Kind != access.ByUser {
		return 0, nil
	}
	people, err := s.standsFor(ctx, a.ID)
	if err != nil {
		return 0, err
	}
	return s.cfg.Store.Count(ctx, people)
}

// see adds to requests what the actor sees of their records.
func (s *Service) see(ctx context.Context, list []*Request) ([]*Seen, error) {
	a := access.From(ctx)
	byObject := map[string][]id.ID{}
	for _, r := range list {
		if r.Record != 0 {
			byObject[r.Object] = append(byObject[r.Object], r.Record)
		}
	}
	found := map[id.ID]*record.Record{}
	for object, ids := range byObject {
		if o := s.cfg.Registry().Object(object); o == nil || o.Virtual || !a.May(object, access.Read) {
			continue
		}
		slices.Sort(ids)
		recs, err := s.cfg.Records.GetMany(ctx, object, slices.Compact(ids), []string{})
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			found[r.ID] = r
		}
	}
	people := []id.ID{}
	if a.Kind == access.ByUser {
		var err error
		if people, err = s.standsFor(ctx, a.ID); err != nil {
			return nil, err
		}
	}
	deputy, err := s.deputies(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*Seen, 0, len(list))
	for _, r := range list {
		v := &Seen{Request: r, Deputy: deputy, Own: a.Kind == r.By.Kind && a.ID == r.By.ID || a.Kind == access.ByUser && a.ID == r.By.Person}
		for i := range r.Tasks {
			t := &r.Tasks[i]
			if r.State != Pending || t.State != TaskPending || t.Round != r.Round || t.Step != r.Step || !slices.Contains(people, t.Person) {
				continue
			}
			if t.Person == a.ID {
				v.Answer, v.For = true, 0
				break
			}
			if !v.Own {
				v.Answer, v.For = true, t.Person
			}
		}
		if err := s.disclose(ctx, v, found[r.Record]); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// disclose fills in what is proposed, as far as the actor may see it.
func (s *Service) disclose(ctx context.Context, v *Seen, rec *record.Record) error {
	p, err := s.cfg.Store.Process(ctx, v.Process, v.Version)
	if err != nil {
		return err
	}
	v.ProcessSpec = &p.ProcessSpec
	a := access.From(ctx)
	switch {
	case v.Record != 0 && rec != nil:
		v.Title, v.Visible = rec.Title, true
		v.Stale = v.State.Open() && v.Revision != 0 && rec.Version != v.Revision
	case v.Record == 0:
		v.Visible = a.May(v.Object, access.Read)
	}
	if obj := s.cfg.Registry().Object(v.Object); !v.Visible || obj == nil {
		v.Visible = false
		return nil
	}
	c, err := s.opened(v.Request)
	if err != nil {
		return err
	}
	v.About = c.About
	if v.Own {
		v.Order = c.Order
	}
	if v.Op == change.Delete || v.Action == Export {
		return nil
	}
	var title string
	v.Changes, title, err = s.cfg.Records.Sketch(ctx, v.Object, v.Record, c.Input, c.Before)
	if v.Record == 0 {
		v.Title = title
	}
	return err
}

// Stop is a step of a way that a proposal would take.
type Stop struct {
	Name   string
	Mode   Mode
	People []id.ID
	Nobody Nobody
}

// Foretold is the way that a proposal would take.
type Foretold struct {
	Name   string // of the process
	Action Action
	Steps  []Stop
}

// Foretell says which way a proposal would take, and stores nothing.
func (s *Service) Foretell(ctx context.Context, p Proposal) (*Foretold, error) {
	n, err := s.probe(ctx, &p, 0, nil)
	if err != nil {
		return nil, err
	}
	return s.foretell(ctx, p.Object, p.Record, n)
}

// ForetellExport is Foretell for an export.
func (s *Service) ForetellExport(ctx context.Context, object string) (*Foretold, error) {
	n, err := s.exportNeed(ctx, object)
	if err == nil && n == nil {
		err = fault.New(fault.Conflict, "approval.not_needed", nil)
	}
	if err != nil {
		return nil, err
	}
	return s.foretell(ctx, object, 0, n)
}

func (s *Service) foretell(ctx context.Context, object string, rec id.ID, n *need) (*Foretold, error) {
	r := s.request(ctx, object)
	r.Record = rec
	r.adopt(n)
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	out := &Foretold{Name: n.process.Name, Action: n.process.Action}
	for _, at := range n.plan {
		st := &n.process.Steps[at]
		people, err := s.seeing(ctx, r, d.found(st.Who, r))
		if err != nil {
			return nil, err
		}
		if n.process.Own == OwnLeaves {
			people = slices.DeleteFunc(people, func(v id.ID) bool { return v == r.By.Person })
		}
		out.Steps = append(out.Steps, Stop{Name: st.Name, Mode: st.Mode, People: people, Nobody: st.Nobody})
	}
	return out, nil
}

// Locked is what is locked of a record, for whoever sees it.
type Locked struct {
	Lock
	Labels []schema.Label
}

// LockedOf are the open requests about a record that the actor sees.
func (s *Service) LockedOf(ctx context.Context, object string, rec id.ID) ([]Locked, error) {
	st, err := s.present(ctx, nil)
	if err != nil || !st.ever[object] {
		return nil, err
	}
	got, err := s.cfg.Records.Reaches(ctx, object, rec, access.Read)
	if err != nil || !got[access.Read] {
		return nil, err
	}
	list, err := s.cfg.Store.Locks(ctx, nil, []id.ID{rec})
	if err != nil {
		return nil, err
	}
	obj := s.cfg.Registry().Object(object)
	out := make([]Locked, 0, len(list))
	for _, l := range list {
		v := Locked{Lock: l}
		for _, key := range l.Fields {
			if f := obj.Field(key); f != nil && access.From(ctx).Field(object, key) != access.FieldHidden {
				v.Labels = append(v.Labels, f.Label)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

package approval

import (
	"cmp"
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// directory is who there is at one moment.
type directory struct {
	people map[id.ID]Person
	order  []id.ID
	units  map[id.ID]Unit
	inside []id.ID // units in a fixed order
}

func (s *Service) directory(ctx context.Context) (*directory, error) {
	people, err := s.cfg.People.People(ctx)
	if err != nil {
		return nil, err
	}
	units, err := s.cfg.People.Units(ctx)
	if err != nil {
		return nil, err
	}
	d := &directory{people: map[id.ID]Person{}, units: map[id.ID]Unit{}}
	for _, p := range people {
		d.people[p.ID] = p
		d.order = append(d.order, p.ID)
	}
	for _, u := range units {
		d.units[u.ID] = u
		d.inside = append(d.inside, u.ID)
	}
	slices.Sort(d.order)
	slices.Sort(d.inside)
	return d, nil
}

// active reports somebody who is there and not shut out.
func (d *directory) active(v id.ID) bool {
	p, ok := d.people[v]
	return ok && !p.Disabled
}

// among reports whether an actor is one of those named.
func (d *directory) among(list []Approver, a access.Actor) bool {
	person := a.Person
	if a.Kind == access.ByUser {
		person = a.ID
	}
	for _, x := range list {
		switch x.Kind {
		case ByRole:
			if access.Role(x.Role) == a.Role {
				return true
			}
		case ByPerson:
			if v, err := id.Parse("usr", x.User); err == nil && v == person && person != 0 {
				return true
			}
		case ByUnit:
			if slices.Contains(d.members(x.Unit), person) && person != 0 {
				return true
			}
		default:
		}
	}
	return false
}

// members is everybody in a unit; of a department also those below.
func (d *directory) members(unit string) []id.ID {
	v, err := id.Parse("unt", unit)
	if err != nil {
		return nil
	}
	var out []id.ID
	for _, k := range d.inside {
		if k == v || d.units[k].Department && d.below(k, v) {
			out = append(out, d.units[k].Members...)
		}
	}
	return out
}

// below reports whether a department lies below another one.
func (d *directory) below(unit, above id.ID) bool {
	for range d.units {
		p := d.units[unit].Parent
		if p == 0 {
			return false
		}
		if p == above {
			return true
		}
		unit = p
	}
	return false
}

// chain is the heads above a person, nearest first: of the person's department and those above it, without the person and
// without anybody twice. A person in several departments goes by the one that was made first.
func (d *directory) chain(person id.ID) []id.ID {
	var out []id.ID
	var unit id.ID
	for _, k := range d.inside {
		if u := d.units[k]; u.Department && (slices.Contains(u.Members, person) || u.Head == person) {
			unit = k
			break
		}
	}
	for range d.units {
		u, ok := d.units[unit]
		if !ok {
			break
		}
		if u.Head != 0 && u.Head != person && d.active(u.Head) && !slices.Contains(out, u.Head) {
			out = append(out, u.Head)
		}
		unit = u.Parent
	}
	return out
}

func level(chain []id.ID, n int) []id.ID {
	if n < 1 || n > len(chain) {
		return nil
	}
	return chain[n-1 : n]
}

// found is who is meant, in order and each once.
func (d *directory) found(list []Approver, r *Request) []id.ID {
	var out []id.ID
	add := func(more ...id.ID) {
		for _, v := range more {
			if d.active(v) && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	for _, a := range list {
		switch a.Kind {
		case ByPerson:
			if v, err := id.Parse("usr", a.User); err == nil {
				add(v)
			}
		case ByRole:
			for _, v := range d.order {
				if string(d.people[v].Role) == a.Role {
					add(v)
				}
			}
		case ByUnit:
			add(d.members(a.Unit)...)
		case ByHead:
			if v, err := id.Parse("unt", a.Unit); err == nil {
				add(d.units[v].Head)
			}
		case ByManager:
			add(level(d.chain(r.By.Person), a.Level)...)
		case ByChain:
			c := d.chain(r.By.Person)
			add(c[:min(a.Level, len(c))]...)
		case ByField:
			add(r.People[a.Field])
		case ByFieldHead:
			if v := r.People[a.Field]; v != 0 {
				add(level(d.chain(v), a.Level)...)
			}
		}
	}
	return out
}

// administrators are those who are there.
func (d *directory) administrators() []id.ID {
	var out []id.ID
	for _, v := range d.order {
		if d.people[v].Role == access.Administrator && d.active(v) {
			out = append(out, v)
		}
	}
	return out
}

// seeing keeps those who may see what a request is about, under their own rights.
func (s *Service) seeing(ctx context.Context, r *Request, people []id.ID) ([]id.ID, error) {
	var out []id.ID
	for _, v := range people {
		ok, err := s.sees(ctx, r, v)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, v)
		}
	}
	return out, nil
}

// sees reports whether somebody may see what a request is about.
func (s *Service) sees(ctx context.Context, r *Request, person id.ID) (bool, error) {
	a, err := s.cfg.People.Actor(ctx, Actor{Kind: access.ByUser, ID: person, Person: person})
	if f, is := fault.Find(err); is && (f.Kind == fault.Forbidden || f.Kind == fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if r.Record == 0 {
		return a.May(r.Object, access.Read), nil
	}
	if !a.May(r.Object, access.Read) {
		return false, nil
	}
	got, err := s.cfg.Records.Reaches(access.With(ctx, a), r.Object, r.Record, access.Read)
	return got[access.Read], err
}

// standsFor are the people whose questions somebody may answer now: the own ones, and those of whom they are the deputy of.
func (s *Service) standsFor(ctx context.Context, person id.ID) ([]id.ID, error) {
	list, err := s.cfg.Store.Away(ctx)
	if err != nil {
		return nil, err
	}
	out := []id.ID{person}
	now := s.cfg.Clock.Now()
	for _, a := range list {
		if a.Deputy == person && a.now(now) {
			out = append(out, a.Person)
		}
	}
	return out, nil
}

// deputies are who answers for people now, by person.
func (s *Service) deputies(ctx context.Context) (map[id.ID]id.ID, error) {
	list, err := s.cfg.Store.Away(ctx)
	if err != nil {
		return nil, err
	}
	out := map[id.ID]id.ID{}
	now := s.cfg.Clock.Now()
	for _, a := range list {
		if a.now(now) {
			out[a.Person] = a.Deputy
		}
	}
	return out, nil
}

// Absence is who decides for the actor meanwhile; zero for nobody.
func (s *Service) Absence(ctx context.Context) (Away, error) {
	me := access.From(ctx).ID
	list, err := s.cfg.Store.Away(ctx)
	if err != nil {
		return Away{}, err
	}
	for _, a := range list {
		if a.Person == me {
			return a, nil
		}
	}
	return Away{}, nil
}

// SetAbsence says who decides for the actor in a span; without a deputy nobody does.
func (s *Service) SetAbsence(ctx context.Context, a Away) error {
	who := access.From(ctx)
	if who.Kind != access.ByUser {
		return fault.New(fault.Forbidden, "approval.person_only", nil)
	}
	a.Person = who.ID
	if a.Deputy != 0 {
		d, err := s.directory(ctx)
		if err != nil {
			return err
		}
		switch {
		case a.Deputy == a.Person:
			return fault.InvalidField("approval.deputy_self", "deputy", nil)
		case !d.active(a.Deputy):
			return fault.InvalidField("approval.user_unknown", "deputy", nil)
		case !a.Until.IsZero() && !a.Until.After(a.Since):
			return fault.InvalidField("approval.away_span", "until", nil)
		}
	}
	if err := s.cfg.Store.SetAway(ctx, a); err != nil {
		return err
	}
	s.notify()
	return s.cfg.Note(ctx, "approval.away", "user", a.Person, map[string]any{"deputy": id.Format("usr", a.Deputy)})
}

// byPlace orders tasks as they were asked.
func byPlace(a, b Task) int {
	return cmp.Or(cmp.Compare(a.Round, b.Round), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Place, b.Place), cmp.Compare(a.ID, b.ID))
}

package identity

import (
	"context"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Link is a customer found for a profile.
type Link struct{ Profile, Customer id.ID }

// Link gives the roots of profiles their customers. A tree that has a customer keeps it; linked are the links that hold.
func (e *Engine) Link(ctx context.Context, l Ledger, links []Link) (linked []Link, err error) {
	return linked, e.change(ctx, l, profilesOf(links), func(s *state) error {
		linked = nil
		for _, x := range links {
			t := s.treeOf[x.Profile]
			if t == nil || t.customer != 0 && t.customer != x.Customer {
				continue
			}
			if t.customer == 0 {
				p := s.profiles[t.root]
				p.Customer, p.Now, t.customer = x.Customer, x.Customer, x.Customer
				s.touched[p.ID] = true
			}
			linked = append(linked, x)
		}
		return nil
	})
}

func profilesOf(links []Link) []id.ID {
	out := make([]id.ID, len(links))
	for i := range links {
		out[i] = links[i].Profile
	}
	return out
}

// change runs fn on the trees of profiles and saves what it did.
func (e *Engine) change(ctx context.Context, l Ledger, profiles []id.ID, fn func(s *state) error) error {
	settings, err := e.cfg.Settings(ctx)
	if err != nil {
		return err
	}
	if err := l.Lock(ctx); err != nil {
		return err
	}
	s, err := e.open(ctx, l, newRules(&settings), profiles)
	if err != nil {
		return err
	}
	if err := fn(s); err != nil {
		return err
	}
	c, err := s.changes(ctx)
	if err != nil {
		return err
	}
	return l.Save(ctx, c)
}

// Unite joins the trees of two profiles because somebody, or the customers that they are, says so: limits are not asked. Trees with
// two customers are a Conflict identity.two_customers: merge those first. Trees that are one already stay.
func (e *Engine) Unite(ctx context.Context, l Ledger, a, b id.ID, m Merge) error {
	return e.change(ctx, l, []id.ID{a, b}, func(s *state) error {
		x, y := s.treeOf[a], s.treeOf[b]
		if x == nil || y == nil {
			return fault.New(fault.NotFound, "identity.unknown_profile", nil)
		}
		if x == y {
			return nil
		}
		if x.customer != 0 && y.customer != 0 && x.customer != y.customer {
			return fault.New(fault.Conflict, "identity.two_customers", nil)
		}
		if s.stronger(x, y) > 0 {
			x, y = y, x
		}
		s.merge(x, y, m)
		return nil
	})
}

// Undo takes a join back: the loser is a root again with everything that was joined to it, and nothing joins the two by itself any
// more. An identifier that went over goes back unless it went on since. Faults: NotFound identity.unknown_merge, Conflict identity.undone.
func (e *Engine) Undo(ctx context.Context, l Ledger, merge, by id.ID) error {
	if err := l.Lock(ctx); err != nil {
		return err
	}
	m, found, err := l.Merge(ctx, merge)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.NotFound, "identity.unknown_merge", nil)
	}
	if m.UndoneAt != 0 {
		return fault.New(fault.Conflict, "identity.undone", nil)
	}
	now := e.cfg.Clock.Now().UnixMilli()
	if err := e.change(ctx, l, []id.ID{m.Loser, m.Winner}, func(s *state) error { return s.undo(&m) }); err != nil {
		return err
	}
	if m.Why != ByMove {
		k := pair(m.Loser, m.Winner)
		r := Review{ID: e.cfg.IDs.Next(), Kind: TwoPeople, A: k[0], B: k[1], Evidence: m.Evidence, State: NotSame, Count: 1, CreatedAt: now, LastAt: now, By: by, At: now}
		if err := l.Decide(ctx, &r); err != nil {
			return err
		}
	}
	return l.Undone(ctx, merge, by, now)
}

func (s *state) undo(m *Merge) error {
	p := s.profiles[m.Loser]
	if m.Why == ByMove {
		for x := range maps.Values(s.byKey) {
			if x.ID == m.Evidence.Moved && x.Profile == m.Winner && p != nil {
				x.Profile, x.FirstAt = m.Loser, min(m.Evidence.Since, x.FirstAt)
				s.moved[x] = true
				return nil
			}
		}
		return fault.New(fault.Conflict, "identity.moved_on", nil)
	}
	if p == nil || p.Into != m.Winner {
		return fault.New(fault.Conflict, "identity.undone", nil)
	}
	p.Into = 0
	was := s.treeOf[m.Loser]
	back := &tree{root: m.Loser}
	for _, v := range was.members {
		if s.leadsTo(v, m.Loser) {
			s.profiles[v].Root = m.Loser
			s.touched[v] = true
			s.treeOf[v] = back
			back.members = append(back.members, v)
		}
	}
	was.members = slices.DeleteFunc(was.members, func(v id.ID) bool { return s.treeOf[v] == back })
	was.customer, back.customer = s.customerOf(was), s.customerOf(back)
	return nil
}

func (s *state) leadsTo(p, root id.ID) bool {
	for p != 0 {
		if p == root {
			return true
		}
		x := s.profiles[p]
		if x == nil {
			return false
		}
		p = x.Into
	}
	return false
}

func (s *state) customerOf(t *tree) id.ID {
	whole := Tree{Root: t.root}
	for _, v := range slices.Sorted(slices.Values(t.members)) {
		whole.Profiles = append(whole.Profiles, *s.profiles[v])
	}
	return whole.Customer()
}

// Customers follows merges of customers (survivor), and their taking back (0): the profiles of the merged ones are the survivor's.
func (e *Engine) Customers(ctx context.Context, l Ledger, merged []id.ID, survivor id.ID) error {
	if err := l.Lock(ctx); err != nil {
		return err
	}
	profiles, err := l.Owned(ctx, merged)
	if err != nil {
		return err
	}
	var before []Tree
	if len(profiles) > 0 {
		if before, err = l.Trees(ctx, profiles); err != nil {
			return err
		}
	}
	if err := l.Survives(ctx, merged, survivor); err != nil || len(before) == 0 {
		return err
	}
	after, err := l.Trees(ctx, profiles)
	if err != nil {
		return err
	}
	c := &Changes{}
	was := map[id.ID]id.ID{}
	for i := range before {
		for j := range before[i].Profiles {
			was[before[i].Profiles[j].ID] = before[i].Subject()
		}
	}
	for i := range after {
		now := after[i].Subject()
		for j := range after[i].Profiles {
			if v := after[i].Profiles[j].ID; was[v] != now {
				c.Mappings = append(c.Mappings, Mapping{Profile: v, Subject: now})
			}
		}
	}
	return l.Save(ctx, c)
}

// Erase removes who customers are from everything that is kept of their profiles: identifiers and what evidence shows. That a profile
// was theirs stays, so that figures do not move.
func (e *Engine) Erase(ctx context.Context, l Ledger, customers []id.ID) error {
	if err := l.Lock(ctx); err != nil {
		return err
	}
	profiles, err := l.Owned(ctx, customers)
	if err != nil || len(profiles) == 0 {
		return err
	}
	trees, err := l.Trees(ctx, profiles)
	if err != nil {
		return err
	}
	var all []id.ID
	for i := range trees {
		for j := range trees[i].Profiles {
			all = append(all, trees[i].Profiles[j].ID)
		}
	}
	return l.Forget(ctx, all)
}

// Decide stores what somebody says of a review: two people, or ask later, or ask again. NotFound identity.unknown_review.
func (e *Engine) Decide(ctx context.Context, l Ledger, review id.ID, state State, by id.ID) (Review, error) {
	if err := l.Lock(ctx); err != nil {
		return Review{}, err
	}
	r, found, err := l.Review(ctx, review)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "identity.unknown_review", nil)
	}
	if err != nil {
		return Review{}, err
	}
	r.State, r.By, r.At = state, by, e.cfg.Clock.Now().UnixMilli()
	return r, l.Decide(ctx, &r)
}

// Ambiguity asks a person which of several customers a profile is.
func (e *Engine) Ambiguity(ctx context.Context, l Ledger, profile id.ID, customers []id.ID, shown []Shown, at int64) error {
	r := Review{ID: e.cfg.IDs.Next(), Kind: Ambiguous, A: profile, State: Open, Count: 1, CreatedAt: at, LastAt: at, Evidence: Evidence{Identifiers: shown, Customers: customers}}
	return l.Save(ctx, &Changes{Reviews: []Review{r}})
}

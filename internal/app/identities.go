package app

import (
	"context"
	"errors"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/identity"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// identities is api.IdentityService.
type identities struct{ w *workspace }

var _ api.IdentityService = identities{}

// Where a workspace keeps how it tells people apart, and where traits and orders go.
const (
	identityKey = "identity"
	peopleKey   = "people"
)

func (i identities) view(ctx context.Context, fn func(l eventstore.Ledger) error) error {
	return i.w.events.store.View(ctx, func(_ context.Context, c sqlstore.Conn) error { return fn(eventstore.NewLedger(c)) })
}

func (i identities) write(ctx context.Context, fn func(l eventstore.Ledger) error) error {
	err := i.w.events.store.Write(ctx, func(_ context.Context, c sqlstore.Conn) error { return fn(eventstore.NewLedger(c)) })
	if err == nil {
		i.w.events.store.Wake()
		i.w.app.hub.Publish(i.w.info.Key, api.Event{Kind: "identity"})
	}
	return err
}

const (
	mergesShown  = 200
	reviewsAhead = 1000 // questions that are looked through for those whose customers somebody sees
)

// Of implements api.IdentityService.
func (i identities) Of(ctx context.Context, customer id.ID) (out api.IdentityView, err error) {
	err = i.view(ctx, func(l eventstore.Ledger) error {
		out = api.IdentityView{}
		owned, err := l.Owned(ctx, []id.ID{customer})
		if err != nil || len(owned) == 0 {
			return err
		}
		trees, err := l.Trees(ctx, owned)
		if err != nil {
			return err
		}
		var all []id.ID
		for _, t := range trees {
			if t.Customer() != customer {
				continue
			}
			out.Trees = append(out.Trees, t)
			for j := range t.Profiles {
				all = append(all, t.Profiles[j].ID)
			}
		}
		if len(all) == 0 {
			return nil
		}
		if out.Merges, err = l.MergesOf(ctx, all, mergesShown); err != nil {
			return err
		}
		out.Reviews, err = l.ReviewsOf(ctx, all, identity.Open)
		return err
	})
	return out, err
}

// Profile implements api.IdentityService.
func (i identities) Profile(ctx context.Context, profile id.ID) (out identity.Tree, err error) {
	var trees []identity.Tree
	err = i.view(ctx, func(l eventstore.Ledger) (err error) {
		trees, err = l.Trees(ctx, []id.ID{profile})
		return err
	})
	if err != nil {
		return out, err
	}
	if len(trees) == 0 {
		return out, fault.New(fault.NotFound, "identity.unknown_profile", nil)
	}
	if err := i.seen(ctx, &trees[0]); err != nil {
		return out, err
	}
	return trees[0], nil
}

// seen refuses a tree whose customer the caller does not see, and anonymous ones to those who do not see all customers.
func (i identities) seen(ctx context.Context, t *identity.Tree) error {
	if c := t.Customer(); c != 0 {
		_, err := i.w.records.Get(ctx, "customer", c)
		return err
	}
	limits, err := i.w.records.Limits(ctx, "customer", access.Read)
	if err == nil && limits != nil {
		err = fault.New(fault.NotFound, "identity.unknown_profile", nil)
	}
	return err
}

// Reviews implements api.IdentityService.
func (i identities) Reviews(ctx context.Context, state identity.State, offset, limit int) (out api.IdentityView, total int, err error) {
	var list []identity.Review
	trees := map[id.ID]*identity.Tree{}
	err = i.view(ctx, func(l eventstore.Ledger) error {
		if list, _, err = l.Reviews(ctx, state, 0, reviewsAhead); err != nil || len(list) == 0 {
			return err
		}
		var profiles []id.ID
		for _, r := range list {
			profiles = append(profiles, r.A)
			if r.B != 0 {
				profiles = append(profiles, r.B)
			}
		}
		got, err := l.Trees(ctx, profiles)
		for j := range got {
			for k := range got[j].Profiles {
				trees[got[j].Profiles[k].ID] = &got[j]
			}
		}
		return err
	})
	if err != nil {
		return out, 0, err
	}
	if list, err = i.visible(ctx, list, trees); err != nil {
		return out, 0, err
	}
	if state == identity.Open || state == identity.Later {
		list = slices.DeleteFunc(list, func(r identity.Review) bool { return answered(&r, trees[r.A], trees[r.B]) })
	}
	total = len(list)
	list = list[min(offset, total):min(offset+limit, total)]
	out.Reviews = list
	have := map[*identity.Tree]bool{}
	for _, r := range list {
		for _, p := range []id.ID{r.A, r.B} {
			if t := trees[p]; t != nil && !have[t] {
				have[t] = true
				out.Trees = append(out.Trees, *t)
			}
		}
	}
	return out, total, nil
}

// answered reports a question that needs no answer any more: the two were joined since, their customers were merged, or the customer was found.
func answered(r *identity.Review, a, b *identity.Tree) bool {
	switch {
	case a == nil, r.B != 0 && b == nil, a == b:
		return true
	case r.B != 0:
		return a.Customer() != 0 && a.Customer() == b.Customer()
	}
	return slices.Contains(r.Evidence.Customers, a.Customer())
}

// visible keeps the questions whose customers the caller sees, all of them.
func (i identities) visible(ctx context.Context, list []identity.Review, trees map[id.ID]*identity.Tree) ([]identity.Review, error) {
	limits, err := i.w.records.Limits(ctx, "customer", access.Read)
	if err != nil || limits == nil {
		return list, err
	}
	about := func(r *identity.Review) []id.ID {
		out := slices.Clone(r.Evidence.Customers)
		for _, p := range []id.ID{r.A, r.B} {
			if t := trees[p]; t != nil && t.Customer() != 0 {
				out = append(out, t.Customer())
			}
		}
		return out
	}
	var all []id.ID
	for j := range list {
		all = append(all, about(&list[j])...)
	}
	slices.Sort(all)
	reached, err := i.w.records.Reached(ctx, "customer", slices.Compact(all), access.Read)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(r identity.Review) bool {
		of := about(&r)
		return len(of) == 0 || slices.ContainsFunc(of, func(c id.ID) bool { return !reached[c] })
	}), nil
}

// question reads a review with its trees, and refuses one that the caller may not see.
func (i identities) question(ctx context.Context, review id.ID) (r identity.Review, sides []identity.Tree, err error) {
	var found bool
	err = i.view(ctx, func(l eventstore.Ledger) (err error) {
		if r, found, err = l.Review(ctx, review); err != nil || !found {
			return err
		}
		sides, err = l.Trees(ctx, slices.DeleteFunc([]id.ID{r.A, r.B}, func(p id.ID) bool { return p == 0 }))
		return err
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "identity.unknown_review", nil)
	}
	if err != nil {
		return r, nil, err
	}
	trees := map[id.ID]*identity.Tree{}
	for j := range sides {
		for k := range sides[j].Profiles {
			trees[sides[j].Profiles[k].ID] = &sides[j]
		}
	}
	list, err := i.visible(ctx, []identity.Review{r}, trees)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "identity.unknown_review", nil)
	}
	return r, sides, err
}

// Decide implements api.IdentityService.
func (i identities) Decide(ctx context.Context, review id.ID, state identity.State) error {
	if _, _, err := i.question(ctx, review); err != nil {
		return err
	}
	return i.write(ctx, func(l eventstore.Ledger) error {
		_, err := i.w.engine.Decide(ctx, l, review, state, access.From(ctx).ID)
		return err
	})
}

// Merge implements api.IdentityService. First the customers, through the records engine and with the caller's rights, then the
// profiles; done again after a crash it finds what was done.
func (i identities) Merge(ctx context.Context, review id.ID, d api.IdentityDecision) error {
	r, sides, err := i.question(ctx, review)
	if err != nil {
		return err
	}
	if r.State == identity.Joined {
		return nil
	}
	var customers []id.ID
	for j := range sides {
		if c := sides[j].Customer(); c != 0 && !slices.Contains(customers, c) {
			customers = append(customers, c)
		}
	}
	if r.Kind == identity.Ambiguous {
		if !slices.Contains(r.Evidence.Customers, d.Customer) {
			return fault.InvalidField("identity.choose_customer", "customer", nil)
		}
		if !slices.Contains(customers, d.Customer) {
			customers = append(customers, d.Customer)
		}
	}
	var survivor id.ID
	if len(customers) > 1 {
		if survivor, err = i.mergeCustomers(ctx, customers, d.Merge); err != nil {
			return err
		}
	} else if !access.From(ctx).May("customer", access.Update) {
		return fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.RecordUpdate)})
	}
	by := access.From(ctx).ID
	now := i.w.app.Clock.Now().UnixMilli()
	return i.write(ctx, func(l eventstore.Ledger) error {
		if survivor != 0 {
			others := slices.DeleteFunc(slices.Clone(customers), func(v id.ID) bool { return v == survivor })
			if err := i.w.engine.Customers(ctx, l, others, survivor); err != nil {
				return err
			}
		}
		if r.Kind == identity.Ambiguous {
			if _, err := i.w.engine.Link(ctx, l, []identity.Link{{Profile: r.A, Customer: d.Customer}}); err != nil {
				return err
			}
		} else if err := i.w.engine.Unite(ctx, l, r.A, r.B, identity.Merge{At: now, Why: identity.ByPerson, By: by, Evidence: r.Evidence}); err != nil {
			return err
		}
		_, err := i.w.engine.Decide(ctx, l, review, identity.Joined, by)
		return err
	})
}

func (i identities) mergeCustomers(ctx context.Context, customers []id.ID, req record.MergeRequest) (id.ID, error) {
	if req.Survivor == 0 {
		req.Survivor = slices.Min(customers)
	}
	if !slices.Contains(customers, req.Survivor) {
		return 0, fault.InvalidField("identity.choose_customer", "survivor", nil)
	}
	req.Object = "customer"
	req.Others = slices.DeleteFunc(slices.Clone(customers), func(v id.ID) bool { return v == req.Survivor })
	_, err := i.w.records.Merge(ctx, req)
	return req.Survivor, err
}

// Undo implements api.IdentityService.
func (i identities) Undo(ctx context.Context, merge id.ID) error {
	var trees []identity.Tree
	err := i.view(ctx, func(l eventstore.Ledger) error {
		m, found, err := l.Merge(ctx, merge)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "identity.unknown_merge", nil)
		}
		if err == nil {
			trees, err = l.Trees(ctx, []id.ID{m.Loser, m.Winner})
		}
		return err
	})
	if err != nil {
		return err
	}
	for j := range trees {
		if err := i.seen(ctx, &trees[j]); err != nil {
			return err
		}
	}
	return i.write(ctx, func(l eventstore.Ledger) error { return i.w.engine.Undo(ctx, l, merge, access.From(ctx).ID) })
}

// Reveal implements api.IdentityService. Right, masks, the hourly allowance and the trail are those of the field of the customer.
func (i identities) Reveal(ctx context.Context, identifier id.ID) (string, error) {
	var x identity.Identifier
	var found bool
	var trees []identity.Tree
	err := i.view(ctx, func(l eventstore.Ledger) (err error) {
		if x, found, err = l.Identifier(ctx, identifier); err == nil && found {
			trees, err = l.Trees(ctx, []id.ID{x.Profile})
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if !found || len(trees) == 0 || trees[0].Customer() == 0 || !x.Personal() {
		return "", fault.New(fault.NotFound, "identity.unknown_identifier", nil)
	}
	field := "email"
	if x.Namespace == identity.Phone {
		field = "phone"
	}
	if _, err := i.w.records.Reveal(ctx, "customer", trees[0].Customer(), []string{field}); err != nil {
		return "", err
	}
	return i.w.identityVault().Unseal(ctx, x.Sealed)
}

// Settings implements api.IdentityService.
func (i identities) Settings(ctx context.Context) (out api.IdentitySettings, err error) {
	if out.Identity, err = i.w.identitySettings(ctx); err != nil {
		return out, err
	}
	out.People, err = i.w.peopleSettings(ctx)
	return out, err
}

// SaveSettings implements api.IdentityService. Each half names the version that its editor saw.
func (i identities) SaveSettings(ctx context.Context, s api.IdentitySettings) (api.IdentitySettings, error) {
	obj := i.w.registry().Object("customer")
	if obj == nil {
		return s, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": "customer"})
	}
	if err := errors.Join(s.Identity.Check(), s.People.Check(obj)); err != nil {
		if f, ok := fault.Find(err); ok {
			return s, f
		}
		return s, err
	}
	now, err := i.Settings(ctx)
	if err != nil {
		return s, err
	}
	if now.Identity.Version != s.Identity.Version || now.People.Version != s.People.Version {
		return s, fault.New(fault.Stale, "identity.stale", nil)
	}
	s.Identity.Version++
	s.People.Version++
	if err := i.w.store.SetSetting(ctx, identityKey, s.Identity); err != nil {
		return s, err
	}
	return s, i.w.store.SetSetting(ctx, peopleKey, s.People)
}

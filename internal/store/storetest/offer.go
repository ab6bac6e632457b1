package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

type offerPeople struct{}

func (offerPeople) InSegment(context.Context, id.ID, []string) (bool, error) { return true, nil }
func (offerPeople) Merged(_ context.Context, who id.ID) ([]id.ID, error) {
	if who == 9 {
		return []id.ID{8}, nil
	}
	return nil, nil
}

func (offerPeople) Members(_ context.Context, segment string, most int) ([]id.ID, bool, error) {
	if segment == "many" {
		return nil, false, nil
	}
	return []id.ID{11, 12, 13}[:min(3, most)], true, nil
}

func (offerPeople) HasBought(_ context.Context, who id.ID) (bool, error) { return who == 7, nil }

type offerWorld struct {
	*offer.Service
	t     *testing.T
	ctx   context.Context
	clock *clock.Fake
	ids   *id.Generator
	store *sqlstore.Offers
}

// testOffers: a hundred tills at once redeem a single code once, and take from a budget no unit too many; what a cart asks twice is answered once; what is
// let go, runs out or comes back is given back, and the ledger always sums to what was spent.
func testOffers(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	o := &offerWorld{t: t, ctx: access.With(context.Background(), access.System()), clock: clock.NewFake(T0), store: sqlstore.NewOffers(w.Store)}
	o.ids = id.NewGenerator(o.clock, 1)
	o.Service = offer.New(offer.Config{Store: o.store, People: offerPeople{}, Clock: o.clock, Zone: func() *time.Location { return time.UTC }, IDs: o.ids,
		Note: func(context.Context, string, id.ID, map[string]any) error { return nil }})
	t.Run("one code, a hundred tills", o.single)
	t.Run("a budget, a hundred tills", o.budget)
	t.Run("a cart asks twice", o.twice)
	t.Run("back and late", o.back)
	t.Run("what ran out binds nobody", o.late)
	t.Run("several codes", o.several)
	t.Run("customers that became one", o.merged)
	t.Run("given for something", o.given)
}

// given: whatever a code is for gets one, however often and by how many at once it is asked for; a code for many serves all.
func (o *offerWorld) given(t *testing.T) {
	v, _ := o.offer(offer.Rule{Kind: offer.Amount, Amount: 5, ValidDays: 3}, offer.Issuing{N: 1})
	gifts := []offer.Given{{For: "message:1", Customer: 11}, {For: "message:2", Customer: 11}, {For: "message:3", Customer: 12}}
	answers := make([][]offer.Coupon, 8)
	var wait sync.WaitGroup
	for i := range answers {
		wait.Go(func() {
			got, err := o.Give(o.ctx, v.ID, gifts)
			if err != nil {
				t.Error(err)
			}
			answers[i] = got
		})
	}
	wait.Wait()
	seen := map[string]bool{}
	for i, got := range answers {
		for j, c := range got {
			if c.Code != answers[0][j].Code || c.Customer != gifts[j].Customer || c.ExpiresAt.IsZero() || c.State != offer.Issued {
				t.Errorf("asker %d: %+v, the first got %+v", i, c, answers[0][j])
			}
			seen[c.Code] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d codes for three messages", len(seen))
	}
	for _, want := range []int{3, 0} {
		if n, err := o.IssueTo(o.ctx, v.ID, "vip"); err != nil || n != want {
			t.Errorf("a segment got %d codes, want %d: %v", n, want, err)
		}
	}
	if _, err := o.IssueTo(o.ctx, v.ID, "many"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too many: %v", err)
	}
	if all, err := o.Coupons(o.ctx, v.ID, 0, 0, 100); err != nil || len(all) != 7 {
		t.Errorf("%d codes, want 7: %v", len(all), err)
	}
	shared, _ := o.offer(offer.Rule{Kind: offer.Amount, Amount: 5}, offer.Issuing{Codes: []string{"WELCOME5"}, Shared: true})
	if got, err := o.Give(o.ctx, shared.ID, gifts); err != nil || got[0].Code != "WELCOME5" || got[2].Code != "WELCOME5" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := o.Update(o.ctx, v.ID, v.Version, v.Name, offer.Ended, v.Rule); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Give(o.ctx, v.ID, gifts); fault.KindOf(err) != fault.Conflict {
		t.Errorf("of an offer that ended: %v", err)
	}
}

// merged: codes of whoever was merged into a customer are the customer's, and what was used counts for both.
func (o *offerWorld) merged(t *testing.T) {
	_, codes := o.offer(offer.Rule{Kind: offer.Amount, Amount: 5, PerPerson: 2}, offer.Issuing{Customers: []id.ID{8, 8, 9}})
	use := func(who id.ID, c offer.Coupon) error {
		key := fmt.Sprint("merged", who, c.Code)
		_, err := o.Reserve(o.ctx, key, offer.Ask{Customer: who, Codes: []string{c.Code}, Cart: basket(100)})
		if err == nil {
			_, err = o.Redeem(o.ctx, key, key)
		}
		return err
	}
	if err := use(10, codes[0]); fault.CodeOf(err) != "offer.unknown_code" {
		t.Errorf("somebody else: %v", err)
	}
	if err := use(8, codes[0]); err != nil { // before they became one
		t.Fatal(err)
	}
	if list, err := o.Coupons(o.ctx, 0, 9, 0, 10); err != nil || len(list) != 3 {
		t.Errorf("%d codes, %v", len(list), err)
	}
	if err := use(9, codes[1]); err != nil {
		t.Error(err)
	}
	if err := use(9, codes[2]); fault.CodeOf(err) != "offer.person_limit" {
		t.Errorf("a third time: %v", err)
	}
}

func (o *offerWorld) offer(r offer.Rule, in offer.Issuing) (offer.Offer, []offer.Coupon) {
	o.t.Helper()
	v, err := o.Create(o.ctx, "n", r)
	if err != nil {
		o.t.Fatal(err)
	}
	if v, err = o.Update(o.ctx, v.ID, 1, "n", offer.Active, r); err != nil {
		o.t.Fatal(err)
	}
	list, n, err := o.Issue(o.ctx, v.ID, in)
	if err != nil || n != len(list) {
		o.t.Fatal(n, err)
	}
	return v, list
}

func basket(amounts ...int64) offer.Cart {
	var c offer.Cart
	for i, a := range amounts {
		c.Lines = append(c.Lines, offer.Line{Product: fmt.Sprint("p", i), Amount: a})
	}
	return c
}

// balanced holds an offer against its ledger.
func (o *offerWorld) balanced(t *testing.T, key id.ID, used, spent int64) {
	t.Helper()
	v, err := o.Get(o.ctx, key)
	if err != nil || v.Used != used || v.Spent != spent {
		t.Errorf("%d uses took %d off, want %d and %d, %v", v.Used, v.Spent, used, spent, err)
	}
	list, err := o.Ledger(o.ctx, key, 0, 10_000)
	sum := int64(0)
	for _, e := range list {
		sum += e.Amount
	}
	if err != nil || sum != v.Spent {
		t.Errorf("the ledger sums to %d of %d, %v", sum, v.Spent, err)
	}
}

// at lets n tills reserve and redeem, each with a cart of its own, and counts who could.
func (o *offerWorld) at(t *testing.T, n int, code string, cart offer.Cart, refused string) (done int) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			key := fmt.Sprint(code, i)
			_, err := o.Reserve(o.ctx, key, offer.Ask{Codes: []string{code}, Cart: cart})
			if err == nil {
				_, err = o.Redeem(o.ctx, key, "order"+key)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Errorf("%v instead of %s", err, refused)
			}
		})
	}
	group.Wait()
	return done
}

func (o *offerWorld) single(t *testing.T) {
	v, list := o.offer(offer.Rule{Kind: offer.Percent, Percent: 10}, offer.Issuing{N: 1})
	if n := o.at(t, 100, list[0].Code, basket(999, 1), "offer.coupon_used"); n != 1 {
		t.Errorf("redeemed %d times", n)
	}
	o.balanced(t, v.ID, 1, 100)
}

func (o *offerWorld) budget(t *testing.T) {
	v, _ := o.offer(offer.Rule{Kind: offer.Amount, Amount: 300, Budget: 1000}, offer.Issuing{Codes: []string{"may sale"}, Shared: true})
	if n := o.at(t, 100, "MAYSALE", basket(5000), "offer.used_up"); n != 3 {
		t.Errorf("redeemed %d times", n)
	}
	o.balanced(t, v.ID, 3, 900)
	v, _ = o.offer(offer.Rule{Kind: offer.Gift, Gift: "cup", PerPerson: 2}, offer.Issuing{Codes: []string{"CUPS"}, Shared: true})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			_, _ = o.Reserve(o.ctx, fmt.Sprint("cups", i), offer.Ask{Customer: 5, Codes: []string{"cups"}, Cart: basket(1)}) // most are refused
		})
	}
	group.Wait()
	o.balanced(t, v.ID, 2, 0)
}

func (o *offerWorld) twice(t *testing.T) {
	v, list := o.offer(offer.Rule{Kind: offer.Percent, Percent: 50}, offer.Issuing{N: 1})
	ask := offer.Ask{Codes: []string{list[0].Code}, Cart: basket(100)}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if got, err := o.Reserve(o.ctx, "same", ask); err != nil || len(got) != 1 || got[0].Discount != 50 {
				t.Errorf("%+v, %v", got, err)
			}
			if got, err := o.Redeem(o.ctx, "same", "A1"); err != nil || got[0].State != offer.Taken {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	group.Wait()
	o.balanced(t, v.ID, 1, 50)
	ask.Cart = basket(200)
	if _, err := o.Reserve(o.ctx, "same", ask); fault.CodeOf(err) != "offer.cart_reused" {
		t.Error(err)
	}
	if _, err := o.Redeem(o.ctx, "same", "A2"); fault.CodeOf(err) != "offer.other_order" {
		t.Error(err)
	}
	if _, err := o.Release(o.ctx, "same"); fault.CodeOf(err) != "offer.not_reserved" {
		t.Error(err)
	}
}

func (o *offerWorld) back(t *testing.T) {
	v, list := o.offer(offer.Rule{Kind: offer.Amount, Amount: 100, Total: 1, HoldMin: 10, Back: true}, offer.Issuing{N: 2})
	ask := func(i int) offer.Ask { return offer.Ask{Codes: []string{list[i].Code}, Cart: basket(200, 101)} }
	reserve := func(cart string, i int, want string) {
		t.Helper()
		if _, err := o.Reserve(o.ctx, cart, ask(i)); fault.CodeOf(err) != want && (want != "" || err != nil) {
			t.Errorf("%s: %v", cart, err)
		}
	}
	reserve("b1", 0, "")
	reserve("b2", 1, "offer.used_up")
	if _, err := o.Release(o.ctx, "b1"); err != nil {
		t.Fatal(err)
	}
	o.balanced(t, v.ID, 0, 0)
	reserve("b3", 0, "")
	o.clock.Advance(11 * time.Minute)
	if _, err := o.Redeem(o.ctx, "b3", "B3"); fault.CodeOf(err) != "offer.not_reserved" {
		t.Error(err)
	}
	reserve("b4", 1, "") // gives back what b3 held
	if _, err := o.Redeem(o.ctx, "b4", "B4"); err != nil {
		t.Fatal(err)
	}
	given := int64(0)
	for i, goods := range []int64{1, 1, 150, 150} { // odd parts: in the end nothing is left over
		ref := fmt.Sprint("r", i/2*2+i%2)
		if i == 1 {
			ref = "r0" // the same return, told twice
		}
		got, err := o.Refund(o.ctx, "b4", ref, goods, i == 3)
		if err != nil {
			t.Fatal(err)
		}
		given = got[0].DiscountBack
	}
	if given != 100 {
		t.Errorf("%d came back", given)
	}
	o.balanced(t, v.ID, 0, 0)
	reserve("b5", 1, "") // the code came back
}

// late: a budget and the one use of a person that carts held until they ran out are there again, also to those who only ask; such a cart needs another key.
func (o *offerWorld) late(t *testing.T) {
	v, list := o.offer(offer.Rule{Kind: offer.Amount, Amount: 100, Budget: 100, PerPerson: 1, HoldMin: 10}, offer.Issuing{N: 1})
	ask := offer.Ask{Customer: 9, Codes: []string{list[0].Code}, Cart: basket(500)}
	if _, err := o.Reserve(o.ctx, "l1", ask); err != nil {
		t.Fatal(err)
	}
	if got, err := o.Quote(o.ctx, ask); err != nil || got[0].Refused == nil || got[0].Refused.Code != "offer.person_limit" {
		t.Error(got, err)
	}
	o.clock.Advance(10 * time.Minute)
	if got, err := o.Quote(o.ctx, ask); err != nil || got[0].Refused != nil {
		t.Error(got, err)
	}
	if _, err := o.Reserve(o.ctx, "l1", ask); fault.CodeOf(err) != "offer.not_reserved" {
		t.Error(err)
	}
	if _, err := o.Reserve(o.ctx, "l2", ask); err != nil {
		t.Error(err)
	}
	o.balanced(t, v.ID, 1, 100)
}

func (o *offerWorld) several(t *testing.T) {
	o.offer(offer.Rule{Kind: offer.Percent, Percent: 10, Order: 2}, offer.Issuing{Codes: []string{"TENTH"}, Shared: true})
	o.offer(offer.Rule{Kind: offer.Amount, Amount: 100, Order: 1, Group: "g", First: true}, offer.Issuing{Codes: []string{"HUNDRED"}, Shared: true})
	o.offer(offer.Rule{Kind: offer.Amount, Amount: 100, Order: 3, Group: "g", Minimum: 5000}, offer.Issuing{Codes: []string{"GROUP"}, Shared: true})
	got, err := o.Quote(o.ctx, offer.Ask{Customer: 8, Codes: []string{"tenth", "hundred", "group", "nothing"}, Cart: basket(300, 300, 401)})
	if err != nil || len(got) != 4 {
		t.Fatal(got, err)
	}
	for _, a := range got {
		sum := int64(0)
		for _, n := range a.Cut.Lines {
			sum += n
		}
		if sum != a.Cut.Total {
			t.Errorf("%s: shares sum to %d of %d", a.Code, sum, a.Cut.Total)
		}
		want := map[string]int64{"TENTH": 90, "HUNDRED": 100}[a.Code]
		if a.Cut.Total != want || (a.Refused == nil) != (want > 0) {
			t.Errorf("%s takes %d off: %v", a.Code, a.Cut.Total, a.Refused)
		}
	}
	got, err = o.Quote(o.ctx, offer.Ask{Customer: 7, Codes: []string{"hundred"}, Cart: basket(500)})
	if err != nil || got[0].Refused == nil || got[0].Refused.Code != "offer.not_first" {
		t.Error(got, err)
	}
	for range 11 {
		_, err = o.Quote(o.ctx, offer.Ask{Address: "10.0.0.1", Codes: []string{"guess"}, Cart: basket(500)})
	}
	if fault.KindOf(err) != fault.RateLimited {
		t.Error(err)
	}
}

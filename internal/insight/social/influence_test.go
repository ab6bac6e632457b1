package social_test

import (
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// crowd is social.Crowd over lists.
type crowd struct {
	shares []social.SharedAct
	acts   []social.OtherAct
	people []social.Newcomer
	bought []social.Bought
}

func (c *crowd) Shares(_ context.Context, fn func(social.SharedAct)) error {
	for _, s := range c.shares {
		fn(s)
	}
	return nil
}

func (c *crowd) Acts(_ context.Context, fn func(social.OtherAct)) error {
	for _, a := range c.acts {
		fn(a)
	}
	return nil
}

func (c *crowd) Referred(_ context.Context, fn func(social.Newcomer)) error {
	for _, p := range c.people {
		if p.Referrer != 0 {
			fn(p)
		}
	}
	return nil
}

func (c *crowd) Newcomers(_ context.Context, who []id.ID, fn func(social.Newcomer)) error {
	for _, p := range c.people {
		if slices.Contains(who, p.Who) {
			fn(p)
		}
	}
	return nil
}

func (c *crowd) Purchases(_ context.Context, who []id.ID, fn func(social.Bought)) error {
	for _, b := range c.bought {
		if slices.Contains(who, b.Who) {
			fn(b)
		}
	}
	return nil
}

const today clock.Day = 20_000

func at(day clock.Day) int64 { return int64(day) * 24 * 60 * 60 * 1000 }

func open(who id.ID, day clock.Day, share, content string) social.OtherAct {
	return social.OtherAct{Who: who, Known: who < 100, At: at(day), Day: day, Name: event.ShareOpened, Share: share, Content: content}
}

func weigh(t *testing.T, c *crowd) *social.Influences {
	t.Helper()
	got, err := social.Weigh(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestInfluenceIsOfWhatOthersDo(t *testing.T) {
	t.Parallel()
	c := &crowd{
		shares: []social.SharedAct{{"a", 1, true}, {"b", 2, true}, {"a", 3, true}, {"x", 500, false}},
		acts: []social.OtherAct{
			open(1, today, "a", "c1"), // of oneself: nothing
			open(10, today, "a", "c1"),
			open(10, today+1, "a", "c1"), // a second time
			open(200, today, "a", "c1"),  // somebody nobody knows
			open(11, today, "x", "c1"),   // shared by nobody who is known
			{Who: 200, At: at(today), Day: today, Name: event.ContentLiked, Content: "c1"},
			{Who: 10, Known: true, At: at(today), Day: today, Name: event.ContentCommented, Share: "a"},
			{Who: 1, Known: true, At: at(today), Day: today, Name: event.ContentLiked, Share: "a"}, // one's own
			{Who: 12, Known: true, At: at(today), Day: today, Name: event.ContentLiked, Content: "c1"},
			open(10, today+5, "b", "c2"),
		},
		people: []social.Newcomer{
			{Who: 10, Acquired: today, FirstOrder: at(today + 3), FirstOrderDay: today + 3},
			{Who: 20, Referrer: 2, Acquired: today - 10},
			{Who: 21, Referrer: 21}, // of oneself: nobody
		},
		bought: []social.Bought{
			{Order: 1, Who: 10, At: at(today + 3), Day: today + 3, Amount: 100},    // after a, before b
			{Order: 2, Who: 10, At: at(today + 6), Day: today + 6, Amount: 1000},   // b was opened last
			{Order: 3, Who: 10, At: at(today + 40), Day: today + 40, Amount: 7},    // long after, in the first year
			{Order: 4, Who: 10, At: at(today + 400), Day: today + 400, Amount: 11}, // nobody's
			{Order: 5, Who: 20, At: at(today), Day: today, Amount: 50},
			{Order: 6, Who: 20, At: at(today - 20), Day: today - 20, Amount: 51}, // before
		},
	}
	got := weigh(t, c)
	want := map[id.ID]social.Influence{
		1: {Shares: 1, Openings: 3, Reach: 2, Reactions: 2, Brought: 1, Orders: 2, Revenue: 107},
		2: {Shares: 1, Openings: 1, Reach: 1, Brought: 1, Orders: 2, Revenue: 1050},
	}
	for who, w := range want {
		if v := got.Of[who]; v == nil || *v != w {
			t.Errorf("%d: %+v, want %+v", who, v, w)
		}
	}
	if len(got.Of) != len(want) {
		t.Errorf("%d have influence, want %d", len(got.Of), len(want))
	}
	if v := got.Of[1]; v.Points() != 2+4+10 || v.Score() != 24 {
		t.Errorf("%d points, score %d", v.Points(), v.Score())
	}
	brought := []social.Brought{
		{Sharer: 1, Who: 10, Since: today, Openings: 2, New: true, Orders: 2, Revenue: 107},
		{Sharer: 2, Who: 10, Since: today + 5, Openings: 1, Orders: 1, Revenue: 1000},
		{Sharer: 2, Who: 20, Since: today - 10, New: true, Referred: true, Orders: 1, Revenue: 50},
	}
	if !reflect.DeepEqual(got.Brought, brought) {
		t.Errorf("brought\n%+v, want\n%+v", got.Brought, brought)
	}
}

func TestWhoWasThereBeforeIsNotBrought(t *testing.T) {
	t.Parallel()
	c := &crowd{shares: []social.SharedAct{{"a", 1, true}}, acts: []social.OtherAct{open(10, today, "a", ""), open(11, today, "a", ""), open(12, today, "a", "")},
		people: []social.Newcomer{{Who: 10, FirstOrder: at(today) - 1, FirstOrderDay: today - 1}, {Who: 11, Acquired: today - 1}, {Who: 12}}}
	if v := weigh(t, c).Of[1]; v.Reach != 3 || v.Brought != 1 {
		t.Errorf("%+v, want three who came and one who is new", v)
	}
}

func TestNothingIsNoInfluence(t *testing.T) {
	t.Parallel()
	got := weigh(t, &crowd{})
	if len(got.Of) != 0 || len(got.Brought) != 0 {
		t.Errorf("%+v", got)
	}
	if v := (&social.Influence{}); v.Score() != 0 {
		t.Errorf("score %d of nothing", v.Score())
	}
	if v := (&social.Influence{Reach: 1 << 40}); v.Score() > 99 {
		t.Errorf("score %d", v.Score())
	}
}

// Whatever happens, each purchase is credited once, and the sums of the customers brought are those of the sharers.
func TestCreditAddsUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
		c := &crowd{}
		for i := range 8 {
			c.shares = append(c.shares, social.SharedAct{Share: string(rune('a' + i)), By: id.ID(1 + r.IntN(5)), Known: true})
		}
		for day := today; day < today+60; day++ {
			c.acts = append(c.acts, open(id.ID(1+r.IntN(30)), day, string(rune('a'+r.IntN(9))), string(rune('k'+r.IntN(3)))))
			if r.IntN(2) == 0 {
				a := open(id.ID(1+r.IntN(30)), day, "", string(rune('k'+r.IntN(3))))
				a.Name = event.ContentLiked
				c.acts = append(c.acts, a)
			}
			c.bought = append(c.bought, social.Bought{Order: id.ID(day), Who: id.ID(1 + r.IntN(30)), At: at(day) + 1, Day: day, Amount: int64(1 + r.IntN(1000))})
		}
		for who := range 30 {
			n := social.Newcomer{Who: id.ID(1 + who)}
			if r.IntN(4) == 0 {
				n.Referrer = id.ID(1 + r.IntN(30))
			}
			if r.IntN(2) == 0 {
				n.Acquired = today + clock.Day(r.IntN(60)) //nolint:gosec // small
			}
			c.people = append(c.people, n)
		}
		got := weigh(t, c)
		var orders, revenue, all, brought, fresh int64
		for _, v := range got.Of {
			orders, revenue, brought = orders+v.Orders, revenue+v.Revenue, brought+v.Brought
			if v.Reach > v.Openings || v.Score() < 0 || v.Score() > 99 {
				t.Fatalf("seed %d: %+v", seed, v)
			}
		}
		for _, b := range got.Brought {
			orders, revenue = orders-b.Orders, revenue-b.Revenue
			if b.New {
				fresh++
			}
			if b.Sharer == b.Who {
				t.Fatalf("seed %d: brought by oneself: %+v", seed, b)
			}
		}
		for _, b := range c.bought {
			all += b.Amount
		}
		if orders != 0 || revenue != 0 || brought != fresh || brought > 30 {
			t.Fatalf("seed %d: sums differ by %d orders, %d; %d brought, %d new", seed, orders, revenue, brought, fresh)
		}
		if again := weigh(t, c); !reflect.DeepEqual(again, got) {
			t.Fatalf("seed %d: another answer the second time", seed)
		}
	}
}

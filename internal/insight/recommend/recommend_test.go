package recommend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

const today = clock.Day(20_000)

// shop is a plane in memory.
type shop struct {
	deeds    []recommend.Deed
	goods    []recommend.Good
	people   []recommend.Person
	returned map[int64][]int64

	state   map[string]json.RawMessage
	version int64
	rules   recommend.Rules
	written map[string]map[int64][]any
}

func (s *shop) Extent(_ context.Context, until clock.Day) (e recommend.Extent, _ error) {
	seen := map[int64]bool{}
	for _, d := range s.deeds {
		if d.Product == 0 || d.Day > until {
			continue
		}
		e.Lines++
		seen[d.Customer] = true
		if e.First == 0 || d.Day < e.First {
			e.First = d.Day
		}
		e.Last = max(e.Last, d.Day)
	}
	e.Customers = int64(len(seen))
	return e, nil
}

func (s *shop) Deeds(_ context.Context, sample recommend.Sample, take func(recommend.Deed) error) error {
	for _, d := range s.deeds {
		if d.Day > sample.Until {
			continue
		}
		if err := take(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) Goods(context.Context) ([]recommend.Good, error) { return s.goods, nil }

func (s *shop) People(_ context.Context, take func(recommend.Person) error) error {
	for _, p := range s.people {
		if err := take(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) Past(_ context.Context, customer int64, until clock.Day) (p recommend.Past, _ error) {
	p.ID = customer
	for _, v := range s.people {
		if v.ID == customer {
			p.Person = v
		}
	}
	for _, d := range s.deeds {
		if d.Customer == customer && d.Day <= until {
			p.Deeds = append(p.Deeds, d)
		}
	}
	p.Returned = s.returned[customer]
	return p, nil
}

func (s *shop) ReplaceFamily(_ context.Context, family string, columns []string, _ int64, _ string, rows recommend.Rows) (n int64, _ error) {
	out := map[int64][]any{}
	err := rows(func(customer int64, values []any) bool {
		if len(values) != len(columns) {
			panic("values do not fit the columns")
		}
		out[customer] = slices.Clone(values)
		n++
		return true
	})
	s.written[family] = out
	return n, err
}

func (s *shop) InUse(_ context.Context, model string) (int64, error) {
	if s.state[model] == nil {
		return 0, nil
	}
	return s.version, nil
}

func (s *shop) State(_ context.Context, model string, _ int64) (json.RawMessage, error) {
	return s.state[model], nil
}

func (s *shop) service() *recommend.Service {
	return recommend.New(recommend.Config{Facts: s, Kept: s, Rules: func(context.Context) (recommend.Rules, error) { return s.rules, nil },
		Save: func(_ context.Context, r recommend.Rules) error { s.rules = r; return nil }, Anchor: func(context.Context) (clock.Day, error) { return today, nil },
		Zone: func() *time.Location { return time.UTC }, Clock: clock.NewFake(time.UnixMilli(0))})
}

func (s *shop) learner() *recommend.Learner {
	return recommend.NewLearner(s, s, func(context.Context) (recommend.Rules, error) { return s.rules, nil })
}

func (s *shop) habits() *recommend.Preferences {
	return recommend.NewPreferences(s, s, func() *time.Location { return time.UTC })
}

// learn fits and scores both models.
func (s *shop) learn(t *testing.T) (habits, lists predict.Card) {
	t.Helper()
	for _, m := range []predict.Model{s.habits(), s.learner()} {
		fitted, err := m.Fit(t.Context(), predict.Request{Until: today, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		again, err := m.Fit(t.Context(), predict.Request{Until: today, Seed: 1})
		if err != nil || string(again.State) != string(fitted.State) {
			t.Errorf("%s: a second fit gives another state", m.About().Key)
		}
		s.state[m.About().Key] = fitted.State
		s.version++
		if _, err := m.Score(t.Context(), predict.ScoreRequest{State: fitted.State, Until: today, AtMilli: 1, Mark: "m"}); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(fitted.Card); err != nil {
			t.Errorf("%s: the card holds what is no number: %v", m.About().Key, err)
		}
		if m.About().Key == recommend.Key {
			lists = fitted.Card
		} else {
			habits = fitted.Card
		}
	}
	return habits, lists
}

func empty() *shop {
	return &shop{state: map[string]json.RawMessage{}, written: map[string]map[int64][]any{}, returned: map[int64][]int64{}, rules: recommend.DefaultRules()}
}

// Thirty products: 1 to 10 for one taste, 11 to 20 for the other, 21 and 22 are bought together, 23 is taken every thirty days, 24 is off sale,
// the rest nobody buys. Customers with even numbers are women of the first taste.
func made() *shop {
	s := empty()
	random := rand.New(rand.NewPCG(1, 2))
	for i := int64(1); i <= 30; i++ {
		g := recommend.Good{ID: i, Name: fmt.Sprint("p", i), Brand: fmt.Sprint("b", i%7), Category: fmt.Sprint("c", i/6), Styles: "|casual|", Price: 1000 * i, OnSale: i != 24, Audience: "unisex"}
		s.goods = append(s.goods, g)
	}
	order := int64(0)
	for c := int64(1); c <= 400; c++ {
		s.people = append(s.people, recommend.Person{ID: c, Gender: []string{"female", "male"}[c%2], Tier: "first"})
		for n := range int64(8) {
			order++
			day := today - 400 + clock.Day(n*50) + clock.Day(random.IntN(40))
			s.deeds = append(s.deeds, recommend.Deed{Customer: c, Order: order, Day: day, At: int64(day)*86_400_000 + 19*3_600_000, Amount: 3000})
			line := func(product int64) {
				s.deeds = append(s.deeds, recommend.Deed{Customer: c, Order: order, Day: day, Product: product, Quantity: 1000, Amount: 1000 * product})
			}
			line(c%2*10 + 1 + random.Int64N(10))
			line(c%2*10 + 1 + random.Int64N(10))
			if n%4 == 0 {
				line(21)
				line(22)
			}
			if c%4 == 0 {
				line(23)
			}
			if n == 3 {
				line(24)
			}
		}
	}
	s.people = append(s.people, recommend.Person{ID: 900, Gender: "female", Tier: "first"})
	return s
}

func products(a recommend.Answer) (out []int64) {
	for _, i := range a.Items {
		out = append(out, i.Product)
	}
	return out
}

func TestListsFollowTasteAndRules(t *testing.T) {
	t.Parallel()
	s := made()
	s.rules.NotBoughtDays, s.rules.PerBrand, s.rules.PerCategory = 0, 0, 0
	_, card := s.learn(t)
	for _, m := range card.Measures {
		if m.Key == "ndcg_new" && (m.Peer == nil || m.Value <= *m.Peer) {
			t.Errorf("personal lists do not beat popularity: %+v", m)
		}
	}
	v := s.service()
	list, err := v.For(t.Context(), 2, recommend.Personal, 8, nil)
	if err != nil || len(list.Items) != 8 || list.Cold {
		t.Fatalf("%+v %v", list, err)
	}
	for _, i := range list.Items {
		if i.Product > 10 && i.Product < 21 || i.Product == 24 || i.Product > 24 {
			t.Errorf("product %d does not suit", i.Product)
		}
		if len(i.Reasons) == 0 {
			t.Errorf("product %d has no reason", i.Product)
		}
	}
	together, err := v.TogetherWith(t.Context(), 21, 3)
	if err != nil || len(together.Items) == 0 || together.Items[0].Product != 22 || together.Items[0].Reasons[0].Key != "with" {
		t.Errorf("with 21: %+v %v", together, err)
	}
	again, err := v.For(t.Context(), 4, recommend.BuyAgain, 1, nil)
	if err != nil || !slices.Equal(products(again), []int64{23}) || again.Items[0].Reasons[0].Params["days"] != 8 {
		t.Errorf("again: %+v %v", again, err)
	}
	rules, err := v.Associations(t.Context(), 0, 5)
	if err != nil || len(rules) == 0 || rules[0].From+rules[0].To != 43 || rules[0].Q > 1e-6 {
		t.Errorf("rules: %+v %v", rules, err)
	}
	// The rules of the business cut the lists.
	strict := recommend.Rules{OnSale: true, NotReturned: true, NotBoughtDays: 3650, PerCategory: 1, WithoutCategories: []string{"c3"}}
	s.returned[2] = []int64{1}
	list, err = v.For(t.Context(), 2, recommend.Personal, 20, &strict)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	bought := map[int64]bool{1: true}
	for _, d := range s.deeds {
		if d.Customer == 2 {
			bought[d.Product] = true
		}
	}
	for _, i := range list.Items {
		g := s.goods[i.Product-1]
		if kinds[g.Category] || g.Category == "c3" || bought[i.Product] {
			t.Errorf("%+v breaks the rules", g)
		}
		kinds[g.Category] = true
	}
	if _, err := v.For(t.Context(), 2, "whatever", 5, nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("unknown kind: %v", err)
	}
}

func TestNewcomersSeeWhatPeopleLikeThemBuy(t *testing.T) {
	t.Parallel()
	s := made()
	s.learn(t)
	list, err := s.service().For(t.Context(), 900, recommend.Personal, 5, nil)
	if err != nil || !list.Cold || len(list.Items) != 5 {
		t.Fatalf("%+v %v", list, err)
	}
	for _, i := range list.Items {
		if i.Product > 10 && i.Product < 21 || i.Reasons[0].Key != "popular_gender_tier" || i.Reasons[0].Params["gender"] != "female" {
			t.Errorf("%+v is not what women buy", i)
		}
	}
}

func TestHabits(t *testing.T) {
	t.Parallel()
	s := made()
	card, _ := s.learn(t)
	if len(card.Measures) == 0 {
		t.Errorf("nothing was measured: %+v", card)
	}
	known, err := s.service().Preference(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	if b := known.Products[0]; b.Product != 23 || b.Standing != recommend.Regular || b.Days != 8 || b.Due == nil || b.Due.On <= b.Last || b.Due.From > b.Due.On || b.Due.To < b.Due.On {
		t.Errorf("the product of every order: %+v %+v", b, b.Due)
	}
	if known.Daypart != 3 {
		t.Errorf("all purchases are at seven in the evening: %v", known.Dayparts)
	}
	row := s.written[recommend.PreferenceFamily][4]
	at := func(column string) any { return row[slices.Index(recommend.PreferenceColumns(), column)] }
	if at("regular_product") != "p23" || at("preferred_daypart") != "evening" || at("preferred_style") != "casual" || at("replenish_product") == nil {
		t.Errorf("traits: %v", row)
	}
	if at("regular_products").(int64)+at("occasional_products").(int64)+at("lapsed_products").(int64) != int64(len(known.Products)) {
		t.Errorf("standings do not add up: %v", row)
	}
	reasons, err := s.habits().Explain(t.Context(), s.state[recommend.PreferenceKey], 4)
	if err != nil || len(reasons) == 0 {
		t.Errorf("reasons: %+v %v", reasons, err)
	}
	next := s.written[recommend.Family][4]
	if next == nil || next[0] == nil {
		t.Errorf("no next product: %v", next)
	}
}

// Days of buying by hand: regular, lapsed and occasional are told apart by the definition alone.
func TestStandingsByHand(t *testing.T) {
	t.Parallel()
	s := empty()
	s.goods = []recommend.Good{{ID: 1, Name: "a", OnSale: true}, {ID: 2, Name: "b", OnSale: true}, {ID: 3, Name: "c", OnSale: true}}
	buy := func(product int64, ago ...clock.Day) {
		for _, d := range ago {
			s.deeds = append(s.deeds, recommend.Deed{Customer: 1, Order: int64(len(s.deeds) + 1), Day: today - d, Product: product, Quantity: 1000, Amount: 100})
		}
	}
	buy(1, 200, 100, 100, 10) // three days, in three of the last four quarters
	buy(2, 900, 800, 700, 20) // four days, but in one quarter only
	buy(3, 50, 40)            // two days
	s.learn(t)
	known, err := s.service().Preference(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64]recommend.Standing{1: recommend.Regular, 2: recommend.Lapsed, 3: recommend.Occasional}
	for _, b := range known.Products {
		if b.Standing != want[b.Product] {
			t.Errorf("product %d is %s, want %s", b.Product, b.Standing, want[b.Product])
		}
	}
	if known.Weekday != -1 || known.Daypart != -1 {
		t.Error("habits without purchases")
	}
}

func TestNothingAndExtremes(t *testing.T) {
	t.Parallel()
	s := empty()
	habits, lists := s.learn(t)
	if len(habits.Notes) == 0 || len(lists.Notes) == 0 {
		t.Error("nothing to learn from, and no note says so")
	}
	v := s.service()
	for _, k := range recommend.Kinds() {
		if a, err := v.For(t.Context(), 1, k, 10, nil); err != nil || len(a.Items) != 0 {
			t.Errorf("%s of nothing: %+v %v", k, a, err)
		}
	}
	if _, err := v.Preference(t.Context(), 1); err != nil {
		t.Error(err)
	}
	// One customer with thousands of purchases of the same product.
	s.goods = []recommend.Good{{ID: 1, Name: "a", Category: "c", OnSale: true}}
	for i := range int64(5000) {
		s.deeds = append(s.deeds, recommend.Deed{Customer: 1, Order: i, Day: today - 5000 + clock.Day(i), Product: 1, Quantity: 1000, Amount: 100})
	}
	s.learn(t)
	known, err := s.service().Preference(t.Context(), 1)
	if err != nil || known.Products[0].Days != 5000 || known.Price.Band != "" {
		t.Errorf("one product for ever: %+v %v", known.Products, err)
	}
}

func TestOptionsOutOfBoundsAreRefused(t *testing.T) {
	t.Parallel()
	s := empty()
	for _, bad := range []string{`{"regular_days":1}`, `{"in_periods":9}`, `[]`} {
		if _, err := s.habits().Fit(t.Context(), predict.Request{Until: today, Options: json.RawMessage(bad)}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
	r := recommend.Rules{NotBoughtDays: -1, PerBrand: 1000}
	if err := r.Check(); fault.KindOf(err) != fault.Invalid {
		t.Errorf("rules: %v", err)
	}
	r = recommend.Rules{WithoutBrands: []string{" b ", "a", "", "a"}}
	if err := r.Check(); err != nil || !slices.Equal(r.WithoutBrands, []string{"a", "b"}) {
		t.Errorf("rules: %+v %v", r, err)
	}
}

// A trial learns up to a day and is measured on later ones: what comes later changes nothing that it learned.
func TestATrialDoesNotLookAhead(t *testing.T) {
	t.Parallel()
	s := made()
	fit := func(m predict.Model) string {
		fitted, err := m.Fit(t.Context(), predict.Request{Until: today - 60, HeldUntil: today, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		var state map[string]json.RawMessage
		if err := json.Unmarshal(fitted.State, &state); err != nil {
			t.Fatal(err)
		}
		return string(state["factors"]) + string(state["near"]) + string(state["rules"]) + string(state["rhythm"]) + string(state["bands"])
	}
	models := []predict.Model{s.learner(), s.habits()}
	before := []string{fit(models[0]), fit(models[1])}
	for i := range s.deeds {
		if d := &s.deeds[i]; d.Day > today-60 && d.Product > 0 {
			d.Product = 30 - d.Product%10
		}
	}
	for i, m := range models {
		if fit(m) != before[i] {
			t.Errorf("%s learned from days that it is measured on", m.About().Key)
		}
	}
}

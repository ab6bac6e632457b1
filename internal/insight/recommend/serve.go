package recommend

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	stat "github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// Kind is which list is asked for.
type Kind string

// The kinds of lists.
const (
	Personal Kind = "personal"
	BuyAgain Kind = "buy_again"
	Similar  Kind = "similar"
	Together Kind = "together"
)

// Kinds are all of them, in the order in which they are shown.
func Kinds() []Kind { return []Kind{Personal, BuyAgain, Together, Similar} }

// LimitMost is how many products a list holds at most.
const LimitMost = 50

// Item is one product of a list. Reasons with a "product" name another product by its number.
type Item struct {
	Product int64
	Score   float64
	Reasons []predict.Reason
}

// Answer is a list.
type Answer struct {
	Kind    Kind
	Version int64     // of the model, 0 before the first fit
	Until   clock.Day // what the model has learned up to
	Items   []Item
	Cold    bool // nothing is known of the customer: the list is what is popular
}

// Config is what a Service works with.
type Config struct {
	Facts  Facts
	Kept   Kept
	Rules  func(ctx context.Context) (Rules, error)
	Save   func(ctx context.Context, r Rules) error
	Anchor func(ctx context.Context) (clock.Day, error)
	Zone   func() *time.Location
	Clock  clock.Clock
}

// Service answers what to show to whom. It is safe for concurrent use.
type Service struct {
	c Config

	mu      sync.Mutex
	version int64
	state   *learned
	shelf   *shelf
}

// shelf is the products as they were a moment ago.
type shelf struct {
	list []Good
	by   map[int64]*Good
	at   time.Time
}

// shelfAge is how long products are kept in memory: a product that goes off sale is shown so much longer at most.
const shelfAge = 15 * time.Second

// New makes a Service.
func New(c Config) *Service { return &Service{c: c} }

// Forget drops what is kept in memory, for when products or rules changed.
func (s *Service) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shelf = nil
}

func (s *Service) goods(ctx context.Context) (*shelf, error) {
	now := s.c.Clock.Now()
	s.mu.Lock()
	kept := s.shelf
	s.mu.Unlock()
	if kept != nil && now.Sub(kept.at) < shelfAge {
		return kept, nil
	}
	list, err := s.c.Facts.Goods(ctx)
	if err != nil {
		return nil, err
	}
	fresh := &shelf{list, byID(list), now}
	s.mu.Lock()
	s.shelf = fresh
	s.mu.Unlock()
	return fresh, nil
}

// learned is the version in use, opened once; nil before the first.
func (s *Service) learned(ctx context.Context) (*learned, int64, error) {
	version, err := s.c.Kept.InUse(ctx, Key)
	if err != nil || version == 0 {
		return nil, 0, err
	}
	s.mu.Lock()
	kept, of := s.state, s.version
	s.mu.Unlock()
	if kept != nil && of == version {
		return kept, version, nil
	}
	raw, err := s.c.Kept.State(ctx, Key, version)
	if err != nil {
		return nil, 0, err
	}
	state, err := readLearned(raw)
	if errors.Is(err, errFormat) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.version = state, version
	return state, version, nil
}

// asked is one list being made.
type asked struct {
	s     *learned
	shelf *shelf
	rules Rules
	past  Past
	today clock.Day

	last     map[int64]clock.Day // product → when it was bought last
	returned map[int64]bool
	brands   map[string]int
	kinds    map[string]int
	shown    map[int64]bool
	out      []Item
	limit    int
	again    bool
}

// For makes a list for a customer; rules, when given, stand in for the saved ones.
func (s *Service) For(ctx context.Context, customer int64, kind Kind, limit int, rules *Rules) (Answer, error) {
	if !slices.Contains(Kinds(), kind) {
		return Answer{}, fault.InvalidField("recommend.unknown_kind", "kind", fault.Params{"value": string(kind)})
	}
	a, version, err := s.ask(ctx, limit, rules)
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Kind: kind, Version: version, Items: []Item{}}
	if a.past, err = s.c.Facts.Past(ctx, customer, a.today); err != nil {
		return out, err
	}
	a.remember()
	a.again = kind == BuyAgain
	if a.s != nil {
		out.Until = a.s.Until
	}
	switch kind {
	case BuyAgain:
		a.buyAgain()
	case Similar:
		a.similar()
	case Together:
		a.together()
	default:
		a.personal()
	}
	if kind == Personal {
		out.Cold = len(a.last) == 0
		a.popular()
	}
	out.Items = append(out.Items, a.out...)
	return out, nil
}

func (s *Service) ask(ctx context.Context, limit int, rules *Rules) (*asked, int64, error) {
	a := &asked{limit: min(max(limit, 1), LimitMost), last: map[int64]clock.Day{}, returned: map[int64]bool{}, brands: map[string]int{}, kinds: map[string]int{}, shown: map[int64]bool{}}
	var err error
	if rules != nil {
		a.rules = *rules
	} else if a.rules, err = s.c.Rules(ctx); err != nil {
		return nil, 0, err
	}
	if a.shelf, err = s.goods(ctx); err != nil {
		return nil, 0, err
	}
	if a.today, err = s.c.Anchor(ctx); err != nil {
		return nil, 0, err
	}
	var version int64
	a.s, version, err = s.learned(ctx)
	return a, version, err
}

func (a *asked) remember() {
	for i := range a.past.Deeds {
		if d := &a.past.Deeds[i]; d.Product != 0 {
			a.last[d.Product] = d.Day
		}
	}
	for _, p := range a.past.Returned {
		a.returned[p] = true
	}
}

// full reports that the list has all it may have.
func (a *asked) full() bool { return len(a.out) >= a.limit }

// offer puts a product on the list if the rules allow it.
func (a *asked) offer(product int64, score float64, reasons ...predict.Reason) {
	g := a.shelf.by[product]
	if g == nil || a.full() || a.shown[product] || !a.rules.allow(g) || !a.rules.suits(g, a.past.Gender) {
		return
	}
	if a.rules.NotReturned && a.returned[product] {
		return
	}
	if last, ok := a.last[product]; ok && !a.again && a.rules.NotBoughtDays > 0 && last > a.today-clock.Day(a.rules.NotBoughtDays) {
		return
	}
	if a.rules.PerBrand > 0 && g.Brand != "" && a.brands[g.Brand] >= a.rules.PerBrand || a.rules.PerCategory > 0 && g.Category != "" && a.kinds[g.Category] >= a.rules.PerCategory {
		return
	}
	a.brands[g.Brand]++
	a.kinds[g.Category]++
	a.shown[product] = true
	a.out = append(a.out, Item{Product: product, Score: score, Reasons: reasons})
}

// row is what the customer bought, by the numbers of the model, and on how many days.
func (a *asked) row() (items []int32, weights []float32) {
	count := map[int32]map[clock.Day]bool{}
	for i := range a.past.Deeds {
		d := &a.past.Deeds[i]
		if n, ok := a.s.at[d.Product]; ok {
			if count[n] == nil {
				count[n] = map[clock.Day]bool{}
				items = append(items, n)
			}
			count[n][d.Day] = true
		}
	}
	slices.Sort(items)
	for _, n := range items {
		weights = append(weights, float32(len(count[n])))
	}
	return items, weights
}

func (a *asked) product(n int32) int64 { return a.s.Products[n] }

// personal ranks by the method that foretold best.
func (a *asked) personal() {
	if a.s == nil {
		return
	}
	items, weights := a.row()
	if len(items) == 0 {
		return
	}
	if a.s.Method == ByFactors {
		x := a.s.factors.User(items, weights)
		scored := make([]stat.Scored, 0, len(a.s.Products))
		for n := range a.s.Products {
			if v := a.s.factors.Score(x, int32(n)); v > 0 {
				scored = append(scored, stat.Scored{Item: int32(n), Score: v})
			}
		}
		for _, v := range stat.Top(scored, len(scored)) {
			if a.full() {
				return
			}
			a.offer(a.product(v.Item), float64(v.Score), a.because(a.s.factors.Near(v.Item, items), float64(v.Score))...)
		}
		return
	}
	if a.s.Method == ByPopularity {
		return // which fills the list
	}
	scored, why := stat.Gather(a.s.neighbours, items, weights)
	if a.s.Method == ByMix {
		scored = stat.Mixed(scored, a.s.Recent, a.s.Power)
	}
	for _, v := range scored {
		if a.full() {
			return
		}
		from := why[v.Item]
		a.offer(a.product(v.Item), float64(v.Score), a.because(from, float64(v.Score))...)
	}
}

func (a *asked) because(n int32, effect float64) []predict.Reason {
	if n < 0 {
		return nil
	}
	return []predict.Reason{{Key: "because", Params: map[string]any{"product": a.product(n)}, Effect: effect}}
}

// popular fills a list up with what people like the customer buy, the narrowest group first.
func (a *asked) popular() {
	if a.s == nil {
		return
	}
	for _, group := range wider(a.past.Gender + "|" + a.past.Tier) {
		for at, n := range a.s.Popular[group] {
			if a.full() {
				return
			}
			a.offer(a.product(n), 1/float64(at+1), popularReason(group))
		}
	}
}

func popularReason(group string) predict.Reason {
	gender, tier, _ := cutGroup(group)
	r := predict.Reason{Key: "popular", Params: map[string]any{}}
	switch {
	case gender != "" && tier != "":
		r.Key = "popular_gender_tier"
	case gender != "":
		r.Key = "popular_gender"
	case tier != "":
		r.Key = "popular_tier"
	}
	r.Params["gender"], r.Params["tier"] = gender, tier
	return r
}

// buyAgain ranks what he buys over and over.
func (a *asked) buyAgain() {
	half := 0.0
	if a.s != nil {
		half = a.s.HalfLife
	}
	products, number := []int64{}, map[int64]int32{}
	var taken []stat.Taken
	for i := range a.past.Deeds {
		d := &a.past.Deeds[i]
		if d.Product == 0 {
			continue
		}
		n, ok := number[d.Product]
		if !ok {
			n = int32(len(products))
			number[d.Product] = n
			products = append(products, d.Product)
			taken = append(taken, stat.Taken{Item: n})
		}
		if days := taken[n].Days; len(days) == 0 || days[len(days)-1] != int64(d.Day) {
			taken[n].Days = append(days, int64(d.Day))
		}
	}
	for _, v := range stat.Again(taken, int64(a.today), half) {
		days := taken[v.Item].Days
		r := predict.Reason{Key: "bought_once", Params: map[string]any{"last": clock.Day(days[len(days)-1]).String()}, Effect: float64(v.Score)}
		if len(days) > 1 {
			r.Key = "bought_often"
			r.Params["days"], r.Params["every"] = len(days), (days[len(days)-1]-days[0]+int64(len(days))/2)/int64(len(days)-1)
		}
		a.offer(products[v.Item], float64(v.Score), r)
	}
}

// together ranks what is bought in the same baskets as what he bought last, the newest order first.
func (a *asked) together() {
	if a.s == nil {
		return
	}
	seen := map[int32]bool{}
	var own []int32
	for i := len(a.past.Deeds) - 1; i >= 0; i-- {
		if n, ok := a.s.at[a.past.Deeds[i].Product]; ok && !seen[n] {
			seen[n] = true
			own = append(own, n)
		}
	}
	const newest = 12
	type found struct {
		with stat.Rule
		from int32
		to   int32
		lift float64
	}
	var list []found
	for _, n := range own[:min(len(own), newest)] {
		for _, r := range a.s.byItem[n] {
			rule := a.s.rule(r)
			if rule.Q >= .05 {
				continue
			}
			turned := toward(rule, n)
			list = append(list, found{turned, n, turned.B, turned.LiftLow()})
		}
	}
	slices.SortStableFunc(list, func(x, y found) int {
		switch {
		case x.lift > y.lift:
			return -1
		case x.lift < y.lift:
			return 1
		}
		return int(x.to - y.to)
	})
	for _, f := range list {
		if a.full() {
			return
		}
		a.offer(a.product(f.to), f.lift, a.withReason(f.from, &f.with))
	}
}

// toward is a rule as it goes from a product.
func toward(r stat.Rule, from int32) stat.Rule {
	if r.A != from {
		r.A, r.B, r.WithA, r.WithB = r.B, r.A, r.WithB, r.WithA
	}
	return r
}

func (a *asked) withReason(from int32, r *stat.Rule) predict.Reason {
	return predict.Reason{Key: "with", Params: map[string]any{"product": a.product(from), "confidence": r.Confidence(), "lift": r.Lift(), "both": r.Both}, Effect: r.LiftLow()}
}

// similar ranks products of the same make-up as what he bought last.
func (a *asked) similar() {
	var own []*Good
	seen := map[int64]bool{}
	for i := len(a.past.Deeds) - 1; i >= 0; i-- {
		if g := a.shelf.by[a.past.Deeds[i].Product]; g != nil && !seen[g.ID] {
			seen[g.ID] = true
			own = append(own, g)
		}
	}
	const newest = 20
	own = own[:min(len(own), newest)]
	for _, v := range a.alike(own) {
		if a.full() {
			return
		}
		if !seen[v.good.ID] {
			a.offer(v.good.ID, v.score, v.reason())
		}
	}
}

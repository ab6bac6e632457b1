package value

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/stat/btyd"
	"github.com/guanxi-crm/guanxi/internal/stat/gain"
)

// Score implements predict.Model. Who never purchased has scores only when he brought somebody.
func (m *Model) Score(ctx context.Context, r predict.ScoreRequest) (int64, error) {
	var st state
	if err := json.Unmarshal(r.State, &st); err != nil {
		return 0, err
	}
	o, err := m.read(r.Options)
	if err != nil {
		return 0, err
	}
	people, err := m.facts.Purchases(ctx, Ask{Cut: r.Until, Until: r.Until, Basis: st.Basis, Rate: st.Rate})
	if err != nil {
		return 0, err
	}
	breadth, err := m.facts.Breadth(ctx, r.Until)
	if err != nil {
		return 0, err
	}
	edges, err := m.facts.Referrals(ctx)
	if err != nil {
		return 0, err
	}
	past := make(map[int64]int64, len(people))
	for i := range people {
		past[people[i].Customer] = people[i].All.Value
	}
	brought := Trees(edges, past)
	rows := m.rows(people, st, o, r.Until, breadth, brought)
	for _, c := range brought {
		if _, bought := past[c.Customer]; !bought {
			v := make([]any, len(Columns()))
			v[11], v[12] = int64(c.Direct), c.Value
			rows.Add(c.Customer, v)
		}
	}
	return m.facts.Replace(ctx, rows.Rows, r.AtMilli, r.Mark)
}

func (m *Model) rows(people []Purchases, st state, o options, until clock.Day, breadth map[int64]int, brought []Tree) *predict.Sheet {
	minor := m.minor()
	horizon := o.horizon()
	life := btyd.NewLifetime(st.Counts, horizon)
	future := newExpectation(st.Counts, horizon.Month*float64(horizon.Months))
	tree := make(map[int64]Tree, len(brought))
	for _, b := range brought {
		tree[b.Customer] = b
	}
	clv := make([]float64, len(people))
	var tenths []int
	if st.Known {
		for i := range people {
			p := &people[i]
			clv[i] = math.Round(life.Purchases(row(p.All, p.First, until, o.unit())) * mean(st.Money, spend(p.All, p.FirstValue, minor)) * minor)
		}
		tenths = gain.Deciles(clv)
	}
	out := predict.NewSheet(len(Columns()))
	v := make([]any, len(Columns()))
	for i := range people {
		p := &people[i]
		clear(v)
		if st.Known {
			r := row(p.All, p.First, until, o.unit())
			v[0], v[1] = int64(clv[i]), int64(math.Round(future.of(r)*100))
			v[2], v[3] = int64(math.Round(st.Alive.Alive(r)*10_000)), int64(math.Round(mean(st.Money, spend(p.All, p.FirstValue, minor))*minor))
			v[4] = int64(tenths[i])
		}
		v[5] = p.All.Value
		b := tree[p.Customer]
		l := o.loyalty(Habit{Year: p.Year, Categories: breadth[p.Customer], Months: float64(until-p.First) / 30.4375, Brought: b.Direct})
		v[6], v[7], v[8], v[9], v[10] = l.Index, l.Parts[0], l.Parts[1], l.Parts[2], l.Parts[3]
		v[11], v[12] = int64(b.Direct), b.Value
		out.Add(p.Customer, v)
	}
	return out
}

// Habit is what loyalty is judged by: purchase days of the last 365 days, categories bought in, months since the first purchase, and how many
// customers were brought.
type Habit struct {
	Year, Categories int
	Months           float64
	Brought          int
}

// Loyalty is an index from 0 to 100, with one decimal as an integer, and its four parts in ten-thousandths: repurchase, breadth, tenure,
// recommendation.
type Loyalty struct {
	Index int64
	Parts [4]int64
}

// loyalty is the weighted mean of four parts; each is what was done as a share of what counts as full, 1 at most. Tenure counts only while the
// customer still buys: who has not for a year has none.
func (o options) loyalty(h Habit) Loyalty {
	tenure := h.Months / o.FullTen
	if h.Year == 0 {
		tenure = 0
	}
	parts := [4]float64{float64(h.Year) / o.FullRep, float64(h.Categories) / o.FullBr, tenure, float64(h.Brought) / o.FullRec}
	weights := [4]float64{o.WeightRep, o.WeightBr, o.WeightTen, o.WeightRec}
	var l Loyalty
	var sum, all float64
	for i, p := range parts {
		p = math.Max(0, math.Min(1, p))
		l.Parts[i] = int64(math.Round(p * 10_000))
		sum += weights[i] * p
		all += weights[i]
	}
	if all > 0 {
		l.Index = int64(math.Round(sum / all * 1000))
	}
	return l
}

// Tree is whom a customer brought: Direct by himself, All with those whom they brought in turn, and what All of them have been worth.
type Tree struct {
	Customer    int64
	Direct, All int
	Value       int64
}

// Trees sums the trees of everyone who brought somebody, by id. A circle of referrals counts nobody twice and nobody for himself.
func Trees(edges []Brought, worth map[int64]int64) []Tree {
	children := map[int64][]int64{}
	for _, e := range edges {
		if e.Customer != e.By && e.By != 0 {
			children[e.By] = append(children[e.By], e.Customer)
		}
	}
	out := make([]Tree, 0, len(children))
	for root, direct := range children {
		t := Tree{Customer: root, Direct: len(direct)}
		seen := map[int64]bool{root: true}
		todo := slices.Clone(direct)
		for len(todo) > 0 {
			c := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if seen[c] {
				continue
			}
			seen[c] = true
			t.All++
			t.Value += worth[c]
			todo = append(todo, children[c]...)
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Tree) int {
		if a.Customer < b.Customer {
			return -1
		}
		return 1
	})
	return out
}

// Explain implements predict.Model. Effects are in minor units of lifetime value: what it would lack without the cause.
func (m *Model) Explain(ctx context.Context, raw json.RawMessage, customer int64) ([]predict.Reason, error) {
	var st state
	if err := json.Unmarshal(raw, &st); err != nil || !st.Known {
		return nil, err
	}
	o, err := m.read(st.Options)
	if err != nil {
		return nil, err
	}
	until, err := m.anchor(ctx)
	if err != nil {
		return nil, err
	}
	p, ok, err := m.facts.PurchasesOf(ctx, Ask{Cut: until, Until: until, Basis: st.Basis, Rate: st.Rate}, customer)
	if err != nil || !ok {
		return nil, err
	}
	minor, unit := m.minor(), o.unit()
	life := btyd.NewLifetime(st.Counts, o.horizon())
	r, s := row(p.All, p.First, until, unit), spend(p.All, p.FirstValue, minor)
	basket, usual := mean(st.Money, s), st.Money.Population()
	worth := life.Purchases(r) * basket * minor
	once := life.Purchases(btyd.Row{Age: r.Age}) * basket * minor
	fresh := life.Purchases(btyd.Row{X: r.X, Recency: r.Age, Age: r.Age}) * basket * minor
	out := []predict.Reason{}
	since := int64(until - p.All.Last)
	if r.X > 0 {
		out = append(out, predict.Reason{Key: "repeats", Params: map[string]any{"days": p.All.Days, "months": predict.Figure(math.Max(1, math.Round(float64(until-p.First)/30.4375)))},
			Effect: math.Round(fresh - once), Trait: TraitOrders})
		rhythm := float64(p.All.Last-p.First) / float64(r.X)
		key := "in_rhythm"
		if float64(since) > 2*rhythm {
			key = "overdue"
		}
		out = append(out, predict.Reason{Key: key, Params: map[string]any{"since": since, "rhythm": predict.Figure(math.Max(1, math.Round(rhythm)))}, Effect: math.Round(worth - fresh), Trait: TraitAlive})
	} else {
		out = append(out, predict.Reason{Key: "once", Params: map[string]any{"since": since}, Effect: math.Round(worth - life.Purchases(btyd.Row{})*basket*minor), Trait: TraitOrders})
	}
	if usual > 0 && r.X > 0 && basket > 0 {
		key := "basket_high"
		if basket < usual {
			key = "basket_low"
		}
		out = append(out, predict.Reason{Key: key, Params: map[string]any{"basket": predict.Money(int64(math.Round(basket * minor))), "usual": predict.Money(int64(math.Round(usual * minor)))},
			Effect: math.Round(worth * (1 - usual/basket)), Trait: TraitBasket})
	}
	slices.SortStableFunc(out, func(a, b predict.Reason) int {
		switch x, y := math.Abs(a.Effect), math.Abs(b.Effect); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out, nil
}

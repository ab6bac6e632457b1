package recommend

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	stat "github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// Key is the key of the model of recommendations.
const Key = "recommend"

// Family is where its traits are.
const Family = "m_recommend"

var columns = [...]string{"recommended_product", "recommended_category"}

// Columns are the traits of the model of recommendations.
func Columns() []string { return slices.Clone(columns[:]) }

// Learner is the model of recommendations. It is safe for concurrent use.
type Learner struct {
	facts  Facts
	scores Scores
	rules  func(ctx context.Context) (Rules, error)
}

var _ predict.Model = (*Learner)(nil)

// NewLearner makes the model of recommendations; rules are those that cut its lists.
func NewLearner(f Facts, s Scores, rules func(context.Context) (Rules, error)) *Learner {
	return &Learner{f, s, rules}
}

// Options of the model.
type options struct {
	HeldDays int `json:"held_days"`
	Factors  int `json:"factors"`
	Least    int `json:"least_baskets"`
}

// About implements predict.Model.
func (*Learner) About() predict.About {
	return predict.About{Key: Key, Page: "/recommend", Traits: Columns(), Family: Family, Refit: predict.Weekly, Measure: "ndcg_new", Options: []predict.Option{
		numberOption("held_days", "day", 30, 7, 180), numberOption("factors", "", 32, 4, 64), numberOption("least_baskets", "", 10, 3, 10_000),
	}}
}

// Bounds of a fit.
const (
	linesMost   = 3_000_000 // more are sampled by customer
	judgedMost  = 4_000     // customers
	recentDays  = 90        // in which popularity is counted
	nearest     = 40        // neighbours of a product
	widestRow   = 1_000     // products of a customer who says something about likeness
	widestOrder = 200       // products of an order that says something about baskets
	rulesEach   = 12        // of a product
	rulesBest   = 1_000     // of all
	popularMost = 100       // products of a group
	groupLeast  = 50        // buyers that make a group
	judgedLeast = 20        // customers without whom nothing can be judged
	listed      = 10        // items of a list that is judged
)

// halfLives are what buying again is tried with.
func halfLives() []float64 { return []float64{0, 365, 180, 90, 30} }

// powers are what demand is tried with in a mix.
func powers() []float64 { return []float64{0.5, 1, 0.25, 1.5} }

// pair is what a customer bought, by the day.
type pair struct {
	item int32
	day  clock.Day
}

// person is one customer of a fit.
type person struct {
	id    int64
	group string // gender|tier
	lines []pair
}

// fit is one fit of the model.
type fit struct {
	goods   []Good
	at      map[int64]int32
	groups  map[int64]string
	people  []person
	baskets []stat.Entry
	orders  int32
	lines   int64
	from    clock.Day
	last    clock.Day
	cut     clock.Day // what comes after it is judged on
	until   clock.Day // what comes after it is not learned from
}

// Fit implements predict.Model.
func (m *Learner) Fit(ctx context.Context, r predict.Request) (predict.Fitted, error) {
	o := options{HeldDays: 30, Factors: 32, Least: 10}
	if err := readOptions(m.About(), r.Options, &o); err != nil {
		return predict.Fitted{}, err
	}
	tell := r.Progress
	if tell == nil {
		tell = func(float64) {}
	}
	known := max(r.Until, r.HeldUntil)
	extent, err := m.facts.Extent(ctx, known)
	if err != nil {
		return predict.Fitted{}, err
	}
	sample := Sample{Until: known, Of: 1 + extent.Lines/linesMost}
	// What comes after the cut is judged on, and learned from afterwards, unless it must not be.
	f := &fit{groups: map[int64]string{}, last: extent.Last, cut: extent.Last - clock.Day(o.HeldDays), until: extent.Last}
	if r.HeldUntil > r.Until {
		f.cut, f.until = r.Until, r.Until
	}
	if err := f.read(ctx, m.facts, sample); err != nil {
		return predict.Fitted{}, err
	}
	tell(.3)
	s := &learned{Format: stateFormat, Until: r.Until, Size: o.Factors, Alpha: 10, Lambda: 5, Method: ByPopularity}
	als := stat.ALS{Factors: o.Factors, Rounds: 8, Alpha: s.Alpha, Lambda: s.Lambda, Seed: r.Seed}
	notes, err := f.judge(ctx, s, als)
	if err != nil {
		return predict.Fitted{}, err
	}
	tell(.6)
	all := f.matrix(f.until)
	likeness := stat.Neighbours(all, likenessOf())
	tell(.7)
	factors := stat.Fit(all, als)
	s.Size = factors.Size
	tell(.9)
	s.pack(factors, likeness)
	s.Buyers = all.Counts()
	for i := range f.goods {
		s.Products = append(s.Products, f.goods[i].ID)
	}
	s.Popular, s.Recent = f.popular(f.until), f.recent(f.until)
	f.rules(s, o.Least)
	if sample.Of > 1 {
		notes = append(notes, predict.Note{Key: "sampled", Level: predict.Info, Params: map[string]any{"count": len(f.people), "of": extent.Customers}})
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return predict.Fitted{}, err
	}
	c := f.card(s)
	c.Until, c.Notes = min(r.Until, f.until), append(notes, c.Notes...)
	tell(1)
	return predict.Fitted{State: raw, Card: c}, nil
}

func likenessOf() stat.Likeness { return stat.Likeness{K: nearest, Shrink: 10, Widest: widestRow} }

// read takes up what is learned from: lines of live products.
func (f *fit) read(ctx context.Context, facts Facts, sample Sample) (err error) {
	if f.goods, err = facts.Goods(ctx); err != nil {
		return err
	}
	f.at = make(map[int64]int32, len(f.goods))
	for i := range f.goods {
		f.at[f.goods[i].ID] = int32(i)
	}
	err = facts.People(ctx, func(p Person) error {
		if p.Gender != "" || p.Tier != "" {
			f.groups[p.ID] = p.Gender + "|" + p.Tier
		}
		return nil
	})
	if err != nil {
		return err
	}
	return byCustomer(ctx, facts, sample, func(customer int64, deeds []Deed) error {
		f.add(customer, deeds)
		return nil
	})
}

func (f *fit) add(customer int64, deeds []Deed) {
	p := person{id: customer, group: f.groups[customer]}
	order := int64(-1)
	for i := range deeds {
		d := &deeds[i]
		item, ok := f.at[d.Product]
		if !ok {
			continue
		}
		if d.Order != order {
			order = d.Order
			f.orders++
		}
		if f.from == 0 || d.Day < f.from {
			f.from = d.Day
		}
		if d.Day <= f.until {
			f.lines++
			f.baskets = append(f.baskets, stat.Entry{User: f.orders - 1, Item: item, Weight: 1})
		}
		if !slices.Contains(p.lines[max(0, len(p.lines)-50):], pair{item, d.Day}) {
			p.lines = append(p.lines, pair{item, d.Day})
		}
	}
	if len(p.lines) > 0 {
		f.people = append(f.people, p)
	}
}

// matrix is who bought what on how many days, up to a day.
func (f *fit) matrix(until clock.Day) *stat.Matrix {
	var entries []stat.Entry
	for u := range f.people {
		for _, l := range f.people[u].lines {
			if l.day <= until {
				entries = append(entries, stat.Entry{User: int32(u), Item: l.item, Weight: 1})
			}
		}
	}
	return stat.NewMatrix(len(f.people), len(f.goods), entries)
}

// popular ranks products by how many customers bought them in the days before one, for each group that is large enough.
func (f *fit) popular(until clock.Day) map[string][]int32 {
	type tally struct {
		people int
		by     map[int32]int
	}
	count := func(from clock.Day) map[string]*tally {
		all := map[string]*tally{}
		for u := range f.people {
			p := &f.people[u]
			own := map[int32]bool{}
			for _, l := range p.lines {
				if l.day > from && l.day <= until {
					own[l.item] = true
				}
			}
			if len(own) == 0 {
				continue
			}
			for _, g := range wider(p.group) {
				t := all[g]
				if t == nil {
					t = &tally{by: map[int32]int{}}
					all[g] = t
				}
				t.people++
				for i := range own {
					t.by[i]++
				}
			}
		}
		return all
	}
	all := count(until - recentDays)
	if t := all["|"]; t == nil || t.people < groupLeast {
		all = count(-1 << 30)
	}
	out := map[string][]int32{}
	for g, t := range all {
		if g != "|" && t.people < groupLeast {
			continue
		}
		list := make([]int32, 0, len(t.by))
		for i := range t.by {
			list = append(list, i)
		}
		slices.SortFunc(list, func(a, b int32) int { return cmp.Or(cmp.Compare(t.by[b], t.by[a]), cmp.Compare(a, b)) })
		out[g] = list[:min(len(list), popularMost)]
	}
	return out
}

// recent counts who bought each product in the days before one; all who ever did where too few bought anything.
func (f *fit) recent(until clock.Day) []int32 {
	count := func(from clock.Day) (out []int32, people int) {
		out = make([]int32, len(f.goods))
		seen := make([]int, len(f.goods))
		for u := range f.people {
			some := false
			for _, l := range f.people[u].lines {
				if l.day > from && l.day <= until && seen[l.item] != u+1 {
					seen[l.item], some = u+1, true
					out[l.item]++
				}
			}
			if some {
				people++
			}
		}
		return out, people
	}
	out, people := count(until - recentDays)
	if people < groupLeast {
		out, _ = count(-1 << 30)
	}
	return out
}

// wider are the groups that somebody belongs to, the narrowest first.
func wider(group string) []string {
	gender, tier, _ := strings.Cut(group, "|")
	var out []string
	if gender != "" && tier != "" {
		out = append(out, group)
	}
	if gender != "" {
		out = append(out, gender+"|")
	}
	if tier != "" {
		out = append(out, "|"+tier)
	}
	return append(out, "|")
}

// rules keeps the surest rules of all and of each product.
func (f *fit) rules(s *learned, least int) {
	m := stat.NewMatrix(int(f.orders), len(f.goods), f.baskets)
	found := stat.Rules(m, stat.Basketry{Least: max(least, int(f.orders)/50_000), Widest: widestOrder})
	of := make([]int, len(f.goods))
	for n := range found {
		r := &found[n]
		s.Baskets = r.Baskets
		if n >= rulesBest && (of[r.A] >= rulesEach && of[r.B] >= rulesEach || r.Q > .05) {
			continue
		}
		of[r.A]++
		of[r.B]++
		s.Rules = append(s.Rules, keepRule(r))
	}
}

// card says what was found.
func (f *fit) card(s *learned) predict.Card {
	c := predict.Card{From: f.from, HeldFrom: s.Held[0], HeldUntil: s.Held[1], Rows: f.lines}
	sure := 0
	for _, r := range s.Rules {
		if r[5] > 1301 { // q below 5 %
			sure++
		}
	}
	c.Parameters = []predict.Parameter{{Key: "customers", Value: float64(len(f.people))}, {Key: "products", Value: float64(len(f.goods))}, {Key: "orders", Value: float64(f.orders)},
		{Key: "factors", Value: float64(s.Size)}, {Key: "half_life", Value: s.HalfLife}, {Key: "rules", Value: float64(sure)}}
	find := func(task string, method Method) *Judged {
		for i := range s.Judged {
			if j := &s.Judged[i]; j.Task == task && (j.Method == method || method == "" && j.Chosen) {
				return j
			}
		}
		return nil
	}
	for _, task := range []string{TaskNew, TaskAgain} {
		own, base := find(task, ""), find(task, ByPopularity)
		if own == nil || base == nil {
			continue
		}
		add := func(key string, v, peer float64) {
			c.Measures = append(c.Measures, predict.Measure{Key: key + "_" + task, Value: v, Peer: &peer, PeerIs: "popularity", Better: predict.Higher, Share: true})
		}
		add("ndcg", own.NDCG, base.NDCG)
		add("hit", own.Hit, base.Hit)
		add("recall", own.Recall, base.Recall)
		add("coverage", own.Coverage, base.Coverage)
		chart := predict.Chart{Key: task, Kind: predict.Bars, Series: []predict.Series{{Key: "hit"}, {Key: "ndcg"}}}
		for i := range s.Judged {
			if j := &s.Judged[i]; j.Task == task {
				chart.X = append(chart.X, "@"+string(j.Method))
				chart.Series[0].Values = append(chart.Series[0].Values, predict.Finite(j.Hit))
				chart.Series[1].Values = append(chart.Series[1].Values, predict.Finite(j.NDCG))
			}
		}
		c.Charts = append(c.Charts, chart)
	}
	if own := find(TaskNew, ""); own != nil && own.Method == ByPopularity {
		c.Notes = append(c.Notes, predict.Note{Key: "popularity_wins", Level: predict.Warning})
	}
	return c
}

// Score implements predict.Model: the first product of each customer by likeness, under the business rules.
func (m *Learner) Score(ctx context.Context, r predict.ScoreRequest) (int64, error) {
	s, err := readLearned(r.State)
	if err != nil {
		return 0, err
	}
	goods, err := goodsByID(ctx, m.facts)
	if err != nil {
		return 0, err
	}
	rules, err := m.rules(ctx)
	if err != nil {
		return 0, err
	}
	b := newBest(s, goods, rules, r.Until)
	out := predict.NewSheet(len(columns))
	row := make([]any, len(columns))
	err = byCustomer(ctx, m.facts, Sample{Until: r.Until}, func(customer int64, deeds []Deed) error {
		g := b.of(deeds)
		if g == nil {
			return nil
		}
		row[0], row[1] = g.Name, nil
		if g.Category != "" {
			row[1] = g.Category
		}
		out.Add(customer, row)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return m.scores.ReplaceFamily(ctx, Family, Columns(), r.AtMilli, r.Mark, out.Rows)
}

// best finds the first product of one customer after the other.
type best struct {
	s     *learned
	good  []*Good // by number, nil for one that may not be shown
	after clock.Day
	sum   []float32
	seen  []int32
	why   int32
}

func newBest(s *learned, goods map[int64]*Good, rules Rules, today clock.Day) *best {
	b := &best{s: s, good: make([]*Good, len(s.Products)), sum: make([]float32, len(s.Products)), after: 1 << 30}
	for i, p := range s.Products {
		if g := goods[p]; g != nil && rules.allow(g) {
			b.good[i] = g
		}
	}
	if rules.NotBoughtDays > 0 {
		b.after = today - clock.Day(rules.NotBoughtDays)
	}
	return b
}

// of is the first product of a customer, nil when there is none; why is then what of his gave most to it.
func (b *best) of(deeds []Deed) *Good {
	for _, i := range b.seen {
		b.sum[i] = 0
	}
	b.seen = b.seen[:0]
	for i := range deeds {
		item, ok := b.s.at[deeds[i].Product]
		if !ok {
			continue
		}
		for _, n := range b.s.neighbours[item] {
			if b.sum[n.Item] == 0 {
				b.seen = append(b.seen, n.Item)
			}
			b.sum[n.Item] += n.Score
		}
	}
	for i := range deeds { // what was bought of late is not shown again
		if item, ok := b.s.at[deeds[i].Product]; ok && deeds[i].Day > b.after {
			b.sum[item] = -1
		}
	}
	top := int32(-1)
	for _, i := range b.seen {
		if b.good[i] != nil && b.sum[i] > 0 && (top < 0 || b.sum[i] > b.sum[top] || b.sum[i] == b.sum[top] && i < top) {
			top = i
		}
	}
	if top < 0 {
		return nil
	}
	most := float32(0)
	b.why = -1
	for i := range deeds {
		if item, ok := b.s.at[deeds[i].Product]; ok {
			for _, n := range b.s.neighbours[item] {
				if n.Item == top && n.Score > most {
					most, b.why = n.Score, item
				}
			}
		}
	}
	return b.good[top]
}

// Explain implements predict.Model.
func (m *Learner) Explain(ctx context.Context, state json.RawMessage, customer int64) ([]predict.Reason, error) {
	return predict.Explain(ctx, m, state, customer)
}

// Open implements predict.Opener.
func (m *Learner) Open(state json.RawMessage) (predict.Explainer, error) {
	s, err := readLearned(state)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, customer int64) ([]predict.Reason, error) { return m.why(ctx, s, customer) }, nil
}

func (m *Learner) why(ctx context.Context, s *learned, customer int64) ([]predict.Reason, error) {
	goods, err := goodsByID(ctx, m.facts)
	if err != nil {
		return nil, err
	}
	rules, err := m.rules(ctx)
	if err != nil {
		return nil, err
	}
	past, err := m.facts.Past(ctx, customer, s.Until)
	if err != nil {
		return nil, err
	}
	b := newBest(s, goods, rules, s.Until)
	g := b.of(past.Deeds)
	if g == nil || b.why < 0 {
		return nil, nil
	}
	from := goods[s.Products[b.why]]
	if from == nil {
		return nil, nil
	}
	return []predict.Reason{{Key: "because", Params: map[string]any{"product": from.Name, "shown": g.Name}, Effect: float64(b.sum[s.at[g.ID]]), Trait: columns[0]}}, nil
}

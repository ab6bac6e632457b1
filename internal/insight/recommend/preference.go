package recommend

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	stat "github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// PreferenceKey is the key of the model of habits.
const PreferenceKey = "preference"

// PreferenceFamily is where its traits are.
const PreferenceFamily = "m_preference"

// preferenceColumns are its traits, which are the columns of its family.
var preferenceColumns = [...]string{"regular_products", "lapsed_products", "occasional_products", "regular_share", "regular_product", "preferred_style", "price_low", "price_median", "price_high",
	"price_band", "preferred_weekday", "preferred_daypart", "replenish_product", "replenish_on", "replenish_from", "replenish_to"}

// PreferenceColumns are the traits of the model of habits.
func PreferenceColumns() []string { return slices.Clone(preferenceColumns[:]) }

// Preferences is the model of habits. It is safe for concurrent use.
type Preferences struct {
	facts  Facts
	scores Scores
	zone   func() *time.Location
}

var _ predict.Model = (*Preferences)(nil)

// NewPreferences makes the model of habits.
func NewPreferences(f Facts, s Scores, zone func() *time.Location) *Preferences {
	return &Preferences{f, s, zone}
}

func number(v float64) json.RawMessage { return json.RawMessage(fmt.Sprint(v)) }

func ptr(v float64) *float64 { return &v }

func numberOption(key, unit string, value, low, high float64) predict.Option {
	return predict.Option{Key: key, Kind: predict.Number, Default: number(value), Min: ptr(low), Max: ptr(high), Unit: unit}
}

// About implements predict.Model.
func (*Preferences) About() predict.About {
	h := DefaultHabit()
	return predict.About{Key: PreferenceKey, Page: "/recommend", Traits: PreferenceColumns(), Family: PreferenceFamily, Refit: predict.Weekly, Measure: "interval_coverage", Options: []predict.Option{
		numberOption("regular_days", "day", float64(h.Days), 2, 50), numberOption("period_days", "day", float64(h.Period), 7, 366),
		numberOption("periods", "", float64(h.Periods), 1, 24), numberOption("in_periods", "", float64(h.In), 1, 24),
	}}
}

// readOptions reads what is set over defaults, and holds it against the bounds of a model's options.
func readOptions(about predict.About, raw json.RawMessage, into any) error {
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, into); err != nil {
			return fault.InvalidField("recommend.bad_option", "options", nil)
		}
	}
	text, err := json.Marshal(into)
	if err != nil {
		return err
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		return err
	}
	for _, o := range about.Options {
		v, ok := got[o.Key].(float64)
		if o.Kind == predict.Number && (!ok || v < *o.Min || v > *o.Max) {
			return fault.InvalidField("recommend.bad_option", o.Key, fault.Params{"min": *o.Min, "max": *o.Max})
		}
	}
	return nil
}

func (m *Preferences) habit(raw json.RawMessage) (Habit, error) {
	h := DefaultHabit()
	if err := readOptions(m.About(), raw, &h); err != nil {
		return h, err
	}
	if h.In > h.Periods {
		return h, fault.InvalidField("recommend.bad_option", "in_periods", fault.Params{"min": 1, "max": h.Periods})
	}
	return h, nil
}

// habitState is what the model of habits has learned.
type habitState struct {
	Habit  Habit       `json:"habit"`
	Rhythm stat.Rhythm `json:"rhythm"`
	Known  bool        `json:"known"` // whether there is a rhythm
	Bands  Bands       `json:"bands"`
	Until  clock.Day   `json:"until"`
}

// Bounds of what a fit keeps in memory.
const (
	pricesPerCategory = 2000
	categoriesMost    = 5000
	casesMost         = 20_000
)

// reservoir keeps an even sample of what passes by.
type reservoir[T any] struct {
	list []T
	seen int64
}

func (r *reservoir[T]) add(v T, most int, random *rand.Rand) {
	r.seen++
	if len(r.list) < most {
		r.list = append(r.list, v)
	} else if at := random.Int64N(r.seen); at < int64(most) {
		r.list[at] = v
	}
}

// gapCase is the last gap of a pair of customer and product, which is not learned from, with those before it.
type gapCase struct {
	known []int64
	next  int64
}

// habitFit is a fit of the model of habits.
type habitFit struct {
	goods  map[int64]*Good
	random *rand.Rand
	gaps   stat.Gaps // all
	early  stat.Gaps // all but the last of each pair
	cases  reservoir[gapCase]
	prices map[string]*reservoir[int64]
	lines  int64
	from   clock.Day
	until  clock.Day
	learn  clock.Day // what comes after it is only measured on
	held   bool
}

// add takes one customer's deeds.
func (f *habitFit) add(deeds []Deed) {
	days := map[int64][]clock.Day{}
	var order []int64
	for i := range deeds {
		d := &deeds[i]
		if f.from == 0 || d.Day < f.from {
			f.from = d.Day
		}
		if d.Day <= f.learn {
			f.until = max(f.until, d.Day)
		}
		if d.Product == 0 {
			continue
		}
		if d.Day <= f.learn {
			f.lines++
		}
		list := days[d.Product]
		if list == nil {
			order = append(order, d.Product)
		}
		if len(list) == 0 || list[len(list)-1] != d.Day {
			days[d.Product] = append(list, d.Day)
		}
		if g := f.goods[d.Product]; g != nil && g.Category != "" && d.Quantity > 0 && d.Day <= f.learn {
			r := f.prices[g.Category]
			if r == nil && len(f.prices) < categoriesMost {
				r = &reservoir[int64]{}
				f.prices[g.Category] = r
			}
			if r != nil {
				r.add(d.Amount*1000/d.Quantity, pricesPerCategory, f.random)
			}
		}
	}
	for _, p := range order {
		own := gaps(days[p])
		known := max(len(own)-1, 0) // the last gap is not learned from when the model is measured
		if f.held {
			known = sort.Search(len(own), func(i int) bool { return days[p][i+1] > f.learn })
			f.gaps.Add(own[:known])
		} else {
			f.gaps.Add(own)
		}
		switch {
		case known >= fewGaps && known < len(own):
			f.cases.add(gapCase{own[:known], own[known]}, casesMost, f.random)
			f.early.Add(own[:known])
		case f.held:
			f.early.Add(own[:known])
		default:
			f.early.Add(own)
		}
	}
}

// bands are the cuts of thirds of each category that sold enough pieces.
func (f *habitFit) bands() Bands {
	const few = 30
	out := Bands{}
	for c, r := range f.prices {
		if len(r.list) >= few {
			slices.Sort(r.list)
			out[c] = [2]int64{r.list[len(r.list)/3], r.list[len(r.list)*2/3]}
		}
	}
	return out
}

// Fit implements predict.Model: the rhythm of purchases of the same product, and what pieces cost in each category.
func (m *Preferences) Fit(ctx context.Context, r predict.Request) (predict.Fitted, error) {
	h, err := m.habit(r.Options)
	if err != nil {
		return predict.Fitted{}, err
	}
	goods, err := goodsByID(ctx, m.facts)
	if err != nil {
		return predict.Fitted{}, err
	}
	f := &habitFit{goods: goods, random: rand.New(rand.NewPCG(r.Seed, 1)), prices: map[string]*reservoir[int64]{}, learn: r.Until, held: r.HeldUntil > r.Until} //nolint:gosec // a sample that can be repeated
	err = byCustomer(ctx, m.facts, Sample{Until: max(r.Until, r.HeldUntil)}, func(_ int64, deeds []Deed) error {
		f.add(deeds)
		return nil
	})
	if err != nil {
		return predict.Fitted{}, err
	}
	s := habitState{Habit: h, Bands: f.bands(), Until: r.Until}
	s.Rhythm, s.Known = f.gaps.Rhythm()
	raw, err := json.Marshal(s)
	return predict.Fitted{State: raw, Card: f.card(&s)}, err
}

func (f *habitFit) card(s *habitState) predict.Card {
	c := predict.Card{From: f.from, Until: f.until, Rows: f.lines}
	if f.lines == 0 {
		c.Notes = append(c.Notes, predict.Note{Key: "no_lines", Level: predict.Warning})
		return c
	}
	c.Parameters = []predict.Parameter{{Key: "pairs", Value: float64(s.Rhythm.Pairs)}, {Key: "gaps", Value: float64(s.Rhythm.Gaps)}, {Key: "categories", Value: float64(len(s.Bands))}}
	if !s.Known {
		c.Notes = append(c.Notes, predict.Note{Key: "few_gaps", Level: predict.Warning, Params: map[string]any{"count": s.Rhythm.Gaps, "least": stat.Few}})
		return c
	}
	c.Parameters = append(c.Parameters, predict.Parameter{Key: "typical_gap", Value: math.Exp(s.Rhythm.Mean)}, predict.Parameter{Key: "between", Value: math.Sqrt(s.Rhythm.Between)},
		predict.Parameter{Key: "within", Value: math.Sqrt(s.Rhythm.Within)})
	early, ok := f.early.Rhythm()
	if !ok || len(f.cases.list) < stat.Few {
		c.Notes = append(c.Notes, predict.Note{Key: "few_cases", Level: predict.Info, Params: map[string]any{"count": len(f.cases.list)}})
		return c
	}
	inside, off, plain := 0, 0.0, 0.0
	for _, k := range f.cases.list {
		e := early.Next(k.known, 0)
		days, next := e.Days, float64(max(k.next, 1))
		if next >= math.Floor(e.Low) && next <= math.Ceil(e.High) {
			inside++
		}
		off += math.Abs(math.Log(next / days))
		plain += math.Abs(math.Log(next / math.Max(1, mean(k.known))))
	}
	n := len(f.cases.list)
	low, high := stat.Wilson(inside, n)
	peer := math.Exp(plain/float64(n)) - 1
	c.Measures = []predict.Measure{
		{Key: "interval_coverage", Value: float64(inside) / float64(n), Low: &low, High: &high, Share: true},
		{Key: "gap_error", Value: math.Exp(off/float64(n)) - 1, Peer: &peer, PeerIs: "own_mean_gap", Better: predict.Lower, Share: true},
		{Key: "cases", Value: float64(n)},
	}
	c.Notes = append(c.Notes, predict.Note{Key: "seen_gaps", Level: predict.Info})
	return c
}

func mean(list []int64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += float64(v)
	}
	return sum / float64(max(len(list), 1))
}

// knowledge is what preferences are worked out with on a day.
func (s *habitState) knowledge(goods map[int64]*Good, zone *time.Location, today clock.Day) *knowledge {
	return &knowledge{habit: s.Habit, rhythm: s.Rhythm, known: s.Known, bands: s.Bands, goods: goods, zone: zone, today: today}
}

// Score implements predict.Model: the traits of everybody who has bought something.
func (m *Preferences) Score(ctx context.Context, r predict.ScoreRequest) (int64, error) {
	var s habitState
	if err := json.Unmarshal(r.State, &s); err != nil {
		return 0, fmt.Errorf("state of %s: %w", PreferenceKey, err)
	}
	goods, err := goodsByID(ctx, m.facts)
	if err != nil {
		return 0, err
	}
	k := s.knowledge(goods, m.zone(), r.Until)
	out := predict.NewSheet(len(preferenceColumns))
	row := make([]any, len(preferenceColumns))
	err = byCustomer(ctx, m.facts, Sample{Until: r.Until}, func(customer int64, deeds []Deed) error {
		k.write(row, k.prefer(deeds))
		out.Add(customer, row)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return m.scores.ReplaceFamily(ctx, PreferenceFamily, PreferenceColumns(), r.AtMilli, r.Mark, out.Rows)
}

// write puts the traits of a preference into a row.
func (k *knowledge) write(row []any, p *Preference) {
	clear(row)
	regular, pieces := p.count(Regular)
	lapsed, _ := p.count(Lapsed)
	occasional, _ := p.count(Occasional)
	all := int64(0)
	for i := range p.Products {
		all += p.Products[i].Quantity
	}
	row[0], row[1], row[2] = int64(regular), int64(lapsed), int64(occasional)
	if all > 0 {
		row[3] = int64(math.Round(float64(pieces) / float64(all) * 10_000))
	}
	for i := range p.Products {
		if p.Products[i].Standing == Regular {
			row[4] = k.name(p.Products[i].Product)
			break
		}
	}
	if len(p.Styles) > 0 && p.Styles[0].N >= 2 {
		row[5] = p.Styles[0].Key
	}
	if p.Price != nil {
		row[6], row[7], row[8] = p.Price.Low, p.Price.Median, p.Price.High
		if p.Price.Band != "" {
			row[9] = string(p.Price.Band)
		}
	}
	if p.Weekday >= 0 {
		row[10] = Weekdays()[p.Weekday]
	}
	if p.Daypart >= 0 {
		row[11] = Dayparts()[p.Daypart]
	}
	if b := p.Next(); b != nil {
		row[12], row[13], row[14], row[15] = k.name(b.Product), int64(b.Due.On), int64(b.Due.From), int64(b.Due.To)
	}
}

// name is of a live product, nothing for one that is gone.
func (k *knowledge) name(product int64) any {
	if g := k.goods[product]; g != nil {
		return g.Name
	}
	return nil
}

// Explain implements predict.Model.
func (m *Preferences) Explain(ctx context.Context, state json.RawMessage, customer int64) ([]predict.Reason, error) {
	return predict.Explain(ctx, m, state, customer)
}

// Open implements predict.Opener.
func (m *Preferences) Open(state json.RawMessage) (predict.Explainer, error) {
	s := &habitState{}
	if err := json.Unmarshal(state, s); err != nil {
		return nil, fmt.Errorf("state of %s: %w", PreferenceKey, err)
	}
	return func(ctx context.Context, customer int64) ([]predict.Reason, error) { return m.why(ctx, s, customer) }, nil
}

func (m *Preferences) why(ctx context.Context, s *habitState, customer int64) ([]predict.Reason, error) {
	p, k, err := m.of(ctx, s, customer, s.Until)
	if err != nil || len(p.Products) == 0 {
		return nil, err
	}
	var out []predict.Reason
	for i := range p.Products {
		if b := &p.Products[i]; b.Standing == Regular && len(out) < 3 && k.goods[b.Product] != nil {
			out = append(out, predict.Reason{Key: "regular", Params: map[string]any{"product": k.goods[b.Product].Name, "days": b.Days, "periods": b.In}, Effect: float64(b.Days), Trait: "regular_products"})
		}
	}
	if b := p.Next(); b != nil && k.goods[b.Product] != nil {
		out = append(out, predict.Reason{Key: "due", Params: map[string]any{"product": k.goods[b.Product].Name, "on": b.Due.On.String(), "from": b.Due.From.String(), "to": b.Due.To.String(), "gaps": b.Due.Gaps},
			Effect: float64(b.Due.Gaps), Trait: "replenish_on"})
	}
	slices.SortStableFunc(out, func(a, b predict.Reason) int { return cmp.Compare(b.Effect, a.Effect) })
	return out, nil
}

func (m *Preferences) of(ctx context.Context, s *habitState, customer int64, today clock.Day) (*Preference, *knowledge, error) {
	past, err := m.facts.Past(ctx, customer, today)
	if err != nil {
		return nil, nil, err
	}
	goods, err := goodsByID(ctx, m.facts)
	if err != nil {
		return nil, nil, err
	}
	k := s.knowledge(goods, m.zone(), today)
	return k.prefer(past.Deeds), k, nil
}

func goodsByID(ctx context.Context, f Facts) (map[int64]*Good, error) {
	list, err := f.Goods(ctx)
	if err != nil {
		return nil, err
	}
	return byID(list), nil
}

func byID(list []Good) map[int64]*Good {
	out := make(map[int64]*Good, len(list))
	for i := range list {
		out[list[i].ID] = &list[i]
	}
	return out
}

// byCustomer gives the deeds of one customer after the other; the slice is used again.
func byCustomer(ctx context.Context, f Facts, s Sample, take func(customer int64, deeds []Deed) error) error {
	var deeds []Deed
	err := f.Deeds(ctx, s, func(d Deed) error {
		if len(deeds) > 0 && deeds[0].Customer != d.Customer {
			if err := take(deeds[0].Customer, deeds); err != nil {
				return err
			}
			deeds = deeds[:0]
		}
		deeds = append(deeds, d)
		return nil
	})
	if err == nil && len(deeds) > 0 {
		err = take(deeds[0].Customer, deeds)
	}
	return err
}

// seedOf spreads ids evenly, the same way each time.
func seedOf(id int64) uint64 {
	h := fnv.New64a()
	var b [8]byte
	for i := range b {
		b[i] = byte(id >> (8 * i))
	}
	h.Write(b[:])
	return h.Sum64()
}

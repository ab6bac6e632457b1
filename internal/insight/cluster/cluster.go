// Package cluster is the model that finds groups of customers by itself (自动聚类): k-means on chosen traits of those who purchased, how many groups
// by how well they keep apart and whether they come again on other samples, and a profile of each in figures that words are made of.
//
// A trait that is never below 0 and lies mostly at the small end (money, counts, days) is taken by its logarithm; then all are made
// comparable by their deviation. A customer without a value counts as the mean one. Groups are learned from at most fifty thousand customers, drawn by
// their number, and everyone goes to the nearest; numbers of groups do not change while what they stand for stays (see stat/cluster).
package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/stat/cluster"
)

// Key is that of the model, Family where it writes, Trait the group of a customer ("c1" …), Sure how plainly he belongs to it.
const (
	Key    = "cluster"
	Family = "m_cluster"
	Trait  = "cluster"
	Sure   = "cluster_sure"
)

// Limits.
const (
	MostGroups = 12
	mostTraits = 12
	learned    = 50_000
	least      = 40 // customers to learn from
	skewed     = 1.0
)

// Column is a trait that can be grouped by: a number or money, and where its values stand.
type Column struct {
	Key    string
	Table  string
	Column string
	Type   schema.Type
	Scale  int
}

// Store reads traits and keeps groups.
type Store interface {
	// Read gives the values of those who purchased, in the order of their numbers; NaN is none. Values are reused. An id other than 0 asks for
	// one customer.
	Read(ctx context.Context, columns []Column, customer int64, row func(customer int64, values []float64)) error
	// Write has groups take the place of those that are there.
	Write(ctx context.Context, at int64, mark string, rows func(yield func(customer int64, label string, sure int64) bool)) (int64, error)
	// Sizes counts customers by group.
	Sizes(ctx context.Context) (map[string]int64, error)
}

// Config is what a model is made of.
type Config struct {
	Store Store
	// Columns finds traits by their keys; those that are no numbers are an Invalid fault.
	Columns func(keys []string) ([]Column, error)
}

// Model is the model. It is safe for concurrent use.
type Model struct{ c Config }

var _ predict.Model = (*Model)(nil)

// New makes a Model.
func New(c Config) *Model { return &Model{c} }

// Standard are the traits that are grouped by unless the workspace says otherwise.
func Standard() []string {
	return []string{"days_since_last", "orders", "average_basket", "discount_share", "online_share"}
}

func number(v float64) *float64 { return &v }

func text(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a constant
	}
	return b
}

// About implements predict.Model.
func (m *Model) About() predict.About {
	return predict.About{Key: Key, Page: "/clusters", Traits: []string{Trait, Sure}, Family: Family, Refit: predict.Monthly, Measure: "stability",
		Options: []predict.Option{
			{Key: "traits", Kind: predict.Traits, Default: text(Standard())},
			{Key: "groups", Kind: predict.Number, Default: text(0), Min: number(0), Max: number(MostGroups)},
		}}
}

// Group is one group as it was learned.
type Group struct {
	Share float64   `json:"share"` // of those learned from
	Means []float64 `json:"means"` // of the traits as they are stored
	Apart []float64 `json:"apart"` // of the centre from the mean customer, in deviations
}

// State is what a fit found out. No person stands in it.
type State struct {
	Traits    []string        `json:"traits"`
	Scales    []cluster.Scale `json:"scales"`
	Centres   [][]float64     `json:"centres"`
	Groups    []Group         `json:"groups"`
	Means     []float64       `json:"means"` // of everyone
	Trials    []cluster.Trial `json:"trials"`
	Suggested int             `json:"suggested"`
}

type options struct {
	Traits []string
	Groups int
}

func read(raw json.RawMessage) (o options, err error) {
	var given struct {
		Traits *[]string `json:"traits"`
		Groups *float64  `json:"groups"`
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &given); err != nil {
			return o, fault.InvalidField("model.bad_option", "traits", fault.Params{"option": "traits"})
		}
	}
	o.Traits = Standard()
	if given.Traits != nil && len(*given.Traits) > 0 {
		o.Traits = *given.Traits
	}
	if given.Groups != nil {
		o.Groups = int(*given.Groups)
	}
	if o.Groups < 0 || o.Groups == 1 || o.Groups > MostGroups {
		return o, fault.InvalidField("model.bad_option", "groups", fault.Params{"option": "groups"})
	}
	if len(o.Traits) > mostTraits || slices.Contains(o.Traits, Trait) || slices.Contains(o.Traits, Sure) {
		return o, fault.InvalidField("model.bad_option", "traits", fault.Params{"option": "traits"})
	}
	return o, nil
}

// Fit implements predict.Model.
func (m *Model) Fit(ctx context.Context, r predict.Request) (predict.Fitted, error) {
	o, err := read(r.Options)
	if err != nil {
		return predict.Fitted{}, err
	}
	columns, err := m.c.Columns(o.Traits)
	if err != nil {
		return predict.Fitted{}, err
	}
	done := func(v float64) {
		if r.Progress != nil {
			r.Progress(v)
		}
	}
	raw, total, err := m.sample(ctx, columns)
	if err != nil {
		return predict.Fitted{}, err
	}
	done(0.3)
	card := predict.Card{Until: r.Until, Rows: int64(raw.Len())}
	st := State{Traits: o.Traits, Scales: make([]cluster.Scale, len(columns)), Means: make([]float64, len(columns))}
	if raw.Len() < least {
		card.Notes = append(card.Notes, predict.Note{Key: "too_few", Level: predict.Warning, Params: map[string]any{"have": predict.Figure(float64(raw.Len())), "need": predict.Figure(least)}})
		return fitted(st, card)
	}
	points, scales := comparable(raw)
	st.Scales, st.Means = scales, means(raw, nil, 0)
	st.Suggested, st.Trials = cluster.Suggest(points, cluster.SearchOptions{Seed: r.Seed})
	done(0.7)
	k := o.Groups
	if k == 0 {
		k = st.Suggested
	}
	for j, s := range scales {
		if s.SD == 0 {
			card.Notes = append(card.Notes, predict.Note{Key: "constant", Level: predict.Info, Params: map[string]any{"trait": predict.Trait(o.Traits[j])}})
		}
	}
	if k < 2 {
		card.Notes = append(card.Notes, predict.Note{Key: "alike", Level: predict.Warning})
		return fitted(st, card)
	}
	got := cluster.Group(points, cluster.Options{K: k, Seed: r.Seed})
	st.Centres = got.Centres
	for g := range got.Centres {
		st.Groups = append(st.Groups, Group{Share: float64(got.Sizes[g]) / float64(points.Len()), Means: means(raw, got.Labels, g), Apart: got.Centres[g]})
	}
	done(0.9)
	m.card(&card, st, points, got, r.Seed)
	if total > int64(raw.Len()) {
		card.Notes = append(card.Notes, predict.Note{Key: "sampled", Level: predict.Info, Params: map[string]any{"have": predict.Figure(float64(raw.Len())), "all": predict.Figure(float64(total))}})
	}
	return fitted(st, card)
}

func fitted(st State, card predict.Card) (predict.Fitted, error) {
	raw, err := json.Marshal(st)
	return predict.Fitted{State: raw, Card: card}, err
}

// sample reads those who are learned from: everyone, or those whose number draws a small lot.
func (m *Model) sample(ctx context.Context, columns []Column) (cluster.Points, int64, error) {
	all := cluster.Points{D: len(columns)}
	var total int64
	shift := 0 // each step keeps half of those before
	lots := []uint64{}
	err := m.c.Store.Read(ctx, columns, 0, func(customer int64, values []float64) {
		total++
		lot := mix(uint64(customer))
		if lot<<(64-shift) != 0 && shift > 0 {
			return
		}
		all.X = append(all.X, values...)
		lots = append(lots, lot)
		if len(lots) > learned {
			shift++
			kept := 0
			for i, l := range lots {
				if l<<(64-shift) == 0 {
					copy(all.X[kept*all.D:], all.X[i*all.D:(i+1)*all.D])
					lots[kept] = l
					kept++
				}
			}
			lots, all.X = lots[:kept], all.X[:kept*all.D]
		}
	})
	return all, total, err
}

// mix spreads numbers (SplitMix64).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// comparable makes a copy in which columns can be compared and nothing is missing.
func comparable(raw cluster.Points) (cluster.Points, []cluster.Scale) {
	p := cluster.Points{D: raw.D, X: slices.Clone(raw.X)}
	logs := make([]bool, p.D)
	for j := range p.D {
		logs[j] = skew(raw, j)
	}
	for j := range p.D { // what is missing is the mean on the scale that counts
		var sum float64
		n := 0
		for i := range p.Len() {
			if v := raw.X[i*p.D+j]; !math.IsNaN(v) {
				if logs[j] {
					v = math.Log1p(v)
				}
				sum += v
				n++
			}
		}
		mean := sum / float64(max(n, 1))
		if logs[j] {
			mean = math.Expm1(mean)
		}
		for i := range p.Len() {
			if math.IsNaN(p.X[i*p.D+j]) {
				p.X[i*p.D+j] = mean
			}
		}
	}
	scales := cluster.Standardise(p, logs)
	return p, scales
}

// skew reports values that are never below 0 and lie mostly at the small end.
func skew(p cluster.Points, j int) bool {
	var n, mean float64
	for i := range p.Len() {
		v := p.X[i*p.D+j]
		if v < 0 {
			return false
		}
		if !math.IsNaN(v) {
			n++
			mean += v
		}
	}
	if n < 2 {
		return false
	}
	mean /= n
	var m2, m3 float64
	for i := range p.Len() {
		if d := p.X[i*p.D+j] - mean; !math.IsNaN(d) {
			m2 += d * d
			m3 += d * d * d
		}
	}
	m2, m3 = m2/n, m3/n
	return m2 > 0 && m3/math.Pow(m2, 1.5) > skewed
}

// means are those of the rows of a group, or of all when labels is nil.
func means(raw cluster.Points, labels []int, group int) []float64 {
	sums, counts := make([]float64, raw.D), make([]float64, raw.D)
	for i := range raw.Len() {
		if labels != nil && labels[i] != group {
			continue
		}
		for j, v := range raw.Row(i) {
			if !math.IsNaN(v) {
				sums[j] += v
				counts[j]++
			}
		}
	}
	for j := range sums {
		sums[j] /= math.Max(counts[j], 1)
	}
	return sums
}

// card says what was found and how good it is.
func (m *Model) card(card *predict.Card, st State, points cluster.Points, got cluster.Result, seed uint64) {
	k := len(got.Centres)
	n := float64(points.Len())
	whole := 0.0
	for _, s := range st.Scales {
		if s.SD > 0 {
			whole += n
		}
	}
	card.Parameters = []predict.Parameter{{Key: "groups", Value: float64(k)}, {Key: "suggested", Value: float64(st.Suggested)}, {Key: "inertia", Value: got.Inertia}}
	card.Measures = []predict.Measure{}
	for _, t := range st.Trials {
		if t.K == k {
			card.Measures = append(card.Measures, predict.Measure{Key: "stability", Value: t.Stability, Better: predict.Higher})
		}
	}
	card.Measures = append(card.Measures, predict.Measure{Key: "silhouette", Value: cluster.Silhouette(points, got.Labels, k, 4000, seed), Better: predict.Higher})
	if whole > 0 {
		card.Measures = append(card.Measures, predict.Measure{Key: "explained", Value: math.Max(0, 1-got.Inertia/whole), Better: predict.Higher, Share: true})
	}
	sizes := predict.Chart{Key: "sizes", Kind: predict.Bars, Series: []predict.Series{{Key: "share"}}}
	for g := range st.Groups {
		sizes.X = append(sizes.X, strconv.Itoa(g+1))
		sizes.Series[0].Values = append(sizes.Series[0].Values, predict.Finite(st.Groups[g].Share))
	}
	trials := predict.Chart{Key: "trials", Kind: predict.Lines, Series: []predict.Series{{Key: "silhouette"}, {Key: "stability"}}}
	for _, t := range st.Trials {
		trials.X = append(trials.X, strconv.Itoa(t.K))
		trials.Series[0].Values = append(trials.Series[0].Values, predict.Finite(t.Silhouette))
		trials.Series[1].Values = append(trials.Series[1].Values, predict.Finite(t.Stability))
	}
	card.Charts = []predict.Chart{trials, sizes}
	weights := make([]float64, points.D)
	sum := 0.0
	for j := range weights {
		for g, c := range got.Centres {
			weights[j] += float64(got.Sizes[g]) * c[j] * c[j]
		}
		sum += weights[j]
	}
	for j, key := range st.Traits {
		if sum > 0 {
			card.Inputs = append(card.Inputs, predict.Input{Key: key, Weight: weights[j] / sum})
		}
	}
	slices.SortStableFunc(card.Inputs, func(a, b predict.Input) int { return cmp.Compare(b.Weight, a.Weight) })
	for _, t := range st.Trials {
		if t.K == k && t.Stability < 0.7 {
			card.Notes = append(card.Notes, predict.Note{Key: "unstable", Level: predict.Warning})
		}
	}
}

// Label is the value of the trait for a group from 0.
func Label(group int) string { return "c" + strconv.Itoa(group+1) }

// place finds the group of a customer: which, and how plainly, from 0 (on the border) to 1.
func (st State) place(values []float64) (group int, sure float64, row []float64) {
	row = make([]float64, len(values))
	for j, v := range values {
		if !math.IsNaN(v) {
			row[j] = st.Scales[j].Apply(v)
		}
	}
	group, near := cluster.Nearest(row, st.Centres)
	next := math.Inf(1)
	for g, c := range st.Centres {
		if g != group {
			_, d := cluster.Nearest(row, [][]float64{c})
			next = math.Min(next, d)
		}
	}
	if math.IsInf(next, 1) || next <= 0 {
		return group, 0, row
	}
	return group, 1 - math.Sqrt(near/next), row
}

// Score implements predict.Model.
func (m *Model) Score(ctx context.Context, r predict.ScoreRequest) (int64, error) {
	st, columns, err := m.state(r.State)
	if err != nil {
		return 0, err
	}
	type one struct {
		customer int64
		group    int16
		sure     int16
	}
	var rows []one
	if len(st.Centres) > 0 {
		err = m.c.Store.Read(ctx, columns, 0, func(customer int64, values []float64) {
			group, sure, _ := st.place(values)
			rows = append(rows, one{customer, int16(group), int16(math.Round(sure * 10_000))})
		})
		if err != nil {
			return 0, err
		}
	}
	return m.c.Store.Write(ctx, r.AtMilli, r.Mark, func(yield func(int64, string, int64) bool) {
		for _, v := range rows {
			if !yield(v.customer, Label(int(v.group)), int64(v.sure)) {
				return
			}
		}
	})
}

func (m *Model) state(raw json.RawMessage) (st State, columns []Column, err error) {
	if err := json.Unmarshal(raw, &st); err != nil {
		return st, nil, fmt.Errorf("state of the groups: %w", err)
	}
	columns, err = m.c.Columns(st.Traits)
	return st, columns, err
}

// Explain implements predict.Model: what makes a customer nearer to his group than to the next one.
func (m *Model) Explain(ctx context.Context, raw json.RawMessage, customer int64) ([]predict.Reason, error) {
	st, columns, err := m.state(raw)
	if err != nil || len(st.Centres) == 0 {
		return nil, err
	}
	var out []predict.Reason
	err = m.c.Store.Read(ctx, columns, customer, func(_ int64, values []float64) {
		group, _, row := st.place(values)
		for j, key := range st.Traits {
			if math.IsNaN(values[j]) {
				continue
			}
			effect := 0.0
			for g, c := range st.Centres { // against the mean of the others
				if g != group {
					a, b := row[j]-c[j], row[j]-st.Centres[group][j]
					effect += (a*a - b*b) / float64(len(st.Centres)-1)
				}
			}
			word := "near"
			if effect < 0 {
				word = "far"
			}
			out = append(out, predict.Reason{Key: word, Effect: effect, Trait: key, Params: map[string]any{"trait": predict.Trait(key),
				"value": amount(columns[j], values[j]), "mean": amount(columns[j], st.Groups[group].Means[j]), "all": amount(columns[j], st.Means[j])}})
		}
	})
	slices.SortStableFunc(out, func(a, b predict.Reason) int { return cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect)) })
	return out, err
}

// amount is a value as it is printed.
func amount(c Column, v float64) predict.Amount {
	switch {
	case c.Type == schema.Money:
		return predict.Money(int64(math.Round(v)))
	case c.Scale == 4: // shares have four decimals
		return predict.Share(v / 10_000)
	}
	return predict.Figure(v / math.Pow10(c.Scale))
}

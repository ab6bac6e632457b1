// Package churn says who is leaving: what counts as lost in a company, each customer's own rhythm of buying, how probable it is that somebody who
// is still a customer will be lost, and why.
//
// Definition. A customer with purchases is lost on a day when his latest purchase is longer ago than his limit: so many times his own rhythm,
// within bounds (Rhythm), or the same number of days for everyone (Days). His rhythm is the median of the days between his purchase days; of
// somebody with one such gap the mean of it and everybody's median, of somebody with none everybody's.
//
// Learning. A case is a customer who is not lost on a cut day; its inputs are facts of that day and before, its label is whether he bought
// nothing for as many days as his limit, after some days that count for neither. Cases of earlier cut days teach; the labels of these end
// before the last cut day begins, on which everything is measured. Where the history is too short for that, cut days overlap and other customers
// are measured on than were learned from, which the card says.
//
// The package has no SQL: Facts does.
package churn

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/stat/classify"
)

// Key is the model's.
const Key = "churn"

// Family is the trait family of the scores.
const Family = "m_churn"

// The columns of the family, which are the keys of the traits as well.
const (
	TraitRisk     = "churn_risk"             // ten-thousandths; absent for who is lost
	TraitBand     = "churn_band"             // high, medium, low or lost
	TraitInterval = "expected_interval_days" // hundredths
	TraitDue      = "next_due_day"
	TraitOverdue  = "overdue_ratio" // hundredths: days since the latest purchase by the rhythm
	TraitLimit    = "lost_after_days"
	TraitDriver   = "churn_driver" // what raises a high or medium risk most: one of the inputs
)

// Numbers are the columns that hold integers, in order; those of Words come after them.
func Numbers() []string {
	return []string{TraitRisk, TraitInterval, TraitDue, TraitOverdue, TraitLimit}
}

// Words are the columns that hold texts, in order.
func Words() []string { return []string{TraitBand, TraitDriver} }

// Columns of the family in order.
func Columns() []string { return append(Numbers(), Words()...) }

// The bands.
const (
	High   = "high"
	Medium = "medium"
	Low    = "low"
	Lost   = "lost"
)

// Kind is what happened.
type Kind uint8

// The kinds of facts.
const (
	Purchase Kind = iota
	Refund
	Behaviour
)

// Fact is what a customer did on a day. Amounts are minor units of the base currency.
type Fact struct {
	Day              clock.Day
	Kind             Kind
	Count            int32
	Amount, Discount int64
}

// Facts answers from the analytics plane and writes scores there; store/analytics implements it.
type Facts interface {
	// Histories gives what customers who are still there did up to a day, one customer after the other by id, each by day. The slice is only good
	// until yield returns. customer narrows it to one, 0 is everyone.
	Histories(ctx context.Context, until clock.Day, customer int64, yield func(customer int64, h []Fact) error) error
	// Replace has rows, a value for each of Columns, take the place of all scores.
	Replace(ctx context.Context, rows predict.Rows, at int64, mark string) (int64, error)
}

// Model is the model of churn.
type Model struct {
	facts  Facts
	anchor func(context.Context) (clock.Day, error)
}

var _ predict.Model = (*Model)(nil)

// New makes the model; anchor is the day of analysis.
func New(f Facts, anchor func(context.Context) (clock.Day, error)) *Model { return &Model{f, anchor} }

func number(key, value string, least, most float64, unit string) predict.Option {
	return predict.Option{Key: key, Kind: predict.Number, Default: json.RawMessage(value), Min: &least, Max: &most, Unit: unit}
}

// About implements predict.Model.
func (m *Model) About() predict.About {
	choice := func(key string, choices ...string) predict.Option {
		return predict.Option{Key: key, Kind: predict.Choice, Default: json.RawMessage(`"` + choices[0] + `"`), Choices: choices}
	}
	return predict.About{Key: Key, Page: "/churn", Traits: Columns(), Family: Family, Refit: predict.Weekly, Measure: "auc", Options: []predict.Option{
		choice("definition", string(Rhythm), string(Days)),
		number("factor", "3", 1, 20, ""),
		number("least", "30", 1, 730, "day"),
		number("most", "180", 7, 730, "day"),
		number("days", "180", 7, 730, "day"),
		number("gap", "0", 0, 90, "day"),
		choice("learner", "better", "logistic", "trees"),
		number("high", "70", 1, 99, "percent"),
		number("medium", "40", 1, 99, "percent"),
	}}
}

// Mode is how somebody counts as lost.
type Mode string

// The modes.
const (
	Rhythm Mode = "rhythm"
	Days   Mode = "days"
)

// Options are those of About with their values.
type Options struct {
	Definition Mode    `json:"definition"`
	Factor     float64 `json:"factor"`
	Least      float64 `json:"least"`
	Most       float64 `json:"most"`
	Days       float64 `json:"days"`
	Gap        float64 `json:"gap"`
	Learner    string  `json:"learner"`
	High       float64 `json:"high"`
	Medium     float64 `json:"medium"`
}

// Read takes what is set; the rest has its default.
func (m *Model) Read(given json.RawMessage) (Options, error) {
	var o Options
	for _, d := range m.About().Options {
		if err := json.Unmarshal([]byte(`{"`+d.Key+`":`+string(d.Default)+`}`), &o); err != nil {
			return o, err
		}
	}
	if len(given) > 0 {
		if err := json.Unmarshal(given, &o); err != nil {
			return o, err
		}
	}
	o.Most = max(o.Most, o.Least)
	o.Medium = min(o.Medium, o.High)
	return o, nil
}

// Limit is how many days without a purchase make somebody with a rhythm lost.
func (o Options) Limit(rhythm float64) int {
	if o.Definition == Days {
		return int(o.Days)
	}
	return int(math.Round(min(o.Most, max(o.Least, o.Factor*rhythm))))
}

// longest is the longest limit anybody can have.
func (o Options) longest() int {
	if o.Definition == Days {
		return int(o.Days)
	}
	return int(o.Most)
}

func (o Options) band(risk float64) string {
	switch {
	case risk*100 >= o.High:
		return High
	case risk*100 >= o.Medium:
		return Medium
	}
	return Low
}

// usual is the interval that stands in where nobody bought twice.
const usual = 90

// gaps counts the days between purchase days.
type gaps map[int]int

func (g gaps) add(h []Fact) {
	last := clock.Day(0)
	for _, f := range h {
		if f.Kind != Purchase {
			continue
		}
		if last != 0 && f.Day > last {
			g[int(f.Day-last)]++
		}
		last = f.Day
	}
}

// median is that of all gaps, or usual.
func (g gaps) median() float64 {
	days := make([]int, 0, len(g))
	n := 0
	for d, c := range g {
		days = append(days, d)
		n += c
	}
	if n == 0 {
		return usual
	}
	slices.Sort(days)
	seen := 0
	for _, d := range days {
		if seen += g[d]; 2*seen >= n {
			return float64(d)
		}
	}
	return usual
}

func median(list []int) float64 {
	slices.Sort(list)
	n := len(list)
	if n%2 == 1 {
		return float64(list[n/2])
	}
	return float64(list[n/2-1]+list[n/2]) / 2
}

// inputs are what the model looks at, in order.
var inputs = [...]string{
	"recency", "rhythm", "overdue", "purchase_days", "tenure", "orders_90", "orders_365", "regularity", "last_gap", "basket", "basket_change",
	"spend_change", "discount", "refunds", "behaviour_30", "behaviour_90", "silence",
}

const (
	inRecency = iota
	inRhythm
	inOverdue
	inDays
	inTenure
	in90
	in365
	inRegularity
	inLastGap
	inBasket
	inBasketChange
	inSpendChange
	inDiscount
	inRefunds
	inBehaviour30
	inBehaviour90
	inSilence
	inCount
)

// picture is a customer as of a day.
type picture struct {
	raw     [inCount]float64 // in plain units, for words
	row     [inCount]float64 // as the model sees them
	rhythm  float64
	last    clock.Day
	recency int
}

// look draws the picture of a history as of a day, that day included; ok is false without a purchase. typical is everybody's interval.
func look(h []Fact, day clock.Day, typical float64) (p picture, ok bool) {
	var t sums
	for _, f := range h {
		if f.Day > day {
			break
		}
		switch f.Kind {
		case Purchase:
			t.purchase(f, &p, int(day-f.Day))
		case Refund:
			t.refunds += float64(f.Amount)
		case Behaviour:
			t.behaviour(f, &p, int(day-f.Day))
		}
	}
	if t.days == 0 {
		return p, false
	}
	p.rhythm = typical
	lastGap, spread := typical, 0.0
	if n := len(t.between); n > 0 {
		lastGap = float64(t.between[n-1])
		mean := float64(p.last-t.first) / float64(n)
		for _, g := range t.between {
			spread += math.Abs(float64(g)-mean) / mean / float64(n)
		}
		p.rhythm = median(t.between)
		if n == 1 {
			p.rhythm = (p.rhythm + typical) / 2
		}
	}
	p.rhythm = max(1, p.rhythm)
	p.recency = int(day - p.last)
	basket := t.spend / t.orders
	p.raw[inRecency], p.raw[inRhythm], p.raw[inOverdue] = float64(p.recency), p.rhythm, float64(p.recency)/p.rhythm
	p.raw[inDays], p.raw[inTenure] = t.days, float64(day-t.first)
	p.raw[inRegularity], p.raw[inLastGap] = spread, lastGap
	p.raw[inBasket], p.raw[inBasketChange] = basket, t.last/max(1, basket)
	p.raw[inSpendChange] = t.recent - t.older
	p.raw[inDiscount], p.raw[inRefunds] = t.discount/max(1, t.spend+t.discount), min(1, t.refunds/max(1, t.spend))
	p.raw[inSilence] = longSilence
	if t.behaved {
		p.raw[inSilence] = float64(min(longSilence, day-t.seen))
	}
	p.row = p.raw
	for _, i := range []int{inRecency, inRhythm, inOverdue, inDays, inTenure, in90, in365, inLastGap, inBasket, inBasketChange, inBehaviour30, inBehaviour90, inSilence} {
		p.row[i] = math.Log1p(p.raw[i])
	}
	p.row[inSpendChange] = math.Log1p(t.recent) - math.Log1p(t.older)
	return p, true
}

// longSilence is how many days without behaviour count as none ever.
const longSilence = 365

// sums are what a history comes to.
type sums struct {
	between                             []int
	first, seen                         clock.Day
	behaved                             bool
	days, orders, spend, discount, last float64
	recent, older, refunds              float64
}

func (t *sums) purchase(f Fact, p *picture, age int) {
	if t.days == 0 {
		t.first = f.Day
	} else {
		t.between = append(t.between, int(f.Day-p.last))
	}
	p.last = f.Day
	count, amount := float64(max(1, f.Count)), float64(f.Amount)
	t.days++
	t.orders += count
	t.spend += amount
	t.discount += float64(f.Discount)
	t.last = amount / count
	switch {
	case age < 90:
		p.raw[in90] += count
		t.recent += amount
	case age < 180:
		t.older += amount
	}
	if age < 365 {
		p.raw[in365] += count
	}
}

func (t *sums) behaviour(f Fact, p *picture, age int) {
	t.seen, t.behaved = f.Day, true
	if age < 30 {
		p.raw[inBehaviour30] += float64(f.Count)
	}
	if age < 90 {
		p.raw[inBehaviour90] += float64(f.Count)
	}
}

// state is what a fit leaves.
type state struct {
	Options  Options            `json:"options"`
	Typical  float64            `json:"typical"`
	Known    bool               `json:"known"`
	Inputs   []int              `json:"inputs,omitempty"` // of inputs
	Logistic *classify.Logistic `json:"logistic,omitempty"`
	Trees    *classify.Trees    `json:"trees,omitempty"`
	Platt    *classify.Platt    `json:"platt,omitempty"`
	Isotonic *classify.Isotonic `json:"isotonic,omitempty"`
}

func (s *state) model() classify.Model {
	if s.Trees != nil {
		return s.Trees
	}
	return s.Logistic
}

func (s *state) row(p *picture) []float64 {
	out := make([]float64, len(s.Inputs))
	for i, c := range s.Inputs {
		out[i] = p.row[c]
	}
	return out
}

func (s *state) probability(score float64) float64 {
	p := 0.0
	switch {
	case s.Isotonic != nil:
		p = s.Isotonic.Probability(score)
	case s.Platt != nil:
		p = s.Platt.Probability(score)
	default:
		p = classify.Sigmoid(score)
	}
	return min(0.9999, max(0.0001, p)) // nothing is certain
}

// Standing is where a company's customers stand by a definition: Never have not bought.
type Standing struct {
	Active, Lost int64
	Typical      float64 // everybody's rhythm
	Limits       [3]int  // quartiles of the limits
}

// Preview counts by options that are not in use yet.
func (m *Model) Preview(ctx context.Context, given json.RawMessage) (s Standing, err error) {
	o, err := m.Read(given)
	if err != nil {
		return s, err
	}
	until, err := m.anchor(ctx)
	if err != nil {
		return s, err
	}
	all := gaps{}
	type own struct {
		rhythm float64
		gaps   int
		since  int
	}
	var list []own
	err = m.facts.Histories(ctx, until, 0, func(_ int64, h []Fact) error {
		all.add(h)
		if p, ok := look(h, until, 0); ok {
			list = append(list, own{p.rhythm, int(p.raw[inDays]) - 1, p.recency})
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	s.Typical = all.median()
	limits := make([]int, 0, len(list))
	for _, c := range list {
		switch c.gaps {
		case 0:
			c.rhythm = s.Typical
		case 1: // look saw half of it beside a typical interval of 0
			c.rhythm += s.Typical / 2
		}
		limit := o.Limit(c.rhythm)
		limits = append(limits, limit)
		if c.since > limit {
			s.Lost++
		} else {
			s.Active++
		}
	}
	slices.SortFunc(limits, cmp.Compare)
	for i := range s.Limits {
		if len(limits) > 0 {
			s.Limits[i] = limits[(len(limits)-1)*(i+1)/4]
		}
	}
	return s, nil
}

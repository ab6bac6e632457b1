package churn_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/churn"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

const today = clock.Day(20000)

// book is facts in memory.
type book struct {
	list [][]churn.Fact // customer i+1
	rows []scored
}

func (b *book) Histories(_ context.Context, until clock.Day, customer int64, yield func(int64, []churn.Fact) error) error {
	for i, h := range b.list {
		n := 0
		for n < len(h) && h[n].Day <= until {
			n++
		}
		if n == 0 || customer != 0 && customer != int64(i+1) {
			continue
		}
		if err := yield(int64(i+1), h[:n]); err != nil {
			return err
		}
	}
	return nil
}

// scored is a row of scores.
type scored struct {
	Customer int64
	Values   []any
}

func (b *book) Replace(_ context.Context, rows predict.Rows, _ int64, _ string) (int64, error) {
	b.rows = nil
	err := rows(func(customer int64, values []any) bool {
		b.rows = append(b.rows, scored{customer, slices.Clone(values)})
		return true
	})
	return int64(len(b.rows)), err
}

func model(b *book) *churn.Model {
	return churn.New(b, func(context.Context) (clock.Day, error) { return today, nil })
}

// company makes customers who buy in their own rhythm until they leave. Who is refunded leaves sooner.
func company(n, days int, seed uint64) *book {
	r := rand.New(rand.NewPCG(seed, 1))
	b := &book{}
	for range n {
		rhythm := 10 + r.ExpFloat64()*25
		at := today - clock.Day(days) + clock.Day(r.IntN(days*3/4))
		unhappy := r.Float64() < .3
		leave := 0.06
		if unhappy {
			leave = .35
		}
		var h []churn.Fact
		for at <= today {
			h = append(h, churn.Fact{Day: at, Kind: churn.Purchase, Count: 1, Amount: 10000 + int64(r.IntN(5000)), Discount: int64(r.IntN(3000))})
			if unhappy && at < today && r.Float64() < .6 {
				h = append(h, churn.Fact{Day: at, Kind: churn.Refund, Count: 1, Amount: 5000})
			}
			if r.Float64() < leave {
				break
			}
			at += 1 + clock.Day(r.ExpFloat64()*rhythm)
		}
		b.list = append(b.list, h)
	}
	return b
}

func fit(t *testing.T, b *book, options string) predict.Fitted {
	t.Helper()
	f, err := model(b).Fit(t.Context(), predict.Request{Until: today, Options: json.RawMessage(options), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	finite(t, f.Card)
	return f
}

// finite makes sure that a card can be sent: no figure is NaN or infinite.
func finite(t *testing.T, c predict.Card) {
	t.Helper()
	if _, err := json.Marshal(c); err != nil {
		t.Fatalf("the card cannot be sent: %v", err)
	}
}

func measure(c predict.Card, key string) (predict.Measure, bool) {
	for _, m := range c.Measures {
		if m.Key == key {
			return m, true
		}
	}
	return predict.Measure{}, false
}

func noted(c predict.Card, key string) bool {
	for _, n := range c.Notes {
		if n.Key == key {
			return true
		}
	}
	return false
}

func score(t *testing.T, b *book, f predict.Fitted) []scored {
	t.Helper()
	if _, err := model(b).Score(t.Context(), predict.ScoreRequest{State: f.State, Until: today, AtMilli: 1, Mark: "1"}); err != nil {
		t.Fatal(err)
	}
	return b.rows
}

func TestItLearnsWhoLeaves(t *testing.T) {
	t.Parallel()
	b := company(3000, 1000, 7)
	f := fit(t, b, `{"most": 120}`)
	auc, ok := measure(f.Card, "auc")
	if !ok || auc.Value < .6 || auc.Peer == nil || auc.Value < *auc.Peer+.02 {
		t.Fatalf("AUC %v, the simple rule reaches %v; %+v", auc.Value, *auc.Peer, f.Card)
	}
	if f.Card.HeldFrom <= 0 || f.Card.HeldFrom <= today-200 || f.Card.HeldUntil != today || noted(f.Card, "overlap") {
		t.Errorf("measured on %d to %d", f.Card.HeldFrom, f.Card.HeldUntil)
	}
	brier, _ := measure(f.Card, "brier")
	if brier.Value >= *brier.Peer {
		t.Errorf("Brier %v, the mean gives %v", brier.Value, *brier.Peer)
	}
	said, came := f.Card.Charts[0].Series[0].Values, f.Card.Charts[0].Series[1].Values
	off := 0.0
	for i := range said {
		off += math.Abs(*said[i]-*came[i]) / float64(len(said))
	}
	if off > 6 {
		t.Errorf("said and came are %.1f points apart", off)
	}
	rows := score(t, b, f)
	bands := map[any]int{}
	for _, r := range rows {
		bands[r.Values[5]]++
		if (r.Values[0] == nil) != (r.Values[5] == churn.Lost) {
			t.Fatalf("risk %v with band %v", r.Values[0], r.Values[5])
		}
		if v, ok := r.Values[0].(int64); ok && (v < 1 || v > 9999) {
			t.Fatalf("risk %d", v)
		}
	}
	if bands[churn.Lost] == 0 || bands[churn.High]+bands[churn.Medium] == 0 || bands[churn.Low] == 0 {
		t.Errorf("bands %v", bands)
	}
	again := fit(t, b, `{"most": 120}`)
	if !reflect.DeepEqual(again.State, f.State) {
		t.Error("the same facts taught something else")
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	b := company(1500, 1000, 9)
	f := fit(t, b, `{"most": 120}`)
	explained := 0
	for _, r := range score(t, b, f)[:200] {
		reasons, err := model(b).Explain(t.Context(), f.State, r.Customer)
		if err != nil {
			t.Fatal(err)
		}
		if len(reasons) == 0 {
			t.Fatalf("customer %d has no reason", r.Customer)
		}
		if (r.Values[5] == churn.Lost) != (reasons[0].Key == "lost") {
			t.Fatalf("band %v because %v", r.Values[5], reasons[0])
		}
		for i, x := range reasons {
			if i > 0 && math.Abs(x.Effect) > math.Abs(reasons[i-1].Effect) {
				t.Error("the strongest reason comes first")
			}
			if len(x.Params) == 0 {
				t.Errorf("reason %s says no figure", x.Key)
			}
		}
		explained++
	}
	if none, err := model(b).Explain(t.Context(), f.State, 999999); err != nil || len(none) != 0 {
		t.Errorf("somebody unknown: %v %v", none, err)
	}
}

// What happens after a cut day must not change the inputs: a purchase on the last days changes no measure taken before it.
func TestInputsEndWithTheCut(t *testing.T) {
	t.Parallel()
	b := company(1500, 1200, 11)
	late := &book{}
	for _, h := range b.list {
		late.list = append(late.list, append(append([]churn.Fact{}, h...), churn.Fact{Day: today + 1, Kind: churn.Purchase, Count: 9, Amount: 1}))
	}
	if a, b := fit(t, b, `{}`), fit(t, late, `{}`); !reflect.DeepEqual(a, b) {
		t.Error("days after the last one were learned from")
	}
}

func TestRhythmAndLimit(t *testing.T) {
	t.Parallel()
	buy := func(days ...clock.Day) []churn.Fact {
		var h []churn.Fact
		for _, d := range days {
			h = append(h, churn.Fact{Day: d, Kind: churn.Purchase, Count: 1, Amount: 100})
		}
		return h
	}
	b := &book{list: [][]churn.Fact{
		buy(today-50, today-40, today-30, today-20), // every 10 days: limit 30
		buy(today-200, today-100, today-31),         // every 84.5 days: limit 180
		buy(today - 70),                             // once
		buy(today-71, today-61, today-51, today-31), // every 10 days, 31 ago: lost
	}}
	rows := score(t, b, fit(t, b, `{}`))
	want := []struct {
		interval, due, limit int64
		band                 any
	}{{1000, int64(today) - 10, 30, nil}, {8450, int64(today) - 31 + 85, 180, nil}, {1000, int64(today) - 60, 30, churn.Lost}, {1000, int64(today) - 21, 30, churn.Lost}}
	for i, w := range want {
		v := rows[i].Values
		if v[1] != w.interval || v[2] != w.due || v[4] != w.limit || v[5] != w.band || v[0] != nil {
			t.Errorf("customer %d: %v, want %+v", i+1, v, w)
		}
	}
	s, err := model(b).Preview(t.Context(), json.RawMessage(`{"definition": "days", "days": 60}`))
	if err != nil || s.Active != 3 || s.Lost != 1 {
		t.Errorf("by 60 days %+v %v", s, err)
	}
	if s, err = model(b).Preview(t.Context(), nil); err != nil || s.Active != 2 || s.Lost != 2 || s.Typical != 10 {
		t.Errorf("by rhythm %+v %v", s, err)
	}
}

// Too little to learn from is a sentence, never an error.
func TestExtremes(t *testing.T) {
	t.Parallel()
	steady := func(n int, until clock.Day) *book {
		b := &book{}
		for i := range n {
			var h []churn.Fact
			for d := today - 900 + clock.Day(i%7); d <= until; d += 7 {
				h = append(h, churn.Fact{Day: d, Kind: churn.Purchase, Count: 1, Amount: 100})
			}
			b.list = append(b.list, h)
		}
		return b
	}
	refunds := &book{}
	for range 60 {
		refunds.list = append(refunds.list, []churn.Fact{{Day: today - 5, Kind: churn.Refund, Count: 1, Amount: 100}})
	}
	for name, c := range map[string]struct {
		book *book
		note string
	}{
		"nobody":         {&book{}, "too_few"},
		"one":            {company(1, 900, 1), "too_few"},
		"49":             {company(49, 900, 1), "too_few"},
		"refunds only":   {refunds, "too_few"},
		"young company":  {company(500, 100, 1), "too_short"},
		"nobody lost":    {steady(300, today), "nobody_lost"},
		"everybody lost": {company(400, 900, 3).stopped(today - 400), "test_alike"},
	} {
		f := fit(t, c.book, `{}`)
		if !noted(f.Card, c.note) {
			t.Errorf("%s: notes %v", name, f.Card.Notes)
		}
		for _, r := range score(t, c.book, f) {
			if r.Values[0] != nil {
				t.Errorf("%s: a risk of %v", name, r.Values[0])
			}
		}
	}
	short := fit(t, company(2000, 330, 5), `{"definition": "days", "days": 150}`)
	if !noted(short.Card, "overlap") {
		t.Errorf("a short history: %v", short.Card.Notes)
	}
	if _, ok := measure(short.Card, "auc"); !ok {
		t.Error("a short history was not measured")
	}
	many := company(400, 900, 2)
	for d := range clock.Day(3000) { // thousands of purchases
		many.list[0] = append(many.list[0], churn.Fact{Day: today + d/4, Kind: churn.Purchase, Count: 5000, Amount: 1 << 50})
	}
	fit(t, many, `{}`)
}

func (b *book) stopped(at clock.Day) *book {
	for i, h := range b.list {
		n := 0
		for n < len(h) && h[n].Day <= at {
			n++
		}
		b.list[i] = h[:n]
	}
	return b
}

package cluster_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/insight/cluster"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	stat "github.com/guanxi-crm/guanxi/internal/stat/cluster"
)

// plane holds traits in memory.
type plane struct {
	ids    []int64
	values [][]float64
	labels map[int64]string
	sure   map[int64]int64
}

func (p *plane) Read(_ context.Context, _ []cluster.Column, customer int64, row func(int64, []float64)) error {
	for i, v := range p.ids {
		if customer == 0 || customer == v {
			row(v, p.values[i])
		}
	}
	return nil
}

func (p *plane) Write(_ context.Context, _ int64, _ string, rows func(func(int64, string, int64) bool)) (n int64, err error) {
	p.labels, p.sure = map[int64]string{}, map[int64]int64{}
	rows(func(customer int64, label string, sure int64) bool {
		p.labels[customer], p.sure[customer] = label, sure
		n++
		return true
	})
	return n, nil
}

func (p *plane) Sizes(context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for _, l := range p.labels {
		out[l]++
	}
	return out, nil
}

func model(p *plane) *cluster.Model {
	return cluster.New(cluster.Config{Store: p, Columns: func(keys []string) ([]cluster.Column, error) {
		var out []cluster.Column
		for _, k := range keys {
			if k == "favourite_brand" {
				return nil, fault.InvalidField("cluster.no_number", "traits", nil)
			}
			c := cluster.Column{Key: k, Table: "t_order", Column: k, Type: schema.Number}
			if k == "average_basket" {
				c.Type = schema.Money
			}
			out = append(out, c)
		}
		return out, nil
	}})
}

// three kinds of customers: many who bought once, some who come often for little, few who spend much.
func three(n int) (*plane, []int) {
	r := rand.New(rand.NewPCG(2, 3))
	p, truth := &plane{}, []int{}
	for i := range n {
		kind := []int{0, 0, 0, 1, 1, 2}[i%6]
		mean := [][]float64{{200, 1, 20_000}, {20, 15, 9_000}, {30, 6, 160_000}}[kind]
		row := make([]float64, 3)
		for j, m := range mean {
			row[j] = math.Max(math.Round(m*math.Exp(0.25*r.NormFloat64())), 1)
		}
		if i%50 == 0 {
			row[2] = math.NaN()
		}
		p.ids, p.values, truth = append(p.ids, int64(1000+i)), append(p.values, row), append(truth, kind)
	}
	return p, truth
}

const three3 = `{"traits": ["days_since_last", "orders", "average_basket"]}`

func TestGroupsAreFoundToldAndWritten(t *testing.T) {
	t.Parallel()
	p, truth := three(1200)
	m := model(p)
	fitted, err := m.Fit(t.Context(), predict.Request{Until: 20_000, Options: json.RawMessage(three3), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.Fit(t.Context(), predict.Request{Until: 20_000, Options: json.RawMessage(three3), Seed: 7})
	if err != nil || string(again.State) != string(fitted.State) {
		t.Errorf("the same facts give another state: %v", err)
	}
	var st cluster.State
	if err := json.Unmarshal(fitted.State, &st); err != nil {
		t.Fatal(err)
	}
	if len(st.Groups) != 3 || st.Suggested != 3 {
		t.Fatalf("%d groups, %d suggested: %+v", len(st.Groups), st.Suggested, st.Trials)
	}
	n, err := m.Score(t.Context(), predict.ScoreRequest{State: fitted.State, Until: 20_000, Mark: "1"})
	if err != nil || n != 1200 {
		t.Fatalf("%d scored, %v", n, err)
	}
	found := make([]int, len(truth))
	for i, key := range p.ids {
		found[i] = int(p.labels[key][1] - '1')
		if s := p.sure[key]; s < 0 || s > 10_000 {
			t.Errorf("customer %d: %d", key, s)
		}
	}
	if agreement := stat.AdjustedRand(found, truth); agreement < 0.95 {
		t.Errorf("agreement with the truth %.3f", agreement)
	}
	for _, measure := range fitted.Card.Measures {
		if measure.Key == "stability" && measure.Value < 0.95 || measure.Key == "silhouette" && measure.Value < 0.5 {
			t.Errorf("%+v", measure)
		}
	}
	if len(fitted.Card.Charts) != 2 || len(fitted.Card.Inputs) != 3 {
		t.Errorf("%+v", fitted.Card)
	}
	portraits, err := m.Portraits(t.Context(), fitted.State)
	if err != nil {
		t.Fatal(err)
	}
	if portraits.Drift > 0.001 {
		t.Errorf("nothing moved, drift %.4f", portraits.Drift)
	}
	spends := slices.IndexFunc(portraits.Groups, func(g cluster.Portrait) bool {
		return len(g.Features) > 0 && g.Features[0].Trait == "average_basket" && g.Features[0].High
	})
	if spends < 0 || portraits.Groups[spends].Count < 190 || portraits.Groups[spends].Means[2] < 140_000 {
		t.Errorf("who spends much is not told: %+v", portraits.Groups)
	}
	for g := range p.labels { // everyone goes to the first group
		p.labels[g] = "c1"
	}
	if portraits, err = m.Portraits(t.Context(), fitted.State); err != nil || portraits.Drift < 0.25 {
		t.Errorf("all moved, drift %.4f, %v", portraits.Drift, err)
	}
	reasons, err := m.Explain(t.Context(), fitted.State, p.ids[1])
	if err != nil || len(reasons) != 3 || reasons[0].Effect <= 0 || reasons[0].Key != "near" {
		t.Errorf("%+v, %v", reasons, err)
	}
	if none, err := m.Explain(t.Context(), fitted.State, 5); err != nil || len(none) != 0 {
		t.Errorf("a stranger: %+v, %v", none, err)
	}
}

func TestNumberOfGroupsIsObeyed(t *testing.T) {
	t.Parallel()
	p, _ := three(300)
	fitted, err := model(p).Fit(t.Context(), predict.Request{Until: 20_000, Options: json.RawMessage(`{"traits": ["days_since_last", "orders", "average_basket"], "groups": 5}`), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	var st cluster.State
	if err := json.Unmarshal(fitted.State, &st); err != nil || len(st.Centres) != 5 {
		t.Errorf("%d centres, %v", len(st.Centres), err)
	}
}

func TestLittleToLearnFromGivesASentence(t *testing.T) {
	t.Parallel()
	few, _ := three(10)
	same := &plane{}
	for i := range 100 {
		same.ids, same.values = append(same.ids, int64(i+1)), append(same.values, []float64{5, 5, 5})
	}
	nothing := &plane{}
	for i := range 100 {
		nothing.ids, nothing.values = append(nothing.ids, int64(i+1)), append(nothing.values, []float64{math.NaN(), math.NaN(), math.NaN()})
	}
	for name, p := range map[string]*plane{"none": {}, "few": few, "the same": same, "no values": nothing} {
		m := model(p)
		fitted, err := m.Fit(t.Context(), predict.Request{Until: 20_000, Options: json.RawMessage(three3), Seed: 7})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(fitted.Card.Notes) == 0 {
			t.Errorf("%s says nothing", name)
		}
		if n, err := m.Score(t.Context(), predict.ScoreRequest{State: fitted.State, Until: 20_000, Mark: "1"}); err != nil || n != 0 {
			t.Errorf("%s: %d scored, %v", name, n, err)
		}
		if _, err := m.Portraits(t.Context(), fitted.State); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if reasons, err := m.Explain(t.Context(), fitted.State, 1); err != nil || len(reasons) != 0 {
			t.Errorf("%s: %v %v", name, reasons, err)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	p, _ := three(100)
	for _, o := range []string{`{"groups": 1}`, `{"groups": 13}`, `{"groups": -1}`, `{"traits": ["cluster"]}`, `{"traits": ["favourite_brand"]}`, `{"traits": 5}`} {
		if _, err := model(p).Fit(t.Context(), predict.Request{Until: 20_000, Options: json.RawMessage(o)}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", o, err)
		}
	}
}

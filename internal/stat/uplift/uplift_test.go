package uplift_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/stat/classify"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %.7g, want %.7g ± %g", what, got, want, within)
	}
}

// trial is the real e-mail trial: people's traits, who was written, and what they did.
type trial struct {
	table          *classify.Table
	treated        []bool
	visit, convert []bool
	spend, history []float64
}

func mens(t *testing.T) trial {
	t.Helper()
	f, err := os.Open("../../../../shared/data/uplift/email_mens.csv")
	if err != nil {
		t.Skip("../shared/data is absent")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	number := func(row []string, name string) float64 {
		v, err := strconv.ParseFloat(row[at[name]], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	is := func(row []string, name, value string) float64 {
		if row[at[name]] == value {
			return 1
		}
		return 0
	}
	d := trial{table: classify.NewTable(9, len(rows))}
	for _, r := range rows[1:] {
		d.table.Add([]float64{number(r, "recency"), math.Log1p(number(r, "history")), number(r, "mens"), number(r, "womens"), number(r, "newbie"),
			is(r, "zip_code", "Rural"), is(r, "zip_code", "Urban"), is(r, "channel", "Web"), is(r, "channel", "Phone")})
		d.treated = append(d.treated, r[at["segment"]] != "No E-Mail")
		d.visit = append(d.visit, r[at["visit"]] == "1")
		d.convert = append(d.convert, r[at["conversion"]] == "1")
		d.spend = append(d.spend, number(r, "spend"))
		d.history = append(d.history, number(r, "history"))
	}
	return d
}

func rates(treated, did []bool) (with, without uplift.Rate) {
	for i, d := range did {
		r := &without
		if treated[i] {
			r = &with
		}
		r.N++
		if d {
			r.Hits++
		}
	}
	return with, without
}

// The figures published for this trial.
func TestMensTrial(t *testing.T) {
	t.Parallel()
	d := mens(t)
	visit := uplift.Rates(rates(d.treated, d.visit))
	near(t, "visit", visit.Lift, .076590, 1e-6)
	near(t, "error of visit", visit.Error, .003386, 1e-6)
	convert := uplift.Rates(rates(d.treated, d.convert))
	near(t, "conversion", convert.Lift, .006805, 1e-6)
	near(t, "error of conversion", convert.Error, .000921, 1e-6)
	near(t, "interval of conversion", convert.Low, convert.Lift-1.96*convert.Error, 1e-4)
	var with, without []float64
	var jt, jc uplift.Joint
	for i, v := range d.spend {
		if d.treated[i] {
			with = append(with, v)
			jt.Add(v, d.history[i])
		} else {
			without = append(without, v)
			jc.Add(v, d.history[i])
		}
	}
	spend := uplift.Money(uplift.ArmOf(with), uplift.ArmOf(without))
	near(t, "spend", spend.Lift, .769827, 1e-6)
	near(t, "error of spend", spend.Error, .145247, 1e-6)
	near(t, "Welch's t", spend.Statistic, 5.3001, 1e-4)
	if spend.Verdict() != uplift.Better || spend.P > 1e-6 {
		t.Errorf("the verdict is %s, p %g", spend.Verdict(), spend.P)
	}
	total, low, high := spend.Total(int64(len(with)))
	near(t, "incremental revenue", total, .769827*21307, .05)
	if !(low > 0 && low < total && total < high) {
		t.Errorf("interval %g to %g", low, high)
	}
	adjusted, _, kept := uplift.Adjusted(jt, jc)
	near(t, "spend less what history explains", adjusted.Lift, spend.Lift, .02)
	if kept > 1 || adjusted.Error > spend.Error {
		t.Errorf("adjusting added noise: %g", kept)
	}
	if p, alarm := uplift.Mismatch([]int64{int64(len(with)), int64(len(without))}, []float64{1, 1}); alarm || p < .5 {
		t.Errorf("the halves are even, p %g", p)
	}
	if p, alarm := uplift.Mismatch([]int64{21307, 20500}, []float64{1, 1}); !alarm {
		t.Errorf("800 people are missing and nothing is said, p %g", p)
	}
}

// Learned on one half, judged on the other: both learners rank better than chance, and a ranking does not depend on the order of rows.
func TestRankingOfMensTrial(t *testing.T) {
	t.Parallel()
	d := mens(t)
	var train, test []int
	for i := range d.treated {
		if i%2 == 0 {
			train = append(train, i)
		} else {
			test = append(test, i)
		}
	}
	pick := func(v []bool, rows []int) (out []bool) {
		for _, i := range rows {
			out = append(out, v[i])
		}
		return out
	}
	outcome := make([]float64, len(test))
	for k, i := range test {
		if d.visit[i] {
			outcome[k] = 1
		}
	}
	held := d.table.Take(test, nil)
	for name, learn := range map[string]func(*classify.Table, []bool, []bool, uplift.Learner) (uplift.Model, bool){"two models": uplift.TwoModels, "transformed": uplift.Transformed} {
		m, ok := learn(d.table.Take(train, nil), pick(d.treated, train), pick(d.visit, train), uplift.Logistic)
		if !ok {
			t.Fatal(name)
		}
		score := uplift.Lifts(m, held)
		c := uplift.Qini(score, pick(d.treated, test), outcome)
		if !c.OK || c.Area <= 0 {
			t.Errorf("%s: %g", name, c.Area)
		}
		near(t, name+": everybody treated", c.End, .0766*float64(len(test))/2, .01*float64(len(test))/2)
		back, tr, out := slices.Clone(score), pick(d.treated, test), slices.Clone(outcome)
		slices.Reverse(back)
		slices.Reverse(tr)
		slices.Reverse(out)
		near(t, name+": rows in another order", uplift.Qini(back, tr, out).Area, c.Area, 1e-12)
		t.Logf("%s: Qini %.5f", name, c.Area)
	}
}

// Of a world whose truth is known the learners find it.
func TestLearnersRecoverTheTruth(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	table := classify.NewTable(2, 40000)
	var treated, did []bool
	truth := func(row []float64) float64 { return .25 * row[0] }
	for range 40000 {
		row := []float64{float64(r.IntN(3) - 1), r.NormFloat64()}
		table.Add(row)
		on := r.Float64() < .7
		p := .4
		if on {
			p += truth(row)
		}
		treated, did = append(treated, on), append(did, r.Float64() < p)
	}
	for name, learn := range map[string]func(*classify.Table, []bool, []bool, uplift.Learner) (uplift.Model, bool){"two models": uplift.TwoModels, "transformed": uplift.Transformed} {
		m, _ := learn(table, treated, did, uplift.Logistic)
		for _, x := range []float64{-1, 0, 1} {
			near(t, name, m.Lift([]float64{x, 0}), truth([]float64{x, 0}), .03)
		}
	}
	// Without an effect, about one interval in twenty is wrong.
	wrong := 0
	for range 2000 {
		var a, b uplift.Joint
		for range 60 {
			x, y := r.NormFloat64(), r.NormFloat64()
			a.Add(x+.5*r.NormFloat64(), x)
			b.Add(y+.5*r.NormFloat64(), y)
		}
		if e, _, kept := uplift.Adjusted(a, b); e.Verdict() != uplift.Unclear {
			wrong++
		} else if kept > .5 {
			t.Fatalf("what was known before takes little noise away: %g", kept)
		}
	}
	near(t, "wrong verdicts", float64(wrong)/2000, .05, .02)
}

func TestByHand(t *testing.T) {
	t.Parallel()
	// Newcombe 1998, table II, 56/70 − 48/80: the hybrid score interval.
	e := uplift.Rates(uplift.Rate{N: 70, Hits: 56}, uplift.Rate{N: 80, Hits: 48})
	near(t, "Newcombe's lower bound", e.Low, .0524, 1e-4)
	near(t, "Newcombe's upper bound", e.High, .3339, 1e-4)
	e = uplift.Rates(uplift.Rate{N: 10, Hits: 10}, uplift.Rate{N: 20, Hits: 0})
	near(t, "10/10 − 0/20", e.Low, .6791, 1e-4)
	near(t, "10/10 − 0/20", e.High, 1, 1e-9)
	n, _ := uplift.RateSize(.10, .02, .8)
	near(t, "people to see 10 % become 12 %", float64(n), 3841, 1)
	n, _ = uplift.MoneySize(10, 1, .8)
	near(t, "people to see a tenth of a deviation", float64(n), 1570, 1)
	// Two people of a kind: one block, whatever their order.
	c := uplift.Qini([]float64{2, 2, 1, 1}, []bool{true, false, true, false}, []float64{1, 0, 0, 1})
	if len(c.Steps) != 3 {
		t.Fatalf("%d steps", len(c.Steps))
	}
	near(t, "gain of the first block", c.Steps[1].Gain, 1, 0)
	near(t, "gain at the end", c.End, 0, 0)
	near(t, "area", c.Area, .25, 1e-12) // a triangle over half and half: ½ over two treated
	e = uplift.Rates(uplift.Rate{N: 70, Hits: 56}, uplift.Rate{N: 80, Hits: 48})
	if low, high := e.Anytime(0); low >= e.Low-1e-9 && high <= e.High+1e-9 {
		t.Error("looking often costs nothing")
	}
	near(t, "drawn to what is usual", uplift.Shrink(uplift.Rate{N: 10, Hits: 10}, .2, 30), .4, 1e-12)
	arms := uplift.Arms(uplift.Rate{N: 100, Hits: 10}, uplift.Rate{N: 100, Hits: 22}, uplift.Rate{N: 100, Hits: 10})
	near(t, "corrected for two questions", arms[0].P, 2*uplift.Rates(uplift.Rate{N: 100, Hits: 22}, uplift.Rate{N: 100, Hits: 10}).P, 1e-12)
}

func TestExtremes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e    uplift.Effect
		want uplift.Why
	}{
		"nobody":        {uplift.Money(uplift.Arm{}, uplift.Arm{}), uplift.NoTaken},
		"no control":    {uplift.Rates(uplift.Rate{N: 5}, uplift.Rate{}), uplift.NoKept},
		"one each":      {uplift.Money(uplift.ArmOf([]float64{3}), uplift.ArmOf([]float64{4})), uplift.Few},
		"constant":      {uplift.Money(uplift.ArmOf([]float64{3, 3}), uplift.ArmOf([]float64{3, 3, 3})), uplift.Constant},
		"nobody bought": {uplift.Rates(uplift.Rate{N: 5}, uplift.Rate{N: 9}), uplift.Constant},
		"infinite":      {uplift.Money(uplift.ArmOf([]float64{3, math.Inf(1)}), uplift.ArmOf([]float64{3, 4})), uplift.Broken},
		"more than all": {uplift.Rates(uplift.Rate{N: 5, Hits: 6}, uplift.Rate{N: 9}), uplift.Broken},
		"overflow":      {uplift.Money(uplift.ArmOf([]float64{1e200, 2}), uplift.ArmOf([]float64{3, 4})), uplift.Broken},
	} {
		if c.e.OK || c.e.Why != c.want || c.e.Verdict() != uplift.Unknown {
			t.Errorf("%s: %+v", name, c.e)
		}
		if _, ok := c.e.Relative(); ok {
			t.Errorf("%s: a part of nothing", name)
		}
	}
	if _, ok := uplift.TwoModels(classify.NewTable(1, 0), nil, nil, uplift.Logistic); ok {
		t.Error("learned from nobody")
	}
	if c := uplift.Qini(nil, nil, nil); c.OK || c.Why != uplift.NoTaken {
		t.Errorf("a curve of nobody: %+v", c)
	}
	if p, alarm := uplift.Mismatch(nil, nil); p != 1 || alarm {
		t.Error("an alarm about nobody")
	}
	if _, alarm := uplift.Mismatch([]int64{5, 1}, []float64{1, 0}); !alarm {
		t.Error("somebody stands in a group of nobody")
	}
	if _, ok := uplift.RateSize(.5, 0, .8); ok {
		t.Error("a move of nothing")
	}
	if e, theta, _ := uplift.Adjusted(uplift.Joint{}, uplift.Joint{}); e.OK || theta != 0 {
		t.Error("adjusted nobody")
	}
}

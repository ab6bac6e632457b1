package uplift

import (
	"cmp"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/stat/classify"
)

// Model says of a person how much likelier he does it because of what is done to him: a probability with less one without, −1 to 1.
type Model interface {
	Lift(row []float64) float64
}

// Learner fits a model that tells who does it.
type Learner func(t *classify.Table, did []bool) classify.Model

// Logistic is the usual learner.
func Logistic(t *classify.Table, did []bool) classify.Model { return classify.FitLogistic(t, did, 1) }

// TwoModels learns from the treated and from those left out apart, and subtracts (the T-learner). ok is false where a group is empty.
func TwoModels(t *classify.Table, treated, did []bool, learn Learner) (Model, bool) {
	var rows [2][]int
	for i, x := range treated {
		if x {
			rows[1] = append(rows[1], i)
		} else {
			rows[0] = append(rows[0], i)
		}
	}
	if len(rows[0]) == 0 || len(rows[1]) == 0 {
		return nil, false
	}
	return twoModels{learn(t.Take(rows[1], nil), taken(did, rows[1])), learn(t.Take(rows[0], nil), taken(did, rows[0]))}, true
}

type twoModels struct{ with, without classify.Model }

func (m twoModels) Lift(row []float64) float64 {
	return classify.Sigmoid(m.with.Score(row)) - classify.Sigmoid(m.without.Score(row))
}

// Transformed learns one model of a made-up class, "treated and did it, or left out and did not" (Jaskowski & Jaroszewicz 2012), whose
// probability p gives the lift 2p − 1 when both groups are equally large; of the larger one, people at even distances are taken.
func Transformed(t *classify.Table, treated, did []bool, learn Learner) (Model, bool) {
	var rows [2][]int
	for i, x := range treated {
		if x {
			rows[1] = append(rows[1], i)
		} else {
			rows[0] = append(rows[0], i)
		}
	}
	n := min(len(rows[0]), len(rows[1]))
	if n == 0 {
		return nil, false
	}
	all := append(thin(rows[0], n), thin(rows[1], n)...)
	slices.Sort(all)
	class := make([]bool, len(all))
	for k, i := range all {
		class[k] = treated[i] == did[i]
	}
	return transformed{learn(t.Take(all, nil), class)}, true
}

type transformed struct{ model classify.Model }

func (m transformed) Lift(row []float64) float64 { return 2*classify.Sigmoid(m.model.Score(row)) - 1 }

func thin(rows []int, n int) []int {
	out := make([]int, n)
	for k := range n {
		out[k] = rows[k*len(rows)/n]
	}
	return out
}

func taken(all []bool, rows []int) []bool {
	out := make([]bool, len(rows))
	for k, i := range rows {
		out[k] = all[i]
	}
	return out
}

// Lifts are those of all rows.
func Lifts(m Model, t *classify.Table) []float64 {
	out := make([]float64, t.Rows())
	for i := range out {
		out[i] = m.Lift(t.Row(i))
	}
	return out
}

// Step is the curve at a block of people with the same score, the highest first: the part of all people that are at least this high, and
// what was gained among them: y_t − y_c·n_t/n_c.
type Step struct {
	Share float64
	Gain  float64
}

// Curve is how well a ranking finds whom it is worth treating. Area is what lies between the curve and the straight line to its end, the gain
// of a ranking by chance, over the number of the treated: outcomes gained for each treated person, on average over all depths. It is 0 for
// chance, and negative for a ranking that is worse.
type Curve struct {
	OK    bool
	Why   Why
	Steps []Step // begins at (0, 0)
	Area  float64
	End   float64 // the gain when everybody is treated, of those who were
}

// Qini draws the curve of a ranking. Equal scores are one block, so that the order of ties is nothing. Where nobody in a beginning was left
// out, what the treated did there counts whole.
func Qini(score []float64, treated []bool, outcome []float64) Curve {
	at := make([]int, len(score))
	for i := range at {
		at[i] = i
		if !finite(score[i], outcome[i]) {
			return Curve{Why: Broken}
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
	var nt, nc, yt, yc float64
	c := Curve{Steps: []Step{{}}}
	for i := 0; i < len(at); {
		j := i
		for ; j < len(at) && score[at[j]] == score[at[i]]; j++ {
			if k := at[j]; treated[k] {
				nt++
				yt += outcome[k]
			} else {
				nc++
				yc += outcome[k]
			}
		}
		gain := yt
		if nc > 0 {
			gain -= yc * nt / nc
		}
		c.Steps = append(c.Steps, Step{float64(j) / float64(len(at)), gain})
		i = j
	}
	if c.Why = people(int64(nt), int64(nc), 1); c.Why != Enough {
		c.Steps = nil
		return c
	}
	c.End = c.Steps[len(c.Steps)-1].Gain
	var area float64
	for i := 1; i < len(c.Steps); i++ {
		a, b := c.Steps[i-1], c.Steps[i]
		area += (b.Share - a.Share) * (a.Gain + b.Gain) / 2
	}
	c.Area = (area - c.End/2) / nt
	if c.OK = finite(c.Area, c.End); !c.OK {
		return Curve{Why: Broken}
	}
	return c
}

// Package classify learns to tell two kinds of cases apart by numbers about them, says how probable the second kind is, and how good
// that is: logistic regression, boosted trees, calibration, and the measures of a ranking and of probabilities.
//
// Cases are rows of a Table, all finite. A constant column teaches nothing and is never an error; neither are labels that are all alike:
// what is learned then is the share of the positive, for everyone. The same input gives the same result, bit by bit.
//
// The package is pure: it knows no storage and no clock.
package classify

import "math"

// Table is rows of numbers, one after the other.
type Table struct {
	Columns int
	Data    []float64
}

// NewTable makes an empty table with room for rows.
func NewTable(columns, rows int) *Table {
	return &Table{Columns: columns, Data: make([]float64, 0, columns*rows)}
}

// Add appends a row. What is not finite counts as 0.
func (t *Table) Add(row []float64) {
	for _, v := range row {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v = 0
		}
		t.Data = append(t.Data, v)
	}
}

// Rows is how many there are.
func (t *Table) Rows() int {
	if t.Columns == 0 {
		return 0
	}
	return len(t.Data) / t.Columns
}

// Row is one of them; it must not be changed.
func (t *Table) Row(i int) []float64 { return t.Data[i*t.Columns : (i+1)*t.Columns] }

// Take is a table of the rows that are named, and of the columns; nil columns are all.
func (t *Table) Take(rows []int, columns []int) *Table {
	if columns == nil {
		out := NewTable(t.Columns, len(rows))
		for _, r := range rows {
			out.Data = append(out.Data, t.Row(r)...)
		}
		return out
	}
	out := NewTable(len(columns), len(rows))
	for _, r := range rows {
		row := t.Row(r)
		for _, c := range columns {
			out.Data = append(out.Data, row[c])
		}
	}
	return out
}

// Model gives a case its score in log odds.
type Model interface {
	Score(row []float64) float64
	// Contributions is what each column adds to the score, beside a base that is the same for all: base and contributions sum to the score.
	Contributions(row []float64) (base float64, parts []float64)
}

// Sigmoid is the probability of log odds.
func Sigmoid(v float64) float64 {
	if v >= 0 {
		return 1 / (1 + math.Exp(-v))
	}
	e := math.Exp(v)
	return e / (1 + e)
}

// Logit is the log odds of a probability, held away from 0 and 1.
func Logit(p float64) float64 {
	const edge = 1e-9
	p = math.Min(1-edge, math.Max(edge, p))
	return math.Log(p / (1 - p))
}

// Scores are those of all rows.
func Scores(m Model, t *Table) []float64 {
	out := make([]float64, t.Rows())
	for i := range out {
		out[i] = m.Score(t.Row(i))
	}
	return out
}

// Probabilities are the scores' without calibration.
func Probabilities(scores []float64) []float64 {
	out := make([]float64, len(scores))
	for i, s := range scores {
		out[i] = Sigmoid(s)
	}
	return out
}

func share(y []bool) float64 {
	if len(y) == 0 {
		return 0
	}
	n := 0
	for _, v := range y {
		if v {
			n++
		}
	}
	return float64(n) / float64(len(y))
}

func unit(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

package classify

import (
	"math"
	"slices"
	"sort"
)

// Boost says how trees are grown.
type Boost struct {
	Rounds   int     // trees at most
	Depth    int     // of a tree
	Rate     float64 // of learning
	Bins     int     // that a column is cut into at most, up to 255
	MinCases int     // in a leaf
	Penalty  float64 // L2, of leaf values
	Patience int     // rounds without gain on what is held back before growing ends
}

// DefaultBoost is shallow and slow, which is right for tables of this kind.
func DefaultBoost() Boost {
	return Boost{Rounds: 300, Depth: 4, Rate: 0.05, Bins: 64, MinCases: 20, Penalty: 1, Patience: 25}
}

// Trees are gradient-boosted decision trees for logistic loss (Friedman 2001; second order as in Chen & Guestrin 2016).
type Trees struct {
	Base  float64 `json:"base"`
	Trees []Tree  `json:"trees"`
}

var _ Model = (*Trees)(nil)

// Tree is its nodes; the first is the root.
type Tree []Node

// Node is a question or a leaf. Cases at or below Cut go to Left, others to Right.
type Node struct {
	Column int     `json:"c"`
	Cut    float64 `json:"t"`
	Left   int     `json:"l,omitempty"` // 0 for a leaf
	Right  int     `json:"r,omitempty"`
	Value  float64 `json:"v"` // of a leaf; of a question what its leaves give on average
}

// Score implements Model.
func (m *Trees) Score(row []float64) float64 {
	s := m.Base
	for _, t := range m.Trees {
		i := 0
		for t[i].Left != 0 {
			i = t[i].next(row)
		}
		s += t[i].Value
	}
	return s
}

func (n *Node) next(row []float64) int {
	if row[n.Column] <= n.Cut {
		return n.Left
	}
	return n.Right
}

// Contributions implements Model: each question on the way down passes on by how much it moves the expected value of what is below it (Saabas).
func (m *Trees) Contributions(row []float64) (float64, []float64) {
	base, parts := m.Base, make([]float64, len(row))
	for _, t := range m.Trees {
		i := 0
		base += t[0].Value
		for t[i].Left != 0 {
			n := t[i].next(row)
			parts[t[i].Column] += t[n].Value - t[i].Value
			i = n
		}
	}
	return base, parts
}

// grower holds what all trees of a fit share.
type grower struct {
	b       Boost
	columns int
	edges   [][]float64 // upper edges of the bins of each column but the last
	bins    [][]uint8   // by column, then row
	g, h    []float64
}

// FitTrees grows trees on t; on the rows of held it is measured when to stop (nil: all rounds). Both have the same columns.
func FitTrees(t *Table, y []bool, held *Table, heldY []bool, b Boost) *Trees {
	m := &Trees{}
	n := t.Rows()
	base := share(y)
	if n == 0 {
		return m
	}
	m.Base = Logit((base*float64(n) + 0.5) / (float64(n) + 1))
	if base == 0 || base == 1 {
		return m
	}
	g := newGrower(t, b)
	score := make([]float64, n)
	for i := range score {
		score[i] = m.Base
	}
	var heldScore []float64
	if held != nil && held.Rows() > 0 {
		heldScore = make([]float64, held.Rows())
		for i := range heldScore {
			heldScore[i] = m.Base
		}
	}
	best, bestAt := math.Inf(1), 0
	rows := make([]int32, n)
	for round := range b.Rounds {
		for i := range n {
			p := Sigmoid(score[i])
			g.g[i], g.h[i] = p-unit(y[i]), math.Max(p*(1-p), 1e-12)
			rows[i] = int32(i)
		}
		tree := g.grow(rows, score)
		if len(tree) == 1 {
			break
		}
		m.Trees = append(m.Trees, tree)
		if heldScore == nil {
			continue
		}
		one := Trees{Trees: []Tree{tree}}
		loss := 0.0
		for i := range heldScore {
			heldScore[i] += one.Score(held.Row(i))
			s := heldScore[i]
			if heldY[i] {
				s = -s
			}
			loss += math.Max(0, s) + math.Log1p(math.Exp(-math.Abs(s)))
		}
		if loss < best-1e-9 {
			best, bestAt = loss, round+1
		}
		if round+1-bestAt >= b.Patience {
			break
		}
	}
	if heldScore != nil {
		m.Trees = m.Trees[:bestAt]
	}
	return m
}

func newGrower(t *Table, b Boost) *grower {
	n := t.Rows()
	g := &grower{b: b, columns: t.Columns, g: make([]float64, n), h: make([]float64, n)}
	values := make([]float64, n)
	for c := range t.Columns {
		for i := range n {
			values[i] = t.Data[i*t.Columns+c]
		}
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		e := edges(sorted, min(max(b.Bins, 2), 255))
		bin := make([]uint8, n)
		for i, v := range values {
			bin[i] = uint8(sort.SearchFloat64s(e, v))
		}
		g.edges, g.bins = append(g.edges, e), append(g.bins, bin)
	}
	return g
}

// edges are ascending values v such that "≤ v" parts the cases about evenly; the middle between two neighbours.
func edges(sorted []float64, bins int) []float64 {
	distinct := slices.Compact(slices.Clone(sorted))
	middle := func(i int) float64 { // between distinct[i] and the next
		m := distinct[i] + (distinct[i+1]-distinct[i])/2
		if m >= distinct[i+1] {
			m = distinct[i]
		}
		return m
	}
	var out []float64
	if len(distinct) <= bins {
		for i := range len(distinct) - 1 {
			out = append(out, middle(i))
		}
		return out
	}
	for k := 1; k < bins; k++ {
		v := sorted[k*len(sorted)/bins]
		i, _ := slices.BinarySearch(distinct, v)
		if i+1 >= len(distinct) {
			break
		}
		if m := middle(i); len(out) == 0 || m > out[len(out)-1] {
			out = append(out, m)
		}
	}
	return out
}

type open struct {
	node, depth int
	rows        []int32
}

// grow makes a tree of the gradients and adds its values to the scores.
func (g *grower) grow(rows []int32, score []float64) Tree {
	tree := Tree{{}}
	todo := []open{{0, 0, rows}}
	for len(todo) > 0 {
		o := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		column, cut, ok := -1, 0, false
		if o.depth < g.b.Depth && len(o.rows) >= 2*g.b.MinCases {
			column, cut, ok = g.split(o.rows)
		}
		if !ok {
			v := g.leaf(o.rows)
			tree[o.node].Value = v
			for _, r := range o.rows {
				score[r] += v
			}
			continue
		}
		left := partition(o.rows, g.bins[column], uint8(cut))
		l, r := len(tree), len(tree)+1
		tree = append(tree, Node{}, Node{})
		tree[o.node] = Node{Column: column, Cut: g.edges[column][cut], Left: l, Right: r, Value: float64(left) / float64(len(o.rows))}
		todo = append(todo, open{r, o.depth + 1, o.rows[left:]}, open{l, o.depth + 1, o.rows[:left]})
	}
	// Children come after their parents: going back, a question's value is the mean of its children's by their cases.
	for i := len(tree) - 1; i >= 0; i-- {
		if n := &tree[i]; n.Left != 0 {
			part := n.Value
			n.Value = part*tree[n.Left].Value + (1-part)*tree[n.Right].Value
		}
	}
	return tree
}

func (g *grower) leaf(rows []int32) float64 {
	var sg, sh float64
	for _, r := range rows {
		sg += g.g[r]
		sh += g.h[r]
	}
	return -g.b.Rate * sg / (sh + g.b.Penalty)
}

// partition puts the rows at or below a bin first, in a stable order, and says how many there are.
func partition(rows []int32, bins []uint8, cut uint8) int {
	right := make([]int32, 0, len(rows))
	n := 0
	for _, r := range rows {
		if bins[r] <= cut {
			rows[n] = r
			n++
		} else {
			right = append(right, r)
		}
	}
	copy(rows[n:], right)
	return n
}

// split is the best question about rows; the first of equal ones counts.
func (g *grower) split(rows []int32) (column, cut int, ok bool) {
	var sg, sh float64
	for _, r := range rows {
		sg += g.g[r]
		sh += g.h[r]
	}
	whole := sg * sg / (sh + g.b.Penalty)
	best := 1e-9
	var hist [256]struct {
		g, h float64
		n    int
	}
	for c := range g.columns {
		e := len(g.edges[c])
		if e == 0 {
			continue
		}
		clear(hist[:e+1])
		bins := g.bins[c]
		for _, r := range rows {
			b := &hist[bins[r]]
			b.g += g.g[r]
			b.h += g.h[r]
			b.n++
		}
		var lg, lh float64
		ln := 0
		for k := range e {
			lg += hist[k].g
			lh += hist[k].h
			ln += hist[k].n
			if ln < g.b.MinCases || len(rows)-ln < g.b.MinCases {
				continue
			}
			rg, rh := sg-lg, sh-lh
			if gain := lg*lg/(lh+g.b.Penalty) + rg*rg/(rh+g.b.Penalty) - whole; gain > best {
				best, column, cut, ok = gain, c, k, true
			}
		}
	}
	return column, cut, ok
}

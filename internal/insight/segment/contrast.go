package segment

import (
	"context"
	"math"
	"slices"
	"sort"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/stat/contrast"
	"github.com/guanxi-crm/guanxi/internal/stat/nearness"
)

// Subject is something known of every customer: a trait, or a choice of the customer's own fields. Source and Column are where the audience
// finds it.
type Subject struct {
	Key            string
	Trait          bool
	Numeric        bool // else it is one of some values
	Source, Column string
}

// Figure is a subject in two groups: of a number how many have a value, the mean and the variance, else how many have which value.
type Figure struct {
	Subject
	N              [2]int64
	Mean, Variance [2]float64
	Values         []Share
}

// Share is how many of each group have a value.
type Share struct {
	Value string
	N     [2]int64
}

// Difference is a Figure with what the test says. Corrected is the p-value for having asked about all subjects at once.
type Difference struct {
	Figure
	Test      contrast.Result
	Corrected float64
}

// Contrast is in what two segments differ. Who is in both is in neither group.
type Contrast struct {
	A, B, Both int
	List       []Difference // the most significant first, of equal ones those with the larger effect
}

// Believed is below which corrected p-value a difference is called one.
const Believed = 0.05

// Compare says in what the members of a segment differ from those of another one, or from everybody else where that is "".
func (s *Service) Compare(ctx context.Context, a, b string) (Contrast, error) {
	var out Contrast
	if err := may(ctx, access.SegmentRead); err != nil {
		return out, err
	}
	var nodes [2]*query.Node
	for i, key := range []string{a, b} {
		if key == "" && i == 1 {
			continue
		}
		seg, err := s.get(ctx, key)
		if err != nil {
			return out, err
		}
		nodes[i] = seg.Node()
	}
	sizes, figures, err := s.c.Audience.Contrast(ctx, nodes[0], nodes[1], s.c.Subjects(ctx))
	if err != nil {
		return out, err
	}
	out.A, out.B, out.Both = sizes[0], sizes[1], sizes[2]
	var p []float64
	for _, f := range figures {
		d := Difference{Figure: f}
		if f.Numeric {
			d.Test = contrast.Welch(contrast.Sample{N: f.N[0], Mean: f.Mean[0], Variance: f.Variance[0]}, contrast.Sample{N: f.N[1], Mean: f.Mean[1], Variance: f.Variance[1]})
		} else {
			var x, y []int64
			for _, v := range f.Values {
				x, y = append(x, v.N[0]), append(y, v.N[1])
			}
			d.Test = contrast.Independence(x, y)
		}
		if d.Test.OK {
			out.List, p = append(out.List, d), append(p, d.Test.P)
		}
	}
	for i, v := range contrast.Holm(p) {
		out.List[i].Corrected = v
	}
	sort.SliceStable(out.List, func(i, j int) bool {
		x, y := &out.List[i], &out.List[j]
		if sx, sy := x.Corrected < Believed, y.Corrected < Believed; sx != sy {
			return sx
		}
		return math.Abs(x.Test.Effect) > math.Abs(y.Test.Effect)
	})
	return out, nil
}

// Row is a customer with a value of each subject: float64, string, or nil for none.
type Row struct {
	In     bool
	Values []any
}

// Term is one summand of a score: Weight times the standardised number (cut off at four deviations, 0 without a value), or times 1 for those who
// have a value, or none at all (Missing).
type Term struct {
	Subject
	Weight    float64
	Mean, Dev float64
	Value     string
	Missing   bool
}

// Likeness is what tells the members of a segment from the rest, and who of the rest is most like them.
type Likeness struct {
	OK        bool // false where nothing could be learned: too few members or others
	AUC       float64
	Rows      int
	Terms     []Term // the weightiest first
	Customers []id.ID
	Segment   *Segment // when it was saved
}

const (
	learnMembers = 4000
	learnOthers  = 8000
	valuesMost   = 8 // of one subject
	leastShare   = 0.01
	cutOff       = 4
	ridge        = 1e-3
	similarMost  = 100_000
)

// Similar finds the customers outside of a segment that are most like its members, as limits let the reader see them. What the segment's own
// condition names tells nothing new and is left out. With a label they are saved as a static segment.
func (s *Service) Similar(ctx context.Context, key string, count int, l *query.Limits, label string) (Likeness, error) {
	var out Likeness
	need := access.SegmentRead
	if label != "" {
		need = access.SegmentWrite
	}
	if err := may(ctx, need); err != nil {
		return out, err
	}
	if count < 1 || count > similarMost {
		return out, fault.InvalidField("segment.similar_count", "count", fault.Params{"max": similarMost})
	}
	seg, err := s.get(ctx, key)
	if err != nil {
		return out, err
	}
	list, err := s.c.Store.List(ctx)
	if err != nil {
		return out, err
	}
	named := map[string]bool{}
	namesOf(byKey(list), seg.Where, named, []string{key})
	subjects := slices.DeleteFunc(s.c.Subjects(ctx), func(x Subject) bool { return named[x.Key] })
	rows, err := s.c.Audience.Drawn(ctx, seg.Node(), subjects, learnMembers, learnOthers)
	if err != nil {
		return out, err
	}
	terms, matrix, labels := features(subjects, rows)
	fit := nearness.Learn(matrix, labels, ridge)
	if !fit.OK {
		return out, nil
	}
	out.OK, out.AUC, out.Rows = true, fit.AUC, fit.Rows
	for i := range terms {
		terms[i].Weight = fit.Weights[i]
	}
	sort.SliceStable(terms, func(i, j int) bool { return math.Abs(terms[i].Weight) > math.Abs(terms[j].Weight) })
	out.Terms = terms
	if out.Customers, err = s.c.Audience.Nearest(ctx, &query.Node{Not: seg.Node()}, terms, l, count); err != nil || label == "" {
		return out, err
	}
	saved, err := s.CreateList(ctx, Draft{Label: &label, Folder: &seg.Folder}, out.Customers)
	out.Segment = &saved
	return out, err
}

// namesOf are the traits and fields that a condition names, also by the segments in it.
func namesOf(all map[string]Segment, where *query.Node, out map[string]bool, within []string) {
	if where == nil {
		return
	}
	query.Walk(where, func(n *query.Node, _ string) bool {
		out[n.Trait], out[n.Field] = true, true
		if n.Top != nil {
			out[n.Top.Trait] = true
		}
		if other, ok := all[n.Segment]; ok && !slices.Contains(within, n.Segment) {
			namesOf(all, other.Where, out, append(within, n.Segment))
		}
		return true
	})
}

// features make numbers of what is known: standardised numbers, whether there is one where that differs, and the frequent values of the rest.
func features(subjects []Subject, rows []Row) (terms []Term, matrix [][]float64, labels []bool) {
	n := float64(len(rows))
	matrix, labels = make([][]float64, len(rows)), make([]bool, len(rows))
	for i := range rows {
		labels[i] = rows[i].In
	}
	add := func(t Term, of func(v any) float64, at int) {
		terms = append(terms, t)
		for i := range rows {
			matrix[i] = append(matrix[i], of(rows[i].Values[at]))
		}
	}
	is := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	for at, s := range subjects {
		var sum, squares, known float64
		counts := map[string]float64{}
		for i := range rows {
			switch v := rows[i].Values[at].(type) {
			case float64:
				known++
				step := v - sum
				sum += step / known // the running mean, and the squares around it
				squares += step * (v - sum)
			case string:
				known++
				counts[v]++
			}
		}
		if s.Numeric && known > 1 && squares > 0 {
			dev := math.Sqrt(squares / (known - 1))
			add(Term{Subject: s, Mean: sum, Dev: dev}, func(v any) float64 {
				x, ok := v.(float64)
				if !ok {
					return 0
				}
				return max(-cutOff, min(cutOff, (x-sum)/dev))
			}, at)
		}
		if missing := n - known; missing >= leastShare*n && known >= leastShare*n {
			add(Term{Subject: s, Missing: true}, func(v any) float64 { return is(v == nil) }, at)
		}
		var values []string
		for v, c := range counts {
			if c >= leastShare*n && c < n {
				values = append(values, v)
			}
		}
		sort.Slice(values, func(i, j int) bool {
			if counts[values[i]] != counts[values[j]] {
				return counts[values[i]] > counts[values[j]]
			}
			return values[i] < values[j]
		})
		for _, value := range values[:min(valuesMost, len(values))] {
			add(Term{Subject: s, Value: value}, func(v any) float64 { return is(v == value) }, at)
		}
	}
	return terms, matrix, labels
}

package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/stat/cluster"
)

// Feature is a trait in which a group is unlike the mean customer.
type Feature struct {
	Trait string
	High  bool
	Apart float64 // deviations from the mean customer
	Mean  float64 // of the group, as it is stored
	All   float64 // of everyone
}

// Portrait is a group as it is now.
type Portrait struct {
	Label    string
	Count    int64   // customers now
	Share    float64 // of those in groups now
	Learned  float64 // the share when it was learned
	Means    []float64
	Apart    []float64
	Features []Feature // the most unlike first
}

// Portraits are all groups.
type Portraits struct {
	Traits    []Column
	Means     []float64
	Groups    []Portrait
	Trials    []cluster.Trial
	Suggested int
	Drift     float64 // population stability index of the sizes now against those learned: below 0.1 little, above 0.25 much
}

// unlike is from how many deviations on a group is told to be unlike the mean.
const unlike = 0.4

// Portraits describes what a state of the model found, with the sizes of now.
func (m *Model) Portraits(ctx context.Context, raw json.RawMessage) (*Portraits, error) {
	st, columns, err := m.state(raw)
	if err != nil {
		return nil, err
	}
	sizes, err := m.c.Store.Sizes(ctx)
	if err != nil {
		return nil, err
	}
	var all int64
	for g := range st.Groups {
		all += sizes[Label(g)]
	}
	out := &Portraits{Traits: columns, Means: st.Means, Trials: st.Trials, Suggested: st.Suggested}
	for g, v := range st.Groups {
		p := Portrait{Label: Label(g), Count: sizes[Label(g)], Learned: v.Share, Means: v.Means, Apart: v.Apart}
		if all > 0 {
			p.Share = float64(p.Count) / float64(all)
			a, b := math.Max(p.Share, 1e-4), math.Max(v.Share, 1e-4)
			out.Drift += (a - b) * math.Log(a/b)
		}
		for j, c := range columns {
			if math.Abs(v.Apart[j]) >= unlike {
				p.Features = append(p.Features, Feature{Trait: c.Key, High: v.Apart[j] > 0, Apart: v.Apart[j], Mean: v.Means[j], All: st.Means[j]})
			}
		}
		slices.SortStableFunc(p.Features, func(a, b Feature) int { return cmp.Compare(math.Abs(b.Apart), math.Abs(a.Apart)) })
		out.Groups = append(out.Groups, p)
	}
	return out, nil
}

package api

import (
	"cmp"
	"context"
	"math"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

type compareIn struct {
	A string `query:"a" doc:"key of a segment"`
	B string `query:"b" doc:"key of another one; everybody else when empty"`
}

// SegmentContrast is in what the members of two segments differ; who is in both is in neither group.
type SegmentContrast struct {
	A     int                 `json:"a" doc:"members of the first segment alone"`
	B     int                 `json:"b" doc:"members of the second alone"`
	Both  int                 `json:"both"`
	Asked int                 `json:"asked" doc:"how many traits and fields could be tested"`
	Items []SegmentDifference `json:"items" doc:"significant ones first, then by effect"`
}

// SegmentDifference is one trait or field in both groups.
type SegmentDifference struct {
	Key         string            `json:"key"`
	Kind        string            `json:"kind" enum:"trait,field"`
	Label       schema.Label      `json:"label"`
	Unit        schema.Label      `json:"unit,omitempty"`
	Type        string            `json:"type"`
	Significant bool              `json:"significant" doc:"the corrected p-value is below 0.05"`
	P           float64           `json:"p" doc:"of Welch's test of means, or of the chi-squared test of shares"`
	Corrected   float64           `json:"p_corrected" doc:"by Holm, for all that was asked"`
	Effect      float64           `json:"effect" doc:"Cohen's d, positive where the first has more, or Cramér's V"`
	A           DifferenceSide    `json:"a"`
	B           DifferenceSide    `json:"b"`
	Values      []DifferenceShare `json:"values,omitempty"`
}

// DifferenceSide is one group: how many have a value, and the mean of numbers, in the form of the trait.
type DifferenceSide struct {
	N    int64 `json:"n"`
	Mean any   `json:"mean"`
}

// DifferenceShare is how many of each group have a value; the rarer ones together have the empty key.
type DifferenceShare struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	A     int64        `json:"a"`
	B     int64        `json:"b"`
}

func (a *API) compareSegments(ctx context.Context, c *call, in compareIn) (SegmentContrast, error) {
	got, err := c.ws.Segments.Compare(ctx, in.A, in.B)
	if err != nil {
		return SegmentContrast{}, err
	}
	out := SegmentContrast{A: got.A, B: got.B, Both: got.Both, Asked: len(got.List), Items: []SegmentDifference{}}
	for i := range got.List {
		d := &got.List[i]
		k := c.known(d.Subject)
		v := SegmentDifference{Key: d.Key, Kind: k.kind, Label: k.label, Unit: k.unit, Type: k.typ, P: d.Test.P, Corrected: d.Corrected, Effect: d.Test.Effect,
			Significant: d.Corrected < segment.Believed, A: DifferenceSide{N: d.N[0]}, B: DifferenceSide{N: d.N[1]}}
		if d.Numeric {
			v.A.Mean, v.B.Mean = c.meanOf(d.Key, d.Mean[0]), c.meanOf(d.Key, d.Mean[1])
		}
		for _, s := range d.Values {
			v.Values = append(v.Values, DifferenceShare{Key: s.Value, Label: k.value(s.Value), A: s.N[0], B: s.N[1]})
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// known is what is shown of a trait or field.
type known struct {
	kind, typ   string
	label, unit schema.Label
	options     []schema.Option
}

func (k *known) value(key string) schema.Label {
	for _, o := range k.options {
		if o.Key == key {
			return o.Label
		}
	}
	return same(key)
}

func (c *call) known(s segment.Subject) known {
	if s.Trait {
		d, ok := c.ws.Catalogue().Find(s.Key)
		if !ok {
			return known{kind: "trait", label: same(s.Key)}
		}
		return known{kind: "trait", typ: traitType(d.Type, d.Scale), label: d.Label, unit: d.Unit, options: d.Options}
	}
	f := c.ws.Registry().Object(query.Customer).Field(s.Key)
	if f == nil {
		return known{kind: "field", label: same(s.Key)}
	}
	return known{kind: "field", typ: string(f.Type), label: f.Label, options: f.Options}
}

// meanOf is a mean in the form of the trait: numbers with two decimals, or four of shares.
func (c *call) meanOf(key string, mean float64) any {
	d, ok := c.ws.Catalogue().Find(key)
	if !ok || math.Abs(mean) > 1<<53 {
		return nil
	}
	switch d.Type {
	case schema.Date:
		return clock.Day(math.Round(mean)).String()
	case schema.Money:
		return TraitValue(d, int64(math.Round(mean)), c.ws.Info.Currency)
	}
	digits := math.Pow10(max(2, d.Scale))
	return math.Round(mean/math.Pow10(d.Scale)*digits) / digits
}

type similarIn struct {
	Key  string `path:"key"`
	Body struct {
		Count int    `json:"count" doc:"how many customers, 100 when 0"`
		Label string `json:"label,omitempty" doc:"saves them as a static segment of this name"`
	}
}

// SimilarCustomers are those outside of a segment who are most like its members.
type SimilarCustomers struct {
	OK        bool            `json:"ok" doc:"false where too few are in the segment or outside of it to learn from"`
	AUC       float64         `json:"auc" doc:"the chance that a member whom it did not see scores above somebody else; 0.5 tells nothing"`
	Rows      int             `json:"rows" doc:"customers that it learned from"`
	Customers int             `json:"customers"`
	Sample    []Sample        `json:"sample"`
	Reasons   []SimilarReason `json:"reasons" doc:"what tells members from the rest most"`
	Segment   *Segment        `json:"segment" doc:"when they were saved"`
}

// SimilarReason is one thing that members have more of, or less.
type SimilarReason struct {
	Key     string       `json:"key"`
	Label   schema.Label `json:"label"`
	Value   schema.Label `json:"value,omitempty" doc:"of choices"`
	Missing bool         `json:"missing,omitempty" doc:"it is that there is no value"`
	Weight  float64      `json:"weight" doc:"change of the log-odds by one deviation, or by having the value"`
}

// reasonsMost is how many reasons are shown.
const reasonsMost = 8

func (a *API) similarCustomers(ctx context.Context, c *call, in similarIn) (SimilarCustomers, error) {
	limits, err := c.ws.Records.Limits(ctx, query.Customer)
	if err != nil {
		return SimilarCustomers{}, err
	}
	got, err := c.ws.Segments.Similar(ctx, in.Key, cmp.Or(in.Body.Count, 100), limits, in.Body.Label)
	if err != nil {
		return SimilarCustomers{}, err
	}
	out := SimilarCustomers{OK: got.OK, AUC: got.AUC, Rows: got.Rows, Customers: len(got.Customers), Reasons: []SimilarReason{}}
	for i := range got.Terms {
		t := &got.Terms[i]
		if len(out.Reasons) == reasonsMost {
			break
		}
		k := c.known(t.Subject)
		r := SimilarReason{Key: t.Key, Label: k.label, Missing: t.Missing, Weight: t.Weight}
		if t.Value != "" {
			r.Value = k.value(t.Value)
		}
		out.Reasons = append(out.Reasons, r)
	}
	if got.Segment != nil {
		shown := a.showSegment(c, *got.Segment)
		out.Segment = &shown
		if err := a.Auth.Note(ctx, c.who.Workspace.Key, "segment.create", "segment", 0, map[string]any{"key": shown.Key}); err != nil {
			return out, err
		}
	}
	out.Sample, err = c.samples(ctx, got.Customers[:min(segment.SampleSize, len(got.Customers))])
	return out, err
}

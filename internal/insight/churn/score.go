package churn

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Score implements predict.Model. Everyone who bought has a rhythm; a risk has who is not lost yet, once the model could learn.
func (m *Model) Score(ctx context.Context, r predict.ScoreRequest) (int64, error) {
	var st state
	if err := json.Unmarshal(r.State, &st); err != nil {
		return 0, err
	}
	o := st.Options // of what was learned; where the bands lie may be set anew
	now, err := m.Read(r.Options)
	if err != nil {
		return 0, err
	}
	o.High, o.Medium = now.High, now.Medium
	rows := predict.NewSheet(len(Columns()))
	v := make([]any, len(Columns()))
	err = m.facts.Histories(ctx, r.Until, 0, func(customer int64, h []Fact) error {
		p, ok := look(h, r.Until, st.Typical)
		if !ok {
			return nil
		}
		limit := o.Limit(p.rhythm)
		clear(v)
		v[1], v[2] = int64(math.Round(p.rhythm*100)), int64(p.last)+int64(math.Round(p.rhythm))
		v[3], v[4] = int64(math.Round(p.raw[inOverdue]*100)), int64(limit)
		switch {
		case p.recency > limit:
			v[5] = Lost
		case st.Known:
			risk := st.probability(st.model().Score(st.row(&p)))
			v[0], v[5] = int64(math.Round(risk*10_000)), o.band(risk)
			if v[5] != Low {
				v[6] = st.driver(&p)
			}
		}
		rows.Add(customer, v)
		return ctx.Err()
	})
	if err != nil {
		return 0, err
	}
	return m.facts.Replace(ctx, rows.Rows, r.AtMilli, r.Mark)
}

// driver is the input that raises the risk most, nil where none does.
func (s *state) driver(p *picture) any {
	_, parts := s.model().Contributions(s.row(p))
	best := -1
	for j := range parts {
		if parts[j] > 0 && (best < 0 || parts[j] > parts[best]) {
			best = j
		}
	}
	if best < 0 {
		return nil
	}
	return inputs[s.Inputs[best]]
}

// reasonsOf is how many reasons are given.
const reasonsOf = 5

// Explain implements predict.Model. Effects are in log odds of being lost, against what is usual.
func (m *Model) Explain(ctx context.Context, raw json.RawMessage, customer int64) ([]predict.Reason, error) {
	return predict.Explain(ctx, m, raw, customer)
}

// Open implements predict.Opener.
func (m *Model) Open(raw json.RawMessage) (predict.Explainer, error) {
	st := &state{}
	if err := json.Unmarshal(raw, st); err != nil {
		return nil, err
	}
	return func(ctx context.Context, customer int64) ([]predict.Reason, error) { return m.why(ctx, st, customer) }, nil
}

func (m *Model) why(ctx context.Context, st *state, customer int64) ([]predict.Reason, error) {
	until, err := m.anchor(ctx)
	if err != nil {
		return nil, err
	}
	var out []predict.Reason
	err = m.facts.Histories(ctx, until, customer, func(_ int64, h []Fact) error {
		p, ok := look(h, until, st.Typical)
		if !ok {
			return nil
		}
		limit := st.Options.Limit(p.rhythm)
		if p.recency > limit {
			out = []predict.Reason{{Key: "lost", Params: map[string]any{"days": p.recency, "limit": limit}, Effect: 1, Trait: TraitBand}}
			return nil
		}
		if !st.Known {
			return nil
		}
		_, parts := st.model().Contributions(st.row(&p))
		for j, i := range st.Inputs {
			if math.Abs(parts[j]) < 0.02 {
				continue
			}
			out = append(out, predict.Reason{Key: inputs[i], Params: p.words(i), Effect: math.Round(parts[j]*1000) / 1000, Trait: TraitRisk})
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b predict.Reason) int { return cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect)) })
	return out[:min(len(out), reasonsOf)], err
}

// words are the parameters of the sentence about an input.
func (p *picture) words(i int) map[string]any {
	v := p.raw[i]
	switch i {
	case inBasket:
		return map[string]any{"value": predict.Money(int64(math.Round(v)))}
	case inDiscount, inRefunds, inBasketChange, inRegularity:
		return map[string]any{"value": predict.Share(v)}
	case inOverdue:
		return map[string]any{"value": predict.Figure(math.Round(v*10) / 10), "days": p.recency, "rhythm": predict.Figure(math.Round(p.rhythm))}
	case inSpendChange:
		return map[string]any{"value": predict.Money(int64(math.Round(v)))}
	}
	return map[string]any{"value": predict.Figure(math.Round(v))}
}

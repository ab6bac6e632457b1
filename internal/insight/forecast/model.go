package forecast

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Model is the place of forecasts in the model room: it measures them, and each night it has the watched figures looked at. It writes no traits.
type Model struct{ s *Service }

var _ predict.Model = (*Model)(nil)

// ModelKey is the key of the model.
const ModelKey = "forecast"

// NewModel makes a Model.
func NewModel(s *Service) *Model { return &Model{s} }

// About implements predict.Model.
func (m *Model) About() predict.About {
	return predict.About{Key: ModelKey, Page: "/forecast", Traits: []string{}, Refit: predict.Weekly, Measure: "mase"}
}

// Fit implements predict.Model: nothing is learned for later, since rows are continued when they are asked for; the card says how well that goes.
func (m *Model) Fit(ctx context.Context, r predict.Request) (predict.Fitted, error) {
	out := predict.Fitted{State: json.RawMessage(`{}`), Card: predict.Card{Until: r.Until}}
	chart := predict.Chart{Key: "errors", Kind: predict.Bars, Series: []predict.Series{{Key: "chosen"}, {Key: "peer"}}}
	var mase, peer, inner, outer, n float64
	figures := []Figure{Revenue, Orders, Customers, Quantity}
	for i, f := range figures {
		for _, p := range []Period{Day, Week, Month} {
			got, err := m.s.forecast(ctx, Ask{Figure: f, Period: p}, r.Until)
			if err != nil {
				return out, err
			}
			if got.Origins == 0 {
				continue
			}
			if p == Week {
				out.Card.Rows = max(out.Card.Rows, int64(got.Learned))
				if out.Card.From == 0 {
					out.Card.From = firstOf(got.Known)
				}
			}
			n++
			mase, peer, inner, outer = mase+got.Chosen.MASE, peer+got.Peer.MASE, inner+got.Cover80, outer+got.Cover95
			chart.X = append(chart.X, fmt.Sprintf("@%s_%s", f, p))
			chart.Series[0].Values = append(chart.Series[0].Values, predict.Finite(got.Chosen.SMAPE))
			chart.Series[1].Values = append(chart.Series[1].Values, predict.Finite(got.Peer.SMAPE))
		}
		if r.Progress != nil {
			r.Progress(float64(i+1) / float64(len(figures)))
		}
	}
	if n == 0 {
		out.Card.Notes = append(out.Card.Notes, predict.Note{Key: "too_short", Level: predict.Warning})
		return out, nil
	}
	naive := peer / n
	out.Card.Measures = []predict.Measure{{Key: "mase", Value: mase / n, Peer: &naive, PeerIs: "seasonal_naive", Better: predict.Lower},
		{Key: "cover80", Value: inner / n, Share: true}, {Key: "cover95", Value: outer / n, Share: true}}
	out.Card.Charts = []predict.Chart{chart}
	return out, nil
}

func firstOf(known []Known) clock.Day {
	for _, k := range known {
		return k.From
	}
	return 0
}

// Score implements predict.Model: the watched figures are forecast, and what came is noted.
func (m *Model) Score(ctx context.Context, _ predict.ScoreRequest) (int64, error) {
	_, err := m.s.Look(ctx)
	return 0, err
}

// Explain implements predict.Model: no customer has a score.
func (m *Model) Explain(context.Context, json.RawMessage, int64) ([]predict.Reason, error) {
	return nil, nil
}

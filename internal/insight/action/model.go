package action

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// The model and what it writes.
const (
	Key    = "action"
	Family = "m_action"
)

// PlayTraits and GainTraits are the columns of the family: the play of each rank, and its gain.
func PlayTraits() []string { return []string{"next_action", "next_action_2", "next_action_3"} }

// GainTraits are the gains, in minor units of the base currency.
func GainTraits() []string { return []string{"next_gain", "next_gain_2", "next_gain_3"} }

// Columns of the family in order.
func Columns() []string { return append(PlayTraits(), GainTraits()...) }

var _ predict.Model = (*Service)(nil)

// About implements predict.Model.
func (s *Service) About() predict.About {
	number := func(key, value string, least, most float64, unit string) predict.Option {
		return predict.Option{Key: key, Kind: predict.Number, Default: json.RawMessage(value), Min: &least, Max: &most, Unit: unit}
	}
	return predict.About{Key: Key, Page: "/actions", Traits: Columns(), Family: Family, Refit: predict.Daily, Measure: "learned",
		Options: []predict.Option{number("at_most", "1", 0, 20, ""), number("span", "7", 1, 90, "day")}}
}

// options are those of About.
type options struct {
	AtMost float64 `json:"at_most"`
	Span   float64 `json:"span"`
}

func readOptions(raw json.RawMessage) (o options, err error) {
	o = options{AtMost: 1, Span: 7}
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &o)
	}
	return o, err
}

// state is what a fit leaves. No person stands in it.
type state struct {
	Findings []Finding `json:"findings"`
	Basket   int64     `json:"basket"`
	Year     int64     `json:"year"`
}

// Fit implements predict.Model: windows that are over are counted, and what became of each play is compared with who was left out.
func (s *Service) Fit(ctx context.Context, r predict.Request) (predict.Fitted, error) {
	if err := s.count(ctx, r.Until); err != nil {
		return predict.Fitted{}, err
	}
	list, err := s.plays(ctx)
	if err != nil {
		return predict.Fitted{}, err
	}
	outcomes, err := s.c.Keeper.Outcomes(ctx)
	if err != nil {
		return predict.Fitted{}, err
	}
	var st state
	if st.Basket, st.Year, err = s.c.Facts.Usual(ctx); err != nil {
		return predict.Fitted{}, err
	}
	card := predict.Card{Until: r.Until}
	learned, on, held := 0, 0, 0
	for i := range list {
		p, o := &list[i], outcomes[list[i].Key]
		f := find(p, o)
		st.Findings = append(st.Findings, f)
		card.Rows += o.Treated.N + o.Control.N + o.Done.N
		if f.Learned {
			learned++
		}
		if p.On {
			on++
		}
		if p.Held > 0 {
			held++
		}
		if Judge(p, o).Mismatch {
			card.Notes = append(card.Notes, predict.Note{Key: "mismatch", Level: predict.Warning, Params: map[string]any{"play": predict.OptionOf(PlayTraits()[0], p.Key)}})
		}
	}
	card.Measures = []predict.Measure{{Key: "learned", Value: float64(learned)}}
	card.Parameters = []predict.Parameter{{Key: "plays", Value: float64(on)}, {Key: "held", Value: float64(held)}}
	switch {
	case on == 0:
		card.Notes = append(card.Notes, predict.Note{Key: "none", Level: predict.Info})
	case held == 0:
		card.Notes = append(card.Notes, predict.Note{Key: "by_rule", Level: predict.Info})
	case learned == 0:
		card.Notes = append(card.Notes, predict.Note{Key: "waiting", Level: predict.Info, Params: map[string]any{"people": enough, "acted": actors}})
	}
	raw, err := json.Marshal(st)
	return predict.Fitted{State: raw, Card: card}, err
}

const dueAtOnce = 20_000

// count counts the windows that are over: one question for each span of days.
func (s *Service) count(ctx context.Context, until clock.Day) error {
	for {
		due, err := s.c.Keeper.Due(ctx, until, dueAtOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		for i := 0; i < len(due); {
			j := i
			at := map[int64][]int{}
			for ; j < len(due) && due[j].From == due[i].From && due[j].To == due[i].To; j++ {
				at[due[j].Customer] = append(at[due[j].Customer], j)
			}
			err := s.c.Facts.Bought(ctx, due[i].From, due[i].To, func(customer, orders, revenue int64) {
				for _, k := range at[customer] {
					due[k].Orders, due[k].Revenue = orders, revenue
				}
			})
			if err != nil {
				return err
			}
			i = j
		}
		if err := s.c.Keeper.Close(ctx, due); err != nil {
			return err
		}
		if len(due) < dueAtOnce {
			return nil
		}
	}
}

// prepared is what ranking one night or one customer goes by. Plays that are off or do not work are not in it.
type prepared struct {
	ranker
	where  []*query.Node
	broken []string
}

// prepare reads what ranking goes by; customers nil are all.
func (s *Service) prepare(ctx context.Context, raw json.RawMessage, given json.RawMessage, customers []id.ID) (*prepared, error) {
	var st state
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &st); err != nil {
			return nil, err
		}
	}
	o, err := readOptions(given)
	if err != nil {
		return nil, err
	}
	all, err := s.plays(ctx)
	if err != nil {
		return nil, err
	}
	r := &prepared{ranker: ranker{found: map[string]*Finding{}, today: s.c.Today(), atMost: int(o.AtMost), span: int(o.Span), basket: st.Basket, year: st.Year, past: map[int64][]Choice{}}}
	for i := range st.Findings {
		r.found[st.Findings[i].Play] = &st.Findings[i]
	}
	for _, p := range all {
		if !p.On {
			continue
		}
		where := s.condition(&p)
		if err := s.c.Facts.Works(where); err != nil {
			r.broken = append(r.broken, p.Key)
			continue
		}
		r.plays, r.where = append(r.plays, p), append(r.where, where)
	}
	if r.turned, err = s.c.Keeper.Turned(ctx, customers); err != nil {
		return nil, err
	}
	past, err := s.c.Keeper.Choices(ctx, r.today, r.today-clock.Day(o.Span), customers)
	for _, c := range past {
		r.past[int64(c.Customer)] = append(r.past[int64(c.Customer)], c)
	}
	return r, err
}

// row is what is written for a customer.
type row struct {
	customer int64
	best     [Shown]Ranked
	n        int8
}

// night is a pass over everybody.
type night struct {
	*prepared
	day      clock.Day
	ids      func() id.ID
	tallies  []Tally
	place    map[string]int
	standing []map[int64]bool
	rows     []row
	cases    []Case
	offered  []Offer
}

// begin reads who is a case already.
func (s *Service) begin(ctx context.Context, prep *prepared, day clock.Day) (*night, error) {
	n := &night{prepared: prep, day: day, ids: s.c.IDs, tallies: make([]Tally, len(prep.plays)), place: map[string]int{}, standing: make([]map[int64]bool, len(prep.plays))}
	at := s.c.Clock.Now()
	for i := range prep.plays {
		p := &prep.plays[i]
		n.place[p.Key] = i
		n.tallies[i] = Tally{Play: p.Key, Day: day, At: at}
		if p.Held > 0 {
			var err error
			if n.standing[i], err = s.c.Keeper.Standing(ctx, p.Key, day-clock.Day(max(p.Window, p.Rest))); err != nil { //nolint:gosec // days of a play
				return nil, err
			}
		}
	}
	for _, key := range prep.broken {
		n.tallies = append(n.tallies, Tally{Play: key, Day: day, At: at, Broken: true})
	}
	return n, nil
}

// see takes one candidate.
func (n *night) see(c *Candidate) {
	for i, holds := range c.Holds {
		if !holds {
			continue
		}
		p, t := &n.plays[i], &n.tallies[i]
		t.Eligible++
		out := LeftOut(p.Key, c.Customer, p.Held)
		switch {
		case out:
			t.Held++
		case rest(n.past[c.Customer], p.Key, n.today) || n.full(c.Customer):
			t.Resting++
		}
		if p.Held > 0 && !n.standing[i][c.Customer] {
			n.cases = append(n.cases, Case{ID: n.ids(), Play: p.Key, Customer: c.Customer, Shown: !out, From: n.day, To: n.day + clock.Day(p.Window)}) //nolint:gosec // days of a play
		}
	}
	n.offered = n.offers(c, n.offered)
	if len(n.offered) == 0 {
		return
	}
	v := row{customer: c.Customer}
	for _, o := range n.offered[:min(len(n.offered), Shown)] {
		v.best[v.n] = Ranked{o.Play.Key, o.Gain}
		v.n++
		t := &n.tallies[n.place[o.Play.Key]]
		t.Offered++
		if t.Gain < math.MaxInt64/2 {
			t.Gain += o.Gain
		}
	}
	n.rows = append(n.rows, v)
}

// Score implements predict.Model: everybody's first three plays. Who is eligible for a play that leaves some out becomes a case.
func (s *Service) Score(ctx context.Context, r predict.ScoreRequest) (int64, error) {
	prep, err := s.prepare(ctx, r.State, r.Options, nil)
	if err != nil {
		return 0, err
	}
	n, err := s.begin(ctx, prep, r.Until)
	if err != nil {
		return 0, err
	}
	if len(prep.plays) > 0 {
		err = s.c.Facts.Eligible(ctx, prep.where, nil, func(c *Candidate) error {
			n.see(c)
			return ctx.Err()
		})
		if err != nil {
			return 0, err
		}
	}
	for part := range slices.Chunk(n.cases, casesAtOnce) {
		if err := s.c.Keeper.AddCases(ctx, part); err != nil {
			return 0, err
		}
	}
	scored, err := s.c.Facts.Replace(ctx, r.AtMilli, r.Mark, func(yield func(int64, []Ranked) bool) {
		for i := range n.rows {
			if !yield(n.rows[i].customer, n.rows[i].best[:n.rows[i].n]) {
				return
			}
		}
	})
	if err != nil {
		return 0, err
	}
	return scored, s.c.Keeper.SaveTallies(ctx, n.tallies)
}

const casesAtOnce = 2000

// Explain implements predict.Model.
func (s *Service) Explain(ctx context.Context, raw json.RawMessage, customer int64) ([]predict.Reason, error) {
	prep, err := s.prepare(ctx, raw, nil, []id.ID{id.ID(customer)})
	if err != nil {
		return nil, err
	}
	_, offers, err := s.eligible(ctx, prep, id.ID(customer))
	var out []predict.Reason
	for i, o := range offers[:min(len(offers), Shown)] {
		key := "rule"
		if o.Learned {
			key = "learned"
		}
		out = append(out, predict.Reason{Key: key, Trait: PlayTraits()[i], Effect: float64(o.Gain),
			Params: map[string]any{"play": predict.OptionOf(PlayTraits()[0], o.Play.Key), "gain": predict.Money(o.Gain), "lift": predict.Share(o.Lift), "worth": predict.Money(o.Worth), "cost": predict.Money(o.Play.Cost)}})
	}
	return out, err
}

// eligible works out a customer's offers now.
func (s *Service) eligible(ctx context.Context, prep *prepared, customer id.ID) (stage string, out []Offer, err error) {
	if len(prep.plays) == 0 {
		return "", nil, nil
	}
	err = s.c.Facts.Eligible(ctx, prep.where, []id.ID{customer}, func(c *Candidate) error {
		stage, out = c.Stage, prep.offers(c, nil)
		return nil
	})
	return stage, out, err
}

package churn

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/stat/classify"
	"github.com/guanxi-crm/guanxi/internal/stat/gain"
)

const (
	sample    = 60_000 // customers that are learned from at most, about
	fewest    = 50     // cases that it takes
	fewestOf  = 10     // cases of either kind
	cuts      = 4      // days that are learned from at most
	before    = 60     // days of history before the first cut day
	step      = 45     // days between cut days, at least
	leakAbove = 0.98   // AUC of an input alone
)

// mix spreads ids evenly, so that a part of them is a fair sample.
func mix(v uint64) uint64 {
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	v *= 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}

// kept are the histories of a fair sample of customers.
type kept struct {
	every  uint64
	ids    []int64
	list   [][]Fact
	gaps   gaps
	first  clock.Day
	events clock.Day // the first with behaviour
	people int64
}

func (k *kept) add(customer int64, h []Fact) {
	if !slices.ContainsFunc(h, func(f Fact) bool { return f.Kind == Purchase }) {
		return
	}
	k.people++
	k.gaps.add(h)
	for _, f := range h {
		if f.Kind == Purchase && (k.first == 0 || f.Day < k.first) {
			k.first = f.Day
		}
		if f.Kind == Behaviour && (k.events == 0 || f.Day < k.events) {
			k.events = f.Day
		}
	}
	if mix(uint64(customer))%k.every != 0 {
		return
	}
	k.ids, k.list = append(k.ids, customer), append(k.list, slices.Clone(h))
	if len(k.ids) < 2*sample {
		return
	}
	k.every *= 2
	n := 0
	for i, id := range k.ids {
		if mix(uint64(id))%k.every == 0 {
			k.ids[n], k.list[n] = id, k.list[i]
			n++
		}
	}
	clear(k.list[n:])
	k.ids, k.list = k.ids[:n], k.list[:n]
}

// cases are those of some cut days.
type cases struct {
	table  *classify.Table
	y      []bool
	simple []float64 // the score of the simple rule
}

func newCases() *cases { return &cases{table: classify.NewTable(inCount, 0)} }

// at adds the cases of a cut day whose label is known by the day `end`; who names the customers that count.
func (c *cases) at(k *kept, o Options, typical float64, cut, end clock.Day, who func(id int64) bool) {
	gap := clock.Day(o.Gap)
	for i, h := range k.list {
		if !who(k.ids[i]) {
			continue
		}
		p, ok := look(h, cut, typical)
		if !ok {
			continue
		}
		limit := o.Limit(p.rhythm)
		if p.recency > limit || cut+gap+clock.Day(limit) > end {
			continue
		}
		back := slices.ContainsFunc(h, func(f Fact) bool {
			return f.Kind == Purchase && f.Day > cut+gap && f.Day <= cut+gap+clock.Day(limit)
		})
		c.table.Add(p.row[:])
		c.y = append(c.y, !back)
		c.simple = append(c.simple, p.raw[inOverdue])
	}
}

func (c *cases) kinds() (lost, stayed int) {
	for _, v := range c.y {
		if v {
			lost++
		} else {
			stayed++
		}
	}
	return lost, stayed
}

func (c *cases) only(columns []int) *classify.Table {
	rows := make([]int, len(c.y))
	for i := range rows {
		rows[i] = i
	}
	return c.table.Take(rows, columns)
}

// split is how time was parted.
type split struct {
	train []clock.Day
	test  clock.Day
	end   clock.Day // the last day of labels of the test
	apart bool      // time did not suffice: other customers are measured on
}

// part chooses the cut days; ok is false when the history is too short for any.
func part(r predict.Request, o Options, first clock.Day) (s split, ok bool) {
	window := clock.Day(o.longest()) + clock.Day(o.Gap)
	s.end, s.test = r.Until, r.Until-window
	if r.HeldUntil != 0 {
		s.end, s.test = r.HeldUntil, r.Until
	}
	earliest := first + before
	stride := max(clock.Day(step), window/2)
	for at := s.test - window; at >= earliest && len(s.train) < cuts; at -= stride {
		s.train = append(s.train, at)
	}
	if len(s.train) > 0 || r.HeldUntil != 0 {
		return s, len(s.train) > 0
	}
	s.apart = true
	for at := s.test - step; at >= earliest && len(s.train) < cuts; at -= step {
		s.train = append(s.train, at)
	}
	if len(s.train) == 0 && s.test >= earliest {
		s.train = append(s.train, s.test)
	}
	return s, len(s.train) > 0
}

// Fit implements predict.Model.
func (m *Model) Fit(ctx context.Context, r predict.Request) (predict.Fitted, error) {
	o, err := m.Read(r.Options)
	if err != nil {
		return predict.Fitted{}, err
	}
	last := max(r.Until, r.HeldUntil)
	k := &kept{every: 1, gaps: gaps{}}
	if err := m.facts.Histories(ctx, last, 0, func(customer int64, h []Fact) error {
		k.add(customer, h)
		return ctx.Err()
	}); err != nil {
		return predict.Fitted{}, err
	}
	st := state{Options: o, Typical: k.gaps.median()}
	card := predict.Card{From: k.first, Until: r.Until, Parameters: []predict.Parameter{{Key: "typical", Value: st.Typical}}}
	learn(r, k, &st, &card)
	raw, err := json.Marshal(st)
	return predict.Fitted{State: raw, Card: card}, err
}

func (c *cardMaker) note(key string, level predict.Level, params map[string]any) {
	c.Notes = append(c.Notes, predict.Note{Key: key, Level: level, Params: params})
}

type cardMaker struct{ *predict.Card }

// learn fills the state and the card; what cannot be learned leaves a note.
func learn(r predict.Request, k *kept, st *state, into *predict.Card) {
	card := cardMaker{into}
	o := st.Options
	if k.people < fewest {
		card.note("too_few", predict.Warning, map[string]any{"have": k.people, "need": fewest})
		return
	}
	s, ok := part(r, o, k.first)
	if !ok {
		card.note("too_short", predict.Warning, map[string]any{"days": int64(r.Until - k.first), "need": int64(o.longest()) + int64(o.Gap) + before})
		return
	}
	none := func(id int64) uint64 { return mix(uint64(id)+0x9e37) % 15 }
	checks := func(id int64) bool { return none(id)%5 == 0 } // calibration and when to stop
	tests := func(int64) bool { return true }
	teaches := func(id int64) bool { return !checks(id) }
	if s.apart {
		tests = func(id int64) bool { return none(id)%3 == 0 }
		teaches = func(id int64) bool { return !tests(id) && !checks(id) }
	}
	train, check, test := newCases(), newCases(), newCases()
	labels := s.test // labels of what teaches are known before the test begins
	if s.apart {
		labels = s.end
	}
	for _, at := range s.train {
		train.at(k, o, st.Typical, at, labels, teaches)
		check.at(k, o, st.Typical, at, labels, func(id int64) bool { return checks(id) && (!s.apart || !tests(id)) })
	}
	test.at(k, o, st.Typical, s.test, s.end, tests)
	lost, stayed := train.kinds()
	card.Rows = int64(lost + stayed)
	switch {
	case lost+stayed < fewest:
		card.note("too_few", predict.Warning, map[string]any{"have": lost + stayed, "need": fewest})
		return
	case lost < fewestOf:
		card.note("nobody_lost", predict.Warning, map[string]any{"lost": lost, "need": fewestOf})
		return
	case stayed < fewestOf:
		card.note("everybody_lost", predict.Warning, map[string]any{"stayed": stayed, "need": fewestOf})
		return
	}
	st.Inputs = card.choose(k, s, train)
	if len(st.Inputs) == 0 {
		card.note("no_inputs", predict.Warning, nil)
		return
	}
	st.Known = true
	if s.apart {
		card.note("overlap", predict.Warning, nil)
	}
	logistic, trees := fitBoth(st.Inputs, train, check)
	card.measure(st, s, logistic, trees, check, test)
}

func fitBoth(columns []int, train, check *cases) (*classify.Logistic, *classify.Trees) {
	x := train.only(columns)
	b := classify.DefaultBoost()
	b.MinCases = max(5, min(b.MinCases, len(train.y)/50))
	return classify.FitLogistic(x, train.y, 1), classify.FitTrees(x, train.y, check.only(columns), check.y, b)
}

// choose leaves out inputs that say nothing, those that began too late, and those that say too much.
func (c *cardMaker) choose(k *kept, s split, train *cases) []int {
	var out []int
	oldest := slices.Min(s.train)
	column := make([]float64, len(train.y))
	for i := range inCount {
		behaviour := i == inBehaviour30 || i == inBehaviour90 || i == inSilence
		if behaviour && (k.events == 0 || k.events > oldest-90) {
			continue // not recorded yet when the first cases were
		}
		varied := false
		for r := range column {
			column[r] = train.table.Row(r)[i]
			varied = varied || column[r] != column[0]
		}
		if !varied {
			continue
		}
		if auc, ok := gain.AUC(column, train.y); ok && max(auc, 1-auc) > leakAbove {
			c.note("leak", predict.Warning, map[string]any{"input": predict.Word("input." + inputs[i]), "auc": predict.Figure(max(auc, 1-auc))})
			continue
		}
		out = append(out, i)
	}
	if k.events != 0 && k.events > oldest-90 {
		c.note("behaviour_late", predict.Info, map[string]any{"day": predict.Day(k.events)})
	}
	return out
}

// calibrate chooses between the two ways on one half of the cases by what they make of the other.
func calibrate(st *state, scores []float64, y []bool) {
	pick := func(odd bool) (s []float64, l []bool) {
		for i := range scores {
			if (i%2 == 1) == odd {
				s, l = append(s, scores[i]), append(l, y[i])
			}
		}
		return s, l
	}
	platt := classify.FitPlatt(scores, y)
	st.Platt = &platt
	if len(scores) < 1000 {
		return
	}
	fs, fy := pick(false)
	hs, hy := pick(true)
	a, b := classify.FitPlatt(fs, fy), classify.FitIsotonic(fs, fy)
	pa, pb := make([]float64, len(hs)), make([]float64, len(hs))
	for i, s := range hs {
		pa[i], pb[i] = a.Probability(s), b.Probability(s)
	}
	if classify.Brier(pb, hy) < classify.Brier(pa, hy)-1e-4 {
		iso := classify.FitIsotonic(scores, y)
		st.Platt, st.Isotonic = nil, &iso
	}
}

// measure takes the better of the two, calibrates it, and says how good it is on the last cut day.
func (c *cardMaker) measure(st *state, s split, logistic *classify.Logistic, trees *classify.Trees, check, test *cases) {
	x := test.only(st.Inputs)
	a, b := classify.Scores(logistic, x), classify.Scores(trees, x)
	aucA, ok := gain.AUC(a, test.y)
	aucB, _ := gain.AUC(b, test.y)
	scores := a
	st.Logistic = logistic
	if st.Options.Learner == "trees" || st.Options.Learner == "better" && ok && aucB > aucA {
		st.Logistic, st.Trees, scores = nil, trees, b
	}
	if len(check.y) > 0 {
		calibrate(st, classify.Scores(st.model(), check.only(st.Inputs)), check.y)
	}
	if !ok {
		c.note("test_alike", predict.Warning, nil)
		return
	}
	c.HeldFrom, c.HeldUntil = s.test+1, s.end
	p := make([]float64, len(scores))
	mean := 0.0
	for i, v := range scores {
		p[i] = st.probability(v)
		mean += float64(btoi(test.y[i])) / float64(len(p))
	}
	constant := make([]float64, len(p))
	for i := range constant {
		constant[i] = mean
	}
	add := func(key string, value float64, peer *float64, peerIs string, better predict.Better, share bool) {
		if predict.Finite(value) != nil {
			c.Measures = append(c.Measures, predict.Measure{Key: key, Value: value, Peer: peer, PeerIs: peerIs, Better: better, Share: share})
		}
	}
	simple, _ := gain.AUC(test.simple, test.y)
	pr, _ := classify.PRAUC(scores, test.y)
	simplePR, _ := classify.PRAUC(test.simple, test.y)
	lift, _ := classify.Lift(scores, test.y, .1)
	simpleLift, _ := classify.Lift(test.simple, test.y, .1)
	add("auc", max(aucOf(scores, test.y), 0), &simple, "overdue", predict.Higher, false)
	add("pr_auc", pr, &simplePR, "overdue", predict.Higher, false)
	add("brier", classify.Brier(p, test.y), predict.Finite(classify.Brier(constant, test.y)), "mean", predict.Lower, false)
	add("lift_10", lift, &simpleLift, "overdue", predict.Higher, false)
	add("auc_logistic", aucA, nil, "", predict.Higher, false)
	add("auc_trees", aucB, nil, "", predict.Higher, false)
	add("lost_share", mean, nil, "", "", true)
	add("cases", float64(len(test.y)), nil, "", "", false)
	c.charts(p, test.y)
	c.weigh(st, x)
	key := "logistic"
	if st.Trees != nil {
		key = "trees"
	}
	c.note("uses_"+key, predict.Info, map[string]any{"logistic": predict.Figure(aucA), "trees": predict.Figure(aucB)})
}

func aucOf(scores []float64, y []bool) float64 {
	v, _ := gain.AUC(scores, y)
	return v
}

func btoi(v bool) int {
	if v {
		return 1
	}
	return 0
}

func (c *cardMaker) charts(p []float64, y []bool) {
	cal := predict.Chart{Key: "calibration", Kind: predict.Lines, Series: []predict.Series{{Key: "said"}, {Key: "came"}}}
	for _, b := range classify.Calibration(p, y, 10) {
		cal.X = append(cal.X, strconv.Itoa(int(math.Round(b.Said*100)))+"%")
		cal.Series[0].Values = append(cal.Series[0].Values, predict.Finite(math.Round(b.Said*1000)/10))
		cal.Series[1].Values = append(cal.Series[1].Values, predict.Finite(math.Round(b.Came*1000)/10))
	}
	c.Charts = append(c.Charts, cal)
}

// weigh says how much each input moves scores: the mean size of its contributions.
func (c *cardMaker) weigh(st *state, x *classify.Table) {
	sums := make([]float64, len(st.Inputs))
	all := 0.0
	mean := make([]float64, len(st.Inputs))
	n := min(x.Rows(), 5000)
	parts := make([][]float64, n)
	for i := range n {
		_, parts[i] = st.model().Contributions(x.Row(i))
		for j, v := range parts[i] {
			mean[j] += v / float64(n)
		}
	}
	for _, row := range parts {
		for j, v := range row {
			sums[j] += math.Abs(v - mean[j])
			all += math.Abs(v - mean[j])
		}
	}
	if !(all > 0) {
		return
	}
	for j, i := range st.Inputs {
		c.Inputs = append(c.Inputs, predict.Input{Key: inputs[i], Weight: sums[j] / all})
	}
	slices.SortStableFunc(c.Inputs, func(a, b predict.Input) int { return cmp.Compare(b.Weight, a.Weight) })
}

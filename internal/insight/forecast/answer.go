package forecast

import (
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/stat/forecast"
)

// usual is how many days a period has.
func usual(p Period) float64 {
	switch p {
	case Week:
		return 7
	case Month:
		return 30.4375
	}
	return 1
}

// tolerance is how much worse the past may look with the calendar and it still counts: what was asked of the past seldom has the holiday in it that
// comes next.
const tolerance = 1.05

// answer continues the row.
func (r *row) answer() *Answer {
	a := r.ask
	out := &Answer{Ask: a, Anchor: r.anchor, Known: r.periods}
	learned := r.learned()
	out.Learned = len(learned)
	if len(learned) == 0 {
		out.Notes = append(out.Notes, "empty")
		return out
	}
	h := horizons[a.Period]
	from := learned[len(learned)-1].To + 1
	for range a.Horizon {
		to := next(a.Period, from) - 1
		out.Ahead = append(out.Ahead, Ahead{From: from, To: to})
		from = to + 1
	}
	spans := holidays(r.first, out.Ahead[len(out.Ahead)-1].To)
	calendar := forecast.Learn(r.days[:max(0, min(len(r.days), int(r.complete-r.first)+1))], int(r.first), spans)
	y, factors := make([]float64, len(learned)), make([]float64, len(learned))
	for i, k := range learned {
		y[i] = k.Value
		factors[i] = calendar.Factor(int(k.From), int(k.To), usual(a.Period))
	}
	plain := forecast.Run(forecast.Ask{Y: y, Season: h.season, Horizon: a.Horizon})
	best, ahead := plain, make([]float64, a.Horizon)
	for i, p := range out.Ahead {
		ahead[i] = calendar.Factor(int(p.From), int(p.To), usual(a.Period))
	}
	if differs(factors) || differs(ahead) {
		adjusted := forecast.Run(forecast.Ask{Y: divided(y, factors), Season: h.season, Horizon: a.Horizon})
		if adjusted.Origins > 0 && adjusted.Chosen.SMAPE <= plain.Chosen.SMAPE*tolerance {
			best, out.Calendar = adjusted, true
		}
	}
	out.fill(best, ahead, factors)
	if out.Calendar {
		out.Effects = slices.DeleteFunc(calendar.Effects(), func(e forecast.Effect) bool { return e.Factor == 1 })
	}
	out.mark(spans)
	out.note(y, h.season, best)
	out.compare()
	return out
}

func differs(factors []float64) bool {
	for _, f := range factors {
		if f < 0.995 || f > 1.005 {
			return true
		}
	}
	return false
}

func divided(y, by []float64) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		out[i] = v / by[i]
	}
	return out
}

// learned are the periods that are learned from: whole ones, from the first with a sale, the newest.
func (r *row) learned() []Known {
	list := r.periods
	for len(list) > 0 && list[0].Partial {
		list = list[1:]
	}
	for len(list) > 0 && list[len(list)-1].Partial {
		list = list[:len(list)-1]
	}
	return list[max(0, len(list)-horizons[r.ask.Period].kept):]
}

func (a *Answer) fill(r forecast.Result, ahead, factors []float64) {
	at := func(list []float64, i int) float64 {
		if a.Calendar {
			return list[i] * ahead[i]
		}
		return list[i]
	}
	for i := range a.Ahead {
		p := &a.Ahead[i]
		p.Mean, p.Low80, p.High80, p.Low95, p.High95 = at(r.Mean, i), at(r.Low80, i), at(r.High80, i), at(r.Low95, i), at(r.High95, i)
		a.Sum += p.Mean
	}
	last := len(a.Known) - 1
	for last >= 0 && a.Known[last].Partial {
		last--
	}
	for i := range r.Fitted {
		v := r.Fitted[i]
		if a.Calendar {
			v *= factors[i]
		}
		a.Known[last-len(r.Fitted)+1+i].Fitted = &v
	}
	a.Method, a.Errors, a.Chosen, a.Peer, a.Origins, a.Cover80, a.Cover95 = r.Method, r.Errors, r.Chosen, r.Peer, r.Origins, r.Cover80, r.Cover95
}

// mark names the holidays of periods. In months only those that move are told.
func (a *Answer) mark(spans []forecast.Span) {
	of := func(from, to clock.Day) (keys []string) {
		for _, s := range spans {
			if clock.Day(s.From) <= to && clock.Day(s.To) >= from && (a.Period != Month || moving[s.Key]) && !slices.Contains(keys, s.Key) {
				keys = append(keys, s.Key)
			}
		}
		return keys
	}
	for i := range a.Known {
		a.Known[i].Holidays = of(a.Known[i].From, a.Known[i].To)
	}
	for i := range a.Ahead {
		a.Ahead[i].Holidays = of(a.Ahead[i].From, a.Ahead[i].To)
	}
}

func (a *Answer) note(y []float64, season int, r forecast.Result) {
	if r.Short {
		a.Notes = append(a.Notes, "short")
	}
	if r.Constant {
		a.Notes = append(a.Notes, "constant")
	}
	empty := 0
	for _, v := range y {
		if v == 0 {
			empty++
		}
	}
	if 10*empty >= 3*len(y) {
		a.Notes = append(a.Notes, "intermittent")
	}
	if len(y) < 2*season {
		a.Notes = append(a.Notes, "seasonless")
	}
}

// compare sums as many periods that ended a year before.
func (a *Answer) compare() {
	back := horizons[a.Period].season
	if a.Period == Day {
		back = 364
	}
	begin := -1
	for i, k := range a.Known {
		if k.To == a.Ahead[0].From-1 {
			begin = i + 1 - back
		}
	}
	if begin < 0 || begin+len(a.Ahead) > len(a.Known) {
		return
	}
	sum := 0.0
	for _, k := range a.Known[begin : begin+len(a.Ahead)] {
		if k.Partial {
			return
		}
		sum += k.Value
	}
	a.Before = &sum
}

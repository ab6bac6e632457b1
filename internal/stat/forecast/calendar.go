package forecast

import (
	"math"
	"slices"
)

// Span is a run of days, both included, on which the same holiday falls. Days are counted from 1970-01-01.
type Span struct {
	Key      string
	From, To int
}

// Effect is what a holiday did to the days it fell on: 1.5 is half as much again as such days bring otherwise. Seen is how often it was
// there to be measured.
type Effect struct {
	Key    string
	Factor float64
	Seen   int
}

// Calendar is what the days of a company are worth beside each other: by day of the week and on holidays. The zero value says that
// all days are alike.
type Calendar struct {
	week    [7]float64
	effects map[string]Effect
	spans   []Span // by From
}

const (
	around  = 28   // days before and after a holiday that it is compared with
	surely  = 2.6  // how many standard errors an effect must be away from none
	weakest = 0.05 // the least a factor can be
)

// weekday is 0 on Monday; day 0 was a Thursday.
func weekday(day int) int { return ((day+3)%7 + 7) % 7 }

// Learn measures the days of a row that begins on day first: each holiday against the same days of the week in four weeks before and
// after, which no holiday falls on. An effect that chance may have made counts as none.
func Learn(y []float64, first int, spans []Span) Calendar {
	c := Calendar{effects: map[string]Effect{}, spans: slices.Clone(spans)}
	slices.SortFunc(c.spans, func(a, b Span) int { return a.From - b.From })
	if len(y) < 8*7 {
		return c
	}
	special := make([]bool, len(y))
	for _, s := range spans {
		for d := max(s.From-first, 0); d <= min(s.To-first, len(y)-1); d++ {
			special[d] = true
		}
	}
	var sums, counts [7]float64
	for i, v := range y {
		if !special[i] {
			sums[weekday(first+i)] += v
			counts[weekday(first+i)]++
		}
	}
	mean := 0.0
	for d := range 7 {
		sums[d] /= math.Max(counts[d], 1)
		mean += sums[d] / 7
	}
	if !(mean > 0) {
		return c
	}
	for d := range 7 {
		c.week[d] = sums[d] / mean
	}
	noise := dayNoise(y, first, special)
	type found struct {
		log  float64
		days int
		n    int
	}
	byKey := map[string]found{}
	for _, s := range c.spans {
		if s.From < first || s.To >= first+len(y) {
			continue
		}
		var actual, usual float64
		for d := s.From; d <= s.To; d++ {
			b, ok := baseline(y, d-first, special)
			if !ok {
				usual = 0
				break
			}
			actual += y[d-first]
			usual += b
		}
		if !(usual > 0) {
			continue
		}
		f := byKey[s.Key]
		f.log += math.Log(math.Max(actual/usual, weakest))
		f.days += s.To - s.From + 1
		f.n++
		byKey[s.Key] = f
	}
	for key, f := range byKey {
		effect := f.log / float64(f.n)
		e := Effect{Key: key, Factor: 1, Seen: f.n}
		if math.Abs(effect) > surely*noise/math.Sqrt(float64(f.days)) {
			e.Factor = math.Exp(effect * float64(f.n) / (float64(f.n) + 0.25)) // seen once it is believed less
		}
		c.effects[key] = e
	}
	return c
}

// baseline is what a day would bring if it were none special.
func baseline(y []float64, i int, special []bool) (float64, bool) {
	var s float64
	n := 0
	for off := 7; off <= around; off += 7 {
		for _, j := range []int{i - off, i + off} {
			if j >= 0 && j < len(y) && !special[j] {
				s += y[j]
				n++
			}
		}
	}
	return s / float64(max(n, 1)), n >= 3
}

// dayNoise is the spread of the logarithm of a plain day against its baseline.
func dayNoise(y []float64, first int, special []bool) float64 {
	var squares float64
	n := 0
	for i, v := range y {
		if special[i] {
			continue
		}
		if b, ok := baseline(y, i, special); ok && b > 0 {
			l := math.Log(math.Max(v/b, weakest))
			squares += l * l
			n++
		}
	}
	if n < 14 {
		return math.Inf(1)
	}
	return math.Sqrt(squares / float64(n))
}

// Effects are those that were measured, by key.
func (c Calendar) Effects() []Effect {
	out := make([]Effect, 0, len(c.effects))
	for _, e := range c.effects {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Effect) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return out
}

// day is the factor of the holidays of a day; of several the strongest counts.
func (c Calendar) day(d int) float64 {
	best := 1.0
	for _, s := range c.spans {
		if s.From > d {
			break
		}
		if s.To < d {
			continue
		}
		if e, ok := c.effects[s.Key]; ok && math.Abs(math.Log(e.Factor)) > math.Abs(math.Log(best)) {
			best = e.Factor
		}
	}
	return best
}

// Factor is what the days from one to another are worth against ordinary days: as many as usual (30.4375 is the mean of months) and of
// ordinary weeks. Divide a row by it before it is continued and multiply what comes out.
func (c Calendar) Factor(from, to int, usual float64) float64 {
	days := to - from + 1
	if days <= 0 || usual <= 0 {
		return 1
	}
	if days == 1 {
		return c.day(from)
	}
	s := 0.0
	for d := from; d <= to; d++ {
		w := c.week[weekday(d)]
		if c.week == ([7]float64{}) {
			w = 1
		}
		s += w * c.day(d)
	}
	return math.Max(s/usual, weakest)
}

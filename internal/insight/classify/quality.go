package classify

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/stat/cut"
)

// Quality says whether a classification is worth having: whether its classes are of useful sizes, last, say something that others
// do not say, and tell what customers will purchase.
type Quality struct {
	Classes []ClassQuality
	Now     clock.Day
	Known   Known
	// Balance is the entropy of the sizes over that of equal ones: 1 for equal classes, 0 where everyone is in one.
	Balance float64
	// Stable are the shares of customers who are in the class of so many days ago; -1 where that is not known.
	Stable30, Stable90 float64
	// Later is the span whose purchases are compared: the 90 days after the day on which the classes are taken.
	Later    int
	LaterDay clock.Day // 0 where no earlier day is known
	// Explained is the share of the variance of later revenue between classes (eta squared).
	Explained float64
	Overlaps  []Overlap
}

// ClassQuality is what is said of one class. Shares are of all customers.
type ClassQuality struct {
	Key                string
	N                  int64
	Share              float64
	Stable30, Stable90 float64
	// Mean is the later revenue of one customer of the class, Rest that of everyone else, Lift their ratio with a 95 % interval; -1
	// where there is nothing to compare.
	Then            int64
	Mean, Rest      float64
	Lift, Low, High float64
	Buying          float64
}

// Overlap is how much one classification says of another.
type Overlap struct {
	Other Classification
	// V is Cramér's V, corrected for the size of the table (Bergsma 2013).
	V float64
}

const laterDays = 90

// Quality reports on a classification.
func (s *Service) Quality(ctx context.Context, key string) (q Quality, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return q, err
	}
	c, err := s.get(ctx, key)
	if err != nil {
		return q, err
	}
	p := s.c.Past
	known := false
	if q.Known, known, err = p.Known(ctx, key); err != nil {
		return q, err
	}
	if q.Now, _, err = p.Days(ctx); err != nil {
		return q, err
	}
	counts, err := s.c.Board.Counts(ctx, key)
	if err != nil {
		return q, err
	}
	q.Classes, q.Balance = sizes(c, counts)
	q.Stable30, q.Stable90, q.Later = -1, -1, laterDays
	if known {
		for _, span := range []clock.Day{30, 90} {
			if q.Now-span < q.Known.Since {
				continue
			}
			flows, err := p.Flows(ctx, key, q.Now-span, q.Now)
			if err != nil {
				return q, err
			}
			q.stable(flows, span == 30)
		}
		if day := q.Now - laterDays; day >= q.Known.Since {
			sums, err := p.Later(ctx, key, day, q.Now)
			if err != nil {
				return q, err
			}
			q.LaterDay = day
			q.lift(sums)
		}
	}
	others, err := s.ordered(ctx)
	if err != nil {
		return q, err
	}
	for _, o := range others {
		if o.Key == key {
			continue
		}
		pairs, err := p.Together(ctx, key, o.Key)
		if err != nil {
			return q, err
		}
		q.Overlaps = append(q.Overlaps, Overlap{Other: o, V: Cramer(pairs)})
	}
	slices.SortStableFunc(q.Overlaps, func(a, b Overlap) int { return cmp.Compare(b.V, a.V) })
	return q, nil
}

func sizes(c Classification, counts map[string]int) (out []ClassQuality, balance float64) {
	all := 0
	for _, cl := range c.Classes {
		all += counts[cl.Key]
	}
	for _, st := range stagesOf(c) {
		v := ClassQuality{Key: st.Key, N: int64(counts[st.Key]), Stable30: -1, Stable90: -1, Mean: -1, Rest: -1, Lift: -1, Low: -1, High: -1, Buying: -1}
		if all > 0 {
			v.Share = float64(v.N) / float64(all)
		}
		if v.Share > 0 {
			balance -= v.Share * math.Log(v.Share)
		}
		out = append(out, v)
	}
	if len(out) < 2 {
		return out, 0
	}
	return out, min(1, max(0, balance/math.Log(float64(len(out)))))
}

func (q *Quality) stable(flows []Flow, month bool) {
	was, stayed := map[string]int64{}, map[string]int64{}
	var all, same int64
	for _, f := range flows {
		if f.From == "" {
			continue
		}
		was[f.From] += f.N
		all += f.N
		if f.From == f.To {
			stayed[f.From] += f.N
			same += f.N
		}
	}
	if all == 0 {
		return
	}
	share := float64(same) / float64(all)
	if month {
		q.Stable30 = share
	} else {
		q.Stable90 = share
	}
	for i := range q.Classes {
		c := &q.Classes[i]
		if was[c.Key] == 0 {
			continue
		}
		v := float64(stayed[c.Key]) / float64(was[c.Key])
		if month {
			c.Stable30 = v
		} else {
			c.Stable90 = v
		}
	}
}

// lift compares the later revenue of each class with everyone else's. The interval is that of a ratio of means by the delta method
// on its logarithm; a mean that is not above 0 has no ratio.
func (q *Quality) lift(sums map[string]Sum) {
	var all Sum
	between := 0.0
	for _, s := range sums {
		all.N, all.Buyers, all.Sum, all.Sq = all.N+s.N, all.Buyers+s.Buyers, all.Sum+s.Sum, all.Sq+s.Sq
		if s.N > 0 {
			between += s.Sum * s.Sum / float64(s.N)
		}
	}
	if all.N == 0 {
		return
	}
	mid := all.Sum * all.Sum / float64(all.N)
	if total := all.Sq - mid; total > 1e-9*all.Sq {
		q.Explained = min(1, max(0, (between-mid)/total))
	}
	for i := range q.Classes {
		c := &q.Classes[i]
		own := sums[c.Key]
		rest := Sum{N: all.N - own.N, Sum: all.Sum - own.Sum, Sq: all.Sq - own.Sq}
		c.Then = own.N
		if own.N > 0 {
			c.Mean, c.Buying = own.Sum/float64(own.N), float64(own.Buyers)/float64(own.N)
		}
		if rest.N > 0 {
			c.Rest = rest.Sum / float64(rest.N)
		}
		if own.N < 2 || rest.N < 2 || own.Sum <= 0 || rest.Sum <= 0 {
			continue
		}
		c.Lift = c.Mean / c.Rest
		se := math.Sqrt(spread(own) + spread(rest))
		c.Low, c.High = c.Lift*math.Exp(-1.96*se), c.Lift*math.Exp(1.96*se)
	}
}

// spread is the squared standard error of a mean over the squared mean.
func spread(s Sum) float64 {
	n := float64(s.N)
	m := s.Sum / n
	v := max(0, (s.Sq-n*m*m)/(n-1))
	return v / n / (m * m)
}

// Cramer is Cramér's V of a table, corrected for its size: 0 where one tells nothing of the other, 1 where it tells everything.
func Cramer(pairs []Flow) float64 {
	rows, columns, cells := map[string]float64{}, map[string]float64{}, map[[2]string]float64{}
	n := 0.0
	for _, f := range pairs {
		v := float64(f.N)
		rows[f.From] += v
		columns[f.To] += v
		cells[[2]string{f.From, f.To}] += v
		n += v
	}
	r, k := float64(len(rows)), float64(len(columns))
	if n < 2 || r < 2 || k < 2 {
		return 0
	}
	chi := 0.0
	for a, x := range rows {
		for b, y := range columns {
			e := x * y / n
			d := cells[[2]string{a, b}] - e
			chi += d * d / e
		}
	}
	phi := max(0, chi/n-(r-1)*(k-1)/(n-1))
	r -= (r - 1) * (r - 1) / (n - 1)
	k -= (k - 1) * (k - 1) / (n - 1)
	least := min(r, k) - 1
	if least <= 0 {
		return 0
	}
	return min(1, math.Sqrt(phi/least))
}

// Cuts are the suggested cuts of a classification that cuts one number.
type Cuts struct {
	Trait   string
	Classes int
	Now     []int64
	// Day is that on which the values are taken, Until the end of the span whose purchases are explained; 0 where no earlier day is known.
	Day, Until  clock.Day
	Suggestions []Suggestion
	Explained   float64 // by the cuts of now
	Values      int
}

// Suggestion is one way to cut: "quantile", "natural" or "later", with the classes that would follow from it.
type Suggestion struct {
	Way       string
	Cuts      []int64
	Explained float64
	Sizes     []int64 // of the classes, lowest first
	Classes   []Class
}

// Suggest proposes cuts for a classification that begins with classes which ask "trait >= number" of one and the same trait, from
// high to low. Any other has no suggestions.
func (s *Service) Suggest(ctx context.Context, key string) (out Cuts, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return out, err
	}
	c, err := s.get(ctx, key)
	if err != nil {
		return out, err
	}
	at, ok := cutOf(c, &out)
	if !ok {
		return Cuts{}, nil
	}
	now, first, err := s.c.Past.Days(ctx)
	if err != nil {
		return out, err
	}
	day := now
	if now-laterDays > first && first > 0 {
		day = now - laterDays
	}
	values, then, err := s.c.Past.Values(ctx, out.Trait, day, now)
	if err != nil {
		return out, err
	}
	lowest := slices.Min(out.Now)
	floor := min(1, lowest) // whoever has none stays in the class of the rest
	if !at.rest {
		floor = math.MinInt64
	}
	values = slices.DeleteFunc(values, func(v cut.Value) bool { return v.X < floor })
	out.Values = len(values)
	if then {
		out.Day, out.Until = day, now
	}
	var people int64
	for _, v := range values {
		people += v.N
	}
	add := func(way string, cuts []int64) {
		if len(cuts) != out.Classes-1 || slices.ContainsFunc(out.Suggestions, func(o Suggestion) bool { return slices.Equal(o.Cuts, cuts) }) {
			return
		}
		v := Suggestion{Way: way, Cuts: cuts, Explained: cut.Explained(values, cuts), Sizes: cutSizes(values, cuts)}
		v.Classes = at.with(c, cuts, floor)
		out.Suggestions = append(out.Suggestions, v)
	}
	inner := slices.Sorted(slices.Values(out.Now))
	if at.rest { // the lowest cut divides those who have something from the rest, and stays
		inner = inner[1:]
	}
	out.Explained = cut.Explained(values, inner)
	add("quantile", cut.Quantiles(values, out.Classes))
	add("natural", cut.Natural(values, out.Classes))
	if then {
		add("later", cut.Later(values, out.Classes, max(30, people/50)))
	}
	return out, nil
}

func cutSizes(values []cut.Value, cuts []int64) []int64 {
	out := make([]int64, len(cuts)+1)
	for _, v := range values {
		i, found := slices.BinarySearch(cuts, v.X)
		if found {
			i++
		}
		out[i] += v.N
	}
	return out
}

// cutting says which classes of a classification cut the number, highest first; rest: whoever lies below the lowest cut has none of
// what is counted, and that cut stays.
type cutting struct {
	places []int
	rest   bool
}

// cutOf reads the cuts of now: the first classes that ask "trait >= number" of one trait, from high to low. The classes after them
// take whoever is left.
func cutOf(c Classification, out *Cuts) (at cutting, ok bool) {
	for i, cl := range c.Classes {
		w := cl.Where
		if w == nil || w.Kind() != "trait" || w.Op != ">=" || out.Trait != "" && w.Trait != out.Trait {
			break
		}
		n, err := strconv.ParseInt(strings.Trim(string(w.Value), `"`), 10, 64)
		if err != nil || len(out.Now) > 0 && n >= out.Now[len(out.Now)-1] {
			break
		}
		out.Trait = w.Trait
		out.Now, at.places = append(out.Now, n), append(at.places, i)
	}
	if len(at.places) < 2 {
		return at, false
	}
	// Scores and counts from 1 on leave those without any to the classes after.
	at.rest = out.Now[len(out.Now)-1] <= 1
	out.Classes = len(at.places)
	if !at.rest {
		out.Classes++
	}
	return at, true
}

// with are the classes under other cuts, ascending.
func (at cutting) with(c Classification, cuts []int64, floor int64) []Class {
	out := slices.Clone(c.Classes)
	for i, place := range at.places {
		w := *out[place].Where
		n := floor
		if k := len(cuts) - 1 - i; k >= 0 {
			n = cuts[k]
		}
		w.Value = []byte(strconv.FormatInt(n, 10))
		out[place].Where = &w
	}
	return out
}

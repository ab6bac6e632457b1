package recommend

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	stat "github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// trial is a customer who is judged: what he had bought, and what he bought then.
type trial struct {
	user        int
	taken       []stat.Taken
	had         map[int32]bool
	next, fresh []int32
	pick        bool // whether he helps to choose; the others tell how good the choice is
}

// trials are the customers with purchases before and after the cut, an even sample of them.
func (f *fit) trials() []trial {
	var out []trial
	for u := range f.people {
		t := trial{user: u, had: map[int32]bool{}, pick: seedOf(f.people[u].id)%2 == 0}
		days := map[int32][]int64{}
		var order []int32
		for _, l := range f.people[u].lines {
			if l.day > f.cut {
				continue
			}
			if !t.had[l.item] {
				order = append(order, l.item)
			}
			t.had[l.item] = true
			days[l.item] = append(days[l.item], int64(l.day))
		}
		for _, l := range f.people[u].lines {
			if l.day <= f.cut || slices.Contains(t.next, l.item) {
				continue
			}
			t.next = append(t.next, l.item)
			if !t.had[l.item] {
				t.fresh = append(t.fresh, l.item)
			}
		}
		if len(t.had) == 0 || len(t.next) == 0 {
			continue
		}
		for _, i := range order {
			t.taken = append(t.taken, stat.Taken{Item: i, Days: days[i]})
		}
		out = append(out, t)
	}
	if len(out) > judgedMost {
		slices.SortStableFunc(out, func(a, b trial) int {
			x, y := seedOf(f.people[a.user].id), seedOf(f.people[b.user].id)
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
		out = out[:judgedMost]
	}
	return out
}

// bench judges lists of some customers.
type bench struct {
	trials []trial
	items  int
}

func (b *bench) judge(task string, list func(t *trial) []int32) stat.Quality {
	return stat.Judge(len(b.trials), b.items, listed, func(u int) []int32 {
		if task == TaskNew {
			return b.trials[u].fresh
		}
		return b.trials[u].next
	}, func(u int) []int32 { return list(&b.trials[u]) })
}

// method is a way to rank all products for a customer.
type method struct {
	key  Method
	list func(t *trial) []int32
}

// judge learns from what was before the cut, tells the methods apart by what came after it, and says how good the best of them are.
// Half of the customers choose, the other half tell how good the choice is.
func (f *fit) judge(ctx context.Context, s *learned, als stat.ALS) ([]predict.Note, error) {
	if f.lines == 0 {
		return []predict.Note{{Key: "no_lines", Level: predict.Warning}}, nil
	}
	all := f.trials()
	var pick, test bench
	pick.items, test.items = len(f.goods), len(f.goods)
	for _, t := range all {
		if t.pick {
			pick.trials = append(pick.trials, t)
		} else {
			test.trials = append(test.trials, t)
		}
	}
	if min(len(pick.trials), len(test.trials)) < judgedLeast {
		s.Method = ByLikeness
		return []predict.Note{{Key: "few_judged", Level: predict.Warning, Params: map[string]any{"count": len(all), "least": 2 * judgedLeast}}}, nil
	}
	s.Held = [2]clock.Day{f.cut + 1, f.last}
	early := f.matrix(f.cut)
	popular := f.popularAll(early)
	likeness := stat.Neighbours(early, likenessOf())
	factors := stat.Fit(early, als)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	recent := f.recent(f.cut)
	s.Power = strongest(powers(), 0, func(power float64) float64 {
		return pick.judge(TaskNew, func(t *trial) []int32 { return filled(byLikeness(early, likeness, t, recent, power), popular, t.had) }).NDCG
	})
	fresh := []method{
		{ByPopularity, func(t *trial) []int32 { return without(popular, t.had) }},
		{ByLikeness, func(t *trial) []int32 { return filled(byLikeness(early, likeness, t, nil, 0), popular, t.had) }},
		{ByMix, func(t *trial) []int32 { return filled(byLikeness(early, likeness, t, recent, s.Power), popular, t.had) }},
		{ByFactors, func(t *trial) []int32 { return byFactors(early, factors, t) }},
	}
	s.Method = f.choose(s, &pick, &test, TaskNew, fresh)
	s.HalfLife = strongest(halfLives(), -1, func(half float64) float64 { return pick.judge(TaskAgain, again(f.cut, half)).NDCG })
	f.choose(s, &pick, &test, TaskAgain, []method{{ByPopularity, func(*trial) []int32 { return popular }}, {ByHistory, again(f.cut, s.HalfLife)}})
	return []predict.Note{{Key: "judged", Level: predict.Info, Params: map[string]any{"count": len(test.trials), "days": int(f.last - f.cut)}}}, nil
}

// choose takes the method that ranks best for those who choose, and writes down how all do for the others.
func (f *fit) choose(s *learned, pick, test *bench, task string, methods []method) Method {
	best, most := methods[0].key, -1.0
	for _, m := range methods {
		if q := pick.judge(task, m.list); q.NDCG > most {
			best, most = m.key, q.NDCG
		}
	}
	for _, m := range methods {
		s.Judged = append(s.Judged, Judged{Task: task, Method: m.key, Quality: test.judge(task, m.list), Chosen: m.key == best})
	}
	return best
}

// popularAll ranks products by who bought them shortly before the cut, then those that nobody bought then by all who ever did.
func (f *fit) popularAll(early *stat.Matrix) []int32 {
	recent := f.popular(f.cut)["|"]
	seen := map[int32]bool{}
	for _, i := range recent {
		seen[i] = true
	}
	rest := make([]stat.Scored, 0, early.Items())
	for i, n := range early.Counts() {
		if !seen[int32(i)] {
			rest = append(rest, stat.Scored{Item: int32(i), Score: float32(n)})
		}
	}
	out := slices.Clone(recent)
	for _, r := range stat.Top(rest, len(rest)) {
		out = append(out, r.Item)
	}
	return out
}

func without(list []int32, had map[int32]bool) []int32 {
	out := make([]int32, 0, listed)
	for _, i := range list {
		if !had[i] {
			out = append(out, i)
		}
		if len(out) == listed {
			break
		}
	}
	return out
}

func numbers(list []stat.Scored, had map[int32]bool) []int32 {
	out := make([]int32, 0, listed)
	for _, s := range list {
		if !had[s.Item] {
			out = append(out, s.Item)
		}
		if len(out) == listed {
			break
		}
	}
	return out
}

// strongest is the first of some values that nothing is better than by more than half a percent: a simpler list wins where little is gained.
func strongest(values []float64, most float64, judge func(v float64) float64) (best float64) {
	for n, v := range values {
		if q := judge(v); n == 0 || q > most*1.005 {
			best, most = v, q
		}
	}
	return best
}

// filled makes a short list as long as it may be by what is popular.
func filled(list, popular []int32, had map[int32]bool) []int32 {
	for _, i := range popular {
		if len(list) >= listed {
			break
		}
		if !had[i] && !slices.Contains(list, i) {
			list = append(list, i)
		}
	}
	return list
}

func byLikeness(m *stat.Matrix, likeness [][]stat.Scored, t *trial, recent []int32, power float64) []int32 {
	items, weights := m.Row(t.user)
	scored, _ := stat.Gather(likeness, items, weights)
	if recent != nil {
		scored = stat.Mixed(scored, recent, power)
	}
	return numbers(scored, t.had)
}

func byFactors(m *stat.Matrix, f *stat.Factors, t *trial) []int32 {
	items, weights := m.Row(t.user)
	x := f.User(items, weights)
	scored := make([]stat.Scored, 0, m.Items())
	for i := range m.Items() {
		if !t.had[int32(i)] {
			scored = append(scored, stat.Scored{Item: int32(i), Score: f.Score(x, int32(i))})
		}
	}
	return numbers(stat.Top(scored, listed), nil)
}

func again(today clock.Day, half float64) func(t *trial) []int32 {
	return func(t *trial) []int32 { return numbers(stat.Again(t.taken, int64(today), half), nil) }
}

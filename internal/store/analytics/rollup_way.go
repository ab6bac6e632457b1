package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

// A funnel and ways, followed person by person in strips. Both say what the statements of web_way.go say.

// stepped is how far one person came: of each step the latest beginning from which it was reached in time, when it was reached last, and how long it took
// from the step before the first time.
type stepped struct {
	reached          bool
	since, past, gap int64
}

// stepGroup is a step of a funnel in one group of a split.
type stepGroup struct {
	step  int // from 1
	group string
}

// gaps are how many persons took a step after how many milliseconds.
type gaps map[stepGroup]map[int64]int64

func (g gaps) add(at stepGroup, gap, n int64) {
	if g[at] == nil {
		g[at] = map[int64]int64{}
	}
	g[at][gap] += n
}

// groupsOf reads to which group each person belongs; nil for no split.
func (w *Web) groupsOf(ctx context.Context, q web.Question, by string) (map[int64]string, error) {
	if by == "" {
		return nil, nil //nolint:nilnil // nobody is in a group
	}
	s, out, names := w.groups(q, by), map[int64]string{}, map[string]string{}
	err := each(ctx, w.db, s.text, s.args, func(r *sql.Rows) error {
		var who int64
		var name sql.NullString
		err := r.Scan(&who, &name)
		if _, known := names[name.String]; !known {
			names[name.String] = name.String
		}
		out[who] = names[name.String]
		return err
	})
	return out, err
}

// rolledFunnel counts gaps by step and group; ok is false for what is asked of properties.
func (w *Web) rolledFunnel(ctx context.Context, q web.Question, f web.Funnel) (out gaps, ok bool, err error) {
	ok, err = w.funnelled(ctx, q, f, func() { out = gaps{} }, func(_ int64, group string, at []stepped) {
		for n, s := range at {
			if s.reached {
				out.add(stepGroup{n + 1, group}, s.gap, 1)
			}
		}
	})
	return out, ok, err
}

// funnelMarks says which steps an event may be, one bit each; the first lies in the span.
func funnelMarks(q web.Question, f web.Funnel) func(k deedKind, day clock.Day) uint32 {
	return func(k deedKind, day clock.Day) (marks uint32) {
		for i, s := range f.Steps {
			if k.name == s.Event && pathOf(s.Path, k.path) && (i > 0 || day <= q.To) {
				marks |= 1 << i
			}
		}
		return marks
	}
}

// follow takes a person one event further. Later steps come first, so that one event is never two steps of the same walk.
func follow(at []stepped, d deed, window int64) {
	for n := len(at) - 1; n >= 0; n-- {
		if d.what&(1<<n) == 0 {
			continue
		}
		since, gap := d.at, int64(0)
		if n > 0 {
			before := at[n-1]
			if !before.reached || d.at-before.since > window {
				continue
			}
			since, gap = before.since, d.at-before.past
		}
		if !at[n].reached {
			at[n] = stepped{true, since, d.at, gap}
		}
		at[n].since, at[n].past = max(at[n].since, since), d.at
	}
}

// pathOf is the condition of a step on a path.
func pathOf(wanted, path string) bool {
	if prefix, ok := strings.CutSuffix(wanted, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return wanted == "" || wanted == path
}

// nodeOf is what an event is called in ways; ok is false for what is no node.
func nodeOf(nodes string, k deedKind) (name string, ok bool) {
	view, done := k.bits&kindView != 0, k.bits&kindDone != 0
	page := k.path
	if page == "" {
		page = k.title
	}
	switch nodes {
	case web.PathEvents:
		return k.name, done && !view
	case web.PathBoth:
		if view {
			return page, done
		}
		return k.name, done
	}
	return page, view
}

// rolledPaths counts links between nodes; top names them by their numbers, from 1.
func (w *Web) rolledPaths(ctx context.Context, q web.Question, p web.Paths) (top []string, sums map[link]int64, ok bool, err error) {
	ok, err = w.wandered(ctx, q, p, func() { top, sums = nil, map[link]int64{} }, func(_ int64, names []string, s *stations) {
		top = names
		s.links(p, func(l link) { sums[l]++ })
	})
	return top, sums, ok, err
}

// wandered gives everybody's ways to fn, with the names of the nodes that are told apart: begin is called before, and again when days changed meanwhile.
func (w *Web) wandered(ctx context.Context, q web.Question, p web.Paths, begin func(), fn func(who int64, top []string, s *stations)) (ok bool, err error) {
	numbers := map[string]uint32{}
	meaning := func(k deedKind, _ clock.Day) uint32 {
		name, ok := nodeOf(p.Nodes, k)
		if !ok {
			return 0
		}
		n := numbers[name]
		if n == 0 {
			n = uint32(len(numbers)) + 1 //nolint:gosec // names of a span
			numbers[name] = n
		}
		return n
	}
	return w.walked(ctx, q, q.Span, meaning, func(v *walk) error {
		begin()
		counts := map[string]uint64{}
		meanings, err := v.meanings(ctx, func(k deedKind, count uint64) {
			if name, ok := nodeOf(p.Nodes, k); ok && v.meaning(k, 0) != 0 {
				counts[name] += count
			}
		})
		if err == nil && v.among != nil { // how often they were there is told by nobody else
			counts, err = v.counted(ctx, meanings, numbers)
		}
		if err != nil {
			return err
		}
		top := frequent(counts, p.Node)
		if len(top) == 0 || p.Node != "" && top[0] != p.Node {
			return nil
		}
		codes := make([]int64, len(numbers)+1)
		for i, name := range top {
			codes[numbers[name]] = int64(i + 1)
		}
		var s stations
		return v.people(ctx, meanings, func(who int64, deeds []deed) {
			s.of(deeds, codes)
			fn(who, top, &s)
		})
	})
}

// counted is how often each node was gone through by the persons of the question.
func (w *walk) counted(ctx context.Context, meanings map[clock.Day][]uint32, numbers map[string]uint32) (map[string]uint64, error) {
	names := make([]string, len(numbers)+1)
	for name, n := range numbers {
		names[n] = name
	}
	counts := map[string]uint64{}
	err := w.people(ctx, meanings, func(_ int64, deeds []deed) {
		for _, d := range deeds {
			counts[names[d.what]]++
		}
	})
	return counts, err
}

// frequent are the names of the most frequent nodes, that which the ways go through before all.
func frequent(counts map[string]uint64, through string) []string {
	out := make([]string, 0, len(counts))
	for name := range counts {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int {
		if (a == through) != (b == through) {
			if a == through {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return out[:min(len(out), keptNodes)]
}

// stations are the nodes of one person's ways in order, with a mark where a pause stood before one.
type stations struct {
	codes []int64
	pause []bool
}

func (s *stations) of(deeds []deed, codes []int64) {
	s.codes, s.pause = s.codes[:0], s.pause[:0]
	for i, d := range deeds {
		pause := i == 0 || d.at-deeds[i-1].at > idle
		if pause || deeds[i-1].what != d.what {
			s.codes, s.pause = append(s.codes, codes[d.what]), append(s.pause, pause)
		}
	}
}

// links gives the links of the ways that begin (or, backward, end) where the question says.
func (s *stations) links(p web.Paths, fn func(l link)) {
	ends := func(i int) bool { return i+1 == len(s.pause) || s.pause[i+1] }
	for i := range s.codes {
		switch {
		case p.Node != "":
			if s.codes[i] != 1 { // the first of the top
				continue
			}
		case p.Backward && !ends(i), !p.Backward && !s.pause[i]:
			continue
		}
		for at, step := i, 1; step < p.Depth; step++ {
			from, over, next := s.codes[at], s.pause[at], at-1
			if !p.Backward {
				over, next = ends(at), at+1
			}
			if over {
				fn(link{int64(step), from, -1})
				break
			}
			fn(link{int64(step), from, s.codes[next]})
			at = next
		}
	}
}

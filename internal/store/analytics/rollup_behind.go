package analytics

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

// rolledPeople lists who stands behind a figure that rollups or strips have counted; ok is false for the others.
func (w *Web) rolledPeople(ctx context.Context, q web.Question, b web.Behind, p web.PeoplePage) (out web.People, ok bool, err error) {
	var who *crowd
	switch {
	case b.Visits:
		who, ok, err = w.rolledVisitors(ctx, q, b.Only)
	case b.Funnel != nil:
		who, ok, err = w.rolledStep(ctx, q, *b.Funnel)
	case b.Way != nil:
		who, ok, err = w.rolledWay(ctx, q, *b.Way)
	}
	if err != nil || !ok {
		return out, false, err
	}
	out, err = w.list(ctx, who, p)
	return out, true, err
}

// rolledVisitors are the visitors of a question, all or those who converted.
func (w *Web) rolledVisitors(ctx context.Context, q web.Question, only string) (who *crowd, ok bool, err error) {
	p, ok := rolledPart(q)
	if !ok || only != "" && only != "converted" || only != "" && q.Goal != "" && !p.plain {
		return nil, false, nil
	}
	key := rolledKey{value: p.value}
	ok, err = w.rolled(ctx, q.Span, true, only != "" && q.Goal != "", func(r *rolling) error {
		set := visitorsOf()
		if only != "" && q.Goal == "" {
			set = buyersOf()
		}
		all, err := r.crowds(ctx, p.kind, []rolledKey{key}, set)
		if err != nil {
			return err
		}
		who = all[key]
		if only == "" || q.Goal == "" {
			return nil
		}
		goals, err := r.goals(ctx, q.Goal)
		if err != nil {
			return err
		}
		both := &crowd{}
		who.list(func(v int64) {
			if goals.has(v) {
				both.add(v)
			}
		})
		who = both
		return nil
	})
	return who, ok, err
}

// rolledStep are those who took a step of a funnel, or took it and not the next.
func (w *Web) rolledStep(ctx context.Context, q web.Question, f web.FunnelStep) (who *crowd, ok bool, err error) {
	ok, err = w.funnelled(ctx, q, f.Funnel, func() { who = &crowd{} }, func(v int64, group string, at []stepped) {
		if at[f.Step-1].reached && (!f.Lost || f.Step < len(at) && !at[f.Step].reached) && (!f.Grouped || group == f.Group) {
			who.add(v)
		}
	})
	return who, ok, err
}

// rolledWay are those who went from one node to another.
func (w *Web) rolledWay(ctx context.Context, q web.Question, x web.Way) (who *crowd, ok bool, err error) {
	var wanted link
	ok, err = w.wandered(ctx, q, x.Paths, func() { who, wanted = &crowd{}, link{} }, func(v int64, top []string, s *stations) {
		if wanted.step == 0 {
			wanted = link{int64(x.Step), int64(slices.Index(top, x.From) + 1), int64(slices.Index(top, x.To) + 1)}
			if x.Ended {
				wanted.to = -1
			}
		}
		if wanted.from == 0 || wanted.to == 0 {
			return // a node that none of the ways names
		}
		s.links(x.Paths, func(l link) {
			if l == wanted {
				who.add(v)
			}
		})
	})
	return who, ok, err
}

// listedAtOnce is how many persons one statement asks about.
const listedAtOnce = 4000

func someCustomers(n int) string {
	return "SELECT c.id FROM a_customer c WHERE c.id IN (" + strings.TrimSuffix(strings.Repeat(asInt+", ", n), ", ") + ")"
}

// list counts a crowd and lists a page of it in the order of ids.
func (w *Web) list(ctx context.Context, who *crowd, p web.PeoplePage) (web.People, error) {
	out := web.People{Customers: -1, Anonymous: -1, IDs: []id.ID{}}
	all := make([]int64, 0, who.count())
	who.list(func(v int64) { all = append(all, v) })
	slices.Sort(all)
	if p.Count {
		out.Customers = 0
		for part := range slices.Chunk(all, listedAtOnce) {
			n, err := w.known(ctx, part, nil)
			if err != nil {
				return out, err
			}
			out.Customers += int64(len(n))
		}
		out.Anonymous = int64(len(all)) - out.Customers
	}
	after, found := slices.BinarySearch(all, int64(p.After))
	if found {
		after++
	}
	for part := range slices.Chunk(all[after:], listedAtOnce) {
		list, err := w.known(ctx, part, &p)
		if err != nil {
			return out, err
		}
		for _, v := range part {
			if list[v] != p.Anonymous && len(out.IDs) < p.Limit {
				out.IDs = append(out.IDs, id.ID(v))
			}
		}
		if len(out.IDs) == p.Limit {
			break
		}
	}
	return out, nil
}

// known are the customers among persons: those whom the reader of a page reaches, or all.
func (w *Web) known(ctx context.Context, list []int64, p *web.PeoplePage) (map[int64]bool, error) {
	args := make([]any, len(list))
	for i, v := range list {
		args[i] = v
	}
	text := someCustomers(len(list))
	if p != nil && !p.Anonymous {
		from, limits, err := w.of(nil, p.Limits)
		if err != nil {
			return nil, err
		}
		text = "SELECT t.id" + from + " AND t.id IN (" + strings.TrimSuffix(strings.Repeat(asInt+", ", len(list)), ", ") + ")"
		args = append(limits, args...)
	}
	out := make(map[int64]bool, len(list))
	err := each(ctx, w.db, text, args, func(r *sql.Rows) error {
		var v int64
		err := r.Scan(&v)
		out[v] = true
		return err
	})
	return out, err
}

// funnelled follows everybody through a funnel: begin is called before, and again when days changed meanwhile; ok is false for what is asked of properties.
func (w *Web) funnelled(ctx context.Context, q web.Question, f web.Funnel, begin func(), fn func(who int64, group string, at []stepped)) (ok bool, err error) {
	for _, s := range f.Steps {
		if len(s.Where) > 0 {
			return false, nil
		}
	}
	if len(f.Steps) > 31 {
		return false, nil
	}
	window := int64(f.Window) * dayLength
	return w.walked(ctx, q, web.Span{From: q.From, To: q.To + clock.Day(f.Window)}, funnelMarks(q, f), func(v *walk) error { //nolint:gosec // a window of days
		begin()
		groups, err := w.groupsOf(ctx, q, f.By)
		if err != nil {
			return err
		}
		meanings, err := v.meanings(ctx, nil)
		if err != nil {
			return err
		}
		at := make([]stepped, len(f.Steps))
		return v.people(ctx, meanings, func(who int64, deeds []deed) {
			clear(at)
			for _, d := range deeds {
				follow(at, d, window)
			}
			fn(who, groups[who], at)
		})
	})
}

package analytics_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// webEvent and webVisit are rows of f_event and f_session as the evaluator of this test sees them.
type webEvent struct {
	id, who, at int64
	day         clock.Day
	kind, name  string
	flags       int64
	path        string
	device      string
	dwell       int64
	amount      int64
	properties  map[string]any
	visit       *webVisit // the one around it, nil for none
}

type webVisit struct {
	id, who, from, to               int64
	day                             clock.Day
	views, events, bounced, engaged int64
	orders, amount, time            int64
	entry, exit, channel, device    string
}

// traffic is a made-up history of people: those with an even id are customers.
type traffic struct {
	events []*webEvent
	visits []*webVisit
}

const (
	trafficFrom = clock.Day(19_990)
	trafficDays = 12
)

func makeTraffic(seed uint64) *traffic {
	rnd := rand.New(rand.NewPCG(seed, 7))
	pick := func(values ...string) string { return values[rnd.IntN(len(values))] }
	out := &traffic{}
	next := int64(1_000_000)
	for who := int64(1); who <= 90; who++ {
		at := int64(trafficFrom)*dayMillis + int64(rnd.IntN(4*dayMillis))
		for range rnd.IntN(5) {
			next++
			v := &webVisit{id: next, who: who, from: at, day: clock.Day(at / dayMillis), channel: pick("search", "direct", "ads", ""), device: pick("mobile", "desktop", "")}
			for range 1 + rnd.IntN(9) {
				next++
				e := &webEvent{id: next, who: who, at: at, day: clock.Day(at / dayMillis), kind: "page", name: "Page Viewed", path: pick("/", "/a", "/b", "/c", "/d/1", "/d/2"), device: v.device, visit: v,
					properties: map[string]any{"price": rnd.IntN(40), "color": pick("red", "blue", "深红")}}
				switch rnd.IntN(6) {
				case 0:
					e.kind, e.name, e.amount = "track", pick("Added", "Bought"), int64(rnd.IntN(500))
					e.path = ""
				case 1:
					e.kind, e.name, e.dwell = "track", "Page Engaged", int64(rnd.IntN(9000))
				}
				if rnd.IntN(9) == 0 {
					e.properties = map[string]any{}
				}
				if rnd.IntN(14) == 0 {
					e.flags |= 64
				}
				if rnd.IntN(20) == 0 {
					e.flags |= 8
				}
				out.events = append(out.events, e)
				v.to, v.events = at, v.events+1
				if e.kind == "page" {
					if v.views == 0 {
						v.entry = e.path
					}
					v.views, v.exit = v.views+1, e.path
				}
				v.time += e.dwell
				if e.name == "Bought" {
					v.orders, v.amount = v.orders+1, v.amount+e.amount
				}
				// Some things happen in the same moment; their order is that of the ids.
				at += int64(rnd.IntN(4)) * int64(rnd.IntN(7*60_000))
			}
			if v.views < 2 && v.orders == 0 {
				v.bounced = 1
			} else {
				v.engaged = 1
			}
			out.visits = append(out.visits, v)
			at += 31*60_000 + int64(rnd.IntN(2*dayMillis))
		}
	}
	return out
}

// load puts the traffic into the plane.
func (tr *traffic) load(ctx context.Context, b *bench) error {
	return b.db.Write(ctx, func(tx analytics.Tx) error {
		rows := make([][]any, 0, len(tr.events))
		for _, e := range tr.events {
			p, err := json.Marshal(e.properties)
			if err != nil {
				return err
			}
			rows = append(rows, []any{e.id, e.who, e.who, e.at, int64(e.day), e.at, int64(5), e.kind, e.name, e.flags, "shop.example", e.path, "T " + e.path, "", "internal", "", "", "", "", "", e.device, "", "", "", "CN", "", e.dwell, e.amount, "", "", string(p), "{}"})
		}
		if text := b.db.Dialect().Month("f_event", "f_event_whole", nil, nil); text != "" { // one part for every month
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		err := tx.Append(ctx, "f_event", []string{"id", "customer_id", "profile_id", "at", "day", "received_at", "source_id", "kind", "name", "flags", "host", "path", "title", "referrer_host", "channel",
			"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "device", "browser", "os", "language", "country", "region", "dwell_ms", "amount", "content", "platform", "properties", "context"}, analytics.Rows(rows))
		if err != nil {
			return err
		}
		rows = rows[:0]
		for _, v := range tr.visits {
			rows = append(rows, []any{v.id, v.who, v.who, v.from, v.to, int64(v.day), int64(5), v.views, v.events, v.time, v.bounced, v.engaged, v.orders, v.amount, "shop.example", v.entry, v.exit, "", v.channel, "", "", "", v.device, "", "", "", "CN", ""})
		}
		return tx.Append(ctx, "f_session", []string{"id", "customer_id", "profile_id", "started_at", "ended_at", "day", "source_id", "views", "events", "engaged_ms", "bounced", "engaged", "orders", "amount",
			"host", "entry_path", "exit_path", "referrer_host", "channel", "utm_source", "utm_medium", "utm_campaign", "device", "browser", "os", "language", "country", "region"}, analytics.Rows(rows))
	})
}

// asks is a question as the evaluator answers it; members nil is everybody.
type asks struct {
	web.Question
	members func(who int64) bool
}

func (q asks) visit(v *webVisit) bool {
	if channel, ok := q.Is[web.Channel]; ok && v.channel != channel {
		return false
	}
	if device, ok := q.Is[web.Device]; ok && v.device != device {
		return false
	}
	return q.members == nil || q.members(v.who)
}

func (tr *traffic) in(q asks, days bool) []*webVisit {
	var out []*webVisit
	for _, v := range tr.visits {
		if q.visit(v) && (!days || v.day >= q.From && v.day <= q.To) {
			out = append(out, v)
		}
	}
	return out
}

// of are the events that a question is about, in the order of persons and time.
func (tr *traffic) of(q asks, refused int64, from, to clock.Day) []*webEvent {
	var out []*webEvent
	for _, e := range tr.events {
		if e.flags&refused != 0 || e.day < from || e.day > to {
			continue
		}
		if channel, ok := q.Is[web.Channel]; ok && e.visit.channel != channel {
			continue
		}
		if device, ok := q.Is[web.Device]; ok && e.device != device {
			continue
		}
		if q.members == nil || q.members(e.who) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *webEvent) int {
		return cmp.Or(cmp.Compare(a.who, b.who), cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
	})
	return out
}

type people map[int64]bool

func (tr *traffic) totals(q asks, visits []*webVisit) web.Totals {
	var t web.Totals
	who, won, goal := people{}, people{}, people{}
	for _, e := range tr.of(q, 8, q.From, q.To) {
		if e.name == q.Goal {
			goal[e.who] = true
		}
	}
	for _, v := range visits {
		who[v.who] = true
		t.Visits, t.Views, t.Events, t.Bounced, t.Engaged = t.Visits+1, t.Views+v.views, t.Events+v.events, t.Bounced+v.bounced, t.Engaged+v.engaged
		t.EngagedTime, t.Orders, t.Amount = t.EngagedTime+v.time, t.Orders+v.orders, t.Amount+v.amount
		if v.bounced == 0 {
			t.Duration += v.to - v.from
		}
		if q.Goal == "" && v.orders > 0 || q.Goal != "" && goal[v.who] {
			won[v.who] = true
		}
	}
	t.Visitors, t.Converters = int64(len(who)), int64(len(won))
	return t
}

func (tr *traffic) pages(q asks) string {
	type figure struct {
		views, entries, exits, bounced, dwell int64
		who                                   people
	}
	sums := map[string]*figure{}
	at := func(path string) *figure {
		if sums[path] == nil {
			sums[path] = &figure{who: people{}}
		}
		return sums[path]
	}
	for _, e := range tr.of(q, 8, q.From, q.To) {
		if e.kind == "page" {
			at(e.path).views++
			at(e.path).who[e.who] = true
		}
		at(e.path).dwell += e.dwell
	}
	for _, v := range tr.in(q, true) {
		if v.views > 0 {
			at(v.entry).entries++
			at(v.entry).bounced += v.bounced
			at(v.exit).exits++
		}
	}
	var out []string
	for path, f := range sums {
		if f.views > 0 {
			out = append(out, fmt.Sprintln(path, f.views, len(f.who), f.entries, f.exits, f.bounced, f.dwell))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

// holds is the naive form of a condition on a property.
func holds(e *webEvent, m web.Match) bool {
	v, ok := e.properties[m.Property]
	if !ok {
		return false
	}
	text := fmt.Sprint(v)
	switch m.Op {
	case "=":
		return text == m.Value
	case "!=":
		return text != m.Value
	case "contains":
		return strings.Contains(text, m.Value)
	case "starts_with":
		return strings.HasPrefix(text, m.Value)
	case "is_set":
		return true
	}
	a, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return false
	}
	b, _ := strconv.ParseFloat(m.Value, 64)
	return map[string]bool{">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}[m.Op]
}

func isStep(e *webEvent, s web.Step) bool {
	if e.name != s.Event {
		return false
	}
	if prefix, ok := strings.CutSuffix(s.Path, "*"); ok && !strings.HasPrefix(e.path, prefix) {
		return false
	} else if !ok && s.Path != "" && e.path != s.Path {
		return false
	}
	return !slices.ContainsFunc(s.Where, func(m web.Match) bool { return !holds(e, m) })
}

// funnel walks every beginning of every person: how far one comes from it is found by always taking the next fitting event.
func (tr *traffic) funnel(q asks, f web.Funnel) (depth map[int64]int, gaps [][]int64) {
	depth, gaps = map[int64]int{}, make([][]int64, len(f.Steps))
	window := int64(f.Window) * dayMillis
	byPerson := map[int64][]*webEvent{}
	for _, e := range tr.of(q, 72, q.From, q.To+clock.Day(f.Window)) {
		byPerson[e.who] = append(byPerson[e.who], e)
	}
	for who, list := range byPerson {
		for i, e := range list {
			if !isStep(e, f.Steps[0]) || e.day > q.To {
				continue
			}
			n := 1
			for _, later := range list[i+1:] {
				if n < len(f.Steps) && isStep(later, f.Steps[n]) && later.at-e.at <= window {
					n++
				}
			}
			depth[who] = max(depth[who], n)
		}
		// The time from the step before, at the first time that a step is reached.
		reached := make([][]int, len(f.Steps)) // places in list
		since := make([]map[int]int64, len(f.Steps))
		for k := range f.Steps {
			since[k] = map[int]int64{}
			for i, e := range list {
				if !isStep(e, f.Steps[k]) {
					continue
				}
				if k == 0 {
					if e.day <= q.To {
						reached[0], since[0][i] = append(reached[0], i), e.at
					}
					continue
				}
				best, last := int64(-1), int64(-1)
				for _, j := range reached[k-1] {
					if j < i {
						best, last = max(best, since[k-1][j]), max(last, list[j].at)
					}
				}
				if best < 0 || e.at-best > window {
					continue
				}
				if len(reached[k]) == 0 {
					gaps[k] = append(gaps[k], e.at-last)
				}
				reached[k], since[k][i] = append(reached[k], i), best
			}
		}
	}
	return depth, gaps
}

// ways follows every person page by page.
func (tr *traffic) ways(q asks, p web.Paths) map[string]int64 {
	out := map[string]int64{}
	byPerson := map[int64][]*webEvent{}
	for _, e := range tr.of(q, 72, q.From, q.To) {
		if e.kind == "page" && p.Nodes != web.PathEvents || e.kind == "track" && e.name != "Page Engaged" && p.Nodes != web.PathPages {
			byPerson[e.who] = append(byPerson[e.who], e)
		}
	}
	name := func(e *webEvent) string {
		if e.kind == "page" {
			return e.path
		}
		return e.name
	}
	for _, list := range byPerson {
		var visits [][]string
		for i, e := range list {
			if i == 0 || e.at-list[i-1].at > 30*60_000 {
				visits = append(visits, nil)
			}
			last := &visits[len(visits)-1]
			if n := len(*last); n == 0 || (*last)[n-1] != name(e) {
				*last = append(*last, name(e))
			}
		}
		for _, v := range visits {
			if p.Backward {
				slices.Reverse(v)
			}
			for i := range v {
				if p.Node == "" && i > 0 || p.Node != "" && v[i] != p.Node {
					continue
				}
				for k := 1; k < p.Depth && i+k-1 < len(v); k++ {
					to := "(end)"
					if i+k < len(v) {
						to = v[i+k]
					}
					out[fmt.Sprint(k, " ", v[i+k-1], " ", to)]++
				}
			}
		}
	}
	return out
}

// back finds who began when and came back when, day by day.
func (tr *traffic) back(q asks, r web.Retention) map[string]people {
	day := func(what string, q asks, all bool) map[int64][]clock.Day {
		out := map[int64][]clock.Day{}
		from, to := q.From, q.To
		if all {
			from, to = 0, 1<<30
		}
		if what == web.OfVisit {
			for _, v := range tr.in(q, !all) {
				out[v.who] = append(out[v.who], v.day)
			}
			return out
		}
		for _, e := range tr.of(q, 72, from, to) {
			if e.name == what {
				out[e.who] = append(out[e.who], e.day)
			}
		}
		return out
	}
	free := q
	free.Is = nil
	again := day(r.Return, free, false)
	out := map[string]people{}
	put := func(key string, who int64) {
		if out[key] == nil {
			out[key] = people{}
		}
		out[key][who] = true
	}
	for who, days := range day(r.Start, q, true) {
		first := slices.Min(days)
		if first < q.From || first > q.To {
			continue
		}
		cohort := r.First(first)
		put(fmt.Sprint(cohort, " -1"), who)
		for _, d := range again[who] {
			if n := r.Between(cohort, r.First(d)); n >= 0 {
				put(fmt.Sprint(cohort, " ", n), who)
			}
		}
	}
	return out
}

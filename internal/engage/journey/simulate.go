package journey

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

const (
	// MostDays is how far a simulation looks back.
	MostDays = 90
	sampled  = 2000 // customers whose way is worked out

	leastDays = 1
)

// DayCount is how many would have entered on a day.
type DayCount struct {
	Day     clock.Day
	Entered int64
}

// StepCount is what would have come of a step: of the customers of the sample who reach it.
type StepCount struct {
	Step     string
	Reached  int64
	Outcomes map[string]int64
}

// Simulation is what a journey would have done. Past says how the past is known: passages, days, or "" where it is not.
type Simulation struct {
	Past     string
	From, To clock.Day
	Days     []DayCount
	Entries  int64 // of all days
	People   int64 // different customers among them
	Sample   int64 // whose way was worked out, by what is known of them now
	Held     int64 // of the sample
	Steps    []StepCount
}

// How the past is known.
const (
	PastPassages = "passages" // who entered and left a segment was written down
	PastEvents   = "events"   // events and records have their times
	PastCalendar = "calendar" // who would be taken on these days, by what is known now
	PastUnknown  = "unknown"
)

// Simulate says what a definition would have done in the last days, without doing anything: who would have entered comes of the past, which ways they
// would take of what is known of them now.
func (s *Service) Simulate(ctx context.Context, d *Definition, key id.ID, days int) (Simulation, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Simulation{}, err
	}
	if days < leastDays || days > MostDays {
		return Simulation{}, fault.InvalidField("journey.bad_days", "days", fault.Params{"max": MostDays})
	}
	bad, err := s.Check(ctx, d)
	if err != nil {
		return Simulation{}, err
	}
	// What a message says, and who carries it, may still be missing.
	if bad = slices.DeleteFunc(bad, func(p Problem) bool { return p.At == "template" }); len(bad) > 0 {
		return Simulation{}, fault.New(fault.Conflict, "journey.has_problems", fault.Params{"count": len(bad)})
	}
	ctx = system(ctx)
	out := Simulation{To: clock.DayOf(s.now(), s.cfg.Zone())}
	if k := d.Trigger.Kind; k == OnEvent || k == OnRecord {
		day, err := s.cfg.Anchor(ctx)
		if err != nil {
			return out, err
		}
		out.To = day
	}
	out.From = out.To - clock.Day(days-1) //nolint:gosec // bounded
	seen := map[id.ID]bool{}
	last := map[id.ID]clock.Day{}
	take := func(day clock.Day, who []id.ID, n *int64) error {
		who, err := s.wouldEnter(ctx, d, who)
		if err != nil {
			return err
		}
		for _, v := range who {
			was, had := last[v]
			if had && (d.Reentry.Kind == ReOnce || d.Reentry.Kind == ReAfter && int(day-was) < d.Reentry.Days) {
				continue
			}
			if d.PerDay > 0 && *n >= int64(d.PerDay) || d.Total > 0 && len(seen) >= d.Total {
				break
			}
			last[v], seen[v] = day, true
			*n++
		}
		return nil
	}
	if err := s.past(ctx, d, &out, take); err != nil {
		return out, err
	}
	out.People = int64(len(seen))
	who := make([]id.ID, 0, len(seen))
	for v := range seen {
		who = append(who, v)
	}
	slices.SortFunc(who, func(a, b id.ID) int {
		return cmp.Or(cmp.Compare(Chance("sample|"+id.Format("cus", a)), Chance("sample|"+id.Format("cus", b))), cmp.Compare(a, b))
	})
	who = who[:min(len(who), sampled)]
	out.Sample = int64(len(who))
	return out, s.walk(ctx, d, key, who, &out)
}

// wouldEnter are those whom the condition of entry finds now.
func (s *Service) wouldEnter(ctx context.Context, d *Definition, who []id.ID) ([]id.ID, error) {
	if d.Where == nil || len(who) == 0 {
		return who, nil
	}
	holds := map[id.ID]bool{}
	for part := range slices.Chunk(who, enterBatch) {
		found, err := s.cfg.People.Holding(ctx, d.Where, part)
		if err != nil {
			return nil, err
		}
		for v := range found {
			holds[v] = found[v]
		}
	}
	return slices.DeleteFunc(slices.Clone(who), func(v id.ID) bool { return !holds[v] }), nil
}

func (s *Service) past(ctx context.Context, d *Definition, out *Simulation, take func(clock.Day, []id.ID, *int64) error) error {
	t := &d.Trigger
	if t.Kind == OnEntered || t.Kind == OnLeft {
		out.Past = PastPassages
		return s.pastPassages(ctx, t, out, take)
	}
	if t.Kind == OnAPI || t.Kind == OnRecord && t.Change != "created" {
		out.Past = PastUnknown
		return nil
	}
	for day := out.From; day <= out.To; day++ {
		var where *query.Node
		switch {
		case t.Kind == OnEvent:
			out.Past = PastEvents
			where = t.happened(day)
		case t.Kind == OnRecord:
			out.Past = PastEvents
			where = &query.Node{Record: t.Object, Where: t.Where, Within: &query.Window{From: day.String(), To: day.String()}}
			if t.Object == customers {
				out.Past = PastUnknown
				return nil
			}
		case t.slot(day):
			out.Past = PastCalendar
			where = t.audience(day)
		default:
			out.Past = PastCalendar
			out.Days = append(out.Days, DayCount{Day: day})
			continue
		}
		n := DayCount{Day: day}
		err := s.cfg.People.All(ctx, where, func(who []id.ID) error { return take(day, who, &n.Entered) })
		if err != nil {
			return err
		}
		out.Days, out.Entries = append(out.Days, n), out.Entries+n.Entered
	}
	return nil
}

// happened is the condition of those to whom an event of the trigger happened on a day.
func (t *Trigger) happened(day clock.Day) *query.Node {
	n := &query.Node{Event: t.Event, Within: &query.Window{From: day.String(), To: day.String()}}
	var all []*query.Node
	for _, m := range t.Match {
		leaf := &query.Node{Property: m.Property, Op: m.Op, Value: jsonText(m.Value)}
		if m.Op == "has" {
			leaf.Op, leaf.Value = "is_set", nil
		}
		all = append(all, leaf)
	}
	if len(all) > 0 {
		n.Where = &query.Node{All: all}
	}
	return n
}

func (s *Service) pastPassages(ctx context.Context, t *Trigger, out *Simulation, take func(clock.Day, []id.ID, *int64) error) error {
	zone := s.cfg.Zone()
	by := map[clock.Day][]id.ID{}
	for after := (Crossing{}); ; {
		page, err := s.cfg.Store.Crossed(ctx, t.Segment, t.Kind == OnEntered, out.From.Start(zone), after, enterBatch)
		if err != nil {
			return err
		}
		for _, c := range page {
			day := clock.DayOf(c.At, zone)
			by[day] = append(by[day], c.Customer)
		}
		if len(page) < enterBatch {
			break
		}
		after = page[len(page)-1]
	}
	for day := out.From; day <= out.To; day++ {
		n := DayCount{Day: day}
		if err := take(day, by[day], &n.Entered); err != nil {
			return err
		}
		out.Days, out.Entries = append(out.Days, n), out.Entries+n.Entered
	}
	return nil
}

// walk takes a sample along the way by what is known now. Nobody waits; an event that is waited for does not come; each step is passed once.
func (s *Service) walk(ctx context.Context, d *Definition, key id.ID, who []id.ID, out *Simulation) error {
	var start []id.ID
	for _, v := range who {
		if Chance("holdout|"+id.Format(Prefix, key)+"|"+id.Format("cus", v))*100 < float64(d.Holdout) {
			out.Held++
		} else {
			start = append(start, v)
		}
	}
	passed := map[string]map[id.ID]bool{}
	counts := map[string]*StepCount{}
	type leg struct {
		step string
		who  []id.ID
	}
	for todo := []leg{{d.Start, start}}; len(todo) > 0; {
		at := todo[0]
		todo = todo[1:]
		st := d.Step(at.step)
		if st == nil {
			continue
		}
		if passed[st.Key] == nil {
			passed[st.Key], counts[st.Key] = map[id.ID]bool{}, &StepCount{Step: st.Key, Outcomes: map[string]int64{}}
		}
		fresh := slices.DeleteFunc(slices.Clone(at.who), func(v id.ID) bool { return passed[st.Key][v] })
		if len(fresh) == 0 {
			continue
		}
		for _, v := range fresh {
			passed[st.Key][v] = true
		}
		c := counts[st.Key]
		c.Reached += int64(len(fresh))
		next, err := s.part(ctx, st, key, fresh, c)
		if err != nil {
			return err
		}
		for _, to := range slices.Sorted(mapKeys(next)) {
			todo = append(todo, leg{to, next[to]})
		}
	}
	for i := range d.Steps {
		if c := counts[d.Steps[i].Key]; c != nil {
			out.Steps = append(out.Steps, *c)
		}
	}
	return nil
}

func mapKeys(m map[string][]id.ID) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// part says who goes where from a step.
func (s *Service) part(ctx context.Context, st *Step, key id.ID, who []id.ID, c *StepCount) (map[string][]id.ID, error) {
	next := map[string][]id.ID{}
	switch st.Kind {
	case Branch, Switch:
		rest := who
		for i := range st.Ways {
			where := st.condition(i)
			if where == nil || len(rest) == 0 {
				continue
			}
			found := map[id.ID]bool{}
			for part := range slices.Chunk(rest, enterBatch) {
				got, err := s.cfg.People.Holding(ctx, where, part)
				if err != nil {
					return nil, err
				}
				for v := range got {
					found[v] = got[v]
				}
			}
			w := &st.Ways[i]
			rest = slices.DeleteFunc(slices.Clone(rest), func(v id.ID) bool {
				if found[v] {
					c.Outcomes[w.Key]++
					next[w.Next] = append(next[w.Next], v)
				}
				return found[v]
			})
		}
		c.Outcomes[OutElse] += int64(len(rest))
		next[st.Next] = append(next[st.Next], rest...)
	case Split:
		for _, v := range who {
			w := st.drawn(&Token{Journey: key, Customer: v, Entry: 1})
			c.Outcomes[w.Key]++
			next[w.Next] = append(next[w.Next], v)
		}
	case Send:
		gates, err := s.cfg.Sender.Would(ctx, st, who)
		if kind := fault.KindOf(err); err != nil && kind != fault.NotFound && kind != fault.Invalid {
			return nil, err
		}
		for _, g := range gates {
			c.Outcomes[cmp.Or(g, OutDone)]++
		}
		next[st.Next] = who
	case Wait:
		outcome := OutDone
		if st.Wait.Event != "" {
			outcome = OutTime
		}
		c.Outcomes[outcome] += int64(len(who))
		next[st.Next] = who
	case End:
	default:
		c.Outcomes[OutDone] += int64(len(who))
		next[st.Next] = who
	}
	return next, nil
}

// DefaultDays is how far back a simulation looks unless it is asked otherwise.
const DefaultDays = 30

func jsonText(text string) json.RawMessage {
	raw, err := json.Marshal(text)
	if err != nil {
		return nil
	}
	return raw
}

package journey

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

const (
	stepBatch = 2000
	actBatch  = 500 // writes of records in one transaction
	// leaseFor is how long a worker that is silent keeps a journey.
	leaseFor = time.Minute
	// lookEvery is how often it is looked who entered or left a segment, and what the clock asks for.
	lookEvery = time.Second
	// goalsEvery is how often goals that are conditions are asked of everybody.
	goalsEvery = 10 * time.Minute
	// callsAtOnce is how many calls to other systems run beside each other.
	callsAtOnce = 8
	maxTries    = 5
)

type versionKey struct {
	journey id.ID
	number  int64
}

// definitions keeps versions, which never change.
type definitions struct {
	mu sync.Mutex
	of map[versionKey]*Definition
}

func (s *Service) definition(ctx context.Context, key id.ID, number int64) (*Definition, error) {
	k := versionKey{key, number}
	s.defs.mu.Lock()
	d := s.defs.of[k]
	s.defs.mu.Unlock()
	if d != nil {
		return d, nil
	}
	got, err := s.cfg.Store.Version(ctx, key, number)
	if err != nil {
		return nil, err
	}
	s.defs.mu.Lock()
	defer s.defs.mu.Unlock()
	s.defs.of[k] = &got
	return &got, nil
}

// Run works journeys until the context ends.
func (s *Service) Run(ctx context.Context) error {
	var asked time.Time
	for {
		if now := s.now(); now.Sub(asked) >= goalsEvery {
			if err := s.Goals(ctx); err != nil {
				return err
			}
			asked = now
		}
		busy, err := s.Work(ctx)
		if err != nil {
			return err
		}
		if busy {
			continue
		}
		if err := clock.Pause(ctx, lookEvery, s.wake); err != nil {
			return err
		}
	}
}

// Work does one batch of every journey that is live: lets in whom the clock and segments bring, and moves who is due. busy says that there is more
// to do at once.
func (s *Service) Work(ctx context.Context) (busy bool, err error) {
	all, err := s.cfg.Store.Journeys(ctx)
	if err != nil {
		return false, err
	}
	for i := range all {
		j := &all[i]
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if j.Status != Live {
			continue
		}
		now := s.now()
		ours, err := s.cfg.Store.Lease(ctx, j.ID, s.worker, now, now.Add(leaseFor))
		if err != nil {
			return false, err
		}
		if !ours {
			continue
		}
		more, err := s.work(ctx, j)
		if fault.CodeOf(err) == "journey.moved" {
			more, err = true, nil // somebody else moved one of them: what is due is read again
		}
		if err != nil {
			if ctx.Err() != nil {
				return false, err
			}
			if err := s.fail(ctx, j, err); err != nil {
				return false, err
			}
		}
		busy = busy || more
	}
	return busy, nil
}

// fail pauses a journey that cannot go on, for a reason that somebody can do something about; anything else is tried again.
func (s *Service) fail(ctx context.Context, j *Journey, err error) error {
	code := fault.CodeOf(err)
	if kind := fault.KindOf(err); code == "" || kind == fault.Internal || kind == fault.Unavailable {
		return err
	}
	s.cfg.Log.Warn("a journey was paused", "journey", id.Format(Prefix, j.ID), "error", err)
	j.Status, j.Reason = Paused, code
	_, err = s.cfg.Store.Move(ctx, *j, Live)
	s.live.forget()
	s.cfg.Publish(j.ID)
	return err
}

func (s *Service) work(ctx context.Context, j *Journey) (bool, error) {
	d, err := s.definition(ctx, j.ID, j.Published)
	if err != nil {
		return false, err
	}
	entered, err := s.look(ctx, j, d)
	if err != nil {
		return false, err
	}
	moved, err := s.pass(ctx, j)
	if entered > 0 || moved > 0 {
		s.shown.forget(j.ID)
		s.cfg.Publish(j.ID)
	}
	return entered > 0 || moved > 0, err
}

// pass moves a batch of those who are due, step by step.
func (s *Service) pass(ctx context.Context, j *Journey) (int, error) {
	due, err := s.cfg.Store.Due(ctx, j.ID, s.now(), stepBatch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	groups := map[string][]*Token{}
	var order []string
	for i := range due {
		t := &due[i]
		k := strconv.FormatInt(t.Version, 10) + "|" + t.Step
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], t)
	}
	for _, k := range order {
		list := groups[k]
		d, err := s.definition(ctx, j.ID, list[0].Version)
		if err != nil {
			return 0, err
		}
		if err := s.group(ctx, j, d, list); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// batch are people at one step of one version.
type batch struct {
	s    *Service
	j    *Journey
	d    *Definition
	step *Step
	now  time.Time
	list []*Token
	who  map[id.ID]id.ID // who they are now
}

func (s *Service) group(ctx context.Context, j *Journey, d *Definition, list []*Token) error {
	b := &batch{s: s, j: j, d: d, step: d.Step(list[0].Step), now: s.now(), list: list}
	ids := make([]id.ID, 0, len(list))
	for _, t := range list {
		ids = append(ids, t.Customer)
	}
	var err error
	if b.who, err = s.cfg.People.Now(ctx, ids); err != nil {
		return err
	}
	left, err := b.leavers(ctx)
	if err != nil {
		return err
	}
	var stay []*Token
	var out []Move
	for _, t := range list {
		if why := left[t.ID]; why != "" {
			out = append(out, b.leave(t, why))
		} else {
			stay = append(stay, t)
		}
	}
	if len(out) > 0 {
		if err := b.advance(ctx, nil, out, nil); err != nil {
			return err
		}
	}
	if b.list = stay; len(stay) == 0 {
		return nil
	}
	return b.run(ctx)
}

func (b *batch) leave(t *Token, why string) Move {
	kind := ""
	if b.step != nil {
		kind = b.step.Kind
	}
	return Move{Token: t, To: t.Step, State: Left, Outcome: OutLeft, Why: why, Kind: kind, Goal: why == WhyGoal}
}

// leavers asks the rules of exit, in this order: gone, goal, condition, segment.
func (b *batch) leavers(ctx context.Context) (map[id.ID]string, error) {
	out := map[id.ID]string{}
	var ask []id.ID
	for _, t := range b.list {
		who, here := b.who[t.Customer]
		switch {
		case b.step == nil:
			out[t.ID] = WhyNoStep
		case !here:
			out[t.ID] = WhyGone
		case b.d.Exit.Goal && !t.Goal.IsZero():
			out[t.ID] = WhyGoal
		default:
			ask = append(ask, who)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	mark := func(found map[id.ID]bool, when bool, why string) {
		for _, t := range b.list {
			if who, here := b.who[t.Customer]; here && out[t.ID] == "" && found[who] == when {
				out[t.ID] = why
			}
		}
	}
	if g := &b.d.Goal; g.Kind == GoalCondition && b.d.Exit.Goal {
		found, err := b.s.cfg.People.Holding(ctx, g.Where, ask)
		if err != nil {
			return nil, err
		}
		mark(found, true, WhyGoal)
	}
	if b.d.Exit.Where != nil {
		found, err := b.s.cfg.People.Holding(ctx, b.d.Exit.Where, ask)
		if err != nil {
			return nil, err
		}
		mark(found, true, WhyWhere)
	}
	if b.d.Exit.Segment {
		found, err := b.s.cfg.People.Among(ctx, b.d.Trigger.Segment, ask)
		if err != nil {
			return nil, err
		}
		mark(found, false, WhySegment)
	}
	return out, nil
}

func (b *batch) advance(ctx context.Context, tx any, moves []Move, effects []any) error {
	return b.s.cfg.Store.Advance(ctx, tx, Batch{Journey: b.j.ID, Moves: moves, Effects: effects, At: b.now})
}

// passed takes somebody to where a step leads. Who comes to an exit is done at once.
func (b *batch) passed(t *Token, to, outcome, why string) Move {
	m := Move{Token: t, To: to, State: On, Due: b.now, Outcome: outcome, Why: why, Kind: b.step.Kind}
	if next := b.d.Step(to); next == nil || next.Kind == End {
		m.State = Done
	}
	return m
}

func (b *batch) all(outcome string) []Move {
	out := make([]Move, len(b.list))
	for i, t := range b.list {
		out[i] = b.passed(t, b.step.Next, outcome, "")
	}
	return out
}

func (b *batch) run(ctx context.Context) error {
	switch b.step.Kind {
	case Wait:
		return b.wait(ctx)
	case Branch, Switch:
		return b.branch(ctx)
	case Split:
		moves := make([]Move, len(b.list))
		for i, t := range b.list {
			w := b.step.drawn(t)
			moves[i] = b.passed(t, w.Next, w.Key, "")
		}
		return b.advance(ctx, nil, moves, nil)
	case Send:
		return b.send(ctx)
	case Coupon:
		made, err := b.s.cfg.Offers.Make(ctx, b.step.Offer, b.customers())
		if err != nil {
			return err
		}
		return b.advance(ctx, nil, b.all(OutDone), made)
	case Update, Tag, Task:
		return b.write(ctx)
	case Webhook:
		return b.call(ctx)
	case Reached:
		moves := b.all(OutDone)
		for i := range moves {
			moves[i].Goal = true
		}
		return b.advance(ctx, nil, moves, nil)
	}
	moves := b.all(OutDone)
	for i := range moves {
		moves[i].To, moves[i].State = moves[i].Token.Step, Done
	}
	return b.advance(ctx, nil, moves, nil)
}

func (b *batch) customers() []id.ID {
	out := make([]id.ID, len(b.list))
	for i, t := range b.list {
		out[i] = b.who[t.Customer]
	}
	return out
}

// condition is what a way of a branch or switch asks.
func (s *Step) condition(i int) *query.Node {
	w := &s.Ways[i]
	if s.Kind != Switch {
		return w.Where
	}
	if len(w.Value) == 0 || s.Field == "" && s.Trait == "" {
		return nil
	}
	return &query.Node{Field: s.Field, Trait: s.Trait, Op: "=", Value: w.Value}
}

// branch asks the conditions in their order, each of those whom none before it found.
func (b *batch) branch(ctx context.Context) error {
	taken := make(map[id.ID]int, len(b.list))
	rest := b.customers()
	for i := range b.step.Ways {
		where := b.step.condition(i)
		if len(rest) == 0 || where == nil {
			continue
		}
		found, err := b.s.cfg.People.Holding(ctx, where, rest)
		if err != nil {
			return err
		}
		rest = slices.DeleteFunc(rest, func(v id.ID) bool {
			if found[v] {
				taken[v] = i + 1
			}
			return found[v]
		})
	}
	moves := make([]Move, len(b.list))
	for i, t := range b.list {
		if k := taken[b.who[t.Customer]]; k > 0 {
			w := &b.step.Ways[k-1]
			moves[i] = b.passed(t, w.Next, w.Key, "")
		} else {
			moves[i] = b.passed(t, b.step.Next, OutElse, "")
		}
	}
	return b.advance(ctx, nil, moves, nil)
}

// Chance is a number between 0 and 1 that a text always gives.
func Chance(text string) float64 {
	sum := sha256.Sum256([]byte(text))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// drawn is the way that chance gives to an entry of a person; the same question has the same answer.
func (s *Step) drawn(t *Token) *Way {
	at := Chance("split|"+id.Format(Prefix, t.Journey)+"|"+s.Key+"|"+id.Format("cus", t.Customer)+"|"+strconv.FormatInt(t.Entry, 10)) * wholeShare
	for i := range s.Ways {
		if at -= float64(s.Ways[i].Share); at < 0 {
			return &s.Ways[i]
		}
	}
	return &s.Ways[len(s.Ways)-1]
}

// send writes the lines of messages in the transaction that moves their people on.
func (b *batch) send(ctx context.Context) error {
	list := make([]Entry, len(b.list))
	for i, t := range b.list {
		list[i] = Entry{b.who[t.Customer], t.Entry}
	}
	lines, gates, err := b.s.cfg.Sender.Lines(ctx, b.step.Run, list)
	if err != nil {
		return err
	}
	moves := b.all(OutDone)
	for i := range moves {
		if gates[i] != "" {
			moves[i].Outcome, moves[i].Why = "stopped", gates[i]
		}
	}
	if err := b.advance(ctx, nil, moves, lines); err != nil {
		return err
	}
	b.s.cfg.Wake()
	return nil
}

// write has records written in the transaction that moves their people on.
func (b *batch) write(ctx context.Context) error {
	list := b.list
	for part := range slices.Chunk(list, actBatch) {
		acts := make([]Act, len(part))
		for i, t := range part {
			acts[i] = Act{Step: b.step, Customer: b.who[t.Customer], At: b.now}
		}
		one := *b
		one.list = part
		err := b.s.cfg.Desk.Write(ctx, b.j.ID, acts, func(ctx context.Context, tx any, results []error) error {
			moves := one.all(OutDone)
			for i, err := range results {
				if err != nil {
					moves[i].Outcome, moves[i].Why = OutFailed, whyOf(err)
				}
			}
			return one.advance(ctx, tx, moves, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func whyOf(err error) string {
	if f, ok := fault.Find(err); ok {
		if len(f.Items) > 0 {
			f = f.Items[0]
		}
		return f.Code
	}
	return "journey.failed"
}

// call asks another system for each person, some at once. What failed for the moment is tried again later with the same key.
func (b *batch) call(ctx context.Context) error {
	type result struct {
		code    string
		lasting bool
	}
	got := make([]result, len(b.list))
	work := make(chan int)
	var group sync.WaitGroup
	for range callsAtOnce {
		group.Go(func() {
			for i := range work {
				t := b.list[i]
				body := map[string]any{"journey": id.Format(Prefix, b.j.ID), "name": b.j.Name, "step": b.step.Key, "entry": t.Entry, "customer": id.Format("cus", b.who[t.Customer]), "at": b.now}
				key := id.Format(TokenPrefix, t.ID) + "." + strconv.FormatInt(t.Moves, 10)
				got[i].code, got[i].lasting = b.s.cfg.Caller.Call(ctx, b.step.URL, key, body)
			}
		})
	}
	for i := range b.list {
		work <- i
	}
	close(work)
	group.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	moves := b.all(OutDone)
	for i, r := range got {
		t := b.list[i]
		switch {
		case r.code == "":
		case r.lasting || t.Tries+1 >= maxTries:
			moves[i].Outcome, moves[i].Why = OutFailed, r.code
		default:
			moves[i] = Move{Token: t, To: t.Step, State: On, Due: b.now.Add(time.Minute << (2 * t.Tries)), Tries: t.Tries + 1, Kind: b.step.Kind}
		}
	}
	return b.advance(ctx, nil, moves, nil)
}

// wait lets people who come wait, and those go whose wait is over.
func (b *batch) wait(ctx context.Context) error {
	w := b.step.Wait
	var dates map[id.ID]clock.Day
	zone := b.s.cfg.Zone()
	if w.Field != "" {
		var err error
		if dates, err = b.s.cfg.People.Dates(ctx, w.Field, b.customers(), clock.DayOf(b.now, zone)); err != nil {
			return err
		}
	}
	moves := make([]Move, len(b.list))
	for i, t := range b.list {
		awaited := w.Event != "" && len(b.step.Ways) > 0
		switch {
		case awaited && !t.Woken.IsZero():
			moves[i] = b.passed(t, b.step.Ways[0].Next, OutEvent, "")
		case !t.Until.IsZero() && !t.Until.After(b.now):
			outcome := OutDone
			if awaited {
				outcome = OutTime
			}
			moves[i] = b.passed(t, b.step.Next, outcome, "")
		case !t.Until.IsZero():
			moves[i] = Move{Token: t, To: t.Step, State: On, Due: t.Until, Until: t.Until, Awaits: t.Awaits, Kind: Wait}
		default:
			var day *clock.Day
			if v, ok := dates[b.who[t.Customer]]; ok {
				day = &v
			}
			until := w.until(b.now, day, zone)
			if w.Event == "" && !until.After(b.now) {
				moves[i] = b.passed(t, b.step.Next, OutDone, "")
				continue
			}
			moves[i] = Move{Token: t, To: t.Step, State: On, Due: until, Until: until, Awaits: w.Event, Kind: Wait}
		}
	}
	return b.advance(ctx, nil, moves, nil)
}

// until is when a wait that begins now is over. A date that is missing or past is not waited for.
func (w *Waiting) until(now time.Time, field *clock.Day, zone *time.Location) time.Time {
	t := now
	switch {
	case w.Date != "":
		if day, err := clock.ParseDay(w.Date); err == nil {
			t = later(now, day.Start(zone))
		}
	case w.Field != "":
		if field != nil {
			t = later(now, field.Start(zone).Add(w.span()))
		}
	case w.Days > 0: // days are days of the calendar, also where a clock is changed between them
		local := now.In(zone).AddDate(0, 0, w.Days)
		t = local.Add(w.span() - time.Duration(w.Days)*24*time.Hour).UTC()
	default:
		t = now.Add(w.span())
	}
	if w.At == "" && len(w.Weekdays) == 0 {
		return t.UTC()
	}
	local := t.In(zone)
	hour, minute := local.Hour(), local.Minute()
	if w.At != "" {
		hour, minute = clockOf(w.At)
	}
	for k := range 8 {
		at := time.Date(local.Year(), local.Month(), local.Day()+k, hour, minute, 0, 0, zone)
		if w.At == "" && k == 0 {
			at = local
		}
		weekday := (int(at.Weekday())+6)%7 + 1
		if !at.Before(t) && (len(w.Weekdays) == 0 || slices.Contains(w.Weekdays, weekday)) {
			return at.UTC()
		}
	}
	return t.UTC()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// clockOf reads "09:30".
func clockOf(text string) (hour, minute int) {
	h, m, _ := strings.Cut(text, ":")
	hour, _ = strconv.Atoi(h)
	minute, _ = strconv.Atoi(m)
	return hour, minute
}

// Seen is something that happened to a customer.
type Seen struct {
	Customer   id.ID
	Event      string
	At         time.Time
	Key        string // names the occasion
	Properties map[string]json.RawMessage
}

// system is the engine itself.
func system(ctx context.Context) context.Context { return access.With(ctx, access.System()) }

package automation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Segment is a group of customers as rules see it.
type Segment struct {
	Key, Label string
	Static     bool
	Broken     bool
	// Mark is another text whenever its condition is another one, or one of those that it is built on.
	Mark string
	// Wide says that a change of something else than the customer and what belongs to it may move customers in and out.
	Wide bool
}

// Segments is what is needed of the segments of the workspace.
type Segments interface {
	// Find is NotFound segment.not_found where there is none.
	Find(ctx context.Context, key string) (Segment, error)
	// Touched are the customers of the last small pass of the traits.
	Touched(ctx context.Context) ([]id.ID, error)
	// Among are those of some customers that belong to a segment at the moment.
	Among(ctx context.Context, key string, customers []id.ID) (map[id.ID]bool, error)
	// Members are customers that belong to a segment at the moment, in the order of ids, after one.
	Members(ctx context.Context, key string, after id.ID, limit int) ([]id.ID, error)
	// Whole reports whether all that segments ask of is there. It is not while analytics are filled anew, nor until the traits of everyone
	// were computed since: who is missing then has not left. While what follows a pass of the traits is done, it is whole for what is
	// done last there alone (within).
	Whole(ctx context.Context, within bool) (bool, error)
	// Settle waits until everything that was written is seen by the others.
	Settle(ctx context.Context) error
	// Head is the end of the change log.
	Head(ctx context.Context) (change.Position, error)
}

// Watch is a segment whose members are remembered since rules watch it.
type Watch struct {
	Segment  string
	Mark     string
	Since    time.Time // of the first members
	LookedAt time.Time // at everybody
	Head     change.Position
}

// Crossing are customers who entered or left a segment, and the runs that this begins.
type Crossing struct {
	Segment       string
	Entered, Left []id.ID
	Runs          []Run
	Looped        map[id.ID]int
	At            time.Time
}

// WatchStore remembers the members of segments that rules watch.
type WatchStore interface {
	Watches(ctx context.Context) ([]Watch, error)
	// PutWatch writes a watch or what has changed of it.
	PutWatch(ctx context.Context, w Watch) error
	// DropWatch forgets a watch with its members.
	DropWatch(ctx context.Context, segment string) error
	// Watched are those of some customers that are remembered as members.
	Watched(ctx context.Context, segment string, customers []id.ID) ([]id.ID, error)
	// WatchedAfter are remembered members in the order of ids.
	WatchedAfter(ctx context.Context, segment string, after id.ID, limit int) ([]id.ID, error)
	// Cross moves customers in and out and begins runs, in one transaction.
	Cross(ctx context.Context, c Crossing) error
}

const (
	watchEvery = 20 * time.Second
	// wideEvery is how often a wide segment is looked at as a whole while something changes; hourly every segment is, since time passes.
	wideEvery = time.Minute
	// watchGrace is how long a watch without a rule is kept: a rule that is being saved takes its members first.
	watchGrace = 10 * time.Minute
	// missedEvery is how often it is tried again where a comparison could not be made.
	missedEvery = time.Second
	calmTries   = 50
	calmPause   = 100 * time.Millisecond
	crossMany   = 1000
	walkMany    = 20_000
	// causesAtMost bounds of how many customers it is asked which rule wrote them last.
	causesAtMost = 5000
	// causeFor is how long after a run what it wrote may still move the customer: behind that, time or somebody else did.
	causeFor = 15 * time.Minute
)

// crossings reports whether a trigger is about a segment.
func (t *Trigger) crossings() bool { return t.Kind == OnEnters || t.Kind == OnLeaves }

// Watcher begins runs of rules that wait for customers to enter or leave segments. Who was a member is remembered in the transaction that
// begins the runs: after a crash at any point the comparison finds what is still to be begun, and nothing else. Customers that a small pass
// of the traits computed are compared at once, everybody after a full one, every hour, and where a segment is wide soon after any change.
// Another condition of a segment moves its members without beginning anything: nothing has happened to them. Only one may run at a time in
// a workspace.
type Watcher struct {
	Service *Service
	Log     *slog.Logger

	compared atomic.Bool // everybody was compared, and no comparison failed since
}

// errPartial ends a comparison with a segment of which a part was missing: nobody is moved by that, and everybody is compared as soon as all
// is there again.
var errPartial = errors.New("what segments ask of is being made anew")

// whole is errPartial where something is missing.
func (s *Service) whole(ctx context.Context, within bool) error {
	ok, err := s.cfg.Segments.Whole(ctx, within)
	if err == nil && !ok {
		err = errPartial
	}
	return err
}

// unlessPartial passes over errPartial.
func unlessPartial(err error) error {
	if errors.Is(err, errPartial) {
		return nil
	}
	return err
}

// calm waits until all is there, for some seconds at most.
func (s *Service) calm(ctx context.Context) error {
	for range calmTries {
		if err := s.whole(ctx, false); !errors.Is(err, errPartial) {
			return err
		}
		if err := clock.Pause(ctx, calmPause, nil); err != nil {
			return err
		}
	}
	return nil
}

// Run looks at the clock until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	for {
		if err := w.Tick(ctx); err != nil {
			return fmt.Errorf("watch segments: %w", err)
		}
		rest := watchEvery
		if w.missed() {
			rest = missedEvery
		}
		if err := clock.Pause(ctx, rest, nil); err != nil {
			return err
		}
	}
}

// missed reports whether a comparison is to be made up for. The first one of a process is: what the one before it missed is not known.
func (w *Watcher) missed() bool { return !w.compared.Load() }

// settled passes over errPartial and remembers that everybody is to be compared.
func (w *Watcher) settled(err error) error {
	if err != nil {
		w.compared.Store(false)
	}
	return unlessPartial(err)
}

// watching are the rules that are on, by the segment that they watch.
func (s *Service) watching(ctx context.Context) (map[string][]Rule, error) {
	rules, err := s.cfg.Store.Rules(ctx, false, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("list automations: %w", err)
	}
	out := map[string][]Rule{}
	for i := range rules {
		if t := &rules[i].Definition.Trigger; rules[i].State == On && t.crossings() {
			out[t.Segment] = append(out[t.Segment], rules[i])
		}
	}
	return out, nil
}

// Tick does what the clock asks for: first members of a segment that is watched since a moment ago, a look at everybody where one is due, and
// the end of watches that no rule needs.
func (w *Watcher) Tick(ctx context.Context) error { return w.settled(w.tick(ctx)) }

func (w *Watcher) tick(ctx context.Context) error {
	s := w.Service
	s.watchTurn.Lock()
	defer s.watchTurn.Unlock()
	rules, err := s.watching(ctx)
	if err != nil {
		return err
	}
	watches, err := s.cfg.Watches.Watches(ctx)
	if err != nil {
		return err
	}
	now := s.cfg.Clock.Now()
	known := map[string]Watch{}
	for _, k := range watches {
		known[k.Segment] = k
		if rules[k.Segment] == nil && now.Sub(k.Since) > watchGrace {
			if err := s.cfg.Watches.DropWatch(ctx, k.Segment); err != nil {
				return err
			}
		}
	}
	if len(rules) == 0 {
		w.compared.Store(true)
		return nil
	}
	if err := s.whole(ctx, false); err != nil {
		return err
	}
	head, err := s.cfg.Segments.Head(ctx)
	if err != nil {
		return err
	}
	missed := !w.compared.Swap(true)
	for key, list := range rules {
		k, ok := known[key]
		seg, err := s.cfg.Segments.Find(ctx, key)
		if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && seg.Broken {
			continue // its members stay as they are
		}
		if err != nil {
			return err
		}
		due := missed || now.Truncate(time.Hour).After(k.LookedAt) || seg.Wide && k.Head != head && now.Sub(k.LookedAt) >= wideEvery
		switch {
		case !ok, k.Mark != seg.Mark:
			err = s.firstMembers(ctx, &seg)
		case due:
			err = w.everybody(ctx, &k, list, head)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Passed is told of a pass of the traits: over everybody, or over some customers.
func (w *Watcher) Passed(ctx context.Context, full bool) error { return w.settled(w.passed(ctx, full)) }

func (w *Watcher) passed(ctx context.Context, full bool) error {
	s := w.Service
	s.watchTurn.Lock()
	defer s.watchTurn.Unlock()
	rules, err := s.watching(ctx)
	if err != nil || len(rules) == 0 {
		return err
	}
	if err := s.whole(ctx, true); err != nil {
		return err
	}
	watches, err := s.cfg.Watches.Watches(ctx)
	if err != nil {
		return err
	}
	var customers []id.ID
	if !full {
		if customers, err = s.cfg.Segments.Touched(ctx); err != nil {
			return err
		}
	}
	head, err := s.cfg.Segments.Head(ctx)
	if err != nil {
		return err
	}
	for i := range watches {
		k := &watches[i]
		list := rules[k.Segment]
		seg, err := s.cfg.Segments.Find(ctx, k.Segment)
		if len(list) == 0 || fault.KindOf(err) == fault.NotFound && err != nil || err == nil && (seg.Broken || seg.Mark != k.Mark) {
			continue // nobody watches, or the clock takes its members anew
		}
		if err == nil && full {
			err = w.everybody(ctx, k, list, head)
		} else if err == nil {
			err = s.some(ctx, k.Segment, list, customers)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// firstMembers remembers who belongs to a segment at the moment, and begins nothing.
func (s *Service) firstMembers(ctx context.Context, seg *Segment) error {
	if err := s.cfg.Segments.Settle(ctx); err != nil {
		return err
	}
	if err := s.cfg.Watches.DropWatch(ctx, seg.Key); err != nil {
		return err
	}
	now := s.cfg.Clock.Now().Truncate(time.Millisecond)
	head, err := s.cfg.Segments.Head(ctx)
	if err != nil {
		return err
	}
	for after := id.ID(0); ; {
		page, err := s.cfg.Segments.Members(ctx, seg.Key, after, walkMany)
		if err != nil {
			return fmt.Errorf("read members of segment %s: %w", seg.Key, err)
		}
		if len(page) == 0 {
			break
		}
		if err := s.cfg.Watches.Cross(ctx, Crossing{Segment: seg.Key, Entered: page, At: now}); err != nil {
			return err
		}
		after = page[len(page)-1]
	}
	if err := s.whole(ctx, true); err != nil {
		return errors.Join(err, s.cfg.Watches.DropWatch(ctx, seg.Key)) // the clock takes them when it is
	}
	return s.cfg.Watches.PutWatch(ctx, Watch{Segment: seg.Key, Mark: seg.Mark, Since: now, LookedAt: now, Head: head})
}

// watch takes the first members for a rule that is about to be switched on, unless another one watches the segment already. Where something
// is missing that segments ask of, the clock takes them later, and who comes or goes meanwhile begins nothing.
func (s *Service) watch(ctx context.Context, r *Rule) error {
	t := &r.Definition.Trigger
	if r.State != On || !t.crossings() {
		return nil
	}
	seg, err := s.cfg.Segments.Find(ctx, t.Segment)
	if err != nil {
		return err
	}
	rules, err := s.watching(ctx)
	if err != nil {
		return err
	}
	watches, err := s.cfg.Watches.Watches(ctx)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(rules[t.Segment]), func(o Rule) bool { return o.ID == r.ID })
	current := slices.ContainsFunc(watches, func(k Watch) bool { return k.Segment == t.Segment && k.Mark == seg.Mark })
	if len(others) > 0 && current {
		return nil
	}
	if err := s.calm(ctx); err != nil {
		return err
	}
	s.watchTurn.Lock()
	defer s.watchTurn.Unlock()
	return unlessPartial(s.firstMembers(ctx, &seg))
}

// SegmentsChanged takes the members of watched segments anew whose condition is another one than when they were taken. Where there is none it
// waits for nothing: it is asked after each segment that was computed.
func (s *Service) SegmentsChanged(ctx context.Context) error {
	if list, err := s.changedWatches(ctx); err != nil || len(list) == 0 {
		return unlessPartial(err)
	}
	if err := s.calm(ctx); err != nil {
		return err
	}
	s.watchTurn.Lock()
	defer s.watchTurn.Unlock()
	list, err := s.changedWatches(ctx)
	for i := range list {
		if err == nil {
			err = s.firstMembers(ctx, &list[i])
		}
	}
	return unlessPartial(err)
}

// changedWatches are the watched segments whose condition is another one than when their members were taken.
func (s *Service) changedWatches(ctx context.Context) (out []Segment, err error) {
	watches, err := s.cfg.Watches.Watches(ctx)
	if err != nil {
		return nil, err
	}
	for i := range watches {
		seg, err := s.cfg.Segments.Find(ctx, watches[i].Segment)
		switch {
		case err != nil && fault.KindOf(err) == fault.NotFound:
		case err != nil:
			return nil, err
		case !seg.Broken && seg.Mark != watches[i].Mark:
			out = append(out, seg)
		}
	}
	return out, nil
}

// some compares some customers with what is remembered.
func (s *Service) some(ctx context.Context, segment string, rules []Rule, customers []id.ID) error {
	for part := range slices.Chunk(customers, crossMany) {
		in, err := s.cfg.Segments.Among(ctx, segment, part)
		if err != nil {
			return fmt.Errorf("look who is in segment %s: %w", segment, err)
		}
		had, err := s.cfg.Watches.Watched(ctx, segment, part)
		if err != nil {
			return err
		}
		var entered, left []id.ID
		for _, v := range part {
			if in[v] && !slices.Contains(had, v) {
				entered = append(entered, v)
			}
		}
		for _, v := range had {
			if !in[v] {
				left = append(left, v)
			}
		}
		if err := s.cross(ctx, segment, rules, entered, left); err != nil {
			return err
		}
	}
	return nil
}

// everybody compares all members with what is remembered: two lists in the order of ids, portion by portion.
func (w *Watcher) everybody(ctx context.Context, k *Watch, rules []Rule, head change.Position) error {
	s := w.Service
	now := s.cfg.Clock.Now().Truncate(time.Millisecond)
	are := &walk{next: func(after id.ID) ([]id.ID, error) { return s.cfg.Segments.Members(ctx, k.Segment, after, walkMany) }}
	had := &walk{next: func(after id.ID) ([]id.ID, error) { return s.cfg.Watches.WatchedAfter(ctx, k.Segment, after, walkMany) }}
	var entered, left []id.ID
	flush := func(least int) error {
		if len(entered)+len(left) < least {
			return nil
		}
		err := s.cross(ctx, k.Segment, rules, entered, left)
		entered, left = nil, nil
		return err
	}
	for {
		a, okA, err := are.peek()
		if err != nil {
			return fmt.Errorf("read members of segment %s: %w", k.Segment, err)
		}
		b, okB, err := had.peek()
		if err != nil {
			return err
		}
		switch {
		case !okA && !okB:
			if err := flush(1); err != nil {
				return err
			}
			k.LookedAt, k.Head = now, head
			return s.cfg.Watches.PutWatch(ctx, *k)
		case okA && okB && a == b:
			are.pop()
			had.pop()
		case okA && (!okB || a < b):
			are.pop()
			entered = append(entered, a)
		default:
			had.pop()
			left = append(left, b)
		}
		if err := flush(crossMany); err != nil {
			return err
		}
	}
}

// walk goes through ids in portions.
type walk struct {
	next  func(after id.ID) ([]id.ID, error)
	page  []id.ID
	after id.ID
	ended bool
}

func (w *walk) peek() (id.ID, bool, error) {
	if len(w.page) == 0 && !w.ended {
		page, err := w.next(w.after)
		if err != nil {
			return 0, false, err
		}
		w.page, w.ended = page, len(page) == 0
		if !w.ended {
			w.after = page[len(page)-1]
		}
	}
	if w.ended {
		return 0, false, nil
	}
	return w.page[0], true, nil
}

func (w *walk) pop() { w.page = w.page[1:] }

// cross stores who came and went with the runs that this begins.
func (s *Service) cross(ctx context.Context, segment string, rules []Rule, entered, left []id.ID) error {
	if len(entered)+len(left) == 0 {
		return nil
	}
	if err := s.whole(ctx, true); err != nil { // after the members were read: what is missing now may have been missing then
		return err
	}
	c := Crossing{Segment: segment, Entered: entered, Left: left, At: s.cfg.Clock.Now().Truncate(time.Millisecond), Looped: map[id.ID]int{}}
	causes, err := s.lastCauses(ctx, slices.Concat(entered, left))
	if err != nil {
		return err
	}
	for i := range rules {
		r := &rules[i]
		who, mark := entered, "e"
		if r.Definition.Trigger.Kind == OnLeaves {
			who, mark = left, "l"
		}
		if len(who) == 0 {
			continue
		}
		if err := s.crossed(ctx, r, who, mark, causes, &c); err != nil {
			return err
		}
	}
	if err := s.cfg.Watches.Cross(ctx, c); err != nil {
		return fmt.Errorf("begin automations of segment %s: %w", segment, err)
	}
	for rule := range c.Looped {
		s.cfg.Log.Warn("runs of an automation were refused since rules lead in a circle", "rule", id.Format(Prefix, rule))
	}
	s.cfg.Notify()
	return nil
}

// crossed adds the runs of one rule.
func (s *Service) crossed(ctx context.Context, r *Rule, who []id.ID, mark string, causes map[id.ID]Run, c *Crossing) error {
	acting, prog, err := s.acting(ctx, r, r.Revision)
	if reason := pauseFor(err); reason != "" {
		if err := s.cfg.Store.PauseRule(ctx, r.ID, reason, c.At); err != nil {
			return err
		}
		s.paused(ctx, r.ID, reason)
		return nil
	}
	if err != nil {
		return err
	}
	for part := range slices.Chunk(who, askAtOnce) {
		holds, err := s.cfg.Conditions.Holding(acting, prog.obj.Key, prog.def.Where, part, false)
		if err != nil {
			return fmt.Errorf("ask the condition of an automation: %w", err)
		}
		for _, v := range part {
			if !holds[v] {
				continue
			}
			run := s.fresh(r, prog, v, mark+strconv.FormatInt(c.At.UnixMilli(), 10))
			if cause, ok := causes[v]; ok && !follows(&run, &cause, c.Looped) {
				continue
			}
			c.Runs = append(c.Runs, run)
		}
	}
	return nil
}

// lastCauses are the runs that wrote customers last, by customer.
func (s *Service) lastCauses(ctx context.Context, customers []id.ID) (map[id.ID]Run, error) {
	if len(customers) > causesAtMost {
		return nil, nil //nolint:nilnil // many at once are no circle of rules
	}
	out := map[id.ID]Run{}
	for part := range slices.Chunk(customers, askAtOnce) {
		recs, err := s.cfg.Records.GetMany(access.With(ctx, access.System()), query.Customer, part, []string{})
		if err != nil {
			return nil, err
		}
		effects := make([]Effect, len(recs))
		for i, r := range recs {
			effects[i] = Effect{r.ID, r.Version}
		}
		found, err := s.cfg.Store.Causes(ctx, effects)
		if err != nil {
			return nil, fmt.Errorf("find causes: %w", err)
		}
		for e, run := range found {
			if run.EndedAt.IsZero() || s.cfg.Clock.Now().Sub(run.EndedAt) < causeFor {
				out[e.Record] = run
			}
		}
	}
	return out, nil
}

// SegmentUse is a rule that speaks of a segment.
type SegmentUse struct {
	Rule  id.ID
	Name  string
	State State
	// How is enters or leaves for a rule that watches it, condition for one whose conditions name it.
	How string
}

// UsesOfSegment are the rules that watch a segment or name it in a condition, by name. What a rule is called is told to whoever sees segments.
func (s *Service) UsesOfSegment(ctx context.Context, key string) ([]SegmentUse, error) {
	rules, err := s.cfg.Store.Rules(ctx, false, time.Time{})
	if err != nil {
		return nil, err
	}
	var out []SegmentUse
	for i := range rules {
		r, d := &rules[i], &rules[i].Definition
		how := ""
		named := names(d.Where, key)
		each(d.Steps, "", func(st *Step, _ string) {
			named = named || names(st.Where, key) || st.Wait != nil && names(st.Wait.Where, key)
		})
		switch {
		case d.Trigger.crossings() && d.Trigger.Segment == key:
			how = string(d.Trigger.Kind)
		case named:
			how = "condition"
		default:
			continue
		}
		out = append(out, SegmentUse{r.ID, r.Name, r.State, how})
	}
	slices.SortFunc(out, func(a, b SegmentUse) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// names reports whether a condition names a segment.
func names(n *query.Node, key string) bool {
	if n == nil {
		return false
	}
	found := false
	query.Walk(n, func(m *query.Node, _ string) bool {
		found = found || m.Segment == key
		return !found
	})
	return found
}

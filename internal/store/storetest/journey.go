package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// crowd is a workspace as journeys see it, made of numbers.
type crowd struct {
	people int
	store  *sqlstore.Store
	ids    *id.Generator
	gone   map[id.ID]bool
}

func (c *crowd) Check(context.Context, string, *query.Node) error                   { return nil }
func (c *crowd) Segment(context.Context, string) error                              { return nil }
func (c *crowd) DateField(context.Context, string) error                            { return nil }
func (c *crowd) Object(context.Context, string) error                               { return nil }
func (c *crowd) Ready(context.Context, *journey.Journey, *journey.Definition) error { return nil }
func (c *crowd) Pause(context.Context, []id.ID) error                               { return nil }
func (c *crowd) Resume(context.Context, []id.ID) error                              { return nil }
func (c *crowd) Stop(context.Context, []id.ID) error                                { return nil }

func (c *crowd) Holding(_ context.Context, where *query.Node, who []id.ID) (map[id.ID]bool, error) {
	var n int64
	if err := json.Unmarshal(where.Value, &n); err != nil {
		return nil, err
	}
	out := map[id.ID]bool{}
	for _, v := range who {
		if (int64(v)+n)%3 == 0 {
			out[v] = true
		}
	}
	return out, nil
}

func (c *crowd) All(_ context.Context, _ *query.Node, fn func([]id.ID) error) error {
	var all []id.ID
	for i := range c.people {
		all = append(all, id.ID(1000+i))
	}
	return fn(all)
}

func (c *crowd) Among(_ context.Context, _ string, who []id.ID) (map[id.ID]bool, error) {
	out := map[id.ID]bool{}
	for _, v := range who {
		out[v] = true
	}
	return out, nil
}

func (c *crowd) Now(_ context.Context, who []id.ID) (map[id.ID]id.ID, error) {
	out := map[id.ID]id.ID{}
	for _, v := range who {
		if !c.gone[v] {
			out[v] = v
		}
	}
	return out, nil
}

func (c *crowd) Dates(context.Context, string, []id.ID, clock.Day) (map[id.ID]clock.Day, error) {
	return nil, nil //nolint:nilnil // nobody has one
}

func (c *crowd) Lines(_ context.Context, run id.ID, list []journey.Entry) (lines []any, gates []string, err error) {
	for _, e := range list {
		gate := campaign.Gate("")
		if e.Customer%7 == 0 {
			gate = campaign.NoConsent
		}
		lines = append(lines, campaign.Intent{ID: c.ids.Next(), Run: run, Customer: e.Customer, Channel: campaign.Email, Step: int(e.Number), Arm: "a", Eligible: true, State: campaign.Queued, Gate: gate, Due: T0, At: T0})
		gates = append(gates, string(gate))
	}
	return lines, gates, nil
}

func (c *crowd) Would(_ context.Context, _ *journey.Step, list []id.ID) ([]string, error) {
	return make([]string, len(list)), nil
}

func (c *crowd) Global(context.Context) (func(id.ID) bool, error) {
	return func(v id.ID) bool { return v%50 == 0 }, nil
}

func (c *crowd) Make(_ context.Context, _ string, who []id.ID) ([]any, error) {
	var out []any
	for _, v := range who {
		key := c.ids.Next()
		out = append(out, offer.Coupon{ID: key, Offer: 5, Code: fmt.Sprint("C", int64(key)), Customer: v, State: offer.Issued, IssuedAt: T0})
	}
	return out, nil
}

// others are the ports that have names in common.
type others struct{ c *crowd }

func (o others) Check(context.Context, *journey.Step) error { return nil }
func (o others) Write(ctx context.Context, _ id.ID, acts []journey.Act, then func(context.Context, any, []error) error) error {
	return then(ctx, nil, make([]error, len(acts)))
}

type giver struct{ c *crowd }

func (g giver) Check(context.Context, string) error { return nil }
func (g giver) Make(ctx context.Context, o string, who []id.ID) ([]any, error) {
	return g.c.Make(ctx, o, who)
}

type post struct{ *crowd }

func (p post) Check(context.Context, *journey.Step) error { return nil }

type called struct{}

func (called) CheckURL(context.Context, string) error { return nil }
func (called) Call(_ context.Context, _, key string, _ map[string]any) (string, bool) {
	return "", false
}

var errCut = errors.New("cut off")

// cutting is a store that breaks off, before a transaction or behind it: the worker does not know which.
type kept = sqlstore.Journeys

type cutting struct {
	*kept
	chance *rand.Rand
	one    int // in so many calls
}

func (c *cutting) Advance(ctx context.Context, tx any, b journey.Batch) error {
	if c.one > 0 && c.chance.IntN(c.one) == 0 {
		return errCut
	}
	if err := c.kept.Advance(ctx, tx, b); err != nil {
		return err
	}
	if c.one > 0 && c.chance.IntN(c.one) == 0 {
		return errCut
	}
	return nil
}

func (c *cutting) Enter(ctx context.Context, e journey.Entering) (int, error) {
	n, err := c.kept.Enter(ctx, e)
	if err == nil && c.one > 0 && c.chance.IntN(c.one) == 0 {
		err = errCut
	}
	return n, err
}

// randomGraph is a journey whose ways lead on only, so that everybody comes to the end.
func randomGraph(r *rand.Rand) journey.Definition {
	n := 3 + r.IntN(8)
	d := journey.Definition{Trigger: journey.Trigger{Kind: journey.OnSchedule, Every: journey.Daily, At: "09:00"}, Reentry: journey.Reentry{Kind: journey.ReAfter, Days: 2}, Holdout: 10, Start: "k0",
		Goal: journey.Goal{Kind: journey.GoalEvent, Event: "Bought", Days: 5}, Exit: journey.Exit{Goal: r.IntN(2) == 0}}
	key := func(i int) string { return fmt.Sprint("k", i) }
	for i := range n {
		on := func() string { return key(i + 1 + r.IntN(min(3, n-i))) }
		s := journey.Step{Key: key(i), Next: key(i + 1)}
		where := func() *query.Node {
			return &query.Node{Field: "f", Op: "=", Value: json.RawMessage(fmt.Sprint(r.IntN(9)))}
		}
		switch r.IntN(7) {
		case 0:
			s.Kind, s.Wait = journey.Wait, &journey.Waiting{Hours: 1 + r.IntN(30)}
		case 1:
			s.Kind, s.Ways = journey.Branch, []journey.Way{{Key: "x", Where: where(), Next: on()}, {Key: "y", Where: where(), Next: on()}}
		case 2:
			s.Kind, s.Next, s.Ways = journey.Split, "", []journey.Way{{Key: "p", Share: 30, Next: on()}, {Key: "q", Share: 70, Next: key(i + 1)}}
		case 3:
			s.Kind, s.Wait, s.Ways = journey.Wait, &journey.Waiting{Hours: 5 + r.IntN(20), Event: "Came"}, []journey.Way{{Key: "came", Next: on()}}
		case 4:
			s.Kind, s.Offer = journey.Coupon, "ofr"
		default:
			s.Kind, s.Template, s.Run = journey.Send, "tpl", id.ID(9000+i)
		}
		d.Steps = append(d.Steps, s)
	}
	d.Steps = append(d.Steps, journey.Step{Key: key(n), Kind: journey.End})
	reached := map[string]bool{}
	var visit func(k string)
	visit = func(k string) {
		s := d.Step(k)
		if reached[k] {
			return
		}
		reached[k] = true
		for _, w := range s.Ways {
			visit(w.Next)
		}
		if s.Next != "" {
			visit(s.Next)
		}
	}
	visit(d.Start)
	d.Steps = slices.DeleteFunc(d.Steps, func(s journey.Step) bool { return !reached[s.Key] })
	return d
}

// travelled is what is left of a journey: who was sent what, and who got how many coupons.
type travelled struct {
	sent, coupons map[string]int
	standing      journey.Standing
	calls         int
}

// testJourneys: on random graphs, entered is always the sum of who is on the way, done, left and held back; a worker that is cut off anywhere and begins
// anew does what one does that is not: the same messages, the same coupons, each once.
func testJourneys(t *testing.T, s Suite) {
	for seed := range uint64(4) {
		d := randomGraph(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // a test
		if bad := journey.Check(&d); len(bad) > 0 {
			t.Fatalf("seed %d: %+v", seed, bad)
		}
		whole := travel(t, s, d, 0, seed)
		cut := travel(t, s, d, 4, seed)
		if whole.standing != cut.standing || fmt.Sprint(whole.sent) != fmt.Sprint(cut.sent) || fmt.Sprint(whole.coupons) != fmt.Sprint(cut.coupons) {
			t.Errorf("seed %d: %+v and %+v\n%v\n%v", seed, whole.standing, cut.standing, whole.sent, cut.sent)
		}
		if whole.standing.Entered == 0 || whole.standing.Done+whole.standing.Left == 0 || whole.standing.Held == 0 {
			t.Errorf("seed %d: %+v", seed, whole.standing)
		}
	}
}

func travel(t *testing.T, s Suite, d journey.Definition, one int, seed uint64) travelled {
	t.Helper()
	w := NewWorld(t, s.Open(t))
	now := clock.NewFake(T0)
	ids := id.NewGenerator(now, 1)
	people := &crowd{people: 60, store: w.Store, ids: ids, gone: map[id.ID]bool{}}
	store := &cutting{kept: sqlstore.NewJourneys(w.Store), chance: rand.New(rand.NewPCG(seed, 7)), one: one} //nolint:gosec // a test
	svc := journey.New(journey.Config{Store: store, People: people, Desk: others{people}, Sender: post{people}, Offers: giver{people}, Caller: called{}, Clock: now, Zone: func() *time.Location { return time.UTC }, IDs: ids,
		Log: slog.New(slog.DiscardHandler), Note: func(context.Context, string, id.ID, map[string]any) error { return nil }, Publish: func(id.ID) {}, Wake: func() {},
		Anchor: func(context.Context) (clock.Day, error) { return 0, nil }})
	ctx := access.With(context.Background(), access.System())
	j, err := svc.Create(ctx, "j", d)
	if err != nil {
		t.Fatal(err)
	}
	// Chance goes by the id of the journey: both travels must have the same.
	j.ID = 77
	if err := store.Insert(ctx, j); err != nil {
		t.Fatal(err)
	}
	if j, err = svc.Go(ctx, j.ID, 1, journey.Finish); err != nil {
		t.Fatal(err)
	}
	out := travelled{sent: map[string]int{}, coupons: map[string]int{}}
	tell := func(name string, hour int) {
		var seen []journey.Seen
		for i := range people.people {
			if (i+hour)%11 == 0 {
				seen = append(seen, journey.Seen{Customer: id.ID(1000 + i), Event: name, At: now.Now(), Key: fmt.Sprint(hour, i)})
			}
		}
		if err := svc.Happened(ctx, seen); err != nil {
			t.Fatal(err)
		}
	}
	for hour := range 24 * 5 {
		now.Advance(time.Hour)
		if hour%6 == 2 {
			tell("Came", hour)
		}
		if hour%24 == 20 {
			tell("Bought", hour)
		}
		if hour == 50 {
			people.gone[1007] = true
		}
		for busy := true; busy; {
			var err error
			busy, err = svc.Work(ctx)
			out.calls++
			if errors.Is(err, errCut) {
				busy = true // a new worker begins with what is stored
			} else if err != nil {
				t.Fatal(err)
			}
			conserved(t, store, j.ID)
			if due, err := store.Due(ctx, j.ID, now.Now(), 1); err != nil || len(due) > 0 {
				busy = true
			}
		}
	}
	if out.standing, _, err = store.Standing(ctx, j.ID); err != nil {
		t.Fatal(err)
	}
	out.read(t, ctx, w.Store)
	return out
}

// conserved: nobody is lost and nobody is there twice.
func conserved(t *testing.T, store journey.Store, key id.ID) {
	t.Helper()
	st, waiting, err := store.Standing(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	on := int64(0)
	for _, n := range waiting {
		on += n
	}
	if st.Entered != st.On+st.Done+st.Left+st.Held || on != st.On {
		t.Fatalf("%+v, %v", st, waiting)
	}
}

func (o *travelled) read(t *testing.T, ctx context.Context, s *sqlstore.Store) {
	t.Helper()
	k := sqlstore.NewCampaigns(s)
	for run := id.ID(9000); run < 9020; run++ {
		lines, err := k.Lines(ctx, run, "", "", 0, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			o.sent[fmt.Sprint(int64(l.Run), " ", int64(l.Customer), " ", l.Step, " ", l.Gate)]++
		}
	}
	coupons, err := sqlstore.NewOffers(s).Coupons(ctx, 5, nil, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range coupons {
		o.coupons[fmt.Sprint(int64(c.Customer))]++
	}
	for key, n := range o.sent {
		if n != 1 {
			t.Errorf("%s was written %d times", key, n)
		}
	}
	if _, err := sqlstore.NewJourneys(s).Journey(ctx, 1); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

// testJourneyVersions: at publishing those on the way go on, move where their step still is, or leave, and the sums stay.
func testJourneyVersions(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	k := sqlstore.NewJourneys(w.Store)
	ctx := context.Background()
	d := journey.Definition{Start: "a", Steps: []journey.Step{{Key: "a", Kind: journey.Wait}, {Key: "b", Kind: journey.Wait}, {Key: "end", Kind: journey.End}}, Reentry: journey.Reentry{Kind: journey.ReOnce}, Total: 8}
	j := journey.Journey{ID: 5, Name: "n", Status: journey.Draft, Draft: d, Version: 1, CreatedAt: T0, UpdatedAt: T0}
	if err := k.Insert(ctx, j); err != nil {
		t.Fatal(err)
	}
	publish := func(d journey.Definition, f journey.Flight) {
		t.Helper()
		j.Version++
		j.Published++
		j.Status = journey.Live
		if err := k.Publish(ctx, j, d, f); err != nil {
			t.Fatal(err)
		}
	}
	publish(d, journey.Finish)
	var list []journey.Token
	for i := range 10 {
		list = append(list, journey.Token{ID: id.ID(100 + i), Journey: 5, Version: 1, Customer: id.ID(1 + i), Occasion: "x", Arm: journey.ArmTreated, State: journey.On, Step: []string{"a", "b"}[i%2], Due: T0, Entered: T0})
	}
	e := journey.Entering{Journey: &j, Def: &d, List: list, At: T0, DayFrom: T0.Add(-time.Hour)}
	for want := range []int{0, 1} {
		n, err := k.Enter(ctx, e)
		if err != nil || n != 8*(1-want) {
			t.Fatalf("%d entered, %v", n, err)
		}
	}
	tallies, err := k.Tallies(ctx, 5)
	if err != nil || fmt.Sprint(tallies) != "[{ entered 8} { full 4}]" {
		t.Errorf("%v, %v", tallies, err)
	}
	publish(journey.Definition{Start: "b", Steps: d.Steps[1:]}, journey.MoveOn)
	people, err := k.People(ctx, 5, journey.On, "", 0, 100)
	if err != nil || len(people) != 8 {
		t.Fatal(people, err)
	}
	for _, p := range people {
		if want := map[string]int64{"a": 1, "b": 2}[p.Step]; p.Version != want {
			t.Errorf("%s is in version %d", p.Step, p.Version)
		}
	}
	stale := journey.Batch{Journey: 5, At: T0, Moves: []journey.Move{{Token: &people[0], To: "end", State: journey.Done, Outcome: journey.OutDone}}}
	if err := k.Advance(ctx, nil, stale); err != nil {
		t.Fatal(err)
	}
	if err := k.Advance(ctx, nil, stale); fault.CodeOf(err) != "journey.moved" {
		t.Errorf("a second worker moves again: %v", err)
	}
	publish(d, journey.Leave)
	st, waiting, err := k.Standing(ctx, 5)
	if err != nil || st != (journey.Standing{Entered: 8, Done: 1, Left: 7}) || len(waiting) != 0 {
		t.Errorf("%+v %v %v", st, waiting, err)
	}
	tokens, paths, err := k.Of(ctx, people[0].Customer, 10)
	if err != nil || len(tokens) != 1 || len(paths) != 1 || paths[0].Outcome != journey.OutDone {
		t.Errorf("%v %v %v", tokens, paths, err)
	}
	if ok, err := k.Lease(ctx, 5, 1, T0, T0.Add(time.Minute)); err != nil || !ok {
		t.Error(ok, err)
	}
	if ok, err := k.Lease(ctx, 5, 2, T0, T0.Add(time.Minute)); err != nil || ok {
		t.Error("two workers have one journey", err)
	}
}

func number(text string) *query.Node {
	return &query.Node{Field: "f", Op: "=", Value: json.RawMessage(text)}
}

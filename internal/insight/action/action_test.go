package action_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

const today = clock.Day(20_000)

// world is a company in memory: everybody is eligible for every play.
type world struct {
	*testing.T
	saved    []action.Play
	choices  []action.Choice
	cases    []action.Case
	tallies  map[string]action.Tally
	outcomes map[string]action.Outcome
	people   []action.Candidate
	bought   map[int64]int64
	rows     map[int64][]action.Ranked
	state    json.RawMessage
	tasks    int
	closed   []action.Open
	next     id.ID
	hidden   id.ID
	failing  bool
	service  *action.Service
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, rows: map[int64][]action.Ranked{}, bought: map[int64]int64{}, next: 1000}
	for _, p := range action.Standard() { // only what a test switches on
		p.On, p.Version = false, 1
		w.saved = append(w.saved, p)
	}
	w.service = action.New(action.Config{Keeper: w, Facts: w, Language: w, Doer: w, Consent: func(c string) string {
		if c == "phone" {
			return "consent_marketing_phone"
		}
		return ""
	}, Learned: func(context.Context) (json.RawMessage, json.RawMessage, error) { return w.state, nil, nil },
		Changed: func(context.Context, bool) {}, Clock: clock.NewFake(time.Date(2024, 10, 4, 1, 0, 0, 0, time.UTC)), Today: func() clock.Day { return today }, IDs: func() id.ID { w.next++; return w.next }})
	return w
}

func play(key string, lift float64) action.Play {
	return action.Play{Key: key, Label: map[lang.Locale]string{"en": key}, On: true, Kind: action.Task, Lift: lift, Worth: action.Basket, Window: 30, Rest: 60}
}

func (w *world) Plays(context.Context) ([]action.Play, error) { return w.saved, nil }
func (w *world) SavePlay(_ context.Context, p action.Play) error {
	w.saved = append(slices.DeleteFunc(w.saved, func(o action.Play) bool { return o.Key == p.Key }), p)
	return nil
}
func (w *world) DropPlay(_ context.Context, key string) error {
	w.saved = slices.DeleteFunc(w.saved, func(o action.Play) bool { return o.Key == key })
	return nil
}
func (w *world) Choices(_ context.Context, rests, since clock.Day, who []id.ID) (out []action.Choice, err error) {
	for _, c := range w.choices {
		if (who == nil || slices.Contains(who, c.Customer)) && (c.Until > rests || c.Pick == action.Taken && c.Day > since) {
			out = append(out, c)
		}
	}
	return out, nil
}
func (w *world) History(_ context.Context, customer id.ID, _ int) (out []action.Choice, err error) {
	for _, c := range w.choices {
		if c.Customer == customer {
			out = append(out, c)
		}
	}
	return out, nil
}
func (w *world) Choose(_ context.Context, c action.Choice) error {
	w.choices = append(w.choices, c)
	return nil
}
func (w *world) Made(_ context.Context, choice, task id.ID) error {
	for i := range w.choices {
		if w.choices[i].ID == choice {
			w.choices[i].Task = task
		}
	}
	return nil
}
func (w *world) Unchoose(_ context.Context, choice id.ID) error {
	w.choices = slices.DeleteFunc(w.choices, func(c action.Choice) bool { return c.ID == choice })
	return nil
}
func (w *world) Turned(context.Context, []id.ID) (map[action.Turn]int, error) {
	out := map[action.Turn]int{}
	for _, c := range w.choices {
		if c.Pick == action.Dismissed {
			out[action.Turn{Play: c.Play, Customer: int64(c.Customer)}]++
		}
	}
	return out, nil
}
func (w *world) SaveTallies(_ context.Context, list []action.Tally) error {
	w.tallies = map[string]action.Tally{}
	for _, t := range list {
		w.tallies[t.Play] = t
	}
	return nil
}
func (w *world) Tallies(context.Context) (map[string]action.Tally, error) { return w.tallies, nil }
func (w *world) Standing(_ context.Context, play string, after clock.Day) (map[int64]bool, error) {
	out := map[int64]bool{}
	for _, c := range w.cases {
		if c.Play == play && c.From > after {
			out[c.Customer] = true
		}
	}
	return out, nil
}
func (w *world) AddCases(_ context.Context, list []action.Case) error {
	w.cases = append(w.cases, list...)
	return nil
}
func (w *world) Due(_ context.Context, until clock.Day, _ int) (out []action.Open, err error) {
	if len(w.closed) > 0 {
		return nil, nil
	}
	for _, c := range w.cases {
		if c.To <= until {
			out = append(out, action.Open{ID: c.ID, Customer: c.Customer, From: c.From, To: c.To})
		}
	}
	return out, nil
}
func (w *world) Close(_ context.Context, list []action.Open) error {
	w.closed = append(w.closed, list...)
	return nil
}
func (w *world) Outcomes(context.Context) (map[string]action.Outcome, error) { return w.outcomes, nil }

func (w *world) Eligible(_ context.Context, plays []*query.Node, who []id.ID, yield func(*action.Candidate) error) error {
	for _, c := range w.people {
		if who != nil && !slices.Contains(who, id.ID(c.Customer)) {
			continue
		}
		c.Holds = make([]bool, len(plays))
		for i := range c.Holds {
			c.Holds[i] = true
		}
		if err := yield(&c); err != nil {
			return err
		}
	}
	return nil
}
func (w *world) Works(*query.Node) error                     { return nil }
func (w *world) Usual(context.Context) (int64, int64, error) { return 9000, 30_000, nil }
func (w *world) Replace(_ context.Context, _ int64, _ string, rows func(func(int64, []action.Ranked) bool)) (int64, error) {
	clear(w.rows)
	rows(func(c int64, best []action.Ranked) bool {
		w.rows[c] = slices.Clone(best)
		return true
	})
	return int64(len(w.rows)), nil
}
func (w *world) Bought(_ context.Context, _, _ clock.Day, yield func(c, o, r int64)) error {
	for c, r := range w.bought {
		yield(c, 1, r)
	}
	return nil
}
func (w *world) Work(context.Context, action.Need) (out []action.Line, n int64, err error) {
	for c, best := range w.rows {
		for _, b := range best {
			out = append(out, action.Line{Customer: id.ID(c), Ranked: b})
		}
	}
	return out, int64(len(out)), nil
}
func (w *world) Count(context.Context, *query.Node) (int64, error) { return int64(len(w.people)), nil }
func (w *world) Check(context.Context, *query.Node, string) error  { return nil }
func (w *world) Begin(context.Context, id.ID, id.ID, string) error { return nil }
func (w *world) Begins(context.Context, id.ID) (bool, error)       { return false, nil }
func (w *world) See(_ context.Context, customer id.ID) error {
	if customer == w.hidden {
		return fault.New(fault.NotFound, "record.not_found", nil)
	}
	return nil
}
func (w *world) Task(context.Context, id.ID, *action.Play, lang.Locale) (id.ID, error) {
	if w.failing {
		return 0, fault.New(fault.Forbidden, "access.forbidden", nil)
	}
	w.tasks++
	return id.ID(w.tasks), nil
}

func (w *world) fit() {
	w.Helper()
	f, err := w.service.Fit(w.Context(), predict.Request{Until: today})
	if err != nil {
		w.Fatal(err)
	}
	w.state = f.State
}

func (w *world) score() {
	w.Helper()
	if _, err := w.service.Score(w.Context(), predict.ScoreRequest{State: w.state, Until: today, Mark: "1"}); err != nil {
		w.Fatal(err)
	}
}

func manager(t *testing.T) context.Context { return access.With(t.Context(), access.System()) }

// The best comes first by lift times worth less cost; what is not worth its cost is not said; a customer without a basket counts as the usual one.
func TestRanksByGain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dear := play("dear", .05)
	dear.Cost = 100_000
	year := play("year", .02)
	year.Worth = action.Year
	w.saved = append(w.saved, play("a", .01), play("b", .03), dear, year)
	w.people = []action.Candidate{{Customer: 1, Basket: 10_000, Year: 50_000, Future: -1}, {Customer: 2, Basket: -1, Year: -1, Future: -1}}
	w.fit()
	w.score()
	if got := fmt.Sprint(w.rows); got != "map[1:[{year 1000} {b 300} {a 100}] 2:[{year 600} {b 270} {a 90}]]" {
		t.Error(got)
	}
	if v := w.tallies["b"]; v.Eligible != 2 || v.Offered != 2 || v.Gain != 570 {
		t.Errorf("%+v", v)
	}
}

// Accepting makes one task, uses up what a customer may get, and the work list forgets it at once; a failed task leaves no decision.
func TestDecisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.saved = append(w.saved, play("a", .01), play("b", .03))
	for c := int64(1); c <= 3; c++ {
		w.people = append(w.people, action.Candidate{Customer: c, Basket: 10_000, Stage: "active"})
	}
	w.fit()
	w.score()
	ctx := manager(t)
	w.failing = true
	if _, err := w.service.Decide(ctx, action.Decision{Play: "b", Customer: 1, Pick: action.Taken}); fault.KindOf(err) != fault.Forbidden || len(w.choices) != 0 {
		t.Errorf("%v, %d decisions", err, len(w.choices))
	}
	w.failing = false
	c, err := w.service.Decide(ctx, action.Decision{Play: "b", Customer: 1, Pick: action.Taken})
	if err != nil || c.Task != 1 || c.Gain != 300 || c.Until != today+60 || c.To != today+30 || c.Stage != "active" {
		t.Errorf("%+v, %v", c, err)
	}
	for _, again := range []string{"b", "a"} { // the same, and one more than the limit
		if _, err := w.service.Decide(ctx, action.Decision{Play: again, Customer: 1, Pick: action.Taken}); fault.CodeOf(err) != "action.not_now" {
			t.Errorf("%s again: %v", again, err)
		}
	}
	if n, err := w.service.For(ctx, 1); err != nil || !n.Full || len(n.Offers) != 0 || len(n.Past) != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := w.service.Decide(ctx, action.Decision{Play: "b", Customer: 2, Pick: action.Dismissed, Reason: " 太贵 "}); err != nil || w.choices[1].Reason != "太贵" {
		t.Errorf("%v", err)
	}
	lines, _, err := w.service.Work(ctx, action.Need{})
	if err != nil || len(lines) != 3 { // customer 2 still has a, customer 3 both
		t.Errorf("%v, %v", lines, err)
	}
	// After its rest a dismissed play comes back at half its gain, and less for everybody in the stage.
	w.choices[1].Until = today
	w.outcomes = map[string]action.Outcome{"b": {Stages: map[string]uplift.Rate{"active": {N: 20, Hits: 20}}}}
	w.fit()
	n, err := w.service.For(ctx, 2)
	if err != nil || len(n.Offers) != 2 || n.Offers[0].Play.Key != "a" || n.Offers[1].Gain != 75 || n.Offers[1].Turned != 1 {
		t.Errorf("%+v, %v", n.Offers, err)
	}
	w.hidden = 3
	if _, err := w.service.For(ctx, 3); fault.KindOf(err) != fault.NotFound {
		t.Errorf("somebody who is not seen: %v", err)
	}
	nobody := access.With(t.Context(), access.Actor{})
	if _, err := w.service.Overview(nobody); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("without a right: %v", err)
	}
}

// A part is left out by a hash, everybody is a case once, windows are counted, and enough of them replace the estimate.
func TestHoldoutTeaches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := play("a", .02)
	p.Held = 20
	w.saved = append(w.saved, p)
	for c := int64(1); c <= 4000; c++ {
		w.people = append(w.people, action.Candidate{Customer: c, Basket: 10_000})
	}
	w.fit()
	w.score()
	w.score()
	out := 0
	for _, c := range w.cases {
		if _, said := w.rows[c.Customer]; said != c.Shown {
			t.Fatalf("customer %d: said %t, shown %t", c.Customer, said, c.Shown)
		}
		if !c.Shown {
			out++
		}
	}
	if len(w.cases) != 4000 || out < 720 || out > 880 || int64(out) != w.tallies["a"].Held {
		t.Errorf("%d cases, %d left out, %+v", len(w.cases), out, w.tallies["a"])
	}
	w.bought[7] = 500
	for i := range w.cases {
		w.cases[i].From, w.cases[i].To = today-40, today-10
	}
	// Half of those shown were called; 16 % of all shown bought against 10 %: acting brings .12.
	w.outcomes = map[string]action.Outcome{"a": {Treated: uplift.Arm{N: 3200, Sum: 512e4, Squares: 512e8}, TreatedHits: 512, Control: uplift.Arm{N: 800, Sum: 80e4, Squares: 80e8}, ControlHits: 80,
		Assigned: [2]int64{3200, 800}, Acted: 1600}}
	w.fit()
	if len(w.closed) != 4000 || !slices.ContainsFunc(w.closed, func(o action.Open) bool { return o.Customer == 7 && o.Orders == 1 && o.Revenue == 500 }) {
		t.Errorf("%d counted", len(w.closed))
	}
	o, err := w.service.Overview(manager(t))
	if err != nil {
		t.Fatal(err)
	}
	v := o.Plays[len(o.Plays)-1]
	if r := v.Result; r.Verdict != uplift.Better || r.Mismatch || math.Abs(r.Bought.Lift-.06) > 1e-9 || r.TotalLow <= 0 {
		t.Errorf("%+v", r)
	}
	if f := v.Finding; !f.Learned || math.Abs(f.Seen-.12) > 1e-9 || f.Lift <= .02 || f.Lift >= .12 || f.Low > .12 || f.High < .12 {
		t.Errorf("%+v", f)
	}
	// Groups of other sizes than were set are not believed.
	bad := w.outcomes["a"]
	bad.Assigned = [2]int64{3200, 600}
	w.outcomes["a"] = bad
	w.fit()
	if o, _ = w.service.Overview(manager(t)); !o.Plays[len(o.Plays)-1].Result.Mismatch || o.Plays[len(o.Plays)-1].Finding.Learned {
		t.Error("a mismatch is believed")
	}
}

// What cannot be saved is refused with its place; nobody and nothing is no error.
func TestChecksAndExtremes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := manager(t)
	w.fit()
	w.score()
	if len(w.rows) != 0 {
		t.Error(w.rows)
	}
	bad := play("Bad Key", 2)
	bad.Label, bad.Reach, bad.Kind, bad.Window = nil, []string{"pigeon"}, action.Rule, 0
	_, err := w.service.Save(ctx, bad)
	f, _ := fault.Find(err)
	if f == nil || len(f.Items) != 6 {
		t.Errorf("%v", err)
	}
	good := play("good", .5)
	good.Worth, good.Amount = action.Fixed, math.MaxInt64/4
	if _, err := w.service.Save(ctx, good); err == nil {
		t.Error("an amount without bound")
	}
	good.Amount = 1e12
	if _, err := w.service.Save(ctx, good); err != nil {
		t.Fatal(err)
	}
	w.people = []action.Candidate{{Customer: 1, Basket: -1, Year: -1, Future: -1}}
	w.fit()
	w.score()
	if got := w.rows[1]; len(got) != 1 || got[0].Gain != 5e11 {
		t.Error(got)
	}
	for _, p := range action.Standard() {
		if len(p.Label) != 2 || len(p.What) != 2 || p.Window == 0 || p.Rest == 0 || p.Held != 0 || p.Lift <= 0 {
			t.Errorf("%+v", p)
		}
	}
}

package room_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/room"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// memory is a room.Store.
type memory struct {
	read      int // how often a version was read with its state
	standings map[string]room.Standing
	versions  []room.Version
	lines     []room.Line
}

func (m *memory) Standings(context.Context) (map[string]room.Standing, error) {
	return m.standings, nil
}

func (m *memory) SaveStanding(_ context.Context, s room.Standing) error {
	if m.standings[s.Model].Edition != s.Edition {
		return fault.New(fault.Stale, "model.stale", nil)
	}
	s.Edition++
	m.standings[s.Model] = s
	return nil
}

func (m *memory) Note(_ context.Context, s room.Standing) error {
	s.Edition = max(m.standings[s.Model].Edition, 1)
	m.standings[s.Model] = s
	return nil
}

func (m *memory) Insert(_ context.Context, v room.Version, _ int) (room.Version, error) {
	v.Number = int64(len(m.versions) + 1)
	m.versions = append(m.versions, v)
	return v, nil
}

func (m *memory) Versions(context.Context, string) ([]room.Version, error) {
	out := slices.Clone(m.versions)
	slices.Reverse(out)
	return out, nil
}

func (m *memory) Version(_ context.Context, _ string, number int64) (room.Version, error) {
	m.read++
	if number < 1 || number > int64(len(m.versions)) {
		return room.Version{}, fault.New(fault.NotFound, "model.no_version", nil)
	}
	return m.versions[number-1], nil
}

func (m *memory) Outline(ctx context.Context, model string, number int64) (room.Version, error) {
	v, err := m.Version(ctx, model, number)
	m.read--
	v.State = nil
	return v, err
}

func (m *memory) Log(_ context.Context, l room.Line) error {
	m.lines = append(m.lines, l)
	return nil
}

func (m *memory) Lines(context.Context, string, int) ([]room.Line, error) { return m.lines, nil }

// mean is a model that learns one number.
type mean struct {
	auc    float64
	breaks bool
	scored []string // marks
	wrote  func()
}

func (m *mean) About() predict.About {
	low, high := 1.0, 24.0
	return predict.About{Key: "mean", Family: "m_mean", Refit: predict.Weekly, Measure: "auc", Options: []predict.Option{
		{Key: "months", Kind: predict.Number, Default: json.RawMessage("12"), Min: &low, Max: &high},
		{Key: "money", Kind: predict.Choice, Default: json.RawMessage(`"revenue"`), Choices: []string{"revenue", "margin"}}}}
}

func (m *mean) Fit(_ context.Context, r predict.Request) (predict.Fitted, error) {
	if m.breaks {
		var none []int
		_ = none[3]
	}
	state, err := json.Marshal(map[string]any{"until": r.Until, "auc": m.auc})
	return predict.Fitted{State: state, Card: predict.Card{Until: r.Until, Rows: 7, Measures: []predict.Measure{{Key: "auc", Value: m.auc, Better: predict.Higher}}}}, err
}

func (m *mean) Score(_ context.Context, r predict.ScoreRequest) (int64, error) {
	m.scored = append(m.scored, r.Mark)
	m.wrote()
	return 7, nil
}

func (m *mean) Explain(_ context.Context, state json.RawMessage, _ int64) ([]predict.Reason, error) {
	var s struct{ AUC float64 }
	err := json.Unmarshal(state, &s)
	return []predict.Reason{{Key: "because", Effect: s.AUC}}, err
}

type house struct {
	*room.Room
	store    *memory
	model    *mean
	clock    *clock.Fake
	day      clock.Day
	size     int64
	held     bool
	queued   []string
	followed int
}

func newHouse() *house {
	h := &house{store: &memory{standings: map[string]room.Standing{}}, model: &mean{auc: 0.8}, clock: clock.NewFake(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)), day: 20000, size: 1000, held: true}
	h.model.wrote = func() { h.held = true }
	h.Room = room.New(room.Config{Store: h.store, Models: []predict.Model{h.model}, Clock: h.clock, Log: slog.New(slog.DiscardHandler),
		Anchor:  func(context.Context) (clock.Day, bool, error) { return h.day, true, nil },
		Size:    func(context.Context) (int64, error) { return h.size, nil },
		Held:    func(context.Context, predict.About) (bool, error) { return h.held, nil },
		Queue:   func(_ context.Context, arg string) error { h.queued = append(h.queued, arg); return nil },
		Follow:  func(context.Context) error { h.followed++; return nil },
		Changed: func(string) {}})
	return h
}

func as(r access.Role) context.Context {
	return access.With(context.Background(), access.Actor{Kind: access.ByUser, ID: 5, Role: r})
}

// A model learns when it is first met, is scored each day, and learns anew by its rhythm, when the company is another, and when the
// day of analysis moved far or back; nothing else makes it work.
func TestDue(t *testing.T) {
	t.Parallel()
	h := newHouse()
	ctx := context.Background()
	step := func(what string, versions, scorings int, change func()) {
		t.Helper()
		change()
		if err := h.Work(ctx, "due"); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if len(h.store.versions) != versions || len(h.model.scored) != scorings {
			t.Fatalf("%s: %d versions, %d scorings, want %d and %d", what, len(h.store.versions), len(h.model.scored), versions, scorings)
		}
	}
	step("first", 1, 1, func() {})
	step("at once again", 1, 1, func() {})
	step("next day", 1, 2, func() { h.day++; h.clock.Advance(24 * time.Hour) })
	step("the plane was made anew", 1, 3, func() { h.held = false })
	step("a week", 2, 4, func() { h.day += 6; h.clock.Advance(6 * 24 * time.Hour) })
	step("twice as many customers", 3, 5, func() { h.size = 2100 })
	step("history taken away", 4, 6, func() { h.day -= 400; h.clock.Advance(time.Hour) })
	if h.followed != 6 {
		t.Errorf("followed %d times", h.followed)
	}
	if h.model.scored[0] != "1@20000" {
		t.Errorf("mark %q", h.model.scored[0])
	}
}

// A version that is clearly worse waits for a person; one who asks for it gets it, and the way back.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	h := newHouse()
	ctx := as(access.Administrator)
	must(t, h.Work(ctx, "due"))
	h.model.auc = 0.6
	h.clock.Advance(8 * 24 * time.Hour)
	must(t, h.Work(ctx, "due"))
	e, err := h.Get(ctx, "mean")
	must(t, err)
	if len(h.store.versions) != 2 || !h.store.versions[1].HeldBack || e.Standing.Version != 1 {
		t.Fatalf("%d versions, version %d in use", len(h.store.versions), e.Standing.Version)
	}
	if e, err = h.Activate(ctx, "mean", 2); err != nil || e.Standing.Version != 2 || h.queued[len(h.queued)-1] != "score:mean" {
		t.Fatalf("%+v %v %v", e.Standing, err, h.queued)
	}
	must(t, h.Work(ctx, "score:mean"))
	if e, err = h.Activate(ctx, "mean", 1); err != nil || e.Active.Number != 1 {
		t.Fatalf("%v", err)
	}
	// A version that is put in use while everyone is scored by another one stays in use.
	h.model.wrote = func() {
		h.model.wrote = func() {}
		if _, err := h.Activate(ctx, "mean", 2); err != nil {
			t.Error(err)
		}
	}
	must(t, h.Work(ctx, "score:mean"))
	if e, err = h.Get(ctx, "mean"); err != nil || e.Standing.Version != 2 || e.Standing.ScoredVersion != 1 {
		t.Fatalf("%+v %v", e.Standing, err)
	}
	if _, err := h.Activate(ctx, "mean", 9); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	if _, err := h.Activate(as(access.ReadOnly), "mean", 1); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("%v", err)
	}
}

// What breaks is told and tried again later; the rest of the program does not notice.
func TestBroken(t *testing.T) {
	t.Parallel()
	h := newHouse()
	h.model.breaks = true
	ctx := as(access.Administrator)
	must(t, h.Work(ctx, "due"))
	e, err := h.Get(ctx, "mean")
	must(t, err)
	if e.Standing.Failure != "model.broke" || e.Standing.Version != 0 {
		t.Fatalf("%+v", e.Standing)
	}
	h.model.breaks = false
	must(t, h.Work(ctx, "due"))
	if len(h.store.versions) != 0 {
		t.Fatal("tried again at once")
	}
	h.clock.Advance(7 * time.Hour)
	must(t, h.Work(ctx, "due"))
	if e, err = h.Get(ctx, "mean"); err != nil || e.Standing.Failure != "" || e.Standing.Version != 1 {
		t.Fatalf("%+v %v", e.Standing, err)
	}
}

// Options are checked by their kind and bounds, and two people do not overwrite each other.
func TestConfigure(t *testing.T) {
	t.Parallel()
	h := newHouse()
	ctx := as(access.Administrator)
	for _, bad := range []string{`{"months":0}`, `{"months":"12"}`, `{"money":"profit"}`, `{"years":1}`, `[]`} {
		if _, err := h.Configure(ctx, "mean", room.Setting{Options: json.RawMessage(bad)}); fault.CodeOf(err) != "model.bad_option" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	e, err := h.Configure(ctx, "mean", room.Setting{Options: json.RawMessage(`{"months":6}`), Refit: predict.Monthly})
	must(t, err)
	if e.Rhythm() != predict.Monthly || string(e.Standing.Options) != `{"months":6}` {
		t.Errorf("%+v", e.Standing)
	}
	if _, err := h.Configure(ctx, "mean", room.Setting{Edition: 7}); fault.KindOf(err) != fault.Stale {
		t.Errorf("%v", err)
	}
	must(t, h.Work(ctx, "due"))
	if got := string(h.store.versions[0].Options); got != `{"months":6}` {
		t.Errorf("fitted with %s", got)
	}
	if _, err := h.Configure(ctx, "mean", room.Setting{Off: true}); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(60 * 24 * time.Hour)
	must(t, h.Work(ctx, "due"))
	if len(h.store.versions) != 1 {
		t.Error("a model that is switched off learned")
	}
	trial, err := h.Try(ctx, "mean", 19000, 19100, map[string]json.RawMessage{"months": json.RawMessage("3")})
	if err != nil || trial.Until != 19000 || string(trial.Options) != `{"months":3}` || len(h.store.versions) != 1 {
		t.Errorf("%+v %v", trial, err)
	}
	reasons, err := h.Explain(ctx, id.ID(9))
	if err != nil || len(reasons) != 0 {
		t.Errorf("%+v %v", reasons, err)
	}
}

// What a version has learned is read once for the reasons of many customers; another version has its own.
func TestExplain(t *testing.T) {
	t.Parallel()
	h := newHouse()
	ctx := as(access.Administrator)
	explain := func(reads int, version int64, effect float64) {
		t.Helper()
		h.store.read = 0
		for customer := range 3 {
			got, err := h.Explain(ctx, id.ID(customer+1))
			if err != nil || len(got) != 1 || got[0].Version != version || got[0].Items[0].Effect != effect {
				t.Fatalf("%+v %v", got, err)
			}
		}
		if h.store.read != reads {
			t.Errorf("version %d was read %d times, want %d", version, h.store.read, reads)
		}
	}
	must(t, h.Work(ctx, "due"))
	explain(1, 1, .8)
	explain(0, 1, .8)
	h.model.auc = .9
	must(t, h.Work(ctx, "fit:mean:5"))
	explain(1, 2, .9)
	_, err := h.Activate(ctx, "mean", 1)
	must(t, err)
	explain(0, 2, .9) // those are the scores that are there
	must(t, h.Work(ctx, "score:mean"))
	explain(1, 1, .8)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package classify_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// memory is a classify.Store by hand.
type memory struct {
	defs   map[string]classify.Classification
	points map[string][]classify.Point
	moves  []classify.Move
}

func newMemory() *memory {
	return &memory{defs: map[string]classify.Classification{}, points: map[string][]classify.Point{}}
}

func (m *memory) List(context.Context) ([]classify.Classification, error) {
	keys := slices.Sorted(maps.Keys(m.defs))
	out := make([]classify.Classification, len(keys))
	for i, k := range keys {
		out[i] = m.defs[k]
	}
	return out, nil
}

func (m *memory) Find(_ context.Context, key string) (classify.Classification, bool, error) {
	d, ok := m.defs[key]
	return d, ok, nil
}

func (m *memory) Save(_ context.Context, c classify.Classification) error {
	if m.defs[c.Key].Version != c.Version-1 {
		return fault.New(fault.Stale, "classify.stale", nil)
	}
	m.defs[c.Key] = c
	return nil
}

func (m *memory) AppendPoint(_ context.Context, key string, p classify.Point) error {
	m.points[key] = append(m.points[key], p)
	return nil
}

func (m *memory) Points(_ context.Context, key string, _ int) ([]classify.Point, error) {
	return m.points[key], nil
}

func (m *memory) AppendMoves(_ context.Context, moves []classify.Move) error {
	m.moves = append(m.moves, moves...)
	return nil
}

// board remembers in which order it was asked and hands out one move for each classification.
type board struct{ order []string }

func (b *board) Apply(_ context.Context, defs []classify.Classification, _ bool, _ time.Time, moves func([]classify.Move) error) (map[string]map[string]int, error) {
	b.order = nil
	out := map[string]map[string]int{}
	for _, d := range defs {
		b.order = append(b.order, d.Key)
		out[d.Key] = map[string]int{d.Classes[0].Key: 3}
		err := moves([]classify.Move{{Customer: 7, Classification: d.Key, From: "x", To: d.Classes[0].Key}})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *board) Preview(context.Context, classify.Classification) (map[string]int, int, error) {
	return map[string]int{"a": 2}, 1, nil
}
func (b *board) Counts(context.Context, string) (map[string]int, error) {
	return map[string]int{"lost": 4}, nil
}
func (b *board) MembersSince(context.Context, id.ID) (map[string]classify.Member, error) {
	return nil, nil
}

// past remembers nothing.
type past struct{ classify.Past }

func (past) Remember(context.Context, []classify.Classification, time.Time) error { return nil }
func (past) TooLarge(context.Context) (bool, error)                               { return false, nil }

// anything accepts every condition but those that name the field "secret".
type anything struct{}

func (anything) Check(_ context.Context, n *query.Node, _ string) error {
	if n.Field == "secret" {
		return fault.InvalidField("query.field_forbidden", "/field", nil)
	}
	return nil
}
func (anything) Sentence(*query.Node) schema.Label { return schema.Label{"en": "…"} }

func service(t *testing.T) (*classify.Service, *memory, *board, context.Context) {
	t.Helper()
	m, b := newMemory(), &board{}
	s := classify.New(classify.Config{Store: m, Board: b, Past: past{}, Language: anything{}, Publish: func(string) {},
		Clock: clock.NewFake(time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC))})
	ctx := access.With(context.Background(), access.System())
	if err := s.EnsureDefaults(ctx); err != nil {
		t.Fatal(err)
	}
	return s, m, b, ctx
}

func TestDefaultsAreWhole(t *testing.T) {
	t.Parallel()
	defs, err := classify.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range defs {
		if d.Label["zh-CN"] == "" || d.Label["en"] == "" || d.Description["zh-CN"] == "" || d.Description["en"] == "" {
			t.Errorf("%s lacks words", d.Key)
		}
		for i, c := range d.Classes {
			if c.Label["zh-CN"] == "" || c.Label["en"] == "" || c.Color == "" {
				t.Errorf("%s.%s lacks words or a colour", d.Key, c.Key)
			}
			if (c.Where == nil) != (i == len(d.Classes)-1) {
				t.Errorf("%s.%s: only the last class is for everyone else", d.Key, c.Key)
			}
		}
	}
	if len(defs) != 14 {
		t.Errorf("%d classifications", len(defs))
	}
}

func TestEnsureDefaultsKeepsEdits(t *testing.T) {
	t.Parallel()
	s, m, _, ctx := service(t)
	edited := []classify.Class{{Key: "all", Label: schema.Label{"en": "All"}, Color: "teal"}}
	if _, err := s.Update(ctx, "lifecycle", 1, nil, edited); err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureDefaults(ctx); err != nil {
		t.Fatal(err)
	}
	if got := m.defs["lifecycle"]; got.Version != 2 || len(got.Classes) != 1 {
		t.Errorf("after a second start: version %d, %d classes", got.Version, len(got.Classes))
	}
	if _, err := s.Reset(ctx, "lifecycle"); err != nil || len(m.defs["lifecycle"].Classes) != 7 {
		t.Errorf("reset: %v, %d classes", err, len(m.defs["lifecycle"].Classes))
	}
}

func TestUpdateReportsEveryDefect(t *testing.T) {
	t.Parallel()
	s, _, _, ctx := service(t)
	_, err := s.Update(ctx, "lifecycle", 0, nil, []classify.Class{
		{Key: "Bad Key", Label: schema.Label{"en": "A"}, Color: "teal"},
		{Key: "b", Color: "mauve", Where: &query.Node{Field: "secret"}},
		{Key: "b", Label: schema.Label{"en": "B"}, Color: "red", Where: &query.Node{Trait: "lifecycle", Op: "="}},
	})
	f, ok := fault.Find(err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, i := range f.Items {
		got = append(got, i.Code+" "+i.Field)
	}
	want := []string{
		"classify.bad_key classes.0.key", "classify.else_not_last classes.0.where",
		"classify.label_required classes.1.label", "classify.bad_color classes.1.color", "query.field_forbidden classes.1.where/field",
		"classify.key_twice classes.2.key", "classify.names_itself classes.2.where",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestStaleVersionIsRefused(t *testing.T) {
	t.Parallel()
	s, _, _, ctx := service(t)
	_, err := s.Update(ctx, "lifecycle", 9, nil, nil)
	if fault.KindOf(err) != fault.Stale {
		t.Errorf("got %v", err)
	}
}

func TestAClassificationFollowsThoseItNames(t *testing.T) {
	t.Parallel()
	s, m, b, ctx := service(t)
	d := m.defs["customer_type"] // comes after value_tier by default; now value_tier builds on it
	v := m.defs["value_tier"]
	v.Classes = slices.Clone(v.Classes)
	v.Classes[0].Where = &query.Node{All: []*query.Node{{Trait: "customer_type", Op: "=", Value: json.RawMessage(`"company"`)}}}
	m.defs["value_tier"] = v
	if err := s.Run(ctx, "nightly", false); err != nil {
		t.Fatal(err)
	}
	if slices.Index(b.order, "value_tier") < slices.Index(b.order, "customer_type") {
		t.Errorf("computed in the order %q", b.order)
	}
	if len(m.moves) != 14 || m.moves[0].Reason != "nightly" || m.moves[0].At.IsZero() {
		t.Errorf("moves %+v", m.moves)
	}
	if p := m.points["lifecycle"]; len(p) != 1 || p[0].Moved != 1 || p[0].Counts["lost"] != 3 || p[0].Counts["potential"] != 0 {
		t.Errorf("history %+v", p)
	}
	d.Classes = slices.Clone(d.Classes)
	d.Classes[0].Where = &query.Node{Trait: "value_tier", Op: "=", Value: json.RawMessage(`"high"`)}
	m.defs["customer_type"] = d
	if err := s.Run(ctx, "nightly", false); fault.CodeOf(err) != "classify.circle" {
		t.Errorf("a circle gives %v", err)
	}
}

func TestRightsAreAsked(t *testing.T) {
	t.Parallel()
	s, _, _, _ := service(t)
	reader := access.With(context.Background(), access.Actor{Role: access.ReadOnly})
	if _, err := s.List(reader); err != nil {
		t.Errorf("a reader may list: %v", err)
	}
	if _, err := s.Update(reader, "lifecycle", 0, nil, nil); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a reader edits: %v", err)
	}
	if _, err := s.List(context.Background()); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("nobody lists: %v", err)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	s, _, _, ctx := service(t)
	label := func(text string) schema.Label { return schema.Label{"zh-CN": text, "en": text} }
	c := classify.Classification{Key: "groups", Label: label("Groups"), Description: label("…"), Classes: []classify.Class{
		{Key: "c1", Label: label("A"), Color: "teal", Where: &query.Node{Trait: "orders", Op: ">="}}, {Key: "c2", Label: label("B"), Color: "blue", Where: &query.Node{Trait: "orders", Op: "<"}}}}
	made, err := s.Create(ctx, c)
	if err != nil || made.Version != 1 {
		t.Fatalf("%+v, %v", made, err)
	}
	if got, err := s.Get(ctx, "groups"); err != nil || len(got.Classes) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Create(ctx, c); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the key is taken: %v", err)
	}
	c.Key = "Not a key"
	if _, err := s.Create(ctx, c); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	if _, err := s.Create(context.Background(), classify.Classification{Key: "x"}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("without a right: %v", err)
	}
}

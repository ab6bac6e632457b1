package segment_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// memory is a segment.Store by hand.
type memory struct {
	segs    map[string]segment.Segment
	points  map[string][]segment.Point
	members map[string][]id.ID

	binned   map[string]segment.Segment
	passages []segment.Passage
	merged   map[string]string
}

func (m *memory) MergedOn(context.Context) (map[string]string, error) { return m.merged, nil }

func (m *memory) List(context.Context) ([]segment.Segment, error) {
	var out []segment.Segment
	for _, s := range m.segs {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b segment.Segment) int { return len(a.Label) - len(b.Label) })
	return out, nil
}
func (m *memory) Find(_ context.Context, key string) (segment.Segment, bool, error) {
	s, ok := m.segs[key]
	return s, ok, nil
}
func (m *memory) Insert(_ context.Context, s segment.Segment) error {
	if _, ok := m.segs[s.Key]; ok {
		return fault.New(fault.Conflict, "segment.key_taken", nil)
	}
	m.segs[s.Key] = s
	return nil
}
func (m *memory) Update(_ context.Context, s segment.Segment) error { m.segs[s.Key] = s; return nil }
func (m *memory) Delete(_ context.Context, key string) error        { delete(m.binned, key); return nil }
func (m *memory) Trash(_ context.Context, key string, at time.Time) error {
	s := m.segs[key]
	s.DeletedAt = at
	m.binned[key] = s
	delete(m.segs, key)
	return nil
}
func (m *memory) Restore(_ context.Context, key string) error {
	s := m.binned[key]
	s.DeletedAt = time.Time{}
	m.segs[key] = s
	delete(m.binned, key)
	return nil
}
func (m *memory) Trashed(context.Context) ([]segment.Segment, error) {
	return slices.Collect(maps.Values(m.binned)), nil
}
func (m *memory) SetChecked(_ context.Context, key string, at time.Time, differing int) error {
	s := m.segs[key]
	s.CheckedAt, s.Differing = at, differing
	m.segs[key] = s
	return nil
}
func (m *memory) AppendPassages(_ context.Context, _ time.Time, moves []segment.Passage) error {
	m.passages = append(m.passages, moves...)
	return nil
}
func (m *memory) PassagesOf(context.Context, id.ID, time.Time, int) ([]segment.Passage, error) {
	return m.passages, nil
}
func (m *memory) Passages(context.Context, string, int) ([]segment.Passage, error) {
	return m.passages, nil
}
func (m *memory) SaveSize(_ context.Context, key string, p segment.Point) error {
	m.points[key] = append(m.points[key], p)
	return nil
}
func (m *memory) SetBroken(_ context.Context, key, code string) error {
	s := m.segs[key]
	s.Broken = code
	m.segs[key] = s
	return nil
}
func (m *memory) History(_ context.Context, key string, _ int) ([]segment.Point, error) {
	return m.points[key], nil
}
func (m *memory) SetMembers(_ context.Context, key string, ids []id.ID) error {
	m.members[key] = ids
	return nil
}
func (m *memory) Members(_ context.Context, key string, after id.ID, limit int) ([]id.ID, error) {
	var out []id.ID
	for _, v := range m.members[key] {
		if v > after && len(out) < limit {
			out = append(out, v)
		}
	}
	return out, nil
}

// people is an Audience of customers 1 to n, all of whom fulfil every condition.
type people struct {
	n           int
	sameDay     bool
	moves       []segment.Passage
	refuses     string
	whole, some []string
	figures     []segment.Figure
	rows        []segment.Row
	asked       []segment.Subject
	terms       []segment.Term
}

func (p *people) Count(_ context.Context, _ *query.Node, fields []string, _ int) (segment.Count, error) {
	c := segment.Count{Count: p.n, Total: p.n, Reach: map[string]int{}}
	for _, f := range fields {
		c.Reach[f] = p.n
	}
	return c, nil
}
func (p *people) Seen(ctx context.Context, where *query.Node, _ *query.Limits, after id.ID, limit int) ([]id.ID, error) {
	return p.IDs(ctx, where, after, limit)
}

func (p *people) IDs(_ context.Context, _ *query.Node, after id.ID, limit int) ([]id.ID, error) {
	var out []id.ID
	for v := after + 1; int(v) <= p.n && len(out) < limit; v++ {
		out = append(out, v)
	}
	return out, nil
}
func (p *people) Replace(ctx context.Context, t segment.Turn) (segment.Point, error) {
	p.whole = append(p.whole, t.Key)
	point := segment.Point{Size: p.n, SameDay: p.sameDay, Entered: len(p.moves)}
	if len(p.moves) > 0 {
		return point, t.Tell(ctx, time.Time{}, slices.Clone(p.moves))
	}
	return point, nil
}
func (p *people) Follow(ctx context.Context, turns []segment.Turn) ([]segment.Point, error) {
	var out []segment.Point
	for _, t := range turns {
		if t.Key == p.refuses {
			return nil, errors.New("cannot be compiled")
		}
	}
	for _, t := range turns {
		p.some = append(p.some, t.Key)
		if err := t.Tell(ctx, time.Time{}, []segment.Passage{{Customer: 7, Entered: true}}); err != nil {
			return nil, err
		}
		out = append(out, segment.Point{Size: p.n, Entered: 1})
	}
	return out, nil
}
func (p *people) SetMembership(_ context.Context, t segment.Turn, ids []id.ID) (segment.Point, error) {
	p.whole = append(p.whole, t.Key)
	return segment.Point{Size: len(ids)}, nil
}
func (p *people) Contrast(context.Context, *query.Node, *query.Node, []segment.Subject) ([3]int, []segment.Figure, error) {
	return [3]int{50, 100, 3}, p.figures, nil
}
func (p *people) Drawn(_ context.Context, _ *query.Node, subjects []segment.Subject, _, _ int) ([]segment.Row, error) {
	p.asked = subjects
	return p.rows, nil
}
func (p *people) Nearest(_ context.Context, _ *query.Node, terms []segment.Term, _ *query.Limits, n int) ([]id.ID, error) {
	p.terms = terms
	return p.IDs(context.Background(), nil, 0, n)
}
func (p *people) Plan(context.Context, *query.Node) (string, error) { return "plan", nil }
func (p *people) Parts(_ context.Context, nodes []*query.Node) ([]int, error) {
	return make([]int, len(nodes)), nil
}
func (p *people) Overlaps(_ context.Context, nodes []*query.Node) ([][]int, error) {
	return make([][]int, len(nodes)), nil
}
func (p *people) DropMembership(context.Context, string) error { return nil }
func (p *people) Overlap(context.Context, *query.Node, *query.Node) (int, int, int, error) {
	return 0, p.n, 0, nil
}

// fields knows the fields that conditions may name.
type fields map[string]bool

func (f fields) Check(_ context.Context, n *query.Node, _ string) error {
	if n.Field != "" && !f[n.Field] {
		return fault.InvalidField("query.field_unknown", "/field", fault.Params{"field": n.Field})
	}
	return nil
}
func (fields) Sentence(*query.Node) schema.Label { return nil }

type fixture struct {
	*segment.Service
	store  *memory
	people *people
	fields fields
	ctx    context.Context
	told   []string
	clock  *clock.Fake
	stamp  string
}

func newFixture() *fixture {
	f := &fixture{store: &memory{segs: map[string]segment.Segment{}, points: map[string][]segment.Point{}, members: map[string][]id.ID{}, binned: map[string]segment.Segment{}},
		people: &people{n: 45000}, fields: fields{"name": true}, ctx: access.With(context.Background(), access.System())}
	f.clock = clock.NewFake(time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC))
	f.Service = segment.New(segment.Config{Store: f.store, Audience: f.people, Language: f.fields, Clock: f.clock,
		Stamp: func(context.Context) (string, error) { return f.stamp, nil }, Given: func(t string) bool { return t == "score" },
		Subjects: func(context.Context) []segment.Subject {
			return []segment.Subject{{Key: "spend", Trait: true, Numeric: true}, {Key: "name"}, {Key: "tier", Trait: true}}
		}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Publish: func(k string) { f.told = append(f.told, k) }})
	return f
}

func named(label string) *string { return &label }

var byName = &query.Node{Field: "name", Op: "is_set"}

func TestCreateMakesAKeyAndASize(t *testing.T) {
	t.Parallel()
	f := newFixture()
	a, err := f.Create(f.ctx, segment.Draft{Label: named("高价值 VIP"), Where: byName})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.Key, "gaojiazhi_vip_") {
		t.Errorf("key %q does not sound like its label", a.Key)
	}
	if a.Size != 45000 || a.SizeAt.IsZero() || len(f.store.points[a.Key]) != 1 || !slices.Contains(f.told, a.Key) {
		t.Errorf("after creation %+v, told %v", a, f.told)
	}
	if _, err := f.Create(f.ctx, segment.Draft{Key: a.Key, Label: named("x"), Where: byName}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same key again: %v", err)
	}
}

func TestStaticSegmentsKeepTheirList(t *testing.T) {
	t.Parallel()
	f := newFixture()
	s, err := f.Create(f.ctx, segment.Draft{Key: "list", Label: named("名单"), Kind: segment.Static, Where: byName})
	if err != nil || s.Size != 45000 {
		t.Fatalf("size %d, %v", s.Size, err)
	}
	f.people.n = 3
	ids, err := f.MemberIDs(f.ctx, "list", nil, 44990, 100)
	if err != nil || len(ids) != 10 {
		t.Errorf("the list has %d more after 44990, %v", len(ids), err)
	}
	if n := s.Node(); n.Segment != "list" {
		t.Errorf("stands for %+v in other conditions", n)
	}
}

func TestFaultsNameTheField(t *testing.T) {
	t.Parallel()
	f := newFixture()
	_, err := f.Create(f.ctx, segment.Draft{Key: "Bad!", Kind: "odd", Where: &query.Node{Field: "gone", Op: "is_set"}})
	got, ok := fault.Find(err)
	if !ok {
		t.Fatal(err)
	}
	var at []string
	for _, i := range got.Items {
		at = append(at, i.Field)
	}
	if want := []string{"key", "label", "kind", "where/field"}; !slices.Equal(at, want) {
		t.Errorf("faults at %q, want %q", at, want)
	}
}

func TestADeletedFieldBreaksTheSegmentAndFreezesIt(t *testing.T) {
	t.Parallel()
	f := newFixture()
	if _, err := f.Create(f.ctx, segment.Draft{Key: "a", Label: named("A"), Where: byName}); err != nil {
		t.Fatal(err)
	}
	delete(f.fields, "name")
	s, err := f.Refresh(f.ctx, "a")
	if err != nil || s.Broken != "query.field_unknown" || len(f.store.points["a"]) != 1 {
		t.Errorf("refreshed to %+v, %v, %d points", s, err, len(f.store.points["a"]))
	}
	if n := s.Node(); n.Segment != "a" {
		t.Errorf("a broken segment stands for %+v, not for its stored membership", n)
	}
	f.fields["name"] = true
	if s, err = f.Refresh(f.ctx, "a"); err != nil || s.Broken != "" {
		t.Errorf("after the field is back: %+v, %v", s, err)
	}
}

func TestASegmentInUseIsNotDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture()
	for _, d := range []segment.Draft{
		{Key: "base", Label: named("基础"), Where: byName},
		{Key: "on_top", Label: named("上层人群"), Where: &query.Node{Not: &query.Node{Segment: "base", Op: "in", Value: json.RawMessage("null")}}},
	} {
		if _, err := f.Create(f.ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Delete(f.ctx, "base"); fault.CodeOf(err) != "segment.in_use" {
		t.Errorf("deleting gives %v", err)
	}
	if err := f.Delete(f.ctx, "on_top"); err != nil {
		t.Error(err)
	}
	if err := f.Delete(f.ctx, "base"); err != nil {
		t.Error(err)
	}
	if _, err := f.Get(f.ctx, "base"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("still there: %v", err)
	}
}

func TestStaleUpdateAndRights(t *testing.T) {
	t.Parallel()
	f := newFixture()
	if _, err := f.Create(f.ctx, segment.Draft{Key: "a", Label: named("A"), Where: byName}); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Update(f.ctx, "a", 1, segment.Draft{Label: named("B")}); err != nil || s.Version != 2 || s.Label != "B" {
		t.Errorf("updated to %+v, %v", s, err)
	}
	if _, err := f.Update(f.ctx, "a", 1, segment.Draft{Label: named("C")}); fault.KindOf(err) != fault.Stale {
		t.Errorf("a stale update gives %v", err)
	}
	reader := access.With(context.Background(), access.Actor{Role: access.ReadOnly})
	if _, err := f.Create(reader, segment.Draft{Label: named("A"), Where: byName}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a reader creates: %v", err)
	}
	if _, err := f.Count(context.Background(), byName, nil); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("nobody counts: %v", err)
	}
}

var rolling = &query.Node{Record: "order", Op: "none", Within: &query.Window{Hours: 24}}

// TestFollowing: customers of a small pass move in every dynamic segment; one that cannot be asked does not keep the others back.
func TestFollowing(t *testing.T) {
	t.Parallel()
	f := newFixture()
	for _, key := range []string{"a", "b", "c"} {
		if _, err := f.Create(f.ctx, segment.Draft{Key: key, Label: named(key), Where: byName}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Create(f.ctx, segment.Draft{Key: "list", Label: named("l"), Kind: segment.Static, Where: byName}); err != nil {
		t.Fatal(err)
	}
	f.people.refuses = "b"
	if err := f.Follow(f.ctx); err != nil {
		t.Fatal(err)
	}
	slices.Sort(f.people.some)
	if got := strings.Join(f.people.some, " "); got != "a c" {
		t.Errorf("followed %s", got)
	}
	if p := f.store.passages; len(p) != 2 || p[0].Cause != segment.Changed || p[0].Customer != 7 || !p[0].At.Equal(f.clock.Now()) {
		t.Errorf("%+v", p)
	}
}

// TestTicking: segments whose windows roll are computed each minute, those that look at others when something changed, those that name what is
// worked out of everybody when it was.
func TestTicking(t *testing.T) {
	t.Parallel()
	f := newFixture()
	for key, where := range map[string]*query.Node{
		"plain": byName, "rolling": rolling, "top": {Top: &query.Top{Trait: "spend", Count: 5}}, "given": {Trait: "score", Op: "is_set"},
		"on_rolling": {Segment: "rolling", Op: "in"},
	} {
		if _, err := f.Create(f.ctx, segment.Draft{Key: key, Label: named(key), Where: where}); err != nil {
			t.Fatal(err)
		}
	}
	tick := func(what, want string) {
		t.Helper()
		f.people.whole = nil
		if err := f.Tick(f.ctx, false); err != nil {
			t.Fatal(err)
		}
		slices.Sort(f.people.whole)
		if got := strings.Join(f.people.whole, " "); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	f.stamp = "1"
	f.Stir()
	tick("first", "given on_rolling rolling top")
	tick("at once again", "")
	f.clock.Advance(2 * time.Minute)
	tick("time went by", "on_rolling rolling")
	f.stamp = "2"
	f.clock.Advance(2 * time.Minute)
	tick("something changed", "on_rolling rolling top")
	f.Stir()
	f.clock.Advance(2 * time.Minute)
	tick("scores", "given on_rolling rolling top")
	if _, err := f.Create(f.ctx, segment.Draft{Key: "list", Label: named("list"), Kind: segment.Static, Where: byName}); err != nil {
		t.Fatal(err)
	}
	f.store.merged = map[string]string{"list": "1"}
	tick("somebody on a list was merged", "list")
	tick("and nothing since", "")
	f.store.merged = nil
	tick("the merge was taken back", "list")
}

// TestCheck: a pass that verifies keeps what it found otherwise, of segments that should have been followed.
func TestCheck(t *testing.T) {
	t.Parallel()
	f := newFixture()
	for key, where := range map[string]*query.Node{"plain": byName, "rolling": rolling} {
		if _, err := f.Create(f.ctx, segment.Draft{Key: key, Label: named(key), Where: where}); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := f.RefreshAll(f.ctx, true); err != nil || c != (segment.Check{}) {
		t.Errorf("%+v %v", c, err)
	}
	f.people.sameDay = true
	if c, err := f.RefreshAll(f.ctx, true); err != nil || c != (segment.Check{Segments: 1}) {
		t.Errorf("%+v %v", c, err)
	}
	f.people.moves = []segment.Passage{{Customer: 3}}
	if c, err := f.RefreshAll(f.ctx, true); err != nil || c != (segment.Check{Segments: 1, Differing: 1}) {
		t.Errorf("%+v %v", c, err)
	}
	if s := f.store.segs["plain"]; s.Differing != 1 || s.CheckedAt.IsZero() {
		t.Errorf("%+v", s)
	}
}

// TestBin: a deleted segment can be restored, for some time.
func TestBin(t *testing.T) {
	t.Parallel()
	f := newFixture()
	if _, err := f.Create(f.ctx, segment.Draft{Key: "a", Label: named("a"), Folder: named(" 活动 / 双十一 /"), Where: byName}); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(f.ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(f.ctx, "a"); fault.CodeOf(err) != "segment.not_found" {
		t.Error(err)
	}
	s, err := f.Restore(f.ctx, "a")
	if err != nil || s.Folder != "活动/双十一" || s.Size != f.people.n {
		t.Errorf("%+v %v", s, err)
	}
	if err := errors.Join(f.Delete(f.ctx, "a"), f.Sweep(f.ctx)); err != nil || len(f.store.binned) != 1 {
		t.Error(err)
	}
	f.clock.Advance((segment.BinDays + 1) * 24 * time.Hour)
	if err := f.Sweep(f.ctx); err != nil || len(f.store.binned) != 0 {
		t.Error(err)
	}
	if _, err := f.Restore(f.ctx, "a"); fault.CodeOf(err) != "segment.not_found" {
		t.Error(err)
	}
}

// TestConverting: a dynamic segment becomes a list of its members of now; a list follows its condition again, where it has one.
func TestConverting(t *testing.T) {
	t.Parallel()
	f := newFixture()
	if _, err := f.Create(f.ctx, segment.Draft{Key: "a", Label: named("a"), Where: byName}); err != nil {
		t.Fatal(err)
	}
	s, err := f.Update(f.ctx, "a", 0, segment.Draft{Kind: segment.Static})
	if err != nil || s.Kind != segment.Static || len(f.store.members["a"]) != f.people.n {
		t.Errorf("%+v %v", s, err)
	}
	if s, err = f.ChangeList(f.ctx, "a", segment.TakeFromList, []id.ID{1, 2}); err != nil || s.Size != f.people.n-2 {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := f.Update(f.ctx, "a", 0, segment.Draft{Kind: segment.Dynamic}); err == nil {
		t.Error("a list without a condition became dynamic")
	}
	if s, err = f.Update(f.ctx, "a", 0, segment.Draft{Kind: segment.Dynamic, Where: byName}); err != nil || s.Kind != segment.Dynamic {
		t.Errorf("%+v %v", s, err)
	}
}

// TestPartsAreNamedByTheirPlace says where each counted part stands.
func TestPartsAreNamedByTheirPlace(t *testing.T) {
	t.Parallel()
	f := newFixture()
	parts, err := f.Parts(f.ctx, &query.Node{All: []*query.Node{byName, {Not: &query.Node{Any: []*query.Node{byName, byName}}}}})
	if err != nil {
		t.Fatal(err)
	}
	var at []string
	for _, p := range parts {
		at = append(at, p.At)
	}
	if got := strings.Join(at, " "); got != " /all/0 /all/1 /all/1/not /all/1/not/any/0 /all/1/not/any/1" {
		t.Error(got)
	}
}

// TestComparing: what differs comes first, corrected for all that was asked; what cannot be tested is left out.
func TestComparing(t *testing.T) {
	t.Parallel()
	f := newFixture()
	if _, err := f.Create(f.ctx, segment.Draft{Key: "a", Label: named("a"), Where: byName}); err != nil {
		t.Fatal(err)
	}
	f.people.figures = []segment.Figure{
		{Subject: segment.Subject{Key: "same", Numeric: true}, N: [2]int64{50, 100}, Mean: [2]float64{10, 10.01}, Variance: [2]float64{4, 4}},
		{Subject: segment.Subject{Key: "constant", Numeric: true}, N: [2]int64{50, 100}, Mean: [2]float64{1, 1}},
		{Subject: segment.Subject{Key: "tier"}, Values: []segment.Share{{"x", [2]int64{40, 10}}, {"y", [2]int64{10, 90}}}},
		{Subject: segment.Subject{Key: "more", Numeric: true}, N: [2]int64{50, 100}, Mean: [2]float64{20, 10}, Variance: [2]float64{4, 4}},
	}
	c, err := f.Compare(f.ctx, "a", "")
	if err != nil || len(c.List) != 3 || c.List[0].Key != "more" || c.List[1].Key != "tier" || c.List[2].Key != "same" || c.List[0].Test.Effect < 4 ||
		c.List[1].Corrected >= segment.Believed || c.List[2].Corrected < segment.Believed || c.Both != 3 {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := f.Compare(f.ctx, "a", "nowhere"); fault.CodeOf(err) != "segment.not_found" {
		t.Error(err)
	}
}

// TestSimilar: what the condition names is left out; what tells members apart comes first; too few teach nothing.
func TestSimilar(t *testing.T) {
	t.Parallel()
	f := newFixture()
	if _, err := f.Create(f.ctx, segment.Draft{Key: "a", Label: named("a"), Where: byName}); err != nil {
		t.Fatal(err)
	}
	got, err := f.Similar(f.ctx, "a", 5, nil, "")
	if err != nil || got.OK || len(f.people.asked) != 2 {
		t.Errorf("%+v %v %v", got, f.people.asked, err)
	}
	for i := range 400 {
		in := i%4 == 0
		row := segment.Row{In: in, Values: []any{float64(i % 7), "low"}}
		if in && i%3 != 0 {
			row.Values[1] = "high"
		}
		if i%10 == 0 {
			row.Values[0] = nil
		}
		f.people.rows = append(f.people.rows, row)
	}
	got, err = f.Similar(f.ctx, "a", 5, nil, "like them")
	if err != nil || !got.OK || got.AUC < 0.75 || got.Terms[0].Key != "tier" || len(got.Customers) != 5 || got.Segment == nil || len(f.store.members[got.Segment.Key]) != 5 {
		t.Errorf("%+v %v", got, err)
	}
	missing := slices.ContainsFunc(got.Terms, func(t segment.Term) bool { return t.Missing && t.Key == "spend" })
	if _, err := f.Similar(f.ctx, "a", 0, nil, ""); err == nil || !missing {
		t.Errorf("%v %+v", err, got.Terms)
	}
}

package segment_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
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
}

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
func (m *memory) Delete(_ context.Context, key string) error        { delete(m.segs, key); return nil }
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
type people struct{ n int }

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
func (p *people) Replace(context.Context, string, *query.Node, time.Time) (segment.Point, error) {
	return segment.Point{Size: p.n, Entered: p.n}, nil
}
func (p *people) SetMembership(_ context.Context, _ string, ids []id.ID, _ time.Time) (segment.Point, error) {
	return segment.Point{Size: len(ids)}, nil
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
}

func newFixture() *fixture {
	f := &fixture{store: &memory{map[string]segment.Segment{}, map[string][]segment.Point{}, map[string][]id.ID{}},
		people: &people{n: 45000}, fields: fields{"name": true}, ctx: access.With(context.Background(), access.System())}
	f.Service = segment.New(segment.Config{Store: f.store, Audience: f.people, Language: f.fields,
		Clock: clock.NewFake(time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
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

package timeline_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/objects"
)

const customer id.ID = 7

// asProgram is a context in which everything is seen.
func asProgram(t *testing.T) context.Context {
	t.Helper()
	return access.With(t.Context(), access.System())
}

// fake holds entries, facts and moves in memory and reads them as the real sources promise.
type fake struct {
	entries []record.Entry // newest first
	facts   map[string][]*record.Record
	moves   []timeline.Passage
	stays   []timeline.Stay
	joins   []timeline.Join
	party   *timeline.Party // the customer alone when nil
	deeds   []timeline.Deed
	reads   int
}

func (f *fake) Titles(_ context.Context, refs []record.Ref) error {
	for i := range refs {
		if refs[i].ID != hidden {
			refs[i].Title = fmt.Sprint(refs[i].Object, refs[i].ID)
		}
	}
	return nil
}

// hidden is a contact whom the reader does not see.
const hidden id.ID = 404

func (f *fake) Party(_ context.Context, customer id.ID) (*timeline.Party, error) {
	if f.party != nil {
		return f.party, nil
	}
	return &timeline.Party{Owners: []id.ID{customer}, Customers: []id.ID{customer}}, nil
}

func (f *fake) Stays(_ context.Context, _ *timeline.Party, b timeline.Behind, limit int) ([]timeline.Stay, error) {
	var out []timeline.Stay
	for _, v := range f.stays {
		if at := v.At.UnixMilli(); at < b.At || at == b.At && int64(v.ID) < b.ID {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(x, y timeline.Stay) int { return cmp.Or(y.At.Compare(x.At), cmp.Compare(y.ID, x.ID)) })
	return out[:min(limit, len(out))], nil
}

func (f *fake) Deeds(_ context.Context, _ *timeline.Party, b timeline.Behind, limit int) ([]timeline.Deed, error) {
	var out []timeline.Deed
	for _, v := range f.deeds {
		if at := v.At.UnixMilli(); at < b.At || at == b.At && int64(v.ID) < b.ID {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(x, y timeline.Deed) int { return cmp.Or(y.At.Compare(x.At), cmp.Compare(y.ID, x.ID)) })
	return out[:min(limit, len(out))], nil
}

func (f *fake) Joins(_ context.Context, _ id.ID, until time.Time) ([]timeline.Join, error) {
	return slices.DeleteFunc(slices.Clone(f.joins), func(j timeline.Join) bool { return j.At.After(until) }), nil
}

func (f *fake) Get(_ context.Context, object string, rec id.ID) (*record.Record, error) {
	if rec != customer || object != "customer" {
		return nil, fault.New(fault.NotFound, "record.not_found", nil)
	}
	return &record.Record{Object: object, ID: rec}, nil
}

func (f *fake) History(_ context.Context, _ string, _ id.ID, before change.Position, limit int) ([]record.Entry, change.Position, error) {
	var out []record.Entry
	for _, e := range f.entries {
		if before != (change.Position{}) && !e.Position.Less(before) {
			continue
		}
		if len(out) == limit {
			return out, out[limit-1].Position, nil
		}
		out = append(out, e)
	}
	return out, change.Position{}, nil
}

func (f *fake) List(_ context.Context, object string, q record.Query) (*record.Page, error) {
	f.reads++
	field := q.Sort[0].Field
	until := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, n := range q.Where.All {
		if n.Op == "<=" {
			var s string
			if err := json.Unmarshal(n.Value, &s); err != nil {
				return nil, err
			}
			t, err := time.Parse("2006-01-02T15:04:05.999Z07:00", s)
			if err != nil {
				return nil, err
			}
			until = t
		}
	}
	var all []*record.Record
	for _, r := range f.facts[object] {
		if !r.Values[field].(time.Time).After(until) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *record.Record) int {
		return cmp.Or(b.Values[field].(time.Time).Compare(a.Values[field].(time.Time)), cmp.Compare(b.ID, a.ID))
	})
	from := 0
	if q.Cursor != "" {
		if _, err := fmt.Sscan(q.Cursor, &from); err != nil {
			return nil, err
		}
	}
	p := &record.Page{Items: all[from:min(from+q.Limit, len(all))]}
	if from+q.Limit < len(all) {
		p.NextCursor = fmt.Sprint(from + q.Limit)
	}
	return p, nil
}

func (f *fake) Moves(_ context.Context, _ id.ID, until time.Time, limit int) ([]timeline.Passage, error) {
	var out []timeline.Passage
	for _, m := range f.moves {
		if !m.At.After(until) {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b timeline.Passage) int { return b.At.Compare(a.At) })
	return out[:min(limit, len(out))], nil
}

func registry(t interface{ Fatal(...any) }) *schema.Registry {
	list, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := schema.NewRegistry(list)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func fact(object string, v id.ID, field, amount string, at time.Time) *record.Record {
	return &record.Record{Object: object, ID: v, Title: fmt.Sprint(object, v), Values: map[string]any{field: at, amount: money.Money{Amount: int64(v), Currency: "CNY"}}}
}

// Whatever happened when, and however many things in one millisecond: the pages together hold every item once, newest
// first, whatever the size of a page.
func TestPagesHoldEverythingOnce(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		f := &fake{facts: map[string][]*record.Record{}}
		when := rapid.Map(rapid.IntRange(0, 6), func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) })
		times := rapid.SliceOfN(when, 1, 20).Draw(t, "history")
		slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
		for i, at := range times {
			f.entries = append(f.entries, record.Entry{Position: change.Position{Seq: int64(len(times) - i)}, At: at, Op: change.Update})
		}
		for i, at := range rapid.SliceOfN(when, 0, 20).Draw(t, "orders") {
			f.facts["order"] = append(f.facts["order"], fact("order", id.ID(i+1), "placed_at", "net_amount", at))
		}
		for i, at := range rapid.SliceOfN(when, 0, 9).Draw(t, "refunds") {
			f.facts["refund"] = append(f.facts["refund"], fact("refund", id.ID(i+1), "refunded_at", "amount", at))
		}
		for i, at := range rapid.SliceOfN(when, 0, 5).Draw(t, "moves") {
			f.moves = append(f.moves, timeline.Passage{At: at, Move: timeline.Move{Classification: fmt.Sprint("c", i), To: "x"}})
		}
		for i, at := range rapid.SliceOfN(when, 0, 20).Draw(t, "visits") {
			f.stays = append(f.stays, timeline.Stay{ID: id.ID(i + 1), At: at})
		}
		for i, at := range rapid.SliceOfN(when, 0, 5).Draw(t, "joins") {
			f.joins = append(f.joins, timeline.Join{ID: id.ID(i/2 + 1), At: at, Undone: i%2 == 1})
		}
		total := len(f.entries) + len(f.facts["order"]) + len(f.facts["refund"]) + len(f.moves) + len(f.stays) + len(f.joins)
		s := timeline.New(f, f, func() *schema.Registry { return reg }).WithBehaviour(f).WithJoins(f)
		size := rapid.IntRange(1, 30).Draw(t, "size")
		seen := map[string]bool{}
		var last time.Time
		cursor := ""
		for page := 0; ; page++ {
			items, next, err := s.Read(access.With(context.Background(), access.System()), "customer", customer, timeline.Query{Limit: size, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			if len(items) > size || page > total {
				t.Fatalf("page %d has %d items of %d", page, len(items), size)
			}
			for _, it := range items {
				if seen[it.ID] {
					t.Fatalf("%s twice", it.ID)
				}
				if !last.IsZero() && it.At.After(last) {
					t.Fatalf("%s at %v after %v", it.ID, it.At, last)
				}
				seen[it.ID], last = true, it.At
			}
			if cursor = next; next == "" {
				break
			}
		}
		if len(seen) != total {
			t.Fatalf("%d items of %d: %v", len(seen), total, seen)
		}
		between(t, s, seen, when.Draw(t, "from"), when.Draw(t, "until"))
	})
}

// between asks for a span of time and for some kinds in pages of two, and expects exactly those of all the items that lie in it.
func between(t *rapid.T, s *timeline.Service, all map[string]bool, from, until time.Time) {
	ctx := access.With(context.Background(), access.System())
	everything, _, err := s.Read(ctx, "customer", customer, timeline.Query{Limit: timeline.MaxLimit})
	if err != nil || len(everything) != min(len(all), timeline.MaxLimit) {
		t.Fatalf("%d items at once, %v", len(everything), err)
	}
	for _, kinds := range [][]timeline.Kind{nil, {timeline.Behaviour}, {timeline.Order, timeline.Identity, timeline.Behaviour}} {
		var want, got []string
		for _, it := range everything {
			if !it.At.Before(from) && it.At.Before(until) && (kinds == nil || slices.Contains(kinds, it.Kind)) {
				want = append(want, it.ID)
			}
		}
		q := timeline.Query{Limit: 2, Kinds: kinds, From: from, Until: until}
		for {
			items, next, err := s.Read(ctx, "customer", customer, q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range items {
				got = append(got, items[i].ID)
			}
			if next == "" {
				break
			}
			if last := items[len(items)-1].Cursor(); last != next {
				t.Fatalf("the cursor of the last item is %s, that of the page %s", last, next)
			}
			q.Cursor = next
		}
		if !slices.Equal(want, got) {
			t.Fatalf("from %v until %v, kinds %v: %v, want %v", from, until, kinds, got, want)
		}
	}
}

// On the page of a company stand the orders and visits of its contacts, each with the contact that the reader may see.
func TestContactsOfACompany(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	order := func(v, customer, contact id.ID, hours int) *record.Record {
		r := fact("order", v, "placed_at", "net_amount", at.Add(time.Duration(hours)*time.Hour))
		r.Values["customer"], r.Values["contact"] = customer, contact
		return r
	}
	anna := record.Ref{Object: "contact", ID: 21, Title: "Anna"}
	f := &fake{facts: map[string][]*record.Record{"order": {order(1, customer, 0, 1), order(2, customer, 22, 2), order(3, 9, 0, 3), order(4, customer, hidden, 4)}},
		stays: []timeline.Stay{{ID: 5, At: at.Add(5 * time.Hour), Contact: &anna}},
		party: &timeline.Party{Owners: []id.ID{customer, 9}, Customers: []id.ID{customer, 9}, Contacts: map[id.ID]record.Ref{9: anna}}}
	s := timeline.New(f, nil, func() *schema.Registry { return reg }).WithBehaviour(f)
	items, _, err := s.Read(asProgram(t), "customer", customer, timeline.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		name := "-"
		if it.Contact != nil {
			name = it.Contact.Title
		}
		got = append(got, string(it.Kind)+" "+name)
	}
	if want := []string{"behaviour Anna", "order -", "order Anna", "order contact22", "order -"}; !slices.Equal(want, got) {
		t.Fatalf("%v, want %v", got, want)
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	reg := registry(t)
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	f := &fake{facts: map[string][]*record.Record{"order": {fact("order", 3, "placed_at", "net_amount", at.Add(2*time.Hour))}, "refund": {fact("refund", 4, "refunded_at", "amount", at.Add(3*time.Hour))}},
		moves: []timeline.Passage{{At: at.Add(4 * time.Hour), Move: timeline.Move{Classification: "lifecycle", From: "potential", To: "active", Reason: "data"}}},
		entries: []record.Entry{{Position: change.Position{Seq: 3}, At: at.Add(time.Hour), Op: change.Purge}, {Position: change.Position{Seq: 2}, At: at.Add(time.Hour), Op: change.Update, By: 11, Changes: []record.FieldChange{{Field: "name"}}},
			{Position: change.Position{Seq: 1}, At: at, Op: change.Create}}}
	s := timeline.New(f, f, func() *schema.Registry { return reg })
	items, next, err := s.Read(asProgram(t), "customer", customer, timeline.Query{Limit: 50})
	if err != nil || next != "" || len(items) != 5 {
		t.Fatalf("%d items, %q, %v", len(items), next, err)
	}
	kinds := []timeline.Kind{timeline.Class, timeline.Refund, timeline.Order, timeline.Updated, timeline.Created}
	for i, it := range items {
		if it.Kind != kinds[i] {
			t.Errorf("item %d is %s, want %s", i, it.Kind, kinds[i])
		}
	}
	if items[0].Move.From != "potential" || items[1].Amount.Amount != 4 || items[2].Record.Title != "order3" || items[3].Changes[0].Field != "name" || items[3].By != 11 {
		t.Errorf("items %+v", items)
	}
	for _, bad := range []string{"x", "e30=", "eyJ0IjoxLCJzIjo5OX0"} {
		if _, _, err := s.Read(asProgram(t), "customer", customer, timeline.Query{Limit: 5, Cursor: bad}); fault.CodeOf(err) != "record.cursor_invalid" {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
	if _, _, err := s.Read(asProgram(t), "customer", 8, timeline.Query{Limit: 5}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another record: %v", err)
	}
	// Records of other objects have their own changes only.
	f.reads = 0
	if _, _, err := s.Read(asProgram(t), "store", customer, timeline.Query{Limit: 5}); fault.KindOf(err) != fault.NotFound || f.reads != 0 {
		t.Errorf("a store: %v, %d reads", err, f.reads)
	}
}

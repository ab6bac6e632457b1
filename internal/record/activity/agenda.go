package activity

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Records is what an Agenda reads.
type Records interface {
	List(ctx context.Context, object string, q record.Query) (*record.Page, error)
}

// Agenda reads what somebody has to do, under the rights of whoever asks. It is safe for concurrent use.
type Agenda struct {
	Records  Records
	Registry func() *schema.Registry
	Zone     func() *time.Location
	Clock    clock.Clock
}

// Item is one activity with its time; At is zero where it has none.
type Item struct {
	Record *record.Record
	At     time.Time
}

// Day is what somebody has to do as of now. The groups are apart, each in the order in which it is worked through.
type Day struct {
	Today    clock.Day
	Overdue  []Item // the latest first
	Due      []Item // of today and not overdue
	Upcoming []Item // of the next UpcomingDays days
	Undated  []Item
	Done     []Item // finished today, the latest first
	// OverdueTotal counts all that is overdue, which may be more than is shown.
	OverdueTotal int
}

const (
	// UpcomingDays is how far a Day looks ahead.
	UpcomingDays = 14
	dayAtMost    = 100 // of each object in each group
	spanAtMost   = 500 // of each object between two instants
)

// Day reads the day of a person.
func (a *Agenda) Day(ctx context.Context, user id.ID) (*Day, error) {
	now := a.Clock.Now()
	today := clock.DayOf(now, a.Zone())
	start := today.Start(a.Zone())
	out := &Day{Today: today}
	for _, object := range Planned() {
		if Known(a.Registry(), object) == nil {
			continue
		}
		when := WhenField(object)
		late, err := a.read(ctx, object, user, record.Query{Where: all(open(), before(when, start)), Sort: []schema.Sort{{Field: when, Desc: true}}, Limit: dayAtMost, Total: record.TotalCapped})
		if err != nil {
			return nil, err
		}
		out.Overdue, out.OverdueTotal = append(out.Overdue, late.items(object)...), out.OverdueTotal+late.Total
		next, err := a.read(ctx, object, user, record.Query{Where: all(open(), from(when, start), before(when, (today+1+UpcomingDays).Start(a.Zone()))), Sort: []schema.Sort{{Field: when}}, Limit: 2 * dayAtMost})
		if err != nil {
			return nil, err
		}
		for _, it := range next.items(object) {
			whole, _ := it.Record.Values["all_day"].(bool)
			switch {
			case clock.DayOf(it.At, a.Zone()) > today:
				out.Upcoming = append(out.Upcoming, it)
			case object == Task && !whole && it.At.Before(now):
				out.Overdue, out.OverdueTotal = append(out.Overdue, it), out.OverdueTotal+1
			default:
				out.Due = append(out.Due, it)
			}
		}
		done, err := a.read(ctx, object, user, record.Query{Where: all(equal("status", Done), from("done_at", start)), Sort: []schema.Sort{{Field: "done_at", Desc: true}}, Limit: dayAtMost})
		if err != nil {
			return nil, err
		}
		out.Done = append(out.Done, done.items(object)...)
	}
	if Known(a.Registry(), Task) == nil {
		return out.sorted(), nil
	}
	undated, err := a.read(ctx, Task, user, record.Query{Where: all(open(), &query.Node{Field: "due_at", Op: "is_not_set"}), Sort: []schema.Sort{{Field: "created_at", Desc: true}}, Limit: dayAtMost})
	if err != nil {
		return nil, err
	}
	out.Undated = undated.items(Task)
	return out.sorted(), nil
}

// sorted puts the groups in order.
func (out *Day) sorted() *Day {
	slices.SortStableFunc(out.Overdue, func(x, y Item) int { return y.At.Compare(x.At) })
	for _, list := range [][]Item{out.Due, out.Upcoming} {
		slices.SortStableFunc(list, func(x, y Item) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Record.ID, y.Record.ID)) })
	}
	slices.SortStableFunc(out.Done, func(x, y Item) int { return finished(y).Compare(finished(x)) })
	return out
}

func finished(it Item) time.Time {
	t, _ := it.Record.Values["done_at"].(time.Time)
	return t
}

// Between reads the activities of a person whose time lies in [from, to), cancelled ones left out, in order.
func (a *Agenda) Between(ctx context.Context, user id.ID, since, until time.Time, objects ...string) ([]Item, error) {
	var out []Item
	if len(objects) == 0 {
		objects = Planned()
	}
	for _, object := range objects {
		if Known(a.Registry(), object) == nil {
			continue
		}
		when := WhenField(object)
		q := record.Query{Where: all(unequal("status", Cancelled), from(when, since), before(when, until)), Sort: []schema.Sort{{Field: when}}, Limit: spanAtMost}
		for {
			page, err := a.read(ctx, object, user, q)
			if err != nil {
				return nil, err
			}
			out = append(out, page.items(object)...)
			if page.NextCursor == "" || len(out) >= 4*spanAtMost {
				break
			}
			q.Cursor = page.NextCursor
		}
	}
	slices.SortStableFunc(out, func(x, y Item) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Record.ID, y.Record.ID)) })
	return out, nil
}

type page struct{ *record.Page }

func (p page) items(object string) []Item {
	when := WhenField(object)
	out := make([]Item, 0, len(p.Items))
	for _, r := range p.Items {
		at, _ := r.Values[when].(time.Time)
		out = append(out, Item{Record: r, At: at})
	}
	return out
}

func (a *Agenda) read(ctx context.Context, object string, user id.ID, q record.Query) (page, error) {
	prefix := "usr"
	if o := a.Registry().Object("user"); o != nil {
		prefix = o.Prefix
	}
	q.Where = all(equal("assignee", id.Format(prefix, user)), q.Where)
	return a.list(ctx, object, q)
}

// list reads activities; of a kind that the reader may not see there are none.
func (a *Agenda) list(ctx context.Context, object string, q record.Query) (page, error) {
	p, err := a.Records.List(ctx, object, q)
	if f, ok := fault.Find(err); ok && f.Kind == fault.Forbidden {
		return page{&record.Page{}}, nil
	}
	if err != nil {
		return page{}, fmt.Errorf("read agenda: %w", err)
	}
	return page{p}, nil
}

func all(nodes ...*query.Node) *query.Node { return &query.Node{All: nodes} }

func leaf(field, op string, value any) *query.Node {
	raw, err := json.Marshal(value)
	if err != nil { // texts always encode
		return &query.Node{Field: field, Op: op}
	}
	return &query.Node{Field: field, Op: op, Value: raw}
}

func equal(field string, v any) *query.Node   { return leaf(field, "=", v) }
func unequal(field string, v any) *query.Node { return leaf(field, "!=", v) }
func from(field string, at time.Time) *query.Node {
	return leaf(field, ">=", at.UTC().Format(time.RFC3339Nano))
}
func before(field string, at time.Time) *query.Node {
	return leaf(field, "<", at.UTC().Format(time.RFC3339Nano))
}
func open() *query.Node { return leaf("status", "not_in", []string{Done, Cancelled}) }

// openAtMost is how many open activities of each object are read for one record.
const openAtMost = 20

// Of reads what is open about a record: activities about it, and for a customer all that belong to it. Those with a time come
// first, in its order.
func (a *Agenda) Of(ctx context.Context, object string, rec id.ID) ([]Item, error) {
	field := "about"
	if object == query.Customer {
		field = "customer"
	}
	o := a.Registry().Object(object)
	if o == nil {
		return nil, nil
	}
	mine := equal(field, id.Format(o.Prefix, rec))
	var out []Item
	for _, kind := range Planned() {
		if Known(a.Registry(), kind) == nil {
			continue
		}
		p, err := a.list(ctx, kind, record.Query{Where: all(mine, open()), Sort: []schema.Sort{{Field: WhenField(kind)}}, Limit: openAtMost})
		if err != nil {
			return nil, err
		}
		out = append(out, p.items(kind)...)
	}
	slices.SortStableFunc(out, func(x, y Item) int {
		switch {
		case x.At.IsZero() != y.At.IsZero():
			return boolOrder(x.At.IsZero())
		case !x.At.Equal(y.At):
			return x.At.Compare(y.At)
		}
		return cmp.Compare(x.Record.ID, y.Record.ID)
	})
	return out, nil
}

func boolOrder(later bool) int {
	if later {
		return 1
	}
	return -1
}

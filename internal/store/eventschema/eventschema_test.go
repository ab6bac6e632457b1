package eventschema_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/store/eventschema"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

var t0 = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func openSQLite(t *testing.T) sqlstore.DB {
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "inbox.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openPostgres(t *testing.T) sqlstore.DB {
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL names no database")
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, Schema: "t_" + hex.EncodeToString(b[:]), MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.DropSchema(context.Background()); err != nil {
			t.Errorf("remove: %v", err)
		}
		_ = db.Close()
	})
	return db
}

// world is an inbox with what is learned of it.
type world struct {
	inbox *eventstore.Store
	*eventschema.Store
	clock *clock.Fake
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) sqlstore.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		for what, run := range map[string]func(*testing.T, *world){"learning": testLearn, "the window": testWindow, "plans": testPlans, "rejected events": testRejected} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				clk := clock.NewFake(t0)
				inbox, err := eventstore.New(t.Context(), eventstore.Config{DB: open(t), Clock: clk, IDs: id.NewGenerator(clk, 1)})
				if err != nil {
					t.Fatal(err)
				}
				run(t, &world{inbox, eventschema.New(inbox, clk, func() *time.Location { return time.UTC }), clk})
			})
		}
	}
}

func (w *world) accept(t *testing.T, list ...event.Event) {
	t.Helper()
	for i := range list {
		e := &list[i]
		if e.MessageID == "" {
			e.MessageID = fmt.Sprintf("%s-%d-%d", e.Name, w.clock.Now().UnixNano(), i)
		}
		e.At, e.ReceivedAt, e.Day = w.clock.Now().UnixMilli(), w.clock.Now().UnixMilli(), clock.DayOf(w.clock.Now(), time.UTC)
		if e.Kind == "" {
			e.Kind = event.Track
		}
		if e.Source == 0 {
			e.Source = 7
		}
	}
	if _, err := w.inbox.Accept(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
}

func (w *world) learn(t *testing.T) (n int) {
	t.Helper()
	for {
		did, err := w.Learn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if did == 0 {
			return n
		}
		n += did
	}
}

func viewed(properties string) event.Event {
	return event.Event{Name: "Product Viewed", AnonymousID: "a1", Properties: json.RawMessage(properties)}
}

func testLearn(t *testing.T, w *world) {
	w.accept(t, viewed(`{"sku":"a","price":1}`), viewed(`{"sku":"b"}`))
	if n := w.learn(t); n != 2 {
		t.Fatalf("learned of %d events", n)
	}
	w.clock.Advance(24 * time.Hour)
	w.accept(t, viewed(`{"sku":"c","price":2.5}`), event.Event{Name: "Order Completed", UserID: "u1", Source: 8})
	if n := w.learn(t); n != 2 {
		t.Fatalf("each event once: %d", n)
	}
	names, err := w.Names(t.Context(), clock.DayOf(t0, time.UTC)+1)
	if err != nil || len(names) != 2 || names[0].Name != "Product Viewed" || names[0].Count != 3 || len(names[0].Days) != 1 || names[0].Days[clock.DayOf(t0, time.UTC)+1] != 1 {
		t.Fatalf("%+v %v", names, err)
	}
	list, err := w.Described(t.Context(), 7, "Product Viewed")
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	price := list[0].Properties["price"]
	if price == nil || price.Count != 2 || price.Types[tracking.Number] != 1 || price.Types[tracking.Integer] != 1 || len(price.Examples) != 2 || list[0].Properties["sku"].Count != 3 {
		t.Errorf("%+v", price)
	}
	if err := w.Forget(t.Context(), list[0].Key); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Described(t.Context(), 0, ""); err != nil || len(list) != 1 || list[0].Source != 8 {
		t.Errorf("only the forgotten name is gone: %v %v", list, err)
	}
}

func testWindow(t *testing.T, w *world) {
	w.accept(t, viewed(`{"n":1}`))
	resolve := func() {
		t.Helper()
		_, err := w.inbox.Resolve(t.Context(), 100_000, func(_ context.Context, _ sqlstore.Conn, batch []event.Event) error {
			for i := range batch {
				batch[i].Profile = 99
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	resolve()
	w.accept(t, viewed(`{"n":2}`), event.Event{Name: "Order Completed", UserID: "u1", Kind: event.Track, Flags: event.Unplanned})
	if n := w.learn(t); n != 1 {
		t.Fatalf("events without a profile wait: %d", n)
	}
	resolve()
	w.learn(t)
	for _, tc := range []struct {
		q    tracking.RecentQuery
		want int
	}{
		{tracking.RecentQuery{}, 3}, {tracking.RecentQuery{Name: "Product Viewed"}, 2}, {tracking.RecentQuery{Person: "u1"}, 1}, {tracking.RecentQuery{Person: "a1"}, 2},
		{tracking.RecentQuery{Source: 8}, 0}, {tracking.RecentQuery{Flags: event.Unplanned}, 1}, {tracking.RecentQuery{Kind: event.Page}, 0},
		{tracking.RecentQuery{Profiles: []id.ID{99}}, 3}, {tracking.RecentQuery{Profiles: []id.ID{98}}, 0},
	} {
		tc.q.Limit = 10
		got, err := w.Recent(t.Context(), tc.q)
		if err != nil || len(got) != tc.want {
			t.Errorf("%+v: %d events, want %d (%v)", tc.q, len(got), tc.want, err)
		}
	}
	newest, err := w.Recent(t.Context(), tracking.RecentQuery{Limit: 1})
	if err != nil || newest[0].Name != "Order Completed" || newest[0].Profile != 99 || newest[0].MessageID == "" {
		t.Fatalf("%+v %v", newest, err)
	}
	one, err := w.Recent(t.Context(), tracking.RecentQuery{Event: newest[0].ID, Limit: 1})
	if err != nil || len(one) != 1 || one[0].UserID != "u1" || string(one[0].Properties) != "{}" {
		t.Fatalf("%+v %v", one, err)
	}
	many := make([]event.Event, 2500)
	for i := range many {
		many[i] = viewed(fmt.Sprintf(`{"n":%d}`, i))
	}
	w.accept(t, many...)
	resolve()
	if n := w.learn(t); n != len(many) {
		t.Fatalf("learned of %d", n)
	}
	if got, err := w.Recent(t.Context(), tracking.RecentQuery{Limit: 10_000}); err != nil || len(got) != 3+500+500 {
		t.Errorf("of a full batch a part is shown: %d %v", len(got), err)
	}
	if err := w.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := w.Recent(t.Context(), tracking.RecentQuery{Limit: 10})
	list, err2 := w.Described(t.Context(), 7, "Product Viewed")
	if err != nil || err2 != nil || len(got) != 0 || len(list[0].Properties["n"].Examples) != 0 || list[0].Properties["n"].Count != 2502 {
		t.Errorf("an erasure empties the window and the examples: %v %v %+v", got, err, list)
	}
}

func testPlans(t *testing.T, w *world) {
	p, err := w.Plan(t.Context())
	if err != nil || p.Version != 0 || p.Unplanned != tracking.Allow {
		t.Fatalf("%+v %v", p, err)
	}
	p.Unplanned, p.At, p.By = tracking.Flag, t0, 5
	p.Events = []tracking.Planned{{Name: "A", Act: tracking.Quarantine, Properties: []tracking.Property{{Name: "x", Type: tracking.Text, Required: true, Values: []string{"1"}}}}}
	if err := w.PutPlan(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := w.PutPlan(t.Context(), p); fault.KindOf(err) != fault.Stale {
		t.Fatalf("over another's change: %v", err)
	}
	got, err := w.Plan(t.Context())
	if err != nil || got.Version != 1 || got.By != 5 || !got.At.Equal(t0) || len(got.Events) != 1 || got.Events[0].Properties[0].Values[0] != "1" {
		t.Fatalf("%+v %v", got, err)
	}
}

func testRejected(t *testing.T, w *world) {
	list := []event.Rejected{{At: 1, Source: 7, MessageID: "m1", Kind: event.Track, Name: "A", Code: "tracking.property_missing", Field: "x", State: event.Quarantined, Payload: `{"properties":{"rate":"50%_"}}`},
		{At: 2, Source: 8, Code: "event.no_id", State: event.Refused, Payload: `{}`}}
	if err := w.inbox.Reject(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		q    tracking.RejectedQuery
		want int
	}{
		{tracking.RejectedQuery{}, 2}, {tracking.RejectedQuery{Source: 7}, 1}, {tracking.RejectedQuery{Name: "A"}, 1}, {tracking.RejectedQuery{Code: "event.no_id"}, 1},
		{tracking.RejectedQuery{Search: "50%_"}, 1}, {tracking.RejectedQuery{Search: "0%5"}, 0}, {tracking.RejectedQuery{IDs: []id.ID{list[1].ID}}, 1},
		{tracking.RejectedQuery{Before: list[1].ID}, 1}, {tracking.RejectedQuery{IDs: []id.ID{}}, 0},
	} {
		tc.q.Limit = 10
		if got, err := w.Rejected(t.Context(), tc.q); err != nil || len(got) != tc.want {
			t.Errorf("%+v: %d, want %d (%v)", tc.q, len(got), tc.want, err)
		}
	}
	got, err := w.Rejected(t.Context(), tracking.RejectedQuery{Source: 7, Limit: 1})
	if err != nil || !got[0].Held || got[0].Field != "x" || got[0].MessageID != "m1" {
		t.Errorf("%+v %v", got, err)
	}
	if n, err := w.RejectedCount(t.Context()); err != nil || n["event.no_id"] != 1 || len(n) != 2 {
		t.Errorf("%v %v", n, err)
	}
	if err := w.DropRejected(t.Context(), []id.ID{list[0].ID}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Rejected(t.Context(), tracking.RejectedQuery{Limit: 9}); err != nil || len(got) != 1 || got[0].ID != list[1].ID {
		t.Errorf("%v %v", got, err)
	}
}

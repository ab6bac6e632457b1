package eventstore_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

var t0 = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func openSQLite(t testing.TB, cfg sqlite.Config) *sqlite.DB {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = filepath.Join(t.TempDir(), "inbox.db")
	}
	db, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func openPostgres(t testing.TB) *postgres.DB {
	t.Helper()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL names no database")
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	cfg := postgres.Config{URL: url, Schema: "t_" + hex.EncodeToString(b[:]), MaxConns: 9}
	db, err := postgres.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if err := db.DropSchema(ctx); err != nil {
			t.Errorf("remove: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// world is a store on an empty database, its clock held still.
type world struct {
	*eventstore.Store
	clock *clock.Fake
}

func newWorld(t testing.TB, db sqlstore.DB) *world {
	t.Helper()
	clk := clock.NewFake(t0)
	s, err := eventstore.New(t.Context(), eventstore.Config{DB: db, Clock: clk, IDs: id.NewGenerator(clk, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return &world{s, clk}
}

// made is an event with a message id and something that it is about.
func made(message, about string) event.Event {
	return event.Event{Source: 7, MessageID: message, Kind: event.Track, Name: "Product Viewed", At: t0.UnixMilli(), Day: 20513, ReceivedAt: t0.UnixMilli(), OriginalAt: t0.UnixMilli() - 1000,
		AnonymousID: "a1", Properties: json.RawMessage(`{"sku":"` + about + `"}`), Context: json.RawMessage(`{}`)}
}

func (w *world) accept(t testing.TB, list ...event.Event) []eventstore.State {
	t.Helper()
	states, err := w.Accept(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	return states
}

func (w *world) all(t testing.TB) []event.Event {
	t.Helper()
	list, err := w.Read(t.Context(), change.Position{}, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSuite(t *testing.T) {
	t.Parallel()
	databases := []struct {
		name string
		many bool // several write transactions at the same time
		open func(testing.TB) sqlstore.DB
	}{
		{"sqlite", false, func(t testing.TB) sqlstore.DB { return openSQLite(t, sqlite.Config{}) }},
		{"postgres", true, func(t testing.TB) sqlstore.DB { return openPostgres(t) }},
	}
	tests := []struct {
		name string
		run  func(t *testing.T, w *world, many bool)
	}{
		{"an event is kept as accepted", testKept},
		{"a message id is accepted once", testOnce},
		{"a message id is remembered seven days", testRemembered},
		{"another event under a message id", testCollision},
		{"one message id by many at once", testRace},
		{"a slow and a fast writer", testSlow},
		{"a bound that steps back", testBack},
		{"resolution", testResolve},
		{"a failed resolution leaves nothing", testResolveFails},
		{"positions", testPositions},
		{"what was rejected", testRejected},
		{"counts", testCounts},
		{"an import is counted once and taken back", testImport},
		{"many events at once", testMany},
	}
	for _, d := range databases {
		for _, tt := range tests {
			t.Run(d.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				tt.run(t, newWorld(t, d.open(t)), d.many)
			})
		}
	}
}

func testKept(t *testing.T, w *world, _ bool) {
	e := event.Event{Source: 9, MessageID: "m", Kind: event.Alias, Name: event.Aliased, At: 5, Day: -3, ReceivedAt: 6, OriginalAt: 7, Flags: event.Bot | event.NoTime, UserID: "张三", AnonymousID: "a",
		GroupID: "g", PreviousID: "p", Properties: json.RawMessage(`{"价":"1"}`)}
	list := []event.Event{e}
	states, err := w.Accept(t.Context(), list)
	if err != nil || states[0] != eventstore.Stored || list[0].ID == 0 {
		t.Fatalf("%v %v %v", states, list[0].ID, err)
	}
	got := w.all(t)
	if len(got) != 1 {
		t.Fatalf("%d events", len(got))
	}
	e.ID, e.Seq, e.Xid, e.Context = list[0].ID, got[0].Seq, got[0].Xid, json.RawMessage("{}")
	if fmt.Sprintf("%+v", got[0]) != fmt.Sprintf("%+v", e) {
		t.Errorf("read %+v\nwritten %+v", got[0], e)
	}
}

func testOnce(t *testing.T, w *world, _ bool) {
	if got := w.accept(t, made("a", "1"), made("b", "2"), made("a", "1")); fmt.Sprint(got) != "[stored stored duplicate]" {
		t.Errorf("first: %v", got)
	}
	again := made("a", "1")
	again.ReceivedAt, again.At = again.ReceivedAt+5000, again.At+4000 // a resend arrives later, and its time is corrected by another span
	if got := w.accept(t, made("c", "3"), again); fmt.Sprint(got) != "[stored duplicate]" {
		t.Errorf("resend: %v", got)
	}
	var names []string
	for _, e := range w.all(t) {
		names = append(names, e.MessageID)
	}
	if strings.Join(names, "") != "abc" {
		t.Errorf("inbox holds %v", names)
	}
}

func testRemembered(t *testing.T, w *world, _ bool) {
	w.accept(t, made("a", "1"))
	err := w.Write(t.Context(), func(ctx context.Context, c sqlstore.Conn) error { // as sealing does
		_, err := c.Exec(ctx, "DELETE FROM event_inbox")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	forget := func() {
		t.Helper()
		for more := true; more; {
			if more, err = w.Forget(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.clock.Advance(eventstore.SeenFor)
	forget()
	if got := w.accept(t, made("a", "1")); got[0] != eventstore.Duplicate {
		t.Errorf("after seven days: %v", got)
	}
	w.clock.Advance(24 * time.Hour)
	forget()
	if got := w.accept(t, made("a", "1")); got[0] != eventstore.Stored {
		t.Errorf("after eight days: %v", got)
	}
	if list := w.all(t); len(list) != 1 || list[0].Seq < 2 {
		t.Errorf("the sequence began anew: %+v", list)
	}
}

func testCollision(t *testing.T, w *world, _ bool) {
	long := strings.Repeat("长", 33) + "x"
	for _, name := range []string{"a", long} {
		if got := w.accept(t, made(name, "1")); got[0] != eventstore.Stored {
			t.Fatal(got)
		}
		list := []event.Event{made(name, "2"), made(name, "1"), made(name, "2"), made(name, "3")}
		if got := w.accept(t, list...); fmt.Sprint(got) != "[collision duplicate duplicate collision]" {
			t.Errorf("%v", got)
		}
		if got := w.accept(t, made(name, "2")); got[0] != eventstore.Duplicate {
			t.Errorf("its resend: %v", got)
		}
	}
	names := map[string]bool{}
	flagged := 0
	for _, e := range w.all(t) {
		names[e.MessageID] = true
		if e.Flags.Has(event.Collision) {
			flagged++
		}
		if len(e.MessageID) > event.MaxMessageID {
			t.Errorf("message id of %d bytes", len(e.MessageID))
		}
	}
	if len(names) != 6 || flagged != 4 {
		t.Errorf("%d ids, %d flagged", len(names), flagged)
	}
}

func testRace(t *testing.T, w *world, _ bool) {
	const callers, each = 8, 20
	var mu sync.Mutex
	count := map[eventstore.State]int{}
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for n := range each {
				var list []event.Event
				for k := range 5 { // overlapping ranges, in rising and falling order
					if caller%2 == 1 {
						k = 4 - k
					}
					list = append(list, made(fmt.Sprint(n*3+k), "x"))
				}
				states, err := w.Accept(context.Background(), list)
				if err != nil {
					t.Errorf("accept: %v", err)
					return
				}
				mu.Lock()
				for _, s := range states {
					count[s]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	const distinct = (each-1)*3 + 5
	if count[eventstore.Stored] != distinct || len(w.all(t)) != distinct {
		t.Errorf("%v, %d in the inbox, want %d", count, len(w.all(t)), distinct)
	}
}

// testSlow: a writer that takes its sequence first and commits last is neither lost nor overtaken.
func testSlow(t *testing.T, w *world, many bool) {
	if !many {
		t.Skip("one writer")
	}
	var at change.Position
	seen := map[string]int{}
	consume := func() {
		t.Helper()
		list, err := w.Read(t.Context(), at, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			p := eventstore.PositionOf(&list[i])
			if !at.Less(p) {
				t.Errorf("%v comes after %v", p, at)
			}
			at = p
			seen[list[i].MessageID]++
		}
	}
	const insert = "INSERT INTO event_inbox(id, source_id, message_id, kind, name, at, day, received_at, original_at, flags, user_id, anonymous_id, group_id, previous_id, properties, context) " +
		"VALUES (1, 1, 'slow', 'track', 'x', 0, 0, 0, 0, 0, '', '', '', '', '{}', '{}')"
	appended, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- w.Write(context.Background(), func(ctx context.Context, c sqlstore.Conn) error {
			_, err := c.Exec(ctx, insert)
			close(appended)
			<-release
			return err
		})
	}()
	<-appended
	w.accept(t, made("fast", "1"))
	consume()
	if len(seen) != 0 {
		t.Errorf("read past a running writer: %v", seen)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	consume()
	if seen["slow"] != 1 || seen["fast"] != 1 {
		t.Errorf("seen %v", seen)
	}
}

// testBack: what a consumer has come to stays there to be read, though a writer that announced itself before it was committed is seen only now.
func testBack(t *testing.T, w *world, many bool) {
	if !many {
		t.Skip("one writer")
	}
	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- w.Write(context.Background(), func(context.Context, sqlstore.Conn) error {
			close(entered)
			<-release
			return nil
		})
	}()
	<-entered
	w.accept(t, made("a", "1"), made("b", "2"))
	var end change.Position // as a consumer has it that read before the writer was seen
	err := w.View(t.Context(), func(ctx context.Context, c sqlstore.Conn) error {
		_, err := c.QueryRow(ctx, []any{&end.Xid, &end.Seq}, "SELECT xid, seq FROM event_inbox ORDER BY xid DESC, seq DESC LIMIT 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if list := w.all(t); len(list) != 0 {
		t.Errorf("%d events are read past a running writer", len(list))
	}
	for upTo, want := range map[change.Position]string{end: "ab", {Xid: end.Xid, Seq: end.Seq - 1}: "a", {}: ""} {
		list, err := w.Until(t.Context(), change.Position{}, upTo, 100)
		got := ""
		for i := range list {
			got += list[i].MessageID
		}
		if err != nil || got != want {
			t.Errorf("up to %v: %q, want %q, %v", upTo, got, want, err)
		}
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if list := w.all(t); len(list) != 2 {
		t.Errorf("%d events after its end", len(list))
	}
}

func testResolve(t *testing.T, w *world, _ bool) {
	var list []event.Event
	for n := range 450 {
		list = append(list, made(fmt.Sprint(n), "x"))
	}
	w.accept(t, list...)
	var order []int64
	for {
		n, err := w.Resolve(t.Context(), 300, func(_ context.Context, _ sqlstore.Conn, batch []event.Event) error {
			for i := range batch {
				batch[i].Profile = id.ID(1000 + batch[i].Seq)
				order = append(order, batch[i].Seq)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if len(order) != 450 {
		t.Errorf("resolved %d", len(order))
	}
	for i, e := range w.all(t) {
		if e.Profile != id.ID(1000+e.Seq) || order[i] != e.Seq {
			t.Fatalf("event %d has profile %d", e.Seq, e.Profile)
		}
	}
	head, err := w.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := w.Position(t.Context(), eventstore.Resolved); err != nil || p != head {
		t.Errorf("position %v, head %v, %v", p, head, err)
	}
	w.accept(t, made("late", "x"))
	if n, err := w.Waiting(t.Context(), eventstore.Resolved, 10); err != nil || n != 1 {
		t.Errorf("%d wait, %v", n, err)
	}
}

func testResolveFails(t *testing.T, w *world, _ bool) {
	w.accept(t, made("a", "1"), made("b", "1"))
	_, err := w.Resolve(t.Context(), 10, func(ctx context.Context, c sqlstore.Conn, batch []event.Event) error {
		batch[0].Profile = 4
		return w.Advance(ctx, c, "other", change.Position{Seq: 5})
	})
	if fault.CodeOf(err) != "event.unresolved" {
		t.Errorf("an event without a profile: %v", err)
	}
	for _, consumer := range []string{eventstore.Resolved, "other"} {
		if p, err := w.Position(t.Context(), consumer); err != nil || p != (change.Position{}) {
			t.Errorf("%s stands at %v, %v", consumer, p, err)
		}
	}
	for _, e := range w.all(t) {
		if e.Profile != 0 {
			t.Errorf("%s has profile %d", e.MessageID, e.Profile)
		}
	}
}

func testPositions(t *testing.T, w *world, _ bool) {
	for _, p := range []change.Position{{Xid: 1, Seq: 2}, {Xid: 3, Seq: 1}} {
		err := w.Write(t.Context(), func(ctx context.Context, c sqlstore.Conn) error { return w.Advance(ctx, c, "load", p) })
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.Position(t.Context(), "load"); err != nil || got != p {
			t.Errorf("%v, %v", got, err)
		}
	}
	woken := w.Woken()
	w.accept(t, made("a", "1"))
	select {
	case <-woken:
	default:
		t.Error("nobody was woken")
	}
	woken = w.Woken()
	w.accept(t, made("a", "1"))
	select {
	case <-woken:
		t.Error("a duplicate wakes")
	default:
	}
}

func testRejected(t *testing.T, w *world, _ bool) {
	list := []eventstore.Rejected{
		{At: w.clock.Now().UnixMilli(), Source: 1, MessageID: "m1", Kind: event.Track, Code: "event.name_missing", Field: "event", State: event.Refused, Payload: `{"a":1}`},
		{At: w.clock.Now().UnixMilli(), Source: 2, MessageID: "m2", Code: "event.nobody", State: event.Refused},
	}
	if err := w.Reject(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	got, err := w.Rejects(t.Context(), 0, 0, 10)
	if err != nil || len(got) != 2 || got[0] != list[1] || got[1] != list[0] {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := w.Rejects(t.Context(), 1, 0, 10); err != nil || len(got) != 1 || got[0] != list[0] {
		t.Errorf("of a source: %+v, %v", got, err)
	}
	w.clock.Advance(31 * 24 * time.Hour)
	if _, err := w.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Rejects(t.Context(), 0, 0, 10); err != nil || len(got) != 0 {
		t.Errorf("a month later: %+v, %v", got, err)
	}
}

func testCounts(t *testing.T, w *world, _ bool) {
	for range 2 {
		if err := w.AddCounts(t.Context(), []eventstore.Count{{Source: 1, Day: 10, Accepted: 3, Duplicate: 1, LastAt: 50}, {Source: 2, Day: 10, Rejected: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AddCounts(t.Context(), []eventstore.Count{{Source: 1, Day: 10, Collision: 1, LastAt: 40}}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Counts(t.Context(), 10)
	want := []eventstore.Count{{Source: 1, Day: 10, Accepted: 6, Duplicate: 2, Collision: 1, LastAt: 50}, {Source: 2, Day: 10, Rejected: 2}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
}

func testMany(t *testing.T, w *world, _ bool) {
	var list []event.Event
	for n := range 2500 {
		list = append(list, made(fmt.Sprint("m", n), "x"))
	}
	states := w.accept(t, list...)
	for _, s := range states {
		if s != eventstore.Stored {
			t.Fatalf("state %s", s)
		}
	}
	for i, e := range w.all(t) {
		if e.MessageID != list[i].MessageID {
			t.Fatalf("place %d holds %s", i, e.MessageID)
		}
	}
}

func testImport(t *testing.T, w *world, _ bool) {
	ctx := t.Context()
	begin := func(key id.ID) eventstore.Into {
		if err := w.BeginImport(ctx, eventstore.Import{ID: key, Source: 7, File: "a.csv", By: 3, At: w.clock.Now().UnixMilli()}); err != nil {
			t.Fatal(err)
		}
		return eventstore.Into{Store: w.Store, Import: key}
	}
	take := func(in eventstore.Into, want ...eventstore.State) {
		t.Helper()
		list := []event.Event{made("i1", "a"), made("i2", "b")}
		states, err := in.Accept(ctx, list)
		if err != nil || fmt.Sprint(states) != fmt.Sprint(want) {
			t.Fatalf("%v, %v, want %v", states, err, want)
		}
	}
	take(begin(1), eventstore.Stored, eventstore.Stored)
	w.clock.Advance(30 * 24 * time.Hour) // longer than message ids are remembered
	for more := true; more; {
		var err error
		if more, err = w.Forget(ctx); err != nil {
			t.Fatal(err)
		}
	}
	second := begin(2)
	take(second, eventstore.Duplicate, eventstore.Duplicate)
	if got, err := w.ImportedEvents(ctx, 1); err != nil || len(got) != 2 {
		t.Fatalf("%v %v", got, err)
	}
	if moved, err := w.MoveImport(ctx, 1, eventstore.ImportUndoing, 3, 99, eventstore.ImportOpen); err != nil || !moved {
		t.Fatalf("%v %v", moved, err)
	}
	if _, err := (eventstore.Into{Store: w.Store, Import: 1}).Accept(ctx, []event.Event{made("i3", "c")}); fault.CodeOf(err) != "event.import_closed" {
		t.Errorf("an import that is undone takes more in: %v", err)
	}
	if list, err := w.Undoing(ctx); err != nil || len(list) != 1 || list[0].UndoneBy != 3 || list[0].UndoneAt != 99 {
		t.Fatalf("%+v %v", list, err)
	}
	if err := w.EndUndo(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if v, err := w.Import(ctx, 1); err != nil || v.State != eventstore.ImportUndone {
		t.Errorf("%+v %v", v, err)
	}
	take(second, eventstore.Stored, eventstore.Stored) // the same file once more
	if list, err := w.Imports(ctx, 10); err != nil || len(list) != 2 || list[0].ID != 2 {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := w.Import(ctx, 9); fault.CodeOf(err) != "event.import_not_found" {
		t.Errorf("an import that is not there: %v", err)
	}
}

package eventplane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/facet"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/duckdb"
	"github.com/guanxi-crm/guanxi/internal/store/eventplane"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
	"github.com/guanxi-crm/guanxi/objects"
)

// site is the flow of events of a workspace by itself: inbox, a resolution that goes by the anonymous id, and the plane.
type site struct {
	t      testing.TB
	dir    string
	clock  *clock.Fake
	inbox  sqlstore.DB
	db     analytics.DB
	store  *eventstore.Store
	plane  *eventplane.Plane
	owners *owners
	seal   int
}

// owners is the log of whose profiles are.
type owners struct {
	mu  sync.Mutex
	log [][2]id.ID
}

func (o *owners) set(profile, customer id.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = append(o.log, [2]id.ID{profile, customer})
}

func (o *owners) Owners(_ context.Context, profiles []id.ID) (map[id.ID]id.ID, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[id.ID]id.ID{}
	for _, l := range o.log {
		if slices.Contains(profiles, l[0]) {
			out[l[0]] = l[1]
		}
	}
	return out, nil
}

func (o *owners) Moved(_ context.Context, after int64, limit int) (out []id.ID, upTo int64, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	end := min(after+int64(limit), int64(len(o.log)))
	for _, l := range o.log[after:end] {
		out = append(out, l[0])
	}
	return out, end, nil
}

func (o *owners) Head(context.Context) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int64(len(o.log)), nil
}

// start is a day in spring; what the tests do happens from then on.
var start = time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

func open(t testing.TB, dir string, seal int) *site {
	t.Helper()
	s := &site{t: t, dir: dir, clock: clock.NewFake(start), owners: &owners{}, seal: seal}
	s.open()
	return s
}

func (s *site) open() {
	ctx := context.Background()
	must(s.t, os.MkdirAll(filepath.Join(s.dir, "events"), 0o700))
	file, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(s.dir, "events", "inbox.db"), SecureDelete: true, Clock: s.clock})
	must(s.t, err)
	s.inbox = file
	s.db, err = duckdb.Open(ctx, duckdb.Config{Dir: s.dir, Format: analytics.Format})
	must(s.t, err)
	s.build(ctx)
}

// build makes the store and the plane on open databases.
func (s *site) build(ctx context.Context) {
	must(s.t, analytics.New(s.db, s.clock).Ensure(ctx, registry(s.t), trait.Defaults()))
	var err error
	s.store, err = eventstore.New(ctx, eventstore.Config{DB: s.inbox, Clock: s.clock, IDs: id.NewGenerator(s.clock, 3)})
	must(s.t, err)
	s.plane = eventplane.New(eventplane.Config{Store: s.store, Facts: analytics.NewEvents(s.db, s.clock), Files: analytics.NewEventFiles(s.db), Dir: filepath.Join(s.dir, "events", "sealed"),
		Owners: s.owners, Rates: func() facet.Rates { return facet.Rates{Base: "CNY"} }, Clock: s.clock, Log: slog.New(slog.DiscardHandler), Batch: 70, Seal: s.seal,
		Visits: func(context.Context) (analytics.VisitOptions, error) { return analytics.VisitOptions{}, nil }})
}

func (s *site) close() { must(s.t, s.db.Close()); must(s.t, s.inbox.Close()) }

// lose closes everything and takes the analytics file away.
func (s *site) lose() {
	s.close()
	must(s.t, os.Remove(filepath.Join(s.dir, duckdb.FileName)))
	s.open()
}

func registry(t testing.TB) *schema.Registry {
	t.Helper()
	list, err := schema.Load(objects.FS)
	must(t, err)
	reg, err := schema.NewRegistry(list)
	must(t, err)
	return reg
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// profileOf is the profile that the resolution of the tests gives.
func profileOf(anonymous string) id.ID {
	h := fnv.New32a()
	_, _ = h.Write([]byte(anonymous))
	return id.ID(1_000_000 + int64(h.Sum32()%100_000))
}

func resolve(_ context.Context, _ sqlstore.Conn, list []event.Event) error {
	for i := range list {
		list[i].Profile = profileOf(list[i].AnonymousID)
	}
	return nil
}

// view is a page that somebody looked at.
func view(n int, who string, at time.Time) event.Event {
	return event.Event{Source: id.ID(1 + n%2), MessageID: fmt.Sprint("m", n), Kind: event.Page, Name: event.PageViewed, At: at.UnixMilli(), Day: clock.DayOf(at, time.UTC), ReceivedAt: at.UnixMilli(), AnonymousID: who,
		Properties: json.RawMessage(fmt.Sprintf(`{"url":"https://shop.example/p/%d?token=secret-canary","title":"第%d页"}`, n%7, n)), Context: json.RawMessage(`{"userAgent":"Mozilla/5.0 (Windows NT 10.0) Chrome/120.0"}`)}
}

// accept brings n pages of some visitors in, numbered from first.
func (s *site) accept(first, n int) {
	s.t.Helper()
	var list []event.Event
	for i := first; i < first+n; i++ {
		list = append(list, view(i, fmt.Sprint("v", i%9), s.clock.Now().Add(time.Duration(i%50)*time.Minute-time.Hour)))
		list[len(list)-1].ReceivedAt = s.clock.Now().UnixMilli()
	}
	_, err := s.store.Accept(context.Background(), list)
	must(s.t, err)
	for {
		n, err := s.store.Resolve(context.Background(), 100, resolve)
		must(s.t, err)
		if n == 0 {
			return
		}
	}
}

func (s *site) drain() {
	s.t.Helper()
	must(s.t, s.plane.Drain(context.Background()))
}

func (s *site) sealAll() (n int) {
	s.t.Helper()
	for {
		did, err := s.plane.Seal(context.Background())
		must(s.t, err)
		if did == 0 {
			return n
		}
		n += did
	}
}

// dump is everything that a table holds, sorted.
func (s *site) dump(table string) []string {
	s.t.Helper()
	rows, err := s.db.Query(context.Background(), "SELECT * FROM "+table)
	must(s.t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	must(s.t, err)
	values, dst := make([]any, len(columns)), make([]any, len(columns))
	for i := range dst {
		dst[i] = &values[i]
	}
	var out []string
	for rows.Next() {
		must(s.t, rows.Scan(dst...))
		out = append(out, fmt.Sprint(values...))
	}
	must(s.t, rows.Err())
	slices.Sort(out)
	return out
}

func (s *site) inboxCount() (n int64) {
	s.t.Helper()
	must(s.t, s.store.View(context.Background(), func(ctx context.Context, c sqlstore.Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, "SELECT count(*) FROM event_inbox")
		return err
	}))
	return n
}

func TestEventsAreLoadedSealedAndReadBack(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), 200)
	s.accept(0, 450)
	s.drain()
	s.owners.set(profileOf("v1"), 77) // somebody is known by and by
	s.drain()
	s.sealAll()
	s.clock.Advance(20 * time.Hour) // the day is over
	s.accept(450, 30)
	s.drain()
	s.sealAll()
	list, err := s.plane.List(t.Context())
	must(t, err)
	rows := int64(0)
	for _, f := range list {
		rows += f.Rows
	}
	if len(list) != 3 || rows != 450 {
		t.Fatalf("%d files with %d events, want 3 with 450", len(list), rows)
	}
	if n := s.inboxCount(); n != 30 {
		t.Errorf("%d events are left in the inbox, want those of today", n)
	}
	events, visits := s.dump("f_event"), s.dump("f_session")
	if len(events) != 480 || len(visits) == 0 {
		t.Fatalf("%d events, %d visits", len(events), len(visits))
	}
	if n := slices.IndexFunc(events, func(e string) bool { return strings.Contains(e, "canary") }); n >= 0 {
		t.Errorf("the query of an address is kept: %s", events[n])
	}
	if detail, err := s.plane.Check(t.Context()); err != nil || detail != "3 files, 450 events" {
		t.Errorf("check: %q, %v", detail, err)
	}
	s.lose()
	s.drain()
	if got := s.dump("f_event"); !slices.Equal(got, events) {
		t.Errorf("%d events after the loss, want the same %d", len(got), len(events))
	}
	if got := s.dump("f_session"); !slices.Equal(got, visits) {
		t.Errorf("%d visits after the loss, want the same %d", len(got), len(visits))
	}
	if done, err := s.plane.Complete(t.Context()); err != nil || !done {
		t.Errorf("complete: %v, %v", done, err)
	}
	must(t, s.plane.Rebuild(t.Context())) // while the file is there
	s.drain()
	if got := s.dump("f_event"); !slices.Equal(got, events) {
		t.Errorf("%d events after a rebuild", len(got))
	}
	s.close()
}

func TestADamagedFileIsFound(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), 50)
	s.accept(0, 60)
	s.drain()
	s.sealAll()
	list, err := s.plane.List(t.Context())
	must(t, err)
	path := filepath.Join(s.dir, "events", "sealed", list[0].Name)
	raw, err := os.ReadFile(path)
	must(t, err)
	raw[len(raw)/2] ^= 1
	must(t, os.WriteFile(path, raw, 0o600))
	if _, err := s.plane.Check(t.Context()); fault.CodeOf(err) != "event.file_damaged" {
		t.Errorf("a changed file is checked as %v", err)
	}
	s.lose()
	if err := s.plane.Drain(t.Context()); fault.CodeOf(err) != "event.file_damaged" {
		t.Errorf("a changed file is read back: %v", err)
	}
	s.close()
}

func TestNobodyIsLeftAfterForgetting(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), 100)
	s.accept(0, 250)
	s.drain()
	s.sealAll()
	s.owners.set(profileOf("v2"), 42)
	s.drain()
	before := len(s.dump("f_event"))
	n, err := s.plane.Forget(t.Context(), []id.ID{42}, nil)
	must(t, err)
	if n == 0 || len(s.dump("f_event")) != before-int(n) {
		t.Fatalf("%d of %d events went, %d are left", n, before, len(s.dump("f_event")))
	}
	if again, err := s.plane.Forget(t.Context(), []id.ID{42}, []id.ID{profileOf("v2")}); err != nil || again != 0 {
		t.Errorf("%d events went a second time, %v", again, err)
	}
	events := s.dump("f_event")
	s.lose() // nothing comes back from the files or the inbox
	s.drain()
	if got := s.dump("f_event"); !slices.Equal(got, events) {
		t.Errorf("%d events came back, want %d", len(got), len(events))
	}
	if got := s.dump("f_session WHERE profile_id = " + fmt.Sprint(int64(profileOf("v2")))); len(got) != 0 {
		t.Errorf("visits are left: %v", got)
	}
	if _, err := s.plane.Check(t.Context()); err != nil {
		t.Error(err)
	}
	s.close()
}

func TestSourcesKeepEventsForTheirTime(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), 60)
	for day := range 5 {
		s.accept(day*40, 40)
		s.drain()
		s.sealAll()
		s.clock.Advance(24 * time.Hour)
	}
	s.sealAll()
	before := map[id.ID]clock.Day{1: clock.DayOf(start, time.UTC) + 3}
	n, err := s.plane.Retain(t.Context(), before)
	must(t, err)
	events := s.dump("f_event")
	if n == 0 || len(events) != 200-int(n) {
		t.Fatalf("%d events went, %d are left", n, len(events))
	}
	if got := s.dump("f_event WHERE source_id = 1 AND day < " + fmt.Sprint(int64(before[1]))); len(got) != 0 {
		t.Errorf("%d old events are left", len(got))
	}
	s.lose()
	s.drain()
	if got := s.dump("f_event"); !slices.Equal(got, events) {
		t.Errorf("%d events after the loss, want %d", len(got), len(events))
	}
	if again, err := s.plane.Retain(t.Context(), before); err != nil || again != 0 {
		t.Errorf("%d went a second time, %v", again, err)
	}
	s.close()
}

func TestPostgresKeepsTheFactsThemselves(t *testing.T) {
	t.Parallel()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL is not set: PostgreSQL is not tested")
	}
	name := fmt.Sprintf("eventplane_test_%d", os.Getpid())
	ctx := context.Background()
	s := &site{t: t, clock: clock.NewFake(start), owners: &owners{}}
	records, err := postgres.Open(ctx, postgres.Config{URL: url, Schema: name})
	must(t, err)
	s.inbox = records
	_, err = sqlstore.Migrate(ctx, records, migrations.Files, "schema_version")
	must(t, err)
	st := sqlstore.New(sqlstore.Config{DB: records})
	_, err = st.Ensure(ctx, registry(t))
	must(t, err)
	s.db, err = analytics.OpenPostgres(ctx, analytics.PostgresConfig{URL: url, Schema: name})
	must(t, err)
	t.Cleanup(func() {
		must(t, s.db.Write(ctx, func(tx analytics.Tx) error { _, err := tx.Exec(ctx, "DROP SCHEMA "+name+" CASCADE"); return err }))
		s.close()
	})
	s.build(ctx)
	s.accept(0, 300)
	s.drain()
	s.sealAll()
	if got := s.dump("f_event"); len(got) != 300 {
		t.Fatalf("%d events", len(got))
	}
	if n := s.inboxCount(); n != 300 {
		t.Errorf("%d events are left in the inbox on their first day", n)
	}
	s.owners.set(profileOf("v3"), 5)
	s.clock.Advance(25 * time.Hour)
	s.accept(300, 10)
	s.drain()
	s.sealAll()
	if n := s.inboxCount(); n != 10 {
		t.Errorf("%d events are left in the inbox a day later", n)
	}
	visits := s.dump("f_session")
	must(t, s.plane.Rebuild(ctx))
	s.drain()
	if got := s.dump("f_session"); !slices.Equal(got, visits) {
		t.Errorf("%d visits after a rebuild, want %d", len(got), len(visits))
	}
	if n, err := s.plane.Forget(ctx, []id.ID{5}, nil); err != nil || n == 0 {
		t.Errorf("%d events were forgotten, %v", n, err)
	}
}

// Single events go out of the facts, the inbox and the files, the visits around them are made anew, and nothing comes back.
func TestSingleEventsAreRemoved(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), 100)
	s.accept(0, 250)
	s.drain()
	s.sealAll()
	s.accept(250, 20) // not sealed
	s.drain()
	s.owners.set(profileOf("v2"), 42)
	s.drain()
	before := len(s.dump("f_event"))
	var gone []id.ID
	rows, err := s.db.Query(t.Context(), "SELECT id FROM f_event WHERE customer_id = 42 OR title = '第251页'")
	must(t, err)
	for rows.Next() {
		var v int64
		must(t, rows.Scan(&v))
		gone = append(gone, id.ID(v))
	}
	must(t, rows.Close())
	n, err := s.plane.Remove(t.Context(), gone)
	must(t, err)
	if int(n) != len(gone) || len(gone) < 20 || len(s.dump("f_event")) != before-len(gone) {
		t.Fatalf("%d of %d named events went, %d of %d are left", n, len(gone), len(s.dump("f_event")), before)
	}
	if again, err := s.plane.Remove(t.Context(), gone); err != nil || again != 0 {
		t.Errorf("%d events went a second time, %v", again, err)
	}
	s.drain()
	if got := s.dump("f_session WHERE customer_id = 42"); len(got) != 0 {
		t.Errorf("visits without events: %v", got)
	}
	events, visits := s.dump("f_event"), s.dump("f_session")
	if _, err := s.plane.Check(t.Context()); err != nil {
		t.Error(err)
	}
	s.lose() // nothing comes back from the files or the inbox
	s.drain()
	if got := s.dump("f_event"); !slices.Equal(got, events) {
		t.Errorf("%d events came back, want %d", len(got), len(events))
	}
	if got := s.dump("f_session"); !slices.Equal(got, visits) {
		t.Errorf("%d visits after the loss, want %d", len(got), len(visits))
	}
	s.close()
}

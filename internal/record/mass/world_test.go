package mass_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
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
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
	"github.com/guanxi-crm/guanxi/objects"
)

// world is a workspace with the real stores below the engine.
type world struct {
	t       testing.TB
	store   *sqlstore.Store
	records *record.Service
	reg     *schema.Registry
	keys    *crypt.Keyring
	clock   *clock.Fake
	dir     string
	jobs    *slowStore
	svc     *mass.Service
	ctx     context.Context

	mu   sync.Mutex
	role map[id.ID]access.Role // present rights; who is missing is gone
}

// slowStore lets a test act between two parts.
type slowStore struct {
	mass.Store
	before func(part int64)
}

func (s *slowStore) Part(ctx context.Context, job id.ID, number int64) ([]record.Key, error) {
	if s.before != nil {
		s.before(number)
	}
	return s.Store.Part(ctx, job, number)
}

type people struct{}

func (people) Users(_ context.Context, ids []id.ID) (map[id.ID]string, error) {
	out := map[id.ID]string{}
	for _, v := range ids {
		if v == 42 || v == 43 {
			out[v] = "人" + fmt.Sprint(v)
		}
	}
	return out, nil
}

// plainPlane has no analytics: every condition is one of the records.
type plainPlane struct{ w *world }

func (p plainPlane) Check(_ context.Context, object string, where *query.Node) error {
	if where.Segment != "" {
		return nil
	}
	return query.Check(where, query.CheckEnv{Registry: p.w.reg, Object: object, Use: query.ForList, Base: "CNY", Blind: p.w.records.Blind, PhoneRegion: "CN"})
}

func (plainPlane) Analytic(where *query.Node, _ []schema.Sort) bool {
	return where != nil && where.Segment != ""
}

func (p plainPlane) IDs(ctx context.Context, object string, _ *query.Node, _ []schema.Sort, _ ...access.Action) (ids []id.ID, err error) {
	err = p.w.records.Keys(ctx, object, record.Query{}, func(keys []record.Key) error {
		for _, k := range keys {
			ids = append(ids, k.ID, k.ID) // one that is named twice is taken once
		}
		return nil
	})
	return ids, err
}

func openSQLite(t testing.TB) sqlstore.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "records.db")})
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

func openPostgres(t testing.TB) sqlstore.DB {
	t.Helper()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL names no database")
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, Schema: "t_" + hex.EncodeToString(b[:]), MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.DropSchema(context.Background()); err != nil {
			t.Errorf("remove: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func onBoth(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, newWorld(t, openSQLite(t))) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, newWorld(t, openPostgres(t))) })
}

func newWorld(t testing.TB, db sqlstore.DB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: clock.NewFake(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)),
		role: map[id.ID]access.Role{42: access.Manager, 43: access.Administrator}}
	if _, err := sqlstore.Migrate(t.Context(), db, migrations.Files, "migration"); err != nil {
		t.Fatal(err)
	}
	objs, err := schema.Load(objects.FS)
	if err == nil {
		w.reg, err = schema.NewRegistry(objs)
	}
	if err == nil {
		w.keys, err = crypt.New("main", bytes.Repeat([]byte{7}, 32))
	}
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	w.store = sqlstore.New(sqlstore.Config{DB: db, Clock: w.clock, Env: func() compile.Env {
		return compile.Env{Registry: w.reg, Now: w.clock.Now(), Zone: zone, Base: "CNY", Blind: func(f *schema.Field, s string) string { return w.records.Blind(f, s) }}
	}})
	if _, err := w.store.Ensure(t.Context(), w.reg); err != nil {
		t.Fatal(err)
	}
	w.records = record.New(record.Config{Store: w.store, Registry: func() *schema.Registry { return w.reg }, Keys: w.keys, Clock: w.clock,
		IDs: id.NewGenerator(clock.System{}, 1), Zone: func() *time.Location { return zone }, Users: people{}})
	w.jobs = &slowStore{Store: sqlstore.NewMass(w.store)}
	w.svc = w.service()
	w.ctx = w.as(42)
	return w
}

func (w *world) service() *mass.Service {
	return mass.New(mass.Config{Store: w.jobs, Records: w.records, Audience: plainPlane{w}, Registry: func() *schema.Registry { return w.reg }, Clock: w.clock, Dir: w.dir, Wait: time.Millisecond,
		Vault: transfer.KeyringVault(w.keys), Who: func(_ context.Context, a mass.Actor) (access.Actor, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			role, ok := w.role[a.ID]
			if !ok {
				return access.Actor{}, fault.New(fault.Forbidden, "auth.actor_gone", nil)
			}
			return access.Actor{Kind: a.Kind, ID: a.ID, Role: role, Locale: a.Locale}, nil
		}})
}

func (w *world) as(user id.ID) context.Context {
	return access.With(w.t.Context(), access.Actor{Kind: access.ByUser, ID: user, Role: w.role[user], Locale: "zh-CN"})
}

// customers makes some.
func (w *world) customers(n int) []id.ID {
	w.t.Helper()
	var out []id.ID
	for from := 0; from < n; from += 500 {
		var ops []record.BulkOp
		for i := from; i < min(from+500, n); i++ {
			ops = append(ops, record.BulkOp{Op: change.Create, Object: "customer", ID: w.records.NewID(), Input: record.Input{
				"name": fmt.Sprintf("客户%05d", i), "external_id": fmt.Sprintf("c%05d", i), "phone": fmt.Sprintf("139%08d", i), "tags": []any{"老客"},
				"height_cm": int64(160), "source": "store"}})
		}
		res, _, err := w.records.Bulk(w.as(43), 0, ops)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range res {
			if r.Err != nil {
				w.t.Fatal(r.Err)
			}
			out = append(out, r.ID)
		}
	}
	return out
}

func (w *world) get(v id.ID) *record.Record {
	w.t.Helper()
	r, err := w.records.Get(w.ctx, "customer", v)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// start begins a job without waiting for it: nothing runs jobs in a test but the test.
func (w *world) start(o mass.Order) *mass.Job {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	j, err := w.svc.Start(ctx, o)
	if err != nil {
		w.t.Fatalf("start: %v", err)
	}
	return j
}

// run works a job off and reads it.
func (w *world) run(j *mass.Job) *mass.Job {
	w.t.Helper()
	if _, err := w.svc.Next(w.t.Context(), j.Lane); err != nil {
		w.t.Fatalf("run: %v", err)
	}
	return w.read(j)
}

func (w *world) read(j *mass.Job) *mass.Job {
	w.t.Helper()
	got, err := w.svc.Get(w.ctx, j.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) undo(j *mass.Job) *mass.Job {
	w.t.Helper()
	if _, err := w.svc.Undo(w.ctx, j.ID); err != nil {
		w.t.Fatalf("undo: %v", err)
	}
	return w.run(j)
}

func set(field, value string) mass.Change {
	return mass.Change{Field: field, Op: mass.OpSet, Value: []byte(value)}
}

func edit(changes ...mass.Change) mass.Order {
	return mass.Order{Kind: mass.Edit, Object: "customer", Changes: changes}
}

func (w *world) where(text string) *query.Node {
	w.t.Helper()
	n, err := query.Parse([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func tags(r *record.Record) string {
	list, _ := r.Values["tags"].([]string)
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, ",")
}

package record_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/search"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
	"github.com/guanxi-crm/guanxi/objects"
)

// t0 is noon of 21 November 2026 in Shanghai.
var (
	t0       = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	shanghai = time.FixedZone("Asia/Shanghai", 8*3600)
)

// world is the record engine with the standard objects on a real SQLite database.
type world struct {
	t     testing.TB
	db    sqlstore.DB
	path  string // of the SQLite file
	store *sqlstore.Store
	s     *record.Service
	x     *search.Indexer
	reg   *schema.Registry
	clock *clock.Fake
	keys  *crypt.Keyring
	audit *auditor
}

type auditor struct {
	mu      sync.Mutex
	entries []record.AuditEntry
	broken  bool
}

func (a *auditor) Audit(_ context.Context, e record.AuditEntry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken {
		return errors.New("the audit log is full")
	}
	a.entries = append(a.entries, e)
	return nil
}

type people map[id.ID]string

func (p people) Users(_ context.Context, ids []id.ID) (map[id.ID]string, error) {
	out := map[id.ID]string{}
	for _, v := range ids {
		if n, ok := p[v]; ok {
			out[v] = n
		}
	}
	return out, nil
}

type rates map[string]int64 // minor units of the base for one of the currency

func (r rates) Convert(m money.Money, _ string, _ clock.Day) (int64, bool) {
	n, ok := r[m.Currency]
	return m.Amount * n, ok
}

// index adapts the store's own name of a document.
type index struct{ s *sqlstore.Store }

func (x index) IndexSearch(ctx context.Context, put []record.Document, remove []id.ID, consumer string, to change.Position) error {
	docs := make([]sqlstore.SearchDoc, len(put))
	for i, d := range put {
		docs[i] = sqlstore.SearchDoc(d)
	}
	return x.s.IndexSearch(ctx, docs, remove, consumer, to)
}

// newWorld is a world on SQLite.
func newWorld(t testing.TB) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := newWorldOn(t, db)
	w.path = path
	return w
}

// newPostgresWorld is a world in a schema of its own on the server that the environment names.
func newPostgresWorld(t testing.TB) *world {
	t.Helper()
	url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
	if url == "" {
		t.Skip("GUANXI_TEST_POSTGRES_URL names no database")
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, Schema: "t_" + hex.EncodeToString(b[:]), MaxConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.DropSchema(context.Background()), db.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return newWorldOn(t, db)
}

func newWorldOn(t testing.TB, db sqlstore.DB) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewFake(t0), audit: &auditor{}, db: db}
	list, err := schema.Load(objects.FS)
	if err == nil {
		w.reg, err = schema.NewRegistry(list)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.keys = newKeyring(t)
	if _, err := sqlstore.Migrate(t.Context(), w.db, migrations.Files, "migration"); err != nil {
		t.Fatal(err)
	}
	w.store = sqlstore.New(sqlstore.Config{DB: w.db, Clock: w.clock, Env: func() compile.Env {
		return compile.Env{Registry: w.reg, Now: w.clock.Now(), Zone: shanghai, Base: "CNY",
			Blind: func(f *schema.Field, n string) string { return w.s.Blind(f, n) }}
	}})
	if _, err := w.store.Ensure(t.Context(), w.reg); err != nil {
		t.Fatal(err)
	}
	w.s = record.New(record.Config{Store: w.store, Registry: func() *schema.Registry { return w.reg }, Keys: w.keys, Clock: w.clock,
		IDs: id.NewGenerator(w.clock, 1), Zone: func() *time.Location { return shanghai }, Rates: rates{"USD": 7},
		Users: people{11: "李雷", 12: "韩梅梅"}, Auditor: w.audit, RevealsPerHour: 5})
	w.x = search.New(search.Config{Store: index{w.store}, Changes: w.store.Log(), Records: w.s, Registry: func() *schema.Registry { return w.reg }, Batch: 7})
	return w
}

func as(t testing.TB, role access.Role) context.Context {
	t.Helper()
	return access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: 11, Name: "李雷", Role: role, Locale: "zh-CN"})
}

func (w *world) ctx() context.Context { return as(w.t, access.Administrator) }

func (w *world) create(object string, in record.Input) *record.Record {
	w.t.Helper()
	r, err := w.s.Create(w.ctx(), object, in)
	if err != nil {
		w.t.Fatalf("create %s: %v", object, err)
	}
	return r
}

func (w *world) get(object string, v id.ID) *record.Record {
	w.t.Helper()
	r, err := w.s.Get(w.ctx(), object, v)
	if err != nil {
		w.t.Fatalf("get %s: %v", object, err)
	}
	return r
}

// raw reads the stored row and the changes of a record.
func (w *world) raw(object string, v id.ID) (row *record.Row, changes []change.Row) {
	w.t.Helper()
	err := w.store.View(w.ctx(), func(r record.Reader) error {
		rows, err := r.Get(w.ctx(), w.reg.Object(object), []id.ID{v}, true)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			row = &rows[0]
		}
		changes, err = r.Changes(w.ctx(), object, v, change.Position{}, 100)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return row, changes
}

// column reads one stored column.
func (w *world) column(object string, v id.ID, field string, role schema.Role) any {
	w.t.Helper()
	row, _ := w.raw(object, v)
	o := w.reg.Object(object)
	i := o.Offset(field)
	for ; o.Columns()[i].Role != role; i++ {
		if o.Columns()[i].Field.Key != field {
			w.t.Fatalf("%s.%s has no such column", object, field)
		}
	}
	return row.Cols[i]
}

func (w *world) list(object string, q record.Query) *record.Page {
	w.t.Helper()
	p, err := w.s.List(w.ctx(), object, q)
	if err != nil {
		w.t.Fatalf("list %s: %v", object, err)
	}
	return p
}

func where(t testing.TB, text string) *query.Node {
	t.Helper()
	n, err := query.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// wantFault checks code and place of an error; place "" is not checked.
func wantFault(t testing.TB, err error, kind fault.Kind, code, place string) {
	t.Helper()
	f, ok := fault.Find(err)
	if !ok || f.Kind != kind || f.Code != code || place != "" && f.Field != place {
		t.Errorf("error %v, want %s at %q", err, code, place)
	}
}

// catchUp indexes until n changes were read. PostgreSQL holds changes back while older transactions run, those of other
// tests among them.
func (w *world) catchUp(n int) {
	w.t.Helper()
	for got := 0; got < n; {
		at, _, err := w.x.Lag(w.ctx())
		if err == nil {
			err = w.store.Log().WaitAfter(w.ctx(), at)
		}
		read := 0
		if err == nil {
			read, err = w.x.CatchUp(w.ctx())
		}
		if err != nil {
			w.t.Fatal(err)
		}
		got += read
	}
}

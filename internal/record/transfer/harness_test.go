package transfer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/locales"
	"github.com/guanxi-crm/guanxi/migrations"
	"github.com/guanxi-crm/guanxi/objects"
)

// world is a workspace with the real stores below the importer.
type world struct {
	t       testing.TB
	db      sqlstore.DB
	store   *sqlstore.Store
	imports transfer.Store
	records *record.Service
	reg     *schema.Registry
	keys    *crypt.Keyring
	dir     string
	zone    *time.Location
	base    string
	svc     *transfer.Service
	ctx     context.Context
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

func onBoth(t *testing.T, run func(t *testing.T, open func(testing.TB) sqlstore.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, openSQLite) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, openPostgres) })
}

func words(t testing.TB) *lang.Catalog {
	t.Helper()
	c, err := lang.NewCatalog(catalogFS{locales.FS}, "zh-CN")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newWorld(t testing.TB, db sqlstore.DB, zone, base string) *world {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: db, zone: loc, base: base, dir: t.TempDir()}
	if _, err := sqlstore.Migrate(t.Context(), db, migrations.Files, "migration"); err != nil {
		t.Fatal(err)
	}
	objs, err := schema.Load(objects.FS)
	if err != nil {
		t.Fatal(err)
	}
	if w.reg, err = schema.NewRegistry(objs); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = crypt.New("main", bytes.Repeat([]byte{7}, 32)); err != nil {
		t.Fatal(err)
	}
	w.store = sqlstore.New(sqlstore.Config{DB: db, Env: func() compile.Env {
		return compile.Env{Registry: w.reg, Now: time.Now(), Zone: loc, Base: base, Blind: func(f *schema.Field, s string) string { return w.keys.Blind(schema.BlindClass(f), s) }}
	}})
	if _, err := w.store.Ensure(t.Context(), w.reg); err != nil {
		t.Fatal(err)
	}
	w.records = record.New(record.Config{Store: w.store, Registry: func() *schema.Registry { return w.reg }, Keys: w.keys, Clock: clock.System{},
		IDs: id.NewGenerator(clock.System{}, 1), Zone: func() *time.Location { return loc }, BaseCurrency: func() string { return base }})
	w.imports = sqlstore.NewImports(w.store)
	w.ctx = access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: 42, Role: access.Manager, Locale: "zh-CN"})
	w.svc = w.service(w.imports, 0)
	return w
}

// service makes an importer over a store of imports, which may be one that fails.
func (w *world) service(store transfer.Store, spill int) *transfer.Service {
	c := words(w.t)
	return transfer.New(transfer.Config{Store: store, Records: w.records, Registry: func() *schema.Registry { return w.reg }, Clock: clock.System{}, Dir: w.dir,
		Vault: transfer.KeyringVault(w.keys), SpillBytes: spill, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
		Words: func(loc, code string, p fault.Params) string { return c.Text(lang.Locale(loc), code, p) }})
}

// load imports a file with a mapping and returns the finished job.
func (w *world) load(object, name string, file []byte, m *mapping.Mapping) *transfer.Job {
	w.t.Helper()
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: object, FileName: name, Body: bytes.NewReader(file), Mapping: m})
	if err != nil {
		w.t.Fatalf("create: %v", err)
	}
	return w.finish(im.ID)
}

func (w *world) finish(v id.ID) *transfer.Job {
	w.t.Helper()
	if _, err := w.svc.Start(w.ctx, v, false); err != nil {
		w.t.Fatalf("start: %v", err)
	}
	return w.work(v)
}

// work runs what waits and reads a job.
func (w *world) work(v id.ID) *transfer.Job {
	w.t.Helper()
	for {
		more, err := w.svc.Next(w.t.Context())
		if err != nil {
			w.t.Fatalf("run: %v", err)
		}
		if !more {
			break
		}
	}
	j, err := w.svc.Job(w.ctx, v)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *world) done(j *transfer.Job) *transfer.Job {
	w.t.Helper()
	if j.Status != transfer.Done {
		w.t.Fatalf("%s: %v", j.Status, j.Error)
	}
	return j
}

// number reads one figure.
func (w *world) number(q string, args ...any) int64 {
	w.t.Helper()
	var n sql.NullInt64
	err := w.store.Read(w.t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(w.t.Context(), []any{&n}, q, args...)
		return err
	})
	if err != nil {
		w.t.Fatalf("%s: %v", q, err)
	}
	return n.Int64
}

// state is everything that an import may leave, as figures: two equal states hold the same records.
func (w *world) state() map[string]int64 {
	out := map[string]int64{}
	for _, o := range []string{"customer", "product", "variant", "store", "channel", "order", "order_line", "refund", "contact"} {
		out[o] = w.number("SELECT count(*) FROM r_" + o)
	}
	out["net"] = w.number("SELECT CAST(sum(net_amount) AS BIGINT) FROM r_order")
	out["amount"] = w.number("SELECT CAST(sum(amount) AS BIGINT) FROM r_order_line")
	out["quantity"] = w.number("SELECT CAST(sum(quantity) AS BIGINT) FROM r_order_line")
	out["refunded"] = w.number("SELECT CAST(sum(amount) AS BIGINT) FROM r_refund")
	out["order quantity"] = w.number("SELECT CAST(sum(quantity) AS BIGINT) FROM r_order")
	out["order lines"] = w.number("SELECT CAST(sum(line_count) AS BIGINT) FROM r_order")
	out["keys"] = w.number("SELECT count(*) FROM unique_key")
	return out
}

func (w *world) same(what string, got, want map[string]int64) {
	w.t.Helper()
	if !maps.Equal(got, want) {
		w.t.Errorf("%s:\ngot  %v\nwant %v", what, got, want)
	}
}

// codes counts the errors of a job by code.
func (w *world) codes(v id.ID) map[string]int {
	w.t.Helper()
	out := map[string]int{}
	row, number := int64(0), -1
	for {
		list, err := w.imports.Errors(w.t.Context(), v, row, number, 5000)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range list {
			out[e.Code]++
			row, number = e.Row, e.Number
		}
		if len(list) < 5000 {
			return out
		}
	}
}

func (w *world) errorFile(v id.ID) string {
	w.t.Helper()
	var b bytes.Buffer
	if err := w.svc.Errors(w.ctx, v, &b); err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

// shared reads a file of real data; the test is skipped where the folder is absent.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../../../shared/data", name))
	if os.IsNotExist(err) {
		t.Skip("the folder of real data is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mappingOf(t testing.TB, s string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return &m
}

// catalogFS puts the words where the catalogue looks for them.
type catalogFS struct{ fs.FS }

func (f catalogFS) Open(name string) (fs.File, error) {
	return f.FS.Open(path.Clean(strings.TrimPrefix(strings.TrimPrefix(name, "locales"), "/")))
}

package dedupe_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/demo"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/search"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
	"github.com/guanxi-crm/guanxi/objects"
)

// world is the engine on a real database with the standard objects.
type world struct {
	t       testing.TB
	store   *sqlstore.Store
	records *record.Service
	indexer *search.Indexer
	found   *sqlstore.Duplicates
	s       *dedupe.Service
	reg     *schema.Registry
	clock   clock.Clock
}

type index struct{ s *sqlstore.Store }

func (x index) IndexSearch(ctx context.Context, put []record.Document, remove []id.ID, consumer string, to change.Position) error {
	docs := make([]sqlstore.SearchDoc, len(put))
	for i, d := range put {
		docs[i] = sqlstore.SearchDoc(d)
	}
	return x.s.IndexSearch(ctx, docs, remove, consumer, to)
}

func newWorld(t testing.TB, onPostgres bool) *world {
	t.Helper()
	w := &world{t: t, clock: clock.System{}}
	var db sqlstore.DB
	var err error
	if url := os.Getenv("GUANXI_TEST_POSTGRES_URL"); onPostgres {
		if url == "" {
			t.Skip("GUANXI_TEST_POSTGRES_URL names no database")
		}
		var pg *postgres.DB
		pg, err = postgres.Open(t.Context(), postgres.Config{URL: url, Schema: "t_dup_" + strconv.FormatInt(time.Now().UnixNano(), 36), MaxConns: 6})
		if err == nil {
			t.Cleanup(func() { _ = pg.DropSchema(context.Background()) })
			db = pg
		}
	} else {
		db, err = sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "records.db")})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	list, err := schema.Load(objects.FS)
	if err == nil {
		w.reg, err = schema.NewRegistry(list)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Migrate(t.Context(), db, migrations.Files, "migration"); err != nil {
		t.Fatal(err)
	}
	registry := func() *schema.Registry { return w.reg }
	w.store = sqlstore.New(sqlstore.Config{DB: db, Env: func() compile.Env {
		return compile.Env{Registry: w.reg, Now: w.clock.Now(), Zone: demo.Zone, Base: "CNY", Blind: func(f *schema.Field, n string) string { return w.records.Blind(f, n) }}
	}})
	if _, err := w.store.Ensure(t.Context(), w.reg); err != nil {
		t.Fatal(err)
	}
	keys, err := crypt.New("main", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewGenerator(w.clock, 1)
	w.records = record.New(record.Config{Store: w.store, Registry: registry, Keys: keys, Clock: w.clock, IDs: ids, Zone: func() *time.Location { return demo.Zone }})
	w.indexer = search.New(search.Config{Store: index{w.store}, Changes: w.store.Log(), Records: w.records, Registry: registry})
	w.found = sqlstore.NewDuplicates(w.store)
	w.s = dedupe.New(dedupe.Config{Records: w.records, Store: w.found, Registry: registry, Clock: w.clock, IDs: ids, System: system, Publish: func(string) {}})
	return w
}

func system(ctx context.Context) context.Context { return access.With(ctx, access.System()) }

func (w *world) ctx() context.Context { return system(w.t.Context()) }

// input is a customer as a file or a person would give it.
func input(c *demo.Customer) record.Input {
	in := record.Input{"kind": string(c.Kind), "name": c.Name, "phone": c.Phone}
	for k, v := range map[string]string{"email": c.Email, "region": c.Region} {
		if v != "" {
			in[k] = v
		}
	}
	if c.Street != "" {
		in["address"] = schema.AddressValue{Region: c.Region, Street: c.Street}
	}
	if c.Birthday.Calendar != "" {
		in["birthday"] = c.Birthday
	}
	return in
}

// load stores a company with planted duplicates and gives the pairs that are duplicates, by kind.
func (w *world) load(customers, perKind int) map[[2]id.ID]demo.Planted {
	w.t.Helper()
	g := demo.New(demo.Options{Customers: customers, Seed: 7})
	truth := map[[2]id.ID]demo.Planted{}
	ids := make([]id.ID, customers)
	var ops []record.BulkOp
	flush := func() {
		if len(ops) == 0 {
			return
		}
		results, _, err := w.records.Bulk(w.ctx(), 0, ops)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				w.t.Fatal(r.Err)
			}
		}
		ops = ops[:0]
	}
	add := func(c *demo.Customer) id.ID {
		v := w.records.NewID()
		ops = append(ops, record.BulkOp{Op: change.Create, Object: "customer", ID: v, Input: input(c)})
		if len(ops) == 1000 {
			flush()
		}
		return v
	}
	for c := range g.Customers {
		ids[c.Index] = add(&c)
	}
	kinds := demo.PlantedKinds()
	left := map[demo.Planted]int{}
	for _, k := range kinds {
		left[k] = perKind
	}
	for i := range customers {
		how := kinds[i%len(kinds)]
		c, ok := g.Plant(i, demo.CompanyForm)
		if ok {
			how = demo.CompanyForm
		} else if how != demo.CompanyForm {
			c, ok = g.Plant(i, how)
		}
		if !ok || left[how] == 0 {
			continue
		}
		left[how]--
		truth[[2]id.ID{ids[i], add(&c)}] = how
	}
	flush()
	return truth
}

// run searches everything and waits for the end.
func (w *world) run() dedupe.Run {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.ctx())
	ended := make(chan error, 1)
	go func() { ended <- w.s.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	if _, err := w.s.Start(w.ctx(), "customer"); err != nil {
		w.t.Fatal(err)
	}
	for {
		run, found, err := w.s.State(w.ctx(), "customer")
		if err != nil || !found {
			w.t.Fatal(err)
		}
		switch run.State {
		case dedupe.Done:
			return run
		case dedupe.Failed:
			w.t.Fatal("the search failed")
		}
		if err := clock.Pause(w.ctx(), 2*time.Millisecond, nil); err != nil {
			w.t.Fatal(err)
		}
	}
}

// size is how many customers the measurement has; more with GUANXI_DUPLICATE_CUSTOMERS.
func size(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("GUANXI_DUPLICATE_CUSTOMERS"))
	if err != nil {
		return 4000
	}
	t.Logf("%d customers", n)
	return n
}

// Planted duplicates of every kind are found, and hardly anything else.
func TestPlantedDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	n := size(t)
	truth := w.load(n, max(40, n/400))
	began := time.Now()
	run := w.run()
	took := time.Since(began)
	found := map[demo.Planted]int{}
	total := map[demo.Planted]int{}
	for _, how := range truth {
		total[how]++
	}
	wrong := 0
	for offset := 0; ; offset += 100 {
		groups, _, err := w.found.Groups(w.ctx(), "customer", dedupe.GroupQuery{Limit: 100, Offset: offset})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			for _, p := range g.Pairs {
				how, ok := truth[[2]id.ID{p.A, p.B}]
				if !ok {
					wrong++
					if wrong <= 5 {
						t.Logf("not planted: %s %v", p.Rule, p.Reasons)
					}
					continue
				}
				found[how]++
			}
		}
		if len(groups) < 100 {
			break
		}
	}
	all := 0
	for _, how := range demo.PlantedKinds() {
		recall := float64(found[how]) / float64(total[how])
		t.Logf("%-14s planted %5d found %5d recall %.4f", how, total[how], found[how], recall)
		if total[how] < 30 && how != demo.CompanyForm || recall < 0.95 {
			t.Errorf("%s: %d of %d found", how, found[how], total[how])
		}
		all += found[how]
	}
	precision := float64(all) / float64(all+wrong)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("precision %.4f (%d wrong), %.1f s, %d MB taken from the system", precision, wrong, took.Seconds(), m.Sys>>20)
	if precision < 0.95 {
		t.Errorf("precision %.3f", precision)
	}
	if run.Progress.Scanned != n+len(truth) {
		t.Errorf("looked at %d of %d records", run.Progress.Scanned, n+len(truth))
	}
}

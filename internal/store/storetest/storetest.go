// Package storetest is the suite that every database of the records plane passes.
//
// A database's own test calls Run with a way to open fresh databases; what only one of them can show (group commit, a
// full disk) stands beside that database. Each test has a database or schema of its own, all run in parallel.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
)

// Opener opens a fresh, empty database that the test's cleanup closes and removes.
type Opener func(t testing.TB) sqlstore.DB

// Suite is what is known of a database.
type Suite struct {
	Open Opener
	// ManyWriters is true where several write transactions run at the same time.
	ManyWriters bool
}

// Run runs every test of the suite.
func Run(t *testing.T, s Suite) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, Suite)
	}{
		{"records are kept as written", testRecords},
		{"a version is written once", testVersions},
		{"a fact moves to another customer", testFact},
		{"the recycle bin", testBin},
		{"a failed closure leaves nothing", testAtomic},
		{"records and tables commit together", testTogether},
		{"a cancelled caller", testCancel},
		{"a closed store", testClosed},
		{"unique keys", testUnique},
		{"unique keys in a race", testUniqueRace},
		{"ten thousand unique keys", testUniqueMany},
		{"counters have no gaps", testCounter},
		{"person keys", testPersonKeys},
		{"pages", testPages},
		{"counts", testCounts},
		{"figures", testFigures},
		{"conditions", testWhere},
		{"pages of what one sees", testSight},
		{"the change log", testLog},
		{"history of a record", testHistory},
		{"a slow and a fast writer", testSlowWriter},
		{"many writers and one reader", testManyWriters},
		{"waiting for a change", testWait},
		{"trimming the log", testTrim},
		{"search", testSearch},
		{"a page over a relation", testRelated},
		{"a page of a region", testRegion},
		{"search newest first", testSearchOrder},
		{"tables follow metadata", testEnsure},
		{"a check finds what is missing", testCheck},
		{"a first load without indexes", testReindex},
		{"names are machine-made", testNames},
		{"migrations", testMigrate},
		{"campaigns send once", testCampaigns},
		{"text messages in doubt", testTexts},
		{"consents in any order", testConsents}, {"consents that are claimed", testClaims},
		{"coupons are redeemed once", testOffers},
		{"journeys do each thing once", testJourneys},
		{"journeys change versions", testJourneyVersions},
		{"what models learned", testModels},
		{"figures that are watched", testForecasts},
		{"configuration that is kept", testKeptConfig},
		{"plays and decisions", testActions},
		{"what one customer bought", testPasts},
		{"bulk inserts of every size", testBulk},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, s)
		})
	}
}

// T0 is the instant at which fixtures are made.
var T0 = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// Registry is a small world: customers, and orders that belong to them.
func Registry(t testing.TB, extra ...*schema.Field) *schema.Registry {
	t.Helper()
	label := schema.Label{"zh-CN": "测", "en": "x"}
	f := func(key string, typ schema.Type) *schema.Field {
		return &schema.Field{Key: key, Type: typ, Label: label}
	}
	name := f("name", schema.Text)
	name.Pinyin, name.Indexed, name.Searchable = true, true, true
	phone := f("phone", schema.Phone)
	phone.Personal, phone.Unique = true, true
	level := f("level", schema.Choice)
	level.Indexed, level.Options = true, []schema.Option{{Key: "a", Label: label}, {Key: "b", Label: label}}
	spent := f("spent", schema.Money)
	spent.Indexed = true
	seen := f("seen_at", schema.DateTime)
	seen.Indexed = true
	fields := []*schema.Field{name, phone, level, spent, seen, f("points", schema.Number), f("active", schema.Bool), f("group", schema.Tags)}
	number := f("number", schema.AutoNumber)
	number.Unique, number.Pattern = true, "SO{00000}"
	owner := f("customer", schema.Relation)
	owner.Target = "customer"
	at := f("placed_at", schema.DateTime)
	area := f("area", schema.Region)
	area.Indexed = true
	reg, err := schema.NewRegistry([]*schema.Object{
		{Key: "customer", Label: label, Plural: label, Icon: "user", Prefix: "cus", TitleField: "name", Standard: true, Fields: append(fields, extra...)},
		{Key: "order", Label: label, Plural: label, Icon: "bag", Prefix: "ord", TitleField: "number", Standard: true, CustomerField: "customer",
			TimeField: "placed_at", DefaultSort: []schema.Sort{{Field: "placed_at", Desc: true}}, Fields: []*schema.Field{number, owner, at, f("net", schema.Money), area}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// World is a migrated database with the tables of Registry.
type World struct {
	T        testing.TB
	Store    *sqlstore.Store
	Reg      *schema.Registry
	Customer *schema.Object
	Order    *schema.Object
	IDs      *id.Generator
}

// NewWorld prepares a fresh database.
func NewWorld(t testing.TB, db sqlstore.DB) *World {
	t.Helper()
	if _, err := sqlstore.Migrate(t.Context(), db, migrations.Files, "migration"); err != nil {
		t.Fatal(err)
	}
	return openWorld(t, db)
}

func openWorld(t testing.TB, db sqlstore.DB) *World {
	t.Helper()
	w := &World{T: t, Reg: Registry(t), IDs: id.NewGenerator(clock.System{}, 1)}
	w.Store = sqlstore.New(sqlstore.Config{DB: db, Clock: clock.NewFake(T0), Env: func() compile.Env {
		return compile.Env{Registry: w.Reg, Now: T0, Zone: time.UTC, Base: "CNY"}
	}})
	w.Customer, w.Order = w.Reg.Object("customer"), w.Reg.Object("order")
	if _, err := w.Store.Ensure(t.Context(), w.Reg); err != nil {
		t.Fatal(err)
	}
	return w
}

// Row makes a row of an object; values by column name, everything else NULL.
func (w *World) Row(obj *schema.Object, values map[string]any) record.Row {
	w.T.Helper()
	at := T0.UnixMilli()
	r := record.Row{ID: w.IDs.Next(), Version: 1, CreatedAt: at, CreatedAtDay: 20513, UpdatedAt: at, UpdatedAtDay: 20513, Cols: make([]any, len(obj.Columns()))}
	left := len(values)
	for i, c := range obj.Columns() {
		if v, ok := values[c.Name]; ok {
			r.Cols[i] = v
			left--
		}
	}
	if left != 0 {
		w.T.Fatalf("%s: some of %v are no columns", obj.Key, values)
	}
	return r
}

// Named is a customer of whom only the name is known.
func (w *World) Named(name string) record.Row {
	return w.Row(w.Customer, map[string]any{"name": name, "name_fold": name, "name_sort": name})
}

// Update writes and fails the test when that fails.
func (w *World) Update(fn func(context.Context, record.Tx) error) change.Position {
	w.T.Helper()
	ctx := w.T.Context()
	p, err := w.Store.Update(ctx, func(tx record.Tx) error { return fn(ctx, tx) })
	if err != nil {
		w.T.Fatalf("update: %v", err)
	}
	return p
}

// View reads and fails the test when that fails.
func (w *World) View(fn func(context.Context, record.Reader) error) {
	w.T.Helper()
	ctx := w.T.Context()
	if err := w.Store.View(ctx, func(r record.Reader) error { return fn(ctx, r) }); err != nil {
		w.T.Fatalf("view: %v", err)
	}
}

// Insert adds rows with their change rows.
func (w *World) Insert(obj *schema.Object, rows ...record.Row) change.Position {
	w.T.Helper()
	return w.Update(func(ctx context.Context, tx record.Tx) error {
		if err := tx.Insert(ctx, obj, rows); err != nil {
			return err
		}
		return tx.Append(ctx, Created(obj, rows))
	})
}

// Created are the change rows of new records.
func Created(obj *schema.Object, rows []record.Row) []change.Row {
	out := make([]change.Row, len(rows))
	for i, r := range rows {
		out[i] = change.Row{Object: obj.Key, Record: r.ID, Version: r.Version, Op: change.Create, At: r.CreatedAt, ByKind: "user", By: 7, Batch: r.BatchID}
	}
	return out
}

// Get reads one row, nil when there is none.
func (w *World) Get(obj *schema.Object, v id.ID, deleted bool) *record.Row {
	w.T.Helper()
	var rows []record.Row
	w.View(func(ctx context.Context, r record.Reader) (err error) {
		rows, err = r.Get(ctx, obj, []id.ID{v}, deleted)
		return err
	})
	if len(rows) == 0 {
		return nil
	}
	return &rows[0]
}

// Changes reads the log from its beginning until it has seen n rows. On PostgreSQL any transaction running in the server,
// another test's too, may hold rows back for a while.
func (w *World) Changes(n int) []change.Row {
	w.T.Helper()
	ctx, log := w.T.Context(), w.Store.Log()
	var out []change.Row
	var at change.Position
	for {
		rows, err := log.Read(ctx, at, n+100)
		if err != nil {
			w.T.Fatal(err)
		}
		out = append(out, rows...)
		if len(out) >= n {
			return out
		}
		if len(out) > 0 {
			at = out[len(out)-1].Position
		}
		if err := log.WaitAfter(ctx, at); err != nil {
			w.T.Fatal(err)
		}
	}
}

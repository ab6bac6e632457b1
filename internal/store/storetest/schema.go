package storetest

import (
	"reflect"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
)

func testEnsure(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	rows := make([]record.Row, 50)
	for i := range rows {
		rows[i] = w.Named("before")
	}
	w.Insert(w.Customer, rows...)
	if ran, err := w.Store.Ensure(t.Context(), w.Reg); err != nil || len(ran) != 0 {
		t.Errorf("a second run did %v, %v", ran, err)
	}
	label := schema.Label{"en": "x"}
	reg := Registry(t,
		&schema.Field{Key: "wechat", Type: schema.Text, Label: label, Indexed: true, Physical: "f_9k2"},
		&schema.Field{Key: "budget", Type: schema.Money, Label: label, Physical: "f_9k3"},
		&schema.Field{Key: "order", Type: schema.Relation, Target: "order", Label: label})
	ran, err := w.Store.Ensure(t.Context(), reg)
	if err != nil {
		t.Fatal(err)
	}
	if len(ran) != 8 { // six columns, two indexes
		t.Errorf("ran %d statements: %q", len(ran), ran)
	}
	w.Reg, w.Customer = reg, reg.Object("customer")
	got := w.Get(w.Customer, rows[7].ID, false)
	if got == nil || len(got.Cols) != len(w.Customer.Columns()) || got.Cols[0] != "before" || got.Cols[len(got.Cols)-1] != nil {
		t.Fatalf("an old row: %+v", got)
	}
	fresh := w.Row(w.Customer, map[string]any{"f_9k2": "wx", "f_9k2_fold": "wx", "f_9k3": int64(5), "order": int64(9)})
	w.Insert(w.Customer, fresh)
	if got := w.Get(w.Customer, fresh.ID, false); got == nil || !reflect.DeepEqual(*got, fresh) {
		t.Errorf("a new row: %+v", got)
	}
	if diff, err := w.Store.Check(t.Context(), reg); err != nil || len(diff) != 0 {
		t.Errorf("check: %+v, %v", diff, err)
	}
	var noted int64
	err = w.Store.Read(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(t.Context(), []any{&noted}, "SELECT count(*) FROM schema_change WHERE at = ?", T0.UnixMilli())
		return err
	})
	if err != nil || noted < 8 {
		t.Errorf("%d statements are noted, %v", noted, err)
	}
}

func testCheck(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	reg := Registry(t, &schema.Field{Key: "extra", Type: schema.Number, Label: schema.Label{"en": "x"}, Indexed: true})
	w.exec(`DROP INDEX "ix_r_customer_level"`)
	w.exec(`DROP TABLE "r_order"`)
	diff, err := w.Store.Check(t.Context(), reg)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range diff {
		got = append(got, d.Table+"/"+d.Name+": "+d.Problem)
	}
	slices.Sort(got)
	want := []string{"r_customer/extra: missing column", "r_customer/ix_r_customer_extra: missing index", "r_customer/ix_r_customer_level: missing index", "r_order/: missing table"}
	if !slices.Equal(got, want) {
		t.Errorf("check says %q", got)
	}
	if _, err := w.Store.Ensure(t.Context(), reg); err != nil {
		t.Fatal(err)
	}
	if diff, err := w.Store.Check(t.Context(), reg); err != nil || len(diff) != 0 {
		t.Errorf("after Ensure: %+v, %v", diff, err)
	}
}

func testNames(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	for _, name := range []string{`x"; DROP TABLE r_order; --`, "version", "name_fold", "Ünï"} {
		reg := Registry(t, &schema.Field{Key: "bad", Type: schema.Number, Label: schema.Label{"en": "x"}, Physical: name})
		if ran, err := w.Store.Ensure(t.Context(), reg); fault.CodeOf(err) != "store.physical_name" || len(ran) != 0 {
			t.Errorf("%q was taken: %v, %v", name, ran, err)
		}
	}
}

func testMigrate(t *testing.T, s Suite) {
	db := s.Open(t)
	ctx := t.Context()
	ran, err := sqlstore.Migrate(ctx, db, migrations.Files, "migration")
	if err != nil || len(ran) == 0 || !slices.IsSorted(ran) {
		t.Fatalf("ran %v, %v", ran, err)
	}
	if again, err := sqlstore.Migrate(ctx, db, migrations.Files, "migration"); err != nil || len(again) != 0 {
		t.Errorf("ran again: %v, %v", again, err)
	}
	files := func(pairs ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
		}
		return m
	}
	first := files("0001_a.sql", "CREATE TABLE a_table(id {key} PRIMARY KEY, body {bytes}); INSERT INTO a_table(id) VALUES (1);",
		"0002_b.sqlite.sql", "INSERT INTO a_table(id) VALUES (2)", "0002_b.postgres.sql", "INSERT INTO a_table(id) VALUES (2)", "readme.txt", "x")
	if ran, err := sqlstore.Migrate(ctx, db, first, "other"); err != nil || !slices.Equal(ran, []int{1, 2}) {
		t.Fatalf("ran %v, %v", ran, err)
	}
	broken := files("0001_a.sql", "", "0002_b.sql", "", "0003_c.sql", "INSERT INTO a_table(id) VALUES (3); INSERT INTO nowhere VALUES (1);")
	if ran, err := sqlstore.Migrate(ctx, db, broken, "other"); err == nil || len(ran) != 0 {
		t.Errorf("a broken file ran: %v", ran)
	}
	var n int64
	err = db.Read(ctx, func(c sqlstore.Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, "SELECT count(*) FROM a_table")
		return err
	})
	if err != nil || n != 2 {
		t.Errorf("%d rows after a broken migration, %v", n, err)
	}
	older := files("0001_a.sql", "")
	if _, err := sqlstore.Migrate(ctx, db, older, "other"); fault.CodeOf(err) != "store.schema_newer" {
		t.Errorf("an older program: %v", err)
	}
	for _, bad := range []fstest.MapFS{files("1_a.sql", ""), files("0001_a.sql", "", "0001_b.sql", "")} {
		if _, err := sqlstore.Migrate(ctx, db, bad, "third"); err == nil {
			t.Errorf("the files %v were taken", bad)
		}
	}
	var names []string
	err = db.Read(ctx, func(c sqlstore.Conn) error {
		rows, err := c.Query(ctx, db.Dialect().Tables())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		return rows.Err()
	})
	if err != nil || !slices.Contains(names, "unique_key") || slices.Contains(names, dialect.Quote("unique_key")) {
		t.Errorf("tables %v, %v", names, err)
	}
}

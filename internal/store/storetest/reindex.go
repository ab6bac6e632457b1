package storetest

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// testReindex takes the indexes of empty tables away and gives them back.
func testReindex(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	count := func() (n int) {
		err := w.Store.Read(t.Context(), func(c sqlstore.Conn) error {
			rows, err := c.Query(t.Context(), c.Dialect().Indexes())
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var table, name string
				if err := rows.Scan(&table, &name); err != nil {
					return err
				}
				if table == w.Customer.Physical {
					n++
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	if err := w.Store.Unindex(t.Context(), w.Reg); err != nil {
		t.Fatal(err)
	}
	if after := count(); after >= before {
		t.Errorf("%d indexes of customers, %d before", after, before)
	}
	w.Insert(w.Customer, w.Named("one"), w.Named("two"))
	if err := w.Store.Reindex(t.Context(), w.Reg); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != before {
		t.Errorf("%d indexes after, %d before", got, before)
	}
	if diff, err := w.Store.Check(t.Context(), w.Reg); err != nil || len(diff) != 0 {
		t.Errorf("check: %+v, %v", diff, err)
	}
	if err := w.Store.Unindex(t.Context(), w.Reg); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != before {
		t.Errorf("a table with rows lost %d indexes", before-got)
	}
	rows := []record.Row{w.Named("three")}
	w.Insert(w.Customer, rows...)
	if got := w.Get(w.Customer, rows[0].ID, false); got == nil {
		t.Error("a record written afterwards is not there")
	}
}

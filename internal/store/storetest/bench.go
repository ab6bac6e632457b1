package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Bench measures what users wait for.
func Bench(b *testing.B, open Opener) {
	b.Run("create", func(b *testing.B) { benchCreate(b, open, 1) })
	b.Run("create by eight", func(b *testing.B) { benchCreate(b, open, 8) })
	b.Run("bulk insert of 30 columns by 1000", func(b *testing.B) { benchBulk(b, open, 1000) })
	b.Run("bulk insert of 30 columns by 5000", func(b *testing.B) { benchBulk(b, open, 5000) })
	b.Run("get", func(b *testing.B) { benchGet(b, open) })
	b.Run("page", func(b *testing.B) { benchPage(b, open) })
	b.Run("reserve 10,000 keys", func(b *testing.B) { benchReserve(b, open) })
	b.Run("put search", func(b *testing.B) { benchPutSearch(b, open) })
}

// perSecond reports operations a second of n in each iteration.
func perSecond(b *testing.B, n int, what string) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), what+"/s")
}

func benchCreate(b *testing.B, open Opener, callers int) {
	w := NewWorld(b, open(b))
	const each = 100
	for b.Loop() {
		done := make(chan error, callers)
		for range callers {
			go func() {
				for range each {
					r := w.Row(w.Customer, map[string]any{"name": "张三", "name_fold": "张三", "name_sort": "zhang1san1", "level": "a"})
					_, err := w.Store.Update(b.Context(), func(tx record.Tx) error {
						_, err := tx.Reserve(b.Context(), w.Customer, w.Customer.Field("phone"), map[string]id.ID{fmt.Sprint(r.ID): r.ID})
						if err != nil {
							return err
						}
						if err := tx.Insert(b.Context(), w.Customer, []record.Row{r}); err != nil {
							return err
						}
						return tx.Append(b.Context(), Created(w.Customer, []record.Row{r}))
					})
					if err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range callers {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
	}
	perSecond(b, each*callers, "creates")
}

// wide is an object whose table has 30 columns, ten of them the system's, and six indexes: of a relation to anybody, a
// time that rises, a state of few values, an amount and a text of many, and of the import.
func wide(b *testing.B, w *World) *schema.Object {
	label := schema.Label{"en": "x"}
	f := func(key string, t schema.Type, indexed bool) *schema.Field {
		return &schema.Field{Key: key, Type: t, Label: label, Indexed: indexed, Target: "wide", Options: []schema.Option{{Key: "a", Label: label}}}
	}
	fields := []*schema.Field{f("owner", schema.Relation, true), f("at", schema.DateTime, true), f("state", schema.Choice, true),
		f("n0", schema.Number, true), f("s0", schema.Text, true)}
	for i := range 7 {
		fields = append(fields, f(fmt.Sprintf("n%d", i+1), schema.Number, false))
	}
	for i := range 3 {
		fields = append(fields, f(fmt.Sprintf("s%d", i+1), schema.Text, false))
	}
	reg, err := schema.NewRegistry([]*schema.Object{{Key: "wide", Label: label, Plural: label, Prefix: "wid", TitleField: "s0", Fields: fields}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := w.Store.Ensure(b.Context(), reg); err != nil {
		b.Fatal(err)
	}
	return reg.Object("wide")
}

func wideRows(w *World, obj *schema.Object, n int) []record.Row {
	rng := rand.New(rand.NewPCG(3, 4))
	rows := make([]record.Row, n)
	for i := range rows {
		cols := make([]any, len(obj.Columns()))
		for k, c := range obj.Columns() {
			switch {
			case c.Name == "at":
				cols[k] = int64(i)
			case c.Name == "state":
				cols[k] = []string{"draft", "confirmed", "completed"}[rng.IntN(3)]
			case c.Kind == schema.Int64:
				cols[k] = int64(rng.IntN(1_000_000))
			default:
				cols[k] = fmt.Sprintf("value %d", rng.IntN(100_000))
			}
		}
		rows[i] = record.Row{ID: w.IDs.Next(), Version: 1, CreatedAt: 1, CreatedAtDay: 1, UpdatedAt: 1, UpdatedAtDay: 1, BatchID: 9, Cols: cols}
	}
	return rows
}

func benchBulk(b *testing.B, open Opener, n int) {
	w := NewWorld(b, open(b))
	obj := wide(b, w)
	ctx := sqlstore.Bulk(b.Context())
	rows := wideRows(w, obj, n)
	for b.Loop() {
		for i := range rows {
			rows[i].ID = w.IDs.Next()
			rows[i].Cols[1] = rows[i].Cols[1].(int64) + int64(n)
		}
		_, err := w.Store.Update(ctx, func(tx record.Tx) error { return tx.Insert(ctx, obj, rows) })
		if err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, n, "rows")
}

func benchGet(b *testing.B, open Opener) {
	w := NewWorld(b, open(b))
	obj := wide(b, w)
	rows := wideRows(w, obj, 10_000)
	w.Update(func(ctx context.Context, tx record.Tx) error { return tx.Insert(ctx, obj, rows) })
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(rows)
		if w.Get(obj, rows[i].ID, false) == nil {
			b.Fatal("not there")
		}
	}
}

func benchPage(b *testing.B, open Opener) {
	w := NewWorld(b, open(b))
	obj := wide(b, w)
	rows := wideRows(w, obj, 50_000)
	w.Update(func(ctx context.Context, tx record.Tx) error { return tx.Insert(ctx, obj, rows) })
	for b.Loop() {
		w.View(func(ctx context.Context, r record.Reader) error {
			got, err := r.Select(ctx, obj, record.Selection{Sort: []schema.Sort{{Field: "s0", Desc: true}}, Limit: 50})
			if len(got) != 50 {
				b.Fatal(len(got))
			}
			return err
		})
	}
}

func benchReserve(b *testing.B, open Opener) {
	w := NewWorld(b, open(b))
	next := 0
	for b.Loop() {
		keys := make(map[string]id.ID, 10_000)
		for range 10_000 {
			next++
			keys[fmt.Sprintf("%022d", next*7919%1_000_003_001)] = id.ID(next)
		}
		w.Update(func(ctx context.Context, tx record.Tx) error {
			_, err := tx.Reserve(ctx, w.Customer, w.Customer.Field("phone"), keys)
			return err
		})
	}
}

func benchPutSearch(b *testing.B, open Opener) {
	w := NewWorld(b, open(b))
	const n = 500
	ctx := sqlstore.Bulk(b.Context())
	rng := rand.New(rand.NewPCG(5, 6))
	for b.Loop() {
		docs := make([]sqlstore.SearchDoc, n)
		for i := range docs {
			docs[i] = sqlstore.SearchDoc{Object: "customer", ID: w.IDs.Next()}
			for range 12 {
				docs[i].Tokens = append(docs[i].Tokens, fmt.Sprintf("t%d", rng.IntN(20_000)))
			}
		}
		if err := w.Store.PutSearch(ctx, docs); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, n, "documents")
}

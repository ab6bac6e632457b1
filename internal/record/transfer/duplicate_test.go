package transfer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// twins asks the engine of duplicates, as the program does.
type twins struct{ s *dedupe.Service }

func (t twins) Likeness(ctx context.Context, ask transfer.LikenessFor) (transfer.Likeness, error) {
	m, ok, err := t.s.Matcher(ctx, dedupe.Job{Object: ask.Object, Fields: ask.Fields, Few: ask.Few, Window: ask.Window})
	if err != nil || !ok {
		return nil, err
	}
	return likeness{m}, nil
}

type likeness struct{ m *dedupe.Matcher }

func (l likeness) Next(ctx context.Context, ids []id.ID, rows []record.Input) ([]*transfer.Suspect, error) {
	found, err := l.m.Next(ctx, ids, rows)
	out := make([]*transfer.Suspect, len(found))
	for i, t := range found {
		if t != nil {
			out[i] = &transfer.Suspect{Record: t.Record, Score: t.Score, Rule: t.Rule, Sure: t.Sure, Reasons: []byte("[]")}
		}
	}
	return out, err
}

// alikes gives a world the engine of duplicates; everything beyond few bytes is compared set-wise.
func (w *world) alikes() {
	engine := dedupe.New(dedupe.Config{Records: w.records, Store: sqlstore.NewDuplicates(w.store), Registry: func() *schema.Registry { return w.reg }, Clock: clock.System{},
		IDs: id.NewGenerator(clock.System{}, 2), System: func(ctx context.Context) context.Context { return access.With(ctx, access.System()) }, Publish: func(string) {}})
	c := words(w.t)
	w.svc = transfer.New(transfer.Config{Store: w.imports, Records: w.records, Registry: func() *schema.Registry { return w.reg }, Clock: clock.System{}, Dir: w.t.TempDir(), Duplicates: twins{engine},
		Words: func(loc, code string, p fault.Params) string { return c.Text(lang.Locale(loc), code, p) }})
}

func TestRowsThatMayBeDuplicates(t *testing.T) {
	t.Parallel()
	const file = "name,phone,note\n王晓明,138 1234 1234,from the file\n李四,13900000001,new\n"
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		for how, want := range map[string]struct {
			created, updated, skipped int64
			note                      any
		}{"": {2, 0, 0, nil}, "create": {2, 0, 0, nil}, "skip": {1, 0, 1, nil}, "update": {1, 1, 0, "from the file"}} {
			w := newWorld(t, open(t), "Asia/Shanghai", "CNY")
			w.alikes()
			old, err := w.records.Create(w.ctx, "customer", record.Input{"name": "王小明", "phone": "13812341234"})
			if err != nil {
				t.Fatal(err)
			}
			j := w.done(w.load("customer", "a.csv", []byte(file), mappingOf(t, `{"fields":{"name":"name","phone":"phone","note":"note"},"options":{"duplicates":"`+how+`"}}`)))
			if r := j.Result; r.Created != want.created || r.Updated != want.updated || r.Skipped != want.skipped || r.Errors != 0 || r.Rows != 2 {
				t.Errorf("%q: %+v", how, r)
			}
			if got, err := w.records.Get(w.ctx, "customer", old.ID); err != nil || got.Values["note"] != want.note {
				t.Errorf("%q: %v %v", how, got.Values["note"], err)
			}
			if out := w.errorFile(j.ID); (want.skipped == 1) != strings.Contains(out, "王晓明") {
				t.Errorf("%q: %s", how, out)
			}
		}
	})
}

// Rows are compared set-wise with what is stored and with the rows before them; what becomes of a hit is chosen for each import.
func TestRowsComparedAsASet(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("name,phone,note\n王晓明,138 1234 1234,x\n李四,13900000001,a\n")
	for i := range 3200 { // two chunks, and too many rows for asking about each
		fmt.Fprintf(&b, "客户%d号,1370%07d,行\n", i, i)
	}
	b.WriteString("李肆,13900000001,b\n李四,13900000001,c\n")
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		for how, want := range map[string]struct{ created, updated, skipped, marked, pairs int64 }{
			"skip": {3201, 0, 3, 0, 0}, "update": {3201, 3, 0, 0, 0}, "mark": {3204, 0, 0, 3, 0}, "review": {3204, 0, 0, 3, 3},
		} {
			w := newWorld(t, open(t), "Asia/Shanghai", "CNY")
			w.alikes()
			old := w.make("customer", record.Input{"name": "王小明", "phone": "13812341234"})
			m := `{"fields":{"name":"name","phone":"phone","note":"note"},"options":{"duplicates":"` + how + `"}}`
			im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "a.csv", Body: strings.NewReader(b.String()), Mapping: mappingOf(t, m)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.svc.Start(w.ctx, im.ID, true); err != nil {
				t.Fatal(err)
			}
			if r := w.work(im.ID).Result; r.Created != want.created || r.Skipped != want.skipped || r.Marked != want.marked || w.number("SELECT count(*) FROM duplicate_pair") != 0 {
				t.Errorf("dry run, %s: %+v", how, r)
			}
			j := w.done(w.finish(im.ID))
			if r := j.Result; r.Created != want.created || r.Updated != want.updated || r.Skipped != want.skipped || r.Marked != want.marked || r.Errors != 0 || r.Rows != 3204 {
				t.Errorf("%s: %+v", how, r)
			}
			if got := w.number("SELECT count(*) FROM duplicate_pair WHERE object = 'customer'"); got != want.pairs || j.Result.Review != want.pairs {
				t.Errorf("%s: %d pairs to review", how, got)
			}
			if got := w.value("customer", old, "note"); (got == "x") != (how == "update") {
				t.Errorf("%s: %v", how, got)
			}
			if how == "update" { // the last of the rows of one person says what stands
				if got := w.value("customer", w.one("customer", "phone", "13900000001"), "note"); got != "c" {
					t.Errorf("rows of one person: %v", got)
				}
			}
		}
	})
}

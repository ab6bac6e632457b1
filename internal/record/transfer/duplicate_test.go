package transfer_test

import (
	"context"
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

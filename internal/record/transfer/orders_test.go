package transfer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const retail = `{"format":{"kind":"csv","header":true},
 "order":{"number":"InvoiceNo","at":"InvoiceDate","customer.external_id":"CustomerID","customer.country":"Country"},
 "line":{"product.sku":"StockCode","product.name":"Description","quantity":"Quantity","unit_price":"UnitPrice"},
 "options":{"currency":"GBP","timezone":"Europe/London","refund_when":"quantity<0","anonymous_customer":"skip"}}`

func TestOnlineRetail(t *testing.T) {
	t.Parallel()
	file := shared(t, "online-retail/online_retail.csv.gz")
	w := newWorld(t, openSQLite(t), "Europe/London", "GBP")
	j := w.done(w.load("order", "online_retail.csv.gz", file, mappingOf(t, retail)))
	t.Logf("%.1f s, %+v", j.Result.Seconds, j.Result)
	st := w.state()
	if st["order_line"] != 397_884 || st["order"] != 18_532 || st["net"] != 891_140_790 || st["amount"] != 891_140_790 || st["order lines"] != 397_884 || st["refund"] != 8_905 {
		t.Errorf("%v", st)
	}
	if n := w.number("SELECT count(DISTINCT customer) FROM r_order"); n != 4_338 {
		t.Errorf("%d customers with purchases", n)
	}
	if n := w.number("SELECT count(*) FROM (SELECT o.id FROM r_order o JOIN r_order_line l ON l." + `"order"` + " = o.id GROUP BY o.id, o.quantity, o.line_count HAVING count(*) <> o.line_count OR sum(l.quantity) <> o.quantity) x"); n != 0 {
		t.Errorf("%d orders do not agree with their lines", n)
	}
	codes := w.codes(j.ID)
	if codes["import.anonymous_line"] != 135_080 || codes["import.free_line"] != 40 || len(codes) != 2 || j.Result.Skipped != 135_120 || j.Result.Errors != 0 || j.Result.Rows != 541_909 {
		t.Errorf("codes %v, result %+v", codes, j.Result)
	}
	again := w.done(w.load("order", "the same again.csv.gz", file, mappingOf(t, retail)))
	t.Logf("again: %.1f s", again.Result.Seconds)
	if r := again.Result; r.Created != 0 || r.Updated != 0 || r.Unchanged != 18_532 || r.ByObject["order_line"].Unchanged != 397_884 || r.ByObject["refund"].Unchanged != 8_905 {
		t.Errorf("again: %+v", r)
	}
	w.same("again", w.state(), st)
}

// cut is the first lines of Online Retail.
func cut(t testing.TB, lines int) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(shared(t, "online-retail/online_retail.csv.gz")))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for range lines + 1 {
		at += bytes.IndexByte(all[at:], '\n') + 1
	}
	return all[:at]
}

func TestExtendedFileAddsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	short, long := cut(t, 9_990), cut(t, 20_000)
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		whole := newWorld(t, open(t), "Europe/London", "GBP")
		whole.done(whole.load("order", "a.csv", long, mappingOf(t, retail)))
		w := newWorld(t, open(t), "Europe/London", "GBP")
		first := w.done(w.load("order", "a.csv", short, mappingOf(t, retail)))
		before := w.state()
		second := w.done(w.load("order", "b.csv", long, mappingOf(t, retail)))
		w.same("two files or one", w.state(), whole.state())
		if second.Result.Updated > 1 || second.Result.Unchanged < first.Result.Created-1 {
			t.Errorf("first %+v, then %+v", first.Result, second.Result)
		}
		if _, err := w.svc.Undo(w.ctx, second.ID); err != nil {
			t.Fatal(err)
		}
		if j := w.work(second.ID); j.Status != transfer.Undone || j.Result.Kept != 0 || j.Result.Restored != second.Result.Updated {
			t.Errorf("undone: %s %+v %v", j.Status, j.Result, j.Error)
		}
		w.same("after undo", w.state(), before)
		third := w.done(w.load("order", "c.csv", long, mappingOf(t, retail)))
		if third.Result.Created != second.Result.Created || third.Result.Updated != second.Result.Updated {
			t.Errorf("after undo: %+v, want %+v", third.Result, second.Result)
		}
		w.same("imported again", w.state(), whole.state())
	})
}

// flaky fails a commit after n of them, as if the process had died there.
type flaky struct {
	transfer.Store
	left int
}

var errDied = errors.New("died")

func (f *flaky) Commit(ctx context.Context, tx record.Tx, c *transfer.Commit) error {
	if err := f.Store.Commit(ctx, tx, c); err != nil {
		return err
	}
	if f.left--; f.left < 0 {
		return fault.Wrap(fault.Unavailable, "store.closed", errDied)
	}
	return nil
}

func TestGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	file := cut(t, 20_000)
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		whole := newWorld(t, open(t), "Europe/London", "GBP")
		want := whole.done(whole.load("order", "a.csv", file, mappingOf(t, retail)))
		w := newWorld(t, open(t), "Europe/London", "GBP")
		im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "order", FileName: "a.csv", Body: bytes.NewReader(file), Mapping: mappingOf(t, retail)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Start(w.ctx, im.ID, false); err != nil {
			t.Fatal(err)
		}
		for left := 0; ; left++ { // dies before anything, then a little later each time
			svc := w.service(&flaky{Store: w.imports, left: left}, 64<<10)
			if _, err := svc.Next(t.Context()); !errors.Is(err, errDied) {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if left > 30 {
				t.Fatal("never done")
			}
		}
		j := w.done(w.work(im.ID))
		w.same("after crashes", w.state(), whole.state())
		if j.Result.Rows != want.Result.Rows || j.Result.Created != want.Result.Created || j.Result.Skipped != want.Result.Skipped {
			t.Errorf("%+v, want %+v", j.Result, want.Result)
		}
	})
}

const cdnow = `{"format":{"kind":"fixed","date":"20060102","columns":[{"name":"id","from":2,"to":6},{"name":"date","from":13,"to":20},{"name":"cds","from":21,"to":23},{"name":"dollars","from":24,"to":31}]},
 "order":{"at":"date","total":"dollars","customer.external_id":"id"},"line":{"quantity":"cds"},
 "options":{"currency":"USD","order_key":["customer","date"],"free_lines":"keep"}}`

func TestCDNOW(t *testing.T) {
	t.Parallel()
	file := shared(t, "cdnow/CDNOW_sample.txt")
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		w := newWorld(t, open(t), "America/New_York", "USD")
		j := w.done(w.load("order", "CDNOW_sample.txt", file, mappingOf(t, cdnow)))
		st := w.state()
		if st["customer"] != 2_357 || st["order_line"] != 6_919 || j.Result.Errors != 0 || j.Result.Skipped != 0 {
			t.Errorf("%v %+v %v", st, j.Result, w.codes(j.ID))
		}
		// days with a purchase beyond the first, in the first 39 weeks: sum of x
		x := w.number("SELECT count(*) FROM (SELECT DISTINCT customer, placed_at_day FROM r_order WHERE placed_at_day <= ? AND net_amount > 0) d", 10134) - 2357
		if x < 2_400 || x > 2_457 {
			t.Errorf("%d repeat days", x)
		}
		dollars := int64(0)
		for _, l := range strings.Split(strings.TrimSpace(string(file)), "\n") {
			f := strings.Fields(l)
			var a, b int64
			_, _ = fmt.Sscanf(f[4], "%d.%d", &a, &b)
			dollars += a*100 + b
		}
		if st["net"] != dollars || st["amount"] != dollars {
			t.Errorf("net %d, lines %d, want %d", st["net"], st["amount"], dollars)
		}
		again := w.done(w.load("order", "CDNOW_sample.txt", file, mappingOf(t, strings.Replace(cdnow, `"kind":"fixed",`, ``, 1))))
		if again.Result.Created != 0 || again.Result.Updated != 0 {
			t.Errorf("again: %+v", again.Result)
		}
		w.same("again", w.state(), st)
		// split at white space instead of by position
		other := newWorld(t, open(t), "America/New_York", "USD")
		m := mappingOf(t, `{"format":{"kind":"fixed","header":false,"date":"yyyymmdd"},"order":{"at":3,"total":"5","customer.external_id":1},"line":{"quantity":4},"options":{"currency":"USD","order_key":["customer","date"],"free_lines":"keep"}}`)
		other.done(other.load("order", "CDNOW_sample.txt", file, m))
		other.same("by words", other.state(), st)
		if _, err := w.svc.Undo(w.ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		if u := w.work(j.ID); u.Status != transfer.Undone || u.Result.Kept != 0 {
			t.Errorf("undo: %s %+v %v", u.Status, u.Result, u.Error)
		}
		w.same("undone", w.state(), newWorld(t, open(t), "UTC", "USD").state())
	})
}

func TestScatteredLinesSpill(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("no,at,who,sku,qty,price\n")
	for round := range 20 {
		for order := range 200 {
			fmt.Fprintf(&b, "S%d,2026-01-%02d 10:00,c%d,sku%d,%d,1.25\n", order, order%28+1, order%50, round, round%3+1)
		}
	}
	m := &mapping.Mapping{Order: map[string]mapping.Column{"number": {"no"}, "at": {"at"}, "customer.external_id": {"who"}},
		Line: map[string]mapping.Column{"product.sku": {"sku"}, "quantity": {"qty"}, "unit_price": {"price"}}}
	want := map[string]int64(nil)
	for _, spill := range []int{0, 10_000} {
		w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
		w.svc = w.service(w.imports, spill)
		j := w.done(w.load("order", "s.csv", []byte(b.String()), m))
		st := w.state()
		if j.Result.Created != 200 || st["order_line"] != 4000 || st["customer"] != 50 || st["product"] != 20 {
			t.Errorf("%+v %v", j.Result, st)
		}
		if want == nil {
			want = st
		}
		w.same("with scratch files", st, want)
	}
}

func TestOddLines(t *testing.T) {
	t.Parallel()
	const file = `no,at,who,sku,name,qty,price,status
A1,2026-01-02 10:00,c1,x,Shirt,2,9.99,已付款
A1,2026-01-02 10:00,c1,x,Shirt,2,9.99,已付款
A1,2026-01-02 10:00,c1,y,Gift,1,0,已付款
A2,,c1,x,Shirt,1,9.99,
A3,2026-01-03,c2,x,Shirt,abc,9.99,
A4,2026-01-03,c2,x,Shirt,0,9.99,
A5,2026-01-03,c2,x,Shirt,1,-3,
,2026-01-03,c2,x,Shirt,1,3,
A6,2026-01-03,c2,x,Shirt,1,
A7,2026-01-03,,x,Shirt,1,"¥1,234.50",
CA1,2026-01-05,c1,x,Shirt,-1,9.99,
CA9,2026-01-05,c1,x,Shirt,-1,0,
A8,2026-01-03,c2,x,Shirt,1,3,神秘
A9,2026-13-03,c2,x,Shirt,1,3,
`
	m := mappingOf(t, `{"format":{},"order":{"number":"no","at":"at","status":"status","customer.external_id":"who"},"line":{"product.sku":"sku","product.name":"name","quantity":"qty","unit_price":"price"},"options":{"refund_when":"quantity<0","anonymous_customer":"keep"}}`)
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	j := w.done(w.load("order", "odd.csv", []byte(file), m))
	st := w.state()
	if st["order"] != 2 || st["order_line"] != 3 || st["net"] != 2*2*999+123450 || st["refund"] != 1 || st["refunded"] != 999 {
		t.Errorf("%v", st)
	}
	if n := w.number(`SELECT count(*) FROM r_refund f JOIN r_order o ON f."order" = o.id WHERE o.number = 'A1' AND f.number = 'CA1'`); n != 1 {
		t.Error("the refund is not tied to its order")
	}
	codes := w.codes(j.ID)
	for code, n := range map[string]int{"import.free_line": 1, "import.value_missing": 1, "schema.not_number": 1, "import.zero_quantity": 1, "import.negative_amount": 1,
		"import.no_order_number": 1, "import.ragged_row": 1, "import.adjustment_line": 1} {
		if codes[code] != n {
			t.Errorf("%s: %d of %d", code, codes[code], n)
		}
	}
	if j.Result.Rows != 14 || j.Result.Skipped != 4 || j.Result.Errors != 6 {
		t.Errorf("%+v %v", j.Result, codes)
	}
	csv := w.errorFile(j.ID)
	if !strings.HasPrefix(csv, "\ufeff") || !strings.Contains(csv, "A5") || strings.Contains(csv, "import.") || strings.Count(csv, "\n") != 11 {
		t.Errorf("error file:\n%s", csv)
	}
	for which, n := range map[transfer.Lines]int{transfer.LeftOut: 4, transfer.FaultyLines: 6} {
		var b bytes.Buffer
		if err := w.svc.Report(w.ctx, j.ID, which, &b); err != nil || strings.Count(b.String(), "\n") != n+1 || strings.Contains(b.String(), "A5") != (which == transfer.LeftOut) {
			t.Errorf("%s: %v\n%s", which, err, b.String())
		}
	}
	if im, err := w.svc.Get(w.ctx, j.ID); err != nil || len(im.Errors) != 6 || len(im.LeftOut) != 4 {
		t.Errorf("%v %+v", err, im)
	}
	again := w.done(w.load("order", "odd.csv", []byte(file), m))
	if again.Result.Created != 0 || again.Result.Updated != 0 {
		t.Errorf("again %+v", again.Result)
	}
	w.same("again", w.state(), st)
	changed := strings.Replace(file, "c1,y,Gift,1,0,已付款", "c1,y,Gift,1,0,已付款", 1)
	changed = strings.ReplaceAll(changed, "9.99,已付款", "9.99,交易成功")
	upd := w.done(w.load("order", "odd2.csv", []byte(changed), m))
	if upd.Result.Updated != 1 || w.number("SELECT count(*) FROM r_order WHERE status = 'completed'") != 1 {
		t.Errorf("a new status: %+v", upd.Result)
	}
}

func TestAPartialFileAddsToAnOrder(t *testing.T) {
	t.Parallel()
	m := mappingOf(t, `{"format":{},"order":{"number":"no","at":"at","customer.phone":"phone","customer.name":"name","store.name":"store","channel.name":"channel"},"line":{"product.name":"item","quantity":"qty","unit_price":"price","discount":"off"}}`)
	head := "no,at,phone,name,store,channel,item,qty,price,off\n"
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	w.done(w.load("order", "a.csv", []byte(head+"N1,2026-05-01,13800000001,张三,杭州店,天猫,毛衣,2,100,20\n"), m))
	w.done(w.load("order", "b.csv", []byte(head+"N1,2026-05-01,138 0000 0001,张三,杭州店,天猫,围巾,1,50,0\nN2,2026-05-02,+8613800000001,张三丰,杭州店,京东,毛衣,1,100,0\n"), m))
	st := w.state()
	if st["order"] != 2 || st["order_line"] != 3 || st["customer"] != 1 || st["store"] != 1 || st["channel"] != 2 || st["product"] != 2 || st["net"] != 33000 || st["amount"] != 33000 || st["order lines"] != 3 {
		t.Errorf("%v", st)
	}
	if n := w.number("SELECT gross_amount FROM r_order WHERE number = 'N1'"); n != 25000 {
		t.Errorf("gross %d", n)
	}
}

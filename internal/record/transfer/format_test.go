package transfer_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
)

// TestAnotherReadingSuggestsAnew: who says how the file is to be read, and maps nothing, gets the columns of that reading.
func TestAnotherReadingSuggestsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "a.csv", Body: strings.NewReader("会员号;姓名;手机\nM1;张三,李四;13812341234\nM2;王五,赵六;13812341235\n"),
		Mapping: mappingOf(t, `{"format":{"kind":"csv","delimiter":",","encoding":"windows-1252"},"options":{"on_error":"stop"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if len(im.Columns) == 3 || len(im.Mapping.Fields) != 0 {
		t.Fatalf("the wrong reading gives %+v", im.Mapping)
	}
	im, err = w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{"delimiter":";","encoding":"utf-8"},"options":{"on_error":"stop"}}`))
	if err != nil {
		t.Fatal(err)
	}
	m := im.Mapping
	if !slices.Equal(m.Fields["external_id"], []string{"会员号"}) || !slices.Equal(m.Fields["phone"], []string{"手机"}) || !slices.Equal(m.Options.Match, []string{"external_id"}) ||
		m.Options.OnError != "stop" || !m.Format.HasHeader() || im.Columns[1].Suggested != "name" || im.Preview[0]["姓名"] != "张三,李四" {
		t.Errorf("%+v %+v", m, im.Columns)
	}
	im, err = w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{"header":false}}`))
	if err != nil || im.Mapping.Format.HasHeader() || im.Mapping.Format.Delimiter != ";" || len(im.Columns) != 3 || im.Columns[0].Name != "1" || len(im.Mapping.Fields) != 0 {
		t.Errorf("without a header: %+v %v", im, err)
	}
	given := *mappingOf(t, `{"format":{"header":true},"fields":{"name":"会员号"}}`)
	if im, err = w.svc.SetMapping(w.ctx, im.ID, given); err != nil || len(im.Mapping.Fields) != 1 || im.Mapping.Options.Match != nil {
		t.Errorf("a mapping that was given: %+v %v", im, err)
	}
	if _, err = w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{"header":true},"fields":{"name":"nothing"}}`)); fault.CodeOf(err) != "import.unknown_column" {
		t.Errorf("a wrong one: %v", err)
	}
}

// fixedRates knows the dollar alone.
type fixedRates struct{}

func (fixedRates) Convert(m money.Money, base string, _ clock.Day) (int64, bool) {
	return m.Amount * 7, m.Currency == "USD" && base == "CNY"
}

const foreign = "no,at,who,currency,qty,price\nA1,2026-01-02,c1,EUR,1,10\nA1,2026-01-02,c1,EUR,2,5\nA2,2026-01-03,c1,USD,1,10\nA3,2026-01-03,c1,,1,10\nA4,2026-01-03,c1,EUR,-1,10\n"

// TestAmountsWithoutARateAreTold: amounts in a currency without a rate are imported and told row by row, and counted.
func TestAmountsWithoutARateAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	m := mappingOf(t, `{"format":{},"order":{"number":"no","at":"at","currency":"currency","customer.external_id":"who"},"line":{"quantity":"qty","unit_price":"price"},"options":{"refund_when":"quantity<0"}}`)
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "order", FileName: "f.csv", Body: strings.NewReader(foreign), Mapping: m})
	if err != nil {
		t.Fatal(err)
	}
	warned := func(im *transfer.Import, code string) (out []string) {
		for _, f := range im.Warnings {
			if f.Code == code {
				out = append(out, f.Params["currency"].(string))
			}
		}
		return out
	}
	if got := warned(im, "import.no_rate_currency"); !slices.Equal(got, []string{"EUR", "USD"}) {
		t.Errorf("before: %v", got)
	}
	if _, err := w.svc.Start(w.ctx, im.ID, true); err != nil {
		t.Fatal(err)
	}
	if j := w.work(im.ID); j.Result.NoRate["EUR"] != 3 || j.Result.NoRate["USD"] != 1 || j.Result.Errors != 0 {
		t.Errorf("dry run: %+v", j.Result)
	}
	j := w.done(w.finish(im.ID))
	if j.Result.NoRate["EUR"] != 3 || j.Result.NoRate["USD"] != 1 || len(j.Result.NoRate) != 2 || j.Result.Errors != 0 || j.Result.Created != 3 {
		t.Errorf("%+v", j.Result)
	}
	if im, err = w.svc.Get(w.ctx, im.ID); err != nil || !slices.Equal(warned(im, "import.no_rate_rows"), []string{"EUR", "USD"}) || warned(im, "import.no_rate_currency") != nil {
		t.Errorf("after: %v %v", im.Warnings, err)
	}
	if codes := w.codes(j.ID); codes["import.no_rate"] != 4 || len(codes) != 1 {
		t.Errorf("%v", codes)
	}
	if csv := w.errorFile(j.ID); !strings.Contains(csv, "\n2,price,“price”的金额为 EUR，没有该货币的汇率") || strings.Contains(csv, "A3") {
		t.Errorf("%s", csv)
	}
	if again := w.done(w.load("order", "f.csv", []byte(foreign), m)); again.Result.NoRate != nil {
		t.Errorf("again: %+v", again.Result)
	}
	plain := w.done(w.load("product", "p.csv", []byte("code,name,list_price\nP1,衬衫,EUR 12.50\nP2,裤子,12.50\n"), nil))
	if plain.Result.NoRate["EUR"] != 1 || plain.Result.Created != 2 {
		t.Errorf("plain: %+v", plain.Result)
	}
}

// TestARateThatIsKnownIsNotTold holds the same file against a workspace that knows the dollar.
func TestARateThatIsKnownIsNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	w.svc = transfer.New(transfer.Config{Store: w.imports, Records: rated{w.records}, Registry: func() *schema.Registry { return w.reg }, Clock: clock.System{}, Dir: w.dir})
	m := mappingOf(t, `{"format":{},"order":{"number":"no","at":"at","currency":"currency","customer.external_id":"who"},"line":{"quantity":"qty","unit_price":"price"},"options":{"refund_when":"quantity<0"}}`)
	if j := w.done(w.load("order", "f.csv", []byte(foreign), m)); j.Result.NoRate["EUR"] != 3 || len(j.Result.NoRate) != 1 {
		t.Errorf("%+v", j.Result)
	}
}

// rated is a record engine that knows rates.
type rated struct{ transfer.Records }

func (r rated) Env(ctx context.Context) schema.ParseEnv {
	env := r.Records.Env(ctx)
	env.Rates = fixedRates{}
	return env
}

// TestScratchFilesOfTheDeadAreCleared: what an earlier process left beside the uploaded files goes at the start, these stay.
func TestScratchFilesOfTheDeadAreCleared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "a.csv", Body: strings.NewReader("external_id,name\n1,甲\n")})
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(w.dir)
	if err != nil || len(folders) != 1 {
		t.Fatal(folders, err)
	}
	left := []string{filepath.Join(w.dir, "import-123"), filepath.Join(w.dir, "excelize-9"), filepath.Join(w.dir, folders[0].Name(), "sort-4")}
	for _, name := range left {
		if err := os.WriteFile(name, []byte("clear"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.svc.Start(w.ctx, im.ID, false); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- w.svc.Run(ctx) }()
	deadline := time.After(30 * time.Second)
	for done := false; !done; {
		j, err := w.svc.Job(w.ctx, im.ID)
		if err != nil {
			t.Fatal(err)
		}
		done = j.Status == transfer.Done
		select {
		case <-deadline:
			t.Fatalf("%+v", j)
		default:
		}
	}
	stop()
	if err := <-over; err != nil {
		t.Error(err)
	}
	for _, name := range left {
		if _, err := os.Stat(name); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	stored, err := os.ReadFile(filepath.Join(w.dir, folders[0].Name(), "file"))
	if err != nil || bytes.Contains(stored, []byte("甲")) {
		t.Errorf("the uploaded file: %q %v", stored, err)
	}
}

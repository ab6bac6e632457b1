package transfer_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
)

// TestRunWorksJobsOffInTurn starts the loop that the program runs: two jobs wait, the older goes first, and everybody is told.
func TestRunWorksJobsOffInTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	var mu sync.Mutex
	var told []transfer.Event
	ended := make(chan struct{}, 2)
	svc := transfer.New(transfer.Config{Store: w.imports, Records: w.records, Registry: func() *schema.Registry { return w.reg }, Clock: clock.System{}, Dir: w.dir,
		Publish: func(e transfer.Event) {
			mu.Lock()
			told = append(told, e)
			mu.Unlock()
			if e.Status == transfer.Done {
				ended <- struct{}{}
			}
		}})
	var want []string
	for i := range 2 {
		im, err := svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "c.csv", Body: strings.NewReader(fmt.Sprintf("external_id,name\n%d,甲\n", i))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Start(w.ctx, im.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Start(w.ctx, im.ID, false); fault.CodeOf(err) != "import.wrong_state" {
			t.Errorf("started twice: %v", err)
		}
		want = append(want, fmt.Sprint(im.ID))
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- svc.Run(ctx) }()
	for range 2 {
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			t.Fatal("not done")
		}
	}
	stop()
	if err := <-over; err != nil {
		t.Errorf("run: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	var order []string
	for _, e := range told {
		if e.Status == transfer.Done {
			order = append(order, fmt.Sprint(e.Job))
			if e.Progress.Phase != transfer.PhaseDone || e.Progress.Bytes != e.Progress.TotalBytes {
				t.Errorf("progress at the end %+v", e.Progress)
			}
		}
	}
	if fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("order %v, want %v", order, want)
	}
	jobs, err := svc.List(w.ctx, 10)
	if err != nil || len(jobs) != 2 || fmt.Sprint(jobs[1].ID) != want[0] {
		t.Errorf("list: %v %v", jobs, err)
	}
}

// TestMappingIsRemembered: the second file with the same columns gets the mapping of the first.
func TestMappingIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	w.done(w.load("customer", "a.csv", []byte("甲列,乙列\n1,张三\n"), mappingOf(t, `{"format":{},"fields":{"external_id":"甲列","name":"乙列"},"options":{"match":"external_id"}}`)))
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "b.csv", Body: strings.NewReader("乙列,甲列\n李四,2\n")})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(im.Mapping.Options.Match) != "[external_id]" || im.Columns[0].Suggested != "name" {
		t.Errorf("%+v", im.Mapping)
	}
	if _, err := w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{},"fields":{"name":"丙列"}}`)); fault.CodeOf(err) != "import.unknown_column" {
		t.Errorf("a wrong mapping: %v", err)
	}
	if _, err := w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{"encoding":"utf-8"},"fields":{"name":"乙列"}}`)); err != nil {
		t.Error(err)
	}
	if j := w.done(w.finish(im.ID)); j.Result.Created != 1 || w.number("SELECT count(*) FROM r_customer WHERE external_id IS NULL") != 1 {
		t.Errorf("%+v", j.Result)
	}
}

// TestOldFilesGo: files of imports that ended long ago are removed, and errors are still told by row number.
func TestOldFilesGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	j := w.done(w.load("customer", "a.csv", []byte("name,email\n甲,bad\n"), nil))
	later := transfer.New(transfer.Config{Store: w.imports, Records: w.records, Registry: func() *schema.Registry { return w.reg }, Dir: w.dir, Clock: clock.NewFake(time.Now().Add(40 * 24 * time.Hour))})
	if err := later.Sweep(w.ctx); err != nil {
		t.Fatal(err)
	}
	if csv := w.errorFile(j.ID); !strings.Contains(csv, "\n2,email,邮箱地址不正确") || strings.Contains(csv, "甲") {
		t.Errorf("%s", csv)
	}
	if im, err := later.Get(w.ctx, j.ID); err != nil || !im.State.Expired || len(im.Columns) != 0 {
		t.Errorf("%+v %v", im, err)
	}
}

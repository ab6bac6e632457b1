package apptest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// made is what one client of the killed server was told, and what it had asked for.
type made struct {
	customers map[string]string // external id → id, acknowledged
	orders    map[string]string // external id → customer's external id, acknowledged
	batches   []string          // prefix of three customers made in one atomic batch, acknowledged
	asked     map[string]bool   // every external id that was ever sent
	last      [3]string         // path, body and idempotency key of the request without an answer
}

// work creates customers and orders until the server is gone.
func (c *client) work(who string, round int, m *made, acknowledged *atomic.Int64) {
	post := func(path, body, key string) (answer, bool) {
		m.last = [3]string{path, body, key}
		a, err := c.with("Idempotency-Key", key).ask("POST", path, "application/json", strings.NewReader(body))
		if err != nil {
			return a, false
		}
		if a.status >= 300 {
			c.Errorf("POST %s: %d %.300s", path, a.status, a.body)
			return a, false
		}
		m.last = [3]string{}
		acknowledged.Add(1)
		return a, true
	}
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s-%d-%d", who, round, n)
		m.asked[name] = true
		a, ok := post("/records/customer", fmt.Sprintf(`{"fields":{"name":"客户%s","external_id":%q,"phone":"139%08d"}}`, strings.ReplaceAll(name, "-", "甲"), name, rand.N(99_999_999)), "c"+name)
		if !ok {
			return
		}
		var r rec
		if err := json.Unmarshal(a.body, &r); err != nil {
			c.Error(err)
			return
		}
		m.customers[name] = r.ID
		for k := range 2 {
			order := fmt.Sprintf("%s-o%d", name, k)
			m.asked[order] = true
			if _, ok := post("/records/order", fmt.Sprintf(`{"fields":{"customer":%q,"external_id":%q,"status":"confirmed","placed_at":"2026-11-0%dT03:00:00Z","net_amount":{"amount":"12.50","currency":"CNY"}}}`, r.ID, order, k+1), "o"+order); !ok {
				return
			}
			m.orders[order] = name
		}
		if n%4 == 0 {
			three := make([]string, 3)
			for i := range three {
				ext := fmt.Sprintf("%s-b%d", name, i)
				m.asked[ext] = true
				three[i] = fmt.Sprintf(`{"op":"create","fields":{"name":"批%d","external_id":%q}}`, i, ext)
			}
			if _, ok := post("/records/customer/batch", `{"atomic":true,"operations":[`+strings.Join(three, ",")+`]}`, "b"+name); !ok {
				return
			}
			m.batches = append(m.batches, name)
		}
	}
}

// all reads every record of an object by external id.
func (c *client) all(object string) map[string][]rec {
	c.Helper()
	out := map[string][]rec{}
	body := `{"limit":500,"sort":[{"field":"id"}]`
	next := ""
	for {
		p := read[page](c, "POST", "/records/"+object+"/query", body+next+"}")
		for _, r := range p.Items {
			ext, _ := r.Fields["external_id"].(string)
			out[ext] = append(out[ext], r)
		}
		if p.NextCursor == nil {
			return out
		}
		next = fmt.Sprintf(`,"cursor":%q`, *p.NextCursor)
	}
}

// TestKilledWhileClientsWrite: what was acknowledged is there once, what was not is there whole or not at all, and what
// follows the log catches up.
func TestKilledWhileClientsWrite(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY")
	const clients = 8
	told := make([]*made, clients)
	for i := range told {
		told[i] = &made{customers: map[string]string{}, orders: map[string]string{}, asked: map[string]bool{}}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 3 {
		m.start()
		var acknowledged atomic.Int64
		var group sync.WaitGroup
		for i := range clients {
			group.Go(func() { m.client().work(fmt.Sprintf("k%d", i), round, told[i], &acknowledged) })
		}
		until := int64(120 + random.IntN(120))
		eventually(t, "enough writes", time.Minute, func() bool { return acknowledged.Load() > until })
		m.kill()
		group.Wait()
	}
	m.start()
	c := m.client()
	for _, d := range told { // a request without an answer is asked again under its key: done once, whatever had become of it
		if d.last[0] != "" {
			a := c.with("Idempotency-Key", d.last[2]).do("POST", d.last[0], d.last[1])
			if a.status != 201 && a.status != 200 && a.status != 409 && a.status != 422 {
				t.Errorf("asked again: %d %.300s", a.status, a.body)
			}
		}
	}
	customers, orders := c.all("customer"), c.all("order")
	checkTold(t, told, customers, orders)
	c.settled()
	n, spent := 0, 0
	for _, o := range orders {
		n += len(o)
	}
	if got := c.counted(everyone); got != len(customers) || c.records("customer") != len(customers) || c.records("order") != n {
		t.Errorf("%d customers, %d counted in analytics, %d in records", len(customers), got, c.records("customer"))
	}
	for _, d := range told {
		for name, id := range d.customers {
			hits := read[struct{ Items []struct{ ID string } }](c, "GET", "/search?q="+"客户"+strings.ReplaceAll(name, "-", "甲"), "").Items
			if len(hits) == 0 || hits[0].ID != id {
				t.Errorf("search for %s finds %v, want %s first", name, hits, id)
			}
			p := read[page](c, "POST", "/records/customer/query", fmt.Sprintf(`{"where":{"field":"external_id","op":"=","value":%q},"traits":["orders"],"limit":2}`, name))
			if len(p.Items) == 1 && p.Items[0].Traits["orders"] != nil {
				spent++
			}
			break // one of each client
		}
	}
	if spent != clients {
		t.Errorf("%d of %d customers asked for have their purchases counted", spent, clients)
	}
	m.stop()
	doctor(m, true)
}

func checkTold(t *testing.T, told []*made, customers, orders map[string][]rec) {
	t.Helper()
	asked := map[string]bool{}
	sum := 0
	for _, d := range told {
		for k := range d.asked {
			asked[k] = true
		}
		for name, id := range d.customers {
			sum++
			if got := customers[name]; len(got) != 1 || got[0].ID != id || got[0].Title != "客户"+strings.ReplaceAll(name, "-", "甲") {
				t.Errorf("customer %s was acknowledged as %s and is there as %v", name, id, got)
			}
		}
		for ext, name := range d.orders {
			sum++
			got := orders[ext]
			if len(got) != 1 {
				t.Errorf("order %s was acknowledged and is there %d times", ext, len(got))
				continue
			}
			ref, _ := got[0].Fields["customer"].(map[string]any)
			if ref["id"] != d.customers[name] {
				t.Errorf("order %s belongs to %v", ext, ref)
			}
		}
		for _, b := range d.batches {
			sum += 3
			for i := range 3 {
				if len(customers[fmt.Sprintf("%s-b%d", b, i)]) != 1 {
					t.Errorf("batch %s was acknowledged and lacks its record %d", b, i)
				}
			}
		}
	}
	if sum < 300 {
		t.Errorf("only %d records were acknowledged: the trial says little", sum)
	}
	for name := range customers { // a batch without an answer is there whole or not at all
		if base, i, ok := strings.Cut(name, "-b"); ok && i == "0" && (len(customers[base+"-b1"]) != 1 || len(customers[base+"-b2"]) != 1) {
			t.Errorf("batch %s is there in part", base)
		}
	}
	for _, set := range []map[string][]rec{customers, orders} {
		for ext, got := range set {
			if !asked[ext] || len(got) != 1 {
				t.Errorf("%q is there %d times, asked for: %v", ext, len(got), asked[ext])
			}
		}
	}
}

// doctor runs the checks from the command line and says whether all was well, as hoped.
func doctor(m *machine, well bool) string {
	m.Helper()
	code, out, errs := m.command("", "doctor", "--json")
	if (code == 0) != well {
		m.Errorf("the doctor ended with %d: %s %s", code, out, errs)
	}
	return out
}

const retailMapping = `{"format":{"kind":"csv","header":true},
 "order":{"number":"InvoiceNo","at":"InvoiceDate","customer.external_id":"CustomerID","customer.country":"Country"},
 "line":{"product.sku":"StockCode","product.name":"Description","quantity":"Quantity","unit_price":"UnitPrice"},
 "options":{"currency":"GBP","timezone":"Europe/London","refund_when":"quantity<0","anonymous_customer":"skip"}}`

// retailCut is the first lines of Online Retail.
func retailCut(t testing.TB, lines int) []byte {
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

const cdnowMapping = `{"format":{"kind":"fixed","header":false,"date":"20060102","columns":[{"name":"master","from":1,"to":6},{"name":"customer","from":7,"to":11},{"name":"date","from":12,"to":20},{"name":"units","from":21,"to":23},{"name":"dollars","from":24,"to":30}]},
 "order":{"at":"date","total":"dollars","customer.external_id":"customer"},"line":{},
 "options":{"currency":"USD","timezone":"America/New_York","order_key":["customer","date"]}}`

// trial is a file to import and the workspace it belongs in.
type trial struct {
	name, mapping, zone, currency string
	content                       []byte
}

func trials(t testing.TB) []trial {
	return []trial{
		{"CDNOW_sample.txt", cdnowMapping, "America/New_York", "USD", shared(t, "cdnow/CDNOW_sample.txt")},
		{"retail.csv", retailMapping, "Europe/London", "GBP", retailCut(t, 30_000)},
	}
}

// TestKilledWhileImporting: an import that is killed again and again ends with the figures of one that is left in peace.
func TestKilledWhileImporting(t *testing.T) {
	t.Parallel()
	for _, tr := range trials(t) {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			killImport(t, tr, func(t testing.TB) *machine { return newMachine(t) }, 8)
		})
	}
}

// TestKilledWhileImportingOnPostgres: another process takes over as soon as the server sees that the dead one is gone.
func TestKilledWhileImportingOnPostgres(t *testing.T) {
	t.Parallel()
	killImport(t, trials(t)[1], postgres, 3)
}

func killImport(t *testing.T, tr trial, build func(testing.TB) *machine, kills int) {
	t.Helper()
	calm := build(t).setup(tr.zone, tr.currency).start()
	c := calm.client()
	began := time.Now()
	want := c.finished(c.load("order", tr.name, tr.mapping, tr.content), 2*time.Minute)
	took := time.Since(began)
	if want.Status != "done" {
		t.Fatalf("%+v %s", want, want.Error)
	}
	c.settled()
	figures := c.figures()
	calm.stop()

	m := build(t).setup(tr.zone, tr.currency).start()
	c = m.client()
	id := c.load("order", tr.name, tr.mapping, tr.content)
	random := rand.New(rand.NewPCG(7, uint64(len(tr.content))))
	killed := 0
	for range kills {
		wait := time.NewTimer(time.Duration(random.Int64N(int64(took/3) + 1)))
		select {
		case <-wait.C:
		case <-t.Context().Done():
		}
		m.kill()
		killed++
		m.start()
		c = m.client()
		if j := read[importJob](c, "GET", "/imports/"+id, ""); !j.active() {
			break
		}
	}
	got := c.finished(id, 3*time.Minute)
	if got.Status != "done" {
		t.Fatalf("%+v %s", got, got.Error)
	}
	t.Logf("in peace %.1f s; killed %d times", took.Seconds(), killed)
	if killed < 2 {
		t.Errorf("killed only %d times", killed)
	}
	want.Result.Seconds, got.Result.Seconds = 0, 0
	if a, b := fmt.Sprintf("%+v", *want.Result), fmt.Sprintf("%+v", *got.Result); a != b {
		t.Errorf("the result is %s, in peace %s", b, a)
	}
	c.settled()
	if f := c.figures(); f != figures {
		t.Errorf("after kills:\n%s\nin peace:\n%s", f, figures)
	}
	again := c.finished(c.load("order", tr.name, tr.mapping, tr.content), 2*time.Minute)
	if again.Status != "done" || again.Result.Created != 0 || again.Result.Updated != 0 {
		t.Errorf("imported again: %+v", again.Result)
	}
	m.stop()
	doctor(m, true)
}

// TestAKilledImportGoesOnByItself: nobody needs to ask for it.
func TestAKilledImportGoesOnByItself(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Europe/London", "GBP").start()
	c := m.client()
	id := c.load("order", "retail.csv", retailMapping, retailCut(t, 20_000))
	eventually(t, "the first orders", time.Minute, func() bool { return read[importJob](c, "GET", "/imports/"+id, "").Progress.Rows > 0 })
	m.kill()
	m.start()
	m.quiet() // no request is sent meanwhile
	m.kill()
	var status string
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: m.database()})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(t.Context(), func(c sqlstore.Conn) error {
		_, err := c.QueryRow(t.Context(), []any{&status}, "SELECT status FROM import_job")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil || status != "done" {
		t.Errorf("the import is %q, %v", status, err)
	}
	if j := m.start().client().finished(id, time.Minute); j.Status != "done" || j.Result.Rows != 20_000 {
		t.Errorf("%+v", j)
	}
	m.stop()
}

func (m *machine) database() string { return filepath.Join(m.dir, "workspaces", "main", "records.db") }

// quiet waits until the server has not written for three seconds.
func (m *machine) quiet() {
	m.Helper()
	var last time.Time
	since := time.Now()
	eventually(m, "an end of the work", 2*time.Minute, func() bool {
		wal, err := os.Stat(m.database() + "-wal")
		if err == nil && !wal.ModTime().Equal(last) {
			last, since = wal.ModTime(), time.Now()
		}
		return time.Since(since) > 3*time.Second
	})
}

// TestImportFromTheCommandLine: the command ends when everything that follows has followed, with a server and without.
func TestImportFromTheCommandLine(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Europe/London", "GBP")
	put := func(name string, content []byte) string {
		t.Helper()
		path := filepath.Join(filepath.Dir(m.dir), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mapping := put("map.json", []byte(retailMapping))
	where := put("where.json", []byte(`{"all":[{"trait":"orders","op":">=","value":1},{"trait":"rfm_cell","op":"is_set"}]}`))
	for i, lines := range []int{8_000, 16_000, 24_000} {
		if i == 2 {
			m.start()
		}
		var j struct {
			Status string
			Rows   int
		}
		m.ok(&j, "import", "order", put("retail.csv", retailCut(t, lines)), "--mapping", mapping)
		var buyers, members struct{ Count, Total int }
		m.ok(&buyers, "segment", "count", "--where", where)
		m.ok(&members, "segment", "count", "--where", put("or.json", []byte(`{"record":"order","aggregate":"count","op":">=","value":1}`)))
		if j.Status != "done" || j.Rows != lines || buyers.Count != members.Count || buyers.Count < 200 {
			t.Errorf("%d lines: %+v; %d customers have orders, %d have traits of them", lines, j, members.Count, buyers.Count)
		}
		doctor(m, true)
	}
	m.stop()
}

package apptest_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	segment "github.com/segmentio/analytics-go/v3"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// sdkFolder holds the SDKs of JavaScript, installed as they are published.
const sdkFolder = "../../edge/ingest/sdk"

// sdkUsers is how many people each SDK tells of.
const sdkUsers = 7

// driver is a published SDK that sends events through a storm.
type driver struct {
	name, kind string
	perCall    int // events of a call
	patient    bool
	run        func(t *testing.T, d *driver) error

	key, source string
	url         string
	count       int
	storm       *storm
}

// TestPublishedSDKs has SDKs as they are published send events to the program through a proxy that answers 429 and 503, cuts connections before, within
// and after the call, and delivers twice, while the program is killed and started again in the middle of each: every event is there once, at its own
// time, with its own person, and every order once. 560 events each, with GUANXI_LONG=1 10,080
// and on PostgreSQL too.
func TestPublishedSDKs(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(sdkFolder + "/node_modules"); err != nil {
		t.Skip("the SDKs are not installed: npm ci in internal/edge/ingest/sdk")
	}
	if long() {
		onMachines(t, publishedSDKs)
		return
	}
	publishedSDKs(t, newMachine(t).setup("Asia/Shanghai", "CNY"))
}

func publishedSDKs(t *testing.T, m *machine) {
	n := 560 // each user has as many as the others
	switch {
	case long():
		n = 10_080
	case testing.Short():
		n = 140
	}
	var at atomic.Value
	m.start()
	at.Store(m.url)
	release := make(chan struct{})
	drivers := []*driver{{name: "go", kind: "server", perCall: 10, run: driveGo}, {name: "node", kind: "server", perCall: 20, run: driveNode}, {name: "sensors", kind: "sensors", perCall: 10, patient: true, run: driveNode},
		{name: "next", kind: "web", perCall: 1, run: driveNode}}
	if _, err := os.Stat(chromium()); err != nil {
		t.Logf("without the SDK of browsers: %v", err)
		drivers = drivers[:len(drivers)-1]
	}
	begun := time.Now()
	ended := make(chan error, len(drivers))
	for _, d := range drivers {
		var made struct {
			Source   struct{ ID string }
			WriteKey string `json:"write_key"`
		}
		a := m.client().want(201, m.client().do("POST", "/event-sources", fmt.Sprintf(`{"name":%q,"type":%q,"per_second":100000}`, d.name, d.kind)))
		if err := json.Unmarshal(a.body, &made); err != nil {
			t.Fatal(err)
		}
		d.key, d.source, d.count = made.WriteKey, made.Source.ID, n
		d.storm, d.url = weather(t, func() string { return at.Load().(string) }, d, n/d.perCall/2, release)
		go func() { ended <- d.run(t, d) }()
	}
	for _, d := range drivers {
		select {
		case <-d.storm.reached:
		case err := <-ended:
			t.Fatalf("a driver ended before its half: %v", err)
		case <-time.After(10 * time.Minute):
			t.Fatalf("%s does not come to its half: %v", d.name, d.storm)
		}
	}
	close(release) // all are in the middle
	m.kill()
	m.start()
	at.Store(m.url)
	for range drivers {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	for _, d := range drivers {
		t.Logf("%s: %v", d.name, d.storm)
	}
	took := time.Since(begun)
	t.Logf("%d events each in %v", n, took.Round(time.Millisecond))
	c := m.client()
	each, browsers := n/sdkUsers, len(drivers)-3
	eventually(t, "everything in analysis", 5*time.Minute, func() bool {
		return c.counted(fmt.Sprintf(`{"event":"Tested","aggregate":"count","op":">=","value":%d}`, each)) == 3*sdkUsers+browsers && c.counted(fmt.Sprintf(`{"event":"Tested","aggregate":"count","op":">=","value":%d}`, n)) == browsers
	})
	people := map[string]int64{}
	for who, list := range c.all("customer") {
		if len(list) != 1 {
			t.Errorf("%q is %d customers", who, len(list))
		}
		v, err := id.Parse("cus", list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		people[who] = int64(v)
	}
	orders := c.all("order")
	for i := range (n + 19) / 20 {
		if got := orders[fmt.Sprintf("order-%d", i)]; len(got) != 1 {
			t.Errorf("order %d is there %d times", i, len(got))
		}
	}
	m.stop()
	m.each(drivers, people, took)
	doctor(m, true)
}

// chromium is the browser that the SDK of browsers runs in.
func chromium() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

// driveGo sends by analytics-go. Every tenth event is an order that is told of twice.
func driveGo(t *testing.T, d *driver) error {
	t.Helper()
	total := d.count + d.count/10 + sdkUsers
	fared := outcomes{done: make(chan error, total)}
	client, err := segment.NewWithConfig(d.key, segment.Config{Endpoint: d.url, BatchSize: d.perCall, Interval: 20 * time.Millisecond, Logger: quiet{}, Callback: fared,
		RetryAfter: func(int) time.Duration { return 5 * time.Millisecond }})
	if err != nil {
		return err
	}
	for i := range sdkUsers {
		if err := client.Enqueue(segment.Identify{UserId: fmt.Sprint("go-", i), Traits: segment.Traits{"name": fmt.Sprint("Go ", i)}}); err != nil {
			return err
		}
	}
	begun := time.Now()
	for i := range d.count {
		at := begun.Add(-time.Duration(i) * time.Minute)
		who := fmt.Sprint("go-", i%sdkUsers)
		if err := client.Enqueue(segment.Track{UserId: who, Event: "Tested", Timestamp: at, Properties: segment.Properties{"n": i, "at": at.UnixMilli(), "who": who}}); err != nil {
			return err
		}
		if i%10 == 0 {
			order := segment.Track{UserId: who, Event: "Order Completed", Timestamp: at, Properties: segment.Properties{"order_id": fmt.Sprint("order-", i/20), "revenue": 12.5, "currency": "CNY"}}
			if err := client.Enqueue(order); err != nil {
				return err
			}
		}
	}
	for range total { // closing throws away what has failed and waits to be sent again
		if err := <-fared.done; err != nil {
			return fmt.Errorf("analytics-go: %w", err)
		}
	}
	return client.Close()
}

// outcomes hears what became of each message.
type outcomes struct{ done chan error }

func (o outcomes) Success(segment.Message)            { o.done <- nil }
func (o outcomes) Failure(_ segment.Message, e error) { o.done <- e }

type quiet struct{}

func (quiet) Logf(string, ...any)   {}
func (quiet) Errorf(string, ...any) {}

// driveNode runs one of the SDKs of JavaScript. The one of browsers runs in Chromium until the last of its events was taken, since it does not say
// which ones were.
func driveNode(t *testing.T, d *driver) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "--no-deprecation", "drive.mjs", d.name, d.url, d.key, strconv.Itoa(d.count), strconv.Itoa(sdkUsers)) //nolint:gosec // a file of the project
	cmd.Dir = sdkFolder
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	var said lines
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if d.perCall == 1 {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for d.storm.taken() <= d.count { // its identify too
			select {
			case err := <-ended:
				return fmt.Errorf("%s: %w: %s", d.name, err, said.String())
			case <-tick.C:
			}
		}
	}
	if err := stdin.Close(); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("%s: %w: %s", d.name, err, said.String())
	}
	return nil
}

// Write implements io.Writer for a process that is not read line by line.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// facts opens the events of analysis of a program that does not run.
func (m *machine) facts() (db *sql.DB, table string) {
	m.Helper()
	driverName, address, table := "duckdb", m.analytics()+"?access_mode=read_only", "f_event"
	if schema := m.schema(); schema != "" {
		driverName, address, table = "pgx", os.Getenv("GUANXI_TEST_POSTGRES_URL"), `"`+schema+`main".f_event`
	}
	db, err := sql.Open(driverName, address)
	if err != nil {
		m.Fatal(err)
	}
	return db, table
}

// each checks every event as analysis has it. The program does not run. What was sent again says when it was sent first, so it is late by the time
// that the storm held it up, and never early.
func (m *machine) each(drivers []*driver, people map[string]int64, late time.Duration) {
	m.Helper()
	db, table := m.facts()
	defer db.Close()
	ctx := context.WithoutCancel(m.Context())
	for _, d := range drivers {
		source, err := id.Parse("src", d.source)
		if err != nil {
			m.Fatal(err)
		}
		rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT "at", flags, customer_id, properties FROM %s WHERE name = 'Tested' AND source_id = %d`, table, int64(source)))
		if err != nil {
			m.Fatal(err)
		}
		seen := map[int]int{}
		for rows.Next() {
			var at, flags, customer int64
			var raw string
			if err := rows.Scan(&at, &flags, &customer, &raw); err != nil {
				m.Fatal(err)
			}
			var p struct {
				N   int
				At  int64
				Who string
			}
			if err := json.Unmarshal([]byte(raw), &p); err != nil {
				m.Fatal(err)
			}
			seen[p.N]++
			if off := at - p.At; off > late.Milliseconds() || off < -1000 {
				m.Errorf("%s: event %d is %d ms off", d.name, p.N, off)
			}
			if flags != 0 {
				m.Errorf("%s: event %d has flags %d", d.name, p.N, flags)
			}
			if customer != people[p.Who] || customer == 0 {
				m.Errorf("%s: event %d of %s belongs to %d, not to %d", d.name, p.N, p.Who, customer, people[p.Who])
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			m.Fatal(err)
		}
		for i := range d.count {
			if seen[i] != 1 {
				m.Errorf("%s: event %d is there %d times", d.name, i, seen[i])
			}
		}
		if len(seen) != d.count {
			m.Errorf("%s: %d events, want %d", d.name, len(seen), d.count)
		}
	}
}

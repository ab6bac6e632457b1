package main

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	_ "github.com/mattn/go-sqlite3"
)

//go:embed bare/page.sql
var barePage string

//go:embed bare/region.sql
var bareRegion string

//go:embed bare/get.sql
var bareGet string

//go:embed bare/six.sql
var bareSix string

//go:embed bare/rfm.sql
var bareRFM string

// row is one line of the table.
type row struct {
	what string
	ours timing
	bare time.Duration
	goal string
}

type obj = map[string]any

// provinces begin regions; each request asks for another one.
var provinces = []string{"110000", "120000", "130000", "210000", "310000", "320000", "330000", "340000", "350000", "370000", "410000", "420000", "430000", "440000", "500000", "510000", "610000"}

// sixConditions is a segment of six conditions, a little different for each i.
func sixConditions(i int) obj {
	return obj{"all": []any{
		obj{"field": "region", "op": "in", "value": []string{provinces[i%len(provinces)], "310000", "330000"}},
		obj{"field": "kind", "op": "=", "value": "person"},
		obj{"trait": "orders_365d", "op": ">=", "value": 2 + i%3},
		obj{"trait": "m_score", "op": ">=", "value": 3},
		obj{"record": "order", "aggregate": "count", "op": ">=", "value": 3, "within": obj{"days": 300 + i}},
		obj{"record": "order", "op": "none", "within": obj{"days": 30 + i%60}},
	}}
}

// subjects are customers to ask for.
type subjects struct {
	ids, names, tails []string
}

func (p *program) subjects() (s subjects, err error) {
	for page := range 3 {
		var got struct {
			Items []struct {
				ID, Title string
				Fields    struct{ Phone string }
			}
		}
		err := p.call("POST", "/records/customer/query", obj{"limit": 100, "offset": page * 300, "fields": []string{"name", "phone"}, "where": obj{"field": "kind", "op": "=", "value": "person"}}, &got)
		if err != nil {
			return s, err
		}
		for _, it := range got.Items {
			name := []rune(it.Title)
			if len(name) < 2 || len(it.Fields.Phone) < 4 {
				continue
			}
			s.ids, s.names, s.tails = append(s.ids, it.ID), append(s.names, string(name[:2])), append(s.tails, it.Fields.Phone[len(it.Fields.Phone)-4:])
		}
	}
	if len(s.ids) < 20 {
		return s, fmt.Errorf("only %d customers to ask for", len(s.ids))
	}
	return s, nil
}

const warm = 200

func measureSize(ctx context.Context, bin string, n int, w io.Writer) error {
	p, err := fresh(ctx, bin, "CNY", "Asia/Shanghai")
	if p != nil {
		defer p.remove()
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n## %d customers of the demo company\n\n", n)
	out, peak, took, err := p.command(ctx, "", "demo", "load", "--customers", fmt.Sprint(n), "--json")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "* demo load, traits and classes included: %s, peak %d MB. %s\n", short(took), peak/1024, loaded(out))
	ready, err := p.start(ctx)
	if err != nil {
		return err
	}
	var none any
	first := time.Now()
	if err := p.call("POST", "/records/customer/query", obj{"limit": 100}, &none); err != nil {
		return err
	}
	firstTook := time.Since(first)
	if err := p.call("POST", "/segments/count", obj{"where": sixConditions(0)}, &none); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	pid := p.server.Process.Pid
	fmt.Fprintf(w, "* ready after %s (goal 2 s), first list after that %s; memory a minute after one list and one count: %d MB resident, %d MB of it anonymous (goal 150 MB)\n",
		short(ready), short(firstTook), status(pid, "VmRSS")/1024, status(pid, "RssAnon")/1024)
	rows, err := p.questions()
	if err != nil {
		return err
	}
	if err := p.writes(w); err != nil {
		return err
	}
	p.stop()
	if err := p.bare(ctx, rows); err != nil {
		return err
	}
	fmt.Fprint(w, "\n| what | ours: cold | p50 | p95 | max | bare | ratio | goal for p95 |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		bare, ratio := "", ""
		if r.bare > 0 {
			bare, ratio = short(r.bare), fmt.Sprintf("%.1f", float64(r.ours.p50)/float64(r.bare))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.what, short(r.ours.cold), short(r.ours.p50), short(r.ours.p95), short(r.ours.most), bare, ratio, r.goal)
	}
	return nil
}

func loaded(out []byte) string {
	var v map[string]any
	if json.Unmarshal(out, &v) != nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return "`" + string(b) + "`"
}

// questions asks everything that is read.
func (p *program) questions() ([]*row, error) {
	s, err := p.subjects()
	if err != nil {
		return nil, err
	}
	query := func(body func(i int) obj) func(int) error {
		return func(i int) error {
			b := body(i)
			b["limit"] = 100
			return p.call("POST", "/records/customer/query", b, nil)
		}
	}
	newest := []any{obj{"field": "created_at", "desc": true}}
	kinds := []struct {
		what, goal string
		n          int
		ask        func(i int) error
	}{
		{"list, default order, page by offset", "100 ms", warm, query(func(i int) obj { return obj{"sort": newest, "offset": i * 40} })},
		{"list, indexed filter (region)", "100 ms", warm, query(func(i int) obj {
			return obj{"sort": newest, "offset": i / len(provinces) * 100, "where": obj{"field": "region", "op": "in", "value": []string{provinces[i%len(provinces)]}}}
		})},
		{"list, filter without index (occupation, height)", "100 ms", warm, query(func(i int) obj {
			return obj{"sort": newest, "where": obj{"field": "height_cm", "op": ">=", "value": 150 + float64(i)/10}}
		})},
		{"list, filter and order by traits", "300 ms", warm, query(func(i int) obj {
			return obj{"sort": []any{obj{"trait": "spend_total", "desc": true}}, "traits": []string{"spend_total", "orders", "lifecycle"}, "offset": i, "where": obj{"trait": "orders", "op": ">=", "value": 1 + i%8}}
		})},
		{"search, two Chinese characters", "100 ms", warm, query(func(i int) obj { return obj{"search": s.names[i%len(s.names)]} })},
		{"search, last four of a phone", "100 ms", warm, query(func(i int) obj { return obj{"search": s.tails[i%len(s.tails)]} })},
		{"search, pinyin", "100 ms", 30, query(func(i int) obj { return obj{"search": pinyin[i%len(pinyin)]} })},
		{"one record", "", warm, func(i int) error { return p.call("GET", "/records/customer/"+s.ids[i%len(s.ids)], nil, nil) }},
		{"360° profile", "150 ms", warm, func(i int) error { return p.call("GET", "/customers/"+s.ids[i%len(s.ids)]+"/profile", nil, nil) }},
		{"segment of six conditions, count", "1 s", 60, func(i int) error { return p.call("POST", "/segments/count", obj{"where": sixConditions(i)}, nil) }},
		{"home, 90 days", "", 20, func(i int) error { return p.call("GET", fmt.Sprintf("/home?days=%d", 90+i), nil, nil) }},
	}
	var rows []*row
	for _, k := range kinds {
		t, err := measure(k.n, 4, k.ask)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.what, err)
		}
		rows = append(rows, &row{what: k.what, ours: t, goal: k.goal})
	}
	return rows, nil
}

var pinyin = []string{"zhangwei", "wangfang", "lina", "liuyang", "chenjing", "yangmin", "zhaolei", "huangyan", "zhoujie", "wuxia", "xujing", "sunli", "maxin", "zhumei", "hulin"}

// writes creates, reads and changes customers and watches the mirror.
func (p *program) writes(w io.Writer) error {
	ids := make([]string, 4001)
	pid := p.server.Process.Pid
	create := func(from int) func(int) error {
		return func(i int) error {
			var made struct{ ID string }
			err := p.call("POST", "/records/customer", obj{"fields": obj{"name": fmt.Sprintf("测试客户%d", from+i), "phone": fmt.Sprintf("139%08d", from+i), "kind": "person"}}, &made)
			ids[from+i] = made.ID
			return err
		}
	}
	before := processor(pid)
	one, err := measure(400, 1, create(0))
	if err != nil {
		return err
	}
	eight, err := measure(1200, 8, create(500))
	if err != nil {
		return err
	}
	each := float64((processor(pid) - before).Microseconds()) / 1600 / 1000
	read, err := measure(1600, 4, func(i int) error { return p.call("GET", "/records/customer/"+ids[1+i%400], nil, nil) })
	if err != nil {
		return err
	}
	update, err := measure(800, 4, func(i int) error {
		return p.call("PATCH", "/records/customer/"+ids[1+i%400], obj{"fields": obj{"occupation": fmt.Sprintf("职业%d", i)}}, nil)
	})
	if err != nil {
		return err
	}
	begin := time.Now()
	for time.Since(begin) < time.Minute {
		var s struct {
			Mirror struct {
				LagChanges int64 `json:"lag_changes"`
			}
		}
		if err := p.call("GET", "/system", nil, &s); err != nil {
			return err
		}
		if s.Mirror.LagChanges == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Fprintf(w, "* creates by API: %.0f a second with one client, %.0f with eight; %.2f ms of processor time each, search and mirror included (goal 1 ms)\n", one.perSecond, eight.perSecond, each)
	fmt.Fprintf(w, "* reads %.0f a second, updates %.0f a second with four clients; the mirror had all of them %s after the last\n", read.perSecond, update.perSecond, short(time.Since(begin)))
	return nil
}

// bare runs the plain statements on the files of the stopped server.
func (p *program) bare(ctx context.Context, rows []*row) error {
	dir := filepath.Join(p.data, "workspaces", "main")
	records, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "records.db")+"?mode=ro")
	if err != nil {
		return err
	}
	defer records.Close()
	plane, err := sql.Open("duckdb", filepath.Join(dir, "analytics.duckdb")+"?access_mode=READ_ONLY")
	if err != nil {
		return err
	}
	defer plane.Close()
	var some int64
	if err := records.QueryRowContext(ctx, "SELECT min(id) FROM r_customer").Scan(&some); err != nil {
		return err
	}
	for _, b := range []struct {
		what, text string
		db         *sql.DB
		args       []any
	}{
		{"list, default order", barePage, records, nil}, {"list, indexed filter", bareRegion, records, []any{"330000", "340000"}},
		{"one record", bareGet, records, []any{some}}, {"segment of six", bareSix, plane, nil},
	} {
		took, err := plain(ctx, b.db, b.text, b.args)
		if err != nil {
			return fmt.Errorf("bare %s: %w", b.what, err)
		}
		for _, r := range rows {
			if strings.HasPrefix(r.what, b.what) {
				r.bare = took
			}
		}
	}
	return nil
}

// plain is the median of a statement's time, all rows read.
func plain(ctx context.Context, db *sql.DB, text string, args []any) (time.Duration, error) {
	t, err := measure(21, 1, func(int) error {
		rows, err := db.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		cols, err := rows.Columns()
		if err != nil {
			return err
		}
		dst := make([]any, len(cols))
		for i := range dst {
			dst[i] = new(any)
		}
		for rows.Next() {
			if err := rows.Scan(dst...); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return t.p50, err
}

// measureRetail imports a real purchase file from the command line.
func measureRetail(ctx context.Context, bin, file string, w io.Writer) error {
	p, err := fresh(ctx, bin, "GBP", "Europe/London")
	if p != nil {
		defer p.remove()
	}
	if err != nil {
		return err
	}
	out, peak, took, err := p.command(ctx, "", "import", "order", file, "--json")
	if err != nil {
		return err
	}
	var r struct {
		Rows, Created, Skipped int
		Seconds                float64
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return err
	}
	again, _, againTook, err := p.command(ctx, "", "import", "order", file, "--json")
	if err != nil {
		return err
	}
	var second struct{ Created, Unchanged int }
	if err := json.Unmarshal(again, &second); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n## A real purchase file (Online Retail, %d lines)\n\n* import from the command line: %.1f s (goal 60 s), %d orders, peak %d MB (goal 1 GB); the whole command with analytics and traits %s\n* the same file again: %d created, %d unchanged, %s\n",
		r.Rows, r.Seconds, r.Created, peak/1024, short(took), second.Created, second.Unchanged, short(againTook))
	return p.bareRFM(ctx, w)
}

// bareRFM times the plain aggregate behind RFM.
func (p *program) bareRFM(ctx context.Context, w io.Writer) error {
	plane, err := sql.Open("duckdb", filepath.Join(p.data, "workspaces", "main", "analytics.duckdb")+"?access_mode=READ_ONLY")
	if err != nil {
		return err
	}
	defer plane.Close()
	took, err := plain(ctx, plane, bareRFM, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "* recency, frequency and monetary value of everyone, bare: %s\n", short(took))
	return nil
}

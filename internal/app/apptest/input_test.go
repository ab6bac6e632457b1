package apptest_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// critic looks at every answer: never a server error, every refusal a problem document with words in both languages.
type critic struct {
	*client
	words *lang.Catalog
	seen  map[string]int // codes
}

func newCritic(t testing.TB, c *client) *critic {
	t.Helper()
	words, err := app.Words()
	if err != nil {
		t.Fatal(err)
	}
	return &critic{client: c, words: words, seen: map[string]int{}}
}

func (k *critic) judge(what string, a answer) {
	k.Helper()
	if a.status < 400 {
		return
	}
	if a.status >= 500 && a.code() != "api.not_there" {
		k.Errorf("%s: %d %.300s", what, a.status, a.body)
		return
	}
	var p struct {
		Type, Title string
		Status      int
		Errors      []struct{ Location, Code, Message string }
	}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(a.body, &p) != nil || p.Status != a.status {
		k.Errorf("%s: %d is no problem document: %s %.200s", what, a.status, a.header.Get("Content-Type"), a.body)
		return
	}
	codes := []string{p.Type}
	for _, e := range p.Errors {
		codes = append(codes, e.Code)
		if e.Message == "" || e.Message == e.Code || strings.Contains(e.Message, "{") && !strings.Contains(what, "{") && !strings.Contains(e.Message, "“") {
			k.Errorf("%s: %s says %q", what, e.Code, e.Message)
		}
	}
	for _, code := range codes {
		k.seen[code]++
		for _, l := range []lang.Locale{lang.English, "zh-CN"} {
			if !k.words.Has(l, code) {
				k.Errorf("%s: the code %q has no words in %s", what, code, l)
			}
		}
	}
	if p.Title == "" || p.Title == p.Type {
		k.Errorf("%s: %s has the title %q", what, p.Type, p.Title)
	}
}

// signedIn is the administrator in a browser.
func (m *machine) signedIn() *client {
	m.Helper()
	c := &client{TB: m.TB, url: m.url, header: http.Header{"Accept-Language": {"en"}}}
	a := c.want(200, c.do("POST", "/session", `{"email":"a@example.com","password":"`+password+`"}`))
	var me struct{ CSRF string }
	if err := json.Unmarshal(a.body, &me); err != nil {
		m.Fatal(err)
	}
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		c.header.Add("Cookie", cookie.Name+"="+cookie.Value)
	}
	c.header.Set("X-CSRF-Token", me.CSRF)
	return c
}

// monkey makes input from the types of the document, more or less.
type monkey struct {
	*rand.Rand
	schemas map[string]any
	ids     []string
}

func (m *monkey) pick(from []string) string { return from[m.IntN(len(from))] }

func (m *monkey) text() string {
	pool := []string{"", " ", "\x00", "a\x00b", strings.Repeat("长", 3000), strings.Repeat("x", 70_000), "'; DROP TABLE r_customer; --", `"`, `\`, "%", "_", "../../../etc/passwd", "/etc/passwd",
		"=cmd|' /C calc'!A0", "+1", "@SUM(1)", "2026-13-45", "2026-02-30", "0000-00-00", "9999-12-31T23:59:60Z", "-1", "0", "1", "99999999999999999999999", "1e400", "NaN", "true", "null", "{}", "[]", "{name}",
		"\u202e", "\ufeff", "😀", "e\u0301", "ﷺ", "ＡＢ", "İ", "ß", "customer", "order", "name", "phone", "created_at", "id", "order.customer.name", "customer.customer.customer", "trait.orders", "orders", "spend_total",
		"lifecycle", "CNY", "XXX", "Asia/Shanghai", "Nowhere/City", "zh-CN", "en", "administrator", "a@example.com", "<script>alert(1)</script>", "${jndi:ldap://x}", "javascript:alert(1)", "*", "a*", "NEAR(a b)", "a OR b", "\"", "builtin:all", "main", "read", "write"}
	if m.IntN(4) == 0 {
		return m.pick(m.ids)
	}
	return m.pick(pool)
}

func (m *monkey) anything(depth int) any {
	switch n := m.IntN(12); {
	case n < 4:
		return m.text()
	case n == 4:
		return []any{json.Number("0"), json.Number("-1"), json.Number("1e308"), json.Number("1e400"), json.Number("9223372036854775808"), json.Number("0.1"), json.Number("-9223372036854775808")}[m.IntN(7)]
	case n == 5:
		return m.IntN(2) == 0
	case n == 6:
		return nil
	case n < 9 && depth > 0:
		out := []any{}
		for range m.IntN(4) {
			out = append(out, m.anything(depth-1))
		}
		return out
	case depth > 0:
		out := map[string]any{}
		for range m.IntN(4) {
			out[m.text()] = m.anything(depth - 1)
		}
		return out
	}
	return float64(m.IntN(1000))
}

func (m *monkey) condition(depth int) any {
	leafs := []func() any{
		func() any { return map[string]any{"field": m.text(), "op": m.op(), "value": m.anything(2)} },
		func() any { return map[string]any{"trait": m.text(), "op": m.op(), "value": m.anything(2)} },
		func() any { return map[string]any{"segment": m.text(), "op": m.op()} },
		func() any {
			return map[string]any{"record": m.text(), "aggregate": m.pick([]string{"count", "days", "sum", ""}), "op": m.op(), "value": m.anything(1), "within": map[string]any{"days": m.anything(1)}, "where": m.anything(2)}
		},
		func() any {
			return map[string]any{"record": "order", "aggregate": map[string]any{m.pick([]string{"sum", "avg", "distinct", "min"}): m.text()}, "op": m.op(), "value": m.anything(1), "within": map[string]any{"from": m.text(), "to": m.text()}}
		},
		func() any {
			return map[string]any{"random": map[string]any{"percent": m.anything(0), "salt": m.text()}}
		},
		func() any {
			return map[string]any{"first": map[string]any{"record": m.text()}, "within": map[string]any{"days": m.anything(0)}}
		},
		func() any {
			return map[string]any{"stopped": map[string]any{"record": "order"}, "for": map[string]any{"days": m.anything(0)}}
		},
		func() any { return map[string]any{"list": m.text()} },
		func() any {
			return map[string]any{"top": map[string]any{"of": m.anything(1), "trait": m.text(), "count": m.anything(0)}}
		},
		func() any { return map[string]any{"event": m.text(), "op": m.op()} },
		func() any { return m.anything(3) },
	}
	if depth > 0 && m.IntN(3) == 0 {
		switch m.IntN(3) {
		case 0:
			return map[string]any{"not": m.condition(depth - 1)}
		default:
			return map[string]any{m.pick([]string{"all", "any"}): []any{m.condition(depth - 1), m.condition(depth - 1)}}
		}
	}
	return leafs[m.IntN(len(leafs))]()
}

func (m *monkey) op() string {
	return m.pick(strings.Fields("= != > >= < <= in not_in between contains not_contains starts_with ends_with matches is_set is_not_set within_last within_next before after anniversary_within none did ~"))
}

// of makes a value of a schema; one in eight is of another type.
func (m *monkey) of(name string, schema any, depth int) any {
	s, _ := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		return m.of(name, m.schemas[ref[strings.LastIndex(ref, "/")+1:]], depth)
	}
	switch name {
	case "where":
		return m.condition(3)
	case "id", "key":
		return m.text()
	}
	if depth <= 0 || m.IntN(8) == 0 {
		return m.anything(2)
	}
	if options, ok := s["enum"].([]any); ok && m.IntN(4) > 0 {
		return options[m.IntN(len(options))]
	}
	kind := s["type"]
	if several, ok := kind.([]any); ok && len(several) > 0 {
		kind = several[m.IntN(len(several))]
	}
	switch kind {
	case "object":
		out := map[string]any{}
		props, _ := s["properties"].(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(props)) { // in a fixed order, so that the same seed makes the same input
			if m.IntN(5) > 0 {
				out[k] = m.of(k, props[k], depth-1)
			}
		}
		if len(props) == 0 {
			for _, f := range []string{"name", "phone", "email", "region", "birthday", "address", "tags", "annual_revenue", "household_size", "acquired_on", "referrer", "owner", "customer", "placed_at", "net_amount", "status", "number"} {
				if m.IntN(4) == 0 {
					out[f] = m.anything(2)
				}
			}
		}
		if m.IntN(10) == 0 {
			out["no_such_member"] = m.anything(1)
		}
		return out
	case "array":
		out := []any{}
		for range m.IntN(4) {
			out = append(out, m.of("", s["items"], depth-1))
		}
		return out
	case "integer", "number":
		return []any{0, 1, -1, 50, 1 << 40, 0.5, json.Number("1e30")}[m.IntN(7)]
	case "boolean":
		return m.IntN(2) == 0
	case "string":
		return m.text()
	}
	return m.anything(3)
}

// mangle breaks a document.
func (m *monkey) mangle(raw []byte) []byte {
	switch m.IntN(8) {
	case 0:
		return raw[:m.IntN(len(raw)+1)]
	case 1:
		return bytes.Replace(raw, []byte(`"`), []byte("\"\xff\xfe"), 1)
	case 2:
		return append(raw, raw...)
	case 3:
		return bytes.Replace(raw, []byte(`"`), []byte(`"\ud800`), 1)
	}
	return raw
}

// TestNoInputBreaksTheProgram walks the published document and throws input at every operation.
func TestNoInputBreaksTheProgram(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY").start()
	key := newCritic(t, m.client())
	browser := newCritic(t, m.signedIn())
	doc := read[struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name, In string
				Schema   any
			}
			RequestBody *struct {
				Content map[string]struct{ Schema any }
			}
		}
		Components struct{ Schemas map[string]any }
	}](key.client, "GET", "/openapi.json", "")
	customer := read[rec](key.client, "POST", "/records/customer", `{"fields":{"name":"张三","phone":"13812345678"}}`)
	order := read[rec](key.client, "POST", "/records/order", `{"fields":{"customer":"`+customer.ID+`","net_amount":{"amount":"1.00","currency":"CNY"}}}`)
	imp := read[importJob](key.client, "GET", "/imports/"+key.load("customer", "a.csv", `{"fields":{"name":"name"}}`, []byte("name\n李四\n")), "")
	random := &monkey{Rand: rand.New(rand.NewPCG(42, 1)), schemas: doc.Components.Schemas, ids: []string{customer.ID, order.ID, imp.ID, "cus_0000000000001", "usr_0000000000001", "imp_0000000000001", "cus_zzzzzzzzzzzzz", "cus_", "ord_"}}
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	operations, asked := 0, 0
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		methods := doc.Paths[path]
		path = strings.TrimPrefix(path, "/api/v1")
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			op := methods[method]
			method = strings.ToUpper(method)
			if path == "/events" || strings.HasPrefix(path, "/local/") || method == "DELETE" && path == "/session" || method == "PARAMETERS" {
				continue
			}
			operations++
			for n := range rounds {
				k := key
				if n%2 == 0 {
					k = browser
				}
				to := strings.NewReplacer("{object}", url.PathEscape(random.pick([]string{"customer", "order", "order_line", "product", "user", "tag", "nothing", "..", "a/b", "%00"})),
					"{id}", url.PathEscape(clip(random.pick(append(random.ids, random.text())), 2000)), "{key}", url.PathEscape(random.pick([]string{"lifecycle", "heavy", "nothing", "..", "", "a b", "值"}))).Replace(path)
				q := url.Values{}
				for _, p := range op.Parameters {
					if p.In == "query" && random.IntN(2) == 0 {
						q.Set(p.Name, random.pick([]string{clip(random.text(), 5000), "5", base64.RawURLEncoding.EncodeToString([]byte(`{"field":"name","op":"is_set"}`)), "-created_at"}))
					}
				}
				if len(q) > 0 {
					to += "?" + q.Encode()
				}
				k.throw(random, method, to, op.RequestBody != nil, func() any {
					for _, c := range op.RequestBody.Content {
						return random.of("", c.Schema, 5)
					}
					return nil
				})
				asked++
			}
		}
	}
	if operations < 45 {
		t.Errorf("the document has only %d operations to try", operations)
	}
	codes := len(key.seen)
	t.Logf("%d operations, %d requests, %d different codes by key, %d by session", operations, asked, codes, len(browser.seen))
	if codes < 15 {
		t.Errorf("only %d different codes were seen: the input was too tame: %v", codes, key.seen)
	}
	alive(t, m)
}

func (k *critic) throw(random *monkey, method, to string, hasBody bool, make func() any) {
	k.Helper()
	var body io.Reader
	kind, what := "", clip(method+" "+to, 400)
	if hasBody {
		raw, err := json.Marshal(make())
		if err != nil {
			k.Fatal(err)
		}
		raw = random.mangle(raw)
		body, kind, what = bytes.NewReader(raw), "application/json", what+" "+string(raw[:min(len(raw), 1200)])
	}
	began := time.Now()
	c := k.client
	if random.IntN(6) == 0 {
		c = c.with("If-Match", random.pick([]string{"1", `"1"`, "x", "-1", "*", `W/"1"`, "99999999999999999999"}))
	}
	a, err := c.ask(method, to, kind, body)
	if err != nil {
		k.Errorf("%s: %.300s", what, err)
		return
	}
	if took := time.Since(began); took > 20*time.Second {
		k.Errorf("%s took %s", what, took)
	}
	if len(a.body) == 0 && a.status >= 300 && a.status < 400 {
		return // a path that needs cleaning is redirected
	}
	k.judge(what, a)
}

// clip is the first so many bytes.
func clip(s string, n int) string { return s[:min(len(s), n)] }

// alive wants a server that still works, said nothing of panics, stops well and has sound data.
func alive(t *testing.T, m *machine) {
	t.Helper()
	c := m.client()
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"后来"}}`))
	c.settled()
	if log := m.run.log.String(); strings.Contains(log, "panic") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log says:\n%.4000s", log)
	}
	m.stop()
	doctor(m, true)
}

// TestHostileConditions: deep, cyclic and endless conditions are refused and cost nothing.
func TestHostileConditions(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY").start()
	k := newCritic(t, m.client())
	seg := func(key, where string) answer {
		return k.do("POST", "/segments", fmt.Sprintf(`{"key":%q,"label":%q,"kind":"dynamic","where":%s}`, key, key, where))
	}
	k.want(201, seg("a", `{"field":"name","op":"is_set"}`))
	k.want(201, seg("b", `{"segment":"a","op":"in"}`))
	k.want(201, seg("c", `{"not":{"segment":"b","op":"in"}}`))
	for what, a := range map[string]answer{
		"itself":     k.do("PATCH", "/segments/a", `{"version":1,"where":{"segment":"a","op":"in"}}`),
		"by another": k.do("PATCH", "/segments/a", `{"version":1,"where":{"any":[{"segment":"c","op":"in"},{"field":"name","op":"is_set"}]}}`),
		"at once":    seg("d", `{"segment":"d","op":"in"}`),
	} {
		if a.status != 422 {
			t.Errorf("a segment that contains itself (%s): %d %.300s", what, a.status, a.body)
		}
		k.judge(what, a)
	}
	deep := strings.Repeat(`{"not":`, 5000) + `{"field":"name","op":"is_set"}` + strings.Repeat(`}`, 5000)
	nested := strings.Repeat(`{"all":[`, 60) + `{"field":"name","op":"is_set"}` + strings.Repeat(`]}`, 60)
	wide := `{"any":[` + strings.TrimSuffix(strings.Repeat(`{"field":"name","op":"=","value":"x"},`, 5000), ",") + `]}`
	many := make([]string, 50_000)
	for i := range many {
		many[i] = fmt.Sprintf("%q", fmt.Sprint("v", i))
	}
	list := `{"field":"name","op":"in","value":[` + strings.Join(many, ",") + `]}`
	for what, where := range map[string]string{"deep": deep, "nested": nested, "wide": wide, "long list": list, "pattern": `{"field":"name","op":"matches","value":"` + strings.Repeat("(a*)*", 30) + `"}`,
		"wildcards": `{"field":"name","op":"contains","value":"` + strings.Repeat("%_", 500) + `"}`, "days": `{"record":"order","op":"none","within":{"days":99999999999}}`,
		"far": `{"record":"order","aggregate":"count","op":">=","value":1,"within":{"from":"0001-01-01","to":"9999-12-31"}}`, "money": `{"trait":"spend_total","op":">","value":{"amount":"999999999999999999999999","currency":"CNY"}}`} {
		for path, body := range map[string]string{"/segments/count": `{"where":` + where + `}`, "/records/customer/query": `{"where":` + where + `}`, "/records/order/query": `{"where":` + where + `}`, "/conditions/check": `{"object":"customer","where":` + where + `}`} {
			began := time.Now()
			k.judge(what+" at "+path, k.do("POST", path, body))
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s at %s took %s", what, path, took)
			}
		}
	}
	alive(t, m)
}

// TestHostileFiles: uploads that are bombs, broken or mean.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "--max-upload-mb", "32").setup("Asia/Shanghai", "CNY").start()
	k := newCritic(t, m.client())
	zeros := bytes.Repeat([]byte("0"), 1<<20)
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	for range 400 { // 400 MB of one line
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"bomb.csv.gz": gz.Bytes(), "bomb.xlsx": xlsx(t, func(w io.Writer) {
			_, _ = io.WriteString(w, `<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>name</t></is></c></row>`)
			for range 300 { // 300 MB
				_, _ = io.WriteString(w, `<row><c t="inlineStr"><is><t>`)
				_, _ = w.Write(zeros)
				_, _ = io.WriteString(w, `</t></is></c></row>`)
			}
			_, _ = io.WriteString(w, `</sheetData></worksheet>`)
		}),
		"laughs.xlsx": xlsx(t, func(w io.Writer) {
			_, _ = io.WriteString(w, `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><worksheet><sheetData><row><c t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>`)
		}),
		"cell.csv":              []byte("name,note\nA," + strings.Repeat("x", 10<<20) + "\nB,b\n"),
		"quote.csv":             []byte("name,note\nA,\"" + strings.Repeat("x\n", 1<<20)),
		"nul.csv":               []byte("name\x00,note\nA\x00B,c\n"),
		"bytes.csv":             []byte("name,note\n\xff\xfe\xfd,\xc3\x28\n"),
		"utf16.csv":             []byte("\xff\xfen\x00a\x00m\x00e\x00\n\x00A\x00\n\x00"),
		"empty.csv":             {},
		"only.csv":              []byte("\n\n\n"),
		"header.csv":            []byte("name,name,name\n"),
		"wide.csv":              []byte(strings.Repeat("c,", 20_000) + "c\n" + strings.Repeat("1,", 20_000) + "1\n"),
		"ragged.csv":            []byte("name,phone\nA\nB,1,2,3,4\n\"C\",\"\"\"\n"),
		"deep.ndjson":           []byte(`{"name":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}\n"),
		"bad.ndjson":            []byte("{\"name\":\"A\"}\n{\"name\":\n[1,2]\nnull\n\"x\"\n{\"name\":{\"a\":1}}\n{\"name\":1e400}\n"),
		"fake.xlsx":             []byte("PK\x03\x04 not a zip"),
		"fake.parquet":          []byte("PAR1" + strings.Repeat("\x00\xff", 100) + "PAR1"),
		"fake.csv.gz":           append(gz.Bytes()[:64], 0, 0, 0),
		"../../../../etc/x.csv": []byte("name\nA\n"),
		"formula.csv":           []byte("name,note\n\"=cmd|' /C calc'!A0\",\"=HYPERLINK(\"\"http://x\"\")\"\n+1,@x\n-2,\t=1\n"),
		"slip.xlsx":             slip(t),
	}
	for name, content := range files {
		for _, object := range []string{"customer", "order"} {
			began := time.Now()
			a := k.upload(object, name, content)
			what := object + " from " + name
			k.judge(what, a)
			if a.status == 201 {
				k.runAnyhow(what, a)
			}
			if took := time.Since(began); took > 45*time.Second {
				t.Errorf("%s took %s", what, took)
			}
		}
	}
	k.judge("no object", k.upload("spaceship", "a.csv", []byte("a\n1\n")))
	k.judge("too large", k.upload("customer", "a.csv", bytes.Repeat([]byte("name\n"), 7<<20)))
	k.judge("no form", k.do("POST", "/imports", "{}"))
	for _, kind := range []string{"multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "application/json; charset=utf-7"} {
		a, err := k.ask("POST", "/imports", kind, strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nname\n"))
		if err != nil {
			t.Fatal(err)
		}
		k.judge(kind, a)
	}
	out := k.do("POST", "/records/customer/export", `{"format":"csv","fields":["name","note"]}`)
	for line := range strings.Lines(string(out.body)) {
		for cell := range strings.SplitSeq(strings.TrimPrefix(line, "\ufeff"), ",") {
			if cell = strings.TrimPrefix(cell, `"`); cell != "" && strings.ContainsRune("=@\t", rune(cell[0])) {
				t.Errorf("a formula leaves alive: %q", line)
			}
		}
	}
	if out.status != 200 || !bytes.Contains(out.body, []byte("'=cmd")) {
		t.Errorf("the formula file was not imported or exported: %d %.300s", out.status, out.body)
	}
	alive(t, m)
}

// runAnyhow starts an import of a strange file with whatever mapping was suggested, or with name from the first column.
func (k *critic) runAnyhow(what string, a answer) {
	k.Helper()
	var j importJob
	if err := json.Unmarshal(a.body, &j); err != nil {
		k.Fatalf("%s: %v", what, err)
	}
	if strings.HasPrefix(what, "customer") {
		k.judge(what+": mapping", k.do("PATCH", "/imports/"+j.ID, `{"mapping":{"fields":{"name":"name","note":"note"},"options":{"on_error":"skip"}}}`))
	}
	k.judge(what+": get", k.do("GET", "/imports/"+j.ID, ""))
	s := k.do("POST", "/imports/"+j.ID+"/start", `{"dry_run":false}`)
	k.judge(what+": start", s)
	if s.status != 200 {
		return
	}
	end := k.finished(j.ID, time.Minute)
	if end.Status == "failed" {
		var p struct{ Type, Title string }
		if err := json.Unmarshal(end.Error, &p); err != nil || p.Type == "" || p.Type == "import.internal" || p.Type == "api.internal" || !k.words.Has(lang.English, p.Type) {
			k.Errorf("%s failed with %s", what, end.Error)
		}
	}
	errs := k.do("GET", "/imports/"+j.ID+"/errors", "")
	if !slices.Contains([]int{200, 404}, errs.status) {
		k.Errorf("%s: errors: %d", what, errs.status)
	}
	k.judge(what+": undo", k.do("POST", "/imports/"+j.ID+"/cancel", "{}"))
}

// xlsx packs one sheet.
func xlsx(t testing.TB, sheet func(io.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content func(io.Writer)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		content(w)
	}
	text := func(s string) func(io.Writer) { return func(w io.Writer) { _, _ = io.WriteString(w, s) } }
	add("[Content_Types].xml", text(`<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`))
	add("_rels/.rels", text(`<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`))
	add("xl/workbook.xml", text(`<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`))
	add("xl/_rels/workbook.xml.rels", text(`<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`))
	add("xl/worksheets/sheet1.xml", sheet)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// slip is an archive whose entries point outside.
func slip(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"../../../../tmp/guanxi-slip", "/tmp/guanxi-slip", "xl/workbook.xml"} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, "x")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

package app_test

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// work runs the queue until nothing is due.
func (s *site) work() {
	s.Helper()
	for {
		ran, err := s.app.Jobs().Step(context.Background())
		if err != nil {
			s.Fatal(err)
		}
		if !ran {
			return
		}
	}
}

type importAnswer struct {
	ID, Status string
	Result     struct{ Created, Errors int }
}

// importFile imports a CSV of customers as its columns suggest, and waits for the end.
func (c *client) importFile(name, content string) importAnswer {
	c.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	err := w.WriteField("object", "customer")
	part, err2 := w.CreateFormFile("file", name)
	_, err3 := io.WriteString(part, content)
	if err := errors.Join(err, err2, err3, w.Close()); err != nil {
		c.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.Context(), "POST", c.server.URL+api.Prefix+"/imports", &form)
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("X-CSRF-Token", c.csrf)
	var v importAnswer
	if err := c.want(201, c.send(req)).json(&v); err != nil {
		c.Fatal(err)
	}
	c.want(200, c.do("POST", "/imports/"+v.ID+"/start", `{}`))
	eventually(c.T, "the import", func() bool {
		v = read[importAnswer](c, "GET", "/imports/"+v.ID, "", 200)
		return v.Status == "done" || v.Status == "failed"
	})
	return v
}

// canaries are texts that stand in no dictionary, one for each place where something about a person may be kept.
type canaries map[string]string

func plant() canaries {
	return canaries{"name": "Zqxcanaryname", "note": "zqxcanarynote", "email": "zqxcanarymail@example.com", "idnumber": "ZQXCANARYID77", "card": "zqxcanarycard", "external": "zqxcanaryext", "tag": "zqxcanarytag",
		"comment": "zqxcanarycomment", "revision": "zqxcanaryrevised", "file": "zqxcanaryfile", "filename": "zqxcanaryfilename", "task": "zqxcanarytask", "call": "zqxcanarycall", "order": "zqxcanaryordernote",
		"contact": "zqxcanarycontact", "before": "zqxcanarybefore", "custom": "zqxcanarycustom", "merged": "zqxcanarymerged", "import": "zqxcanaryimport", "occupation": "zqxcanaryjob", "made": "zqxcanarymade", "imported": "zqxcanaryimported",
		"guest": "zqxcanaryguest", "refused": "zqxcanaryrefused", "behaviour": "zqxcanarybehaviour", "page": "zqxcanarypage", "consent": "zqxcanaryconsent"}
}

// found are the canaries that stand in some bytes, as text or as UTF-16.
func (c canaries) found(raw []byte) []string {
	var out []string
	raw = bytes.ToLower(raw)
	for where, text := range c {
		if bytes.Contains(raw, []byte(strings.ToLower(text))) {
			out = append(out, where)
		}
	}
	return out
}

// files visits every file of the data directory.
func (s *site) files(visit func(name string, raw []byte)) {
	s.Helper()
	root := s.app.Config.Data
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(p)
		visit(strings.TrimPrefix(p, root), raw)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

type erasureAnswer struct {
	ID, State, Reason, Certificate, Step, Error string
	Mine                                        bool
	Counts                                      []erasurePart
}

type erasurePart struct {
	Part, Fate string
	Count      int
}

// person makes a customer about whom something is known everywhere, and says its id.
func person(t *testing.T, s *site, c *client, k canaries) string {
	t.Helper()
	admin := s.as(access.Administrator)
	admin.want(201, admin.do("POST", "/objects/customer/fields", `{"key":"allergy","type":"text","label":{"zh-CN":"过敏","en":"Allergy"}}`))
	admin.want(201, admin.do("POST", "/objects", `{"key":"fitting","label":{"zh-CN":"试衣","en":"Fitting"},"plural":{"zh-CN":"试衣","en":"Fittings"},"of_customer":true}`))
	p := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"`+k["before"]+`","phone":"13912345670","email":"`+k["email"]+`","id_number":"`+k["idnumber"]+`","card_number":"`+k["card"]+
		`","external_id":"`+k["external"]+`","tags":["`+k["tag"]+`"],"note":"`+k["note"]+`","occupation":"`+k["occupation"]+`","allergy":"`+k["custom"]+`","address":{"region":"310101","street":"`+k["note"]+`"}}}`, 201)
	p = read[rec](c.with("If-Match", `"1"`), "PATCH", "/records/customer/"+p.ID, `{"fields":{"name":"`+k["name"]+`"}}`, 200)
	c.want(201, c.do("POST", "/records/contact", `{"fields":{"name":"`+k["contact"]+`","customer":"`+p.ID+`"}}`))
	c.want(201, c.do("POST", "/records/task", `{"fields":{"subject":"`+k["task"]+`","about":"`+p.ID+`"}}`))
	c.want(201, c.do("POST", "/records/call", `{"fields":{"subject":"`+k["call"]+`","about":"`+p.ID+`"}}`))
	c.want(201, c.do("POST", "/records/order", `{"fields":{"number":"N1","customer":"`+p.ID+`","status":"completed","placed_at":"2026-01-05T08:00:00Z","note":"`+k["order"]+`","net_amount":{"amount":"99.00","currency":"CNY"}}}`))
	said := read[struct{ ID string }](c, "POST", "/records/customer/"+p.ID+"/comments", `{"body":"`+k["comment"]+`"}`, 201)
	c.want(200, c.with("If-Match", `"1"`).do("PATCH", "/comments/"+said.ID, `{"body":"`+k["revision"]+`"}`))
	c.attached("/records/customer/"+p.ID, k["filename"]+".txt", k["file"])
	c.want(200, c.do("POST", "/customers/"+p.ID+"/consents", `{"items":[{"purpose":"marketing","channel":"email","state":"given","source":"form","page":"https://shop.example/`+k["consent"]+`","note":"`+k["consent"]+`","once":"`+k["consent"]+`"}]}`))
	twin := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"`+k["merged"]+`","wechat_unionid":"unionzqx"}}`, 201)
	c.want(200, c.do("POST", "/records/customer/merge", `{"survivor":"`+p.ID+`","ids":["`+twin.ID+`"],"fields":{"name":"`+p.ID+`"}}`))
	im := c.importFile(k["import"]+".csv", "姓名,手机,外部编号\n"+k["imported"]+",13712340000,zqxcanaryext2\n")
	if im.Result.Created != 1 {
		t.Fatalf("%+v", im)
	}
	imported := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"external_id","op":"=","value":"zqxcanaryext2"}}`, 200).Items[0]
	c.want(200, c.do("POST", "/records/customer/merge", `{"survivor":"`+p.ID+`","ids":["`+imported.ID+`"],"fields":{"name":"`+p.ID+`","phone":"`+p.ID+`","external_id":"`+p.ID+`"}}`))
	// A meeting about somebody else, to which the person was asked by address.
	meeting := read[rec](c, "POST", "/records/meeting", `{"fields":{"subject":"试穿会","starts_at":"2026-12-05T08:00:00Z","about":"`+c.make("别人").ID+`"}}`, 201)
	c.want(201, c.do("POST", "/meetings/"+meeting.ID+"/guests", `{"name":"`+k["guest"]+`","email":"`+k["email"]+`"}`))
	c.want(201, c.do("POST", "/records/fitting", `{"fields":{"name":"`+k["made"]+`","customer":"`+p.ID+`"}}`))
	s.behave(k)
	return p.ID
}

// behave has the person look at a page before anybody knows who it is, and say so then.
func (s *site) behave(k canaries) {
	s.Helper()
	key := read[madeSource](s.as(access.Administrator), "POST", "/event-sources", `{"name":"商城","type":"server"}`, 201).WriteKey
	for _, e := range []string{`page {"anonymousId":"zqx-a","properties":{"url":"https://shop.example/` + k["page"] + `","title":"t"}}`,
		`track {"anonymousId":"zqx-a","event":"Product Viewed","properties":{"name":"` + k["behaviour"] + `"}}`,
		`identify {"anonymousId":"zqx-a","userId":"` + k["external"] + `"}`, `track {"userId":"` + k["external"] + `","properties":{"note":"` + k["refused"] + `"}}`} {
		kind, body, _ := strings.Cut(e, " ")
		if status, answer := s.sendEvent("/v1/"+kind, key, body); status != 200 {
			s.Fatalf("%d %s", status, answer)
		}
	}
}

func TestErasure(t *testing.T) {
	t.Parallel()
	onBoth(t, erasure)
}

func erasure(t *testing.T, s *site) {
	c, k := s.as(access.Manager), plant()
	p := person(t, s, c, k)
	other := c.make("王小明").ID
	// Whoever may not is refused, and sees nothing of what there would be.
	member := s.as(access.Member)
	member.wantCode(403, "access.forbidden", member.do("GET", "/records/customer/"+p+"/erasure", ""))
	before := totals(c)
	c.want(202, c.do("POST", "/records/customer/exports", `{"format":"csv"}`))
	eventually(t, "the export", func() bool {
		return strings.Contains(string(c.want(200, c.do("GET", "/jobs", "")).body), `"status":"done"`)
	})

	eventually(t, "the notice of the import", func() bool {
		return strings.Contains(string(c.want(200, c.do("GET", "/notifications", "")).body), k["import"])
	})

	preview := read[struct {
		Counts []struct {
			Part, Fate string
			Count      int
		}
		Merged int
	}](c, "GET", "/records/customer/"+p+"/erasure", "", 200)
	had := map[string]int{}
	for _, x := range preview.Counts {
		had[x.Part+"/"+x.Fate] += x.Count
	}
	for _, part := range []string{"object:customer/shell", "object:customer/gone", "object:contact/gone", "object:task/gone", "object:call/gone", "object:fitting/gone", "object:order/emptied", "comments/gone", "files/gone", "history/gone", "merges/gone"} {
		if had[part] == 0 {
			t.Errorf("the preview knows nothing of %s: %v", part, had)
		}
	}
	// The control: what is looked for afterwards is there before.
	planted := 0
	s.files(func(_ string, raw []byte) { planted += len(k.found(raw)) })
	if s.app.Config.DatabaseURL == "" && planted < 15 {
		t.Fatalf("only %d of the texts are found before the erasure: the search proves nothing", planted)
	}
	c.wantCode(422, "privacy.not_confirmed", c.do("POST", "/records/customer/"+p+"/erase", `{"reason":"request","confirm":"yes"}`))
	c.wantCode(422, "privacy.unknown_reason", c.do("POST", "/records/customer/"+p+"/erase", `{"reason":"why not","confirm":"`+p+`"}`))
	c.want(200, c.do("POST", "/records/customer/"+p+"/hold", `{"reason":"诉讼"}`))
	c.wantCode(409, "privacy.on_hold", c.do("POST", "/records/customer/"+p+"/erase", `{"reason":"request","confirm":"`+p+`"}`))
	c.want(204, c.do("DELETE", "/records/customer/"+p+"/hold", ""))

	// A second person is wanted, and cannot be the first.
	c.want(200, c.do("PATCH", "/privacy/settings", `{"second_person":true}`))
	e := read[erasureAnswer](c, "POST", "/records/customer/"+p+"/erase", `{"reason":"request","reference":"C-7","confirm":"`+p+`"}`, 202)
	if e.State != "waiting" || !e.Mine {
		t.Fatalf("%+v", e)
	}
	c.wantCode(409, "privacy.erasing", c.do("POST", "/records/customer/"+p+"/erase", `{"reason":"request","confirm":"`+p+`"}`))
	c.wantCode(403, "privacy.second_person", c.do("POST", "/privacy/erasures/"+e.ID+"/decide", `{"confirm":true}`))
	s.work()
	if got := read[rec](c, "GET", "/records/customer/"+p, "", 200); got.Title != k["name"] {
		t.Fatalf("erased before anybody confirmed: %+v", got)
	}
	admin := s.as(access.Administrator)
	admin.want(200, admin.do("POST", "/privacy/erasures/"+e.ID+"/decide", `{"confirm":true}`))
	s.work()
	e = read[erasureAnswer](c, "GET", "/privacy/erasures/"+e.ID, "", 200)
	if e.State != "done" || e.Certificate == "" {
		t.Fatalf("%+v", e)
	}
	if i := slices.IndexFunc(e.Counts, func(x erasurePart) bool { return x.Part == "behaviour" }); i < 0 || e.Counts[i].Count != 3 {
		t.Errorf("of behaviour went %+v", e.Counts)
	}

	// What stays is a shell with its figures.
	got := read[rec](c, "GET", "/records/customer/"+p, "", 200)
	if got.Title != "已删除的个人信息" || got.Fields["phone"] != nil || got.Fields["tags"] != nil || got.Fields["processing"] != "erased" {
		t.Errorf("what is left: %+v", got)
	}
	if after := totals(c); after != before {
		t.Errorf("figures were %s and are %s", before, after)
	}
	for _, object := range []string{"contact", "task", "call", "fitting"} {
		if list := read[page](c, "GET", "/records/"+object, "", 200); len(list.Items) != 0 {
			t.Errorf("%s: %+v", object, list.Items)
		}
	}
	for _, path := range []string{"/records/customer/" + p + "/timeline", "/records/customer/" + p + "/history", "/records/customer/" + p + "/files", "/search?q=zqxcanary", "/search?q=13912345670", "/records/order", "/notifications", "/audit?limit=200", "/privacy/erasures"} {
		a := admin.want(200, admin.do("GET", path, ""))
		if left := k.found(a.body); left != nil {
			t.Errorf("%s still tells of %v: %.400s", path, left, a.body)
		}
	}
	c.wantCode(409, "privacy.erased", c.with("If-Match", `"`+strconv.FormatInt(got.Version, 10)+`"`).do("PATCH", "/records/customer/"+p, `{"fields":{"name":"x"}}`))
	c.wantCode(409, "privacy.erased", c.do("POST", "/records/customer/"+p+"/erase", `{"reason":"request","confirm":"`+p+`"}`))

	// The person does not come back.
	back := c.wantCode(409, "privacy.suppressed", c.do("POST", "/records/customer", `{"fields":{"name":"x","phone":"139 1234 5670"}}`))
	if !bytes.Contains(back.body, []byte("fields.phone")) {
		t.Errorf("%s", back.body)
	}
	c.wantCode(409, "privacy.suppressed", c.do("POST", "/records/contact", `{"fields":{"name":"x","customer":"`+other+`","email":"`+strings.ToUpper(k["email"])+`"}}`))
	c.wantCode(409, "privacy.suppressed", c.with("If-Match", `"1"`).do("PATCH", "/records/customer/"+other, `{"fields":{"wechat_unionid":"unionzqx"}}`))
	if v := read[api.Suppression](c, "POST", "/privacy/suppression", `{"object":"customer","field":"phone","value":"13912345670","lift":true}`, 200); v.Suppressed {
		t.Error("not lifted")
	}
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"x","phone":"139 1234 5670"}}`))

	im := c.importFile("again.csv", "姓名,手机,外部编号\n"+k["imported"]+",13712340000,zqxcanaryext2\n李四,13712349999,other\n")
	if im.Result.Created != 1 || im.Result.Errors != 1 {
		t.Errorf("imported again: %+v", im)
	}
	if why := string(c.want(200, c.do("GET", "/imports/"+im.ID+"/errors", "")).body); !strings.Contains(why, "asked to be erased") {
		t.Errorf("the import does not say why: %s", why)
	}

	// The proof.
	cert := c.want(200, c.do("GET", "/privacy/erasures/"+e.ID+"/certificate", ""))
	if !bytes.Contains(cert.body, []byte(e.Certificate)) || !bytes.Contains(cert.body, []byte(p)) || !bytes.Contains(cert.body, []byte("C-7")) {
		t.Errorf("%s", cert.body)
	}
	trail := admin.want(200, admin.do("GET", "/audit?action=privacy.", ""))
	if !bytes.Contains(trail.body, []byte(e.Certificate)) {
		t.Errorf("the trail does not hold the certificate: %s", trail.body)
	}
	if check := read[struct{ OK bool }](admin, "GET", "/audit/check", "", 200); !check.OK {
		t.Error("the chain of the trail broke")
	}
	s.files(func(name string, raw []byte) {
		if left := k.found(raw); left != nil {
			t.Errorf("%s still holds %v", name, left)
		}
		if strings.Contains(name, "/exports/") {
			t.Errorf("%s is still there", name)
		}
	})
	s.dump(k)
}

// dump looks through every row of a PostgreSQL database, in both schemas.
func (s *site) dump(k canaries) {
	s.Helper()
	if s.app.Config.DatabaseURL == "" {
		return
	}
	db, err := sql.Open("pgx", s.app.Config.DatabaseURL)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname IN ($1, $2)", s.app.InstanceSchema, s.app.WorkspacePrefix+"main")
	if err != nil {
		s.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			s.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil || len(tables) < 30 {
		s.Fatalf("%d tables, %v", len(tables), err)
	}
	for _, name := range tables {
		for where, text := range k {
			var n int
			err := db.QueryRow("SELECT count(*) FROM "+name+" t WHERE t::text ILIKE $1 OR t::text ILIKE $2", "%"+text+"%", "%"+hex.EncodeToString([]byte(text))+"%").Scan(&n)
			if err != nil || n > 0 {
				s.Errorf("%s still holds %s (%v)", name, where, err)
			}
		}
	}
}

// totals are figures of the business that an erasure must not change.
func totals(c *client) string {
	c.Helper()
	a := read[struct {
		Total struct {
			Count    int
			Measures []any
		}
	}](c, "POST", "/records/order/aggregate", `{"measures":[{"func":"count"},{"func":"sum","field":"net_amount"}]}`, 200)
	b := read[struct{ Count int }](c, "POST", "/records/customer/count", `{}`, 200)
	return mustJSON(c.T, a) + strconv.Itoa(b.Count)
}

func TestErasureOfContact(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Manager)
		company := c.make("锦书服饰").ID
		who := read[rec](c, "POST", "/records/contact", `{"fields":{"name":"zqxcontact","phone":"13800001111","customer":"`+company+`"}}`, 201)
		order := read[rec](c, "POST", "/records/order", `{"fields":{"number":"N2","customer":"`+company+`","contact":"`+who.ID+`","note":"stays"}}`, 201)
		c.want(201, c.do("POST", "/records/call", `{"fields":{"subject":"zqxcall","customer":"`+company+`","contact":"`+who.ID+`"}}`))
		c.want(202, c.do("POST", "/records/contact/"+who.ID+"/erase", `{"reason":"request","confirm":"`+who.ID+`"}`))
		s.work()
		c.want(404, c.do("GET", "/records/contact/"+who.ID, ""))
		if got := read[rec](c, "GET", "/records/order/"+order.ID, "", 200); got.Fields["contact"] != nil || got.Fields["note"] != "stays" {
			t.Errorf("the order: %+v", got.Fields)
		}
		if got := read[rec](c, "GET", "/records/customer/"+company, "", 200); got.Title != "锦书服饰" {
			t.Errorf("the company: %+v", got)
		}
		if list := read[page](c, "GET", "/records/call", "", 200); len(list.Items) != 0 {
			t.Errorf("%+v", list.Items)
		}
		c.wantCode(409, "privacy.suppressed", c.do("POST", "/records/customer", `{"fields":{"name":"x","phone":"13800001111"}}`))
	})
}

func TestPersonalCopy(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c, k := s.as(access.Manager), plant()
		p := person(t, s, c, k)
		member := s.as(access.Member)
		member.wantCode(403, "access.forbidden", member.do("POST", "/records/customer/"+p+"/copy", `{}`))
		v := read[api.Offer](c, "POST", "/offers", `{"name":"老客专享","rule":{"kind":"amount","amount":500}}`, 201)
		coupon := read[api.CouponList](c, "POST", "/offers/"+v.ID+"/codes", `{"customers":["`+p+`"]}`, 201).Items[0].Code
		x := read[api.PrivacyCopy](c, "POST", "/records/customer/"+p+"/copy", `{}`, 202)
		s.work()
		list := read[api.PrivacyCopies](c, "GET", "/privacy/copies?record="+p, "", 200)
		if len(list.Items) != 1 || list.Items[0].State != "done" || list.Items[0].ExpiresAt == nil {
			t.Fatalf("%+v", list)
		}
		a := c.want(200, c.do("GET", "/privacy/copies/"+x.ID+"/file", ""))
		z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string][]byte{}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			all[f.Name], err = io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"data.json", "index.zh-CN.html", "index.en.html"} {
			for _, part := range []string{"name", "email", "idnumber", "card", "comment", "task", "call", "contact", "order", "custom", "made", "merged"} {
				want := k[part]
				if part == "comment" {
					want = k["revision"]
				}
				if !bytes.Contains(all[name], []byte(want)) {
					t.Errorf("%s does not tell of %s", name, part)
				}
			}
		}
		for _, name := range []string{"data.json", "index.zh-CN.html", "index.en.html"} {
			if !bytes.Contains(all[name], []byte(coupon)) || !bytes.Contains(all[name], []byte("老客专享")) {
				t.Errorf("%s does not tell of the coupon", name)
			}
		}
		if len(all) != 4 || !bytes.Contains(all["files/1-"+k["filename"]+".txt"], []byte(k["file"])) {
			t.Errorf("files: %d", len(all))
		}
		s.files(func(name string, raw []byte) {
			if strings.Contains(name, "copies") && k.found(raw) != nil {
				t.Errorf("%s is not encrypted", name)
			}
		})
		admin := s.as(access.Administrator)
		if trail := string(admin.want(200, admin.do("GET", "/audit?action=privacy.", "")).body); !strings.Contains(trail, "privacy.copy_fetch") {
			t.Error("taking the file is not in the trail")
		}
	})
}

func TestRegister(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.Manager)
	p := c.make("王小明").ID
	r := read[api.PrivacyRequest](c, "POST", "/privacy/requests", `{"kind":"erasure","record":"`+p+`","received_on":"2026-01-30","law":"gdpr"}`, 201)
	if r.DueOn != "2026-02-28" || r.State != "open" || r.Record == nil || r.Record.Title != "王小明" || r.DaysLeft >= 0 {
		t.Fatalf("%+v", r)
	}
	r = read[api.PrivacyRequest](c, "PATCH", "/privacy/requests/"+r.ID, `{"extended":true,"version":1}`, 200)
	if r.DueOn != "2026-04-30" {
		t.Errorf("extended: %s", r.DueOn)
	}
	c.wantCode(412, "privacy.request_stale", c.do("PATCH", "/privacy/requests/"+r.ID, `{"extended":false,"version":1}`))
	c.wantCode(422, "privacy.refusal_reason", c.do("PATCH", "/privacy/requests/"+r.ID, `{"state":"refused"}`))
	c.wantCode(422, "privacy.not_verified", c.do("PATCH", "/privacy/requests/"+r.ID, `{"state":"done"}`))
	// Friday 2 January 2026 and fifteen working days.
	w := read[api.PrivacyRequest](c, "POST", "/privacy/requests", `{"kind":"access","received_on":"2026-01-02"}`, 201)
	if w.DueOn != "2026-01-23" || w.Law != "pipl" {
		t.Errorf("%+v", w)
	}
	c.want(202, c.do("POST", "/records/customer/"+p+"/erase", `{"reason":"request","request":"`+r.ID+`","confirm":"`+p+`"}`))
	s.work()
	open := read[api.PrivacyRequests](c, "GET", "/privacy/requests?open=true", "", 200)
	closed := read[api.PrivacyRequests](c, "GET", "/privacy/requests?open=false", "", 200)
	if len(open.Items) != 1 || len(closed.Items) != 1 || closed.Items[0].State != "done" || !strings.HasPrefix(closed.Items[0].Proof, "era_") {
		t.Errorf("open %+v, closed %+v", open, closed)
	}
}

func TestRestrictedIsOnlyStored(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c := s.as(access.Manager)
		a, b := c.make("甲").ID, c.make("乙").ID
		c.want(201, c.do("POST", "/segments", `{"key":"all","label":"all","kind":"dynamic","where":{"field":"name","op":"is_set"}}`))
		count := func() int {
			return read[struct{ Count int }](c, "POST", "/segments/count", `{"where":{"field":"name","op":"is_set"}}`, 200).Count
		}
		eventually(t, "both count", func() bool { return count() == 2 })
		c.want(200, c.do("POST", "/records/customer/"+b+"/restrict", `{"on":true}`))
		eventually(t, "one counts", func() bool { return count() == 1 })
		members := read[page](c, "GET", "/segments/all/members", "", 200)
		if len(members.Items) != 1 || members.Items[0].ID != a {
			t.Errorf("%+v", members)
		}
		if out := string(c.want(200, c.do("POST", "/records/customer/export", `{"format":"csv"}`)).body); strings.Contains(out, b) || !strings.Contains(out, a) {
			t.Errorf("exported: %s", out)
		}
		if list := read[page](c, "GET", "/records/customer", "", 200); len(list.Items) != 2 {
			t.Errorf("the list: %+v", list)
		}
		c.want(200, c.do("POST", "/records/customer/"+b+"/restrict", `{"on":false}`))
		eventually(t, "both count again", func() bool { return count() == 2 })
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	s, clk := trustSite(t)
	c := s.as(access.Manager)
	old, kept, buys := c.make("旧").ID, c.make("诉讼").ID, c.make("常客").ID
	note := read[rec](c, "POST", "/records/note", `{"fields":{"title":"x","body":"zqxold","customer":"`+buys+`"}}`, 201)
	c.want(200, c.do("POST", "/records/customer/"+kept+"/hold", `{"reason":"诉讼"}`))
	clk.Advance(400 * 24 * 60 * 60 * 1e9)
	c = s.as(access.Manager)
	c.want(201, c.do("POST", "/records/order", `{"fields":{"customer":"`+buys+`","placed_at":"`+clk.Now().Format("2006-01-02T15:04:05Z")+`"}}`))
	for path, body := range map[string]string{"object": `{"object":"product","name":"r","months":1}`, "months": `{"object":"customer","name":"r","months":0}`, "name": `{"object":"customer","name":"","months":12}`} {
		if a := c.want(422, c.do("POST", "/privacy/retention", body)); !bytes.Contains(a.body, []byte(path)) {
			t.Errorf("%s", a.body)
		}
	}
	p := read[api.RetentionPreview](c, "POST", "/privacy/retention/preview", `{"object":"customer","months":12}`, 200)
	if p.Found != 2 || p.Held != 1 || p.Action != "erase" {
		t.Errorf("%+v", p)
	}
	c.want(201, c.do("POST", "/privacy/retention", `{"object":"customer","name":"一年","months":12,"active":true}`))
	c.want(201, c.do("POST", "/privacy/retention", `{"object":"note","name":"一年","months":12,"basis":"created","active":true}`))
	if err := s.app.QueueNightly(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.work()
	if got := read[rec](c, "GET", "/records/customer/"+old, "", 200); got.Fields["processing"] != "erased" {
		t.Errorf("old: %+v", got.Fields)
	}
	for _, v := range []string{kept, buys} {
		if got := read[rec](c, "GET", "/records/customer/"+v, "", 200); got.Fields["processing"] != nil {
			t.Errorf("kept: %+v", got.Fields)
		}
	}
	c.want(404, c.do("GET", "/records/note/"+note.ID, ""))
	rules := read[api.RetentionRules](c, "GET", "/privacy/retention", "", 200)
	if len(rules.Items) != 2 || len(rules.Items[0].Runs) != 1 || rules.Items[0].Runs[0].Done != 1 || rules.Items[0].Runs[0].Held != 1 {
		t.Errorf("%+v", rules)
	}
}

// TestErasureInterrupted stops the work again and again, later each time, as a crash would: it goes on and nothing is left.
func TestErasureInterrupted(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		c, k := s.as(access.Manager), plant()
		p := person(t, s, c, k)
		before := totals(c)
		e := read[erasureAnswer](c, "POST", "/records/customer/"+p+"/erase", `{"reason":"request","confirm":"`+p+`"}`, 202)
		stops := 0
		for after := 2 * time.Millisecond; ; after = after * 3 / 2 {
			ctx, cancel := context.WithTimeout(context.Background(), after)
			_, err := s.app.Jobs().Step(ctx)
			ended := ctx.Err() != nil
			cancel()
			if !ended && err == nil {
				break
			}
			stops++
		}
		// A stop in the middle of taking the job leaves it to whoever comes when the lease ends; the next job finds it first.
		if after := totals(c); after != before {
			t.Errorf("figures were %s and are %s after the interruptions", before, after)
		}
		next := c.make("李四").ID
		before = totals(c)
		c.want(202, c.do("POST", "/records/customer/"+next+"/erase", `{"reason":"request","confirm":"`+next+`"}`))
		s.work()
		if got := read[erasureAnswer](c, "GET", "/privacy/erasures/"+e.ID, "", 200); got.State != "done" || stops == 0 {
			t.Fatalf("after %d interruptions: %+v", stops, got)
		}
		if after := totals(c); after != before {
			t.Errorf("figures were %s and are %s", before, after)
		}
		s.files(func(name string, raw []byte) {
			if left := k.found(raw); left != nil {
				t.Errorf("%s still holds %v", name, left)
			}
		})
		s.dump(k)
	})
}

// TestRestoreErasesAgain: a backup from before an erasure is brought up to the ledger.
func TestRestoreErasesAgain(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	flags := map[string]string{"data": sh.dir}
	s := prepare(t, open(t, app.Options{Config: settings(t, flags)}))
	c := s.as(access.Manager)
	p := c.make("zqxrestored").ID
	if err := s.app.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "b.tar.zst")
	var made struct{ File string }
	sh.ok(&made, "backup", file)

	s = at(t, flags)
	c = s.as(access.Manager)
	c.want(200, c.with("If-Match", "*").do("PATCH", "/records/customer/"+p, `{"fields":{"phone":"13700007777"}}`)) // the backup has another one
	later := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"后来","phone":"13700008888"}}`, 201).ID
	for _, v := range []string{p, later} {
		c.want(202, c.do("POST", "/records/customer/"+v+"/erase", `{"reason":"request","confirm":"`+v+`"}`))
		s.work()
	}
	c.want(200, c.do("POST", "/privacy/suppression", `{"object":"customer","field":"phone","value":"13700008888","lift":true}`))
	if err := s.app.Close(); err != nil {
		t.Fatal(err)
	}
	fresh := newShell(t)
	if err := os.MkdirAll(fresh.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{app.SecretName, app.LedgerName} {
		raw, err := os.ReadFile(filepath.Join(sh.dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(fresh.dir, name), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if name == app.LedgerName && bytes.Contains(raw, []byte("zqxrestored")) {
			t.Error("the ledger names the person")
		}
	}
	if code, out, errs := fresh.run("", "restore", file); code != 0 {
		t.Fatalf("restore: %d %s %s", code, out, errs)
	}
	s = at(t, map[string]string{"data": fresh.dir})
	c = s.as(access.Manager)
	c.want(200, c.do("GET", "/records/customer/"+p, "")) // the first look opens the workspace
	s.work()
	if got := read[rec](c, "GET", "/records/customer/"+p, "", 200); got.Fields["processing"] != "erased" {
		t.Errorf("a restored backup brought the person back: %+v", got)
	}
	if list := read[struct{ Items []erasureAnswer }](c, "GET", "/privacy/erasures", "", 200); len(list.Items) != 1 || list.Items[0].Reason != "restored" {
		t.Errorf("%+v", list)
	}
	// What keeps people from coming back is restored with the ledger, and so is that it was lifted.
	c.wantCode(409, "privacy.suppressed", c.do("POST", "/records/customer", `{"fields":{"name":"又","phone":"13700007777"}}`))
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"又","phone":"13700008888"}}`))
	if err := s.app.Close(); err != nil {
		t.Fatal(err)
	}
	again := at(t, map[string]string{"data": fresh.dir})
	c = again.as(access.Manager)
	if list := read[struct{ Items []erasureAnswer }](c, "GET", "/privacy/erasures", "", 200); len(list.Items) != 1 {
		t.Errorf("erased once more: %+v", list)
	}
}

// at opens a data directory that was set up before.
func at(t *testing.T, flags map[string]string) *site {
	t.Helper()
	a := open(t, app.Options{Config: settings(t, flags)})
	s := &site{T: t, app: a, server: httptest.NewServer(a.Handler())}
	t.Cleanup(s.server.Close)
	return s
}

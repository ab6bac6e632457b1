package app_test

import (
	"bufio"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// onBoth runs a scenario on embedded storage and on PostgreSQL.
func onBoth(t *testing.T, scenario func(*testing.T, *site)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		scenario(t, newSite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		scenario(t, newPostgresSite(t))
	})
}

func TestRecords(t *testing.T) {
	t.Parallel()
	onBoth(t, records)
}

func records(t *testing.T, s *site) {
	c := s.as(access.Manager)
	r := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"张三","phone":"138 1234 5678","email":"zhang@example.com","region":"浙江省杭州市","tags":["b","a"],"birthday":{"calendar":"solar","year":1990,"month":5,"day":3}}}`, 201)
	if r.Title != "张三" || r.Version != 1 || !strings.HasPrefix(r.ID, "cus_") {
		t.Fatalf("%+v", r)
	}
	if r.Fields["phone"] == "13812345678" || strings.Join(r.Masked, " ") != "email phone" {
		t.Fatalf("personal values are not masked: %+v", r)
	}
	if m, ok := r.Fields["region"].(map[string]any); !ok || m["code"] != "330100" {
		t.Fatalf("region %v", r.Fields["region"])
	}
	path := "/records/customer/" + r.ID
	c.wantCode(422, "api.version_required", c.do("PATCH", path, `{"fields":{"name":"李四"}}`))
	got := c.want(200, c.with("If-Match", `"1"`).do("PATCH", path, `{"fields":{"name":"李四"}}`))
	if got.header.Get("ETag") != `"2"` {
		t.Errorf("ETag %q", got.header.Get("ETag"))
	}
	stale := c.want(412, c.with("If-Match", `"1"`).do("PATCH", path, `{"fields":{"name":"王五"}}`))
	var conflict struct{ Current rec }
	if err := stale.json(&conflict); err != nil || conflict.Current.Version != 2 || conflict.Current.Title != "李四" {
		t.Fatalf("%s", stale.body)
	}
	c.want(304, c.with("If-None-Match", `"2"`).do("GET", path, ""))

	dup := c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"甲","external_id":"E1"}}`))
	_ = dup
	if got := c.do("POST", "/records/customer", `{"fields":{"name":"乙","external_id":"e1"}}`); got.status != 409 {
		t.Errorf("a taken unique key: %d %s", got.status, got.body)
	}
	bad := c.want(422, c.do("POST", "/records/customer", `{"fields":{"phone":"12","region":"nowhere at all"}}`))
	if !strings.Contains(string(bad.body), `"location":"fields.name"`) || !strings.Contains(string(bad.body), `"location":"fields.phone"`) {
		t.Errorf("not all faults are told with their place: %s", bad.body)
	}

	h := read[struct {
		Items []struct {
			Version int64
			Op      string
			Actor   struct{ Name string }
			Changes []struct {
				Field         string
				Before, After any
			}
		}
	}](c, "GET", path+"/history", "", 200)
	if len(h.Items) != 2 || h.Items[0].Op != "update" || h.Items[0].Actor.Name != "manager" || h.Items[0].Changes[0].Before != "张三" || h.Items[0].Changes[0].After != "李四" {
		t.Fatalf("%+v", h)
	}
	tl := read[struct{ Items []struct{ Kind string } }](c, "GET", path+"/timeline", "", 200)
	if len(tl.Items) != 2 || tl.Items[1].Kind != "created" {
		t.Fatalf("%+v", tl)
	}

	c.want(204, c.do("DELETE", path+"?version=2", ""))
	if got := read[page](c, "POST", "/records/customer/query", `{"total":"exact"}`, 200); *got.Total != 1 {
		t.Errorf("a deleted record is listed: %d", *got.Total)
	}
	c.want(200, c.do("POST", path+"/restore", ""))
	if got := read[page](c, "GET", "/records/customer?sort=name&total=exact", "", 200); *got.Total != 2 || len(got.Items) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestListsPageAndFilter(t *testing.T) {
	t.Parallel()
	onBoth(t, listsPageAndFilter)
}

func listsPageAndFilter(t *testing.T, s *site) {
	c := s.as(access.Manager)
	var ops []string
	for i := range 25 {
		ops = append(ops, `{"op":"create","fields":{"name":"客户`+strconv.Itoa(i)+`","source":"`+[]string{"store", "wechat"}[i%2]+`"}}`)
	}
	ops = append(ops, `{"op":"create","fields":{"phone":"13812345678"}}`)
	res := read[struct {
		Results []struct {
			Status int
			Record *rec
			Error  *struct{ Type string }
		}
	}](c, "POST", "/records/customer/batch", `{"operations":[`+strings.Join(ops, ",")+`]}`, 200)
	if len(res.Results) != 26 || res.Results[0].Status != 201 || res.Results[0].Record.Title != "客户0" || res.Results[25].Status != 422 || res.Results[25].Error == nil {
		t.Fatalf("%+v", res.Results[25])
	}
	seen, cursor := map[string]bool{}, ""
	for pages := 0; ; pages++ {
		p := read[page](c, "GET", "/records/customer?limit=10&sort=-created_at&cursor="+cursor, "", 200)
		for _, r := range p.Items {
			seen[r.ID] = true
		}
		if p.NextCursor == nil {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
		cursor = url.QueryEscape(*p.NextCursor)
	}
	if len(seen) != 25 {
		t.Fatalf("%d records seen", len(seen))
	}
	where := `{"field":"source","op":"=","value":"store"}`
	byQuery := read[page](c, "POST", "/records/customer/query", `{"where":`+where+`,"total":"exact","limit":5}`, 200)
	byURL := read[page](c, "GET", "/records/customer?total=exact&where="+base64.RawURLEncoding.EncodeToString([]byte(where)), "", 200)
	if *byQuery.Total != 13 || *byURL.Total != 13 || byQuery.Plane != "records" {
		t.Fatalf("%d %d", *byQuery.Total, *byURL.Total)
	}
	bad := c.want(422, c.do("POST", "/records/customer/query", `{"where":{"all":[{"field":"nope","op":"=","value":1}]}}`))
	if !strings.Contains(string(bad.body), `"location":"where/all/0/field"`) {
		t.Errorf("%s", bad.body)
	}
}

func TestRevealIsAskedForAndRecorded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin, member, reader := s.as(access.Administrator), s.as(access.Member), s.as(access.ReadOnly)
	r := read[rec](member, "POST", "/records/customer", `{"fields":{"name":"张三","phone":"13812345678"}}`, 201)
	path := "/records/customer/" + r.ID + "/reveal"
	reader.wantCode(403, "access.forbidden", reader.do("POST", path, `{"fields":["phone"]}`))
	got := read[struct{ Fields map[string]string }](member, "POST", path, `{"fields":["phone"]}`, 200)
	if got.Fields["phone"] != "13812345678" {
		t.Fatalf("%v", got)
	}
	trail := read[struct {
		Items []struct {
			Action   string
			RecordID string `json:"record_id"`
			Actor    struct{ Name string }
			Detail   map[string]any
		}
	}](admin, "GET", "/audit?limit=20", "", 200)
	found := map[string]bool{}
	for _, e := range trail.Items {
		found[e.Action] = true
		if e.Action == "record.reveal" && (e.RecordID != r.ID || e.Actor.Name != "member") {
			t.Errorf("%+v", e)
		}
		if strings.Contains(mustJSON(t, e), "13812345678") {
			t.Errorf("the trail holds the value: %+v", e)
		}
	}
	if !found["record.reveal"] || !found["access.refused"] || !found["session.create"] {
		t.Errorf("the trail misses something: %v", found)
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	onBoth(t, idempotency)
}

func idempotency(t *testing.T, s *site) {
	c := s.as(access.Manager)
	k := c.with("Idempotency-Key", "one")
	var all sync.WaitGroup
	statuses := make(chan int, 6)
	for range 6 {
		all.Go(func() { statuses <- k.do("POST", "/records/customer", `{"fields":{"name":"once"}}`).status })
	}
	all.Wait()
	close(statuses)
	created := 0
	for st := range statuses {
		if st != 201 && st != 409 {
			t.Errorf("status %d", st)
		}
		if st == 201 {
			created++
		}
	}
	again := k.want(201, k.do("POST", "/records/customer", `{"fields":{"name":"once"}}`))
	if again.header.Get("Idempotent-Replay") != "true" || created == 0 {
		t.Error("the answer was not repeated")
	}
	if p := read[page](c, "POST", "/records/customer/query", `{"total":"exact"}`, 200); *p.Total != 1 {
		t.Fatalf("%d records", *p.Total)
	}
	k.wantCode(422, "api.idempotency_reused", k.do("POST", "/records/customer", `{"fields":{"name":"twice"}}`))
	f := c.with("Idempotency-Key", "failing")
	f.want(422, f.do("POST", "/records/customer", `{"fields":{}}`))
	f.want(422, f.do("POST", "/records/customer", `{"fields":{}}`)) // a failure is not kept as an answer
	mate := s.as(access.Member).with("Idempotency-Key", "one")
	mate.want(201, mate.do("POST", "/records/customer", `{"fields":{"name":"another person's key"}}`))
}

func TestPeopleAndKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(access.Administrator)
	me := read[struct {
		Role string
		Can  map[string]bool
		User struct{ Email string }
	}](s.as(access.ReadOnly), "GET", "/me", "", 200)
	if me.Role != "readonly" || me.Can["record.create"] || me.User.Email != "readonly@example.com" {
		t.Fatalf("%+v", me)
	}
	key := read[struct{ ID, Key string }](admin, "POST", "/apikeys", `{"name":"shop","scopes":["read","write"]}`, 201)
	program := s.client()
	program.key = key.Key
	program.want(201, program.do("POST", "/records/customer", `{"fields":{"name":"x"}}`))
	program.wantCode(403, "access.forbidden", program.do("GET", "/audit", ""))
	program.wantCode(403, "auth.people_only", program.do("PATCH", "/me", `{"name":"x"}`))
	list := admin.want(200, admin.do("GET", "/apikeys", ""))
	if strings.Contains(string(list.body), key.Key) || !strings.Contains(string(list.body), key.Key[:10]) {
		t.Errorf("%s", list.body)
	}
	admin.want(204, admin.do("DELETE", "/apikeys/"+key.ID, ""))
	program.wantCode(401, "auth.bad_key", program.do("GET", "/me", ""))

	member := s.as(access.Member)
	users := read[struct{ Items []struct{ ID, Email string } }](admin, "GET", "/users", "", 200)
	for _, u := range users.Items {
		if u.Email == "member@example.com" {
			admin.want(200, admin.do("PATCH", "/users/"+u.ID, `{"disabled":true}`))
		}
	}
	member.wantCode(401, "auth.session_ended", member.do("GET", "/me", ""))
	admin.wantCode(404, "auth.user_unknown", admin.do("PATCH", "/users/usr_0000000000001", `{"name":"x"}`))

	c := s.client()
	c.wantCode(401, "auth.bad_credentials", c.do("POST", "/session", `{"email":"administrator@example.com","password":"wrong wrong"}`))
	c.wantCode(401, "auth.bad_credentials", c.do("POST", "/session", `{"email":"nobody@example.com","password":"wrong wrong"}`))
	c.wantCode(409, "auth.already_set_up", c.do("POST", "/setup", `{"email":"z@example.com","password":"`+password+`"}`))

	mine := s.as(access.Administrator)
	mine.want(200, mine.do("PATCH", "/me", `{"current_password":"`+password+`","new_password":"quite another one"}`))
	admin.wantCode(401, "auth.session_ended", admin.do("GET", "/me", ""))
	mine.want(200, mine.do("GET", "/me", ""))
	mine.want(200, mine.do("DELETE", "/session", ""))
	mine.want(401, mine.do("GET", "/me", ""))
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.ReadOnly)
	all := read[struct {
		Items []struct {
			Key     string
			Actions map[string]bool
			Fields  []struct {
				Key, Type, Access string
				Operators         []string
			}
			Related []struct{ Object, Via string }
		}
	}](c, "GET", "/objects", "", 200)
	byKey := map[string]int{}
	for i, o := range all.Items {
		byKey[o.Key] = i
	}
	cus := all.Items[byKey["customer"]]
	if len(all.Items) < 10 || cus.Actions["create"] || len(cus.Related) < 3 || len(cus.Fields) < 30 {
		t.Fatalf("%+v", cus.Actions)
	}
	for _, f := range cus.Fields {
		if f.Access != "read" {
			t.Errorf("%s is %s for a reader", f.Key, f.Access)
		}
	}
	tree := read[struct {
		Items []struct {
			Code     string
			Children []struct{ Code, Tier string }
		}
	}](c, "GET", "/regions", "", 200)
	if len(tree.Items) != 34 || len(tree.Items[0].Children) == 0 {
		t.Fatalf("%d provinces", len(tree.Items))
	}
	doc := read[map[string]any](s.client(), "GET", "/openapi.json", "", 200)
	if doc["openapi"] != "3.1.0" || strings.Contains(mustJSON(t, doc), "Fields_customer") {
		t.Error("the document of a stranger shows the workspace")
	}
	if doc = read[map[string]any](c, "GET", "/openapi.json", "", 200); !strings.Contains(mustJSON(t, doc), "Fields_customer") {
		t.Error("the document does not show the objects")
	}
}

func TestWhatFollowsTheLog(t *testing.T) {
	t.Parallel()
	onBoth(t, whatFollowsTheLog)
}

func whatFollowsTheLog(t *testing.T, s *site) {
	c := s.as(access.Manager)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Scan() // the stream is open

	cus := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"孙悟空","phone":"13900001111"}}`, 201)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"kind":"record"`) && strings.Contains(lines.Text(), cus.ID) {
			break
		}
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	found := func(q string) func() bool {
		return func() bool {
			r := read[struct{ Items []struct{ ID string } }](c, "GET", "/search?q="+url.QueryEscape(q), "", 200)
			return len(r.Items) == 1 && r.Items[0].ID == cus.ID
		}
	}
	for _, q := range []string{"悟空", "swk", "sunwukong", "13900001111", "1111"} {
		eventually(t, "search for "+q, found(q))
	}
	ch := read[rec](c, "POST", "/records/channel", `{"fields":{"name":"门店","key":"shop","kind":"offline"}}`, 201)
	for i := range 3 {
		c.want(201, c.do("POST", "/records/order", `{"fields":{"customer":"`+cus.ID+`","channel":"`+ch.ID+`","status":"completed","net_amount":{"amount":"`+strconv.Itoa(100*(i+1))+`.50","currency":"CNY"}}}`))
	}
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"旁观者"}}`))
	eventually(t, "the traits", func() bool {
		p := read[page](c, "POST", "/records/customer/query", `{"where":{"trait":"orders","op":">=","value":3},"sort":[{"trait":"spend_total","desc":true}],"traits":["orders","spend_total"],"total":"exact"}`, 200)
		return p.Plane == "analytics" && len(p.Items) == 1 && p.Items[0].ID == cus.ID && *p.Total == 1 &&
			mustJSON(t, p.Items[0].Traits) == `{"orders":3,"spend_total":{"amount":"601.50","currency":"CNY"}}`+"\n"
	})
	count := read[struct {
		Count, Total int
		Sentence     map[string]string
		Sample       []struct{ ID string }
		Reach        map[string]int
	}](c, "POST", "/segments/count", `{"where":{"trait":"orders","op":">=","value":1}}`, 200)
	if count.Count != 1 || count.Total != 2 || count.Sample[0].ID != cus.ID || count.Reach["phone"] != 1 || count.Sentence["zh-CN"] == "" {
		t.Fatalf("%+v", count)
	}
	seg := read[struct {
		Key  string
		Size int
	}](c, "POST", "/segments", `{"key":"buyers","label":"买家","kind":"dynamic","where":{"trait":"orders","op":">=","value":1}}`, 201)
	if seg.Size != 1 {
		t.Fatalf("%+v", seg)
	}
	if m := read[page](c, "GET", "/segments/buyers/members", "", 200); len(m.Items) != 1 {
		t.Fatalf("%+v", m)
	}
	if m := read[page](c, "POST", "/records/customer/query", `{"where":{"segment":"buyers","op":"not_in"}}`, 200); len(m.Items) != 1 || m.Items[0].Title != "旁观者" {
		t.Fatalf("%+v", m)
	}
	home := read[struct {
		Orders    struct{ Count int }
		Revenue   struct{ Gross struct{ Amount string } }
		Customers struct{ Total, New int }
		Links     map[string]struct {
			Object string
			Where  any
		}
	}](c, "GET", "/home?days=30", "", 200)
	if home.Orders.Count != 3 || home.Revenue.Gross.Amount != "601.50" || home.Customers.Total != 2 || home.Customers.New != 1 {
		t.Fatalf("%+v", home)
	}
	for name, want := range map[string]int{"orders": 3, "new_customers": 1, "refunds": 0} {
		l := home.Links[name]
		n := read[struct{ Count int }](c, "POST", "/records/"+l.Object+"/count", `{"exact":true,"where":`+mustJSON(t, l.Where)+`}`, 200)
		if n.Count != want {
			t.Errorf("the list behind %s holds %d, not %d", name, n.Count, want)
		}
	}
	type class struct {
		Key   string
		Count int
	}
	eventually(t, "the classes", func() bool {
		classes := read[struct {
			Items []struct{ Classes []class }
		}](c, "GET", "/classifications", "", 200)
		for _, k := range classes.Items {
			total := 0
			for _, x := range k.Classes {
				total += x.Count
			}
			if total != 2 {
				return false
			}
		}
		return len(classes.Items) >= 6
	})
	check := read[struct {
		OK       bool
		Sentence map[string]string
		Errors   []struct{ Location string }
	}](c, "POST", "/conditions/check", `{"object":"customer","where":{"all":[{"field":"name","op":"contains"}]}}`, 200)
	if check.OK || len(check.Errors) != 1 || !strings.HasPrefix(check.Errors[0].Location, "/all/0") {
		t.Fatalf("%+v", check)
	}
	for _, path := range []string{"/traits", "/rfm", "/cohorts", "/system", "/segments", "/segments/buyers/history", "/classifications/lifecycle/history", "/views?object=customer"} {
		c.want(200, c.do("GET", path, ""))
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.Manager)
	v := read[struct {
		ID, Name string
		Version  int64
	}](c, "POST", "/views", `{"object":"customer","name":"大客户","columns":["name","trait.spend_total"],"where":{"trait":"orders","op":">=","value":3},"sort":[{"field":"name"}]}`, 201)
	patched := read[struct {
		Name  string
		Where any
	}](c, "PATCH", "/views/"+v.ID, `{"name":"更大的客户","where":null,"version":1}`, 200)
	if patched.Name != "更大的客户" || patched.Where != nil {
		t.Fatalf("%+v", patched)
	}
	list := read[struct {
		Items []struct {
			ID            string
			Mine, Builtin bool
		}
	}](c, "GET", "/views?object=customer", "", 200)
	mine, builtin := 0, 0
	for _, x := range list.Items {
		if x.Mine {
			mine++
		}
		if x.Builtin {
			builtin++
		}
	}
	if mine != 1 || builtin == 0 {
		t.Fatalf("%+v", list)
	}
	other := s.as(access.Member)
	if got := other.do("DELETE", "/views/"+v.ID, ""); got.status != 404 && got.status != 403 {
		t.Errorf("another person's view: %d", got.status)
	}
	c.want(204, c.do("DELETE", "/views/"+v.ID, ""))
}

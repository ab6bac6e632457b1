package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// office is a site with departments, made roles and people in them.
type office struct {
	*site
	admin *client
	users map[string]string // name → id
	roles map[string]string // name → key
	units map[string]string
}

func (o *office) role(name, body string) {
	o.Helper()
	r := read[api.AccessRole](o.admin, "POST", "/roles", body, 201)
	o.roles[name] = r.Key
}

func (o *office) person(name, role string) *client {
	o.Helper()
	u := read[api.User](o.admin, "POST", "/users", fmt.Sprintf(`{"email":"%s@example.com","name":"%s","role":%q,"password":%q}`, name, name, role, password), 201)
	o.users[name] = u.ID
	return o.login(name)
}

func (o *office) login(name string) *client {
	o.Helper()
	c := o.client()
	c.want(200, c.do("POST", "/session", fmt.Sprintf(`{"email":"%s@example.com","password":%q}`, name, password)))
	return c
}

func (o *office) unit(kind, name, parent string, people ...string) {
	o.Helper()
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = o.users[p]
	}
	u := read[api.Unit](o.admin, "POST", "/org/units", mustJSON(o.T, map[string]any{"kind": kind, "name": name, "parent": o.units[parent], "add": ids}), 201)
	o.units[name] = u.ID
}

// grants are the actions of a role with one scope for the first and another for the rest.
func grants(scope string) string {
	return fmt.Sprintf(`{"actions":{"read":{"scope":%[1]q},"create":{"scope":%[1]q},"update":{"scope":%[1]q},"delete":{"scope":%[1]q},"assign":{"scope":%[1]q},"share":{"scope":%[1]q},"reveal":{"scope":%[1]q}}}`, scope)
}

func newOffice(t *testing.T, s *site) *office {
	t.Helper()
	return &office{site: s, admin: s.as(access.Administrator), users: map[string]string{}, roles: map[string]string{}, units: map[string]string{"": ""}}
}

func (o *office) make(c *client, object, fields string) rec {
	o.Helper()
	return read[rec](c, "POST", "/records/"+object, `{"fields":`+fields+`}`, 201)
}

func titles(c *client, path, body string) []string {
	c.Helper()
	method := "POST"
	if body == "" {
		method = "GET"
	}
	p := read[page](c, method, path, body, 200)
	out := []string{}
	for _, r := range p.Items {
		out = append(out, r.Title)
	}
	slices.Sort(out)
	return out
}

func (o *office) same(what string, got []string, want ...string) {
	o.Helper()
	if want == nil {
		want = []string{}
	}
	if !slices.Equal(got, want) {
		o.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestRightsOfAnOffice(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); testOffice(t, newSite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); testOffice(t, newPostgresSite(t)) })
}

func testOffice(t *testing.T, s *site) {
	o := newOffice(t, s)
	o.role("sales", `{"name":"销售","rights":["segment.read"],"objects":{"*":{"actions":{"read":{"scope":"all"}}},"customer":`+grants("own")+`,"order":`+grants("own")+`,"contact":`+grants("customer")+`}}`)
	o.role("head", `{"name":"主管","rights":["segment.read","report.read"],"objects":{"*":`+grants("department")+`}}`)
	ann, bob := o.person("ann", o.roles["sales"]), o.person("bob", o.roles["sales"])
	head := o.person("head", o.roles["head"])
	far := o.person("far", o.roles["head"])
	o.unit("department", "华东", "", "head")
	o.unit("department", "上海", "华东", "ann")
	o.unit("department", "华南", "", "far")

	a := o.make(ann, "customer", `{"name":"甲客户","phone":"13800138000"}`)
	b := o.make(bob, "customer", `{"name":"乙客户"}`)
	free := o.make(o.admin, "customer", `{"name":"丙客户"}`)
	order := o.make(o.admin, "order", `{"customer":"`+a.ID+`","net_amount":{"amount":"10","currency":"CNY"}}`)
	o.make(o.admin, "order", `{"customer":"`+b.ID+`","net_amount":{"amount":"20","currency":"CNY"}}`)
	o.make(o.admin, "contact", `{"name":"甲联系人","customer":"`+a.ID+`"}`)
	o.make(o.admin, "contact", `{"name":"乙联系人","customer":"`+b.ID+`"}`)

	o.same("what ann sees", titles(ann, "/records/customer", ""), "甲客户")
	o.same("what bob sees", titles(bob, "/records/customer", ""), "乙客户")
	o.same("what the head sees", titles(head, "/records/customer", ""), "甲客户")
	o.same("what another head sees", titles(far, "/records/customer", ""))
	o.same("contacts follow the customer", titles(ann, "/records/contact", ""), "甲联系人")
	o.same("a colleague's order under her customer", titles(ann, "/records/order", ""), order.Title)
	o.same("over a relation", titles(ann, "/records/order/query", `{"where":{"field":"customer.name","op":"contains","value":"客户"}}`), order.Title)
	if n := read[struct{ Count int }](ann, "POST", "/records/customer/count", `{"exact":true}`, 200); n.Count != 1 {
		t.Errorf("ann counts %d", n.Count)
	}
	ann.wantCode(404, "record.not_found", ann.do("GET", "/records/customer/"+b.ID, ""))
	ann.wantCode(404, "record.not_found", ann.do("GET", "/records/customer/"+b.ID+"/history", ""))
	ann.wantCode(404, "record.not_found", ann.do("GET", "/records/customer/"+b.ID+"/timeline", ""))
	ann.wantCode(404, "record.not_found", ann.do("GET", "/customers/"+b.ID+"/profile", ""))
	ann.wantCode(404, "record.not_found", ann.with("If-Match", "*").do("PATCH", "/records/customer/"+b.ID, `{"fields":{"note":"x"}}`))
	ann.wantCode(404, "record.not_found", ann.with("If-Match", "*").do("DELETE", "/records/customer/"+b.ID, ""))
	ann.wantCode(404, "record.not_found", ann.do("POST", "/records/customer/"+b.ID+"/reveal", `{"fields":["phone"]}`))
	got := read[struct {
		Results []struct{ Status int }
	}](ann, "POST", "/records/customer/batch", `{"operations":[{"op":"update","id":"`+b.ID+`","version":1,"fields":{"note":"x"}},{"op":"update","id":"`+a.ID+`","version":1,"fields":{"note":"y"}}]}`, 200)
	if got.Results[0].Status != 404 || got.Results[1].Status != 200 {
		t.Errorf("batch: %+v", got.Results)
	}
	ann.wantCode(422, "record.relation_unknown", first(ann.do("POST", "/records/order", `{"fields":{"customer":"`+b.ID+`"}}`)))
	ann.wantCode(422, "record.relation_unknown", first(ann.do("POST", "/records/contact", `{"fields":{"name":"x","customer":"`+b.ID+`"}}`)))
	ann.want(403, ann.do("POST", "/records/customer/export", `{"format":"csv"}`))
	ann.want(403, ann.do("GET", "/home", ""))
	ann.want(403, ann.do("GET", "/roles", ""))
	eventually(t, "the search index", func() bool {
		return len(titles2(o.admin, "客户")) == 3
	})
	o.same("search", titles2(ann, "客户"), "甲客户")
	o.same("search of a list", titles(ann, "/records/customer?search=客户", ""), "甲客户")

	testOfficeShares(o, ann, bob, a, b)
	testOfficeAssign(o, ann, head, a, free)
	testOfficeAnalytics(o, ann, head)
}

// first is a refusal as its first item.
func first(a answer) answer {
	var p struct {
		Errors []struct{ Code string }
	}
	if a.json(&p) == nil && len(p.Errors) > 0 {
		a.body = []byte(strings.Replace(string(a.body), `"type":"`+a.code()+`"`, `"type":"`+p.Errors[0].Code+`"`, 1))
	}
	return a
}

func titles2(c *client, q string) []string {
	c.Helper()
	p := read[struct {
		Items []struct{ Object, Title string }
	}](c, "GET", "/search?q="+q, "", 200)
	out := []string{}
	for _, r := range p.Items {
		if r.Object == "customer" {
			out = append(out, r.Title)
		}
	}
	slices.Sort(out)
	return out
}

func testOfficeShares(o *office, ann, bob *client, a, b rec) {
	o.Helper()
	shares := "/records/customer/" + b.ID + "/shares"
	ann.wantCode(404, "record.not_found", ann.do("POST", shares, `{"kind":"user","to":"`+o.users["ann"]+`","access":"write"}`))
	bob.want(422, bob.do("POST", shares, `{"kind":"user","to":"`+o.users["ann"]+`","access":"read","until":"2001-01-01T00:00:00Z"}`))
	sh := read[api.RecordShare](bob, "POST", shares, `{"kind":"user","to":"`+o.users["ann"]+`","access":"read"}`, 201)
	o.same("a shared record appears", titles(ann, "/records/customer", ""), "乙客户", "甲客户")
	o.same("so do the orders under it", titles(ann, "/records/contact", ""), "乙联系人", "甲联系人")
	ann.wantCode(403, "record.out_of_reach", ann.with("If-Match", "*").do("PATCH", "/records/customer/"+b.ID, `{"fields":{"note":"x"}}`))
	e := read[api.Explanation](ann, "GET", "/rights/explain?object=customer&record="+b.ID, "", 200)
	if e.Actions[0].Action != access.Read || !e.Actions[0].Granted || !slices.ContainsFunc(e.Actions[0].Rules, func(r api.ExplainedRule) bool {
		return r.Grants && r.Rule == access.RuleShared && strings.Contains(r.Text["en"], "bob shared it with ann")
	}) {
		o.Errorf("explanation: %+v", e.Actions[0])
	}
	ann.want(403, ann.do("GET", "/rights/explain?object=customer&record="+b.ID+"&user="+o.users["bob"], ""))
	e = read[api.Explanation](o.admin, "GET", "/rights/explain?object=customer&record="+a.ID+"&user="+o.users["head"], "", 200)
	if !e.Actions[0].Granted || !strings.Contains(e.Actions[0].Rules[0].Text["en"], "through 上海") {
		o.Errorf("explanation of the head: %+v", e.Actions[0])
	}
	e = read[api.Explanation](o.admin, "GET", "/rights/explain?object=customer&record="+a.ID+"&user="+o.users["far"], "", 200)
	if e.Actions[0].Granted {
		o.Errorf("explanation of another head: %+v", e.Actions[0])
	}
	bob.want(201, bob.do("POST", shares, `{"kind":"department","to":"`+o.units["华东"]+`","access":"write"}`))
	ann.want(200, ann.with("If-Match", "*").do("PATCH", "/records/customer/"+b.ID, `{"fields":{"note":"x"}}`))
	list := read[api.RecordShares](bob, "GET", shares, "", 200)
	if len(list.Items) != 2 || list.Items[0].Name != "ann" || list.Items[1].Name != "华东" {
		o.Errorf("shares: %+v", list.Items)
	}
	for _, x := range list.Items {
		bob.want(204, bob.do("DELETE", shares+"/"+x.ID, ""))
	}
	bob.wantCode(404, "rights.share_unknown", bob.do("DELETE", shares+"/"+sh.ID, ""))
	o.same("it is gone again", titles(ann, "/records/customer", ""), "甲客户")
}

func testOfficeAssign(o *office, ann, head *client, a, free rec) {
	o.Helper()
	to := func(c *client, r rec, user string) answer {
		return c.with("If-Match", "*").do("POST", "/records/customer/"+r.ID+"/assign", `{"owner":"`+o.users[user]+`"}`)
	}
	ann.wantCode(403, "record.moved_away", to(ann, a, "bob"))
	ann.wantCode(404, "record.not_found", to(ann, free, "ann"))
	head.wantCode(403, "record.moved_away", to(head, a, "far"))
	head.want(200, to(head, a, "head"))
	o.same("given to the head", titles(ann, "/records/customer", ""))
	o.same("the order went along", titles(ann, "/records/order", ""))
	head.want(200, to(head, a, "ann"))
	o.admin.want(200, to(o.admin, free, "bob"))
	ann.wantCode(403, "record.moved_away", ann.do("POST", "/records/customer", `{"fields":{"name":"别人的","owner":"`+o.users["bob"]+`"}}`))
}

func testOfficeAnalytics(o *office, ann, head *client) {
	o.Helper()
	eventually(o.T, "the mirror", func() bool {
		p := read[page](o.admin, "POST", "/records/customer/query", `{"where":{"all":[{"random":{"percent":100,"salt":"x"}}]},"total":"exact"}`, 200)
		return *p.Total == 3
	})
	where := `{"where":{"all":[{"random":{"percent":100,"salt":"x"}}]},"total":"exact"}`
	eventually(o.T, "what ann sees of a random share", func() bool {
		p := read[page](ann, "POST", "/records/customer/query", where, 200)
		return *p.Total == 1 && len(p.Items) == 1 && p.Items[0].Title == "甲客户"
	})
	o.admin.want(201, o.admin.do("POST", "/segments", `{"key":"everybody","label":"所有人","where":{"field":"name","op":"is_set"}}`))
	o.same("members of a segment", titles(ann, "/segments/everybody/members", ""), "甲客户")
	n := read[struct {
		Count  int
		Sample []struct{ Title string }
	}](head, "POST", "/segments/count", `{"where":{"field":"name","op":"is_set"}}`, 200)
	if n.Count != 3 || len(n.Sample) != 1 {
		o.Errorf("count %d, sample %v", n.Count, n.Sample)
	}
}

// A field is hidden everywhere: shown, asked, sorted, searched, exported, written, remembered.
func TestHiddenFields(t *testing.T) {
	t.Parallel()
	o := newOffice(t, newSite(t))
	o.role("clerk", `{"name":"文员","rights":["segment.read","segment.write"],"objects":{"*":{"actions":{"read":{"scope":"all"}}},
		"customer":{"actions":{"read":{"scope":"all"},"create":{"scope":"all"},"update":{"scope":"all"},"export":{"scope":"all"},"reveal":{"scope":"all"}},
			"fields":{"note":"hidden","source":"masked","phone":"masked","occupation":"read"}}}}`)
	clerk := o.person("clerk", o.roles["clerk"])
	r := o.make(o.admin, "customer", `{"name":"甲客户","note":"秘密","source":"referral","phone":"13800138000","email":"a@example.com"}`)
	o.admin.want(200, o.admin.with("If-Match", "*").do("PATCH", "/records/customer/"+r.ID, `{"fields":{"note":"更秘密","source":"import"}}`))
	got := read[rec](clerk, "GET", "/records/customer/"+r.ID, "", 200)
	if _, there := got.Fields["note"]; there || got.Fields["source"] != "***" || !slices.Contains(got.Masked, "source") {
		t.Errorf("fields %v, masked %v", got.Fields, got.Masked)
	}
	for name, a := range map[string]answer{
		"object":   clerk.do("GET", "/objects/customer", ""),
		"history":  clerk.do("GET", "/records/customer/"+r.ID+"/history", ""),
		"timeline": clerk.do("GET", "/records/customer/"+r.ID+"/timeline", ""),
		"export":   clerk.do("POST", "/records/customer/export", `{"format":"csv"}`),
		"ndjson":   clerk.do("POST", "/records/customer/export", `{"format":"ndjson"}`),
		"list":     clerk.do("GET", "/records/customer", ""),
		"profile":  clerk.do("GET", "/customers/"+r.ID+"/profile", ""),
	} {
		body := string(clerk.want(200, a).body)
		if strings.Contains(body, `"note":`) || strings.Contains(body, `"key":"note"`) || strings.Contains(body, "秘密") || strings.Contains(body, `"referral"`) && name != "object" {
			t.Errorf("%s shows what is hidden: %.900s", name, body)
		}
	}
	for _, body := range []string{`{"where":{"field":"note","op":"is_set"}}`, `{"where":{"field":"source","op":"=","value":"import"}}`,
		`{"where":{"not":{"field":"note","op":"contains","value":"x"}}}`, `{"sort":[{"field":"source"}]}`, `{"fields":["note"]}`} {
		clerk.want(422, clerk.do("POST", "/records/customer/query", body))
	}
	clerk.want(422, clerk.do("POST", "/records/order/query", `{"where":{"field":"customer.note","op":"is_set"}}`))
	clerk.want(200, clerk.do("POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"13800138000"}}`))
	o.admin.want(201, o.admin.do("POST", "/segments", `{"key":"secretive","label":"秘密","where":{"field":"note","op":"is_set"}}`))
	clerk.want(422, clerk.do("POST", "/records/customer/query", `{"where":{"segment":"secretive"}}`))
	clerk.want(422, clerk.do("POST", "/segments/count", `{"where":{"segment":"secretive"}}`))
	clerk.want(422, clerk.do("POST", "/records/customer/export", `{"format":"csv","segment":"secretive"}`))
	clerk.wantCode(422, "record.not_personal", first(clerk.do("POST", "/records/customer/"+r.ID+"/reveal", `{"fields":["phone"]}`)))
	clerk.want(200, clerk.do("POST", "/records/customer/"+r.ID+"/reveal", `{"fields":["email"]}`))
	for field, code := range map[string]string{`"note":"x"`: "record.unknown_field", `"source":"x"`: "record.field_closed", `"occupation":"x"`: "record.field_closed", `"phone":"13900139000"`: "record.field_closed"} {
		clerk.wantCode(422, code, first(clerk.with("If-Match", "*").do("PATCH", "/records/customer/"+r.ID, `{"fields":{`+field+`}}`)))
	}
	clerk.want(200, clerk.with("If-Match", "*").do("PATCH", "/records/customer/"+r.ID, `{"fields":{"name":"甲"}}`))
	if back := read[rec](o.admin, "GET", "/records/customer/"+r.ID, "", 200); back.Fields["note"] != "更秘密" {
		t.Errorf("what the clerk did not see changed: %v", back.Fields["note"])
	}
}

// Somebody who reads customers and nothing else has a customer page all the same, without what else is known.
func TestANarrowRoleHasPages(t *testing.T) {
	t.Parallel()
	o := newOffice(t, newSite(t))
	o.role("narrow", `{"name":"窄","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"all"}},"fields":{"referrer":"hidden"}}}}`)
	o.role("half", `{"name":"半","rights":["segment.read"],"objects":{"*":{"actions":{"read":{"scope":"all"}}},"order":{"actions":{"read":{"scope":"all"}},"fields":{"net_amount":"hidden"}},"refund":{"actions":{"read":{"scope":"all"}},"fields":{"refunded_at":"masked"}}}}`)
	narrow, half := o.person("narrow", o.roles["narrow"]), o.person("half", o.roles["half"])
	r := o.make(o.admin, "customer", `{"name":"甲"}`)
	o.make(o.admin, "order", `{"customer":"`+r.ID+`","net_amount":{"amount":"77.31","currency":"CNY"}}`)
	for name, c := range map[string]*client{"narrow": narrow, "half": half} {
		for _, path := range []string{"/customers/" + r.ID + "/profile", "/records/customer/" + r.ID, "/records/customer/" + r.ID + "/timeline", "/records/customer", "/objects", "/views?object=customer"} {
			if got := c.do("GET", path, ""); got.status != 200 || strings.Contains(string(got.body), "77.31") {
				t.Errorf("%s %s: %d %.300s", name, path, got.status, got.body)
			}
		}
	}
	narrow.want(422, narrow.do("POST", "/records/customer/query", `{"where":{"trait":"orders","op":">","value":1}}`))
	narrow.want(422, narrow.do("POST", "/records/customer/query", `{"sort":[{"trait":"orders"}]}`))
	narrow.want(422, narrow.do("POST", "/records/customer/query", `{"where":{"record":"order"}}`))
	narrow.want(403, narrow.do("GET", "/records/order", ""))
}

// Roles are checked when they are saved, cannot be handed out beyond one's own, and go out of use in good order.
func TestRolesAreGuarded(t *testing.T) {
	t.Parallel()
	o := newOffice(t, newSite(t))
	for body, code := range map[string]string{
		`{"name":"","rights":[],"objects":{}}`:                                                                                      "rights.name_length",
		`{"name":"x","rights":["system.manage"],"objects":{}}`:                                                                      "rights.right_unknown",
		`{"name":"x","rights":[],"objects":{"spaceship":{"actions":{}}}}`:                                                           "rights.object_unknown",
		`{"name":"x","rights":[],"objects":{"customer":{"actions":{"update":{"scope":"own"}}}}}`:                                    "rights.read_first",
		`{"name":"x","rights":[],"objects":{"product":{"actions":{"read":{"scope":"customer"}}}}}`:                                  "rights.no_customer",
		`{"name":"x","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"condition"}}}}}`:                                "rights.where_needed",
		`{"name":"x","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"condition","where":{"segment":"a"}}}}}}`:        "rights.where_wrong",
		`{"name":"x","rights":[],"objects":{"*":{"actions":{"read":{"scope":"all"}},"fields":{"note":"hidden"}}}}`:                  "rights.fields_of_all",
		`{"name":"x","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"all"}},"fields":{"name":"hidden"}}}}`:           "rights.field_needed",
		`{"name":"x","rights":[],"objects":{"order":{"actions":{"read":{"scope":"all"}},"fields":{"customer":"masked"}}}}`:          "rights.field_needed",
		`{"name":"x","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"galaxy"}}}}}`:                                   "rights.scope_unknown",
		`{"name":"x","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"all"}},"fields":{"note":"written in water"}}}}`: "rights.field_access",
	} {
		o.admin.wantCode(422, code, first(o.admin.do("POST", "/roles", body)))
	}
	o.role("boss", `{"name":"人事","rights":["user.manage"],"objects":{"*":{"actions":{"read":{"scope":"own"}}}}}`)
	o.role("small", `{"name":"小","rights":[],"objects":{"*":{"actions":{"read":{"scope":"own"}}}}}`)
	o.role("large", `{"name":"大","rights":[],"objects":{"*":{"actions":{"read":{"scope":"all"}}}}}`)
	boss := o.person("boss", o.roles["boss"])
	add := func(role string) answer {
		return boss.do("POST", "/users", fmt.Sprintf(`{"email":"%s@new.example","name":"n","role":%q,"password":%q}`, role, role, password))
	}
	boss.want(201, add(o.roles["small"]))
	for _, r := range []string{o.roles["large"], "administrator", "member", "readonly"} {
		boss.wantCode(403, "rights.role_beyond", add(r))
	}
	boss.want(422, add("no_such_role"))
	boss.wantCode(403, "rights.role_beyond", boss.do("PATCH", "/users/"+o.users["boss"], `{"role":"administrator"}`))
	admin := read[api.Me](o.admin, "GET", "/me", "", 200)
	boss.wantCode(403, "rights.role_beyond", boss.do("PATCH", "/users/"+admin.User.ID, `{"password":"another long password"}`))
	boss.want(403, boss.do("POST", "/roles", `{"name":"y","rights":[],"objects":{}}`))
	o.admin.wantCode(409, "rights.role_in_use", o.admin.do("DELETE", "/roles/"+o.roles["boss"], ""))
	o.admin.wantCode(409, "rights.role_builtin", o.admin.do("DELETE", "/roles/member", ""))
	o.admin.want(204, o.admin.do("DELETE", "/roles/"+o.roles["large"], ""))
	o.admin.want(422, o.admin.do("PATCH", "/users/"+o.users["boss"], fmt.Sprintf(`{"role":%q}`, o.roles["large"])))
	// A narrower role counts from the next request on.
	me := read[api.Me](boss, "GET", "/me", "", 200)
	if !me.Can["user.manage"] {
		t.Fatal("the role does not hold what it says")
	}
	o.admin.want(200, o.admin.do("PATCH", "/roles/"+o.roles["boss"], `{"name":"人事","rights":[],"objects":{}}`))
	boss.want(403, boss.do("GET", "/roles", ""))
	boss.want(403, boss.do("GET", "/records/customer", ""))
	o.unit("department", "甲", "")
	o.unit("department", "乙", "甲")
	o.admin.wantCode(422, "rights.unit_circle", first(o.admin.do("PATCH", "/org/units/"+o.units["甲"], `{"parent":"`+o.units["乙"]+`"}`)))
	o.admin.wantCode(409, "rights.unit_has_units", o.admin.do("DELETE", "/org/units/"+o.units["甲"], ""))
	p := read[api.RolePreview](o.admin, "POST", "/roles/preview", `{"role":{"name":"p","rights":[],"objects":{"customer":{"actions":{"read":{"scope":"own"}},"fields":{"note":"hidden"}}}}}`, 200)
	if i := slices.IndexFunc(p.Items, func(x api.RoleSight) bool { return x.Object == "customer" }); i < 0 || !slices.Equal(p.Items[i].Hidden, []string{"note"}) {
		t.Errorf("preview: %+v", p.Items)
	}
	trail := string(o.admin.want(200, o.admin.do("GET", "/audit?limit=200", "")).body)
	for _, action := range []string{"role.create", "role.update", "role.delete", "unit.create"} {
		if !strings.Contains(trail, action) {
			t.Errorf("no %s in the trail", action)
		}
	}
}

// A role that holds nothing is refused on every route that needs a right, a key of its owner too.
func TestARoleWithoutRightsIsDenied(t *testing.T) {
	t.Parallel()
	o := newOffice(t, newSite(t))
	o.role("nothing", `{"name":"空","rights":[],"objects":{}}`)
	o.role("keys", `{"name":"密钥","rights":["apikey.manage"],"objects":{}}`)
	nobody, keeper := o.person("nobody", o.roles["nothing"]), o.person("keeper", o.roles["keys"])
	made := read[api.NewAPIKey](keeper, "POST", "/apikeys", `{"name":"k","scopes":["admin"]}`, 201)
	key := o.client()
	key.key = made.Key
	o.admin.want(200, o.admin.do("PATCH", "/roles/"+o.roles["keys"], `{"name":"密钥","rights":[],"objects":{}}`))
	r := o.make(o.admin, "customer", `{"name":"甲"}`)
	asked := 0
	for _, rt := range o.app.Routes() {
		if rt.Right == "" {
			continue
		}
		asked++
		path, body := strings.Replace(fill(rt.Path), "cus_0000000000001", r.ID, 1), ""
		if rt.Method != http.MethodGet {
			body = "{}"
		}
		for name, c := range map[string]*client{"a person": nobody, "a key": key} {
			if got := c.do(rt.Method, path, body); got.status != 403 {
				t.Errorf("%s %s for %s without rights: %d %.200s", rt.Method, rt.Path, name, got.status, got.body)
			}
		}
	}
	if asked < 60 {
		t.Errorf("only %d routes need a right", asked)
	}
	o.same("search finds nothing", objectsOf(nobody))
}

// objectsOf are the objects that a caller is told of where no right is needed.
func objectsOf(c *client) []string {
	c.Helper()
	c.want(403, c.do("GET", "/objects", ""))
	return []string{}
}

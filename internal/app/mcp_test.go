package app_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// assistant is a real client of the protocol with a key.
type assistant struct {
	*testing.T
	*sdk.ClientSession
}

// bearer adds the key and the language to every request.
type bearer struct{ key, language string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if b.key != "" {
		r.Header.Set("Authorization", "Bearer "+b.key)
	}
	r.Header.Set("Accept-Language", b.language)
	return http.DefaultTransport.RoundTrip(r)
}

func (s *site) dial(key, language, version string) (*sdk.ClientSession, error) {
	client := sdk.NewClient(&sdk.Implementation{Name: "trial", Version: "1"}, nil)
	return client.Connect(s.Context(), &sdk.StreamableClientTransport{Endpoint: s.server.URL + api.AssistantPath, MaxRetries: -1,
		HTTPClient: &http.Client{Transport: bearer{key, language}}}, &sdk.ClientSessionOptions{ProtocolVersion: version})
}

// assistant connects with a key.
func (s *site) assistant(key, language string) assistant {
	s.Helper()
	session, err := s.dial(key, language, "")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = session.Close() })
	return assistant{s.T, session}
}

// key makes an API key with scopes.
func (c *client) apiKey(scopes ...string) string {
	c.Helper()
	var k struct{ Key string }
	a := c.want(201, c.do("POST", "/apikeys", mustJSON(c.T, map[string]any{"name": "key " + strings.Join(scopes, " "), "scopes": scopes})))
	if err := a.json(&k); err != nil {
		c.Fatal(err)
	}
	return k.Key
}

func (a assistant) toolNames() map[string]*sdk.Tool {
	a.Helper()
	list, err := a.ListTools(a.Context(), nil)
	if err != nil {
		a.Fatal(err)
	}
	out := map[string]*sdk.Tool{}
	for _, t := range list.Tools {
		out[t.Name] = t
	}
	return out
}

// use calls a tool and reads its answer; text is what a client that reads no structure sees.
func (a assistant) use(name string, args map[string]any, into any) (text string, failed bool) {
	a.Helper()
	out, err := a.CallTool(a.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		a.Fatalf("%s: %v", name, err)
	}
	first, ok := out.Content[0].(*sdk.TextContent)
	if !ok {
		a.Fatalf("%s: no text but %T", name, out.Content[0])
	}
	if into != nil {
		raw, err := json.Marshal(out.StructuredContent)
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			a.Fatalf("%s: %v in %s", name, err, raw)
		}
	}
	return first.Text, out.IsError
}

// ok calls a tool that must succeed.
func (a assistant) ok(name string, args map[string]any, into any) string {
	a.Helper()
	text, failed := a.use(name, args, into)
	if failed {
		a.Fatalf("%s %v: %s", name, args, text)
	}
	return text
}

// refused calls a tool that must be refused with a code.
func (a assistant) refused(code, name string, args map[string]any) string {
	a.Helper()
	var p struct{ Type string }
	text, failed := a.use(name, args, &p)
	if !failed || p.Type != code || !strings.Contains(text, "("+code+")") {
		a.Fatalf("%s: failed %v, %q, want %s: %s", name, failed, p.Type, code, text)
	}
	return text
}

func TestAssistants(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) *site{"embedded": newSite, "postgres": newPostgresSite} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := make(t)
			admin := s.as(access.Administrator)
			reader, writer := s.assistant(admin.apiKey("read"), "en"), s.assistant(admin.apiKey("write"), "zh-CN")
			toolsFollowScopes(s, admin, reader, writer)
			recordsThroughTools(admin, reader, writer)
			customersThroughTools(reader, writer)
			objectsMadeMeanwhile(admin, reader, writer)
			resourcesAndPrompts(reader, writer)
		})
	}
}

func toolsFollowScopes(s *site, admin *client, reader, writer assistant) {
	s.Helper()
	table := map[string]access.Right{}
	for _, r := range s.app.Routes() {
		table[r.Method+" "+r.Path] = access.Right(r.Right)
	}
	all, err := api.Tools()
	if err != nil || len(all) < 30 {
		s.Fatalf("%d tools, %v", len(all), err)
	}
	for scope, a := range map[string]assistant{"read": reader, "write": writer, "import": s.assistant(admin.apiKey("import"), "en"), "admin": s.assistant(admin.apiKey("admin"), "en")} {
		shown := a.toolNames()
		actor := access.Actor{Kind: access.ByKey, Role: access.Administrator, Scopes: []string{scope}}
		for _, t := range all {
			right := table[t.Method+" "+t.Path]
			may := (right == "" || actor.Can(right)) && !t.Acts
			if (shown[t.Name] != nil) != may {
				s.Errorf("a key to %s: %s shown %v, may %v", scope, t.Name, shown[t.Name] != nil, may)
			}
			if shown[t.Name] != nil && scope == "read" && (!t.ReadOnly || !shown[t.Name].Annotations.ReadOnlyHint) {
				s.Errorf("a key to read has %s", t.Name)
			}
		}
		for name, t := range shown {
			if t.Description == "" || strings.HasPrefix(t.Description, "mcp.") || strings.HasPrefix(t.Title, "mcp.") {
				s.Errorf("%s has no words", name)
			}
			schema, _ := t.InputSchema.(map[string]any)
			args, _ := schema["properties"].(map[string]any)
			for arg, p := range args {
				if text, _ := p.(map[string]any)["description"].(string); text == "" || strings.HasPrefix(text, "mcp.") {
					s.Errorf("%s.%s has no words", name, arg)
				}
			}
		}
	}
	object, _ := reader.toolNames()["query_records"].InputSchema.(map[string]any)["properties"].(map[string]any)["object"].(map[string]any)
	if keys, _ := object["enum"].([]any); !slices.Contains(keys, any("customer")) {
		s.Errorf("the objects are not named: %v", object)
	}
	where, _ := reader.toolNames()["query_records"].InputSchema.(map[string]any)["properties"].(map[string]any)["where"].(map[string]any)
	if where["type"] != "object" {
		s.Errorf("a condition is %v", where)
	}
}

func recordsThroughTools(admin *client, reader, writer assistant) {
	admin.Helper()
	make := map[string]any{"object": "customer", "fields": map[string]any{"name": "锦绣坊", "phone": "13812345678"}, "idempotency_key": "one"}
	var made, again rec
	writer.ok("create_record", make, &made)
	writer.ok("create_record", make, &again)
	if made.ID == "" || again.ID != made.ID {
		admin.Fatalf("made %+v, again %+v", made, again)
	}
	if text := reader.refused("access.forbidden", "create_record", map[string]any{"object": "customer", "fields": map[string]any{"name": "不应创建"}}); !strings.Contains(text, "You do not have the right") {
		admin.Error(text)
	}
	if text := writer.refused("record.invalid", "create_record", map[string]any{"object": "customer", "fields": map[string]any{"name": "甲", "phone": "12", "colour": "red"}}); !strings.Contains(text, "colour") {
		admin.Error(text)
	}
	var got rec
	reader.ok("get_record", map[string]any{"object": "customer", "id": made.ID}, &got)
	if got.Title != "锦绣坊" || !slices.Contains(got.Masked, "phone") || strings.Contains(mustJSON(admin.T, got), "13812345678") {
		admin.Errorf("the phone is not masked: %+v", got)
	}
	writer.refused("mcp.arguments_invalid", "update_record", map[string]any{"object": "customer", "id": made.ID, "fields": map[string]any{"name": "锦绣坊二"}})
	var changed rec
	writer.ok("update_record", map[string]any{"object": "customer", "id": made.ID, "version": got.Version, "fields": map[string]any{"name": "锦绣坊二"}}, &changed)
	var stale struct{ Current rec }
	if _, failed := writer.use("update_record", map[string]any{"object": "customer", "id": made.ID, "version": got.Version, "fields": map[string]any{"name": "丙"}}, &stale); !failed || stale.Current.Title != "锦绣坊二" {
		admin.Errorf("a stale version: %v %+v", failed, stale)
	}
	var history struct {
		Items []struct {
			Actor struct{ Kind, Name string }
			Op    string
		}
	}
	reader.ok("record_history", map[string]any{"object": "customer", "id": made.ID}, &history)
	if len(history.Items) != 2 || history.Items[0].Actor.Kind != "apikey" {
		admin.Errorf("the trail says %+v", history)
	}
	var trail struct {
		Items []struct {
			Action string
			Actor  struct{ Kind string }
			Detail map[string]any
		}
	}
	if err := admin.want(200, admin.do("GET", "/audit?action=access.refused", "")).json(&trail); err != nil || len(trail.Items) == 0 || trail.Items[0].Actor.Kind != "apikey" ||
		trail.Items[0].Detail["route"] != "POST /records/{object}" {
		admin.Errorf("the refusal is not in the trail: %v %+v", err, trail)
	}
	writer.ok("delete_record", map[string]any{"object": "customer", "id": made.ID, "version": changed.Version}, nil)
	reader.refused("record.not_found", "get_record", map[string]any{"object": "customer", "id": "cus_0000000000001"})
	writer.ok("restore_record", map[string]any{"object": "customer", "id": made.ID}, nil)
	reader.ok("record_timeline", map[string]any{"object": "customer", "id": made.ID}, nil)
	reader.ok("customer_profile", map[string]any{"id": made.ID}, nil)
	reader.refused("mcp.arguments_invalid", "get_record", map[string]any{"object": "customer", "id": ".."})
	reader.refused("api.object_unknown", "describe_object", map[string]any{"object": "../users"})
	if text := reader.refused("mcp.arguments_invalid", "query_records", map[string]any{"object": "customer", "limit": 101, "colour": 1}); !strings.Contains(text, "limit: At least 1 and at most 100") || !strings.Contains(text, "colour: There is no such argument") {
		admin.Error(text)
	}
}

func customersThroughTools(reader, writer assistant) {
	reader.Helper()
	where := map[string]any{"field": "name", "op": "starts_with", "value": "锦"}
	ask := map[string]any{"object": "customer", "where": where, "fields": []string{"name"}, "total": "exact", "cursor": nil}
	var found struct {
		page
		Sentence string
	}
	reader.ok("query_records", ask, &found)
	if len(found.Items) != 1 || found.Total == nil || *found.Total != 1 || !strings.Contains(found.Sentence, "name starts with") {
		reader.Errorf("%+v", found)
	}
	writer.ok("query_records", ask, &found)
	if !strings.Contains(found.Sentence, "名称") && !strings.Contains(found.Sentence, "姓名") {
		writer.Errorf("the sentence is %q", found.Sentence)
	}
	reader.refused("query.unknown_field", "query_records", map[string]any{"object": "customer", "where": map[string]any{"field": "no_such", "op": "=", "value": 1}})
	var n struct {
		Count    int
		Sentence string
	}
	eventually(reader.T, "the customer in analytics", func() bool {
		reader.ok("count_customers", map[string]any{"where": where}, &n)
		return n.Count == 1
	})
	if n.Sentence == "" {
		reader.Error("no sentence")
	}
	reader.ok("count_records", map[string]any{"object": "customer", "where": where}, &n)
	if n.Count != 1 {
		reader.Errorf("count %+v", n)
	}
	var seg struct {
		Key     string
		Version int64
	}
	reader.refused("access.forbidden", "create_segment", map[string]any{"label": "锦", "where": where})
	writer.ok("create_segment", map[string]any{"label": "锦", "kind": "dynamic", "where": where}, &seg)
	var members page
	reader.ok("segment_members", map[string]any{"key": seg.Key}, &members)
	writer.ok("update_segment", map[string]any{"key": seg.Key, "version": seg.Version, "label": "锦字号"}, &seg)
	writer.ok("delete_segment", map[string]any{"key": seg.Key}, nil)
	for name, args := range map[string]map[string]any{"list_segments": nil, "list_traits": nil, "list_classifications": nil, "business_figures": {"days": 7}, "purchase_cohorts": nil,
		"list_people": nil, "search": {"q": "锦绣"}, "aggregate_records": {"object": "customer", "group_by": []any{map[string]any{"field": "created_at", "by": "month"}}},
		"check_condition": {"where": where}, "agenda": {"user": "usr_0000000000001", "from": "2026-11-01", "to": "2026-11-08"}} {
		reader.ok(name, args, nil)
	}
	if text := reader.ok("list_traits", nil, nil); strings.Contains(text, `"zh-CN"`) || len(text) > 200<<10 {
		reader.Errorf("the words of the traits are in every language, or many: %d", len(text))
	}
}

func objectsMadeMeanwhile(admin *client, reader, writer assistant) {
	admin.Helper()
	admin.want(201, admin.do("POST", "/objects", `{"key":"showroom","label":{"zh-CN":"展厅","en":"Showroom"},"plural":{"zh-CN":"展厅","en":"Showrooms"}}`))
	var objects struct {
		Items []struct{ Key, Label string }
	}
	reader.ok("list_objects", nil, &objects)
	if !slices.ContainsFunc(objects.Items, func(o struct{ Key, Label string }) bool {
		return strings.Contains(o.Key, "showroom") && o.Label == "Showroom"
	}) {
		admin.Fatalf("no showroom among %+v", objects)
	}
	i := slices.IndexFunc(objects.Items, func(o struct{ Key, Label string }) bool { return o.Label == "Showroom" })
	key := objects.Items[i].Key
	enum, _ := reader.toolNames()["get_record"].InputSchema.(map[string]any)["properties"].(map[string]any)["object"].(map[string]any)["enum"].([]any)
	if !slices.Contains(enum, any(key)) {
		admin.Errorf("the object is not named: %v", enum)
	}
	var made rec
	writer.ok("create_record", map[string]any{"object": key, "fields": map[string]any{"name": "南京西路"}}, &made)
	if text := reader.ok("query_records", map[string]any{"object": key}, nil); !strings.Contains(text, "南京西路") {
		admin.Error(text)
	}
	list, err := reader.ListResources(reader.Context(), nil)
	if err != nil || !slices.ContainsFunc(list.Resources, func(r *sdk.Resource) bool { return r.URI == "guanxi://objects/"+key && r.Title == "Showroom" }) {
		admin.Errorf("no resource of the object: %v", err)
	}
	got, err := reader.ReadResource(reader.Context(), &sdk.ReadResourceParams{URI: "guanxi://objects/" + key})
	if err != nil || !strings.Contains(got.Contents[0].Text, `"key":"name"`) {
		admin.Errorf("%v %+v", err, got)
	}
}

func resourcesAndPrompts(reader, writer assistant) {
	reader.Helper()
	for _, a := range []assistant{reader, writer} {
		list, err := a.ListResources(a.Context(), nil)
		if err != nil {
			a.Fatal(err)
		}
		for _, r := range list.Resources {
			got, err := a.ReadResource(a.Context(), &sdk.ReadResourceParams{URI: r.URI})
			if err != nil || len(got.Contents) != 1 || len(got.Contents[0].Text) < 100 || strings.HasPrefix(r.Title, "mcp.") || strings.HasPrefix(r.Description, "mcp.") {
				a.Errorf("%s: %v", r.URI, err)
			}
		}
		for _, uri := range []string{"guanxi://objects/spaceship", "guanxi://records/customer/cus_0000000000001", "guanxi://records/../users", "guanxi://else"} {
			if got, err := a.ReadResource(a.Context(), &sdk.ReadResourceParams{URI: uri}); err == nil {
				a.Errorf("%s: %+v", uri, got.Contents[0])
			}
		}
	}
	args := map[string]map[string]string{"find_slipping_customers": {"count": "7"}, "prepare_visit": {"customer": "锦绣坊"}, "weekly_report": nil}
	for _, a := range []assistant{reader, writer} {
		list, err := a.ListPrompts(a.Context(), nil)
		if err != nil || len(list.Prompts) != len(args) {
			a.Fatalf("%v %+v", err, list)
		}
		for _, name := range slices.Sorted(maps.Keys(args)) {
			got, err := a.GetPrompt(a.Context(), &sdk.GetPromptParams{Name: name, Arguments: args[name]})
			if err != nil {
				a.Fatal(err)
			}
			text, _ := got.Messages[0].Content.(*sdk.TextContent)
			if text == nil || len(text.Text) < 200 || strings.ContainsAny(text.Text, "{}") {
				a.Errorf("%s: %+v", name, text)
			}
			if chinese := strings.Contains(text.Text, "请"); chinese != (a == writer) {
				a.Errorf("%s is in the wrong language: %s", name, text.Text)
			}
		}
	}
	if _, err := reader.GetPrompt(reader.Context(), &sdk.GetPromptParams{Name: "prepare_visit"}); err == nil {
		reader.Error("a visit to nobody was prepared")
	}
}

// TestTheAssistantsDoorIsClosed to everybody without a key.
func TestTheAssistantsDoorIsClosed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(access.Administrator)
	key := admin.apiKey("read")
	const hello = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	send := func(c *client, body string) answer {
		t.Helper()
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.server.URL+api.AssistantPath, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if c.key != "" {
			req.Header.Set("Authorization", "Bearer "+c.key)
		}
		if c.csrf != "" {
			req.Header.Set("X-CSRF-Token", c.csrf)
		}
		for k, v := range c.headers {
			req.Header.Set(k, v)
		}
		return c.send(req)
	}
	keyed := s.client()
	keyed.key = key
	if got := send(keyed, hello); got.status != 200 || !strings.Contains(string(got.body), "query_records") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := s.client().wantCode(401, "auth.not_signed_in", send(s.client(), hello)); got.header.Get("WWW-Authenticate") != "Bearer" {
		t.Error("nobody is told how to sign in")
	}
	forged := s.client()
	forged.key = "gxk_" + strings.Repeat("A", 43)
	forged.want(401, send(forged, hello))
	admin.wantCode(403, "mcp.key_needed", send(admin, hello))
	cross := keyed.with("Origin", "https://evil.example")
	cross.wantCode(403, "api.cross_origin", send(cross, hello))
	keyed.want(413, send(keyed, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"`+strings.Repeat("x", 2<<20)+`"}}`))
	for _, rubbish := range []string{"", "[]", "null", "{", `{"jsonrpc":"1.0"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":7}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":[]}}`} {
		if got := send(keyed, rubbish); got.status >= 500 {
			t.Errorf("%s: %d %s", rubbish, got.status, got.body)
		}
	}
	for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"} {
		res, err := http.Get(s.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 404 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	a := s.assistant(key, "en")
	a.ok("list_objects", nil, nil)
	var keys struct {
		Items []struct{ ID, Prefix string }
	}
	if err := admin.want(200, admin.do("GET", "/apikeys", "")).json(&keys); err != nil || len(keys.Items) != 1 {
		t.Fatal(err, keys)
	}
	admin.want(204, admin.do("DELETE", "/apikeys/"+keys.Items[0].ID, ""))
	if _, err := a.CallTool(a.Context(), &sdk.CallToolParams{Name: "list_objects"}); err == nil {
		t.Error("a revoked key goes on")
	}
	if _, err := s.dial(key, "en", ""); err == nil {
		t.Error("a revoked key connects")
	}
}

// TestEveryVersionOfTheProtocol that the library knows is understood.
func TestEveryVersionOfTheProtocol(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := s.as(access.Administrator).apiKey("read")
	for _, version := range sdk.SupportedProtocolVersions() {
		session, err := s.dial(key, "en", version)
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		a := assistant{t, session}
		if text := a.ok("list_objects", nil, nil); !strings.Contains(text, `"customer"`) {
			t.Errorf("%s: %s", version, text)
		}
		_ = session.Close()
	}
}

var codeSpan = regexp.MustCompile("`(\\{\"[^`]*\\})`")

// TestTheGuideHolds: every example of a condition in the guides is one that the language accepts.
func TestTheGuideHolds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(access.Administrator)
	admin.want(201, admin.do("POST", "/segments", `{"key":"vip","label":"VIP","kind":"dynamic","where":{"field":"name","op":"is_set"}}`))
	key := admin.apiKey("read")
	for _, language := range []string{"en", "zh-CN"} {
		a := s.assistant(key, language)
		guide, err := a.ReadResource(a.Context(), &sdk.ReadResourceParams{URI: "guanxi://guide/conditions"})
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, m := range codeSpan.FindAllStringSubmatch(guide.Contents[0].Text, -1) {
			var where map[string]any
			if json.Unmarshal([]byte(m[1]), &where) != nil || where["days"] != nil || where["hours"] != nil || where["from"] != nil || where["amount"] != nil {
				continue // a shape with an ellipsis, a window, a value
			}
			var out struct {
				OK       bool
				Sentence string
				Errors   []any
			}
			a.ok("check_condition", map[string]any{"object": "customer", "where": where}, &out)
			if tried++; !out.OK || out.Sentence == "" {
				t.Errorf("%s: %s: %v", language, m[1], out.Errors)
			}
		}
		if tried < 12 {
			t.Errorf("%s: only %d examples", language, tried)
		}
	}
}

// TestAssistantsAreLimited as every other program with a key is.
func TestAssistantsAreLimited(t *testing.T) {
	t.Parallel()
	tight := generous
	tight.SignedIn = api.Rate{PerSecond: 0.01, Burst: 30}
	s := prepare(t, open(t, app.Options{Config: settings(t, nil), Rates: tight}))
	a := s.assistant(s.as(access.Administrator).apiKey("read"), "en")
	for range 40 {
		out, err := a.CallTool(a.Context(), &sdk.CallToolParams{Name: "list_objects"})
		if err != nil {
			return // refused at the door
		}
		if out.IsError {
			if raw := mustJSON(t, out.StructuredContent); !strings.Contains(raw, "api.too_many_requests") {
				t.Error(raw)
			}
			return
		}
	}
	t.Error("nothing held the assistant back")
}

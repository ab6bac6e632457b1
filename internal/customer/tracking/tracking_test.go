package tracking_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

func track(name, properties string) *event.Event {
	return &event.Event{Kind: event.Track, Name: name, Source: 1, Properties: json.RawMessage(properties)}
}

func TestFlattenReachesIntoObjectsAndLists(t *testing.T) {
	t.Parallel()
	got := tracking.Flatten(json.RawMessage(`{"price":12.5,"n":3,"ok":true,"at":"2026-11-22T10:00:00Z","day":"2026-11-22","none":null,"address":{"city":"上海"},
		"products":[{"sku":"a","price":1},{"sku":"b"}],"phone":{"$sealed":"xyz"}}`))
	want := map[string]tracking.Type{"price": tracking.Number, "n": tracking.Integer, "ok": tracking.Bool, "at": tracking.Time, "day": tracking.Time, "none": tracking.Null,
		"address": tracking.Object, "address.city": tracking.Text, "products": tracking.List, "products[].sku": tracking.Text, "products[].price": tracking.Integer,
		"phone": tracking.Object}
	if len(got) != len(want) {
		t.Fatalf("%d paths, want %d: %v", len(got), len(want), got)
	}
	for path, typ := range want {
		if len(got[path]) == 0 || got[path][0].Type != typ {
			t.Errorf("%s is %v, want %s", path, got[path], typ)
		}
	}
	if len(got["products[].sku"]) != 2 {
		t.Errorf("both products count: %v", got["products[].sku"])
	}
	for _, rubbish := range []string{``, `7`, `[1]`, `{"a":`, `null`} {
		if n := len(tracking.Flatten(json.RawMessage(rubbish))); n != 0 {
			t.Errorf("%q has %d paths", rubbish, n)
		}
	}
}

func TestExamplesShowNobody(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ path, raw, want string }{
		{"color", `"红色"`, "红色"}, {"price", `129.5`, "129.5"}, {"quantity", `2`, "2"}, {"order_id", `"D-1001"`, "D-1001"},
		{"email", `"anna@example.com"`, "a•••"}, {"note", `"write to anna@example.com"`, "w•••"}, {"mobile", `"13800138000"`, "1•••"},
		{"contact", `"138 0013 8000"`, "1•••"}, {"number", `13800138000`, "1•••"}, {"user.name", `"张伟"`, "张•••"}, {"product_name", `"连衣裙"`, "连衣裙"},
		{"products[].name", `"裙"`, "裙"}, {"id_card", `"11010519491231002X"`, "1•••"}, {"vip", `true`, "true"}, {"at", `"2026-11-22T10:00:00Z"`, "2026-11-22T10:00:00Z"},
		{"text", `"` + strings.Repeat("长", 80) + `"`, strings.Repeat("长", 60) + "…"},
	} {
		values := tracking.Flatten(json.RawMessage(`{"x":` + tc.raw + `}`))["x"]
		if got, ok := tracking.Example(tc.path, values[0]); !ok || got != tc.want {
			t.Errorf("%s %s is shown as %q, want %q", tc.path, tc.raw, got, tc.want)
		}
	}
	for _, raw := range []string{`{"$sealed":"abc"}`, `[1]`, `null`, `"  "`} {
		values := tracking.Flatten(json.RawMessage(`{"x":` + raw + `}`))["x"]
		if got, ok := tracking.Example("x", values[0]); ok {
			t.Errorf("%s is shown as %q", raw, got)
		}
	}
}

func plan(t *testing.T, p tracking.Plan) *tracking.Checker {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return tracking.NewChecker(p)
}

func TestPlanFindsWhatIsNotAsPlanned(t *testing.T) {
	t.Parallel()
	c := plan(t, tracking.Plan{Unplanned: tracking.Flag, Events: []tracking.Planned{
		{Name: "Order Completed", Act: tracking.Quarantine, Closed: true, Properties: []tracking.Property{
			{Name: "order_id", Type: tracking.Text, Required: true}, {Name: "revenue", Type: tracking.Number, Required: true},
			{Name: "currency", Type: tracking.Text, Values: []string{"CNY", "USD"}}, {Name: "products[].sku", Type: tracking.Text, Required: true}}},
		{Name: "Anything", Act: tracking.Allow, Properties: []tracking.Property{{Name: "x", Required: true}}},
		{Name: event.PageViewed, Act: tracking.Flag, Properties: []tracking.Property{{Name: "section", Type: tracking.Text, Required: true}}},
	}})
	for _, tc := range []struct {
		e     *event.Event
		act   tracking.Act
		codes string
	}{
		{track("Order Completed", `{"order_id":"1","revenue":10,"currency":"CNY","products":[{"sku":"a"}]}`), tracking.Allow, ""},
		{track("Order Completed", `{"order_id":1,"currency":"EUR","products":[{"sku":"a"}],"extra":{"a":1}}`), tracking.Quarantine,
			"tracking.property_type order_id, tracking.property_missing revenue, tracking.property_value currency, tracking.property_unplanned extra, tracking.property_unplanned extra.a"},
		{track("Order Completed", `{"order_id":null,"revenue":1.5,"products":[]}`), tracking.Quarantine, "tracking.property_missing order_id, tracking.property_missing products[].sku"},
		{track("Something Else", `{}`), tracking.Flag, "tracking.event_unplanned "},
		{track("Anything", `{}`), tracking.Allow, ""},
		{track(event.Engaged, `{}`), tracking.Allow, ""},
		{&event.Event{Kind: event.Page, Name: event.PageViewed, Properties: json.RawMessage(`{}`)}, tracking.Flag, "tracking.property_missing section"},
		{&event.Event{Kind: event.Screen, Name: event.ScreenViewed, Properties: json.RawMessage(`{}`)}, tracking.Allow, ""},
		{&event.Event{Kind: event.Identify, Name: event.Identified, Properties: json.RawMessage(`{}`)}, tracking.Allow, ""},
	} {
		act, found := c.Check(tc.e)
		var codes []string
		for _, v := range found {
			codes = append(codes, v.Code+" "+v.Property)
		}
		if got := strings.Join(codes, ", "); act != tc.act || got != tc.codes {
			t.Errorf("%s %s: %s %q, want %s %q", tc.e.Name, tc.e.Properties, act, got, tc.act, tc.codes)
		}
	}
	if act, _ := plan(t, tracking.Plan{Unplanned: tracking.Allow}).Check(track("x", `{}`)); act != tracking.Allow {
		t.Errorf("no plan: %s", act)
	}
}

func TestPlanRefusesWhatContradicts(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]tracking.Plan{
		"unplanned":                    {Unplanned: "maybe"},
		"events.0.name":                {Unplanned: tracking.Flag, Events: []tracking.Planned{{Name: " "}}},
		"events.1.name":                {Unplanned: tracking.Flag, Events: []tracking.Planned{{Name: "a"}, {Name: "a "}}},
		"events.0.act":                 {Unplanned: tracking.Flag, Events: []tracking.Planned{{Name: "a", Act: "burn"}}},
		"events.0.properties.0.type":   {Unplanned: tracking.Flag, Events: []tracking.Planned{{Name: "a", Properties: []tracking.Property{{Name: "b", Type: "blob"}}}}},
		"events.0.properties.1.name":   {Unplanned: tracking.Flag, Events: []tracking.Planned{{Name: "a", Properties: []tracking.Property{{Name: "b"}, {Name: "b"}}}}},
		"events.0.properties.0.values": {Unplanned: tracking.Flag, Events: []tracking.Planned{{Name: "a", Properties: []tracking.Property{{Name: "b", Type: tracking.List, Values: []string{"x"}}}}}},
	} {
		f, ok := fault.Find(p.Check())
		if !ok || f.Field != want {
			t.Errorf("want a fault at %s, got %v", want, f)
		}
	}
}

func TestLearnCountsAndForgetsPersons(t *testing.T) {
	t.Parallel()
	a, b := *track("Product Viewed", `{"price":1,"color":"red"}`), *track("Product Viewed", `{"price":1.5}`)
	a.ReceivedAt, a.Day, b.ReceivedAt, b.Day = 1000, 7, 2000, 8
	bot := *track("Product Viewed", `{"trap":1}`)
	bot.Flags = event.Bot
	who := event.Event{Kind: event.Identify, Name: event.Identified, Source: 1, ReceivedAt: 5, Properties: json.RawMessage(`{"city":"上海","email":{"$sealed":"x"}}`)}
	got := tracking.Learn([]event.Event{a, b, bot, who})
	l := got[tracking.Key{Source: 1, Name: "Product Viewed"}]
	if l == nil || l.Count != 2 || l.First != 1000 || l.Last != 2000 || l.Days[7] != 1 || l.Days[8] != 1 || l.Properties["trap"] != nil {
		t.Fatalf("%+v", l)
	}
	price := l.Properties["price"]
	if price.Count != 2 || price.Types[tracking.Integer] != 1 || price.Types[tracking.Number] != 1 || !slices.Equal(price.Examples, []string{"1", "1.5"}) {
		t.Errorf("%+v", price)
	}
	id := got[tracking.Key{Source: 1, Name: event.Identified}]
	if id == nil || id.Properties["city"] == nil || len(id.Properties["city"].Examples) != 0 {
		t.Errorf("traits teach their names alone: %+v", id)
	}
	d := tracking.Draft([]tracking.Name{{Key: l.Key, Kind: event.Track, Count: 2, Properties: l.Properties}, {Key: id.Key, Kind: event.Identify, Count: 1}})
	if len(d.Events) != 1 || d.Check() != nil {
		t.Fatalf("%+v", d)
	}
	props := d.Events[0].Properties
	if len(props) != 2 || props[0].Name != "color" || props[0].Required || props[1].Type != tracking.Number || !props[1].Required {
		t.Errorf("%+v", props)
	}
}

func TestNamesBeyondTheBoundAreCountedTogether(t *testing.T) {
	t.Parallel()
	batch := []event.Event{*track("a", `{"x":1}`), *track("b", `{"x":1}`), *track("c", `{"x":1}`)}
	got := tracking.Into(tracking.Learn(batch), func(k tracking.Key) bool { return k.Name == "b" }, 1)
	more := got[tracking.Key{Source: 1, Name: tracking.More}]
	if len(got) != 3 || got[tracking.Key{Source: 1, Name: "a"}] == nil || more == nil || more.Count != 1 || len(more.Properties) != 0 {
		t.Fatalf("%v", got)
	}
}

func TestFixAppliesStepsInOrder(t *testing.T) {
	t.Parallel()
	body := json.RawMessage(`{"type":"track","event":"order","messageId":"m","properties":{"amount":"¥1,280.50","uid":42,"junk":1,"deep":{"a":1}}}`)
	got, err := tracking.Fix(body, []tracking.Step{{Do: "rename_event", Event: "Order Completed"}, {Do: "rename", Property: "amount", To: "revenue"},
		{Do: "cast", Property: "revenue", To: "number"}, {Do: "cast", Property: "deep", To: "text"}, {Do: "remove", Property: "junk"}, {Do: "user_id", Property: "uid"},
		{Do: "set", Property: "currency", To: "CNY"}, {Do: "remove", Property: "not there"}})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(got, &m); err != nil {
		t.Fatal(err)
	}
	p := m["properties"].(map[string]any)
	if m["event"] != "Order Completed" || m["userId"] != "42" || p["revenue"] != 1280.5 || p["currency"] != "CNY" || p["junk"] != nil || p["deep"] == nil || m["messageId"] != "m" {
		t.Fatalf("%s", got)
	}
	if same, err := tracking.Fix(body, nil); err != nil || string(same) != string(body) {
		t.Errorf("without steps: %s %v", same, err)
	}
	for _, bad := range [][]tracking.Step{{{Do: "burn"}}, {{Do: "rename", Property: "a"}}, {{Do: "cast", Property: "a", To: "object"}}, {{Do: "rename_event"}}, make([]tracking.Step, 21)} {
		if fault.KindOf(tracking.CheckSteps(bad)) != fault.Invalid || tracking.CheckSteps(bad) == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if _, err := tracking.Fix(json.RawMessage(`"x"`), []tracking.Step{{Do: "remove", Property: "a"}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no event: %v", err)
	}
}

// door takes events by their names.
type door struct {
	tracking.Door
	rejected []tracking.Rejected
	taken    map[string]int
	dropped  []id.ID
}

func (d *door) Rejected(_ context.Context, q tracking.RejectedQuery) ([]tracking.Rejected, error) {
	out := slices.Clone(d.rejected)
	return out[:min(len(out), q.Limit)], nil
}

func (d *door) DropRejected(_ context.Context, ids []id.ID) error {
	d.dropped = append(d.dropped, ids...)
	return nil
}

func (d *door) Replay(_ context.Context, r tracking.Rejected, body json.RawMessage) (tracking.State, error) {
	if strings.Contains(string(body), "bad") {
		return "", fault.New(fault.Invalid, "tracking.not_an_event", nil)
	}
	d.taken[r.MessageID]++
	if d.taken[r.MessageID] > 1 {
		return tracking.Duplicate, nil
	}
	return tracking.Accepted, nil
}

type memory struct{ tracking.Store }

func (memory) Plan(context.Context) (tracking.Plan, error) {
	return tracking.Plan{Version: 1, Unplanned: tracking.Flag}, nil
}

func TestReplayKeepsWhatIsRefusedAgain(t *testing.T) {
	t.Parallel()
	d := &door{taken: map[string]int{}, rejected: []tracking.Rejected{{ID: 3, MessageID: "c", Body: json.RawMessage(`{"event":"bad","properties":{}}`)},
		{ID: 2, MessageID: "b", Body: json.RawMessage(`{"event":"b"}`)}, {ID: 1, MessageID: "b", Body: json.RawMessage(`{"event":"b"}`)}}}
	s := tracking.New(tracking.Config{Store: memory{}, Door: d, Clock: clock.NewFake(time.Unix(0, 0)), Today: func() clock.Day { return 0 }})
	admin := access.With(t.Context(), access.Actor{Kind: access.ByUser, Role: access.Administrator})
	tried, done, err := s.Replay(admin, tracking.RejectedQuery{}, nil, true)
	if err != nil || !done || len(tried) != 3 || len(d.taken) != 0 || len(d.dropped) != 0 {
		t.Fatalf("a preview sends nothing: %v %v %v", tried, d.taken, err)
	}
	out, done, err := s.Replay(admin, tracking.RejectedQuery{}, nil, false)
	if err != nil || !done || len(out) != 3 {
		t.Fatal(out, done, err)
	}
	if out[0].State != tracking.Accepted || out[1].State != tracking.Duplicate || out[2].Code != "tracking.not_an_event" || !slices.Equal(d.dropped, []id.ID{1, 2}) {
		t.Errorf("%+v, dropped %v", out, d.dropped)
	}
	for _, role := range []access.Role{access.Manager, access.Member, access.ReadOnly} {
		ctx := access.With(t.Context(), access.Actor{Kind: access.ByUser, Role: role})
		if _, _, err := s.Replay(ctx, tracking.RejectedQuery{}, nil, false); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s may replay: %v", role, err)
		}
		if _, err := s.Plan(ctx); (err == nil) != (role == access.Manager) {
			t.Errorf("%s reads the plan: %v", role, err)
		}
	}
}

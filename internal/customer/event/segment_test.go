package event_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
)

var (
	now      = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	shanghai = time.FixedZone("CST", 8*3600)
)

func delivery() *event.Delivery {
	return &event.Delivery{Source: 7, ReceivedAt: now, Zone: shanghai}
}

// one reads a single call and answers its only item.
func one(t *testing.T, call, body string) event.Item {
	t.Helper()
	items, err := event.Segment(call, []byte(body), delivery())
	if err != nil || len(items) != 1 {
		t.Fatalf("%s: %d items, %v", body, len(items), err)
	}
	return items[0]
}

func TestSegmentKinds(t *testing.T) {
	t.Parallel()
	tests := []struct{ call, body, want string }{
		{"track", `{"event":"Product Viewed","userId":"u","properties":{"sku":"1"}}`, `track|Product Viewed|u||||{"sku":"1"}`},
		{"t", `{"event":"x","anonymousId":"a"}`, `track|x||a|||{}`},
		{"identify", `{"userId":42,"traits":{"name":"张三"}}`, `identify|Identified|42||||{"name":"张三"}`},
		{"i", `{"userId":"u","anonymousId":"a","traits":null}`, `identify|Identified|u|a|||{}`},
		{"page", `{"anonymousId":"a","name":"Home","category":"Shop","properties":{"url":"https://x/"}}`, `page|Page Viewed||a|||{"category":"Shop","name":"Home","url":"https://x/"}`},
		{"p", `{"anonymousId":"a","name":"Home","properties":{"name":"Own"}}`, `page|Page Viewed||a|||{"name":"Own"}`},
		{"s", `{"anonymousId":"a","name":"Start"}`, `screen|Screen Viewed||a|||{"name":"Start"}`},
		{"group", `{"userId":"u","groupId":"g","traits":{"plan":"a"}}`, `group|Grouped|u||g||{"plan":"a"}`},
		{"a", `{"userId":"u","previousId":"old"}`, `alias|Aliased|u|||old|{}`},
		{"track", `{"type":"identify","event":"x","userId":"u"}`, `track|x|u||||{}`},
		{"track", "\xef\xbb\xbf \n{\"event\":\"x\",\"userId\":\"u\",\"properties\":{ \"a\" : 1 }}", `track|x|u||||{"a":1}`},
		{"track", `{"event":"x\u0000y","userId":"u","properties":{"a\u0000":"b\u0000c","d":"\ud83d\ude00","e":"\ud800"}}`, `track|xy|u||||{"a":"bc","d":"😀","e":"�"}`},
		{"track", "{\"event\":\"a\xffb\",\"userId\":\"u\"}", `track|a�b|u||||{}`},
	}
	for _, tt := range tests {
		it := one(t, tt.call, tt.body)
		e := it.Event
		got := strings.Join([]string{string(e.Kind), e.Name, e.UserID, e.AnonymousID, e.GroupID, e.PreviousID, string(e.Properties)}, "|")
		if it.Fault != nil || got != tt.want {
			t.Errorf("%s %s\n got %s %v\nwant %s", tt.call, tt.body, got, it.Fault, tt.want)
		}
	}
}

func TestSegmentRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	tests := []struct{ call, body, code, field string }{
		{"track", `{"userId":"u"}`, "event.name_missing", "event"},
		{"track", `{"event":"  ","userId":"u"}`, "event.name_missing", "event"},
		{"track", `{"event":"x"}`, "event.nobody", "userId"},
		{"track", `{"event":"x","userId":null,"anonymousId":""}`, "event.nobody", "userId"},
		{"track", `{"event":"x","userId":{"a":1}}`, "event.nobody", "userId"},
		{"group", `{"userId":"u"}`, "event.group_missing", "groupId"},
		{"alias", `{"userId":"u"}`, "event.previous_missing", "previousId"},
		{"alias", `{"previousId":"u"}`, "event.user_missing", "userId"},
		{"track", `{"event":"x","userId":"u","properties":[1]}`, "event.not_an_object", "properties"},
		{"identify", `{"userId":"u","traits":"x"}`, "event.not_an_object", "traits"},
		{"track", `{"event":"x","userId":"u","context":5}`, "event.not_an_object", "context"},
		{"track", `{"event":"` + long + `","userId":"u"}`, "event.too_long", "event"},
		{"track", `{"event":"x","userId":"` + long + `"}`, "event.too_long", "userId"},
		{"batch", `{"batch":[{"type":"poke","userId":"u"}]}`, "event.kind_unknown", "type"},
		{"batch", `{"batch":[5]}`, "event.not_an_object", ""},
	}
	for _, tt := range tests {
		it := one(t, tt.call, tt.body)
		if it.Fault == nil || it.Fault.Code != tt.code || it.Fault.Field != tt.field {
			t.Errorf("%s: %v", tt.body, it.Fault)
		}
	}
	for _, tt := range []struct{ call, body, code string }{
		{"track", ``, "event.unparseable"}, {"track", `[]`, "event.unparseable"}, {"track", `{"event":`, "event.unparseable"}, {"batch", `{}`, "event.unparseable"},
		{"batch", `{"batch":{}}`, "event.unparseable"}, {"batch", `{"batch":[{"a":}]}`, "event.unparseable"}, {"poke", `{}`, "event.call_unknown"},
		{"track", `{"event":"x","userId":"u","properties":{"a":"` + strings.Repeat("x", event.MaxEvent) + `"}}`, "event.body_too_large"},
		{"batch", `{"batch":[],"x":"` + strings.Repeat("x", event.MaxBatch) + `"}`, "event.body_too_large"},
	} {
		if _, err := event.Segment(tt.call, []byte(tt.body), delivery()); fault.CodeOf(err) != tt.code {
			t.Errorf("%s %.60s: %v", tt.call, tt.body, err)
		}
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	body := `{"sentAt":"2026-03-01T04:00:00Z","context":{"library":{"name":"l"},"ip":"1.2.3.4","locale":"zh"},"integrations":{"All":false},"batch":[
		{"type":"track","event":"a","userId":"u","messageId":"m1","context":{"locale":"en","ip":"5.6.7.8"},"integrations":{"Email":true}},
		{"type":"track","userId":"u","messageId":"m2"},
		{"type":"identify","userId":"u","messageId":"m3"},
		{"type":"track","event":"big","userId":"u","properties":{"x":"` + strings.Repeat("x", event.MaxEvent) + `"}}]}`
	items, err := event.Segment("batch", []byte(body), delivery())
	if err != nil || len(items) != 4 {
		t.Fatal(len(items), err)
	}
	if got := string(items[0].Event.Context); got != `{"integrations":{"All":false,"Email":true},"library":{"name":"l"},"locale":"en"}` {
		t.Errorf("context %s", got)
	}
	if items[0].Fault != nil || items[1].Fault == nil || items[2].Fault != nil || items[3].Fault == nil || items[3].Fault.Code != "event.too_large" {
		t.Errorf("faults %v %v %v %v", items[0].Fault, items[1].Fault, items[2].Fault, items[3].Fault)
	}
	if items[1].Event.MessageID != "m2" {
		t.Error("a refused event has lost its message id")
	}
	many := `{"batch":[` + strings.TrimSuffix(strings.Repeat(`{"type":"track","event":"a","userId":"u"},`, event.MaxEvents+3), ",") + `]}`
	items, err = event.Segment("batch", []byte(many), delivery())
	if err != nil || len(items) != event.MaxEvents+3 {
		t.Fatal(len(items), err)
	}
	for i, it := range items {
		if (it.Fault != nil) != (i >= event.MaxEvents) {
			t.Fatalf("event %d: %v", i, it.Fault)
		}
	}
}

// TestTimes are the cases of the clock: what the client said, when it sent, and when it happened.
func TestTimes(t *testing.T) {
	t.Parallel()
	ms := func(s string) int64 {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMilli()
	}
	tests := []struct {
		what, fields string
		at           int64
		flags        model.Flags
	}{
		{"no time at all", ``, now.UnixMilli(), model.NoTime},
		{"in time", `"timestamp":"2026-03-01T03:59:58Z","sentAt":"2026-03-01T04:00:00Z"`, ms("2026-03-01T03:59:58Z"), 0},
		{"the client's clock is three hours fast", `"timestamp":"2026-03-01T06:59:58Z","sentAt":"2026-03-01T07:00:00Z"`, ms("2026-03-01T03:59:58Z"), 0},
		{"the client's clock is a year slow", `"timestamp":"2025-03-01T03:59:50Z","sentAt":"2025-03-01T04:00:00Z"`, ms("2026-03-01T03:59:50Z"), 0},
		{"an offline queue keeps the gap", `"originalTimestamp":"2026-02-27T04:00:00Z","sentAt":"2026-03-01T04:00:00Z"`, ms("2026-02-27T04:00:00Z"), 0},
		{"the claim beats the corrected time of another server", `"originalTimestamp":"2026-03-01T03:00:00Z","timestamp":"2026-03-01T02:00:00Z","sentAt":"2026-03-01T04:00:00Z"`, ms("2026-03-01T03:00:00Z"), 0},
		{"without a time of sending the claim counts", `"timestamp":"2024-05-06T07:08:09Z"`, ms("2024-05-06T07:08:09Z"), 0},
		{"nanoseconds", `"timestamp":"2026-03-01T03:59:58.123456789Z"`, ms("2026-03-01T03:59:58.123Z"), 0},
		{"another offset", `"timestamp":"2026-03-01T11:59:58+08:00"`, ms("2026-03-01T03:59:58Z"), 0},
		{"an offset without a colon", `"timestamp":"2026-03-01T11:59:58.5+0800"`, ms("2026-03-01T03:59:58.5Z"), 0},
		{"no zone is the workspace's", `"timestamp":"2026-03-01 11:59:58"`, ms("2026-03-01T03:59:58Z"), 0},
		{"milliseconds", `"timestamp":1772337598000`, 1772337598000, 0},
		{"seconds", `"timestamp":1772337598`, 1772337598000, 0},
		{"seconds with a fraction, as text", `"timestamp":"1772337598.5"`, 1772337598500, 0},
		{"the future", `"timestamp":"2026-03-02T00:00:00Z"`, now.UnixMilli(), model.FutureTime},
		{"sent before it happened", `"timestamp":"2026-03-01T04:00:05Z","sentAt":"2026-03-01T04:00:00Z"`, now.UnixMilli(), model.FutureTime},
		{"negative", `"timestamp":-5`, now.UnixMilli(), model.NoTime},
		{"no time", `"timestamp":"yesterday"`, now.UnixMilli(), model.NoTime},
		{"an object", `"timestamp":{}`, now.UnixMilli(), model.NoTime},
		{"null", `"timestamp":null,"sentAt":null`, now.UnixMilli(), model.NoTime},
		{"too large", `"timestamp":1e300`, now.UnixMilli(), model.NoTime},
		{"sending is no time", `"timestamp":"2026-03-01T03:00:00Z","sentAt":"soon"`, ms("2026-03-01T03:00:00Z"), 0},
	}
	for _, tt := range tests {
		sep := ","
		if tt.fields == "" {
			sep = ""
		}
		e := one(t, "track", `{"event":"x","userId":"u"`+sep+tt.fields+`}`).Event
		if e.At != tt.at || e.Flags != tt.flags {
			t.Errorf("%s: at %s flags %d, want %s %d", tt.what, time.UnixMilli(e.At).UTC(), e.Flags, time.UnixMilli(tt.at).UTC(), tt.flags)
		}
	}
	if e := one(t, "track", `{"event":"x","userId":"u","timestamp":"2026-02-28T16:30:00Z"}`).Event; e.Day.String() != "2026-03-01" {
		t.Errorf("local day %s", e.Day)
	}
}

// TestResend: what changes from one sending to the next changes neither hash nor made-up message id; anything else does.
func TestResend(t *testing.T) {
	t.Parallel()
	hash := func(body string) string {
		items, err := event.Segment("batch", []byte(body), delivery())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(items[0].Event.Hash, items[0].Event.MessageID)
	}
	first := hash(`{"batch":[{"type":"track","event":"x","userId":"u","timestamp":"2026-03-01T03:00:00Z","properties":{"a":1}}],"sentAt":"2026-03-01T03:00:01Z"}`)
	if again := hash(`{"sentAt":"2026-03-01T03:55:01Z","batch":[{"type":"track","event":"x","userId":"u","timestamp":"2026-03-01T03:00:00Z","sentAt":"2026-03-01T03:55:01Z","_metadata":{"retryCount":2},"receivedAt":"2026-03-01T03:00:02Z","properties":{ "a": 1}}]}`); again != first {
		t.Errorf("a resend has another hash: %s, %s", first, again)
	}
	if other := hash(`{"batch":[{"type":"track","event":"x","userId":"u","timestamp":"2026-03-01T03:00:00Z","properties":{"a":2}}]}`); other == first {
		t.Error("another content has the same hash")
	}
	free := `{"batch":[{"type":"track","event":"x","userId":"u"}]}`
	if a, b := hash(free), hash(free); a == b {
		t.Error("two events without id and time are taken for one")
	}
	long := strings.Repeat("m", 150)
	a, b := one(t, "track", `{"event":"x","userId":"u","messageId":"`+long+`a"}`), one(t, "track", `{"event":"x","userId":"u","messageId":"`+long+`b"}`)
	if len(a.Event.MessageID) > model.MaxMessageID || a.Event.MessageID == b.Event.MessageID {
		t.Errorf("long message ids: %q %q", a.Event.MessageID, b.Event.MessageID)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]model.Flags{
		`"context":{"userAgent":"Mozilla/5.0 (compatible; Baiduspider/2.0)"}`: model.Bot,
		`"context":{"userAgent":"Mozilla/5.0 (iPhone) Mobile Safari"}`:        0,
		`"context":{"bot":true}`: model.Bot,
		`"context":{"consent":{"categoryPreferences":{"Analytics":false}}}`:                    model.NoConsent,
		`"context":{"consent":{"categoryPreferences":{"Analytics":true,"Advertising":false}}}`: 0,
		`"context":{"userAgent":5,"consent":"x"}`:                                              0,
	} {
		if e := one(t, "track", `{"event":"x","userId":"u","timestamp":1772337598000,`+body+`}`).Event; e.Flags != want {
			t.Errorf("%s: flags %d", body, e.Flags)
		}
	}
	d := delivery()
	d.Visitor, d.UserAgent = func() string { return "v1" }, "Mozilla/5.0 HeadlessChrome/1"
	items, err := event.Segment("track", []byte(`{"event":"x","context":{"cookieless":true}}`), d)
	if err != nil || items[0].Fault != nil || items[0].Event.AnonymousID != "v1" || !items[0].Event.Flags.Has(model.Bot) {
		t.Errorf("%+v %v", items, err)
	}
	if items, _ = event.Segment("track", []byte(`{"event":"x"}`), d); items[0].Fault == nil {
		t.Error("an event that does not ask for it is given a visitor")
	}
}

func FuzzSegment(f *testing.F) {
	for _, seed := range []string{`{"event":"x","userId":"u"}`, `{"batch":[{"type":"track","event":"x","anonymousId":"a","timestamp":"2026-03-01T03:00:00Z","context":{"ip":"1"}}],"sentAt":5}`, `{"batch":[1,null,{}]}`,
		`{"event":"\ud800\u0000","userId":-1e5,"properties":{"\u0000":1}}`} {
		f.Add("track", []byte(seed))
		f.Add("batch", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, call string, body []byte) {
		items, err := event.Segment(call, body, delivery())
		if err != nil {
			return
		}
		sound(t, items)
	})
}

// sound checks what is true of every event that would be accepted.
func sound(t *testing.T, items []event.Item) {
	t.Helper()
	for _, it := range items {
		if it.Fault != nil {
			continue
		}
		e := it.Event
		var m map[string]any
		if json.Unmarshal(e.Properties, &m) != nil || json.Unmarshal(e.Context, &m) != nil {
			t.Errorf("not objects: %q %q", e.Properties, e.Context)
		}
		if e.At > e.ReceivedAt || e.At <= 0 || e.MessageID == "" || len(e.MessageID) > model.MaxMessageID || e.UserID == "" && e.AnonymousID == "" || e.Name == "" || e.Hash == 0 {
			t.Errorf("%+v", e)
		}
		for _, s := range []string{e.Name, e.UserID, e.AnonymousID, e.MessageID, string(e.Properties), string(e.Context)} {
			if strings.ContainsRune(s, 0) || strings.Contains(s, `\u0000`) && !strings.Contains(s, `\\u0000`) || strings.ToValidUTF8(s, "") != s {
				t.Errorf("text %q", s)
			}
		}
	}
}

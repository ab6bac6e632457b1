package event_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
)

func zipped(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSensorsForms(t *testing.T) {
	t.Parallel()
	one := `{"type":"track","event":"看了又看?>","distinct_id":"d","time":1772337598000,"_track_id":1,"properties":{"价":9.5}}`
	two := `[` + one + `,{"type":"track","event":"b","distinct_id":"d","time":1772337599000,"properties":{}}]`
	b64 := base64.StdEncoding.EncodeToString
	tests := []struct {
		what string
		form url.Values
		body string
		want int
	}{
		{"data", url.Values{"data": {b64([]byte(one))}}, "", 1},
		{"data packed", url.Values{"data": {b64(zipped(t, one))}, "gzip": {"1"}, "crc": {"5"}}, "", 1},
		{"data_list packed", url.Values{"data_list": {b64(zipped(t, two))}, "gzip": {"1"}}, "", 2},
		{"data_list", url.Values{"data_list": {b64([]byte(two))}}, "", 2},
		{"the alphabet of addresses, no padding", url.Values{"data": {base64.RawURLEncoding.EncodeToString([]byte(one))}}, "", 1},
		{"plus signs that a form made spaces", url.Values{"data": {strings.ReplaceAll(b64([]byte(one)), "+", " ")}}, "", 1},
		{"JSON itself", nil, two, 2},
		{"JSON in the form", url.Values{"data": {one}}, "", 1},
	}
	for _, tt := range tests {
		items, err := event.Sensors(tt.form, []byte(tt.body), delivery())
		if err != nil || len(items) != tt.want || items[0].Fault != nil || items[0].Event.Name != "看了又看?>" || string(items[0].Event.Properties) != `{"价":9.5}` {
			t.Errorf("%s: %+v %v", tt.what, items, err)
		}
	}
	bomb := zipped(t, "["+strings.Repeat(" ", 20<<20)+"]")
	for what, f := range map[string]url.Values{"nothing": {}, "no base64": {"data": {"%%%"}}, "no JSON": {"data": {b64([]byte("hello"))}}, "half a gzip": {"data": {b64(zipped(t, one)[:40])}}, "a text": {"data": {b64([]byte(`"x"`))}},
		"a bomb": {"data": {b64(bomb)}}} {
		_, err := event.Sensors(f, nil, delivery())
		want := "event.unparseable"
		if what == "a bomb" {
			want = "event.body_too_large"
		}
		if fault.CodeOf(err) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSensorsTypes(t *testing.T) {
	t.Parallel()
	tests := []struct{ body, want string }{
		{`{"type":"track","event":"x","distinct_id":"d"}`, "track|x||d|{}"},
		{`{"type":"track","event":"x","distinct_id":"d","properties":{"$is_login_id":true}}`, "track|x|d||{}"},
		{`{"type":"track","event":"x","distinct_id":"L","login_id":"L","anonymous_id":"A"}`, "track|x|L|A|{}"},
		{`{"type":"track","event":"x","distinct_id":"L","identities":{"$identity_login_id":"L","$identity_cookie_id":"C","$identity_mobile":"13800138000"}}`, "track|x|L|C|{}"},
		{`{"type":"track","event":"$pageview","distinct_id":"d","properties":{"$url":"https://a/b","$title":"T","$ip":"1.2.3.4","k":1}}`, `page|Page Viewed||d|{"k":1}`},
		{`{"type":"track","event":"$MPViewScreen","distinct_id":"d"}`, "screen|Screen Viewed||d|{}"},
		{`{"type":"profile_set","distinct_id":"d","properties":{"$name":"张","level":2}}`, `identify|Identified||d|{"$name":"张","level":2}`},
		{`{"type":"profile_set_once","distinct_id":"d","properties":{"a":1}}`, `identify|Identified||d|{"$set_once":{"a":1}}`},
		{`{"type":"profile_append","distinct_id":"d","properties":{"a":["x"]}}`, `identify|Identified||d|{"$append":{"a":["x"]}}`},
		{`{"type":"profile_increment","distinct_id":"d","properties":{"n":3}}`, `identify|Identified||d|{"$increment":{"n":3}}`},
		{`{"type":"profile_unset","distinct_id":"d","properties":{"b":true,"a":true}}`, `identify|Identified||d|{"$unset":["a","b"]}`},
		{`{"type":"profile_delete","distinct_id":"d","properties":{}}`, `identify|Identified||d|{"$delete":true}`},
		{`{"type":"track_signup","event":"$SignUp","distinct_id":"L","original_id":"A"}`, "identify|Identified|L|A|{} identify|Identified|L|L|{}"},
		{`{"type":"item_set","item_type":"book","item_id":"1","properties":{}}`, "event.item"},
		{`{"type":"poke","distinct_id":"d"}`, "event.kind_unknown"},
		{`{"type":"profile_poke","distinct_id":"d"}`, "event.kind_unknown"},
		{`{"type":"track","event":"x"}`, "event.nobody"},
		{`{"type":"track","distinct_id":"d"}`, "event.name_missing"},
	}
	for _, tt := range tests {
		items, err := event.Sensors(nil, []byte(tt.body), delivery())
		if err != nil {
			t.Fatal(tt.body, err)
		}
		var got []string
		for _, it := range items {
			e := it.Event
			if it.Fault != nil {
				got = append(got, it.Fault.Code)
				continue
			}
			got = append(got, strings.Join([]string{string(e.Kind), e.Name, e.UserID, e.AnonymousID, string(e.Properties)}, "|"))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.body, strings.Join(got, " "), tt.want)
		}
	}
}

func TestSensorsContextAndTime(t *testing.T) {
	t.Parallel()
	body := `{"type":"track","event":"$pageview","distinct_id":"d","time":1772330400000,"_flush_time":1772330410000,"_track_id":77,"lib":{"$lib":"js","$lib_version":"1"},
		"identities":{"$identity_mobile":"13800138000","$identity_mp_openid":"o1"},
		"properties":{"$url":"https://a/b?c=1","$referrer":"","$utm_source":"baidu","$os":"iOS","$os_version":"17","$screen_width":390,"$user_agent":"Mozilla","$ip":"1.2.3.4","$is_first_day":true}}`
	read := func(body string) model.Event {
		items, err := event.Sensors(nil, []byte(body), delivery())
		if err != nil || len(items) != 1 || items[0].Fault != nil {
			t.Fatal(items, err)
		}
		return items[0].Event
	}
	e := read(body)
	want := `{"campaign":{"source":"baidu"},"externalIds":[{"id":"o1","type":"openid"}],"library":{"name":"js","version":"1"},"os":{"name":"iOS","version":"17"},"page":{"referrer":"","url":"https://a/b?c=1"},"screen":{"width":390},"traits":{"phone":"13800138000"},"userAgent":"Mozilla"}`
	if string(e.Context) != want || string(e.Properties) != `{"$is_first_day":true}` {
		t.Errorf("context %s\nproperties %s", e.Context, e.Properties)
	}
	if e.At != now.UnixMilli()-10_000 || e.OriginalAt != 1772330400000 {
		t.Errorf("at %d, claimed %d", e.At-now.UnixMilli(), e.OriginalAt)
	}
	again := read(strings.Replace(body, `"_flush_time":1772330410000`, `"_flush_time":1772330999000`, 1))
	if again.MessageID != e.MessageID || again.Hash != e.Hash {
		t.Error("a resend is another event")
	}
	if other := read(strings.Replace(body, `"_track_id":77`, `"_track_id":78`, 1)); other.MessageID == e.MessageID {
		t.Error("another event is taken for a resend")
	}
	old := read(`{"type":"track","event":"x","distinct_id":"d","time":1600000000000,"_flush_time":1772330410000,"time_free":true}`)
	if old.At != 1600000000000 || !old.Flags.Has(model.Historic) {
		t.Errorf("history: %d %d", old.At, old.Flags)
	}
}

func TestHook(t *testing.T) {
	t.Parallel()
	m := event.Mapping{Kind: model.Track, Event: "=Order Paid", UserID: "$.buyer.ids[1]", Time: "paid_at", MessageID: "no", Properties: "detail"}
	body := `{"buyer":{"ids":["x","u9"]},"paid_at":"2026-03-01 11:00:00","no":"O-1","detail":{"sum":5}}`
	items, err := event.Hook(&m, []byte(body), delivery())
	if err != nil || len(items) != 1 || items[0].Fault != nil {
		t.Fatal(items, err)
	}
	e := items[0].Event
	if got := fmt.Sprint(e.Name, e.UserID, e.MessageID, e.At, string(e.Properties)); got != fmt.Sprint("Order Paid", "u9", "O-1", now.UnixMilli()-3600_000, `{"sum":5}`) {
		t.Error(got)
	}
	each := event.Mapping{Kind: model.Track, Each: "events", Event: "name", AnonymousID: "who"}
	items, err = event.Hook(&each, []byte(`{"events":[{"name":"a","who":1},{"name":"a","who":1},{"who":2}]}`), delivery())
	if err != nil || len(items) != 3 || items[0].Event.MessageID != items[1].Event.MessageID || items[2].Fault == nil || items[2].Fault.Code != "event.name_missing" {
		t.Errorf("%+v %v", items, err)
	}
	if string(items[0].Event.Properties) != `{"name":"a","who":1}` {
		t.Errorf("everything: %s", items[0].Event.Properties)
	}
	if _, err := event.Hook(&each, []byte(`{"events":5}`), delivery()); fault.CodeOf(err) != "event.mapping_no_list" {
		t.Error(err)
	}
	for field, bad := range map[string]event.Mapping{
		"mapping.kind": {Kind: model.Page, Event: "x", UserID: "u"}, "mapping.event": {Kind: model.Track, UserID: "u"}, "mapping.user_id": {Kind: model.Track, Event: "x"},
		"mapping.time": {Kind: model.Track, Event: "x", UserID: "u", Time: "a[x]"}, "mapping.each": {Kind: model.Track, Event: "x", UserID: "u", Each: "a..b"},
		"mapping.properties": {Kind: model.Track, Event: "x", UserID: "u", Properties: "a[1"}, "mapping.message_id": {Kind: model.Track, Event: "x", UserID: "u", MessageID: "a[1]b"},
	} {
		if f, _ := fault.Find(bad.Check()); f == nil || f.Field != field {
			t.Errorf("%s: %v", field, f)
		}
	}
}

func FuzzSensors(f *testing.F) {
	f.Add("data", `{"type":"track","event":"x","distinct_id":"d","identities":{"a":1},"time":5}`)
	f.Add("data_list", base64.StdEncoding.EncodeToString([]byte(`[{"type":"track_signup","distinct_id":"a","original_id":"b"}]`)))
	f.Add("", `[{"type":"profile_unset","distinct_id":1,"properties":{"\u0000":1},"lib":5,"identities":[1]}]`)
	f.Fuzz(func(t *testing.T, name, body string) {
		form, raw := url.Values{name: {body}}, ""
		if name == "" {
			form, raw = nil, body
		}
		items, err := event.Sensors(form, []byte(raw), delivery())
		if err == nil {
			sound(t, items)
		}
	})
}

func FuzzHook(f *testing.F) {
	f.Add("a.b[0]", "", `{"a":{"b":["u"]}}`)
	f.Add("=x", "list", `{"list":[1,null,[]]}`)
	f.Fuzz(func(t *testing.T, path, each, body string) {
		m := event.Mapping{Kind: model.Track, Event: path, UserID: path, Time: path, MessageID: path, Properties: path, Each: each}
		if m.Check() != nil {
			return
		}
		if items, err := event.Hook(&m, []byte(body), delivery()); err == nil {
			sound(t, items)
		}
	})
}

package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
)

// box is an inbox in memory.
type box struct {
	events   []model.Event
	rejected []model.Rejected
	counts   []model.Count
	fail     error
}

func (b *box) Accept(_ context.Context, list []model.Event) ([]model.State, error) {
	if b.fail != nil {
		return nil, b.fail
	}
	b.events = append(b.events, list...)
	states := make([]model.State, len(list))
	for i := range states {
		states[i] = model.Stored
	}
	return states, nil
}

func (b *box) Reject(_ context.Context, list []model.Rejected) error {
	b.rejected = append(b.rejected, list...)
	return b.fail
}

func (b *box) AddCounts(_ context.Context, list []model.Count) error {
	if b.fail == nil {
		b.counts = append(b.counts, list...)
	}
	return b.fail
}

// guard seals by writing backwards, and knows one erased address.
type guard struct{}

func (guard) Seal(v event.Value) string {
	r := []rune(v.Text)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(v.Kind) + ":" + string(r)
}

func (guard) Mark(id string) string { return "mark of " + strconv.Itoa(len(id)) }

func (guard) Erased(_ context.Context, persons []event.Person) ([]bool, error) {
	out := make([]bool, len(persons))
	for i, p := range persons {
		out[i] = p.UserID == "erased"
		for _, v := range p.Values {
			out[i] = out[i] || v.Text == "gone@x.cn"
		}
	}
	return out, nil
}

func take(t *testing.T, b *box, body string) []event.Result {
	t.Helper()
	items, err := event.Segment("batch", []byte(`{"batch":[`+body+`]}`), delivery())
	if err != nil {
		t.Fatal(err)
	}
	results, err := event.NewIntake(event.Config{Inbox: b, Privacy: guard{}, Clock: clock.NewFake(now)}).Take(t.Context(), 7, items)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestPersonalValuesAreSealed(t *testing.T) {
	t.Parallel()
	tests := []struct{ traits, want string }{
		{`{"phone":"13800138000","name":"张三"}`, `{"name":"张三","phone":{"$sealed":"phone:00083100831"}}`},
		{`{"Mobile_Phone":13800138000}`, `{"Mobile_Phone":{"$sealed":"phone:00083100831"}}`},
		{`{"$email":"a@b.cn","手机号":"1"}`, `{"$email":{"$sealed":"email:nc.b@a"},"手机号":{"$sealed":"phone:1"}}`},
		{`{"emails":["a"],"email":["a@b","c@d"]}`, `{"email":[{"$sealed":"email:b@a"},{"$sealed":"email:d@c"}],"emails":["a"]}`},
		{`{"address":{"street":"南京路1号","city":"上海"}}`, `{"address":{"city":"上海","street":{"$sealed":"address:号1路京南"}}}`},
		{`{"address":"南京路"}`, `{"address":{"$sealed":"address:路京南"}}`},
		{`{"idCard":"110","id":"5","product_id":"9"}`, `{"id":"5","idCard":{"$sealed":"id_number:011"},"product_id":"9"}`},
		{`{"email":""}`, `{"email":""}`},
		{`{"a":1}`, `{"a":1}`},
	}
	for _, tt := range tests {
		b := &box{}
		take(t, b, `{"type":"identify","userId":"u","traits":`+tt.traits+`,"context":{"traits":{"email":"x@y"},"userAgent":"Mobile Safari"}}`)
		e := b.events[0]
		if string(e.Properties) != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.traits, e.Properties, tt.want)
		}
		if string(e.Context) != `{"traits":{"email":{"$sealed":"email:y@x"}},"userAgent":"Mobile Safari"}` {
			t.Errorf("context %s", e.Context)
		}
	}
	b := &box{}
	take(t, b, `{"type":"track","userId":"u","traits":{"email":"a@b.cn"},"properties":{"x":{"phone":"138"}},"writeKey":"secret","context":{"ip":"10.9.8.7"}}`)
	if len(b.rejected) != 1 || strings.Contains(b.rejected[0].Payload, "a@b.cn") || strings.Contains(b.rejected[0].Payload, `"138"`) || strings.Contains(b.rejected[0].Payload, "secret") || strings.Contains(b.rejected[0].Payload, "10.9") || !strings.Contains(b.rejected[0].Payload, "email:nc.b@a") {
		t.Errorf("rejected: %+v", b.rejected)
	}
}

// TestNobodyIsFoundByWhatIsNotTaken: ids of refused events and of robots that are somebody's phone number or address are not kept in clear, and a replay has
// them again.
func TestNobodyIsFoundByWhatIsNotTaken(t *testing.T) {
	t.Parallel()
	b := &box{}
	take(t, b, `{"type":"track","userId":"13800138000","anonymousId":"cookie-1","properties":{"contact":" Lan@Example.com ","order":"13800"},"context":{"externalIds":[{"type":"email","id":"a@b.cn"}]}},`+
		`{"type":"track","event":"Crawled","userId":"lan@example.com","anonymousId":"cookie-2","properties":{"to":"139 1234 5678"},"context":{"bot":true,"externalIds":[{"id":"a@b.cn"}]}},`+
		`{"type":"track","event":"Bought","userId":"lan@example.com","properties":{"to":"139 1234 5678"}}`)
	if len(b.rejected) != 1 || len(b.events) != 2 {
		t.Fatalf("%+v %+v", b.rejected, b.events)
	}
	refused := b.rejected[0].Payload
	for _, personal := range []string{`"13800138000"`, "Lan@Example", `"a@b.cn"`} {
		if strings.Contains(refused, personal) {
			t.Errorf("%s stands in %s", personal, refused)
		}
	}
	if !strings.Contains(refused, `"cookie-1"`) || !strings.Contains(refused, `"13800"`) {
		t.Errorf("more than what is personal is sealed: %s", refused)
	}
	robot, person := b.events[0], b.events[1]
	if robot.UserID != "mark of 15" || robot.AnonymousID != "cookie-2" || strings.Contains(string(robot.Properties), "139") || strings.Contains(string(robot.Context), "a@b.cn") || !robot.Flags.Has(model.Bot) {
		t.Errorf("%+v %s %s", robot, robot.Properties, robot.Context)
	}
	if person.UserID != "lan@example.com" || !strings.Contains(string(person.Properties), "139 1234 5678") {
		t.Errorf("%+v", person)
	}
	open := func(raw json.RawMessage) (string, error) {
		_, text, _ := strings.Cut(strings.Trim(string(raw), `{}"`), ":")
		_, text, _ = strings.Cut(text, ":")
		r := []rune(text)
		slices.Reverse(r)
		return string(r), nil
	}
	clear := string(event.Unsealed(json.RawMessage(refused), open))
	if !strings.Contains(clear, `"userId":"13800138000"`) || !strings.Contains(clear, `"contact":" Lan@Example.com "`) {
		t.Errorf("opened again: %s", clear)
	}
	for name, want := range map[string]bool{"+86 138-0013-8000": true, "LAN@example.com": true, "cookie-1": true, "13800138001": false, "cookie": false} {
		if got := event.Names(json.RawMessage(refused), map[string]bool{event.SameName(name): true}, open); got != want {
			t.Errorf("names %s: %v", name, got)
		}
	}
}

// TestErasedAreNotKeptAmongTheRefused: what is refused of somebody who was erased is not kept either, and is still answered as refused.
func TestErasedAreNotKeptAmongTheRefused(t *testing.T) {
	t.Parallel()
	b := &box{}
	results := take(t, b, `{"type":"track","userId":"erased"},{"type":"track","userId":"u","traits":{"email":"gone@x.cn"}},{"type":"track","userId":"stays"}`)
	if len(b.rejected) != 1 || !strings.Contains(b.rejected[0].Payload, "stays") {
		t.Errorf("%+v", b.rejected)
	}
	for i, r := range results {
		if r.Fault == nil {
			t.Errorf("%d was not refused", i)
		}
	}
}

// TestLocation: the region comes of the person's own connection, else of what a server says, and what the client says of it counts more. A resend from
// another network is the same event.
func TestLocation(t *testing.T) {
	t.Parallel()
	locate := func(a netip.Addr) (string, string) {
		switch a.String() {
		case "1.1.1.1":
			return "CN", "330100"
		case "2.2.2.2":
			return "FR", ""
		}
		return "", ""
	}
	own := func(a string) *event.Delivery {
		d := delivery()
		d.Address, d.Own, d.Locate = netip.MustParseAddr(a), true, locate
		return d
	}
	server := func() *event.Delivery {
		d := own("1.1.1.1")
		d.Own = false
		return d
	}
	for _, tt := range []struct {
		d             *event.Delivery
		context, want string
	}{
		{own("1.1.1.1"), `{}`, `{"location":{"by":"address","country":"CN","region":"330100"}}`},
		{own("2.2.2.2"), `{"ip":"1.1.1.1","os":{"name":"x"}}`, `{"location":{"by":"address","country":"FR"},"os":{"name":"x"}}`},
		{own("3.3.3.3"), `{}`, `{}`},
		{own("1.1.1.1"), `{"location":{"country":"DE"}}`, `{"location":{"country":"DE"}}`},
		{own("1.1.1.1"), `{"location":null,"a":1}`, `{"location":{"by":"address","country":"CN","region":"330100"},"a":1}`},
		{server(), `{}`, `{}`},
		{server(), `{"ip":"2.2.2.2"}`, `{"location":{"by":"address","country":"FR"}}`},
		{server(), `{"ip":"nonsense"}`, `{}`},
		{delivery(), `{"ip":"2.2.2.2"}`, `{}`},
	} {
		items, err := event.Segment("track", []byte(`{"event":"x","userId":"u","messageId":"m","context":`+tt.context+`}`), tt.d)
		if err != nil || items[0].Fault != nil || string(items[0].Event.Context) != tt.want {
			t.Errorf("%s: %s %v", tt.context, items[0].Event.Context, err)
		}
	}
	hash := func(d *event.Delivery) int64 {
		items, err := event.Segment("track", []byte(`{"event":"x","userId":"u","messageId":"m"}`), d)
		if err != nil {
			t.Fatal(err)
		}
		return items[0].Event.Hash
	}
	if hash(own("1.1.1.1")) != hash(own("2.2.2.2")) {
		t.Error("a resend from another network is another event")
	}
	for lib, want := range map[string]string{"js": "CN", "iOS": "CN", "python": "FR", "Node": "FR"} {
		d := server()
		said := ""
		if want == "FR" {
			said = `,"$ip":"2.2.2.2"`
		}
		items, err := event.Sensors(nil, []byte(`{"type":"track","event":"x","distinct_id":"d","time":1772337598000,"lib":{"$lib":"`+lib+`"},"properties":{"a":1`+said+`}}`), d)
		if err != nil || !strings.Contains(string(items[0].Event.Context), `"country":"`+want+`"`) || strings.Contains(string(items[0].Event.Properties), "ip") {
			t.Errorf("%s: %s %s %v", lib, items[0].Event.Context, items[0].Event.Properties, err)
		}
	}
}

func TestTake(t *testing.T) {
	t.Parallel()
	b := &box{}
	results := take(t, b, `{"type":"track","event":"a","userId":"u"},{"type":"track","userId":"u"},{"type":"track","event":"b","userId":"erased"},{"type":"identify","userId":"v","traits":{"email":"gone@x.cn"}},{"type":"track","event":"c","userId":"u"}`)
	if len(b.events) != 2 || b.events[0].Name != "a" || b.events[1].Name != "c" {
		t.Errorf("accepted %+v", b.events)
	}
	for i, r := range results {
		if (r.Fault != nil) != (i == 1) { // whoever was erased is refused in silence
			t.Errorf("item %d: %+v", i, r)
		}
	}
	if len(b.rejected) != 1 || b.rejected[0].Code != "event.name_missing" || b.rejected[0].Source != 7 {
		t.Errorf("rejected %+v", b.rejected)
	}
}

func TestCountsSurviveAFailure(t *testing.T) {
	t.Parallel()
	b := &box{}
	in := event.NewIntake(event.Config{Inbox: b, Privacy: guard{}, Clock: clock.NewFake(now)})
	feed := func() {
		items, err := event.Segment("batch", []byte(`{"batch":[{"type":"track","event":"a","userId":"u"},{"type":"track"}]}`), delivery())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Take(t.Context(), 7, items); err != nil {
			t.Fatal(err)
		}
	}
	feed()
	b.fail = errors.New("full")
	if in.Flush(t.Context()) == nil {
		t.Fatal("no error")
	}
	b.fail = nil
	feed()
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.counts) != 1 || b.counts[0].Accepted != 2 || b.counts[0].Rejected != 2 || b.counts[0].LastAt != now.UnixMilli() {
		t.Errorf("%+v", b.counts)
	}
}

package event_test

import (
	"context"
	"errors"
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

package event_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
)

type sink struct{}

func (sink) Accept(_ context.Context, e []model.Event) ([]model.State, error) {
	out := make([]model.State, len(e))
	for i := range out {
		out[i] = model.Stored
	}
	return out, nil
}
func (sink) Reject(context.Context, []model.Rejected) error { return nil }
func (sink) AddCounts(context.Context, []model.Count) error { return nil }

type open struct{}

func (open) Seal(v event.Value) string { return v.Text }
func (open) Mark(id string) string     { return id }
func (open) Erased(_ context.Context, p []event.Person) ([]bool, error) {
	return make([]bool, len(p)), nil
}

// BenchmarkDoor is a batch of a hundred events from the body to what is stored.
func BenchmarkDoor(b *testing.B) {
	var list []string
	for n := range 100 {
		list = append(list, fmt.Sprintf(`{"type":"track","event":"Product Viewed","messageId":"bench-%08d-4b1f-9c0d","anonymousId":"a%06d","userId":null,"timestamp":"2026-11-01T10:00:00.123Z",`+
			`"properties":{"product_id":"P%05d","sku":"SKU-%05d","category":"连衣裙","name":"雪纺长裙 %d","brand":"关系","price":%d.00,"currency":"CNY","position":%d},`+
			`"context":{"library":{"name":"analytics.js","version":"2.1"},"page":{"url":"https://shop.example/p/%d?utm_source=baidu","path":"/p/%d","title":"雪纺长裙","referrer":"https://www.baidu.com/"},`+
			`"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36","locale":"zh-CN","timezone":"Asia/Shanghai"}}`,
			n, n%50_000, n%5000, n%5000, n%300, 99+n%400, n%20, n%5000, n%5000))
	}
	body := []byte(`{"sentAt":"2026-11-01T10:00:01Z","batch":[` + strings.Join(list, ",") + `]}`)
	in := event.NewIntake(event.Config{Inbox: sink{}, Privacy: open{}, Clock: clock.System{}})
	b.ReportAllocs()
	for b.Loop() {
		d := &event.Delivery{Source: id.ID(7), ReceivedAt: time.Now(), Zone: time.UTC, Locate: event.Locate, Address: netip.MustParseAddr("127.0.0.1")}
		items, err := event.Segment("batch", body, d)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := in.Take(b.Context(), 7, items); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/event")
}

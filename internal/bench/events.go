package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	eventBatches  = 2000
	eventsInBatch = 100
	singleEvents  = 20_000
	singleClients = 64
)

// measureEvents sends events through the door: in batches, and one by one. What follows the acknowledgement goes on meanwhile, and its
// processor time is counted with it.
func (s *settings) measureEvents(ctx context.Context, d *document) error {
	progress("sending events")
	p, err := fresh(ctx, s, "events", "CNY", "Asia/Shanghai")
	if err != nil {
		return err
	}
	d.section("Events")
	return p.sendEvents(ctx, d, nil)
}

// measureEventsPostgres sends them to a program on PostgreSQL, whose own processor time stands apart.
func (s *settings) measureEventsPostgres(ctx context.Context, d *document) error {
	progress("sending events, on PostgreSQL")
	return s.onPostgres(ctx, "events-postgres", func(p *program, server func() time.Duration) error {
		d.section("Events on PostgreSQL")
		return p.sendEvents(ctx, d, server)
	})
}

// sendEvents starts the program and sends it events; server is the processor time of its database, nil where it has none of its own.
func (p *program) sendEvents(ctx context.Context, d *document, server func() time.Duration) error {
	if _, err := p.start(ctx); err != nil {
		return err
	}
	defer p.stop()
	var made struct {
		WriteKey string `json:"write_key"`
	}
	if err := p.call(http.MethodPost, "/event-sources", obj{"name": "bench", "type": "server", "per_second": 100_000}, &made); err != nil {
		return err
	}
	send := func(path string, body []byte, want int) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.SetBasicAuth(made.WriteKey, "")
		res, err := eventClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		var answer struct{ Accepted, Duplicate int }
		if err := json.Unmarshal(raw, &answer); err != nil || res.StatusCode != http.StatusOK || answer.Accepted != want || answer.Duplicate != 0 {
			return fmt.Errorf("%s: %d %s", path, res.StatusCode, tail(string(raw)))
		}
		return nil
	}
	batch := func(i int) error {
		var b strings.Builder
		for n := range eventsInBatch {
			if n > 0 {
				b.WriteByte(',')
			}
			b.WriteString(madeEvent(i*eventsInBatch + n))
		}
		return send("/v1/batch", []byte(`{"sentAt":"`+time.Now().UTC().Format(time.RFC3339Nano)+`","batch":[`+b.String()+"]}"), eventsInBatch)
	}
	database := func(was time.Duration, events int) string {
		if server == nil {
			return ""
		}
		return fmt.Sprintf("; %.3f ms of PostgreSQL's", float64(((server()-was)/time.Duration(events)).Microseconds())/1000)
	}
	theirs := func() time.Duration {
		if server == nil {
			return 0
		}
		return server()
	}
	was := theirs()
	t, err := charged(p.processor, eventBatches, 2*clients, batch)
	if err != nil {
		return err
	}
	perEvent := t.cpu / eventsInBatch
	apart := database(was, eventBatches*eventsInBatch)
	d.goal(fmt.Sprintf("%s events in batches of %d", thousands(eventBatches*eventsInBatch), eventsInBatch), fmt.Sprintf("%.0f events/s", t.rate*eventsInBatch),
		fmt.Sprintf("%.3f ms of processor time an event%s, p95 of a batch %s", float64(perEvent.Microseconds())/1000, apart, t.p95.Round(time.Millisecond/10)), t.rate*eventsInBatch >= 20_000, "20,000 events/s")
	d.goal("processor time of an accepted event", fmt.Sprintf("%.3f ms", float64(perEvent.Microseconds())/1000), "what follows it in the meantime included"+apart, perEvent <= 90*time.Microsecond, "0.09 ms")
	was = theirs()
	one, err := charged(p.processor, singleEvents, singleClients, func(i int) error {
		return send("/v1/track", []byte(madeEvent(10_000_000+i)), 1)
	})
	if err != nil {
		return err
	}
	d.goal(fmt.Sprintf("%s single requests, each durable", thousands(singleEvents)), fmt.Sprintf("%.0f requests/s", one.rate),
		fmt.Sprintf("p95 %s, %.3f ms of processor time%s", one.p95.Round(time.Millisecond/10), float64(one.cpu.Microseconds())/1000, database(was, singleEvents)), one.rate >= 1700, "1,700 requests/s")
	return nil
}

// eventClient keeps a connection for each of the callers.
var eventClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: singleClients}, Timeout: time.Minute}

// madeEvent is an event as a shop's library sends it, about six hundred bytes.
func madeEvent(n int) string {
	return fmt.Sprintf(`{"type":"track","event":"Product Viewed","messageId":"bench-%08d-4b1f-9c0d","anonymousId":"a%06d","userId":null,"timestamp":%q,`+
		`"properties":{"product_id":"P%05d","sku":"SKU-%05d","category":"连衣裙","name":"雪纺长裙 %d","brand":"关系","price":%d.00,"currency":"CNY","position":%d},`+
		`"context":{"library":{"name":"analytics.js","version":"2.1"},"page":{"url":"https://shop.example/p/%d?utm_source=baidu","path":"/p/%d","title":"雪纺长裙","referrer":"https://www.baidu.com/"},`+
		`"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36","locale":"zh-CN","timezone":"Asia/Shanghai"}}`,
		n, n%50_000, time.Now().UTC().Add(-time.Duration(n%3600)*time.Second).Format(time.RFC3339Nano), n%5000, n%5000, n%300, 99+n%400, n%20, n%5000, n%5000)
}

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The part reach: how long it takes from an event to the computed trait that counts it and on to the membership of a segment that asks for the trait,
// as a client sees it, while a thousand events a second come from known customers.
const (
	reachUsers    = 5000 // who do what is done
	reachProbes   = 60   // whose way is measured, one a second
	reachBefore   = 10   // seconds of events before the first probe
	reachAfter    = 60   // seconds for the last probe to arrive
	reachBatch    = 100
	reachEvery    = 100 * time.Millisecond // a batch
	reachLook     = 100 * time.Millisecond
	reachGoal     = 5 * time.Second
	reachTogether = 250 // users made known in one request
)

// reach is one run.
type reach struct {
	p     *program
	write string // key of the source
	stamp string
	mu    sync.Mutex
	sent  map[string]time.Time
	took  []time.Duration
}

func (s *settings) measureReach(ctx context.Context, n int, d *document) error {
	again := *s
	again.reuse = true // the company that other parts have loaded
	p, _, err := again.open(ctx, n, newDocument(s.bin))
	defer p.stop()
	if err != nil {
		return err
	}
	r := &reach{p: p, stamp: fmt.Sprintf("%x", time.Now().Unix()), sent: map[string]time.Time{}}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	progress("%d customers: a thousand events a second (process %d)", n, p.server.Process.Pid)
	before, began := p.processor(), time.Now()
	sent, late, err := r.run(ctx)
	if err != nil {
		return err
	}
	cpu, lasted := p.processor()-before, time.Since(began)
	d.section("Event to trait to segment, %s customers of the demo company", thousands(n))
	if len(r.took) == 0 {
		d.goal("event to membership of a segment", "nobody arrived", "", false, short(reachGoal))
		return nil
	}
	slices.Sort(r.took)
	last := r.took[min(len(r.took)*99/100, len(r.took)-1)]
	besides := fmt.Sprintf("p50 %s; %d of %d probes arrived; %.0f events/s, batches at most %s late; %.0f %% of a processor", short(r.took[len(r.took)/2]), len(r.took), reachProbes,
		float64(sent)/lasted.Seconds(), short(late), 100*cpu.Seconds()/lasted.Seconds())
	progress("p99 %s, %s", short(last), besides)
	d.goal("event to membership of a segment, p99", short(last), besides, last <= reachGoal && len(r.took) == reachProbes, short(reachGoal))
	return nil
}

// prepare makes the source, who is known, the traits and the segment.
func (r *reach) prepare(ctx context.Context) error {
	var made struct {
		WriteKey string `json:"write_key"`
	}
	if err := r.p.call(http.MethodPost, "/event-sources", obj{"name": "reach " + r.stamp, "type": "server", "per_second": 100_000}, &made); err != nil {
		return err
	}
	r.write = made.WriteKey
	for from := 0; from < reachUsers+reachProbes; from += reachTogether {
		var list []string
		for i := from; i < min(from+reachTogether, reachUsers+reachProbes); i++ {
			list = append(list, fmt.Sprintf(`{"type":"identify","messageId":"who-%s-%d","userId":%q,"traits":{"name":%q}}`, r.stamp, i, r.user(i), r.user(i)))
		}
		if err := r.send(ctx, list); err != nil {
			return err
		}
	}
	for key, figure := range map[string]obj{"probes": {"kind": "counter", "of": obj{"event": "Reach Probe"}}, "views": {"kind": "counter", "of": obj{"event": "Product Viewed", "within": obj{"days": 30}}},
		"spent": {"kind": "sum", "field": "price", "number": true, "of": obj{"event": "Product Viewed"}}} {
		if err := r.p.call(http.MethodPost, "/traits/computed", obj{"key": key + "_" + r.stamp, "label": obj{"en": key + " " + r.stamp}, "figure": figure}, nil); err != nil {
			return err
		}
	}
	if err := r.p.call(http.MethodPost, "/segments", obj{"key": "reach_" + r.stamp, "label": "reach " + r.stamp, "kind": "dynamic", "where": obj{"trait": "probes_" + r.stamp, "op": ">=", "value": 1}}, nil); err != nil {
		return err
	}
	return r.p.quiet()
}

func (r *reach) user(i int) string { return fmt.Sprintf("reach-%s-%d", r.stamp, i) }

// run sends events for a time, probes among them, and looks who came into the segment meanwhile.
func (r *reach) run(ctx context.Context) (sent int, late time.Duration, err error) {
	began := time.Now()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var looked error
	wg.Go(func() { looked = r.look(ctx, stop) })
	end := began.Add((reachBefore + reachProbes + 1) * time.Second)
	for i := 0; err == nil && time.Now().Before(end); i++ {
		due := began.Add(time.Duration(i) * reachEvery)
		time.Sleep(time.Until(due))
		late = max(late, time.Since(due))
		list := make([]string, 0, reachBatch)
		for k := range reachBatch {
			list = append(list, r.event(i*reachBatch+k))
		}
		if at := i - reachBefore*10; at >= 0 && at%10 == 0 && at/10 < reachProbes {
			who := r.user(reachUsers + at/10)
			list[0] = fmt.Sprintf(`{"type":"track","event":"Reach Probe","messageId":"probe-%s-%d","userId":%q,"properties":{}}`, r.stamp, i, who)
			r.mu.Lock()
			r.sent[who] = time.Now()
			r.mu.Unlock()
		}
		err = r.send(ctx, list)
		sent += len(list)
	}
	for wait := time.Now(); err == nil && r.waiting() > 0 && time.Since(wait) < reachAfter*time.Second; {
		time.Sleep(reachLook)
	}
	close(stop)
	wg.Wait()
	if err == nil {
		err = looked
	}
	return sent, late, err
}

func (r *reach) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent)
}

// event is what a known customer looks at.
func (r *reach) event(n int) string {
	return strings.Replace(strings.Replace(madeEvent(n), `"bench-`, `"reach-`+r.stamp+`-`, 1), `"userId":null`, fmt.Sprintf(`"userId":%q`, r.user(n*7919%reachUsers)), 1)
}

// look asks again and again who entered the segment.
func (r *reach) look(ctx context.Context, stop chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(reachLook):
		}
		var got struct {
			Items []struct {
				Customer struct{ Title string }
				Entered  bool
			}
		}
		if err := r.p.call(http.MethodGet, "/segments/reach_"+r.stamp+"/moves", nil, &got); err != nil {
			return err
		}
		now := time.Now()
		r.mu.Lock()
		for _, it := range got.Items {
			if at, ok := r.sent[it.Customer.Title]; ok && it.Entered {
				r.took = append(r.took, now.Sub(at))
				delete(r.sent, it.Customer.Title)
			}
		}
		r.mu.Unlock()
	}
}

// send sends a batch.
func (r *reach) send(ctx context.Context, list []string) error {
	body := `{"sentAt":"` + time.Now().UTC().Format(time.RFC3339Nano) + `","batch":[` + strings.Join(list, ",") + "]}"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.p.base+"/v1/batch", bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(r.write+":")))
	res, err := eventClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var answer struct{ Accepted int }
	if err := json.Unmarshal(raw, &answer); err != nil || res.StatusCode != http.StatusOK || answer.Accepted != len(list) {
		return fmt.Errorf("batch: %d %s", res.StatusCode, tail(string(raw)))
	}
	return nil
}

package automation

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// lease is how long a request may take before another attempt may be made.
const lease = time.Minute

// call makes requests: first it is written down that they are about to be made, then they are made, then what became of them.
func (b *batch) call(ctx context.Context) error {
	intents := b.s.mapMoves(b.runs, func(run Run) Move {
		run.Moves++
		run.DueAt = b.now.Add(lease)
		m := Move{Run: run}
		m.Step = b.log(&m.Run, OutSending, Detail{Host: hostOf(b.in.step.URL), Tries: run.Tries + 1})
		return m
	})
	if err := b.s.cfg.Store.Move(ctx, nil, intents, nil); err != nil {
		return err
	}
	moves := make([]Move, len(intents))
	var group sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i := range intents {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			moves[i] = b.request(ctx, intents[i].Run)
		})
	}
	group.Wait()
	if ctx.Err() != nil { // broken off by a shutdown: made again after the lease
		return ctx.Err()
	}
	return b.s.move(ctx, moves)
}

// request makes one attempt.
func (b *batch) request(ctx context.Context, run Run) Move {
	raw, err := json.Marshal(b.body(ctx, &run))
	if err != nil {
		return b.s.failed(run, b.in, fault.Wrap(fault.Internal, "automation.internal", err))
	}
	status, code := b.s.cfg.Outbound.Post(ctx, Request{Rule: b.rule.ID, URL: b.in.step.URL, ID: id.Format("msg", run.ID) + "." + b.in.step.ID, Body: raw})
	if code == "" {
		return b.passed(run, b.in.next, OutDone, Detail{Status: status, Host: hostOf(b.in.step.URL)})
	}
	kind := fault.Unavailable
	if status == 410 || status == 400 || status == 401 || status == 403 || status == 404 || status == 422 || code == "refused" {
		kind = fault.Conflict
	}
	return b.s.failed(run, b.in, fault.New(kind, requestFailed(code), fault.Params{"status": status, "host": hostOf(b.in.step.URL)}))
}

// requestFailed is the code of a failed attempt.
func requestFailed(code string) string {
	switch code {
	case "timeout":
		return "automation.request_timeout"
	case "refused":
		return "automation.request_refused"
	case "resolve":
		return "automation.request_resolve"
	case "connect":
		return "automation.request_connect"
	case "tls":
		return "automation.request_tls"
	case "status":
		return "automation.request_status"
	case "redirect":
		return "automation.request_redirect"
	}
	return "automation.request_broken"
}

// body is what a request says: personal values are masked.
func (b *batch) body(ctx context.Context, run *Run) map[string]any {
	rec := b.recs[run.Record]
	env := b.s.cfg.Records.Env(ctx)
	fields := map[string]any{}
	for _, f := range b.in.names {
		if ref, ok := rec.Titles[f.Key]; ok {
			fields[f.Key] = map[string]any{"id": id.Format(f.TargetPrefix(), ref.ID), "title": ref.Title}
			continue
		}
		if v := fieldValue(rec, f); v != nil {
			fields[f.Key] = schema.FormatJSON(f, v, env)
		} else if m := rec.Masks[f.Key]; m != "" {
			fields[f.Key] = m
		}
	}
	return map[string]any{"type": "automation", "timestamp": run.CreatedAt.UTC(), "rule": map[string]any{"id": id.Format(Prefix, b.rule.ID), "name": b.rule.Name},
		"data": map[string]any{"object": b.prog.obj.Key, "id": id.Format(b.prog.obj.Prefix, rec.ID), "version": rec.Version, "title": rec.Title, "fields": fields}}
}

// hostOf leaves out the path and query of an address, which may hold a token.
func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// demoMarkKey is where a workspace keeps which records are the demo company's.
const demoMarkKey = "demo_company"

// demoMark is a load of the demo company: the batch of its records, and how far it is. State is "loading" until everything is
// there, and "removing" until everything is gone: what a process did not survive is told from what it finished.
type demoMark struct {
	Batch   id.ID           `json:"batch"`
	State   string          `json:"state"`
	Options api.DemoOptions `json:"options"`
	// What it made besides records.
	Sources  []id.ID  `json:"sources,omitempty"`
	Traits   []string `json:"traits,omitempty"`
	Segments []string `json:"segments,omitempty"`
}

const (
	demoLoading  = "loading"
	demoLoaded   = "loaded"
	demoRemoving = "removing"
)

// demoMarked reads the mark. A company that was loaded before marks were kept is known by its products: no import made them.
func (w *workspace) demoMarked(ctx context.Context) (demoMark, error) {
	var m demoMark
	found, err := w.store.Setting(ctx, demoMarkKey, &m)
	if err != nil || found {
		return m, err
	}
	if p := w.registry().Object("product"); p != nil {
		m.Batch, err = w.store.ForeignBatch(ctx, p)
	}
	if m.Batch != 0 {
		m.State = demoLoaded
	}
	return m, err
}

func (w *workspace) markDemo(ctx context.Context, m demoMark) error {
	return w.store.SetSetting(context.WithoutCancel(ctx), demoMarkKey, m)
}

// demoRemoval is how many records are removed at a time.
const demoRemoval = 500

// removeDemo takes away for good everything that a load of the demo company made, records that point at others first. A record
// that something else points at stays, and is counted.
func (w *workspace) removeDemo(ctx context.Context, m demoMark, moved func(n int)) (removed, kept int, err error) {
	m.State = demoRemoving
	if err := w.markDemo(ctx, m); err != nil {
		return 0, 0, err
	}
	if err := w.unlive(ctx, m); err != nil {
		return 0, 0, err
	}
	for _, obj := range referrersFirst(w.registry()) {
		for after := id.ID(0); ; {
			ids, err := w.store.OfBatch(ctx, obj, m.Batch, after, demoRemoval)
			if err != nil {
				return removed, kept, err
			}
			if len(ids) == 0 {
				break
			}
			after = ids[len(ids)-1]
			held, err := w.store.HeldFrom(ctx, obj, ids, m.Batch)
			if err != nil {
				return removed, kept, err
			}
			ops := make([]record.BulkOp, 0, len(ids))
			for _, v := range ids {
				if !held[v] {
					ops = append(ops, record.BulkOp{Op: change.Purge, Object: obj.Key, ID: v})
				}
			}
			if obj.Key == query.Customer {
				if err := w.unsay(ctx, m.Batch, ids, held); err != nil {
					return removed, kept, err
				}
			}
			res, _, err := w.records.Bulk(ctx, m.Batch, ops)
			if err != nil {
				return removed, kept, err
			}
			for _, r := range res {
				if r.Err != nil {
					return removed, kept, fmt.Errorf("remove demo %s: %w", obj.Key, r.Err)
				}
			}
			removed, kept = removed+len(ops), kept+len(ids)-len(ops)
			if moved != nil {
				moved(removed)
			}
			if err := ctx.Err(); err != nil {
				return removed, kept, err
			}
		}
	}
	return removed, kept, w.markDemo(ctx, demoMark{})
}

// referrersFirst lists objects so that those that point at others come before these.
func referrersFirst(reg *schema.Registry) []*schema.Object {
	var out []*schema.Object
	seen := map[string]bool{}
	var visit func(o *schema.Object)
	visit = func(o *schema.Object) {
		if seen[o.Key] || o.Virtual {
			return
		}
		seen[o.Key] = true
		for _, ref := range reg.Referrers(o.Key) {
			visit(ref.Object)
		}
		out = append(out, o)
	}
	for _, o := range reg.Tables() {
		visit(o)
	}
	return out
}

// runDemoRemoval is the job that removes the demo company.
func (a *App) runDemoRemoval(ctx context.Context, j job.Job) (err error) {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	ctx = system(ctx)
	if !w.loading.TryLock() {
		return fault.New(fault.Unavailable, "app.busy", nil)
	}
	defer w.loading.Unlock()
	m, err := w.demoMarked(ctx)
	if err != nil || m.State == "" {
		return err
	}
	w.demoBegins(0)
	w.demo.change(func(s *api.DemoState) { s.Phase = "removing" })
	defer func() { w.demoEnds(err) }()
	w.pause()
	defer w.resume()
	removed, kept, err := w.removeDemo(ctx, m, func(n int) { w.demoMoves(&DemoResult{Records: n}) })
	if err != nil {
		return err
	}
	a.Log.InfoContext(ctx, "the demo company was removed", "records", removed, "kept", kept)
	return w.refill(ctx, nil)
}

// QueueDemoRemoval implements api.Operator.
func (o operator) QueueDemoRemoval(ctx context.Context, key, confirm string) error {
	w, err := o.app.workspace(ctx, key)
	if err != nil {
		return err
	}
	if strings.TrimSpace(confirm) != w.info.Name {
		return fault.InvalidField("app.demo_confirm", "confirm", fault.Params{"name": w.info.Name})
	}
	m, err := w.demoMarked(ctx)
	if err != nil {
		return err
	}
	if m.State == "" {
		return fault.New(fault.Conflict, "app.demo_none", nil)
	}
	added, err := o.app.jobs.Add(ctx, job.Job{Kind: demoRemoveJob, Workspace: key, Unique: "demo:" + key})
	if err == nil && !added {
		err = fault.New(fault.Conflict, "app.busy", nil)
	}
	return err
}

// finishDemo queues again what a process that is gone was doing to the demo company.
func (a *App) finishDemo(ctx context.Context, w *workspace) error {
	var m demoMark
	found, err := w.store.Setting(ctx, demoMarkKey, &m)
	if err != nil || !found {
		return err
	}
	switch m.State {
	case demoLoading:
		args, err := json.Marshal(m.Options)
		if err != nil {
			return err
		}
		_, err = a.jobs.Add(ctx, job.Job{Kind: demoJob, Workspace: w.info.Key, Args: string(args), Unique: "demo:" + w.info.Key})
		return err
	case demoRemoving:
		_, err := a.jobs.Add(ctx, job.Job{Kind: demoRemoveJob, Workspace: w.info.Key, Unique: "demo:" + w.info.Key})
		return err
	}
	return nil
}

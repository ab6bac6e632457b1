package app

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
)

// demoBoard is how far a load of the demo company has come in this process. Its zero value is idle.
type demoBoard struct {
	mu    sync.Mutex
	state api.DemoState
	began time.Time
	told  time.Time
}

func (b *demoBoard) read() api.DemoState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

func (b *demoBoard) change(fn func(*api.DemoState)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn(&b.state)
}

// demoTold is how often pages are told of a load.
const demoTold = time.Second

// demoBegins, demoMoves, demoComputes and demoEnds note how far a load is and tell open pages.
func (w *workspace) demoBegins(target int) {
	w.demo.change(func(s *api.DemoState) {
		*s = api.DemoState{Phase: "loading", Target: target}
		w.demo.began = w.app.Clock.Now()
	})
	w.tellDemo(true)
}

func (w *workspace) demoMoves(r *DemoResult) {
	w.demo.change(func(s *api.DemoState) {
		s.Customers, s.Orders, s.Records = r.Customers, r.Orders, r.Records
		s.Seconds = w.app.Clock.Now().Sub(w.demo.began).Seconds()
	})
	w.tellDemo(false)
}

func (w *workspace) demoComputes(r *DemoResult) {
	w.demoMoves(r)
	w.demo.change(func(s *api.DemoState) { s.Phase = "computing" })
	w.tellDemo(true)
}

func (w *workspace) demoEnds(err error) {
	w.demo.change(func(s *api.DemoState) {
		s.Phase, s.Seconds = "done", w.app.Clock.Now().Sub(w.demo.began).Seconds()
		if err != nil {
			s.Phase, s.Cause = "failed", fault.New(fault.Internal, "app.demo_failed", nil)
			if f, ok := fault.Find(err); ok {
				s.Cause = f
			}
		}
	})
	w.tellDemo(true)
}

func (w *workspace) tellDemo(now bool) {
	w.demo.mu.Lock()
	at := w.app.Clock.Now()
	now = now || at.Sub(w.demo.told) >= demoTold
	if now {
		w.demo.told = at
	}
	w.demo.mu.Unlock()
	if now {
		w.app.hub.Publish(w.info.Key, api.Event{Kind: "demo"})
	}
}

// QueueDemo implements api.Operator.
func (o operator) QueueDemo(ctx context.Context, key string, opt api.DemoOptions) error {
	w, err := o.app.workspace(ctx, key)
	if err != nil {
		return err
	}
	if n, _, err := w.records.Count(system(ctx), "customer", nil, "", false); err != nil || n > 0 {
		if err == nil {
			err = fault.New(fault.Conflict, "app.demo_not_empty", nil)
		}
		return err
	}
	args, err := json.Marshal(opt)
	if err != nil {
		return err
	}
	added, err := o.app.jobs.Add(ctx, job.Job{Kind: demoJob, Workspace: key, Args: string(args), Unique: "demo:" + key})
	if err == nil && !added {
		err = fault.New(fault.Conflict, "app.busy", nil)
	}
	return err
}

// DemoState implements api.Operator. Figures are known to the process that loads; another one knows that a load goes on.
func (o operator) DemoState(ctx context.Context, key string) (api.DemoState, error) {
	w, err := o.app.workspace(ctx, key)
	if err != nil {
		return api.DemoState{}, err
	}
	waiting, err := o.app.instance.Pending(ctx, key, demoJob)
	if err != nil {
		return api.DemoState{}, err
	}
	removing, err := o.app.instance.Pending(ctx, key, demoRemoveJob)
	if err != nil {
		return api.DemoState{}, err
	}
	s := w.demo.read()
	loading := s.Phase == "loading" || s.Phase == "computing" || s.Phase == "removing"
	switch {
	case removing > 0 && !loading:
		return api.DemoState{Phase: "removing"}, nil
	case waiting > 0 && !loading:
		return api.DemoState{Phase: "queued"}, nil
	case loading:
		return s, nil
	case s.Phase == "":
		s.Phase = "idle"
	}
	n, _, err := w.records.Count(system(ctx), "customer", nil, "", false)
	if err != nil {
		return s, err
	}
	m, err := w.demoMarked(ctx)
	s.Available, s.Removable = n == 0, m.State != ""
	return s, err
}

package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
	"github.com/guanxi-crm/guanxi/internal/store/mirror"
)

// marker feeds the analytics plane of PostgreSQL, where relations are views: it only marks the customers that changes
// concern, and everything that was committed is there at once.
type marker struct {
	mu      sync.Mutex // one step at a time
	toucher *mirror.Toucher
	log     change.Log
	w       *workspace
}

var _ feeder = (*marker)(nil)

func newMarker(w *workspace, registry func() *schema.Registry) *marker {
	return &marker{w: w, log: w.store.Log(), toucher: mirror.NewToucher(w.adb, w.store.Log(), registry, w.app.Log, func() { w.traits.Notify() })}
}

func (m *marker) step(ctx context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.toucher.Step(ctx)
}

// Run implements feeder.
func (m *marker) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := m.step(ctx)
		if err != nil && ctx.Err() == nil {
			m.w.app.Log.Error("mark changed customers", "error", err)
			err = sleep(ctx, markRetry)
		} else if !more {
			var at change.Position
			if at, err = m.log.LoadPosition(ctx, mirror.TouchConsumer); err == nil {
				err = m.log.WaitAfter(ctx, at)
			}
		}
		if err != nil && ctx.Err() == nil {
			if err := sleep(ctx, markRetry); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

const markRetry = 2 * time.Second

// Drain implements feeder.
func (m *marker) Drain(ctx context.Context) error {
	for {
		more, err := m.step(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// marked reports whether every change has left its marks: the views show it before that.
func (m *marker) marked(ctx context.Context) (bool, error) {
	s, err := m.Status(ctx)
	return s.LagChanges == 0, err
}

// Ready implements feeder.
func (m *marker) Ready() bool { return true }

// Busy implements feeder.
func (m *marker) Busy() bool { return false }

// Flush implements feeder.
func (m *marker) Flush(context.Context) error { return nil }

// Status implements feeder: the lag is that of the marks, the relations have none.
func (m *marker) Status(ctx context.Context) (s mirror.Status, err error) {
	if s.Position, err = m.log.LoadPosition(ctx, mirror.TouchConsumer); err != nil {
		return s, err
	}
	if s.Head, err = m.log.Head(ctx); err == nil && s.Position.Less(s.Head) {
		s.LagChanges = max(s.Head.Seq-s.Position.Seq, 1)
	}
	return s, err
}

// WaitFor implements feeder.
func (m *marker) WaitFor(context.Context, change.Position, time.Duration) bool { return true }

// Reconcile implements feeder: views equal what they show.
func (m *marker) Reconcile(context.Context) (mirror.Report, error) { return mirror.Report{}, nil }

// Rebuild implements feeder: there is nothing to make anew.
func (m *marker) Rebuild(context.Context, ...string) error { return nil }

const (
	leadPoll  = time.Second     // between two questions for the duty by a process that has it not
	leadCheck = 2 * time.Second // between two looks of the one that has it whether it still does
)

// lead feeds what is derived, and runs imports, while this process is the one of several that has the duty.
func (w *workspace) lead(ctx context.Context) error {
	for {
		duty, ok, err := w.app.instance.Take(ctx, "lead:"+w.info.Key)
		if ok {
			err = w.leading(ctx, duty)
		}
		if err != nil && ctx.Err() == nil {
			w.app.Log.Error("lead", "workspace", w.info.Key, "error", err)
		}
		if err := sleep(ctx, leadPoll); err != nil {
			return err
		}
	}
}

// leading works until the context ends or the duty is lost, and gives the duty up only when the work has stopped.
func (w *workspace) leading(ctx context.Context, duty *instance.Duty) (err error) {
	var group sync.WaitGroup
	inner, cancel := context.WithCancel(ctx)
	defer func() {
		w.leads.Store(false)
		cancel()
		group.Wait()
		err = errors.Join(err, duty.Release(context.WithoutCancel(ctx)))
	}()
	w.leads.Store(true)
	w.feedAll(inner, &group)
	w.own(inner, &group, "imports", w.imports.Run)
	w.own(inner, &group, "bulk work", w.mass.Run)
	for {
		if sleep(ctx, leadCheck) != nil {
			return nil
		}
		if err := duty.Check(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

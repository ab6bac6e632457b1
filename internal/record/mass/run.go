package mass

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// partSize is how many records commit together: few enough that others hardly wait.
const partSize = 500

// Intervals of Run.
const (
	pollEvery   = 2 * time.Second // for jobs that another process queued
	retryAfter  = 5 * time.Second // when storage was not there
	sweepEvery  = time.Hour
	toldEvery   = 500 * time.Millisecond // pages are told of progress
	staleAtMost = 5                      // attempts at a part that others write at the same time
)

// Run works jobs off, oldest first in each lane, until the context ends. Jobs that a crash or a shutdown left in the middle go
// on.
func (s *Service) Run(ctx context.Context) error {
	if err := s.files.clear(); err != nil {
		s.cfg.Log.WarnContext(ctx, "unfinished export files were not removed", "error", err)
	}
	var group sync.WaitGroup
	for l := range lanes {
		group.Go(func() { s.lane(ctx, l) })
	}
	group.Go(func() { s.sweeping(ctx) })
	group.Wait()
	return nil
}

func (s *Service) lane(ctx context.Context, l Lane) {
	for ctx.Err() == nil {
		more, err := s.Next(ctx, l)
		wait := pollEvery
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.WarnContext(ctx, "bulk work has to wait", "error", err)
			wait = retryAfter
		} else if more {
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.wake[l]:
		case <-t.C:
		}
		t.Stop()
	}
}

func (s *Service) sweeping(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if s.cfg.Lock() {
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.cfg.Log.WarnContext(ctx, "old bulk work was not removed", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Sweep removes exported files that have expired, and jobs that ended long ago.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.cfg.Clock.Now()
	for before := id.ID(0); ; {
		jobs, err := s.cfg.Store.ListJobs(ctx, Filter{Kind: Export, Statuses: []Status{Done}, Before: before, Limit: 200})
		if err != nil || len(jobs) == 0 {
			break
		}
		before = jobs[len(jobs)-1].ID
		for _, j := range jobs {
			if j.State.Gone || j.ExpiresAt.IsZero() || j.ExpiresAt.After(now) {
				continue
			}
			if err := s.files.remove(j.ID); err != nil {
				return err
			}
			j.State.Gone, j.State.Key = true, nil
			if err := s.cfg.Store.SaveJob(ctx, j, Done); err != nil {
				return err
			}
			s.publish(j)
		}
	}
	gone, err := s.cfg.Store.DropJobs(ctx, now.Add(-s.cfg.KeepJob))
	for _, v := range gone {
		err = errors.Join(err, s.files.remove(v))
	}
	return err
}

// Next runs the oldest job that waits in a lane, to its end. more is false when none does. The error is of the machine, not of
// the job: the job stays where it is.
func (s *Service) Next(ctx context.Context, l Lane) (more bool, err error) {
	if !s.cfg.Lock() {
		return false, nil
	}
	jobs, err := s.cfg.Store.ListJobs(ctx, Filter{Statuses: []Status{Collecting, Running, Undoing}, Lane: l, OneLane: true, Limit: 10_000})
	if err != nil || len(jobs) == 0 {
		return false, err
	}
	return true, s.exec(ctx, jobs[len(jobs)-1])
}

// exec runs one job and settles how it ended.
func (s *Service) exec(ctx context.Context, j *Job) error {
	jobCtx, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.running[j.ID] = stop
	large := 0
	if j.Lane == Writes {
		large = 1
	}
	s.writing += large
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, j.ID)
		s.writing -= large
		s.mu.Unlock()
	}()
	r := &run{svc: s, job: j, began: s.cfg.Clock.Now(), spent: j.State.Spent, first: -1}
	err := r.all(jobCtx)
	if ctx.Err() != nil || fault.CodeOf(err) == "mass.state_changed" || jobCtx.Err() != nil {
		return nil // shut down, or cancelled: whoever cancelled has said so
	}
	if k := fault.KindOf(err); err != nil && (k == fault.Unavailable || k == fault.RateLimited || errors.Is(err, syscall.ENOSPC)) {
		return err
	}
	was, now := j.Status, s.cfg.Clock.Now()
	j.FinishedAt, j.UpdatedAt, j.Error = now, now, nil
	j.Progress.Phase, j.Progress.SecondsLeft = PhaseDone, 0
	j.Result.Seconds = r.seconds()
	switch {
	case err != nil:
		j.Status, j.Error = Failed, shown(err)
		s.cfg.Log.WarnContext(ctx, "bulk work failed", "kind", string(j.Kind), "code", j.Error.Code, "error", err)
	case was == Undoing:
		j.Status = Undone
	default:
		j.Status = Done
	}
	switch err := s.cfg.Store.SaveJob(ctx, j, was); {
	case fault.CodeOf(err) == "mass.state_changed":
		return nil
	case err != nil:
		return err
	}
	s.ended(j)
	return nil
}

// shown is an error as a job keeps it: without its cause.
func shown(err error) *fault.Fault {
	f, ok := fault.Find(err)
	if !ok {
		return fault.New(fault.Internal, "mass.internal", nil)
	}
	out := &fault.Fault{Kind: f.Kind, Code: f.Code, Field: f.Field, Params: f.Params}
	for _, it := range f.Items {
		out.Items = append(out.Items, shown(it))
	}
	return out
}

// run is one job being worked off.
type run struct {
	svc   *Service
	job   *Job
	obj   *schema.Object
	began time.Time
	spent float64 // seconds of earlier runs
	first int64   // records done when this run began, -1 before
	told  time.Time
}

func (r *run) seconds() float64 { return r.spent + r.svc.cfg.Clock.Now().Sub(r.began).Seconds() }

func (r *run) all(ctx context.Context) error {
	j := r.job
	actor, err := r.svc.cfg.Who(ctx, j.State.Actor)
	if err != nil {
		return err
	}
	ctx = access.With(ctx, actor)
	if r.obj = r.svc.cfg.Registry().Object(j.Object); r.obj == nil || r.obj.Virtual {
		return fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": j.Object})
	}
	if err := may(ctx, r.obj, j.Kind); err != nil {
		return err
	}
	if j.StartedAt.IsZero() {
		j.StartedAt = r.began
	}
	if j.Status == Collecting {
		if err := r.collect(ctx); err != nil {
			return err
		}
	}
	switch {
	case j.Kind == Export:
		return r.export(ctx)
	case j.Status == Undoing:
		return r.parts(ctx, PhaseUndoing, r.undoPart)
	}
	return r.parts(ctx, PhaseWorking, r.writePart)
}

// collect freezes the set. Interrupted, it begins anew: nothing has been done yet.
func (r *run) collect(ctx context.Context) error {
	j, store := r.job, r.svc.cfg.Store
	if err := store.DropParts(ctx, j.ID); err != nil {
		return err
	}
	j.Progress = Progress{Phase: PhaseCollecting}
	if set := &j.Spec.Set; set.Where != nil { // rights may have changed since
		if err := r.svc.cfg.Audience.Check(ctx, j.Object, set.Where); err != nil {
			return err
		}
	}
	var rest []record.Key
	var parts, total int64
	err := r.svc.collect(ctx, r.obj, j.Kind, &j.Spec.Set, func(keys []record.Key) error {
		rest = append(rest, keys...)
		for len(rest) >= partSize {
			if err := store.PutPart(ctx, j.ID, parts, rest[:partSize]); err != nil {
				return err
			}
			parts, total = parts+1, total+partSize
			rest = slices.Delete(rest, 0, partSize)
		}
		return ctx.Err()
	})
	if err == nil && len(rest) > 0 {
		err = store.PutPart(ctx, j.ID, parts, rest)
		parts, total = parts+1, total+int64(len(rest))
	}
	if err != nil {
		return err
	}
	j.Spec.Set = Set{Deleted: j.Spec.Set.Deleted}
	j.State.Parts, j.State.Part = parts, 0
	j.Status, j.Progress.Total, j.UpdatedAt = Running, total, r.svc.cfg.Clock.Now()
	if err := store.SaveJob(ctx, j, Collecting); err != nil {
		j.Status = Collecting
		return err
	}
	r.svc.publish(j)
	return nil
}

// progress is how far the job is after some records.
func (r *run) progress(phase string, done int64) Progress {
	p := Progress{Done: done, Total: r.job.Progress.Total, Phase: phase}
	if r.first < 0 {
		r.first = done
	}
	if elapsed := r.svc.cfg.Clock.Now().Sub(r.began).Seconds(); elapsed > 0 && done > r.first {
		p.Rate = float64(done-r.first) / elapsed
		p.SecondsLeft = float64(p.Total-done) / p.Rate
	}
	return p
}

// parts does the parts of a job that are left.
func (r *run) parts(ctx context.Context, phase string, do func(ctx context.Context, keys []record.Key, c *Commit) error) error {
	j := r.job
	r.first = min(j.State.Part*partSize, j.Progress.Total)
	for j.State.Part < j.State.Parts {
		keys, err := r.svc.cfg.Store.Part(ctx, j.ID, j.State.Part)
		if err != nil {
			return err
		}
		done := min(j.State.Part*partSize+int64(len(keys)), j.Progress.Total)
		for attempt := 1; ; attempt++ {
			c := &Commit{Job: j.ID, Expect: j.Status, State: j.State, Result: j.Result, Progress: r.progress(phase, done)}
			c.State.Part++
			if err = do(ctx, keys, c); err == nil {
				j.State, j.Result, j.Progress = c.State, c.Result, c.Progress
				break
			}
			if fault.KindOf(err) != fault.Stale || attempt == staleAtMost {
				return err
			}
		}
		if now := r.svc.cfg.Clock.Now(); now.Sub(r.told) >= toldEvery {
			r.told = now
			r.svc.publish(j)
		}
	}
	return nil
}

// stamp completes what is stored beside the records.
func (r *run) stamp(c *Commit) {
	c.At = r.svc.cfg.Clock.Now()
	c.Result.Seconds = r.seconds()
	c.State.Spent = c.Result.Seconds
}

// writePart does the work of the job to some records.
func (r *run) writePart(ctx context.Context, keys []record.Key, c *Commit) error {
	j := r.job
	in, err := r.input()
	if err != nil {
		return err
	}
	ops := make([]record.BatchOp, len(keys))
	for i, k := range keys {
		ops[i] = record.BatchOp{Op: j.Kind.op(), Object: j.Object, ID: k.ID, Version: k.Version, Input: in}
		if j.Spec.Changed == TakeChanged {
			ops[i].Version = 0
		}
	}
	base := c.Result
	call := record.MassCall{Batch: j.ID, Assign: j.Kind == Assign, Then: func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
		c.Result, c.Errors = base, nil // the store may run a transaction again
		for i := range results {
			tally(&c.Result, c, ops[i].ID, &results[i])
		}
		r.stamp(c)
		return r.svc.cfg.Store.Commit(ctx, tx, c)
	}}
	_, _, err = r.svc.cfg.Records.Mass(ctx, ops, call)
	return err
}

func (r *run) input() (record.Input, error) {
	switch r.job.Kind {
	case Edit:
		return Input(r.obj, r.job.Spec.Changes)
	case Assign:
		return ownerInput(r.obj, r.job.Spec.Owner), nil
	case Delete, Restore, Export:
	}
	return nil, nil
}

// tally counts what became of a record and keeps what went wrong.
func tally(res *Result, c *Commit, v id.ID, got *record.BulkResult) {
	f, _ := fault.Find(got.Err)
	switch {
	case got.Err == nil && got.Changed:
		res.Changed++
		return
	case got.Err == nil:
		res.Unchanged++
		return
	case f != nil && (f.Kind == fault.Stale || f.Kind == fault.NotFound && f.Code == "record.not_found" || f.Code == "record.not_deleted"):
		res.Skipped++
	default:
		res.Failed++
	}
	c.Errors = append(c.Errors, errorOf(v, WhileWorking, got))
}

// errorOf is a fault as a job keeps it.
func errorOf(v id.ID, phase int, got *record.BulkResult) RecordError {
	e := RecordError{Record: v, Phase: phase, Version: got.Version, Code: "mass.internal"}
	f, ok := fault.Find(got.Err)
	if !ok {
		return e
	}
	if len(f.Items) > 0 {
		f = f.Items[0]
	}
	e.Code, e.Field, e.Params = f.Code, f.Field, f.Params
	switch {
	case f.Kind == fault.Stale:
		e.Code, e.Params = "mass.changed_meanwhile", nil
	case f.Code == "record.not_found":
		e.Code, e.Params = "mass.gone", nil
	}
	return e
}

// undoPart puts back what the job did to some records.
func (r *run) undoPart(ctx context.Context, keys []record.Key, c *Commit) error {
	j := r.job
	ids := make([]id.ID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	made, err := r.svc.cfg.Store.Made(ctx, j.ID, j.Object, ids)
	if err != nil {
		return err
	}
	in := j.Spec.former(r.obj, j.Kind)
	ops := make([]record.BatchOp, 0, len(made))
	for _, m := range made {
		op := record.BatchOp{Object: j.Object, ID: m.Record}
		switch m.Op {
		case change.Update:
			op.Op, op.Input, op.Former = change.Update, in, &record.FormerImage{Version: m.Version, Before: m.Before, After: m.After}
		case change.Delete:
			op.Op, op.Version = change.Restore, m.Version
		case change.Restore:
			op.Op, op.Version = change.Delete, m.Version
		default:
			continue
		}
		ops = append(ops, op)
	}
	if len(ops) == 0 {
		r.stamp(c)
		return r.svc.cfg.Store.Commit(ctx, nil, c)
	}
	base := c.Result
	call := record.MassCall{Batch: j.State.Undo, Assign: j.Kind == Assign, Then: func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
		c.Result, c.Errors = base, nil
		for i := range results {
			tallyUndo(c, ops[i].ID, &results[i])
		}
		r.stamp(c)
		return r.svc.cfg.Store.Commit(ctx, tx, c)
	}}
	_, _, err = r.svc.cfg.Records.Mass(ctx, ops, call)
	return err
}

func tallyUndo(c *Commit, v id.ID, got *record.BulkResult) {
	switch {
	case got.Err == nil && len(got.Left) == 0:
		c.Result.Restored++
		return
	case got.Err == nil:
		c.Result.Partly++
		c.Errors = append(c.Errors, RecordError{Record: v, Phase: WhileUndoing, Version: got.Version, Field: got.Left[0], Code: "mass.undone_partly",
			Params: fault.Params{"fields": got.Left}})
		return
	}
	c.Result.Kept++
	e := errorOf(v, WhileUndoing, got)
	if e.Code == "mass.changed_meanwhile" || e.Code == "record.not_deleted" {
		e.Code, e.Params = "record.changed_since", nil
	}
	c.Errors = append(c.Errors, e)
}

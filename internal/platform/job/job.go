// Package job is the durable background queue: what must happen once the request is answered, and again after a crash.
//
// A job is a kind, a workspace and arguments that hold ids only. A job with a unique key is not added while another with
// that key waits or runs. A worker leases a job, renews the lease while it runs, and a job whose worker died is taken by
// another when the lease ends, or when the only process there can be starts again (Store.Reclaim); so a handler may run twice
// and must bear it. A failing job is tried again with growing pauses, up to MaxAttempts; an Invalid, NotFound or Conflict fault
// is not tried again. An attempt that ended with its process counts, so that a job that takes the program down with it is given
// up too; one that an orderly stop ended does not. Jobs in trouble are listed (Store.Troubled) until one of their kind succeeds.
package job

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// The states of a job.
const (
	Queued = "queued"
	Done   = "done"
	Failed = "failed"
)

// MaxAttempts is how often a job is tried.
const MaxAttempts = 8

// Job is one piece of work.
type Job struct {
	ID        id.ID
	Kind      string
	Workspace string
	Args      string // a short text, ids only
	Unique    string // "" is made unique by the id
	RunAt     time.Time
	Attempts  int // the present one included
	CreatedAt time.Time
}

// Trouble is a job that failed: for good, or so far.
type Trouble struct {
	Kind     string
	Attempts int
	Code     string    // of the last failure; "" when the process ended with it
	At       time.Time // when it was given up, or is tried again
	GaveUp   bool
}

// Store keeps jobs; store/instance implements it.
type Store interface {
	// Enqueue adds a job; false when its unique key is taken by a waiting or running one.
	Enqueue(ctx context.Context, j Job) (bool, error)
	// Lease takes the oldest due job, or one whose lease has ended.
	Lease(ctx context.Context, now, until time.Time) (Job, bool, error)
	// Renew lengthens a lease.
	Renew(ctx context.Context, j Job, until time.Time) error
	// Finish ends an attempt: state Done, Failed, or Queued to run again at next.
	Finish(ctx context.Context, j Job, state, code string, next, now time.Time) error
	// Return gives back a job whose attempt an orderly stop ended; the attempt does not count.
	Return(ctx context.Context, j Job, now time.Time) error
	// Reclaim frees the jobs of a process that is gone. Only a process that knows that it is the only one may call it.
	Reclaim(ctx context.Context) (int, error)
	// Troubled lists jobs of a workspace that failed, newest first, but for kinds that succeeded since.
	Troubled(ctx context.Context, workspace string, limit int) ([]Trouble, error)
	// Pending counts waiting and running jobs of a kind.
	Pending(ctx context.Context, workspace, kind string) (int, error)
}

// Handler does one kind of job.
type Handler func(ctx context.Context, j Job) error

// Config is what a Queue is made of.
type Config struct {
	Store    Store
	Clock    clock.Clock
	IDs      *id.Generator
	Log      *slog.Logger
	Lease    time.Duration              // default one minute
	Poll     time.Duration              // how often due jobs are looked for without being woken; default two seconds
	Finished func(kind, outcome string) // for metrics; may be nil
	Handlers map[string]Handler
}

// Queue adds and runs jobs.
type Queue struct {
	Config
	wake chan struct{}
}

// New makes a Queue; Run works it.
func New(c Config) *Queue {
	if c.Lease == 0 {
		c.Lease = time.Minute
	}
	if c.Poll == 0 {
		c.Poll = 2 * time.Second
	}
	if c.Finished == nil {
		c.Finished = func(string, string) {}
	}
	return &Queue{Config: c, wake: make(chan struct{}, 1)}
}

// Add puts a job into the queue; false when its unique key is taken. A zero RunAt means now.
func (q *Queue) Add(ctx context.Context, j Job) (bool, error) {
	j.ID, j.CreatedAt = q.IDs.Next(), q.Clock.Now()
	if j.RunAt.IsZero() {
		j.RunAt = j.CreatedAt
	}
	if j.Unique == "" {
		j.Unique = fmt.Sprintf("id:%d", j.ID)
	}
	added, err := q.Store.Enqueue(ctx, j)
	if err != nil {
		return false, fmt.Errorf("add job %s: %w", j.Kind, err)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return added, nil
}

// Run works jobs one after another until the context ends, and returns when the job at hand has stopped.
func (q *Queue) Run(ctx context.Context) {
	t := time.NewTicker(q.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		ran, err := q.Step(ctx)
		if err != nil && ctx.Err() == nil {
			q.Log.ErrorContext(ctx, "job queue", "error", err)
		}
		if ran && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-t.C:
		}
	}
}

// Step runs one due job; false when there was none.
func (q *Queue) Step(ctx context.Context) (bool, error) {
	now := q.Clock.Now()
	j, ok, err := q.Store.Lease(ctx, now, now.Add(q.Lease))
	if err != nil || !ok {
		return false, err
	}
	// The outcome is written even when the program is stopping.
	end := context.WithoutCancel(ctx)
	if j.Attempts > MaxAttempts { // every attempt took the process down with it
		q.Log.ErrorContext(ctx, "job given up", "kind", j.Kind, "attempts", MaxAttempts)
		q.Finished(j.Kind, "failed")
		return true, q.Store.Finish(end, j, Failed, "job.gave_up", now, now)
	}
	runErr := q.run(ctx, j)
	now = q.Clock.Now()
	switch {
	case runErr == nil:
		q.Finished(j.Kind, "ok")
		return true, q.Store.Finish(end, j, Done, "", now, now)
	case ctx.Err() != nil:
		return true, q.Store.Return(end, j, now)
	}
	code := fault.CodeOf(runErr)
	kind := fault.KindOf(runErr)
	q.Log.ErrorContext(ctx, "job", "kind", j.Kind, "attempt", j.Attempts, "error", runErr)
	if j.Attempts >= MaxAttempts || kind == fault.Invalid || kind == fault.NotFound || kind == fault.Conflict {
		q.Finished(j.Kind, "failed")
		return true, q.Store.Finish(end, j, Failed, code, now, now)
	}
	q.Finished(j.Kind, "retry")
	pause := 5 * time.Second << min(j.Attempts, 10)
	return true, q.Store.Finish(end, j, Queued, code, now.Add(pause), now)
}

func (q *Queue) run(ctx context.Context, j Job) (err error) {
	h, ok := q.Handlers[j.Kind]
	if !ok {
		return fault.New(fault.Invalid, "job.unknown_kind", fault.Params{"kind": j.Kind})
	}
	ctx, cancel := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { q.renew(ctx, j) })
	defer renewing.Wait()
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("job %s panicked: %v\n%s", j.Kind, p, debug.Stack())
		}
	}()
	return h(ctx, j)
}

func (q *Queue) renew(ctx context.Context, j Job) {
	t := time.NewTicker(q.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := q.Store.Renew(ctx, j, q.Clock.Now().Add(q.Lease)); err != nil && ctx.Err() == nil {
				q.Log.WarnContext(ctx, "job lease", "kind", j.Kind, "error", err)
			}
		}
	}
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// Limits of one group commit: who came first does not wait longer than this for those who came later.
const (
	maxGroup     = 256
	maxGroupTime = 20 * time.Millisecond
)

// Stats counts the work of the writer.
type Stats struct {
	// Commits is how many COMMITs succeeded. Each wrote at most one commit frame to the WAL and synced it once; syncs of
	// checkpoints are not among them.
	Commits int64
	// Closures is how many closures were acknowledged as durable.
	Closures int64
	// Failed is how many closures were answered with an error.
	Failed int64
}

// writer owns the only connection that writes.
type writer struct {
	conn  *conn
	clock clock.Clock
	after func()    // told of each commit
	jobs  chan *job // interactive work
	bulk  chan *job // work that yields
	quit  chan struct{}
	done  chan struct{}

	mu     sync.RWMutex // held for reading while a job is handed in, so that close leaves none behind
	closed bool

	commits, closures, failed atomic.Int64
}

// job is one closure on its way through the writer. state decides the race between its start and its context.
type job struct {
	ctx   context.Context
	fn    func(sqlstore.Conn) error
	alone string // a statement that runs outside of a transaction, instead of fn
	state atomic.Int32
	err   error
	panic any
	ready chan struct{}
}

const (
	waiting int32 = iota
	started
	abandoned
)

func newWriter(c *conn, clk clock.Clock, after func()) *writer {
	w := &writer{conn: c, clock: clk, after: after, jobs: make(chan *job, maxGroup), bulk: make(chan *job, 16),
		quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// do hands in a closure and waits for its outcome.
func (w *writer) do(ctx context.Context, fn func(sqlstore.Conn) error) error {
	return w.hand(ctx, &job{ctx: ctx, fn: fn, ready: make(chan struct{})})
}

// bare runs a statement outside of any transaction, when nothing else wants to write.
func (w *writer) bare(ctx context.Context, statement string) error {
	return w.hand(ctx, &job{ctx: sqlstore.Bulk(ctx), alone: statement, ready: make(chan struct{})})
}

// errWALHeld says that a reader keeps the WAL from being emptied.
var errWALHeld = errors.New("the write-ahead log is being read")

// outside runs the statement of a bare job. Of its rows the first column of a checkpoint says whether somebody was in the way.
func (w *writer) outside(j *job) {
	if !w.start(j) {
		return
	}
	rows, err := w.conn.raw.QueryContext(context.Background(), j.alone)
	if err == nil {
		for rows.Next() {
			var busy, log, moved int64
			if err = rows.Scan(&busy, &log, &moved); err == nil && busy != 0 {
				err = errWALHeld
			}
		}
		err = errors.Join(err, rows.Err(), rows.Close())
	}
	j.err = translate(err)
	close(j.ready)
}

func (w *writer) hand(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.enqueue(j); err != nil {
		return err
	}
	select {
	case <-j.ready:
	case <-ctx.Done():
		if j.state.CompareAndSwap(waiting, abandoned) {
			return ctx.Err()
		}
		<-j.ready // it has begun: its outcome counts
	}
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

func (w *writer) enqueue(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return closedFault()
	}
	queue := w.jobs
	if sqlstore.IsBulk(j.ctx) {
		queue = w.bulk
	}
	select {
	case queue <- j:
		return nil
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
}

func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	close(w.quit)
	<-w.done
}

func (w *writer) stats() Stats {
	return Stats{Commits: w.commits.Load(), Closures: w.closures.Load(), Failed: w.failed.Load()}
}

// run serves interactive work first; a waiting bulk closure runs alone between two groups.
func (w *writer) run() {
	defer close(w.done)
	for {
		var first *job
		select {
		case first = <-w.jobs:
		default:
			select {
			case first = <-w.jobs:
			case b := <-w.bulk:
				w.group(b, nil)
				continue
			case <-w.quit:
				w.drain()
				return
			}
		}
		w.group(first, w.company())
		select {
		case b := <-w.bulk: // bulk work yields, it does not starve
			w.group(b, nil)
		default:
		}
	}
}

// company is where more work for a commit may come from: nowhere when nobody waits, since a closure that knows to be alone
// needs no savepoint. Those who come while it runs share the next commit.
func (w *writer) company() <-chan *job {
	if len(w.jobs) == 0 {
		return nil
	}
	return w.jobs
}

// drain finishes what was accepted before close.
func (w *writer) drain() {
	for {
		select {
		case j := <-w.jobs:
			w.group(j, w.jobs)
		case j := <-w.bulk:
			w.group(j, nil)
		default:
			return
		}
	}
}

// group runs first and whatever else waits in more, in one commit. Without more it runs first alone.
func (w *writer) group(first *job, more <-chan *job) {
	if first.alone != "" {
		w.outside(first)
		return
	}
	began := w.clock.Now()
	ctx := context.Background()
	if _, err := w.conn.Exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		if w.start(first) {
			w.answer([]*job{first}, err)
		}
		return
	}
	var ok []*job
	for j := first; j != nil; {
		if w.start(j) {
			if w.one(j, more == nil) {
				ok = append(ok, j)
			}
			if w.lost() { // the database itself took everything back: nothing before stays either
				w.answer(ok, j.err)
				return
			}
		}
		j = nil
		if more != nil && len(ok) < maxGroup && w.clock.Now().Sub(began) < maxGroupTime {
			select {
			case j = <-more:
			default:
			}
		}
	}
	if len(ok) == 0 {
		_, _ = w.conn.Exec(ctx, "ROLLBACK") // nothing to keep
		return
	}
	if _, err := w.conn.Exec(ctx, "COMMIT"); err != nil {
		if !w.lost() {
			_, _ = w.conn.Exec(ctx, "ROLLBACK") // the commit's error is the one that counts
		}
		w.answer(ok, err)
		return
	}
	w.commits.Add(1)
	w.answer(ok, nil)
	w.after()
}

// start decides that a closure runs, unless its caller is gone or its context has ended.
func (w *writer) start(j *job) bool {
	if err := j.ctx.Err(); err != nil {
		if j.state.CompareAndSwap(waiting, abandoned) {
			j.err = err
			close(j.ready)
		}
		return false
	}
	return j.state.CompareAndSwap(waiting, started)
}

// answer tells the callers of jobs that ran what became of them.
func (w *writer) answer(jobs []*job, err error) {
	for _, j := range jobs {
		j.err = err
		if err == nil {
			w.closures.Add(1)
		} else {
			w.failed.Add(1)
		}
		close(j.ready)
	}
}

// one runs a closure in a savepoint. A failed one is answered here; ok means it waits for the commit. A closure that is
// alone in its transaction needs no savepoint, for which SQLite would copy every page before its first change.
func (w *writer) one(j *job, alone bool) (ok bool) {
	ctx := context.Background()
	if alone {
		if j.err = w.call(j); j.err == nil && j.panic == nil {
			return true
		}
		w.failed.Add(1)
		close(j.ready)
		return false // the group has nothing else to keep and rolls back
	}
	if _, err := w.conn.Exec(ctx, "SAVEPOINT job"); err != nil {
		j.err = err
	} else {
		j.err = w.call(j)
	}
	if j.err == nil && j.panic == nil {
		if _, j.err = w.conn.Exec(ctx, "RELEASE job"); j.err == nil {
			return true
		}
	}
	if !w.lost() {
		if _, err := w.conn.Exec(ctx, "ROLLBACK TO job"); err == nil {
			_, _ = w.conn.Exec(ctx, "RELEASE job") // the savepoint is empty
		}
	}
	w.failed.Add(1)
	close(j.ready)
	return false
}

func (w *writer) call(j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			j.panic = fmt.Sprintf("panic in a write: %v", p)
		}
	}()
	return translate(j.fn(w.conn))
}

// lost reports whether no transaction is open any more: SQLite rolls back by itself after some failures.
func (w *writer) lost() bool {
	var auto bool
	err := w.conn.raw.Raw(func(c any) error {
		auto = c.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	})
	return err != nil || auto
}

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// copyMark follows the path of the copy that Rewrite makes; one that a crash left is removed by the next.
const copyMark = ".copy"

var _ analytics.Rewriter = (*DB)(nil)

// Rewrite copies everything that stands in the file into a new one and puts that in its place, so that nothing of what was removed
// is left. Readers go on until the files change places, and wait for that; writers wait for the whole. Where somebody reads for long it gives way to
// the writers and begins again, a number of times; then whoever begins to read is refused until the last reader has ended.
func (d *DB) Rewrite(ctx context.Context) error {
	for try := range rewriteTries {
		if try > 0 {
			if err := clock.Pause(ctx, rewritePause, nil); err != nil {
				return err
			}
		}
		if done, err := d.rewrite(ctx, try == rewriteTries-1); done || err != nil {
			return err
		}
	}
	return nil
}

const (
	rewriteTries = 10
	rewritePause = 20 * time.Second
	// openFor and shutFor are how long it looks for a moment in which nobody reads, beside readers and while it keeps new ones waiting.
	openFor = 4 * time.Second
	shutFor = 4 * time.Second
)

func (d *DB) rewrite(ctx context.Context, last bool) (done bool, err error) {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { d.turn <- struct{}{} }()
	e, err := d.running(ctx)
	if err != nil {
		return false, err
	}
	fresh := d.path + copyMark
	if err := remove(fresh); err != nil {
		return false, err
	}
	if err := d.copyTo(ctx, e, fresh); err != nil {
		return false, errors.Join(fmt.Errorf("copy analytics file: %w", err), remove(fresh))
	}
	for _, shut := range []bool{false, true} {
		done, err := d.swapIdle(ctx, fresh, shut)
		if fault.CodeOf(err) == "analytics.restarting" { // the engine failed meanwhile
			last = true
			break
		}
		if done || err != nil {
			return done, err
		}
	}
	if !last {
		return false, remove(fresh)
	}
	d.failed.Store(true)
	for {
		err := d.swap(fresh)
		if fault.CodeOf(err) != "analytics.restarting" {
			return true, err
		}
		if err := clock.Pause(ctx, renewPoll, nil); err != nil {
			return false, err
		}
	}
}

// swapIdle puts the copy in the place of the file if a moment comes in which nobody reads; shut keeps new readers at the door meanwhile.
func (d *DB) swapIdle(ctx context.Context, fresh string, shut bool) (done bool, err error) {
	most := openFor
	if shut {
		most = shutFor
		door := make(chan struct{})
		d.door.Store(&door)
		defer func() {
			d.door.Store(nil)
			close(door)
		}()
	}
	for range most / renewPoll {
		if d.mu.TryLock() {
			if d.idle() || d.failed.Load() {
				defer d.mu.Unlock()
				return true, d.change(fresh)
			}
			d.mu.Unlock()
		}
		if err := clock.Pause(ctx, renewPoll, nil); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (d *DB) copyTo(ctx context.Context, e *engine, fresh string) error {
	var name string
	if err := e.writer.QueryRowContext(ctx, "SELECT current_database()").Scan(&name); err != nil {
		return err
	}
	if _, err := e.writer.ExecContext(ctx, "ATTACH '"+strings.ReplaceAll(fresh, "'", "''")+"' AS rewritten"); err != nil {
		return err
	}
	_, err := e.writer.ExecContext(ctx, "COPY FROM DATABASE "+analytics.Quote(name)+" TO rewritten")
	if err == nil {
		_, err = e.writer.ExecContext(ctx, "CHECKPOINT rewritten")
	}
	_, gone := e.writer.ExecContext(context.WithoutCancel(ctx), "DETACH rewritten")
	return errors.Join(err, gone)
}

// swap stops the engine, puts the copy in the place of the file, and starts again.
func (d *DB) swap(fresh string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.change(fresh)
}

// change is swap with mu held. Where it fails the next statement starts the engine.
func (d *DB) change(fresh string) (err error) {
	defer func() {
		if err != nil {
			d.failed.Store(true)
		}
	}()
	if err := d.stop(); err != nil {
		return err
	}
	if _, err := os.Stat(fresh); err == nil { // otherwise it is in its place already
		if err := remove(d.path); err != nil {
			return err
		}
		if err := os.Rename(fresh, d.path); err != nil {
			return fmt.Errorf("put analytics file in its place: %w", err)
		}
	}
	if err := DropAside(d.config.Dir, d.config.Clock.Now().AddDate(100, 0, 0)); err != nil {
		return err
	}
	return d.begin(context.Background())
}

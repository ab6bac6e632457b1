package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// copyMark follows the path of the copy that Rewrite makes; one that a crash left is removed by the next.
const copyMark = ".copy"

var _ analytics.Rewriter = (*DB)(nil)

// Rewrite copies everything that stands in the file into a new one and puts that in its place, so that nothing of what was removed
// is left. Readers go on until the files change places; writers wait.
func (d *DB) Rewrite(ctx context.Context) error {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.turn <- struct{}{} }()
	e, err := d.running(ctx)
	if err != nil {
		return err
	}
	fresh := d.path + copyMark
	if err := remove(fresh); err != nil {
		return err
	}
	if err := d.copyTo(ctx, e, fresh); err != nil {
		return errors.Join(fmt.Errorf("copy analytics file: %w", err), remove(fresh))
	}
	d.failed.Store(true)
	for {
		err := d.swap(ctx, fresh)
		if fault.CodeOf(err) != "analytics.restarting" {
			return err
		}
		if err := clock.Pause(ctx, renewPoll, nil); err != nil {
			return err
		}
	}
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
func (d *DB) swap(ctx context.Context, fresh string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
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
	err := DropAside(d.config.Dir, d.config.Clock.Now().AddDate(100, 0, 0))
	if err != nil {
		return err
	}
	started, err := start(context.WithoutCancel(ctx), d.path, d.config)
	if err != nil {
		return err
	}
	d.engine = started
	d.failed.Store(false)
	return nil
}

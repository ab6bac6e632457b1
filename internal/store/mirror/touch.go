package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// TouchConsumer is the name under which a Toucher's position is known to the change log.
const TouchConsumer = "traits"

// PositionLog is a Log that also remembers where a consumer stopped.
type PositionLog interface {
	Log
	LoadPosition(ctx context.Context, consumer string) (change.Position, error)
}

// Toucher marks the customers that changes concern, where relations are views and nothing is to be copied (PostgreSQL). A
// crash between marking and saving the position marks some of them again, which only costs a recomputation.
type Toucher struct {
	db       analytics.DB
	log      PositionLog
	registry func() *schema.Registry
	logger   *slog.Logger
	onMarked func()
	position change.Position
	loaded   bool
}

// NewToucher makes a Toucher; onMarked is called after customers were marked.
func NewToucher(db analytics.DB, log PositionLog, registry func() *schema.Registry, logger *slog.Logger, onMarked func()) *Toucher {
	return &Toucher{db: db, log: log, registry: registry, logger: logger, onMarked: onMarked}
}

// touchBatch is how many changes are looked at in one transaction.
const touchBatch = 5_000

// Run marks until the context ends. One process of several does it at a time, whichever holds that duty.
func (t *Toucher) Run(ctx context.Context) error {
	for {
		more, err := t.Step(ctx)
		if err == nil && !more {
			err = t.log.WaitAfter(ctx, t.position)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.logger.Error("mark changed customers", "error", err)
		pause := time.NewTimer(retryAfter)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
}

// Step looks at one batch of changes; more says whether it was a full one.
func (t *Toucher) Step(ctx context.Context) (more bool, err error) {
	if !t.loaded {
		if t.position, err = t.log.LoadPosition(ctx, TouchConsumer); err != nil {
			return false, fmt.Errorf("load position: %w", err)
		}
		t.loaded = true
	}
	rows, err := t.log.Read(ctx, t.position, touchBatch)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	marked := 0
	err = t.db.Write(ctx, func(tx analytics.Tx) error {
		m, err := newToucher(ctx, tx)
		if err != nil {
			return err
		}
		for _, g := range group(t.registry(), rows) {
			if err := m.fromRecords(ctx, tx, g); err != nil {
				return fmt.Errorf("%s: %w", g.relation.Name, err)
			}
		}
		m.fromImages(t.registry(), rows)
		marked = len(m.customers)
		return m.write(ctx, tx)
	})
	if err != nil {
		return false, fmt.Errorf("mark changed customers: %w", err)
	}
	t.position = rows[len(rows)-1].Position
	if err := t.log.SavePosition(ctx, TouchConsumer, t.position); err != nil {
		return false, fmt.Errorf("save position: %w", err)
	}
	if marked > 0 {
		t.onMarked()
	}
	return len(rows) == touchBatch, nil
}

// fromRecords marks the customers of changed records as they are now, also of those in the recycle bin, and the customers
// whose facts name a changed record.
func (t *toucher) fromRecords(ctx context.Context, q analytics.Querier, g changed) error {
	for part := range slices.Chunk(g.ids, few) {
		args := make([]any, len(part))
		for i, v := range part {
			args[i] = int64(v)
		}
		list := " IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(part)), ", ") + ")"
		where := func(c string) string { return analytics.Quote(c) + list }
		if col := g.relation.CustomerColumn(); col != "" {
			text := "SELECT DISTINCT " + analytics.Quote(col) + " FROM " + analytics.Quote(g.relation.Object.Physical) + " WHERE " + where("id")
			if err := t.query(ctx, q, text, args); err != nil {
				return err
			}
		}
		if err := t.dependents(ctx, q, g.relation, where, args); err != nil {
			return err
		}
	}
	return nil
}

// fromImages marks the customers that records belonged to before a change, as the log remembers them, and customers that
// are gone for good.
func (t *toucher) fromImages(reg *schema.Registry, rows []change.Row) {
	for i := range rows {
		o := reg.Object(rows[i].Object)
		if o == nil || !o.Analytic {
			continue
		}
		if o.Key == "customer" {
			t.add(int64(rows[i].Record))
			continue
		}
		if o.CustomerField == "" || len(rows[i].Before) == 0 {
			continue
		}
		var before map[string]json.RawMessage
		if json.Unmarshal(rows[i].Before, &before) != nil {
			continue // an erased image
		}
		if n, err := strconv.ParseInt(string(before[analytics.NewRelation(o).CustomerColumn()]), 10, 64); err == nil {
			t.add(n)
		}
	}
}

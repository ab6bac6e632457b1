// Package search keeps the search index in step with the records.
//
// It is a consumer of the change log named "search": it reads change rows in batches, makes the documents of the records
// they name as those are now (record.Service.Documents), and stores documents and its position in one transaction. So a
// batch that is seen twice after a crash has the same result, and a record changed many times in a batch is indexed
// once. What cannot be found any more is removed. The index holds words and keyed tokens, never personal values in
// clear. Finding and ranking are in package record.
package search

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Consumer is the name under which the position in the change log is kept.
const Consumer = "search"

// Store keeps the index.
type Store interface {
	// IndexSearch stores documents, each in the place of an earlier one of the same id, removes others, and moves the
	// consumer's position, in one transaction.
	IndexSearch(ctx context.Context, put []record.Document, remove []id.ID, consumer string, to change.Position) error
}

// Log is what the indexer reads of the change log.
type Log interface {
	Read(ctx context.Context, after change.Position, limit int) ([]change.Row, error)
	Head(ctx context.Context) (change.Position, error)
	LoadPosition(ctx context.Context, consumer string) (change.Position, error)
	WaitAfter(ctx context.Context, after change.Position) error
}

// Records is what the indexer needs from the record engine.
type Records interface {
	Documents(ctx context.Context, object string, ids []id.ID) ([]record.Document, error)
	List(ctx context.Context, object string, q record.Query) (*record.Page, error)
}

// Config is what an Indexer needs; all but Log must be set.
type Config struct {
	Store    Store
	Changes  Log
	Records  Records
	Registry func() *schema.Registry
	Log      *slog.Logger // nil discards
	Clock    clock.Clock  // nil is the system's
	Batch    int          // change rows in one step, 2,000 when 0
}

// Indexer keeps one workspace's index. Only one may run at a time.
type Indexer struct{ cfg Config }

// New makes an Indexer.
func New(cfg Config) *Indexer {
	if cfg.Batch <= 0 {
		cfg.Batch = 2000
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Indexer{cfg: cfg}
}

// restAtMost bounds the rest after a step (clock.Pace).
const restAtMost = 250 * time.Millisecond

// Run follows the log until ctx ends or a batch fails; run again, it goes on with that batch.
func (x *Indexer) Run(ctx context.Context) error {
	pos, err := x.cfg.Changes.LoadPosition(ctx, Consumer)
	if err != nil {
		return fmt.Errorf("load position of search: %w", err)
	}
	pace := clock.Pace{AtMost: restAtMost}
	for {
		idle := x.cfg.Clock.Now()
		if err := x.cfg.Changes.WaitAfter(ctx, pos); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("wait for changes: %w", err)
		}
		began := x.cfg.Clock.Now()
		next, n, err := x.step(ctx, pos)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("index changes: %w", err)
		}
		pos = next
		if n == x.cfg.Batch {
			continue // much more waits
		}
		if err := clock.Pause(ctx, pace.Rest(began.Sub(idle), x.cfg.Clock.Now().Sub(began)), nil); err != nil {
			return err
		}
	}
}

// CatchUp indexes everything up to now and says how many change rows it read.
func (x *Indexer) CatchUp(ctx context.Context) (int, error) {
	pos, err := x.cfg.Changes.LoadPosition(ctx, Consumer)
	if err != nil {
		return 0, fmt.Errorf("load position of search: %w", err)
	}
	total := 0
	for {
		next, n, err := x.step(ctx, pos)
		if err != nil {
			return total, fmt.Errorf("index changes: %w", err)
		}
		if n == 0 {
			return total, nil
		}
		pos, total = next, total+n
	}
}

// Lag is how far the index is behind: the position it has reached and the newest one.
func (x *Indexer) Lag(ctx context.Context) (at, head change.Position, err error) {
	if at, err = x.cfg.Changes.LoadPosition(ctx, Consumer); err != nil {
		return at, head, fmt.Errorf("load position of search: %w", err)
	}
	if head, err = x.cfg.Changes.Head(ctx); err != nil {
		return at, head, fmt.Errorf("read head of changes: %w", err)
	}
	return at, head, nil
}

// step takes one batch of changes.
func (x *Indexer) step(ctx context.Context, after change.Position) (change.Position, int, error) {
	rows, err := x.cfg.Changes.Read(ctx, after, x.cfg.Batch)
	if err != nil || len(rows) == 0 {
		return after, 0, err
	}
	reg := x.cfg.Registry()
	touched := map[string][]id.ID{}
	seen := make(map[id.ID]bool, len(rows))
	for i := range rows {
		obj := reg.Object(rows[i].Object)
		if obj == nil || obj.Virtual || !Indexed(obj) || seen[rows[i].Record] || !concerns(obj, &rows[i]) {
			continue
		}
		seen[rows[i].Record] = true
		touched[obj.Key] = append(touched[obj.Key], rows[i].Record)
	}
	var put []record.Document
	var remove []id.ID
	for _, obj := range reg.Tables() { // in a fixed order, so that batches are the same each time
		ids := touched[obj.Key]
		if len(ids) == 0 {
			continue
		}
		docs, err := x.cfg.Records.Documents(ctx, obj.Key, ids)
		if err != nil {
			return after, 0, err
		}
		found := make(map[id.ID]bool, len(docs))
		for i := range docs {
			found[docs[i].ID] = true
		}
		put = append(put, docs...)
		for _, v := range ids {
			if !found[v] {
				remove = append(remove, v)
			}
		}
	}
	to := rows[len(rows)-1].Position
	if len(put)+len(remove) == 0 && len(rows) == x.cfg.Batch {
		return to, len(rows), nil // nothing to keep, and more to come: the position is kept with the next batch
	}
	if err := x.cfg.Store.IndexSearch(ctx, put, remove, Consumer, to); err != nil {
		return after, 0, err
	}
	return to, len(rows), nil
}

// concerns reports whether a change may alter what a record is found by. An update that names none of the fields it is found by does
// not; one that does not say what it changed, as when personal values went, may.
func concerns(obj *schema.Object, row *change.Row) bool {
	if row.Op != change.Update || change.IsReshaped(row.After) {
		return true
	}
	var after map[string]json.RawMessage
	if json.Unmarshal(row.After, &after) != nil || len(after) == 0 {
		return true
	}
	for _, c := range obj.Columns() {
		if c.Role != schema.Main || !c.Field.Searchable && c.Field.Key != obj.TitleField {
			continue
		}
		if _, named := after[c.Name]; named {
			return true
		}
	}
	return false
}

// Indexed reports whether records of an object are found by search: those with a searchable field that stand by
// themselves in the navigation.
func Indexed(obj *schema.Object) bool {
	if obj.Hidden {
		return false
	}
	for _, f := range obj.Fields {
		if f.Searchable {
			return true
		}
	}
	return false
}

// Rebuild makes the documents of all live records anew and then follows the changes that came meanwhile. Documents of records that are
// gone were removed when they went; Clear the index first to be rid of any others. It says how many records it indexed.
func (x *Indexer) Rebuild(ctx context.Context) (int, error) {
	ctx = access.With(ctx, access.System())
	head, err := x.cfg.Changes.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("read head of changes: %w", err)
	}
	total := 0
	for _, obj := range x.cfg.Registry().Tables() {
		if !Indexed(obj) {
			continue
		}
		n, err := x.rebuildObject(ctx, obj, head)
		if err != nil {
			return total, fmt.Errorf("index %s: %w", obj.Key, err)
		}
		x.cfg.Log.Info("search index rebuilt", "object", obj.Key, "records", n)
		total += n
	}
	_, err = x.CatchUp(ctx)
	return total, err
}

func (x *Indexer) rebuildObject(ctx context.Context, obj *schema.Object, head change.Position) (int, error) {
	total := 0
	q := record.Query{Sort: []schema.Sort{{Field: "id"}}, Fields: []string{}, Limit: record.MaxLimit, Where: (*query.Node)(nil)}
	for {
		page, err := x.cfg.Records.List(ctx, obj.Key, q)
		if err != nil {
			return total, err
		}
		ids := make([]id.ID, len(page.Items))
		for i, r := range page.Items {
			ids[i] = r.ID
		}
		docs, err := x.cfg.Records.Documents(ctx, obj.Key, ids)
		if err != nil {
			return total, err
		}
		if err := x.cfg.Store.IndexSearch(ctx, docs, nil, Consumer, head); err != nil {
			return total, err
		}
		total += len(docs)
		if page.NextCursor == "" {
			return total, nil
		}
		q.Cursor = page.NextCursor
	}
}

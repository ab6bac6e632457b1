package mirror

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

const (
	readObjects = `SELECT object, filled, last_id, row_count FROM mirror_object`
	dropObject  = `DELETE FROM mirror_object WHERE object = ?`
	writeObject = `INSERT INTO mirror_object (object, filled, last_id, row_count) VALUES (?, ?, ?, ?)`
	dropObjects = `DELETE FROM mirror_object`
)

// progress of one relation's fill.
type progress struct {
	object string
	filled bool
	last   int64
	rows   int64
}

// load reads the position from the plane. A plane that was never filled begins at the head of the log: the fill brings
// everything up to it.
func (m *Mirror) load(ctx context.Context) error {
	m.mu.Lock()
	loaded := m.loaded
	m.mu.Unlock()
	if loaded {
		return nil
	}
	p, ok, err := storedPosition(ctx, m.c.DB)
	if err != nil {
		return fmt.Errorf("read position: %w", err)
	}
	if !ok {
		if p, err = m.c.Log.Head(ctx); err != nil {
			return fmt.Errorf("read head of changes: %w", err)
		}
		if err := m.c.DB.Write(ctx, func(tx analytics.Tx) error { return setPosition(ctx, tx, p) }); err != nil {
			return fmt.Errorf("store position: %w", err)
		}
	}
	if err := m.c.Log.SavePosition(ctx, Consumer, p); err != nil {
		return fmt.Errorf("save position: %w", err)
	}
	m.mu.Lock()
	m.position, m.loaded, m.saved, m.savedAt = p, true, p, m.c.Clock.Now()
	m.mu.Unlock()
	return nil
}

func storedPosition(ctx context.Context, q analytics.Querier) (p change.Position, ok bool, err error) {
	rows, err := q.Query(ctx, readPosition)
	if err != nil {
		return p, false, err
	}
	defer rows.Close()
	for rows.Next() {
		ok = true
		if err := rows.Scan(&p.Xid, &p.Seq); err != nil {
			return p, false, err
		}
	}
	return p, ok, rows.Err()
}

func (m *Mirror) objects(ctx context.Context) (map[string]progress, error) {
	rows, err := m.c.DB.Query(ctx, readObjects)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]progress{}
	for rows.Next() {
		var p progress
		var last, n sql.NullInt64
		if err := rows.Scan(&p.object, &p.filled, &last, &n); err != nil {
			return nil, err
		}
		p.last, p.rows = last.Int64, n.Int64
		out[p.object] = p
	}
	return out, rows.Err()
}

// fill streams the records of every relation that is not complete.
func (m *Mirror) fill(ctx context.Context) error {
	relations := analytics.Relations(m.c.Registry())
	if len(relations) == 0 {
		return errNoSystem
	}
	done, err := m.objects(ctx)
	if err != nil {
		return fmt.Errorf("read progress: %w", err)
	}
	worked := false
	for _, r := range relations {
		p := done[r.Object.Key]
		if p.filled {
			continue
		}
		if !worked {
			worked = true
			m.mu.Lock()
			m.filled = false
			m.mu.Unlock()
		}
		p.object = r.Object.Key
		if err := m.fillOne(ctx, r, p); err != nil {
			return fmt.Errorf("fill %s: %w", r.Name, err)
		}
	}
	m.mu.Lock()
	was := m.filled
	m.filled = true
	m.mu.Unlock()
	if !was {
		m.moved(m.positionNow())
		m.c.OnApplied(0)
	}
	return nil
}

func (m *Mirror) positionNow() change.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.position
}

// fillOne continues one relation after the last chunk that was committed.
func (m *Mirror) fillOne(ctx context.Context, r analytics.Relation, p progress) error {
	if p.last == 0 { // changes may have put rows there before the fill began
		err := m.c.DB.Write(ctx, func(tx analytics.Tx) error {
			if _, err := tx.Exec(ctx, "DELETE FROM "+analytics.Quote(r.Name)); err != nil {
				return err
			}
			return analytics.MarkRefilled(ctx, tx)
		})
		if err != nil {
			return err
		}
	}
	for !p.filled {
		next := p
		err := m.c.DB.Write(ctx, func(tx analytics.Tx) error {
			next = p
			n := 0
			err := tx.Append(ctx, r.Name, r.Names(), func(yield func([]any, error) bool) {
				stopped := false
				err := m.c.Records.Scan(ctx, r, id.ID(p.last), m.c.Chunk, func(row []any) bool {
					n++
					next.last, _ = row[0].(int64)
					stopped = !yield(row, nil)
					return !stopped
				})
				if err != nil && !stopped {
					yield(nil, err)
				}
			})
			if err != nil {
				return err
			}
			next.rows += int64(n)
			next.filled = n < m.c.Chunk
			return m.record(ctx, tx, next)
		})
		if err != nil {
			return err
		}
		p = next
	}
	return nil
}

func (m *Mirror) record(ctx context.Context, tx analytics.Tx, p progress) error {
	if _, err := tx.Exec(ctx, dropObject, p.object); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, writeObject, p.object, p.filled, p.last, p.rows)
	return err
}

// Forget has the mirror read again from the plane where it stands, after the plane was made anew.
func (m *Mirror) Forget() {
	m.work.Lock()
	defer m.work.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.position, m.loaded, m.filled, m.failed = change.Position{}, false, false, nil
}

// Rebuild marks relations (all when none is named) to be filled anew by the next Step. The old rows stay readable until then.
func (m *Mirror) Rebuild(ctx context.Context, objects ...string) error {
	m.work.Lock()
	defer m.work.Unlock()
	if err := m.load(ctx); err != nil {
		return err
	}
	var head change.Position
	if len(objects) == 0 {
		var err error
		if head, err = m.c.Log.Head(ctx); err != nil {
			return fmt.Errorf("read head of changes: %w", err)
		}
	}
	err := m.c.DB.Write(ctx, func(tx analytics.Tx) error {
		if len(objects) == 0 { // the fill brings everything up to the head
			if _, err := tx.Exec(ctx, dropObjects); err != nil {
				return err
			}
			return setPosition(ctx, tx, head)
		}
		for _, o := range slices.Sorted(slices.Values(objects)) {
			if _, err := tx.Exec(ctx, dropObject, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark for rebuild: %w", err)
	}
	m.mu.Lock()
	m.filled = false
	if len(objects) == 0 {
		m.position = head
	}
	m.mu.Unlock()
	return nil
}

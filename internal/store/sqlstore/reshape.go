package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/reshape"
)

// Reshape implements reshape.Store.
type Reshape struct{ store *Store }

var _ reshape.Store = (*Reshape)(nil)

// NewReshape keeps long work on the shape of records in a Store.
func NewReshape(s *Store) *Reshape { return &Reshape{store: s} }

const (
	workColumns = "id, kind, object, target, state, spec, seen, total, found, pass, after_id, error, created_by, created_at, ended_at"
	workFind    = "SELECT " + workColumns + " FROM shape_work WHERE id = ?"
	workList    = "SELECT " + workColumns + " FROM shape_work WHERE object = ? ORDER BY id DESC LIMIT ?"
	workPending = "SELECT " + workColumns + " FROM shape_work WHERE state IN ('queued', 'running') ORDER BY id"
	workPut     = "UPDATE shape_work SET state = ?, spec = ?, seen = ?, total = ?, found = ?, pass = ?, after_id = ?, error = ?, ended_at = ? WHERE id = ? AND state = ?"
	workLeft    = "SELECT record_id, other_id FROM shape_left WHERE work = ? AND record_id > ? ORDER BY record_id LIMIT ?"
	workFound   = "INSERT INTO shape_left (work, record_id, other_id) VALUES (?, ?, ?) ON CONFLICT (work, record_id) DO NOTHING"
	workForget  = "DELETE FROM shape_left WHERE work = ?"
)

func scanWork(r *sql.Rows) (w reshape.Work, err error) {
	var key, after, by, made, ended int64
	var kind, state string
	err = r.Scan(&key, &kind, &w.Object, &w.Target, &state, &w.Spec, &w.Seen, &w.Total, &w.Found, &w.Pass, &after, &w.Error, &by, &made, &ended)
	w.ID, w.Kind, w.State, w.After, w.By = id.ID(key), reshape.Kind(kind), reshape.State(state), id.ID(after), id.ID(by)
	w.CreatedAt = time.UnixMilli(made).UTC()
	if ended != 0 {
		w.EndedAt = time.UnixMilli(ended).UTC()
	}
	return w, err
}

func (s *Reshape) works(ctx context.Context, q string, args ...any) (out []reshape.Work, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			w, err := scanWork(r)
			out = append(out, w)
			return err
		}, q, args...)
	})
	return out, err
}

// Add implements reshape.Store.
func (s *Reshape) Add(ctx context.Context, w reshape.Work) error {
	return s.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, "INSERT INTO shape_work ("+workColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", int64(w.ID), string(w.Kind), w.Object, w.Target,
			string(w.State), w.Spec, w.Seen, w.Total, w.Found, w.Pass, int64(w.After), w.Error, int64(w.By), w.CreatedAt.UnixMilli())
		return err
	})
}

// Find implements reshape.Store.
func (s *Reshape) Find(ctx context.Context, v id.ID) (reshape.Work, bool, error) {
	list, err := s.works(ctx, workFind, int64(v))
	if err != nil || len(list) == 0 {
		return reshape.Work{}, false, err
	}
	return list[0], true, nil
}

// List implements reshape.Store.
func (s *Reshape) List(ctx context.Context, object string, limit int) ([]reshape.Work, error) {
	return s.works(ctx, workList, object, int64(limit))
}

// Pending implements reshape.Store.
func (s *Reshape) Pending(ctx context.Context) ([]reshape.Work, error) {
	return s.works(ctx, workPending)
}

// Step implements reshape.Store.
func (s *Reshape) Step(ctx context.Context, w reshape.Work, found []reshape.Left) (ok bool, err error) {
	err = s.store.Write(Bulk(ctx), func(c Conn) error {
		if ok, err = putWork(ctx, c, w, reshape.Running); err != nil || !ok {
			return err
		}
		for _, l := range found {
			if _, err := c.Exec(ctx, workFound, int64(w.ID), int64(l.Record), int64(l.Other)); err != nil {
				return err
			}
		}
		return nil
	})
	return ok, err
}

// Move implements reshape.Store.
func (s *Reshape) Move(ctx context.Context, w reshape.Work, from reshape.State) (ok bool, err error) {
	err = s.store.Write(ctx, func(c Conn) error {
		ok, err = putWork(ctx, c, w, from)
		return err
	})
	return ok, err
}

func putWork(ctx context.Context, c Conn, w reshape.Work, from reshape.State) (bool, error) {
	ended := int64(0)
	if !w.EndedAt.IsZero() {
		ended = w.EndedAt.UnixMilli()
	}
	n, err := c.Exec(ctx, workPut, string(w.State), w.Spec, w.Seen, w.Total, w.Found, w.Pass, int64(w.After), w.Error, ended, int64(w.ID), string(from))
	return n == 1, err
}

// Left implements reshape.Store.
func (s *Reshape) Left(ctx context.Context, work, after id.ID, limit int) (out []reshape.Left, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var rec, other int64
			err := r.Scan(&rec, &other)
			out = append(out, reshape.Left{Record: id.ID(rec), Other: id.ID(other)})
			return err
		}, workLeft, int64(work), int64(after), int64(limit))
	})
	return out, err
}

// Forget implements reshape.Store.
func (s *Reshape) Forget(ctx context.Context, work id.ID) error {
	return s.store.Write(Bulk(ctx), func(c Conn) error {
		_, err := c.Exec(ctx, workForget, int64(work))
		return err
	})
}

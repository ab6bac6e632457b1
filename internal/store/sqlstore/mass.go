package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
)

// Mass implements mass.Store.
type Mass struct{ store *Store }

var _ mass.Store = (*Mass)(nil)

// NewMass keeps bulk work in a Store.
func NewMass(s *Store) *Mass { return &Mass{store: s} }

const (
	massColumns = "id, kind, object, lane, status, spec, progress, result, error, resume, by_kind, created_by, created_at, started_at, finished_at, updated_at, expires_at"
	massInsert  = "INSERT INTO mass_job (" + massColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	massUpdate  = "UPDATE mass_job SET lane = ?, status = ?, spec = ?, progress = ?, result = ?, error = ?, resume = ?, started_at = ?, finished_at = ?, updated_at = ?, expires_at = ? WHERE id = ? AND status = ?"
	massMove    = "UPDATE mass_job SET progress = ?, result = ?, resume = ?, updated_at = ? WHERE id = ? AND status = ?"
	massGet     = "SELECT " + massColumns + " FROM mass_job WHERE id = ?"
	massPartPut = "INSERT INTO mass_part (job, number, keys) VALUES (?, ?, ?)"
	massPartGet = "SELECT keys FROM mass_part WHERE job = ? AND number = ?"
	massErrors  = "SELECT record_id, version, field, code, params FROM mass_error WHERE job = ? AND phase = ? AND record_id > ? ORDER BY record_id LIMIT ?"
)

func massTexts(j *mass.Job) (out [5]any, err error) {
	for i, v := range []any{j.Spec, j.Progress, j.Result, toProblem(j.Error), j.State} {
		if out[i], err = jsonText(v); err != nil {
			return out, fmt.Errorf("encode bulk work: %w", err)
		}
	}
	return out, nil
}

// SaveJob implements mass.Store.
func (s *Mass) SaveJob(ctx context.Context, j *mass.Job, expect mass.Status) error {
	t, err := massTexts(j)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(c Conn) error {
		if expect == "" {
			_, err := c.Exec(ctx, massInsert, int64(j.ID), string(j.Kind), j.Object, int64(j.Lane), string(j.Status), t[0], t[1], t[2], t[3], t[4], string(j.ByKind),
				int64(j.CreatedBy), msOf(j.CreatedAt), msOf(j.StartedAt), msOf(j.FinishedAt), msOf(j.UpdatedAt), msOf(j.ExpiresAt))
			return err
		}
		n, err := c.Exec(ctx, massUpdate, int64(j.Lane), string(j.Status), t[0], t[1], t[2], t[3], t[4], msOf(j.StartedAt), msOf(j.FinishedAt), msOf(j.UpdatedAt),
			msOf(j.ExpiresAt), int64(j.ID), string(expect))
		if err == nil && n == 0 {
			err = massChanged(j.ID)
		}
		return err
	})
}

func massChanged(v id.ID) error {
	return fault.New(fault.Conflict, "mass.state_changed", fault.Params{"id": id.Format(mass.Prefix, v)})
}

func scanMass(r *sql.Rows) (*mass.Job, error) {
	j := &mass.Job{}
	var rec, lane, by, created, started, finished, updated, expires int64
	var kind, status, byKind, spec, progress, result, state string
	var bad sql.NullString
	err := r.Scan(&rec, &kind, &j.Object, &lane, &status, &spec, &progress, &result, &bad, &state, &byKind, &by, &created, &started, &finished, &updated, &expires)
	if err != nil {
		return nil, err
	}
	var p *problem
	for text, to := range map[*string]any{&spec: &j.Spec, &progress: &j.Progress, &result: &j.Result, &bad.String: &p, &state: &j.State} {
		if *text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(*text), to); err != nil {
			return nil, fmt.Errorf("decode bulk work: %w", err)
		}
	}
	j.ID, j.Kind, j.Lane, j.Status, j.Error = id.ID(rec), mass.Kind(kind), mass.Lane(lane), mass.Status(status), p.fault()
	j.CreatedBy, j.ByKind = id.ID(by), access.ActorKind(byKind)
	j.CreatedAt, j.StartedAt, j.FinishedAt, j.UpdatedAt, j.ExpiresAt = timeOf(created), timeOf(started), timeOf(finished), timeOf(updated), timeOf(expires)
	return j, nil
}

func (s *Mass) jobs(ctx context.Context, q string, args ...any) (out []*mass.Job, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			j, err := scanMass(r)
			out = append(out, j)
			return err
		}, q, args...)
	})
	return out, err
}

// GetJob implements mass.Store.
func (s *Mass) GetJob(ctx context.Context, v id.ID) (*mass.Job, error) {
	list, err := s.jobs(ctx, massGet, int64(v))
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "mass.not_found", fault.Params{"id": id.Format(mass.Prefix, v)})
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// ListJobs implements mass.Store.
func (s *Mass) ListJobs(ctx context.Context, f mass.Filter) ([]*mass.Job, error) {
	where, args := []string{"TRUE"}, []any{}
	add := func(is bool, text string, values ...any) {
		if is {
			where, args = append(where, text), append(args, values...)
		}
	}
	add(f.ByKind != "", "created_by = ? AND by_kind = ?", int64(f.By), string(f.ByKind))
	add(f.Kind != "", "kind = ?", string(f.Kind))
	add(f.OneLane, "lane = ?", int64(f.Lane))
	add(f.Before != 0, "id < ?", int64(f.Before))
	if f.Statuses != nil {
		texts := make([]any, len(f.Statuses))
		for i, st := range f.Statuses {
			texts[i] = string(st)
		}
		add(true, "status IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(texts)), ", ")+")", texts...)
	}
	return s.jobs(ctx, "SELECT "+massColumns+" FROM mass_job WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
}

// Commit implements mass.Store.
func (s *Mass) Commit(ctx context.Context, rt record.Tx, m *mass.Commit) error {
	if t, ok := rt.(*tx); ok {
		return s.commit(ctx, t.c, m)
	}
	return s.store.Write(Bulk(ctx), func(c Conn) error { return s.commit(ctx, c, m) })
}

func (s *Mass) commit(ctx context.Context, c Conn, m *mass.Commit) error {
	var texts [3]string
	for i, v := range []any{m.Progress, m.Result, m.State} {
		var err error
		if texts[i], err = jsonText(v); err != nil {
			return err
		}
	}
	n, err := c.Exec(ctx, massMove, texts[0], texts[1], texts[2], msOf(m.At), int64(m.Job), string(m.Expect))
	if err != nil {
		return err
	}
	if n == 0 {
		return massChanged(m.Job)
	}
	stmt := [2]string{"INSERT INTO mass_error (job, phase, record_id, version, field, code, params) VALUES ",
		" ON CONFLICT (job, phase, record_id) DO UPDATE SET version = excluded.version, field = excluded.field, code = excluded.code, params = excluded.params"}
	return many(ctx, c, len(m.Errors), stmt, 7, func(i int, dst []any) {
		e := &m.Errors[i]
		dst[0], dst[1], dst[2], dst[3], dst[4], dst[5], dst[6] = int64(m.Job), int64(e.Phase), int64(e.Record), e.Version, e.Field, e.Code, nil
		if p := transfer.EncodeParams(e.Params); p != nil {
			dst[6] = string(p)
		}
	})
}

// PutPart implements mass.Store.
func (s *Mass) PutPart(ctx context.Context, job id.ID, number int64, keys []record.Key) error {
	b := make([]byte, 0, 16*len(keys))
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, uint64(k.ID))      //nolint:gosec // ids are positive
		b = binary.BigEndian.AppendUint64(b, uint64(k.Version)) //nolint:gosec // versions are positive
	}
	return s.store.Write(Bulk(ctx), func(c Conn) error {
		_, err := c.Exec(ctx, massPartPut, int64(job), number, b)
		return err
	})
}

// Part implements mass.Store.
func (s *Mass) Part(ctx context.Context, job id.ID, number int64) (keys []record.Key, err error) {
	var b []byte
	err = s.store.Read(ctx, func(c Conn) error {
		found, err := c.QueryRow(ctx, []any{&b}, massPartGet, int64(job), number)
		if err == nil && !found {
			err = fault.New(fault.Internal, "mass.part_missing", nil)
		}
		return err
	})
	for ; len(b) >= 16; b = b[16:] {
		keys = append(keys, record.Key{ID: id.ID(binary.BigEndian.Uint64(b)), Version: int64(binary.BigEndian.Uint64(b[8:]))}) //nolint:gosec // written by PutPart
	}
	return keys, err
}

// DropParts implements mass.Store.
func (s *Mass) DropParts(ctx context.Context, job id.ID) error {
	return s.store.Write(Bulk(ctx), func(c Conn) error {
		_, err := c.Exec(ctx, "DELETE FROM mass_part WHERE job = ?", int64(job))
		return err
	})
}

// Errors implements mass.Store.
func (s *Mass) Errors(ctx context.Context, job id.ID, phase int, after id.ID, limit int) (out []mass.RecordError, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			e := mass.RecordError{Phase: phase}
			var params sql.NullString
			if err := r.Scan((*int64)(&e.Record), &e.Version, &e.Field, &e.Code, &params); err != nil {
				return err
			}
			e.Params = transfer.DecodeParams([]byte(params.String))
			out = append(out, e)
			return nil
		}, massErrors, int64(job), int64(phase), int64(after), limit)
	})
	return out, err
}

// Made implements mass.Store.
func (s *Mass) Made(ctx context.Context, batch id.ID, object string, ids []id.ID) (out []change.Row, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		d := c.Dialect()
		q := "SELECT " + d.ChangeColumns() + " FROM change WHERE " + d.In("record_id") + " AND object = ? AND batch_id = ? ORDER BY " + d.ChangeOrder(false)
		out, err = readChanges(ctx, c, q, d.IDList(plain(ids)), object, int64(batch))
		return err
	})
	return out, err
}

// DropJobs implements mass.Store.
func (s *Mass) DropJobs(ctx context.Context, before time.Time) (gone []id.ID, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		gone = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			var v int64
			err := r.Scan(&v)
			gone = append(gone, id.ID(v))
			return err
		}, "SELECT id FROM mass_job WHERE updated_at < ? AND status NOT IN ('collecting', 'running', 'undoing') ORDER BY id LIMIT 200", msOf(before))
	})
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(gone, 20) {
		err := s.store.Write(Bulk(ctx), func(c Conn) error {
			for _, v := range part {
				for _, q := range []string{"DELETE FROM mass_part WHERE job = ?", "DELETE FROM mass_error WHERE job = ?", "DELETE FROM mass_job WHERE id = ?"} {
					if _, err := c.Exec(ctx, q, int64(v)); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return gone, nil
}

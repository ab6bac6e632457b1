package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/segment"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Segments implements segment.Store.
type Segments struct {
	store *Store
	zone  func() *time.Location
}

var _ segment.Store = (*Segments)(nil)

// NewSegments keeps segments in a Store; zone dates their history.
func NewSegments(s *Store, zone func() *time.Location) *Segments {
	return &Segments{store: s, zone: zone}
}

const (
	segmentColumns = "key, label, description, kind, condition, version, size, size_at, broken, created_at, created_by, updated_at"
	segmentList    = "SELECT " + segmentColumns + " FROM segment ORDER BY label, key"
	segmentFind    = "SELECT " + segmentColumns + " FROM segment WHERE key = ?"
	segmentInsert  = "INSERT INTO segment (" + segmentColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
	segmentUpdate  = "UPDATE segment SET label = ?, description = ?, kind = ?, condition = ?, version = ?, broken = ?, updated_at = ? WHERE key = ? AND version = ?"
	segmentSize    = "UPDATE segment SET size = ?, size_at = ? WHERE key = ?"
	segmentBroken  = "UPDATE segment SET broken = ? WHERE key = ?"
	segmentDelete  = "DELETE FROM segment WHERE key = ?"
	segmentForget  = "DELETE FROM segment_history WHERE segment_key = ?"
	segmentEmpty   = "DELETE FROM segment_static_member WHERE segment_key = ?"
	segmentPoint   = "INSERT INTO segment_history (segment_key, at, day, size, entered, departed) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (segment_key, at) DO UPDATE SET size = excluded.size, entered = excluded.entered, departed = excluded.departed"
	segmentPoints  = "SELECT at, size, entered, departed FROM segment_history WHERE segment_key = ? ORDER BY at DESC LIMIT ?"
	segmentMembers = "SELECT customer_id FROM segment_static_member WHERE segment_key = ? AND customer_id > ? ORDER BY customer_id LIMIT ?"
)

func scanSegment(rows *sql.Rows) (segment.Segment, error) {
	var s segment.Segment
	var where sql.NullString
	var sizeAt, created, updated, by int64
	err := rows.Scan(&s.Key, &s.Label, &s.Description, &s.Kind, &where, &s.Version, &s.Size, &sizeAt, &s.Broken, &created, &by, &updated)
	if err != nil {
		return s, err
	}
	s.CreatedAt, s.UpdatedAt, s.CreatedBy = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC(), id.ID(by)
	if sizeAt > 0 {
		s.SizeAt = time.UnixMilli(sizeAt).UTC()
	}
	if where.Valid {
		if s.Where, err = query.Parse([]byte(where.String)); err != nil {
			s.Broken = fault.CodeOf(err)
			err = nil
		}
	}
	return s, err
}

// List implements segment.Store.
func (g *Segments) List(ctx context.Context) ([]segment.Segment, error) {
	var out []segment.Segment
	err := g.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			s, err := scanSegment(rows)
			out = append(out, s)
			return err
		}, segmentList)
	})
	return out, err
}

// Find implements segment.Store.
func (g *Segments) Find(ctx context.Context, key string) (seg segment.Segment, ok bool, err error) {
	err = g.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(rows *sql.Rows) (err error) {
			seg, err = scanSegment(rows)
			ok = true
			return err
		}, segmentFind, key)
	})
	return seg, ok, err
}

// Insert implements segment.Store.
func (g *Segments) Insert(ctx context.Context, s segment.Segment) error {
	return g.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, segmentInsert, s.Key, s.Label, s.Description, string(s.Kind), string(s.Raw()), s.Version, int64(s.Size),
			milli(s.SizeAt), s.Broken, milli(s.CreatedAt), int64(s.CreatedBy), milli(s.UpdatedAt))
		if err == nil && n == 0 {
			return &fault.Fault{Kind: fault.Conflict, Code: "segment.key_taken", Field: "key", Params: fault.Params{"key": s.Key}}
		}
		return err
	})
}

// Update implements segment.Store.
func (g *Segments) Update(ctx context.Context, s segment.Segment) error {
	return g.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, segmentUpdate, s.Label, s.Description, string(s.Kind), string(s.Raw()), s.Version, s.Broken, milli(s.UpdatedAt), s.Key, s.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "segment.stale", fault.Params{"key": s.Key})
		}
		return err
	})
}

// Delete implements segment.Store.
func (g *Segments) Delete(ctx context.Context, key string) error {
	return g.store.Write(ctx, func(c Conn) error {
		for _, stmt := range []string{segmentEmpty, segmentForget, segmentDelete} {
			if _, err := c.Exec(ctx, stmt, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// SaveSize implements segment.Store.
func (g *Segments) SaveSize(ctx context.Context, key string, p segment.Point) error {
	return g.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, segmentSize, int64(p.Size), milli(p.At), key); err != nil {
			return err
		}
		day := int64(clock.DayOf(p.At, g.zone()))
		_, err := c.Exec(ctx, segmentPoint, key, milli(p.At), day, int64(p.Size), int64(p.Entered), int64(p.Left))
		return err
	})
}

// SetBroken implements segment.Store.
func (g *Segments) SetBroken(ctx context.Context, key, code string) error {
	return g.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, segmentBroken, code, key)
		return err
	})
}

// History implements segment.Store.
func (g *Segments) History(ctx context.Context, key string, limit int) ([]segment.Point, error) {
	var out []segment.Point
	err := g.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var p segment.Point
			var at int64
			if err := rows.Scan(&at, &p.Size, &p.Entered, &p.Left); err != nil {
				return err
			}
			p.At = time.UnixMilli(at).UTC()
			out = append(out, p)
			return nil
		}, segmentPoints, key, int64(limit))
	})
	return out, err
}

// SetMembers implements segment.Store.
func (g *Segments) SetMembers(ctx context.Context, key string, ids []id.ID) error {
	return g.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, segmentEmpty, key); err != nil {
			return err
		}
		now := g.store.clock.Now().UnixMilli()
		return c.InsertMany(ctx, "segment_static_member", []string{"segment_key", "customer_id", "since_at"}, len(ids), func(i int, dst []any) {
			dst[0], dst[1], dst[2] = key, int64(ids[i]), now
		})
	})
}

// Members implements segment.Store.
func (g *Segments) Members(ctx context.Context, key string, after id.ID, limit int) ([]id.ID, error) {
	var out []id.ID
	err := g.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var v int64
			err := rows.Scan(&v)
			out = append(out, id.ID(v))
			return err
		}, segmentMembers, key, int64(after), int64(limit))
	})
	return out, err
}

// milli is an instant as it is stored, 0 for none.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

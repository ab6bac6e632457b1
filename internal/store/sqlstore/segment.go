package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
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
	segmentColumns = "key, label, description, folder, kind, condition, version, size, size_at, broken, created_at, created_by, updated_at, deleted_at, checked_at, differing"
	segmentList    = "SELECT " + segmentColumns + " FROM segment WHERE deleted_at = 0 ORDER BY label, key"
	segmentTrashed = "SELECT " + segmentColumns + " FROM segment WHERE deleted_at > 0 ORDER BY deleted_at DESC, key"
	segmentFind    = "SELECT " + segmentColumns + " FROM segment WHERE key = ? AND deleted_at = 0"
	segmentInsert  = "INSERT INTO segment (" + segmentColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
	segmentUpdate  = "UPDATE segment SET label = ?, description = ?, folder = ?, kind = ?, condition = ?, version = ?, broken = ?, updated_at = ? WHERE key = ? AND version = ?"
	segmentBin     = "UPDATE segment SET deleted_at = ? WHERE key = ?"
	segmentChecked = "UPDATE segment SET checked_at = ?, differing = ? WHERE key = ?"
	segmentMoves   = "DELETE FROM segment_passage WHERE segment_key = ?"
	passageColumns = "customer_id, segment_key, at, entered, cause, leaf"
	passagesOf     = "SELECT " + passageColumns + " FROM segment_passage WHERE customer_id = ? AND at <= ? ORDER BY at DESC, segment_key LIMIT ?"
	passagesIn     = "SELECT " + passageColumns + " FROM segment_passage WHERE segment_key = ? ORDER BY at DESC, customer_id LIMIT ?"
	passagesSince  = "SELECT customer_id, entered FROM segment_passage WHERE segment_key = ? AND at >= ? AND {customers} ORDER BY at"
	segmentSize    = "UPDATE segment SET size = ?, size_at = ? WHERE key = ?"
	segmentBroken  = "UPDATE segment SET broken = ? WHERE key = ?"
	segmentDelete  = "DELETE FROM segment WHERE key = ?"
	segmentForget  = "DELETE FROM segment_history WHERE segment_key = ?"
	segmentEmpty   = "DELETE FROM segment_static_member WHERE segment_key = ?"
	segmentPoint   = "INSERT INTO segment_history (segment_key, at, day, size, entered, departed) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (segment_key, at) DO UPDATE SET size = excluded.size, entered = segment_history.entered + excluded.entered, departed = segment_history.departed + excluded.departed"
	segmentPoints  = "SELECT at, size, entered, departed FROM segment_history WHERE segment_key = ? ORDER BY at DESC LIMIT ?"
	// Few customers are merged, whatever the length of a list.
	segmentMerged   = "SELECT r.record_id FROM record_merged r JOIN segment_static_member m ON m.customer_id = r.record_id WHERE r.object = 'customer' AND m.segment_key = ?"
	segmentMergedOn = "SELECT m.segment_key, count(*), max(r.merge), min(r.merge) FROM record_merged r JOIN segment_static_member m ON m.customer_id = r.record_id WHERE r.object = 'customer' GROUP BY m.segment_key"
	segmentMembers  = "SELECT customer_id FROM segment_static_member WHERE segment_key = ? AND customer_id > ? ORDER BY customer_id LIMIT ?"
)

func scanSegment(rows *sql.Rows) (segment.Segment, error) {
	var s segment.Segment
	var where sql.NullString
	var sizeAt, created, updated, by, deleted, checked int64
	err := rows.Scan(&s.Key, &s.Label, &s.Description, &s.Folder, &s.Kind, &where, &s.Version, &s.Size, &sizeAt, &s.Broken, &created, &by, &updated, &deleted, &checked, &s.Differing)
	if err != nil {
		return s, err
	}
	s.CreatedAt, s.UpdatedAt, s.CreatedBy = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC(), id.ID(by)
	for _, v := range []struct {
		from int64
		to   *time.Time
	}{{sizeAt, &s.SizeAt}, {deleted, &s.DeletedAt}, {checked, &s.CheckedAt}} {
		if v.from > 0 {
			*v.to = time.UnixMilli(v.from).UTC()
		}
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
	return g.all(ctx, segmentList)
}

// Trashed implements segment.Store.
func (g *Segments) Trashed(ctx context.Context) ([]segment.Segment, error) {
	return g.all(ctx, segmentTrashed)
}

func (g *Segments) all(ctx context.Context, text string) ([]segment.Segment, error) {
	var out []segment.Segment
	err := g.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			s, err := scanSegment(rows)
			out = append(out, s)
			return err
		}, text)
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
		n, err := c.Exec(ctx, segmentInsert, s.Key, s.Label, s.Description, s.Folder, string(s.Kind), string(s.Raw()), s.Version, int64(s.Size),
			milli(s.SizeAt), s.Broken, milli(s.CreatedAt), int64(s.CreatedBy), milli(s.UpdatedAt), milli(s.DeletedAt), milli(s.CheckedAt), int64(s.Differing))
		if err == nil && n == 0 {
			return &fault.Fault{Kind: fault.Conflict, Code: "segment.key_taken", Field: "key", Params: fault.Params{"key": s.Key}}
		}
		return err
	})
}

// Update implements segment.Store.
func (g *Segments) Update(ctx context.Context, s segment.Segment) error {
	return g.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, segmentUpdate, s.Label, s.Description, s.Folder, string(s.Kind), string(s.Raw()), s.Version, s.Broken, milli(s.UpdatedAt), s.Key, s.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "segment.stale", fault.Params{"key": s.Key})
		}
		return err
	})
}

// Delete implements segment.Store.
func (g *Segments) Delete(ctx context.Context, key string) error {
	return g.store.Write(ctx, func(c Conn) error {
		for _, stmt := range []string{segmentEmpty, segmentForget, segmentMoves, segmentDelete} {
			if _, err := c.Exec(ctx, stmt, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// Trash implements segment.Store.
func (g *Segments) Trash(ctx context.Context, key string, at time.Time) error {
	return g.exec(ctx, segmentBin, milli(at), key)
}

// Restore implements segment.Store.
func (g *Segments) Restore(ctx context.Context, key string) error {
	return g.exec(ctx, segmentBin, int64(0), key)
}

// SetChecked implements segment.Store.
func (g *Segments) SetChecked(ctx context.Context, key string, at time.Time, differing int) error {
	return g.exec(ctx, segmentChecked, milli(at), int64(differing), key)
}

func (g *Segments) exec(ctx context.Context, text string, args ...any) error {
	return g.store.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, text, args...)
		return err
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
	return g.exec(ctx, segmentBroken, code, key)
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
func (g *Segments) Members(ctx context.Context, key string, after id.ID, limit int) (out []id.ID, err error) {
	err = g.store.Read(ctx, func(c Conn) error {
		if out, err = customersOf(ctx, c, segmentMembers, key, int64(after), int64(limit)); err != nil {
			return err
		}
		gone, err := customersOf(ctx, c, segmentMerged, key)
		if err != nil || len(gone) == 0 {
			return err
		}
		now, err := mergedAway(ctx, c)
		if err != nil {
			return err
		}
		last := id.ID(math.MaxInt64)
		if len(out) == limit {
			last = out[len(out)-1]
		}
		for _, v := range gone {
			if to := now[v]; to > after && to <= last {
				out = append(out, to)
			}
		}
		slices.Sort(out)
		out = slices.Compact(out)
		out = out[:min(limit, len(out))]
		return nil
	})
	return out, err
}

func customersOf(ctx context.Context, c Conn, q string, args ...any) (out []id.ID, err error) {
	err = Each(ctx, c, func(rows *sql.Rows) error {
		var v int64
		err := rows.Scan(&v)
		out = append(out, id.ID(v))
		return err
	}, q, args...)
	return out, err
}

// MergedOn implements segment.Store.
func (g *Segments) MergedOn(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := g.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(rows *sql.Rows) error {
			var key string
			var n, last, first int64
			err := rows.Scan(&key, &n, &last, &first)
			out[key] = fmt.Sprint(n, " ", last, " ", first)
			return err
		}, segmentMergedOn)
	})
	return out, err
}

// passageBatch is how many passages are looked up at a time.
const passageBatch = 500

// AppendPassages implements segment.Store.
func (g *Segments) AppendPassages(ctx context.Context, since time.Time, moves []segment.Passage) error {
	if len(moves) == 0 {
		return nil
	}
	columns := []string{"customer_id", "segment_key", "at", "day", "entered", "cause", "leaf"}
	return g.store.Write(Bulk(ctx), func(c Conn) error {
		last := make(map[id.ID]bool, len(moves))
		for part := range slices.Chunk(moves, passageBatch) {
			ids := make([]int64, len(part))
			for i := range part {
				ids[i] = int64(part[i].Customer)
			}
			d := c.Dialect()
			err := Each(ctx, c, func(rows *sql.Rows) error {
				var customer int64
				var entered int64
				err := rows.Scan(&customer, &entered)
				last[id.ID(customer)] = entered == 1
				return err
			}, strings.Replace(passagesSince, "{customers}", d.In("customer_id"), 1), part[0].Segment, milli(since), d.IDList(ids))
			if err != nil {
				return err
			}
		}
		fresh := make([]segment.Passage, 0, len(moves))
		for _, m := range moves {
			if was, told := last[m.Customer]; !told || was != m.Entered {
				fresh = append(fresh, m)
			}
		}
		return c.InsertMany(ctx, "segment_passage", columns, len(fresh), func(i int, dst []any) {
			m := fresh[i]
			dst[0], dst[1], dst[2], dst[3] = int64(m.Customer), m.Segment, milli(m.At), int64(clock.DayOf(m.At, g.zone()))
			dst[4], dst[5], dst[6] = int64(0), string(m.Cause), nil
			if m.Entered {
				dst[4] = int64(1)
			}
			if m.Leaf != nil {
				dst[6] = asJSON(m.Leaf)
			}
		})
	})
}

// PassagesOf implements segment.Store.
func (g *Segments) PassagesOf(ctx context.Context, customer id.ID, until time.Time, limit int) ([]segment.Passage, error) {
	return g.passages(ctx, passagesOf, int64(customer), milli(until), int64(limit))
}

// Passages implements segment.Store.
func (g *Segments) Passages(ctx context.Context, key string, limit int) ([]segment.Passage, error) {
	return g.passages(ctx, passagesIn, key, int64(limit))
}

func (g *Segments) passages(ctx context.Context, text string, args ...any) ([]segment.Passage, error) {
	var out []segment.Passage
	err := g.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var p segment.Passage
			var customer, at, entered int64
			var leaf sql.NullString
			if err := rows.Scan(&customer, &p.Segment, &at, &entered, &p.Cause, &leaf); err != nil {
				return err
			}
			p.Customer, p.At, p.Entered = id.ID(customer), time.UnixMilli(at).UTC(), entered == 1
			if leaf.Valid {
				if n, err := query.Parse([]byte(leaf.String)); err == nil {
					p.Leaf = n
				}
			}
			out = append(out, p)
			return nil
		}, text, args...)
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

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
)

// Classifications implements classify.Store.
type Classifications struct {
	store *Store
	zone  func() *time.Location
}

var _ classify.Store = (*Classifications)(nil)

// NewClassifications keeps classifications in a Store; zone dates their history.
func NewClassifications(s *Store, zone func() *time.Location) *Classifications {
	return &Classifications{store: s, zone: zone}
}

const (
	classificationColumns = "key, label, description, classes, version, updated_at"
	classificationList    = "SELECT " + classificationColumns + " FROM classification ORDER BY key"
	classificationFind    = "SELECT " + classificationColumns + " FROM classification WHERE key = ?"
	classificationInsert  = "INSERT INTO classification (" + classificationColumns + ", created_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
	classificationUpdate  = "UPDATE classification SET label = ?, description = ?, classes = ?, version = ?, updated_at = ? WHERE key = ? AND version = ?"
	classificationPoint   = "INSERT INTO classification_history (classification, at, day, reason, by_id, counts, moved) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (classification, at) DO UPDATE SET counts = excluded.counts, moved = excluded.moved"
	classificationPoints  = "SELECT at, reason, by_id, counts, moved FROM classification_history WHERE classification = ? ORDER BY at DESC LIMIT ?"
	transitionsOf         = "SELECT classification, from_key, to_key, at, reason FROM class_transition WHERE customer_id = ? AND at < ? ORDER BY at DESC LIMIT ?"
)

func scanClassification(rows *sql.Rows) (classify.Classification, error) {
	var c classify.Classification
	var label, description, classes string
	var updated int64
	if err := rows.Scan(&c.Key, &label, &description, &classes, &c.Version, &updated); err != nil {
		return c, err
	}
	c.UpdatedAt = time.UnixMilli(updated).UTC()
	for _, part := range []struct {
		text string
		into any
	}{{label, &c.Label}, {description, &c.Description}, {classes, &c.Classes}} {
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return c, fmt.Errorf("stored classification %s: %w", c.Key, err)
		}
	}
	return c, nil
}

// List implements classify.Store.
func (k *Classifications) List(ctx context.Context) ([]classify.Classification, error) {
	var out []classify.Classification
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			v, err := scanClassification(rows)
			out = append(out, v)
			return err
		}, classificationList)
	})
	return out, err
}

// Find implements classify.Store.
func (k *Classifications) Find(ctx context.Context, key string) (found classify.Classification, ok bool, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(rows *sql.Rows) (err error) {
			found, err = scanClassification(rows)
			ok = true
			return err
		}, classificationFind, key)
	})
	return found, ok, err
}

// Save implements classify.Store.
func (k *Classifications) Save(ctx context.Context, v classify.Classification) error {
	label, description, classes := asJSON(v.Label), asJSON(v.Description), asJSON(v.Classes)
	return k.store.Write(ctx, func(c Conn) error {
		var n int64
		var err error
		if v.Version == 1 {
			n, err = c.Exec(ctx, classificationInsert, v.Key, label, description, classes, v.Version, milli(v.UpdatedAt), milli(v.UpdatedAt))
		} else {
			n, err = c.Exec(ctx, classificationUpdate, label, description, classes, v.Version, milli(v.UpdatedAt), v.Key, v.Version-1)
		}
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "classify.stale", fault.Params{"key": v.Key})
		}
		return err
	})
}

// AppendPoint implements classify.Store.
func (k *Classifications) AppendPoint(ctx context.Context, key string, p classify.Point) error {
	return k.store.Write(ctx, func(c Conn) error {
		day := int64(clock.DayOf(p.At, k.zone()))
		_, err := c.Exec(ctx, classificationPoint, key, milli(p.At), day, p.Reason, int64(p.By), asJSON(p.Counts), int64(p.Moved))
		return err
	})
}

// Points implements classify.Store.
func (k *Classifications) Points(ctx context.Context, key string, limit int) ([]classify.Point, error) {
	var out []classify.Point
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var p classify.Point
			var at, by int64
			var counts string
			if err := rows.Scan(&at, &p.Reason, &by, &counts, &p.Moved); err != nil {
				return err
			}
			p.At, p.By = time.UnixMilli(at).UTC(), id.ID(by)
			out = append(out, p)
			return json.Unmarshal([]byte(counts), &out[len(out)-1].Counts)
		}, classificationPoints, key, int64(limit))
	})
	return out, err
}

// AppendMoves implements classify.Store.
func (k *Classifications) AppendMoves(ctx context.Context, moves []classify.Move) error {
	if len(moves) == 0 {
		return nil
	}
	columns := []string{"customer_id", "classification", "at", "day", "from_key", "to_key", "reason"}
	return k.store.Write(Bulk(ctx), func(c Conn) error {
		return c.InsertMany(ctx, "class_transition", columns, len(moves), func(i int, dst []any) {
			m := moves[i]
			dst[0], dst[1], dst[2], dst[3] = int64(m.Customer), m.Classification, milli(m.At), int64(clock.DayOf(m.At, k.zone()))
			dst[4], dst[5], dst[6] = m.From, m.To, m.Reason
		})
	})
}

// MovesOf are a customer's changes of class before an instant, newest first.
func (k *Classifications) MovesOf(ctx context.Context, customer id.ID, before time.Time, limit int) ([]classify.Move, error) {
	var out []classify.Move
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			m := classify.Move{Customer: customer}
			var at int64
			if err := rows.Scan(&m.Classification, &m.From, &m.To, &at, &m.Reason); err != nil {
				return err
			}
			m.At = time.UnixMilli(at).UTC()
			out = append(out, m)
			return nil
		}, transitionsOf, int64(customer), before.UnixMilli(), int64(limit))
	})
	return out, err
}

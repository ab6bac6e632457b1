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
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
)

// ComputedTraits implements trait.ComputedStore.
type ComputedTraits struct{ store *Store }

var _ trait.ComputedStore = (*ComputedTraits)(nil)

// NewComputedTraits keeps definitions of traits in a Store.
func NewComputedTraits(s *Store) *ComputedTraits { return &ComputedTraits{store: s} }

const (
	computedList   = "SELECT key, definition, place, version, created_at, created_by, updated_at, updated_by FROM computed_trait ORDER BY key"
	computedInsert = "INSERT INTO computed_trait (key, definition, place, version, created_at, created_by, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	computedUpdate = "UPDATE computed_trait SET definition = ?, place = ?, version = ?, updated_at = ?, updated_by = ? WHERE key = ? AND version = ?"
	computedDelete = "DELETE FROM computed_trait WHERE key = ? AND version = ?"
	passInsert     = "INSERT INTO trait_pass (at, kind, anchor, customers, took_ms, verified, differing) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at) DO NOTHING"
	passForget     = "DELETE FROM trait_pass WHERE at < ?"
	passList       = "SELECT at, kind, anchor, customers, took_ms, verified, differing FROM trait_pass ORDER BY at DESC LIMIT ?"
)

// passesFor is how long passes are remembered.
const passesFor = 180 * 24 * time.Hour

// ListComputed implements trait.ComputedStore.
func (k *ComputedTraits) ListComputed(ctx context.Context) ([]trait.Computed, error) {
	var out []trait.Computed
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var d trait.Computed
			var text string
			var place, created, by, updated, updater int64
			if err := rows.Scan(&d.Key, &text, &place, &d.Version, &created, &by, &updated, &updater); err != nil {
				return err
			}
			key := d.Key
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				return fmt.Errorf("stored trait %s: %w", key, err)
			}
			d.Key, d.Place, d.CreatedBy, d.UpdatedBy = key, int(place), id.ID(by), id.ID(updater)
			d.CreatedAt, d.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
			out = append(out, d)
			return nil
		}, computedList)
	})
	return out, err
}

// InsertComputed implements trait.ComputedStore.
func (k *ComputedTraits) InsertComputed(ctx context.Context, d trait.Computed) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, computedInsert, d.Key, string(text), int64(d.Place), d.Version, milli(d.CreatedAt), int64(d.CreatedBy), milli(d.UpdatedAt), int64(d.UpdatedBy))
		if err == nil && n == 0 {
			return &fault.Fault{Kind: fault.Conflict, Code: "trait.key_taken", Field: "key", Params: fault.Params{"key": d.Key}}
		}
		return err
	})
}

// UpdateComputed implements trait.ComputedStore.
func (k *ComputedTraits) UpdateComputed(ctx context.Context, d trait.Computed) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, computedUpdate, string(text), int64(d.Place), d.Version, milli(d.UpdatedAt), int64(d.UpdatedBy), d.Key, d.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "trait.stale", fault.Params{"key": d.Key})
		}
		return err
	})
}

// DeleteComputed implements trait.ComputedStore.
func (k *ComputedTraits) DeleteComputed(ctx context.Context, key string, version int64) error {
	return k.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, computedDelete, key, version)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "trait.stale", fault.Params{"key": key})
		}
		return err
	})
}

// SavePass implements trait.ComputedStore.
func (k *ComputedTraits) SavePass(ctx context.Context, p trait.PassRecord) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, passForget, milli(p.At.Add(-passesFor))); err != nil {
			return err
		}
		verified := int64(0)
		if p.Verified {
			verified = 1
		}
		_, err := c.Exec(ctx, passInsert, milli(p.At), p.Kind, int64(p.Anchor), p.Customers, p.Took.Milliseconds(), verified, p.Differing)
		return err
	})
}

// Passes implements trait.ComputedStore.
func (k *ComputedTraits) Passes(ctx context.Context, limit int) ([]trait.PassRecord, error) {
	var out []trait.PassRecord
	err := k.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(rows *sql.Rows) error {
			var p trait.PassRecord
			var at, anchor, took, verified int64
			if err := rows.Scan(&at, &p.Kind, &anchor, &p.Customers, &took, &verified, &p.Differing); err != nil {
				return err
			}
			p.At, p.Anchor, p.Took, p.Verified = time.UnixMilli(at).UTC(), clock.Day(anchor), time.Duration(took)*time.Millisecond, verified != 0 //nolint:gosec // a calendar day
			out = append(out, p)
			return nil
		}, passList, int64(limit))
	})
	return out, err
}

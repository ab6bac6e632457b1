package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
)

// Funnels implements web.Store: each funnel is a setting of the workspace of its own.
type Funnels struct{ store *Store }

var _ web.Store = Funnels{}

// NewFunnels keeps funnels in a workspace.
func NewFunnels(s *Store) Funnels { return Funnels{s} }

// funnelKeys begin with webFunnel; webFunnelEnd is what sorts right behind them.
const (
	webFunnel    = "web.funnel:"
	webFunnelEnd = "web.funnel;"

	funnelsRead  = "SELECT value FROM setting WHERE key >= ? AND key < ?"
	funnelAdd    = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
	funnelChange = "UPDATE setting SET value = ? WHERE key = ? AND value = ?"
)

func funnelKey(key id.ID) string { return webFunnel + id.Format("fun", key) }

// Funnels implements web.Store.
func (f Funnels) Funnels(ctx context.Context) ([]web.Saved, error) {
	out := []web.Saved{}
	err := f.store.Read(ctx, func(c Conn) error {
		return Each(ctx, c, func(r *sql.Rows) error {
			var text string
			if err := r.Scan(&text); err != nil {
				return err
			}
			var s web.Saved
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				return fmt.Errorf("stored funnel: %w", err)
			}
			out = append(out, s)
			return nil
		}, funnelsRead, webFunnel, webFunnelEnd)
	})
	slices.SortFunc(out, func(a, b web.Saved) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// PutFunnel implements web.Store.
func (f Funnels) PutFunnel(ctx context.Context, s web.Saved) (ok bool, err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return false, fmt.Errorf("funnel: %w", err)
	}
	key := funnelKey(s.ID)
	err = f.store.Write(ctx, func(c Conn) error {
		var n int64
		if s.Version == 1 {
			n, err = c.Exec(ctx, funnelAdd, key, string(text))
			ok = n == 1
			return err
		}
		var was string
		found, err := c.QueryRow(ctx, []any{&was}, settingRead, key)
		if err != nil || !found {
			return err
		}
		var had web.Saved
		if err := json.Unmarshal([]byte(was), &had); err != nil {
			return fmt.Errorf("stored funnel: %w", err)
		}
		if had.Version != s.Version-1 {
			return nil
		}
		n, err = c.Exec(ctx, funnelChange, string(text), key, was)
		ok = n == 1
		return err
	})
	return ok, err
}

// DropFunnel implements web.Store.
func (f Funnels) DropFunnel(ctx context.Context, key id.ID) (ok bool, err error) {
	err = f.store.Write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, settingDrop, funnelKey(key))
		ok = n == 1
		return err
	})
	return ok, err
}

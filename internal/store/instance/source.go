package instance

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
)

var _ event.SourceStore = (*Store)(nil)

const sourceColumns = "s.id, s.workspace, s.name, s.type, s.enabled, s.settings, s.version, s.created_at, s.updated_at"

func scanSource(scan func(...any) error) (v event.Source, err error) {
	var own, created, updated int64
	var settings string
	if err = scan(&own, &v.Workspace, &v.Name, &v.Type, &v.Enabled, &settings, &v.Version, &created, &updated); err != nil {
		return v, err
	}
	v.ID, v.CreatedAt, v.UpdatedAt = id.ID(own), at(created), at(updated)
	return v, json.Unmarshal([]byte(settings), &v.Settings)
}

// CreateSource implements event.SourceStore.
func (s *Store) CreateSource(ctx context.Context, v event.Source) error {
	settings, err := json.Marshal(v.Settings)
	if err != nil {
		return err
	}
	return s.tx(ctx, func(t *tx) error {
		_, err := t.exec("INSERT INTO event_source (id, workspace, name, type, enabled, settings, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			int64(v.ID), v.Workspace, v.Name, string(v.Type), v.Enabled, string(settings), v.Version, ms(v.CreatedAt), ms(v.UpdatedAt))
		if err != nil {
			return err
		}
		for _, k := range v.Keys {
			if err := t.addSourceKey(v.ID, k); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) addSourceKey(source id.ID, k event.Key) error {
	_, err := t.exec("INSERT INTO event_source_key (hash, source, hint, created_at, expires_at) VALUES (?, ?, ?, ?, ?)", k.Hash, int64(source), k.Hint, ms(k.CreatedAt), ms(k.ExpiresAt))
	return err
}

// UpdateSource implements event.SourceStore.
func (s *Store) UpdateSource(ctx context.Context, v event.Source, version int64) (bool, error) {
	settings, err := json.Marshal(v.Settings)
	if err != nil {
		return false, err
	}
	n, err := s.on(ctx).exec("UPDATE event_source SET name = ?, enabled = ?, settings = ?, version = ?, updated_at = ? WHERE id = ? AND workspace = ? AND version = ?",
		v.Name, v.Enabled, string(settings), v.Version, ms(v.UpdatedAt), int64(v.ID), v.Workspace, version)
	return n > 0, err
}

// DeleteSource implements event.SourceStore.
func (s *Store) DeleteSource(ctx context.Context, workspace string, source id.ID) error {
	return s.tx(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM event_source WHERE id = ? AND workspace = ?", int64(source), workspace)
		if err != nil || n == 0 {
			return err
		}
		_, err = t.exec("DELETE FROM event_source_key WHERE source = ?", int64(source))
		return err
	})
}

// Sources implements event.SourceStore.
func (s *Store) Sources(ctx context.Context, workspace string) ([]event.Source, error) {
	list, err := collect(s.on(ctx), scanSource, "SELECT "+sourceColumns+" FROM event_source s WHERE s.workspace = ? ORDER BY s.id", workspace)
	if err != nil {
		return nil, err
	}
	type owned struct {
		source id.ID
		key    event.Key
	}
	keys, err := collect(s.on(ctx), func(scan func(...any) error) (k owned, err error) {
		var source, created, expires int64
		err = scan(&source, &k.key.Hash, &k.key.Hint, &created, &expires)
		k.source, k.key.CreatedAt, k.key.ExpiresAt = id.ID(source), at(created), at(expires)
		return k, err
	}, "SELECT k.source, k.hash, k.hint, k.created_at, k.expires_at FROM event_source_key k JOIN event_source s ON s.id = k.source WHERE s.workspace = ? ORDER BY k.created_at DESC, k.hash", workspace)
	for i := range list {
		for _, k := range keys {
			if k.source == list[i].ID {
				list[i].Keys = append(list[i].Keys, k.key)
			}
		}
	}
	return list, err
}

// RotateSource implements event.SourceStore.
func (s *Store) RotateSource(ctx context.Context, source id.ID, k event.Key, old time.Time) error {
	return s.tx(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM event_source_key WHERE source = ? AND expires_at > 0 AND expires_at <= ?", int64(source), ms(k.CreatedAt)); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE event_source_key SET expires_at = ? WHERE source = ? AND (expires_at = 0 OR expires_at > ?)", ms(old), int64(source), ms(old)); err != nil {
			return err
		}
		return t.addSourceKey(source, k)
	})
}

// SourceByKey implements event.SourceStore.
func (s *Store) SourceByKey(ctx context.Context, hash string, now time.Time) (event.Source, bool, error) {
	list, err := collect(s.on(ctx), scanSource, "SELECT "+sourceColumns+" FROM event_source_key k JOIN event_source s ON s.id = k.source WHERE k.hash = ? AND (k.expires_at = 0 OR k.expires_at > ?)", hash, ms(now))
	if err != nil || len(list) == 0 {
		return event.Source{}, false, err
	}
	return list[0], true, nil
}

package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
)

const (
	settingRead  = "SELECT value FROM setting WHERE key = ?"
	settingWrite = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)

// Setting reads a setting of the workspace, stored as JSON, into v; found is false when it was never set.
func (s *Store) Setting(ctx context.Context, key string, v any) (found bool, err error) {
	var text string
	err = s.Read(ctx, func(c Conn) (err error) {
		found, err = c.QueryRow(ctx, []any{&text}, settingRead, key)
		return err
	})
	if err != nil || !found {
		return false, err
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return false, fmt.Errorf("stored setting %s: %w", key, err)
	}
	return true, nil
}

// SetSetting stores a setting of the workspace as JSON.
func (s *Store) SetSetting(ctx context.Context, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("setting %s: %w", key, err)
	}
	return s.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, settingWrite, key, string(b))
		return err
	})
}

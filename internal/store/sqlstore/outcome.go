package sqlstore

import (
	"context"
	"time"
)

// Remembered implements record.Tx.
func (t *tx) Remembered(ctx context.Context, key string) (outcome []byte, found bool, err error) {
	found, err = t.c.QueryRow(ctx, []any{&outcome}, "SELECT outcome FROM request_outcome WHERE request = ?", key)
	return outcome, found, err
}

// Remember implements record.Tx.
func (t *tx) Remember(ctx context.Context, key string, outcome []byte) error {
	_, err := t.c.Exec(ctx, "INSERT INTO request_outcome(request, outcome, at) VALUES (?, ?, ?)", key, outcome, t.store.clock.Now().UnixMilli())
	return err
}

// ForgetOutcomes removes what was remembered of requests before an instant.
func (s *Store) ForgetOutcomes(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, "DELETE FROM request_outcome WHERE at < ?", before.UnixMilli())
		return err
	})
}

package eventschema

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	saltBytes = 32
	saltGet   = "SELECT salt FROM event_salt WHERE day = ?"
	saltPut   = "INSERT INTO event_salt (day, salt) VALUES (?, ?) ON CONFLICT DO NOTHING"
	saltTrim  = "DELETE FROM event_salt WHERE day < ?"
)

// Salt is the secret of a day, made where there is none yet. Those of days before the one ahead of it are deleted then, so that nothing
// that was hashed under them can be tried out again. All processes have the same.
func (s *Store) Salt(ctx context.Context, day clock.Day) (salt []byte, err error) {
	get := func(ctx context.Context, c sqlstore.Conn) error {
		salt = nil
		_, err := c.QueryRow(ctx, []any{&salt}, saltGet, int64(day))
		return err
	}
	if err := s.inbox.View(ctx, get); err != nil || salt != nil {
		return salt, err
	}
	made := make([]byte, saltBytes)
	_, _ = rand.Read(made) // never fails
	err = s.inbox.Write(ctx, func(ctx context.Context, c sqlstore.Conn) error {
		if _, err := c.Exec(ctx, saltPut, int64(day), made); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, saltTrim, int64(day)-1); err != nil {
			return err
		}
		return get(ctx, c)
	})
	if err == nil && salt == nil {
		err = fmt.Errorf("the secret of day %s was not stored", day)
	}
	return salt, err
}

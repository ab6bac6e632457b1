package instance

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

// RewrapFactors gives every sealed secret of a second factor to rewrap and stores what came out, unless it was changed meanwhile.
func (s *Store) RewrapFactors(ctx context.Context, rewrap func(person id.ID, sealed []byte) ([]byte, bool, error)) error {
	type factor struct {
		person int64
		secret string
	}
	list, err := collect(s.on(ctx), func(scan func(...any) error) (f factor, err error) { return f, scan(&f.person, &f.secret) }, "SELECT person, secret FROM factor ORDER BY person")
	if err != nil {
		return err
	}
	for _, f := range list {
		sealed, err := text64.DecodeString(f.secret)
		if err != nil {
			return err
		}
		out, changed, err := rewrap(id.ID(f.person), sealed)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if _, err := s.on(ctx).exec("UPDATE factor SET secret = ? WHERE person = ? AND secret = ?", text64.EncodeToString(out), f.person, f.secret); err != nil {
			return err
		}
	}
	return nil
}

const countActors = `SELECT actor_kind, actor_id, max(actor_name), count(*) FROM audit WHERE workspace = ? AND action = ? AND at >= ?
	GROUP BY actor_kind, actor_id ORDER BY count(*) DESC, actor_id LIMIT ?`

// CountActors implements auth.Store.
func (s *Store) CountActors(ctx context.Context, workspace, action string, since time.Time, limit int) ([]auth.ActorCount, error) {
	return collect(s.on(ctx), func(scan func(...any) error) (c auth.ActorCount, err error) {
		return c, scan(&c.Kind, &c.ID, &c.Name, &c.Count)
	}, countActors, workspace, action, ms(since), limit)
}

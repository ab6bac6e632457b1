package analytics

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Act is one event of a customer as the customer's page shows it.
type Act struct {
	ID      id.ID
	At      int64 // milliseconds
	Kind    string
	Name    string
	Host    string
	Path    string
	Title   string
	Channel string
	Device  string
	Dwell   int64 // milliseconds
	Amount  int64 // minor units of the base currency
	About   string
}

// behaviourRead names robots by the flag that package event gives them.
const behaviourRead = `SELECT e.id, e.at, e.kind, e.name, COALESCE(e.host, ''), COALESCE(e.path, ''), COALESCE(e.title, ''), COALESCE(e.channel, ''), COALESCE(e.device, ''),
 COALESCE(e.dwell_ms, 0), COALESCE(e.amount, 0), CASE WHEN e.kind = 'track' THEN e.properties ELSE '' END
FROM f_event e WHERE e.customer_id = CAST($1 AS BIGINT) AND e.at <= CAST($2 AS BIGINT) AND (e.flags & CAST($3 AS BIGINT)) = 0 AND e.kind IN ('track', 'page', 'screen')
ORDER BY e.at DESC, e.id DESC LIMIT CAST($4 AS BIGINT)`

// Behaviour reads what a customer did at or before an instant, newest first; events with one of the flags are left out.
func Behaviour(ctx context.Context, q Querier, customer id.ID, until, without int64, limit int) ([]Act, error) {
	var out []Act
	err := each(ctx, q, behaviourRead, []any{int64(customer), until, without, int64(limit)}, func(r *sql.Rows) error {
		var a Act
		var properties sql.NullString
		if err := r.Scan(&a.ID, &a.At, &a.Kind, &a.Name, &a.Host, &a.Path, &a.Title, &a.Channel, &a.Device, &a.Dwell, &a.Amount, &properties); err != nil {
			return err
		}
		a.About = about(properties.String)
		out = append(out, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read behaviour: %w", err)
	}
	return out, nil
}

// aboutMost bounds what is shown of a property, in characters.
const aboutMost = 120

// about is what an event was about: the product, the search or the order that its properties name.
func about(properties string) string {
	var m struct {
		Name    any `json:"name"`
		Query   any `json:"query"`
		Order   any `json:"order_id"`
		Coupon  any `json:"coupon"`
		Product any `json:"product_id"`
	}
	if properties == "" || json.Unmarshal([]byte(properties), &m) != nil {
		return ""
	}
	for _, v := range []any{m.Name, m.Query, m.Order, m.Coupon, m.Product} {
		if s, ok := v.(string); ok && s != "" {
			if r := []rune(s); len(r) > aboutMost {
				return string(r[:aboutMost]) + "…"
			}
			return s
		}
	}
	return ""
}

package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/insight/web"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newWeb is web analytics, answered by the analytics plane.
func (w *workspace) newWeb() *web.Service {
	return web.New(web.Config{Facts: analytics.NewWeb(w.gate, w.audience, w.zoneOf), Store: sqlstore.NewFunnels(w.store), Clock: w.app.Clock, IDs: w.app.ids,
		Check: func(ctx context.Context, where *query.Node) error { return w.words.Check(ctx, query.Customer, where) },
		Classification: func(ctx context.Context, key string) (bool, error) {
			_, err := w.classes.Get(ctx, key)
			if fault.KindOf(err) == fault.NotFound {
				return false, nil
			}
			return err == nil, err
		}})
}

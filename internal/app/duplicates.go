package app

import (
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newDuplicates makes the engine that finds records that may be the same.
func (w *workspace) newDuplicates() *dedupe.Service {
	return dedupe.New(dedupe.Config{Records: w.records, Store: sqlstore.NewDuplicates(w.store), Registry: w.registry, Clock: w.app.Clock, IDs: w.app.ids, Log: w.app.Log,
		System: system, Publish: func(object string) {
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "duplicates", Object: object})
		}})
}

package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newDuplicates makes the engine that finds records that may be the same.
func (w *workspace) newDuplicates() *dedupe.Service {
	return dedupe.New(dedupe.Config{Records: w.records, Store: sqlstore.NewDuplicates(w.store), Registry: w.registry, Clock: w.app.Clock, IDs: w.app.ids, Log: w.app.Log,
		System: system, Publish: func(object string) {
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "duplicates", Object: object})
		}})
}

// twins are the existing records that rows of an import may be.
type twins struct{ w *workspace }

// Existing implements transfer.Duplicates: the likest live record.
func (t twins) Existing(ctx context.Context, object string, in record.Input) (id.ID, string, bool, error) {
	m, err := t.w.edge.Duplicates.Find(ctx, object, 0, in, dedupe.OnImport)
	if err != nil {
		return 0, "", false, err
	}
	for _, x := range m.Items {
		if x.Record != nil && !x.Deleted {
			return x.ID, x.Record.Title, x.Sure, nil
		}
	}
	return 0, "", false, nil
}

package app

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/record/dedupe"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newDuplicates makes the engine that finds records that may be the same.
func (w *workspace) newDuplicates() *dedupe.Service {
	return dedupe.New(dedupe.Config{Records: w.records, Store: sqlstore.NewDuplicates(w.store), Registry: w.registry, Clock: w.app.Clock, IDs: w.app.ids, Log: w.app.Log,
		System: system, Publish: func(object string) {
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "duplicates", Object: object})
		}})
}

// twins are the records that rows of an import may be.
type twins struct{ w *workspace }

// Likeness implements transfer.Duplicates.
func (t twins) Likeness(ctx context.Context, ask transfer.LikenessFor) (transfer.Likeness, error) {
	m, ok, err := t.w.edge.Duplicates.Matcher(ctx, dedupe.Job{Object: ask.Object, Fields: ask.Fields, Few: ask.Few, Window: ask.Window})
	if err != nil || !ok {
		return nil, err
	}
	return likeness{m}, nil
}

type likeness struct{ m *dedupe.Matcher }

// Next implements transfer.Likeness.
func (l likeness) Next(ctx context.Context, ids []id.ID, rows []record.Input) ([]*transfer.Suspect, error) {
	found, err := l.m.Next(ctx, ids, rows)
	if err != nil {
		return nil, err
	}
	out := make([]*transfer.Suspect, len(found))
	for i, t := range found {
		if t == nil {
			continue
		}
		reasons, err := json.Marshal(t.Reasons)
		if err != nil {
			return nil, err
		}
		out[i] = &transfer.Suspect{Record: t.Record, Score: t.Score, Rule: t.Rule, Sure: t.Sure, Reasons: reasons}
	}
	return out, nil
}

package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/engage/stage"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newStages makes what moves records along their stages, and makes the record engine ask it. It is asked before approvals: what a
// gate refuses need not be agreed to.
func (w *workspace) newStages() {
	a := w.app
	w.stages = stage.New(stage.Config{Store: sqlstore.NewStages(w.store), Records: w.records, Registry: w.registry, Clock: a.Clock, IDs: a.ids, Log: a.Log,
		Tell: func(ctx context.Context, list []stage.Notice) error {
			told := make([]talk.Notification, len(list))
			for i, n := range list {
				told[i] = talk.Notification{User: n.User, Kind: talk.Stage, Object: n.Object, Record: n.Record, ByKind: access.BySystem, Once: n.Once, Detail: talk.Detail{Text: n.Text}}
			}
			return w.talk.Tell(ctx, told...)
		},
		Note: func(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, object, rec, detail)
		},
		Held: func(ctx context.Context, in record.Reader, rec id.ID, field string) (bool, error) {
			return w.approvals.Holds(ctx, in, rec, field)
		},
		Changed: func() { a.hub.Publish(w.info.Key, api.Event{Kind: "stages"}) }})
	w.followStages = &stage.Follower{Service: w.stages, Changes: w.store.Log()}
	w.records.RegisterGuard(w.stages)
}

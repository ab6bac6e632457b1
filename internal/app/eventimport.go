package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/store/eventstore"
)

// eventImportJob takes imports of events back.
const eventImportJob = "event_import"

// eventImports are the imports of events of before.
type eventImports struct{ w *workspace }

var _ api.EventHistory = eventImports{}

// Begin implements api.EventHistory.
func (e eventImports) Begin(ctx context.Context, source id.ID, file string) (eventstore.Import, error) {
	v := eventstore.Import{ID: e.w.app.ids.Next(), Source: source, File: file, By: access.From(ctx).ID, At: e.w.app.Clock.Now().UnixMilli(), State: eventstore.ImportOpen}
	return v, e.w.events.store.BeginImport(ctx, v)
}

// Get implements api.EventHistory.
func (e eventImports) Get(ctx context.Context, key id.ID) (eventstore.Import, error) {
	return e.w.events.store.Import(ctx, key)
}

// List implements api.EventHistory.
func (e eventImports) List(ctx context.Context, limit int) ([]eventstore.Import, error) {
	return e.w.events.store.Imports(ctx, limit)
}

// Count implements api.EventHistory.
func (e eventImports) Count(ctx context.Context, key id.ID, accepted, duplicate, rejected int64) error {
	return e.w.events.store.CountImport(ctx, key, accepted, duplicate, rejected)
}

// Finish implements api.EventHistory.
func (e eventImports) Finish(ctx context.Context, key id.ID) error {
	_, err := e.w.events.store.MoveImport(ctx, key, eventstore.ImportDone, 0, 0, eventstore.ImportOpen)
	return err
}

// Undo implements api.EventHistory. An import whose file is still being read takes nothing more in from then on.
func (e eventImports) Undo(ctx context.Context, key id.ID) error {
	if _, err := e.w.events.store.Import(ctx, key); err != nil {
		return err
	}
	moved, err := e.w.events.store.MoveImport(ctx, key, eventstore.ImportUndoing, access.From(ctx).ID, e.w.app.Clock.Now().UnixMilli(), eventstore.ImportOpen, eventstore.ImportDone)
	if err == nil && !moved {
		err = fault.New(fault.Conflict, "event.import_undone", nil)
	}
	if err != nil {
		return err
	}
	_, err = e.w.app.jobs.Add(ctx, job.Job{Kind: eventImportJob, Workspace: e.w.info.Key})
	return err
}

// runEventImports is the job: whatever is to be taken back is, one import after the other. Done again after a crash it finds what is left.
func (a *App) runEventImports(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	ctx = system(ctx)
	list, err := w.events.store.Undoing(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		if err := w.undoEvents(ctx, list[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// undoEvents takes what an import brought out of the inbox, the files and analysis. Customers and orders that were made of it stay.
func (w *workspace) undoEvents(ctx context.Context, key id.ID) error {
	if err := w.events.settle(ctx); err != nil { // what is not loaded is not found
		return err
	}
	events, err := w.events.store.ImportedEvents(ctx, key)
	if err != nil {
		return err
	}
	n, err := w.events.plane.Remove(ctx, events)
	if err != nil {
		return err
	}
	if err := w.events.store.EndUndo(ctx, key); err != nil {
		return err
	}
	w.moveInfluence()
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "import", ID: id.Format(api.EventImportPrefix, key)})
	w.app.Log.Info("an import of events was taken back", "workspace", w.info.Key, "events", n)
	return nil
}

package app

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newTalk makes the conversation of the workspace.
func (w *workspace) newTalk() {
	a := w.app
	w.talk = talk.New(talk.Config{Store: sqlstore.NewTalk(w.store), Settings: w.store, Records: w.records, Registry: w.registry, People: members{a, w.info.Key}, Clock: a.Clock, IDs: a.ids,
		Told: func(user id.ID) {
			a.hub.Publish(w.info.Key, api.Event{Kind: "notification", ID: id.Format(auth.UserPrefix, user)})
		}})
	w.importMoved, w.influenceMoved = make(chan struct{}, 1), make(chan struct{}, 1)
	w.told = &talk.Collector{Service: w.talk, Changes: w.store.Log()}
	w.reminders = &talk.Reminders{Service: w.talk, Log: a.Log}
}

// members are the people of a workspace as the conversation knows them.
type members struct {
	app       *App
	workspace string
}

// Person implements talk.People.
func (m members) Person(ctx context.Context, user id.ID) (talk.Person, bool, error) {
	u, err := m.app.instance.GetUser(ctx, m.workspace, user)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return talk.Person{}, false, nil
	}
	return talk.Person{ID: u.ID, Name: u.Name, Email: u.Email, Locale: u.Locale, Disabled: u.Disabled}, err == nil, err
}

// remarks are comments for the timeline.
type remarks struct{ talk *talk.Service }

// Remarks implements timeline.Remarks.
func (r remarks) Remarks(ctx context.Context, rec id.ID, until time.Time, limit int) ([]timeline.Remark, error) {
	list, err := r.talk.About(ctx, rec, until, limit)
	out := make([]timeline.Remark, 0, len(list))
	for _, c := range list {
		out = append(out, timeline.Remark{ID: c.ID, At: c.At, By: c.By, Body: c.Body, EditedAt: c.EditedAt, DeletedAt: c.DeletedAt, DeletedBy: c.DeletedBy, Version: c.Version})
	}
	return out, err
}

// importEnded tells whoever started an import how it ended. What a crash cut off in between is told at the next start: the key of
// the notification keeps it from being told twice.
func (w *workspace) importEnded(ctx context.Context, j *transfer.Job) error {
	if j.CreatedBy == 0 || j.FinishedAt.IsZero() || j.Status.Active() {
		return nil
	}
	return w.talk.Tell(system(ctx), endOfImport(j))
}

func endOfImport(j *transfer.Job) talk.Notification {
	key := id.Format(api.ImportPrefix, j.ID)
	return talk.Notification{User: j.CreatedBy, Kind: talk.Job, ByKind: access.BySystem,
		Detail: talk.Detail{Job: "import", JobID: key, Status: string(j.Status), Text: j.FileName}, Once: "import:" + key + ":" + string(j.Status)}
}

const (
	importsBack  = 24 * time.Hour
	importsEvery = 2 * time.Second
)

// tellOfImports tells of imports that have ended, whenever one moves and at a start.
func (w *workspace) tellOfImports(ctx context.Context) error {
	for {
		if err := w.endedImports(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.importMoved:
		}
		if err := sleep(ctx, importsEvery); err != nil { // the end is written before the job is seen to have ended
			return err
		}
	}
}

// endedImports tells of those that have ended lately. The names of their files are read and told under one lock with whoever takes such a
// name away.
func (w *workspace) endedImports(ctx context.Context) error {
	w.telling.Lock()
	defer w.telling.Unlock()
	list, err := w.imports.List(system(ctx), 50)
	if err != nil {
		return err
	}
	for _, j := range list {
		if w.app.Clock.Now().Sub(j.FinishedAt) > importsBack {
			continue
		}
		if err := w.importEnded(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

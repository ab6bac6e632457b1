package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/reshape"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// reshapeJob is the kind of job that works on the shape of records.
const reshapeJob = "reshape"

// shape starts what works on the shape of records and what watches lists.
func (w *workspace) shape() {
	adviser := reshape.NewAdviser(sqlstore.NewReshape(w.store), w.app.Clock)
	w.records.WatchLists(adviser.Note)
	w.edge.Reshape, w.edge.Uses, w.edge.Adviser = w.newReshape(), w.uses, adviser
	w.own(w.ctx, &w.owned, "shape", func(ctx context.Context) error { return w.edge.Reshape.Resume(system(ctx)) })
	w.own(w.ctx, &w.owned, "slow lists", w.adviseLater)
}

// newReshape makes the engine of long work on the shape of records.
func (w *workspace) newReshape() *reshape.Service {
	a := w.app
	settled := time.Duration(0)
	if !a.embedded() {
		settled = 2 * metadataEvery
	}
	return reshape.New(reshape.Config{Store: sqlstore.NewReshape(w.store), Records: w.records, Metadata: w.metadata, Registry: w.registry, Clock: a.Clock, IDs: a.ids,
		Log: a.Log, System: system, Settled: settled, Still: w.stillShapes,
		Queue: func(ctx context.Context, work reshape.Work, at time.Time) error {
			_, err := a.jobs.Add(ctx, job.Job{Kind: reshapeJob, Workspace: w.info.Key, Args: id.Format(reshape.Prefix, work.ID), RunAt: at,
				Unique: fmt.Sprintf("reshape:%d:%d:%d:%d", work.ID, work.Pass, work.After, len(work.Spec))})
			return err
		},
		Count: func(ctx context.Context, object string) (int64, error) {
			n, _, err := w.records.Count(system(ctx), object, nil, "", true)
			return int64(n), err
		},
		Index: func(ctx context.Context, object string) error {
			obj := w.registry().Object(object)
			if obj == nil {
				return fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
			}
			return w.store.IndexOnline(ctx, obj)
		},
		Publish: func(work reshape.Work) {
			a.hub.Publish(w.info.Key, api.Event{Kind: "reshape", Object: work.Object, ID: id.Format(reshape.Prefix, work.ID)})
		}})
}

// reshapeAfter begins the long work that a change of metadata asks for, in the name of who made it.
func (w *workspace) reshapeAfter(ctx context.Context, old, reg *schema.Registry) error {
	person := access.From(ctx).Person
	ctx = system(ctx)
	objects := w.late
	w.late = nil
	for _, o := range reg.Tables() {
		if was := old.Object(o.Key); was != nil && unindexed(was, o) && !slices.Contains(objects, o.Key) {
			objects = append(objects, o.Key)
		}
	}
	for _, object := range objects {
		if _, err := w.edge.Reshape.MakeIndexes(ctx, object, person); err != nil {
			return err
		}
	}
	return w.edge.Reshape.Begin(ctx, reg, person)
}

// unindexed reports that a field of an object asks for an index no more.
func unindexed(was, now *schema.Object) bool {
	return slices.ContainsFunc(was.Fields, func(f *schema.Field) bool {
		next := now.Field(f.Key)
		return f.Indexed && next != nil && !next.Indexed
	})
}

// stillShapes reports whether a person may still shape the workspace.
func (w *workspace) stillShapes(ctx context.Context, person id.ID) (bool, error) {
	actor, err := w.app.auth.Present(ctx, w.info.Key, access.ByUser, person)
	if k := fault.KindOf(err); err != nil && (k == fault.NotFound || k == fault.Forbidden || k == fault.Unauthenticated) {
		return false, nil
	}
	if err == nil {
		actor, err = w.edge.Rights.Resolve(ctx, actor)
	}
	return err == nil && actor.Can(access.SchemaManage), err
}

// runReshape does a work on the shape of records, or goes on with it.
func (a *App) runReshape(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	work, err := id.Parse(reshape.Prefix, j.Args)
	if err != nil {
		return err
	}
	return w.edge.Reshape.Run(ctx, work)
}

// adviseEvery is how often what was noted of lists is stored.
const adviseEvery = time.Minute

// adviseLater stores what was noted of lists now and then, and at the end.
func (w *workspace) adviseLater(ctx context.Context) error {
	for {
		stop := sleep(ctx, adviseEvery)
		if err := w.edge.Adviser.Flush(context.WithoutCancel(ctx)); err != nil || stop != nil {
			return err
		}
	}
}

package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/insight/room"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// modelJob is the kind of job that fits and scores models; its argument is that of room.Room.Work.
const modelJob = "model"

// models are all models, in the order in which they are shown and fitted.
func (w *workspace) models() []predict.Model {
	w.edge.Clusters, w.edge.Forecasts, w.edge.Actions = w.newCluster(), w.newForecasts(), w.newActions()
	return []predict.Model{
		w.newValue(),
		w.newChurn(),
		w.newHabits(),
		w.newLearner(),
		w.edge.Clusters,
		forecast.NewModel(w.edge.Forecasts),
		w.edge.Actions, // after those whose traits it asks
	}
}

func (w *workspace) modelJob(arg string) job.Job {
	return job.Job{Kind: modelJob, Workspace: w.info.Key, Args: arg, Unique: "model:" + w.info.Key + ":" + arg}
}

// newModels makes the model room.
func (w *workspace) newModels() *room.Room {
	a := w.app
	return room.New(room.Config{Store: sqlstore.NewModels(w.store), Models: w.models(), Clock: a.Clock, Log: a.Log,
		Anchor: func(ctx context.Context) (clock.Day, bool, error) {
			st, err := w.traits.State(ctx)
			return st.Anchor, st.Known, err
		},
		Size: func(ctx context.Context) (int64, error) {
			s, err := w.traits.Summary(ctx)
			return s.Customers, err
		},
		Held: func(ctx context.Context, about predict.About) (bool, error) {
			if about.Family == "" {
				return true, nil
			}
			mark, err := w.plane.Scored(ctx, about.Family)
			return mark != "", err
		},
		Queue: func(ctx context.Context, arg string) error {
			_, err := a.jobs.Add(ctx, w.modelJob(arg))
			return err
		},
		Follow:  func(ctx context.Context) error { return w.traits.Follow(ctx) },
		Scored:  w.scored,
		Changed: func(model string) { a.hub.Publish(w.info.Key, api.Event{Kind: "model", ID: model}) }})
}

// runModel does what a job of the models says.
func (a *App) runModel(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	return w.edge.Models.Work(system(ctx), j.Args)
}

package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/warning"
	"github.com/guanxi-crm/guanxi/internal/insight/churn"
	"github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newChurn makes the model of who is leaving.
func (w *workspace) newChurn() *churn.Model {
	return churn.New(analytics.NewChurn(w.gate, w.plane), w.traits.Anchor)
}

// churnDesk answers the page about who is leaving.
type churnDesk struct {
	w     *workspace
	books *analytics.Churn
	worth *analytics.Values
	model *churn.Model
}

func (w *workspace) newChurnDesk() *churnDesk {
	books := analytics.NewChurn(w.gate, w.plane)
	return &churnDesk{w, books, analytics.NewValues(w.gate, w.plane), churn.New(books, w.traits.Anchor)}
}

// Report implements api.ChurnDesk.
func (d *churnDesk) Report(ctx context.Context) (churn.Overview, error) {
	return churn.Report(ctx, d.books)
}

// Valued implements api.ChurnDesk.
func (d *churnDesk) Valued(ctx context.Context) (bool, error) {
	o, err := d.worth.All(ctx)
	return err == nil && o.All.Customers > 0 && o.All.CLV > 0, err
}

// Survival implements api.ChurnDesk.
func (d *churnDesk) Survival(ctx context.Context, classification string) (churn.Survival, clock.Day, error) {
	day, err := d.w.traits.Anchor(ctx)
	if err != nil {
		return churn.Survival{}, 0, err
	}
	s, err := churn.Last(ctx, d.books, classification, day)
	return s, day, err
}

// Whys implements api.ChurnDesk.
func (d *churnDesk) Whys(ctx context.Context, classification string) ([]churn.Reasoned, error) {
	return churn.Whys(ctx, d.books, classification)
}

// Preview implements api.ChurnDesk.
func (d *churnDesk) Preview(ctx context.Context, options json.RawMessage) (churn.Standing, error) {
	return d.model.Preview(ctx, options)
}

// Run implements api.ChurnDesk.
func (d *churnDesk) Run(ctx context.Context) error { return d.w.queueWarnings(ctx) }

// warningJob is the kind of job that makes the tasks of rules that warn.
const warningJob = "churn_warning"

func (w *workspace) queueWarnings(ctx context.Context) error {
	_, err := w.app.jobs.Add(ctx, job.Job{Kind: warningJob, Workspace: w.info.Key, Unique: warningJob + ":" + w.info.Key})
	return err
}

// scored has the rules look at new scores.
func (w *workspace) scored(ctx context.Context, model string) error {
	if model != churn.Key && model != value.Key {
		return nil
	}
	return w.queueWarnings(ctx)
}

// runWarnings does what a job of the rules that warn says.
func (a *App) runWarnings(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	if head, err := w.store.Log().Head(ctx); err != nil {
		return err
	} else if a.embedded() { // who was changed a moment ago is seen as he is now
		w.feed.WaitFor(ctx, head, behindAtMost)
	}
	_, err = w.edge.Warnings.Run(system(ctx))
	return err
}

func (w *workspace) newWarnings() *warning.Service {
	store := sqlstore.NewWarnings(w.store)
	return warning.New(warning.Config{Store: store, Customers: warned{w}, Tasks: warningTasks{w, store}, Clock: w.app.Clock, Zone: w.zoneOf, NewID: w.app.ids.Next})
}

// warned answers rules that warn about customers. They are asked as the program, about those who may be processed.
type warned struct{ w *workspace }

// Check implements warning.Customers.
func (c warned) Check(ctx context.Context, where *query.Node) error {
	return c.w.words.Check(ctx, query.Customer, where)
}

// Likeliest implements warning.Customers.
func (c warned) Likeliest(ctx context.Context, where *query.Node, limit int) ([]id.ID, error) {
	p, err := c.w.audience.List(system(ctx), analytics.ListQuery{Object: query.Customer, Where: privacy.Processed(where), Limit: limit,
		Sort: []schema.Sort{{Trait: churn.TraitRisk, Desc: true}, {Field: "id"}}})
	return p.IDs, err
}

// Count implements warning.Customers.
func (c warned) Count(ctx context.Context, where *query.Node) (int, error) {
	p, err := c.w.audience.List(system(ctx), analytics.ListQuery{Object: query.Customer, Where: privacy.Processed(where), Limit: 1, Count: true, Sort: []schema.Sort{{Field: "id"}}})
	return max(0, p.Total), err
}

// Among implements warning.Customers.
func (c warned) Among(ctx context.Context, where *query.Node, customers []id.ID) (map[id.ID]bool, error) {
	return ruleSegments(c).among(ctx, where, customers)
}

// Owners implements warning.Customers.
func (c warned) Owners(ctx context.Context, customers []id.ID) (map[id.ID]id.ID, error) {
	out := map[id.ID]id.ID{}
	obj := c.w.registry().Object(query.Customer)
	if obj.OwnerField == "" {
		return out, nil
	}
	recs, err := c.w.records.GetMany(system(ctx), obj.Key, customers, []string{obj.OwnerField})
	for _, r := range recs {
		if o, ok := r.Values[obj.OwnerField].(id.ID); ok {
			out[r.ID] = o
		}
	}
	return out, err
}

// warningTasks makes tasks for rules that warn, by the ways of all tasks.
type warningTasks struct {
	w     *workspace
	store *sqlstore.Warnings
}

// Make implements warning.Tasks.
func (t warningTasks) Make(ctx context.Context, list []warning.Making, warnings []warning.Warning) (int, error) {
	if activity.Known(t.w.registry(), activity.Task) == nil {
		return 0, nil
	}
	prefix := t.w.registry().Object(query.Customer).Prefix
	ops := make([]record.BatchOp, len(list))
	for i, m := range list {
		ops[i] = record.BatchOp{Op: change.Create, Object: activity.Task, Input: record.Input{"subject": m.Subject, "customer": id.Format(prefix, m.Customer), "assignee": id.Format("usr", m.Assignee),
			"due_at": m.Due.UTC().Format(time.RFC3339), "all_day": true, "priority": "high", "note": m.Note}}
	}
	made := 0
	var refused error
	_, _, err := t.w.records.Mass(system(ctx), ops, record.MassCall{Then: func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
		kept := make([]warning.Warning, 0, len(warnings))
		for i, r := range results {
			if r.Err == nil {
				warnings[i].Task = r.ID
				kept = append(kept, warnings[i])
			} else if refused == nil {
				refused = r.Err
			}
		}
		made = len(kept)
		return t.store.Put(ctx, tx, kept)
	}})
	if err == nil && made == 0 {
		err = refused
	}
	return made, err
}

// Standing implements warning.Tasks.
func (t warningTasks) Standing(ctx context.Context, tasks []id.ID) (map[id.ID]warning.Task, error) {
	out := map[id.ID]warning.Task{}
	o := activity.Known(t.w.registry(), activity.Task)
	if o == nil || len(tasks) == 0 {
		return out, nil
	}
	recs, err := t.w.records.GetMany(system(ctx), o.Key, tasks, []string{"status"})
	for _, r := range recs {
		status, _ := r.Values["status"].(string)
		out[r.ID] = warning.Task{Open: status != activity.Done && status != activity.Cancelled, Done: status == activity.Done}
	}
	return out, err
}

// Present implements warning.Tasks.
func (t warningTasks) Present(ctx context.Context, list []id.ID) (map[id.ID]bool, error) {
	return rulePeople{t.w}.Present(access.With(ctx, access.System()), list)
}

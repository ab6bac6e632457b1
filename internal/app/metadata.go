package app

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/objects"
)

// registry is the metadata of this moment.
func (w *workspace) registry() *schema.Registry { return w.reg.Load() }

// openMetadata puts declared and stored metadata to work.
func (w *workspace) openMetadata(ctx context.Context) error {
	declared, err := schema.Load(objects.FS)
	if err != nil {
		return err
	}
	w.metadata = metadata.New(metadata.Config{Store: sqlstore.NewMetadata(w.store), Standard: declared, IDs: w.app.ids, Check: w.breaks,
		Ensure: func(ctx context.Context, reg *schema.Registry) (err error) {
			w.late, err = w.store.EnsureSoon(ctx, reg)
			return err
		},
		Use: w.useMetadata,
		Note: func(ctx context.Context, action, object, field string) error {
			return w.app.auth.Note(ctx, w.info.Key, action, object, 0, map[string]any{"field": field})
		}})
	reg, err := w.metadata.Registry(ctx)
	if err != nil {
		return err
	}
	w.reg.Store(reg)
	return nil
}

// useMetadata puts a registry to work: the analytics plane grows first, so that the mirror finds what it writes into. While
// that plane is made anew it takes the registry of then.
func (w *workspace) useMetadata(ctx context.Context, reg *schema.Registry, follows metadata.Effect) error {
	asked := ctx
	ctx = system(ctx)
	settings, err := w.settings(ctx)
	if err != nil {
		return err
	}
	if err := w.plane.Ensure(ctx, reg, settings); err != nil && !away(err) {
		return err
	}
	old := w.reg.Swap(reg)
	w.words.forget()
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "metadata"})
	if objects := rerolled(old, reg); len(objects) > 0 {
		if _, err := w.app.jobs.Add(ctx, job.Job{Kind: rollupJob, Workspace: w.info.Key, Args: strings.Join(objects, ",")}); err != nil {
			return err
		}
	}
	if w.edge != nil && w.edge.Reshape != nil {
		if err := w.reshapeAfter(asked, old, reg); err != nil {
			return err
		}
	}
	if follows.Search {
		if _, err := w.app.jobs.Add(ctx, job.Job{Kind: reindexJob, Workspace: w.info.Key, Unique: "reindex:" + w.info.Key}); err != nil {
			return err
		}
	}
	if len(follows.Back) == 0 {
		return nil
	}
	if err := w.feed.Rebuild(ctx, follows.Back...); err != nil {
		return err
	}
	w.owned.Go(func() {
		if err := w.feed.Drain(system(w.ctx)); err != nil && w.ctx.Err() == nil {
			w.app.Log.Error("mirror what came back", "workspace", w.info.Key, "error", err)
		}
		w.traits.Notify()
	})
	return nil
}

// rerolled are the objects with a rollup that is another than before.
func rerolled(old, next *schema.Registry) []string {
	var out []string
	for _, o := range next.Tables() {
		was := old.Object(o.Key)
		if slices.ContainsFunc(o.Fields, func(f *schema.Field) bool {
			return f.Rollup != nil && (was == nil || was.Field(f.Key) == nil || !reflect.DeepEqual(was.Field(f.Key).Rollup, f.Rollup))
		}) {
			out = append(out, o.Key)
		}
	}
	return out
}

// runRollup works rollups out for all records after they were defined or changed.
func (a *App) runRollup(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	for _, object := range strings.Split(j.Args, ",") {
		if _, err := w.rollups.Rebuild(system(ctx), object); err != nil {
			return err
		}
	}
	return nil
}

// runReindex makes the search index anew for fields that were not in it before.
func (a *App) runReindex(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	_, err = w.indexer.Rebuild(system(ctx))
	return err
}

// metadataEvery is how often a process looks for what another one has changed; PostgreSQL only, where there may be several.
const metadataEvery = 2 * time.Second

// followMetadata takes up what another process has changed.
func (w *workspace) followMetadata(ctx context.Context) error {
	for {
		if err := sleep(ctx, metadataEvery); err != nil {
			return err
		}
		reg, err := w.metadata.Newer(ctx)
		if err != nil {
			return fmt.Errorf("follow metadata: %w", err)
		}
		if reg == nil {
			continue
		}
		w.reg.Store(reg)
		w.words.forget()
		w.app.hub.Publish(w.info.Key, api.Event{Kind: "metadata"})
	}
}

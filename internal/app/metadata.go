package app

import (
	"context"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
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
		Ensure: func(ctx context.Context, reg *schema.Registry) error {
			_, err := w.store.Ensure(ctx, reg)
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

// useMetadata puts a registry to work: the analytics plane grows first, so that the mirror finds what it writes into.
func (w *workspace) useMetadata(ctx context.Context, reg *schema.Registry, back []string) error {
	settings, err := w.settings(ctx)
	if err != nil {
		return err
	}
	if err := w.plane.Ensure(system(ctx), reg, settings); err != nil {
		return err
	}
	w.reg.Store(reg)
	w.words.forget()
	if len(back) > 0 { // what was written meanwhile has not been mirrored
		if err := w.feed.Rebuild(system(ctx), back...); err != nil {
			return err
		}
		w.owned.Go(func() {
			if err := w.feed.Drain(system(w.ctx)); err != nil && w.ctx.Err() == nil {
				w.app.Log.Error("mirror what came back", "workspace", w.info.Key, "error", err)
			}
			w.traits.Notify()
		})
	}
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "metadata"})
	return nil
}

// breaks refuses a registry under which something that is saved could not be asked any more: Conflict metadata.used_in_*.
func (w *workspace) breaks(ctx context.Context, old, next *schema.Registry) error {
	ctx = system(ctx)
	check := func(reg *schema.Registry, object string, where *query.Node) bool {
		env := w.words.env(ctx, object, "")
		env.Registry = reg
		return where == nil || query.Check(where, env) == nil
	}
	lost := func(object string, where *query.Node) bool {
		return check(old, object, where) && !check(next, object, where)
	}
	segments, err := w.segments.List(ctx)
	if err != nil {
		return err
	}
	for _, s := range segments {
		if lost(query.Customer, s.Where) {
			return fault.New(fault.Conflict, "metadata.used_in_segment", fault.Params{"name": s.Label})
		}
	}
	classes, err := w.classes.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range classes {
		for _, class := range c.Classes {
			if lost(query.Customer, class.Where) {
				return fault.New(fault.Conflict, "metadata.used_in_classification", fault.Params{"name": c.Label})
			}
		}
	}
	views, err := sqlstore.NewViews(w.store).AllViews(ctx)
	if err != nil {
		return err
	}
	for _, v := range views {
		if old.Object(v.Object) == nil || next.Object(v.Object) == nil {
			continue
		}
		if lost(v.Object, v.Where) {
			return fault.New(fault.Conflict, "metadata.used_in_view", fault.Params{"name": v.Name})
		}
	}
	return nil
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

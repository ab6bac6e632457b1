package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// losses are what is saved and could be asked under one registry and not under another: segments, classifications, webhooks, roles
// and views.
func (w *workspace) losses(ctx context.Context, old, next *schema.Registry) (out []metadata.Loss, err error) {
	ctx = system(ctx)
	check := func(reg *schema.Registry, object string, where *query.Node) bool {
		env := w.words.env(ctx, object, "")
		env.Registry = reg
		return where == nil || query.Check(where, env) == nil
	}
	lost := func(object string, where *query.Node) bool { // with the object itself its lists go too
		return old.Object(object) != nil && next.Object(object) != nil && check(old, object, where) && !check(next, object, where)
	}
	add := func(kind, name, object, key string) {
		out = append(out, metadata.Loss{Kind: kind, Name: schema.Label{"zh-CN": name, "en": name}, Object: object, Key: key})
	}
	segments, err := w.segments.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range segments {
		if lost(query.Customer, s.Where) {
			add("segment", s.Label, "", s.Key)
		}
	}
	classes, err := w.classes.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range classes {
		for _, class := range c.Classes {
			if lost(query.Customer, class.Where) {
				out = append(out, metadata.Loss{Kind: "classification", Name: c.Label, Key: c.Key})
				break
			}
		}
	}
	hooks, err := w.edge.Webhooks.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, h := range hooks {
		for _, r := range h.Rules {
			if lost(r.Object, r.Where) {
				add("webhook", h.Name, r.Object, "")
				break
			}
		}
	}
	name, err := w.edge.Rights.Uses(ctx, next)
	if err != nil {
		return nil, err
	}
	if name != "" {
		add("role", name, "", "")
	}
	views, err := sqlstore.NewViews(w.store).AllViews(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range views {
		if lost(v.Object, v.Where) {
			add("view", v.Name, v.Object, v.Key())
		}
	}
	return out, nil
}

// breaks refuses a registry under which something that is saved could not be asked any more: Conflict metadata.used_in_*.
func (w *workspace) breaks(ctx context.Context, old, next *schema.Registry) error {
	lost, err := w.losses(ctx, old, next)
	if err != nil || len(lost) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "metadata.used_in_"+lost[0].Kind, fault.Params{"name": lost[0].Name})
}

// uses are what names a field and could not be asked without it.
func (w *workspace) uses(ctx context.Context, object, field string, want *schema.Field) ([]metadata.Loss, error) {
	next, out, err := w.metadata.Preview(ctx, object, field, want)
	if err != nil {
		return nil, err
	}
	more, err := w.losses(ctx, w.registry(), next)
	return append(out, more...), err
}

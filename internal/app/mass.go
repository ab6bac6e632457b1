package app

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newMass makes the engine of bulk work.
func (w *workspace) newMass(keys *crypt.Keyring) *mass.Service {
	a := w.app
	return mass.New(mass.Config{Store: sqlstore.NewMass(w.store), Records: w.records, Audience: crowd{w}, Extra: traitColumns{w}, Registry: w.registry, Clock: a.Clock,
		Dir: filepath.Join(w.dir, "exports"), Vault: vault{keys}, Log: a.Log, Lock: w.leads.Load, Base: w.base, Permit: w.permitExport,
		Who: func(ctx context.Context, who mass.Actor) (access.Actor, error) {
			actor, err := a.auth.Present(ctx, w.info.Key, who.Kind, who.ID)
			if err != nil {
				return actor, err
			}
			actor.Person, actor.Locale = who.Person, who.Locale
			return w.edge.Rights.Resolve(ctx, actor)
		},
		Words: func(locale, code string, p fault.Params) string { return a.words.Text(lang.Locale(locale), code, p) },
		Publish: func(e mass.Event) {
			a.hub.Publish(w.info.Key, api.Event{Kind: "job", Object: e.Object, ID: id.Format(mass.Prefix, e.Job)})
			if !e.Status.Active() && e.Kind != mass.Export {
				w.traits.Notify() // what waited for the job
			}
		}})
}

// crowd answers what bulk work asks the analytics plane.
type crowd struct{ w *workspace }

// Check implements mass.Audience.
func (c crowd) Check(ctx context.Context, object string, where *query.Node) error {
	return c.w.words.Check(ctx, object, where)
}

// Analytic implements mass.Audience.
func (c crowd) Analytic(where *query.Node, sort []schema.Sort) bool {
	return where != nil && c.w.words.Analytic(where) || slices.ContainsFunc(sort, func(s schema.Sort) bool { return s.Trait != "" })
}

// IDs implements mass.Audience: one statement, so that the answer is of one moment.
func (c crowd) IDs(ctx context.Context, object string, where *query.Node, sort []schema.Sort, actions ...access.Action) ([]id.ID, error) {
	limits, err := c.w.records.Limits(ctx, object, actions...)
	if err != nil {
		return nil, err
	}
	if len(sort) == 0 {
		sort = []schema.Sort{{Field: "id"}}
	}
	p, err := c.w.audience.List(ctx, analytics.ListQuery{Object: object, Where: where, Sort: sort, Limit: math.MaxInt32, Limits: limits})
	return p.IDs, err
}

// traitColumns are the traits of customers as columns of an export.
type traitColumns struct{ w *workspace }

func (t traitColumns) find(object, key string) (trait.Def, bool) {
	if object != query.Customer {
		return trait.Def{}, false
	}
	return t.w.words.Catalogue().Find(strings.TrimPrefix(key, "trait."))
}

// Column implements mass.Extra.
func (t traitColumns) Column(ctx context.Context, object, key string) (sink.Column, bool) {
	d, ok := t.find(object, key)
	if !ok || !access.From(ctx).Can(access.SegmentRead) {
		return sink.Column{}, false
	}
	c := sink.Column{Key: key, Label: d.Label.In(lang.Locale(access.From(ctx).Locale))}
	switch d.Type {
	case schema.Number, schema.Money:
		c.Kind = sink.Number
	case schema.Date:
		c.Kind = sink.Day
	case schema.DateTime:
		c.Kind = sink.Instant
	case schema.Bool:
		c.Kind = sink.Bool
	default:
	}
	return c, true
}

// Cells implements mass.Extra.
func (t traitColumns) Cells(ctx context.Context, object string, keys []string, ids []id.ID) (map[id.ID][]sink.Cell, error) {
	defs, names := make([]trait.Def, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		defs[i], _ = t.find(object, k)
		names[i] = defs[i].Key
	}
	values, err := t.w.traits.Values(ctx, ids, names...)
	if err != nil {
		return nil, err
	}
	out := make(map[id.ID][]sink.Cell, len(ids))
	env := t.w.records.Env(ctx)
	for _, v := range ids {
		row := make([]sink.Cell, len(keys))
		for i, d := range defs {
			row[i] = t.cell(d, values[v][d.Key], env)
		}
		out[v] = row
	}
	return out, nil
}

func (t traitColumns) cell(d trait.Def, v any, env schema.ParseEnv) sink.Cell {
	shown := api.TraitValue(d, v, t.w.info.Currency)
	c := sink.Cell{Given: shown != nil, JSON: shown}
	switch v := v.(type) {
	case string:
		c.Text = v
		if d.Type == schema.Tags {
			c.Text = strings.ReplaceAll(strings.Trim(v, "|"), "|", ",")
		}
		if d.Type == schema.Choice {
			c.Text = d.Option(v).In(env.Locale)
		}
	case bool:
		c.Yes, c.Text = v, schema.FormatText(&schema.Field{Type: schema.Bool}, v, env)
	case int64:
		switch d.Type {
		case schema.Money:
			m := money.Money{Amount: v, Currency: t.w.info.Currency}
			c.Number, c.Text = m.Decimal(), m.Decimal()
		case schema.Date:
			c.Time, c.Text = clock.Day(v).Time(), clock.Day(v).String() //nolint:gosec // stored from a Day
		case schema.DateTime:
			c.Time = time.UnixMilli(v).UTC()
			c.Text = schema.FormatText(&schema.Field{Type: schema.DateTime}, c.Time, env)
		case schema.Bool:
			c.Yes, c.Text = v != 0, schema.FormatText(&schema.Field{Type: schema.Bool}, v != 0, env)
		default:
			if d.Scale == 0 {
				c.Number = strconv.FormatInt(v, 10)
			} else {
				c.Number = money.FormatScaled(v, d.Scale)
			}
			c.Text = c.Number
		}
	}
	if c.JSON == nil {
		return sink.Cell{}
	}
	if f, ok := c.JSON.(float64); ok {
		c.JSON = json.Number(strconv.FormatFloat(f, 'f', -1, 64))
	}
	return c
}

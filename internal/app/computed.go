package app

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// figureEnv is what the figures of computed traits are checked against when the program itself reads them.
func (w *workspace) figureEnv() query.CheckEnv {
	return query.CheckEnv{Registry: w.registry(), Object: query.Customer, Base: w.info.Currency, Blind: w.blind, Blinds: w.blinds, Behaviour: true}
}

// computedPlan is how the computed traits are worked out now. A definition that does not work any more keeps its values.
func (w *workspace) computedPlan(ctx context.Context) (*trait.ComputedPlan, error) {
	defs, err := sqlstore.NewComputedTraits(w.store).ListComputed(ctx)
	if err != nil {
		return nil, err
	}
	type part struct {
		def    trait.Computed
		figure *query.ComputedFigure // nil for one that does not work
	}
	parts := make([]part, len(defs))
	plan := &trait.ComputedPlan{}
	sign := fnv.New64a()
	for i, d := range defs {
		f, err := query.ResolveComputed(d.Figure, w.figureEnv())
		if err == nil && (d.Column() >= trait.FamilyInts) != trait.Textual(f) {
			f = nil // the field has another type than its column
		} else if err == nil {
			_, _, err = compile.ComputedText(w.env(), f, compile.ComputedScope{})
		}
		if err != nil {
			f = nil
		}
		parts[i] = part{d, f}
		plan.Families = max(plan.Families, d.Family())
		plan.Events = plan.Events || d.Figure.Of != nil && d.Figure.Of.Event != ""
		plan.Rolling = plan.Rolling || f != nil && f.Hours
		text, err := json.Marshal(d.Figure)
		if err != nil {
			return nil, err
		}
		sign.Write([]byte(strconv.Itoa(d.Place) + strconv.FormatBool(f != nil) + string(text) + ";"))
	}
	if len(defs) > 0 {
		plan.Mark = strconv.FormatUint(sign.Sum64(), 16)
	}
	plan.Steps = func(moment time.Time, s trait.ComputedScope) ([]trait.ComputedStep, error) {
		env := w.env()
		env.Now = moment
		out := make([]trait.ComputedStep, 0, len(parts))
		for _, p := range parts {
			step := trait.ComputedStep{Place: p.def.Place, Zero: p.def.Figure.Kind.Zero()}
			if p.figure != nil {
				step.Rolling = p.figure.Hours
				var err error
				if step.SQL, step.Args, err = compile.ComputedText(env, p.figure, compile.ComputedScope(s)); err != nil {
					return nil, err
				}
			}
			out = append(out, step)
		}
		return out, nil
	}
	return plan, nil
}

// shapeComputed tells the analytics plane which computed traits there are; Ensure follows.
func (w *workspace) shapeComputed(ctx context.Context) error {
	defs, err := sqlstore.NewComputedTraits(w.store).ListComputed(ctx)
	if err != nil {
		return err
	}
	families := 0
	var columns []analytics.ComputedColumn
	for i := range defs {
		families = max(families, defs[i].Family())
		c := analytics.ComputedColumn{Key: defs[i].Key}
		c.Table, c.Column = analytics.ComputedPlace(&defs[i])
		columns = append(columns, c)
	}
	w.plane.Shape(families, columns)
	return nil
}

// newDefinitions makes the life of computed traits.
func (w *workspace) newDefinitions() *trait.Definitions {
	return trait.NewDefinitions(trait.DefinitionConfig{Store: sqlstore.NewComputedTraits(w.store), Preview: w.audience, Catalogue: w.words.Catalogue,
		Resolve: func(ctx context.Context, d query.Computed) (*query.ComputedFigure, error) {
			f, err := query.ResolveComputed(d, w.words.env(ctx, query.Customer, ""))
			if err == nil { // what is saved must also be answered, every night
				_, _, err = compile.ComputedText(w.env(), f, compile.ComputedScope{})
			}
			return f, err
		},
		Uses: w.usesOfTrait, Changed: w.computedChanged, Clock: w.app.Clock})
}

// computedChanged makes room for the values of new definitions and has them computed.
func (w *workspace) computedChanged() {
	ctx := system(w.ctx)
	err := w.shapeComputed(ctx)
	if err == nil {
		var settings trait.Settings
		if settings, err = w.settings(ctx); err == nil {
			err = w.plane.Ensure(ctx, w.registry(), settings)
		}
	}
	if err != nil && w.ctx.Err() == nil { // the next pass makes room for itself
		w.app.Log.Error("prepare computed traits", "workspace", w.info.Key, "error", err)
	}
	w.words.forget()
	w.traits.Notify()
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "traits"})
}

// computedDef is a computed trait as the catalogue shows it.
func (w *workspace) computedDef(d *trait.Computed) trait.Def {
	table, column := analytics.ComputedPlace(d)
	sentence := w.words.Figure(d.Figure)
	out := trait.Def{Key: d.Key, Group: trait.ComputedGroup, Type: d.Type, Scale: d.Scale, Table: table, Column: column, Label: bothWords(d.Label),
		Definition: sentence, Explain: schema.Label{}, Absent: schema.Label{}}
	if f, err := query.ResolveComputed(d.Figure, w.figureEnv()); err == nil {
		out.Options = f.Options
	}
	for loc, text := range sentence {
		if about := d.Description[loc]; about != "" {
			text = about + w.app.words.Text(loc, "trait.computed.also", map[string]any{"what": text})
			out.Definition[loc] = text
		}
		if !strings.Contains(text, "{") {
			out.Explain[loc] = w.app.words.Text(loc, "trait.computed.explain", map[string]any{"what": text, "value": "{value}"})
			out.Absent[loc] = w.app.words.Text(loc, "trait.computed.absent", map[string]any{"what": text})
		}
	}
	return out
}

// bothWords has one language stand for a missing other.
func bothWords(l schema.Label) schema.Label {
	zh, en := l[lang.ChineseSimplified], l[lang.English]
	if zh == "" {
		zh = en
	}
	if en == "" {
		en = zh
	}
	return schema.Label{lang.ChineseSimplified: zh, lang.English: en}
}

// Figure implements api.Conditions.
func (v *vocabulary) Figure(d query.Computed) schema.Label {
	out := schema.Label{}
	env := query.SentenceEnv{Registry: v.w.registry(), Object: query.Customer, Words: v.w.app.words}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		out[loc] = query.ComputedSentence(d, env, loc)
	}
	return out
}

// usesOfTrait names what speaks of a trait: segments, classes, views and rules.
func (w *workspace) usesOfTrait(ctx context.Context, key string) ([]trait.Use, error) {
	ctx = system(ctx)
	var out []trait.Use
	add := func(kind, at, name string, what any) error {
		raw, err := json.Marshal(what)
		if err != nil {
			return err
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		if speaksOf(v, key) {
			out = append(out, trait.Use{Kind: kind, Key: at, Name: name})
		}
		return nil
	}
	segments, err := w.segments.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range segments {
		if err := add("segment", s.Key, s.Label, s.Where); err != nil {
			return nil, err
		}
	}
	classes, err := w.classes.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range classes {
		if err := add("class", c.Key, c.Label[lang.ChineseSimplified], c.Classes); err != nil {
			return nil, err
		}
	}
	views, err := sqlstore.NewViews(w.store).AllViews(ctx)
	if err != nil {
		return nil, err
	}
	for i := range views {
		v := &views[i]
		if err := add("view", v.Key(), v.Name, []any{v.Where, v.Columns, v.Sort, v.Options}); err != nil {
			return nil, err
		}
	}
	rules, err := w.edge.Automations.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if err := add("rule", "", r.Name, r.Definition); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// speaksOf reports whether a JSON value names a trait: as the member "trait", or as "trait.KEY" anywhere.
func speaksOf(v any, key string) bool {
	switch x := v.(type) {
	case string:
		return x == "trait."+key || x == "-trait."+key
	case []any:
		return slices.ContainsFunc(x, func(item any) bool { return speaksOf(item, key) })
	case map[string]any:
		for name, item := range x {
			if text, ok := item.(string); ok && text == key && strings.EqualFold(name, "trait") || speaksOf(item, key) {
				return true
			}
		}
	}
	return false
}

// notePass remembers a pass over everyone.
func (w *workspace) notePass(ctx context.Context, r trait.Result) error {
	if r.Kind == "" || r.Kind == "small" {
		return nil
	}
	return sqlstore.NewComputedTraits(w.store).SavePass(ctx, trait.PassRecord{At: r.At, Kind: r.Kind, Anchor: r.Anchor, Customers: r.Customers, Took: r.Took,
		Verified: r.Verified, Differing: r.Differing})
}

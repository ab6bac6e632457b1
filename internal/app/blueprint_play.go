package app

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/blueprint"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// playItem is a play in the document: its rule by name, and the currency that its amounts are in.
type playItem struct {
	action.Play
	Rule     string `json:"rule,omitempty"`
	Currency string `json:"currency,omitempty"`
}

// gatherPlays carries the plays that the company made or changed. One that begins a rule that cannot be carried is left out.
func (b blueprints) gatherPlays(ctx context.Context, g *gathered) error {
	if !access.From(ctx).Can(access.SegmentRead) {
		g.LeftOut = append(g.LeftOut, "/"+blueprint.Plays)
		return nil
	}
	plays, err := sqlstore.NewActions(b.w.store).Plays(ctx)
	if err != nil {
		return err
	}
	for _, p := range plays {
		item, single := playItem{Play: p}, p.Where != nil && b.personal(query.Customer, p.Where)
		if p.Kind == action.Rule {
			item.Rule = b.ruleName(g, p.Rule)
			single = single || item.Rule == ""
		}
		if p.Amount != 0 || p.Cost != 0 {
			item.Currency = b.w.info.Currency
		}
		if err := b.put(g, single, item, blueprint.Plays, p.Key); err != nil {
			return err
		}
	}
	return nil
}

// ruleName is by which name a rule is carried, "" for one that is not.
func (b blueprints) ruleName(g *gathered, rule id.ID) string {
	for name, r := range g.rules {
		if r.ID == rule && g.Items[blueprint.Pointer(blueprint.Automations, name)] != nil {
			return name
		}
	}
	return ""
}

func (m *importing) playOf(d blueprint.Difference) (action.Play, string, error) {
	var in playItem
	if err := read(d.After, &in); err != nil {
		return in.Play, "", err
	}
	in.Key = blueprint.Parts(d.Pointer)[1]
	if (in.Amount != 0 || in.Cost != 0) && in.Currency != m.w.info.Currency {
		return in.Play, "", fault.InvalidField("blueprint.other_currency", "currency", fault.Params{"here": m.w.info.Currency, "file": in.Currency})
	}
	return in.Play, in.Rule, nil
}

// rules check rules and the plays that begin them.
func (m *importing) rules(f *future) (steps []step) {
	for _, d := range m.of(blueprint.Automations) {
		steps = append(steps, step{d.Pointer, func() error { return m.checkRule(d, f.reg) }})
	}
	for _, d := range m.of(blueprint.Plays) {
		steps = append(steps, step{d.Pointer, func() error { return m.checkPlay(d, f) }})
	}
	return steps
}

// checkPlay checks a play in the language as it will be; its rule is here, or comes along.
func (m *importing) checkPlay(d blueprint.Difference, f *future) error {
	p, rule, err := m.playOf(d)
	if err != nil {
		return err
	}
	return m.w.edge.Actions.Check(m.ctx, &p, f, func(context.Context, id.ID) (bool, error) {
		def := m.g.rules[rule].Definition
		at := blueprint.Pointer(blueprint.Automations, rule)
		if i := slices.IndexFunc(m.chosen, func(o blueprint.Difference) bool { return o.Pointer == at }); i >= 0 && rule != "" {
			in, err := ruleOf(m.chosen[i])
			if err != nil { // told where the rule is checked
				return true, nil //nolint:nilerr // see above
			}
			def = in.Definition
		}
		return def.Object == query.Customer && def.Trigger.Kind == automation.OnManual, nil
	})
}

// play makes or changes a play, after the rules.
func (m *importing) play(d blueprint.Difference) error {
	p, rule, err := m.playOf(d)
	if err != nil {
		return err
	}
	p.Rule = m.g.rules[rule].ID
	_, err = m.w.edge.Actions.Bring(m.ctx, p)
	return err
}

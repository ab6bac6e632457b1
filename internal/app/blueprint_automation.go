package app

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/blueprint"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

// ruleItem is an automation in the document. Whom it runs as is not carried: it runs as whoever brings it in, and is off until somebody
// switches it on.
type ruleItem struct {
	Name        string                `json:"name"`
	Description string                `json:"description"`
	Definition  automation.Definition `json:"definition"`
}

// gatherAutomations leaves out rules that name people, teams or personal values.
func (b blueprints) gatherAutomations(ctx context.Context, g *gathered) error {
	rules, err := b.w.edge.Automations.List(system(ctx))
	if err != nil {
		return err
	}
	for _, r := range rules {
		personal := false
		look := func(where *query.Node) { personal = personal || where != nil && b.personal(r.Definition.Object, where) }
		look(r.Definition.Where)
		automation.Each(r.Definition.Steps, func(s *automation.Step, _ string) {
			look(s.Where)
			personal = personal || s.Mail != nil && (s.Mail.Person != "" || s.Mail.Address != "" || strings.Contains(s.Mail.ReplyTo, "@"))
			if s.Wait != nil {
				look(s.Wait.Where)
			}
		})
		if _, twice := g.rules[r.Name]; twice { // the oldest of a name is carried
			continue
		}
		g.rules[r.Name] = r
		if err := b.put(g, personal, ruleItem{r.Name, r.Description, r.Definition}, blueprint.Automations, r.Name); err != nil {
			return err
		}
	}
	return nil
}

func ruleOf(d blueprint.Difference) (ruleItem, error) {
	var in ruleItem
	raw, err := json.Marshal(d.After)
	if err != nil {
		return in, err
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		if f, ok := fault.Find(err); ok {
			return in, f
		}
		return in, fault.InvalidField("automation.bad_definition", "definition", fault.Params{"reason": err.Error()})
	}
	if in.Name != blueprint.Parts(d.Pointer)[1] {
		return in, fault.InvalidField("blueprint.name_is_key", "name", nil)
	}
	return in, nil
}

// checkRule refuses a rule about an object that there will not be; everything else is checked when the objects are there.
func (m *importing) checkRule(d blueprint.Difference, next *schema.Registry) error {
	in, err := ruleOf(d)
	if err == nil && next.Object(in.Definition.Object) == nil {
		err = fault.InvalidField("automation.unknown_object", "definition.object", fault.Params{"object": in.Definition.Object})
	}
	return err
}

// rule makes or changes an automation.
func (m *importing) rule(d blueprint.Difference) error {
	in, err := ruleOf(d)
	if err != nil {
		return err
	}
	c := automation.Change{Name: &in.Name, Description: &in.Description, Definition: &in.Definition}
	if now, here := m.g.rules[in.Name]; here {
		_, err = m.w.edge.Automations.Update(m.ctx, now.ID, 0, c)
		return err
	}
	made, err := m.w.edge.Automations.Create(m.ctx, c)
	if err == nil {
		m.g.rules[in.Name] = made
	}
	return err
}

package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newActions makes the plays of a workspace and the model that ranks them.
func (w *workspace) newActions() *action.Service {
	a := w.app
	return action.New(action.Config{Keeper: sqlstore.NewActions(w.store), Facts: analytics.NewActions(w.audience), Language: language{w.words}, Doer: doer{w},
		Guards:  []*query.Node{privacy.Processed(nil), {Not: &query.Node{Field: "do_not_contact", Op: "=", Value: json.RawMessage("true")}}},
		Consent: w.marketingTrait,
		Learned: func(ctx context.Context) (json.RawMessage, json.RawMessage, error) {
			state, _, err := w.edge.Models.State(ctx, action.Key)
			if err != nil {
				return nil, nil, err
			}
			options, err := w.edge.Models.Options(ctx, action.Key)
			return state, options, err
		},
		Changed: w.actionsChanged, Clock: a.Clock, IDs: a.ids.Next,
		Today: func() clock.Day { return clock.DayOf(a.Clock.Now(), w.zone) }})
}

// marketingTrait is the trait that tells whether marketing on a channel is agreed to.
func (w *workspace) marketingTrait(channel string) string {
	if !slices.Contains(consent.Channels(), consent.Channel(channel)) || channel == string(consent.Any) {
		return ""
	}
	key := consent.TraitKey(consent.Marketing, consent.Channel(channel))
	if _, ok := w.words.Catalogue().Find(key); !ok {
		return ""
	}
	return key
}

// actionsChanged tells open pages; rank has everybody ranked anew, where somebody was ranked before.
func (w *workspace) actionsChanged(ctx context.Context, rank bool) {
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "action"})
	if !rank {
		return
	}
	w.words.forget()
	_, ranked, err := w.edge.Models.State(ctx, action.Key)
	if err == nil && ranked {
		_, err = w.app.jobs.Add(ctx, w.modelJob("score:"+action.Key))
	}
	if err != nil && w.ctx.Err() == nil { // the next night does it
		w.app.Log.Error("rank plays", "workspace", w.info.Key, "error", err)
	}
}

// actionTraits are the traits of the next plays with the names of the plays.
func (w *workspace) actionTraits(ctx context.Context) ([]trait.Def, error) {
	saved, err := sqlstore.NewActions(w.store).Plays(ctx)
	if err != nil {
		return nil, err
	}
	var options []schema.Option
	for _, p := range action.All(saved) {
		options = append(options, schema.Option{Key: p.Key, Label: bothWords(p.Label)})
	}
	var out []trait.Def
	for _, key := range action.PlayTraits() {
		if d, ok := w.words.standard.Find(key); ok {
			d.Options = options
			out = append(out, d)
		}
	}
	return out, nil
}

// doer does what is accepted, with the rights of whoever accepts.
type doer struct{ w *workspace }

// See implements action.Doer.
func (d doer) See(ctx context.Context, customer id.ID) error {
	_, err := d.w.records.Get(ctx, query.Customer, customer)
	return err
}

// Task implements action.Doer.
func (d doer) Task(ctx context.Context, customer id.ID, p *action.Play, locale lang.Locale) (id.ID, error) {
	obj := activity.Known(d.w.registry(), activity.Task)
	if obj == nil {
		return 0, fault.New(fault.Conflict, "action.no_tasks", nil)
	}
	in := record.Input{"subject": say(p.Label, locale), "about": id.Format(d.w.registry().Object(query.Customer).Prefix, customer), "note": say(p.What, locale)}
	if owner, err := d.owner(ctx, customer); err != nil {
		return 0, err
	} else if owner != 0 {
		in["assignee"] = id.Format(auth.UserPrefix, owner)
	}
	if p.Due > 0 {
		in["due_at"] = d.w.app.Clock.Now().In(d.w.zone).AddDate(0, 0, p.Due).Format(time.RFC3339)
	}
	r, err := d.w.records.Create(ctx, obj.Key, in)
	if err != nil {
		return 0, err
	}
	return r.ID, nil
}

// owner is who looks after a customer, whatever the reader may see of it.
func (d doer) owner(ctx context.Context, customer id.ID) (id.ID, error) {
	r, err := d.w.records.Get(system(ctx), query.Customer, customer)
	if err != nil {
		return 0, err
	}
	owner, _ := r.Values[d.w.registry().Object(query.Customer).OwnerField].(id.ID)
	return owner, nil
}

func say(l schema.Label, locale lang.Locale) string {
	if text := strings.TrimSpace(l[locale]); text != "" {
		return text
	}
	return bothWords(l)[lang.ChineseSimplified]
}

// Begin implements action.Doer.
func (d doer) Begin(ctx context.Context, rule id.ID, customer id.ID, request string) error {
	n, err := d.w.edge.Automations.Press(ctx, rule, []id.ID{customer}, request)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "action.rule_unfit", nil)
	}
	return err
}

// Begins implements action.Doer.
func (d doer) Begins(ctx context.Context, rule id.ID) (bool, error) {
	rules, err := d.w.edge.Automations.Manual(ctx, query.Customer)
	return slices.ContainsFunc(rules, func(r automation.Rule) bool { return r.ID == rule }), err
}

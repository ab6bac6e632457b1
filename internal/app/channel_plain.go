package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/channel"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/sms"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// plainly reports whether what a channel says stands in the campaign itself and not in a template.
func plainly(ch string) bool { return ch == campaign.Webhook || ch == campaign.Task }

// plainDoc is what a variant says, as a document of templates.
func plainDoc(v *campaign.Variant) template.Document {
	return template.Document{Text: cmp.Or(strings.TrimSpace(v.Text), strings.TrimSpace(v.Title)), Params: []template.Param{{Key: "title", Value: strings.TrimSpace(v.Title)}}}
}

// letterOf is what somebody is written, compiled.
func (c *campaignWriter) letterOf(ctx context.Context, d *campaign.Draw) (*template.Letter, string, error) {
	if !plainly(d.Campaign.Channel) {
		return c.letter(ctx, d.Variant.Template, d.Variant.Version, d.Person.Locale)
	}
	l, _ := template.Compile(template.SMS, plainDoc(d.Variant), d.Person.Locale)
	return l, d.Person.Locale, nil
}

// plain is what a task or a webhook says of one person.
func (c *campaignWriter) plain(l *template.Letter, values template.Values, locale string) (out campaign.Letter, err error) {
	r, err := l.Render(values, template.Frame{Locale: locale})
	if err != nil {
		return out, fault.Wrap(fault.Invalid, "campaign.not_written", err)
	}
	out.Parts = 1
	for _, p := range r.Params {
		out.Subject = p.Value
	}
	if r.Text != out.Subject {
		out.Text = r.Text
	}
	return out, nil
}

// plainReady refuses a campaign of tasks or webhooks that could not be done, and fixes the receiver.
func (c *campaignWriter) plainReady(ctx context.Context, v *campaign.Campaign) error {
	for i := range v.Plan.Variants {
		x := &v.Plan.Variants[i]
		at := fmt.Sprintf("variants.%d", i)
		if strings.TrimSpace(x.Title) == "" {
			return fault.InvalidField("campaign.no_title", at, nil)
		}
		body := template.Body{Locale: c.w.info.Locale, Documents: map[string]template.Document{c.w.info.Locale: plainDoc(x)}}
		for _, f := range c.w.edge.Templates.Check(ctx, template.SMS, &body) {
			if f.Severe {
				return fault.InvalidField("template."+f.Code, at, fault.Params{"what": f.What, "line": f.Line})
			}
		}
	}
	if v.Channel == campaign.Task {
		return c.ownerHere(ctx, v)
	}
	a, err := c.w.channels.Use(ctx, channel.Webhook, v.Plan.Account)
	if fault.KindOf(err) == fault.Conflict {
		code := fault.CodeOf(err)
		if code == "channel.none" {
			code = "channel.no_receiver"
		}
		return fault.InvalidField(code, "account", fault.Params{"name": a.Name})
	}
	v.Plan.Account, v.Plan.Rate = a.ID, a.Settings.Price
	return err
}

// ownerHere refuses somebody who is not there any more.
func (c *campaignWriter) ownerHere(ctx context.Context, v *campaign.Campaign) error {
	if v.Plan.Owner == 0 {
		return nil
	}
	here, err := rulePeople{c.w}.Present(system(ctx), []id.ID{v.Plan.Owner})
	if err == nil && !here[v.Plan.Owner] {
		err = fault.InvalidField("campaign.no_owner", "owner", nil)
	}
	return err
}

// callCarrier implements campaign.Carrier with a signed request. Whoever hears the same id twice knows it, so that what nobody knows is tried again.
type callCarrier struct{ w *workspace }

// Ready implements campaign.Carrier.
func (c callCarrier) Ready(ctx context.Context, v *campaign.Campaign) error {
	_, err := c.w.channels.Use(ctx, channel.Webhook, v.Plan.Account)
	return err
}

// Carry implements campaign.Carrier.
func (c callCarrier) Carry(ctx context.Context, p campaign.Parcel) campaign.Answer {
	a, err := c.w.channels.Use(ctx, channel.Webhook, p.Account)
	if err != nil {
		return campaign.Answer{Later: true, Halt: fault.CodeOf(err)}
	}
	key := id.Format(campaign.IntentPrefix, p.Intent)
	body, err := json.Marshal(map[string]any{"type": "campaign.message", "id": key, "campaign": map[string]string{"id": id.Format(campaign.Prefix, p.Run.ID), "name": p.Run.Name}, "variant": p.Variant.Key,
		"customer": map[string]string{"id": id.Format("cus", p.Person.ID), "name": p.Person.Name}, "title": p.Letter.Subject, "text": p.Letter.Text})
	if err != nil {
		return campaign.Answer{State: campaign.Failed, Reason: "campaign.not_written"}
	}
	r := c.w.channels.Call(ctx, &a, key, body)
	if r.Outcome == sms.Unknown {
		r.Outcome = sms.Later
	}
	return answerOf(r)
}

// taskCarrier implements campaign.Carrier with a task for somebody. The task and the line are written together.
type taskCarrier struct {
	w     *workspace
	lines *sqlstore.Campaigns
}

// Ready implements campaign.Carrier.
func (taskCarrier) Ready(context.Context, *campaign.Campaign) error { return nil }

// Carry implements campaign.Carrier.
func (c taskCarrier) Carry(ctx context.Context, p campaign.Parcel) campaign.Answer {
	w := c.w
	step := &journey.Step{Kind: journey.Task}
	if p.Run.Plan.Owner != 0 {
		step.Owner = id.Format("usr", p.Run.Plan.Owner)
	}
	owners, err := journeyDesk{w}.owners(ctx, []journey.Act{{Step: step, Customer: p.Person.ID}})
	if err != nil {
		return campaign.Answer{Later: true, Reason: "broken"}
	}
	zone := w.zoneOf()
	if p.Person.Zone != nil {
		zone = p.Person.Zone
	}
	in := record.Input{"subject": p.Letter.Subject, "customer": p.Person.ID, "due_at": w.app.Clock.Now().In(zone).AddDate(0, 0, p.Run.Plan.Due)}
	if p.Letter.Text != "" {
		in["note"] = p.Letter.Text
	}
	if who := owners[p.Person.ID]; who != 0 {
		in["assignee"] = who
	}
	answer := campaign.Answer{State: campaign.Accepted}
	_, _, err = w.records.Mass(system(ctx), []record.BatchOp{{Op: change.Create, Object: "task", Input: in}}, record.MassCall{Then: func(ctx context.Context, tx record.Tx, results []record.BulkResult) error {
		if err := results[0].Err; err != nil {
			answer = campaign.Answer{State: campaign.Failed, Reason: cmp.Or(fault.CodeOf(err), "campaign.not_written")}
			return nil
		}
		ours, err := c.lines.FinishIn(ctx, tx, campaign.Done{Intent: p.Intent, State: campaign.Accepted, At: w.app.Clock.Now()})
		if err == nil && !ours {
			err = fault.New(fault.Conflict, "campaign.wrong_status", nil) // another one did it: nothing stays
		}
		return err
	}})
	if err != nil {
		return campaign.Answer{Later: true, Reason: cmp.Or(fault.CodeOf(err), "broken")}
	}
	return answer
}

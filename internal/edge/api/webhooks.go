package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
)

// webhookRoutes are for administrators. Every line that changes something leaves a note in the trail: webhook.create, .update, .delete,
// .rotate, .test and .replay; the program itself notes webhook.disabled and webhook.reveal.
func (a *API) webhookRoutes() []route {
	r := access.WebhookManage
	return []route{
		{method: get, path: "/webhooks", need: right, right: r, run: op(a.listWebhooks), doc: "Webhooks with their health"},
		{method: post, path: "/webhooks", need: right, right: r, run: op(a.createWebhook), doc: "Make a webhook; its secret is shown once", status: http.StatusCreated, secret: true},
		{method: get, path: "/webhooks/{id}", need: right, right: r, run: op(a.getWebhook), doc: "One webhook"},
		{method: patch, path: "/webhooks/{id}", need: right, right: r, run: op(a.patchWebhook), doc: "Change, pause or resume a webhook", secret: true},
		{method: del, path: "/webhooks/{id}", need: right, right: r, run: op(a.deleteWebhook), doc: "Delete a webhook with its log"},
		{method: post, path: "/webhooks/{id}/rotate", need: right, right: r, run: op(a.rotateWebhook), doc: "A new secret, shown once; the old one signs beside it for a day", secret: true},
		{method: post, path: "/webhooks/{id}/test", need: right, right: r, run: op(a.testWebhook), doc: "Send a test message now"},
		{method: post, path: "/webhooks/{id}/replay", need: right, right: r, run: op(a.replayWebhook), doc: "Send deliveries again: one, all dead ones, or those of a time"},
		{method: get, path: "/webhooks/{id}/deliveries", need: right, right: r, run: op(a.listDeliveries), doc: "Deliveries of a webhook, newest first"},
		{method: get, path: "/webhooks/{id}/deliveries/{delivery}", need: right, right: r, run: op(a.getDelivery), doc: "One delivery with its request and answers"},
	}
}

// WebhookRule chooses events of one object.
type WebhookRule struct {
	Object   string       `json:"object"`
	Kinds    []string     `json:"kinds" enum:"created,updated,deleted,restored,file_added,file_removed,approval.asked,approval.decided,approval.withdrawn,approval.applied,approval.failed,automation.failed,stage.moved"`
	Where    *query.Node  `json:"where"`
	Sentence schema.Label `json:"sentence,omitempty"`
	Fields   []string     `json:"fields" doc:"of updates, only those that changed one of these fields; empty for all"`
}

// Webhook is a subscription as the API shows it. Secrets and the values of headers are never shown again.
type Webhook struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	URL             string        `json:"url"`
	Rules           []WebhookRule `json:"rules"`
	State           string        `json:"state" enum:"active,paused,disabled"`
	Reason          string        `json:"reason" doc:"why the program disabled it: gone, failing, condition"`
	Reveal          bool          `json:"reveal" doc:"personal values are sent in clear"`
	Headers         []string      `json:"headers" doc:"names of further headers"`
	SecondSecretEnd *time.Time    `json:"old_secret_until"`
	CreatedAt       time.Time     `json:"created_at"`
	UpdatedAt       time.Time     `json:"updated_at"`
	Version         int64         `json:"version"`
	LastSuccessAt   *time.Time    `json:"last_success_at"`
	LastFailureAt   *time.Time    `json:"last_failure_at"`
	FailingSince    *time.Time    `json:"failing_since"`
	Failures        int           `json:"failures"`
	LastError       string        `json:"last_error"`
	Waiting         int           `json:"waiting"`
	Dead            int           `json:"dead"`
}

func (w Webhook) etag() string { return `"` + strconv.FormatInt(w.Version, 10) + `"` }

// NewWebhook is a webhook with a secret that is shown this once.
type NewWebhook struct {
	Webhook Webhook `json:"webhook"`
	Secret  string  `json:"secret"`
}

// WebhookList is every webhook of the workspace.
type WebhookList struct {
	Items []Webhook `json:"items"`
}

// WebhookDelivery is one message.
type WebhookDelivery struct {
	ID       string     `json:"id" doc:"the webhook-id"`
	Type     string     `json:"type"`
	Record   *Ref       `json:"record"`
	At       time.Time  `json:"at"`
	State    string     `json:"state" enum:"waiting,delivered,dead"`
	Error    string     `json:"error" doc:"of the last attempt: timeout, refused, resolve, connect, tls, status, redirect, secret, broken"`
	Attempts int        `json:"attempts"`
	NextAt   *time.Time `json:"next_at"`
	DoneAt   *time.Time `json:"done_at"`
}

// WebhookDeliveryPage is a page of the log.
type WebhookDeliveryPage struct {
	Items      []WebhookDelivery `json:"items"`
	NextCursor *string           `json:"next_cursor"`
}

// WebhookAttempt is one request.
type WebhookAttempt struct {
	Number   int       `json:"number"`
	At       time.Time `json:"at"`
	Ms       int64     `json:"ms"`
	Status   int       `json:"status"`
	Error    string    `json:"error"`
	Response string    `json:"response"`
}

// WebhookDetail is a delivery with what was sent and answered. Secrets and personal values are hidden.
type WebhookDetail struct {
	Delivery WebhookDelivery   `json:"delivery"`
	URL      string            `json:"url"`
	Headers  map[string]string `json:"headers"`
	Body     any               `json:"body"`
	Attempts []WebhookAttempt  `json:"attempts"`
}

func (a *API) showWebhook(c *call, s webhook.Subscription) Webhook {
	out := Webhook{ID: id.Format(webhook.Prefix, s.ID), Name: s.Name, URL: s.URL, Rules: []WebhookRule{}, State: string(s.State), Reason: s.Reason, Reveal: s.Reveal,
		Headers: list(s.HeaderNames), CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Version: s.Version, LastSuccessAt: optional(s.LastSuccess), LastFailureAt: optional(s.LastFailure),
		FailingSince: optional(s.FailingSince), Failures: s.Failures, LastError: s.LastError, Waiting: s.Waiting, Dead: s.Dead}
	if s.OldUntil.After(a.Clock.Now()) {
		out.SecondSecretEnd = optional(s.OldUntil)
	}
	for _, r := range s.Rules {
		v := WebhookRule{Object: r.Object, Kinds: []string{}, Where: r.Where, Fields: list(r.Fields)}
		for _, k := range r.Kinds {
			v.Kinds = append(v.Kinds, string(k))
		}
		if r.Where != nil {
			v.Sentence = c.ws.Conditions.Sentence(r.Object, r.Where)
		}
		out.Rules = append(out.Rules, v)
	}
	return out
}

func (a *API) listWebhooks(ctx context.Context, c *call, _ struct{}) (WebhookList, error) {
	all, err := c.ws.Webhooks.List(ctx)
	out := WebhookList{Items: []Webhook{}}
	for _, s := range all {
		out.Items = append(out.Items, a.showWebhook(c, s))
	}
	return out, err
}

func webhookID(text string) (id.ID, error) {
	v, err := id.Parse(webhook.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "webhook.not_found", nil)
	}
	return v, nil
}

func deliveryID(text string) (id.ID, error) {
	v, err := id.Parse(webhook.MessagePrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "webhook.delivery_not_found", nil)
	}
	return v, nil
}

func (a *API) getWebhook(ctx context.Context, c *call, in idIn) (Webhook, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return Webhook{}, err
	}
	s, err := c.ws.Webhooks.Get(ctx, key)
	if err != nil {
		return Webhook{}, err
	}
	return a.showWebhook(c, s), nil
}

// WebhookRuleIn is a rule of a request.
type WebhookRuleIn struct {
	Object string    `json:"object"`
	Kinds  []string  `json:"kinds"`
	Where  Condition `json:"where,omitempty"`
	Fields []string  `json:"fields,omitempty"`
}

type webhookBody struct {
	Name   *string          `json:"name,omitempty"`
	URL    *string          `json:"url,omitempty"`
	Rules  *[]WebhookRuleIn `json:"rules,omitempty"`
	State  *string          `json:"state,omitempty" enum:"active,paused"`
	Reveal *bool            `json:"reveal,omitempty"`
	// Headers replace those there are; null keeps the value of a name.
	Headers map[string]*string `json:"headers,omitempty"`
	Version int64              `json:"version,omitempty"`
}

func (b *webhookBody) input() (webhook.Input, error) {
	in := webhook.Input{Name: b.Name, URL: b.URL, Reveal: b.Reveal, Headers: b.Headers}
	if b.State != nil {
		state := webhook.State(*b.State)
		in.State = &state
	}
	if b.Rules == nil {
		return in, nil
	}
	rules := make([]webhook.Rule, len(*b.Rules))
	for i, r := range *b.Rules {
		where, err := r.Where.node("rules." + strconv.Itoa(i) + ".where")
		if err != nil {
			return in, err
		}
		rules[i] = webhook.Rule{Object: r.Object, Where: where, Fields: r.Fields}
		for _, k := range r.Kinds {
			rules[i].Kinds = append(rules[i].Kinds, webhook.Kind(k))
		}
	}
	in.Rules = &rules
	return in, nil
}

type createWebhookIn struct{ Body webhookBody }

func (a *API) createWebhook(ctx context.Context, c *call, in createWebhookIn) (NewWebhook, error) {
	want, err := in.Body.input()
	if err != nil {
		return NewWebhook{}, err
	}
	s, secret, err := c.ws.Webhooks.Create(ctx, want)
	if err != nil {
		return NewWebhook{}, err
	}
	out := NewWebhook{Webhook: a.showWebhook(c, s), Secret: secret}
	return out, a.noteWebhook(ctx, c, "webhook.create", s, nil)
}

// noteWebhook leaves a line in the trail: where to, and whether personal values go out in clear.
func (a *API) noteWebhook(ctx context.Context, c *call, action string, s webhook.Subscription, more map[string]any) error {
	detail := map[string]any{"webhook": id.Format(webhook.Prefix, s.ID), "name": s.Name, "url": hostOf(s.URL), "reveal": s.Reveal, "state": string(s.State)}
	for k, v := range more {
		detail[k] = v
	}
	return a.Auth.Note(ctx, c.who.Workspace.Key, action, "", 0, detail)
}

// hostOf leaves out the path and query of an address, which may hold a token.
func hostOf(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return scheme + "://" + rest
}

type patchWebhookIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    webhookBody
}

func (a *API) patchWebhook(ctx context.Context, c *call, in patchWebhookIn) (Webhook, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return Webhook{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Webhook{}, err
	}
	want, err := in.Body.input()
	if err != nil {
		return Webhook{}, err
	}
	s, err := c.ws.Webhooks.Update(ctx, key, version, want)
	if err != nil {
		return Webhook{}, err
	}
	return a.showWebhook(c, s), a.noteWebhook(ctx, c, "webhook.update", s, nil)
}

func (a *API) deleteWebhook(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return empty{}, err
	}
	s, err := c.ws.Webhooks.Get(ctx, key)
	if err != nil {
		return empty{}, err
	}
	if err := c.ws.Webhooks.Delete(ctx, key); err != nil {
		return empty{}, err
	}
	return empty{}, a.noteWebhook(ctx, c, "webhook.delete", s, nil)
}

func (a *API) rotateWebhook(ctx context.Context, c *call, in idIn) (NewWebhook, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return NewWebhook{}, err
	}
	s, secret, err := c.ws.Webhooks.Rotate(ctx, key)
	if err != nil {
		return NewWebhook{}, err
	}
	out := NewWebhook{Webhook: a.showWebhook(c, s), Secret: secret}
	return out, a.noteWebhook(ctx, c, "webhook.rotate", s, nil)
}

// WebhookTest is what became of a test message.
type WebhookTest struct {
	Delivery WebhookDelivery `json:"delivery"`
	Attempt  WebhookAttempt  `json:"attempt"`
}

func (a *API) testWebhook(ctx context.Context, c *call, in idIn) (WebhookTest, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return WebhookTest{}, err
	}
	s, err := c.ws.Webhooks.Get(ctx, key)
	if err != nil {
		return WebhookTest{}, err
	}
	if err := a.limits.allow("webhook:"+c.who.Workspace.Key, Rate{PerSecond: 1, Burst: 10}); err != nil {
		return WebhookTest{}, err
	}
	d, attempt, err := c.ws.Webhooks.Test(ctx, key)
	if err != nil {
		return WebhookTest{}, err
	}
	return WebhookTest{Delivery: c.showDelivery(&d), Attempt: showAttempt(attempt)}, a.noteWebhook(ctx, c, "webhook.test", s, nil)
}

type replayIn struct {
	ID   string `path:"id"`
	Body struct {
		Delivery string     `json:"delivery,omitempty" doc:"one delivery"`
		Dead     bool       `json:"dead,omitempty" doc:"only those that were given up"`
		From     *time.Time `json:"from,omitempty" doc:"events at or after this moment"`
		To       *time.Time `json:"to,omitempty" doc:"events before this moment"`
	}
}

// Replayed says how many deliveries are sent again.
type Replayed struct {
	Count int `json:"count"`
}

func (a *API) replayWebhook(ctx context.Context, c *call, in replayIn) (Replayed, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return Replayed{}, err
	}
	var f webhook.Filter
	if in.Body.Delivery != "" {
		if f.Delivery, err = deliveryID(in.Body.Delivery); err != nil {
			return Replayed{}, err
		}
	}
	if in.Body.Dead {
		f.State = webhook.Dead
	}
	if in.Body.From != nil {
		f.From = *in.Body.From
	}
	if in.Body.To != nil {
		f.To = *in.Body.To
	}
	n, err := c.ws.Webhooks.Replay(ctx, key, f)
	if err != nil {
		return Replayed{}, err
	}
	s, err := c.ws.Webhooks.Get(ctx, key)
	if err != nil {
		return Replayed{}, err
	}
	return Replayed{Count: n}, a.noteWebhook(ctx, c, "webhook.replay", s, map[string]any{"count": n})
}

type deliveriesIn struct {
	ID     string `path:"id"`
	State  string `query:"state" enum:"waiting,delivered,dead"`
	From   string `query:"from" doc:"events at or after this moment (RFC 3339)"`
	To     string `query:"to" doc:"events before this moment"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
}

func (a *API) listDeliveries(ctx context.Context, c *call, in deliveriesIn) (WebhookDeliveryPage, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return WebhookDeliveryPage{}, err
	}
	f := webhook.Filter{State: webhook.DeliveryState(in.State)}
	if f.State != "" && f.State != webhook.Waiting && f.State != webhook.Delivered && f.State != webhook.Dead {
		return WebhookDeliveryPage{}, fault.InvalidField("api.bad_parameter", "state", nil)
	}
	for _, p := range []struct {
		name, text string
		to         *time.Time
	}{{"from", in.From, &f.From}, {"to", in.To, &f.To}} {
		if p.text == "" {
			continue
		}
		if *p.to, err = time.Parse(time.RFC3339, p.text); err != nil {
			return WebhookDeliveryPage{}, fault.InvalidField("api.bad_parameter", p.name, nil)
		}
	}
	if in.Cursor != "" {
		if f.Before, err = id.Parse(webhook.MessagePrefix, in.Cursor); err != nil {
			return WebhookDeliveryPage{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	page, next, err := c.ws.Webhooks.Deliveries(ctx, key, f, in.Limit)
	if err != nil {
		return WebhookDeliveryPage{}, err
	}
	out := WebhookDeliveryPage{Items: []WebhookDelivery{}}
	for i := range page {
		out.Items = append(out.Items, c.showDelivery(&page[i]))
	}
	if next != 0 {
		text := id.Format(webhook.MessagePrefix, next)
		out.NextCursor = &text
	}
	return out, nil
}

func (c *call) showDelivery(d *webhook.Delivery) WebhookDelivery {
	out := WebhookDelivery{ID: d.Message(), Type: d.Type, At: d.At, State: string(d.State), Error: d.Reason, Attempts: d.Attempts, DoneAt: optional(d.DoneAt)}
	if d.State == webhook.Waiting {
		out.NextAt = optional(d.NextAt)
	}
	if d.Record != 0 {
		key := id.Format(c.prefixOf(d.Object), d.Record)
		out.Record = &Ref{ID: key, Object: d.Object, Title: key}
	}
	return out
}

func showAttempt(at webhook.Attempt) WebhookAttempt {
	return WebhookAttempt{Number: at.Number, At: at.At, Ms: at.Took.Milliseconds(), Status: at.Status, Error: at.Error, Response: at.Response}
}

type deliveryIn struct {
	ID       string `path:"id"`
	Delivery string `path:"delivery"`
}

const hiddenValue = "•••"

func (a *API) getDelivery(ctx context.Context, c *call, in deliveryIn) (WebhookDetail, error) {
	key, err := webhookID(in.ID)
	if err != nil {
		return WebhookDetail{}, err
	}
	v, err := deliveryID(in.Delivery)
	if err != nil {
		return WebhookDetail{}, err
	}
	s, err := c.ws.Webhooks.Get(ctx, key)
	if err != nil {
		return WebhookDetail{}, err
	}
	d, attempts, err := c.ws.Webhooks.Delivery(ctx, key, v)
	if err != nil {
		return WebhookDetail{}, err
	}
	out := WebhookDetail{Delivery: c.showDelivery(&d), URL: s.URL, Body: json.RawMessage(d.Body), Attempts: []WebhookAttempt{},
		Headers: map[string]string{"content-type": "application/json", webhook.HeaderID: d.Message(), webhook.HeaderSignature: "v1," + hiddenValue}}
	for _, name := range s.HeaderNames {
		out.Headers[strings.ToLower(name)] = hiddenValue
	}
	for _, at := range attempts {
		out.Attempts = append(out.Attempts, showAttempt(at))
		out.Headers[webhook.HeaderTimestamp] = strconv.FormatInt(at.At.Unix(), 10)
	}
	return out, nil
}

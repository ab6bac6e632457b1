package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/channel"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/sms"
)

// channelRoutes are for administrators, but for the names, which whoever plans campaigns chooses from, and the address that providers call. Every line
// that changes something leaves a note in the trail.
func (a *API) channelRoutes() []route {
	r := access.MailManage
	return []route{
		{method: get, path: "/channels", need: right, right: r, run: op(a.listChannels), doc: "Accounts of text messages and receivers of messages, with their health"},
		{method: get, path: "/channels/names", need: right, right: access.CampaignRead, run: op(a.namesOfChannels), doc: "Accounts that a campaign can go through"},
		{method: post, path: "/channels", need: right, right: r, run: op(a.createChannel), doc: "Add an account; its secret is never shown again", status: http.StatusCreated, secret: true},
		{method: patch, path: "/channels/{id}", need: right, right: r, run: op(a.patchChannel), doc: "Change, turn off or turn on an account", secret: true},
		{method: del, path: "/channels/{id}", need: right, right: r, run: op(a.deleteChannel), doc: "Delete an account that no campaign under way goes through"},
		{method: post, path: "/channels/{id}/turn", need: right, right: r, run: op(a.turnChannel), doc: "Make another address for receipts; the one before leads nowhere from then on", secret: true, status: http.StatusOK},
		{method: post, path: "/channels/{id}/test", need: right, right: r, run: op(a.testChannel), doc: "Send a test message now", secret: true, status: http.StatusOK},
		{method: post, path: "/channels/release", need: right, right: r, run: op(a.releaseNumber), doc: "Let text messages go to a number again that took nothing, or whose owner wanted none", secret: true, status: http.StatusOK},
		{method: post, path: "/messages/told/{token}", need: open, run: op(a.toldByChannel), doc: "What a provider tells: receipts and answers of text messages", stream: true},
	}
}

// ChannelAccount is an account. Its secret is never shown again.
type ChannelAccount struct {
	ID          string     `json:"id"`
	Channel     string     `json:"channel" enum:"sms,webhook"`
	Provider    string     `json:"provider" enum:"aliyun,tencent,http"`
	Name        string     `json:"name"`
	Endpoint    string     `json:"endpoint" doc:"empty for that of the provider"`
	Key         string     `json:"key" doc:"AccessKeyId or SecretId"`
	HasSecret   bool       `json:"has_secret"`
	App         string     `json:"app" doc:"SmsSdkAppId"`
	Region      string     `json:"region"`
	Sign        string     `json:"sign" doc:"signature without brackets"`
	Out         string     `json:"out" doc:"words at the end of marketing that say how to have no more of it"`
	Price       int64      `json:"price" doc:"of a part, thousandths of a minor unit of the base currency"`
	Active      bool       `json:"active"`
	Version     int64      `json:"version"`
	UpdatedAt   time.Time  `json:"updated_at"`
	LastSuccess *time.Time `json:"last_success_at"`
	Failing     *time.Time `json:"failing_since"`
	LastError   string     `json:"last_error" doc:"code of the provider, or timeout, connect, resolve, refused, tls, status, broken, sealed"`
	Inbox       string     `json:"inbox" doc:"path at which the provider tells receipts and answers; it is a secret"`
}

func (v ChannelAccount) etag() string { return `"` + strconv.FormatInt(v.Version, 10) + `"` }

// ChannelAccounts is all of them.
type ChannelAccounts struct {
	Items []ChannelAccount `json:"items"`
}

func (c *call) showChannel(v *channel.Account) ChannelAccount {
	x := &v.Settings
	out := ChannelAccount{ID: id.Format(channel.Prefix, v.ID), Channel: v.Channel, Provider: v.Provider, Name: v.Name, Endpoint: x.Endpoint, Key: x.Key, HasSecret: v.Secret != nil, App: x.App, Region: x.Region, Sign: x.Sign,
		Out: x.Out, Price: x.Price, Active: v.Active, Version: v.Version, UpdatedAt: v.UpdatedAt, LastSuccess: optional(v.LastSuccess), Failing: optional(v.FailingSince), LastError: v.LastError}
	if v.Channel == channel.SMS {
		out.Inbox = "/api/v1/messages/told/" + c.ws.Channels.Token(v)
	}
	return out
}

func (a *API) listChannels(ctx context.Context, c *call, _ struct{}) (ChannelAccounts, error) {
	all, err := c.ws.Channels.List(ctx)
	out := ChannelAccounts{Items: []ChannelAccount{}}
	for i := range all {
		out.Items = append(out.Items, c.showChannel(&all[i]))
	}
	return out, err
}

// ChannelName is an account that a campaign can go through.
type ChannelName struct {
	ID      string `json:"id"`
	Channel string `json:"channel" enum:"sms,webhook"`
	Name    string `json:"name"`
	Sign    string `json:"sign"`
	Price   int64  `json:"price" doc:"of a part, thousandths of a minor unit of the base currency"`
	Coded   bool   `json:"coded" doc:"it sends texts that it approved, by their code"`
	Active  bool   `json:"active"`
}

// ChannelNames is all of them.
type ChannelNames struct {
	Items []ChannelName `json:"items"`
}

func (a *API) namesOfChannels(ctx context.Context, c *call, _ struct{}) (ChannelNames, error) {
	all, err := c.ws.Channels.List(ctx)
	out := ChannelNames{Items: []ChannelName{}}
	for i := range all {
		v := &all[i]
		out.Items = append(out.Items, ChannelName{id.Format(channel.Prefix, v.ID), v.Channel, v.Name, v.Settings.Sign, v.Settings.Price, v.Coded(), v.Active})
	}
	return out, err
}

type channelBody struct {
	Channel  string  `json:"channel,omitempty" enum:"sms,webhook" doc:"of a new one"`
	Provider string  `json:"provider,omitempty" enum:"aliyun,tencent,http" doc:"of a new one"`
	Name     *string `json:"name,omitempty"`
	Endpoint *string `json:"endpoint,omitempty"`
	Key      *string `json:"key,omitempty"`
	Secret   *string `json:"secret,omitempty" doc:"empty keeps what is there"`
	App      *string `json:"app,omitempty"`
	Region   *string `json:"region,omitempty"`
	Sign     *string `json:"sign,omitempty"`
	Out      *string `json:"out,omitempty"`
	Price    *int64  `json:"price,omitempty"`
	Active   *bool   `json:"active,omitempty"`
	Version  int64   `json:"version,omitempty"`
}

func (b *channelBody) input() channel.Input {
	return channel.Input{Name: b.Name, Endpoint: b.Endpoint, Key: b.Key, Secret: b.Secret, App: b.App, Region: b.Region, Sign: b.Sign, Out: b.Out, Price: b.Price, Active: b.Active}
}

func channelID(text string) (id.ID, error) {
	v, err := id.Parse(channel.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "channel.not_found", nil)
	}
	return v, nil
}

// noteChannel leaves a line in the trail.
func (a *API) noteChannel(ctx context.Context, c *call, action string, v *channel.Account) error {
	return a.Auth.Note(ctx, c.who.Workspace.Key, action, "", 0, map[string]any{"account": id.Format(channel.Prefix, v.ID), "name": v.Name, "channel": v.Channel, "provider": v.Provider, "url": hostOf(v.Settings.Endpoint), "active": v.Active})
}

type createChannelIn struct{ Body channelBody }

func (a *API) createChannel(ctx context.Context, c *call, in createChannelIn) (ChannelAccount, error) {
	v, err := c.ws.Channels.Create(ctx, in.Body.Channel, in.Body.Provider, in.Body.input())
	if err != nil {
		return ChannelAccount{}, err
	}
	return c.showChannel(&v), a.noteChannel(ctx, c, "channel.create", &v)
}

type patchChannelIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    channelBody
}

func (a *API) patchChannel(ctx context.Context, c *call, in patchChannelIn) (ChannelAccount, error) {
	key, err := channelID(in.ID)
	if err != nil {
		return ChannelAccount{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return ChannelAccount{}, err
	}
	v, err := c.ws.Channels.Update(ctx, key, version, in.Body.input())
	if err != nil {
		return ChannelAccount{}, err
	}
	return c.showChannel(&v), a.noteChannel(ctx, c, "channel.update", &v)
}

func (a *API) deleteChannel(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := channelID(in.ID)
	if err != nil {
		return empty{}, err
	}
	v, err := c.ws.Channels.Get(ctx, key)
	if err != nil {
		return empty{}, err
	}
	if err := c.ws.Channels.Delete(ctx, key); err != nil {
		return empty{}, err
	}
	return empty{}, a.noteChannel(ctx, c, "channel.delete", &v)
}

func (a *API) turnChannel(ctx context.Context, c *call, in idIn) (ChannelAccount, error) {
	key, err := channelID(in.ID)
	if err != nil {
		return ChannelAccount{}, err
	}
	v, err := c.ws.Channels.Turn(ctx, key)
	if err != nil {
		return ChannelAccount{}, err
	}
	return c.showChannel(&v), a.noteChannel(ctx, c, "channel.turn", &v)
}

type testChannelIn struct {
	ID   string `path:"id"`
	Body struct {
		To     string       `json:"to" doc:"phone number"`
		Text   string       `json:"text,omitempty" doc:"where the account sends what it is given"`
		Code   string       `json:"code,omitempty" doc:"what the provider calls its text"`
		Params []ParamValue `json:"params,omitempty"`
	}
}

// ParamValue is a value for a place of a provider's text.
type ParamValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ChannelTest is what became of a test message.
type ChannelTest struct {
	Outcome string `json:"outcome" enum:"taken,later,refused,dead,account,unknown"`
	Code    string `json:"code"`
	Detail  string `json:"detail" doc:"what the provider says"`
	Receipt string `json:"receipt"`
	Text    string `json:"text" doc:"what was sent"`
}

const maxTestText = 500

func (a *API) testChannel(ctx context.Context, c *call, in testChannelIn) (ChannelTest, error) {
	key, err := channelID(in.ID)
	if err != nil {
		return ChannelTest{}, err
	}
	if err := a.limits.allow("channel:"+c.who.Workspace.Key, Rate{PerSecond: 0.2, Burst: 10}); err != nil {
		return ChannelTest{}, err
	}
	v, err := c.ws.Channels.Get(ctx, key)
	if err != nil {
		return ChannelTest{}, err
	}
	to := sms.Global(in.Body.To)
	if v.Channel == channel.SMS && to == "" {
		return ChannelTest{}, fault.InvalidField("channel.bad_number", "to", nil)
	}
	if v.Coded() && in.Body.Code == "" {
		return ChannelTest{}, fault.InvalidField("channel.bad_code", "code", nil)
	}
	m := sms.Message{To: to, Text: strings.TrimSpace(in.Body.Text), Template: in.Body.Code}
	if r := []rune(m.Text); len(r) > maxTestText {
		return ChannelTest{}, fault.InvalidField("channel.bad_text", "text", fault.Params{"max": maxTestText})
	}
	if m.Text == "" {
		m.Text = a.Words.Text(localeOf(c.locale), "channel.test_text", nil)
	}
	if v.Settings.Sign != "" {
		m.Text = "【" + v.Settings.Sign + "】" + m.Text
	}
	for _, p := range in.Body.Params {
		m.Params = append(m.Params, sms.Param(p))
	}
	r, err := c.ws.Channels.Test(ctx, key, m)
	if err != nil {
		return ChannelTest{}, err
	}
	out := ChannelTest{Outcome: string(r.Outcome), Code: r.Code, Detail: r.Detail, Receipt: r.Receipt, Text: m.Text}
	if v.Coded() {
		out.Text = ""
	}
	return out, a.noteChannel(ctx, c, "channel.test", &v)
}

type releaseNumberIn struct {
	Body struct {
		Number string `json:"number"`
	}
}

// ReleasedNumber says whether anything kept messages from a number.
type ReleasedNumber struct {
	Released bool `json:"released"`
}

func (a *API) releaseNumber(ctx context.Context, c *call, in releaseNumberIn) (ReleasedNumber, error) {
	number := sms.Global(in.Body.Number)
	if number == "" {
		return ReleasedNumber{}, fault.InvalidField("channel.bad_number", "number", nil)
	}
	was, err := c.ws.Channels.Release(ctx, number)
	if err != nil || !was {
		return ReleasedNumber{}, err
	}
	return ReleasedNumber{true}, a.Auth.Note(ctx, c.who.Workspace.Key, "channel.release", "", 0, nil)
}

const toldMost = 1 << 20 // bytes

// toldByChannel is called by the provider itself; the address says which account it is about, and that it may.
func (a *API) toldByChannel(ctx context.Context, c *call, in messageIn) (written, error) {
	unknown := fault.New(fault.NotFound, "channel.not_found", nil)
	ws, err := a.linked(ctx, in.Token)
	if err != nil {
		return written{}, unknown
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, toldMost))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return written{}, fault.New(fault.TooLarge, "api.body_too_large", fault.Params{"limit_mb": toldMost >> 20})
	case err != nil:
		return written{}, fault.New(fault.Invalid, "api.bad_request", nil)
	}
	answer, err := ws.ChannelInbox.Take(ctx, in.Token, raw)
	if err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	c.w.Header().Set("Cache-Control", "no-store")
	_, _ = c.w.Write(answer)
	return written{}, nil
}

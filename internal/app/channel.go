package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/channel"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/sms"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const (
	// channelTimeout is how long a provider may take for one message.
	channelTimeout = 10 * time.Second
	// doubtsEvery is how often providers are asked about messages of which nobody knows.
	doubtsEvery = time.Minute
)

// newChannels makes the accounts of channels and gives them to the edge.
func (w *workspace) newChannels(keys *crypt.Keyring) error {
	a := w.app
	networks, err := httpc.Networks(a.Config.ChannelNetworks)
	if err != nil {
		return fmt.Errorf("channel_networks: %w", err)
	}
	guard := &httpc.Guard{Allowed: networks}
	client := guard.Client(httpc.Options{Timeout: channelTimeout})
	open := func(x sms.Settings) (sms.Provider, bool) {
		x.Client = client
		return sms.Open(x)
	}
	w.channels = channel.New(channel.Config{Store: sqlstore.NewChannels(w.store), Vault: channelVault{sealer{keys, "channel"}}, Guard: guard, Open: open,
		Clock: a.Clock, IDs: a.ids, Workspace: w.info.Key, Sign: keys.Sign, Verify: keys.Verify, Nonce: nonce})
	w.edge.Channels, w.edge.ChannelInbox = w.channels, channelInbox{w}
	return nil
}

// nonce is a text that is never the same.
func nonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// channelVault implements channel.Vault.
type channelVault struct{ sealer }

// Blind implements channel.Vault.
func (v channelVault) Blind(number string) string { return v.keys.Fixed("sms", number) }

// textCarrier implements campaign.Carrier with an account that sends text messages.
type textCarrier struct{ w *workspace }

// Ready implements campaign.Carrier.
func (c textCarrier) Ready(ctx context.Context, v *campaign.Campaign) error {
	_, err := c.w.channels.Use(ctx, channel.SMS, v.Plan.Account)
	return err
}

// Carry implements campaign.Carrier.
func (c textCarrier) Carry(ctx context.Context, p campaign.Parcel) campaign.Answer {
	a, err := c.w.channels.Use(ctx, channel.SMS, p.Account)
	if err != nil {
		if code := fault.CodeOf(err); code != "" {
			return campaign.Answer{Later: true, Halt: code}
		}
		return campaign.Answer{Later: true, Reason: "broken"}
	}
	m := sms.Message{ID: id.Format(campaign.IntentPrefix, p.Intent), To: p.Person.Address, Text: p.Letter.Text, Template: p.Letter.Code}
	for _, v := range p.Letter.Values {
		m.Params = append(m.Params, sms.Param{Key: v.Key, Value: v.Value})
	}
	return answerOf(c.w.channels.Send(ctx, &a, m))
}

// answerOf says what an attempt makes of a line. Only what was surely not taken is tried again.
func answerOf(r sms.Result) campaign.Answer {
	out := campaign.Answer{Receipt: r.Receipt, Reason: r.Code}
	switch r.Outcome {
	case sms.Taken:
		out.State = campaign.Accepted
	case sms.Later:
		out.Later = true
	case sms.Refused:
		out.State = campaign.Failed
	case sms.Dead:
		out.State = campaign.Bounced
	case sms.Account:
		out.Later, out.Halt = true, "channel.account_refused"
	default:
		out.State = campaign.Unknown
	}
	return out
}

// textReady refuses a campaign of text messages that could not be sent, and fixes its account and the price of a part.
func (c *campaignWriter) textReady(ctx context.Context, v *campaign.Campaign) error {
	a, err := c.w.channels.Use(ctx, channel.SMS, v.Plan.Account)
	if fault.KindOf(err) == fault.Conflict {
		return fault.InvalidField(fault.CodeOf(err), "account", fault.Params{"name": a.Name})
	}
	if err != nil {
		return err
	}
	v.Plan.Account, v.Plan.Rate = a.ID, a.Settings.Price
	if !a.Coded() {
		return nil
	}
	for i := range v.Plan.Variants {
		t, err := c.store.Template(ctx, v.Plan.Variants[i].Template, 0)
		if err != nil {
			return err
		}
		for _, doc := range t.Body.Documents {
			if doc.Code == "" {
				return fault.InvalidField("campaign.no_code", fmt.Sprintf("variants.%d", i), nil)
			}
		}
	}
	return nil
}

// outWords are how a text message says that it can be ended, unless its account says it otherwise.
func outWords(a *channel.Account, marketing bool) string {
	switch {
	case !marketing:
		return ""
	case a.Settings.Out == "":
		return "拒收请回复R"
	}
	return a.Settings.Out
}

// text is a short message for one person.
func (c *campaignWriter) text(d *campaign.Draw, b *batchOf, l *template.Letter, values template.Values, locale string) (out campaign.Letter, err error) {
	r, err := l.Render(values, template.Frame{Locale: locale})
	if err != nil {
		return out, fault.Wrap(fault.Invalid, "campaign.not_written", err)
	}
	out.Text = template.Signed(b.account.Settings.Sign, r.Text, outWords(b.account, d.Campaign.Plan.Purpose != ""))
	out.Parts, out.Code = template.Measure(out.Text).Parts, l.Code()
	for _, p := range r.Params {
		out.Values = append(out.Values, campaign.Value(p))
	}
	return out, nil
}

// Signed implements api.MessageWriter.
func (c *campaignWriter) Signed(ctx context.Context, text string) (string, int64, bool, error) {
	a, err := c.w.channels.Use(ctx, channel.SMS, 0)
	if fault.KindOf(err) == fault.Conflict {
		return text, 0, false, nil
	}
	if err != nil {
		return text, 0, false, err
	}
	return template.Signed(a.Settings.Sign, text, outWords(&a, true)), a.Settings.Price, true, nil
}

// numbers says of people whether their numbers take something, and whether they want something.
func (p campaignPeople) numbers(ctx context.Context, addresses map[id.ID]string) (map[string]string, error) {
	all := make([]string, 0, len(addresses))
	for _, n := range addresses {
		all = append(all, n)
	}
	return p.w.channels.Stopped(ctx, all)
}

// channelInbox implements api.ChannelInbox.
type channelInbox struct{ w *workspace }

// Take implements api.ChannelInbox. What is told twice is taken once.
func (x channelInbox) Take(ctx context.Context, token string, body []byte) ([]byte, error) {
	ctx = system(ctx)
	a, in, err := x.w.channels.Told(ctx, token, body)
	if err != nil {
		return nil, err
	}
	for _, r := range in.Reports {
		v := campaign.Report{Receipt: r.Receipt, Account: a.ID, Delivered: r.Delivered, Dead: r.Dead, Code: r.Code, At: r.At}
		if !r.Delivered && v.Code == "" {
			v.Code = "undelivered"
		}
		if r.ID != "" {
			if v.Intent, err = id.Parse(campaign.IntentPrefix, r.ID); err != nil {
				continue // a test, or something that others sent through the account
			}
		}
		found, err := x.w.edge.Campaigns.Reported(ctx, v)
		if err != nil {
			return nil, err
		}
		if found && r.Dead && r.Phone != "" {
			x.w.channels.Stop(ctx, r.Phone, channel.Dead)
		}
	}
	for _, r := range in.Replies {
		if r.Phone == "" || !sms.Leaves(r.Text) {
			continue
		}
		if err := x.leave(ctx, r); err != nil {
			return nil, err
		}
	}
	return in.Answer, nil
}

// leave withdraws what the owner of a number does not want any more; where nobody has the number it is remembered by itself.
func (x channelInbox) leave(ctx context.Context, r sms.Reply) error {
	found, err := x.w.records.LookupAll(ctx, query.Customer, "phone", []string{r.Phone})
	if err != nil {
		return err
	}
	var people []id.ID
	for _, list := range found {
		people = append(people, list...)
	}
	if len(people) == 0 {
		return x.w.channels.Leave(ctx, r.Phone)
	}
	said := r.At
	if said.IsZero() {
		said = x.w.app.Clock.Now()
	}
	// It counts from when it is heard: a clock that is slow must not put it before the consent that it ends.
	once := fmt.Sprintf("reply:%.12s:%d", x.w.channels.Mark(r.Phone), said.Unix())
	return x.w.consents.Answered(ctx, people, consent.SMS, x.w.app.Clock.Now(), once)
}

// clearDoubts asks providers about messages of which nobody knows, until the context ends.
func (w *workspace) clearDoubts(ctx context.Context) error {
	ctx = system(ctx)
	for ctx.Err() == nil {
		_, err := w.edge.Campaigns.Clear(ctx, func(ctx context.Context, d campaign.Doubt) (campaign.Report, bool, error) {
			a, err := w.channels.Use(ctx, channel.SMS, d.Account)
			if err != nil {
				return campaign.Report{}, false, err
			}
			to, err := campaignPeople{w: w}.addresses(ctx, campaign.SMS, []id.ID{d.Customer})
			if err != nil || to[d.Customer] == "" {
				return campaign.Report{}, false, err
			}
			r, found, err := w.channels.Find(ctx, &a, sms.Sent{ID: id.Format(campaign.IntentPrefix, d.Intent), Receipt: d.Receipt, To: to[d.Customer], At: d.At})
			return campaign.Report{Intent: d.Intent, Receipt: r.Receipt, Account: a.ID, Delivered: r.Delivered, Dead: r.Dead, Code: r.Code, At: r.At}, found, err
		})
		if err != nil && ctx.Err() == nil && !strings.Contains(err.Error(), "closed") {
			w.app.Log.Warn("providers of text messages", "error", err)
		}
		if err := clock.Pause(ctx, doubtsEvery, nil); err != nil {
			return err
		}
	}
	return ctx.Err()
}

package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/channel"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// campaignRoutes are what is sent to many people, what it says, and what came of it.
func (a *API) campaignRoutes() []route {
	r, w, s := access.CampaignRead, access.CampaignWrite, access.CampaignSend
	return append(append(a.templateRoutes(), a.channelRoutes()...), []route{
		{method: get, path: "/campaigns", need: right, right: r, run: op(a.listCampaigns), doc: "Campaigns, the newest first"},
		{method: post, path: "/campaigns", need: right, right: w, run: op(a.createCampaign), doc: "Plan a campaign", status: http.StatusCreated},
		{method: get, path: "/campaigns/{id}", need: right, right: r, run: op(a.getCampaign), doc: "One campaign"},
		{method: patch, path: "/campaigns/{id}", need: right, right: w, run: op(a.patchCampaign), doc: "Change a draft; of a campaign under way its name, rate and money"},
		{method: del, path: "/campaigns/{id}", need: right, right: w, run: op(a.deleteCampaign), doc: "Delete a draft"},
		{method: post, path: "/campaigns/{id}/try", need: right, right: r, run: op(a.tryCampaign), doc: "Whom a campaign would reach now, and which gates would stop the others; sends nothing", stream: true, status: http.StatusOK},
		{method: post, path: "/campaigns/{id}/start", need: right, right: s, run: op(a.startCampaign), doc: "Let a campaign go, at its hour", status: http.StatusOK},
		{method: post, path: "/campaigns/{id}/pause", need: right, right: s, run: op(a.pauseCampaign), doc: "Hold back what was not handed over", status: http.StatusOK},
		{method: post, path: "/campaigns/{id}/resume", need: right, right: s, run: op(a.resumeCampaign), doc: "Go on with a campaign that was paused", status: http.StatusOK},
		{method: post, path: "/campaigns/{id}/stop", need: right, right: s, run: op(a.stopCampaign), doc: "End a campaign; what waits is not sent any more", status: http.StatusOK},
		{method: get, path: "/campaigns/{id}/result", need: right, right: r, run: op(a.campaignResult), doc: "What came of a campaign: gates, opens, clicks, purchases, and what was gained over those held back"},
		{method: get, path: "/campaigns/{id}/people", need: right, right: r, run: op(a.campaignPeople), doc: "The people of a campaign in a state or behind a gate"},
		{method: get, path: "/contact-rules", need: right, right: r, run: op(a.contactRules), doc: "Global holdout, caps and hours that hold for all campaigns"},
		{method: patch, path: "/contact-rules", need: right, right: s, run: op(a.setContactRules), doc: "Change them"},
		{method: get, path: "/messages/open/{token}", need: open, run: op(a.messageOpened), doc: "The invisible picture of a message", stream: true},
		{method: get, path: "/messages/go/{token}", need: open, run: op(a.messageFollowed), doc: "Where a link of a message leads", stream: true},
	}...)
}

// CampaignVariant is one of the things that are sent.
type CampaignVariant struct {
	Key      string `json:"key" doc:"a, b, c …"`
	Template string `json:"template,omitempty"`
	Title    string `json:"title,omitempty" doc:"of a task or a webhook; fields as {{ customer.name }}"`
	Text     string `json:"text,omitempty" doc:"of a task or a webhook"`
	Version  int64  `json:"version,omitempty" doc:"of the template; fixed when the campaign starts"`
	Weight   int    `json:"weight"`
}

// CampaignPlan is what a campaign does.
type CampaignPlan struct {
	Segments  []string          `json:"segments" doc:"whoever is in one of them"`
	Except    []string          `json:"except" doc:"but not whoever is in one of these"`
	Purpose   string            `json:"purpose" doc:"what consents call it; empty for messages that owe nothing to marketing"`
	Variants  []CampaignVariant `json:"variants"`
	Holdout   int               `json:"holdout" doc:"percent of the people who are held back by chance"`
	Start     *time.Time        `json:"start" doc:"null for as soon as it is started"`
	Local     bool              `json:"local" doc:"at that hour of everybody's own day"`
	PerMinute int               `json:"per_minute" doc:"0 for no limit of its own"`
	DropQuiet bool              `json:"drop_quiet" doc:"whom quiet hours stop is left out, instead of waiting"`
	WaitCap   bool              `json:"wait_cap" doc:"whom a cap stops waits for the next day, instead of being left out"`
	Days      int               `json:"days" doc:"window in which purchases count"`
	Cost      int64             `json:"cost" doc:"of a message, minor units"`
	Fixed     int64             `json:"fixed" doc:"of the campaign besides, minor units"`
	Margin    int               `json:"margin" doc:"percent of revenue that is left; 0 counts all of it"`
	Profile   string            `json:"profile" doc:"mail server; empty for the standard one"`
	Account   string            `json:"account,omitempty" doc:"account of text messages, or receiver of webhooks; empty for the oldest that is active; fixed when the campaign starts"`
	Owner     string            `json:"owner,omitempty" doc:"who gets the tasks; empty for who has the customer"`
	Due       int               `json:"due,omitempty" doc:"days until a task is due"`
	Source    string            `json:"utm_source"`
	Medium    string            `json:"utm_medium"`
	Campaign  string            `json:"utm_campaign"`
}

// Campaign is one.
type Campaign struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Channel   string       `json:"channel" enum:"email,sms,webhook,task"`
	Status    string       `json:"status" enum:"draft,scheduled,planning,sending,paused,sent,stopped"`
	Plan      CampaignPlan `json:"plan"`
	Version   int64        `json:"version"`
	Audience  int64        `json:"audience" doc:"people written down so far"`
	Reason    string       `json:"reason" doc:"code of why it was paused by itself"`
	CreatedAt time.Time    `json:"created_at"`
	UpdatedAt time.Time    `json:"updated_at"`
	UpdatedBy Ref          `json:"updated_by"`
	StartAt   *time.Time   `json:"start_at"`
	BeganAt   *time.Time   `json:"began_at"`
	EndedAt   *time.Time   `json:"ended_at"`
}

// CampaignList is all of them.
type CampaignList struct {
	Items []Campaign `json:"items"`
}

func (c *call) showCampaign(ctx context.Context, v *campaign.Campaign) (Campaign, error) {
	out, err := c.showCampaigns(ctx, []campaign.Campaign{*v})
	if err != nil {
		return Campaign{}, err
	}
	return out[0], nil
}

func (c *call) showCampaigns(ctx context.Context, list []campaign.Campaign) ([]Campaign, error) {
	people := make([]id.ID, 0, len(list))
	for i := range list {
		people = append(people, list[i].UpdatedBy)
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := make([]Campaign, len(list))
	for i := range list {
		v := &list[i]
		out[i] = Campaign{ID: id.Format(campaign.Prefix, v.ID), Name: v.Name, Channel: v.Channel, Status: string(v.Status), Plan: showCampaignPlan(&v.Plan), Version: v.Version, Audience: v.Audience, Reason: v.Reason,
			CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt, UpdatedBy: personRef(v.UpdatedBy, names), StartAt: optional(v.StartAt), BeganAt: optional(v.BeganAt), EndedAt: optional(v.EndedAt)}
	}
	return out, nil
}

func showCampaignPlan(p *campaign.Plan) CampaignPlan {
	out := CampaignPlan{Segments: p.Segments, Except: p.Except, Purpose: p.Purpose, Variants: []CampaignVariant{}, Holdout: p.Holdout, Start: optional(p.Start), Local: p.Local, PerMinute: p.PerMinute,
		DropQuiet: p.DropQuiet, WaitCap: p.WaitCap, Days: p.Days, Cost: p.Cost, Fixed: p.Fixed, Margin: p.Margin, Due: p.Due, Source: p.Source, Medium: p.Medium, Campaign: p.Campaign}
	if p.Owner != 0 {
		out.Owner = id.Format(auth.UserPrefix, p.Owner)
	}
	if out.Segments == nil {
		out.Segments = []string{}
	}
	if out.Except == nil {
		out.Except = []string{}
	}
	if p.Profile != 0 {
		out.Profile = id.Format(mail.ProfilePrefix, p.Profile)
	}
	if p.Account != 0 {
		out.Account = id.Format(channel.Prefix, p.Account)
	}
	for _, v := range p.Variants {
		x := CampaignVariant{Key: v.Key, Version: v.Version, Weight: v.Weight, Title: v.Title, Text: v.Text}
		if v.Template != 0 {
			x.Template = id.Format(template.Prefix, v.Template)
		}
		out.Variants = append(out.Variants, x)
	}
	return out
}

func (p *CampaignPlan) plan() (campaign.Plan, error) {
	out := campaign.Plan{Segments: p.Segments, Except: p.Except, Purpose: p.Purpose, Holdout: p.Holdout, Local: p.Local, PerMinute: p.PerMinute, DropQuiet: p.DropQuiet, WaitCap: p.WaitCap, Days: p.Days,
		Cost: p.Cost, Fixed: p.Fixed, Margin: p.Margin, Due: p.Due, Source: p.Source, Medium: p.Medium, Campaign: p.Campaign}
	if p.Start != nil {
		out.Start = p.Start.UTC()
	}
	var err error
	if p.Profile != "" {
		if out.Profile, err = profileID(p.Profile); err != nil {
			return out, err
		}
	}
	if p.Owner != "" {
		if out.Owner, err = id.Parse(auth.UserPrefix, p.Owner); err != nil {
			return out, fault.InvalidField("campaign.no_owner", "owner", nil)
		}
	}
	if p.Account != "" {
		if out.Account, err = channelID(p.Account); err != nil {
			return out, err
		}
	}
	for i, v := range p.Variants {
		x := campaign.Variant{Key: v.Key, Weight: v.Weight, Title: v.Title, Text: v.Text}
		if v.Template != "" {
			if x.Template, err = id.Parse(template.Prefix, v.Template); err != nil {
				return out, fault.InvalidField("campaign.no_template", "variants."+strconv.Itoa(i), nil)
			}
		}
		out.Variants = append(out.Variants, x)
	}
	return out, nil
}

func campaignID(text string) (id.ID, error) {
	v, err := id.Parse(campaign.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "campaign.not_found", nil)
	}
	return v, nil
}

func (a *API) listCampaigns(ctx context.Context, c *call, _ struct{}) (CampaignList, error) {
	list, err := c.ws.Campaigns.List(ctx)
	if err != nil {
		return CampaignList{}, err
	}
	items, err := c.showCampaigns(ctx, list)
	return CampaignList{items}, err
}

type campaignBody struct {
	Name    string       `json:"name"`
	Channel string       `json:"channel,omitempty" enum:"email,sms,webhook,task" doc:"of a new one"`
	Plan    CampaignPlan `json:"plan"`
	Version int64        `json:"version,omitempty"`
}

type createCampaignIn struct{ Body campaignBody }

func (a *API) createCampaign(ctx context.Context, c *call, in createCampaignIn) (Campaign, error) {
	p, err := in.Body.Plan.plan()
	if err != nil {
		return Campaign{}, err
	}
	v, err := c.ws.Campaigns.Create(ctx, in.Body.Name, in.Body.Channel, p)
	if err != nil {
		return Campaign{}, err
	}
	return c.showCampaign(ctx, &v)
}

func (a *API) getCampaign(ctx context.Context, c *call, in idIn) (Campaign, error) {
	key, err := campaignID(in.ID)
	if err != nil {
		return Campaign{}, err
	}
	v, err := c.ws.Campaigns.Get(ctx, key)
	if err != nil {
		return Campaign{}, err
	}
	return c.showCampaign(ctx, &v)
}

type patchCampaignIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    campaignBody
}

func (a *API) patchCampaign(ctx context.Context, c *call, in patchCampaignIn) (Campaign, error) {
	key, err := campaignID(in.ID)
	if err != nil {
		return Campaign{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Campaign{}, err
	}
	p, err := in.Body.Plan.plan()
	if err != nil {
		return Campaign{}, err
	}
	v, err := c.ws.Campaigns.Update(ctx, key, version, in.Body.Name, p)
	if err != nil {
		return Campaign{}, err
	}
	return c.showCampaign(ctx, &v)
}

func (a *API) deleteCampaign(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := campaignID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Campaigns.Delete(ctx, key)
}

type startCampaignIn struct {
	ID   string `path:"id"`
	Body struct {
		Version int64 `json:"version" doc:"of the campaign that was looked at"`
	}
}

func (a *API) startCampaign(ctx context.Context, c *call, in startCampaignIn) (Campaign, error) {
	key, err := campaignID(in.ID)
	if err != nil {
		return Campaign{}, err
	}
	v, err := c.ws.Campaigns.Start(ctx, key, in.Body.Version)
	if err != nil {
		return Campaign{}, err
	}
	return c.showCampaign(ctx, &v)
}

func (a *API) pauseCampaign(ctx context.Context, c *call, in idIn) (Campaign, error) {
	return c.moveCampaign(ctx, in.ID, c.ws.Campaigns.Pause)
}

func (a *API) resumeCampaign(ctx context.Context, c *call, in idIn) (Campaign, error) {
	return c.moveCampaign(ctx, in.ID, c.ws.Campaigns.Resume)
}

func (a *API) stopCampaign(ctx context.Context, c *call, in idIn) (Campaign, error) {
	return c.moveCampaign(ctx, in.ID, c.ws.Campaigns.Stop)
}

func (c *call) moveCampaign(ctx context.Context, text string, move func(context.Context, id.ID) (campaign.Campaign, error)) (Campaign, error) {
	key, err := campaignID(text)
	if err != nil {
		return Campaign{}, err
	}
	v, err := move(ctx, key)
	if err != nil {
		return Campaign{}, err
	}
	return c.showCampaign(ctx, &v)
}

// CampaignGate is how many people a gate stopped.
type CampaignGate struct {
	Gate  string `json:"gate" enum:"suppressed,no_address,bounced,consent,global_holdout,holdout,left_segment,cap,quiet"`
	Count int64  `json:"count"`
}

func showGates(gates map[campaign.Gate]int64) []CampaignGate {
	out := []CampaignGate{}
	for _, g := range campaign.Gates() {
		if gates[g] > 0 {
			out = append(out, CampaignGate{string(g), gates[g]})
		}
	}
	return out
}

// CampaignTrial is whom a campaign would reach: the audience is the sum of the gates and of those reached.
type CampaignTrial struct {
	Audience int64            `json:"audience"`
	Gates    []CampaignGate   `json:"gates"`
	Reached  int64            `json:"reached"`
	Waiting  int64            `json:"waiting" doc:"of those reached: until quiet hours end, or a cap lets them"`
	Arms     map[string]int64 `json:"arms" doc:"those reached, by variant"`
	Samples  []Ref            `json:"samples" doc:"some whom the reader sees"`
}

func (a *API) tryCampaign(ctx context.Context, c *call, in idIn) (CampaignTrial, error) {
	key, err := campaignID(in.ID)
	if err != nil {
		return CampaignTrial{}, err
	}
	t, err := c.ws.Campaigns.Try(ctx, key)
	if err != nil {
		return CampaignTrial{}, err
	}
	out := CampaignTrial{Audience: t.Audience, Gates: showGates(t.Gates), Reached: t.Reached, Waiting: t.Waiting, Arms: t.Arms, Samples: []Ref{}}
	seen, err := c.seenCustomers(ctx, t.Samples)
	for _, v := range t.Samples {
		if r, ok := seen[v]; ok {
			out.Samples = append(out.Samples, r)
		}
	}
	return out, err
}

// seenCustomers are those of some customers whom the caller sees.
func (c *call) seenCustomers(ctx context.Context, ids []id.ID) (map[id.ID]Ref, error) {
	out := map[id.ID]Ref{}
	obj, err := c.object(query.Customer)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	recs, err := c.ws.Records.GetMany(ctx, obj.Key, ids, []string{"name"})
	if fault.KindOf(err) == fault.Forbidden && err != nil {
		return out, nil
	}
	for _, r := range recs {
		out[r.ID] = Ref{ID: id.Format(obj.Prefix, r.ID), Object: obj.Key, Title: r.Title}
	}
	return out, err
}

// CampaignPerson is the line of one person.
type CampaignPerson struct {
	ID       string     `json:"id"`
	Customer Ref        `json:"customer"`
	Arm      string     `json:"arm"`
	State    string     `json:"state" enum:"queued,stopped,handed,sending,accepted,bounced,failed,unknown,cancelled"`
	Gate     string     `json:"gate"`
	Reason   string     `json:"reason"`
	At       *time.Time `json:"at" doc:"when it was handed over"`
	Opened   *time.Time `json:"opened_at"`
	Clicked  *time.Time `json:"clicked_at"`
}

// CampaignPeople is a page of them.
type CampaignPeople struct {
	Items  []CampaignPerson `json:"items"`
	Hidden int              `json:"hidden" doc:"people of the page whom the reader does not see"`
	Next   string           `json:"next" doc:"before of the next page, empty for the last"`
}

type campaignPeopleIn struct {
	ID     string `path:"id"`
	State  string `query:"state"`
	Gate   string `query:"gate"`
	Before string `query:"before"`
}

const campaignPage = 100

func (a *API) campaignPeople(ctx context.Context, c *call, in campaignPeopleIn) (CampaignPeople, error) {
	out := CampaignPeople{Items: []CampaignPerson{}}
	key, err := campaignID(in.ID)
	if err != nil {
		return out, err
	}
	before := id.ID(0)
	if in.Before != "" {
		if before, err = id.Parse(campaign.IntentPrefix, in.Before); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "before", nil)
		}
	}
	list, err := c.ws.Campaigns.Lines(ctx, key, campaign.State(in.State), campaign.Gate(in.Gate), before, campaignPage)
	if err != nil {
		return out, err
	}
	ids := make([]id.ID, len(list))
	for i := range list {
		ids[i] = list[i].Customer
	}
	seen, err := c.seenCustomers(ctx, ids)
	if err != nil {
		return out, err
	}
	for i := range list {
		v := &list[i]
		who, ok := seen[v.Customer]
		if !ok {
			out.Hidden++
			continue
		}
		out.Items = append(out.Items, CampaignPerson{ID: id.Format(campaign.IntentPrefix, v.ID), Customer: who, Arm: v.Arm, State: string(v.State), Gate: string(v.Gate), Reason: v.Reason,
			At: optional(v.HandedAt), Opened: optional(v.Opened), Clicked: optional(v.Clicked)})
	}
	if len(list) == campaignPage {
		out.Next = id.Format(campaign.IntentPrefix, list[len(list)-1].ID)
	}
	return out, nil
}

// ContactWindow is when a channel may be used.
type ContactWindow struct {
	Channel string `json:"channel" enum:"email,sms,webhook,task"`
	From    int    `json:"from" doc:"minutes from midnight"`
	To      int    `json:"to" doc:"equal ends are the whole day; it may cross midnight"`
}

// ContactCap is how often somebody is written to.
type ContactCap struct {
	Channel string `json:"channel" enum:",email,sms,webhook,task" doc:"empty for all together"`
	Days    int    `json:"days" doc:"of the calendar of the recipient"`
	Most    int    `json:"most"`
}

// ContactRules hold for all campaigns.
type ContactRules struct {
	Version  int64           `json:"version"`
	Holdout  int             `json:"holdout" doc:"of a thousand, whom no marketing reaches"`
	Cycle    string          `json:"cycle" doc:"another word draws the global holdout anew"`
	Caps     []ContactCap    `json:"caps"`
	Windows  []ContactWindow `json:"windows"`
	FourEyes bool            `json:"four_eyes" doc:"somebody else starts a campaign than whoever changed it last"`
}

func showContactRules(r *campaign.Rules) ContactRules {
	out := ContactRules{Version: r.Version, Holdout: r.Holdout, Cycle: r.Cycle, Caps: []ContactCap{}, Windows: []ContactWindow{}, FourEyes: r.FourEyes}
	for _, x := range r.Caps {
		out.Caps = append(out.Caps, ContactCap(x))
	}
	for _, x := range r.Windows {
		out.Windows = append(out.Windows, ContactWindow(x))
	}
	return out
}

func (a *API) contactRules(ctx context.Context, c *call, _ struct{}) (ContactRules, error) {
	r, err := c.ws.Campaigns.Rules(ctx)
	return showContactRules(&r), err
}

type setContactRulesIn struct{ Body ContactRules }

func (a *API) setContactRules(ctx context.Context, c *call, in setContactRulesIn) (ContactRules, error) {
	r := campaign.Rules{Version: in.Body.Version, Holdout: in.Body.Holdout, Cycle: strings.TrimSpace(in.Body.Cycle), FourEyes: in.Body.FourEyes}
	for _, x := range in.Body.Caps {
		r.Caps = append(r.Caps, campaign.Cap(x))
	}
	for _, x := range in.Body.Windows {
		r.Windows = append(r.Windows, campaign.Window(x))
	}
	r, err := c.ws.Campaigns.SetRules(ctx, r)
	return showContactRules(&r), err
}

type messageIn struct {
	Token string `path:"token"`
}

// pixel is a picture of one transparent point.
const pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

func (a *API) messageOpened(ctx context.Context, c *call, in messageIn) (written, error) {
	if ws, err := a.linked(ctx, in.Token); err == nil {
		if intent, link, _, ok := ws.MessageLinks.Read(in.Token); ok && link == 0 {
			if _, err := ws.Campaigns.Seen(ctx, intent, 0, "", byMachine(c.r)); err != nil {
				return written{}, err
			}
		}
	}
	c.status = http.StatusOK
	h := c.w.Header()
	h.Set("Content-Type", "image/gif")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	_, _ = c.w.Write([]byte(pixel))
	return written{}, nil
}

func (a *API) messageFollowed(ctx context.Context, c *call, in messageIn) (written, error) {
	unknown := fault.New(fault.NotFound, "campaign.unknown_link", nil)
	ws, err := a.linked(ctx, in.Token)
	if err != nil {
		return written{}, unknown
	}
	intent, link, address, ok := ws.MessageLinks.Read(in.Token)
	if !ok || link == 0 || !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "mailto:") && !strings.HasPrefix(address, "tel:") {
		return written{}, unknown
	}
	if _, err := ws.Campaigns.Seen(ctx, intent, link, address, c.r.Method == http.MethodHead || byMachine(c.r)); err != nil {
		return written{}, err
	}
	c.status = http.StatusFound
	h := c.w.Header()
	h.Set("Location", address)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	c.w.WriteHeader(http.StatusFound)
	return written{}, nil
}

// byMachine reports whether a program asks that looks mails through: it says so, or is one that shows nothing to anybody.
func byMachine(r *http.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	if agent == "" || agent == "mozilla/5.0" || strings.EqualFold(r.Header.Get("Purpose"), "prefetch") || strings.Contains(strings.ToLower(r.Header.Get("Sec-Purpose")), "prefetch") {
		return true
	}
	for _, word := range []string{"bot", "crawl", "spider", "preview", "scan", "proofpoint", "barracuda", "mimecast", "safelinks", "headless", "python", "curl/", "wget", "java/", "go-http-client", "okhttp", "monitor", "yahoomailproxy"} {
		if strings.Contains(agent, word) {
			return true
		}
	}
	return false
}

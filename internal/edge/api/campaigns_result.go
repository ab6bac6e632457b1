package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/stat/uplift"
)

// CampaignGroup is what came of the people of an arm.
type CampaignGroup struct {
	Arm      string  `json:"arm"`
	Assigned int64   `json:"assigned" doc:"people whom chance put here; consent and address did not stop them"`
	Sent     int64   `json:"sent" doc:"taken by a server"`
	Bounced  int64   `json:"bounced"`
	Opened   int64   `json:"opened" doc:"by people, as far as can be told"`
	Machine  int64   `json:"machine_opened" doc:"by programs alone"`
	Clicked  int64   `json:"clicked" doc:"people, without clicks of programs"`
	Left     int64   `json:"unsubscribed" doc:"withdrew consent for the purpose after the message"`
	Complain int64   `json:"complained"`
	Arrived  int64   `json:"delivered" doc:"of text messages: the provider said that they arrived"`
	Buyers   int64   `json:"buyers" doc:"of the assigned, in the window"`
	Orders   int64   `json:"orders"`
	Revenue  int64   `json:"revenue" doc:"minor units of the base currency"`
	Mean     float64 `json:"revenue_each" doc:"for each assigned person, minor units"`
}

func showCampaignGroup(g *campaign.Group) CampaignGroup {
	return CampaignGroup{Arm: g.Arm, Assigned: g.Assigned, Sent: g.Sent, Bounced: g.Bounced, Opened: g.Opened, Machine: g.Machine, Clicked: g.Clicked, Left: g.Left, Complain: g.Complain, Arrived: g.Delivered, Buyers: g.Buyers,
		Orders: g.Orders, Revenue: g.Revenue, Mean: g.ValueMean}
}

// CampaignEffect compares the treated with those held back.
type CampaignEffect struct {
	OK      bool    `json:"ok"`
	Why     string  `json:"why" doc:"what is missing: no_treated, no_control, few, constant, broken; empty when ok"`
	Treated float64 `json:"treated" doc:"share of buyers, or revenue for each person in minor units"`
	Control float64 `json:"control"`
	Lift    float64 `json:"lift" doc:"treated less control"`
	Low     float64 `json:"low" doc:"of the interval of 95 %"`
	High    float64 `json:"high"`
	P       float64 `json:"p"`
	Verdict string  `json:"verdict" enum:"better,worse,unclear,unknown"`
}

func showEffect(e *uplift.Effect) CampaignEffect {
	return CampaignEffect{OK: e.OK, Why: string(e.Why), Treated: e.Treated, Control: e.Control, Lift: e.Lift, Low: e.Low, High: e.High, P: e.P, Verdict: string(e.Verdict())}
}

// CampaignRange is an amount with its interval, minor units.
type CampaignRange struct {
	Value int64 `json:"value"`
	Low   int64 `json:"low"`
	High  int64 `json:"high"`
}

// CampaignLink is what became of a link.
type CampaignLink struct {
	Number  int    `json:"number"`
	URL     string `json:"url"`
	People  int64  `json:"people"`
	Clicks  int64  `json:"clicks"`
	Machine int64  `json:"machine_clicks"`
}

// CampaignState counts the lines of a state.
type CampaignState struct {
	State string `json:"state" enum:"queued,stopped,handed,sending,accepted,bounced,failed,unknown,cancelled"`
	Count int64  `json:"count"`
}

// CampaignReason counts messages that came to nothing for one reason.
type CampaignReason struct {
	State string `json:"state" enum:"bounced,failed,unknown"`
	Code  string `json:"code"`
	Count int64  `json:"count"`
}

// CampaignResult is what came of a campaign. The audience is the sum of the states.
type CampaignResult struct {
	Audience    int64            `json:"audience"`
	States      []CampaignState  `json:"states"`
	Gates       []CampaignGate   `json:"gates" doc:"of the stopped; they sum to them"`
	Waits       []CampaignGate   `json:"waits" doc:"of the queued: what they wait for"`
	Groups      []CampaignGroup  `json:"groups" doc:"by variant"`
	Treated     CampaignGroup    `json:"treated" doc:"all variants together"`
	Control     CampaignGroup    `json:"control" doc:"those held back by chance"`
	Global      int64            `json:"global_holdout"`
	Links       []CampaignLink   `json:"links"`
	Reasons     []CampaignReason `json:"reasons" doc:"why messages came to nothing, the most frequent first"`
	Cost        int64            `json:"cost" doc:"minor units"`
	From        *time.Time       `json:"from" doc:"window of purchases"`
	To          *time.Time       `json:"to"`
	Open        bool             `json:"open" doc:"the window has not ended"`
	Buyers      CampaignEffect   `json:"buyers"`
	Revenue     CampaignEffect   `json:"revenue"`
	Incremental CampaignRange    `json:"incremental" doc:"revenue that there would not have been"`
	Profit      CampaignRange    `json:"profit" doc:"of it after margin and cost"`
	Balanced    bool             `json:"balanced" doc:"the sizes of the groups can be chance; otherwise nothing may be concluded"`
	Skew        float64          `json:"balance_p"`
	Best        string           `json:"best" doc:"variant that surely has more buyers than each other one"`
	At          time.Time        `json:"at"`
}

func (a *API) campaignResult(ctx context.Context, c *call, in idIn) (CampaignResult, error) {
	key, err := campaignID(in.ID)
	if err != nil {
		return CampaignResult{}, err
	}
	r, err := c.ws.Campaigns.Result(ctx, key)
	if err != nil {
		return CampaignResult{}, err
	}
	out := CampaignResult{Audience: r.Audience, States: []CampaignState{}, Gates: showGates(r.Gates), Waits: showGates(r.Waits), Groups: []CampaignGroup{}, Treated: showCampaignGroup(&r.Treated),
		Control: showCampaignGroup(&r.Control), Global: r.Global, Links: []CampaignLink{}, Reasons: []CampaignReason{}, Cost: r.Cost, From: optional(r.From), To: optional(r.To), Open: r.Open, Buyers: showEffect(&r.Buyers),
		Revenue: showEffect(&r.Revenue), Incremental: CampaignRange{r.Incremental, r.Low, r.High}, Profit: CampaignRange{r.Profit, r.ProfitLo, r.ProfitH}, Balanced: r.Balanced, Skew: r.Skew, Best: r.Best, At: r.At}
	for _, s := range campaign.States() {
		if r.States[s] > 0 {
			out.States = append(out.States, CampaignState{string(s), r.States[s]})
		}
	}
	for i := range r.Groups {
		out.Groups = append(out.Groups, showCampaignGroup(&r.Groups[i]))
	}
	for _, v := range r.Reasons {
		out.Reasons = append(out.Reasons, CampaignReason{string(v.State), v.Code, v.Count})
	}
	for _, l := range r.Links {
		out.Links = append(out.Links, CampaignLink(l))
	}
	return out, nil
}

package api

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

// actionRoutes are what to do next for customers.
func (a *API) actionRoutes() []route {
	read, edit := access.SegmentRead, access.ClassificationEdit
	return []route{
		{method: get, path: "/actions", need: right, right: read, run: op(a.listActions), doc: "Plays: what can be done for customers, for how many, and what came of it"},
		{method: patch, path: "/actions/{key}", need: right, right: edit, run: op(a.saveAction), doc: "Make or change a play"},
		{method: del, path: "/actions/{key}", need: right, right: edit, run: op(a.dropAction), doc: "Remove a play; one that comes with the program becomes again what it was"},
		{method: post, path: "/actions/count", need: right, right: read, run: op(a.countAction), doc: "For how many customers a play would be, before it is saved"},
		{method: get, path: "/actions/work", need: right, right: read, run: op(a.actionWork), doc: "What is to be done today, the highest expected gain first, for customers whom the reader sees"},
		{method: post, path: "/actions/decide", need: right, right: access.RecordUpdate, run: op(a.decideActions), doc: "Accept, dismiss or put off plays for customers"},
		{method: get, path: "/customers/{id}/actions", need: right, right: read, run: op(a.customerActions), doc: "What to do next for a customer, and why"},
	}
}

// ActionPlay is something that can be done for customers.
type ActionPlay struct {
	Key      string       `json:"key"`
	Label    schema.Label `json:"label"`
	What     schema.Label `json:"what"`
	On       bool         `json:"on"`
	Standard bool         `json:"standard" doc:"comes with the program"`
	Changed  bool         `json:"changed" doc:"a standard one that was changed"`
	Stages   []string     `json:"stages" doc:"classes of the lifecycle; empty for all"`
	Where    *query.Node  `json:"where"`
	Sentence schema.Label `json:"sentence" doc:"for whom it is meant"`
	Eligible *query.Node  `json:"eligible" doc:"for whom it is, guard rails included; lists them"`
	Kind     string       `json:"kind" enum:"task,rule,note"`
	Rule     string       `json:"rule"`
	Due      int          `json:"due"`
	Reach    []string     `json:"reach"`
	Lift     float64      `json:"lift"`
	Worth    string       `json:"worth" enum:"basket,year,clv,fixed"`
	Amount   float64      `json:"amount" doc:"in units of the currency"`
	Cost     float64      `json:"cost" doc:"in units of the currency"`
	Window   int          `json:"window"`
	Rest     int          `json:"rest"`
	Held     int          `json:"held" doc:"percent left out for comparison"`
	Version  int64        `json:"version"`
	Found    *ActionFound `json:"found" doc:"null before the first pass, and for what is off"`
	Learned  *ActionLift  `json:"learned" doc:"null while the gain goes by the company's estimate"`
	Picked   ActionPicked `json:"picked"`
	Result   ActionResult `json:"result"`
}

// ActionFound is what the last pass found.
type ActionFound struct {
	Day      string `json:"day"`
	Eligible int64  `json:"eligible"`
	Held     int64  `json:"held"`
	Resting  int64  `json:"resting"`
	Offered  int64  `json:"offered" doc:"customers among whose first three it is"`
	Gain     Money  `json:"gain" doc:"expected of those"`
	Broken   bool   `json:"broken" doc:"the condition does not work any more"`
}

// ActionLift is a measured effect of acting.
type ActionLift struct {
	Lift float64 `json:"lift" doc:"measured, drawn to the estimate by how sure it is"`
	Seen float64 `json:"seen"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// ActionPicked is what people decided.
type ActionPicked struct {
	Taken     int64 `json:"taken"`
	Dismissed int64 `json:"dismissed"`
	Snoozed   int64 `json:"snoozed"`
	Done      int64 `json:"done" doc:"taken, and the window is over"`
	Bought    int64 `json:"bought" doc:"of those"`
	Revenue   Money `json:"revenue" doc:"of those; not because of it"`
}

// ActionResult compares who was shown a play with who was left out.
type ActionResult struct {
	Verdict   string  `json:"verdict" enum:"no_holdout,waiting,mismatch,better,worse,unclear,unknown"`
	Treated   int64   `json:"treated" doc:"people whose window is over"`
	Control   int64   `json:"control"`
	With      float64 `json:"with" doc:"share that bought"`
	Without   float64 `json:"without"`
	Lift      float64 `json:"lift"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	P         float64 `json:"p"`
	Total     Money   `json:"total" doc:"revenue that would not have come otherwise"`
	TotalLow  Money   `json:"total_low"`
	TotalHigh Money   `json:"total_high"`
	HasTotal  bool    `json:"has_total"`
	Share     float64 `json:"share" doc:"of those shown, for whom somebody acted"`
	Need      int64   `json:"need" doc:"people each group needs to see the estimate; 0 where not known"`
}

// Actions are all plays.
type Actions struct {
	Items    []ActionPlay `json:"items"`
	AtMost   int          `json:"at_most" doc:"actions per customer"`
	Span     int          `json:"span" doc:"days"`
	Currency string       `json:"currency"`
}

func (c *call) units() float64 { return math.Pow10(money.Exponent(c.ws.Info.Currency)) }

func (a *API) listActions(ctx context.Context, c *call, _ struct{}) (Actions, error) {
	got, err := c.ws.Actions.Overview(ctx)
	out := Actions{Items: []ActionPlay{}, AtMost: got.AtMost, Span: got.Span, Currency: c.ws.Info.Currency}
	for i := range got.Plays {
		out.Items = append(out.Items, c.showPlay(&got.Plays[i]))
	}
	return out, err
}

func (c *call) showPlay(s *action.Standing) ActionPlay {
	p, by := &s.Play, c.units()
	v := ActionPlay{Key: p.Key, Label: p.Label, What: p.What, On: p.On, Standard: p.Standard, Changed: p.Standard && p.Version > 0, Stages: list(p.Stages), Where: p.Where,
		Sentence: c.ws.Conditions.Sentence(query.Customer, p.Audience()), Eligible: c.ws.Actions.Condition(p), Kind: string(p.Kind), Due: p.Due, Reach: list(p.Reach), Lift: p.Lift,
		Worth: string(p.Worth), Amount: float64(p.Amount) / by, Cost: float64(p.Cost) / by, Window: p.Window, Rest: p.Rest, Held: p.Held, Version: p.Version}
	if v.What == nil {
		v.What = schema.Label{}
	}
	if p.Rule != 0 {
		v.Rule = id.Format(automation.Prefix, p.Rule)
	}
	if s.Known {
		t := s.Tally
		v.Found = &ActionFound{Day: t.Day.String(), Eligible: t.Eligible, Held: t.Held, Resting: t.Resting, Offered: t.Offered, Gain: c.base(t.Gain), Broken: t.Broken}
	}
	if f := s.Finding; f != nil && f.Learned {
		v.Learned = &ActionLift{f.Lift, f.Seen, f.Low, f.High}
	}
	o := &s.Outcome
	v.Picked = ActionPicked{Taken: o.TakenAll, Dismissed: o.Dismissed, Snoozed: o.Snoozed, Done: o.Done.N, Bought: o.Done.Hits, Revenue: c.base(o.Revenue)}
	r := &s.Result
	v.Result = ActionResult{Verdict: string(r.Verdict), Treated: r.Treated, Control: r.Control, With: r.Bought.Treated, Without: r.Bought.Control, Lift: r.Bought.Lift, Low: r.Bought.Low, High: r.Bought.High, P: r.Bought.P,
		Total: c.minor(r.Total), TotalLow: c.minor(r.TotalLow), TotalHigh: c.minor(r.TotalHi), HasTotal: r.Revenue.OK, Share: r.Share, Need: r.Need}
	switch {
	case r.Mismatch:
		v.Result.Verdict = "mismatch"
	case r.NoHoldout:
		v.Result.Verdict = "no_holdout"
	case r.Waiting:
		v.Result.Verdict = "waiting"
	}
	return v
}

// minor shows an amount of minor units that was calculated.
func (c *call) minor(v float64) Money {
	if math.Abs(v) > 1e17 || math.IsNaN(v) {
		v = 0
	}
	return c.base(int64(math.Round(v)))
}

// actionBody is a play as it is written.
type actionBody struct {
	Label   schema.Label `json:"label"`
	What    schema.Label `json:"what,omitempty"`
	On      bool         `json:"on"`
	Stages  []string     `json:"stages,omitempty"`
	Where   Condition    `json:"where,omitempty"`
	Kind    string       `json:"kind" enum:"task,rule,note"`
	Rule    string       `json:"rule,omitempty"`
	Due     int          `json:"due,omitempty"`
	Reach   []string     `json:"reach,omitempty"`
	Lift    float64      `json:"lift"`
	Worth   string       `json:"worth" enum:"basket,year,clv,fixed"`
	Amount  float64      `json:"amount,omitempty"`
	Cost    float64      `json:"cost,omitempty"`
	Window  int          `json:"window"`
	Rest    int          `json:"rest"`
	Held    int          `json:"held,omitempty"`
	Version int64        `json:"version,omitempty" doc:"that was seen; 0 for any"`
}

func (c *call) play(key string, b *actionBody) (action.Play, error) {
	by := c.units()
	if math.Abs(b.Amount) > 1e10 || math.Abs(b.Cost) > 1e10 {
		return action.Play{}, fault.InvalidField("api.bad_parameter", "amount", nil)
	}
	p := action.Play{Key: key, Label: b.Label, What: b.What, On: b.On, Stages: b.Stages, Kind: action.Kind(b.Kind), Due: b.Due, Reach: b.Reach, Lift: b.Lift, Worth: action.Worth(b.Worth),
		Amount: int64(math.Round(b.Amount * by)), Cost: int64(math.Round(b.Cost * by)), Window: b.Window, Rest: b.Rest, Held: b.Held, Version: b.Version}
	var err error
	if p.Where, err = b.Where.node("where"); err != nil {
		return p, err
	}
	if b.Rule != "" {
		if p.Rule, err = id.Parse(automation.Prefix, b.Rule); err != nil {
			return p, fault.InvalidField("action.no_rule", "rule", nil)
		}
	}
	return p, nil
}

type saveActionIn struct {
	Key  string `path:"key"`
	Body actionBody
}

func (a *API) saveAction(ctx context.Context, c *call, in saveActionIn) (ActionPlay, error) {
	p, err := c.play(in.Key, &in.Body)
	if err != nil {
		return ActionPlay{}, err
	}
	if p, err = c.ws.Actions.Save(ctx, p); err != nil {
		return ActionPlay{}, err
	}
	return c.showPlay(&action.Standing{Play: p}), nil
}

func (a *API) dropAction(ctx context.Context, c *call, in keyIn) (empty, error) {
	return empty{}, c.ws.Actions.Drop(ctx, in.Key)
}

type countActionIn struct {
	Body actionBody
}

// ActionCount is for how many customers a play would be.
type ActionCount struct {
	Meant    int64        `json:"meant" doc:"by stages and condition"`
	Eligible int64        `json:"eligible" doc:"of those, whom guard rails leave"`
	Sentence schema.Label `json:"sentence"`
}

func (a *API) countAction(ctx context.Context, c *call, in countActionIn) (ActionCount, error) {
	p, err := c.play("draft", &in.Body)
	if err != nil {
		return ActionCount{}, err
	}
	a.settle(ctx, c)
	out := ActionCount{Sentence: c.ws.Conditions.Sentence(query.Customer, p.Audience())}
	out.Meant, out.Eligible, err = c.ws.Actions.Reach(ctx, p)
	return out, err
}

type actionWorkIn struct {
	Play   string `query:"play" doc:"one play; all when empty"`
	Mine   bool   `query:"mine" doc:"only customers of the reader's own"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit"`
}

// ActionLine is a play for a customer.
type ActionLine struct {
	Customer Sample       `json:"customer"`
	Owner    string       `json:"owner"`
	Play     string       `json:"play"`
	Label    schema.Label `json:"label"`
	Gain     Money        `json:"gain"`
}

// ActionWork is a page of what is to be done.
type ActionWork struct {
	Items      []ActionLine `json:"items"`
	Total      *int64       `json:"total" doc:"on the first page"`
	NextCursor *string      `json:"next_cursor"`
}

func (a *API) actionWork(ctx context.Context, c *call, in actionWorkIn) (ActionWork, error) {
	out := ActionWork{Items: []ActionLine{}}
	n := action.Need{Play: in.Play, Limit: limitOf(in.Limit, 50), Count: in.Cursor == ""}
	obj, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	if in.Cursor != "" {
		if n.Offset, err = strconv.Atoi(in.Cursor); err != nil || n.Offset < 0 {
			return out, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	if in.Mine && obj.OwnerField != "" {
		n.Where = &query.Node{Field: obj.OwnerField, Op: "=", Value: raw(id.Format(auth.UserPrefix, access.From(ctx).ID))}
	}
	if n.Limits, err = c.ws.Records.Limits(ctx, obj.Key); err != nil {
		return out, err
	}
	a.settle(ctx, c)
	lines, total, err := c.ws.Actions.Work(ctx, n)
	if err != nil {
		return out, err
	}
	if total >= 0 {
		out.Total = &total
	}
	if len(lines) > 0 && total != int64(len(lines)) {
		next := strconv.Itoa(n.Offset + n.Limit)
		out.NextCursor = &next
	}
	out.Items, err = c.actionLines(ctx, obj, lines)
	return out, err
}

// actionLines shows lines whose customers the reader sees.
func (c *call) actionLines(ctx context.Context, obj *schema.Object, lines []action.Line) ([]ActionLine, error) {
	out := []ActionLine{}
	names, err := c.ws.Actions.Names(ctx)
	if err != nil {
		return out, err
	}
	ids, seen := []id.ID{}, map[id.ID]bool{}
	for _, l := range lines {
		if !seen[l.Customer] {
			seen[l.Customer] = true
			ids = append(ids, l.Customer)
		}
	}
	recs, err := c.ws.Records.GetMany(ctx, obj.Key, ids, nil)
	if err != nil {
		return out, err
	}
	shown, err := c.showRecords(ctx, obj, recs)
	if err != nil {
		return out, err
	}
	at := map[id.ID]int{}
	for i, r := range recs {
		at[r.ID] = i
	}
	env := c.ws.Records.Env(ctx)
	for _, l := range lines {
		i, ok := at[l.Customer]
		label, known := names[l.Play]
		if !ok || !known {
			continue
		}
		v := ActionLine{Customer: Sample{ID: shown[i].ID, Title: shown[i].Title, Subtitle: subtitle(obj, recs[i], env)}, Play: l.Play, Label: label, Gain: c.base(l.Gain)}
		if ref, ok := recs[i].Titles[obj.OwnerField]; ok {
			v.Owner = ref.Title
		}
		out = append(out, v)
	}
	return out, nil
}

type decideActionsIn struct {
	Body struct {
		Pick   string `json:"pick" enum:"taken,dismissed,snoozed"`
		Reason string `json:"reason,omitempty"`
		Days   int    `json:"days,omitempty" doc:"to put off"`
		Items  []struct {
			Customer string `json:"customer"`
			Play     string `json:"play"`
		} `json:"items" doc:"at most 100"`
	}
}

// ActionDecided is what became of each.
type ActionDecided struct {
	Done  int              `json:"done"`
	Items []ActionDecision `json:"items"`
}

// ActionDecision is what became of one.
type ActionDecision struct {
	Customer string   `json:"customer"`
	Play     string   `json:"play"`
	Task     string   `json:"task" doc:"that was made"`
	Error    *Problem `json:"error"`
}

const maxDecisions = 100

func (a *API) decideActions(ctx context.Context, c *call, in decideActionsIn) (ActionDecided, error) {
	out := ActionDecided{Items: []ActionDecision{}}
	if len(in.Body.Items) == 0 || len(in.Body.Items) > maxDecisions {
		return out, fault.InvalidField("action.out_of_bounds", "items", fault.Params{"least": 1, "most": maxDecisions})
	}
	obj, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	for _, it := range in.Body.Items {
		v := ActionDecision{Customer: it.Customer, Play: it.Play}
		who, err := recordID(obj, it.Customer)
		if err == nil {
			var made action.Choice
			made, err = c.ws.Actions.Decide(ctx, action.Decision{Play: it.Play, Customer: who, Pick: action.Pick(in.Body.Pick), Reason: in.Body.Reason, Days: in.Body.Days, Locale: localeOf(c.locale)})
			if made.Task != 0 && err == nil {
				v.Task = id.Format(c.ws.Registry().Object("task").Prefix, made.Task)
			}
		}
		if err != nil {
			if k := fault.KindOf(err); k == fault.Internal || k == fault.Unavailable || len(in.Body.Items) == 1 {
				return out, err
			}
			v.Error = a.problem(c.locale, err)
		} else {
			out.Done++
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// ActionOffer is a play for a customer with how its gain comes about.
type ActionOffer struct {
	Play     string       `json:"play"`
	Label    schema.Label `json:"label"`
	What     schema.Label `json:"what"`
	Kind     string       `json:"kind"`
	Due      int          `json:"due"`
	Sentence schema.Label `json:"sentence" doc:"why he is eligible"`
	Traits   []string     `json:"traits" doc:"keys of the traits that the condition asks"`
	Gain     Money        `json:"gain"`
	Lift     float64      `json:"lift"`
	Learned  bool         `json:"learned" doc:"measured; else by rule"`
	Low      float64      `json:"low"`
	High     float64      `json:"high"`
	Worth    Money        `json:"worth"`
	Usual    bool         `json:"usual" doc:"his own is not known: everybody's"`
	WorthIs  string       `json:"worth_is" enum:"basket,year,clv,fixed"`
	Cost     Money        `json:"cost"`
	Window   int          `json:"window"`
	Turned   int          `json:"turned" doc:"how often it was dismissed for him"`
	Stage    float64      `json:"stage" doc:"what dismissals in his stage leave of the gain"`
}

// CustomerActions are what to do next for a customer.
type CustomerActions struct {
	Offers []ActionOffer `json:"offers"`
	Full   bool          `json:"full" doc:"as much was done lately as may be"`
	Past   []ActionPast  `json:"past"`
}

// ActionPast is a decision.
type ActionPast struct {
	Play   string       `json:"play"`
	Label  schema.Label `json:"label"`
	Pick   string       `json:"pick"`
	Reason string       `json:"reason"`
	Day    string       `json:"day"`
	Until  string       `json:"until"`
	Bought *bool        `json:"bought" doc:"null until the window is over"`
}

func (a *API) customerActions(ctx context.Context, c *call, in idIn) (CustomerActions, error) {
	out := CustomerActions{Offers: []ActionOffer{}, Past: []ActionPast{}}
	who, err := c.customerID(in.ID)
	if err != nil {
		return out, err
	}
	a.settle(ctx, c)
	got, err := c.ws.Actions.For(ctx, who)
	if err != nil {
		return out, err
	}
	out.Full = got.Full
	for _, o := range got.Offers {
		p := o.Play
		v := ActionOffer{Play: p.Key, Label: p.Label, What: p.What, Kind: string(p.Kind), Due: p.Due, Sentence: c.ws.Conditions.Sentence(query.Customer, p.Audience()), Traits: list(traitsIn(p.Audience(), nil)), Gain: c.base(o.Gain),
			Lift: o.Lift, Learned: o.Learned, Worth: c.base(o.Worth), Usual: o.Usual, WorthIs: string(p.Worth), Cost: c.base(p.Cost), Window: p.Window, Turned: o.Turned, Stage: o.Stage}
		if o.Learned {
			v.Low, v.High = o.Finding.Low, o.Finding.High
		}
		out.Offers = append(out.Offers, v)
	}
	names, err := c.ws.Actions.Names(ctx)
	for _, p := range got.Past {
		v := ActionPast{Play: p.Play, Label: names[p.Play], Pick: string(p.Pick), Reason: p.Reason, Day: p.Day.String(), Until: p.Until.String()}
		if p.Orders != nil {
			bought := *p.Orders > 0
			v.Bought = &bought
		}
		if v.Label == nil {
			v.Label = schema.Label{"zh-CN": p.Play, "en": p.Play}
		}
		out.Past = append(out.Past, v)
	}
	return out, err
}

// traitsIn are the traits that a condition asks, each once.
func traitsIn(n *query.Node, out []string) []string {
	if n == nil {
		return out
	}
	if n.Trait != "" && !slices.Contains(out, n.Trait) {
		out = append(out, n.Trait)
	}
	for _, k := range n.All {
		out = traitsIn(k, out)
	}
	for _, k := range n.Any {
		out = traitsIn(k, out)
	}
	return traitsIn(n.Not, out)
}

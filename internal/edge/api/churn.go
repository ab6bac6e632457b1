package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/warning"
	"github.com/guanxi-crm/guanxi/internal/insight/churn"
	worth "github.com/guanxi-crm/guanxi/internal/insight/value"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/stat/survival"
)

// ChurnDesk answers about who is leaving.
type ChurnDesk interface {
	Report(ctx context.Context) (churn.Overview, error)
	// Valued reports whether customers have a value to come.
	Valued(ctx context.Context) (bool, error)
	Survival(ctx context.Context, classification string) (churn.Survival, clock.Day, error)
	Whys(ctx context.Context, classification string) ([]churn.Reasoned, error)
	Preview(ctx context.Context, options json.RawMessage) (churn.Standing, error)
	// Run has the rules look now, in the background.
	Run(ctx context.Context) error
}

// churnRoutes are about who is leaving and who looks after them.
func (a *API) churnRoutes() []route {
	r, read, edit := access.ReportRead, access.SegmentRead, access.AutomationManage
	return []route{
		{method: get, path: "/churn", need: right, right: r, run: op(a.churnOverview), doc: "Who is leaving, by warning, risk and inferred reason, and from what value on somebody is valuable"},
		{method: get, path: "/churn/survival", need: right, right: r, run: op(a.churnSurvival), doc: "How long customers last, by the classes of a classification"},
		{method: get, path: "/churn/whys", need: right, right: r, run: op(a.churnWhys), doc: "Which inferred reasons weigh in which class of a classification, and which of them stand out"},
		{method: post, path: "/churn/preview", need: right, right: access.ClassificationEdit, run: op(a.churnPreview), doc: "How many customers would be active and lost by another definition"},
		{method: get, path: "/churn/rules", need: right, right: read, run: op(a.churnRules), doc: "Rules that make tasks about customers who may be leaving, with what came of them"},
		{method: post, path: "/churn/rules", need: right, right: edit, run: op(a.addChurnRule), doc: "Add a rule that warns", status: http.StatusCreated},
		{method: patch, path: "/churn/rules/{id}", need: right, right: edit, run: op(a.setChurnRule), doc: "Change a rule that warns"},
		{method: del, path: "/churn/rules/{id}", need: right, right: edit, run: op(a.dropChurnRule), doc: "Delete a rule that warns; its tasks stay"},
		{method: post, path: "/churn/rules/preview", need: right, right: edit, run: op(a.previewChurnRule), doc: "Whom a rule would be about now"},
		{method: post, path: "/churn/run", need: right, right: edit, run: op(a.runChurnRules), doc: "Have the rules look now", status: http.StatusAccepted},
	}
}

// ChurnBand is the customers of a warning.
type ChurnBand struct {
	Key       string       `json:"key"`
	Label     schema.Label `json:"label"`
	Color     string       `json:"color"`
	Customers int64        `json:"customers"`
	Spend     Money        `json:"spend" doc:"within 365 days"`
	Where     *query.Node  `json:"where"`
}

// ChurnRisk is the customers within a tenth of the risk.
type ChurnRisk struct {
	From      float64     `json:"from"`
	To        float64     `json:"to"`
	Customers int64       `json:"customers"`
	Where     *query.Node `json:"where"`
}

// ChurnDriver is the customers whose risk an input raises most.
type ChurnDriver struct {
	Key       string       `json:"key"`
	Label     schema.Label `json:"label"`
	Customers int64        `json:"customers"`
	Where     *query.Node  `json:"where"`
}

// ChurnLeaving is the valuable who are leaving.
type ChurnLeaving struct {
	By    string        `json:"by" enum:"clv,spend_365d" doc:"trait that says what somebody is worth"`
	Floor *Money        `json:"floor" doc:"of spending; null by value"`
	Share float64       `json:"share" doc:"the best part of customers that counts as valuable"`
	Where *query.Node   `json:"where"`
	Sort  []schema.Sort `json:"sort"`
}

// ChurnOverview is who is leaving.
type ChurnOverview struct {
	Ready   bool          `json:"ready" doc:"somebody has been judged"`
	Bands   []ChurnBand   `json:"bands"`
	Risks   []ChurnRisk   `json:"risks"`
	Drivers []ChurnDriver `json:"drivers" doc:"inferred by the model, never what customers said"`
	Leaving ChurnLeaving  `json:"leaving"`
}

func (a *API) churnOverview(ctx context.Context, c *call, _ struct{}) (ChurnOverview, error) {
	a.settle(ctx, c)
	o, err := c.ws.Churn.Report(ctx)
	if err != nil {
		return ChurnOverview{}, err
	}
	valued, err := c.ws.Churn.Valued(ctx)
	if err != nil {
		return ChurnOverview{}, err
	}
	out := ChurnOverview{Bands: []ChurnBand{}, Risks: []ChurnRisk{}, Drivers: []ChurnDriver{}}
	band, _ := c.ws.Catalogue().Find(churn.TraitBand)
	for _, option := range band.Options {
		b := ChurnBand{Key: option.Key, Label: option.Label, Color: option.Color, Spend: c.money(0), Where: traitIs(churn.TraitBand, option.Key)}
		for _, x := range o.Bands {
			if x.Key == option.Key {
				b.Customers, b.Spend, out.Ready = x.Customers, c.money(x.Spend), true
			}
		}
		out.Bands = append(out.Bands, b)
	}
	for i, n := range o.Risks {
		from, to := float64(i)/10, float64(i+1)/10
		within := []*query.Node{{Trait: churn.TraitRisk, Op: ">=", Value: raw(from)}}
		if i < len(o.Risks)-1 {
			within = append(within, &query.Node{Trait: churn.TraitRisk, Op: "<", Value: raw(to)})
		}
		out.Risks = append(out.Risks, ChurnRisk{from, to, n, &query.Node{All: within}})
	}
	driver, _ := c.ws.Catalogue().Find(churn.TraitDriver)
	for _, d := range o.Drivers {
		out.Drivers = append(out.Drivers, ChurnDriver{d.Key, driver.Option(d.Key), d.Customers, traitIs(churn.TraitDriver, d.Key)})
	}
	leaving := &query.Node{Trait: churn.TraitBand, Op: "in", Value: raw([]string{churn.High, churn.Medium})}
	out.Leaving = ChurnLeaving{By: "spend_365d", Share: churn.Valuable, Sort: []schema.Sort{{Trait: "spend_365d", Desc: true}}}
	valuable := &query.Node{Trait: "spend_365d", Op: ">=", Value: raw(c.money(o.Floor))}
	if valued {
		out.Leaving.By, out.Leaving.Sort = worth.TraitCLV, []schema.Sort{{Trait: worth.TraitCLV, Desc: true}}
		valuable = &query.Node{Trait: worth.TraitDecile, Op: "<=", Value: raw(2)}
	} else {
		floor := c.money(o.Floor)
		out.Leaving.Floor = &floor
	}
	out.Leaving.Where = &query.Node{All: []*query.Node{leaving, valuable}}
	return out, nil
}

type churnSurvivalIn struct {
	By string `query:"by" doc:"key of a classification; everyone together when empty"`
}

// ChurnPoint is the share that is still there after so many months.
type ChurnPoint struct {
	Months int64   `json:"months" doc:"of thirty days"`
	Share  float64 `json:"share"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	AtRisk int64   `json:"at_risk"`
}

// ChurnGroup is how long the customers of a class last.
type ChurnGroup struct {
	Key       string       `json:"key"`
	Label     schema.Label `json:"label"`
	Color     string       `json:"color"`
	Customers int64        `json:"customers"`
	Lost      int64        `json:"lost"`
	Median    *int64       `json:"median" doc:"months after which half are lost; null while more than half are there"`
	After12   float64      `json:"after12" doc:"share that is still there after twelve months"`
	Curve     []ChurnPoint `json:"curve"`
}

// ChurnSurvival is how long customers last.
type ChurnSurvival struct {
	Anchor string       `json:"anchor"`
	All    ChurnGroup   `json:"all"`
	Groups []ChurnGroup `json:"groups"`
	P      *float64     `json:"p" doc:"probability of differences at least as large if all classes were alike (log-rank); null where there is nothing to compare"`
}

func churnGroup(g churn.Group) ChurnGroup {
	out := ChurnGroup{Key: g.Class, Customers: g.Customers, Lost: g.Lost, Median: g.Median, After12: g.After12Month, Curve: []ChurnPoint{}}
	for _, p := range g.Curve {
		out.Curve = append(out.Curve, churnPoint(p))
	}
	return out
}

func churnPoint(p survival.Point) ChurnPoint {
	return ChurnPoint{Months: p.Time, Share: p.Survival, Low: p.Low, High: p.High, AtRisk: p.AtRisk}
}

func (a *API) churnSurvival(ctx context.Context, c *call, in churnSurvivalIn) (ChurnSurvival, error) {
	a.settle(ctx, c)
	s, day, err := c.ws.Churn.Survival(ctx, in.By)
	if err != nil {
		return ChurnSurvival{}, err
	}
	out := ChurnSurvival{Anchor: day.String(), All: churnGroup(s.All), Groups: []ChurnGroup{}}
	if in.By == "" {
		return out, nil
	}
	def, err := c.ws.Classes.Get(ctx, in.By)
	if err != nil {
		return ChurnSurvival{}, err
	}
	for _, g := range s.Groups {
		v := churnGroup(g)
		for _, class := range def.Classes {
			if class.Key == g.Class {
				v.Label, v.Color = class.Label, class.Color
			}
		}
		out.Groups = append(out.Groups, v)
	}
	if s.Test != nil {
		out.P = &s.Test.P
	}
	return out, nil
}

type churnWhysIn struct {
	By string `query:"by" doc:"key of a classification"`
}

// ChurnWeight is how much an inferred reason weighs in a class.
type ChurnWeight struct {
	Key       string       `json:"key"`
	Label     schema.Label `json:"label"`
	Customers int64        `json:"customers"`
	Share     float64      `json:"share" doc:"of the customers of the class with a reason"`
	Usual     float64      `json:"usual" doc:"of all customers with a reason"`
	Stands    int          `json:"stands" doc:"1 above what chance makes of the usual share, -1 below, else 0"`
	Where     *query.Node  `json:"where"`
}

// ChurnReasoned is why customers of a class are at risk, as far as behaviour tells.
type ChurnReasoned struct {
	Key       string        `json:"key" doc:"empty for no class"`
	Label     schema.Label  `json:"label"`
	Customers int64         `json:"customers" doc:"with a reason"`
	Few       bool          `json:"few" doc:"too few to say what stands out"`
	Where     *query.Node   `json:"where"`
	Weights   []ChurnWeight `json:"weights" doc:"the most customers first"`
}

// ChurnWhys are the classes with their inferred reasons.
type ChurnWhys struct {
	Items []ChurnReasoned `json:"items"`
}

func (a *API) churnWhys(ctx context.Context, c *call, in churnWhysIn) (ChurnWhys, error) {
	out := ChurnWhys{Items: []ChurnReasoned{}}
	def, err := c.ws.Classes.Get(ctx, in.By)
	if err != nil {
		return out, err
	}
	a.settle(ctx, c)
	list, err := c.ws.Churn.Whys(ctx, in.By)
	if err != nil {
		return out, err
	}
	driver, _ := c.ws.Catalogue().Find(churn.TraitDriver)
	for _, r := range list {
		of := traitIs(in.By, r.Class)
		if r.Class == "" {
			of = &query.Node{Trait: in.By, Op: "is_not_set"}
		}
		v := ChurnReasoned{Key: r.Class, Customers: r.Customers, Few: r.Few, Weights: []ChurnWeight{},
			Where: &query.Node{All: []*query.Node{of, {Trait: churn.TraitDriver, Op: "is_set"}}}}
		for _, class := range def.Classes {
			if class.Key == r.Class {
				v.Label = class.Label
			}
		}
		for _, w := range r.Weights {
			v.Weights = append(v.Weights, ChurnWeight{w.Key, driver.Option(w.Key), w.Customers, w.Share, w.Usual, w.Stands,
				&query.Node{All: []*query.Node{of, traitIs(churn.TraitDriver, w.Key)}}})
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

type churnPreviewIn struct {
	Body struct {
		Options map[string]json.RawMessage `json:"options" doc:"of the model, as in PATCH /models/churn; the rest has its default"`
	}
}

// ChurnStanding is where customers stand by a definition.
type ChurnStanding struct {
	Active  int64   `json:"active"`
	Lost    int64   `json:"lost"`
	Typical float64 `json:"typical" doc:"everybody's rhythm in days"`
	Limits  [3]int  `json:"limits" doc:"quartiles of the days after which somebody is lost"`
}

func (a *API) churnPreview(ctx context.Context, c *call, in churnPreviewIn) (ChurnStanding, error) {
	options, err := json.Marshal(in.Body.Options)
	if err != nil {
		return ChurnStanding{}, err
	}
	if in.Body.Options == nil {
		options = nil
	}
	if err := c.ws.Models.Check(churn.Key, options); err != nil {
		return ChurnStanding{}, err
	}
	s, err := c.ws.Churn.Preview(ctx, options)
	return ChurnStanding{s.Active, s.Lost, s.Typical, s.Limits}, err
}

// ChurnRuleIn is what a rule says.
type ChurnRuleIn struct {
	Version int64     `json:"version,omitempty" doc:"that was seen, of one that is there"`
	Name    string    `json:"name" doc:"subject of its tasks as well"`
	Off     bool      `json:"off,omitempty"`
	Risk    int       `json:"risk,omitempty" doc:"percent of the model's risk from which on it warns; 0 asks nothing of the model"`
	Segment string    `json:"segment,omitempty"`
	Where   Condition `json:"where,omitempty"`
	Owner   bool      `json:"owner,omitempty" doc:"the customer's owner gets the task where there is one"`
	Person  string    `json:"person" doc:"gets the tasks of customers without an owner, or all"`
	Due     int       `json:"due" doc:"days until a task is due"`
	Rest    int       `json:"rest" doc:"days after a task in which the customer gets no other of the rule"`
	Back    int       `json:"back" doc:"days after a task in which a purchase counts as having come back"`
	Most    int       `json:"most" doc:"tasks a day"`
	Note    string    `json:"note,omitempty" doc:"what to do"`
}

type churnRuleIn struct {
	ID   string `path:"id"`
	Body ChurnRuleIn
}

type newChurnRuleIn struct{ Body ChurnRuleIn }

// ChurnRule is a rule with what came of it.
type ChurnRule struct {
	ID       string       `json:"id"`
	Version  int64        `json:"version"`
	Name     string       `json:"name"`
	Off      bool         `json:"off"`
	Risk     int          `json:"risk"`
	Segment  string       `json:"segment"`
	Where    *query.Node  `json:"where"`
	Sentence schema.Label `json:"sentence" doc:"whom it is about"`
	Owner    bool         `json:"owner"`
	Person   Ref          `json:"person"`
	Due      int          `json:"due"`
	Rest     int          `json:"rest"`
	Back     int          `json:"back"`
	Most     int          `json:"most"`
	Note     string       `json:"note"`
	Results  ChurnResults `json:"results"`
}

// ChurnResults are what came of the tasks of a rule: counts, not causes.
type ChurnResults struct {
	Made      int        `json:"made"`
	Open      int        `json:"open"`
	Done      int        `json:"done"`
	DoneBack  int        `json:"done_back" doc:"of those whose task was done, how many bought in time afterwards"`
	Other     int        `json:"other" doc:"those whose task was not done"`
	OtherBack int        `json:"other_back"`
	Running   int        `json:"running" doc:"whose time to come back is not over"`
	Last      *time.Time `json:"last"`
}

// ChurnRules are all rules.
type ChurnRules struct {
	Items []ChurnRule `json:"items"`
}

func (in *ChurnRuleIn) rule() (r warning.Rule, err error) {
	r = warning.Rule{Version: in.Version, Name: in.Name, Off: in.Off, Risk: in.Risk, Segment: in.Segment, Owner: in.Owner, Due: in.Due, Rest: in.Rest, Back: in.Back, Most: in.Most, Note: in.Note}
	if r.Where, err = in.Where.node("where"); err != nil {
		return r, err
	}
	if r.Person, err = id.Parse("usr", in.Person); err != nil {
		err = fault.InvalidField("warning.nobody", "person", nil)
	}
	return r, err
}

func (a *API) showChurnRules(ctx context.Context, c *call, list []warning.Rule) ([]ChurnRule, error) {
	people := make([]id.ID, len(list))
	for i, r := range list {
		people[i] = r.Person
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := []ChurnRule{}
	for i := range list {
		r := &list[i]
		got, err := c.ws.Warnings.Results(ctx, r)
		if err != nil {
			return nil, err
		}
		v := ChurnRule{ID: id.Format(warning.Prefix, r.ID), Version: r.Version, Name: r.Name, Off: r.Off, Risk: r.Risk, Segment: r.Segment, Where: r.Where, Owner: r.Owner,
			Sentence: c.ws.Conditions.Sentence(query.Customer, r.Condition()), Person: personRef(r.Person, names),
			Due: r.Due, Rest: r.Rest, Back: r.Back, Most: r.Most, Note: r.Note,
			Results: ChurnResults{Made: got.Made, Open: got.Open, Done: got.Done, DoneBack: got.DoneBack, Other: got.Made - got.Done, OtherBack: got.OtherBack, Running: got.Made - got.Ripe}}
		if !got.Last.IsZero() {
			v.Results.Last = &got.Last
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *API) churnRules(ctx context.Context, c *call, _ struct{}) (ChurnRules, error) {
	list, err := c.ws.Warnings.Rules(ctx)
	if err != nil {
		return ChurnRules{}, err
	}
	items, err := a.showChurnRules(ctx, c, list)
	return ChurnRules{items}, err
}

func (a *API) saveChurnRule(ctx context.Context, c *call, r warning.Rule, what string) (ChurnRule, error) {
	r, err := c.ws.Warnings.Save(ctx, r)
	if err != nil {
		return ChurnRule{}, under(err, "where")
	}
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "churn_rule."+what, "churn_rule", 0, map[string]any{"id": id.Format(warning.Prefix, r.ID), "name": r.Name}); err != nil {
		return ChurnRule{}, err
	}
	list, err := a.showChurnRules(ctx, c, []warning.Rule{r})
	if err != nil {
		return ChurnRule{}, err
	}
	return list[0], nil
}

func (a *API) addChurnRule(ctx context.Context, c *call, in newChurnRuleIn) (ChurnRule, error) {
	r, err := in.Body.rule()
	if err != nil {
		return ChurnRule{}, err
	}
	return a.saveChurnRule(ctx, c, r, "create")
}

func (c *call) churnRule(ctx context.Context, text string) (warning.Rule, error) {
	v, err := id.Parse(warning.Prefix, text)
	if err != nil {
		return warning.Rule{}, fault.New(fault.NotFound, "warning.unknown_rule", nil)
	}
	return c.ws.Warnings.Rule(ctx, v)
}

func (a *API) setChurnRule(ctx context.Context, c *call, in churnRuleIn) (ChurnRule, error) {
	was, err := c.churnRule(ctx, in.ID)
	if err != nil {
		return ChurnRule{}, err
	}
	r, err := in.Body.rule()
	if err != nil {
		return ChurnRule{}, err
	}
	r.ID = was.ID
	if r.Version == 0 {
		r.Version = was.Version
	}
	return a.saveChurnRule(ctx, c, r, "update")
}

func (a *API) dropChurnRule(ctx context.Context, c *call, in idIn) (empty, error) {
	r, err := c.churnRule(ctx, in.ID)
	if err != nil {
		return empty{}, err
	}
	if err := c.ws.Warnings.Drop(ctx, r.ID); err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "churn_rule.delete", "churn_rule", 0, map[string]any{"id": in.ID, "name": r.Name})
}

// ChurnRulePreview is whom a rule would be about.
type ChurnRulePreview struct {
	Found int `json:"found"`
	Now   int `json:"now" doc:"tasks that would be made now"`
}

func (a *API) previewChurnRule(ctx context.Context, c *call, in newChurnRuleIn) (ChurnRulePreview, error) {
	r, err := in.Body.rule()
	if err != nil {
		return ChurnRulePreview{}, err
	}
	if r.Name == "" {
		r.Name = "-"
	}
	a.settle(ctx, c)
	p, err := c.ws.Warnings.Preview(ctx, r)
	return ChurnRulePreview{p.Found, p.Now}, under(err, "where")
}

func (a *API) runChurnRules(ctx context.Context, c *call, _ struct{}) (map[string]bool, error) {
	return map[string]bool{"accepted": true}, c.ws.Churn.Run(ctx)
}

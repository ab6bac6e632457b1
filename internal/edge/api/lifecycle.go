package api

import (
	"context"
	"math"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/classify"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// lifecycleRoutes are how customers go through the classes of a classification, and what classifications are worth.
func (a *API) lifecycleRoutes() []route {
	r, edit := access.SegmentRead, access.ClassificationEdit
	return []route{
		{method: get, path: "/lifecycle", need: right, right: r, run: op(a.journey), doc: "How customers go through the stages: sizes, moves, time in stage, conversion, goals"},
		{method: post, path: "/lifecycle/people", need: right, right: r, run: op(a.journeyPeople), doc: "The customers behind a figure of the lifecycle, those whom the reader sees", secret: true},
		{method: get, path: "/lifecycle/templates", need: right, right: r, run: op(a.stageTemplates), doc: "Sets of stages that a lifecycle can be made of"},
		{method: post, path: "/lifecycle/goals", need: right, right: edit, run: op(a.setStageGoal), doc: "Set the goal of a stage; a target of 0 removes it"},
		{method: get, path: "/classifications/{key}/quality", need: right, right: r, run: op(a.classQuality), doc: "Whether a classification is worth having: sizes, stability, overlap, lift of later revenue"},
		{method: get, path: "/classifications/{key}/cuts", need: right, right: r, run: op(a.classCuts), doc: "Suggested cuts of a classification that cuts one number"},
		{method: post, path: "/classifications/{key}/moving", need: right, right: r, run: op(a.movingPeople), doc: "Who would move from one class to another under an edit of classes", secret: true},
		{method: get, path: "/customers/{id}/classes", need: right, right: r, run: op(a.classSteps), doc: "The classes that a customer was in, oldest first"},
	}
}

type journeyIn struct {
	Classification string `query:"classification" doc:"lifecycle when empty"`
	From           string `query:"from" doc:"local day, 2006-01-02; 90 days before the end when empty"`
	To             string `query:"to" doc:"local day; the day of analysis when empty"`
	Within         int    `query:"within" doc:"days that a conversion may take, 90 when empty"`
	By             string `query:"by" doc:"how those who became known are grouped: month or source"`
}

// StageFigureSet is a stage with its figures. Days are -1 where they are not known.
type StageFigureSet struct {
	Key           string       `json:"key"`
	Label         schema.Label `json:"label"`
	Color         string       `json:"color"`
	Sentence      schema.Label `json:"sentence,omitempty"`
	Rank          int          `json:"rank"`
	Phase         string       `json:"phase" enum:"growing,at_risk,lost,back"`
	Now           int64        `json:"now" doc:"in it at the end of the span"`
	Before        int64        `json:"before" doc:"in it at its beginning"`
	Entered       int64        `json:"entered"`
	Left          int64        `json:"left"`
	Onwards       int64        `json:"onwards" doc:"of those who left, how many went on to a later stage"`
	Lost          int64        `json:"lost" doc:"of those who left, how many came to be at risk or lost"`
	Ever          int64        `json:"ever" doc:"reached it or a later one within the days asked for, of ever_customers"`
	Quarter       int64        `json:"quarter" doc:"days by which a quarter has left"`
	Median        int64        `json:"median" doc:"days by which half have left; those who are still in it count as at least so long"`
	ThreeQuarters int64        `json:"three_quarters"`
	Stays         int64        `json:"stays" doc:"stays that are over"`
	Going         int64        `json:"going" doc:"stays that go on"`
	Curve         []StagePoint `json:"curve"`
}

// StagePoint is the share still in a stage after so many days.
type StagePoint struct {
	Days  int64   `json:"days"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// ClassFlow is how many customers went from one class to another; "" is not known before.
type ClassFlow struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int64  `json:"count"`
}

// StageSizes are the sizes at the end of a day.
type StageSizes struct {
	Day    string           `json:"day"`
	Counts map[string]int64 `json:"counts"`
}

// StageCohort is how many of those who became known in a month, or by a source, reached the growing stages.
type StageCohort struct {
	Group   string           `json:"group"`
	Label   schema.Label     `json:"label,omitempty"`
	Size    int64            `json:"size"`
	Young   int64            `json:"young" doc:"known for a shorter time than the days asked for; not counted"`
	Reached map[string]int64 `json:"reached"`
}

// StageGoal is what a stage is to come to.
type StageGoal struct {
	Class  string   `json:"class"`
	Kind   string   `json:"kind" enum:"share,conversion"`
	Target float64  `json:"target"`
	Below  bool     `json:"below" doc:"at most, not at least"`
	Due    string   `json:"due"`
	Start  float64  `json:"start"`
	Set    string   `json:"set"`
	Actual *float64 `json:"actual"`
}

// LifecycleReport is how customers go through the stages.
type LifecycleReport struct {
	Classification string           `json:"classification"`
	Label          schema.Label     `json:"label"`
	Known          bool             `json:"known" doc:"false before the first pass"`
	Since          string           `json:"since,omitempty" doc:"day since which classes are known"`
	Replayed       string           `json:"replayed,omitempty" doc:"up to this day decided anew for the ends of months; after it by the moves that were found"`
	From           string           `json:"from,omitempty"`
	To             string           `json:"to,omitempty"`
	Now            string           `json:"now,omitempty"`
	Stages         []StageFigureSet `json:"stages"`
	Flows          []ClassFlow      `json:"flows"`
	Sizes          []StageSizes     `json:"sizes"`
	Within         int              `json:"within"`
	By             string           `json:"by"`
	Cohorts        []StageCohort    `json:"cohorts"`
	EverCustomers  int64            `json:"ever_customers" doc:"customers who became known and are known long enough"`
	Goals          []StageGoal      `json:"goals"`
}

func dayOf(text, name string) (clock.Day, error) {
	if text == "" {
		return 0, nil
	}
	d, err := clock.ParseDay(text)
	if err != nil {
		return 0, fault.InvalidField("api.bad_parameter", name, nil)
	}
	return d, nil
}

func (a *API) journey(ctx context.Context, c *call, in journeyIn) (out LifecycleReport, err error) {
	ask := classify.JourneyAsk{Key: in.Classification, Within: in.Within, By: in.By}
	if ask.Key == "" {
		ask.Key = classify.Lifecycle
	}
	if ask.From, err = dayOf(in.From, "from"); err != nil {
		return out, err
	}
	if ask.To, err = dayOf(in.To, "to"); err != nil {
		return out, err
	}
	if in.Within < 0 || in.Within > 3660 {
		return out, fault.InvalidField("api.bad_parameter", "within", nil)
	}
	j, err := c.ws.Classes.Journey(ctx, ask)
	if err != nil {
		return out, err
	}
	goals, err := c.ws.Classes.Goals(ctx, ask.Key)
	if err != nil {
		return out, err
	}
	return c.showJourney(&j, goals), nil
}

func (c *call) showJourney(j *classify.Journey, goals []classify.Goal) LifecycleReport {
	out := LifecycleReport{Classification: j.Classification.Key, Label: j.Classification.Label, Known: j.Known.Since != 0, Within: j.Within, By: j.By, EverCustomers: j.EverCustomers,
		Stages: []StageFigureSet{}, Flows: showFlows(j.Flows), Sizes: []StageSizes{}, Cohorts: []StageCohort{}, Goals: []StageGoal{}}
	if !out.Known {
		return out
	}
	out.Since, out.From, out.To, out.Now = j.Known.Since.String(), j.From.String(), j.To.String(), j.Now.String()
	if j.Known.Replayed != 0 {
		out.Replayed = j.Known.Replayed.String()
	}
	byRank := map[int]string{}
	for _, st := range j.Stages {
		v := StageFigureSet{Key: st.Key, Label: st.Label, Color: st.Color, Rank: st.Rank, Phase: st.PhaseOf(), Now: st.Now, Before: st.Before, Entered: st.Entered, Left: st.Left, Onwards: st.Onwards,
			Lost: st.Lost, Ever: st.Ever, Quarter: st.Quarter, Median: st.Median, ThreeQuarters: st.ThreeQuarters, Stays: st.Stays, Going: st.Going, Curve: []StagePoint{}}
		if st.Where != nil {
			v.Sentence = c.ws.Conditions.Sentence(query.Customer, st.Where)
		}
		for _, p := range st.Curve {
			v.Curve = append(v.Curve, StagePoint{p.Days, p.Share, p.Low, p.High})
		}
		if v.Phase == classify.Growing {
			byRank[st.Rank] = st.Key
		}
		out.Stages = append(out.Stages, v)
	}
	for i, d := range j.Days {
		out.Sizes = append(out.Sizes, StageSizes{d.String(), j.Sizes[i]})
	}
	sources := map[string]schema.Label{}
	if obj, err := c.object(query.Customer); err == nil && j.By == classify.BySource {
		if f := obj.Field("source"); f != nil {
			for _, o := range f.Options {
				sources[o.Key] = o.Label
			}
		}
	}
	for _, g := range j.Cohorts {
		v := StageCohort{Group: g.Group, Label: sources[g.Group], Size: g.Size, Young: g.Young, Reached: map[string]int64{}}
		for rank, n := range g.Reached {
			v.Reached[byRank[rank]] = n
		}
		out.Cohorts = append(out.Cohorts, v)
	}
	for _, g := range goals {
		v := StageGoal{Class: g.Class, Kind: g.Kind, Target: g.Target, Below: g.Below, Due: g.Due.String(), Start: g.Start, Set: g.Set.String()}
		if x, ok := j.Actual(g); ok {
			v.Actual = &x
		}
		out.Goals = append(out.Goals, v)
	}
	return out
}

func showFlows(list []classify.Flow) []ClassFlow {
	out := make([]ClassFlow, len(list))
	for i, f := range list {
		out[i] = ClassFlow{f.From, f.To, f.N}
	}
	return out
}

// StageBehind names a figure of the lifecycle.
type StageBehind struct {
	Figure string `json:"figure" enum:"in,flow,move,reached,group"`
	From   string `json:"from,omitempty" doc:"class before"`
	To     string `json:"to,omitempty" doc:"class after, or that of figure in"`
	Begin  string `json:"begin,omitempty" doc:"first day of the span"`
	End    string `json:"end,omitempty" doc:"last day of the span, or the day of figure in"`
	By     string `json:"by,omitempty"`
	Group  string `json:"group,omitempty"`
	Class  string `json:"class,omitempty" doc:"that was reached"`
	Within int    `json:"within,omitempty"`
}

type journeyPeopleIn struct {
	Body struct {
		Classification string      `json:"classification,omitempty"`
		Behind         StageBehind `json:"behind"`
		Cursor         string      `json:"cursor,omitempty"`
		Limit          int         `json:"limit,omitempty"`
	}
}

// PeoplePage are customers whom the reader sees.
type PeoplePage struct {
	Total      *int64   `json:"total" doc:"whom the reader sees, on the first page alone"`
	Items      []Sample `json:"items"`
	NextCursor *string  `json:"next_cursor"`
}

func (a *API) journeyPeople(ctx context.Context, c *call, in journeyPeopleIn) (out PeoplePage, err error) {
	x := in.Body.Behind
	b := classify.Behind{Figure: x.Figure, From: x.From, To: x.To, By: x.By, Group: x.Group, Days: x.Within}
	if b.A, err = dayOf(x.Begin, "behind.begin"); err != nil {
		return out, err
	}
	if b.B, err = dayOf(x.End, "behind.end"); err != nil {
		return out, err
	}
	key := in.Body.Classification
	if key == "" {
		key = classify.Lifecycle
	}
	if x.Class != "" {
		k, err := c.ws.Classes.Get(ctx, key)
		if err != nil {
			return out, err
		}
		b.Rank = classify.Ranks(k)[x.Class]
	}
	return c.peoplePage(ctx, in.Body.Cursor, in.Body.Limit, func(p classify.Page) (classify.People, error) { return c.ws.Classes.People(ctx, key, b, p) })
}

// peoplePage is a page of the customers that somebody sees.
func (c *call) peoplePage(ctx context.Context, cursor string, limit int, ask func(classify.Page) (classify.People, error)) (PeoplePage, error) {
	out := PeoplePage{Items: []Sample{}}
	p := classify.Page{Limit: limitOf(limit, 50), Count: cursor == ""}
	var err error
	if cursor != "" {
		if _, p.After, err = id.ParseAny(cursor); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	obj, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	if p.Limits, err = c.ws.Records.Limits(ctx, obj.Key); err != nil {
		return out, err
	}
	found, err := ask(p)
	if err != nil {
		return out, err
	}
	if found.Total >= 0 {
		out.Total = &found.Total
	}
	out.Items, err = c.samples(ctx, found.IDs)
	if n := len(found.IDs); n == p.Limit {
		next := id.Format(obj.Prefix, found.IDs[n-1])
		out.NextCursor = &next
	}
	return out, err
}

// StageTemplate is a set of stages.
type StageTemplate struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Description schema.Label `json:"description"`
	Classes     []Class      `json:"classes"`
}

// StageTemplates are the sets of stages.
type StageTemplates struct {
	Items []StageTemplate `json:"items"`
}

func (a *API) stageTemplates(_ context.Context, c *call, _ struct{}) (StageTemplates, error) {
	list, err := classify.Templates()
	out := StageTemplates{Items: []StageTemplate{}}
	for _, t := range list {
		out.Items = append(out.Items, StageTemplate{t.Key, t.Label, t.Description, c.showClasses(t.Classes)})
	}
	return out, err
}

func (c *call) showClasses(list []classify.Class) []Class {
	out := []Class{}
	for _, cl := range list {
		v := Class{Key: cl.Key, Label: cl.Label, Color: cl.Color, Where: cl.Where, Rank: cl.Rank, Phase: cl.Phase}
		if cl.Where != nil {
			v.Sentence = c.ws.Conditions.Sentence(query.Customer, cl.Where)
		}
		out = append(out, v)
	}
	return out
}

type stageGoalIn struct {
	Body struct {
		Classification string  `json:"classification,omitempty"`
		Class          string  `json:"class"`
		Kind           string  `json:"kind" enum:"share,conversion"`
		Target         float64 `json:"target" doc:"from 0 to 1"`
		Below          bool    `json:"below,omitempty"`
		Due            string  `json:"due,omitempty"`
	}
}

func (a *API) setStageGoal(ctx context.Context, c *call, in stageGoalIn) (empty, error) {
	b := in.Body
	g := classify.Goal{Classification: b.Classification, Class: b.Class, Kind: b.Kind, Target: b.Target, Below: b.Below}
	if g.Classification == "" {
		g.Classification = classify.Lifecycle
	}
	var err error
	if g.Due, err = dayOf(b.Due, "due"); err != nil {
		return empty{}, err
	}
	if err := c.ws.Classes.SetGoal(ctx, g); err != nil {
		return empty{}, err
	}
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "classification.goal", "classification", 0, map[string]any{"key": g.Classification, "class": g.Class, "kind": g.Kind, "target": g.Target})
}

// ClassQuality is what a classification is worth. Shares and ratios are null where nothing is known.
type ClassQuality struct {
	Balance   float64              `json:"balance" doc:"1 for classes of equal size, 0 where everyone is in one"`
	Stable30  *float64             `json:"stable_30" doc:"share of customers still in the class of 30 days ago"`
	Stable90  *float64             `json:"stable_90"`
	Since     string               `json:"since,omitempty"`
	LaterFrom string               `json:"later_from,omitempty" doc:"day on which classes are taken; later revenue is of the days after it"`
	LaterTo   string               `json:"later_to,omitempty"`
	Explained *float64             `json:"explained" doc:"share of the variance of later revenue between classes"`
	Classes   []ClassQualityLine   `json:"classes"`
	Overlaps  []ClassQualityOthers `json:"overlaps"`
}

// ClassQualityLine is what is said of one class.
type ClassQualityLine struct {
	Key      string   `json:"key"`
	Count    int64    `json:"count"`
	Share    float64  `json:"share"`
	Stable30 *float64 `json:"stable_30"`
	Stable90 *float64 `json:"stable_90"`
	Then     int64    `json:"then" doc:"customers in it on the day on which classes are taken"`
	Mean     *Money   `json:"mean" doc:"later revenue of one of them"`
	Rest     *Money   `json:"rest" doc:"of one of everyone else"`
	Lift     *float64 `json:"lift"`
	Low      *float64 `json:"low" doc:"of a 95% interval"`
	High     *float64 `json:"high"`
	Buying   *float64 `json:"buying" doc:"share of them who purchased later"`
}

// ClassQualityOthers is how much one classification says of another: Cramér's V.
type ClassQualityOthers struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	V     float64      `json:"v"`
}

func unless(v float64) *float64 {
	if v < 0 {
		return nil
	}
	return &v
}

// meanMoney is a mean in minor units of the base currency; nil below 0.
func (c *call) meanMoney(v float64) *Money {
	if v < 0 {
		return nil
	}
	m := ShowMoney(int64(math.Round(v)), c.ws.Info.Currency)
	return &m
}

func (a *API) classQuality(ctx context.Context, c *call, in keyIn) (ClassQuality, error) {
	q, err := c.ws.Classes.Quality(ctx, in.Key)
	if err != nil {
		return ClassQuality{}, err
	}
	out := ClassQuality{Balance: q.Balance, Stable30: unless(q.Stable30), Stable90: unless(q.Stable90), Classes: []ClassQualityLine{}, Overlaps: []ClassQualityOthers{}}
	if q.Known.Since != 0 {
		out.Since = q.Known.Since.String()
	}
	if q.LaterDay != 0 {
		out.LaterFrom, out.LaterTo, out.Explained = q.LaterDay.String(), q.Now.String(), unless(q.Explained)
	}
	for _, x := range q.Classes {
		out.Classes = append(out.Classes, ClassQualityLine{Key: x.Key, Count: x.N, Share: x.Share, Stable30: unless(x.Stable30), Stable90: unless(x.Stable90), Then: x.Then, Mean: c.meanMoney(x.Mean),
			Rest: c.meanMoney(x.Rest), Lift: unless(x.Lift), Low: unless(x.Low), High: unless(x.High), Buying: unless(x.Buying)})
	}
	for _, o := range q.Overlaps {
		out.Overlaps = append(out.Overlaps, ClassQualityOthers{o.Other.Key, o.Other.Label, o.V})
	}
	return out, nil
}

// ClassCuts are suggested cuts.
type ClassCuts struct {
	Trait       string         `json:"trait"`
	Label       schema.Label   `json:"label"`
	Now         []int64        `json:"now"`
	Explained   float64        `json:"explained" doc:"share of the variance of later revenue that the cuts of now explain"`
	From        string         `json:"from,omitempty" doc:"day of the values; empty where no earlier day is known"`
	To          string         `json:"to,omitempty"`
	Suggestions []ClassCutting `json:"suggestions"`
}

// ClassCutting is one way to cut.
type ClassCutting struct {
	Way       string  `json:"way" enum:"quantile,natural,later"`
	Cuts      []int64 `json:"cuts" doc:"the least value of each class but the lowest"`
	Sizes     []int64 `json:"sizes" doc:"of the classes, the lowest first"`
	Explained float64 `json:"explained"`
	Classes   []Class `json:"classes" doc:"the classification under these cuts, for a preview"`
}

func (a *API) classCuts(ctx context.Context, c *call, in keyIn) (ClassCuts, error) {
	got, err := c.ws.Classes.Suggest(ctx, in.Key)
	if err != nil {
		return ClassCuts{}, err
	}
	out := ClassCuts{Trait: got.Trait, Now: append([]int64{}, got.Now...), Explained: got.Explained, Suggestions: []ClassCutting{}}
	if d, ok := c.ws.Catalogue().Find(got.Trait); ok {
		out.Label = d.Label
	}
	if got.Until != 0 {
		out.From, out.To = got.Day.String(), got.Until.String()
	}
	for _, s := range got.Suggestions {
		out.Suggestions = append(out.Suggestions, ClassCutting{s.Way, s.Cuts, s.Sizes, s.Explained, c.showClasses(s.Classes)})
	}
	return out, nil
}

type movingPeopleIn struct {
	Key  string `path:"key"`
	Body struct {
		Classes []classBody `json:"classes"`
		From    string      `json:"from"`
		To      string      `json:"to"`
		Cursor  string      `json:"cursor,omitempty"`
		Limit   int         `json:"limit,omitempty"`
	}
}

func (a *API) movingPeople(ctx context.Context, c *call, in movingPeopleIn) (PeoplePage, error) {
	cs, err := classes(in.Body.Classes)
	if err != nil {
		return PeoplePage{}, err
	}
	return c.peoplePage(ctx, in.Body.Cursor, in.Body.Limit, func(p classify.Page) (classify.People, error) {
		return c.ws.Classes.MovingPeople(ctx, in.Key, cs, in.Body.From, in.Body.To, p)
	})
}

// ClassSteps are the classes that a customer was in.
type ClassSteps struct {
	Items []ClassStep `json:"items"`
}

// ClassStep is a customer's class of a classification from a day on, until the next one of it.
type ClassStep struct {
	Classification string       `json:"classification"`
	Label          schema.Label `json:"label"`
	Key            string       `json:"key"`
	ClassLabel     schema.Label `json:"class_label"`
	Color          string       `json:"color"`
	Day            string       `json:"day"`
	Until          string       `json:"until,omitempty"`
	Days           int64        `json:"days" doc:"that it lasted, up to now for the present one"`
	First          bool         `json:"first" doc:"the oldest that is known: it may have begun earlier"`
	Replayed       bool         `json:"replayed" doc:"decided anew for the end of the month; the move lies in that month"`
	Sentence       schema.Label `json:"sentence,omitempty" doc:"the rule of the class as it is now"`
}

func (a *API) classSteps(ctx context.Context, c *call, in idIn) (ClassSteps, error) {
	out := ClassSteps{Items: []ClassStep{}}
	obj, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	of, err := recordID(obj, in.ID)
	if err != nil {
		return out, err
	}
	if _, err := c.ws.Records.Get(ctx, obj.Key, of); err != nil {
		return out, err
	}
	steps, err := c.ws.Classes.Steps(ctx, of)
	if err != nil {
		return out, err
	}
	now, err := c.ws.Traits.Anchor(ctx)
	if err != nil {
		return out, err
	}
	known := map[string]classify.Known{}
	defs := map[string]classify.Classification{}
	for i, s := range steps {
		k, ok := defs[s.Classification]
		if !ok {
			if k, err = c.ws.Classes.Get(ctx, s.Classification); err != nil {
				if fault.KindOf(err) == fault.NotFound {
					continue
				}
				return out, err
			}
			defs[k.Key] = k
			if known[k.Key], err = c.ws.Classes.Known(ctx, k.Key); err != nil {
				return out, err
			}
		}
		v := ClassStep{Classification: k.Key, Label: k.Label, Key: s.Class, ClassLabel: schema.Label{}, Day: s.Day.String(), Days: int64(now - s.Day),
			First: i == 0 || steps[i-1].Classification != s.Classification, Replayed: s.Day <= known[k.Key].Replayed}
		for _, cl := range k.Classes {
			if cl.Key == s.Class {
				v.ClassLabel, v.Color = cl.Label, cl.Color
				if cl.Where != nil {
					v.Sentence = c.ws.Conditions.Sentence(query.Customer, cl.Where)
				}
			}
		}
		if len(v.ClassLabel) == 0 && s.Class != "" {
			v.ClassLabel = schema.Label{"zh-CN": s.Class, "en": s.Class}
		}
		if i+1 < len(steps) && steps[i+1].Classification == s.Classification {
			v.Until, v.Days = steps[i+1].Day.String(), int64(steps[i+1].Day-s.Day)
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

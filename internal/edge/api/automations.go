package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// automationRoutes are for those who may manage rules, except for pressing the button of one. Every line that changes something leaves a
// note in the trail: automation.create, .update, .delete, .rotate, .replay, .skip, .cancel and .run; the program itself notes automation.paused.
func (a *API) automationRoutes() []route {
	r := access.AutomationManage
	return []route{
		{method: get, path: "/automations", need: right, right: r, run: op(a.listAutomations), doc: "Automation rules with how they fare"},
		{method: post, path: "/automations", need: right, right: r, run: op(a.createAutomation), doc: "Make a rule; it is off unless the state says otherwise", status: http.StatusCreated},
		{method: post, path: "/automations/check", need: right, right: r, run: op(a.checkAutomation), doc: "What is wrong with a definition; nothing is stored", status: http.StatusOK, secret: true},
		{method: post, path: "/automations/try", need: right, right: r, run: op(a.tryAutomation), doc: "What a definition would do with a record; nothing is done", status: http.StatusOK, secret: true},
		{method: post, path: "/automations/look-back", need: right, right: r, run: op(a.lookBack), doc: "How often a definition would have begun in the last 30 days", status: http.StatusOK, secret: true},
		{method: get, path: "/automations/{id}", need: right, right: r, run: op(a.getAutomation), doc: "One rule"},
		{method: patch, path: "/automations/{id}", need: right, right: r, run: op(a.patchAutomation), doc: "Change a rule, or switch it on or off"},
		{method: del, path: "/automations/{id}", need: right, right: r, run: op(a.deleteAutomation), doc: "Delete a rule with its runs"},
		{method: get, path: "/automations/{id}/revisions", need: right, right: r, run: op(a.automationRevisions), doc: "Revisions of a rule, newest first"},
		{method: get, path: "/automations/{id}/runs", need: right, right: r, run: op(a.automationRuns), doc: "Runs of a rule, newest first"},
		{method: get, path: "/automations/{id}/runs/{run}", need: right, right: r, run: op(a.automationRun), doc: "One run with its steps"},
		{method: get, path: "/automations/{id}/secrets", need: right, right: r, run: op(a.automationSecrets), doc: "What other systems need to begin runs and to check requests", secret: true},
		{method: post, path: "/automations/{id}/secrets/rotate", need: right, right: r, run: op(a.rotateAutomation), doc: "Another token; the old one begins nothing any more", status: http.StatusOK, secret: true},
		{method: post, path: "/automations/{id}/replay", need: right, right: r, run: op(a.replayAutomation), doc: "Failed runs go on at the step that failed: one, or all", status: http.StatusOK},
		{method: post, path: "/automations/{id}/skip", need: right, right: r, run: op(a.skipAutomation), doc: "A failed run goes on behind the step that failed", status: http.StatusOK},
		{method: post, path: "/automations/{id}/cancel", need: right, right: r, run: op(a.cancelAutomation), doc: "End runs that are under way: one, or all", status: http.StatusOK},
		{method: post, path: "/automations/{id}/run", need: right, right: access.RecordUpdate, run: op(a.pressAutomation), doc: "Begin a rule on records by hand", status: http.StatusOK},
		{method: get, path: "/objects/{object}/automations", need: right, right: access.RecordRead, run: op(a.manualAutomations), doc: "Rules that may be begun by hand on records of an object"},
		{method: get, path: "/segments/{key}/rules", need: right, right: access.SegmentRead, run: op(a.segmentRules), doc: "Rules that watch a segment or name it in a condition"},
		{method: post, path: "/hooks/{workspace}/{id}", need: open, run: op(a.hookAutomation), doc: "Begin a rule from another system; its token comes as a bearer", status: http.StatusAccepted},
	}
}

// AutomationDefinition is what a rule does, in the form of docs/automations.md.
type AutomationDefinition json.RawMessage

// UnmarshalJSON keeps the text.
func (d *AutomationDefinition) UnmarshalJSON(b []byte) error { *d = append((*d)[:0], b...); return nil }

// MarshalJSON gives the text.
func (d AutomationDefinition) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }

func (d AutomationDefinition) parse() (automation.Definition, error) {
	if len(d) == 0 || string(d) == "null" {
		return automation.Definition{}, fault.InvalidField("automation.bad_definition", "definition", fault.Params{"reason": "missing"})
	}
	return automation.Parse(d)
}

func definitionText(d automation.Definition) AutomationDefinition {
	raw, err := json.Marshal(d)
	if err != nil { // what was stored encodes
		return AutomationDefinition("null")
	}
	return raw
}

// Automation is a rule as the API shows it.
type Automation struct {
	ID          string               `json:"id"`
	Name        string               `json:"name"`
	Description string               `json:"description"`
	State       string               `json:"state" enum:"on,off,paused"`
	Reason      string               `json:"reason" doc:"why the program paused it: loop, runner, broken"`
	RunAs       *Ref                 `json:"run_as" doc:"the person it acts as; null is the program, with the rights of an administrator"`
	Revision    int64                `json:"revision"`
	Version     int64                `json:"version"`
	Object      string               `json:"object"`
	Trigger     string               `json:"trigger" enum:"created,changed,deleted,restored,file_added,file_removed,date,schedule,manual,hook,enters,leaves"`
	Definition  AutomationDefinition `json:"definition"`
	// Sentences are the conditions in words, by place: "where", "steps.1.where".
	Sentences map[string]schema.Label `json:"sentences"`
	NextAt    *time.Time              `json:"next_at" doc:"of a rule that goes by the calendar"`
	Today     AutomationCounts        `json:"today"`
	Live      int                     `json:"live" doc:"runs under way, waiting ones too"`
	Failed    int                     `json:"failed" doc:"runs that failed and wait for somebody"`
	LastAt    *time.Time              `json:"last_at"`
	CreatedAt time.Time               `json:"created_at"`
	UpdatedAt time.Time               `json:"updated_at"`
}

func (v Automation) etag() string { return `"` + strconv.FormatInt(v.Version, 10) + `"` }

// AutomationCounts are the runs of a span of time.
type AutomationCounts struct {
	Started int `json:"started"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Looped  int `json:"looped"`
}

// AutomationList is every rule of the workspace.
type AutomationList struct {
	Items []Automation `json:"items"`
}

func (c *call) showAutomation(r *automation.Rule, names map[record.Ref]string) Automation {
	out := Automation{ID: id.Format(automation.Prefix, r.ID), Name: r.Name, Description: r.Description, State: string(r.State), Reason: r.Reason, Revision: r.Revision, Version: r.Version,
		Object: r.Definition.Object, Trigger: string(r.Definition.Trigger.Kind), Definition: definitionText(r.Definition), Sentences: c.sentences(&r.Definition),
		NextAt: optional(c.ws.Automations.NextAt(r)), Today: AutomationCounts(r.Stats.Today), Live: r.Stats.Live, Failed: r.Stats.Failed, LastAt: optional(r.Stats.LastAt),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	if r.RunAs != 0 {
		out.RunAs = &Ref{ID: id.Format(auth.UserPrefix, r.RunAs), Object: "user", Title: names[record.Ref{Object: "user", ID: r.RunAs}]}
	}
	return out
}

// sentences say the conditions of a definition in words.
func (c *call) sentences(d *automation.Definition) map[string]schema.Label {
	out := map[string]schema.Label{}
	add := func(at string, where *query.Node) {
		if where != nil && c.ws.Registry().Object(d.Object) != nil {
			out[at] = c.ws.Conditions.Sentence(d.Object, where)
		}
	}
	add("where", d.Where)
	automation.Each(d.Steps, func(s *automation.Step, at string) {
		add(at+".where", s.Where)
		if s.Wait != nil {
			add(at+".wait.where", s.Wait.Where)
		}
	})
	return out
}

func (c *call) automation(ctx context.Context, r automation.Rule, err error) (Automation, error) {
	if err != nil {
		return Automation{}, err
	}
	names, err := c.userNames(ctx, r.RunAs)
	return c.showAutomation(&r, names), err
}

// ruleName is the name of an automation that did something, "" for one that is gone.
func (c *call) ruleName(rule id.ID) string {
	if c.rules == nil && c.ws != nil && c.ws.Automations != nil {
		var err error
		if c.rules, err = c.ws.Automations.Names(c.r.Context()); err != nil {
			c.rules = map[id.ID]string{}
		}
		if c.ws.Journeys != nil {
			if names, err := c.ws.Journeys.Names(c.r.Context()); err == nil {
				maps.Copy(c.rules, names)
			}
		}
	}
	return c.rules[rule]
}

func (a *API) listAutomations(ctx context.Context, c *call, _ struct{}) (AutomationList, error) {
	out := AutomationList{Items: []Automation{}}
	rules, err := c.ws.Automations.List(ctx)
	if err != nil {
		return out, err
	}
	people := make([]id.ID, len(rules))
	for i := range rules {
		people[i] = rules[i].RunAs
	}
	names, err := c.userNames(ctx, people...)
	for i := range rules {
		out.Items = append(out.Items, c.showAutomation(&rules[i], names))
	}
	return out, err
}

// SegmentRule is a rule that speaks of a segment.
type SegmentRule struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state" enum:"on,off,paused"`
	How   string `json:"how" enum:"enters,leaves,condition"`
}

// SegmentRules are those of a segment, by name.
type SegmentRules struct {
	Items []SegmentRule `json:"items"`
}

func (a *API) segmentRules(ctx context.Context, c *call, in keyIn) (SegmentRules, error) {
	out := SegmentRules{Items: []SegmentRule{}}
	if _, err := c.ws.Segments.Get(ctx, in.Key); err != nil {
		return out, err
	}
	uses, err := c.ws.Automations.UsesOfSegment(ctx, in.Key)
	for _, u := range uses {
		out.Items = append(out.Items, SegmentRule{id.Format(automation.Prefix, u.Rule), u.Name, string(u.State), u.How})
	}
	return out, err
}

func automationID(text string) (id.ID, error) {
	v, err := id.Parse(automation.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "automation.not_found", nil)
	}
	return v, nil
}

func runID(text string) (id.ID, error) {
	v, err := id.Parse(automation.RunPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "automation.run_not_found", nil)
	}
	return v, nil
}

func (a *API) getAutomation(ctx context.Context, c *call, in idIn) (Automation, error) {
	key, err := automationID(in.ID)
	if err != nil {
		return Automation{}, err
	}
	r, err := c.ws.Automations.Get(ctx, key)
	return c.automation(ctx, r, err)
}

type automationBody struct {
	Name        *string              `json:"name,omitempty"`
	Description *string              `json:"description,omitempty"`
	State       *string              `json:"state,omitempty" enum:"on,off"`
	RunAs       *string              `json:"run_as,omitempty" doc:"a person, or \"system\""`
	Definition  AutomationDefinition `json:"definition,omitempty"`
	Version     int64                `json:"version,omitempty"`
}

// runAs reads a person, or 0 for the program.
func (c *call) runAs(text *string) (*id.ID, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // not said
	}
	var v id.ID
	if *text == "system" {
		return &v, nil
	}
	v, err := id.Parse(auth.UserPrefix, *text)
	if err != nil {
		return nil, fault.InvalidField("automation.run_as_gone", "run_as", nil)
	}
	return &v, nil
}

func (c *call) automationChange(b *automationBody) (automation.Change, error) {
	out := automation.Change{Name: b.Name, Description: b.Description}
	if b.State != nil {
		s := automation.State(*b.State)
		out.State = &s
	}
	var err error
	if out.RunAs, err = c.runAs(b.RunAs); err != nil {
		return out, err
	}
	if len(b.Definition) > 0 {
		d, err := b.Definition.parse()
		if err != nil {
			return out, err
		}
		out.Definition = &d
	}
	return out, nil
}

type createAutomationIn struct{ Body automationBody }

func (a *API) createAutomation(ctx context.Context, c *call, in createAutomationIn) (Automation, error) {
	change, err := c.automationChange(&in.Body)
	if err != nil {
		return Automation{}, err
	}
	r, err := c.ws.Automations.Create(ctx, change)
	if err != nil {
		return Automation{}, err
	}
	if err := a.noteAutomation(ctx, c, "automation.create", &r, nil); err != nil {
		return Automation{}, err
	}
	return c.automation(ctx, r, nil)
}

// noteAutomation leaves a line in the trail: as whom the rule acts, and in which revision.
func (a *API) noteAutomation(ctx context.Context, c *call, action string, r *automation.Rule, more map[string]any) error {
	as := "system"
	if r.RunAs != 0 {
		as = id.Format(auth.UserPrefix, r.RunAs)
	}
	detail := map[string]any{"automation": id.Format(automation.Prefix, r.ID), "name": r.Name, "state": string(r.State), "revision": r.Revision, "run_as": as}
	for k, v := range more {
		detail[k] = v
	}
	return a.Auth.Note(ctx, c.who.Workspace.Key, action, r.Definition.Object, 0, detail)
}

type patchAutomationIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    automationBody
}

func (a *API) patchAutomation(ctx context.Context, c *call, in patchAutomationIn) (Automation, error) {
	key, err := automationID(in.ID)
	if err != nil {
		return Automation{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Automation{}, err
	}
	change, err := c.automationChange(&in.Body)
	if err != nil {
		return Automation{}, err
	}
	if _, err := c.ws.Automations.Update(ctx, key, version, change); err != nil {
		return Automation{}, err
	}
	r, err := c.ws.Automations.Get(ctx, key)
	if err != nil {
		return Automation{}, err
	}
	if err := a.noteAutomation(ctx, c, "automation.update", &r, nil); err != nil {
		return Automation{}, err
	}
	return c.automation(ctx, r, nil)
}

func (a *API) deleteAutomation(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := automationID(in.ID)
	if err != nil {
		return empty{}, err
	}
	r, err := c.ws.Automations.Get(ctx, key)
	if err != nil {
		return empty{}, err
	}
	if err := c.ws.Automations.Delete(ctx, key); err != nil {
		return empty{}, err
	}
	return empty{}, a.noteAutomation(ctx, c, "automation.delete", &r, nil)
}

type definitionIn struct {
	Body struct {
		Definition AutomationDefinition `json:"definition"`
		RunAs      *string              `json:"run_as,omitempty" doc:"a person, or \"system\"; whoever asks when left out"`
		Record     string               `json:"record,omitempty"`
	}
}

// about is what a question is about: a definition, and who it would run as.
func (c *call) about(in *definitionIn) (automation.Definition, id.ID, error) {
	d, err := in.Body.Definition.parse()
	if err != nil {
		return d, 0, err
	}
	as, err := c.runAs(in.Body.RunAs)
	if err != nil {
		return d, 0, err
	}
	if as == nil {
		return d, c.who.Actor.Person, nil
	}
	return d, *as, nil
}

// AutomationCheck is what can be said of a definition before it is saved.
type AutomationCheck struct {
	OK        bool                    `json:"ok"`
	Problems  []ProblemItem           `json:"problems"`
	Sentences map[string]schema.Label `json:"sentences"`
}

func (a *API) checkAutomation(ctx context.Context, c *call, in definitionIn) (AutomationCheck, error) {
	out := AutomationCheck{Problems: []ProblemItem{}, Sentences: map[string]schema.Label{}}
	d, as, err := c.about(&in)
	if err == nil {
		err = c.ws.Automations.Check(ctx, d, as)
	}
	f, ok := fault.Find(err)
	switch {
	case err == nil:
		out.OK, out.Sentences = true, c.sentences(&d)
	case ok && f.Kind == fault.Invalid:
		items := f.Items
		if len(items) == 0 {
			items = []*fault.Fault{f}
		}
		for _, it := range items {
			out.Problems = append(out.Problems, ProblemItem{Location: it.Field, Message: a.Words.Text(localeOf(c.locale), it.Code, it.Params), Code: it.Code})
		}
	default:
		return out, err
	}
	return out, nil
}

// AutomationLook is how often a definition would have begun.
type AutomationLook struct {
	Runs     int       `json:"runs"`
	Records  int       `json:"records"`
	Complete bool      `json:"complete" doc:"false when there may be more"`
	Since    time.Time `json:"since"`
	Now      bool      `json:"now" doc:"the records that fit at the moment, of a rule that people or other systems begin"`
}

func (a *API) lookBack(ctx context.Context, c *call, in definitionIn) (AutomationLook, error) {
	d, as, err := c.about(&in)
	if err != nil {
		return AutomationLook{}, err
	}
	l, err := c.ws.Automations.LookBack(ctx, d, as)
	return AutomationLook(l), err
}

// AutomationTrial is what a definition would do with a record.
type AutomationTrial struct {
	Fits  bool             `json:"fits" doc:"the record fulfils the condition"`
	Steps []AutomationTest `json:"steps"`
}

// AutomationTest is what a step would do.
type AutomationTest struct {
	Step    string         `json:"step"`
	Kind    string         `json:"kind"`
	Outcome string         `json:"outcome"`
	Record  *Ref           `json:"record"`
	Object  string         `json:"object"`
	Changes []FieldChange  `json:"changes"`
	People  []Ref          `json:"people"`
	Text    string         `json:"text"`
	Until   *time.Time     `json:"until"`
	Body    map[string]any `json:"body,omitempty"`
	Mail    *TrialMail     `json:"mail,omitempty"`
	Problem string         `json:"problem"`
}

// TrialMail is a mail as it would be sent.
type TrialMail struct {
	To      string `json:"to" doc:"masked"`
	Name    string `json:"name"`
	Locale  string `json:"locale" doc:"the language of the receiver"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

func (a *API) tryAutomation(ctx context.Context, c *call, in definitionIn) (AutomationTrial, error) {
	d, as, err := c.about(&in)
	if err != nil {
		return AutomationTrial{}, err
	}
	o, err := c.object(d.Object)
	if err != nil {
		return AutomationTrial{}, err
	}
	rec, err := id.Parse(o.Prefix, in.Body.Record)
	if err != nil {
		return AutomationTrial{}, fault.InvalidField("record.relation_unknown", "record", fault.Params{"object": o.Key})
	}
	got, err := c.ws.Automations.Try(ctx, d, as, rec)
	if err != nil {
		return AutomationTrial{}, err
	}
	out := AutomationTrial{Fits: got.Fits, Steps: []AutomationTest{}}
	for i := range got.Steps {
		t, err := a.showTrial(ctx, c, &got.Steps[i])
		if err != nil {
			return out, err
		}
		out.Steps = append(out.Steps, t)
	}
	return out, nil
}

func (a *API) showTrial(ctx context.Context, c *call, t *automation.Trial) (AutomationTest, error) {
	out := AutomationTest{Step: t.Step, Kind: string(t.Kind), Outcome: string(t.Outcome), Object: t.Object, Changes: []FieldChange{}, People: []Ref{}, Text: t.Text, Until: t.Until, Body: t.Body}
	if t.Problem != nil {
		out.Problem = a.problemText(c, t.Problem)
	}
	if t.Mail != nil {
		m := TrialMail(*t.Mail)
		out.Mail = &m
	}
	names, err := c.userNames(ctx, t.People...)
	if err != nil {
		return out, err
	}
	for _, p := range t.People {
		out.People = append(out.People, Ref{ID: id.Format(auth.UserPrefix, p), Object: "user", Title: names[record.Ref{Object: "user", ID: p}]})
	}
	if t.Object == "" {
		return out, nil
	}
	o, err := c.object(t.Object)
	if err != nil {
		return out, err
	}
	if t.Record != 0 {
		out.Record = &Ref{ID: id.Format(o.Prefix, t.Record), Object: o.Key, Title: t.Title}
	}
	var changes []record.FieldChange
	for _, f := range o.Fields {
		if after, ok := t.After[f.Key]; ok {
			changes = append(changes, record.FieldChange{Field: f.Key, Before: t.Before[f.Key], After: after})
		}
	}
	titles, err := c.titlesFor(ctx, o, nil, [][]record.FieldChange{changes})
	out.Changes = c.showChanges(o, changes, titles, c.ws.Records.Env(ctx))
	return out, err
}

func (a *API) problemText(c *call, p *automation.Problem) string {
	return a.Words.Text(localeOf(c.locale), p.Code, labelled(p.Params))
}

// labelled gives texts in several languages, which were stored as JSON, their form again.
func labelled(params map[string]any) map[string]any {
	out := make(map[string]any, len(params))
	for k, v := range params {
		out[k] = v
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		label := schema.Label{}
		for l, text := range m {
			if s, is := text.(string); is {
				label[lang.Locale(l)] = s
			}
		}
		out[k] = label
	}
	return out
}

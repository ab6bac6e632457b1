package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// journeyRoutes are the ways that people are taken, what becomes of them, and ready ones.
func (a *API) journeyRoutes() []route {
	r, w, s := access.CampaignRead, access.CampaignWrite, access.CampaignSend
	return []route{
		{method: get, path: "/journeys", need: right, right: r, run: op(a.listJourneys), doc: "Journeys, the newest first, with how many are on them"},
		{method: post, path: "/journeys", need: right, right: w, run: op(a.createJourney), doc: "Draw a journey, as a draft", status: http.StatusCreated},
		{method: get, path: "/journey-plays", need: right, right: r, run: op(a.journeyPlays), doc: "Ready journeys of care"},
		{method: post, path: "/journey-plays/{key}", need: right, right: w, run: op(a.usePlay), doc: "Make a draft of a ready journey, with its templates", status: http.StatusCreated},
		{method: post, path: "/journeys/check", need: right, right: r, run: op(a.checkJourney), doc: "What is wrong with a definition, step by step; nothing is stored", status: http.StatusOK},
		{method: post, path: "/journeys/simulate", need: right, right: r, run: op(a.simulateJourney), doc: "What a definition would have done in the last days; nothing is done", status: http.StatusOK},
		{method: get, path: "/journeys/{id}", need: right, right: r, run: op(a.getJourney), doc: "One journey: its draft, and what is in force"},
		{method: patch, path: "/journeys/{id}", need: right, right: w, run: op(a.patchJourney), doc: "Change the draft; what is published stays as it is"},
		{method: del, path: "/journeys/{id}", need: right, right: w, run: op(a.deleteJourney), doc: "Delete a draft that was never published"},
		{method: post, path: "/journeys/{id}/publish", need: right, right: s, run: op(a.publishJourney), doc: "Publish the draft, saying what becomes of those on the way", status: http.StatusOK},
		{method: post, path: "/journeys/{id}/pause", need: right, right: s, run: op(a.pauseJourney), doc: "Hold everybody where they are", status: http.StatusOK},
		{method: post, path: "/journeys/{id}/resume", need: right, right: s, run: op(a.resumeJourney), doc: "Go on with a journey that was paused", status: http.StatusOK},
		{method: post, path: "/journeys/{id}/stop", need: right, right: s, run: op(a.stopJourney), doc: "End a journey: everybody leaves it", status: http.StatusOK},
		{method: post, path: "/journeys/{id}/enter", need: right, right: s, run: op(a.enterJourney), doc: "Let customers in; the same key lets each in once", status: http.StatusOK},
		{method: get, path: "/journeys/{id}/counts", need: right, right: r, run: op(a.journeyCounts), doc: "How many are where, and what was gained over those held back"},
		{method: get, path: "/journeys/{id}/people", need: right, right: r, run: op(a.journeyTokens), doc: "People of a journey in a state or at a step"},
		{method: get, path: "/journeys/{id}/versions", need: right, right: r, run: op(a.journeyVersions), doc: "Versions that were published, the newest first"},
		{method: get, path: "/customers/{id}/journeys", need: right, right: r, run: op(a.customerJourneys), doc: "The ways of a customer through journeys, the newest first"},
	}
}

// JourneyDefinition is what a journey does, in the form of docs/journeys.md.
type JourneyDefinition json.RawMessage

// UnmarshalJSON keeps the text.
func (d *JourneyDefinition) UnmarshalJSON(b []byte) error { *d = append((*d)[:0], b...); return nil }

// MarshalJSON gives the text.
func (d JourneyDefinition) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }

func (d JourneyDefinition) parse() (journey.Definition, error) {
	var out journey.Definition
	in := json.NewDecoder(bytes.NewReader(d))
	in.DisallowUnknownFields()
	if err := in.Decode(&out); err != nil {
		return out, fault.InvalidField("journey.bad_definition", "definition", nil)
	}
	for i := range out.Steps {
		out.Steps[i].Run = 0
	}
	return out, nil
}

// shownStep is a step with its run as others print it.
type shownStep struct {
	journey.Step
	Run string `json:"run,omitempty"`
}

func showDefinition(d *journey.Definition) (JourneyDefinition, error) {
	type plain journey.Definition
	steps := make([]shownStep, len(d.Steps))
	for i := range d.Steps {
		steps[i].Step = d.Steps[i]
		if d.Steps[i].Run != 0 {
			steps[i].Run = id.Format(campaign.Prefix, d.Steps[i].Run)
		}
	}
	raw, err := json.Marshal(struct {
		plain
		Steps []shownStep `json:"steps"`
	}{plain(*d), steps})
	return JourneyDefinition(raw), err
}

// JourneyStanding is how many are where: entered is the sum of the other four.
type JourneyStanding struct {
	Entered int64 `json:"entered"`
	On      int64 `json:"on" doc:"on the way"`
	Done    int64 `json:"done" doc:"at the end of it"`
	Left    int64 `json:"left" doc:"left before"`
	Held    int64 `json:"held" doc:"held back by chance"`
	Goal    int64 `json:"goal" doc:"of all who entered: reached the goal"`
}

// Journey is one.
type Journey struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Status    string            `json:"status" enum:"draft,live,paused,stopped"`
	Trigger   string            `json:"trigger" enum:",segment_entered,segment_left,event,record,date,schedule,api"`
	Draft     JourneyDefinition `json:"draft,omitempty"`
	InForce   JourneyDefinition `json:"in_force,omitempty" doc:"the version that is published"`
	Changed   bool              `json:"changed" doc:"the draft is another one than what is published"`
	Published int64             `json:"published" doc:"number of the version in force; 0 for none"`
	Version   int64             `json:"version"`
	Reason    string            `json:"reason" doc:"code of why it was paused by itself"`
	Standing  JourneyStanding   `json:"standing"`
	UpdatedAt time.Time         `json:"updated_at"`
	UpdatedBy Ref               `json:"updated_by"`
	BeganAt   *time.Time        `json:"began_at"`
}

// JourneyList is all of them.
type JourneyList struct {
	Items []Journey `json:"items"`
}

func journeyID(text string) (id.ID, error) {
	v, err := id.Parse(journey.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "journey.not_found", nil)
	}
	return v, nil
}

func (c *call) showJourneys(ctx context.Context, list []journey.Journey, whole bool) ([]Journey, error) {
	people := make([]id.ID, len(list))
	for i := range list {
		people[i] = list[i].UpdatedBy
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := make([]Journey, len(list))
	for i := range list {
		v := &list[i]
		out[i] = Journey{ID: id.Format(journey.Prefix, v.ID), Name: v.Name, Status: string(v.Status), Trigger: v.Draft.Trigger.Kind, Changed: v.Changed, Published: v.Published, Version: v.Version, Reason: v.Reason,
			UpdatedAt: v.UpdatedAt, UpdatedBy: personRef(v.UpdatedBy, names), BeganAt: optional(v.BeganAt)}
		if v.Published > 0 {
			n, err := c.ws.Journeys.Counts(ctx, v.ID)
			if err != nil {
				return nil, err
			}
			out[i].Standing = JourneyStanding(n.Standing)
		}
		if !whole {
			continue
		}
		if out[i].Draft, err = showDefinition(&v.Draft); err != nil {
			return nil, err
		}
		if v.Published > 0 {
			d, err := c.ws.Journeys.InForce(ctx, v)
			if err != nil {
				return nil, err
			}
			if out[i].InForce, err = showDefinition(d); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (c *call) showDrawn(ctx context.Context, v *journey.Journey, err error) (Journey, error) {
	if err != nil {
		return Journey{}, err
	}
	out, err := c.showJourneys(ctx, []journey.Journey{*v}, true)
	if err != nil {
		return Journey{}, err
	}
	return out[0], nil
}

func (a *API) listJourneys(ctx context.Context, c *call, _ struct{}) (JourneyList, error) {
	list, err := c.ws.Journeys.List(ctx)
	if err != nil {
		return JourneyList{}, err
	}
	items, err := c.showJourneys(ctx, list, false)
	return JourneyList{items}, err
}

type journeyBody struct {
	Name       string            `json:"name"`
	Definition JourneyDefinition `json:"definition"`
	Version    int64             `json:"version,omitempty"`
}

type createJourneyIn struct{ Body journeyBody }

func (a *API) createJourney(ctx context.Context, c *call, in createJourneyIn) (Journey, error) {
	d, err := in.Body.Definition.parse()
	if err != nil {
		return Journey{}, err
	}
	v, err := c.ws.Journeys.Create(ctx, in.Body.Name, d)
	return c.showDrawn(ctx, &v, err)
}

func (a *API) getJourney(ctx context.Context, c *call, in idIn) (Journey, error) {
	key, err := journeyID(in.ID)
	if err != nil {
		return Journey{}, err
	}
	v, err := c.ws.Journeys.Get(ctx, key)
	return c.showDrawn(ctx, &v, err)
}

type patchJourneyIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    journeyBody
}

func (a *API) patchJourney(ctx context.Context, c *call, in patchJourneyIn) (Journey, error) {
	key, err := journeyID(in.ID)
	if err != nil {
		return Journey{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return Journey{}, err
	}
	d, err := in.Body.Definition.parse()
	if err != nil {
		return Journey{}, err
	}
	v, err := c.ws.Journeys.Update(ctx, key, version, in.Body.Name, d)
	return c.showDrawn(ctx, &v, err)
}

func (a *API) deleteJourney(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := journeyID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Journeys.Delete(ctx, key)
}

type publishJourneyIn struct {
	ID   string `path:"id"`
	Body struct {
		Version int64  `json:"version" doc:"of the journey that was looked at"`
		Flight  string `json:"flight" enum:"finish,move,leave" doc:"those on the way go on in their version, move to the new one where their step is in it, or leave"`
	}
}

func (a *API) publishJourney(ctx context.Context, c *call, in publishJourneyIn) (Journey, error) {
	key, err := journeyID(in.ID)
	if err != nil {
		return Journey{}, err
	}
	v, err := c.ws.Journeys.Go(ctx, key, in.Body.Version, journey.Flight(in.Body.Flight))
	return c.showDrawn(ctx, &v, err)
}

func (a *API) pauseJourney(ctx context.Context, c *call, in idIn) (Journey, error) {
	return c.moveJourney(ctx, in.ID, c.ws.Journeys.Pause)
}

func (a *API) resumeJourney(ctx context.Context, c *call, in idIn) (Journey, error) {
	return c.moveJourney(ctx, in.ID, c.ws.Journeys.Resume)
}

func (a *API) stopJourney(ctx context.Context, c *call, in idIn) (Journey, error) {
	return c.moveJourney(ctx, in.ID, c.ws.Journeys.Stop)
}

func (c *call) moveJourney(ctx context.Context, text string, move func(context.Context, id.ID) (journey.Journey, error)) (Journey, error) {
	key, err := journeyID(text)
	if err != nil {
		return Journey{}, err
	}
	v, err := move(ctx, key)
	return c.showDrawn(ctx, &v, err)
}

type enterJourneyIn struct {
	ID   string `path:"id"`
	Body struct {
		Customers []string `json:"customers"`
		Key       string   `json:"key,omitempty" doc:"names the occasion: a second try with it does nothing"`
	}
}

// JourneyEntered is how many were let in.
type JourneyEntered struct {
	Entered int `json:"entered"`
}

func (a *API) enterJourney(ctx context.Context, c *call, in enterJourneyIn) (JourneyEntered, error) {
	key, err := journeyID(in.ID)
	if err != nil {
		return JourneyEntered{}, err
	}
	obj, err := c.object(query.Customer)
	if err != nil {
		return JourneyEntered{}, err
	}
	var who []id.ID
	for _, text := range in.Body.Customers {
		v, err := id.Parse(obj.Prefix, text)
		if err != nil {
			return JourneyEntered{}, fault.InvalidField("api.bad_parameter", "customers", nil)
		}
		who = append(who, v)
	}
	seen, err := c.seenCustomers(ctx, who)
	if err != nil {
		return JourneyEntered{}, err
	}
	who = slices.DeleteFunc(who, func(v id.ID) bool { _, ok := seen[v]; return !ok })
	n, err := c.ws.Journeys.Admit(ctx, key, who, in.Body.Key)
	return JourneyEntered{n}, err
}

type journeyDefinitionIn struct {
	Body struct {
		Definition JourneyDefinition `json:"definition"`
		ID         string            `json:"id,omitempty" doc:"of the journey, for whom chance holds back"`
		Days       int               `json:"days,omitempty" doc:"how far back, 30 when 0"`
	}
}

// JourneyProblem is something that is in the way of publishing.
type JourneyProblem struct {
	Step    string `json:"step" doc:"empty for the trigger and the rules"`
	At      string `json:"at"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// JourneyCheck is what is wrong with a definition.
type JourneyCheck struct {
	Problems []JourneyProblem `json:"problems"`
}

func (a *API) checkJourney(ctx context.Context, c *call, in journeyDefinitionIn) (JourneyCheck, error) {
	out := JourneyCheck{Problems: []JourneyProblem{}}
	d, err := in.Body.Definition.parse()
	if err != nil {
		return out, err
	}
	list, err := c.ws.Journeys.Check(ctx, &d)
	for _, p := range list {
		out.Problems = append(out.Problems, JourneyProblem{p.Step, p.At, p.Code, a.Words.Text(localeOf(c.locale), p.Code, p.Params)})
	}
	return out, err
}

// JourneyOutcome is how often a step had an outcome: done, else, failed, stopped, event, time, left, or the key of a way.
type JourneyOutcome struct {
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

// JourneyStepCount is what came of a step.
type JourneyStepCount struct {
	Step     string           `json:"step"`
	Waiting  int64            `json:"waiting"`
	Reached  int64            `json:"reached" doc:"of a simulation: of the sample"`
	Outcomes []JourneyOutcome `json:"outcomes"`
}

// JourneyDay is how many would have entered on a day.
type JourneyDay struct {
	Day     string `json:"day"`
	Entered int64  `json:"entered"`
}

// JourneySimulation is what a definition would have done.
type JourneySimulation struct {
	Past    string             `json:"past" enum:"passages,events,calendar,unknown" doc:"how it is known who would have entered"`
	From    string             `json:"from"`
	To      string             `json:"to"`
	Days    []JourneyDay       `json:"days"`
	Entries int64              `json:"entries"`
	People  int64              `json:"people" doc:"different customers"`
	Sample  int64              `json:"sample" doc:"customers whose way was worked out by what is known of them now"`
	Held    int64              `json:"held" doc:"of the sample, held back by chance"`
	Steps   []JourneyStepCount `json:"steps"`
}

func (a *API) simulateJourney(ctx context.Context, c *call, in journeyDefinitionIn) (JourneySimulation, error) {
	out := JourneySimulation{Days: []JourneyDay{}, Steps: []JourneyStepCount{}}
	d, err := in.Body.Definition.parse()
	if err != nil {
		return out, err
	}
	var key id.ID
	if in.Body.ID != "" {
		if key, err = journeyID(in.Body.ID); err != nil {
			return out, err
		}
	}
	if in.Body.Days == 0 {
		in.Body.Days = journey.DefaultDays
	}
	got, err := c.ws.Journeys.Simulate(ctx, &d, key, in.Body.Days)
	if err != nil {
		return out, err
	}
	out.Past, out.From, out.To, out.Entries, out.People, out.Sample, out.Held = got.Past, got.From.String(), got.To.String(), got.Entries, got.People, got.Sample, got.Held
	for _, d := range got.Days {
		out.Days = append(out.Days, JourneyDay{d.Day.String(), d.Entered})
	}
	for _, s := range got.Steps {
		out.Steps = append(out.Steps, JourneyStepCount{Step: s.Step, Reached: s.Reached, Outcomes: showOutcomes(s.Outcomes)})
	}
	return out, nil
}

func showOutcomes(m map[string]int64) []JourneyOutcome {
	out := []JourneyOutcome{}
	for k, n := range m {
		out = append(out, JourneyOutcome{k, n})
	}
	slices.SortFunc(out, func(a, b JourneyOutcome) int { return strings.Compare(a.Outcome, b.Outcome) })
	return out
}

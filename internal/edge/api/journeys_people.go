package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/journey"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// JourneyArm is what came of those whom chance put somewhere; first entries only.
type JourneyArm struct {
	People int64 `json:"people"`
	Goal   int64 `json:"goal" doc:"reached the goal within the days of it"`
	Over   int64 `json:"over" doc:"whose days are over"`
}

// JourneyCounts is how a journey stands.
type JourneyCounts struct {
	Standing JourneyStanding    `json:"standing"`
	Steps    []JourneyStepCount `json:"steps"`
	Entry    []JourneyOutcome   `json:"entry" doc:"who came: entered, held, again (not let in once more), full"`
	Treated  JourneyArm         `json:"treated"`
	Control  JourneyArm         `json:"control"`
	Global   JourneyArm         `json:"global"`
	Goal     CampaignEffect     `json:"goal" doc:"share that reached the goal, of those taken along and of those held back"`
	Balanced bool               `json:"balanced" doc:"false where the sizes cannot be chance: nothing may be concluded"`
	Open     bool               `json:"open" doc:"the days of some are not over"`
	At       time.Time          `json:"at"`
}

func showArm(a *journey.Arm) JourneyArm { return JourneyArm{a.N, a.Hits, a.Over} }

func (a *API) journeyCounts(ctx context.Context, c *call, in idIn) (JourneyCounts, error) {
	out := JourneyCounts{Steps: []JourneyStepCount{}, Entry: []JourneyOutcome{}}
	key, err := journeyID(in.ID)
	if err != nil {
		return out, err
	}
	n, err := c.ws.Journeys.Counts(ctx, key)
	if err != nil {
		return out, err
	}
	out.Standing, out.Treated, out.Control, out.Global, out.Goal = JourneyStanding(n.Standing), showArm(&n.Treated), showArm(&n.Control), showArm(&n.Global), showEffect(&n.Goal)
	out.Balanced, out.Open, out.At = n.Balanced, n.Open, n.At
	at := map[string]int{}
	step := func(key string) *JourneyStepCount {
		i, ok := at[key]
		if !ok {
			i = len(out.Steps)
			at[key] = i
			out.Steps = append(out.Steps, JourneyStepCount{Step: key, Outcomes: []JourneyOutcome{}})
		}
		return &out.Steps[i]
	}
	for _, t := range n.Tallies {
		if t.Step == "" {
			out.Entry = append(out.Entry, JourneyOutcome{t.Outcome, t.N})
			continue
		}
		s := step(t.Step)
		s.Outcomes = append(s.Outcomes, JourneyOutcome{t.Outcome, t.N})
		s.Reached += t.N
	}
	for k, v := range n.Waiting {
		s := step(k)
		s.Waiting = v
		s.Reached += v
	}
	return out, nil
}

// JourneyPath is one thing of somebody's way.
type JourneyPath struct {
	Step    string    `json:"step"`
	Kind    string    `json:"kind"`
	Outcome string    `json:"outcome"`
	Why     string    `json:"why"`
	Reason  string    `json:"reason" doc:"why in words, where there are some"`
	At      time.Time `json:"at"`
}

// JourneyPerson is somebody on the way.
type JourneyPerson struct {
	ID       string        `json:"id"`
	Customer Ref           `json:"customer"`
	Journey  Ref           `json:"journey"`
	Version  int64         `json:"version"`
	Entry    int64         `json:"entry" doc:"which time it is"`
	Arm      string        `json:"arm" enum:"treated,holdout,global"`
	State    string        `json:"state" enum:"on,done,left,held"`
	Step     string        `json:"step"`
	StepName string        `json:"step_name"`
	Entered  time.Time     `json:"entered_at"`
	Due      *time.Time    `json:"due_at"`
	Goal     *time.Time    `json:"goal_at"`
	Ended    *time.Time    `json:"ended_at"`
	Path     []JourneyPath `json:"path"`
}

// JourneyPeople is a page of them.
type JourneyPeople struct {
	Items  []JourneyPerson `json:"items"`
	Hidden int             `json:"hidden" doc:"people of the page whom the reader does not see"`
	Next   string          `json:"next" doc:"before of the next page, empty for the last"`
}

type journeyTokensIn struct {
	ID     string `path:"id"`
	State  string `query:"state"`
	Step   string `query:"step"`
	Before string `query:"before"`
}

const journeyPage = 100

func showToken(t *journey.Token, who Ref) JourneyPerson {
	out := JourneyPerson{ID: id.Format(journey.TokenPrefix, t.ID), Customer: who, Journey: Ref{ID: id.Format(journey.Prefix, t.Journey), Object: "journey"}, Version: t.Version, Entry: t.Entry, Arm: t.Arm, State: string(t.State),
		Step: t.Step, Entered: t.Entered, Goal: optional(t.Goal), Ended: optional(t.Ended), Path: []JourneyPath{}}
	if t.State == journey.On {
		out.Due = optional(t.Due)
	}
	return out
}

func (a *API) journeyTokens(ctx context.Context, c *call, in journeyTokensIn) (JourneyPeople, error) {
	out := JourneyPeople{Items: []JourneyPerson{}}
	key, err := journeyID(in.ID)
	if err != nil {
		return out, err
	}
	before := id.ID(0)
	if in.Before != "" {
		if before, err = id.Parse(journey.TokenPrefix, in.Before); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "before", nil)
		}
	}
	list, err := c.ws.Journeys.People(ctx, key, journey.State(in.State), in.Step, before, journeyPage)
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
		who, ok := seen[list[i].Customer]
		if !ok {
			out.Hidden++
			continue
		}
		out.Items = append(out.Items, showToken(&list[i], who))
	}
	if len(list) == journeyPage {
		out.Next = id.Format(journey.TokenPrefix, list[len(list)-1].ID)
	}
	return out, nil
}

// customerWays bounds how many entries of a customer are shown.
const customerWays = 50

func (a *API) customerJourneys(ctx context.Context, c *call, in idIn) (JourneyPeople, error) {
	out := JourneyPeople{Items: []JourneyPerson{}}
	obj, err := c.object(query.Customer)
	if err != nil {
		return out, err
	}
	key, err := id.Parse(obj.Prefix, in.ID)
	if err != nil {
		return out, fault.New(fault.NotFound, "record.not_found", nil)
	}
	rec, err := c.ws.Records.Get(ctx, obj.Key, key)
	if err != nil {
		return out, err
	}
	tokens, paths, err := c.ws.Journeys.Of(ctx, key, customerWays)
	if err != nil {
		return out, err
	}
	names := map[id.ID]journey.Journey{}
	all, err := c.ws.Journeys.List(ctx)
	if err != nil {
		return out, err
	}
	for _, j := range all {
		names[j.ID] = j
	}
	who := Ref{ID: id.Format(obj.Prefix, rec.ID), Object: obj.Key, Title: rec.Title}
	at := map[id.ID]int{}
	for i := range tokens {
		t := &tokens[i]
		p := showToken(t, who)
		j := names[t.Journey]
		p.Journey.Title = j.Name
		p.StepName = stepName(&j, t.Step)
		at[t.ID] = len(out.Items)
		out.Items = append(out.Items, p)
	}
	for _, p := range paths {
		i, ok := at[p.Token]
		if !ok {
			continue
		}
		reason := ""
		if p.Outcome == journey.OutFailed {
			reason = a.Words.Text(localeOf(c.locale), p.Why, nil)
		}
		item := &out.Items[i]
		item.Path = append(item.Path, JourneyPath{Step: p.Step, Kind: p.Kind, Outcome: p.Outcome, Why: p.Why, Reason: reason, At: p.At})
	}
	return out, nil
}

func stepName(j *journey.Journey, key string) string {
	if s := j.Draft.Step(key); s != nil {
		return s.Name
	}
	return ""
}

// JourneyVersion is one that was published.
type JourneyVersion struct {
	Number int64     `json:"number"`
	Flight string    `json:"flight" enum:"finish,move,leave"`
	By     Ref       `json:"by"`
	At     time.Time `json:"at"`
}

// JourneyVersions is all of them.
type JourneyVersions struct {
	Items []JourneyVersion `json:"items"`
}

func (a *API) journeyVersions(ctx context.Context, c *call, in idIn) (JourneyVersions, error) {
	out := JourneyVersions{Items: []JourneyVersion{}}
	key, err := journeyID(in.ID)
	if err != nil {
		return out, err
	}
	list, err := c.ws.Journeys.Versions(ctx, key)
	if err != nil {
		return out, err
	}
	people := make([]id.ID, len(list))
	for i := range list {
		people[i] = list[i].By
	}
	names, err := c.userNames(ctx, people...)
	for _, v := range list {
		out.Items = append(out.Items, JourneyVersion{v.Number, string(v.Flight), personRef(v.By, names), v.At})
	}
	return out, err
}

// JourneyPlay is a ready journey.
type JourneyPlay struct {
	Key   string `json:"key"`
	Name  string `json:"name"`
	About string `json:"about"`
	Kind  string `json:"kind" enum:"new,grow,keep,back,calendar" doc:"what it is for"`
	// Missing says that something it asks of is not there.
	Missing bool `json:"missing" doc:"the workspace does not know what it asks of"`
}

// JourneyPlayList is all of them.
type JourneyPlayList struct {
	Items []JourneyPlay `json:"items"`
}

// JourneyPlays makes ready journeys.
type JourneyPlays interface {
	Plays(ctx context.Context, locale string) ([]JourneyPlay, error)
	// Use makes the draft of a play with its templates. NotFound journey.no_play.
	Use(ctx context.Context, key, locale string) (journey.Journey, error)
}

func (a *API) journeyPlays(ctx context.Context, c *call, _ struct{}) (JourneyPlayList, error) {
	list, err := c.ws.JourneyPlays.Plays(ctx, c.locale)
	return JourneyPlayList{list}, err
}

type playIn struct {
	Key string `path:"key"`
}

func (a *API) usePlay(ctx context.Context, c *call, in playIn) (Journey, error) {
	v, err := c.ws.JourneyPlays.Use(ctx, in.Key, c.locale)
	return c.showDrawn(ctx, &v, err)
}

package api

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// AutomationRevision is a state of a definition.
type AutomationRevision struct {
	Revision   int64                `json:"revision"`
	At         time.Time            `json:"at"`
	By         *Ref                 `json:"by"`
	Live       int                  `json:"live" doc:"runs that are under way in it"`
	Definition AutomationDefinition `json:"definition"`
}

// AutomationRevisions are those of a rule.
type AutomationRevisions struct {
	Items []AutomationRevision `json:"items"`
}

func (a *API) automationRevisions(ctx context.Context, c *call, in idIn) (AutomationRevisions, error) {
	out := AutomationRevisions{Items: []AutomationRevision{}}
	key, err := automationID(in.ID)
	if err != nil {
		return out, err
	}
	list, err := c.ws.Automations.Revisions(ctx, key)
	if err != nil {
		return out, err
	}
	for _, r := range list {
		names, err := c.userNames(ctx, r.By)
		if err != nil {
			return out, err
		}
		v := AutomationRevision{Revision: r.Revision, At: r.At, Live: r.Live, Definition: definitionText(r.Definition)}
		if r.By != 0 {
			v.By = &Ref{ID: id.Format(auth.UserPrefix, r.By), Object: "user", Title: names[record.Ref{Object: "user", ID: r.By}]}
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// AutomationRun is a record on its way through a rule.
type AutomationRun struct {
	ID        string     `json:"id"`
	Revision  int64      `json:"revision"`
	Record    Ref        `json:"record" doc:"the title is empty where the reader does not see it, or it is gone"`
	State     string     `json:"state" enum:"ready,waiting,done,stopped,failed,looped,cancelled"`
	Step      string     `json:"step" doc:"of a run that failed: where"`
	Problem   string     `json:"problem"`
	Code      string     `json:"code"`
	Tries     int        `json:"tries"`
	DueAt     *time.Time `json:"due_at"`
	By        *Ref       `json:"by" doc:"who began it by hand"`
	Chain     []string   `json:"chain" doc:"names of the rules it follows from"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// AutomationRunPage is a page of runs.
type AutomationRunPage struct {
	Items      []AutomationRun `json:"items"`
	NextCursor *string         `json:"next_cursor"`
}

// AutomationStep is a step that was taken.
type AutomationStep struct {
	Number  int64             `json:"number"`
	Step    string            `json:"step"`
	Kind    string            `json:"kind"`
	Outcome string            `json:"outcome" enum:"done,same,yes,no,waiting,passed,expired,failed,skipped,sending,nobody,stopped,held,asked"`
	At      time.Time         `json:"at"`
	Detail  automation.Detail `json:"detail"`
	Problem string            `json:"problem"`
}

// AutomationRunDetail is a run with its steps.
type AutomationRunDetail struct {
	Run   AutomationRun    `json:"run"`
	Steps []AutomationStep `json:"steps"`
}

func (a *API) showRuns(ctx context.Context, c *call, runs []automation.Run) ([]AutomationRun, error) {
	refs, people := make([]record.Ref, len(runs)), make([]id.ID, len(runs))
	for i := range runs {
		refs[i], people[i] = record.Ref{Object: runs[i].Object, ID: runs[i].Record}, runs[i].By
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := make([]AutomationRun, len(runs))
	for i := range runs {
		r := &runs[i]
		v := AutomationRun{ID: id.Format(automation.RunPrefix, r.ID), Revision: r.Revision, State: string(r.State), Tries: r.Tries, Chain: []string{}, CreatedAt: r.CreatedAt, EndedAt: optional(r.EndedAt),
			Record: Ref{ID: id.Format(c.prefixOf(r.Object), r.Record), Object: r.Object, Title: refs[i].Title}}
		if r.State.Live() {
			v.DueAt = optional(r.DueAt)
		}
		if r.Problem != nil {
			v.Problem, v.Code, v.Step = a.problemText(c, r.Problem), r.Problem.Code, r.Problem.Step
		}
		if r.By != 0 {
			v.By = &Ref{ID: id.Format(auth.UserPrefix, r.By), Object: "user", Title: names[record.Ref{Object: "user", ID: r.By}]}
		}
		for _, l := range r.Chain {
			v.Chain = append(v.Chain, c.ruleName(l.Rule))
		}
		out[i] = v
	}
	return out, nil
}

type runsIn struct {
	ID     string `path:"id"`
	State  string `query:"state" enum:"ready,waiting,done,stopped,failed,looped,cancelled"`
	Record string `query:"record"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
}

func (a *API) automationRuns(ctx context.Context, c *call, in runsIn) (AutomationRunPage, error) {
	out := AutomationRunPage{Items: []AutomationRun{}}
	var err error
	f := automation.Filter{State: automation.RunState(in.State)}
	if f.Rule, err = automationID(in.ID); err != nil {
		return out, err
	}
	if in.State != "" && !f.State.Known() {
		return out, fault.InvalidField("api.bad_parameter", "state", nil)
	}
	if in.Record != "" {
		if _, f.Record, err = id.ParseAny(in.Record); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "record", nil)
		}
	}
	if in.Cursor != "" {
		if f.Before, err = id.Parse(automation.RunPrefix, in.Cursor); err != nil {
			return out, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	runs, next, err := c.ws.Automations.Runs(ctx, f, in.Limit)
	if err != nil {
		return out, err
	}
	if next != 0 {
		text := id.Format(automation.RunPrefix, next)
		out.NextCursor = &text
	}
	out.Items, err = a.showRuns(ctx, c, runs)
	return out, err
}

type runIn struct {
	ID  string `path:"id"`
	Run string `path:"run"`
}

func (a *API) automationRun(ctx context.Context, c *call, in runIn) (AutomationRunDetail, error) {
	out := AutomationRunDetail{Steps: []AutomationStep{}}
	key, err := runID(in.Run)
	if err != nil {
		return out, err
	}
	rule, err := automationID(in.ID)
	if err != nil {
		return out, err
	}
	run, steps, err := c.ws.Automations.RunOf(ctx, key)
	if err == nil && run.Rule != rule {
		err = fault.New(fault.NotFound, "automation.run_not_found", nil)
	}
	if err != nil {
		return out, err
	}
	shown, err := a.showRuns(ctx, c, []automation.Run{run})
	if err != nil {
		return out, err
	}
	out.Run = shown[0]
	for _, s := range steps {
		v := AutomationStep{Number: s.Number, Step: s.Step, Kind: string(s.Kind), Outcome: string(s.Outcome), At: s.At, Detail: s.Detail}
		if s.Detail.Code != "" {
			params, _ := s.Detail.Params.(map[string]any)
			v.Problem = a.problemText(c, &automation.Problem{Code: s.Detail.Code, Params: params})
		}
		out.Steps = append(out.Steps, v)
	}
	return out, nil
}

// AutomationSecrets are what other systems need.
type AutomationSecrets struct {
	URL     string `json:"url" doc:"path of the address that begins runs"`
	Token   string `json:"token" doc:"sent as Authorization: Bearer"`
	Signing string `json:"signing" doc:"checks the signature of requests, by Standard Webhooks 1.0.0"`
}

func (a *API) secretsOf(ctx context.Context, c *call, action string, printed string, get func(context.Context, id.ID) (automation.Secrets, error)) (AutomationSecrets, error) {
	key, err := automationID(printed)
	if err != nil {
		return AutomationSecrets{}, err
	}
	s, err := get(ctx, key)
	if err != nil {
		return AutomationSecrets{}, err
	}
	r, err := c.ws.Automations.Get(ctx, key)
	if err != nil {
		return AutomationSecrets{}, err
	}
	out := AutomationSecrets{URL: Prefix + "/hooks/" + c.who.Workspace.Key + "/" + printed, Token: s.Token, Signing: s.Signing}
	return out, a.noteAutomation(ctx, c, action, &r, nil)
}

func (a *API) automationSecrets(ctx context.Context, c *call, in idIn) (AutomationSecrets, error) {
	return a.secretsOf(ctx, c, "automation.secrets", in.ID, c.ws.Automations.Secrets)
}

func (a *API) rotateAutomation(ctx context.Context, c *call, in idIn) (AutomationSecrets, error) {
	return a.secretsOf(ctx, c, "automation.rotate", in.ID, c.ws.Automations.Rotate)
}

type chosenRunsIn struct {
	ID   string `path:"id"`
	Body struct {
		Run string `json:"run,omitempty" doc:"one run; all when left out"`
	}
}

// Counted says how many.
type Counted struct {
	Count int `json:"count"`
}

// withRuns does something with one run of a rule, or with all.
func (a *API) withRuns(ctx context.Context, c *call, in *chosenRunsIn, action string, do func(ctx context.Context, rule, run id.ID) (int, error)) (Counted, error) {
	rule, err := automationID(in.ID)
	if err != nil {
		return Counted{}, err
	}
	var run id.ID
	if in.Body.Run != "" {
		if run, err = runID(in.Body.Run); err != nil {
			return Counted{}, err
		}
	}
	n, err := do(ctx, rule, run)
	if err != nil {
		return Counted{}, err
	}
	r, err := c.ws.Automations.Get(ctx, rule)
	if err != nil {
		return Counted{}, err
	}
	return Counted{n}, a.noteAutomation(ctx, c, action, &r, map[string]any{"count": n, "run": in.Body.Run})
}

func (a *API) replayAutomation(ctx context.Context, c *call, in chosenRunsIn) (Counted, error) {
	return a.withRuns(ctx, c, &in, "automation.replay", c.ws.Automations.Again)
}

func (a *API) cancelAutomation(ctx context.Context, c *call, in chosenRunsIn) (Counted, error) {
	return a.withRuns(ctx, c, &in, "automation.cancel", c.ws.Automations.Cancel)
}

func (a *API) skipAutomation(ctx context.Context, c *call, in chosenRunsIn) (Counted, error) {
	if in.Body.Run == "" {
		return Counted{}, fault.New(fault.NotFound, "automation.run_not_found", nil)
	}
	return a.withRuns(ctx, c, &in, "automation.skip", func(ctx context.Context, _, run id.ID) (int, error) { return 1, c.ws.Automations.Skip(ctx, run) })
}

// ManualAutomation is a rule that may be begun by hand.
type ManualAutomation struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// ManualAutomations are those of an object.
type ManualAutomations struct {
	Items []ManualAutomation `json:"items"`
}

func (a *API) manualAutomations(ctx context.Context, c *call, in objectIn) (ManualAutomations, error) {
	out := ManualAutomations{Items: []ManualAutomation{}}
	if _, err := c.object(in.Object); err != nil {
		return out, err
	}
	if !c.who.Actor.May(in.Object, access.Update) {
		return out, nil
	}
	rules, err := c.ws.Automations.Manual(ctx, in.Object)
	for _, r := range rules {
		out.Items = append(out.Items, ManualAutomation{ID: id.Format(automation.Prefix, r.ID), Name: r.Name, Description: r.Description})
	}
	return out, err
}

type pressIn struct {
	ID   string `path:"id"`
	Body struct {
		Records []string  `json:"records,omitempty" doc:"at most 1000"`
		All     bool      `json:"all,omitempty" doc:"instead: everything that fulfils where"`
		Where   Condition `json:"where,omitempty"`
		Except  []string  `json:"except,omitempty"`
		// Request names the pressing: with the same one nothing begins twice.
		Request string `json:"request,omitempty"`
	}
}

// recordIDs reads printed ids of a member of a body.
func recordIDs(member string, texts []string) ([]id.ID, error) {
	out := make([]id.ID, len(texts))
	for i, text := range texts {
		_, v, err := id.ParseAny(text)
		if err != nil {
			return nil, fault.InvalidField("automation.bad_records", member+"."+strconv.Itoa(i), fault.Params{"max": record.MaxBatch})
		}
		out[i] = v
	}
	return out, nil
}

func (a *API) pressAutomation(ctx context.Context, c *call, in pressIn) (Counted, error) {
	key, err := automationID(in.ID)
	if err != nil {
		return Counted{}, err
	}
	request := in.Body.Request
	if request == "" || len(request) > 64 {
		request = c.request
	}
	n := 0
	if in.Body.All {
		where, err := in.Body.Where.node("where")
		if err != nil {
			return Counted{}, err
		}
		except, err := recordIDs("except", in.Body.Except)
		if err != nil {
			return Counted{}, err
		}
		out := make(map[id.ID]bool, len(except))
		for _, v := range except {
			out[v] = true
		}
		n, err = c.ws.Automations.PressAll(ctx, key, where, out, request)
		if err != nil {
			return Counted{}, err
		}
	} else {
		ids, err := recordIDs("records", in.Body.Records)
		if err == nil && (len(ids) == 0 || len(ids) > record.MaxBatch) {
			err = fault.InvalidField("automation.bad_records", "records", fault.Params{"max": record.MaxBatch})
		}
		if err != nil {
			return Counted{}, err
		}
		if n, err = c.ws.Automations.Press(ctx, key, ids, request); err != nil {
			return Counted{}, err
		}
	}
	return Counted{n}, a.Auth.Note(ctx, c.who.Workspace.Key, "automation.run", "", 0, map[string]any{"automation": in.ID, "count": n})
}

// hookBody is whatever another system sends.
type hookBody json.RawMessage

// UnmarshalJSON keeps the text.
func (b *hookBody) UnmarshalJSON(raw []byte) error { *b = append((*b)[:0], raw...); return nil }

type hookIn struct {
	Workspace string `path:"workspace"`
	ID        string `path:"id"`
	Message   string `header:"webhook-id" doc:"names the call: with the same one nothing begins twice"`
	Bearer    string `header:"Authorization"`
	Body      hookBody
}

// HookAnswer says whether a run began.
type HookAnswer struct {
	Begun bool `json:"begun" doc:"false when the same call began one before"`
}

func (a *API) hookAutomation(ctx context.Context, c *call, in hookIn) (HookAnswer, error) {
	refused := fault.New(fault.Unauthenticated, "automation.bad_token", nil)
	token, ok := strings.CutPrefix(in.Bearer, "Bearer ")
	key, err := id.Parse(automation.Prefix, in.ID)
	if err != nil || !ok || len(in.Message) > 64 {
		return HookAnswer{}, refused
	}
	w, err := a.Auth.Workspace(ctx, in.Workspace)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = refused
		}
		return HookAnswer{}, err
	}
	ws, err := a.Workspaces.Open(ctx, w.Key)
	if err != nil {
		return HookAnswer{}, err
	}
	begun, err := ws.Automations.Hook(ctx, key, strings.TrimSpace(token), in.Body, in.Message)
	return HookAnswer{begun}, err
}

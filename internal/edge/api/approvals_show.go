package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// ApprovalTask is what one person is asked in a request.
type ApprovalTask struct {
	ID        string     `json:"id"`
	Person    Ref        `json:"person"`
	State     string     `json:"state" enum:"waiting,pending,approved,rejected,returned,handed,escalated,cancelled"`
	By        *Ref       `json:"by" doc:"who answered, when it was a deputy"`
	Deputy    *Ref       `json:"deputy" doc:"who may answer meanwhile"`
	Auto      bool       `json:"auto" doc:"answered by the program"`
	Extra     bool       `json:"extra" doc:"added by another approver"`
	DueAt     *time.Time `json:"due_at"`
	DecidedAt *time.Time `json:"decided_at"`
	Comment   string     `json:"comment"`
}

// ApprovalStep is a step of a request's way with who is asked in it.
type ApprovalStep struct {
	Name  string         `json:"name"`
	Mode  string         `json:"mode" enum:"any,all,majority,sequence"`
	State string         `json:"state" enum:"done,current,ahead"`
	Tasks []ApprovalTask `json:"tasks"`
}

// ApprovalEvent is what happened to a request.
type ApprovalEvent struct {
	ID      string       `json:"id"`
	At      time.Time    `json:"at"`
	Kind    string       `json:"kind"`
	Title   schema.Label `json:"title"`
	Actor   Actor        `json:"actor"`
	For     *Ref         `json:"for"`
	People  []Ref        `json:"people"`
	Comment string       `json:"comment"`
	Reason  string       `json:"reason,omitempty"`
}

// ApprovalExport is what a proposed export would hold.
type ApprovalExport struct {
	Format   string         `json:"format"`
	Fields   []schema.Label `json:"fields" doc:"columns; none for all"`
	Sentence schema.Label   `json:"sentence,omitempty" doc:"which records, in words"`
	Search   string         `json:"search,omitempty"`
	Count    int            `json:"count,omitempty" doc:"of records that were picked one by one"`
}

// Approval is a request for agreement as the caller may see it.
type Approval struct {
	ID        string          `json:"id"`
	Name      string          `json:"name" doc:"of the process"`
	Object    string          `json:"object"`
	Label     schema.Label    `json:"label" doc:"of the object"`
	Action    string          `json:"action" enum:"create,update,move,delete,export"`
	Assign    bool            `json:"assign"`
	State     string          `json:"state" enum:"pending,returned,approved,applied,rejected,withdrawn,failed"`
	Record    *Ref            `json:"record"`
	Title     string          `json:"title"`
	Visible   bool            `json:"visible" doc:"the caller may see the record"`
	Requester Actor           `json:"requester"`
	At        time.Time       `json:"at"`
	EndedAt   *time.Time      `json:"ended_at"`
	Comment   string          `json:"comment"`
	Changes   []FieldChange   `json:"changes"`
	Export    *ApprovalExport `json:"export,omitempty"`
	Step      string          `json:"step" doc:"at which it is"`
	Waiting   []Ref           `json:"waiting" doc:"who is asked now"`
	Steps     []ApprovalStep  `json:"steps,omitempty"`
	Events    []ApprovalEvent `json:"events,omitempty"`
	Files     []File          `json:"files,omitempty"`
	Stale     bool            `json:"stale" doc:"the record was changed since"`
	Mine      bool            `json:"mine"`
	Asked     bool            `json:"asked" doc:"the caller is asked now"`
	For       *Ref            `json:"for" doc:"for whom, when it is as a deputy"`
	Reason    string          `json:"reason,omitempty" doc:"why it could not be carried out"`
	Job       string          `json:"job,omitempty" doc:"of the export"`
	DueAt     *time.Time      `json:"due_at"`
}

// Approvals is a page of requests.
type Approvals struct {
	Items      []*Approval `json:"items"`
	NextCursor *string     `json:"next_cursor"`
}

// showApprovals prints requests; with everything their steps, events and files too.
func (c *call) showApprovals(ctx context.Context, list []*approval.Seen, everything bool) ([]*Approval, error) {
	var people []id.ID
	for _, r := range list {
		people = append(people, r.By.ID, r.By.Person, r.For)
		for _, t := range r.Tasks {
			people = append(people, t.Person, t.By, r.Deputy[t.Person])
		}
		for _, e := range r.Events {
			people = append(append(people, e.By, e.For), e.People...)
		}
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := make([]*Approval, 0, len(list))
	for _, r := range list {
		v, err := c.showApproval(ctx, r, names)
		if err != nil {
			return nil, err
		}
		if everything {
			v.Steps, v.Events = showSteps(r, names), c.showApprovalEvents(r, names)
			if v.Files, err = c.approvalFiles(ctx, r); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func personRef(v id.ID, names map[record.Ref]string) Ref {
	return Ref{ID: id.Format(auth.UserPrefix, v), Object: "user", Title: names[record.Ref{Object: "user", ID: v}]}
}

func optionalPerson(v id.ID, names map[record.Ref]string) *Ref {
	if v == 0 {
		return nil
	}
	r := personRef(v, names)
	return &r
}

func (c *call) showApproval(ctx context.Context, r *approval.Seen, names map[record.Ref]string) (*Approval, error) {
	out := &Approval{ID: id.Format(approval.Prefix, r.ID), Name: r.Name, Object: r.Object, Action: string(r.Action), Assign: r.Assign, State: string(r.State), Title: r.Title,
		Visible: r.Visible, Requester: c.actor(r.By.Kind, r.By.ID, names), At: r.At, EndedAt: optional(r.EndedAt), Comment: r.Comment, Changes: []FieldChange{}, Waiting: []Ref{},
		Stale: r.Stale, Mine: r.Own, Asked: r.Answer, For: optionalPerson(r.For, names)}
	if r.Code != "" {
		out.Reason = c.words.Text(localeOf(c.locale), r.Code, r.Params)
	}
	if r.Job != 0 && r.State == approval.Applied {
		out.Job = id.Format(mass.Prefix, r.Job)
	}
	o := c.ws.Registry().Object(r.Object)
	if o == nil {
		return out, nil
	}
	out.Label = o.Label
	if r.Record != 0 && r.Visible {
		out.Record = &Ref{ID: id.Format(o.Prefix, r.Record), Object: o.Key, Title: r.Title}
	}
	if r.State == approval.Pending && r.Step < len(r.Plan) && r.Plan[r.Step] < len(r.ProcessSpec.Steps) {
		out.Step = r.ProcessSpec.Steps[r.Plan[r.Step]].Name
	}
	for _, t := range r.Tasks {
		if r.State != approval.Pending || t.State != approval.TaskPending || t.Round != r.Round {
			continue
		}
		out.Waiting = append(out.Waiting, personRef(t.Person, names))
		if !t.Due.IsZero() && (out.DueAt == nil || t.Due.Before(*out.DueAt)) {
			out.DueAt = optional(t.Due)
		}
	}
	titles, err := c.titlesFor(ctx, o, nil, [][]record.FieldChange{r.Changes})
	if err != nil {
		return nil, err
	}
	out.Changes = c.showChanges(o, r.Changes, titles, c.ws.Records.Env(ctx))
	if r.About != "" {
		out.Export = &ApprovalExport{}
		if err := json.Unmarshal([]byte(r.About), out.Export); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// bothWords is a sentence in both languages.
func (c *call) bothWords(code string, params map[string]any) schema.Label {
	out := schema.Label{}
	for _, loc := range []lang.Locale{lang.ChineseSimplified, lang.English} {
		out[loc] = c.words.Text(loc, code, params)
	}
	return out
}

func showSteps(r *approval.Seen, names map[record.Ref]string) []ApprovalStep {
	out := []ApprovalStep{}
	for at, place := range r.Plan {
		if place >= len(r.ProcessSpec.Steps) {
			continue
		}
		st := ApprovalStep{Name: r.ProcessSpec.Steps[place].Name, Mode: string(r.ProcessSpec.Steps[place].Mode), State: "ahead", Tasks: []ApprovalTask{}}
		switch {
		case at < r.Step || r.State == approval.Approved || r.State == approval.Applied || r.State == approval.Failed:
			st.State = "done"
		case at == r.Step && r.State == approval.Pending:
			st.State = "current"
		}
		for _, t := range r.Tasks {
			if t.Step != at || t.Round != r.Round && (t.State == approval.TaskCancelled || at <= r.Step) && r.State == approval.Pending {
				continue
			}
			v := ApprovalTask{ID: id.Format(approval.TaskPrefix, t.ID), Person: personRef(t.Person, names), State: string(t.State), Auto: t.Auto, Extra: t.Extra, DueAt: optional(t.Due),
				DecidedAt: optional(t.Decided), Comment: t.Comment}
			if t.By != t.Person {
				v.By = optionalPerson(t.By, names)
			}
			if t.State == approval.TaskPending {
				v.Deputy = optionalPerson(r.Deputy[t.Person], names)
			}
			st.Tasks = append(st.Tasks, v)
		}
		out = append(out, st)
	}
	return out
}

func (c *call) showApprovalEvents(r *approval.Seen, names map[record.Ref]string) []ApprovalEvent {
	out := []ApprovalEvent{}
	for _, e := range r.Events {
		v := ApprovalEvent{ID: id.Format("ape", e.ID), At: e.At, Kind: string(e.Kind), Actor: c.actor(e.ByKind, e.By, names), For: optionalPerson(e.For, names), People: []Ref{}, Comment: e.Comment,
			Title: c.bothWords("approval.event_"+string(e.Kind), map[string]any{"step": e.Step, "process": e.Process})}
		for _, p := range e.People {
			v.People = append(v.People, personRef(p, names))
		}
		if e.Kind == approval.EvFailed {
			v.Reason = c.words.Text(localeOf(c.locale), e.Code, r.Params)
		}
		out = append(out, v)
	}
	return out
}

// approvalFiles are the files that a requester put beside a request, as far as the caller sees the record.
func (c *call) approvalFiles(ctx context.Context, r *approval.Seen) ([]File, error) {
	out := []File{}
	if len(r.Files) == 0 || r.Record == 0 || !r.Visible {
		return out, nil
	}
	list, err := c.ws.Files.About(ctx, r.Record, r.At.AddDate(100, 0, 0), 500)
	if err != nil {
		return nil, err
	}
	wanted := map[id.ID]bool{}
	for _, v := range r.Files {
		wanted[v] = true
	}
	changeable := map[id.ID]bool{}
	for i := range list {
		if !wanted[list[i].ID] {
			continue
		}
		titles, err := c.userNames(ctx, list[i].By, list[i].DeletedBy)
		if err != nil {
			return nil, err
		}
		f, err := c.showFile(ctx, &list[i], titles, changeable)
		if err != nil {
			return nil, err
		}
		out = append(out, *f)
	}
	return out, nil
}

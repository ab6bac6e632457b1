package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// approvalRoutes are requests for agreement, and the processes by which they go. Who may answer, withdraw or see one is decided by
// the engine.
func (a *API) approvalRoutes() []route {
	r, m := access.RecordRead, access.SchemaManage
	return []route{
		{method: get, path: "/approvals", need: right, right: r, run: op(a.listApprovals), acts: true, doc: "Requests for agreement, newest first: those that wait for me, mine, those I answered, or everybody's"},
		{method: get, path: "/approvals/count", need: person, run: op(a.countApprovals), doc: "How many requests wait for me"},
		{method: post, path: "/approvals", need: right, right: r, run: op(a.submitApproval), doc: "Propose a write that needs agreement", status: http.StatusCreated},
		{method: post, path: "/approvals/preview", need: right, right: r, run: op(a.previewApproval), doc: "Which way a proposal would take, and who would be asked", secret: true},
		{method: post, path: "/approvals/exports", need: right, right: access.ExportRun, run: op(a.submitExport), doc: "Propose an export that needs agreement", status: http.StatusCreated, large: true},
		{method: post, path: "/approvals/decide", need: person, run: op(a.decideMany), doc: "Answer several requests; each has its own result"},
		{method: get, path: "/approvals/away", need: person, run: op(a.getAway), doc: "Who answers for me while I am away"},
		{method: patch, path: "/approvals/away", need: person, run: op(a.setAway), doc: "Let somebody answer for me in a span"},
		{method: get, path: "/approvals/{id}", need: right, right: r, run: op(a.getApproval), acts: true, doc: "One request with what it proposes and what happened to it"},
		{method: post, path: "/approvals/{id}/decide", need: person, run: op(a.decideApproval), acts: true, doc: "Agree, refuse, or send back"},
		{method: post, path: "/approvals/{id}/hand-over", need: person, run: op(a.handOver), acts: true, doc: "Let somebody else answer in my place"},
		{method: post, path: "/approvals/{id}/add", need: person, run: op(a.addApprovers), doc: "Ask more people, before, with or after me"},
		{method: post, path: "/approvals/{id}/withdraw", need: right, right: r, run: op(a.withdrawApproval), acts: true, doc: "Take back my request"},
		{method: post, path: "/approvals/{id}/resubmit", need: right, right: r, run: op(a.resubmitApproval), doc: "Send a request that came back on its way again, corrected"},
		{method: post, path: "/approvals/{id}/comments", need: right, right: r, run: op(a.commentApproval), doc: "Say something about a request"},
		{method: get, path: "/records/{object}/{id}/approvals", need: right, right: r, run: op(a.recordApprovals), doc: "Requests about a record, and what they lock"},
		{method: get, path: "/approval-processes", need: right, right: r, run: op(a.listProcesses), doc: "Processes by which writes need agreement"},
		{method: post, path: "/approval-processes", need: right, right: m, run: op(a.createProcess), doc: "Make a process", status: http.StatusCreated},
		{method: patch, path: "/approval-processes/{id}", need: right, right: m, run: op(a.patchProcess), doc: "Replace a process; requests that are under way go on in the version they began with"},
		{method: del, path: "/approval-processes/{id}", need: right, right: m, run: op(a.deleteProcess), doc: "Take a process out of use; requests that are under way go on"},
	}
}

type listApprovalsIn struct {
	Tab    string `query:"tab" enum:"waiting,mine,done,all"`
	Object string `query:"object"`
	State  string `query:"state"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit"`
}

func (a *API) listApprovals(ctx context.Context, c *call, in listApprovalsIn) (Approvals, error) {
	q := approval.Query{Tab: approval.Tab(in.Tab), Object: in.Object, Limit: in.Limit}
	if in.Tab == "" {
		q.Tab = approval.Waiting
	}
	if in.State != "" {
		q.States = []approval.State{approval.State(in.State)}
	}
	var err error
	if in.Cursor != "" {
		if q.Before, err = id.Parse(approval.Prefix, in.Cursor); err != nil {
			return Approvals{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	list, next, err := c.ws.Approvals.List(ctx, q)
	if err != nil {
		return Approvals{}, err
	}
	out := Approvals{}
	if out.Items, err = c.showApprovals(ctx, list, false); err != nil {
		return Approvals{}, err
	}
	if next != 0 {
		text := id.Format(approval.Prefix, next)
		out.NextCursor = &text
	}
	return out, nil
}

func (a *API) countApprovals(ctx context.Context, c *call, _ struct{}) (Unread, error) {
	n, err := c.ws.Approvals.Count(ctx)
	return Unread{Count: n}, err
}

func approvalID(text string) (id.ID, error) {
	v, err := id.Parse(approval.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "approval.unknown", fault.Params{"id": text})
	}
	return v, nil
}

func (a *API) getApproval(ctx context.Context, c *call, in idIn) (*Approval, error) {
	v, err := approvalID(in.ID)
	if err != nil {
		return nil, err
	}
	return c.approvalNow(ctx, v)
}

func (c *call) approvalNow(ctx context.Context, v id.ID) (*Approval, error) {
	r, err := c.ws.Approvals.Get(ctx, v)
	if err != nil {
		return nil, err
	}
	out, err := c.showApprovals(ctx, []*approval.Seen{r}, true)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// moved is the answer of what moves a request; one that its mover may see no longer is told by its id and state alone.
func (c *call) moved(ctx context.Context, r *approval.Request, err error) (*Approval, error) {
	if err != nil {
		return nil, err
	}
	out, err := c.approvalNow(ctx, r.ID)
	if fault.CodeOf(err) == "approval.unknown" {
		return &Approval{ID: id.Format(approval.Prefix, r.ID), Name: r.Name, Object: r.Object, Action: string(r.Action), State: string(r.State), At: r.At, Changes: []FieldChange{}, Waiting: []Ref{}}, nil
	}
	return out, err
}

type proposalBody struct {
	Object  string         `json:"object"`
	Action  string         `json:"action" enum:"create,update,delete,assign"`
	Record  string         `json:"record,omitempty" doc:"id; absent for a create"`
	Version int64          `json:"version,omitempty" doc:"that the requester saw; 0 for any"`
	Fields  map[string]any `json:"fields,omitempty"`
	Owner   *string        `json:"owner,omitempty" doc:"of assign; absent for nobody"`
	Comment string         `json:"comment,omitempty"`
	Files   []string       `json:"files,omitempty" doc:"ids of files of the record"`
}

func (b *proposalBody) proposal(c *call) (approval.Proposal, error) {
	o, err := c.object(b.Object)
	if err != nil {
		return approval.Proposal{}, err
	}
	out := approval.Proposal{Object: o.Key, Version: b.Version, Input: b.Fields, Comment: b.Comment}
	switch b.Action {
	case "create":
		out.Op = change.Create
	case "update":
		out.Op = change.Update
	case "delete":
		out.Op, out.Input = change.Delete, nil
	case "assign":
		out.Op, out.Assign = change.Update, true
		var owner any
		if b.Owner != nil && *b.Owner != "" {
			owner = *b.Owner
		}
		f := access.Owner(o)
		if schema.System(f.Key) == f {
			return out, fault.New(fault.Conflict, "record.no_owner", fault.Params{"object": o.Key, "label": o.Label})
		}
		out.Input = record.Input{f.Key: owner}
	default:
		return out, fault.InvalidField("approval.action_unknown", "action", nil)
	}
	if out.Op != change.Create {
		if out.Record, err = recordID(o, b.Record); err != nil {
			return out, err
		}
	}
	for _, text := range b.Files {
		v, err := id.Parse(attachment.Prefix, text)
		if err != nil {
			return out, fault.InvalidField("api.bad_parameter", "files", nil)
		}
		out.Files = append(out.Files, v)
	}
	return out, nil
}

type submitApprovalIn struct{ Body proposalBody }

func (a *API) submitApproval(ctx context.Context, c *call, in submitApprovalIn) (*Approval, error) {
	p, err := in.Body.proposal(c)
	if err != nil {
		return nil, err
	}
	r, err := c.ws.Approvals.Submit(ctx, p)
	return c.moved(ctx, r, err)
}

// ApprovalWay is the way that a proposal would take.
type ApprovalWay struct {
	Name   string             `json:"name" doc:"of the process"`
	Action string             `json:"action"`
	Steps  []ApprovalWayPoint `json:"steps"`
}

// ApprovalWayPoint is one step of a way.
type ApprovalWayPoint struct {
	Name   string `json:"name"`
	Mode   string `json:"mode" enum:"any,all,majority,sequence"`
	People []Ref  `json:"people" doc:"who would be asked"`
	Nobody string `json:"nobody" enum:"administrators,skip,reject" doc:"what happens when there is nobody"`
}

func (c *call) showWay(ctx context.Context, f *approval.Foretold) (*ApprovalWay, error) {
	var people []id.ID
	for _, s := range f.Steps {
		people = append(people, s.People...)
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	out := &ApprovalWay{Name: f.Name, Action: string(f.Action), Steps: []ApprovalWayPoint{}}
	for _, s := range f.Steps {
		v := ApprovalWayPoint{Name: s.Name, Mode: string(s.Mode), Nobody: string(s.Nobody), People: []Ref{}}
		for _, p := range s.People {
			v.People = append(v.People, personRef(p, names))
		}
		out.Steps = append(out.Steps, v)
	}
	return out, nil
}

func (a *API) previewApproval(ctx context.Context, c *call, in submitApprovalIn) (*ApprovalWay, error) {
	if in.Body.Action == "export" {
		o, err := c.object(in.Body.Object)
		if err != nil {
			return nil, err
		}
		f, err := c.ws.Approvals.ForetellExport(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		return c.showWay(ctx, f)
	}
	p, err := in.Body.proposal(c)
	if err != nil {
		return nil, err
	}
	f, err := c.ws.Approvals.Foretell(ctx, p)
	if err != nil {
		return nil, err
	}
	return c.showWay(ctx, f)
}

type submitExportIn struct {
	Body struct {
		bulkSet
		exportFile
		Object  string        `json:"object"`
		Sort    []schema.Sort `json:"sort,omitempty"`
		Name    string        `json:"name,omitempty"`
		Comment string        `json:"comment,omitempty"`
	}
}

func (a *API) submitExport(ctx context.Context, c *call, in submitExportIn) (*Approval, error) {
	b := &in.Body
	o, err := c.object(b.Object)
	if err != nil {
		return nil, err
	}
	order := mass.Order{Kind: mass.Export, Object: o.Key, File: b.file()}
	if order.Set, err = b.set(o); err != nil {
		return nil, err
	}
	if len([]rune(b.Name)) > 100 {
		return nil, fault.InvalidField("api.bad_parameter", "name", nil)
	}
	if err := c.maySort(o, b.Sort); err != nil {
		return nil, err
	}
	order.Set.Sort, order.File.Name = b.Sort, b.Name
	if err := c.ws.Mass.Check(ctx, order); err != nil && fault.CodeOf(err) != "approval.needed" {
		return nil, under(err, "where")
	}
	about := ApprovalExport{Format: b.Format, Search: b.Search, Count: len(b.IDs), Fields: []schema.Label{}}
	for _, key := range b.Fields {
		if f := o.Field(key); f != nil {
			about.Fields = append(about.Fields, f.Label)
		} else if d, ok := c.ws.Catalogue().Find(key); ok {
			about.Fields = append(about.Fields, d.Label)
		}
	}
	if order.Set.Where != nil {
		about.Sentence = c.ws.Conditions.Sentence(o.Key, order.Set.Where)
	}
	rawAbout, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	rawOrder, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	r, err := c.ws.Approvals.SubmitExport(ctx, o.Key, rawOrder, string(rawAbout), b.Comment)
	return c.moved(ctx, r, err)
}

type decideApprovalIn struct {
	ID   string `path:"id"`
	Body struct {
		Answer  string `json:"answer" enum:"approve,reject,return"`
		Comment string `json:"comment,omitempty"`
		To      *int   `json:"to,omitempty" doc:"of return: the place of an earlier step; absent for the requester"`
	}
}

func (a *API) decideApproval(ctx context.Context, c *call, in decideApprovalIn) (*Approval, error) {
	v, err := approvalID(in.ID)
	if err != nil {
		return nil, err
	}
	to := approval.ToRequester
	if in.Body.To != nil {
		to = *in.Body.To
	}
	r, err := c.ws.Approvals.Decide(ctx, v, approval.Answer(in.Body.Answer), in.Body.Comment, to)
	return c.moved(ctx, r, err)
}

type decideManyIn struct {
	Body struct {
		IDs     []string `json:"ids"`
		Answer  string   `json:"answer" enum:"approve,reject"`
		Comment string   `json:"comment,omitempty"`
	}
}

// ApprovalAnswers are what became of answering several requests.
type ApprovalAnswers struct {
	Items []ApprovalAnswer `json:"items"`
}

// ApprovalAnswer is what became of one.
type ApprovalAnswer struct {
	ID    string   `json:"id"`
	State string   `json:"state,omitempty"`
	Error *Problem `json:"error,omitempty"`
}

func (a *API) decideMany(ctx context.Context, c *call, in decideManyIn) (ApprovalAnswers, error) {
	out := ApprovalAnswers{Items: []ApprovalAnswer{}}
	if len(in.Body.IDs) == 0 || len(in.Body.IDs) > approval.MaxPage {
		return out, fault.InvalidField("approval.too_many", "ids", fault.Params{"max": approval.MaxPage})
	}
	if in.Body.Answer != string(approval.Yes) && in.Body.Answer != string(approval.No) {
		return out, fault.InvalidField("approval.answer_unknown", "answer", nil)
	}
	for _, text := range in.Body.IDs {
		item := ApprovalAnswer{ID: text}
		v, err := approvalID(text)
		if err == nil {
			var r *approval.Request
			if r, err = c.ws.Approvals.Decide(ctx, v, approval.Answer(in.Body.Answer), in.Body.Comment, approval.ToRequester); err == nil {
				item.State = string(r.State)
			}
		}
		if err != nil {
			if k := fault.KindOf(err); k == fault.Internal || k == fault.Unavailable {
				return out, err
			}
			item.Error = a.problem(c.locale, err)
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

type handOverIn struct {
	ID   string `path:"id"`
	Body struct {
		Person  string `json:"person"`
		Comment string `json:"comment,omitempty"`
	}
}

func (a *API) handOver(ctx context.Context, c *call, in handOverIn) (*Approval, error) {
	v, err := approvalID(in.ID)
	if err != nil {
		return nil, err
	}
	p, err := id.Parse(auth.UserPrefix, in.Body.Person)
	if err != nil {
		return nil, fault.InvalidField("approval.user_unknown", "person", nil)
	}
	r, err := c.ws.Approvals.HandOver(ctx, v, p, in.Body.Comment)
	return c.moved(ctx, r, err)
}

type addApproversIn struct {
	ID   string `path:"id"`
	Body struct {
		People  []string `json:"people"`
		When    string   `json:"when" enum:"before,with,after"`
		Comment string   `json:"comment,omitempty"`
	}
}

func (a *API) addApprovers(ctx context.Context, c *call, in addApproversIn) (*Approval, error) {
	v, err := approvalID(in.ID)
	if err != nil {
		return nil, err
	}
	var people []id.ID
	for _, text := range in.Body.People {
		p, err := id.Parse(auth.UserPrefix, text)
		if err != nil {
			return nil, fault.InvalidField("approval.user_unknown", "people", nil)
		}
		people = append(people, p)
	}
	r, err := c.ws.Approvals.Add(ctx, v, people, in.Body.When, in.Body.Comment)
	return c.moved(ctx, r, err)
}

type commentApprovalIn struct {
	ID   string `path:"id"`
	Body struct {
		Comment string `json:"comment,omitempty"`
	}
}

func (a *API) withdrawApproval(ctx context.Context, c *call, in commentApprovalIn) (*Approval, error) {
	v, err := approvalID(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := c.ws.Approvals.Withdraw(ctx, v, in.Body.Comment)
	return c.moved(ctx, r, err)
}

func (a *API) commentApproval(ctx context.Context, c *call, in commentApprovalIn) (*Approval, error) {
	v, err := approvalID(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := c.ws.Approvals.Comment(ctx, v, in.Body.Comment)
	return c.moved(ctx, r, err)
}

type resubmitIn struct {
	ID   string `path:"id"`
	Body struct {
		Fields  map[string]any `json:"fields,omitempty" doc:"laid over what was proposed"`
		Drop    []string       `json:"drop,omitempty" doc:"fields that are proposed no longer"`
		Comment string         `json:"comment,omitempty"`
	}
}

func (a *API) resubmitApproval(ctx context.Context, c *call, in resubmitIn) (*Approval, error) {
	v, err := approvalID(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := c.ws.Approvals.Resubmit(ctx, v, in.Body.Fields, in.Body.Drop, in.Body.Comment)
	return c.moved(ctx, r, err)
}

// ApprovalLock is an open request about a record with what it locks.
type ApprovalLock struct {
	Request string         `json:"request"`
	Name    string         `json:"name"`
	Whole   bool           `json:"whole"`
	Fields  []string       `json:"fields"`
	Labels  []schema.Label `json:"labels"`
}

// RecordApprovals are the requests about a record.
type RecordApprovals struct {
	Items   []*Approval    `json:"items"`
	Locks   []ApprovalLock `json:"locks"`
	Guarded []string       `json:"guarded" doc:"actions on the object that may need agreement"`
}

func (a *API) recordApprovals(ctx context.Context, c *call, in recordIn) (RecordApprovals, error) {
	o, v, err := in.find(c)
	out := RecordApprovals{Items: []*Approval{}, Locks: []ApprovalLock{}, Guarded: []string{}}
	if err != nil {
		return out, err
	}
	actions, err := c.ws.Approvals.Guarded(ctx, o.Key)
	if err != nil {
		return out, err
	}
	for _, x := range actions {
		out.Guarded = append(out.Guarded, string(x))
	}
	locks, err := c.ws.Approvals.LockedOf(ctx, o.Key, v)
	if err != nil {
		return out, err
	}
	for _, l := range locks {
		out.Locks = append(out.Locks, ApprovalLock{Request: id.Format(approval.Prefix, l.Request), Name: l.Name, Whole: l.Whole, Fields: append([]string{}, l.Fields...), Labels: append([]schema.Label{}, l.Labels...)})
	}
	list, _, err := c.ws.Approvals.List(ctx, approval.Query{Object: o.Key, Record: v, Limit: approval.MaxPage})
	if err != nil {
		return out, err
	}
	out.Items, err = c.showApprovals(ctx, list, false)
	return out, err
}

// ApprovalAway is who answers for somebody in a span.
type ApprovalAway struct {
	Deputy *Ref       `json:"deputy"`
	Since  *time.Time `json:"since"`
	Until  *time.Time `json:"until"`
}

func (a *API) getAway(ctx context.Context, c *call, _ struct{}) (ApprovalAway, error) {
	w, err := c.ws.Approvals.Absence(ctx)
	if err != nil || w.Deputy == 0 {
		return ApprovalAway{}, err
	}
	names, err := c.userNames(ctx, w.Deputy)
	return ApprovalAway{Deputy: optionalPerson(w.Deputy, names), Since: optional(w.Since), Until: optional(w.Until)}, err
}

type setAwayIn struct {
	Body struct {
		Deputy *string    `json:"deputy" doc:"null for nobody"`
		Since  *time.Time `json:"since,omitempty"`
		Until  *time.Time `json:"until,omitempty"`
	}
}

func (a *API) setAway(ctx context.Context, c *call, in setAwayIn) (ApprovalAway, error) {
	w := approval.Away{Since: a.Clock.Now()}
	if in.Body.Deputy != nil && *in.Body.Deputy != "" {
		var err error
		if w.Deputy, err = id.Parse(auth.UserPrefix, *in.Body.Deputy); err != nil {
			return ApprovalAway{}, fault.InvalidField("approval.user_unknown", "deputy", nil)
		}
	}
	if in.Body.Since != nil {
		w.Since = *in.Body.Since
	}
	if in.Body.Until != nil {
		w.Until = *in.Body.Until
	}
	if err := c.ws.Approvals.SetAbsence(ctx, w); err != nil {
		return ApprovalAway{}, err
	}
	return a.getAway(ctx, c, struct{}{})
}

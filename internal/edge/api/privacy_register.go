package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
)

// PrivacyRequest is something that a person asked for.
type PrivacyRequest struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" enum:"access,copy,correction,erasure,objection,restriction,explanation"`
	Law        string     `json:"law" enum:"pipl,gdpr"`
	Record     *Ref       `json:"record" doc:"the customer or contact; null while nobody knows whom it is from"`
	Channel    string     `json:"channel" enum:",phone,email,letter,person,online"`
	Verified   string     `json:"verified" enum:",phone,document,login,known" doc:"how it was made sure who asks"`
	ReceivedOn string     `json:"received_on"`
	DueOn      string     `json:"due_on"`
	DaysLeft   int        `json:"days_left" doc:"negative when it is overdue"`
	Extended   bool       `json:"extended"`
	State      string     `json:"state" enum:"open,working,done,refused,withdrawn"`
	Assignee   *Ref       `json:"assignee"`
	Outcome    string     `json:"outcome"`
	Reference  string     `json:"reference"`
	Proof      string     `json:"proof" doc:"id of the erasure or copy that answered it"`
	Version    int64      `json:"version"`
	CreatedBy  *Ref       `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	ClosedAt   *time.Time `json:"closed_at"`
}

// PrivacyRequests is the register.
type PrivacyRequests struct {
	Items []PrivacyRequest `json:"items"`
}

func (c *call) showRequests(ctx context.Context, list []*privacy.Request) ([]PrivacyRequest, error) {
	var who []id.ID
	for _, r := range list {
		who = append(who, r.Assignee, r.CreatedBy)
	}
	names, err := c.userNames(ctx, who...)
	if err != nil {
		return nil, err
	}
	today := clock.DayOf(time.Now(), c.ws.Zone)
	out := []PrivacyRequest{}
	for _, r := range list {
		v := PrivacyRequest{ID: id.Format(privacy.RequestPrefix, r.ID), Kind: r.Kind, Law: r.Law, Channel: r.Channel, Verified: r.Verified, ReceivedOn: r.ReceivedOn.String(), DueOn: r.DueOn.String(),
			DaysLeft: int(r.DueOn - today), Extended: r.Extended, State: r.State, Assignee: userOf(names, r.Assignee), Outcome: r.Outcome, Reference: r.Reference, Version: r.Version,
			CreatedBy: userOf(names, r.CreatedBy), CreatedAt: r.CreatedAt, ClosedAt: optional(r.ClosedAt)}
		if r.Record != 0 {
			v.Record = &Ref{ID: id.Format(c.prefixOf(r.Object), r.Record), Object: r.Object, Title: c.nameOf(ctx, r)}
		}
		switch r.ProofKind {
		case "erasure":
			v.Proof = id.Format(privacy.ErasurePrefix, r.Proof)
		case "copy":
			v.Proof = id.Format(privacy.CopyPrefix, r.Proof)
		}
		out = append(out, v)
	}
	return out, nil
}

// nameOf is the name of whom a request is about, "" when the reader does not see the record.
func (c *call) nameOf(ctx context.Context, r *privacy.Request) string {
	rec, err := c.ws.Records.Get(ctx, r.Object, r.Record)
	if err != nil {
		return ""
	}
	return rec.Title
}

type requestsIn struct {
	Open   *bool  `query:"open"`
	Record string `query:"record"`
	Limit  int    `query:"limit"`
}

func (a *API) listRequests(ctx context.Context, c *call, in requestsIn) (PrivacyRequests, error) {
	f := privacy.RequestFilter{Open: in.Open, Limit: limitOf(in.Limit, 200)}
	var err error
	if in.Record != "" {
		if _, f.Record, err = id.ParseAny(in.Record); err != nil {
			return PrivacyRequests{}, fault.InvalidField("api.bad_parameter", "record", nil)
		}
	}
	list, err := c.ws.Privacy.Requests(ctx, f)
	if err != nil {
		return PrivacyRequests{}, err
	}
	items, err := c.showRequests(ctx, list)
	return PrivacyRequests{items}, err
}

type privacyRequestBody struct {
	Kind       *string `json:"kind,omitempty" enum:"access,copy,correction,erasure,objection,restriction,explanation"`
	Law        *string `json:"law,omitempty" enum:"pipl,gdpr"`
	Record     *string `json:"record,omitempty" doc:"id of a customer or contact; an empty text for nobody"`
	Channel    *string `json:"channel,omitempty" enum:",phone,email,letter,person,online"`
	Verified   *string `json:"verified,omitempty" enum:",phone,document,login,known"`
	ReceivedOn *string `json:"received_on,omitempty"`
	Extended   *bool   `json:"extended,omitempty"`
	State      *string `json:"state,omitempty" enum:"open,working,done,refused,withdrawn"`
	Assignee   *string `json:"assignee,omitempty"`
	Outcome    *string `json:"outcome,omitempty"`
	Reference  *string `json:"reference,omitempty"`
	Version    int64   `json:"version,omitempty"`
}

func (b *privacyRequestBody) input(c *call) (privacy.RequestInput, error) {
	in := privacy.RequestInput{Kind: b.Kind, Law: b.Law, Channel: b.Channel, Verified: b.Verified, State: b.State, Outcome: b.Outcome, Reference: b.Reference, Extended: b.Extended}
	if b.Record != nil {
		var v id.ID
		if *b.Record != "" {
			prefix, rec, err := id.ParseAny(*b.Record)
			o := c.ws.Registry().ByPrefix(prefix)
			if err != nil || o == nil {
				return in, fault.InvalidField("api.bad_parameter", "record", nil)
			}
			in.Object, v = o.Key, rec
		}
		in.Record = &v
	}
	if b.ReceivedOn != nil {
		d, err := clock.ParseDay(*b.ReceivedOn)
		if err != nil {
			return in, fault.InvalidField("api.bad_parameter", "received_on", nil)
		}
		in.ReceivedOn = &d
	}
	if b.Assignee != nil {
		var v id.ID
		if *b.Assignee != "" {
			var err error
			if v, err = id.Parse(auth.UserPrefix, *b.Assignee); err != nil {
				return in, fault.InvalidField("api.bad_parameter", "assignee", nil)
			}
		}
		in.Assignee = &v
	}
	return in, nil
}

type addRequestIn struct{ Body privacyRequestBody }

func (a *API) addRequest(ctx context.Context, c *call, in addRequestIn) (PrivacyRequest, error) {
	input, err := in.Body.input(c)
	if err != nil {
		return PrivacyRequest{}, err
	}
	r, err := c.ws.Privacy.AddRequest(ctx, input)
	return c.requestAnswer(ctx, r, err)
}

func (c *call) requestAnswer(ctx context.Context, r *privacy.Request, err error) (PrivacyRequest, error) {
	if err != nil {
		return PrivacyRequest{}, err
	}
	list, err := c.showRequests(ctx, []*privacy.Request{r})
	if err != nil {
		return PrivacyRequest{}, err
	}
	return list[0], nil
}

type patchRequestIn struct {
	ID   string `path:"id"`
	Body privacyRequestBody
}

func (a *API) patchRequest(ctx context.Context, c *call, in patchRequestIn) (PrivacyRequest, error) {
	v, err := id.Parse(privacy.RequestPrefix, in.ID)
	if err != nil {
		return PrivacyRequest{}, fault.New(fault.NotFound, "privacy.request_unknown", nil)
	}
	input, err := in.Body.input(c)
	if err != nil {
		return PrivacyRequest{}, err
	}
	r, err := c.ws.Privacy.ChangeRequest(ctx, v, in.Body.Version, input)
	return c.requestAnswer(ctx, r, err)
}

func (a *API) retentionRoutes() []route {
	manage := access.PrivacyManage
	return []route{
		{method: get, path: "/privacy/retention", need: right, right: manage, run: op(a.listRules), doc: "Rules for how long records are kept, and what they did"},
		{method: post, path: "/privacy/retention", need: right, right: manage, run: op(a.createRule), doc: "Add a rule", status: http.StatusCreated},
		{method: post, path: "/privacy/retention/preview", need: right, right: manage, run: op(a.previewRule), doc: "How many records a rule would take now", secret: true},
		{method: patch, path: "/privacy/retention/{id}", need: right, right: manage, run: op(a.patchRule), doc: "Change a rule"},
		{method: del, path: "/privacy/retention/{id}", need: right, right: manage, run: op(a.deleteRule), doc: "Remove a rule"},
		{method: get, path: "/privacy/holds", need: right, right: manage, run: op(a.listHolds), doc: "Records that are kept from being erased"},
	}
}

// RetentionRule says for how long records of an object are kept.
type RetentionRule struct {
	ID       string         `json:"id"`
	Object   string         `json:"object"`
	Label    schema.Label   `json:"label"`
	Name     string         `json:"name"`
	Months   int            `json:"months"`
	Basis    string         `json:"basis" enum:"activity,created"`
	Where    *query.Node    `json:"where"`
	Sentence schema.Label   `json:"sentence"`
	Action   string         `json:"action" enum:"erase,empty,remove" doc:"follows from the object"`
	Active   bool           `json:"active"`
	Version  int64          `json:"version"`
	Runs     []RetentionRun `json:"runs"`
}

// RetentionRun is what a rule did one night.
type RetentionRun struct {
	At     time.Time `json:"at"`
	Found  int       `json:"found"`
	Done   int       `json:"done"`
	Held   int       `json:"held"`
	Failed int       `json:"failed"`
	Error  string    `json:"error"`
}

// RetentionRules are the rules.
type RetentionRules struct {
	Items []RetentionRule `json:"items"`
}

func (a *API) showRule(c *call, r *privacy.Rule, runs []privacy.RuleRun) RetentionRule {
	v := RetentionRule{ID: id.Format(privacy.RulePrefix, r.ID), Object: r.Object, Name: r.Name, Months: r.Months, Basis: r.Basis, Where: r.Where, Active: r.Active, Version: r.Version, Runs: []RetentionRun{}}
	if o := c.ws.Registry().Object(r.Object); o != nil {
		v.Label, v.Action, v.Sentence = o.Plural, privacy.ActionOf(o), c.ws.Conditions.Sentence(o.Key, r.Where)
	}
	for _, x := range runs {
		run := RetentionRun{At: x.At, Found: x.Found, Done: x.Done, Held: x.Held, Failed: x.Failed}
		if x.Error != "" {
			run.Error = a.Words.Text(lang.Locale(c.locale), x.Error, nil)
		}
		v.Runs = append(v.Runs, run)
	}
	return v
}

func (a *API) listRules(ctx context.Context, c *call, _ struct{}) (RetentionRules, error) {
	list, runs, err := c.ws.Privacy.RulesWithRuns(ctx)
	out := RetentionRules{Items: []RetentionRule{}}
	for _, r := range list {
		out.Items = append(out.Items, a.showRule(c, r, runs[r.ID]))
	}
	return out, err
}

type retentionBody struct {
	Object  string    `json:"object,omitempty"`
	Name    *string   `json:"name,omitempty"`
	Months  *int      `json:"months,omitempty"`
	Basis   *string   `json:"basis,omitempty" enum:"activity,created"`
	Where   Condition `json:"where,omitempty"`
	Active  *bool     `json:"active,omitempty"`
	Version int64     `json:"version,omitempty"`
}

func (b *retentionBody) put(r *privacy.Rule) (err error) {
	if b.Name != nil {
		r.Name = *b.Name
	}
	if b.Months != nil {
		r.Months = *b.Months
	}
	if b.Basis != nil {
		r.Basis = *b.Basis
	}
	if b.Active != nil {
		r.Active = *b.Active
	}
	if len(b.Where) > 0 {
		r.Where, err = b.Where.node("where")
	}
	return err
}

type createRuleIn struct{ Body retentionBody }

func (in *createRuleIn) rule() (*privacy.Rule, error) {
	r := &privacy.Rule{Object: in.Body.Object, Basis: privacy.SinceActivity}
	return r, in.Body.put(r)
}

func (a *API) createRule(ctx context.Context, c *call, in createRuleIn) (RetentionRule, error) {
	r, err := in.rule()
	if err != nil {
		return RetentionRule{}, err
	}
	if r, err = c.ws.Privacy.SaveRule(ctx, r); err != nil {
		return RetentionRule{}, under(err, "where")
	}
	return a.showRule(c, r, nil), nil
}

type patchRuleIn struct {
	ID   string `path:"id"`
	Body retentionBody
}

func ruleID(text string) (id.ID, error) {
	v, err := id.Parse(privacy.RulePrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "privacy.rule_unknown", nil)
	}
	return v, nil
}

func (a *API) patchRule(ctx context.Context, c *call, in patchRuleIn) (RetentionRule, error) {
	v, err := ruleID(in.ID)
	if err != nil {
		return RetentionRule{}, err
	}
	r, err := c.ws.Privacy.Rule(ctx, v)
	if err != nil {
		return RetentionRule{}, err
	}
	if in.Body.Version != 0 && in.Body.Version != r.Version {
		return RetentionRule{}, fault.New(fault.Stale, "privacy.rule_stale", nil)
	}
	if err := in.Body.put(r); err != nil {
		return RetentionRule{}, err
	}
	if r, err = c.ws.Privacy.SaveRule(ctx, r); err != nil {
		return RetentionRule{}, under(err, "where")
	}
	return a.showRule(c, r, nil), nil
}

func (a *API) deleteRule(ctx context.Context, c *call, in idIn) (empty, error) {
	v, err := ruleID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Privacy.DropRule(ctx, v)
}

// RetentionPreview is how many records a rule would take.
type RetentionPreview struct {
	Found    int          `json:"found"`
	Held     int          `json:"held" doc:"of these, kept since they are on hold"`
	Action   string       `json:"action" enum:"erase,empty,remove"`
	Sentence schema.Label `json:"sentence"`
}

func (a *API) previewRule(ctx context.Context, c *call, in createRuleIn) (RetentionPreview, error) {
	r, err := in.rule()
	if err != nil {
		return RetentionPreview{}, err
	}
	if r.Name == "" {
		r.Name = "?"
	}
	found, held, err := c.ws.Privacy.Overdue(ctx, r)
	if err != nil {
		return RetentionPreview{}, under(err, "where")
	}
	return RetentionPreview{Found: found, Held: held, Action: privacy.ActionOf(c.ws.Registry().Object(r.Object)), Sentence: c.ws.Conditions.Sentence(r.Object, r.Where)}, nil
}

// RecordHolds are the records on hold.
type RecordHolds struct {
	Items []RecordHold `json:"items"`
}

func (a *API) listHolds(ctx context.Context, c *call, _ struct{}) (RecordHolds, error) {
	list, err := c.ws.Privacy.Holds(ctx)
	out := RecordHolds{Items: []RecordHold{}}
	for i := range list {
		h, err := c.showHold(ctx, &list[i])
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, *h)
	}
	return out, err
}

package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// privacyRoutes are what people may ask about their data.
func (a *API) privacyRoutes() []route {
	manage, take := access.PrivacyManage, access.PrivacyCopy
	return append(a.retentionRoutes(), []route{
		{method: get, path: "/privacy/settings", need: right, right: manage, run: op(a.privacySettings), doc: "What the workspace decided about requests of people, erasure and revealing"},
		{method: patch, path: "/privacy/settings", need: right, right: manage, run: op(a.patchPrivacySettings), doc: "Change these"},
		{method: get, path: "/records/{object}/{id}/erasure", need: right, right: manage, run: op(a.previewErasure), doc: "Everything that erasing a customer or contact would take"},
		{method: post, path: "/records/{object}/{id}/erase", need: right, right: manage, run: op(a.erase), doc: "Erase a customer or contact for good, as a job; waits for a second person where the workspace wants one", status: http.StatusAccepted},
		{method: get, path: "/privacy/erasures", need: right, right: manage, run: op(a.listErasures), doc: "Erasures, newest first"},
		{method: get, path: "/privacy/erasures/{id}", need: right, right: manage, run: op(a.getErasure), doc: "One erasure"},
		{method: post, path: "/privacy/erasures/{id}/decide", need: right, right: manage, run: op(a.decideErasure), doc: "Confirm a waiting erasure as the second person, or refuse it"},
		{method: post, path: "/privacy/erasures/{id}/retry", need: right, right: manage, run: op(a.retryErasure), doc: "Take up an erasure that failed"},
		{method: get, path: "/privacy/erasures/{id}/certificate", need: right, right: manage, run: op(a.certificate), doc: "The proof of an erasure: a page to print, or JSON with ?format=json", stream: true},
		{method: post, path: "/privacy/suppression", need: right, right: manage, run: op(a.suppression), doc: "Whether a value is of an erased person, and lifting that", secret: true},
		{method: post, path: "/records/{object}/{id}/restrict", need: right, right: manage, run: op(a.restrict), doc: "Only store a customer: out of segments, exports and messages; or end that"},
		{method: get, path: "/records/{object}/{id}/hold", need: right, right: access.RecordRead, run: op(a.holdOf), doc: "Whether a record is on hold"},
		{method: post, path: "/records/{object}/{id}/hold", need: right, right: manage, run: op(a.hold), doc: "Keep a record from being erased"},
		{method: del, path: "/records/{object}/{id}/hold", need: right, right: manage, run: op(a.unhold), doc: "End that"},
		{method: get, path: "/privacy/requests", need: right, right: manage, run: op(a.listRequests), doc: "The register of requests of people"},
		{method: post, path: "/privacy/requests", need: right, right: manage, run: op(a.addRequest), doc: "Add a request", status: http.StatusCreated},
		{method: patch, path: "/privacy/requests/{id}", need: right, right: manage, run: op(a.patchRequest), doc: "Change a request"},
		{method: post, path: "/records/{object}/{id}/copy", need: right, right: take, run: op(a.orderCopy), doc: "Everything known about a customer or contact as one file, as a job", status: http.StatusAccepted},
		{method: get, path: "/privacy/copies", need: right, right: take, run: op(a.listCopies), doc: "Copies that were made, newest first"},
		{method: get, path: "/privacy/copies/{id}/file", need: right, right: take, run: op(a.copyFile), doc: "The file of a copy; audited", stream: true, secret: true},
	}...)
}

// PrivacySettings are what a workspace decided.
type PrivacySettings struct {
	SecondPerson bool           `json:"second_person" doc:"an erasure needs another person"`
	Law          string         `json:"law" enum:"pipl,gdpr"`
	Days         int            `json:"days" doc:"working days for a request under PIPL"`
	Reveals      map[string]int `json:"reveals" doc:"records that somebody may reveal in an hour, by role; 100 for roles not named"`
}

func (a *API) privacySettings(ctx context.Context, c *call, _ struct{}) (PrivacySettings, error) {
	v, err := c.ws.Privacy.Settings(ctx)
	return PrivacySettings(v), err
}

type patchPrivacyIn struct {
	Body struct {
		SecondPerson *bool           `json:"second_person,omitempty"`
		Law          *string         `json:"law,omitempty" enum:"pipl,gdpr"`
		Days         *int            `json:"days,omitempty"`
		Reveals      *map[string]int `json:"reveals,omitempty"`
	}
}

func (a *API) patchPrivacySettings(ctx context.Context, c *call, in patchPrivacyIn) (PrivacySettings, error) {
	v, err := c.ws.Privacy.Settings(ctx)
	if err != nil {
		return PrivacySettings{}, err
	}
	if in.Body.SecondPerson != nil {
		v.SecondPerson = *in.Body.SecondPerson
	}
	if in.Body.Law != nil {
		v.Law = *in.Body.Law
	}
	if in.Body.Days != nil {
		v.Days = *in.Body.Days
	}
	if in.Body.Reveals != nil {
		v.Reveals = *in.Body.Reveals
	}
	v, err = c.ws.Privacy.SetSettings(ctx, v)
	return PrivacySettings(v), err
}

// PrivacyCount is how much of something an erasure takes, or a copy holds.
type PrivacyCount struct {
	Part  string       `json:"part" doc:"object:<key>, or a part of the store: comments, files, history …"`
	Label schema.Label `json:"label,omitempty" doc:"of an object"`
	Fate  string       `json:"fate" enum:"gone,emptied,shell,freed"`
	Count int64        `json:"count"`
}

func (c *call) showCounts(list []privacy.Count) []PrivacyCount {
	out := []PrivacyCount{}
	for _, x := range list {
		v := PrivacyCount{Part: x.Part, Fate: string(x.Fate), Count: x.Count}
		if key, ok := strings.CutPrefix(x.Part, "object:"); ok {
			if o := c.ws.Registry().Object(key); o != nil {
				v.Label = o.Plural
			}
		}
		out = append(out, v)
	}
	return out
}

// Erasure is an erasure of a person.
type Erasure struct {
	ID          string         `json:"id"`
	Object      string         `json:"object"`
	Record      string         `json:"record"`
	State       string         `json:"state" enum:"waiting,queued,running,cleaning,done,failed,refused"`
	Reason      string         `json:"reason" enum:"request,consent,purpose,unlawful,other,restored,retention"`
	Reference   string         `json:"reference"`
	Request     *string        `json:"request"`
	Step        string         `json:"step" enum:",records,files,scrub,trail,clean"`
	Counts      []PrivacyCount `json:"counts"`
	Error       string         `json:"error" doc:"why it failed, in the reader's language"`
	Certificate string         `json:"certificate" doc:"SHA-256 of the certificate, as in the audit trail"`
	RequestedBy Actor          `json:"requested_by"`
	RequestedAt time.Time      `json:"requested_at"`
	DecidedBy   *Actor         `json:"decided_by"`
	DecidedAt   *time.Time     `json:"decided_at"`
	FinishedAt  *time.Time     `json:"finished_at"`
	// Mine says that the reader asked for it, and so cannot be the second person.
	Mine bool `json:"mine"`
	// Waiting are uploads that nobody had started and that were not looked into.
	Waiting int `json:"waiting_uploads"`
}

func (a *API) showErasures(ctx context.Context, c *call, list []*privacy.Erasure) ([]Erasure, error) {
	var who []id.ID
	for _, e := range list {
		who = append(who, e.RequestedBy, e.DecidedBy)
	}
	names, err := c.userNames(ctx, who...)
	if err != nil {
		return nil, err
	}
	out := []Erasure{}
	for _, e := range list {
		v := Erasure{ID: id.Format(privacy.ErasurePrefix, e.ID), Object: e.Object, Record: id.Format(c.prefixOf(e.Object), e.Record), State: string(e.State), Reason: e.Reason, Reference: e.Reference,
			Step: e.Step, Counts: c.showCounts(e.Counts), Certificate: e.Digest, RequestedBy: c.actor(e.ByKind, e.RequestedBy, names), RequestedAt: e.RequestedAt,
			DecidedAt: optional(e.DecidedAt), FinishedAt: optional(e.FinishedAt), Waiting: e.Plan.Waiting,
			Mine: e.ByKind == c.who.Actor.Kind && e.RequestedBy == c.who.Actor.ID}
		if e.Error != "" {
			v.Error = a.Words.Text(lang.Locale(c.locale), e.Error, nil)
		}
		if e.DecidedBy != 0 {
			by := c.actor(access.ByUser, e.DecidedBy, names)
			v.DecidedBy = &by
		}
		if e.Request != 0 {
			text := id.Format(privacy.RequestPrefix, e.Request)
			v.Request = &text
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *API) showErasure(ctx context.Context, c *call, e *privacy.Erasure, err error) (Erasure, error) {
	if err != nil {
		return Erasure{}, err
	}
	list, err := a.showErasures(ctx, c, []*privacy.Erasure{e})
	if err != nil {
		return Erasure{}, err
	}
	return list[0], nil
}

// ErasurePreview is everything that an erasure would take.
type ErasurePreview struct {
	Record       *Record        `json:"record"`
	Counts       []PrivacyCount `json:"counts"`
	Merged       int            `json:"merged" doc:"records that were merged into this one and go with it"`
	Hold         *RecordHold    `json:"hold"`
	Running      *Erasure       `json:"running" doc:"an erasure that waits or is under way"`
	SecondPerson bool           `json:"second_person"`
}

func (a *API) previewErasure(ctx context.Context, c *call, in recordIn) (ErasurePreview, error) {
	o, v, err := in.find(c)
	if err != nil {
		return ErasurePreview{}, err
	}
	p, err := c.ws.Privacy.Preview(ctx, o.Key, v)
	if err != nil {
		return ErasurePreview{}, err
	}
	out := ErasurePreview{Counts: c.showCounts(p.Counts), Merged: p.Merged, SecondPerson: p.Second}
	if out.Record, err = c.showRecord(ctx, o, p.Record); err != nil {
		return out, err
	}
	if out.Hold, err = c.showHold(ctx, p.Hold); err != nil || p.Running == nil {
		return out, err
	}
	e, err := a.showErasure(ctx, c, p.Running, nil)
	out.Running = &e
	return out, err
}

type erasePersonIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		Reason    string `json:"reason" enum:"request,consent,purpose,unlawful,other"`
		Reference string `json:"reference,omitempty" doc:"a number of the case; no name"`
		Request   string `json:"request,omitempty" doc:"of the register"`
		Confirm   string `json:"confirm" doc:"the id of the record once more, so that nobody is erased by mistake"`
	}
}

func (a *API) erase(ctx context.Context, c *call, in erasePersonIn) (Erasure, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return Erasure{}, err
	}
	if in.Body.Confirm != id.Format(o.Prefix, v) {
		return Erasure{}, fault.InvalidField("privacy.not_confirmed", "confirm", nil)
	}
	order := privacy.Order{Object: o.Key, Record: v, Reason: in.Body.Reason, Reference: in.Body.Reference}
	if order.Request, err = requestID(in.Body.Request); err != nil {
		return Erasure{}, err
	}
	e, err := c.ws.Privacy.Request(ctx, order)
	return a.showErasure(ctx, c, e, err)
}

func requestID(text string) (id.ID, error) {
	if text == "" {
		return 0, nil
	}
	v, err := id.Parse(privacy.RequestPrefix, text)
	if err != nil {
		return 0, fault.InvalidField("api.bad_parameter", "request", nil)
	}
	return v, nil
}

// Erasures is a page of erasures.
type Erasures struct {
	Items      []Erasure `json:"items"`
	NextCursor *string   `json:"next_cursor"`
}

type erasuresIn struct {
	State  string `query:"state"`
	Record string `query:"record"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
}

func (a *API) listErasures(ctx context.Context, c *call, in erasuresIn) (Erasures, error) {
	f := privacy.ErasureFilter{Limit: limitOf(in.Limit, 50)}
	var err error
	if in.State != "" {
		f.States = []privacy.State{privacy.State(in.State)}
	}
	if in.Record != "" {
		if _, f.Record, err = id.ParseAny(in.Record); err != nil {
			return Erasures{}, fault.InvalidField("api.bad_parameter", "record", nil)
		}
	}
	if in.Cursor != "" {
		if f.Before, err = id.Parse(privacy.ErasurePrefix, in.Cursor); err != nil {
			return Erasures{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	list, err := c.ws.Privacy.Erasures(ctx, f)
	if err != nil {
		return Erasures{}, err
	}
	out := Erasures{}
	if out.Items, err = a.showErasures(ctx, c, list); err == nil && len(list) == f.Limit {
		out.NextCursor = &out.Items[len(out.Items)-1].ID
	}
	return out, err
}

func erasureID(text string) (id.ID, error) {
	v, err := id.Parse(privacy.ErasurePrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "privacy.erasure_unknown", nil)
	}
	return v, nil
}

func (a *API) getErasure(ctx context.Context, c *call, in idIn) (Erasure, error) {
	v, err := erasureID(in.ID)
	if err != nil {
		return Erasure{}, err
	}
	e, err := c.ws.Privacy.Erasure(ctx, v)
	return a.showErasure(ctx, c, e, err)
}

type decideErasureIn struct {
	ID   string `path:"id"`
	Body struct {
		Confirm bool `json:"confirm"`
	}
}

func (a *API) decideErasure(ctx context.Context, c *call, in decideErasureIn) (Erasure, error) {
	v, err := erasureID(in.ID)
	if err != nil {
		return Erasure{}, err
	}
	e, err := c.ws.Privacy.Decide(ctx, v, in.Body.Confirm)
	return a.showErasure(ctx, c, e, err)
}

func (a *API) retryErasure(ctx context.Context, c *call, in idIn) (Erasure, error) {
	v, err := erasureID(in.ID)
	if err != nil {
		return Erasure{}, err
	}
	e, err := c.ws.Privacy.Retry(ctx, v)
	return a.showErasure(ctx, c, e, err)
}

type certificateIn struct {
	ID     string `path:"id"`
	Format string `query:"format"`
}

func (a *API) certificate(ctx context.Context, c *call, in certificateIn) (written, error) {
	v, err := erasureID(in.ID)
	if err != nil {
		return written{}, err
	}
	e, err := c.ws.Privacy.Erasure(ctx, v)
	if err != nil {
		return written{}, err
	}
	if e.State != privacy.Done {
		return written{}, fault.New(fault.Conflict, "privacy.not_done", nil)
	}
	cert := c.ws.Privacy.Certificate(e)
	c.status = http.StatusOK
	h := c.w.Header()
	if in.Format == "json" {
		h.Set("Content-Type", "application/json")
		h.Set("Content-Disposition", `attachment; filename="`+in.ID+`.json"`)
		return written{}, json.NewEncoder(c.w).Encode(struct {
			Certificate privacy.Certificate `json:"certificate"`
			SHA256      string              `json:"sha256"`
		}{cert, e.Digest})
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+in.ID+`.html"`)
	return written{}, c.ws.Privacy.WriteCertificate(c.w, e, string(c.locale))
}

// Suppression says whether a value is of an erased person.
type Suppression struct {
	Suppressed bool `json:"suppressed"`
}

type suppressionIn struct {
	Body struct {
		Object string `json:"object" enum:"customer,contact"`
		Field  string `json:"field"`
		Value  string `json:"value"`
		Lift   bool   `json:"lift,omitempty" doc:"take the value off the list: the person wants to be a customer again"`
	}
}

func (a *API) suppression(ctx context.Context, c *call, in suppressionIn) (Suppression, error) {
	found, err := c.ws.Privacy.Suppressed(ctx, in.Body.Object, in.Body.Field, in.Body.Value, in.Body.Lift)
	return Suppression{found}, err
}

type restrictIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		On bool `json:"on"`
	}
}

func (a *API) restrict(ctx context.Context, c *call, in restrictIn) (*Record, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return nil, err
	}
	if o.Key != "customer" {
		return nil, fault.New(fault.Invalid, "privacy.not_a_person", fault.Params{"object": o.Key})
	}
	r, err := c.ws.Privacy.Restrict(ctx, v, in.Body.On)
	if err != nil {
		return nil, err
	}
	a.wrote(c, r.Position)
	return c.showRecord(ctx, o, r)
}

// RecordHold keeps a record from being erased.
type RecordHold struct {
	Object string    `json:"object"`
	Record string    `json:"record"`
	Reason string    `json:"reason"`
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
}

// HoldState is the hold of a record, if there is one.
type HoldState struct {
	Hold *RecordHold `json:"hold"`
}

func (c *call) showHold(ctx context.Context, h *privacy.Hold) (*RecordHold, error) {
	if h == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	names, err := c.userNames(ctx, h.By)
	return &RecordHold{Object: h.Object, Record: id.Format(c.prefixOf(h.Object), h.Record), Reason: h.Reason, By: c.actor(access.ByUser, h.By, names), At: h.At}, err
}

func (a *API) holdOf(ctx context.Context, c *call, in recordIn) (HoldState, error) {
	o, v, err := in.find(c)
	if err != nil {
		return HoldState{}, err
	}
	if _, err := c.ws.Records.Get(ctx, o.Key, v); err != nil {
		return HoldState{}, err
	}
	h, err := c.ws.Privacy.HoldOf(ctx, v)
	if err != nil {
		return HoldState{}, err
	}
	shown, err := c.showHold(ctx, h)
	return HoldState{shown}, err
}

type holdIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		Reason string `json:"reason"`
	}
}

func (a *API) hold(ctx context.Context, c *call, in holdIn) (HoldState, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return HoldState{}, err
	}
	h, err := c.ws.Privacy.Hold(ctx, o.Key, v, in.Body.Reason)
	if err != nil {
		return HoldState{}, err
	}
	shown, err := c.showHold(ctx, h)
	return HoldState{shown}, err
}

func (a *API) unhold(ctx context.Context, c *call, in recordIn) (empty, error) {
	o, v, err := in.find(c)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Privacy.Unhold(ctx, o.Key, v)
}

// PrivacyCopy is a copy of everything known about a person.
type PrivacyCopy struct {
	ID         string         `json:"id"`
	Object     string         `json:"object"`
	Record     string         `json:"record"`
	State      string         `json:"state" enum:"queued,running,done,failed"`
	Bytes      int64          `json:"bytes"`
	SHA256     string         `json:"sha256"`
	Parts      []PrivacyCount `json:"parts"`
	Error      string         `json:"error"`
	CreatedBy  Actor          `json:"created_by"`
	CreatedAt  time.Time      `json:"created_at"`
	FinishedAt *time.Time     `json:"finished_at"`
	ExpiresAt  *time.Time     `json:"expires_at" doc:"until when the file can be fetched; null when it is gone"`
}

// PrivacyCopies are copies, newest first.
type PrivacyCopies struct {
	Items []PrivacyCopy `json:"items"`
}

func (a *API) showCopies(ctx context.Context, c *call, list []*privacy.Copy) ([]PrivacyCopy, error) {
	var who []id.ID
	for _, x := range list {
		who = append(who, x.CreatedBy)
	}
	names, err := c.userNames(ctx, who...)
	out := []PrivacyCopy{}
	for _, x := range list {
		v := PrivacyCopy{ID: id.Format(privacy.CopyPrefix, x.ID), Object: x.Object, Record: id.Format(c.prefixOf(x.Object), x.Record), State: string(x.State), Bytes: x.Bytes, SHA256: x.SHA256, Parts: c.showCounts(x.Parts),
			CreatedBy: c.actor(x.ByKind, x.CreatedBy, names), CreatedAt: x.CreatedAt, FinishedAt: optional(x.FinishedAt), ExpiresAt: optional(x.ExpiresAt)}
		if x.Error != "" {
			v.Error = a.Words.Text(lang.Locale(c.locale), x.Error, nil)
		}
		out = append(out, v)
	}
	return out, err
}

type orderCopyIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		Request string `json:"request,omitempty" doc:"of the register"`
	}
}

func (a *API) orderCopy(ctx context.Context, c *call, in orderCopyIn) (PrivacyCopy, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return PrivacyCopy{}, err
	}
	request, err := requestID(in.Body.Request)
	if err != nil {
		return PrivacyCopy{}, err
	}
	x, err := c.ws.Privacy.OrderCopy(ctx, o.Key, v, request)
	if err != nil {
		return PrivacyCopy{}, err
	}
	list, err := a.showCopies(ctx, c, []*privacy.Copy{x})
	if err != nil {
		return PrivacyCopy{}, err
	}
	return list[0], nil
}

type copiesIn struct {
	Record string `query:"record"`
}

func (a *API) listCopies(ctx context.Context, c *call, in copiesIn) (PrivacyCopies, error) {
	var rec id.ID
	var err error
	if in.Record != "" {
		if _, rec, err = id.ParseAny(in.Record); err != nil {
			return PrivacyCopies{}, fault.InvalidField("api.bad_parameter", "record", nil)
		}
	}
	list, err := c.ws.Privacy.CopiesOf(ctx, rec)
	if err != nil {
		return PrivacyCopies{}, err
	}
	items, err := a.showCopies(ctx, c, list)
	return PrivacyCopies{items}, err
}

func (a *API) copyFile(ctx context.Context, c *call, in idIn) (written, error) {
	v, err := id.Parse(privacy.CopyPrefix, in.ID)
	if err != nil {
		return written{}, fault.New(fault.NotFound, "privacy.copy_unknown", nil)
	}
	x, body, err := c.ws.Privacy.OpenCopy(ctx, v)
	if err != nil {
		return written{}, err
	}
	defer body.Close()
	c.status = http.StatusOK
	h := c.w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+id.Format(c.prefixOf(x.Object), x.Record)+`.zip"`)
	h.Set("Cache-Control", "private, no-store")
	if _, err := io.Copy(c.w, body); err != nil {
		a.Log.ErrorContext(ctx, "copy broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return written{}, nil
}

// userOf names a person of the workspace, nil for nobody.
func userOf(names map[record.Ref]string, v id.ID) *Ref {
	if v == 0 {
		return nil
	}
	return &Ref{ID: id.Format(auth.UserPrefix, v), Object: "user", Title: names[record.Ref{Object: "user", ID: v}]}
}

package api

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// jobRoutes are bulk work on records: starting it, and looking after it.
func (a *API) jobRoutes() []route {
	return []route{
		{method: post, path: "/records/{object}/bulk", need: right, right: access.RecordRead, run: op(a.bulk), doc: "Edit, assign, delete or restore everything that fits, as a job; each needs its own right", status: http.StatusAccepted, large: true},
		{method: post, path: "/records/{object}/bulk/preview", need: right, right: access.RecordRead, run: op(a.previewBulk), doc: "How many records a bulk job would touch, and the first of them before and after", large: true, secret: true},
		{method: post, path: "/records/{object}/exports", need: right, right: access.ExportRun, run: op(a.startExport), doc: "Export everything that fits to a file, as a job", status: http.StatusAccepted, large: true},
		{method: get, path: "/jobs", need: right, right: access.RecordRead, run: op(a.listJobs), doc: "Bulk jobs and exports, newest first: my own, or everybody's with the right to read the trail"},
		{method: get, path: "/jobs/{id}", need: right, right: access.RecordRead, run: op(a.getJob), doc: "One job with its progress"},
		{method: post, path: "/jobs/{id}/cancel", need: right, right: access.RecordRead, run: op(a.cancelJob), doc: "Stop a job"},
		{method: post, path: "/jobs/{id}/resume", need: right, right: access.RecordRead, run: op(a.resumeJob), doc: "Go on with a job that failed or was stopped"},
		{method: post, path: "/jobs/{id}/undo", need: right, right: access.RecordRead, run: op(a.undoJob), doc: "Put back what a job changed, where nothing was changed since"},
		{method: get, path: "/jobs/{id}/errors", need: right, right: access.RecordRead, run: op(a.jobErrors), doc: "What a job could not do, as CSV", stream: true},
		{method: get, path: "/jobs/{id}/file", need: right, right: access.ExportRun, run: op(a.jobFile), doc: "The file of an export, for its owner; audited", stream: true, secret: true},
	}
}

// bulkSet says which records a job is about: ids, or a condition and a search text, or a segment; except leaves some out.
type bulkSet struct {
	IDs     []string  `json:"ids,omitempty"`
	Where   Condition `json:"where,omitempty"`
	Search  string    `json:"search,omitempty"`
	Segment string    `json:"segment,omitempty"`
	Except  []string  `json:"except,omitempty"`
}

func (b *bulkSet) set(o *schema.Object) (mass.Set, error) {
	out := mass.Set{Search: b.Search, Segment: b.Segment}
	var err error
	if out.Where, err = b.Where.node("where"); err != nil {
		return out, err
	}
	var bad []*fault.Fault
	read := func(name string, texts []string) []id.ID {
		if texts == nil {
			return nil
		}
		ids := make([]id.ID, 0, len(texts))
		for i, t := range texts {
			v, err := id.Parse(o.Prefix, t)
			if err != nil {
				bad = append(bad, fault.InvalidField("api.bad_parameter", name+"."+strconv.Itoa(i), nil))
			}
			ids = append(ids, v)
		}
		return ids
	}
	out.IDs, out.Except = read("ids", b.IDs), read("except", b.Except)
	if f := fault.Join("api.invalid", bad); f != nil {
		return out, f
	}
	return out, nil
}

type bulkIn struct {
	Object string `path:"object"`
	Body   struct {
		bulkSet
		Action  string       `json:"action" enum:"edit,assign,delete,restore"`
		Changes []bulkChange `json:"changes,omitempty"`
		Owner   *string      `json:"owner,omitempty" doc:"of an assignment; null or absent for nobody"`
		Changed string       `json:"changed,omitempty" enum:"skip,apply" doc:"what becomes of records that somebody changes after the job was started"`
	}
}

type bulkChange struct {
	Field string    `json:"field"`
	Op    string    `json:"op" enum:"set,clear,add,remove,increase"`
	Value Condition `json:"value,omitempty"`
}

func (in *bulkIn) order(c *call) (*schema.Object, mass.Order, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return nil, mass.Order{}, err
	}
	out := mass.Order{Kind: mass.Kind(in.Body.Action), Object: o.Key, Changed: in.Body.Changed}
	if out.Kind == mass.Export {
		return nil, out, fault.InvalidField("mass.unknown_kind", "action", fault.Params{"action": in.Body.Action})
	}
	if out.Set, err = in.Body.set(o); err != nil {
		return nil, out, err
	}
	out.Set.Deleted = out.Kind == mass.Restore
	for _, ch := range in.Body.Changes {
		out.Changes = append(out.Changes, mass.Change{Field: ch.Field, Op: ch.Op, Value: json.RawMessage(ch.Value)})
	}
	if in.Body.Owner != nil && *in.Body.Owner != "" {
		if out.Owner, err = id.Parse(auth.UserPrefix, *in.Body.Owner); err != nil {
			return nil, out, fault.InvalidField("api.bad_parameter", "owner", nil)
		}
	}
	return o, out, nil
}

// Job is a piece of bulk work as the API shows it.
type Job struct {
	ID         string      `json:"id"`
	Kind       string      `json:"kind" enum:"edit,assign,delete,restore,export"`
	Object     string      `json:"object"`
	Status     string      `json:"status" enum:"collecting,running,done,failed,cancelled,undoing,undone"`
	Source     string      `json:"source" enum:"ids,filter,segment,all"`
	Segment    string      `json:"segment,omitempty"`
	Changes    []JobChange `json:"changes"`
	Owner      *Ref        `json:"owner"`
	Changed    string      `json:"changed" enum:"skip,apply"`
	File       *JobFile    `json:"file"`
	Progress   JobProgress `json:"progress"`
	Result     JobResult   `json:"result"`
	Error      *Problem    `json:"error"`
	CreatedBy  *Ref        `json:"created_by"`
	CreatedAt  time.Time   `json:"created_at"`
	StartedAt  *time.Time  `json:"started_at"`
	FinishedAt *time.Time  `json:"finished_at"`
	Mine       bool        `json:"mine"`
	Undoable   bool        `json:"undoable"`
	Resumable  bool        `json:"resumable"`
	Sample     []JobError  `json:"errors_sample"`
}

// JobProgress is how far a job has come.
type JobProgress mass.Progress

// JobResult sums up a job.
type JobResult mass.Result

// JobChange is one thing that an edit does.
type JobChange struct {
	Field string          `json:"field"`
	Op    string          `json:"op" enum:"set,clear,add,remove,increase"`
	Value json.RawMessage `json:"value"`
}

// JobFile is the file of an export.
type JobFile struct {
	Format       string     `json:"format" enum:"csv,xlsx,ndjson,parquet"`
	Encoding     string     `json:"encoding,omitempty" enum:"utf-8-bom,utf-8,gb18030"`
	Fields       []string   `json:"fields"`
	Downloadable bool       `json:"downloadable"`
	ExpiresAt    *time.Time `json:"expires_at"`
}

// JobError is what could not be done to a record.
type JobError struct {
	Record  Ref          `json:"record"`
	Field   string       `json:"field,omitempty"`
	Label   schema.Label `json:"label,omitempty"`
	Code    string       `json:"code"`
	Message string       `json:"message"`
}

// Jobs is a page of jobs, newest first.
type Jobs struct {
	Items      []*Job  `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a *API) showMass(ctx context.Context, c *call, j *mass.Job, sample bool) (*Job, error) {
	refs := []record.Ref{{Object: "user", ID: j.CreatedBy}, {Object: "user", ID: j.Spec.Owner}}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	out := &Job{ID: id.Format(mass.Prefix, j.ID), Kind: string(j.Kind), Object: j.Object, Status: string(j.Status), Source: j.Spec.Source, Segment: j.Spec.Segment,
		Changes: []JobChange{}, Changed: j.Spec.Changed, Progress: JobProgress(j.Progress), Result: JobResult(j.Result), CreatedAt: j.CreatedAt, StartedAt: instant(j.StartedAt),
		FinishedAt: instant(j.FinishedAt), Mine: j.ByKind == c.who.Actor.Kind && j.CreatedBy == c.who.Actor.ID, Undoable: j.Undoable(), Resumable: j.Resumable(), Sample: []JobError{}}
	if j.CreatedBy != 0 && j.ByKind == access.ByUser {
		out.CreatedBy = &Ref{ID: id.Format(auth.UserPrefix, j.CreatedBy), Title: refs[0].Title, Object: "user"}
	}
	if j.Spec.Owner != 0 {
		out.Owner = &Ref{ID: id.Format(auth.UserPrefix, j.Spec.Owner), Title: refs[1].Title, Object: "user"}
	}
	for _, ch := range j.Spec.Changes {
		v := ch.Value
		if len(v) == 0 {
			v = json.RawMessage("null")
		}
		out.Changes = append(out.Changes, JobChange{Field: ch.Field, Op: ch.Op, Value: v})
	}
	if f := j.Spec.File; f != nil {
		out.File = &JobFile{Format: string(f.Format), Encoding: f.Encoding, Fields: list(f.Fields), ExpiresAt: instant(j.ExpiresAt),
			Downloadable: out.Mine && j.Downloadable() && j.ExpiresAt.After(a.Clock.Now())}
	}
	if j.Error != nil {
		out.Error = a.problem(c.locale, j.Error)
	}
	if !sample || j.Result.Failed+j.Result.Skipped+j.Result.Kept+j.Result.Partly == 0 || j.Kind == mass.Export {
		return out, nil
	}
	reasons, err := c.ws.Mass.Reasons(ctx, j, 20)
	if err != nil {
		return nil, err
	}
	o := c.ws.Registry().Object(j.Object)
	for _, r := range reasons {
		e := JobError{Record: Ref{ID: id.Format(mass.Prefix, r.Record.ID), Title: r.Record.Title, Object: j.Object}, Code: r.Code, Message: r.Text}
		if o != nil {
			e.Record.ID = id.Format(o.Prefix, r.Record.ID)
		}
		if r.Field != nil {
			e.Field, e.Label = r.Field.Key, r.Field.Label
		}
		out.Sample = append(out.Sample, e)
	}
	return out, nil
}

// begun writes the trail of a job that was started and shows it.
func (a *API) begun(ctx context.Context, c *call, j *mass.Job, action string) (*Job, error) {
	out, err := a.showMass(ctx, c, j, true)
	if err != nil {
		return nil, err
	}
	detail := map[string]any{"job": out.ID, "source": out.Source}
	if j.Progress.Total > 0 {
		detail["records"] = j.Progress.Total
	}
	var fields []string
	for _, ch := range j.Spec.Changes {
		fields = append(fields, ch.Field)
	}
	if fields != nil {
		detail["fields"] = fields
	}
	if j.Spec.File != nil {
		detail["format"] = string(j.Spec.File.Format)
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, action, j.Object, 0, detail)
}

func (a *API) bulk(ctx context.Context, c *call, in bulkIn) (*Job, error) {
	_, order, err := in.order(c)
	if err != nil {
		return nil, err
	}
	a.settle(ctx, c)
	j, err := c.ws.Mass.Start(ctx, order)
	if err != nil {
		return nil, under(err, "where")
	}
	return a.begun(ctx, c, j, "bulk."+string(j.Kind))
}

// BulkPreview is what a bulk job would do.
type BulkPreview struct {
	Count int64            `json:"count"`
	Items []BulkPreviewRow `json:"items"`
}

// BulkPreviewRow is one record before and after; the members of before and after are the fields that are named.
type BulkPreviewRow struct {
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	Before map[string]any `json:"before"`
	After  map[string]any `json:"after"`
	Same   bool           `json:"same" doc:"nothing would change"`
	Error  *Problem       `json:"error"`
}

const previewRows = 8

func (a *API) previewBulk(ctx context.Context, c *call, in bulkIn) (BulkPreview, error) {
	o, order, err := in.order(c)
	if err != nil {
		return BulkPreview{}, err
	}
	a.settle(ctx, c)
	p, err := c.ws.Mass.Foresee(ctx, order, previewRows)
	if err != nil {
		return BulkPreview{}, under(err, "where")
	}
	env := c.ws.Records.Env(ctx)
	out := BulkPreview{Count: p.Count, Items: []BulkPreviewRow{}}
	for i := range p.Items {
		it := &p.Items[i]
		row := BulkPreviewRow{ID: id.Format(o.Prefix, it.ID), Title: it.Title, Before: map[string]any{}, After: map[string]any{}, Same: it.Same}
		for key, v := range it.After {
			f := o.Field(key)
			row.Before[key] = c.showValue(f, it.Values[key], it.Record.Titles, env)
			if m, ok := it.Masks[key]; ok {
				row.Before[key] = m
			}
			if it.Values[key] == nil && it.Masks[key] == "" {
				row.Before[key] = nil
			}
			if row.After[key] = nil; v != nil {
				row.After[key] = c.showValue(f, v, it.Titles, env)
			}
		}
		if it.Err != nil {
			row.Error = a.problem(c.locale, it.Err)
		}
		out.Items = append(out.Items, row)
	}
	return out, nil
}

type exportFile struct {
	Format   string   `json:"format" enum:"csv,xlsx,ndjson,parquet"`
	Encoding string   `json:"encoding,omitempty" enum:"utf-8-bom,utf-8,gb18030"`
	Fields   []string `json:"fields,omitempty" doc:"keys of fields, and of traits as trait.<key>; all fields when empty"`
}

func (f exportFile) file() *mass.File {
	return &mass.File{Format: sink.Format(f.Format), Encoding: f.Encoding, Fields: f.Fields}
}

type startExportIn struct {
	Object string `path:"object"`
	Body   struct {
		bulkSet
		exportFile
		Sort []schema.Sort `json:"sort,omitempty"`
		Name string        `json:"name,omitempty" doc:"of the file, without its ending"`
	}
}

func (a *API) startExport(ctx context.Context, c *call, in startExportIn) (*Job, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return nil, err
	}
	order := mass.Order{Kind: mass.Export, Object: o.Key, File: in.Body.file()}
	if order.Set, err = in.Body.set(o); err != nil {
		return nil, err
	}
	if len([]rune(in.Body.Name)) > 100 {
		return nil, fault.InvalidField("api.bad_parameter", "name", nil)
	}
	if err := c.maySort(o, in.Body.Sort); err != nil {
		return nil, err
	}
	order.Set.Sort, order.File.Name = in.Body.Sort, in.Body.Name
	a.settle(ctx, c)
	j, err := c.ws.Mass.Start(ctx, order)
	if err != nil {
		return nil, under(err, "where")
	}
	return a.begun(ctx, c, j, "record.export")
}

type listJobsIn struct {
	Kind   string `query:"kind" enum:"edit,assign,delete,restore,export"`
	Active bool   `query:"active"`
	All    bool   `query:"all"`
	Object string `query:"object"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit"`
}

func (a *API) listJobs(ctx context.Context, c *call, in listJobsIn) (Jobs, error) {
	f := mass.Filter{Kind: mass.Kind(in.Kind), Limit: limitOf(min(max(in.Limit, 0), 100), 50)}
	if in.Active {
		f.Statuses = []mass.Status{mass.Collecting, mass.Running, mass.Undoing}
	}
	if in.Cursor != "" {
		v, err := id.Parse(mass.Prefix, in.Cursor)
		if err != nil {
			return Jobs{}, fault.InvalidField("record.cursor_invalid", "cursor", nil)
		}
		f.Before = v
	}
	f.Limit++
	jobs, err := c.ws.Mass.List(ctx, f, in.All)
	if err != nil {
		return Jobs{}, err
	}
	out := Jobs{Items: []*Job{}}
	if len(jobs) == f.Limit {
		jobs = jobs[:f.Limit-1]
		next := id.Format(mass.Prefix, jobs[len(jobs)-1].ID)
		out.NextCursor = &next
	}
	for _, j := range jobs {
		v, err := a.showMass(ctx, c, j, false)
		if err != nil {
			return Jobs{}, err
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

func jobID(text string) (id.ID, error) {
	v, err := id.Parse(mass.Prefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "mass.not_found", nil)
	}
	return v, nil
}

func (a *API) getJob(ctx context.Context, c *call, in idIn) (*Job, error) {
	v, err := jobID(in.ID)
	if err != nil {
		return nil, err
	}
	j, err := c.ws.Mass.Get(ctx, v)
	if err != nil {
		return nil, err
	}
	return a.showMass(ctx, c, j, true)
}

// steer does something to a job and notes it.
func (a *API) steer(ctx context.Context, c *call, in idIn, action string, do func(context.Context, id.ID) (*mass.Job, error)) (*Job, error) {
	v, err := jobID(in.ID)
	if err != nil {
		return nil, err
	}
	j, err := do(ctx, v)
	if err != nil {
		return nil, err
	}
	out, err := a.showMass(ctx, c, j, true)
	if err != nil {
		return nil, err
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, action, j.Object, 0, map[string]any{"job": out.ID, "kind": out.Kind})
}

func (a *API) cancelJob(ctx context.Context, c *call, in idIn) (*Job, error) {
	return a.steer(ctx, c, in, "bulk.cancel", c.ws.Mass.Cancel)
}

func (a *API) resumeJob(ctx context.Context, c *call, in idIn) (*Job, error) {
	return a.steer(ctx, c, in, "bulk.resume", c.ws.Mass.Resume)
}

func (a *API) undoJob(ctx context.Context, c *call, in idIn) (*Job, error) {
	return a.steer(ctx, c, in, "bulk.undo", c.ws.Mass.Undo)
}

func (a *API) jobErrors(ctx context.Context, c *call, in idIn) (written, error) {
	v, err := jobID(in.ID)
	if err != nil {
		return written{}, err
	}
	if _, err := c.ws.Mass.Get(ctx, v); err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c.w.Header().Set("Content-Disposition", `attachment; filename="errors-`+in.ID+`.csv"`)
	if err := c.ws.Mass.Report(ctx, v, c.w); err != nil {
		a.Log.ErrorContext(ctx, "error file broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return written{}, nil
}

func (a *API) jobFile(ctx context.Context, c *call, in idIn) (written, error) {
	v, err := jobID(in.ID)
	if err != nil {
		return written{}, err
	}
	f, err := c.ws.Mass.Open(ctx, v)
	if err != nil {
		return written{}, err
	}
	defer f.Close()
	// The trail is written before the first byte leaves.
	if err := a.note(ctx, c, "export.download", map[string]any{"job": in.ID, "bytes": f.Size}); err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	h := c.w.Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(c.w, c.r, "", time.Time{}, f)
	return written{}, nil
}

package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// ImportPrefix is the prefix of printed import ids.
const ImportPrefix = "imp"

// Import is an uploaded file and how far it has come.
type Import struct {
	ID          string              `json:"id"`
	Object      string              `json:"object"`
	FileName    string              `json:"file_name"`
	Size        int64               `json:"size"`
	Status      string              `json:"status" enum:"uploaded,checking,checked,running,done,failed,cancelled,undoing,undone"`
	CreatedAt   time.Time           `json:"created_at"`
	CreatedBy   *Ref                `json:"created_by"`
	Format      source.Format       `json:"format"`
	Columns     []ImportColumn      `json:"columns"`
	Targets     []ImportTarget      `json:"targets"`
	Mapping     mapping.Mapping     `json:"mapping"`
	Preview     []map[string]string `json:"preview"`
	Warnings    []ImportWarning     `json:"warnings"`
	Progress    transfer.Progress   `json:"progress"`
	Result      *transfer.Result    `json:"result"`
	ErrorSample []ImportError       `json:"errors_sample"`
	LeftSample  []ImportError       `json:"skipped_sample"`
	MarkSample  []ImportError       `json:"marked_sample" doc:"imported, but may be duplicates"`
	Reasons     []ImportReason      `json:"reasons" doc:"why rows were not taken, or taken with a reserve, and how many"`
	Sheets      []string            `json:"sheets" doc:"of a workbook"`
	Head        []ImportHead        `json:"head" doc:"the first rows as they stand, to choose where the table begins"`
	Saved       *string             `json:"saved" doc:"the saved mapping in use"`
	RetryOf     *string             `json:"retry_of" doc:"the import whose rejected rows the file holds"`
	Error       *Problem            `json:"error"`
}

// ImportReason is one reason and the number of rows that have it.
type ImportReason struct {
	Code    string `json:"code"`
	Kind    string `json:"kind" enum:"errors,skipped,marked,no_rate"`
	Message string `json:"message"`
	Rows    int64  `json:"rows"`
}

// ImportHead is one of the first rows of a file.
type ImportHead struct {
	Row   int64    `json:"row"`
	Cells []string `json:"cells"`
}

// ImportColumn is a column of the file.
type ImportColumn struct {
	Name      string   `json:"name"`
	Samples   []string `json:"samples"`
	Reads     []string `json:"reads" doc:"what each sample is read as, empty where it is no value or not mapped"`
	Suggested *string  `json:"suggested"`
}

// ImportTarget is something a column can become.
type ImportTarget struct {
	Key      string       `json:"key"`
	Label    schema.Label `json:"label"`
	Group    schema.Label `json:"group"`
	Type     string       `json:"type"`
	Required bool         `json:"required"`
	Via      string       `json:"via,omitempty" doc:"the relation whose record is found by this field"`
	Match    bool         `json:"match" doc:"existing records can be found by it"`
}

// ImportWarning is something to look at before starting.
type ImportWarning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ImportError is a row that could not be imported.
type ImportError struct {
	Row     int64  `json:"row"`
	Column  string `json:"column"`
	Value   string `json:"value"`
	Message string `json:"message"`
	Code    string `json:"code"`
}

// Imports is a page of the list of imports, newest first.
type Imports struct {
	Items      []*Import `json:"items"`
	NextCursor *string   `json:"next_cursor"`
}

type listImportsIn struct {
	Object string `query:"object"`
	Status string `query:"status" doc:"one or several, parted by commas"`
	By     string `query:"by" doc:"who made it: an id, or me"`
	Q      string `query:"q" doc:"in the name of the file"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit"`
}

func (in listImportsIn) query(c *call) (transfer.JobQuery, error) {
	q := transfer.JobQuery{Object: in.Object, Text: in.Q, Limit: 100}
	if in.Limit != 0 {
		if q.Limit = in.Limit; in.Limit < 1 || in.Limit > 200 {
			return q, fault.InvalidField("api.bad_parameter", "limit", nil)
		}
	}
	for _, s := range strings.Split(in.Status, ",") {
		switch v := transfer.Status(s); v {
		case "":
		case transfer.Uploaded, transfer.Checking, transfer.Checked, transfer.Running, transfer.Done, transfer.Failed, transfer.Cancelled, transfer.Undoing, transfer.Undone:
			q.Statuses = append(q.Statuses, v)
		default:
			return q, fault.InvalidField("api.bad_parameter", "status", nil)
		}
	}
	var err error
	switch in.By {
	case "":
	case "me":
		q.By = c.who.Actor.ID
	default:
		if q.By, err = id.Parse(auth.UserPrefix, in.By); err != nil {
			return q, fault.InvalidField("api.bad_parameter", "by", nil)
		}
	}
	if in.Cursor != "" {
		if q.Before, err = id.Parse(ImportPrefix, in.Cursor); err != nil {
			return q, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	return q, nil
}

func (a *API) listImports(ctx context.Context, c *call, in listImportsIn) (Imports, error) {
	q, err := in.query(c)
	if err != nil {
		return Imports{}, err
	}
	jobs, err := c.ws.Imports.Find(ctx, q)
	if err != nil {
		return Imports{}, err
	}
	out := Imports{Items: []*Import{}}
	if len(jobs) == q.Limit {
		last := id.Format(ImportPrefix, jobs[len(jobs)-1].ID)
		out.NextCursor = &last
	}
	for _, j := range jobs {
		v, err := a.showJob(ctx, c, j)
		if err != nil {
			return Imports{}, err
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

type uploadIn struct {
	Form struct{} `multipart:"object"`
}

// upload streams the file part to the importer; the part "object" must come before it.
func (a *API) upload(ctx context.Context, c *call, _ uploadIn) (*Import, error) {
	return a.uploaded(ctx, c, func(object, name string, r io.Reader) (*Import, error) { return a.uploadFile(ctx, c, object, name, r) })
}

// uploaded reads the parts of an upload.
func (a *API) uploaded(_ context.Context, c *call, take func(object, name string, r io.Reader) (*Import, error)) (*Import, error) {
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, a.MaxUpload+bodyLimit)
	form, err := c.r.MultipartReader()
	if err != nil {
		return nil, fault.New(fault.Invalid, "api.content_type", nil)
	}
	object := ""
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, fault.InvalidField("record.required", "file", fault.Params{"field": "file"})
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "api.bad_request", nil)
		}
		switch part.FormName() {
		case "object":
			raw, err := io.ReadAll(io.LimitReader(part, 100))
			if err != nil {
				return nil, fault.New(fault.Invalid, "api.bad_request", nil)
			}
			object = string(raw)
		case "file":
			return take(object, part.FileName(), part)
		}
	}
}

func (a *API) uploadFile(ctx context.Context, c *call, object, name string, r io.Reader) (*Import, error) {
	o, err := c.object(object)
	if err != nil {
		return nil, fault.InvalidField("api.object_unknown", "object", fault.Params{"object": object})
	}
	if name, err = uploadName(name); err != nil {
		return nil, err
	}
	im, err := c.ws.Imports.Create(ctx, transfer.Upload{Object: o.Key, FileName: name, Body: r})
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fault.New(fault.TooLarge, "api.body_too_large", fault.Params{"limit_mb": a.MaxUpload >> 20})
	}
	if err != nil {
		return nil, err
	}
	v, err := a.showImport(ctx, c, im)
	if err != nil {
		return nil, err
	}
	return v, a.Auth.Note(ctx, c.who.Workspace.Key, "import.upload", o.Key, 0, map[string]any{"import": v.ID, "size": v.Size})
}

// uploadName is the name of an uploaded file without its folders.
func uploadName(name string) (string, error) {
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) || len(name) > 255 {
		return "", fault.InvalidField("api.bad_text", "file", nil)
	}
	return name, nil
}

func importID(text string) (id.ID, error) {
	v, err := id.Parse(ImportPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "import.not_found", nil)
	}
	return v, nil
}

func (a *API) getImport(ctx context.Context, c *call, in idIn) (*Import, error) {
	v, err := importID(in.ID)
	if err != nil {
		return nil, err
	}
	return a.freshImport(ctx, c, v)
}

func (a *API) freshImport(ctx context.Context, c *call, v id.ID) (*Import, error) {
	im, err := c.ws.Imports.Get(ctx, v)
	if err != nil {
		return nil, err
	}
	return a.showImport(ctx, c, im)
}

type mapImportIn struct {
	ID   string `path:"id"`
	Body struct {
		Mapping Condition `json:"mapping,omitempty"`
		Saved   string    `json:"saved,omitempty" doc:"a saved mapping to use instead"`
	}
}

func (a *API) mapImport(ctx context.Context, c *call, in mapImportIn) (*Import, error) {
	v, err := importID(in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Saved != "" {
		saved, err := savedID(in.Body.Saved)
		if err != nil {
			return nil, err
		}
		im, err := c.ws.Imports.UseMapping(ctx, v, saved)
		if err != nil {
			return nil, err
		}
		return a.showImport(ctx, c, im)
	}
	m, err := mapping.Parse(in.Body.Mapping)
	if err != nil {
		if f, ok := fault.Find(err); ok {
			return nil, relocate(f, "mapping")
		}
		return nil, err
	}
	im, err := c.ws.Imports.SetMapping(ctx, v, m)
	if err != nil {
		return nil, err
	}
	return a.showImport(ctx, c, im)
}

type startImportIn struct {
	ID   string `path:"id"`
	Body struct {
		DryRun bool `json:"dry_run,omitempty"`
	}
}

func (a *API) startImport(ctx context.Context, c *call, in startImportIn) (*Import, error) {
	v, err := importID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := c.ws.Imports.Start(ctx, v, in.Body.DryRun); err != nil {
		return nil, err
	}
	out, err := a.freshImport(ctx, c, v)
	if err != nil {
		return nil, err
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "import.start", out.Object, 0, map[string]any{"import": out.ID, "dry_run": in.Body.DryRun})
}

func (a *API) cancelImport(ctx context.Context, c *call, in idIn) (*Import, error) {
	v, err := importID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := c.ws.Imports.Cancel(ctx, v); err != nil {
		return nil, err
	}
	return a.freshImport(ctx, c, v)
}

func (a *API) undoImport(ctx context.Context, c *call, in idIn) (*Import, error) {
	v, err := importID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := c.ws.Imports.Undo(ctx, v); err != nil {
		return nil, err
	}
	out, err := a.freshImport(ctx, c, v)
	if err != nil {
		return nil, err
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "import.undo", out.Object, 0, map[string]any{"import": out.ID})
}

type importErrorsIn struct {
	ID   string `path:"id"`
	Kind string `query:"kind" enum:"errors,skipped,marked,no_rate"`
}

func (a *API) importErrors(ctx context.Context, c *call, in importErrorsIn) (written, error) {
	v, err := importID(in.ID)
	if err != nil {
		return written{}, err
	}
	if _, err := c.ws.Imports.Job(ctx, v); err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+cmp.Or(in.Kind, "errors")+`.csv"`)
	if err := c.ws.Imports.Report(ctx, v, transfer.Lines(in.Kind), c.w); err != nil {
		a.Log.ErrorContext(ctx, "error file broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return written{}, nil
}

// showJob shows an import without what its file holds.
func (a *API) showJob(ctx context.Context, c *call, j *transfer.Job) (*Import, error) {
	by := []record.Ref{{Object: "user", ID: j.CreatedBy}}
	if err := c.ws.Records.Titles(ctx, by); err != nil {
		return nil, err
	}
	out := &Import{ID: id.Format(ImportPrefix, j.ID), Object: j.Object, FileName: j.FileName, Size: j.Size, Status: string(j.Status), CreatedAt: j.CreatedAt,
		Format: j.Mapping.Format, Mapping: j.Mapping, Progress: j.Progress, Columns: []ImportColumn{}, Targets: []ImportTarget{}, Preview: []map[string]string{},
		Warnings: []ImportWarning{}, ErrorSample: []ImportError{}, LeftSample: []ImportError{}, MarkSample: []ImportError{}, Reasons: a.importReasons(c, j),
		Sheets: []string{}, Head: []ImportHead{}}
	if j.State.Saved != 0 {
		saved := id.Format(SavedMappingPrefix, j.State.Saved)
		out.Saved = &saved
	}
	if j.State.Retry != 0 {
		of := id.Format(ImportPrefix, j.State.Retry)
		out.RetryOf = &of
	}
	if j.CreatedBy != 0 {
		out.CreatedBy = &Ref{ID: id.Format(auth.UserPrefix, j.CreatedBy), Title: by[0].Title, Object: "user"}
	}
	if j.Status != transfer.Uploaded {
		out.Result = &j.Result
	}
	if j.Error != nil {
		out.Error = a.problem(c.locale, j.Error)
	}
	return out, nil
}

func (a *API) showImport(ctx context.Context, c *call, im *transfer.Import) (*Import, error) {
	out, err := a.showJob(ctx, c, im.Job)
	if err != nil {
		return nil, err
	}
	for _, k := range im.Columns {
		v := ImportColumn{Name: k.Name, Samples: list(k.Samples), Reads: list(k.Reads)}
		if k.Suggested != "" {
			v.Suggested = &k.Suggested
		}
		out.Columns = append(out.Columns, v)
	}
	for _, t := range im.Targets {
		v := ImportTarget{Key: t.Key, Label: t.Label, Group: t.Group, Required: t.Required, Via: t.Via}
		if t.Field != nil {
			v.Type, v.Match = string(t.Field.Type), t.Via == "" && t.Part == mapping.FieldPart && mapping.Matchable(t.Field)
		}
		out.Targets = append(out.Targets, v)
	}
	out.Preview = append(out.Preview, im.Preview...)
	for _, w := range im.Warnings {
		out.Warnings = append(out.Warnings, ImportWarning{Code: w.Code, Message: a.Words.Text(localeOf(c.locale), w.Code, w.Params)})
	}
	out.ErrorSample = a.importErrorsOf(c, im.Errors)
	out.LeftSample = a.importErrorsOf(c, im.LeftOut)
	out.MarkSample = a.importErrorsOf(c, im.Marked)
	out.Sheets = append(out.Sheets, im.Sheets...)
	for _, h := range im.Head {
		out.Head = append(out.Head, ImportHead{Row: h.Number, Cells: list(h.Cells)})
	}
	return out, nil
}

func (a *API) importErrorsOf(c *call, rows []transfer.RowError) []ImportError {
	out := make([]ImportError, 0, len(rows))
	for _, e := range rows {
		v := ImportError{Row: e.Row, Column: e.Column, Code: e.Code, Message: a.Words.Text(localeOf(c.locale), e.Code, e.Params)}
		if text, ok := e.Params["value"].(string); ok {
			v.Value = text
		}
		out = append(out, v)
	}
	return out
}

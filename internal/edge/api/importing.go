package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// SavedMappingPrefix is the prefix of printed ids of saved mappings.
const SavedMappingPrefix = "imap"

func (a *API) importingRoutes() []route {
	return []route{
		{method: get, path: "/imports/{id}/choices", need: right, right: access.ImportRun, run: op(a.importChoices), doc: "Texts of the columns that become choices, and their matches"},
		{method: get, path: "/imports/{id}/rejected", need: right, right: access.ImportRun, run: op(a.rejectedRows), doc: "The first rows that could not be imported, as they stand in the file", secret: true},
		{method: post, path: "/imports/{id}/retry", need: right, right: access.ImportRun, run: op(a.retryImport), doc: "Upload corrected rows of an import, to be imported with its mapping", status: http.StatusCreated, stream: true},
		{method: post, path: "/imports/{id}/saved", need: right, right: access.ImportRun, run: op(a.saveMapping), doc: "Save the mapping of an import by a name", status: http.StatusCreated},
		{method: get, path: "/import-mappings", need: right, right: access.ImportRun, run: op(a.savedMappings), doc: "Saved mappings of imports"},
		{method: patch, path: "/import-mappings/{id}", need: right, right: access.ImportRun, run: op(a.renameMapping), doc: "Give a saved mapping another name"},
		{method: del, path: "/import-mappings/{id}", need: right, right: access.ImportRun, run: op(a.deleteMapping), doc: "Delete a saved mapping"},
		{method: get, path: "/import-templates/{object}", need: right, right: access.ImportRun, run: op(a.importTemplate), doc: "A workbook to be filled in and imported", stream: true},
	}
}

func savedID(text string) (id.ID, error) {
	v, err := id.Parse(SavedMappingPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "import.saved_not_found", nil)
	}
	return v, nil
}

// ImportChoices are the texts of the columns that become choices.
type ImportChoices struct {
	Items   []ImportChoice `json:"items"`
	Partial bool           `json:"partial" doc:"the file has more rows than were looked at"`
}

// ImportChoice is a column that becomes a choice.
type ImportChoice struct {
	Target  string             `json:"target"`
	Object  string             `json:"object"`
	Field   string             `json:"field"`
	Label   schema.Label       `json:"label"`
	Column  string             `json:"column"`
	Options []schema.Option    `json:"options"`
	Texts   []ImportChoiceText `json:"texts"`
	More    bool               `json:"more"`
	Create  bool               `json:"create" doc:"options may be made"`
}

// ImportChoiceText is a text and the option it is matched with.
type ImportChoiceText struct {
	Text  string  `json:"text"`
	Count int64   `json:"count"`
	Match *string `json:"match" doc:"the key of an option, empty for no value, +Label for an option to be made; null while nothing fits"`
	Set   bool    `json:"set" doc:"the mapping says so"`
}

func (a *API) importChoices(ctx context.Context, c *call, in idIn) (ImportChoices, error) {
	v, err := importID(in.ID)
	if err != nil {
		return ImportChoices{}, err
	}
	list, partial, err := c.ws.Imports.Choices(ctx, v)
	if err != nil {
		return ImportChoices{}, err
	}
	out := ImportChoices{Items: []ImportChoice{}, Partial: partial}
	for _, l := range list {
		x := ImportChoice{Target: l.Target.Key, Object: l.Target.Object, Field: l.Target.Field.Key, Label: l.Target.Label, Column: l.Column,
			Options: []schema.Option{}, Texts: []ImportChoiceText{}, More: l.More, Create: c.who.Actor.Can(access.SchemaManage)}
		for _, o := range l.Target.Field.Options {
			if !o.Archived {
				x.Options = append(x.Options, o)
			}
		}
		for _, t := range l.Texts {
			y := ImportChoiceText{Text: t.Text, Count: t.Count, Set: t.Set}
			if t.Known {
				y.Match = &t.Match
			}
			x.Texts = append(x.Texts, y)
		}
		out.Items = append(out.Items, x)
	}
	return out, nil
}

// RejectedRows are rows that could not be imported.
type RejectedRows struct {
	Columns []string      `json:"columns"`
	Rows    []RejectedRow `json:"rows"`
	More    bool          `json:"more"`
}

// RejectedRow is a row as it stands in the file, with what is wrong.
type RejectedRow struct {
	Row    int64         `json:"row"`
	Cells  []string      `json:"cells"`
	Errors []ImportError `json:"errors"`
}

type rejectedIn struct {
	ID    string `path:"id"`
	Limit int    `query:"limit"`
}

func (a *API) rejectedRows(ctx context.Context, c *call, in rejectedIn) (RejectedRows, error) {
	v, err := importID(in.ID)
	if err != nil {
		return RejectedRows{}, err
	}
	columns, rows, more, err := c.ws.Imports.Rejected(ctx, v, cmp.Or(in.Limit, 100))
	if err != nil {
		return RejectedRows{}, err
	}
	out := RejectedRows{Columns: list(columns), Rows: []RejectedRow{}, More: more}
	for _, r := range rows {
		out.Rows = append(out.Rows, RejectedRow{Row: r.Row, Cells: list(r.Cells), Errors: a.importErrorsOf(c, r.Errors)})
	}
	return out, nil
}

type retryIn struct {
	ID   string   `path:"id"`
	Form struct{} `multipart:""`
}

func (a *API) retryImport(ctx context.Context, c *call, in retryIn) (*Import, error) {
	v, err := importID(in.ID)
	if err != nil {
		return nil, err
	}
	return a.uploaded(ctx, c, func(_, name string, r io.Reader) (*Import, error) {
		if name, err = uploadName(name); err != nil {
			return nil, err
		}
		im, err := c.ws.Imports.Retry(ctx, v, name, r)
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, fault.New(fault.TooLarge, "api.body_too_large", fault.Params{"limit_mb": a.MaxUpload >> 20})
		}
		if err != nil {
			return nil, err
		}
		out, err := a.showImport(ctx, c, im)
		if err != nil {
			return nil, err
		}
		return out, a.Auth.Note(ctx, c.who.Workspace.Key, "import.upload", out.Object, 0, map[string]any{"import": out.ID, "size": out.Size, "retry_of": in.ID})
	})
}

// SavedMapping is a mapping that was saved by name.
type SavedMapping struct {
	ID        string          `json:"id"`
	Object    string          `json:"object"`
	Name      string          `json:"name"`
	Mapping   mapping.Mapping `json:"mapping"`
	CreatedBy *Ref            `json:"created_by"`
	UpdatedAt time.Time       `json:"updated_at"`
	UsedAt    *time.Time      `json:"used_at"`
}

// SavedMappings are the saved mappings, by object and name.
type SavedMappings struct {
	Items []SavedMapping `json:"items"`
}

type savedMappingsIn struct {
	Object string `query:"object"`
}

func (a *API) showSaved(ctx context.Context, c *call, m transfer.SavedMapping) (SavedMapping, error) {
	by := []record.Ref{{Object: "user", ID: m.CreatedBy}}
	if err := c.ws.Records.Titles(ctx, by); err != nil {
		return SavedMapping{}, err
	}
	out := SavedMapping{ID: id.Format(SavedMappingPrefix, m.ID), Object: m.Object, Name: m.Name, Mapping: m.Mapping, UpdatedAt: m.UpdatedAt}
	if m.CreatedBy != 0 {
		out.CreatedBy = &Ref{ID: id.Format(auth.UserPrefix, m.CreatedBy), Title: by[0].Title, Object: "user"}
	}
	if !m.UsedAt.IsZero() {
		out.UsedAt = &m.UsedAt
	}
	return out, nil
}

func (a *API) savedMappings(ctx context.Context, c *call, in savedMappingsIn) (SavedMappings, error) {
	out := SavedMappings{Items: []SavedMapping{}}
	list, err := c.ws.Imports.Saved(ctx, in.Object)
	for _, m := range list {
		v, err := a.showSaved(ctx, c, m)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, v)
	}
	return out, err
}

type saveMappingIn struct {
	ID   string `path:"id"`
	Body struct {
		Name    string `json:"name"`
		Replace bool   `json:"replace,omitempty" doc:"take the place of one with this name"`
	}
}

func (a *API) saveMapping(ctx context.Context, c *call, in saveMappingIn) (SavedMapping, error) {
	v, err := importID(in.ID)
	if err != nil {
		return SavedMapping{}, err
	}
	m, err := c.ws.Imports.SaveMapping(ctx, v, in.Body.Name, in.Body.Replace)
	if err != nil {
		return SavedMapping{}, err
	}
	return a.showSaved(ctx, c, m)
}

type renameMappingIn struct {
	ID   string `path:"id"`
	Body struct {
		Name string `json:"name"`
	}
}

func (a *API) renameMapping(ctx context.Context, c *call, in renameMappingIn) (SavedMapping, error) {
	v, err := savedID(in.ID)
	if err != nil {
		return SavedMapping{}, err
	}
	m, err := c.ws.Imports.RenameMapping(ctx, v, in.Body.Name)
	if err != nil {
		return SavedMapping{}, err
	}
	return a.showSaved(ctx, c, m)
}

func (a *API) deleteMapping(ctx context.Context, c *call, in idIn) (empty, error) {
	v, err := savedID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Imports.DeleteMapping(ctx, v)
}

type templateIn struct {
	Object string `path:"object"`
}

func (a *API) importTemplate(ctx context.Context, c *call, in templateIn) (written, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return written{}, err
	}
	started := &lateHeader{call: c, name: o.Key + "-template.xlsx"}
	err = c.ws.Imports.Template(ctx, o.Key, started)
	if err != nil && started.begun {
		a.Log.ErrorContext(ctx, "template broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return written{}, err
}

// lateHeader begins an answer that is a workbook with its first byte, so that a fault before is still an answer of its own.
type lateHeader struct {
	call  *call
	name  string
	begun bool
}

func (l *lateHeader) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun, l.call.status = true, http.StatusOK
		l.call.w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		l.call.w.Header().Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
	}
	return l.call.w.Write(p)
}

// importReasons are the reasons of reported rows, those of most rows first.
func (a *API) importReasons(c *call, j *transfer.Job) []ImportReason {
	out := []ImportReason{}
	for _, code := range slices.Sorted(maps.Keys(j.Result.Reasons)) {
		key := "import.reason." + code
		words := a.Words.Text(localeOf(c.locale), key, nil)
		if words == key {
			words = a.Words.Text(localeOf(c.locale), "import.reason.other", nil)
		}
		out = append(out, ImportReason{Code: code, Kind: string(transfer.KindOf(code)), Message: words, Rows: j.Result.Reasons[code]})
	}
	slices.SortStableFunc(out, func(x, y ImportReason) int { return cmp.Compare(y.Rows, x.Rows) })
	return out
}

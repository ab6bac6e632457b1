package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// EventImportPrefix is the prefix of printed ids of imports of events.
const EventImportPrefix = "eim"

// EventHistory keeps the imports of events of before.
type EventHistory interface {
	Begin(ctx context.Context, source id.ID, file string) (model.Import, error)
	Get(ctx context.Context, key id.ID) (model.Import, error)
	List(ctx context.Context, limit int) ([]model.Import, error)
	Count(ctx context.Context, key id.ID, accepted, duplicate, rejected int64) error
	Finish(ctx context.Context, key id.ID) error
	// Undo has everything that an import brought taken away, in the background.
	Undo(ctx context.Context, key id.ID) error
}

// historyRoutes are the imports of events of before.
func (a *API) historyRoutes() []route {
	r := access.SourceManage
	return []route{
		{method: get, path: "/event-imports", need: right, right: r, run: op(a.eventImports), doc: "Imports of events of before, newest first"},
		{method: post, path: "/event-imports", need: right, right: r, run: op(a.beginEventImport), doc: "Begin an import of events, whose parts name it", status: http.StatusCreated},
		{method: post, path: "/event-imports/rows", need: right, right: r, run: op(a.eventRows), doc: "Read a workbook or a Parquet file as rows of JSON, the head first: a form with the part file", stream: true, secret: true},
		{method: get, path: "/event-imports/{id}", need: right, right: r, run: op(a.getEventImport), doc: "One import of events"},
		{method: post, path: "/event-imports/{id}/finish", need: right, right: r, run: op(a.finishEventImport), doc: "Say that everything of an import was sent"},
		{method: post, path: "/event-imports/{id}/undo", need: right, right: r, run: op(a.undoEventImport), doc: "Take everything that an import brought away: out of the inbox, files, analysis and traits"},
	}
}

// EventImport is a file of events of before that somebody brought in.
type EventImport struct {
	ID         string     `json:"id"`
	Source     string     `json:"source"`
	SourceName string     `json:"source_name" doc:"empty for one that was removed"`
	File       string     `json:"file_name"`
	State      string     `json:"state" enum:"open,done,undoing,undone" doc:"open: not everything was sent, or the sender went away"`
	Accepted   int64      `json:"accepted"`
	Duplicate  int64      `json:"duplicate" doc:"brought in before"`
	Rejected   int64      `json:"rejected"`
	At         time.Time  `json:"created_at"`
	By         *Ref       `json:"created_by"`
	UndoneAt   *time.Time `json:"undone_at"`
	UndoneBy   *Ref       `json:"undone_by"`
}

// EventImportList are imports of events.
type EventImportList struct {
	Items []EventImport `json:"items"`
}

const eventImportsShown = 100

func (c *call) showEventImports(ctx context.Context, list []model.Import) ([]EventImport, error) {
	sources, err := c.ws.Sources.List(ctx)
	if err != nil {
		return nil, err
	}
	names := map[id.ID]string{}
	for i := range sources {
		names[sources[i].ID] = sources[i].Name
	}
	var people []id.ID
	for i := range list {
		people = append(people, list[i].By, list[i].UndoneBy)
	}
	titles, err := c.userNames(ctx, people...)
	if err != nil {
		return nil, err
	}
	person := func(v id.ID) *Ref {
		if v == 0 {
			return nil
		}
		return &Ref{ID: id.Format("usr", v), Object: "user", Title: titles[record.Ref{Object: "user", ID: v}]}
	}
	out := make([]EventImport, len(list))
	for i := range list {
		v := &list[i]
		out[i] = EventImport{ID: id.Format(EventImportPrefix, v.ID), Source: id.Format(event.SourcePrefix, v.Source), SourceName: names[v.Source], File: v.File, State: string(v.State), Accepted: v.Accepted,
			Duplicate: v.Duplicate, Rejected: v.Rejected, At: time.UnixMilli(v.At).UTC(), By: person(v.By), UndoneBy: person(v.UndoneBy)}
		if v.UndoneAt != 0 {
			at := time.UnixMilli(v.UndoneAt).UTC()
			out[i].UndoneAt = &at
		}
	}
	return out, nil
}

func (c *call) eventImport(ctx context.Context, text string) (model.Import, error) {
	key, err := id.Parse(EventImportPrefix, text)
	if err != nil {
		return model.Import{}, fault.New(fault.NotFound, "event.import_not_found", nil)
	}
	return c.ws.History.Get(ctx, key)
}

// openImport is the import that events are part of, 0 for none.
func (c *call) openImport(ctx context.Context, text string, source id.ID) (id.ID, error) {
	if text == "" {
		return 0, nil
	}
	v, err := c.eventImport(ctx, text)
	if err != nil {
		return 0, err
	}
	if v.State != model.ImportOpen || v.Source != source {
		return 0, fault.New(fault.Conflict, "event.import_closed", nil)
	}
	return v.ID, nil
}

func (a *API) eventImports(ctx context.Context, c *call, _ struct{}) (EventImportList, error) {
	list, err := c.ws.History.List(ctx, eventImportsShown)
	if err != nil {
		return EventImportList{}, err
	}
	items, err := c.showEventImports(ctx, list)
	return EventImportList{Items: items}, err
}

func (c *call) shownEventImport(ctx context.Context, text string) (EventImport, error) {
	v, err := c.eventImport(ctx, text)
	if err != nil {
		return EventImport{}, err
	}
	list, err := c.showEventImports(ctx, []model.Import{v})
	if err != nil {
		return EventImport{}, err
	}
	return list[0], nil
}

type beginEventImportIn struct {
	Body struct {
		Source string `json:"source"`
		File   string `json:"file_name"`
	}
}

func (a *API) beginEventImport(ctx context.Context, c *call, in beginEventImportIn) (EventImport, error) {
	key, err := sourceID(in.Body.Source)
	if err != nil {
		return EventImport{}, err
	}
	s, err := c.ws.Sources.Get(ctx, key)
	if err != nil {
		return EventImport{}, err
	}
	name, err := uploadName(in.Body.File)
	if err != nil {
		return EventImport{}, err
	}
	v, err := c.ws.History.Begin(ctx, s.ID, name)
	if err != nil {
		return EventImport{}, err
	}
	return c.shownEventImport(ctx, id.Format(EventImportPrefix, v.ID))
}

func (a *API) getEventImport(ctx context.Context, c *call, in idIn) (EventImport, error) {
	return c.shownEventImport(ctx, in.ID)
}

func (a *API) finishEventImport(ctx context.Context, c *call, in idIn) (EventImport, error) {
	v, err := c.eventImport(ctx, in.ID)
	if err != nil {
		return EventImport{}, err
	}
	if err := c.ws.History.Finish(ctx, v.ID); err != nil {
		return EventImport{}, err
	}
	out, err := c.shownEventImport(ctx, in.ID)
	if err != nil || v.State != model.ImportOpen {
		return out, err
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "source.import", "", 0, map[string]any{"source": out.Source, "name": out.SourceName, "import": out.ID, "accepted": out.Accepted, "rejected": out.Rejected})
}

func (a *API) undoEventImport(ctx context.Context, c *call, in idIn) (EventImport, error) {
	v, err := c.eventImport(ctx, in.ID)
	if err != nil {
		return EventImport{}, err
	}
	if err := c.ws.History.Undo(ctx, v.ID); err != nil {
		return EventImport{}, err
	}
	out, err := c.shownEventImport(ctx, in.ID)
	if err != nil {
		return EventImport{}, err
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "source.import_undo", "", 0, map[string]any{"source": out.Source, "name": out.SourceName, "import": out.ID, "accepted": out.Accepted})
}

type eventRowsIn struct {
	Form struct{} `multipart:"file"`
}

// eventRows reads a file that a browser cannot: its rows come back as arrays of texts, one a line, the head first. Nothing is kept.
func (a *API) eventRows(_ context.Context, c *call, _ eventRowsIn) (written, error) {
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, a.MaxUpload+bodyLimit)
	parts, err := c.r.MultipartReader()
	if err != nil {
		return written{}, fault.New(fault.Invalid, "api.bad_request", nil)
	}
	part, err := parts.NextPart()
	if err != nil || part.FormName() != "file" {
		return written{}, fault.InvalidField("api.bad_parameter", "file", nil)
	}
	f, err := os.CreateTemp("", "guanxi-rows-*")
	if err != nil {
		return written{}, err
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	size, err := io.Copy(f, part)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return written{}, fault.New(fault.TooLarge, "api.body_too_large", fault.Params{"limit_mb": a.MaxUpload >> 20})
		}
		return written{}, err
	}
	rows, err := source.Open(sized{f, size}, source.Format{}, source.Limits{})
	if err != nil {
		return written{}, err
	}
	defer rows.Close()
	c.w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	return written{}, writeRows(c.w, rows)
}

// sized is a file with its size.
type sized struct {
	io.ReaderAt
	size int64
}

func (s sized) Size() int64 { return s.size }

// writeRows writes rows as lines of JSON. One that cannot be read is a line with its row number alone: {"row":7}.
func writeRows(w io.Writer, rows source.Reader) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rows.Columns()); err != nil {
		return err
	}
	for {
		r, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if r.Fault != nil {
			err = enc.Encode(map[string]int64{"row": r.Number})
		} else {
			cells := make([]string, len(r.Cells))
			for i, cell := range r.Cells {
				cells[i] = string(cell)
			}
			err = enc.Encode(cells)
		}
		if err != nil {
			return err
		}
		if b.Len() > 1<<16 {
			if _, err := w.Write(b.Bytes()); err != nil {
				return err
			}
			b.Reset()
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

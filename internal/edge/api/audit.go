package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// AuditEntry is one line of the audit trail.
type AuditEntry struct {
	ID       string         `json:"id"`
	At       time.Time      `json:"at"`
	Actor    Actor          `json:"actor"`
	Action   string         `json:"action"`
	Object   string         `json:"object,omitempty"`
	RecordID string         `json:"record_id,omitempty"`
	Detail   map[string]any `json:"detail"`
}

// Actor is who did something.
type Actor struct {
	Kind string `json:"kind" enum:"user,apikey,system,cli"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
}

// Audit is a page of the trail, newest first.
type Audit struct {
	Items      []AuditEntry `json:"items"`
	NextCursor *string      `json:"next_cursor"`
}

type auditIn struct {
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
	Actor  string `query:"actor"`
	Action string `query:"action"`
	Object string `query:"object"`
	Record string `query:"record"`
	From   string `query:"from"`
	To     string `query:"to"`
}

// trailFilter is what the trail is searched by. Days are of the workspace's time zone, both included.
type trailFilter struct {
	Actor  string `query:"actor"`
	Action string `query:"action"`
	Object string `query:"object"`
	Record string `query:"record"`
	From   string `query:"from"`
	To     string `query:"to"`
}

const entryPrefix = "aud"

func (a *API) audit(ctx context.Context, c *call, in auditIn) (Audit, error) {
	f, err := c.trail(trailFilter{in.Actor, in.Action, in.Object, in.Record, in.From, in.To})
	if err != nil {
		return Audit{}, err
	}
	f.Limit = limitOf(in.Limit, 50) + 1
	if in.Cursor != "" {
		if f.Before, err = id.Parse(entryPrefix, in.Cursor); err != nil {
			return Audit{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	es, err := a.Auth.Store.ListAudit(ctx, f)
	if err != nil {
		return Audit{}, err
	}
	out := Audit{Items: []AuditEntry{}}
	if len(es) == f.Limit {
		es = es[:f.Limit-1]
		next := id.Format(entryPrefix, es[len(es)-1].ID)
		out.NextCursor = &next
	}
	for i := range es {
		out.Items = append(out.Items, c.showEntry(&es[i]))
	}
	return out, nil
}

// trail reads what the trail is searched by.
func (c *call) trail(in trailFilter) (auth.EntryFilter, error) {
	f := auth.EntryFilter{Workspace: c.who.Workspace.Key, Action: in.Action, Object: in.Object}
	zone, err := time.LoadLocation(c.who.Workspace.Timezone)
	if err != nil {
		zone = time.UTC
	}
	bad := func(field string) (auth.EntryFilter, error) {
		return f, fault.InvalidField("api.bad_parameter", field, nil)
	}
	if in.Actor != "" {
		if _, f.Actor, err = id.ParseAny(in.Actor); err != nil {
			return bad("actor")
		}
	}
	if in.Record != "" {
		if _, f.Record, err = id.ParseAny(in.Record); err != nil {
			return bad("record")
		}
	}
	if in.From != "" {
		if f.From, err = time.ParseInLocation(time.DateOnly, in.From, zone); err != nil {
			return bad("from")
		}
	}
	if in.To != "" {
		if f.To, err = time.ParseInLocation(time.DateOnly, in.To, zone); err != nil {
			return bad("to")
		}
		f.To = f.To.AddDate(0, 0, 1)
	}
	return f, nil
}

func (c *call) showEntry(e *auth.Entry) AuditEntry {
	item := AuditEntry{ID: id.Format(entryPrefix, e.ID), At: e.At, Actor: showActor(e.ActorKind, e.ActorID, e.ActorName), Action: e.Action, Object: e.Object, Detail: e.Detail}
	if item.Detail == nil {
		item.Detail = map[string]any{}
	}
	if e.RecordID != 0 {
		item.RecordID = id.Format(c.prefixOf(e.Object), e.RecordID)
	}
	return item
}

// TrailCheck is what a walk along the chain of the trail found.
type TrailCheck struct {
	auth.TrailCheck
	EntryID string `json:"entry,omitempty"` // of the first break
}

type checkTrailIn struct {
	Head string `query:"head"`
}

// checkTrail walks along the chain of the whole instance's trail.
func (a *API) checkTrail(ctx context.Context, _ *call, in checkTrailIn) (TrailCheck, error) {
	r, err := a.Auth.CheckTrail(ctx, in.Head)
	out := TrailCheck{TrailCheck: r}
	if r.Entry != 0 {
		out.EntryID = id.Format(entryPrefix, r.Entry)
	}
	return out, err
}

// exportTrail streams what the filter finds as CSV, newest first. That it was taken out is an entry of the trail.
func (a *API) exportTrail(ctx context.Context, c *call, in trailFilter) (written, error) {
	f, err := c.trail(in)
	if err != nil {
		return written{}, err
	}
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "audit.export", "", 0, nil); err != nil {
		return written{}, err
	}
	c.status = http.StatusOK
	h := c.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="audit.csv"`)
	if err := a.writeTrail(ctx, c, f); err != nil {
		a.Log.ErrorContext(ctx, "export of the audit trail broke off", "error", err)
		panic(http.ErrAbortHandler) // the caller sees a broken transfer, not a short file
	}
	return written{}, nil
}

const trailPage = 1000

func (a *API) writeTrail(ctx context.Context, c *call, f auth.EntryFilter) error {
	if _, err := io.WriteString(c.w, "\ufeff"); err != nil { // spreadsheets take the file for UTF-8
		return err
	}
	w := csv.NewWriter(c.w)
	if err := w.Write([]string{"id", "at", "actor_kind", "actor_id", "actor", "action", "object", "record", "address", "detail"}); err != nil {
		return err
	}
	f.Limit = trailPage
	for {
		es, err := a.Auth.Store.ListAudit(ctx, f)
		if err != nil {
			return err
		}
		for i := range es {
			e := c.showEntry(&es[i])
			detail, err := json.Marshal(e.Detail)
			if err != nil {
				return err
			}
			row := []string{e.ID, e.At.Format(time.RFC3339Nano), e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.Action, e.Object, e.RecordID, es[i].Address, string(detail)}
			for n := range row {
				row[n] = sink.Disarm(row[n])
			}
			if err := w.Write(row); err != nil {
				return err
			}
		}
		if len(es) < f.Limit {
			w.Flush()
			return w.Error()
		}
		f.Before = es[len(es)-1].ID
	}
}

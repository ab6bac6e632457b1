package api

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/customer/event"
	"github.com/guanxi-crm/guanxi/internal/customer/tracking"
	model "github.com/guanxi-crm/guanxi/internal/model/event"
)

type importEventsIn struct {
	ID   string `path:"id"`
	Body struct {
		Events []json.RawMessage `json:"events" doc:"up to 2,500 messages of the Segment API, each with type and timestamp"`
		DryRun bool              `json:"dry_run,omitempty" doc:"say what would be refused, and keep nothing"`
		Import string            `json:"import,omitempty" doc:"the import that they are part of, which can be taken back as a whole"`
	}
}

// ImportedEvents is what became of events of before.
type ImportedEvents struct {
	Accepted  int            `json:"accepted"`
	Duplicate int            `json:"duplicate" doc:"of them, brought in before"`
	Rejected  []RefusedEvent `json:"rejected"`
}

// RefusedEvent is one that was not accepted; it is kept with its reason.
type RefusedEvent struct {
	Index   int    `json:"index"`
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

// importEvents brings in events of before through the door of a source, with their own times.
func (a *API) importEvents(ctx context.Context, c *call, in importEventsIn) (ImportedEvents, error) {
	out := ImportedEvents{Rejected: []RefusedEvent{}}
	key, err := sourceID(in.ID)
	if err != nil {
		return out, err
	}
	s, err := c.ws.Sources.Get(ctx, key)
	if err != nil {
		return out, err
	}
	dl := &event.Delivery{Source: s.ID, ReceivedAt: a.Clock.Now(), Zone: c.ws.Zone}
	if !s.Unlocated {
		dl.Locate = event.Locate
	}
	imported, err := c.openImport(ctx, in.Body.Import, s.ID)
	if err != nil {
		return out, err
	}
	items := event.History(in.Body.Events, dl)
	var results []event.Result
	if in.Body.DryRun {
		results = c.triedHistory(items)
	} else if results, err = c.ws.Behaviour.Take(ctx, s.ID, items, imported); err != nil {
		return out, err
	}
	for i, r := range results {
		if r.Fault != nil {
			out.Rejected = append(out.Rejected, RefusedEvent{Index: i, Code: r.Fault.Code, Field: r.Fault.Field, Message: c.words.Text(lang.Locale(c.locale), r.Fault.Code, r.Fault.Params)})
			continue
		}
		out.Accepted++
		if r.State == model.Duplicate {
			out.Duplicate++
		}
	}
	if in.Body.DryRun {
		return out, nil
	}
	if imported != 0 { // one note for all of it, at its end
		return out, c.ws.History.Count(ctx, imported, int64(out.Accepted-out.Duplicate), int64(out.Duplicate), int64(len(out.Rejected)))
	}
	return out, a.Auth.Note(ctx, c.who.Workspace.Key, "source.import", "", 0, map[string]any{"source": id.Format(event.SourcePrefix, s.ID), "name": s.Name, "accepted": out.Accepted, "rejected": len(out.Rejected)})
}

// triedHistory is what would become of events: those that are malformed or that the plan holds back are refused.
func (c *call) triedHistory(items []event.Item) []event.Result {
	out := make([]event.Result, len(items))
	for i := range items {
		it := &items[i]
		if out[i].Fault = it.Fault; it.Fault != nil {
			continue
		}
		out[i].State = model.Stored
		if act, found := c.ws.Tracking.Check(&it.Event); act == tracking.Quarantine {
			v := found[0]
			out[i].Fault = fault.InvalidField(v.Code, v.Property, fault.Params{"property": v.Property, "want": v.Want, "found": v.Found})
		}
	}
	return out
}

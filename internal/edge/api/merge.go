package api

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// MergePrefix begins the ids of merges.
const MergePrefix = "mrg"

func (a *API) mergeRoutes() []route {
	return append(append(append(a.duplicateRoutes(), a.identityRoutes()...), a.importingRoutes()...), []route{
		{method: post, path: "/records/{object}/merge", need: right, right: access.RecordMerge, run: op(a.merge), doc: "Make several records one"},
		{method: post, path: "/records/{object}/merge/preview", need: right, right: access.RecordMerge, run: op(a.previewMerge), doc: "What a merge would do", secret: true},
		{method: post, path: "/records/{object}/unmerge", need: right, right: access.RecordMerge, run: op(a.unmerge), doc: "Take a merge back"},
		{method: get, path: "/records/{object}/{id}/merges", need: right, right: access.RecordRead, run: op(a.listMerges), doc: "Merges of a record that can be taken back"},
	}...)
}

// mergeBody says what to merge and how. Of fields, the value is the id of the record whose value is taken, "united" for all values
// together, or {"value": …}; fields left out follow prefer.
type mergeBody struct {
	Survivor string                     `json:"survivor"`
	IDs      []string                   `json:"ids"`
	Version  int64                      `json:"version,omitempty"`
	Prefer   string                     `json:"prefer,omitempty" enum:"survivor,newest,complete"`
	Fields   map[string]json.RawMessage `json:"fields,omitempty"`
}

type mergeIn struct {
	Object string `path:"object"`
	Body   mergeBody
}

// MergeResult is what became of a merge or of its undoing.
type MergeResult struct {
	Merge    string   `json:"merge"`
	Record   *Record  `json:"record"`
	Moved    int      `json:"moved"`
	Total    int      `json:"total" doc:"records that point at another one now, or will"`
	Moving   bool     `json:"moving" doc:"the rest of them follows in the background"`
	Restored []string `json:"restored,omitempty"`
}

func (b *mergeBody) request(o *schema.Object, needsSurvivor bool) (req record.MergeRequest, err error) {
	req = record.MergeRequest{Object: o.Key, Version: b.Version, Prefer: record.Prefer(b.Prefer), Fields: map[string]record.MergeChoice{}}
	var bad []*fault.Fault
	switch req.Prefer {
	case "", record.PreferSurvivor, record.PreferNewest, record.PreferComplete:
	default:
		bad = append(bad, fault.InvalidField("api.bad_parameter", "prefer", nil))
	}
	if b.Survivor != "" || needsSurvivor {
		if req.Survivor, err = id.Parse(o.Prefix, b.Survivor); err != nil {
			bad = append(bad, fault.InvalidField("api.bad_parameter", "survivor", nil))
		}
	}
	for _, text := range b.IDs {
		v, err := id.Parse(o.Prefix, text)
		if err != nil {
			bad = append(bad, fault.InvalidField("api.bad_parameter", "ids", nil))
			break
		}
		req.Others = append(req.Others, v)
	}
	for key, raw := range b.Fields {
		choice, ok := mergeChoice(o, raw)
		if !ok {
			bad = append(bad, fault.InvalidField("api.bad_parameter", "fields."+key, nil))
		}
		req.Fields[key] = choice
	}
	if f := fault.Join("api.invalid", bad); f != nil {
		return req, f
	}
	return req, nil
}

func mergeChoice(o *schema.Object, raw json.RawMessage) (c record.MergeChoice, ok bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "united" {
			return record.MergeChoice{United: true}, true
		}
		v, err := id.Parse(o.Prefix, text)
		return record.MergeChoice{From: v}, err == nil
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&m) != nil || len(m) != 1 {
		return c, false
	}
	v, ok := m["value"]
	return record.MergeChoice{Value: v}, ok
}

func (a *API) merge(ctx context.Context, c *call, in mergeIn) (MergeResult, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return MergeResult{}, err
	}
	req, err := in.Body.request(o, true)
	if err != nil {
		return MergeResult{}, err
	}
	m, err := c.ws.Records.Merge(ctx, req)
	if err != nil {
		return MergeResult{}, err
	}
	return a.showMerged(ctx, c, o, m)
}

func (a *API) showMerged(ctx context.Context, c *call, o *schema.Object, m *record.Merged) (out MergeResult, err error) {
	a.wrote(c, m.Position)
	out = MergeResult{Merge: id.Format(MergePrefix, m.Merge), Moved: m.Moved, Total: max(m.Total, m.Moved), Moving: m.Moving}
	for _, v := range m.Restored {
		out.Restored = append(out.Restored, id.Format(o.Prefix, v))
	}
	out.Record, err = c.showRecord(ctx, o, m.Record)
	return out, err
}

// MergePreview is what a merge would do.
type MergePreview struct {
	Survivor string          `json:"survivor"`
	Records  []*Record       `json:"records"`
	Fields   []MergeField    `json:"fields"`
	Children []MergeChildren `json:"children"`
}

// MergeField is one field of the comparison; from is the id of the record whose value would be taken, "united", or "" for none.
type MergeField struct {
	Field   string `json:"field"`
	From    string `json:"from"`
	Differs bool   `json:"differs"`
	CanJoin bool   `json:"can_unite"`
}

// MergeChildren is how many records would move along.
type MergeChildren struct {
	Object string       `json:"object"`
	Via    string       `json:"via"`
	Label  schema.Label `json:"label"`
	Count  int          `json:"count"`
}

func (a *API) previewMerge(ctx context.Context, c *call, in mergeIn) (MergePreview, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return MergePreview{}, err
	}
	req, err := in.Body.request(o, false)
	if err != nil {
		return MergePreview{}, err
	}
	p, err := c.ws.Records.PlanMerge(ctx, req)
	if err != nil {
		return MergePreview{}, err
	}
	out := MergePreview{Survivor: id.Format(o.Prefix, p.Survivor), Fields: []MergeField{}, Children: []MergeChildren{}}
	for _, f := range p.Fields {
		m := MergeField{Field: f.Field, Differs: f.Differs, CanJoin: f.CanJoin}
		switch {
		case f.United:
			m.From = "united"
		case f.From != 0:
			m.From = id.Format(o.Prefix, f.From)
		}
		out.Fields = append(out.Fields, m)
	}
	for _, k := range p.Children {
		out.Children = append(out.Children, MergeChildren{Object: k.Object, Via: k.Field, Label: k.Label, Count: k.Count})
	}
	out.Records, err = c.showRecords(ctx, o, p.Records)
	return out, err
}

type unmergeIn struct {
	Object string `path:"object"`
	Body   struct {
		Merge string `json:"merge"`
	}
}

func (a *API) unmerge(ctx context.Context, c *call, in unmergeIn) (MergeResult, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return MergeResult{}, err
	}
	v, err := id.Parse(MergePrefix, in.Body.Merge)
	if err != nil {
		return MergeResult{}, fault.InvalidField("api.bad_parameter", "merge", nil)
	}
	m, err := c.ws.Records.Unmerge(ctx, o.Key, v)
	if err != nil {
		return MergeResult{}, err
	}
	return a.showMerged(ctx, c, o, m)
}

// Merges are the merges of a record that stand, newest first.
type Merges struct {
	Items []MergeEntry `json:"items"`
}

// MergeEntry is one merge.
type MergeEntry struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Actor  Actor     `json:"actor"`
	Merged []Ref     `json:"merged"`
	Moved  int       `json:"moved"`
	Total  int       `json:"total" doc:"records that will have moved at the end"`
	Moving bool      `json:"moving" doc:"records are still being moved in the background"`
	Stuck  int       `json:"stuck,omitempty" doc:"records that could not be moved, since two that may not be the same would be"`
}

func (a *API) listMerges(ctx context.Context, c *call, in recordIn) (Merges, error) {
	o, v, err := c.survivor(ctx, in)
	if err != nil {
		return Merges{}, err
	}
	rows, err := c.ws.Records.MergesOf(ctx, o.Key, v)
	if err != nil {
		return Merges{}, err
	}
	out := Merges{Items: []MergeEntry{}}
	for i := range rows {
		m := &rows[i]
		refs := []record.Ref{{Object: "user", ID: m.By}}
		for _, r := range m.Merged {
			refs = append(refs, record.Ref{Object: o.Key, ID: r})
		}
		if err := c.ws.Records.Titles(ctx, refs); err != nil {
			return Merges{}, err
		}
		e := MergeEntry{ID: id.Format(MergePrefix, m.ID), At: time.UnixMilli(m.At).UTC(), Actor: showActor(m.ByKind, m.By, refs[0].Title), Moved: m.Moved, Total: max(m.Total, m.Moved), Moving: m.Pending == record.MergeMoving, Stuck: m.Stuck,
			Merged: []Ref{}}
		for _, r := range refs[1:] {
			e.Merged = append(e.Merged, Ref{ID: id.Format(o.Prefix, r.ID), Title: r.Title, Object: o.Key})
		}
		out.Items = append(out.Items, e)
	}
	return out, nil
}

// survivor is find that follows a merged record to the one it is part of.
func (c *call) survivor(ctx context.Context, in recordIn) (*schema.Object, id.ID, error) {
	o, v, err := in.find(c)
	if err != nil {
		return nil, 0, err
	}
	into, merged, err := c.ws.Records.MergedInto(ctx, v)
	if merged {
		v = into
	}
	return o, v, err
}

// names joins the titles of records.
func names(refs []record.Ref) string {
	parts := make([]string, len(refs))
	for i, r := range refs {
		parts[i] = r.Title
	}
	return strings.Join(parts, ", ")
}

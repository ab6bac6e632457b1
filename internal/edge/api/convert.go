package api

import (
	"context"
	"encoding/csv"
	"net/http"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/metadata"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/reshape"
)

// convertRoutes are the change of a field's type, and what uses a field.
func (a *API) convertRoutes() []route {
	return []route{
		{method: get, path: "/objects/{object}/fields/{field}/uses", need: right, right: access.SchemaManage, run: op(a.uses), doc: "What could not be asked without a field"},
		{method: post, path: "/objects/{object}/fields/{field}/convert", need: right, right: access.SchemaManage, run: op(a.tryConversion), doc: "Find out which values convert to another type; nothing changes yet", status: http.StatusAccepted},
		{method: get, path: "/objects/{object}/works/{id}", need: right, right: access.SchemaManage, run: op(a.work), doc: "One long work, of a conversion with examples and what stands against it"},
		{method: post, path: "/objects/{object}/works/{id}/start", need: right, right: access.SchemaManage, run: op(a.startWork), doc: "Do a conversion that was tried", status: http.StatusAccepted},
		{method: post, path: "/objects/{object}/works/{id}/cancel", need: right, right: access.SchemaManage, run: op(a.cancelWork), doc: "Stop a conversion", status: http.StatusOK},
		{method: post, path: "/objects/{object}/works/{id}/undo", need: right, right: access.SchemaManage, run: op(a.undoWork), doc: "Take a conversion back; the values of before stand in the field again", status: http.StatusOK},
		{method: get, path: "/objects/{object}/works/{id}/left", need: right, right: access.ExportRun, run: op(a.leftOf), doc: "The records whose value does not convert, as CSV", stream: true},
	}
}

// FieldUse is something that names a field.
type FieldUse struct {
	Kind   string       `json:"kind" enum:"formula,rule,rollup,condition,unique,segment,classification,webhook,role,view"`
	Name   schema.Label `json:"name"`
	Object string       `json:"object,omitempty"`
	Key    string       `json:"key,omitempty"`
}

// FieldUses is everything that names a field.
type FieldUses struct {
	Items []FieldUse `json:"items"`
}

func showUses(list []metadata.Loss) []FieldUse {
	out := []FieldUse{}
	for _, l := range list {
		out = append(out, FieldUse{l.Kind, l.Name, l.Object, l.Key})
	}
	return out
}

func (a *API) uses(ctx context.Context, c *call, in fieldIn) (FieldUses, error) {
	list, err := c.ws.Uses(ctx, in.Object, in.Field, nil)
	return FieldUses{showUses(list)}, err
}

type convertIn struct {
	Object string `path:"object"`
	Field  string `path:"field"`
	Body   struct {
		Type      string          `json:"type"`
		Options   []schema.Option `json:"options,omitempty" doc:"of a choice; left out they are made of the values"`
		Scale     int             `json:"scale,omitempty"`
		Max       int             `json:"max,omitempty"`
		MaxLength int             `json:"max_length,omitempty"`
	}
}

func (a *API) tryConversion(ctx context.Context, c *call, in convertIn) (Work, error) {
	b := in.Body
	w, err := c.ws.Reshape.TryConversion(ctx, in.Object, in.Field, metadata.Conversion{Type: schema.Type(b.Type), Options: b.Options, Scale: b.Scale, Max: b.Max, MaxLength: b.MaxLength})
	if err != nil {
		return Work{}, err
	}
	return a.showWork(c, &w), nil
}

type workIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
}

func (c *call) workOf(ctx context.Context, in workIn) (reshape.Work, error) {
	v, err := id.Parse(reshape.Prefix, in.ID)
	if err != nil {
		return reshape.Work{}, fault.New(fault.NotFound, "reshape.unknown", nil)
	}
	w, err := c.ws.Reshape.Get(ctx, v)
	if err == nil && w.Object != in.Object {
		err = fault.New(fault.NotFound, "reshape.unknown", nil)
	}
	return w, err
}

// WorkDetail is a work with what can be said of a conversion.
type WorkDetail struct {
	Work
	Phase   string             `json:"phase,omitempty" enum:",reading,trying,filling"`
	From    string             `json:"from,omitempty" doc:"type of before"`
	To      *Field             `json:"to,omitempty" doc:"the field as it is to be"`
	Given   int64              `json:"given" doc:"records with a value"`
	Good    []ConversionSample `json:"good" doc:"examples of values that convert"`
	Bad     []ConversionSample `json:"bad" doc:"examples of values that do not"`
	Uses    []FieldUse         `json:"uses" doc:"what names the field"`
	Breaks  []FieldUse         `json:"breaks" doc:"what of that could not be asked any more: the conversion is refused while there is any"`
	Archive string             `json:"archive,omitempty" doc:"key of the archived field that keeps the values of before"`
}

// ConversionSample is a value with what becomes of it.
type ConversionSample struct {
	Record *Ref   `json:"record"`
	Before string `json:"before"`
	After  string `json:"after,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// examples is how many values of each sort are shown.
const examples = 8

func (a *API) work(ctx context.Context, c *call, in workIn) (WorkDetail, error) {
	w, err := c.workOf(ctx, in)
	if err != nil {
		return WorkDetail{}, err
	}
	out := WorkDetail{Work: a.showWork(c, &w), Good: []ConversionSample{}, Bad: []ConversionSample{}, Uses: []FieldUse{}, Breaks: []FieldUse{}}
	if w.Kind != reshape.Convert {
		return out, nil
	}
	cv, err := reshape.ConversionOf(&w)
	if err != nil {
		return out, err
	}
	to := showField(&cv.To, false)
	out.Phase, out.From, out.To, out.Given = string(cv.Phase), string(cv.From), &to, cv.Given
	if w.State == reshape.Done || w.State == reshape.Undone {
		out.Archive = cv.Staging
	}
	if w.State != reshape.Checked {
		return out, nil
	}
	lost, err := c.ws.Uses(ctx, w.Object, w.Target, nil)
	if err != nil {
		return out, err
	}
	breaks, err := c.ws.Uses(ctx, w.Object, w.Target, &cv.To)
	if err != nil {
		return out, err
	}
	out.Uses, out.Breaks = showUses(lost), showUses(breaks)
	return out, a.samples(ctx, c, &w, &cv, &out)
}

// samples adds examples of both sorts.
func (a *API) samples(ctx context.Context, c *call, w *reshape.Work, cv *reshape.Conversion, out *WorkDetail) error {
	o, err := c.object(w.Object)
	if err != nil {
		return err
	}
	left, err := c.ws.Reshape.Left(ctx, w.ID, 0, examples)
	if err != nil {
		return err
	}
	ids := make([]id.ID, len(left))
	for i, l := range left {
		ids[i] = l.Record
	}
	first, err := c.ws.Records.ConversionSamples(ctx, w.Object, w.Target, record.Into{Field: &cv.To, Locale: cv.Locale}, nil)
	if err != nil {
		return err
	}
	bad, err := c.ws.Records.ConversionSamples(ctx, w.Object, w.Target, record.Into{Field: &cv.To, Locale: cv.Locale}, ids)
	if err != nil {
		return err
	}
	var named []reshape.Left
	for _, s := range append(bad, first...) {
		named = append(named, reshape.Left{Record: s.Record})
	}
	refs, err := c.refsOf(ctx, o, named[:min(len(named), 200)])
	if err != nil {
		return err
	}
	show := func(s record.Sample) ConversionSample {
		x := ConversionSample{Record: refs[s.Record], Before: s.Before, After: s.After}
		if s.Bad != nil {
			x.Reason = a.Words.Text(localeOf(c.locale), s.Bad.Code, s.Bad.Params)
		}
		return x
	}
	for _, s := range bad {
		if s.Bad != nil {
			out.Bad = append(out.Bad, show(s))
		}
	}
	seen := map[string]bool{}
	for _, s := range first {
		if s.Bad == nil && !seen[s.Before] && len(out.Good) < examples {
			seen[s.Before] = true
			out.Good = append(out.Good, show(s))
		}
	}
	return nil
}

// moveWork puts a work into another state.
func (a *API) moveWork(ctx context.Context, c *call, in workIn, do func(context.Context, id.ID) (reshape.Work, error)) (Work, error) {
	w, err := c.workOf(ctx, in)
	if err == nil {
		w, err = do(ctx, w.ID)
	}
	if err != nil {
		return Work{}, err
	}
	return a.showWork(c, &w), nil
}

func (a *API) startWork(ctx context.Context, c *call, in workIn) (Work, error) {
	w, err := c.workOf(ctx, in)
	if err != nil {
		return Work{}, err
	}
	cv, err := reshape.ConversionOf(&w)
	if err != nil {
		return Work{}, err
	}
	breaks, err := c.ws.Uses(ctx, w.Object, w.Target, &cv.To)
	if err != nil {
		return Work{}, err
	}
	if len(breaks) > 0 {
		return Work{}, fault.New(fault.Conflict, "reshape.breaks", fault.Params{"name": breaks[0].Name, "count": len(breaks)})
	}
	return a.moveWork(ctx, c, in, c.ws.Reshape.Start)
}

func (a *API) cancelWork(ctx context.Context, c *call, in workIn) (Work, error) {
	return a.moveWork(ctx, c, in, c.ws.Reshape.Cancel)
}

func (a *API) undoWork(ctx context.Context, c *call, in workIn) (Work, error) {
	return a.moveWork(ctx, c, in, c.ws.Reshape.Undo)
}

// leftOf writes the records whose value does not convert: id, title and, as long as the field has it, the value.
func (a *API) leftOf(ctx context.Context, c *call, in workIn) (written, error) {
	w, err := c.workOf(ctx, in)
	if err != nil {
		return written{}, err
	}
	cv, err := reshape.ConversionOf(&w)
	if err != nil {
		return written{}, err
	}
	o, err := c.object(w.Object)
	if err != nil {
		return written{}, err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+w.Target+`-left.csv"`)
	c.status = http.StatusOK
	out := csv.NewWriter(c.w)
	_, _ = c.w.Write([]byte("\ufeff"))
	_ = out.Write([]string{"id", "title", "value", "reason"})
	for after := id.ID(0); ; {
		left, err := c.ws.Reshape.Left(ctx, w.ID, after, 500)
		if err != nil || len(left) == 0 {
			out.Flush()
			return written{}, err
		}
		ids := make([]id.ID, len(left))
		for i, l := range left {
			ids[i] = l.Record
		}
		after = ids[len(ids)-1]
		found, err := c.ws.Records.ExportMany(ctx, o.Key, ids, []string{})
		if err != nil {
			return written{}, err
		}
		values := map[id.ID]record.Sample{}
		if w.State == reshape.Checked {
			samples, err := c.ws.Records.ConversionSamples(ctx, o.Key, w.Target, record.Into{Field: &cv.To, Locale: cv.Locale}, ids)
			if err != nil {
				return written{}, err
			}
			for _, s := range samples {
				values[s.Record] = s
			}
		}
		for _, r := range found {
			reason := ""
			if bad := values[r.ID].Bad; bad != nil {
				reason = a.Words.Text(localeOf(c.locale), bad.Code, bad.Params)
			}
			_ = out.Write([]string{id.Format(o.Prefix, r.ID), safeCell(r.Title), safeCell(values[r.ID].Before), reason})
		}
	}
}

// safeCell keeps a program that opens the file from taking a text for a formula.
func safeCell(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@') {
		return "'" + s
	}
	return s
}

package api

import (
	"context"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/stage"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// stageRoutes are the stages of objects, and where records stand.
func (a *API) stageRoutes() []route {
	r, m := access.RecordRead, access.SchemaManage
	return []route{
		{method: get, path: "/stages", need: right, right: r, run: op(a.listStages), doc: "Stage processes of all objects"},
		{method: patch, path: "/stages/{object}", need: right, right: m, run: op(a.saveStages), doc: "Replace the stage process of an object; records that are under way go on in the version they entered their stage with"},
		{method: del, path: "/stages/{object}", need: right, right: m, run: op(a.deleteStages), doc: "Take a stage process out of use"},
		{method: get, path: "/stages/{object}/report", need: right, right: access.ReportRead, run: op(a.stageReport), doc: "How records went through the stages"},
		{method: get, path: "/stages/{object}/records", need: right, right: access.ReportRead, run: op(a.stagePassages), doc: "The records behind a figure of a stage report, newest first"},
		{method: get, path: "/records/{object}/{id}/stages", need: right, right: r, run: op(a.recordStages), doc: "The way of a record through its stages"},
	}
}

// StageProcess is the stages of an object.
type StageProcess struct {
	Object  string       `json:"object"`
	Version int64        `json:"version"`
	Spec    stage.Course `json:"spec"`
}

// StageProcesses are those of all objects.
type StageProcesses struct {
	Items []StageProcess `json:"items"`
}

func showStages(p stage.Process) StageProcess {
	return StageProcess{Object: p.Object, Version: p.Version, Spec: p.Course}
}

func (a *API) listStages(ctx context.Context, c *call, _ struct{}) (StageProcesses, error) {
	list, err := c.ws.Stages.Processes(ctx)
	out := StageProcesses{Items: []StageProcess{}}
	for _, p := range list {
		if c.who.Actor.May(p.Object, access.Read) {
			out.Items = append(out.Items, showStages(p))
		}
	}
	return out, err
}

type saveStagesIn struct {
	Object string `path:"object"`
	Body   struct {
		Version int64        `json:"version"`
		Spec    stage.Course `json:"spec"`
	}
}

func (a *API) saveStages(ctx context.Context, c *call, in saveStagesIn) (StageProcess, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return StageProcess{}, err
	}
	p, err := c.ws.Stages.Save(ctx, o.Key, in.Body.Version, in.Body.Spec)
	return showStages(p), err
}

type deleteStagesIn struct {
	Object  string `path:"object"`
	Version int64  `query:"version"`
}

func (a *API) deleteStages(ctx context.Context, c *call, in deleteStagesIn) (empty, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Stages.Remove(ctx, o.Key, in.Version)
}

// StageStay is a record's time in a stage.
type StageStay struct {
	Stage     string     `json:"stage"`
	EnteredAt time.Time  `json:"entered_at"`
	LeftAt    *time.Time `json:"left_at"`
	Actor     *Actor     `json:"actor"`
	DueAt     *time.Time `json:"due_at" doc:"when it moves on by itself"`
}

// RecordStages is where a record stands.
type RecordStages struct {
	Process *StageProcess `json:"process" doc:"the version that the record goes by; null for an object without stages"`
	Stays   []StageStay   `json:"stays" doc:"oldest first"`
}

func (a *API) recordStages(ctx context.Context, c *call, in recordIn) (RecordStages, error) {
	out := RecordStages{Stays: []StageStay{}}
	o, v, err := in.find(c)
	if err != nil {
		return out, err
	}
	p, found, err := c.ws.Stages.Path(ctx, o.Key, v)
	if err != nil || !found || access.From(ctx).Field(o.Key, p.Process.Field) == access.FieldHidden {
		return out, err
	}
	shown := showStages(p.Process)
	out.Process = &shown
	people := make([]id.ID, len(p.Stays))
	for i := range p.Stays {
		people[i] = p.Stays[i].By
	}
	names, err := c.userNames(ctx, people...)
	if err != nil {
		return out, err
	}
	for _, s := range p.Stays {
		v := StageStay{Stage: s.Stage, EnteredAt: s.Entered, LeftAt: optional(s.Left), DueAt: optional(s.Due)}
		if s.ByKind != "" {
			who := c.actor(s.ByKind, s.By, names)
			v.Actor = &who
		}
		out.Stays = append(out.Stays, v)
	}
	return out, nil
}

// StageFigures are those of one stage in a report: records that the caller sees, each once. GET /stages/{object}/records lists them.
type StageFigures struct {
	Stage         string     `json:"stage"`
	Now           int        `json:"now" doc:"there at present"`
	Entered       int        `json:"entered" doc:"entered in the span"`
	Still         int        `json:"still" doc:"of these, have not left"`
	Ways          []StageWay `json:"ways" doc:"of these, where they went"`
	Advanced      int        `json:"advanced" doc:"of these, went on to a later stage"`
	Lost          int        `json:"lost" doc:"of these, went to a lost stage"`
	Ended         int        `json:"ended"`
	MedianSeconds int64      `json:"median_seconds" doc:"of the times in it that ended"`
	Stuck         int        `json:"stuck" doc:"there longer than the goal"`
}

// StageWay is how many records left a stage for another one, "" for none.
type StageWay struct {
	To    string `json:"to"`
	Count int    `json:"count"`
}

// StageReport is how records went through the stages.
type StageReport struct {
	Process StageProcess   `json:"process"`
	From    time.Time      `json:"from"`
	To      time.Time      `json:"to"`
	Partial bool           `json:"partial" doc:"there was more than was looked at"`
	Stages  []StageFigures `json:"stages"`
}

type stageReportIn struct {
	Object string `path:"object"`
	Days   int    `query:"days"`
}

const reportDays = 3650

func (a *API) stageReport(ctx context.Context, c *call, in stageReportIn) (StageReport, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return StageReport{}, err
	}
	if in.Days == 0 {
		in.Days = 90
	}
	if in.Days < 1 || in.Days > reportDays {
		return StageReport{}, fault.InvalidField("api.bad_parameter", "days", nil)
	}
	to := a.Clock.Now().UTC()
	from := to.AddDate(0, 0, -in.Days)
	r, err := c.ws.Stages.Report(ctx, o.Key, from, to)
	if err != nil {
		return StageReport{}, err
	}
	if access.From(ctx).Field(o.Key, r.Process.Field) == access.FieldHidden {
		return StageReport{}, fault.New(fault.NotFound, "stage.unknown", nil)
	}
	out := StageReport{Process: showStages(r.Process), From: from, To: to, Partial: r.Partial, Stages: []StageFigures{}}
	for _, f := range r.Stages {
		v := StageFigures{Stage: f.Stage, Now: f.Now, Entered: f.Entered, Advanced: f.Advanced, Lost: f.Lost, Ended: f.Ended, MedianSeconds: f.Median, Stuck: f.Stuck, Still: f.Still,
			Ways: []StageWay{}}
		for _, w := range f.Ways {
			v.Ways = append(v.Ways, StageWay(w))
		}
		out.Stages = append(out.Stages, v)
	}
	return out, nil
}

// StagePassages is a page of the records behind a figure.
type StagePassages struct {
	Items []StagePassage `json:"items"`
	Total int            `json:"total"`
}

// StagePassage is a record's last time in a stage, of those that count.
type StagePassage struct {
	Record    Ref        `json:"record"`
	EnteredAt time.Time  `json:"entered_at"`
	LeftAt    *time.Time `json:"left_at"`
	Next      string     `json:"next,omitempty" doc:"the stage that it went to"`
}

type stagePassagesIn struct {
	Object string `path:"object"`
	Stage  string `query:"stage"`
	Figure string `query:"figure" enum:"entered,still,advanced,lost,way,stuck"`
	To     string `query:"to" doc:"of way: the stage that they went to"`
	From   string `query:"from" doc:"from and until are those of the report"`
	Until  string `query:"until"`
	Offset int    `query:"offset"`
	Limit  int    `query:"limit"`
}

func (in *stagePassagesIn) behind() (b stage.Behind, err error) {
	wrong := func(name string) error { return fault.InvalidField("api.bad_parameter", name, nil) }
	b = stage.Behind{Stage: in.Stage, Figure: stage.Figure(in.Figure), To: in.To, Offset: in.Offset, Limit: in.Limit}
	if !slices.Contains(stage.ListedFigures(), b.Figure) {
		return b, wrong("figure")
	}
	if b.Figure != stage.FigureStuck {
		if b.From, err = time.Parse(time.RFC3339, in.From); err != nil {
			return b, wrong("from")
		}
		if b.Until, err = time.Parse(time.RFC3339, in.Until); err != nil {
			return b, wrong("until")
		}
	}
	if b.Limit == 0 {
		b.Limit = 50
	}
	if b.Limit < 1 || b.Limit > record.MaxLimit {
		return b, wrong("limit")
	}
	if b.Offset < 0 {
		return b, wrong("offset")
	}
	return b, nil
}

func (a *API) stagePassages(ctx context.Context, c *call, in stagePassagesIn) (StagePassages, error) {
	o, err := c.object(in.Object)
	if err != nil {
		return StagePassages{}, err
	}
	b, err := in.behind()
	if err != nil {
		return StagePassages{}, err
	}
	p, found, err := c.ws.Stages.Process(ctx, o.Key)
	if err == nil && (!found || access.From(ctx).Field(o.Key, p.Field) == access.FieldHidden) {
		err = fault.New(fault.NotFound, "stage.unknown", nil)
	}
	if err != nil {
		return StagePassages{}, err
	}
	list, total, err := c.ws.Stages.Passages(ctx, o.Key, b)
	if err != nil {
		return StagePassages{}, err
	}
	refs := make([]record.Ref, len(list))
	for i := range list {
		refs[i] = record.Ref{Object: o.Key, ID: list[i].Record}
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return StagePassages{}, err
	}
	out := StagePassages{Items: []StagePassage{}, Total: total}
	for i := range list {
		v := StagePassage{Record: Ref{ID: id.Format(o.Prefix, refs[i].ID), Title: refs[i].Title, Object: o.Key}, EnteredAt: list[i].Entered, Next: list[i].Next}
		if !list[i].Left.IsZero() {
			left := list[i].Left
			v.LeftAt = &left
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/stage"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// stageRoutes are the stages of objects, and where records stand.
func (a *API) stageRoutes() []route {
	r, m := access.RecordRead, access.SchemaManage
	return []route{
		{method: get, path: "/stages", need: right, right: r, run: op(a.listStages), doc: "Stage processes of all objects"},
		{method: patch, path: "/stages/{object}", need: right, right: m, run: op(a.saveStages), doc: "Replace the stage process of an object; records that are under way go on in the version they entered their stage with"},
		{method: del, path: "/stages/{object}", need: right, right: m, run: op(a.deleteStages), doc: "Take a stage process out of use"},
		{method: get, path: "/stages/{object}/report", need: right, right: access.ReportRead, run: op(a.stageReport), doc: "How records went through the stages"},
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

// StageFigures are those of one stage in a report.
type StageFigures struct {
	Stage         string   `json:"stage"`
	Now           int      `json:"now" doc:"records that the caller sees there"`
	Entered       int      `json:"entered" doc:"times it was entered in the span"`
	Advanced      int      `json:"advanced" doc:"of these, went on to a later stage"`
	Lost          int      `json:"lost" doc:"of these, went to a lost stage"`
	Ended         int      `json:"ended"`
	MedianSeconds int64    `json:"median_seconds" doc:"of the times in it that ended"`
	Stuck         []string `json:"stuck" doc:"records there longer than the goal, longest first, 500 at most"`
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
		v := StageFigures{Stage: f.Stage, Now: f.Now, Entered: f.Entered, Advanced: f.Advanced, Lost: f.Lost, Ended: f.Ended, MedianSeconds: f.Median, Stuck: []string{}}
		for _, x := range f.IDs {
			v.Stuck = append(v.Stuck, id.Format(o.Prefix, x))
		}
		out.Stages = append(out.Stages, v)
	}
	return out, nil
}

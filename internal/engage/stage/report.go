package stage

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// reportMost is how many stays a report looks at; Partial says that there were more.
const reportMost = 200_000

// Report is how records went through the stages in a span.
type Report struct {
	Process Process
	Partial bool
	Stages  []Figures
}

// Figures are those of one stage. Medians are over stays that ended, in seconds.
type Figures struct {
	Stage    string
	Now      int // records that the actor sees there
	Entered  int // stays that began in the span
	Advanced int // of these, went on to a later stage that is not lost
	Lost     int // of these, went to a lost stage
	Ended    int
	Median   int64
	Stuck    int // records that the actor sees there longer than the goal
	IDs      []id.ID
}

// Report works out a report. The counts of now and of what is stuck are those of records that the actor sees; the others are of the
// whole workspace and need the right to its figures.
func (s *Service) Report(ctx context.Context, object string, from, to time.Time) (Report, error) {
	if !access.From(ctx).Can(access.ReportRead) {
		return Report{}, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.ReportRead)})
	}
	p, found, err := s.Process(ctx, object)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "stage.unknown", nil)
	}
	if err != nil {
		return Report{}, err
	}
	stays, err := s.cfg.Store.Between(ctx, object, from, to, reportMost+1)
	if err != nil {
		return Report{}, err
	}
	out := Report{Process: p, Partial: len(stays) > reportMost}
	place := map[string]int{}
	lost := map[string]bool{}
	for i := range p.Stages {
		place[p.Stages[i].Key] = i
		lost[p.Stages[i].Key] = p.Stages[i].Kind == Lost
		out.Stages = append(out.Stages, Figures{Stage: p.Stages[i].Key})
	}
	spans := make([][]int64, len(out.Stages))
	for i := range stays[:min(len(stays), reportMost)] {
		st := &stays[i]
		at, ok := place[st.Stage]
		if !ok {
			continue
		}
		f := &out.Stages[at]
		f.Entered++
		if st.Left.IsZero() {
			continue
		}
		f.Ended++
		spans[at] = append(spans[at], int64(st.Left.Sub(st.Entered)/time.Second))
		next, known := place[st.Next]
		switch {
		case known && lost[st.Next]:
			f.Lost++
		case known && next > at:
			f.Advanced++
		}
	}
	for i := range out.Stages {
		f := &out.Stages[i]
		f.Median = median(spans[i])
		if f.Now, err = s.count(ctx, p, f.Stage); err != nil {
			return Report{}, err
		}
		if days := p.Stages[i].Days; days > 0 {
			if f.IDs, err = s.stuck(ctx, p, f.Stage, s.cfg.Clock.Now().AddDate(0, 0, -days)); err != nil {
				return Report{}, err
			}
			f.Stuck = len(f.IDs)
		}
	}
	return out, nil
}

func (s *Service) count(ctx context.Context, p Process, stage string) (int, error) {
	raw, err := json.Marshal(stage)
	if err != nil {
		return 0, err
	}
	n, _, err := s.cfg.Records.Count(ctx, p.Object, &query.Node{Field: p.Field, Op: "=", Value: raw}, "", true)
	return n, err
}

// stuckMost is how many stuck records are told of at most.
const stuckMost = 500

// stuck are the records that the actor sees and that entered a stage before an instant and are still there, longest first.
func (s *Service) stuck(ctx context.Context, p Process, stage string, before time.Time) ([]id.ID, error) {
	ids, err := s.cfg.Store.Stuck(ctx, p.Object, stage, before, stuckMost)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	list, err := s.cfg.Records.GetMany(ctx, p.Object, ids, []string{p.Field})
	if err != nil {
		return nil, err
	}
	there := map[id.ID]bool{}
	for _, r := range list {
		if key, ok := r.Values[p.Field].(string); ok && key == stage && r.DeletedAt == nil {
			there[r.ID] = true
		}
	}
	return slices.DeleteFunc(ids, func(v id.ID) bool { return !there[v] }), nil
}

// median of spans; 0 for none.
func median(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	slices.SortFunc(list, cmp.Compare[int64])
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}

// Path is where a record stands.
type Path struct {
	Process Process // the version that the record goes by
	Stays   []Stay
}

// Path is the way of a record that the actor sees; found is false for an object without stages.
func (s *Service) Path(ctx context.Context, object string, rec id.ID) (out Path, found bool, err error) {
	p, found, err := s.Process(ctx, object)
	if err != nil || !found {
		return out, found, err
	}
	if _, err := s.cfg.Records.Get(ctx, object, rec); err != nil {
		return out, true, err
	}
	if out.Stays, err = s.cfg.Store.Stays(ctx, rec); err != nil {
		return out, true, err
	}
	out.Process = p
	if n := len(out.Stays); n > 0 && out.Stays[n-1].Left.IsZero() && out.Stays[n-1].Version != p.Version {
		if old, err := s.version(ctx, object, out.Stays[n-1].Version); err == nil && old.Field == p.Field {
			out.Process = *old
		}
	}
	return out, true, nil
}

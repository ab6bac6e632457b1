package stage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// reportMost is how many stays of one stage a report looks at; Partial says that there were more.
const reportMost = 200_000

// Report is how records went through the stages in a span. Every figure counts records that the actor sees and that are not in the
// recycle bin; Passages lists those behind it.
type Report struct {
	Process Process
	Partial bool
	Stages  []Figures
}

// Figures are those of one stage. A record that entered it several times in the span counts once, with the last of its stays.
type Figures struct {
	Stage    string
	Now      int // there at present
	Entered  int // entered in the span
	Still    int // of these, have not left
	Ways     []Way
	Advanced int   // of these, went on to a later stage that is not lost
	Lost     int   // of these, went to a lost stage
	Ended    int   // of these, left
	Median   int64 // of the times of those, in seconds
	Stuck    int   // there longer than the goal
}

// Way is how many records left a stage for another one; To is empty for those that have no stage any more.
type Way struct {
	To    string
	Count int
}

// Figure names one of the Figures.
type Figure string

// The figures that Passages lists.
const (
	FigureEntered  Figure = "entered"
	FigureStill    Figure = "still"
	FigureAdvanced Figure = "advanced"
	FigureLost     Figure = "lost"
	FigureWay      Figure = "way"
	FigureStuck    Figure = "stuck"
)

// ListedFigures are the figures that Passages lists, in a fixed order.
func ListedFigures() []Figure {
	return []Figure{FigureEntered, FigureStill, FigureAdvanced, FigureLost, FigureWay, FigureStuck}
}

// reporting is one report on its way.
type reporting struct {
	s       *Service
	p       Process
	obj     *schema.Object
	place   map[string]int
	lost    map[string]bool
	partial bool
}

func (s *Service) reporting(ctx context.Context, object string) (*reporting, error) {
	if !access.From(ctx).Can(access.ReportRead) {
		return nil, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.ReportRead)})
	}
	p, found, err := s.Process(ctx, object)
	if err != nil {
		return nil, err
	}
	obj := s.cfg.Registry().Object(object)
	if !found || obj == nil || obj.Field(p.Field) == nil {
		return nil, fault.New(fault.NotFound, "stage.unknown", nil)
	}
	r := &reporting{s: s, p: p, obj: obj, place: map[string]int{}, lost: map[string]bool{}}
	for i := range p.Stages {
		r.place[p.Stages[i].Key] = i
		r.lost[p.Stages[i].Key] = p.Stages[i].Kind == Lost
	}
	return r, nil
}

// seen leaves the stays whose records the actor sees.
func (r *reporting) seen(ctx context.Context, list []Stay) ([]Stay, error) {
	if access.From(ctx).Unlimited() || len(list) == 0 {
		return list, nil
	}
	there := make(map[id.ID]bool, len(list))
	for part := range slices.Chunk(list, 500) {
		ids := make([]id.ID, len(part))
		for i := range part {
			ids[i] = part[i].Record
		}
		slices.Sort(ids)
		got, err := r.s.cfg.Records.GetMany(ctx, r.p.Object, slices.Compact(ids), []string{r.p.Field})
		if err != nil {
			return nil, fmt.Errorf("look which records are seen: %w", err)
		}
		for _, x := range got {
			there[x.ID] = true
		}
	}
	return slices.DeleteFunc(list, func(st Stay) bool { return !there[st.Record] }), nil
}

// passages are the last stays of records in a stage that began in a span, oldest first.
func (r *reporting) passages(ctx context.Context, stage string, from, to time.Time) ([]Stay, error) {
	list, err := r.s.cfg.Store.Between(ctx, r.obj, stage, from, to, reportMost+1)
	if err != nil {
		return nil, err
	}
	if len(list) > reportMost {
		r.partial, list = true, list[:reportMost]
	}
	last := make(map[id.ID]id.ID, len(list))
	for i := range list {
		last[list[i].Record] = list[i].ID
	}
	list = slices.DeleteFunc(list, func(st Stay) bool { return last[st.Record] != st.ID })
	return r.seen(ctx, list)
}

// stuck are the stays of records that are in a stage for longer than it should take, longest first.
func (r *reporting) stuck(ctx context.Context, stage string, at time.Time) ([]Stay, error) {
	st := r.p.Stage(stage)
	if st == nil || st.Days == 0 {
		return nil, nil
	}
	list, err := r.s.cfg.Store.Stuck(ctx, r.obj, r.p.Field, stage, at.AddDate(0, 0, -st.Days), reportMost)
	if err != nil {
		return nil, err
	}
	return r.seen(ctx, list)
}

// is reports whether a stay counts for a figure; to is of FigureWay.
func (r *reporting) is(st *Stay, f Figure, to string) bool {
	left := !st.Left.IsZero()
	next, known := r.place[st.Next]
	switch f {
	case FigureEntered:
		return true
	case FigureStill:
		return !left
	case FigureAdvanced:
		return left && known && !r.lost[st.Next] && next > r.place[st.Stage]
	case FigureLost:
		return left && known && r.lost[st.Next]
	case FigureWay:
		return left && st.Next == to
	case FigureStuck:
	}
	return false
}

// Report works out a report of a span.
func (s *Service) Report(ctx context.Context, object string, from, to time.Time) (Report, error) {
	r, err := s.reporting(ctx, object)
	if err != nil {
		return Report{}, err
	}
	out := Report{Process: r.p}
	for i := range r.p.Stages {
		f, err := r.figures(ctx, r.p.Stages[i].Key, from, to)
		if err != nil {
			return Report{}, err
		}
		out.Stages = append(out.Stages, f)
	}
	out.Partial = r.partial
	return out, nil
}

func (r *reporting) figures(ctx context.Context, stage string, from, to time.Time) (Figures, error) {
	f := Figures{Stage: stage}
	stays, err := r.passages(ctx, stage, from, to)
	if err != nil {
		return f, err
	}
	var spans []int64
	ways := map[string]int{}
	for i := range stays {
		st := &stays[i]
		f.Entered++
		if r.is(st, FigureStill, "") {
			f.Still++
			continue
		}
		f.Ended++
		ways[st.Next]++
		spans = append(spans, int64(st.Left.Sub(st.Entered)/time.Second))
		if r.is(st, FigureLost, "") {
			f.Lost++
		}
		if r.is(st, FigureAdvanced, "") {
			f.Advanced++
		}
	}
	f.Median = median(spans)
	for to, n := range ways {
		f.Ways = append(f.Ways, Way{to, n})
	}
	slices.SortFunc(f.Ways, func(a, b Way) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.To, b.To)) })
	if f.Now, err = r.s.count(ctx, r.p, stage); err != nil {
		return f, err
	}
	late, err := r.stuck(ctx, stage, r.s.cfg.Clock.Now())
	f.Stuck = len(late)
	return f, err
}

// Behind asks for the records behind a figure.
type Behind struct {
	Stage       string
	Figure      Figure
	To          string    // of FigureWay
	From, Until time.Time // of the report; not of FigureStuck
	Offset      int
	Limit       int
}

// Passages lists the stays behind a figure of a report of the same span, newest first (of FigureStuck longest first), a page of them from
// an offset, with how many there are.
func (s *Service) Passages(ctx context.Context, object string, b Behind) (list []Stay, total int, err error) {
	r, err := s.reporting(ctx, object)
	if err != nil {
		return nil, 0, err
	}
	if _, ok := r.place[b.Stage]; !ok {
		return nil, 0, fault.InvalidField("stage.option", "stage", fault.Params{"option": b.Stage})
	}
	if b.Figure == FigureStuck {
		list, err = r.stuck(ctx, b.Stage, s.cfg.Clock.Now())
	} else {
		list, err = r.passages(ctx, b.Stage, b.From, b.Until)
		list = slices.DeleteFunc(list, func(st Stay) bool { return !r.is(&st, b.Figure, b.To) })
		slices.Reverse(list)
	}
	if err != nil {
		return nil, 0, err
	}
	total = len(list)
	return list[min(b.Offset, total):min(b.Offset+b.Limit, total)], total, nil
}

func (s *Service) count(ctx context.Context, p Process, stage string) (int, error) {
	raw, err := json.Marshal(stage)
	if err != nil {
		return 0, err
	}
	n, _, err := s.cfg.Records.Count(ctx, p.Object, &query.Node{Field: p.Field, Op: "=", Value: raw}, "", true)
	return n, err
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

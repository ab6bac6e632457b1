package forecast

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Watch is a figure that is forecast every night, so that what was said can be held against what came. What lies outside the outer interval that was
// drawn before the period began is an anomaly.
type Watch struct {
	ID     id.ID
	Figure Figure
	Slice  Slice
	Period Period
	By     id.ID
	At     time.Time
	Told   []id.ID // users who hear of anomalies too, ascending
}

// Said is what was said of a period on the day before it began, and what came; Came is nil until it is over.
type Said struct {
	From, To, Made               clock.Day
	Method                       string
	Mean                         int64
	Low80, High80, Low95, High95 int64
	Came                         *int64
}

// Odd reports that what came was not expected.
func (s Said) Odd() bool { return s.Came != nil && (*s.Came < s.Low95 || *s.Came > s.High95) }

// Keeper keeps watches in the records plane.
type Keeper interface {
	Watches(ctx context.Context) ([]Watch, error)
	// Add stores a watch; a Conflict forecast.watched when the figure is watched already.
	Add(ctx context.Context, w Watch) error
	// Tell stores who else hears of a watch; NotFound forecast.no_watch.
	Tell(ctx context.Context, watch id.ID, users []id.ID) error
	// Drop forgets a watch with what was said; NotFound forecast.no_watch.
	Drop(ctx context.Context, watch id.ID) error
	// Said lists what was said of a watch, oldest first.
	Said(ctx context.Context, watch id.ID) ([]Said, error)
	// Say stores what is said of periods that nothing was said of yet, and what came of those that are over.
	Say(ctx context.Context, watch id.ID, list []Said) error
}

// Watched is a watch with what was said.
type Watched struct {
	Watch
	Said []Said
	// Error is the sum of errors over the sum of what came; nil before anything came.
	Error *float64
	Odd   int
}

const (
	// backward is how many periods a new watch asks of the past, so that it is not empty on the first day.
	backward = 12
	// MaxWatches bounds the work of a night.
	MaxWatches = 50
	// MaxTold is how many people may hear of a watch.
	MaxTold = 50
)

// Watching says that watches are kept by k, under new ids.
func (s *Service) Watching(k Keeper, next func() id.ID) *Service {
	s.keeper, s.next = k, next
	return s
}

// Watches are the watched figures with what was said of them.
func (s *Service) Watches(ctx context.Context) ([]Watched, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	list, err := s.keeper.Watches(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Watched, len(list))
	for i, w := range list {
		out[i].Watch = w
		if out[i].Said, err = s.keeper.Said(ctx, w.ID); err != nil {
			return nil, err
		}
		off, sum := 0.0, 0.0
		for _, v := range out[i].Said {
			if v.Came == nil {
				continue
			}
			off += math.Abs(float64(*v.Came - v.Mean))
			sum += math.Abs(float64(*v.Came))
			if v.Odd() {
				out[i].Odd++
			}
		}
		if sum > 0 {
			e := off / sum
			out[i].Error = &e
		}
	}
	return out, nil
}

// Watch begins to watch a figure; what would have been said of the last periods is worked out at once.
func (s *Service) Watch(ctx context.Context, a Ask) (Watch, error) {
	if err := mayWatch(ctx); err != nil {
		return Watch{}, err
	}
	if err := a.check(); err != nil {
		return Watch{}, err
	}
	list, err := s.keeper.Watches(ctx)
	if err != nil {
		return Watch{}, err
	}
	if len(list) >= MaxWatches {
		return Watch{}, fault.New(fault.Conflict, "forecast.too_many_watches", fault.Params{"max": MaxWatches})
	}
	w := Watch{ID: s.next(), Figure: a.Figure, Slice: a.Slice, Period: a.Period, By: access.From(ctx).ID, At: s.clock.Now()}
	if err := s.keeper.Add(ctx, w); err != nil {
		return Watch{}, err
	}
	return w, s.look(ctx, w, backward)
}

// Unwatch ends a watch.
func (s *Service) Unwatch(ctx context.Context, watch id.ID) error {
	if err := mayWatch(ctx); err != nil {
		return err
	}
	return s.keeper.Drop(ctx, watch)
}

// Tell says who else hears of anomalies of a watch. Faults: forecast.too_many_told.
func (s *Service) Tell(ctx context.Context, watch id.ID, users []id.ID) error {
	if err := mayWatch(ctx); err != nil {
		return err
	}
	users = slices.Compact(slices.Sorted(slices.Values(users)))
	if len(users) > MaxTold {
		return fault.InvalidField("forecast.too_many_told", "told", fault.Params{"max": MaxTold})
	}
	return s.keeper.Tell(ctx, watch, users)
}

// Telling says who hears of a period that was not expected, once it is over.
func (s *Service) Telling(tell func(ctx context.Context, w Watch, v Said) error) *Service {
	s.tell = tell
	return s
}

func mayWatch(ctx context.Context) error {
	if err := may(ctx); err != nil {
		return err
	}
	if access.From(ctx).Can(access.SegmentWrite) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.SegmentWrite)})
}

// Look forecasts every watched figure and notes what came.
func (s *Service) Look(ctx context.Context) (int64, error) {
	list, err := s.keeper.Watches(ctx)
	if err != nil {
		return 0, err
	}
	for _, w := range list {
		if err := s.look(ctx, w, 1); err != nil {
			return 0, err
		}
	}
	return int64(len(list)), nil
}

// look says what is expected of the next period, of the last ones as it would have been said before them where nothing was said, and what came.
func (s *Service) look(ctx context.Context, w Watch, back int) error {
	ask := Ask{Figure: w.Figure, Slice: w.Slice, Period: w.Period, Horizon: 1}
	whole, err := s.row(ctx, ask, 0)
	if err != nil {
		return err
	}
	known, err := s.keeper.Said(ctx, w.ID)
	if err != nil {
		return err
	}
	said := map[clock.Day]bool{}
	for _, v := range known {
		said[v.From] = true
	}
	var list []Said
	say := func(r *row) {
		got := r.answer()
		if len(got.Ahead) == 0 || said[got.Ahead[0].From] {
			return
		}
		p := got.Ahead[0]
		round := func(v float64) int64 { return int64(math.Round(v)) }
		list = append(list, Said{From: p.From, To: p.To, Made: p.From - 1, Method: string(got.Method), Mean: round(p.Mean), Low80: round(p.Low80), High80: round(p.High80), Low95: round(p.Low95), High95: round(p.High95)})
		said[p.From] = true
	}
	learned := whole.learned()
	for i := max(1, len(learned)-back); i < len(learned); i++ {
		say(whole.until(learned[i].From - 1))
	}
	say(whole)
	came := map[clock.Day]int64{}
	for _, k := range learned {
		came[k.From] = int64(math.Round(k.Value))
	}
	for _, v := range known {
		if v.Came == nil {
			list = append(list, v)
		}
	}
	for i := range list {
		if v, ok := came[list[i].From]; ok {
			list[i].Came = &v
		}
	}
	if err := s.keeper.Say(ctx, w.ID, list); err != nil || s.tell == nil {
		return err
	}
	for _, v := range list {
		// What is worked out of the past when a watch begins is no news.
		if slices.ContainsFunc(known, func(k Said) bool { return k.From == v.From }) && v.Odd() {
			if err := s.tell(ctx, w, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// until is the row as it stood at the end of a day.
func (r *row) until(day clock.Day) *row {
	out := &row{ask: r.ask, anchor: day, complete: min(r.complete, day), first: r.first, days: r.days[:max(0, min(len(r.days), int(day-r.first)+1))]}
	for _, k := range r.periods {
		if k.To <= day {
			k.Fitted, k.Holidays = nil, nil
			out.periods = append(out.periods, k)
		}
	}
	return out
}

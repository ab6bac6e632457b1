package segment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

const (
	// tickEvery is how often it is looked what is due by the clock, and wholeEvery how often one segment is computed as a whole for it.
	tickEvery  = 20 * time.Second
	wholeEvery = time.Minute
	// pointEvery is how often at most following adds a point to the history of a segment.
	pointEvery = 10 * time.Minute
	// together is how many segments are asked in one statement.
	together = 40
	// BinDays is how long a deleted segment can be restored.
	BinDays = 30
)

// watch remembers when segments were computed as a whole for the clock's sake.
type watch struct {
	mu    sync.Mutex
	done  map[string]time.Time
	stamp map[string]string
	stir  string

	merged map[string]string // by static segment, as Store.MergedOn said last
}

// nature is what moves customers in and out of a condition beside what is theirs.
type nature struct {
	wide    bool // it looks at others: whatever changes may move somebody
	given   bool // it looks at what is worked out of everybody: that changes when it is said so (Stir)
	rolling bool // its windows move by the hour
}

// natureOf looks into a condition and those that it names.
func (s *Service) natureOf(all map[string]Segment, seg *Segment, within []string) nature {
	var out nature
	if seg.Kind == Static || seg.Where == nil {
		return out
	}
	hours := func(w *query.Window) bool { return w != nil && w.Hours > 0 }
	query.Walk(seg.Where, func(n *query.Node, _ string) bool {
		out.wide = out.wide || n.Top != nil || strings.Contains(n.Field, ".")
		out.given = out.given || n.Trait != "" && s.c.Given(n.Trait)
		out.rolling = out.rolling || hours(n.Within) || hours(n.For) || hours(n.After) || rolls(n)
		if other, ok := all[n.Segment]; ok && n.Segment != "" && !slices.Contains(within, n.Segment) {
			o := s.natureOf(all, &other, append(within, n.Segment))
			out.wide, out.given, out.rolling = out.wide || o.wide, out.given || o.given, out.rolling || o.rolling
		}
		return true
	})
	return out
}

// rolls reports a comparison with a window of hours.
func rolls(n *query.Node) bool {
	if n.Op != "within_last" && n.Op != "within_next" {
		return false
	}
	w, bad := query.ParseWindow(n.Value)
	return bad == nil && w != nil && w.Hours > 0
}

// spell writes what decides on the members of a segment.
func spell(all map[string]Segment, seg *Segment, out *strings.Builder, within []string) {
	out.WriteString(seg.Key + string(seg.Kind) + seg.Broken + string(seg.Raw()))
	if seg.Kind == Static {
		return
	}
	query.Walk(seg.Where, func(n *query.Node, _ string) bool {
		if other, ok := all[n.Segment]; ok && n.Segment != "" && !slices.Contains(within, n.Segment) {
			spell(all, &other, out, append(within, n.Segment))
		}
		return true
	})
}

func byKey(list []Segment) map[string]Segment {
	out := make(map[string]Segment, len(list))
	for _, s := range list {
		out[s.Key] = s
	}
	return out
}

// turn says how the stored membership of a segment is made anew.
func (s *Service) turn(all map[string]Segment, seg Segment, at time.Time, cause Cause) Turn {
	var text strings.Builder
	spell(all, &seg, &text, []string{seg.Key})
	if seg.Kind == Static {
		text.Reset()
		text.WriteString(string(Static)) // its members are its own, whatever it was made from
	}
	sum := sha256.Sum256([]byte(text.String()))
	t := Turn{Key: seg.Key, Mark: hex.EncodeToString(sum[:12]), Where: seg.Where, At: at, Day: clock.DayOf(at, s.c.Zone())}
	if seg.Kind == Dynamic && seg.Where != nil {
		switch seg.Where.Kind() {
		case "all":
			t.Parts = seg.Where.All
		case "any":
			t.Parts, t.Any = seg.Where.Any, true
		}
	}
	t.Tell = func(ctx context.Context, since time.Time, moves []Passage) error {
		for i := range moves {
			moves[i].Segment, moves[i].At, moves[i].Cause = seg.Key, at, cause
		}
		return s.c.Store.AppendPassages(ctx, since, moves)
	}
	return t
}

// followed are the dynamic segments whose condition still checks, with all of them by key.
func (s *Service) followed(ctx context.Context) (map[string]Segment, []Segment, error) {
	list, err := s.c.Store.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	var out []Segment
	for _, seg := range list {
		if seg.Kind != Dynamic || seg.Broken != "" || seg.Where == nil {
			continue
		}
		if cerr := s.c.Language.Check(access.With(ctx, access.System()), seg.Where, seg.Key); cerr != nil {
			if _, err := s.breakIt(ctx, seg, cerr); err != nil {
				return nil, nil, err
			}
			continue
		}
		out = append(out, seg)
	}
	return byKey(list), out, nil
}

// Follow compares the customers of the last small pass of the traits with the stored membership of every dynamic segment. A segment that
// fails is logged; the next pass over everybody makes up for it.
func (s *Service) Follow(ctx context.Context) error {
	all, list, err := s.followed(ctx)
	if err != nil {
		return err
	}
	at := s.c.Clock.Now()
	var moved []string
	for part := range slices.Chunk(list, together) {
		turns := make([]Turn, len(part))
		for i, seg := range part {
			turns[i] = s.turn(all, seg, at, Changed)
		}
		keys, err := s.followPart(ctx, turns)
		if err != nil && len(turns) > 1 { // one of them may be at fault: the others go on
			s.c.Log.Warn("segments not followed together", "error", err)
			keys, err = nil, nil
			for _, t := range turns {
				some, ferr := s.followPart(ctx, []Turn{t})
				keys = append(keys, some...)
				if ferr != nil {
					s.c.Log.Error("segment not followed", "segment", t.Key, "error", ferr)
				}
			}
		}
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.c.Log.Error("segments not followed", "error", err)
		}
		moved = append(moved, keys...)
	}
	if len(moved) > 0 {
		s.c.Shifted(moved)
	}
	return ctx.Err()
}

// followPart follows segments that are asked in one statement; it names those whose members changed.
func (s *Service) followPart(ctx context.Context, turns []Turn) (moved []string, err error) {
	points, err := s.c.Audience.Follow(ctx, turns)
	if err != nil {
		return nil, err
	}
	for i, p := range points {
		if p.Size < 0 || p.Entered+p.Left == 0 {
			continue
		}
		p.At = turns[i].At.Truncate(pointEvery)
		if err := s.c.Store.SaveSize(ctx, turns[i].Key, p); err != nil {
			return moved, err
		}
		moved = append(moved, turns[i].Key)
	}
	return moved, nil
}

// Stir says that something that is worked out of everybody was worked out anew outside of a pass of the traits: a classification was edited, a
// model has scored.
func (s *Service) Stir() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stir += "."
	if len(s.stir) > 1000 {
		s.stir = "!"
	}
}

// Run looks at the clock until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	for {
		if err := clock.Pause(ctx, tickEvery, nil); err != nil {
			return err
		}
		if err := s.Tick(ctx, false); err != nil {
			return err
		}
	}
}

// Tick computes as a whole the segments whose windows roll by the hour, and those that look at others, or at what is worked out of everybody,
// where that changed since; at most once a minute each, unless all are asked for.
func (s *Service) Tick(ctx context.Context, all bool) error {
	known, list, err := s.followed(ctx)
	if err != nil {
		return err
	}
	moved, err := s.relist(ctx, known)
	if err != nil || len(list) == 0 {
		s.shifted(moved)
		return err
	}
	stamp := ""
	if s.c.Stamp != nil {
		if stamp, err = s.c.Stamp(ctx); err != nil {
			return err
		}
	}
	for _, seg := range list {
		n := s.natureOf(known, &seg, []string{seg.Key})
		if n == (nature{}) || !s.take(seg.Key, n, stamp, all) {
			continue
		}
		_, p, err := s.replace(ctx, known, seg, Moved)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.c.Log.Error("segment not refreshed", "segment", seg.Key, "error", err)
			continue
		}
		if p.Entered+p.Left > 0 {
			moved = append(moved, seg.Key)
		}
	}
	s.shifted(moved)
	return nil
}

func (s *Service) shifted(keys []string) {
	if len(keys) > 0 {
		s.c.Shifted(keys)
	}
}

// relist gives lists the survivors of merges, and takes them off when a merge is taken back; it names those that changed.
func (s *Service) relist(ctx context.Context, all map[string]Segment) (moved []string, err error) {
	now, err := s.c.Store.MergedOn(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	was := s.merged
	s.merged = now
	s.mu.Unlock()
	for key, seg := range all {
		if seg.Kind != Static || now[key] == was[key] {
			continue
		}
		_, p, err := s.replace(ctx, all, seg, Changed)
		if err != nil {
			s.mu.Lock()
			delete(s.merged, key) // once more
			s.mu.Unlock()
			if ctx.Err() != nil {
				return moved, err
			}
			s.c.Log.Error("list not refreshed", "segment", key, "error", err)
			continue
		}
		if p.Entered+p.Left > 0 {
			moved = append(moved, key)
		}
	}
	return moved, nil
}

// take reports that a segment is due, and takes it for done.
func (s *Service) take(key string, n nature, stamp string, all bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done, s.stamp = map[string]time.Time{}, map[string]string{}
	}
	now := s.c.Clock.Now()
	if !n.wide {
		stamp = ""
	}
	stamp += s.stir
	due := all || now.Sub(s.done[key]) >= wholeEvery && (n.rolling || s.stamp[key] != stamp)
	if due {
		s.done[key], s.stamp[key] = now, stamp
	}
	return due
}

// Check is what a pass over everybody found: of how many segments, and how many members otherwise than they were kept.
type Check struct{ Segments, Differing int }

// RefreshAll refreshes every segment, those that others build on first being no matter since conditions are inlined. A segment that fails is
// logged and left; the others go on. Where the pass verifies, what differs from a membership of the same day is kept: it must be nothing.
func (s *Service) RefreshAll(ctx context.Context, verify bool) (Check, error) {
	list, err := s.c.Store.List(ctx)
	if err != nil {
		return Check{}, err
	}
	var failed []error
	var found Check
	known := byKey(list)
	for _, seg := range list {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		after, p, err := s.replace(ctx, known, seg, Computed)
		if err != nil {
			s.c.Log.Error("segment not refreshed", "segment", seg.Key, "error", err)
			if k := fault.KindOf(err); k == fault.Invalid || k == fault.NotFound {
				continue // its own fault, which trying again does not mend
			}
			failed = append(failed, err)
			continue
		}
		s.c.Publish(seg.Key)
		if n := s.natureOf(known, &seg, []string{seg.Key}); !verify || !p.SameDay || after.Broken != "" || n.wide || n.rolling {
			continue
		}
		found.Segments++
		found.Differing += p.Entered + p.Left
		if p.Entered+p.Left > 0 {
			s.c.Log.Error("members of a segment differed from everybody computed anew", "segment", seg.Key, "entered", p.Entered, "left", p.Left)
		}
		if err := s.c.Store.SetChecked(ctx, seg.Key, p.At, p.Entered+p.Left); err != nil {
			failed = append(failed, err)
		}
	}
	return found, errors.Join(failed...)
}

// Passages are who entered and left a segment last, newest first.
func (s *Service) Passages(ctx context.Context, key string, limit int) ([]Passage, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	if _, err := s.get(ctx, key); err != nil {
		return nil, err
	}
	return s.c.Store.Passages(ctx, key, limit)
}

// PassagesOf are those of a customer, whom the caller must be allowed to see.
func (s *Service) PassagesOf(ctx context.Context, customer id.ID, until time.Time, limit int) ([]Passage, error) {
	if may(ctx, access.SegmentRead) != nil {
		return nil, nil // others are not told of segments
	}
	return s.c.Store.PassagesOf(ctx, customer, until, limit)
}

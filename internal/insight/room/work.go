package room

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Work does what a job's argument says: "fit:MODEL:USER", "score:MODEL", or "due" for all that is due, one model after the other. It may run twice.
func (r *Room) Work(ctx context.Context, arg string) error {
	what, rest, _ := strings.Cut(arg, ":")
	switch what {
	case "due":
		return r.Due(ctx, rest)
	case "fit":
		key, by, _ := strings.Cut(rest, ":")
		user, _ := strconv.ParseInt(by, 10, 64)
		if _, err := r.Learn(ctx, key, ByHand, id.ID(user)); err != nil {
			return err
		}
		return r.c.Follow(ctx)
	case "score":
		if err := r.Score(ctx, rest); err != nil {
			return err
		}
		return r.c.Follow(ctx)
	}
	return fault.New(fault.Invalid, "model.unknown", fault.Params{"model": arg})
}

// Passed says that the traits of everyone were computed. Where models wait for that a job is added.
func (r *Room) Passed(ctx context.Context) error {
	wait, err := r.waiting(ctx)
	if err != nil || !wait {
		return err
	}
	return r.c.Queue(ctx, "due")
}

// waiting reports whether a model has not learned yet or its scores are not those of the day of analysis.
func (r *Room) waiting(ctx context.Context) (bool, error) {
	day, ok, err := r.c.Anchor(ctx)
	if err != nil || !ok {
		return false, err
	}
	_, todo, err := r.next(ctx, day)
	return todo != nothing, err
}

type task int

const (
	nothing task = iota
	score
	learn
)

// todo is what is due for a model.
func (r *Room) todo(ctx context.Context, about predict.About, st Standing, day clock.Day) (task, error) {
	if st.Off {
		return nothing, nil
	}
	now := r.c.Clock.Now()
	if st.Failure != "" && now.Sub(st.TriedAt) < againAfter {
		return nothing, nil
	}
	size, err := r.c.Size(ctx)
	if err != nil {
		return nothing, err
	}
	if st.Version == 0 {
		if size == 0 {
			return nothing, nil // there is nothing to learn from
		}
		return learn, nil
	}
	v, err := r.c.Store.Outline(ctx, about.Key, st.Version)
	if err != nil {
		return nothing, err
	}
	rhythm := Entry{About: about, Standing: st}.Rhythm()
	if old := now.Sub(st.TriedAt); rhythm != predict.ByHand && old >= every(rhythm) || v.Until > day || day-v.Until > moved && rhythm != predict.ByHand {
		return learn, nil // also when history was loaded or taken away, which moves the day of analysis
	}
	if rhythm != predict.ByHand && another(v.Facts, size) {
		return learn, nil
	}
	held, err := r.c.Held(ctx, about)
	if err != nil {
		return nothing, err
	}
	if !held || st.ScoredDay != day || st.ScoredVersion != st.Version {
		return score, nil
	}
	return nothing, nil
}

// another reports that a company of so many customers is not the one that was learned from.
func another(was, now int64) bool {
	return now > 2*was+few || was > 2*now+few
}

// few customers more or less teach nothing new.
const few = 20

const (
	againAfter = 6 * time.Hour // after a failure
	moved      = 92            // days: what was learned is about another time
)

func every(f predict.Refit) time.Duration {
	switch f {
	case predict.Daily:
		return 20 * time.Hour // each night, whenever in the night before it ran
	case predict.Monthly:
		return 30 * 24 * time.Hour
	}
	return 7*24*time.Hour - 4*time.Hour
}

// Due does what is due for one model and leaves the rest to a job of its own, so that other work comes in between; with the last one
// what depends on scores follows. One that fails holds no other up: its standing says why, and it is tried again later.
func (r *Room) Due(ctx context.Context, turn string) error {
	day, ok, err := r.c.Anchor(ctx)
	if err != nil || !ok {
		return err
	}
	about, todo, err := r.next(ctx, day)
	if err != nil {
		return err
	}
	if todo != nothing {
		if err := r.do(ctx, about, todo); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.c.Log.Error("model", "model", about.Key, "error", err)
		}
		if _, more, err := r.next(ctx, day); err != nil || more != nothing {
			return errors.Join(err, r.c.Queue(ctx, otherTurn(turn)))
		}
	} else if turn == "" {
		return nil // nothing was written
	}
	return r.c.Follow(ctx)
}

// otherTurn is the argument of the job that goes on: it must differ from that of the one at work.
func otherTurn(turn string) string {
	if turn == "a" {
		return "due:b"
	}
	return "due:a"
}

// next is the first model for which something is due.
func (r *Room) next(ctx context.Context, day clock.Day) (predict.About, task, error) {
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return predict.About{}, nothing, err
	}
	for _, m := range r.c.Models {
		about := m.About()
		todo, err := r.todo(ctx, about, standing(all, about.Key), day)
		if err != nil || todo != nothing {
			return about, todo, err
		}
	}
	return predict.About{}, nothing, nil
}

func (r *Room) do(ctx context.Context, about predict.About, todo task) error {
	if todo == score {
		return r.Score(ctx, about.Key)
	}
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return err
	}
	cause := Schedule
	if standing(all, about.Key).Version == 0 {
		cause = First
	}
	_, err = r.Learn(ctx, about.Key, cause, 0)
	return err
}

// Learn fits a model now, puts the version in use unless it is clearly worse than the one before, and scores everyone by it.
func (r *Room) Learn(ctx context.Context, key string, cause Cause, by id.ID) (Version, error) {
	m, err := r.find(key)
	if err != nil {
		return Version{}, err
	}
	done := r.begin(key)
	defer done()
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return Version{}, err
	}
	st := standing(all, key)
	v, err := r.fit(ctx, m, st, cause, by)
	if err == nil && !v.HeldBack {
		st.Version = v.Number
		err = r.score(ctx, m, v, &st)
	}
	return v, r.note(ctx, st, v, "fit", err)
}

// Score writes a model's scores by the version in use.
func (r *Room) Score(ctx context.Context, key string) error {
	m, err := r.find(key)
	if err != nil {
		return err
	}
	done := r.begin(key)
	defer done()
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return err
	}
	st := standing(all, key)
	v, err := r.c.Store.Version(ctx, key, st.Version)
	if err != nil {
		return err
	}
	err = r.score(ctx, m, v, &st)
	return r.note(ctx, st, v, "score", err)
}

// begin waits until nothing else runs, and says what does.
func (r *Room) begin(key string) func() {
	r.work.Lock()
	r.setRunning(key)
	return func() {
		r.setRunning("")
		r.work.Unlock()
		r.c.Changed(key)
	}
}

func (r *Room) setRunning(key string) {
	r.mu.Lock()
	r.running = key
	r.mu.Unlock()
	if key != "" {
		r.c.Changed(key)
	}
}

func (r *Room) isRunning(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running == key
}

func (r *Room) fit(ctx context.Context, m predict.Model, st Standing, cause Cause, by id.ID) (Version, error) {
	about := m.About()
	day, ok, err := r.c.Anchor(ctx)
	if err != nil {
		return Version{}, err
	}
	if !ok {
		return Version{}, fault.New(fault.Conflict, "model.too_early", fault.Params{"model": about.Key})
	}
	options := st.Options
	if len(options) == 0 {
		options = json.RawMessage("{}")
	}
	facts, err := r.c.Size(ctx)
	if err != nil {
		return Version{}, err
	}
	begin := r.c.Clock.Now()
	f, err := safely(func() (predict.Fitted, error) {
		return m.Fit(ctx, predict.Request{Until: day, Options: options, Seed: seedOf(about.Key)})
	})
	if err != nil {
		return Version{}, err
	}
	end := r.c.Clock.Now()
	v := Version{Model: about.Key, Cause: cause, Options: options, State: f.State, Card: f.Card, Until: day, FittedAt: end, FittedBy: by, Took: end.Sub(begin), Facts: facts}
	if st.Version != 0 && cause == Schedule {
		was, err := r.c.Store.Outline(ctx, about.Key, st.Version)
		if err != nil {
			return Version{}, err
		}
		v.HeldBack = worse(about, was, v)
	}
	return r.c.Store.Insert(ctx, v, keepVersions)
}

// Try fits a model without keeping what it finds, by options beside those that the workspace set.
func (r *Room) Try(ctx context.Context, key string, until, held clock.Day, options map[string]json.RawMessage) (Version, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return Version{}, err
	}
	m, err := r.find(key)
	if err != nil {
		return Version{}, err
	}
	day, ok, err := r.c.Anchor(ctx)
	if err != nil {
		return Version{}, err
	}
	if !ok {
		return Version{}, fault.New(fault.Conflict, "model.too_early", fault.Params{"model": key})
	}
	set, err := r.Options(ctx, key)
	if err != nil {
		return Version{}, err
	}
	all := map[string]json.RawMessage{}
	if len(set) > 0 {
		if err := json.Unmarshal(set, &all); err != nil {
			return Version{}, err
		}
	}
	maps.Copy(all, options)
	given, err := json.Marshal(all)
	if err != nil {
		return Version{}, err
	}
	if given, err = checkOptions(m.About(), given); err != nil {
		return Version{}, err
	}
	if until == 0 {
		until = day
	}
	if held != 0 && held <= until {
		return Version{}, fault.InvalidField("model.bad_holdout", "holdout_until", nil)
	}
	begin := r.c.Clock.Now()
	f, err := safely(func() (predict.Fitted, error) {
		return m.Fit(ctx, predict.Request{Until: until, HeldUntil: held, Options: given, Seed: seedOf(key)})
	})
	end := r.c.Clock.Now()
	return Version{Model: key, Options: given, State: f.State, Card: f.Card, Until: until, FittedAt: end, Took: end.Sub(begin)}, err
}

func (r *Room) score(ctx context.Context, m predict.Model, v Version, st *Standing) error {
	day, ok, err := r.c.Anchor(ctx)
	if err != nil || !ok {
		return err
	}
	begin := r.c.Clock.Now()
	n, err := safely(func() (int64, error) {
		return m.Score(ctx, predict.ScoreRequest{State: v.State, Options: v.Options, Until: day, AtMilli: begin.UnixMilli(),
			Mark: fmt.Sprintf("%d@%d", v.Number, day)})
	})
	if err != nil {
		return err
	}
	end := r.c.Clock.Now()
	st.ScoredAt, st.ScoredDay, st.ScoredVersion, st.Scored, st.Took = end, day, v.Number, n, end.Sub(begin)
	if r.c.Scored == nil {
		return nil
	}
	return r.c.Scored(ctx, m.About().Key)
}

// note keeps what came of a fit or scoring.
func (r *Room) note(ctx context.Context, st Standing, v Version, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if what == "score" || v.HeldBack || err != nil { // somebody may have put another version in use meanwhile
		all, failed := r.c.Store.Standings(ctx)
		if failed != nil {
			return errors.Join(err, failed)
		}
		st.Version = standing(all, st.Model).Version
	}
	now := r.c.Clock.Now()
	line := Line{At: now, Model: st.Model, What: what, Version: v.Number, By: v.FittedBy, Took: v.Took}
	st.Failure = ""
	if what == "fit" || err != nil {
		st.TriedAt = now
	}
	if what == "score" {
		line.Took = st.Took
	}
	if err != nil {
		st.Failure = fault.CodeOf(err)
		line.What, line.Detail = "fail", st.Failure
	} else if v.HeldBack && what == "fit" {
		line.What = "held"
	}
	return errors.Join(err, r.c.Store.Note(ctx, st), r.c.Store.Log(ctx, line))
}

// safely turns a panic of a model into an error: a figure that nobody thought of must not take the program down.
func safely[T any](fn func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, "model.broke", fmt.Errorf("%v", p))
		}
	}()
	return fn()
}

// seedOf is the same for a model each time.
func seedOf(key string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(key))
	return h.Sum64()
}

// Package room is the model room: where every model is kept, fitted, scored, compared and rolled back, all alike.
//
// A fit makes a version: the options and seed it was made with, the day whose facts were the last that counted, what it found out
// (State) and a card that says how good it is on later time. Versions are numbered from 1 and never change; one of them is in use. A
// fit takes over unless its main measure is clearly worse than that of the version in use: then it is held back and a person decides. Anyone with
// the right can put an older version in use again, which scores everyone by it.
//
// Scores are traits. They are written anew each night, after a fit, when another version is put in use, and when the analytics
// plane was made anew or its day of analysis moved; what depends on them (classes, segments, rules) follows at once. Fits and scores run as durable jobs:
// one that a crash ended runs again, and finds the same.
//
// The package learns nothing itself: predict.Model does.
package room

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Cause is why a version was made.
type Cause string

// The causes.
const (
	First    Cause = "first"
	ByHand   Cause = "hand"
	Schedule Cause = "schedule"
)

// Version is what one fit found out.
type Version struct {
	Model    string
	Number   int64
	Cause    Cause
	Options  json.RawMessage
	State    json.RawMessage // not read for lists
	Card     predict.Card
	Until    clock.Day
	FittedAt time.Time
	FittedBy id.ID // 0 for the schedule
	Took     time.Duration
	Facts    int64 // how many customers had purchased
	HeldBack bool  // it was clearly worse than the version in use at the time
}

// Measure is the main measure of a version.
func (v Version) Measure(about predict.About) (predict.Measure, bool) {
	i := slices.IndexFunc(v.Card.Measures, func(m predict.Measure) bool { return m.Key == about.Measure })
	if i < 0 {
		return predict.Measure{}, false
	}
	return v.Card.Measures[i], true
}

// Standing is how a workspace uses a model. The zero value, but for Model, is a model that is used as it comes and has not learned yet.
type Standing struct {
	Model   string
	Edition int64 // counts changes by people
	Off     bool
	Options json.RawMessage
	Refit   predict.Refit // "" is the model's own
	Version int64         // in use; 0 for none
	TriedAt time.Time     // of the last fit, successful or not
	Failure string        // code of the fault of the last fit or scoring; "" when it worked
	// What is written now.
	ScoredAt      time.Time
	ScoredDay     clock.Day
	ScoredVersion int64
	Scored        int64
	Took          time.Duration // of the last scoring
}

// Entry is a model with its standing and the version in use.
type Entry struct {
	About    predict.About
	Standing Standing
	Active   *Version // without State; nil before the first
	Running  bool
}

// Rhythm is how often it learns.
func (e Entry) Rhythm() predict.Refit {
	if e.Standing.Refit != "" {
		return e.Standing.Refit
	}
	return e.About.Refit
}

// Line is one thing that happened to a model: What is fit, score, activate, configure or fail.
type Line struct {
	At      time.Time
	Model   string
	What    string
	Version int64
	By      id.ID
	Took    time.Duration
	Detail  string
}

// Store keeps versions and standings; store/sqlstore implements it.
type Store interface {
	Standings(ctx context.Context) (map[string]Standing, error)
	// SaveStanding replaces a standing whose stored edition is s.Edition (0 when there is none yet), else fault.Stale.
	// It stores s.Edition + 1.
	SaveStanding(ctx context.Context, s Standing) error
	// Note replaces what fits and scores leave in a standing, whatever its edition.
	Note(ctx context.Context, s Standing) error
	// Insert stores a version under the next number of its model, and forgets old ones but the newest `keep` and the one in use.
	Insert(ctx context.Context, v Version, keep int) (Version, error)
	// Versions lists the versions of a model, newest first, without State.
	Versions(ctx context.Context, model string) ([]Version, error)
	// Outline reads one without State, which may be large: fault.NotFound model.no_version.
	Outline(ctx context.Context, model string, number int64) (Version, error)
	// Version reads one, with State: fault.NotFound model.no_version.
	Version(ctx context.Context, model string, number int64) (Version, error)
	Log(ctx context.Context, l Line) error
	Lines(ctx context.Context, model string, limit int) ([]Line, error) // newest first
}

// Config is what a Room is made of; all parts are required.
type Config struct {
	Store  Store
	Models []predict.Model
	Clock  clock.Clock
	Log    *slog.Logger
	// Anchor is the day of analysis; ok is false while traits are not computed yet.
	Anchor func(ctx context.Context) (day clock.Day, ok bool, err error)
	// Size is how many customers have purchased.
	Size func(ctx context.Context) (int64, error)
	// Held reports whether the plane holds the scores of a model that were written last.
	Held func(ctx context.Context, about predict.About) (bool, error)
	// Queue adds a job that calls Work with the argument, unless one like it waits.
	Queue func(ctx context.Context, arg string) error
	// Follow has what depends on scores follow.
	Follow func(ctx context.Context) error
	// Scored has what follows from new scores begin; nil for nothing.
	Scored func(ctx context.Context, model string) error
	// Changed tells open pages.
	Changed func(model string)
}

// Room is a workspace's models. It is safe for concurrent use.
type Room struct {
	c Config

	work    sync.Mutex // one fit or scoring at a time
	mu      sync.Mutex
	running string
	opened  map[string]opened // by model
}

// New makes a Room.
func New(c Config) *Room { return &Room{c: c, opened: map[string]opened{}} }

// keepVersions is how many versions of a model are kept beside the one in use.
const keepVersions = 20

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

func (r *Room) find(key string) (predict.Model, error) {
	for _, m := range r.c.Models {
		if m.About().Key == key {
			return m, nil
		}
	}
	return nil, fault.New(fault.NotFound, "model.unknown", fault.Params{"model": key})
}

// List gives all models in the order in which they were named.
func (r *Room) List(ctx context.Context) ([]Entry, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(r.c.Models))
	for _, m := range r.c.Models {
		e, err := r.entry(ctx, m.About(), all)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// Get gives one model: fault.NotFound model.unknown.
func (r *Room) Get(ctx context.Context, key string) (Entry, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Entry{}, err
	}
	m, err := r.find(key)
	if err != nil {
		return Entry{}, err
	}
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return Entry{}, err
	}
	return r.entry(ctx, m.About(), all)
}

func (r *Room) entry(ctx context.Context, about predict.About, all map[string]Standing) (Entry, error) {
	e := Entry{About: about, Standing: standing(all, about.Key), Running: r.isRunning(about.Key)}
	if e.Standing.Version == 0 {
		return e, nil
	}
	v, err := r.c.Store.Outline(ctx, about.Key, e.Standing.Version)
	if err != nil {
		return e, err
	}
	e.Active = &v
	return e, nil
}

func standing(all map[string]Standing, key string) Standing {
	st, ok := all[key]
	if !ok {
		st = Standing{Model: key}
	}
	return st
}

// Versions lists a model's versions, newest first, without State.
func (r *Room) Versions(ctx context.Context, key string) ([]Version, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	if _, err := r.find(key); err != nil {
		return nil, err
	}
	return r.c.Store.Versions(ctx, key)
}

// Version reads one version, without State.
func (r *Room) Version(ctx context.Context, key string, number int64) (Version, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Version{}, err
	}
	if _, err := r.find(key); err != nil {
		return Version{}, err
	}
	return r.c.Store.Outline(ctx, key, number)
}

// Lines are the last things that happened to a model, newest first.
func (r *Room) Lines(ctx context.Context, key string, limit int) ([]Line, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, err
	}
	if _, err := r.find(key); err != nil {
		return nil, err
	}
	return r.c.Store.Lines(ctx, key, limit)
}

// State is the learned state of the version in use, for the screens of a model's own: false before the first.
func (r *Room) State(ctx context.Context, key string) (json.RawMessage, bool, error) {
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return nil, false, err
	}
	st := standing(all, key)
	if st.Version == 0 {
		return nil, false, nil
	}
	v, err := r.c.Store.Version(ctx, key, st.Version)
	return v.State, err == nil, err
}

// Options are the options of a model that the workspace set.
func (r *Room) Options(ctx context.Context, key string) (json.RawMessage, error) {
	all, err := r.c.Store.Standings(ctx)
	return standing(all, key).Options, err
}

// Fit has a model learn anew soon.
func (r *Room) Fit(ctx context.Context, key string) error {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return err
	}
	if _, err := r.find(key); err != nil {
		return err
	}
	return r.c.Queue(ctx, fmt.Sprintf("fit:%s:%d", key, access.From(ctx).ID))
}

// Activate puts a version in use; everyone is scored by it soon.
func (r *Room) Activate(ctx context.Context, key string, number int64) (Entry, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return Entry{}, err
	}
	v, err := r.Version(ctx, key, number)
	if err != nil {
		return Entry{}, err
	}
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return Entry{}, err
	}
	st := standing(all, key)
	st.Version = v.Number
	if err := r.c.Store.SaveStanding(ctx, st); err != nil {
		return Entry{}, err
	}
	if err := r.c.Store.Log(ctx, Line{At: r.c.Clock.Now(), Model: key, What: "activate", Version: number, By: access.From(ctx).ID}); err != nil {
		return Entry{}, err
	}
	r.c.Changed(key)
	if err := r.c.Queue(ctx, "score:"+key); err != nil {
		return Entry{}, err
	}
	return r.Get(ctx, key)
}

// Setting is what a person sets about a model.
type Setting struct {
	Edition int64 // that was seen; 0 for any
	Off     bool
	Options json.RawMessage
	Refit   predict.Refit
}

// Check says what is wrong with options of a model.
func (r *Room) Check(key string, options json.RawMessage) error {
	m, err := r.find(key)
	if err == nil {
		_, err = checkOptions(m.About(), options)
	}
	return err
}

// Configure replaces a model's settings. The next fit goes by them.
func (r *Room) Configure(ctx context.Context, key string, s Setting) (Entry, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return Entry{}, err
	}
	m, err := r.find(key)
	if err != nil {
		return Entry{}, err
	}
	options, err := checkOptions(m.About(), s.Options)
	if err != nil {
		return Entry{}, err
	}
	if !slices.Contains([]predict.Refit{"", predict.Daily, predict.Weekly, predict.Monthly, predict.ByHand}, s.Refit) {
		return Entry{}, fault.InvalidField("model.bad_refit", "refit", fault.Params{"value": string(s.Refit)})
	}
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return Entry{}, err
	}
	st := standing(all, key)
	if s.Edition != 0 && s.Edition != st.Edition {
		return Entry{}, fault.New(fault.Stale, "model.stale", fault.Params{"model": key})
	}
	st.Off, st.Options, st.Refit = s.Off, options, s.Refit
	if err := r.c.Store.SaveStanding(ctx, st); err != nil {
		return Entry{}, err
	}
	if err := r.c.Store.Log(ctx, Line{At: r.c.Clock.Now(), Model: key, What: "configure", By: access.From(ctx).ID, Detail: string(options)}); err != nil {
		return Entry{}, err
	}
	r.c.Changed(key)
	return r.Get(ctx, key)
}

// checkOptions keeps the options that a model has, each of its kind and within its bounds.
func checkOptions(about predict.About, given json.RawMessage) (json.RawMessage, error) {
	if len(given) == 0 {
		return json.RawMessage("{}"), nil
	}
	var set map[string]json.RawMessage
	if err := json.Unmarshal(given, &set); err != nil {
		return nil, fault.InvalidField("model.bad_option", "options", fault.Params{"option": ""})
	}
	for key, value := range set {
		i := slices.IndexFunc(about.Options, func(o predict.Option) bool { return o.Key == key })
		if i < 0 || !fits(about.Options[i], value) {
			return nil, fault.InvalidField("model.bad_option", "options/"+key, fault.Params{"option": key})
		}
	}
	return json.Marshal(set)
}

func fits(o predict.Option, value json.RawMessage) bool {
	switch o.Kind {
	case predict.Number:
		var v float64
		return json.Unmarshal(value, &v) == nil && (o.Min == nil || v >= *o.Min) && (o.Max == nil || v <= *o.Max)
	case predict.Switch:
		var v bool
		return json.Unmarshal(value, &v) == nil
	case predict.Choice:
		var v string
		return json.Unmarshal(value, &v) == nil && slices.Contains(o.Choices, v)
	case predict.Traits:
		var v []string
		return json.Unmarshal(value, &v) == nil && len(v) > 0 && len(v) <= maxTraits
	}
	return false
}

const maxTraits = 30

// Reasons are why a customer has the scores of one model, by the version in use.
type Reasons struct {
	About   predict.About
	Version int64
	Items   []predict.Reason
}

// Explain gives the reasons of a customer's scores, of each model that has scored. The caller has made sure that the customer may be seen.
func (r *Room) Explain(ctx context.Context, customer id.ID) ([]Reasons, error) {
	all, err := r.c.Store.Standings(ctx)
	if err != nil {
		return nil, err
	}
	out := []Reasons{}
	for _, m := range r.c.Models {
		about := m.About()
		st := standing(all, about.Key)
		if st.Off || st.ScoredVersion == 0 {
			continue
		}
		explain, err := r.explainer(ctx, m, st.ScoredVersion)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		items, err := explain(ctx, int64(customer))
		if err != nil {
			return nil, fmt.Errorf("explain %s: %w", about.Key, err)
		}
		if len(items) > 0 {
			out = append(out, Reasons{about, st.ScoredVersion, items})
		}
	}
	return out, nil
}

// opened is a version whose state was read and opened, since reasons are asked for one customer after the other. Versions never change.
type opened struct {
	version int64
	explain predict.Explainer
}

// explainer is that of a version, the last one of each model kept: fault.NotFound model.no_version.
func (r *Room) explainer(ctx context.Context, m predict.Model, version int64) (predict.Explainer, error) {
	key := m.About().Key
	r.mu.Lock()
	o, ok := r.opened[key]
	r.mu.Unlock()
	if ok && o.version == version {
		return o.explain, nil
	}
	v, err := r.c.Store.Version(ctx, key, version)
	if err != nil {
		return nil, err
	}
	explain, err := predict.Open(m, v.State)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	r.mu.Lock()
	r.opened[key] = opened{version, explain}
	r.mu.Unlock()
	return explain, nil
}

// worse reports that a new version's main measure is so much worse than that of the one in use that a person should look at it first.
func worse(about predict.About, was, now Version) bool {
	a, ok := was.Measure(about)
	b, have := now.Measure(about)
	if !ok || !have || a.Value == 0 || a.Better == "" {
		return false
	}
	change := (b.Value - a.Value) / math.Abs(a.Value)
	if a.Better == predict.Lower {
		change = -change
	}
	return change < -clearly
}

// clearly is from which share on a fall of the main measure holds a version back.
const clearly = 0.1

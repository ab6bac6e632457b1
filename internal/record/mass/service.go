package mass

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/sink"
)

// Config is what a Service needs. Store, Records, Audience, Registry, Clock, Dir and Who must be set.
type Config struct {
	Store    Store
	Records  Records
	Audience Audience
	Extra    Extra // nil for none
	Registry func() *schema.Registry
	Clock    clock.Clock
	Dir      string // of exported files
	Vault    Vault  // nil keeps files in clear
	// Who gives the present rights of somebody who started a job; a fault when there are none any more.
	Who func(ctx context.Context, a Actor) (access.Actor, error)
	// Words gives the sentence of a fault code in a language; nil gives codes.
	Words func(locale, code string, params fault.Params) string
	// Publish is told whenever a job moves; nil for nobody. It must not wait.
	Publish func(Event)
	// Lock tells whether this process is the one that runs jobs, where there are several; nil: it is.
	Lock func() bool
	// Permit refuses an export of the actor that must not be made now; nil for none.
	Permit func(ctx context.Context, object string) error
	// Base is the workspace's currency.
	Base func() string
	// Wait is how long Start waits for a small job, 2 seconds when 0.
	Wait time.Duration
	// KeepFile is how long an exported file stays, 7 days when 0; KeepJob how long the history is, 400 days when 0.
	KeepFile, KeepJob time.Duration
	Log               *slog.Logger // nil discards
}

// Service makes and runs the bulk work of one workspace. It is safe for concurrent use.
type Service struct {
	cfg   Config
	files files
	wake  [lanes]chan struct{}

	mu      sync.Mutex
	running map[id.ID]context.CancelFunc
	writing int           // large jobs that write
	moved   chan struct{} // closed and made anew whenever a job ends
}

// New makes a Service; Run works its jobs.
func New(cfg Config) *Service {
	if cfg.Wait == 0 {
		cfg.Wait = 2 * time.Second
	}
	if cfg.KeepFile == 0 {
		cfg.KeepFile = 7 * 24 * time.Hour
	}
	if cfg.KeepJob == 0 {
		cfg.KeepJob = 400 * 24 * time.Hour
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Publish == nil {
		cfg.Publish = func(Event) {}
	}
	if cfg.Words == nil {
		cfg.Words = func(_, code string, _ fault.Params) string { return code }
	}
	if cfg.Lock == nil {
		cfg.Lock = func() bool { return true }
	}
	if cfg.Permit == nil {
		cfg.Permit = func(context.Context, string) error { return nil }
	}
	if cfg.Base == nil {
		cfg.Base = func() string { return "CNY" }
	}
	s := &Service{cfg: cfg, files: files{dir: cfg.Dir, vault: cfg.Vault}, running: map[id.ID]context.CancelFunc{}, moved: make(chan struct{})}
	for i := range s.wake {
		s.wake[i] = make(chan struct{}, 1)
	}
	return s
}

// Order is what somebody asks for.
type Order struct {
	Key     id.ID // of the job; 0 makes one
	Kind    Kind
	Object  string
	Set     Set
	Changes []Change
	Owner   id.ID
	Changed string // SkipChanged when empty
	File    *File
}

func actorOf(a access.Actor) Actor {
	return Actor{Kind: a.Kind, ID: a.ID, Person: a.Person, Locale: a.Locale}
}

func forbidden(r access.Right) error {
	return fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(r)})
}

// Check refuses an order that the actor may not give or that is wrong.
func (s *Service) Check(ctx context.Context, o Order) error {
	_, err := s.check(ctx, &o)
	return err
}

// check refuses an order that the actor may not give or that is wrong.
func (s *Service) check(ctx context.Context, o *Order) (*schema.Object, error) {
	if !o.Kind.known() {
		return nil, fault.InvalidField("mass.unknown_kind", "action", fault.Params{"action": string(o.Kind)})
	}
	actor := access.From(ctx)
	for _, x := range []access.Action{access.Read, o.Kind.Action()} {
		if !actor.Can(x.Right()) {
			return nil, forbidden(x.Right())
		}
	}
	obj := s.cfg.Registry().Object(o.Object)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": o.Object})
	}
	if err := may(ctx, obj, o.Kind); err != nil {
		return nil, err
	}
	if err := s.checkSet(ctx, obj, o); err != nil {
		return nil, err
	}
	if err := s.checkWork(ctx, obj, o); err != nil {
		return nil, err
	}
	if o.Kind == Export {
		return obj, s.cfg.Permit(ctx, obj.Key)
	}
	return obj, nil
}

// may refuses a kind of job that the actor may do with no record of an object.
func may(ctx context.Context, obj *schema.Object, k Kind) error {
	for _, x := range []access.Action{access.Read, k.Action()} {
		if !access.From(ctx).May(obj.Key, x) {
			return forbidden(x.Right())
		}
	}
	return nil
}

func (s *Service) checkSet(ctx context.Context, obj *schema.Object, o *Order) error {
	set := &o.Set
	given := 0
	for _, yes := range []bool{set.IDs != nil, set.Segment != "", set.Where != nil || set.Search != ""} {
		if yes {
			given++
		}
	}
	switch {
	case given > 1:
		return fault.InvalidField("mass.set_unclear", "ids", nil)
	case set.IDs != nil && len(set.IDs) == 0:
		return fault.InvalidField("mass.set_empty", "ids", nil)
	case set.Segment != "" && obj.Key != query.Customer:
		return fault.InvalidField("mass.segment_object", "segment", nil)
	case set.Deleted != (o.Kind == Restore) && (set.Deleted || o.Kind == Restore && set.IDs == nil):
		return fault.InvalidField("mass.bin_only", "deleted", nil)
	}
	if set.Segment != "" {
		set.Where = &query.Node{Segment: set.Segment, Op: "in"}
	}
	if set.Where != nil {
		if err := s.cfg.Audience.Check(ctx, obj.Key, set.Where); err != nil {
			return err
		}
	}
	if s.cfg.Audience.Analytic(set.Where, set.Sort) && (set.Search != "" || set.Deleted) {
		return fault.InvalidField("mass.search_with_traits", "search", nil)
	}
	return nil
}

func (s *Service) checkWork(ctx context.Context, obj *schema.Object, o *Order) error {
	if o.Changed != "" && o.Changed != SkipChanged && o.Changed != TakeChanged {
		return fault.InvalidField("mass.unknown_changed", "changed", nil)
	}
	switch o.Kind {
	case Edit:
		in, err := Input(obj, o.Changes)
		if err != nil {
			return err
		}
		return s.cfg.Records.CheckInput(ctx, obj.Key, in, false)
	case Assign:
		if f := access.Owner(obj); schema.System(f.Key) == f {
			return fault.InvalidField("mass.no_owner", "object", fault.Params{"object": obj.Key, "label": obj.Label})
		}
		return s.cfg.Records.CheckInput(ctx, obj.Key, ownerInput(obj, o.Owner), true)
	case Export:
		if o.File == nil {
			o.File = &File{Format: sink.CSV}
		}
		if bad := (sink.Options{Format: o.File.Format, Encoding: o.File.Encoding}).Check(); bad != nil {
			return bad
		}
		_, err := s.columns(ctx, obj, o.File)
		return err
	case Delete, Restore:
	}
	return nil
}

// Start freezes the set of an order where it is small, puts the job in its queue and returns it. A small one is waited for,
// shortly.
func (s *Service) Start(ctx context.Context, o Order) (*Job, error) {
	obj, err := s.check(ctx, &o)
	if err != nil {
		return nil, err
	}
	now, actor := s.cfg.Clock.Now(), access.From(ctx)
	j := &Job{ID: s.cfg.Records.NewID(), Kind: o.Kind, Object: obj.Key, Status: Running, CreatedBy: actor.ID, ByKind: actor.Kind, CreatedAt: now, UpdatedAt: now,
		Spec:     Spec{Set: o.Set, Source: o.Set.source(), Segment: o.Set.Segment, Changes: o.Changes, Owner: o.Owner, Changed: o.Changed, File: o.File},
		Progress: Progress{Phase: PhaseQueued}, State: State{Actor: actorOf(actor)}}
	if o.Key != 0 {
		j.ID = o.Key
	}
	if j.Spec.Changed == "" {
		j.Spec.Changed = SkipChanged
	}
	if err := s.queue(ctx, obj, j); err != nil {
		return nil, err
	}
	s.publish(j)
	s.nudge(j.Lane)
	if j.Lane == Quick {
		return s.await(ctx, j.ID, s.cfg.Wait)
	}
	return j, nil
}

var errMany = errors.New("more than a quick job has")

// queue chooses the lane of a new job and stores it, with its set when that is small.
func (s *Service) queue(ctx context.Context, obj *schema.Object, j *Job) error {
	var keys []record.Key
	err := errMany
	if len(j.Spec.Set.IDs) <= QuickMost {
		err = s.collect(ctx, obj, j.Kind, &j.Spec.Set, func(part []record.Key) error {
			keys = append(keys, part...)
			if len(keys) > QuickMost {
				return errMany
			}
			return nil
		})
	}
	switch {
	case errors.Is(err, errMany):
		j.Status, j.Lane = Collecting, Writes
		if j.Kind == Export {
			j.Lane = Exports
		}
		return s.cfg.Store.SaveJob(ctx, j, "")
	case err != nil:
		return err
	}
	j.State.Quick, j.Spec.Set = true, Set{Deleted: j.Spec.Set.Deleted}
	number := int64(0)
	for from := 0; from < len(keys); from += partSize {
		if err := s.cfg.Store.PutPart(ctx, j.ID, number, keys[from:min(from+partSize, len(keys))]); err != nil {
			return err
		}
		number++
	}
	j.State.Parts, j.Progress.Total = number, int64(len(keys))
	return s.cfg.Store.SaveJob(ctx, j, "")
}

// collect reads the keys of a set, in portions.
func (s *Service) collect(ctx context.Context, obj *schema.Object, kind Kind, set *Set, fn func([]record.Key) error) error {
	except := make(map[id.ID]bool, len(set.Except))
	for _, v := range set.Except {
		except[v] = true
	}
	give := func(keys []record.Key) error {
		if keys = without(keys, except); len(keys) == 0 {
			return nil
		}
		return fn(keys)
	}
	ids := set.IDs
	if ids == nil && !s.cfg.Audience.Analytic(set.Where, set.Sort) {
		return s.cfg.Records.Keys(ctx, obj.Key, record.Query{Where: set.Where, Search: set.Search, Sort: set.Sort, Deleted: set.Deleted, Export: kind == Export}, give)
	}
	if ids == nil {
		var more []access.Action
		if kind == Export {
			more = append(more, access.Export)
		}
		var err error
		if ids, err = s.cfg.Audience.IDs(ctx, obj.Key, set.Where, set.Sort, more...); err != nil {
			return err
		}
	}
	return s.keysOf(ctx, obj, ids, record.Query{Deleted: set.Deleted, Export: kind == Export}, give)
}

// keysOf reads the versions of records that were named, in the order they were named in, each once. What is not there, or may
// not be seen, is left out.
func (s *Service) keysOf(ctx context.Context, obj *schema.Object, ids []id.ID, q record.Query, fn func([]record.Key) error) error {
	seen := map[id.ID]bool{}
	const portion = 5000
	for from := 0; from < len(ids); from += portion {
		part := ids[from:min(from+portion, len(ids))]
		version := make(map[id.ID]int64, len(part))
		q.IDs = part
		err := s.cfg.Records.Keys(ctx, obj.Key, q, func(keys []record.Key) error {
			for _, k := range keys {
				version[k.ID] = k.Version
			}
			return nil
		})
		if err != nil {
			return err
		}
		keys := make([]record.Key, 0, len(part))
		for _, v := range part {
			if n, ok := version[v]; ok && !seen[v] {
				seen[v] = true
				keys = append(keys, record.Key{ID: v, Version: n})
			}
		}
		if err := fn(keys); err != nil {
			return err
		}
	}
	return nil
}

// Preview is what an order would do.
type Preview struct {
	Count int64 // records of the set
	Items []record.Outlook
}

// Foresee counts the set of an order and shows what it would make of the first records.
func (s *Service) Foresee(ctx context.Context, o Order, limit int) (*Preview, error) {
	obj, err := s.check(ctx, &o)
	if err != nil {
		return nil, err
	}
	p := &Preview{}
	var first []id.ID
	err = s.collect(ctx, obj, o.Kind, &o.Set, func(keys []record.Key) error {
		p.Count += int64(len(keys))
		for _, k := range keys {
			if len(first) < limit {
				first = append(first, k.ID)
			}
		}
		return ctx.Err()
	})
	if err != nil || len(first) == 0 {
		return p, err
	}
	switch o.Kind {
	case Edit:
		in, err := Input(obj, o.Changes)
		if err != nil {
			return nil, err
		}
		p.Items, err = s.cfg.Records.Foresee(ctx, obj.Key, first, in, false)
		return p, err
	case Assign:
		p.Items, err = s.cfg.Records.Foresee(ctx, obj.Key, first, ownerInput(obj, o.Owner), true)
		return p, err
	case Delete, Export:
		recs, err := s.cfg.Records.GetMany(ctx, obj.Key, first, []string{})
		for _, r := range recs {
			p.Items = append(p.Items, record.Outlook{Record: r})
		}
		return p, err
	case Restore:
	}
	refs := make([]record.Ref, len(first))
	for i, v := range first {
		refs[i] = record.Ref{Object: obj.Key, ID: v}
	}
	if err := s.cfg.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	for _, r := range refs {
		p.Items = append(p.Items, record.Outlook{Record: &record.Record{Object: obj.Key, ID: r.ID, Title: r.Title}})
	}
	return p, nil
}

func ownerInput(obj *schema.Object, owner id.ID) record.Input {
	in := record.Input{access.Owner(obj).Key: nil}
	if owner != 0 {
		in[access.Owner(obj).Key] = owner
	}
	return in
}

func decodeValue(raw json.RawMessage) (any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil //nolint:nilnil // no value
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

// sees reports whether the actor may know of a job: its own, or everybody's with the right to read the trail.
func sees(ctx context.Context, j *Job) bool {
	return owns(ctx, j) || access.From(ctx).Can(access.AuditRead)
}

func owns(ctx context.Context, j *Job) bool {
	a := access.From(ctx)
	return a.Kind != "" && a.Kind == j.ByKind && a.ID == j.CreatedBy
}

func notFound(v id.ID) error {
	return fault.New(fault.NotFound, "mass.not_found", fault.Params{"id": id.Format(Prefix, v)})
}

// Prefix is the prefix of printed job ids.
const Prefix = "job"

// Get reads a job. NotFound also for one that the actor may not know of.
func (s *Service) Get(ctx context.Context, v id.ID) (*Job, error) {
	j, err := s.cfg.Store.GetJob(ctx, v)
	if err != nil {
		return nil, err
	}
	if !sees(ctx, j) {
		return nil, notFound(v)
	}
	return j, nil
}

// List reads jobs, newest first: the actor's own, or with everybody those of all for who may read the trail.
func (s *Service) List(ctx context.Context, f Filter, everybody bool) ([]*Job, error) {
	a := access.From(ctx)
	if a.Kind == "" {
		return nil, forbidden(access.RecordRead)
	}
	f.Limit = min(max(f.Limit, 1), 200)
	if !everybody || !a.Can(access.AuditRead) {
		f.By, f.ByKind = a.ID, a.Kind
	}
	return s.cfg.Store.ListJobs(ctx, f)
}

func wrongState(j *Job) error {
	return fault.New(fault.Conflict, "mass.wrong_state", fault.Params{"status": string(j.Status)})
}

// mine reads a job that the actor may steer: its own, or any for who manages the system.
func (s *Service) mine(ctx context.Context, v id.ID) (*Job, error) {
	j, err := s.Get(ctx, v)
	if err == nil && !owns(ctx, j) && !access.From(ctx).Can(access.SystemManage) {
		err = forbidden(access.SystemManage)
	}
	return j, err
}

// Cancel stops a job; what it did stays and can be undone.
func (s *Service) Cancel(ctx context.Context, v id.ID) (*Job, error) {
	for {
		j, err := s.mine(ctx, v)
		if err != nil {
			return nil, err
		}
		was := j.Status
		if !was.Active() {
			return nil, wrongState(j)
		}
		j.Status, j.FinishedAt = Cancelled, s.cfg.Clock.Now()
		j.UpdatedAt, j.Progress.SecondsLeft = j.FinishedAt, 0
		err = s.cfg.Store.SaveJob(ctx, j, was)
		if fault.CodeOf(err) == "mass.state_changed" {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		if stop := s.running[v]; stop != nil {
			stop()
		}
		s.mu.Unlock()
		s.ended(j)
		return j, nil
	}
}

// Resume goes on with a job that failed or was cancelled. It acts for who resumes it.
func (s *Service) Resume(ctx context.Context, v id.ID) (*Job, error) {
	j, err := s.mine(ctx, v)
	if err != nil {
		return nil, err
	}
	if !j.Resumable() {
		return nil, wrongState(j)
	}
	next := Running
	switch {
	case j.State.Undo != 0:
		next = Undoing
	case j.State.Parts == 0 && !j.State.Quick:
		next = Collecting
	}
	return s.requeue(ctx, j, next)
}

// Undo puts the taking back of a job in its queue. It acts for who undoes it.
func (s *Service) Undo(ctx context.Context, v id.ID) (*Job, error) {
	j, err := s.mine(ctx, v)
	if err != nil {
		return nil, err
	}
	if !j.Undoable() {
		return nil, wrongState(j)
	}
	if j.State.Undo == 0 {
		j.State.Undo, j.State.Part = s.cfg.Records.NewID(), 0
		j.State.Spent = 0
	}
	return s.requeue(ctx, j, Undoing)
}

func (s *Service) requeue(ctx context.Context, j *Job, next Status) (*Job, error) {
	actor := access.From(ctx)
	if right := j.Kind.Action().Right(); !actor.Can(right) {
		return nil, forbidden(right)
	}
	was, now := j.Status, s.cfg.Clock.Now()
	j.Status, j.Error, j.UpdatedAt, j.FinishedAt = next, nil, now, time.Time{}
	j.State.Actor = actorOf(actor)
	j.Progress = Progress{Phase: PhaseQueued, Total: j.Progress.Total, Done: min(j.State.Part*partSize, j.Progress.Total)}
	if err := s.cfg.Store.SaveJob(ctx, j, was); err != nil {
		return nil, err
	}
	s.publish(j)
	s.nudge(j.Lane)
	if j.Lane == Quick {
		return s.await(ctx, j.ID, s.cfg.Wait)
	}
	return j, nil
}

// await waits until a job has ended, for a time at most, and reads it.
func (s *Service) await(ctx context.Context, v id.ID, atMost time.Duration) (*Job, error) {
	limit := time.NewTimer(atMost)
	defer limit.Stop()
	poll := time.NewTicker(100 * time.Millisecond) // another process may do it
	defer poll.Stop()
	for late := false; ; {
		s.mu.Lock()
		moved := s.moved
		s.mu.Unlock()
		j, err := s.cfg.Store.GetJob(ctx, v)
		if err != nil || late || !j.Status.Active() {
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, nil
		case <-limit.C:
			late = true
		case <-moved:
		case <-poll.C:
		}
	}
}

func (s *Service) publish(j *Job) {
	s.cfg.Publish(Event{Job: j.ID, Object: j.Object, Kind: j.Kind, Status: j.Status})
}

// ended wakes those who wait for a job.
func (s *Service) ended(j *Job) {
	s.mu.Lock()
	close(s.moved)
	s.moved = make(chan struct{})
	s.mu.Unlock()
	s.publish(j)
}

func (s *Service) nudge(l Lane) {
	select {
	case s.wake[l] <- struct{}{}:
	default:
	}
}

// Busy reports whether a large job is writing in this process.
func (s *Service) Busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writing > 0
}

package transfer

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// Intervals of Run.
const (
	pollEvery  = 2 * time.Second // for jobs that another process queued
	retryAfter = 5 * time.Second // when storage was not there
	sweepEvery = time.Hour
)

// Run works jobs off, oldest first, until the context ends. Jobs that a crash or a shutdown left in the middle go on.
func (s *Service) Run(ctx context.Context) error {
	if err := s.files.clear(); err != nil {
		s.cfg.Log.WarnContext(ctx, "scratch files of imports were not removed", "error", err)
	}
	var swept time.Time
	for {
		if now := s.cfg.Clock.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.cfg.Log.WarnContext(ctx, "old import files were not removed", "error", err)
			}
		}
		wait := pollEvery
		more, err := s.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.cfg.Log.WarnContext(ctx, "import has to wait", "error", err)
			wait = retryAfter
		case more:
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-s.wake:
			t.Stop()
		case <-t.C:
		}
	}
}

// Next runs the oldest job that waits, to its end. more is false when none does. The error is of the machine, not of the job:
// the job stays where it is.
func (s *Service) Next(ctx context.Context) (more bool, err error) {
	if s.cfg.Lock != nil {
		release, ok, err := s.cfg.Lock(ctx)
		if err != nil || !ok {
			return false, err
		}
		defer release()
	}
	jobs, err := s.cfg.Store.ListJobs(ctx, 200, Checking, Running, Undoing)
	if err != nil || len(jobs) == 0 {
		return false, err
	}
	return true, s.exec(ctx, jobs[len(jobs)-1])
}

// exec runs one job and settles how it ended.
func (s *Service) exec(ctx context.Context, j *Job) error {
	actor, refused := j.State.Actor.access(), error(nil)
	if s.cfg.Actor != nil {
		actor, refused = s.cfg.Actor(ctx, actor)
	}
	jobCtx, stop := context.WithCancel(access.With(ctx, actor))
	defer stop()
	s.mu.Lock()
	s.running[j.ID] = stop
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, j.ID)
		s.mu.Unlock()
	}()
	was := j.Status
	r := &run{svc: s, job: j, began: s.cfg.Clock.Now(), state: j.State, result: j.Result, progress: j.Progress, source: j.Mapping.Options.Source}
	err := refused
	if err == nil {
		err = r.all(jobCtx)
	}
	if ctx.Err() != nil || fault.CodeOf(err) == "import.state_changed" || jobCtx.Err() != nil {
		return nil // shut down, or cancelled: whoever cancelled has said so
	}
	if k := fault.KindOf(err); err != nil && (k == fault.Unavailable || k == fault.RateLimited || errors.Is(err, syscall.ENOSPC)) {
		return err
	}
	now := s.cfg.Clock.Now()
	j.State, j.Result, j.Progress = r.state, r.result, r.progress
	j.FinishedAt, j.UpdatedAt, j.Error = now, now, nil
	j.Progress.Phase, j.Progress.SecondsLeft = PhaseDone, 0
	switch {
	case err != nil:
		j.Status, j.Error = Failed, shownFault(err)
		s.cfg.Log.WarnContext(ctx, "import failed", "code", j.Error.Code, "error", err)
	case was == Checking:
		j.Status, j.State.DryRun = Checked, false
		j.State.Rows, j.State.Groups, j.State.Read = 0, 0, false
	case was == Undoing:
		j.Status = Undone
	default:
		j.Status = Done
	}
	if err == nil {
		j.Progress.Bytes = j.Progress.TotalBytes
	}
	if was == Running {
		if err := s.seal(ctx, j); err != nil {
			return err
		}
	}
	if j.Status == Undone {
		if err := s.files.remove(j.ID); err != nil {
			s.cfg.Log.WarnContext(ctx, "import file was not removed", "error", err)
		}
	}
	switch err := s.cfg.Store.SaveJob(ctx, j, was); {
	case fault.CodeOf(err) == "import.state_changed":
		return nil
	case err != nil:
		return err
	}
	s.publish(j)
	return nil
}

// shownFault is an error as a job keeps it: without its cause.
func shownFault(err error) *fault.Fault {
	f, ok := fault.Find(err)
	if !ok {
		return fault.New(fault.Internal, "import.internal", nil)
	}
	out := &fault.Fault{Kind: f.Kind, Code: f.Code, Field: f.Field, Params: f.Params}
	for _, it := range f.Items {
		out.Items = append(out.Items, shownFault(it))
	}
	return out
}

func (a Actor) access() access.Actor {
	out := access.Actor{Kind: a.Kind, ID: a.ID, Person: a.Person, Role: a.Role, Locale: a.Locale}
	if a.Kind == access.ByKey { // what it was allowed when it started the job
		out.Scopes = append([]string{"import"}, a.Scopes...)
	}
	return out
}

// run is one job being worked off.
type run struct {
	svc      *Service
	job      *Job
	plan     *mapping.Plan
	env      schema.ParseEnv
	zone     *time.Location
	file     *stored
	source   string
	ctx      context.Context //nolint:containedctx // of the reading of one file
	phase    string
	state    State
	result   Result
	progress Progress
	began    time.Time
	written  int64 // rows when this run began
	total    int64 // rows of a purchase file, 0 while unknown
	dryFrom  id.ID // no record that a dry run would make has a smaller one
}

func (r *run) all(ctx context.Context) error {
	if r.job.Status == Undoing {
		return r.undo(ctx)
	}
	if err := r.start(ctx); err != nil {
		return err
	}
	defer r.file.Close()
	r.phase, r.written = PhaseWriting, r.result.Rows
	if r.job.Object == mapping.OrderObject {
		return r.orders(ctx)
	}
	return r.plain(ctx)
}

// start opens the file, checks the mapping against today's metadata and notes where the job's changes begin.
func (r *run) start(ctx context.Context) error {
	var err error
	if r.file, err = r.svc.files.open(r.job); err != nil {
		return err
	}
	if err = r.compile(ctx); err == nil {
		err = r.options(ctx)
	}
	if r.job.State.DryRun {
		r.dryFrom = r.svc.cfg.Records.NewID()
	}
	if err == nil && r.state.FirstID == 0 && !r.state.DryRun {
		if r.state.Since, err = r.svc.cfg.Store.Head(ctx); err == nil {
			r.state.FirstID = r.svc.cfg.Records.NewID()
			commit := r.commit(&chunk{state: r.state}, nil)
			if err = r.svc.cfg.Store.Commit(ctx, nil, commit); err == nil {
				r.committed(commit)
			}
		}
	}
	if err != nil {
		return errors.Join(err, r.file.Close())
	}
	return nil
}

func (r *run) compile(ctx context.Context) error {
	rd, err := r.openReader()
	if err != nil {
		return err
	}
	if r.plan, err = mapping.Compile(r.svc.cfg.Registry(), r.job.Object, r.job.Mapping, rd.Columns()); err == nil {
		err = r.svc.permitted(ctx, r.job.Object, r.job.Mapping, rd.Columns()) // rights may have changed since it was asked for
	}
	if err = errors.Join(err, rd.Close()); err != nil {
		return err
	}
	o := r.plan.Options
	r.env = r.svc.cfg.Records.Env(ctx)
	if r.zone = r.plan.Zone; r.zone == nil {
		r.zone = r.env.Zone
	}
	if r.zone == nil {
		r.zone = time.UTC
	}
	if r.env.Base == "" {
		r.env.Base = "CNY"
	}
	r.env.Zone = r.zone
	if r.env.Currency = o.Currency; o.Currency == "" {
		r.env.Currency = r.env.Base
	}
	layout := r.job.Mapping.Format.Date
	if v := r.plan.Value("order.at"); v != nil && v.Date != "" {
		layout = v.Date
	}
	r.env.DateLayout, r.env.DayFirst, r.env.DecimalComma = mapping.GoLayout(layout), o.DateOrder == "dmy", o.DecimalComma
	return r.decideDates(ctx)
}

// envOf is how the texts of a value are read.
func (r *run) envOf(v *mapping.Value) *schema.ParseEnv {
	return envOf(&r.env, v)
}

func envOf(base *schema.ParseEnv, v *mapping.Value) *schema.ParseEnv {
	if v.Date == "" && v.Decimal == "" {
		return base
	}
	env := *base
	if v.Date != "" {
		env.DateLayout = mapping.GoLayout(v.Date)
		switch v.Date { // the order of day and month alone
		case "dmy", "mdy":
			env.DateLayout, env.DayFirst = "", v.Date == "dmy"
		}
	}
	if v.Decimal != "" {
		env.DecimalComma = v.Decimal == mapping.Comma
	}
	return &env
}

// options makes the options that the mapping asks for, before the first row is read. A dry run makes none: their rows count as good.
func (r *run) options(ctx context.Context) error {
	wanted := r.plan.NewOptions()
	if len(wanted) == 0 || r.job.State.DryRun {
		return nil
	}
	if r.svc.cfg.NewOptions == nil {
		return fault.New(fault.Forbidden, "import.no_new_options", nil)
	}
	made := map[[2]string]map[string]string{}
	for at, labels := range wanted {
		keys, err := r.svc.cfg.NewOptions(ctx, at[0], at[1], labels)
		if err != nil {
			return err
		}
		made[at] = keys
	}
	if err := r.compile(ctx); err != nil { // with the options that are there now
		return err
	}
	for at, keys := range made {
		r.plan.SetMade(at[0], at[1], keys)
	}
	return nil
}

func (r *run) openReader() (source.Reader, error) {
	return source.Open(r.file, r.job.Mapping.Format, r.svc.limits(), r.job.Mapping.Names()...)
}

// columnOf is the column that a field of an object comes from, "" for none.
func (r *run) columnOf(object, field string) string {
	for i := range r.plan.Values {
		v := &r.plan.Values[i]
		if v.Object == object && "fields."+v.Field.Key == field || v.Via != "" && "fields."+v.Via == field {
			return v.Header
		}
	}
	return ""
}

func (r *run) seconds() float64 {
	return r.job.State.Active + r.svc.cfg.Clock.Now().Sub(r.began).Seconds()
}

// advance is the progress after some rows.
func (r *run) advance(rows, bytes int64) Progress {
	p := Progress{Rows: rows, Bytes: bytes, TotalBytes: r.job.Size, Phase: r.phase}
	if r.total > 0 {
		p.Bytes = p.TotalBytes/10 + int64(float64(p.TotalBytes)*0.9*float64(rows)/float64(r.total))
	}
	p.Bytes = min(p.Bytes, p.TotalBytes)
	elapsed := r.svc.cfg.Clock.Now().Sub(r.began).Seconds()
	if elapsed > 0 && rows > r.written {
		p.Rate = float64(rows-r.written) / elapsed
		if left := p.TotalBytes - p.Bytes; p.Bytes > 0 {
			p.SecondsLeft = elapsed * float64(left) / float64(p.Bytes)
		}
	}
	return p
}

func (r *run) publish() {
	r.svc.cfg.Publish(Event{Job: r.job.ID, Object: r.job.Object, Status: r.job.Status, Progress: r.progress})
}

// Sweep removes the files of imports that ended long ago, and of uploads that were never started.
func (s *Service) Sweep(ctx context.Context) error {
	jobs, err := s.cfg.Store.ListJobs(ctx, 1000, Uploaded, Checked, Done, Failed, Cancelled)
	if err != nil {
		return err
	}
	old := s.cfg.Clock.Now().Add(-s.cfg.KeepFor)
	for _, j := range jobs {
		if j.State.Expired || j.UpdatedAt.After(old) {
			continue
		}
		if err := s.files.remove(j.ID); err != nil {
			return err
		}
		j.State.Expired = true
		if err := s.cfg.Store.SaveJob(ctx, j, j.Status); err != nil {
			return err
		}
	}
	return nil
}

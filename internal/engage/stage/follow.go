package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Consumer is the name under which the Follower keeps its position in the change log.
const Consumer = "stage"

// Follower keeps the stays of records in step with the change log. Only one may run at a time in a workspace.
type Follower struct {
	Service *Service
	Changes change.Feed
}

const (
	followBatch = 500
)

// Run follows the log until ctx ends or a step fails; run again, it goes on with that step.
func (f *Follower) Run(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	w := f.walk() // what was there before has its stays since the process was saved
	return fmt.Errorf("stays in stages: %w", w.Run(ctx))
}

func (f *Follower) walk() *change.Follower {
	return &change.Follower{Feed: f.Changes, Name: Consumer, Clock: f.Service.cfg.Clock, Batch: followBatch, Step: f.step}
}

// step takes one batch of changes; none where no object has stages and the position leaps.
func (f *Follower) step(ctx context.Context, pos change.Position) (change.Position, int, error) {
	head, err := f.Changes.Head(ctx)
	if err != nil {
		return pos, 0, err
	}
	s := f.Service
	in, err := s.present(ctx, nil)
	if err != nil {
		return pos, 0, err
	}
	if len(in.list) == 0 {
		next, err := f.walk().Leap(ctx, pos, head)
		return next, 0, err
	}
	rows, err := f.Changes.Read(ctx, pos, followBatch)
	if err != nil || len(rows) == 0 {
		return pos, 0, err
	}
	next := rows[len(rows)-1].Position
	var moves []Stay
	for i := range rows {
		p := in.byObject[rows[i].Object]
		if p == nil {
			continue
		}
		m, err := s.moveOf(ctx, p, &rows[i])
		if err != nil {
			return pos, 0, err
		}
		moves = append(moves, m...)
	}
	if err := s.cfg.Store.Follow(ctx, moves, Consumer, next); err != nil {
		return pos, 0, err
	}
	if len(moves) > 0 {
		s.notify()
	}
	return next, len(rows), nil
}

// moveOf is the stay that a change begins. An empty stage ends the last one and begins none.
func (s *Service) moveOf(ctx context.Context, p *Process, row *change.Row) ([]Stay, error) {
	obj := s.cfg.Registry().Object(p.Object)
	if obj == nil || obj.Field(p.Field) == nil {
		return nil, nil
	}
	stay := Stay{Object: p.Object, Record: row.Record, Version: p.Version, Entered: time.UnixMilli(row.At).UTC(), ByKind: row.ByKind, By: row.By}
	switch row.Op {
	case change.Delete, change.Purge:
		return []Stay{stay}, nil
	case change.Create, change.Restore:
		key, err := s.stageAt(ctx, p, row)
		if err != nil || key == "" {
			return nil, err
		}
		stay.Stage = key
	default:
		after := map[string]json.RawMessage{}
		if json.Unmarshal(row.After, &after) != nil {
			return nil, nil
		}
		raw, ok := after[obj.Field(p.Field).Physical]
		if !ok {
			return nil, nil
		}
		if json.Unmarshal(raw, &stay.Stage) != nil {
			stay.Stage = ""
		}
	}
	stay.ID = s.cfg.IDs.Next()
	if st := p.Stage(stay.Stage); st != nil {
		stay.Done = len(st.Entry) == 0 && !slices.ContainsFunc(p.Stages, func(o Stage) bool { return len(o.Exit) > 0 })
		if st.Hours > 0 {
			stay.Due = stay.Entered.Add(time.Duration(st.Hours) * time.Hour)
		}
	} else {
		stay.Done = true
	}
	return []Stay{stay}, nil
}

// stageAt is the stage that a record had with a change that has no image: what the next change of the field found, else what it
// holds. What it holds is read first: a change between the two readings is then in the history.
func (s *Service) stageAt(ctx context.Context, p *Process, row *change.Row) (string, error) {
	list, err := s.cfg.Records.GetMany(ctx, p.Object, []id.ID{row.Record}, []string{p.Field})
	if err != nil {
		return "", err
	}
	key := ""
	if len(list) > 0 {
		key, _ = list[0].Values[p.Field].(string)
	}
	var before change.Position
	for {
		entries, next, err := s.cfg.Records.History(ctx, p.Object, row.Record, before, 100)
		if fault.KindOf(err) == fault.NotFound && err != nil { // purged since
			return "", nil
		}
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if e.Version <= row.Version {
				return key, nil
			}
			for _, ch := range e.Changes {
				if ch.Field == p.Field {
					key, _ = ch.Before.(string)
				}
			}
		}
		if next == (change.Position{}) {
			return key, nil
		}
		before = next
	}
}

func (s *Service) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

const (
	lookEvery = 10 * time.Second
	lookMany  = 100
	retryIn   = time.Hour
)

// Run does what happens on entering and leaving stages, and moves records whose time is over, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	for {
		if err := s.Tick(ctx); err != nil {
			return fmt.Errorf("stages: %w", err)
		}
		if err := clock.Pause(ctx, lookEvery, s.wake); err != nil {
			return err
		}
	}
}

// Tick is one round of Run.
func (s *Service) Tick(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	todo, err := s.cfg.Store.Todo(ctx, lookMany)
	if err != nil {
		return err
	}
	for i := range todo {
		if err := s.enter(ctx, &todo[i]); err != nil { // the others go on
			s.cfg.Log.Error("entering a stage", "object", todo[i].Object, "error", err)
		}
	}
	due, err := s.cfg.Store.Overdue(ctx, s.cfg.Clock.Now(), lookMany)
	if err != nil {
		return err
	}
	for i := range due {
		if err := s.expire(ctx, &due[i]); err != nil {
			s.cfg.Log.Error("leaving a stage by itself", "object", due[i].Object, "error", err)
		}
	}
	return ctx.Err()
}

// refused reports an answer that another attempt would get again.
func refused(err error) bool {
	k := fault.KindOf(err)
	return err != nil && k != fault.Internal && k != fault.Unavailable && k != fault.RateLimited
}

// enter does what happens on entering a stage, once. What the record refuses is left out.
func (s *Service) enter(ctx context.Context, stay *Stay) error {
	p, err := s.version(ctx, stay.Object, stay.Version)
	if err != nil {
		return err
	}
	st := p.Stage(stay.Stage)
	rec, err := s.cfg.Records.Get(ctx, stay.Object, stay.Record)
	if refused(err) || st == nil || err == nil && rec.DeletedAt != nil {
		_, err := s.cfg.Store.SetDone(ctx, nil, stay.ID)
		return err
	}
	if err != nil {
		return err
	}
	acts, err := s.acts(ctx, p, st, stay)
	if err != nil {
		return err
	}
	if err := s.tell(ctx, acts, stay, rec); err != nil {
		return err
	}
	return s.write(ctx, acts, stay, rec)
}

// acts is what happens with a stay: on leaving the one before, then on entering this one.
func (s *Service) acts(ctx context.Context, p *Process, st *Stage, stay *Stay) ([]StageAct, error) {
	if !slices.ContainsFunc(p.Stages, func(o Stage) bool { return len(o.Exit) > 0 }) {
		return st.Entry, nil
	}
	stays, err := s.cfg.Store.Stays(ctx, stay.Record)
	if err != nil {
		return nil, err
	}
	var out []StageAct
	for i := range stays {
		if i+1 < len(stays) && stays[i+1].ID == stay.ID && stays[i].Left.Equal(stay.Entered) {
			if from := p.Stage(stays[i].Stage); from != nil {
				out = slices.Clone(from.Exit)
			}
		}
	}
	return append(out, st.Entry...), nil
}

// tell tells people; the key of a notice keeps it from being told twice.
func (s *Service) tell(ctx context.Context, acts []StageAct, stay *Stay, rec *record.Record) error {
	var list []Notice
	for i, a := range acts {
		if user := s.person(a, rec); a.Kind == Notify && user != 0 {
			list = append(list, Notice{User: user, Object: stay.Object, Record: stay.Record, Text: a.Text, Once: "stage:" + strconv.FormatInt(int64(stay.ID), 36) + ":" + strconv.Itoa(i)})
		}
	}
	if len(list) == 0 {
		return nil
	}
	return s.cfg.Tell(ctx, list)
}

// person is whom an act concerns: the one named, else the record's owner, else who made it.
func (s *Service) person(a StageAct, rec *record.Record) id.ID {
	if v, err := id.Parse("usr", a.User); err == nil {
		return v
	}
	obj := s.cfg.Registry().Object(rec.Object)
	if v, ok := rec.Values[access.Owner(obj).Key].(id.ID); ok && v != 0 {
		return v
	}
	return rec.CreatedBy
}

// write sets fields and makes tasks, and marks the stay in the same transaction. What the record refuses is left out.
func (s *Service) write(ctx context.Context, acts []StageAct, stay *Stay, rec *record.Record) error {
	ops := s.ops(acts, stay, rec)
	if len(ops) == 0 {
		_, err := s.cfg.Store.SetDone(ctx, nil, stay.ID)
		return err
	}
	results, err := s.cfg.Records.CarryMany(ctx, ops, func(ctx context.Context, tx record.Tx, _ []record.BulkResult) error {
		fresh, err := s.cfg.Store.SetDone(ctx, tx, stay.ID)
		if err == nil && !fresh {
			err = fault.New(fault.Conflict, "stage.done", nil)
		}
		return err
	})
	if fault.CodeOf(err) == "stage.done" { // another process did it
		return nil
	}
	for i := range results {
		if results[i].Err != nil {
			s.cfg.Log.Warn("a stage could not do everything", "object", ops[i].Object, "code", fault.CodeOf(results[i].Err))
		}
	}
	return err
}

// ops are the writes of acts: all fields together, then the tasks.
func (s *Service) ops(acts []StageAct, stay *Stay, rec *record.Record) []record.BatchOp {
	in := record.Input{}
	var tasks []record.BatchOp
	obj := s.cfg.Registry().Object(stay.Object)
	known := activity.Known(s.cfg.Registry(), activity.Task) != nil
	for _, a := range acts {
		switch {
		case a.Kind == SetField:
			in[a.Field] = a.Value
		case a.Kind == MakeTask && known:
			values := record.Input{"subject": a.Text, "about": id.Format(obj.Prefix, stay.Record)}
			if user := s.person(a, rec); user != 0 {
				values["assignee"] = id.Format("usr", user)
			}
			if a.Days > 0 {
				values["due_at"] = s.cfg.Clock.Now().UTC().AddDate(0, 0, a.Days).Format(time.RFC3339)
			}
			tasks = append(tasks, record.BatchOp{Op: change.Create, Object: activity.Task, Input: values})
		}
	}
	if len(in) == 0 {
		return tasks
	}
	return append([]record.BatchOp{{Op: change.Update, Object: stay.Object, ID: stay.Record, Input: in}}, tasks...)
}

// expire moves a record whose time in a stage is over, unless it went elsewhere meanwhile: the stays follow the log, so that the record
// may be further than they say. While a request for agreement holds the record, it waits.
func (s *Service) expire(ctx context.Context, stay *Stay) error {
	p, err := s.version(ctx, stay.Object, stay.Version)
	if err != nil {
		return err
	}
	st := p.Stage(stay.Stage)
	if st == nil || st.Next == "" {
		return s.cfg.Store.SetDue(ctx, stay.ID, time.Time{})
	}
	rec, err := s.cfg.Records.Get(ctx, stay.Object, stay.Record)
	if err != nil && !refused(err) {
		return err
	}
	if key, _ := valueOf(rec, p.Field); err != nil || rec.DeletedAt != nil || key != stay.Stage {
		return s.cfg.Store.SetDue(ctx, stay.ID, time.Time{})
	}
	_, err = s.cfg.Records.Carry(ctx, record.BatchOp{Op: change.Update, Object: stay.Object, ID: stay.Record, Version: rec.Version, Input: record.Input{p.Field: st.Next}}, false,
		func(ctx context.Context, tx record.Tx, _ []record.BulkResult) error {
			held, err := s.cfg.Held(ctx, tx, stay.Record, p.Field)
			if err == nil && held {
				err = fault.New(fault.Conflict, "stage.held", nil)
			}
			return err
		})
	switch {
	case fault.CodeOf(err) == "record.stale": // somebody was faster: the next look sees what he did
		return nil
	case refused(err):
		s.cfg.Log.Warn("a stage could not be left by itself", "object", stay.Object, "code", fault.CodeOf(err))
		return s.cfg.Store.SetDue(ctx, stay.ID, s.cfg.Clock.Now().Add(retryIn))
	case err != nil:
		return err
	}
	return s.cfg.Store.SetDue(ctx, stay.ID, time.Time{})
}

// valueOf is the option that a record holds, "" for none and for no record.
func valueOf(rec *record.Record, field string) (key string, ok bool) {
	if rec == nil {
		return "", false
	}
	key, ok = rec.Values[field].(string)
	return key, ok
}

package approval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// apply carries out a request that was agreed to, if nobody has done so yet.
func (s *Service) apply(ctx context.Context, request id.ID) error {
	r, err := s.cfg.Store.Get(ctx, request)
	if err != nil || r.State != Approved {
		return err
	}
	r.Events = nil
	f, err := s.flow(ctx, r)
	if err != nil {
		return err
	}
	c, err := s.opened(r)
	if err != nil {
		return err
	}
	actor, err := s.cfg.People.Actor(ctx, r.By)
	if err == nil {
		actor.Locale = r.By.Locale
		acting := access.With(ctx, actor)
		if r.Action == Export {
			err = s.export(acting, f, c)
		} else {
			err = s.carry(acting, f, c)
		}
	}
	switch code := fault.CodeOf(err); {
	case err == nil, code == "approval.moved": // another process did it
		return nil
	case lasting(err):
		return s.failed(ctx, request, err)
	}
	return err
}

// lasting reports a failure that another attempt would meet again.
func lasting(err error) bool {
	switch fault.KindOf(err) {
	case fault.Internal, fault.Unavailable, fault.RateLimited:
		return false
	}
	var f *fault.Fault
	return errors.As(err, &f)
}

// carry writes the record and ends the request in one transaction.
func (s *Service) carry(ctx context.Context, f *flow, c *Content) error {
	r := f.r
	ps := &pass{request: r, content: c}
	ctx = context.WithValue(ctx, passKey{}, ps)
	op := record.BatchOp{Op: r.Op, Object: r.Object, ID: r.Record, Input: c.Input}
	done := *r
	_, err := s.cfg.Records.Carry(ctx, op, r.Assign, func(ctx context.Context, tx record.Tx, made []record.BulkResult) error {
		end := done // the store may run this again
		f.r = &end
		if end.Op == change.Create && len(made) == 1 {
			end.Record = made[0].ID
		}
		f.event(f.auto(EvApplied))
		f.end(Applied)
		if err := s.scrub(ctx, &end); err != nil {
			return err
		}
		return s.cfg.Store.Save(ctx, tx, &end)
	})
	f.r = r
	if fault.CodeOf(err) == "approval.needed" && ps.next != nil {
		return s.next(ctx, f, c, ps.next)
	}
	if err == nil {
		return s.cfg.Note(ctx, "approval.apply", r.Object, r.Record, r.detail())
	}
	return err
}

// next lets a request go on in a further process.
func (s *Service) next(ctx context.Context, f *flow, c *Content, n *need) error {
	r := f.r
	r.Passed = append(slices.Clone(r.Passed), r.Process)
	r.adopt(n)
	r.State, r.Round = Pending, r.Round+1
	if err := s.content(r, c, n); err != nil {
		return err
	}
	f.spec = &n.process.ProcessSpec
	e := f.auto(EvNext)
	e.Process = r.Name
	f.event(e)
	if err := f.advance(); err != nil {
		return err
	}
	if err := s.scrub(ctx, r); err != nil {
		return err
	}
	if err := s.cfg.Store.Save(ctx, nil, r); err != nil {
		return err
	}
	s.notify()
	return nil
}

func (s *Service) export(ctx context.Context, f *flow, c *Content) error {
	if s.cfg.Exports == nil {
		return fault.New(fault.Conflict, "approval.no_exports", nil)
	}
	if err := s.cfg.Exports.Export(ctx, f.r.Job, c.Order); err != nil {
		return err
	}
	f.event(f.auto(EvApplied))
	f.end(Applied)
	if err := s.scrub(ctx, f.r); err != nil {
		return err
	}
	return s.cfg.Store.Save(ctx, nil, f.r)
}

// failed ends a request that the record refused.
func (s *Service) failed(ctx context.Context, request id.ID, why error) error {
	_, err := s.change(access.With(ctx, access.System()), request, func(f *flow) error {
		if f.r.State != Approved {
			return fault.New(fault.Stale, "approval.gone", nil)
		}
		flt, _ := fault.Find(why)
		if len(flt.Items) > 0 {
			flt = flt.Items[0]
		}
		f.r.Code, f.r.Params = flt.Code, flt.Params
		e := f.auto(EvFailed)
		e.Code = flt.Code
		f.event(e)
		f.end(Failed)
		return nil
	})
	if fault.CodeOf(err) == "approval.gone" {
		return nil
	}
	return err
}

const (
	lookEvery = 5 * time.Second
	lookMany  = 100
)

func (s *Service) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run carries out what was agreed to when a crash came in between, deals with what was not answered in time, and tells people,
// until ctx ends. It may run on several processes.
func (s *Service) Run(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	for {
		if err := s.Tick(ctx); err != nil {
			return fmt.Errorf("requests for agreement: %w", err)
		}
		if err := clock.Pause(ctx, lookEvery, s.wake); err != nil {
			return err
		}
	}
}

// Tick is one round of Run.
func (s *Service) Tick(ctx context.Context) error {
	ctx = access.With(ctx, access.System())
	if _, err := s.present(ctx, nil); err != nil {
		return err
	}
	ready, err := s.cfg.Store.Ready(ctx, lookMany)
	if err != nil {
		return err
	}
	for _, v := range ready {
		if err := s.apply(ctx, v); err != nil {
			s.cfg.Log.Error("approved request not carried out", "request", id.Format(Prefix, v), "error", err)
		}
	}
	late, err := s.cfg.Store.Late(ctx, s.now(), lookMany)
	if err != nil {
		return err
	}
	for _, v := range late {
		_, err := s.change(ctx, v, func(f *flow) error {
			moved, err := f.late()
			if err == nil && !moved {
				err = fault.New(fault.Stale, "approval.gone", nil)
			}
			return err
		})
		if err != nil && fault.CodeOf(err) != "approval.gone" { // the others go on
			s.cfg.Log.Error("overdue request not dealt with", "request", id.Format(Prefix, v), "error", err)
		}
	}
	untold, err := s.cfg.Store.Untold(ctx, lookMany)
	if err != nil {
		return err
	}
	for _, v := range untold {
		r, err := s.cfg.Store.Get(ctx, v)
		if err == nil {
			err = s.tell(ctx, r)
		}
		if err != nil {
			s.cfg.Log.Error("told nobody of a request", "request", id.Format(Prefix, v), "error", err)
		}
	}
	return ctx.Err()
}

// tell tells people what a request asks of them and what became of it, each once: what was told before is known by its key.
func (s *Service) tell(ctx context.Context, r *Request) error {
	if r.Told {
		return nil
	}
	ctx = access.With(ctx, access.System())
	deputy, err := s.deputies(ctx)
	if err != nil {
		return err
	}
	var list []Notice
	key := id.Format(Prefix, r.ID)
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if t.State != TaskPending || t.Told || r.State != Pending {
			continue
		}
		once := "approval:" + id.Format(TaskPrefix, t.ID) + ":" + strconv.FormatInt(t.Due.UnixMilli(), 36)
		list = append(list, Notice{User: t.Person, Request: r, Status: "asked", ByKind: r.By.Kind, By: r.By.ID, Once: once})
		if d := deputy[t.Person]; d != 0 && d != r.By.Person {
			list = append(list, Notice{User: d, Request: r, Status: "asked", ByKind: r.By.Kind, By: r.By.ID, Once: once + ":" + id.Format("usr", d)})
		}
		t.Told = true
	}
	for _, e := range r.Events {
		switch e.Kind {
		case EvReturned, EvFailed, EvApplied, EvWithdrawn, EvCommented, EvNobody:
		case EvRejected:
			if r.State != Rejected {
				continue
			}
		default:
			continue
		}
		to := []id.ID{r.By.Person}
		if e.Kind == EvCommented || e.Kind == EvWithdrawn {
			for _, t := range r.Tasks {
				if (t.State == TaskPending || e.Kind == EvWithdrawn && t.State == TaskCancelled && t.Told) && !slices.Contains(to, t.Person) {
					to = append(to, t.Person)
				}
			}
		}
		for _, user := range to {
			if user == 0 || e.ByKind == access.ByUser && e.By == user {
				continue
			}
			list = append(list, Notice{User: user, Request: r, Status: string(e.Kind), ByKind: e.ByKind, By: e.By, Once: "approval:" + key + ":" + id.Format("ape", e.ID) + ":" + id.Format("usr", user)})
		}
		if s.cfg.Moved != nil {
			if err := s.cfg.Moved(ctx, r, e); err != nil {
				return err
			}
		}
	}
	if err := s.cfg.Tell(ctx, list); err != nil {
		return err
	}
	return s.cfg.Store.SetTold(ctx, r)
}

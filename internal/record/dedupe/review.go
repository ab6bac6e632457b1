package dedupe

import (
	"context"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Trial is what a rule would find.
type Trial struct {
	Scanned int
	Count   int
	Partial bool // there are more records than were looked at
	Pairs   []Pair
}

const (
	trialMost = 50_000 // records of a trial, from the newest
	trialShow = 10
)

// Try says which pairs a rule would find among the newest records. Nothing is stored.
func (s *Service) Try(ctx context.Context, object string, rule Rule) (Trial, error) {
	obj, err := s.object(ctx, object, access.DuplicateManage)
	if err != nil {
		return Trial{}, err
	}
	if err := Check(obj, []Rule{rule}); err != nil {
		return Trial{}, err
	}
	rule.Enabled = true
	c := newComparer(obj, []Rule{rule}, func(*Rule) bool { return true })
	var out Trial
	pairs, err := search(s.cfg.System(ctx), s.cfg.Records, c, trialMost, nil, func(p Progress) { out.Scanned = p.Scanned })
	if err != nil {
		return Trial{}, fmt.Errorf("try rule on %s: %w", object, err)
	}
	out.Count, out.Partial = len(pairs), out.Scanned >= trialMost
	out.Pairs = pairs[:min(trialShow, len(pairs))]
	return out, nil
}

// Start begins a search over all records of an object, or tells of the one that is under way.
func (s *Service) Start(ctx context.Context, object string) (Run, error) {
	obj, err := s.object(ctx, object, access.RecordMerge)
	if err != nil {
		return Run{}, err
	}
	s.mu.Lock()
	if r := s.live[obj.Key]; r != nil {
		run := *r
		s.mu.Unlock()
		return run, nil
	}
	run := Run{ID: s.cfg.IDs.Next(), Object: obj.Key, State: Running, Started: s.cfg.Clock.Now(), By: access.From(ctx).ID}
	s.live[obj.Key] = &run
	s.mu.Unlock()
	if err := s.cfg.Store.SaveRun(ctx, run); err != nil {
		s.mu.Lock()
		delete(s.live, obj.Key)
		s.mu.Unlock()
		return Run{}, fmt.Errorf("start search in %s: %w", object, err)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return run, nil
}

// State is the last search in an object; found is false when there was none.
func (s *Service) State(ctx context.Context, object string) (run Run, found bool, err error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return Run{}, false, err
	}
	s.mu.Lock()
	if r := s.live[obj.Key]; r != nil {
		run, found = *r, true
	}
	s.mu.Unlock()
	if found {
		return run, true, nil
	}
	return s.cfg.Store.LastRun(ctx, obj.Key)
}

// Run carries out searches until ctx ends. One that a crash interrupted begins again.
func (s *Service) Run(ctx context.Context) error {
	ctx = s.cfg.System(ctx)
	for {
		run := s.next()
		if run == nil {
			if err := s.interrupted(ctx); err != nil {
				return err
			}
			if run = s.next(); run == nil {
				if err := clock.Pause(ctx, lookEvery, s.wake); err != nil {
					return err
				}
				continue
			}
		}
		err := s.carryOut(ctx, run)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.mu.Lock()
		run.State, run.Ended = Done, s.cfg.Clock.Now()
		if err != nil {
			run.State = Failed
		}
		done := *run
		delete(s.live, run.Object)
		s.mu.Unlock()
		if err != nil {
			s.cfg.Log.Error("search for duplicates failed", "object", run.Object, "error", err)
		}
		if err := s.cfg.Store.SaveRun(ctx, done); err != nil {
			return fmt.Errorf("end search in %s: %w", run.Object, err)
		}
		s.cfg.Publish(run.Object)
	}
}

// lookEvery is how often the process that searches looks for searches that another one was asked for.
const lookEvery = 5 * time.Second

// interrupted takes up the searches that were running when the program ended, and those that another process was asked for.
func (s *Service) interrupted(ctx context.Context) error {
	for _, o := range s.cfg.Registry().Tables() {
		run, found, err := s.cfg.Store.LastRun(ctx, o.Key)
		if err != nil {
			return fmt.Errorf("read searches: %w", err)
		}
		s.mu.Lock()
		if found && run.State == Running && s.live[o.Key] == nil {
			s.live[o.Key] = &run
		}
		s.mu.Unlock()
	}
	return nil
}

func (s *Service) next() *Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first *Run
	for _, r := range s.live {
		if first == nil || r.ID < first.ID {
			first = r
		}
	}
	return first
}

// saveAtOnce is how many pairs one transaction stores.
const saveAtOnce = 500

func (s *Service) carryOut(ctx context.Context, run *Run) error {
	obj := s.cfg.Registry().Object(run.Object)
	if obj == nil {
		return fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": run.Object})
	}
	rules, err := s.rules(ctx, obj)
	if err != nil {
		return err
	}
	known, err := s.cfg.Store.Known(ctx, obj.Key, nil)
	if err != nil {
		return err
	}
	c := newComparer(obj, rules.Rules, func(r *Rule) bool { return r.on(OnBulk) })
	var pairs []Pair
	if len(c.rules) > 0 {
		pairs, err = search(ctx, s.cfg.Records, c, 0, known, func(p Progress) {
			s.mu.Lock()
			run.Progress = p
			s.mu.Unlock()
		})
		if err != nil {
			return err
		}
	}
	for at := 0; at < len(pairs); at += saveAtOnce {
		if err := s.cfg.Store.SavePairs(ctx, obj.Key, run.ID, pairs[at:min(at+saveAtOnce, len(pairs))]); err != nil {
			return err
		}
	}
	return s.cfg.Store.EndRun(ctx, obj.Key, run.ID)
}

// Reviewed is a group with the records of it that the actor may see.
type Reviewed struct {
	Group
	Records []*record.Record
}

// Review reads a page of groups. Those of which fewer than two records are left are none any more.
func (s *Service) Review(ctx context.Context, object string, q GroupQuery) (groups []Reviewed, total int, err error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, 0, err
	}
	list, total, err := s.cfg.Store.Groups(ctx, obj.Key, q)
	if err != nil {
		return nil, 0, fmt.Errorf("read duplicates of %s: %w", object, err)
	}
	var ids []id.ID
	for i := range list {
		ids = append(ids, list[i].Members()...)
	}
	recs, err := s.cfg.Records.GetMany(ctx, obj.Key, ids, nil)
	if err != nil {
		return nil, 0, err
	}
	byID := make(map[id.ID]*record.Record, len(recs))
	for _, r := range recs {
		byID[r.ID] = r
	}
	var gone []id.ID
	for i := range list {
		g := Reviewed{Group: list[i]}
		for _, v := range list[i].Members() {
			if r := byID[v]; r != nil {
				g.Records = append(g.Records, r)
			}
		}
		if len(g.Records) > 1 {
			groups = append(groups, g)
		} else {
			gone = append(gone, list[i].Members()...)
		}
	}
	return groups, total, s.forget(ctx, obj, gone)
}

// forget drops the pairs of records that are in the recycle bin.
func (s *Service) forget(ctx context.Context, obj *schema.Object, ids []id.ID) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := s.cfg.Records.Compare(s.cfg.System(ctx), obj.Key, ids, nil)
	if err != nil {
		return err
	}
	live := map[id.ID]bool{}
	for i := range rows {
		live[rows[i].ID] = !rows[i].Deleted
	}
	var gone []id.ID
	for _, v := range ids {
		if !live[v] {
			gone = append(gone, v)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.cfg.Store.Drop(ctx, obj.Key, gone)
}

// Decide says of groups that their records are none of the same, puts them off, or takes them up again.
func (s *Service) Decide(ctx context.Context, object string, groups []id.ID, d Decision) (int, error) {
	obj, err := s.object(ctx, object, access.RecordUpdate)
	if err != nil {
		return 0, err
	}
	if d != NotSame && d != Later && d != Open {
		return 0, fault.InvalidField("dedupe.decision", "decision", nil)
	}
	n := 0
	for _, g := range groups {
		k, err := s.cfg.Store.Decide(ctx, obj.Key, g, d, access.From(ctx).ID, s.cfg.Clock.Now().UnixMilli())
		if err != nil {
			return n, fmt.Errorf("decide about duplicates of %s: %w", object, err)
		}
		n += min(k, 1)
	}
	s.cfg.Publish(obj.Key)
	return n, nil
}

// Outcome is what became of merging groups.
type Outcome struct {
	Merged  int // groups
	Records int // that became part of others
	Failed  int
	First   error // of the failures
}

// MergeSure merges groups whose every pair is sure, each into its most complete record; others are left alone.
func (s *Service) MergeSure(ctx context.Context, object string, groups []id.ID) (Outcome, error) {
	var out Outcome
	for _, g := range groups {
		list, _, err := s.Review(ctx, object, GroupQuery{Group: g, Sure: true, Limit: 1})
		if err != nil {
			return out, err
		}
		if len(list) == 0 {
			continue
		}
		req := record.MergeRequest{Object: object, Prefer: record.PreferComplete}
		for _, r := range list[0].Records {
			req.Others = append(req.Others, r.ID)
		}
		n := len(req.Others) - 1
		plan, err := s.cfg.Records.PlanMerge(ctx, req)
		if err == nil {
			req.Survivor = plan.Survivor
			_, err = s.cfg.Records.Merge(ctx, req)
		}
		switch fault.KindOf(err) {
		case fault.Forbidden, fault.Unavailable:
			if err != nil {
				return out, err
			}
		}
		if err != nil {
			if out.Failed++; out.First == nil {
				out.First = err
			}
			continue
		}
		out.Merged, out.Records = out.Merged+1, out.Records+n
		if err := s.cfg.Store.Drop(ctx, object, list[0].Members()); err != nil {
			return out, err
		}
	}
	s.cfg.Publish(object)
	return out, nil
}

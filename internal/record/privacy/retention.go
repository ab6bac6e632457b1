package privacy

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// What a rule counts its months from.
const (
	SinceActivity = "activity" // the last change, and of customers and contacts the last order, whichever came later
	SinceCreated  = "created"
)

// Rule says for how long the records of an object are kept. People are erased (Erasure), records with amounts emptied, everything
// else removed for good; which of these follows from the object.
type Rule struct {
	ID        id.ID
	Object    string
	Name      string
	Months    int
	Basis     string
	Where     *query.Node // nil for all records
	Active    bool
	Version   int64
	CreatedBy id.ID
	CreatedAt time.Time
	UpdatedAt time.Time
}

// RuleRun is what a rule did one night.
type RuleRun struct {
	At     time.Time
	Found  int // records whose time was over
	Done   int
	Held   int // kept since they are on hold
	Failed int
	Error  string
}

// Rules keeps rules.
type Rules interface {
	// SaveRule stores a rule; version 0 inserts, another one than is stored is the Stale privacy.rule_stale.
	SaveRule(ctx context.Context, r *Rule, version int64) error
	GetRule(ctx context.Context, v id.ID) (*Rule, error) // NotFound privacy.rule_unknown
	ListRules(ctx context.Context) ([]*Rule, error)
	DropRule(ctx context.Context, v id.ID) error
	AddRun(ctx context.Context, rule id.ID, r RuleRun) error
	Runs(ctx context.Context, rule id.ID, limit int) ([]RuleRun, error)
	// Idle are live records of an object, behind one, untouched since an instant and by SinceActivity without a fact of theirs since.
	Idle(ctx context.Context, q IdleQuery) ([]id.ID, error)
}

// IdleQuery asks for records that nothing happened to since Before, those behind After.
type IdleQuery struct {
	Object *schema.Object
	Facts  []Fact
	Basis  string
	Before time.Time
	After  id.ID
	Limit  int
}

// Fact is an object whose records prove that somebody was active: by its relation to the person, and when it happened.
type Fact struct {
	Object *schema.Object
	By     *schema.Field
	Time   *schema.Field
}

// facts are the objects with a time that belong to an object's records.
func (s *Service) facts(obj *schema.Object) []Fact {
	var out []Fact
	for _, ref := range s.cfg.Registry().Referrers(obj.Key) {
		o := ref.Object
		t := o.Field(o.TimeField)
		if ref.Field.Type == schema.Relation && t != nil && t.Type == schema.DateTime && FateOf(o) == Emptied && (o.CustomerField == ref.Field.Key || obj.Key != query.Customer) {
			out = append(out, Fact{o, ref.Field, t})
		}
	}
	return out
}

// ActionOf is what a rule does with the records of an object: erase, empty or remove.
func ActionOf(obj *schema.Object) string {
	if record.People(obj) {
		return "erase"
	}
	if FateOf(obj) == Emptied {
		return "empty"
	}
	return "remove"
}

func (s *Service) checkRule(ctx context.Context, r *Rule) error {
	obj := s.cfg.Registry().Object(r.Object)
	if obj == nil || obj.Virtual {
		return fault.InvalidField("record.unknown_object", "object", fault.Params{"object": r.Object})
	}
	if !record.People(obj) && obj.CustomerField == "" {
		return fault.InvalidField("privacy.rule_object", "object", fault.Params{"object": r.Object, "label": obj.Label})
	}
	r.Name = strings.TrimSpace(r.Name)
	var bad []*fault.Fault
	if n := len([]rune(r.Name)); n == 0 || n > 100 {
		bad = append(bad, fault.InvalidField("privacy.rule_name", "name", fault.Params{"max": 100}))
	}
	if r.Months < 1 || r.Months > 600 {
		bad = append(bad, fault.InvalidField("privacy.rule_months", "months", fault.Params{"min": 1, "max": 600}))
	}
	if r.Basis != SinceActivity && r.Basis != SinceCreated {
		bad = append(bad, fault.InvalidField("privacy.rule_basis", "basis", nil))
	}
	if f := fault.Join("record.invalid", bad); f != nil {
		return f
	}
	if r.Where == nil {
		return nil
	}
	return s.cfg.Check(ctx, r.Object, r.Where)
}

// SaveRule makes a rule, or with an ID changes one. It needs PrivacyManage and the right to delete.
func (s *Service) SaveRule(ctx context.Context, r *Rule) (*Rule, error) {
	if err := errors.Join(may(ctx, access.PrivacyManage), may(ctx, access.RecordDelete)); err != nil {
		return nil, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.PrivacyManage)})
	}
	if err := s.checkRule(ctx, r); err != nil {
		return nil, err
	}
	was := r.Version
	r.UpdatedAt = s.now()
	if r.ID == 0 {
		r.ID, r.CreatedAt, r.CreatedBy, was = s.cfg.IDs.Next(), r.UpdatedAt, person(ctx), 0
	}
	if err := s.cfg.Store.SaveRule(ctx, r, was); err != nil {
		return nil, err
	}
	return r, s.cfg.Outside.Note(ctx, "privacy.rule", r.Object, 0, map[string]any{"rule": id.Format(RulePrefix, r.ID), "months": r.Months, "basis": r.Basis, "active": r.Active})
}

// DropRule removes a rule.
func (s *Service) DropRule(ctx context.Context, v id.ID) error {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return err
	}
	r, err := s.cfg.Store.GetRule(ctx, v)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.DropRule(ctx, v); err != nil {
		return err
	}
	return s.cfg.Outside.Note(ctx, "privacy.rule_drop", r.Object, 0, map[string]any{"rule": id.Format(RulePrefix, v)})
}

// RulesWithRuns are the rules, each with what it did the last nights.
func (s *Service) RulesWithRuns(ctx context.Context) ([]*Rule, map[id.ID][]RuleRun, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, nil, err
	}
	list, err := s.cfg.Store.ListRules(ctx)
	runs := map[id.ID][]RuleRun{}
	for _, r := range list {
		if err == nil {
			runs[r.ID], err = s.cfg.Store.Runs(ctx, r.ID, 7)
		}
	}
	return list, runs, err
}

// Rule reads one.
func (s *Service) Rule(ctx context.Context, v id.ID) (*Rule, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	return s.cfg.Store.GetRule(ctx, v)
}

// idleAtOnce is how many records are looked at at a time, runAtMost how many a rule takes a night, so that a rule that was set wrong
// does not empty a workspace before somebody sees it.
const (
	idleAtOnce = 1000
	runAtMost  = 1000
)

// Overdue counts the records whose time is over under a rule, saved or not, and how many of them are on hold.
func (s *Service) Overdue(ctx context.Context, r *Rule) (found, held int, err error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return 0, 0, err
	}
	if err := s.checkRule(ctx, r); err != nil {
		return 0, 0, err
	}
	err = s.overdue(system(ctx), r, func(ids []id.ID) (bool, error) {
		holds, err := s.cfg.Store.Holds(ctx, ids)
		found, held = found+len(ids), held+len(holds)
		return true, err
	})
	return found, held, err
}

// overdue visits the records whose time is over.
func (s *Service) overdue(ctx context.Context, r *Rule, visit func(ids []id.ID) (more bool, err error)) error {
	obj := s.cfg.Registry().Object(r.Object)
	if obj == nil {
		return fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": r.Object})
	}
	fits, err := s.fitting(ctx, r)
	if err != nil {
		return err
	}
	before := s.cfg.Clock.Now().In(s.cfg.Zone()).AddDate(0, -r.Months, 0)
	for after := id.ID(0); ; {
		list, err := s.cfg.Store.Idle(ctx, IdleQuery{Object: obj, Facts: s.facts(obj), Basis: r.Basis, Before: before, After: after, Limit: idleAtOnce})
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1]
		n := len(list)
		kept := list[:0]
		for _, v := range list {
			if fits == nil || fits[v] {
				kept = append(kept, v)
			}
		}
		if len(kept) > 0 {
			if more, err := visit(kept); err != nil || !more {
				return err
			}
		}
		if n < idleAtOnce {
			return nil
		}
	}
}

// fitting are the records that fulfil a rule's condition, nil for a rule without.
func (s *Service) fitting(ctx context.Context, r *Rule) (map[id.ID]bool, error) {
	if r.Where == nil {
		return nil, nil //nolint:nilnil // every record fits
	}
	out := map[id.ID]bool{}
	if s.cfg.Analytic(r.Where) {
		list, err := s.cfg.IDsOf(ctx, r.Object, r.Where)
		for _, v := range list {
			out[v] = true
		}
		return out, err
	}
	err := s.cfg.Records.Keys(ctx, r.Object, record.Query{Where: r.Where}, func(keys []record.Key) error {
		for _, k := range keys {
			out[k.ID] = true
		}
		return nil
	})
	return out, err
}

// RunRules does what the active rules say; the nightly pass calls it.
func (s *Service) RunRules(ctx context.Context) error {
	ctx = system(ctx)
	list, err := s.cfg.Store.ListRules(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range list {
		if !r.Active {
			continue
		}
		run := RuleRun{At: s.now()}
		err := s.runRule(ctx, r, &run)
		if err != nil {
			run.Error = fault.CodeOf(err)
		}
		errs = append(errs, err, s.cfg.Store.AddRun(ctx, r.ID, run))
		errs = append(errs, s.cfg.Outside.Note(ctx, "privacy.retention", r.Object, 0, map[string]any{"rule": id.Format(RulePrefix, r.ID), "found": run.Found, "done": run.Done, "held": run.Held}))
	}
	return errors.Join(errs...)
}

func (s *Service) runRule(ctx context.Context, r *Rule, run *RuleRun) error {
	obj := s.cfg.Registry().Object(r.Object)
	return s.overdue(ctx, r, func(ids []id.ID) (bool, error) {
		holds, err := s.cfg.Store.Holds(ctx, ids)
		if err != nil {
			return false, err
		}
		var free []id.ID
		for _, v := range ids {
			if _, held := holds[v]; !held {
				free = append(free, v)
			}
		}
		run.Found, run.Held = run.Found+len(ids), run.Held+len(holds)
		free = free[:min(len(free), runAtMost-run.Done)]
		done, err := s.apply(ctx, obj, free)
		run.Done += done
		if err != nil {
			run.Failed += len(free) - done
		}
		return run.Done < runAtMost, err
	})
}

// apply does with records whose time is over what their object wants.
func (s *Service) apply(ctx context.Context, obj *schema.Object, ids []id.ID) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	done := 0
	switch ActionOf(obj) {
	case "erase":
		for _, v := range ids {
			_, err := s.order(ctx, Order{Object: obj.Key, Record: v, Reason: Retention}, Queued)
			switch {
			case err == nil:
				done++
			case fault.KindOf(err) != fault.Conflict: // one of the person's records is on hold, or it is being erased already
				return done, err
			}
		}
		return done, nil
	case "empty":
		members := make([]Member, len(ids))
		for i, v := range ids {
			members[i] = Member{obj.Key, v, Emptied}
		}
		for _, part := range s.erasing(members) {
			n, _, err := s.cfg.Records.Erase(ctx, part)
			if err != nil {
				return done, err
			}
			done += n
		}
		if done == 0 { // they were emptied before
			return 0, nil
		}
		_, err := s.scrubbed(ctx, obj, ids, false)
		return done, err
	}
	members := make([]Member, len(ids))
	for i, v := range ids {
		members[i] = Member{obj.Key, v, Gone}
	}
	for _, part := range s.erasing(members) {
		if _, _, err := s.cfg.Records.Erase(ctx, part); err != nil {
			return done, err
		}
	}
	return s.scrubbed(ctx, obj, ids, true)
}

// scrubbed takes what hangs on records that were removed or emptied.
func (s *Service) scrubbed(ctx context.Context, obj *schema.Object, ids []id.ID, keys bool) (int, error) {
	blobs, err := s.cfg.Store.Blobs(ctx, ids)
	if err != nil {
		return 0, err
	}
	for _, name := range blobs {
		if err := s.cfg.Outside.RemoveBlob(name); err != nil {
			return 0, err
		}
	}
	if err := s.cfg.Outside.Settle(ctx); err != nil {
		return 0, err
	}
	printed := make([]string, len(ids))
	for i, v := range ids {
		printed[i] = id.Format(obj.Prefix, v)
	}
	if _, err := s.cfg.Store.Scrub(ctx, ids, printed, s.now()); err != nil {
		return 0, err
	}
	if keys {
		if _, err := s.cfg.Store.DropKeys(ctx, ids); err != nil {
			return 0, err
		}
		for _, v := range ids {
			s.cfg.Outside.ForgetKey(v)
		}
	}
	return len(ids), nil
}

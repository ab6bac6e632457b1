// Package dedupe finds records that may be the same: when one is entered, on the page of one, in an import, and by a search over everything.
//
// What counts is said by rules of each object (Rule): comparisons of fields, exact or by likeness (package match), each with a weight, needed or not, and a
// threshold. Objects without rules of their own use Defaults. A rule is switched on for each occasion by itself, and warns or blocks.
//
// Guarantees. Personal values are compared by their blind index, or opened in memory (addresses) and kept nowhere; blocking keys are hashes under a
// random seed that live in memory for one run. What a person is shown of another record goes through the record engine with the person's own rights: of a
// record the person may not see only the reasons and its owner are told. A pair that somebody said is none is not shown again. A hit is a hint: it merges
// nothing by itself.
//
// Limits. Candidates for one record come from indexes: records in the recycle bin are found by whole values (phone, e-mail, name …), live ones by
// words, pinyin and swapped characters too. In blocks of more than sixty records only neighbours are compared.
package dedupe

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Records is what is needed of the record engine.
type Records interface {
	Compare(ctx context.Context, object string, ids []id.ID, facets []record.Facet) ([]record.Compared, error)
	CompareScan(ctx context.Context, object string, before id.ID, limit int, facets []record.Facet) ([]record.Compared, error)
	CompareInput(ctx context.Context, object string, rec id.ID, in record.Input, facets []record.Facet) (record.Compared, []any, error)
	CompareInputs(ctx context.Context, object string, ins []record.Input, facets []record.Facet) ([]record.Compared, error)
	CompareFind(ctx context.Context, object string, probes []record.Probe, limit int) ([]id.ID, error)
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	PlanMerge(ctx context.Context, req record.MergeRequest) (*record.MergePlan, error)
	Merge(ctx context.Context, req record.MergeRequest) (*record.Merged, error)
}

// Store keeps what was found and decided.
type Store interface {
	// Rules reads the rules of an object; found is false when it has none of its own. Nobody changes what it gives: the next
	// caller may get the same.
	Rules(ctx context.Context, object string) (r Rules, found bool, err error)
	// SaveRules stores rules whose version must be one more than the stored one, else it is a Stale fault.
	SaveRules(ctx context.Context, object string, r Rules) error

	// SavePairs stores pairs of a run; of those that are there the decision to put off stays.
	SavePairs(ctx context.Context, object string, run id.ID, pairs []Pair) error
	// EndRun forgets the pairs of earlier runs that this one did not find.
	EndRun(ctx context.Context, object string, run id.ID) error
	// Groups reads groups, the surest first, with all their pairs.
	Groups(ctx context.Context, object string, q GroupQuery) ([]Group, int, error)
	// Drop forgets the pairs of records.
	Drop(ctx context.Context, object string, ids []id.ID) error
	// Decide remembers that pairs are none and forgets them, or puts groups off or takes them up again.
	Decide(ctx context.Context, object string, group id.ID, d Decision, by id.ID, at int64) (int, error)
	// NotSame remembers that two records are none of the same.
	NotSame(ctx context.Context, object string, pairs [][2]id.ID, by id.ID, at int64) error
	// Known are the pairs that are none: all of an object when ids is nil, else those in which one of ids stands.
	Known(ctx context.Context, object string, ids []id.ID) (map[[2]id.ID]bool, error)

	// Runs reads the last run of an object, SaveRun stores one.
	LastRun(ctx context.Context, object string) (Run, bool, error)
	SaveRun(ctx context.Context, r Run) error
}

// Decision is what somebody says of a group.
type Decision string

// The decisions.
const (
	NotSame Decision = "not_same"
	Later   Decision = "later"
	Open    Decision = "open"
)

// GroupQuery asks for a page of groups.
type GroupQuery struct {
	Later  bool
	Sure   bool // only sure ones
	Offset int
	Limit  int
	Group  id.ID // only this one, 0 for all
}

// Group is records that may all be the same.
type Group struct {
	ID    id.ID
	Score int // of its best pair
	Sure  bool
	Later bool
	Pairs []Pair
}

// Members are the records of a group, the oldest first.
func (g *Group) Members() []id.ID {
	var out []id.ID
	for _, p := range g.Pairs {
		out = append(out, p.A, p.B)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// The states of a run.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Run is a search over everything.
type Run struct {
	ID       id.ID
	Object   string
	State    string
	Progress Progress
	Started  time.Time
	Ended    time.Time
	By       id.ID
}

// Config is what a Service needs; all must be set.
type Config struct {
	Records  Records
	Store    Store
	Registry func() *schema.Registry
	Clock    clock.Clock
	IDs      *id.Generator
	Log      *slog.Logger
	// System gives the program's own rights to a context.
	System func(ctx context.Context) context.Context
	// Publish tells open pages that something changed.
	Publish func(object string)
}

// Service finds duplicates of one workspace. It is safe for concurrent use.
type Service struct {
	cfg  Config
	wake chan struct{}

	mu   sync.Mutex
	live map[string]*Run // of objects that are being searched or wait for it
}

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, wake: make(chan struct{}, 1), live: map[string]*Run{}}
}

// object finds an object whose records can be compared, after asking for a right.
func (s *Service) object(ctx context.Context, key string, right access.Right) (*schema.Object, error) {
	if !access.From(ctx).Can(right) {
		return nil, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(right)})
	}
	obj := s.cfg.Registry().Object(key)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": key})
	}
	return obj, nil
}

// Rules are the rules of an object; the defaults while it has none of its own.
func (s *Service) Rules(ctx context.Context, object string) (Rules, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return Rules{}, err
	}
	return s.rules(ctx, obj)
}

func (s *Service) rules(ctx context.Context, obj *schema.Object) (Rules, error) {
	r, found, err := s.cfg.Store.Rules(ctx, obj.Key)
	if err != nil {
		return Rules{}, fmt.Errorf("read rules of %s: %w", obj.Key, err)
	}
	if !found {
		r = Rules{Rules: Defaults(obj)}
	}
	return r, nil
}

// SaveRules replaces the rules of an object. version is the one the caller saw.
func (s *Service) SaveRules(ctx context.Context, object string, version int64, rules []Rule) (Rules, error) {
	obj, err := s.object(ctx, object, access.DuplicateManage)
	if err != nil {
		return Rules{}, err
	}
	if err := Check(obj, rules); err != nil {
		return Rules{}, err
	}
	r := Rules{Version: version + 1, Rules: rules}
	if err := s.cfg.Store.SaveRules(ctx, obj.Key, r); err != nil {
		return Rules{}, fmt.Errorf("save rules of %s: %w", obj.Key, err)
	}
	return r, nil
}

// Match is a record that may be the same as another.
type Match struct {
	ID      id.ID // 0 when the actor may not see it
	Record  *record.Record
	Owner   id.ID // who may be asked
	Deleted bool
	Score   int
	Rule    string
	Label   schema.Label
	Action  Action
	Sure    bool
	Reasons []Reason
}

// Matches are the records found, the likest first.
type Matches struct {
	Items   []Match
	Blocked bool // a rule that blocks holds
}

const (
	probeMost = 300 // records of one question
	shownMost = 10
)

// Find looks for records that may be the same as one with this input, which is new (rec 0) or changes an existing one.
func (s *Service) Find(ctx context.Context, object string, rec id.ID, in record.Input, when When) (Matches, error) {
	return s.find(ctx, object, rec, in, when, func(*Rule) bool { return true })
}

// Blocking is Find for a write that warnings do not stop: it asks the rules that block alone, and nothing where there are none.
func (s *Service) Blocking(ctx context.Context, object string, rec id.ID, in record.Input) (Matches, error) {
	return s.find(ctx, object, rec, in, OnCreate, func(r *Rule) bool { return r.Action == Block })
}

func (s *Service) find(ctx context.Context, object string, rec id.ID, in record.Input, when When, asked func(*Rule) bool) (Matches, error) {
	// Who may only enter records is warned too: of what they may not see, only the reasons are told.
	need := access.RecordRead
	if when == OnCreate && !access.From(ctx).Can(need) {
		if need = access.RecordCreate; rec != 0 {
			need = access.RecordUpdate
		}
	}
	obj, err := s.object(ctx, object, need)
	if err != nil {
		return Matches{}, err
	}
	rules, err := s.rules(ctx, obj)
	if err != nil {
		return Matches{}, err
	}
	c := newComparer(obj, rules.Rules, func(r *Rule) bool { return asked(r) && r.on(when) && (rec == 0 || when == OnShow || touches(r, in)) })
	if len(c.rules) == 0 {
		return Matches{}, nil
	}
	found, err := s.candidates(s.cfg.System(ctx), c, rec, in)
	if err != nil {
		return Matches{}, fmt.Errorf("look for duplicates of %s: %w", object, err)
	}
	return s.shown(ctx, obj, found)
}

// touches reports whether an input names a field of a rule: an edit of anything else cannot make a duplicate.
func touches(r *Rule, in record.Input) bool {
	return slices.ContainsFunc(r.Parts, func(p Part) bool { _, ok := in[p.Field]; return ok })
}

// candidate is a hit with its record.
type candidate struct {
	hit
	id      id.ID
	deleted bool
}

func (s *Service) candidates(ctx context.Context, c *comparer, rec id.ID, in record.Input) ([]candidate, error) {
	mine, plain, err := s.cfg.Records.CompareInput(ctx, c.obj.Key, rec, in, c.facets)
	if err != nil {
		return nil, err
	}
	me := c.read(&mine)
	ids, err := s.cfg.Records.CompareFind(ctx, c.obj.Key, c.probes(me, plain), probeMost)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(v id.ID) bool { return v == rec })
	if len(ids) == 0 {
		return nil, nil
	}
	known := map[[2]id.ID]bool{}
	if rec != 0 {
		if known, err = s.cfg.Store.Known(ctx, c.obj.Key, []id.ID{rec}); err != nil {
			return nil, err
		}
	}
	rows, err := s.cfg.Records.Compare(ctx, c.obj.Key, ids, c.facets)
	if err != nil {
		return nil, err
	}
	var out []candidate
	for i := range rows {
		v := rows[i].ID
		if known[[2]id.ID{min(v, rec), max(v, rec)}] {
			continue
		}
		if h, ok := c.best(me, c.read(&rows[i])); ok {
			out = append(out, candidate{h, v, rows[i].Deleted})
		}
	}
	slices.SortFunc(out, func(a, b candidate) int { return cmp.Or(b.score-a.score, cmp.Compare(b.id, a.id)) })
	return out, nil
}

// shown describes candidates as far as the actor may see them.
func (s *Service) shown(ctx context.Context, obj *schema.Object, found []candidate) (Matches, error) {
	var out Matches
	owned := obj.Offset("owner") >= 0
	for _, f := range found {
		out.Blocked = out.Blocked || f.rule.Action == Block
		if len(out.Items) == shownMost {
			continue
		}
		m := Match{Deleted: f.deleted, Score: f.score, Rule: f.rule.Key, Label: f.rule.Label, Action: f.rule.Action, Sure: f.rule.Sure, Reasons: f.reasons}
		r, err := s.cfg.Records.Get(ctx, obj.Key, f.id)
		switch fault.KindOf(err) {
		case fault.NotFound, fault.Forbidden:
			if err != nil {
				r = nil
			}
		default:
			if err != nil {
				return Matches{}, err
			}
		}
		if f.deleted && r == nil { // merged or gone meanwhile, or nobody's to see
			continue
		}
		if r != nil {
			m.ID, m.Record = r.ID, r
		}
		if owned {
			rows, err := s.cfg.Records.Compare(s.cfg.System(ctx), obj.Key, []id.ID{f.id}, []record.Facet{{Field: "owner"}})
			if err != nil {
				return Matches{}, err
			}
			if len(rows) == 1 {
				m.Owner, _ = rows[0].Values[0].(id.ID)
			}
		}
		out.Items = append(out.Items, m)
	}
	return out, nil
}

// Dismiss remembers that a record is none of the same as others.
func (s *Service) Dismiss(ctx context.Context, object string, rec id.ID, others []id.ID) error {
	obj, err := s.object(ctx, object, access.RecordUpdate)
	if err != nil {
		return err
	}
	visible, err := s.cfg.Records.GetMany(ctx, obj.Key, append([]id.ID{rec}, others...), []string{})
	if err != nil {
		return err
	}
	if len(visible) != len(others)+1 {
		return fault.New(fault.NotFound, "record.not_found", fault.Params{"object": obj.Key, "label": obj.Label})
	}
	var pairs [][2]id.ID
	for _, o := range others {
		pairs = append(pairs, [2]id.ID{min(rec, o), max(rec, o)})
	}
	return s.cfg.Store.NotSame(ctx, obj.Key, pairs, access.From(ctx).ID, s.cfg.Clock.Now().UnixMilli())
}

package automation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Config is what a Service needs.
type Config struct {
	Store      Store
	Records    Records
	Conditions Conditions
	People     People
	Notices    Notices
	Outbound   Outbound
	Post       Post
	Agreements Agreements
	Segments   Segments
	Watches    WatchStore
	Registry   func() *schema.Registry
	Zone       func() *time.Location
	Base       func() string
	Clock      clock.Clock
	IDs        *id.Generator
	Log        *slog.Logger
	// Wake tells the Runner that there may be something to do; Notify is what sends it.
	Wake   chan struct{}
	Notify func()
	// Paused is told that the program paused a rule, and why.
	Paused func(ctx context.Context, rule id.ID, reason string)
	Past   Past
	// Token is the secret by which other systems begin runs of a rule, and Secret what signs its requests.
	Token  func(rule id.ID, serial int64) string
	Secret func(rule id.ID) string
}

// Service is what people do with rules, and what the followers share. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu       sync.Mutex
	programs map[programKey]compiled

	watchTurn sync.Mutex // one comparison of members at a time
}

type programKey struct {
	rule     id.ID
	revision int64
}

// compiled is a program with the registry that it was checked against, and when.
type compiled struct {
	prog *program
	reg  *schema.Registry
	as   id.ID
	at   time.Time
}

// programFor is how long a program is used before it is checked again, since rights and people change.
const programFor = 30 * time.Second

// New makes a Service.
func New(cfg Config) *Service {
	cfg.Wake = make(chan struct{}, 1)
	cfg.Notify = func() {
		select {
		case cfg.Wake <- struct{}{}:
		default:
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, programs: map[programKey]compiled{}}
}

func (s *Service) paused(ctx context.Context, rule id.ID, reason string) {
	s.cfg.Log.Warn("an automation was paused", "rule", id.Format(Prefix, rule), "reason", reason)
	if s.cfg.Paused != nil {
		s.cfg.Paused(ctx, rule, reason)
	}
}

// actor is who a rule acts as.
func (s *Service) actor(ctx context.Context, rule id.ID, name string, as id.ID) (access.Actor, error) {
	a, err := s.cfg.People.Actor(ctx, as)
	if err != nil {
		if gone(err) {
			return a, &runnerGone{err}
		}
		return a, err
	}
	a.Kind, a.Person, a.ID, a.Name = access.ByRule, as, rule, name
	return a, nil
}

// acting gives the context in which a rule acts, and the program of a revision. A definition that no longer fits is an Invalid fault.
func (s *Service) acting(ctx context.Context, r *Rule, revision int64) (context.Context, *program, error) {
	actor, err := s.actor(ctx, r.ID, r.Name, r.RunAs)
	if err != nil {
		return ctx, nil, err
	}
	acting := access.With(ctx, actor)
	key, reg, now := programKey{r.ID, revision}, s.cfg.Registry(), s.cfg.Clock.Now()
	s.mu.Lock()
	had, ok := s.programs[key]
	s.mu.Unlock()
	if age := now.Sub(had.at); ok && had.reg == reg && had.as == r.RunAs && age >= 0 && age < programFor {
		return acting, had.prog, nil
	}
	def := r.Definition
	if revision != r.Revision {
		if def, err = s.cfg.Store.Revision(ctx, r.ID, revision); err != nil {
			return acting, nil, err
		}
	}
	prog, err := s.compile(acting, def)
	if err != nil {
		return acting, nil, err
	}
	s.mu.Lock()
	s.programs[key] = compiled{prog, reg, r.RunAs, now}
	s.mu.Unlock()
	return acting, prog, nil
}

func allowed(ctx context.Context) error {
	if !access.From(ctx).Can(access.AutomationManage) {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.AutomationManage)})
	}
	return nil
}

// today is the local midnight that a day's counts begin with.
func (s *Service) today() time.Time {
	zone := s.cfg.Zone()
	return clock.DayOf(s.cfg.Clock.Now(), zone).Start(zone)
}

// List gives every rule with how it fares, by name.
func (s *Service) List(ctx context.Context) ([]Rule, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.Rules(ctx, true, s.today())
}

// Get gives one rule.
func (s *Service) Get(ctx context.Context, key id.ID) (Rule, error) {
	if err := allowed(ctx); err != nil {
		return Rule{}, err
	}
	return s.cfg.Store.Rule(ctx, key, s.today())
}

// Names are the names of all rules, for whoever sees what they did.
func (s *Service) Names(ctx context.Context) (map[id.ID]string, error) {
	rules, err := s.cfg.Store.Rules(ctx, false, time.Time{})
	out := make(map[id.ID]string, len(rules))
	for i := range rules {
		out[rules[i].ID] = rules[i].Name
	}
	return out, err
}

// Revisions are those of a rule, newest first.
func (s *Service) Revisions(ctx context.Context, key id.ID) ([]RevisionInfo, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.Revisions(ctx, key)
}

// Change is what a rule is to become; nil leaves what is there.
type Change struct {
	Name        *string
	Description *string
	State       *State // on or off
	RunAs       *id.ID // 0 is the program; needs the right to manage the system, as does another person
	Definition  *Definition
}

// Create makes a rule, switched off unless it says otherwise. Without RunAs it runs as whoever makes it.
func (s *Service) Create(ctx context.Context, c Change) (Rule, error) {
	if err := allowed(ctx); err != nil {
		return Rule{}, err
	}
	rules, err := s.cfg.Store.Rules(ctx, false, time.Time{})
	if err != nil {
		return Rule{}, err
	}
	if len(rules) >= MaxRules {
		return Rule{}, fault.New(fault.Conflict, "automation.too_many", fault.Params{"max": MaxRules})
	}
	who, now := access.From(ctx), s.cfg.Clock.Now().Truncate(time.Millisecond)
	r := Rule{ID: s.cfg.IDs.Next(), State: Off, RunAs: person(who), Version: 1, CreatedBy: person(who), CreatedAt: now}
	if c.Name == nil || c.Definition == nil {
		return Rule{}, fault.InvalidField("automation.bad_name", "name", fault.Params{"max": maxName})
	}
	if err := s.apply(ctx, &r, c, now); err != nil {
		return Rule{}, err
	}
	if err := s.watch(ctx, &r); err != nil {
		return Rule{}, err
	}
	if err := s.cfg.Store.InsertRule(ctx, r); err != nil {
		return Rule{}, err
	}
	return r, nil
}

// person is who an actor is, 0 for programs.
func person(a access.Actor) id.ID {
	if a.Kind == access.ByUser {
		return a.ID
	}
	return a.Person
}

// Update changes a rule over the version that the caller saw. Another definition is another revision; runs under way go on in theirs.
func (s *Service) Update(ctx context.Context, key id.ID, version int64, c Change) (Rule, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return Rule{}, err
	}
	if version != 0 && version != r.Version {
		return Rule{}, fault.New(fault.Stale, "automation.stale", nil)
	}
	was := r
	r.Version++
	if err := s.apply(ctx, &r, c, s.cfg.Clock.Now().Truncate(time.Millisecond)); err != nil {
		return Rule{}, err
	}
	if was.State != On || was.Definition.Trigger.Segment != r.Definition.Trigger.Segment {
		if err := s.watch(ctx, &r); err != nil {
			return Rule{}, err
		}
	}
	if err := s.cfg.Store.UpdateRule(ctx, r); err != nil {
		return Rule{}, err
	}
	s.cfg.Notify()
	return r, nil
}

// apply changes a rule and checks what came out.
func (s *Service) apply(ctx context.Context, r *Rule, c Change, now time.Time) error {
	r.UpdatedBy, r.UpdatedAt = person(access.From(ctx)), now
	if c.Name != nil {
		r.Name = strings.TrimSpace(*c.Name)
	}
	if r.Name == "" || utf8.RuneCountInString(r.Name) > maxName {
		return fault.InvalidField("automation.bad_name", "name", fault.Params{"max": maxName})
	}
	if c.Description != nil {
		r.Description = strings.TrimSpace(*c.Description)
	}
	if utf8.RuneCountInString(r.Description) > maxText {
		return fault.InvalidField("automation.text_too_long", "description", fault.Params{"max": maxText})
	}
	if c.RunAs != nil {
		r.RunAs = *c.RunAs
	}
	if c.Definition != nil && !sameDefinition(*c.Definition, r.Definition) {
		r.Definition = *c.Definition
		r.Revision++
	}
	was := r.State
	if c.State != nil {
		if *c.State != On && *c.State != Off {
			return fault.InvalidField("automation.bad_state", "state", nil)
		}
		r.State, r.Reason = *c.State, ""
	}
	if r.State == On && was != On {
		r.CursorAt = now
	}
	if c.State != nil && *c.State == Off && c.Definition == nil && c.RunAs == nil { // a broken rule can be switched off
		return nil
	}
	return s.vouch(ctx, r)
}

func sameDefinition(a, b Definition) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// vouch asks whether whoever saves a rule may let it act as it is to, and whether it can.
func (s *Service) vouch(ctx context.Context, r *Rule) error {
	who := access.From(ctx)
	if r.RunAs != person(who) || r.RunAs == 0 {
		if !who.Can(access.SystemManage) {
			return fault.InvalidField("automation.run_as_other", "run_as", nil)
		}
	}
	needs := map[StepKind]access.Right{DoCall: access.WebhookManage, DoMail: access.MailSend}
	var missing access.Right
	each(r.Definition.Steps, "steps", func(st *Step, _ string) {
		if right := needs[st.Kind]; right != "" && !who.Can(right) {
			missing = right
		}
	})
	if missing != "" {
		return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(missing)})
	}
	actor, err := s.actor(ctx, r.ID, r.Name, r.RunAs)
	if err != nil {
		if gone(err) {
			return fault.InvalidField("automation.run_as_gone", "run_as", nil)
		}
		return err
	}
	_, err = s.compile(access.With(ctx, actor), r.Definition)
	return err
}

// Check says what is wrong with a definition, nil for nothing; as is who it would run as.
func (s *Service) Check(ctx context.Context, d Definition, as id.ID) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	return s.vouch(ctx, &Rule{RunAs: as, Definition: d})
}

// Delete removes a rule with its runs and its log.
func (s *Service) Delete(ctx context.Context, key id.ID) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	return s.cfg.Store.DeleteRule(ctx, key)
}

// MaxPage is the most runs of one page.
const MaxPage = 100

// Runs are those of a rule, newest first, and where the next page begins.
func (s *Service) Runs(ctx context.Context, f Filter, limit int) ([]Run, id.ID, error) {
	if err := allowed(ctx); err != nil {
		return nil, 0, err
	}
	if limit <= 0 || limit > MaxPage {
		limit = 50
	}
	list, err := s.cfg.Store.Runs(ctx, f, limit+1)
	if err != nil || len(list) <= limit {
		return list, 0, err
	}
	return list[:limit], list[limit-1].ID, nil
}

// RunOf is one run with its steps.
func (s *Service) RunOf(ctx context.Context, key id.ID) (Run, []Log, error) {
	if err := allowed(ctx); err != nil {
		return Run{}, nil, err
	}
	return s.run(ctx, key)
}

func (s *Service) run(ctx context.Context, key id.ID) (Run, []Log, error) {
	list, err := s.cfg.Store.Runs(ctx, Filter{Run: key}, 1)
	if err != nil {
		return Run{}, nil, err
	}
	if len(list) == 0 {
		return Run{}, nil, fault.New(fault.NotFound, "automation.run_not_found", nil)
	}
	steps, err := s.cfg.Store.Steps(ctx, key)
	return list[0], steps, err
}

// Again makes failed runs of a rule go on at the step that failed: one, or all when run is 0.
func (s *Service) Again(ctx context.Context, rule, run id.ID) (int, error) {
	if err := allowed(ctx); err != nil {
		return 0, err
	}
	n, err := s.cfg.Store.Again(ctx, rule, run, s.cfg.Clock.Now().Truncate(time.Millisecond))
	s.cfg.Notify()
	return n, err
}

// Skip leaves out the step at which a run failed.
func (s *Service) Skip(ctx context.Context, key id.ID) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	run, _, err := s.run(ctx, key)
	if err != nil {
		return err
	}
	if run.State != Failed {
		return fault.New(fault.Conflict, "automation.not_failed", nil)
	}
	rule, err := s.cfg.Store.Rule(ctx, run.Rule, s.today())
	if err != nil {
		return err
	}
	_, prog, err := s.acting(ctx, &rule, run.Revision)
	if err != nil {
		return err
	}
	if run.PC < 0 || run.PC >= len(prog.code) {
		return fault.New(fault.Conflict, "automation.not_failed", nil)
	}
	b := batch{s: s, prog: prog, in: &prog.code[run.PC], now: s.cfg.Clock.Now().Truncate(time.Millisecond)}
	run.EndedAt = time.Time{}
	if err := s.cfg.Store.Move(ctx, nil, []Move{b.passed(run, b.in.next, OutSkipped, Detail{People: []string{id.Format("usr", access.From(ctx).ID)}})}, nil); err != nil {
		return err
	}
	s.cfg.Notify()
	return nil
}

// Cancel ends runs that are under way: one, or all when run is 0.
func (s *Service) Cancel(ctx context.Context, rule, run id.ID) (int, error) {
	if err := allowed(ctx); err != nil {
		return 0, err
	}
	return s.cfg.Store.Cancel(ctx, rule, run, s.cfg.Clock.Now().Truncate(time.Millisecond))
}

// Nudge has a run look again that waits for a mail or an answer.
func (s *Service) Nudge(ctx context.Context, run id.ID) error {
	if err := s.cfg.Store.Nudge(ctx, run, s.cfg.Clock.Now().Truncate(time.Millisecond)); err != nil {
		return fmt.Errorf("wake an automation run: %w", err)
	}
	s.cfg.Notify()
	return nil
}

// Manual are the rules that are on and that people begin on records of an object.
func (s *Service) Manual(ctx context.Context, object string) ([]Rule, error) {
	rules, err := s.cfg.Store.Rules(ctx, false, time.Time{})
	return slices.DeleteFunc(rules, func(r Rule) bool {
		return r.State != On || r.Definition.Trigger.Kind != OnManual || r.Definition.Object != object
	}), err
}

// PressAll is Press of everything that fulfils a condition and that the actor sees, but for some.
func (s *Service) PressAll(ctx context.Context, key id.ID, where *query.Node, except map[id.ID]bool, request string) (int, error) {
	r, err := s.cfg.Store.Rule(ctx, key, s.today())
	if err != nil {
		return 0, err
	}
	if where != nil {
		if err := s.cfg.Conditions.Check(ctx, r.Definition.Object, where); err != nil {
			return 0, err
		}
	}
	total := 0
	err = s.cfg.Conditions.All(ctx, r.Definition.Object, where, func(ids []id.ID) error {
		n, err := s.Press(ctx, key, slices.DeleteFunc(slices.Clone(ids), func(v id.ID) bool { return except[v] }), request)
		total += n
		return err
	})
	return total, err
}

// Press begins runs of a rule that people begin, on records that the actor may change, and says how many. Those that the rule's condition
// does not fit are left out. request names the pressing: with the same one nothing begins twice.
func (s *Service) Press(ctx context.Context, key id.ID, records []id.ID, request string) (int, error) {
	r, err := s.cfg.Store.Rule(ctx, key, s.today())
	if err != nil {
		return 0, err
	}
	if r.Definition.Trigger.Kind != OnManual {
		return 0, fault.New(fault.Conflict, "automation.not_manual", nil)
	}
	if r.State != On {
		return 0, fault.New(fault.Conflict, "automation.not_on", nil)
	}
	if !access.From(ctx).May(r.Definition.Object, access.Update) {
		return 0, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.RecordUpdate)})
	}
	acting, prog, err := s.acting(ctx, &r, r.Revision)
	if err != nil {
		return 0, err
	}
	total := 0
	for part := range slices.Chunk(records, askAtOnce) {
		mine, err := s.cfg.Conditions.Changeable(ctx, r.Definition.Object, part)
		if err != nil {
			return total, err
		}
		holds, err := s.cfg.Conditions.Holding(acting, r.Definition.Object, r.Definition.Where, part, false)
		if err != nil {
			return total, fmt.Errorf("ask the condition of an automation: %w", err)
		}
		var runs []Run
		for _, v := range part {
			if mine[v] && holds[v] {
				run := s.fresh(&r, prog, v, "m"+request)
				run.By = person(access.From(ctx))
				runs = append(runs, run)
			}
		}
		n, err := s.cfg.Store.Start(ctx, runs)
		if total += n; err != nil {
			return total, err
		}
	}
	s.cfg.Notify()
	return total, nil
}

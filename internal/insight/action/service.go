package action

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Language checks conditions about customers; what it refuses cannot be saved.
type Language interface {
	Check(ctx context.Context, where *query.Node, self string) error
}

// Doer does what is accepted, with the rights of whoever accepts.
type Doer interface {
	// See fails with fault.NotFound where the customer is not seen.
	See(ctx context.Context, customer id.ID) error
	// Task makes a task for who looks after the customer.
	Task(ctx context.Context, customer id.ID, p *Play, locale lang.Locale) (id.ID, error)
	// Begin begins a rule on the customer; an own fault where its condition does not fit him.
	Begin(ctx context.Context, rule id.ID, customer id.ID, request string) error
	// Begins reports whether there is such a rule.
	Begins(ctx context.Context, rule id.ID) (bool, error)
}

// Config is what a Service is made of; all parts are required.
type Config struct {
	Keeper   Keeper
	Facts    Facts
	Language Language
	Doer     Doer
	// Guards hold for every play.
	Guards []*query.Node
	// Consent is the trait that tells whether marketing on a channel is agreed to, "" for a channel that nobody is asked about.
	Consent func(channel string) string
	// Learned is the model's state in use, and its options.
	Learned func(ctx context.Context) (state, options json.RawMessage, err error)
	// Changed is told when plays or decisions changed; rank says that everybody is to be ranked anew.
	Changed func(ctx context.Context, rank bool)
	Clock   clock.Clock
	Today   func() clock.Day // by the calendar
	IDs     func() id.ID
}

// Service are the plays of a workspace, and the model that ranks them. It is safe for concurrent use.
type Service struct{ c Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c} }

func may(ctx context.Context, r access.Right) error {
	if access.From(ctx).Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(r)})
}

func (s *Service) plays(ctx context.Context) ([]Play, error) {
	saved, err := s.c.Keeper.Plays(ctx)
	return All(saved), err
}

func (s *Service) condition(p *Play) *query.Node { return p.Condition(s.c.Guards, s.c.Consent) }

// Condition is whom a play is for, guard rails included.
func (s *Service) Condition(p *Play) *query.Node { return s.condition(p) }

// Standing is a play with what the last pass found and what became of it.
type Standing struct {
	Play
	Tally   Tally
	Known   bool // there is a tally
	Outcome Outcome
	Result  Result
	Finding *Finding
}

// Overview is all plays.
type Overview struct {
	Plays        []Standing
	AtMost, Span int
}

// Overview gives all plays.
func (s *Service) Overview(ctx context.Context) (o Overview, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return o, err
	}
	all, err := s.plays(ctx)
	if err != nil {
		return o, err
	}
	tallies, err := s.c.Keeper.Tallies(ctx)
	if err != nil {
		return o, err
	}
	outcomes, err := s.c.Keeper.Outcomes(ctx)
	if err != nil {
		return o, err
	}
	raw, given, err := s.c.Learned(ctx)
	if err != nil {
		return o, err
	}
	var st state
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &st); err != nil {
			return o, err
		}
	}
	set, err := readOptions(given)
	if err != nil {
		return o, err
	}
	o.AtMost, o.Span = int(set.AtMost), int(set.Span)
	for _, p := range all {
		v := Standing{Play: p, Outcome: outcomes[p.Key]}
		v.Tally, v.Known = tallies[p.Key]
		v.Known = v.Known && p.On
		v.Result = Judge(&p, v.Outcome)
		if i := slices.IndexFunc(st.Findings, func(f Finding) bool { return f.Play == p.Key }); i >= 0 {
			v.Finding = &st.Findings[i]
		}
		o.Plays = append(o.Plays, v)
	}
	return o, nil
}

// Find finds a play: fault.NotFound action.unknown.
func (s *Service) Find(ctx context.Context, key string) (Play, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Play{}, err
	}
	return s.find(ctx, key)
}

func (s *Service) find(ctx context.Context, key string) (Play, error) {
	all, err := s.plays(ctx)
	if err != nil {
		return Play{}, err
	}
	for _, p := range all {
		if p.Key == key {
			return p, nil
		}
	}
	return Play{}, fault.New(fault.NotFound, "action.unknown", fault.Params{"key": key})
}

// Names are the names of all plays by key.
func (s *Service) Names(ctx context.Context) (map[string]schema.Label, error) {
	all, err := s.plays(ctx)
	out := map[string]schema.Label{}
	for _, p := range all {
		out[p.Key] = p.Label
	}
	return out, err
}

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Limits of a play.
const (
	maxLabel = 40
	maxWhat  = 400
	maxPlays = 40
)

// Save makes or changes a play whose version the caller has seen (0 for none, or for any).
func (s *Service) Save(ctx context.Context, p Play) (Play, error) {
	return s.save(ctx, p, s.c.Doer.Begins)
}

// Bring makes or changes a play as a configuration has it. One whose rule cannot be begun yet, as rules that came along are switched off, is off.
func (s *Service) Bring(ctx context.Context, p Play) (Play, error) {
	if p.Kind == Rule {
		ready, err := s.c.Doer.Begins(ctx, p.Rule)
		if err != nil {
			return p, err
		}
		p.On = p.On && ready
	}
	return s.save(ctx, p, func(context.Context, id.ID) (bool, error) { return p.Rule != 0, nil })
}

func (s *Service) save(ctx context.Context, p Play, begins func(ctx context.Context, rule id.ID) (bool, error)) (Play, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return p, err
	}
	if err := s.Check(ctx, &p, s.c.Language, begins); err != nil {
		return p, err
	}
	all, err := s.plays(ctx)
	if err != nil {
		return p, err
	}
	i := slices.IndexFunc(all, func(o Play) bool { return o.Key == p.Key })
	if i < 0 && len(all) >= maxPlays {
		return p, fault.New(fault.Conflict, "action.too_many", fault.Params{"max": maxPlays})
	}
	var was int64
	if i >= 0 {
		was = all[i].Version
		p.Standard = all[i].Standard
	}
	if p.Version != 0 && p.Version != was {
		return p, fault.New(fault.Stale, "action.stale", fault.Params{"key": p.Key, "version": was})
	}
	p.Version, p.UpdatedAt, p.UpdatedBy = was+1, s.c.Clock.Now(), access.From(ctx).ID
	if err := s.c.Keeper.SavePlay(ctx, p); err != nil {
		return p, err
	}
	s.c.Changed(ctx, true)
	return p, nil
}

// Drop removes a play of the company's own; a standard one becomes again what it was.
func (s *Service) Drop(ctx context.Context, key string) error {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return err
	}
	if _, err := s.find(ctx, key); err != nil {
		return err
	}
	if err := s.c.Keeper.DropPlay(ctx, key); err != nil {
		return err
	}
	s.c.Changed(ctx, true)
	return nil
}

// bounds are the numbers of a play with what they may be.
func (p *Play) bounds() []struct {
	field          string
	v, least, most float64
} {
	return []struct {
		field          string
		v, least, most float64
	}{
		{"due", float64(p.Due), 0, 365}, {"lift", p.Lift, 0, 1}, {"amount", float64(p.Amount), 0, 1e12}, {"cost", float64(p.Cost), 0, 1e12},
		{"window", float64(p.Window), 1, 365}, {"rest", float64(p.Rest), 1, 1095}, {"held", float64(p.Held), 0, 50},
	}
}

// Check finds what stands against a play, in a language and among rules that need not be those of now.
func (s *Service) Check(ctx context.Context, p *Play, l Language, begins func(ctx context.Context, rule id.ID) (bool, error)) error {
	var bad []*fault.Fault
	p.Label, p.What = trim(p.Label), trim(p.What)
	if !keyShape.MatchString(p.Key) {
		bad = append(bad, fault.InvalidField("action.bad_key", "key", nil))
	}
	if len(p.Label) == 0 {
		bad = append(bad, fault.InvalidField("action.label_required", "label", nil))
	}
	if tooLong(p.Label, maxLabel) {
		bad = append(bad, fault.InvalidField("action.too_long", "label", fault.Params{"max": maxLabel}))
	}
	if tooLong(p.What, maxWhat) {
		bad = append(bad, fault.InvalidField("action.too_long", "what", fault.Params{"max": maxWhat}))
	}
	if !slices.Contains([]Kind{Task, Rule, Note}, p.Kind) {
		bad = append(bad, fault.InvalidField("action.bad_value", "kind", nil))
	}
	if !slices.Contains([]Worth{Basket, Year, Future, Fixed}, p.Worth) {
		bad = append(bad, fault.InvalidField("action.bad_value", "worth", nil))
	}
	for _, b := range p.bounds() {
		if !(b.v >= b.least && b.v <= b.most) {
			bad = append(bad, fault.InvalidField("action.out_of_bounds", b.field, fault.Params{"least": b.least, "most": b.most}))
		}
	}
	for _, c := range p.Reach {
		if s.c.Consent(c) == "" {
			bad = append(bad, fault.InvalidField("action.bad_channel", "reach", fault.Params{"channel": c}))
		}
	}
	if p.Kind == Rule {
		ok, err := begins(ctx, p.Rule)
		if err != nil {
			return err
		}
		if !ok {
			bad = append(bad, fault.InvalidField("action.no_rule", "rule", nil))
		}
	} else {
		p.Rule = 0
	}
	if audience := p.Audience(); audience != nil {
		if err := l.Check(ctx, audience, ""); err != nil {
			f, ok := fault.Find(err)
			if !ok {
				return err
			}
			bad = append(bad, f.At("where"))
		}
	}
	if f := fault.Join("action.invalid", bad); f != nil {
		return f
	}
	return nil
}

func tooLong(l schema.Label, most int) bool {
	for _, v := range l {
		if len([]rune(v)) > most {
			return true
		}
	}
	return false
}

// Reach is how many customers a play that need not be saved is for: by its audience, and with guard rails.
func (s *Service) Reach(ctx context.Context, p Play) (meant, eligible int64, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return 0, 0, err
	}
	audience := p.Audience()
	if audience != nil {
		if err := s.c.Language.Check(ctx, audience, ""); err != nil {
			if f, ok := fault.Find(err); ok {
				return 0, 0, f.At("where")
			}
			return 0, 0, err
		}
	}
	if meant, err = s.c.Facts.Count(ctx, audience); err != nil {
		return 0, 0, err
	}
	eligible, err = s.c.Facts.Count(ctx, s.condition(&p))
	return meant, eligible, err
}

// Next is what to do for a customer.
type Next struct {
	Stage  string
	Offers []Offer
	Full   bool // as much was done lately as may be
	Past   []Choice
}

const pastShown = 5

// For works out what to do for a customer now.
func (s *Service) For(ctx context.Context, customer id.ID) (n Next, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return n, err
	}
	if err := s.c.Doer.See(ctx, customer); err != nil {
		return n, err
	}
	prep, err := s.now(ctx, customer)
	if err != nil {
		return n, err
	}
	if n.Past, err = s.c.Keeper.History(ctx, customer, pastShown); err != nil {
		return n, err
	}
	n.Full = prep.full(int64(customer))
	n.Stage, n.Offers, err = s.eligible(ctx, prep, customer)
	n.Offers = n.Offers[:min(len(n.Offers), Shown)]
	return n, err
}

func (s *Service) now(ctx context.Context, customer id.ID) (*prepared, error) {
	raw, given, err := s.c.Learned(ctx)
	if err != nil {
		return nil, err
	}
	return s.prepare(ctx, raw, given, []id.ID{customer})
}

// Decision is what somebody decides about a play for a customer.
type Decision struct {
	Play     string
	Customer id.ID
	Pick     Pick
	Reason   string
	Days     int // of a snooze
	Locale   lang.Locale
}

const maxReason = 500

// Decide records a decision by the person who decides; what is taken is done at once. A play that may not be said to the customer now is a
// Conflict action.not_now.
func (s *Service) Decide(ctx context.Context, d Decision) (Choice, error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return Choice{}, err
	}
	if !slices.Contains([]Pick{Taken, Dismissed, Snoozed}, d.Pick) {
		return Choice{}, fault.InvalidField("action.bad_value", "pick", nil)
	}
	if len([]rune(d.Reason)) > maxReason {
		return Choice{}, fault.InvalidField("action.too_long", "reason", fault.Params{"max": maxReason})
	}
	if d.Pick == Snoozed && (d.Days < 1 || d.Days > 365) {
		return Choice{}, fault.InvalidField("action.out_of_bounds", "days", fault.Params{"least": 1, "most": 365})
	}
	if err := s.c.Doer.See(ctx, d.Customer); err != nil {
		return Choice{}, err
	}
	if _, err := s.find(ctx, d.Play); err != nil {
		return Choice{}, err
	}
	prep, err := s.now(ctx, d.Customer)
	if err != nil {
		return Choice{}, err
	}
	stage, offers, err := s.eligible(ctx, prep, d.Customer)
	if err != nil {
		return Choice{}, err
	}
	i := slices.IndexFunc(offers, func(o Offer) bool { return o.Play.Key == d.Play })
	if i < 0 {
		return Choice{}, fault.New(fault.Conflict, "action.not_now", nil)
	}
	o := offers[i]
	now := s.c.Clock.Now()
	c := Choice{ID: s.c.IDs(), Play: d.Play, Customer: d.Customer, Pick: d.Pick, Reason: strings.TrimSpace(d.Reason), At: now, Day: prep.today, By: access.From(ctx).ID, Stage: stage,
		Gain: o.Gain, Learned: o.Learned, To: prep.today + clock.Day(o.Play.Window), Until: prep.today + clock.Day(o.Play.Rest)}
	if d.Pick == Snoozed {
		c.Until = prep.today + clock.Day(d.Days)
	}
	if err := s.c.Keeper.Choose(ctx, c); err != nil {
		return c, err
	}
	if d.Pick == Taken {
		if c.Task, err = s.do(ctx, &o, c, d.Locale); err != nil { // nothing was done: nothing was decided
			return c, errors.Join(err, s.c.Keeper.Unchoose(context.WithoutCancel(ctx), c.ID))
		}
		if c.Task != 0 {
			if err := s.c.Keeper.Made(ctx, c.ID, c.Task); err != nil {
				return c, err
			}
		}
	}
	s.c.Changed(ctx, false)
	return c, nil
}

func (s *Service) do(ctx context.Context, o *Offer, c Choice, locale lang.Locale) (id.ID, error) {
	switch o.Play.Kind {
	case Task:
		return s.c.Doer.Task(ctx, c.Customer, o.Play, locale)
	case Rule:
		return 0, s.c.Doer.Begin(ctx, o.Play.Rule, c.Customer, id.Format("act", c.ID))
	}
	return 0, nil
}

// Work is a page of what is to be done, the highest gain first. What was decided since the last pass is left out, so that a page may hold
// less than it could.
func (s *Service) Work(ctx context.Context, n Need) (lines []Line, total int64, err error) {
	if err := may(ctx, access.SegmentRead); err != nil {
		return nil, 0, err
	}
	lines, total, err = s.c.Facts.Work(ctx, n)
	if err != nil || len(lines) == 0 {
		return lines, total, err
	}
	who := make([]id.ID, 0, len(lines))
	for _, l := range lines {
		who = append(who, l.Customer)
	}
	slices.Sort(who)
	who = slices.Compact(who)
	_, given, err := s.c.Learned(ctx)
	if err != nil {
		return nil, 0, err
	}
	o, err := readOptions(given)
	if err != nil {
		return nil, 0, err
	}
	r := ranker{today: s.c.Today(), atMost: int(o.AtMost), span: int(o.Span), past: map[int64][]Choice{}}
	past, err := s.c.Keeper.Choices(ctx, r.today, r.today-clock.Day(r.span), who)
	if err != nil {
		return nil, 0, err
	}
	for _, c := range past {
		r.past[int64(c.Customer)] = append(r.past[int64(c.Customer)], c)
	}
	return slices.DeleteFunc(lines, func(l Line) bool {
		return r.full(int64(l.Customer)) || rest(r.past[int64(l.Customer)], l.Play, r.today)
	}), total, nil
}

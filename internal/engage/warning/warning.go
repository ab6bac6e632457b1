// Package warning has people look after customers who may be leaving: rules say of whom, by how sure the model of churn is, a condition and a
// segment, and each makes a task with an assignee and a day by which it is due.
//
// Guarantees. A rule makes no second task for a customer while one of it is open, nor within its days of rest, nor for one whom the customer was
// merged with. A task and what is remembered of it are stored in one transaction, so that a crash leaves both or neither. A rule makes at most so
// many tasks a day, for the likeliest to leave first.
//
// What came of it is counted, not explained: customers whose task was done differ from the others in more than that.
//
// The package knows no SQL and no HTTP.
package warning

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Prefix begins the ids of rules.
const Prefix = "cwr"

// Rule says of whom somebody is told, and whom.
type Rule struct {
	ID      id.ID
	Version int64
	Name    string
	Off     bool
	Risk    int         // percent from which on the model warns; 0 asks nothing of it
	Segment string      // key; "" is everyone
	Where   *query.Node // nil is no condition
	Owner   bool        // the customer's owner gets the task where there is one
	Person  id.ID       // gets the tasks of customers without an owner, or all
	Due     int         // days until the task is due
	Rest    int         // days after a task in which the customer gets no other of the rule
	Back    int         // days after a task in which a purchase counts as having come back
	Most    int         // tasks a day
	Note    string      // what to do
	By      id.ID
	At      time.Time
}

// Warning is a task that a rule made.
type Warning struct {
	ID       id.ID
	Rule     id.ID
	Customer id.ID
	Task     id.ID
	Day      clock.Day // local day on which it was made
	At       time.Time
	Back     clock.Day // day of the purchase that was seen afterwards, 0 for none
}

// Task is how a task stands.
type Task struct{ Open, Done bool }

// Store keeps rules and warnings.
type Store interface {
	Rules(ctx context.Context) ([]Rule, error)
	// Save stores a rule; version 0 inserts, another one than is stored is the Stale warning.stale.
	Save(ctx context.Context, r *Rule, version int64) error
	Drop(ctx context.Context, rule id.ID) error // NotFound warning.unknown_rule
	// Latest are the newest warnings of a rule about customers, and about those who were merged into them.
	Latest(ctx context.Context, rule id.ID, customers []id.ID) (map[id.ID]Warning, error)
	// Since counts the warnings of a rule from a day on.
	Since(ctx context.Context, rule id.ID, day clock.Day) (int, error)
	// All are the newest warnings of a rule.
	All(ctx context.Context, rule id.ID, limit int) ([]Warning, error)
	// Waiting are warnings of a rule from a day on after which no purchase was seen.
	Waiting(ctx context.Context, rule id.ID, from clock.Day) ([]Warning, error)
	Returned(ctx context.Context, warnings []id.ID, day clock.Day) error
}

// Customers answers conditions about customers.
type Customers interface {
	Check(ctx context.Context, where *query.Node) error
	// Likeliest are those a condition finds, the likeliest to leave first.
	Likeliest(ctx context.Context, where *query.Node, limit int) ([]id.ID, error)
	Count(ctx context.Context, where *query.Node) (int, error)
	// Among are those of some that a condition finds.
	Among(ctx context.Context, where *query.Node, customers []id.ID) (map[id.ID]bool, error)
	Owners(ctx context.Context, customers []id.ID) (map[id.ID]id.ID, error)
}

// Making is a task to be made.
type Making struct {
	Customer, Assignee id.ID
	Subject, Note      string
	Due                time.Time
}

// Tasks makes tasks and reads how they stand.
type Tasks interface {
	// Make makes them, and stores the warning of each, with the task's id, in the same transaction. Those that are refused are left out.
	Make(ctx context.Context, list []Making, warnings []Warning) (made int, err error)
	Standing(ctx context.Context, tasks []id.ID) (map[id.ID]Task, error)
	// Present are those of people who are here.
	Present(ctx context.Context, people []id.ID) (map[id.ID]bool, error)
}

// Config is what a Service works with.
type Config struct {
	Store     Store
	Customers Customers
	Tasks     Tasks
	Clock     clock.Clock
	Zone      func() *time.Location
	NewID     func() id.ID
}

// Service is the warnings of one workspace. It is safe for concurrent use; runs must not overlap, which their job sees to.
type Service struct{ c Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c} }

// The bounds of a rule.
const (
	MaxRules = 50
	MaxName  = 60
	MaxDays  = 365
	MaxTasks = 500
)

// Check says what is wrong with a rule.
func (s *Service) check(ctx context.Context, r *Rule) error {
	r.Name, r.Note, r.Segment = strings.TrimSpace(r.Name), strings.TrimSpace(r.Note), strings.TrimSpace(r.Segment)
	within := func(v, least, most int) bool { return v >= least && v <= most }
	bad := ""
	switch {
	case r.Name == "" || utf8.RuneCountInString(r.Name) > MaxName:
		bad = "name"
	case !within(r.Risk, 0, 99):
		bad = "risk"
	case r.Risk == 0 && r.Where == nil && r.Segment == "":
		return fault.InvalidField("warning.everyone", "risk", nil)
	case !within(r.Due, 0, MaxDays):
		bad = "due"
	case !within(r.Rest, 0, MaxDays):
		bad = "rest"
	case !within(r.Back, 1, MaxDays):
		bad = "back"
	case !within(r.Most, 1, MaxTasks):
		bad = "most"
	case utf8.RuneCountInString(r.Note) > 2000:
		bad = "note"
	}
	if bad != "" {
		return fault.InvalidField("warning.bad_value", bad, fault.Params{"days": MaxDays, "tasks": MaxTasks, "chars": MaxName})
	}
	here, err := s.c.Tasks.Present(ctx, []id.ID{r.Person})
	if err != nil {
		return err
	}
	if !here[r.Person] {
		return fault.InvalidField("warning.nobody", "person", nil)
	}
	return s.c.Customers.Check(ctx, r.Condition())
}

// Condition finds whom a rule is about.
func (r *Rule) Condition() *query.Node {
	all := &query.Node{}
	if r.Risk > 0 {
		all.All = append(all.All, &query.Node{Trait: "churn_risk", Op: ">=", Value: Share(r.Risk)})
	}
	if r.Segment != "" {
		all.All = append(all.All, &query.Node{Segment: r.Segment, Op: "in"})
	}
	if r.Where != nil {
		all.All = append(all.All, r.Where)
	}
	if len(all.All) == 1 {
		return all.All[0]
	}
	return all
}

// Rules are all rules by name.
func (s *Service) Rules(ctx context.Context) ([]Rule, error) {
	list, err := s.c.Store.Rules(ctx)
	slices.SortFunc(list, func(a, b Rule) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, err
}

// Rule is one of them; NotFound warning.unknown_rule.
func (s *Service) Rule(ctx context.Context, rule id.ID) (Rule, error) {
	list, err := s.c.Store.Rules(ctx)
	if err != nil {
		return Rule{}, err
	}
	for _, r := range list {
		if r.ID == rule {
			return r, nil
		}
	}
	return Rule{}, fault.New(fault.NotFound, "warning.unknown_rule", nil)
}

// Save stores a rule; one without an id is new. Version is the one that was seen.
func (s *Service) Save(ctx context.Context, r Rule) (Rule, error) {
	if err := s.check(ctx, &r); err != nil {
		return r, err
	}
	seen := r.Version
	if r.ID == 0 {
		list, err := s.c.Store.Rules(ctx)
		if err != nil {
			return r, err
		}
		if len(list) >= MaxRules {
			return r, fault.New(fault.Conflict, "warning.too_many", fault.Params{"max": MaxRules})
		}
		seen, r.ID = 0, s.c.NewID()
	}
	r.By, r.At, r.Version = access.From(ctx).Person, s.c.Clock.Now(), seen+1
	return r, s.c.Store.Save(ctx, &r, seen)
}

// Drop removes a rule with what is remembered of it; its tasks stay.
func (s *Service) Drop(ctx context.Context, rule id.ID) error { return s.c.Store.Drop(ctx, rule) }

// Preview is whom a rule would be about now: how many, and for how many of them it would make a task today.
type Preview struct{ Found, Now int }

// Preview asks a rule that need not be stored.
func (s *Service) Preview(ctx context.Context, r Rule) (p Preview, err error) {
	if err := s.check(ctx, &r); err != nil {
		return p, err
	}
	if p.Found, err = s.c.Customers.Count(ctx, r.Condition()); err != nil {
		return p, err
	}
	list, err := s.chosen(ctx, &r)
	p.Now = len(list)
	return p, err
}

func (s *Service) today() clock.Day { return clock.DayOf(s.c.Clock.Now(), s.c.Zone()) }

// reach is how many customers are looked at for each task that may be made, so that those at rest do not stand in the way of the others.
const reach = 200_000

// portion is how many customers are asked about at once.
const portion = 500

// chosen are those for whom a rule makes a task now, the likeliest to leave first.
func (s *Service) chosen(ctx context.Context, r *Rule) (out []id.ID, err error) {
	today := s.today()
	room := r.Most
	if r.ID != 0 {
		n, err := s.c.Store.Since(ctx, r.ID, today)
		if err != nil {
			return nil, err
		}
		room -= n
	}
	if room <= 0 {
		return nil, nil
	}
	all, err := s.c.Customers.Likeliest(ctx, r.Condition(), reach)
	for part := range slices.Chunk(all, portion) {
		if err != nil || len(out) >= room {
			break
		}
		var free []id.ID
		free, err = s.free(ctx, r, part, today)
		out = append(out, free...)
	}
	return out[:min(len(out), room)], err
}

// free are those of customers who have no open task of a rule and are not at rest.
func (s *Service) free(ctx context.Context, r *Rule, customers []id.ID, today clock.Day) ([]id.ID, error) {
	if r.ID == 0 {
		return customers, nil
	}
	latest, err := s.c.Store.Latest(ctx, r.ID, customers)
	if err != nil {
		return nil, err
	}
	var tasks []id.ID
	for _, w := range latest {
		tasks = append(tasks, w.Task)
	}
	slices.Sort(tasks)
	standing, err := s.c.Tasks.Standing(ctx, tasks)
	var out []id.ID
	for _, c := range customers {
		w, warned := latest[c]
		if !warned || !standing[w.Task].Open && int(today-w.Day) >= max(1, r.Rest) {
			out = append(out, c)
		}
	}
	return out, err
}

// Run makes the tasks of all rules and sees who came back; the first fault is returned after all rules had their turn.
func (s *Service) Run(ctx context.Context) (made int, err error) {
	rules, err := s.c.Store.Rules(ctx)
	if err != nil {
		return 0, err
	}
	var first error
	for i := range rules {
		n, err := s.run(ctx, &rules[i])
		made += n
		if first == nil {
			first = err
		}
	}
	return made, first
}

func (s *Service) run(ctx context.Context, r *Rule) (int, error) {
	if err := s.returned(ctx, r); err != nil {
		return 0, err
	}
	if r.Off {
		return 0, nil
	}
	list, err := s.chosen(ctx, r)
	made := 0
	for part := range slices.Chunk(list, portion) {
		if err != nil {
			break
		}
		var n int
		n, err = s.make(ctx, r, part)
		made += n
	}
	return made, err
}

func (s *Service) make(ctx context.Context, r *Rule, customers []id.ID) (int, error) {
	owners := map[id.ID]id.ID{}
	present := map[id.ID]bool{}
	if r.Owner {
		var err error
		if owners, err = s.c.Customers.Owners(ctx, customers); err != nil {
			return 0, err
		}
		var people []id.ID
		for _, o := range owners {
			people = append(people, o)
		}
		slices.Sort(people)
		if present, err = s.c.Tasks.Present(ctx, slices.Compact(people)); err != nil {
			return 0, err
		}
	}
	now, today := s.c.Clock.Now(), s.today()
	due := time.Date(1970, 1, 1+int(today)+r.Due, 18, 0, 0, 0, s.c.Zone())
	list, warnings := make([]Making, len(customers)), make([]Warning, len(customers))
	for i, c := range customers {
		who := r.Person
		if o := owners[c]; present[o] {
			who = o
		}
		list[i] = Making{Customer: c, Assignee: who, Subject: r.Name, Note: r.Note, Due: due}
		warnings[i] = Warning{ID: s.c.NewID(), Rule: r.ID, Customer: c, Day: today, At: now}
	}
	return s.c.Tasks.Make(ctx, list, warnings)
}

// returned sees who bought after a warning, in time to count.
func (s *Service) returned(ctx context.Context, r *Rule) error {
	waiting, err := s.c.Store.Waiting(ctx, r.ID, s.today()-clock.Day(r.Back)) //nolint:gosec // at most a year
	if err != nil {
		return err
	}
	byDay := map[clock.Day][]Warning{}
	var days []clock.Day
	for _, w := range waiting {
		if byDay[w.Day] == nil {
			days = append(days, w.Day)
		}
		byDay[w.Day] = append(byDay[w.Day], w)
	}
	slices.Sort(days)
	for _, d := range days {
		bought := &query.Node{All: []*query.Node{{Trait: "last_order_day", Op: ">=", Value: Text((d + 1).String())},
			{Trait: "last_order_day", Op: "<=", Value: Text((d + clock.Day(r.Back)).String())}}} //nolint:gosec // at most a year
		for part := range slices.Chunk(byDay[d], portion) {
			ids := make([]id.ID, len(part))
			for i, w := range part {
				ids[i] = w.Customer
			}
			found, err := s.c.Customers.Among(ctx, bought, ids)
			if err != nil {
				return err
			}
			var back []id.ID
			for _, w := range part {
				if found[w.Customer] {
					back = append(back, w.ID)
				}
			}
			if err := s.c.Store.Returned(ctx, back, s.today()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Results are what came of the newest warnings of a rule. Of a task that was removed only that it was made is counted.
type Results struct {
	Made, Open, Done, Other int
	DoneBack, OtherBack     int // came back in time, of those whose task was done and of all others
	Ripe, DoneRipe          int // whose time is over, all and done
	Last                    time.Time
}

// counted is how many warnings of a rule results are made of.
const counted = 10_000

// Results counts what came of a rule.
func (s *Service) Results(ctx context.Context, r *Rule) (out Results, err error) {
	list, err := s.c.Store.All(ctx, r.ID, counted)
	if err != nil {
		return out, err
	}
	standing := map[id.ID]Task{}
	for part := range slices.Chunk(list, portion) {
		tasks := make([]id.ID, len(part))
		for i, w := range part {
			tasks[i] = w.Task
		}
		got, err := s.c.Tasks.Standing(ctx, tasks)
		if err != nil {
			return out, err
		}
		for k, v := range got {
			standing[k] = v
		}
	}
	today := s.today()
	for _, w := range list {
		out.Made++
		if w.At.After(out.Last) {
			out.Last = w.At
		}
		t := standing[w.Task]
		ripe := int(today-w.Day) > r.Back
		if ripe {
			out.Ripe++
		}
		switch {
		case t.Done:
			out.Done++
			if ripe {
				out.DoneRipe++
			}
			if w.Back != 0 {
				out.DoneBack++
			}
			continue
		case t.Open:
			out.Open++
		default:
			out.Other++
		}
		if w.Back != 0 {
			out.OtherBack++
		}
	}
	return out, nil
}

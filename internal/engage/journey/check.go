package journey

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// Bounds.
const (
	maxName    = 100
	maxSteps   = 120
	maxWays    = 10
	maxDays    = 730
	maxWindow  = 365
	maxHoldout = 50
	maxText    = 1000
	maxMatches = 10
	maxTags    = 20
	wholeShare = 100
)

// Problem is something that must be changed before a journey can be published. Step is "" for the trigger and the rules.
type Problem struct {
	Step   string
	At     string // the part of it
	Code   string
	Params fault.Params
}

type checker struct {
	d    *Definition
	by   map[string]*Step
	list []Problem
}

func (c *checker) add(step, at, code string, p fault.Params) {
	c.list = append(c.list, Problem{step, at, "journey." + code, p})
}

func (c *checker) want(ok bool, step, at, code string, p fault.Params) {
	if !ok {
		c.add(step, at, code, p)
	}
}

var (
	stepKey = regexp.MustCompile(`^[a-z0-9_]{1,24}$`)
	dayTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
)

// Check finds what is wrong with a definition by itself: steps that nobody reaches, ways that lead nowhere or round and round, shares that do not sum
// up, parts that are missing. It asks nobody else.
func Check(d *Definition) []Problem {
	c := &checker{d: d, by: map[string]*Step{}}
	c.trigger()
	c.rules()
	c.want(len(d.Steps) > 0, "", "steps", "no_steps", nil)
	c.want(len(d.Steps) <= maxSteps, "", "steps", "too_many_steps", fault.Params{"max": maxSteps})
	for i := range d.Steps {
		s := &d.Steps[i]
		if !stepKey.MatchString(s.Key) || c.by[s.Key] != nil {
			c.add(s.Key, "key", "bad_key", nil)
			continue
		}
		c.by[s.Key] = s
	}
	if len(d.Steps) > 0 && c.by[d.Start] == nil {
		c.add("", "start", "no_start", nil)
	}
	for i := range d.Steps {
		c.step(&d.Steps[i])
	}
	c.graph()
	return c.list
}

func (c *checker) trigger() {
	t := &c.d.Trigger
	switch t.Kind {
	case OnEntered, OnLeft:
		c.want(t.Segment != "", "", "segment", "no_segment", nil)
	case OnEvent:
		c.want(t.Event != "" && len(t.Event) <= 200, "", "event", "no_event", nil)
		c.want(len(t.Match) <= maxMatches, "", "match", "bad_match", nil)
		for _, m := range t.Match {
			c.want(m.Property != "" && slices.Contains([]string{"=", "!=", ">", "<", "has"}, m.Op), "", "match", "bad_match", nil)
		}
	case OnRecord:
		c.want(t.Object != "" && (t.Change == "created" || t.Change == "changed"), "", "object", "no_object", nil)
	case OnDate:
		c.want(t.Field != "", "", "field", "no_field", nil)
		c.want(dayTime.MatchString(t.At), "", "at", "bad_time", nil)
		c.want(t.Days >= -maxWindow && t.Days <= maxWindow, "", "days", "bad_days", fault.Params{"max": maxWindow})
	case OnSchedule:
		c.schedule(t)
	case OnAPI:
	default:
		c.add("", "trigger", "no_trigger", nil)
	}
}

func (c *checker) schedule(t *Trigger) {
	c.want(dayTime.MatchString(t.At), "", "at", "bad_time", nil)
	switch t.Every {
	case Once:
		_, err := clock.ParseDay(t.Date)
		c.want(err == nil, "", "date", "bad_date", nil)
	case Daily:
	case Weekly:
		c.want(t.On >= 1 && t.On <= 7, "", "on", "bad_date", nil)
	case Monthly:
		c.want(t.On >= 1 && t.On <= 31, "", "on", "bad_date", nil)
	case Festival:
		c.want(slices.Contains(Feasts(), t.Feast), "", "feast", "no_feast", nil)
		c.want(t.Days >= -60 && t.Days <= 60, "", "days", "bad_days", fault.Params{"max": 60})
	default:
		c.add("", "every", "bad_date", nil)
	}
}

func (c *checker) rules() {
	d := c.d
	switch d.Reentry.Kind {
	case ReOnce, ReAlways:
	case ReAfter:
		c.want(d.Reentry.Days >= 1 && d.Reentry.Days <= maxDays, "", "reentry", "bad_reentry", fault.Params{"max": maxDays})
	default:
		c.add("", "reentry", "bad_reentry", fault.Params{"max": maxDays})
	}
	c.want(d.Holdout >= 0 && d.Holdout <= maxHoldout, "", "holdout", "bad_holdout", fault.Params{"max": maxHoldout})
	c.want(d.PerDay >= 0 && d.Total >= 0, "", "caps", "bad_cap", nil)
	g := &d.Goal
	switch g.Kind {
	case GoalNone, "":
		c.want(!d.Exit.Goal, "", "exit", "no_goal", nil)
	case GoalPurchase, GoalEvent, GoalCondition:
		c.want(g.Days >= 1 && g.Days <= maxWindow, "", "goal", "bad_days", fault.Params{"max": maxWindow})
		c.want(g.Kind != GoalEvent || g.Event != "", "", "goal", "no_event", nil)
		c.want(g.Kind != GoalCondition || g.Where != nil, "", "goal", "no_condition", nil)
	default:
		c.add("", "goal", "no_goal", nil)
	}
	c.want(!d.Exit.Segment || d.Trigger.Segment != "" && d.Trigger.Kind != OnLeft, "", "exit", "exit_segment", nil)
}

func (c *checker) step(s *Step) {
	at := func(ok bool, part, code string, p fault.Params) { c.want(ok, s.Key, part, code, p) }
	at(utf8.RuneCountInString(s.Name) <= maxName, "name", "bad_name", fault.Params{"max": maxName})
	switch s.Kind {
	case Wait:
		c.wait(s)
	case Branch, Split, Switch:
		c.ways(s)
	case Send:
		at(s.Template != "", "template", "no_template", nil)
	case Update:
		at(s.Field != "", "field", "no_field", nil)
	case Tag:
		at(len(s.Add)+len(s.Remove) > 0 && len(s.Add)+len(s.Remove) <= maxTags, "add", "no_tag", nil)
	case Task:
		at(strings.TrimSpace(s.Title) != "" && utf8.RuneCountInString(s.Title) <= 200 && utf8.RuneCountInString(s.Text) <= maxText, "title", "no_title", nil)
		at(s.Days >= 0 && s.Days <= maxWindow, "days", "bad_days", fault.Params{"max": maxWindow})
	case Coupon:
		at(s.Offer != "", "offer", "no_offer", nil)
	case Webhook:
		at(strings.HasPrefix(s.URL, "https://") || strings.HasPrefix(s.URL, "http://"), "url", "no_url", nil)
	case Reached, End:
	default:
		c.add(s.Key, "kind", "bad_kind", nil)
	}
}

func (c *checker) wait(s *Step) {
	w := s.Wait
	if w == nil {
		c.add(s.Key, "wait", "no_wait", nil)
		return
	}
	span := w.span()
	c.want(w.Days >= 0 && w.Hours >= 0 && w.Minutes >= 0 && span <= maxDays*24*time.Hour, s.Key, "wait", "long_wait", fault.Params{"max": maxDays})
	c.want(w.At == "" || dayTime.MatchString(w.At), s.Key, "wait", "bad_time", nil)
	for _, d := range w.Weekdays {
		c.want(d >= 1 && d <= 7, s.Key, "wait", "bad_date", nil)
	}
	if w.Date != "" {
		_, err := clock.ParseDay(w.Date)
		c.want(err == nil, s.Key, "wait", "bad_date", nil)
	}
	if w.Event != "" {
		c.want(span > 0, s.Key, "wait", "no_timeout", nil)
		c.want(len(s.Ways) == 1, s.Key, "ways", "bad_ways", fault.Params{"max": 1})
		return
	}
	c.want(len(s.Ways) == 0, s.Key, "ways", "bad_ways", fault.Params{"max": 0})
	c.want(span > 0 || w.At != "" || len(w.Weekdays) > 0 || w.Date != "" || w.Field != "", s.Key, "wait", "no_wait", nil)
}

func (w *Waiting) span() time.Duration {
	return time.Duration(w.Days)*24*time.Hour + time.Duration(w.Hours)*time.Hour + time.Duration(w.Minutes)*time.Minute
}

func (c *checker) ways(s *Step) {
	c.want(len(s.Ways) >= 1 && len(s.Ways) <= maxWays, s.Key, "ways", "bad_ways", fault.Params{"max": maxWays})
	seen, sum := map[string]bool{}, 0
	for i, w := range s.Ways {
		at := fmt.Sprintf("ways.%d", i)
		c.want(stepKey.MatchString(w.Key) && !seen[w.Key] && !slices.Contains([]string{OutElse, OutDone, OutFailed, OutLeft, OutEvent, OutTime}, w.Key), s.Key, at, "bad_key", nil)
		seen[w.Key] = true
		sum += w.Share
		switch s.Kind {
		case Branch:
			c.want(w.Where != nil, s.Key, at, "no_condition", nil)
		case Split:
			c.want(w.Share >= 1, s.Key, at, "bad_shares", fault.Params{"sum": w.Share})
		case Switch:
			c.want(len(w.Value) > 0 && string(w.Value) != "null" && string(w.Value) != `""`, s.Key, at, "no_value", nil)
		}
	}
	if s.Kind == Split {
		c.want(sum == wholeShare, s.Key, "ways", "bad_shares", fault.Params{"sum": sum})
	}
	if s.Kind == Switch {
		c.want((s.Field == "") != (s.Trait == ""), s.Key, "field", "no_field", nil)
	}
}

// exits are where a step leads, with the part that says it.
func (s *Step) exits() (to, at []string) {
	for i := range s.Ways {
		to, at = append(to, s.Ways[i].Next), append(at, fmt.Sprintf("ways.%d", i))
	}
	if s.Kind != End && s.Kind != Split {
		to, at = append(to, s.Next), append(at, "next")
	}
	return to, at
}

// graph finds what is wrong with how steps hang together.
func (c *checker) graph() {
	reached := map[string]bool{}
	var visit func(key string)
	visit = func(key string) {
		s := c.by[key]
		if s == nil || reached[key] {
			return
		}
		reached[key] = true
		to, _ := s.exits()
		for _, k := range to {
			visit(k)
		}
	}
	visit(c.d.Start)
	for i := range c.d.Steps {
		s := &c.d.Steps[i]
		if c.by[s.Key] != s {
			continue
		}
		c.want(reached[s.Key], s.Key, "", "unreachable", nil)
		to, at := s.exits()
		for k := range to {
			switch {
			case to[k] == "":
				c.add(s.Key, at[k], "dead_end", nil)
			case c.by[to[k]] == nil:
				c.add(s.Key, at[k], "unknown_next", nil)
			}
		}
	}
	c.circles()
}

// circles finds ways that come back to where they were without a wait.
func (c *checker) circles() {
	const open, closed = 1, 2
	color := map[string]int{}
	told := map[string]bool{}
	var visit func(key string)
	visit = func(key string) {
		s := c.by[key]
		if s == nil || color[key] == closed {
			return
		}
		if color[key] == open {
			if !told[key] {
				told[key] = true
				c.add(key, "", "circle", nil)
			}
			return
		}
		color[key] = open
		if s.Kind != Wait || s.Wait == nil || s.Wait.span() == 0 && s.Wait.At == "" && len(s.Wait.Weekdays) == 0 {
			to, _ := s.exits()
			for _, k := range to {
				visit(k)
			}
		}
		color[key] = closed
	}
	for i := range c.d.Steps {
		visit(c.d.Steps[i].Key)
	}
}

// Check is everything that is wrong with a definition, of itself and with what there is in the workspace.
func (s *Service) Check(ctx context.Context, d *Definition) ([]Problem, error) {
	c := &checker{d: d, list: Check(d)}
	ask := func(step, at string, err error) error {
		f, ok := fault.Find(err)
		switch {
		case err == nil:
		case !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable:
			return err
		default:
			if len(f.Items) > 0 {
				f = f.Items[0]
			}
			c.list = append(c.list, Problem{step, at, f.Code, f.Params})
		}
		return nil
	}
	p, t := s.cfg.People, &d.Trigger
	if t.Segment != "" {
		if err := ask("", "segment", p.Segment(ctx, t.Segment)); err != nil {
			return nil, err
		}
	}
	if t.Kind == OnRecord && t.Object != "" {
		err := p.Object(ctx, t.Object)
		if err == nil && t.Where != nil {
			err = p.Check(ctx, t.Object, t.Where)
		}
		if err := ask("", "object", err); err != nil {
			return nil, err
		}
	}
	if t.Kind == OnDate && t.Field != "" {
		if err := ask("", "field", p.DateField(ctx, t.Field)); err != nil {
			return nil, err
		}
	}
	asked := []part{{"where", d.Where}, {"goal", d.Goal.Where}, {"exit", d.Exit.Where}}
	for _, x := range asked {
		if x.where == nil {
			continue
		}
		if err := ask("", x.at, p.Check(ctx, customers, x.where)); err != nil {
			return nil, err
		}
	}
	for i := range d.Steps {
		if err := s.checkStep(ctx, &d.Steps[i], ask); err != nil {
			return nil, err
		}
	}
	return c.list, nil
}

// customers is the object of everybody.
const customers = "customer"

type part struct {
	at    string
	where *query.Node
}

func (s *Service) checkStep(ctx context.Context, st *Step, ask func(step, at string, err error) error) error {
	switch st.Kind {
	case Branch, Switch:
		for i := range st.Ways {
			where := st.condition(i)
			if where == nil {
				continue
			}
			if err := ask(st.Key, fmt.Sprintf("ways.%d", i), s.cfg.People.Check(ctx, customers, where)); err != nil {
				return err
			}
		}
	case Wait:
		if st.Wait != nil && st.Wait.Field != "" {
			return ask(st.Key, "wait", s.cfg.People.DateField(ctx, st.Wait.Field))
		}
	case Send:
		if st.Template != "" {
			return ask(st.Key, "template", s.cfg.Sender.Check(ctx, st))
		}
	case Update, Tag, Task:
		if st.Field != "" || st.Kind != Update {
			return ask(st.Key, "field", s.cfg.Desk.Check(ctx, st))
		}
	case Coupon:
		if st.Offer != "" {
			return ask(st.Key, "offer", s.cfg.Offers.Check(ctx, st.Offer))
		}
	case Webhook:
		if st.URL != "" {
			return ask(st.Key, "url", s.cfg.Caller.CheckURL(ctx, st.URL))
		}
	}
	return nil
}

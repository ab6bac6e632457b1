// Package activity is what people do with customers: tasks, calls, meetings, visits and notes.
//
// They are records of standard objects, so lists, filters, imports, the API, history and rights are the record engine's.
// This package adds what their fields mean together. A rule that runs inside every write of them works out the customer
// from the record they are about, so that who may see the customer sees them; gives them to whoever makes them when
// nobody is named; keeps the time of completion in step with the status; and computes when to remind. Agenda reads what
// somebody has to do. A Recurrer follows the change log and makes the next occurrence of what repeats once it is done.
//
// An activity is open until its status is done or cancelled. One without a time (a task without a due date) is neither
// overdue nor upcoming. A whole day is kept as the local midnight it begins with; its reminder is counted from nine
// o'clock of that day.
package activity

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// The objects.
const (
	Task    = "task"
	Call    = "call"
	Meeting = "meeting"
	Visit   = "visit"
	Note    = "note"
)

// The states that close an activity.
const (
	Done      = "done"
	Cancelled = "cancelled"
)

// Objects are all activities in the order in which they are offered.
func Objects() []string { return []string{Task, Call, Meeting, Visit, Note} }

// Planned are the activities that have a time, an assignee and a status.
func Planned() []string { return []string{Task, Call, Meeting, Visit} }

// Known finds a declared activity; nil where the workspace has made an object of its own under that key.
func Known(reg *schema.Registry, object string) *schema.Object {
	if o := reg.Object(object); o != nil && o.Standard && slices.Contains(Objects(), object) {
		return o
	}
	return nil
}

// WhenField is the field that says when an activity is to happen; "" for notes.
func WhenField(object string) string {
	switch object {
	case Task:
		return "due_at"
	case Call, Meeting, Visit:
		return "starts_at"
	}
	return ""
}

// dayReminder is the local hour from which reminders of whole days are counted.
const dayReminder = 9

// maxTitle bounds the title that a note takes from its text, in characters.
const maxTitle = 80

// Rules are the hooks of the activities.
type Rules struct {
	Registry func() *schema.Registry
	Zone     func() *time.Location
	Clock    clock.Clock
}

// Register adds the rules to a record engine.
func (r Rules) Register(s *record.Service) {
	for _, object := range Planned() {
		s.RegisterHook(object, record.Hook{BeforeWrite: r.planned})
	}
	s.RegisterHook(Note, record.Hook{BeforeWrite: r.note})
}

func (r Rules) note(ctx context.Context, c *record.Change) error {
	if !c.Object.Standard {
		return nil
	}
	if err := r.belong(ctx, c); err != nil {
		return err
	}
	title, _ := c.Get("title").(string)
	body, _ := c.Get("body").(string)
	if strings.TrimSpace(title) == "" || c.Op == change.Update && c.Written("body") && !c.Written("title") && title == FirstLine(old(c, "body")) {
		if line := FirstLine(body); line != "" {
			c.Set("title", line)
		}
	}
	return nil
}

func old(c *record.Change, field string) string {
	s, _ := c.Old(field).(string)
	return s
}

// FirstLine is the first line of a text that is not empty, shortened.
func FirstLine(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if utf8.RuneCountInString(line) > maxTitle {
			return strings.TrimSpace(string([]rune(line)[:maxTitle-1])) + "…"
		}
		return line
	}
	return ""
}

func (r Rules) planned(ctx context.Context, c *record.Change) error {
	if !c.Object.Standard {
		return nil
	}
	if err := r.belong(ctx, c); err != nil {
		return err
	}
	actor := access.From(ctx)
	if c.Op == change.Create && c.Get("assignee") == nil && actor.Kind == access.ByUser {
		c.Set("assignee", actor.ID)
	}
	if err := r.span(c); err != nil {
		return err
	}
	status, _ := c.Get("status").(string)
	before, _ := c.Old("status").(string)
	switch {
	case status == Done && before != Done:
		if c.Get("done_at") == nil || c.Op == change.Update {
			c.Set("done_at", r.doneAt(c))
		}
		if actor.Kind == access.ByUser {
			c.Set("done_by", actor.ID)
		}
	case status != Done && before == Done:
		c.Set("done_at", nil)
		c.Set("done_by", nil)
	}
	c.Set("remind_at", r.remindAt(c, status))
	r.anchor(c)
	return nil
}

// doneAt is when something was done: now, or when it took place for what is written down afterwards.
func (r Rules) doneAt(c *record.Change) time.Time {
	now := r.Clock.Now().UTC().Truncate(time.Millisecond)
	if at, ok := c.Get("starts_at").(time.Time); ok && c.Op == change.Create && at.Before(now) {
		return at
	}
	return now
}

// span checks that what ends does so after it began.
func (r Rules) span(c *record.Change) error {
	if c.Object.Field("ends_at") == nil || !c.Written("ends_at") && !c.Written("starts_at") {
		return nil
	}
	from, ok1 := c.Get("starts_at").(time.Time)
	to, ok2 := c.Get("ends_at").(time.Time)
	if ok1 && ok2 && to.Before(from) {
		return fault.InvalidField("activity.ends_before_start", "fields.ends_at", nil)
	}
	return nil
}

// remindAt is when to remind, nil for never: the program answers for nothing that is closed.
func (r Rules) remindAt(c *record.Change, status string) any {
	choice, _ := c.Get("reminder").(string)
	at, timed := c.Get(WhenField(c.Object.Key)).(time.Time)
	before, err := strconv.Atoi(choice)
	if err != nil || !timed || status == Done || status == Cancelled {
		return nil
	}
	if whole, _ := c.Get("all_day").(bool); whole {
		at = r.dayStart(at).Add(dayReminder * time.Hour)
	}
	return at.Add(-time.Duration(before) * time.Minute).UTC()
}

// anchor keeps the day of the month that a monthly or yearly series is on.
func (r Rules) anchor(c *record.Change) {
	when := WhenField(c.Object.Key)
	if c.Written("repeat_day") || c.Op == change.Update && !c.Written("repeat") && !c.Written(when) {
		return
	}
	at, timed := c.Get(when).(time.Time)
	rule, _ := c.Get("repeat").(string)
	if !timed || rule != "monthly" && rule != "yearly" {
		c.Set("repeat_day", nil)
		return
	}
	c.Set("repeat_day", int64(at.In(r.Zone()).Day()))
}

// dayStart is the local midnight at or before an instant.
func (r Rules) dayStart(at time.Time) time.Time {
	y, m, d := at.In(r.Zone()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, r.Zone())
}

// belong works out whom an activity belongs to. What it is about decides: a customer itself, or the customer of an order,
// a contact or any other record that has one. Without anything it is about, it is about its customer.
func (r Rules) belong(ctx context.Context, c *record.Change) error {
	if c.Op == change.Update && !c.Written("about") && !c.Written("customer") {
		return nil
	}
	reg := r.Registry()
	if v, ok := c.Get("customer").(id.ID); ok && v != 0 && c.Op == change.Update && c.Written("customer") && !c.Written("about") && c.Old("customer") != v {
		c.Set("about", id.Format(reg.Object(query.Customer).Prefix, v))
	}
	about, n := reg.Pointed(c.Get("about"))
	if about == nil {
		if v, ok := c.Get("customer").(id.ID); ok && v != 0 {
			c.Set("about", id.Format(reg.Object(query.Customer).Prefix, v))
		}
		return nil
	}
	if about.Key == query.Customer {
		c.Set("customer", n)
		return nil
	}
	if about.CustomerField == "" {
		return nil
	}
	rows, err := c.Tx.Get(ctx, about, []id.ID{n}, true)
	if err != nil || len(rows) == 0 {
		return err
	}
	if v, ok := record.Stored(about, &rows[0], about.CustomerField).(id.ID); ok && v != 0 {
		c.Set("customer", v)
	}
	return nil
}

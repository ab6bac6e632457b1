package automation

import (
	"bytes"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// TriggerKind is what a rule waits for.
type TriggerKind string

// The kinds of trigger.
const (
	OnCreated  TriggerKind = "created"
	OnChanged  TriggerKind = "changed"
	OnDeleted  TriggerKind = "deleted"
	OnRestored TriggerKind = "restored"
	OnFile     TriggerKind = "file_added" // a file was added to the record
	OnFileGone TriggerKind = "file_removed"
	OnDate     TriggerKind = "date"
	OnSchedule TriggerKind = "schedule"
	OnManual   TriggerKind = "manual"
	OnHook     TriggerKind = "hook"   // another system calls
	OnEnters   TriggerKind = "enters" // a customer comes into a segment
	OnLeaves   TriggerKind = "leaves"
)

// Triggers lists every kind.
func Triggers() []TriggerKind {
	return []TriggerKind{OnCreated, OnChanged, OnDeleted, OnRestored, OnFile, OnFileGone, OnDate, OnSchedule, OnManual, OnHook, OnEnters, OnLeaves}
}

// Definition is what a rule does.
type Definition struct {
	Object  string      `json:"object"`
	Trigger Trigger     `json:"trigger"`
	Where   *query.Node `json:"where,omitempty"`
	Steps   []Step      `json:"steps"`
	// PerHour is how many runs may begin in an hour; 0 is PerHour.
	PerHour int `json:"per_hour,omitempty"`
}

// Trigger is when a rule begins.
type Trigger struct {
	Kind TriggerKind `json:"kind"`
	// Changes choose updates: one of these must have happened. None is every update.
	Changes []FieldChange `json:"changes,omitempty"`
	// Field, Days, At and Yearly: so many days after (before, when negative) the day of a field, at a local time; of every year where
	// Yearly is set, as birthdays come.
	Field  string `json:"field,omitempty"`
	Days   int    `json:"days,omitempty"`
	At     string `json:"at,omitempty"` // "09:00"
	Yearly bool   `json:"yearly,omitempty"`
	// Every is day, week or month; Weekdays (1 is Monday) and MonthDay (1 to 31, the last day of a shorter month) say which.
	Every    string `json:"every,omitempty"`
	Weekdays []int  `json:"weekdays,omitempty"`
	MonthDay int    `json:"month_day,omitempty"`
	// Match is the unique field, or "id", by which a call from outside names the record, and Path where the value stands in its body.
	Match string `json:"match,omitempty"`
	Path  string `json:"path,omitempty"`
	// Segment is what customers enter or leave.
	Segment string `json:"segment,omitempty"`
}

// FieldChange is a change of one field. From and To are tests in the condition language without their field: {"op":"=","value":…}.
type FieldChange struct {
	Field string `json:"field"`
	From  *Test  `json:"from,omitempty"`
	To    *Test  `json:"to,omitempty"`
}

// Test is an operator with its value.
type Test struct {
	Op    string          `json:"op"`
	Value json.RawMessage `json:"value,omitempty"`
}

// StepKind is what a step does.
type StepKind string

// The kinds of step.
const (
	DoUpdate StepKind = "update"
	DoCreate StepKind = "create"
	DoAssign StepKind = "assign"
	DoTag    StepKind = "tag"
	DoNotify StepKind = "notify"
	DoMail   StepKind = "email"
	DoCall   StepKind = "webhook"
	DoWait   StepKind = "wait"
	DoBranch StepKind = "branch"
	DoStop   StepKind = "stop"
)

// StepKinds lists every kind.
func StepKinds() []StepKind {
	return []StepKind{DoUpdate, DoCreate, DoAssign, DoTag, DoNotify, DoMail, DoCall, DoWait, DoBranch, DoStop}
}

// Step is one thing to do. Its id stays with it when it is moved.
type Step struct {
	ID   string   `json:"id"`
	Kind StepKind `json:"kind"`
	Note string   `json:"note,omitempty"` // what the person who wrote the rule calls it

	// On is the relation to the record that update, tag and assign are about; "" is the record itself.
	On string `json:"on,omitempty"`
	// Object is what create makes.
	Object string `json:"object,omitempty"`
	// Values are what update and create write.
	Values []Setting `json:"values,omitempty"`
	// Field with Add and Remove are tags.
	Field  string   `json:"field,omitempty"`
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
	// How assign chooses: person, turn, load or customer_owner; out of People and Team.
	How    string   `json:"how,omitempty"`
	People []string `json:"people,omitempty"`
	Team   string   `json:"team,omitempty"`
	// To are further readers of a notification: "owner", "customer_owner", "runner" (who began it).
	To   []string `json:"to,omitempty"`
	Text string   `json:"text,omitempty"`
	// Mail is what email sends.
	Mail *Mail  `json:"mail,omitempty"`
	URL  string `json:"url,omitempty"`
	// Fields are what a webhook sends of the record.
	Fields []string `json:"fields,omitempty"`
	Wait   *Wait    `json:"wait,omitempty"`
	// Where is the condition of a branch.
	Where *query.Node `json:"where,omitempty"`
	Then  []Step      `json:"then,omitempty"`
	Else  []Step      `json:"else,omitempty"`
}

// Mail is an e-mail to one receiver.
type Mail struct {
	// To is field, person or address. Field is a path to an e-mail field ("email", "customer.email") or to somebody who works here ("owner",
	// "customer.owner").
	To      string `json:"to"`
	Field   string `json:"field,omitempty"`
	Person  string `json:"person,omitempty"`
	Address string `json:"address,omitempty"`
	// ReplyTo is "" (what the mail server says), owner, customer_owner, run_as (whom the rule runs as), or an address.
	ReplyTo string `json:"reply_to,omitempty"`
	// Purpose is what the mail is for, in the words of consents ("marketing"): whoever did not agree to it gets none. "" for a mail of work.
	Purpose string `json:"purpose,omitempty"`
	Wording
	// Translations are other wordings by language; a receiver whose language has none gets the Wording.
	Translations map[string]Wording `json:"translations,omitempty"`
}

// Wording is what a mail says, with places such as {name}.
type Wording struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// The kinds of receiver of a mail.
const (
	MailField   = "field"
	MailPerson  = "person"
	MailAddress = "address"
	ReplyRunAs  = "run_as"
)

// The ways to choose whom a record is given to.
const (
	ToPerson        = "person"
	InTurn          = "turn"
	ByLoad          = "load"
	ToCustomerOwner = "customer_owner"
)

// Readers that are worked out.
const (
	ReaderOwner         = "owner"
	ReaderCustomerOwner = "customer_owner"
	ReaderRunner        = "runner"
)

// Wait is a pause: for a time, until the day of a field, or until a condition holds.
type Wait struct {
	Kind string `json:"kind"` // time, date or condition
	// Amount of Unit: of a time, of days added to a date (which may be negative), or after which a condition runs out.
	Amount int    `json:"amount,omitempty"`
	Unit   string `json:"unit,omitempty"` // minute, hour or day
	Field  string `json:"field,omitempty"`
	At     string `json:"at,omitempty"` // local time of a date
	// Where is what a condition waits for, and Expired what happens when it runs out: continue or stop.
	Where   *query.Node `json:"where,omitempty"`
	Expired string      `json:"expired,omitempty"`
}

// Setting is a value for a field: exactly one of Value (as the API writes it; null clears), Formula, From (a field, or relation.field), Text
// (with places {field}) and After (days from the moment).
type Setting struct {
	Field   string          `json:"field"`
	Value   json.RawMessage `json:"value,omitempty"`
	Formula string          `json:"formula,omitempty"`
	From    string          `json:"from,omitempty"`
	Text    string          `json:"text,omitempty"`
	After   *Span           `json:"after,omitempty"`
}

// Span is so many days from today, at a local time for fields that have one.
type Span struct {
	Days int    `json:"days"`
	At   string `json:"at,omitempty"`
}

// Parse reads a definition. Fault: Invalid automation.bad_definition.
func Parse(raw []byte) (Definition, error) {
	var d Definition
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		if f, ok := fault.Find(err); ok {
			return d, f
		}
		return d, &fault.Fault{Kind: fault.Invalid, Code: "automation.bad_definition", Field: "definition", Params: fault.Params{"reason": err.Error()}}
	}
	return d, nil
}

// Each visits every step with its place: "steps.0", "steps.1.then.0".
func Each(steps []Step, visit func(s *Step, at string)) { each(steps, "steps", visit) }

func each(steps []Step, at string, visit func(s *Step, at string)) {
	for i := range steps {
		here := at + "." + itoa(i)
		visit(&steps[i], here)
		each(steps[i].Then, here+".then", visit)
		each(steps[i].Else, here+".else", visit)
	}
}

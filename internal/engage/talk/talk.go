// Package talk is the conversation about records: comments, who follows what, and what people are told.
//
// A comment belongs to a record of any object and is seen by whoever may see the record. Its text may name people as
// @[name](usr_…): they are told. The author may change it, and what it said before stays readable; it may be deleted by
// its author and by those who may delete records, and leaves its place and who deleted it behind.
//
// People are told of what is assigned to them, of comments that name them, of reminders that are due, of changes to and
// comments on records that they follow, of jobs of theirs that have ended, and whatever an automation tells them. Each notification has a key that says what
// it is about (Notification.Once), claimed in the database: whatever runs twice after a crash, or on several processes,
// tells nobody twice. Several changes of one followed record make one notification until it is read. A Collector follows
// the change log and moves its position in the transaction that stores what it found. People choose which kinds reach them.
//
// A notification is read under the rights of the person it is for at the moment it is shown: who lost sight of a record is
// told nothing of it.
//
// The package knows no SQL and no HTTP.
package talk

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Prefixes of printed ids.
const (
	CommentPrefix = "cmt"
	NoticePrefix  = "ntf"
)

// Kind is why somebody is told.
type Kind string

// The kinds.
const (
	Assigned  Kind = "assigned"
	Mentioned Kind = "mentioned"
	Commented Kind = "commented" // on a record that is followed
	Changed   Kind = "changed"   // a record that is followed
	Reminder  Kind = "reminder"
	Stage     Kind = "stage"      // a record entered or left a stage that tells one
	Approval  Kind = "approval"   // asked of one, or what became of what one asked
	Job       Kind = "job"        // of one's own has ended: an import, an export, mass work
	Rule      Kind = "automation" // says so
	Anomaly   Kind = "anomaly"    // a figure that one watches was not what was expected
)

// Kinds lists every kind, in a fixed order.
func Kinds() []Kind {
	return []Kind{Assigned, Mentioned, Reminder, Approval, Stage, Commented, Changed, Job, Rule, Anomaly}
}

// Comment is what somebody said about a record.
type Comment struct {
	ID        id.ID
	Object    string
	Record    id.ID
	Body      string
	By        id.ID
	At        time.Time
	EditedAt  time.Time // zero when never
	DeletedAt time.Time // zero while it stands; the body of a deleted one is empty
	DeletedBy id.ID
	Version   int64
}

// Revision is what a comment said before.
type Revision struct {
	Version int64
	Body    string
	At      time.Time
}

// Notification is what one person is told.
type Notification struct {
	ID     id.ID
	User   id.ID
	Kind   Kind
	Object string
	Record id.ID
	ByKind access.ActorKind
	By     id.ID
	At     time.Time
	ReadAt time.Time
	Times  int // how many changes it stands for
	Detail Detail
	// Once is what it is about; a second one of the same key is not stored.
	Once string
}

// Detail is what else there is to say.
type Detail struct {
	Comment  string `json:"comment,omitempty"` // printed id
	Text     string `json:"text,omitempty"`    // the beginning of a comment, the name of a file
	Job      string `json:"job,omitempty"`     // import, export …
	Status   string `json:"status,omitempty"`
	JobID    string `json:"job_id,omitempty"`
	Approval string `json:"approval,omitempty"` // printed id of a request for agreement
	At       string `json:"at,omitempty"`       // of a reminder: when the activity is
}

// Store keeps it all.
type Store interface {
	// AddComment stores a comment with what people are told of it.
	AddComment(ctx context.Context, c Comment, told []Notification) error
	// EditComment keeps the former body as a revision. Stale talk.stale.
	EditComment(ctx context.Context, c Comment, told []Notification) error
	// DeleteComment marks a comment.
	DeleteComment(ctx context.Context, c Comment) error
	// Comment finds one, deleted ones too. NotFound talk.comment_not_found.
	Comment(ctx context.Context, key id.ID) (Comment, error)
	// Comments are those about records at or before an instant, newest first.
	Comments(ctx context.Context, records []id.ID, until time.Time, limit int) ([]Comment, error)
	Revisions(ctx context.Context, comment id.ID) ([]Revision, error)
	// Family is a record with those that became part of it by merging.
	Family(ctx context.Context, record id.ID) ([]id.ID, error)

	SetFollow(ctx context.Context, object string, record, user id.ID, on bool, at time.Time) error
	// Followers gives for each record who follows it.
	Followers(ctx context.Context, records []id.ID) (map[id.ID][]id.ID, error)
	Following(ctx context.Context, record, user id.ID) (bool, error)

	// Tell stores notifications that are not there yet and says which were new.
	Tell(ctx context.Context, told []Notification) ([]Notification, error)
	// Collect is Tell with the position of a consumer, in one transaction.
	Collect(ctx context.Context, told []Notification, consumer string, to change.Position) ([]Notification, error)
	// Notifications of a person, newest first, older than before (0: from the newest).
	Notifications(ctx context.Context, user id.ID, unread bool, before id.ID, limit int) ([]Notification, error)
	Unread(ctx context.Context, user id.ID) (int, error)
	// Read marks notifications as read, all of them when none is named.
	Read(ctx context.Context, user id.ID, keys []id.ID, at time.Time) error
	// Retell puts another text in a notification, if there is one of that key.
	Retell(ctx context.Context, once, text string) error
	// Forget removes what is older than an instant.
	Forget(ctx context.Context, before time.Time) error
}

// Person is somebody of the workspace.
type Person struct {
	ID       id.ID
	Name     string
	Email    string
	Locale   string
	Disabled bool
}

// People knows them.
type People interface {
	// Person finds one; false for somebody who does not belong to the workspace.
	Person(ctx context.Context, user id.ID) (Person, bool, error)
}

// Records is what it needs of the record engine.
type Records interface {
	Get(ctx context.Context, object string, rec id.ID) (*record.Record, error)
	GetMany(ctx context.Context, object string, ids []id.ID, fields []string) ([]*record.Record, error)
	List(ctx context.Context, object string, q record.Query) (*record.Page, error)
}

// Settings keeps what people chose.
type Settings interface {
	Setting(ctx context.Context, key string, v any) (found bool, err error)
	SetSetting(ctx context.Context, key string, v any) error
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Settings Settings
	Records  Records
	Registry func() *schema.Registry
	People   People
	Clock    clock.Clock
	IDs      *id.Generator
	// Told wakes the pages of somebody who was told something; it may be nil.
	Told func(user id.ID)
}

// Service is the conversation of one workspace. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Told == nil {
		cfg.Told = func(id.ID) {}
	}
	return &Service{cfg: cfg}
}

var mention = regexp.MustCompile(`@\[([^\]\n]{1,200})\]\((usr_[0-9A-Za-z]+)\)`)

// Mentions are the people that a text names, each once.
func Mentions(text string) []id.ID {
	var out []id.ID
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		if v, err := id.Parse("usr", m[2]); err == nil && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// Plain is a text with its mentions as people read them: @name.
func Plain(text string) string { return mention.ReplaceAllString(text, "@$1") }

// deliver passes on that notifications are new.
func (s *Service) deliver(told []Notification) {
	for i := range told {
		s.cfg.Told(told[i].User)
	}
}

// Package segment keeps named groups of customers: a condition that says who is in (dynamic), or a fixed list taken
// from a condition once (static).
//
// A dynamic segment is evaluated when it is asked for, so its members and count are always of now; Refresh additionally
// compares with the membership stored last time, stores the new one and writes the size, and how many entered and left,
// to the history. A condition is checked when it is saved: unknown or forbidden fields and cycles between segments are
// refused. When a field that a saved segment names disappears later, the segment is marked broken: its stored
// membership stays as it was, and it never becomes "everyone".
//
// Storage of definitions is a Store (records plane); questions about customers go to an Audience (analytics plane).
package segment

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Kind is dynamic or static.
type Kind string

// The kinds of segment.
const (
	Dynamic Kind = "dynamic"
	Static  Kind = "static"
)

// Segment is a definition and what is known of its size. Key is its address and never changes.
type Segment struct {
	Key         string
	Label       string
	Description string
	Kind        Kind
	Where       *query.Node
	Version     int64
	Size        int // of the last refresh; meaningless while SizeAt is zero
	SizeAt      time.Time
	Broken      string // fault code of why the condition no longer checks, "" while it does
	CreatedAt   time.Time
	UpdatedAt   time.Time
	CreatedBy   id.ID
}

// Point is the size of a segment at one refresh.
type Point struct {
	At      time.Time
	Size    int
	Entered int
	Left    int
}

// Store keeps definitions and history in the records plane.
type Store interface {
	List(ctx context.Context) ([]Segment, error)
	Find(ctx context.Context, key string) (Segment, bool, error)
	// Insert fails with fault.Conflict when the key is taken.
	Insert(ctx context.Context, s Segment) error
	// Update replaces a definition whose stored version is s.Version-1, else fault.Stale.
	Update(ctx context.Context, s Segment) error
	Delete(ctx context.Context, key string) error
	// SaveSize stores the result of a refresh and appends a history point.
	SaveSize(ctx context.Context, key string, p Point) error
	SetBroken(ctx context.Context, key, code string) error
	History(ctx context.Context, key string, limit int) ([]Point, error)
	// SetMembers replaces the list of a static segment; Members reads it in id order after the given id.
	SetMembers(ctx context.Context, key string, ids []id.ID) error
	Members(ctx context.Context, key string, after id.ID, limit int) ([]id.ID, error)
}

// Count is the answer to "how many".
type Count struct {
	Count int // who fulfils the condition
	Total int // all customers
	// Reach is how many of them have a value, by field: Reachable.
	Reach map[string]int
	// Sample are the first few of them by id.
	Sample []id.ID
	Took   time.Duration // inside the engine
	AsOf   time.Time     // how fresh the analytics plane was
	Lag    time.Duration
	Plan   string // one word on how it was answered, for the curious
}

// Audience answers questions about customers; store/analytics implements it on DuckDB and PostgreSQL.
type Audience interface {
	// Count counts who fulfils a condition and who of them has a value in each of the fields, with a sample of so many.
	Count(ctx context.Context, where *query.Node, fields []string, sample int) (Count, error)
	// IDs are customers that fulfil a condition, in id order, beginning after the given id.
	IDs(ctx context.Context, where *query.Node, after id.ID, limit int) ([]id.ID, error)
	// Seen is IDs of those whom a reader sees; nil limits see everybody.
	Seen(ctx context.Context, where *query.Node, l *query.Limits, after id.ID, limit int) ([]id.ID, error)
	// Replace makes the stored membership of a segment what the condition says and tells the difference.
	Replace(ctx context.Context, key string, where *query.Node, at time.Time) (Point, error)
	// SetMembership makes the stored membership of a segment a given list.
	SetMembership(ctx context.Context, key string, ids []id.ID, at time.Time) (Point, error)
	DropMembership(ctx context.Context, key string) error
	Overlap(ctx context.Context, a, b *query.Node) (onlyA, both, onlyB int, err error)
}

// Language checks and prints conditions; app wires it to the condition language and the workspace's metadata.
type Language interface {
	// Check refuses a condition that the actor of ctx may not use; self is the segment being saved, "" for none.
	Check(ctx context.Context, where *query.Node, self string) error
	Sentence(where *query.Node) schema.Label
}

// Node is the condition that stands for a segment inside other conditions: its own when dynamic, stored membership else.
func (s Segment) Node() *query.Node {
	if s.Kind == Static || s.Broken != "" {
		return &query.Node{Segment: s.Key, Op: "in"}
	}
	return s.Where
}

// Raw is the JSON form of the condition.
func (s Segment) Raw() json.RawMessage {
	b, err := json.Marshal(s.Where)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// Package segment keeps named groups of customers: a condition that says who is in (dynamic), or a fixed list taken
// from a condition once (static).
//
// A dynamic segment is evaluated when it is asked for, so its members and count are always of now. Its membership is stored
// besides, and follows what happens: customers that changed are compared at once (Follow), everybody where a condition looks at others or its
// windows roll by the hour (Tick), and everybody after each pass over all traits (RefreshAll). Who enters or leaves is told once, with the cause
// (Passage): the difference is told before it is stored, and what was told already is not told again. The first members, and those whom another
// condition brings, are told to nobody: nothing has happened to them. On a day on which everything was followed, RefreshAll must find no
// difference; what it finds is kept as Differing.
//
// A deleted segment lies in a bin for BinDays and can be restored. A condition is checked when it is saved: unknown or forbidden fields and cycles between segments are
// refused. When a field that a saved segment names disappears later, the segment is marked broken: its stored
// membership stays as it was, and it never becomes "everyone".
//
// Storage of definitions is a Store (records plane); questions about customers go to an Audience (analytics plane).
package segment

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
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
	Folder      string // "" for none; parts are divided by "/"
	Kind        Kind
	Where       *query.Node
	Version     int64
	Size        int // of the last refresh; meaningless while SizeAt is zero
	SizeAt      time.Time
	Broken      string // fault code of why the condition no longer checks, "" while it does
	CreatedAt   time.Time
	UpdatedAt   time.Time
	CreatedBy   id.ID
	DeletedAt   time.Time // zero while it is not in the bin
	CheckedAt   time.Time // of the last check of what is stored against everybody computed anew, zero for none
	Differing   int       // members that it found otherwise
}

// Cause says how it became known that somebody entered or left.
type Cause string

// The causes: something of the customer changed, time went by or others changed, everybody was computed, the list was edited.
const (
	Changed  Cause = "changed"
	Moved    Cause = "moved"
	Computed Cause = "computed"
	Listed   Cause = "listed"
)

// Passage is one customer's entering or leaving. Leaf is the part of the condition that decided it, nil where no single one did.
type Passage struct {
	Customer id.ID
	Segment  string
	At       time.Time
	Entered  bool
	Cause    Cause
	Leaf     *query.Node
}

// Turn is how a segment's stored membership is made anew.
type Turn struct {
	Key string
	// Mark is another text for another condition: the members that such a one brings are told to nobody.
	Mark  string
	Where *query.Node
	// Parts are the branches of the condition that can decide on entering (Any) or leaving.
	Parts []*query.Node
	Any   bool
	At    time.Time
	Day   clock.Day
	// Tell is given who enters and leaves before that is stored; since is from when on the condition is the same.
	Tell func(ctx context.Context, since time.Time, moves []Passage) error
}

// Point is the size of a segment at one refresh.
type Point struct {
	At      time.Time
	Size    int
	Entered int
	Left    int
	// SameDay says that the stored membership was of the same condition and the same local day: what then differs should have been seen before.
	SameDay bool
}

// Store keeps definitions and history in the records plane.
type Store interface {
	List(ctx context.Context) ([]Segment, error)
	Find(ctx context.Context, key string) (Segment, bool, error)
	// Insert fails with fault.Conflict when the key is taken.
	Insert(ctx context.Context, s Segment) error
	// Update replaces a definition whose stored version is s.Version-1, else fault.Stale.
	Update(ctx context.Context, s Segment) error
	// Trash puts a segment into the bin, Restore takes it out, Delete forgets it with its history.
	Trash(ctx context.Context, key string, at time.Time) error
	Restore(ctx context.Context, key string) error
	Delete(ctx context.Context, key string) error
	// Trashed are those in the bin, and List and Find know nothing of them.
	Trashed(ctx context.Context) ([]Segment, error)
	// SaveSize stores the result of a refresh and appends a history point, adding up those of the same instant.
	SaveSize(ctx context.Context, key string, p Point) error
	SetChecked(ctx context.Context, key string, at time.Time, differing int) error
	// AppendPassages keeps who entered or left. One that repeats the last of the same customer and segment since an instant is left out.
	AppendPassages(ctx context.Context, since time.Time, moves []Passage) error
	// PassagesOf are a customer's at or before an instant, newest first; Passages those of a segment.
	PassagesOf(ctx context.Context, customer id.ID, until time.Time, limit int) ([]Passage, error)
	Passages(ctx context.Context, key string, limit int) ([]Passage, error)
	SetBroken(ctx context.Context, key, code string) error
	History(ctx context.Context, key string, limit int) ([]Point, error)
	// SetMembers replaces the list of a static segment; Members reads it in id order after the given id. Whoever somebody on it was merged into is on it too,
	// for as long as the merge stands.
	SetMembers(ctx context.Context, key string, ids []id.ID) error
	Members(ctx context.Context, key string, after id.ID, limit int) ([]id.ID, error)
	// MergedOn says of each static segment that has merged customers on its list by a word which those are: another word means others.
	MergedOn(ctx context.Context) (map[string]string, error)
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
	// Plan is how the database goes about counting a condition, in its own words.
	Plan(ctx context.Context, where *query.Node) (string, error)
	// Parts counts who fulfils each of several conditions, in one reading.
	Parts(ctx context.Context, nodes []*query.Node) ([]int, error)
	// Replace makes the stored membership of a segment what the condition says and tells the difference.
	Replace(ctx context.Context, t Turn) (Point, error)
	// Follow does it for several segments and the customers of the last small pass alone; a segment that was never replaced as a whole, or
	// under another mark, is left, and has no point (Size -1).
	Follow(ctx context.Context, turns []Turn) ([]Point, error)
	// SetMembership makes the stored membership of a segment a given list.
	SetMembership(ctx context.Context, t Turn, ids []id.ID) (Point, error)
	DropMembership(ctx context.Context, key string) error
	Overlap(ctx context.Context, a, b *query.Node) (onlyA, both, onlyB int, err error)
	// Overlaps counts the members that each two of several segments have in common; the diagonal has their sizes.
	Overlaps(ctx context.Context, nodes []*query.Node) ([][]int, error)
	// Contrast is what two groups have of each subject: who is in the first condition alone and who in the second alone, which is everybody
	// else where it is nil; sizes are those two and who is in both.
	Contrast(ctx context.Context, a, b *query.Node, subjects []Subject) (sizes [3]int, figures []Figure, err error)
	// Drawn are some customers who fulfil a condition and some who do not, the same each time, in the order of ids.
	Drawn(ctx context.Context, where *query.Node, subjects []Subject, members, others int) ([]Row, error)
	// Nearest are the customers who fulfil a condition, and whom limits let a reader see, with the highest sum of terms.
	Nearest(ctx context.Context, where *query.Node, terms []Term, l *query.Limits, limit int) ([]id.ID, error)
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

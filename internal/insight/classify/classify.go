// Package classify sorts every customer into one class of each classification: an ordered list of conditions of which
// the first that holds wins, the last one usually without a condition ("everyone else").
//
// Lifecycle stage, value tier, frequency class, region class, customer type and need type are classifications that exist
// from the first start (defaults.json) and can be edited like any other. A pass computes all of them together, writes
// each as a trait, and records two things: a history point with the size of each class, and a transition for each
// customer who moved from one class to another. A customer's first class is no move. A classification whose conditions
// name another one's trait is computed after it; a circle of such references is refused.
package classify

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Classification is an ordered list of classes; its key is also the key of the trait it writes.
type Classification struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Description schema.Label `json:"description"`
	Classes     []Class      `json:"classes"`
	Version     int64        `json:"version"`
	UpdatedAt   time.Time    `json:"updated_at,omitzero"`
}

// Class is one class. A nil Where takes everyone who is left; it is allowed only in the last class.
type Class struct {
	Key   string       `json:"key"`
	Label schema.Label `json:"label"`
	Color string       `json:"color"`
	Where *query.Node  `json:"where"`
	// Rank is the place in charts and funnels, from 1, where the order of matching is another; 0 means its own place.
	Rank int `json:"rank,omitempty"`
	// Phase is where the class stands in a lifecycle: growing, at_risk, lost or back; "" goes by the key.
	Phase string `json:"phase,omitempty"`
}

// Move is one customer's change of class; From is never empty.
type Move struct {
	Customer       id.ID
	Classification string
	From, To       string // To is "" for a customer that no class takes any more
	At             time.Time
	Day            int64
	Reason         string
}

// Point is the sizes of the classes after one pass.
type Point struct {
	At     time.Time
	By     id.ID // 0 for the program itself
	Reason string
	Counts map[string]int
	Moved  int
}

// Store keeps definitions, history and transitions in the records plane.
type Store interface {
	List(ctx context.Context) ([]Classification, error)
	Find(ctx context.Context, key string) (Classification, bool, error)
	// Save inserts (Version 1) or replaces the version before c.Version, else fault.Stale.
	Save(ctx context.Context, c Classification) error
	AppendPoint(ctx context.Context, key string, p Point) error
	Points(ctx context.Context, key string, limit int) ([]Point, error)
	AppendMoves(ctx context.Context, moves []Move) error
}

// Board computes classes; store/analytics implements it on DuckDB and PostgreSQL.
type Board interface {
	// Apply gives every customer (or only the touched ones: those of the last small pass of the traits) a class of each
	// classification in the given order and writes the traits. Moves are handed over in batches before the traits are
	// replaced. Sizes are of all customers.
	Apply(ctx context.Context, defs []Classification, touched bool, at time.Time, moves func([]Move) error) (map[string]map[string]int, error)
	// Preview sizes the classes as they would be, and counts who would move, without writing.
	Preview(ctx context.Context, def Classification) (counts map[string]int, moved int, err error)
	// Counts are the sizes as they stand.
	Counts(ctx context.Context, key string) (map[string]int, error)
	// MembersSince tells since which day a customer is in the present class of each classification, where known.
	MembersSince(ctx context.Context, customer id.ID) (map[string]Member, error)
}

// Member is a customer's present class.
type Member struct {
	Class string
	Since time.Time // zero when the customer has been in it since before records began
}

//go:embed defaults.json
var defaults []byte

// Defaults are the classifications of a new workspace.
func Defaults() ([]Classification, error) {
	var out []Classification
	if err := json.Unmarshal(defaults, &out); err != nil {
		return nil, fmt.Errorf("default classifications: %w", err)
	}
	for i := range out {
		out[i].Version = 1
	}
	return out, nil
}

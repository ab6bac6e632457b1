package schema

import "encoding/json"

// Rollup says how a field sums up the records of another object that point at its record. The value is stored and kept in step
// by the change log; nobody writes it.
type Rollup struct {
	Object string          `json:"object"`          // whose records
	Via    string          `json:"via"`             // their relation that points here
	Func   string          `json:"func"`            // count, sum, avg, min, max, first or last
	Field  string          `json:"field,omitempty"` // of theirs; empty for count
	By     string          `json:"by,omitempty"`    // first, last: their field that orders them, the object's time when empty
	Where  json.RawMessage `json:"where,omitempty"` // a condition on their own fields
}

// RollupFuncs are the functions of rollups, in the order in which they are offered.
func RollupFuncs() []string { return []string{"count", "sum", "avg", "min", "max", "first", "last"} }

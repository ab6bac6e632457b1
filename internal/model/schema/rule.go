package schema

// Rule is a validation rule of an object: a record for which When is true cannot be saved.
type Rule struct {
	Key     string `json:"key"`
	When    string `json:"when"`            // a formula that is true for what must not be
	Message Label  `json:"message"`         // what is said then
	Field   string `json:"field,omitempty"` // where it is said; empty for the record as a whole
	Off     bool   `json:"off,omitempty"`

	program any
}

// Program is what SetProgram was given, nil before.
func (r *Rule) Program() any { return r.program }

// SetProgram keeps what When was compiled into. It is called once, before the registry of the rule is used.
func (r *Rule) SetProgram(p any) { r.program = p }

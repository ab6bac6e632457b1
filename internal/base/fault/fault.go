// Package fault is the one error vocabulary of the program.
//
// A Fault is made where the fact is known. Its Code is "package.snake_reason" and is at the same time the key of the
// translated sentence in locales/; Params are safe to show to a user; Cause is for the log and never leaves the server.
// Storage turns driver errors into faults once; the edge turns faults into RFC 9457 problems once.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind says what sort of failure a Fault is. The edge maps each kind to one HTTP status, the CLI to one exit code.
type Kind uint8

// The kinds, from the most to the least common.
const (
	Internal        Kind = iota // a defect or a failure of the machine: 500, never with details
	Invalid                     // the input is wrong; Field or Items say where: 422
	NotFound                    // unknown, or not readable by the actor: 404
	Conflict                    // a unique key is taken, a state forbids it: 409
	Stale                       // the version named is not the current one: 412
	Forbidden                   // the actor may not: 403
	Unauthenticated             // nobody is signed in: 401
	TooLarge                    // over a stated limit: 413
	RateLimited                 // try again later, Params["retry_after"] seconds: 429
	Unavailable                 // a part of the system is not there now (disk full, closing): 503
)

// Params are the values that a translated sentence names in braces.
type Params = map[string]any

// Fault is an error with a code that can be translated. The zero value is not useful; use the constructors.
type Fault struct {
	Kind   Kind
	Code   string
	Field  string // the place in the input, e.g. "fields.phone" or "/all/0/value"; empty when it concerns the whole
	Params Params
	Items  []*Fault // the single faults of a compound one
	Cause  error
}

// New makes a fault of any kind.
func New(kind Kind, code string, params Params) *Fault {
	return &Fault{Kind: kind, Code: code, Params: params}
}

// InvalidField is a fault of one field of the input.
func InvalidField(code, field string, params Params) *Fault {
	return &Fault{Kind: Invalid, Code: code, Field: field, Params: params}
}

// Wrap gives an unexpected error a code; the cause is kept for the log.
func Wrap(kind Kind, code string, cause error) *Fault {
	return &Fault{Kind: kind, Code: code, Cause: cause}
}

// Join makes one Invalid fault of several, or nil when there is none. A single one is returned as it is.
func Join(code string, items []*Fault) *Fault {
	switch len(items) {
	case 0:
		return nil
	case 1:
		return items[0]
	}
	return &Fault{Kind: Invalid, Code: code, Items: items}
}

// Error is for logs and tests; users read the translated sentence of Code.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Code)
	if f.Field != "" {
		fmt.Fprintf(&b, " at %s", f.Field)
	}
	for _, k := range slices.Sorted(maps.Keys(f.Params)) {
		fmt.Fprintf(&b, " %s=%v", k, f.Params[k])
	}
	for _, it := range f.Items {
		b.WriteString("; ")
		b.WriteString(it.Error())
	}
	if f.Cause != nil {
		fmt.Fprintf(&b, ": %v", f.Cause)
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (f *Fault) Unwrap() error { return f.Cause }

// At returns a copy with the place prefixed, "a" at "b" becoming "a.b".
func (f *Fault) At(prefix string) *Fault {
	c := *f
	switch {
	case c.Field == "":
		c.Field = prefix
	case strings.HasPrefix(c.Field, "/"):
		c.Field = prefix + c.Field
	default:
		c.Field = prefix + "." + c.Field
	}
	return &c
}

// Find returns the first Fault in the chain of err.
func Find(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// KindOf is the kind of the first Fault in the chain, Internal for any other error.
func KindOf(err error) Kind {
	if f, ok := Find(err); ok {
		return f.Kind
	}
	return Internal
}

// CodeOf is the code of the first Fault in the chain, "" for any other error.
func CodeOf(err error) string {
	if f, ok := Find(err); ok {
		return f.Code
	}
	return ""
}

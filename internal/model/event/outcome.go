package event

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// State is what became of an event that was to be accepted.
type State string

// The states.
const (
	Stored    State = "stored"
	Duplicate State = "duplicate" // the same message id with the same content was accepted before: not stored again
	Collided  State = "collision" // stored under another message id, since its own belongs to another event
)

// States of what was not accepted.
const (
	Refused     = "rejected"    // at the door
	Quarantined = "quarantined" // held back by the tracking plan
)

// Rejected is an event that was not accepted. Payload is what came as JSON with personal values sealed, "" where it was no JSON.
type Rejected struct {
	ID        id.ID
	At        int64 // milliseconds
	Source    id.ID
	MessageID string
	Kind      Kind
	Name      string
	Code      string // of the fault
	Field     string
	State     string // Refused, Quarantined
	Payload   string
}

// Count is what came by a source on a day of UTC.
type Count struct {
	Source                                   id.ID
	Day                                      int64 // since 1970
	Accepted, Duplicate, Collision, Rejected int64
	// Withheld are events of those who had refused to be analysed: counted without a person, or, where the refusal came to be known later, taken out.
	Withheld int64
	LastAt   int64 // milliseconds, 0 for none
}

// ContentHash is of everything that makes an event what it is to its client: source, kind, name, claimed time, persons, properties and
// context. It is never 0.
func (e *Event) ContentHash() int64 {
	h := sha256.New()
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v)) //nolint:gosec // the same bits
		_, _ = h.Write(n[:])
	}
	for _, v := range []int64{int64(e.Source), e.OriginalAt} {
		number(v)
	}
	for _, s := range []string{string(e.Kind), e.Name, e.UserID, e.AnonymousID, e.GroupID, e.PreviousID} {
		number(int64(len(s)))
		_, _ = h.Write([]byte(s))
	}
	for _, b := range [][]byte{e.Properties, e.Context} {
		number(int64(len(b)))
		_, _ = h.Write(b)
	}
	var sum [sha256.Size]byte
	v := int64(binary.BigEndian.Uint64(h.Sum(sum[:0]))) //nolint:gosec // the same bits
	if v == 0 {
		return 1
	}
	return v
}

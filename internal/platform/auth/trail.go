package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// The audit trail is a chain: each entry has a place, and each place holds a hash over the one before it and over a salted
// digest of the entry. Whoever changes, removes or slips in an entry afterwards breaks every later place, and cannot mend
// them unseen where somebody has written down a head. Because the chain covers digests, what an entry tells can be erased
// together with its salt, and the chain still holds.

// EntryFilter chooses audit entries, newest first.
type EntryFilter struct {
	Workspace string
	Actor     id.ID  // 0 for all
	Action    string // "" for all; a trailing dot matches a prefix ("session.")
	Object    string // "" for all
	Record    id.ID  // 0 for all
	From, To  time.Time
	Before    id.ID // 0 for the newest
	Limit     int
}

// ActorCount is how often somebody did something.
type ActorCount struct {
	Kind  access.ActorKind
	ID    id.ID
	Name  string
	Count int
}

// Why a chain does not hold.
const (
	BreakMissing = "missing" // a place of the chain, or the entry of one, is gone
	BreakChanged = "changed" // an entry is not what was recorded
	BreakHash    = "hash"    // a place was rewritten
	BreakAdded   = "added"   // an entry stands in the trail that has no place
	BreakHead    = "head"    // the chain does not hold a head that was written down
)

// TrailCheck is what a walk along the chain found.
type TrailCheck struct {
	Entries int    `json:"entries"`
	Erased  int    `json:"erased"`          // whose contents were erased; their places hold
	Head    string `json:"head"`            // of the last place; to be kept elsewhere, "" for an empty chain
	OK      bool   `json:"ok"`              //
	Reason  string `json:"reason"`          // the first break, "" for none
	Place   int64  `json:"place,omitempty"` // where the first break is
	Entry   id.ID  `json:"-"`               // of the first break, 0 for none
}

// Digest is the salted SHA-256 of an entry, in hexadecimal; detail is its JSON as stored.
func Digest(e *Entry, detail, salt string) string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	raw, err := json.Marshal([]string{"guanxi audit entry 1", salt, n(int64(e.ID)), e.Workspace, n(e.At.UnixMilli()), string(e.ActorKind), n(int64(e.ActorID)),
		e.ActorName, e.Action, e.Object, n(int64(e.RecordID)), detail, e.Address})
	if err != nil { // strings always encode
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Link is the hash of a place: SHA-256 over the hash before it, the place, the entry, its time and its digest, in hexadecimal.
func Link(before string, place int64, entry id.ID, at time.Time, digest string) string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	sum := sha256.Sum256([]byte(strings.Join([]string{"guanxi audit place 1", before, n(place), n(int64(entry)), n(at.UnixMilli()), digest}, "\n")))
	return hex.EncodeToString(sum[:])
}

// Head names a place with its hash, so that it can be written down: "1234:9f86d0…".
func Head(place int64, hash string) string { return strconv.FormatInt(place, 10) + ":" + hash }

// ParseHead reads what Head printed; Invalid auth.bad_head.
func ParseHead(text string) (place int64, hash string, err error) {
	a, b, ok := strings.Cut(strings.TrimSpace(text), ":")
	place, err = strconv.ParseInt(a, 10, 64)
	raw, bad := hex.DecodeString(b)
	if !ok || err != nil || bad != nil || place < 1 || len(raw) != sha256.Size {
		return 0, "", fault.InvalidField("auth.bad_head", "head", nil)
	}
	return place, strings.ToLower(b), nil
}

// CheckTrail walks along the whole chain; head, when given, must be a place of it.
func (s *Service) CheckTrail(ctx context.Context, head string) (TrailCheck, error) {
	var place int64
	var hash string
	if head != "" {
		var err error
		if place, hash, err = ParseHead(head); err != nil {
			return TrailCheck{}, err
		}
	}
	return s.Store.CheckTrail(ctx, place, hash)
}

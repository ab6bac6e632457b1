package privacy

import (
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// What a rotation exchanges.
const (
	SecretRotation = "secret" // what wraps the data keys
	DataRotation   = "data"   // the data keys of people, and everything that they seal
	IndexRotation  = "index"  // the key of blind indexes and search tokens
)

// Rotation is an exchange of keys of a workspace. While it runs, both open, or find; after a crash it goes on behind Cursor. State is
// Queued, Running or Done.
type Rotation struct {
	ID         id.ID
	Kind       string
	State      State
	Paused     bool
	Phase      string // which keys it is at
	Cursor     int64
	Done       int64
	Total      int64
	Changed    int64 // values that were written anew
	Spent      int64 // milliseconds of work
	Error      string
	ByKind     access.ActorKind
	By         id.ID
	At         time.Time
	FinishedAt time.Time
}

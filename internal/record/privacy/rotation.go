package privacy

import (
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Rotation is the wrapping of every data key of a workspace with a new secret. While it runs, keys of both secrets open; after a
// crash it goes on behind Cursor. State is Queued, Running or Done.
type Rotation struct {
	ID         id.ID
	State      State
	Phase      string // which keys it is at
	Cursor     int64
	Done       int64
	Total      int64
	Error      string
	ByKind     access.ActorKind
	By         id.ID
	At         time.Time
	FinishedAt time.Time
}

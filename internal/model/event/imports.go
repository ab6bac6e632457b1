package event

import "github.com/guanxi-crm/guanxi/internal/base/id"

// ImportState is how far an import of events of before is.
type ImportState string

// The states.
const (
	ImportOpen    ImportState = "open"
	ImportDone    ImportState = "done"
	ImportUndoing ImportState = "undoing"
	ImportUndone  ImportState = "undone"
)

// Import is a file of events of before that somebody brought in.
type Import struct {
	ID, Source                    id.ID
	File                          string
	By                            id.ID
	At                            int64 // milliseconds
	State                         ImportState
	Accepted, Duplicate, Rejected int64
	UndoneAt                      int64
	UndoneBy                      id.ID
}

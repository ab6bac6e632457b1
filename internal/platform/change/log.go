package change

import "context"

// Log is the change log as its consumers see it. It is safe for concurrent use.
//
// A consumer reads from its stored position, does its work, and saves the position of the last row it has seen; when
// the work is in the same database it saves the position in the same transaction (the store offers that), else it may
// see rows again after a crash and must bear it. Rows arrive in the order of their positions, each once.
type Log interface {
	// Read gives at most limit rows after a position, in order. On PostgreSQL rows of transactions that are younger than
	// the oldest running writer are held back.
	Read(ctx context.Context, after Position, limit int) ([]Row, error)
	// Head is the position of the newest row that Read would give; zero for an empty log.
	Head(ctx context.Context) (Position, error)
	// LoadPosition is where a consumer stopped; zero for an unknown one.
	LoadPosition(ctx context.Context, consumer string) (Position, error)
	// SavePosition stores where a consumer stopped and makes it known to Trim. Positions may go back (a rebuild).
	SavePosition(ctx context.Context, consumer string, p Position) error
	// Wait returns at the next commit that appended a row, and at the latest after a second. A commit between a Read and
	// the Wait is therefore noticed a second late; WaitAfter has no such gap.
	Wait(ctx context.Context) error
	// WaitAfter returns as soon as Read(after) would give a row; the error is that of the context or of the database.
	WaitAfter(ctx context.Context, after Position) error
	// Trim removes rows that nobody needs any more and says how many. The newest row always stays.
	Trim(ctx context.Context, policy TrimPolicy) (int, error)
}

// TrimPolicy says which rows may go. Only rows that every consumer with a stored position has passed go, whatever else
// is set; without any consumer nothing goes.
type TrimPolicy struct {
	// CreatesBefore removes creations without images that happened before this instant (milliseconds); the record itself
	// tells when and by whom it was made. 0 removes none.
	CreatesBefore int64
	// ImagesBefore removes every other row that happened before this instant (milliseconds), so that the history of
	// fields ends there. 0 removes none.
	ImagesBefore int64
	// Limit is the most rows to remove in one call, 10,000 when 0.
	Limit int
}

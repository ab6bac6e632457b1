package change

import (
	"context"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// Feed is what a Follower needs of the Log.
type Feed interface {
	Read(ctx context.Context, after Position, limit int) ([]Row, error)
	Head(ctx context.Context) (Position, error)
	LoadPosition(ctx context.Context, consumer string) (Position, error)
	SavePosition(ctx context.Context, consumer string, p Position) error
	WaitAfter(ctx context.Context, after Position) error
}

const (
	// restAtMost bounds the rest after a step (clock.Pace); a step gathers what came meanwhile.
	restAtMost = 250 * time.Millisecond
	// idleRest is the rest of a follower whose position leapt, since nobody waits for what it follows.
	idleRest = time.Second
)

// Follower walks the change log for one consumer, batch by batch. Only one of a name may run at a time in a workspace.
type Follower struct {
	Feed  Feed
	Name  string // of the consumer
	Clock clock.Clock
	Batch int // rows of a full step, behind which more waits
	// Begin is where a consumer without a position starts; nil for the head of the log, so that what was there before is nobody's.
	Begin func(ctx context.Context) (Position, error)
	// Step works through one batch behind a position and stores how far it came, with its work where it can. n is how many rows it
	// read: none when there were none, and when nobody waits for changes and the position leapt.
	Step func(ctx context.Context, after Position) (next Position, n int, err error)
}

// Run follows until ctx ends or a step fails; run again, it goes on with that step.
func (f *Follower) Run(ctx context.Context) error {
	pos, err := f.Feed.LoadPosition(ctx, f.Name)
	if err != nil {
		return fmt.Errorf("load position of %s: %w", f.Name, err)
	}
	if pos == (Position{}) {
		begin := f.Begin
		if begin == nil {
			begin = f.ToHead
		}
		if pos, err = begin(ctx); err != nil {
			return err
		}
	}
	pace := clock.Pace{AtMost: restAtMost}
	for {
		idle := f.Clock.Now()
		if err := f.Feed.WaitAfter(ctx, pos); err != nil {
			return err
		}
		began := f.Clock.Now()
		next, n, err := f.Step(ctx, pos)
		if err != nil {
			return err
		}
		leapt := n == 0 && next != pos
		pos = next
		rest := pace.Rest(began.Sub(idle), f.Clock.Now().Sub(began))
		switch {
		case n == f.Batch:
			continue
		case leapt:
			rest = idleRest
		}
		if err := clock.Pause(ctx, rest, nil); err != nil {
			return err
		}
	}
}

// ToHead passes over everything that is there.
func (f *Follower) ToHead(ctx context.Context) (Position, error) {
	head, err := f.Feed.Head(ctx)
	if err != nil {
		return Position{}, fmt.Errorf("read head of changes: %w", err)
	}
	return f.Leap(ctx, Position{}, head)
}

// Leap passes over what lies between two positions. Read the head before looking whether anybody waits for changes: what is for
// somebody who comes in between then lies behind it.
func (f *Follower) Leap(ctx context.Context, after, head Position) (Position, error) {
	if !after.Less(head) {
		return after, nil
	}
	if err := f.Feed.SavePosition(ctx, f.Name, head); err != nil {
		return after, fmt.Errorf("save position of %s: %w", f.Name, err)
	}
	return head, nil
}

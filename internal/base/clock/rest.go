package clock

import (
	"context"
	"time"
)

// restTimes keeps a follower at a tenth of the time.
const restTimes = 9

// Rest is how long a follower of the change log rests after a step that took so long: nine times as long, at most atMost. A
// step over one change costs nearly what one over fifty does, so a stream of single writes leaves the processors to those
// who write.
func Rest(took, atMost time.Duration) time.Duration { return min(restTimes*took, atMost) }

// atOnce is a wait so short that work must have been there already.
const atOnce = 50 * time.Millisecond

// Pace is the rhythm of a follower: who finds work again and again as soon as the rest is over rests twice as long each time, up to
// AtMost, and gathers the more. A change that comes alone is never waited with. It belongs to one goroutine.
type Pace struct {
	AtMost time.Duration
	last   time.Duration
}

// Rest is how long to rest after a step that took so long, before which the follower waited so long for work.
func (p *Pace) Rest(waited, took time.Duration) time.Duration {
	rest := Rest(took, p.AtMost)
	if waited < atOnce {
		rest = min(max(rest, 2*p.last), p.AtMost)
	}
	p.last = rest
	return rest
}

// Pause waits so long, until somebody is in a hurry (a nil channel never is), or until the context ends, whose error it
// answers.
func Pause(ctx context.Context, d time.Duration, hurry <-chan struct{}) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-hurry:
	case <-t.C:
	}
	return nil
}

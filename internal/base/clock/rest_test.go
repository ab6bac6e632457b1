package clock_test

import (
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
)

// TestPaceGathersWhatGoesOnComing: whoever finds work at once again and again rests longer and longer, and after a moment without work
// as at first.
func TestPaceGathersWhatGoesOnComing(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	p := clock.Pace{AtMost: 250 * ms}
	for i, step := range []struct{ waited, took, want time.Duration }{
		{time.Second, 2 * ms, 18 * ms}, {0, 2 * ms, 36 * ms}, {ms, 2 * ms, 72 * ms}, {0, 2 * ms, 144 * ms}, {0, 2 * ms, 250 * ms}, {0, 2 * ms, 250 * ms},
		{51 * ms, 2 * ms, 18 * ms}, {0, 40 * ms, 250 * ms}, {time.Minute, 0, 0}, {0, 0, 0},
	} {
		if got := p.Rest(step.waited, step.took); got != step.want {
			t.Errorf("step %d: rest %s, not %s", i, got, step.want)
		}
	}
}

package instance_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

func queue(s *instance.Store, c clock.Clock, do job.Handler) *job.Queue {
	return job.New(job.Config{Store: s, Clock: c, IDs: id.NewGenerator(c, 1), Log: slog.New(slog.DiscardHandler), Handlers: map[string]job.Handler{"work": do, "other": do}})
}

// crash leases the due job and does nothing more, as a killed process.
func crash(t *testing.T, s *instance.Store, c clock.Clock) job.Job {
	t.Helper()
	j, ok, err := s.Lease(t.Context(), c.Now(), c.Now().Add(time.Hour))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return j
}

// TestAJobOfAKilledProcessGoesOnOnce: the process that starts after it takes the job up at once, with the attempt counted.
func TestAJobOfAKilledProcessGoesOnOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		ctx, c := t.Context(), clock.NewFake(start)
		var ran []int
		q := queue(s, c, func(_ context.Context, j job.Job) error { ran = append(ran, j.Attempts); return nil })
		if _, err := q.Add(ctx, job.Job{Kind: "work", Workspace: "main"}); err != nil {
			t.Fatal(err)
		}
		dead := crash(t, s, c)
		if did, err := q.Step(ctx); did || err != nil {
			t.Fatal("the lease of a worker that may live was taken:", did, err)
		}
		if n, err := s.Reclaim(ctx); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if list, err := s.Troubled(ctx, "main", 9); err != nil || len(list) != 1 || list[0].Attempts != 1 || list[0].GaveUp {
			t.Errorf("in trouble: %+v, %v", list, err)
		}
		for _, want := range []bool{true, false} {
			if did, err := q.Step(ctx); did != want || err != nil {
				t.Fatal(did, err)
			}
		}
		if err := s.Finish(ctx, dead, job.Failed, "late", start, start); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Troubled(ctx, "main", 9); err != nil || len(list) != 0 || len(ran) != 1 || ran[0] != 2 {
			t.Errorf("ran at attempts %v, in trouble %+v, %v", ran, list, err)
		}
	})
}

// TestAPoisonJobIsGivenUp: one that takes the process down with it each time is not run for ever.
func TestAPoisonJobIsGivenUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		ctx, c := t.Context(), clock.NewFake(start)
		ran := 0
		q := queue(s, c, func(context.Context, job.Job) error { ran++; return nil })
		if _, err := q.Add(ctx, job.Job{Kind: "work", Workspace: "main", Unique: "u"}); err != nil {
			t.Fatal(err)
		}
		for range job.MaxAttempts {
			crash(t, s, c)
			if _, err := s.Reclaim(ctx); err != nil {
				t.Fatal(err)
			}
		}
		c.Advance(time.Minute)
		if did, err := q.Step(ctx); !did || err != nil || ran != 0 {
			t.Fatal(did, err, ran)
		}
		list, err := s.Troubled(ctx, "main", 9)
		if err != nil || len(list) != 1 || !list[0].GaveUp || list[0].Code != "job.gave_up" || list[0].Kind != "work" || !list[0].At.Equal(c.Now()) {
			t.Errorf("in trouble: %+v, %v", list, err)
		}
		if list, err := s.Troubled(ctx, "another", 9); err != nil || len(list) != 0 {
			t.Errorf("another workspace's: %+v, %v", list, err)
		}
		// The next of its kind runs, and when it succeeds the failure is history.
		for _, kind := range []string{"other", "work"} {
			if added, err := q.Add(ctx, job.Job{Kind: kind, Workspace: "main", Unique: "u"}); !added || err != nil {
				t.Fatal(added, err)
			}
			if did, err := q.Step(ctx); !did || err != nil {
				t.Fatal(did, err)
			}
			want := 1
			if kind == "work" {
				want = 0
			}
			if list, err := s.Troubled(ctx, "main", 9); err != nil || len(list) != want {
				t.Errorf("after %s: %+v, %v", kind, list, err)
			}
		}
	})
}

// TestAnOrderlyStopIsNoAttempt: a long job outlives any number of restarts.
func TestAnOrderlyStopIsNoAttempt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		c := clock.NewFake(start)
		var stop context.CancelFunc
		fail := false
		q := queue(s, c, func(ctx context.Context, _ job.Job) error {
			if fail {
				return errors.New("disk")
			}
			stop()
			return ctx.Err()
		})
		if _, err := q.Add(t.Context(), job.Job{Kind: "work", Workspace: "main"}); err != nil {
			t.Fatal(err)
		}
		step := func() {
			t.Helper()
			var ctx context.Context
			ctx, stop = context.WithCancel(t.Context())
			defer stop()
			if did, err := q.Step(ctx); !did || err != nil {
				t.Fatal(did, err)
			}
		}
		for range 2 * job.MaxAttempts {
			step()
		}
		if list, err := s.Troubled(t.Context(), "main", 9); err != nil || len(list) != 0 {
			t.Errorf("stopped: %+v, %v", list, err)
		}
		fail = true
		step()
		if list, err := s.Troubled(t.Context(), "main", 9); err != nil || len(list) != 1 || list[0].Attempts != 1 || list[0].GaveUp || !list[0].At.After(c.Now()) {
			t.Errorf("failed once: %+v, %v", list, err)
		}
	})
}

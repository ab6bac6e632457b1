package main

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// timing is what many requests of one kind took.
type timing struct {
	cold, p50, p95, most time.Duration
	first                time.Duration // the 95th percentile when all were asked for the first time, 0 where they were asked once
	rate                 float64       // a second
	cpu                  time.Duration // of the processor for each, where it was asked for
}

// charged measures and divides the processor time that a process used meanwhile.
func charged(processor func() time.Duration, n, by int, fn func(i int) error) (timing, error) {
	var before time.Duration
	t, err := measure(n, by, func(i int) error {
		err := fn(i)
		if i == 0 { // what is made at the first time is not for all to pay
			before = processor()
		}
		return err
	})
	t.cpu = (processor() - before) / time.Duration(n)
	return t, err
}

// warmed asks all of a kind for the first time, measures them when what they read is in memory, and keeps both figures apart. What
// the program remembers is asked once.
func warmed(processor func() time.Duration, k kind) (timing, error) {
	if k.remembered() {
		return charged(processor, k.n, clients, k.ask)
	}
	cold, err := measure(k.n, clients, k.ask)
	if err != nil {
		return cold, err
	}
	t, err := charged(processor, k.n, clients, k.ask)
	t.cold, t.first = cold.cold, cold.p95
	return t, err
}

// own is the processor time of this process.
func own() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// measure runs fn(0) cold, then fn(1) to fn(n) by so many clients.
func measure(n, by int, fn func(i int) error) (timing, error) {
	var t timing
	begin := time.Now()
	if err := fn(0); err != nil {
		return t, err
	}
	t.cold = time.Since(begin)
	took := make([]time.Duration, n)
	errs := make([]error, by)
	var next atomic.Int64
	var wg sync.WaitGroup
	begin = time.Now()
	for c := range by {
		wg.Go(func() {
			for {
				i := int(next.Add(1))
				if i > n || errs[c] != nil {
					return
				}
				one := time.Now()
				errs[c] = fn(i)
				took[i-1] = time.Since(one)
			}
		})
	}
	wg.Wait()
	t.rate = float64(n) / time.Since(begin).Seconds()
	slices.Sort(took)
	t.p50, t.p95, t.most = took[n/2], took[n*95/100], took[n-1]
	return t, errors.Join(errs...)
}

package main

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// timing is what many requests of one kind took.
type timing struct {
	cold, p50, p95, most time.Duration
	rate                 float64 // a second
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

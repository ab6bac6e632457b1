package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// schedule is how long after each failed attempt the next one is due, by the advice of Standard Webhooks; about two days in all.
func schedule() []time.Duration {
	return []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 10 * time.Hour, 10 * time.Hour, 10 * time.Hour}
}

const (
	// failingFor disables an endpoint that had no success for so long and failed at least failingLeast times.
	failingFor   = 5 * 24 * time.Hour
	failingLeast = 5
	// retryAfterMost bounds what an endpoint may ask for by Retry-After.
	retryAfterMost = 10 * time.Hour
	// jitterPart is the share of a wait by which it varies, so that what failed together does not come back together.
	jitterPart = 0.1
	// perEndpoint is how many requests one endpoint gets at once.
	perEndpoint = 4
	// lookEvery is how often the queue is looked at when nobody says that there is something to do.
	lookEvery = 2 * time.Second
	// deliveredFor and deadFor are how long the log is kept.
	deliveredFor = 7 * 24 * time.Hour
	deadFor      = 30 * 24 * time.Hour
	sweepEvery   = time.Hour
)

// Retry is when a delivery that failed for the n-th time (from 1) is due again, without jitter; false when never.
func Retry(n int) (time.Duration, bool) {
	s := schedule()
	if n < 1 || n > len(s) {
		return 0, false
	}
	return s[n-1], true
}

// DispatcherConfig is what a Dispatcher needs; Log, Counted and Disabled may be nil.
type DispatcherConfig struct {
	Store  Store
	Sender *Sender
	Clock  clock.Clock
	Log    *slog.Logger
	Seed   uint64 // of the jitter
	// Counted is told of each attempt: delivered, failed or dead.
	Counted func(outcome string)
	// Disabled is told that a subscription was disabled, and why.
	Disabled func(ctx context.Context, s Subscription, reason string)
}

// Dispatcher sends what is due. Only one may run at a time in a workspace: what is on its way is known to it alone. It is safe for
// concurrent use.
type Dispatcher struct {
	cfg  DispatcherConfig
	wake chan struct{}

	mu     sync.Mutex
	random *rand.Rand
	flying map[id.ID]map[id.ID]bool // webhook → deliveries on their way
}

// NewDispatcher makes a Dispatcher.
func NewDispatcher(cfg DispatcherConfig) *Dispatcher {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Dispatcher{cfg: cfg, wake: make(chan struct{}, 1), random: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed)), flying: map[id.ID]map[id.ID]bool{}} //nolint:gosec // jitter
}

// Notify says that there may be something to send.
func (d *Dispatcher) Notify() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends or the store fails; it returns when what was on its way has come back.
func (d *Dispatcher) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	failed := make(chan error, 1)
	var swept time.Time
	for {
		if now := d.cfg.Clock.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			if err := d.cfg.Store.Sweep(ctx, now.Add(-deliveredFor), now.Add(-deadFor)); err != nil {
				return fmt.Errorf("forget old deliveries: %w", err)
			}
		}
		if err := d.round(ctx, &group, failed); err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		default:
		}
		if err := clock.Pause(ctx, lookEvery, d.wake); err != nil {
			return err
		}
	}
}

// round starts what is due and has room.
func (d *Dispatcher) round(ctx context.Context, group *sync.WaitGroup, failed chan<- error) error {
	subs, err := d.cfg.Store.Webhooks(ctx, false)
	if err != nil {
		return fmt.Errorf("list webhooks: %w", err)
	}
	for i := range subs {
		s := &subs[i]
		if s.State != Active {
			continue
		}
		busy := d.busy(s.ID)
		if len(busy) >= perEndpoint {
			continue
		}
		due, err := d.cfg.Store.Due(ctx, s.ID, d.cfg.Clock.Now(), perEndpoint+len(busy))
		if err != nil {
			return fmt.Errorf("read due deliveries: %w", err)
		}
		for j := range due {
			// What was on its way before the question may have arrived since, and its row here be old: it is asked for again.
			if busy[due[j].ID] || !d.take(s.ID, due[j].ID) {
				continue
			}
			group.Go(func() {
				err := d.deliver(ctx, *s, due[j])
				d.release(s.ID, due[j].ID)
				if err != nil && ctx.Err() == nil {
					select {
					case failed <- err:
					default:
					}
				}
				d.Notify()
			})
		}
	}
	return nil
}

// busy is what is on its way to an endpoint.
func (d *Dispatcher) busy(webhook id.ID) map[id.ID]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.flying[webhook])
}

func (d *Dispatcher) take(webhook, delivery id.ID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	set := d.flying[webhook]
	if set == nil {
		set = map[id.ID]bool{}
		d.flying[webhook] = set
	}
	if set[delivery] || len(set) >= perEndpoint {
		return false
	}
	set[delivery] = true
	return true
}

func (d *Dispatcher) release(webhook, delivery id.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.flying[webhook], delivery)
	if len(d.flying[webhook]) == 0 {
		delete(d.flying, webhook)
	}
}

// deliver makes one attempt and writes it down. An attempt that a shutdown broke off is not one: it is made again.
func (d *Dispatcher) deliver(ctx context.Context, s Subscription, v Delivery) error {
	a := d.cfg.Sender.send(ctx, &s, &v)
	if a.Error != "" && ctx.Err() != nil {
		return ctx.Err()
	}
	o := d.outcome(&s, v, a)
	if err := d.cfg.Store.Finish(context.WithoutCancel(ctx), o); err != nil {
		return fmt.Errorf("write down an attempt: %w", err)
	}
	switch {
	case o.OK:
		d.count("delivered")
	case o.Delivery.State == Dead:
		d.count("dead")
	default:
		d.count("failed")
	}
	if o.Disable != "" {
		d.cfg.Log.Warn("a webhook was disabled", "webhook", id.Format(Prefix, s.ID), "reason", o.Disable)
		if d.cfg.Disabled != nil {
			d.cfg.Disabled(context.WithoutCancel(ctx), s, o.Disable)
		}
	}
	return nil
}

func (d *Dispatcher) count(outcome string) {
	if d.cfg.Counted != nil {
		d.cfg.Counted(outcome)
	}
}

// outcome says what follows from an attempt.
func (d *Dispatcher) outcome(s *Subscription, v Delivery, a answer) Outcome {
	now := d.cfg.Clock.Now()
	v.Attempts, v.Tries, v.Reason = v.Attempts+1, v.Tries+1, a.Error
	o := Outcome{Attempt: a.Attempt, OK: a.Error == ""}
	switch {
	case o.OK:
		v.State, v.DoneAt = Delivered, now
	case a.Status == 410:
		v.State, v.DoneAt, o.Disable = Dead, now, ReasonGone
	default:
		wait, again := Retry(v.Tries)
		if again {
			v.NextAt = now.Add(max(d.jitter(wait), a.after))
		} else {
			v.State, v.DoneAt = Dead, now
		}
		if !s.FailingSince.IsZero() && now.Sub(s.FailingSince) >= failingFor && s.Failures+1 >= failingLeast {
			o.Disable = ReasonFailing
		}
	}
	o.Delivery = v
	return o
}

func (d *Dispatcher) jitter(wait time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return wait + time.Duration(float64(wait)*jitterPart*d.random.Float64())
}

package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// schedule is how long after each temporary refusal a message is tried again.
func schedule() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour}
}

// Retry is when a message that was refused for now the n-th time (from 1) is due again, without jitter; false when never.
func Retry(n int) (time.Duration, bool) {
	s := schedule()
	if n < 1 || n > len(s) {
		return 0, false
	}
	return s[n-1], true
}

const (
	jitterPart = 0.1
	// atOnce is how many connections one profile has, and atMost how many while many messages wait: a server may see that as too many for a few.
	atOnce = 4
	atMost = 10
	// batchSize is how many messages one look at the queue takes.
	batchSize = 2000
	// perConnection is how many messages one connection carries before it is made anew.
	perConnection = 100
	// lookEvery is how often the queue is looked at when nobody says that there is something to do.
	lookEvery = 2 * time.Second
	// firstRest and longestRest bound how long a profile that does not work is left alone.
	firstRest   = 15 * time.Second
	longestRest = 5 * time.Minute
	// keptFor is how long the log keeps what was done.
	keptFor    = 30 * 24 * time.Hour
	sweepEvery = time.Hour
	// orphanAfter is when a message that is still being sent is given up, beside a dispatcher that runs.
	orphanAfter = 15 * time.Minute
)

// DispatcherConfig is what a Dispatcher needs; Log, Counted and Finished may be nil.
type DispatcherConfig struct {
	Queue  *Queue
	Client *Client
	Log    *slog.Logger
	Seed   uint64 // of the jitter
	// Counted is told of each attempt: sent, failed, waiting or unknown.
	Counted func(outcome string)
	// Finished is told of a message that waits no longer, after that was stored; a crash in between leaves it untold.
	Finished func(ctx context.Context, it *Item)
}

// Dispatcher sends what is due. Only one should run at a time in a workspace, so that what is being sent when it starts was left in the middle.
// That two run for a moment sends nothing twice, since each message is claimed in the database, and what the first then learns of a message still
// counts. It is safe for concurrent use.
type Dispatcher struct {
	cfg   DispatcherConfig
	store Store
	clock clock.Clock
	wake  chan struct{}

	mu     sync.Mutex
	random *rand.Rand
	busy   map[id.ID]bool
	rest   map[id.ID]rest
}

// rest is how long a profile is left alone.
type rest struct {
	wait  time.Duration
	until time.Time
}

// NewDispatcher makes a Dispatcher.
func NewDispatcher(cfg DispatcherConfig) *Dispatcher {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Counted == nil {
		cfg.Counted = func(string) {}
	}
	if cfg.Finished == nil {
		cfg.Finished = func(context.Context, *Item) {}
	}
	return &Dispatcher{cfg: cfg, store: cfg.Queue.Store, clock: cfg.Queue.Clock, wake: make(chan struct{}, 1),
		random: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed)), busy: map[id.ID]bool{}, rest: map[id.ID]rest{}} //nolint:gosec // jitter
}

// Notify says that there may be something to send.
func (d *Dispatcher) Notify() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Forgive lets a profile that did not work be tried again at once.
func (d *Dispatcher) Forgive(profile id.ID) {
	d.mu.Lock()
	delete(d.rest, profile)
	d.mu.Unlock()
	d.Notify()
}

// Run sends until ctx ends or the store fails; it returns when what was on its way has come back.
func (d *Dispatcher) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	failed := make(chan error, 1)
	var swept time.Time
	after := time.Duration(0)
	for {
		if now := d.clock.Now(); now.Sub(swept) >= sweepEvery {
			if err := d.tidyUp(ctx, now, after); err != nil {
				return err
			}
			swept, after = now, orphanAfter
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

func (d *Dispatcher) tidyUp(ctx context.Context, now time.Time, orphans time.Duration) error {
	n, err := d.store.Orphans(ctx, now.Add(-orphans), now)
	if err != nil {
		return fmt.Errorf("look for mails left in the middle: %w", err)
	}
	for range n {
		d.cfg.Counted(string(Unknown))
	}
	if n > 0 {
		d.cfg.Log.Warn("mails were left in the middle; whether the server took them is unknown", "count", n)
	}
	if err := d.store.Sweep(ctx, now.Add(-keptFor)); err != nil {
		return fmt.Errorf("forget old mails: %w", err)
	}
	return nil
}

// round starts every profile that has something to do and is not at it.
func (d *Dispatcher) round(ctx context.Context, group *sync.WaitGroup, failed chan<- error) error {
	now := d.clock.Now()
	if err := d.store.Expire(ctx, now); err != nil {
		return fmt.Errorf("end expired mails: %w", err)
	}
	profiles, err := d.store.Profiles(ctx)
	if err != nil {
		return fmt.Errorf("read mail profiles: %w", err)
	}
	for i := range profiles {
		p := profiles[i]
		if !p.Active || !d.take(p.ID, now) {
			continue
		}
		group.Go(func() {
			n, err := d.serve(ctx, &p)
			d.release(p.ID)
			if err != nil && ctx.Err() == nil {
				select {
				case failed <- err:
				default:
				}
			}
			if n == batchSize || err != nil {
				d.Notify()
			}
		})
	}
	return nil
}

func (d *Dispatcher) take(profile id.ID, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[profile] || now.Before(d.rest[profile].until) {
		return false
	}
	d.busy[profile] = true
	return true
}

func (d *Dispatcher) release(profile id.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, profile)
}

// serve sends what is due through one profile and says how many messages it looked at.
func (d *Dispatcher) serve(ctx context.Context, p *Profile) (int, error) {
	now := d.clock.Now()
	room, err := d.room(ctx, p, now)
	if err != nil || room == 0 {
		return 0, err
	}
	due, err := d.store.Due(ctx, p.ID, now, room)
	if err == nil && p.Standard && len(due) < room {
		var more []Item
		more, err = d.store.Due(ctx, 0, now, room-len(due))
		due = append(due, more...)
	}
	if err != nil {
		return 0, fmt.Errorf("read due mails: %w", err)
	}
	if len(due) == 0 {
		return 0, nil
	}
	queue := make(chan *Item, len(due))
	for i := range due {
		queue <- &due[i]
	}
	close(queue)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var lines sync.WaitGroup
	for range max(min(atOnce, (len(due)+9)/10), min(atMost, len(due)/50)) {
		lines.Go(func() {
			if err := d.line(ctx, p, queue); err != nil {
				cancel(err)
			}
		})
	}
	lines.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, errRest) && !errors.Is(err, context.Canceled) {
		return len(due), err
	}
	return len(due), nil
}

// errRest ends the lines of a profile that does not work.
var errRest = errors.New("the profile is left alone for a while")

// room is how many messages a profile may try now.
func (d *Dispatcher) room(ctx context.Context, p *Profile, now time.Time) (int, error) {
	room := batchSize
	for _, l := range []struct {
		most int
		span time.Duration
	}{{p.PerMinute, time.Minute}, {p.PerHour, time.Hour}} {
		if l.most <= 0 {
			continue
		}
		n, err := d.store.TriedSince(ctx, p.ID, now.Add(-l.span))
		if err != nil {
			return 0, fmt.Errorf("count tried mails: %w", err)
		}
		room = min(room, max(l.most-n, 0))
	}
	return room, nil
}

// line sends messages over one connection after another until there are none.
func (d *Dispatcher) line(ctx context.Context, p *Profile, queue <-chan *Item) error {
	var c *conn
	carried := 0
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	for it := range queue {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the others are told already
		}
		if c != nil && carried >= perConnection {
			c.close()
			c = nil
		}
		if c == nil {
			fresh, err := d.cfg.Client.connect(ctx, p)
			if err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return d.unwell(ctx, p, err)
			}
			c, carried = fresh, 0
		}
		carried++
		alive, err := d.deliver(ctx, p, c, it)
		if err != nil {
			return err
		}
		if !alive {
			c.close()
			c = nil
		}
	}
	return nil
}

// unwell writes down that a profile does not work and leaves it alone for a while.
func (d *Dispatcher) unwell(ctx context.Context, p *Profile, err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	now := d.clock.Now()
	d.mu.Lock()
	r := d.rest[p.ID]
	if r.until.Before(now) {
		r.wait = min(max(r.wait*2, firstRest), longestRest)
		r.until = now.Add(d.spread(r.wait))
		d.rest[p.ID] = r
	}
	d.mu.Unlock()
	h := p.Health
	if h.FailingSince.IsZero() {
		h.FailingSince = now
		d.cfg.Log.Warn("a mail server does not work", "profile", id.Format(ProfilePrefix, p.ID), "reason", f.reason, "code", f.code)
	}
	h.LastError, h.LastReply = f.reason, replyOf(f)
	if err := d.store.Fared(ctx, p.ID, h); err != nil {
		return fmt.Errorf("write down how a mail server fares: %w", err)
	}
	return errRest
}

func replyOf(f *failure) string {
	if f.code == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", f.code, f.reply)
}

// errTaken ends the conversation about a message that does not wait any more.
var errTaken = errors.New("the message does not wait any more")

// deliver makes one attempt and writes it down; alive says whether the connection can be used again.
func (d *Dispatcher) deliver(ctx context.Context, p *Profile, c *conn, it *Item) (alive bool, err error) {
	it.Used = p.ID
	text, err := d.cfg.Queue.open(it)
	var raw []byte
	if err == nil {
		raw, err = compose(p, it, &text, c.key, d.clock.Now())
	}
	if err != nil {
		d.cfg.Log.Error("a mail cannot be made", "mail", id.Format(Prefix, it.ID), "error", err)
		it.TriedAt = d.clock.Now()
		return true, d.finish(ctx, it, &failure{reason: ErrMessage, permanent: true}, Waiting)
	}
	stood := Waiting
	it.TriedAt = d.clock.Now()
	err = d.cfg.Client.send(c, p.FromAddress, text.To.Email, raw, func() error {
		ok, err := d.store.Claim(context.WithoutCancel(ctx), *it)
		if err != nil {
			return err
		}
		if !ok {
			return errTaken
		}
		stood = Sending
		return nil
	})
	var f *failure
	switch {
	case errors.Is(err, errTaken): // what still waits then goes to a stopped address; what does not is left as it is
		if err := d.finish(ctx, it, &failure{reason: ErrStopped, permanent: true}, Waiting); err != nil {
			return false, err
		}
		return c.Reset() == nil, nil
	case err != nil && !errors.As(err, &f):
		return false, err
	}
	if err := d.finish(ctx, it, f, stood); err != nil {
		return false, err
	}
	switch {
	case f == nil:
		return true, nil
	case f.ours && f.permanent:
		return false, d.unwell(ctx, p, f)
	case f.code == 0 || f.code == 421:
		return false, nil
	}
	return c.Reset() == nil, nil
}

// finish writes down what became of an attempt.
func (d *Dispatcher) finish(ctx context.Context, it *Item, f *failure, from State) error {
	now := d.clock.Now()
	it.Attempts++
	o := Outcome{At: now}
	it.Reason, it.Reply = "", ""
	if f != nil {
		it.Reason, it.Reply = f.reason, replyOf(f)
	}
	switch {
	case f == nil:
		it.State, it.DoneAt, o.Good = Sent, now, true
		d.well(it.Used)
	case f.taken:
		it.State, it.DoneAt = Unknown, now
	case f.ours && f.permanent: // the sender is refused: nothing that this profile sends would be taken
		it.State, it.NextAt, o.Bad = Waiting, now.Add(d.jitter(longestRest)), true
	case f.permanent:
		it.State, it.DoneAt, o.Stop = Failed, now, f.stop
	default:
		it.Tries++
		wait, again := Retry(it.Tries)
		if again {
			it.State, it.NextAt = Waiting, now.Add(d.jitter(wait))
		} else {
			it.State, it.DoneAt, it.Reason = Failed, now, ErrGaveUp
		}
	}
	o.Item = *it
	if err := d.store.Finish(context.WithoutCancel(ctx), o, from); err != nil {
		return fmt.Errorf("write down a mail: %w", err)
	}
	d.cfg.Counted(string(it.State))
	if it.State != Waiting {
		d.cfg.Finished(context.WithoutCancel(ctx), it)
	}
	return nil
}

// well forgets that a profile did not work.
func (d *Dispatcher) well(profile id.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.rest, profile)
}

func (d *Dispatcher) jitter(wait time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.spread(wait)
}

// spread is jitter under the lock.
func (d *Dispatcher) spread(wait time.Duration) time.Duration {
	return wait + time.Duration(float64(wait)*jitterPart*d.random.Float64())
}

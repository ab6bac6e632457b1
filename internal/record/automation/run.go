package automation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// backoff is how long after each failed attempt the next one is due.
func backoff() []time.Duration {
	return []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
}

const (
	takeAtOnce = 200 // runs of a rule in one go
	atOnce     = 3   // rules at work
	lookEvery  = time.Second
	// lookAgain is how often a wait for a condition looks without being woken: what it asks may be about other records, or the time.
	lookAgain  = time.Hour
	sweepEvery = time.Hour
	endedFor   = 60 * 24 * time.Hour
	failedFor  = 365 * 24 * time.Hour
)

// Runner takes runs from step to step. Rules do not wait for one another: each has a turn with some of its runs.
type Runner struct {
	Service *Service
	Log     *slog.Logger

	mu   sync.Mutex
	busy map[id.ID]bool
}

// Run works until ctx ends or the store fails; it returns when what was under way has come to its next step.
func (r *Runner) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	failed := make(chan error, 1)
	slots := make(chan struct{}, atOnce)
	var swept time.Time
	for {
		if now := r.Service.cfg.Clock.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			if err := r.Service.cfg.Store.Sweep(ctx, now.Add(-endedFor), now.Add(-failedFor)); err != nil {
				return fmt.Errorf("forget old automation runs: %w", err)
			}
		}
		if err := r.round(ctx, &group, slots, failed); err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		default:
		}
		if err := clock.Pause(ctx, lookEvery, r.Service.cfg.Wake); err != nil {
			return err
		}
	}
}

// round gives every rule with due runs a turn.
func (r *Runner) round(ctx context.Context, group *sync.WaitGroup, slots chan struct{}, failed chan<- error) error {
	rules, err := r.Service.cfg.Store.Rules(ctx, false, time.Time{})
	if err != nil {
		return fmt.Errorf("list automations: %w", err)
	}
	for i := range rules {
		rule := rules[i]
		if rule.State != On || !r.take(rule.ID) {
			continue
		}
		due, err := r.Service.due(ctx, &rule)
		if err != nil || len(due) == 0 {
			r.release(rule.ID)
			if err != nil {
				return err
			}
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			r.release(rule.ID)
			return ctx.Err()
		}
		group.Go(func() {
			err := r.Service.advance(ctx, &rule, due)
			<-slots
			r.release(rule.ID)
			if err != nil && ctx.Err() == nil {
				select {
				case failed <- err:
				default:
				}
			}
			r.Service.cfg.Notify()
		})
	}
	return nil
}

func (r *Runner) take(rule id.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy == nil {
		r.busy = map[id.ID]bool{}
	}
	if r.busy[rule] {
		return false
	}
	r.busy[rule] = true
	return true
}

func (r *Runner) release(rule id.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, rule)
}

// Drain takes everything that is due to where it waits or ends, and says how many steps that were. It is for programs that end and for tests.
func (r *Runner) Drain(ctx context.Context) (int, error) {
	total := 0
	for {
		rules, err := r.Service.cfg.Store.Rules(ctx, false, time.Time{})
		if err != nil {
			return total, err
		}
		n := 0
		for i := range rules {
			if rules[i].State != On {
				continue
			}
			due, err := r.Service.due(ctx, &rules[i])
			if err == nil && len(due) > 0 {
				err = r.Service.advance(ctx, &rules[i], due)
			}
			if err != nil {
				return total, err
			}
			n += len(due)
		}
		if n == 0 {
			return total, nil
		}
		total += n
	}
}

// due are runs of a rule to take further; those that have not begun wait when the hour is full.
func (s *Service) due(ctx context.Context, rule *Rule) ([]Run, error) {
	now := s.cfg.Clock.Now()
	due, err := s.cfg.Store.Due(ctx, rule.ID, now, takeAtOnce)
	if err != nil {
		return nil, fmt.Errorf("read due automation runs: %w", err)
	}
	fresh := 0
	for i := range due {
		if due[i].Moves == 0 {
			fresh++
		}
	}
	if fresh == 0 {
		return due, nil
	}
	begun, err := s.cfg.Store.Begun(ctx, rule.ID, now)
	if err != nil {
		return nil, fmt.Errorf("count automation runs: %w", err)
	}
	limit := rule.Definition.PerHour
	if limit == 0 {
		limit = PerHour
	}
	left := limit - begun
	if fresh <= left {
		return due, nil
	}
	out := due[:0]
	for _, run := range due {
		if run.Moves == 0 {
			if left <= 0 {
				continue
			}
			left--
		}
		out = append(out, run)
	}
	if len(out) == 0 {
		err = s.cfg.Store.Postpone(ctx, rule.ID, now, now.Truncate(time.Hour).Add(time.Hour))
	}
	return out, err
}

// at is where runs stand.
type at struct {
	revision int64
	pc       int
}

// advance takes runs one step further, those at the same place together.
func (s *Service) advance(ctx context.Context, rule *Rule, due []Run) error {
	groups, order := map[at][]Run{}, []at{}
	for _, run := range due {
		k := at{run.Revision, run.PC}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], run)
	}
	for _, k := range order {
		if err := s.group(ctx, rule, k, groups[k]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) group(ctx context.Context, rule *Rule, k at, runs []Run) error {
	acting, prog, err := s.acting(ctx, rule, k.revision)
	if reason := pauseFor(err); reason != "" {
		if err := s.cfg.Store.PauseRule(ctx, rule.ID, reason, s.cfg.Clock.Now()); err != nil {
			return err
		}
		s.paused(ctx, rule.ID, reason)
		return nil
	}
	if err != nil {
		return s.retryAll(ctx, runs, nil, err)
	}
	if k.pc < 0 || k.pc >= len(prog.code) {
		return s.move(ctx, s.mapMoves(runs, func(run Run) Move { return s.ended(run, Done) }))
	}
	b := &batch{s: s, rule: rule, prog: prog, in: &prog.code[k.pc], runs: runs, now: s.cfg.Clock.Now().Truncate(time.Millisecond)}
	err = b.run(acting)
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case fault.CodeOf(err) == "automation.moved": // by somebody else; what is due is read again
		return nil
	case len(runs) == 1:
		return s.retryAll(ctx, runs, b.in, err)
	}
	// One of them spoils it for all: each goes by itself.
	for i := range runs {
		if err := s.group(ctx, rule, k, runs[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) mapMoves(runs []Run, fn func(Run) Move) []Move {
	out := make([]Move, len(runs))
	for i := range runs {
		out[i] = fn(runs[i])
	}
	return out
}

// move stores moves that write nothing else. One that somebody else made meanwhile is let go.
func (s *Service) move(ctx context.Context, moves []Move) error {
	if len(moves) == 0 {
		return nil
	}
	err := s.cfg.Store.Move(context.WithoutCancel(ctx), nil, moves, nil)
	if fault.CodeOf(err) == "automation.moved" && len(moves) > 1 {
		for i := range moves {
			if err := s.move(ctx, moves[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil && fault.CodeOf(err) != "automation.moved" {
		return fmt.Errorf("write down automation steps: %w", err)
	}
	return nil
}

// retryAll puts runs off after a failure, or gives them up.
func (s *Service) retryAll(ctx context.Context, runs []Run, in *instr, err error) error {
	s.cfg.Log.Warn("an automation step failed", "rule", id.Format(Prefix, runs[0].Rule), "runs", len(runs), "error", err)
	return s.move(ctx, s.mapMoves(runs, func(run Run) Move { return s.failed(run, in, err) }))
}

// ended is a run that is over.
func (s *Service) ended(run Run, state RunState) Move {
	run.Moves++
	run.State, run.EndedAt, run.Watch = state, s.cfg.Clock.Now().Truncate(time.Millisecond), false
	return Move{Run: run}
}

// lasting reports a failure that trying again does not mend.
func lasting(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Forbidden, fault.NotFound, fault.Conflict, fault.TooLarge, fault.Unauthenticated:
		return true
	}
	return false
}

// failed is a run whose step failed: due again later, or given up.
func (s *Service) failed(run Run, in *instr, err error) Move {
	now := s.cfg.Clock.Now().Truncate(time.Millisecond)
	p := problemOf(err)
	d := Detail{Code: p.Code, Field: p.Field, Params: p.Params, Tries: run.Tries + 1}
	run.Moves++
	log := &Log{Number: run.Moves, Outcome: OutFailed, Detail: d, At: now}
	if in != nil {
		log.Step, log.Kind, p.Step = in.step.ID, in.step.Kind, in.step.ID
	}
	run.Problem = p
	if waits := backoff(); !lasting(err) && run.Tries < len(waits) {
		run.DueAt = now.Add(waits[run.Tries])
		run.Tries++
	} else {
		run.State, run.EndedAt, run.Watch = Failed, now, false
	}
	return Move{Run: run, Step: log}
}

// problemOf keeps of an error what may be shown.
func problemOf(err error) *Problem {
	f, ok := fault.Find(err)
	if !ok || f.Kind == fault.Internal {
		return &Problem{Code: "automation.internal"}
	}
	for len(f.Items) > 0 {
		f = f.Items[0]
	}
	return &Problem{Code: f.Code, Params: f.Params, Field: f.Field}
}

// runnerGone is the error of a rule whose person may act no more.
type runnerGone struct{ cause error }

func (e *runnerGone) Error() string { return "the person of an automation is gone: " + e.cause.Error() }
func (e *runnerGone) Unwrap() error { return e.cause }

var errNoProgram = errors.New("automation without a program")

package automation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Consumer is the name under which the position in the change log is kept.
const Consumer = "automation"

const (
	collectBatch = 1000
	askAtOnce    = 500
)

// Collector begins runs of what the change log tells. Only one may run at a time in a workspace.
type Collector struct {
	Service *Service
	Changes change.Feed
	Log     *slog.Logger
}

// Run follows the log until ctx ends or a step fails; run again, it goes on with that step.
func (c *Collector) Run(ctx context.Context) error {
	return fmt.Errorf("begin automations: %w", c.walk().Run(ctx)) // what happened before there were rules begins none
}

func (c *Collector) walk() *change.Follower {
	return &change.Follower{Feed: c.Changes, Name: Consumer, Clock: c.Service.cfg.Clock, Batch: collectBatch, Step: c.step}
}

// followers are the rules that changes begin.
func (c *Collector) followers(ctx context.Context) ([]Rule, error) {
	rules, err := c.Service.cfg.Store.Rules(ctx, false, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("list automations: %w", err)
	}
	return slices.DeleteFunc(rules, func(r Rule) bool { return r.State != On || opOf(r.Definition.Trigger.Kind) == "" }), nil
}

// opOf is the operation that begins runs of a trigger, "" for what no change begins.
func opOf(k TriggerKind) change.Op {
	return map[TriggerKind]change.Op{OnCreated: change.Create, OnChanged: change.Update, OnDeleted: change.Delete, OnRestored: change.Restore,
		OnFile: change.Attach, OnFileGone: change.Detach}[k]
}

// step takes one batch and says how many rows it was; none where nobody waits for changes and the position leapt.
func (c *Collector) step(ctx context.Context, after change.Position) (change.Position, int, error) {
	head, err := c.Changes.Head(ctx) // before the rules: what somebody who switches one on in between is to see lies behind it
	if err != nil {
		return after, 0, err
	}
	watching, err := c.Service.cfg.Store.Watching(ctx)
	if err != nil {
		return after, 0, err
	}
	rules, err := c.followers(ctx)
	if err != nil {
		return after, 0, err
	}
	if len(rules) == 0 && !watching {
		next, err := c.walk().Leap(ctx, after, head)
		return next, 0, err
	}
	rows, err := c.Changes.Read(ctx, after, collectBatch)
	if err != nil || len(rows) == 0 {
		return after, 0, err
	}
	b := Begin{At: c.Service.cfg.Clock.Now(), To: rows[len(rows)-1].Position, Pause: map[id.ID]string{}, Looped: map[id.ID]int{}}
	if watching {
		for i := range rows {
			b.Wake = append(b.Wake, rows[i].Record)
		}
		slices.Sort(b.Wake)
		b.Wake = slices.Compact(b.Wake)
	}
	if err := c.gather(ctx, rules, rows, &b); err != nil {
		return after, 0, err
	}
	if err := c.Service.cfg.Store.Collect(ctx, b); err != nil {
		return after, 0, fmt.Errorf("begin automations: %w", err)
	}
	for key, reason := range b.Pause {
		c.Service.paused(ctx, key, reason)
	}
	if len(b.Runs) > 0 || len(b.Wake) > 0 {
		c.Service.cfg.Notify()
	}
	return b.To, len(rows), nil
}

// gather works out the runs of a batch.
func (c *Collector) gather(ctx context.Context, rules []Rule, rows []change.Row, b *Begin) error {
	var causes map[Effect]Run
	var effects []Effect
	for i := range rows {
		if rows[i].ByKind == access.ByRule {
			effects = append(effects, Effect{rows[i].Record, rows[i].Version})
		}
	}
	if len(effects) > 0 {
		var err error
		if causes, err = c.Service.cfg.Store.Causes(ctx, effects); err != nil {
			return fmt.Errorf("find causes: %w", err)
		}
	}
	for i := range rules {
		r := &rules[i]
		cand := mine(r, rows)
		if len(cand) == 0 {
			continue
		}
		acting, prog, err := c.Service.acting(ctx, r, r.Revision)
		if reason := pauseFor(err); reason != "" {
			b.Pause[r.ID] = reason
			continue
		}
		if err != nil {
			return err
		}
		if cand, err = c.Service.matching(prog, rows, cand); err != nil {
			return err
		}
		if cand, err = c.Service.fulfilling(acting, prog, rows, cand); err != nil {
			if fault.KindOf(err) == fault.Invalid {
				b.Pause[r.ID] = ReasonBroken
				continue
			}
			return err
		}
		for _, at := range cand {
			if err := c.begin(acting, r, prog, &rows[at], causes, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// mine are the rows that a rule may be about, by object and operation. What happened before it was switched on is none of its business,
// though the log may not have been read as far then.
func mine(r *Rule, rows []change.Row) []int {
	want, since := opOf(r.Definition.Trigger.Kind), r.CursorAt.UnixMilli()
	var out []int
	for i := range rows {
		op := rows[i].Op
		if op == change.Merge || op == change.Unmerge {
			op = change.Update
		}
		if rows[i].Object == r.Definition.Object && op == want && rows[i].At >= since {
			out = append(out, i)
		}
	}
	return out
}

// matching keeps the updates that changed what the trigger names.
func (s *Service) matching(p *program, rows []change.Row, cand []int) ([]int, error) {
	if len(p.changes) == 0 {
		if p.def.Trigger.Kind == OnChanged { // rollups follow from other records: they alone are no change of this one
			return slices.DeleteFunc(cand, func(i int) bool { return len(s.cfg.Records.ChangesOf(&rows[i])) == 0 && rows[i].Op == change.Update }), nil
		}
		return cand, nil
	}
	env := query.EvalEnv{CheckEnv: query.CheckEnv{Registry: s.cfg.Registry(), Object: p.obj.Key, Use: query.ForRight, Base: s.cfg.Base()}, Moment: query.Moment{Now: s.cfg.Clock.Now(), Zone: s.cfg.Zone()}}
	type pair struct{ from, to *query.Evaluator }
	tests := make([]pair, len(p.changes))
	names := make([][]byte, len(p.changes))
	for i, t := range p.changes {
		if t.from != nil {
			tests[i].from = t.from.Evaluator(env)
		}
		if t.to != nil {
			tests[i].to = t.to.Evaluator(env)
		}
		names[i] = []byte(`"` + t.field.Physical)
	}
	var out []int
	for _, at := range cand {
		row := &rows[at]
		if !slices.ContainsFunc(names, func(n []byte) bool { return bytes.Contains(row.After, n) || bytes.Contains(row.Before, n) }) {
			continue
		}
		for _, ch := range s.cfg.Records.ChangesOf(row) {
			i := slices.IndexFunc(p.changes, func(t fieldTest) bool { return t.field.Key == ch.Field })
			if i < 0 {
				continue
			}
			ok, err := holdsBoth(tests[i].from, tests[i].to, &ch)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, at)
				break
			}
		}
	}
	return out, nil
}

func holdsBoth(from, to *query.Evaluator, ch *record.FieldChange) (bool, error) {
	for _, side := range []struct {
		e *query.Evaluator
		v any
	}{{from, ch.Before}, {to, ch.After}} {
		if side.e == nil {
			continue
		}
		if ok, err := side.e.Eval(&query.Facts{Values: map[string]any{ch.Field: side.v}}); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// fulfilling keeps the rows whose records fulfil the condition and are in the sight of the actor.
func (s *Service) fulfilling(ctx context.Context, p *program, rows []change.Row, cand []int) ([]int, error) {
	if len(cand) == 0 {
		return nil, nil
	}
	ids := make([]id.ID, len(cand))
	for i, at := range cand {
		ids[i] = rows[at].Record
	}
	slices.Sort(ids)
	holds := map[id.ID]bool{}
	for part := range slices.Chunk(slices.Compact(ids), askAtOnce) {
		found, err := s.cfg.Conditions.Holding(ctx, p.obj.Key, p.def.Where, part, p.def.Trigger.Kind == OnDeleted)
		if err != nil {
			return nil, fmt.Errorf("ask the condition of an automation: %w", err)
		}
		for v := range found {
			holds[v] = true
		}
	}
	return slices.DeleteFunc(cand, func(at int) bool { return !holds[rows[at].Record] }), nil
}

// begin makes the run of a change, unless it follows from one of the same rule.
func (c *Collector) begin(ctx context.Context, r *Rule, p *program, row *change.Row, causes map[Effect]Run, b *Begin) error {
	s := c.Service
	occasion := "v" + strconv.FormatInt(row.Version, 10)
	file := row.Op == change.Attach || row.Op == change.Detach // no version of its own
	if file {
		occasion = "f" + strconv.FormatInt(row.Position.Xid, 36) + "." + strconv.FormatInt(row.Position.Seq, 36)
	}
	run := s.fresh(r, p, row.Record, occasion)
	if cause, ok := causes[Effect{row.Record, row.Version}]; ok && !file && !follows(&run, &cause, b.Looped) {
		return nil
	}
	if len(p.olds) > 0 {
		old, err := s.formerly(ctx, p, row)
		if err != nil {
			return err
		}
		run.Input.Old = old
	}
	b.Runs = append(b.Runs, run)
	return nil
}

// follows makes a run follow from another one; false when that is one of the same rule about the same record. A run that closes a circle is
// refused.
func follows(run, cause *Run, looped map[id.ID]int) bool {
	if cause.Rule == run.Rule && cause.Record == run.Record {
		return false
	}
	run.Chain = append(slices.Clone(cause.Chain), Link{cause.Rule, cause.Record})
	if len(run.Chain) < MaxDepth && !slices.Contains(run.Chain, Link{run.Rule, run.Record}) {
		return true
	}
	code := "automation.loop"
	if len(run.Chain) >= MaxDepth {
		code = "automation.too_long_chain"
	}
	run.State, run.EndedAt = Looped, run.CreatedAt
	run.Problem = &Problem{Code: code, Params: map[string]any{"max": MaxDepth}}
	looped[run.Rule]++
	return true
}

// fresh is a run at its beginning.
func (s *Service) fresh(r *Rule, p *program, rec id.ID, occasion string) Run {
	now := s.cfg.Clock.Now().Truncate(time.Millisecond)
	return Run{ID: s.cfg.IDs.Next(), Rule: r.ID, Revision: r.Revision, Object: p.obj.Key, Record: rec, Occasion: occasion, State: Ready, PC: p.start, DueAt: now, CreatedAt: now}
}

// formerly prints the values that fields had before a change.
func (s *Service) formerly(ctx context.Context, p *program, row *change.Row) (map[string]string, error) {
	out := map[string]string{}
	env := s.cfg.Records.Env(ctx)
	for _, ch := range s.cfg.Records.ChangesOf(row) {
		f := p.obj.Field(ch.Field)
		if !slices.Contains(p.olds, f) || ch.Before == nil || ch.Masked {
			continue
		}
		target, is := ch.Before.(id.ID)
		if !is {
			out[f.Key] = schema.FormatText(f, ch.Before, env)
			continue
		}
		refs := []record.Ref{{Object: targetOf(f), ID: target}}
		if err := s.cfg.Records.Titles(ctx, refs); err != nil {
			return nil, err
		}
		out[f.Key] = refs[0].Title
	}
	return out, nil
}

func targetOf(f *schema.Field) string {
	if f.Type == schema.User {
		return "user"
	}
	return f.Target
}

// pauseFor is why an error of acting pauses a rule, "" when it does not.
func pauseFor(err error) string {
	var gone *runnerGone
	switch {
	case err == nil:
		return ""
	case errors.As(err, &gone):
		return ReasonRunner
	case fault.KindOf(err) == fault.Invalid:
		return ReasonBroken
	}
	return ""
}

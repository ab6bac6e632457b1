package automation

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// needsAgreement is the code by which a write is refused that somebody must agree to.
const needsAgreement = "approval.needed"

// askable reports whether a refused write becomes a request: a rule that runs as the program has nobody in whose name to ask.
func (b *batch) askable(err error) bool {
	return fault.CodeOf(err) == needsAgreement && b.rule.RunAs != 0
}

// asked is a run that is about to ask for agreement. Which request it will be is written down before it is made, so that after a crash the
// same one is asked for.
func (b *batch) asked(run Run) Move {
	m := b.pause(run, b.now, false, false)
	m.Step = b.log(&m.Run, OutAsked, Detail{Request: id.Format(requestPrefix, b.s.cfg.IDs.Next())})
	return m
}

// requestPrefix begins printed ids of requests for agreement.
const requestPrefix = "apr"

// settle looks what became of the requests of runs that wait at a step that writes; the others are left to write.
func (b *batch) settle(ctx context.Context) error {
	var moves []Move
	var rest []Run
	requests := map[id.ID]id.ID{}
	for _, run := range b.runs {
		if run.State != Waiting {
			rest = append(rest, run)
			continue
		}
		request, err := b.requested(ctx, &run)
		if err != nil {
			return err
		}
		m, err := b.answered(ctx, run, request)
		if err != nil {
			return err
		}
		moves, requests[run.ID] = append(moves, m), request
	}
	b.runs = rest
	if err := b.s.move(ctx, moves); err != nil {
		return err
	}
	return b.again(ctx, moves, func(m *Move) (bool, error) {
		state, _, err := b.s.cfg.Agreements.Answer(ctx, requests[m.ID])
		return state != AnswerOpen, err
	})
}

// requested is the request that a run waits for; 0 for none.
func (b *batch) requested(ctx context.Context, run *Run) (id.ID, error) {
	steps, err := b.s.cfg.Store.Steps(ctx, run.ID)
	if err != nil {
		return 0, err
	}
	for _, l := range slices.Backward(steps) {
		if l.Step == b.in.step.ID && l.Outcome == OutAsked {
			return id.Parse(requestPrefix, l.Detail.Request)
		}
	}
	return 0, nil
}

// answered is what follows from the answer to a run's request.
func (b *batch) answered(ctx context.Context, run Run, request id.ID) (Move, error) {
	if request == 0 {
		return b.s.failed(run, b.in, fault.New(fault.Conflict, needsAgreement, nil)), nil
	}
	state, code, err := b.s.cfg.Agreements.Answer(ctx, request)
	if err != nil {
		return Move{}, err
	}
	d := Detail{Request: id.Format(requestPrefix, request)}
	switch state {
	case AnswerDone:
		return b.passed(run, b.in.next, OutDone, d), nil
	case AnswerRefused:
		m := b.s.ended(run, Stopped)
		m.Problem = &Problem{Code: "automation.not_agreed", Step: b.in.step.ID}
		d.Code = m.Problem.Code
		m.Step = b.log(&m.Run, OutStopped, d)
		return m, nil
	case AnswerFailed:
		return b.s.failed(run, b.in, fault.New(fault.Conflict, code, nil)), nil
	case AnswerNone:
		if err := b.propose(ctx, &run, request); err != nil {
			return b.s.failed(run, b.in, err), nil
		}
	case AnswerOpen:
	}
	return b.pause(run, b.now.Add(lookAgain), false, false), nil
}

// propose asks for agreement to what the step would write.
func (b *batch) propose(ctx context.Context, run *Run, request id.ID) error {
	op, ok, err := b.operation(ctx, run)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Conflict, "automation.record_gone", nil)
	}
	if op.Input, err = b.plainly(ctx, run, op.Input); err != nil {
		return err
	}
	return b.s.cfg.Agreements.Ask(ctx, Asking{Request: request, Run: id.Format(RunPrefix, run.ID), Rule: b.rule.Name, Person: b.rule.RunAs, Op: op, Assign: b.in.step.Kind == DoAssign})
}

// plainly writes an input as the API does: it is kept until it is agreed to. Tags that are added and removed become the list that results.
func (b *batch) plainly(ctx context.Context, run *Run, in record.Input) (record.Input, error) {
	env := b.s.cfg.Records.Env(ctx)
	out := make(record.Input, len(in))
	for key, v := range in {
		f := b.in.obj.Field(key)
		if d, is := v.(record.Delta); is {
			v = withDelta(b.at(b.recs[run.Record], b.in.on), f, d)
		}
		if v == nil {
			out[key] = nil
			continue
		}
		parsed, bad := schema.ParseJSON(f, v, env)
		if bad != nil {
			return nil, bad
		}
		out[key] = schema.FormatJSON(f, parsed, env)
	}
	return out, nil
}

func withDelta(rec *record.Record, f *schema.Field, d record.Delta) []any {
	var list []any
	if rec != nil {
		if had, ok := fieldValue(rec, f).([]string); ok {
			list = anyList(had)
		}
	}
	list = slices.DeleteFunc(list, func(v any) bool { return slices.Contains(d.Remove, v) })
	for _, v := range d.Add {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	if list == nil {
		list = []any{}
	}
	return list
}

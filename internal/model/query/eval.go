package query

import (
	"crypto/md5" //nolint:gosec // a stable sample, not a secret
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// EvalEnv is what a tree is evaluated against: what it is checked against, and when.
type EvalEnv struct {
	CheckEnv
	Moment
}

// Eval answers a condition for one record. For many records, Prepare once.
func Eval(n *Node, env EvalEnv, s Subject) (bool, error) {
	e, err := Prepare(n, env)
	if err != nil {
		return false, err
	}
	return e.Eval(s)
}

// Evaluator answers one condition at one moment for any number of records. It is immutable and safe for concurrent use.
type Evaluator struct {
	env    CheckEnv
	moment Moment
	tree   *Checked
}

// Prepare checks a tree and fixes its windows. Its faults are those of Check, with the use ForMemory unless the
// environment asks for rights.
func Prepare(n *Node, env EvalEnv) (*Evaluator, error) {
	if env.Use != ForRight {
		env.Use = ForMemory
	}
	c, err := Resolve(n, env.CheckEnv)
	if err != nil {
		return nil, err
	}
	return c.Evaluator(env), nil
}

// Evaluator fixes a checked tree to a moment. The environment must be the one it was checked against.
func (c *Checked) Evaluator(env EvalEnv) *Evaluator {
	return &Evaluator{env: env.CheckEnv, moment: env.Moment, tree: c.At(env.Moment)}
}

// Eval answers for one record. Faults: query.events_not_available for events and sequences of a subject that is not Behaving,
// query.not_in_memory for top; an internal fault where the subject gives a value of another type than its field's.
func (e *Evaluator) Eval(s Subject) (bool, error) { return e.expr(e.tree.Root, s, e.tree.Owner) }

// expr answers for a subject. owner is the subject's relation to its customer, nil when it is the customer itself.
func (e *Evaluator) expr(x Expr, s Subject, owner *schema.Field) (bool, error) {
	switch x := x.(type) {
	case All:
		for _, it := range x.Items {
			if ok, err := e.expr(it, s, owner); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case Any:
		for _, it := range x.Items {
			if ok, err := e.expr(it, s, owner); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case Not:
		ok, err := e.expr(x.Item, s, owner)
		return !ok && err == nil, err
	case Leaf:
		return e.leaf(&x, s, owner)
	case Among:
		v, err := e.slot(&x.Slot, x.Slot.Role, s, owner)
		return err == nil && x.holds(v), err
	case Aggregated:
		return e.aggregated(&x, s)
	case NoRows:
		rows, err := e.rows(&x.Rows, s)
		return len(rows) == 0 && err == nil, err
	case Resumed:
		return e.resumed(&x, s)
	case Member:
		if s = customerOf(s, owner); s == nil {
			return false, nil
		}
		if x.Of != nil {
			return e.expr(x.Of, s, nil)
		}
		return s.InSegment(x.Key), nil
	case Sample:
		return x.Everyone || Hash(x.Salt, int64(s.ID())) < x.Below, nil
	case Best:
		return false, fault.New(fault.Invalid, "query.not_in_memory", nil)
	case Steps:
		return e.steps(&x, s)
	}
	return false, fmt.Errorf("condition of unknown kind %T", x)
}

func customerOf(s Subject, owner *schema.Field) Subject {
	if owner == nil {
		return s
	}
	return s.Related(owner)
}

// Hash is the place of a record in the sample of a salt: the first eight bytes of md5("salt:id"), big end first.
func Hash(salt string, record int64) uint64 {
	sum := md5.Sum([]byte(salt + ":" + strconv.FormatInt(record, 10))) //nolint:gosec // see above
	return binary.BigEndian.Uint64(sum[:8])
}

// share is percent (in millionths of a percent) of 2^64, rounded down; 100 % and more is the highest number.
func share(millionths uint64) uint64 {
	const whole = 100_000_000
	if millionths >= whole {
		return ^uint64(0)
	}
	q, _ := bits.Div64(millionths, 0, whole)
	return q
}

// slot is a stored value of a subject.
func (e *Evaluator) slot(sl *Slot, role schema.Role, s Subject, owner *schema.Field) (any, error) {
	if sl.Event != nil {
		h, ok := s.(*Happening)
		if !ok {
			return nil, nil
		}
		return h.value(sl.Event), nil
	}
	if sl.Trait != nil {
		if s = customerOf(s, owner); s == nil {
			return nil, nil
		}
		return e.traitValue(sl.Trait, s.Trait(sl.Trait.Key))
	}
	for _, h := range sl.Hops {
		if s = s.Related(h.Field); s == nil {
			return nil, nil
		}
	}
	return e.column(s, sl.Field, role)
}

func (e *Evaluator) leaf(l *Leaf, s Subject, owner *schema.Field) (bool, error) {
	v, err := e.slot(&l.Slot, l.Slot.Role, s, owner)
	if err != nil {
		return false, err
	}
	if l.Test.Kind != MonthDays {
		return l.Test.holds(v), nil
	}
	md, ok := v.(int64)
	if !ok {
		return false, nil
	}
	cal, err := e.slot(&l.Slot, schema.Calendar, s, owner)
	if err != nil {
		return false, err
	}
	switch cal {
	case string(lunar.Lunar):
		return inRanges(l.Test.Lunar, md), nil
	case string(lunar.Solar):
		return inRanges(l.Test.Solar, md), nil
	}
	return false, nil
}

// rows are the rows of a leaf.
func (e *Evaluator) rows(r *Rows, s Subject) ([]Subject, error) {
	var all []Subject
	var err error
	if r.Event == "" {
		all = s.Records(r.Object, r.Via)
	} else if all, err = e.events(r.Event, s); err != nil {
		return nil, err
	}
	if r.Window == nil && r.Where == nil {
		return all, nil
	}
	out := make([]Subject, 0, len(all))
	for _, row := range all {
		if r.Window != nil {
			at, err := e.slot(&r.Time, r.Time.Role, row, nil)
			if err != nil {
				return nil, err
			}
			if !r.Window.holds(at) {
				continue
			}
		}
		if r.Where != nil {
			ok, err := e.expr(r.Where, row, nil)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		out = append(out, row)
	}
	return out, nil
}

func (e *Evaluator) aggregated(x *Aggregated, s Subject) (bool, error) {
	rows, err := e.rows(&x.Rows, s)
	if err != nil {
		return false, err
	}
	if x.Func == "count" {
		if len(rows) == 0 {
			return x.None, nil
		}
		return x.Test.holdsInt(int64(len(rows))), nil
	}
	values := make([]any, 0, len(rows))
	for _, row := range rows {
		v, err := e.slot(&x.Slot, x.Slot.Role, row, nil)
		if err != nil {
			return false, err
		}
		if v != nil {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return x.None, nil
	}
	switch x.Func {
	case "days", "distinct":
		seen := make(map[any]struct{}, len(values))
		for _, v := range values {
			seen[v] = struct{}{}
		}
		return x.Test.holdsInt(int64(len(seen))), nil
	case "min", "max":
		return x.Test.holdsInt(extreme(values, x.Func == "max")), nil
	case "sum":
		return x.sum(values), nil
	}
	return x.average(values), nil
}

func extreme(values []any, highest bool) int64 {
	best, _ := values[0].(int64)
	for _, v := range values[1:] {
		if n, _ := v.(int64); (n > best) == highest {
			best = n
		}
	}
	return best
}

// sum is exact: a total may exceed 64 bits.
func (x *Aggregated) sum(values []any) bool {
	total := new(big.Int)
	for _, v := range values {
		n, _ := v.(int64)
		total.Add(total, big.NewInt(n))
	}
	if total.IsInt64() {
		return x.Test.holdsInt(total.Int64())
	}
	found := false
	if x.Test.Kind == Between {
		for _, r := range x.Test.Ranges {
			found = found || r.has(func(b int64) int { return total.Cmp(big.NewInt(b)) })
		}
	}
	return found != x.Test.Not
}

// average compares total*factor with bound*count.
func (x *Aggregated) average(values []any) bool {
	total := new(big.Int)
	for _, v := range values {
		n, _ := v.(int64)
		total.Add(total, big.NewInt(n))
	}
	total.Mul(total, big.NewInt(x.Factor))
	count := big.NewInt(int64(len(values)))
	found := false
	for _, r := range x.Test.Ranges {
		found = found || r.has(func(b int64) int { return total.Cmp(new(big.Int).Mul(big.NewInt(b), count)) })
	}
	return found != x.Test.Not
}

func (e *Evaluator) resumed(x *Resumed, s Subject) (bool, error) {
	rows, err := e.rows(&x.Rows, s)
	if err != nil || len(x.Span.Ranges) == 0 {
		return false, err
	}
	lo, hi := *x.Span.Ranges[0].Lo, *x.Span.Ranges[0].Hi
	var back, before int64
	var returned, known bool
	for _, row := range rows {
		v, err := e.slot(&x.Time, x.Time.Role, row, nil)
		if err != nil {
			return false, err
		}
		at, ok := v.(int64)
		switch {
		case !ok || at > hi:
		case at >= lo && (!returned || at < back):
			back, returned = at, true
		case at < lo && (!known || at > before):
			before, known = at, true
		}
	}
	return returned && known && back-before >= x.Gap, nil
}

func typeName(v any) string { return fmt.Sprintf("%T", v) }

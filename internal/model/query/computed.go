package query

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// ComputedKind is how the rows of a customer become one value.
type ComputedKind string

// The kinds. Rows without a value are left out; over no rows there is no value, but a counter, days and unique_count are 0.
const (
	Counter      ComputedKind = "counter"
	Sum          ComputedKind = "sum"
	Average      ComputedKind = "average" // rounded half away from zero
	Min          ComputedKind = "min"
	Max          ComputedKind = "max"
	FirstValue   ComputedKind = "first" // of the earliest row that has one
	LastValue    ComputedKind = "last"
	MostFrequent ComputedKind = "most_frequent" // at least twice; ties go to the first in byte order, or the lowest
	UniqueList   ComputedKind = "unique_list"   // texts in byte order, at most 100
	UniqueCount  ComputedKind = "unique_count"
	DistinctDays ComputedKind = "days"
	TimeSince    ComputedKind = "time_since" // whole local days since the last row
)

// ComputedKinds are all kinds.
func ComputedKinds() []ComputedKind {
	return []ComputedKind{Counter, DistinctDays, TimeSince, Sum, Average, Min, Max, FirstValue, LastValue, MostFrequent, UniqueList, UniqueCount}
}

// NeedsField reports whether a kind is of a field or property.
func (k ComputedKind) NeedsField() bool { return k != Counter && k != DistinctDays && k != TimeSince }

// Zero reports whether a kind is 0 over no rows.
func (k ComputedKind) Zero() bool { return k == Counter || k == DistinctDays || k == UniqueCount }

// Computed is a figure about each customer over records or events.
type Computed struct {
	// Of is a record or event leaf that says nothing but which rows it is about: with where and within.
	Of    *Node        `json:"of"`
	Kind  ComputedKind `json:"kind"`
	Field string       `json:"field,omitempty"` // of the record, also over to-one relations, or a property of the event
	// Number reads a property as a number where the kind allows texts too: first, last, most_frequent.
	Number bool `json:"number,omitempty"`
}

// ComputedFigure is a checked Computed. Type, Scale and Options are those of its value.
type ComputedFigure struct {
	Kind    ComputedKind
	Rows    Rows
	Slot    Slot // the value of a row; unused where the kind needs no field
	Type    schema.Type
	Scale   int
	Options []schema.Option
	// Hours says that its window is rolling: the value changes by the hour.
	Hours bool
}

// ResolveComputed checks a figure. Faults are those of Check, at /of and /field, and query.computed_kind, query.computed_field and
// query.not_here.
func ResolveComputed(d Computed, env CheckEnv) (*ComputedFigure, error) {
	env.Object = Customer
	obj := env.Registry.Object(Customer)
	if obj == nil {
		return nil, fault.InvalidField("query.unknown_object", "", fault.Params{"object": Customer})
	}
	c := &checker{env: env, obj: obj, shared: &shared{segments: map[string]resolved{}}}
	f := c.computed(d)
	if err := joined(c.faults()); err != nil {
		return nil, err
	}
	return f, nil
}

func (c *checker) computed(d Computed) *ComputedFigure {
	f := &ComputedFigure{Kind: d.Kind, Type: schema.Number}
	if !slices.Contains(ComputedKinds(), d.Kind) {
		c.bad("computed_kind", "/kind", fault.Params{"kind": clip(string(d.Kind))})
	}
	n := d.Of
	kind := ""
	if n != nil {
		kind = n.Kind()
	}
	ok := false
	switch {
	case kind == "event" && !c.env.Behaviour:
		c.bad("forbidden_events", "/of", nil)
	case (kind == "event" || kind == "record") && n.Op == "" && n.Value == nil && n.Aggregate == nil && n.NoneAs == nil:
		if kind == "event" {
			f.Rows, ok = c.eventRows(n, "/of", 1)
		} else {
			f.Rows, ok = c.rowsOf(n, "/of", 1)
		}
		f.Hours = n.Within != nil && n.Within.Hours > 0
	default:
		c.bad("not_here", "/of", fault.Params{"kind": kind})
	}
	switch {
	case !ok:
		return f
	case !d.Kind.NeedsField():
		if d.Field != "" {
			c.bad("value_not_expected", "/field", fault.Params{"op": string(d.Kind)})
		}
		return f
	case d.Field == "":
		c.bad("value_missing", "/field", nil)
		return f
	}
	v, ok := c.computedValue(d, &f.Rows)
	if ok {
		f.Slot = v.slot
		c.computedType(f, v)
	}
	return f
}

// computedValue is the value of a row.
func (c *checker) computedValue(d Computed, rows *Rows) (operand, bool) {
	if rows.Event == "" {
		in := &checker{env: c.env, obj: rows.Object, rows: true, shared: c.shared}
		v, ok := in.operand(d.Field, "/field")
		c.found = append(c.found, in.found...)
		return v, ok
	}
	number := d.Number || slices.Contains([]ComputedKind{Sum, Average, Min, Max}, d.Kind)
	raw := json.RawMessage(`""`)
	if number {
		raw = json.RawMessage("0")
	}
	v, ok := c.eventOperand(d.Field, "=", raw, "/field")
	if ok && d.Kind == UniqueCount && v.slot.Event.Column == "" {
		v.slot.Event.Read = ReadKind
	}
	return v, ok
}

// computedType decides the type of the figure, or refuses the field.
func (c *checker) computedType(f *ComputedFigure, v operand) {
	fits := false
	number := v.class == numberClass || v.class == moneyClass
	time := v.class == dateClass || v.class == instantClass
	text := v.class == textClass || v.class == exactClass || v.class == choiceClass
	switch f.Kind {
	case Sum, Average:
		fits = number
	case Min, Max:
		fits = number || time
	case FirstValue, LastValue, MostFrequent:
		fits = number || time || text
	case UniqueList:
		fits = text
	case UniqueCount:
		fits = number || time || text || v.class == idClass || v.class == regionClass
	}
	if v.slot.Field != nil && (v.slot.Field.Personal || v.slot.Field.Computed()) {
		fits = false // what is sealed is not copied, what is derived has no column
	}
	if !fits {
		c.bad("computed_field", "/field", fault.Params{"function": string(f.Kind)})
		return
	}
	switch {
	case f.Kind == UniqueCount:
	case f.Kind == UniqueList:
		f.Type = schema.Tags
	case v.class == moneyClass:
		f.Type = schema.Money
	case v.class == numberClass:
		f.Scale = v.scale
	case v.class == dateClass:
		f.Type = schema.Date
	case v.class == instantClass:
		f.Type = schema.DateTime
	case v.class == choiceClass:
		f.Type, f.Options = schema.Choice, v.options
	default:
		f.Type = schema.Text
	}
	if v.class == textClass {
		f.Slot.Role = schema.Main // as it is written, not as it is compared
	}
	if f.Kind == Average && f.Type == schema.Number {
		f.Scale = min(v.scale+averageDigits, 4)
	}
}

// averageDigits is how many more decimals an average has than its values.
const averageDigits = 2

// Factor is by what an average is multiplied before it is divided, for its further decimals.
func (f *ComputedFigure) Factor() int64 {
	if f.Kind != Average || f.Type != schema.Number || f.Slot.Event != nil && f.Slot.Event.Column == "" {
		return 1
	}
	factor := int64(1)
	scale := 0
	if f.Slot.Field != nil {
		scale = f.Slot.Field.Scale
	}
	for range f.Scale - scale {
		factor *= 10
	}
	return factor
}

// At fixes the windows of a figure to a moment.
func (f *ComputedFigure) At(m Moment) *ComputedFigure {
	out := *f
	out.Rows = m.rows(f.Rows)
	return &out
}

// Eval works a figure out for one customer in memory: int64, string or nil. The figure must be fixed to the moment; records and events
// come from the subject. It is what the engines are held against.
func (f *ComputedFigure) Eval(env EvalEnv, s Subject) (any, error) {
	e := &Evaluator{env: env.CheckEnv, moment: env.Moment}
	rows, err := e.rows(&f.Rows, s)
	if err != nil {
		return nil, err
	}
	var kept []figureRow
	for _, row := range rows {
		r, err := f.row(e, row)
		if err != nil {
			return nil, err
		}
		if r.value != nil || !f.Kind.NeedsField() {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, compareFigureRows)
	return f.fold(kept, int64(env.Today())), nil
}

// figureRow is one row of a figure: when it happened (nil last), its local day, and its value.
type figureRow struct {
	at, day any
	id      int64
	value   any
}

func (f *ComputedFigure) row(e *Evaluator, row Subject) (r figureRow, err error) {
	r.id = int64(row.ID())
	at, day := f.Rows.Time, daySlot(f.Rows.Time)
	if f.Rows.Event != "" {
		at = atSlot()
	} else {
		at.Role = schema.Main
	}
	if r.at, err = e.slot(&at, at.Role, row, nil); err != nil {
		return r, err
	}
	if r.day, err = e.slot(&day, day.Role, row, nil); err != nil || !f.Kind.NeedsField() {
		return r, err
	}
	r.value, err = e.slot(&f.Slot, f.Slot.Role, row, nil)
	return r, err
}

func compareFigureRows(a, b figureRow) int {
	x, hasX := a.at.(int64)
	y, hasY := b.at.(int64)
	switch {
	case hasX && !hasY:
		return -1
	case !hasX && hasY:
		return 1
	}
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.id, b.id))
}

func compareValues(a, b any) int {
	if x, ok := a.(int64); ok {
		y, _ := b.(int64)
		return cmp.Compare(x, y)
	}
	x, _ := a.(string)
	y, _ := b.(string)
	return cmp.Compare(x, y)
}

// fold makes one value of rows in the order of their time, those without one last.
func (f *ComputedFigure) fold(rows []figureRow, today int64) any {
	counts := map[any]int{}
	days := map[any]bool{}
	var keys []any
	for _, r := range rows {
		if f.Kind == UniqueList {
			text, _ := r.value.(string)
			r.value = strings.ReplaceAll(text, "|", "/")
		}
		if counts[r.value]++; counts[r.value] == 1 {
			keys = append(keys, r.value)
		}
		if r.day != nil {
			days[r.day] = true
		}
	}
	slices.SortFunc(keys, compareValues)
	switch {
	case f.Kind == Counter:
		return int64(len(rows))
	case f.Kind == DistinctDays:
		return int64(len(days))
	case f.Kind == UniqueCount:
		return int64(len(keys))
	case f.Kind == TimeSince:
		latest, any := int64(0), false
		for d := range days {
			n, _ := d.(int64)
			if !any || n > latest {
				latest, any = n, true
			}
		}
		if !any {
			return nil
		}
		return today - latest
	case len(rows) == 0:
		return nil
	}
	return f.foldValues(rows, keys, counts)
}

func (f *ComputedFigure) foldValues(rows []figureRow, keys []any, counts map[any]int) any {
	switch f.Kind {
	case Min:
		return keys[0]
	case Max:
		return keys[len(keys)-1]
	case FirstValue:
		return rows[0].value
	case LastValue:
		timed := slices.IndexFunc(rows, func(r figureRow) bool { return r.at == nil })
		if timed > 0 {
			return rows[timed-1].value
		}
		return rows[len(rows)-1].value
	case MostFrequent:
		best := keys[0]
		for _, k := range keys {
			if counts[k] > counts[best] {
				best = k
			}
		}
		if counts[best] < 2 {
			return nil
		}
		return best
	case UniqueList:
		texts := make([]string, 0, min(len(keys), MostListed))
		for _, k := range keys[:min(len(keys), MostListed)] {
			s, _ := k.(string)
			texts = append(texts, s)
		}
		return "|" + strings.Join(texts, "|") + "|"
	}
	total := new(big.Int)
	for _, r := range rows {
		n, _ := r.value.(int64)
		total.Add(total, big.NewInt(n))
	}
	if f.Kind == Average {
		total.Mul(total, big.NewInt(f.Factor()))
	}
	if !total.IsInt64() || total.CmpAbs(big.NewInt(maxSum)) >= 0 {
		return nil
	}
	if f.Kind == Sum {
		return total.Int64()
	}
	return halfAway(total.Int64(), int64(len(rows)))
}

// MostListed is how many texts a unique_list holds; a sum of maxSum and more has no value.
const (
	MostListed = 100
	maxSum     = 9_000_000_000_000_000_000
)

// halfAway is a/b rounded half away from zero.
func halfAway(a, b int64) int64 {
	q, r := a/b, a%b
	if r < 0 {
		r = -r
	}
	if r >= b-r {
		if a < 0 {
			return q - 1
		}
		return q + 1
	}
	return q
}

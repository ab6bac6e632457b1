package query

import (
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/lunar"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Subject is one record as a condition sees it. Everything it gives is live: deleted records are left out. It is asked
// only for what the condition names.
type Subject interface {
	// ID is the record's id.
	ID() id.ID
	// Value is the canonical value of a field of the record, nil for none; of the system fields too (id.ID, time.Time). A
	// money value may be Based and a personal value Sealed; a plain personal value needs CheckEnv.Blind.
	Value(f *schema.Field) any
	// Related is the record that a to-one field points at, nil for none.
	Related(f *schema.Field) Subject
	// Records are the records of an object whose field via points at this record.
	Records(obj *schema.Object, via *schema.Field) []Subject
	// Trait is a trait of the customer: a canonical value of its type, nil for none.
	Trait(key string) any
	// InSegment reports stored membership; it is asked only where the condition of a segment is not known.
	InSegment(key string) bool
}

// Stored is a Subject that holds columns. Where a Subject is Stored, Column is asked instead of Value: int64, string,
// bool, []byte or nil, as in record.Row. System fields have the roles Main and Day.
type Stored interface {
	Subject
	Column(f *schema.Field, role schema.Role) any
}

// Based is money with its amount in minor units of the base currency; HasBase is false where there is no rate.
type Based struct {
	money.Money
	Base    int64
	HasBase bool
}

// Sealed is a personal value that stays encrypted: its blind index, and operator or domain ("" for none).
type Sealed struct{ Blind, Class string }

// Facts is a Subject of plain maps.
type Facts struct {
	RecordID id.ID
	Values   map[string]any                 // by field key
	ToOne    map[string]*Facts              // by field key
	Many     map[string]map[string][]*Facts // by object key and field key
	Traits   map[string]any
	Segments map[string]bool
	Behaved  []*Happening // what the customer did
}

// ID is the record's id.
func (f *Facts) ID() id.ID { return f.RecordID }

// Value is the canonical value of a field.
func (f *Facts) Value(field *schema.Field) any {
	if field.Key == "id" {
		return f.RecordID
	}
	return f.Values[field.Key]
}

// Related is the record that a to-one field points at.
func (f *Facts) Related(field *schema.Field) Subject {
	if r := f.ToOne[field.Key]; r != nil {
		return r
	}
	return nil
}

// Records are the records that point here.
func (f *Facts) Records(obj *schema.Object, via *schema.Field) []Subject {
	rows := f.Many[obj.Key][via.Key]
	out := make([]Subject, len(rows))
	for i, r := range rows {
		out[i] = r
	}
	return out
}

// Trait is a trait.
func (f *Facts) Trait(key string) any { return f.Traits[key] }

// Events are those of a name.
func (f *Facts) Events(name string) []*Happening {
	var out []*Happening
	for _, h := range f.Behaved {
		if name == AnyEvent || h.Name == name {
			out = append(out, h)
		}
	}
	return out
}

// InSegment reports stored membership.
func (f *Facts) InSegment(key string) bool { return f.Segments[key] }

// column is the stored form of a value in a column of its field.
func (e *Evaluator) column(s Subject, f *schema.Field, role schema.Role) (any, error) {
	if f.Computed() {
		return e.computed(s, f)
	}
	if st, ok := s.(Stored); ok {
		v := st.Column(f, role)
		if n, ok := v.(id.ID); ok {
			return int64(n), nil
		}
		return v, nil
	}
	v := s.Value(f)
	if v == nil {
		return nil, nil
	}
	if f.Personal {
		return e.personal(f, v, role)
	}
	return e.plain(f, v, role)
}

// computed is the stored form of a computed field: what conditions compare.
func (e *Evaluator) computed(s Subject, f *schema.Field) (any, error) {
	p := formula.Of(f)
	if p == nil {
		return nil, nil
	}
	src := &columns{e: e, s: s}
	v := p.Eval(&formula.Env{Now: e.moment.Now, Zone: e.moment.Zone, Base: e.env.base()}, src)
	if src.err != nil {
		return nil, src.err
	}
	if p.Root.Type.Kind == formula.Money {
		return v.Column(p.Root.Type.Kind, schema.Base), nil
	}
	return v.Column(p.Root.Type.Kind, schema.Main), nil
}

// columns gives a formula the columns of a subject.
type columns struct {
	e   *Evaluator
	s   Subject
	err error
}

// Column is a stored column over relations.
func (c *columns) Column(r *formula.Ref, role schema.Role) any {
	s := c.s
	for _, h := range r.Hops {
		if s = s.Related(h.Field); s == nil {
			return nil
		}
	}
	v, err := c.e.column(s, r.Field, role)
	if err != nil {
		c.err = err
	}
	return v
}

func (e *Evaluator) personal(f *schema.Field, v any, role schema.Role) (any, error) {
	switch x := v.(type) {
	case schema.AddressValue:
		if role == schema.RegionRole {
			return optional(x.Region), nil
		}
		return x, nil
	case Sealed:
		switch role {
		case schema.BlindRole:
			return optional(x.Blind), nil
		case schema.ClassRole:
			return optional(x.Class), nil
		}
		return x, nil
	case string:
		switch role {
		case schema.ClassRole:
			return optional(schema.Class(f, x)), nil
		case schema.BlindRole:
			if e.env.Blind == nil {
				return nil, fault.New(fault.Internal, "query.blind_missing", fault.Params{"field": f.Key})
			}
			return e.env.Blind(f, schema.BlindForm(f, x)), nil
		}
		return x, nil
	}
	return nil, mistyped(f.Key, v)
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func mistyped(key string, v any) error {
	return fault.New(fault.Internal, "query.value_mistyped", fault.Params{"field": key, "type": typeName(v)})
}

func (e *Evaluator) plain(f *schema.Field, v any, role schema.Role) (any, error) {
	switch x := v.(type) {
	case string:
		switch role {
		case schema.FoldRole:
			return lang.Fold(x), nil
		case schema.ClassRole:
			return optional(string(region.Tier(x))), nil
		}
		return x, nil
	case int64, bool:
		return x, nil
	case id.ID:
		return int64(x), nil
	case clock.Day:
		return int64(x), nil
	case time.Time:
		if role == schema.DayRole {
			return int64(clock.DayOf(x, e.moment.Zone)), nil
		}
		return x.UnixMilli(), nil
	case []string:
		switch {
		case len(x) == 0:
			return nil, nil
		case role == schema.CountRole:
			return int64(len(x)), nil
		case role == schema.FoldRole: // the names of files are known to the store only
			return nil, nil
		}
		return List(x), nil
	case money.Money:
		return e.money(x, role), nil
	case Based:
		if role == schema.Base {
			if !x.HasBase {
				return nil, nil
			}
			return x.Base, nil
		}
		return e.money(x.Money, role), nil
	case schema.AddressValue:
		if role == schema.RegionRole {
			return optional(x.Region), nil
		}
		return x, nil
	case schema.BirthdayValue:
		return birthdayColumn(x, role), nil
	}
	if f.Type == schema.JSON && role == schema.Main {
		return v, nil
	}
	return nil, mistyped(f.Key, v)
}

func (e *Evaluator) money(m money.Money, role schema.Role) any {
	switch role {
	case schema.Currency:
		return m.Currency
	case schema.Base:
		if m.Currency == e.env.base() {
			return m.Amount
		}
		if e.env.Convert != nil {
			if n, ok := e.env.Convert(m); ok {
				return n
			}
		}
		return nil
	}
	return m.Amount
}

func birthdayColumn(b schema.BirthdayValue, role schema.Role) any {
	md := int64(b.Month*100 + b.Day)
	switch role {
	case schema.Calendar:
		return string(b.Calendar)
	case schema.MonthDay:
		if b.Leap && b.Calendar == lunar.Lunar {
			md += 10000
		}
		return md
	}
	return int64(b.Year)*10000 + md
}

// traitValue is the stored form of a trait.
func (e *Evaluator) traitValue(t *Trait, v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case int64, string, bool:
		return x, nil
	case int:
		return int64(x), nil
	case clock.Day:
		return int64(x), nil
	case time.Time:
		return x.UnixMilli(), nil
	case money.Money:
		return e.money(x, schema.Base), nil
	case []string:
		if len(x) == 0 {
			return nil, nil
		}
		return List(x), nil
	}
	return nil, mistyped(t.Key, v)
}

// Package mapping says which column of a file is which field, and finds out by itself as far as the file tells.
//
// A Mapping is the mapping file of the command line and the "mapping" of the API. For plain objects it has Fields; for
// flat purchase files, one line per purchased item, it has Order (what holds for the whole order, with its customer,
// store and channel) and Line (what holds for one item, with its product and variant). Suggest makes one from the
// columns and their first values, Check finds every mistake of one at once and names its place, and Compile makes the
// Plan that the importer follows row by row.
package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// Column names a column of the file by its header or by its number, counted from 1; several are joined by a space (省,
// 市, 区 in columns of their own). In JSON it is a text, a number, or a list of these.
type Column []string

// MarshalJSON writes one name as a text, several as a list.
func (c Column) MarshalJSON() ([]byte, error) {
	if len(c) == 1 {
		return json.Marshal(c[0])
	}
	return json.Marshal([]string(c))
}

// UnmarshalJSON reads a text, a number, or a list of these; null and "" are no column.
func (c *Column) UnmarshalJSON(b []byte) error {
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err
	}
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	*c = nil
	for _, it := range items {
		switch x := it.(type) {
		case nil:
		case string:
			if x != "" {
				*c = append(*c, x)
			}
		case json.Number:
			*c = append(*c, x.String())
		default:
			return fmt.Errorf("a column is a name or a number, not %s", b)
		}
	}
	return nil
}

// Mapping is the mapping file.
type Mapping struct {
	Format source.Format     `json:"format"`
	Order  map[string]Column `json:"order,omitempty"`
	Line   map[string]Column `json:"line,omitempty"`
	Fields map[string]Column `json:"fields,omitempty"`
	// Rules say of single targets how their texts are read; keys are those of targets ("phone", "store.code", "order.at").
	Rules   map[string]Treatment `json:"rules,omitempty"`
	Options Options              `json:"options"`
}

// Options are the rules of an import. The zero value is usable.
type Options struct {
	Currency     string `json:"currency,omitempty"`      // of amounts without one; the workspace's base currency when empty
	Timezone     string `json:"timezone,omitempty"`      // of times without one; the workspace's when empty
	DateOrder    string `json:"date_order,omitempty"`    // dmy or mdy, for 3/4/2026
	DecimalComma bool   `json:"decimal_comma,omitempty"` // 1.234,56
	OnError      string `json:"on_error,omitempty"`      // skip (default) the row, or stop the import

	// Of plain objects.
	// Match names the fields by which existing records are found, the surest first: of several the first that a row has a value
	// of and that finds a record decides. Two that find different records are an error of the row.
	Match Match `json:"match,omitempty"`
	// Mode is "" to update what is found and to make the rest, create to leave out what is found, update to leave out the rest.
	Mode string `json:"mode,omitempty"`
	// Lenient imports a row without the values that cannot be read, and reports them; default false: the row is left out.
	Lenient bool `json:"lenient,omitempty"`
	// Duplicates says what becomes of a row that the rules of duplicates take for an existing record or for an earlier row: create
	// (default, nothing is looked for), skip, update where the match is sure, else skip, mark, which makes the record and reports
	// it, or review, which makes the record and puts the pair to the duplicates that wait for somebody.
	Duplicates string `json:"duplicates,omitempty"`
	// Disarmed says that the file is one of rejected rows: an apostrophe before what a spreadsheet takes for a formula is not part of
	// the text.
	Disarmed bool `json:"disarmed,omitempty"`

	// Of purchase files.
	Source            string   `json:"source,omitempty"`             // tells equal lines of different systems apart
	OrderKey          []string `json:"order_key,omitempty"`          // what makes an order where there is no number: customer, date, or names of order fields
	RefundWhen        string   `json:"refund_when,omitempty"`        // "quantity<0", "amount<0", "number starts_with C"; terms joined by "or"
	AnonymousCustomer string   `json:"anonymous_customer,omitempty"` // keep (default) or skip lines without a customer
	FreeLines         string   `json:"free_lines,omitempty"`         // skip (default) or keep lines whose price is zero
}

// Over is o with the members it leaves open taken from under.
func (o Options) Over(under Options) Options {
	pick := func(to *string, v string) {
		if *to == "" {
			*to = v
		}
	}
	pick(&o.Currency, under.Currency)
	pick(&o.Timezone, under.Timezone)
	pick(&o.DateOrder, under.DateOrder)
	pick(&o.OnError, under.OnError)
	if o.Match == nil {
		o.Match = under.Match
	}
	pick(&o.Mode, under.Mode)
	pick(&o.Duplicates, under.Duplicates)
	pick(&o.Source, under.Source)
	pick(&o.RefundWhen, under.RefundWhen)
	pick(&o.AnonymousCustomer, under.AnonymousCustomer)
	pick(&o.FreeLines, under.FreeLines)
	o.DecimalComma, o.Lenient = o.DecimalComma || under.DecimalComma, o.Lenient || under.Lenient
	if o.OrderKey == nil {
		o.OrderKey = under.OrderKey
	}
	return o
}

// Parse reads a mapping file; a member it does not know is a fault, so that a slip is not silently ignored.
func Parse(b []byte) (Mapping, error) {
	var m Mapping
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, &fault.Fault{Kind: fault.Invalid, Code: "import.bad_mapping", Params: fault.Params{"reason": clip(err.Error(), 200)}, Cause: err}
	}
	for _, part := range []map[string]Column{m.Order, m.Line, m.Fields} {
		maps.DeleteFunc(part, func(_ string, c Column) bool { return len(c) == 0 })
	}
	return m, nil
}

// Empty reports whether no column is mapped.
func (m Mapping) Empty() bool { return len(m.Order)+len(m.Line)+len(m.Fields) == 0 }

// SameColumns reports mappings that give the same columns to the same targets.
func (m Mapping) SameColumns(o Mapping) bool {
	same := func(a, b map[string]Column) bool {
		return maps.EqualFunc(a, b, func(x, y Column) bool { return slices.Equal(x, y) })
	}
	return same(m.Order, o.Order) && same(m.Line, o.Line) && same(m.Fields, o.Fields)
}

// Named is a mapping in which columns that were named by number have their header.
func (m Mapping) Named(columns []string) Mapping {
	named := func(in map[string]Column) map[string]Column {
		if in == nil {
			return nil
		}
		out := make(map[string]Column, len(in))
		for key, list := range in {
			for _, name := range list {
				if i, ok := Find(columns, name); ok {
					name = columns[i]
				}
				out[key] = append(out[key], name)
			}
		}
		return out
	}
	m.Order, m.Line, m.Fields = named(m.Order), named(m.Line), named(m.Fields)
	return m
}

// Names are all columns that the mapping names.
func (m Mapping) Names() []string {
	var out []string
	for _, part := range []map[string]Column{m.Order, m.Line, m.Fields} {
		for _, k := range slices.Sorted(maps.Keys(part)) {
			out = append(out, part[k]...)
		}
	}
	return out
}

// Find is the place of a column named by header or, where no header is that text, by number.
func Find(columns []string, name string) (int, bool) {
	if i := slices.Index(columns, name); i >= 0 {
		return i, true
	}
	trimmed := strings.TrimSpace(name)
	if i := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, trimmed) }); i >= 0 {
		return i, true
	}
	if n, err := strconv.Atoi(trimmed); err == nil && n >= 1 && n <= len(columns) {
		return n - 1, true
	}
	return 0, false
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

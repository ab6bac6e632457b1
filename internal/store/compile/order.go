package compile

import (
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// SortKey is one key of the order of a list: a physical column of the object. The id is always the last key.
type SortKey struct {
	Column   string
	Index    int  // in Object.Columns, -1 for a system column
	Desc     bool // of the id: the direction of the first key
	Nullable bool // records without a value come last in both directions
	Text     bool
	// Computed is the computed field that the list is sorted by; Expr is its expression, which Sorting fills in.
	Computed *schema.Field
	Expr     string
}

// SortKeys are the columns of an order, the id last; without sorts it is the id alone, the newest first. Names sort by
// pinyin, texts folded, money in the base currency, birthdays by month and day. Fault query.not_sortable for fields
// that have no order or do not exist, and for traits.
func SortKeys(obj *schema.Object, sorts []schema.Sort) ([]SortKey, error) {
	var out []SortKey
	for _, s := range sorts {
		if s.Field == "id" {
			out = append(out, SortKey{Column: "id", Index: -1, Desc: s.Desc})
			break // nothing after the id can matter
		}
		k, ok := sortKey(obj, s)
		if !ok {
			return nil, fault.New(fault.Invalid, "query.not_sortable", fault.Params{"field": s.Field + s.Trait})
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return []SortKey{{Column: "id", Index: -1, Desc: true}}, nil
	}
	if out[len(out)-1].Column != "id" {
		out = append(out, SortKey{Column: "id", Index: -1, Desc: out[0].Desc})
	}
	return out, nil
}

func sortKey(obj *schema.Object, s schema.Sort) (SortKey, bool) {
	if s.Trait != "" || s.Field == "" {
		return SortKey{}, false
	}
	f := obj.Field(s.Field)
	if f == nil {
		return SortKey{}, false
	}
	if schema.System(f.Key) == f {
		return SortKey{Column: f.Physical, Index: -1, Desc: s.Desc, Nullable: f.Type == schema.User}, true
	}
	if f.Computed() && schema.Sortable(f) {
		text := f.Type == schema.Text || f.Type == schema.Choice || f.Type == schema.Region
		return SortKey{Index: -1, Desc: s.Desc, Nullable: true, Text: text, Computed: f}, true
	}
	c, ok := obj.SortColumn(f.Key)
	if f.Type == schema.Money && ok {
		c, ok = obj.Column(f.Key, schema.Base)
	}
	if !ok {
		return SortKey{}, false
	}
	k := SortKey{Column: c.Name, Desc: s.Desc, Nullable: true, Text: c.Kind == schema.String}
	for i, x := range obj.Columns() {
		if x.Name == c.Name {
			k.Index = i
		}
	}
	return k, true
}

// OrderBy is the text after ORDER BY for a whole list: for pages by offset and for sorting found records.
func OrderBy(d Dialect, keys []SortKey) string {
	if d == nil {
		d = SQLite{}
	}
	return order(d, keys, false).text
}

// order lists keys; of the first one only values are there, when so told.
func order(d Dialect, keys []SortKey, present bool) piece {
	ps := make([]piece, len(keys))
	for i, k := range keys {
		text := k.expr(d)
		if k.Desc {
			text += " DESC"
		}
		if k.Nullable && !(present && i == 0) {
			text += " NULLS LAST"
		}
		ps[i] = raw(text)
	}
	return joined(", ", ps)
}

func (k SortKey) column() string {
	if k.Expr != "" {
		return k.Expr
	}
	return `t.` + quote(k.Column)
}

func (k SortKey) expr(d Dialect) string {
	x := k.column()
	if k.Text {
		return d.Bytes(x)
	}
	return x
}

// Branch is a part of a sorted list that one index can answer. The rows of the first branch come before those of the
// second.
type Branch struct {
	Where string // never NULL, "TRUE" for no limit
	Args  []any
	Order string // after ORDER BY
}

// Keyset divides what follows a row into branches: the rows that have a value for the first key, in its order, then
// those that have none. A page is read by asking the branches in turn until it is full; nearly always the first one
// fills it. after holds the values of keys of the last row of the page before, in stored form with nil for none (the id
// last); nil starts at the beginning. Fault query.bad_cursor when the values do not fit the keys.
func Keyset(d Dialect, keys []SortKey, after []any) ([]Branch, error) {
	if d == nil {
		d = SQLite{}
	}
	if after != nil && !fit(keys, after) {
		return nil, fault.New(fault.Invalid, "query.bad_cursor", nil)
	}
	k := keyset{d: d}
	first := keys[0]
	if !first.Nullable {
		where := yes
		if after != nil {
			where = k.following(keys, after)
		}
		return []Branch{{where.text, where.args, order(d, keys, false).text}}, nil
	}
	x := first.column()
	var out []Branch
	if after == nil || after[0] != nil {
		p := raw(x + " IS NOT NULL")
		if after != nil {
			present := append([]SortKey{}, keys...)
			present[0].Nullable = false
			p = and(p, k.following(present, after))
		}
		out = append(out, Branch{p.text, p.args, order(d, keys, true).text})
	}
	p := raw(x + " IS NULL")
	if after != nil && after[0] == nil {
		p = and(p, k.following(keys[1:], after[1:]))
	}
	return append(out, Branch{p.text, p.args, order(d, keys[1:], false).text}), nil
}

// fit checks the number and kinds of cursor values.
func fit(keys []SortKey, after []any) bool {
	if len(after) != len(keys) {
		return false
	}
	for i, v := range after {
		switch v.(type) {
		case nil:
			if !keys[i].Nullable {
				return false
			}
		case string:
			if !keys[i].Text {
				return false
			}
		case int64, bool:
			if keys[i].Text {
				return false
			}
		default:
			return false
		}
	}
	return true
}

type keyset struct{ d Dialect }

// following are the rows after the values in the order of keys. A single key and the id in one direction compare as a
// row; otherwise the first key bounds the range for an index and the rest decides among equals.
func (k keyset) following(keys []SortKey, after []any) piece {
	first := keys[0]
	x := first.expr(k.d)
	op := " > "
	if first.Desc {
		op = " < "
	}
	switch {
	case after[0] == nil:
		return and(raw(x+" IS NULL"), k.following(keys[1:], after[1:]))
	case len(keys) == 1:
		return piece{x + op + "?", []any{after[0]}}
	case len(keys) == 2 && !first.Nullable && !keys[1].Nullable && first.Desc == keys[1].Desc:
		return piece{"(" + x + ", " + keys[1].expr(k.d) + ")" + op + "(?, ?)", []any{after[0], after[1]}}
	}
	equal := and(piece{x + " = ?", []any{after[0]}}, k.following(keys[1:], after[1:]))
	beyond := piece{x + op + "?", []any{after[0]}}
	if first.Nullable {
		return or(beyond, equal, raw(x+" IS NULL"))
	}
	return and(piece{x + orEqual(op) + "?", []any{after[0]}}, or(beyond, equal))
}

// orEqual is the operator that also takes in equals.
func orEqual(op string) string {
	if op == " < " {
		return " <= "
	}
	return " >= "
}

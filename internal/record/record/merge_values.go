package record

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// mergeValues are the values of records that are to become one.
type mergeValues struct {
	s      *Service
	sh     *shape
	rows   []*Row // the survivor first
	values [][]any
	merged map[id.ID]bool
}

// values reads the rows of a merge and opens what is sealed; a value that cannot be opened any more counts as none.
func (m *merging) values(ctx context.Context, w *writing) (*mergeValues, error) {
	ids := append([]id.ID{m.req.Survivor}, m.req.Others...)
	rows, err := w.tx.Get(ctx, m.sh.obj, ids, false)
	if err != nil {
		return nil, err
	}
	var subjects []id.ID
	for i := range rows {
		subjects = append(subjects, m.sh.subject(&rows[i]))
	}
	if len(m.sh.personal) > 0 {
		if err := w.readKeys(ctx, subjects); err != nil {
			return nil, err
		}
	}
	return m.s.valuesOf(m.sh, ids, rows, w.keys)
}

func (s *Service) valuesOf(sh *shape, ids []id.ID, rows []Row, keys map[id.ID]*crypt.Key) (*mergeValues, error) {
	v := &mergeValues{s: s, sh: sh, merged: map[id.ID]bool{}}
	for i, want := range ids {
		at := slices.IndexFunc(rows, func(r Row) bool { return r.ID == want })
		if at < 0 {
			return nil, notFound(sh.obj, want)
		}
		row := &rows[at]
		values := make([]any, len(sh.fields))
		for j := range sh.fields {
			fs := &sh.fields[j]
			switch {
			case fs.n == 0:
			case fs.f.Personal:
				if opened, err := s.openValue(sh, row, j, keys[sh.subject(row)]); err == nil {
					values[j] = opened
				}
				if a, ok := schema.Decode(fs.f, sh.cols(row.Cols, j)).(schema.AddressValue); ok && values[j] == nil {
					values[j] = a
				}
			default:
				values[j] = schema.Decode(fs.f, sh.cols(row.Cols, j))
			}
		}
		v.rows, v.values = append(v.rows, row), append(v.values, values)
		if i > 0 {
			v.merged[want] = true
		}
	}
	return v, nil
}

// order is whose value comes first when nobody chose.
func (v *mergeValues) order(p Prefer) []int {
	at := make([]int, len(v.rows))
	for i := range at {
		at[i] = i
	}
	filled := func(i int) int {
		n := 0
		for _, x := range v.values[i] {
			if x != nil {
				n++
			}
		}
		return n
	}
	newest := func(a, b int) int {
		return cmp.Or(cmp.Compare(v.rows[b].UpdatedAt, v.rows[a].UpdatedAt), cmp.Compare(v.rows[b].ID, v.rows[a].ID))
	}
	switch p {
	case PreferNewest:
		slices.SortFunc(at, newest)
	case PreferComplete:
		slices.SortFunc(at, func(a, b int) int { return cmp.Or(filled(b)-filled(a), newest(a, b)) })
	default:
		slices.SortFunc(at[1:], newest)
	}
	return at
}

// of is the value of a field in a record; a record that points at one it becomes part of points nowhere.
func (v *mergeValues) of(row, field int) any {
	x := v.values[row][field]
	if f := v.sh.fields[field].f; f.Type == schema.Relation && f.Target == v.sh.obj.Key {
		if to, ok := x.(id.ID); ok && (v.merged[to] || to == v.rows[0].ID) {
			return nil
		}
	}
	return x
}

// joins reports a field whose values can be united.
func joins(f *schema.Field) bool {
	return !f.Personal && (f.Type == schema.Tags || f.Type == schema.MultiChoice || f.Type == schema.LongText || f.HoldsFiles() && f.Files() > 1)
}

// united is all values of a field together; ok is false when they do not fit.
func (v *mergeValues) united(order []int, field int) (any, bool) {
	f := v.sh.fields[field].f
	if f.Type == schema.LongText {
		var parts []string
		for _, i := range order {
			if s, ok := v.of(i, field).(string); ok && !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(p, s) }) {
				parts = append(parts, s)
			}
		}
		if parts == nil {
			return nil, true
		}
		all := strings.Join(parts, "\n\n")
		return all, f.MaxLength == 0 || utf8.RuneCountInString(all) <= f.MaxLength
	}
	var list []string
	for _, i := range order {
		if x, ok := v.of(i, field).([]string); ok {
			list = append(list, x...)
		}
	}
	if list == nil {
		return nil, true
	}
	if f.HoldsFiles() { // they keep their order
		return list, len(list) <= f.Files()
	}
	slices.Sort(list)
	return slices.Compact(list), true
}

// choose is what a field becomes when nobody chose: lists and notes are united, a yes wins over a no (nobody who asked to be left
// alone is written to), otherwise the first value in order. from is -1 for united values, and for none.
func (v *mergeValues) choose(order []int, field int) (value any, from int, united bool) {
	f := v.sh.fields[field].f
	if joins(f) {
		if x, ok := v.united(order, field); ok {
			for i := range v.rows { // one record may hold all of it
				if equal(v.of(i, field), x) {
					return x, i, false
				}
			}
			return x, -1, x != nil
		}
	}
	if f.Type == schema.Bool {
		for _, i := range order {
			if yes, ok := v.of(i, field).(bool); ok && yes {
				return yes, i, false
			}
		}
	}
	for _, i := range order {
		if x := v.of(i, field); x != nil {
			return x, i, false
		}
	}
	return nil, -1, false
}

// offered reports a field that a merge decides about: what is computed stays as it is with the survivor, as a number does that it has.
func (v *mergeValues) offered(field int) bool {
	fs := &v.sh.fields[field]
	if fs.n == 0 || fs.f.ReadOnly {
		return false
	}
	return fs.f.Type != schema.AutoNumber || v.values[0][field] == nil
}

// input is what the survivor's fields become: what the request says in its own words, and by position what is taken from the
// records.
func (v *mergeValues) input(req *MergeRequest) (given Input, taken map[int]any, err error) {
	order := v.order(req.Prefer)
	given, taken = Input{}, map[int]any{}
	var bad []*fault.Fault
	for key, c := range req.Fields {
		i, ok := v.sh.index[key]
		at := "fields." + key
		switch {
		case !ok:
			bad = append(bad, fault.InvalidField("record.unknown_field", at, fault.Params{"field": key}))
		case !v.offered(i):
			bad = append(bad, fault.InvalidField("record.read_only", at, fault.Params{"field": key, "label": v.sh.fields[i].f.Label}))
		case c.United:
			x, fits := v.united(order, i)
			if !joins(v.sh.fields[i].f) || !fits {
				bad = append(bad, fault.InvalidField("merge.not_united", at, fault.Params{"label": v.sh.fields[i].f.Label}))
				continue
			}
			taken[i] = x
		case c.From != 0:
			row := slices.IndexFunc(v.rows, func(r *Row) bool { return r.ID == c.From })
			if row < 0 {
				bad = append(bad, fault.InvalidField("merge.not_among", at, nil))
				continue
			}
			taken[i] = v.of(row, i)
		default:
			given[key] = c.Value
		}
	}
	if f := fault.Join("record.invalid", bad); f != nil {
		return nil, nil, f
	}
	for i := range v.sh.fields {
		key := v.sh.fields[i].f.Key
		if _, chosen := req.Fields[key]; chosen || !v.offered(i) {
			continue
		}
		x, from, _ := v.choose(order, i)
		if from != 0 || v.values[0][i] != nil && x == nil {
			taken[i] = x
		}
	}
	return given, taken, nil
}

// take gives an item values that records hold already: they are not read again, since what could be entered once need not be
// offered any more. A relation to a record that is gone is left behind.
func (v *mergeValues) take(ctx context.Context, w *writing, it *item, taken map[int]any) error {
	for i, x := range taken {
		if to, ok := x.(id.ID); ok && v.sh.fields[i].f.Type == schema.Relation {
			live := map[id.ID]bool{to: false}
			if err := w.exist(ctx, v.sh.fields[i].f.Target, live); err != nil {
				return err
			}
			if !live[to] {
				continue
			}
		}
		it.values[i], it.set[i] = x, true
		if v.sh.fields[i].f.HoldsFiles() {
			it.adopts = append(it.adopts, schema.FileIDs(x)...)
		}
	}
	return nil
}

// plan says what input would do.
func (v *mergeValues) plan(p Prefer) []MergeField {
	order := v.order(p)
	var out []MergeField
	for i := range v.sh.fields {
		f := v.sh.fields[i].f
		if !v.offered(i) || f.Hidden {
			continue
		}
		some := false
		differs := false
		for r := range v.rows {
			some = some || v.values[r][i] != nil
			differs = differs || !equalOrNone(v.of(r, i), v.of(0, i))
		}
		if !some {
			continue
		}
		_, from, united := v.choose(order, i)
		mf := MergeField{Field: f.Key, Differs: differs, United: united, CanJoin: joins(f)}
		if from >= 0 {
			mf.From = v.rows[from].ID
		}
		out = append(out, mf)
	}
	return out
}

func equalOrNone(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return equal(a, b)
}

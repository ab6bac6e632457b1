package record

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// Roller is what a store must offer for rollups.
type Roller interface {
	// Roll sums up the live records of an object by the record that Via points at; those without any are left out.
	Roll(ctx context.Context, q RollQuery) (map[id.ID]Rolled, error)
}

// RollQuery asks for a rollup of the records that point at IDs.
type RollQuery struct {
	Object *schema.Object
	Via    *schema.Field
	Where  *query.Node
	Source *schema.Field // nil counts
	By     *schema.Field // asks for the first record by a field, or the last
	Last   bool
	IDs    []id.ID
}

// Rolled is what became of one group. Least, Most and Sum are of stored values, of money in the base currency.
type Rolled struct {
	Rows, Values int64
	Least, Most  int64
	Sum          *big.Int
	// Of money whose amounts all share Currency, "" otherwise.
	Currency                string
	Amounts                 int64
	AmountLeast, AmountMost int64
	AmountSum               *big.Int
	Record                  id.ID // the first or last record
}

// rollupsOf are the positions of the rollup fields of an object.
func (sh *shape) rollupsOf() []int {
	var out []int
	for i := range sh.fields {
		if sh.fields[i].f.Rollup != nil {
			out = append(out, i)
		}
	}
	return out
}

// rollAtOnce is how many records a transaction of a rollup writes.
const rollAtOnce = 200

// RollUp works the rollups of some records out anew and says how many records got other values. They keep their time of
// change; a new version and a change row carry the values to everything derived. check only counts. It needs the right to import.
func (s *Service) RollUp(ctx context.Context, object string, ids []id.ID, check bool) (changed int, err error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return 0, err
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return 0, nil
	}
	sh := s.shape(obj)
	fields := sh.rollupsOf()
	if len(fields) == 0 {
		return 0, nil
	}
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	for part := range slices.Chunk(ids, rollAtOnce) {
		n, err := s.rollUp(ctx, sh, fields, part, check)
		for attempt := 1; err != nil && fault.KindOf(err) == fault.Stale && attempt < maxRollAttempts; attempt++ {
			n, err = s.rollUp(ctx, sh, fields, part, check)
		}
		if err != nil {
			return changed, fmt.Errorf("roll up %s: %w", object, err)
		}
		changed += n
	}
	return changed, nil
}

const maxRollAttempts = 10

func (s *Service) rollUp(ctx context.Context, sh *shape, fields []int, ids []id.ID, check bool) (changed int, err error) {
	if check {
		err = s.cfg.Store.View(ctx, func(r Reader) error {
			items, err := s.rolled(ctx, r, nil, sh, fields, ids)
			changed = len(items)
			return err
		})
		return changed, err
	}
	_, err = s.cfg.Store.Update(ctx, func(tx Tx) error {
		w := s.writingOf(ctx, tx, &writeMode{bulk: true})
		items, err := s.rolled(ctx, tx, w, sh, fields, ids)
		if changed = len(items); err != nil || changed == 0 {
			return err
		}
		rows, changes := make([]Row, 0, len(items)), make([]change.Row, 0, len(items))
		for _, it := range items {
			it.row.Version++
			rows = append(rows, it.row)
			changes = append(changes, w.changeOf(it))
		}
		if err := tx.Replace(ctx, sh.obj, rows); err != nil {
			return err
		}
		return tx.Append(ctx, changes)
	})
	return changed, err
}

// rolled are the records whose rollups differ from what is stored, with their new values.
func (s *Service) rolled(ctx context.Context, r Reader, w *writing, sh *shape, fields []int, ids []id.ID) ([]*item, error) {
	roller, ok := r.(Roller)
	if !ok {
		return nil, fault.New(fault.Internal, "record.no_rollups", nil)
	}
	rows, err := r.Get(ctx, sh.obj, ids, true)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if w == nil {
		w = s.writingOf(ctx, nil, &writeMode{bulk: true})
	}
	items := make([]*item, len(rows))
	for i := range rows {
		items[i] = &item{op: change.Update, sh: sh, id: rows[i].ID, old: &rows[i], row: rows[i]}
		items[i].row.Cols = slices.Clone(rows[i].Cols)
	}
	for _, at := range fields {
		values, err := s.rollField(ctx, r, roller, sh.fields[at].f, ids)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			it.roll(w, at, values[it.id])
		}
	}
	return slices.DeleteFunc(items, func(it *item) bool { return len(it.dirty) == 0 }), nil
}

// sum is a rolled value: canonical, with the base amount of money.
type sum struct {
	value any
	base  any
}

// roll puts a value into the row where it differs.
func (it *item) roll(w *writing, at int, v sum) {
	fs := &it.sh.fields[at]
	if v.value == nil && fs.f.Rollup.Func == "count" {
		v.value = int64(0)
	}
	w.env.Day = w.dayOf(it)
	schema.Encode(it.row.Cols[fs.off:fs.off], fs.f, v.value, &w.env)
	if fs.f.Type == schema.Money && v.value != nil && fs.n == 3 {
		it.row.Cols[fs.off+2] = v.base
	}
	if !slices.Equal(it.sh.cols(it.row.Cols, at), it.sh.cols(it.old.Cols, at)) {
		it.dirty = append(it.dirty, at)
	}
}

// rollField works one rollup out for some records.
func (s *Service) rollField(ctx context.Context, r Reader, roller Roller, f *schema.Field, ids []id.ID) (map[id.ID]sum, error) {
	q, ok, err := s.rollQuery(f)
	if err != nil || !ok {
		return nil, err
	}
	q.IDs = ids
	groups, err := roller.Roll(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.By != nil {
		return s.edgeValues(ctx, r, &q, f, groups)
	}
	out := make(map[id.ID]sum, len(groups))
	for v, g := range groups {
		out[v] = s.rolledValue(f, q.Source, &g)
	}
	return out, nil
}

// rollQuery reads a definition against the metadata; ok is false where it does not hold any more.
func (s *Service) rollQuery(f *schema.Field) (q RollQuery, ok bool, err error) {
	def := f.Rollup
	q.Object = s.cfg.Registry().Object(def.Object)
	if q.Object == nil {
		return q, false, nil
	}
	if q.Via = q.Object.Field(def.Via); q.Via == nil {
		return q, false, nil
	}
	if def.Func != "count" {
		if q.Source = q.Object.Field(def.Field); q.Source == nil {
			return q, false, nil
		}
	}
	if def.Func == "first" || def.Func == "last" {
		q.Last = def.Func == "last"
		by := def.By
		if by == "" {
			by = q.Object.TimeField
		}
		if q.By = q.Object.Field(by); q.By == nil {
			q.By = schema.System("created_at")
		}
	}
	if len(def.Where) > 0 {
		if q.Where, err = query.Parse(def.Where); err != nil {
			return q, false, fmt.Errorf("condition of the rollup %s: %w", f.Key, err)
		}
	}
	return q, true, nil
}

// edgeValues reads the field of the first or last records.
func (s *Service) edgeValues(ctx context.Context, r Reader, q *RollQuery, f *schema.Field, groups map[id.ID]Rolled) (map[id.ID]sum, error) {
	ids := make([]id.ID, 0, len(groups))
	for _, g := range groups {
		ids = append(ids, g.Record)
	}
	rows, err := r.Get(ctx, q.Object, ids, false)
	if err != nil {
		return nil, err
	}
	byID := make(map[id.ID]*Row, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	out := make(map[id.ID]sum, len(groups))
	for v, g := range groups {
		row := byID[g.Record]
		if row == nil {
			continue
		}
		cols := make([]any, 0, 3)
		for _, c := range schema.FieldColumns(q.Source) {
			cols = append(cols, columnOf(row, q.Object, q.Source, c.Role))
		}
		val := sum{value: schema.Decode(q.Source, cols)}
		if q.Source.Type == schema.Money && len(cols) == 3 {
			val.base = cols[2]
		}
		out[v] = val
	}
	return out, nil
}

// rolledValue is the canonical value of a group.
func (s *Service) rolledValue(f, source *schema.Field, g *Rolled) sum {
	if f.Rollup.Func == "count" {
		return sum{value: g.Rows}
	}
	if f.Type == schema.Money {
		return s.rolledMoney(f.Rollup.Func, g)
	}
	if g.Values == 0 {
		return sum{}
	}
	n, ok := reduced(f.Rollup.Func, g.Sum, g.Least, g.Most, g.Values, digitsOf(f)-digitsOf(source))
	if !ok {
		return sum{}
	}
	switch f.Type {
	case schema.Date, schema.DateTime:
		return sum{value: schema.Decode(f, []any{n, nil})}
	}
	return sum{value: n}
}

func digitsOf(f *schema.Field) int {
	switch f.Type {
	case schema.Number, schema.Percent:
		return f.Scale
	}
	return 0
}

// reduced is the result of sum, avg, min or max with so many more decimals than the values have.
func reduced(fn string, total *big.Int, least, most, values int64, more int) (int64, bool) {
	switch fn {
	case "min":
		return least, true
	case "max":
		return most, true
	case "avg":
		n := new(big.Int).Mul(total, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(more, 0))), nil))
		total = halfAway(n, big.NewInt(values))
	}
	return total.Int64(), total.IsInt64()
}

// halfAway is a/b rounded half away from zero; b is positive.
func halfAway(a, b *big.Int) *big.Int {
	n, d := new(big.Int).Lsh(new(big.Int).Abs(a), 1), new(big.Int).Lsh(b, 1)
	n.Quo(n.Add(n, b), d)
	if a.Sign() < 0 {
		n.Neg(n)
	}
	return n
}

// rolledMoney keeps the currency of amounts that share one; others are summed in the base currency, and have no sum where one lacks
// its base amount.
func (s *Service) rolledMoney(fn string, g *Rolled) sum {
	var base any
	whole := g.Values > 0 && (g.Amounts == 0 || g.Values == g.Amounts)
	if whole {
		if n, ok := reduced(fn, g.Sum, g.Least, g.Most, g.Values, 0); ok {
			base = n
		}
	}
	if g.Currency != "" && g.Amounts > 0 {
		if n, ok := reduced(fn, g.AmountSum, g.AmountLeast, g.AmountMost, g.Amounts, 0); ok {
			return sum{money.Money{Amount: n, Currency: g.Currency}, base}
		}
	}
	if n, ok := base.(int64); ok {
		return sum{money.Money{Amount: n, Currency: s.cfg.BaseCurrency()}, base}
	}
	return sum{}
}

// dependant is a rollup seen from the object whose records it sums up.
type dependant struct {
	parent *schema.Object
	via    *schema.Field
	reads  map[string]bool // physical columns of the child that matter
}

// dependants are the rollups over an object, one entry for each relation.
func (s *Service) dependants(reg *schema.Registry, child *schema.Object) []dependant {
	var out []dependant
	for _, o := range reg.Tables() {
		for _, f := range o.Fields {
			if f.Rollup == nil || f.Rollup.Object != child.Key {
				continue
			}
			q, ok, err := s.rollQuery(f)
			if err != nil || !ok {
				continue
			}
			i := slices.IndexFunc(out, func(d dependant) bool { return d.parent == o && d.via == q.Via })
			if i < 0 {
				i = len(out)
				out = append(out, dependant{o, q.Via, map[string]bool{}})
			}
			for _, c := range columnsRead(child, &q) {
				out[i].reads[c] = true
			}
		}
	}
	return out
}

// columnsRead are the columns of the child that a rollup depends on.
func columnsRead(child *schema.Object, q *RollQuery) []string {
	var out []string
	add := func(f *schema.Field) {
		if f == nil {
			return
		}
		if p := formula.Of(f); p != nil {
			for _, r := range p.Refs {
				for _, c := range schema.FieldColumns(r.Field) {
					out = append(out, c.Name)
				}
			}
		}
		for _, c := range schema.FieldColumns(f) {
			out = append(out, c.Name)
		}
	}
	add(q.Via)
	add(q.Source)
	add(q.By)
	query.Walk(q.Where, func(n *query.Node, _ string) bool {
		key, _, _ := strings.Cut(n.Field, ".")
		if n.Field != "" {
			add(child.Field(key))
		}
		return true
	})
	return out
}

// Affected are the records whose rollups some changes may have altered, by object.
func (s *Service) Affected(ctx context.Context, changes []change.Row) (map[string][]id.ID, error) {
	reg := s.cfg.Registry()
	found := map[string]map[id.ID]bool{}
	add := func(object string, v int64) {
		if v != 0 {
			if found[object] == nil {
				found[object] = map[id.ID]bool{}
			}
			found[object][id.ID(v)] = true
		}
	}
	type want struct {
		deps []dependant
		ids  []id.ID
	}
	reads := map[string]*want{}
	for i := range changes {
		c := &changes[i]
		obj := reg.Object(c.Object)
		if obj == nil || obj.Virtual {
			continue
		}
		if reads[c.Object] == nil {
			reads[c.Object] = &want{deps: s.dependants(reg, obj)}
		}
		if c.Op == change.Create && len(s.shape(obj).rollupsOf()) > 0 {
			add(c.Object, int64(c.Record))
		}
		w := reads[c.Object]
		if s.touches(w.deps, c, add) {
			w.ids = append(w.ids, c.Record)
		}
	}
	for key, w := range reads {
		obj := reg.Object(key)
		var rows []Row
		err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
			rows, err = r.Get(ctx, obj, w.ids, true)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read what changed: %w", err)
		}
		for i := range rows {
			for _, d := range w.deps {
				v, _ := columnOf(&rows[i], obj, d.via, schema.Main).(int64)
				add(d.parent.Key, v)
			}
		}
	}
	out := make(map[string][]id.ID, len(found))
	for object, ids := range found {
		for v := range ids {
			out[object] = append(out[object], v)
		}
		slices.Sort(out[object])
	}
	return out, nil
}

// touches reports whether a change matters to a rollup, and adds the records that its images point at.
func (s *Service) touches(deps []dependant, c *change.Row, add func(string, int64)) bool {
	if len(deps) == 0 {
		return false
	}
	before, after := imageOf(c.Before), imageOf(c.After)
	matters := c.Op != change.Update
	for _, d := range deps {
		column := schema.FieldColumns(d.via)[0].Name
		for _, image := range []map[string]json.RawMessage{before, after} {
			for name := range image {
				matters = matters || d.reads[name]
			}
			var v int64
			if raw, ok := image[column]; ok && json.Unmarshal(raw, &v) == nil {
				add(d.parent.Key, v)
			}
		}
	}
	return matters
}

func imageOf(raw []byte) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

// onlyRolled reports whether everything that happened to a record since a version is the work of rollups, which must not stand in
// the way of a person who changes something else.
func (w *writing) onlyRolled(ctx context.Context, it *item) (bool, error) {
	behind := it.old.Version - it.version
	if it.op != change.Update || behind <= 0 || behind > 50 || len(it.sh.rollupsOf()) == 0 && len(it.sh.staged) == 0 {
		return false, nil
	}
	rows, err := w.tx.Changes(ctx, it.sh.obj.Key, it.id, change.Position{}, int(behind))
	if err != nil {
		return false, err
	}
	seen := int64(0)
	for i := range rows {
		if rows[i].Version <= it.version {
			continue
		}
		seen++
		_, fields := it.sh.readImage(rows[i].After)
		_, more := it.sh.readImage(rows[i].Before)
		for _, at := range append(fields, more...) {
			if f := it.sh.fields[at].f; f.Rollup == nil && f.Becoming == nil {
				return false, nil
			}
		}
		if rows[i].Op != change.Update || len(fields)+len(more) == 0 {
			return false, nil
		}
	}
	return seen == behind, nil
}

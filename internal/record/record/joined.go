package record

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// Unique rules over several fields. Their keys stand in the same table as those of unique fields, under the rule's physical name:
// its primary key is the promise, on every database and however its tables are spread.

// joined is a unique rule that writes keep to.
type joined struct {
	rule   *schema.UniqueRule
	field  *schema.Field // stands for the rule in Reserve and Release
	fields []int
	cols   [][]int // of each field, the columns that are compared
}

func newJoined(sh *shape, obj *schema.Object) []joined {
	var out []joined
	for _, u := range obj.UniqueRules {
		if j, ok := joinedOf(sh, u); ok && u.Kept() {
			out = append(out, j)
		}
	}
	return out
}

// joinedOf is false for a rule with a field that is gone.
func joinedOf(sh *shape, u *schema.UniqueRule) (joined, bool) {
	j := joined{rule: u, field: u.KeyField()}
	all := sh.obj.Columns()
	for _, key := range u.Fields {
		i, ok := sh.index[key]
		if !ok || sh.fields[i].n == 0 {
			return j, false
		}
		fs := &sh.fields[i]
		var cols []int
		for c := fs.off; c < fs.off+fs.n; c++ {
			switch role := all[c].Role; {
			case role == schema.FoldRole || role == schema.BlindRole: // what is compared instead of the value
				cols = []int{c}
			case role == schema.Main && !fs.f.Personal, role == schema.Currency:
				cols = append(cols, c)
			}
		}
		j.fields, j.cols = append(j.fields, i), append(j.cols, cols)
	}
	return j, len(j.fields) > 0
}

// key is the unique key of a row: a hash, because values are long and no text of a record should stand in an index twice.
// "" where a field is empty.
func (j *joined) key(cols []any) string {
	h := sha256.New()
	part := func(text string) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(text)))
		h.Write(n[:])
		h.Write([]byte(text))
	}
	for _, of := range j.cols {
		for _, c := range of {
			switch v := cols[c].(type) {
			case int64:
				part(strconv.FormatInt(v, 10))
			case bool:
				part(strconv.FormatBool(v))
			case string:
				part(lang.Fold(v))
			default:
				return ""
			}
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// claimJoined reserves the keys of unique rules for the rows as they will be.
func (w *writing) claimJoined(ctx context.Context, items []*item) error {
	for _, group := range byShape(items) {
		sh := group[0].sh
		for n := range sh.joined {
			if err := w.claimRule(ctx, sh, n, group); err != nil {
				return err
			}
		}
	}
	return w.unclaim(ctx, items)
}

func (w *writing) claimRule(ctx context.Context, sh *shape, n int, group []*item) error {
	j := &sh.joined[n]
	turn := func(it *item) (before, after string) {
		if it.old != nil && it.old.DeletedAt == 0 {
			before = j.key(it.old.Cols)
		}
		if it.op != change.Purge && it.row.DeletedAt == 0 {
			after = j.key(it.row.Cols)
		}
		return before, after
	}
	others := w.joinedElsewhere(sh, j)
	if others != nil {
		if err := w.readKeys(ctx, subjects(group)); err != nil {
			return err
		}
	}
	return w.reserve(ctx, group, reservation{obj: sh.obj, slot: len(sh.fields) + n, field: j.field, turn: turn, others: others,
		clash: func(holder id.ID) *fault.Fault { return w.clashes(ctx, sh, j, holder) }})
}

// joinedElsewhere are the keys of a row under each index key, nil where the rule has no personal field or one index key is in use.
func (w *writing) joinedElsewhere(sh *shape, j *joined) func(it *item) []string {
	personal := slices.ContainsFunc(j.fields, func(i int) bool { return sh.fields[i].f.Personal })
	if !personal || !w.s.cfg.Keys.Turning() {
		return nil
	}
	return func(it *item) []string { return w.s.joinedKeys(sh, j, &it.row, w.keys[it.subjectAfter()]) }
}

// joinedKeys are all keys of a row that a unique rule with personal fields may have, by each index key alike for all fields.
func (s *Service) joinedKeys(sh *shape, j *joined, row *Row, key *crypt.Key) []string {
	var out []string
	cols := slices.Clone(row.Cols)
	for n := 0; ; n++ {
		some := false
		for _, i := range j.fields {
			fs := &sh.fields[i]
			if !fs.f.Personal || row.Cols[fs.off] == nil || key == nil {
				continue
			}
			v, err := s.openValue(sh, row, i, key)
			if err != nil || v == nil {
				continue
			}
			if all := s.Blinds(fs.f, schema.BlindForm(fs.f, v)); n < len(all) {
				cols[fs.off+1], some = all[n], true
			}
		}
		if !some {
			return out
		}
		if k := j.key(cols); k != "" {
			out = append(out, k)
		}
	}
}

// clashes is the fault of a record that another one equals by a unique rule; it is named to those who see it.
func (w *writing) clashes(ctx context.Context, sh *shape, j *joined, holder id.ID) *fault.Fault {
	p := fault.Params{"rule": j.rule.Key, "label": j.rule.Label, "fields": j.names(sh)}
	if w.visible(ctx, sh, holder) {
		p["record"] = id.Format(sh.obj.Prefix, holder)
	}
	return &fault.Fault{Kind: fault.Conflict, Code: "record.rule_taken", Field: "fields." + sh.fields[j.fields[0]].f.Key, Params: p}
}

// names are the labels of the rule's fields in one line.
func (j *joined) names(sh *shape) schema.Label {
	out := schema.Label{}
	for _, l := range []lang.Locale{"zh-CN", "en"} {
		text := ""
		for n, i := range j.fields {
			if n > 0 {
				text += " + "
			}
			text += sh.fields[i].f.Label.In(l)
		}
		out[l] = text
	}
	return out
}

// keyField is what stands for a claim in Reserve and Release.
func (sh *shape) keyField(i int) *schema.Field {
	if n := i - len(sh.fields); n >= 0 {
		return sh.joined[n].field
	}
	return sh.fields[i].f
}

// Locker is what a store's Tx may offer where several transactions write at once.
type Locker interface {
	// Lock keeps others from writing rows until the transaction ends.
	Lock(ctx context.Context, obj *schema.Object, ids []id.ID) error
}

// Clash is a record whose key of a unique rule another one holds.
type Clash struct{ Record, Holder id.ID }

// Claimed is one step through the records of before.
type Claimed struct {
	Last    id.ID // the last record that was looked at; 0 when there was none
	Seen    int
	Clashes []Clash
	More    bool
}

// joinAtOnce is how many records a transaction of ClaimRule looks at.
const joinAtOnce = 200

// ClaimRule claims the keys of a unique rule for stored records, some at a time, those after an id. Claiming what is claimed already
// does nothing, so it may be repeated. It needs the right to import.
func (s *Service) ClaimRule(ctx context.Context, object, rule string, after id.ID) (out Claimed, err error) {
	if err := allow(ctx, access.ImportRun); err != nil {
		return out, err
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.UniqueRule(rule) == nil {
		return out, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	sh := s.shape(obj)
	j, ok := joinedOf(sh, obj.UniqueRule(rule))
	if !ok {
		return out, fault.New(fault.NotFound, "record.unknown_field", fault.Params{"field": rule})
	}
	sel := Selection{Sort: []schema.Sort{{Field: "id"}}, Limit: joinAtOnce}
	if after != 0 {
		sel.After = []any{after}
	}
	ids, err := s.selected(ctx, obj, sel)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	if p, ok := s.cfg.Store.(Patient); ok {
		ctx = p.Patient(ctx)
	}
	_, err = s.cfg.Store.Update(ctx, func(tx Tx) (err error) {
		out.Clashes, err = j.claimAll(ctx, tx, obj, ids)
		return err
	})
	if err != nil {
		return Claimed{}, fmt.Errorf("claim keys of %s: %w", object, err)
	}
	out.Last, out.Seen, out.More = ids[len(ids)-1], len(ids), len(ids) == joinAtOnce
	return out, nil
}

func (j *joined) claimAll(ctx context.Context, tx Tx, obj *schema.Object, ids []id.ID) (found []Clash, err error) {
	if l, ok := tx.(Locker); ok {
		if err := l.Lock(ctx, obj, ids); err != nil {
			return nil, err
		}
	}
	rows, err := tx.Get(ctx, obj, ids, false)
	if err != nil {
		return nil, err
	}
	wants, keyOf := map[string]id.ID{}, map[id.ID]string{}
	for i := range rows {
		key := j.key(rows[i].Cols)
		if key == "" {
			continue
		}
		if holder, ok := wants[key]; ok {
			found = append(found, Clash{rows[i].ID, holder})
			continue
		}
		wants[key], keyOf[rows[i].ID] = rows[i].ID, key
	}
	if len(wants) == 0 {
		return found, nil
	}
	taken, err := tx.Reserve(ctx, obj, j.field, wants)
	for rec, key := range keyOf {
		if holder, ok := taken[key]; ok && err == nil {
			found = append(found, Clash{rec, holder})
		}
	}
	return found, err
}

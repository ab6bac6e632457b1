package record

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// uniqueKey is the stored unique key of a canonical value.
func (s *Service) uniqueKey(f *schema.Field, v any) string {
	if f.Personal {
		return s.cfg.Keys.Blind(schema.BlindClass(f), schema.BlindForm(f, v))
	}
	text, _ := v.(string)
	return lang.Fold(text)
}

// storedKey is the unique key of a stored value, "" for none.
func storedKey(fs *fieldShape, cols []any) string {
	if cols[fs.off] == nil {
		return ""
	}
	i := fs.off
	if fs.n > 1 { // the folded or blind form
		i++
	}
	text, _ := cols[i].(string)
	if fs.n == 1 {
		text = lang.Fold(text)
	}
	return text
}

// claim reserves the unique keys of items. Keys they no longer need are freed when everything else is done.
func (w *writing) claim(ctx context.Context, items []*item) error {
	for _, group := range byShape(items) {
		sh := group[0].sh
		for _, i := range sh.unique {
			if err := w.claimField(ctx, sh, i, group); err != nil {
				return err
			}
		}
	}
	return w.unclaim(ctx, items)
}

func (w *writing) claimField(ctx context.Context, sh *shape, i int, group []*item) error {
	fs := &sh.fields[i]
	turn := func(it *item) (before, after string) {
		if it.old != nil {
			before = storedKey(fs, it.old.Cols)
		}
		switch {
		case it.op == change.Delete:
		case it.op == change.Purge:
			if it.old.DeletedAt != 0 { // freed already
				before = ""
			}
		case it.op == change.Restore:
			before, after = "", before
		case !it.set[i]:
			after = before
		case it.values[i] != nil:
			after = w.s.uniqueKey(fs.f, it.values[i])
		}
		return before, after
	}
	r := reservation{obj: sh.obj, slot: i, field: fs.f, turn: turn, clash: func(holder id.ID) *fault.Fault { return w.taken(ctx, sh, fs.f, holder) }}
	if fs.f.Personal && w.s.cfg.Keys.Turning() {
		if err := w.readKeys(ctx, subjects(group)); err != nil {
			return err
		}
		r.others = func(it *item) []string {
			if !it.ok() || it.op != change.Restore && (!it.set[i] || it.values[i] == nil) {
				return nil
			}
			v := any(nil)
			if it.op != change.Restore {
				v = it.values[i]
			} else if opened, err := w.open(it, i); err == nil {
				v = opened
			}
			if v == nil {
				return nil
			}
			return w.s.uniqueKeys(fs.f, v)
		}
	}
	return w.reserve(ctx, group, r)
}

// reservation is of the keys of one slot: a unique field's, or a unique rule's behind the fields.
type reservation struct {
	obj   *schema.Object
	slot  int
	field *schema.Field
	turn  func(it *item) (before, after string) // the keys an item had and will have, "" for none
	clash func(holder id.ID) *fault.Fault
	// others are all keys that the value of an item may stand under, while one index key follows another; nil outside of that.
	others func(it *item) []string
}

// reserve takes the keys that items will have. Who comes after another one, stored or of the same group, fails.
func (w *writing) reserve(ctx context.Context, group []*item, r reservation) error {
	wants := map[string]id.ID{}
	var claimers []*item
	for _, it := range group {
		if !it.ok() {
			continue
		}
		before, after := r.turn(it)
		if before == after {
			continue
		}
		if before != "" {
			it.frees = append(it.frees, claim{r.slot, before})
		}
		if after == "" {
			continue
		}
		if holder, ok := wants[after]; ok {
			it.fail(r.clash(holder))
			continue
		}
		wants[after] = it.id
		it.claims = append(it.claims, claim{r.slot, after})
		claimers = append(claimers, it)
	}
	if len(wants) == 0 {
		return nil
	}
	taken, err := w.tx.Reserve(ctx, r.obj, r.field, wants)
	if err != nil {
		return err
	}
	if r.others != nil {
		if err := w.elsewhere(ctx, r, claimers, taken); err != nil {
			return err
		}
	}
	if len(taken) == 0 {
		return nil
	}
	for _, it := range claimers {
		last := len(it.claims) - 1
		if holder, ok := taken[it.claims[last].key]; ok {
			it.claims = it.claims[:last]
			it.fail(r.clash(holder))
		}
	}
	return nil
}

// taken is the fault of a unique value that another record has; it is named to those who see it.
func (w *writing) taken(ctx context.Context, sh *shape, f *schema.Field, holder id.ID) *fault.Fault {
	p := fault.Params{"field": f.Key, "label": f.Label}
	if w.visible(ctx, sh, holder) {
		p["record"] = id.Format(sh.obj.Prefix, holder)
	}
	return &fault.Fault{Kind: fault.Conflict, Code: "record.unique_taken", Field: "fields." + f.Key, Params: p}
}

// unclaim gives back the keys of items that failed after they had claimed some.
func (w *writing) unclaim(ctx context.Context, items []*item) error {
	var lost []*item
	for _, it := range items {
		if !it.ok() && len(it.claims) > 0 {
			lost = append(lost, it)
		}
	}
	return w.release(ctx, lost, func(it *item) []claim {
		c := it.claims
		it.claims = nil
		return c
	})
}

func (w *writing) release(ctx context.Context, items []*item, which func(*item) []claim) error {
	for _, group := range byShape(items) {
		sh := group[0].sh
		keys := map[int][]string{}
		for _, it := range group {
			for _, c := range which(it) {
				keys[c.field] = append(keys[c.field], c.key)
			}
		}
		for _, i := range slices.Sorted(maps.Keys(keys)) {
			if err := w.tx.Release(ctx, sh.obj, sh.keyField(i), keys[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Existence is what a store may offer to check ids without reading the rows.
type Existence interface {
	// Exists tells which of the ids are live records.
	Exists(ctx context.Context, obj *schema.Object, ids []id.ID) (map[id.ID]bool, error)
}

// relate checks that every relation points at a live record. A record that fails makes those fail that point at it.
func (w *writing) relate(ctx context.Context, items []*item) error {
	fresh := make(map[id.ID]*item, len(items))
	for _, it := range items {
		if it.op == change.Create {
			fresh[it.id] = it
		}
	}
	asked := map[string]map[id.ID]bool{} // target object → id → exists
	w.eachRelation(items, func(_ *item, f *schema.Field, v id.ID) {
		if fresh[v] == nil && !w.made[v] {
			if asked[f.Target] == nil {
				asked[f.Target] = map[id.ID]bool{}
			}
			asked[f.Target][v] = false
		}
	})
	for target, ids := range asked {
		if err := w.exist(ctx, target, ids); err != nil {
			return err
		}
	}
	for again := true; again; {
		again = false
		w.eachRelation(items, func(it *item, f *schema.Field, v id.ID) {
			if !it.ok() {
				return
			}
			known := w.made[v] || asked[f.Target][v]
			if n := fresh[v]; n != nil {
				known = n.ok() && n.sh.obj.Key == f.Target
			}
			if !known {
				it.fail(fault.InvalidField("record.relation_unknown", "fields."+f.Key, fault.Params{"object": f.Target}))
				again = true
			}
		})
	}
	for _, it := range items {
		if it.ok() && it.op == change.Create {
			w.made[it.id] = true
		}
	}
	return w.unclaim(ctx, items)
}

// eachRelation visits the relations that items write and that differ from before.
func (w *writing) eachRelation(items []*item, visit func(*item, *schema.Field, id.ID)) {
	for _, it := range items {
		if it.values == nil {
			continue
		}
		for _, i := range it.sh.related {
			v, ok := it.values[i].(id.ID)
			if !ok || !it.set[i] || it.old != nil && it.old.Cols[it.sh.fields[i].off] == int64(v) {
				continue
			}
			visit(it, it.sh.fields[i].f, v)
		}
	}
}

func (w *writing) exist(ctx context.Context, target string, ids map[id.ID]bool) error {
	obj := w.s.cfg.Registry().Object(target)
	if obj == nil || obj.Virtual {
		return nil
	}
	list := make([]id.ID, 0, len(ids))
	for v := range ids {
		list = append(list, v)
	}
	if e, ok := w.tx.(Existence); ok {
		found, err := e.Exists(ctx, obj, list)
		if err != nil {
			return err
		}
		for v, yes := range found {
			ids[v] = yes
		}
		return nil
	}
	rows, err := w.tx.Get(ctx, obj, list, false)
	if err != nil {
		return err
	}
	for i := range rows {
		ids[rows[i].ID] = true
	}
	return nil
}

// subjectAfter is whose key encrypts the personal values that an item writes.
func (it *item) subjectAfter() id.ID {
	if c := it.sh.customer; c >= 0 && it.set != nil && it.set[c] {
		if v, ok := it.values[c].(id.ID); ok {
			return v
		}
		return it.id
	}
	if it.old != nil {
		return it.sh.subject(it.old)
	}
	return it.id
}

// touchesPersonal reports whether an item encrypts or decrypts anything.
func (it *item) touchesPersonal() bool {
	if it.values == nil {
		return false
	}
	if it.uploads {
		return true
	}
	for _, i := range it.sh.personal {
		if it.set[i] && (it.values[i] != nil || it.old != nil) {
			return true
		}
	}
	return it.old != nil && len(it.sh.personal) > 0 && it.subjectAfter() != it.sh.subject(it.old)
}

// fetchKeys brings the data keys of all subjects that the items need, making those that do not exist.
func (w *writing) fetchKeys(ctx context.Context, items []*item) error {
	var stored []id.ID             // may have a key
	fresh := map[id.ID][]byte{}    // keys made here
	wanted := make(map[id.ID]bool) // subjects that must have one
	asked := map[id.ID]bool{}      // subjects in stored
	ask := func(v id.ID) {
		if w.keys[v] != nil || asked[v] {
			return
		}
		asked[v] = true // not from memory: what is written must be sealed with the key that is stored now
		stored = append(stored, v)
	}
	for _, it := range items {
		if !it.touchesPersonal() {
			continue
		}
		after := it.subjectAfter()
		if after == it.id && it.op == change.Create && w.keys[after] == nil {
			if err := w.makeKey(after, fresh); err != nil {
				return err
			}
			continue
		}
		wanted[after] = true
		ask(after)
		if it.old != nil {
			ask(it.sh.subject(it.old))
		}
	}
	if err := w.readKeys(ctx, stored); err != nil {
		return err
	}
	var raced []id.ID
	for v := range wanted {
		if w.keys[v] == nil {
			if err := w.makeKey(v, fresh); err != nil {
				return err
			}
			raced = append(raced, v)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := w.tx.SavePersonKeys(ctx, fresh); err != nil {
		return err
	}
	// Another transaction may have given the same older record its key a moment ago: what is stored counts.
	return w.readKeys(ctx, raced)
}

func (w *writing) makeKey(v id.ID, fresh map[id.ID][]byte) error {
	key, wrapped, err := w.s.cfg.Keys.NewKey(v)
	if err != nil {
		return err
	}
	w.keys[v], fresh[v] = key, wrapped
	return nil
}

func (w *writing) readKeys(ctx context.Context, subjects []id.ID) error {
	if len(subjects) == 0 {
		return nil
	}
	found, err := w.tx.PersonKeys(ctx, subjects)
	if err != nil {
		return err
	}
	for v, wrapped := range found {
		key, err := w.s.cfg.Keys.Unwrap(v, wrapped)
		if err != nil {
			return err
		}
		w.keys[v] = key
	}
	return nil
}

// encode makes the row of an item and finds out what changes.
func (w *writing) encode(it *item) error {
	w.env.Day = w.dayOf(it)
	by := id.ID(0)
	if w.actor.Kind == access.ByUser {
		by = w.actor.ID
	}
	ms, day := w.now.UnixMilli(), int64(w.day)
	if it.op == change.Create {
		created, createdDay := ms, day
		if it.createdAt != 0 {
			created, createdDay = it.createdAt, int64(clock.DayOf(time.UnixMilli(it.createdAt), w.zone))
		}
		it.row = Row{ID: it.id, Version: 1, CreatedAt: created, CreatedAtDay: createdDay, CreatedBy: by,
			UpdatedAt: ms, UpdatedAtDay: day, UpdatedBy: by, BatchID: w.mode.batch, Cols: it.row.Cols}
		if it.ready == nil || it.day != w.env.Day {
			it.row.Cols, it.ready = make([]any, it.sh.width), make([]bool, len(it.values))
		}
		for i, v := range it.values {
			if v != nil && !it.ready[i] {
				w.put(it, i, v)
			}
		}
		w.follow(it)
		return nil
	}
	it.row = *it.old
	switch it.op {
	case change.Delete:
		it.row.DeletedAt = ms
	case change.Restore:
		it.row.DeletedAt = 0
	case change.Purge:
	default:
		it.row.Cols = slices.Clone(it.old.Cols)
		if err := w.apply(it); err != nil {
			return err
		}
		w.follow(it)
		if !it.changed() {
			return nil
		}
	}
	it.row.Version++
	it.row.UpdatedAt, it.row.UpdatedAtDay, it.row.UpdatedBy = ms, day, by
	return nil
}

// ahead encodes what a new record is given before its transaction begins, of which there is one at a time: all but what
// needs a key or the store.
func (w *writing) ahead(it *item) {
	if it.op != change.Create || it.values == nil {
		return
	}
	it.day, it.ready = w.dayOf(it), make([]bool, len(it.values))
	it.row.Cols, w.env.Day = make([]any, it.sh.width), it.day
	for i, v := range it.values {
		if _, named := v.(schema.Key); v == nil || named || it.sh.fields[i].f.Personal || it.sh.fields[i].f.HoldsFiles() {
			continue
		}
		w.put(it, i, v)
		it.ready[i] = true
	}
}

// put encodes a value into the columns of the row.
func (w *writing) put(it *item, i int, v any) {
	fs := &it.sh.fields[i]
	if fs.n == 0 {
		return
	}
	schema.Encode(it.row.Cols[fs.off:fs.off], fs.f, v, &w.env)
	if v != nil && fs.f.HoldsFiles() {
		it.row.Cols[fs.off+1] = w.fileNames(v)
	}
	if !fs.f.Personal || v == nil {
		return
	}
	at := crypt.Place{Object: it.sh.obj.Key, Field: fs.f.Key, Record: it.id}
	it.row.Cols[fs.off] = w.s.cfg.Keys.Seal(w.keys[it.subjectAfter()], at, schema.Plain(fs.f, v))
	if fs.f.Type != schema.Address {
		it.row.Cols[fs.off+1] = w.s.cfg.Keys.Blind(schema.BlindClass(fs.f), schema.BlindForm(fs.f, v))
	}
}

// apply writes the named fields of an update that differ into the row.
func (w *writing) apply(it *item) error {
	moved := it.sh.customer >= 0 && len(it.sh.personal) > 0 && it.subjectAfter() != it.sh.subject(it.old)
	for i := range it.sh.fields {
		fs := &it.sh.fields[i]
		if fs.n == 0 {
			continue
		}
		if !it.set[i] {
			if moved && fs.f.Personal && it.old.Cols[fs.off] != nil {
				v, err := w.open(it, i)
				if err != nil {
					return err
				}
				w.put(it, i, v)
			}
			continue
		}
		same, err := w.same(it, i)
		if err != nil {
			return err
		}
		if same && !(moved && fs.f.Personal) {
			continue
		}
		w.put(it, i, it.values[i])
		if !same {
			it.dirty = append(it.dirty, i)
		}
	}
	return w.revalue(it)
}

// revalue works base amounts out again when the day of the fact changed.
func (w *writing) revalue(it *item) error {
	if it.sh.moment < 0 || !slices.Contains(it.dirty, it.sh.moment) {
		return nil
	}
	for i := range it.sh.fields {
		fs := &it.sh.fields[i]
		if fs.f.Type != schema.Money || slices.Contains(it.dirty, i) || it.row.Cols[fs.off] == nil {
			continue
		}
		w.put(it, i, schema.Decode(fs.f, it.sh.cols(it.row.Cols, i)))
	}
	return nil
}

// same reports whether a named field keeps its value.
func (w *writing) same(it *item, i int) (bool, error) {
	fs := &it.sh.fields[i]
	v, had := it.values[i], it.old.Cols[fs.off] != nil
	if v == nil || !had {
		return v == nil && !had, nil
	}
	if !fs.f.Personal {
		return equal(schema.Decode(fs.f, it.sh.cols(it.old.Cols, i)), v), nil
	}
	before, err := w.open(it, i)
	return err == nil && equal(before, v), err
}

func equal(a, b any) bool {
	switch x := a.(type) {
	case []string:
		y, ok := b.([]string)
		return ok && slices.Equal(x, y)
	case json.RawMessage:
		y, ok := b.(json.RawMessage)
		return ok && bytes.Equal(x, y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && a == b
}

// open decrypts the old value of a personal field.
func (w *writing) open(it *item, i int) (any, error) {
	key := w.keys[it.sh.subject(it.old)]
	return w.s.openValue(it.sh, it.old, i, key)
}

// store writes rows, unique keys and changes.
func (w *writing) store(ctx context.Context, items []*item) error {
	changes := make([]change.Row, 0, len(items))
	for _, group := range byShape(items) {
		sh := group[0].sh
		var inserts []Row
		var replaces []*item
		var purges []id.ID
		for _, it := range group {
			if !it.changed() {
				continue
			}
			switch it.op {
			case change.Create:
				inserts = append(inserts, it.row)
			case change.Purge:
				purges = append(purges, it.id)
			default:
				replaces = append(replaces, it)
			}
			changes = append(changes, w.changeOf(it))
		}
		if err := w.tx.Insert(ctx, sh.obj, inserts); err != nil {
			return err
		}
		if err := w.replace(ctx, sh, replaces); err != nil {
			return err
		}
		if err := w.tx.Purge(ctx, sh.obj, purges); err != nil {
			return err
		}
	}
	if err := w.release(ctx, items, func(it *item) []claim { return it.frees }); err != nil {
		return err
	}
	if err := w.moveFiles(ctx, items); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	return w.tx.Append(ctx, changes)
}

func (w *writing) changeOf(it *item) change.Row {
	row := change.Row{Object: it.sh.obj.Key, Record: it.id, Version: it.row.Version, Op: it.op, At: w.now.UnixMilli(),
		ByKind: w.actor.Kind, By: w.actor.ID, Batch: w.mode.batch}
	if it.op == change.Update {
		row.Before = it.sh.image(it.old.Cols, it.dirty)
		row.After = it.sh.image(it.row.Cols, it.dirty)
	}
	if it.op == change.Purge && len(it.sh.related) > 0 { // nobody can look up any more what it pointed at
		row.Before = it.sh.image(it.old.Cols, it.sh.stored(it.sh.related))
	}
	if it.as != "" {
		row.Op = it.as
	}
	row.After = change.Annotate(row.After, it.note)
	return row
}

// stored are those of some fields that have columns.
func (sh *shape) stored(fields []int) []int {
	return slices.DeleteFunc(slices.Clone(fields), func(i int) bool { return sh.fields[i].n == 0 })
}

// kept reports columns that stand in images of changes: those from which a value can be read back.
func kept(r schema.Role) bool {
	switch r {
	case schema.Main, schema.Currency, schema.Calendar, schema.MonthDay, schema.RegionRole:
		return true
	}
	return false
}

// image is the JSON object of the kept columns of fields.
func (sh *shape) image(cols []any, fields []int) []byte {
	b := make([]byte, 0, 32*len(fields)+2)
	b = append(b, '{')
	all := sh.obj.Columns()
	for _, i := range fields {
		fs := &sh.fields[i]
		for c := fs.off; c < fs.off+fs.n; c++ {
			if !kept(all[c].Role) {
				continue
			}
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(appendText(b, all[c].Name), ':')
			b = appendValue(b, cols[c])
		}
	}
	return append(b, '}')
}

func appendValue(b []byte, v any) []byte {
	switch x := v.(type) {
	case int64:
		return strconv.AppendInt(b, x, 10)
	case bool:
		return strconv.AppendBool(b, x)
	case string:
		return appendText(b, x)
	case []byte:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, x)
		return append(b, '"')
	}
	return append(b, "null"...)
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			raw, err := json.Marshal(s)
			if err != nil { // a string always encodes
				return append(b, `""`...)
			}
			return append(b, raw...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// readImage is the opposite of image: the columns it holds, the others nil.
func (sh *shape) readImage(raw []byte) (cols []any, fields []int) {
	if len(raw) == 0 {
		return nil, nil
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&m) != nil {
		return nil, nil
	}
	cols = make([]any, sh.width)
	all := sh.obj.Columns()
	for i := range sh.fields {
		fs := &sh.fields[i]
		if fs.n == 0 {
			continue
		}
		if _, ok := m[all[fs.off].Name]; !ok {
			continue
		}
		fields = append(fields, i)
		for c := fs.off; c < fs.off+fs.n; c++ {
			cols[c] = stored(all[c].Kind, m[all[c].Name])
		}
	}
	return cols, fields
}

func stored(kind schema.Kind, v any) any {
	switch x := v.(type) {
	case json.Number:
		n, err := x.Int64()
		if err == nil {
			return n
		}
	case bool:
		return x
	case string:
		if kind == schema.Bytes {
			raw, err := base64.StdEncoding.DecodeString(x)
			if err != nil {
				return nil
			}
			return raw
		}
		return x
	}
	return nil
}

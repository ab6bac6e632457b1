package record

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// writing is one call's work inside one transaction.
type writing struct {
	s     *Service
	tx    Tx
	mode  *writeMode
	actor access.Actor
	now   time.Time
	zone  *time.Location
	day   clock.Day
	env   schema.EncodeEnv
	made  map[id.ID]bool // records this call has created so far
	keys  map[id.ID]*crypt.Key
	files map[id.ID]*FieldFile // those that the values name
}

// maxAttempts is how often a write that named no version is tried when another writer was faster.
const maxAttempts = 3

// write runs items in one transaction.
func (s *Service) write(ctx context.Context, mode writeMode, items []*item) (change.Position, error) {
	env := s.Env(ctx)
	versioned := false
	for _, it := range items {
		if it.ok() {
			s.parse(ctx, it, &mode, &env)
		}
		versioned = versioned || it.version != 0
	}
	if err := s.checkBefore(ctx, &mode, items); err != nil {
		return change.Position{}, err
	}
	ahead := s.writingOf(ctx, nil, &mode)
	for _, it := range items {
		if it.ok() {
			ahead.ahead(it)
		}
	}
	if p, ok := s.cfg.Store.(Patient); ok && (mode.bulk || mode.mass) {
		ctx = p.Patient(ctx)
	}
	if f, ok := s.cfg.Store.(Fenced); ok && s.cfg.Keys.Turning() && slices.ContainsFunc(items, func(it *item) bool { return it.op == change.Restore }) {
		ctx = f.Alone(ctx) // what comes back claims keys of the older index
	}
	var pos change.Position
	var err error
	var keys map[id.ID]*crypt.Key
	key := turn(ctx, &mode)
	for attempt := 1; ; attempt++ {
		runs := 0
		pos, err = s.cfg.Store.Update(ctx, func(tx Tx) error {
			if runs++; runs > 1 || attempt > 1 {
				for _, it := range items {
					s.again(ctx, it, &mode, &env)
				}
			}
			if key != "" {
				if done, err := recall(ctx, tx, key, items); done || err != nil {
					return err
				}
			}
			w := s.writingOf(ctx, tx, &mode)
			keys = w.keys
			if err := w.run(ctx, items); err != nil {
				return err
			}
			if key != "" {
				if err := remember(ctx, tx, key, items); err != nil {
					return err
				}
			}
			if mode.then == nil {
				return nil
			}
			return mode.then(ctx, tx, results(items))
		})
		if err == nil || versioned || attempt == maxAttempts || fault.KindOf(err) != fault.Stale {
			break
		}
	}
	if err != nil {
		return change.Position{}, fmt.Errorf("write records: %w", err)
	}
	if !mode.bulk && !mode.mass { // the answer shows what was written
		for v, key := range keys {
			s.cfg.Keys.Remember(v, key)
		}
	}
	return pos, nil
}

// checkBefore looks at what needs no transaction, and lets the guards get ready.
func (s *Service) checkBefore(ctx context.Context, mode *writeMode, items []*item) error {
	if err := s.checkUsers(ctx, items); err != nil {
		return err
	}
	if err := s.checkPointers(ctx, items); err != nil {
		return err
	}
	if err := refuse(mode, items); err != nil {
		return err
	}
	return s.prepareGuards(ctx)
}

// writingOf begins the work of one transaction.
func (s *Service) writingOf(ctx context.Context, tx Tx, mode *writeMode) *writing {
	now, zone := s.cfg.Clock.Now().UTC().Truncate(time.Millisecond), s.cfg.Zone()
	return &writing{s: s, tx: tx, mode: mode, actor: access.From(ctx), now: now, zone: zone, day: clock.DayOf(now, zone),
		env:  schema.EncodeEnv{Zone: zone, Base: s.cfg.BaseCurrency(), Rates: s.cfg.Rates},
		made: map[id.ID]bool{}, keys: map[id.ID]*crypt.Key{}}
}

// again puts an item back to what its input says.
func (s *Service) again(ctx context.Context, it *item, mode *writeMode, env *schema.ParseEnv) {
	if it.sh == nil {
		return
	}
	fresh := item{op: it.op, sh: it.sh, id: it.id, version: it.version, in: it.in, createdAt: it.createdAt, assign: it.assign, former: it.former}
	*it = fresh
	s.parse(ctx, it, mode, env)
}

// refuse is the fault of an atomic call with any bad item: of a single item its own, else all of them with their place.
func refuse(mode *writeMode, items []*item) error {
	if !mode.atomic {
		return nil
	}
	var all []*fault.Fault
	for i, it := range items {
		if it.ok() {
			continue
		}
		if len(items) == 1 {
			return it.err()
		}
		for _, f := range it.bad {
			all = append(all, f.At(fmt.Sprintf("operations.%d", i)))
		}
	}
	if all == nil {
		return nil
	}
	for _, f := range all {
		if f.Kind != fault.Invalid {
			return f
		}
	}
	return fault.Join("record.invalid", all)
}

// checkUsers checks that the users named by the input exist; they live in another store, so before the transaction.
func (s *Service) checkUsers(ctx context.Context, items []*item) error {
	if s.cfg.Users == nil {
		return nil
	}
	type place struct {
		it    *item
		field *schema.Field
		user  id.ID
	}
	var places []place
	seen := map[id.ID]bool{}
	var ids []id.ID
	for _, it := range items {
		if it.values == nil {
			continue
		}
		for i, v := range it.values {
			u, ok := v.(id.ID)
			if !ok || it.sh.fields[i].f.Type != schema.User {
				continue
			}
			places = append(places, place{it, it.sh.fields[i].f, u})
			if !seen[u] {
				seen[u] = true
				ids = append(ids, u)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	names, err := s.users(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range places {
		if _, ok := names[p.user]; !ok {
			p.it.fail(fault.InvalidField("record.relation_unknown", "fields."+p.field.Key, fault.Params{"object": "user"}))
		}
	}
	return nil
}

// run takes the items in rounds: a record that occurs twice is written once in each, so that later operations see what
// earlier ones did.
func (w *writing) run(ctx context.Context, items []*item) error {
	if err := w.s.freshIndexes(ctx, w.tx, items); err != nil {
		return err
	}
	pending := make([]*item, 0, len(items))
	for _, it := range items {
		if it.ok() {
			pending = append(pending, it)
		}
	}
	for len(pending) > 0 {
		seen := make(map[id.ID]bool, len(pending))
		var round, later []*item
		for _, it := range pending {
			if it.id != 0 && seen[it.id] {
				later = append(later, it)
				continue
			}
			seen[it.id] = true
			round = append(round, it)
		}
		if err := w.round(ctx, round); err != nil {
			return err
		}
		pending = later
	}
	return refuse(w.mode, items)
}

func (w *writing) round(ctx context.Context, items []*item) error {
	steps := []func(context.Context, []*item) error{w.load, w.permitOld, w.derive, w.resolve, w.rules, w.fetchFiles, w.suppressed, w.number, w.claim, w.relate}
	for _, step := range steps {
		if err := step(ctx, items); err != nil {
			return err
		}
		if err := refuse(w.mode, items); err != nil {
			return err
		}
		items = live(items)
	}
	if err := w.fetchKeys(ctx, items); err != nil {
		return err
	}
	for _, it := range items {
		if err := w.encode(it); err != nil {
			return err
		}
	}
	if err := w.permitNew(ctx, items); err != nil {
		return err
	}
	if err := refuse(w.mode, items); err != nil {
		return err
	}
	items = live(items)
	for _, step := range []func(context.Context, []*item) error{w.claimJoined, w.demand, w.validate} {
		if err := step(ctx, items); err != nil {
			return err
		}
	}
	if err := refuse(w.mode, items); err != nil {
		return err
	}
	items = live(items)
	if err := w.guard(ctx, items); err != nil {
		return err
	}
	if err := refuse(w.mode, items); err != nil {
		return err
	}
	return w.store(ctx, live(items))
}

// live drops failed items.
func live(items []*item) []*item {
	for i, it := range items {
		if it.ok() {
			continue
		}
		out := append([]*item(nil), items[:i]...)
		for _, it := range items[i+1:] {
			if it.ok() {
				out = append(out, it)
			}
		}
		return out
	}
	return items
}

// byShape groups items, in order of first appearance.
func byShape(items []*item) [][]*item {
	var out [][]*item
	at := map[*shape]int{}
	var last *shape
	var slot int
	for _, it := range items {
		if it.sh != last {
			i, ok := at[it.sh]
			if !ok {
				i = len(out)
				at[it.sh] = i
				out = append(out, nil)
			}
			last, slot = it.sh, i
		}
		out[slot] = append(out[slot], it)
	}
	return out
}

// load reads the rows that are to be changed and checks their versions.
func (w *writing) load(ctx context.Context, items []*item) error {
	for _, group := range byShape(items) {
		obj := group[0].sh.obj
		var ids []id.ID
		for _, it := range group {
			if it.op == change.Create {
				if it.id == 0 {
					it.id = w.s.cfg.IDs.Next()
				}
				continue
			}
			ids = append(ids, it.id)
		}
		if len(ids) == 0 {
			continue
		}
		rows, err := w.tx.Get(ctx, obj, ids, true)
		if err != nil {
			return err
		}
		found := make(map[id.ID]*Row, len(rows))
		for i := range rows {
			found[rows[i].ID] = &rows[i]
		}
		for _, it := range group {
			if it.op != change.Create {
				it.old = found[it.id]
				if it.old != nil && it.version != 0 && it.version != it.old.Version {
					rolled, err := w.onlyRolled(ctx, it)
					if err != nil {
						return err
					}
					if rolled {
						it.version = it.old.Version
					}
				}
				it.checkOld(obj)
			}
		}
	}
	return nil
}

func (it *item) checkOld(obj *schema.Object) {
	switch {
	case it.old == nil, it.old.DeletedAt != 0 && it.op != change.Restore && it.op != change.Purge:
		it.fail(notFound(obj, it.id))
	case it.old.DeletedAt == 0 && it.op == change.Restore:
		it.fail(fault.New(fault.Conflict, "record.not_deleted", nil))
	case it.version != 0 && it.version != it.old.Version:
		it.fail(fault.New(fault.Stale, "record.stale", fault.Params{"id": id.Format(obj.Prefix, it.id), "version": it.version, "current": it.old.Version}))
	}
}

// resolve turns relations that are named by a unique field into ids.
func (w *writing) resolve(ctx context.Context, items []*item) error {
	type want struct{ target, field string }
	var wants map[want]map[string][]func(id.ID)
	for _, it := range items {
		if it.values == nil {
			continue
		}
		for _, i := range it.sh.related {
			key, ok := it.values[i].(schema.Key)
			if !ok {
				continue
			}
			f := it.sh.fields[i].f
			unknown := fault.InvalidField("record.relation_unknown", "fields."+f.Key, fault.Params{"object": f.Target})
			target := w.s.cfg.Registry().Object(f.Target)
			tf := target.Field(key.Field)
			if tf == nil || !tf.Unique {
				it.fail(fault.InvalidField("record.relation_key", "fields."+f.Key, fault.Params{"object": f.Target, "field": key.Field}))
				continue
			}
			texts := w.s.keysOfText(tf, key.Text)
			if len(texts) == 0 {
				it.fail(unknown)
				continue
			}
			if wants == nil {
				wants = map[want]map[string][]func(id.ID){}
			}
			k := want{f.Target, key.Field}
			if wants[k] == nil {
				wants[k] = map[string][]func(id.ID){}
			}
			left, holder := len(texts), id.ID(0)
			set := func(v id.ID) {
				if left--; v != 0 {
					holder = v
				}
				if left > 0 {
					return
				}
				if holder == 0 {
					it.fail(unknown)
				}
				it.give(i, holder)
			}
			for _, text := range texts {
				wants[k][text] = append(wants[k][text], set)
			}
		}
	}
	for k, texts := range wants {
		target := w.s.cfg.Registry().Object(k.target)
		keys := make([]string, 0, len(texts))
		for t := range texts {
			keys = append(keys, t)
		}
		found, err := w.tx.FindUnique(ctx, target, target.Field(k.field), keys)
		if err != nil {
			return err
		}
		for t, setters := range texts {
			for _, set := range setters {
				set(found[t])
			}
		}
	}
	return nil
}

// rules fills defaults, runs hooks and checks required fields, so that all faults of an item come together.
func (w *writing) rules(ctx context.Context, items []*item) error {
	for _, it := range items {
		if it.values == nil {
			continue
		}
		w.s.complete(it, w)
		if err := w.s.runHooks(ctx, it, w.tx); err != nil {
			return err
		}
		require(it)
	}
	return nil
}

// number gives auto numbers to new records without one.
func (w *writing) number(ctx context.Context, items []*item) error {
	type slot struct {
		it    *item
		field int
		day   clock.Day
	}
	slots := map[string][]slot{}
	var counters []string
	for _, it := range items {
		if it.op != change.Create {
			continue
		}
		for _, i := range it.sh.numbered {
			if it.values[i] != nil {
				continue
			}
			day := w.dayOf(it)
			c := schema.NumberCounter(it.sh.obj.Key, it.sh.fields[i].f, day)
			if slots[c] == nil {
				counters = append(counters, c)
			}
			slots[c] = append(slots[c], slot{it, i, day})
		}
	}
	for _, c := range counters {
		list := slots[c]
		first, err := w.tx.Next(ctx, c, len(list))
		if err != nil {
			return err
		}
		for n, sl := range list {
			sl.it.give(sl.field, schema.FormatNumber(sl.it.sh.fields[sl.field].f.Pattern, sl.day, first+int64(n)))
		}
	}
	return nil
}

// dayOf is the local day of the fact that a record is: of its time field, else of its creation.
func (w *writing) dayOf(it *item) clock.Day {
	if m := it.sh.moment; m >= 0 {
		var v any
		switch {
		case it.set != nil && it.set[m]:
			v = it.values[m]
		case it.old != nil:
			v = schema.Decode(it.sh.fields[m].f, it.sh.cols(it.old.Cols, m))
		}
		switch x := v.(type) {
		case time.Time:
			return clock.DayOf(x, w.zone)
		case clock.Day:
			return x
		}
	}
	switch {
	case it.old != nil:
		return clock.Day(it.old.CreatedAtDay) //nolint:gosec // written from a Day
	case it.createdAt != 0:
		return clock.DayOf(time.UnixMilli(it.createdAt), w.zone)
	}
	return w.day
}

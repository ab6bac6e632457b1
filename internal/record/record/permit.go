package record

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// doing is the action that an item is.
func (it *item) doing() access.Action {
	switch {
	case it.assign:
		return access.Assign
	case it.op == change.Create:
		return access.Create
	case it.op == change.Update:
		return access.Update
	}
	return access.Delete
}

// own gives a new record to the person who makes it where the role reaches only some people's records and nobody is named:
// otherwise it could not be made at all.
func (w *writing) own(it *item) {
	if it.op != change.Create || w.actor.Unlimited() || w.actor.Person == 0 {
		return
	}
	switch w.actor.Grant(it.sh.obj.Key, access.Create).Scope {
	case access.Own, access.Team, access.Department:
	default:
		return
	}
	i, ok := it.sh.index[access.Owner(it.sh.obj).Key]
	if ok && !it.set[i] {
		it.give(i, w.actor.Person)
	}
}

// permitOld checks that the actor reaches the records as they are. What is out of sight is not there.
func (w *writing) permitOld(ctx context.Context, items []*item) error {
	if w.actor.Unlimited() {
		return nil
	}
	for _, group := range byShape(items) {
		obj := group[0].sh.obj
		for _, it := range group {
			if !w.actor.May(obj.Key, it.doing()) {
				it.fail(fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(it.doing().Right())}))
			}
		}
		old := func(it *item) *Row { return it.old }
		err := w.judge(ctx, group, []access.Action{access.Read}, old, func(it *item) { it.fail(notFound(obj, it.id)) })
		if err != nil {
			return err
		}
		for _, part := range byAction(group) {
			if err := w.judge(ctx, part, []access.Action{part[0].doing()}, old, func(it *item) { it.fail(outOfReach(it)) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// permitNew checks that the actor reaches the records as they will be, so that nobody puts one where they would not see it. Giving
// a record away is what assigning is for: there its own scope alone decides.
func (w *writing) permitNew(ctx context.Context, items []*item) error {
	if w.actor.Unlimited() {
		return nil
	}
	if err := w.permitTargets(ctx, items); err != nil {
		return err
	}
	for _, group := range byShape(items) {
		for _, part := range byAction(group) {
			x := part[0].doing()
			if x == access.Delete {
				continue
			}
			actions := []access.Action{x, access.Read}
			if x == access.Assign {
				actions = actions[:1]
			}
			row := func(it *item) *Row { return &it.row }
			if err := w.judge(ctx, part, actions, row, func(it *item) { it.fail(movedAway(it)) }, items...); err != nil {
				return err
			}
		}
	}
	w.drop(items)
	return w.unclaim(ctx, items)
}

// drop fails what points at a record that the same call would have made and that was refused.
func (w *writing) drop(items []*item) {
	fresh := make(map[id.ID]*item, len(items))
	for _, it := range items {
		if it.op == change.Create {
			fresh[it.id] = it
			if !it.ok() {
				delete(w.made, it.id)
			}
		}
	}
	for again := true; again; {
		again = false
		w.eachRelation(items, func(it *item, f *schema.Field, v id.ID) {
			if n := fresh[v]; it.ok() && n != nil && !n.ok() {
				it.fail(fault.InvalidField("record.relation_unknown", "fields."+f.Key, fault.Params{"object": f.Target}))
				if it.op == change.Create {
					delete(w.made, it.id)
				}
				again = true
			}
		})
	}
}

func outOfReach(it *item) *fault.Fault {
	return fault.New(fault.Forbidden, "record.out_of_reach", fault.Params{"object": it.sh.obj.Key, "label": it.sh.obj.Label, "right": string(it.doing().Right())})
}

func movedAway(it *item) *fault.Fault {
	return fault.New(fault.Forbidden, "record.moved_away", fault.Params{"object": it.sh.obj.Key, "label": it.sh.obj.Label})
}

// byAction groups items of one object by what they do.
func byAction(items []*item) [][]*item {
	var out [][]*item
	at := map[access.Action]int{}
	for _, it := range items {
		i, ok := at[it.doing()]
		if !ok {
			i = len(out)
			at[it.doing()] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], it)
	}
	return out
}

// judge asks whether the actor reaches a row of each item of one object by all of the actions, and hands those to refuse of which
// it does not. Rows of among, which are about to be written, count as they will be.
func (w *writing) judge(ctx context.Context, group []*item, actions []access.Action, row func(*item) *Row, refuse func(*item), among ...*item) error {
	obj := group[0].sh.obj
	for _, x := range actions {
		e := access.Limit(w.actor, obj, x, w.s.checkEnv(obj))
		if e == nil {
			continue
		}
		j := w.s.judge(obj, e)
		for _, it := range among {
			if it.ok() && it.values != nil {
				j.put(it.sh.obj.Key, &it.row)
			}
		}
		var rows []*Row
		for _, it := range group {
			if r := row(it); it.ok() && r != nil {
				rows = append(rows, r)
			}
		}
		if err := j.read(ctx, w.tx, rows); err != nil {
			return err
		}
		for _, it := range group {
			r := row(it)
			if !it.ok() || r == nil {
				continue
			}
			ok, err := j.holds(r)
			if err != nil {
				return err
			}
			if !ok {
				refuse(it)
			}
		}
	}
	return nil
}

// permitTargets checks that the actor sees what changed relations point at: what is out of sight cannot be pointed at, so that
// ids are not found out by trying.
func (w *writing) permitTargets(ctx context.Context, items []*item) error {
	asked := map[string]map[id.ID]bool{}
	w.eachRelation(items, func(_ *item, f *schema.Field, v id.ID) {
		if w.made[v] {
			return
		}
		if asked[f.Target] == nil {
			asked[f.Target] = map[id.ID]bool{}
		}
		asked[f.Target][v] = false
	})
	for target, ids := range asked {
		obj := w.s.cfg.Registry().Object(target)
		if obj == nil || obj.Virtual {
			continue
		}
		if access.Limit(w.actor, obj, access.Read, w.s.checkEnv(obj)) == nil {
			for v := range ids {
				ids[v] = true
			}
			continue
		}
		list := make([]id.ID, 0, len(ids))
		for v := range ids {
			list = append(list, v)
		}
		rows, err := w.tx.Get(ctx, obj, list, false)
		if err == nil {
			rows, err = w.s.seen(ctx, w.tx, w.s.shape(obj), rows, access.Read)
		}
		if err != nil {
			return err
		}
		for i := range rows {
			ids[rows[i].ID] = true
		}
	}
	w.eachRelation(items, func(it *item, f *schema.Field, v id.ID) {
		if ids := asked[f.Target]; it.ok() && !w.made[v] && ids != nil && !ids[v] {
			it.fail(fault.InvalidField("record.relation_unknown", "fields."+f.Key, fault.Params{"object": f.Target}))
		}
	})
	return nil
}

// visible reports whether the actor sees a record, inside the transaction.
func (w *writing) visible(ctx context.Context, sh *shape, rec id.ID) bool {
	if !w.actor.May(sh.obj.Key, access.Read) {
		return false
	}
	if w.actor.Unlimited() {
		return true
	}
	rows, err := w.tx.Get(ctx, sh.obj, []id.ID{rec}, true)
	if err == nil {
		rows, err = w.s.seen(ctx, w.tx, sh, rows, access.Read)
	}
	return err == nil && len(rows) > 0
}

// limited reports an actor that may not read and write every field of an object.
func limited(ctx context.Context, sh *shape) bool {
	a := access.From(ctx)
	return !a.Unlimited() && slices.ContainsFunc(sh.fields, func(fs fieldShape) bool { return a.Field(sh.obj.Key, fs.f.Key) != access.FieldWrite })
}

// closed says why the actor may not write a field: one that it does not see is not there.
func closed(a access.Actor, obj *schema.Object, f *schema.Field, operation bool) string {
	if operation || a.Unlimited() {
		return ""
	}
	switch a.Field(obj.Key, f.Key) {
	case access.FieldHidden:
		return "record.unknown_field"
	case access.FieldMasked, access.FieldRead:
		return "record.field_closed"
	}
	return ""
}

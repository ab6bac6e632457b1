package record

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// What an actor sees and may change: the conditions of package access, compiled into every question by the store
// (Selection.Limits) and evaluated here for rows that were read by id or are about to be written.

// checkEnv is what the conditions of roles are checked against.
func (s *Service) checkEnv(obj *schema.Object) query.CheckEnv {
	return query.CheckEnv{Registry: s.cfg.Registry(), Object: obj.Key, Use: query.ForRight, Base: s.cfg.BaseCurrency(), Convert: s.convert,
		Blind: s.Blind, Blinds: s.Blinds, PhoneRegion: s.cfg.PhoneRegion()}
}

// Limits are what the actor of the context sees of an object, for questions that are asked elsewhere; nil for everything.
// Besides reading, more actions can be asked for.
func (s *Service) Limits(ctx context.Context, object string, actions ...access.Action) (*query.Limits, error) {
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	return s.limits(ctx, obj, append([]access.Action{access.Read}, actions...)...), nil
}

func (s *Service) limits(ctx context.Context, obj *schema.Object, actions ...access.Action) *query.Limits {
	return access.Limits(access.From(ctx), obj, s.checkEnv(obj), actions...)
}

// seen keeps the rows of an object that the actor reaches by all of the actions.
func (s *Service) seen(ctx context.Context, r Reader, sh *shape, rows []Row, actions ...access.Action) ([]Row, error) {
	for _, x := range actions {
		e := access.Limit(access.From(ctx), sh.obj, x, s.checkEnv(sh.obj))
		if e == nil || len(rows) == 0 {
			continue
		}
		j := s.judge(sh.obj, e)
		ptrs := make([]*Row, len(rows))
		for i := range rows {
			ptrs[i] = &rows[i]
		}
		if err := j.read(ctx, r, ptrs); err != nil {
			return nil, err
		}
		kept := make([]Row, 0, len(rows))
		for i := range rows {
			ok, err := j.holds(&rows[i])
			if err != nil {
				return nil, err
			}
			if ok {
				kept = append(kept, rows[i])
			}
		}
		rows = kept
	}
	return rows, nil
}

// readSeen reads rows by id and keeps those that the actor reaches.
func (s *Service) readSeen(ctx context.Context, obj *schema.Object, ids []id.ID, deleted bool, actions ...access.Action) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []Row
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		found, err := r.Get(ctx, obj, ids, deleted)
		if err == nil {
			rows, err = s.seen(ctx, r, s.shape(obj), found, actions...)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", obj.Key, err)
	}
	return rows, nil
}

// Reached finds those of some live records that the actor reaches by all of the actions, besides reading.
func (s *Service) Reached(ctx context.Context, object string, ids []id.ID, actions ...access.Action) (map[id.ID]bool, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	for _, x := range actions {
		if err := may(ctx, obj, x); err != nil {
			return nil, err
		}
	}
	rows, err := s.readSeen(ctx, obj, ids, false, append([]access.Action{access.Read}, actions...)...)
	out := make(map[id.ID]bool, len(rows))
	for i := range rows {
		out[rows[i].ID] = true
	}
	return out, err
}

// ReachesAll reports that the actor may do all of the actions with every record of an object, besides reading it.
func (s *Service) ReachesAll(ctx context.Context, obj *schema.Object, actions ...access.Action) bool {
	env := s.checkEnv(obj)
	for _, x := range append([]access.Action{access.Read}, actions...) {
		if access.Limit(access.From(ctx), obj, x, env) != nil {
			return false
		}
	}
	return true
}

// Reaches tells which of the actions the actor may do with a record; with one that is out of sight, none.
func (s *Service) Reaches(ctx context.Context, object string, rec id.ID, actions ...access.Action) (map[access.Action]bool, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	out := make(map[access.Action]bool, len(actions))
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		rows, err := r.Get(ctx, obj, []id.ID{rec}, true)
		if err == nil {
			rows, err = s.seen(ctx, r, s.shape(obj), rows, access.Read)
		}
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, x := range actions {
			ok, err := s.seen(ctx, r, s.shape(obj), rows, x)
			if err != nil {
				return err
			}
			out[x] = len(ok) > 0
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rights to %s: %w", object, err)
	}
	return out, nil
}

// Judge answers expressions about one record for the explanation of rights: each by itself. The rows are read as the program;
// whoever calls it has asked for the right. deleted is told besides; NotFound when there is no such record.
func (s *Service) Judge(ctx context.Context, object string, rec id.ID, list []query.Expr) (holds []bool, row *Row, err error) {
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, nil, fault.New(fault.NotFound, "record.unknown_object", fault.Params{"object": object})
	}
	holds = make([]bool, len(list))
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		rows, err := r.Get(ctx, obj, []id.ID{rec}, true)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound(obj, rec)
		}
		row = &rows[0]
		for i, e := range list {
			if e == nil {
				holds[i] = true
				continue
			}
			j := s.judge(obj, e)
			if err := j.read(ctx, r, []*Row{row}); err != nil {
				return err
			}
			if holds[i], err = j.holds(row); err != nil {
				return err
			}
		}
		return nil
	})
	return holds, row, err
}

// RowValue is a stored column of a row, for the explanation of rights: the id in a relation or user field, 0 for none.
func (s *Service) RowValue(object string, row *Row, field *schema.Field) id.ID {
	obj := s.cfg.Registry().Object(object)
	if obj == nil {
		return 0
	}
	v, _ := (&rowSubject{sh: s.shape(obj), row: row}).Column(field, schema.Main).(int64)
	return id.ID(v)
}

// judge evaluates one expression for rows of an object.
type judge struct {
	s    *Service
	obj  *schema.Object
	expr query.Expr
	eval *query.Evaluator
	near map[string]map[id.ID]*Row // of objects reached over relations
}

func (s *Service) judge(obj *schema.Object, e query.Expr) *judge {
	c := &query.Checked{Object: obj, Root: e}
	return &judge{s: s, obj: obj, expr: e, near: map[string]map[id.ID]*Row{},
		eval: c.Evaluator(query.EvalEnv{CheckEnv: s.checkEnv(obj), Moment: query.Moment{Now: s.cfg.Clock.Now(), Zone: s.cfg.Zone()}})}
}

// read brings the records that the expression asks about besides the rows themselves: one read for each step of a way.
func (j *judge) read(ctx context.Context, r Reader, rows []*Row) error {
	for _, hops := range query.Paths(j.expr) {
		obj, at := j.obj, rows
		for _, h := range hops {
			var ids []id.ID
			var next []*Row
			known := j.near[h.Target.Key]
			if known == nil {
				known = map[id.ID]*Row{}
				j.near[h.Target.Key] = known
			}
			sh := j.s.shape(obj)
			wanted := map[id.ID]bool{}
			for _, row := range at {
				v, ok := (&rowSubject{sh: sh, row: row}).Column(h.Field, schema.Main).(int64)
				if !ok || wanted[id.ID(v)] {
					continue
				}
				wanted[id.ID(v)] = true
				if found, ok := known[id.ID(v)]; ok {
					if found != nil {
						next = append(next, found)
					}
					continue
				}
				ids = append(ids, id.ID(v))
			}
			if len(ids) > 0 {
				found, err := r.Get(ctx, h.Target, ids, false)
				if err != nil {
					return err
				}
				for _, v := range ids {
					known[v] = nil
				}
				for i := range found {
					known[found[i].ID] = &found[i]
					next = append(next, &found[i])
				}
			}
			obj, at = h.Target, next
		}
	}
	return nil
}

// put makes rows known that are not stored yet.
func (j *judge) put(object string, row *Row) {
	if j.near[object] == nil {
		j.near[object] = map[id.ID]*Row{}
	}
	j.near[object][row.ID] = row
}

func (j *judge) holds(row *Row) (bool, error) {
	return j.eval.Eval(&rowSubject{j: j, sh: j.s.shape(j.obj), row: row})
}

// rowSubject is a stored row as a condition sees it.
type rowSubject struct {
	j   *judge
	sh  *shape
	row *Row
}

var _ query.Stored = (*rowSubject)(nil)

func (r *rowSubject) ID() id.ID { return r.row.ID }

// Value is not asked where there is Column.
func (r *rowSubject) Value(*schema.Field) any { return nil }

// Column implements query.Stored.
func (r *rowSubject) Column(f *schema.Field, role schema.Role) any {
	if schema.System(f.Key) == f {
		return systemColumn(r.row, f.Key, role)
	}
	all := r.sh.obj.Columns()
	i := r.sh.obj.Offset(f.Key)
	if i < 0 {
		return nil
	}
	for ; i < len(all) && all[i].Field.Key == f.Key; i++ {
		if all[i].Role == role {
			return r.row.Cols[i]
		}
	}
	return nil
}

func systemColumn(row *Row, key string, role schema.Role) any {
	orNil := func(v id.ID) any {
		if v == 0 {
			return nil
		}
		return int64(v)
	}
	switch key {
	case "id":
		return int64(row.ID)
	case "created_at":
		if role == schema.DayRole {
			return row.CreatedAtDay
		}
		return row.CreatedAt
	case "updated_at":
		if role == schema.DayRole {
			return row.UpdatedAtDay
		}
		return row.UpdatedAt
	case "created_by":
		return orNil(row.CreatedBy)
	case "updated_by":
		return orNil(row.UpdatedBy)
	}
	return nil
}

// Related implements query.Subject.
func (r *rowSubject) Related(f *schema.Field) query.Subject {
	v, ok := r.Column(f, schema.Main).(int64)
	target := r.j.s.cfg.Registry().Object(f.Target)
	if !ok || target == nil {
		return nil
	}
	row := r.j.near[f.Target][id.ID(v)]
	if row == nil {
		return nil
	}
	return &rowSubject{j: r.j, sh: r.j.s.shape(target), row: row}
}

// Records implements query.Subject; rights do not ask it.
func (r *rowSubject) Records(*schema.Object, *schema.Field) []query.Subject { return nil }

// Trait implements query.Subject; rights do not ask it.
func (r *rowSubject) Trait(string) any { return nil }

// InSegment implements query.Subject; rights do not ask it.
func (r *rowSubject) InSegment(string) bool { return false }

// fieldsSeen are the fields of an object that the actor does not see as they are: hidden or masked; nil for none.
func fieldsSeen(ctx context.Context, sh *shape) map[string]access.FieldAccess {
	a := access.From(ctx)
	if a.Unlimited() {
		return nil
	}
	var out map[string]access.FieldAccess
	for i := range sh.fields {
		key := sh.fields[i].f.Key
		if x := a.FieldOf(sh.obj.Key, sh.fields[i].f); x == access.FieldHidden || x == access.FieldMasked {
			if out == nil {
				out = map[string]access.FieldAccess{}
			}
			out[key] = x
		}
	}
	return out
}

// masked is what a value shows as that its reader may only know to be there.
const masked = "***"

// blindTo are the searchable fields of an object that the actor may not search: a record found by them alone is not shown.
func blindTo(ctx context.Context, sh *shape) map[int]bool {
	a := access.From(ctx)
	if a.Unlimited() {
		return nil
	}
	var out map[int]bool
	for i := range sh.fields {
		if f := sh.fields[i].f; f.Searchable && !a.MayAsk(sh.obj.Key, f) {
			if out == nil {
				out = map[int]bool{}
			}
			out[i] = true
		}
	}
	return out
}

// foundInSight keeps the rows that a search text finds by what the actor may search.
func (s *Service) foundInSight(ctx context.Context, q *search, sh *shape, rows []Row) ([]Row, error) {
	blind := blindTo(ctx, sh)
	if len(blind) == 0 || len(rows) == 0 {
		return rows, nil
	}
	keys, err := s.keysFor(ctx, sh, rows, &presentation{})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(rows), func(row Row) bool {
		has := map[string]bool{}
		for _, t := range s.tokensOf(sh, &row, keys[sh.subject(&row)], blind) {
			has[t] = true
		}
		if len(q.plain) > 0 && !slices.ContainsFunc(q.plain, func(want string) bool { return !tokenIn(has, want) }) {
			return false
		}
		return !slices.ContainsFunc(q.keyed, func(want string) bool { return has[want] })
	}), nil
}

func tokenIn(has map[string]bool, want string) bool {
	prefix, is := strings.CutSuffix(want, "*")
	if !is {
		return has[want]
	}
	for t := range has {
		if strings.HasPrefix(t, prefix) {
			return true
		}
	}
	return false
}

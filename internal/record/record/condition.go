package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// condition is what a field says of when it is shown and when it must have a value.
type condition struct {
	field    int
	shown    query.Expr // nil: always
	required query.Expr // nil: never, unless always
	always   bool       // required wherever it is shown
	reads    map[int]bool
}

// conditions are those of an object. One that does not hold against the metadata any more says nothing.
func (s *Service) conditions(sh *shape) []condition {
	var out []condition
	for i := range sh.fields {
		f := sh.fields[i].f
		if f.ShownWhen == nil && f.RequiredWhen == nil {
			continue
		}
		c := condition{field: i, always: f.Required, reads: map[int]bool{i: true}}
		resolve := func(raw []byte) query.Expr {
			if len(raw) == 0 {
				return nil
			}
			n, err := query.Parse(raw)
			if err != nil {
				return nil
			}
			checked, err := query.Resolve(n, s.checkEnv(sh.obj))
			if err != nil {
				return nil
			}
			for path := range pathsOf(n) {
				if at, ok := sh.index[path]; ok {
					c.reads[at] = true
				}
			}
			return checked.Root
		}
		c.shown, c.required = resolve(f.ShownWhen), resolve(f.RequiredWhen)
		out = append(out, c)
	}
	return out
}

// pathsOf are the first steps of the paths that a condition names: fields of the record itself.
func pathsOf(n *query.Node) map[string]bool {
	out := map[string]bool{}
	query.Walk(n, func(n *query.Node, _ string) bool {
		for i := range len(n.Field) {
			if n.Field[i] == '.' {
				out[n.Field[:i]] = true
				return true
			}
		}
		if n.Field != "" {
			out[n.Field] = true
		}
		return true
	})
	return out
}

func (c *condition) concerns(it *item) bool {
	if it.op == change.Create {
		return true
	}
	for _, i := range it.dirty {
		if c.reads[i] {
			return true
		}
	}
	return false
}

// standing is what the conditions of an object say of one row, aligned with shape.conditions.
type standing struct{ shown, required bool }

// stand evaluates all conditions of an object for rows. Rows of among, which are about to be written, count as they will be.
func (s *Service) stand(ctx context.Context, r Reader, sh *shape, rows []*Row, among []*item) ([][]standing, error) {
	var all []query.Expr
	for _, c := range sh.conditions {
		for _, e := range []query.Expr{c.shown, c.required} {
			if e != nil {
				all = append(all, e)
			}
		}
	}
	j := s.judge(sh.obj, query.All{Items: all})
	for _, it := range among {
		if it.ok() && it.values != nil && it.row.Cols != nil {
			j.put(it.sh.obj.Key, &it.row)
		}
	}
	if err := j.read(ctx, r, rows); err != nil {
		return nil, err
	}
	type pair struct{ shown, required *judge }
	asked := make([]pair, len(sh.conditions))
	with := func(e query.Expr) *judge {
		if e == nil {
			return nil
		}
		one := *j
		one.eval = s.judge(sh.obj, e).eval
		return &one
	}
	for n, c := range sh.conditions {
		asked[n] = pair{with(c.shown), with(c.required)}
	}
	out := make([][]standing, len(rows))
	for i, row := range rows {
		out[i] = make([]standing, len(sh.conditions))
		for n, c := range sh.conditions {
			st := standing{shown: true, required: c.always}
			var err error
			if asked[n].shown != nil {
				st.shown, err = asked[n].shown.holds(row)
			}
			if err == nil && asked[n].required != nil && !c.always {
				st.required, err = asked[n].required.holds(row)
			}
			if err != nil {
				return nil, err
			}
			st.required = st.required && st.shown
			out[i][n] = st
		}
	}
	return out, nil
}

// demand asks for the values that conditions require of the records as they will be. A new record must have all of them, a changed
// one those whose condition reads a field that changed: who corrects something else is not kept from it by what was missing before.
func (w *writing) demand(ctx context.Context, items []*item) error {
	for _, group := range byShape(items) {
		sh := group[0].sh
		if len(sh.conditions) == 0 {
			continue
		}
		var asked []*item
		var rows []*Row
		for _, it := range group {
			if it.ok() && (it.op == change.Create || it.op == change.Update && len(it.dirty) > 0) {
				asked, rows = append(asked, it), append(rows, &it.row)
			}
		}
		if len(asked) == 0 {
			continue
		}
		said, err := w.s.stand(ctx, w.tx, sh, rows, items)
		if err != nil {
			return err
		}
		for i, it := range asked {
			for n := range sh.conditions {
				c := &sh.conditions[n]
				if said[i][n].required && c.concerns(it) && it.row.Cols[sh.fields[c.field].off] == nil {
					it.fail(lacking(sh.fields[c.field].f))
				}
			}
		}
	}
	return nil
}

func lacking(f *schema.Field) *fault.Fault {
	return fault.InvalidField("record.required_when", "fields."+f.Key, fault.Params{"field": f.Key, "label": f.Label})
}

// Trial is what can be said of values before they are saved.
type Trial struct {
	Problems []*fault.Fault // of validation rules and unique rules, at their fields
	Hidden   []string       // fields that are not shown with these values
	Required []string       // fields that must have a value with these, besides those that always must
}

// standingOf is the trial of one row by conditions, for the fields that the actor sees.
func (s *Service) standingOf(ctx context.Context, sh *shape, row *Row, out *Trial) error {
	if len(sh.conditions) == 0 {
		return nil
	}
	var said [][]standing
	err := s.cfg.Store.View(ctx, func(r Reader) (err error) {
		said, err = s.stand(ctx, r, sh, []*Row{row}, nil)
		return err
	})
	if err != nil {
		return err
	}
	for n, c := range sh.conditions {
		f := sh.fields[c.field].f
		if access.From(ctx).FieldOf(sh.obj.Key, f) == access.FieldHidden {
			continue
		}
		if !said[0][n].shown {
			out.Hidden = append(out.Hidden, f.Key)
		}
		if said[0][n].required {
			out.Required = append(out.Required, f.Key)
		}
	}
	return nil
}

// tried are the values of a trial that the actor may point at: a record out of sight tells nothing.
func (s *Service) tried(ctx context.Context, f *schema.Field, v any) (bool, error) {
	target, ok := v.(id.ID)
	if !ok || f.Type != schema.Relation {
		return true, nil
	}
	obj := s.cfg.Registry().Object(f.Target)
	if obj == nil || obj.Virtual {
		return true, nil
	}
	rows, err := s.readSeen(ctx, obj, []id.ID{target}, false, access.Read)
	return len(rows) > 0, err
}

package record

import (
	"context"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// related are the rows that formulas reach over relations, by object.
type related map[string]map[id.ID]*Row

// computer works out formulas for rows of one object.
type computer struct {
	env  formula.Env
	rows related
}

// getter reads rows by id: a Reader in a transaction, or the service on a snapshot of its own.
type getter func(ctx context.Context, obj *schema.Object, ids []id.ID) ([]Row, error)

func (s *Service) outside(ctx context.Context, obj *schema.Object, ids []id.ID) ([]Row, error) {
	return s.rows(ctx, obj, ids, false)
}

// computer reads the rows that programs reach from the given ones, one read for each relation.
func (s *Service) computer(ctx context.Context, get getter, rows []Row, programs []*formula.Program) (*computer, error) {
	c := &computer{env: formula.Env{Now: s.cfg.Clock.Now(), Zone: s.cfg.Zone(), Base: s.cfg.BaseCurrency()}, rows: related{}}
	for depth := 1; ; depth++ {
		wanted := map[*schema.Object]map[id.ID]bool{}
		deeper := false
		for _, p := range programs {
			for _, r := range p.Refs {
				if len(r.Hops) < depth {
					continue
				}
				deeper = true
				c.reach(p.Object, r.Hops[:depth], rows, wanted)
			}
		}
		if !deeper {
			return c, nil
		}
		for obj, ids := range wanted {
			if err := c.read(ctx, get, obj, ids); err != nil {
				return nil, fmt.Errorf("read what formulas name: %w", err)
			}
		}
	}
}

// reach notes the ids at the end of relations that have not been read.
func (c *computer) reach(from *schema.Object, hops []formula.Hop, rows []Row, wanted map[*schema.Object]map[id.ID]bool) {
	last := hops[len(hops)-1]
	for i := range rows {
		row, obj := &rows[i], from
		for _, h := range hops[:len(hops)-1] {
			if row = c.step(row, obj, h); row == nil {
				break
			}
			obj = h.Target
		}
		if row == nil {
			continue
		}
		n, _ := columnOf(row, obj, last.Field, schema.Main).(int64)
		if n == 0 || c.rows[last.Target.Key][id.ID(n)] != nil {
			continue
		}
		if wanted[last.Target] == nil {
			wanted[last.Target] = map[id.ID]bool{}
		}
		wanted[last.Target][id.ID(n)] = true
	}
}

func (c *computer) read(ctx context.Context, get getter, obj *schema.Object, ids map[id.ID]bool) error {
	list := make([]id.ID, 0, len(ids))
	for v := range ids {
		list = append(list, v)
	}
	found, err := get(ctx, obj, list)
	if err != nil {
		return err
	}
	if c.rows[obj.Key] == nil {
		c.rows[obj.Key] = map[id.ID]*Row{}
	}
	for i := range found {
		c.rows[obj.Key][found[i].ID] = &found[i]
	}
	return nil
}

func (c *computer) step(row *Row, obj *schema.Object, h formula.Hop) *Row {
	n, _ := columnOf(row, obj, h.Field, schema.Main).(int64)
	return c.rows[h.Target.Key][id.ID(n)]
}

// columnOf is a stored column of a row, of the system fields too.
func columnOf(row *Row, obj *schema.Object, f *schema.Field, role schema.Role) any {
	if schema.System(f.Key) == f {
		day := role == schema.DayRole
		switch f.Key {
		case "created_at":
			if day {
				return row.CreatedAtDay
			}
			return row.CreatedAt
		case "updated_at":
			if day {
				return row.UpdatedAtDay
			}
			return row.UpdatedAt
		}
		return sortValue(obj, row, f.Key)
	}
	cols := obj.Columns()
	for i := obj.Offset(f.Key); i >= 0 && i < len(cols) && i < len(row.Cols) && cols[i].Field.Key == f.Key; i++ {
		if cols[i].Role == role {
			return row.Cols[i]
		}
	}
	return nil
}

// value evaluates a program for a row.
func (c *computer) value(row *Row, p *formula.Program) formula.Value {
	return p.Eval(&c.env, rowSource{c, row, p.Object})
}

// stored is the form by which a list is sorted.
func (c *computer) stored(row *Row, p *formula.Program) any {
	role := schema.Main
	if p.Root.Type.Kind == formula.Money {
		role = schema.Base
	}
	return c.value(row, p).Column(p.Root.Type.Kind, role)
}

// rowSource gives a formula the columns of a row and of those it leads to.
type rowSource struct {
	c   *computer
	row *Row
	obj *schema.Object
}

// Column implements formula.Source.
func (s rowSource) Column(r *formula.Ref, role schema.Role) any {
	row, obj := s.row, s.obj
	for _, h := range r.Hops {
		if row = s.c.step(row, obj, h); row == nil {
			return nil
		}
		obj = h.Target
	}
	return columnOf(row, obj, r.Field, role)
}

// computeInto adds the computed fields that a page wants to its records.
func (s *Service) computeInto(ctx context.Context, sh *shape, rows []Row, recs []*Record, p *presentation) error {
	var fields []int
	var programs []*formula.Program
	for _, i := range sh.computed {
		if f := sh.fields[i].f; p.wants(f.Key) && !f.Hidden {
			fields = append(fields, i)
			programs = append(programs, formula.Of(f))
		}
	}
	if len(fields) == 0 || len(rows) == 0 {
		return nil
	}
	c, err := s.computer(ctx, s.outside, rows, programs)
	if err != nil {
		return err
	}
	for i := range rows {
		for j, at := range fields {
			f := sh.fields[at].f
			v := c.value(&rows[i], programs[j]).Canonical(f, programs[j].Root.Type.Kind, c.env.Base)
			switch {
			case v == nil:
			case p.seen[f.Key] == access.FieldMasked:
				recs[i].Masks[f.Key] = masked
			default:
				recs[i].Values[f.Key] = v
			}
		}
	}
	return nil
}

// after is what the next page continues from: the sort values of the last row.
func (l *listing) after(ctx context.Context, row *Row) ([]any, error) {
	var out []any
	for _, k := range keyset(l.sel.Sort) {
		f := l.sh.obj.Field(k.Field)
		p := formula.Of(f)
		if !f.Computed() || p == nil {
			out = append(out, sortValue(l.sh.obj, row, k.Field))
			continue
		}
		c, err := l.s.computer(ctx, l.s.outside, []Row{*row}, []*formula.Program{p})
		if err != nil {
			return nil, err
		}
		out = append(out, c.stored(row, p))
	}
	return out, nil
}

// sortsComputed reports an order that no index serves.
func (l *listing) sortsComputed() bool {
	for _, k := range l.sel.Sort {
		if f := l.sh.obj.Field(k.Field); f != nil && f.Computed() {
			return true
		}
	}
	return false
}

// Evaluate works a formula that is not a field yet out for some records: values in canonical form by id, those without one left
// out. field describes the result.
func (s *Service) Evaluate(ctx context.Context, object string, field *schema.Field, ids []id.ID) (map[id.ID]any, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return nil, err
	}
	p := formula.Of(field)
	if p == nil {
		return nil, fault.InvalidField("formula.broken_field", "formula", fault.Params{"field": field.Label})
	}
	inSight := func(ctx context.Context, obj *schema.Object, ids []id.ID) ([]Row, error) {
		return s.readSeen(ctx, obj, ids, false, access.Read)
	}
	rows, err := inSight(ctx, obj, ids)
	if err != nil {
		return nil, err
	}
	c, err := s.computer(ctx, inSight, rows, []*formula.Program{p})
	if err != nil {
		return nil, err
	}
	out := make(map[id.ID]any, len(rows))
	for i := range rows {
		if v := c.value(&rows[i], p).Canonical(field, p.Root.Type.Kind, c.env.Base); v != nil {
			out[rows[i].ID] = v
		}
	}
	return out, nil
}

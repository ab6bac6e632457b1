package metadata

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// note is an entry of the trail on its way.
type note struct{ action, object, field string }

// Together makes the changes that fn makes through all one change: each is checked against what those before it made, one that
// is refused leaves nothing behind, and all are stored in one transaction when fn has no error. The registry is the one of
// after. A dry run checks the same and stores nothing.
func (s *Service) Together(ctx context.Context, dry bool, fn func(all *Service) error) (*schema.Registry, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load metadata: %w", err)
	}
	d := &draft{standard: s.cfg.Standard, rows: rows, changed: map[int]bool{}}
	if d.reg, d.broken, err = build(s.cfg.Standard, rows); err != nil {
		return nil, fmt.Errorf("stored metadata: %w", err)
	}
	old := d.reg
	if err := fn(&Service{cfg: s.cfg, draft: d}); err != nil || len(d.changed) == 0 {
		return d.reg, err
	}
	if s.cfg.Check != nil {
		if err := s.cfg.Check(ctx, old, d.reg); err != nil {
			return nil, err
		}
	}
	if dry {
		return d.reg, nil
	}
	return d.reg, s.store(ctx, d)
}

// store makes what a draft needs, stores it and puts it to work.
func (s *Service) store(ctx context.Context, d *draft) error {
	if err := s.cfg.Ensure(ctx, d.reg); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	var out []Row
	for i := range d.rows {
		if d.changed[i] {
			out = append(out, d.rows[i])
		}
	}
	if err := s.cfg.Store.Save(ctx, out); err != nil {
		return fmt.Errorf("store metadata: %w", err)
	}
	if err := s.cfg.Use(ctx, d.reg, d.follows); err != nil {
		return fmt.Errorf("use metadata: %w", err)
	}
	s.seen = stamp(d.rows)
	for _, n := range d.notes {
		if err := s.cfg.Note(ctx, n.action, n.object, n.field); err != nil {
			return err
		}
	}
	return nil
}

// Drafted is the registry as the changes so far make it, inside Together.
func (s *Service) Drafted() *schema.Registry { return s.draft.reg }

// change runs one edit: of a Service of Together on its draft, else from the stored state to the registry at work.
func (s *Service) change(ctx context.Context, action, object, field string, edit func(*draft) error) error {
	if s.draft == nil {
		_, err := s.Together(ctx, false, func(all *Service) error { return all.change(ctx, action, object, field, edit) })
		return err
	}
	d := s.draft
	rows, changed, follows := slices.Clone(d.rows), maps.Clone(d.changed), d.follows
	follows.Back = slices.Clone(follows.Back)
	err := edit(d)
	if err == nil {
		err = d.rebuild()
	}
	if err != nil {
		d.rows, d.changed, d.follows = rows, changed, follows
		return err
	}
	d.notes = append(d.notes, note{action, object, field})
	return nil
}

// rebuild makes the registry of the draft. A formula that held before must hold after.
func (d *draft) rebuild() error {
	reg, broken, err := build(d.standard, d.rows)
	if err != nil {
		return fault.Wrap(fault.Invalid, "metadata.contradiction", err)
	}
	for _, b := range broken {
		if !slices.ContainsFunc(d.broken, func(o formula.Broken) bool { return o.Name() == b.Name() }) {
			return b.Fault()
		}
	}
	if lost := lossesOf(d.reg, reg, nil, nil); len(lost) > 0 {
		l := lost[0]
		return fault.New(fault.Conflict, "metadata.used_in_"+l.Kind, fault.Params{"field": l.Name, "name": l.Name, "object": reg.Object(l.Object).Label})
	}
	d.reg, d.broken = reg, broken
	return nil
}

// Stored are all declarations that the workspace keeps, archived ones too, by position.
func (s *Service) Stored(ctx context.Context) ([]Row, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	rows, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load metadata: %w", err)
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Position, b.Position) })
	return rows, nil
}

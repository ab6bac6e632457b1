package web

import (
	"context"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Saved is a funnel that was kept under a name. Everybody who reads web analytics sees it; who made it, or a holder of
// access.ViewShare, changes it.
type Saved struct {
	ID        id.ID     `json:"id"`
	Name      string    `json:"name"`
	Funnel    Funnel    `json:"funnel"`
	Version   int64     `json:"version"`
	CreatedBy id.ID     `json:"created_by"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Store keeps funnels in the records plane.
type Store interface {
	Funnels(ctx context.Context) ([]Saved, error)
	// PutFunnel stores a funnel whose stored version is s.Version-1 (0: there is none); ok is false when it is another.
	PutFunnel(ctx context.Context, s Saved) (ok bool, err error)
	// DropFunnel removes it; ok is false when there is none.
	DropFunnel(ctx context.Context, key id.ID) (ok bool, err error)
}

const (
	maxName    = 100
	maxFunnels = 500
)

// Funnels are the kept ones, by name.
func (s *Service) Funnels(ctx context.Context) ([]Saved, error) {
	if err := may(ctx); err != nil {
		return nil, err
	}
	return s.c.Store.Funnels(ctx)
}

// SaveFunnel keeps a funnel; with an id it replaces the one whose version the caller has seen.
func (s *Service) SaveFunnel(ctx context.Context, f Saved) (Saved, error) {
	if err := may(ctx); err != nil {
		return Saved{}, err
	}
	f.Name = strings.TrimSpace(f.Name)
	switch {
	case f.Name == "":
		return Saved{}, fault.InvalidField("web.name_required", "name", nil)
	case len([]rune(f.Name)) > maxName:
		return Saved{}, fault.InvalidField("web.long_text", "name", fault.Params{"max": maxName})
	}
	if err := s.checkFunnel(ctx, f.Funnel); err != nil {
		return Saved{}, err
	}
	all, err := s.c.Store.Funnels(ctx)
	if err != nil {
		return Saved{}, err
	}
	f.CreatedBy, f.UpdatedAt = access.From(ctx).Person, s.c.Clock.Now()
	if f.ID == 0 {
		if len(all) >= maxFunnels {
			return Saved{}, fault.New(fault.Invalid, "web.many_funnels", fault.Params{"max": maxFunnels})
		}
		f.ID, f.Version = s.c.IDs.Next(), 1
	} else {
		had, err := mine(ctx, all, f.ID)
		if err != nil {
			return Saved{}, err
		}
		f.CreatedBy = had.CreatedBy
		f.Version++
	}
	ok, err := s.c.Store.PutFunnel(ctx, f)
	if err == nil && !ok {
		err = fault.New(fault.Stale, "web.stale", nil)
	}
	return f, err
}

// DropFunnel forgets a kept funnel.
func (s *Service) DropFunnel(ctx context.Context, key id.ID) error {
	if err := may(ctx); err != nil {
		return err
	}
	all, err := s.c.Store.Funnels(ctx)
	if err != nil {
		return err
	}
	if _, err := mine(ctx, all, key); err != nil {
		return err
	}
	ok, err := s.c.Store.DropFunnel(ctx, key)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "web.no_funnel", nil)
	}
	return err
}

// mine finds a funnel that the actor may change.
func mine(ctx context.Context, all []Saved, key id.ID) (Saved, error) {
	a := access.From(ctx)
	for _, f := range all {
		if f.ID != key {
			continue
		}
		if f.CreatedBy != a.Person && !a.Can(access.ViewShare) {
			return Saved{}, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.ViewShare)})
		}
		return f, nil
	}
	return Saved{}, fault.New(fault.NotFound, "web.no_funnel", nil)
}

// MayEdit reports whether the actor may change a kept funnel.
func (f Saved) MayEdit(ctx context.Context) bool {
	_, err := mine(ctx, []Saved{f}, f.ID)
	return err == nil
}

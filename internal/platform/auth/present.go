package auth

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Present is somebody with the rights they have now, for work that goes on after their request: a person or an API key of a
// workspace. Forbidden auth.actor_gone when the person was disabled or left, or the key was revoked. The command line keeps
// the rights of the owner of the machine.
func (s *Service) Present(ctx context.Context, workspace string, kind access.ActorKind, v id.ID) (access.Actor, error) {
	gone := fault.New(fault.Forbidden, "auth.actor_gone", nil)
	switch kind {
	case access.ByUser:
		m, err := s.place(ctx, v, workspace)
		if fault.CodeOf(err) == "auth.no_workspace" {
			return access.Actor{}, gone
		}
		if err != nil {
			return access.Actor{}, err
		}
		u, err := s.Store.GetUser(ctx, workspace, v)
		if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && u.Disabled {
			return access.Actor{}, gone
		}
		if err != nil {
			return access.Actor{}, err
		}
		return identify(u, m, Session{}).Actor, nil
	case access.ByKey:
		list, err := s.Store.ListKeys(ctx, workspace)
		if err != nil {
			return access.Actor{}, err
		}
		for _, k := range list {
			if k.ID == v && k.RevokedAt.IsZero() {
				return access.Actor{Kind: access.ByKey, ID: k.ID, Name: k.Name, Role: k.Role, Scopes: k.Scopes}, nil
			}
		}
		return access.Actor{}, gone
	case access.ByCLI, access.BySystem:
		return access.Actor{Kind: kind, Name: string(kind), Role: access.Administrator}, nil
	}
	return access.Actor{}, gone
}

package privacy

import (
	"context"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// The states of a customer's processing, as the field of that name has them.
const (
	ProcessingField = "processing"
	RestrictedState = "restricted"
	ErasedState     = "erased"
)

// Hold keeps a record from being erased by anybody and by any rule, as long as a law or a dispute wants it; a reason is needed.
func (s *Service) Hold(ctx context.Context, object string, rec id.ID, reason string) (*Hold, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	r, err := s.cfg.Records.Get(ctx, object, rec)
	if err != nil {
		return nil, err
	}
	reason = strings.TrimSpace(reason)
	if n := len([]rune(reason)); n == 0 || n > 200 {
		return nil, fault.InvalidField("privacy.hold_reason", "reason", fault.Params{"max": 200})
	}
	h := Hold{Record: r.ID, Object: object, Reason: reason, By: person(ctx), At: s.now()}
	if err := s.cfg.Store.PutHold(ctx, h); err != nil {
		return nil, err
	}
	return &h, s.cfg.Outside.Note(ctx, "privacy.hold", object, r.ID, nil)
}

// Unhold ends it.
func (s *Service) Unhold(ctx context.Context, object string, rec id.ID) error {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return err
	}
	if _, err := s.cfg.Records.Get(ctx, object, rec); err != nil {
		return err
	}
	was, err := s.cfg.Store.DropHold(ctx, rec)
	if err != nil || !was {
		return err
	}
	return s.cfg.Outside.Note(ctx, "privacy.unhold", object, rec, nil)
}

// HoldOf is the hold of a record, nil for none.
func (s *Service) HoldOf(ctx context.Context, rec id.ID) (*Hold, error) {
	all, err := s.cfg.Store.Holds(ctx, []id.ID{rec})
	if h, ok := all[rec]; ok {
		return &h, err
	}
	return nil, err
}

// Holds lists the records on hold, newest first.
func (s *Service) Holds(ctx context.Context) ([]Hold, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	all, err := s.cfg.Store.Holds(ctx, nil)
	out := make([]Hold, 0, len(all))
	for _, h := range all {
		out = append(out, h)
	}
	return out, err
}

// Restrict stops everything but storing a customer: it is in no segment, no export and gets no message. Ending it is the same call.
func (s *Service) Restrict(ctx context.Context, customer id.ID, on bool) (*record.Record, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	r, err := s.cfg.Records.Get(ctx, query.Customer, customer)
	if err != nil {
		return nil, err
	}
	if r.Values[ProcessingField] == ErasedState {
		return nil, fault.New(fault.Conflict, "privacy.erased", nil)
	}
	var v any
	action := "privacy.unrestrict"
	if on {
		v, action = RestrictedState, "privacy.restrict"
	}
	r, err = s.cfg.Records.Update(ctx, query.Customer, r.ID, 0, record.Input{ProcessingField: v}, record.Operation())
	if err != nil {
		return nil, err
	}
	return r, s.cfg.Outside.Note(ctx, action, query.Customer, r.ID, nil)
}

// Rules keep erased customers as they are: nobody writes into the shell.
func Guard(records interface {
	RegisterHook(object string, h record.Hook)
}) {
	records.RegisterHook(query.Customer, record.Hook{BeforeWrite: func(_ context.Context, c *record.Change) error {
		if c.Old(ProcessingField) == ErasedState {
			return fault.New(fault.Conflict, "privacy.erased", nil)
		}
		return nil
	}})
}

// Processed is a condition with those left out who are only stored.
func Processed(where *query.Node) *query.Node {
	open := &query.Node{Not: &query.Node{Field: ProcessingField, Op: "is_set"}}
	if where == nil {
		return open
	}
	return &query.Node{All: []*query.Node{open, where}}
}

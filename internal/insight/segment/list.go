package segment

import (
	"context"
	"maps"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// CreateList stores a static segment of given customers, whom no condition describes: they stood behind a figure. Its condition
// says that they are in it, which is what its list says. Where and Kind of the draft do not count.
func (s *Service) CreateList(ctx context.Context, d Draft, members []id.ID) (Segment, error) {
	if err := may(ctx, access.SegmentWrite); err != nil {
		return Segment{}, err
	}
	now := s.c.Clock.Now()
	seg := Segment{Key: d.Key, Kind: Static, Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: access.From(ctx).ID}
	d.Where = nil
	seg.apply(d)
	if seg.Key == "" {
		seg.Key = makeKey(seg.Label, now)
	}
	seg.Where = &query.Node{Segment: seg.Key, Op: "in"}
	if err := s.validate(ctx, seg, ""); err != nil {
		return Segment{}, err
	}
	if err := s.c.Store.Insert(ctx, seg); err != nil {
		return Segment{}, err
	}
	if err := s.c.Store.SetMembers(ctx, seg.Key, members); err != nil {
		return Segment{}, err
	}
	if err := s.c.Settle(ctx); err != nil { // members are those whom the audience knows
		return Segment{}, err
	}
	return s.refresh(ctx, seg, Listed)
}

// How a list is changed.
const (
	AddToList      = "add"
	TakeFromList   = "remove"
	ReplaceTheList = "replace"
)

// ChangeList adds customers to a static segment, takes them out or makes them all of it. It does not follow its condition any more.
func (s *Service) ChangeList(ctx context.Context, key, how string, customers []id.ID) (Segment, error) {
	if err := may(ctx, access.SegmentWrite); err != nil {
		return Segment{}, err
	}
	seg, err := s.get(ctx, key)
	if err != nil {
		return Segment{}, err
	}
	if seg.Kind != Static {
		return Segment{}, fault.New(fault.Conflict, "segment.not_static", fault.Params{"key": key})
	}
	had, err := s.listed(ctx, key)
	if err != nil {
		return Segment{}, err
	}
	in := make(map[id.ID]bool, len(had)+len(customers))
	switch how {
	case AddToList, TakeFromList:
		for _, v := range had {
			in[v] = true
		}
	case ReplaceTheList:
	default:
		return Segment{}, fault.InvalidField("segment.bad_list_mode", "mode", nil)
	}
	for _, v := range customers {
		if how == TakeFromList {
			delete(in, v)
		} else {
			in[v] = true
		}
	}
	seg.Where = &query.Node{Segment: key, Op: "in"}
	seg.Version++
	seg.UpdatedAt, seg.Broken = s.c.Clock.Now(), ""
	if err := s.c.Store.Update(ctx, seg); err != nil {
		return Segment{}, err
	}
	if err := s.c.Store.SetMembers(ctx, key, slices.Sorted(maps.Keys(in))); err != nil {
		return Segment{}, err
	}
	if err := s.c.Settle(ctx); err != nil { // members are those whom the audience knows
		return Segment{}, err
	}
	return s.refresh(ctx, seg, Listed)
}

// itself reports a list that no condition describes: one that says of its members that they are in it.
func (s Segment) itself() bool {
	return s.Kind == Static && s.Where.Kind() == "segment" && s.Where.Segment == s.Key && s.Where.Op == "in"
}

// checkWhere refuses a condition that the actor may not use. A list that names itself is no cycle: its members are stored.
func (s *Service) checkWhere(ctx context.Context, seg Segment, self string) error {
	if seg.itself() {
		return nil
	}
	return s.c.Language.Check(ctx, seg.Where, self)
}

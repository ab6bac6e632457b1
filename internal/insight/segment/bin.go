package segment

import (
	"context"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Trashed are the deleted segments that can still be restored, the newest first.
func (s *Service) Trashed(ctx context.Context) ([]Segment, error) {
	if err := may(ctx, access.SegmentWrite); err != nil {
		return nil, err
	}
	return s.c.Store.Trashed(ctx)
}

func (s *Service) trashed(ctx context.Context, key string) (Segment, error) {
	list, err := s.Trashed(ctx)
	if err != nil {
		return Segment{}, err
	}
	for _, seg := range list {
		if seg.Key == key {
			return seg, nil
		}
	}
	return Segment{}, fault.New(fault.NotFound, "segment.not_found", fault.Params{"key": key})
}

// Restore takes a segment out of the bin. Its members are of now; a condition that does not check any more leaves it broken.
func (s *Service) Restore(ctx context.Context, key string) (Segment, error) {
	seg, err := s.trashed(ctx, key)
	if err != nil {
		return Segment{}, err
	}
	if err := s.c.Store.Restore(ctx, key); err != nil {
		return Segment{}, err
	}
	seg.DeletedAt = time.Time{}
	s.c.Publish(key)
	return s.refresh(ctx, seg, Listed)
}

// Purge forgets a segment of the bin, with its history.
func (s *Service) Purge(ctx context.Context, key string) error {
	if _, err := s.trashed(ctx, key); err != nil {
		return err
	}
	return s.c.Store.Delete(ctx, key)
}

// Sweep forgets what has lain in the bin for long.
func (s *Service) Sweep(ctx context.Context) error {
	list, err := s.c.Store.Trashed(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, seg := range list {
		if s.c.Clock.Now().Sub(seg.DeletedAt) > BinDays*24*time.Hour {
			failed = append(failed, s.c.Store.Delete(ctx, seg.Key))
		}
	}
	return errors.Join(failed...)
}

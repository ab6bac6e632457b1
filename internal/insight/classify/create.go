package classify

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Create stores a new classification and sorts everyone into its classes. Its key must not be taken; the caller makes sure that no other
// trait has it.
func (s *Service) Create(ctx context.Context, c Classification) (Classification, error) {
	if err := may(ctx, access.ClassificationEdit); err != nil {
		return Classification{}, err
	}
	if !keyShape.MatchString(c.Key) {
		return Classification{}, fault.InvalidField("classify.bad_key", "key", nil)
	}
	_, ok, err := s.c.Store.Find(ctx, c.Key)
	if err != nil {
		return Classification{}, err
	}
	if ok {
		return Classification{}, fault.New(fault.Conflict, "classify.key_taken", fault.Params{"key": c.Key})
	}
	c.Version = 0
	if err := s.validate(ctx, c); err != nil {
		return Classification{}, err
	}
	return s.save(ctx, c, "created")
}

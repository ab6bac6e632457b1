package mass

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Shred removes the kept files of exports of some objects, with their keys, and says how many. It belongs to the program alone.
func (s *Service) Shred(ctx context.Context, objects []string) (int, error) {
	if access.From(ctx).Kind != access.BySystem {
		return 0, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.PrivacyManage)})
	}
	n := 0
	for before := id.ID(0); ; {
		jobs, err := s.cfg.Store.ListJobs(ctx, Filter{Kind: Export, Statuses: []Status{Done}, Before: before, Limit: 200})
		if err != nil || len(jobs) == 0 {
			return n, err
		}
		before = jobs[len(jobs)-1].ID
		for _, j := range jobs {
			if j.State.Gone || !slices.Contains(objects, j.Object) {
				continue
			}
			if err := s.files.remove(j.ID); err != nil {
				return n, err
			}
			j.State.Gone, j.State.Key = true, nil
			if err := s.cfg.Store.SaveJob(ctx, j, Done); err != nil {
				return n, err
			}
			s.publish(j)
			n++
		}
	}
}

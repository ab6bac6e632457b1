package rights

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// SharePrefix is the prefix of printed ids of shares.
const SharePrefix = "shr"

// Shares are whom a record is shared with, oldest first, for whoever sees the record.
func (s *Service) Shares(ctx context.Context, object string, rec id.ID) ([]Share, error) {
	if err := s.reaches(ctx, object, rec, access.Read); err != nil {
		return nil, err
	}
	return s.cfg.Store.Shares(ctx, object, rec)
}

// Share shares a record with a person, a team or a department, or changes how it is shared.
func (s *Service) Share(ctx context.Context, x Share) (Share, error) {
	actions := []access.Action{access.Read, access.Share}
	if x.Writes { // nobody gives what they do not have
		actions = append(actions, access.Update)
	}
	if err := s.reaches(ctx, x.Object, x.Record, actions...); err != nil {
		return Share{}, err
	}
	now := s.cfg.Clock.Now()
	if !x.Until.IsZero() && !x.Until.After(now) {
		return Share{}, fault.InvalidField("rights.until_past", "until", nil)
	}
	switch x.Kind {
	case Person:
		if _, err := s.cfg.People.Member(ctx, x.Grantee); err != nil {
			return Share{}, fault.InvalidField("rights.person_unknown", "to", nil)
		}
	case Team, Department:
		_, u, err := s.unit(ctx, x.Grantee)
		if err != nil || u.Kind != x.Kind {
			return Share{}, fault.InvalidField("rights.unit_unknown", "to", nil)
		}
	default:
		return Share{}, fault.InvalidField("rights.share_kind", "kind", nil)
	}
	x.ID, x.CreatedAt, x.CreatedBy = s.cfg.IDs.Next(), now, access.From(ctx).Person
	if err := s.cfg.Store.PutShare(ctx, x, MaxShares); err != nil {
		return Share{}, err
	}
	detail := map[string]any{"kind": string(x.Kind), "to": s.print(x), "writes": x.Writes}
	if !x.Until.IsZero() {
		detail["until"] = x.Until.UTC()
	}
	return x, s.changed(ctx, "share.create", x.Object, x.Record, detail)
}

// Unshare ends one.
func (s *Service) Unshare(ctx context.Context, object string, rec, share id.ID) error {
	if err := s.reaches(ctx, object, rec, access.Read, access.Share); err != nil {
		return err
	}
	if err := s.cfg.Store.DeleteShare(ctx, object, rec, share); err != nil {
		return err
	}
	return s.changed(ctx, "share.delete", object, rec, map[string]any{"share": id.Format(SharePrefix, share)})
}

// print is the printed id of whom something is shared with.
func (s *Service) print(x Share) string {
	if x.Kind == Person {
		return id.Format("usr", x.Grantee)
	}
	return id.Format(UnitPrefix, x.Grantee)
}

// reaches refuses an actor that does not reach a record by all of the actions: NotFound when it does not see it.
func (s *Service) reaches(ctx context.Context, object string, rec id.ID, actions ...access.Action) error {
	may, err := s.cfg.Records().Reaches(ctx, object, rec, actions...)
	if err != nil {
		return err
	}
	for _, x := range actions {
		switch {
		case may[x]:
		case x == access.Read:
			obj := s.cfg.Registry().Object(object)
			return fault.New(fault.NotFound, "record.not_found", fault.Params{"object": object, "label": obj.Label, "id": id.Format(obj.Prefix, rec)})
		default:
			return fault.New(fault.Forbidden, "record.out_of_reach", fault.Params{"object": object, "right": string(x.Right())})
		}
	}
	return nil
}

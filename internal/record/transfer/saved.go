package transfer

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
)

// SavedMapping is a mapping that was saved by name. Everybody in the workspace who imports may use it.
type SavedMapping struct {
	ID          id.ID
	Object      string
	Name        string
	Fingerprint string // of the columns that it was made for
	Mapping     mapping.Mapping
	Version     int64
	CreatedBy   id.ID
	CreatedAt   time.Time
	UpdatedAt   time.Time
	UsedAt      time.Time // zero for never
}

// maxSavedName is how many characters the name of a saved mapping may have.
const maxSavedName = 60

// Saved lists the saved mappings of an object, of all objects for "".
func (s *Service) Saved(ctx context.Context, object string) ([]SavedMapping, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	return s.cfg.Store.SavedMappings(ctx, object)
}

// savedMapping finds one; fault NotFound import.saved_not_found.
func (s *Service) savedMapping(ctx context.Context, v id.ID) (SavedMapping, error) {
	list, err := s.cfg.Store.SavedMappings(ctx, "")
	if err != nil {
		return SavedMapping{}, err
	}
	for _, m := range list {
		if m.ID == v {
			return m, nil
		}
	}
	return SavedMapping{}, fault.New(fault.NotFound, "import.saved_not_found", nil)
}

// SaveMapping saves the mapping of an import by a name. With a saved mapping of the same object and name the import's mapping takes its
// place when replace says so, else that is the fault import.saved_name_taken.
func (s *Service) SaveMapping(ctx context.Context, job id.ID, name string, replace bool) (SavedMapping, error) {
	if err := allowed(ctx); err != nil {
		return SavedMapping{}, err
	}
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > maxSavedName {
		return SavedMapping{}, fault.InvalidField("import.saved_name", "name", fault.Params{"max": maxSavedName})
	}
	j, err := s.cfg.Store.GetJob(ctx, job)
	if err != nil {
		return SavedMapping{}, err
	}
	l, err := s.looked(ctx, j)
	if err != nil {
		return SavedMapping{}, err
	}
	list, err := s.cfg.Store.SavedMappings(ctx, j.Object)
	if err != nil {
		return SavedMapping{}, err
	}
	now := s.cfg.Clock.Now()
	m := SavedMapping{ID: s.cfg.Records.NewID(), Object: j.Object, CreatedBy: access.From(ctx).ID, CreatedAt: now}
	if i := slices.IndexFunc(list, func(x SavedMapping) bool { return strings.EqualFold(x.Name, name) }); i >= 0 {
		if !replace {
			return SavedMapping{}, fault.InvalidField("import.saved_name_taken", "name", fault.Params{"name": list[i].Name})
		}
		if err := mayChange(ctx, list[i]); err != nil {
			return SavedMapping{}, err
		}
		m = list[i]
	}
	m.Name, m.Mapping, m.UpdatedAt, m.UsedAt = name, j.Mapping, now, now
	m.Mapping.Options.Disarmed = false
	m.Fingerprint = mapping.Fingerprint(j.Object, l.sample.Columns)
	m.Version++
	if err := s.cfg.Store.SaveMapping(ctx, m); err != nil {
		return SavedMapping{}, err
	}
	return m, nil
}

// mayChange lets the person who saved a mapping change it, and whoever shapes the workspace.
func mayChange(ctx context.Context, m SavedMapping) error {
	a := access.From(ctx)
	if a.ID == m.CreatedBy && a.ID != 0 || a.Can(access.SchemaManage) || a.Kind == access.BySystem {
		return nil
	}
	return fault.New(fault.Forbidden, "import.saved_not_yours", fault.Params{"name": m.Name})
}

// RenameMapping gives a saved mapping another name.
func (s *Service) RenameMapping(ctx context.Context, v id.ID, name string) (SavedMapping, error) {
	if err := allowed(ctx); err != nil {
		return SavedMapping{}, err
	}
	m, err := s.savedMapping(ctx, v)
	if err != nil {
		return m, err
	}
	if err := mayChange(ctx, m); err != nil {
		return m, err
	}
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > maxSavedName {
		return m, fault.InvalidField("import.saved_name", "name", fault.Params{"max": maxSavedName})
	}
	m.Name, m.UpdatedAt, m.Version = name, s.cfg.Clock.Now(), m.Version+1
	return m, s.cfg.Store.SaveMapping(ctx, m)
}

// DeleteMapping forgets a saved mapping. Imports that used it keep theirs.
func (s *Service) DeleteMapping(ctx context.Context, v id.ID) error {
	if err := allowed(ctx); err != nil {
		return err
	}
	m, err := s.savedMapping(ctx, v)
	if err != nil {
		return err
	}
	if err := mayChange(ctx, m); err != nil {
		return err
	}
	return s.cfg.Store.DeleteMapping(ctx, v)
}

// UseMapping gives an import that has not been started a saved mapping, as far as its file has the columns.
func (s *Service) UseMapping(ctx context.Context, job, saved id.ID) (*Import, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	m, err := s.savedMapping(ctx, saved)
	if err != nil {
		return nil, err
	}
	j, err := s.cfg.Store.GetJob(ctx, job)
	if err != nil {
		return nil, err
	}
	if j.Object != m.Object {
		return nil, fault.InvalidField("import.saved_other_object", "saved", fault.Params{"name": m.Name})
	}
	l, err := s.looked(ctx, j)
	if err != nil {
		return nil, err
	}
	next := m.Mapping.Fit(s.cfg.Registry(), j.Object, l.sample.Columns)
	if next.Empty() {
		return nil, fault.InvalidField("import.saved_no_column", "saved", fault.Params{"name": m.Name})
	}
	date := next.Format.Date
	next.Format = j.Mapping.Format
	next.Format.Date = cmp.Or(date, next.Format.Date)
	if err := s.cfg.Store.UsedMapping(ctx, saved, s.cfg.Clock.Now().UnixMilli()); err != nil {
		return nil, err
	}
	return s.set(ctx, job, next, saved)
}

// recognised is the saved mapping for files with these columns, the one used last; ok is false when there is none.
func (s *Service) recognised(ctx context.Context, object string, columns []string) (SavedMapping, bool, error) {
	list, err := s.cfg.Store.SavedMappings(ctx, object)
	if err != nil {
		return SavedMapping{}, false, err
	}
	print := mapping.Fingerprint(object, columns)
	list = slices.DeleteFunc(list, func(m SavedMapping) bool { return m.Fingerprint != print })
	if len(list) == 0 {
		return SavedMapping{}, false, nil
	}
	return slices.MaxFunc(list, func(a, b SavedMapping) int { return a.UsedAt.Compare(b.UsedAt) }), true, nil
}

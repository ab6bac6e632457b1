package record

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// SubjectKey is the data key of whom a record belongs to: its customer, or else the record itself. One that has none yet is given
// one. It is for what is kept beside the record and is to become unreadable with it. NotFound when the actor does not see the record.
func (s *Service) SubjectKey(ctx context.Context, object string, rec id.ID) (id.ID, *crypt.Key, error) {
	obj, err := s.object(ctx, object, access.RecordRead)
	if err != nil {
		return 0, nil, err
	}
	rows, err := s.readSeen(ctx, obj, []id.ID{rec}, true, access.Read)
	if err != nil {
		return 0, nil, err
	}
	if len(rows) == 0 {
		return 0, nil, notFound(obj, rec)
	}
	subject := s.shape(obj).subject(&rows[0])
	key, err := s.subjectKey(ctx, subject)
	return subject, key, err
}

// subjectKey is the data key of a subject, which is given one when it has none.
func (s *Service) subjectKey(ctx context.Context, subject id.ID) (*crypt.Key, error) {
	key, found, err := s.storedKey(ctx, subject) // not from memory: something is to be sealed with it
	if err != nil || found {
		return key, err
	}
	_, wrapped, err := s.cfg.Keys.NewKey(subject)
	if err != nil {
		return nil, err
	}
	if _, err := s.cfg.Store.Update(ctx, func(tx Tx) error {
		return tx.SavePersonKeys(ctx, map[id.ID][]byte{subject: wrapped})
	}); err != nil {
		return nil, err
	}
	return s.DataKey(ctx, subject) // another writer may have been first: what is stored counts
}

// DataKey reads the data key of a subject; Unavailable record.key_gone when it was destroyed or cannot be unwrapped.
func (s *Service) DataKey(ctx context.Context, subject id.ID) (*crypt.Key, error) {
	key, found, err := s.dataKey(ctx, subject)
	if err == nil && !found {
		err = fault.New(fault.Unavailable, "record.key_gone", nil)
	}
	return key, err
}

func (s *Service) dataKey(ctx context.Context, subject id.ID) (*crypt.Key, bool, error) {
	if key := s.cfg.Keys.Cached(subject); key != nil {
		return key, true, nil
	}
	return s.storedKey(ctx, subject)
}

// StoredKey is DataKey as it is stored now, for sealing.
func (s *Service) StoredKey(ctx context.Context, subject id.ID) (*crypt.Key, error) {
	key, found, err := s.storedKey(ctx, subject)
	if err == nil && !found {
		err = fault.New(fault.Unavailable, "record.key_gone", nil)
	}
	return key, err
}

// WrappedKey is the stored form of a subject's data key, nil without one (crypt.Keyring.Refresh).
func (s *Service) WrappedKey(ctx context.Context, subject id.ID) (wrapped []byte, err error) {
	err = s.cfg.Store.View(ctx, func(r Reader) error {
		found, err := r.PersonKeys(ctx, []id.ID{subject})
		wrapped = found[subject]
		return err
	})
	return wrapped, err
}

func (s *Service) storedKey(ctx context.Context, subject id.ID) (*crypt.Key, bool, error) {
	into := map[id.ID]*crypt.Key{}
	err := s.unwrap(ctx, []id.ID{subject}, into)
	return into[subject], into[subject] != nil, err
}

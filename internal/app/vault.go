package app

import (
	"encoding/binary"
	"errors"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// vault wraps the keys of uploaded files: each under a data key of its own, which the workspace's secret wraps.
type vault struct{ keys *crypt.Keyring }

func place(job id.ID) crypt.Place { return crypt.Place{Object: "import", Field: "file", Record: job} }

// WrapFileKey implements transfer.Vault: the length of the wrapped data key, that key, and the sealed file key.
func (v vault) WrapFileKey(raw []byte, job id.ID) ([]byte, error) {
	key, wrapped, err := v.keys.NewKey(job)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(wrapped)))
	return append(append(out, wrapped...), v.keys.Seal(key, place(job), raw)...), nil
}

// UnwrapFileKey implements transfer.Vault.
func (v vault) UnwrapFileKey(stored []byte, job id.ID) ([]byte, error) {
	if len(stored) < 2 || len(stored) < 2+int(binary.BigEndian.Uint16(stored)) {
		return nil, errors.New("the stored key of an uploaded file is damaged")
	}
	n := 2 + int(binary.BigEndian.Uint16(stored))
	key, err := v.keys.Unwrap(job, stored[2:n])
	if err != nil {
		return nil, err
	}
	return v.keys.Open(key, place(job), stored[n:])
}

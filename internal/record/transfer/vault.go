package transfer

import (
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// KeyringVault wraps the keys of stored files with the keys of a workspace.
func KeyringVault(k *crypt.Keyring) Vault { return keyringVault{k} }

type keyringVault struct{ keys *crypt.Keyring }

func filePlace(job id.ID) crypt.Place {
	return crypt.Place{Object: "import", Field: "file", Record: job}
}

// WrapFileKey implements Vault: a data key of the job, wrapped, then the file's key sealed with it.
func (v keyringVault) WrapFileKey(raw []byte, job id.ID) ([]byte, error) {
	key, wrapped, err := v.keys.NewKey(job)
	if err != nil {
		return nil, err
	}
	return append(wrapped, v.keys.Seal(key, filePlace(job), raw)...), nil
}

// UnwrapFileKey implements Vault.
func (v keyringVault) UnwrapFileKey(wrapped []byte, job id.ID) ([]byte, error) {
	if len(wrapped) <= crypt.WrappedSize {
		return nil, fault.New(fault.Internal, "import.file_locked", nil)
	}
	key, err := v.keys.Unwrap(job, wrapped[:crypt.WrappedSize])
	if err != nil {
		return nil, err
	}
	return v.keys.Open(key, filePlace(job), wrapped[crypt.WrappedSize:])
}

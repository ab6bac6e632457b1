package app

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// factorVault implements auth.Vault: the secret of each second factor is sealed under a data key of its person, which the
// program's secret wraps, and so are the secrets at providers of identities. People belong to the instance, so the keys are derived for a name that no workspace can have.
type factorVault struct{ app *App }

const instanceRing = "@instance"

func (v factorVault) ring(ctx context.Context) (*crypt.Keyring, error) {
	secrets, err := v.app.secrets(ctx)
	if err != nil {
		return nil, err
	}
	return crypt.New(instanceRing, secrets...)
}

func factorPlace(user id.ID) crypt.Place {
	return crypt.Place{Object: "factor", Field: "secret", Record: user}
}

// Seal implements auth.Vault: the length of the wrapped data key, that key, and the sealed secret.
func (v factorVault) Seal(ctx context.Context, user id.ID, secret []byte) ([]byte, error) {
	ring, err := v.ring(ctx)
	if err != nil {
		return nil, err
	}
	key, wrapped, err := ring.NewKey(user)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(wrapped)))
	return append(append(out, wrapped...), ring.Seal(key, factorPlace(user), secret)...), nil
}

// Open implements auth.Vault.
func (v factorVault) Open(ctx context.Context, user id.ID, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || len(sealed) < 2+int(binary.BigEndian.Uint16(sealed)) {
		return nil, errors.New("the stored secret of a second factor is damaged")
	}
	ring, err := v.ring(ctx)
	if err != nil {
		return nil, err
	}
	n := 2 + int(binary.BigEndian.Uint16(sealed))
	key, err := ring.Unwrap(user, sealed[2:n])
	if err != nil {
		return nil, err
	}
	return ring.Open(key, factorPlace(user), sealed[n:])
}

package app

import (
	"context"
	"encoding/json"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// identityVault keeps personal identifiers.
type identityVault struct{ w *workspace }

func (w *workspace) identityVault() identityVault { return identityVault{w} }

// identifierPlace is where a personal identifier stands.
func identifierPlace() crypt.Place { return crypt.Place{Object: "identifier", Field: "value"} }

// Open implements identity.Vault and person.Vault.
func (v identityVault) Open(_ context.Context, raw json.RawMessage) (string, error) {
	var m struct {
		Sealed string `json:"$sealed"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Sealed == "" {
		return "", fault.New(fault.Internal, "crypt.value_format", nil)
	}
	return v.w.ring.OpenText(traitPlace(), m.Sealed)
}

// Seal implements identity.Vault.
func (v identityVault) Seal(_ context.Context, text string) (string, error) {
	return v.w.ring.SealText(identifierPlace(), text)
}

// Unseal implements identity.Vault.
func (v identityVault) Unseal(_ context.Context, sealed string) (string, error) {
	return v.w.ring.OpenText(identifierPlace(), sealed)
}

// Index implements identity.Vault and person.Vault. It is made with the key that stays, so that changing keys moves no identifier.
func (v identityVault) Index(namespace, normalised string) string {
	return v.w.ring.Fixed("identity."+namespace, normalised)
}

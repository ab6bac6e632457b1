package crypt

import (
	"encoding/base64"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// SealText encrypts a value that belongs to no subject yet, an event's personal trait say, under a data key of its own that goes with it:
// base64url of the wrapped key and the sealed value, 113 bytes longer than the value before base64. It opens as long as one of the
// secrets of the keyring is the one that it was wrapped with.
func (k *Keyring) SealText(at Place, plaintext string) (string, error) {
	key, wrapped, err := k.NewKey(0)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(wrapped, k.Seal(key, at, []byte(plaintext))...)), nil
}

// OpenText decrypts what SealText made for the same place.
func (k *Keyring) OpenText(at Place, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < WrappedSize+Overhead {
		return "", fault.New(fault.Internal, "crypt.value_format", nil)
	}
	plain, _, err := k.open(0, raw[:WrappedSize])
	if err != nil {
		return "", err
	}
	aead, err := NewAEAD(plain)
	if err != nil {
		return "", err
	}
	value, err := k.Open(&Key{aead: aead}, at, raw[WrappedSize:])
	return string(value), err
}

// RewrapText wraps the key of what SealText made with the current secret; changed is false when it already is.
func (k *Keyring) RewrapText(sealed string) (out string, changed bool, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < WrappedSize+Overhead {
		return sealed, false, fault.New(fault.Internal, "crypt.value_format", nil)
	}
	wrapped, changed, err := k.Rewrap(0, raw[:WrappedSize])
	if err != nil || !changed {
		return sealed, false, err
	}
	return base64.RawURLEncoding.EncodeToString(append(wrapped, raw[WrappedSize:]...)), true, nil
}

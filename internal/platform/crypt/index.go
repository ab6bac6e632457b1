package crypt

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"slices"
	"sync"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// index is one key of the blind index and of the search tokens.
type index struct {
	generation   int64
	blind, token *sync.Pool // of hash.Hash
}

// Index is a stored index key. Generation 0 comes from the key file and has no stored form.
type Index struct {
	Generation int64
	Wrapped    []byte
}

func (k *Keyring) indexOf(generation int64, secret []byte) (index, error) {
	x := index{generation: generation, blind: &sync.Pool{}, token: &sync.Pool{}}
	if err := k.pool(secret, "blind", x.blind); err != nil {
		return x, err
	}
	return x, k.pool(secret, "token", x.token)
}

// indexSubject keeps the wrapped form of an index key from being taken for a person's: no person has such an id.
func indexSubject(generation int64) id.ID { return id.ID(generation) }

// NewIndex makes the stored form of a fresh index key. SetIndexes puts it to use.
func (k *Keyring) NewIndex(generation int64) Index {
	var raw [keySize]byte
	k.random.read(raw[:])
	defer clear(raw[:])
	return Index{Generation: generation, Wrapped: k.wrap(indexSubject(generation), raw[:])}
}

// SetIndexes says which index keys are in use. The newest is what is written with.
func (k *Keyring) SetIndexes(list ...Index) error {
	if len(list) == 0 {
		return fault.New(fault.Internal, "crypt.no_index", nil)
	}
	out := make([]index, 0, len(list))
	for _, x := range list {
		if x.Generation == 0 {
			out = append(out, k.first)
			continue
		}
		raw, _, err := k.open(indexSubject(x.Generation), x.Wrapped)
		if err != nil {
			return err
		}
		one, err := k.indexOf(x.Generation, raw)
		clear(raw)
		if err != nil {
			return err
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b index) int { return int(b.generation - a.generation) })
	k.indexes.Store(&out)
	return nil
}

// Generations are the oldest and the newest index key in use.
func (k *Keyring) Generations() (oldest, newest int64) {
	list := *k.indexes.Load()
	return list[len(list)-1].generation, list[0].generation
}

// Turning reports that one index key follows another: values stand under either.
func (k *Keyring) Turning() bool { return len(*k.indexes.Load()) > 1 }

func (x *index) blinded(class, normalised string) string {
	var b [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(sum(x.blind, b[:0], class, normalised)[:16])
}

// Blind is the blind index of a normalised value: 22 characters of unpadded base64url, equal for equal values of one
// class within the workspace.
func (k *Keyring) Blind(class, normalised string) string {
	return (*k.indexes.Load())[0].blinded(class, normalised)
}

// Blinds are all that a stored value may have as its blind index, the newest first: one, two while the index key changes.
func (k *Keyring) Blinds(class, normalised string) []string {
	list := *k.indexes.Load()
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].blinded(class, normalised)
	}
	return out
}

// Fixed is made like Blind with the first index key, and stays what it is for good.
func (k *Keyring) Fixed(class, name string) string { return k.first.blinded(class, name) }

// tokens are lower case, because search engines fold case.
var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (x *index) tokened(s string) string {
	var b [sha256.Size]byte
	return "x" + tokenText.EncodeToString(sum(x.token, b[:0], s)[:10])
}

// Token is the keyed search token of a personal text: "x" and 16 lower-case letters and digits (80 bits).
func (k *Keyring) Token(s string) string { return (*k.indexes.Load())[0].tokened(s) }

// Tokens are all that a text may stand under in a search index, the newest first.
func (k *Keyring) Tokens(s string) []string {
	list := *k.indexes.Load()
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].tokened(s)
	}
	return out
}

package crypt_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

func ringOf(t *testing.T, secrets ...string) *crypt.Keyring {
	t.Helper()
	var raw [][]byte
	for _, s := range secrets {
		raw = append(raw, bytes.Repeat([]byte(s), 32))
	}
	k, err := crypt.New("main", raw...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// While one index key follows another a value stands under both; afterwards under the newest alone, and what is fixed stays.
func TestIndexKeysFollowEachOther(t *testing.T) {
	t.Parallel()
	k := ringOf(t, "a")
	first, token, fixed := k.Blind("phone", "+8613800000000"), k.Token("phone|0000"), k.Fixed("mail", "a@b.c")
	x := k.NewIndex(1)
	if err := k.SetIndexes(crypt.Index{}, x); err != nil {
		t.Fatal(err)
	}
	all, tokens := k.Blinds("phone", "+8613800000000"), k.Tokens("phone|0000")
	if oldest, newest := k.Generations(); !k.Turning() || oldest != 0 || newest != 1 {
		t.Errorf("generations %d to %d", oldest, newest)
	}
	if len(all) != 2 || all[0] == first || all[1] != first || all[0] != k.Blind("phone", "+8613800000000") || len(tokens) != 2 || tokens[1] != token || tokens[0] == token {
		t.Errorf("%v %v", all, tokens)
	}
	if err := k.SetIndexes(x); err != nil {
		t.Fatal(err)
	}
	if now := k.Blinds("phone", "+8613800000000"); k.Turning() || !slices.Equal(now, all[:1]) || k.Fixed("mail", "a@b.c") != fixed {
		t.Errorf("%v", now)
	}
	// The stored form opens with the secret alone, and with one that came later only once it is wrapped anew.
	other := ringOf(t, "b", "a")
	if err := other.SetIndexes(x); err != nil || other.Blind("phone", "+8613800000000") != all[0] {
		t.Errorf("under a newer secret: %v", err)
	}
	if err := ringOf(t, "b").SetIndexes(x); err == nil {
		t.Error("opened without the secret")
	}
	again, changed, err := other.Rewrap(id.ID(1), x.Wrapped)
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	if err := ringOf(t, "b").SetIndexes(crypt.Index{Generation: 1, Wrapped: again}); err != nil {
		t.Error(err)
	}
	if err := k.SetIndexes(crypt.Index{Generation: 2, Wrapped: x.Wrapped}); err == nil {
		t.Error("a key was taken for another generation")
	}
}

// With a pair of keys either opens and the newer seals; a key kept in memory is read again when it does not open what another process wrote.
func TestPairsOfDataKeys(t *testing.T) {
	t.Parallel()
	k := ringOf(t, "a")
	at := crypt.Place{Object: "customer", Field: "phone", Record: 7}
	old, wrapped, err := k.NewKey(7)
	if err != nil {
		t.Fatal(err)
	}
	sealed := k.Seal(old, at, []byte("13800000000"))
	_, fresh, err := k.NewKey(7)
	if err != nil {
		t.Fatal(err)
	}
	both, err := k.Unwrap(7, append(bytes.Clone(fresh), wrapped...))
	if err != nil {
		t.Fatal(err)
	}
	if plain, current, err := k.Inspect(both, at, sealed); err != nil || current || string(plain) != "13800000000" {
		t.Errorf("%q %v %v", plain, current, err)
	}
	anew := k.Seal(both, at, []byte("13800000000"))
	if _, current, err := k.Inspect(both, at, anew); err != nil || !current {
		t.Errorf("%v %v", current, err)
	}
	if _, err := k.Open(old, at, anew); err == nil {
		t.Error("the former key opens what the newer sealed")
	}
	k.Refresh(func(subject id.ID) ([]byte, error) {
		if subject != 7 {
			t.Errorf("asked for %d", subject)
		}
		return fresh, nil
	})
	if plain, err := k.Open(old, at, anew); err != nil || string(plain) != "13800000000" {
		t.Errorf("after reading again: %q %v", plain, err)
	}
	if _, err := k.Open(both, at, sealed); err != nil { // kept by whoever holds the pair
		t.Error(err)
	}
	k.ForgetAll()
	if k.Cached(7) != nil {
		t.Error("still in memory")
	}
}

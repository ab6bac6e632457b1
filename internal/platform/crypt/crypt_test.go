package crypt_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

func secret(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func ring(t testing.TB, workspace string, secrets ...[]byte) *crypt.Keyring {
	t.Helper()
	k, err := crypt.New(workspace, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func unwrap(t testing.TB, k *crypt.Keyring, subject id.ID, wrapped []byte) *crypt.Key {
	t.Helper()
	key, err := k.Unwrap(subject, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var here = crypt.Place{Object: "customer", Field: "phone", Record: 7}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	k := ring(t, "main", secret(1))
	key, wrapped, err := k.NewKey(7)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrapped) != crypt.WrappedSize {
		t.Errorf("a wrapped key has %d bytes, not %d", len(wrapped), crypt.WrappedSize)
	}
	for _, text := range []string{"", "+8613812341234", strings.Repeat("浙", 1000)} {
		sealed := k.Seal(key, here, []byte(text))
		if len(sealed) != len(text)+crypt.Overhead {
			t.Errorf("%d bytes became %d", len(text), len(sealed))
		}
		if len(text) > 0 && bytes.Contains(sealed, []byte(text)) {
			t.Error("the ciphertext holds the plaintext")
		}
		// Another process, which knows the stored key only.
		other := ring(t, "main", secret(1))
		got, err := other.Open(unwrap(t, other, 7, wrapped), here, sealed)
		if err != nil || string(got) != text {
			t.Errorf("opened %q, %v; want %q", got, err, text)
		}
	}
	if a, b := k.Seal(key, here, []byte("x")), k.Seal(key, here, []byte("x")); bytes.Equal(a, b) {
		t.Error("two ciphertexts of one value are equal")
	}
}

// Whatever is changed about a value, its place or its key, it does not open.
func TestTamper(t *testing.T) {
	t.Parallel()
	k := ring(t, "main", secret(1))
	key, wrapped, _ := k.NewKey(7)
	sealed := k.Seal(key, here, []byte("+8613812341234"))
	for i := range sealed {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(sealed)
			bad[i] ^= bit
			if got, err := k.Open(key, here, bad); err == nil {
				t.Fatalf("with byte %d changed it opened as %q", i, got)
			}
		}
	}
	for n := range len(sealed) {
		if _, err := k.Open(key, here, sealed[:n]); err == nil {
			t.Fatalf("%d of %d bytes opened", n, len(sealed))
		}
	}
	for _, at := range []crypt.Place{{"contact", "phone", 7}, {"customer", "email", 7}, {"customer", "phone", 8}, {"customer|phone", "", 7}} {
		if _, err := k.Open(key, at, sealed); err == nil {
			t.Errorf("opened at %v", at)
		}
	}
	stranger, _, _ := k.NewKey(8)
	if _, err := k.Open(stranger, here, sealed); err == nil {
		t.Error("opened with the key of another subject")
	}
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 1
		if _, err := ring(t, "main", secret(1)).Unwrap(7, bad); err == nil {
			t.Fatalf("a wrapped key with byte %d changed was unwrapped", i)
		}
	}
	for name, f := range map[string]func() error{
		"another subject":   func() error { _, err := ring(t, "main", secret(1)).Unwrap(8, wrapped); return err },
		"another workspace": func() error { _, err := ring(t, "other", secret(1)).Unwrap(7, wrapped); return err },
		"another secret":    func() error { _, err := ring(t, "main", secret(2)).Unwrap(7, wrapped); return err },
		"half a key":        func() error { _, err := ring(t, "main", secret(1)).Unwrap(7, wrapped[:40]); return err },
	} {
		if f() == nil {
			t.Errorf("unwrapped for %s", name)
		}
	}
	// The same secret in another workspace makes other keys altogether.
	elsewhere := ring(t, "other", secret(1))
	ekey, _, _ := elsewhere.NewKey(7)
	if _, err := elsewhere.Open(ekey, here, sealed); err == nil {
		t.Error("opened in another workspace")
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	before := ring(t, "main", secret(1))
	key, wrapped, _ := before.NewKey(7)
	sealed := before.Seal(key, here, []byte("hello"))
	after := ring(t, "main", secret(2), secret(1))
	again, changed, err := after.Rewrap(7, wrapped)
	if err != nil || !changed || bytes.Equal(again, wrapped) {
		t.Fatalf("rewrapped %v, %v", changed, err)
	}
	if same, changed, err := after.Rewrap(7, again); err != nil || changed || !bytes.Equal(same, again) {
		t.Errorf("rewrapped twice: %v, %v", changed, err)
	}
	// Old and new wrapping open the value; the new one does not open with the old secret alone.
	for _, w := range [][]byte{wrapped, again} {
		fresh := ring(t, "main", secret(2), secret(1))
		if got, err := fresh.Open(unwrap(t, fresh, 7, w), here, sealed); err != nil || string(got) != "hello" {
			t.Errorf("opened %q, %v", got, err)
		}
	}
	if _, err := ring(t, "main", secret(1)).Unwrap(7, again); err == nil || fault.CodeOf(err) != "crypt.key_unknown" {
		t.Errorf("the old secret unwrapped a new key: %v", err)
	}
	// What is stored in indexes stays.
	if before.Blind("phone", "+8613812341234") != after.Blind("phone", "+8613812341234") || before.Token("1234") != after.Token("1234") {
		t.Error("rotation changed the blind index or the tokens")
	}
}

func TestBlindAndToken(t *testing.T) {
	t.Parallel()
	k, other := ring(t, "main", secret(1)), ring(t, "other", secret(1))
	b := k.Blind("phone", "+8613812341234")
	if len(b) != 22 || strings.ContainsAny(b, "+/=") {
		t.Errorf("blind index %q", b)
	}
	for what, x := range map[string]string{"another value": k.Blind("phone", "+8613812341235"), "another class": k.Blind("email", "+8613812341234"),
		"another workspace": other.Blind("phone", "+8613812341234"), "shifted": k.Blind("phone+", "8613812341234")} {
		if x == b {
			t.Errorf("the same index for %s", what)
		}
	}
	if k.Blind("phone", "+8613812341234") != b {
		t.Error("the index is not stable")
	}
	long := strings.Repeat("长", 500)
	if first, again := k.Token(long), k.Token(long); first == k.Token(long+"x") || first != again {
		t.Error("tokens of long texts")
	}
	tok := k.Token("1234")
	if len(tok) != 17 || tok != strings.ToLower(tok) || tok[0] != 'x' {
		t.Errorf("token %q", tok)
	}
	if tok == other.Token("1234") {
		t.Error("the same token in another workspace")
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	k := ring(t, "main", secret(1))
	signed := k.Sign([]byte("page 2"))
	if got, ok := k.Verify(signed); !ok || string(got) != "page 2" {
		t.Fatalf("verified %q, %v", got, ok)
	}
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 4
		if _, ok := k.Verify(bad); ok {
			t.Fatalf("verified with byte %d changed", i)
		}
	}
	if _, ok := ring(t, "other", secret(1)).Verify(signed); ok {
		t.Error("verified in another workspace")
	}
	if _, ok := k.Verify([]byte("short")); ok {
		t.Error("verified less than a signature")
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.key")
	if _, err := crypt.ReadFile(path); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a missing file: %v", err)
	}
	if err := crypt.CreateFile(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	text, _ := os.ReadFile(path)
	if err := crypt.CreateFile(path); fault.CodeOf(err) != "crypt.key_file_exists" {
		t.Errorf("created over an existing file: %v", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, text) {
		t.Error("the existing file was changed")
	}
	secrets, err := crypt.ReadFile(path)
	if err != nil || len(secrets) != 1 || len(secrets[0]) != 32 {
		t.Fatalf("read %d secrets, %v", len(secrets), err)
	}
	rotated, err := crypt.ParseSecrets(crypt.NewSecret() + "# older\n" + string(text))
	if err != nil || len(rotated) != 2 || !bytes.Equal(rotated[1], secrets[0]) {
		t.Errorf("a rotated file: %d secrets, %v", len(rotated), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := crypt.ReadFile(path); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a file that others can read: %v", err)
	}
	for _, bad := range []string{"", "guanxi-key-1 !!!", "guanxi-key-1 c2hvcnQ=\n", "# nothing\n"} {
		if _, err := crypt.ParseSecrets(bad); fault.CodeOf(err) != "crypt.key_file" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := crypt.New("main"); err == nil {
		t.Error("a keyring without a secret")
	}
	if _, err := crypt.New("main", []byte("short")); err == nil {
		t.Error("a keyring of a short secret")
	}
}

// The cache is bounded, forgets on demand, and never stands in for what a caller unwraps first.
func TestCache(t *testing.T) {
	t.Parallel()
	k := ring(t, "main", secret(1))
	const n = 40_000
	wrapped := map[id.ID][]byte{}
	for v := id.ID(1); v <= n; v++ {
		_, w, err := k.NewKey(v)
		if err != nil {
			t.Fatal(err)
		}
		if k.Cached(v) != nil {
			t.Fatal("a key that is not stored yet is in memory")
		}
		wrapped[v] = w
		unwrap(t, k, v, w)
	}
	held := 0
	for v := id.ID(1); v <= n; v++ {
		if k.Cached(v) != nil {
			held++
		}
	}
	if held == 0 || held > 16_384 {
		t.Errorf("%d keys in memory", held)
	}
	if k.Cached(n) == nil {
		t.Error("the newest key is not in memory")
	}
	k.Forget(n)
	if k.Cached(n) != nil {
		t.Error("a forgotten key is in memory")
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	k := ring(t, "main", secret(1))
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				v := id.ID(g*1000 + i + 1)
				key, w, err := k.NewKey(v)
				if err == nil {
					at := crypt.Place{Object: "customer", Field: "phone", Record: v}
					var got []byte
					got, err = k.Open(key, at, k.Seal(key, at, []byte(fmt.Sprint(v))))
					if err == nil && string(got) != fmt.Sprint(v) {
						err = errors.New("another value came back")
					}
					if _, uerr := k.Unwrap(v, w); uerr != nil {
						err = uerr
					}
					if first, again := k.Blind("phone", fmt.Sprint(v)), k.Blind("phone", fmt.Sprint(v)); first != again {
						err = errors.New("the blind index is not stable")
					}
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Test cases 13 to 16 of the GCM specification (McGrew and Viega), AES-256 with 96-bit nonces,
// through the cipher that the package seals with.
func TestVectors(t *testing.T) {
	t.Parallel()
	const key16 = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
	const text16 = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
	zero := strings.Repeat("00", 32)
	for _, v := range []struct{ key, nonce, plain, aad, out string }{
		{zero, strings.Repeat("00", 12), "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
		{zero, strings.Repeat("00", 12), strings.Repeat("00", 16), "", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
		{key16, "cafebabefacedbaddecaf888", text16 + "1aafd255", "",
			"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad" +
				"b094dac5d93471bdec1a502270e3cc6c"},
		{key16, "cafebabefacedbaddecaf888", text16, "feedfacedeadbeeffeedfacedeadbeefabaddad2",
			"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
				"76fc6ece0f4e1768cddf8853bb2d551b"},
	} {
		aead, err := crypt.NewAEAD(unhex(t, v.key))
		if err != nil {
			t.Fatal(err)
		}
		got := aead.Seal(nil, unhex(t, v.nonce), unhex(t, v.plain), unhex(t, v.aad))
		if hex.EncodeToString(got) != v.out {
			t.Errorf("sealed %x, want %s", got, v.out)
		}
		if back, err := aead.Open(nil, unhex(t, v.nonce), got, unhex(t, v.aad)); err != nil || hex.EncodeToString(back) != v.plain {
			t.Errorf("opened %x, %v", back, err)
		}
	}
}

// One customer of an import: a new key and three values with their blind indexes.
func BenchmarkCustomer(b *testing.B) {
	k := ring(b, "main", secret(1))
	b.ReportAllocs()
	v := id.ID(1)
	for b.Loop() {
		v++
		key, _, err := k.NewKey(v)
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range [...]string{"phone", "email", "id_number"} {
			k.Seal(key, crypt.Place{Object: "customer", Field: f, Record: v}, []byte("+8613812341234"))
			k.Blind(f, "+8613812341234")
		}
	}
}

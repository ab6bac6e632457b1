package crypt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// TestAddSecret: the new secret stands first, the old ones stay, and nothing is left beside the file.
func TestAddSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.key")
	if err := crypt.AddSecret(path); fault.CodeOf(err) != "crypt.key_file_missing" {
		t.Errorf("without a file: %v", err)
	}
	if err := crypt.CreateFile(path); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := crypt.AddSecret(path); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(after), string(before)) || strings.Count(string(after), "\n") != 2 {
		t.Errorf("%q became %q", before, after)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

// TestRenew: a keyring takes over newer secrets while it is used, by itself when it meets a key that one of them wrapped.
func TestRenew(t *testing.T) {
	t.Parallel()
	old, fresh := []byte(strings.Repeat("o", 32)), []byte(strings.Repeat("n", 32))
	ring, err := crypt.New("main", old)
	if err != nil {
		t.Fatal(err)
	}
	later, err := crypt.New("main", fresh, old)
	if err != nil {
		t.Fatal(err)
	}
	_, wrapped, err := later.NewKey(7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Unwrap(7, wrapped); fault.CodeOf(err) != "crypt.key_unknown" {
		t.Errorf("a secret that is not there opened: %v", err)
	}
	asked := 0
	ring.Source(func() ([][]byte, error) { asked++; return [][]byte{fresh, old}, nil })
	if _, err := ring.Unwrap(7, wrapped); err != nil || asked != 1 {
		t.Errorf("%v after asking %d times", err, asked)
	}
	_, first, err := ring.NewKey(8)
	if err != nil {
		t.Fatal(err)
	}
	if _, changed, err := ring.Rewrap(8, first); changed || err != nil {
		t.Errorf("wrapped by the secret of before: %v %v", changed, err)
	}
	if ring.Blind("phone", "x") != later.Blind("phone", "x") || ring.Suppression("phone", "x") != later.Suppression("phone", "x") {
		t.Error("the index depends on the newer secret")
	}
	if ring.Suppression("phone", "x") == ring.Blind("phone", "x") {
		t.Error("a suppression tells the index")
	}
	if err := ring.Renew(); fault.CodeOf(err) != "crypt.no_secret" {
		t.Errorf("no secret at all: %v", err)
	}
}

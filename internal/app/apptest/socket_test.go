package apptest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/app"
)

// TestADataDirectoryWithALongName: a socket's path has a limit of some hundred bytes, a data directory has none.
func TestADataDirectoryWithALongName(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.dir = filepath.Join(m.dir, strings.Repeat("很长的目录", 12), "data")
	temp := t.TempDir() // long too, as it is on some systems
	m.env = []string{"TMPDIR=" + temp, "XDG_RUNTIME_DIR="}
	m.setup("Asia/Shanghai", "CNY").start()
	address := filepath.Join(m.dir, app.AddressName)
	raw, err := os.ReadFile(address)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimSpace(string(raw))
	for name, want := range map[string]os.FileMode{address: 0o600, path: 0o600 | os.ModeSocket, filepath.Dir(path): 0o700 | os.ModeDir} {
		if info, err := os.Lstat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	if len(path) > 103 {
		t.Errorf("the socket's path has %d bytes", len(path))
	}
	var r rec
	m.env = nil // a command is found by the address, whatever its own surroundings
	m.ok(&r, "record", "create", "customer", "--set", "name=甲")
	if got := read[rec](m.client(), "GET", "/records/customer/"+r.ID, ""); got.Fields["name"] != "甲" {
		t.Errorf("the server has %+v", got)
	}
	m.stop()
	for _, name := range []string{address, path} {
		if _, err := os.Lstat(name); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	m.ok(&r, "record", "create", "customer", "--set", "name=乙")
}

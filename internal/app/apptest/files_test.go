package apptest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// contents are the paths of stored files.
func contents(m *machine) (out []string) {
	m.Helper()
	err := filepath.WalkDir(filepath.Join(m.dir, "workspaces"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (strings.Contains(p, "/files/") || strings.Contains(p, "/uploads/")) {
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		m.Fatal(err)
	}
	return out
}

// TestFilesSurvive: what was acknowledged is there after a crash and in a backup; what a crash left between content and row, or half
// uploaded, is removed at the next start; the doctor misses lost content.
func TestFilesSurvive(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY").start()
	c := m.client()
	customer := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"王小姐"}}`)
	const words = "合同第一条"
	a, err := c.ask("POST", "/records/customer/"+customer.ID+"/files?name=contract.txt", "application/octet-stream", strings.NewReader(words))
	if err != nil {
		t.Fatal(err)
	}
	c.want(201, a)
	list := read[struct{ Items []struct{ ID string } }](c, "GET", "/records/customer/"+customer.ID+"/files", "")
	kept := contents(m)
	if len(list.Items) != 1 || len(kept) != 1 {
		t.Fatalf("%v %v", list, kept)
	}
	same := func(c *client) {
		t.Helper()
		if got := c.do("GET", "/files/"+list.Items[0].ID+"/content", ""); string(got.body) != words {
			t.Errorf("%d %q", got.status, got.body)
		}
	}
	same(c)
	m.kill()
	raw, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), words) {
		t.Error("the content lies there in the clear")
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(kept[0]))))
	orphan := filepath.Join(root, "files", "aa", "bb", "xaabb234567")
	if err := os.MkdirAll(filepath.Dir(orphan), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{orphan, filepath.Join(root, "uploads", "upload-1")} {
		if err := os.WriteFile(p, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c = m.start().client()
	same(c)
	eventually(t, "what the crash left is gone", time.Minute, func() bool { return len(contents(m)) == 1 })

	word := filepath.Join(filepath.Dir(m.dir), "word")
	if err := os.WriteFile(word, []byte("a passphrase of some length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(m.dir), "backup.guanxi")
	m.ok(&struct{}{}, "backup", file, "--passphrase-file", word)
	m.stop()
	doctor(m, true)
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	if out := doctor(m, false); !strings.Contains(out, "1 of 1 files") {
		t.Errorf("%s", out)
	}

	back := newMachine(t)
	if code, out, errs := back.command("", "restore", file, "--passphrase-file", word); code != 0 {
		t.Fatalf("restore: %d %s %s", code, out, errs)
	}
	back.key = m.key
	same(back.start().client())
	back.stop()
	doctor(back, true)
}

package apptest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFieldFilesSurvive: an upload that was acknowledged is there after a crash and can still be saved; what was saved is whole, with its
// small picture; content of an upload that the crash met before its row goes at the next start; a backup holds both.
func TestFieldFilesSurvive(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY").start()
	c := m.client()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 900, 300))); err != nil {
		t.Fatal(err)
	}
	upload := func(name string) string {
		t.Helper()
		a, err := c.ask("POST", "/records/product/fields/images/files?name="+name, "application/octet-stream", bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ ID string }
		c.want(201, a)
		if err := json.Unmarshal(a.body, &f); err != nil {
			t.Fatal(err)
		}
		return f.ID
	}
	saved, waiting := upload("front.png"), upload("back.png")
	product := read[rec](c, "POST", "/records/product", fmt.Sprintf(`{"fields":{"name":"星河","images":[%q]}}`, saved))
	m.kill()
	kept := contents(m)
	if len(kept) != 4 {
		t.Fatalf("%v", kept)
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(kept[0]))))
	for _, p := range []string{filepath.Join(root, "uploads", "upload-9"), filepath.Join(filepath.Dir(kept[0]), "x"+filepath.Base(kept[0])[1:5]+"999999")} {
		if err := os.WriteFile(p, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c = m.start().client()
	eventually(t, "what the crash left is gone", time.Minute, func() bool { return len(contents(m)) == 4 })
	whole := func(c *client, file string) {
		t.Helper()
		if got := c.do("GET", "/files/"+file+"/content", ""); got.status != 200 || !bytes.Equal(got.body, b.Bytes()) {
			t.Errorf("%d, %d bytes", got.status, len(got.body))
		}
		small := c.do("GET", "/files/"+file+"/thumbnail", "")
		if m, _, err := image.DecodeConfig(bytes.NewReader(small.body)); err != nil || m.Width != 480 || m.Height != 160 {
			t.Errorf("%d %v %+v", small.status, err, m)
		}
	}
	whole(c, saved)
	c.want(200, c.with("If-Match", "*").do("PATCH", "/records/product/"+product.ID, fmt.Sprintf(`{"fields":{"images":[%q,%q]}}`, waiting, saved)))
	m.kill()
	c = m.start().client()
	got := read[rec](c, "GET", "/records/product/"+product.ID, "")
	if list, _ := got.Fields["images"].([]any); len(list) != 2 {
		t.Fatalf("%v", got.Fields["images"])
	}
	whole(c, waiting)

	word := filepath.Join(filepath.Dir(m.dir), "word")
	if err := os.WriteFile(word, []byte("a passphrase of some length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(m.dir), "backup.guanxi")
	m.ok(&struct{}{}, "backup", file, "--passphrase-file", word)
	m.stop()
	doctor(m, true)
	back := newMachine(t)
	if code, out, errs := back.command("", "restore", file, "--passphrase-file", word); code != 0 {
		t.Fatalf("restore: %d %s %s", code, out, errs)
	}
	back.key = m.key
	whole(back.start().client(), waiting)
	back.stop()
	doctor(back, true)
}

package apptest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk: a full disk refuses writes in words, lets people read, and costs nothing once there is space again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", m.dir, "tmpfs", 0, "size=40m,mode=0700"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if m.run != nil {
			m.kill()
		}
		if err := syscall.Unmount(m.dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	c := m.setup("Asia/Shanghai", "CNY").start().client()
	acknowledged := map[string]string{}
	create := func(n int) answer {
		name := fmt.Sprintf("d%d", n)
		a := c.do("POST", "/records/customer", fmt.Sprintf(`{"fields":{"name":"客户%d","external_id":%q,"note":%q}}`, n, name, strings.Repeat("长", 2000)))
		if a.status == 201 {
			var r rec
			if err := json.Unmarshal(a.body, &r); err != nil {
				t.Fatal(err)
			}
			acknowledged[name] = r.ID
		}
		return a
	}
	for n := range 20 {
		c.want(201, create(n))
	}
	c.settled()
	ballast := filepath.Join(m.dir, "ballast")
	fillDisk(t, ballast, 256<<10)
	var full answer
	for n := 20; n < 2000 && full.status == 0; n++ {
		if a := create(n); a.status != 201 {
			full = a
		}
	}
	if full.status != 503 || full.code() != "store.disk_full" {
		t.Fatalf("a full disk answers %d %s", full.status, full.body)
	}
	fillDisk(t, ballast+"2", 0)
	titles := map[string]bool{}
	for _, tag := range []string{"en", "zh-CN"} {
		l := c.with("Accept-Language", tag)
		var a answer
		for n := range 200 { // room inside the write-ahead log may take a few
			name := fmt.Sprintf("%s%d", tag, n)
			if a = l.do("POST", "/records/customer", fmt.Sprintf(`{"fields":{"name":"x","external_id":%q,"note":%q}}`, name, strings.Repeat("长", 2000))); a.status != 201 {
				break
			}
			var r rec
			if err := json.Unmarshal(a.body, &r); err != nil {
				t.Fatal(err)
			}
			acknowledged[name] = r.ID
		}
		var p struct{ Type, Title string }
		if err := json.Unmarshal(a.body, &p); err != nil || a.status != 503 || p.Type != "store.disk_full" || strings.Contains(p.Title, "store.") {
			t.Errorf("%s: %d %s", tag, a.status, a.body)
		}
		titles[p.Title] = true
	}
	if len(titles) != 2 {
		t.Errorf("both languages say the same: %v", titles)
	}
	reading(t, c, acknowledged)
	if a := c.upload("customer", "big.csv", []byte("name\n"+strings.Repeat("x,", 1<<20))); a.status != 503 || a.code() != "store.disk_full" {
		t.Errorf("an upload to a full disk: %d %.300s", a.status, a.body)
	}
	for _, name := range []string{ballast, ballast + "2"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a write after space was made", 20*time.Second, func() bool { return create(5000).status == 201 })
	c.settled()
	if got := c.all("customer"); len(got) != len(acknowledged) {
		t.Errorf("%d customers are there, %d were acknowledged", len(got), len(acknowledged))
	}
	if got := c.counted(everyone); got != len(acknowledged) {
		t.Errorf("analytics counts %d of %d customers", got, len(acknowledged))
	}
	reading(t, c, acknowledged)
	m.stop()
	doctor(m, true)
}

// fillDisk writes a file until only so many bytes are free.
func fillDisk(t *testing.T, name string, leave uint64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil && leave == 0 {
		return // not even a name has room
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for {
		var st syscall.Statfs_t
		if err := syscall.Fstatfs(int(f.Fd()), &st); err != nil {
			t.Fatal(err)
		}
		free := st.Bavail * uint64(st.Bsize)
		if free <= leave {
			return
		}
		if _, err := f.Write(block[:min(uint64(len(block)), free-leave)]); err != nil {
			return
		}
	}
}

func reading(t *testing.T, c *client, acknowledged map[string]string) {
	t.Helper()
	for name, id := range acknowledged {
		r := read[rec](c, "GET", "/records/customer/"+id, "")
		if r.Fields["external_id"] != name {
			t.Errorf("%s reads as %v", name, r.Fields["external_id"])
		}
	}
	for _, path := range []string{"/home", "/segments", "/search?q=客户", "/classifications", "/objects", "/records/customer"} {
		if a := c.do("GET", path, ""); a.status != 200 {
			t.Errorf("GET %s: %d %.300s", path, a.status, a.body)
		}
	}
}

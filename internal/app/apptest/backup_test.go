package apptest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestBackupWhileWriting: a backup made under load holds everything acknowledged before it, and a restored directory is a
// whole workspace with readable personal values.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY").start()
	var mu sync.Mutex
	acknowledged := map[string]string{} // phone → id
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			c := m.client()
			for n := 0; ctx.Err() == nil; n++ {
				phone := fmt.Sprintf("137%02d%06d", i, n)
				a := c.do("POST", "/records/customer", fmt.Sprintf(`{"fields":{"name":"备份%d","phone":%q}}`, n, phone))
				var r rec
				if err := json.Unmarshal(a.body, &r); err != nil || a.status != 201 {
					t.Errorf("%d %.200s", a.status, a.body)
					return
				}
				mu.Lock()
				acknowledged[phone] = r.ID
				mu.Unlock()
			}
		})
	}
	eventually(t, "some customers", time.Minute, func() bool { mu.Lock(); defer mu.Unlock(); return len(acknowledged) > 150 })
	mu.Lock()
	before := maps.Clone(acknowledged)
	mu.Unlock()
	word := filepath.Join(filepath.Dir(m.dir), "word")
	if err := os.WriteFile(word, []byte("a passphrase of some length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(m.dir), "backup.guanxi")
	var res struct{ Bytes int64 }
	m.ok(&res, "backup", file, "--passphrase-file", word)
	stop()
	group.Wait()
	m.stop()
	doctor(m, true)

	back := newMachine(t)
	if code, out, errs := back.command("", "restore", file, "--passphrase-file", word); code != 0 {
		t.Fatalf("restore: %d %s %s", code, out, errs)
	}
	back.key = m.key
	c := back.start().client()
	c.settled()
	n := c.records("customer")
	if got := c.counted(everyone); got != n || n < len(before) || n > len(acknowledged) {
		t.Errorf("%d customers in records, %d in analytics; %d were acknowledged before the backup, %d in all", n, got, len(before), len(acknowledged))
	}
	revealed := 0
	for phone, id := range before {
		if r := read[rec](c, "GET", "/records/customer/"+id, ""); r.ID != id {
			t.Errorf("%s is gone", id)
		}
		if revealed++; revealed <= 25 {
			v := read[struct{ Fields map[string]any }](c, "POST", "/records/customer/"+id+"/reveal", `{"fields":["phone"]}`)
			if v.Fields["phone"] != phone && v.Fields["phone"] != "+86"+phone {
				t.Errorf("the phone number of %s reads %v, want %s", id, v.Fields["phone"], phone)
			}
		}
	}
	last := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"13700000003"}}`)
	if len(last.Items) != 1 {
		t.Errorf("found by phone number: %d", len(last.Items))
	}
	back.stop()
	doctor(back, true)
}

package apptest_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

func (m *machine) analytics() string {
	return filepath.Join(m.dir, "workspaces", "main", "analytics.duckdb")
}

// TestAnalyticsIsMadeAnew: whatever becomes of the derived file, the program starts and has the same figures again.
func TestAnalyticsIsMadeAnew(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Europe/London", "GBP").start()
	c := m.client()
	if j := c.finished(c.load("order", "retail.csv", retailMapping, retailCut(t, 6_000)), time.Minute); j.Status != "done" {
		t.Fatalf("%+v", j)
	}
	c.settled()
	want := c.figures()
	same := func(when string) {
		t.Helper()
		c = m.client()
		c.settled()
		if got := c.figures(); got != want {
			t.Errorf("%s:\n%s\nbefore:\n%s", when, got, want)
		}
	}
	rebuild := func(when string) {
		t.Helper()
		for _, what := range []string{"analytics", "search"} {
			var out struct{ Records int }
			m.ok(&out, "rebuild", what)
			if out.Records == 0 {
				t.Errorf("%s: rebuild %s made nothing", when, what)
			}
		}
	}
	rebuild("while the server runs")
	same("after a rebuild while the server runs")
	hit := read[struct{ Items []struct{ Object string } }](c, "GET", "/search?q=17850", "")
	if len(hit.Items) == 0 {
		t.Error("search finds nothing after its rebuild")
	}
	m.stop()
	rebuild("without a server")
	for when, damage := range map[string]func(raw []byte) []byte{
		"truncated": func(raw []byte) []byte { return raw[:len(raw)/2] },
		"emptied":   func([]byte) []byte { return nil },
		"garbage":   func(raw []byte) []byte { return bytes.Repeat([]byte("garbage!"), len(raw)/8) },
		"bad head":  func(raw []byte) []byte { copy(raw[8:], bytes.Repeat([]byte{0xff}, 12<<10)); return raw },
		"deleted":   nil,
	} {
		if damage == nil {
			if err := os.Remove(m.analytics()); err != nil {
				t.Fatal(err)
			}
		} else {
			raw, err := os.ReadFile(m.analytics())
			if err != nil || len(raw) < 100_000 {
				t.Fatalf("%d bytes, %v", len(raw), err)
			}
			if err := os.WriteFile(m.analytics(), damage(raw), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m.start()
		same(when)
		m.stop()
	}
	m.start()
	same("at last")
	m.stop()
	doctor(m, true)
}

// TestDamageFoundInUse: a page that is found bad while the program runs has the file set aside and made anew in the background,
// while records are read and written, and questions to analytics are answered or refused with a reason.
func TestDamageFoundInUse(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Europe/London", "GBP").start()
	c := m.client()
	if j := c.finished(c.load("order", "retail.csv", retailMapping, retailCut(t, 6_000)), time.Minute); j.Status != "done" {
		t.Fatalf("%+v", j)
	}
	c.settled()
	want := c.figures()
	m.stop()
	raw, err := os.ReadFile(m.analytics())
	if err != nil {
		t.Fatal(err)
	}
	for at := 3 * 4096 * 10; at+4096 < len(raw); at += 64 << 10 {
		copy(raw[at:], bytes.Repeat([]byte{0xa5}, 2048))
	}
	if err := os.WriteFile(m.analytics(), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	c = m.client()
	var seen rebuildingSeen
	eventually(t, "a new file", time.Minute, func() bool {
		seen.ask(c)
		_, err := os.Stat(m.analytics() + ".damaged")
		return err == nil && !seen.rebuilding
	})
	c.settled()
	t.Logf("%d rounds of questions, %d refused", seen.rounds, seen.refused)
	if seen.refused == 0 {
		t.Error("no question to analytics was refused: the damage was not in the way")
	}
	if got := c.figures(); got != want {
		t.Errorf("made anew:\n%s\nbefore:\n%s", got, want)
	}
	aside, err := os.ReadFile(m.analytics() + ".damaged")
	if err != nil || len(aside) < len(raw)/2 {
		t.Errorf("the damaged file was not kept: %d bytes, %v", len(aside), err)
	}
	m.stop()
	doctor(m, true)
}

// rebuildingSeen is what a user saw while analytics was made anew.
type rebuildingSeen struct {
	rebuilding bool
	refused    int
	rounds     int
}

// ask uses records and analytics as people do.
func (r *rebuildingSeen) ask(c *client) {
	c.Helper()
	r.rounds++
	r.rebuilding = read[system](c, "GET", "/system", "").Mirror.Rebuilding
	for _, path := range []string{"/home", "/cohorts", "/rfm"} {
		switch a := c.do("GET", path, ""); {
		case a.status == 503 && strings.HasPrefix(a.code(), "analytics."):
			r.refused++
		case a.status != 200:
			c.Errorf("GET %s while the file is damaged: %d %.300s", path, a.status, a.body)
		}
	}
	made := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"trotzdem"}}`)
	list := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"name","op":"=","value":"trotzdem"},"traits":["orders","lifecycle"]}`)
	if len(list.Items) != 1 || list.Items[0].ID != made.ID {
		c.Errorf("a list that shows traits: %+v", list.Items)
	}
	c.want(200, c.do("GET", "/customers/"+made.ID+"/profile", ""))
	c.want(204, c.with("If-Match", `"1"`).do("DELETE", "/records/customer/"+made.ID, ""))
}

// TestTheDoctorFindsWhatIsWrong plants differences behind the program's back.
func TestTheDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	m := newMachine(t).setup("Asia/Shanghai", "CNY")
	for range 3 {
		var r rec
		m.ok(&r, "record", "create", "customer", "--set", "name=甲", "--set", "phone=13812345678")
	}
	doctor(m, true)
	plant := func(text string) {
		t.Helper()
		db, err := sqlite.Open(t.Context(), sqlite.Config{Path: m.database()})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(c sqlstore.Conn) error {
			n, err := c.Exec(t.Context(), text)
			if err == nil && n == 0 {
				err = errors.New("nothing was changed")
			}
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	plant("DELETE FROM r_customer WHERE id = (SELECT max(id) FROM r_customer)")
	if out := doctor(m, false); !bytes.Contains([]byte(out), []byte("customer: 2 records, 3 in analytics")) {
		t.Errorf("the doctor says %s", out)
	}
	var rebuilt struct{ Records int }
	m.ok(&rebuilt, "rebuild", "analytics")
	doctor(m, true)
	key := filepath.Join(m.dir, "secret.key")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := m.command("", "doctor"); code != 1 || !bytes.Contains([]byte(errs), []byte("app.secret_missing")) {
		t.Errorf("without the key: %d %s %s", code, out, errs)
	}
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	doctor(m, true)
}

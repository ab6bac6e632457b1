package app_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestRotateKeys changes the secret while personal values are read and written, stops in the middle again and again, and in the end
// opens everything without the old secret but for what the index is made of.
func TestRotateKeys(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	flags := map[string]string{"data": sh.dir}
	s := prepare(t, open(t, app.Options{Config: settings(t, flags)}))
	c, admin := s.as(access.Manager), s.as(access.Administrator)
	c.wantCode(403, "access.forbidden", c.do("POST", "/keys/rotate", `{}`))
	rotateTwice(t, s, c, admin)
	secret := filepath.Join(sh.dir, app.SecretName)
	raw, err := os.ReadFile(secret)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines in the key file", len(lines))
	}
	p := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"13900000007"}}`, 200).Items[0].ID
	if err := s.app.Close(); err != nil {
		t.Fatal(err)
	}
	// What the second secret wrapped was wrapped anew by the third, so that the second is needed by nothing any more.
	if err := os.WriteFile(secret, []byte(lines[0]+"\n"+lines[2]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = at(t, flags)
	c = s.as(access.Manager)
	if shown := string(c.want(200, c.do("POST", "/records/customer/"+p+"/reveal", `{"fields":["phone"]}`)).body); !strings.Contains(shown, "1390000") {
		t.Errorf("%s", shown)
	}
	if list := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"13900000000"}}`, 200); len(list.Items) != 1 {
		t.Errorf("the index does not find what it found: %+v", list)
	}
}

// TestRotateKeysOfSettings is the same where the secret stands in the settings and the records in PostgreSQL.
func TestRotateKeysOfSettings(t *testing.T) {
	t.Parallel()
	s := newPostgresSite(t)
	c, admin := s.as(access.Manager), s.as(access.Administrator)
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"甲","phone":"13900000000"}}`))
	admin.want(202, admin.do("POST", "/keys/rotate", `{}`))
	s.work()
	if k := read[api.Keys](admin, "GET", "/keys", "", 200); k.File || len(k.Rotations) != 1 || k.Rotations[0].State != "done" || k.Rotations[0].Done != 1 {
		t.Errorf("%+v", k)
	}
}

func rotateTwice(t *testing.T, s *site, c, admin *client) {
	t.Helper()
	var ops []string
	for i := range 900 {
		ops = append(ops, `{"op":"create","fields":{"name":"客户","phone":"1390000`+pad(i)+`"}}`)
	}
	c.want(200, c.do("POST", "/records/customer/batch", `{"operations":[`+strings.Join(ops, ",")+`]}`))
	x := read[api.PrivacyCopy](c, "POST", "/records/customer/"+read[page](c, "GET", "/records/customer?limit=1", "", 200).Items[0].ID+"/copy", `{}`, 202)
	s.work()
	admin.want(202, admin.do("POST", "/keys/rotate", `{}`))
	admin.wantCode(409, "app.rotating", admin.do("POST", "/keys/rotate", `{}`))
	// In the middle both secrets open, and what is written meanwhile is wrapped by the new one.
	at := 0
	for after := time.Millisecond; ; after = after * 3 / 2 {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		_, err := s.app.Jobs().Step(ctx)
		ended := ctx.Err() != nil
		cancel()
		at++
		made := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"间","phone":"1590000`+pad(at)+`"}}`, 201)
		c.want(200, c.do("POST", "/records/customer/"+made.ID+"/reveal", `{"fields":["phone"]}`))
		if !ended && err == nil {
			break
		}
	}
	s.work()
	if k := read[api.Keys](admin, "GET", "/keys", "", 200); k.Secrets != 2 || len(k.Rotations) != 1 || k.Rotations[0].State != "done" || k.Rotations[0].Done < 901 {
		t.Fatalf("%+v", k)
	}
	admin.want(202, admin.do("POST", "/keys/rotate", `{}`))
	s.work()
	if a := c.want(200, c.do("GET", "/privacy/copies/"+x.ID+"/file", "")); !bytes.HasPrefix(a.body, []byte("PK")) {
		t.Error("a copy of before does not open")
	}
}

// pad prints a number below ten thousand with four digits.
func pad(n int) string {
	return string([]byte{'0' + byte(n/1000), '0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)})
}

func TestReveals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, admin := s.as(access.Manager), s.as(access.Administrator)
	p := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"甲","phone":"13900000000"}}`, 201)
	c.want(200, c.do("POST", "/records/customer/"+p.ID+"/reveal", `{"fields":["phone"]}`))
	got := read[api.Reveals](admin, "GET", "/privacy/reveals", "", 200)
	if len(got.Items) != 1 || got.Items[0].RecordID != p.ID || len(got.People) != 1 || got.People[0].Count != 1 || got.People[0].Actor.Name != "manager" {
		t.Errorf("%+v", got)
	}
	// A role may be kept from it, or given less.
	c.want(200, c.do("PATCH", "/privacy/settings", `{"reveals":{"manager":0,"member":1}}`))
	c.wantCode(403, "record.reveal_none", c.do("POST", "/records/customer/"+p.ID+"/reveal", `{"fields":["phone"]}`))
	m := s.as(access.Member)
	m.want(200, m.do("POST", "/records/customer/"+p.ID+"/reveal", `{"fields":["phone"]}`))
	m.wantCode(429, "record.reveal_limit", m.do("POST", "/records/customer/"+p.ID+"/reveal", `{"fields":["phone"]}`))
	c.wantCode(422, "privacy.reveals_range", c.do("PATCH", "/privacy/settings", `{"reveals":{"manager":-1}}`))
}

// TestRotationReachesIdentifiers: the phone number of an event, wrapped by the second secret, opens once only the third is left.
func TestRotationReachesIdentifiers(t *testing.T) {
	t.Parallel()
	flags := map[string]string{"data": t.TempDir()}
	s := prepare(t, open(t, app.Options{Config: settings(t, flags), Background: true}))
	admin := s.as(access.Administrator)
	rotate := func(times int) {
		t.Helper()
		admin.want(202, admin.do("POST", "/keys/rotate", `{}`))
		eventually(t, "a rotation", func() bool {
			k := read[api.Keys](admin, "GET", "/keys", "", 200)
			return len(k.Rotations) == times && k.Rotations[0].State == "done"
		})
	}
	rotate(1)
	d := s.door(admin)
	d.send(`{"type":"identify","userId":"u-1","traits":{"phone":"13812345678","name":"李雷"}}`)
	d.settled(admin)
	li := d.one(admin, "external_id", "u-1")
	rotate(2)
	var phone string
	for _, p := range d.identities(admin, li.ID).Profiles {
		for _, x := range p.Identifiers {
			if x.Namespace == "phone" {
				phone = x.ID
			}
		}
	}
	secret := filepath.Join(flags["data"], app.SecretName)
	raw, err := os.ReadFile(secret)
	if err := errors.Join(err, s.app.Close()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines in the key file", len(lines))
	}
	if err := os.WriteFile(secret, []byte(lines[0]+"\n"+lines[2]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = at(t, flags)
	admin = s.as(access.Administrator)
	if shown := string(admin.want(200, admin.do("POST", "/identities/identifiers/"+phone+"/reveal", `{}`)).body); !strings.Contains(shown, "13812345678") {
		t.Errorf("%s", shown)
	}
}

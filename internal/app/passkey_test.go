package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/app"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

const (
	keySite   = "crm.example.com"
	keyOrigin = "https://" + keySite
)

// keySites runs a test on a program that people see under a name, one on each database.
func keySites(t *testing.T, fn func(t *testing.T, s *site)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		fn(t, prepare(t, open(t, app.Options{Config: settings(t, map[string]string{"public-url": keyOrigin})})))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, postgresSiteWith(t, app.Options{}, map[string]string{"public-url": keyOrigin}))
	})
}

// authenticator is a real one in software: P-256 keys, counting its signatures.
type authenticator struct {
	*testing.T
	key    *ecdsa.PrivateKey
	id     []byte
	handle string
	count  uint32
	origin string
	// checks is whether it checks who holds it.
	checks bool
}

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v := make([]byte, 32)
	_, _ = rand.Read(v)
	return &authenticator{T: t, key: key, id: v, origin: keyOrigin, checks: true}
}

var b64 = base64.RawURLEncoding

func (a *authenticator) client(kind, challenge string) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		a.Fatal(err)
	}
	return raw
}

func (a *authenticator) data(flags byte) []byte {
	if a.checks {
		flags |= 0x04
	}
	sum := sha256.Sum256([]byte(keySite))
	return binary.BigEndian.AppendUint32(append(sum[:], flags|0x01), a.count)
}

type ceremony struct {
	Flow    string
	Options struct {
		PublicKey struct {
			Challenge string
			RP        struct{ ID string }
			User      struct{ ID string }
		} `json:"publicKey"`
	}
}

// makes answers a request for a passkey.
func (a *authenticator) makes(c ceremony, name string) string {
	a.Helper()
	if c.Options.PublicKey.RP.ID != keySite {
		a.Fatalf("asked for a passkey of %q", c.Options.PublicKey.RP.ID)
	}
	a.handle = c.Options.PublicKey.User.ID
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.Fatal(err)
	}
	data := append(a.data(0x40), make([]byte, 16)...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(a.id))), a.id...)
	data = append(append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20), point[1:33]...)
	data = append(append(data, 0x22, 0x58, 0x20), point[33:]...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return mustJSON(a.T, map[string]any{"flow": c.Flow, "name": name, "credential": map[string]any{"id": b64.EncodeToString(a.id), "rawId": b64.EncodeToString(a.id), "type": "public-key",
		"clientExtensionResults": map[string]any{}, "response": map[string]any{"clientDataJSON": b64.EncodeToString(a.client("webauthn.create", c.Options.PublicKey.Challenge)),
			"attestationObject": b64.EncodeToString(append(object, data...)), "transports": []string{"internal"}}}})
}

// signs answers a request to sign in.
func (a *authenticator) signs(c ceremony) string {
	a.Helper()
	a.count++
	data, client := a.data(0), a.client("webauthn.get", c.Options.PublicKey.Challenge)
	inner := sha256.Sum256(client)
	sum := sha256.Sum256(append(slices.Clone(data), inner[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		a.Fatal(err)
	}
	return mustJSON(a.T, map[string]any{"flow": c.Flow, "credential": map[string]any{"id": b64.EncodeToString(a.id), "rawId": b64.EncodeToString(a.id), "type": "public-key",
		"clientExtensionResults": map[string]any{}, "response": map[string]any{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data),
			"signature": b64.EncodeToString(sig), "userHandle": a.handle}}})
}

type passkeyAdded struct {
	Passkey struct{ ID, Name, Site string }
	Codes   []string
	Me      *meAnswer
}

// register makes a passkey for whoever c is.
func (a *authenticator) register(c *client, name string) passkeyAdded {
	c.Helper()
	asked := read[ceremony](c, "POST", "/me/passkeys/begin", `{"password":"`+password+`"}`, 200)
	added := read[passkeyAdded](c, "POST", "/me/passkeys", a.makes(asked, name), 201)
	if added.Me != nil {
		c.csrf = added.Me.CSRF
	}
	return added
}

type passkeyList struct {
	Items []struct {
		ID, Name  string
		UsedAt    *string `json:"used_at"`
		StoppedAt *string `json:"stopped_at"`
	}
	Possible bool
}

func (s *site) actionsOf(c *client) string {
	s.Helper()
	page := read[struct{ Items []struct{ Action string } }](c, "GET", "/audit?limit=200", "", 200)
	var out []string
	for _, e := range page.Items {
		out = append(out, e.Action)
	}
	return " " + strings.Join(out, " ") + " "
}

// TestPasskeys: made, shown as the second step, signing in alone, copied, revoked.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	keySites(t, func(t *testing.T, s *site) {
		admin, c, elsewhere := s.as(access.Administrator), s.as(access.Member), s.as(access.Member)
		if w := read[struct{ Passkey bool }](s.client(), "GET", "/session/ways", "", 200); w.Passkey {
			t.Fatal("a passkey is offered where nobody has one")
		}
		c.wantCode(422, "auth.current_password_wrong", c.do("POST", "/me/passkeys/begin", `{"password":"guess guess"}`))
		phone := newAuthenticator(t)
		phone.origin = "https://evil.example"
		asked := read[ceremony](c, "POST", "/me/passkeys/begin", `{"password":"`+password+`"}`, 200)
		c.wantCode(422, "auth.passkey_refused", c.do("POST", "/me/passkeys", phone.makes(asked, "Phone")))
		phone.origin = keyOrigin
		c.wantCode(409, "auth.flow_over", c.do("POST", "/me/passkeys", phone.makes(asked, "Phone")))
		added := phone.register(c, "我的手机")
		if len(added.Codes) != 10 || added.Me == nil || added.Passkey.Name != "我的手机" || added.Passkey.Site != keySite {
			t.Fatalf("%+v", added)
		}
		elsewhere.wantCode(401, "auth.session_ended", elsewhere.do("GET", "/me", ""))
		laptop := newAuthenticator(t)
		if more := laptop.register(c, ""); more.Codes != nil || more.Me != nil || more.Passkey.Name == "" {
			t.Fatalf("%+v", more)
		}
		c.wantCode(409, "auth.passkey_known", c.do("POST", "/me/passkeys", laptop.makes(read[ceremony](c, "POST", "/me/passkeys/begin", `{"password":"`+password+`"}`, 200), "")))

		t.Log("as the second step")
		d := s.client()
		credentials := `{"email":"member@example.com","password":"` + password + `"}`
		if me := read[meAnswer](d, "POST", "/session", credentials, 200); me.Stage != "code" {
			t.Fatalf("%+v", me)
		}
		if w := read[struct{ Authenticator, Passkey, Recovery bool }](d, "GET", "/session/step", "", 200); w.Authenticator || !w.Passkey || !w.Recovery {
			t.Fatalf("%+v", w)
		}
		stranger := newAuthenticator(t)
		d.wantCode(422, "auth.passkey_refused", d.do("POST", "/session/step/passkey", stranger.signs(read[ceremony](d, "POST", "/session/step/passkey/begin", "{}", 200))))
		if me := read[meAnswer](d, "POST", "/session/step/passkey", phone.signs(read[ceremony](d, "POST", "/session/step/passkey/begin", "{}", 200)), 200); me.Stage != "" || me.User == nil {
			t.Fatalf("%+v", me)
		}
		r := s.client()
		r.want(200, r.do("POST", "/session", credentials))
		r.wantCode(422, "auth.code_wrong", r.do("POST", "/session/code", `{"code":"123456"}`))
		r.want(200, r.do("POST", "/session/code", `{"code":"`+added.Codes[3]+`"}`))

		t.Log("alone")
		e := s.client()
		if w := read[struct{ Passkey bool }](e, "GET", "/session/ways", "", 200); !w.Passkey {
			t.Fatal("passkeys are not offered")
		}
		begin := func() ceremony { return read[ceremony](e, "POST", "/session/passkey/begin", "{}", 200) }
		laptop.checks = false
		e.wantCode(401, "auth.passkey_wrong", e.do("POST", "/session/passkey", laptop.signs(begin())))
		laptop.checks = true
		e.wantCode(401, "auth.passkey_wrong", e.do("POST", "/session/passkey", stranger.signs(begin())))
		laptop.origin = "https://evil.example"
		e.wantCode(401, "auth.passkey_wrong", e.do("POST", "/session/passkey", laptop.signs(begin())))
		laptop.origin = keyOrigin
		answer := laptop.signs(begin())
		if me := read[meAnswer](e, "POST", "/session/passkey", answer, 200); me.Stage != "" || me.User == nil || me.User.Email != "member@example.com" {
			t.Fatalf("%+v", me)
		}
		e.want(200, e.do("GET", "/records/customer", ""))
		e.wantCode(409, "auth.flow_over", s.client().do("POST", "/session/passkey", answer))

		t.Log("copied")
		laptop.count -= 2
		e.wantCode(401, "auth.passkey_cloned", s.client().do("POST", "/session/passkey", laptop.signs(begin())))
		laptop.count += 10
		e.wantCode(401, "auth.passkey_wrong", s.client().do("POST", "/session/passkey", laptop.signs(begin())))
		list := read[passkeyList](e, "GET", "/me/passkeys", "", 200)
		if len(list.Items) != 2 || list.Items[0].StoppedAt != nil || list.Items[0].UsedAt == nil || list.Items[1].StoppedAt == nil || !list.Possible {
			t.Fatalf("%+v", list)
		}

		t.Log("renamed and revoked")
		e.want(204, e.do("PATCH", "/me/passkeys/"+list.Items[0].ID, `{"name":"旧手机"}`))
		e.wantCode(422, "auth.passkey_name", e.do("PATCH", "/me/passkeys/"+list.Items[0].ID, `{"name":"  "}`))
		admin.wantCode(404, "auth.passkey_unknown", admin.do("PATCH", "/me/passkeys/"+list.Items[0].ID, `{"name":"mine"}`))
		admin.wantCode(404, "auth.passkey_unknown", admin.do("POST", "/me/passkeys/"+list.Items[0].ID+"/revoke", `{"password":"`+password+`"}`))
		e.wantCode(422, "auth.current_password_wrong", e.do("POST", "/me/passkeys/"+list.Items[1].ID+"/revoke", `{"password":"guess guess"}`))
		e.want(200, e.do("POST", "/me/passkeys/"+list.Items[1].ID+"/revoke", `{"password":"`+password+`"}`))
		d.wantCode(401, "auth.session_ended", d.do("GET", "/me", ""))
		if f := read[struct {
			On       bool
			Passkeys int
			Codes    int `json:"recovery_codes"`
		}](e, "GET", "/me/factor", "", 200); f.On || f.Passkeys != 1 || f.Codes != 9 {
			t.Fatalf("%+v", f)
		}
		codes := read[struct{ Codes []string }](e, "POST", "/me/factor/recovery", `{"password":"`+password+`"}`, 200)
		if len(codes.Codes) != 10 || slices.Contains(codes.Codes, added.Codes[0]) {
			t.Fatalf("%v", codes)
		}
		e.want(200, e.do("POST", "/me/passkeys/"+list.Items[0].ID+"/revoke", `{"password":"`+password+`"}`))
		if me := read[meAnswer](s.client(), "POST", "/session", credentials, 200); me.Stage != "" || *me.User.SecondFactor {
			t.Fatalf("%+v", me)
		}
		for _, action := range []string{"passkey.create", "passkey.cloned", "passkey.rename", "passkey.revoke", "session.create", "factor.recovery_used"} {
			if !strings.Contains(s.actionsOf(admin), " "+action+" ") {
				t.Errorf("no %s in the trail", action)
			}
		}
	})
}

// TestADemandedFactorMayBeAPasskey: it ends the enrolment, and an administrator's help removes it with everything else.
func TestADemandedFactorMayBeAPasskey(t *testing.T) {
	t.Parallel()
	keySites(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		admin.want(200, admin.do("PATCH", "/security", `{"factor_roles":["member"]}`))
		c := s.client()
		credentials := `{"email":"member@example.com","password":"` + password + `"}`
		if me := read[meAnswer](c, "POST", "/session", credentials, 200); me.Stage != "enrol" {
			t.Fatalf("%+v", me)
		}
		key := newAuthenticator(t)
		added := read[passkeyAdded](c, "POST", "/me/passkeys", key.makes(read[ceremony](c, "POST", "/me/passkeys/begin", "{}", 200), "Key"), 201)
		if added.Me == nil || added.Me.Stage != "" || len(added.Codes) != 10 {
			t.Fatalf("%+v", added)
		}
		c.csrf = added.Me.CSRF
		c.want(200, c.do("GET", "/records/customer", ""))
		me := read[meAnswer](c, "POST", "/me/passkeys/"+added.Passkey.ID+"/revoke", `{"password":"`+password+`"}`, 200)
		if me.Stage != "enrol" {
			t.Fatalf("the last factor that the role demands went, and nothing is owed: %+v", me)
		}
		added = read[passkeyAdded](c, "POST", "/me/passkeys", key.makes(read[ceremony](c, "POST", "/me/passkeys/begin", "{}", 200), "Key"), 201)
		users := read[struct{ Items []struct{ ID, Email string } }](admin, "GET", "/users", "", 200)
		for _, u := range users.Items {
			if u.Email == "member@example.com" {
				admin.want(204, admin.do("DELETE", "/users/"+u.ID+"/factor", ""))
				admin.want(200, admin.do("PATCH", "/users/"+u.ID, `{"disabled":true}`))
			}
		}
		c.wantCode(401, "auth.session_ended", c.do("GET", "/me", ""))
		d := s.client()
		d.wantCode(401, "auth.passkey_wrong", d.do("POST", "/session/passkey", key.signs(read[ceremony](d, "POST", "/session/passkey/begin", "{}", 200))))
	})
}

// TestAnAddressHasNoPasskeys: browsers make them for names alone.
func TestAnAddressHasNoPasskeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(access.Member)
	if list := read[passkeyList](c, "GET", "/me/passkeys", "", 200); list.Possible {
		t.Fatalf("%+v", list)
	}
	c.wantCode(409, "auth.passkey_site", c.do("POST", "/me/passkeys/begin", `{"password":"`+password+`"}`))
	c.wantCode(409, "auth.passkey_site", s.client().do("POST", "/session/passkey/begin", "{}"))
}

package instance_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

// ring seals with a real keyring, one data key for each secret.
type ring struct{ *crypt.Keyring }

func (r ring) Seal(_ context.Context, user id.ID, secret []byte) ([]byte, error) {
	key, wrapped, err := r.NewKey(user)
	if err != nil {
		return nil, err
	}
	return append(wrapped, r.Keyring.Seal(key, crypt.Place{Object: "factor", Record: user}, secret)...), nil
}

func (r ring) Open(_ context.Context, user id.ID, sealed []byte) ([]byte, error) {
	r.Forget(user)
	key, err := r.Unwrap(user, sealed[:crypt.WrappedSize])
	if err != nil {
		return nil, err
	}
	return r.Keyring.Open(key, crypt.Place{Object: "factor", Record: user}, sealed[crypt.WrappedSize:])
}

// trusted is a service with a vault, its clock, and an administrator.
type trusted struct {
	*testing.T
	*auth.Service
	store *instance.Store
	clock *clock.Fake
	ann   auth.User
}

func newTrusted(t *testing.T, s *instance.Store) *trusted {
	t.Helper()
	a, c := service(s)
	keys, err := crypt.New("@instance", bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	a.Vault = ring{keys}
	return &trusted{T: t, Service: a, store: s, clock: c, ann: setUp(t, a)}
}

// in signs in with the password and wants a stage.
func (x *trusted) in(stage auth.Stage) auth.SignedIn {
	x.Helper()
	s, err := signIn(x.Context(), x.Service, "ann@example.com", password, "1.1.1.1")
	if err != nil {
		x.Fatal(err)
	}
	if s.Stage != stage {
		x.Fatalf("signed in at stage %q, want %q", s.Stage, stage)
	}
	return s
}

func (x *trusted) as(s auth.SignedIn) context.Context { return access.With(x.Context(), s.Actor) }

// code is what the authenticator shows now.
func (x *trusted) code(secret string) string {
	x.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		x.Fatal(err)
	}
	return auth.Code(raw, auth.Step(x.clock.Now()), auth.CodeDigits)
}

// enrol turns the second factor on and returns the secret, the recovery codes and the session that goes on.
func (x *trusted) enrol(s auth.SignedIn) (secret string, codes []string, on auth.SignedIn) {
	x.Helper()
	e, err := x.BeginFactor(x.as(s), s.Identity, password)
	if err != nil {
		x.Fatal(err)
	}
	codes, on, err = x.ConfirmFactor(x.as(s), s.Identity, x.code(e.Secret), auth.Peer{Address: "1.1.1.1"})
	if err != nil {
		x.Fatal(err)
	}
	return e.Secret, codes, on
}

func (x *trusted) alive(token string) bool {
	_, err := x.Authenticate(x.Context(), token, "")
	return err == nil
}

func (x *trusted) actions() string {
	x.Helper()
	es, err := x.store.ListAudit(x.Context(), auth.EntryFilter{Workspace: "main", Limit: 100})
	if err != nil {
		x.Fatal(err)
	}
	var out []string
	for i := len(es) - 1; i >= 0; i-- {
		out = append(out, es[i].Action)
	}
	return strings.Join(out, " ")
}

// outcomes are the attempts on record of everybody, oldest first.
func (x *trusted) outcomes() string {
	x.Helper()
	es, err := x.store.ListSignIns(x.Context(), auth.SignInFilter{Workspace: "main", Limit: 100})
	if err != nil {
		x.Fatal(err)
	}
	var out []string
	for i := len(es) - 1; i >= 0; i-- {
		out = append(out, string(es[i].Outcome))
	}
	return strings.Join(out, " ")
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		ctx := x.Context()
		first, other := x.in(auth.Full), x.in(auth.Full)
		_, err := x.BeginFactor(ctx, first.Identity, "not the password")
		wantCode(t, err, "auth.current_password_wrong")
		secret, codes, on := x.enrol(first)
		if len(codes) != 10 || !regexp.MustCompile(`^[a-z0-9]{5}-[a-z0-9]{5}$`).MatchString(codes[0]) {
			t.Fatalf("recovery codes %v", codes)
		}
		if x.alive(first.Token) || x.alive(other.Token) || !x.alive(on.Token) {
			t.Fatal("sessions from before the second factor live on, or the present one ended")
		}
		_, err = x.BeginFactor(ctx, on.Identity, password)
		wantCode(t, err, "auth.factor_on")
		f, ok, err := s.FindFactor(ctx, x.ann.ID)
		if err != nil || !ok || bytes.Contains(f.Secret, []byte(secret)) {
			t.Fatalf("%+v %v", f, err)
		}

		pending := x.in(auth.OwesCode)
		wrong := "000000"
		if x.code(secret) == wrong {
			wrong = "000001"
		}
		_, err = x.PassCode(x.as(pending), pending.Identity, wrong, auth.Peer{})
		wantCode(t, err, "auth.code_wrong")
		_, err = x.PassCode(x.as(pending), pending.Identity, x.code(secret), auth.Peer{})
		wantCode(t, err, "auth.code_used") // it confirmed the enrolment
		x.clock.Advance(auth.CodePeriod)
		full, err := x.PassCode(x.as(pending), pending.Identity, x.code(secret)[:3]+" "+x.code(secret)[3:], auth.Peer{Address: "1.1.1.1", Agent: "Firefox/140.0"})
		if err != nil || full.Stage != auth.Full || full.Token == pending.Token || x.alive(pending.Token) {
			t.Fatalf("%+v %v", full, err)
		}
		_, err = x.PassCode(x.as(full), full.Identity, x.code(secret), auth.Peer{})
		wantCode(t, err, "auth.step_over")
		again := x.in(auth.OwesCode)
		_, err = x.PassCode(x.as(again), again.Identity, x.code(secret), auth.Peer{})
		wantCode(t, err, "auth.code_used")
		x.clock.Advance(11 * time.Minute)
		_, err = x.Authenticate(ctx, again.Token, "")
		wantCode(t, err, "auth.session_ended") // a session at a step lives for minutes

		late := x.in(auth.OwesCode)
		saved := x.code(secret)
		x.clock.Advance(auth.CodePeriod)
		if _, err := x.PassCode(x.as(late), late.Identity, saved, auth.Peer{}); err != nil {
			t.Fatal("a code of the step before is refused:", err)
		}
		x.clock.Advance(2 * auth.CodePeriod)
		late = x.in(auth.OwesCode)
		saved = x.code(secret)
		x.clock.Advance(2 * auth.CodePeriod)
		_, err = x.PassCode(x.as(late), late.Identity, saved, auth.Peer{})
		wantCode(t, err, "auth.code_wrong")
		want := "ok ok wrong_code wrong_code ok wrong_code ok wrong_code"
		if got := x.outcomes(); got != want {
			t.Errorf("history: %s\nwant     %s", got, want)
		}
	})
}

func TestGuessingACodeIsSlowed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		secret, _, _ := x.enrol(x.in(auth.Full))
		x.clock.Advance(time.Minute)
		pending := x.in(auth.OwesCode)
		var got []string
		for i := range 7 {
			_, err := x.PassCode(x.as(pending), pending.Identity, fmt.Sprintf("abc%03d", i), auth.Peer{})
			got = append(got, fault.CodeOf(err))
		}
		if words := strings.Join(got, " "); words != strings.Repeat("auth.code_wrong ", 5)+"auth.locked auth.locked" {
			t.Fatal(words)
		}
		_, err := x.PassCode(x.as(pending), pending.Identity, x.code(secret), auth.Peer{})
		wantCode(t, err, "auth.locked") // the right one waits too, and a new session is no way around
		fresh := x.in(auth.OwesCode)
		_, err = x.PassCode(x.as(fresh), fresh.Identity, x.code(secret), auth.Peer{})
		wantCode(t, err, "auth.locked")
		x.clock.Advance(16 * time.Minute)
		fresh = x.in(auth.OwesCode)
		if _, err = x.PassCode(x.as(fresh), fresh.Identity, x.code(secret), auth.Peer{}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		secret, codes, on := x.enrol(x.in(auth.Full))
		pending := x.in(auth.OwesCode)
		full, err := x.PassCode(x.as(pending), pending.Identity, strings.ToUpper(codes[3]), auth.Peer{})
		if err != nil || full.Stage != auth.Full {
			t.Fatalf("%+v %v", full, err)
		}
		pending = x.in(auth.OwesCode)
		_, err = x.PassCode(x.as(pending), pending.Identity, codes[3], auth.Peer{})
		wantCode(t, err, "auth.code_wrong")
		if st, err := x.FactorOf(x.Context(), x.ann.ID); err != nil || !st.On || st.CodesLeft != 9 || st.Required {
			t.Fatalf("%+v %v", st, err)
		}
		x.clock.Advance(time.Minute)
		fresh, err := x.NewRecoveryCodes(x.as(on), on.Identity, password, x.code(secret))
		if err != nil || len(fresh) != 10 {
			t.Fatal(fresh, err)
		}
		_, err = x.PassCode(x.as(pending), pending.Identity, codes[4], auth.Peer{})
		wantCode(t, err, "auth.code_wrong")
		var won atomic.Int32 // one code, many at once: it is good once
		var all sync.WaitGroup
		for range 4 {
			p := x.in(auth.OwesCode)
			all.Go(func() {
				if _, err := x.PassCode(access.With(context.Background(), p.Actor), p.Identity, fresh[0], auth.Peer{}); err == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("one recovery code opened %d sessions", won.Load())
		}
		if got := x.actions(); !strings.Contains(got, "factor.enrol") || strings.Count(got, "factor.recovery_used") != 2 || !strings.Contains(got, "factor.recovery_new") {
			t.Fatal(got)
		}
	})
}

func TestTurningOffNeedsBoth(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		secret, _, on := x.enrol(x.in(auth.Full))
		x.clock.Advance(time.Minute)
		_, err := x.DropFactor(x.as(on), on.Identity, "wrong wrong", x.code(secret), auth.Peer{})
		wantCode(t, err, "auth.current_password_wrong")
		_, err = x.DropFactor(x.as(on), on.Identity, password, "abcdef", auth.Peer{})
		wantCode(t, err, "auth.code_wrong")
		off, err := x.DropFactor(x.as(on), on.Identity, password, x.code(secret), auth.Peer{})
		if err != nil || off.Stage != auth.Full || x.alive(on.Token) || !x.alive(off.Token) {
			t.Fatalf("%+v %v", off, err)
		}
		x.in(auth.Full)
		_, err = x.DropFactor(x.as(off), off.Identity, password, "123456", auth.Peer{})
		wantCode(t, err, "auth.factor_none")
	})
}

func TestARoleDemandsASecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		before := x.in(auth.Full)
		wantCode(t, x.RequireFactor(x.as(before), "main", []access.Role{"boss"}), "auth.role_unknown")
		if err := x.RequireFactor(x.as(before), "main", []access.Role{access.Administrator, access.Administrator}); err != nil {
			t.Fatal(err)
		}
		if !x.alive(before.Token) {
			t.Fatal("the rule counts from the next sign-in on")
		}
		owing := x.in(auth.OwesEnrolment)
		_, _, err := x.ConfirmFactor(x.as(owing), owing.Identity, "123456", auth.Peer{})
		wantCode(t, err, "auth.enrol_over")
		e, err := x.BeginFactor(x.as(owing), owing.Identity, "")
		if err != nil || !strings.HasPrefix(e.URI, "otpauth://totp/Shop:Ann@Example.com?secret="+e.Secret+"&issuer=Shop&") {
			t.Fatalf("%+v %v", e, err)
		}
		codes, full, err := x.ConfirmFactor(x.as(owing), owing.Identity, x.code(e.Secret), auth.Peer{})
		if err != nil || len(codes) != 10 || full.Stage != auth.Full || x.alive(owing.Token) || x.alive(before.Token) {
			t.Fatalf("%+v %v", full, err)
		}
		x.clock.Advance(time.Minute)
		off, err := x.DropFactor(x.as(full), full.Identity, password, x.code(e.Secret), auth.Peer{})
		if err != nil || off.Stage != auth.OwesEnrolment {
			t.Fatalf("a demanded factor was turned off for good: %q %v", off.Stage, err)
		}
		w, err := x.Workspace(x.Context(), "main")
		if err != nil || len(w.FactorRoles) != 1 {
			t.Fatalf("%+v %v", w, err)
		}
		bob, err := x.AddUser(x.as(before), "main", auth.NewUser{Email: "bob@example.com", Password: password, Role: access.Member, Locale: "en", Temporary: true})
		if err != nil {
			t.Fatal(err)
		}
		if in, err := signIn(x.Context(), x.Service, bob.Email, password, "b"); err != nil || in.Stage != auth.OwesPassword {
			t.Fatal("other roles are as before", in.Stage, err)
		}
	})
}

func TestTemporaryPasswords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		admin := x.in(auth.Full)
		if err := x.RequireFactor(x.as(admin), "main", []access.Role{access.Member}); err != nil {
			t.Fatal(err)
		}
		bob, err := x.AddUser(x.as(admin), "main", auth.NewUser{Email: "bob@example.com", Password: password, Role: access.Member, Locale: "en", Temporary: true})
		if err != nil {
			t.Fatal(err)
		}
		in, err := signIn(x.Context(), x.Service, bob.Email, password, "b")
		if err != nil || in.Stage != auth.OwesPassword {
			t.Fatal(in.Stage, err)
		}
		for given, want := range map[string]string{password: "auth.password_same", "short": "auth.password_short", "bob12345": "auth.password_own", "shop2026!": "auth.password_own", "woaini1314": "auth.password_common"} {
			_, err = x.PassPassword(x.as(in), in.Identity, given, auth.Peer{})
			wantCode(t, err, want)
		}
		next, err := x.PassPassword(x.as(in), in.Identity, "my own long words", auth.Peer{})
		if err != nil || next.Stage != auth.OwesEnrolment || x.alive(in.Token) {
			t.Fatal(next.Stage, err)
		}
		_, err = x.PassPassword(x.as(next), next.Identity, "yet another one", auth.Peer{})
		wantCode(t, err, "auth.step_over")
		_, err = signIn(x.Context(), x.Service, bob.Email, password, "b")
		wantCode(t, err, "auth.bad_credentials")
		temporary := "given by the admin"
		if _, err := x.ChangeUser(x.as(admin), "main", bob.ID, auth.UserChange{Password: &temporary, Temporary: true}); err != nil {
			t.Fatal(err)
		}
		if x.alive(next.Token) {
			t.Error("a session outlived the change of its password")
		}
		if in, err = signIn(x.Context(), x.Service, bob.Email, temporary, "b"); err != nil || in.Stage != auth.OwesPassword {
			t.Fatal(in.Stage, err)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		ctx := x.Context()
		open := func(agent string) auth.SignedIn {
			in, err := x.SignIn(ctx, auth.Credentials{Email: "ann@example.com", Password: password, Address: "2.2.2.2", Agent: agent + "\x00\n" + strings.Repeat("x", 500)})
			if err != nil {
				t.Fatal(err)
			}
			x.clock.Advance(time.Minute)
			return in
		}
		phone, desk, old := open("iPhone"), open("Firefox/140.0"), open("Chrome/1")
		list, err := x.Sessions(ctx, x.ann.ID)
		if err != nil || len(list) != 3 || list[0].Hash != old.Session || !strings.HasPrefix(list[2].Peer.Agent, "iPhonexxx") || len(list[2].Peer.Agent) != 300 || list[2].Peer.Address != "2.2.2.2" {
			t.Fatalf("%+v %v", list, err)
		}
		if name := list[0].Name(); strings.HasPrefix(old.Token, name) || name == old.Session {
			t.Fatal("the name of a session tells too much")
		}
		bob, err := x.AddUser(x.as(desk), "main", auth.NewUser{Email: "bob@example.com", Password: password, Role: access.Member, Locale: "en"})
		if err != nil {
			t.Fatal(err)
		}
		theirs, _ := signIn(ctx, x.Service, bob.Email, password, "b")
		wantCode(t, x.Revoke(x.as(theirs), theirs.Identity, list[0].Name()), "auth.session_unknown") // of another person
		wantCode(t, x.Revoke(x.as(desk), desk.Identity, "%"), "auth.session_unknown")
		if err := x.Revoke(x.as(desk), desk.Identity, list[0].Name()); err != nil || x.alive(old.Token) {
			t.Fatal("not ended", err)
		}
		if n, err := x.RevokeOthers(x.as(desk), desk.Identity); err != nil || n != 1 || x.alive(phone.Token) || !x.alive(desk.Token) {
			t.Fatal(n, err)
		}
		if n, err := x.RevokeAllOf(x.as(desk), "main", bob.ID); err != nil || n != 1 || x.alive(theirs.Token) {
			t.Fatal(n, err)
		}
		_, err = x.RevokeAllOf(x.as(desk), "elsewhere", bob.ID)
		wantCode(t, err, "auth.user_unknown")
		x.clock.Advance(61 * time.Minute)
		if list, err = x.Sessions(ctx, x.ann.ID); err != nil || len(list) != 0 {
			t.Fatalf("an idle session is listed: %v %v", list, err)
		}
	})
}

func TestSignInHistory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		ctx := x.Context()
		admin := x.in(auth.Full)
		bob, err := x.AddUser(x.as(admin), "main", auth.NewUser{Email: "bob@example.com", Name: "Bob", Password: password, Role: access.Member, Locale: "en"})
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			_, _ = signIn(ctx, x.Service, bob.Email, "wrong wrong", "3.3.3.3")
		}
		_, _ = signIn(ctx, x.Service, "nobody@example.com", "wrong wrong", "4.4.4.4")
		yes := true
		if _, err := x.ChangeUser(x.as(admin), "main", bob.ID, auth.UserChange{Disabled: &yes}); err != nil {
			t.Fatal(err)
		}
		_, _ = signIn(ctx, x.Service, bob.Email, password, "5.5.5.5")
		if got, want := x.outcomes(), "ok "+strings.Repeat("wrong_password ", 5)+"locked unknown_account disabled"; got != want {
			t.Fatalf("%s\nwant %s", got, want)
		}
		page, err := s.ListSignIns(ctx, auth.SignInFilter{UserID: bob.ID, Workspace: "main", Limit: 3})
		if err != nil || len(page) != 3 || page[0].Outcome != auth.OutcomeDisabled || page[0].Name != "Bob" || page[0].Peer.Address != "5.5.5.5" {
			t.Fatalf("%+v %v", page, err)
		}
		rest, err := s.ListSignIns(ctx, auth.SignInFilter{UserID: bob.ID, Workspace: "main", Before: page[2].ID, Limit: 10})
		if err != nil || len(rest) != 4 {
			t.Fatalf("%d %v", len(rest), err)
		}
		if own, err := s.ListSignIns(ctx, auth.SignInFilter{UserID: x.ann.ID, Limit: 10}); err != nil || len(own) != 1 {
			t.Fatalf("%+v %v", own, err)
		}
		if far, err := s.ListSignIns(ctx, auth.SignInFilter{UserID: bob.ID, Workspace: "elsewhere", Limit: 10}); err != nil || len(far) != 0 {
			t.Fatalf("seen from another workspace: %+v %v", far, err)
		}
		if err := s.Sweep(ctx, x.clock.Now().Add(181*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := x.outcomes(); got != "" {
			t.Fatal("kept for ever:", got)
		}
	})
}

func TestAFactorIsReset(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		x := newTrusted(t, s)
		_, _, on := x.enrol(x.in(auth.Full))
		ctx := x.as(on)
		wantCode(t, x.ResetFactorOf(ctx, "main", "nobody@example.com"), "auth.user_unknown")
		if err := x.ResetFactorOf(ctx, "main", "ANN@example.com"); err != nil || x.alive(on.Token) {
			t.Fatal(err)
		}
		wantCode(t, x.ResetFactorOf(ctx, "main", "ann@example.com"), "auth.factor_none")
		_, _, on = x.enrol(x.in(auth.Full))
		if err := x.ResetFactor(ctx, "main", x.ann.ID); err != nil || x.alive(on.Token) {
			t.Fatal(err)
		}
		x.in(auth.Full)
		if got := x.actions(); strings.Count(got, "factor.reset") != 2 {
			t.Fatal(got)
		}
	})
}

package instance_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
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
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

var schemas atomic.Int64

// each runs a test on SQLite and, where an address is given, on PostgreSQL in a schema of its own.
func each(t *testing.T, fn func(t *testing.T, s *instance.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		s, err := instance.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "instance.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		fn(t, s)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
		if url == "" {
			t.Skip("GUANXI_TEST_POSTGRES_URL is not set")
		}
		schema := fmt.Sprintf("test_instance_%d_%d", os.Getpid(), schemas.Add(1))
		s, err := instance.OpenPostgres(t.Context(), url, schema)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = s.Drop(context.Background(), schema)
			_ = s.Close()
		})
		fn(t, s)
	})
}

var start = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func service(s *instance.Store) (*auth.Service, *clock.Fake) {
	c := clock.NewFake(start)
	return auth.New(auth.Config{Store: s, Clock: c, IDs: id.NewGenerator(c, 1), Hasher: auth.NewHasher(auth.Cost{MemoryKiB: 64, Passes: 1}), Idle: time.Hour, Max: 24 * time.Hour}), c
}

const password = "correct horse staple"

func setUp(t *testing.T, a *auth.Service) auth.User {
	t.Helper()
	u, _, err := a.Initialise(t.Context(), auth.Setup{Email: "Ann@Example.com", Password: password, Name: "Ann", Workspace: "Shop", Locale: "en", Timezone: "Asia/Shanghai", Currency: "CNY"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("error %v, want %s", err, code)
	}
}

func signIn(ctx context.Context, a *auth.Service, email, pass, address string) (auth.SignedIn, error) {
	return a.SignIn(ctx, auth.Credentials{Email: email, Password: pass, Address: address})
}

func TestFirstRunHappensOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, _ := service(s)
		if needed, err := a.NeedsSetup(t.Context()); err != nil || !needed {
			t.Fatal(needed, err)
		}
		var won atomic.Int32
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				_, _, err := a.Initialise(context.Background(), auth.Setup{Email: fmt.Sprintf("u%d@example.com", i), Password: password, Workspace: "W", Locale: "en", Timezone: "UTC", Currency: "EUR"})
				if err == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d set-ups succeeded", won.Load())
		}
		_, _, err := a.Initialise(t.Context(), auth.Setup{Email: "x@example.com", Password: password, Workspace: "W", Locale: "en", Timezone: "UTC", Currency: "EUR"})
		wantCode(t, err, "auth.already_set_up")
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, c := service(s)
		setUp(t, a)
		ctx := t.Context()
		in, err := signIn(ctx, a, "ann@example.COM", password, "1.2.3.4")
		if err != nil {
			t.Fatal(err)
		}
		who, err := a.Authenticate(ctx, in.Token, "")
		if err != nil || who.Actor.Role != access.Administrator || who.Workspace.Key != "main" {
			t.Fatalf("%+v %v", who, err)
		}
		_, err = a.Authenticate(ctx, in.Token, "other")
		wantCode(t, err, "auth.no_workspace")
		_, err = a.Authenticate(ctx, in.Token+"x", "")
		wantCode(t, err, "auth.session_ended")

		c.Advance(59 * time.Minute)
		if _, err := a.Authenticate(ctx, in.Token, ""); err != nil {
			t.Fatal("a used session ended:", err)
		}
		c.Advance(61 * time.Minute)
		_, err = a.Authenticate(ctx, in.Token, "")
		wantCode(t, err, "auth.session_ended") // idle

		long, err := signIn(ctx, a, "ann@example.com", password, "1.2.3.4")
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			c.Advance(50 * time.Minute)
			_, err = a.Authenticate(ctx, long.Token, "")
		}
		wantCode(t, err, "auth.session_ended") // absolute

		out, err := signIn(ctx, a, "ann@example.com", password, "1.2.3.4")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.SignOut(ctx, out.Identity); err != nil {
			t.Fatal(err)
		}
		_, err = a.Authenticate(ctx, out.Token, "")
		wantCode(t, err, "auth.session_ended")
	})
}

func TestCredentialChangesEndOtherSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, _ := service(s)
		setUp(t, a)
		ctx := t.Context()
		mine, _ := signIn(ctx, a, "ann@example.com", password, "a")
		other, _ := signIn(ctx, a, "ann@example.com", password, "b")
		bad, fresh := "nope nope nope", "a fresh long one"
		_, _, err := a.ChangeSelf(ctx, mine.Identity, auth.SelfChange{CurrentPassword: &bad, NewPassword: &fresh})
		wantCode(t, err, "auth.current_password_wrong")
		current := password
		_, again, err := a.ChangeSelf(ctx, mine.Identity, auth.SelfChange{CurrentPassword: &current, NewPassword: &fresh})
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{"own old": mine.Token, "other": other.Token} {
			if _, err := a.Authenticate(ctx, token, ""); err == nil {
				t.Errorf("the %s session lives on", name)
			}
		}
		if _, err := a.Authenticate(ctx, again.Token, ""); err != nil {
			t.Error("the rotated session does not work:", err)
		}
		if _, err := signIn(ctx, a, "ann@example.com", password, "c"); err == nil {
			t.Error("the old password still works")
		}
	})
}

func TestPeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, _ := service(s)
		ann := setUp(t, a)
		ctx := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: ann.ID, Name: "Ann", Role: access.Administrator})
		bob, err := a.AddUser(ctx, "main", auth.NewUser{Email: "bob@example.com", Password: password, Role: access.Member, Locale: "en"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.AddUser(ctx, "main", auth.NewUser{Email: "BOB@example.com", Password: password, Role: access.Member, Locale: "en"})
		wantCode(t, err, "auth.email_taken")
		_, err = a.AddUser(ctx, "main", auth.NewUser{Email: "no address", Password: "short", Role: "boss", Locale: "en"})
		if f, _ := fault.Find(err); f == nil || len(f.Items) != 3 {
			t.Fatalf("not all faults told: %v", err)
		}
		in, err := signIn(ctx, a, "bob@example.com", password, "a")
		if err != nil {
			t.Fatal(err)
		}
		role := access.Manager
		if _, err := a.ChangeUser(ctx, "main", bob.ID, auth.UserChange{Role: &role}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Authenticate(ctx, in.Token, ""); err == nil {
			t.Error("a session outlived a change of role")
		}
		member, yes := access.Member, true
		_, err = a.ChangeUser(ctx, "main", ann.ID, auth.UserChange{Role: &member})
		wantCode(t, err, "auth.last_administrator")
		_, err = a.ChangeUser(ctx, "main", ann.ID, auth.UserChange{Disabled: &yes})
		wantCode(t, err, "auth.last_administrator")
		if _, err := a.ChangeUser(ctx, "main", bob.ID, auth.UserChange{Disabled: &yes}); err != nil {
			t.Fatal(err)
		}
		_, err = signIn(ctx, a, "bob@example.com", password, "z")
		wantCode(t, err, "auth.bad_credentials")
		_, err = a.ChangeUser(ctx, "elsewhere", bob.ID, auth.UserChange{Disabled: &yes})
		wantCode(t, err, "auth.user_unknown")
	})
}

func TestGuessingIsSlowedAndTellsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, c := service(s)
		setUp(t, a)
		ctx := t.Context()
		for _, email := range []string{"ann@example.com", "nobody@example.com"} {
			codes := ""
			for range 7 {
				_, err := signIn(ctx, a, email, "wrong wrong", "9.9.9.9")
				codes += fault.CodeOf(err) + " "
			}
			want := strings.Repeat("auth.bad_credentials ", 5) + strings.Repeat("auth.locked ", 2)
			if codes != want {
				t.Fatalf("%s: %s", email, codes)
			}
		}
		_, err := signIn(ctx, a, "ann@example.com", password, "9.9.9.9")
		wantCode(t, err, "auth.locked")
		if _, err := signIn(ctx, a, "ann@example.com", password, "7.7.7.7"); err != nil {
			t.Fatal("the owner is locked out from elsewhere:", err)
		}
		c.Advance(16 * time.Minute)
		if _, err := signIn(ctx, a, "ann@example.com", password, "9.9.9.9"); err != nil {
			t.Fatal("still locked after the pause:", err)
		}
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, _ := service(s)
		ann := setUp(t, a)
		ctx := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: ann.ID, Role: access.Administrator})
		_, _, err := a.NewKey(ctx, "main", "n", []string{"everything"})
		wantCode(t, err, "auth.scope_unknown")
		k, secret, err := a.NewKey(ctx, "main", "reader", []string{"read"})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(secret, "gxk_") || len(secret) < 40 || strings.Contains(k.Hash, secret[4:]) {
			t.Fatalf("secret %q", secret)
		}
		who, err := a.AuthenticateKey(ctx, secret)
		if err != nil || !who.Actor.Can(access.RecordRead) || who.Actor.Can(access.RecordCreate) || who.Actor.Can(access.UserManage) {
			t.Fatalf("%+v %v", who.Actor, err)
		}
		wantCode(t, a.RevokeKey(ctx, "other", k.ID), "auth.key_unknown")
		if err := a.RevokeKey(ctx, "main", k.ID); err != nil {
			t.Fatal(err)
		}
		_, err = a.AuthenticateKey(ctx, secret)
		wantCode(t, err, "auth.bad_key")
	})
}

func TestTrail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, _ := service(s)
		setUp(t, a)
		ctx := t.Context()
		_, _ = signIn(ctx, a, "ann@example.com", password, "1.1.1.1")
		_, _ = signIn(ctx, a, "ann@example.com", "wrong wrong", "1.1.1.1")
		es, err := s.ListAudit(ctx, auth.EntryFilter{Workspace: "main", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var actions []string
		for _, e := range es {
			actions = append(actions, e.Action)
			if strings.Contains(fmt.Sprint(e.Detail), "ann@") {
				t.Error("the trail of a refused attempt holds the address typed")
			}
		}
		if got := strings.Join(actions, " "); got != "session.refused session.create instance.setup" {
			t.Fatal(got)
		}
		es, err = s.ListAudit(ctx, auth.EntryFilter{Workspace: "main", Action: "session.", Before: es[0].ID, Limit: 10})
		if err != nil || len(es) != 1 || es[0].Action != "session.create" {
			t.Fatalf("%v %v", es, err)
		}
	})
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		ctx := t.Context()
		_, _, first, err := s.Claim(ctx, "k", "d", start, time.Minute)
		if err != nil || !first {
			t.Fatal(first, err)
		}
		_, _, _, err = s.Claim(ctx, "k", "d", start, time.Minute)
		wantCode(t, err, "api.idempotency_running")
		if err := s.Fill(ctx, "k", 201, `{"a":1}`); err != nil {
			t.Fatal(err)
		}
		status, body, first, err := s.Claim(ctx, "k", "d", start, time.Minute)
		if err != nil || first || status != 201 || body != `{"a":1}` {
			t.Fatal(status, body, first, err)
		}
		_, _, _, err = s.Claim(ctx, "k", "another", start, time.Minute)
		wantCode(t, err, "api.idempotency_reused")
		if _, _, first, err = s.Claim(ctx, "k", "another", start.Add(25*time.Hour), time.Minute); err != nil || !first {
			t.Fatal("an answer outlived its day:", first, err)
		}
		if _, _, first, err = s.Claim(ctx, "k", "another", start.Add(25*time.Hour+2*time.Minute), time.Minute); err != nil || !first {
			t.Fatal("a claim of a request that died is never free:", first, err)
		}
	})
}

func TestJobs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		ctx, c := t.Context(), clock.NewFake(start)
		var ran []string
		fail := 2
		q := job.New(job.Config{Store: s, Clock: c, IDs: id.NewGenerator(c, 1), Log: slog.New(slog.DiscardHandler), Handlers: map[string]job.Handler{
			"ok": func(_ context.Context, j job.Job) error { ran = append(ran, j.Args); return nil },
			"flaky": func(context.Context, job.Job) error {
				fail--
				ran = append(ran, "try")
				if fail >= 0 {
					return fmt.Errorf("not yet")
				}
				return nil
			},
			"bad":   func(context.Context, job.Job) error { return fault.New(fault.Invalid, "x.y", nil) },
			"panic": func(context.Context, job.Job) error { panic("boom") },
		}})
		if added, err := q.Add(ctx, job.Job{Kind: "ok", Workspace: "main", Args: "1", Unique: "u"}); err != nil || !added {
			t.Fatal(added, err)
		}
		if added, err := q.Add(ctx, job.Job{Kind: "ok", Workspace: "main", Args: "2", Unique: "u"}); err != nil || added {
			t.Fatal("a second job under one key:", added, err)
		}
		if n, err := s.Pending(ctx, "main", "ok"); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		step := func(want bool) {
			t.Helper()
			if did, err := q.Step(ctx); err != nil || did != want {
				t.Fatal(did, err)
			}
		}
		step(true)
		step(false)
		if added, err := q.Add(ctx, job.Job{Kind: "ok", Workspace: "main", Args: "3", Unique: "u"}); err != nil || !added {
			t.Fatal("the key is not free after the job:", err)
		}
		step(true)
		_, _ = q.Add(ctx, job.Job{Kind: "flaky", Workspace: "main"})
		step(true)
		step(false) // it waits
		c.Advance(time.Minute)
		step(true)
		c.Advance(time.Minute)
		step(true)
		c.Advance(time.Hour)
		step(false)
		if got := strings.Join(ran, " "); got != "1 3 try try try" {
			t.Fatal(got)
		}
		_, _ = q.Add(ctx, job.Job{Kind: "bad", Workspace: "main"})
		step(true)
		c.Advance(24 * time.Hour)
		step(false) // wrong input is not tried again
		_, _ = q.Add(ctx, job.Job{Kind: "panic", Workspace: "main"})
		step(true)
	})
}

func TestALeaseThatEndsIsTakenOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		ctx := t.Context()
		if _, err := s.Enqueue(ctx, job.Job{ID: 1, Kind: "k", Workspace: "w", Unique: "u", RunAt: start, CreatedAt: start}); err != nil {
			t.Fatal(err)
		}
		first, ok, err := s.Lease(ctx, start, start.Add(time.Minute))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, ok, _ := s.Lease(ctx, start.Add(30*time.Second), start.Add(2*time.Minute)); ok {
			t.Fatal("two workers have one job")
		}
		second, ok, err := s.Lease(ctx, start.Add(2*time.Minute), start.Add(3*time.Minute))
		if err != nil || !ok || second.Attempts != 2 {
			t.Fatalf("%+v %v %v", second, ok, err)
		}
		if err := s.Finish(ctx, first, job.Done, "", start, start); err != nil {
			t.Fatal(err)
		}
		if n, _ := s.Pending(ctx, "w", "k"); n != 1 {
			t.Fatal("the worker that lost its lease ended the job")
		}
	})
}

// TestOneLeads: a duty is one process's, and free at once when its connection ends, however that ends.
func TestOneLeads(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		first, ok, err := s.Take(t.Context(), "k")
		if strings.HasSuffix(t.Name(), "sqlite") {
			if err == nil {
				t.Error("embedded storage shares duties out")
			}
			return
		}
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		take := func(key string, want bool) *instance.Duty {
			t.Helper()
			d, ok, err := s.Take(t.Context(), key)
			if err != nil || ok != want {
				t.Fatalf("%s: %v %v", key, ok, err)
			}
			return d
		}
		take("k", false)
		if err := take("other", true).Release(t.Context()); err != nil {
			t.Error(err)
		}
		if err := first.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := first.Release(t.Context()); err != nil {
			t.Error(err)
		}
		second := take("k", true)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := second.Check(ended); err == nil {
			t.Error("a duty whose server does not answer is kept")
		}
		if err := second.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if err := take("k", true).Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestWhatIsRevokedIsOverAtOnce: whoever is answered that a key or a session has ended finds that it has, however many others
// ask for it at the same time.
func TestWhatIsRevokedIsOverAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, c := service(s)
		u := setUp(t, a)
		ctx := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: u.ID, Role: access.Administrator})
		var secret atomic.Value
		secret.Store("gxk_none")
		stop := make(chan struct{})
		var others sync.WaitGroup
		for range 4 {
			others.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = a.AuthenticateKey(ctx, secret.Load().(string)) // may be revoked meanwhile
					}
				}
			})
		}
		defer others.Wait()
		defer close(stop)
		for range 10 {
			k, text, err := a.NewKey(ctx, "main", "k", []string{"read"})
			if err != nil {
				t.Fatal(err)
			}
			secret.Store(text)
			for range 3 {
				if who, err := a.AuthenticateKey(ctx, text); err != nil || who.Key.ID != k.ID || who.Workspace.Currency != "CNY" {
					t.Fatal(who, err)
				}
			}
			if err := a.RevokeKey(ctx, "main", k.ID); err != nil {
				t.Fatal(err)
			}
			_, err = a.AuthenticateKey(ctx, text)
			wantCode(t, err, "auth.bad_key")
		}
		in, err := a.SignIn(ctx, auth.Credentials{Email: "ann@example.com", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if who, err := a.Authenticate(ctx, in.Token, ""); err != nil || who.User.ID != u.ID || who.Actor.Role != access.Administrator {
				t.Fatal(who, err)
			}
		}
		if err := s.SetFactorRoles(ctx, "main", []access.Role{access.Manager}); err != nil {
			t.Fatal(err)
		}
		if who, err := a.Authenticate(ctx, in.Token, ""); err != nil || len(who.Workspace.FactorRoles) != 1 {
			t.Fatal(who.Workspace, err)
		}
		c.Advance(2 * time.Hour) // nothing was written: the session is idle by the clock alone
		_, err = a.Authenticate(ctx, in.Token, "")
		wantCode(t, err, "auth.session_ended")
	})
}

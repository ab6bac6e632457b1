package instance_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/store/instance"
)

// TestRecoveryCodesOfBeforeStayGood: they belonged to the authenticator, and belong to the person.
func TestRecoveryCodesOfBeforeStayGood(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instance.db")
	salt := base64.StdEncoding.EncodeToString([]byte("sixteen bytes ok"))
	fill(t, path, "0001_instance", "0002_trust", "0003_chain", "0006_ticket",
		"CREATE TABLE instance_version (version BIGINT NOT NULL)", "INSERT INTO instance_version VALUES (4)",
		"INSERT INTO factor VALUES (7, 'c2VjcmV0', 1, 2, 3, '"+salt+"'), (8, 'c2VjcmV0', 1, 0, 0, '')",
		"INSERT INTO recovery_code VALUES (7, 'one', 0), (7, 'two', 5)")
	s, err := instance.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	got, left, err := s.FindRecovery(t.Context(), 7)
	if err != nil || string(got) != "sixteen bytes ok" || left != 1 {
		t.Fatalf("%q %d %v", got, left, err)
	}
	if left, ok, err := s.UseRecovery(t.Context(), 7, "one", start); err != nil || !ok || left != 0 {
		t.Fatal(left, ok, err)
	}
	if got, _, err := s.FindRecovery(t.Context(), 8); err != nil || got != nil {
		t.Fatalf("an enrolment that was never confirmed has codes: %q %v", got, err)
	}
}

// fill runs migrations, by name, and statements on a new file.
func fill(t *testing.T, path string, steps ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, step := range steps {
		if raw, err := os.ReadFile(filepath.Join("migrations", step+".sql")); err == nil {
			step = string(raw)
		}
		if _, err := db.Exec(step); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
}

// freshOver is longer than a sign-in speaks for a person without a password.
const freshOver = 11 * time.Minute

// TestAHouseFullOfPeopleGetsIn: right passwords from one address do not slow it, and do not clear what wrong ones have counted.
func TestAHouseFullOfPeopleGetsIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *instance.Store) {
		a, clock := service(s)
		setUp(t, a)
		for range 60 {
			if _, err := signIn(t.Context(), a, "ann@example.com", password, "1.1.1.1"); err != nil {
				t.Fatal(err)
			}
		}
		locked := 0
		for n := range 40 {
			_, err := signIn(t.Context(), a, fmt.Sprintf("nobody%d@example.com", n), password, "1.1.1.1")
			if fault.CodeOf(err) == "auth.locked" {
				locked++
			}
			if n < 29 {
				if _, err := signIn(t.Context(), a, "ann@example.com", password, "1.1.1.1"); err != nil {
					t.Fatalf("after %d wrong ones: %v", n+1, err)
				}
			}
		}
		if locked != 10 {
			t.Fatalf("%d of 40 guesses of one address had to wait", locked)
		}
		clock.Advance(2 * time.Hour)
		if _, err := signIn(t.Context(), a, "ann@example.com", password, "1.1.1.1"); err != nil {
			t.Fatal(err)
		}
	})
}

// door vouches for whom it is told.
type door struct{ claims auth.Claims }

func (d *door) Look(context.Context, *auth.Provider) (auth.DoorSigns, error) {
	return auth.DoorSigns{}, nil
}
func (d *door) Ask(_ context.Context, _ *auth.Provider, in auth.DoorAsk) (string, error) {
	return "https://login.example.com/?state=" + in.State, nil
}
func (d *door) Take(context.Context, *auth.Provider, string, auth.DoorAnswer) (auth.Claims, error) {
	return d.claims, nil
}
func (d *door) End(context.Context, *auth.Provider, string, string) (string, error) { return "", nil }
func (d *door) Ended(context.Context, *auth.Provider, string) (string, string, error) {
	return "", "", nil
}

// TestAProviderOpensItsOwnWorkspaceAlone: whoever administers one workspace, and so says who vouches for its people, gets nobody into
// another one; and where a workspace takes a provider's word alone, a password opens the person's others.
func TestAProviderOpensItsOwnWorkspaceAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instance.db")
	s, err := instance.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a, clock := service(s)
	keys, err := crypt.New("@instance", bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	d := &door{}
	a.Vault, a.Door = ring{keys}, d
	ann := setUp(t, a)
	ctx := access.With(t.Context(), access.Actor{Kind: access.BySystem, Role: access.Administrator})
	if err := a.CreateWorkspace(ctx, auth.Workspace{Key: "other", Name: "Other", Timezone: "UTC", Currency: "CNY", Locale: "en"}); err != nil {
		t.Fatal(err)
	}
	bob, err := a.AddUser(ctx, "other", auth.NewUser{Email: "bob@example.com", Password: password, Role: access.Member, Locale: "en"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	// The store takes nobody else for a writer: a write of its own lets it look again.
	behind := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement, int64(bob.ID)); err != nil {
			t.Fatal(err)
		}
		if err := s.TouchKey(t.Context(), 0, clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	behind("INSERT INTO membership (workspace, person, role, created_at) VALUES ('main', ?, 'member', 1)")
	p, err := a.AddProvider(ctx, "other", auth.NewProvider{Name: "Other", Issuer: "https://login.example.com", Client: "x", Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	enter := func(email string) (auth.SignedIn, error) {
		t.Helper()
		d.claims = auth.Claims{Subject: email, Email: email, Verified: true}
		to, err := a.AskProvider(t.Context(), p.ID, "https://crm.example.com", "browser")
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		return a.ProviderSignIn(t.Context(), auth.Returning{Browser: "browser", State: u.Query().Get("state"), Code: "c"})
	}
	_, err = enter(ann.Email) // of the first workspace alone
	wantCode(t, err, "auth.provider_nobody")
	in, err := enter("bob@example.com")
	if err != nil || in.Workspace.Key != "other" {
		t.Fatalf("%+v %v", in.Workspace, err)
	}
	for _, asked := range []string{"", "main", "other"} {
		who, err := a.Authenticate(t.Context(), in.Token, asked)
		if err != nil || who.Workspace.Key != "other" {
			t.Errorf("asked for %q: %q %v", asked, who.Workspace.Key, err)
		}
	}
	if err := a.RequireProvider(ctx, "other", true); err == nil {
		t.Fatal("a workspace without an administrator who has a password was locked")
	}
	if _, err := a.AddUser(ctx, "other", auth.NewUser{Email: "eve@example.com", Password: password, Role: access.Administrator, Locale: "en"}); err != nil {
		t.Fatal(err)
	}
	if err := a.RequireProvider(ctx, "other", true); err != nil {
		t.Fatal(err)
	}
	local, err := signIn(t.Context(), a, "bob@example.com", password, "1.1.1.1")
	if err != nil || local.Workspace.Key != "main" {
		t.Fatalf("%+v %v", local.Workspace, err)
	}
	if _, err := a.Authenticate(t.Context(), local.Token, "other"); err == nil {
		t.Fatal("a password opens a workspace that takes none")
	}

	t.Log("a person without a password proves who they are by a fresh sign-in, where the provider speaks for all of them")
	behind("UPDATE person SET password_hash = '' WHERE id = ?")
	in, err = enter("bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.BeginFactor(access.With(t.Context(), in.Actor), in.Identity, "")
	wantCode(t, err, "auth.sign_in_again")
	behind("DELETE FROM membership WHERE workspace = 'main' AND person = ?")
	if _, err := a.BeginFactor(access.With(t.Context(), in.Actor), in.Identity, ""); err != nil {
		t.Fatal(err)
	}
	clock.Advance(freshOver)
	who, err := a.Authenticate(t.Context(), in.Token, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.BeginFactor(access.With(t.Context(), who.Actor), who, "")
	wantCode(t, err, "auth.sign_in_again")
}

package mail_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/httpc"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/platform/mail/mailtest"
	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
	"github.com/guanxi-crm/guanxi/migrations"
)

const secret = "hunter2 and more"

// vault seals with real keys.
type vault struct{ keys *crypt.Keyring }

func (v vault) NewKey(s id.ID) ([]byte, error) {
	_, wrapped, err := v.keys.NewKey(s)
	return wrapped, err
}

func (v vault) Seal(wrapped []byte, s id.ID, field string, plain []byte) ([]byte, error) {
	key, err := v.keys.Unwrap(s, wrapped)
	if err != nil {
		return nil, err
	}
	return v.keys.Seal(key, crypt.Place{Object: "mail", Field: field, Record: s}, plain), nil
}

func (v vault) Open(wrapped []byte, s id.ID, field string, sealed []byte) ([]byte, error) {
	key, err := v.keys.Unwrap(s, wrapped)
	if err != nil {
		return nil, err
	}
	return v.keys.Open(key, crypt.Place{Object: "mail", Field: field, Record: s}, sealed)
}

func (v vault) Blind(a string) string { return v.keys.Blind("mail", strings.ToLower(a)) }

// office is the package on a real database.
type office struct {
	*testing.T
	clock   *clock.Fake
	db      sqlstore.DB
	store   *sqlstore.Mails
	queue   *mail.Queue
	service *mail.Service
	client  *mail.Client
}

var schemas atomic.Int64

// on runs a test on SQLite and, where there is one, on PostgreSQL.
func on(t *testing.T, fn func(*office)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "records.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		fn(newOffice(t, db))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := os.Getenv("GUANXI_TEST_POSTGRES_URL")
		if url == "" {
			t.Skip("GUANXI_TEST_POSTGRES_URL is not set")
		}
		schema := fmt.Sprintf("test_mail_%d_%d", os.Getpid(), schemas.Add(1))
		db, err := postgres.Open(t.Context(), postgres.Config{URL: url, Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			err := db.Write(context.Background(), func(c sqlstore.Conn) error {
				_, err := c.Exec(context.Background(), "DROP SCHEMA "+schema+" CASCADE")
				return err
			})
			if err = errors.Join(err, db.Close()); err != nil {
				t.Error(err)
			}
		})
		fn(newOffice(t, db))
	})
}

func newOffice(t *testing.T, db sqlstore.DB) *office {
	t.Helper()
	if _, err := sqlstore.Migrate(t.Context(), db, migrations.Files, "schema_version"); err != nil {
		t.Fatal(err)
	}
	keys, err := crypt.New("main", []byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	nets, err := httpc.Networks("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	o := &office{T: t, db: db, clock: clock.NewFake(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), store: sqlstore.NewMails(sqlstore.New(sqlstore.Config{DB: db}))}
	o.queue = &mail.Queue{Store: o.store, Vault: vault{keys}, Clock: o.clock, IDs: id.NewGenerator(o.clock, 1)}
	o.client = &mail.Client{Guard: &httpc.Guard{Allowed: nets}, Vault: vault{keys}, Clock: o.clock}
	o.service = mail.New(mail.Config{Queue: o.queue, Client: o.client})
	return o
}

func (o *office) admin() context.Context {
	return access.With(o.Context(), access.Actor{Kind: access.ByUser, ID: 7, Role: access.Administrator})
}

// profile makes one for a server.
func (o *office) profile(s *mailtest.Server, change func(*mail.Input)) mail.Profile {
	o.Helper()
	o.client.Roots = s.Roots
	name, from, sender, user, pass, how := "main", "office@example.com", "关系公司", "robot", secret, mail.STARTTLS
	in := mail.Input{Name: &name, Host: &s.Host, Port: &s.Port, FromAddress: &from, FromName: &sender, Username: &user, Password: &pass, Security: &how}
	if change != nil {
		change(&in)
	}
	p, err := o.service.Create(o.admin(), in)
	if err != nil {
		o.Fatal(err)
	}
	return p
}

func (o *office) enqueue(key, to string) mail.Receipt {
	o.Helper()
	r, err := o.queue.Enqueue(o.Context(), mail.Message{Key: key, Kind: "notice", To: mail.Address{Name: "王芳", Email: to}, Subject: "您好，订单 №1 已发货", Text: "第一行\n第二行 " + key, HTML: "<p>第一行</p>"})
	if err != nil {
		o.Fatal(err)
	}
	return r
}

// run sends until the test's state is reached.
func (o *office) run(until func() bool) {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), 40*time.Second)
	defer cancel()
	d := mail.NewDispatcher(mail.DispatcherConfig{Queue: o.queue, Client: o.client, Seed: 1})
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !until() {
		select {
		case err := <-done:
			o.Fatalf("the dispatcher ended: %v", err)
		case <-look.C:
			d.Notify()
		}
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		o.Fatal(err)
	}
}

func (o *office) item(key id.ID) mail.Item {
	o.Helper()
	it, err := o.store.Message(o.Context(), key)
	if err != nil {
		o.Fatal(err)
	}
	return it
}

func (o *office) becomes(key id.ID, s mail.State) mail.Item {
	o.Helper()
	o.run(func() bool { return o.item(key).State == s })
	return o.item(key)
}

func TestSentOnceOverTLS(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{User: "robot", Password: secret})
		o.profile(s, nil)
		first := o.enqueue("order:1", "Wang@Example.ORG")
		again := o.enqueue("order:1", "wang@example.org")
		if !first.Fresh || again.Fresh || again.ID != first.ID {
			o.Errorf("receipts %+v %+v", first, again)
		}
		it := o.becomes(first.ID, mail.Sent)
		if it.Content != nil || it.Mask != "W***@example.org" || it.Attempts != 1 || it.DoneAt.IsZero() {
			o.Errorf("item %+v", it)
		}
		got := s.Messages()
		if len(got) != 1 || !got[0].TLS || got[0].User != "robot" || got[0].From != "office@example.com" || got[0].To != "Wang@example.org" {
			o.Fatalf("the server got %+v", got)
		}
		m, err := netmail.ReadMessage(strings.NewReader(got[0].Data))
		if err != nil {
			o.Fatal(err)
		}
		dec := new(mimeWords)
		if v := dec.text(o.T, m.Header.Get("Subject")); v != "您好，订单 №1 已发货" {
			o.Errorf("subject %q", v)
		}
		if v := dec.text(o.T, m.Header.Get("From")); !strings.Contains(v, "关系公司") {
			o.Errorf("from %q", v)
		}
		if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Message-Id") != "<"+id.Format(mail.Prefix, first.ID)+"@example.com>" || m.Header.Get("X-Mailer") != "" {
			o.Errorf("headers %v", m.Header)
		}
		if at, err := m.Header.Date(); err != nil || !at.Equal(o.clock.Now()) {
			o.Errorf("date %v %v", at, err)
		}
		if !strings.Contains(m.Header.Get("Content-Type"), "multipart/alternative") {
			o.Errorf("content type %q", m.Header.Get("Content-Type"))
		}
		p, err := o.service.List(o.admin())
		if err != nil || p[0].LastSuccess.IsZero() || !p[0].FailingSince.IsZero() {
			o.Errorf("profile %+v %v", p, err)
		}
	})
}

// TestNothingIsReadableInTheDatabase: neither the password, nor addresses, nor what is said.
func TestNothingIsReadableInTheDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, db)
	s := mailtest.New(t, mailtest.Options{})
	o.profile(s, nil)
	if _, err := o.service.NewKey(o.admin(), o.firstProfile().ID); err != nil {
		t.Fatal(err)
	}
	o.enqueue("k1", "canary-address@example.org")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{secret, "canary-address", "第二行", "订单"} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s holds %q in clear", filepath.Base(f), word)
			}
		}
	}
}

func (o *office) firstProfile() mail.Profile {
	o.Helper()
	all, err := o.service.List(o.admin())
	if err != nil {
		o.Fatal(err)
	}
	return all[0]
}

// TestTemporaryRefusalIsTriedAgain: after its wait, and not before.
func TestTemporaryRefusalIsTriedAgain(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		o.profile(s, noLogin)
		s.Answers(func(c, _ string) string {
			if c == "RCPT" {
				return "451 4.7.1 greylisted, ask <someone@example.org> later"
			}
			return ""
		})
		r := o.enqueue("k", "wang@example.org")
		o.run(func() bool { return o.item(r.ID).Attempts == 1 })
		it := o.item(r.ID)
		if it.State != mail.Waiting || it.Reason != mail.ErrTemporary || it.Reply != "451 4.7.1 greylisted, ask <•••> later" || it.NextAt.Sub(o.clock.Now()) < time.Minute {
			o.Errorf("item %+v", it)
		}
		s.Answers(nil)
		o.clock.Advance(2 * time.Minute)
		if it = o.becomes(r.ID, mail.Sent); it.Attempts != 2 || it.Reason != "" {
			o.Errorf("item %+v", it)
		}
	})
}

// TestPermanentRefusalStopsTheAddress until a person releases it; a refusal for reasons of policy does not.
func TestPermanentRefusalStopsTheAddress(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		o.profile(s, noLogin)
		s.Answers(func(c, a string) string {
			switch {
			case c == "RCPT" && strings.Contains(a, "gone"):
				return "550 5.1.1 no such user"
			case c == "RCPT":
				return "550 5.7.1 relaying denied"
			}
			return ""
		})
		gone, policy := o.enqueue("gone", "gone@example.org"), o.enqueue("policy", "wang@example.org")
		if it := o.becomes(gone.ID, mail.Failed); it.Reason != mail.ErrAddress || it.Content == nil {
			o.Errorf("item %+v", it)
		}
		o.becomes(policy.ID, mail.Failed)
		_, err := o.queue.Enqueue(o.Context(), mail.Message{Key: "2", Kind: "notice", To: mail.Address{Email: "GONE@example.org"}, Subject: "s", Text: "t"})
		if fault.CodeOf(err) != "mail.address_stopped" {
			o.Errorf("a stopped address: %v", err)
		}
		o.enqueue("3", "wang@example.org")
		if n := len(s.Messages()); n != 0 {
			o.Errorf("%d mails were taken", n)
		}
		stopped, err := o.service.Stopped(o.admin())
		if err != nil || len(stopped) != 1 || stopped[0].Mask != "g***@example.org" {
			o.Fatalf("stopped %+v %v", stopped, err)
		}
		if err := o.service.Release(o.admin(), stopped[0].Blind); err != nil {
			o.Fatal(err)
		}
		s.Answers(nil)
		n, err := o.service.Replay(o.admin(), []id.ID{gone.ID})
		if n != 1 || err != nil {
			o.Fatalf("replayed %d %v", n, err)
		}
		o.becomes(gone.ID, mail.Sent)
	})
}

// TestAServerThatIsNotThere concerns no message: they wait and go out when it is back.
func TestAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{User: "robot", Password: "another"})
		p := o.profile(s, nil)
		r := o.enqueue("k", "wang@example.org")
		o.run(func() bool { return o.firstProfile().LastError == mail.ErrAuth })
		if it := o.item(r.ID); it.State != mail.Waiting || it.Attempts != 0 {
			o.Errorf("item %+v", it)
		}
		if p = o.firstProfile(); p.LastReply != "535 5.7.8 the password is wrong" || p.FailingSince.IsZero() {
			o.Errorf("profile %+v", p)
		}
		right := "another"
		if _, err := o.service.Update(o.admin(), p.ID, p.Version, mail.Input{Password: &right}); err != nil {
			o.Fatal(err)
		}
		o.becomes(r.ID, mail.Sent)
	})
}

// TestWhatWasLeftInTheMiddleIsNotRepeated: a message that a crash left, or whose answer was lost, waits for a person.
func TestWhatWasLeftInTheMiddleIsNotRepeated(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		p := o.profile(s, noLogin)
		crashed := o.enqueue("crashed", "wang@example.org")
		it := o.item(crashed.ID)
		it.Used, it.TriedAt = p.ID, o.clock.Now()
		if ok, err := o.store.Claim(o.Context(), it); !ok || err != nil {
			o.Fatal(ok, err)
		}
		if ok, err := o.store.Claim(o.Context(), it); ok || err != nil {
			o.Errorf("claimed twice: %v %v", ok, err)
		}
		if it = o.becomes(crashed.ID, mail.Unknown); it.Reason != mail.ErrCrash {
			o.Errorf("item %+v", it)
		}
		s.Answers(func(c, _ string) string {
			if c == "." {
				return mailtest.Hang
			}
			return ""
		})
		lost := o.enqueue("lost", "wang@example.org")
		if it = o.becomes(lost.ID, mail.Unknown); it.Reason != mail.ErrBroken {
			o.Errorf("item %+v", it)
		}
		s.Answers(nil)
		o.clock.Advance(48 * time.Hour)
		after := o.enqueue("after", "wang@example.org")
		o.becomes(after.ID, mail.Sent)
		if got := s.Messages(); len(got) != 2 { // the lost one arrived
			o.Errorf("the server got %d mails", len(got))
		}
		if n, err := o.service.Replay(o.admin(), []id.ID{crashed.ID}); n != 1 || err != nil {
			o.Fatal(n, err)
		}
		if n, err := o.service.Cancel(o.admin(), []id.ID{lost.ID}); n != 1 || err != nil {
			o.Fatal(n, err)
		}
		o.becomes(crashed.ID, mail.Sent)
		if it = o.item(lost.ID); it.State != mail.Cancelled {
			o.Errorf("item %+v", it)
		}
	})
}

// TestWhoWasThoughtToBeGone: a process that another took the place of learns what became of its own attempt, and of no other.
func TestWhoWasThoughtToBeGone(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		p := o.profile(mailtest.New(o.T, mailtest.Options{}), noLogin)
		key := o.enqueue("slow", "wang@example.org").ID
		it := o.item(key)
		it.Used, it.TriedAt = p.ID, o.clock.Now()
		if ok, err := o.store.Claim(o.Context(), it); !ok || err != nil {
			o.Fatal(ok, err)
		}
		o.becomes(key, mail.Unknown)
		tried := it.TriedAt
		it.State, it.DoneAt = mail.Sent, o.clock.Now()
		for _, x := range []struct {
			tried time.Time
			want  mail.State
		}{{tried.Add(time.Second), mail.Unknown}, {tried, mail.Sent}} {
			it.TriedAt = x.tried
			if err := o.store.Finish(o.Context(), mail.Outcome{Item: it, At: o.clock.Now(), Good: true}, mail.Sending); err != nil || o.item(key).State != x.want {
				o.Errorf("stands at %s, not %s; %v", o.item(key).State, x.want, err)
			}
		}
	})
}

// TestLimits: a profile sends no more in a minute than it may.
func TestLimits(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		o.profile(s, func(in *mail.Input) { noLogin(in); n := 3; in.PerMinute = &n })
		for i := range 5 {
			o.enqueue(fmt.Sprint(i), "wang@example.org")
		}
		o.run(func() bool { return len(s.Messages()) == 3 })
		looks := 0
		o.run(func() bool { looks++; return looks > 20 })
		if n := len(s.Messages()); n != 3 {
			o.Errorf("%d mails in a minute", n)
		}
		o.clock.Advance(61 * time.Second)
		o.run(func() bool { return len(s.Messages()) == 5 })
	})
}

// TestManyOverFewConnections: many mails use the same connections, and each goes out once.
func TestManyOverFewConnections(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{User: "robot", Password: secret})
		o.profile(s, nil)
		for i := range 300 {
			o.enqueue(fmt.Sprint(i), fmt.Sprintf("p%d@example.org", i))
		}
		o.run(func() bool { c, err := o.store.Counts(o.Context()); return err == nil && len(c) == 0 })
		seen := map[string]int{}
		for _, m := range s.Messages() {
			seen[m.To]++
		}
		if len(seen) != 300 || len(s.Messages()) != 300 || s.Dials() > 8 {
			o.Errorf("%d people, %d mails, %d connections", len(seen), len(s.Messages()), s.Dials())
		}
	})
}

// TestStoppedWhileItWaits: of several mails to an address that bounces, the later ones end without being sent.
func TestStoppedWhileItWaits(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		first, second := o.enqueue("1", "gone@example.org"), o.enqueue("2", "gone@example.org")
		n := 0
		s.Answers(func(c, _ string) string {
			if c == "RCPT" {
				if n++; n == 1 {
					return "550 5.1.1 no such user"
				}
			}
			return ""
		})
		o.profile(s, noLogin)
		o.becomes(first.ID, mail.Failed)
		if it := o.becomes(second.ID, mail.Failed); it.Reason != mail.ErrStopped || len(s.Messages()) != 0 {
			o.Errorf("item %+v", it)
		}
	})
}

// TestErase: nothing about a person stays but the keyed index of an address that bounced.
func TestErase(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		kept, err := o.queue.Enqueue(o.Context(), mail.Message{Key: "kept", Kind: "customer", To: mail.Address{Email: "wang@example.org"}, Subject: "s", Text: "t", About: mail.About{Object: "customer", Record: 77}, Keep: true})
		if err != nil {
			o.Fatal(err)
		}
		other, same := o.enqueue("other", "li@example.org"), o.enqueue("same", "WANG@example.org")
		n, err := o.store.EraseAbout(o.Context(), 77, o.queue.Vault.Blind("wang@example.org"))
		if err != nil || n != 2 {
			o.Errorf("erased %d %v", n, err)
		}
		for _, key := range []id.ID{kept.ID, same.ID} {
			if _, err := o.store.Message(o.Context(), key); fault.KindOf(err) != fault.NotFound {
				o.Errorf("still there: %v", err)
			}
		}
		o.item(other.ID)
	})
}

func TestExpires(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		r, err := o.queue.Enqueue(o.Context(), mail.Message{Key: "k", Kind: "reset", To: mail.Address{Email: "wang@example.org"}, Subject: "s", Text: "t", Until: o.clock.Now().Add(time.Hour)})
		if err != nil {
			o.Fatal(err)
		}
		o.clock.Advance(2 * time.Hour)
		o.profile(s, noLogin)
		if it := o.becomes(r.ID, mail.Failed); it.Reason != mail.ErrExpired || len(s.Messages()) != 0 {
			o.Errorf("item %+v", it)
		}
	})
}

// TestSignature: an independent check finds the signature good, also over the headers that let people stop mails.
func TestSignature(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		p := o.profile(s, noLogin)
		p, err := o.service.NewKey(o.admin(), p.ID)
		if err != nil {
			o.Fatal(err)
		}
		name, value := p.Record()
		if !strings.HasSuffix(name, "._domainkey.example.com") || p.On {
			o.Errorf("record %q %v", name, p.On)
		}
		yes := true
		if _, err := o.service.Update(o.admin(), p.ID, 0, mail.Input{Sign: &yes}); err != nil {
			o.Fatal(err)
		}
		r, err := o.queue.Enqueue(o.Context(), mail.Message{Key: "k", Kind: "notice", To: mail.Address{Email: "wang@example.org"}, Subject: "签名", Text: "正文\n.点开头的一行\n", HTML: "<p>正文</p>",
			Stop: "https://crm.example.com/api/v1/mail/stop/abc", Files: []mail.File{{Name: "清单.csv", Type: "text/csv", Content: []byte("a,b\r\n1,2\r\n")}},
			Calendar: &mail.Calendar{Method: "REQUEST", Text: "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"}})
		if err != nil {
			o.Fatal(err)
		}
		o.becomes(r.ID, mail.Sent)
		data := strings.ReplaceAll(strings.ReplaceAll(s.Messages()[0].Data, "\r\n", "\n"), "\n", "\r\n")
		found, err := dkim.VerifyWithOptions(strings.NewReader(data), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
			if domain != name {
				return nil, errors.New("asked for " + domain)
			}
			return []string{value}, nil
		}})
		if err != nil || len(found) != 1 || found[0].Err != nil || found[0].Domain != "example.com" {
			o.Fatalf("signatures %+v %v\n%s", found, err, data)
		}
		covered := strings.ToLower(strings.Join(found[0].HeaderKeys, " "))
		for _, h := range []string{"list-unsubscribe", "list-unsubscribe-post", "subject", "from", "date", "message-id"} {
			if !strings.Contains(covered+" ", h+" ") {
				o.Errorf("%s is not covered: %s", h, covered)
			}
		}
		if !strings.Contains(data, "List-Unsubscribe: <https://crm.example.com/api/v1/mail/stop/abc>\r\n") || !strings.Contains(data, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") {
			o.Error("the headers that stop are not as they should be")
		}
		if !strings.Contains(data, "text/calendar; method=REQUEST") || !strings.Contains(data, base64.StdEncoding.EncodeToString([]byte("BEGIN:VCALENDAR"))[:18]) {
			o.Error("the calendar is missing")
		}
	})
}

// TestDiagnosis: a test mail says at which step it failed and why.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port that nobody listens at
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // TCP
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options mailtest.Options
		change  func(*mail.Input)
		step    string
		reason  string
	}{
		"good":        {mailtest.Options{User: "robot", Password: secret}, nil, "content", ""},
		"good tls":    {mailtest.Options{User: "robot", Password: secret, TLS: true}, func(in *mail.Input) { v := mail.TLS; in.Security = &v }, "content", ""},
		"no name":     {mailtest.Options{}, func(in *mail.Input) { v := "nobody.invalid"; in.Host = &v }, "resolve", mail.ErrResolve},
		"refused":     {mailtest.Options{}, func(in *mail.Input) { in.Port = &nobody }, "connect", mail.ErrConnect},
		"no starttls": {mailtest.Options{NoSTARTTLS: true}, nil, "tls", mail.ErrNoTLS},
		"plain port":  {mailtest.Options{}, func(in *mail.Input) { v := mail.TLS; in.Security = &v }, "tls", mail.ErrTLS},
		"login":       {mailtest.Options{User: "robot", Password: "x"}, nil, "auth", mail.ErrAuth},
		"no login":    {mailtest.Options{}, nil, "auth", mail.ErrNoAuth},
		"sender":      {mailtest.Options{Answer: only("MAIL", "553 5.7.1 not your address")}, noLogin, "sender", mail.ErrSender},
		"address":     {mailtest.Options{Answer: only("RCPT", "550 5.1.1 unknown")}, noLogin, "recipient", mail.ErrAddress},
		"content":     {mailtest.Options{Answer: only(".", "554 5.6.0 no")}, noLogin, "content", mail.ErrContent},
		"greeting":    {mailtest.Options{Answer: only("CONNECT", "554 go away")}, noLogin, "greeting", mail.ErrGreeting},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "records.db")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			o := newOffice(t, db)
			p := o.profile(mailtest.New(t, c.options), c.change)
			steps, err := o.service.Test(o.admin(), p.ID, mail.Message{Key: "t", Kind: "test", To: mail.Address{Email: "me@example.org"}, Subject: "s", Text: "t"})
			if err != nil {
				t.Fatal(err)
			}
			last := steps[len(steps)-1]
			if last.Name != c.step || last.Error != c.reason {
				t.Errorf("steps %+v", steps)
			}
		})
	}
}

func noLogin(in *mail.Input) { in.Username, in.Password = nil, nil }

func only(command, answer string) func(string, string) string {
	return func(c, _ string) string {
		if c == command {
			return answer
		}
		return ""
	}
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	on(t, func(o *office) {
		s := mailtest.New(o.T, mailtest.Options{})
		first := o.profile(s, nil)
		second := o.profile(s, nil)
		if !first.Standard || second.Standard {
			o.Errorf("standard %v %v", first.Standard, second.Standard)
		}
		yes, elsewhere := true, "mail.example.net"
		if _, err := o.service.Update(o.admin(), second.ID, second.Version, mail.Input{Standard: &yes}); err != nil {
			o.Fatal(err)
		}
		if p := o.firstProfile(); p.Standard {
			o.Error("two standard profiles")
		}
		if _, err := o.service.Update(o.admin(), second.ID, second.Version, mail.Input{}); fault.CodeOf(err) != "mail.stale" {
			o.Errorf("an old version: %v", err)
		}
		if _, err := o.service.Update(o.admin(), second.ID, 0, mail.Input{Host: &elsewhere}); fault.CodeOf(err) != "mail.password_again" {
			o.Errorf("a password went to another server: %v", err)
		}
		for code, in := range map[string]mail.Input{
			"mail.bad_host":      {Host: ptr("http://x"), Password: ptr("x")},
			"mail.host_private":  {Host: ptr("10.0.0.8"), Password: ptr("x")},
			"mail.plain_refused": {Host: ptr("8.8.8.8"), Password: ptr("x"), Security: ptr(mail.Plain)},
			"mail.bad_address":   {FromAddress: ptr("nobody")},
			"mail.bad_port":      {Port: ptr(0), Password: ptr("x")},
			"mail.no_key":        {Sign: &yes},
		} {
			if _, err := o.service.Update(o.admin(), second.ID, 0, in); fault.CodeOf(err) != code {
				o.Errorf("%s: %v", code, err)
			}
		}
		member := access.With(o.Context(), access.Actor{Kind: access.ByUser, ID: 8, Role: access.Manager})
		if _, err := o.service.List(member); fault.KindOf(err) != fault.Forbidden {
			o.Errorf("a manager: %v", err)
		}
		waits := o.enqueue("w", "wang@example.org")
		if err := o.service.Delete(o.admin(), second.ID); err != nil {
			o.Fatal(err)
		}
		if it := o.item(waits.ID); it.State != mail.Waiting {
			o.Errorf("item %+v", it)
		}
	})
}

func ptr[T any](v T) *T { return &v }

package postgres_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// wire stands between the program and the server and can be cut.
type wire struct {
	mu   sync.Mutex
	ends []net.Conn
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.ends {
		_ = c.Close()
	}
}

func (w *wire) keep(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends = append(w.ends, c)
}

// through is the address of a server by a wire.
func through(t *testing.T, address string) (string, *wire) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	server, w := u.Host, &wire{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(); w.cut() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", server)
			if err != nil {
				_ = in.Close()
				continue
			}
			w.keep(in)
			w.keep(out)
			go func() { _, _ = io.Copy(out, in) }()
			go func() { _, _ = io.Copy(in, out) }()
		}
	}()
	u.Host = l.Addr().String()
	return u.String(), w
}

// TestClientGone: the server ends the statement of a client that vanished in the middle of it, and with it what the
// transaction had locked.
func TestClientGone(t *testing.T) {
	t.Parallel()
	schema := open(t, "GUANXI_TEST_POSTGRES_URL").Schema()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	address, w := through(t, os.Getenv("GUANXI_TEST_POSTGRES_URL"))
	db, err := postgres.Open(ctx, postgres.Config{URL: address, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	watch, err := pgx.Connect(ctx, os.Getenv("GUANXI_TEST_POSTGRES_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Close(context.Background()) }()
	key := time.Now().UnixNano()
	ended := make(chan error, 1)
	go func() {
		ended <- db.Write(ctx, func(c sqlstore.Conn) error {
			_, err := c.Exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d), pg_sleep(600)", key))
			return err
		})
	}()
	for sleeps := false; !sleeps; {
		const q = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity, pg_sleep(0.05) WHERE wait_event = 'PgSleep' AND query LIKE '%' || $1::text || '%' AND pid <> pg_backend_pid())"
		if err := watch.QueryRow(ctx, q, fmt.Sprint(key)).Scan(&sleeps); err != nil {
			t.Fatal(err)
		}
	}
	w.cut()
	if _, err := watch.Exec(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
		t.Fatalf("what the client held is still held: %v", err)
	}
	if err := <-ended; err == nil {
		t.Fatal("the statement is said to have ended well")
	}
}

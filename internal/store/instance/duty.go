package instance

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// Duty is what one process of several has at a time, on PostgreSQL. It hangs on a connection: the server takes it back the
// moment the process dies, and within half a minute when the process's machine can no longer be reached.
type Duty struct {
	conn *sql.Conn
	key  string
}

const (
	takeDuty  = "SELECT pg_try_advisory_lock(hashtextextended('guanxi ' || current_schema() || ' ' || $1, 0))"
	checkDuty = "SELECT 1"
	leaveDuty = "SELECT pg_advisory_unlock(hashtextextended('guanxi ' || current_schema() || ' ' || $1, 0))"
)

// watchClient has the server find out that a client is gone without a word.
var watchClient = [...]string{"SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3"}

// dutyCheckAtMost is how long the server may take to answer before the duty counts as lost.
const dutyCheckAtMost = 5 * time.Second

// Take takes a duty; ok is false while another process has it. Embedded storage has one process, which need not ask.
func (s *Store) Take(ctx context.Context, key string) (_ *Duty, ok bool, err error) {
	if s.duties == nil {
		return nil, false, errors.New("duties are shared out on PostgreSQL only")
	}
	conn, err := s.duties.Conn(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("take duty: %w", err)
	}
	d := &Duty{conn: conn, key: key}
	err = conn.QueryRowContext(ctx, takeDuty, key).Scan(&ok)
	if err == nil && !ok {
		return nil, false, conn.Close()
	}
	for _, text := range watchClient {
		if err == nil {
			_, err = conn.ExecContext(ctx, text)
		}
	}
	if err != nil {
		return nil, false, errors.Join(fmt.Errorf("take duty: %w", err), d.drop())
	}
	return d, true, nil
}

// Check fails when the duty is lost: its connection does not answer any more.
func (d *Duty) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dutyCheckAtMost)
	defer cancel()
	if _, err := d.conn.ExecContext(ctx, checkDuty); err != nil {
		return fmt.Errorf("keep duty: %w", err)
	}
	return nil
}

// Release gives the duty up; another process has it at once.
func (d *Duty) Release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dutyCheckAtMost)
	defer cancel()
	_, err := d.conn.ExecContext(ctx, leaveDuty, d.key)
	if err != nil { // the server takes it back with the connection
		return d.drop()
	}
	return d.conn.Close()
}

// drop throws the connection away, which ends the duty, instead of giving it to the next who asks.
func (d *Duty) drop() error {
	err := d.conn.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	if e := d.conn.Close(); e != nil && !errors.Is(e, sql.ErrConnDone) && !errors.Is(e, driver.ErrBadConn) {
		err = errors.Join(err, e)
	}
	return err
}

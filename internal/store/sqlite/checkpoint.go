package sqlite

import (
	"context"
	"encoding/binary"
	"os"
)

// Marks of the WAL in pages of 4 KiB. Behind backfillPages the checkpointer copies what is there back into the file beside the
// writer; behind restartPages the writer copies the little that is left itself, after which the WAL begins anew: as long as
// somebody writes without a pause only the writer can find a moment at which nothing is left.
const (
	backfillPages = 16000
	restartPages  = 4 * backfillPages
)

// checkpointer copies the WAL back into the database file while the writer goes on, so that no commit waits for it.
type checkpointer struct {
	conn *conn
	shm  *os.File
	wake chan struct{}
	quit chan struct{}
	done chan struct{}
}

// newCheckpointer starts one for the database at path. Without a readable index of the WAL the writer does it all.
func newCheckpointer(c *conn, path string) *checkpointer {
	k := &checkpointer{conn: c, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	f, err := os.Open(path + "-shm")
	if err != nil {
		close(k.done)
		return k
	}
	k.shm = f
	go k.run()
	return k
}

// committed tells that the WAL may have grown; it never waits.
func (k *checkpointer) committed() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *checkpointer) close() {
	close(k.quit)
	<-k.done
	if k.shm != nil {
		_ = k.shm.Close() // it was only read
	}
}

func (k *checkpointer) run() {
	defer close(k.done)
	for {
		select {
		case <-k.wake:
		case <-k.quit:
			return
		}
		if k.behind() >= backfillPages {
			// What fails here (a full disk, a checkpoint of the writer's) is tried again after the next commit.
			_, _ = k.conn.Exec(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
		}
	}
}

// behind is how many pages of the WAL are not in the file yet, as the index of the WAL says: its header holds the number of pages
// at byte 16, and at 96 how many were copied (sqlite.org/walformat.html, "The WAL-Index File Format"), in the machine's order.
// The two are read without a lock: a wrong answer means a checkpoint too early or one commit too late.
func (k *checkpointer) behind() int64 {
	var b [100]byte
	if _, err := k.shm.ReadAt(b[:], 0); err != nil {
		return 0
	}
	return int64(binary.NativeEndian.Uint32(b[16:])) - int64(binary.NativeEndian.Uint32(b[96:]))
}

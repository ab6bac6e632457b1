package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// dirLock makes this process the only one on a data directory. The kernel lets go of it when the process ends, however it
// ends, so that no stale lock can be left behind.
type dirLock struct{ file *os.File }

// lockDir takes the lock; Conflict app.data_in_use when another process has it.
func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "guanxi.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		closeErr := f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.New(fault.Conflict, "app.data_in_use", nil)
		}
		return nil, errors.Join(fmt.Errorf("lock data directory: %w", err), closeErr)
	}
	return &dirLock{f}, nil
}

func (l *dirLock) release() error { return l.file.Close() }

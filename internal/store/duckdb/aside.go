package duckdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// rebuildMark follows the path of a file that was found damaged while in use: the next Open sets it aside. asideMark follows
// that of the file set aside.
const (
	rebuildMark = ".rebuild"
	asideMark   = ".damaged"
)

// setAside keeps a damaged file for whoever wants to know what happened, in place of the one before.
func setAside(path string, c Config) error {
	err := os.Rename(path, path+asideMark)
	if err == nil {
		now := c.Clock.Now()
		err = os.Chtimes(path+asideMark, now, now) // by which DropAside knows since when
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("set analytics file aside: %w", err)
	}
	return remove(path)
}

// DropAside removes the damaged file of a directory if it was set aside before a time.
func DropAside(dir string, before time.Time) error {
	path := filepath.Join(dir, FileName+asideMark)
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
		return nil
	}
	return errors.Join(err, os.Remove(path))
}

func remove(path string) error {
	for _, p := range []string{path, path + ".wal", path + rebuildMark} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("drop analytics file: %w", err)
		}
	}
	if err := os.RemoveAll(path + ".tmp"); err != nil {
		return fmt.Errorf("drop analytics spill: %w", err)
	}
	return nil
}

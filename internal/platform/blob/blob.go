// Package blob keeps the content of files in a directory.
//
// What is written goes to a temporary file first, is synced, and is renamed to its place, whose folder is synced too: a name that is
// there has its whole content, whatever happens to the machine. Names are chosen by the caller (lower-case letters and digits; keyed
// hashes, so that a listing tells nothing) and spread over folders by their second to fifth characters: files/ab/cd/xabcd….
//
// Whoever writes a row about a blob writes the blob first. What a crash leaves without a row is an orphan; the owner of the rows
// lists blobs with Each and removes them with Remove. A backup holds the directory meanwhile (Hold), and whoever cleans does not
// begin during one (Clean), so that a row in the backup never lacks its content.
//
// The package neither encrypts nor knows what it keeps. A Dir is safe for concurrent use, by several processes too when they share
// the directory, except that Hold and Clean are known to one process only.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// The folders of a Dir.
const (
	Files = "files"
	temps = "uploads"
)

// Dir is a directory of blobs.
type Dir struct {
	files, temps string
	held         sync.RWMutex
}

// Open makes the folders "files" and "uploads" below a directory.
func Open(dir string) (*Dir, error) {
	d := &Dir{files: filepath.Join(dir, Files), temps: filepath.Join(dir, temps)}
	for _, p := range []string{d.files, d.temps} {
		if err := os.MkdirAll(p, 0o700); err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
	}
	return d, nil
}

func (d *Dir) path(name string) (string, error) {
	ok := len(name) >= 6 && len(name) <= 64
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if !ok {
		return "", fmt.Errorf("%q is no name of a blob", name)
	}
	return filepath.Join(d.files, name[1:3], name[3:5], name), nil
}

// Write stores what fill writes. When it fails nothing is left. Unavailable blob.disk_full when there is no space.
func (d *Dir) Write(name string, fill func(io.Writer) error) (err error) {
	to, err := d.path(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(d.temps, "upload-*")
	if err != nil {
		return spoken(err)
	}
	defer func() {
		if err != nil {
			err = spoken(errors.Join(err, gone(os.Remove(f.Name()))))
		}
	}()
	if err := errors.Join(fill(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), to); err != nil {
		return err
	}
	// The folder of the file, and those that may have been made with it.
	for _, p := range []string{filepath.Dir(to), filepath.Dir(filepath.Dir(to)), d.files} {
		if err := syncDir(p); err != nil {
			return err
		}
	}
	return nil
}

func spoken(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Wrap(fault.Unavailable, "blob.disk_full", err)
	}
	return err
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func syncDir(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // made of checked names
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open reads a blob. NotFound blob.missing.
func (d *Dir) Open(name string) (io.ReadCloser, error) {
	p, err := d.path(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(p) //nolint:gosec // made of checked names
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "blob.missing", nil)
	}
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return f, nil
}

// Size is the length of a blob in bytes, -1 when there is none.
func (d *Dir) Size(name string) (int64, error) {
	p, err := d.path(name)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at file: %w", err)
	}
	return info.Size(), nil
}

// Remove takes a blob away; one that is not there is no error.
func (d *Dir) Remove(name string) error {
	p, err := d.path(name)
	if err != nil {
		return err
	}
	return gone(os.Remove(p))
}

// Hold keeps Clean from running until release is called.
func (d *Dir) Hold() (release func()) {
	d.held.RLock()
	return d.held.RUnlock
}

// Clean runs fn unless somebody holds the directory; done is false when it did not run.
func (d *Dir) Clean(fn func() error) (done bool, err error) {
	if !d.held.TryLock() {
		return false, nil
	}
	defer d.held.Unlock()
	return true, fn()
}

const atOnce = 500

// Each visits the names of blobs that were written before an instant, some hundred at a time.
func (d *Dir) Each(ctx context.Context, before time.Time, visit func(names []string) error) error {
	var names []string
	err := filepath.WalkDir(d.files, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return gone(err)
		}
		if !e.Type().IsRegular() {
			return ctx.Err()
		}
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) {
			return gone(err)
		}
		names = append(names, e.Name())
		if len(names) < atOnce {
			return nil
		}
		err = visit(names)
		names = nil
		return err
	})
	if err != nil || len(names) == 0 {
		return err
	}
	return visit(names)
}

// DropTemps removes what uploads that broke off before an instant have left.
func (d *Dir) DropTemps(before time.Time) error {
	entries, err := os.ReadDir(d.temps)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.ModTime().Before(before) {
			err = os.Remove(filepath.Join(d.temps, e.Name()))
		}
		if gone(err) != nil {
			return err
		}
	}
	return nil
}

package crypt

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

const linePrefix = "guanxi-key-1 "

// NewSecret is a line of a key file with a fresh secret.
func NewSecret() string {
	var raw [keySize]byte
	rand.Read(raw[:]) //nolint:errcheck // never fails: it ends the program instead
	return linePrefix + base64.StdEncoding.EncodeToString(raw[:]) + "\n"
}

// CreateFile makes a key file with a fresh secret, readable by its owner alone and durable before it returns. It never
// overwrites: losing a key file loses the data, so an existing one is the Conflict crypt.key_file_exists.
func CreateFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the path is the operator's
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "crypt.key_file_exists", nil)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, "crypt.key_file_write", fmt.Errorf("create key file: %w", err))
	}
	_, err = f.WriteString(NewSecret())
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fault.Wrap(fault.Internal, "crypt.key_file_write", fmt.Errorf("write key file: %w", err))
	}
	return nil
}

// AddSecret puts a fresh secret on top of a key file, whose other lines stay: the file is written anew beside and put in its place,
// so that a crash leaves the one or the other.
func AddSecret(path string) error {
	if _, err := ReadFile(path); err != nil {
		return err
	}
	old, err := os.ReadFile(path) //nolint:gosec // the path is the operator's
	if err != nil {
		return fault.Wrap(fault.Internal, "crypt.key_file_read", err)
	}
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return fault.Wrap(fault.Internal, "crypt.key_file_write", err)
	}
	_, err = f.WriteString(NewSecret() + string(old))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(next, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fault.Wrap(fault.Internal, "crypt.key_file_write", fmt.Errorf("add secret: %w", err))
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ReadFile reads the secrets of a key file. A file that others than its owner may read is refused, as is one without a
// secret; a missing file is NotFound.
func ReadFile(path string) ([][]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.NotFound, "crypt.key_file_missing", err)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "crypt.key_file_read", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Forbidden, "crypt.key_file_open", fault.Params{"mode": fmt.Sprintf("%04o", info.Mode().Perm())})
	}
	text, err := os.ReadFile(path) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "crypt.key_file_read", err)
	}
	return ParseSecrets(string(text))
}

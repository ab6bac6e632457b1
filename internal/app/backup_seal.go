package app

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"io"

	"golang.org/x/crypto/argon2"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// A sealed backup begins with sealedMagic and 16 bytes of salt; behind them is the archive as a sealed stream (package crypt) under a key
// made from the passphrase with argon2id. Nothing of it can be read, cut off or changed unseen without the passphrase.
const (
	sealedMagic = "GXBACKUP2"
	saltSize    = 16
)

func backupPlace() crypt.Place { return crypt.Place{Object: "backup", Field: "archive"} }

func streamKey(passphrase string, salt []byte) []byte {
	return argon2.IDKey([]byte(passphrase), salt, 3, 64*1024, 1, crypt.StreamKeySize)
}

// backupRing only lends its streams; their keys come from the passphrase.
func backupRing(key []byte) (*crypt.Keyring, error) { return crypt.New("@backup", key) }

// sealBackup writes the head of a sealed backup and gives what encrypts the rest.
func sealBackup(w io.Writer, passphrase string) (io.WriteCloser, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return nil, err
	}
	key := streamKey(passphrase, salt)
	ring, err := backupRing(key)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append([]byte(sealedMagic), salt...)); err != nil {
		return nil, err
	}
	return ring.SealStream(key, backupPlace(), w)
}

// openBackup gives the archive of a backup file, sealed or not. A wrong passphrase is Invalid app.passphrase_wrong, what was changed or
// broke off app.backup_damaged.
func openBackup(r io.Reader, passphrase string) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	head, err := in.Peek(len(sealedMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(head, []byte(sealedMagic)) {
		return in, nil
	}
	if passphrase == "" {
		return nil, fault.New(fault.Invalid, "app.passphrase_needed", nil)
	}
	all := make([]byte, len(sealedMagic)+saltSize)
	if _, err := io.ReadFull(in, all); err != nil {
		return nil, fault.New(fault.Invalid, "app.backup_damaged", nil)
	}
	key := streamKey(passphrase, all[len(sealedMagic):])
	ring, err := backupRing(key)
	if err != nil {
		return nil, err
	}
	plain, err := ring.OpenStream(key, backupPlace(), in)
	if err != nil {
		return nil, err
	}
	return &sealedReader{r: plain}, nil
}

// sealedReader tells a wrong passphrase, by which not even the beginning opens, from a file that is damaged further on.
type sealedReader struct {
	r    io.Reader
	some bool
	err  error
}

// Read implements io.Reader.
func (s *sealedReader) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.some = s.some || n > 0
	if err != nil && !errors.Is(err, io.EOF) {
		code := "app.backup_damaged"
		if !s.some {
			code = "app.passphrase_wrong"
		}
		err = fault.New(fault.Invalid, code, nil)
	}
	s.err = err
	return n, err
}

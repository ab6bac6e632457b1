package mass

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Vault wraps the keys of files with the keys of the workspace.
type Vault interface {
	WrapFileKey(raw []byte, job id.ID) ([]byte, error)
	UnwrapFileKey(wrapped []byte, job id.ID) ([]byte, error)
}

// files keeps the files of exports: DIR/<job>, and DIR/<job>.part while one is being written.
type files struct {
	dir   string
	vault Vault
}

func (f files) path(job id.ID) string { return filepath.Join(f.dir, id.Format(Prefix, job)) }

const unfinished = ".part"

// draft is a file being written. Every attempt has a key of its own, so that no two contents share a key stream.
type draft struct {
	io.Writer
	buf  *bufio.Writer
	file *os.File
	to   string
	n    int64
	key  []byte // wrapped
}

func (f files) create(job id.ID) (*draft, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.path(job)+unfinished, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	d := &draft{file: file, buf: bufio.NewWriterSize(file, 256<<10), to: f.path(job)}
	d.Writer = d.buf
	if f.vault == nil {
		return d, nil
	}
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	block, err := aes.NewCipher(raw[:])
	if err == nil {
		d.key, err = f.vault.WrapFileKey(raw[:], job)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	d.Writer = &cipher.StreamWriter{S: cipher.NewCTR(block, make([]byte, aes.BlockSize)), W: d.buf}
	return d, nil
}

// Write counts what goes through.
func (d *draft) Write(p []byte) (int, error) {
	n, err := d.Writer.Write(p)
	d.n += int64(n)
	return n, err
}

// keep makes the file the job's; drop removes it.
func (d *draft) keep() error {
	err := d.buf.Flush()
	if err == nil {
		err = d.file.Sync()
	}
	if err = errors.Join(err, d.file.Close()); err != nil {
		return err
	}
	return os.Rename(d.file.Name(), d.to)
}

func (d *draft) drop() error {
	return errors.Join(d.file.Close(), os.Remove(d.file.Name()))
}

// stored is a finished file, decrypted as it is read from any place.
type stored struct {
	file  *os.File
	block cipher.Block
	at    int64
	size  int64
}

func (f files) open(j *Job) (*stored, error) {
	file, err := os.Open(f.path(j.ID))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "export.file_gone", nil)
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s := &stored{file: file, size: info.Size()}
	if j.State.Key == nil {
		return s, nil
	}
	if f.vault == nil {
		return nil, errors.Join(fault.New(fault.Internal, "export.file_locked", nil), file.Close())
	}
	raw, err := f.vault.UnwrapFileKey(j.State.Key, j.ID)
	if err == nil {
		s.block, err = aes.NewCipher(raw)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// Read implements io.Reader.
func (s *stored) Read(p []byte) (int, error) {
	n, err := s.file.ReadAt(p, s.at)
	if s.block != nil && n > 0 {
		var iv [aes.BlockSize]byte
		binary.BigEndian.PutUint64(iv[8:], uint64(s.at/aes.BlockSize)) //nolint:gosec // offsets are not negative
		stream := cipher.NewCTR(s.block, iv[:])
		if skip := int(s.at % aes.BlockSize); skip > 0 {
			var drop [aes.BlockSize]byte
			stream.XORKeyStream(drop[:skip], drop[:skip])
		}
		stream.XORKeyStream(p[:n], p[:n])
	}
	s.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// Seek implements io.Seeker.
func (s *stored) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.size
	}
	if offset < 0 {
		return 0, os.ErrInvalid
	}
	s.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (s *stored) Close() error { return s.file.Close() }

func (f files) remove(job id.ID) error {
	err := os.Remove(f.path(job))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// clear removes what exports that ended in the middle have left.
func (f files) clear() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var errs []error
	for _, e := range entries {
		if filepath.Ext(e.Name()) == unfinished {
			errs = append(errs, os.Remove(filepath.Join(f.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

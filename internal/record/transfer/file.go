package transfer

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// Vault wraps the keys of stored files. A keyring of the workspace fits; nil keeps files in clear, readable by the owner
// of the process alone.
type Vault interface {
	WrapFileKey(raw []byte, job id.ID) ([]byte, error)
	UnwrapFileKey(wrapped []byte, job id.ID) ([]byte, error)
}

// files keeps uploaded files in a folder each, DIR/<id>/, with the scratch files of the job beside.
type files struct {
	dir   string
	vault Vault
}

const storedName = "file"

func (f files) folder(job id.ID) string { return filepath.Join(f.dir, id.Format("imp", job)) }

// save stores an upload, encrypted under a key of its own, and tells its size and digest.
func (f files) save(job id.ID, r io.Reader, limit int64) (size int64, digest string, wrapped []byte, err error) {
	dir := f.folder(job)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, "", nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	out, err := os.OpenFile(filepath.Join(dir, storedName), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return 0, "", nil, err
	}
	buffered := bufio.NewWriterSize(out, 256<<10)
	var w io.Writer = buffered
	if f.vault != nil {
		var raw [32]byte
		if _, err := rand.Read(raw[:]); err != nil {
			return 0, "", nil, errors.Join(err, out.Close())
		}
		if wrapped, err = f.vault.WrapFileKey(raw[:], job); err != nil {
			return 0, "", nil, errors.Join(err, out.Close())
		}
		block, err := aes.NewCipher(raw[:])
		if err != nil {
			return 0, "", nil, errors.Join(err, out.Close())
		}
		w = &cipher.StreamWriter{S: cipher.NewCTR(block, counterAt(0)), W: buffered}
	}
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(w, sum), io.LimitReader(r, limit+1))
	if err == nil && size > limit {
		err = fault.New(fault.TooLarge, "import.file_too_large", fault.Params{"limit": limit})
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, "", nil, err
	}
	return size, hex.EncodeToString(sum.Sum(nil)), wrapped, nil
}

// open opens a job's file; fault import.file_gone when it was removed.
func (f files) open(j *Job) (*stored, error) {
	file, err := os.Open(filepath.Join(f.folder(j.ID), storedName))
	if os.IsNotExist(err) {
		return nil, fault.New(fault.Conflict, "import.file_gone", nil)
	}
	if err != nil {
		return nil, err
	}
	s := &stored{File: file, size: j.Size}
	if j.State.FileKey == nil {
		return s, nil
	}
	if f.vault == nil {
		return nil, errors.Join(fault.New(fault.Internal, "import.file_locked", nil), file.Close())
	}
	raw, err := f.vault.UnwrapFileKey(j.State.FileKey, j.ID)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if s.block, err = aes.NewCipher(raw); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// clear removes scratch files that a process which died has left: whatever lies beside the folders of imports, and beside the
// file in each of them. Those in use have no name, or cannot be removed.
func (f files) clear() error {
	var errs []error
	tidy := func(dir string, keep func(os.DirEntry) bool) []os.DirEntry {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			errs = append(errs, err)
		}
		for _, e := range entries {
			if !keep(e) {
				errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
			}
		}
		return entries
	}
	for _, e := range tidy(f.dir, os.DirEntry.IsDir) {
		if e.IsDir() {
			tidy(filepath.Join(f.dir, e.Name()), func(e os.DirEntry) bool { return e.Name() == storedName })
		}
	}
	return errors.Join(errs...)
}

func (f files) remove(job id.ID) error { return os.RemoveAll(f.folder(job)) }

// stored is an uploaded file, decrypted as it is read. The key is used for one file, so counting from zero is safe.
type stored struct {
	*os.File
	size  int64
	block cipher.Block
}

var _ source.File = (*stored)(nil)

func (s *stored) Size() int64 { return s.size }

func (s *stored) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.File.ReadAt(p, off)
	if s.block != nil && n > 0 {
		skip := int(off % aes.BlockSize)
		stream := cipher.NewCTR(s.block, counterAt(off/aes.BlockSize))
		if skip > 0 {
			var drop [aes.BlockSize]byte
			stream.XORKeyStream(drop[:skip], drop[:skip])
		}
		stream.XORKeyStream(p[:n], p[:n])
	}
	return n, err
}

// counterAt is the counter of a block.
func counterAt(block int64) []byte {
	iv := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(iv[8:], uint64(block)) //nolint:gosec // offsets are not negative
	return iv
}

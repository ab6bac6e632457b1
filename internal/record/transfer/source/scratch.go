package source

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// scratch is a file for what does not fit into memory. It is encrypted with a key that is never written down, and where the
// system allows it has no name: what a crash leaves of it nobody can find or read. First it is written, then, after Flush,
// read at any place.
type scratch struct {
	file  *os.File
	named bool // it could not be unlinked while open
	block cipher.Block
	w     *bufio.Writer
	n     int64
}

func newScratch(dir string) (*scratch, error) {
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(dir, "import-*")
	if err != nil {
		return nil, err
	}
	s := &scratch{file: file, named: os.Remove(file.Name()) != nil, block: block}
	// The key is used for this file alone, so counting from zero is safe.
	s.w = bufio.NewWriterSize(&cipher.StreamWriter{S: cipher.NewCTR(block, scratchCounter(0)), W: file}, 128<<10)
	return s, nil
}

func scratchCounter(block int64) []byte {
	iv := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(iv[8:], uint64(block)) //nolint:gosec // offsets are not negative
	return iv
}

// Write implements io.Writer.
func (s *scratch) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.n += int64(n)
	return n, err
}

// Flush ends the writing.
func (s *scratch) Flush() error { return s.w.Flush() }

// Size implements File.
func (s *scratch) Size() int64 { return s.n }

// ReadAt implements File.
func (s *scratch) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.file.ReadAt(p, off)
	if n > 0 {
		stream := cipher.NewCTR(s.block, scratchCounter(off/aes.BlockSize))
		if skip := off % aes.BlockSize; skip > 0 {
			var drop [aes.BlockSize]byte
			stream.XORKeyStream(drop[:skip], drop[:skip])
		}
		stream.XORKeyStream(p[:n], p[:n])
	}
	return n, err
}

// Close gives the space back.
func (s *scratch) Close() error {
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

var _ interface {
	File
	io.WriteCloser
} = (*scratch)(nil)

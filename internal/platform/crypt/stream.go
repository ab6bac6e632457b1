package crypt

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// A sealed stream is a row of segments, each up to 64 KiB of plaintext and a tag, under a key that is used for this stream alone.
// The nonce of a segment is its number (11 bytes) and whether it is the last (1 byte), so that segments cannot be moved, left
// out or cut off; the place is the additional data of each. Source: STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, 2015.

// SegmentSize is the plaintext of a full segment in bytes.
const SegmentSize = 64 << 10

// StreamKeySize is the length of the key of one stream in bytes.
const StreamKeySize = keySize

// SealedSize is the length of a sealed stream of n bytes.
func SealedSize(n int64) int64 {
	return n + tagSize*max(1, (n+SegmentSize-1)/SegmentSize)
}

// NewStreamKey makes the key of one stream.
func (k *Keyring) NewStreamKey() []byte {
	raw := make([]byte, StreamKeySize)
	k.random.read(raw)
	return raw
}

// StreamKeyOf derives from the key of a stream that of another one that belongs to it: two streams under one key would share their nonces.
func StreamKeyOf(raw []byte, purpose string) []byte {
	h := hmac.New(sha256.New, raw)
	h.Write([]byte("guanxi/1/stream/" + purpose))
	return h.Sum(nil)
}

type stream struct {
	aead  cipher.AEAD
	place []byte
	n     uint64
}

func (k *Keyring) newStream(raw []byte, at Place) (stream, error) {
	aead, err := NewAEAD(raw)
	return stream{aead: aead, place: k.placeData(at)}, err
}

// nonce is that of the next segment.
func (s *stream) nonce(last bool) []byte {
	out := make([]byte, nonceSize)
	binary.BigEndian.PutUint64(out[3:], s.n)
	if last {
		out[nonceSize-1] = 1
	}
	s.n++
	return out
}

// SealStream encrypts what is written; the last segment is written by Close, without which the stream does not open. The
// writer below is not closed.
func (k *Keyring) SealStream(raw []byte, at Place, w io.Writer) (io.WriteCloser, error) {
	s, err := k.newStream(raw, at)
	if err != nil {
		return nil, err
	}
	return &sealer{stream: s, w: w, buf: make([]byte, 0, SegmentSize+tagSize)}, nil
}

type sealer struct {
	stream
	w   io.Writer
	buf []byte
}

// Write implements io.Writer.
func (s *sealer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if len(s.buf) == SegmentSize {
			if err := s.flush(false); err != nil {
				return written, err
			}
		}
		n := min(len(p), SegmentSize-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

func (s *sealer) flush(last bool) error {
	_, err := s.w.Write(s.aead.Seal(s.buf[:0], s.nonce(last), s.buf, s.place))
	s.buf = s.buf[:0]
	return err
}

// Close writes the last segment.
func (s *sealer) Close() error { return s.flush(true) }

// OpenStream decrypts a stream that was sealed for the same place. Whatever was changed or broke off is the Internal fault
// crypt.value_tampered of the read that meets it; no byte of a damaged segment is handed out.
func (k *Keyring) OpenStream(raw []byte, at Place, r io.Reader) (io.Reader, error) {
	s, err := k.newStream(raw, at)
	if err != nil {
		return nil, err
	}
	return &opener{stream: s, r: r, next: make([]byte, 0, SegmentSize+tagSize), buf: make([]byte, 0, SegmentSize+tagSize)}, nil
}

type opener struct {
	stream
	r         io.Reader
	buf, next []byte // the segment that is read, and the one behind it
	plain     []byte
	begun     bool
	err       error
}

// Read implements io.Reader.
func (o *opener) Read(p []byte) (int, error) {
	for len(o.plain) == 0 && o.err == nil {
		o.err = o.segment()
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, o.err
}

// segment opens the next one. Which is the last is known once nothing comes behind it.
func (o *opener) segment() error {
	if !o.begun {
		o.begun = true
		if err := o.fetch(); err != nil {
			return err
		}
	} else if len(o.next) == 0 {
		return io.EOF
	}
	o.buf, o.next = o.next, o.buf
	if err := o.fetch(); err != nil {
		return err
	}
	plain, err := o.aead.Open(o.buf[:0], o.nonce(len(o.next) == 0), o.buf, o.place)
	if err != nil {
		return fault.Wrap(fault.Internal, "crypt.value_tampered", fmt.Errorf("segment %d: %w", o.n-1, err))
	}
	o.plain = plain
	return nil
}

func (o *opener) fetch() error {
	o.next = o.next[:cap(o.next)]
	n, err := io.ReadFull(o.r, o.next[:SegmentSize+tagSize])
	o.next = o.next[:n]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

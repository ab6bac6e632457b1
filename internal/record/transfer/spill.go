package transfer

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// spill sorts entries by a number, keeping the order of those with the same one. Up to a budget it sorts in memory; past
// it, sorted runs go to scratch files, encrypted with a key that is never written down, and are merged when read.
type spill struct {
	dir    string
	budget int
	data   []byte // entries one after the other: length, payload
	refs   []spillRef
	runs   []*spillRun
	key    cipher.Block
	count  int64
	merge  runHeap
	at     int
}

type spillRef struct {
	group uint64
	from  int
}

// spillBudget is how much is kept in memory before a run is written.
const spillBudget = 160 << 20

func newSpill(dir string, budget int) (*spill, error) {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(raw[:])
	return &spill{dir: dir, budget: budget, key: block}, err
}

// Add takes a copy of the payload.
func (s *spill) Add(group uint64, payload []byte) error {
	if len(s.data)+len(payload)+len(s.refs)*16 > s.budget && len(s.refs) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.refs = append(s.refs, spillRef{group, len(s.data)})
	s.data = binary.AppendUvarint(s.data, uint64(len(payload)))
	s.data = append(s.data, payload...)
	s.count++
	return nil
}

func (s *spill) sort() {
	if !slices.IsSortedFunc(s.refs, byGroup) {
		slices.SortStableFunc(s.refs, byGroup)
	}
}

func byGroup(a, b spillRef) int { return cmp.Compare(a.group, b.group) }

func (s *spill) payload(from int) []byte {
	n, w := binary.Uvarint(s.data[from:])
	return s.data[from+w : from+w+int(n)] //nolint:gosec // written by Add
}

// flush writes what is in memory as a sorted run.
func (s *spill) flush() error {
	s.sort()
	f, err := os.CreateTemp(s.dir, "sort-*")
	if err != nil {
		return err
	}
	run := &spillRun{f: f, named: os.Remove(f.Name()) != nil} // without a name nothing of it outlives the process
	s.runs = append(s.runs, run)
	if _, err := rand.Read(run.iv[:]); err != nil {
		return err
	}
	w := bufio.NewWriterSize(&cipher.StreamWriter{S: cipher.NewCTR(s.key, run.iv[:]), W: f}, 256<<10)
	var head [2 * binary.MaxVarintLen64]byte
	for _, r := range s.refs {
		p := s.payload(r.from)
		n := binary.PutUvarint(head[:], r.group)
		n += binary.PutUvarint(head[n:], uint64(len(p)))
		if _, err := w.Write(head[:n]); err != nil {
			return err
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	run.left = len(s.refs)
	s.data, s.refs = s.data[:0], s.refs[:0]
	return w.Flush()
}

// Sort ends adding and makes ready for Next.
func (s *spill) Sort() error {
	if len(s.runs) == 0 {
		s.sort()
		return nil
	}
	if len(s.refs) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.data, s.refs = nil, nil
	for i, r := range s.runs {
		if _, err := r.f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r.order = i
		r.r = bufio.NewReaderSize(&cipher.StreamReader{S: cipher.NewCTR(s.key, r.iv[:]), R: r.f}, 128<<10)
		if err := r.next(); err != nil {
			return err
		}
		s.merge = append(s.merge, r)
	}
	heap.Init(&s.merge)
	return nil
}

// Next gives the entries in order; the payload is valid until the next call but one group. io.EOF after the last.
func (s *spill) Next() (group uint64, payload []byte, err error) {
	if s.merge == nil {
		if s.at == len(s.refs) {
			return 0, nil, io.EOF
		}
		r := s.refs[s.at]
		s.at++
		return r.group, s.payload(r.from), nil
	}
	if len(s.merge) == 0 {
		return 0, nil, io.EOF
	}
	r := s.merge[0]
	group, payload = r.group, bytes.Clone(r.payload)
	switch err := r.next(); {
	case err == io.EOF:
		heap.Pop(&s.merge)
	case err != nil:
		return 0, nil, err
	default:
		heap.Fix(&s.merge, 0)
	}
	return group, payload, nil
}

// Close removes the scratch files.
func (s *spill) Close() error {
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, r.f.Close())
		if r.named { // the system does not unlink open files
			errs = append(errs, os.Remove(r.f.Name()))
		}
	}
	s.runs = nil
	return errors.Join(errs...)
}

type spillRun struct {
	f       *os.File
	named   bool
	iv      [aes.BlockSize]byte
	r       *bufio.Reader
	left    int
	order   int
	group   uint64
	payload []byte
}

func (r *spillRun) next() error {
	if r.left == 0 {
		return io.EOF
	}
	r.left--
	group, err := binary.ReadUvarint(r.r)
	if err != nil {
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	r.group = group
	r.payload = slices.Grow(r.payload[:0], int(n))[:n] //nolint:gosec // written by flush
	_, err = io.ReadFull(r.r, r.payload)
	return err
}

// runHeap orders runs by their present entry, earlier runs first.
type runHeap []*spillRun

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	if h[i].group != h[j].group {
		return h[i].group < h[j].group
	}
	return h[i].order < h[j].order
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*spillRun)) }
func (h *runHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

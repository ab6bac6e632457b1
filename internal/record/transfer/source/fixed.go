package source

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// lines reads text line by line and never keeps more than a limit of one.
type lines struct {
	b      *bufio.Reader
	limit  int
	buf    []byte
	number int64
	offset int64 // of the line after the last
}

// next is a line without its end, and whether it was too long (then it is cut off). err is io.EOF after the last.
func (l *lines) next() (line []byte, offset int64, long bool, err error) {
	l.buf, offset = l.buf[:0], l.offset
	for {
		part, err := l.b.ReadSlice('\n')
		l.offset += int64(len(part))
		if room := l.limit - len(l.buf); len(part) > room {
			long, part = true, part[:room]
		}
		l.buf = append(l.buf, part...)
		switch err {
		case bufio.ErrBufferFull:
			continue
		case nil:
		case io.EOF:
			if l.offset == offset {
				return nil, offset, false, io.EOF
			}
		default:
			return nil, offset, false, err
		}
		l.number++
		return bytes.TrimRight(l.buf, "\r\n"), offset, long, nil
	}
}

// fixedReader reads lines whose columns stand at fixed positions, or are parted by white space.
type fixedReader struct {
	*stream
	lines   lines
	limits  Limits
	ranges  []Range // counted from 0, To excluded; nil to split at white space
	columns []string
	row     Row
	first   bool
}

func openFixed(s *stream, f Format, limits Limits) (Reader, error) {
	r := &fixedReader{stream: s, limits: limits, lines: lines{b: bufio.NewReaderSize(s.Reader, 64<<10), limit: limits.Row}}
	if len(f.Columns) > 0 {
		if err := r.positions(f.Columns); err != nil {
			return nil, err
		}
		if f.Header != nil && *f.Header {
			if _, err := r.read(); err != nil && err != io.EOF {
				return nil, err
			}
		}
		return r, nil
	}
	ok, err := r.read()
	for ok && err == nil && r.row.Number < int64(f.HeaderRow) {
		ok, err = r.read()
	}
	switch {
	case err == io.EOF || err == nil && !ok:
		return r, nil
	case err != nil:
		return nil, err
	}
	if f.Header != nil && *f.Header {
		cleanse(r.row.Cells)
		r.columns = Names(r.row.Cells)
	} else {
		r.columns, r.first = numbered(len(r.row.Cells)), true
	}
	return r, nil
}

func (r *fixedReader) positions(ranges []Range) error {
	base := 1
	for _, c := range ranges {
		if c.From == 0 {
			base = 0
		}
	}
	for i, c := range ranges {
		if c.From < base || c.To < c.From || c.To > 1<<20 {
			return fault.InvalidField("import.bad_position", "format.columns", fault.Params{"column": c.Name, "from": c.From, "to": c.To})
		}
		if c.Name == "" {
			c.Name = numbered(i + 1)[i]
		}
		r.ranges = append(r.ranges, Range{Name: c.Name, From: c.From - base, To: c.To - base + 1})
		r.columns = append(r.columns, c.Name)
	}
	return nil
}

func (r *fixedReader) Columns() []string { return r.columns }

func (r *fixedReader) Close() error { return nil }

func (r *fixedReader) Next() (*Row, error) {
	if r.first {
		r.first = false
	} else if ok, err := r.read(); err != nil || !ok {
		return nil, err
	}
	vet(&r.row, len(r.columns), r.limits)
	return &r.row, nil
}

func (r *fixedReader) read() (bool, error) {
	for {
		line, offset, long, err := r.lines.next()
		if err != nil {
			return false, err
		}
		if len(bytes.TrimSpace(line)) == 0 && !long {
			continue
		}
		r.row = Row{Number: r.lines.number, Offset: offset, Cells: r.row.Cells[:0], Fault: textFault(line, r.decoded)}
		if long {
			r.row.Fault = tooLarge(r.limits)
		}
		if r.ranges == nil {
			r.row.Cells = append(r.row.Cells, bytes.Fields(line)...)
		} else {
			r.cut(line)
		}
		if r.row.Fault != nil {
			cleanse(r.row.Cells)
		}
		return true, nil
	}
}

// cut takes the cells at their positions; a line that ends early has empty cells.
func (r *fixedReader) cut(line []byte) {
	ascii := foreignAt(line) < 0
	for _, c := range r.ranges {
		from, to := c.From, c.To
		if ascii {
			from, to = min(from, len(line)), min(to, len(line))
		} else {
			from, to = characterAt(line, from), characterAt(line, to)
		}
		r.row.Cells = append(r.row.Cells, bytes.TrimSpace(line[from:to]))
	}
}

// characterAt is the byte where the n-th character begins.
func characterAt(b []byte, n int) int {
	i := 0
	for ; n > 0 && i < len(b); n-- {
		_, w := utf8.DecodeRune(b[i:])
		i += w
	}
	return i
}

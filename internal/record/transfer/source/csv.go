package source

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// csvReader reads delimited text. Quotes may be doubled inside quotes; a quote within an unquoted cell, and text after a
// closing quote, are taken as they stand. Rows end with \n, \r\n or, where the file has no \n, \r.
type csvReader struct {
	*stream
	limits  Limits
	delim   []byte
	newline byte
	columns []string

	buf        []byte
	start, end int
	eof        bool
	offset     int64 // of buf[start] in the text
	number     int64

	spans []span
	cells [][]byte
	row   Row
	first bool // the row that tells the columns is still to be given out as data
}

// span is a cell within buf; quoted cells are unfolded once the row is complete.
type span struct {
	from, to int
	quoted   bool
}

const csvBuffer = 256 << 10

func openCSV(s *stream, f Format, limits Limits) (Reader, error) {
	delim, err := delimiter(f.Delimiter)
	if err != nil {
		return nil, err
	}
	r := &csvReader{stream: s, limits: limits, delim: delim, newline: '\n', buf: make([]byte, csvBuffer)}
	if err := r.fill(); err != nil {
		return nil, err
	}
	if seen := r.buf[:r.end]; bytes.IndexByte(seen, '\n') < 0 && bytes.IndexByte(seen, '\r') >= 0 {
		r.newline = '\r'
	}
	ok, err := r.read()
	for ok && err == nil && r.row.Number < int64(f.HeaderRow) {
		ok, err = r.read()
	}
	if err != nil {
		return nil, err
	}
	if !ok {
		return r, nil
	}
	if len(r.cells) > limits.Columns {
		return nil, fault.New(fault.TooLarge, "import.too_many_columns", fault.Params{"limit": limits.Columns})
	}
	if f.HasHeader() {
		cleanse(r.cells)
		r.columns = Names(r.cells)
	} else {
		r.columns, r.first = numbered(len(r.cells)), true
	}
	return r, nil
}

// delimiter reads the delimiter of a format; the comma when none is named.
func delimiter(s string) ([]byte, error) {
	switch s {
	case "":
		return []byte{','}, nil
	case "tab", `\t`:
		return []byte{'\t'}, nil
	}
	if utf8.RuneCountInString(s) != 1 || s == `"` || s == "\n" || s == "\r" {
		return nil, fault.InvalidField("import.bad_delimiter", "format.delimiter", fault.Params{"delimiter": s})
	}
	return []byte(s), nil
}

func (r *csvReader) Columns() []string { return r.columns }

func (r *csvReader) Close() error { return nil }

func (r *csvReader) Next() (*Row, error) {
	if r.first {
		r.first = false
	} else {
		ok, err := r.read()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, io.EOF
		}
	}
	r.row.Cells = r.cells
	vet(&r.row, len(r.columns), r.limits)
	r.cells = r.row.Cells
	return &r.row, nil
}

// read takes the next row that is not blank into cells; false at the end.
func (r *csvReader) read() (bool, error) {
	for {
		next, err := r.locate()
		if err != nil || next < 0 {
			return false, err
		}
		r.number++
		r.row = Row{Number: r.number, Offset: r.offset, Fault: r.row.Fault}
		blank := len(r.spans) == 1 && !r.spans[0].quoted && r.row.Fault == nil &&
			len(bytes.TrimSpace(r.buf[r.spans[0].from:r.spans[0].to])) == 0
		if !blank {
			r.unfold(next)
		}
		r.offset += int64(next - r.start)
		r.start = next
		if !blank {
			return true, nil
		}
	}
}

// locate finds the spans of the row at start, reading on as needed, and where the next row begins; -1 at the end.
func (r *csvReader) locate() (int, error) {
	r.row.Fault = nil
	for {
		next, complete := r.parse()
		if complete || r.eof {
			if r.start == r.end {
				return -1, nil
			}
			return next, nil
		}
		if r.start == 0 && r.end == len(r.buf) && len(r.buf) >= r.limits.Row {
			return r.skip()
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more text behind what is there, making room first.
func (r *csvReader) fill() error {
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, r.end-r.start
	}
	if r.end == len(r.buf) {
		r.buf = append(make([]byte, 0, 2*len(r.buf)), r.buf...)[:2*len(r.buf)]
	}
	n, err := io.ReadAtLeast(r.stream, r.buf[r.end:], 1)
	r.end += n
	if err == io.EOF {
		r.eof, err = true, nil
	}
	return err
}

// parse splits the row at start into spans. It is complete when the row's end was seen.
func (r *csvReader) parse() (next int, complete bool) {
	r.spans = r.spans[:0]
	b := r.buf[:r.end]
	p := r.start
	line := bytes.IndexByte(b[p:], r.newline) // end of the physical line; moves on past quoted newlines
	if line >= 0 {
		line += p
	}
	for {
		if p < len(b) && b[p] == '"' {
			q, closed := closing(b, p+1)
			if !closed {
				r.spans = append(r.spans, span{p, len(b), true})
				if r.eof {
					r.row.Fault = fault.New(fault.Invalid, "import.unterminated_quote", nil)
				}
				return len(b), false
			}
			if line >= 0 && line < q {
				if line = bytes.IndexByte(b[q:], r.newline); line >= 0 {
					line += q
				}
			}
			stop, ended := r.cellEnd(b, q, line)
			r.spans = append(r.spans, span{p, stop, true})
			if ended {
				return after(line, len(b)), line >= 0
			}
			p = stop + len(r.delim)
			continue
		}
		stop, ended := r.cellEnd(b, p, line)
		r.spans = append(r.spans, span{p, stop, false})
		if ended {
			return after(line, len(b)), line >= 0
		}
		p = stop + len(r.delim)
	}
}

// after is where the row behind a physical line begins.
func after(line, end int) int {
	if line < 0 {
		return end
	}
	return line + 1
}

// cellEnd is where the cell that goes on at p stops: at a delimiter, or at the end of the row.
func (r *csvReader) cellEnd(b []byte, p, line int) (stop int, ended bool) {
	end := line
	if line < 0 {
		end = len(b)
	}
	var i int
	if len(r.delim) == 1 {
		i = bytes.IndexByte(b[p:end], r.delim[0])
	} else {
		i = bytes.Index(b[p:end], r.delim)
	}
	if i >= 0 {
		return p + i, false
	}
	if end > p && b[end-1] == '\r' && r.newline == '\n' {
		end--
	}
	return end, true
}

// closing finds the place behind the quote that closes a quoted cell beginning before p.
func closing(b []byte, p int) (int, bool) {
	for {
		i := bytes.IndexByte(b[p:], '"')
		if i < 0 {
			return 0, false
		}
		p += i + 1
		if p >= len(b) || b[p] != '"' {
			return p, true
		}
		p++
	}
}

// skip drops a row larger than the limit without keeping it, and leaves a row with a fault and no cells in its place.
func (r *csvReader) skip() (int, error) {
	quoted := false
	for {
		b := r.buf[r.start:r.end]
		for i, c := range b {
			if c == '"' {
				quoted = !quoted
			}
			if c == r.newline && !quoted {
				return r.skipped(r.start + i + 1), nil
			}
		}
		if r.eof {
			return r.skipped(r.end), nil
		}
		r.offset += int64(len(b))
		r.start = r.end
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
}

func (r *csvReader) skipped(next int) int {
	r.spans = r.spans[:0]
	r.row.Fault = tooLarge(r.limits)
	return next
}

// unfold turns spans into cells, taking quotes away, and looks for text that cannot be stored.
func (r *csvReader) unfold(next int) {
	bad := textFault(r.buf[r.start:next], r.decoded) // before quotes are taken away in place
	r.cells = r.cells[:0]
	for _, s := range r.spans {
		c := r.buf[s.from:s.to]
		if s.quoted {
			c = unquote(c)
		}
		r.cells = append(r.cells, c)
	}
	if bad != nil {
		if r.row.Fault == nil {
			r.row.Fault = bad
		}
		cleanse(r.cells)
	}
}

// unquote removes the opening and the closing quote and halves doubled ones, in place.
func unquote(c []byte) []byte {
	c = c[1:]
	i := bytes.IndexByte(c, '"')
	if i < 0 {
		return c // not terminated
	}
	if i == len(c)-1 {
		return c[:i]
	}
	out, inside := c[:i], true
	for ; i < len(c); i++ {
		if c[i] != '"' || !inside {
			out = append(out, c[i])
			continue
		}
		if i+1 < len(c) && c[i+1] == '"' {
			out = append(out, '"')
			i++
			continue
		}
		inside = false
	}
	return out
}

package source

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/transform"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

const sniffed = 1 << 20 // bytes of the start of a file that are looked at

// Detect finds out how a file is to be read. What the format says already is kept.
func Detect(file File, f Format, limits Limits) (Format, error) {
	return complete(file, f, limits.filled())
}

func complete(file File, f Format, limits Limits) (Format, error) {
	start, err := head(file, sniffed, limits)
	if err != nil {
		return f, err
	}
	if len(bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")))) == 0 {
		return f, fault.New(fault.Invalid, "import.empty_file", nil)
	}
	magic := make([]byte, 2)
	_, _ = file.ReadAt(magic, 0)
	f.Gzip = bytes.Equal(magic, []byte{0x1f, 0x8b})
	if err := container(start, &f); err != nil {
		return f, err
	}
	yes := true
	switch f.Kind {
	case XLSX, Parquet:
		if f.Header == nil {
			f.Header = &yes
			if f.Kind == XLSX {
				err = guessHeader(file, &f, limits)
			}
		}
		return f, err
	}
	if f.Encoding == "" {
		if f.Encoding, err = detectEncoding(file, start, limits); err != nil {
			return f, err
		}
	}
	text, err := decode(start, f.Encoding)
	if err != nil {
		return f, err
	}
	completeText(text, &f)
	if f.Header == nil {
		f.Header = &yes
		if f.Kind == CSV || f.Kind == Fixed && len(f.Columns) == 0 {
			err = guessHeader(file, &f, limits)
		} else if f.Kind == Fixed {
			no := false
			f.Header = &no
		}
	}
	return f, err
}

// container recognises the kinds of file that are not text.
func container(start []byte, f *Format) error {
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		f.Kind = XLSX
	case bytes.HasPrefix(start, []byte("PAR1")):
		f.Kind = Parquet
	case bytes.HasPrefix(start, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return fault.New(fault.Invalid, "import.old_excel", nil)
	case f.Kind == XLSX || f.Kind == Parquet:
		return broken(string(f.Kind), nil)
	}
	return nil
}

func decode(b []byte, name string) ([]byte, error) {
	e, err := codec(name)
	if err != nil || e == nil {
		return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), err
	}
	out, _, err := transform.Bytes(e.NewDecoder(), b)
	if errors.Is(err, transform.ErrShortSrc) {
		err = nil
	}
	return out, err
}

// completeText finds the kind and the delimiter of a text.
func completeText(text []byte, f *Format) {
	rows := firstLines(text, 200)
	if f.Kind == "" {
		switch {
		case bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")):
			f.Kind = NDJSON
		case len(f.Columns) > 0:
			f.Kind = Fixed
		}
	}
	if f.Kind == NDJSON || f.Kind == Fixed || f.Delimiter != "" {
		if f.Kind == "" {
			f.Kind = CSV
		}
		return
	}
	best := bestDelimiter(rows)
	if f.Kind == "" && best == "" && columnar(rows) {
		f.Kind = Fixed
		return
	}
	f.Kind = CSV
	if best == "" {
		best = ","
	}
	f.Delimiter = best
}

// firstLines are up to n lines; newlines inside quotes do not count, the last, possibly cut, line is left out.
func firstLines(text []byte, n int) [][]byte {
	var out [][]byte
	quoted, from := false, 0
	newline := byte('\n')
	if bytes.IndexByte(text, '\n') < 0 {
		newline = '\r'
	}
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == newline && !quoted:
			if line := text[from:i]; len(bytes.TrimSpace(line)) > 0 {
				out = append(out, line)
			}
			if from = i + 1; len(out) == n {
				return out
			}
		}
	}
	if len(text) < sniffed/2 || len(out) == 0 {
		if line := text[from:]; len(bytes.TrimSpace(line)) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// bestDelimiter is the character that stands equally often in most lines; "" when none does.
func bestDelimiter(rows [][]byte) string {
	best, score := "", 0.0
	for _, d := range []byte{',', '\t', ';', '|', '^', '~'} {
		counts := map[int]int{}
		for _, r := range rows {
			counts[count(r, d)]++
		}
		times, share := 0, 0
		for n, k := range counts {
			if n > 0 && (k > share || k == share && n > times) {
				times, share = n, k
			}
		}
		same := float64(share) / float64(max(len(rows), 1))
		if same < 0.5 {
			continue
		}
		if s := same * float64(times); s > score {
			best, score = string(rune(d)), s
		}
	}
	return best
}

func count(row []byte, d byte) int {
	n, quoted := 0, false
	for _, c := range row {
		switch {
		case c == '"':
			quoted = !quoted
		case c == d && !quoted:
			n++
		}
	}
	return n
}

// columnar reports whether lines look like fixed-width columns: the same number of words, at least two, in nearly all.
func columnar(rows [][]byte) bool {
	counts := map[int]int{}
	for _, r := range rows {
		counts[len(bytes.Fields(r))]++
	}
	for n, k := range counts {
		if n >= 2 && k*100 >= len(rows)*95 && len(rows) >= 3 {
			return true
		}
	}
	return false
}

// titleRows is how many rows at the beginning are looked at for where the table begins.
const titleRows = 30

// guessHeader finds the row at which the table begins and whether it names the columns: it does unless one of its cells is a
// figure or a date, or most are empty. Rows above the table are those that fill at most half as many cells as the fullest one.
func guessHeader(file File, f *Format, limits Limits) error {
	no := false
	f.Header = &no
	rows, err := firstRows(file, *f, limits)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r firstRow) bool { return r.number < int64(f.HeaderRow) })
	if len(rows) == 0 {
		return nil
	}
	width := 0
	for _, r := range rows {
		width = max(width, r.filled)
	}
	begin := 0
	if f.HeaderRow == 0 && width >= 3 {
		for begin < len(rows)-1 && rows[begin].filled*2 <= width {
			begin++
		}
		if begin > 0 && rows[begin].filled*5 < width*3 || begin > 5 && !rows[begin].header {
			begin = 0 // nothing there looks like the beginning of a table
		}
	}
	if begin > 0 {
		f.HeaderRow = int(rows[begin].number)
	}
	header := rows[begin].header
	f.Header = &header
	return nil
}

// firstRow is what guessHeader looks at of a row.
type firstRow struct {
	number int64
	filled int
	header bool
}

// firstRows reads the beginning of a file as it stands, not fitted to any number of columns.
func firstRows(file File, f Format, limits Limits) ([]firstRow, error) {
	var out []firstRow
	err := beginning(file, f, limits, titleRows, func(number int64, cells [][]byte) {
		n := firstRow{number: number, header: looksLikeHeader(cells)}
		for _, c := range cells {
			if len(bytes.TrimSpace(c)) > 0 {
				n.filled++
			}
		}
		out = append(out, n)
	})
	return out, err
}

// HeadRow is one of the first rows of a file, for somebody to say where the table begins.
type HeadRow struct {
	Number int64
	Cells  []string // the first few, shortened
}

// Head reads the first rows of a file that are not blank, titles included; none of a kind that has no rows above its table.
func Head(file File, f Format, limits Limits, n int) ([]HeadRow, error) {
	if f.Kind != CSV && f.Kind != XLSX {
		return nil, nil
	}
	var out []HeadRow
	err := beginning(file, f, limits.filled(), n, func(number int64, cells [][]byte) {
		row := HeadRow{Number: number}
		for _, c := range cells[:min(8, len(cells))] {
			text := []rune(strings.ToValidUTF8(strings.TrimSpace(string(c)), "\ufffd"))
			row.Cells = append(row.Cells, string(text[:min(40, len(text))]))
		}
		out = append(out, row)
	})
	return out, err
}

// beginning visits the first n rows of a file that are not blank.
func beginning(file File, f Format, limits Limits, n int, visit func(number int64, cells [][]byte)) error {
	no := false
	f.Header, f.HeaderRow = &no, 0
	r, err := Open(file, f, limits)
	if err != nil {
		return err
	}
	more := len(r.Columns()) > 0
	for ; more && n > 0 && err == nil; n-- {
		switch x := r.(type) {
		case *csvReader:
			visit(x.row.Number, x.cells)
			more, err = x.read()
		case *xlsxReader:
			visit(x.row.Number, x.row.Cells)
			err = x.read()
		case *fixedReader:
			visit(x.row.Number, x.row.Cells)
			more, err = x.read()
		default:
			more = false
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, r.Close())
}

func looksLikeHeader(cells [][]byte) bool {
	empty := 0
	for _, c := range cells {
		s := strings.TrimSpace(string(c))
		if s == "" {
			empty++
			continue
		}
		if !hasLetter(s) || utf8.RuneCountInString(s) > 80 {
			return false
		}
		if shape := strings.Map(digitShape, s); strings.HasPrefix(shape, "0000-00-00") || strings.HasPrefix(shape, "0000/0") || strings.HasPrefix(shape, "0000年") {
			return false
		}
	}
	return empty*2 <= len(cells)
}

func digitShape(r rune) rune {
	if unicode.IsDigit(r) {
		return '0'
	}
	return r
}

func hasLetter(s string) bool { return strings.IndexFunc(s, unicode.IsLetter) >= 0 }

// Sample is the beginning of a file: its columns and first rows.
type Sample struct {
	Columns []string
	Rows    [][]string // aligned with Columns
	// Faulty is how many rows among them are not there since something is wrong with them; Fault is that of the first.
	Faulty int
	Fault  *fault.Fault
}

// Values are up to n different values of column i that are not empty.
func (s Sample) Values(i, n int) []string {
	var out []string
	for _, r := range s.Rows {
		if v := strings.TrimSpace(r[i]); v != "" && !slices.Contains(out, v) {
			if out = append(out, v); len(out) == n {
				break
			}
		}
	}
	return out
}

// Take reads the first n good rows of a file.
func Take(file File, f Format, limits Limits, n int) (Sample, error) {
	r, err := Open(file, f, limits)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Columns: slices.Clone(r.Columns())}
	for len(s.Rows) < n {
		row, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return s, errors.Join(err, r.Close())
		}
		if row.Fault != nil {
			if s.Faulty++; s.Fault == nil {
				s.Fault = row.Fault
			}
			if s.Faulty >= 10*n {
				break
			}
			continue
		}
		cells := make([]string, len(row.Cells))
		for i, c := range row.Cells {
			cells[i] = string(c)
		}
		s.Rows = append(s.Rows, cells)
	}
	return s, r.Close()
}

// Package source reads rows out of uploaded files, one at a time and in bounded memory.
//
// It knows five kinds of file: CSV with any delimiter, fixed width (by position, or split at white space), XLSX, NDJSON
// and Parquet, each also inside gzip. Whatever the kind, a Reader yields rows of text cells: dates of XLSX and Parquet
// as "2006-01-02 15:04:05", numbers as plain decimals, nested keys of NDJSON joined by dots.
//
// A defect of one row (ragged, broken encoding, a NUL byte, a cell over the limit) is that row's Fault and reading goes
// on; a defect of the file (not what it says it is, a zip bomb) is a fault of Open or Next and final. Nothing that a file
// says makes the reader hold more than Limits allow.
package source

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Kind is a kind of file.
type Kind string

// The kinds.
const (
	CSV     Kind = "csv"
	XLSX    Kind = "xlsx"
	NDJSON  Kind = "ndjson"
	Parquet Kind = "parquet"
	Fixed   Kind = "fixed"
)

// Format says how a file is to be read; it is the "format" part of a mapping file. Empty members are found out by Detect.
type Format struct {
	Kind      Kind   `json:"kind,omitempty"`
	Header    *bool  `json:"header,omitempty"`    // whether the first row names the columns
	Delimiter string `json:"delimiter,omitempty"` // of CSV: one character, "tab", or `\t`
	Encoding  string `json:"encoding,omitempty"`  // utf-8, utf-16le, utf-16be, gb18030, gbk, big5, windows-1252 …
	Date      string `json:"date,omitempty"`      // layout of dates ("2006-01-02", "dd/mm/yyyy"), read by the mapping
	Sheet     string `json:"sheet,omitempty"`     // of XLSX; the first one when empty
	// HeaderRow is the row, counted from 1 as a spreadsheet does, at which the table begins: what stands above it, a title or a
	// note, is not read. 0 is the first row. Not of NDJSON, Parquet and fixed positions.
	HeaderRow int     `json:"header_row,omitempty"`
	Columns   []Range `json:"columns,omitempty"` // of fixed width; without them lines are split at white space
	Gzip      bool    `json:"gzip,omitempty"`    // told, never needed: gzip is recognised by its first bytes
}

// With is the format with what next says in its place. A next that names its kind says everything; one that does not changes
// members, and leaves to be found out again what was found out under the old ones.
func (f Format) With(next Format) Format {
	if next.Kind != "" {
		return next
	}
	out := f
	reread := false
	change := func(to *string, v string) {
		if v != "" && v != *to {
			*to, reread = v, true
		}
	}
	if change(&out.Encoding, next.Encoding); reread {
		out.Delimiter = ""
	}
	change(&out.Delimiter, next.Delimiter)
	change(&out.Sheet, next.Sheet)
	if next.Columns != nil {
		out.Columns, reread = next.Columns, true
	}
	if reread {
		out.Header, out.HeaderRow = nil, 0
	}
	if next.HeaderRow > 0 && next.HeaderRow != out.HeaderRow {
		out.HeaderRow = next.HeaderRow
		if out.Header == nil {
			yes := true
			out.Header = &yes
		}
	}
	if next.Header != nil {
		out.Header = next.Header
	}
	if next.Date != "" {
		out.Date = next.Date
	}
	return out
}

// Range is one column of a fixed-width file: characters From to To, both counted from 1 and both included. When any
// range of a file begins at 0, all its positions are counted from 0.
type Range struct {
	Name string `json:"name"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// HasHeader reports whether the first row names the columns; true when not said.
func (f Format) HasHeader() bool { return f.Header == nil || *f.Header }

// File is an uploaded file.
type File interface {
	io.ReaderAt
	Size() int64
}

// Limits bound what a file can make the reader do. A zero member takes its default.
type Limits struct {
	Cell    int   // bytes of one cell, 1 MiB
	Row     int   // bytes of one row, 8 MiB
	Columns int   // 1,000
	Bytes   int64 // of the whole file after decompression, 64 GiB
	Ratio   int64 // decompressed to compressed, once past 32 MiB: 250
	Memory  int   // bytes of the shared texts of a workbook kept in memory; more go to an encrypted scratch file; 64 MiB
	TempDir string
}

func (l Limits) filled() Limits {
	if l.Cell == 0 {
		l.Cell = 1 << 20
	}
	if l.Row == 0 {
		l.Row = 8 << 20
	}
	if l.Columns == 0 {
		l.Columns = 1000
	}
	if l.Bytes == 0 {
		l.Bytes = 64 << 30
	}
	if l.Memory == 0 {
		l.Memory = 64 << 20
	}
	if l.Ratio == 0 {
		l.Ratio = 250
	}
	return l
}

// Row is one row of a file. It and its cells are valid until the next call of Next.
type Row struct {
	Number int64    // as a spreadsheet counts: from 1, the header included
	Offset int64    // byte where it begins in the decompressed text; -1 for XLSX and Parquet
	Cells  [][]byte // valid UTF-8, as many as there are columns
	Fault  *fault.Fault
}

// Reader yields the rows of a file in order. It is for one goroutine.
type Reader interface {
	// Columns are the names of the columns, unique and not empty.
	Columns() []string
	// Next is the next row that is not blank, io.EOF after the last.
	Next() (*Row, error)
	// Progress is how many bytes of the file have been used up, and how many there are.
	Progress() (done, total int64)
	Close() error
}

// Open begins to read a file. Members of the format that are empty are found out first. Extra names columns of an NDJSON
// file that need not occur in its first rows.
func Open(file File, f Format, limits Limits, extra ...string) (Reader, error) {
	limits = limits.filled()
	f, err := complete(file, f, limits)
	if err != nil {
		return nil, err
	}
	switch f.Kind {
	case XLSX:
		return openXLSX(file, f, limits)
	case Parquet:
		return openParquet(file, limits)
	}
	text, err := openText(file, f.Encoding, limits)
	if err != nil {
		return nil, err
	}
	switch f.Kind {
	case NDJSON:
		return openNDJSON(text, limits, extra)
	case Fixed:
		return openFixed(text, f, limits)
	case CSV:
		return openCSV(text, f, limits)
	}
	return nil, fault.InvalidField("import.unknown_format", "format.kind", fault.Params{"kind": string(f.Kind)})
}

// Names makes column names out of a header row: trimmed, never empty, never twice the same.
func Names(cells [][]byte) []string {
	seen := make(map[string]bool, len(cells))
	out := make([]string, len(cells))
	for i, c := range cells {
		name := strings.TrimSpace(strings.Trim(string(c), "\ufeff"))
		if len(name) > 200 {
			name = strings.ToValidUTF8(name[:200], "")
		}
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		base := name
		for n := 2; seen[name]; n++ {
			name = base + " (" + strconv.Itoa(n) + ")"
		}
		seen[name], out[i] = true, name
	}
	return out
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(i + 1)
	}
	return out
}

// vet fits a row to the number of columns and reports what is wrong with it. Empty cells at the end may be too many.
func vet(r *Row, columns int, limits Limits) {
	for len(r.Cells) > columns && len(bytes.TrimSpace(r.Cells[len(r.Cells)-1])) == 0 {
		r.Cells = r.Cells[:len(r.Cells)-1]
	}
	if found := len(r.Cells); found != columns && r.Fault == nil {
		r.Fault = fault.New(fault.Invalid, "import.ragged_row", fault.Params{"expected": columns, "found": found})
	}
	for len(r.Cells) < columns {
		r.Cells = append(r.Cells, nil)
	}
	r.Cells = r.Cells[:columns]
	for i, c := range r.Cells {
		if len(c) > limits.Cell {
			r.Cells[i] = nil
			r.Fault = tooLarge(limits)
		}
	}
}

func tooLarge(limits Limits) *fault.Fault {
	return fault.New(fault.TooLarge, "import.cell_too_large", fault.Params{"limit": limits.Cell})
}

// textFault finds what makes a stretch of text unfit to be stored.
func textFault(b []byte, decoded bool) *fault.Fault {
	if bytes.IndexByte(b, 0) >= 0 {
		return fault.New(fault.Invalid, "import.nul_byte", nil)
	}
	if !utf8.Valid(b) || decoded && bytes.Contains(b, []byte("\ufffd")) {
		return fault.New(fault.Invalid, "import.bad_encoding", nil)
	}
	return nil
}

// cleanse makes every cell storable after textFault found something.
func cleanse(cells [][]byte) {
	for i, c := range cells {
		cells[i] = bytes.ToValidUTF8(bytes.ReplaceAll(c, []byte{0}, nil), []byte("\ufffd"))
	}
}

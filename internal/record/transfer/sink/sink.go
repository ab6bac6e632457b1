// Package sink writes tables of records as files: CSV, XLSX, NDJSON and Parquet. It is the opposite of package source.
//
// Every writer streams: what it keeps in memory does not grow with the number of rows. Cells that a spreadsheet would take
// for a formula are disarmed in CSV and are plain texts in XLSX. A workbook continues on a further sheet when one is full.
// No writer makes a file of its own: everything goes to the io.Writer, so that the caller decides how it is kept.
package sink

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	XLSX    Format = "xlsx"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
)

// Encodings of CSV.
const (
	UTF8BOM = "utf-8-bom" // what spreadsheets read as UTF-8; the default
	UTF8    = "utf-8"
	GB18030 = "gb18030"
)

// Kind is what a column holds.
type Kind uint8

// The kinds.
const (
	Text    Kind = iota
	Number       // Cell.Number, a decimal
	Day          // Cell.Time at midnight UTC
	Instant      // Cell.Time
	Bool         // Cell.Yes
)

// Column is one column of the table.
type Column struct {
	Key   string // of the record's field: the name in NDJSON and Parquet
	Label string // for people: the heading in CSV and XLSX
	Kind  Kind
}

// Cell is one value. The zero value is an empty cell.
type Cell struct {
	Text   string // for people; what CSV shows
	Given  bool   // there is a value; of a kind other than Text where the column says so
	Number string
	Time   time.Time
	Yes    bool
	// Plain says that the value does not have the kind of the column (a masked number, an amount in another currency): its text
	// stands for it.
	Plain bool
	JSON  any // what NDJSON shows; nil for null
}

// Options say how a file is written.
type Options struct {
	Format   Format
	Encoding string         // of CSV
	Zone     *time.Location // of instants in XLSX; UTC when nil
	Name     string         // of the sheets and of the Parquet schema
	Level    int            // of compression in XLSX, 0 for the quickest
}

// Check refuses a format or an encoding that is not known; the fault is located at "format" or "encoding".
func (o Options) Check() *fault.Fault {
	switch o.Format {
	case CSV, XLSX, NDJSON, Parquet:
	default:
		return fault.InvalidField("export.unknown_format", "format", fault.Params{"format": string(o.Format)})
	}
	switch o.Encoding {
	case "", UTF8BOM, UTF8, GB18030:
		return nil
	}
	return fault.InvalidField("export.unknown_encoding", "encoding", fault.Params{"encoding": o.Encoding})
}

// ContentType is the media type of a file.
func (o Options) ContentType() string {
	switch o.Format {
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case NDJSON:
		return "application/x-ndjson"
	case Parquet:
		return "application/vnd.apache.parquet"
	}
	if o.Encoding == GB18030 {
		return "text/csv; charset=gb18030"
	}
	return "text/csv; charset=utf-8"
}

// Writer takes rows. Row takes as many cells as there are columns and keeps none of them; Close ends the file, not the
// writer below.
type Writer interface {
	Row(cells []Cell) error
	Close() error
	// Shortened is how many cells were cut since the format bounds the length of a text.
	Shortened() int64
}

// Tables is a Writer of a format that holds several tables: XLSX.
type Tables interface {
	Writer
	// Table ends the table at hand and begins another one under a name.
	Table(name string, columns []Column) error
}

// New begins a file of some columns; Options must have passed Check.
func New(w io.Writer, o Options, columns []Column) (Writer, error) {
	switch o.Format {
	case XLSX:
		return newWorkbook(w, o, columns)
	case NDJSON:
		return newLines(w, columns), nil
	case Parquet:
		return newParquet(w, o, columns), nil
	}
	return newCSV(w, o, columns)
}

// Disarm keeps a spreadsheet from taking a text for a formula: it begins with an apostrophe then. Numbers stay numbers.
func Disarm(s string) string {
	if s == "" {
		return s
	}
	first, _ := utf8.DecodeRuneInString(s)
	if !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) { // some take the wide forms for the narrow ones
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s
	}
	return "'" + s
}

type csvWriter struct {
	out  *csv.Writer
	wide io.Closer // of the encoder; nil for UTF-8
	row  []string
}

func newCSV(w io.Writer, o Options, columns []Column) (*csvWriter, error) {
	e := &csvWriter{row: make([]string, len(columns))}
	switch o.Encoding {
	case GB18030:
		t := transform.NewWriter(w, encoding.ReplaceUnsupported(simplifiedchinese.GB18030.NewEncoder()))
		w, e.wide = t, t
	case UTF8:
	default:
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return nil, err
		}
	}
	e.out = csv.NewWriter(w)
	for i, c := range columns {
		e.row[i] = Disarm(c.Label)
	}
	return e, e.out.Write(e.row)
}

func (e *csvWriter) Row(cells []Cell) error {
	for i := range cells {
		e.row[i] = Disarm(cells[i].Text)
	}
	return e.out.Write(e.row)
}

func (e *csvWriter) Close() error {
	e.out.Flush()
	err := e.out.Error()
	if e.wide != nil {
		err = errors.Join(err, e.wide.Close())
	}
	return err
}

func (e *csvWriter) Shortened() int64 { return 0 }

// lines writes one JSON object per row, members in the order of the columns, empty ones left out.
type lines struct {
	out  *bufio.Writer
	keys [][]byte
}

func newLines(w io.Writer, columns []Column) *lines {
	l := &lines{out: bufio.NewWriterSize(w, 64<<10)}
	for _, c := range columns {
		raw, err := json.Marshal(c.Key)
		if err != nil { // a string always encodes
			raw = []byte(`""`)
		}
		l.keys = append(l.keys, append(raw, ':'))
	}
	return l
}

func (l *lines) Row(cells []Cell) error {
	if err := l.out.WriteByte('{'); err != nil {
		return err
	}
	first := true
	for i := range cells {
		if cells[i].JSON == nil {
			continue
		}
		raw, err := json.Marshal(cells[i].JSON)
		if err != nil {
			return err
		}
		if !first {
			_ = l.out.WriteByte(',') // errors of a buffered writer stay until the end
		}
		first = false
		_, _ = l.out.Write(l.keys[i])
		_, _ = l.out.Write(raw)
	}
	_, err := l.out.WriteString("}\n")
	return err
}

func (l *lines) Close() error { return l.out.Flush() }

func (l *lines) Shortened() int64 { return 0 }

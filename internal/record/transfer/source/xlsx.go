package source

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// xlsxReader reads one sheet of a workbook row by row, straight from the packed file: nothing is unpacked beside it. What is
// stored as a number and formatted as a date is a date; any other number is taken as stored, free of the noise of binary
// fractions.
type xlsxReader struct {
	book    *workbook
	sheet   *markup
	part    *partReader
	limits  Limits
	columns []string
	number  int64 // of the last row
	total   int64 // bytes of the file
	drop    func() error
	buf     []byte // texts of the row
	spans   []span
	value   []byte // of the cell at hand
	text    textOf
	row     Row
	first   bool
}

// maxSheetColumns is how many columns a sheet can have at all.
const maxSheetColumns = 16384

func openXLSX(file File, f Format, limits Limits) (Reader, error) {
	whole, drop, err := whole(file, limits)
	if err != nil {
		return nil, err
	}
	r, err := newXLSX(whole, f, limits)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	r.drop, r.total = drop, file.Size()
	return r, nil
}

func newXLSX(file File, f Format, limits Limits) (*xlsxReader, error) {
	book, err := openWorkbook(file, limits)
	if err != nil {
		return nil, err
	}
	r := &xlsxReader{book: book, limits: limits}
	if err := r.begin(f); err != nil {
		return nil, errors.Join(broken("xlsx", err), r.closeBook())
	}
	return r, nil
}

func (r *xlsxReader) closeBook() error {
	err := r.book.strings.close()
	if r.part != nil {
		err = errors.Join(err, r.part.r.Close())
	}
	return err
}

func (r *xlsxReader) begin(f Format) error {
	name, err := r.book.sheet(f.Sheet)
	if err != nil {
		return err
	}
	if r.sheet, r.part, err = r.book.part(name, r.limits.Cell); err != nil {
		return err
	}
	if r.sheet == nil {
		return broken("xlsx", nil)
	}
	r.text = textOf{m: r.sheet, limit: r.limits.Cell}
	err = r.read()
	for err == nil && r.row.Number < int64(f.HeaderRow) {
		err = r.read()
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	if len(r.row.Cells) > r.limits.Columns {
		return fault.New(fault.TooLarge, "import.too_many_columns", fault.Params{"limit": r.limits.Columns})
	}
	if f.HasHeader() {
		r.columns = Names(r.row.Cells)
	} else {
		r.columns, r.first = numbered(len(r.row.Cells)), true
	}
	return nil
}

func (r *xlsxReader) Columns() []string { return r.columns }

func (r *xlsxReader) Progress() (done, total int64) {
	if r.part == nil || r.part.size == 0 {
		return r.total, r.total
	}
	return int64(float64(r.total) * math.Min(1, float64(r.part.n)/float64(r.part.size))), r.total
}

func (r *xlsxReader) Close() error { return errors.Join(r.closeBook(), r.drop()) }

func (r *xlsxReader) Next() (*Row, error) {
	if r.first {
		r.first = false
	} else if err := r.read(); err != nil {
		return nil, err
	}
	// a sheet has no ragged rows: cells at the end that were never filled are simply not there
	for len(r.row.Cells) < len(r.columns) {
		r.row.Cells = append(r.row.Cells, nil)
	}
	vet(&r.row, len(r.columns), r.limits)
	return &r.row, nil
}

// read finds the next row that is not blank.
func (r *xlsxReader) read() error {
	for {
		k, err := r.sheet.next()
		switch {
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return broken("xlsx", err)
		case k == tagEnds && r.sheet.name() == "sheetData":
			return io.EOF
		case k != tagBegins || r.sheet.name() != "row":
			continue
		}
		r.number++
		if n, err := strconv.ParseInt(string(r.sheet.attribute("r")), 10, 64); err == nil && n > r.number {
			r.number = n
		}
		if r.sheet.empty {
			continue
		}
		if err := r.cells(); err != nil {
			return broken("xlsx", err)
		}
		if r.finish() {
			return nil
		}
	}
}

// cells reads the cells of the row that has just begun.
func (r *xlsxReader) cells() error {
	r.row = Row{Number: r.number, Offset: -1, Cells: r.row.Cells[:0]}
	r.buf, r.spans = r.buf[:0], r.spans[:0]
	for {
		k, err := r.sheet.next()
		switch {
		case err != nil:
			return errors.Join(errMarkup, err)
		case k == tagEnds && r.sheet.name() == "row":
			return nil
		case k == tagBegins && r.sheet.name() == "c":
			if err := r.cell(); err != nil {
				return err
			}
		}
	}
}

// cell reads the cell that has just begun.
func (r *xlsxReader) cell() error {
	at := len(r.spans)
	if ref := r.sheet.attribute("r"); ref != nil {
		if n := columnNumber(ref); n > 0 {
			at = n - 1
		}
	}
	if at >= maxSheetColumns || at < len(r.spans) {
		return errMarkup // beyond the sheet, or out of order
	}
	kind := cellKind(r.sheet.attribute("t"))
	style, _ := strconv.Atoi(string(r.sheet.attribute("s")))
	r.value = r.value[:0]
	if !r.sheet.empty {
		if err := r.content(); err != nil {
			return err
		}
	}
	for len(r.spans) < at {
		r.spans = append(r.spans, span{from: len(r.buf), to: len(r.buf)})
	}
	from := len(r.buf)
	if err := r.print(kind, style); err != nil {
		return err
	}
	if len(r.buf) > r.limits.Row {
		r.buf = r.buf[:from]
		r.row.Fault = tooLarge(r.limits)
	}
	r.spans = append(r.spans, span{from: from, to: len(r.buf)})
	return nil
}

// content reads the value of a cell up to its end.
func (r *xlsxReader) content() error {
	within := false
	for {
		k, err := r.sheet.next()
		if err != nil {
			return errors.Join(errMarkup, err)
		}
		switch k {
		case tagBegins:
			name := r.sheet.name()
			within = name == "v" && !r.sheet.empty
			if name == "is" {
				text, err := r.text.read("is")
				if err != nil {
					return err
				}
				r.value = append(r.value, text...)
			}
		case tagEnds:
			within = false
			if r.sheet.name() == "c" {
				return nil
			}
		case characters:
			if within {
				r.value = append(r.value, r.sheet.text[:min(len(r.sheet.text), r.limits.Cell+1-len(r.value))]...)
			}
		}
	}
}

type valueKind uint8

const (
	numberValue valueKind = iota
	sharedValue
	boolValue
	textValue
)

func cellKind(t []byte) valueKind {
	switch string(t) {
	case "s":
		return sharedValue
	case "b":
		return boolValue
	case "", "n":
		return numberValue
	}
	return textValue // str, inlineStr, e (an error as it is shown), d (an ISO date)
}

// print appends the text of a cell to the row.
func (r *xlsxReader) print(kind valueKind, style int) error {
	switch {
	case len(r.value) == 0:
	case kind == sharedValue:
		n, err := strconv.Atoi(strings.TrimSpace(string(r.value)))
		if err != nil {
			return errMarkup
		}
		text, ok, err := r.book.strings.get(n)
		if err != nil || !ok {
			return errors.Join(errMarkup, err)
		}
		r.buf = append(r.buf, text...)
	case kind == boolValue && string(r.value) == "1":
		r.buf = append(r.buf, "TRUE"...)
	case kind == boolValue:
		r.buf = append(r.buf, "FALSE"...)
	case kind == numberValue:
		shows := plainNumber
		if style >= 0 && style < len(r.book.styles) {
			shows = r.book.styles[style]
		}
		r.buf = append(r.buf, r.numeric(string(r.value), shows)...)
	default:
		r.buf = append(r.buf, unfoldEscapes(r.value)...)
	}
	return nil
}

// finish makes the row of its texts; false when it is blank.
func (r *xlsxReader) finish() bool {
	filled := r.row.Fault != nil
	for _, s := range r.spans {
		c := r.buf[s.from:s.to:s.to]
		r.row.Cells = append(r.row.Cells, c)
		filled = filled || len(bytes.TrimSpace(c)) > 0
	}
	if f := textFault(r.buf, false); f != nil && r.row.Fault == nil {
		r.row.Fault = f
		cleanse(r.row.Cells)
	}
	return filled
}

// columnNumber reads the letters of a cell's name, A1 is column 1; 0 for none.
func columnNumber(ref []byte) int {
	n := 0
	for _, c := range ref {
		if c |= 0x20; c < 'a' || c > 'z' {
			break
		}
		if n = n*26 + int(c-'a') + 1; n > maxSheetColumns {
			return n
		}
	}
	return n
}

// numeric is the text of a number under the format of its cell.
func (r *xlsxReader) numeric(stored string, shows numberKind) string {
	v, err := strconv.ParseFloat(stored, 64)
	if err != nil {
		return stored
	}
	if shows != plainNumber && v >= 0 && v < 2958466 {
		if t, ok := serial(v, shows, r.book.date1904); ok {
			return t
		}
	}
	if digits := len(strings.Trim(stored, "-+.")); digits > 15 || strings.ContainsAny(stored, "eE") {
		if g, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64); err == nil {
			return strconv.FormatFloat(g, 'f', -1, 64)
		}
	}
	return stored
}

// serial is a day counted from 1900, or from 1904, as a text. Spreadsheets take 1900 for a leap year.
func serial(v float64, shows numberKind, from1904 bool) (string, bool) {
	days := math.Floor(v)
	seconds := math.Round((v - days) * 86400)
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days < 60:
		epoch = epoch.AddDate(0, 0, 1)
	}
	t := epoch.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
	switch {
	case shows == clockNumber && v < 1:
		return t.Format(time.TimeOnly), true
	case shows == clockNumber:
		return "", false // a duration
	case seconds == 0 || seconds == 86400:
		return t.Format(time.DateOnly), true
	}
	return t.Format(time.DateTime), true
}

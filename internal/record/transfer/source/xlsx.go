package source

import (
	"archive/zip"
	"errors"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// xlsxReader reads one sheet of a workbook row by row. Each row is read twice, as stored and as shown: what is stored as
// a number and shown as a date is a date; any other number is taken as stored, free of the noise of binary fractions.
type xlsxReader struct {
	book     *excelize.File
	stored   *excelize.Rows
	shown    *excelize.Rows
	date1904 bool
	limits   Limits
	columns  []string
	done     int64 // rows read
	total    int64 // bytes of the file
	rows     int64 // rows the sheet says it has, 0 for unknown
	drop     func() error
	scratch  []byte
	row      Row
	first    bool
}

// Workbooks: bytes unpacked in all, and bytes of one part above which it is unpacked to disk instead of memory.
const (
	xlsxUnpacked = 4 << 30
	xlsxInMemory = 64 << 20
	xlsxRatio    = 200
)

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
	if err := weighZip(file, limits); err != nil {
		return nil, err
	}
	book, err := excelize.OpenReader(io.NewSectionReader(file, 0, file.Size()),
		excelize.Options{UnzipSizeLimit: min(xlsxUnpacked, limits.Bytes), UnzipXMLSizeLimit: min(xlsxInMemory, limits.Bytes), TmpDir: limits.TempDir})
	if err != nil {
		return nil, broken("xlsx", err)
	}
	r := &xlsxReader{book: book, limits: limits}
	if err := r.begin(f); err != nil {
		return nil, errors.Join(broken("xlsx", err), book.Close())
	}
	return r, nil
}

func (r *xlsxReader) begin(f Format) error {
	sheets := r.book.GetSheetList()
	if len(sheets) == 0 {
		return broken("xlsx", nil)
	}
	sheet := sheets[0]
	if f.Sheet != "" {
		if i, err := r.book.GetSheetIndex(f.Sheet); err != nil || i < 0 {
			return fault.InvalidField("import.no_such_sheet", "format.sheet", fault.Params{"sheet": f.Sheet})
		}
		sheet = f.Sheet
	}
	if p, err := r.book.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		r.date1904 = *p.Date1904
	}
	if dim, err := r.book.GetSheetDimension(sheet); err == nil {
		_, last, _ := strings.Cut(dim, ":")
		if _, n, err := excelize.CellNameToCoordinates(last); err == nil {
			r.rows = int64(n)
		}
	}
	var err error
	if r.stored, err = r.book.Rows(sheet); err != nil {
		return err
	}
	if r.shown, err = r.book.Rows(sheet); err != nil {
		return err
	}
	switch err := r.read(); {
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

// weighZip refuses a workbook whose parts are declared, or are in truth, far larger than the file could honestly hold.
func weighZip(file File, limits Limits) error {
	z, err := zip.NewReader(file, file.Size())
	if err != nil {
		return broken("xlsx", err)
	}
	var sum uint64
	workbook := false
	for _, p := range z.File {
		sum += p.UncompressedSize64
		if p.UncompressedSize64 > ratioFloor && p.UncompressedSize64/max(p.CompressedSize64, 1) > xlsxRatio ||
			sum > uint64(min(xlsxUnpacked, limits.Bytes)) {
			return bomb()
		}
		workbook = workbook || strings.EqualFold(path.Clean(strings.ReplaceAll(p.Name, `\`, "/")), "xl/workbook.xml")
	}
	if !workbook {
		return broken("xlsx", nil)
	}
	return nil
}

func (r *xlsxReader) Columns() []string { return r.columns }

func (r *xlsxReader) Progress() (done, total int64) {
	if r.rows > 0 {
		return int64(float64(r.total) * math.Min(1, float64(r.done)/float64(r.rows))), r.total
	}
	return 0, r.total
}

func (r *xlsxReader) Close() error {
	errs := []error{r.stored.Close(), r.shown.Close(), r.book.Close()}
	return errors.Join(append(errs, r.drop())...)
}

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

func (r *xlsxReader) read() error {
	for r.stored.Next() && r.shown.Next() {
		r.done++
		stored, err := r.stored.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return broken("xlsx", err)
		}
		shown, err := r.shown.Columns()
		if err != nil {
			return broken("xlsx", err)
		}
		if r.fill(stored, shown) {
			return nil
		}
	}
	if err := errors.Join(r.stored.Error(), r.shown.Error()); err != nil {
		return broken("xlsx", err)
	}
	return io.EOF
}

// fill makes the row; false when it is blank.
func (r *xlsxReader) fill(stored, shown []string) bool {
	r.row = Row{Number: r.done, Offset: -1, Cells: r.row.Cells[:0]}
	size := 0
	for _, s := range stored {
		size += len(s) + 32
	}
	if cap(r.scratch) < size {
		r.scratch = make([]byte, 0, 2*size)
	}
	b, any := r.scratch[:0], false
	for i, s := range stored {
		text := s
		if i < len(shown) && shown[i] != s {
			text = r.value(s, shown[i])
		}
		from := len(b)
		b = append(b, text...)
		r.row.Cells = append(r.row.Cells, b[from:len(b):len(b)])
		any = any || strings.TrimSpace(text) != ""
	}
	if f := textFault(b, false); f != nil {
		r.row.Fault = f
		cleanse(r.row.Cells)
	}
	return any
}

// value decides what a number is that is not shown as it is stored.
func (r *xlsxReader) value(stored, shown string) string {
	v, err := strconv.ParseFloat(stored, 64)
	if err != nil {
		return stored
	}
	if t, ok := r.date(v, shown); ok {
		return t
	}
	if strings.EqualFold(shown, "TRUE") || strings.EqualFold(shown, "FALSE") {
		return shown
	}
	if digits := len(strings.Trim(stored, "-+.")); digits > 15 || strings.ContainsAny(stored, "eE") {
		if g, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64); err == nil {
			return strconv.FormatFloat(g, 'f', -1, 64)
		}
	}
	return stored
}

// date reads a serial day that is shown as a date or a time of day: the text shown must hold the day or the hour.
func (r *xlsxReader) date(v float64, shown string) (string, bool) {
	if v < 0 || v >= 2958466 || !strings.ContainsAny(shown, "-/:年月日時时.") && !strings.ContainsAny(shown, "abcdefghijlmnoprstuvyABCDFGHIJLMNOPRSTUVY") {
		return "", false
	}
	t, err := excelize.ExcelDateToTime(v, r.date1904)
	if err != nil {
		return "", false
	}
	t = t.Round(time.Second)
	if _, err := strconv.ParseFloat(strings.NewReplacer(",", "", "%", "", " ", "").Replace(shown), 64); err == nil {
		return "", false
	}
	clockOnly, dateOnly := v < 1, t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0
	has := func(n int) bool { return strings.Contains(shown, strconv.Itoa(n)) }
	year := has(t.Year()) || has(t.Year()%100)
	switch {
	case clockOnly && strings.Contains(shown, ":"):
		return t.Format(time.TimeOnly), true
	case clockOnly:
		return "", false
	case !(has(t.Day()) && (year || has(int(t.Month())))) && !(year && has(int(t.Month()))) && !(year && strings.Contains(shown, t.Month().String()[:3])):
		return "", false
	case dateOnly:
		return t.Format(time.DateOnly), true
	}
	return t.Format(time.DateTime), true
}

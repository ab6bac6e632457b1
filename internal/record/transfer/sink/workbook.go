package sink

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
)

// Bounds of a workbook.
const (
	sheetRows = 1 << 20 // of a sheet, its heading included
	cellText  = 32_767  // characters of a cell, counted as UTF-16
)

// workbook writes the XML of a workbook straight into its archive: one sheet after the other, texts in place, so that
// nothing has to be kept or written beside. Styles: 1 heading, 2 day, 3 instant.
type workbook struct {
	zip     *zip.Writer
	out     *bufio.Writer
	columns []Column
	letters []string
	zone    *time.Location
	name    string
	names   []string // of the sheets
	part    int      // of the table at hand, counted from 0
	sheets  int
	row     int
	limit   int // rows of a sheet
	cut     int64
	line    []byte
}

func newWorkbook(w io.Writer, o Options, columns []Column) (*workbook, error) {
	b := &workbook{zip: zip.NewWriter(w), columns: columns, zone: o.Zone, name: sheetName(o.Name), limit: sheetRows}
	if b.zone == nil {
		b.zone = time.UTC
	}
	level := o.Level
	if level == 0 {
		level = flate.BestSpeed
	}
	b.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) })
	for i := range columns {
		b.letters = append(b.letters, letter(i))
	}
	return b, b.sheet()
}

// Table begins another table on a sheet of its own.
func (b *workbook) Table(name string, columns []Column) error {
	b.columns, b.letters, b.part = columns, nil, 0
	for i := range columns {
		b.letters = append(b.letters, letter(i))
	}
	b.name = sheetName(name)
	for n := 2; slices.Contains(b.names, b.name); n++ {
		b.name = sheetName(name) + " " + strconv.Itoa(n)
	}
	return b.sheet()
}

// letter is the name of a column, counted from 0: A to Z, AA and so on.
func letter(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}

// sheetName is a name that spreadsheets take: no more than 25 characters, to leave room for a number, none of []:*?/\.
func sheetName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\'`, r) || r < ' ' {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 25 {
		s = string(r[:25])
	}
	if strings.TrimSpace(s) == "" {
		return "Sheet"
	}
	return s
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// sheet ends the sheet at hand and begins the next one, with its heading.
func (b *workbook) sheet() error {
	if err := b.end(); err != nil {
		return err
	}
	b.sheets++
	name := b.name
	if b.part++; b.part > 1 {
		name += " " + strconv.Itoa(b.part)
	}
	b.names = append(b.names, name)
	w, err := b.zip.Create("xl/worksheets/sheet" + strconv.Itoa(b.sheets) + ".xml")
	if err != nil {
		return err
	}
	b.out, b.row = bufio.NewWriterSize(w, 64<<10), 0
	_, err = b.out.WriteString(xmlHead + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>` + b.widths() + `<sheetData>`)
	if err != nil {
		return err
	}
	b.begin()
	for i, c := range b.columns {
		b.text(i, c.Label, 1)
	}
	return b.finish()
}

func (b *workbook) widths() string {
	if len(b.columns) == 0 {
		return ""
	}
	var s strings.Builder
	s.WriteString("<cols>")
	for i, c := range b.columns {
		width := 16
		if c.Kind == Instant {
			width = 20
		}
		fmt.Fprintf(&s, `<col min="%d" max="%d" width="%d" customWidth="1"/>`, i+1, i+1, width)
	}
	return s.String() + "</cols>"
}

func (b *workbook) end() error {
	if b.out == nil {
		return nil
	}
	if _, err := b.out.WriteString("</sheetData></worksheet>"); err != nil {
		return err
	}
	return b.out.Flush()
}

func (b *workbook) begin() {
	b.row++
	b.line = append(b.line[:0], `<row r="`...)
	b.line = strconv.AppendInt(b.line, int64(b.row), 10)
	b.line = append(b.line, `">`...)
}

func (b *workbook) finish() error {
	b.line = append(b.line, "</row>"...)
	_, err := b.out.Write(b.line)
	return err
}

// cell opens a cell of a column with a style and further attributes.
func (b *workbook) cell(i, style int, more string) {
	b.line = append(b.line, `<c r="`...)
	b.line = append(b.line, b.letters[i]...)
	b.line = strconv.AppendInt(b.line, int64(b.row), 10)
	b.line = append(b.line, '"')
	if style > 0 {
		b.line = append(b.line, ` s="`...)
		b.line = strconv.AppendInt(b.line, int64(style), 10)
		b.line = append(b.line, '"')
	}
	b.line = append(b.line, more...)
	b.line = append(b.line, '>')
}

func (b *workbook) text(i int, s string, style int) {
	if s == "" {
		return
	}
	s, cut := clip(s)
	if cut {
		b.cut++
	}
	b.cell(i, style, ` t="inlineStr"`)
	b.line = append(b.line, `<is><t xml:space="preserve">`...)
	b.line = appendXML(b.line, s)
	b.line = append(b.line, "</t></is></c>"...)
}

// clip cuts a text at what a cell can hold.
func clip(s string) (string, bool) {
	if len(s) <= cellText {
		return s, false
	}
	n := 0
	for at, r := range s {
		w := 1
		if r > 0xFFFF {
			w = 2
		}
		if n+w > cellText {
			return s[:at], true
		}
		n += w
	}
	return s, false
}

// appendXML escapes a text; characters that XML cannot hold become blanks.
func appendXML(b []byte, s string) []byte {
	from := 0
	for at := 0; at < len(s); {
		c := s[at]
		size := 1
		esc := ""
		switch {
		case c == '&':
			esc = "&amp;"
		case c == '<':
			esc = "&lt;"
		case c == '>':
			esc = "&gt;"
		case c == '\r':
			esc = "&#13;"
		case c < ' ' && c != '\t' && c != '\n':
			esc = " "
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[at:]); r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				esc = "\ufffd"
			}
		}
		if esc != "" {
			b = append(append(b, s[from:at]...), esc...)
			from = at + size
		}
		at += size
	}
	return append(b, s[from:]...)
}

func (b *workbook) number(i int, n string, style int) {
	b.cell(i, style, "")
	b.line = append(append(append(b.line, "<v>"...), n...), "</v></c>"...)
}

// epoch is day 0 of spreadsheets, for days from 1 March 1900.
var epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// firstDay is the first day that spreadsheets count as everybody does.
var firstDay = time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// Row implements Writer.
func (b *workbook) Row(cells []Cell) error {
	if b.row >= b.limit {
		if err := b.sheet(); err != nil {
			return err
		}
	}
	b.begin()
	for i := range cells {
		c := &cells[i]
		if !c.Given && c.Text == "" {
			continue
		}
		kind := b.columns[i].Kind
		if c.Plain {
			kind = Text
		}
		switch {
		case kind == Number && len(strings.TrimLeft(c.Number, "-0.")) <= 15: // spreadsheets keep fifteen digits
			b.number(i, c.Number, 0)
		case kind == Day && !c.Time.Before(firstDay):
			b.number(i, strconv.FormatInt(int64(c.Time.Sub(epoch)/(24*time.Hour)), 10), 2)
		case kind == Instant && !c.Time.Before(firstDay):
			t := c.Time.In(b.zone)
			wall := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
			b.number(i, strconv.FormatFloat(wall.Sub(epoch).Hours()/24, 'f', 8, 64), 3)
		default:
			b.text(i, c.Text, 0)
		}
	}
	return b.finish()
}

// Shortened implements Writer.
func (b *workbook) Shortened() int64 { return b.cut }

// Close implements Writer.
func (b *workbook) Close() error {
	if err := b.end(); err != nil {
		return err
	}
	var types, sheets, links strings.Builder
	for i := 1; i <= b.sheets; i++ {
		name := b.names[i-1]
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, i)
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, strings.ReplaceAll(string(appendXML(nil, name)), `"`, "&quot;"), i, i)
		fmt.Fprintf(&links, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%d.xml"/>`, i, i)
	}
	const rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	parts := [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` + types.String() + `</Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + rel + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="` + rel + `"><sheets>` + sheets.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + links.String() + fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/>`, b.sheets+1, rel) + `</Relationships>`},
		{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`},
	}
	for _, p := range parts {
		w, err := b.zip.Create(p[0])
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, xmlHead+p[1]); err != nil {
			return err
		}
	}
	return b.zip.Close()
}

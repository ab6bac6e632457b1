package source

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// workbook is what an XLSX file says beside the cells of its sheets.
type workbook struct {
	parts    map[string]*zip.File // by lower-case path
	sheets   []sheetRef
	date1904 bool
	styles   []numberKind // of the cell formats
	strings  sharedStrings
}

type sheetRef struct{ name, part string }

// numberKind is what a number format shows.
type numberKind uint8

const (
	plainNumber numberKind = iota
	dateNumber
	clockNumber // a time of day without a day
)

// Workbooks: bytes unpacked in all, and how much larger a part may be than what it is packed into.
const (
	xlsxUnpacked = 4 << 30
	xlsxRatio    = 200
	maxDirectory = 32 << 20 // of a part that is read whole
)

func openWorkbook(file File, limits Limits) (*workbook, error) {
	z, err := zip.NewReader(file, file.Size())
	if err != nil {
		return nil, broken("xlsx", err)
	}
	w := &workbook{parts: make(map[string]*zip.File, len(z.File))}
	var sum uint64
	for _, p := range z.File {
		sum += p.UncompressedSize64
		if p.UncompressedSize64 > ratioFloor && p.UncompressedSize64/max(p.CompressedSize64, 1) > xlsxRatio ||
			sum > uint64(min(xlsxUnpacked, limits.Bytes)) {
			return nil, bomb()
		}
		w.parts[partName(p.Name)] = p
	}
	err = w.directory()
	if err == nil {
		err = w.readStyles()
	}
	if err == nil {
		err = w.strings.read(w, limits)
	}
	if err != nil {
		return nil, errors.Join(broken("xlsx", err), w.strings.close())
	}
	return w, nil
}

// Sheets are the names of the sheets of a workbook, in its order; none of a file of another kind.
func Sheets(file File, limits Limits) ([]string, error) {
	limits = limits.filled()
	file, drop, err := whole(file, limits)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(file, file.Size())
	if err != nil {
		return nil, drop()
	}
	w := &workbook{parts: make(map[string]*zip.File, len(z.File))}
	for _, p := range z.File {
		w.parts[partName(p.Name)] = p
	}
	if err := w.directory(); err != nil {
		return nil, errors.Join(broken("xlsx", err), drop())
	}
	out := make([]string, len(w.sheets))
	for i, s := range w.sheets {
		out[i] = s.name
	}
	return out, drop()
}

func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean(strings.ReplaceAll(name, `\`, "/")), "/"))
}

// part opens a part as markup; no reader for one that is not there. It gives no more than the file declares.
func (w *workbook) part(name string, limit int) (*markup, *partReader, error) {
	p := w.parts[partName(name)]
	if p == nil {
		return nil, nil, nil //nolint:nilnil // not there
	}
	r, err := p.Open()
	if err != nil {
		return nil, nil, err
	}
	pr := &partReader{r: r, size: int64(min(p.UncompressedSize64, 1<<62))} //nolint:gosec // bounded
	return newMarkup(pr, limit), pr, nil
}

// partReader counts what is read and refuses more than was declared.
type partReader struct {
	r       io.ReadCloser
	n, size int64
}

func (p *partReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.n += int64(n); p.n > p.size {
		return 0, bomb()
	}
	return n, err
}

// each visits the beginnings of elements of a part that is small enough to be read whole.
func (w *workbook) each(name string, visit func(m *markup, element string)) error {
	m, r, err := w.part(name, 1<<10)
	if err != nil || m == nil {
		return err
	}
	defer r.r.Close()
	if r.size > maxDirectory {
		return bomb()
	}
	for {
		switch t, err := m.next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case t == tagBegins:
			visit(m, m.name())
		}
	}
}

// directory reads which sheets there are.
func (w *workbook) directory() error {
	const main = "xl/workbook.xml"
	if w.parts[main] == nil {
		return broken("xlsx", nil)
	}
	targets := map[string]string{}
	err := w.each("xl/_rels/workbook.xml.rels", func(m *markup, element string) {
		if kind := m.attribute("Type"); element == "Relationship" && bytes.HasSuffix(kind, []byte("/worksheet")) {
			t := string(m.attribute("Target"))
			if !strings.HasPrefix(t, "/") {
				t = path.Join("xl", t)
			}
			targets[string(m.attribute("Id"))] = t
		}
	})
	if err != nil {
		return err
	}
	return w.each(main, func(m *markup, element string) {
		switch element {
		case "workbookPr":
			v := string(m.attribute("date1904"))
			w.date1904 = v == "1" || v == "true"
		case "sheet":
			if t := targets[string(m.attribute("r:id"))]; t != "" {
				w.sheets = append(w.sheets, sheetRef{string(m.attribute("name")), t})
			}
		}
	})
}

// sheet finds a sheet by name, the first for "".
func (w *workbook) sheet(name string) (string, error) {
	for _, s := range w.sheets {
		if name == "" || strings.EqualFold(s.name, name) {
			return s.part, nil
		}
	}
	if name == "" {
		return "", broken("xlsx", nil)
	}
	return "", fault.InvalidField("import.no_such_sheet", "format.sheet", fault.Params{"sheet": name})
}

// readStyles finds out which cell formats show dates.
func (w *workbook) readStyles() error {
	codes := map[string]string{}
	inFormats := false
	return w.each("xl/styles.xml", func(m *markup, element string) {
		switch element {
		case "numFmt":
			codes[string(m.attribute("numFmtId"))] = string(m.attribute("formatCode"))
		case "cellXfs":
			inFormats = !m.empty
		case "cellStyles", "cellStyleXfs", "dxfs":
			inFormats = false
		case "xf":
			if inFormats {
				id := string(m.attribute("numFmtId"))
				kind := codeKind(codes[id])
				if _, own := codes[id]; !own {
					n, _ := strconv.Atoi(id)
					kind = builtinKind(n)
				}
				w.styles = append(w.styles, kind)
			}
		}
	})
}

// builtinKind is what the number formats show that a workbook need not define (ECMA-376 part 1, 18.8.30).
func builtinKind(n int) numberKind {
	switch {
	case n >= 18 && n <= 21, n == 32, n == 33, n >= 45 && n <= 47, n == 34, n == 35, n == 55, n == 56:
		return clockNumber
	case n >= 14 && n <= 17, n == 22, n >= 27 && n <= 36, n >= 50 && n <= 58:
		return dateNumber
	}
	return plainNumber
}

// codeKind reads a format code ("yyyy年m月d日", "[$-804]h:mm AM/PM"); its first section counts.
func codeKind(code string) numberKind {
	var year, day, month, hour, digit bool
	lower := strings.ToLower(code)
	if lower == "general" || lower == "@" {
		return plainNumber
	}
	lower = strings.ReplaceAll(strings.ReplaceAll(lower, "am/pm", ""), "a/p", "")
	for i := 0; i < len(lower); i++ {
		switch c := lower[i]; c {
		case ';':
			i = len(lower)
		case '\\', '_', '*':
			i++
		case '"', '[':
			end := strings.IndexByte(lower[i+1:], map[byte]byte{'"': '"', '[': ']'}[c])
			if end < 0 {
				return plainNumber
			}
			if inner := lower[i+1 : i+1+end]; c == '[' && strings.Trim(inner, "hms") == "" {
				hour = true // time that has passed
			}
			i += end + 1
		case 'y', 'e', 'g':
			year = true
		case 'd':
			day = true
		case 'm':
			month = true
		case 'h', 's':
			hour = true
		case '0', '#', '?':
			digit = true
		}
	}
	switch {
	case digit && !hour:
		return plainNumber
	case day, year && (month || !hour), month && !hour:
		return dateNumber
	case hour:
		return clockNumber
	}
	return plainNumber
}

// sharedStrings are the texts that cells name by number.
type sharedStrings struct {
	ends []int64 // of each text; it begins where the one before ends
	mem  []byte
	file *scratch // of all of them, once they are too many for memory
	buf  []byte
}

func (s *sharedStrings) read(w *workbook, limits Limits) error {
	m, r, err := w.part("xl/sharedStrings.xml", limits.Cell)
	if err != nil || m == nil {
		return err
	}
	defer r.r.Close()
	t := textOf{m: m, limit: limits.Cell}
	var size int64
	for {
		switch k, err := m.next(); {
		case errors.Is(err, io.EOF):
			return s.settle()
		case err != nil:
			return err
		case k == tagBegins && m.name() == "si":
			text, err := t.read("si")
			if err != nil {
				return err
			}
			size += int64(len(text))
			s.ends = append(s.ends, size)
			if err := s.add(text, limits); err != nil {
				return err
			}
		}
	}
}

func (s *sharedStrings) add(text []byte, limits Limits) (err error) {
	if s.file == nil && len(s.mem)+len(text) > limits.Memory {
		if s.file, err = newScratch(limits.TempDir); err != nil {
			return err
		}
		if _, err = s.file.Write(s.mem); err != nil {
			return err
		}
		s.mem = nil
	}
	if s.file != nil {
		_, err = s.file.Write(text)
		return err
	}
	s.mem = append(s.mem, text...)
	return nil
}

func (s *sharedStrings) settle() error {
	if s.file == nil {
		return nil
	}
	return s.file.Flush()
}

// get is a text, valid until the next call; ok is false for a number that no text has.
func (s *sharedStrings) get(n int) (text []byte, ok bool, err error) {
	if n < 0 || n >= len(s.ends) {
		return nil, false, nil
	}
	from := int64(0)
	if n > 0 {
		from = s.ends[n-1]
	}
	if s.file == nil {
		return s.mem[from:s.ends[n]], true, nil
	}
	if size := int(s.ends[n] - from); cap(s.buf) < size {
		s.buf = make([]byte, size)
	}
	s.buf = s.buf[:s.ends[n]-from]
	_, err = s.file.ReadAt(s.buf, from)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return s.buf, err == nil, err
}

func (s *sharedStrings) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// textOf gathers the text of an element from its runs; how it is pronounced (rPh) is left out.
type textOf struct {
	m     *markup
	limit int
	buf   []byte
}

// read reads to the end of the element that has just begun. A text over the limit is cut off a byte behind it.
func (t *textOf) read(element string) ([]byte, error) {
	t.buf = t.buf[:0]
	if t.m.empty {
		return t.buf, nil
	}
	within, spoken := false, false
	for {
		k, err := t.m.next()
		if err != nil {
			return nil, errors.Join(errMarkup, err)
		}
		switch k {
		case tagBegins:
			name := t.m.name()
			within = name == "t" && !t.m.empty
			spoken = spoken || name == "rPh" && !t.m.empty
		case tagEnds:
			within = false
			switch t.m.name() {
			case element:
				return unfoldEscapes(t.buf), nil
			case "rPh":
				spoken = false
			}
		case characters:
			if within && !spoken {
				t.buf = append(t.buf, t.m.text[:min(len(t.m.text), t.limit+1-len(t.buf))]...)
			}
		}
	}
}

// unfoldEscapes replaces _x000D_, by which spreadsheets write characters that XML has no place for, in place.
func unfoldEscapes(b []byte) []byte {
	if !bytes.Contains(b, []byte("_x")) {
		return b
	}
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '_' && i+6 < len(b) && b[i+1] == 'x' && b[i+6] == '_' {
			if n, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 16); err == nil && n < 0x80 {
				out = append(out, byte(n))
				i += 6
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

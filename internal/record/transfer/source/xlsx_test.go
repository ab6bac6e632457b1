package source_test

import (
	archive "archive/zip"
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// sheetFile is a workbook of parts as they are written here, by path.
func sheetFile(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	all := map[string]string{
		"xl/workbook.xml":            `<?xml version="1.0"?><workbook xmlns:r="x"><workbookPr/><sheets><sheet name="甲" sheetId="1" r:id="rId1"/><sheet name="Two &amp; more" sheetId="2" r:id="rId2"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://x/worksheet" Target="/xl/worksheets/sheet2.xml"/></Relationships>`,
		"xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;;@"/><numFmt numFmtId="165" formatCode="#,##0.00&quot; d&quot;"/><numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts>` +
			`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="20"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="11"/></cellXfs></styleSheet>`,
	}
	for name, text := range parts {
		all[name] = text
	}
	var b bytes.Buffer
	w := archive.NewWriter(&b)
	for _, name := range []string{"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"} {
		if all[name] == "" {
			continue
		}
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(all[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestXLSXCells: the forms that spreadsheets give to cells.
func TestXLSXCells(t *testing.T) {
	t.Parallel()
	file := sheetFile(t, map[string]string{
		"xl/sharedStrings.xml": `<sst><si><t>a &lt;b&gt; &#x4e2d;</t></si><si><r><t xml:space="preserve">两 </t></r><r><t>段</t></r><rPh sb="0"><t>kana</t></rPh></si><si><t/></si><si><t>x_x000A_y_x0041</t></si></sst>`,
		"xl/worksheets/sheet1.xml": `<x:worksheet xmlns:x="y"><x:sheetData><!-- > <row> --><x:row r="2"><x:c r="B2" t="inlineStr"><x:is><x:t>H2</x:t></x:is></x:c><x:c r="D2" t="str"><x:f>A1&amp;"x"</x:f><x:v>H4</x:v></x:c><x:c t="s"><x:v>2</x:v></x:c></x:row>` +
			`<x:row r="3"/><x:row r="4"><x:c r="A4"/></x:row>` +
			`<x:row r="7"><x:c r="A7" t="s"><x:v>0</x:v></x:c><x:c r="B7" t="s"><x:v>1</x:v></x:c><x:c r="C7" t="b"><x:v>0</x:v></x:c><x:c r="D7" t="e"><x:v>#N/A</x:v></x:c><x:c r="E7" t="s"><x:v>3</x:v></x:c></x:row>` +
			`</x:sheetData></x:worksheet>`,
		"xl/worksheets/sheet2.xml": "\xff\xfe" + utf16("<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>"),
	})
	yes := true
	_, got := read(t, file, source.Format{Header: &yes})
	same(t, got, "1¦H2¦3¦H4¦5", "a <b> 中¦两 段¦FALSE¦#N/A¦x\ny_x0041")
	r, err := source.Open(source.Bytes(file), source.Format{Header: &yes}, source.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if row, err := r.Next(); err != nil || row.Number != 7 {
		t.Errorf("%+v %v", row, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	no := false
	_, got = read(t, file, source.Format{Sheet: "two & MORE", Header: &no})
	same(t, got, "1", "1")
}

func utf16(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// TestXLSXDates: a number is a date when its format shows one, whatever else stands in the format.
func TestXLSXDates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ style, value, want string }{
		"general":         {"0", "45000", "45000"},
		"short":           {"1", "45000", "2023-03-15"},
		"with time":       {"2", "45000.5", "2023-03-15 12:00:00"},
		"clock":           {"3", "0.75", "18:00:00"},
		"chinese":         {"4", "45000", "2023-03-15"},
		"money and a d":   {"5", "45000", "45000"},
		"a duration":      {"6", "1.5", "1.5"},
		"scientific":      {"7", "1.2E+3", "1200"},
		"no such style":   {"99", "45000", "45000"},
		"rounded up":      {"2", "44999.9999999", "2023-03-15"},
		"the first day":   {"1", "1", "1900-01-01"},
		"after the bogus": {"1", "61", "1900-03-01"},
		"no date":         {"1", "-5", "-5"},
		"noise":           {"0", "2.5499999999999998", "2.55"},
	} {
		file := sheetFile(t, map[string]string{"xl/worksheets/sheet1.xml": `<worksheet><sheetData><row><c t="str"><v>h</v></c></row><row><c s="` + c.style + `"><v>` + c.value + `</v></c></row></sheetData></worksheet>`})
		_, got := read(t, file, source.Format{})
		if len(got) != 2 || got[1][0] != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	file := sheetFile(t, map[string]string{"xl/workbook.xml": `<workbook><workbookPr date1904="1"/><sheets><sheet name="S" r:id="rId1"/></sheets></workbook>`,
		"xl/worksheets/sheet1.xml": `<worksheet><sheetData><row><c t="str"><v>h</v></c></row><row><c s="1"><v>43538</v></c></row></sheetData></worksheet>`})
	_, got := read(t, file, source.Format{})
	same(t, got, "h", "2023-03-15")
}

// TestXLSXLeavesNothingOnDisk: while a packed workbook of very many texts is read the folder for scratch files is empty, so
// nothing can be left there by a process that dies; and what is written is not the text.
func TestXLSXLeavesNothingOnDisk(t *testing.T) {
	t.Parallel()
	const n, secret = 150, "13800001234 张三"
	var texts, rows strings.Builder
	texts.WriteString("<sst>")
	rows.WriteString("<worksheet><sheetData><row><c t=\"str\"><v>h</v></c></row>")
	filler := noise(64 << 10)
	for i := range n { // more than is kept in memory
		fmt.Fprintf(&texts, "<si><t>%d %s %s</t></si>", i, secret, filler)
		fmt.Fprintf(&rows, "<row><c t=\"s\"><v>%d</v></c></row>", n-1-i)
	}
	texts.WriteString("</sst>")
	rows.WriteString("</sheetData></worksheet>")
	file := sheetFile(t, map[string]string{"xl/sharedStrings.xml": texts.String(), "xl/worksheets/sheet1.xml": rows.String()})
	for what, in := range map[string][]byte{"plain": file, "packed": zip(file)} {
		dir := t.TempDir()
		r, err := source.Open(source.Bytes(in), source.Format{}, source.Limits{TempDir: dir, Memory: 1 << 20})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for i := range n {
			row, err := r.Next()
			if err != nil || row.Fault != nil || !strings.HasPrefix(string(row.Cells[0]), fmt.Sprintf("%d %s ", n-1-i, secret)) || len(row.Cells[0]) < len(filler) {
				t.Fatalf("%s: row %d: %.40q %v", what, i, row.Cells, err)
			}
			if i%50 == 0 {
				if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
					t.Fatalf("%s: %v %v", what, left, err)
				}
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// noise is text that does not pack well enough to be taken for a bomb.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = "abcdefghijklmnopqrstuvwxyz012345"[x>>27]
	}
	return string(b)
}

// FuzzXLSX: whatever stands in a sheet, reading ends with rows or a fault.
func FuzzXLSX(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row><row><c><is><t>x</t></is></c></row>`)
	f.Add(`<row><c r="XFE1"><v>1</v></c></row>`)
	f.Add(`<row><c t="s"><v>9</v></c><![CDATA[ ]]><!-- --><?x ?></row>`)
	f.Add(`<row><c s="4"><v>1e300</v></c><c><v>&#1114112;&lt</v></c></row`)
	f.Fuzz(func(t *testing.T, sheet string) {
		file := sheetFile(t, map[string]string{"xl/sharedStrings.xml": `<sst><si><t>a</t></si></sst>`, "xl/worksheets/sheet1.xml": "<worksheet><sheetData>" + sheet + "</sheetData></worksheet>"})
		r, err := source.Open(source.Bytes(file), source.Format{}, source.Limits{})
		for err == nil {
			var row *source.Row
			if row, err = r.Next(); err == nil && len(row.Cells) != len(r.Columns()) {
				t.Fatalf("%d cells of %d", len(row.Cells), len(r.Columns()))
			}
		}
		if _, ok := fault.Find(err); !ok && err.Error() != "EOF" {
			t.Fatalf("%v", err)
		}
	})
}

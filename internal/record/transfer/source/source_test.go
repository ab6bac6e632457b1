package source_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/source"
)

// read reads a whole file into text: the columns, then the cells of each row; a row with a fault as its code.
func read(t testing.TB, b []byte, f source.Format) (source.Format, [][]string) {
	t.Helper()
	f, err := source.Detect(source.Bytes(b), f, source.Limits{})
	if err != nil {
		t.Fatalf("detect: %v", err)
	}
	r, err := source.Open(source.Bytes(b), f, source.Limits{})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	out := [][]string{slices.Clone(r.Columns())}
	for {
		row, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		if row.Fault != nil {
			out = append(out, []string{row.Fault.Code})
			continue
		}
		var cells []string
		for _, c := range row.Cells {
			cells = append(cells, string(c))
		}
		out = append(out, cells)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	return f, out
}

func same(t *testing.T, got [][]string, want ...string) {
	t.Helper()
	var lines []string
	for _, g := range got {
		lines = append(lines, strings.Join(g, "¦"))
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, delimiter string
		want                []string
	}{
		{"plain", "a,b\n1,2\n3,4\n", ",", []string{"a¦b", "1¦2", "3¦4"}},
		{"no newline at the end", "a,b\n1,2", ",", []string{"a¦b", "1¦2"}},
		{"windows newlines", "a;b\r\n1;2\r\n\r\n3;4\r\n", ";", []string{"a¦b", "1¦2", "3¦4"}},
		{"old mac newlines", "a,b\r1,2\r3,4", ",", []string{"a¦b", "1¦2", "3¦4"}},
		{"tab", "a\tb\n1\t2\n", "\t", []string{"a¦b", "1¦2"}},
		{"pipe", "a|b\n1|2,5\n", "|", []string{"a¦b", "1¦2,5"}},
		{"quotes and newlines", "a,b\n\"x \"\"y\"\"\nz\",\"1,5\"\n", ",", []string{"a¦b", "x \"y\"\nz¦1,5"}},
		{"quoted at the end of a line", "a,b\n1,\"two\"\r\n3,\"\"\n", ",", []string{"a¦b", "1¦two", "3¦"}},
		{"quote inside a cell", "a,b\n5\" disk,2\n\"x\"y,3\n", ",", []string{"a¦b", "5\" disk¦2", "xy¦3"}},
		{"ragged", "a,b\n1\n1,2,3\n4,5,,\n6,7\n", ",", []string{"a¦b", "import.ragged_row", "import.ragged_row", "4¦5", "6¦7"}},
		{"names twice and empty", "a,a,,b\n1,2,3,x\n", ",", []string{"a¦a (2)¦3¦b", "1¦2¦3¦x"}},
		{"header only", "姓名,手机\n", ",", []string{"姓名¦手机"}},
		{"nul byte", "a,b\n1,\x002\n3,4\n", ",", []string{"a¦b", "import.nul_byte", "3¦4"}},
		{"broken utf-8", "a,b\n张三李四王五张三李四王五张三李四王五张三李四王五,2\n\xff\xfe,2\n3,4\n", ",",
			[]string{"a¦b", "张三李四王五张三李四王五张三李四王五张三李四王五¦2", "import.bad_encoding", "3¦4"}},
		{"never closed", "a,b\n1,2\n\"x,4\n", ",", []string{"a¦b", "1¦2", "import.unterminated_quote"}},
		{"utf-8 with a mark", "\xef\xbb\xbf姓名,年\n张,1\n", ",", []string{"姓名¦年", "张¦1"}},
		{"no header", "1,2020-01-02\n3,2020-01-03\n", ",", []string{"1¦2", "1¦2020-01-02", "3¦2020-01-03"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, got := read(t, []byte(c.in), source.Format{})
			same(t, got, c.want...)
			if f.Kind != source.CSV || f.Delimiter != c.delimiter {
				t.Errorf("found %s with %q", f.Kind, f.Delimiter)
			}
			f, got = read(t, zip([]byte(c.in)), source.Format{})
			same(t, got, c.want...)
			if !f.Gzip {
				t.Error("gzip not recognised")
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	text := "姓名,城市\n张三,杭州\n李雷,上海\n"
	gb, _ := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
	le, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	be, _ := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(strings.Repeat("name,city\n", 40) + text))
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{"gb18030": {gb, "gb18030"}, "utf-16le": {le, "utf-16le"}, "utf-8": {[]byte(text), "utf-8"}} {
		f, got := read(t, c.in, source.Format{})
		if f.Encoding != c.want {
			t.Errorf("%s taken for %s", name, f.Encoding)
		}
		same(t, got, "姓名¦城市", "张三¦杭州", "李雷¦上海")
	}
	if f, got := read(t, be, source.Format{}); f.Encoding != "utf-16be" || got[len(got)-1][1] != "上海" {
		t.Errorf("utf-16be: %s %v", f.Encoding, got[len(got)-1])
	}
	late, _ := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte("name,city\n" + strings.Repeat("Smith,York\n", 200_000) + "张三,杭州\n"))
	if f, _ := read(t, late, source.Format{}); f.Encoding != "gb18030" {
		t.Errorf("Chinese after two megabytes of ASCII taken for %s", f.Encoding)
	}
	if f, got := read(t, []byte("name,city\nRen\xe9e,M\xfcnchen\n"), source.Format{}); f.Encoding != "windows-1252" || got[1][1] != "München" {
		t.Errorf("latin: %s %v", f.Encoding, got)
	}
	if _, got := read(t, gb, source.Format{Encoding: "gbk"}); got[1][0] != "张三" {
		t.Errorf("override: %v", got)
	}
	_, err := source.Open(source.Bytes([]byte(text)), source.Format{Encoding: "klingon"}, source.Limits{})
	if fault.CodeOf(err) != "import.unknown_encoding" {
		t.Errorf("unknown encoding: %v", err)
	}
}

func TestRowPlaces(t *testing.T) {
	t.Parallel()
	text := "a,b\n1,\"x\ny\"\n\n2,z\n"
	r, err := source.Open(source.Bytes([]byte(text)), source.Format{}, source.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ number, offset int64 }{{2, 4}, {4, 13}} {
		row, err := r.Next()
		if err != nil || row.Number != want.number || row.Offset != want.offset {
			t.Errorf("row %+v, %v; want %v", row, err, want)
		}
	}
	if done, total := r.Progress(); done != total || total != int64(len(text)) {
		t.Errorf("progress %d of %d", done, total)
	}
}

func TestHugeCellsAreRefused(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 10<<20)
	for name, in := range map[string]string{
		"plain": "a,b\n1,2\n" + huge + ",2\n3,4\n", "quoted": "a,b\n1,2\n1,\"" + huge + "\"\n3,4\n",
		"two megabytes": "a,b\n1,2\n" + huge[:2<<20] + ",2\n3,4\n",
	} {
		_, got := read(t, []byte(in), source.Format{})
		if len(got) != 4 || got[2][0] != "import.cell_too_large" || got[3][0] != "3" {
			t.Errorf("%s: %d rows, %.60v", name, len(got), got[1:])
		}
	}
	_, got := read(t, []byte(`{"a":"1"}`+"\n"+`{"a":"`+huge+`"}`+"\n"+`{"a":"3"}`), source.Format{})
	if len(got) != 4 || got[2][0] != "import.cell_too_large" || got[3][0] != "3" {
		t.Errorf("ndjson: %d rows", len(got))
	}
}

// zeros is an endless row of commas, far smaller compressed than read.
func TestZipBombs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = io.WriteString(w, "a,b\n")
	line := bytes.Repeat([]byte("0,0\n"), 1<<18)
	for range 80 {
		_, _ = w.Write(line)
	}
	_ = w.Close()
	r, err := source.Open(source.Bytes(b.Bytes()), source.Format{Kind: source.CSV, Encoding: "utf-8", Delimiter: ","}, source.Limits{})
	rows := 0
	for err == nil {
		if _, err = r.Next(); err == nil {
			rows++
		}
	}
	if fault.CodeOf(err) != "import.zip_bomb" || fault.KindOf(err) != fault.TooLarge {
		t.Errorf("after %d rows: %v", rows, err)
	}
	book := excelize.NewFile()
	sw, _ := book.NewStreamWriter("Sheet1")
	for i := range 5000 {
		_ = sw.SetRow(fmt.Sprintf("A%d", i+1), []any{strings.Repeat("0", 30_000)})
	}
	_ = sw.Flush()
	x, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = source.Open(source.Bytes(x.Bytes()), source.Format{}, source.Limits{}); fault.CodeOf(err) != "import.zip_bomb" {
		t.Errorf("xlsx of %d bytes: %v", x.Len(), err)
	}
}

func TestNotWhatItSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		f    source.Format
		code string
	}{
		"empty":           {"", source.Format{}, "import.empty_file"},
		"blank":           {"\xef\xbb\xbf \r\n\n", source.Format{}, "import.empty_file"},
		"old excel":       {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", source.Format{}, "import.old_excel"},
		"zip, not xlsx":   {"PK\x03\x04zzzzzzzzzzzzzzzz", source.Format{}, "import.broken_file"},
		"broken parquet":  {"PAR1aaaaaaaaaaaaaaaaaPAR1", source.Format{}, "import.broken_file"},
		"text as parquet": {"a,b\n1,2\n", source.Format{Kind: source.Parquet}, "import.broken_file"},
		"cut gzip":        {string(zip([]byte(strings.Repeat("a,b\n1,2\n", 4000)))[:40]), source.Format{}, "import.broken_file"},
		"bad delimiter":   {"a,b\n", source.Format{Delimiter: "::"}, "import.bad_delimiter"},
		"bad position":    {"abc\n", source.Format{Kind: source.Fixed, Columns: []source.Range{{Name: "x", From: 5, To: 2}}}, "import.bad_position"},
		"too many":        {strings.Repeat("a,", 1200) + "\n1\n", source.Format{}, "import.too_many_columns"},
	} {
		r, err := source.Open(source.Bytes([]byte(c.in)), c.f, source.Limits{})
		for err == nil {
			_, err = r.Next()
		}
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFixed(t *testing.T) {
	t.Parallel()
	text := " 00004 0001 19970101  2   29.33\r\n 00004 0001 19970118  2   29.73\r\n 00021 0002 19970101  3   63.34\r\n"
	f, got := read(t, []byte(text), source.Format{})
	if f.Kind != source.Fixed {
		t.Errorf("taken for %s", f.Kind)
	}
	same(t, got, "1¦2¦3¦4¦5", "00004¦0001¦19970101¦2¦29.33", "00004¦0001¦19970118¦2¦29.73", "00021¦0002¦19970101¦3¦63.34")
	_, got = read(t, []byte(text), source.Format{Columns: []source.Range{{"id", 2, 6}, {"date", 13, 20}, {"dollars", 24, 40}}})
	same(t, got, "id¦date¦dollars", "00004¦19970101¦29.33", "00004¦19970118¦29.73", "00021¦19970101¦63.34")
	_, got = read(t, []byte("张三  13800000001\n欧阳修 13800000002\n"), source.Format{Kind: source.Fixed, Columns: []source.Range{{"name", 0, 2}, {"phone", 4, 14}}})
	same(t, got, "name¦phone", "张三¦13800000001", "欧阳修¦13800000002")
}

func TestNDJSON(t *testing.T) {
	t.Parallel()
	f, got := read(t, []byte(`{"name":"张三","address":{"city":"杭州"},"tags":["a","b"],"n":1.50}
{"name":"李","n":null,"ok":true,"deep":[{"x":1}]}

not json
{"name":"a\u0000b"}
`), source.Format{})
	if f.Kind != source.NDJSON {
		t.Errorf("taken for %s", f.Kind)
	}
	same(t, got, "name¦address.city¦tags¦n¦ok¦deep", "张三¦杭州¦a,b¦1.50¦¦", "李¦¦¦¦true¦[{\"x\":1}]", "import.bad_json", "import.nul_byte")
	r, err := source.Open(source.Bytes([]byte(`{"a":1}`)), source.Format{}, source.Limits{}, "later")
	if err != nil || !slices.Equal(r.Columns(), []string{"a", "later"}) {
		t.Errorf("columns asked for by name: %v %v", r, err)
	}
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	book := excelize.NewFile()
	when := time.Date(2026, 11, 11, 20, 30, 0, 0, time.UTC)
	short, _ := book.NewStyle(&excelize.Style{NumFmt: 14})
	long, _ := book.NewStyle(&excelize.Style{NumFmt: 22})
	percent, _ := book.NewStyle(&excelize.Style{NumFmt: 10})
	custom := "yyyy年m月d日"
	chinese, _ := book.NewStyle(&excelize.Style{CustomNumFmt: &custom})
	grouped, _ := book.NewStyle(&excelize.Style{NumFmt: 4})
	for i, row := range [][]any{
		{"日期", "时间", "金额", "比例", "手机", "生日", "大数"},
		{excelize.Cell{}, nil},
		{when.Truncate(24 * time.Hour), when, 2.5499999999999998, 0.125, 13812341234, when.Truncate(24 * time.Hour), 1234567.891},
		{"text", nil, "=1+1", true, "1E5", nil, nil},
	} {
		for j, v := range row {
			cell, _ := excelize.CoordinatesToCellName(j+1, i+1)
			if i == 1 {
				continue
			}
			if err := book.SetCellValue("Sheet1", cell, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	for cell, style := range map[string]int{"A3": short, "B3": long, "D3": percent, "F3": chinese, "G3": grouped} {
		_ = book.SetCellStyle("Sheet1", cell, cell, style)
	}
	x, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"日期¦时间¦金额¦比例¦手机¦生日¦大数",
		"2026-11-11¦2026-11-11 20:30:00¦2.55¦0.125¦13812341234¦2026-11-11¦1234567.891", "text¦¦=1+1¦TRUE¦1E5¦¦"}
	f, got := read(t, x.Bytes(), source.Format{})
	if f.Kind != source.XLSX {
		t.Errorf("taken for %s", f.Kind)
	}
	same(t, got, want...)
	_, got = read(t, zip(x.Bytes()), source.Format{})
	same(t, got, want...)
	if _, err := source.Open(source.Bytes(x.Bytes()), source.Format{Sheet: "nowhere"}, source.Limits{}); fault.CodeOf(err) != "import.no_such_sheet" {
		t.Errorf("sheet: %v", err)
	}
}

func TestParquet(t *testing.T) {
	t.Parallel()
	type inner struct {
		City string `parquet:"city"`
	}
	type row struct {
		Name   string    `parquet:"name"`
		Amount int64     `parquet:"amount,decimal(2:18)"`
		At     time.Time `parquet:"at,timestamp(millisecond)"`
		Day    int32     `parquet:"day,date"`
		Rate   float64   `parquet:"rate"`
		Where  inner     `parquet:"where"`
		Note   *string   `parquet:"note,optional"`
		Tags   []string  `parquet:"tags,list"`
		OK     bool      `parquet:"ok"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.MaxRowsPerRowGroup(300))
	at := time.Date(2026, 11, 11, 20, 30, 0, 0, time.UTC)
	for i := range 1000 {
		if _, err := w.Write([]row{{Name: fmt.Sprint("客户", i), Amount: int64(i)*100 + 5, At: at, Day: 20000, Rate: 0.25, Where: inner{"杭州"}, Tags: []string{"a", "b"}, OK: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, in := range [][]byte{b.Bytes(), zip(b.Bytes())} {
		_, got := read(t, in, source.Format{})
		if len(got) != 1001 {
			t.Fatalf("%d rows", len(got))
		}
		same(t, [][]string{got[0], got[1], got[1000]}, "name¦amount¦at¦day¦rate¦where.city¦note¦tags¦ok",
			"客户0¦0.05¦2026-11-11T20:30:00Z¦2024-10-04¦0.25¦杭州¦¦a,b¦true", "客户999¦999.05¦2026-11-11T20:30:00Z¦2024-10-04¦0.25¦杭州¦¦a,b¦true")
	}
}

func TestReadsInBoundedMemory(t *testing.T) {
	line := []byte("536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n")
	file := append([]byte("a,b,c,d,e,f,g,h\n"), bytes.Repeat(line, 200_000)...)
	r, err := source.Open(source.Bytes(file), source.Format{}, source.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows := 0
	for {
		if _, err := r.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; rows != 200_000 || allocated > 4<<20 {
		t.Errorf("%d rows took %d bytes of memory in all", rows, allocated)
	}
}

func TestRealFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		rows, columns int
		kind          source.Kind
	}{
		"online-retail/online_retail.csv.gz":       {541_909, 8, source.CSV},
		"cdnow/CDNOW_sample.txt":                   {6_919, 5, source.Fixed},
		"telco/Telco-Customer-Churn.csv":           {7_043, 21, source.CSV},
		"cdnow/cdnow_customers_summary.csv":        {2_357, 4, source.CSV},
		"forecasting/airline-passengers.csv":       {144, 2, source.CSV},
		"sentiment/online_shopping_10_cats.csv.gz": {62_774, 3, source.CSV},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("../../../../../shared/data", name)
			b, err := os.ReadFile(file)
			if os.IsNotExist(err) {
				t.Skip("the folder of real data is not here")
			}
			if err != nil {
				t.Fatal(err)
			}
			f, got := read(t, b, source.Format{})
			if f.Kind != want.kind || len(got)-1 != want.rows || len(got[0]) != want.columns {
				t.Errorf("%+v: %d rows of %v", f, len(got)-1, got[0])
			}
			for _, g := range got {
				if len(g) != want.columns {
					t.Errorf("row %v", g)
					break
				}
			}
		})
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;\"b\n\"\"\";c\r\n1;2;3", "\xef\xbb\xbfx\t\"", "\"\"\"\n\"\r\r\n", "a\x00b,c\n", "{\"a\":[1]}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := source.Open(source.Bytes(b), source.Format{}, source.Limits{Cell: 64, Row: 4096})
		if err != nil {
			if _, ok := fault.Find(err); !ok {
				t.Fatalf("an error that is no fault: %v", err)
			}
			return
		}
		last := int64(-1)
		for rows := 0; ; rows++ {
			row, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				if _, ok := fault.Find(err); !ok {
					t.Fatalf("an error that is no fault: %v", err)
				}
				break
			}
			if len(row.Cells) != len(r.Columns()) || row.Number <= last || rows > len(b) {
				t.Fatalf("row %d after %d with %d cells of %d", row.Number, last, len(row.Cells), len(r.Columns()))
			}
			last = row.Number
			for _, c := range row.Cells {
				if len(c) > 64+3*64 || bytes.IndexByte(c, 0) >= 0 {
					t.Fatalf("cell %q", c)
				}
			}
		}
	})
}

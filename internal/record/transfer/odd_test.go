package transfer_test

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
)

// create uploads a file and tells the codes of its warnings.
func (w *world) create(object, text string) (*transfer.Import, []string, error) {
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: object, FileName: "f.csv", Body: strings.NewReader(text)})
	if err != nil {
		return nil, nil, err
	}
	return im, codesOf(im), nil
}

func codesOf(im *transfer.Import) (out []string) {
	for _, f := range im.Warnings {
		out = append(out, f.Code)
	}
	return out
}

// TestOddFiles: files as people really send them; each is imported or refused with its reason.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	wide := func(n int) string {
		names, values := []string{"name"}, []string{"甲"}
		for i := range n - 1 {
			names, values = append(names, fmt.Sprintf("c%d", i)), append(values, "1")
		}
		return strings.Join(names, ",") + "\n" + strings.Join(values, ",") + "\n"
	}
	for name, c := range map[string]struct {
		in              string
		refused         string // by the upload
		warned          string
		created, errors int64
		code            string // of an error
	}{
		"empty":              {in: "", refused: "import.empty_file"},
		"blank lines":        {in: " \n \n", refused: "import.empty_file"},
		"too many columns":   {in: wide(2000), refused: "import.too_many_columns"},
		"many columns":       {in: wide(900), created: 1},
		"a header alone":     {in: "external_id,name\n", warned: "import.no_rows"},
		"duplicate headers":  {in: "name,name,phone,phone\n甲,乙,13800000001,13800000002\n", created: 1},
		"a cell of ten MB":   {in: "external_id,name\nB1," + strings.Repeat("x", 10<<20) + "\nB2,ok\n", warned: "import.cell_too_large", created: 1, errors: 1, code: "import.cell_too_large"},
		"some broken bytes":  {in: "external_id,name\nE1,甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲甲\nE2,\xd5\xc5\xc8\nE3,乙\n", warned: "import.bad_encoding", created: 2, errors: 1, code: "import.bad_encoding"},
		"an unclosed quote":  {in: "external_id,name\nQ1,\"甲\nQ2,乙\n", warned: "import.unterminated_quote", errors: 1, code: "import.unterminated_quote"},
		"dates of both ways": {in: "external_id,name,acquired_on\nD1,a,13/4/2026\nD2,b,5/26/2026\n", warned: "import.mixed_dates", created: 2},
		"dates of no way":    {in: "external_id,name,acquired_on\nD3,a,3/4/2026\nD4,b,5/6/2026\n", warned: "import.ambiguous_dates", created: 2},
		"no such day":        {in: "external_id,name,acquired_on\nD5,a,2026-02-30\n", errors: 1, code: "schema.not_date"},
		"serial days":        {in: "external_id,name,acquired_on\nD6,a,46000\n", created: 1},
	} {
		im, warned, err := w.create("customer", c.in)
		if fault.CodeOf(err) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if c.warned != "" && !slices.Contains(warned, c.warned) || c.warned == "" && warned != nil {
			t.Errorf("%s: warned of %v, want %q", name, warned, c.warned)
		}
		j := w.done(w.finish(im.ID))
		if j.Result.Created != c.created || j.Result.Errors != c.errors || c.code != "" && w.codes(j.ID)[c.code] == 0 {
			t.Errorf("%s: %+v %v", name, j.Result, w.codes(j.ID))
		}
	}
}

// TestAWrongEncodingIsTold: a file that was read rightly is read wrongly on demand, with a warning, and rightly again.
func TestAWrongEncodingIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	gb, err := simplifiedchinese.GB18030.NewEncoder().String("会员号,姓名\nW1,张三\nW2,正常人\n")
	if err != nil {
		t.Fatal(err)
	}
	im, warned, err := w.create("customer", gb)
	if err != nil || warned != nil {
		t.Fatal(warned, err)
	}
	if im, err = w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{"encoding":"utf-8"}}`)); err != nil || !slices.Contains(codesOf(im), "import.bad_encoding") {
		t.Errorf("%v %v", im, err)
	}
	if im, err = w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{"encoding":"gbk"}}`)); err != nil || codesOf(im) != nil || fmt.Sprint(im.Mapping.Options.Match) != "[external_id]" {
		t.Errorf("%v %v", im, err)
	}
	if j := w.done(w.finish(im.ID)); j.Result.Created != 2 {
		t.Errorf("%+v", j.Result)
	}
}

// prices imports a file of products and reads what became of their prices.
func (w *world) prices(text string) (map[string]string, []string, *transfer.Job) {
	w.t.Helper()
	im, warned, err := w.create("product", text)
	if err != nil {
		w.t.Fatal(err)
	}
	j := w.done(w.finish(im.ID))
	out := map[string]string{}
	var codes []string
	r := csv.NewReader(strings.NewReader(text))
	if strings.Contains(text, ";") {
		r.Comma = ';'
	}
	rows, err := r.ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, row := range rows[1:] {
		codes = append(codes, row[0])
	}
	ids, err := w.records.Lookup(w.ctx, "product", "code", codes)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, code := range codes {
		out[code] = "left out"
		if ids[code] == 0 {
			continue
		}
		rec, err := w.records.Get(w.ctx, "product", ids[code])
		if err != nil {
			w.t.Fatal(err)
		}
		m, _ := rec.Values["list_price"].(money.Money)
		out[code] = m.String()
	}
	return out, warned, j
}

// TestAmountsOfOtherNotations: no amount is taken for another one; what cannot be read is told.
func TestAmountsOfOtherNotations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	got, warned, _ := w.prices("code,name,list_price\nA,a,\"1,234.50\"\nB,b,￥99\nC,c,(12.00)\nD,d,\"1.234,50\"\nE,e,\"12,5\"\nF,f,１２３．５０\nG,g,1 234.5\nH,h,12元\nI,i,\"12,34,567.5\"\nJ,j,\"1,2345\"\nK,k,abc\n")
	want := map[string]string{"A": "1234.50 CNY", "B": "99.00 CNY", "C": "-12.00 CNY", "D": "left out", "E": "left out", "F": "123.50 CNY", "G": "1234.50 CNY", "H": "12.00 CNY", "I": "1234567.50 CNY", "J": "12345.00 CNY", "K": "left out"}
	for code, v := range want {
		if got[code] != v {
			t.Errorf("%s: %s, want %s", code, got[code], v)
		}
	}
	if !slices.Equal(warned, []string{"import.mixed_decimals"}) {
		t.Errorf("warned of %v", warned)
	}
	// the same columns with commas before the decimals: recognised, though the mapping is remembered
	got, warned, j := w.prices("code;name;list_price\nP;a;1.234,50\nQ;b;12,5\nR;c;-3,00\nS;d;1.000\n")
	if got["P"] != "1234.50 CNY" || got["Q"] != "12.50 CNY" || got["R"] != "-3.00 CNY" || got["S"] != "1000.00 CNY" || warned != nil || !j.Mapping.Options.DecimalComma {
		t.Errorf("%v %v", got, warned)
	}
}

// TestErrorFileKeepsFigures: cells that a spreadsheet would run are text in the error file, figures stay figures.
func TestErrorFileKeepsFigures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	j := w.done(w.load("customer", "h.csv", []byte("external_id,name,email,=evil()\n=cmd|' /C calc'!A0,+cmd,bad,1\n-2+3,@sum(A1),bad,\"\tx\"\n＝1,\"\rx\",bad,-12.5\n"), nil))
	if j.Result.Errors != 3 {
		t.Fatalf("%+v", j.Result)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.errorFile(j.ID), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if rows[0][6] != "'=evil()" {
		t.Errorf("header %q", rows[0])
	}
	for i, want := range [][]string{{"'=cmd|' /C calc'!A0", "'+cmd", "bad", "1"}, {"'-2+3", "'@sum(A1)", "bad", "'\tx"}, {"'＝1", "'\rx", "bad", "-12.5"}} {
		if !slices.Equal(rows[i+1][3:], want) {
			t.Errorf("%q, want %q", rows[i+1][3:], want)
		}
	}
}

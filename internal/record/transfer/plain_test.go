package transfer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

const chineseCustomers = `会员号,姓名,手机号,性别,生日,省,市,区,地址,标签,注册日期
M001,张三,13812341234,男,1990-05-03,浙江省,杭州市,西湖区,文三路1号,老客户；VIP,2024/3/1
M002,李四,+86 139 0000 0001,女,,上海市,上海市,浦东新区,世纪大道2号,,2024年4月2日
M003,王五,not a phone,男,,浙江,杭州,西湖,,,2024-05-06
M004,,13700000001,,,,,,,,
`

func TestChineseCustomers(t *testing.T) {
	t.Parallel()
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(chineseCustomers))
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		w := newWorld(t, open(t), "Asia/Shanghai", "CNY")
		im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "会员.csv", Body: bytes.NewReader(gb)})
		if err != nil {
			t.Fatal(err)
		}
		m := im.Mapping
		if m.Format.Encoding != "gb18030" || !slices.Equal(m.Options.Match, []string{"external_id"}) || !slices.Equal(m.Fields["region"], []string{"省", "市", "区"}) {
			t.Errorf("suggested %+v", m)
		}
		for field, column := range map[string]string{"external_id": "会员号", "name": "姓名", "phone": "手机号", "gender": "性别", "birthday": "生日", "address": "地址", "tags": "标签", "acquired_on": "注册日期"} {
			if !slices.Equal(m.Fields[field], []string{column}) {
				t.Errorf("%s from %v", field, m.Fields[field])
			}
		}
		if im.Preview[0]["姓名"] != "张三" || im.Columns[2].Suggested != "phone" || len(im.Targets) < 20 {
			t.Errorf("preview %v, columns %v", im.Preview[0], im.Columns)
		}
		j := w.done(w.finish(im.ID))
		if j.Result.Created != 2 || j.Result.Errors != 2 || j.Result.Rows != 4 {
			t.Fatalf("%+v %v", j.Result, w.codes(j.ID))
		}
		ids, err := w.records.Lookup(w.ctx, "customer", "external_id", []string{"M001", "M002"})
		if err != nil || len(ids) != 2 {
			t.Fatal(ids, err)
		}
		r, err := w.records.Get(w.ctx, "customer", ids["M001"])
		if err != nil {
			t.Fatal(err)
		}
		if r.Values["name"] != "张三" || r.Values["gender"] != "male" || r.Values["region"] != "330106" || r.Masks["phone"] != "138****1234" || fmt.Sprint(r.Values["tags"]) != "[VIP 老客户]" {
			t.Errorf("%+v %v", r.Values, r.Masks)
		}
		again := w.done(w.load("customer", "会员.csv", gb, nil))
		if r := again.Result; r.Created != 0 || r.Updated != 0 || r.Unchanged != 2 {
			t.Errorf("again %+v", r)
		}
		changed := strings.Replace(chineseCustomers, "张三", "张三丰", 1)
		upd := w.done(w.load("customer", "会员.csv", []byte(changed), nil))
		if r := upd.Result; r.Created != 0 || r.Updated != 1 || r.Unchanged != 1 {
			t.Errorf("changed %+v", r)
		}
		// somebody edits M002 by hand: undo of the first import keeps it, and puts nothing else in its way
		if _, err := w.records.Update(w.ctx, "customer", ids["M002"], 0, record.Input{"note": "by hand"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Undo(w.ctx, upd.ID); err != nil {
			t.Fatal(err)
		}
		u := w.work(upd.ID)
		if r, err = w.records.Get(w.ctx, "customer", ids["M001"]); err != nil || r.Values["name"] != "张三" || u.Result.Restored != 1 {
			t.Errorf("undone: %v %v %+v", r.Values["name"], err, u.Result)
		}
	})
}

func TestUndoKeepsWhatOthersChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	j := w.done(w.load("customer", "c.csv", []byte("external_id,name\na,甲\nb,乙\nc,丙\n"), nil))
	ids, err := w.records.Lookup(w.ctx, "customer", "external_id", []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.records.Update(w.ctx, "customer", ids["a"], 0, record.Input{"note": "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.records.Create(w.ctx, "contact", record.Input{"name": "联系人", "customer": ids["b"]}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Undo(w.ctx, j.ID); err != nil {
		t.Fatal(err)
	}
	u := w.work(j.ID)
	if u.Status != transfer.Undone || u.Result.Removed != 1 || u.Result.Kept != 2 || w.state()["customer"] != 2 {
		t.Errorf("%s %+v", u.Status, u.Result)
	}
	if _, err := os.Stat(filepath.Join(w.dir)); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(w.dir)
	if err != nil || len(left) != 0 {
		t.Errorf("files left: %v %v", left, err)
	}
	if _, err := w.svc.Undo(w.ctx, j.ID); fault.CodeOf(err) != "import.wrong_state" {
		t.Errorf("twice: %v", err)
	}
}

func TestRowsWithoutAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	m := mappingOf(t, `{"format":{},"fields":{"name":"name","note":"note"}}`)
	file := "name,note\n甲,1\n甲,1\n乙,2\n"
	if r := w.done(w.load("customer", "c.csv", []byte(file), m)).Result; r.Created != 3 {
		t.Errorf("%+v", r)
	}
	if r := w.done(w.load("customer", "c.csv", []byte(file+"甲,1\n丙,3\n"), m)).Result; r.Created != 2 || r.Unchanged != 3 {
		t.Errorf("longer: %+v", r)
	}
}

func TestRelationsAndDuplicatesInTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	w.done(w.load("store", "s.csv", []byte("门店名称,门店编码\n杭州店,HZ\n上海店,SH\n"), nil))
	j := w.done(w.load("customer", "c.csv", []byte("客户编号,姓名,所属门店,推荐人\n1,甲,HZ,\n2,乙,上海店,1\n3,丙,火星店,\n1,甲甲,SH,2\n"), nil))
	if j.Result.Created != 2 || j.Result.Updated != 1 || j.Result.Errors != 1 || w.codes(j.ID)["import.relation_not_found"] != 1 {
		t.Errorf("%+v %v", j.Result, w.codes(j.ID))
	}
	if n := w.number("SELECT count(*) FROM r_customer c JOIN r_store s ON c.store = s.id WHERE s.code = 'SH'"); n != 2 {
		t.Errorf("%d customers of SH", n)
	}
	if n := w.number("SELECT count(*) FROM r_customer WHERE name = '甲甲'"); n != 1 {
		t.Error("the later row of the same key does not count")
	}
	lenient := mappingOf(t, `{"format":{},"fields":{"external_id":1,"name":"姓名","store":"所属门店"},"options":{"match":"external_id","lenient":true}}`)
	l := w.done(w.load("customer", "c.csv", []byte("客户编号,姓名,所属门店\n9,丁,火星店\n"), lenient))
	if l.Result.Created != 1 || w.codes(l.ID)["import.relation_not_found"] != 1 {
		t.Errorf("lenient %+v", l.Result)
	}
}

func TestDryRunStopsAndConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	w.done(w.load("customer", "c.csv", []byte("external_id,name,card_number\n1,甲,K1\n"), nil))
	before := w.state()
	file := []byte("external_id,name,card_number,email\n1,甲乙,K1,a@b.cn\n2,乙,K1,\n3,丙,K3,bad\n4,,K4,\n5,戊,K5,e@x.cn\n")
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "d.csv", Body: bytes.NewReader(file)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Start(w.ctx, im.ID, true); err != nil {
		t.Fatal(err)
	}
	dry := w.work(im.ID)
	w.same("dry run", w.state(), before)
	dryCodes := w.codes(im.ID)
	real := w.done(w.finish(im.ID))
	if dry.Status != transfer.Checked || dry.Result.Created != 1 || dry.Result.Updated != 1 || dry.Result.Errors != 3 {
		t.Errorf("dry %s %+v", dry.Status, dry.Result)
	}
	if real.Result.Created != 1 || real.Result.Updated != 1 || real.Result.Errors != 3 || fmt.Sprint(dryCodes) != fmt.Sprint(w.codes(im.ID)) {
		t.Errorf("real %+v %v, dry %v", real.Result, w.codes(im.ID), dryCodes)
	}
	stop := mappingOf(t, `{"format":{},"fields":{"external_id":"external_id","name":"name","email":"email"},"options":{"match":"external_id","on_error":"stop"}}`)
	j := w.load("customer", "e.csv", []byte("external_id,name,email\n8,辛,x@y.cn\n9,壬,bad\n"), stop)
	if j.Status != transfer.Failed || j.Error.Code != "import.stopped" || fmt.Sprint(j.Error.Params["row"]) != "3" || w.codes(j.ID)["schema.not_email"] != 1 {
		t.Errorf("stop: %s %v %v", j.Status, j.Error, w.codes(j.ID))
	}
}

func TestErrorFileIsHarmless(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	file := "external_id,name,email,=note\n1,甲,\"=HYPERLINK(\"\"http://evil\"\")\",-5\n2,乙,@SUM(1),+cmd|' /C calc'!A0\n3,丙,ok@x.cn,fine\n4\n"
	j := w.done(w.load("customer", "h.csv", []byte(file), nil))
	if j.Result.Created != 1 || j.Result.Errors != 3 {
		t.Fatalf("%+v", j.Result)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.errorFile(j.ID), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatal(rows, err)
	}
	if rows[0][6] != "'=note" || rows[1][5] != `'=HYPERLINK("http://evil")` || rows[1][6] != "-5" || rows[2][5] != "'@SUM(1)" || rows[2][6] != "'+cmd|' /C calc'!A0" {
		t.Errorf("%q", rows)
	}
	if rows[1][0] != "2" || rows[1][1] != "email" || rows[1][2] != "邮箱地址不正确" || rows[3][0] != "5" || !strings.Contains(rows[3][2], "列数不符") {
		t.Errorf("%q", rows)
	}
	english := access.With(w.ctx, access.Actor{Kind: access.ByUser, Role: access.Manager, Locale: "en"})
	var b bytes.Buffer
	if err := w.svc.Errors(english, j.ID, &b); err != nil || !strings.Contains(b.String(), "Reason") || !strings.Contains(b.String(), "Wrong number of columns") {
		t.Errorf("%v %s", err, b.String())
	}
}

func TestOtherKindsOfFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	book := excelize.NewFile()
	for i, row := range [][]any{{"款号", "商品名称", "吊牌价", "上市日期"}, {"K1", "毛衣", 199.9, 45000}, {"K2", "围巾", 59, "2024-01-02"}} {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	style, _ := book.NewStyle(&excelize.Style{NumFmt: 14})
	_ = book.SetCellStyle("Sheet1", "D2", "D2", style)
	x, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	if r := w.done(w.load("product", "p.xlsx", x.Bytes(), nil)).Result; r.Created != 2 {
		t.Errorf("xlsx %+v", r)
	}
	if n := w.number("SELECT list_price FROM r_product WHERE code = 'K1' AND launched_on = 19431"); n != 19990 {
		t.Errorf("price %d", n)
	}
	if r := w.done(w.load("contact", "c.ndjson", []byte(`{"姓名":"丁","email":"d@x.cn"}`), mappingOf(t, `{"format":{},"fields":{"name":"姓名","email":"email","customer.external_id":"cid"},"options":{"lenient":true}}`))).Result; r.Errors != 1 {
		t.Errorf("a contact without its customer: %+v", r)
	}
	w.done(w.load("customer", "c.ndjson", []byte(`{"id":"7","name":"甲","address":{"city":"杭州市"}}`+"\n"+`{"id":"8","name":"乙"}`), mappingOf(t, `{"format":{},"fields":{"external_id":"id","name":"name","region":"address.city"}}`)))
	if n := w.number("SELECT count(*) FROM r_customer WHERE region = '330100'"); n != 1 {
		t.Error("nested key")
	}
	type row struct {
		Number string `parquet:"order_no"`
		At     int64  `parquet:"at,timestamp(millisecond)"`
		Who    string `parquet:"customer_id"`
		Total  int64  `parquet:"total,decimal(2:12)"`
	}
	var b bytes.Buffer
	pw := parquet.NewGenericWriter[row](&b)
	if _, err := pw.Write([]row{{"P1", 1700000000000, "7", 12345}, {"P2", 1700000000000, "9", 100}}); err != nil {
		t.Fatal(err)
	}
	if err := pw.Close(); err != nil {
		t.Fatal(err)
	}
	r := w.done(w.load("order", "o.parquet", b.Bytes(), nil))
	if r.Result.Created != 2 || w.state()["net"] != 12445 || w.state()["order_line"] != 0 || w.state()["customer"] != 3 {
		t.Errorf("parquet %+v %v", r.Result, w.state())
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	create := func(ctx context.Context, object, file string, m *mapping.Mapping) error {
		_, err := w.svc.Create(ctx, transfer.Upload{Object: object, FileName: "f.csv", Body: strings.NewReader(file), Mapping: m})
		return err
	}
	member := access.With(w.ctx, access.Actor{Kind: access.ByUser, Role: access.Member})
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"no right":   {create(member, "customer", "name\na\n", nil), "import.forbidden"},
		"no object":  {create(w.ctx, "spaceship", "name\na\n", nil), "import.unknown_object"},
		"empty":      {create(w.ctx, "customer", "", nil), "import.empty_file"},
		"bad column": {create(w.ctx, "customer", "name\na\n", mappingOf(t, `{"format":{},"fields":{"name":"nome"}}`)), "import.unknown_column"},
	} {
		if fault.CodeOf(c.err) != c.code {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	if left, err := os.ReadDir(w.dir); err != nil || len(left) != 0 {
		t.Errorf("files of refused uploads: %v %v", left, err)
	}
	j := w.load("customer", "h.csv", []byte("name,phone\n"), nil)
	if j.Status != transfer.Done || j.Result.Rows != 0 {
		t.Errorf("header only: %s %+v %v", j.Status, j.Result, j.Error)
	}
}

func TestUploadsAreEncrypted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	if _, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "c.csv", Body: strings.NewReader(chineseCustomers)}); err != nil {
		t.Fatal(err)
	}
	found := 0
	err := filepath.WalkDir(w.dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if found++; bytes.Contains(b, []byte("138")) {
			t.Errorf("%s holds the file in clear", d.Name())
		}
		return err
	})
	if err != nil || found != 1 {
		t.Errorf("%d files, %v", found, err)
	}
}

func TestCancelAndGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	var b strings.Builder
	b.WriteString("external_id,name\n")
	for i := range 4500 {
		fmt.Fprintf(&b, "%d,n%d\n", i, i)
	}
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "c.csv", Body: strings.NewReader(b.String())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Start(w.ctx, im.ID, false); err != nil {
		t.Fatal(err)
	}
	svc := w.service(&flaky{Store: w.imports, left: 2}, 0)
	if _, err := svc.Next(t.Context()); err == nil {
		t.Fatal("did not stop")
	}
	if _, err := w.svc.Cancel(w.ctx, im.ID); err != nil {
		t.Fatal(err)
	}
	if more, err := w.svc.Next(t.Context()); more || err != nil {
		t.Errorf("a cancelled job runs: %v", err)
	}
	part := w.state()["customer"]
	if part == 0 || part == 4500 {
		t.Fatalf("%d customers", part)
	}
	if j := w.done(w.finish(im.ID)); j.Result.Rows != 4500 || j.Result.Created != 4500 || w.state()["customer"] != 4500 {
		t.Errorf("gone on: %+v", j.Result)
	}
}

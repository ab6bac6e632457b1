package transfer_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/transfer"
	"github.com/guanxi-crm/guanxi/internal/record/transfer/mapping"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

func (w *world) make(object string, in record.Input) id.ID {
	w.t.Helper()
	r, err := w.records.Create(w.ctx, object, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

func (w *world) value(object string, v id.ID, field string) any {
	w.t.Helper()
	r, err := w.records.Get(w.ctx, object, v)
	if err != nil {
		w.t.Fatal(err)
	}
	if r.Values[field] == nil && r.Masks[field] != "" {
		return r.Masks[field]
	}
	return r.Values[field]
}

func (w *world) one(object, field, value string) id.ID {
	w.t.Helper()
	found, err := w.records.Lookup(w.ctx, object, field, []string{value})
	if err != nil {
		w.t.Fatal(err)
	}
	return found[value]
}

// dry does a dry run of an import and then the import itself, and demands that both count the same.
func (w *world) dry(object, file, m string) *transfer.Job {
	w.t.Helper()
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: object, FileName: "f.csv", Body: strings.NewReader(file), Mapping: mappingOf(w.t, m)})
	if err != nil {
		w.t.Fatalf("create: %v", err)
	}
	if _, err := w.svc.Start(w.ctx, im.ID, true); err != nil {
		w.t.Fatal(err)
	}
	before := w.work(im.ID)
	if before.Status != transfer.Checked {
		w.t.Fatalf("dry run: %s %v", before.Status, before.Error)
	}
	j := w.done(w.finish(im.ID))
	a, b := before.Result, j.Result
	if a.Rows != b.Rows || a.Created != b.Created || a.Updated != b.Updated || a.Unchanged != b.Unchanged || a.Skipped != b.Skipped || a.Errors != b.Errors || fmt.Sprint(a.Reasons) != fmt.Sprint(b.Reasons) {
		w.t.Errorf("the dry run says\n%+v, the import\n%+v", a, b)
	}
	return j
}

func TestMatchingBySeveralFields(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		w := newWorld(t, open(t), "Asia/Shanghai", "CNY")
		a := w.make("customer", record.Input{"name": "甲", "external_id": "A1", "phone": "13800000001"})
		b := w.make("customer", record.Input{"name": "乙", "phone": "13800000002", "note": "旧"})
		w.make("customer", record.Input{"name": "丙", "phone": "13800000003"})
		w.make("customer", record.Input{"name": "丁", "phone": "13800000003"})
		const fields = `"fields":{"external_id":"id","phone":"phone","name":"name","note":"note"},"rules":{"note":{"only_empty":true}}`
		const file = "id,phone,name,note\n" +
			"A1,13800000009,甲一,新\n" + // by its number; the note is a gap
			",13800000002,乙一,新\n" + // by its phone; the note stays
			",13800000003,x,\n" + // two have this phone
			"A1,13800000002,y,\n" + // two records are named
			"B7,13800000007,戊,\n" + // new
			",13800000007,戊一,\n" // the row before, by its phone
		j := w.dry("customer", file, `{`+fields+`,"options":{"match":["external_id","phone"]}}`)
		if r := j.Result; r.Created != 1 || r.Updated != 3 || r.Errors != 2 || r.Reasons["import.match_several"] != 1 || r.Reasons["import.match_differs"] != 1 {
			t.Errorf("%+v", r)
		}
		if w.value("customer", a, "name") != "甲一" || w.value("customer", a, "note") != "新" || w.value("customer", b, "name") != "乙一" || w.value("customer", b, "note") != "旧" {
			t.Errorf("a %v %v, b %v %v", w.value("customer", a, "name"), w.value("customer", a, "note"), w.value("customer", b, "name"), w.value("customer", b, "note"))
		}
		if e := w.one("customer", "external_id", "B7"); w.value("customer", e, "name") != "戊一" {
			t.Errorf("the second row of a new record: %v", w.value("customer", e, "name"))
		}
		// only new ones, then only existing ones
		const more = "id,phone,name,note\nA1,13800000009,甲二,\nC1,13800000011,新人,\n"
		if r := w.dry("customer", more, `{`+fields+`,"options":{"match":"external_id","mode":"update"}}`).Result; r.Updated != 1 || r.Created != 0 || r.Skipped != 1 || r.Reasons["import.not_there"] != 1 {
			t.Errorf("update: %+v", r)
		}
		if r := w.dry("customer", more, `{`+fields+`,"options":{"match":"external_id","mode":"create"}}`).Result; r.Updated != 0 || r.Created != 1 || r.Skipped != 1 || r.Reasons["import.exists"] != 1 {
			t.Errorf("create: %+v", r)
		}
		if r := w.dry("customer", more, `{`+fields+`,"options":{"match":"external_id"}}`).Result; r.Unchanged != 2 {
			t.Errorf("again: %+v", r)
		}
	})
}

func TestRelationsByChosenColumns(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		w := newWorld(t, open(t), "Asia/Shanghai", "CNY")
		c := w.make("customer", record.Input{"name": "甲公司", "phone": "13800000001"})
		const file = "contact,customer phone,customer name\n" +
			"王,138 0000 0001,别名\n" +
			"李,13800000002,乙公司\n" +
			"赵,13800000002,乙公司\n" +
			"钱,,\n"
		const fields = `"fields":{"name":"contact","customer.phone":"customer phone","customer.name":"customer name"}`
		if r := w.dry("contact", file, `{`+fields+`}`).Result; r.Created+r.Errors != 4 || r.Reasons["import.relation_not_found"] != 2 {
			t.Errorf("missing is an error: %+v", r)
		}
		w.clear("contact")
		j := w.dry("contact", file, `{`+fields+`,"rules":{"customer.phone":{"missing":"create"}},"options":{"source":"b"}}`)
		if r := j.Result; r.ByObject["customer"] == nil || r.ByObject["customer"].Created != 1 || r.Reasons["import.relation_not_found"] != 0 {
			t.Fatalf("%+v", r)
		}
		made := w.one("customer", "phone", "13800000002")
		if made == 0 || w.value("customer", made, "name") != "乙公司" {
			t.Errorf("made %v", made)
		}
		for name, want := range map[string]id.ID{"王": c, "李": made, "赵": made} {
			got := w.one("contact", "name", name)
			if ref := fmt.Sprint(w.value("contact", got, "customer")); !strings.Contains(ref, id.Format("cus", want)) && !strings.Contains(ref, fmt.Sprint(int64(want))) {
				t.Errorf("%s: %s, want %s", name, ref, id.Format("cus", want))
			}
		}
		// what the import made goes with it
		if _, err := w.svc.Undo(w.ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		w.work(j.ID)
		if w.one("customer", "phone", "13800000002") != 0 {
			t.Error("the customer that was made is still there")
		}
	})
}

// TestNoRelativesOfFailedRows: a row that does not go in leaves no related record behind, whatever its columns' order.
func TestNoRelativesOfFailedRows(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		w := newWorld(t, open(t), "Asia/Shanghai", "CNY")
		for _, file := range []string{"name,shop,by\n甲,一店,没有此人\n乙,二店,\n", "name,by,shop\n丙,没有此人,一店\n丁,,二店\n"} {
			j := w.dry("customer", file, `{"fields":{"name":"name","store.name":"shop","referrer.external_id":"by"},"rules":{"store.name":{"missing":"create"}}}`)
			if r := j.Result; r.Created != 1 || r.Errors != 1 || r.Reasons["import.relation_not_found"] != 1 {
				t.Fatalf("%+v", r)
			}
			page, err := w.records.List(w.ctx, "store", record.Query{Limit: 10})
			if err != nil || len(page.Items) != 1 || page.Items[0].Title != "二店" {
				t.Errorf("%v, %d stores", err, len(page.Items))
			}
			w.clear("customer")
			w.clear("store")
		}
	})
}

// clear takes all records of an object away.
func (w *world) clear(object string) {
	w.t.Helper()
	page, err := w.records.List(w.ctx, object, record.Query{Limit: 200})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range page.Items {
		if err := w.records.Delete(w.ctx, object, r.ID, 0); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestOptionsMatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	const file = "name,sex\n甲,先生\n乙,女士\n丙,先生\n丁,女\n戊,保密\n"
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "f.csv", Body: strings.NewReader(file), Mapping: mappingOf(t, `{"fields":{"name":"name","gender":"sex"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	list, partial, err := w.svc.Choices(w.ctx, im.ID)
	if err != nil || partial || len(list) != 1 || len(list[0].Texts) != 4 || list[0].Texts[0].Text != "先生" || list[0].Texts[0].Count != 2 || list[0].Texts[0].Known || list[0].Texts[3].Match != "female" {
		t.Fatalf("%+v %v", list, err)
	}
	m := *mappingOf(t, `{"fields":{"name":"name","gender":"sex"},"rules":{"gender":{"options":{"先生":"male","女士":"female","保密":""}}}}`)
	if _, err := w.svc.SetMapping(w.ctx, im.ID, m); err != nil {
		t.Fatal(err)
	}
	j := w.done(w.finish(im.ID))
	if j.Result.Created != 5 || j.Result.Errors != 0 {
		t.Errorf("%+v", j.Result)
	}
	for name, want := range map[string]any{"甲": "male", "乙": "female", "丁": "female", "戊": nil} {
		if got := w.value("customer", w.one("customer", "name", name), "gender"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	// the matches are remembered with the columns
	again, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "g.csv", Body: strings.NewReader("name,sex\n己,先生\n")})
	if err != nil || again.Mapping.Rules["gender"].Options["先生"] != "male" {
		t.Errorf("%+v %v", again.Mapping, err)
	}
	// an option that is not there, and one that this actor may not make
	for rules, want := range map[string]string{`{"gender":{"options":{"先生":"alien"}}}`: "import.unknown_option", `{"gender":{"options":{"先生":"+先生"}}}`: "import.no_new_options"} {
		_, err := w.svc.SetMapping(w.ctx, again.ID, *mappingOf(t, `{"fields":{"name":"name","gender":"sex"},"rules":`+rules+`}`))
		if f, ok := fault.Find(err); !ok || f.Code != want && !strings.Contains(fmt.Sprint(codesIn(f)), want) {
			t.Errorf("%s: %v", rules, err)
		}
	}
}

func codesIn(f *fault.Fault) (out []string) {
	for _, it := range f.Items {
		out = append(out, it.Code)
	}
	return out
}

func TestTitleRowsSheetsAndNotations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	book := excelize.NewFile()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(book.SetCellValue("Sheet1", "A1", "说明：请看第二张表"))
	_, err := book.NewSheet("名单")
	check(err)
	check(book.SetSheetRow("名单", "A1", &[]any{"2026 年客户名单"}))
	check(book.SetSheetRow("名单", "A2", &[]any{"导出人：张三"}))
	check(book.SetSheetRow("名单", "A4", &[]any{"姓名", "手机", "生日", "年收入"}))
	check(book.SetSheetRow("名单", "A5", &[]any{"甲", "13800000001", "03.04.1990", ""}))
	check(book.SetSheetRow("名单", "A6", &[]any{"乙", "13800000002", "25.12.1991", ""}))
	var b bytes.Buffer
	check(book.Write(&b))
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "b.xlsx", Body: &b})
	check(err)
	if len(im.Sheets) != 2 || im.Sheets[1] != "名单" {
		t.Fatalf("sheets %v", im.Sheets)
	}
	im, err = w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"format":{"sheet":"名单"}}`))
	check(err)
	if im.Mapping.Format.HeaderRow != 4 || len(im.Columns) != 4 || im.Columns[1].Suggested != "phone" || len(im.Head) < 4 || im.Head[0].Number != 1 {
		t.Fatalf("%+v %+v %+v", im.Mapping.Format, im.Columns, im.Head)
	}
	m := im.Mapping
	m.Rules = map[string]mapping.Treatment{"birthday": {Date: "dd.mm.yyyy"}}
	im, err = w.svc.SetMapping(w.ctx, im.ID, m)
	check(err)
	if r := im.Columns[2].Reads; len(r) != 2 || r[0] != "1990-04-03" {
		t.Errorf("reads %v", im.Columns[2])
	}
	j := w.done(w.finish(im.ID))
	if j.Result.Created != 2 || j.Result.Errors != 0 {
		t.Errorf("%+v %v", j.Result, w.codes(j.ID))
	}
	// a title above a CSV, and choosing another row
	im, err = w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "t.csv", Body: strings.NewReader("客户名单,,\n,,\n姓名,手机,邮箱\n丙,13800000003,c@example.com\n")})
	check(err)
	if im.Mapping.Format.HeaderRow != 3 || im.Columns[0].Name != "姓名" {
		t.Errorf("%+v %+v", im.Mapping.Format, im.Columns)
	}
	// the format alone changes and the columns are left as they were: they are suggested anew
	old := im.Mapping
	old.Format.Kind, old.Format.HeaderRow = "", 1
	im, err = w.svc.SetMapping(w.ctx, im.ID, old)
	check(err)
	if im.Columns[0].Name != "客户名单" || len(im.Mapping.Fields) == 3 {
		t.Errorf("%+v %+v", im.Columns, im.Mapping)
	}
}

func TestSavedMappings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, open func(testing.TB) sqlstore.DB) {
		w := newWorld(t, open(t), "Asia/Shanghai", "CNY")
		const file = "c1,c2\n甲,13800000001\n"
		up := func() *transfer.Import {
			t.Helper()
			im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "f.csv", Body: strings.NewReader(file)})
			if err != nil {
				t.Fatal(err)
			}
			return im
		}
		im := up()
		if _, err := w.svc.SetMapping(w.ctx, im.ID, *mappingOf(t, `{"fields":{"name":"c1","phone":"c2"},"options":{"match":"phone","duplicates":"skip"}}`)); err != nil {
			t.Fatal(err)
		}
		saved, err := w.svc.SaveMapping(w.ctx, im.ID, " 门店 名单 ", false)
		if err != nil || saved.Name != "门店 名单" {
			t.Fatal(saved, err)
		}
		if next := up(); next.State.Saved != saved.ID || next.Mapping.Fields["phone"][0] != "c2" || next.Mapping.Options.Duplicates != "skip" || next.Mapping.Options.Match[0] != "phone" {
			t.Errorf("not recognised: %+v", next.Mapping)
		}
		if _, err := w.svc.SaveMapping(w.ctx, im.ID, "门店 名单", false); fault.CodeOf(err) != "import.saved_name_taken" {
			t.Errorf("twice: %v", err)
		}
		other := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: 43, Role: access.Manager})
		list, err := w.svc.Saved(other, "customer")
		if err != nil || len(list) != 1 {
			t.Fatalf("not shared: %v %v", list, err)
		}
		if err := w.svc.DeleteMapping(other, saved.ID); fault.CodeOf(err) != "import.saved_not_yours" {
			t.Errorf("somebody else's: %v", err)
		}
		wide, err := w.svc.Create(w.ctx, transfer.Upload{Object: "customer", FileName: "w.csv", Body: strings.NewReader("c1,other\n乙,x\n")})
		if err != nil {
			t.Fatal(err)
		}
		if used, err := w.svc.UseMapping(w.ctx, wide.ID, saved.ID); err != nil || len(used.Mapping.Fields) != 1 || used.Mapping.Options.Match != nil {
			t.Errorf("as far as it fits: %+v %v", used, err)
		}
		if err := w.svc.DeleteMapping(w.ctx, saved.ID); err != nil {
			t.Fatal(err)
		}
		if next := up(); next.State.Saved != 0 {
			t.Error("deleted, and in use")
		}
	})
}

func TestCorrectAndRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	const file = "编号,姓名,手机,备注\nA1,甲,13800000001,=1+1\nA2,,13800000002,-x\nA3,丙,not a phone,@y\n"
	j := w.done(w.load("customer", "c.csv", []byte(file), mappingOf(t, `{"fields":{"external_id":"1","name":"2","phone":"3","note":"4"},"options":{"match":"external_id"}}`)))
	if j.Result.Created != 1 || j.Result.Errors != 2 {
		t.Fatalf("%+v", j.Result)
	}
	columns, rows, more, err := w.svc.Rejected(w.ctx, j.ID, 10)
	if err != nil || more || len(rows) != 2 || columns[3] != "备注" || rows[0].Row != 3 || rows[0].Cells[3] != "-x" || rows[1].Errors[0].Column != "手机" {
		t.Fatalf("%v %+v %v", columns, rows, err)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.errorFile(j.ID), "\ufeff")))
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i := range lines {
		switch lines[i][3] {
		case "A2":
			lines[i][4] = "乙"
		case "A3":
			lines[i][5] = "13800000003"
		}
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	if err := out.WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	im, err := w.svc.Retry(w.ctx, j.ID, "c-retry.csv", &b)
	if err != nil || im.State.Retry != j.ID {
		t.Fatal(im, err)
	}
	again := w.done(w.finish(im.ID))
	if again.Result.Created != 2 || again.Result.Errors != 0 {
		t.Errorf("%+v %v", again.Result, w.codes(again.ID))
	}
	if got := w.value("customer", w.one("customer", "external_id", "A3"), "note"); got != "@y" {
		t.Errorf("the apostrophe stayed: %v", got)
	}
}

func TestTemplateComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	for _, locale := range []string{"zh-CN", "en"} {
		ctx := access.With(t.Context(), access.Actor{Kind: access.ByUser, ID: 42, Role: access.Manager, Locale: locale})
		for _, object := range []string{"customer", "order", "product"} {
			var b bytes.Buffer
			if err := w.svc.Template(ctx, object, &b); err != nil {
				t.Fatal(err)
			}
			im, err := w.svc.Create(ctx, transfer.Upload{Object: object, FileName: "t.xlsx", Body: bytes.NewReader(b.Bytes())})
			if err != nil {
				t.Fatalf("%s %s: %v", locale, object, err)
			}
			for _, c := range im.Columns {
				if c.Suggested == "" {
					t.Errorf("%s %s: column %s is not recognised", locale, object, c.Name)
				}
			}
			if object != "order" && len(im.Sheets) != 2 {
				t.Errorf("%s: sheets %v", object, im.Sheets)
			}
			if object == "order" { // the example is a row that can be imported
				if j := w.done(w.finish(im.ID)); j.Result.Errors != 0 || locale == "zh-CN" && j.Result.Created != 1 {
					t.Errorf("%s: %+v %v", object, j.Result, w.codes(j.ID))
				}
			}
		}
	}
	if err := w.svc.Template(access.With(context.Background(), access.Actor{}), "customer", &bytes.Buffer{}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("without the right: %v", err)
	}
}

func TestColumnsOfRelatedRecordsAreSuggested(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	im, err := w.svc.Create(w.ctx, transfer.Upload{Object: "contact", FileName: "c.csv", Body: strings.NewReader("姓名,客户,客户手机,手机\n王,甲公司,13800000001,13800000002\n")})
	if err != nil {
		t.Fatal(err)
	}
	f := im.Mapping.Fields
	if fmt.Sprint(f["customer.name"], f["customer.phone"], f["phone"], f["customer"]) != "[客户] [客户手机] [手机] []" {
		t.Errorf("%v", f)
	}
}

// The scope of an API key that allows importing is enough for an import with all that its role may write.
func TestImportByAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openSQLite(t), "Asia/Shanghai", "CNY")
	w.ctx = access.With(t.Context(), access.Actor{Kind: access.ByKey, ID: 7, Role: access.Manager, Scopes: []string{"import"}, Locale: "zh-CN"})
	m := mappingOf(t, `{"fields":{"name":"a","customer.name":"b"},"rules":{"customer.name":{"missing":"create"}}}`)
	j := w.done(w.load("contact", "c.csv", []byte("a,b\n王,甲公司\n"), m))
	if j.Result.Created != 1 || j.Result.ByObject["customer"].Created != 1 {
		t.Errorf("%+v %v", j.Result, w.codes(j.ID))
	}
}

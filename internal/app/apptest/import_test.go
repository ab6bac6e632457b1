package apptest_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// send uploads a file to an address.
func (c *client) send(path, name string, content []byte) answer {
	c.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	w, err := form.CreateFormFile("file", name)
	if err != nil {
		c.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		c.Fatal(err)
	}
	if err := form.Close(); err != nil {
		c.Fatal(err)
	}
	a, err := c.ask("POST", path, form.FormDataContentType(), &b)
	if err != nil {
		c.Fatal(err)
	}
	return a
}

// An import onto an object of one's own, by API and by command: template, options that it makes, people by e-mail address, records that it
// makes for a relation, a saved mapping that is recognised, and rows that are corrected.
func TestImportOntoAnObjectOfOnesOwn(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := build(t).setup("Asia/Shanghai", "CNY").start()
			c := m.client()
			made := read[shown](c, "POST", "/objects", `{"label":{"zh-CN":"试衣预约"},"of_customer":true}`)
			c.want(201, c.do("POST", "/objects/"+made.Key+"/fields", `{"key":"state","type":"choice","label":{"en":"State"},"options":[{"key":"open","label":{"en":"Open"}}]}`))
			c.want(201, c.do("POST", "/objects/"+made.Key+"/fields", `{"key":"adviser","type":"user","label":{"en":"Adviser"}}`))
			if a := c.want(200, c.do("GET", "/import-templates/"+made.Key, "")); !bytes.HasPrefix(a.body, []byte("PK")) {
				t.Errorf("template: %.40s", a.body)
			}
			file := "预约,状态,顾问,客户手机,客户名称\n一,Open,a@example.com,13800000001,王小明\n二,等待,A@EXAMPLE.com,13800000001,王小明\n三,等待,nobody@example.com,13800000002,李丽\n"
			var j struct {
				importJob
				Saved   *string `json:"saved"`
				Reasons []struct {
					Code, Kind, Message string
					Rows                int64
				} `json:"reasons"`
			}
			take := func(a answer) {
				t.Helper()
				j.Saved = nil
				if err := json.Unmarshal(a.body, &j); err != nil {
					t.Fatal(err)
				}
			}
			take(c.want(201, c.upload(made.Key, "a.csv", []byte(file))))
			mapping := `{"fields":{"name":"预约","state":"状态","adviser":"顾问","customer.phone":"客户手机","customer.name":"客户名称"},"rules":{"customer.phone":{"missing":"create"}}}`
			take(c.want(200, c.do("PATCH", "/imports/"+j.ID, `{"mapping":`+mapping+`}`)))
			choices := read[struct {
				Items []struct {
					Target string
					Create bool
					Texts  []struct {
						Text  string
						Count int
						Match *string
					}
				}
			}](c, "GET", "/imports/"+j.ID+"/choices", "")
			if len(choices.Items) != 1 || choices.Items[0].Texts[0].Text != "等待" || choices.Items[0].Texts[0].Count != 2 || choices.Items[0].Texts[0].Match != nil || !choices.Items[0].Create {
				t.Fatalf("choices: %+v", choices)
			}
			mapping = strings.Replace(mapping, `"rules":{`, `"rules":{"state":{"options":{"等待":"+等待中"}},`, 1)
			take(c.want(200, c.do("PATCH", "/imports/"+j.ID, `{"mapping":`+mapping+`}`)))
			c.want(201, c.do("POST", "/imports/"+j.ID+"/saved", `{"name":"预约表"}`))
			c.want(200, c.do("POST", "/imports/"+j.ID+"/start", `{}`))
			if r := c.finished(j.ID, time.Minute).Result; r == nil || r.Created != 2 || r.Errors != 1 || r.ByObject["customer"].Created != 1 {
				t.Fatalf("%+v", r)
			}
			take(c.want(200, c.do("GET", "/imports/"+j.ID, "")))
			if len(j.Reasons) != 1 || j.Reasons[0].Code != "import.relation_not_found" || j.Reasons[0].Kind != "errors" || j.Reasons[0].Message == "" {
				t.Errorf("reasons: %+v", j.Reasons)
			}
			if o := read[shown](c, "GET", "/objects/"+made.Key, ""); len(o.Fields) == 0 || !strings.Contains(string(c.do("GET", "/objects/"+made.Key, "").body), "等待中") {
				t.Error("the option was not made")
			}
			rejected := read[struct {
				Columns []string
				Rows    []struct {
					Row   int
					Cells []string
				}
			}](c, "GET", "/imports/"+j.ID+"/rejected", "")
			if len(rejected.Rows) != 1 || rejected.Rows[0].Row != 4 || rejected.Rows[0].Cells[2] != "nobody@example.com" {
				t.Fatalf("rejected: %+v", rejected)
			}
			first := j.ID
			take(c.want(201, c.send("/imports/"+first+"/retry", "a-retry.csv", []byte("预约,状态,顾问,客户手机,客户名称\n三,等待,a@example.com,13800000002,李丽\n"))))
			c.want(200, c.do("POST", "/imports/"+j.ID+"/start", `{}`))
			if r := c.finished(j.ID, time.Minute).Result; r == nil || r.Created != 1 || r.Errors != 0 {
				t.Errorf("corrected: %+v", r)
			}
			// recognised by its columns, and by the command
			take(c.want(201, c.upload(made.Key, "b.csv", []byte(file))))
			if j.Saved == nil {
				t.Error("the saved mapping was not recognised")
			}
			path := filepath.Join(t.TempDir(), "c.csv")
			if err := os.WriteFile(path, []byte("标题,,,,\n"+strings.Replace(file, "nobody@", "a@", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			var out struct{ Rows, Created, Updated, Unchanged, Errors int }
			m.ok(&out, "import", made.Key, path, "--header-row", "2", "--saved", "预约表", "--duplicates", "mark")
			if out.Rows != 3 || out.Errors != 0 || out.Unchanged != 3 {
				t.Errorf("by command: %+v", out)
			}
			if list := read[struct{ Items []importJob }](c, "GET", "/imports?object="+made.Key+"&status=done&q=RETRY", ""); len(list.Items) != 1 {
				t.Errorf("history: %d", len(list.Items))
			}
			m.ok(&struct{}{}, "import", "mappings", "delete", "预约表")
			if list := read[struct{ Items []struct{ ID string } }](c, "GET", "/import-mappings", ""); len(list.Items) != 0 {
				t.Error("the saved mapping is still there")
			}
		})
	}
}

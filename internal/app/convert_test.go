package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type shownWork struct {
	ID, State, Error, Archive string
	Seen, Found, Given        int
	To                        struct{ Type string }
	Good, Bad                 []struct{ Before, After, Reason string }
	Uses, Breaks              []struct{ Kind string }
}

// waitFor asks a work until it is in a state.
func waitFor(t *testing.T, c *client, object, work, state string) (w shownWork) {
	t.Helper()
	eventually(t, "state "+state, func() bool {
		w = read[shownWork](c, "GET", "/objects/"+object+"/works/"+work, "", 200)
		if w.State == "failed" && state != "failed" {
			t.Fatalf("failed: %s", w.Error)
		}
		return w.State == state
	})
	return w
}

func typeOf(c *client, object, field string) string {
	for _, f := range read[shownObject](c, "GET", "/objects/"+object, "", 200).Fields {
		if f.Key == field {
			return f.Type
		}
	}
	return ""
}

func TestFieldGetsAnotherType(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		c := s.as(access.Administrator)
		c.want(201, c.do("POST", "/objects", `{"key":"lot","label":{"zh-CN":"批次","en":"Lot"}}`))
		c.want(201, c.do("POST", "/objects/lot/fields", `{"key":"size","type":"text","label":{"zh-CN":"数量","en":"Size"},"searchable":true}`))
		var ids []string
		for i, size := range []string{`"12"`, `"3.5"`, `"about ten"`, `null`, `"1,200"`, `"0.25"`} {
			r := read[rec](c, "POST", "/records/lot", fmt.Sprintf(`{"fields":{"name":"n%d","size":%s}}`, i, size), 201)
			ids = append(ids, r.ID)
		}
		gone := read[rec](c, "POST", "/records/lot", `{"fields":{"name":"bin","size":"7"}}`, 201)
		c.want(204, c.with("If-Match", `"1"`).do("DELETE", "/records/lot/"+gone.ID, ""))

		c.wantCode(409, "metadata.convert_type", c.do("POST", "/objects/lot/fields/size/convert", `{"type":"relation"}`))
		c.wantCode(409, "metadata.convert_type", c.do("POST", "/objects/customer/fields/website/convert", `{"type":"text"}`))
		w := read[shownWork](c, "POST", "/objects/lot/fields/size/convert", `{"type":"number","scale":1}`, 202)
		got := waitFor(t, c, "lot", w.ID, "checked")
		if got.Given != 6 || got.Found != 2 || len(got.Bad) != 2 || len(got.Good) == 0 || got.Bad[0].Before != "about ten" || got.Bad[0].Reason == "" {
			t.Fatalf("%+v", got)
		}
		if typeOf(c, "lot", "size") != "text" {
			t.Fatal("trying changed something")
		}
		file := string(c.want(200, c.do("GET", "/objects/lot/works/"+w.ID+"/left", "")).body)
		if !strings.Contains(file, "about ten") || !strings.Contains(file, "0.25") || strings.Contains(file, "3.5") {
			t.Errorf("the file: %s", file)
		}

		// What uses it stands against it, by name.
		c.want(201, c.do("POST", "/objects/lot/fields", `{"key":"shout","type":"text","label":{"en":"Shout"},"shown_when":{"field":"size","op":"contains","value":"ten"}}`))
		if got = read[shownWork](c, "GET", "/objects/lot/works/"+w.ID, "", 200); len(got.Breaks) != 1 || got.Breaks[0].Kind != "condition" {
			t.Errorf("breaks %+v", got.Breaks)
		}
		c.wantCode(409, "reshape.breaks", c.do("POST", "/objects/lot/works/"+w.ID+"/start", ""))
		c.want(204, c.do("DELETE", "/objects/lot/fields/shout", ""))

		c.want(202, c.do("POST", "/objects/lot/works/"+w.ID+"/start", ""))
		got = waitFor(t, c, "lot", w.ID, "done")
		if got.Found != 2 || got.Given != 6 || typeOf(c, "lot", "size") != "number" {
			t.Fatalf("%+v, %s", got, typeOf(c, "lot", "size"))
		}
		for i, want := range []any{"12.0", "3.5", nil, nil, "1200.0", nil} {
			r := read[rec](c, "GET", "/records/lot/"+ids[i], "", 200)
			if v := r.Fields["size"]; fmt.Sprint(v) != fmt.Sprint(want) && fmt.Sprint(v) != strings.TrimSuffix(fmt.Sprint(want), ".0") {
				t.Errorf("%d: %v, want %v", i, v, want)
			}
		}
		page := read[page](c, "POST", "/records/lot/query", `{"where":{"field":"size","op":">","value":10}}`, 200)
		if len(page.Items) != 2 {
			t.Errorf("a filter by the new type finds %d", len(page.Items))
		}
		history := string(c.want(200, c.do("GET", "/records/lot/"+ids[0]+"/history", "")).body)
		if strings.Contains(history, `"op":"update"`) {
			t.Errorf("a conversion is told as a change: %s", history)
		}
		archived := read[archivedParts](c, "GET", "/objects/archived", "", 200)
		if len(archived.Fields) != 2 || got.Archive == "" { // the other field and the values of before
			t.Errorf("%+v, archive %q", archived, got.Archive)
		}

		c.want(200, c.do("POST", "/objects/lot/works/"+w.ID+"/undo", ""))
		if typeOf(c, "lot", "size") != "text" {
			t.Fatal("not taken back")
		}
		r := read[rec](c, "GET", "/records/lot/"+ids[2], "", 200)
		if r.Fields["size"] != "about ten" {
			t.Errorf("taken back: %v", r.Fields["size"])
		}
		back := read[rec](c, "POST", "/records/lot/"+gone.ID+"/restore", "", 200)
		if back.Fields["size"] != "7" {
			t.Errorf("out of the bin: %v", back.Fields["size"])
		}
	})
}

// archivedParts are what can be restored.
type archivedParts struct{ Fields []struct{ Key string } }

func TestTextBecomesAChoiceOfItsValues(t *testing.T) {
	t.Parallel()
	s := prepareAtWork(t)
	c := s.as(access.Administrator)
	c.want(201, c.do("POST", "/objects", `{"key":"lot","label":{"en":"Lot","zh-CN":"批次"}}`))
	c.want(201, c.do("POST", "/objects/lot/fields", `{"key":"grade","type":"text","label":{"en":"Grade","zh-CN":"等级"}}`))
	for i, g := range []string{"特级", "一级", "特级", "一级", "特级"} {
		c.want(201, c.do("POST", "/records/lot", fmt.Sprintf(`{"fields":{"name":"n%d","grade":%q}}`, i, g)))
	}
	w := read[shownWork](c, "POST", "/objects/lot/fields/grade/convert", `{"type":"choice"}`, 202)
	if got := waitFor(t, c, "lot", w.ID, "checked"); got.Found != 0 || got.Given != 5 {
		t.Fatalf("%+v", got)
	}
	c.want(202, c.do("POST", "/objects/lot/works/"+w.ID+"/start", ""))
	waitFor(t, c, "lot", w.ID, "done")
	page := read[page](c, "POST", "/records/lot/query", `{"where":{"field":"grade","op":"=","value":"teji"}}`, 200)
	if typeOf(c, "lot", "grade") != "choice" || len(page.Items) != 3 {
		t.Fatalf("%s, %d", typeOf(c, "lot", "grade"), len(page.Items))
	}
	// From there to several choices, and to text again.
	for _, next := range []string{"multi_choice", "text"} {
		w = read[shownWork](c, "POST", "/objects/lot/fields/grade/convert", `{"type":"`+next+`"}`, 202)
		waitFor(t, c, "lot", w.ID, "checked")
		c.want(202, c.do("POST", "/objects/lot/works/"+w.ID+"/start", ""))
		waitFor(t, c, "lot", w.ID, "done")
		if typeOf(c, "lot", "grade") != next {
			t.Fatalf("not %s", next)
		}
	}
	for _, r := range everyLot(c).Items {
		if g := r.Fields["grade"]; g != "特级" && g != "一级" {
			t.Errorf("%v", g)
		}
	}
	// One that is given up changes nothing.
	w = read[shownWork](c, "POST", "/objects/lot/fields/grade/convert", `{"type":"number"}`, 202)
	if got := waitFor(t, c, "lot", w.ID, "checked"); got.Found != 5 {
		t.Errorf("%+v", got)
	}
	c.want(200, c.do("POST", "/objects/lot/works/"+w.ID+"/cancel", ""))
	c.wantCode(409, "reshape.not_checked", c.do("POST", "/objects/lot/works/"+w.ID+"/start", ""))
}

func everyLot(c *client) page {
	return read[page](c, "POST", "/records/lot/query", `{}`, 200)
}

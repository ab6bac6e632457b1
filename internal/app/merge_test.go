package app_test

import (
	"strings"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	onBoth(t, mergeRecords)
}

type mergeAnswer struct {
	Merge    string
	Record   rec
	Moved    int
	Restored []string
}

func mergeRecords(t *testing.T, s *site) {
	c := s.as(access.Manager)
	a := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"王小明","phone":"13812341234"}}`, 201)
	b := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"王晓明","email":"ming@example.com","card_number":"C9"}}`, 201)
	order := read[rec](c, "POST", "/records/order", `{"fields":{"number":"N1","customer":"`+b.ID+`","gross_amount":{"amount":"99.00","currency":"CNY"}}}`, 201)

	preview := read[struct {
		Survivor string
		Records  []rec
		Fields   []struct {
			Field, From string
			Differs     bool
		}
		Children []struct {
			Object string
			Count  int
		}
	}](c, "POST", "/records/customer/merge/preview", `{"survivor":"`+a.ID+`","ids":["`+b.ID+`"]}`, 200)
	if preview.Survivor != a.ID || len(preview.Records) != 2 || len(preview.Children) != 1 || preview.Children[0].Object != "order" || preview.Children[0].Count != 1 {
		t.Fatalf("%+v", preview)
	}
	body := `{"survivor":"` + a.ID + `","ids":["` + b.ID + `"],"fields":{"name":"` + b.ID + `"}}`
	s.as(access.Member).wantCode(403, "access.forbidden", s.as(access.Member).do("POST", "/records/customer/merge", body))
	listed := read[struct{ Segment struct{ Key string } }](c, "POST", "/segments/list", `{"label":"名单","field":"id","values":["`+b.ID+`"]}`, 200).Segment.Key
	onList := func(when, want string) {
		t.Helper()
		var got []string
		for _, r := range read[page](c, "GET", "/segments/"+listed+"/members", "", 200).Items {
			got = append(got, r.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s %v are on the list, want %s", when, got, want)
		}
	}
	onList("before", b.ID)
	c.wantCode(422, "api.bad_parameter", c.do("POST", "/records/customer/merge", strings.Replace(body, `"name":"`+b.ID, `"name":"nobody`, 1)))
	m := read[mergeAnswer](c, "POST", "/records/customer/merge", body, 200)
	if m.Moved != 1 || m.Record.ID != a.ID || m.Record.Title != "王晓明" || m.Record.Fields["card_number"] != "C9" {
		t.Fatalf("%+v", m)
	}
	if again := read[mergeAnswer](c, "POST", "/records/customer/merge", body, 200); again.Merge != m.Merge {
		t.Errorf("merged twice: %+v", again)
	}
	onList("after the merge", a.ID)
	// The merged id answers with the survivor.
	if got := read[rec](c, "GET", "/records/customer/"+b.ID, "", 200); got.ID != a.ID {
		t.Errorf("the merged id answers %s", got.ID)
	}
	profile := read[struct{ Record rec }](c, "GET", "/customers/"+b.ID+"/profile", "", 200)
	if profile.Record.ID != a.ID {
		t.Errorf("the merged profile is of %s", profile.Record.ID)
	}
	moved := read[rec](c, "GET", "/records/order/"+order.ID, "", 200)
	if ref, ok := moved.Fields["customer"].(map[string]any); !ok || ref["id"] != a.ID {
		t.Errorf("the order belongs to %v", moved.Fields["customer"])
	}
	line := read[struct {
		Items []struct {
			Kind  string
			Title map[string]string
		}
	}](c, "GET", "/records/customer/"+a.ID+"/timeline", "", 200)
	found := false
	for _, e := range line.Items {
		found = found || e.Kind == "merged" && strings.Contains(e.Title["zh-CN"], "王晓明")
	}
	if !found {
		t.Errorf("timeline %+v", line.Items)
	}
	c.wantCode(409, "record.merged", c.do("POST", "/records/customer/"+b.ID+"/restore", ""))
	list := read[struct {
		Items []struct {
			ID     string
			Merged []struct{ ID string }
		}
	}](c, "GET", "/records/customer/"+a.ID+"/merges", "", 200)
	if len(list.Items) != 1 || list.Items[0].ID != m.Merge || list.Items[0].Merged[0].ID != b.ID {
		t.Fatalf("%+v", list)
	}
	back := read[mergeAnswer](c, "POST", "/records/customer/unmerge", `{"merge":"`+m.Merge+`"}`, 200)
	if back.Record.Title != "王小明" || len(back.Restored) != 1 || back.Restored[0] != b.ID || back.Moved != 1 {
		t.Fatalf("%+v", back)
	}
	if got := read[rec](c, "GET", "/records/customer/"+b.ID, "", 200); got.ID != b.ID || got.Title != "王晓明" {
		t.Errorf("restored %+v", got)
	}
	onList("after it was taken back", b.ID)
	c.wantCode(409, "merge.undone", c.do("POST", "/records/customer/unmerge", `{"merge":"`+m.Merge+`"}`))
	admin := s.as(access.Administrator)
	trail := string(admin.want(200, admin.do("GET", "/audit", "")).body)
	if !strings.Contains(trail, "record.merge") || !strings.Contains(trail, "record.unmerge") {
		t.Error("the audit trail knows nothing of it")
	}
}

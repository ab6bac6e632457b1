package app_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type segmentShown struct {
	Key, Kind, Folder string
	Size              *int
	Version           int64
	CheckedAt         *time.Time `json:"checked_at"`
	Differing         int
}

type movesShown struct {
	Items []struct {
		Customer struct{ ID, Title string }
		Entered  bool
		Cause    string
		Why      map[string]string
	}
}

type listedShown struct {
	Segment                                     *segmentShown
	Values, Repeated, Found, Customers, Missing int
	Names                                       []string `json:"missing_values"`
}

// TestSegmentPassages: who enters or leaves a segment is told once, on the segment's page and in the customer's timeline, with the reason.
func TestSegmentPassages(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		admin.computed()
		admin.create("customer", `{"name":"早就是","occupation":"医生"}`)
		admin.want(201, admin.do("POST", "/segments", `{"key":"doctors","label":"女医生","folder":"职业","where":{"all":[{"field":"occupation","op":"=","value":"医生"},{"field":"gender","op":"!=","value":"male"}]}}`))
		li := admin.create("customer", `{"name":"李","occupation":"教师","gender":"female"}`)
		moves := func(want ...string) {
			t.Helper()
			var got []string
			defer func() {
				if t.Failed() {
					t.Logf("moves: %q", got)
				}
			}()
			eventually(t, "moves "+strings.Join(want, " "), func() bool {
				got = nil
				for _, m := range read[movesShown](admin, "GET", "/segments/doctors/moves", "", 200).Items {
					how := "left"
					if m.Entered {
						how = "entered"
					}
					got = append(got, m.Customer.Title+" "+how+" "+m.Cause+" "+m.Why["en"])
				}
				return slices.Equal(got, want)
			})
		}
		li = admin.change(li, `{"occupation":"医生"}`)
		moves("李 entered changed ")
		li = admin.change(li, `{"occupation":"护士"}`)
		moves("李 left changed occupation is “医生”", "李 entered changed ")
		line := read[struct {
			Items []struct {
				Kind          string
				Title, Detail map[string]string
			}
		}](admin, "GET", "/records/customer/"+li.ID+"/timeline?kinds=segment", "", 200).Items
		if len(line) != 2 || line[0].Title["zh-CN"] != "离开人群“女医生”" || !strings.Contains(line[0].Detail["zh-CN"], "医生") || line[1].Title["en"] != "Entered segment “女医生”" {
			t.Errorf("%+v", line)
		}
		// Another condition moves members and tells nobody.
		admin.want(200, admin.do("PATCH", "/segments/doctors", `{"where":{"field":"occupation","op":"in","value":["医生","护士"]}}`))
		moves("李 left changed occupation is “医生”", "李 entered changed ")
	})
}

// TestSegmentLists: a list of values becomes a segment, with what was not found; it is changed, converted, put into the bin and taken out.
func TestSegmentLists(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		wang, li := admin.create("customer", `{"name":"王","phone":"13800138000"}`), admin.create("customer", `{"name":"李","phone":"13800138001"}`)
		admin.create("customer", `{"name":"李家人","phone":"13800138001"}`)
		eventually(t, "everybody is there", func() bool {
			return read[struct{ Total int }](admin, "POST", "/segments/count", `{"where":{"field":"name","op":"is_set"}}`, 200).Total == 3
		})
		got := read[listedShown](admin, "POST", "/segments/list", `{"label":"到店名单","field":"phone","values":["138 0013 8000","13800138001","13800138001","","13800138009"]}`, 200)
		if got.Values != 3 || got.Repeated != 1 || got.Found != 2 || got.Customers != 3 || got.Missing != 1 || !slices.Equal(got.Names, []string{"13800138009"}) || got.Segment == nil || got.Segment.Kind != "static" || *got.Segment.Size != 3 {
			t.Errorf("%+v", got)
		}
		key := got.Segment.Key
		if dry := read[listedShown](admin, "POST", "/segments/list", `{"field":"id","values":["`+wang.ID+`","nobody"],"dry_run":true}`, 200); dry.Segment != nil || dry.Found != 1 || dry.Missing != 1 {
			t.Errorf("%+v", dry)
		}
		if less := read[listedShown](admin, "POST", "/segments/list", `{"key":"`+key+`","mode":"remove","field":"id","values":["`+li.ID+`"]}`, 200); *less.Segment.Size != 2 {
			t.Errorf("%+v", less.Segment)
		}
		admin.wantCode(422, "segment.list_empty", admin.do("POST", "/segments/list", `{"label":"x","field":"phone","values":[" "]}`))
		admin.wantCode(422, "record.unknown_field", admin.do("POST", "/segments/list", `{"label":"x","field":"nothing","values":["1"]}`))
		admin.wantCode(422, "segment.no_condition", admin.do("PATCH", "/segments/"+key, `{"kind":"dynamic"}`))

		admin.want(201, admin.do("POST", "/segments", `{"key":"on_list","label":"名单里的","where":{"all":[{"list":"`+key+`"},{"field":"name","op":"contains","value":"王"}]}}`))
		uses := read[struct {
			On, By []struct{ Kind, Key string }
		}](admin, "GET", "/segments/on_list/uses", "", 200)
		if len(uses.On) != 2 || uses.On[0].Kind != "list" || uses.On[0].Key != key || uses.On[1].Key != "name" {
			t.Errorf("%+v", uses)
		}
		admin.wantCode(409, "segment.in_use", admin.do("DELETE", "/segments/"+key, ""))
		if m := read[struct{ Matrix [][]int }](admin, "GET", "/segments/overlaps?keys="+url.QueryEscape(key+",on_list"), "", 200).Matrix; m[0][0] != 2 || m[0][1] != 1 || m[1][0] != 1 || m[1][1] != 1 {
			t.Errorf("%v", m)
		}
		parts := read[struct {
			Count int
			Plan  string
			Parts []struct {
				At    string
				Count int
			}
		}](admin, "POST", "/segments/count", `{"parts":true,"plan":true,"where":{"all":[{"list":"`+key+`"},{"not":{"field":"name","op":"contains","value":"王"}}]}}`, 200)
		if parts.Count != 1 || len(parts.Parts) != 4 || parts.Parts[1].Count != 2 || parts.Parts[2].Count != 2 || parts.Parts[3].Count != 1 || strings.Count(parts.Plan, "\n") < 2 {
			t.Errorf("%+v", parts)
		}

		admin.want(200, admin.do("PATCH", "/segments/on_list", `{"kind":"static"}`))
		admin.want(204, admin.do("DELETE", "/segments/on_list", ""))
		admin.wantCode(404, "segment.not_found", admin.do("GET", "/segments/on_list", ""))
		if bin := read[struct{ Items []segmentShown }](admin, "GET", "/segments/bin", "", 200).Items; len(bin) != 1 || bin[0].Key != "on_list" {
			t.Errorf("%+v", bin)
		}
		if back := read[segmentShown](admin, "POST", "/segments/on_list/restore", "", 200); back.Size == nil || *back.Size != 1 || back.Kind != "static" {
			t.Errorf("%+v", back)
		}
		admin.want(204, admin.do("DELETE", "/segments/on_list", ""))
		admin.want(204, admin.do("DELETE", "/segments/bin/on_list", ""))
		admin.wantCode(404, "segment.not_found", admin.do("POST", "/segments/on_list/restore", ""))
	})
}

// TestSegmentContrast: in what a segment differs from the rest, and who of the rest is like it, on both planes.
func TestSegmentContrast(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		admin := s.as(access.Administrator)
		admin.computed()
		for i := range 48 { // doctors are women, and few others are
			gender, occupation := "male", "教师"
			if i%3 == 0 {
				occupation = "医生"
			}
			if i%3 == 0 || i%12 == 1 {
				gender = "female"
			}
			admin.create("customer", `{"name":"客`+strconv.Itoa(i)+`","gender":"`+gender+`","occupation":"`+occupation+`"}`)
		}
		admin.want(201, admin.do("POST", "/segments", `{"key":"doctors","label":"医生","where":{"field":"occupation","op":"=","value":"医生"}}`))
		eventually(t, "everybody is there", func() bool {
			return read[struct{ Count, Total int }](admin, "POST", "/segments/count", `{"where":{"segment":"doctors","op":"in"}}`, 200) == struct{ Count, Total int }{16, 48}
		})
		type contrast struct {
			A, B, Both, Asked int
			Items             []struct {
				Key, Kind   string
				Significant bool
				Effect      float64
				Values      []struct {
					Key  string
					A, B int
				}
			}
		}
		// Classes follow a moment after the customers they are of.
		var got contrast
		defer func() {
			if t.Failed() {
				t.Logf("%+v", got)
			}
		}()
		eventually(t, "classes of everybody", func() bool {
			got = read[contrast](admin, "GET", "/segments/compare?a=doctors", "", 200)
			return len(got.Items) > 0 && got.Items[0].Key == "gender"
		})
		if got.A != 16 || got.B != 32 || got.Both != 0 || len(got.Items) == 0 || got.Items[0].Key != "gender" || !got.Items[0].Significant || got.Items[0].Effect < 0.7 {
			t.Errorf("%+v", got)
		}
		like := read[struct {
			OK        bool
			AUC       float64
			Customers int
			Reasons   []struct{ Key string }
			Segment   *segmentShown
			Sample    []struct{ Title string }
		}](admin, "POST", "/segments/doctors/similar", `{"count":4,"label":"像医生的"}`, 200)
		if !like.OK || like.AUC < 0.7 || like.Customers != 4 || like.Reasons[0].Key != "gender" || like.Segment == nil || *like.Segment.Size != 4 {
			t.Fatalf("%+v", like)
		}
		for _, p := range like.Sample { // the women among the others
			if n, err := strconv.Atoi(strings.TrimPrefix(p.Title, "客")); err != nil || n%12 != 1 {
				t.Errorf("%+v", like.Sample)
			}
		}
		admin.wantCode(404, "segment.not_found", admin.do("GET", "/segments/compare?a=doctors&b=nowhere", ""))
	})
}

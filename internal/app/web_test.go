package app_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// webFunnel is a kept funnel as the API shows it.
type webFunnel struct {
	ID      string
	Name    string
	Version int
	Edit    bool
}

type webFunnels struct{ Items []webFunnel }

const (
	webSpan   = `"from":"2026-11-01","to":"2026-11-30"`
	webSteps  = `"steps":[{"event":"Page Viewed","path":"/a*"},{"event":"Added","where":[{"property":"price","op":">","value":"12.5"}]}],"window_days":7`
	keptSteps = `{"name":" 加购 ","funnel":{` + webSteps + `}}`
)

// Every report answers on an empty workspace, says what is wrong with a question and by which member, and is closed to those
// without the right.
func TestWebAnalyticsAnswersAndRefuses(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		manager, member := s.as(access.Manager), s.as(access.Member)
		asked := map[string]string{
			"overview": `{` + webSpan + `}`, "breakdown": `{` + webSpan + `,"by":"channel"}`, "pages": `{` + webSpan + `,"filter":{"channel":"search","device":""}}`,
			"events": `{` + webSpan + `}`, "funnel": `{` + webSpan + `,` + webSteps + `,"by":"class:lifecycle"}`,
			"paths":     `{` + webSpan + `,"nodes":"both","depth":4,"top":5}`,
			"retention": `{` + webSpan + `,"start":"visit","return":"purchase","period":"month"}`,
			"people":    `{` + webSpan + `,"behind":{"figure":"visits"}}`,
		}
		for name, body := range asked {
			manager.want(200, manager.do("POST", "/web/"+name, body))
			member.want(403, member.do("POST", "/web/"+name, body))
		}
		if o := read[struct{ Any bool }](manager, "POST", "/web/overview", asked["overview"], 200); o.Any {
			t.Error("an empty workspace has events")
		}
		for _, x := range []struct{ name, body, code string }{
			{"overview", `{"from":"2026-11-02","to":"2026-11-01"}`, "web.bad_span"},
			{"overview", `{"from":"2020-11-02","to":"2026-11-01"}`, "web.long_span"},
			{"overview", `{"from":"2026-11-02","to":"soon"}`, "api.bad_parameter"},
			{"overview", `{` + webSpan + `,"by":"hour"}`, "web.too_many_hours"},
			{"pages", `{` + webSpan + `,"filter":{"colour":"red"}}`, "web.bad_dimension"},
			{"pages", `{` + webSpan + `,"limit":100000}`, "web.bad_limit"},
			{"breakdown", `{` + webSpan + `,"by":"name"}`, "web.bad_dimension"},
			{"funnel", `{` + webSpan + `,"steps":[{"event":"a"}],"window_days":7}`, "web.bad_steps"},
			{"funnel", `{` + webSpan + `,"steps":[{"event":"a"},{"event":"b"}],"window_days":0}`, "web.bad_window"},
			{"funnel", `{` + webSpan + `,"steps":[{"event":"a"},{"event":"b"}],"window_days":1,"by":"class:none"}`, "web.bad_dimension"},
			{"funnel", `{` + webSpan + `,"steps":[{"event":"a"},{"event":"b","where":[{"property":"p","op":">","value":"much"}]}],"window_days":1}`, "web.number_required"},
			{"paths", `{` + webSpan + `,"nodes":"pages","depth":9,"top":5}`, "web.bad_depth"},
			{"retention", `{` + webSpan + `,"start":"visit","return":"visit","period":"year"}`, "web.bad_period"},
			{"people", `{` + webSpan + `,"behind":{"figure":"step"}}`, "api.bad_parameter"},
			{"people", `{` + webSpan + `,"behind":{"figure":"visits","only":"tall"}}`, "web.bad_figure"},
		} {
			manager.wantCode(422, x.code, manager.do("POST", "/web/"+x.name, x.body))
		}
		manager.wantCode(422, "query.unknown_segment", manager.do("POST", "/web/overview", `{`+webSpan+`,"filter":{"segment":"nothing"}}`))
	})
}

// A kept funnel is changed by who made it or by who may share views, and never over somebody else's change.
func TestKeptFunnels(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *site) {
		reader, manager := s.as(access.ReadOnly), s.as(access.Manager)
		f := read[webFunnel](reader, "POST", "/web/funnels", keptSteps, 201)
		if f.Name != "加购" || f.Version != 1 || !f.Edit {
			t.Errorf("kept %+v", f)
		}
		other := read[webFunnel](manager, "POST", "/web/funnels", keptSteps, 201)
		list := read[webFunnels](reader, "GET", "/web/funnels", "", 200)
		if len(list.Items) != 2 || list.Items[0].Edit == list.Items[1].Edit {
			t.Errorf("the reader may edit both or none: %+v", list)
		}
		reader.want(403, reader.do("DELETE", "/web/funnels/"+other.ID, ""))
		change := `{"name":"改","version":1,"funnel":{` + webSteps + `}}`
		if got := read[webFunnel](manager, "PATCH", "/web/funnels/"+f.ID, change, 200); got.Version != 2 || got.Name != "改" {
			t.Errorf("changed to %+v", got)
		}
		if got := reader.do("PATCH", "/web/funnels/"+f.ID, change); got.code() != "web.stale" {
			t.Errorf("over another change: %d %s", got.status, got.code())
		}
		reader.wantCode(422, "web.name_required", reader.do("POST", "/web/funnels", `{"name":" ","funnel":{`+webSteps+`}}`))
		reader.want(204, reader.do("DELETE", "/web/funnels/"+f.ID, ""))
		reader.wantCode(404, "web.no_funnel", reader.do("DELETE", "/web/funnels/"+f.ID, ""))
	})
}

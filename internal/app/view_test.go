package app_test

import (
	"slices"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestSharedViews shares views over the API with people, units, roles and everyone, on both databases.
func TestSharedViews(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); sharedViews(t, newSite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); sharedViews(t, newPostgresSite(t)) })
}

func sharedViews(t *testing.T, s *site) {
	t.Helper()
	admin, boss, member, reader := s.as(access.Administrator), s.as(access.Manager), s.as(access.Member), s.as(access.ReadOnly)
	users := map[string]string{}
	for _, u := range read[struct{ Items []struct{ ID, Name string } }](admin, "GET", "/users", "", 200).Items {
		users[u.Name] = u.ID
	}
	top := read[struct{ ID string }](admin, "POST", "/org/units", `{"kind":"department","name":"华东"}`, 201).ID
	below := read[struct{ ID string }](admin, "POST", "/org/units", `{"kind":"department","name":"上海","parent":"`+top+`","add":["`+users["readonly"]+`"]}`, 201).ID
	views := func(c *client) map[string]api.View {
		out := map[string]api.View{}
		for _, v := range read[api.Views](c, "GET", "/views?object=customer", "", 200).Items {
			out[v.ID] = v
		}
		return out
	}
	v := read[api.View](member, "POST", "/views", `{"object":"customer","name":"我的","shares":[{"kind":"department","to":"`+top+`"},{"kind":"user","to":"`+users["manager"]+`","access":"write"}]}`, 201)
	if len(v.Shares) != 2 || v.Shared || !v.Manage || v.Owner == nil || v.Owner.Title != "member" {
		t.Errorf("%+v", v)
	}
	if got := views(reader)[v.ID]; got.ID == "" || got.Edit || got.Manage || got.Owner.Title != "member" || !slices.ContainsFunc(got.Shares, func(x api.ViewShare) bool { return x.Name == "华东" && x.Access == "read" }) {
		t.Errorf("below the department: %+v", got)
	}
	if got := views(boss)[v.ID]; !got.Edit || got.Manage {
		t.Errorf("an editor: %+v", got)
	}
	if got := views(admin)[v.ID]; got.ID != "" {
		t.Errorf("not shared with an administrator: %+v", got)
	}
	boss.want(200, boss.do("PATCH", "/views/"+v.ID, `{"name":"改过"}`))
	reader.wantCode(403, "view.read_only", reader.do("PATCH", "/views/"+v.ID, `{"name":"不行"}`))
	member.wantCode(403, "record.forbidden", member.do("PATCH", "/views/"+v.ID, `{"shares":[{"kind":"everyone"}]}`))
	member.wantCode(422, "view.share_unknown", member.do("PATCH", "/views/"+v.ID, `{"shares":[{"kind":"team","to":"`+top+`"}]}`))
	member.wantCode(422, "view.share_unknown", member.do("PATCH", "/views/"+v.ID, `{"shares":[{"kind":"user","to":"nobody"}]}`))

	// The default of the department that is nearer comes before that of the one above, and one's own before both.
	boss.want(200, member.do("PATCH", "/views/"+v.ID, `{"shares":[{"kind":"department","to":"`+top+`"},{"kind":"department","to":"`+below+`"}]}`))
	w := read[api.View](boss, "POST", "/views", `{"object":"customer","name":"大家的","shares":[{"kind":"everyone"}]}`, 201)
	boss.want(204, boss.do("POST", "/views/"+w.ID+"/default", `{"object":"customer","for":"department","to":"`+below+`","on":true}`))
	boss.want(204, boss.do("POST", "/views/builtin:all/default", `{"object":"customer","for":"department","to":"`+top+`","on":true}`))
	if got := views(reader); got[w.ID].Default != "department" || got["builtin:all"].Default != "" {
		t.Errorf("%q %q", got[w.ID].Default, got["builtin:all"].Default)
	}
	if got := views(boss)[w.ID]; len(got.Defaults) != 1 || got.Defaults[0].Name != "上海" {
		t.Errorf("%+v", got.Defaults)
	}
	reader.want(403, reader.do("POST", "/views/"+w.ID+"/default", `{"object":"customer","for":"role","to":"member","on":true}`))

	// A department that goes takes nobody's view with it.
	admin.want(204, admin.do("DELETE", "/org/units/"+below, ""))
	if got := views(member)[v.ID]; len(got.Shares) != 1 {
		t.Errorf("%+v", got.Shares)
	}
	if got := views(reader)[w.ID].Default; got != "" {
		t.Errorf("default %q of a department that is gone", got)
	}

	// Who leaves hands on.
	boss.want(403, boss.do("POST", "/views/hand-over", `{"from":"`+users["member"]+`","to":"`+users["manager"]+`"}`))
	if got := read[api.ViewOwners](admin, "GET", "/views/owners", "", 200); len(got.Items) != 2 {
		t.Errorf("%+v", got)
	}
	if got := read[api.HandedOver](admin, "POST", "/views/hand-over", `{"from":"`+users["member"]+`","to":"`+users["readonly"]+`"}`, 200); got.Views != 1 {
		t.Errorf("%+v", got)
	}
	if got := views(reader)[v.ID]; !got.Manage || got.Owner.Title != "readonly" {
		t.Errorf("%+v", got)
	}
	if got := views(member)[v.ID]; got.ID != "" {
		t.Errorf("the former owner still has it: %+v", got)
	}
}

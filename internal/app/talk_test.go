package app_test

import (
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type notices struct {
	Items []struct {
		ID, Kind string
		ReadAt   *time.Time `json:"read_at"`
		Times    int
		Record   *struct{ ID, Title string }
		Detail   struct{ Text, Comment string }
	}
}

func (c *client) me() string {
	c.Helper()
	return read[struct{ User struct{ ID string } }](c, "GET", "/me", "", 200).User.ID
}

// told waits until somebody has as many notifications of a kind.
func (c *client) told(kind string, n int) notices {
	c.Helper()
	var got notices
	eventually(c.T, kind, func() bool {
		got = read[notices](c, "GET", "/notifications", "", 200)
		count := 0
		for _, it := range got.Items {
			if it.Kind == kind {
				count++
			}
		}
		return count == n
	})
	return got
}

// TestTalk: who is named, who follows and who was given something is told, once; a comment keeps what it said; reminders come
// when they are due and not again; fields go back to what they were.
func TestTalk(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		boss, member, reader := s.as(access.Manager), s.as(access.Member), s.as(access.ReadOnly)
		customer := boss.create("customer", `{"name":"王小姐"}`)
		at := "/records/customer/" + customer.ID

		type comment struct {
			ID, Body string
			Version  int64
			EditedAt *time.Time `json:"edited_at"`
		}
		boss.wantCode(422, "talk.empty", boss.do("POST", at+"/comments", `{"body":"  "}`))
		reader.wantCode(403, "access.forbidden", reader.do("POST", at+"/comments", `{"body":"x"}`))
		first := read[comment](boss, "POST", at+"/comments", `{"body":"@[member](`+member.me()+`) 请跟进"}`, 201)
		got := member.told("mentioned", 1)
		if n := got.Items[0]; n.Record == nil || n.Record.Title != "王小姐" || n.Detail.Text != "@member 请跟进" || n.ReadAt != nil {
			t.Errorf("%+v", n)
		}
		if read[struct{ Count int }](member, "GET", "/notifications/unread", "", 200).Count != 1 {
			t.Error("the bell is silent")
		}
		member.wantCode(403, "talk.not_yours", member.do("PATCH", "/comments/"+first.ID, `{"body":"mine"}`))
		second := read[comment](boss, "PATCH", "/comments/"+first.ID, `{"body":"@[member](`+member.me()+`) 请今天跟进","version":1}`, 200)
		if second.Version != 2 || second.EditedAt == nil {
			t.Errorf("%+v", second)
		}
		boss.wantCode(412, "talk.stale", boss.do("PATCH", "/comments/"+first.ID, `{"body":"late","version":1}`))
		former := read[struct{ Items []comment }](member, "GET", "/comments/"+first.ID+"/revisions", "", 200)
		if len(former.Items) != 1 || former.Items[0].Body != first.Body {
			t.Errorf("%+v", former)
		}
		member.told("mentioned", 1) // an edit names nobody anew

		// The author follows what he commented on.
		read[comment](member, "POST", at+"/comments", `{"body":"好的"}`, 201)
		boss.told("commented", 1)
		line := read[timelinePage](member, "GET", at+"/timeline?kinds=comment", "", 200)
		if len(line.Items) != 2 || line.Items[0].Comment == nil || line.Items[0].Comment.Body != "好的" {
			t.Errorf("%+v", line)
		}
		boss.want(204, boss.do("DELETE", "/comments/"+first.ID, ""))
		if line = read[timelinePage](member, "GET", at+"/timeline?kinds=comment", "", 200); line.Items[1].Comment.Body != "" {
			t.Error("a deleted comment still speaks")
		}

		// Changes of what one follows come together until they are read.
		for _, name := range []string{"王女士", "王总"} {
			member.change(customer, `{"name":"`+name+`"}`)
			eventually(t, "the change", func() bool {
				for _, n := range read[notices](boss, "GET", "/notifications", "", 200).Items {
					if n.Kind == "changed" && n.Record.Title == name {
						return true
					}
				}
				return false
			})
		}
		eventually(t, "both changes in one", func() bool {
			n, times := 0, 0
			for _, it := range read[notices](boss, "GET", "/notifications", "", 200).Items {
				if it.Kind == "changed" {
					n, times = n+1, it.Times
				}
			}
			return n == 1 && times == 2
		})
		boss.want(200, boss.do("POST", "/notifications/read", `{}`))
		if read[struct{ Count int }](boss, "GET", "/notifications/unread", "", 200).Count != 0 {
			t.Error("read is not read")
		}

		// What is given to somebody, and what is due.
		due := time.Now().UTC().Add(2 * time.Second).Format(time.RFC3339)
		boss.create("task", `{"subject":"回电","about":"`+customer.ID+`","assignee":"`+member.me()+`","due_at":"`+due+`","reminder":"0"}`)
		member.told("assigned", 1)
		member.told("reminder", 1)
		member.want(200, member.do("PATCH", "/notifications/preferences", `{"kinds":{"assigned":false}}`))
		boss.create("task", `{"subject":"再回电","assignee":"`+member.me()+`"}`)
		boss.create("task", `{"subject":"给经理","assignee":"`+boss.me()+`"}`)
		quiet := boss.create("task", `{"subject":"自己做"}`)
		boss.change(quiet, `{"priority":"high"}`)
		read[comment](boss, "POST", "/records/task/"+quiet.ID+"/comments", `{"body":"@[member](`+member.me()+`) 看一下"}`, 201)
		member.told("mentioned", 2)
		member.told("assigned", 1)
		member.told("reminder", 1)

		// Back to what it was.
		now := read[shownRecord](boss, "GET", at, "", 200)
		back := read[shownRecord](boss.with("If-Match", "*"), "POST", at+"/revert", `{"to":1}`, 200)
		if back.Title != "王小姐" || back.Version != now.Version+1 {
			t.Errorf("%+v", back)
		}
		forth := read[shownRecord](boss.with("If-Match", "*"), "POST", at+"/revert", `{"to":2,"fields":["name"]}`, 200)
		if forth.Title != "王女士" {
			t.Errorf("%+v", forth)
		}
		boss.wantCode(422, "record.no_such_version", boss.with("If-Match", "*").do("POST", at+"/revert", `{"to":99}`))
		boss.wantCode(412, "record.stale", boss.with("If-Match", `"1"`).do("POST", at+"/revert", `{"to":1}`))
		reader.wantCode(403, "access.forbidden", reader.do("POST", at+"/revert", `{"to":1}`))
		phone := boss.create("customer", `{"name":"李","phone":"13812341234"}`)
		boss.change(phone, `{"phone":"13900000000"}`)
		if r := read[shownRecord](boss.with("If-Match", "*"), "POST", "/records/customer/"+phone.ID+"/revert", `{"to":1}`, 200); r.Fields["phone"] != "138****1234" {
			t.Errorf("%v", r.Fields["phone"])
		}
	})
}

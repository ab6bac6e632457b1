package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/model/access"
)

type shownRecord struct {
	ID      string         `json:"id"`
	Object  string         `json:"object"`
	Title   string         `json:"title"`
	Version int64          `json:"version"`
	Fields  map[string]any `json:"fields"`
}

func (r shownRecord) ref(field string) string {
	m, _ := r.Fields[field].(map[string]any)
	s, _ := m["id"].(string)
	return s
}

type shownDay struct {
	Today                                 string
	Overdue, Due, Upcoming, Undated, Done []struct {
		Record shownRecord
		Day    string
	}
}

type timelinePage struct {
	Items []struct {
		ID, Kind string
		Activity *shownRecord
		Comment  *struct {
			ID, Body string
		}
		File *struct {
			ID, Name string
		}
	}
	NextCursor *string `json:"next_cursor"`
}

func (c *client) create(object, fields string) shownRecord {
	c.Helper()
	return read[shownRecord](c, "POST", "/records/"+object, `{"fields":`+fields+`}`, 201)
}

func (c *client) change(r shownRecord, fields string) shownRecord {
	c.Helper()
	return read[shownRecord](c.with("If-Match", "*"), "PATCH", "/records/"+r.Object+"/"+r.ID, `{"fields":`+fields+`}`, 200)
}

func bothStores(t *testing.T, fn func(t *testing.T, s *site)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); fn(t, newSite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); fn(t, newPostgresSite(t)) })
}

// TestActivities: whom an activity belongs to, who has it, when it was done and when to remind follow from its fields; what
// repeats comes again once, and the day shows it all.
func TestActivities(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		c := s.as(access.Member)
		me := read[struct{ User struct{ ID string } }](c, "GET", "/me", "", 200).User.ID
		customer := c.create("customer", `{"name":"王小姐"}`)
		order := c.create("order", `{"customer":"`+customer.ID+`"}`)
		task := c.create("task", `{"subject":"回访","about":"`+order.ID+`","due_at":"2026-11-20T02:00:00Z","reminder":"30","repeat":"weekly"}`)
		if task.ref("customer") != customer.ID || task.ref("about") != order.ID || task.ref("assignee") != me || task.Fields["remind_at"] != "2026-11-20T01:30:00Z" {
			t.Errorf("%v", task.Fields)
		}
		note := c.create("note", `{"body":"\n 喜欢连衣裙 \n不喜欢红色","about":"`+customer.ID+`"}`)
		if note.Title != "喜欢连衣裙" || note.ref("customer") != customer.ID {
			t.Errorf("%v", note)
		}
		c.wantCode(422, "record.relation_unknown", c.do("POST", "/records/note", `{"fields":{"body":"x","about":"cus_0000000000001"}}`))
		c.wantCode(422, "activity.ends_before_start", c.do("POST", "/records/meeting", `{"fields":{"subject":"x","starts_at":"2026-11-22T02:00:00Z","ends_at":"2026-11-22T01:00:00Z"}}`))
		now := time.Now().UTC()
		soon := c.create("meeting", `{"subject":"看样","customer":"`+customer.ID+`","starts_at":"`+now.Add(24*time.Hour).Format(time.RFC3339)+`"}`)
		if soon.ref("about") != customer.ID {
			t.Errorf("%v", soon.Fields)
		}
		free := c.create("task", `{"subject":"整理衣橱"}`)

		d := read[shownDay](c, "GET", "/day", "", 200)
		if len(d.Overdue) != 1 || d.Overdue[0].Record.ID != task.ID || len(d.Undated) != 1 || d.Undated[0].Record.ID != free.ID || len(d.Upcoming) != 1 {
			t.Errorf("%+v", d)
		}
		done := c.change(task, `{"status":"done"}`)
		if done.Fields["done_at"] == nil || done.ref("done_by") != me || done.Fields["remind_at"] != nil {
			t.Errorf("%v", done.Fields)
		}
		next := func() (out []shownRecord) {
			page := read[struct{ Items []shownRecord }](c, "POST", "/records/task/query", `{"where":{"all":[{"field":"subject","op":"=","value":"回访"},{"field":"status","op":"=","value":"open"}]}}`, 200)
			return page.Items
		}
		eventually(t, "the next occurrence", func() bool { return len(next()) == 1 })
		again := next()[0]
		if again.ref("customer") != customer.ID || again.ref("assignee") != me || again.Fields["repeat"] != "weekly" || again.Fields["due_at"] == task.Fields["due_at"] {
			t.Errorf("%v", again.Fields)
		}
		c.change(task, `{"status":"open"}`)
		eventually(t, "taking the occurrence back", func() bool { l := next(); return len(l) == 1 && l[0].ID == task.ID })
		c.change(task, `{"status":"done"}`)
		eventually(t, "the next occurrence again", func() bool { l := next(); return len(l) == 1 && l[0].ID != task.ID })
		if d = read[shownDay](c, "GET", "/day", "", 200); len(d.Done) != 1 || len(d.Overdue) != 0 {
			t.Errorf("%+v", d)
		}

		p := read[timelinePage](c, "GET", "/records/customer/"+customer.ID+"/timeline?kinds=task,note", "", 200)
		kinds := ""
		for _, it := range p.Items {
			kinds += it.Kind + " "
			if it.Activity == nil || it.Activity.Object != it.Kind {
				t.Errorf("%+v", it)
			}
		}
		if kinds != "task note task " {
			t.Errorf("timeline holds %q", kinds)
		}
		all := read[timelinePage](c, "GET", "/records/customer/"+customer.ID+"/timeline", "", 200)
		if len(all.Items) != 6 { // created, order, two tasks, a note, a meeting
			t.Errorf("%+v", all.Items)
		}
		first := read[timelinePage](c, "GET", "/records/customer/"+customer.ID+"/timeline?limit=2", "", 200)
		seen := map[string]bool{}
		for cursor := first; ; {
			for _, it := range cursor.Items {
				if seen[it.ID] {
					t.Errorf("%s twice", it.ID)
				}
				seen[it.ID] = true
			}
			if cursor.NextCursor == nil {
				break
			}
			cursor = read[timelinePage](c, "GET", "/records/customer/"+customer.ID+"/timeline?limit=2&cursor="+*cursor.NextCursor, "", 200)
		}
		if len(seen) != len(all.Items) {
			t.Errorf("%d of %d in pages", len(seen), len(all.Items))
		}
		c.wantCode(422, "api.bad_parameter", c.do("GET", "/records/customer/"+customer.ID+"/timeline?kinds=nonsense", ""))
		about := read[timelinePage](c, "GET", "/records/order/"+order.ID+"/timeline?kinds=task", "", 200)
		if len(about.Items) != 2 {
			t.Errorf("%+v", about)
		}
		open := read[struct {
			Items []struct{ Record shownRecord }
		}](c, "GET", "/records/customer/"+customer.ID+"/open", "", 200)
		if len(open.Items) != 2 || open.Items[0].Record.Object != "meeting" && open.Items[1].Record.Object != "meeting" {
			t.Errorf("%+v", open)
		}
		// What is about a customer who becomes part of another is about that one, until the merge is taken back.
		twin := c.create("customer", `{"name":"王晓洁"}`)
		hers := c.create("note", `{"body":"同一个人","about":"`+twin.ID+`"}`)
		boss := s.as(access.Administrator)
		merged := read[struct{ Merge string }](boss, "POST", "/records/customer/merge", `{"survivor":"`+customer.ID+`","ids":["`+twin.ID+`"]}`, 200)
		if r := read[shownRecord](c, "GET", "/records/note/"+hers.ID, "", 200); r.ref("about") != customer.ID || r.ref("customer") != customer.ID {
			t.Errorf("%v", r.Fields)
		}
		boss.want(200, boss.do("POST", "/records/customer/unmerge", `{"merge":"`+merged.Merge+`"}`))
		if r := read[shownRecord](c, "GET", "/records/note/"+hers.ID, "", 200); r.ref("about") != twin.ID || r.ref("customer") != twin.ID {
			t.Errorf("%v", r.Fields)
		}
		day := d.Today
		got := read[struct {
			Items []struct{ Record shownRecord }
		}](c, "GET", "/agenda?from="+day+"&to="+shift(t, day, 30), "", 200)
		names := []string{}
		for _, it := range got.Items {
			names = append(names, it.Record.Title)
		}
		if !strings.Contains(strings.Join(names, ","), "看样") {
			t.Errorf("%v", names)
		}
		c.wantCode(422, "activity.bad_span", c.do("GET", "/agenda?from=2026-01-01&to=2027-01-01", ""))
		s.as(access.ReadOnly).wantCode(403, "access.forbidden", s.as(access.ReadOnly).do("POST", "/records/task", `{"fields":{"subject":"x"}}`))
	})
}

func shift(t *testing.T, day string, days int) string {
	t.Helper()
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	return at.AddDate(0, 0, days).Format(time.DateOnly)
}

// A role that may see tasks and nothing else has a day of tasks: what it may not see is not there, and no refusal.
func TestTheDayHoldsWhatOneMaySee(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s *site) {
		o := newOffice(t, s)
		o.role("tasks", `{"name":"tasks","rights":[],"objects":{"task":`+grants("own")+`,"customer":`+grants("own")+`}}`)
		lin := o.person("lin", o.roles["tasks"])
		mine := `{"subject":"call back","due_at":"` + time.Now().UTC().Format(time.RFC3339) + `","all_day":true}`
		task := lin.create("task", mine)
		day := read[shownDay](lin, "GET", "/day", "", 200)
		if len(day.Due)+len(day.Overdue) != 1 || append(day.Due, day.Overdue...)[0].Record.ID != task.ID {
			t.Fatalf("my day: %+v", day)
		}
		week := read[page](lin, "GET", "/agenda?from=2020-01-01&to=2020-01-31", "", 200)
		if len(week.Items) != 0 {
			t.Fatalf("agenda: %+v", week)
		}
		customer := lin.create("customer", `{"name":"Chen"}`)
		open := read[page](lin, "GET", "/records/customer/"+customer.ID+"/open", "", 200)
		if len(open.Items) != 0 {
			t.Fatalf("open: %+v", open)
		}
	})
}

package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// TestExchange exchanges the data keys and then the index key while people read and write, stopped in the middle again and again.
func TestExchange(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); exchangeAll(t, newSite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); exchangeAll(t, newPostgresSite(t)) })
}

// column reads one text of every row of a query straight from the database.
func (s *site) column(q string) []string {
	s.Helper()
	if source := s.app.Config.DatabaseURL; source != "" {
		return column(s.T, source, strings.ReplaceAll(q, "@", s.app.WorkspacePrefix+"main."))
	}
	return column(s.T, filepath.Join(s.app.Config.Data, "workspaces", "main", "records.db"), strings.ReplaceAll(q, "@", ""))
}

// column reads one value of every row of a query of PostgreSQL, or of a file of SQLite.
func column(t *testing.T, source, q string) []string {
	t.Helper()
	driver := "pgx"
	if !strings.Contains(source, "://") {
		driver, source = "sqlite3", "file:"+source+"?mode=ro"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			t.Fatal(err)
		}
		out = append(out, string(raw))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// none fails when two lists share a value.
func none(t *testing.T, what string, before, after []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, v := range before {
		seen[v] = true
	}
	if len(before) == 0 || len(after) < len(before) {
		t.Errorf("%s: %d before, %d after", what, len(before), len(after))
	}
	for _, v := range after {
		if seen[v] {
			t.Errorf("%s: a value of before is still there", what)
			return
		}
	}
}

const exchanged = 600

func exchangeAll(t *testing.T, s *site) {
	t.Helper()
	c, admin := s.as(access.Manager), s.as(access.Administrator)
	c.wantCode(403, "access.forbidden", c.do("POST", "/keys/rotate", `{"what":"data"}`))
	admin.wantCode(422, "app.rotate_what", admin.do("POST", "/keys/rotate", `{"what":"all"}`))
	s.numbered(admin)
	var ops []string
	for i := range exchanged {
		ops = append(ops, `{"op":"create","fields":{"name":"客户","id_no":"NO`+pad(i)+`","phone":"1390000`+pad(i)+`","email":"k`+pad(i)+`@example.com","address":{"region":"310101","street":"南京路`+pad(i)+`号"}}}`)
	}
	c.want(200, c.do("POST", "/records/customer/batch", `{"operations":[`+strings.Join(ops, ",")+`]}`))
	moved := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"13900000001"}}`, 200).Items[0]
	c.want(200, c.with("If-Match", "*").do("PATCH", "/records/customer/"+moved.ID, `{"fields":{"phone":"13700000001"}}`))
	gone := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"13900000002"}}`, 200).Items[0]
	c.want(204, c.with("If-Match", "*").do("DELETE", "/records/customer/"+gone.ID, ""))
	mate := read[rec](c, "POST", "/records/contact", `{"fields":{"name":"乙","customer":"`+moved.ID+`","phone":"13600000001"}}`, 201)
	up := c.attached("/records/customer/"+moved.ID, "a.txt", "内容").ID
	s.work()
	keeps := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"留下","phone":"13500000001"}}`, 201)
	joins := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"并入","email":"joined@example.com"}}`, 201)
	merge := read[mergeAnswer](c, "POST", "/records/customer/merge", `{"survivor":"`+keeps.ID+`","ids":["`+joins.ID+`"]}`, 200)

	sealed := `SELECT phone FROM @r_customer WHERE phone IS NOT NULL`
	before := map[string][]string{"values": s.column(sealed), "keys": s.column(`SELECT wrapped FROM @person_key`), "files": s.column(`SELECT sealed FROM @attachment`),
		"images": s.column(`SELECT before FROM @change WHERE record_id = (SELECT min(record_id) FROM @change WHERE before IS NOT NULL AND object = 'customer' AND op = 'update') AND before IS NOT NULL`)}
	s.exchange(c, admin, "data", moved.ID)
	none(t, "values", before["values"], s.column(sealed))
	none(t, "keys", before["keys"], s.column(`SELECT wrapped FROM @person_key`))
	none(t, "files", before["files"], s.column(`SELECT sealed FROM @attachment`))
	none(t, "images", before["images"], s.column(`SELECT before FROM @change WHERE record_id = (SELECT min(record_id) FROM @change WHERE before IS NOT NULL AND object = 'customer' AND op = 'update') AND before IS NOT NULL`))
	if left := s.column(`SELECT former FROM @person_key WHERE former IS NOT NULL`); len(left) != 0 {
		t.Errorf("%d former keys are left", len(left))
	}
	read1 := func(object, v, field, want string) {
		t.Helper()
		if got := string(c.want(200, c.do("POST", "/records/"+object+"/"+v+"/reveal", `{"fields":["`+field+`"]}`)).body); !strings.Contains(got, want) {
			t.Errorf("%s of %s: %s", field, v, got)
		}
	}
	read1("customer", moved.ID, "phone", "13700000001")
	read1("customer", moved.ID, "address", "南京路0001号")
	read1("contact", mate.ID, "phone", "13600000001")
	if a := c.want(200, c.do("GET", "/files/"+up+"/content", "")); !bytes.Equal(a.body, []byte("内容")) {
		t.Errorf("the file holds %q", a.body)
	}
	if h := string(c.want(200, c.do("GET", "/records/customer/"+moved.ID+"/history", "")).body); !strings.Contains(h, "139****0001") {
		t.Errorf("history: %s", h)
	}

	// A merge from before is taken back whole: what it gave is still known as what it gave.
	c.want(200, c.do("POST", "/records/customer/unmerge", `{"merge":"`+merge.Merge+`"}`))
	if got := read[rec](c, "GET", "/records/customer/"+keeps.ID, "", 200); got.Fields["email"] != nil {
		t.Errorf("the merge is still seen: %+v", got.Fields)
	}
	read1("customer", joins.ID, "email", "joined@example.com")

	blinds, keys := s.column(`SELECT phone_blind FROM @r_customer WHERE phone_blind IS NOT NULL`), s.column(`SELECT value FROM @unique_key WHERE object = 'customer' AND field = 'id_no'`)
	s.exchange(c, admin, "index", moved.ID)
	none(t, "blind indexes", blinds, s.column(`SELECT phone_blind FROM @r_customer WHERE phone_blind IS NOT NULL`))
	none(t, "unique keys", keys, s.column(`SELECT value FROM @unique_key WHERE object = 'customer' AND field = 'id_no'`))
	if n := s.column(`SELECT CAST(count(*) AS TEXT) FROM @key_state WHERE oldest = 1 AND newest = 1`); n[0] != "1" {
		t.Error("the former index key is still in use")
	}
	// Who was in the bin comes back under the new key, and nobody twice.
	c.want(200, c.do("POST", "/records/customer/"+gone.ID+"/restore", ""))
	s.found(c, "13900000002", gone.ID)
	c.wantCode(409, "record.unique_taken", c.do("POST", "/records/customer", `{"fields":{"name":"又","id_no":"NO0002"}}`))
	if got := admin.want(200, admin.do("GET", "/audit?action=keys.exchanged", "")); !strings.Contains(string(got.body), "keys.exchanged") {
		t.Errorf("%s", got.body)
	}
	// The secret changes afterwards as ever, the new index key with it.
	admin.want(202, admin.do("POST", "/keys/rotate", `{}`))
	s.work()
	s.found(c, "13900000003", "")
}

// numbered gives customers a personal field that is unique.
func (s *site) numbered(admin *client) {
	s.Helper()
	admin.want(201, admin.do("POST", "/objects/customer/fields", `{"key":"id_no","type":"text","personal":true,"unique":true,"label":{"zh-CN":"证件号","en":"ID number"}}`))
}

// found looks a phone up by whole value; of is "" for any one.
func (s *site) found(c *client, phone, of string) {
	s.Helper()
	list := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"`+phone+`"}}`, 200).Items
	if len(list) != 1 || of != "" && list[0].ID != of {
		s.Errorf("%s is found %d times", phone, len(list))
	}
}

// exchange runs an exchange in pieces, with people at work between them.
func (s *site) exchange(c, admin *client, what, known string) {
	s.Helper()
	admin.want(202, admin.do("POST", "/keys/rotate", `{"what":"`+what+`"}`))
	admin.wantCode(409, "app.rotating", admin.do("POST", "/keys/rotate", `{"what":"`+what+`"}`))
	base, at := map[string]int{"data": 1000, "index": 3000}[what], 0
	for after := 5 * time.Millisecond; ; after = after * 4 / 3 {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		_, err := s.app.Jobs().Step(ctx)
		ended := ctx.Err() != nil
		cancel()
		at++
		phone := "1590000" + pad(base+at)
		made := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"间","id_no":"`+phone+`","phone":"`+phone+`"}}`, 201)
		c.want(200, c.do("POST", "/records/customer/"+made.ID+"/reveal", `{"fields":["phone"]}`))
		list := read[page](c, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"in","value":["13700000001","`+phone+`","1390000`+pad(at+10)+`"]}}`, 200).Items
		if len(list) != 3 {
			s.Errorf("in the middle of %s: %d of 3 are found", what, len(list))
		}
		c.wantCode(409, "record.unique_taken", c.do("POST", "/records/customer", `{"fields":{"name":"又","id_no":"NO`+pad(at+50)+`"}}`))
		c.want(200, c.with("If-Match", "*").do("PATCH", "/records/customer/"+known, fmt.Sprintf(`{"fields":{"email":"x%s%d@example.com"}}`, what, at)))
		if !ended && err == nil {
			break
		}
	}
	s.work()
	k := read[api.Keys](admin, "GET", "/keys", "", 200)
	if r := k.Rotations[0]; r.State != "done" { // a stop in the middle of taking the job leaves it until the lease ends
		for _, on := range []string{"true", "false"} {
			admin.want(200, admin.do("POST", "/keys/rotations/"+r.ID+"/pause", `{"on":`+on+`}`))
		}
		s.work()
		k = read[api.Keys](admin, "GET", "/keys", "", 200)
	}
	if r := k.Rotations[0]; r.Kind != what || r.State != "done" || r.Changed == 0 || r.Done != r.Total {
		s.Fatalf("after %d interruptions: %+v", at, r)
	}
}

// TestPauseExchange stops an exchange and has it go on.
func TestPauseExchange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, admin := s.as(access.Manager), s.as(access.Administrator)
	c.want(201, c.do("POST", "/records/customer", `{"fields":{"name":"甲","phone":"13900000000"}}`))
	k := read[api.Keys](admin, "POST", "/keys/rotate", `{"what":"data"}`, 202)
	v := k.Rotations[0].ID
	c.wantCode(403, "access.forbidden", c.do("POST", "/keys/rotations/"+v+"/pause", `{"on":true}`))
	if k = read[api.Keys](admin, "POST", "/keys/rotations/"+v+"/pause", `{"on":true}`, 200); !k.Rotations[0].Paused {
		t.Errorf("%+v", k)
	}
	s.work()
	if k = read[api.Keys](admin, "GET", "/keys", "", 200); k.Rotations[0].State == "done" {
		t.Errorf("went on though it was stopped: %+v", k)
	}
	read[api.Keys](admin, "POST", "/keys/rotations/"+v+"/pause", `{"on":false}`, 200)
	s.work()
	if k = read[api.Keys](admin, "GET", "/keys", "", 200); k.Rotations[0].State != "done" || k.Rotations[0].Paused {
		t.Errorf("%+v", k)
	}
	admin.wantCode(409, "app.not_rotating", admin.do("POST", "/keys/rotations/"+v+"/pause", `{"on":true}`))
}

// TestExchangeAtWork exchanges both while the program follows its log and people write at once: whoever is there is found all the time, by
// value, by search and on the analytics plane, and nobody comes twice.
func TestExchangeAtWork(t *testing.T) {
	t.Parallel()
	atWork(t, func(t *testing.T, s *site) {
		c, admin := s.as(access.Manager), s.as(access.Administrator)
		s.numbered(admin)
		admin.want(200, admin.do("PATCH", "/privacy/settings", `{"reveals":{"manager":10000}}`))
		var ops []string
		for i := range 300 {
			ops = append(ops, `{"op":"create","fields":{"name":"客户","id_no":"NO`+pad(i)+`","phone":"1390000`+pad(i)+`"}}`)
		}
		c.want(200, c.do("POST", "/records/customer/batch", `{"operations":[`+strings.Join(ops, ",")+`]}`))
		search := func(text string) int {
			return len(read[page](c, "POST", "/records/customer/query", `{"search":"`+text+`"}`, 200).Items)
		}
		within(t, time.Minute, "search", func() bool { return search("13900000299") == 1 })
		for _, what := range []string{"data", "index"} {
			admin.want(202, admin.do("POST", "/keys/rotate", `{"what":"`+what+`"}`))
			var group sync.WaitGroup
			done := make(chan struct{})
			for w := range 3 {
				mine := s.as(access.Manager)
				group.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-done:
							return
						default:
						}
						phone := fmt.Sprintf("15%d%d000%s", w, len(what), pad(n))
						made := read[rec](mine, "POST", "/records/customer", `{"fields":{"name":"间","id_no":"`+phone+`","phone":"`+phone+`"}}`, 201)
						mine.wantCode(409, "record.unique_taken", mine.do("POST", "/records/customer", `{"fields":{"name":"又","id_no":"`+phone+`"}}`))
						mine.want(200, mine.with("If-Match", "*").do("PATCH", "/records/customer/"+made.ID, `{"fields":{"phone":"`+phone+`","email":"`+phone+`@example.com"}}`))
						mine.wantCode(409, "record.unique_taken", mine.do("POST", "/records/customer", `{"fields":{"name":"又","id_no":"NO`+pad((n*7+w)%300)+`"}}`))
						if got := string(mine.want(200, mine.do("POST", "/records/customer/"+made.ID+"/reveal", `{"fields":["phone"]}`)).body); !strings.Contains(got, phone) {
							t.Errorf("%s: %s", phone, got)
						}
						if got := len(read[page](mine, "POST", "/records/customer/query", `{"where":{"field":"phone","op":"=","value":"1390000`+pad(n%300)+`"}}`, 200).Items); got != 1 {
							t.Errorf("%s: 1390000%s is found %d times", what, pad(n%300), got)
						}
					}
				})
			}
			within(t, time.Minute, what, func() bool {
				if search("13900000"+pad(7)[1:]) != 1 {
					t.Errorf("%s: search does not find who is there", what)
				}
				return read[api.Keys](admin, "GET", "/keys", "", 200).Rotations[0].State == "done"
			})
			close(done)
			group.Wait()
		}
		within(t, time.Minute, "last four digits", func() bool { return search("0299") == 1 })
		within(t, time.Minute, "analytics", func() bool {
			return read[struct{ Count int }](c, "POST", "/segments/count", `{"where":{"field":"phone","op":"in","value":["13900000001","13900000299"]}}`, 200).Count == 2
		})
	})
}

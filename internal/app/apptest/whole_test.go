package apptest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	pgstore "github.com/guanxi-crm/guanxi/internal/store/postgres"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// TestConfigurationAfterKill: an import of a configuration that is killed in the middle leaves all of it or nothing.
func TestConfigurationAfterKill(t *testing.T) {
	t.Parallel()
	onMachines(t, killConfig)
}

func killConfig(t *testing.T, m *machine) {
	m.start()
	c := m.client()
	before := string(c.want(200, c.do("GET", "/config", "")).body)
	// The file: an object with many fields, views, segments, roles and stages, of which each is stored by itself.
	var doc map[string]map[string]any
	var head struct {
		Guanxi  string
		Version int
	}
	raw := []byte(before)
	if err := json.Unmarshal(raw, &head); err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	doc = map[string]map[string]any{"views": {}, "segments": {}, "roles": {}, "objects": {"customer": map[string]any{"fields": map[string]any{}}}}
	fields := doc["objects"]["customer"].(map[string]any)["fields"].(map[string]any)
	views := map[string]any{}
	for i := range 25 {
		key := fmt.Sprintf("extra_%d", i)
		fields[key] = map[string]any{"type": "text", "label": map[string]string{"en": key, "zh-CN": key}}
		name := fmt.Sprintf("视图%d", i)
		views[name] = map[string]any{"name": name, "kind": "list", "columns": []string{"name", key}, "where": map[string]any{"field": key, "op": "is_set"}, "sort": []any{}, "options": map[string]any{}, "pinned": false, "position": i}
		doc["segments"][key] = map[string]any{"label": key, "description": "", "kind": "dynamic", "where": map[string]any{"field": key, "op": "is_set"}}
		role := fmt.Sprintf("角色%d", i)
		doc["roles"][role] = map[string]any{"name": role, "rights": []string{"segment.read"}, "objects": map[string]any{"*": map[string]any{"actions": map[string]any{"read": map[string]any{"scope": "own"}}}}}
	}
	doc["views"]["customer"] = views
	whole := map[string]any{"guanxi": head.Guanxi, "version": head.Version}
	for k, v := range doc {
		whole[k] = v
	}
	file, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"file":` + string(file) + `}`
	random := rand.New(rand.NewPCG(3, 1)) //nolint:gosec // a test
	began := time.Now()
	dry := read[struct {
		Applied  int
		Problems []struct{ Location, Code, Message string }
	}](c, "POST", "/config/import", `{"dry_run":true,`+body[1:])
	if len(dry.Problems) > 0 {
		t.Fatalf("%+v", dry.Problems)
	}
	t.Logf("checked in %s", time.Since(began))
	rounds, span := 8, 260*time.Millisecond
	if m.schema() != "" {
		rounds, span = 4, 900*time.Millisecond
	}
	taken, kept := 0, 0
	for round := range rounds {
		done := make(chan bool, 1)
		go func() {
			a, err := m.client().ask("POST", "/config/import", "application/json", strings.NewReader(body))
			done <- err == nil && a.status == 200
		}()
		finished, ended := false, false
		select {
		case finished = <-done:
			ended = true
		case <-time.NewTimer(time.Duration(round)*span + time.Duration(random.Int64N(int64(span)))).C:
		}
		m.kill()
		if !ended {
			finished = <-done
		}
		m.start()
		if m.schema() != "" { // where another process might still be at it, some seconds pass
			eventually(t, "an end of what was left", time.Minute, func() bool { return !m.keepsConfig() })
		}
		now := string(m.client().want(200, m.client().do("GET", "/config", "")).body)
		switch {
		case now == before && !finished:
			kept++
		case now == before:
			t.Fatal("an import that was acknowledged is gone")
		default:
			left := read[struct {
				Items []struct{ Path, Change string }
			}](m.client(), "POST", "/config/compare", body)
			for _, d := range left.Items {
				if d.Change != "only_here" && strings.Contains(body, d.Path[strings.LastIndex(d.Path, "/")+1:]) {
					t.Fatalf("half of it is there: %s is %s", d.Path, d.Change)
				}
			}
			taken++
		}
		if taken > 0 {
			break
		}
	}
	t.Logf("taken back %d times, went in %d times", kept, taken)
	c = m.client()
	if taken == 0 {
		began := time.Now()
		c.want(200, c.do("POST", "/config/import", body))
		t.Logf("undisturbed it takes %s", time.Since(began))
	}
	// What was made by it works.
	made := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"x","extra_7":"y"}}`)
	if made.Fields["extra_7"] != "y" {
		t.Errorf("%+v", made.Fields)
	}
	m.stop()
	doctor(m, true)
}

// keepsConfig reports that the configuration of before a change is still kept, on PostgreSQL.
func (m *machine) keepsConfig() (found bool) {
	m.Helper()
	db, err := pgstore.Open(m.Context(), pgstore.Config{URL: os.Getenv("GUANXI_TEST_POSTGRES_URL"), Schema: m.schema() + "main"})
	if err != nil {
		m.Fatal(err)
	}
	err = db.Read(m.Context(), func(c sqlstore.Conn) (err error) {
		var n int64
		found, err = c.QueryRow(m.Context(), []any{&n}, "SELECT 1 FROM setting WHERE key = 'config.before'")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		m.Fatal(err)
	}
	return found
}

// TestMergeAfterKill: a customer with thousands of orders is merged, and the merge taken back, while the program is killed again and
// again: every order is where it belongs, moved once.
func TestMergeAfterKill(t *testing.T) {
	t.Parallel()
	onMachines(t, killMerge)
}

type mergeShown struct {
	Items []struct {
		ID     string
		Moved  int
		Total  int
		Moving bool
	}
}

func killMerge(t *testing.T, m *machine) {
	m.start()
	c := m.client()
	a := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"甲"}}`)
	b := read[rec](c, "POST", "/records/customer", `{"fields":{"name":"乙"}}`)
	const n = 6000
	for from := 0; from < n; from += 1000 {
		ops := make([]string, 1000)
		for i := range ops {
			ops[i] = fmt.Sprintf(`{"op":"create","fields":{"customer":%q,"external_id":"o%d"}}`, b.ID, from+i)
		}
		c.want(200, c.do("POST", "/records/order/batch", `{"atomic":true,"operations":[`+strings.Join(ops, ",")+`]}`))
	}
	random := rand.New(rand.NewPCG(9, 2)) //nolint:gosec // a test
	of := func(v string) int {
		return read[struct{ Count int }](m.client(), "POST", "/records/order/count", `{"where":{"field":"customer","op":"=","value":"`+v+`"},"exact":true}`).Count
	}
	merged := read[struct {
		Merge        string
		Total, Moved int
		Moving       bool
	}](c, "POST", "/records/customer/merge", `{"survivor":"`+a.ID+`","ids":["`+b.ID+`"]}`)
	if !merged.Moving || merged.Total != n {
		t.Fatalf("%+v", merged)
	}
	if got := c.do("POST", "/records/customer/merge", `{"survivor":"`+read[rec](c, "POST", "/records/customer", `{"fields":{"name":"丙"}}`).ID+`","ids":["`+a.ID+`"]}`); of(b.ID) > 0 && got.code() != "merge.busy" {
		t.Errorf("a record whose merge goes on was merged: %d %s", got.status, got.body)
	}
	for range 3 {
		m.soonKilled(random, 50, 500)
	}
	whole := func(what string) {
		t.Helper()
		eventually(t, what, 2*time.Minute, func() bool {
			return !anyMoving(read[mergeShown](m.client(), "GET", "/records/customer/"+a.ID+"/merges", ""))
		})
	}
	whole("the end of the merge")
	if of(a.ID) != n || of(b.ID) != 0 {
		t.Errorf("%d and %d orders", of(a.ID), of(b.ID))
	}
	once := func(version int64) {
		t.Helper()
		for ext, list := range m.client().all("order") {
			if len(list) != 1 || list[0].Version != version {
				t.Fatalf("%s: %d, version %d, want %d", ext, len(list), list[0].Version, version)
			}
		}
	}
	once(2)
	if got := read[mergeShown](m.client(), "GET", "/records/customer/"+a.ID+"/merges", ""); got.Items[0].Moved != n {
		t.Errorf("%+v", got)
	}
	c = m.client()
	c.want(200, c.do("POST", "/records/customer/unmerge", `{"merge":"`+merged.Merge+`"}`))
	for range 3 {
		m.soonKilled(random, 50, 500)
	}
	eventually(t, "the orders are given back", 2*time.Minute, func() bool { return of(b.ID) == n })
	if of(a.ID) != 0 {
		t.Errorf("%d orders stayed", of(a.ID))
	}
	once(3)
	m.stop()
	doctor(m, true)
}

func anyMoving(s mergeShown) bool {
	for _, it := range s.Items {
		if it.Moving {
			return true
		}
	}
	return false
}

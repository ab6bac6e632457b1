package apptest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestAutomationsAfterKill: the program is killed four times while it works through the runs of a rule that writes, makes a record, deals out
// in turn and branches; every record goes through every step once.
func TestAutomationsAfterKill(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killRules(t, build(t).setup("Asia/Shanghai", "CNY"))
		})
	}
}

const killedRule = `{"name":"kill","state":"on","run_as":"system","definition":{"object":"customer","trigger":{"kind":"created"},"steps":[
	{"id":"a","kind":"update","values":[{"field":"height_cm","formula":"IF(height_cm = \"\", 0, height_cm) + 1"}]},
	{"id":"b","kind":"create","object":"task","values":[{"field":"subject","text":"{external_id}"},{"field":"about","from":"id"}]},
	{"id":"c","kind":"tag","field":"tags","add":["seen"]},
	{"id":"d","kind":"branch","where":{"field":"tags","op":"contains","value":"seen"},"then":[
		{"id":"e","kind":"create","object":"note","values":[{"field":"body","text":"{external_id}"},{"field":"about","from":"id"}]}]}]}}`

func killRules(t *testing.T, m *machine) {
	m.start()
	rule := read[struct{ ID string }](m.client(), "POST", "/automations", killedRule).ID
	const each = 300
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // a test
	for round := range 4 {
		var ops []string
		for i := range each {
			ops = append(ops, fmt.Sprintf(`{"op":"create","fields":{"name":"客户","external_id":"%d-%d"}}`, round, i))
		}
		m.client().want(200, m.client().do("POST", "/records/customer/batch", `{"atomic":true,"operations":[`+strings.Join(ops, ",")+`]}`))
		wait := time.NewTimer(time.Duration(100+random.IntN(900)) * time.Millisecond)
		<-wait.C
		m.kill()
		m.start()
	}
	c := m.client()
	type counts struct {
		Live, Failed int
		Today        struct{ Started, Done int }
	}
	eventually(t, "all runs", 3*time.Minute, func() bool {
		got := read[counts](c, "GET", "/automations/"+rule, "")
		return got.Today.Done >= 4*each
	})
	if got := read[counts](c, "GET", "/automations/"+rule, ""); got.Today.Started != 4*each || got.Today.Done != 4*each || got.Live != 0 || got.Failed != 0 {
		t.Errorf("%+v", got)
	}
	for _, object := range []string{"customer", "task", "note"} {
		if n := c.records(object); n != 4*each {
			t.Errorf("%d records of %s, want %d", n, object, 4*each)
		}
	}
	once := read[struct{ Count int }](c, "POST", "/records/customer/count", `{"where":{"all":[{"field":"height_cm","op":"=","value":1},{"field":"tags","op":"contains","value":"seen"}]}}`).Count
	if once != 4*each {
		t.Errorf("%d customers went through the step once, want %d", once, 4*each)
	}
	m.stop()
}

// TestSegmentRulesAfterKill: the program is killed four times while customers enter and leave a segment that rules watch; each of them begins a run
// when they enter and one when they leave, and no more.
func TestSegmentRulesAfterKill(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(testing.TB) *machine{"embedded": func(t testing.TB) *machine { return newMachine(t) }, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killSegments(t, build(t).setup("Asia/Shanghai", "CNY"))
		})
	}
}

func killSegments(t *testing.T, m *machine) {
	m.start()
	c := m.client()
	c.want(201, c.do("POST", "/segments", `{"key":"seen","label":"seen","where":{"field":"occupation","op":"=","value":"in"}}`))
	rule := func(kind, value string) string {
		return read[struct{ ID string }](c, "POST", "/automations", `{"name":"`+kind+`","state":"on","run_as":"system","definition":{"object":"customer","trigger":{"kind":"`+kind+`","segment":"seen"},"steps":[
			{"id":"a","kind":"update","values":[`+value+`]}]}}`).ID
	}
	enters, leaves := rule("enters", `{"field":"note","text":"{note}x"}`), rule("leaves", `{"field":"height_cm","formula":"IF(height_cm = \"\", 0, height_cm) + 1"}`)
	const each = 200
	random := rand.New(rand.NewPCG(8, 8)) //nolint:gosec // a test
	var ids []string
	for round := range 4 {
		var ops []string
		for i := range each {
			ops = append(ops, fmt.Sprintf(`{"op":"create","fields":{"name":"客户","occupation":"in","external_id":"%d-%d"}}`, round, i))
		}
		for _, v := range ids {
			ops = append(ops, `{"op":"update","id":"`+v+`","fields":{"occupation":"out"}}`)
		}
		made := read[struct {
			Results []struct{ Record struct{ ID string } }
		}](m.client(), "POST", "/records/customer/batch", `{"atomic":true,"operations":[`+strings.Join(ops, ",")+`]}`).Results
		wait := time.NewTimer(time.Duration(300+random.IntN(2500)) * time.Millisecond)
		<-wait.C
		m.kill()
		m.start()
		// Who entered must have been seen before they leave: what comes and goes between two looks begins nothing.
		done := func(rule string) int {
			return read[struct{ Today struct{ Done int } }](m.client(), "GET", "/automations/"+rule, "").Today.Done
		}
		eventually(t, "all runs", 2*time.Minute, func() bool { return done(enters) >= each*(round+1) && done(leaves) >= each*round })
		ids = nil
		for _, r := range made[:each] {
			ids = append(ids, r.Record.ID)
		}
	}
	type counts struct {
		Live, Failed int
		Today        struct{ Started, Done int }
	}
	c = m.client()
	for key, want := range map[string]int{enters: 4 * each, leaves: 3 * each} {
		if got := read[counts](c, "GET", "/automations/"+key, ""); got.Today.Started != want || got.Today.Done != want || got.Live != 0 || got.Failed != 0 {
			t.Errorf("%+v, want %d", got, want)
		}
	}
	once := read[struct{ Count int }](c, "POST", "/records/customer/count", `{"where":{"field":"note","op":"=","value":"x"}}`).Count
	if once != 4*each {
		t.Errorf("%d customers went through the step once, want %d", once, 4*each)
	}
	m.stop()
}

package journey

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/model/query"
)

// TestCheck: each fault is found at the step that has it, and a sound journey has none.
func TestCheck(t *testing.T) {
	t.Parallel()
	where := &query.Node{Field: "f", Op: "is_set"}
	sound := func() Definition {
		return Definition{Trigger: Trigger{Kind: OnEvent, Event: "E"}, Reentry: Reentry{Kind: ReOnce}, Start: "a", Goal: Goal{Kind: GoalPurchase, Days: 30}, Steps: []Step{
			{Key: "a", Kind: Wait, Wait: &Waiting{Days: 1}, Next: "b"}, {Key: "b", Kind: Branch, Ways: []Way{{Key: "yes", Where: where, Next: "c"}}, Next: "end"},
			{Key: "c", Kind: Split, Ways: []Way{{Key: "p", Share: 50, Next: "d"}, {Key: "q", Share: 50, Next: "end"}}}, {Key: "d", Kind: Task, Title: "x", Next: "end"}, {Key: "end", Kind: End}}}
	}
	d := sound()
	if bad := Check(&d); len(bad) != 0 {
		t.Fatalf("%+v", bad)
	}
	for _, c := range []struct {
		change func(d *Definition)
		want   string
	}{
		{func(d *Definition) { d.Trigger = Trigger{} }, "/trigger journey.no_trigger"},
		{func(d *Definition) { d.Steps[3].Next = "" }, "d/next journey.dead_end"},
		{func(d *Definition) { d.Steps[3].Next = "zz" }, "d/next journey.unknown_next"},
		{func(d *Definition) { d.Steps[2].Ways[0].Next = "end" }, "d/ journey.unreachable"},
		{func(d *Definition) { d.Steps[2].Ways[0].Share = 40 }, "c/ways journey.bad_shares"},
		{func(d *Definition) { d.Steps[3].Next = "b" }, "b/ journey.circle"},
		{func(d *Definition) { d.Steps[0].Wait = &Waiting{} }, "a/wait journey.no_wait"},
		{func(d *Definition) { d.Start = "zz" }, "/start journey.no_start"},
		{func(d *Definition) { d.Exit.Goal, d.Goal = true, Goal{} }, "/exit journey.no_goal"},
		{func(d *Definition) { d.Steps[0].Wait.Event = "X" }, "a/ways journey.bad_ways"},
	} {
		d := sound()
		c.change(&d)
		var got []string
		for _, p := range Check(&d) {
			got = append(got, p.Step+"/"+p.At+" "+p.Code)
		}
		if !slices.Contains(got, c.want) {
			t.Errorf("want %s, got %v", c.want, got)
		}
	}
	d = sound()
	d.Steps[3].Next = "a" // a circle with a wait in it
	if bad := Check(&d); len(bad) != 0 {
		t.Errorf("%+v", bad)
	}
}

// TestUntil: waits end at the hour and weekday that they name, also where the clock is changed.
func TestUntil(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	now := time.Date(2026, 10, 23, 10, 0, 0, 0, zone) // a Friday; the clock goes back on Sunday
	day := clock.NewDay(2026, 11, 1)
	for _, c := range []struct {
		w    Waiting
		want string
	}{
		{Waiting{Hours: 2}, "2026-10-23 12:00"}, {Waiting{Days: 3}, "2026-10-26 10:00"}, {Waiting{At: "09:00"}, "2026-10-24 09:00"}, {Waiting{At: "11:30"}, "2026-10-23 11:30"},
		{Waiting{Days: 1, At: "09:00"}, "2026-10-25 09:00"}, {Waiting{Weekdays: []int{1}, At: "08:00"}, "2026-10-26 08:00"}, {Waiting{Weekdays: []int{5}}, "2026-10-23 10:00"},
		{Waiting{Date: "2026-10-30"}, "2026-10-30 00:00"}, {Waiting{Date: "2026-10-01"}, "2026-10-23 10:00"}, {Waiting{Field: "f", At: "09:00"}, "2026-11-01 09:00"},
	} {
		if got := c.w.until(now, &day, zone).In(zone).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%+v: %s, want %s", c.w, got, c.want)
		}
	}
	for key, want := range map[string]string{"spring": "2027-02-06", "mid_autumn": "2027-09-15", "dragon_boat": "2027-06-09", "qingming": "2027-04-05", "winter": "2027-12-22", "national": "2027-10-01"} {
		if got, ok := FeastDay(key, 2027); !ok || got.String() != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	for _, key := range Feasts() {
		if _, ok := FeastDay(key, 2026); !ok {
			t.Errorf("no day of %s", key)
		}
	}
	e := Seen{Properties: map[string]json.RawMessage{"price": json.RawMessage("12.5"), "kind": json.RawMessage(`"tea"`)}}
	for k, want := range map[Match]bool{{"price", ">", "10"}: true, {"price", "<", "10"}: false, {"kind", "=", "tea"}: true, {"kind", "!=", "tea"}: false, {"none", "has", ""}: false, {"none", "!=", "x"}: true} {
		if got := (&Trigger{Match: []Match{k}}).matches(&e); got != want {
			t.Errorf("%+v: %v", k, got)
		}
	}
	s := Step{Key: "s", Ways: []Way{{Key: "a", Share: 30}, {Key: "b", Share: 70}}}
	n := 0
	for i := range int64(4000) {
		if s.drawn(&Token{Journey: 1, Customer: 5, Entry: i}).Key == "a" {
			n++
		}
	}
	if n < 1100 || n > 1300 {
		t.Error(fmt.Sprint(n, " of 4000 take the way of 30 %"))
	}
}

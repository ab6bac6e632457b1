package storetest

import (
	"context"
	"reflect"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/action"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// testActions: plays change by their version, a customer's play is decided once a day, and what became of cases and decisions sums up by play.
func testActions(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	k := sqlstore.NewActions(w.Store)
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := action.Play{Key: "call", Label: schema.Label{"en": "Call"}, On: true, Kind: action.Task, Lift: .02, Worth: action.Basket, Window: 30, Rest: 60, Held: 10, Version: 1, UpdatedAt: T0, UpdatedBy: 7}
	check(k.SavePlay(ctx, p))
	if err := k.SavePlay(ctx, p); fault.KindOf(err) != fault.Stale {
		t.Errorf("made twice: %v", err)
	}
	p.Version, p.Lift = 2, .03
	check(k.SavePlay(ctx, p))
	if err := k.SavePlay(ctx, p); fault.KindOf(err) != fault.Stale {
		t.Errorf("changed from an old version: %v", err)
	}
	if list, err := k.Plays(ctx); err != nil || !reflect.DeepEqual(list, []action.Play{p}) {
		t.Errorf("%+v, %v", list, err)
	}

	actionChoices(t, k)
	mergedChoices(t, w, k)
	actionCases(t, w, k)
	tally := action.Tally{Play: "call", Day: 100, At: T0, Eligible: 5, Held: 1, Resting: 2, Offered: 3, Gain: 4, Broken: true}
	check(k.SaveTallies(ctx, []action.Tally{{Play: "old", At: T0}}))
	check(k.SaveTallies(ctx, []action.Tally{tally}))
	if list, err := k.Tallies(ctx); err != nil || !reflect.DeepEqual(list, map[string]action.Tally{"call": tally}) {
		t.Errorf("%+v, %v", list, err)
	}
	check(k.DropPlay(ctx, "call"))
	if list, err := k.Plays(ctx); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func actionChoices(t *testing.T, k *sqlstore.Actions) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	choice := action.Choice{ID: 1, Play: "call", Customer: 11, Pick: action.Taken, At: T0, Day: 100, Until: 160, By: 7, Stage: "active", Gain: 300, Learned: true, To: 130}
	check(k.Choose(ctx, choice))
	again := choice
	again.ID = 2
	if err := k.Choose(ctx, again); fault.CodeOf(err) != "action.decided" {
		t.Errorf("decided twice: %v", err)
	}
	check(k.Made(ctx, 1, 99))
	choice.Task = 99
	no := action.Choice{ID: 3, Play: "call", Customer: 12, Pick: action.Dismissed, Reason: "太贵", At: T0, Day: 100, Until: 160, By: 7, Stage: "active", To: 130}
	check(k.Choose(ctx, no))
	gone := no
	gone.ID, gone.Customer = 4, 13
	check(k.Choose(ctx, gone))
	check(k.Unchoose(ctx, 4))
	for _, c := range []struct {
		rests, since clock.Day
		who          []id.ID
		want         []action.Choice
	}{{159, 159, nil, []action.Choice{choice, no}}, {160, 99, nil, []action.Choice{choice}}, {160, 100, nil, nil}, {159, 159, []id.ID{12, 13}, []action.Choice{no}}} {
		if got, err := k.Choices(ctx, c.rests, c.since, c.who); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("resting after %d, since %d: %+v, %v", c.rests, c.since, got, err)
		}
	}
	if turned, err := k.Turned(ctx, nil); err != nil || len(turned) != 1 || turned[action.Turn{Play: "call", Customer: 12}] != 1 {
		t.Errorf("%v, %v", turned, err)
	}
}

// mergedChoices: what was decided about somebody who was merged is the survivor's, until the merge is taken back.
func mergedChoices(t *testing.T, w *World, k *sqlstore.Actions) {
	t.Helper()
	ctx := context.Background()
	undo := mergeCustomers(t, w, [2]id.ID{12, 31}, [2]id.ID{31, 32})
	for _, ask := range [][]id.ID{{32, 33}, nil} {
		got, err := k.Choices(ctx, 159, 159, ask)
		if err != nil || len(got) == 0 || got[len(got)-1].Customer != 32 || got[len(got)-1].Pick != action.Dismissed {
			t.Errorf("of %v: %+v, %v", ask, got, err)
		}
		if turned, err := k.Turned(ctx, ask); err != nil || len(turned) != 1 || turned[action.Turn{Play: "call", Customer: 32}] != 1 {
			t.Errorf("of %v: %v, %v", ask, turned, err)
		}
	}
	if got, err := k.History(ctx, 32, 5); err != nil || len(got) != 1 || got[0].Customer != 32 || got[0].Reason != "太贵" {
		t.Errorf("%+v, %v", got, err)
	}
	undo()
	if got, err := k.History(ctx, 32, 5); err != nil || len(got) != 0 {
		t.Errorf("after taking the merge back: %+v, %v", got, err)
	}
	if turned, err := k.Turned(ctx, nil); err != nil || turned[action.Turn{Play: "call", Customer: 12}] != 1 {
		t.Errorf("after taking the merge back: %v, %v", turned, err)
	}
}

// mergeCustomers has the first of each pair be part of the second, as a merge does, until undo.
func mergeCustomers(t *testing.T, w *World, pairs ...[2]id.ID) (undo func()) {
	t.Helper()
	write := func(q string, args ...any) {
		t.Helper()
		if err := w.Store.Write(context.Background(), func(c sqlstore.Conn) error { _, err := c.Exec(context.Background(), q, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pairs {
		write("INSERT INTO record_merged (record_id, object, survivor, merge) VALUES (?, 'customer', ?, 1)", int64(p[0]), int64(p[1]))
	}
	return func() {
		for _, p := range pairs {
			write("DELETE FROM record_merged WHERE record_id = ?", int64(p[0]))
		}
	}
}

func actionCases(t *testing.T, w *World, k *sqlstore.Actions) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(k.AddCases(ctx, []action.Case{{ID: 21, Play: "call", Customer: 11, Shown: true, From: 99, To: 129}, {ID: 22, Play: "call", Customer: 12, Shown: true, From: 99, To: 129},
		{ID: 23, Play: "call", Customer: 13, From: 99, To: 129}, {ID: 24, Play: "call", Customer: 14, From: 120, To: 150}}))
	undo := mergeCustomers(t, w, [2]id.ID{14, 34})
	if standing, err := k.Standing(ctx, "call", 100); err != nil || !reflect.DeepEqual(standing, map[int64]bool{34: true}) {
		t.Errorf("the case of somebody who was merged: %v, %v", standing, err)
	}
	undo()
	if standing, err := k.Standing(ctx, "call", 100); err != nil || !reflect.DeepEqual(standing, map[int64]bool{14: true}) {
		t.Errorf("%v, %v", standing, err)
	}
	due, err := k.Due(ctx, 130, 10)
	check(err)
	if len(due) != 4 || due[0].Choice || !due[3].Choice || due[3].ID != 1 || due[3].From != 100 || due[3].To != 130 {
		t.Fatalf("%+v", due)
	}
	due[0].Orders, due[0].Revenue = 2, 500
	due[3].Orders, due[3].Revenue = 1, 400
	check(k.Close(ctx, due))
	if more, err := k.Due(ctx, 130, 10); err != nil || len(more) != 0 {
		t.Errorf("%+v, %v", more, err)
	}
	got, err := k.Outcomes(ctx)
	check(err)
	o := got["call"]
	if o.Treated.N != 2 || o.Treated.Sum != 500 || o.Treated.Squares != 250_000 || o.TreatedHits != 1 || o.Control.N != 1 || o.ControlHits != 0 || o.Assigned != [2]int64{2, 2} || o.Acted != 1 ||
		o.TakenAll != 1 || o.Done.N != 1 || o.Done.Hits != 1 || o.Revenue != 400 || o.Dismissed != 1 || o.Stages["active"].N != 2 || o.Stages["active"].Hits != 1 {
		t.Errorf("%+v", o)
	}
}

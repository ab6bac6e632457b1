package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// testCampaigns: lines are written once however often they are; four workers that hand over the same lines hand each over once, write one mail for
// each and never go over a cap; after every step the audience is the sum of its states.
func testCampaigns(t *testing.T, s Suite) {
	w := NewWorld(t, s.Open(t))
	k, mails := sqlstore.NewCampaigns(w.Store), sqlstore.NewMails(w.Store)
	ctx := context.Background()
	const run, people = id.ID(900), 60
	c := campaign.Campaign{ID: run, Name: "n", Channel: campaign.Email, Status: campaign.Planning, Version: 1, CreatedAt: T0, UpdatedAt: T0, Plan: campaign.Plan{Purpose: "marketing", Days: 7}}
	if err := k.Insert(ctx, c); err != nil {
		t.Fatal(err)
	}
	var list []campaign.Intent
	for i := range people {
		it := campaign.Intent{ID: id.ID(10_000 + i), Run: run, Customer: id.ID(1 + i), Channel: campaign.Email, Arm: "a", Eligible: true, State: campaign.Queued, Due: T0, At: T0}
		if i%10 == 0 {
			it.State, it.Gate, it.Arm = campaign.Held, campaign.Holdout, campaign.ArmHoldout
		}
		list = append(list, it)
	}
	sum := func() (all int64, by map[campaign.State]int64) {
		t.Helper()
		sums, err := k.Sums(ctx, run, "marketing")
		if err != nil {
			t.Fatal(err)
		}
		by = map[campaign.State]int64{}
		for _, x := range sums {
			all += x.Count
			by[x.State] += x.Count
		}
		if all != people {
			t.Fatalf("%d lines of %d: %v", all, people, by)
		}
		return all, by
	}
	for i := range 2 { // a worker that did not hear the answer writes the same people under other ids
		for j := range list {
			list[j].ID += id.ID(i * 1000)
		}
		if err := k.Enlist(ctx, run, list, "done"); err != nil {
			t.Fatal(err)
		}
		sum()
	}
	if got, err := k.Campaign(ctx, run); err != nil || got.Audience != people || got.Cursor != "done" {
		t.Fatalf("%+v, %v", got, err)
	}
	due, err := k.Due(ctx, run, T0, 1000)
	if err != nil || len(due) != 54 {
		t.Fatalf("%d due, %v", len(due), err)
	}
	day := clock.DayOf(T0, time.UTC)
	caps := []campaign.Cap{{Channel: "", Days: 1, Most: 1}}
	// Two lines of one person in another run share the cap with this one.
	other := campaign.Campaign{ID: 901, Name: "o", Channel: campaign.Email, Status: campaign.Planning, Version: 1, CreatedAt: T0, UpdatedAt: T0, Plan: campaign.Plan{Days: 7}}
	if err := k.Insert(ctx, other); err != nil {
		t.Fatal(err)
	}
	twin := campaign.Intent{ID: 20_000, Run: 901, Customer: due[0].Customer, Channel: campaign.Email, Arm: "a", Eligible: true, State: campaign.Queued, Due: T0, At: T0}
	if err := k.Enlist(ctx, 901, []campaign.Intent{twin}, "done"); err != nil {
		t.Fatal(err)
	}
	taken := handAtOnce(t, k, append(append([]campaign.Intent{}, due...), twin), day, caps)
	if len(taken) != 54 { // 55 lines, of which two are one person's
		t.Errorf("%d lines were handed over", len(taken))
	}
	items, err := mails.Messages(ctx, mail.Filter{}, 1000)
	if err != nil || len(items) != 54 {
		t.Fatalf("%d mails, %v", len(items), err)
	}
	got, err := k.Counted(ctx, []id.ID{due[0].Customer, due[1].Customer}, day, day)
	if err != nil || got[due[0].Customer][""][day] != 1 || got[due[1].Customer][campaign.Email][day] != 1 {
		t.Errorf("%v, %v", got, err)
	}
	settleCampaign(t, k, mails, run, items, sum)
	mergedCaps(t, w, k, due, day, caps)
}

// testTexts: text messages of which nobody knows are asked about so many times, and what a provider says of a line counts once, and only from the
// account through which it went.
func testTexts(t *testing.T, s Suite) {
	k := sqlstore.NewCampaigns(NewWorld(t, s.Open(t)).Store)
	ctx := context.Background()
	const run, account = id.ID(902), id.ID(55)
	if err := k.Insert(ctx, campaign.Campaign{ID: run, Name: "t", Channel: campaign.SMS, Status: campaign.Planning, Version: 1, CreatedAt: T0, UpdatedAt: T0, Plan: campaign.Plan{Days: 7, Account: account}}); err != nil {
		t.Fatal(err)
	}
	var list []campaign.Intent
	var moves []campaign.Handover
	var ended []campaign.Done
	for i, state := range []campaign.State{campaign.Unknown, campaign.Unknown, campaign.Accepted, campaign.Queued, campaign.Calling} {
		key := id.ID(30_000 + i)
		list = append(list, campaign.Intent{ID: key, Run: run, Customer: id.ID(500 + i), Channel: campaign.SMS, Arm: "a", Eligible: true, State: campaign.Queued, Due: T0, At: T0})
		moves = append(moves, campaign.Handover{Intent: key, Customer: id.ID(500 + i), Channel: campaign.SMS, State: campaign.Calling, Parts: 1})
		if state != campaign.Calling {
			ended = append(ended, campaign.Done{Intent: key, State: state, Receipt: map[bool]string{true: "r2"}[i == 2], Reason: map[bool]string{true: "timeout"}[state == campaign.Unknown], At: T0, Tried: state == campaign.Queued})
		}
	}
	if err := k.Enlist(ctx, run, list, "done"); err != nil {
		t.Fatal(err)
	}
	if taken, err := k.Hand(ctx, moves, nil, T0); err != nil || len(taken) != 5 {
		t.Fatal(taken, err)
	}
	if err := k.Finish(ctx, ended); err != nil {
		t.Fatal(err)
	}
	if due, err := k.Due(ctx, run, T0, 10); err != nil || len(due) != 1 || due[0].Tries != 1 {
		t.Errorf("%+v, %v", due, err)
	}
	doubts := func(most int) []campaign.Doubt {
		t.Helper()
		got, err := k.Doubts(ctx, T0.Add(-time.Hour), T0.Add(time.Minute), most, 10)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := doubts(1); len(got) != 2 || got[0] != (campaign.Doubt{Intent: 30_000, Run: run, Customer: 500, Account: account, At: T0.UTC()}) {
		t.Errorf("%+v", got)
	}
	if err := k.Asked(ctx, 30_000); err != nil {
		t.Fatal(err)
	}
	if got := doubts(1); len(got) != 1 || got[0].Intent != 30_001 || len(doubts(2)) != 2 {
		t.Errorf("%+v", got)
	}
	for i, c := range []struct {
		say   campaign.Report
		found bool
	}{
		{campaign.Report{Intent: 30_000, Account: account, Delivered: true}, true},
		{campaign.Report{Intent: 30_000, Account: account, Code: "late"}, true}, // what was delivered stays so
		{campaign.Report{Intent: 30_001, Account: 56, Delivered: true}, false},
		{campaign.Report{Receipt: "r2", Account: account, Code: "MK:0001", Dead: true}, true},
		{campaign.Report{Receipt: "", Account: account, Delivered: true}, false},
		{campaign.Report{Intent: 30_004, Receipt: "r4", Account: account}, true}, // before the answer was written
		{campaign.Report{Intent: 39_999, Account: account, Delivered: true}, false},
	} {
		if of, found, err := k.Report(ctx, c.say, T0.Add(time.Minute)); err != nil || found != c.found || found && of != run {
			t.Errorf("report %d: %v %v %v", i, of, found, err)
		}
	}
	reasons, err := k.Reasons(ctx, run)
	if err != nil || len(reasons) != 2 || reasons[0] != (campaign.Reason{State: campaign.Bounced, Code: "MK:0001", Count: 1}) || reasons[1] != (campaign.Reason{State: campaign.Unknown, Code: "timeout", Count: 1}) {
		t.Errorf("%+v, %v", reasons, err)
	}
	sums, err := k.Sums(ctx, run, "")
	by, delivered := map[campaign.State]int64{}, int64(0)
	for _, x := range sums {
		by[x.State] += x.Count
		delivered += x.Delivered
	}
	if err != nil || by[campaign.Accepted] != 2 || by[campaign.Bounced] != 1 || by[campaign.Unknown] != 1 || by[campaign.Queued] != 1 || delivered != 1 {
		t.Errorf("%v, %d delivered, %v", by, delivered, err)
	}
}

// mergedCaps: a cap holds for a person whose other half got a message before they became one.
func mergedCaps(t *testing.T, w *World, k *sqlstore.Campaigns, sent []campaign.Intent, day clock.Day, caps []campaign.Cap) {
	t.Helper()
	ctx := context.Background()
	heir := campaign.Intent{ID: 20_001, Run: 901, Customer: 70_000, Channel: campaign.Email, Arm: "a", Eligible: true, State: campaign.Queued, Due: T0, At: T0}
	if err := k.Enlist(ctx, 901, []campaign.Intent{heir}, "done"); err != nil {
		t.Fatal(err)
	}
	undo := mergeCustomers(t, w, [2]id.ID{sent[0].Customer, 70_001}, [2]id.ID{70_001, heir.Customer}, [2]id.ID{sent[1].Customer, heir.Customer})
	if got, err := k.Counted(ctx, []id.ID{heir.Customer}, day, day); err != nil || got[heir.Customer][campaign.Email][day] != 2 {
		t.Errorf("messages of those who became one: %v, %v", got, err)
	}
	if taken := handAtOnce(t, k, []campaign.Intent{heir}, day, caps); len(taken) != 0 {
		t.Errorf("over the cap: %v", taken)
	}
	undo()
	if got, err := k.Counted(ctx, []id.ID{heir.Customer}, day, day); err != nil || got[heir.Customer][campaign.Email][day] != 0 {
		t.Errorf("after the merge was taken back: %v, %v", got, err)
	}
}

// handAtOnce lets four workers hand the same lines over.
func handAtOnce(t *testing.T, k *sqlstore.Campaigns, due []campaign.Intent, day clock.Day, caps []campaign.Cap) map[id.ID]int {
	t.Helper()
	taken := map[id.ID]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			var moves []campaign.Handover
			for i, it := range due {
				m := &mail.Item{ID: id.ID(100_000 + worker*1000 + i), Key: fmt.Sprintf("campaign:%d", it.ID), Kind: "campaign", Mask: "a", Blind: fmt.Sprint(it.Customer), Wrapped: []byte{1}, Content: []byte{1}, State: mail.Waiting,
					CreatedAt: T0, NextAt: T0, Until: T0.Add(time.Hour)}
				moves = append(moves, campaign.Handover{Intent: it.ID, Customer: it.Customer, Channel: campaign.Email, Day: day, Counts: true, State: campaign.Handed, Parts: 1, Mail: m})
			}
			got, err := k.Hand(context.Background(), moves, caps, T0)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			for _, v := range got {
				taken[v]++
			}
		})
	}
	group.Wait()
	for v, n := range taken {
		if n != 1 {
			t.Errorf("line %d was handed over %d times", v, n)
		}
	}
	return taken
}

func settleCampaign(t *testing.T, k *sqlstore.Campaigns, mails *sqlstore.Mails, run id.ID, items []mail.Item, sum func() (int64, map[campaign.State]int64)) {
	t.Helper()
	ctx := context.Background()
	states := []mail.State{mail.Sent, mail.Failed, mail.Unknown, mail.Cancelled}
	reasons := []string{"", mail.ErrAddress, "", ""}
	for i, it := range items {
		if i%5 == 4 { // one in five waits still
			continue
		}
		it.State, it.Reason, it.DoneAt = states[i%5], reasons[i%5], T0.Add(time.Minute)
		if err := mails.Finish(ctx, mail.Outcome{Item: it, At: T0}, mail.Waiting); err != nil {
			t.Fatal(err)
		}
	}
	later := T0.Add(time.Hour)
	if _, _, err := k.Settle(ctx, run, T0, later); err != nil {
		t.Fatal(err)
	}
	_, by := sum()
	if by[campaign.Accepted] == 0 || by[campaign.Bounced] == 0 || by[campaign.Unknown] == 0 || by[campaign.Cancelled] == 0 || by[campaign.Handed] == 0 || by[campaign.Queued] != 0 {
		t.Errorf("%v", by)
	}
	lines, err := k.Lines(ctx, run, campaign.Accepted, "", 0, 10)
	if err != nil || len(lines) == 0 {
		t.Fatalf("%v, %v", lines, err)
	}
	seen := lines[0].ID
	for _, sight := range []campaign.Sight{{Intent: seen, At: T0.Add(61 * time.Second)}, {Intent: seen, At: T0.Add(time.Hour), Machine: true}, {Intent: seen, Link: 1, URL: "https://a.example", At: T0.Add(2 * time.Hour)},
		{Intent: seen, Link: 1, URL: "https://a.example", At: T0.Add(3 * time.Hour)}} {
		if ok, err := k.Seen(ctx, sight); err != nil || !ok {
			t.Fatalf("%v %v", ok, err)
		}
	}
	if ok, err := k.Seen(ctx, campaign.Sight{Intent: 1, At: later}); err != nil || ok {
		t.Errorf("a line that there is not: %v %v", ok, err)
	}
	links, err := k.Links(ctx, run)
	if err != nil || len(links) != 1 || links[0].People != 1 || links[0].Clicks != 2 {
		t.Errorf("%+v, %v", links, err)
	}
	lines, err = k.Lines(ctx, run, campaign.Accepted, "", 0, 10)
	if err != nil || !lines[0].Opened.Equal(T0.Add(2*time.Hour)) || !lines[0].Machine.Equal(T0.Add(61*time.Second)) || lines[0].Clicked.IsZero() {
		t.Errorf("an open within a second is a program's: %+v, %v", lines[0], err)
	}
	if err := k.Bounce(ctx, items[0].ID, true, false, "5.1.1", later); err != nil {
		t.Error(err)
	}
	if _, stopped, err := mails.Stopped(ctx, items[0].Blind); err != nil || !stopped {
		t.Errorf("an address that came back goes on: %v", err)
	}
	if err := k.Bounce(ctx, 5, true, false, "", later); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	if err := k.Cancel(ctx, run, later); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Settle(ctx, run, T0, later); err != nil {
		t.Fatal(err)
	}
	if _, by := sum(); by[campaign.Handed] != 0 {
		t.Errorf("mails of a stopped campaign wait on: %v", by)
	}
}

package campaign_test

import (
	"math"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
)

// TestAssign: chance gives each arm its share, the same answer every time; the global holdout is the same people in every campaign, and who is in a
// smaller one is in a larger one.
func TestAssign(t *testing.T) {
	t.Parallel()
	const people = 40_000
	one := &campaign.Campaign{ID: 7, Plan: campaign.Plan{Purpose: "marketing", Holdout: 10, Variants: []campaign.Variant{{Key: "a", Weight: 3}, {Key: "b", Weight: 1}}}}
	two := *one
	two.ID = 8
	small, large := campaign.Rules{Cycle: "1", Holdout: 20}, campaign.Rules{Cycle: "1", Holdout: 50}
	got := map[string]int{}
	same := 0
	for i := range people {
		who := id.ID(1_000_000 + i*37)
		arm := campaign.Assign(one, &small, who)
		if arm != campaign.Assign(one, &small, who) {
			t.Fatal("another answer")
		}
		got[arm]++
		if other := campaign.Assign(&two, &small, who); (arm == campaign.ArmGlobal) != (other == campaign.ArmGlobal) {
			t.Fatal("the global holdout differs between campaigns")
		} else if arm == campaign.ArmHoldout && other == campaign.ArmHoldout {
			same++
		}
		if arm == campaign.ArmGlobal && campaign.Assign(one, &large, who) != campaign.ArmGlobal {
			t.Fatal("a larger global holdout lets somebody go")
		}
	}
	for arm, want := range map[string]float64{campaign.ArmGlobal: .02, campaign.ArmHoldout: .098, "a": .6615, "b": .2205} {
		if p := float64(got[arm]) / people; math.Abs(p-want) > 5*math.Sqrt(want/people) {
			t.Errorf("%s: %.4f, want %.4f", arm, p, want)
		}
	}
	if p := float64(same) / people; p > .013 {
		t.Errorf("holdouts of two campaigns are the same people: %.4f", p)
	}
	one.Plan.Purpose = ""
	for i := range 1000 {
		if arm := campaign.Assign(one, &large, id.ID(i+1)); arm != "a" && arm != "b" {
			t.Fatal("what is no marketing is held back")
		}
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	shanghai, berlin := time.FixedZone("", 8*3600), time.FixedZone("", 3600)
	r := campaign.Rules{Windows: []campaign.Window{{Channel: campaign.SMS, From: 8 * 60, To: 22 * 60}, {Channel: campaign.Email, From: 22 * 60, To: 6 * 60}}}
	for _, x := range []struct {
		channel, at string
		zone        *time.Location
		open        bool
		next        string
	}{
		{campaign.SMS, "2026-03-01T00:00:00Z", shanghai, true, ""}, // eight in Shanghai
		{campaign.SMS, "2026-02-28T23:59:00Z", shanghai, false, "2026-03-01T00:00:00Z"},
		{campaign.SMS, "2026-03-01T14:00:00Z", shanghai, false, "2026-03-02T00:00:00Z"}, // twenty-two
		{campaign.SMS, "2026-03-01T14:00:00Z", berlin, true, ""},
		{campaign.Email, "2026-03-01T22:30:00Z", berlin, true, ""}, // half past eleven, across midnight
		{campaign.Email, "2026-03-01T05:00:00Z", berlin, false, "2026-03-01T21:00:00Z"},
		{campaign.Task, "2026-03-01T05:00:00Z", berlin, true, ""},
	} {
		at, _ := time.Parse(time.RFC3339, x.at)
		open, next := r.Open(x.channel, at, x.zone)
		if open != x.open || !open && next.UTC().Format(time.RFC3339) != x.next {
			t.Errorf("%s at %s: %v %s", x.channel, x.at, open, next.UTC())
		}
	}
	day := clock.Day(20_000)
	got := map[string]map[clock.Day]int{"": {day: 1, day - 6: 2}, campaign.SMS: {day - 7: 5}}
	for _, x := range []struct {
		cap  campaign.Cap
		full bool
	}{{campaign.Cap{"", 1, 1}, true}, {campaign.Cap{"", 1, 2}, false}, {campaign.Cap{"", 7, 3}, true}, {campaign.Cap{"", 6, 3}, false}, {campaign.Cap{campaign.SMS, 7, 1}, false}, {campaign.Cap{campaign.SMS, 8, 5}, true}, {campaign.Cap{campaign.Email, 7, 0}, true}} {
		if campaign.Full([]campaign.Cap{x.cap}, got, day) != x.full {
			t.Errorf("%+v", x)
		}
	}
}

package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Window is the part of a day in which a channel may be used, in minutes from midnight; it may cross midnight. Equal ends are the whole day.
type Window struct {
	Channel string `json:"channel"`
	From    int    `json:"from"`
	To      int    `json:"to"`
}

// Rules hold for all campaigns of a workspace.
type Rules struct {
	Version int64 `json:"version"`
	// Holdout is how many of a thousand nobody markets to; Cycle is the word that chance starts from, another one draws anew.
	Holdout int    `json:"holdout"`
	Cycle   string `json:"cycle"`
	Caps    []Cap  `json:"caps"`
	// Windows are when marketing may go out.
	Windows []Window `json:"windows"`
	// FourEyes wants somebody else to start a campaign than whoever changed it last.
	FourEyes bool `json:"four_eyes"`
}

// DefaultRules are those of a workspace that decided nothing: short messages go out between 8 and 22 o'clock, as providers in China ask, one a day;
// of all together two a day.
func DefaultRules() Rules {
	return Rules{Cycle: "1", Caps: []Cap{{"", 1, 2}, {SMS, 1, 1}}, Windows: []Window{{SMS, 8 * 60, 22 * 60}, {Task, 0, 0}}}
}

const (
	maxCaps     = 12
	maxCapDays  = 31
	maxHoldout  = 500 // of a thousand
	minutesADay = 24 * 60
)

// Rules are those in force.
func (s *Service) Rules(ctx context.Context) (Rules, error) {
	if err := may(ctx, access.CampaignRead); err != nil {
		return Rules{}, err
	}
	return s.cfg.Rules(ctx)
}

// SetRules replaces the rules of the version that they name. Faults: campaign.invalid with every place, Stale campaign.stale.
func (s *Service) SetRules(ctx context.Context, r Rules) (Rules, error) {
	if err := may(ctx, access.CampaignSend); err != nil {
		return r, err
	}
	old, err := s.cfg.Rules(ctx)
	if err != nil {
		return r, err
	}
	if old.Version != r.Version {
		return r, fault.New(fault.Stale, "campaign.stale", nil)
	}
	var bad []*fault.Fault
	if r.Holdout < 0 || r.Holdout > maxHoldout {
		bad = append(bad, fault.InvalidField("campaign.bad_holdout", "holdout", fault.Params{"max": maxHoldout / 10}))
	}
	if n := len([]rune(r.Cycle)); n == 0 || n > 40 {
		bad = append(bad, fault.InvalidField("campaign.bad_cycle", "cycle", nil))
	}
	if len(r.Caps) > maxCaps {
		bad = append(bad, fault.InvalidField("campaign.bad_cap", "caps", nil))
	}
	for i, c := range r.Caps {
		if c.Channel != "" && !slices.Contains(Channels(), c.Channel) || c.Days < 1 || c.Days > maxCapDays || c.Most < 0 || c.Most > 1000 {
			bad = append(bad, fault.InvalidField("campaign.bad_cap", fmt.Sprintf("caps.%d", i), nil))
		}
	}
	for i, w := range r.Windows {
		if !slices.Contains(Channels(), w.Channel) || w.From < 0 || w.To < 0 || w.From > minutesADay || w.To > minutesADay {
			bad = append(bad, fault.InvalidField("campaign.bad_window", fmt.Sprintf("windows.%d", i), nil))
		}
	}
	if f := fault.Join("campaign.invalid", bad); f != nil {
		return r, f
	}
	r.Version++
	if err := s.cfg.SetRules(ctx, r); err != nil {
		return r, err
	}
	return r, s.cfg.Note(ctx, "campaign.rules", 0, map[string]any{"holdout": r.Holdout, "caps": len(r.Caps)})
}

// Chance is a number between 0 and 1 that a text always gives.
func Chance(text string) float64 {
	sum := sha256.Sum256([]byte(text))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// spared says whether chance puts a person into the global holdout.
func spared(r *Rules, customer id.ID) bool {
	return Chance("global|"+r.Cycle+"|"+id.Format("cus", customer))*1000 < float64(r.Holdout)
}

// Assign says where chance puts a person: into the global holdout, the holdout of the campaign or a variant. The same question has the same answer.
func Assign(c *Campaign, r *Rules, customer id.ID) string {
	who := id.Format("cus", customer)
	if c.Plan.Purpose != "" {
		if spared(r, customer) {
			return ArmGlobal
		}
		if Chance("holdout|"+id.Format(Prefix, c.ID)+"|"+who)*100 < float64(c.Plan.Holdout) {
			return ArmHoldout
		}
	}
	all := 0
	for _, v := range c.Plan.Variants {
		all += v.Weight
	}
	at := Chance("variant|"+id.Format(Prefix, c.ID)+"|"+who) * float64(all)
	for _, v := range c.Plan.Variants {
		if at -= float64(v.Weight); at < 0 {
			return v.Key
		}
	}
	return c.Plan.Variants[len(c.Plan.Variants)-1].Key
}

// Open says whether a channel may be used at an instant, and when it may next.
func (r *Rules) Open(channel string, now time.Time, zone *time.Location) (bool, time.Time) {
	for _, w := range r.Windows {
		if w.Channel != channel || w.From == w.To {
			continue
		}
		local := now.In(zone)
		at := local.Hour()*60 + local.Minute()
		open := at >= w.From && at < w.To
		if w.From > w.To {
			open = at >= w.From || at < w.To
		}
		if open {
			return true, now
		}
		next := time.Date(local.Year(), local.Month(), local.Day(), 0, w.From, 0, 0, zone)
		if !next.After(now) {
			next = time.Date(local.Year(), local.Month(), local.Day()+1, 0, w.From, 0, 0, zone)
		}
		return false, next
	}
	return true, now
}

// CapsFor are those that a message by a channel is counted against.
func CapsFor(caps []Cap, channel string) []Cap {
	var out []Cap
	for _, c := range caps {
		if c.Channel == "" || c.Channel == channel {
			out = append(out, c)
		}
	}
	return out
}

// Full reports whether a cap is reached by what somebody got on days that end with today.
func Full(caps []Cap, got map[string]map[clock.Day]int, today clock.Day) bool {
	for _, c := range caps {
		n := 0
		for day, k := range got[c.Channel] {
			if day <= today && day > today-clock.Day(c.Days) {
				n += k
			}
		}
		if n >= c.Most {
			return true
		}
	}
	return false
}

package trait

import (
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
)

// Settings are what a workspace decides about its traits. They are one document, "analysis" among its settings.
type Settings struct {
	// Statuses of an order that make it a purchase, if its value is positive.
	Statuses []string `json:"purchase_statuses"`
	// Anchor is the day on which windows end: "auto", "today", "last_order", or a date "2011-12-10".
	Anchor string `json:"anchor"`
	// Monetary is what the M of RFM counts: "gross" (what was paid) or "net" (less refunds).
	Monetary string `json:"rfm_monetary"`
	// Mode is "quintile" (cuts follow the customers) or "saved" (Cuts stay, so that a customer's score does not move because
	// others moved).
	Mode string    `json:"rfm_mode"`
	Cuts rfm.Model `json:"rfm_cuts"`
}

// The words of Settings.
const (
	AnchorAuto      = "auto"
	AnchorToday     = "today"
	AnchorLastOrder = "last_order"
	MonetaryGross   = "gross"
	MonetaryNet     = "net"
	ModeQuintile    = "quintile"
	ModeSaved       = "saved"
)

// Defaults are the settings of a new workspace.
func Defaults() Settings {
	return Settings{Statuses: []string{"confirmed", "completed"}, Anchor: AnchorAuto, Monetary: MonetaryGross, Mode: ModeQuintile}
}

// Check refuses settings that cannot be followed.
func (s Settings) Check() error {
	var items []*fault.Fault
	if len(s.Statuses) == 0 {
		items = append(items, fault.InvalidField("trait.no_purchase_state", "purchase_statuses", nil))
	}
	if s.Monetary != MonetaryGross && s.Monetary != MonetaryNet {
		items = append(items, fault.InvalidField("trait.bad_monetary", "rfm_monetary", fault.Params{"value": s.Monetary}))
	}
	switch s.Mode {
	case ModeQuintile:
	case ModeSaved:
		if !s.Cuts.Valid() {
			items = append(items, fault.InvalidField("trait.bad_cuts", "rfm_cuts", nil))
		}
	default:
		items = append(items, fault.InvalidField("trait.bad_mode", "rfm_mode", fault.Params{"value": s.Mode}))
	}
	if !slices.Contains([]string{AnchorAuto, AnchorToday, AnchorLastOrder}, s.Anchor) {
		if _, err := clock.ParseDay(s.Anchor); err != nil {
			items = append(items, fault.InvalidField("trait.bad_anchor", "anchor", fault.Params{"value": s.Anchor}))
		}
	}
	if f := fault.Join("trait.bad_settings", items); f != nil {
		return f
	}
	return nil
}

// historicAfter is how old the newest purchase must be, in days, for "auto" to take the data as history.
const historicAfter = 60

// AnchorDay is the day on which windows end: nothing after it counts, and recency is measured to it. last is the newest
// purchase day up to today, ok whether there is one.
func (s Settings) AnchorDay(today, last clock.Day, ok bool) clock.Day {
	switch s.Anchor {
	case AnchorToday, "":
		return today
	case AnchorLastOrder:
		if ok {
			return min(last+1, today)
		}
		return today
	case AnchorAuto:
		if ok && today-last > historicAfter {
			return last + 1
		}
		return today
	}
	if d, err := clock.ParseDay(s.Anchor); err == nil {
		return d
	}
	return today
}

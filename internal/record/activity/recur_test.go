package activity_test

import (
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/record/activity"
)

// TestAfter: the next occurrence of each rule, over ends of months, weekends and changes to summer time.
func TestAfter(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("Asia/Shanghai", 8*3600)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(zone *time.Location, y int, m time.Month, d, h int) time.Time {
		return time.Date(y, m, d, h, 0, 0, 0, zone)
	}
	for _, tc := range []struct {
		rule      string
		base      time.Time
		anchor    int
		now, want time.Time
	}{
		{"daily", at(shanghai, 2026, 11, 22, 9), 22, at(shanghai, 2026, 11, 22, 10), at(shanghai, 2026, 11, 23, 9)},
		{"daily", at(shanghai, 2026, 11, 1, 9), 1, at(shanghai, 2026, 11, 22, 10), at(shanghai, 2026, 11, 22, 9)},
		{"daily", at(berlin, 2026, 3, 28, 9), 28, at(berlin, 2026, 3, 28, 10), at(berlin, 2026, 3, 29, 9)},
		{"weekdays", at(shanghai, 2026, 11, 20, 9), 20, at(shanghai, 2026, 11, 20, 10), at(shanghai, 2026, 11, 23, 9)},
		{"weekly", at(shanghai, 2026, 11, 18, 9), 18, at(shanghai, 2026, 12, 1, 10), at(shanghai, 2026, 12, 2, 9)},
		{"monthly", at(shanghai, 2026, 1, 31, 9), 31, at(shanghai, 2026, 1, 31, 10), at(shanghai, 2026, 2, 28, 9)},
		{"monthly", at(shanghai, 2026, 2, 28, 9), 31, at(shanghai, 2026, 2, 28, 10), at(shanghai, 2026, 3, 31, 9)},
		{"monthly", at(shanghai, 2026, 12, 15, 9), 15, at(shanghai, 2026, 12, 15, 10), at(shanghai, 2027, 1, 15, 9)},
		{"yearly", at(shanghai, 2024, 2, 29, 9), 29, at(shanghai, 2024, 3, 1, 10), at(shanghai, 2025, 2, 28, 9)},
	} {
		if got := activity.After(tc.rule, tc.base, tc.anchor, tc.now); !got.Equal(tc.want) {
			t.Errorf("%s after %v at %v is %v, want %v", tc.rule, tc.base, tc.now, got, tc.want)
		}
	}
}

func TestFirstLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "\n\n  客户想看样品 \n第二行": "客户想看样品", "one": "one"} {
		if got := activity.FirstLine(text); got != want {
			t.Errorf("first line of %q is %q", text, got)
		}
	}
}

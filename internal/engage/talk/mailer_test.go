package talk_test

import (
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/engage/talk"
)

// TestQuietHours: they may cross midnight, and end at the right day.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("UTC+8", 8*3600)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, zone) }
	for _, c := range []struct {
		from, to  string
		now, want time.Time
	}{
		{"22:00", "08:00", at(2, 21, 59), at(2, 21, 59)},
		{"22:00", "08:00", at(2, 22, 0), at(3, 8, 0)},
		{"22:00", "08:00", at(3, 7, 59), at(3, 8, 0)},
		{"22:00", "08:00", at(3, 8, 0), at(3, 8, 0)},
		{"12:00", "14:00", at(2, 13, 0), at(2, 14, 0)},
		{"12:00", "14:00", at(2, 14, 0), at(2, 14, 0)},
	} {
		p := talk.MailPreferences{Quiet: true, From: c.from, To: c.to}
		if got := p.NotBefore(c.now.UTC(), zone); !got.Equal(c.want) {
			t.Errorf("%s–%s at %s: %s, want %s", c.from, c.to, c.now, got.In(zone), c.want)
		}
	}
	awake := talk.MailPreferences{From: "22:00", To: "08:00"}
	if got := awake.NotBefore(at(2, 23, 0), zone); !got.Equal(at(2, 23, 0)) {
		t.Errorf("kept back without quiet hours: %s", got)
	}
}

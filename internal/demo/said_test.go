package demo_test

import (
	"testing"

	"github.com/guanxi-crm/guanxi/internal/demo"
)

// TestSaid: about as many agree as the process says, on channels that reach them, and nobody takes back what was not given.
func TestSaid(t *testing.T) {
	t.Parallel()
	g := demo.New(demo.Options{Customers: 4000, Seed: 3})
	end := (g.LastDay() + 1).Start(demo.Zone)
	reached, given, left := map[string]int{}, map[string]int{}, map[string]int{}
	g.Customers(func(c demo.Customer) bool {
		for channel, address := range map[string]string{"email": c.Email, "sms": c.Phone, "wechat": c.UnionID} {
			if address != "" {
				reached[channel]++
			}
		}
		standing := map[string]bool{}
		for _, s := range g.Said(&c) {
			if s.At.Before(c.CreatedAt) || !s.At.Before(end) || s.Given == standing[s.Channel] || s.Channel == "email" && c.Email == "" || s.Channel == "wechat" && c.UnionID == "" {
				t.Errorf("%d: %+v", c.Index, s)
			}
			if standing[s.Channel] = s.Given; s.Given {
				given[s.Channel]++
			} else {
				left[s.Channel]++
			}
		}
		return true
	})
	for channel, share := range map[string]float64{"email": 0.62, "sms": 0.48, "wechat": 0.74} {
		got, gone := float64(given[channel])/float64(reached[channel]), float64(left[channel])/float64(given[channel])
		if got < share-0.06 || got > share+0.03 || gone < 0.02 || gone > 0.4 {
			t.Errorf("%s: %.3f agreed, %.3f of these left", channel, got, gone)
		}
	}
}

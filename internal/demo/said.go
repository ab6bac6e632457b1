package demo

import "time"

// Said is what a customer said about being written to.
type Said struct {
	Channel string // email, sms, wechat or phone
	Given   bool   // withdrawn otherwise
	At      time.Time
	InStore bool // on paper at the till, on a form of the shop otherwise
}

// agrees is how many of those whom a channel reaches agree to news on it when they register. People leave a chat less often than they leave a list.
var agrees = []struct {
	channel     string
	share, ends float64 // ends: how many of these take it back in a year
}{{"email", 0.62, 0.16}, {"sms", 0.48, 0.22}, {"wechat", 0.74, 0.08}, {"phone", 0.12, 0.30}}

// Said are the consents of a customer in the order of time. Whoever was not asked or did not answer said nothing.
func (g *Generator) Said(c *Customer) (out []Said) {
	r := newRandom(g.options.Seed, streamSaid, uint64(c.Index)) //nolint:gosec // not negative
	end := (g.LastDay() + 1).Start(Zone)
	// Some are asked everywhere and some nowhere: who agrees to one list agrees to others more often.
	mood := r.beta(4, 4) * 2
	reach := map[string]bool{"email": c.Email != "", "sms": c.Phone != "", "wechat": c.UnionID != "", "phone": c.Phone != ""}
	for _, a := range agrees {
		yes, wait := r.chance(min(1, a.share*mood)), r.ExpFloat64()*365*24/a.ends
		if !yes || !reach[a.channel] || !c.CreatedAt.Before(end) {
			continue
		}
		out = append(out, Said{Channel: a.channel, Given: true, At: c.CreatedAt, InStore: c.Source == "store"})
		if left := c.CreatedAt.Add(time.Duration(min(wait, 1e6) * float64(time.Hour))); left.Before(end) {
			out = append(out, Said{Channel: a.channel, At: left.Truncate(time.Second)})
		}
	}
	return out
}

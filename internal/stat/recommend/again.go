package recommend

import "math"

// Taken is an item that a user took, with the days on which he did (in any order, each once or more).
type Taken struct {
	Item int32
	Days []int64
}

// Again ranks what a user took by how likely he takes it again: each day counts 1, or, with a half-life in days, half as much for each
// half-life that lies between it and today. Without a half-life this is "bought most often before". Ties go to the item taken last.
func Again(taken []Taken, today int64, halfLife float64) []Scored {
	out := make([]Scored, 0, len(taken))
	for _, t := range taken {
		score, last := 0.0, int64(math.MinInt64)
		for _, d := range t.Days {
			last = max(last, d)
			if halfLife > 0 {
				score += math.Exp2(-float64(today-d) / halfLife)
			} else {
				score++
			}
		}
		if len(t.Days) == 0 {
			continue
		}
		// What was taken last breaks ties of counts, and never more than that.
		out = append(out, Scored{t.Item, float32(score + 1e-3/(1+math.Max(0, float64(today-last))))})
	}
	return Top(out, len(out))
}

package recommend

import "math"

// Quality is how well ranked lists foretold what users took later, each user counting alike.
type Quality struct {
	Users    int     // who were judged: those who took something that could have been foretold
	Hit      float64 // share of users with at least one right item
	NDCG     float64 // against the best possible list, which has min(k, what was taken) right items
	Recall   float64 // right items over what was taken, at most k of it
	Coverage float64 // share of all items that stand in some list
}

// Judge measures lists of k. truth(u) is what user u took afterwards, list(u) his ranked list, the best first. Users without a truth
// are passed over. Lists rank all items; nothing is sampled.
func Judge(users, items, k int, truth, list func(user int) []int32) Quality {
	var q Quality
	shown := make([]bool, max(items, 0))
	for u := range users {
		right := map[int32]bool{}
		for _, i := range truth(u) {
			right[i] = true
		}
		if len(right) == 0 || k <= 0 {
			continue
		}
		q.Users++
		ranked := list(u)
		ranked = ranked[:min(k, len(ranked))]
		hits, gain := 0, 0.0
		for at, i := range ranked {
			if i >= 0 && int(i) < items {
				shown[i] = true
			}
			if right[i] {
				hits++
				gain += 1 / math.Log2(float64(at+2))
			}
		}
		most := min(k, len(right))
		best := 0.0
		for at := range most {
			best += 1 / math.Log2(float64(at+2))
		}
		if hits > 0 {
			q.Hit++
		}
		q.NDCG += gain / best
		q.Recall += float64(hits) / float64(most)
	}
	if q.Users > 0 {
		n := float64(q.Users)
		q.Hit, q.NDCG, q.Recall = q.Hit/n, q.NDCG/n, q.Recall/n
	}
	seen := 0
	for _, s := range shown {
		if s {
			seen++
		}
	}
	q.Coverage = ratio(seen, items)
	return q
}

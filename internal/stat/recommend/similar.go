package recommend

import "math"

// Likeness is how items are compared.
type Likeness struct {
	K      int     // how many neighbours of an item are kept
	Shrink float64 // how many common users it takes until half of a likeness is believed
	Widest int     // rows with more items (wholesalers, test accounts) say nothing about likeness; 0 for no bound
}

// Neighbours are the likest items of each item, the likest first: cos(i, j) · c/(c + shrink) with the cosine on the binary matrix,
// c being the users who took both. An item that shares no user with another has none.
func Neighbours(m *Matrix, l Likeness) [][]Scored {
	users := m.Transpose()
	counts := make([]int32, m.items)
	wide := func(u int32) bool { return l.Widest > 0 && int(m.start[u+1]-m.start[u]) > l.Widest }
	for i := range m.items {
		row, _ := users.Row(i)
		for _, u := range row {
			if !wide(u) {
				counts[i]++
			}
		}
	}
	out := make([][]Scored, m.items)
	spread(m.items, func(from, to int) {
		both := make([]int32, m.items)
		var seen []int32
		for i := from; i < to; i++ {
			row, _ := users.Row(i)
			for _, u := range row {
				if wide(u) {
					continue
				}
				items, _ := m.Row(int(u))
				for _, j := range items {
					if both[j] == 0 {
						seen = append(seen, j)
					}
					both[j]++
				}
			}
			list := make([]Scored, 0, len(seen))
			for _, j := range seen {
				c := float64(both[j])
				both[j] = 0
				if int(j) == i {
					continue
				}
				list = append(list, Scored{j, float32(c / math.Sqrt(float64(counts[i])*float64(counts[j])) * c / (c + l.Shrink))})
			}
			out[i] = append([]Scored(nil), Top(list, l.K)...)
			seen = seen[:0]
		}
	})
	return out
}

// Gather sums the likeness of items to what a user took: the score of an item is the sum over the items of the user of likeness
// times 1 + ln(weight). why is, for each scored item, the one of the user's items that is likest. What the user took is scored as well.
func Gather(neighbours [][]Scored, items []int32, weights []float32) (scores []Scored, why map[int32]int32) {
	sum, most := map[int32]float32{}, map[int32]float32{}
	why = map[int32]int32{}
	for k, i := range items {
		if i < 0 || int(i) >= len(neighbours) {
			continue
		}
		strength := float32(1 + math.Log(math.Max(float64(weights[k]), 1)))
		for _, n := range neighbours[i] {
			sum[n.Item] += n.Score * strength
			if n.Score > most[n.Item] || n.Score == most[n.Item] && i < why[n.Item] {
				most[n.Item], why[n.Item] = n.Score, i
			}
		}
	}
	scores = make([]Scored, 0, len(sum))
	for i, s := range sum {
		scores = append(scores, Scored{i, s})
	}
	return Top(scores, len(scores)), why
}

// Mixed multiplies scores by how many took each item of late, to a power: what suits somebody and is in demand comes first. The list is
// ranked anew, in place.
func Mixed(list []Scored, recent []int32, power float64) []Scored {
	for n := range list {
		list[n].Score *= float32(math.Pow(1+float64(recent[list[n].Item]), power))
	}
	return Top(list, len(list))
}

// Package recommend holds the mathematics of recommendation on purchases: likeness of items (cosine with shrinkage), implicit
// factors (Hu, Koren & Volinsky 2008, solved by conjugate gradients), what is bought again, rules of baskets with their
// significance, and the measures of a ranking.
//
// Users, baskets and items are numbers from 0. Everything is deterministic: seeds are given, sums run in a fixed order whatever
// the number of processors, and ties go to the item with the smaller number. No result is NaN or infinite.
//
// The package is pure: it knows no storage and no clock.
package recommend

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
)

// Entry says how strongly a user took an item, such as on how many days he bought it.
type Entry struct {
	User, Item int32
	Weight     float32
}

// Matrix is who took what, by rows. Items of a row ascend, each once.
type Matrix struct {
	users, items int
	start        []int32
	item         []int32
	weight       []float32
}

// NewMatrix makes a matrix of entries in any order; entries of the same user and item are added up. Entries out of range or without a
// positive weight are left out.
func NewMatrix(users, items int, entries []Entry) *Matrix {
	m := &Matrix{users: users, items: items, start: make([]int32, users+1)}
	sorted := slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool {
		return e.User < 0 || int(e.User) >= users || e.Item < 0 || int(e.Item) >= items || !(e.Weight > 0)
	})
	slices.SortStableFunc(sorted, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Item, b.Item)) })
	for i, e := range sorted {
		if i > 0 && sorted[i-1].User == e.User && sorted[i-1].Item == e.Item {
			m.weight[len(m.weight)-1] += e.Weight
			continue
		}
		m.item, m.weight = append(m.item, e.Item), append(m.weight, e.Weight)
		m.start[e.User+1]++
	}
	for u := range users {
		m.start[u+1] += m.start[u]
	}
	return m
}

// Users is the number of rows.
func (m *Matrix) Users() int { return m.users }

// Items is the number of columns.
func (m *Matrix) Items() int { return m.items }

// Len is the number of pairs.
func (m *Matrix) Len() int { return len(m.item) }

// Row is what a user took; the slices must not be changed.
func (m *Matrix) Row(user int) (items []int32, weights []float32) {
	a, b := m.start[user], m.start[user+1]
	return m.item[a:b], m.weight[a:b]
}

// Transpose has the items as rows.
func (m *Matrix) Transpose() *Matrix {
	t := &Matrix{users: m.items, items: m.users, start: make([]int32, m.items+1), item: make([]int32, len(m.item)), weight: make([]float32, len(m.item))}
	for _, i := range m.item {
		t.start[i+1]++
	}
	for i := range m.items {
		t.start[i+1] += t.start[i]
	}
	next := slices.Clone(t.start)
	for u := range m.users {
		items, weights := m.Row(u)
		for k, i := range items {
			t.item[next[i]], t.weight[next[i]] = int32(u), weights[k]
			next[i]++
		}
	}
	return t
}

// Counts is how many users took each item.
func (m *Matrix) Counts() []int32 {
	out := make([]int32, m.items)
	for _, i := range m.item {
		out[i]++
	}
	return out
}

// Scored is an item with a figure.
type Scored struct {
	Item  int32
	Score float32
}

// better orders by score, ties by item.
func better(a, b Scored) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Item, b.Item))
}

// Top keeps the k best of a list in order; the list is sorted in place.
func Top(list []Scored, k int) []Scored {
	if k < 0 {
		k = 0
	}
	slices.SortFunc(list, better)
	return list[:min(k, len(list))]
}

// spread runs work for ranges of 0 to n on all processors. Each index is worked on alone, so the result does not depend on how many
// there are.
func spread(n int, work func(from, to int)) {
	const step = 64
	parts := min(runtime.GOMAXPROCS(0), (n+step-1)/step)
	if parts <= 1 {
		work(0, n)
		return
	}
	var mu sync.Mutex
	next := 0
	take := func() (int, int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next >= n {
			return 0, 0, false
		}
		from := next
		next = min(n, next+step)
		return from, next, true
	}
	var all sync.WaitGroup
	for range parts {
		all.Go(func() {
			for {
				from, to, ok := take()
				if !ok {
					return
				}
				work(from, to)
			}
		})
	}
	all.Wait()
}

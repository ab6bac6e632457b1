package recommend_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// retail are the lines of Online Retail with a customer, quantity and price positive, no cancellation.
type retail struct {
	customers, products, invoices map[string]int32
	lines                         []line
}

type line struct {
	customer, product, invoice int32
	day                        int64
}

func readRetail(t testing.TB) *retail {
	t.Helper()
	const folder = "../../../../shared/data"
	f, err := os.Open(folder + "/online-retail/online_retail.csv.gz")
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(folder); err == nil {
			t.Fatal("the file is missing though the folder is there")
		}
		t.Skip("../shared/data is absent: nothing is tested on Online Retail")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	in := csv.NewReader(z)
	if _, err := in.Read(); err != nil {
		t.Fatal(err)
	}
	number := func(m map[string]int32, key string) int32 {
		if v, ok := m[key]; ok {
			return v
		}
		m[key] = int32(len(m))
		return m[key]
	}
	r := &retail{map[string]int32{}, map[string]int32{}, map[string]int32{}, nil}
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatal(err)
		}
		quantity, _ := strconv.ParseFloat(rec[3], 64)
		price, _ := strconv.ParseFloat(rec[5], 64)
		at, err := time.Parse("2006-01-02 15:04:05", rec[4])
		if rec[6] == "" || quantity <= 0 || price <= 0 || strings.HasPrefix(rec[0], "C") || err != nil {
			continue
		}
		r.lines = append(r.lines, line{number(r.customers, rec[6]), number(r.products, rec[1]), number(r.invoices, rec[0]), at.Unix() / 86400})
	}
}

func (r *retail) matrix(until int64) *recommend.Matrix {
	type pair struct{ c, p int32 }
	days := map[pair]map[int64]bool{}
	for _, l := range r.lines {
		if l.day > until {
			continue
		}
		k := pair{l.customer, l.product}
		if days[k] == nil {
			days[k] = map[int64]bool{}
		}
		days[k][l.day] = true
	}
	var entries []recommend.Entry
	for k, d := range days {
		entries = append(entries, recommend.Entry{User: k.c, Item: k.p, Weight: float32(len(d))})
	}
	slices.SortFunc(entries, func(a, b recommend.Entry) int { return int(a.User-b.User)*10000 + int(a.Item-b.Item) })
	return recommend.NewMatrix(len(r.customers), len(r.products), entries)
}

// Likeness and rules of the real file are what plain loops over sets find.
func TestOnlineRetailAgainstPlainLoops(t *testing.T) {
	t.Parallel()
	r := readRetail(t)
	if len(r.lines) != 397_884 || len(r.customers) != 4_338 || len(r.invoices) != 18_532 {
		t.Fatalf("%d lines, %d customers, %d invoices", len(r.lines), len(r.customers), len(r.invoices))
	}
	buyers, baskets := make([]map[int32]bool, len(r.products)), make([]map[int32]bool, len(r.products))
	for i := range buyers {
		buyers[i], baskets[i] = map[int32]bool{}, map[int32]bool{}
	}
	var entries []recommend.Entry
	for _, l := range r.lines {
		buyers[l.product][l.customer] = true
		baskets[l.product][l.invoice] = true
		entries = append(entries, recommend.Entry{User: l.invoice, Item: l.product, Weight: 1})
	}
	common := func(a, b map[int32]bool) (n int) {
		for k := range a {
			if b[k] {
				n++
			}
		}
		return n
	}
	m := r.matrix(math.MaxInt64)
	neighbours := recommend.Neighbours(m, recommend.Likeness{K: 10, Shrink: 5})
	for _, i := range []int32{r.products["85123A"], r.products["22423"], r.products["84077"], 7, 3000} {
		var want []recommend.Scored
		for j := range int32(len(r.products)) {
			if c := float64(common(buyers[i], buyers[j])); j != i && c > 0 {
				want = append(want, recommend.Scored{Item: j, Score: float32(c / math.Sqrt(float64(len(buyers[i])*len(buyers[j]))) * c / (c + 5))})
			}
		}
		if want = recommend.Top(want, 10); !slices.Equal(neighbours[i], want) {
			t.Errorf("neighbours of %d: %v, plain loops say %v", i, neighbours[i], want)
		}
	}
	rules := recommend.Rules(recommend.NewMatrix(len(r.invoices), len(r.products), entries), recommend.Basketry{Least: 100})
	if len(rules) < 100 {
		t.Fatalf("%d rules", len(rules))
	}
	for _, rule := range rules[:50] {
		if rule.Both != common(baskets[rule.A], baskets[rule.B]) || rule.WithA != len(baskets[rule.A]) || rule.WithB != len(baskets[rule.B]) || rule.Baskets != 18_532 {
			t.Errorf("counts differ: %+v", rule)
		}
		if rule.Q > 1e-6 || rule.LiftLow() <= 1 {
			t.Errorf("a rule of a hundred baskets is not sure: %+v", rule)
		}
	}
}

// Learned up to November, judged on what was bought afterwards, all products ranked: what was bought most often before is the strongest
// list of next purchases, and of new products personal lists beat popularity.
func TestOnlineRetailForetold(t *testing.T) {
	t.Parallel()
	r := readRetail(t)
	cut := time.Date(2011, 10, 31, 0, 0, 0, 0, time.UTC).Unix() / 86400
	m := r.matrix(cut)
	users, items := m.Users(), m.Items()
	next, fresh := make([][]int32, users), make([][]int32, users)
	taken := make([]map[int32][]int64, users)
	for i := range taken {
		taken[i] = map[int32][]int64{}
	}
	for _, l := range r.lines {
		if d := taken[l.customer][l.product]; l.day <= cut && !slices.Contains(d, l.day) {
			taken[l.customer][l.product] = append(d, l.day)
		}
	}
	for _, l := range r.lines {
		if l.day <= cut || len(taken[l.customer]) == 0 {
			continue
		}
		next[l.customer] = append(next[l.customer], l.product)
		if taken[l.customer][l.product] == nil {
			fresh[l.customer] = append(fresh[l.customer], l.product)
		}
	}
	var popular []recommend.Scored
	for i, n := range m.Counts() {
		popular = append(popular, recommend.Scored{Item: int32(i), Score: float32(n)})
	}
	popular = recommend.Top(popular, items)
	list := func(scored []recommend.Scored, skip map[int32][]int64) (out []int32) {
		for _, s := range scored {
			if skip[s.Item] == nil {
				out = append(out, s.Item)
			}
		}
		return out
	}
	neighbours := recommend.Neighbours(m, recommend.Likeness{K: 50, Shrink: 10})
	factors := recommend.Fit(m, recommend.ALS{Factors: 32, Rounds: 8, Alpha: 10, Lambda: 5, Seed: 1})
	judge := func(name string, truth [][]int32, by func(u int) []int32) recommend.Quality {
		q := recommend.Judge(users, items, 10, func(u int) []int32 { return truth[u] }, by)
		t.Logf("%-26s HR@10 %.4f NDCG@10 %.4f recall %.4f coverage %.4f of %d", name, q.Hit, q.NDCG, q.Recall, q.Coverage, q.Users)
		return q
	}
	base := judge("next: popular", next, func(int) []int32 { return list(popular, nil) })
	again := judge("next: most often before", next, func(u int) []int32 {
		var own []recommend.Taken
		for i, d := range taken[u] {
			own = append(own, recommend.Taken{Item: i, Days: d})
		}
		return list(recommend.Again(own, cut, 0), nil)
	})
	if again.NDCG < 1.5*base.NDCG {
		t.Error("what was bought most often before foretells no better than popularity")
	}
	base = judge("new: popular", fresh, func(u int) []int32 { return list(popular, taken[u]) })
	alike := judge("new: likeness", fresh, func(u int) []int32 {
		scored, _ := recommend.Gather(neighbours, row(m, u), ones(m, u))
		return list(scored, taken[u])
	})
	latent := judge("new: factors", fresh, func(u int) []int32 {
		rowItems, weights := m.Row(u)
		x := factors.User(rowItems, weights)
		scored := make([]recommend.Scored, items)
		for i := range scored {
			scored[i] = recommend.Scored{Item: int32(i), Score: factors.Score(x, int32(i))}
		}
		return list(recommend.Top(scored, items), taken[u])
	})
	if alike.NDCG <= base.NDCG || latent.NDCG <= base.NDCG*.9 || alike.Coverage <= base.Coverage {
		t.Error("personal lists do not beat popularity")
	}
}

func row(m *recommend.Matrix, u int) []int32 {
	items, _ := m.Row(u)
	return items
}

func ones(m *recommend.Matrix, u int) []float32 {
	out := make([]float32, len(row(m, u)))
	for i := range out {
		out[i] = 1
	}
	return out
}

// BenchmarkFactors is implicit ALS on 100,000 interactions of 943 users and 1,682 items, the shape of MovieLens-100K.
func BenchmarkFactors(b *testing.B) {
	var entries []recommend.Entry
	state := uint32(1)
	next := func(n uint32) int32 {
		state = state*1664525 + 1013904223
		return int32(uint64(state>>8) * uint64(n) >> 24)
	}
	seen := map[[2]int32]bool{}
	for len(entries) < 100_000 {
		u, i := next(943), next(1682)*next(1682)/1682
		if !seen[[2]int32{u, i}] {
			seen[[2]int32{u, i}] = true
			entries = append(entries, recommend.Entry{User: u, Item: i, Weight: 1})
		}
	}
	m := recommend.NewMatrix(943, 1682, entries)
	for b.Loop() {
		recommend.Fit(m, recommend.ALS{Factors: 32, Rounds: 10, Alpha: 10, Lambda: 5, Seed: 1})
	}
}

package cluster_test

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/stat/cluster"
)

// retail are recency, frequency and monetary value of the customers of Online Retail at 2011-12-10.
func retail(t *testing.T) cluster.Points {
	t.Helper()
	dir, _ := os.Getwd()
	var f *os.File
	for ; dir != "/" && f == nil; dir = filepath.Dir(dir) {
		f, _ = os.Open(filepath.Join(dir, "shared", "data", "online-retail", "online_retail.csv.gz"))
	}
	if f == nil {
		t.Skip("the real data sets are not here: shared/data/online-retail")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.TrimPrefix(h, "\ufeff")] = i
	}
	type one struct {
		last     time.Time
		invoices map[string]bool
		money    float64
	}
	all := map[string]*one{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		get := func(names ...string) string {
			for _, n := range names {
				if i, ok := at[n]; ok {
					return row[i]
				}
			}
			t.Fatalf("no column %v in %v", names, head)
			return ""
		}
		customer, invoice := get("CustomerID", "Customer ID"), get("InvoiceNo", "Invoice")
		quantity, _ := strconv.ParseFloat(get("Quantity"), 64)
		price, _ := strconv.ParseFloat(get("UnitPrice", "Price"), 64)
		if customer == "" || strings.HasPrefix(invoice, "C") || quantity <= 0 || price <= 0 {
			continue
		}
		when, err := time.Parse("2006-01-02 15:04:05", get("InvoiceDate"))
		if err != nil {
			if when, err = time.Parse("2006-01-02 15:04", get("InvoiceDate")); err != nil {
				t.Fatal(err)
			}
		}
		c := all[customer]
		if c == nil {
			c = &one{invoices: map[string]bool{}}
			all[customer] = c
		}
		if when.After(c.last) {
			c.last = when
		}
		c.invoices[invoice] = true
		c.money += quantity * price
	}
	end := time.Date(2011, 12, 10, 0, 0, 0, 0, time.UTC)
	keys := make([]string, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	p := cluster.Points{D: 3}
	for _, k := range keys {
		c := all[k]
		days := math.Round(end.Sub(c.last.Truncate(24*time.Hour)).Hours() / 24)
		p.X = append(p.X, days, float64(len(c.invoices)), c.money)
	}
	return p
}

func TestOnlineRetail(t *testing.T) {
	t.Parallel()
	p := retail(t)
	if p.Len() != 4338 {
		t.Fatalf("%d customers", p.Len())
	}
	cluster.Standardise(p, []bool{true, true, true})
	got := cluster.Group(p, cluster.Options{K: 4, Starts: 30, Seed: 1})
	if math.Abs(got.Inertia-3924.379) > 0.01 {
		t.Errorf("inertia %.4f", got.Inertia)
	}
	if s := cluster.Silhouette(p, got.Labels, 4, 0, 1); math.Abs(s-0.335) > 0.0015 {
		t.Errorf("silhouette %.4f", s)
	}
	for seed := uint64(2); seed < 5; seed++ { // another seed finds the same groups with the same numbers
		if again := cluster.Group(p, cluster.Options{K: 4, Starts: 30, Seed: seed}); cluster.AdjustedRand(again.Labels, got.Labels) < 0.99 || !close(again.Sizes, got.Sizes) {
			t.Errorf("seed %d: sizes %v against %v", seed, again.Sizes, got.Sizes)
		}
	}
	k, trials := cluster.Suggest(p, cluster.SearchOptions{Seed: 1})
	t.Logf("suggested %d: %+v", k, trials)
	if k < 2 || k > 8 {
		t.Errorf("suggested %d", k)
	}
}

func close(a, b []int) bool {
	for i := range a {
		if d := a[i] - b[i]; d > 15 || d < -15 {
			return false
		}
	}
	return len(a) == len(b)
}

// blobs are groups that are plainly there.
func blobs(k, each int, seed uint64) (cluster.Points, []int) {
	r := rand.New(rand.NewPCG(seed, 3))
	p, truth := cluster.Points{D: 2}, []int{}
	for i := range k * each {
		c := i % k
		p.X = append(p.X, 10*float64(c)+r.NormFloat64(), 10*math.Sin(float64(c))+r.NormFloat64())
		truth = append(truth, c)
	}
	return p, truth
}

func TestTruthIsFound(t *testing.T) {
	t.Parallel()
	for k := 2; k <= 6; k++ {
		p, truth := blobs(k, 120, uint64(k))
		got, _ := cluster.Suggest(p, cluster.SearchOptions{Seed: 5})
		if got != k {
			t.Errorf("%d groups: %d suggested", k, got)
		}
		if r := cluster.Group(p, cluster.Options{K: k, Seed: 1}); cluster.AdjustedRand(r.Labels, truth) < 0.99 {
			t.Errorf("%d groups: agreement %.3f", k, cluster.AdjustedRand(r.Labels, truth))
		}
	}
}

func TestExtremes(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]cluster.Points{
		"none":     {D: 2},
		"one":      {D: 2, X: []float64{1, 2}},
		"constant": {D: 2, X: slices.Repeat([]float64{3, 4}, 50)},
		"two":      {D: 1, X: append(slices.Repeat([]float64{1}, 20), slices.Repeat([]float64{2}, 20)...)},
	} {
		scales := cluster.Standardise(p, make([]bool, p.D))
		r := cluster.Group(p, cluster.Options{K: 5, Seed: 1})
		if len(r.Labels) != p.Len() || len(r.Centres) > 2 || math.IsNaN(r.Inertia) {
			t.Errorf("%s: %+v", name, r)
		}
		for _, s := range scales {
			if math.IsNaN(s.Apply(7)) || math.IsNaN(s.Back(1)) {
				t.Errorf("%s: scale %+v", name, s)
			}
		}
		k, trials := cluster.Suggest(p, cluster.SearchOptions{Seed: 1})
		for _, tr := range trials {
			if math.IsNaN(tr.Silhouette) || math.IsNaN(tr.Stability) {
				t.Errorf("%s: %+v", name, tr)
			}
		}
		if name == "two" && k != 2 || name != "two" && k != 0 {
			t.Errorf("%s: %d suggested", name, k)
		}
	}
}

func TestAdjustedRand(t *testing.T) {
	t.Parallel()
	a := []int{0, 0, 0, 1, 1, 1, 2, 2, 2}
	if got := cluster.AdjustedRand(a, []int{2, 2, 2, 0, 0, 0, 1, 1, 1}); math.Abs(got-1) > 1e-12 {
		t.Errorf("renamed: %g", got)
	}
	// scikit-learn: adjusted_rand_score([0,0,1,1],[0,0,1,2]) = 0.5714285714
	if got := cluster.AdjustedRand([]int{0, 0, 1, 1}, []int{0, 0, 1, 2}); math.Abs(got-0.5714285714) > 1e-9 {
		t.Errorf("%g", got)
	}
}

package analytics_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/stat/rfm"
	"github.com/guanxi-crm/guanxi/internal/store/analytics"
)

// retail is the Online Retail file as orders: lines with a customer, not "C…", quantity and price positive. The amount of a
// line is quantity times price rounded half away from zero to pence, an order's amount the sum of its lines.
type retail struct {
	lines     [][]any // id, order, customer, product name as category, quantity in thousandths, pence, day
	orders    map[string]*retailOrder
	names     []string // invoices in order of appearance
	customers map[int64]bool
	refunds   [][]any // id, customer, day, pence
}

type retailOrder struct {
	id, customer, at, day, pence int64
}

func readRetail(t testing.TB) *retail {
	t.Helper()
	const path = "../../../../shared/data/online-retail/online_retail.csv.gz"
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat("../../../../shared/data"); err == nil {
			t.Fatalf("%s is missing though the folder is there", path)
		}
		t.Skip("../shared/data is absent: the Online Retail anchors are not tested")
	}
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	in := csv.NewReader(z)
	in.ReuseRecord = true
	_, err = in.Read()
	must(t, err)
	london, err := time.LoadLocation("Europe/London")
	must(t, err)
	r := &retail{orders: map[string]*retailOrder{}, customers: map[int64]bool{}}
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			return r
		}
		must(t, err)
		r.add(t, rec, london)
	}
}

func (r *retail) add(t testing.TB, rec []string, zone *time.Location) {
	t.Helper()
	if rec[6] == "" {
		return
	}
	customer, err := strconv.ParseInt(rec[6], 10, 64)
	must(t, err)
	quantity, err := strconv.ParseInt(rec[3], 10, 64)
	must(t, err)
	price, err := money.ParseScaled(rec[5], 6)
	must(t, err)
	at, err := time.ParseInLocation("2006-01-02 15:04:05", rec[4], zone)
	must(t, err)
	day := int64(clock.DayOf(at, zone))
	pence := money.MulDiv(quantity, price, 10_000)
	if strings.HasPrefix(rec[0], "C") {
		if quantity < 0 && price > 0 {
			r.customers[customer] = true
			r.refunds = append(r.refunds, []any{int64(len(r.refunds) + 1), customer, day, -pence})
		}
		return
	}
	if quantity <= 0 || price <= 0 {
		return
	}
	r.customers[customer] = true
	o := r.orders[rec[0]]
	if o == nil {
		o = &retailOrder{id: int64(len(r.orders) + 1), customer: customer, at: at.UnixMilli(), day: day}
		r.orders[rec[0]] = o
		r.names = append(r.names, strings.Clone(rec[0]))
	}
	o.pence += pence
	r.lines = append(r.lines, []any{int64(len(r.lines) + 1), o.id, customer, strings.Clone(rec[1]), quantity * 1000, pence, day, "confirmed"})
}

func (r *retail) load(t testing.TB, b *bench) {
	t.Helper()
	ids := slices.Sorted(maps.Keys(r.customers))
	b.load(t, "customer", []string{"id", "version", "kind"}, func(yield func([]any, error) bool) {
		for _, id := range ids {
			if !yield([]any{id, int64(1), "person"}, nil) {
				return
			}
		}
	})
	b.load(t, "order", []string{"id", "version", "number", "customer", "status", "placed_at", "placed_at_day", "net_amount", "net_amount_base"},
		func(yield func([]any, error) bool) {
			for _, n := range r.names {
				o := r.orders[n]
				if !yield([]any{o.id, int64(1), n, o.customer, "confirmed", o.at, o.day, o.pence, o.pence}, nil) {
					return
				}
			}
		})
	b.load(t, "order_line", []string{"id", "order", "customer", "category", "quantity", "amount_base", "placed_at_day", "status"}, analytics.Rows(r.lines))
	b.load(t, "refund", []string{"id", "customer", "refunded_at_day", "amount_base"}, analytics.Rows(r.refunds))
}

func TestOnlineRetailAnchors(t *testing.T) {
	t.Parallel()
	r := readRetail(t)
	if len(r.lines) != 397_884 || len(r.orders) != 18_532 {
		t.Fatalf("%d lines in %d orders, want 397,884 in 18,532", len(r.lines), len(r.orders))
	}
	anchor := clock.NewDay(2011, time.December, 10)
	var mu sync.Mutex
	dumps := map[string][]string{}
	t.Run("engines", func(t *testing.T) {
		onBoth(t, func(t *testing.T, b *bench) {
			r.load(t, b)
			today := clock.NewDay(2026, time.November, 21)
			last, ok, err := b.store.LastPurchase(t.Context(), today)
			must(t, err)
			settings := trait.Defaults()
			if got := settings.AnchorDay(today, last, ok); got != anchor {
				t.Fatalf("the anchor is %s, want %s", got, anchor)
			}
			_, err = b.store.Full(t.Context(), pass(anchor, settings), today)
			must(t, err)
			retailFigures(t, b)
			retailCohorts(t, b, anchor)
			retailScores(t, b)
			mu.Lock()
			defer mu.Unlock()
			for _, f := range []string{analytics.FamilyOrder, analytics.FamilyTaste, analytics.FamilyRFM} {
				dumps[f] = append(dumps[f], b.table(t, "SELECT * FROM "+f+" ORDER BY customer_id"))
			}
		})
	})
	for f, d := range dumps {
		if len(d) == 2 && d[0] != d[1] {
			t.Errorf("%s differs between the engines", f)
		}
		if len(d[0]) < 100_000 {
			t.Errorf("%s holds only %d bytes", f, len(d[0]))
		}
	}
}

func retailFigures(t *testing.T, b *bench) {
	t.Helper()
	got := b.table(t, `SELECT count(*), CAST(sum(orders) AS BIGINT), CAST(sum(spend_total) AS BIGINT), count(days_since_last) FROM t_order WHERE orders > 0`)
	if want := "4338|18532|891140790|4338\n"; got != want {
		t.Errorf("customers, orders, revenue: %q, want %q", got, want)
	}
	s, err := b.store.Summary(t.Context())
	must(t, err)
	mean := func(sum int64, scale int64) int64 { return money.MulDiv(sum, scale, s.Customers) }
	if r, f, m := mean(s.Recency, 10_000), mean(s.Frequency, 10_000), mean(s.Monetary, 1); s.Customers != 4338 || r != 930_595 || f != 42_720 || m != 205_427 {
		t.Errorf("means of %d customers: R %d, F %d (four decimals), M %d pence; want 4338, 930595, 42720, 205427", s.Customers, r, f, m)
	}
}

func retailCohorts(t *testing.T, b *bench, anchor clock.Day) {
	t.Helper()
	cohorts, err := b.store.Cohorts(t.Context(), anchor)
	must(t, err)
	if len(cohorts) != 13 {
		t.Fatalf("%d cohorts, want 13", len(cohorts))
	}
	first := cohorts[0]
	if want := []int64{885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235}; first.Label() != "2010-12" || !slices.Equal(first.Active, want) {
		t.Errorf("cohort %s: %v, want %v", first.Label(), first.Active, want)
	}
	sum := int64(0)
	for i, c := range cohorts {
		sum += c.Size()
		if len(c.Active) != 13-i {
			t.Errorf("cohort %s has %d months, want %d", c.Label(), len(c.Active), 13-i)
		}
	}
	if sum != 4338 {
		t.Errorf("cohorts hold %d customers, want 4338", sum)
	}
}

// retailScores checks every score of the SQL against the pure functions.
func retailScores(t *testing.T, b *bench) {
	t.Helper()
	rows, err := b.db.Query(t.Context(), "SELECT recency, frequency, monetary, r_score, f_score, m_score, rfm_cell, rfm_segment FROM t_rfm")
	must(t, err)
	defer rows.Close()
	type scored struct {
		c       rfm.Customer
		r, f, m int
		cell    string
		segment string
	}
	var all []scored
	var customers []rfm.Customer
	for rows.Next() {
		var s scored
		must(t, rows.Scan(&s.c.Recency, &s.c.Frequency, &s.c.Monetary, &s.r, &s.f, &s.m, &s.cell, &s.segment))
		all = append(all, s)
		customers = append(customers, s.c)
	}
	must(t, rows.Err())
	model := rfm.Fit(customers)
	for _, s := range all {
		r, f, m := model.Score(s.c)
		if r != s.r || f != s.f || m != s.m {
			t.Fatalf("%+v is scored %d%d%d, want %d%d%d", s.c, s.r, s.f, s.m, r, f, m)
		}
		if want := strconv.Itoa(r*100 + f*10 + m); s.cell != want || s.segment != rfm.Segment(r, f, m) {
			t.Fatalf("%+v is in cell %s, %s", s.c, s.cell, s.segment)
		}
	}
	if len(all) != 4338 {
		t.Errorf("%d customers are scored, want 4338", len(all))
	}
}

package forecast_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/insight/forecast"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// sale is one order with one line.
type sale struct {
	day                         clock.Day
	customer, amount, pieces    int64
	channel, category, province string
}

// shop is a company in memory.
type shop struct {
	anchor clock.Day
	sales  []sale
}

func (s *shop) Anchor(context.Context) (clock.Day, error) { return s.anchor, nil }

func (s *shop) First(context.Context) (day clock.Day, ok bool, err error) {
	for _, v := range s.sales {
		if !ok || v.day < day {
			day, ok = v.day, true
		}
	}
	return day, ok, nil
}

func (v sale) key(d forecast.Dimension) string {
	switch d {
	case forecast.Channel:
		return v.channel
	case forecast.Category:
		return v.category
	case forecast.Region:
		return v.province
	}
	return ""
}

func cellOf(list []sale) (c forecast.Cell) {
	people := map[int64]bool{}
	for _, v := range list {
		c.Revenue += v.amount
		c.Quantity += v.pieces * 1000
		c.Orders++
		people[v.customer] = true
	}
	c.Customers = int64(len(people))
	return c
}

func (s *shop) Series(_ context.Context, f forecast.Figure, slice forecast.Slice, p forecast.Period, from, to clock.Day) (out []forecast.Point, err error) {
	groups := map[clock.Day][]sale{}
	for _, v := range s.sales {
		if v.day < from || v.day > to || slice.Dimension != forecast.Total && v.key(slice.Dimension) != slice.Value {
			continue
		}
		at := v.day
		switch p {
		case forecast.Week:
			at -= (at + 3) % 7
		case forecast.Month:
			at = clock.NewDay(at.Time().Year(), at.Time().Month(), 1)
		}
		groups[at] = append(groups[at], v)
	}
	for day, list := range groups {
		c := cellOf(list)
		out = append(out, forecast.Point{Day: day, Value: map[forecast.Figure]int64{forecast.Revenue: c.Revenue, forecast.Orders: c.Orders, forecast.Customers: c.Customers, forecast.Quantity: c.Quantity}[f]})
	}
	slices.SortFunc(out, func(a, b forecast.Point) int { return int(a.Day - b.Day) })
	return out, nil
}

func (s *shop) Values(context.Context, forecast.Dimension, clock.Day, clock.Day, int) ([]forecast.Value, error) {
	return nil, nil
}

func (s *shop) Cells(_ context.Context, dims []forecast.Dimension, from, to clock.Day) (out []forecast.Cell, err error) {
	groups := map[[2]string][]sale{}
	for _, v := range s.sales {
		if v.day < from || v.day > to {
			continue
		}
		var keys [2]string
		for i, d := range dims {
			keys[i] = v.key(d)
		}
		groups[keys] = append(groups[keys], v)
	}
	for keys, list := range groups {
		c := cellOf(list)
		c.Keys = keys
		out = append(out, c)
	}
	return out, nil
}

func (s *shop) Newcomers(_ context.Context, from, to clock.Day) (n int64, err error) {
	first := map[int64]clock.Day{}
	for _, v := range s.sales {
		if d, ok := first[v.customer]; !ok || v.day < d {
			first[v.customer] = v.day
		}
	}
	for _, d := range first {
		if d >= from && d <= to {
			n++
		}
	}
	return n, nil
}

func reader() context.Context {
	return access.With(context.Background(), access.System())
}

func service(s *shop, today clock.Day) *forecast.Service {
	return forecast.New(s, clock.NewFake(today.Time().Add(12*time.Hour)), func() *time.Location { return time.UTC })
}

func day(t *testing.T, s string) clock.Day {
	t.Helper()
	d, err := clock.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// company sells from a day on, less at the Spring Festival, more at the eleventh of November.
func company(t *testing.T, first, anchor string, seed uint64) *shop {
	s := &shop{anchor: day(t, anchor)}
	r := rand.New(rand.NewPCG(seed, 1))
	festival := map[clock.Day]bool{}
	for _, at := range []string{"2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17"} {
		for d := day(t, at) - 1; d < day(t, at)+7; d++ {
			festival[d] = true
		}
	}
	for d := day(t, first); d <= s.anchor; d++ {
		n := 12 + 4*math.Sin(2*math.Pi*float64((d+3)%7)/7) + float64(d-day(t, first))/200
		switch {
		case festival[d]:
			n *= 0.3
		case d.Time().Month() == time.November && d.Time().Day() == 11:
			n *= 4
		}
		for range int(n + r.Float64()) {
			s.sales = append(s.sales, sale{day: d, customer: int64(r.IntN(900)), amount: int64(1000 + r.IntN(30_000)), pieces: int64(1 + r.IntN(3)),
				channel: fmt.Sprint(1 + r.IntN(4)), category: []string{"a", "b", "c", ""}[r.IntN(4)], province: []string{"110000", "440000", ""}[r.IntN(3)]})
		}
	}
	return s
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	s := company(t, "2023-03-10", "2026-11-20", 1)
	f := service(s, s.anchor)
	for _, c := range []struct {
		period  forecast.Period
		horizon int
		first   string
	}{{forecast.Month, 6, "2026-11-01"}, {forecast.Week, 13, "2026-11-16"}, {forecast.Day, 28, "2026-11-20"}} {
		got, err := f.Forecast(reader(), forecast.Ask{Figure: forecast.Revenue, Period: c.period})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Ahead) != c.horizon || got.Ahead[0].From != day(t, c.first) {
			t.Errorf("%s: %d periods from %s", c.period, len(got.Ahead), got.Ahead[0].From)
		}
		last := got.Known[len(got.Known)-1]
		if !last.Partial || last.From != got.Ahead[0].From {
			t.Errorf("%s: the running period is not partial: %+v", c.period, last)
		}
		if got.Known[0].Partial != (c.period != forecast.Day) { // sales began within the first month and week
			t.Errorf("%s: the first period: %+v", c.period, got.Known[0])
		}
		if got.Origins == 0 || got.Cover80 == 0 || got.Chosen.MASE > got.Peer.MASE {
			t.Errorf("%s: %+v", c.period, got)
		}
		for _, p := range got.Ahead {
			if !(p.Low95 <= p.Low80 && p.Low80 <= p.Mean && p.Mean <= p.High80 && p.High80 <= p.High95) || p.Mean <= 0 {
				t.Errorf("%s: %+v", c.period, p)
			}
		}
		t.Logf("%s: %s smape %.1f (peer %.1f), cover %.2f %.2f, calendar %v %v, %s", c.period, got.Method, got.Chosen.SMAPE, got.Peer.SMAPE, got.Cover80, got.Cover95, got.Calendar, got.Effects, got.Took)
	}
}

// What is known of imported history ends with a day that is over.
func TestHistoryIsWhole(t *testing.T) {
	t.Parallel()
	s := company(t, "2024-01-01", "2025-06-30", 2)
	got, err := service(s, day(t, "2026-11-20")).Forecast(reader(), forecast.Ask{Figure: forecast.Orders, Period: forecast.Month})
	if err != nil {
		t.Fatal(err)
	}
	if last := got.Known[len(got.Known)-1]; last.Partial || got.Ahead[0].From != day(t, "2025-07-01") || got.Known[0].Partial {
		t.Errorf("%+v, %+v", last, got.Ahead[0])
	}
	if got.Before == nil { // July to December 2024 are known
		t.Error("the year before is not told")
	}
}

// The Spring Festival was measured twice and is put into the next one.
func TestHolidaysAreForeseen(t *testing.T) {
	t.Parallel()
	s := company(t, "2024-01-01", "2026-01-31", 3)
	got, err := service(s, day(t, "2026-02-01")).Forecast(reader(), forecast.Ask{Figure: forecast.Orders, Period: forecast.Day, Horizon: 28})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Calendar {
		t.Fatal("the calendar was not used")
	}
	var inside, outside, n float64
	for _, p := range got.Ahead {
		if slices.Contains(p.Holidays, "spring") {
			inside += p.Mean / 8
		} else {
			outside += p.Mean
			n++
		}
	}
	if inside > 0.55*outside/n {
		t.Errorf("%.1f a day at the festival, %.1f else", inside, outside/n)
	}
}

func TestCustomersAreCountedOnce(t *testing.T) {
	t.Parallel()
	s := company(t, "2024-01-01", "2025-12-31", 4)
	got, err := service(s, day(t, "2026-02-01")).Forecast(reader(), forecast.Ask{Figure: forecast.Customers, Period: forecast.Month, Slice: forecast.Slice{Dimension: forecast.Channel, Value: "2"}})
	if err != nil {
		t.Fatal(err)
	}
	people := map[int64]bool{}
	for _, v := range s.sales {
		if v.channel == "2" && v.day >= day(t, "2024-05-01") && v.day <= day(t, "2024-05-31") {
			people[v.customer] = true
		}
	}
	if got.Known[4].Value != float64(len(people)) {
		t.Errorf("%+v, %d people", got.Known[4], len(people))
	}
}

func TestLittleGivesASentence(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*shop{
		"none": {anchor: 20_000}, "one": {anchor: 20_000, sales: []sale{{day: 19_990, customer: 1, amount: 5, pieces: 1}}},
		"later": {anchor: 20_000, sales: []sale{{day: 20_010, customer: 1, amount: 5, pieces: 1}}},
	} {
		for _, p := range []forecast.Period{forecast.Day, forecast.Week, forecast.Month} {
			got, err := service(s, 20_000).Forecast(reader(), forecast.Ask{Figure: forecast.Revenue, Period: p})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Notes) == 0 {
				t.Errorf("%s by %s says nothing: %+v", name, p, got)
			}
		}
	}
}

// Whatever is asked, what is told adds up to the change.
func TestReasonsAddUp(t *testing.T) {
	t.Parallel()
	s := company(t, "2025-01-01", "2025-12-31", 5)
	for i := range s.sales { // one category sells only later
		if s.sales[i].category == "c" && s.sales[i].day < day(t, "2025-09-01") {
			s.sales[i].category = "b"
		}
	}
	f := service(s, day(t, "2026-02-01"))
	spans := []forecast.Span{{From: day(t, "2025-03-01"), To: day(t, "2025-03-31")}, {From: day(t, "2025-10-01"), To: day(t, "2025-11-15")}, {From: day(t, "2025-12-31"), To: day(t, "2025-12-31")}, {From: 1000, To: 1010}}
	for _, figure := range []forecast.Figure{forecast.Revenue, forecast.Orders, forecast.Customers, forecast.Basket, forecast.Quantity} {
		for _, now := range spans {
			for _, before := range spans {
				got, err := f.Why(reader(), forecast.Question{Figure: figure, Now: now, Before: before, Pair: [2]forecast.Dimension{forecast.Channel, forecast.Category}})
				if err != nil {
					t.Fatal(err)
				}
				change := got.NowValue - got.BeforeValue
				check := func(what string, sum float64) {
					t.Helper()
					if math.IsNaN(sum) || math.Abs(sum-change) > 1e-6*(1+math.Abs(got.NowValue)+math.Abs(got.BeforeValue)) {
						t.Errorf("%s %v against %v, %s: %g, change %g", figure, now, before, what, sum, change)
					}
				}
				if got.Empty {
					continue
				}
				sum := 0.0
				for _, d := range got.Drivers {
					sum += d.Change
				}
				check("drivers", sum)
				for _, split := range append(slices.Clone(got.Splits), *got.Pair) {
					sum, mix := 0.0, split.Volume+split.Mix+split.Rate+split.Unattributed
					for _, p := range split.Parts {
						sum += p.Change
					}
					check(fmt.Sprint("values of ", split.Dimensions), sum)
					if split.Mixed {
						check(fmt.Sprint("mix and rate of ", split.Dimensions), mix)
					}
				}
			}
		}
	}
}

// A company in which one thing changed: the reason must be that.
func TestTheReasonIsFound(t *testing.T) {
	t.Parallel()
	s := &shop{anchor: 20_060}
	for d := clock.Day(20_001); d <= 20_060; d++ {
		for i := range int64(20) {
			v := sale{day: d, customer: i, amount: 1000, pieces: 1, channel: fmt.Sprint(1 + i%2), category: []string{"a", "b", "c", "d"}[i%4], province: "110000"}
			if d > 20_030 && v.category == "c" {
				v.amount = 400 // it became cheap
			}
			s.sales = append(s.sales, v)
		}
	}
	got, err := service(s, 20_100).Why(reader(), forecast.Question{Figure: forecast.Revenue, Now: forecast.Span{From: 20_031, To: 20_060}, Before: forecast.Span{From: 20_001, To: 20_030}})
	if err != nil {
		t.Fatal(err)
	}
	first := got.Splits[0]
	if first.Dimensions[0] != forecast.Category || first.Parts[0].Keys[0] != "c" || math.Abs(first.Parts[0].Change+30*5*600) > 1e-6 {
		t.Errorf("%+v", first)
	}
	if math.Abs(first.Rate-first.Parts[0].Change) > 1e-6 || math.Abs(first.Mix)+math.Abs(first.Volume) > 1e-6 {
		t.Errorf("all of it is rate: %+v", first)
	}
	if d := got.Drivers; math.Abs(d[0].Change)+math.Abs(d[1].Change) > 1e-6 || d[2].Key != "basket" || d[2].Change >= 0 {
		t.Errorf("%+v", d)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := company(t, "2025-01-01", "2025-03-31", 6)
	f := service(s, s.anchor)
	if _, err := f.Forecast(context.Background(), forecast.Ask{Figure: forecast.Revenue, Period: forecast.Day}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("without a right: %v", err)
	}
	for _, a := range []forecast.Ask{{Figure: "x", Period: forecast.Day}, {Figure: forecast.Revenue, Period: "year"}, {Figure: forecast.Revenue, Period: forecast.Day, Horizon: 93},
		{Figure: forecast.Basket, Period: forecast.Day}, {Figure: forecast.Revenue, Period: forecast.Day, Slice: forecast.Slice{Dimension: "colour", Value: "x"}}} {
		if _, err := f.Forecast(reader(), a); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", a, err)
		}
	}
	for _, q := range []forecast.Question{{Figure: forecast.Revenue, Now: forecast.Span{From: 5, To: 4}}, {Figure: "x"}, {Figure: forecast.Revenue, Now: forecast.Span{From: 0, To: 5000}},
		{Figure: forecast.Revenue, Pair: [2]forecast.Dimension{forecast.Channel, forecast.Channel}}, {Figure: forecast.Revenue, Pair: [2]forecast.Dimension{forecast.Channel, ""}}} {
		if _, err := f.Why(reader(), q); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// Package stay estimates how long things last when some of them are not over yet: the product-limit estimator of Kaplan and
// Meier (1958), with Greenwood's variance. A stay that goes on counts as "at least so long" and never as ended.
package stay

import (
	"cmp"
	"math"
	"slices"
)

// Stay is N equal stays of so many days.
type Stay struct {
	Days  int64
	Ended bool
	N     int64
}

// Point is the share still there after so many days, with a 95 % interval.
type Point struct {
	Days           int64   `json:"days"`
	Share          float64 `json:"share"`
	Low, High      float64 `json:"-"`
	AtRisk, Ending int64   `json:"-"`
}

// Curve is the share of stays that last longer than each day on which one ended, in order of days. Stays of no or negative
// number are passed over. A stay that goes on for as long as another one lasted was there when that one ended.
func Curve(stays []Stay) []Point {
	type day struct{ ended, going int64 }
	by := map[int64]day{}
	var all int64
	for _, s := range stays {
		if s.N <= 0 || s.Days < 0 {
			continue
		}
		d := by[s.Days]
		if s.Ended {
			d.ended += s.N
		} else {
			d.going += s.N
		}
		by[s.Days] = d
		all += s.N
	}
	days := make([]int64, 0, len(by))
	for d := range by {
		days = append(days, d)
	}
	slices.SortFunc(days, cmp.Compare[int64])
	var out []Point
	share, sum, risk := 1.0, 0.0, all
	for _, d := range days {
		at := by[d]
		if at.ended > 0 {
			n, e := float64(risk), float64(at.ended)
			share *= 1 - e/n
			if risk > at.ended {
				sum += e / (n * (n - e))
			}
			half := 1.959963984540054 * share * math.Sqrt(sum)
			out = append(out, Point{Days: d, Share: share, Low: max(0, share-half), High: min(1, share+half), AtRisk: risk, Ending: at.ended})
		}
		risk -= at.ended + at.going
	}
	return out
}

// Quantile is the first day by which a share of the stays is over; ok is false when it is not known because too many go on.
func Quantile(curve []Point, share float64) (days int64, ok bool) {
	for _, p := range curve {
		if p.Share <= 1-share+1e-12 {
			return p.Days, true
		}
	}
	return 0, false
}

// Left is the share that lasts longer than so many days.
func Left(curve []Point, days int64) float64 {
	out := 1.0
	for _, p := range curve {
		if p.Days > days {
			break
		}
		out = p.Share
	}
	return out
}

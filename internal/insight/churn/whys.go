package churn

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/stat/recommend"
)

// Why is how many customers of a class have a risk that an input raises most; "" is no class.
type Why struct {
	Class     string
	Driver    string
	Customers int64
}

// Weight is how much an inferred reason weighs in a class: the share of those with a reason whose risk it raises most.
type Weight struct {
	Driver
	Share float64
	// Usual is the share among all customers with a reason.
	Usual float64
	// Stands is 1 where the share is above what chance makes of the usual one, -1 where it is below, else 0.
	Stands int
}

// Reasoned is why customers of a class are at risk, as far as behaviour tells.
type Reasoned struct {
	Class     string
	Customers int64 // with a reason
	Few       bool  // too few to say what stands out
	Weights   []Weight
}

const (
	// standsOut is from how many standard errors on a share is called other than usual (an adjusted residual; one in 370 by chance).
	standsOut = 3
	// expectedLeast is how many customers must be expected for that. Below, only more than usual can be told, by the exact test (Fisher).
	expectedLeast = 5
	// byChance is what lies beyond so many standard errors on one side.
	byChance = 0.00135
)

// Whys compares inferred reasons between the classes of a classification, the largest class first.
func Whys(ctx context.Context, b Books, classification string) ([]Reasoned, error) {
	list, err := b.Whys(ctx, classification)
	if err != nil {
		return nil, err
	}
	drivers, classes := map[string]int64{}, map[string]int64{}
	var all int64
	for _, w := range list {
		drivers[w.Driver] += w.Customers
		classes[w.Class] += w.Customers
		all += w.Customers
	}
	at := map[string]*Reasoned{}
	var out []*Reasoned
	for _, w := range list {
		r := at[w.Class]
		if r == nil {
			r = &Reasoned{Class: w.Class, Customers: classes[w.Class], Few: classes[w.Class] < fewestIn}
			at[w.Class], out = r, append(out, r)
		}
		r.Weights = append(r.Weights, weigh(w, classes[w.Class], drivers[w.Driver], all))
	}
	slices.SortFunc(out, func(a, b *Reasoned) int {
		return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(a.Class, b.Class))
	})
	done := make([]Reasoned, len(out))
	for i, r := range out {
		slices.SortFunc(r.Weights, func(a, b Weight) int {
			return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(a.Key, b.Key))
		})
		done[i] = *r
	}
	return done, nil
}

func weigh(w Why, class, driver, all int64) Weight {
	n, row, column := float64(all), float64(class), float64(driver)
	v := Weight{Driver: Driver{Key: w.Driver, Customers: w.Customers}, Share: float64(w.Customers) / row, Usual: column / n}
	expected := row * column / n
	spread := expected * (1 - row/n) * (1 - column/n)
	if class < fewestIn || spread <= 0 {
		return v
	}
	if expected < expectedLeast {
		if w.Customers >= expectedLeast && recommend.Fisher(int(w.Customers), int(class), int(driver), int(all)) < byChance {
			v.Stands = 1
		}
		return v
	}
	switch z := (float64(w.Customers) - expected) / math.Sqrt(spread); {
	case z >= standsOut:
		v.Stands = 1
	case z <= -standsOut:
		v.Stands = -1
	}
	return v
}

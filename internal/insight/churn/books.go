package churn

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/stat/survival"
)

// Band is how many customers have a warning, and what they spent in a year, in minor units; "" is who has none.
type Band struct {
	Key       string
	Customers int64
	Spend     int64
}

// Driver is how many customers have a risk that an input raises most.
type Driver struct {
	Key       string
	Customers int64
}

// Life is customers of a class who lasted, or have lasted so far, so many times thirty days.
type Life struct {
	Class        string
	Months       int64
	Lost, Active int64
}

// Books answers about what was scored; store/analytics implements it.
type Books interface {
	// Risks counts who has a risk by tenths of it.
	Risks(ctx context.Context) ([10]int64, error)
	Bands(ctx context.Context) ([]Band, error)
	// Drivers are in descending order of customers.
	Drivers(ctx context.Context) ([]Driver, error)
	// Whys counts who has an inferred reason by class, each pair once.
	Whys(ctx context.Context, classification string) ([]Why, error)
	// Lives are in ascending order of class and months; "" is no class.
	Lives(ctx context.Context, classification string, until clock.Day) ([]Life, error)
	// Floor is the spending of a year from which on somebody who is not lost is among the best part of them.
	Floor(ctx context.Context, part float64) (int64, error)
}

// Valuable is the part of customers that counts as valuable.
const Valuable = 0.2

// Overview is what was scored.
type Overview struct {
	Bands   []Band
	Risks   [10]int64
	Drivers []Driver
	Floor   int64
}

// Report reads what was scored.
func Report(ctx context.Context, b Books) (o Overview, err error) {
	if o.Bands, err = b.Bands(ctx); err != nil {
		return o, err
	}
	if o.Risks, err = b.Risks(ctx); err != nil {
		return o, err
	}
	if o.Drivers, err = b.Drivers(ctx); err != nil {
		return o, err
	}
	o.Floor, err = b.Floor(ctx, Valuable)
	return o, err
}

// Group is the survival of a class.
type Group struct {
	Class        string
	Customers    int64
	Lost         int64
	Median       *int64 // months; nil when more than half are still there
	Curve        []survival.Point
	After12Month float64
}

// Survival is how long customers last, by class, and whether classes differ by more than chance.
type Survival struct {
	All    Group
	Groups []Group
	Test   *survival.Test // nil where there is nothing to compare
}

// fewestIn is how many customers a class takes to be drawn.
const fewestIn = 10

// Last estimates how long customers last. Classes with few customers count for the whole only.
func Last(ctx context.Context, b Books, classification string, until clock.Day) (Survival, error) {
	lives, err := b.Lives(ctx, classification, until)
	if err != nil {
		return Survival{}, err
	}
	by := map[string][]survival.Count{}
	var classes []string
	for _, l := range lives {
		if !slices.Contains(classes, l.Class) {
			classes = append(classes, l.Class)
		}
		by[l.Class] = append(by[l.Class], survival.Count{Time: l.Months, Ended: l.Lost, Seen: l.Active})
	}
	var out Survival
	var all []survival.Count
	var compared [][]survival.Count
	for _, c := range classes {
		list := merged(by[c])
		all = append(all, list...)
		g := group(c, list)
		if c == "" || g.Customers < fewestIn {
			continue
		}
		out.Groups = append(out.Groups, g)
		compared = append(compared, list)
	}
	out.All = group("", merged(all))
	if t, ok := survival.LogRank(compared); ok {
		out.Test = &t
	}
	return out, nil
}

func group(class string, counts []survival.Count) Group {
	g := Group{Class: class, Curve: survival.Curve(counts)}
	for _, c := range counts {
		g.Customers += c.Ended + c.Seen
		g.Lost += c.Ended
	}
	if m, ok := survival.Median(g.Curve); ok {
		g.Median = &m
	}
	g.After12Month = survival.At(g.Curve, 12)
	return g
}

// merged sums counts of the same time, in ascending order.
func merged(counts []survival.Count) []survival.Count {
	list := slices.Clone(counts)
	slices.SortFunc(list, func(a, b survival.Count) int { return int(min(1, max(-1, a.Time-b.Time))) })
	var out []survival.Count
	for _, c := range list {
		if n := len(out); n > 0 && out[n-1].Time == c.Time {
			out[n-1].Ended += c.Ended
			out[n-1].Seen += c.Seen
			continue
		}
		out = append(out, c)
	}
	return out
}

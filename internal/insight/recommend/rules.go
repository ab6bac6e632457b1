package recommend

import (
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Rules are what the business lets be shown. They cut every list.
type Rules struct {
	// OnSale lets only products be shown that are sold now; a product of which every variant is discontinued is not.
	OnSale bool `json:"on_sale"`
	// NotReturned leaves out what the customer has sent back.
	NotReturned bool `json:"not_returned"`
	// NotBoughtDays leaves out what he bought in so many days, except where buying again is the point; 0 for no such rule.
	NotBoughtDays int `json:"not_bought_days"`
	// PerBrand and PerCategory bound how many products of one brand or category stand in a list; 0 for no bound.
	PerBrand    int `json:"per_brand"`
	PerCategory int `json:"per_category"`
	// WithoutCategories and WithoutBrands are never shown.
	WithoutCategories []string `json:"without_categories"`
	WithoutBrands     []string `json:"without_brands"`
	// ForAudience leaves out what is made for women from lists of men, and the other way round.
	ForAudience bool `json:"for_audience"`
}

// DefaultRules are those of a new workspace.
func DefaultRules() Rules {
	return Rules{OnSale: true, NotReturned: true, NotBoughtDays: 90, PerBrand: 4, PerCategory: 3, WithoutCategories: []string{}, WithoutBrands: []string{}}
}

// Bounds of rules.
const (
	daysMost   = 3650
	perMost    = 100
	namesMost  = 200
	nameLength = 200
)

// Check refuses rules that cannot be followed, and brings their lists in order.
func (r *Rules) Check() error {
	var items []*fault.Fault
	bound := func(field string, v, most int) {
		if v < 0 || v > most {
			items = append(items, fault.InvalidField("recommend.bad_option", field, fault.Params{"min": 0, "max": most}))
		}
	}
	bound("not_bought_days", r.NotBoughtDays, daysMost)
	bound("per_brand", r.PerBrand, perMost)
	bound("per_category", r.PerCategory, perMost)
	for field, list := range map[string]*[]string{"without_categories": &r.WithoutCategories, "without_brands": &r.WithoutBrands} {
		out := []string{}
		for _, name := range *list {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		*list = slices.Compact(out)
		if len(*list) > namesMost || slices.ContainsFunc(*list, func(s string) bool { return len(s) > nameLength }) {
			items = append(items, fault.InvalidField("recommend.long_list", field, fault.Params{"max": namesMost}))
		}
	}
	if f := fault.Join("recommend.bad_rules", items); f != nil {
		return f
	}
	return nil
}

// allow says whether a product may be shown to anybody.
func (r *Rules) allow(g *Good) bool {
	return (g.OnSale || !r.OnSale) && !slices.Contains(r.WithoutCategories, g.Category) && !slices.Contains(r.WithoutBrands, g.Brand)
}

// suits says whether a product is made for somebody.
func (r *Rules) suits(g *Good, gender string) bool {
	if !r.ForAudience {
		return true
	}
	return !(gender == "male" && g.Audience == "women" || gender == "female" && g.Audience == "men")
}

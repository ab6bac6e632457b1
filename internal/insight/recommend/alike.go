package recommend

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/model/predict"
)

// Parts of the likeness of two products by what they are: a category counts most, then styles, brand, price and whom it is for.
const (
	partCategory = .35
	partStyle    = .25
	partBrand    = .2
	partPrice    = .12
	partAudience = .08
	alikeLeast   = .5 // below it two products are not called similar
)

// likeGood is a product that is like another one.
type likeGood struct {
	good, to     *Good
	score        float64
	style, brand bool
}

func (l *likeGood) reason() predict.Reason {
	key := "similar"
	switch {
	case l.style && l.brand:
		key = "similar_style_brand"
	case l.style:
		key = "similar_style"
	case l.brand:
		key = "similar_brand"
	}
	return predict.Reason{Key: key, Params: map[string]any{"product": l.to.ID}, Effect: l.score}
}

// likeness is how alike two products are by what they are, 0 to 1.
func likeness(a, b *Good) (score float64, style, brand bool) {
	if a.Category != "" && a.Category == b.Category {
		score += partCategory
	}
	if common, all := styles(a.Styles, b.Styles); all > 0 {
		score += partStyle * float64(common) / float64(all)
		style = common > 0
	}
	if brand = a.Brand != "" && a.Brand == b.Brand; brand {
		score += partBrand
	}
	if a.Price > 0 && b.Price > 0 {
		score += partPrice * math.Exp(-2*math.Abs(math.Log(float64(a.Price)/float64(b.Price))))
	}
	if a.Audience == b.Audience || a.Audience == "unisex" || b.Audience == "unisex" {
		score += partAudience
	}
	return score, style, brand
}

// styles are how many styles two products have in common, and how many together.
func styles(a, b string) (common, all int) {
	x, y := splitStyles(a), splitStyles(b)
	for _, s := range x {
		if slices.Contains(y, s) {
			common++
		}
	}
	return common, len(x) + len(y) - common
}

// alike ranks all products by their likeness to the likest of some.
func (a *asked) alike(own []*Good) []likeGood {
	var out []likeGood
	for i := range a.shelf.list {
		g := &a.shelf.list[i]
		if !a.rules.allow(g) {
			continue
		}
		top := likeGood{good: g}
		for _, o := range own {
			if o.ID == g.ID {
				continue
			}
			if score, style, brand := likeness(o, g); score > top.score {
				top.to, top.score, top.style, top.brand = o, score, style, brand
			}
		}
		if top.score >= alikeLeast {
			out = append(out, top)
		}
	}
	slices.SortFunc(out, func(x, y likeGood) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.good.ID, y.good.ID))
	})
	return out
}

// SimilarTo are products of the same make-up as one.
func (s *Service) SimilarTo(ctx context.Context, product int64, limit int) (Answer, error) {
	a, version, err := s.ask(ctx, limit, nil)
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Kind: Similar, Version: version, Items: []Item{}}
	g := a.shelf.by[product]
	if g == nil {
		return out, nil
	}
	a.rules.PerBrand, a.rules.PerCategory = 0, 0 // what is similar is of one category, mostly
	for _, v := range a.alike([]*Good{g}) {
		a.offer(v.good.ID, v.score, v.reason())
	}
	out.Items = append(out.Items, a.out...)
	return out, nil
}

// TogetherWith are products that are bought in the same baskets as one, the surest first; then those that the same customers buy.
func (s *Service) TogetherWith(ctx context.Context, product int64, limit int) (Answer, error) {
	a, version, err := s.ask(ctx, limit, nil)
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Kind: Together, Version: version, Items: []Item{}}
	if a.s == nil {
		return out, nil
	}
	out.Until = a.s.Until
	n, ok := a.s.at[product]
	if !ok {
		return out, nil
	}
	a.rules.PerBrand, a.rules.PerCategory = 0, 0
	for _, r := range a.s.byItem[n] {
		rule := toward(a.s.rule(r), n)
		if rule.Q < .05 {
			a.offer(a.product(rule.B), rule.LiftLow(), a.withReason(n, &rule))
		}
	}
	slices.SortStableFunc(a.out, func(x, y Item) int { return cmp.Compare(y.Score, x.Score) })
	for _, v := range a.s.neighbours[n] {
		a.offer(a.product(v.Item), float64(v.Score), predict.Reason{Key: "same_customers", Params: map[string]any{"product": product}, Effect: float64(v.Score)})
	}
	out.Items = append(out.Items, a.out...)
	return out, nil
}

func cutGroup(group string) (gender, tier string, ok bool) { return strings.Cut(group, "|") }

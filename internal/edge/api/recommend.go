package api

import (
	"context"
	"math"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/predict"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// recommendRoutes are what to show to whom, and what customers tend to buy.
func (a *API) recommendRoutes() []route {
	record, read, edit := access.RecordRead, access.SegmentRead, access.ClassificationEdit
	return []route{
		{method: get, path: "/customers/{id}/recommendations", need: right, right: record, run: op(a.recommendations), doc: "Products for a customer, with reasons"},
		{method: get, path: "/customers/{id}/preferences", need: right, right: record, run: op(a.buyingHabits), doc: "What a customer buys regularly, when and at what price, and what is due"},
		{method: get, path: "/products/{id}/similar", need: right, right: record, run: op(a.similarProducts), doc: "Products of the same make-up"},
		{method: get, path: "/products/{id}/together", need: right, right: record, run: op(a.productsTogether), doc: "Products that are bought together with one"},
		{method: get, path: "/recommend", need: right, right: read, run: op(a.recommendOverview), doc: "How good recommendations are, on later purchases"},
		{method: get, path: "/recommend/associations", need: right, right: read, run: op(a.associations), doc: "Products that are bought together more often than chance would have it"},
		{method: get, path: "/recommend/rules", need: right, right: read, run: op(a.recommendRules), doc: "Business rules of recommendations"},
		{method: patch, path: "/recommend/rules", need: right, right: edit, run: op(a.setRecommendRules), doc: "Change the business rules of recommendations"},
		{method: post, path: "/recommend/preview", need: right, right: read, run: op(a.previewRecommend), doc: "What a customer would be shown by rules that are not saved", secret: true},
	}
}

const productObject = "product"

// RecommendedProduct is one product of a list.
type RecommendedProduct struct {
	Product  Ref             `json:"product"`
	Brand    string          `json:"brand"`
	Category string          `json:"category"`
	Score    float64         `json:"score" doc:"by which the list is ranked; of no unit"`
	Reasons  []ProductReason `json:"reasons"`
}

// ProductReason says why a product is shown.
type ProductReason struct {
	Text  string   `json:"text"`
	Key   string   `json:"key"`
	Of    *Ref     `json:"product,omitempty" doc:"the product that it follows from"`
	Lift  *float64 `json:"lift,omitempty"`
	Share *float64 `json:"confidence,omitempty"`
}

// Recommendations is a list of products.
type Recommendations struct {
	Kind    string               `json:"kind" enum:"personal,buy_again,similar,together"`
	Version int64                `json:"version" doc:"of the model; 0 before it has learned"`
	Until   string               `json:"until,omitempty" doc:"the last day that the model learned from"`
	Cold    bool                 `json:"cold" doc:"nothing was bought yet: the list is what is popular among people like the customer"`
	Items   []RecommendedProduct `json:"items"`
}

type recommendationsIn struct {
	ID    string `path:"id"`
	Kind  string `query:"kind" doc:"personal when empty; buy_again, similar or together"`
	Limit int    `query:"limit" doc:"10 when empty, 50 at most"`
}

const recommendedMost = 10

func listLimit(n int) (int, error) {
	switch {
	case n < 0 || n > recommend.LimitMost:
		return 0, fault.InvalidField("api.bad_parameter", "limit", nil)
	case n == 0:
		return recommendedMost, nil
	}
	return n, nil
}

// seenCustomer finds a customer whom the caller may see.
func (c *call) seenCustomer(ctx context.Context, text string) (id.ID, error) {
	o, v, err := c.survivor(ctx, recordIn{query.Customer, text})
	if err != nil {
		return 0, err
	}
	_, err = c.ws.Records.Get(ctx, o.Key, v)
	return v, err
}

func (a *API) recommendations(ctx context.Context, c *call, in recommendationsIn) (Recommendations, error) {
	limit, err := listLimit(in.Limit)
	if err != nil {
		return Recommendations{}, err
	}
	customer, err := c.seenCustomer(ctx, in.ID)
	if err != nil {
		return Recommendations{}, err
	}
	return a.listFor(ctx, c, customer, in.Kind, limit, nil)
}

func (a *API) listFor(ctx context.Context, c *call, customer id.ID, kind string, limit int, rules *recommend.Rules) (Recommendations, error) {
	if kind == "" {
		kind = string(recommend.Personal)
	}
	list, err := c.ws.Recommend.For(ctx, int64(customer), recommend.Kind(kind), limit, rules)
	if err != nil {
		return Recommendations{}, err
	}
	return a.showRecommendations(ctx, c, list)
}

type productListIn struct {
	ID    string `path:"id"`
	Limit int    `query:"limit" doc:"10 when empty, 50 at most"`
}

func (a *API) similarProducts(ctx context.Context, c *call, in productListIn) (Recommendations, error) {
	return a.productList(ctx, c, in, c.ws.Recommend.SimilarTo)
}

func (a *API) productsTogether(ctx context.Context, c *call, in productListIn) (Recommendations, error) {
	return a.productList(ctx, c, in, c.ws.Recommend.TogetherWith)
}

func (a *API) productList(ctx context.Context, c *call, in productListIn, find func(context.Context, int64, int) (recommend.Answer, error)) (Recommendations, error) {
	limit, err := listLimit(in.Limit)
	if err != nil {
		return Recommendations{}, err
	}
	v, err := c.seenProduct(ctx, in.ID)
	if err != nil {
		return Recommendations{}, err
	}
	list, err := find(ctx, int64(v), limit)
	if err != nil {
		return Recommendations{}, err
	}
	return a.showRecommendations(ctx, c, list)
}

func (c *call) seenProduct(ctx context.Context, text string) (id.ID, error) {
	o, err := c.object(productObject)
	if err != nil {
		return 0, err
	}
	v, err := recordID(o, text)
	if err != nil {
		return 0, err
	}
	_, err = c.ws.Records.Get(ctx, o.Key, v)
	return v, err
}

// products are those of some ids that the caller sees.
func (c *call) products(ctx context.Context, ids []id.ID) (map[int64]*record.Record, error) {
	out := map[int64]*record.Record{}
	if len(ids) == 0 {
		return out, nil
	}
	recs, err := c.ws.Records.GetMany(ctx, productObject, ids, []string{"name", "brand", "category"})
	if err != nil {
		if fault.KindOf(err) == fault.Forbidden {
			err = nil
		}
		return out, err
	}
	for _, r := range recs {
		out[int64(r.ID)] = r
	}
	return out, nil
}

func (c *call) productRef(r *record.Record) Ref {
	o := c.ws.Registry().Object(productObject)
	return Ref{ID: id.Format(o.Prefix, r.ID), Object: o.Key, Title: r.Title}
}

func (a *API) showRecommendations(ctx context.Context, c *call, list recommend.Answer) (Recommendations, error) {
	out := Recommendations{Kind: string(list.Kind), Version: list.Version, Until: dayText(list.Until), Cold: list.Cold, Items: []RecommendedProduct{}}
	var ids []id.ID
	for _, i := range list.Items {
		ids = append(ids, id.ID(i.Product))
		for _, r := range i.Reasons {
			if of, ok := r.Params["product"].(int64); ok {
				ids = append(ids, id.ID(of))
			}
		}
	}
	known, err := c.products(ctx, ids)
	if err != nil {
		return out, err
	}
	for _, i := range list.Items {
		r := known[i.Product]
		if r == nil {
			continue
		}
		brand, _ := r.Values["brand"].(string)
		category, _ := r.Values["category"].(string)
		p := RecommendedProduct{Product: c.productRef(r), Brand: brand, Category: category, Score: i.Score, Reasons: []ProductReason{}}
		for _, why := range i.Reasons {
			if v, ok := a.productReason(c, why, known); ok {
				p.Reasons = append(p.Reasons, v)
			}
		}
		out.Items = append(out.Items, p)
	}
	return out, nil
}

// productReason prints a reason; one that names a product which the caller does not see is left out.
func (a *API) productReason(c *call, why predict.Reason, known map[int64]*record.Record) (ProductReason, bool) {
	out := ProductReason{Key: why.Key}
	loc := localeOf(c.locale)
	params := map[string]any{}
	for k, v := range why.Params {
		switch k {
		case "product":
			of, _ := v.(int64)
			r := known[of]
			if r == nil {
				return out, false
			}
			ref := c.productRef(r)
			out.Of, params[k] = &ref, r.Title
		case "gender", "tier":
			if key, _ := v.(string); key != "" {
				params[k] = a.Words.Text(loc, "model.recommend."+k+"."+key, nil)
			}
		case "confidence":
			f, _ := v.(float64)
			out.Share, params[k] = &f, strconv.FormatFloat(math.Round(f*1000)/10, 'f', -1, 64)+"%"
		case "lift":
			f, _ := v.(float64)
			out.Lift, params[k] = &f, strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64)
		default:
			params[k] = v
		}
	}
	out.Text = a.Words.Text(loc, "model.recommend.reason."+why.Key, params)
	return out, true
}

// BuyingHabits is what is known of a customer's habits.
type BuyingHabits struct {
	Version    int64           `json:"version" doc:"of the model; 0 before it has learned: nothing is said then of what is due and of price bands"`
	Today      string          `json:"today" doc:"the day of analysis"`
	Habit      recommend.Habit `json:"habit" doc:"what makes a product regular"`
	Products   []BoughtProduct `json:"products" doc:"those that the reader sees, bought on the most days first; 200 at most"`
	Categories []BoughtProduct `json:"categories"`
	Brands     []PreferredPart `json:"brands"`
	Styles     []PreferredPart `json:"styles"`
	Counts     StandingCounts  `json:"counts"`
	Price      *PricePaid      `json:"price"`
	Purchases  int             `json:"purchases"`
	Weekdays   []int           `json:"weekdays" doc:"purchases by day, Monday first"`
	Dayparts   []int           `json:"dayparts" doc:"purchases by six hours from midnight; those without a time of day are not among them"`
	Weekday    *int            `json:"weekday" doc:"the day that stands out, from 0"`
	Daypart    *int            `json:"daypart" doc:"the part of the day that stands out, from 0"`
}

// StandingCounts are how many products are what.
type StandingCounts struct {
	Regular    int `json:"regular"`
	Lapsed     int `json:"lapsed"`
	Occasional int `json:"occasional"`
}

// BoughtProduct is a product, or a category, that a customer bought.
type BoughtProduct struct {
	Product  *Ref      `json:"product,omitempty"`
	Category string    `json:"category"`
	Standing string    `json:"standing" enum:"regular,lapsed,occasional"`
	Days     int       `json:"days" doc:"on which it was bought"`
	Periods  int       `json:"periods" doc:"of the last ones, in which it was"`
	Quantity float64   `json:"quantity"`
	Amount   Money     `json:"amount"`
	First    string    `json:"first"`
	Last     string    `json:"last"`
	Due      *DueAgain `json:"due"`
}

// DueAgain is when something is expected to be bought again.
type DueAgain struct {
	On   string `json:"on"`
	From string `json:"from" doc:"of the interval that holds 80 % of cases"`
	To   string `json:"to"`
	In   int    `json:"in" doc:"days from the day of analysis"`
	Late int    `json:"late" doc:"days that have passed since it was usual to buy it; 0 when that is still to come"`
	Gaps int    `json:"gaps" doc:"between purchases so far"`
}

// PreferredPart is a share of the pieces bought.
type PreferredPart struct {
	Key   string  `json:"key"`
	Share float64 `json:"share"`
	Count int     `json:"count"`
}

// PricePaid is what a customer pays for one piece, in the base currency.
type PricePaid struct {
	Low    Money  `json:"low" doc:"a quarter of the pieces cost at most so much"`
	Median Money  `json:"median"`
	High   Money  `json:"high" doc:"three quarters"`
	Band   string `json:"band" doc:"economy, middle or premium within the categories; empty when there is nothing to compare with"`
	Pieces int    `json:"pieces"`
}

const boughtMost = 200

func (a *API) buyingHabits(ctx context.Context, c *call, in idIn) (BuyingHabits, error) {
	customer, err := c.seenCustomer(ctx, in.ID)
	if err != nil {
		return BuyingHabits{}, err
	}
	k, err := c.ws.Recommend.Preference(ctx, int64(customer))
	if err != nil {
		return BuyingHabits{}, err
	}
	out := BuyingHabits{Version: k.Version, Today: k.Today.String(), Habit: k.Habit, Products: []BoughtProduct{}, Categories: []BoughtProduct{}, Brands: showParts(k.Brands), Styles: showParts(k.Styles),
		Purchases: k.Purchases, Weekdays: k.Weekdays[:], Dayparts: k.Dayparts[:], Weekday: standing(k.Weekday), Daypart: standing(k.Daypart)}
	if p := k.Price; p != nil {
		out.Price = &PricePaid{Low: c.base(p.Low), Median: c.base(p.Median), High: c.base(p.High), Band: string(p.Band), Pieces: p.Pieces}
	}
	var ids []id.ID
	for i := range k.Products {
		switch k.Products[i].Standing {
		case recommend.Regular:
			out.Counts.Regular++
		case recommend.Lapsed:
			out.Counts.Lapsed++
		default:
			out.Counts.Occasional++
		}
		if i < boughtMost {
			ids = append(ids, id.ID(k.Products[i].Product))
		}
	}
	known, err := c.products(ctx, ids)
	if err != nil {
		return BuyingHabits{}, err
	}
	for i := range k.Products[:len(ids)] {
		if r := known[k.Products[i].Product]; r != nil {
			b := c.showBought(&k.Products[i], k.Today)
			ref := c.productRef(r)
			b.Product = &ref
			out.Products = append(out.Products, b)
		}
	}
	for i := range k.Categories {
		out.Categories = append(out.Categories, c.showBought(&k.Categories[i], k.Today))
	}
	return out, nil
}

func standing(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

func showParts(list []recommend.Share) []PreferredPart {
	out := []PreferredPart{}
	for _, s := range list {
		out = append(out, PreferredPart{s.Key, s.Share, s.N})
	}
	return out
}

// base is an amount in the base currency.
func (c *call) base(minor int64) Money { return ShowMoney(minor, c.ws.Info.Currency) }

func (c *call) showBought(b *recommend.Bought, today clock.Day) BoughtProduct {
	out := BoughtProduct{Category: b.Category, Standing: string(b.Standing), Days: b.Days, Periods: b.In, Quantity: float64(b.Quantity) / 1000, Amount: c.base(b.Amount), First: b.First.String(), Last: b.Last.String()}
	if d := b.Due; d != nil {
		out.Due = &DueAgain{On: d.On.String(), From: d.From.String(), To: d.To.String(), In: int(d.On - today), Late: int(max(today-d.Usual, 0)), Gaps: d.Gaps}
	}
	return out
}

// RecommendOverview is how good recommendations are.
type RecommendOverview struct {
	Version    int64              `json:"version" doc:"0 before the model has learned"`
	Until      string             `json:"until,omitempty"`
	HeldFrom   string             `json:"held_from,omitempty" doc:"first day of the purchases that the lists were judged on"`
	HeldUntil  string             `json:"held_until,omitempty"`
	Method     string             `json:"method" doc:"by which personal lists are ranked"`
	HalfLife   float64            `json:"half_life" doc:"in days, of what is bought again; 0 for none"`
	Listed     int                `json:"listed" doc:"length of the lists that were judged"`
	Products   int                `json:"products"`
	Orders     int                `json:"orders"`
	Judged     []RecommendQuality `json:"judged"`
	Rules      int                `json:"rules" doc:"of products bought together"`
	Categories []string           `json:"categories" doc:"of products, for the rules"`
	Brands     []string           `json:"brands"`
}

// RecommendQuality is how well lists of one method foretold later purchases.
type RecommendQuality struct {
	Task      string  `json:"task" enum:"new,again"`
	Method    string  `json:"method" enum:"popular,likeness,mix,factors,history"`
	Chosen    bool    `json:"chosen"`
	Customers int     `json:"customers"`
	Hit       float64 `json:"hit"`
	NDCG      float64 `json:"ndcg"`
	Recall    float64 `json:"recall"`
	Coverage  float64 `json:"coverage"`
}

func (a *API) recommendOverview(ctx context.Context, c *call, _ struct{}) (RecommendOverview, error) {
	o, err := c.ws.Recommend.Overview(ctx)
	if err != nil {
		return RecommendOverview{}, err
	}
	out := RecommendOverview{Version: o.Version, Until: dayText(o.Until), HeldFrom: dayText(o.Held[0]), HeldUntil: dayText(o.Held[1]), Method: string(o.Method), HalfLife: o.HalfLife, Listed: o.Listed,
		Products: o.Products, Orders: o.Baskets, Rules: o.Rules, Judged: []RecommendQuality{}}
	for _, j := range o.Judged {
		out.Judged = append(out.Judged, RecommendQuality{Task: j.Task, Method: string(j.Method), Chosen: j.Chosen, Customers: j.Users, Hit: j.Hit, NDCG: j.NDCG, Recall: j.Recall, Coverage: j.Coverage})
	}
	categories, brands, err := c.ws.Recommend.Names(ctx)
	out.Categories, out.Brands = list(categories), list(brands)
	return out, err
}

// Association is a rule of two products that are bought together.
type Association struct {
	From       Ref     `json:"from"`
	To         Ref     `json:"to"`
	Both       int     `json:"both" doc:"orders with both"`
	WithFrom   int     `json:"with_from"`
	WithTo     int     `json:"with_to"`
	Support    float64 `json:"support" doc:"share of all orders that hold both"`
	Confidence float64 `json:"confidence" doc:"share of the orders with the first that hold the second"`
	Reverse    float64 `json:"reverse" doc:"the other way round"`
	Lift       float64 `json:"lift" doc:"how many times as often as by chance"`
	LiftLow    float64 `json:"lift_low" doc:"lower bound at 95 %"`
	Q          float64 `json:"q" doc:"share of false rules among those at least as sure (Fisher's exact test, Benjamini and Hochberg)"`
	Sure       bool    `json:"sure" doc:"q is below 0.05"`
}

// Associations are the rules, the surest first.
type Associations struct {
	Orders int           `json:"orders"`
	Items  []Association `json:"items"`
}

type associationsIn struct {
	Product string `query:"product" doc:"only rules with this product"`
	Limit   int    `query:"limit" doc:"100 when empty, 1000 at most"`
}

const (
	associationsUsual = 100
	associationsMost  = 1000
	sureBelow         = 0.05
)

func (a *API) associations(ctx context.Context, c *call, in associationsIn) (Associations, error) {
	if in.Limit < 0 || in.Limit > associationsMost {
		return Associations{}, fault.InvalidField("api.bad_parameter", "limit", nil)
	}
	if in.Limit == 0 {
		in.Limit = associationsUsual
	}
	out := Associations{Items: []Association{}}
	var product id.ID
	if in.Product != "" {
		var err error
		if product, err = c.seenProduct(ctx, in.Product); err != nil {
			return out, err
		}
	}
	rules, err := c.ws.Recommend.Associations(ctx, int64(product), in.Limit)
	if err != nil {
		return out, err
	}
	var ids []id.ID
	for _, r := range rules {
		ids = append(ids, id.ID(r.From), id.ID(r.To))
	}
	known, err := c.products(ctx, ids)
	for _, r := range rules {
		from, to := known[r.From], known[r.To]
		out.Orders = r.Baskets
		if from == nil || to == nil {
			continue
		}
		out.Items = append(out.Items, Association{From: c.productRef(from), To: c.productRef(to), Both: r.Both, WithFrom: r.WithA, WithTo: r.WithB, Support: r.Support(), Confidence: r.Confidence(),
			Reverse: r.Reverse(), Lift: r.Lift(), LiftLow: r.LiftLow(), Q: r.Q, Sure: r.Q < sureBelow})
	}
	return out, err
}

func (a *API) recommendRules(ctx context.Context, c *call, _ struct{}) (recommend.Rules, error) {
	return c.ws.Recommend.Rules(ctx)
}

type recommendRulesIn struct {
	Body recommend.Rules
}

func (a *API) setRecommendRules(ctx context.Context, c *call, in recommendRulesIn) (recommend.Rules, error) {
	r, err := c.ws.Recommend.SetRules(ctx, in.Body)
	if err != nil {
		return r, err
	}
	return r, a.Auth.Note(ctx, c.who.Workspace.Key, "recommend.rules", "", 0, map[string]any{"rules": r})
}

type recommendPreviewIn struct {
	Body struct {
		Customer string          `json:"customer"`
		Kind     string          `json:"kind,omitempty"`
		Limit    int             `json:"limit,omitempty"`
		Rules    recommend.Rules `json:"rules"`
	}
}

func (a *API) previewRecommend(ctx context.Context, c *call, in recommendPreviewIn) (Recommendations, error) {
	limit, err := listLimit(in.Body.Limit)
	if err != nil {
		return Recommendations{}, err
	}
	if err := in.Body.Rules.Check(); err != nil {
		return Recommendations{}, err
	}
	customer, err := c.seenCustomer(ctx, in.Body.Customer)
	if err != nil {
		return Recommendations{}, err
	}
	return a.listFor(ctx, c, customer, in.Body.Kind, limit, &in.Body.Rules)
}

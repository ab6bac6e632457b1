package app

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/engage/campaign"
	"github.com/guanxi-crm/guanxi/internal/engage/offer"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// mayBeSaid reports whether a letter may say a trait: what is a guess about somebody, or the company's own figure of him, is not told to him.
func mayBeSaid(d *trait.Def) bool {
	switch d.Group {
	case "prediction", "churn", "margin", "value", "loyalty", "consent", "social":
		return false
	}
	return true
}

// hasOffer implements template.Config.Offer.
func (w *workspace) hasOffer(ctx context.Context, key string) bool {
	v, err := id.Parse(offer.Prefix, key)
	if err == nil {
		_, err = w.edge.Offers.Get(system(ctx), v)
	}
	return err == nil
}

// offerHolds says why codes of an offer cannot be given now; an empty key is none.
func (w *workspace) offerHolds(ctx context.Context, key string) error {
	if key == "" {
		return nil
	}
	v, err := id.Parse(offer.Prefix, key)
	if err != nil {
		return err
	}
	_, err = w.edge.Offers.Give(system(ctx), v, nil)
	return err
}

// more is what letters speak of besides the fields of their readers: traits, and codes, one for each line however often it is written. The faults are by line.
func (c *campaignWriter) more(ctx context.Context, list []campaign.Draw) ([]template.Values, []error) {
	out, errs := make([]template.Values, len(list)), make([]error, len(list))
	letters, locales := make([]*template.Letter, len(list)), make([]string, len(list))
	traits, offers := map[*template.Letter][]int{}, map[string][]int{}
	for i := range list {
		d := &list[i]
		if letters[i], locales[i], errs[i] = c.letterOf(ctx, d); errs[i] != nil {
			continue
		}
		out[i] = template.Values{}
		if len(letters[i].Traits()) > 0 {
			traits[letters[i]] = append(traits[letters[i]], i)
		}
		if key := letters[i].Offer(); key != "" {
			offers[key] = append(offers[key], i)
		}
	}
	for l, lines := range traits {
		people := make([]id.ID, len(lines))
		for j, i := range lines {
			people[j] = list[i].Person.ID
		}
		got, err := c.traits(ctx, l.Traits(), people, locales[lines[0]])
		for _, i := range lines {
			out[i]["traits"], errs[i] = got[list[i].Person.ID], err
		}
	}
	for key, lines := range offers {
		gifts := make([]offer.Given, len(lines))
		for j, i := range lines {
			gifts[j] = offer.Given{For: "message:" + id.Format(campaign.Prefix, list[i].Intent), Customer: list[i].Person.ID}
		}
		codes, name, err := c.codes(ctx, key, gifts)
		for j, i := range lines {
			if errs[i] == nil {
				errs[i] = err
			}
			if errs[i] == nil {
				out[i]["coupon"] = c.coupon(codes[j], name, locales[i])
			}
		}
	}
	return out, errs
}

func (c *campaignWriter) codes(ctx context.Context, key string, gifts []offer.Given) ([]offer.Coupon, *offer.Offer, error) {
	v, err := id.Parse(offer.Prefix, key)
	if err != nil {
		return nil, nil, err
	}
	o, err := c.w.edge.Offers.Get(system(ctx), v)
	if err != nil {
		return nil, nil, err
	}
	codes, err := c.w.edge.Offers.Give(system(ctx), v, gifts)
	return codes, &o, err
}

// coupon is a code as templates speak of it: until is its last day, valid says so in words.
func (c *campaignWriter) coupon(x offer.Coupon, o *offer.Offer, locale string) template.Values {
	out := template.Values{"code": x.Code, "name": o.Name}
	until := o.Rule.To
	if !x.ExpiresAt.IsZero() {
		if last := (clock.DayOf(x.ExpiresAt, c.w.zoneOf()) - 1).String(); until == "" || last < until {
			until = last
		}
	}
	if until != "" {
		out["until"] = until
		out["valid"] = c.w.app.words.Text(lang.Locale(locale), "campaign.coupon_valid", map[string]any{"day": until})
	}
	return out
}

// traits are values of traits as templates speak of them: numbers and amounts as numbers, classes in words.
func (c *campaignWriter) traits(ctx context.Context, keys []string, people []id.ID, locale string) (map[id.ID]template.Values, error) {
	values, err := c.w.traits.Values(system(ctx), people, keys...)
	if err != nil {
		return nil, err
	}
	out := make(map[id.ID]template.Values, len(people))
	for _, p := range people {
		v := template.Values{}
		for _, key := range keys {
			if d, ok := c.w.words.Catalogue().Find(key); ok {
				v[key] = c.said(&d, values[p][key], lang.Locale(locale))
			}
		}
		out[p] = v
	}
	return out, nil
}

func (c *campaignWriter) said(d *trait.Def, v any, locale lang.Locale) any {
	switch x := v.(type) {
	case string:
		switch d.Type {
		case schema.Choice:
			return d.Option(x).In(locale)
		case schema.Tags:
			var list []any
			for _, tag := range strings.Split(strings.Trim(x, "|"), "|") {
				list = append(list, tag)
			}
			return list
		}
		return x
	case int64:
		switch d.Type {
		case schema.Money:
			return float64(x) / math.Pow10(money.Exponent(c.w.info.Currency))
		case schema.Date:
			return clock.Day(x).String()
		case schema.DateTime:
			return clock.DayOf(time.UnixMilli(x), c.w.zoneOf()).String()
		case schema.Bool:
			return x != 0
		}
		return float64(x) / math.Pow10(d.Scale)
	case bool:
		return x
	}
	return nil
}

// draftMore is more for a page: nobody's traits are missing, and a code is a sample.
func (c *campaignWriter) draftMore(ctx context.Context, l *template.Letter, locale string, customer id.ID) (template.Values, error) {
	out := template.Values{}
	if len(l.Traits()) > 0 && customer != 0 && access.From(ctx).Can(access.SegmentRead) {
		got, err := c.traits(ctx, l.Traits(), []id.ID{customer}, locale)
		if err != nil {
			return nil, err
		}
		out["traits"] = got[customer]
	}
	if key := l.Offer(); key != "" {
		v, err := id.Parse(offer.Prefix, key)
		if err != nil {
			return nil, err
		}
		o, err := c.w.edge.Offers.Get(system(ctx), v)
		if err != nil {
			return nil, err
		}
		out["coupon"] = c.coupon(offer.Coupon{Code: "ABCD2345EFGH", ExpiresAt: o.Rule.Expiry(c.w.app.Clock.Now(), c.w.zoneOf())}, &o, locale)
	}
	return out, nil
}

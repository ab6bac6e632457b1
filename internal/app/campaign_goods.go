package app

import (
	"context"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/customer/consent"
	"github.com/guanxi-crm/guanxi/internal/engage/template"
	"github.com/guanxi-crm/guanxi/internal/insight/recommend"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// goodsAtMost is how many products a letter shows.
const goodsAtMost = 8

// goods are the products that are recommended to a customer, as templates speak of them; none for who refused to have things chosen.
func (c *campaignWriter) goods(ctx context.Context, customer id.ID, env schema.ParseEnv) ([]any, error) {
	w := c.w
	may, err := w.consents.Allowed(ctx, []id.ID{customer}, consent.Personalisation, consent.Any)
	if err != nil || !may[customer].OK {
		return nil, err
	}
	list, err := w.edge.Recommend.For(ctx, int64(customer), recommend.Personal, goodsAtMost, nil)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(list.Items))
	for i, it := range list.Items {
		ids[i] = id.ID(it.Product)
	}
	obj := w.registry().Object("product")
	if obj == nil || len(ids) == 0 {
		return nil, nil
	}
	recs, err := w.records.GetMany(system(ctx), obj.Key, ids, []string{"name", "list_price"})
	if err != nil {
		return nil, err
	}
	var out []any
	for _, r := range recs {
		v := template.Values{"name": r.Title}
		if price := r.Values["list_price"]; price != nil {
			v["price"] = schema.FormatText(obj.Field("list_price"), price, env)
		}
		out = append(out, v)
	}
	return out, nil
}

package analytics

import (
	"strconv"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// The facts of buying, under the workspace's one definition of a purchase: an order in one of the named states with a
// positive value after discounts in the base currency, of a known customer. Everything that speaks of purchases reads these
// relations and nothing else, so the definition stands in one place. Amounts are minor units of the base currency.
const (
	viewPurchase = `SELECT id AS order_id, customer AS customer_id, placed_at, placed_at_day AS day, net_amount_base AS amount,
 COALESCE(discount_amount_base, gross_amount_base - net_amount_base, 0) AS discount, cost_amount_base AS cost,
 channel AS channel_id, store AS store_id
FROM a_order WHERE status IN ({states}) AND net_amount_base > 0 AND customer > 0`

	// A line without value (a gift) is no sign of taste and no bought item.
	viewLine = `SELECT id AS line_id, "order" AS order_id, customer AS customer_id, placed_at_day AS day, quantity, amount_base AS amount,
 product AS product_id, variant AS variant_id, category, brand
FROM a_order_line WHERE status IN ({states}) AND amount_base > 0 AND customer > 0`

	// What the line does not say of itself its product does. Who wants few customers takes f_line and joins afterwards.
	viewPurchaseLine = `SELECT l.line_id, l.order_id, l.customer_id, l.day, l.quantity, l.amount, l.product_id, l.variant_id,
 COALESCE(l.category, p.category) AS category, COALESCE(l.brand, p.brand) AS brand
FROM f_line l LEFT JOIN a_product p ON p.id = l.product_id`

	viewRefund = `SELECT id AS refund_id, customer AS customer_id, refunded_at_day AS day, amount_base AS amount,
 COALESCE(cost_amount_base, 0) AS cost
FROM a_refund WHERE customer > 0`
)

// factViews are the fact relations in the order in which they are made.
func factViews(states []string) ([]view, error) {
	for _, s := range states {
		if !plainKey(s) {
			return nil, fault.InvalidField("trait.bad_purchase_state", "statuses", fault.Params{"status": s})
		}
	}
	if len(states) == 0 {
		return nil, fault.InvalidField("trait.no_purchase_state", "statuses", nil)
	}
	list := "'" + strings.Join(states, "', '") + "'"
	fill := func(text string) string { return strings.ReplaceAll(text, "{states}", list) }
	return []view{{"f_purchase", fill(viewPurchase)}, {"f_line", fill(viewLine)}, {"f_purchase_line", viewPurchaseLine}, {"f_refund", fill(viewRefund)}}, nil
}

type view struct{ name, text string }

// plainKey reports a key that may stand in a statement: option keys are of this shape by declaration.
func plainKey(s string) bool {
	if s == "" || len(s) > 48 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// factObjects are the objects whose relations the facts and traits read.
func factObjects() []string {
	return []string{"customer", "order", "order_line", "refund", "product", "variant", "channel", "store"}
}

// checkObjects makes sure that the registry has what the facts read.
func checkObjects(reg *schema.Registry) error {
	for _, key := range factObjects() {
		if o := reg.Object(key); o == nil || !o.Analytic {
			return fault.New(fault.Internal, "analytics.object_missing", fault.Params{"object": key})
		}
	}
	return nil
}

// traitsView is the wide view: one row for each live customer, all families beside each other.
func traitsView(classes []string, computed []ComputedColumn) view {
	var cols, joins strings.Builder
	for i, f := range append(families(), modelFamilies()...) {
		alias := "f" + strconv.Itoa(i)
		names := f.values()
		if f.name == FamilyClass {
			names = classes
		}
		for _, n := range names {
			cols.WriteString(", " + alias + "." + Quote(n))
		}
		joins.WriteString(" LEFT JOIN " + f.name + " " + alias + " ON " + alias + ".customer_id = c.id")
	}
	joined := map[string]string{}
	for _, c := range computed {
		alias, ok := joined[c.Table]
		if !ok {
			alias = "k" + string(rune('0'+len(joined)))
			joined[c.Table] = alias
			joins.WriteString(" LEFT JOIN " + c.Table + " " + alias + " ON " + alias + ".customer_id = c.id")
		}
		cols.WriteString(", " + alias + "." + c.Column + " AS " + Quote(c.Key))
	}
	return view{"customer_traits", "SELECT c.id AS customer_id" + cols.String() + " FROM a_customer c" + joins.String()}
}

package analytics

import (
	"slices"
	"strconv"
	"strings"
)

// Text is one statement of the plane. Its parameters are listed by kind so that a test can prepare and run it.
type Text struct {
	Name string
	SQL  string
}

// A scope says which customers a statement works on. It stands in a text as {scope COLUMN}.
const (
	scopeTouched = "touched" // those in trait_now
	scopeOne     = "one"     // one of them: an equality prunes what is read, a list does not
	scopeSlice   = "slice"   // ids from one up to, not including, another
)

// scoped writes the condition of a scope into a text; the one id is the parameter first, the bounds of a slice are first and
// first+1.
func scoped(text, scope string, first int) string {
	var b strings.Builder
	for {
		i := strings.Index(text, "{scope ")
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		j := strings.IndexByte(text[i:], '}') + i
		col := text[i+len("{scope ") : j]
		b.WriteString(text[:i])
		param := func(n int) string { return "CAST($" + strconv.Itoa(n) + " AS BIGINT)" }
		switch scope {
		case scopeTouched:
			b.WriteString(col + " IN (SELECT customer_id FROM trait_now)")
		case scopeOne:
			b.WriteString(col + " = " + param(first))
		default:
			b.WriteString(col + " >= " + param(first) + " AND " + col + " < " + param(first+1))
		}
		text = text[j+1:]
	}
}

// A pass copies what it works on into work tables first: the customers of its scope and their facts up to the anchor.
// Everything after that reads the work tables, so that the large relations are walked once and memory is bounded by the
// slice. Names of goods become numbers in byte order on the way (pass_name), since grouping by numbers costs half.
// Parameters: $1 the anchor day, $2 and $3 the scope.
const (
	anchorParam = "CAST($1 AS BIGINT)"

	fillCustomers = `INSERT INTO pass_customer (customer_id) SELECT id FROM a_customer WHERE {scope id}`

	// side says where an order came from: 1 online, 2 offline. One with a store and no channel is offline.
	fillPurchases = `INSERT INTO pass_purchase (customer_id, placed_at, day, amount, discount, cost, channel_id, store_id, side)
SELECT p.customer_id, p.placed_at, p.day, p.amount, p.discount, p.cost, p.channel_id, p.store_id,
 CASE WHEN k.kind IN ('online', 'marketplace', 'social') THEN 1
  WHEN k.kind = 'offline' OR (p.channel_id IS NULL AND p.store_id IS NOT NULL) THEN 2 END
FROM (SELECT * FROM f_purchase WHERE day <= {anchor} AND {scope customer_id}) p LEFT JOIN a_channel k ON k.id = p.channel_id`

	fillRefunds = `INSERT INTO pass_refund (customer_id, amount, cost)
SELECT customer_id, amount, cost FROM f_refund WHERE day <= {anchor} AND {scope customer_id}`

	// Few lines are copied with their names, which are numbered then; many are numbered as they are read.
	fillNamed = `INSERT INTO pass_named (customer_id, quantity, amount, product_id, category, brand, size)
SELECT l.customer_id, l.quantity, l.amount, l.product_id, COALESCE(l.category, p.category), COALESCE(l.brand, p.brand), v.size
FROM (SELECT * FROM f_line WHERE day <= {anchor} AND {scope customer_id}) l
LEFT JOIN a_product p ON p.id = l.product_id LEFT JOIN a_variant v ON v.id = l.variant_id`

	fillLines = `INSERT INTO pass_line (customer_id, quantity, amount, product_id, category, brand, size)
SELECT l.customer_id, l.quantity, l.amount, l.product_id, COALESCE(a.code, p.category), COALESCE(b.code, p.brand), v.size
FROM (SELECT * FROM f_line WHERE day <= {anchor} AND {scope customer_id}) l
LEFT JOIN (SELECT p.id, a.code AS category, b.code AS brand FROM a_product p
 LEFT JOIN pass_name a ON a.name = p.category LEFT JOIN pass_name b ON b.name = p.brand) p ON p.id = l.product_id
LEFT JOIN (SELECT v.id, n.code AS size FROM a_variant v JOIN pass_name n ON n.name = v.size) v ON v.id = l.variant_id
LEFT JOIN pass_name a ON a.name = l.category LEFT JOIN pass_name b ON b.name = l.brand`

	numberLines = `INSERT INTO pass_line (customer_id, quantity, amount, product_id, category, brand, size)
SELECT l.customer_id, l.quantity, l.amount, l.product_id, a.code, b.code, z.code FROM pass_named l
LEFT JOIN pass_name a ON a.name = l.category LEFT JOIN pass_name b ON b.name = l.brand LEFT JOIN pass_name z ON z.name = l.size`

	placeNames = ` UNION SELECT name FROM a_channel UNION SELECT name FROM a_store) x WHERE name IS NOT NULL`

	// The names that may occur in a slice: {scope}, then parameters $1 and $2.
	listNames = `SELECT name FROM (SELECT category AS name FROM a_order_line WHERE {scope customer}
 UNION SELECT brand FROM a_order_line WHERE {scope customer} UNION SELECT category FROM a_product UNION SELECT brand FROM a_product
 UNION SELECT size FROM a_variant` + placeNames

	listFewNames = `SELECT name FROM (SELECT category AS name FROM pass_named UNION SELECT brand FROM pass_named
 UNION SELECT size FROM pass_named` + placeNames

	clearNames = `DELETE FROM pass_name`
)

// insertOrder computes t_order: a row for every live customer. A window of n days holds the n local days that end with the
// anchor ($1). Shares and rates have four decimals, intervals two, by integer division rounded half away from zero. Without a
// purchase counts and sums are 0 and everything else has no value. The time of computing is $2.
const insertOrder = `INSERT INTO {into} ({columns})
SELECT c.customer_id,
 COALESCE(p.orders, 0), COALESCE(p.orders_30d, 0), COALESCE(p.orders_90d, 0), COALESCE(p.orders_180d, 0), COALESCE(p.orders_365d, 0),
 COALESCE(p.spend, 0), COALESCE(p.spend_30d, 0), COALESCE(p.spend_90d, 0), COALESCE(p.spend_180d, 0), COALESCE(p.spend_365d, 0),
 COALESCE(p.spend, 0) - COALESCE(r.amount, 0),
 p.first_at, p.first_day, p.last_at, p.last_day, {anchor} - p.last_day,
 gx_div(p.spend, p.orders), gx_div((p.last_day - p.first_day) * 100, d.days - 1), COALESCE(d.days, 0),
 gx_div(p.discount * 10000, p.spend + p.discount),
 COALESCE(r.refunds, 0), COALESCE(r.amount, 0), gx_div(COALESCE(r.amount, 0) * 10000, p.spend),
 CASE WHEN p.costed = p.orders THEN p.spend - p.cost - COALESCE(r.amount, 0) + COALESCE(r.cost, 0) END,
 CASE WHEN p.costed = p.orders THEN gx_div((p.spend - p.cost - COALESCE(r.amount, 0) + COALESCE(r.cost, 0)) * 10000, p.spend - COALESCE(r.amount, 0)) END,
 CAST($2 AS BIGINT)
FROM pass_customer c
LEFT JOIN (
 SELECT customer_id, count(*) AS orders,
  count(*) FILTER (WHERE day > {anchor} - 30) AS orders_30d, count(*) FILTER (WHERE day > {anchor} - 90) AS orders_90d,
  count(*) FILTER (WHERE day > {anchor} - 180) AS orders_180d, count(*) FILTER (WHERE day > {anchor} - 365) AS orders_365d,
  CAST(sum(amount) AS BIGINT) AS spend,
  CAST(COALESCE(sum(amount) FILTER (WHERE day > {anchor} - 30), 0) AS BIGINT) AS spend_30d,
  CAST(COALESCE(sum(amount) FILTER (WHERE day > {anchor} - 90), 0) AS BIGINT) AS spend_90d,
  CAST(COALESCE(sum(amount) FILTER (WHERE day > {anchor} - 180), 0) AS BIGINT) AS spend_180d,
  CAST(COALESCE(sum(amount) FILTER (WHERE day > {anchor} - 365), 0) AS BIGINT) AS spend_365d,
  min(placed_at) AS first_at, min(day) AS first_day, max(placed_at) AS last_at, max(day) AS last_day,
  CAST(sum(discount) AS BIGINT) AS discount, CAST(sum(cost) AS BIGINT) AS cost, count(cost) AS costed
 FROM pass_purchase GROUP BY customer_id) p ON p.customer_id = c.customer_id
LEFT JOIN (
 SELECT customer_id, count(*) AS days FROM (SELECT DISTINCT customer_id, day FROM pass_purchase) x GROUP BY customer_id) d ON d.customer_id = c.customer_id
LEFT JOIN (
 SELECT customer_id, count(*) AS refunds, CAST(sum(amount) AS BIGINT) AS amount, CAST(sum(cost) AS BIGINT) AS cost
 FROM pass_refund GROUP BY customer_id) r ON r.customer_id = c.customer_id
ORDER BY c.customer_id`

// Taste is computed in parts, one statement with one level of grouping each: a favourite is what was bought most often, by
// orders for channels and stores and by quantity for what is bought; ties go to the greater amount, then to the first text in
// byte order. Shares are of the orders whose channel says where they came from. Parts keep memory small, and DuckDB 1.4.3 was
// seen to crash where many groupings run beside each other in one statement.
const (
	tasteSides = `INSERT INTO pass_side (customer_id, online, offline)
SELECT customer_id, count(*) FILTER (WHERE side = 1), count(*) FILTER (WHERE side = 2) FROM pass_purchase GROUP BY customer_id`

	tasteItems = `INSERT INTO pass_items (customer_id, items, products)
SELECT customer_id, CAST(sum(quantity) AS BIGINT), count(product_id) FROM (
 SELECT customer_id, product_id, CAST(sum(quantity) AS BIGINT) AS quantity FROM pass_line GROUP BY customer_id, product_id) x
GROUP BY customer_id`

	// {what} is channel or store.
	tastePlace = `INSERT INTO pass_{what} (customer_id, different, code)
SELECT customer_id, count(*), {first} FROM (
 SELECT g.customer_id, n.code, g.n, g.amount FROM (
  SELECT customer_id, {what}_id, count(*) AS n, CAST(sum(amount) AS BIGINT) AS amount FROM pass_purchase
  WHERE {what}_id IS NOT NULL GROUP BY customer_id, {what}_id) g
 JOIN a_{what} a ON a.id = g.{what}_id LEFT JOIN pass_name n ON n.name = a.name) x GROUP BY customer_id`

	// {what} is category, brand or size.
	tasteGoods = `INSERT INTO pass_{what} (customer_id, code)
SELECT customer_id, {first} FROM (
 SELECT customer_id, {what} AS code, CAST(sum(quantity) AS BIGINT) AS n, CAST(sum(amount) AS BIGINT) AS amount FROM pass_line
 WHERE {what} IS NOT NULL GROUP BY customer_id, {what}) x GROUP BY customer_id`

	// A row for every live customer with a purchase. The time of computing is the parameter.
	joinTaste = `INSERT INTO {into} ({columns})
SELECT p.customer_id, i.items, i.products, COALESCE(k.different, 0),
 gx_div(p.online * 10000, p.online + p.offline), gx_div(p.offline * 10000, p.online + p.offline),
 kn.name, cn.name, bn.name, sn.name, zn.name, CAST(? AS BIGINT)
FROM pass_side p JOIN pass_customer w ON w.customer_id = p.customer_id LEFT JOIN pass_items i ON i.customer_id = p.customer_id
LEFT JOIN pass_channel k ON k.customer_id = p.customer_id LEFT JOIN pass_name kn ON kn.code = k.code
LEFT JOIN pass_store s ON s.customer_id = p.customer_id LEFT JOIN pass_name sn ON sn.code = s.code
LEFT JOIN pass_category c ON c.customer_id = p.customer_id LEFT JOIN pass_name cn ON cn.code = c.code
LEFT JOIN pass_brand b ON b.customer_id = p.customer_id LEFT JOIN pass_name bn ON bn.code = b.code
LEFT JOIN pass_size z ON z.customer_id = p.customer_id LEFT JOIN pass_name zn ON zn.code = z.code
ORDER BY p.customer_id`
)

// tasteParts are the statements of the parts.
func tasteParts(d Dialect) []string {
	out := []string{tasteSides, tasteItems}
	part := func(text, what string) {
		out = append(out, strings.NewReplacer("{what}", what, "{first}", d.First("code", "n DESC, amount DESC, code")).Replace(text))
	}
	for _, what := range []string{"channel", "store"} {
		part(tastePlace, what)
	}
	for _, what := range []string{"category", "brand", "size"} {
		part(tasteGoods, what)
	}
	return out
}

func tasteText(into string) string {
	return strings.NewReplacer("{into}", into, "{columns}", quoteAll(tasteFamily().names(), "")).Replace(joinTaste)
}

// fillTexts fill the work tables of a scope, lines apart, which come last: fillLines in a slice, else fillNamed and then
// numberLines. fillCustomers has no anchor.
func fillTexts(scope string) (customers string, facts []string) {
	lines := fillNamed
	if scope == scopeSlice {
		lines = fillLines
	}
	for _, text := range []string{fillPurchases, fillRefunds, lines} {
		facts = append(facts, scoped(strings.ReplaceAll(text, "{anchor}", anchorParam), scope, 2))
	}
	return scoped(fillCustomers, scope, 1), facts
}

// insertRFM scores who has bought, from the order family ({from}: the family or its staged twin). Parameters: the cuts of
// recency, frequency and monetary value, four each, then the time of computing; see stat/rfm for what the cuts mean.
const insertRFM = `INSERT INTO {into} ({columns})
SELECT customer_id, recency, frequency, monetary, r, f, m, CAST(r * 100 + f * 10 + m AS TEXT),
 CASE WHEN m >= 4 THEN 'important_' ELSE 'general_' END ||
 CASE WHEN r >= 4 AND f >= 4 THEN 'value' WHEN r >= 4 THEN 'develop' WHEN f >= 4 THEN 'keep' ELSE 'win_back' END,
 CAST($13 AS BIGINT)
FROM ({scores}) s
ORDER BY customer_id`

const rfmScores = `SELECT customer_id, days_since_last AS recency, orders AS frequency, {monetary} AS monetary,
  5 - {r} AS r, 1 + {f} AS f, 1 + {m} AS m FROM {from} WHERE orders > 0{who}`

// above counts the cuts below a value.
func above(column string, first int) string {
	var b strings.Builder
	b.WriteString("(")
	for i := range 4 {
		if i > 0 {
			b.WriteString(" + ")
		}
		b.WriteString("CASE WHEN " + column + " > CAST($" + strconv.Itoa(first+i) + " AS BIGINT) THEN 1 ELSE 0 END")
	}
	b.WriteString(")")
	return b.String()
}

// scopeAll is everyone in the order family that an RFM text reads.
const scopeAll = "all"

// rfmText is insertRFM for a scope; the one id is the parameter 14. monetary is the column that counts as monetary value.
func rfmText(into, from, monetary, scope string) string {
	who := ""
	if scope != scopeAll {
		who = scoped(" AND {scope customer_id}", scope, 14)
	}
	scores := strings.NewReplacer("{from}", from, "{monetary}", monetary, "{r}", above("days_since_last", 1),
		"{f}", above("orders", 5), "{m}", above(monetary, 9), "{who}", who).Replace(rfmScores)
	return strings.NewReplacer("{into}", into, "{columns}", quoteAll(rfmFamily().names(), ""), "{scores}", scores).Replace(insertRFM)
}

// orderText is the computing text of t_order into a table.
func orderText(into string) string {
	return strings.NewReplacer("{into}", into, "{columns}", quoteAll(orderFamily().names(), ""), "{anchor}", anchorParam).Replace(insertOrder)
}

// Fixed texts of the passes.
const (
	lastPurchaseDay = `SELECT max(day) FROM f_purchase WHERE day <= ?`
	lastKnownDay    = `SELECT max(last_order_day) FROM t_order WHERE last_order_day <= ?`
	// While customers wait, theirs is read from the purchases.
	lastMarkedDay = `SELECT max(day) FROM (
 SELECT max(o.last_order_day) AS day FROM t_order o LEFT JOIN trait_touched w ON w.customer_id = o.customer_id WHERE w.customer_id IS NULL AND o.last_order_day <= ?
 UNION ALL SELECT max(day) FROM f_purchase WHERE day <= ? AND customer_id IN (SELECT customer_id FROM trait_touched)) x`
	countTouched   = `SELECT count(*) FROM (SELECT DISTINCT customer_id FROM trait_touched) t`
	lastBatch      = `SELECT COALESCE(max(batch), 0) FROM trait_touched`
	clearNow       = `DELETE FROM trait_now`
	takeTouched    = `INSERT INTO trait_now (customer_id) SELECT DISTINCT customer_id FROM trait_touched WHERE batch <= ?`
	dropTouched    = `DELETE FROM trait_touched WHERE batch <= ?`
	countNow       = `SELECT count(*) FROM trait_now`
	listNow        = `SELECT customer_id FROM trait_now ORDER BY customer_id LIMIT ?`
	countCustomers = `SELECT count(*) FROM a_customer`
	countFacts     = `SELECT (SELECT count(*) FROM a_order) + (SELECT count(*) FROM a_order_line)`
	// A sample of whom orders belong to: old customers have more of them than new ones.
	sliceSample   = `SELECT customer FROM a_order WHERE id % 499 = 0 AND customer > 0 ORDER BY customer`
	touchCustomer = `INSERT INTO trait_touched (customer_id, batch) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)`

	rfmTotals = `SELECT count(*), CAST(COALESCE(sum(recency), 0) AS BIGINT), CAST(COALESCE(sum(frequency), 0) AS BIGINT),
 CAST(COALESCE(sum(monetary), 0) AS BIGINT) FROM t_rfm`

	readState = `SELECT value FROM plane_state WHERE key = ?`
	dropState = `DELETE FROM plane_state WHERE key = ?`
	// Only if relations were not filled once more in the meantime.
	dropRefilled = `DELETE FROM plane_state WHERE key = ? AND value = ?`
	writeState   = `INSERT INTO plane_state (key, value) VALUES (?, ?)`
)

func deleteNow(family, scope string) string {
	return scoped("DELETE FROM "+family+" WHERE {scope customer_id}", scope, 1)
}

// movedText puts the customers whose value lies above one bound and not above another among the touched ones: a cut that
// moved from one to the other changes their score.
func movedText(column string) string {
	return "INSERT INTO trait_now (customer_id) SELECT t.customer_id FROM (SELECT customer_id FROM " + FamilyOrder +
		" WHERE orders > 0 AND " + column + " > CAST($1 AS BIGINT) AND " + column + " <= CAST($2 AS BIGINT)) t" +
		" LEFT JOIN trait_now n ON n.customer_id = t.customer_id WHERE n.customer_id IS NULL"
}

// valuesText are the three figures of RFM of a scope's purchasers; the one id is the parameter.
func valuesText(monetary, scope string) string {
	return scoped("SELECT days_since_last, orders, "+monetary+" FROM "+FamilyOrder+" WHERE orders > 0 AND {scope customer_id}", scope, 1)
}

// nextText is the next value above or below one, and how many have it.
func nextText(column string, up bool) string {
	end, than := "max", "<"
	if up {
		end, than = "min", ">"
	}
	return "SELECT " + column + ", count(*) FROM " + FamilyOrder + " WHERE orders > 0 AND " + column + " = (SELECT " + end + "(" + column +
		") FROM " + FamilyOrder + " WHERE orders > 0 AND " + column + " " + than + " CAST($1 AS BIGINT)) GROUP BY " + column
}

func distinctText(from, column string) string {
	return "SELECT " + column + ", count(*) FROM " + from + " WHERE orders > 0 GROUP BY " + column + " ORDER BY " + column
}

// changedText counts the rows of a family that a full pass computed otherwise; lostText those that it did not compute.
// Customers touched meanwhile are left out: they wait for their own pass.
func changedText(f table) string {
	var b strings.Builder
	b.WriteString("SELECT count(*) FROM " + staged(f.name) + " n LEFT JOIN " + f.name + " o ON o.customer_id = n.customer_id" +
		" LEFT JOIN (SELECT DISTINCT customer_id FROM trait_touched) w ON w.customer_id = n.customer_id" +
		" WHERE w.customer_id IS NULL AND (o.customer_id IS NULL")
	for _, c := range f.values() {
		b.WriteString(" OR o." + Quote(c) + " IS DISTINCT FROM n." + Quote(c))
	}
	b.WriteString(")")
	return b.String()
}

func lostText(f table) string {
	return "SELECT count(*) FROM " + f.name + " o LEFT JOIN " + staged(f.name) + " n ON n.customer_id = o.customer_id" +
		" LEFT JOIN (SELECT DISTINCT customer_id FROM trait_touched) w ON w.customer_id = o.customer_id" +
		" WHERE w.customer_id IS NULL AND n.customer_id IS NULL"
}

// swapText replaces a family by its staged twin, clustered by customer.
func swapText(f table) string {
	names := quoteAll(f.names(), "")
	return "INSERT INTO " + f.name + " (" + names + ") SELECT " + names + " FROM " + staged(f.name) + " ORDER BY customer_id"
}

func readFamily(f string, columns []string, ids int) string {
	return "SELECT customer_id, " + quoteAll(columns, "") + " FROM " + f + " WHERE customer_id IN (" +
		strings.TrimSuffix(strings.Repeat("?, ", ids), ", ") + ")"
}

// Texts are all statements of the plane on an engine, dynamic ones in every form that does not depend on data.
func Texts(d Dialect) []Text {
	out := []Text{
		{"names of events", seenNames}, {"properties of events", seenProperties},
		{"last purchase day", lastPurchaseDay}, {"last known day", lastKnownDay}, {"last marked day", lastMarkedDay}, {"count touched", countTouched}, {"last batch", lastBatch}, {"clear now", clearNow},
		{"take touched", takeTouched}, {"drop touched", dropTouched}, {"count now", countNow}, {"list now", listNow}, {"count customers", countCustomers},
		{"count facts", countFacts}, {"slice sample", sliceSample}, {"touch customer", touchCustomer},
		{"rfm totals", rfmTotals}, {"read state", readState}, {"drop state", dropState}, {"drop refilled", dropRefilled}, {"write state", writeState},
		{"cohorts", cohortText}, {"clear names", clearNames}, {"number lines", numberLines}, {"list few names", listFewNames},
		{"list names", scoped(listNames, scopeSlice, 1)}, {"order family", orderText(FamilyOrder)}, {"staged order family", orderText(staged(FamilyOrder))},
		{"taste family", tasteText(FamilyTaste)}, {"staged taste family", tasteText(staged(FamilyTaste))},
	}
	for i, text := range tasteParts(d) {
		out = append(out, Text{"taste part " + strconv.Itoa(i), text})
	}
	for _, scope := range []string{scopeTouched, scopeOne, scopeSlice} {
		customers, facts := fillTexts(scope)
		out = append(out, Text{"fill customers, " + scope, customers})
		for i, text := range facts {
			out = append(out, Text{"fill " + strconv.Itoa(i) + ", " + scope, text})
		}
	}
	for _, m := range []string{monetaryGross, monetaryNet} {
		out = append(out, Text{"rfm family, full", rfmText(staged(FamilyRFM), staged(FamilyOrder), m, scopeAll)})
		for _, scope := range []string{scopeTouched, scopeOne} {
			out = append(out, Text{"rfm family, " + scope, rfmText(FamilyRFM, FamilyOrder, m, scope)}, Text{"rfm figures, " + scope, valuesText(m, scope)})
		}
	}
	for _, c := range []string{"days_since_last", "orders", monetaryGross, monetaryNet} {
		out = append(out, Text{"moved " + c, movedText(c)}, Text{"distinct " + c, distinctText(FamilyOrder, c)},
			Text{"next " + c, nextText(c, true)}, Text{"last " + c, nextText(c, false)})
	}
	for _, f := range computedFamilies() {
		out = append(out, Text{"changed " + f.name, changedText(f)}, Text{"lost " + f.name, lostText(f)},
			Text{"swap " + f.name, swapText(f)}, Text{"delete " + f.name, deleteNow(f.name, scopeTouched)},
			Text{"delete one of " + f.name, deleteNow(f.name, scopeOne)}, Text{"read " + f.name, readFamily(f.name, f.values(), 3)})
	}
	return slices.Concat(out, modelTexts(), socialTexts(d), memberTexts(), eventTexts(d), rollupTexts(), WebTexts(d), behaviourTexts(), ForecastTexts(), recommendTexts(), valueTexts(), valuePageTexts(), churnTexts(), campaignTexts(), promotionTexts(d))
}

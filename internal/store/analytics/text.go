package analytics

import (
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
	scopeSlice   = "slice"   // ids from one up to, not including, another
)

// scoped writes the condition of a scope into a text; the bounds of a slice are the parameters first and first+1.
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
		if scope == scopeTouched {
			b.WriteString(col + " IN (SELECT customer_id FROM trait_now)")
		} else {
			b.WriteString(col + " >= CAST($" + strconv.Itoa(first) + " AS BIGINT) AND " + col + " < CAST($" + strconv.Itoa(first+1) + " AS BIGINT)")
		}
		text = text[j+1:]
	}
}

// A pass copies the facts it works on into two work tables first: the facts of one slice of customers, or of the touched
// ones. Everything after that reads the work tables, so that the large relations are walked once and memory is bounded by
// the slice. Parameters: $1 the anchor day, $2 and $3 the slice. Nothing after the anchor counts.
const (
	anchorParam = "CAST($1 AS BIGINT)"

	fillPurchases = `INSERT INTO work_purchase (customer_id, placed_at, day, amount, discount, cost, channel_id, store_id)
SELECT customer_id, placed_at, day, amount, discount, cost, channel_id, store_id FROM f_purchase
WHERE day <= {anchor} AND {scope customer_id}`

	fillLines = `INSERT INTO work_line (customer_id, quantity, amount, product_id, category, brand, size)
SELECT l.customer_id, l.quantity, l.amount, l.product_id, COALESCE(l.category, p.category), COALESCE(l.brand, p.brand), v.size
FROM (SELECT * FROM f_line WHERE day <= {anchor} AND {scope customer_id}) l
LEFT JOIN a_product p ON p.id = l.product_id LEFT JOIN a_variant v ON v.id = l.variant_id`
)

// insertOrder computes t_order: a row for every live customer. A window of n days holds the n local days that end with the
// anchor ($1). Shares and rates have four decimals, intervals two, by integer division rounded half away from zero. Without a
// purchase counts and sums are 0 and everything else has no value. The time of computing is $2, a slice $3 and $4.
const insertOrder = `INSERT INTO {into} ({columns})
SELECT c.id,
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
FROM (SELECT id FROM a_customer WHERE {scope id}) c
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
 FROM work_purchase GROUP BY customer_id) p ON p.customer_id = c.id
LEFT JOIN (
 SELECT customer_id, count(*) AS days FROM (SELECT DISTINCT customer_id, day FROM work_purchase) x GROUP BY customer_id) d ON d.customer_id = c.id
LEFT JOIN (
 SELECT customer_id, count(*) AS refunds, CAST(sum(amount) AS BIGINT) AS amount, CAST(sum(cost) AS BIGINT) AS cost
 FROM f_refund WHERE day <= {anchor} AND {scope customer_id} GROUP BY customer_id) r ON r.customer_id = c.id
ORDER BY c.id`

// Taste is computed in parts, one small statement each, into taste_part: a favourite is what was bought most often, by orders
// for channels and stores and by quantity for what is bought; ties go to the greater amount, then to the first text in byte
// order. Shares are of the orders whose channel says where they came from; an order with a store and no channel is offline.
// Parts in place of one statement with a join for each keep memory small on DuckDB, and leave PostgreSQL, which cannot
// estimate "place = 1", no plan to get wrong.
const (
	tasteShares = `INSERT INTO taste_part (customer_id, what, figure, second)
SELECT p.customer_id, 'shares', count(*) FILTER (WHERE k.kind IN ('online', 'marketplace', 'social')),
 count(*) FILTER (WHERE k.kind = 'offline' OR (p.channel_id IS NULL AND p.store_id IS NOT NULL))
FROM work_purchase p LEFT JOIN a_channel k ON k.id = p.channel_id GROUP BY p.customer_id`

	tasteItems = `INSERT INTO taste_part (customer_id, what, figure, second)
SELECT customer_id, 'items', CAST(sum(quantity) AS BIGINT), count(product_id) FROM (
 SELECT customer_id, product_id, sum(quantity) AS quantity FROM work_line GROUP BY customer_id, product_id) x
GROUP BY customer_id`

	// {what} is channel or store.
	tastePlace = `INSERT INTO taste_part (customer_id, what, name, figure)
SELECT customer_id, '{what}', name, different FROM (
 SELECT customer_id, name, count(*) OVER (PARTITION BY customer_id) AS different,
  row_number() OVER (PARTITION BY customer_id ORDER BY n DESC, amount DESC, name COLLATE "C", place_id) AS place FROM (
  SELECT g.customer_id, g.place_id, k.name, g.n, g.amount FROM (
   SELECT customer_id, {what}_id AS place_id, count(*) AS n, CAST(sum(amount) AS BIGINT) AS amount FROM work_purchase
   WHERE {what}_id IS NOT NULL GROUP BY customer_id, {what}_id) g
  JOIN a_{what} k ON k.id = g.place_id) x) y
WHERE place = 1`

	// {what} is category, brand or size.
	tasteGoods = `INSERT INTO taste_part (customer_id, what, name)
SELECT customer_id, '{what}', name FROM (
 SELECT customer_id, name, row_number() OVER (PARTITION BY customer_id ORDER BY n DESC, amount DESC, name COLLATE "C") AS place FROM (
  SELECT customer_id, {what} AS name, CAST(sum(quantity) AS BIGINT) AS n, CAST(sum(amount) AS BIGINT) AS amount FROM work_line
  WHERE {what} IS NOT NULL GROUP BY customer_id, {what}) x) y
WHERE place = 1`

	clearParts = `DELETE FROM taste_part`

	// joinTaste puts the parts beside each other: a row for every live customer with a purchase.
	joinTaste = `INSERT INTO {into} ({columns})
SELECT t.customer_id, max(CASE WHEN what = 'items' THEN figure END), max(CASE WHEN what = 'items' THEN second END),
 COALESCE(max(CASE WHEN what = 'channel' THEN figure END), 0),
 gx_div(max(CASE WHEN what = 'shares' THEN figure END) * 10000, max(CASE WHEN what = 'shares' THEN figure + second END)),
 gx_div(max(CASE WHEN what = 'shares' THEN second END) * 10000, max(CASE WHEN what = 'shares' THEN figure + second END)),
 max(CASE WHEN what = 'channel' THEN name END), max(CASE WHEN what = 'category' THEN name END),
 max(CASE WHEN what = 'brand' THEN name END), max(CASE WHEN what = 'store' THEN name END),
 max(CASE WHEN what = 'size' THEN name END), CAST(? AS BIGINT)
FROM taste_part t JOIN (SELECT id FROM a_customer) c ON c.id = t.customer_id
GROUP BY t.customer_id HAVING max(CASE WHEN what = 'shares' THEN 1 END) = 1
ORDER BY t.customer_id`
)

// tasteParts are the statements that fill taste_part.
func tasteParts() []string {
	what := func(text, w string) string { return strings.ReplaceAll(text, "{what}", w) }
	return []string{tasteShares, tasteItems, what(tastePlace, "channel"), what(tastePlace, "store"),
		what(tasteGoods, "category"), what(tasteGoods, "brand"), what(tasteGoods, "size")}
}

func tasteText(into string) string {
	return strings.NewReplacer("{into}", into, "{columns}", quoteAll(tasteFamily().names(), "")).Replace(joinTaste)
}

// fillTexts fill the work tables.
func fillTexts(scope string) []string {
	var out []string
	for _, text := range []string{fillPurchases, fillLines} {
		out = append(out, scoped(strings.ReplaceAll(text, "{anchor}", anchorParam), scope, 2))
	}
	return out
}

// insertRFM scores who has bought, from the order family ({from}: the family or its staged twin). Parameters: the cuts of
// recency, frequency and monetary value, four each, then the time of computing; see stat/rfm for what the cuts mean.
const insertRFM = `INSERT INTO {into} ({columns})
SELECT customer_id, recency, frequency, monetary, r, f, m, CAST(r * 100 + f * 10 + m AS TEXT),
 CASE WHEN m >= 4 THEN 'important_' ELSE 'general_' END ||
 CASE WHEN r >= 4 AND f >= 4 THEN 'value' WHEN r >= 4 THEN 'develop' WHEN f >= 4 THEN 'keep' ELSE 'win_back' END,
 CAST($13 AS BIGINT)
FROM ({scores}) s
WHERE {who}
ORDER BY customer_id`

const rfmScores = `SELECT customer_id, days_since_last AS recency, orders AS frequency, {monetary} AS monetary,
  5 - {r} AS r, 1 + {f} AS f, 1 + {m} AS m FROM {from} WHERE orders > 0`

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

// scoresText scores every purchaser of an order family; monetary is the column that counts as monetary value.
func scoresText(from, monetary string) string {
	return strings.NewReplacer("{from}", from, "{monetary}", monetary, "{r}", above("days_since_last", 1),
		"{f}", above("orders", 5), "{m}", above(monetary, 9)).Replace(rfmScores)
}

// rfmText is insertRFM for all purchasers or for the touched ones.
func rfmText(into, from, monetary string, touched bool) string {
	who := "TRUE"
	if touched {
		who = "customer_id IN (SELECT customer_id FROM trait_now)"
	}
	return strings.NewReplacer("{into}", into, "{columns}", quoteAll(rfmFamily().names(), ""),
		"{scores}", scoresText(from, monetary), "{who}", who).Replace(insertRFM)
}

// orderText is the computing text of t_order into a table.
func orderText(into, scope string) string {
	return scoped(strings.NewReplacer("{into}", into, "{columns}", quoteAll(orderFamily().names(), ""),
		"{anchor}", anchorParam).Replace(insertOrder), scope, 3)
}

// Fixed texts of the passes.
const (
	lastPurchaseDay = `SELECT max(day) FROM f_purchase WHERE day <= ?`
	countTouched    = `SELECT count(*) FROM (SELECT DISTINCT customer_id FROM trait_touched) t`
	lastBatch       = `SELECT COALESCE(max(batch), 0) FROM trait_touched`
	clearNow        = `DELETE FROM trait_now`
	takeTouched     = `INSERT INTO trait_now (customer_id) SELECT DISTINCT customer_id FROM trait_touched WHERE batch <= ?`
	dropTouched     = `DELETE FROM trait_touched WHERE batch <= ?`
	countNow        = `SELECT count(*) FROM trait_now`
	countCustomers  = `SELECT count(*) FROM a_customer`
	countFacts      = `SELECT (SELECT count(*) FROM a_order) + (SELECT count(*) FROM a_order_line)`
	// A sample of whom orders belong to: old customers have more of them than new ones.
	sliceSample   = `SELECT customer FROM a_order WHERE id % 499 = 0 AND customer > 0 ORDER BY customer`
	touchCustomer = `INSERT INTO trait_touched (customer_id, batch) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)`

	// Customers whose scores change because the cuts moved, besides the touched ones.
	addMoved = `INSERT INTO trait_now (customer_id)
SELECT t.customer_id FROM t_rfm t JOIN ({scores}) s ON s.customer_id = t.customer_id
LEFT JOIN trait_now n ON n.customer_id = t.customer_id
WHERE n.customer_id IS NULL AND (t.r_score <> s.r OR t.f_score <> s.f OR t.m_score <> s.m OR t.monetary <> s.monetary)`

	rfmTotals = `SELECT count(*), CAST(COALESCE(sum(recency), 0) AS BIGINT), CAST(COALESCE(sum(frequency), 0) AS BIGINT),
 CAST(COALESCE(sum(monetary), 0) AS BIGINT) FROM t_rfm`

	readState  = `SELECT value FROM plane_state WHERE key = ?`
	dropState  = `DELETE FROM plane_state WHERE key = ?`
	writeState = `INSERT INTO plane_state (key, value) VALUES (?, ?)`
)

func deleteNow(family string) string {
	return "DELETE FROM " + family + " WHERE customer_id IN (SELECT customer_id FROM trait_now)"
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

// Texts are all statements of the plane, dynamic ones in every form that does not depend on data.
func Texts() []Text {
	out := []Text{
		{"last purchase day", lastPurchaseDay}, {"count touched", countTouched}, {"last batch", lastBatch}, {"clear now", clearNow},
		{"take touched", takeTouched}, {"drop touched", dropTouched}, {"count now", countNow}, {"count customers", countCustomers},
		{"count facts", countFacts}, {"slice sample", sliceSample}, {"touch customer", touchCustomer},
		{"rfm totals", rfmTotals}, {"read state", readState}, {"drop state", dropState}, {"write state", writeState},
		{"cohorts", cohortText}, {"clear parts", clearParts}, {"taste family", tasteText(FamilyTaste)},
		{"staged taste family", tasteText(staged(FamilyTaste))},
	}
	for _, scope := range []string{scopeTouched, scopeSlice} {
		out = append(out, Text{"order family, " + scope, orderText(FamilyOrder, scope)},
			Text{"staged order family, " + scope, orderText(staged(FamilyOrder), scope)})
		for i, text := range fillTexts(scope) {
			out = append(out, Text{"fill " + strconv.Itoa(i) + ", " + scope, text})
		}
	}
	for i, text := range tasteParts() {
		out = append(out, Text{"taste part " + strconv.Itoa(i), text})
	}
	for _, m := range []string{monetaryGross, monetaryNet} {
		out = append(out,
			Text{"rfm family, touched", rfmText(FamilyRFM, FamilyOrder, m, true)},
			Text{"rfm family, full", rfmText(staged(FamilyRFM), staged(FamilyOrder), m, false)},
			Text{"rfm moved", strings.ReplaceAll(addMoved, "{scores}", scoresText(FamilyOrder, m))},
			Text{"distinct " + m, distinctText(FamilyOrder, m)})
	}
	for _, f := range computedFamilies() {
		out = append(out, Text{"changed " + f.name, changedText(f)}, Text{"lost " + f.name, lostText(f)},
			Text{"swap " + f.name, swapText(f)}, Text{"delete " + f.name, deleteNow(f.name)},
			Text{"read " + f.name, readFamily(f.name, f.values(), 3)})
	}
	return append(out, memberTexts()...)
}

package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/trait"
	"github.com/guanxi-crm/guanxi/internal/insight/value"
)

var _ value.Reports = (*Values)(nil)

const (
	valueAll = `SELECT count(clv), CAST(COALESCE(sum(clv), 0) AS BIGINT), CAST(COALESCE(sum(value_past), 0) AS BIGINT), CAST(COALESCE(sum(expected_orders), 0) AS BIGINT),
 count(loyalty_index), COALESCE(gx_div(CAST(sum(loyalty_index) AS BIGINT), count(loyalty_index)), 0), count(*) FILTER (WHERE loyalty_index >= 600),
 count(*) FILTER (WHERE referral_count > 0), CAST(COALESCE(sum(referral_count), 0) AS BIGINT)
FROM m_value`

	// Whoever was brought counts once, whoever brought those who brought him.
	valueBrought = `SELECT CAST(COALESCE(sum(m.value_past), 0) AS BIGINT) FROM a_customer c JOIN m_value m ON m.customer_id = c.id WHERE c.referrer > 0 AND c.referrer <> c.id`

	valueGroups = `SELECT {key} AS key, count(*), CAST(sum(m.clv) AS BIGINT) AS clv, CAST(COALESCE(sum(m.value_past), 0) AS BIGINT), CAST(COALESCE(sum(m.expected_orders), 0) AS BIGINT)
FROM m_value m{join} WHERE m.clv IS NOT NULL GROUP BY {key} ORDER BY clv DESC, key LIMIT 50`

	// $1 and $2 are the first and the last day.
	valueLedger = `SELECT {who}count(DISTINCT customer_id), CAST(sum(n) AS BIGINT), CAST(sum(listed) AS BIGINT), CAST(sum(discount) AS BIGINT), CAST(sum(back) AS BIGINT), CAST(sum(cost) AS BIGINT),
 CAST(sum(uncosted) AS BIGINT), CAST(sum(unknown) AS BIGINT), CAST(sum(listed - discount - back - cost) AS BIGINT) AS profit
FROM (SELECT customer_id, 1 AS n, amount + discount AS listed, discount, 0 AS back, COALESCE(cost, 0) AS cost,
  CASE WHEN cost IS NULL THEN amount ELSE 0 END AS uncosted, CASE WHEN cost IS NULL THEN 1 ELSE 0 END AS unknown
 FROM f_purchase WHERE day >= CAST($1 AS BIGINT) AND day <= CAST($2 AS BIGINT)
 UNION ALL SELECT customer_id, 0, 0, 0, amount, -cost, 0, 0 FROM f_refund WHERE day >= CAST($1 AS BIGINT) AND day <= CAST($2 AS BIGINT)) x`

	// The groups of RFM at the end of two days, $1 and $2, by the cuts $3 of recency, $4 of frequency and $5 of money; refunds count $6 times.
	valueMoves = `SELECT customer_id, CASE WHEN f0 = 0 THEN '' ELSE {then} END AS was, {now} AS became, m1 FROM (
 SELECT customer_id, CAST($1 AS BIGINT) - max(day) FILTER (WHERE n = 1 AND day <= CAST($1 AS BIGINT)) AS r0, count(*) FILTER (WHERE n = 1 AND day <= CAST($1 AS BIGINT)) AS f0,
  COALESCE(sum(amount) FILTER (WHERE day <= CAST($1 AS BIGINT)), 0) AS m0,
  CAST($2 AS BIGINT) - max(day) FILTER (WHERE n = 1) AS r1, count(*) FILTER (WHERE n = 1) AS f1, CAST(sum(amount) AS BIGINT) AS m1
 FROM (SELECT customer_id, day, amount, 1 AS n FROM f_purchase WHERE day <= CAST($2 AS BIGINT)
  UNION ALL SELECT customer_id, day, -amount * CAST($6 AS BIGINT), 0 FROM f_refund WHERE day <= CAST($2 AS BIGINT)) x GROUP BY customer_id) y
 JOIN a_customer c ON c.id = y.customer_id WHERE f1 > 0`

	// What a group is called, as in insertRFM: a score of 4 is above the third cut, or for recency not above the second.
	valueNamed = `CASE WHEN {m} > CAST($5 AS BIGINT) THEN 'important_' ELSE 'general_' END || CASE WHEN {r} <= CAST($3 AS BIGINT) AND {f} > CAST($4 AS BIGINT) THEN 'value'
 WHEN {r} <= CAST($3 AS BIGINT) THEN 'develop' WHEN {f} > CAST($4 AS BIGINT) THEN 'keep' ELSE 'win_back' END`
)

func movesText() string {
	name := func(n string) string {
		return strings.NewReplacer("{m}", "m"+n, "{r}", "r"+n, "{f}", "f"+n).Replace(valueNamed)
	}
	return strings.NewReplacer("{then}", name("0"), "{now}", name("1")).Replace(valueMoves)
}

func sumMovesText() string {
	return "SELECT was, became, count(*), CAST(sum(m1) AS BIGINT) FROM (" + movesText() + ") z GROUP BY was, became ORDER BY was, became"
}

func moversText() string {
	return "SELECT customer_id FROM (" + movesText() + ") z WHERE was = CAST($7 AS TEXT) AND became = CAST($8 AS TEXT) ORDER BY m1 DESC, customer_id LIMIT CAST($9 AS BIGINT)"
}

func ledgerText() string { return strings.ReplaceAll(valueLedger, "{who}", "") }

func earnersText(worst bool) string {
	order := "DESC"
	if worst {
		order = "ASC"
	}
	return strings.ReplaceAll(valueLedger, "{who}", "customer_id, ") + " GROUP BY customer_id ORDER BY profit " + order + ", customer_id LIMIT CAST($3 AS BIGINT)"
}

func groupsText(by value.Grouping) string {
	key, join := "", ""
	switch by {
	case value.ByDecile:
		key = "CAST(m.clv_decile AS TEXT)"
	case value.ByChannel:
		key, join = "t."+string(by), " LEFT JOIN "+FamilyTaste+" t ON t.customer_id = m.customer_id"
	case value.ByRFM:
		key, join = "t."+string(by), " LEFT JOIN "+FamilyRFM+" t ON t.customer_id = m.customer_id"
	default:
		key, join = "t."+string(by), " LEFT JOIN "+FamilyClass+" t ON t.customer_id = m.customer_id"
	}
	return strings.NewReplacer("{key}", "COALESCE("+key+", '')", "{join}", join).Replace(valueGroups)
}

func valuePageTexts() []Text {
	out := []Text{{"value all", valueAll}, {"value brought", valueBrought}, {"value ledger", ledgerText()}, {"value best", earnersText(false)}, {"value worst", earnersText(true)},
		{"value moves", sumMovesText()}, {"value by tenth", groupsText(value.ByDecile)}}
	for _, by := range value.Groupings() {
		out = append(out, Text{"value by " + string(by), groupsText(by)})
	}
	return out
}

// Anchor implements value.Reports.
func (v *Values) Anchor(ctx context.Context) (clock.Day, error) {
	st, err := v.store.State(ctx)
	return st.Anchor, err
}

// All implements value.Reports.
func (v *Values) All(ctx context.Context) (o value.Overview, err error) {
	_, err = one(ctx, v.db, valueAll, nil, &o.All.Customers, &o.All.CLV, &o.All.Past, &o.All.Orders, &o.Judged, &o.Loyalty, &o.Loyal, &o.Referrers, &o.Referred)
	if err == nil {
		_, err = one(ctx, v.db, valueBrought, nil, &o.Referral)
	}
	if err != nil {
		return o, fmt.Errorf("sum values: %w", err)
	}
	return o, nil
}

// Groups implements value.Reports.
func (v *Values) Groups(ctx context.Context, by value.Grouping) ([]value.Group, error) {
	out := []value.Group{}
	err := each(ctx, v.db, groupsText(by), nil, func(r *sql.Rows) error {
		var g value.Group
		err := r.Scan(&g.Key, &g.Customers, &g.CLV, &g.Past, &g.Orders)
		out = append(out, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("group values: %w", err)
	}
	return out, nil
}

// Ledger implements value.Reports.
func (v *Values) Ledger(ctx context.Context, from, to clock.Day) (value.Ledger, error) {
	l := value.Ledger{From: from, To: to}
	var n [8]sql.NullInt64
	_, err := one(ctx, v.db, ledgerText(), []any{int64(from), int64(to)}, &l.Customers, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7])
	if err != nil {
		return l, fmt.Errorf("sum the ledger: %w", err)
	}
	fillLedger(&l, n)
	return l, nil
}

func fillLedger(l *value.Ledger, n [8]sql.NullInt64) {
	l.Orders, l.List, l.Discounts, l.Returns, l.Cost, l.Uncosted, l.UncostedPurchases = n[0].Int64, n[1].Int64, n[2].Int64, n[3].Int64, n[4].Int64, n[5].Int64, n[6].Int64
	l.Revenue = l.List - l.Discounts
}

// Earners implements value.Reports.
func (v *Values) Earners(ctx context.Context, from, to clock.Day, worst bool, limit int) ([]value.Earner, error) {
	out := []value.Earner{}
	err := each(ctx, v.db, earnersText(worst), []any{int64(from), int64(to), int64(limit)}, func(r *sql.Rows) error {
		e := value.Earner{Ledger: value.Ledger{From: from, To: to}}
		var who int64
		var n [8]sql.NullInt64
		err := r.Scan(&who, &e.Customers, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7])
		e.Customer = id.ID(who)
		fillLedger(&e.Ledger, n)
		out = append(out, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list earners: %w", err)
	}
	return out, nil
}

// cutsNow are the parameters of the texts of moves.
func (v *Values) cutsNow(ctx context.Context, then, now clock.Day) ([]any, error) {
	st, err := v.store.State(ctx)
	if err != nil {
		return nil, err
	}
	refunds := int64(0)
	if st.Settings.Monetary == trait.MonetaryNet {
		refunds = 1
	}
	return []any{int64(then), int64(now), st.Cuts.Recency[1], st.Cuts.Frequency[2], st.Cuts.Monetary[2], refunds}, nil
}

// Moves implements value.Reports.
func (v *Values) Moves(ctx context.Context, then, now clock.Day) ([]value.Move, error) {
	args, err := v.cutsNow(ctx, then, now)
	if err != nil {
		return nil, err
	}
	out := []value.Move{}
	err = each(ctx, v.db, sumMovesText(), args, func(r *sql.Rows) error {
		var m value.Move
		err := r.Scan(&m.Was, &m.Now, &m.Customers, &m.Value)
		out = append(out, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count moves: %w", err)
	}
	return out, nil
}

// Movers implements value.Reports.
func (v *Values) Movers(ctx context.Context, then, now clock.Day, m value.Move, limit int) ([]id.ID, error) {
	args, err := v.cutsNow(ctx, then, now)
	if err != nil {
		return nil, err
	}
	out := []id.ID{}
	err = each(ctx, v.db, moversText(), append(args, m.Was, m.Now, int64(limit)), func(r *sql.Rows) error {
		var who int64
		err := r.Scan(&who)
		out = append(out, id.ID(who))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list movers: %w", err)
	}
	return out, nil
}

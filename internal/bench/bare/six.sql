-- analytics: six conditions over fields, traits and orders, counted. Plan: one scan of orders grouped by customer, hash joins.
SELECT count(*) FROM a_customer c
JOIN t_order t ON t.customer_id = c.id
JOIN t_rfm r ON r.customer_id = c.id
LEFT JOIN (SELECT customer, count(*) FILTER (WHERE placed_at_day > (SELECT max(placed_at_day) FROM a_order) - 365) AS n,
 count(*) FILTER (WHERE placed_at_day > (SELECT max(placed_at_day) FROM a_order) - 60) AS lately FROM a_order WHERE customer > 0 GROUP BY customer) o ON o.customer = c.id
WHERE c.region >= '310000' AND c.region < '340000' AND c.kind = 'person' AND t.orders_365d >= 2 AND r.m_score >= 3
 AND coalesce(o.n, 0) >= 3 AND NOT coalesce(o.lately, 0) >= 1

-- plane: analytics
-- args: days sum from to from2 to2 orders
-- plan: one scan of orders grouped by customer, hash joins with the customers and two trait families, all filtered first
SELECT count(*) FROM a_customer c JOIN t_order t ON t.customer_id = c.id JOIN t_rfm r ON r.customer_id = c.id
JOIN (SELECT customer, count(*) AS n, coalesce(sum(net_amount_base) FILTER (WHERE placed_at_day > today - 90), 0) AS lately
 FROM a_order, (SELECT max(placed_at_day) AS today FROM a_order) d WHERE placed_at_day > today - CAST(? AS BIGINT) GROUP BY customer) o ON o.customer = c.id
WHERE o.n >= 2 AND NOT o.lately >= ? AND (c.region BETWEEN ? AND ? OR c.region BETWEEN ? AND ?) AND c.kind = 'person' AND t.orders_365d >= ? AND r.m_score >= 3

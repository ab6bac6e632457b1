-- plane: analytics
-- args:
-- plan: one scan of orders grouped by customer, three sorts for the fifths, the result counted instead of kept
SELECT count(*), sum(r_score), sum(f_score), sum(m_score) FROM (
 SELECT customer, ntile(5) OVER (ORDER BY r) AS r_score, ntile(5) OVER (ORDER BY f) AS f_score, ntile(5) OVER (ORDER BY m) AS m_score FROM (
  SELECT customer, max(placed_at_day) AS r, count(*) AS f, sum(net_amount_base) AS m FROM a_order
  WHERE status IN ('confirmed', 'paid', 'shipped', 'completed') AND net_amount_base > 0 AND customer > 0 GROUP BY customer) x) y

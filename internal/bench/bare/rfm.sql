-- analytics: recency, frequency and monetary value of everyone who bought. Plan: one scan of orders, hash aggregate.
SELECT count(*), sum(r), sum(f), sum(m) FROM (
 SELECT customer, max(placed_at_day) AS r, count(*) AS f, sum(net_amount_base) AS m FROM a_order
 WHERE status IN ('confirmed', 'completed') AND net_amount_base > 0 AND customer > 0 GROUP BY customer) x

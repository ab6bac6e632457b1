-- plane: analytics
-- args: orders offset
-- plan: one scan of two columns of t_order, top-n; the rows come from the records by id (rows.sql)
SELECT customer_id FROM t_order WHERE orders >= ? ORDER BY spend_total DESC NULLS LAST, customer_id DESC LIMIT 50 OFFSET ?

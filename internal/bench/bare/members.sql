-- plane: analytics
-- args: segment limit
-- plan: one scan of the members of the segment, top-n; the rows come from the records by id (rows.sql)
SELECT customer_id FROM segment_member WHERE segment_key = ? ORDER BY customer_id DESC LIMIT ?

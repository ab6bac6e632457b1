-- plane: records
-- args: id
-- plan: the index on customer, then a sort of that customer's orders
SELECT * FROM r_order WHERE customer = ? AND deleted_at IS NULL ORDER BY placed_at DESC LIMIT 20

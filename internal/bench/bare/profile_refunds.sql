-- plane: records
-- args: id
-- plan: the index on customer, then a sort of that customer's refunds
SELECT * FROM r_refund WHERE customer = ? AND deleted_at IS NULL ORDER BY refunded_at DESC LIMIT 20

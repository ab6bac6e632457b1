-- plane: records
-- args: from to offset
-- plan: a range of the index on region, the orders of each customer by the index on customer, then a sort of what is found
SELECT o.* FROM r_customer c CROSS JOIN r_order o ON o.customer = c.id
WHERE c.deleted_at IS NULL AND c.region >= ? AND c.region < ? AND o.deleted_at IS NULL ORDER BY o.placed_at DESC, o.id DESC LIMIT 50 OFFSET ?

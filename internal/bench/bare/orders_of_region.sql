-- plane: records
-- args: from to offset
-- plan: the index on placed_at backwards with one look at the customer each, stopping at the fiftieth
SELECT o.* FROM r_order o WHERE o.deleted_at IS NULL AND EXISTS (SELECT 1 FROM r_customer c WHERE c.id = o.customer AND c.deleted_at IS NULL AND +c.region >= ? AND +c.region < ?)
ORDER BY o.placed_at DESC, o.id DESC LIMIT 50 OFFSET ?

-- plane: records
-- args: kind source offset
-- plan: the index on created_at backwards, stopping at the fiftieth that fulfils both
SELECT * FROM r_customer WHERE deleted_at IS NULL AND +kind = ? AND +source = ? ORDER BY created_at DESC, id DESC LIMIT 50 OFFSET ?

-- plane: records
-- args: from to offset
-- plan: a range of the index on region, then a sort of what lies in it
SELECT * FROM r_customer WHERE deleted_at IS NULL AND region >= ? AND region < ? ORDER BY created_at DESC, id DESC LIMIT 50 OFFSET ?

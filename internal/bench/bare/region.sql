-- records: customers of one province, newest first. Plan: index on region as a range, then a sort of what it finds.
SELECT id, name, phone, region, source, created_at FROM r_customer WHERE deleted_at IS NULL AND region >= ? AND region < ? ORDER BY created_at DESC, id DESC LIMIT 100

-- plane: records
-- args: height
-- plan: the index on created_at backwards, stopping at the fiftieth
SELECT * FROM r_customer WHERE deleted_at IS NULL AND height_cm >= ? ORDER BY created_at DESC, id DESC LIMIT 50

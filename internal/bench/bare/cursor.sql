-- plane: records
-- args: created created id
-- plan: a range of the index on created_at backwards, no sort
SELECT * FROM r_customer WHERE deleted_at IS NULL AND created_at <= ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT 50

-- plane: records
-- args: offset
-- plan: the index on created_at backwards, no sort; offset skips index entries and their rows
SELECT * FROM r_customer WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 50 OFFSET ?

-- plane: records
-- args: id
-- plan: by rowid
SELECT * FROM r_customer WHERE id = ? AND deleted_at IS NULL

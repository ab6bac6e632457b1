-- plane: records
-- args: id id id
-- plan: three ranges of indexes
SELECT (SELECT count(*) FROM r_order WHERE customer = ? AND deleted_at IS NULL), (SELECT count(*) FROM r_refund WHERE customer = ? AND deleted_at IS NULL),
 (SELECT count(*) FROM r_contact WHERE customer = ? AND deleted_at IS NULL)

-- plane: write
-- args: fresh
-- plan: appended to the log and to its index, in the same transaction
INSERT INTO change (object, record_id, version, op, at, by_kind, by_id, batch_id) VALUES ('customer', ?, 1, 'create', 0, 'system', 0, 0)

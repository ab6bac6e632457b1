-- plane: analytics
-- args: like
-- plan: one scan of a single column, which is almost empty
SELECT id FROM a_customer WHERE note_fold LIKE ? ORDER BY created_at DESC, id DESC LIMIT 50

-- plane: records
-- args: match
-- plan: the documents of the terms, newest first; the twenty rows come by id (rows.sql)
SELECT rowid FROM search_doc WHERE search_doc MATCH ? ORDER BY rowid DESC LIMIT 20

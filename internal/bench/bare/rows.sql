-- plane: records
-- args: found
-- plan: by rowid, one look each; found are the ids of the statement before
SELECT * FROM r_customer WHERE id IN (SELECT value FROM json_each(?))

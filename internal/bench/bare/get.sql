-- records: one customer by id. Plan: SEARCH by rowid.
SELECT * FROM r_customer WHERE id = ?

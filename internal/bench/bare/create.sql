-- plane: write
-- args: fresh id
-- plan: one row by rowid and an entry in each index; the customer is a copy of another under a new id
INSERT INTO r_customer ({columns}) SELECT ? AS id, {rest} FROM r_customer WHERE id = ?

-- plane: write
-- args: behind from count
-- plan: a copy of so many lines behind those that are there, with an entry in each index, in one transaction
INSERT INTO r_order_line ({columns}) SELECT id + ? AS id, {rest} FROM r_order_line WHERE id > ? ORDER BY id LIMIT ?

-- customer: {"record":"order","where":{"field":"status","op":"=","value":"completed"},"within":{"days":90}}

-- records, compile.SQLite

WHERE EXISTS (SELECT 1 FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."status" IS NOT NULL AND r1."status" = ?) AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?)))
[completed 20689 20778] (0 of joins)

-- records, compile.PostgreSQL

WHERE EXISTS (SELECT 1 FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."status" IS NOT NULL AND r1."status" = ?) AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?)))
[completed 20689 20778] (0 of joins)

-- analytics
LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(*), 0) AS "v1" FROM "a_order" r WHERE ((r."status" IS NOT NULL AND r."status" = ?) AND (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)) GROUP BY r."customer") g1 ON g1."customer_id" = t."id"
WHERE (g1."v1" IS NOT NULL AND g1."v1" >= ?)
[completed 20689 20778 1] (3 of joins)

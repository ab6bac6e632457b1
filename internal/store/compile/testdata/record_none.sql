-- customer: {"record":"order","op":"none","within":{"days":60}}

-- records, compile.SQLite

WHERE NOT EXISTS (SELECT 1 FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?)))
[20719 20778] (0 of joins)

-- records, compile.PostgreSQL

WHERE NOT EXISTS (SELECT 1 FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?)))
[20719 20778] (0 of joins)

-- analytics
LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(*), 0) AS "v1" FROM "a_order" r WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?) GROUP BY r."customer") g1 ON g1."customer_id" = t."id"
WHERE g1."v1" IS NULL
[20719 20778] (2 of joins)

-- customer: {"any":[{"record":"order","op":">=","value":3,"within":{"days":30}},{"record":"order","op":"=","value":0,"none_as":0,"within":{"days":[60,30]}}]}

-- records, compile.SQLite

WHERE (coalesce((SELECT nullif(count(*), 0) >= ? FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?))), FALSE) OR coalesce((SELECT nullif(count(*), 0) = ? FROM "r_order" r2 WHERE (r2."customer" = t."id" AND r2."deleted_at" IS NULL AND (r2."placed_at_day" >= ? AND r2."placed_at_day" <= ?))), TRUE))
[3 20749 20778 0 20719 20748] (0 of joins)

-- records, compile.PostgreSQL

WHERE (coalesce((SELECT nullif(count(*), 0) >= ? FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?))), FALSE) OR coalesce((SELECT nullif(count(*), 0) = ? FROM "r_order" r2 WHERE (r2."customer" = t."id" AND r2."deleted_at" IS NULL AND (r2."placed_at_day" >= ? AND r2."placed_at_day" <= ?))), TRUE))
[3 20749 20778 0 20719 20748] (0 of joins)

-- analytics
LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(*) FILTER (WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)), 0) AS "v1", nullif(count(*) FILTER (WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)), 0) AS "v2" FROM "a_order" r WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?) GROUP BY r."customer") g1 ON g1."customer_id" = t."id"
WHERE ((g1."v1" IS NOT NULL AND g1."v1" >= ?) OR coalesce(g1."v2" = ?, TRUE))
[20749 20778 20719 20748 20719 20778 3 0] (6 of joins)

-- customer: {"any":[{"first":{"record":"order"},"within":{"days":30}},{"resumed":{"record":"order"},"after":{"days":90}}]}

-- records, compile.SQLite

WHERE (coalesce((SELECT (min(r1."placed_at_day") >= ? AND min(r1."placed_at_day") <= ?) FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL)), FALSE) OR coalesce((SELECT min(r2."placed_at_day") FILTER (WHERE (r2."placed_at_day" >= ? AND r2."placed_at_day" <= ?)) - max(r2."placed_at_day") FILTER (WHERE r2."placed_at_day" <= ?) >= ? FROM "r_order" r2 WHERE (r2."customer" = t."id" AND r2."deleted_at" IS NULL)), FALSE))
[20749 20778 20689 20778 20688 90] (0 of joins)

-- records, compile.PostgreSQL

WHERE (coalesce((SELECT (min(r1."placed_at_day") >= ? AND min(r1."placed_at_day") <= ?) FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL)), FALSE) OR coalesce((SELECT min(r2."placed_at_day") FILTER (WHERE (r2."placed_at_day" >= ? AND r2."placed_at_day" <= ?)) - max(r2."placed_at_day") FILTER (WHERE r2."placed_at_day" <= ?) >= ? FROM "r_order" r2 WHERE (r2."customer" = t."id" AND r2."deleted_at" IS NULL)), FALSE))
[20749 20778 20689 20778 20688 90] (0 of joins)

-- analytics
LEFT JOIN (SELECT r."customer" AS "customer_id", min(r."placed_at_day") AS "v1", min(r."placed_at_day") FILTER (WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)) AS "v2", max(r."placed_at_day") FILTER (WHERE r."placed_at_day" <= ?) AS "v3" FROM "a_order" r GROUP BY r."customer") g1 ON g1."customer_id" = t."id"
WHERE ((g1."v1" IS NOT NULL AND (g1."v1" >= ? AND g1."v1" <= ?)) OR (g1."v2" IS NOT NULL AND g1."v3" IS NOT NULL AND g1."v2" - g1."v3" >= ?))
[20689 20778 20688 20749 20778 90] (3 of joins)

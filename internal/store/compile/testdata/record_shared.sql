-- customer: {"all":[{"record":"order","op":">=","value":2,"within":{"days":180}},{"record":"order","aggregate":{"sum":"net_amount"},"op":">=","value":{"amount":"500","currency":"CNY"},"within":{"days":365}},
		{"record":"order","aggregate":{"avg":"net_amount"},"op":"between","value":[{"amount":"10","currency":"CNY"},{"amount":"90","currency":"CNY"}],"within":{"days":180}},{"stopped":{"record":"order"},"for":{"days":30}}]}

-- records, compile.SQLite

WHERE (coalesce((SELECT nullif(count(*), 0) >= ? FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?))), FALSE) AND coalesce((SELECT sum(r2."net_amount_base") >= ? FROM "r_order" r2 WHERE (r2."customer" = t."id" AND r2."deleted_at" IS NULL AND (r2."placed_at_day" >= ? AND r2."placed_at_day" <= ?))), FALSE) AND coalesce((SELECT (sum(r3."net_amount_base" - ?) >= 0 AND sum(r3."net_amount_base" - ?) <= 0) FROM "r_order" r3 WHERE (r3."customer" = t."id" AND r3."deleted_at" IS NULL AND (r3."placed_at_day" >= ? AND r3."placed_at_day" <= ?))), FALSE) AND coalesce((SELECT max(r4."placed_at_day") <= ? FROM "r_order" r4 WHERE (r4."customer" = t."id" AND r4."deleted_at" IS NULL)), FALSE))
[2 20599 20778 50000 20414 20778 1000 9000 20599 20778 20748] (0 of joins)

-- records, compile.PostgreSQL

WHERE (coalesce((SELECT nullif(count(*), 0) >= ? FROM "r_order" r1 WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (r1."placed_at_day" >= ? AND r1."placed_at_day" <= ?))), FALSE) AND coalesce((SELECT sum(r2."net_amount_base") >= ? FROM "r_order" r2 WHERE (r2."customer" = t."id" AND r2."deleted_at" IS NULL AND (r2."placed_at_day" >= ? AND r2."placed_at_day" <= ?))), FALSE) AND coalesce((SELECT (sum(r3."net_amount_base" - ?) >= 0 AND sum(r3."net_amount_base" - ?) <= 0) FROM "r_order" r3 WHERE (r3."customer" = t."id" AND r3."deleted_at" IS NULL AND (r3."placed_at_day" >= ? AND r3."placed_at_day" <= ?))), FALSE) AND coalesce((SELECT max(r4."placed_at_day") <= ? FROM "r_order" r4 WHERE (r4."customer" = t."id" AND r4."deleted_at" IS NULL)), FALSE))
[2 20599 20778 50000 20414 20778 1000 9000 20599 20778 20748] (0 of joins)

-- analytics
LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(*) FILTER (WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)), 0) AS "v1", sum(r."net_amount_base") FILTER (WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)) AS "v2", sum(r."net_amount_base" - ?) FILTER (WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)) AS "v3", sum(r."net_amount_base" - ?) FILTER (WHERE (r."placed_at_day" >= ? AND r."placed_at_day" <= ?)) AS "v4", max(r."placed_at_day") AS "v5" FROM "a_order" r GROUP BY r."customer") g1 ON g1."customer_id" = t."id"
WHERE ((g1."v1" IS NOT NULL AND g1."v1" >= ?) AND (g1."v2" IS NOT NULL AND g1."v2" >= ?) AND (g1."v4" IS NOT NULL AND (g1."v3" >= 0 AND g1."v4" <= 0)) AND (g1."v5" IS NOT NULL AND g1."v5" <= ?))
[20599 20778 20414 20778 1000 20599 20778 9000 20599 20778 2 50000 20748] (10 of joins)

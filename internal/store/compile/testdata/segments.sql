-- customer: {"all":[{"segment":"vip"},{"segment":"static","op":"not_in"},{"record":"order","op":"<","value":20}]}

-- records, compile.SQLite
query.needs_analytics

-- records, compile.PostgreSQL
query.needs_analytics

-- analytics
LEFT JOIN "t_value" x1 ON x1."customer_id" = t."id" LEFT JOIN "segment_member" m3 ON m3."segment_key" = ? AND m3."customer_id" = t."id" LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(*), 0) AS "v1" FROM "a_order" r GROUP BY r."customer") g2 ON g2."customer_id" = t."id"
WHERE (((x1."clv_12m" IS NOT NULL AND x1."clv_12m" >= ?) OR (g2."v1" IS NOT NULL AND g2."v1" >= ?)) AND NOT (m3."customer_id" IS NOT NULL) AND (g2."v1" IS NOT NULL AND g2."v1" < ?))
[static 100000 10 20] (1 of joins)

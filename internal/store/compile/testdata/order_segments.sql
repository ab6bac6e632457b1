-- order: {"any":[{"segment":"vip"},{"segment":"static"},{"trait":"lifecycle","op":"=","value":"lost"}]}

-- records, compile.SQLite
query.needs_analytics

-- records, compile.PostgreSQL
query.needs_analytics

-- analytics
LEFT JOIN (SELECT t."id" AS "customer_id" FROM "a_customer" t LEFT JOIN "t_value" x2 ON x2."customer_id" = t."id" LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(*), 0) AS "v1" FROM "a_order" r GROUP BY r."customer") g3 ON g3."customer_id" = t."id" WHERE ((x2."clv_12m" IS NOT NULL AND x2."clv_12m" >= ?) OR (g3."v1" IS NOT NULL AND g3."v1" >= ?))) m1 ON m1."customer_id" = t."customer" LEFT JOIN "segment_member" m4 ON m4."segment_key" = ? AND m4."customer_id" = t."customer" LEFT JOIN "t_class" x5 ON x5."customer_id" = t."customer"
WHERE (m1."customer_id" IS NOT NULL OR m4."customer_id" IS NOT NULL OR (x5."lifecycle" IS NOT NULL AND x5."lifecycle" = ?))
[100000 10 static lost] (3 of joins)

-- customer: {"all":[{"record":"order_line","where":{"field":"product.brand","op":"=","value":"Acme"},"aggregate":{"distinct":"product.category"},"op":">=","value":2},{"record":"order_line","op":">","value":5}]}

-- records, compile.SQLite

WHERE (coalesce((SELECT nullif(count(DISTINCT j2."category_fold"), 0) >= ? FROM "r_order_line" r1 LEFT JOIN "r_product" j2 ON j2."id" = r1."product" AND j2."deleted_at" IS NULL WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (j2."brand_fold" IS NOT NULL AND j2."brand_fold" = ?))), FALSE) AND coalesce((SELECT nullif(count(*), 0) > ? FROM "r_order_line" r3 WHERE (r3."customer" = t."id" AND r3."deleted_at" IS NULL)), FALSE))
[2 acme 5] (0 of joins)

-- records, compile.PostgreSQL

WHERE (coalesce((SELECT nullif(count(DISTINCT j2."category_fold"), 0) >= ? FROM "r_order_line" r1 LEFT JOIN "r_product" j2 ON j2."id" = r1."product" AND j2."deleted_at" IS NULL WHERE (r1."customer" = t."id" AND r1."deleted_at" IS NULL AND (j2."brand_fold" IS NOT NULL AND j2."brand_fold" = ?))), FALSE) AND coalesce((SELECT nullif(count(*), 0) > ? FROM "r_order_line" r3 WHERE (r3."customer" = t."id" AND r3."deleted_at" IS NULL)), FALSE))
[2 acme 5] (0 of joins)

-- analytics
LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(DISTINCT j2."category_fold"), 0) AS "v1" FROM "a_order_line" r LEFT JOIN "a_product" j2 ON j2."id" = r."product" WHERE (j2."brand_fold" IS NOT NULL AND j2."brand_fold" = ?) GROUP BY r."customer") g1 ON g1."customer_id" = t."id" LEFT JOIN (SELECT r."customer" AS "customer_id", nullif(count(*), 0) AS "v1" FROM "a_order_line" r GROUP BY r."customer") g3 ON g3."customer_id" = t."id"
WHERE ((g1."v1" IS NOT NULL AND g1."v1" >= ?) AND (g3."v1" IS NOT NULL AND g3."v1" > ?))
[acme 2 5] (1 of joins)

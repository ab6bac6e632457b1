-- order: {"record":"order_line","op":">=","value":3}

-- records, compile.SQLite

WHERE coalesce((SELECT nullif(count(*), 0) >= ? FROM "r_order_line" r1 WHERE (r1."order" = t."id" AND r1."deleted_at" IS NULL)), FALSE)
[3] (0 of joins)

-- records, compile.PostgreSQL

WHERE coalesce((SELECT nullif(count(*), 0) >= ? FROM "r_order_line" r1 WHERE (r1."order" = t."id" AND r1."deleted_at" IS NULL)), FALSE)
[3] (0 of joins)

-- analytics
query.not_in_analytics

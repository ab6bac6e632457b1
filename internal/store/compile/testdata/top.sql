-- customer: {"top":{"of":{"trait":"lifecycle","op":"=","value":"active"},"trait":"clv_12m","count":1000}}

-- records, compile.SQLite
query.needs_analytics

-- records, compile.PostgreSQL
query.needs_analytics

-- analytics
LEFT JOIN (SELECT t."id" AS "customer_id" FROM "a_customer" t LEFT JOIN "t_value" x1 ON x1."customer_id" = t."id" LEFT JOIN "t_class" x2 ON x2."customer_id" = t."id" WHERE ((x2."lifecycle" IS NOT NULL AND x2."lifecycle" = ?) AND x1."clv_12m" IS NOT NULL) ORDER BY x1."clv_12m" DESC NULLS LAST, t."id" LIMIT ?) b3 ON b3."customer_id" = t."id"
WHERE b3."customer_id" IS NOT NULL
[active 1000] (2 of joins)

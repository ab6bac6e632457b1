-- order: {"all":[{"field":"customer.region","op":"=","value":"310000"},{"field":"net_amount","op":">","value":{"amount":"100","currency":"CNY"}}]}

-- records, compile.SQLite
LEFT JOIN "r_customer" j1 ON j1."id" = t."customer" AND j1."deleted_at" IS NULL
WHERE (((CASE WHEN t."id" > 0 THEN j1."region" END) IS NOT NULL AND ((CASE WHEN t."id" > 0 THEN j1."region" END) >= ? AND (CASE WHEN t."id" > 0 THEN j1."region" END) < ?)) AND (t."net_amount_base" IS NOT NULL AND t."net_amount_base" > ?))
[31 32 10000] (0 of joins)

-- records, compile.PostgreSQL
LEFT JOIN "r_customer" j1 ON j1."id" = t."customer" AND j1."deleted_at" IS NULL
WHERE ((j1."region" IS NOT NULL AND (j1."region" COLLATE "C" >= ? AND j1."region" COLLATE "C" < ?)) AND (t."net_amount_base" IS NOT NULL AND t."net_amount_base" > ?))
[31 32 10000] (0 of joins)

-- analytics
LEFT JOIN "a_customer" j1 ON j1."id" = t."customer"
WHERE ((j1."region" IS NOT NULL AND (j1."region" COLLATE "C" >= ? AND j1."region" COLLATE "C" < ?)) AND (t."net_amount_base" IS NOT NULL AND t."net_amount_base" > ?))
[31 32 10000] (0 of joins)

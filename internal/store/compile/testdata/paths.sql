-- customer: {"all":[{"field":"store.region","op":"=","value":"310000"},{"field":"referrer.store.name","op":"=","value":"A"},{"field":"store.name","op":"is_set"}]}

-- records, compile.SQLite
LEFT JOIN "r_store" j1 ON j1."id" = t."store" AND j1."deleted_at" IS NULL LEFT JOIN "r_customer" j2 ON j2."id" = t."referrer" AND j2."deleted_at" IS NULL LEFT JOIN "r_store" j3 ON j3."id" = j2."store" AND j3."deleted_at" IS NULL
WHERE (((CASE WHEN t."id" > 0 THEN j1."region" END) IS NOT NULL AND ((CASE WHEN t."id" > 0 THEN j1."region" END) >= ? AND (CASE WHEN t."id" > 0 THEN j1."region" END) < ?)) AND (j3."name_fold" IS NOT NULL AND j3."name_fold" = ?) AND j1."name" IS NOT NULL)
[31 32 a] (0 of joins)

-- records, compile.PostgreSQL
LEFT JOIN "r_store" j1 ON j1."id" = t."store" AND j1."deleted_at" IS NULL LEFT JOIN "r_customer" j2 ON j2."id" = t."referrer" AND j2."deleted_at" IS NULL LEFT JOIN "r_store" j3 ON j3."id" = j2."store" AND j3."deleted_at" IS NULL
WHERE ((j1."region" IS NOT NULL AND (j1."region" COLLATE "C" >= ? AND j1."region" COLLATE "C" < ?)) AND (j3."name_fold" IS NOT NULL AND j3."name_fold" = ?) AND j1."name" IS NOT NULL)
[31 32 a] (0 of joins)

-- analytics
LEFT JOIN "a_store" j1 ON j1."id" = t."store" LEFT JOIN "a_customer" j2 ON j2."id" = t."referrer" LEFT JOIN "a_store" j3 ON j3."id" = j2."store"
WHERE ((j1."region" IS NOT NULL AND (j1."region" COLLATE "C" >= ? AND j1."region" COLLATE "C" < ?)) AND (j3."name_fold" IS NOT NULL AND j3."name_fold" = ?) AND j1."name" IS NOT NULL)
[31 32 a] (0 of joins)

-- customer: {"any":[{"field":"region","op":"in","value":["310000","330106"]},{"field":"address.region","op":"=","value":"330100"},{"field":"region.tier","op":"=","value":"first"}]}

-- records, compile.SQLite

WHERE ((t."region" IS NOT NULL AND ((t."region" >= ? AND t."region" < ?) OR (t."region" >= ? AND t."region" < ?))) OR (t."address_region" IS NOT NULL AND (t."address_region" >= ? AND t."address_region" < ?)) OR (t."region_tier" IS NOT NULL AND t."region_tier" = ?))
[31 32 330106 330107 3301 3302 first] (0 of joins)

-- records, compile.PostgreSQL

WHERE ((t."region" IS NOT NULL AND ((t."region" COLLATE "C" >= ? AND t."region" COLLATE "C" < ?) OR (t."region" COLLATE "C" >= ? AND t."region" COLLATE "C" < ?))) OR (t."address_region" IS NOT NULL AND (t."address_region" COLLATE "C" >= ? AND t."address_region" COLLATE "C" < ?)) OR (t."region_tier" IS NOT NULL AND t."region_tier" = ?))
[31 32 330106 330107 3301 3302 first] (0 of joins)

-- analytics

WHERE ((t."region" IS NOT NULL AND ((t."region" COLLATE "C" >= ? AND t."region" COLLATE "C" < ?) OR (t."region" COLLATE "C" >= ? AND t."region" COLLATE "C" < ?))) OR (t."address_region" IS NOT NULL AND (t."address_region" COLLATE "C" >= ? AND t."address_region" COLLATE "C" < ?)) OR (t."region_tier" IS NOT NULL AND t."region_tier" = ?))
[31 32 330106 330107 3301 3302 first] (0 of joins)

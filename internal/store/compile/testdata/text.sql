-- customer: {"all":[{"field":"name","op":"contains","value":"有限_公司"},{"field":"name","op":"starts_with","value":"上海"},{"field":"name","op":"ends_with","value":"店"},{"field":"name","op":"matches","value":"^[A-Z].*$"}]}

-- records, compile.SQLite

WHERE ((t."name_fold" IS NOT NULL AND instr(t."name_fold", ?) > 0) AND (t."name_fold" IS NOT NULL AND (t."name_fold" >= ? AND t."name_fold" < ?)) AND (t."name_fold" IS NOT NULL AND substr(t."name_fold", -1) = ?) AND (t."name_fold" IS NOT NULL AND coalesce(t."name_fold", '') REGEXP ?))
[有限_公司 上海 上浸 店 ^[A-Za-z](?:[^\n])*$] (0 of joins)

-- records, compile.PostgreSQL

WHERE ((t."name_fold" IS NOT NULL AND t."name_fold" LIKE '%' || replace(replace(replace(CAST(? AS TEXT), '\', '\\'), '%', '\%'), '_', '\_') || '%') AND (t."name_fold" IS NOT NULL AND (t."name_fold" COLLATE "C" >= ? AND t."name_fold" COLLATE "C" < ?)) AND (t."name_fold" IS NOT NULL AND right(t."name_fold", 1) = ?) AND (t."name_fold" IS NOT NULL AND t."name_fold" ~ ?))
[有限_公司 上海 上浸 店 ^[A-Za-z](?:[^\n])*$] (0 of joins)

-- analytics

WHERE ((t."name_fold" IS NOT NULL AND strpos(t."name_fold", ?) > 0) AND (t."name_fold" IS NOT NULL AND (t."name_fold" COLLATE "C" >= ? AND t."name_fold" COLLATE "C" < ?)) AND (t."name_fold" IS NOT NULL AND right(t."name_fold", 1) = ?) AND (t."name_fold" IS NOT NULL AND t."name_fold" ~ ?))
[有限_公司 上海 上浸 店 ^(?:(?:.|\n)*(?:^[A-Za-z](?:[^\n])*$)(?:.|\n)*)$] (0 of joins)

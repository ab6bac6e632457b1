-- customer: {"not":{"any":[{"field":"name","op":"!=","value":"ABC"},{"field":"country","op":"in","value":["中国","France"]}]}}

-- records, compile.SQLite

WHERE NOT (((t."name_fold" IS NOT NULL AND NOT (t."name_fold" = ?)) OR (t."country_fold" IS NOT NULL AND t."country_fold" IN (?, ?))))
[abc 中国 france] (0 of joins)

-- records, compile.PostgreSQL

WHERE NOT (((t."name_fold" IS NOT NULL AND NOT (t."name_fold" = ?)) OR (t."country_fold" IS NOT NULL AND t."country_fold" IN (?, ?))))
[abc 中国 france] (0 of joins)

-- analytics

WHERE NOT (((t."name_fold" IS NOT NULL AND NOT (t."name_fold" = ?)) OR (t."country_fold" IS NOT NULL AND t."country_fold" IN (?, ?))))
[abc 中国 france] (0 of joins)

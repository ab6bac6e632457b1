-- customer: {"all":[{"field":"tags","op":"contains","value":["a","b"]},{"field":"needs","op":"not_in","value":["product"]}]}

-- records, compile.SQLite

WHERE ((t."tags" IS NOT NULL AND (instr(t."tags", ?) > 0 AND instr(t."tags", ?) > 0)) AND (t."needs" IS NOT NULL AND NOT (instr(t."needs", ?) > 0)))
[|a| |b| |product|] (0 of joins)

-- records, compile.PostgreSQL

WHERE ((t."tags" IS NOT NULL AND (t."tags" LIKE '%' || replace(replace(replace(CAST(? AS TEXT), '\', '\\'), '%', '\%'), '_', '\_') || '%' AND t."tags" LIKE '%' || replace(replace(replace(CAST(? AS TEXT), '\', '\\'), '%', '\%'), '_', '\_') || '%')) AND (t."needs" IS NOT NULL AND NOT (t."needs" LIKE '%' || replace(replace(replace(CAST(? AS TEXT), '\', '\\'), '%', '\%'), '_', '\_') || '%')))
[|a| |b| |product|] (0 of joins)

-- analytics

WHERE ((t."tags" IS NOT NULL AND (strpos(t."tags", ?) > 0 AND strpos(t."tags", ?) > 0)) AND (t."needs" IS NOT NULL AND NOT (strpos(t."needs", ?) > 0)))
[|a| |b| |product|] (0 of joins)

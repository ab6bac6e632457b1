-- customer: {"field":"birthday","op":"anniversary_within","value":{"days":14}}

-- records, compile.SQLite

WHERE (t."birthday_md" IS NOT NULL AND t."birthday_cal" IS NOT NULL AND ((t."birthday_cal" = ? AND ((t."birthday_md" >= ? AND t."birthday_md" <= ?) OR (t."birthday_md" >= ? AND t."birthday_md" <= ?))) OR (t."birthday_cal" = ? AND ((t."birthday_md" >= ? AND t."birthday_md" <= ?) OR (t."birthday_md" >= ? AND t."birthday_md" <= ?)))))
[solar 1121 1130 1201 1204 lunar 1013 1026 11013 11026] (0 of joins)

-- records, compile.PostgreSQL

WHERE (t."birthday_md" IS NOT NULL AND t."birthday_cal" IS NOT NULL AND ((t."birthday_cal" = ? AND ((t."birthday_md" >= ? AND t."birthday_md" <= ?) OR (t."birthday_md" >= ? AND t."birthday_md" <= ?))) OR (t."birthday_cal" = ? AND ((t."birthday_md" >= ? AND t."birthday_md" <= ?) OR (t."birthday_md" >= ? AND t."birthday_md" <= ?)))))
[solar 1121 1130 1201 1204 lunar 1013 1026 11013 11026] (0 of joins)

-- analytics

WHERE (t."birthday_md" IS NOT NULL AND t."birthday_cal" IS NOT NULL AND ((t."birthday_cal" = ? AND ((t."birthday_md" >= ? AND t."birthday_md" <= ?) OR (t."birthday_md" >= ? AND t."birthday_md" <= ?))) OR (t."birthday_cal" = ? AND ((t."birthday_md" >= ? AND t."birthday_md" <= ?) OR (t."birthday_md" >= ? AND t."birthday_md" <= ?)))))
[solar 1121 1130 1201 1204 lunar 1013 1026 11013 11026] (0 of joins)

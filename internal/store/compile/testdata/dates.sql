-- customer: {"all":[{"field":"created_at","op":"within_last","value":{"days":30}},{"field":"created_at","op":"within_last","value":{"hours":24}},{"field":"acquired_on","op":"between","value":["2026-01-01","2026-06-30"]}]}

-- records, compile.SQLite

WHERE ((t."created_at_day" IS NOT NULL AND (t."created_at_day" >= ? AND t."created_at_day" <= ?)) AND (t."created_at" IS NOT NULL AND (t."created_at" >= ? AND t."created_at" <= ?)) AND (t."acquired_on" IS NOT NULL AND (t."acquired_on" >= ? AND t."acquired_on" <= ?)))
[20749 20778 1795140000001 1795226400000 20454 20634] (0 of joins)

-- records, compile.PostgreSQL

WHERE ((t."created_at_day" IS NOT NULL AND (t."created_at_day" >= ? AND t."created_at_day" <= ?)) AND (t."created_at" IS NOT NULL AND (t."created_at" >= ? AND t."created_at" <= ?)) AND (t."acquired_on" IS NOT NULL AND (t."acquired_on" >= ? AND t."acquired_on" <= ?)))
[20749 20778 1795140000001 1795226400000 20454 20634] (0 of joins)

-- analytics

WHERE ((t."created_at_day" IS NOT NULL AND (t."created_at_day" >= ? AND t."created_at_day" <= ?)) AND (t."created_at" IS NOT NULL AND (t."created_at" >= ? AND t."created_at" <= ?)) AND (t."acquired_on" IS NOT NULL AND (t."acquired_on" >= ? AND t."acquired_on" <= ?)))
[20749 20778 1795140000001 1795226400000 20454 20634] (0 of joins)

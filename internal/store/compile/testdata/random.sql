-- customer: {"random":{"percent":12.5,"salt":"a"}}

-- records, compile.SQLite
query.needs_analytics

-- records, compile.PostgreSQL
query.needs_analytics

-- analytics

WHERE substr(md5(CAST(? AS TEXT) || CAST(t."id" AS TEXT)), 1, 16) COLLATE "C" < ?
[a: 2000000000000000] (0 of joins)

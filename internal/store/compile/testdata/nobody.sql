-- customer: {"any":[]}

-- records, compile.SQLite

WHERE FALSE
[] (0 of joins)

-- records, compile.PostgreSQL

WHERE t."id" < 0
[] (0 of joins)

-- analytics

WHERE t."id" < 0
[] (0 of joins)

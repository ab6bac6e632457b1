-- customer: {"any":[]}

-- records, compile.SQLite

WHERE FALSE
[] (0 of joins)

-- records, compile.PostgreSQL

WHERE FALSE
[] (0 of joins)

-- analytics

WHERE FALSE
[] (0 of joins)

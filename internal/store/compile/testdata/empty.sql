-- customer: {"all":[]}

-- records, compile.SQLite

WHERE TRUE
[] (0 of joins)

-- records, compile.PostgreSQL

WHERE TRUE
[] (0 of joins)

-- analytics

WHERE TRUE
[] (0 of joins)

-- customer: {"all":[{"field":"phone","op":"in","value":["13800138000","13900139000"]},{"field":"email","op":"is_not_set"},{"field":"email.domain","op":"=","value":"qq.com"}]}

-- records, compile.SQLite

WHERE ((t."phone_blind" IS NOT NULL AND t."phone_blind" IN (?, ?)) AND NOT (t."email" IS NOT NULL) AND (t."email_class" IS NOT NULL AND t."email_class" = ?))
[blind of phone +8613800138000 blind of phone +8613900139000 qq.com] (0 of joins)

-- records, compile.PostgreSQL

WHERE ((t."phone_blind" IS NOT NULL AND t."phone_blind" IN (?, ?)) AND NOT (t."email" IS NOT NULL) AND (t."email_class" IS NOT NULL AND t."email_class" = ?))
[blind of phone +8613800138000 blind of phone +8613900139000 qq.com] (0 of joins)

-- analytics

WHERE ((t."phone_blind" IS NOT NULL AND t."phone_blind" IN (?, ?)) AND NOT (coalesce(t."email_set", FALSE)) AND (t."email_class" IS NOT NULL AND t."email_class" = ?))
[blind of phone +8613800138000 blind of phone +8613900139000 qq.com] (0 of joins)

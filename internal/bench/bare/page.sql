-- records: one page of customers in the default order. Plan: SEARCH r_customer USING INDEX on created_at, no sort.
SELECT id, name, phone, region, source, created_at FROM r_customer WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 100

-- plane: analytics
-- args: id
-- plan: families are clustered by customer: one row group of each is read
SELECT * FROM customer_traits WHERE customer_id = ?

-- Rules that warn of customers who may be leaving; body is what they say.
CREATE TABLE churn_rule (
  id {key} PRIMARY KEY,
  version BIGINT NOT NULL,
  body {text} NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- Tasks that rules made. back_day is that on which a purchase afterwards was seen, 0 for none.
CREATE TABLE churn_warning (
  id {key} PRIMARY KEY,
  rule_id BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  task_id BIGINT NOT NULL,
  day BIGINT NOT NULL,
  at BIGINT NOT NULL,
  back_day BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX churn_warning_of ON churn_warning(rule_id, customer_id, id);
CREATE INDEX churn_warning_day ON churn_warning(rule_id, day);

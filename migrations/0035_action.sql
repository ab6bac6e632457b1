-- What can be done for customers, as the workspace changed or made it; body is JSON.
CREATE TABLE action_play (
  key {text} PRIMARY KEY,
  body {text} NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);
-- What people decided. orders is NULL until the window of what was taken is over; learned says that the gain was measured.
CREATE TABLE action_choice (
  id {key} PRIMARY KEY,
  play {text} NOT NULL,
  customer_id BIGINT NOT NULL,
  pick {text} NOT NULL,
  reason {text} NOT NULL,
  at BIGINT NOT NULL,
  day BIGINT NOT NULL,
  until_day BIGINT NOT NULL,
  to_day BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  stage {text} NOT NULL,
  gain BIGINT NOT NULL,
  learned BOOLEAN NOT NULL,
  task_id BIGINT NOT NULL DEFAULT 0,
  orders BIGINT,
  revenue BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX action_choice_once ON action_choice(play, customer_id, day);
CREATE INDEX action_choice_customer ON action_choice(customer_id, at);
CREATE INDEX action_choice_until ON action_choice(until_day);
CREATE INDEX action_choice_due ON action_choice(to_day) WHERE orders IS NULL;
-- Who was eligible for a play that leaves some out, and what he did within its window.
CREATE TABLE action_case (
  id {key} PRIMARY KEY,
  play {text} NOT NULL,
  customer_id BIGINT NOT NULL,
  shown BOOLEAN NOT NULL,
  from_day BIGINT NOT NULL,
  to_day BIGINT NOT NULL,
  orders BIGINT,
  revenue BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX action_case_once ON action_case(play, customer_id, from_day);
CREATE INDEX action_case_customer ON action_case(customer_id);
CREATE INDEX action_case_from ON action_case(play, from_day);
CREATE INDEX action_case_due ON action_case(to_day) WHERE orders IS NULL;
-- What the last pass found for each play.
CREATE TABLE action_tally (
  play {text} PRIMARY KEY,
  day BIGINT NOT NULL,
  at BIGINT NOT NULL,
  eligible BIGINT NOT NULL,
  held BIGINT NOT NULL,
  resting BIGINT NOT NULL,
  offered BIGINT NOT NULL,
  gain BIGINT NOT NULL,
  broken BOOLEAN NOT NULL
);

-- A journey: its draft as a document. published is the version in force, 0 for none yet; changed says that the draft is another one. cursor is how far
-- a trigger that goes by the clock or by passages has looked.
CREATE TABLE journey (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  status {text} NOT NULL,
  draft {text} NOT NULL,
  changed BOOLEAN NOT NULL DEFAULT TRUE,
  published BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL,
  reason {text} NOT NULL DEFAULT '',
  cursor_at BIGINT NOT NULL DEFAULT 0,
  lease_by BIGINT NOT NULL DEFAULT 0,
  lease_until BIGINT NOT NULL DEFAULT 0,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  began_at BIGINT NOT NULL DEFAULT 0,
  ended_at BIGINT NOT NULL DEFAULT 0
);
-- What was published is written once and never changes: who is on the way goes on in the version that he is in.
CREATE TABLE journey_version (
  journey_id BIGINT NOT NULL,
  number BIGINT NOT NULL,
  definition {text} NOT NULL,
  flight {text} NOT NULL,
  published_by BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  PRIMARY KEY (journey_id, number)
){without_rowid};
-- A person on the way: entry counts the times that she entered, occasion names what let her in, once each. moves counts what was done with her: a step
-- is written in the transaction that does its work, and only over the count that it began with. until is when what she waits for is over, awaits the
-- event that ends it before, woken_at when it came. arm is treated, holdout or global; state held says that she is only watched.
CREATE TABLE journey_token (
  id {key} PRIMARY KEY,
  journey_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  entry BIGINT NOT NULL,
  occasion {text} NOT NULL,
  arm {text} NOT NULL,
  state {text} NOT NULL,
  step {text} NOT NULL,
  moves BIGINT NOT NULL DEFAULT 0,
  tries BIGINT NOT NULL DEFAULT 0,
  due_at BIGINT NOT NULL,
  until BIGINT NOT NULL DEFAULT 0,
  awaits {text} NOT NULL DEFAULT '',
  woken_at BIGINT NOT NULL DEFAULT 0,
  goal_at BIGINT NOT NULL DEFAULT 0,
  entered_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX journey_token_one ON journey_token(journey_id, customer_id, occasion);
CREATE INDEX journey_token_due ON journey_token(journey_id, due_at, id) WHERE state = 'on';
CREATE INDEX journey_token_step ON journey_token(journey_id, step, id) WHERE state = 'on';
CREATE INDEX journey_token_customer ON journey_token(customer_id, id);
CREATE INDEX journey_token_list ON journey_token(journey_id, state, id);
-- The way of each person, appended and never changed.
CREATE TABLE journey_path (
  token_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  step {text} NOT NULL,
  kind {text} NOT NULL,
  outcome {text} NOT NULL,
  why {text} NOT NULL DEFAULT '',
  at BIGINT NOT NULL,
  PRIMARY KEY (token_id, n)
){without_rowid};
CREATE INDEX journey_path_customer ON journey_path(customer_id, token_id);
-- How often a step had an outcome; of the step '' who came in and who was not let in.
CREATE TABLE journey_tally (
  journey_id BIGINT NOT NULL,
  step {text} NOT NULL,
  outcome {text} NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (journey_id, step, outcome)
){without_rowid};

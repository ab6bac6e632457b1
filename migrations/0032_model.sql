-- What models learned. A version is written once; the one in use stands in model_standing.
CREATE TABLE model_version (
  model {text} NOT NULL,
  number BIGINT NOT NULL,
  cause {text} NOT NULL,
  options {text} NOT NULL,
  state {text} NOT NULL,
  card {text} NOT NULL,
  until_day BIGINT NOT NULL,
  fitted_at BIGINT NOT NULL,
  fitted_by BIGINT NOT NULL DEFAULT 0,
  took_ms BIGINT NOT NULL,
  facts BIGINT NOT NULL DEFAULT 0,
  held_back BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (model, number)
){without_rowid};
-- How a workspace uses each model. A model without a row is used as it comes.
CREATE TABLE model_standing (
  model {text} PRIMARY KEY,
  edition BIGINT NOT NULL DEFAULT 1,
  turned_off BIGINT NOT NULL DEFAULT 0,
  options {text} NOT NULL,
  refit {text} NOT NULL DEFAULT '',
  version BIGINT NOT NULL DEFAULT 0,
  tried_at BIGINT NOT NULL DEFAULT 0,
  failure {text} NOT NULL DEFAULT '',
  scored_at BIGINT NOT NULL DEFAULT 0,
  scored_day BIGINT NOT NULL DEFAULT 0,
  scored_version BIGINT NOT NULL DEFAULT 0,
  scored BIGINT NOT NULL DEFAULT 0,
  took_ms BIGINT NOT NULL DEFAULT 0
);
-- One line for each time a model learned, was scored, or was given another version.
CREATE TABLE model_log (
  at BIGINT NOT NULL,
  model {text} NOT NULL,
  what {text} NOT NULL,
  version BIGINT NOT NULL DEFAULT 0,
  by_id BIGINT NOT NULL DEFAULT 0,
  took_ms BIGINT NOT NULL DEFAULT 0,
  detail {text} NOT NULL DEFAULT '',
  PRIMARY KEY (model, at, what)
){without_rowid};

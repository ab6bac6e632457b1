-- Long work on the shape of the records: checks of unique rules, conversions of fields, making of indexes.
CREATE TABLE shape_work (
  id {key} PRIMARY KEY,
  kind {text} NOT NULL,
  object {text} NOT NULL,
  target {text} NOT NULL,
  state {text} NOT NULL,
  spec {text} NOT NULL,
  seen BIGINT NOT NULL DEFAULT 0,
  total BIGINT NOT NULL DEFAULT 0,
  found BIGINT NOT NULL DEFAULT 0,
  pass BIGINT NOT NULL DEFAULT 0,
  after_id BIGINT NOT NULL DEFAULT 0,
  error {text} NOT NULL DEFAULT '',
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX shape_work_object ON shape_work(object, id);
CREATE INDEX shape_work_state ON shape_work(state, id);
-- The records that stand against a work: those that clash, those whose value cannot be converted.
CREATE TABLE shape_left (
  work BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  other_id BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (work, record_id)
){without_rowid};
-- How often lists were asked by which fields, and how long that took: field keys only, never values.
CREATE TABLE slow_question (
  object {text} NOT NULL,
  fields {text} NOT NULL,
  sort {text} NOT NULL,
  asked BIGINT NOT NULL DEFAULT 0,
  slow BIGINT NOT NULL DEFAULT 0,
  times {text} NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (object, fields, sort)
){without_rowid};

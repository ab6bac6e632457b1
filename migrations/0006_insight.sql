CREATE TABLE segment (
  key {text} PRIMARY KEY,
  label {text} NOT NULL,
  description {text} NOT NULL DEFAULT '',
  kind {text} NOT NULL,
  condition {text},
  version BIGINT NOT NULL DEFAULT 1,
  size BIGINT NOT NULL DEFAULT 0,
  size_at BIGINT NOT NULL DEFAULT 0,
  broken {text} NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL DEFAULT 0,
  created_by BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL DEFAULT 0,
  updated_by BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE segment_static_member (
  segment_key {text} NOT NULL,
  customer_id BIGINT NOT NULL,
  since_at BIGINT NOT NULL,
  PRIMARY KEY (segment_key, customer_id)
){without_rowid};
CREATE INDEX segment_static_member_customer ON segment_static_member(customer_id);
CREATE TABLE segment_history (
  segment_key {text} NOT NULL,
  at BIGINT NOT NULL,
  day BIGINT NOT NULL,
  size BIGINT NOT NULL,
  entered BIGINT NOT NULL DEFAULT 0,
  departed BIGINT NOT NULL DEFAULT 0,
  reason {text} NOT NULL DEFAULT '',
  PRIMARY KEY (segment_key, at)
){without_rowid};
CREATE TABLE classification (
  key {text} PRIMARY KEY,
  label {text} NOT NULL,
  description {text} NOT NULL DEFAULT '',
  classes {text} NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  computed_at BIGINT NOT NULL DEFAULT 0,
  counts {text},
  broken {text} NOT NULL DEFAULT '',
  position BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL DEFAULT 0,
  created_by BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL DEFAULT 0,
  updated_by BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE classification_history (
  classification {text} NOT NULL,
  at BIGINT NOT NULL,
  day BIGINT NOT NULL,
  reason {text} NOT NULL DEFAULT '',
  by_id BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 0,
  counts {text} NOT NULL,
  moved BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (classification, at)
){without_rowid};
CREATE TABLE class_transition (
  customer_id BIGINT NOT NULL,
  classification {text} NOT NULL,
  at BIGINT NOT NULL,
  day BIGINT NOT NULL,
  from_key {text} NOT NULL DEFAULT '',
  to_key {text} NOT NULL DEFAULT '',
  reason {text} NOT NULL DEFAULT '',
  PRIMARY KEY (customer_id, classification, at)
){without_rowid};
CREATE INDEX class_transition_day ON class_transition(classification, day);
CREATE TABLE rfm_cut (
  at BIGINT NOT NULL,
  measure {text} NOT NULL,
  cuts {text} NOT NULL,
  params {text},
  customers BIGINT NOT NULL DEFAULT 0,
  created_by BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (at, measure)
);

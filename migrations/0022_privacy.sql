-- Erasures of people. plan and counts are JSON without any personal value; step says how far a running one has come.
CREATE TABLE erasure (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  record_id BIGINT NOT NULL,
  state {text} NOT NULL,
  reason {text} NOT NULL,
  reference {text} NOT NULL DEFAULT '',
  request BIGINT NOT NULL DEFAULT 0,
  step {text} NOT NULL DEFAULT '',
  plan {text} NOT NULL DEFAULT '{}',
  counts {text} NOT NULL DEFAULT '[]',
  error {text} NOT NULL DEFAULT '',
  digest {text} NOT NULL DEFAULT '',
  by_kind {text} NOT NULL,
  requested_by BIGINT NOT NULL,
  requested_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL DEFAULT 0,
  decided_at BIGINT NOT NULL DEFAULT 0,
  started_at BIGINT NOT NULL DEFAULT 0,
  finished_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX erasure_record ON erasure(record_id, id);
CREATE INDEX erasure_state ON erasure(state, id);
-- The records that a running erasure is about; gone when it is done.
CREATE TABLE erasure_member (
  erasure BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  object {text} NOT NULL,
  fate {text} NOT NULL,
  PRIMARY KEY (erasure, record_id)
){without_rowid};
-- Keyed digests of the identifiers of erased people, so that an import does not bring them back.
CREATE TABLE suppression (
  hash {text} PRIMARY KEY,
  field {text} NOT NULL,
  erasure BIGINT NOT NULL,
  at BIGINT NOT NULL
){without_rowid};
-- Records that must not be erased, whatever else says so.
CREATE TABLE record_hold (
  record_id {key} PRIMARY KEY,
  object {text} NOT NULL,
  reason {text} NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
-- What people ask for about their data. due_on is a local day.
CREATE TABLE privacy_request (
  id {key} PRIMARY KEY,
  kind {text} NOT NULL,
  law {text} NOT NULL,
  object {text} NOT NULL DEFAULT '',
  record_id BIGINT NOT NULL DEFAULT 0,
  channel {text} NOT NULL DEFAULT '',
  verified {text} NOT NULL DEFAULT '',
  received_on BIGINT NOT NULL,
  due_on BIGINT NOT NULL,
  extended BOOLEAN NOT NULL DEFAULT FALSE,
  state {text} NOT NULL,
  assignee BIGINT NOT NULL DEFAULT 0,
  outcome {text} NOT NULL DEFAULT '',
  reference {text} NOT NULL DEFAULT '',
  proof_kind {text} NOT NULL DEFAULT '',
  proof BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX privacy_request_state ON privacy_request(state, due_on, id);
CREATE INDEX privacy_request_record ON privacy_request(record_id, id);
-- Copies of what is known about a person; the file lies outside the database, encrypted with the key in sealed.
CREATE TABLE privacy_copy (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  record_id BIGINT NOT NULL,
  request BIGINT NOT NULL DEFAULT 0,
  state {text} NOT NULL,
  locale {text} NOT NULL,
  sealed {bytes},
  bytes BIGINT NOT NULL DEFAULT 0,
  sha256 {text} NOT NULL DEFAULT '',
  parts {text} NOT NULL DEFAULT '[]',
  error {text} NOT NULL DEFAULT '',
  by_kind {text} NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL DEFAULT 0,
  expires_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX privacy_copy_record ON privacy_copy(record_id, id);
-- For how long records are kept. months count from the later of the last change and, for customers, the last order.
CREATE TABLE retention_rule (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  name {text} NOT NULL,
  months BIGINT NOT NULL,
  basis {text} NOT NULL,
  condition {text},
  action {text} NOT NULL,
  active BOOLEAN NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE retention_run (
  rule BIGINT NOT NULL,
  at BIGINT NOT NULL,
  found BIGINT NOT NULL,
  done BIGINT NOT NULL,
  held BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  error {text} NOT NULL DEFAULT '',
  PRIMARY KEY (rule, at)
){without_rowid};
-- Changes of keys and how far they have come.
CREATE TABLE key_rotation (
  id {key} PRIMARY KEY,
  kind {text} NOT NULL,
  state {text} NOT NULL,
  phase {text} NOT NULL DEFAULT '',
  cursor BIGINT NOT NULL DEFAULT 0,
  done BIGINT NOT NULL DEFAULT 0,
  total BIGINT NOT NULL DEFAULT 0,
  error {text} NOT NULL DEFAULT '',
  by_kind {text} NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL DEFAULT 0
);

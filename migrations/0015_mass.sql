-- Bulk work on records: edits, assignments, deletions, restores and exports.
CREATE TABLE mass_job (
  id {key} PRIMARY KEY,
  kind {text} NOT NULL,
  object {text} NOT NULL,
  lane BIGINT NOT NULL,
  status {text} NOT NULL,
  spec {text} NOT NULL,
  progress {text} NOT NULL,
  result {text} NOT NULL,
  error {text},
  resume {text} NOT NULL,
  by_kind {text} NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL DEFAULT 0,
  finished_at BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX mass_job_person ON mass_job(created_by, id);
CREATE INDEX mass_job_status ON mass_job(status, id);
-- The keys of the records that a job is about, frozen when it began: sixteen bytes each, id and version, in parts.
CREATE TABLE mass_part (
  job BIGINT NOT NULL,
  number BIGINT NOT NULL,
  keys {bytes} NOT NULL,
  PRIMARY KEY (job, number)
);
-- What could not be done to a record; phase 0 is the work, 1 its undo.
CREATE TABLE mass_error (
  job BIGINT NOT NULL,
  phase BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 0,
  field {text} NOT NULL DEFAULT '',
  code {text} NOT NULL,
  params {text},
  PRIMARY KEY (job, phase, record_id)
){without_rowid};

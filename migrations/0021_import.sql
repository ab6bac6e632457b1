-- Mappings of imports that were saved by name, for everybody of the workspace who imports. The fingerprint tells files with the same
-- columns.
CREATE TABLE import_saved (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  name {text} NOT NULL,
  name_fold {text} NOT NULL,
  fingerprint {text} NOT NULL,
  mapping {text} NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_by BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX import_saved_name ON import_saved(object, name_fold);
CREATE INDEX import_job_object ON import_job(object, id);

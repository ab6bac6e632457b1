CREATE TABLE import_job (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  file_name {text} NOT NULL,
  file_sha256 {text} NOT NULL DEFAULT '',
  file_size BIGINT NOT NULL DEFAULT 0,
  mapping {text} NOT NULL,
  status {text} NOT NULL,
  progress {text},
  result {text},
  error {text},
  resume {text},
  version BIGINT NOT NULL DEFAULT 1,
  created_by BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL DEFAULT 0,
  finished_at BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE import_error (
  job BIGINT NOT NULL,
  line BIGINT NOT NULL,
  number BIGINT NOT NULL,
  field {text} NOT NULL DEFAULT '',
  code {text} NOT NULL,
  params {text},
  raw {bytes},
  PRIMARY KEY (job, line, number)
){without_rowid};
-- Names of import sources, so that ten million fingerprints carry a small number.
CREATE TABLE import_source (
  id {key} PRIMARY KEY,
  name {text} NOT NULL UNIQUE
);
-- Which rows of plain files have been imported: fingerprint (22 characters of a digest), how many equal rows came before it
-- in its file, and the record it made.
CREATE TABLE import_line_seen (
  source BIGINT NOT NULL,
  hash {text} NOT NULL,
  occurrence BIGINT NOT NULL,
  record_id BIGINT NOT NULL,
  job BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (hash, source, occurrence)
){without_rowid};
-- Which lines of purchase files have been imported, one row per order: the digest of its number or key, the order made of it, a digest
-- of its own fields, how many refunds bear its number, and for each line eight bytes of its digest and the id of its record.
CREATE TABLE import_order_seen (
  source BIGINT NOT NULL,
  hash {text} NOT NULL,
  order_id BIGINT NOT NULL DEFAULT 0,
  digest BIGINT NOT NULL,
  refunds BIGINT NOT NULL DEFAULT 0,
  lines {bytes} NOT NULL,
  job BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (hash, source)
){without_rowid};
-- The mapping last used for files with the same columns.
CREATE TABLE import_mapping (
  fingerprint {text} PRIMARY KEY,
  mapping {text} NOT NULL,
  used_at BIGINT NOT NULL DEFAULT 0
);

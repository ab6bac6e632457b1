-- Files on records. The content lies outside the database under the name in blob, encrypted with a key that is sealed with the data key
-- of whom the record belongs to.
CREATE TABLE attachment (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  record_id BIGINT NOT NULL,
  name {text} NOT NULL,
  media {text} NOT NULL,
  size BIGINT NOT NULL,
  blob {text} NOT NULL,
  subject BIGINT NOT NULL,
  sealed {bytes} NOT NULL,
  by_id BIGINT NOT NULL,
  by_kind {text} NOT NULL,
  at BIGINT NOT NULL,
  deleted_at BIGINT NOT NULL DEFAULT 0,
  deleted_by BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX attachment_record ON attachment(record_id, at, id);
CREATE UNIQUE INDEX attachment_blob ON attachment(blob);
CREATE INDEX attachment_deleted ON attachment(deleted_at);

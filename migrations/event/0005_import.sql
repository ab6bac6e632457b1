-- Imports of events of before. state is open, done, undoing or undone.
CREATE TABLE event_import (
  id {key} PRIMARY KEY,
  source BIGINT NOT NULL,
  file {text} NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  state {text} NOT NULL,
  accepted BIGINT NOT NULL DEFAULT 0,
  duplicate BIGINT NOT NULL DEFAULT 0,
  rejected BIGINT NOT NULL DEFAULT 0,
  undone_at BIGINT NOT NULL DEFAULT 0,
  undone_by BIGINT NOT NULL DEFAULT 0
);
-- What an import brought: so it can be taken away, and the same file brings nothing again, however late.
CREATE TABLE event_import_item (
  message_id {text} PRIMARY KEY,
  import_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL
){without_rowid};
CREATE INDEX event_import_item_import ON event_import_item(import_id);

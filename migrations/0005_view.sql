CREATE TABLE view_saved (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  name {text} NOT NULL,
  owner BIGINT NOT NULL DEFAULT 0,
  shared BOOLEAN NOT NULL DEFAULT FALSE,
  kind {text} NOT NULL DEFAULT 'list',
  columns {text} NOT NULL DEFAULT '[]',
  condition {text},
  sort {text} NOT NULL DEFAULT '[]',
  options {text},
  position BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX view_saved_object ON view_saved(object, position, id);

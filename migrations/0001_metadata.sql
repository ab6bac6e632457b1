-- Objects and fields made at run time, as the JSON of their declaration.
CREATE TABLE meta_object (
  key {text} PRIMARY KEY,
  spec {text} NOT NULL,
  position BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE meta_field (
  object {text} NOT NULL,
  key {text} NOT NULL,
  spec {text} NOT NULL,
  position BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (object, key)
);
-- What the schema executor has done, statement by statement.
CREATE TABLE schema_change (
  number BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  statement {text} NOT NULL
);
CREATE TABLE setting (
  key {text} PRIMARY KEY,
  value {text} NOT NULL
);

ALTER TABLE view_saved ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT TRUE;
CREATE TABLE view_default (
  object {text} NOT NULL,
  owner BIGINT NOT NULL,
  view {text} NOT NULL,
  PRIMARY KEY (object, owner)
);

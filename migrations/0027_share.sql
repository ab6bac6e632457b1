-- With whom a saved view is shared, and with which view an object opens for whom. who is "everyone", "user <id>", "team <id>",
-- "department <id>" or "role <key>".
CREATE TABLE view_share (
  view BIGINT NOT NULL,
  who {text} NOT NULL,
  writes BOOLEAN NOT NULL,
  PRIMARY KEY (view, who)
){without_rowid};
CREATE INDEX view_share_who ON view_share(who, view);
INSERT INTO view_share (view, who, writes) SELECT id, 'everyone', FALSE FROM view_saved WHERE shared = TRUE;
ALTER TABLE view_saved DROP COLUMN shared;
CREATE INDEX view_saved_owner ON view_saved(owner, object);
CREATE TABLE view_usual (
  object {text} NOT NULL,
  who {text} NOT NULL,
  view {text} NOT NULL,
  PRIMARY KEY (object, who)
){without_rowid};
INSERT INTO view_usual (object, who, view) SELECT object, CASE WHEN owner = 0 THEN 'everyone' ELSE 'user ' || CAST(owner AS TEXT) END, view FROM view_default;
DROP TABLE view_default;
-- While the data keys are exchanged, former holds the key that the values of a person had before.
ALTER TABLE person_key ADD COLUMN former {bytes};
-- The secrets of the blind index and of the search tokens beyond the first, which comes from the key file. While one follows another,
-- two are in use.
CREATE TABLE index_key (
  generation BIGINT PRIMARY KEY,
  wrapped {bytes} NOT NULL,
  at BIGINT NOT NULL
);
-- The oldest generation in use, and the newest one, with which everything is written.
CREATE TABLE key_state (
  one BIGINT PRIMARY KEY,
  oldest BIGINT NOT NULL,
  newest BIGINT NOT NULL
);
INSERT INTO key_state (one, oldest, newest) VALUES (1, 0, 0);
ALTER TABLE key_rotation ADD COLUMN paused BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE key_rotation ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE key_rotation ADD COLUMN spent BIGINT NOT NULL DEFAULT 0;

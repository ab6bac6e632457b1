-- What people say about records. A comment keeps what it said before in its revisions; a deleted one keeps its place.
CREATE TABLE comment (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  record_id BIGINT NOT NULL,
  body {text} NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  edited_at BIGINT NOT NULL DEFAULT 0,
  deleted_at BIGINT NOT NULL DEFAULT 0,
  deleted_by BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX comment_record ON comment(record_id, at, id);
CREATE TABLE comment_revision (
  comment BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body {text} NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (comment, version)
){without_rowid};
-- Who wants to know what happens to a record.
CREATE TABLE follow (
  record_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  object {text} NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (record_id, user_id)
){without_rowid};
-- What somebody is told. once says what it is about, so that nobody is told twice.
CREATE TABLE notification (
  id {key} PRIMARY KEY,
  user_id BIGINT NOT NULL,
  kind {text} NOT NULL,
  object {text} NOT NULL DEFAULT '',
  record_id BIGINT NOT NULL DEFAULT 0,
  by_kind {text} NOT NULL DEFAULT '',
  by_id BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL,
  read_at BIGINT NOT NULL DEFAULT 0,
  times BIGINT NOT NULL DEFAULT 1,
  detail {text} NOT NULL DEFAULT '{}',
  once {text} NOT NULL
);
CREATE UNIQUE INDEX notification_once ON notification(once);
CREATE INDEX notification_user ON notification(user_id, id);
CREATE INDEX notification_unread ON notification(user_id, record_id) WHERE read_at = 0;

-- Segments that rules watch, with who is remembered as a member: the comparison with who is one begins runs. mark is another text for another
-- condition; looked_at is when everybody was compared, head_xid and head_seq where the log of changes ended then.
CREATE TABLE automation_watch (
  segment {text} PRIMARY KEY,
  mark {text} NOT NULL,
  since BIGINT NOT NULL,
  looked_at BIGINT NOT NULL,
  head_xid BIGINT NOT NULL DEFAULT 0,
  head_seq BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE automation_member (
  segment {text} NOT NULL,
  record_id BIGINT NOT NULL,
  PRIMARY KEY (segment, record_id)
){without_rowid};
-- What other systems are to be told beside changes of records, until it is queued for them: written with what happened.
CREATE TABLE webhook_event (
  once {text} PRIMARY KEY,
  type {text} NOT NULL,
  object {text} NOT NULL DEFAULT '',
  record_id BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL,
  body {text} NOT NULL
);
CREATE INDEX webhook_event_at ON webhook_event(at);

-- There is one writer, so the sequence is the order of commits.
CREATE TABLE change (
  seq INTEGER PRIMARY KEY,
  object TEXT NOT NULL,
  record_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  op TEXT NOT NULL,
  at BIGINT NOT NULL,
  by_kind TEXT NOT NULL,
  by_id BIGINT NOT NULL,
  batch_id BIGINT NOT NULL,
  before BLOB,
  after BLOB
);
CREATE INDEX change_record ON change(record_id, seq);

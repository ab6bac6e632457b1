-- What a request that may be repeated did, kept for a day, so that its repetition after a crash does nothing twice.
CREATE TABLE request_outcome (
  request {text} PRIMARY KEY,
  outcome {bytes} NOT NULL,
  at BIGINT NOT NULL
){without_rowid};
CREATE INDEX request_outcome_at ON request_outcome(at);

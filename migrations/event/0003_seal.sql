-- The sealed files of events, embedded alone: file is the path below the folder of events, day that of acceptance in UTC, min_day and
-- max_day the local days on which what it holds happened.
CREATE TABLE event_seal (
  file {text} PRIMARY KEY,
  day BIGINT NOT NULL,
  first_seq BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 {text} NOT NULL,
  min_day BIGINT NOT NULL,
  max_day BIGINT NOT NULL,
  sealed_at BIGINT NOT NULL
);
CREATE INDEX event_seal_day ON event_seal(day, first_seq);

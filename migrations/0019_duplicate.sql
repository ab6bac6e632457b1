-- Pairs of records that may be the same, as the last search found them; a is the older. grp is the oldest of all that hang together.
CREATE TABLE duplicate_pair (
  a BIGINT NOT NULL,
  b BIGINT NOT NULL,
  object {text} NOT NULL,
  grp BIGINT NOT NULL,
  score BIGINT NOT NULL,
  sure BIGINT NOT NULL,
  rule {text} NOT NULL,
  reasons {text} NOT NULL,
  run BIGINT NOT NULL,
  later BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (a, b)
){without_rowid};
CREATE INDEX duplicate_pair_other ON duplicate_pair(b);
CREATE INDEX duplicate_pair_group ON duplicate_pair(object, later, grp);
-- Pairs of which somebody said that they are not the same.
CREATE TABLE duplicate_verdict (
  a BIGINT NOT NULL,
  b BIGINT NOT NULL,
  object {text} NOT NULL,
  by_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (a, b)
){without_rowid};
CREATE INDEX duplicate_verdict_other ON duplicate_verdict(b);
-- The last search of each object.
CREATE TABLE duplicate_run (
  object {text} PRIMARY KEY,
  id BIGINT NOT NULL,
  state {text} NOT NULL,
  scanned BIGINT NOT NULL DEFAULT 0,
  found BIGINT NOT NULL DEFAULT 0,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0,
  by_id BIGINT NOT NULL DEFAULT 0
);

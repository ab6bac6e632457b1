-- Folders, the recycle bin and the nightly check of segments: differing is how many members it found otherwise than they were kept, checked_at when.
ALTER TABLE segment ADD COLUMN folder {text} NOT NULL DEFAULT '';
ALTER TABLE segment ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN differing BIGINT NOT NULL DEFAULT 0;
-- Who entered and left segments, and why: cause is what made it known, leaf the part of the condition that decided it.
CREATE TABLE segment_passage (
  customer_id BIGINT NOT NULL,
  segment_key {text} NOT NULL,
  at BIGINT NOT NULL,
  day BIGINT NOT NULL,
  entered BIGINT NOT NULL,
  cause {text} NOT NULL,
  leaf {text},
  PRIMARY KEY (customer_id, segment_key, at)
){without_rowid};
CREATE INDEX segment_passage_segment ON segment_passage(segment_key, at);

-- Records that were merged into one: what the survivor's fields were before and after (stored form: personal values are
-- ciphertext), so that a merge can be taken back.
CREATE TABLE record_merge (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  survivor BIGINT NOT NULL,
  at BIGINT NOT NULL,
  by_kind {text} NOT NULL,
  by_id BIGINT NOT NULL,
  before {bytes},
  after {bytes},
  moved BIGINT NOT NULL DEFAULT 0,
  undone_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX record_merge_survivor ON record_merge(survivor, id);
-- Which record a merged one is part of: its id leads there from then on.
CREATE TABLE record_merged (
  record_id {key} PRIMARY KEY,
  object {text} NOT NULL,
  survivor BIGINT NOT NULL,
  merge BIGINT NOT NULL
);
CREATE INDEX record_merged_merge ON record_merged(merge);
-- Which records pointed at a merged one, by which field.
CREATE TABLE record_merge_child (
  merge BIGINT NOT NULL,
  object {text} NOT NULL,
  field {text} NOT NULL,
  record_id BIGINT NOT NULL,
  former BIGINT NOT NULL,
  PRIMARY KEY (merge, object, field, record_id)
){without_rowid};

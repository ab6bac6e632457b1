-- What is left to do of a merge: pending is 1 while the records that pointed at the merged ones are moved piece by piece, 2 while they
-- are given back, 0 otherwise. total is about how many they are, place how far the walk is (JSON), stuck how many could not be moved.
ALTER TABLE record_merge ADD COLUMN pending BIGINT NOT NULL DEFAULT 0;
ALTER TABLE record_merge ADD COLUMN total BIGINT NOT NULL DEFAULT 0;
ALTER TABLE record_merge ADD COLUMN place {text} NOT NULL DEFAULT '';
ALTER TABLE record_merge ADD COLUMN stuck BIGINT NOT NULL DEFAULT 0;
CREATE INDEX record_merge_pending ON record_merge(id) WHERE pending > 0;

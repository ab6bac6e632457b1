-- The chain of the audit trail covers salted digests of its entries; what an entry tells stands apart and may be erased with
-- its salt. An entry without a salt was erased.
ALTER TABLE audit ADD COLUMN salt TEXT NOT NULL DEFAULT '';
CREATE TABLE audit_chain (
  seq BIGINT PRIMARY KEY, entry BIGINT NOT NULL UNIQUE, at BIGINT NOT NULL, digest TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX audit_record ON audit (record_id, id);

-- What a link in a mail is good for, once and for a while: an invitation, a new password, the proof of an address. hash is the
-- SHA-256 of the secret in the link.
CREATE TABLE ticket (
  hash TEXT PRIMARY KEY, kind TEXT NOT NULL, person BIGINT NOT NULL, workspace TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL);
CREATE INDEX ticket_person ON ticket (person, kind);
CREATE INDEX ticket_expires ON ticket (expires_at);
ALTER TABLE person ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;

-- Whether a source with a secret key said that a browser is somebody's; see consent.Proven.
ALTER TABLE consent_link ADD COLUMN proven BOOLEAN NOT NULL DEFAULT FALSE;
-- The times in which somebody refused to be analysed, worked out from the ledger. until_at is 0 while it lasts. waits is since
-- when what was analysed of them, before the refusal was known, waits to be taken out; 0 where it has been.
CREATE TABLE consent_refusal (
  subject_id BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  waits BIGINT NOT NULL,
  PRIMARY KEY (subject_id, from_at, until_at)
){without_rowid};
CREATE INDEX consent_refusal_waits ON consent_refusal(subject_id) WHERE waits > 0;
INSERT INTO consent_refusal (subject_id, from_at, until_at, waits) SELECT DISTINCT subject_id, at, 0, 1 FROM consent_state WHERE purpose = 'analytics' AND state = 'withdrawn';

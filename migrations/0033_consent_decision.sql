-- What somebody decided about refusals that nobody proved to be a customer's. Those of before counted at once, and go on counting.
CREATE TABLE consent_decision (
  entry_id {key} PRIMARY KEY,
  accepted BOOLEAN NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL
);
INSERT INTO consent_decision (entry_id, accepted, decided_by, decided_at) SELECT id, TRUE, 0, recorded_at FROM consent_entry WHERE source = 'claim' AND state = 'withdrawn';
-- The refusals that wait to be decided, worked out from the ledger: subject_id is the customer whose they may be, at when they were said last.
CREATE TABLE consent_claim (
  entry_id {key} PRIMARY KEY,
  subject_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX consent_claim_subject ON consent_claim(subject_id);

-- What consents are asked for, in one document (purposes, categories of events): id is 1.
CREATE TABLE consent_policy (
  id {key} PRIMARY KEY,
  version BIGINT NOT NULL,
  body {text} NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- The words that people agree to. A version is written once and never changes.
CREATE TABLE consent_wording (
  id {key} PRIMARY KEY,
  purpose {text} NOT NULL,
  number BIGINT NOT NULL,
  zh {text} NOT NULL,
  en {text} NOT NULL,
  valid_from BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX consent_wording_number ON consent_wording(purpose, number);
-- The ledger of what people said, only added to. subject_id is the customer, or the profile of a visitor, that said it; erasure empties
-- what is personal and leaves proof, a keyed digest of the subject, and the erasure.
CREATE TABLE consent_entry (
  id {key} PRIMARY KEY,
  once {text} NOT NULL,
  subject_id BIGINT NOT NULL,
  purpose {text} NOT NULL,
  channel {text} NOT NULL,
  state {text} NOT NULL,
  at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0,
  wording BIGINT NOT NULL DEFAULT 0,
  source {text} NOT NULL,
  guardian BOOLEAN NOT NULL DEFAULT FALSE,
  by_kind {text} NOT NULL,
  by_id BIGINT NOT NULL DEFAULT 0,
  page {text} NOT NULL DEFAULT '',
  note {text} NOT NULL DEFAULT '',
  evidence {text} NOT NULL DEFAULT '',
  proof {text} NOT NULL DEFAULT '',
  erasure BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX consent_entry_once ON consent_entry(once);
CREATE INDEX consent_entry_subject ON consent_entry(subject_id, id);
CREATE INDEX consent_entry_proof ON consent_entry(proof) WHERE proof <> '';
-- When a subject last repeated a statement that stands in the ledger.
CREATE TABLE consent_again (
  subject_id BIGINT NOT NULL,
  purpose {text} NOT NULL,
  channel {text} NOT NULL,
  state {text} NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (subject_id, purpose, channel, state)
){without_rowid};
-- What the ledger comes to. state is '' where nothing counts any more; seq grows with every change.
CREATE TABLE consent_state (
  subject_id BIGINT NOT NULL,
  purpose {text} NOT NULL,
  channel {text} NOT NULL,
  state {text} NOT NULL,
  at BIGINT NOT NULL,
  entry_id BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  guardian BOOLEAN NOT NULL,
  customer BOOLEAN NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (subject_id, purpose, channel)
){without_rowid};
CREATE INDEX consent_state_seq ON consent_state(seq);
CREATE INDEX consent_state_count ON consent_state(purpose, channel, state, customer);
CREATE INDEX consent_state_due ON consent_state(expires_at) WHERE state = 'given' AND expires_at > 0;
-- Profiles that belong to a customer or to another profile, and customers that were merged into another one.
CREATE TABLE consent_link (
  member {key} PRIMARY KEY,
  parent BIGINT NOT NULL
);
CREATE INDEX consent_link_parent ON consent_link(parent);
-- The order of writers: one line, locked by whoever writes.
CREATE TABLE consent_lock (
  id {key} PRIMARY KEY,
  seq BIGINT NOT NULL
);
INSERT INTO consent_lock (id, seq) VALUES (1, 0);

CREATE TABLE consumer_position (
  consumer {text} PRIMARY KEY,
  xid BIGINT NOT NULL,
  seq BIGINT NOT NULL
);
-- Uniqueness of every unique field, keyed by the value: under distribution no table but this one can promise it. The
-- value stands first in the key, so that many values are looked up each by itself.
CREATE TABLE unique_key (
  object {text} NOT NULL,
  field {text} NOT NULL,
  value {text} NOT NULL,
  record_id BIGINT NOT NULL,
  PRIMARY KEY (value, object, field)
){without_rowid};
CREATE TABLE counter (
  name {text} PRIMARY KEY,
  value BIGINT NOT NULL
){without_rowid};
-- Wrapped data keys, one per person. Destroying a row erases what it sealed.
CREATE TABLE person_key (
  subject {key} PRIMARY KEY,
  wrapped {bytes} NOT NULL
);

-- Who events are of. A profile that was joined to another one points at it (into_id); root_id is the end of that way, its own id for a root.
-- customer_id is the customer that was found for it; merges of customers stand in profile_survivor.
CREATE TABLE profile (
  id {key} PRIMARY KEY,
  into_id BIGINT NOT NULL DEFAULT 0,
  root_id BIGINT NOT NULL,
  customer_id BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
);
CREATE INDEX profile_root ON profile(root_id);
CREATE INDEX profile_owner ON profile(customer_id);
-- value is the text, or of a personal one '~' and its keyed index; sealed is '' of one that is not personal.
CREATE TABLE identifier (
  namespace {text} NOT NULL,
  value {text} NOT NULL,
  id BIGINT NOT NULL,
  profile_id BIGINT NOT NULL,
  shown {text} NOT NULL,
  sealed {text} NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (namespace, value)
){without_rowid};
CREATE INDEX identifier_profile ON identifier(profile_id);
CREATE UNIQUE INDEX identifier_id ON identifier(id);
-- The log of joins, and of identifiers that went to somebody else.
CREATE TABLE profile_merge (
  id {key} PRIMARY KEY,
  loser_id BIGINT NOT NULL,
  winner_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  why {text} NOT NULL,
  by_id BIGINT NOT NULL DEFAULT 0,
  event_id BIGINT NOT NULL DEFAULT 0,
  evidence {text} NOT NULL,
  undone_at BIGINT NOT NULL DEFAULT 0,
  undone_by BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX profile_merge_loser ON profile_merge(loser_id);
CREATE INDEX profile_merge_winner ON profile_merge(winner_id);
-- Whose the events of a profile are: of several lines the one with the highest seq. Without one they are the profile's own.
CREATE TABLE profile_customer (
  seq {key} PRIMARY KEY,
  profile_id BIGINT NOT NULL,
  customer_id BIGINT NOT NULL
);
CREATE INDEX profile_customer_profile ON profile_customer(profile_id, seq);
-- Customers that were merged into others.
CREATE TABLE profile_survivor (
  merged_id {key} PRIMARY KEY,
  survivor_id BIGINT NOT NULL
);
CREATE INDEX profile_survivor_of ON profile_survivor(survivor_id);
-- Questions for a person: profiles that may be one, or (b_id 0) a profile that may be one of several customers.
CREATE TABLE profile_review (
  a_id BIGINT NOT NULL,
  b_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind {text} NOT NULL,
  evidence {text} NOT NULL,
  state {text} NOT NULL,
  count BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  by_id BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (a_id, b_id)
){without_rowid};
CREATE INDEX profile_review_other ON profile_review(b_id);
CREATE INDEX profile_review_state ON profile_review(state, last_at);
CREATE UNIQUE INDEX profile_review_id ON profile_review(id);
-- What the last event said of a field of a customer: a keyed digest and its time.
CREATE TABLE profile_value (
  customer_id BIGINT NOT NULL,
  field {text} NOT NULL,
  digest {text} NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (customer_id, field)
){without_rowid};
-- Orders that events made or told of: whose they are, and the newest event that was taken in.
CREATE TABLE profile_order (
  order_id {text} PRIMARY KEY,
  record_id BIGINT NOT NULL,
  profile_id BIGINT NOT NULL,
  customer_id BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL
){without_rowid};
CREATE INDEX profile_order_profile ON profile_order(profile_id);
-- The order of writers of identity: one line, locked by whoever writes.
CREATE TABLE profile_lock (
  id {key} PRIMARY KEY,
  seq BIGINT NOT NULL
);
INSERT INTO profile_lock (id, seq) VALUES (1, 0);

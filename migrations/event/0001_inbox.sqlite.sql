-- Events in the order of their acceptance. There is one writer, so the sequence is the order of commits; AUTOINCREMENT never gives a
-- number again, also when the inbox was emptied. profile_id is 0 until identity resolution.
CREATE TABLE event_inbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id BIGINT NOT NULL,
  source_id BIGINT NOT NULL,
  message_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  at BIGINT NOT NULL,
  day BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  original_at BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  user_id TEXT NOT NULL,
  anonymous_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  previous_id TEXT NOT NULL,
  properties TEXT NOT NULL,
  context TEXT NOT NULL,
  profile_id BIGINT NOT NULL DEFAULT 0
);
-- Message ids of the last days with what they came with, kept whatever happens to the inbox. day is that of acceptance, in UTC.
CREATE TABLE event_seen (
  message_id TEXT PRIMARY KEY,
  hash BIGINT NOT NULL,
  day BIGINT NOT NULL
);
CREATE INDEX event_seen_day ON event_seen(day);
-- How far each consumer of the inbox has come.
CREATE TABLE event_position (
  consumer TEXT PRIMARY KEY,
  xid BIGINT NOT NULL,
  seq BIGINT NOT NULL
) WITHOUT ROWID;
-- What was refused at the door, and what the tracking plan holds back (state: rejected, quarantined). payload is the event as JSON, its
-- personal traits sealed; '' where it was no JSON at all.
CREATE TABLE event_rejected (
  id INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  source_id BIGINT NOT NULL,
  message_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  code TEXT NOT NULL,
  field TEXT NOT NULL,
  state TEXT NOT NULL,
  payload TEXT NOT NULL
);
CREATE INDEX event_rejected_at ON event_rejected(at, id);
-- Counts of a source on a day (UTC). last_at is when something of it was accepted last.
CREATE TABLE event_count (
  source_id BIGINT NOT NULL,
  day BIGINT NOT NULL,
  accepted BIGINT NOT NULL,
  duplicate BIGINT NOT NULL,
  collision BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (source_id, day)
) WITHOUT ROWID;

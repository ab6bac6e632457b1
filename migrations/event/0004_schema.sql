-- What was learned of the events of each source. source is the id of the source, kind that of the first event of the name.
CREATE TABLE event_name (
  source BIGINT NOT NULL,
  name {text} NOT NULL,
  kind {text} NOT NULL,
  total BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (source, name)
){without_rowid};
-- How many of a name a local day had.
CREATE TABLE event_volume (
  source BIGINT NOT NULL,
  name {text} NOT NULL,
  day BIGINT NOT NULL,
  total BIGINT NOT NULL,
  PRIMARY KEY (source, name, day)
){without_rowid};
CREATE INDEX event_volume_day ON event_volume(day);
-- Properties by path. types counts values by type, examples are texts that show nobody; both are JSON.
CREATE TABLE event_property (
  source BIGINT NOT NULL,
  name {text} NOT NULL,
  path {text} NOT NULL,
  total BIGINT NOT NULL,
  types {text} NOT NULL,
  examples {text} NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (source, name, path)
){without_rowid};
-- Plans of events; the one of the greatest version counts.
CREATE TABLE event_plan (
  version {key} PRIMARY KEY,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  body {text} NOT NULL
);
-- The newest events, for whoever builds a website to look at. Bounded in number: the oldest give way.
CREATE TABLE event_recent (
  id {key} PRIMARY KEY,
  source BIGINT NOT NULL,
  name {text} NOT NULL,
  kind {text} NOT NULL,
  profile BIGINT NOT NULL,
  user_id {text} NOT NULL,
  anonymous_id {text} NOT NULL,
  flags BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  body {text} NOT NULL
);
-- Secrets of days, under which visitors without an id are counted; the older ones are deleted.
CREATE TABLE event_salt (
  day BIGINT PRIMARY KEY,
  salt {bytes} NOT NULL
);

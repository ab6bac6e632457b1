-- Doors that events come by. settings is JSON. Of a write key only the SHA-256 is kept; hint is how it begins. expires_at 0 is never.
CREATE TABLE event_source (
  id BIGINT PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, enabled BOOLEAN NOT NULL, settings TEXT NOT NULL, version BIGINT NOT NULL,
  created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE INDEX event_source_workspace ON event_source (workspace, id);
CREATE TABLE event_source_key (
  hash TEXT PRIMARY KEY, source BIGINT NOT NULL, hint TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX event_source_key_source ON event_source_key (source);

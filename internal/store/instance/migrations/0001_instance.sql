-- Instants are milliseconds since 1970 UTC; 0 means never.
CREATE TABLE workspace (
  key TEXT PRIMARY KEY, name TEXT NOT NULL, timezone TEXT NOT NULL, currency TEXT NOT NULL, locale TEXT NOT NULL, created_at BIGINT NOT NULL);

CREATE TABLE person (
  id BIGINT PRIMARY KEY, email TEXT NOT NULL, email_fold TEXT NOT NULL UNIQUE, name TEXT NOT NULL, locale TEXT NOT NULL, theme TEXT NOT NULL,
  password_hash TEXT NOT NULL, disabled BOOLEAN NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, last_seen_at BIGINT NOT NULL);

CREATE TABLE membership (
  workspace TEXT NOT NULL, person BIGINT NOT NULL, role TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (workspace, person));
CREATE INDEX membership_person ON membership (person);

CREATE TABLE web_session (
  hash TEXT PRIMARY KEY, person BIGINT NOT NULL, workspace TEXT NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX web_session_person ON web_session (person);

CREATE TABLE api_key (
  id BIGINT PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, role TEXT NOT NULL, prefix TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
  created_by BIGINT NOT NULL, created_at BIGINT NOT NULL, last_used_at BIGINT NOT NULL, revoked_at BIGINT NOT NULL);

CREATE TABLE audit (
  id BIGINT PRIMARY KEY, workspace TEXT NOT NULL, at BIGINT NOT NULL, actor_kind TEXT NOT NULL, actor_id BIGINT NOT NULL, actor_name TEXT NOT NULL,
  action TEXT NOT NULL, object TEXT NOT NULL, record_id BIGINT NOT NULL, detail TEXT NOT NULL, address TEXT NOT NULL);
CREATE INDEX audit_workspace ON audit (workspace, id);

CREATE TABLE attempt (
  key TEXT PRIMARY KEY, failures BIGINT NOT NULL, last_at BIGINT NOT NULL, until_at BIGINT NOT NULL);

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY, digest TEXT NOT NULL, status BIGINT NOT NULL, body TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE job (
  id BIGINT PRIMARY KEY, kind TEXT NOT NULL, workspace TEXT NOT NULL, args TEXT NOT NULL, unique_key TEXT NOT NULL, state TEXT NOT NULL, run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL, lease_until BIGINT NOT NULL, last_error TEXT NOT NULL, created_at BIGINT NOT NULL, finished_at BIGINT NOT NULL);
CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE state IN ('queued', 'running');
CREATE INDEX job_due ON job (state, run_at);

CREATE TABLE kept (
  key TEXT PRIMARY KEY, value TEXT NOT NULL);

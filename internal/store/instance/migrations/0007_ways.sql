-- Ways to sign in beside the password: passkeys and providers of identities.
-- credential is the id that the authenticator gave, base64url; data is its public record, JSON: nothing in it is secret. site is the
-- domain that it is good for. stopped_at is set when a copy of it showed up.
CREATE TABLE passkey (
  id BIGINT PRIMARY KEY, person BIGINT NOT NULL, site TEXT NOT NULL, credential TEXT NOT NULL UNIQUE, data TEXT NOT NULL, name TEXT NOT NULL,
  counter BIGINT NOT NULL, created_at BIGINT NOT NULL, used_at BIGINT NOT NULL, stopped_at BIGINT NOT NULL);
CREATE INDEX passkey_person ON passkey (person, id);

-- Recovery codes belong to the person, whichever second factor there is.
CREATE TABLE recovery_salt (
  person BIGINT PRIMARY KEY, salt TEXT NOT NULL);
INSERT INTO recovery_salt (person, salt) SELECT person, salt FROM factor WHERE confirmed_at > 0;

-- What was asked of a browser and is still to be answered, once: hash is the SHA-256 of the secret that names it.
CREATE TABLE sign_flow (
  hash TEXT PRIMARY KEY, kind TEXT NOT NULL, person BIGINT NOT NULL, data TEXT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX sign_flow_expires ON sign_flow (expires_at);

-- secret is sealed, base64; settings is JSON.
CREATE TABLE identity_provider (
  id BIGINT PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, issuer TEXT NOT NULL, client TEXT NOT NULL, secret TEXT NOT NULL, settings TEXT NOT NULL,
  enabled BOOLEAN NOT NULL, version BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE INDEX identity_provider_workspace ON identity_provider (workspace, id);

CREATE TABLE linked_identity (
  provider BIGINT NOT NULL, subject TEXT NOT NULL, person BIGINT NOT NULL, created_at BIGINT NOT NULL, used_at BIGINT NOT NULL, PRIMARY KEY (provider, subject));
CREATE INDEX linked_identity_person ON linked_identity (person);

-- way is how the person proved who they are; provider, subject and sid name the session at the provider, hint is the token that
-- ends it there, sealed.
ALTER TABLE web_session ADD COLUMN way TEXT NOT NULL DEFAULT '';
ALTER TABLE web_session ADD COLUMN provider BIGINT NOT NULL DEFAULT 0;
ALTER TABLE web_session ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE web_session ADD COLUMN sid TEXT NOT NULL DEFAULT '';
ALTER TABLE web_session ADD COLUMN hint TEXT NOT NULL DEFAULT '';
CREATE INDEX web_session_provider ON web_session (provider, subject);
ALTER TABLE sign_in ADD COLUMN way TEXT NOT NULL DEFAULT '';

-- Whether people of a workspace, administrators apart, sign in through a provider alone.
ALTER TABLE workspace ADD COLUMN provider_only BOOLEAN NOT NULL DEFAULT FALSE;

-- Steps of signing in, second factors, and the history of attempts.
ALTER TABLE web_session ADD COLUMN stage TEXT NOT NULL DEFAULT '';
ALTER TABLE web_session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE web_session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE workspace ADD COLUMN factor_roles TEXT NOT NULL DEFAULT '';

-- secret is sealed, base64; salt belongs to the sums of the recovery codes.
CREATE TABLE factor (
  person BIGINT PRIMARY KEY, secret TEXT NOT NULL, created_at BIGINT NOT NULL, confirmed_at BIGINT NOT NULL, last_step BIGINT NOT NULL, salt TEXT NOT NULL);

CREATE TABLE recovery_code (
  person BIGINT NOT NULL, sum TEXT NOT NULL, used_at BIGINT NOT NULL, PRIMARY KEY (person, sum));

-- person is 0 when no account had the address that was typed; the address itself is not kept.
CREATE TABLE sign_in (
  id BIGINT PRIMARY KEY, person BIGINT NOT NULL, at BIGINT NOT NULL, outcome TEXT NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL);
CREATE INDEX sign_in_person ON sign_in (person, id);
CREATE INDEX sign_in_at ON sign_in (at);

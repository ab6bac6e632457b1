-- Departments and teams, roles made in the workspace, and single records shared with somebody. Which role a person has stands
-- with the membership in the instance store. parent is 0 at the top; until is 0 for no end.
CREATE TABLE org_unit (
  id BIGINT PRIMARY KEY, kind TEXT NOT NULL, parent BIGINT NOT NULL, name TEXT NOT NULL, position BIGINT NOT NULL, version BIGINT NOT NULL,
  created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);

CREATE TABLE org_member (
  unit BIGINT NOT NULL, person BIGINT NOT NULL, PRIMARY KEY (unit, person));

CREATE TABLE access_role (
  key TEXT PRIMARY KEY, body TEXT NOT NULL, version BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);

CREATE TABLE record_share (
  id BIGINT PRIMARY KEY, object TEXT NOT NULL, record BIGINT NOT NULL, kind TEXT NOT NULL, grantee BIGINT NOT NULL, writes BOOLEAN NOT NULL,
  until BIGINT NOT NULL, created_at BIGINT NOT NULL, created_by BIGINT NOT NULL);
CREATE UNIQUE INDEX record_share_once ON record_share (record, kind, grantee);
CREATE INDEX record_share_grantee ON record_share (kind, grantee);

-- version goes up with every change of the tables above, so that what was worked out from them is used as long as it holds.
CREATE TABLE rights_state (
  one BIGINT PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO rights_state (one, version) VALUES (1, 1);

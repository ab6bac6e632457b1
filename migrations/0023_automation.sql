-- Rules that do something when something happens. What a rule does stands in its revisions, which never change: a run goes on in the
-- revision that it began in. cursor_at is how far a rule that runs by the clock has looked.
CREATE TABLE automation (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  description {text} NOT NULL DEFAULT '',
  state {text} NOT NULL,
  reason {text} NOT NULL DEFAULT '',
  run_as BIGINT NOT NULL DEFAULT 0,
  revision BIGINT NOT NULL DEFAULT 1,
  hook_serial BIGINT NOT NULL DEFAULT 0,
  cursor_at BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  created_by BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL
);
CREATE TABLE automation_revision (
  automation BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  definition {text} NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (automation, revision)
){without_rowid};
-- A record on its way through a rule. pc is the place in the revision, moves counts the steps that were taken: a step is written in the
-- transaction that does its work, and only over the count that it began with. live is 1 until it has ended.
CREATE TABLE automation_run (
  id {key} PRIMARY KEY,
  automation BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  object {text} NOT NULL,
  record_id BIGINT NOT NULL,
  occasion {text} NOT NULL,
  state {text} NOT NULL,
  live BIGINT NOT NULL,
  pc BIGINT NOT NULL,
  moves BIGINT NOT NULL DEFAULT 0,
  due_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL DEFAULT 0,
  watch BIGINT NOT NULL DEFAULT 0,
  tries BIGINT NOT NULL DEFAULT 0,
  depth BIGINT NOT NULL DEFAULT 0,
  chain {text} NOT NULL DEFAULT '[]',
  input {text} NOT NULL DEFAULT '{}',
  problem {text} NOT NULL DEFAULT '',
  by_id BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX automation_run_occasion ON automation_run(automation, record_id, occasion);
CREATE INDEX automation_run_due ON automation_run(automation, due_at, id) WHERE live = 1;
CREATE INDEX automation_run_log ON automation_run(automation, id);
CREATE INDEX automation_run_record ON automation_run(record_id, id);
CREATE INDEX automation_run_failed ON automation_run(automation, id) WHERE state = 'failed';
CREATE INDEX automation_run_watch ON automation_run(record_id) WHERE watch = 1;
CREATE INDEX automation_run_ended ON automation_run(ended_at) WHERE live = 0;
CREATE TABLE automation_step (
  run BIGINT NOT NULL,
  number BIGINT NOT NULL,
  step {text} NOT NULL,
  kind {text} NOT NULL,
  outcome {text} NOT NULL,
  detail {text} NOT NULL DEFAULT '{}',
  at BIGINT NOT NULL,
  PRIMARY KEY (run, number)
){without_rowid};
-- Which run made a change: what follows from the change knows by it what it follows from.
CREATE TABLE automation_effect (
  record_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  run BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (record_id, version)
){without_rowid};
CREATE INDEX automation_effect_at ON automation_effect(at);
-- Counts of an hour since 1970.
CREATE TABLE automation_hour (
  automation BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  started BIGINT NOT NULL DEFAULT 0,
  begun BIGINT NOT NULL DEFAULT 0,
  done BIGINT NOT NULL DEFAULT 0,
  failed BIGINT NOT NULL DEFAULT 0,
  looped BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (automation, hour)
){without_rowid};
-- Whose turn it is where records are dealt out in turn.
CREATE TABLE automation_turn (
  automation BIGINT NOT NULL,
  step {text} NOT NULL,
  next BIGINT NOT NULL,
  PRIMARY KEY (automation, step)
){without_rowid};

-- What needs somebody's agreement. Every version of a process is kept: a request goes on in the one it began with.
CREATE TABLE approval_process (
  id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  object {text} NOT NULL,
  body {text} NOT NULL,
  state {text} NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id, version)
){without_rowid};
CREATE INDEX approval_process_state ON approval_process(state, object);
-- version goes up with every change of the processes, so that what was read of them is used as long as it holds.
CREATE TABLE approval_state (
  one BIGINT PRIMARY KEY,
  version BIGINT NOT NULL
);
INSERT INTO approval_state (one, version) VALUES (1, 1);
-- A request: what somebody proposes to do, and how far it is. open says that it holds its record locked; content is what is proposed, sealed.
CREATE TABLE approval (
  id {key} PRIMARY KEY,
  process BIGINT NOT NULL,
  version BIGINT NOT NULL,
  object {text} NOT NULL,
  record_id BIGINT NOT NULL DEFAULT 0,
  state {text} NOT NULL,
  open BIGINT NOT NULL,
  by_kind {text} NOT NULL,
  by_id BIGINT NOT NULL,
  rev BIGINT NOT NULL,
  at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0,
  told BIGINT NOT NULL DEFAULT 0,
  body {text} NOT NULL,
  content {bytes} NOT NULL
);
CREATE UNIQUE INDEX approval_once ON approval(record_id, process) WHERE open = 1 AND record_id <> 0;
CREATE INDEX approval_record ON approval(record_id, id);
CREATE INDEX approval_by ON approval(by_id, id);
CREATE INDEX approval_ready ON approval(state, id);
CREATE INDEX approval_untold ON approval(id) WHERE told = 0;
-- What one person is asked in a request.
CREATE TABLE approval_task (
  id {key} PRIMARY KEY,
  approval BIGINT NOT NULL,
  person BIGINT NOT NULL,
  by_id BIGINT NOT NULL DEFAULT 0,
  state {text} NOT NULL,
  due_at BIGINT NOT NULL DEFAULT 0,
  told BIGINT NOT NULL DEFAULT 0,
  body {text} NOT NULL
);
CREATE INDEX approval_task_of ON approval_task(approval, id);
CREATE INDEX approval_task_person ON approval_task(person, state, approval);
CREATE INDEX approval_task_by ON approval_task(by_id, approval);
CREATE INDEX approval_task_due ON approval_task(due_at) WHERE state = 'pending' AND due_at > 0;
CREATE INDEX approval_task_untold ON approval_task(approval) WHERE told = 0 AND state = 'pending';
-- What happened to a request.
CREATE TABLE approval_event (
  id {key} PRIMARY KEY,
  approval BIGINT NOT NULL,
  record_id BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL,
  body {text} NOT NULL
);
CREATE INDEX approval_event_of ON approval_event(approval, id);
CREATE INDEX approval_event_record ON approval_event(record_id, at, id);
-- Who decides for somebody who is away.
CREATE TABLE approval_away (
  person BIGINT PRIMARY KEY,
  deputy BIGINT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL DEFAULT 0
);
-- The person at the head of a department or team; 0 for nobody.
ALTER TABLE org_unit ADD COLUMN head BIGINT NOT NULL DEFAULT 0;
-- The stages of a field with the ways between them. Every version is kept: a record goes on in the one it entered its stage with.
CREATE TABLE stage_process (
  object {text} NOT NULL,
  version BIGINT NOT NULL,
  field {text} NOT NULL,
  body {text} NOT NULL,
  state {text} NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (object, version)
){without_rowid};
-- When records were in which stage; left_at is 0 while they are.
CREATE TABLE stage_stay (
  id {key} PRIMARY KEY,
  object {text} NOT NULL,
  record_id BIGINT NOT NULL,
  stage {text} NOT NULL,
  version BIGINT NOT NULL,
  entered_at BIGINT NOT NULL,
  left_at BIGINT NOT NULL DEFAULT 0,
  next {text} NOT NULL DEFAULT '',
  by_kind {text} NOT NULL DEFAULT '',
  by_id BIGINT NOT NULL DEFAULT 0,
  due_at BIGINT NOT NULL DEFAULT 0,
  done BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX stage_stay_record ON stage_stay(record_id, entered_at, id);
CREATE UNIQUE INDEX stage_stay_one ON stage_stay(record_id) WHERE left_at = 0;
CREATE INDEX stage_stay_stage ON stage_stay(object, stage, entered_at);
CREATE INDEX stage_stay_due ON stage_stay(due_at) WHERE left_at = 0 AND due_at > 0;
CREATE INDEX stage_stay_todo ON stage_stay(id) WHERE done = 0;

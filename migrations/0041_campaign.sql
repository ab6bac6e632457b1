-- What is sent: a document of blocks or a text for each language. A version is written once and never changes.
CREATE TABLE template (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  channel {text} NOT NULL,
  version BIGINT NOT NULL,
  archived BOOLEAN NOT NULL DEFAULT FALSE,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE template_version (
  template_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body {text} NOT NULL,
  saved_by BIGINT NOT NULL,
  saved_at BIGINT NOT NULL,
  PRIMARY KEY (template_id, version)
){without_rowid};
-- A campaign: its plan as a document. cursor says how far the audience was written down, audience how many are in it.
CREATE TABLE campaign (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  channel {text} NOT NULL,
  status {text} NOT NULL,
  plan {text} NOT NULL,
  version BIGINT NOT NULL,
  cursor {text} NOT NULL DEFAULT '',
  audience BIGINT NOT NULL DEFAULT 0,
  reason {text} NOT NULL DEFAULT '',
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  started_by BIGINT NOT NULL DEFAULT 0,
  start_at BIGINT NOT NULL DEFAULT 0,
  began_at BIGINT NOT NULL DEFAULT 0,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX campaign_status ON campaign(status) WHERE status IN ('scheduled', 'planning', 'sending', 'sent');
-- One line for each person of an audience, written before anything is sent: run and step name the sending, arm where chance put the person (a
-- variant, holdout or global), eligible that neither suppression nor consent stopped her when it was written. gate is what stopped her, '' for nothing.
CREATE TABLE message_intent (
  id {key} PRIMARY KEY,
  run_id BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  channel {text} NOT NULL,
  step BIGINT NOT NULL DEFAULT 0,
  arm {text} NOT NULL,
  eligible BOOLEAN NOT NULL,
  state {text} NOT NULL,
  gate {text} NOT NULL DEFAULT '',
  wait {text} NOT NULL DEFAULT '',
  due_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  handed_at BIGINT NOT NULL DEFAULT 0,
  done_at BIGINT NOT NULL DEFAULT 0,
  outside BIGINT NOT NULL DEFAULT 0,
  receipt {text} NOT NULL DEFAULT '',
  reason {text} NOT NULL DEFAULT '',
  parts BIGINT NOT NULL DEFAULT 0,
  counted BOOLEAN NOT NULL DEFAULT FALSE,
  opened_at BIGINT NOT NULL DEFAULT 0,
  machine_at BIGINT NOT NULL DEFAULT 0,
  clicked_at BIGINT NOT NULL DEFAULT 0,
  complained_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX message_intent_one ON message_intent(run_id, customer_id, channel, step);
CREATE INDEX message_intent_due ON message_intent(run_id, due_at, id) WHERE state = 'queued';
CREATE INDEX message_intent_open ON message_intent(run_id, state, id) WHERE state IN ('handed', 'sending');
CREATE INDEX message_intent_handed ON message_intent(run_id, handed_at) WHERE handed_at > 0;
CREATE INDEX message_intent_customer ON message_intent(customer_id, id);
CREATE INDEX message_intent_outside ON message_intent(outside) WHERE outside > 0;
-- How many messages somebody got by a channel ('' for all together) on a day of her own calendar.
CREATE TABLE contact_count (
  customer_id BIGINT NOT NULL,
  channel {text} NOT NULL,
  day BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (customer_id, channel, day)
){without_rowid};
-- Clicks on the links of messages; machine marks those that programs made.
CREATE TABLE message_click (
  intent_id BIGINT NOT NULL,
  link BIGINT NOT NULL,
  machine BOOLEAN NOT NULL,
  run_id BIGINT NOT NULL,
  url {text} NOT NULL,
  n BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  PRIMARY KEY (intent_id, link, machine)
){without_rowid};
CREATE INDEX message_click_run ON message_click(run_id, link);
-- Providers of text messages and addresses of webhooks. The secret is sealed with a data key of the line's own.
CREATE TABLE channel_account (
  id {key} PRIMARY KEY,
  channel {text} NOT NULL,
  provider {text} NOT NULL,
  name {text} NOT NULL,
  settings {text} NOT NULL,
  wrapped {bytes} NOT NULL,
  secret {bytes},
  active BOOLEAN NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_success_at BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT NOT NULL DEFAULT 0,
  last_error {text} NOT NULL DEFAULT ''
);

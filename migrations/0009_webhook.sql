-- Whom to tell when records change. secret, old_secret and headers are sealed with a data key of the subscription's own, which is
-- stored wrapped; old_secret signs beside secret until old_until.
CREATE TABLE webhook (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  url {text} NOT NULL,
  rules {text} NOT NULL,
  state {text} NOT NULL,
  reason {text} NOT NULL DEFAULT '',
  reveal BOOLEAN NOT NULL DEFAULT FALSE,
  wrapped {bytes} NOT NULL,
  secret {bytes} NOT NULL,
  old_secret {bytes},
  old_until BIGINT NOT NULL DEFAULT 0,
  headers {bytes},
  header_names {text} NOT NULL DEFAULT '[]',
  version BIGINT NOT NULL DEFAULT 1,
  created_by BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_success_at BIGINT NOT NULL DEFAULT 0,
  last_failure_at BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT NOT NULL DEFAULT 0,
  failures BIGINT NOT NULL DEFAULT 0,
  last_error {text} NOT NULL DEFAULT ''
);
-- What is to be told, and for a while what was. The body shows personal values masked; masked names those fields.
CREATE TABLE webhook_delivery (
  id {key} PRIMARY KEY,
  webhook BIGINT NOT NULL,
  type {text} NOT NULL,
  object {text} NOT NULL DEFAULT '',
  record_id BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL,
  body {text} NOT NULL,
  masked {text} NOT NULL DEFAULT '[]',
  state {text} NOT NULL,
  reason {text} NOT NULL DEFAULT '',
  attempts BIGINT NOT NULL DEFAULT 0,
  tries BIGINT NOT NULL DEFAULT 0,
  next_at BIGINT NOT NULL DEFAULT 0,
  done_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX webhook_delivery_log ON webhook_delivery(webhook, id);
CREATE INDEX webhook_delivery_due ON webhook_delivery(webhook, next_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_record ON webhook_delivery(webhook, record_id, id) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_dead ON webhook_delivery(webhook, id) WHERE state = 'dead';
CREATE INDEX webhook_delivery_done ON webhook_delivery(done_at) WHERE state <> 'waiting';
CREATE TABLE webhook_attempt (
  delivery BIGINT NOT NULL,
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  took BIGINT NOT NULL,
  status BIGINT NOT NULL DEFAULT 0,
  error {text} NOT NULL DEFAULT '',
  response {text} NOT NULL DEFAULT '',
  PRIMARY KEY (delivery, number)
){without_rowid};

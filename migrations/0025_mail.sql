-- Mail servers. The password and the key that signs are sealed with a data key of the profile's own, which is stored wrapped.
CREATE TABLE mail_profile (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  host {text} NOT NULL,
  port BIGINT NOT NULL,
  security {text} NOT NULL,
  username {text} NOT NULL DEFAULT '',
  wrapped {bytes} NOT NULL,
  password {bytes},
  from_name {text} NOT NULL DEFAULT '',
  from_address {text} NOT NULL,
  reply_to {text} NOT NULL DEFAULT '',
  per_minute BIGINT NOT NULL DEFAULT 0,
  per_hour BIGINT NOT NULL DEFAULT 0,
  active BOOLEAN NOT NULL,
  standard BOOLEAN NOT NULL,
  dkim_selector {text} NOT NULL DEFAULT '',
  dkim_key {bytes},
  dkim_public {text} NOT NULL DEFAULT '',
  dkim_on BOOLEAN NOT NULL DEFAULT FALSE,
  version BIGINT NOT NULL DEFAULT 1,
  created_by BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_success_at BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT NOT NULL DEFAULT 0,
  last_error {text} NOT NULL DEFAULT '',
  last_reply {text} NOT NULL DEFAULT ''
);
-- What is to be sent, and for a while what was. once is the intent: a second message of the same key is not written. The address
-- and everything that is said stand in content, sealed with a data key of the message's own; blind finds messages to one address.
-- profile is the one asked for (0: the standard one), used the one that sent.
CREATE TABLE mail_message (
  id {key} PRIMARY KEY,
  once {text} NOT NULL,
  kind {text} NOT NULL,
  profile BIGINT NOT NULL DEFAULT 0,
  used BIGINT NOT NULL DEFAULT 0,
  mask {text} NOT NULL,
  blind {text} NOT NULL,
  wrapped {bytes} NOT NULL,
  content {bytes},
  keep BOOLEAN NOT NULL DEFAULT FALSE,
  object {text} NOT NULL DEFAULT '',
  record_id BIGINT NOT NULL DEFAULT 0,
  user_id BIGINT NOT NULL DEFAULT 0,
  by_id BIGINT NOT NULL DEFAULT 0,
  state {text} NOT NULL,
  reason {text} NOT NULL DEFAULT '',
  reply {text} NOT NULL DEFAULT '',
  attempts BIGINT NOT NULL DEFAULT 0,
  tries BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  tried_at BIGINT NOT NULL DEFAULT 0,
  done_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX mail_message_once ON mail_message(once);
CREATE INDEX mail_message_due ON mail_message(profile, next_at, id) WHERE state = 'waiting';
CREATE INDEX mail_message_open ON mail_message(state, id) WHERE state <> 'sent';
CREATE INDEX mail_message_until ON mail_message(until_at) WHERE state = 'waiting';
CREATE INDEX mail_message_tried ON mail_message(used, tried_at);
CREATE INDEX mail_message_done ON mail_message(done_at) WHERE done_at > 0;
CREATE INDEX mail_message_record ON mail_message(record_id, created_at, id) WHERE record_id > 0;
CREATE INDEX mail_message_blind ON mail_message(blind, id);
-- Addresses that a server refused for good, or whose owner wants no more mail of ours.
CREATE TABLE mail_address (
  blind {text} PRIMARY KEY,
  mask {text} NOT NULL,
  reason {text} NOT NULL,
  reply {text} NOT NULL DEFAULT '',
  at BIGINT NOT NULL
);
-- 0: to be looked at; 1: done; 2: waits for the daily digest. What was told before there was mail is done.
ALTER TABLE notification ADD COLUMN mailed BIGINT NOT NULL DEFAULT 1;
CREATE INDEX notification_mail ON notification(mailed, id) WHERE mailed <> 1;
-- Whom a meeting invites. The address is sealed with a data key of the invitation's own.
CREATE TABLE meeting_guest (
  id {key} PRIMARY KEY,
  meeting BIGINT NOT NULL,
  name {text} NOT NULL,
  mask {text} NOT NULL,
  blind {text} NOT NULL,
  wrapped {bytes} NOT NULL,
  address {bytes} NOT NULL,
  source {text} NOT NULL DEFAULT '',
  record_id BIGINT NOT NULL DEFAULT 0,
  answer {text} NOT NULL DEFAULT '',
  answered_at BIGINT NOT NULL DEFAULT 0,
  answered_by BIGINT NOT NULL DEFAULT 0,
  sequence BIGINT NOT NULL DEFAULT -1,
  digest {text} NOT NULL DEFAULT '',
  removed BOOLEAN NOT NULL DEFAULT FALSE,
  added_by BIGINT NOT NULL DEFAULT 0,
  added_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX meeting_guest_one ON meeting_guest(meeting, blind);

-- Public forms that win customers: a plan as a document, and the key that its address names.
CREATE TABLE form (
  id {key} PRIMARY KEY,
  public_key {text} NOT NULL,
  name {text} NOT NULL,
  status {text} NOT NULL,
  plan {text} NOT NULL,
  version BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX form_public_key ON form(public_key);
-- How often a form was shown, by local day and the code of the poster or link that led to it.
CREATE TABLE form_shown (
  form_id BIGINT NOT NULL,
  day BIGINT NOT NULL,
  code {text} NOT NULL,
  shown BIGINT NOT NULL,
  PRIMARY KEY (form_id, day, code)
){without_rowid};
-- What was sent, without what was written: that stands in the record of the customer. state is that of the link that confirms.
CREATE TABLE form_submission (
  id {key} PRIMARY KEY,
  once {text} NOT NULL,
  form_id BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  made BOOLEAN NOT NULL,
  state {text} NOT NULL,
  confirmed_at BIGINT NOT NULL DEFAULT 0,
  gift {text} NOT NULL DEFAULT '',
  code {text} NOT NULL,
  told {text} NOT NULL
);
CREATE UNIQUE INDEX form_submission_once ON form_submission(once);
CREATE INDEX form_submission_form ON form_submission(form_id, id);
CREATE INDEX form_submission_customer ON form_submission(customer_id, id);
CREATE INDEX form_submission_waits ON form_submission(state, at) WHERE state = 'waiting';

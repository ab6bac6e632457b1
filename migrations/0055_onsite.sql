-- What a site shows to its visitors: a plan as a document.
CREATE TABLE onsite_message (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  status {text} NOT NULL,
  plan {text} NOT NULL,
  version BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Where somebody who sent a form came from, for reports.
ALTER TABLE form_submission ADD COLUMN source {text} NOT NULL DEFAULT '';
ALTER TABLE form_submission ADD COLUMN medium {text} NOT NULL DEFAULT '';
ALTER TABLE form_submission ADD COLUMN campaign {text} NOT NULL DEFAULT '';
CREATE INDEX form_submission_made ON form_submission(at) WHERE made;
-- What winning customers cost, by month (202601), minor units of the base currency. origin is an option of the field of sources, or the printed id of a form.
CREATE TABLE acquisition_cost (
  month BIGINT NOT NULL,
  origin {text} NOT NULL,
  source {text} NOT NULL,
  campaign {text} NOT NULL,
  amount BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (month, origin, source, campaign)
){without_rowid};

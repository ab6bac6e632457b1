-- Files in fields of records. One that no record has taken yet has record_id 0. A picture has a small one under the name in thumb.
ALTER TABLE attachment ADD COLUMN field {text} NOT NULL DEFAULT '';
ALTER TABLE attachment ADD COLUMN thumb {text} NOT NULL DEFAULT '';
ALTER TABLE attachment ADD COLUMN width BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attachment ADD COLUMN height BIGINT NOT NULL DEFAULT 0;
CREATE INDEX attachment_thumb ON attachment(thumb) WHERE thumb <> '';
CREATE INDEX attachment_waiting ON attachment(at) WHERE record_id = 0;

-- How often a message was surely not taken and waits to be tried again.
ALTER TABLE message_intent ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;

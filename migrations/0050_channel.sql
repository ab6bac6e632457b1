-- What became of text messages after a provider took them: when they were delivered, and how often the provider was asked about those of which nobody knows.
ALTER TABLE message_intent ADD COLUMN delivered_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message_intent ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
CREATE INDEX message_intent_receipt ON message_intent(receipt) WHERE receipt <> '';
CREATE INDEX message_intent_doubt ON message_intent(channel, handed_at) WHERE state = 'unknown';
-- Numbers that take nothing any more, or whose owners, of whom we know nothing else, want nothing: keyed digests alone.
CREATE TABLE channel_address (
  channel {text} NOT NULL,
  blind {text} NOT NULL,
  reason {text} NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (channel, blind)
){without_rowid};

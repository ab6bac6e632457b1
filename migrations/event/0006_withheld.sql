-- Events that were kept out of analysis because their persons had refused it, those taken out later among them.
ALTER TABLE event_count ADD COLUMN withheld BIGINT NOT NULL DEFAULT 0;

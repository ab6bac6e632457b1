-- Who was merged into somebody is asked for with every message, code and decision.
CREATE INDEX record_merged_survivor ON record_merged(survivor);

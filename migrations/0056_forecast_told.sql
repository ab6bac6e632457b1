-- Who else is told of anomalies of a watched figure: ids of users, in order, separated by commas.
ALTER TABLE forecast_watch ADD COLUMN told {text} NOT NULL DEFAULT '';

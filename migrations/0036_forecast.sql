-- Figures that are watched: each is forecast every night.
CREATE TABLE forecast_watch (
  id {key} PRIMARY KEY,
  figure {text} NOT NULL,
  dimension {text} NOT NULL,
  value {text} NOT NULL,
  period {text} NOT NULL,
  created_by BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX forecast_watch_of ON forecast_watch(figure, dimension, value, period);
-- What was said of a period before it began, and what came. Figures are in the units of the plane, rounded.
CREATE TABLE forecast_said (
  watch_id BIGINT NOT NULL,
  from_day BIGINT NOT NULL,
  to_day BIGINT NOT NULL,
  made_day BIGINT NOT NULL,
  method {text} NOT NULL,
  mean BIGINT NOT NULL,
  low80 BIGINT NOT NULL,
  high80 BIGINT NOT NULL,
  low95 BIGINT NOT NULL,
  high95 BIGINT NOT NULL,
  came BIGINT,
  PRIMARY KEY (watch_id, from_day)
){without_rowid};

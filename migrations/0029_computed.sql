-- Traits that a workspace defines itself. place is the column of a family that holds its values: (family - 1) * 30 + column, the first
-- twenty columns of a family for integers, the other ten for texts; it is taken again when the trait is gone.
CREATE TABLE computed_trait (
  key {text} PRIMARY KEY,
  definition {text} NOT NULL,
  place BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL
);
CREATE UNIQUE INDEX computed_trait_place ON computed_trait(place);
-- Passes over everyone: how long they took and whether they found what the small passes had left.
CREATE TABLE trait_pass (
  at BIGINT PRIMARY KEY,
  kind {text} NOT NULL,
  anchor BIGINT NOT NULL,
  customers BIGINT NOT NULL,
  took_ms BIGINT NOT NULL,
  verified BIGINT NOT NULL,
  differing BIGINT NOT NULL
);

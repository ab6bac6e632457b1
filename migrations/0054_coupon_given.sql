-- What a code was given for: a message, a step, somebody's being in a segment. Once for each.
ALTER TABLE coupon ADD COLUMN given_for {text} NOT NULL DEFAULT '';
CREATE UNIQUE INDEX coupon_given ON coupon(offer_id, given_for) WHERE given_for <> '';

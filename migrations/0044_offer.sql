-- An offer: its rule as a document. used counts uses that stand, spent what they took off, in minor units; both move with the uses, in one transaction,
-- and never go over total and budget (0: no bound), which stand in the rule as well.
CREATE TABLE offer (
  id {key} PRIMARY KEY,
  name {text} NOT NULL,
  status {text} NOT NULL,
  rule {text} NOT NULL,
  version BIGINT NOT NULL,
  total BIGINT NOT NULL,
  budget BIGINT NOT NULL,
  used BIGINT NOT NULL DEFAULT 0,
  spent BIGINT NOT NULL DEFAULT 0,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
-- A code: of one person, of whoever brings it first, or shared by many.
CREATE TABLE coupon (
  id {key} PRIMARY KEY,
  offer_id BIGINT NOT NULL,
  code {text} NOT NULL,
  shared BOOLEAN NOT NULL,
  customer_id BIGINT NOT NULL DEFAULT 0,
  state {text} NOT NULL,
  issued_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX coupon_code ON coupon(code);
CREATE INDEX coupon_offer ON coupon(offer_id, id);
CREATE INDEX coupon_customer ON coupon(customer_id, id) WHERE customer_id > 0;
-- A use of a code in a cart. cart is the key that the shop gave; stands is false once a use was let go, ran out or came back.
CREATE TABLE offer_use (
  id {key} PRIMARY KEY,
  cart {text} NOT NULL,
  digest {text} NOT NULL,
  offer_id BIGINT NOT NULL,
  coupon_id BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  day BIGINT NOT NULL,
  state {text} NOT NULL,
  stands BOOLEAN NOT NULL,
  discount BIGINT NOT NULL,
  base BIGINT NOT NULL,
  goods_back BIGINT NOT NULL DEFAULT 0,
  discount_back BIGINT NOT NULL DEFAULT 0,
  lines {text} NOT NULL,
  order_ref {text} NOT NULL DEFAULT '',
  reserved_at BIGINT NOT NULL,
  until BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX offer_use_one ON offer_use(cart, coupon_id);
CREATE INDEX offer_use_open ON offer_use(offer_id, until) WHERE state = 'reserved';
CREATE INDEX offer_use_offer ON offer_use(offer_id, id);
CREATE INDEX offer_use_customer ON offer_use(customer_id, offer_id) WHERE customer_id > 0;
-- What happened, appended and never changed: the amounts of an offer sum to its spent.
CREATE TABLE offer_entry (
  id {key} PRIMARY KEY,
  offer_id BIGINT NOT NULL,
  use_id BIGINT NOT NULL,
  kind {text} NOT NULL,
  ref {text} NOT NULL DEFAULT '',
  goods BIGINT NOT NULL DEFAULT 0,
  amount BIGINT NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL
);
CREATE UNIQUE INDEX offer_entry_one ON offer_entry(use_id, kind, ref);
CREATE INDEX offer_entry_offer ON offer_entry(offer_id, id);

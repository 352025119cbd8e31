-- Here: add_unique.
-- UP
CREATE TABLE coupons (
  id     bigint PRIMARY KEY,
  code   text,
  region text NOT NULL DEFAULT 'eu',
  uses   int NOT NULL DEFAULT 0
);
CREATE VIEW coupon_codes AS SELECT region, code FROM coupons;
CREATE TABLE imprints (id bigint, day int NOT NULL, code text) PARTITION BY RANGE (day);
CREATE TABLE imprints_low PARTITION OF imprints FOR VALUES FROM (0) TO (10);
CREATE TABLE imprints_high PARTITION OF imprints FOR VALUES FROM (10) TO (1000) PARTITION BY LIST (day);
CREATE TABLE "imprints ""odd""" PARTITION OF imprints_high DEFAULT;

-- DOWN
DROP TABLE imprints;
DROP VIEW coupon_codes;
DROP TABLE coupons;

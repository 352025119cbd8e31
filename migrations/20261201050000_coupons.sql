-- Here: add_unique.
-- UP
CREATE TABLE coupons (
  id     bigint PRIMARY KEY,
  code   text,
  region text NOT NULL DEFAULT 'eu',
  uses   int NOT NULL DEFAULT 0
);
CREATE VIEW coupons_region_code_key AS SELECT region, code FROM coupons;
CREATE TABLE stamps (id bigint, day int NOT NULL, code text) PARTITION BY RANGE (day);
CREATE TABLE stamps_low PARTITION OF stamps FOR VALUES FROM (0) TO (10);
CREATE TABLE stamps_high PARTITION OF stamps FOR VALUES FROM (10) TO (1000) PARTITION BY LIST (day);
CREATE TABLE "stamps ""odd""" PARTITION OF stamps_high DEFAULT;

-- DOWN
DROP TABLE stamps;
DROP VIEW coupons_region_code_key;
DROP TABLE coupons;

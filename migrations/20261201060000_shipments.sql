-- Here: add_foreign_key.
-- UP
CREATE TABLE carriers (id bigint PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE shipments (id bigint PRIMARY KEY, carrier bigint, note text) PARTITION BY HASH (id);
CREATE TABLE shipments_0 PARTITION OF shipments FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shipments_1 PARTITION OF shipments FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY HASH (id);
CREATE TABLE "shipments 1.0" PARTITION OF shipments_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE labels (id bigint PRIMARY KEY, carrier_code text, "Back to" bigint);
CREATE INDEX labels_carrier ON labels (carrier_code);

-- DOWN
DROP TABLE labels;
DROP TABLE shipments;
DROP TABLE carriers;

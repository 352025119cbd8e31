-- Here: rename_table.
-- UP
CREATE TABLE offer_groups (id int PRIMARY KEY);
CREATE TABLE "Offers ""old""" (
  id      bigint PRIMARY KEY,
  label   text NOT NULL,
  "No."   serial,
  turn    bigint GENERATED ALWAYS AS IDENTITY,
  grp     int DEFAULT 1 REFERENCES offer_groups,
  loud    text GENERATED ALWAYS AS (upper(label)) STORED,
  changes int NOT NULL DEFAULT 0,
  CHECK (label <> '')
);
CREATE UNIQUE INDEX ON "Offers ""old""" (label);
CREATE TABLE offer_lines (
  offer_id bigint NOT NULL REFERENCES "Offers ""old""",
  line     int NOT NULL,
  PRIMARY KEY (offer_id, line)
);
CREATE VIEW offer_labels AS SELECT id, label FROM "Offers ""old""";
GRANT SELECT ON "Offers ""old""" TO PUBLIC;
GRANT UPDATE (label, "No.") ON "Offers ""old""" TO PUBLIC;
COMMENT ON TABLE "Offers ""old""" IS 'What is on offer.';
CREATE FUNCTION count_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changes := OLD.changes + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER offers_count BEFORE UPDATE OF label ON "Offers ""old""" FOR EACH ROW EXECUTE FUNCTION count_offer();

-- DOWN
DROP VIEW offer_labels;
DROP TABLE offer_lines;
DROP TABLE "Offers ""old""";
DROP TABLE offer_groups;
DROP FUNCTION count_offer();

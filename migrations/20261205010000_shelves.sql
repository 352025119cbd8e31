-- Everything that may hang on one column, which gets another name.
-- UP
CREATE TABLE shelf_makers (code varchar(80), maker int, UNIQUE (code, maker));
CREATE SEQUENCE shelf_numbers;
CREATE TABLE shelves (
  id      bigint PRIMARY KEY,
  code    varchar(80) NOT NULL DEFAULT 'shelf ' || nextval('shelf_numbers') CONSTRAINT "shelves' code" CHECK (length(code) < 60 AND code <> ''),
  maker   int,
  note    text,
  renewed int NOT NULL DEFAULT 0,
  short   text GENERATED ALWAYS AS (upper(left(code, 3))) STORED,
  CONSTRAINT shelves_code_key UNIQUE (code) INCLUDE (id),
  CONSTRAINT shelves_of_maker FOREIGN KEY (code, maker) REFERENCES shelf_makers (code, maker) ON UPDATE CASCADE
);
ALTER SEQUENCE shelf_numbers OWNED BY shelves.code;
CREATE TABLE shelf_books (
  book int PRIMARY KEY,
  code varchar(80) CONSTRAINT shelf_of_book REFERENCES shelves (code) ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE INDEX ON shelf_books (code);
CREATE INDEX shelves_partial ON shelves (id) WHERE code <> 'none' AND note IS NOT NULL;
CREATE INDEX shelves_lower ON shelves (lower(code), (code || '!'));
CREATE INDEX shelves_makers ON shelves (code, maker);
CREATE INDEX shelves_include ON shelves (maker) INCLUDE (code);
CREATE INDEX "Shelves like" ON shelves (code varchar_pattern_ops);
CREATE INDEX shelves_sorted ON shelves (code COLLATE "C" DESC NULLS LAST, id);
COMMENT ON INDEX shelves_lower IS 'What people search by.';
COMMENT ON CONSTRAINT "shelves' code" ON shelves IS 'Nobody prints more.';
COMMENT ON CONSTRAINT shelves_code_key ON shelves IS 'What a shelf is told apart by.';
ALTER TABLE shelves CLUSTER ON shelves_sorted;
ALTER TABLE shelves REPLICA IDENTITY USING INDEX shelves_code_key;
CREATE STATISTICS shelves_of_makers (ndistinct, dependencies) ON code, maker FROM shelves;
ALTER STATISTICS shelves_of_makers SET STATISTICS 300;
COMMENT ON STATISTICS shelves_of_makers IS 'A maker has its codes.';
ALTER TABLE shelves ALTER code SET STATISTICS 250, ALTER code SET (n_distinct = -0.5);
COMMENT ON COLUMN shelves.code IS 'What is printed on it.';
GRANT SELECT ON shelves TO PUBLIC;
GRANT UPDATE (code) ON shelves TO PUBLIC;
CREATE VIEW shelf_codes WITH (security_barrier = true, check_option = local) AS
  SELECT id, code, lower(code) AS "Lower", note FROM shelves WHERE code <> 'hidden' OR maker IS NULL;
ALTER VIEW shelf_codes ALTER note SET DEFAULT 'made by a view';
COMMENT ON VIEW shelf_codes IS 'What may be read, isn''t it?';
COMMENT ON COLUMN shelf_codes."Lower" IS 'In small letters.';
GRANT SELECT ON shelf_codes TO PUBLIC;
GRANT UPDATE (code) ON shelf_codes TO PUBLIC;
CREATE VIEW "Shelf notes" AS SELECT v.id, v.note, length(v.code) AS long FROM shelf_codes v JOIN shelves c USING (id);
CREATE RULE nothing AS ON DELETE TO "Shelf notes" DO INSTEAD NOTHING;
CREATE FUNCTION shelf_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE shelves SET note = NEW.note WHERE id = OLD.id;
  RETURN NEW;
END $$;
CREATE TRIGGER shelf_note INSTEAD OF UPDATE ON "Shelf notes" FOR EACH ROW EXECUTE FUNCTION shelf_note();
COMMENT ON TRIGGER shelf_note ON "Shelf notes" IS 'Notes may be written here.';
CREATE MATERIALIZED VIEW shelf_letters AS SELECT left(code, 1) AS letter, max(code) AS code, count(*) AS many FROM shelves GROUP BY 1;
CREATE UNIQUE INDEX shelf_letters_key ON shelf_letters (letter);
CREATE INDEX ON shelf_letters (lower(code)) WHERE many > 1;
COMMENT ON MATERIALIZED VIEW shelf_letters IS 'How many there are.';
CREATE VIEW shelf_most AS SELECT letter, code FROM shelf_letters ORDER BY many DESC LIMIT 1;
CREATE FUNCTION count_shelf() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.renewed := OLD.renewed + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER shelves_renewed BEFORE UPDATE OF code, maker ON shelves
  FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION count_shelf();
COMMENT ON TRIGGER shelves_renewed ON shelves IS 'How often it got another code.';
ALTER TABLE shelves ENABLE ROW LEVEL SECURITY;
CREATE POLICY shelves_seen ON shelves AS PERMISSIVE FOR ALL TO PUBLIC USING (code <> 'secret') WITH CHECK (length(code) > 0);
CREATE POLICY shelves_kept ON shelves AS RESTRICTIVE FOR DELETE TO CURRENT_USER USING (code IS NULL);
COMMENT ON POLICY shelves_seen ON shelves IS 'Secrets are not for all.';
-- Column lists and row filters there are from 15 on.
-- lint: allow opaque: it asks which version the server has, and publishes tables that nobody uses yet
DO $$
BEGIN
  CREATE PUBLICATION shelves_of_all FOR TABLE shelf_makers;
  IF current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'ALTER PUBLICATION shelves_of_all ADD TABLE shelves (id, code, note) WHERE (code <> ''hidden'')';
  ELSE
    ALTER PUBLICATION shelves_of_all ADD TABLE shelves;
  END IF;
END $$;

-- DOWN
DROP PUBLICATION shelves_of_all;
DROP VIEW shelf_most, "Shelf notes", shelf_codes;
DROP MATERIALIZED VIEW shelf_letters;
DROP TABLE shelf_books, shelves, shelf_makers;
DROP FUNCTION count_shelf, shelf_note;

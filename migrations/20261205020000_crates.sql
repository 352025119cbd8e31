-- Here: everything that may hang on one column, whose type changes.
-- UP
CREATE TABLE crate_makers (code varchar(80), maker int, UNIQUE (code, maker));
CREATE TABLE crates (
  id      bigint PRIMARY KEY,
  code    varchar(80) NOT NULL DEFAULT 'none yet' CONSTRAINT "crates' code" CHECK (length(code) < 60 AND code <> ''),
  maker   int,
  note    text,
  renewed int NOT NULL DEFAULT 0,
  CONSTRAINT crates_code_key UNIQUE (code) INCLUDE (id),
  CONSTRAINT crates_of_maker FOREIGN KEY (code, maker) REFERENCES crate_makers (code, maker) ON UPDATE CASCADE
);
CREATE INDEX crates_partial ON crates (id) WHERE code <> 'none' AND note IS NOT NULL;
CREATE INDEX crates_lower ON crates (lower(code), (code || '!'));
CREATE INDEX crates_makers ON crates (code, maker);
CREATE INDEX crates_include ON crates (maker) INCLUDE (code);
CREATE INDEX "Crates like" ON crates (code varchar_pattern_ops);
CREATE INDEX crates_sorted ON crates (code COLLATE "C" DESC NULLS LAST, id);
COMMENT ON INDEX crates_lower IS 'What people search by.';
COMMENT ON CONSTRAINT "crates' code" ON crates IS 'Nobody prints more.';
COMMENT ON CONSTRAINT crates_code_key ON crates IS 'What a crate is told apart by.';
ALTER TABLE crates CLUSTER ON crates_sorted;
ALTER TABLE crates REPLICA IDENTITY USING INDEX crates_code_key;
CREATE STATISTICS crates_of_makers (ndistinct, dependencies) ON code, maker FROM crates;
ALTER STATISTICS crates_of_makers SET STATISTICS 300;
COMMENT ON STATISTICS crates_of_makers IS 'A maker has its codes.';
ALTER TABLE crates ALTER code SET STATISTICS 250, ALTER code SET (n_distinct = -0.5);
COMMENT ON COLUMN crates.code IS 'What is printed on it.';
GRANT SELECT ON crates TO PUBLIC;
GRANT UPDATE (code) ON crates TO PUBLIC;
CREATE VIEW crate_codes WITH (security_barrier = true, check_option = local) AS
  SELECT id, code, lower(code) AS "Lower", note FROM crates WHERE code <> 'hidden' OR maker IS NULL;
ALTER VIEW crate_codes ALTER note SET DEFAULT 'made by a view';
COMMENT ON VIEW crate_codes IS 'What may be read, isn''t it?';
COMMENT ON COLUMN crate_codes."Lower" IS 'In small letters.';
GRANT SELECT ON crate_codes TO PUBLIC;
GRANT UPDATE (code) ON crate_codes TO PUBLIC;
CREATE VIEW "Crate notes" AS SELECT v.id, v.note, length(v.code) AS long FROM crate_codes v JOIN crates c USING (id);
CREATE RULE nothing AS ON DELETE TO "Crate notes" DO INSTEAD NOTHING;
CREATE FUNCTION crate_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE crates SET note = NEW.note WHERE id = OLD.id;
  RETURN NEW;
END $$;
CREATE TRIGGER crate_note INSTEAD OF UPDATE ON "Crate notes" FOR EACH ROW EXECUTE FUNCTION crate_note();
COMMENT ON TRIGGER crate_note ON "Crate notes" IS 'Notes may be written here.';
CREATE MATERIALIZED VIEW crate_letters AS SELECT left(code, 1) AS letter, max(code) AS code, count(*) AS many FROM crates GROUP BY 1;
CREATE UNIQUE INDEX crate_letters_key ON crate_letters (letter);
CREATE INDEX ON crate_letters (lower(code)) WHERE many > 1;
COMMENT ON MATERIALIZED VIEW crate_letters IS 'How many there are.';
CREATE VIEW crate_most AS SELECT letter, code FROM crate_letters ORDER BY many DESC LIMIT 1;
CREATE FUNCTION count_crate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.renewed := OLD.renewed + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER crates_renewed BEFORE UPDATE OF code, maker ON crates
  FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION count_crate();
COMMENT ON TRIGGER crates_renewed ON crates IS 'How often it got another code.';
ALTER TABLE crates ENABLE ROW LEVEL SECURITY;
CREATE POLICY crates_seen ON crates AS PERMISSIVE FOR ALL TO PUBLIC USING (code <> 'secret') WITH CHECK (length(code) > 0);
CREATE POLICY crates_kept ON crates AS RESTRICTIVE FOR DELETE TO CURRENT_USER USING (code IS NULL);
COMMENT ON POLICY crates_seen ON crates IS 'Secrets are not for all.';
-- Column lists and row filters there are from 15 on.
-- lint: allow opaque: it asks which version the server has, and publishes tables that nobody uses yet
DO $$
BEGIN
  CREATE PUBLICATION crates_of_all FOR TABLE crate_makers;
  IF current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'ALTER PUBLICATION crates_of_all ADD TABLE crates (id, code, note) WHERE (code <> ''hidden'')';
  ELSE
    ALTER PUBLICATION crates_of_all ADD TABLE crates;
  END IF;
END $$;

-- DOWN
DROP PUBLICATION crates_of_all;
DROP VIEW crate_most, "Crate notes", crate_codes;
DROP MATERIALIZED VIEW crate_letters;
DROP TABLE crates, crate_makers;
DROP FUNCTION count_crate, crate_note;

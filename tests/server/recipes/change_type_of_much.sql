-- What a plain ALTER takes with it, and what is made again around it.
DROP VIEW crate_most, "Crate notes", crate_codes;
DROP MATERIALIZED VIEW crate_letters;
DROP TRIGGER crates_renewed ON crates;
DROP POLICY crates_seen ON crates;
DROP POLICY crates_kept ON crates;
ALTER PUBLICATION crates_of_all DROP TABLE crates;
ALTER TABLE crates ALTER code TYPE varchar(60);
-- It forgets this one.
ALTER STATISTICS crates_of_makers SET STATISTICS 300;
CREATE VIEW crate_codes WITH (security_barrier = true, check_option = local) AS
  SELECT id, code, lower(code) AS "Lower", note FROM crates WHERE code <> 'hidden' OR maker IS NULL;
ALTER VIEW crate_codes ALTER note SET DEFAULT 'made by a view';
COMMENT ON VIEW crate_codes IS 'What may be read, isn''t it?';
COMMENT ON COLUMN crate_codes."Lower" IS 'In small letters.';
GRANT SELECT ON crate_codes TO PUBLIC;
GRANT UPDATE (code) ON crate_codes TO PUBLIC;
CREATE VIEW "Crate notes" AS SELECT v.id, v.note, length(v.code) AS long FROM crate_codes v JOIN crates c USING (id);
CREATE RULE nothing AS ON DELETE TO "Crate notes" DO INSTEAD NOTHING;
CREATE TRIGGER crate_note INSTEAD OF UPDATE ON "Crate notes" FOR EACH ROW EXECUTE FUNCTION crate_note();
COMMENT ON TRIGGER crate_note ON "Crate notes" IS 'Notes may be written here.';
CREATE MATERIALIZED VIEW crate_letters AS SELECT left(code, 1) AS letter, max(code) AS code, count(*) AS many FROM crates GROUP BY 1;
CREATE UNIQUE INDEX crate_letters_key ON crate_letters (letter);
CREATE INDEX ON crate_letters (lower(code)) WHERE many > 1;
COMMENT ON MATERIALIZED VIEW crate_letters IS 'How many there are.';
CREATE VIEW crate_most AS SELECT letter, code FROM crate_letters ORDER BY many DESC LIMIT 1;
CREATE TRIGGER crates_renewed BEFORE UPDATE OF code, maker ON crates
  FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION count_crate();
COMMENT ON TRIGGER crates_renewed ON crates IS 'How often it got another code.';
CREATE POLICY crates_seen ON crates AS PERMISSIVE FOR ALL TO PUBLIC USING (code <> 'secret') WITH CHECK (length(code) > 0);
CREATE POLICY crates_kept ON crates AS RESTRICTIVE FOR DELETE TO CURRENT_USER USING (code IS NULL);
COMMENT ON POLICY crates_seen ON crates IS 'Secrets are not for all.';
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'ALTER PUBLICATION crates_of_all ADD TABLE crates (id, code, note) WHERE (code <> ''hidden'')';
  ELSE
    ALTER PUBLICATION crates_of_all ADD TABLE crates;
  END IF;
END $$;

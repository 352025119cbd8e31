-- Here: columns that get another type and another name at once.
-- UP
CREATE TABLE gauge_log (id bigint PRIMARY KEY, last text);
CREATE TABLE gauges (
  id       bigint PRIMARY KEY,
  code     text NOT NULL DEFAULT 'none yet' CONSTRAINT "gauges' code" CHECK (code <> ''),
  "Amount" int DEFAULT 1,
  seen     int NOT NULL DEFAULT 0,
  CONSTRAINT gauges_code_key UNIQUE (code) DEFERRABLE
);
CREATE INDEX ON gauges (lower(code) DESC, seen) INCLUDE (code) WHERE code <> 'none';
CREATE INDEX ON gauges ("Amount");
ALTER TABLE gauges ALTER code SET STATISTICS 200;
COMMENT ON COLUMN gauges.code IS 'What people type, isn''t it?';
GRANT UPDATE (code) ON gauges TO PUBLIC;
CREATE VIEW gauge_codes AS SELECT id, code, upper(code) AS "Upper" FROM gauges WHERE code <> 'hidden';
CREATE MATERIALIZED VIEW gauge_letters AS SELECT left(code, 1) AS letter, count(*) AS many FROM gauges GROUP BY 1;
CREATE UNIQUE INDEX ON gauge_letters (letter);
CREATE POLICY gauges_seen ON gauges USING (code <> 'secret');
CREATE FUNCTION count_gauge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.seen := OLD.seen + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER gauges_seen BEFORE UPDATE OF code ON gauges
  FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION count_gauge();
-- What it reads has either name: as long as the old one is there, that.
CREATE FUNCTION log_gauge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gauge_log VALUES (NEW.id, coalesce(to_jsonb(NEW) ->> 'code', to_jsonb(NEW) ->> 'label'))
  ON CONFLICT (id) DO UPDATE SET last = excluded.last;
  RETURN NULL;
END $$;
CREATE TRIGGER gauges_log AFTER UPDATE OF code ON gauges
  FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION log_gauge();

-- DOWN
DROP MATERIALIZED VIEW gauge_letters;
DROP VIEW gauge_codes;
DROP TABLE gauges, gauge_log;
DROP FUNCTION count_gauge(), log_gauge();

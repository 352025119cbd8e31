-- What the examples of recipes change, one table each. Here: rename_column.
-- UP
CREATE TABLE members (
  id    bigint PRIMARY KEY,
  name  text NOT NULL CHECK (name <> ''),
  email text,
  seen  int NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX members_name_key ON members (name);
CREATE INDEX members_lower ON members (lower(name) DESC) INCLUDE (email) WHERE name <> 'nobody';
CREATE VIEW member_names AS SELECT id, name FROM members;
COMMENT ON COLUMN members.name IS 'What others see.';
CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.seen := OLD.seen + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER members_seen BEFORE UPDATE OF name ON members FOR EACH ROW EXECUTE FUNCTION count_change();

-- DOWN
DROP VIEW member_names;
DROP TABLE members;
DROP FUNCTION count_change();

-- Here: change_type.
-- UP
CREATE TABLE sizes (n int PRIMARY KEY);
INSERT INTO sizes SELECT generate_series(1, 10);
CREATE TABLE vouchers (
  id     bigint PRIMARY KEY,
  code   text NOT NULL CONSTRAINT vouchers_code CHECK (code <> ''),
  amount int DEFAULT 1 REFERENCES sizes ON UPDATE CASCADE,
  seen   int NOT NULL DEFAULT 0,
  CONSTRAINT vouchers_unique UNIQUE (code) DEFERRABLE
);
CREATE INDEX "vouchers Code" ON vouchers (lower(code) DESC, seen) INCLUDE (code) WHERE code <> 'none';
CREATE INDEX ON vouchers (amount);
ALTER TABLE vouchers ALTER code SET STATISTICS 200;
COMMENT ON COLUMN vouchers.code IS 'What people type, isn''t it?';
CREATE FUNCTION count_voucher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.seen := OLD.seen + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER vouchers_seen BEFORE UPDATE OF code ON vouchers
  FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION count_voucher();

-- DOWN
DROP TABLE vouchers, sizes;
DROP FUNCTION count_voucher();

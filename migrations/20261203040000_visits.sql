-- Here: remove_enum_value.
-- UP
CREATE TYPE "Visit State" AS ENUM ('asked', 'it''s maybe', 'sure');
COMMENT ON TYPE "Visit State" IS 'How sure a visit is.';
REVOKE USAGE ON TYPE "Visit State" FROM PUBLIC;
CREATE TABLE visits (
  id     bigint PRIMARY KEY,
  who    text NOT NULL,
  state  "Visit State" NOT NULL DEFAULT 'it''s maybe',
  before "Visit State"
);
CREATE INDEX visits_sure ON visits (who, state) WHERE state = 'sure';
CREATE TABLE visitings (
  id    bigint PRIMARY KEY,
  state "Visit State" DEFAULT 'sure' CONSTRAINT visitings_sure CHECK (state = 'sure')
);
INSERT INTO visitings (id) SELECT generate_series(1, 10);

-- DOWN
DROP TABLE visits, visitings;
DROP TYPE "Visit State";

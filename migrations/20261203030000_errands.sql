-- Here: replace_enum.
-- UP
CREATE TYPE state AS ENUM ('new', 'under way', 'done', 'lost', 'refused');
CREATE TABLE errands (
  id    bigint PRIMARY KEY,
  what  text NOT NULL,
  state state NOT NULL DEFAULT 'new' CONSTRAINT errands_not_new CHECK (state <> 'new' OR what <> ''),
  was   state
);
CREATE INDEX errands_open ON errands (state, what) WHERE state IN ('new', 'under way');
ALTER TABLE errands ALTER state SET STATISTICS 50;
COMMENT ON COLUMN errands.state IS 'How far it is.';

-- DOWN
DROP TABLE errands;
DROP TYPE state;

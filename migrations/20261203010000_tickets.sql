-- Here: add_enum_value.
-- UP
CREATE TYPE "Ticket State" AS ENUM ('new', 'it''s open', 'closed');
COMMENT ON TYPE "Ticket State" IS 'How far a ticket is.';
CREATE TABLE tickets (
  id    bigint PRIMARY KEY,
  what  text NOT NULL,
  state "Ticket State" NOT NULL DEFAULT 'new',
  was   "Ticket State"[]
);
CREATE INDEX ON tickets (state, what) WHERE state <> 'closed';

-- DOWN
DROP TABLE tickets;
DROP TYPE "Ticket State";

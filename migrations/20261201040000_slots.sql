-- Here: add_check.
-- UP
CREATE TABLE "Slots" (
  id     bigint PRIMARY KEY,
  label  text NOT NULL CHECK (length(label) < 100),
  "from" int,
  until  int
);
CREATE TABLE old_slots () INHERITS ("Slots");

-- DOWN
DROP TABLE old_slots;
DROP TABLE "Slots";

-- Here: replace_index.
-- UP
CREATE TABLE songs (
  id    bigint PRIMARY KEY,
  label text NOT NULL,
  year  int
);
CREATE UNIQUE INDEX "Songs once" ON songs (label);
CREATE INDEX songs_year ON songs (year DESC) WHERE year IS NOT NULL;

-- DOWN
DROP TABLE songs;

-- Here: drop_table.
-- UP
CREATE TABLE posts (
  id    bigint PRIMARY KEY,
  label text NOT NULL
);
CREATE TABLE "Post ""log""" (
  entry   serial PRIMARY KEY,
  post_id bigint NOT NULL REFERENCES posts,
  said    text
);
CREATE INDEX ON "Post ""log""" (post_id);
COMMENT ON TABLE "Post ""log""" IS 'Who said what.';

-- DOWN
DROP TABLE "Post ""log""";
DROP TABLE posts;

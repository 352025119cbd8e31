-- Runs with search_path on the metadata schema, in one transaction.

ALTER TABLE marker ADD COLUMN environment text CHECK (environment <> ''), ADD COLUMN revision text CHECK (revision <> ''),
  ADD COLUMN gone boolean NOT NULL DEFAULT false;
COMMENT ON TABLE marker IS 'Application versions that were live everywhere; the newest row of an application and environment counts.';
COMMENT ON COLUMN marker.environment IS 'Where; null: nobody named an environment.';
COMMENT ON COLUMN marker.revision IS 'The revision of the application''s source.';
COMMENT ON COLUMN marker.gone IS 'The application does not run there any more: what stood there before does not count.';

ALTER TABLE history ADD COLUMN gates jsonb CHECK (jsonb_typeof(gates) = 'array');
COMMENT ON COLUMN history.gates IS 'How the conditions of the gate were judged when a transition began, and by which facts.';

CREATE TABLE look (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX look_at ON look (at);
COMMENT ON TABLE look IS 'When somebody looked who is connected, for gates that ask for it; 31 days of it.';
COMMENT ON COLUMN look.id IS 'The look.';
COMMENT ON COLUMN look.at IS 'When.';

CREATE TABLE sighting (
  name       text NOT NULL,
  db_user    text NOT NULL,
  address    text NOT NULL,
  sessions   bigint NOT NULL CHECK (sessions > 0),
  first_seen timestamptz NOT NULL,
  last_seen  timestamptz NOT NULL,
  PRIMARY KEY (name, db_user, address)
);
COMMENT ON TABLE sighting IS 'Sessions that looks have seen, by application_name, user and address; 31 days of it.';
COMMENT ON COLUMN sighting.name IS 'Their application_name.';
COMMENT ON COLUMN sighting.db_user IS 'Their database user.';
COMMENT ON COLUMN sighting.address IS 'Where they come from; empty: a socket, or nobody may see it.';
COMMENT ON COLUMN sighting.sessions IS 'How many there were at the last look that saw any.';
COMMENT ON COLUMN sighting.first_seen IS 'When the first of them was seen.';
COMMENT ON COLUMN sighting.last_seen IS 'When the last of them was seen.';

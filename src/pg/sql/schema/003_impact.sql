-- Runs with search_path on the metadata schema, in one transaction.

CREATE TABLE impact (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version         text NOT NULL REFERENCES item,
  step            text NOT NULL,
  undo            boolean NOT NULL,
  runner          bigint NOT NULL REFERENCES runner,
  began_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at        timestamptz,
  attempts        int CHECK (attempts >= 0),
  waiters         int CHECK (waiters >= 0),
  longest_wait_ms bigint CHECK (longest_wait_ms >= 0),
  longest         jsonb,
  held_ms         bigint CHECK (held_ms >= 0),
  locks           jsonb,
  looks           bigint CHECK (looks >= 0),
  gap_ms          bigint CHECK (gap_ms >= 0)
);
CREATE INDEX impact_of_item ON impact (version, step);
COMMENT ON TABLE impact IS 'What steps did to everybody else: who waited because of them, seen from another session.';
COMMENT ON COLUMN impact.id IS 'Rises with every run of a step.';
COMMENT ON COLUMN impact.version IS 'The item.';
COMMENT ON COLUMN impact.step IS 'The step.';
COMMENT ON COLUMN impact.undo IS 'Whether it was being taken back.';
COMMENT ON COLUMN impact.runner IS 'Whose run.';
COMMENT ON COLUMN impact.began_at IS 'When the run began.';
COMMENT ON COLUMN impact.ended_at IS 'When it ended; null: it goes on, or its process ended before it could say, and nothing is known.';
COMMENT ON COLUMN impact.attempts IS 'How often the step was sent.';
COMMENT ON COLUMN impact.waiters IS 'Sessions that were seen waiting because of it, directly or behind one that did.';
COMMENT ON COLUMN impact.longest_wait_ms IS 'The longest of their waits, at most.';
COMMENT ON COLUMN impact.longest IS 'Whose that was: pid, user, application.';
COMMENT ON COLUMN impact.held_ms IS 'The longest time for which one attempt held its locks, at most; null: it held none in anybody''s way.';
COMMENT ON COLUMN impact.locks IS 'Its locks, the strongest of each relation.';
COMMENT ON COLUMN impact.looks IS 'How often somebody looked.';
COMMENT ON COLUMN impact.gap_ms IS 'The longest time between two looks: a shorter wait may not have been seen.';

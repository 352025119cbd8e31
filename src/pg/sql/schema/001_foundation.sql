-- Runs with search_path on the metadata schema, in one transaction.

CREATE TABLE schema_migration (
  version    int PRIMARY KEY CHECK (version > 0),
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE schema_migration IS 'Versions of this schema itself; phase upgrades it by its own SQL.';
COMMENT ON COLUMN schema_migration.version IS 'The number of the file that ran.';
COMMENT ON COLUMN schema_migration.applied_at IS 'When it ran.';

CREATE TABLE runner (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor        text NOT NULL,
  os_user      text NOT NULL,
  host         text NOT NULL,
  pid          int NOT NULL CHECK (pid > 0),
  tool_version text NOT NULL,
  command      text NOT NULL,
  started_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE runner IS 'One row for each process of phase that wrote here: who did it, and where.';
COMMENT ON COLUMN runner.id IS 'Named by every row that the process wrote.';
COMMENT ON COLUMN runner.actor IS 'The database user of its session.';
COMMENT ON COLUMN runner.os_user IS 'The operating system user.';
COMMENT ON COLUMN runner.host IS 'The host name.';
COMMENT ON COLUMN runner.pid IS 'The process id on that host.';
COMMENT ON COLUMN runner.tool_version IS 'The version of phase.';
COMMENT ON COLUMN runner.command IS 'The command, without its options.';
COMMENT ON COLUMN runner.started_at IS 'When it first wrote.';

CREATE TABLE item (
  version      text PRIMARY KEY CHECK (version ~ '^[0-9]{1,18}$'),
  number       bigint NOT NULL UNIQUE CHECK (number = version::bigint),
  name         text NOT NULL CHECK (name <> ''),
  kind         text NOT NULL CHECK (kind IN ('plan', 'sql')),
  state        text NOT NULL DEFAULT 'planned'
               CHECK (state IN ('planned', 'expanded', 'backfilled', 'validated', 'contracted', 'completed', 'aborted')),
  goal         text NOT NULL DEFAULT 'planned'
               CHECK (goal IN ('planned', 'expanded', 'backfilled', 'validated', 'contracted', 'completed', 'aborted')),
  state_since  timestamptz NOT NULL DEFAULT now(),
  epoch        bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  runner       bigint REFERENCES runner,
  source       text,
  checksum     text CHECK (checksum ~ '^[0-9a-f]{64}$'),
  tables       text[] NOT NULL DEFAULT '{}',
  depends_on   text[] NOT NULL DEFAULT '{}',
  batch        bigint CHECK (batch > 0),
  baseline     boolean NOT NULL DEFAULT false,
  error        text,
  CHECK (kind = 'plan' OR (state IN ('planned', 'completed') AND goal IN ('planned', 'completed')))
);
COMMENT ON TABLE item IS 'The timeline: plans and SQL migrations, each with the state whose guarantee holds now.';
COMMENT ON COLUMN item.version IS 'The version, as its file name writes it.';
COMMENT ON COLUMN item.number IS 'The version as a number; sorts the timeline.';
COMMENT ON COLUMN item.name IS 'The name, from the file name.';
COMMENT ON COLUMN item.kind IS 'plan or sql.';
COMMENT ON COLUMN item.state IS 'The guarantee that holds now.';
COMMENT ON COLUMN item.goal IS 'The state that it is on its way to; equal to state when it is at rest.';
COMMENT ON COLUMN item.state_since IS 'When the state was reached.';
COMMENT ON COLUMN item.epoch IS 'Fencing: rises with every runner that takes over; a write under an older epoch changes nothing.';
COMMENT ON COLUMN item.runner IS 'The runner that the epoch belongs to.';
COMMENT ON COLUMN item.source IS 'The text of the file when it started, with the SQL files that it pulls in.';
COMMENT ON COLUMN item.checksum IS 'SHA-256 of that text.';
COMMENT ON COLUMN item.tables IS 'Tables that it touches; no two items in flight may share one unless one depends on the other.';
COMMENT ON COLUMN item.depends_on IS 'Versions that it builds on.';
COMMENT ON COLUMN item.batch IS 'The run of expand that applied it; rollback --batch takes back one such run.';
COMMENT ON COLUMN item.baseline IS 'Recorded as done without having been run.';
COMMENT ON COLUMN item.error IS 'Why the last attempt failed; null when none did.';

CREATE TABLE step (
  version     text NOT NULL REFERENCES item,
  step        text NOT NULL,
  position    int NOT NULL CHECK (position >= 0),
  status      text NOT NULL CHECK (status IN ('started', 'done', 'undoing', 'undone')),
  attempts    int NOT NULL DEFAULT 1 CHECK (attempts > 0),
  started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  duration_ms bigint CHECK (duration_ms >= 0),
  undo        text,
  error       text,
  runner      bigint NOT NULL REFERENCES runner,
  PRIMARY KEY (version, step)
);
COMMENT ON TABLE step IS 'What has been done of each item; a transactional step commits together with its row.';
COMMENT ON COLUMN step.version IS 'The item.';
COMMENT ON COLUMN step.step IS 'The step, as show prints it.';
COMMENT ON COLUMN step.position IS 'Its place in the item; undo goes backwards.';
COMMENT ON COLUMN step.status IS 'started and undoing: sent, outcome not on record; done; undone.';
COMMENT ON COLUMN step.attempts IS 'How often it was started.';
COMMENT ON COLUMN step.started_at IS 'When the last attempt began.';
COMMENT ON COLUMN step.finished_at IS 'When it was done or undone.';
COMMENT ON COLUMN step.duration_ms IS 'How long the last attempt took, in milliseconds.';
COMMENT ON COLUMN step.undo IS 'What takes it back, where that was captured when it ran (JSON).';
COMMENT ON COLUMN step.error IS 'Why the last attempt failed.';
COMMENT ON COLUMN step.runner IS 'Who ran it last.';

CREATE TABLE backfill_range (
  version      text NOT NULL REFERENCES item,
  step         text NOT NULL,
  range        int NOT NULL CHECK (range >= 0),
  epoch        bigint NOT NULL,
  pass         int NOT NULL DEFAULT 1 CHECK (pass IN (1, 2)),
  cursor       text[],
  upper        text[],
  finished     boolean NOT NULL DEFAULT false,
  rows_seen    bigint NOT NULL DEFAULT 0 CHECK (rows_seen >= 0),
  rows_written bigint NOT NULL DEFAULT 0 CHECK (rows_written >= 0),
  rows_total   bigint NOT NULL DEFAULT 0 CHECK (rows_total >= 0),
  batches      bigint NOT NULL DEFAULT 0 CHECK (batches >= 0),
  started_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (version, step, range)
);
COMMENT ON TABLE backfill_range IS 'How far each key range of a backfill is; a batch and its cursor commit together.';
COMMENT ON COLUMN backfill_range.version IS 'The item.';
COMMENT ON COLUMN backfill_range.step IS 'The backfill step.';
COMMENT ON COLUMN backfill_range.range IS 'The key range; one so far.';
COMMENT ON COLUMN backfill_range.epoch IS 'Fencing: a batch under another epoch changes nothing.';
COMMENT ON COLUMN backfill_range.pass IS '1: rows locked by others are skipped; 2: what is left, row by row.';
COMMENT ON COLUMN backfill_range.cursor IS 'The last key that is done, column by column as text; null before the first batch.';
COMMENT ON COLUMN backfill_range.upper IS 'The last key that is work; rows after it came later, through the sync.';
COMMENT ON COLUMN backfill_range.finished IS 'Nothing is left.';
COMMENT ON COLUMN backfill_range.rows_seen IS 'Keys walked in the first pass.';
COMMENT ON COLUMN backfill_range.rows_written IS 'Rows written.';
COMMENT ON COLUMN backfill_range.rows_total IS 'Keys to walk, as the statistics had it at the start.';
COMMENT ON COLUMN backfill_range.batches IS 'Batches committed.';
COMMENT ON COLUMN backfill_range.started_at IS 'When it began.';
COMMENT ON COLUMN backfill_range.updated_at IS 'When the last batch committed.';

CREATE TABLE hold (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version   text NOT NULL REFERENCES item,
  reason    text NOT NULL,
  placed_by text NOT NULL,
  since     timestamptz NOT NULL DEFAULT now(),
  lifted_at timestamptz,
  lifted_by text,
  CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE UNIQUE INDEX hold_one_at_a_time ON hold (version) WHERE lifted_at IS NULL;
COMMENT ON TABLE hold IS 'Stop signs on items, by an operator or by the program.';
COMMENT ON COLUMN hold.id IS 'The hold.';
COMMENT ON COLUMN hold.version IS 'The item.';
COMMENT ON COLUMN hold.reason IS 'Why.';
COMMENT ON COLUMN hold.placed_by IS 'Who placed it.';
COMMENT ON COLUMN hold.since IS 'Since when.';
COMMENT ON COLUMN hold.lifted_at IS 'When it was lifted; null while it stands.';
COMMENT ON COLUMN hold.lifted_by IS 'Who lifted it.';

CREATE TABLE approval (
  version  text NOT NULL REFERENCES item,
  actor    text NOT NULL,
  note     text,
  given_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (version, actor)
);
COMMENT ON TABLE approval IS 'Who approved an item; a fact for gates.';
COMMENT ON COLUMN approval.version IS 'The item.';
COMMENT ON COLUMN approval.actor IS 'Who: database user and operating system user.';
COMMENT ON COLUMN approval.note IS 'What they said.';
COMMENT ON COLUMN approval.given_at IS 'When.';

CREATE TABLE marker (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app         text NOT NULL CHECK (app <> ''),
  app_version text NOT NULL CHECK (app_version <> ''),
  placed_by   text NOT NULL,
  placed_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX marker_app ON marker (app, id DESC);
COMMENT ON TABLE marker IS 'Application versions that were live everywhere; the newest row of an application counts.';
COMMENT ON COLUMN marker.id IS 'Rises with every marker.';
COMMENT ON COLUMN marker.app IS 'The application.';
COMMENT ON COLUMN marker.app_version IS 'Its version.';
COMMENT ON COLUMN marker.placed_by IS 'Who placed it.';
COMMENT ON COLUMN marker.placed_at IS 'When.';

CREATE TABLE lock_holder (
  lock     text PRIMARY KEY,
  runner   bigint NOT NULL REFERENCES runner,
  taken_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE lock_holder IS 'Who took each advisory lock last; the lock itself is in pg_locks.';
COMMENT ON COLUMN lock_holder.lock IS 'timeline, or the version of an item.';
COMMENT ON COLUMN lock_holder.runner IS 'Who.';
COMMENT ON COLUMN lock_holder.taken_at IS 'When.';

CREATE SEQUENCE expand_batch;
COMMENT ON SEQUENCE expand_batch IS 'Numbers the runs of expand.';

CREATE TABLE history (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  version     text,
  event       text NOT NULL CHECK (event <> ''),
  step        text,
  from_state  text,
  to_state    text,
  outcome     text NOT NULL CHECK (outcome IN ('ok', 'failed', 'refused', 'started')),
  duration_ms bigint CHECK (duration_ms >= 0),
  sql         text,
  detail      text,
  runner      bigint NOT NULL REFERENCES runner
);
CREATE INDEX history_of_item ON history (version, id);
COMMENT ON TABLE history IS 'Append-only: who ran what, when, how long, with which outcome.';
COMMENT ON COLUMN history.id IS 'Rises with every event.';
COMMENT ON COLUMN history.at IS 'When it was written.';
COMMENT ON COLUMN history.version IS 'The item; null for events of no single one.';
COMMENT ON COLUMN history.event IS 'What happened: transition, step, undo, hold, resume, approve, deployed, baseline, take over.';
COMMENT ON COLUMN history.step IS 'The step.';
COMMENT ON COLUMN history.from_state IS 'The state before.';
COMMENT ON COLUMN history.to_state IS 'The state after, or aimed for.';
COMMENT ON COLUMN history.outcome IS 'ok, failed, refused or started.';
COMMENT ON COLUMN history.duration_ms IS 'How long, in milliseconds.';
COMMENT ON COLUMN history.sql IS 'The SQL that was sent.';
COMMENT ON COLUMN history.detail IS 'What else there is to say, errors included.';
COMMENT ON COLUMN history.runner IS 'Who, where, with which version of phase.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the history of phase is append-only: % is refused', TG_OP;
END
$$;
COMMENT ON FUNCTION refuse_change() IS 'Keeps the history append-only.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON history FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON history FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

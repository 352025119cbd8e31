-- Chunks on lease, workers, quarantine, proofs. A backfill that was under way
-- under version 1 starts its walk again: rows that are right are not written twice.

DROP TABLE backfill_range;

CREATE TABLE backfill (
  version     text NOT NULL REFERENCES item,
  step        text NOT NULL,
  signature   text NOT NULL,
  pass        int NOT NULL DEFAULT 1 CHECK (pass IN (1, 2)),
  retries     bigint NOT NULL DEFAULT 0 CHECK (retries >= 0),
  last_retry  text,
  wal_start   pg_lsn,
  started_at  timestamptz NOT NULL DEFAULT now(),
  proof_since timestamptz,
  PRIMARY KEY (version, step)
);
COMMENT ON TABLE backfill IS 'Backfills that have begun.';
COMMENT ON COLUMN backfill.version IS 'The item.';
COMMENT ON COLUMN backfill.step IS 'The backfill step.';
COMMENT ON COLUMN backfill.signature IS 'The columns and types of the keys; another one starts the walk again.';
COMMENT ON COLUMN backfill.pass IS '1: the work; 2: the proof, which takes what the first pass skipped.';
COMMENT ON COLUMN backfill.retries IS 'Batches that were tried again: locks, deadlocks, lost connections.';
COMMENT ON COLUMN backfill.last_retry IS 'Why the last one was.';
COMMENT ON COLUMN backfill.wal_start IS 'Where the write-ahead log stood at the start.';
COMMENT ON COLUMN backfill.started_at IS 'When it began.';
COMMENT ON COLUMN backfill.proof_since IS 'When the proof began.';

CREATE TABLE backfill_chunk (
  version      text NOT NULL,
  step         text NOT NULL,
  pass         int NOT NULL CHECK (pass IN (1, 2)),
  chunk        int NOT NULL CHECK (chunk >= 0),
  leaf         text NOT NULL,
  filenode     bigint,
  walk         text NOT NULL CHECK (walk IN ('key', 'pages')),
  epoch        bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  cursor       text[],
  upper        text[],
  window_end   text[],
  window_rows  bigint,
  stripe       int NOT NULL DEFAULT 0 CHECK (stripe >= 0),
  stripe_by    text NOT NULL DEFAULT 'none' CHECK (stripe_by IN ('none', 'remainder', 'hash')),
  stripes      int NOT NULL DEFAULT 1 CHECK (stripes >= 1),
  finished     boolean NOT NULL DEFAULT false,
  rows_total   bigint NOT NULL DEFAULT 0 CHECK (rows_total >= 0),
  rows_seen    bigint NOT NULL DEFAULT 0 CHECK (rows_seen >= 0),
  rows_written bigint NOT NULL DEFAULT 0 CHECK (rows_written >= 0),
  out_of_step  bigint NOT NULL DEFAULT 0 CHECK (out_of_step >= 0),
  batches      bigint NOT NULL DEFAULT 0 CHECK (batches >= 0),
  worker       bigint,
  backend      int,
  lease_until  timestamptz,
  started_at   timestamptz,
  updated_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (version, step, pass, chunk),
  FOREIGN KEY (version, step) REFERENCES backfill ON DELETE CASCADE
) WITH (fillfactor = 50);
COMMENT ON TABLE backfill_chunk IS 'Parts of a table that one worker at a time has on lease; a batch and its cursor commit together.';
COMMENT ON COLUMN backfill_chunk.version IS 'The item.';
COMMENT ON COLUMN backfill_chunk.step IS 'The backfill step.';
COMMENT ON COLUMN backfill_chunk.pass IS '1: the work; 2: the proof.';
COMMENT ON COLUMN backfill_chunk.chunk IS 'Its number in the pass.';
COMMENT ON COLUMN backfill_chunk.leaf IS 'The table or partition.';
COMMENT ON COLUMN backfill_chunk.filenode IS 'Its storage; a walk by pages starts again when that is another one.';
COMMENT ON COLUMN backfill_chunk.walk IS 'key: in the order of the key; pages: as the table lies on disk.';
COMMENT ON COLUMN backfill_chunk.epoch IS 'Fencing: rises with every lease; a batch under an older one changes nothing.';
COMMENT ON COLUMN backfill_chunk.cursor IS 'What is done: the last key, or the first page that is not; null: nothing, from the beginning.';
COMMENT ON COLUMN backfill_chunk.upper IS 'The last key, or the page after the last; rows beyond it came later, through the sync.';
COMMENT ON COLUMN backfill_chunk.window_end IS 'The end of the window that is under way.';
COMMENT ON COLUMN backfill_chunk.window_rows IS 'Rows of that window.';
COMMENT ON COLUMN backfill_chunk.stripe IS 'The stripe of the window that comes next.';
COMMENT ON COLUMN backfill_chunk.stripe_by IS 'How rows are dealt out to stripes.';
COMMENT ON COLUMN backfill_chunk.stripes IS 'Batches of the window.';
COMMENT ON COLUMN backfill_chunk.finished IS 'Nothing is left.';
COMMENT ON COLUMN backfill_chunk.rows_total IS 'Rows, as the statistics had it at the start.';
COMMENT ON COLUMN backfill_chunk.rows_seen IS 'Rows walked.';
COMMENT ON COLUMN backfill_chunk.rows_written IS 'Rows written.';
COMMENT ON COLUMN backfill_chunk.out_of_step IS 'Rows that the proof found out of step.';
COMMENT ON COLUMN backfill_chunk.batches IS 'Batches committed.';
COMMENT ON COLUMN backfill_chunk.worker IS 'Who has it on lease.';
COMMENT ON COLUMN backfill_chunk.backend IS 'The server process of that worker: when it is gone, so is the lease.';
COMMENT ON COLUMN backfill_chunk.lease_until IS 'When the lease ends, unless it is renewed; every batch does.';
COMMENT ON COLUMN backfill_chunk.started_at IS 'When it was leased first.';
COMMENT ON COLUMN backfill_chunk.updated_at IS 'When its last batch committed.';

CREATE TABLE backfill_worker (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version    text NOT NULL REFERENCES item,
  step       text NOT NULL,
  runner     bigint NOT NULL REFERENCES runner,
  backend    int NOT NULL,
  pace       text NOT NULL DEFAULT 'full' CHECK (pace IN ('full', 'slow', 'stop')),
  why        text,
  chunk      int,
  batch_rows bigint NOT NULL DEFAULT 0,
  batch_ms   double precision NOT NULL DEFAULT 0,
  rows_per_s double precision NOT NULL DEFAULT 0,
  stripe_by  text NOT NULL DEFAULT 'none',
  hot_share  double precision,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE backfill_worker IS 'Workers of backfills, on whatever machine; each says once a second how it is.';
COMMENT ON COLUMN backfill_worker.id IS 'Named by the chunks that it has on lease.';
COMMENT ON COLUMN backfill_worker.version IS 'The item.';
COMMENT ON COLUMN backfill_worker.step IS 'The backfill step.';
COMMENT ON COLUMN backfill_worker.runner IS 'Its process.';
COMMENT ON COLUMN backfill_worker.backend IS 'The server process of its batches.';
COMMENT ON COLUMN backfill_worker.pace IS 'full, slow or stop.';
COMMENT ON COLUMN backfill_worker.why IS 'Why it is not full.';
COMMENT ON COLUMN backfill_worker.chunk IS 'The chunk that it is at.';
COMMENT ON COLUMN backfill_worker.batch_rows IS 'Rows that a batch is sized for.';
COMMENT ON COLUMN backfill_worker.batch_ms IS 'What the last batch took at the server, in milliseconds.';
COMMENT ON COLUMN backfill_worker.rows_per_s IS 'Rows a second over the last seconds.';
COMMENT ON COLUMN backfill_worker.stripe_by IS 'How windows are cut.';
COMMENT ON COLUMN backfill_worker.hot_share IS 'The share of updates that stayed on their page, 0 to 1.';
COMMENT ON COLUMN backfill_worker.started_at IS 'When it began.';
COMMENT ON COLUMN backfill_worker.seen_at IS 'When it said so last.';

CREATE TABLE backfill_tune (
  version  text PRIMARY KEY REFERENCES item,
  settings jsonb NOT NULL,
  tuned_by text NOT NULL,
  tuned_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE backfill_tune IS 'What an operator changed of how a plan''s backfills go about it.';
COMMENT ON COLUMN backfill_tune.version IS 'The item.';
COMMENT ON COLUMN backfill_tune.settings IS 'The settings that take the place of the plan''s.';
COMMENT ON COLUMN backfill_tune.tuned_by IS 'Who.';
COMMENT ON COLUMN backfill_tune.tuned_at IS 'When.';

CREATE TABLE quarantine (
  version  text NOT NULL,
  step     text NOT NULL,
  leaf     text NOT NULL,
  key      text[] NOT NULL,
  sqlstate text NOT NULL,
  error    text NOT NULL,
  attempts int NOT NULL DEFAULT 1 CHECK (attempts > 0),
  first_at timestamptz NOT NULL DEFAULT now(),
  last_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (version, step, leaf, key),
  FOREIGN KEY (version, step) REFERENCES backfill ON DELETE CASCADE
);
COMMENT ON TABLE quarantine IS 'Rows that a backfill could not change; contract waits until there is none.';
COMMENT ON COLUMN quarantine.version IS 'The item.';
COMMENT ON COLUMN quarantine.step IS 'The backfill step.';
COMMENT ON COLUMN quarantine.leaf IS 'The table or partition.';
COMMENT ON COLUMN quarantine.key IS 'The key of the row, column by column as text; its place where it has no key.';
COMMENT ON COLUMN quarantine.sqlstate IS 'The code of the error.';
COMMENT ON COLUMN quarantine.error IS 'What the server said.';
COMMENT ON COLUMN quarantine.attempts IS 'How often it was tried.';
COMMENT ON COLUMN quarantine.first_at IS 'When it was put here.';
COMMENT ON COLUMN quarantine.last_at IS 'When it was tried last.';

CREATE TABLE proof (
  version     text NOT NULL REFERENCES item,
  step        text NOT NULL,
  began_at    timestamptz NOT NULL,
  ended_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  rows        bigint NOT NULL CHECK (rows >= 0),
  out_of_step bigint NOT NULL CHECK (out_of_step >= 0),
  runner      bigint NOT NULL REFERENCES runner,
  PRIMARY KEY (version, step)
);
COMMENT ON TABLE proof IS 'The last look at every row of a backfill, after it was done.';
COMMENT ON COLUMN proof.version IS 'The item.';
COMMENT ON COLUMN proof.step IS 'The backfill step.';
COMMENT ON COLUMN proof.began_at IS 'No row was looked at before this.';
COMMENT ON COLUMN proof.ended_at IS 'Every row had been looked at by then.';
COMMENT ON COLUMN proof.rows IS 'Rows that were looked at.';
COMMENT ON COLUMN proof.out_of_step IS 'Rows whose columns did not fit each other.';
COMMENT ON COLUMN proof.runner IS 'Who.';

-- Puts a worker on record.
INSERT INTO backfill_worker (version, step, runner, backend) VALUES ($1, $2, $3, $4) RETURNING id

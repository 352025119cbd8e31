-- Takes a row of a table that is gone out of quarantine; where its rows went to, only a look at all of them tells.
WITH gone AS (
  DELETE FROM quarantine WHERE version = $1 AND step = $2 AND leaf = $3 AND key = $4 RETURNING version, step
)
UPDATE backfill b SET proof_since = clock_timestamp() FROM gone WHERE b.version = gone.version AND b.step = gone.step

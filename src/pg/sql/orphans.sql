-- Ends what other runners ($2: this one) of an item ($1) left at work that are gone themselves: a statement outlives its
-- client until it has its locks. Batches of a backfill are shared, and none of this one's business.
SELECT a.pid, i.step, pg_terminate_backend(a.pid) AS ended
FROM impact i JOIN pg_stat_activity a ON a.pid = i.backend_pid AND a.backend_start = i.backend_start
WHERE i.version = $1 AND i.runner <> $2 AND i.ended_at IS NULL AND i.step NOT LIKE 'backfill.%'

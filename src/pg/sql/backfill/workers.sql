-- Workers that have been heard of lately and whose session is there, and where they run.
SELECT w.step, w.pace, w.why, w.chunk, w.batch_rows, w.batch_ms, w.rows_per_s, w.stripe_by, w.hot_share, r.os_user, r.host, r.pid
FROM backfill_worker w JOIN runner r ON r.id = w.runner
WHERE w.version = $1 AND w.seen_at > clock_timestamp() - interval '10 seconds'
  AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = w.backend) ORDER BY w.id

-- How far each backfill of an item is. Rows that a window wrote count before it ends.
SELECT b.step, b.pass, b.retries, b.last_retry, b.started_at,
       coalesce(bool_and(c.finished), false) AS finished, count(c.chunk) AS chunks, count(c.chunk) FILTER (WHERE c.finished) AS chunks_done,
       coalesce(sum(c.rows_seen), 0)::bigint AS rows_seen,
       coalesce(sum(CASE WHEN c.finished THEN c.rows_seen ELSE greatest(c.rows_total, c.rows_seen) END), 0)::bigint AS rows_total,
       (SELECT coalesce(sum(w.rows_written), 0)::bigint FROM backfill_chunk w WHERE w.version = b.version AND w.step = b.step) AS rows_written,
       (SELECT count(*) FROM quarantine q WHERE q.version = b.version AND q.step = b.step) AS quarantined,
       (SELECT count(*) FROM backfill_worker w WHERE w.version = b.version AND w.step = b.step AND w.seen_at > clock_timestamp() - interval '10 seconds'
          AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = w.backend)) AS workers,
       pg_wal_lsn_diff(pg_current_wal_insert_lsn(), b.wal_start)::float8 AS wal_bytes,
       extract(epoch FROM coalesce(max(c.updated_at), b.started_at) - CASE WHEN b.pass = 2 THEN b.proof_since ELSE b.started_at END)::float8 AS seconds
FROM backfill b LEFT JOIN LATERAL (
  SELECT c.chunk, c.finished, c.updated_at, c.rows_total,
         CASE WHEN c.pass = 1 THEN greatest(c.rows_seen, c.rows_written) ELSE c.rows_seen END AS rows_seen
  FROM backfill_chunk c WHERE c.version = b.version AND c.step = b.step AND c.pass = b.pass) c ON true
WHERE b.version = $1 GROUP BY b.version, b.step ORDER BY b.step

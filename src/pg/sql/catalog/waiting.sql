-- Who waits for a lock in any session, and behind whom; and the locks that our sessions
-- ($1) hold of those that stand in somebody's way. Sessions of phase wait for each other's rows by design.
SELECT l.pid, l.behind, l.began, l.waited_s, l.plain, a.usename::text AS usename, a.application_name,
       NULL::text AS relation, NULL::text AS mode
FROM (
  SELECT DISTINCT ON (w.pid) w.pid, w.locktype, pg_blocking_pids(w.pid) AS behind,
         (extract(epoch FROM s.since) * 1000000)::bigint AS began,
         extract(epoch FROM clock_timestamp() - s.since)::float8 AS waited_s,
         w.locktype <> 'relation' OR w.mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') AS plain
  FROM pg_locks w CROSS JOIN LATERAL (SELECT (to_jsonb(w) ->> 'waitstart')::timestamptz AS since) AS s
  WHERE NOT w.granted AND w.pid IS NOT NULL
  ORDER BY w.pid
) AS l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE a.application_name IS DISTINCT FROM 'phase' OR l.locktype = 'relation' OR l.pid = ANY ($1)
UNION ALL
SELECT l.pid, NULL, NULL, NULL, NULL, NULL, NULL, l.relation::regclass::text, l.mode
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
  AND (c.relkind IN ('r', 'p', 'm', 'v', 'f') OR (c.relkind IN ('i', 'I') AND l.mode = 'AccessExclusiveLock'))
WHERE l.pid = ANY ($1) AND l.granted AND l.locktype = 'relation' AND l.relation >= 16384
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')

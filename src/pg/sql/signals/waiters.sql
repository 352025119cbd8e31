-- Sessions that wait for a lock of ours; before PostgreSQL 14 nobody says since when.
SELECT DISTINCT l.pid FROM pg_locks l
WHERE NOT l.granted AND NOT l.pid = ANY ($1) AND pg_blocking_pids(l.pid) && $1
  AND coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz < clock_timestamp() - interval '250 milliseconds', true)

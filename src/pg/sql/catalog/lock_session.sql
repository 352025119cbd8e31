-- The session that holds an advisory lock of ours.
SELECT l.pid, a.usename::text AS usename, a.application_name, coalesce(host(a.client_addr), 'local socket') AS client,
       a.backend_start
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = $1 AND l.objid::bigint = $2

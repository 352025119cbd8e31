-- Who is in the way of a backend; what our role may not see is null, and pid 0 is a prepared transaction.
SELECT b.pid, a.usename::text AS usename, a.application_name, coalesce(a.state, a.backend_type) AS state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS age_s,
       left(a.query, 4000) AS query,
       (SELECT l.virtualtransaction FROM pg_locks l WHERE l.pid = b.pid LIMIT 1) AS transaction
FROM (SELECT DISTINCT unnest(pg_blocking_pids($1)) AS pid) AS b
LEFT JOIN pg_stat_activity a ON a.pid = b.pid

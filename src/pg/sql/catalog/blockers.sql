-- Who is in the way of a backend; what our role may not see is null.
SELECT a.pid, a.usename::text AS usename, a.application_name, a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS age_s,
       left(regexp_replace(a.query, '\s+', ' ', 'g'), 120) AS query
FROM unnest(pg_blocking_pids($1)) AS b(pid)
JOIN pg_stat_activity a ON a.pid = b.pid

-- A session ($1), as those in the way are shown; what our role may not see is null.
SELECT a.pid, a.usename::text AS usename, a.application_name, coalesce(a.state, a.backend_type) AS state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS age_s,
       left(a.query, 4000) AS query,
       NULL::text AS transaction
FROM pg_stat_activity a WHERE a.pid = $1

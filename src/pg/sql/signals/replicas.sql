-- How far each replica has replayed the log, in bytes; null where our role may not see it (pg_monitor may).
SELECT pid, coalesce(nullif(application_name, ''), host(client_addr), pid::text) AS name,
       (replay_lsn - '0/0'::pg_lsn)::float8 AS replayed
FROM pg_stat_replication

-- The age of the oldest transaction, ours left out; hidden: sessions that our role may not see.
SELECT coalesce(extract(epoch FROM clock_timestamp() - least(min(xact_start),
         (SELECT min(prepared) FROM pg_prepared_xacts))), 0)::float8 AS age,
       count(*) FILTER (WHERE state IS NULL AND datid IS NOT NULL) AS hidden
FROM pg_stat_activity WHERE NOT pid = ANY ($1) AND pid <> pg_backend_pid() AND application_name <> 'phase'

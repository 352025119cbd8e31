-- Sessions that run a statement, ours left out; hidden: those that our role may not see (pg_read_all_stats may).
SELECT count(*) FILTER (WHERE state = 'active') AS active, count(*) FILTER (WHERE state IS NULL) AS hidden
FROM pg_stat_activity
WHERE datid IS NOT NULL AND pid <> pg_backend_pid() AND NOT pid = ANY ($1) AND application_name <> 'phase'

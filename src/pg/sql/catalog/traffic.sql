-- How much tables are read and written, with their partitions.
-- $1: their names, as SQL writes them. One row each that is there.
SELECT asked.name, coalesce(used.scans, 0)::bigint AS scans, coalesce(used.writes, 0)::bigint AS writes,
       extract(epoch FROM clock_timestamp() - d.stats_reset)::float8 AS since_reset,
       extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS uptime,
       extract(epoch FROM clock_timestamp())::float8 AS at
FROM unnest($1::text[]) asked (name)
JOIN pg_class c ON c.oid = to_regclass(asked.name)
JOIN pg_stat_database d ON d.datname = current_database()
LEFT JOIN LATERAL (
    WITH RECURSIVE tree AS (
        SELECT c.oid UNION SELECT h.inhrelid FROM pg_inherits h JOIN tree ON h.inhparent = tree.oid
    )
    SELECT sum(coalesce(s.seq_scan, 0) + coalesce(s.idx_scan, 0)) AS scans,
           sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del) AS writes
    FROM tree JOIN pg_stat_all_tables s ON s.relid = tree.oid
) used ON true

-- The share of dead rows in the tables, as the statistics have it.
SELECT coalesce(sum(n_dead_tup) / nullif(sum(n_live_tup + n_dead_tup), 0), 0)::float8 AS dead
FROM pg_stat_all_tables WHERE relid = ANY ($1)

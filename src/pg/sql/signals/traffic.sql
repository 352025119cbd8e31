-- What all sessions together did so far: transactions, and the milliseconds that they ran statements (14+).
SELECT sum(xact_commit + xact_rollback)::float8 AS transactions,
       sum((to_jsonb(d) ->> 'active_time')::float8)::float8 AS active_ms
FROM pg_stat_database AS d
